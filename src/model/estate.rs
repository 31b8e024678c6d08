//! All that the manifests declare.

use std::collections::BTreeMap;

use super::access_test::AccessTest;
use super::account::Account;
use super::customer::Customer;
use super::delegated_access::DelegatedAccess;
use super::label::Selector;
use super::metadata::Metadata;
use super::name::{CustomerKey, DelegatedAccessKey, Name, PartnershipKey, RoleKey, UserKey};
use super::partnership::Partnership;
use super::role::Role;
use super::user::User;
use super::waiver::Waiver;

/// The number of the document that something was declared by; who loaded it knows where that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(pub u32);

/// Something declared.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared<T> {
    pub metadata: Metadata,
    pub spec: T,
    pub origin: Origin,
}

/// Everything declared, by name.
#[derive(Debug, Default)]
pub struct Estate {
    pub account: Option<Declared<Account>>,
    pub users: BTreeMap<UserKey, Declared<User>>,
    pub roles: BTreeMap<RoleKey, Declared<Role>>,
    pub partnerships: BTreeMap<PartnershipKey, Declared<Partnership>>,
    pub customers: BTreeMap<CustomerKey, Declared<Customer>>,
    pub delegated_access: BTreeMap<DelegatedAccessKey, Declared<DelegatedAccess>>,
    pub waivers: BTreeMap<Name, Declared<Waiver>>,
    pub access_tests: BTreeMap<Name, Declared<AccessTest>>,
}

impl Estate {
    /// The customers that a selector selects: never one whose relationship is over.
    pub fn selected<'a>(
        &'a self,
        selector: &'a Selector,
    ) -> impl Iterator<Item = (&'a CustomerKey, &'a Declared<Customer>)> {
        self.customers.iter().filter(|(name, customer)| {
            customer.spec.relationship == super::customer::Relationship::Reseller
                && selector.selects(name, &customer.metadata.labels)
        })
    }
}
