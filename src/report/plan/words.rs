//! Sentences that stand in every format.

use jiff::Timestamp;

use super::value;
use super::view::{Entry, Errand, Tally, View};
use crate::model::name::Kind;
use crate::plan::file::{Forecast, Parents, Plan, Rectangle, Refusal, Why};
use crate::plan::limits::Measured;
use crate::plan::step::{Cause, Report, Source, State, Step};

/// So much of the digest names a plan among those that one person has in hand.
const DIGEST_CHARS: usize = 8;

pub(super) fn short_digest(plan: &Plan) -> String {
    let digest = plan.digest.chars().filter(char::is_ascii_hexdigit).take(DIGEST_CHARS);
    let digest: String = digest.collect();
    if digest.is_empty() { "unsealed".to_owned() } else { digest }
}

/// `plan 3f2a9c1d: 4 to create, 12 to change, 2 to take away; nothing is over a limit`.
pub(super) fn summary(view: &View<'_>) -> String {
    format!("plan {}: {}", short_digest(view.plan), gist(view))
}

/// The same without the plan's name.
pub(in crate::report) fn gist(view: &View<'_>) -> String {
    let Tally { all, by_kind: _, irreversible, waiting, held, over, refused, unjudged: _ } =
        &view.tally;
    let mut parts: Vec<String> =
        [(all.create, "to create"), (all.change, "to change"), (all.take_away, "to take away")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
    if parts.is_empty() {
        parts.push("nothing to do".to_owned());
    }
    if *waiting > 0 {
        let verb = if *waiting == 1 { "waits" } else { "wait" };
        parts.push(format!("{waiting} {verb} for people"));
    }
    if *held > 0 {
        parts.push(format!("{held} held back"));
    }
    if *irreversible > 0 {
        parts.push(format!("{irreversible} irreversible"));
    }
    let mut clauses = vec![parts.join(", ")];
    if *refused > 0 {
        clauses.push(format!("{refused} refused"));
    }
    match over.as_slice() {
        [] if view.plan.is_empty() => {}
        [] => clauses.push("nothing is over a limit".to_owned()),
        [one] => clauses.push(format!("over the limit of {one}")),
        [first @ .., last] => {
            clauses.push(format!("over the limits of {} and {last}", first.join(", ")));
        }
    }
    clauses.join("; ")
}

/// `of fabrikam, for fabrikam.onmicrosoft.com`, and what else it was made from.
pub(super) fn parents(plan: &Plan) -> Vec<(&'static str, String)> {
    let Parents { estate, tenant, manifests, policies, commit, ledger, actor, undoes } =
        &plan.parents;
    let short = |digest: &String| value::shown(digest, 200).chars().take(12).collect();
    let told = |text: &Option<String>| text.as_ref().map(|text| value::shown(text, 200));
    [
        ("estate", Some(value::shown(estate, 200))),
        ("undoes", told(undoes)),
        ("tenant", told(tenant)),
        ("observed", Some(moment(plan.observed_at))),
        ("actor", told(actor)),
        ("commit", commit.as_ref().map(short)),
        ("ledger", told(ledger)),
        ("manifests", Some(short(manifests))),
        ("policies", Some(short(policies))),
    ]
    .into_iter()
    .filter_map(|(name, told)| told.filter(|told| !told.trim().is_empty()).map(|told| (name, told)))
    .collect()
}

pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// `since 2026-11-12 (8 days), until 2027-02-10 (82 more)`, counted from when the plan was made.
pub(super) fn span(report: &Report, now: Timestamp) -> Option<String> {
    let days = |from: Timestamp, to: Timestamp| (to.as_second() - from.as_second()) / 86_400;
    let since = report.since.map(|since| {
        format!("since {} ({})", day(since), counted(days(since, now).unsigned_abs(), "day"))
    });
    let until = report.until.map(|until| match days(now, until) {
        left if until < now => {
            format!("until {} ({} ago)", day(until), counted(left.unsigned_abs(), "day"))
        }
        left => format!("until {} ({} left)", day(until), counted(left.unsigned_abs(), "day")),
    });
    match (since, until) {
        (None, None) => None,
        (Some(one), None) | (None, Some(one)) => Some(one),
        (Some(since), Some(until)) => Some(format!("{since}, {until}")),
    }
}

/// `estate/users.yaml:12`.
pub(super) fn place(source: &Source) -> String {
    let file = value::shown(&source.file, 300);
    match source.line {
        Some(line) => format!("{file}:{line}"),
        None => file,
    }
}

/// In which files many are declared.
pub(super) fn places(entry: &Entry<'_>) -> String {
    let mut files: Vec<String> = Vec::new();
    for block in entry.blocks() {
        let file = block.source.map(|source| value::shown(&source.file, 300));
        files.extend(file.filter(|file| !files.contains(file)));
        if files.len() > NAMES_MAX {
            break;
        }
    }
    if files.is_empty() { NOWHERE.to_owned() } else { value::listed(&files, 2) }
}

/// Where something is declared whose document is gone.
pub(super) const NOWHERE: &str = "declared nowhere";

/// By whom a step is denied, and why.
pub(super) fn denied(step: &Step) -> String {
    let by: Vec<String> =
        step.authorisation.policies.iter().map(|id| value::shown(id, 200)).collect();
    let by = match by.as_slice() {
        [] => "by default: no policy permits it".to_owned(),
        _ => format!("by {}", value::listed(&by, NAMES_MAX)),
    };
    match &step.authorisation.reason {
        Some(reason) => format!("{by}: {}", value::shown(reason, 400)),
        None => by,
    }
}

/// What a step does, in a sentence.
pub(super) fn step(step: &Step) -> String {
    let summary = value::shown(&step.summary, 400);
    if summary.trim().is_empty() { step.verb.word().to_owned() } else { summary }
}

/// Whether a step gives what limits call a privilege: a word for whoever looks for those first.
pub(super) fn privileged(step: &Step) -> Option<&'static str> {
    (step.cost.privileged_grants > 0).then_some("privileged")
}

/// Those for whom one errand is: `312 customers (adatum, contoso, …)`.
pub(super) fn all_of(errand: &Errand<'_>) -> String {
    let names = errand.all().take(NAMES_MAX).map(|report| value::shown(&report.object.name, 140));
    let count = errand.count();
    let dots = if count > NAMES_MAX as u64 { ", …" } else { "" };
    let names = names.collect::<Vec<_>>().join(", ");
    format!("{} ({names}{dots})", of_kind(errand.first.object.kind, count))
}

/// The step of a refusal, where its message does not name it already.
pub(super) fn refused_step(refusal: &Refusal) -> Option<&str> {
    refusal.step.as_deref().filter(|step| !refusal.message.contains(step))
}

pub(in crate::report) const fn why(why: Why) -> &'static str {
    match why {
        Why::Policy => "policy",
        Why::Guard => "guard",
        Why::Limit => "limit",
        Why::Manifest => "manifest",
    }
}

/// What a cause means, for a legend.
pub(super) const fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Change => "the manifests were edited",
        Cause::Drift => "the tenant was edited; it goes back to what is declared",
        Cause::Both => "both were edited",
        Cause::Adopt => "it exists already and is taken over",
        Cause::Expiry => "its last day has passed",
        Cause::Create => "it is made",
        Cause::Remove => "its document is gone",
        Cause::Undo => "a run is taken back",
    }
}

/// What a state means, as a heading.
pub(super) const fn state(state: State) -> &'static str {
    match state {
        State::Waiting => "waiting for people",
        State::Held => "held until something else is done",
        State::Gone => "gone: removed in the tenant by others",
        State::Settling => "settling: written a moment ago, not seen yet",
        State::Foreign => "foreign: kept by something else, left alone",
        State::Unmanaged => "unmanaged: declared nowhere, left alone",
        State::Ignored => "ignored, as the manifests ask",
        State::Unrecognised => "unrecognised, left alone",
        State::Final => "final: cannot be undone",
        State::Stale => "stale: changed since by others, left as it is",
    }
}

/// How much of a limit is used: `6 of 5`.
pub(super) fn used(measured: &Measured) -> String {
    let used = measured.planned + measured.spent;
    match (bound(measured), measured.count, measured.percent) {
        (Some(bound), ..) => format!("{used} of {bound}"),
        (None, None, None) => format!("{used}, no limit"),
        // A percentage of nothing limits nothing.
        (None, ..) => used.to_string(),
    }
}

/// The most that may be: the smaller of a count and a percentage of what is managed.
pub(super) fn bound(measured: &Measured) -> Option<u64> {
    let Measured { count, percent, managed, .. } = *measured;
    let share = percent.filter(|_| managed > 0).map(|percent| managed * u64::from(percent) / 100);
    [count.map(u64::from), share].into_iter().flatten().min()
}

/// Where that comes from: `4 planned and 2 before; at most 5, or 10 % of 120`.
pub(super) fn behind(measured: &Measured) -> String {
    let Measured { planned, spent, managed: _, count, percent, exceeded: _ } = *measured;
    let before = if spent > 0 { format!(" and {spent} before") } else { String::new() };
    let most = match (count, percent) {
        (None, None) => String::new(),
        _ => format!("; at most {}", measured.allowance()),
    };
    format!("{planned} planned{before}{most}")
}

/// What policy was not asked, if it was not.
pub(super) fn unjudged(tally: &Tally) -> Option<String> {
    let (count, reason) = tally.unjudged.as_ref()?;
    let steps = counted(*count, "step");
    Some(format!("policy was not asked about {steps}: {}", value::shown(reason, 400)))
}

pub(super) fn forecast(forecast: Forecast) -> String {
    let Forecast { calls, minutes } = forecast;
    let calls = counted(calls, "call");
    match minutes {
        0 => format!("applying takes about {calls}, less than a minute"),
        minutes => format!("applying takes about {calls}, {}", counted(minutes, "minute")),
    }
}

/// So many names of people or things are said; the others are counted.
const NAMES_MAX: usize = 5;
const ACTIONS_MAX: usize = 12;

/// Who, what, on what: of a rectangle.
pub(super) struct Told {
    pub(super) who: String,
    pub(super) actions: String,
    pub(super) on: String,
}

pub(super) fn told(rectangle: &Rectangle) -> Told {
    let Rectangle { principals, actions, resources, count: _, policies: _ } = rectangle;
    let actions: Vec<String> = actions.iter().map(|action| value::shown(action, 100)).collect();
    Told {
        who: references(principals),
        actions: value::listed(&actions, ACTIONS_MAX),
        on: references(resources),
    }
}

/// A few names as they are, many as a count of each kind with some names.
fn references(all: &[String]) -> String {
    let shown: Vec<String> = all.iter().map(|name| value::shown(name, 100)).collect();
    if all.len() <= NAMES_MAX {
        return shown.join(", ");
    }
    let mut kinds: Vec<(&str, u64)> = Vec::new();
    for name in &shown {
        let kind = name.split_once('/').map_or("", |(kind, _)| kind);
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => kinds.push((kind, 1)),
        }
    }
    let counts: Vec<String> = kinds
        .iter()
        .map(|(kind, count)| match Kind::from_kebab(kind) {
            Some(kind) => of_kind(kind, *count),
            None => counted(*count, "other"),
        })
        .collect();
    let some: Vec<&str> = shown
        .iter()
        .take(NAMES_MAX - 2)
        .map(|name| name.split_once('/').map_or(name.as_str(), |(_, name)| name))
        .collect();
    format!("{} ({}, …)", counts.join(", "), some.join(", "))
}

/// `312 customers`, `1 delegated access`.
pub(in crate::report) fn of_kind(kind: Kind, count: u64) -> String {
    counted(count, &kind.kebab().replace('-', " "))
}

/// `1 role`, `2 roles`; words that end with `s` (defaults, delegated access) stay.
pub(in crate::report) fn counted(count: u64, word: &str) -> String {
    let plural = if count == 1 || word.ends_with('s') { "" } else { "s" };
    format!("{count} {word}{plural}")
}
