//! What an estate needs to see of a tenant, so that nothing else is asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::types::{ObjectId, ProfileKind, Side};
use crate::model::id::TenantId;

/// What to observe.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a part of its own")]
pub struct Scope {
    pub users: bool,
    /// Groups whose members matter, beside the agent groups and those that can hold directory roles.
    pub groups: BTreeSet<GroupRef>,
    /// Whether to say who owns those groups: owners can add members.
    pub owners: bool,
    pub customers: bool,
    pub details: BTreeMap<CustomerRef, Details>,
    pub partnerships: BTreeSet<Side>,
    /// Ask for each reseller whether it signed the partner agreement.
    pub agreements: bool,
    pub profiles: Profiles,
    pub account_roles: bool,
    pub delegated: Delegated,
}

impl Scope {
    /// Everything that is listed in bulk, and no details.
    pub fn everything() -> Self {
        Self {
            users: true,
            groups: BTreeSet::new(),
            owners: false,
            customers: true,
            details: BTreeMap::new(),
            partnerships: BTreeSet::from([Side::IndirectProvider, Side::IndirectReseller]),
            agreements: false,
            profiles: Profiles::all(),
            account_roles: true,
            delegated: Delegated::All,
        }
    }
}

/// A group, as an estate knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupRef {
    Id(ObjectId),
    Name(String),
}

/// A customer, as an estate knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum CustomerRef {
    Tenant(TenantId),
    /// In lower case.
    Domain(String),
}

/// Which profiles of the account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profiles(pub BTreeSet<ProfileKind>);

impl Profiles {
    pub fn all() -> Self {
        Self(BTreeSet::from([
            ProfileKind::Organization,
            ProfileKind::Legal,
            ProfileKind::Billing,
            ProfileKind::Support,
            ProfileKind::PartnerNetwork,
        ]))
    }
}

/// How much of delegated access.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Delegated {
    #[default]
    Nothing,
    /// Relationships alone.
    Relationships,
    /// Also what each group may do, with these customers.
    Of(BTreeSet<TenantId>),
    /// Also what each group may do, with every customer.
    All,
}

impl Delegated {
    /// Whether what each group may do with a customer is asked for.
    pub fn wants_assignments(&self, customer: Option<TenantId>) -> bool {
        match self {
            Self::Nothing | Self::Relationships => false,
            Self::Of(customers) => customer.is_some_and(|customer| customers.contains(&customer)),
            Self::All => true,
        }
    }
}

/// What to ask of one customer: a call for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct Details {
    pub legacy_administration: bool,
    pub billing: bool,
    pub qualifications: bool,
    pub subscriptions: bool,
    pub agreements: bool,
    pub resellers: bool,
}
