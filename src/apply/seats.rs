//! What is remembered of delegated access: a template with a customer is held by one relationship, or by
//! two while one takes over.

use super::execute::Sent;
use super::record::{Keeping, Objects, new};
use crate::ledger::{Change as Kept, Managed, ObjectKey};
use crate::model::customer::Relationship;
use crate::model::metadata::Metadata;
use crate::model::name::{CustomerKey, Kind, Name};
use crate::model::scalar::Scalar;
use crate::model::tenant::RelationshipId;
use crate::plan::record::Hold;
use crate::plan::step::Step;
use crate::plan::{Applied, Change, generation_of};

impl Objects<'_> {
    /// What a step that is done changes in what is remembered of a seat.
    pub(super) fn seat(&self, step: &Step, sent: &Sent) -> Vec<Kept> {
        let Ok(mut objects) = self.known.lock() else { return Vec::new() };
        let mut changes = Vec::new();
        let about = step.change.relationship();
        let own = objects.get(&step.object).cloned();
        let known = own.or_else(|| {
            // Under another name, which the template or the customer had.
            let id = about?;
            let former = objects.values().find(|known| holds(known, id)).cloned()?;
            objects.remove(&former.key);
            changes.push(Kept::Rename { from: former.key.clone(), to: step.object.name.clone() });
            Some(former)
        });
        let mut managed = known.unwrap_or_else(|| new(self.keeping, &step.object, step.verb));
        managed.key = step.object.clone();
        let mut what = Applied::read(&managed.spec);
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
            (change, Some(id)) => {
                // What others made is never locked by us: it is taken over once it is asked for.
                let hold = match change {
                    Change::LockDelegation { .. } => Hold::Made,
                    _ => Hold::Adopted,
                };
                what.relationships.entry(id.clone()).or_insert(hold);
                managed.remote_id.get_or_insert_with(|| id.0.as_str().into());
            }
            (_, None) => {}
        }
        let is_request =
            matches!(step.change, Change::RequestDelegation { .. } | Change::LockDelegation { .. });
        // What is asked for is not given yet.
        for change in step.fields.iter().filter(|_| !is_request) {
            if change.after.is_null() {
                what.fields.remove(&change.path);
            } else {
                what.fields.insert(change.path.clone(), change.after.clone());
            }
        }
        if let Some(metadata) = metadata(self.keeping, &step.object) {
            managed.is_protected = metadata.protect;
            what.on_removal = metadata.on_removal.map(|what| what.word().to_owned());
        }
        managed.run = Some(self.keeping.run.into());
        if let Ok(spec) = what.to_json() {
            managed.spec = spec;
        }
        objects.insert(step.object.clone(), managed.clone());
        changes.push(Kept::Put(Box::new(managed)));
        changes
    }
}

/// Whether a relationship is remembered as one of a seat's.
fn holds(known: &Managed, id: &RelationshipId) -> bool {
    known.key.kind == Kind::DelegatedAccess
        && (known.remote_id.as_deref() == Some(&id.0)
            || Applied::read(&known.spec).relationships.contains_key(id))
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
