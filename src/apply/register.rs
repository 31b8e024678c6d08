//! What is managed, found by its name, and by what it is in the tenant.
//!
//! Whoever has ten thousand objects looks each of them up: nothing here goes through all of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::record::{Keeping, metadata};
use super::seats;
use crate::ledger::{Managed, ObjectKey};
use crate::model::Str;
use crate::model::estate::Estate;
use crate::model::metadata::Metadata;
use crate::model::name::Kind;
use crate::plan::Applied;

#[derive(Debug, Default)]
pub(super) struct Register {
    objects: HashMap<ObjectKey, Managed>,
    /// Under which names something was ever known. What is found is looked at again, so nothing is taken
    /// out here.
    by_id: HashMap<(Kind, Str), BTreeSet<ObjectKey>>,
}

impl FromIterator<Managed> for Register {
    fn from_iter<T: IntoIterator<Item = Managed>>(all: T) -> Self {
        let mut register = Self::default();
        all.into_iter().for_each(|managed| register.insert(managed));
        register
    }
}

impl Register {
    pub(super) fn get(&self, key: &ObjectKey) -> Option<&Managed> {
        self.objects.get(key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&ObjectKey, &Managed)> {
        self.objects.iter()
    }

    pub(super) fn insert(&mut self, managed: Managed) {
        for id in ids(&managed) {
            self.by_id.entry((managed.key.kind, id)).or_default().insert(managed.key.clone());
        }
        self.objects.insert(managed.key.clone(), managed);
    }

    pub(super) fn remove(&mut self, key: &ObjectKey) {
        self.objects.remove(key);
    }

    /// Changes what is known, but not what it is in the tenant.
    pub(super) fn get_mut(&mut self, key: &ObjectKey) -> Option<&mut Managed> {
        self.objects.get_mut(key)
    }

    /// What is known of an object: under its name, under one that it had, or, by what it is in the
    /// tenant, under one that no document has any more.
    pub(super) fn of<'i>(
        &self,
        keeping: Keeping<'_>,
        key: &ObjectKey,
        ids: impl IntoIterator<Item = &'i str>,
    ) -> Option<&Managed> {
        let formerly = || match key.kind {
            Kind::DelegatedAccess => {
                seats::names(keeping, key).find_map(|key| self.objects.get(&key))
            }
            kind => {
                let mut names = metadata(keeping, key)?.formerly.iter();
                names.find_map(|name| self.objects.get(&ObjectKey::new(kind, name.as_str())))
            }
        };
        self.objects.get(key).or_else(formerly).or_else(|| {
            ids.into_iter().find_map(|id| {
                let mut keys = self.by_id.get(&(key.kind, id.into()))?.iter();
                keys.find_map(|key| {
                    let known = self.objects.get(key)?;
                    let is_it = self::ids(known).any(|one| one.as_str() == id);
                    (is_it && metadata(keeping, key).is_none()).then_some(known)
                })
            })
        })
    }
}

/// What something is in the tenant; a seat of delegated access may be several.
fn ids(managed: &Managed) -> impl Iterator<Item = Str> + use<> {
    let held = (managed.key.kind == Kind::DelegatedAccess)
        .then(|| Applied::read(&managed.spec).relationships.into_keys());
    let held = held.into_iter().flatten().map(|id| Str::from(id.0));
    managed.remote_id.clone().into_iter().chain(held)
}

/// Who had which name before.
pub(super) struct Former<'a> {
    keeping: Keeping<'a>,
    by_name: BTreeMap<(Kind, &'a str), Vec<&'a Metadata>>,
}

const KINDS: [Kind; 5] =
    [Kind::User, Kind::Role, Kind::Partnership, Kind::Customer, Kind::DelegatedAccess];

impl<'a> Former<'a> {
    pub(super) fn of(keeping: Keeping<'a>) -> Self {
        let mut by_name: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for kind in KINDS {
            for metadata in documents(keeping.estate, kind) {
                for name in &metadata.formerly {
                    by_name.entry((kind, name.as_str())).or_default().push(metadata);
                }
            }
        }
        Self { keeping, by_name }
    }

    /// Whether another document has had this name.
    pub(super) fn is_of_another(&self, key: &ObjectKey) -> bool {
        if key.kind != Kind::DelegatedAccess {
            return self.by_name.contains_key(&(key.kind, key.name.as_str()));
        }
        let Some((template, customer)) = key.name.split_once('/') else { return false };
        let customers = self.now(Kind::Customer, customer);
        self.now(Kind::DelegatedAccess, template).iter().any(|template| {
            customers.iter().any(|customer| {
                let seat = ObjectKey::new(key.kind, format!("{template}/{customer}"));
                metadata(self.keeping, &seat).is_some()
            })
        })
    }

    /// What a name stands for now: what it is the name of, and what once had it.
    fn now<'n>(&self, kind: Kind, name: &'n str) -> Vec<&'n str>
    where
        'a: 'n,
    {
        let former = self.by_name.get(&(kind, name)).into_iter().flatten();
        std::iter::once(name).chain(former.map(|one| one.name.as_str())).collect()
    }
}

fn documents(estate: &Estate, kind: Kind) -> Box<dyn Iterator<Item = &Metadata> + '_> {
    match kind {
        Kind::User => Box::new(estate.users.values().map(|one| &*one.metadata)),
        Kind::Role => Box::new(estate.roles.values().map(|one| &*one.metadata)),
        Kind::Partnership => Box::new(estate.partnerships.values().map(|one| &*one.metadata)),
        Kind::Customer => Box::new(estate.customers.values().map(|one| &*one.metadata)),
        Kind::DelegatedAccess => {
            Box::new(estate.delegated_access.values().map(|one| &*one.metadata))
        }
        _ => Box::new(std::iter::empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::record::new;
    use crate::model::tenant::RelationshipId;
    use crate::plan::record::Hold;
    use crate::plan::step::Verb;
    use crate::plan::tests::stage::{BASE, Stage};

    const OPS: &str = "---\napiVersion: partnerctl/v1\nkind: DelegatedAccess\nmetadata: {name: ops, formerly: [old]}\nspec: {customers: {all: true}, duration: P730D, grants: [{to: desk, directoryRoles: [Directory Readers]}]}\n";

    fn key(text: &str) -> ObjectKey {
        ObjectKey::parse(text).unwrap()
    }

    fn estate() -> Estate {
        Stage::fresh(&format!("{BASE}{OPS}")).estate()
    }

    fn keeping(estate: &Estate) -> Keeping<'_> {
        Keeping { estate, name: "fabrikam", run: "run" }
    }

    fn managed(keeping: Keeping<'_>, name: &str, id: &str, beside: &[&str]) -> Managed {
        let held = beside.iter().map(|id| (RelationshipId((*id).to_owned()), Hold::Made));
        let what = Applied { relationships: held.collect(), ..Applied::default() };
        Managed {
            remote_id: Some(id.into()),
            spec: what.to_json().unwrap(),
            ..new(keeping, &key(name), Verb::Create)
        }
    }

    fn found(register: &Register, keeping: Keeping<'_>, name: &str, id: &str) -> Option<String> {
        register.of(keeping, &key(name), Some(id)).map(|known| known.key.to_string())
    }

    #[test]
    fn what_no_document_names_is_found_by_what_it_is() {
        let estate = estate();
        let keeping = keeping(&estate);
        let all = [
            managed(keeping, "user/left", "u1", &[]),
            managed(keeping, "user/ben", "u2", &[]),
            managed(keeping, "delegated-access/ops/left", "r1", &["r2"]),
        ];
        let register: Register = all.into_iter().collect();
        assert_eq!(found(&register, keeping, "user/aiko", "u1").as_deref(), Some("user/left"));
        // Whoever is declared is nobody else.
        assert_eq!(found(&register, keeping, "user/aiko", "u2"), None);
        // What is of another kind is something else, whatever it is called.
        assert_eq!(found(&register, keeping, "customer/contoso", "u1"), None);
        for id in ["r1", "r2"] {
            let seat = found(&register, keeping, "delegated-access/ops/contoso", id);
            assert_eq!(seat.as_deref(), Some("delegated-access/ops/left"), "by {id}");
        }
    }

    #[test]
    fn what_it_was_once_it_is_no_more() {
        let estate = estate();
        let keeping = keeping(&estate);
        let mut register = Register::default();
        register.insert(managed(keeping, "user/left", "u1", &[]));
        register.insert(managed(keeping, "user/left", "u2", &[]));
        assert_eq!(found(&register, keeping, "user/aiko", "u1"), None);
        assert_eq!(found(&register, keeping, "user/aiko", "u2").as_deref(), Some("user/left"));
        register.remove(&key("user/left"));
        assert_eq!(found(&register, keeping, "user/aiko", "u2"), None);
    }

    #[test]
    fn a_former_name_is_another_ones_while_that_one_is_declared() {
        let estate = estate();
        let former = Former::of(keeping(&estate));
        assert!(former.is_of_another(&key("delegated-access/old/contoso")));
        assert!(!former.is_of_another(&key("delegated-access/old/left")), "no such customer");
        assert!(!former.is_of_another(&key("delegated-access/older/contoso")));
        assert!(!former.is_of_another(&key("user/left")));
    }
}
