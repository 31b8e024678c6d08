//! Reads a tenant, and cannot do anything else: it holds the reading end of a line, which takes no
//! request that changes anything.

use std::collections::BTreeSet;

use super::auth::Actor;
use super::center::{account, customers};
use super::error::Error;
use super::graph::delegation;
use super::graph::directory::{self, List};
use super::graph::roles;
use super::line::{Connection, ReadingLine};
use super::observe;
use super::request::Service;
use super::snapshot::{
    AccountRoleMember, Agreement, Customer, DelegatedAssignment, Delegation, DeletedUser, Group,
    MemberKind, ObjectId, Partnership, Profile, ProfileKind, Qualification, RelationshipId,
    RoleAssignment, Scope, ServicePrincipal, ServiceRequest, Side, Snapshot, Subscription, User,
    ValidationCode,
};
use crate::model::id::{ApplicationId, RoleTemplateId, TenantId};

pub use super::center::customers::SearchBy;
pub use super::graph::delegation::Progress;

/// Reads a tenant.
#[derive(Debug, Clone)]
pub struct Reader {
    line: ReadingLine,
}

impl Reader {
    pub fn new(connection: Connection) -> Self {
        Self { line: ReadingLine::new(connection) }
    }

    pub(super) fn on(line: ReadingLine) -> Self {
        Self { line }
    }

    #[cfg(test)]
    pub(super) fn line(&self) -> &ReadingLine {
        &self.line
    }

    /// Observes what a scope asks for: from `previous` on, if there is one, and only what moved.
    ///
    /// `previous` must be of the same tenant and of a scope that asked for as much.
    pub async fn snapshot(
        &self,
        scope: &Scope,
        previous: Option<&Snapshot>,
    ) -> Result<Snapshot, Error> {
        match previous {
            Some(previous) => Box::pin(observe::since(&self.line, scope, previous)).await,
            None => Box::pin(observe::full(&self.line, scope)).await,
        }
    }

    /// How many calls this reader has made.
    pub fn calls(&self) -> u64 {
        self.line.calls()
    }

    /// In whose token is read, as far as the token says.
    pub async fn actor(&self) -> Result<Option<Actor>, Error> {
        self.line.actor(Service::Graph).await
    }

    // The directory.

    pub async fn user(&self, id: ObjectId) -> Result<User, Error> {
        directory::user(&self.line, id).await
    }

    /// The user who signs in with that name: how one of unknown fate is looked up.
    pub async fn user_named(&self, sign_in_name: &str) -> Result<Option<(ObjectId, User)>, Error> {
        directory::user_named(&self.line, sign_in_name).await
    }

    pub async fn deleted_users(&self) -> Result<Vec<(ObjectId, DeletedUser)>, Error> {
        Ok(directory::deleted_users(&self.line).await?.into_iter().collect())
    }

    pub async fn groups_named(&self, name: &str) -> Result<Vec<(ObjectId, Group)>, Error> {
        directory::groups_where(&self.line, "displayName", name).await
    }

    /// Groups with that alias: how one of unknown fate is looked up.
    pub async fn groups_with_alias(&self, alias: &str) -> Result<Vec<(ObjectId, Group)>, Error> {
        directory::groups_where(&self.line, "mailNickname", alias).await
    }

    pub async fn group(&self, id: ObjectId) -> Result<Option<Group>, Error> {
        Ok(directory::groups_by_id(&self.line, &[id])
            .await?
            .into_iter()
            .find_map(|(_, group)| group))
    }

    pub async fn members(&self, group: ObjectId) -> Result<Vec<(ObjectId, MemberKind)>, Error> {
        let mut listed = directory::listed(&self.line, List::Members, &[group]).await?;
        Ok(listed.remove(&group).unwrap_or_default().into_iter().collect())
    }

    /// The groups, and whatever else has members, that a user is in directly.
    pub async fn groups_of(&self, user: ObjectId) -> Result<Vec<ObjectId>, Error> {
        directory::groups_of(&self.line, user).await
    }

    /// The directory roles that somebody holds, activated ones included, eligible ones not.
    pub async fn roles_of(&self, principal: ObjectId) -> Result<Vec<RoleAssignment>, Error> {
        roles::of_principal(&self.line, principal).await
    }

    pub async fn service_principal(
        &self,
        application: ApplicationId,
    ) -> Result<Option<ServicePrincipal>, Error> {
        directory::service_principal(&self.line, application).await
    }

    /// Whether the directory's older interface lists a role.
    pub async fn role_is_activated(&self, role: RoleTemplateId) -> Result<bool, Error> {
        roles::is_activated(&self.line, role).await
    }

    // Delegated access.

    /// Customers with whom at least one relationship is active.
    pub async fn delegated_customers(&self) -> Result<BTreeSet<TenantId>, Error> {
        delegation::customers(&self.line).await
    }

    /// Where the services of such a customer are managed: names and addresses.
    pub async fn delegated_services(
        &self,
        customer: TenantId,
    ) -> Result<Vec<(String, String)>, Error> {
        delegation::services(&self.line, customer).await
    }

    pub async fn delegation(&self, id: &RelationshipId) -> Result<Delegation, Error> {
        delegation::one(&self.line, id).await
    }

    /// Many relationships, each with an answer of its own, in their order.
    pub async fn delegations(
        &self,
        ids: &[RelationshipId],
    ) -> Result<Vec<Result<Delegation, Error>>, Error> {
        delegation::many(&self.line, ids).await
    }

    /// Relationships with that name: how one of unknown fate is looked up.
    pub async fn delegations_named(
        &self,
        name: &str,
    ) -> Result<Vec<(RelationshipId, Delegation)>, Error> {
        delegation::named(&self.line, name).await
    }

    pub async fn delegated_assignments(
        &self,
        id: &RelationshipId,
    ) -> Result<Vec<DelegatedAssignment>, Error> {
        let found = delegation::assignments(&self.line, std::slice::from_ref(id)).await?;
        Ok(found.into_iter().flat_map(|(_, assignments)| assignments).collect())
    }

    /// How a change stands whose answer said that it goes on.
    pub async fn progress(&self, operation: &str) -> Result<Progress, Error> {
        let path = self.line.followed(Service::Graph, operation)?;
        delegation::operation(&self.line, path).await
    }

    // Partner Center.

    /// One customer; nothing where we have no relationship.
    pub async fn customer(&self, id: TenantId) -> Result<Option<Customer>, Error> {
        customers::one(&self.line, id).await
    }

    /// Customers that begin like that; the index they are found in lags behind changes.
    pub async fn search_customers(
        &self,
        by: SearchBy,
        value: &str,
    ) -> Result<Vec<(TenantId, Customer)>, Error> {
        customers::search(&self.line, by, value).await
    }

    /// The link by which any customer accepts us as its reseller.
    pub async fn relationship_request(&self) -> Result<String, Error> {
        customers::relationship_request(&self.line).await
    }

    /// Whether a domain is taken already.
    pub async fn domain_is_taken(&self, domain: &str) -> Result<bool, Error> {
        customers::domain_is_taken(&self.line, domain).await
    }

    pub async fn customer_billing(&self, id: TenantId) -> Result<Profile, Error> {
        customers::billing(&self.line, id).await
    }

    pub async fn customer_company(&self, id: TenantId) -> Result<Profile, Error> {
        customers::company(&self.line, id).await
    }

    pub async fn customer_organization(&self, id: TenantId) -> Result<Option<Profile>, Error> {
        customers::organization(&self.line, id).await
    }

    pub async fn customer_domains(&self, id: TenantId) -> Result<BTreeSet<String>, Error> {
        customers::domains(&self.line, id).await
    }

    pub async fn qualifications(&self, id: TenantId) -> Result<Vec<Qualification>, Error> {
        customers::qualifications(&self.line, id).await
    }

    /// What the service's examination of a customer came to; `None` counts as allowed.
    pub async fn validation(&self, id: TenantId) -> Result<Option<String>, Error> {
        customers::validation(&self.line, id).await
    }

    pub async fn subscriptions(&self, id: TenantId) -> Result<Vec<Subscription>, Error> {
        customers::subscriptions(&self.line, id).await
    }

    /// Codes that admit customers to the Government Community Cloud.
    pub async fn validation_codes(&self) -> Result<Vec<ValidationCode>, Error> {
        customers::validation_codes(&self.line).await
    }

    pub async fn service_requests(&self, id: TenantId) -> Result<Vec<ServiceRequest>, Error> {
        customers::service_requests(&self.line, id).await
    }

    pub async fn agreements(&self, id: TenantId) -> Result<Vec<Agreement>, Error> {
        customers::agreements(&self.line, id).await
    }

    pub async fn has_signed_directly(&self, id: TenantId) -> Result<bool, Error> {
        customers::has_signed_directly(&self.line, id).await
    }

    pub async fn resellers_of(&self, id: TenantId) -> Result<BTreeSet<TenantId>, Error> {
        customers::resellers(&self.line, id).await
    }

    pub async fn partnerships(&self, side: Side) -> Result<Vec<Partnership>, Error> {
        account::partnerships(&self.line, side).await
    }

    /// Whether a reseller signed the partner agreement, where the service knows it.
    pub async fn has_signed_agreement(&self, reseller: TenantId) -> Result<Option<bool>, Error> {
        account::has_signed(&self.line, reseller).await
    }

    /// A profile of the account as it is right now, with its short-lived `ETag`.
    pub async fn profile(&self, kind: ProfileKind) -> Result<Option<Profile>, Error> {
        account::profile(&self.line, kind).await
    }

    pub async fn account_role_members(&self, role: &str) -> Result<Vec<AccountRoleMember>, Error> {
        account::role_members(&self.line, role).await
    }
}
