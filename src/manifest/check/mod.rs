//! What is right for the domain: small functions over the estate, each pushing what it finds.
//!
//! They know names and fields, not lines: where a field stands is looked up for what is reported.

mod account;
mod customers;
mod delegated_access;
mod expiry;
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
use super::lost::Lost;
use crate::model::estate::{CustomerIndex, Declared, Estate, Origin};
use crate::model::label::Labels;
use crate::model::name::{Kind, Name};
use crate::model::project::Project;
use crate::model::scalar::Scalar;
use crate::model::time::Day;

/// What checks look at.
#[derive(Debug)]
pub(crate) struct World<'a> {
    pub estate: &'a Estate,
    pub broken: &'a BTreeSet<(Kind, Name)>,
    /// Documents with something wrong in them, as `kind/name`: what is absent there may be meant.
    pub faulty: &'a BTreeSet<String>,
    /// The labels of some customer are not known.
    pub labels_unknown: bool,
    /// The labels of customers that could not be read otherwise.
    pub broken_labels: &'a [Labels],
    pub project: Option<(&'a Project, Origin)>,
    /// Everything there is was loaded.
    pub complete: bool,
    /// What could not be read so far as to know what it declares.
    pub lost: &'a Lost,
    pub today: Day,
    pub customers: CustomerIndex<'a>,
}

impl World<'_> {
    /// Whether what is not here is not there: a part of an estate may leave customers out.
    pub(crate) fn complete_enough(&self) -> bool {
        self.complete || !self.estate.customers.is_empty()
    }

    /// Whether nothing is elsewhere, and nothing could not be read: what is not here is not there.
    pub(crate) fn sees_everything(&self) -> bool {
        self.complete
            && self.lost.is_empty()
            && self.broken.is_empty()
            && self.faulty.is_empty()
            && !self.labels_unknown
    }

    /// Whether a document that could not be read has this name.
    pub(crate) fn is_broken(&self, kind: Kind, name: &str) -> bool {
        // The rows of a table that could not be read could have had any name.
        let is_row = || {
            kind == Kind::Customer
                && self.broken.iter().any(|(kind, _)| *kind == Kind::CustomerTable)
        };
        let is_it = || Name::parse(name).is_ok_and(|name| self.broken.contains(&(kind, name)));
        self.lost.may_hold(name) || !self.broken.is_empty() && (is_row() || is_it())
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
        expiry::check,
        identity::check,
        guards::check,
    ];
    let mark = drafts.len();
    for check in checks {
        check(world, drafts);
    }
    if !world.faulty.is_empty() {
        // A value that is wrong counts as absent while the rest is judged: nobody is told that it
        // is missing.
        let mut judged = drafts.split_off(mark);
        judged.retain(|draft| {
            let faulty = draft.object.as_ref().is_some_and(|object| world.faulty.contains(object));
            !(faulty && speaks_of_absence(draft.code))
        });
        drafts.append(&mut judged);
    }
}

/// Whether a finding may come of a value that is not there.
const fn speaks_of_absence(code: Code) -> bool {
    matches!(
        code,
        Code::P0311
            | Code::P1004
            | Code::P1009
            | Code::P1301
            | Code::P1405
            | Code::P1408
            | Code::P1409
            | Code::P1503
            | Code::P1601
            | Code::P1602
    )
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
    at: impl FnOnce() -> Where,
) -> Option<Draft> {
    use crate::model::cloud::Availability;
    let cloud = world.estate.account.as_ref()?.spec.cloud;
    match cloud.has(capability) {
        Availability::Yes => None,
        Availability::No => Some(
            Draft::new(Code::P1601, at(), format!("the cloud `{cloud}` has no {what}"))
                .help("leave it out: it cannot exist in that cloud"),
        ),
        Availability::Unverified => Some(
            Draft::new(Code::P1602, at(), format!("the cloud `{cloud}` may have no {what}")).help(
                "the documents do not say: try it with one, and waive this finding if it works",
            ),
        ),
    }
}
