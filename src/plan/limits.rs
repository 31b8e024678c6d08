//! How much may change in a day: what a plan costs, with what was spent over the last 24 hours.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::file::{Refusal, Why};
use super::input::Input;
use super::step::Step;
use crate::model::name::Kind;
use crate::model::project::Limit;
use crate::model::record::Spent;

/// What a plan costs of each limit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    pub removals: Measured,
    pub privileged_grants: Measured,
    pub customers_touched: Measured,
    pub irreversible: Measured,
}

impl Limits {
    /// By the name that the project file has for it.
    pub fn named(&self) -> [(&'static str, Measured); 4] {
        [
            ("removals", self.removals),
            ("privilegedGrants", self.privileged_grants),
            ("customersTouched", self.customers_touched),
            ("irreversible", self.irreversible),
        ]
    }
}

/// One limit, and what of it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Measured {
    pub planned: u64,
    /// Over the last 24 hours.
    pub spent: u64,
    /// What a percentage is of.
    pub managed: u64,
    /// The most that may be, by count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// The most that may be, of what is managed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u32>,
    pub exceeded: bool,
}

impl Measured {
    /// Measures a count against a limit; a percentage is of each kind for itself, so that many
    /// customers do not hide few users.
    fn of(limit: Option<Limit>, planned: &[(u64, u64)], spent: u64) -> Self {
        let Limit { count, percent } = limit.unwrap_or_default();
        let all: u64 = planned.iter().map(|(planned, _)| planned).sum();
        let is_over = |(planned, managed): (u64, u64)| {
            managed > 0
                && planned > 0
                && percent
                    .is_some_and(|percent| (planned + spent) * 100 > u64::from(percent) * managed)
        };
        let worst = planned.iter().copied().filter(|(planned, _)| *planned > 0).max_by(|a, b| {
            // The larger share: a/b is compared as products.
            (a.0 * b.1.max(1)).cmp(&(b.0 * a.1.max(1)))
        });
        let managed = worst.or(planned.first().copied()).map_or(0, |(_, managed)| managed);
        let over_count = count.is_some_and(|count| all + spent > u64::from(count));
        // What asks for nothing is over nothing, whatever was spent.
        let exceeded = all > 0 && (over_count || planned.iter().copied().any(is_over));
        Self { planned: all, spent, managed, count, percent, exceeded }
    }

    /// What it is measured against, for people.
    pub fn allowance(&self) -> String {
        match (self.count, self.percent) {
            (None, None) => "no limit".to_owned(),
            (Some(count), None) => format!("{count}"),
            (None, Some(percent)) => format!("{percent} % of {}", self.managed),
            (Some(count), Some(percent)) => {
                format!("{count}, or {percent} % of {}", self.managed)
            }
        }
    }
}

/// Counts, and refuses what is over a limit.
pub(super) fn measure(input: &Input<'_>, steps: &[Step], refused: &mut Vec<Refusal>) -> Limits {
    let Spent { removals, privileged_grants, irreversible, customers_touched } = input.record.spent;
    let managed = |kind: Kind| input.record.of_kind(kind).count() as u64;
    let per_kind = |count: fn(&Step) -> u32| -> Vec<(u64, u64)> {
        [Kind::User, Kind::Role, Kind::Customer, Kind::DelegatedAccess, Kind::Account]
            .into_iter()
            .map(|kind| {
                let of_kind = steps.iter().filter(|step| step.object.kind == kind);
                let planned = of_kind.map(|step| u64::from(count(step))).sum();
                // Members of the agent groups are users, though the account's steps take them out.
                let kind = if kind == Kind::Account { Kind::User } else { kind };
                (planned, managed(kind))
            })
            .collect()
    };
    let customers: BTreeSet<&str> =
        steps.iter().filter_map(|step| step.cost.customer.as_deref()).collect();
    let limits = input.limits;
    let found = Limits {
        removals: Measured::of(limits.removals, &per_kind(|step| step.cost.removals), removals),
        privileged_grants: Measured::of(
            limits.privileged_grants,
            &per_kind(|step| step.cost.privileged_grants),
            privileged_grants,
        ),
        customers_touched: Measured::of(
            limits.customers_touched,
            &[(customers.len() as u64, managed(Kind::Customer))],
            customers_touched,
        ),
        irreversible: Measured::of(
            limits.irreversible,
            &per_kind(|step| step.cost.irreversible),
            irreversible,
        ),
    };
    for (name, measured) in found.named() {
        if measured.exceeded {
            refused.push(Refusal {
                why: Why::Limit,
                step: None,
                message: format!(
                    "over the limit `{name}`: {} planned and {} in the last 24 hours, and {} may be",
                    measured.planned,
                    measured.spent,
                    measured.allowance()
                ),
                remedy: format!(
                    "make several smaller plans, wait, or let somebody answer for it: `apply --allow {name}={} --reason TEXT`",
                    measured.planned
                ),
            });
        }
    }
    found
}
