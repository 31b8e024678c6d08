//! What is remembered of delegated access: a template with a customer is held by one relationship, or by
//! two while one takes over.

use super::execute::Sent;
use super::record::{Keeping, Objects, new};
use super::register::Register;
use crate::ledger::{Change as Kept, Managed, ObjectKey};
use crate::model::customer::Relationship;
use crate::model::metadata::Metadata;
use crate::model::name::{CustomerKey, Kind, Name};
use crate::model::scalar::Scalar;
use crate::model::tenant::RelationshipId;
use crate::plan::record::Hold;
use crate::plan::step::{Step, Verb};
use crate::plan::{Applied, Change, Remains, generation_of, is_grant};

impl Objects<'_> {
    /// What a step that is done changes in what is remembered of a seat.
    pub(super) fn seat(&self, step: &Step, sent: &Sent) -> Vec<Kept> {
        let Ok(mut objects) = self.known.lock() else { return Vec::new() };
        let mut changes = Vec::new();
        let about = step.change.relationship();
        let held_by = step.held_by.clone().unwrap_or_default();
        let ids = held_by.relationships.keys().chain(about).map(|id| id.0.as_str());
        let known = objects.of(self.keeping, &step.object, ids).cloned();
        if let Some(former) = known.as_ref().map(|known| known.key.clone())
            && former != step.object
        {
            objects.remove(&former);
            changes.push(Kept::Rename { from: former, to: step.object.name.clone() });
        }
        let mut managed = known.unwrap_or_else(|| new(self.keeping, &step.object, step.verb));
        managed.key = step.object.clone();
        let mut what = Applied::read(&managed.spec);
        for (id, hold) in &held_by.relationships {
            what.relationships.entry(id.clone()).or_insert(*hold);
        }
        match (&step.change, about) {
            (Change::RequestDelegation { name, .. }, _) => {
                if let Some(id) = &sent.remote_id {
                    what.relationships.insert(RelationshipId(id.clone()), Hold::Made);
                    managed.remote_id.get_or_insert_with(|| id.as_str().into());
                }
                let generation = generation_of(name).unwrap_or_default();
                what.generation = what.generation.max(generation);
            }
            (Change::TerminateDelegation { .. } | Change::DeleteDelegation { .. }, Some(id)) => {
                what.relationships.remove(id);
                if managed.remote_id.as_deref() == Some(&id.0) {
                    let next = what.relationships.keys().next_back();
                    managed.remote_id = next.map(|id| id.0.as_str().into());
                }
                if managed.remote_id.is_none() && what.relationships.is_empty() {
                    objects.remove(&step.object);
                    changes.push(Kept::Forget(step.object.clone()));
                    return changes;
                }
            }
            (_, Some(id)) => {
                // Of what nobody says otherwise it is not known that we made it: then it never ends here.
                what.relationships.entry(id.clone()).or_insert(Hold::Adopted);
                managed.remote_id.get_or_insert_with(|| id.0.as_str().into());
            }
            (_, None) => {}
        }
        let is_request =
            matches!(step.change, Change::RequestDelegation { .. } | Change::LockDelegation { .. });
        let is_first = held_by.relationships.keys().all(|id| Some(id) == about);
        if is_request && is_first {
            // Whoever has nothing to give asks: what groups had went with what gave it.
            what.fields.retain(|path, _| !is_grant(path));
        }
        // What becomes of another one says nothing of the one that gives what is declared.
        let is_beside = held_by.main.is_some() && about.is_some() && held_by.main.as_ref() != about;
        // What is asked for is not given yet.
        for change in step.fields.iter().filter(|_| !is_request && !is_beside) {
            if change.after.is_null() {
                what.fields.remove(&change.path);
            } else {
                what.fields.insert(change.path.clone(), change.after.clone());
            }
        }
        self.keep(&mut managed, what, &step.object);
        managed.run = Some(self.keeping.run.into());
        objects.insert(managed.clone());
        changes.push(Kept::Put(Box::new(managed)));
        changes
    }

    fn keep(&self, managed: &mut Managed, what: Applied, key: &ObjectKey) {
        keep(self.keeping, managed, what, key);
    }
}

/// Puts what is remembered into its place, with what the document says should become of it.
fn keep(keeping: Keeping<'_>, managed: &mut Managed, mut what: Applied, key: &ObjectKey) {
    if let Some(metadata) = metadata(keeping, key) {
        managed.is_protected = metadata.protect;
        what.on_removal = metadata.on_removal.map(|what| what.word().to_owned());
    }
    if what != Applied::read(&managed.spec)
        && let Ok(spec) = what.to_json()
    {
        managed.spec = spec;
    }
}

/// What is remembered of seats while they are not as declared: by what they are held, what of them is as
/// declared, and under which name.
pub(super) fn open(keeping: Keeping<'_>, objects: &Register, remains: &Remains) -> Vec<Kept> {
    let mut changes = Vec::new();
    for (key, now) in remains.seats.iter().filter(|(key, _)| remains.open.contains(*key)) {
        let known = objects.of(keeping, key, None);
        if known.is_none() && now.relationships.is_empty() || metadata(keeping, key).is_none() {
            continue;
        }
        if let Some(former) = known.map(|known| known.key.clone())
            && former != *key
        {
            changes.push(Kept::Rename { from: former, to: key.name.clone() });
        }
        let mut managed = known
            .cloned()
            .unwrap_or_else(|| Managed { run: None, ..new(keeping, key, Verb::Update) });
        managed.key = key.clone();
        let mut what = Applied::read(&managed.spec);
        for (id, hold) in &now.relationships {
            what.relationships.entry(id.clone()).or_insert(*hold);
            managed.remote_id.get_or_insert_with(|| id.0.as_str().into());
        }
        what.fields.extend(now.fields.clone());
        keep(keeping, &mut managed, what, key);
        if known != Some(&managed) {
            changes.push(Kept::Put(Box::new(managed)));
        }
    }
    changes
}

/// What a step ended does not hold its seat any more.
pub(super) fn leave(remains: &mut Remains, step: &Step) {
    if let Some(relationship) = step.change.ends()
        && let Some(now) = remains.seats.get_mut(&step.object)
    {
        now.relationships.remove(relationship);
    }
}

/// Remembers that a seat is held by a relationship.
pub(super) fn hold(what: &mut Applied, remains: &Remains, key: &ObjectKey, id: &RelationshipId) {
    let now = remains.seats.get(key);
    let hold = now.and_then(|now| now.relationships.get(id)).copied();
    what.relationships.entry(id.clone()).or_insert(hold.unwrap_or(Hold::Adopted));
}

/// The names that a seat had before: its template or its customer was called otherwise.
pub(super) fn names<'a>(
    keeping: Keeping<'a>,
    key: &ObjectKey,
) -> impl Iterator<Item = ObjectKey> + use<'a> {
    let parts = key.name.split_once('/').and_then(|(template, customer)| {
        let template = &keeping.estate.delegated_access.get(template)?.metadata;
        Some((&**template, &*keeping.estate.customers.get(customer)?.metadata))
    });
    parts.into_iter().flat_map(|(template, customer)| {
        all_names(template).flat_map(move |template| {
            all_names(customer).map(move |customer| {
                ObjectKey::new(Kind::DelegatedAccess, format!("{template}/{customer}"))
            })
        })
    })
}

fn all_names(metadata: &Metadata) -> impl Iterator<Item = &str> {
    std::iter::once(&metadata.name).chain(&metadata.formerly).map(Name::as_str)
}

/// The document of a seat, as long as its template selects its customer.
pub(super) fn metadata<'a>(keeping: Keeping<'a>, key: &ObjectKey) -> Option<&'a Metadata> {
    let (template, customer) = key.name.split_once('/')?;
    let template = keeping.estate.delegated_access.get(template)?;
    let declared = keeping.estate.customers.get(customer)?;
    let name = CustomerKey(Name::parse(customer).ok()?);
    let is_reseller = declared.spec.relationship == Relationship::Reseller;
    let selects = template.spec.customers.selects(&name, &declared.metadata.labels);
    (is_reseller && selects).then_some(&*template.metadata)
}
