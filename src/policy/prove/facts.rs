//! What is so in every estate, whatever anybody declares: what the world makes of a user.
//!
//! The vocabulary admits users who are in no role at all, and users who hold a role without being in
//! it. No estate does. Each question is therefore asked of those alone who are in the role of
//! everybody, if they are guests in that of guests, and in whatever role they hold, as far as its
//! policies read any of that. Other users whom
//! a policy names are not asked about: what it reads of them is rarely their roles.

use std::collections::BTreeSet;

use cedar_policy::{Policy, PolicyId, PolicySet};

use super::Unproved;
use super::environment::Environment;
use crate::policy::rules::named;
use crate::policy::world::declared::{EVERYONE, GUEST};
use crate::policy::world::{Type, Uid};

/// What is so of whoever meets in an environment; nothing where no user does.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    condition: Option<String>,
}

impl Facts {
    /// Of those policies that a question is about: what none of them reads makes no difference, and
    /// is not asked, as it would take the solver its time.
    pub(super) fn of<'a>(
        environment: &Environment,
        policies: impl IntoIterator<Item = &'a Policy>,
        reads_holds: bool,
    ) -> Self {
        let ends = [("principal", environment.principal), ("resource", environment.resource)];
        let users = ends.into_iter().filter(|(_, ty)| *ty == Type::User).map(|(end, _)| end);
        let named = named(policies);
        let roles: BTreeSet<String> =
            named.iter().filter(|uid| uid.ty == Type::Role).map(Uid::to_string).collect();
        let names = |role: &str| named.contains(&Uid::new(Type::Role, role));
        let of = |user: &str| {
            let holds = roles.iter().filter(|_| reads_holds);
            let holds =
                holds.map(|role| format!("(!{user}.holds.contains({role}) || {user} in {role})"));
            let everybody = names(EVERYONE).then(|| format!("{user} in Role::{EVERYONE:?}"));
            let guests =
                names(GUEST).then(|| format!("(!{user}.guest || {user} in Role::{GUEST:?})"));
            everybody.into_iter().chain(guests).chain(holds).collect::<Vec<_>>()
        };
        let all: Vec<String> = users.flat_map(of).collect();
        Self { condition: (!all.is_empty()).then(|| all.join(" && ")) }
    }

    /// The policies, and one more that forbids where it is not so: what is permitted then is
    /// permitted in an estate.
    pub(super) fn within(&self, mut policies: PolicySet) -> Result<PolicySet, Unproved> {
        if let Some(condition) = &self.condition {
            let text = format!("forbid (principal, action, resource) unless {{ {condition} }};");
            policies.add(policy(text)?).map_err(|error| Unproved::Policies(error.to_string()))?;
        }
        Ok(policies)
    }

    /// What permits where it is so, for a claim of an example; nothing where there is nothing to
    /// claim.
    pub(super) fn permitting(&self) -> Result<Option<PolicySet>, Unproved> {
        let Some(condition) = &self.condition else { return Ok(None) };
        let text = format!("permit (principal, action, resource) when {{ {condition} }};");
        PolicySet::from_policies([policy(text)?])
            .map(Some)
            .map_err(|error| Unproved::Policies(error.to_string()))
    }
}

fn policy(text: String) -> Result<Policy, Unproved> {
    // No id of a file's has a blank in it that begins so, and none of ours.
    Policy::parse(Some(PolicyId::new("(every estate)")), text)
        .map_err(|error| Unproved::Policies(error.to_string()))
}
