//! What differs in the estate, object by object. Where a document stands, how it is laid out and in
//! which order, is no difference; nor is what it was called before.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::Input;
pub use super::fields::FieldChange;
use super::fields::difference;
use super::place::{At, Side, field};
use super::renamed::Renames;
use crate::manifest::draft::Where;
use crate::manifest::emit;
use crate::model::estate::{Declared, Origin};
use crate::model::metadata::Metadata;
use crate::model::name::Kind;

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Became {
    Removed,
    Changed,
    /// It has another name, and is the same.
    Renamed,
    Added,
}

impl Became {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Renamed => "renamed",
            Self::Added => "added",
        }
    }
}

/// An object that is not as it was.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectChange {
    /// `kind/name`, as the head has it; as the base had it for what is removed.
    pub object: String,
    pub became: Became,
    /// `kind/name` before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formerly: Option<String>,
    /// Nothing for what is removed.
    pub fields: Vec<FieldChange>,
    /// How many gains of access it has a part in: pairs of an action and who or what is at the
    /// other end.
    pub gains: u64,
    /// Where it stands: the first field that differs, or the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<At>,
}

/// All objects that differ, by kind and name.
pub(super) fn compare(input: &Input<'_>, renames: &Renames) -> Vec<ObjectChange> {
    let (base, head) = (&input.base.loaded.estate, &input.head.loaded.estate);
    let mut found =
        Found { renames, changes: Vec::new(), base_places: Vec::new(), head_places: Vec::new() };
    let single = |one: &Option<Declared<_>>| {
        one.iter().map(|one| (one.metadata.name.clone(), one.clone())).collect::<BTreeMap<_, _>>()
    };
    found.of_kind(Kind::Account, &single(&base.account), &single(&head.account), emit::account);
    found.of_kind(Kind::User, &base.users, &head.users, emit::user);
    found.of_kind(Kind::Role, &base.roles, &head.roles, emit::role);
    found.of_kind(Kind::Partnership, &base.partnerships, &head.partnerships, emit::partnership);
    found.of_kind(Kind::Customer, &base.customers, &head.customers, emit::customer);
    found.of_kind(
        Kind::DelegatedAccess,
        &base.delegated_access,
        &head.delegated_access,
        emit::delegated_access,
    );
    found.located(input)
}

struct Found<'a> {
    renames: &'a Renames,
    changes: Vec<ObjectChange>,
    /// Which change, and where it is.
    base_places: Vec<(usize, Where)>,
    head_places: Vec<(usize, Where)>,
}

impl Found<'_> {
    fn of_kind<K, T>(
        &mut self,
        kind: Kind,
        base: &BTreeMap<K, Declared<T>>,
        head: &BTreeMap<K, Declared<T>>,
        emit: impl Fn(&T) -> Value,
    ) where
        K: Ord + AsName,
        T: PartialEq,
    {
        let reference = |name: &str| format!("{}/{name}", kind.kebab());
        let before: BTreeMap<&str, (&str, &Declared<T>)> = base
            .iter()
            .map(|(key, one)| (self.renames.name(kind, key.as_name()), (key.as_name(), one)))
            .collect();
        let after: BTreeMap<&str, &Declared<T>> =
            head.iter().map(|(key, one)| (key.as_name(), one)).collect();
        let names: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
        for name in names {
            match (before.get(name), after.get(name)) {
                (Some((_, old)), None) => {
                    let at = Some((Side::Base, old.origin, None));
                    self.push(reference(name), Became::Removed, None, Vec::new(), at);
                }
                (None, Some(new)) => {
                    let fields = difference(&Value::Null, &told(new, &emit));
                    let at = Some((Side::Head, new.origin, None));
                    self.push(reference(name), Became::Added, None, fields, at);
                }
                (Some((former, old)), Some(new)) => {
                    let is_renamed = *former != name;
                    if !is_renamed && old.metadata == new.metadata && old.spec == new.spec {
                        continue;
                    }
                    let fields = difference(&self.renamed(told(old, &emit)), &told(new, &emit));
                    let became = if is_renamed { Became::Renamed } else { Became::Changed };
                    if !is_renamed && fields.is_empty() {
                        continue;
                    }
                    let first = fields.first().map(|field| field.path.clone());
                    let formerly = is_renamed.then(|| reference(former));
                    let at = Some((Side::Head, new.origin, first));
                    self.push(reference(name), became, formerly, fields, at);
                }
                (None, None) => {}
            }
        }
    }

    /// With the names that the head has for what it refers to.
    fn renamed(&self, mut told: Value) -> Value {
        if let Some(spec) = told.get_mut("spec") {
            *spec = self.renames.spec(spec.take());
        }
        told
    }

    fn push(
        &mut self,
        object: String,
        became: Became,
        formerly: Option<String>,
        fields: Vec<FieldChange>,
        at: Option<(Side, Origin, Option<String>)>,
    ) {
        let index = self.changes.len();
        if let Some((side, origin, path)) = at {
            let at = field(origin, path.as_deref().unwrap_or("metadata.name"));
            match side {
                Side::Base => self.base_places.push((index, at)),
                Side::Head => self.head_places.push((index, at)),
            }
        }
        self.changes.push(ObjectChange { object, became, formerly, fields, gains: 0, at: None });
    }

    fn located(self, input: &Input<'_>) -> Vec<ObjectChange> {
        let Self { renames: _, mut changes, base_places, head_places } = self;
        for (side, loaded, places) in [
            (Side::Base, input.base.loaded, base_places),
            (Side::Head, input.head.loaded, head_places),
        ] {
            let (indexes, places): (Vec<usize>, Vec<Where>) = places.into_iter().unzip();
            for (index, place) in indexes.into_iter().zip(loaded.places_of(&places)) {
                if let Some(change) = changes.get_mut(index) {
                    change.at = Some(At::of(side, place));
                }
            }
        }
        changes
    }
}

/// Names of documents, whatever their kind.
trait AsName {
    fn as_name(&self) -> &str;
}

impl<K: std::borrow::Borrow<str>> AsName for K {
    fn as_name(&self) -> &str {
        self.borrow()
    }
}

/// A document as it would be written, but for its name and what it was called before.
fn told<T>(declared: &Declared<T>, emit: impl Fn(&T) -> Value) -> Value {
    let plain = Metadata { formerly: Vec::new(), ..(*declared.metadata).clone() };
    let mut metadata = emit::written_metadata(&plain);
    if let Some(members) = metadata.as_object_mut() {
        members.remove("name");
        // What kustomize notes of where a document came from moves with it.
        if let Some(annotations) = members.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.retain(|key, _| !key.starts_with("config.kubernetes.io/"));
        }
    }
    json!({"metadata": metadata, "spec": emit(&declared.spec)})
}
