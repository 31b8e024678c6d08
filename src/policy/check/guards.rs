//! Guardrails over the estate itself: may this user hold this role, may this group be given that?
//!
//! The library's guardrails can only ever have something against a few: guests, webmail addresses,
//! Global Administrator and the roles that lead to it. Unless a project has guardrails of its own on these questions, only those few
//! are asked about.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use cedar_policy::{Context, RestrictedExpression};

use crate::manifest::check::{World as Checked, at_field, object};
use crate::manifest::code::Code;
use crate::manifest::draft::{Draft, Step, Where, way};
use crate::manifest::suggest::quoted;
use crate::model::delegated_access::{AutoExtend, DelegatedAccess};
use crate::model::directory_role::DirectoryRole;
use crate::model::estate::Declared;
use crate::model::name::{Kind, RoleKey};
use crate::model::user::{RoleGrant, User};
use crate::policy::judge::{Decision, Judge};
use crate::policy::level::Level;
use crate::policy::rules::{Placed, Rules};
use crate::policy::vocabulary::action_uid;
use crate::policy::world::declared::{admin_role, agent_role, held};
use crate::policy::world::{Type, Uid, World};

const HOLD_ROLE: &str = "hold-role";
const RECEIVE_DIRECTORY_ROLE: &str = "receive-directory-role";

/// `own`: all rules, where the project has some of its own.
pub(super) fn check(world: &Checked<'_>, own: Option<&Rules>, drafts: &mut Vec<Draft>) {
    roles(world, own, drafts);
    directory_roles(world, own, drafts);
}

/// Whether the project says something of its own on a question.
fn asks(own: Option<&Rules>, action: &str) -> bool {
    let action = action_uid(action);
    own.is_some_and(|rules| {
        rules
            .iter()
            .any(|rule| matches!(rule.place, Placed::Project { .. }) && rule.is_about(&action))
    })
}

fn roles(world: &Checked<'_>, own: Option<&Rules>, drafts: &mut Vec<Draft>) {
    let everybody = asks(own, HOLD_ROLE);
    let suspects: Vec<_> = world
        .estate
        .users
        .iter()
        .filter(|(_, user)| everybody || is_suspect(&user.spec))
        .filter(|(_, user)| held(&user.spec).next().is_some())
        .collect();
    if suspects.is_empty() {
        return;
    }
    let rules = &*own.map_or_else(|| Cow::Owned(Rules::library()), Cow::Borrowed);
    let declared = World::declared_but_for_customers(world.estate, world.today);
    let uids = suspects.iter().map(|(key, _)| Uid::new(Type::User, key.as_str()));
    let Ok(entities) = declared.entities_around(uids, &rules.named()) else { return };
    let action = action_uid(HOLD_ROLE);
    let judge = Judge::asking(rules, entities, [action.clone()]);
    // Whoever is alike holds a role with the same right.
    let mut known: HashMap<_, Decision> = HashMap::new();
    for (key, user) in suspects {
        let uid = Uid::new(Type::User, key.as_str());
        let alike = (!everybody).then(|| declared.shape_of(&uid)).flatten();
        for role in held(&user.spec) {
            let role_uid = Uid::new(Type::Role, role);
            let ask =
                || judge.decide_in(uid.cedar(), action.clone(), role_uid.cedar(), Context::empty());
            let decision = match alike {
                Some(shape) => known.entry((shape, role_uid.clone())).or_insert_with(ask).clone(),
                None => ask(),
            };
            if passes(&decision) {
                continue;
            }
            let subject = format!("`{key}` holds `{role}`");
            let at = at_field(user, path_of(&user.spec, role));
            let object = object(Kind::User, key);
            report(rules, &decision, &subject, &at, &object, drafts);
        }
    }
}

/// Whether a guardrail of the library could have anything against a user.
fn is_suspect(user: &User) -> bool {
    user.is_guest() || user.email.is_webmail()
}

/// The field by which a user holds a role.
fn path_of(user: &User, role: &str) -> Vec<Step> {
    if user.agent.iter().any(|level| agent_role(*level) == role) {
        return way!["spec", "agent"];
    }
    if user.admin.iter().any(|(level, _)| admin_role(*level) == role) {
        return way!["spec", "admin"];
    }
    let index = user.roles.iter().flatten().position(|grant| match grant {
        RoleGrant::Custom(key) => key.as_str() == role,
        RoleGrant::Account { role: account, .. } => account.word() == role,
        RoleGrant::Unrecognised { .. } => false,
    });
    match index {
        Some(index) => way!["spec", "roles", index],
        None => way!["spec", "roles"],
    }
}

fn directory_roles(world: &Checked<'_>, own: Option<&Rules>, drafts: &mut Vec<Draft>) {
    let everything = asks(own, RECEIVE_DIRECTORY_ROLE);
    let is_suspect = |access: &DelegatedAccess| {
        let mut given = access.grants.iter().flat_map(|grant| &grant.directory_roles);
        everything || given.any(|role| role.is_privileged())
    };
    let suspects: Vec<_> = world
        .estate
        .delegated_access
        .iter()
        .filter(|(_, access)| !access.metadata.has_expired(world.today) && is_suspect(&access.spec))
        .collect();
    if suspects.is_empty() {
        return;
    }
    let rules = &*own.map_or_else(|| Cow::Owned(Rules::library()), Cow::Borrowed);
    let declared = World::declared(world.estate, world.today);
    let named = rules.named();
    for (key, access) in suspects {
        let mut customers: Vec<Uid> = world
            .customers
            .selected(&access.spec.customers)
            .into_iter()
            .map(|(key, _)| Uid::new(Type::Customer, key.as_str()))
            .collect();
        if !everything {
            // The library does not look at the customer.
            customers.truncate(1);
        }
        // Of those that are alike one is asked about.
        let mut shapes = BTreeSet::new();
        customers
            .retain(|uid| everything || declared.shape_of(uid).is_none_or(|s| shapes.insert(s)));
        let Ok(entities) = declared.entities_around(customers.iter().cloned(), &named) else {
            return;
        };
        let judge = Judge::asking(rules, entities, [action_uid(RECEIVE_DIRECTORY_ROLE)]);
        for (index, grant) in access.spec.grants.iter().enumerate() {
            for (at, directory_role) in grant.directory_roles.iter().enumerate() {
                let path = way!["spec", "grants", index, "directoryRoles", at];
                let refused = customers.iter().find_map(|customer| {
                    let decision = receive(&judge, access, &grant.to, *directory_role, customer);
                    (!passes(&decision)).then_some((customer, decision))
                });
                let Some((customer, decision)) = refused else { continue };
                let whom =
                    if everything { format!(" at `{}`", customer.name) } else { String::new() };
                let subject = format!("`{}` is given {directory_role}{whom}", grant.to);
                let object = object(Kind::DelegatedAccess, key);
                report(rules, &decision, &subject, &at_field(access, path), &object, drafts);
            }
        }
    }
}

fn receive(
    judge: &Judge<'_>,
    access: &Declared<DelegatedAccess>,
    to: &RoleKey,
    directory_role: DirectoryRole,
    customer: &Uid,
) -> Decision {
    let pairs = [
        ("directoryRole", RestrictedExpression::new_string(directory_role.to_string())),
        ("days", RestrictedExpression::new_long(i64::from(access.spec.duration.0))),
        ("autoExtend", RestrictedExpression::new_bool(access.spec.auto_extend != AutoExtend::None)),
    ];
    let context = Context::from_pairs(pairs.map(|(key, value)| (key.to_owned(), value)));
    let Ok(context) = context else { return Decision::default() };
    judge.decide_in(
        Uid::new(Type::Role, to.as_str()).cedar(),
        action_uid(RECEIVE_DIRECTORY_ROLE),
        customer.cedar(),
        context,
    )
}

/// Whether no guardrail has anything to say.
const fn passes(decision: &Decision) -> bool {
    decision.allowed && decision.advice.is_empty()
}

/// A finding for each guardrail that says no, or that advises against it.
fn report(
    rules: &Rules,
    decision: &Decision,
    subject: &str,
    at: &Where,
    object: &str,
    drafts: &mut Vec<Draft>,
) {
    let refused = if decision.allowed { &[] } else { decision.by.as_slice() };
    for id in refused.iter().chain(&decision.advice) {
        let Some(rule) = rules.by_id(id) else { continue };
        let (code, verb, help) = match rule.level.unwrap_or(Level::Hard) {
            Level::Advisory => {
                (Code::P2203, "advises against", "it is only said; a Waiver silences it")
            }
            Level::Overridable => {
                (Code::P2202, "forbids", "change it, or let somebody answer for it with a Waiver")
            }
            Level::Hard => (Code::P2201, "forbids", "change it: nobody can let this pass"),
        };
        let reason = match (decision.failure(id), rule.reason()) {
            (Some(said), _) => format!(", as it cannot be evaluated: {said}"),
            (None, Some(reason)) => format!(": {reason}"),
            (None, None) => String::new(),
        };
        let message = format!("{subject}, which {} {verb}{reason}", quoted(id));
        let mut draft = Draft::new(code, at.clone(), message).help(help).object(object);
        if let Placed::Project { source, span } = &rule.place {
            draft = draft
                .related("the policy stands here", Where::Bytes { source: *source, span: *span });
        }
        drafts.push(draft);
    }
    if !decision.allowed && decision.by.is_empty() {
        // No permit either: a policy of the project took the library's place, or failed.
        let message = format!("{subject}, which no policy permits");
        drafts.push(Draft::new(Code::P2201, at.clone(), message).object(object));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::library;

    #[test]
    fn every_role_that_the_library_speaks_of_is_asked_about_and_no_other() {
        let guards = library::policies().iter().filter(|shelved| shelved.written.level.is_some());
        let text: String = guards.map(|shelved| shelved.written.policy.to_string()).collect();
        for name in DirectoryRole::names() {
            let named = text.contains(&format!("{name:?}"));
            let is_asked = DirectoryRole::named(name).is_some_and(DirectoryRole::is_privileged);
            assert_eq!(named, is_asked, "{name}");
        }
    }
}
