//! A user as Graph shows it.

use serde_json::{Map, Value};

use super::PROPERTIES;
use crate::emulator::directory::User;
use crate::emulator::graph::list::Entity;
use crate::emulator::graph::property::seconds;
use crate::emulator::store::Found;

/// Shown unasked.
pub(in crate::emulator::graph) const DEFAULT: &[&str] = &[
    "id",
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
];

/// All that can be asked for.
pub(in crate::emulator::graph) const NAMES: [&str; PROPERTIES.len()] = {
    let mut names = [""; PROPERTIES.len()];
    let mut at = 0;
    while at < PROPERTIES.len() {
        #[expect(clippy::indexing_slicing, reason = "both are as long, at compile time")]
        {
            names[at] = PROPERTIES[at].name;
        }
        at += 1;
    }
    names
};

impl Entity for User {
    const INDEXED: &'static [(&'static str, &'static str)] =
        &[("id", "id"), ("userPrincipalName", "sign-in-name"), ("displayName", "display-name")];
    const PAGE: (usize, usize) = (100, 999);

    fn show(found: &Found<Self>) -> Map<String, Value> {
        show(found)
    }
}

pub(in crate::emulator::graph) fn show(found: &Found<User>) -> Map<String, Value> {
    let user = &found.document;
    let stamp = |at| Value::String(seconds(at));
    let name = match found.deleted_at {
        // Its name is free for nobody, but it is not called so any more.
        Some(_) => format!("{}{}", user.id.replace('-', ""), user.user_principal_name),
        None => user.user_principal_name.clone(),
    };
    let mut object = Map::new();
    for property in PROPERTIES {
        let value = match property.name {
            "id" => user.id.clone().into(),
            "userPrincipalName" => name.clone().into(),
            "displayName" => user.display_name.clone().into(),
            "accountEnabled" => user.account_enabled.into(),
            "userType" => user.user_type.clone().into(),
            "deletedDateTime" => found.deleted_at.map_or(Value::Null, stamp),
            "createdDateTime" => user
                .other
                .get("createdDateTime")
                .cloned()
                .unwrap_or_else(|| stamp(found.created_at)),
            other => user.other.get(other).cloned().unwrap_or_else(|| property.kind.nothing()),
        };
        object.insert(property.name.to_owned(), value);
    }
    object
}
