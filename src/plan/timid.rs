//! What of a plan a machine may do by itself, and what is left to a plan that a person approves.
//!
//! Left are the steps after which somebody could be worse off before anybody looked: what takes
//! something away, gives privileges, lets somebody in again, or cannot be taken back; where manifests
//! and tenant were both edited, so that somebody has to choose; and whatever needs one of these first.
//! Whether a plan is refused as a whole is not asked here.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::change::Change;
use super::step::{Cause, Step};
use crate::model::record::ObjectKey;

/// A plan's steps, told apart.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Timid {
    /// As they were, in their order.
    pub alone: Vec<Step>,
    pub left: Vec<Left>,
}

/// A step that is left to people.
#[derive(Debug, Clone, PartialEq)]
pub struct Left {
    pub step: Step,
    /// At least one reason, the gravest first.
    pub why: BTreeSet<Why>,
}

/// Why a step is left to people; the gravest comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// Nothing brings back what was before.
    CannotBeTakenBack,
    TakesAway,
    GivesPrivileges,
    /// Somebody could sign in who cannot now, with all that they hold.
    LetsIn,
    /// Manifests and tenant were both edited.
    BothChanged,
    /// It needs a step that is left.
    NeedsAnother,
}

impl Why {
    pub const ALL: [Self; 6] = [
        Self::CannotBeTakenBack,
        Self::TakesAway,
        Self::GivesPrivileges,
        Self::LetsIn,
        Self::BothChanged,
        Self::NeedsAnother,
    ];

    /// For programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::CannotBeTakenBack => "irreversible",
            Self::TakesAway => "takes-away",
            Self::GivesPrivileges => "privileged",
            Self::LetsIn => "lets-in",
            Self::BothChanged => "both",
            Self::NeedsAnother => "needs-another",
        }
    }

    /// For people, of one or of many: `2 take something away`.
    pub const fn said(self, count: usize) -> &'static str {
        match (self, count) {
            (Self::CannotBeTakenBack, _) => "cannot be taken back",
            (Self::TakesAway, 1) => "takes something away",
            (Self::TakesAway, _) => "take something away",
            (Self::GivesPrivileges, 1) => "gives privileges",
            (Self::GivesPrivileges, _) => "give privileges",
            (Self::LetsIn, 1) => "lets somebody in again",
            (Self::LetsIn, _) => "let somebody in again",
            (Self::BothChanged, 1) => "was edited here and there",
            (Self::BothChanged, _) => "were edited here and there",
            (Self::NeedsAnother, 1) => "needs one of these",
            (Self::NeedsAnother, _) => "need one of these",
        }
    }
}

impl Left {
    /// The gravest reason.
    pub fn gravest(&self) -> Why {
        self.why.first().copied().unwrap_or(Why::NeedsAnother)
    }
}

impl Timid {
    /// Tells steps apart.
    pub fn of(steps: Vec<Step>) -> Self {
        let mut why: Vec<BTreeSet<Why>> = steps.iter().map(own_reasons).collect();
        add_dependents(&steps, &mut why);
        let mut timid = Self::default();
        for (step, why) in steps.into_iter().zip(why) {
            if why.is_empty() {
                timid.alone.push(step);
            } else {
                timid.left.push(Left { step, why });
            }
        }
        timid
    }

    /// Objects that are not as declared while something is left.
    pub fn open(&self) -> BTreeSet<ObjectKey> {
        self.left.iter().map(|left| left.step.object.clone()).collect()
    }

    /// How many are left, each for its gravest reason.
    pub fn reasons(&self) -> BTreeMap<Why, usize> {
        let mut reasons = BTreeMap::new();
        for left in &self.left {
            *reasons.entry(left.gravest()).or_default() += 1;
        }
        reasons
    }
}

/// Why a step is left whatever else is in the plan.
fn own_reasons(step: &Step) -> BTreeSet<Why> {
    let reasons = [
        (Why::CannotBeTakenBack, step.irreversible.is_some() || step.cost.irreversible > 0),
        (Why::TakesAway, step.verb.takes_away() || step.cost.removals > 0),
        (Why::GivesPrivileges, step.cost.privileged_grants > 0),
        (Why::LetsIn, lets_in(&step.change)),
        (Why::BothChanged, step.fields.iter().any(|field| field.cause == Cause::Both)),
    ];
    reasons.into_iter().filter(|(_, holds)| *holds).map(|(why, _)| why).collect()
}

/// Whether an account that cannot sign in could afterwards. Why it cannot now is not known: somebody
/// may have shut it for a reason that is in no manifest.
fn lets_in(change: &Change) -> bool {
    match change {
        Change::RestoreUser { .. } => true,
        Change::UpdateUser { fields, .. } => {
            fields.get("accountEnabled") == Some(&Value::Bool(true))
        }
        _ => false,
    }
}

/// Whatever needs a step that is left is left.
fn add_dependents(steps: &[Step], why: &mut [BTreeSet<Why>]) {
    let mut dependents: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, step) in steps.iter().enumerate() {
        for needed in &step.depends_on {
            dependents.entry(needed).or_default().push(at);
        }
    }
    let mut due: Vec<usize> =
        why.iter().enumerate().filter(|(_, why)| !why.is_empty()).map(|(at, _)| at).collect();
    while let Some(at) = due.pop() {
        let Some(step) = steps.get(at) else { continue };
        // Taken out: each step's dependents are gone through once.
        for next in dependents.remove(step.id.as_str()).unwrap_or_default() {
            if let Some(why) = why.get_mut(next) {
                why.insert(Why::NeedsAnother);
                due.push(next);
            }
        }
    }
}
