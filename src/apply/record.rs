//! What the ledger is told of objects: after each step, and at the end of all that are as declared.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Mutex;

use serde_json::Value;

use super::execute::Sent;
use super::{Applied as Came, Came as StepCame, Job};
use crate::ledger::{Change as Kept, LedgerError, Managed, ObjectKey, Origin, Recorded};
use crate::model::Str;
use crate::model::metadata::{Metadata, OnRemoval};
use crate::model::name::Kind;
use crate::plan::record::element;
use crate::plan::step::{Step, Verb};
use crate::plan::{Applied, applied};

/// What is managed, kept up to date while the run goes on.
#[derive(Debug)]
pub(super) struct Objects(Mutex<HashMap<ObjectKey, Managed>>);

const SETS: [&str; 3] = ["spec.agent", "spec.admin", "spec.roles"];

impl Objects {
    pub(super) fn new(job: &Job<'_>) -> Self {
        let own =
            job.objects.iter().filter(|known| known.managed.estate == job.plan.parents.estate);
        Self(Mutex::new(
            own.map(|Recorded { managed, .. }| (managed.key.clone(), managed.clone())).collect(),
        ))
    }

    /// What a step that is done changes in what is managed.
    pub(super) fn done(&self, job: &Job<'_>, step: &Step, sent: &Sent) -> Vec<Kept> {
        let Ok(mut objects) = self.0.lock() else { return Vec::new() };
        if step.verb == Verb::Delete {
            objects.remove(&step.object);
            return vec![Kept::Forget(step.object.clone())];
        }
        let remote_id = sent.remote_id.as_deref().or(step.guard.remote_id.as_deref());
        let known = known_as(job, &objects, &step.object, remote_id);
        let mut changes = Vec::new();
        if let Some(former) = known.as_ref().map(|known| known.key.clone())
            && former != step.object
        {
            objects.remove(&former);
            changes.push(Kept::Rename { from: former, to: step.object.name.clone() });
        }
        let mut managed = known.unwrap_or_else(|| new(job, &step.object, step.verb));
        // What comes back because a run is undone was made here: nothing else is deleted.
        let comes_back = step.verb == Verb::Restore && job.plan.parents.undoes.is_some();
        if comes_back {
            managed.origin = Origin::Made;
        }
        managed.key = step.object.clone();
        if let Some(id) = &sent.remote_id {
            managed.remote_id = Some(id.as_str().into());
        }
        let mut what = Applied::read(&managed.spec);
        if step.verb == Verb::Create {
            what = applied(job.estate, &step.object, None).unwrap_or_default();
            // What is held comes with steps of its own.
            for set in SETS {
                if what.fields.contains_key(set) {
                    what.fields.insert(set.to_owned(), Value::Array(Vec::new()));
                }
            }
        } else {
            for change in &step.fields {
                touch(&mut what, step, change);
            }
        }
        if comes_back {
            what.on_removal = Some(OnRemoval::Delete.word().to_owned());
        }
        if let Some(metadata) = metadata(job, &step.object) {
            managed.is_protected = metadata.protect;
            what.on_removal = metadata.on_removal.map(|what| what.word().to_owned());
        }
        managed.exchanges.extend(sent.exchanges.clone());
        managed.run = Some(job.run.as_str().into());
        if let Ok(spec) = what.to_json() {
            managed.spec = spec;
        }
        objects.insert(step.object.clone(), managed.clone());
        changes.push(Kept::Put(Box::new(managed)));
        changes
    }

    /// At the end: what is as declared is managed from now on, what is gone from the manifests no
    /// longer is.
    pub(super) async fn settle(&self, job: &Job<'_>, came: &Came) -> Result<(), LedgerError> {
        let changes = self.at_the_end(job, came);
        if changes.is_empty() {
            return Ok(());
        }
        job.ledger.record(&job.lease, changes).await
    }

    fn at_the_end(&self, job: &Job<'_>, came: &Came) -> Vec<Kept> {
        let Ok(objects) = self.0.lock() else { return Vec::new() };
        let mut open: HashMap<&ObjectKey, bool> = HashMap::new();
        for step in &job.plan.steps {
            let is_open = came.steps.get(&step.id) != Some(&StepCame::Done);
            *open.entry(&step.object).or_default() |= is_open;
        }
        let is_open = |key: &ObjectKey| open.get(key).copied().unwrap_or(false);
        let mut changes = Vec::new();
        let mut live: BTreeMap<ObjectKey, Option<String>> = (job.bound)().into_iter().collect();
        for (key, managed) in objects.iter().filter(|(_, managed)| managed.remote_id.is_some()) {
            if managed.run.as_deref() == Some(&job.run) {
                let id = managed.remote_id.as_ref().map(ToString::to_string);
                live.entry(key.clone()).or_insert(id);
            }
        }
        for (key, remote_id) in live {
            if is_open(&key) {
                continue;
            }
            let known = known_as(job, &objects, &key, remote_id.as_deref());
            if let Some(former) = known.as_ref().map(|known| known.key.clone())
                && former != key
            {
                changes.push(Kept::Rename { from: former, to: key.name.clone() });
            }
            let before = known.as_ref().map(|known| Applied::read(&known.spec));
            let Some(what) = applied(job.estate, &key, before.as_ref()) else { continue };
            let Some(metadata) = metadata(job, &key) else { continue };
            let mut managed = known
                .clone()
                .unwrap_or_else(|| Managed { run: None, ..new(job, &key, Verb::Update) });
            managed.key = key.clone();
            managed.is_protected = metadata.protect;
            managed.remote_id = remote_id.map(Str::from).or(managed.remote_id);
            if before.as_ref() != Some(&what)
                && let Ok(spec) = what.to_json()
            {
                managed.spec = spec;
            }
            if known.as_ref() != Some(&managed) {
                changes.push(Kept::Put(Box::new(managed)));
            }
        }
        if job.is_complete {
            let renamed: BTreeSet<ObjectKey> = changes
                .iter()
                .filter_map(|change| match change {
                    Kept::Rename { from, .. } => Some(from.clone()),
                    Kept::Put(_) | Kept::Forget(_) => None,
                })
                .collect();
            for key in objects.keys().filter(|key| !renamed.contains(*key)) {
                let is_protected = objects.get(key).is_some_and(|known| known.is_protected);
                if metadata(job, key).is_none()
                    && !is_open(key)
                    && !is_protected
                    && !is_renamed(job, key)
                {
                    changes.push(Kept::Forget(key.clone()));
                }
            }
        }
        changes
    }
}

/// Whether another document has had this name.
fn is_renamed(job: &Job<'_>, key: &ObjectKey) -> bool {
    all_metadata(job, key.kind)
        .into_iter()
        .any(|metadata| metadata.formerly.iter().any(|name| name.as_str() == key.name))
}

/// What is known of an object: under its name, under one that it had, or under one that no document
/// has any more.
fn known_as(
    job: &Job<'_>,
    objects: &HashMap<ObjectKey, Managed>,
    key: &ObjectKey,
    remote_id: Option<&str>,
) -> Option<Managed> {
    let formerly = || {
        metadata(job, key)?
            .formerly
            .iter()
            .find_map(|name| objects.get(&ObjectKey::new(key.kind, name.as_str())).cloned())
    };
    let by_id = || {
        let id = remote_id?;
        let same = objects.values().find(|known| {
            known.key.kind == key.kind
                && known.remote_id.as_deref() == Some(id)
                && metadata(job, &known.key).is_none()
        });
        same.cloned()
    };
    objects.get(key).cloned().or_else(formerly).or_else(by_id)
}

fn new(job: &Job<'_>, key: &ObjectKey, verb: Verb) -> Managed {
    Managed {
        key: key.clone(),
        estate: job.plan.parents.estate.as_str().into(),
        remote_id: None,
        origin: if verb == Verb::Create { Origin::Made } else { Origin::Adopted },
        spec: crate::ledger::Json::stored("{}"),
        exchanges: BTreeMap::new(),
        is_protected: false,
        formerly: Vec::new(),
        run: Some(job.run.as_str().into()),
    }
}

fn metadata<'a>(job: &Job<'a>, key: &ObjectKey) -> Option<&'a Metadata> {
    let (estate, name) = (job.estate, key.name.as_str());
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
        _ => None,
    }
}

fn all_metadata<'a>(job: &Job<'a>, kind: Kind) -> Vec<&'a Metadata> {
    let estate = job.estate;
    match kind {
        Kind::User => estate.users.values().map(|one| &*one.metadata).collect(),
        Kind::Role => estate.roles.values().map(|one| &*one.metadata).collect(),
        Kind::Partnership => estate.partnerships.values().map(|one| &*one.metadata).collect(),
        Kind::Customer => estate.customers.values().map(|one| &*one.metadata).collect(),
        _ => Vec::new(),
    }
}

/// What a step did to a field: a value, or an element of a set.
fn touch(what: &mut Applied, step: &Step, change: &crate::plan::step::FieldChange) {
    if !SETS.contains(&change.path.as_str()) || !matches!(step.verb, Verb::Grant | Verb::Revoke) {
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
