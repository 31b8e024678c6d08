//! Whether somebody real gains what is gained in theory.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Context, Decision, Request};

use super::environment::{Book, Environment};
use super::scene::{Claim, deciding};
use super::witness::{Party, Witness};
use super::{Answer, Judged, Today};
use crate::model::action::Action;
use crate::policy::access::{Side, Universe, Which, difference};
use crate::policy::judge::{Failing, Ruling};
use crate::policy::rules::named;
use crate::policy::world::{Type, Uid, World};

/// Looks at the real people and customers for what is gained in theory, and shows one of them
/// where there is one.
pub(super) fn look(old: &Book<'_>, new: &Book<'_>, world: &World, judged: &mut [Judged]) {
    let mut widened: BTreeMap<(Type, Type), BTreeSet<Action>> = BTreeMap::new();
    for one in judged.iter().filter(|one| one.gained.witness().is_some()) {
        let Environment { principal, resource, action: _ } = one.environment;
        if let Some(action) = one.environment.deed() {
            widened.entry((principal, resource)).or_default().insert(action);
        }
    }
    let (old, new) = (old.set(), new.set());
    let sides = [&old, &new].map(|policies| Side::new(policies, world));
    for ((principal, resource), actions) in widened {
        let universe = Universe {
            principals: Which::Types(BTreeSet::from([principal])),
            actions,
            resources: Which::Types(BTreeSet::from([resource])),
            contexts: vec![Context::empty()],
        };
        let [before, after] = &sides;
        // What cannot be worked out stays unknown.
        let Ok(found) = difference(before, after, &universe) else { continue };
        for one in judged.iter_mut() {
            let here = &one.environment;
            let Some(action) = here.deed() else { continue };
            if (here.principal, here.resource) != (principal, resource)
                || !universe.actions.contains(&action)
                || one.gained.witness().is_none()
            {
                continue;
            }
            let those: Vec<_> = found
                .gained
                .rectangles()
                .iter()
                .filter(|rectangle| rectangle.actions.contains(&action))
                .collect();
            let count: u64 = those
                .iter()
                .map(|rectangle| rectangle.count / rectangle.actions.len().max(1) as u64)
                .sum();
            one.today = if count == 0 { Today::Nobody } else { Today::Pairs(count) };
            let pairs = those.iter().filter_map(|one| found.gained.pairs_of(one).next());
            let claims = [
                Claim { policies: &new, decision: Decision::Allow },
                Claim { policies: &old, decision: Decision::Deny },
            ];
            // One that the authorizer does not confirm is no better than the one that was found.
            let mut witnesses = pairs.filter_map(|pair| real(world, action, &pair, &claims));
            if let Some(witness) = witnesses.find(|witness| witness.confirmed) {
                one.gained = Answer::Something(Box::new(witness));
            }
        }
    }
}

/// Somebody real, replayed.
pub(super) fn real(
    world: &World,
    action: Action,
    (principal, resource): &(Uid, Uid),
    claims: &[Claim<'_>],
) -> Option<Witness> {
    let named = named(claims.iter().flat_map(|claim| claim.policies.policies()));
    let entities = world.entities_around([principal.clone(), resource.clone()], &named).ok()?;
    let request =
        Request::new(principal.cedar(), action.cedar(), resource.cedar(), Context::empty(), None)
            .ok()?;
    let confirmed = claims.iter().all(|Claim { policies, decision }| {
        let wanted = *decision == Decision::Allow;
        Ruling::on(&request, policies, &entities, Failing::Forbids).allowed == wanted
    });
    let (by, against) = deciding(&request, &entities, claims);
    let mut on = Party::real(resource);
    on.is_self = principal == resource;
    Some(Witness {
        principal: Party::real(principal),
        action: action.to_string().into(),
        resource: on,
        context: Vec::new(),
        others: Vec::new(),
        confirmed,
        real: true,
        by,
        against,
    })
}
