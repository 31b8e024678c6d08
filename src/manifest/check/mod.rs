//! What is right for the domain: small functions over the estate, each pushing what it finds.
//!
//! They know names and fields, not lines: where a field stands is looked up for what is reported.

mod account;
mod customers;
mod delegated_access;
mod guards;
mod identity;
mod partnerships;
mod references;
mod roles;
mod tests_of_access;
mod users;
pub(crate) mod waivers;

use std::collections::BTreeSet;
use std::fmt::Display;

use super::code::Code;
use super::draft::{Draft, On, Step, Where};
use crate::model::estate::{Declared, Estate, Origin};
use crate::model::name::{Kind, Name};
use crate::model::project::Project;
use crate::model::scalar::Scalar;
use crate::model::time::Day;

/// What checks look at.
pub(crate) struct World<'a> {
    pub estate: &'a Estate,
    pub broken: &'a BTreeSet<(Kind, Name)>,
    pub project: Option<(&'a Project, Origin)>,
    /// Everything there is was loaded.
    pub complete: bool,
    pub today: Day,
}

impl World<'_> {
    /// Whether what is not here is not there: a part of an estate may leave customers out.
    pub(crate) fn complete_enough(&self) -> bool {
        self.complete || !self.estate.customers.is_empty()
    }

    /// Whether a document that could not be read has this name.
    pub(crate) fn is_broken(&self, kind: Kind, name: &str) -> bool {
        if self.broken.is_empty() {
            return false;
        }
        if kind == Kind::Customer
            && self.broken.iter().any(|(kind, _)| *kind == Kind::CustomerTable)
        {
            // Any customer may be a row of it.
            return true;
        }
        Name::parse(name).is_ok_and(|name| self.broken.contains(&(kind, name)))
    }
}

/// Runs all checks.
pub(crate) fn check(world: &World<'_>, drafts: &mut Vec<Draft>) {
    let checks: &[fn(&World<'_>, &mut Vec<Draft>)] = &[
        account::check,
        users::check,
        roles::check,
        partnerships::check,
        customers::check,
        delegated_access::check,
        tests_of_access::check,
        identity::check,
        guards::check,
    ];
    for check in checks {
        check(world, drafts);
    }
}

/// A finding about a field of a document.
pub(crate) fn at_field<T>(declared: &Declared<T>, path: Vec<Step>) -> Where {
    Where::Field { origin: declared.origin, path, on: On::Value }
}

/// A finding about a key, or about what should stand there.
pub(crate) fn at_key<T>(declared: &Declared<T>, path: Vec<Step>) -> Where {
    Where::Field { origin: declared.origin, path, on: On::Key }
}

/// `kind/name`.
pub(crate) fn object(kind: Kind, name: impl Display) -> String {
    format!("{}/{name}", kind.kebab())
}

/// Something the account's cloud lacks, or may lack.
pub(crate) fn capability(
    world: &World<'_>,
    capability: crate::model::cloud::Capability,
    what: &str,
    at: Where,
) -> Option<Draft> {
    use crate::model::cloud::Availability;
    let cloud = world.estate.account.as_ref()?.spec.cloud;
    match cloud.has(capability) {
        Availability::Yes => None,
        Availability::No => Some(
            Draft::new(Code::P1601, at, format!("the cloud `{cloud}` has no {what}"))
                .help("leave it out here: it cannot exist in that cloud"),
        ),
        Availability::Unverified => Some(
            Draft::new(Code::P1602, at, format!("the cloud `{cloud}` may have no {what}"))
                .help("the documents do not say; try one, or waive this finding once you know"),
        ),
    }
}
