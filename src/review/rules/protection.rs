//! Objects that are not protected any more, or are from now on.

use std::collections::{BTreeMap, BTreeSet};

use super::{Effect, Found, Subject};
use crate::model::estate::Declared;
use crate::model::name::Kind;
use crate::review::Input;
use crate::review::place::{Side, field};
use crate::review::renamed::Renames;

pub(super) fn compare(input: &Input<'_>, renames: &Renames, found: &mut Vec<Found>) {
    let (base, head) = (&input.base.loaded.estate, &input.head.loaded.estate);
    of_kind(Kind::User, &base.users, &head.users, renames, found);
    of_kind(Kind::Role, &base.roles, &head.roles, renames, found);
    of_kind(Kind::Partnership, &base.partnerships, &head.partnerships, renames, found);
    of_kind(Kind::Customer, &base.customers, &head.customers, renames, found);
    let (old, new) = (&base.delegated_access, &head.delegated_access);
    of_kind(Kind::DelegatedAccess, old, new, renames, found);
}

fn of_kind<K: Ord + std::borrow::Borrow<str>, T>(
    kind: Kind,
    base: &BTreeMap<K, Declared<T>>,
    head: &BTreeMap<K, Declared<T>>,
    renames: &Renames,
    found: &mut Vec<Found>,
) {
    for (key, before) in base.iter().filter(|(_, one)| one.metadata.protect) {
        let name = renames.name(kind, key.borrow());
        let object = format!("{}/{name}", kind.kebab());
        let weakens = |message| Found::new(Effect::Weakens, Subject::Protection, &object, message);
        match head.get(name) {
            None => found.push(
                weakens(format!("`{object}` is protected, and its document is deleted"))
                    .at(Side::Base, field(before.origin, "metadata.protect")),
            ),
            Some(after) if !after.metadata.protect => found.push(
                weakens(format!("`{object}` is not protected any more"))
                    .at(Side::Head, field(after.origin, "metadata")),
            ),
            Some(_) => {}
        }
    }
    let protected: BTreeSet<&str> = base
        .iter()
        .filter(|(_, one)| one.metadata.protect)
        .map(|(key, _)| renames.name(kind, key.borrow()))
        .collect();
    for (key, after) in head.iter().filter(|(_, one)| one.metadata.protect) {
        let name: &str = key.borrow();
        if !protected.contains(name) {
            let object = format!("{}/{name}", kind.kebab());
            let message = format!("`{object}` is protected from now on");
            let found_one = Found::new(Effect::Tightens, Subject::Protection, &object, message);
            found.push(found_one.at(Side::Head, field(after.origin, "metadata.protect")));
        }
    }
}
