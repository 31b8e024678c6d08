//! What directory roles allow in a customer's tenant: what delegated access comes to.
//!
//! Written down once, in `directory-roles.txt`, as far as there are actions for it. Of a role that
//! is not there (Microsoft adds roles) nothing is claimed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use crate::model::action::Action;
use crate::model::directory_role::DirectoryRole;
use crate::model::scalar::Scalar;

/// Actions of a directory role.
pub type Allowed = BTreeSet<Action>;

/// What a directory role allows in the tenant where it is held; nothing if that is not known.
pub fn allowed(role: DirectoryRole) -> Option<&'static Allowed> {
    table().get(&role)
}

/// What several allow together.
pub fn allowed_by<'r>(roles: impl IntoIterator<Item = &'r DirectoryRole>) -> Allowed {
    roles.into_iter().filter_map(|role| allowed(*role)).flatten().copied().collect()
}

/// All roles of which it is known, in the order in which we name them, with what they allow.
pub fn all() -> impl Iterator<Item = (DirectoryRole, &'static Allowed)> {
    let named = DirectoryRole::names().filter_map(DirectoryRole::named);
    named.filter_map(|role| Some((role, allowed(role)?)))
}

/// Directory roles that are given for one sort of work each, the narrowest first.
const NARROW: [&str; 6] = [
    "Directory Readers",
    "Service Support Administrator",
    "Password Administrator",
    "Helpdesk Administrator",
    "Privileged Role Administrator",
    "User Administrator",
];

/// Those roles.
pub fn narrow() -> impl Iterator<Item = DirectoryRole> {
    NARROW.into_iter().filter_map(DirectoryRole::named)
}

/// The narrowest role that is known to allow all of this.
pub fn narrowest(wanted: &Allowed) -> Option<DirectoryRole> {
    narrow().find(|role| allowed(*role).is_some_and(|allowed| allowed.is_superset(wanted)))
}

fn table() -> &'static BTreeMap<DirectoryRole, Allowed> {
    static TABLE: LazyLock<BTreeMap<DirectoryRole, Allowed>> =
        LazyLock::new(|| include_str!("directory-roles.txt").lines().filter_map(row).collect());
    &TABLE
}

/// `Role: action action ...`
fn row(line: &str) -> Option<(DirectoryRole, Allowed)> {
    let (role, actions) = line.split_once(':').filter(|_| !line.starts_with('#'))?;
    let actions = actions.split_whitespace().filter_map(|word| Action::parse(word).ok());
    Some((DirectoryRole::named(role)?, actions.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_that_has_a_name_has_a_row_of_actions_that_are_done_in_tenants() {
        let text = include_str!("directory-roles.txt");
        let rows: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let names: Vec<&str> =
            rows.iter().map(|row| row.split_once(':').expect("a role and its actions").0).collect();
        assert_eq!(names, DirectoryRole::names().collect::<Vec<_>>());
        for row in rows {
            let (name, words) = row.split_once(':').unwrap();
            let actions: Vec<Action> =
                words.split_whitespace().map(|word| Action::parse(word).unwrap()).collect();
            assert!(actions.iter().all(|action| action.is_done_in_tenants()), "{name}");
            assert!(actions.is_sorted(), "{name}: in the order of the actions");
            assert_eq!(
                allowed(DirectoryRole::named(name).unwrap()),
                Some(&actions.into_iter().collect())
            );
        }
    }

    #[test]
    fn a_global_administrator_may_do_all_that_is_done_in_tenants() {
        let global = DirectoryRole::named("Global Administrator").unwrap();
        let all: Allowed =
            Action::ALL.iter().copied().filter(|action| action.is_done_in_tenants()).collect();
        assert_eq!(allowed(global), Some(&all));
        for (role, some) in super::all() {
            assert!(some.is_subset(&all), "{role}");
            // Whoever changes people sees them.
            let changes =
                some.contains(&Action::ManageUsers) || some.contains(&Action::ResetPassword);
            assert!(!changes || some.contains(&Action::ViewUsers), "{role}");
        }
    }

    #[test]
    fn the_narrowest_role_is_found() {
        let narrowest = |actions: &[Action]| {
            narrowest(&actions.iter().copied().collect()).and_then(DirectoryRole::name)
        };
        assert_eq!(narrowest(&[Action::ViewUsers]), Some("Directory Readers"));
        assert_eq!(narrowest(&[Action::ResetPassword]), Some("Password Administrator"));
        assert_eq!(
            narrowest(&[Action::ResetPassword, Action::CreateServiceRequest]),
            Some("Helpdesk Administrator")
        );
        assert_eq!(narrowest(&[Action::ManageUsers]), Some("User Administrator"));
        assert_eq!(narrowest(&[Action::AssignRoles, Action::ManageUsers]), None);
        let known = NARROW.into_iter().filter_map(DirectoryRole::named).count();
        assert_eq!(known, NARROW.len());
    }

    #[test]
    fn of_a_role_that_is_not_known_nothing_is_claimed() {
        let new = DirectoryRole::parse("11111111-2222-3333-4444-555555555555").unwrap();
        assert_eq!(allowed(new), None);
        assert!(allowed_by([&new]).is_empty());
    }
}
