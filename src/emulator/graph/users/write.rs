//! What a body makes of a user.

use serde_json::{Map, Value};

use crate::emulator::clock;
use crate::emulator::directory::User;
use crate::emulator::error::GraphError;
use crate::emulator::graph::property::{By, invalid, need};
use crate::emulator::store::{Read, Scan};
use crate::emulator::tenant::Tenant;

/// Who signs in with a password of fewer characters, or more, cannot.
const PASSWORD_LENGTH: std::ops::RangeInclusive<usize> = 8..=256;

/// Refuses a body that leaves out what every user begins with.
pub(super) fn must_be_complete(body: &Map<String, Value>) -> Result<(), GraphError> {
    for name in ["displayName", "mailNickname", "userPrincipalName"] {
        need(body, name)?;
    }
    for name in ["accountEnabled", "passwordProfile"] {
        if body.get(name).is_none_or(Value::is_null) {
            let message = format!("A value is required for property '{name}' of resource 'User'.");
            return Err(invalid(name, message));
        }
    }
    let profile = body.get("passwordProfile").and_then(Value::as_object);
    if profile.is_none_or(|profile| !profile.contains_key("password")) {
        return Err(invalid(
            "passwordProfile",
            "A password must be specified to create a new user.",
        ));
    }
    Ok(())
}

/// Puts a body's properties into a user; they have been checked one by one.
pub(super) fn apply(
    tx: &Read<'_>,
    user: &mut User,
    body: &Map<String, Value>,
) -> Result<(), GraphError> {
    must_be_its_own(user, body)?;
    for (name, value) in body {
        let text = || {
            let required = || invalid(name, format!("Property '{name}' is required."));
            value.as_str().map(str::to_owned).ok_or_else(required)
        };
        match name.as_str() {
            "displayName" => user.display_name = text()?,
            "userPrincipalName" => {
                user.user_principal_name = text()?;
                check_name(tx, user)?;
            }
            "accountEnabled" => {
                user.account_enabled = value
                    .as_bool()
                    .ok_or_else(|| invalid(name, "Property 'accountEnabled' is required."))?;
            }
            "userType" => {
                user.user_type = text()?;
                if !matches!(user.user_type.as_str(), "Member" | "Guest") {
                    return Err(invalid(name, "Invalid value specified for property 'userType'."));
                }
            }
            "usageLocation" => {
                let is_code = |code: &str| {
                    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic())
                };
                if !value.as_str().is_none_or(is_code) {
                    return Err(invalid(
                        name,
                        "Invalid value specified for property 'usageLocation'.",
                    ));
                }
                user.other.insert(name.clone(), value.clone());
            }
            "mailNickname" => {
                let nickname = text()?;
                if nickname.contains(|c: char| c.is_whitespace() || "@()\\[]\";:<>,".contains(c)) {
                    return Err(invalid(
                        name,
                        "Invalid value specified for property 'mailNickname'.",
                    ));
                }
                user.other.insert(name.clone(), value.clone());
            }
            "passwordProfile" => change_password(tx, user, value)?,
            _ if value.is_null() => {
                user.other.remove(name);
            }
            _ => {
                user.other.insert(name.clone(), value.clone());
            }
        }
    }
    Ok(())
}

/// Who is synchronised from on premises is edited there.
fn must_be_its_own(user: &User, body: &Map<String, Value>) -> Result<(), GraphError> {
    if user.other.get("onPremisesSyncEnabled") != Some(&Value::Bool(true)) {
        return Ok(());
    }
    let kept_there = super::PROPERTIES
        .iter()
        .find(|property| property.by == By::Identity && body.contains_key(property.name));
    match kept_there {
        Some(property) => Err(invalid(
            property.name,
            "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.",
        )),
        None => Ok(()),
    }
}

/// A sign-in name is of a verified domain, and nobody else's, deleted users included.
fn check_name(tx: &Read<'_>, user: &User) -> Result<(), GraphError> {
    const TARGET: &str = "userPrincipalName";
    let name = &user.user_principal_name;
    let malformed = || invalid(TARGET, "Property userPrincipalName is invalid.");
    let (alias, domain) = name.rsplit_once('@').ok_or_else(malformed)?;
    let is_fit = |c: char| c.is_ascii_alphanumeric() || "'.-_!#^~".contains(c);
    if alias.is_empty() || alias.len() > 64 || !alias.chars().all(is_fit) {
        return Err(malformed());
    }
    let tenant = Tenant::of(tx)?;
    if !tenant.domains.iter().any(|own| own.eq_ignore_ascii_case(domain)) {
        let message = "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.";
        return Err(invalid(TARGET, message));
    }
    let folded = name.to_lowercase();
    let same = Scan::equals("sign-in-name", &folded);
    let mut others = tx.scan::<User>(&same)?.items;
    others.extend(tx.scan::<User>(&same.deleted())?.items);
    let is_kept = |at| tx.now().duration_since(at) <= super::deleted::KEPT;
    others.retain(|other| other.id != user.id && other.deleted_at.is_none_or(is_kept));
    if !others.is_empty() {
        let message =
            "Another object with the same value for property userPrincipalName already exists.";
        return Err(invalid(TARGET, message));
    }
    Ok(())
}

/// A password is judged and forgotten: nobody signs in with one here. What it leaves is when.
fn change_password(tx: &Read<'_>, user: &mut User, profile: &Value) -> Result<(), GraphError> {
    let Some(password) = profile.get("password").and_then(Value::as_str) else {
        return Ok(());
    };
    if !is_strong(password) {
        let message = "The specified password does not comply with password complexity requirements. Please provide a different password.";
        return Err(invalid("passwordProfile", message));
    }
    let now: Value = clock::stamp(tx.now()).into();
    user.other.insert("lastPasswordChangeDateTime".to_owned(), now.clone());
    // Whoever was signed in has to do it again.
    user.other.insert("signInSessionsValidFromDateTime".to_owned(), now);
    Ok(())
}

/// Three of four sorts of characters.
fn is_strong(password: &str) -> bool {
    let has = |sort: fn(char) -> bool| usize::from(password.chars().any(sort));
    let sorts = has(|c| c.is_ascii_lowercase())
        + has(|c| c.is_ascii_uppercase())
        + has(|c| c.is_ascii_digit())
        + has(|c| !c.is_ascii_alphanumeric());
    PASSWORD_LENGTH.contains(&password.chars().count()) && sorts >= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strong_passwords() {
        for (password, strong) in
            [("xWwvJ]6NMw+bWH-d", true), ("Password1", true), ("password1", false), ("Pa1!", false)]
        {
            assert_eq!(is_strong(password), strong, "{password}");
        }
        assert!(!is_strong(&"Aa1".repeat(100)));
    }
}
