//! Policies that come, go, or say something else.
//!
//! Two policies say the same if Cedar reads the same in them: neither layout nor comments nor where
//! they stand count, and a reason is not a rule.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{EntityUid, PrincipalConstraint, ResourceConstraint};
use serde_json::Value;

use super::{Effect, Found, Subject};
use crate::manifest::draft::Where;
use crate::manifest::suggest::quoted;
use crate::policy::level::Level;
use crate::policy::rules::{Placed, Rule};
use crate::policy::vocabulary;
use crate::review::place::Side;
use crate::review::renamed::Renames;
use crate::review::{Compared, Input};

pub(super) fn compare(input: &Input<'_>, renames: &Renames, found: &mut Vec<Found>) {
    let base = own(&input.base, Side::Base, renames);
    let head = own(&input.head, Side::Head, renames);
    let mut gone: Vec<&Written<'_>> =
        base.iter().filter(|(id, _)| !head.contains_key(*id)).map(|(_, one)| one).collect();
    for (id, after) in &head {
        if let Some(before) = base.get(id) {
            changed(before, after, found);
            continue;
        }
        // Of another name, but the same to the letter that Cedar reads.
        let twin = gone.iter().position(|one| one.says_the_same(after));
        found.push(match twin.map(|at| gone.remove(at)) {
            Some(before) => renamed(before, after),
            None => added(after),
        });
    }
    found.extend(gone.into_iter().map(removed));
}

/// A policy of the project, and all that can be said of it.
struct Written<'a> {
    rule: &'a Rule,
    side: Side,
    text: String,
    /// As Cedar reads it, by the head's names.
    read: Value,
    principal: PrincipalConstraint,
    resource: ResourceConstraint,
    actions: BTreeSet<EntityUid>,
}

/// The project's own policies, by id.
fn own<'a>(side: &Compared<'a>, of: Side, renames: &Renames) -> BTreeMap<&'a str, Written<'a>> {
    let rules = side.rules.iter();
    rules
        .filter_map(|rule| {
            let Placed::Project { source, span } = rule.place else { return None };
            let bytes = &side.loaded.findings.sources.get(source)?.bytes;
            let text = String::from_utf8_lossy(bytes.get(span.range())?).into_owned();
            let policy = renames.comparable(rule, of);
            let actions = vocabulary::schema().actions().cloned();
            let written = Written {
                rule,
                side: of,
                text,
                read: spelled(policy.to_json().unwrap_or_default()),
                principal: policy.principal_constraint(),
                resource: policy.resource_constraint(),
                actions: actions.filter(|action| rule.is_about(action)).collect(),
            };
            Some((rule.id(), written))
        })
        .collect()
}

/// Cedar writes an entity in two ways, with and without a wrapping: here it is without.
fn spelled(read: Value) -> Value {
    match read {
        Value::Object(mut members) => match members.remove("__entity") {
            Some(entity) => spelled(entity),
            None => members.into_iter().map(|(key, one)| (key, spelled(one))).collect(),
        },
        Value::Array(all) => all.into_iter().map(spelled).collect(),
        plain => plain,
    }
}

impl Written<'_> {
    fn kind(&self) -> &'static str {
        match (self.rule.permits(), self.rule.level) {
            (true, _) => "permit",
            (false, Some(_)) => "guardrail",
            (false, None) => "forbid",
        }
    }

    fn level(&self) -> Level {
        self.rule.level.unwrap_or(Level::Hard)
    }

    fn says_the_same(&self, other: &Self) -> bool {
        self.reads_the_same(other) && self.level() == other.level()
    }

    fn reads_the_same(&self, other: &Self) -> bool {
        let parts = ["effect", "principal", "action", "resource", "conditions"];
        parts.iter().all(|part| self.read.get(part) == other.read.get(part))
    }

    /// The conditions that must all hold, each as Cedar reads it.
    fn conditions(&self) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        for condition in self.read.get("conditions").and_then(Value::as_array).into_iter().flatten()
        {
            let is_when = condition.get("kind").and_then(Value::as_str) == Some("when");
            let body = condition.get("body").unwrap_or(&Value::Null);
            if is_when {
                conjuncts(body, &mut all);
            } else {
                all.insert(format!("!{body}"));
            }
        }
        all
    }

    fn found(&self, effect: Effect, message: String) -> Found {
        let found = Found::new(effect, Subject::Policy, self.rule.id(), message);
        let found = found.reason(self.rule.reason());
        match self.rule.place {
            Placed::Project { source, span } => found.at(self.side, Where::Bytes { source, span }),
            Placed::Library { .. }
            | Placed::Role { .. }
            | Placed::DelegatedAccess { .. }
            | Placed::Tenant => found,
        }
    }
}

fn conjuncts(body: &Value, all: &mut BTreeSet<String>) {
    match body.get("&&") {
        Some(both) => {
            for side in ["left", "right"] {
                conjuncts(both.get(side).unwrap_or(&Value::Null), all);
            }
        }
        None => {
            all.insert(body.to_string());
        }
    }
}

fn added(after: &Written<'_>) -> Found {
    let effect = if after.rule.permits() { Effect::Weakens } else { Effect::Tightens };
    let message = format!("the {} {} is new", after.kind(), quoted(after.rule.id()));
    after.found(effect, message).after(after.text.clone())
}

fn removed(before: &Written<'_>) -> Found {
    let effect = if before.rule.permits() { Effect::Tightens } else { Effect::Weakens };
    let message = format!("the {} {} is deleted", before.kind(), quoted(before.rule.id()));
    before.found(effect, message).before(before.text.clone())
}

fn renamed(before: &Written<'_>, after: &Written<'_>) -> Found {
    let message = format!(
        "the {} {} was called {} and says the same",
        after.kind(),
        quoted(after.rule.id()),
        quoted(before.rule.id())
    );
    after.found(Effect::Neutral, message)
}

fn changed(before: &Written<'_>, after: &Written<'_>, found: &mut Vec<Found>) {
    let id = quoted(after.rule.id());
    let mut told = |effect, message| {
        let one = after.found(effect, message);
        found.push(one.before(before.text.clone()).after(after.text.clone()));
    };
    if before.rule.permits() != after.rule.permits() {
        let effect = if after.rule.permits() { Effect::Weakens } else { Effect::Tightens };
        told(effect, format!("{id} was a {} and is a {}", before.kind(), after.kind()));
        return;
    }
    let (old, new) = (before.level(), after.level());
    if old != new && !after.rule.permits() {
        let (effect, word) =
            if new < old { (Effect::Weakens, "softened") } else { (Effect::Tightens, "hardened") };
        let (old, new) = (old.word(), new.word());
        told(effect, format!("the guardrail {id} is {word} from {old} to {new}"));
    }
    if !before.reads_the_same(after) {
        let reach = reach(before, after);
        let effect = match (reach, after.rule.permits()) {
            (Reach::Wider, true) | (Reach::Narrower, false) => Effect::Weakens,
            (Reach::Wider, false) | (Reach::Narrower, true) => Effect::Tightens,
            (Reach::Same | Reach::Other, _) => Effect::MayWeaken,
        };
        let how = match reach {
            Reach::Wider => "reaches further",
            Reach::Narrower => "reaches less far",
            Reach::Same | Reach::Other => "says something else",
        };
        told(effect, format!("the {} {id} {how}: {}", after.kind(), differing(before, after)));
    }
    if before.rule.reason() != after.rule.reason() {
        told(Effect::Neutral, format!("the {} {id} has another reason", after.kind()));
    }
}

/// How far something reaches now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Same,
    Wider,
    Narrower,
    Other,
}

impl Reach {
    /// Of one set, before and after.
    fn of<T: Ord>(before: &BTreeSet<T>, after: &BTreeSet<T>) -> Self {
        match (before.is_subset(after), after.is_subset(before)) {
            (true, true) => Self::Same,
            (true, false) => Self::Wider,
            (false, true) => Self::Narrower,
            (false, false) => Self::Other,
        }
    }

    const fn reversed(self) -> Self {
        match self {
            Self::Wider => Self::Narrower,
            Self::Narrower => Self::Wider,
            same => same,
        }
    }

    /// Of what has to hold as well.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Same, one) | (one, Self::Same) => one,
            (one, other) if one == other => one,
            _ => Self::Other,
        }
    }
}

/// Which parts differ, and how each reaches.
fn parts(before: &Written<'_>, after: &Written<'_>) -> [(&'static str, Reach); 4] {
    [
        ("principal", principals(&before.principal, &after.principal)),
        ("action", Reach::of(&before.actions, &after.actions)),
        ("resource", resources(&before.resource, &after.resource)),
        // The more has to hold, the less it reaches.
        ("conditions", Reach::of(&before.conditions(), &after.conditions()).reversed()),
    ]
}

fn reach(before: &Written<'_>, after: &Written<'_>) -> Reach {
    let parts = parts(before, after);
    parts.into_iter().fold(Reach::Same, |reach, (_, part)| reach.and(part))
}

fn differing(before: &Written<'_>, after: &Written<'_>) -> String {
    let told: Vec<String> = parts(before, after)
        .into_iter()
        .filter(|(_, reach)| *reach != Reach::Same)
        .map(|(part, reach)| {
            let word = match reach {
                Reach::Wider => "wider",
                Reach::Narrower => "narrower",
                Reach::Same | Reach::Other => "different",
            };
            format!("{part} {word}")
        })
        .collect();
    if told.is_empty() { "it is written differently".to_owned() } else { told.join(", ") }
}

fn principals(before: &PrincipalConstraint, after: &PrincipalConstraint) -> Reach {
    use PrincipalConstraint::{Any, Eq, In, Is, IsIn};
    let is_wider = |one: &PrincipalConstraint, other: &PrincipalConstraint| match (one, other) {
        (_, Any) => true,
        (Eq(a) | IsIn(_, a), In(b)) => a == b,
        (IsIn(a, _), Is(b)) => a == b,
        (Eq(a), Is(b)) => a.type_name() == b,
        _ => false,
    };
    scope(before == after, is_wider(before, after), is_wider(after, before))
}

fn resources(before: &ResourceConstraint, after: &ResourceConstraint) -> Reach {
    use ResourceConstraint::{Any, Eq, In, Is, IsIn};
    let is_wider = |one: &ResourceConstraint, other: &ResourceConstraint| match (one, other) {
        (_, Any) => true,
        (Eq(a) | IsIn(_, a), In(b)) => a == b,
        (IsIn(a, _), Is(b)) => a == b,
        (Eq(a), Is(b)) => a.type_name() == b,
        _ => false,
    };
    scope(before == after, is_wider(before, after), is_wider(after, before))
}

const fn scope(is_same: bool, is_wider: bool, is_narrower: bool) -> Reach {
    match (is_same, is_wider, is_narrower) {
        (true, ..) => Reach::Same,
        (_, true, false) => Reach::Wider,
        (_, false, true) => Reach::Narrower,
        _ => Reach::Other,
    }
}
