//! What of a review stops whoever asked for it.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::Review;
use super::rules::RuleChange;
use crate::plan::file::Why;

/// What whoever calls wants to be stopped by, beyond what the rules forbid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum FailOn {
    /// Anybody gains access to anything that was there before, or a rule is weakened
    #[default]
    Widened,
    /// Somebody gains something privileged, or a rule is weakened
    Privileged,
    /// Nothing but what the rules forbid
    None,
}

impl FailOn {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Widened => "widened",
            Self::Privileged => "privileged",
            Self::None => "none",
        }
    }
}

/// What it comes to. In this order the first that holds is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The head is invalid by its own rules.
    Invalid,
    /// The base's policies, guards or waivers do not let it pass.
    Denied,
    /// What would be done to the tenant is over the base's limits.
    OverLimit,
    /// A person has to look: `failOn` says so.
    Stopped,
    /// Nothing of that.
    #[default]
    Passes,
}

impl Outcome {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Denied => "denied",
            Self::OverLimit => "over limit",
            Self::Stopped => "needs a person",
            Self::Passes => "passes",
        }
    }
}

/// The outcome, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    pub outcome: Outcome,
    pub fail_on: FailOn,
    /// What led to it, a sentence each.
    pub because: Vec<String>,
}

/// Judges a review that is otherwise complete.
pub fn verdict(review: &Review, fail_on: FailOn) -> Verdict {
    let mut all: Vec<(Outcome, String)> = Vec::new();
    let mut say = |outcome, count: usize, sentence: fn(usize) -> String| {
        if count > 0 {
            all.push((outcome, sentence(count)));
        }
    };
    let findings = || review.findings.iter();
    say(Outcome::Invalid, findings().filter(|one| one.is_invalid()).count(), |count| {
        counted(count, "error in the head", "errors in the head")
    });
    say(Outcome::Denied, findings().filter(|one| one.is_denied()).count(), |count| {
        format!("{} by the base's rules", counted(count, "refusal", "refusals"))
    });
    let refused = |wanted: fn(Why) -> bool| {
        let plan = review.plan.iter().flat_map(|plan| &plan.refused);
        plan.filter(|refusal| wanted(refusal.why)).count()
    };
    say(Outcome::Denied, refused(|why| matches!(why, Why::Policy | Why::Guard)), |count| {
        format!("{} of the plan by policy or guard", counted(count, "refusal", "refusals"))
    });
    say(Outcome::Invalid, refused(|why| why == Why::Manifest), |count| {
        format!(
            "{} of the plan: the manifests do not fit the tenant",
            counted(count, "refusal", "refusals")
        )
    });
    say(Outcome::OverLimit, refused(|why| why == Why::Limit), |count| {
        format!("the plan is over {}", counted(count, "limit", "limits"))
    });
    if fail_on != FailOn::None {
        say(Outcome::Stopped, weaker(&review.rules).count(), |count| {
            format!("{} weaker, or may be", counted(count, "rule is", "rules are"))
        });
        say(Outcome::Stopped, review.roles.len(), |count| {
            format!(
                "{} to new holders",
                counted(count, "privileged role goes", "privileged roles go")
            )
        });
        let gains = review.directory_roles.iter().filter(|grant| grant.gained.count > 0);
        let groups: BTreeSet<&str> = gains.map(|grant| grant.to.as_str()).collect();
        say(Outcome::Stopped, groups.len(), |count| {
            format!(
                "{} directory roles inside customers' tenants",
                counted(count, "group of ours gains", "groups of ours gain")
            )
        });
        let handed_over = review.standing.iter().filter(|one| one.privileged).count();
        say(Outcome::Stopped, handed_over, |count| {
            let what = counted(count, "object may be another", "objects may be others");
            format!("{what}, and what is privileged goes with it")
        });
        if fail_on == FailOn::Widened {
            let rest = review.standing.len() - handed_over;
            say(Outcome::Stopped, rest, |count| {
                let what = counted(count, "object stands", "objects stand");
                format!("{what} otherwise: who it is, until when, or who else may change it")
            });
        }
        let reaches = || review.access.gained.iter().filter(|one| one.is_reach());
        say(Outcome::Stopped, reaches().filter(|one| one.privileged).count(), |count| {
            format!("privileged access is gained, in {}", counted(count, "group", "groups"))
        });
        if fail_on == FailOn::Widened {
            say(Outcome::Stopped, reaches().filter(|one| !one.privileged).count(), |count| {
                format!("access is gained, in {}", counted(count, "group", "groups"))
            });
        }
        if review.access_unknown.is_some() {
            all.push((Outcome::Stopped, "who gains and loses what is not known".to_owned()));
        }
    }
    let over = review.over_limits.iter();
    all.extend(over.map(|sentence| (Outcome::OverLimit, sentence.clone())));
    all.sort_by_key(|(outcome, _)| *outcome);
    Verdict {
        outcome: all.first().map_or(Outcome::Passes, |(outcome, _)| *outcome),
        fail_on,
        because: all.into_iter().map(|(_, sentence)| sentence).collect(),
    }
}

fn weaker(rules: &[RuleChange]) -> impl Iterator<Item = &RuleChange> {
    rules.iter().filter(|change| change.effect.is_weaker())
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
