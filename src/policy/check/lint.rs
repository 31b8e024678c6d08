//! What is right, but probably not what somebody meant: roles without holders, holders without
//! use, actions that nobody may perform.

use std::collections::BTreeSet;

use crate::manifest::check::{World as Checked, at_field, object};
use crate::manifest::code::Code;
use crate::manifest::draft::{Draft, Where, way};
use crate::manifest::suggest::listed;
use crate::model::action::Action;
use crate::model::name::{Kind, RoleKey};
use crate::policy::access::{Side, Universe, matrix};
use crate::policy::rules::Rules;
use crate::policy::world::World;
use crate::policy::world::declared::held;

/// `own`: all rules, where the project has some of its own.
pub(super) fn check(world: &Checked<'_>, own: Option<&Rules>, drafts: &mut Vec<Draft>) {
    let holders = holders(world);
    roles(world, &holders, drafts);
    useless(world, drafts);
    // Without policies of the project's own, a global admin may do everything; that there is one
    // is a guard's question.
    if let Some(rules) = own {
        performed(world, rules, drafts);
    }
}

/// The roles that somebody holds, by themselves or through a role that includes it.
fn holders<'a>(world: &Checked<'a>) -> BTreeSet<&'a str> {
    let mut found: BTreeSet<&str> = BTreeSet::new();
    let mut due: Vec<&str> =
        world.estate.users.values().flat_map(|user| held(&user.spec)).collect();
    while let Some(role) = due.pop() {
        if found.insert(role)
            && let Some(role) = world.estate.roles.get(role)
        {
            due.extend(role.spec.includes.iter().map(RoleKey::as_str));
        }
    }
    found
}

fn roles(world: &Checked<'_>, holders: &BTreeSet<&str>, drafts: &mut Vec<Draft>) {
    let granted: BTreeSet<&RoleKey> = world
        .estate
        .delegated_access
        .values()
        .flat_map(|access| access.spec.grants.iter().map(|grant| &grant.to))
        .collect();
    for (key, role) in &world.estate.roles {
        if role.metadata.has_expired(world.today) {
            continue;
        }
        let object = || object(Kind::Role, key);
        let at = at_field(role, way!["metadata", "name"]);
        if !holders.contains(key.as_str()) {
            drafts.push(
                Draft::new(Code::P2301, at.clone(), format!("nobody holds `{key}`"))
                    .help("give it to somebody under `roles`, or take it out")
                    .object(object()),
            );
        }
        let gives = !role.spec.permissions.is_empty()
            || !role.spec.includes.is_empty()
            || granted.contains(key);
        if !gives {
            drafts.push(
                Draft::new(Code::P2302, at, format!("`{key}` gives its holders nothing"))
                    .help("say what it may do under `permissions` or `includes`, or grant it delegated access")
                    .object(object()),
            );
        }
    }
}

/// Roles of users who cannot sign in.
fn useless(world: &Checked<'_>, drafts: &mut Vec<Draft>) {
    for (key, user) in &world.estate.users {
        if user.spec.enabled || user.metadata.has_expired(world.today) {
            continue;
        }
        let roles: Vec<&str> = held(&user.spec).collect();
        if roles.is_empty() {
            continue;
        }
        let message = format!(
            "`{key}` cannot sign in, and still holds {}",
            listed(roles.iter().copied()).replace(" or ", " and ")
        );
        drafts.push(
            Draft::new(Code::P2303, at_field(user, way!["spec", "enabled"]), message)
                .help("take the roles away as well: they are back with the first sign-in")
                .object(object(Kind::User, key)),
        );
    }
}

/// Actions that nobody may perform.
fn performed(world: &Checked<'_>, rules: &Rules, drafts: &mut Vec<Draft>) {
    // Cedar has said what is wrong.
    let Some(performed) = by_policies(world, rules) else { return };
    // Without customers nothing is done for them.
    let any_customer = !world.customers.is_empty();
    let idle: Vec<&str> = Action::ALL
        .iter()
        .filter(|action| any_customer || !action.is_about_customers())
        .filter(|action| !performed.contains(action))
        .map(|action| action.word())
        .collect();
    if idle.is_empty() {
        return;
    }
    let message = match idle.as_slice() {
        [one] => format!("nobody may `{one}`"),
        several => format!(
            "nobody may do {} of the {} actions that permissions know: {}",
            several.len(),
            Action::ALL.len(),
            several.join(", ")
        ),
    };
    drafts.push(
        Draft::new(Code::P2304, Where::Estate, message)
            .help("a global admin may do everything: is there one who is enabled and permanent?"),
    );
}

fn by_policies(world: &Checked<'_>, rules: &Rules) -> Option<BTreeSet<Action>> {
    let declared = World::declared(world.estate, world.today);
    let policies = rules.set();
    let side = Side::new(&policies, &declared);
    let access = matrix(&side, &Universe::default()).ok()?;
    let actions = access.rectangles().iter().flat_map(|rectangle| rectangle.actions.iter());
    Some(actions.copied().collect())
}
