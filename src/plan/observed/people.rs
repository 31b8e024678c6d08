//! Users, with what they hold directly.

use std::collections::BTreeMap;

use super::groups::Groups;
use super::naming::{Namer, Names, slug};
use super::said::Saying;
use super::{Declared, Person, document, leaving};
use crate::model::Str;
use crate::model::contact::{Email, SignInName};
use crate::model::name::{Name, UserKey};
use crate::model::role::AccountRole;
use crate::model::scalar::Scalar;
use crate::model::tenant::{self, ObjectId, Snapshot};
use crate::model::text::Title;
use crate::model::user::{RoleGrant, User, UserType};

type Users = BTreeMap<UserKey, Declared<User>>;
type People = BTreeMap<UserKey, Person>;

pub(super) fn of(
    snapshot: &Snapshot,
    names: &Names,
    groups: &Groups,
    saying: &mut Saying,
) -> (Users, People) {
    let mut users = Users::new();
    let mut people = People::new();
    let account_roles = AccountRoles::of(snapshot, saying);
    let mut namer =
        Namer::new(names.users.values().chain(&names.absent.users).map(UserKey::as_str), |_| false);
    for (id, user) in &snapshot.users {
        let key = names.users.get(id).cloned().or_else(|| {
            let local = local_part(&user.sign_in_name);
            namer.name([local.as_str(), &user.display_name], "user", id.0).map(UserKey)
        });
        let Some(key) = key else { continue };
        let Some((mut said, not_theirs)) = said(&key, user, saying) else { continue };
        if let Some(direct) = groups.direct.get(id) {
            said.agent = direct.agent.iter().copied().collect();
            said.admin = direct.admin.iter().map(|(level, holding)| (*level, *holding)).collect();
            let custom = direct.roles.iter().cloned().map(RoleGrant::Custom);
            said.roles = Some(custom.collect());
        }
        if let Some(held) = account_roles.of_user.get(id) {
            said.roles.get_or_insert_default().extend(held.iter().cloned());
        }
        let through = groups.through.get(id).cloned().unwrap_or_default();
        people.insert(key.clone(), Person { id: *id, is_synced: user.is_synced, through });
        users.insert(key.clone(), leaving(document(key.0, said), &not_theirs));
    }
    (users, people)
}

/// What stands before the `@`; of somebody invited, the address they were invited at.
fn local_part(sign_in_name: &str) -> String {
    let lower = sign_in_name.to_lowercase();
    let before = lower.split_once("#ext#").map_or(lower.as_str(), |(before, _)| before);
    before.split('@').next().unwrap_or_default().to_owned()
}

/// What a user is, without what they hold, and the fields that hold something else in the tenant, or
/// nothing; nothing where there is no address to know them by.
fn said(
    key: &UserKey,
    user: &tenant::User,
    saying: &mut Saying,
) -> Option<(User, Vec<&'static str>)> {
    let mut not_theirs = Vec::new();
    let object = format!("user/{key}");
    let sign_in_name: Option<SignInName> =
        saying.say(&object, "spec.signInName", Some(&user.sign_in_name));
    let email = user.email.as_deref();
    let email: Option<Email> = saying.say(&object, "spec.email", email);
    // Who has no mailbox has no address; a manifest wants one all the same.
    let email = email.or_else(|| {
        not_theirs.push("spec.email");
        Email::parse(&user.sign_in_name).ok()
    });
    let Some(email) = email else {
        saying.cannot(&object, "spec.email", &user.sign_in_name, "there is no address");
        return None;
    };
    let differs = |name: &SignInName| !name.as_str().eq_ignore_ascii_case(email.as_str());
    let display_name: Option<Title> =
        saying.say(&object, "spec.displayName", Some(&user.display_name));
    let display_name = display_name.or_else(|| {
        not_theirs.push("spec.displayName");
        Title::parse(&user.sign_in_name).ok()
    })?;
    // The directory's word, where the name would say otherwise.
    let is_named_guest = sign_in_name.as_ref().is_some_and(SignInName::is_guest);
    let user_type = match (user.is_guest, is_named_guest) {
        (true, _) => Some(UserType::Guest),
        (false, true) => Some(UserType::Member),
        (false, false) => None,
    };
    let said = User {
        display_name,
        sign_in_name: sign_in_name.filter(differs),
        email,
        agent: Vec::new(),
        admin: Vec::new(),
        roles: None,
        // Most are; and who cannot be told is not to be counted out.
        enabled: user.enabled.unwrap_or(true),
        usage_location: saying.say(
            &object,
            "spec.usageLocation",
            user.usage_location.as_deref().map(str::to_uppercase).as_deref(),
        ),
        user_type,
        given_name: saying.say(&object, "spec.givenName", user.given_name.as_deref()),
        surname: saying.say(&object, "spec.surname", user.surname.as_deref()),
        job_title: saying.say(&object, "spec.jobTitle", user.job_title.as_deref()),
        department: saying.say(&object, "spec.department", user.department.as_deref()),
        mobile_phone: saying.say(&object, "spec.mobilePhone", user.mobile_phone.as_deref()),
        preferred_language: saying.say(
            &object,
            "spec.preferredLanguage",
            user.preferred_language.as_deref(),
        ),
    };
    Some((said, not_theirs))
}

/// The roles that Partner Center keeps itself, by who holds them.
struct AccountRoles {
    of_user: BTreeMap<ObjectId, Vec<RoleGrant>>,
}

impl AccountRoles {
    fn of(snapshot: &Snapshot, saying: &mut Saying) -> Self {
        let mut of_user: BTreeMap<ObjectId, Vec<RoleGrant>> = BTreeMap::new();
        let everywhere = snapshot.tenant.map(|tenant| tenant.to_string());
        for role in &snapshot.account_roles {
            let object = format!("account role {}", role.name);
            let mut locations: BTreeMap<ObjectId, Option<Vec<Title>>> = BTreeMap::new();
            for member in &role.members {
                let at = member.account.as_deref().filter(|account| {
                    !everywhere.as_deref().is_some_and(|all| all.eq_ignore_ascii_case(account))
                });
                let held = locations.entry(member.user).or_insert_with(|| Some(Vec::new()));
                match (at, held) {
                    // Who holds it everywhere holds it at each location too.
                    (None, held) => *held = None,
                    (Some(_), None) => {}
                    (Some(at), Some(some)) => {
                        some.extend(saying.say::<Title>(&object, "spec.roles.locations", Some(at)));
                    }
                }
            }
            for (user, locations) in locations {
                if locations.as_ref().is_some_and(Vec::is_empty) {
                    // All that it was limited to could not be said: without limits it would be more.
                    continue;
                }
                let mut locations = locations.unwrap_or_default();
                locations.sort_by(|one, other| one.as_str().cmp(other.as_str()));
                locations.dedup();
                let Some(grant) = grant(&role.name, locations) else {
                    saying.cannot(&object, "spec.roles", &role.name, "its name makes no key");
                    continue;
                };
                of_user.entry(user).or_default().push(grant);
            }
        }
        Self { of_user }
    }
}

fn grant(name: &str, locations: Vec<Title>) -> Option<RoleGrant> {
    let folded = |name: &str| -> String {
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    };
    let known = AccountRole::ALL.iter().find(|role| folded(role.word()) == folded(name));
    if let Some(role) = known {
        return Some(RoleGrant::Account { role: *role, locations });
    }
    let key = Name::parse(&slug(name)).ok()?;
    Some(RoleGrant::Unrecognised { role: Str::from(key.as_str()), locations })
}
