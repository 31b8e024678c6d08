//! Delegated access: a template with each customer that it selects is a seat, and a seat is held by
//! one relationship; by two, while one takes over from the other.
//!
//! `wanted` says what a template asks for, `seat` which relationships hold a seat, `life` what is to
//! be done about them, `grants` which group may do what by one that is active, `unwanted` what becomes
//! of seats that nobody declares any more, `name` what relationships are called.

pub(super) mod cost;
mod ending;
mod given;
mod grants;
mod life;
mod name;
mod seat;
mod unwanted;
mod wanted;

use std::collections::BTreeMap;

use serde_json::Value;

pub use ending::{Ending, Fate};
pub(super) use given::Given;

use super::draft::report;
use super::gather::Gather;
use super::roles::few;
use super::step::State;
use crate::model::delegated_access::DelegatedAccess;
use crate::model::estate::CustomerIndex;
use crate::model::name::Kind;
use crate::model::record::ObjectKey;
pub use life::status_word;
pub(crate) use life::{DURATION, EXTENSION, ROLES, STATUS};
#[cfg(test)]
pub(crate) use name::Series;
pub(crate) use name::generation_of;
use seat::Relationships;
use wanted::Wanted;
pub(crate) use wanted::{extension_days, extension_word, is_grant, words};

pub(super) fn plan(gather: &mut Gather<'_>) {
    let estate = gather.input.estate;
    let is_remembered = gather.input.record.of_kind(Kind::DelegatedAccess).next().is_some();
    if estate.delegated_access.is_empty() && !is_remembered {
        return;
    }
    let index = CustomerIndex::of(estate, |_| true);
    let mut all = Relationships::of(gather);
    // Memory and names come before what might be taken over.
    let mut templates = Vec::new();
    for declared in estate.delegated_access.values() {
        let wanted = Wanted::of(gather, declared);
        if wanted.is_wanted(gather) {
            let found = seat::seats(gather, &index, &mut all, &wanted);
            templates.push((wanted, found));
        }
    }
    let mut taken = std::collections::BTreeSet::new();
    for (wanted, found) in &mut templates {
        gather.remains.open.extend(found.nowhere.iter().cloned());
        taken.extend(found.nowhere.drain(..));
        for seat in &mut found.seats {
            taken.insert(seat.subject.key.clone());
            taken.extend(seat.subject.memory.recorded().map(|known| known.managed.key.clone()));
            if seat::adopt(gather, &mut all, wanted, seat) {
                life::plan(gather, seat, wanted);
            }
        }
    }
    unwanted::plan(gather, &mut all, &taken);
    others(gather, &all);
    ending::others(gather, &all);
}

/// Relationships that no template speaks of.
fn others(gather: &mut Gather<'_>, all: &Relationships<'_>) {
    let (mut names, mut consents) = (Vec::new(), Vec::new());
    for (id, found) in &gather.input.snapshot.delegated {
        let is_elsewhere =
            || gather.input.record.managed_elsewhere(Kind::DelegatedAccess, &id.0).is_some();
        if found.status.is_over() || all.claimed.contains(id) || is_elsewhere() {
            continue;
        }
        if found.awaits_our_consent {
            consents.push(found.name.clone());
        }
        names.push(found.name.clone());
    }
    gather.unmanaged(
        [
            "delegated access relationship that no manifest declares",
            "delegated access relationships that no manifest declares",
        ],
        &names,
    );
    let account = gather.input.estate.account.as_ref().filter(|_| !consents.is_empty());
    if let Some(account) = account {
        let object = ObjectKey::new(Kind::Account, account.metadata.name.as_str());
        let message = format!(
            "a provider asks for our own consent to delegated access: {}; answer in Partner Center",
            few(&consents)
        );
        gather.drafts.report.push(report(&object, State::Foreign, message));
    }
}

/// The names of what a template has with a customer.
#[cfg(test)]
pub(crate) fn series(template: &str, tenant: crate::model::id::TenantId) -> Series {
    Series::new(template, tenant)
}

/// What a template says, as the ledger keeps it of each seat.
pub(super) fn declared(template: &DelegatedAccess) -> BTreeMap<String, Value> {
    let mut fields = BTreeMap::from([
        (DURATION.to_owned(), template.duration.to_string().into()),
        (EXTENSION.to_owned(), template.auto_extend.word().into()),
    ]);
    for grant in &template.grants {
        let roles = grant.directory_roles.iter().map(|role| role.0).collect();
        fields.insert(wanted::path_of(grant.to.as_str()), words(&roles));
    }
    fields
}
