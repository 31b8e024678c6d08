//! References: whether what is named is there, and what was probably meant.

use std::collections::BTreeMap;

use super::World;
use crate::manifest::code::Code;
use crate::manifest::draft::{Draft, Where};
use crate::manifest::suggest::{did_you_mean, quoted};
use crate::model::estate::Declared;
use crate::model::name::{Kind, Name, Reference};
use crate::model::role;

/// Candidates beyond so many are not compared: the help is not worth a second of anyone's time.
const CANDIDATES_MAX: usize = 20_000;

/// Looks a name up among the documents of its kind; reports it when it is not there.
pub(super) fn find<'w, K: std::borrow::Borrow<str> + Ord, T>(
    world: &World<'_>,
    kind: Kind,
    all: &'w BTreeMap<K, Declared<T>>,
    name: &str,
    at: impl FnOnce() -> Where,
    object: impl FnOnce() -> String,
    drafts: &mut Vec<Draft>,
) -> Option<&'w Declared<T>> {
    let found = all.get(name);
    if found.is_none() && !world.is_broken(kind, name) {
        let names = all.keys().map(std::borrow::Borrow::borrow);
        let help = suggestion(name, names, all.len(), drafts);
        let help = help.unwrap_or_else(|| {
            format!("declare a {} of this name, or correct the name", kind.word())
        });
        let message = format!("there is no {} named {}", kind.word(), quoted(name));
        drafts.push(Draft::new(Code::P0303, at(), message).help(help).object(object()));
    }
    found
}

/// What was probably meant. With very many findings, help for the first of them is enough.
pub(super) fn suggestion<'a>(
    name: &str,
    known: impl Iterator<Item = &'a str>,
    count: usize,
    drafts: &[Draft],
) -> Option<String> {
    if drafts.len() > 200 || count > CANDIDATES_MAX {
        return None;
    }
    did_you_mean(name, known)
}

/// For who only wants to know that it is there.
fn there<T>(_: Option<&Declared<T>>) {}

/// Looks up a reference to any document.
pub(super) fn resolve(
    world: &World<'_>,
    reference: &Reference,
    at: impl FnOnce() -> Where,
    object: impl FnOnce() -> String,
    drafts: &mut Vec<Draft>,
) {
    let Reference::Document(kind, name) = reference else { return };
    let estate = world.estate;
    let name = name.as_str();
    match kind {
        Kind::User => there(find(world, *kind, &estate.users, name, at, object, drafts)),
        Kind::Role if role::is_built_in(name) => {}
        Kind::Role => there(find(world, *kind, &estate.roles, name, at, object, drafts)),
        Kind::Partnership => {
            there(find(world, *kind, &estate.partnerships, name, at, object, drafts));
        }
        Kind::Customer => there(find(world, *kind, &estate.customers, name, at, object, drafts)),
        Kind::DelegatedAccess => {
            there(find(world, *kind, &estate.delegated_access, name, at, object, drafts));
        }
        Kind::Waiver => there(find(world, *kind, &estate.waivers, name, at, object, drafts)),
        Kind::AccessTest => {
            there(find(world, *kind, &estate.access_tests, name, at, object, drafts));
        }
        Kind::Account => {
            let account: BTreeMap<Name, Declared<()>> = estate
                .account
                .iter()
                .map(|account| {
                    let declared = Declared {
                        metadata: account.metadata.clone(),
                        spec: Box::new(()),
                        origin: account.origin,
                    };
                    (account.metadata.name.clone(), declared)
                })
                .collect();
            find(world, *kind, &account, name, at, object, drafts);
        }
        Kind::Project | Kind::CustomerTable | Kind::Defaults => {
            let message = format!("a {} is not something to refer to", kind.word());
            let help = "refer to what it declares, such as `customer/contoso`";
            drafts.push(Draft::new(Code::P0304, at(), message).help(help).object(object()));
        }
    }
}
