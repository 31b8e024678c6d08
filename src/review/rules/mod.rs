//! What changes about the rules: whatever decides what a pull request may do.
//!
//! Each change says whether it weakens. Whether a rule weakens is told from its text: which scope
//! admits more, which condition is gone. What cannot be told counts as if it might.

mod policies;
mod project;
mod protection;
mod tests_of_access;
mod waivers;

use schemars::JsonSchema;
use serde::Serialize;

use super::Input;
use super::place::{At, Side};
use super::renamed::Renames;
use crate::manifest::draft::Where;

/// What a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A policy of the project.
    Policy,
    /// How much may change in a day.
    Limit,
    /// What must remain.
    Guard,
    Waiver,
    /// `protect: true`.
    Protection,
    /// Where manifests and policies are, where passwords go, which tenants there are and how they
    /// are reached.
    Project,
    AccessTest,
}

impl Subject {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Limit => "limit",
            Self::Guard => "guard",
            Self::Waiver => "waiver",
            Self::Protection => "protection",
            Self::Project => "project",
            Self::AccessTest => "access-test",
        }
    }
}

/// What a change does to how much is let pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// More passes than before.
    Weakens,
    /// That cannot be told from the text.
    MayWeaken,
    /// Nothing changes for what passes.
    Neutral,
    /// Less passes.
    Tightens,
}

impl Effect {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Weakens => "weakens",
            Self::MayWeaken => "may weaken",
            Self::Neutral => "neutral",
            Self::Tightens => "tightens",
        }
    }

    /// Whether a reviewer has to answer for it.
    pub const fn is_weaker(self) -> bool {
        matches!(self, Self::Weakens | Self::MayWeaken)
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleChange {
    pub effect: Effect,
    pub subject: Subject,
    /// The policy's id, the limit's name, the waiver's, or `kind/name`.
    pub name: String,
    /// In a sentence.
    pub message: String,
    /// Why the rule is there, in the words of who wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// As it was written, or its value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<At>,
}

/// A change whose line is not known yet.
struct Found {
    change: RuleChange,
    at: Option<(Side, Where)>,
}

impl Found {
    fn new(effect: Effect, subject: Subject, name: &str, message: String) -> Self {
        let name = name.to_owned();
        let change = RuleChange {
            effect,
            subject,
            name,
            message,
            reason: None,
            before: None,
            after: None,
            at: None,
        };
        Self { change, at: None }
    }

    fn before(mut self, text: impl Into<String>) -> Self {
        self.change.before = Some(text.into());
        self
    }

    fn after(mut self, text: impl Into<String>) -> Self {
        self.change.after = Some(text.into());
        self
    }

    fn reason(mut self, reason: Option<&str>) -> Self {
        self.change.reason = reason.map(str::to_owned);
        self
    }

    fn at(mut self, side: Side, at: Where) -> Self {
        self.at = Some((side, at));
        self
    }
}

/// All changes, what weakens first.
pub(super) fn compare(input: &Input<'_>, renames: &Renames) -> Vec<RuleChange> {
    if input.is_new {
        return Vec::new();
    }
    let compares: [fn(&Input<'_>, &Renames, &mut Vec<Found>); 5] = [
        policies::compare,
        project::compare,
        waivers::compare,
        protection::compare,
        tests_of_access::compare,
    ];
    let mut found = Vec::new();
    for compare in compares {
        compare(input, renames, &mut found);
    }
    let mut changes: Vec<RuleChange> = found
        .into_iter()
        .map(|Found { mut change, at }| {
            change.at = at.map(|(side, at)| {
                let loaded = match side {
                    Side::Base => input.base.loaded,
                    Side::Head => input.head.loaded,
                };
                At::of(side, loaded.place_of(&at))
            });
            change
        })
        .collect();
    // What holds whatever anybody writes in policies, of which there can be any number, comes first.
    changes.sort_by(|a, b| {
        let key = |one: &RuleChange| (one.effect, one.subject == Subject::Policy, one.subject);
        (key(a), &a.name, &a.message).cmp(&(key(b), &b.name, &b.message))
    });
    changes
}
