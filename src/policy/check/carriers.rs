//! Carriers: what gives a permission its effect.
//!
//! A permission in a Role document says what its holders may do; it gives them nothing. Inside a
//! customer's tenant the role's group is given access by delegated access. In Partner Center it is
//! the holder's own built-in roles that count. Where nothing carries a permission, the document
//! promises what nobody has; where delegated access goes further, people have what no document
//! says.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::selections::{Customers, Selections, difference, named, union};

use crate::manifest::check::{World as Checked, at_field, object};
use crate::manifest::code::Code;
use crate::manifest::draft::{Draft, Where, way};
use crate::manifest::suggest::listed;
use crate::model::action::Action;
use crate::model::directory_role::DirectoryRole;
use crate::model::estate::Declared;
use crate::model::name::{CustomerKey, Kind, RoleKey};
use crate::model::role::{Role, is_built_in};
use crate::policy::compile::is_delegated;
use crate::policy::directory;
use crate::policy::library;
use crate::policy::world::declared::held;

pub(super) fn check<'e>(
    world: &Checked<'e>,
    selections: &mut Selections<'_, 'e>,
    drafts: &mut Vec<Draft>,
) {
    let estate = world.estate;
    if estate.roles.is_empty() {
        return;
    }
    let mut granted: BTreeMap<&RoleKey, Vec<(Customers<'_>, &[DirectoryRole])>> = BTreeMap::new();
    for access in estate.delegated_access.values() {
        if access.metadata.has_expired(world.today) {
            continue;
        }
        let customers = selections.of(&access.spec.customers);
        for grant in &access.spec.grants {
            granted
                .entry(&grant.to)
                .or_default()
                .push((Rc::clone(&customers), &grant.directory_roles));
        }
    }
    let granted: BTreeMap<&RoleKey, Carried<'_>> =
        granted.into_iter().map(|(role, grants)| (role, Carried::of(grants))).collect();
    let nothing = Carried::default();
    let holders = Holders::of(world);
    for (key, role) in &estate.roles {
        if role.metadata.has_expired(world.today) {
            continue;
        }
        let carried = granted.get(key).unwrap_or(&nothing);
        without_carrier(world, key, role, carried, &holders, selections, drafts);
    }
    further(world, selections, drafts);
}

/// Where delegated access carries what a role may do.
#[derive(Default)]
struct Carried<'a> {
    grants: Vec<(Customers<'a>, &'a [DirectoryRole])>,
    /// Wherever there is any.
    anywhere: Customers<'a>,
}

impl<'a> Carried<'a> {
    fn of(grants: Vec<(Customers<'a>, &'a [DirectoryRole])>) -> Self {
        let anywhere = union(grants.iter().map(|(customers, _)| Rc::clone(customers)).collect());
        Self { grants, anywhere }
    }

    /// Whose tenants it carries an action in. A role that is not known may well allow it, and whoever
    /// may do anything there works there.
    fn customers(&self, action: Action) -> Customers<'a> {
        let allows = |role: &DirectoryRole| {
            action == Action::AdministerOnBehalf
                || directory::allowed(*role).is_none_or(|allowed| allowed.contains(&action))
        };
        let those = |grants: &[(Customers<'a>, &[DirectoryRole])]| -> Vec<Customers<'a>> {
            let grants = grants.iter().filter(|(_, roles)| roles.iter().any(allows));
            grants.map(|(customers, _)| Rc::clone(customers)).collect()
        };
        let those = those(&self.grants);
        if those.len() == self.grants.len() { Rc::clone(&self.anywhere) } else { union(those) }
    }
}

/// Permissions of one role that nothing carries.
fn without_carrier<'e>(
    world: &Checked<'e>,
    key: &RoleKey,
    role: &'e Declared<Role>,
    carried: &Carried<'e>,
    holders: &Holders<'_>,
    selections: &mut Selections<'_, 'e>,
    drafts: &mut Vec<Draft>,
) {
    for (index, permission) in role.spec.permissions.iter().enumerate() {
        for (at, action) in permission.allow.iter().enumerate() {
            let lacking = holders.lacking(key, *action);
            let path = || at_field(role, way!["spec", "permissions", index, "allow", at]);
            if is_delegated(*action, permission) {
                // What a level gives over people it gives over our own.
                if !action.is_about_people() && lacking.as_ref().is_some_and(Vec::is_empty) {
                    continue;
                }
                let wanted = selections.of_or_all(permission.customers.as_ref());
                let bare = difference(&wanted, &carried.customers(*action));
                if !bare.is_empty() {
                    let is_granted =
                        difference(&Rc::new(bare.clone()), &carried.anywhere).is_empty();
                    drafts.push(bare_customers(key, *action, &wanted, &bare, is_granted, path()));
                }
            } else if permission.customers.is_none() || action.is_done_to_customers() {
                report_lacking(key, *action, lacking, path, drafts);
            }
        }
    }
    for (index, included) in role.spec.includes.iter().enumerate() {
        let path = || at_field(role, way!["spec", "includes", index]);
        if !is_built_in(included.as_str()) {
            if let Some((message, help)) =
                inherited(world, key, included, carried, holders, selections)
            {
                let draft = Draft::new(Code::P2101, path(), message).help(help);
                drafts.push(draft.object(object(Kind::Role, key)));
            }
            continue;
        }
        let lacking = holders.lacking_of(key, included);
        if let Some((action, lacking)) = lacking {
            let message = format!(
                "{} what `{included}` may do, `{action}` for one: {} no built-in role that gives it",
                "nothing carries",
                have(&lacking)
            );
            let help = format!(
                "choose the agent or admin level behind `{included}` at each holder: a custom role gives nothing in Partner Center by itself"
            );
            drafts.push(
                Draft::new(Code::P2101, path(), message).help(help).object(object(Kind::Role, key)),
            );
        }
    }
}

/// What of a custom role that another one includes nothing carries for those who hold that other
/// one, and help. Groups are never nested: what was delegated to the group of the included role is
/// not theirs, unless they are in that one too. The first of its actions stands for the others.
fn inherited<'e>(
    world: &Checked<'e>,
    key: &RoleKey,
    included: &RoleKey,
    carried: &Carried<'e>,
    holders: &Holders<'_>,
    selections: &mut Selections<'_, 'e>,
) -> Option<(String, String)> {
    let mut due = vec![included];
    let mut seen: BTreeSet<&RoleKey> = BTreeSet::new();
    while let Some(from) = due.pop() {
        if !seen.insert(from) || holders.hold_too(key, from) {
            continue;
        }
        let lacks = |action: Action, lacking: &[&str]| {
            let message = format!(
                "nothing carries `{action}`, which `{from}` may do: {} no built-in role that gives it",
                have(lacking)
            );
            let help = format!(
                "choose a level that gives it for each of them, or include less than `{included}`"
            );
            (message, help)
        };
        if is_built_in(from.as_str()) {
            if let Some((action, lacking)) = holders.lacking_of(key, from) {
                return Some(lacks(action, &lacking));
            }
            continue;
        }
        let Some(role) = world.estate.roles.get(from) else { continue };
        if role.metadata.has_expired(world.today) {
            continue;
        }
        due.extend(&role.spec.includes);
        for permission in &role.spec.permissions {
            for action in &permission.allow {
                let lacking = holders.lacking(key, *action);
                if !is_delegated(*action, permission) {
                    let counts = permission.customers.is_none() || action.is_done_to_customers();
                    match lacking.filter(|lacking| counts && !lacking.is_empty()) {
                        Some(lacking) => return Some(lacks(*action, &lacking)),
                        None => continue,
                    }
                }
                if !action.is_about_people() && lacking.as_ref().is_some_and(Vec::is_empty) {
                    continue;
                }
                let wanted = selections.of_or_all(permission.customers.as_ref());
                let bare = difference(&wanted, &carried.customers(*action));
                if !bare.is_empty() {
                    let message = format!(
                        "nothing carries `{action}` for {}, which `{from}` may do: groups are never nested",
                        named(&bare)
                    );
                    let help = format!(
                        "grant role/{key} delegated access to these customers too, or give its holders role/{from} as well"
                    );
                    return Some((message, help));
                }
            }
        }
    }
    None
}

fn bare_customers(
    key: &RoleKey,
    action: Action,
    wanted: &[&CustomerKey],
    bare: &[&CustomerKey],
    is_granted: bool,
    at: Where,
) -> Draft {
    let whom = if bare.len() == wanted.len() && bare.len() > 1 {
        format!("any of {} customers", bare.len())
    } else {
        named(bare)
    };
    // Access is there, and does not go that far.
    let narrowest = directory::narrowest(&BTreeSet::from([action])).filter(|_| is_granted);
    let help = match narrowest {
        Some(role) => format!(
            "no directory role that is granted to role/{key} there allows it, as {role} would: grant one that does, or narrow the permission"
        ),
        None => format!(
            "grant role/{key} delegated access to these customers, or narrow the permission"
        ),
    };
    Draft::new(Code::P2101, at, format!("nothing carries `{action}` for {whom}"))
        .help(help)
        .object(object(Kind::Role, key))
}

fn report_lacking(
    key: &RoleKey,
    action: Action,
    lacking: Option<Vec<&str>>,
    at: impl Fn() -> Where,
    drafts: &mut Vec<Draft>,
) {
    let Some(lacking) = lacking.filter(|lacking| !lacking.is_empty()) else { return };
    let message =
        format!("nothing carries `{action}`: {} no built-in role that gives it", have(&lacking));
    let roles: Vec<&str> = library::roles_that_permit(action).collect();
    let help = if roles.is_empty() {
        "no built-in role gives it: leave it out".to_owned()
    } else {
        format!(
            "choose {} for each of them: a custom role gives nothing in Partner Center by itself",
            listed(roles)
        )
    };
    drafts.push(Draft::new(Code::P2101, at(), message).help(help).object(object(Kind::Role, key)));
}

/// `user/a and 2 more have`, `user/a has`.
fn have(users: &[&str]) -> String {
    match users {
        [] => "nobody has".to_owned(),
        [one] => format!("`{one}` has"),
        [one, other] => format!("`{one}` and `{other}` have"),
        [one, rest @ ..] => format!("`{one}` and {} more have", rest.len()),
    }
}

/// Delegated access that reaches customers for which its role has no permission at all.
fn further<'e>(world: &Checked<'e>, selections: &mut Selections<'_, 'e>, drafts: &mut Vec<Draft>) {
    let mut permitted: BTreeMap<&RoleKey, Customers<'e>> = BTreeMap::new();
    for (key, access) in &world.estate.delegated_access {
        if access.metadata.has_expired(world.today) {
            continue;
        }
        for (index, grant) in access.spec.grants.iter().enumerate() {
            let Some((role, _)) = world.estate.roles.get_key_value(&grant.to) else { continue };
            let covered = selections.of(&access.spec.customers);
            let said = permitted
                .entry(role)
                .or_insert_with(|| permitted_customers(world, role, selections));
            let more = difference(&covered, said);
            if more.is_empty() {
                continue;
            }
            let message = if more.len() == covered.len() {
                format!(
                    "this gives `{role}` access to {}, for whom it has no permission",
                    named(&more)
                )
            } else {
                format!("this also reaches {}, for whom `{role}` has no permission", named(&more))
            };
            let mut draft =
                Draft::new(Code::P2102, at_field(access, way!["spec", "grants", index, "to"]), message)
                    .help(format!("permit `administer-on-behalf` for them in role/{role}, or select fewer customers here"))
                    .object(object(Kind::DelegatedAccess, key));
            if let Some(declared) = world.estate.roles.get(role) {
                draft = draft.related(
                    format!("what `{role}` may do"),
                    at_field(declared, way!["spec", "permissions"]),
                );
            }
            drafts.push(draft);
        }
    }
}

/// Whose tenants a role may work in, by its permissions and by those of what it includes.
fn permitted_customers<'e>(
    world: &Checked<'e>,
    role: &RoleKey,
    selections: &mut Selections<'_, 'e>,
) -> Customers<'e> {
    let mut due = vec![role];
    let mut seen: BTreeSet<&RoleKey> = BTreeSet::new();
    let mut found = Vec::new();
    while let Some(key) = due.pop() {
        if !seen.insert(key) {
            continue;
        }
        if is_built_in(key.as_str()) {
            let permitted = library::permitted(key.as_str());
            if permitted.contains(&Action::AdministerOnBehalf) {
                found.push(selections.all());
            }
            continue;
        }
        let Some(role) = world.estate.roles.get(key) else { continue };
        due.extend(&role.spec.includes);
        for permission in &role.spec.permissions {
            if permission.allow.iter().any(|action| is_delegated(*action, permission)) {
                found.push(match &permission.customers {
                    Some(selector) => selections.of(selector),
                    None => selections.all(),
                });
            }
        }
    }
    union(found)
}

/// Who holds which custom role, and by which built-in roles.
struct Holders<'a> {
    of: BTreeMap<&'a str, Vec<(&'a str, Vec<&'a str>)>>,
}

impl<'a> Holders<'a> {
    fn of(world: &Checked<'a>) -> Self {
        let mut of: BTreeMap<&str, Vec<(&str, Vec<&str>)>> = BTreeMap::new();
        for (key, user) in &world.estate.users {
            if !user.spec.enabled || user.metadata.has_expired(world.today) {
                continue;
            }
            let (built_in, custom): (Vec<&str>, Vec<&str>) =
                held(&user.spec).partition(|role| is_built_in(role));
            for role in custom {
                of.entry(role).or_default().push((key.as_str(), built_in.clone()));
            }
        }
        Self { of }
    }

    /// Those holders of a role to whom none of their built-in roles gives an action; nothing if
    /// nobody holds it.
    fn lacking(&self, role: &RoleKey, action: Action) -> Option<Vec<&'a str>> {
        let holders = self.of.get(role.as_str())?;
        let lacks = |built_in: &[&str]| {
            !built_in.iter().any(|role| library::permitted(role).contains(&action))
        };
        Some(
            holders.iter().filter(|(_, built_in)| lacks(built_in)).map(|(user, _)| *user).collect(),
        )
    }

    /// The first action of a built-in role that somebody who holds a role lacks, and who does.
    fn lacking_of(&self, role: &RoleKey, built_in: &RoleKey) -> Option<(Action, Vec<&'a str>)> {
        // Tickets aside: whoever signs in finds somebody to ask.
        let asked = library::permitted(built_in.as_str()).iter().filter(|action| {
            !matches!(action, Action::CreatePartnerTicket | Action::ViewPartnerTicket)
        });
        asked.into_iter().find_map(|action| {
            let lacking = self.lacking(role, *action)?;
            (!lacking.is_empty()).then_some((*action, lacking))
        })
    }

    /// Whether somebody holds a role, and whoever does was given another one besides.
    fn hold_too(&self, role: &RoleKey, other: &RoleKey) -> bool {
        let (Some(holders), Some(others)) =
            (self.of.get(role.as_str()), self.of.get(other.as_str()))
        else {
            return false;
        };
        holders.iter().all(|(user, _)| others.iter().any(|(other, _)| other == user))
    }
}
