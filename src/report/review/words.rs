//! The sentences that stand in every format.

use crate::model::name::Kind;
use crate::report::plan::value::{listed, of_field, shown};
use crate::report::plan::words::{counted, of_kind};
use crate::review::access::{Decider, Meet, Names, Rectangle};
use crate::review::privilege::{DirectoryGrant, RoleGrant};
use crate::review::verdict::Outcome;
use crate::review::{At, Commit, FindingState, ObjectChange, Review, Side, StandingChange};

/// So many names are said; the others are counted.
const NAMES_MAX: u64 = 5;
const SOME: usize = 3;
const ACTIONS_MAX: usize = 12;
pub(super) const NAME_CHARS_MAX: usize = 140;

/// What nobody has shown, said in every report: silence would be taken for a proof.
pub(super) const NOT_PROVED: &str = "Not proved: this is about the estate as both sides declare it, not about every estate there could be.";

pub(super) const NO_CHANGE: &str = "no change in access";

/// Whether anything gained reaches what was there before.
pub(super) fn reaches(review: &Review) -> impl Iterator<Item = &Rectangle> {
    review.access.gained.iter().filter(|one| one.is_reach())
}

/// What new objects bring with them.
pub(super) fn brought(review: &Review) -> impl Iterator<Item = &Rectangle> {
    review.access.gained.iter().filter(|one| !one.is_reach())
}

/// The review in a line.
pub(super) fn gist(review: &Review) -> String {
    let mut parts = Vec::new();
    let weaker = review.rules.iter().filter(|one| one.effect.is_weaker()).count();
    if weaker > 0 {
        let verb = if weaker == 1 { "is" } else { "are" };
        parts.push(format!("{} {verb} weaker, or may be", counted(weaker as u64, "rule")));
    }
    parts.push(access(review));
    let changes = review.changes.len() as u64;
    parts.push(match changes {
        0 => "no object of the estate differs".to_owned(),
        1 => "1 object of the estate differs".to_owned(),
        many => format!("{many} objects of the estate differ"),
    });
    let state = |state| review.findings.iter().filter(|one| one.state == state).count() as u64;
    for (count, word) in [
        (state(FindingState::ByTheBase), "refused by the base's rules"),
        (state(FindingState::New), "new"),
        (state(FindingState::Fixed), "fixed"),
    ] {
        if count > 0 {
            parts.push(format!("{} {word}", counted(count, "finding")));
        }
    }
    parts.join("; ")
}

fn access(review: &Review) -> String {
    let change = &review.access;
    if review.access_unknown.is_some() {
        return "who gains and loses what is not known".to_owned();
    }
    if change.gained.is_empty() && change.lost.is_empty() {
        return NO_CHANGE.to_owned();
    }
    let privileged = if reaches(review).any(|one| one.privileged) { ", privileged" } else { "" };
    let (gained, lost) = (change.gained_count, change.lost_count);
    format!("access: {gained} gained{privileged}, {lost} lost")
}

/// The outcome, and why.
pub(super) fn verdict(review: &Review) -> String {
    let word = match review.verdict.outcome {
        Outcome::Passes if review.verdict.because.is_empty() => "nothing here stops it",
        outcome => outcome.word(),
    };
    let because: Vec<String> =
        review.verdict.because.iter().map(|one| shown(one, NAME_CHARS_MAX * 2)).collect();
    if because.is_empty() { word.to_owned() } else { format!("{word}: {}", because.join("; ")) }
}

/// `main (d6e790ad4771) → files on disk`
pub(super) fn sides(review: &Review) -> String {
    format!("{} → {}", commit(&review.base), commit(&review.head))
}

fn commit(commit: &Commit) -> String {
    match (&commit.rev, &commit.commit) {
        (Some(rev), Some(id)) if id.starts_with(rev.as_str()) => id.chars().take(12).collect(),
        (Some(rev), Some(id)) => {
            let short: String = id.chars().take(12).collect();
            format!("{} ({short})", shown(rev, NAME_CHARS_MAX))
        }
        _ => "the files on disk".to_owned(),
    }
}

/// `estate/users.yaml:12`, and where that is if not at the head.
pub(super) fn place(at: &At) -> String {
    let file = shown(&at.file, NAME_CHARS_MAX * 2);
    let line = at.line.map_or_else(String::new, |line| format!(":{line}"));
    let side = if at.side == Side::Base { " (base)" } else { "" };
    format!("{file}{line}{side}")
}

/// A few names as they are, many as a count of each kind with some names.
pub(super) fn names(names: &Names) -> String {
    let some = |count: usize| names.names.iter().take(count);
    if names.count <= NAMES_MAX {
        return some(names.names.len())
            .map(|one| shown(one, NAME_CHARS_MAX))
            .collect::<Vec<_>>()
            .join(", ");
    }
    let kinds: Vec<String> = names
        .kinds
        .iter()
        .map(|(kind, count)| match Kind::from_kebab(kind) {
            Some(kind) => of_kind(kind, *count),
            None => counted(*count, kind),
        })
        .collect();
    let few: Vec<String> = some(SOME)
        .map(|one| shown(one.split_once('/').map_or(one, |(_, name)| name), NAME_CHARS_MAX))
        .collect();
    format!("{} ({}, …)", kinds.join(", "), few.join(", "))
}

pub(super) fn actions(all: &[String]) -> String {
    listed(all, ACTIONS_MAX)
}

/// On what, in which way.
pub(super) fn on(rectangle: &Rectangle) -> String {
    match rectangle.meet {
        Meet::All => names(&rectangle.resources),
        Meet::Others => format!("{}, but not themselves", names(&rectangle.resources)),
        Meet::Same => "themselves alone".to_owned(),
    }
}

/// `user/ben-ito may now administer-on-behalf on customer/tailspin-toys`
pub(super) fn sentence(rectangle: &Rectangle, is_gained: bool) -> String {
    let word = if is_gained { "may now" } else { "may no longer" };
    let (who, actions, on) =
        (names(&rectangle.principals), actions(&rectangle.actions), on(rectangle));
    format!("{who} {word} {actions} on {on}")
}

/// What is new among the people and the things.
pub(super) fn newness(rectangle: &Rectangle) -> Option<String> {
    let of = |new: u64, all: &Names, what: &str| {
        (new > 0).then(|| {
            let count = if new == all.count { "all".to_owned() } else { format!("{new}") };
            format!("{count} of the {what} new")
        })
    };
    let parts: Vec<String> = [
        of(rectangle.new_principals, &rectangle.principals, "people"),
        of(rectangle.new_resources, &rectangle.resources, "things"),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// What it comes of: the objects and policies of the pull request that have a part in it.
pub(super) fn causes(review: &Review, rectangle: &Rectangle) -> Vec<String> {
    rectangle
        .causes
        .iter()
        .map(|cause| {
            let change = review.changes.iter().find(|change| change.object == *cause);
            match change.and_then(|change| Some((change, change.fields.first()?))) {
                Some((change, field)) if change.fields.len() == 1 => {
                    let value = |value| of_field(&field.path, value, 60);
                    let (before, after) = (value(&field.before), value(&field.after));
                    let place = change
                        .at
                        .as_ref()
                        .map_or_else(String::new, |at| format!(" ({})", place(at)));
                    let cause = shown(cause, NAME_CHARS_MAX);
                    let path = shown(&field.path, NAME_CHARS_MAX);
                    format!("{cause}: {path} {before} → {after}{place}")
                }
                _ => shown(cause, NAME_CHARS_MAX),
            }
        })
        .collect()
}

/// The policies that decide, each with its place.
pub(super) fn deciders<'r>(
    review: &'r Review,
    rectangle: &'r Rectangle,
) -> impl Iterator<Item = (&'r Decider, String)> {
    let found = rectangle.policies.iter();
    found
        .filter_map(|id| {
            let at = review.policies.binary_search_by(|one| one.id.as_str().cmp(id)).ok()?;
            review.policies.get(at)
        })
        .map(|decider| {
            let built_in = if decider.built_in { ", built in" } else { "" };
            let line = decider.at.line.map_or_else(String::new, |line| format!(":{line}"));
            let side = if decider.at.side == Side::Base { ", base" } else { "" };
            let file = shown(&decider.at.file, NAME_CHARS_MAX);
            let id = shown(&decider.id, NAME_CHARS_MAX);
            (decider, format!("{id} ({file}{line}{built_in}{side})"))
        })
}

/// `user/x comes to hold global-admin`
pub(super) fn role(grant: &RoleGrant) -> String {
    let RoleGrant { role, held, who, at: _ } = grant;
    let role = shown(role, NAME_CHARS_MAX);
    let verb = if who.count == 1 { "comes" } else { "come" };
    let eligible = match held {
        crate::review::privilege::Held::Active => "",
        crate::review::privilege::Held::Eligible => ", to be activated",
    };
    format!("{} {verb} to hold the privileged role `{role}`{eligible}", names(who))
}

/// What a group of ours comes to hold at customers.
pub(super) fn directory(grant: &DirectoryGrant) -> String {
    let DirectoryGrant { to, directory_roles, gained, lost, at: _ } = grant;
    let roles: Vec<String> = directory_roles.iter().map(|one| shown(one, NAME_CHARS_MAX)).collect();
    let (to, roles) = (shown(to, NAME_CHARS_MAX), listed(&roles, ACTIONS_MAX));
    let mut parts = Vec::new();
    if gained.count > 0 {
        parts.push(format!("comes to hold {roles} at {}", names(gained)));
    }
    if lost.count > 0 {
        parts.push(format!("no longer holds {roles} at {}", names(lost)));
    }
    format!("the group of {to} {}", parts.join(", and "))
}

/// `user/x was user/y`, where it was renamed.
pub(super) fn change(change: &ObjectChange) -> String {
    let object = shown(&change.object, NAME_CHARS_MAX);
    match &change.formerly {
        Some(formerly) => format!("{object} was {}", shown(formerly, NAME_CHARS_MAX)),
        None => format!("{object} is {}", change.became.word()),
    }
}

/// What became of findings, as a heading.
pub(super) const fn state(state: FindingState) -> &'static str {
    match state {
        FindingState::ByTheBase => "refused by the base's rules",
        FindingState::New => "new",
        FindingState::Still => "still there",
        FindingState::Fixed => "fixed",
    }
}

/// What stands otherwise: `user/x may be another: spec.email a → b`.
pub(super) fn standing(change: &StandingChange) -> String {
    let value = |value| of_field(&change.field.path, value, 120);
    let (before, after) = (value(&change.field.before), value(&change.field.after));
    let object = shown(&change.object, NAME_CHARS_MAX);
    let path = shown(&change.field.path, NAME_CHARS_MAX);
    format!("{object} {}: {path} {before} → {after}", change.standing.word())
}
