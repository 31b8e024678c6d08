//! Who may do what afterwards that could not before, and the other way round.

use std::collections::BTreeSet;

use super::delegated::Given;
use super::effect::Effect;
use super::file::{AccessChange, Rectangle};
use super::gather::Gather;
use super::order::Ordered;
use super::people::People;
use crate::policy::access::{Access, Pairing, Side, Universe, Which, difference};
use crate::policy::expect::object;
use crate::policy::world::declared::customer_shape;
use crate::policy::world::{Type, Uid, Value, World};

/// Works it out, for those whose rights any step changes.
pub(super) fn change(gather: &Gather<'_>, people: &People<'_>, steps: &[Ordered]) -> AccessChange {
    let mut after_people = people.clone();
    let mut whom = BTreeSet::new();
    let mut customers = BTreeSet::new();
    for one in steps {
        after_people.apply(&one.effect);
        if let Some(person) = one.effect.user().and_then(|user| people.get(user)) {
            whom.insert(person.uid());
        }
        if let Effect::Begins { customer } | Effect::Ends { customer } = &one.effect {
            customers.insert(Uid::new(Type::Customer, customer.as_str()));
        }
    }
    let given = Given::of(gather, steps);
    customers.extend(given.changed.iter().map(|name| Uid::new(Type::Customer, name.as_str())));
    if whom.is_empty() && customers.is_empty() {
        return AccessChange::default();
    }
    let mut before = world(gather, people, steps, false);
    given.before.tell(&mut before);
    let mut after = world(gather, &after_people, steps, true);
    given.after.tell(&mut after);
    let input = gather.input;
    let sets = [&given.before, &given.after]
        .map(|given| input.rules.with_delegated(given, input.estate, input.today).set());
    let mut found = AccessChange::default();
    let everything = Which::Types(BTreeSet::from([
        Type::Customer,
        Type::Provider,
        Type::Reseller,
        Type::Account,
    ]));
    let mut ask = |principals: Which, resources: Which| {
        let universe = Universe { principals, resources, ..Universe::default() };
        let [policies_before, policies_after] = &sets;
        let before = &Side::new(policies_before, &before);
        let after = &Side::new(policies_after, &after);
        match difference(before, after, &universe) {
            Ok(difference) => {
                found.gained.extend(rectangles(&difference.gained));
                found.lost.extend(rectangles(&difference.lost));
            }
            Err(refused) => tracing::warn!(%refused, "who gains what is not known"),
        }
    };
    if !whom.is_empty() {
        ask(Which::Listed(whom.clone()), everything);
    }
    if !customers.is_empty() {
        // Those whose own rights change were asked about all customers.
        let others = before
            .of(Type::User)
            .iter()
            .map(|(name, _)| Uid::new(Type::User, name.clone()))
            .filter(|uid| !whom.contains(uid))
            .collect();
        ask(Which::Listed(others), Which::Listed(customers));
    }
    found.gained.sort();
    found.lost.sort();
    found
}

/// The tenant before any step, or after all of them.
fn world(gather: &Gather<'_>, people: &People<'_>, steps: &[Ordered], is_after: bool) -> World {
    let input = gather.input;
    let mut world = World::declared_but_for_people(input.estate, input.today);
    for person in people.all().filter(|person| !person.is_gone()) {
        world.suppose(person.uid(), person.shape());
    }
    let (mut begins, mut ends) = (BTreeSet::new(), BTreeSet::new());
    for one in steps {
        match &one.effect {
            Effect::Begins { customer } => begins.insert(customer.as_str()),
            Effect::Ends { customer } => ends.insert(customer.as_str()),
            _ => false,
        };
    }
    for (key, declared) in &input.estate.customers {
        let is_live =
            gather.bound.customers.get(key).is_some_and(|binding| binding.live().is_some());
        let is_ours = if is_after {
            (is_live && !ends.contains(key.as_str())) || begins.contains(key.as_str())
        } else {
            is_live
        };
        let mut shape = customer_shape(declared);
        for (name, value) in &mut shape.attributes {
            if *name == "relationship" {
                *value = Value::Text(if is_ours { "reseller" } else { "none" }.into());
            }
        }
        world.add(Type::Customer, key.as_str().into(), shape);
    }
    world
}

fn rectangles(access: &Access<'_>) -> Vec<Rectangle> {
    let mut rows = Vec::new();
    for rectangle in access.rectangles() {
        let actions: Vec<String> =
            rectangle.actions.iter().map(|action| action.word().to_owned()).collect();
        let policies: Vec<String> = rectangle.policies.iter().map(ToString::to_string).collect();
        let row = |principals: Vec<String>, resources: Vec<String>| Rectangle {
            count: (principals.len() * actions.len() * resources.len()) as u64,
            principals,
            actions: actions.clone(),
            resources,
            policies: policies.clone(),
        };
        if rectangle.pairing == Pairing::All {
            let principals = access.principals_of(rectangle).map(|uid| object(&uid)).collect();
            let resources = access.resources_of(rectangle).map(|uid| object(&uid)).collect();
            rows.push(row(principals, resources));
        } else {
            for (principal, resource) in access.pairs_of(rectangle) {
                rows.push(row(vec![object(&principal)], vec![object(&resource)]));
            }
        }
    }
    rows
}
