//! Seats that nobody declares any more: a template that is gone or over, a customer that it selects no
//! longer. What we made ends; what was there before us is let go.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::cost;
use super::life::{ROLES, day, guard, hold, lapses_at, settles};
use super::name::Series;
use super::seat::{Relation, Relationships, held, which};
use super::wanted::words;
use crate::model::metadata::{Metadata, OnRemoval};
use crate::model::name::Kind;
use crate::model::record::{ObjectKey, Recorded};
use crate::model::tenant::DelegationStatus as Status;
use crate::plan::change::Change;
use crate::plan::draft::{Subject, whole};
use crate::plan::effect::Effect;
use crate::plan::file::Why;
use crate::plan::gather::{Gather, seen};
use crate::plan::record::{Applied, Hold};
use crate::plan::step::{Cause, State, Step, Verb};

/// Everything that is remembered and not among `taken`.
pub(super) fn plan<'a>(
    gather: &mut Gather<'a>,
    all: &mut Relationships<'a>,
    taken: &BTreeSet<ObjectKey>,
) {
    let record = gather.input.record;
    for (key, recorded) in record.of_kind(Kind::DelegatedAccess) {
        if taken.contains(key) {
            continue;
        }
        let Some((series, living)) = living(gather, all, key, recorded) else { continue };
        let Some(first) = living.first() else { continue };
        all.claimed.extend(living.iter().map(|one| one.id));
        gather.remains.open.insert(key.clone());
        let template = key.name.split('/').next().unwrap_or_default();
        let declared = gather.input.estate.delegated_access.get(template);
        let has_expired = declared.is_some_and(|one| one.metadata.has_expired(gather.input.today));
        if !gather.input.is_complete && !has_expired {
            continue;
        }
        let subject = subject(gather, key, recorded, declared.map(|one| &*one.metadata));
        if recorded.managed.is_protected && !has_expired {
            gather.drafts.refuse(
                Why::Guard,
                format!("`{key}` is protected, and nothing declares it any more"),
                "bring the document or the customer's label back, or first apply it with `protect: false`",
            );
            continue;
        }
        let releases = Applied::read(&recorded.managed.spec).on_removal.as_deref()
            == Some(OnRemoval::Release.word());
        if releases {
            let message = format!(
                "{} is let go, as its document said: it goes on until it ends",
                first.found.name
            );
            gather.drafts.say(key, State::Unmanaged, message);
            gather.remains.open.remove(key);
            continue;
        }
        if living.iter().all(|one| one.hold == Hold::Adopted) {
            // There is nothing left that would have to be ended some day.
            gather.remains.open.remove(key);
        }
        let steps = gather.drafts.steps.len();
        let cause = if has_expired { Cause::Expiry } else { Cause::Remove };
        for one in &living {
            end(gather, &subject, &series, one, cause);
        }
        hold(gather, steps, &living, None);
    }
}

fn subject<'a>(
    gather: &Gather<'a>,
    key: &ObjectKey,
    recorded: &'a Recorded,
    metadata: Option<&'a Metadata>,
) -> Subject<'a> {
    let mut subject = Subject::gone(gather.input, key, recorded);
    let template = metadata
        .and_then(|metadata| gather.input.estate.delegated_access.get(metadata.name.as_str()));
    subject.source = template.and_then(|one| (gather.input.source_of)(one.origin));
    subject
}

/// What still holds a seat that was remembered, but for what another seat has by now.
fn living<'a>(
    gather: &Gather<'a>,
    all: &Relationships<'a>,
    key: &ObjectKey,
    recorded: &Recorded,
) -> Option<(Series, Vec<Relation<'a>>)> {
    let known: BTreeMap<_, _> = held(recorded).collect();
    let tenant = known.keys().find_map(|id| gather.input.snapshot.delegated.get(id)?.customer)?;
    let template = key.name.split('/').next().unwrap_or_default();
    let series = Series::new(template, tenant);
    let mut found = all.of_seat(tenant, Some(recorded), std::slice::from_ref(&series));
    found.retain(|one| !one.found.status.is_over() && !all.claimed.contains(one.id));
    Some((series, found))
}

fn end<'a>(
    gather: &mut Gather<'a>,
    subject: &Subject<'a>,
    series: &Series,
    one: &Relation<'a>,
    cause: Cause,
) {
    let name = &one.found.name;
    if one.hold == Hold::Adopted {
        let message =
            format!("nothing declares {name} any more, and it was there before us: it is let go");
        return gather.drafts.say(&subject.key, State::Unmanaged, message);
    }
    match one.found.status {
        Status::Active => {
            let step = termination(subject, series, one, cause);
            gather.push(step, Effect::Nothing);
        }
        Status::Created | Status::ApprovalPending => {
            drop_request(gather, subject, one, "nothing declares it any more", cause);
        }
        Status::Approved | Status::Activating => settles(gather, &subject.key, one),
        Status::Expiring
        | Status::Expired
        | Status::TerminationRequested
        | Status::Terminating
        | Status::Terminated => {}
        Status::Other(_) => {
            let message = format!("{name} stands in a way that we do not know: nothing is done");
            gather.drafts.say(&subject.key, State::Unrecognised, message);
        }
    }
}

/// A request that is not wanted: before anybody was asked it is deleted, afterwards nothing takes it
/// back.
pub(super) fn drop_request<'a>(
    gather: &mut Gather<'a>,
    subject: &Subject<'a>,
    one: &Relation<'a>,
    why: &str,
    cause: Cause,
) {
    let name = &one.found.name;
    if one.found.status != Status::Created {
        let until = lapses_at(one).map(|at| format!(" on {}", day(at))).unwrap_or_default();
        let message = format!(
            "{why}: {name} cannot be withdrawn, and lapses{until} unless the customer approves it"
        );
        return gather.drafts.say(&subject.key, State::Final, message);
    }
    let fields = vec![whole(ROLES, words(&one.found.roles), Value::Null, cause)];
    let guard = guard(one, BTreeMap::new());
    let sent = Change::DeleteDelegation { relationship: one.id.clone() };
    let summary = format!("delete the request {name}, of which nobody knows yet");
    let what = format!("delete/{}", one.id.0);
    let mut step = subject.step(&what, Verb::Delete, summary, fields, sent);
    step.guard = guard;
    gather.push(step, Effect::Nothing);
}

/// The end of an active relationship, for good.
pub(super) fn termination(
    subject: &Subject<'_>,
    series: &Series,
    one: &Relation<'_>,
    cause: Cause,
) -> Step {
    let fields = vec![whole(ROLES, words(&one.found.roles), Value::Null, cause)];
    let sent = Change::TerminateDelegation { relationship: one.id.clone() };
    let customer = subject.key.name.split('/').nth(1).unwrap_or_default().to_owned();
    let summary = format!("end delegated access to {customer}");
    let guard = guard(one, seen(&fields));
    let mut step =
        subject.step(&format!("end/{}", which(series, one)), Verb::End, summary, fields, sent);
    step.guard = guard;
    step.irreversible =
        Some("only the customer can bring it back, by approving a new request".to_owned());
    step.cost = cost::of(&step.change, one.found, &BTreeMap::new());
    step
}
