//! Least privilege: directory roles that go further than what their group's role may do.
//!
//! Asked of one grant at a time, the mightiest role first: without it, would anything be missing that
//! a permission speaks of? Of a role that is not known nothing is said, nor of Directory Readers: it is
//! the least there is.
//!
//! Whoever may `administer-on-behalf` may need a role for work that there is no action for (mailboxes,
//! sites, devices). Then a role is only too much if it gives power over people that no permission
//! speaks of.

use std::collections::{BTreeMap, BTreeSet};

use super::selections::{Customers, Selections, meet};
use crate::manifest::check::{World as Checked, at_field, object};
use crate::manifest::code::Code;
use crate::manifest::draft::{Draft, way};
use crate::manifest::suggest::listed;
use crate::model::action::Action;
use crate::model::delegated_access::Grant;
use crate::model::directory_role::DirectoryRole;
use crate::model::name::{Kind, RoleKey};
use crate::model::role::is_built_in;
use crate::policy::directory::{self, Allowed};
use crate::policy::library;

pub(super) fn check<'e>(
    world: &Checked<'e>,
    selections: &mut Selections<'_, 'e>,
    drafts: &mut Vec<Draft>,
) {
    let mut permissions: BTreeMap<&RoleKey, Vec<(Action, Customers<'e>)>> = BTreeMap::new();
    for (key, access) in &world.estate.delegated_access {
        if access.metadata.has_expired(world.today) {
            continue;
        }
        for (index, grant) in access.spec.grants.iter().enumerate() {
            // What a built-in role may do is not ours to say.
            let Some(role) = world.estate.roles.get(&grant.to) else { continue };
            if role.metadata.has_expired(world.today) {
                continue;
            }
            let covered = selections.of(&access.spec.customers);
            let permitted = permissions
                .entry(&grant.to)
                .or_insert_with(|| permitted(world, &grant.to, selections));
            let needed = needed(permitted, &covered);
            // That there is no permission at all is another finding.
            if needed.is_empty() {
                continue;
            }
            for (at, excess) in judge(grant, &needed) {
                let path = way!["spec", "grants", index, "directoryRoles", at];
                let (message, help) = excess.told(&grant.to);
                drafts.push(
                    Draft::new(Code::P2103, at_field(access, path), message)
                        .help(help)
                        .object(object(Kind::DelegatedAccess, key))
                        .related(
                            format!("what `{}` may do", grant.to),
                            at_field(role, way!["spec", "permissions"]),
                        ),
                );
            }
        }
    }
}

/// What a role may do in tenants, and in whose: by its permissions and by those of what it includes.
fn permitted<'e>(
    world: &Checked<'e>,
    role: &RoleKey,
    selections: &mut Selections<'_, 'e>,
) -> Vec<(Action, Customers<'e>)> {
    let mut due = vec![role];
    let mut seen: BTreeSet<&RoleKey> = BTreeSet::new();
    let mut found = Vec::new();
    while let Some(key) = due.pop() {
        if !seen.insert(key) {
            continue;
        }
        if is_built_in(key.as_str()) {
            // What it may do with people it may do with ours.
            let actions = library::permitted(key.as_str()).iter().copied();
            let actions = actions.filter(|action| action.is_done_in_tenants());
            let actions = actions.filter(|action| !action.is_about_people());
            found.extend(actions.map(|action| (action, selections.all())));
            continue;
        }
        let Some(role) = world.estate.roles.get(key) else { continue };
        due.extend(&role.spec.includes);
        for permission in &role.spec.permissions {
            for action in permission.allow.iter().filter(|action| action.is_done_in_tenants()) {
                match &permission.customers {
                    Some(selector) => found.push((*action, selections.of(selector))),
                    None if action.is_about_people() => {}
                    None => found.push((*action, selections.all())),
                }
            }
        }
    }
    found
}

/// What of it is about any of these customers.
fn needed(permitted: &[(Action, Customers<'_>)], covered: &Customers<'_>) -> Allowed {
    let here = permitted.iter().filter(|(_, customers)| meet(customers, covered));
    let mut needed: Allowed = here.map(|(action, _)| *action).collect();
    if needed.contains(&Action::AdministerOnBehalf) {
        // Whoever works in a tenant sees who is in it.
        needed.insert(Action::ViewUsers);
    }
    needed
}

/// How a directory role goes too far.
#[derive(Debug, PartialEq, Eq)]
enum Excess {
    /// No permission needs it; these powers it adds.
    Unneeded { role: DirectoryRole, adds: Allowed },
    /// Of what it allows this alone is needed, and a narrower one would do.
    Wide { role: DirectoryRole, needed: Allowed, instead: DirectoryRole },
}

/// Which directory roles of a grant go too far, by their places.
fn judge(grant: &Grant, needed: &Allowed) -> BTreeMap<usize, Excess> {
    let is_general = needed.contains(&Action::AdministerOnBehalf);
    let known = grant.directory_roles.iter().enumerate();
    let mut kept: Vec<(usize, DirectoryRole, &Allowed)> =
        known.filter_map(|(at, role)| Some((at, *role, directory::allowed(*role)?))).collect();
    let is_narrow = |role| directory::narrow().any(|narrow| narrow == role);
    kept.sort_by_key(|(at, role, allowed)| {
        (std::cmp::Reverse(allowed.len()), is_narrow(*role), *at)
    });
    let mut found = BTreeMap::new();
    let mut place = 0;
    while let Some((at, role, allowed)) = kept.get(place).copied() {
        place += 1;
        if role.name() == Some(LEAST) {
            continue;
        }
        let others: Allowed = kept
            .iter()
            .filter(|(other, ..)| *other != at)
            .flat_map(|(_, _, allowed)| allowed.iter().copied())
            .collect();
        let alone: Allowed = allowed.difference(&others).copied().collect();
        let used: Allowed = alone.intersection(needed).copied().collect();
        let adds: Allowed =
            alone.difference(needed).copied().filter(|action| is_power(*action)).collect();
        if used.is_empty() {
            if !is_general || !adds.is_empty() {
                found.insert(at, Excess::Unneeded { role, adds });
                // What is judged after it is judged without it.
                place -= 1;
                kept.remove(place);
            }
        } else if !adds.is_empty()
            && !used.contains(&Action::AdministerOnBehalf)
            && let Some(instead) = narrower(allowed, &used)
        {
            found.insert(at, Excess::Wide { role, needed: used, instead });
        }
    }
    found
}

/// Never too much.
const LEAST: &str = "Directory Readers";

/// Whether an action is power over people.
fn is_power(action: Action) -> bool {
    action.is_about_people() && action != Action::ViewUsers
}

/// The narrowest role that allows this, if it allows less than the one that is granted.
fn narrower(granted: &Allowed, used: &Allowed) -> Option<DirectoryRole> {
    directory::narrowest(used).filter(|role| {
        directory::allowed(*role)
            .is_some_and(|allowed| allowed.len() < granted.len() && allowed.is_subset(granted))
    })
}

impl Excess {
    fn told(&self, to: &RoleKey) -> (String, String) {
        match self {
            Self::Unneeded { role, adds } => {
                let adds = match adds.len() {
                    0 => String::new(),
                    _ => format!(", which adds {}", words(adds)),
                };
                (
                    format!("no permission of `{to}` needs {role}{adds}"),
                    format!("take it out, or permit in role/{to} what it is for"),
                )
            }
            Self::Wide { role, needed, instead } => (
                format!("`{to}` needs no more of {role} than {}", words(needed)),
                format!("grant {instead} instead, the least that allows it"),
            ),
        }
    }
}

fn words(actions: &Allowed) -> String {
    listed(actions.iter().map(|action| action.word())).replace(" or ", " and ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::scalar::Scalar;

    /// What is said of a grant of these roles to whoever needs this.
    fn said(directory_roles: &[&str], needed: &[Action]) -> Vec<String> {
        let to = RoleKey::parse("desk").unwrap();
        let parse = |role: &&str| DirectoryRole::parse(role).unwrap();
        let grant =
            Grant { to: to.clone(), directory_roles: directory_roles.iter().map(parse).collect() };
        let needed: Allowed = needed.iter().copied().collect();
        judge(&grant, &needed)
            .values()
            .map(|excess| {
                let (message, help) = excess.told(&to);
                format!("{message}: {help}")
            })
            .collect()
    }

    #[test]
    fn what_is_needed_is_left_alone() {
        for (roles, needed) in [
            (&["Password Administrator"][..], &[Action::ResetPassword][..]),
            (&["Directory Readers"], &[Action::ViewUsers]),
            (
                &["Service Support Administrator", "Directory Readers"],
                &[Action::CreateServiceRequest, Action::ViewUsers],
            ),
            // Work that there is no action for may need any of these.
            (
                &["Service Support Administrator", "License Administrator", "Directory Readers"],
                &[Action::AdministerOnBehalf, Action::ViewUsers],
            ),
            // It does more, and nothing that is power.
            (&["Helpdesk Administrator"], &[Action::ResetPassword]),
            // Nobody can tell these two apart, or say that they are not the work that is meant.
            (
                &["Exchange Administrator", "SharePoint Administrator"],
                &[Action::AdministerOnBehalf, Action::ViewUsers],
            ),
            (&["Global Administrator"], &[Action::AdministerOnBehalf]),
            // It is not known.
            (&["11111111-2222-3333-4444-555555555555", "Directory Readers"], &[Action::ViewUsers]),
        ] {
            assert_eq!(said(roles, needed), Vec::<String>::new(), "{roles:?}");
        }
    }

    #[test]
    fn what_goes_further_is_told_with_what_would_do() {
        assert_eq!(
            said(
                &["Service Support Administrator", "User Administrator"],
                &[Action::AdministerOnBehalf, Action::ViewUsers, Action::CreateServiceRequest],
            ),
            [
                "`desk` needs no more of User Administrator than `view-users`: grant Directory Readers instead, the least that allows it"
            ]
        );
        assert_eq!(
            said(
                &["Service Support Administrator", "Directory Readers", "User Administrator"],
                &[Action::AdministerOnBehalf, Action::ViewUsers, Action::CreateServiceRequest],
            ),
            [
                "no permission of `desk` needs User Administrator, which adds `manage-users` and `reset-password`: take it out, or permit in role/desk what it is for"
            ]
        );
        assert_eq!(
            said(&["Global Administrator"], &[Action::ResetPassword, Action::ViewUsers]),
            [
                "`desk` needs no more of Global Administrator than `view-users` and `reset-password`: grant Password Administrator instead, the least that allows it"
            ]
        );
        // Without general work there is no excuse; the narrow role stays.
        for roles in [
            ["Service Support Administrator", "Exchange Administrator"],
            ["Exchange Administrator", "Service Support Administrator"],
        ] {
            assert_eq!(
                said(&roles, &[Action::CreateServiceRequest]),
                [
                    "no permission of `desk` needs Exchange Administrator: take it out, or permit in role/desk what it is for"
                ]
            );
        }
        // Of two that are too much the mightier goes first, and is then no excuse for the other.
        assert_eq!(
            said(
                &["Directory Readers", "User Administrator", "Privileged Role Administrator"],
                &[Action::ViewUsers],
            )
            .len(),
            2
        );
    }
}
