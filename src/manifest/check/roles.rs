//! Roles: what they include, whom their permissions select, which group carries them.

use std::collections::BTreeMap;

use super::customers::selector;
use super::references::find;
use super::{World, at_field, object};
use crate::manifest::code::Code;
use crate::manifest::draft::{Draft, way};
use crate::manifest::suggest::listed;
use crate::model::name::{Kind, RoleKey};
use crate::model::role::{AGENT_GROUPS, Group, is_built_in};

pub(super) fn check(world: &World<'_>, drafts: &mut Vec<Draft>) {
    for (key, role) in &world.estate.roles {
        for (index, included) in role.spec.includes.iter().enumerate() {
            if is_built_in(included.as_str()) {
                continue;
            }
            let at = || at_field(role, way!["spec", "includes", index]);
            find(
                world,
                Kind::Role,
                &world.estate.roles,
                included.as_str(),
                at,
                || object(Kind::Role, key),
                drafts,
            );
        }
        for (index, permission) in role.spec.permissions.iter().enumerate() {
            if let Some(customers) = &permission.customers {
                selector(
                    world,
                    role,
                    customers,
                    way!["spec", "permissions", index, "customers"],
                    &object(Kind::Role, key),
                    drafts,
                );
            }
        }
        if let Some(Group::Named { name, .. }) = &role.spec.group
            && AGENT_GROUPS.iter().any(|agents| agents.eq_ignore_ascii_case(name.as_str()))
        {
            drafts.push(
                Draft::new(Code::P1102, at_field(role, way!["spec", "group"]), format!("`{name}` is the group of an agent level"))
                    .help("choose the level at each user, `agent: admin`, and give this role a group of its own")
                    .object(object(Kind::Role, key)),
            );
        }
    }
    cycles(world, drafts);
}

/// So many circles are reported, and so many roles of each are pointed at: roles that all include
/// each other make more circles than anybody could read, or any memory hold.
const CIRCLES_MAX: usize = 100;
const CIRCLE_ROLES_MAX: usize = 20;

/// Reports each circle of `includes` once, at the first of its roles by name.
fn cycles(world: &World<'_>, drafts: &mut Vec<Draft>) {
    let roles = &world.estate.roles;
    let mut done: BTreeMap<&RoleKey, bool> = BTreeMap::new();
    let mut circles = 0;
    for start in roles.keys() {
        if done.contains_key(start) {
            continue;
        }
        // A walk with its own stack: a chain of includes may be long.
        let mut path: Vec<(&RoleKey, usize)> = vec![(start, 0)];
        done.insert(start, false);
        while let Some((key, next)) = path.last().copied() {
            let included = roles.get(key).and_then(|role| role.spec.includes.get(next));
            if let Some(last) = path.last_mut() {
                last.1 += 1;
            }
            let Some(included) = included else {
                done.insert(key, true);
                path.pop();
                continue;
            };
            let Some((included, _)) = roles.get_key_value(included) else { continue };
            match done.get(included) {
                Some(true) => {}
                Some(false) if circles == CIRCLES_MAX => return,
                Some(false) => {
                    circles += 1;
                    let from = path.iter().position(|(key, _)| *key == included).unwrap_or(0);
                    let circle: Vec<&RoleKey> =
                        path.iter().skip(from).map(|(key, _)| *key).collect();
                    report(world, &circle, drafts);
                }
                None => {
                    done.insert(included, false);
                    path.push((included, 0));
                }
            }
        }
    }
}

fn report(world: &World<'_>, circle: &[&RoleKey], drafts: &mut Vec<Draft>) {
    let Some(first) = circle.iter().min() else { return };
    let Some(role) = world.estate.roles.get(*first) else { return };
    let message = if circle.len() == 1 {
        format!("`{first}` includes itself")
    } else {
        format!(
            "{} include each other",
            listed(circle.iter().map(|key| key.as_str())).replace(" or ", " and ")
        )
    };
    let mut draft = Draft::new(Code::P1101, at_field(role, way!["spec", "includes"]), message)
        .help("leave out the include that closes the circle")
        .object(object(Kind::Role, first));
    for key in circle.iter().filter(|key| *key != first).take(CIRCLE_ROLES_MAX) {
        if let Some(other) = world.estate.roles.get(*key) {
            draft = draft.related(
                format!("`{key}` is in the circle"),
                at_field(other, way!["spec", "includes"]),
            );
        }
    }
    drafts.push(draft);
}
