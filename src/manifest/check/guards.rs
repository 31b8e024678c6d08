//! Guards, as far as they can be seen without the tenant: who could still let us in.

use super::references::suggestion;
use super::{World, object};
use crate::manifest::code::Code;
use crate::manifest::draft::{Draft, On, Where, way};
use crate::manifest::suggest::quoted;
use crate::model::estate::Declared;
use crate::model::name::Kind;
use crate::model::project::Guards;
use crate::model::user::{AdminLevel, AgentLevel, User};

pub(super) fn check(world: &World<'_>, drafts: &mut Vec<Draft>) {
    let nothing = world.estate.users.is_empty() && world.estate.account.is_none();
    if nothing || !world.complete {
        // Of nothing, or of a part, it says nothing how many there are.
        return;
    }
    let guards = world.project.map_or_else(Guards::default, |(project, _)| project.guards.clone());
    required(world, &guards, drafts);
    if world.lost.may_declare(Kind::User) {
        return;
    }
    // Whoever could not be read may be an admin.
    let unknown = world.broken.iter().filter(|(kind, _)| *kind == Kind::User).count();
    let counted = |user: &&Declared<User>| {
        user.spec.enabled && !user.spec.is_guest() && !user.metadata.has_expired(world.today)
    };
    let users = || world.estate.users.values().filter(counted);
    let admins = users().filter(|user| user.spec.holds_permanently(AdminLevel::Global)).count();
    let agents = users().filter(|user| user.spec.agent.contains(&AgentLevel::Admin)).count();
    let minimum = |key: &str| match world.project {
        Some((project, origin)) if project.guards != Guards::default() => {
            Where::Field { origin, path: way!["spec", "guards", key, "min"], on: On::Value }
        }
        _ => Where::Estate,
    };
    if admins + unknown < guards.global_admins_min as usize {
        let message = format!(
            "{} declared, and at least {} must remain",
            count(admins, "global admin"),
            guards.global_admins_min
        );
        drafts.push(
            Draft::new(Code::P1901, minimum("globalAdmins"), message)
                .help("those count who are enabled, not guests, not expired, and have `admin: global` for good"),
        );
    }
    if agents + unknown < guards.admin_agents_min as usize {
        let message = format!(
            "{} declared, and at least {} must remain",
            count(agents, "admin agent"),
            guards.admin_agents_min
        );
        drafts.push(
            Draft::new(Code::P1902, minimum("adminAgents"), message).help(
                "those count who are enabled, not guests, not expired, and have `agent: admin`",
            ),
        );
    }
}

fn count(number: usize, what: &str) -> String {
    match number {
        0 => format!("no {what} is"),
        1 => format!("one {what} is"),
        _ => format!("{number} {what}s are"),
    }
}

fn required(world: &World<'_>, guards: &Guards, drafts: &mut Vec<Draft>) {
    let Some((_, origin)) = world.project else { return };
    for (index, key) in guards.required.iter().enumerate() {
        let at = || Where::Field {
            origin,
            path: way!["spec", "guards", "required", index],
            on: On::Value,
        };
        let Some(user) = world.estate.users.get(key) else {
            if !world.is_broken(Kind::User, key.as_str()) {
                let users = &world.estate.users;
                let names = users.keys().map(crate::model::name::UserKey::as_str);
                let help = suggestion(key.as_str(), names, users.len(), drafts)
                    .unwrap_or_else(|| "declare the user, or require somebody else".to_owned());
                drafts.push(
                    Draft::new(
                        Code::P1903,
                        at(),
                        format!("the required user {} is not declared", quoted(key.as_str())),
                    )
                    .help(help),
                );
            }
            continue;
        };
        let why = if !user.spec.enabled {
            "is not enabled"
        } else if user.metadata.has_expired(world.today) {
            "has expired"
        } else {
            continue;
        };
        drafts.push(
            Draft::new(Code::P1903, at(), format!("the required user `{key}` {why}"))
                .help("keep the user able to sign in, or require somebody else")
                .object(object(Kind::User, key))
                .related("the user", super::at_field(user, way!["spec"])),
        );
    }
}
