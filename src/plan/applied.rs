//! What the ledger keeps of an object once it is as its document says.

use std::collections::BTreeMap;

use serde_json::Value;

use super::holdings;
use super::record::Applied;
use super::{account, customers, delegated, users};
use crate::model::estate::{Declared, Estate};
use crate::model::metadata::{Metadata, OnRemoval};
use crate::model::name::Kind;
use crate::model::record::ObjectKey;
use crate::model::role::{Group, Role};
use crate::model::user::User;

/// What a document says, as the ledger keeps it; what was granted before stays remembered.
pub fn applied(estate: &Estate, key: &ObjectKey, before: Option<&Applied>) -> Option<Applied> {
    let name = key.name.as_str();
    let (metadata, fields): (&Metadata, _) = match key.kind {
        Kind::Account => {
            let declared = estate.account.as_ref()?;
            (&declared.metadata, account::declared(&declared.spec))
        }
        Kind::User => {
            let declared = estate.users.get(name)?;
            (&declared.metadata, user(declared))
        }
        Kind::Role => {
            let declared = estate.roles.get(name)?;
            (&declared.metadata, role(&declared.spec))
        }
        Kind::Partnership => {
            let declared = estate.partnerships.get(name)?;
            let state = Value::from(declared.spec.state.word());
            (&declared.metadata, BTreeMap::from([("spec.state".to_owned(), state)]))
        }
        Kind::Customer => {
            let declared = estate.customers.get(name)?;
            (&declared.metadata, customers::declared(&declared.spec))
        }
        Kind::DelegatedAccess => {
            let template = name.split('/').next()?;
            let declared = estate.delegated_access.get(template)?;
            (&declared.metadata, delegated::declared(&declared.spec))
        }
        _ => return None,
    };
    let granted = before.map(|before| before.granted.clone()).unwrap_or_default();
    // Delegated access ends unless its document says otherwise; everything else is released.
    let usual = (key.kind != Kind::DelegatedAccess).then_some(OnRemoval::Release);
    let on_removal = metadata.on_removal.filter(|what| Some(*what) != usual);
    let owes_password = before.is_some_and(|before| before.owes_password);
    let on_removal = on_removal.map(|what| what.word().to_owned());
    let (relationships, generation) =
        before.map(|before| (before.relationships.clone(), before.generation)).unwrap_or_default();
    Some(Applied { fields, granted, owes_password, on_removal, relationships, generation })
}

fn user(declared: &Declared<User>) -> BTreeMap<String, Value> {
    let mut fields = holdings::declared(&declared.spec);
    for field in &users::FIELDS {
        if let Some(value) = (field.declared)(&declared.spec) {
            fields.insert(field.path.to_owned(), value);
        }
    }
    fields
}

fn role(role: &Role) -> BTreeMap<String, Value> {
    let mut fields = BTreeMap::new();
    if let Some(Group::Named { name, .. }) = &role.group {
        fields.insert(super::roles::NAME.to_owned(), name.as_str().into());
    }
    if let Some(description) = &role.description {
        fields.insert(super::roles::DESCRIPTION.to_owned(), description.as_str().into());
    }
    fields
}
