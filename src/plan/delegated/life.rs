//! The life of what holds a seat: asked for, approved, mapped, extended, and taken over by the next
//! one before it ends.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::ending::{self, Ending, Fate};
use super::grants::{Beside, Mapped};
use super::seat::{Relation, Seat};
use super::wanted::{Wanted, extension_word, listed, without_global, words};
use super::{cost, grants, unwanted};
use crate::model::directory_role::{DirectoryRole, GLOBAL_ADMINISTRATOR};
use crate::model::record::ObjectKey;
use crate::model::tenant::{DelegationStatus as Status, RelationshipId};
use crate::plan::change::Change;
use crate::plan::compare::Same;
use crate::plan::draft::{report, whole};
use crate::plan::effect::Effect;
use crate::plan::gather::{Gather, seen};
use crate::plan::record::{HeldBy, SeatNow};
use crate::plan::roles::few;
use crate::plan::step::{Asks, Cause, Cost, FieldChange, Guard, State, Verb};
use crate::plan::target::is_meant;

pub(crate) const DURATION: &str = "spec.duration";
pub(crate) const EXTENSION: &str = "spec.autoExtend";
/// The roles of a relationship; not a field of a document, which speaks of grants.
pub(crate) const ROLES: &str = "spec.grants";
/// Where a relationship stands, as guards ask for it.
pub(crate) const STATUS: &str = "status";
/// For so long may a customer approve what was asked.
const PENDING: SignedDuration = SignedDuration::from_hours(90 * 24);

pub(super) fn plan<'a>(gather: &mut Gather<'a>, seat: &Seat<'a>, wanted: &Wanted<'a>) {
    let (steps, reports) = (gather.drafts.steps.len(), gather.drafts.report.len());
    let (mapped, main) = stage(gather, seat, wanted);
    let key = &seat.subject.key;
    let is_quiet = gather.drafts.steps.len() == steps
        && !gather.drafts.report.iter().skip(reports).any(|one| is_open(one.state));
    match seat.living.as_slice() {
        [one] if mapped.is_whole && is_quiet => {
            gather.bound.delegated.insert(key.clone(), one.id.clone());
        }
        // It is neither as declared, nor forgotten.
        _ => {
            gather.remains.open.insert(key.clone());
        }
    }
    hold(gather, steps, &seat.living, main);
    let relationships = seat.living.iter().map(|one| (one.id.clone(), one.hold)).collect();
    let now = SeatNow { relationships, fields: mapped.fields };
    gather.remains.seats.insert(key.clone(), now);
}

/// Lets the steps from one on say what holds their seat, but for what they end.
pub(super) fn hold(
    gather: &mut Gather<'_>,
    from: usize,
    living: &[Relation<'_>],
    main: Option<&RelationshipId>,
) {
    let steps = gather.drafts.steps.iter().skip(from);
    let ended: Vec<RelationshipId> = steps.filter_map(|step| step.change.ends()).cloned().collect();
    let stay = living.iter().filter(|one| !ended.contains(one.id));
    let relationships = stay.map(|one| (one.id.clone(), one.hold)).collect();
    let held_by = HeldBy { relationships, main: main.cloned() };
    for step in gather.drafts.steps.iter_mut().skip(from) {
        step.held_by = Some(held_by.clone());
    }
}

/// Whether something is still to come about, where this is told. What others have beside us, and what is
/// left to them, keeps nothing from being as declared.
fn is_open(state: State) -> bool {
    !matches!(state, State::Unmanaged | State::Ignored | State::Foreign)
}

/// What of a seat's relationships stands where.
struct Standing<'s, 'a> {
    active: Vec<&'s Relation<'a>>,
    coming: Vec<&'s Relation<'a>>,
    going: Vec<&'s Relation<'a>>,
    odd: Vec<&'s Relation<'a>>,
}

impl<'s, 'a> Standing<'s, 'a> {
    fn of(seat: &'s Seat<'a>) -> Self {
        let mut standing =
            Self { active: Vec::new(), coming: Vec::new(), going: Vec::new(), odd: Vec::new() };
        for one in &seat.living {
            let place = match one.found.status {
                Status::Active => &mut standing.active,
                Status::Created
                | Status::ApprovalPending
                | Status::Approved
                | Status::Activating => &mut standing.coming,
                Status::Expiring
                | Status::TerminationRequested
                | Status::Terminating
                | Status::Expired
                | Status::Terminated => &mut standing.going,
                Status::Other(_) => &mut standing.odd,
            };
            place.push(one);
        }
        standing
    }
}

/// Whether what is on its way will do: what a customer is shown is just what is declared.
fn will_do(one: &Relation<'_>, wanted: &Wanted<'_>) -> bool {
    let is_shown = one.found.status == Status::ApprovalPending;
    serves(one, wanted) && (!is_shown || one.found.roles == wanted.roles)
}

/// Whether a relationship can hold all that is wanted, for as long.
fn serves(one: &Relation<'_>, wanted: &Wanted<'_>) -> bool {
    one.found.roles.is_superset(&wanted.roles)
        && one.found.duration_days.is_none_or(|days| days == wanted.days())
}

/// What is mapped as declared, and in which relationship.
fn stage<'a>(
    gather: &mut Gather<'a>,
    seat: &Seat<'a>,
    wanted: &Wanted<'a>,
) -> (Mapped, Option<&'a RelationshipId>) {
    let standing = Standing::of(seat);
    for one in &standing.odd {
        let Status::Other(status) = &one.found.status else { continue };
        let message = format!(
            "the relationship {} is `{status}`, which we do not know: nothing is done about it",
            one.found.name
        );
        gather.drafts.say(&seat.subject.key, State::Unrecognised, message);
    }
    let best = standing
        .active
        .iter()
        .copied()
        .max_by_key(|one| (serves(one, wanted), one.found.ends_at, one.found.activated_at));
    let Some(best) = best else {
        without_any(gather, seat, wanted, &standing);
        return (Mapped::default(), None);
    };
    let mapped = grants::plan(gather, seat, wanted, best);
    in_place(gather, seat, wanted, best);
    if wanted.roles.is_empty() {
        let message =
            format!("{NOBODY_LEFT}: {} stays, and gives nobody anything", best.found.name);
        gather.drafts.say(&seat.subject.key, State::Held, message);
    }
    for one in standing.active.iter().filter(|one| one.id != best.id) {
        superseded(gather, seat, wanted, best, one, mapped.is_whole);
    }
    succession(gather, seat, wanted, best, &standing);
    (mapped, Some(best.id))
}

/// Nothing is active.
fn without_any<'a>(
    gather: &mut Gather<'a>,
    seat: &Seat<'a>,
    wanted: &Wanted<'a>,
    standing: &Standing<'_, 'a>,
) {
    if !standing.coming.is_empty() {
        return coming(gather, seat, wanted, &standing.coming, None);
    }
    if let Some(one) = standing.going.first() {
        let message = format!("the relationship {} is ending", one.found.name);
        return gather.drafts.say(&seat.subject.key, State::Settling, message);
    }
    if !standing.odd.is_empty() {
        return;
    }
    match past(gather, seat) {
        Past::Nothing => request(gather, seat, wanted, Cause::Create),
        Past::Settling => {
            let message = "it was asked for a moment ago, and is not seen yet";
            gather.drafts.say(&seat.subject.key, State::Settling, message);
        }
        Past::RanOut => request(gather, seat, wanted, Cause::Expiry),
        Past::Ended(_) if is_meant(gather.input.revive, &seat.subject.key) => {
            request(gather, seat, wanted, Cause::Create);
        }
        Past::Ended(how) => {
            let message =
                format!("{how}; it is asked for anew with `--revive {}`", seat.subject.key);
            gather.drafts.say(&seat.subject.key, State::Gone, message);
        }
    }
}

/// What became of what held a seat that nothing holds.
enum Past {
    Nothing,
    Settling,
    /// By itself: at its end, or because nobody approved it in time.
    RanOut,
    /// By somebody.
    Ended(String),
}

fn past(gather: &Gather<'_>, seat: &Seat<'_>) -> Past {
    if seat.subject.memory.recorded().is_none() {
        return Past::Nothing;
    }
    let Some(last) = seat.over.last() else {
        if seat.subject.memory.is_settling() {
            return Past::Settling;
        }
        // Requests that nobody approved are not listed for ever.
        let step = approval(&seat.subject.key);
        let asked = gather.input.record.waiting(&seat.subject.key, &step);
        let lapsed = asked.and_then(|asked| asked.waiting.until);
        return match lapsed {
            Some(until) if until <= gather.input.now => Past::RanOut,
            _ => Past::Ended("the relationship is no longer there".to_owned()),
        };
    };
    let name = &last.found.name;
    match (&last.found.status, last.found.activated_at) {
        (Status::Expired, _) => Past::RanOut,
        (_, None) => Past::Ended(format!("the customer declined {name}")),
        (_, Some(_)) => {
            Past::Ended(format!("{name} was ended on the customer's side, or in Partner Center"))
        }
    }
}

/// Requests on their way, and which of them will do.
fn coming<'a>(
    gather: &mut Gather<'a>,
    seat: &Seat<'a>,
    wanted: &Wanted<'a>,
    all: &[&Relation<'a>],
    present: Option<&Relation<'a>>,
) {
    // The latest one that will do; one that was not locked can still be made to.
    let next = all.iter().rev().find(|one| {
        let can_be_made = one.found.status == Status::Created && present.is_none();
        one.found.status.is_moving()
            || !wanted.roles.is_empty() && (will_do(one, wanted) || can_be_made)
    });
    for one in all.iter().filter(|one| next.is_none_or(|next| next.id != one.id)) {
        unneeded(gather, seat, wanted, one);
    }
    match next {
        None => {
            let cause = if present.is_some() { Cause::Change } else { Cause::Create };
            request(gather, seat, wanted, cause);
        }
        Some(one) => match one.found.status {
            Status::Created => lock(gather, seat, wanted, one),
            Status::ApprovalPending => waits(gather, seat, one, present),
            _ => settles(gather, &seat.subject.key, one),
        },
    }
}

/// It was approved, and the service makes it active: minutes.
pub(super) fn settles(gather: &mut Gather<'_>, key: &ObjectKey, one: &Relation<'_>) {
    let mut told = report(
        key,
        State::Waiting,
        "the customer has approved it, and Microsoft is making it active".to_owned(),
    );
    told.awaiting = Some("Microsoft".to_owned());
    told.since = one.found.modified_at;
    gather.drafts.report.push(told);
}

/// A request that will not do.
fn unneeded<'a>(gather: &mut Gather<'a>, seat: &Seat<'a>, wanted: &Wanted<'a>, one: &Relation<'a>) {
    let more: Vec<_> = one.found.roles.difference(&wanted.roles).collect();
    let why = if wanted.roles.is_empty() {
        NOBODY_LEFT.to_owned()
    } else if more.is_empty() {
        "another one is asked for instead".to_owned()
    } else {
        format!("it asks for {}, too, and another one is asked for instead", listed(more))
    };
    unwanted::drop_request(gather, &seat.subject, one, &why, Cause::Change);
}

const NOBODY_LEFT: &str = "all roles that it grants something to have expired";

/// The end of the time in which a customer may approve what was asked.
pub(super) fn lapses_at(one: &Relation<'_>) -> Option<Timestamp> {
    let asked = one.found.modified_at.or(one.found.created_at)?;
    asked.checked_add(PENDING).ok()
}

/// What `confirm` and `invite` call it when a customer is to approve.
fn approval(key: &ObjectKey) -> String {
    format!("{key}/approve")
}

fn waits(
    gather: &mut Gather<'_>,
    seat: &Seat<'_>,
    one: &Relation<'_>,
    present: Option<&Relation<'_>>,
) {
    let key = &seat.subject.key;
    let customer = &seat.customer.spec;
    let stays = present.map(|present| {
        let end = present.found.ends_at.map(day).unwrap_or_default();
        format!("; until then {} stays, which ends on {end}", present.found.name)
    });
    let mut told = report(
        key,
        State::Waiting,
        format!(
            "{} is to approve delegated access{}",
            customer.company_name,
            stays.unwrap_or_default()
        ),
    );
    let approve = format!(
        "{}/AdminPortal/Home#/partners/invitation/granularAdminRelationships/{}",
        gather.input.admin, one.id.0
    );
    told.link = Some(approve);
    told.since = one.found.modified_at.or(one.found.created_at);
    told.until = lapses_at(one);
    told.step = Some(approval(key));
    told.asks = Some(Asks {
        roles: one.found.roles.iter().map(|role| DirectoryRole(*role).to_string()).collect(),
        days: one.found.duration_days,
        extends: one.found.auto_extend_days > 0,
    });
    told.awaiting = Some(format!("a global admin of {}", customer.domain));
    told.instructions = Some(format!(
        "Send the link (`partnerctl invite {key}` writes the mail); a global admin of {} opens it, reviews the roles and approves.",
        customer.domain
    ));
    gather.drafts.report.push(told);
}

pub(super) fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// Asks the customer for a relationship.
fn request<'a>(gather: &mut Gather<'a>, seat: &Seat<'a>, wanted: &Wanted<'a>, cause: Cause) {
    let company = &seat.customer.spec.company_name;
    if wanted.roles.is_empty() {
        let message = format!("{NOBODY_LEFT}, so the customer is not asked");
        return gather.drafts.say(&seat.subject.key, State::Held, message);
    }
    if seat.customer.metadata.has_expired(gather.input.today) {
        let message = "the customer's last day has passed, so it is not asked";
        return gather.drafts.say(&seat.subject.key, State::Held, message);
    }
    let name = &seat.customer.metadata.name;
    let binding = gather.bound.customers.get(name.as_str());
    if binding.is_none_or(|binding| binding.live().is_none()) {
        let message = "it is asked for once the customer has accepted our invitation";
        return gather.drafts.say(&seat.subject.key, State::Held, message);
    }
    let is_first = seat.living.is_empty();
    let name = seat.next_name();
    let fields = asked_for(wanted, cause);
    let change = Change::RequestDelegation {
        name: name.clone(),
        customer: seat.tenant,
        days: wanted.days(),
        roles: wanted.roles.clone(),
        extend_days: wanted.extend_days(),
    };
    let (what, verb, summary) = if is_first {
        ("create", Verb::Create, format!("ask {company} to approve delegated access"))
    } else {
        ("replace", Verb::Request, format!("ask {company} to approve delegated access anew"))
    };
    let mut step = seat.subject.step(what, verb, summary, fields, change);
    step.guard.absent = Some(name);
    gather.push(step, Effect::Nothing);
}

/// Asks for the approval of one that was made and not locked.
fn lock<'a>(gather: &mut Gather<'a>, seat: &Seat<'a>, wanted: &Wanted<'a>, one: &Relation<'a>) {
    let found = one.found;
    let mut fields = Vec::new();
    let change = |path: &str, before: Value, after: Value| {
        (before != after).then(|| whole(path, before, after, Cause::Change))
    };
    let days = found.duration_days.map_or(Value::Null, |days| format!("P{days}D").into());
    fields.extend(change(DURATION, days, format!("P{}D", wanted.days()).into()));
    fields.extend(change(
        EXTENSION,
        extension_word(found.auto_extend_days),
        extension_word(wanted.extend_days()),
    ));
    fields.extend(change(ROLES, words(&found.roles), words(&wanted.roles)));
    let mut needs = Vec::new();
    if !fields.is_empty() {
        let sent = Change::UpdateDelegation {
            relationship: one.id.clone(),
            days: Some(wanted.days()),
            roles: Some(wanted.roles.clone()),
            extend_days: Some(wanted.extend_days()),
        };
        let summary = format!("correct the request to {}", seat.customer.spec.company_name);
        let guard = guard(one, seen(&fields));
        let mut step = seat.subject.step("correct", Verb::Update, summary, fields, sent);
        step.guard = guard;
        needs.push(step.id.clone());
        gather.push(step, Effect::Nothing);
    }
    let sent = Change::LockDelegation { relationship: one.id.clone() };
    let summary = format!("ask {} to approve delegated access", seat.customer.spec.company_name);
    // Nothing of it is asked for yet, whatever the draft says: this step asks, for just this.
    let asked = asked_for(wanted, Cause::Change);
    let guard = guard(one, asked.iter().map(|one| (one.path.clone(), one.after.clone())).collect());
    let mut step = seat.subject.step("request", Verb::Request, summary, asked, sent);
    step.guard = guard;
    step.depends_on = needs;
    gather.push(step, Effect::Nothing);
}

/// What a customer is asked to approve.
fn asked_for(wanted: &Wanted<'_>, cause: Cause) -> Vec<FieldChange> {
    vec![
        whole(DURATION, Value::Null, format!("P{}D", wanted.days()).into(), cause),
        whole(EXTENSION, Value::Null, extension_word(wanted.extend_days()), cause),
        whole(ROLES, Value::Null, words(&wanted.roles), cause),
    ]
}

/// What must still be so of a relationship that is changed.
pub(super) fn guard(one: &Relation<'_>, mut fields: BTreeMap<String, Value>) -> Guard {
    fields.insert(STATUS.to_owned(), status_word(&one.found.status).into());
    Guard { remote_id: Some(one.id.0.clone()), seen: fields, ..Guard::default() }
}

/// As the service writes it.
pub fn status_word(status: &Status) -> &str {
    match status {
        Status::Created => "created",
        Status::ApprovalPending => "approvalPending",
        Status::Approved => "approved",
        Status::Activating => "activating",
        Status::Active => "active",
        Status::Expiring => "expiring",
        Status::Expired => "expired",
        Status::TerminationRequested => "terminationRequested",
        Status::Terminating => "terminating",
        Status::Terminated => "terminated",
        Status::Other(other) => other,
    }
}

/// What can be changed of an active one, is.
fn in_place<'a>(gather: &mut Gather<'a>, seat: &Seat<'a>, wanted: &Wanted<'a>, one: &Relation<'a>) {
    let has_global = one.found.roles.contains(&GLOBAL_ADMINISTRATOR.0);
    let roles = without_global(&one.found.roles);
    // A relationship has a role, at least; and whoever is back tomorrow would have to ask for it anew.
    let drops = has_global && !roles.is_empty() && !wanted.declares(GLOBAL_ADMINISTRATOR.0);
    let mut needs = Vec::new();
    if drops && !seat.subject.memory.ignores(ROLES) {
        let fields = vec![FieldChange {
            path: ROLES.to_owned(),
            before: words(&one.found.roles),
            after: words(&roles),
            cause: Cause::Change,
            applied: None,
        }];
        let sent = Change::UpdateDelegation {
            relationship: one.id.clone(),
            days: None,
            roles: Some(roles),
            extend_days: None,
        };
        let guard = guard(one, seen(&fields));
        let summary =
            format!("give Global Administrator of {} back", seat.customer.spec.company_name);
        let mut step =
            seat.subject.step("revoke/global-administrator", Verb::Revoke, summary, fields, sent);
        step.guard = guard;
        step.cost = cost::of(&step.change, one.found, &gather.input.snapshot.groups);
        // It goes from the groups first: with the relationship's, theirs goes too.
        step.depends_on = gather
            .drafts
            .steps
            .iter()
            .filter(|other| other.change.relationship() == Some(one.id))
            .map(|other| other.id.clone())
            .collect();
        needs.push(step.id.clone());
        gather.push(step, Effect::Nothing);
    }
    let verdict = seat.subject.memory.field(
        EXTENSION,
        &extension_word(wanted.extend_days()),
        &extension_word(one.found.auto_extend_days),
        Same::Exactly,
    );
    let Some(change) = gather.drafts.heed(&seat.subject.key, EXTENSION, verdict) else { return };
    if has_global && !drops && wanted.extend_days() > 0 {
        let message = "it cannot extend itself while Global Administrator is among its roles";
        return gather.drafts.say(&seat.subject.key, State::Held, message);
    }
    let guard = guard(one, seen(std::slice::from_ref(&change)));
    let sent = Change::UpdateDelegation {
        relationship: one.id.clone(),
        days: None,
        roles: None,
        extend_days: Some(wanted.extend_days()),
    };
    let company = &seat.customer.spec.company_name;
    let summary = if wanted.extend_days() > 0 {
        format!("let delegated access to {company} extend itself")
    } else {
        format!("let delegated access to {company} end at its end")
    };
    let mut step = seat.subject.step("update", Verb::Update, summary, vec![change], sent);
    step.guard = guard;
    step.depends_on = needs;
    step.cost = cost::of(&step.change, one.found, &gather.input.snapshot.groups);
    gather.push(step, Effect::Nothing);
}

/// An older one beside the one that took over: it ends when everything that it gives is given.
fn superseded<'a>(
    gather: &mut Gather<'a>,
    seat: &Seat<'a>,
    wanted: &Wanted<'a>,
    best: &Relation<'a>,
    one: &Relation<'a>,
    is_mapped: bool,
) {
    let (old, new) = (&one.found.name, &best.found.name);
    match grants::beside(gather, seat, wanted, best, one) {
        Beside::Replaced if is_mapped => {}
        Beside::Others(groups) if is_mapped => {
            let until = one.found.ends_at.map(|at| format!(" until it ends on {}", day(at)));
            let message = format!(
                "{old} stays beside {new}{}, because groups that no grant names have roles by it: {}; name them in a grant, take those roles in Partner Center, or end it there",
                until.unwrap_or_default(),
                few(&groups)
            );
            return gather.drafts.say(&seat.subject.key, State::Unmanaged, message);
        }
        _ => {
            let message = format!("{old} stays until {new} gives all that it gives");
            return gather.drafts.say(&seat.subject.key, State::Held, message);
        }
    }
    let mut step = unwanted::termination(&seat.subject, &seat.series, one, Cause::Change);
    step.summary =
        format!("end {old} with {}, which {new} has replaced", seat.customer.spec.company_name);
    // Nobody loses anything by it: whatever it gives to whomever, the other one gives.
    step.irreversible = None;
    step.cost = Cost { customer: step.cost.customer, ..Cost::default() };
    gather.push(step, Effect::Nothing);
}

/// Whether the customer said no to just what is wanted, after it had approved what is there.
fn declined(seat: &Seat<'_>, wanted: &Wanted<'_>, best: &Relation<'_>) -> bool {
    seat.over.iter().any(|one| {
        one.found.status == Status::Terminated
            && one.found.created_at > best.found.created_at
            && one.found.roles == wanted.roles
            && one.found.duration_days == Some(wanted.days())
    })
}

/// Whether a next one is due, and how it stands.
fn succession<'a>(
    gather: &mut Gather<'a>,
    seat: &Seat<'a>,
    wanted: &Wanted<'a>,
    best: &Relation<'a>,
    standing: &Standing<'_, 'a>,
) {
    let now = gather.input.now;
    let ahead = SignedDuration::from_hours(
        i64::from(wanted.template.spec.renew_before.0).saturating_mul(24),
    );
    let from = best.found.ends_at.and_then(|end| end.checked_sub(ahead).ok());
    let is_near = from.is_some_and(|from| from <= now);
    let extends = if seat.subject.memory.ignores(EXTENSION) {
        best.found.auto_extend_days > 0
    } else {
        wanted.extend_days() > 0 && !best.found.roles.contains(&GLOBAL_ADMINISTRATOR.0)
    };
    let is_other = !serves(best, wanted);
    // One that will do was asked for before this one was approved.
    let is_asked = || standing.coming.iter().any(|one| will_do(one, wanted));
    let is_due =
        is_near && (is_other || !extends) || is_other && (wanted.replaces_now() || is_asked());
    let is_declined = is_due && standing.coming.is_empty() && declined(seat, wanted, best);
    let stays = is_declined && !is_meant(gather.input.revive, &seat.subject.key);
    ending::note(
        gather,
        Ending {
            object: Some(seat.subject.key.clone()),
            name: best.found.name.clone(),
            customer: seat.customer.spec.company_name.to_string(),
            ends_at: best.found.ends_at,
            fate: if wanted.roles.is_empty() {
                Fate::Empty
            } else if stays {
                Fate::Declined
            } else if is_due && standing.coming.is_empty() {
                Fate::RenewNow
            } else if is_due {
                Fate::Renewed
            } else if extends {
                Fate::Extends
            } else if wanted.roles.contains(&GLOBAL_ADMINISTRATOR.0) {
                Fate::CannotExtend { from }
            } else {
                Fate::Ends { from }
            },
        },
    );
    if is_due && !wanted.roles.is_empty() {
        return match standing.coming.as_slice() {
            [] if stays => {
                let end = best.found.ends_at.map(|at| format!(" until it ends on {}", day(at)));
                let message = format!(
                    "the customer declined the next one, and {} stays{}; it is asked for anew with `--revive {}`",
                    best.found.name,
                    end.unwrap_or_default(),
                    seat.subject.key
                );
                gather.drafts.say(&seat.subject.key, State::Gone, message);
            }
            [] => {
                let cause = if is_other { Cause::Change } else { Cause::Expiry };
                request(gather, seat, wanted, cause);
            }
            all => coming(gather, seat, wanted, all, Some(best)),
        };
    }
    for one in &standing.coming {
        unwanted::drop_request(gather, &seat.subject, one, "what is there will do", Cause::Change);
    }
    if is_other {
        let missing: Vec<_> = wanted.roles.difference(&best.found.roles).collect();
        let when = from.map_or_else(
            || "its renewal".to_owned(),
            |from| format!("its renewal from {} on", day(from)),
        );
        let message = if missing.is_empty() {
            format!(
                "{DURATION}: another duration waits for {when}; `replace: now` asks the customer at once"
            )
        } else {
            format!(
                "{} cannot be added to what the customer approved, and waits for {when}; `replace: now` asks the customer at once",
                listed(missing)
            )
        };
        gather.drafts.say(&seat.subject.key, State::Held, message);
    }
}
