//! Changes a tenant: one method for one change, each sent at most as often as is safe.
//!
//! Where twice would do it twice, a lost answer is an error that
//! [leaves the outcome open](Error::leaves_outcome_open): whoever applies looks it up by its marker
//! before anything is sent again. Where an answer of refusal only says that things are already as they
//! should be, that is success.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use secrecy::SecretString;
use serde_json::{Map, Value};
use tokio::time::Instant;
use uuid::Uuid;

use super::auth::Actor;
use super::center::account::profile_path;
use super::center::body::{CustomerFields, NewCustomer, NewQualification, NewRoleMember};
use super::center::wire::{CustomerWire, RoleMemberWire};
use super::error::{Error, Place, Reason};
use super::graph::body::{
    Action, ActivateRole, DelegatedAssignmentFields, DelegationFields, DelegationRequest,
    GroupFields, Members, NewAssignment, NewDelegatedAssignment, NewDelegation, NewGroup, NewUser,
    PasswordProfile, Pointer, SetPassword, UserFields,
};
use super::graph::delegation;
use super::graph::wire::{AssignmentWire, DelegatedAssignmentWire, DelegationWire, Made};
use super::json;
use super::line::{ChangingLine, Connection};
use super::read::Reader;
use super::request::{BATCH_ITEMS_MAX, Changing, Class, Repeat, Service, escaped};
use super::snapshot::{
    AccountRoleMember, Customer, DelegatedAssignment, Delegation, Holding, ObjectId, Profile,
    ProfileKind, RelationshipId, RoleAssignment,
};
use crate::model::id::{RoleTemplateId, TenantId};

/// Changes a tenant, in the name of the writing identity.
#[derive(Debug, Clone)]
pub struct Writer {
    line: ChangingLine,
}

/// Whether a change had to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    Now,
    /// It was so before.
    Already,
}

/// A tenant that was made.
#[derive(Debug)]
pub struct NewTenant {
    pub id: TenantId,
    pub customer: Customer,
    /// Its first administrator, shown this once.
    pub administrator: Option<Administrator>,
}

/// Who can sign in to a new tenant.
#[derive(Debug)]
pub struct Administrator {
    pub user_name: String,
    pub password: SecretString,
}

/// What came of a change that may go on behind its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update<T> {
    /// As it is now; what did not change was not accepted.
    Done(T),
    /// To be asked about under this path.
    Running { operation: String },
    /// Accepted, and nothing said about where to ask.
    Accepted,
}

impl Writer {
    pub fn new(connection: Connection) -> Self {
        Self { line: ChangingLine::new(connection) }
    }

    /// The same writer, which sends nothing more from a moment on: what comes back then is
    /// [`Error::TooLate`], or what is open.
    #[must_use]
    pub fn until(&self, until: Instant) -> Self {
        Self { line: self.line.until(until) }
    }

    /// Reads with the same identity, to see what a change came to.
    pub fn reader(&self) -> Reader {
        Reader::on(self.line.reading())
    }

    /// In whose token changes are made.
    pub async fn actor(&self) -> Result<Option<Actor>, Error> {
        self.line.reading().actor(Service::Graph).await
    }

    /// For how long the service makes us wait, if it does.
    pub fn held_back(&self) -> Option<Duration> {
        self.line.held_back()
    }

    // Users.

    /// Makes a user. The marker is the sign-in name: an unknown outcome is looked up by it.
    pub async fn create_user(&self, user: &NewUser) -> Result<ObjectId, Error> {
        let changing = directory(Method::POST, "/v1.0/users", Repeat::Never)
            .json(user)
            .keeping_out(&user.password_profile.password);
        self.made(&changing).await
    }

    pub async fn update_user(&self, id: ObjectId, fields: &UserFields) -> Result<(), Error> {
        self.only(directory(Method::PATCH, &user_path(id), Repeat::Freely).json(fields)).await
    }

    /// Sets a password that must be changed at the next sign-in.
    pub async fn set_password(
        &self,
        id: ObjectId,
        password: &PasswordProfile,
    ) -> Result<(), Error> {
        let changing = directory(Method::PATCH, &user_path(id), Repeat::Freely)
            .json(&SetPassword { password_profile: password })
            .keeping_out(&password.password);
        self.only(changing).await
    }

    /// Puts a user into the bin, for thirty days.
    pub async fn delete_user(&self, id: ObjectId) -> Result<Done, Error> {
        self.gone(directory(Method::DELETE, &user_path(id), Repeat::Freely)).await
    }

    pub async fn restore_user(&self, id: ObjectId) -> Result<(), Error> {
        let path = format!("/v1.0/directory/deletedItems/{id}/restore");
        self.only(directory(Method::POST, &path, Repeat::Never)).await
    }

    // Groups.

    /// Makes a security group. The marker is its alias: an unknown outcome is looked up by it.
    pub async fn create_group(&self, group: &NewGroup) -> Result<ObjectId, Error> {
        self.made(&directory(Method::POST, "/v1.0/groups", Repeat::Never).json(group)).await
    }

    pub async fn update_group(&self, id: ObjectId, fields: &GroupFields) -> Result<(), Error> {
        self.only(directory(Method::PATCH, &group_path(id), Repeat::Freely).json(fields)).await
    }

    /// For good: groups cannot be restored.
    pub async fn delete_group(&self, id: ObjectId) -> Result<Done, Error> {
        self.gone(directory(Method::DELETE, &group_path(id), Repeat::Freely)).await
    }

    pub async fn add_member(&self, group: ObjectId, member: ObjectId) -> Result<Done, Error> {
        let path = format!("{}/members/$ref", group_path(group));
        let changing = directory(Method::POST, &path, Repeat::Freely)
            .json(&Pointer::to(&self.graph(), member));
        match self.line.change_only(&changing).await {
            Ok(_) => Ok(Done::Now),
            // Whether it is a member already is asked, not read out of a message.
            Err(error) if matches!(error.reason(), Some(Reason::Invalid | Reason::Conflict)) => {
                let members = self.reader().members(group).await?;
                if members.iter().any(|(id, _)| *id == member) {
                    Ok(Done::Already)
                } else {
                    Err(error)
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Adds up to twenty members, all of them or none.
    pub async fn add_members(&self, group: ObjectId, members: &[ObjectId]) -> Result<(), Error> {
        let path = group_path(group);
        if members.is_empty() || members.len() > BATCH_ITEMS_MAX {
            return Err(refused_here(Method::PATCH, path, "one to twenty members at a time"));
        }
        let body = Members::of(&self.graph(), members);
        self.only(directory(Method::PATCH, &path, Repeat::Never).json(&body)).await
    }

    /// Takes somebody out of a group. The path must end in `/$ref`: without it, this call would delete
    /// the member itself.
    pub async fn remove_member(&self, group: ObjectId, member: ObjectId) -> Result<Done, Error> {
        let path = format!("{}/members/{member}/$ref", group_path(group));
        self.gone(directory(Method::DELETE, &path, Repeat::Freely)).await
    }

    // Directory roles.

    pub async fn assign_role(
        &self,
        role: RoleTemplateId,
        principal: ObjectId,
        scope: &str,
    ) -> Result<RoleAssignment, Error> {
        let path = "/v1.0/roleManagement/directory/roleAssignments";
        let changing = directory(Method::POST, path, Repeat::Freely)
            .json(&NewAssignment::new(role, principal, scope));
        match self.line.change::<AssignmentWire>(&changing).await {
            Ok(answer) => Ok(answer.body.observed(Holding::Active)),
            // How a duplicate is refused is not documented: whether it is one is asked.
            Err(error) if matches!(error.reason(), Some(Reason::Invalid | Reason::Conflict)) => {
                let held = self.reader().roles_of(principal).await?;
                held.into_iter().find(|held| held.role == role && held.scope == scope).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Makes a role known to the older of the directory's two interfaces, which some clouds' tools
    /// still list roles by. Nobody gains anything by it.
    pub async fn activate_role(&self, role: RoleTemplateId) -> Result<Done, Error> {
        let changing = directory(Method::POST, "/v1.0/directoryRoles", Repeat::Freely)
            .json(&ActivateRole { role_template_id: role });
        match self.line.change::<Made>(&changing).await {
            Ok(_) => Ok(Done::Now),
            // How a role that is active already is refused is not documented: it is asked.
            Err(error) if matches!(error.reason(), Some(Reason::Invalid | Reason::Conflict)) => {
                let is_active = self.reader().role_is_activated(role).await?;
                if is_active { Ok(Done::Already) } else { Err(error) }
            }
            Err(error) => Err(error),
        }
    }

    pub async fn remove_role(&self, assignment: &RoleAssignment) -> Result<Done, Error> {
        let path =
            format!("/v1.0/roleManagement/directory/roleAssignments/{}", escaped(&assignment.id));
        self.gone(directory(Method::DELETE, &path, Repeat::Freely)).await
    }

    // Customers.

    /// Makes a customer with a tenant of its own. `key` is what the service knows the request by: the
    /// same one for every attempt, of later runs too, until an answer came.
    pub async fn create_customer(
        &self,
        key: Uuid,
        customer: &NewCustomer,
    ) -> Result<NewTenant, Error> {
        let changing =
            center(Class::Customers, Method::POST, "/v1/customers", Repeat::WithKey(key))
                .json(customer);
        let mut made = self.line.change::<CustomerWire>(&changing).await?.body;
        let administrator = made.user_credentials.take().and_then(|credentials| {
            Some(Administrator {
                user_name: credentials.user_name.unwrap_or_default(),
                password: credentials.password?,
            })
        });
        let (id, customer) = made.observed();
        Ok(NewTenant { id, customer, administrator })
    }

    /// Ends the relationship with a customer: only the customer can bring it back.
    pub async fn end_relationship(&self, id: TenantId) -> Result<(), Error> {
        self.only(customer(Method::PATCH, id, "").json(&CustomerFields::without_relationship()))
            .await
    }

    /// Ends legacy delegated administration, for good.
    pub async fn end_legacy_administration(&self, id: TenantId) -> Result<(), Error> {
        let body = CustomerFields::without_legacy_administration();
        self.only(customer(Method::PATCH, id, "").json(&body)).await
    }

    /// Replaces a customer's billing profile, which must have been read right before.
    pub async fn put_customer_billing(
        &self,
        id: TenantId,
        profile: &Profile,
    ) -> Result<Profile, Error> {
        let path = format!("/v1/customers/{id}/profiles/billing");
        let mut changing =
            center(Class::Customers, Method::PUT, &path, Repeat::Never).json(&profile.0);
        if let Some(etag) = profile.etag() {
            changing = changing.header("if-match", &in_quotes(etag));
        }
        Ok(Profile(self.line.change::<Map<String, Value>>(&changing).await?.body))
    }

    /// Asks for a qualification, which people then examine.
    pub async fn ask_for_qualification(
        &self,
        id: TenantId,
        qualification: &NewQualification,
    ) -> Result<(), Error> {
        let path = format!("/v1/customers/{id}/qualifications");
        let changing = center(Class::Customers, Method::POST, &path, Repeat::Never);
        self.only(changing.json(qualification)).await
    }

    // The account.

    /// Replaces a profile, which must have been read right before and goes back with all its members.
    pub async fn put_profile(&self, kind: ProfileKind, profile: &Profile) -> Result<(), Error> {
        let path = match kind {
            ProfileKind::Support => "/v1/profiles/supportprofile",
            ProfileKind::PartnerNetwork => {
                let path = profile_path(kind).to_owned();
                return Err(refused_here(Method::PUT, path, "no API writes this profile"));
            }
            ProfileKind::Organization | ProfileKind::Legal | ProfileKind::Billing => {
                profile_path(kind)
            }
        };
        let mut changing =
            center(Class::Account, Method::PUT, path, Repeat::Never).json(&profile.0);
        if let Some(etag) = profile.etag() {
            changing = changing.header("if-match", &in_quotes(etag));
        }
        self.only(changing).await
    }

    pub async fn add_account_role_member(
        &self,
        member: &NewRoleMember,
    ) -> Result<AccountRoleMember, Error> {
        let path = format!("/v1/roles/{}/usermembers", escaped(&member.role_id));
        let changing = center(Class::Account, Method::POST, &path, Repeat::Never).json(member);
        Ok(self.line.change::<RoleMemberWire>(&changing).await?.body.observed())
    }

    /// Best effort: the service is known to refuse this for roles of the account. Then it is a
    /// person's step.
    pub async fn remove_account_role_member(
        &self,
        role: &str,
        member: ObjectId,
    ) -> Result<Done, Error> {
        let path = format!("/v1/roles/{}/usermembers/{member}", escaped(role));
        self.gone(center(Class::Account, Method::DELETE, &path, Repeat::Freely)).await
    }

    // Delegated access.

    /// Makes a relationship. The marker is its name: an unknown outcome is looked up by it.
    pub async fn create_delegation(
        &self,
        new: &NewDelegation,
    ) -> Result<(RelationshipId, Delegation), Error> {
        let path = delegation::collection();
        let changing = delegated(Method::POST, path, Repeat::Never).json(new);
        Ok(self.line.change::<DelegationWire>(&changing).await?.body.observed())
    }

    /// Changes a relationship that is as it was seen. What the answer shows is what was accepted.
    pub async fn update_delegation(
        &self,
        id: &RelationshipId,
        etag: &str,
        fields: &DelegationFields,
    ) -> Result<Update<Delegation>, Error> {
        let changing = delegated(Method::PATCH, delegation::path(id, ""), Repeat::Never)
            .json(fields)
            .header("if-match", etag);
        let updated = self.updated::<DelegationWire>(&changing).await?;
        Ok(updated.map(|wire| wire.observed().1))
    }

    /// Deletes a relationship that nobody was asked to approve yet.
    pub async fn delete_delegation(&self, id: &RelationshipId, etag: &str) -> Result<Done, Error> {
        let changing = delegated(Method::DELETE, delegation::path(id, ""), Repeat::Freely);
        self.gone(changing.header("if-match", etag)).await
    }

    /// Asks for a change of state. What became of it is seen in the relationship, not in the answer.
    pub async fn request_delegation(
        &self,
        id: &RelationshipId,
        action: Action,
    ) -> Result<(), Error> {
        let path = delegation::path(id, "/requests");
        self.only(delegated(Method::POST, path, Repeat::Never).json(&DelegationRequest { action }))
            .await
    }

    pub async fn create_delegated_assignment(
        &self,
        id: &RelationshipId,
        group: ObjectId,
        roles: &BTreeSet<RoleTemplateId>,
    ) -> Result<DelegatedAssignment, Error> {
        let path = delegation::path(id, "/accessAssignments");
        let changing = delegated(Method::POST, path, Repeat::Never)
            .json(&NewDelegatedAssignment::new(group, roles));
        Ok(self.line.change::<DelegatedAssignmentWire>(&changing).await?.body.observed())
    }

    pub async fn update_delegated_assignment(
        &self,
        id: &RelationshipId,
        assignment: &str,
        etag: &str,
        roles: &BTreeSet<RoleTemplateId>,
    ) -> Result<Update<DelegatedAssignment>, Error> {
        let changing = delegated(Method::PATCH, assignment_path(id, assignment), Repeat::Never)
            .json(&DelegatedAssignmentFields::roles(roles))
            .header("if-match", etag);
        let updated = self.updated::<DelegatedAssignmentWire>(&changing).await?;
        Ok(updated.map(DelegatedAssignmentWire::observed))
    }

    pub async fn delete_delegated_assignment(
        &self,
        id: &RelationshipId,
        assignment: &str,
        etag: &str,
    ) -> Result<Done, Error> {
        let changing = delegated(Method::DELETE, assignment_path(id, assignment), Repeat::Freely);
        self.gone(changing.header("if-match", etag)).await
    }

    // What all of them have in common.

    fn graph(&self) -> String {
        self.line.reading().endpoints().graph.clone()
    }

    async fn made(&self, changing: &Changing) -> Result<ObjectId, Error> {
        let made = self.line.change::<Made>(changing).await?;
        Uuid::try_parse(&made.body.id.0).map(ObjectId).map_err(|_| Error::Unreadable {
            place: Place { method: Method::POST, path: String::new() },
            cause: "what was made has an id that is none".to_owned(),
        })
    }

    async fn only(&self, changing: Changing) -> Result<(), Error> {
        self.line.change_only(&changing).await.map(drop)
    }

    /// Removing what is gone is success.
    async fn gone(&self, changing: Changing) -> Result<Done, Error> {
        match self.line.change_only(&changing).await {
            Ok(_) => Ok(Done::Now),
            Err(error) if error.is(Reason::Missing) => Ok(Done::Already),
            Err(error) => Err(error),
        }
    }

    async fn updated<T: serde::de::DeserializeOwned>(
        &self,
        changing: &Changing,
    ) -> Result<Update<T>, Error> {
        let answer = self.line.change::<Value>(changing).await?;
        let operation =
            answer.headers.get(http::header::LOCATION).and_then(|value| value.to_str().ok());
        if let Some(operation) = operation {
            return Ok(Update::Running { operation: operation.to_owned() });
        }
        if answer.body.as_object().is_none_or(Map::is_empty) {
            return Ok(Update::Accepted);
        }
        let bytes = answer.body.to_string();
        json::read(bytes.as_bytes()).map(Update::Done).map_err(|cause| Error::Unreadable {
            place: Place { method: Method::PATCH, path: String::new() },
            cause,
        })
    }
}

impl<T> Update<T> {
    fn map<U>(self, into: impl FnOnce(T) -> U) -> Update<U> {
        match self {
            Self::Done(value) => Update::Done(into(value)),
            Self::Running { operation } => Update::Running { operation },
            Self::Accepted => Update::Accepted,
        }
    }
}

fn directory(method: Method, path: &str, repeat: Repeat) -> Changing {
    Changing::new(Class::DirectoryChanges, method, path.to_owned(), repeat)
}

fn delegated(method: Method, path: String, repeat: Repeat) -> Changing {
    Changing::new(Class::Delegation, method, path, repeat)
}

fn center(class: Class, method: Method, path: &str, repeat: Repeat) -> Changing {
    Changing::new(class, method, path.to_owned(), repeat)
}

fn customer(method: Method, id: TenantId, below: &str) -> Changing {
    center(Class::Customers, method, &format!("/v1/customers/{id}{below}"), Repeat::Freely)
}

fn user_path(id: ObjectId) -> String {
    format!("/v1.0/users/{id}")
}

fn group_path(id: ObjectId) -> String {
    format!("/v1.0/groups/{id}")
}

fn assignment_path(id: &RelationshipId, assignment: &str) -> String {
    delegation::path(id, &format!("/accessAssignments/{}", escaped(assignment)))
}

fn in_quotes(etag: &str) -> String {
    if etag.starts_with('"') || etag.starts_with("W/") {
        etag.to_owned()
    } else {
        format!("\"{etag}\"")
    }
}

/// What is not sent, because no service would take it.
fn refused_here(method: Method, path: String, cause: &str) -> Error {
    Error::Unreadable { place: Place { method, path }, cause: cause.to_owned() }
}
