//! What a change costs of the limits, whoever plans it: towards what is declared, or back.

use std::collections::BTreeMap;

use crate::model::directory_role::DirectoryRole;
use crate::model::id::RoleTemplateId;
use crate::model::tenant::{Delegation, DelegationStatus, Group, ObjectId};
use crate::plan::change::Change;
use crate::plan::step::Cost;

/// What groups gain and lose by a change to a relationship, and whether that is for good.
pub(in crate::plan) fn of(
    change: &Change,
    found: &Delegation,
    groups: &BTreeMap<ObjectId, Group>,
) -> Cost {
    let nothing = Cost::default();
    let cost = match change {
        Change::AssignDelegated { roles, .. } => {
            Cost { privileged_grants: privileged(roles), ..nothing }
        }
        Change::UpdateDelegated { assignment, roles, .. } => {
            let held = found.assignments.iter().flatten().find(|held| held.id == *assignment);
            let held = held.map(|held| held.roles.clone()).unwrap_or_default();
            Cost {
                privileged_grants: privileged(roles.difference(&held)),
                removals: u32::from(!held.is_subset(roles)),
                ..nothing
            }
        }
        // From nobody nothing is taken.
        Change::UnassignDelegated { group, .. } => {
            Cost { removals: u32::from(groups.contains_key(group)), ..nothing }
        }
        Change::TerminateDelegation { .. } => Cost { removals: 1, irreversible: 1, ..nothing },
        // Of a draft nobody has anything.
        Change::UpdateDelegation { .. } if found.status == DelegationStatus::Created => {
            return nothing;
        }
        Change::UpdateDelegation { roles, .. } => {
            let is_less = roles.as_ref().is_some_and(|roles| !found.roles.is_subset(roles));
            Cost { removals: u32::from(is_less), ..nothing }
        }
        _ => return nothing,
    };
    Cost { customer: found.customer.map(|customer| customer.to_string()), ..cost }
}

fn privileged<'r>(roles: impl IntoIterator<Item = &'r RoleTemplateId>) -> u32 {
    u32::from(roles.into_iter().any(|role| DirectoryRole(*role).is_privileged()))
}
