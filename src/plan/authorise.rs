//! What policy says of each step, for the actor: a step is a question to Cedar, with what is before
//! and after in its context.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Context, RestrictedExpression};

use super::change::{Change, Target};
use super::effect::Effect;
use super::file::{Refusal, Why};
use super::gather::Gather;
use super::input::Actor;
use super::order::Ordered;
use super::people::{People, Person};
use super::step::{Authorisation, Decision, Step};
use crate::model::Str;
use crate::model::name::Reference;
use crate::model::record::ObjectKey;
use crate::model::tenant::ProfileKind;
use crate::policy::judge::{Decision as Said, Judge};
use crate::policy::level::Level;
use crate::policy::rules::{Rule, Rules};
use crate::policy::vocabulary::action_uid;
use crate::policy::world::declared::customer_shape;
use crate::policy::world::{Shape, Type, Uid, Value, World};

/// A finding that a Waiver for an overridable guardrail names.
const OVERRIDABLE: &str = "P2202";

/// Says of each step whether the actor may do it, and what it costs.
pub(super) fn authorise(
    gather: &mut Gather<'_>,
    people: &People<'_>,
    mut ordered: Vec<Ordered>,
) -> Vec<Ordered> {
    if ordered.is_empty() {
        return ordered;
    }
    let rules = gather.input.rules;
    let world = world(gather, people, &ordered, &rules.named());
    for one in &mut ordered {
        one.last_of.retain(|role| is_privileged(&world, role));
        if let Effect::Gives { role, .. } = &one.effect
            && is_privileged(&world, role)
        {
            one.step.cost.privileged_grants = 1;
        }
    }
    let Some((actor, name)) = actor(gather, people) else {
        for one in &mut ordered {
            one.step.authorisation = Authorisation {
                decision: Decision::Unknown,
                policies: Vec::new(),
                reason: Some(
                    "in whose token it will be applied is not known: judged then".to_owned(),
                ),
            };
        }
        return ordered;
    };
    let judge = match Judge::new(rules, &world) {
        Ok(judge) => judge,
        Err(refused) => {
            gather.drafts.refuse(
                Why::Policy,
                format!("the steps cannot be judged: {refused}"),
                "this is a bug of partnerctl",
            );
            return ordered;
        }
    };
    let mut people = people.clone();
    for one in &mut ordered {
        let (action, resource) = question(gather, &people, &one.step, &one.effect);
        let context = context(one, &people);
        people.apply(&one.effect);
        let decision = context.map(|context| {
            judge.decide_in(actor.cedar(), action_uid(action), resource.cedar(), context)
        });
        let decision = decision.unwrap_or_default();
        if decision.allowed && raises(&people, &one.step.change) {
            refuse_raising(gather, &mut one.step, &name);
            continue;
        }
        let waived = !decision.allowed && is_waived(gather, rules, &one.step, &decision.by);
        let reason = if decision.allowed {
            advice(rules, &decision)
        } else {
            Some(why(rules, &decision, action))
        };
        one.step.authorisation = Authorisation {
            decision: if decision.allowed || waived { Decision::Allow } else { Decision::Deny },
            policies: decision.by.clone(),
            reason: reason.clone(),
        };
        if !decision.allowed && !waived {
            let remedy = remedy(rules, &one.step, &decision, action);
            gather.drafts.refused.push(Refusal {
                why: Why::Policy,
                step: Some(one.step.id.clone()),
                message: format!(
                    "{name} may not do `{}`: {}",
                    one.step.id,
                    reason.unwrap_or_default()
                ),
                remedy,
            });
        }
    }
    ordered
}

/// Whether whoever resets a password could become a global admin by it, and is none: not only who
/// holds the role now, also who may activate it is as good as one. Policies know the former alone.
fn raises(people: &People<'_>, change: &Change) -> bool {
    const GLOBAL: &str = "global-admin";
    let Change::ResetPassword { user, .. } = change else { return false };
    let is_global = |person: &Person<'_>| person.roles().any(|role| role == GLOBAL);
    let actor = people.actor.as_ref().and_then(|actor| people.get(actor));
    people.get(user).is_some_and(|user| is_global(user) || user.may_activate(GLOBAL))
        && !actor.is_some_and(is_global)
}

fn refuse_raising(gather: &mut Gather<'_>, step: &mut Step, name: &str) {
    let reason =
        "only a global admin resets the password of a global admin, or of who may become one";
    step.authorisation.decision = Decision::Deny;
    step.authorisation.reason = Some(reason.to_owned());
    gather.drafts.refused.push(Refusal {
        why: Why::Guard,
        step: Some(step.id.clone()),
        message: format!("{name} may not do `{}`: {reason}", step.id),
        remedy: "let a global admin do it".to_owned(),
    });
}

/// Who applies, as policies know them, and as people do.
fn actor(gather: &Gather<'_>, people: &People<'_>) -> Option<(Uid, String)> {
    match gather.input.actor.as_ref()? {
        Actor::User(id) => {
            let uid = people.get(&Target::Id(*id))?.uid();
            let name = format!("user/{}", uid.name);
            Some((uid, name))
        }
        Actor::Application(id) => {
            Some((Uid::new(Type::Application, id.to_string()), format!("application/{id}")))
        }
    }
}

/// The roles and the account as declared; the people and customers that steps are about, or whom
/// policies name, as they are.
fn world(
    gather: &Gather<'_>,
    people: &People<'_>,
    ordered: &[Ordered],
    named: &BTreeSet<Uid>,
) -> World {
    let input = gather.input;
    let mut world = World::declared_but_for_people(input.estate, input.today);
    let theirs = |person: &&Person<'_>| !named.is_empty() && named.contains(&person.uid());
    // Of two with a name, the one who is there.
    let (gone, there): (Vec<_>, Vec<_>) =
        people.all().filter(theirs).partition(|who| who.is_gone());
    for person in gone.into_iter().chain(there) {
        world.suppose(person.uid(), person.shape());
    }
    let about = ordered.iter().filter_map(|one| one.effect.user().or(target(&one.step.change)));
    for target in about.chain(people.actor.as_ref()) {
        if let Some(person) = people.get(target) {
            world.suppose(person.uid(), person.shape());
        }
    }
    if let Some(Actor::Application(id)) = &input.actor {
        world.suppose(Uid::new(Type::Application, id.to_string()), Shape::default());
    }
    let mut customers: BTreeSet<&str> =
        ordered.iter().filter_map(|one| one.step.object.customer()).collect();
    let declared = |uid: &&Uid| input.estate.customers.contains_key(uid.name.as_str());
    let named = named.iter().filter(|uid| uid.ty == Type::Customer).filter(declared);
    customers.extend(named.map(|uid| uid.name.as_str()));
    let delegated: BTreeSet<&str> = ordered
        .iter()
        .filter(|one| one.step.change.relationship().is_some())
        .filter_map(|one| one.step.object.customer())
        .collect();
    for name in customers {
        let Some(declared) = input.estate.customers.get(name) else {
            // Its document is gone; of what we had with it something is left to end.
            world.suppose(Uid::new(Type::Customer, name), Shape::default());
            continue;
        };
        let mut shape = customer_shape(declared);
        let live = gather.bound.customers.get(name);
        // Delegated access that is there is a relationship too: whoever ends it needs no other.
        let is_live =
            live.is_some_and(|binding| binding.live().is_some()) || delegated.contains(name);
        for (name, value) in &mut shape.attributes {
            if *name == "relationship" {
                *value = Value::Text(if is_live { "reseller" } else { "none" }.into());
            }
        }
        world.suppose(Uid::new(Type::Customer, name), shape);
    }
    world
}

/// Whom a change is about that changes nobody's rights.
fn target(change: &Change) -> Option<&Target> {
    match change {
        Change::UpdateUser { user, .. }
        | Change::RestoreUser { user }
        | Change::ResetPassword { user, .. } => Some(user),
        _ => None,
    }
}

fn is_privileged(world: &World, role: &Str) -> bool {
    let shape = world.shape_of(&Uid::new(Type::Role, role.clone()));
    shape
        .and_then(|shape| world.shape(shape))
        .is_some_and(|shape| shape.attributes.contains(&("privileged", Value::Bool(true))))
}

/// The action that a step is, and what it is done to.
fn question(
    gather: &Gather<'_>,
    people: &People<'_>,
    step: &Step,
    effect: &Effect,
) -> (&'static str, Uid) {
    let account = || {
        let account = gather.input.estate.account.as_ref();
        Uid::new(Type::Account, account.map_or("", |account| account.metadata.name.as_str()))
    };
    let person = || {
        let target = effect.user().or(target(&step.change));
        target.and_then(|target| people.get(target)).map_or_else(account, Person::uid)
    };
    let customer = || Uid::new(Type::Customer, step.object.customer().unwrap_or_default());
    match &step.change {
        Change::CreateUser { .. }
        | Change::UpdateUser { .. }
        | Change::RestoreUser { .. }
        | Change::DeleteUser { .. } => ("manage-users", person()),
        Change::ResetPassword { .. } => ("reset-password", person()),
        Change::CreateGroup { .. } | Change::UpdateGroup { .. } | Change::DeleteGroup { .. } => {
            ("assign-roles", account())
        }
        Change::AddMember { .. }
        | Change::RemoveMember { .. }
        | Change::AssignRole { .. }
        | Change::RemoveRole { .. }
        | Change::AddAccountRole { .. }
        | Change::RemoveAccountRole { .. } => {
            let is_compliance = matches!(
                effect,
                Effect::Gives { role, .. } | Effect::Takes { role, .. } if role == "compliance-admin"
            );
            let action = if is_compliance { "assign-compliance-admin" } else { "assign-roles" };
            (action, person())
        }
        Change::PutProfile { profile: ProfileKind::Legal, .. } => ("edit-legal-profile", account()),
        Change::PutProfile { profile: ProfileKind::Billing, .. } => ("manage-billing", account()),
        Change::PutProfile { .. } => ("edit-partner-profile", account()),
        Change::CreateCustomer { .. } => ("create-customer", account()),
        Change::PutCustomerBilling { .. } | Change::AskQualification { .. } => {
            ("edit-customer", customer())
        }
        Change::EndRelationship { .. } => ("end-relationship", customer()),
        Change::RequestDelegation { .. } | Change::LockDelegation { .. } => {
            ("request-delegated-administration", customer())
        }
        Change::UpdateDelegation { .. }
        | Change::DeleteDelegation { .. }
        | Change::TerminateDelegation { .. } => ("manage-delegated-access", customer()),
        Change::AssignDelegated { .. }
        | Change::UpdateDelegated { .. }
        | Change::UnassignDelegated { .. } => ("assign-delegated-access", customer()),
    }
}

fn roles<'r>(names: impl Iterator<Item = &'r Str>) -> RestrictedExpression {
    RestrictedExpression::new_set(names.map(|name| {
        RestrictedExpression::new_entity_uid(Uid::new(Type::Role, name.clone()).cedar())
    }))
}

fn state(people: &People<'_>, effect: &Effect) -> Option<RestrictedExpression> {
    let person = people.get(effect.user()?).filter(|person| !person.is_gone())?;
    let members = [
        ("enabled", RestrictedExpression::new_bool(person.is_enabled())),
        ("guest", RestrictedExpression::new_bool(person.is_guest())),
        ("roles", roles(person.roles())),
    ];
    let members = members.map(|(name, value)| (name.to_owned(), value));
    RestrictedExpression::new_record(members).ok()
}

/// What is before and after, for policies that ask.
fn context(one: &Ordered, people: &People<'_>) -> Option<Context> {
    let mut after = people.clone_for(&one.effect);
    if let Some(after) = &mut after {
        after.apply(&one.effect);
    }
    let gives = match &one.effect {
        Effect::Gives { role, .. } => Some(role),
        _ => None,
    };
    let takes: BTreeSet<Str> = match &one.effect {
        Effect::Takes { role, .. } => BTreeSet::from([role.clone()]),
        Effect::Deletes { user } | Effect::Disables { user } => {
            people.get(user).map(|person| person.roles().cloned().collect()).unwrap_or_default()
        }
        _ => BTreeSet::new(),
    };
    let mut members = BTreeMap::from([
        ("verb".to_owned(), RestrictedExpression::new_string(one.step.verb.word().to_owned())),
        ("grants".to_owned(), roles(gives.into_iter())),
        ("revokes".to_owned(), roles(takes.iter())),
        ("lastOf".to_owned(), roles(one.last_of.iter())),
        (
            "irreversible".to_owned(),
            RestrictedExpression::new_bool(one.step.irreversible.is_some()),
        ),
    ]);
    if let Some(before) = state(people, &one.effect) {
        members.insert("before".to_owned(), before);
    }
    if let Some(after) = after.as_ref().and_then(|after| state(after, &one.effect)) {
        members.insert("after".to_owned(), after);
    }
    let change = RestrictedExpression::new_record(members).ok()?;
    Context::from_pairs([("change".to_owned(), change)]).ok()
}

/// Whether all that forbids it are guardrails that somebody answers for.
fn is_waived(gather: &Gather<'_>, rules: &Rules, step: &Step, by: &[String]) -> bool {
    let overridable =
        |id: &String| rules.by_id(id).is_some_and(|rule| rule.level == Some(Level::Overridable));
    !by.is_empty()
        && by.iter().all(overridable)
        && gather.input.estate.waivers.values().any(|waiver| {
            waiver.spec.finding.as_str() == OVERRIDABLE
                && waiver.spec.until >= gather.input.today
                && is_on(&waiver.spec.on, &step.object)
        })
}

fn is_on(reference: &Reference, object: &ObjectKey) -> bool {
    matches!(reference, Reference::Document(kind, name) if *kind == object.kind && name.as_str() == object.name)
}

/// What helps: somebody else, or somebody who answers for it.
fn remedy(rules: &Rules, step: &Step, decision: &Said, action: &str) -> String {
    let level = |id: &String| rules.by_id(id).and_then(|rule| rule.level);
    if decision.by.is_empty() {
        return format!("let somebody apply it who has {action}");
    }
    if decision.by.iter().any(|id| decision.failure(id).is_some()) {
        return "correct the policy: where it reads something of somebody who may not be there, let it ask first, as in `User::\"aiko\" has enabled &&`".to_owned();
    }
    if decision.by.iter().all(|id| level(id) == Some(Level::Overridable)) {
        return format!(
            "change the manifests, or let somebody answer for it with a Waiver: `finding: {OVERRIDABLE}`, `on: {}`",
            step.object
        );
    }
    "change the manifests, or let somebody apply it whom this does not forbid".to_owned()
}

/// Why not, in the words of the policies.
fn why(rules: &Rules, decision: &Said, action: &str) -> String {
    if decision.by.is_empty() {
        return format!("no policy permits {action}");
    }
    let reasons: Vec<String> = decision
        .by
        .iter()
        .map(|id| match decision.failure(id) {
            Some(said) => format!("{id} cannot be evaluated, and so forbids it: {said}"),
            None => told(rules, id),
        })
        .collect();
    reasons.join("; ")
}

/// What speaks against a step that nothing forbids.
fn advice(rules: &Rules, decision: &Said) -> Option<String> {
    let advice: Vec<String> = decision.advice.iter().map(|id| told(rules, id)).collect();
    (!advice.is_empty()).then(|| format!("advised against by {}", advice.join("; ")))
}

/// A policy, and why it is there.
fn told(rules: &Rules, id: &str) -> String {
    match rules.by_id(id).and_then(Rule::reason) {
        Some(reason) => format!("{id}: {reason}"),
        None => id.to_owned(),
    }
}
