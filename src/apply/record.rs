//! What the ledger is told of objects: after each step, and at the end of all that are as declared.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use serde_json::Value;

use super::execute::Sent;
use super::register::{Former, Register};
use super::seats;
use super::{Applied as Came, Came as StepCame, Job};
use crate::ledger::{Change as Kept, Managed, ObjectKey, Origin, Recorded};
use crate::model::Str;
use crate::model::estate::Estate;
use crate::model::metadata::{Metadata, OnRemoval};
use crate::model::name::Kind;
use crate::model::tenant::RelationshipId;
use crate::plan::Remains;
use crate::plan::record::element;
use crate::plan::step::{Cause, Step, Verb};
use crate::plan::{Applied, applied};

/// For whom it is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keeping<'a> {
    pub(super) estate: &'a Estate,
    /// The estate's name.
    pub(super) name: &'a str,
    pub(super) run: &'a str,
}

/// What is managed, kept up to date while the run goes on.
#[derive(Debug)]
pub(super) struct Objects<'a> {
    pub(super) keeping: Keeping<'a>,
    pub(super) known: Mutex<Register>,
}

const SETS: [&str; 3] = ["spec.agent", "spec.admin", "spec.roles"];

fn is_set(path: &str) -> bool {
    SETS.contains(&path)
}

/// Whether it takes back what an earlier run did.
fn is_undoing(step: &Step) -> bool {
    step.fields.iter().any(|field| field.cause == Cause::Undo)
}

impl<'a> Objects<'a> {
    pub(super) fn new<'r>(
        keeping: Keeping<'a>,
        objects: impl IntoIterator<Item = &'r Recorded>,
    ) -> Self {
        let own = objects.into_iter().filter(|known| known.managed.estate == keeping.name);
        let known = own.map(|recorded| recorded.managed.clone()).collect();
        Self { keeping, known: Mutex::new(known) }
    }

    /// What a step that is done changes in what is managed.
    pub(super) fn done(&self, step: &Step, sent: &Sent) -> Vec<Kept> {
        let keeping = self.keeping;
        if step.object.kind == Kind::DelegatedAccess {
            return self.seat(step, sent);
        }
        let Ok(mut objects) = self.known.lock() else { return Vec::new() };
        if step.verb == Verb::Delete {
            objects.remove(&step.object);
            return vec![Kept::Forget(step.object.clone())];
        }
        let remote_id = sent.remote_id.as_deref().or(step.guard.remote_id.as_deref());
        let known = objects.of(keeping, &step.object, remote_id).cloned();
        let mut changes = Vec::new();
        if let Some(former) = known.as_ref().map(|known| known.key.clone())
            && former != step.object
        {
            objects.remove(&former);
            changes.push(Kept::Rename { from: former, to: step.object.name.clone() });
        }
        if step.verb == Verb::Reset && known.is_none() {
            // Nothing is managed because somebody lost a password.
            return Vec::new();
        }
        let mut managed = known.unwrap_or_else(|| new(keeping, &step.object, step.verb));
        // What comes back because a run is undone was made here: nothing else is deleted.
        let comes_back = step.verb == Verb::Restore && is_undoing(step);
        if comes_back {
            managed.origin = Origin::Made;
        }
        managed.key = step.object.clone();
        if let Some(id) = &sent.remote_id {
            managed.remote_id = Some(id.as_str().into());
        }
        let mut what = Applied::read(&managed.spec);
        if step.verb == Verb::Create {
            what = applied(keeping.estate, &step.object, None).unwrap_or_default();
            // What was sent, which may be another than what is declared by now.
            for change in step.fields.iter().filter(|change| !is_set(&change.path)) {
                what.fields.insert(change.path.clone(), change.after.clone());
            }
            // What is held comes with steps of its own.
            for (path, value) in &mut what.fields {
                if is_set(path) {
                    *value = Value::Array(Vec::new());
                }
            }
            what.owes_password = sent.owes_password;
        } else {
            what.owes_password &= step.verb != Verb::Reset;
            for change in &step.fields {
                touch(&mut what, step, change);
            }
        }
        if comes_back {
            what.on_removal = Some(OnRemoval::Delete.word().to_owned());
        }
        if let Some(metadata) = metadata(keeping, &step.object) {
            managed.is_protected = metadata.protect;
            what.on_removal = metadata.on_removal.map(|what| what.word().to_owned());
        }
        managed.exchanges.extend(sent.exchanges.clone());
        managed.run = Some(keeping.run.into());
        if let Ok(spec) = what.to_json() {
            managed.spec = spec;
        }
        objects.insert(managed.clone());
        changes.push(Kept::Put(Box::new(managed)));
        changes
    }

    /// A change as it would be told now.
    pub(super) fn as_it_is(&self, change: &Kept) -> Kept {
        let (Kept::Put(managed), Ok(known)) = (change, self.known.lock()) else {
            return change.clone();
        };
        match known.get(&managed.key) {
            Some(managed) => Kept::Put(Box::new(managed.clone())),
            // Gone meanwhile, or under another name.
            None => Kept::Forget(managed.key.clone()),
        }
    }

    /// A password that may have been replaced, by one that nobody may have: it is owed.
    pub(super) fn in_doubt(&self, step: &Step) -> Vec<Kept> {
        if step.verb == Verb::Reset { self.owing(step) } else { Vec::new() }
    }

    /// Somebody of ours whose password nobody has.
    pub(super) fn owing(&self, step: &Step) -> Vec<Kept> {
        let Ok(mut objects) = self.known.lock() else { return Vec::new() };
        let Some(managed) = objects.get_mut(&step.object) else { return Vec::new() };
        let what = Applied { owes_password: true, ..Applied::read(&managed.spec) };
        let Ok(spec) = what.to_json() else { return Vec::new() };
        managed.spec = spec;
        vec![Kept::Put(Box::new(managed.clone()))]
    }

    /// What changes at the end: what is as declared is managed from now on, what is gone from the
    /// manifests no longer is.
    pub(super) fn at_the_end(&self, job: &Job<'_>, came: &Came) -> Vec<Kept> {
        let keeping = self.keeping;
        let Ok(objects) = self.known.lock() else { return Vec::new() };
        let not_done = job.plan.steps.iter().filter(|step| {
            let came = came.steps.get(&step.id);
            came != Some(&StepCame::Done)
        });
        let mut remains = job.remains.clone();
        remains.open.extend(not_done.map(|step| step.object.clone()));
        let is_done = |step: &&Step| came.steps.get(&step.id) == Some(&StepCame::Done);
        for step in job.plan.steps.iter().filter(is_done) {
            seats::leave(&mut remains, step);
        }
        let mut live: BTreeMap<ObjectKey, Option<String>> = job.bound.iter().cloned().collect();
        for (key, managed) in objects.iter().filter(|(_, managed)| managed.remote_id.is_some()) {
            if managed.run.as_deref() == Some(keeping.run) {
                let id = managed.remote_id.as_ref().map(ToString::to_string);
                live.entry(key.clone()).or_insert(id);
            }
        }
        unsettled(keeping, &objects, live, &remains, job.is_complete)
    }
}

/// What is remembered, and what is declared and there.
#[derive(Debug)]
pub struct Known<'a> {
    pub estate: &'a Estate,
    /// The estate's name.
    pub name: &'a str,
    pub objects: Vec<&'a Recorded>,
    /// What is declared and there, with its id.
    pub bound: Vec<(ObjectKey, Option<String>)>,
    /// What something is to be done about, and what is remembered of it.
    pub remains: &'a Remains,
    /// These are all the manifests there are.
    pub is_complete: bool,
}

/// Whether a run without a step would change nothing of what is remembered as managed.
pub fn is_settled(known: Known<'_>) -> bool {
    let Known { estate, name, objects, bound, remains, is_complete } = known;
    let keeping = Keeping { estate, name, run: "" };
    let objects = Objects::new(keeping, objects);
    let Ok(objects) = objects.known.into_inner() else { return false };
    unsettled(keeping, &objects, bound.into_iter().collect(), remains, is_complete).is_empty()
}

/// What is to be remembered otherwise of what is there, `live`, and of what is gone from the manifests;
/// of what is open, only what is so whatever comes of it.
pub(super) fn unsettled(
    keeping: Keeping<'_>,
    objects: &Register,
    live: BTreeMap<ObjectKey, Option<String>>,
    remains: &Remains,
    is_complete: bool,
) -> Vec<Kept> {
    let open = &remains.open;
    let mut changes = seats::open(keeping, objects, remains);
    for (key, remote_id) in live {
        if open.contains(&key) {
            continue;
        }
        let known = objects.of(keeping, &key, remote_id.as_deref());
        if let Some(former) = known.map(|known| known.key.clone())
            && former != key
        {
            changes.push(Kept::Rename { from: former, to: key.name.clone() });
        }
        let before = known.map(|known| Applied::read(&known.spec));
        let Some(mut what) = applied(keeping.estate, &key, before.as_ref()) else { continue };
        if let (Kind::DelegatedAccess, Some(id)) = (key.kind, &remote_id) {
            seats::hold(&mut what, remains, &key, &RelationshipId(id.clone()));
        }
        let Some(metadata) = metadata(keeping, &key) else { continue };
        let mut managed = known
            .cloned()
            .unwrap_or_else(|| Managed { run: None, ..new(keeping, &key, Verb::Update) });
        managed.key = key.clone();
        managed.is_protected = metadata.protect;
        managed.remote_id = remote_id.map(Str::from).or(managed.remote_id);
        if before.as_ref() != Some(&what)
            && let Ok(spec) = what.to_json()
        {
            managed.spec = spec;
        }
        if known != Some(&managed) {
            changes.push(Kept::Put(Box::new(managed)));
        }
    }
    if is_complete {
        let renamed: BTreeSet<ObjectKey> = changes
            .iter()
            .filter_map(|change| match change {
                Kept::Rename { from, .. } => Some(from.clone()),
                Kept::Put(_) | Kept::Forget(_) => None,
            })
            .collect();
        let former = LazyCell::new(|| Former::of(keeping));
        for (key, known) in objects.iter().filter(|(key, _)| !renamed.contains(*key)) {
            if metadata(keeping, key).is_none()
                && !open.contains(key)
                && !known.is_protected
                && !former.is_of_another(key)
            {
                changes.push(Kept::Forget(key.clone()));
            }
        }
    }
    changes
}

pub(super) fn new(keeping: Keeping<'_>, key: &ObjectKey, verb: Verb) -> Managed {
    Managed {
        key: key.clone(),
        estate: keeping.name.into(),
        remote_id: None,
        origin: if verb == Verb::Create { Origin::Made } else { Origin::Adopted },
        spec: crate::ledger::Json::stored("{}"),
        exchanges: BTreeMap::new(),
        is_protected: false,
        formerly: Vec::new(),
        run: Some(keeping.run.into()),
    }
}

/// The document of an object.
pub(super) fn metadata<'a>(keeping: Keeping<'a>, key: &ObjectKey) -> Option<&'a Metadata> {
    let (estate, name) = (keeping.estate, key.name.as_str());
    match key.kind {
        Kind::Account => estate
            .account
            .as_ref()
            .map(|one| &*one.metadata)
            .filter(|metadata| metadata.name.as_str() == name),
        Kind::User => estate.users.get(name).map(|one| &*one.metadata),
        Kind::Role => estate.roles.get(name).map(|one| &*one.metadata),
        Kind::Partnership => estate.partnerships.get(name).map(|one| &*one.metadata),
        Kind::Customer => estate.customers.get(name).map(|one| &*one.metadata),
        Kind::DelegatedAccess => seats::metadata(keeping, key),
        _ => None,
    }
}

/// What a step did to a field: a value, or an element of a set.
fn touch(what: &mut Applied, step: &Step, change: &crate::plan::step::FieldChange) {
    if !is_set(&change.path) || !matches!(step.verb, Verb::Grant | Verb::Revoke) {
        what.fields.insert(change.path.clone(), change.after.clone());
        return;
    }
    let place = what.fields.entry(change.path.clone()).or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(elements) = place {
        elements.retain(|element| *element != change.before && *element != change.after);
        if !change.after.is_null() {
            elements.push(change.after.clone());
            elements.sort_by_key(Value::to_string);
        }
    }
    // `user/ben/grant/agent/admin`: the word stands last.
    let word = step.id.splitn(5, '/').last().unwrap_or_default();
    let element = element(&change.path, word);
    if change.after.is_null() {
        what.granted.remove(&element);
    } else {
        what.granted.insert(element);
    }
}
