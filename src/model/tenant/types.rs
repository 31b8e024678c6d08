//! What there is in a tenant.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::model::id::{ApplicationId, RoleTemplateId, TenantId};

/// Whatever has an object id in our directory: a user, a group, a service principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ObjectId(pub Uuid);

impl std::fmt::Display for ObjectId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// All that was observed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// The service's own time when observing began: nothing is older than this, but for what
    /// [`Snapshot::blind`] says.
    pub observed_at: Timestamp,
    pub tenant: Option<TenantId>,
    /// Verified domains of our directory, in lower case.
    pub domains: BTreeSet<String>,
    pub users: BTreeMap<ObjectId, User>,
    pub groups: BTreeMap<ObjectId, Group>,
    /// Directory roles, active and eligible, in no particular order.
    pub assignments: Vec<RoleAssignment>,
    /// Soft-deleted users, who can be restored and whose names are taken.
    pub deleted_users: BTreeMap<ObjectId, DeletedUser>,
    pub customers: BTreeMap<TenantId, Customer>,
    pub partnerships: Vec<Partnership>,
    pub profiles: BTreeMap<ProfileKind, Profile>,
    pub account_roles: Vec<AccountRole>,
    pub delegated: BTreeMap<RelationshipId, Delegation>,
    /// What was asked for and could not be seen, or was not looked at again.
    pub blind: Vec<Blind>,
    pub marks: Marks,
}

/// A user of our directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    pub display_name: String,
    /// As the directory writes it; compare without regard to case.
    pub sign_in_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Unknown when the directory does not say.
    pub enabled: Option<bool>,
    pub is_guest: bool,
    /// Kept on premises: its identity is not ours to edit.
    pub is_synced: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail_nickname: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surname: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mobile_phone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_location: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}

/// A user in the bin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeletedUser {
    pub display_name: String,
    /// Without what the directory puts before it.
    pub sign_in_name: String,
    pub deleted_at: Option<Timestamp>,
}

/// A group of our directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail_nickname: Option<String>,
    pub kind: GroupKind,
    pub is_synced: bool,
    pub is_role_assignable: bool,
    /// Direct members, if they were asked for.
    pub members: Option<BTreeMap<ObjectId, MemberKind>>,
    /// Owners, if they were asked for.
    pub owners: Option<BTreeMap<ObjectId, MemberKind>>,
}

/// What sort of group; only a static security group is one whose members are ours to set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupKind {
    Security,
    /// Members follow from a rule.
    Dynamic,
    MailEnabledSecurity,
    Microsoft365,
    Distribution,
}

/// What a member of a group is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemberKind {
    User,
    Group,
    ServicePrincipal,
    Other(String),
}

/// A directory role that somebody holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleAssignment {
    /// What it is removed by.
    pub id: String,
    pub role: RoleTemplateId,
    pub principal: ObjectId,
    /// `/` is the whole tenant.
    pub scope: String,
    pub holding: Holding,
}

/// How a directory role is held.
///
/// Who activates an eligible role has an active assignment too while that lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holding {
    Active,
    Eligible,
}

/// A customer, as far as its scope asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Customer {
    pub company_name: String,
    /// In lower case.
    pub domain: String,
    pub relationship: Relationship,
    #[serde(default, skip_serializing_if = "CustomerDetails::is_empty")]
    pub details: CustomerDetails,
}

impl Customer {
    /// Whether there is a tie that the list of customers shows.
    pub fn is_ours(&self) -> bool {
        self.relationship != Relationship::None
    }
}

/// What the service calls our relationship with a customer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relationship {
    Reseller,
    Advisor,
    None,
    Other(String),
}

/// What one customer was asked for; each is absent when it was not.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CustomerDetails {
    /// Whether legacy delegated administration is still there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legacy_administration: Option<bool>,
    /// With its members as they were read, to be sent back whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing: Option<Profile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qualifications: Option<Vec<Qualification>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscriptions: Option<Vec<Subscription>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreements: Option<Vec<Agreement>>,
    /// Indirect resellers of this customer, by tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resellers: Option<BTreeSet<TenantId>>,
}

impl CustomerDetails {
    pub fn is_empty(&self) -> bool {
        let Self {
            legacy_administration,
            billing,
            qualifications,
            subscriptions,
            agreements,
            resellers,
        } = self;
        legacy_administration.is_none()
            && billing.is_none()
            && qualifications.is_none()
            && subscriptions.is_none()
            && agreements.is_none()
            && resellers.is_none()
    }
}

/// A standing that a customer has or asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Qualification {
    /// As the service names it: `Education`.
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vetting: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What a customer bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    pub id: String,
    pub name: String,
    /// Such as `active`, in lower case: an active one blocks the end of the relationship.
    pub status: String,
}

/// An agreement that a customer signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Agreement {
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed_at: Option<Timestamp>,
}

/// A tie with another partner.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Partnership {
    pub tenant: TenantId,
    pub name: String,
    pub side: Side,
    /// `active`, or whatever else the service says, in lower case.
    pub state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partner_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Whether a reseller of ours signed the partner agreement, if that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_signed_agreement: Option<bool>,
}

/// What the other partner is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// They provide, we resell.
    IndirectProvider,
    /// We provide, they resell.
    IndirectReseller,
}

/// A profile of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProfileKind {
    Organization,
    Legal,
    Billing,
    Support,
    PartnerNetwork,
}

/// A profile with every member it was read with, so that those that nobody declares go back as they
/// came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Profile(pub Map<String, Value>);

impl Profile {
    /// A member by its path: `address.city`.
    pub fn at(&self, path: &str) -> Option<&Value> {
        let mut parts = path.split('.');
        let first = self.0.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    }

    pub fn text(&self, path: &str) -> Option<&str> {
        self.at(path).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// Short-lived: read again right before a write.
    pub fn etag(&self) -> Option<&str> {
        self.text("attributes.etag")
    }
}

/// A role that Partner Center keeps itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountRole {
    pub id: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    pub members: Vec<AccountRoleMember>,
}

/// Somebody who holds an account role somewhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountRoleMember {
    pub user: ObjectId,
    /// The account or location; our tenant's id is the whole organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    pub display_name: String,
    pub sign_in_name: String,
}

/// The id of a delegated access relationship: opaque.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RelationshipId(pub String);

/// Delegated access to a customer's tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delegation {
    pub name: String,
    /// Absent until somebody accepted it, if anybody could.
    pub customer: Option<TenantId>,
    /// In days; absent when the service says it in a way that we do not know.
    pub duration_days: Option<u32>,
    pub roles: BTreeSet<RoleTemplateId>,
    /// 0: it ends when it ends.
    pub auto_extend_days: u32,
    pub status: DelegationStatus,
    pub created_at: Option<Timestamp>,
    pub modified_at: Option<Timestamp>,
    pub activated_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    pub etag: Option<String>,
    /// The provider that made it for us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<TenantId>,
    /// Our own consent is awaited.
    pub awaits_our_consent: bool,
    /// If they were asked for.
    pub assignments: Option<Vec<DelegatedAssignment>>,
}

/// Where a delegated access relationship stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DelegationStatus {
    Created,
    ApprovalPending,
    Approved,
    Activating,
    Active,
    Expiring,
    Expired,
    TerminationRequested,
    Terminating,
    Terminated,
    Other(String),
}

impl DelegationStatus {
    /// Nothing will come of it any more.
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Expired | Self::Terminated)
    }

    /// On its way from one state to another by itself.
    pub const fn is_moving(&self) -> bool {
        matches!(
            self,
            Self::Approved
                | Self::Activating
                | Self::Expiring
                | Self::TerminationRequested
                | Self::Terminating
        )
    }
}

/// What one of our groups may do in a customer's tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DelegatedAssignment {
    pub id: String,
    pub group: ObjectId,
    pub roles: BTreeSet<RoleTemplateId>,
    /// `pending`, `active`, `deleting`, `deleted`, `error`, or something newer.
    pub status: String,
    pub etag: Option<String>,
}

/// Something that a snapshot does not show, or shows as it was earlier.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Blind {
    pub aspect: Aspect,
    pub why: String,
    /// When it was last seen, if ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Timestamp>,
}

/// A part of a snapshot that can be seen or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    EligibleRoles,
    RolesOutsideTheList,
    DeletedUsers,
    AccountRoles,
    CustomerDetails,
    CustomerNames,
    DelegatedAssignments,
    Profiles,
}

/// From where the next observation goes on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Marks {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<String>,
    /// Everything audited before this was taken into account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit: Option<Timestamp>,
    /// Records around that time, so that a late one is not missed and none counts twice.
    pub audited: BTreeSet<String>,
    /// When account roles were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_roles: Option<Timestamp>,
    /// When the whole list of customers was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customers: Option<Timestamp>,
    /// When details of customers were read that nothing touched since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Timestamp>,
}

/// An application in our directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePrincipal {
    pub id: ObjectId,
    pub application: Option<ApplicationId>,
    pub display_name: String,
}

/// A code that admits customers to the Government Community Cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationCode {
    pub code: String,
    pub organization: String,
    /// How many customers it still admits.
    pub remaining: u32,
}

/// A request for support on behalf of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceRequest {
    pub id: String,
    pub title: String,
    pub status: String,
    pub severity: String,
}
