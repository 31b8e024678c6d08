//! Users: what they hold, and whether they may hold it.

use std::collections::HashSet;

use super::{World, at_field, at_key, capability, object};
use crate::manifest::code::Code;
use crate::manifest::draft::{Draft, Where, way};
use crate::manifest::suggest::{did_you_mean, listed, quoted};
use crate::model::account::Program;
use crate::model::cloud::Capability;
use crate::model::estate::Declared;
use crate::model::name::{Kind, UserKey};
use crate::model::role::{AccountRole, LEVEL_ROLES, MARKETPLACE_ROLES};
use crate::model::scalar::Scalar;
use crate::model::user::{AgentLevel, RoleGrant, User};

pub(super) fn check(world: &World<'_>, drafts: &mut Vec<Draft>) {
    for (key, user) in &world.estate.users {
        sign_in_name(world, key, user, drafts);
        levels(world, key, user, drafts);
        roles(world, key, user, drafts);
    }
}

fn sign_in_name(world: &World<'_>, key: &UserKey, user: &Declared<User>, drafts: &mut Vec<Draft>) {
    let (text, field) = match &user.spec.sign_in_name {
        Some(name) => (name.as_str(), "signInName"),
        None => (user.spec.email.as_str(), "email"),
    };
    let at = || at_field(user, way!["spec", field]);
    let Some((local, domain)) = text.rsplit_once('@') else { return };
    // A sign-in name was parsed as one; an e-mail address allows characters that it does not.
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"'._!#^~-".contains(&b);
    if user.spec.sign_in_name.is_none() && !local.bytes().all(allowed) {
        drafts.push(
            Draft::new(Code::P1009, at(), format!("{} cannot be a sign-in name", quoted(text)))
                .help("give a `signInName` of letters, digits and ' . - _ ! # ^ ~ before the `@`")
                .object(object(Kind::User, key)),
        );
        return;
    }
    let Some(account) = &world.estate.account else { return };
    let ours = account.spec.domains.iter().any(|ours| domain.eq_ignore_ascii_case(ours.as_str()))
        || crate::model::contact::Domain::parse(domain).is_ok_and(|domain| domain.is_initial());
    // A guest may be named by the address they were invited at; the directory makes their name.
    if ours || (user.spec.is_guest() && user.spec.sign_in_name.is_none()) {
        return;
    }
    let domains = listed(account.spec.domains.iter().map(crate::model::contact::Domain::as_str));
    drafts.push(
        Draft::new(Code::P1004, at(), format!("{} is in no domain of the account", quoted(text)))
            .help(format!("sign in under {domains}: give a `signInName`, or say `userType: guest`"))
            .object(object(Kind::User, key)),
    );
}

fn levels(world: &World<'_>, key: &UserKey, user: &Declared<User>, drafts: &mut Vec<Draft>) {
    let spec = &user.spec;
    if spec.is_guest() && !spec.agent.is_empty() {
        drafts.push(
            Draft::new(
                Code::P1002,
                at_field(user, way!["spec", "agent"]),
                format!("`{key}` is a guest and holds an agent level"),
            )
            .help("delegated access does not work for guests: `agent: none`, or a user of our own")
            .object(object(Kind::User, key)),
        );
    }
    let Some(account) = &world.estate.account else { return };
    if spec.agent.contains(&AgentLevel::Sales) && account.spec.program != Program::IndirectProvider
    {
        let message =
            format!("there are no sales agents in the program `{}`", account.spec.program);
        drafts.push(
            Draft::new(Code::P1003, at_field(user, way!["spec", "agent"]), message)
                .help("only indirect providers have them: take `agent: admin` for customers, `referrals-user` for leads")
                .object(object(Kind::User, key)),
        );
    }
}

fn roles(world: &World<'_>, key: &UserKey, user: &Declared<User>, drafts: &mut Vec<Draft>) {
    let object = || object(Kind::User, key);
    for (index, grant) in user.spec.roles.iter().flatten().enumerate() {
        let at = || at_field(user, way!["spec", "roles", index]);
        match grant {
            RoleGrant::Custom(role) => {
                if let Some((level, instead)) =
                    LEVEL_ROLES.iter().find(|(level, _)| *level == role.as_str())
                {
                    drafts.push(level_among_roles(level, instead, at()).object(object()));
                    continue;
                }
                if world.estate.roles.contains_key(role.as_str())
                    || world.is_broken(Kind::Role, role.as_str())
                {
                    continue;
                }
                if MARKETPLACE_ROLES.contains(&role.as_str()) {
                    let message =
                        format!("the marketplace role `{role}` cannot be given from here");
                    let help = "give it in the portal: no API does";
                    drafts.push(Draft::new(Code::P0303, at(), message).help(help).object(object()));
                    continue;
                }
                let declared = world.estate.roles.keys().map(crate::model::name::RoleKey::as_str);
                let known =
                    AccountRole::ALL.iter().map(|role| -> &str { role.word() }).chain(declared);
                let help =
                    if drafts.len() > 200 { None } else { did_you_mean(role.as_str(), known) };
                let help = help.unwrap_or_else(|| {
                    "declare a Role of that name, or name an account role".to_owned()
                });
                let message = format!("there is no role {}", quoted(role.as_str()));
                drafts.push(Draft::new(Code::P0303, at(), message).help(help).object(object()));
            }
            RoleGrant::Account { role, locations: _ } => {
                account_role(world, key, user, *role, at, drafts);
            }
            RoleGrant::Unrecognised { role, locations: _ } => {
                let at = at_field(user, way!["spec", "roles", index, "role"]);
                unrecognised(world, role, at, object(), drafts);
            }
        }
    }
    repeated(key, user, drafts);
}

fn account_role(
    world: &World<'_>,
    key: &UserKey,
    user: &Declared<User>,
    role: AccountRole,
    at: impl Fn() -> Where,
    drafts: &mut Vec<Draft>,
) {
    if user.spec.is_guest() && !role.is_for_guests() {
        drafts.push(
            Draft::new(Code::P1006, at(), format!("a guest may not be able to hold `{role}`"))
                .help("documented for guests are `mpn-partner-admin`, `business-profile-admin` and `referrals-admin`")
                .object(object(Kind::User, key)),
        );
    }
    let draft =
        capability(world, Capability::AccountRoles, "account roles that a tool could set", at);
    drafts.extend(draft.map(|draft| draft.object(object(Kind::User, key))));
}

fn unrecognised(world: &World<'_>, role: &str, at: Where, object: String, drafts: &mut Vec<Draft>) {
    let draft = if world.estate.roles.contains_key(role) {
        Draft::new(
            Code::P0304,
            at,
            format!("`{role}` is a custom role, and custom roles have no locations"),
        )
        .help(format!("name it alone: `{role}`"))
    } else if let Some((level, instead)) = LEVEL_ROLES.iter().find(|(level, _)| *level == role) {
        level_among_roles(level, instead, at)
    } else {
        let help = if drafts.len() > 200 {
            None
        } else {
            did_you_mean(role, AccountRole::ALL.iter().map(|role| role.word()))
        };
        Draft::new(Code::P1005, at, format!("no account role {} is known here", quoted(role))).help(
            help.unwrap_or_else(|| {
                "Microsoft adds roles: this one is looked up by its name in the tenant".to_owned()
            }),
        )
    };
    drafts.push(draft.object(object));
}

fn level_among_roles(level: &str, instead: &str, at: Where) -> Draft {
    let (message, help) = if instead.is_empty() {
        (format!("`{level}` is what everybody has"), "leave it out".to_owned())
    } else {
        (format!("`{level}` is a level, not one of the `roles`"), format!("say `{instead}`"))
    };
    Draft::new(Code::P1007, at, message).help(help)
}

/// The same role twice, in whatever form.
fn repeated(key: &UserKey, user: &Declared<User>, drafts: &mut Vec<Draft>) {
    fn name(grant: &RoleGrant) -> &str {
        match grant {
            RoleGrant::Custom(role) => role.as_str(),
            RoleGrant::Account { role, .. } => role.word(),
            RoleGrant::Unrecognised { role, .. } => role,
        }
    }
    let roles = user.spec.roles.as_deref().unwrap_or_default();
    // Nearly everybody holds few, which are compared without a set of their own.
    if let [] | [_] = roles {
        return;
    }
    if let [one, other] = roles
        && name(one) != name(other)
    {
        return;
    }
    let mut seen = HashSet::new();
    for (index, role) in roles.iter().map(name).enumerate() {
        if !seen.insert(role) {
            drafts.push(
                Draft::new(
                    Code::P0110,
                    at_key(user, way!["spec", "roles", index]),
                    format!("`roles` names `{role}` twice"),
                )
                .help("keep one of the two")
                .object(object(Kind::User, key)),
            );
        }
    }
}
