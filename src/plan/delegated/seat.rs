//! Which relationships a seat is held by.
//!
//! A seat is a template with one of its customers. Its relationships are those that are remembered as
//! its own, those that bear its name, and, if there is none of either, the one that somebody else made
//! with this customer and exactly these roles.

use std::collections::{HashMap, HashSet};

use super::name::Series;
use super::wanted::Wanted;
use crate::model::customer::Customer;
use crate::model::estate::{CustomerIndex, Declared};
use crate::model::id::TenantId;
use crate::model::metadata::Metadata;
use crate::model::name::{CustomerKey, Kind, Name};
use crate::model::record::{ObjectKey, Recorded};
use crate::model::tenant::{Delegation, DelegationStatus, RelationshipId};
use crate::plan::bind::Binding;
use crate::plan::compare::Memory;
use crate::plan::draft::Subject;
use crate::plan::file::Why;
use crate::plan::gather::Gather;
use crate::plan::record::{Applied, Hold};
use crate::plan::step::State;

/// A relationship in a seat.
#[derive(Debug, Clone, Copy)]
pub(super) struct Relation<'a> {
    pub(super) id: &'a RelationshipId,
    pub(super) found: &'a Delegation,
    pub(super) hold: Hold,
}

pub(super) struct Seat<'a> {
    pub(super) subject: Subject<'a>,
    pub(super) customer: &'a Declared<Customer>,
    pub(super) tenant: TenantId,
    pub(super) series: Series,
    /// Those that are not over, the oldest first.
    pub(super) living: Vec<Relation<'a>>,
    /// Those that are.
    pub(super) over: Vec<Relation<'a>>,
    /// The highest number that a name of the series ever had.
    pub(super) generation: u32,
}

impl Seat<'_> {
    /// Which of a seat's relationships one is, in a step's id: by its number, or, if others named it, by
    /// its own id.
    pub(super) fn which(&self, one: &Relation<'_>) -> String {
        which(&self.series, one)
    }

    pub(super) fn next_name(&self) -> String {
        self.series.name(self.generation.saturating_add(1))
    }
}

/// All relationships, and whose they are.
pub(super) struct Relationships<'a> {
    by_customer: HashMap<TenantId, Vec<(&'a RelationshipId, &'a Delegation)>>,
    /// By what is remembered.
    remembered: HashMap<RelationshipId, &'a ObjectKey>,
    pub(super) claimed: HashSet<&'a RelationshipId>,
}

impl<'a> Relationships<'a> {
    pub(super) fn of(gather: &Gather<'a>) -> Self {
        let mut by_customer: HashMap<_, Vec<_>> = HashMap::new();
        for (id, found) in &gather.input.snapshot.delegated {
            if let Some(customer) = found.customer {
                by_customer.entry(customer).or_default().push((id, found));
            }
        }
        let mut remembered = HashMap::new();
        for (key, recorded) in gather.input.record.of_kind(Kind::DelegatedAccess) {
            for (id, _) in held(recorded) {
                remembered.insert(id, key);
            }
        }
        Self { by_customer, remembered, claimed: HashSet::new() }
    }

    /// Those with a customer that are remembered as a seat's own or bear its name.
    pub(super) fn of_seat(
        &self,
        tenant: TenantId,
        recorded: Option<&Recorded>,
        series: &[Series],
    ) -> Vec<Relation<'a>> {
        let known: HashMap<RelationshipId, Hold> = recorded.into_iter().flat_map(held).collect();
        let mut found: Vec<(u32, Relation<'a>)> = Vec::new();
        for (id, relationship) in self.by_customer.get(&tenant).into_iter().flatten().copied() {
            let number = series.iter().find_map(|one| one.generation(&relationship.name));
            let hold = match (known.get(id), number) {
                // Nobody else gives such names: where memory was lost, they are what is left of it.
                (_, Some(_)) => Hold::Made,
                (Some(hold), None) => *hold,
                (None, None) => continue,
            };
            let relation = Relation { id, found: relationship, hold };
            found.push((number.unwrap_or_default(), relation));
        }
        found.sort_by_key(|(number, one)| (*number, one.found.created_at, one.id.clone()));
        found.into_iter().map(|(_, relation)| relation).collect()
    }

    /// The one that somebody else made and that is just what is wanted; several are an error.
    fn adopted(
        &self,
        gather: &Gather<'a>,
        tenant: TenantId,
        wanted: &Wanted<'_>,
    ) -> Vec<(&'a RelationshipId, &'a Delegation)> {
        let is_free = |id: &RelationshipId| {
            !self.claimed.contains(id)
                && !self.remembered.contains_key(id)
                && gather.input.record.managed_elsewhere(Kind::DelegatedAccess, &id.0).is_none()
        };
        let with = self.by_customer.get(&tenant).into_iter().flatten().copied();
        with.filter(|(id, found)| {
            found.roles == wanted.roles
                && found.provider.is_none()
                && matches!(
                    found.status,
                    DelegationStatus::ApprovalPending
                        | DelegationStatus::Approved
                        | DelegationStatus::Activating
                        | DelegationStatus::Active
                )
                && is_free(id)
        })
        .collect()
    }
}

/// The relationships that are remembered of a seat.
pub(super) fn held(recorded: &Recorded) -> impl Iterator<Item = (RelationshipId, Hold)> + use<> {
    let mut all = Applied::read(&recorded.managed.spec).relationships;
    if let Some(id) = &recorded.managed.remote_id {
        let hold = match recorded.managed.origin {
            crate::model::record::Origin::Made => Hold::Made,
            crate::model::record::Origin::Adopted => Hold::Adopted,
        };
        all.entry(RelationshipId(id.to_string())).or_insert(hold);
    }
    all.into_iter()
}

/// The seats of a template.
pub(super) struct Seats<'a> {
    pub(super) seats: Vec<Seat<'a>>,
    /// Those that are declared and remembered, with customers of whom it is not known which tenant they
    /// are: nothing is done about them.
    pub(super) nowhere: Vec<ObjectKey>,
}

/// The seats of a template, and what each is held by.
pub(super) fn seats<'a>(
    gather: &mut Gather<'a>,
    index: &CustomerIndex<'a>,
    all: &mut Relationships<'a>,
    wanted: &Wanted<'a>,
) -> Seats<'a> {
    let mut found = Seats { seats: Vec::new(), nowhere: Vec::new() };
    for (name, customer) in index.selected(&wanted.template.spec.customers) {
        let key = key(wanted.template.metadata.name.as_str(), name.as_str());
        let Some(tenant) = tenant_of(gather, name, customer) else {
            let message = "the customer's tenant id is not known: without one, anybody could accept; it waits until the customer has accepted our invitation";
            gather.drafts.say(&key, State::Held, message);
            let metadata = &wanted.template.metadata;
            let known = known(gather, &key, metadata, &customer.metadata);
            found.nowhere.extend(known.map(|known| known.managed.key.clone()));
            continue;
        };
        let seat = seat(gather, all, wanted, key, customer, tenant);
        all.claimed.extend(seat.living.iter().chain(&seat.over).map(|one| one.id));
        found.seats.push(seat);
    }
    found
}

/// Lets seats that nothing holds be held by what somebody else made.
pub(super) fn adopt<'a>(
    gather: &mut Gather<'a>,
    all: &mut Relationships<'a>,
    wanted: &Wanted<'a>,
    seat: &mut Seat<'a>,
) -> bool {
    // What was asked for a moment ago may not be seen yet.
    if !seat.living.is_empty() || seat.subject.memory.is_settling() {
        return true;
    }
    match all.adopted(gather, seat.tenant, wanted).as_slice() {
        [] => true,
        [(id, found)] => {
            all.claimed.insert(id);
            seat.living.push(Relation { id, found, hold: Hold::Adopted });
            true
        }
        several => {
            let names: Vec<&str> = several.iter().map(|(_, one)| one.name.as_str()).collect();
            gather.drafts.refuse(
                Why::Manifest,
                format!(
                    "{} relationships with {} have just the roles of `{}`: {}",
                    several.len(),
                    seat.customer.spec.company_name,
                    seat.subject.key,
                    names.join(", ")
                ),
                "end all but one of them, or leave the customer out: `except: [...]`",
            );
            false
        }
    }
}

pub(super) fn which(series: &Series, one: &Relation<'_>) -> String {
    let number = series.generation(&one.found.name);
    number.map_or_else(|| one.id.0.clone(), |number| number.to_string())
}

pub(super) fn key(template: &str, customer: &str) -> ObjectKey {
    ObjectKey::new(Kind::DelegatedAccess, format!("{template}/{customer}"))
}

/// The tenant that a customer is bound to; before there is a tie, the one that is declared.
fn tenant_of(
    gather: &Gather<'_>,
    name: &CustomerKey,
    customer: &Declared<Customer>,
) -> Option<TenantId> {
    match gather.bound.customers.get(name) {
        Some(Binding::Live(id) | Binding::Gone(Some(id))) => Some(*id),
        Some(Binding::Held) => None,
        _ => customer.spec.tenant_id,
    }
}

fn seat<'a>(
    gather: &Gather<'a>,
    all: &Relationships<'a>,
    wanted: &Wanted<'a>,
    key: ObjectKey,
    customer: &'a Declared<Customer>,
    tenant: TenantId,
) -> Seat<'a> {
    let input = gather.input;
    let metadata: &'a Metadata = &wanted.template.metadata;
    let recorded = known(gather, &key, metadata, &customer.metadata);
    let series = Series::new(metadata.name.as_str(), tenant);
    let mut all_series = vec![series.clone()];
    all_series.extend(metadata.formerly.iter().map(|name| Series::new(name.as_str(), tenant)));
    let found = all.of_seat(tenant, recorded, &all_series);
    let remembered = recorded.map(|one| Applied::read(&one.managed.spec).generation);
    let seen = found.iter().filter_map(|one| series.generation(&one.found.name)).max();
    let generation = remembered.max(seen).unwrap_or_default();
    let (over, living) = found.into_iter().partition(|one| one.found.status.is_over());
    let subject = Subject {
        key,
        source: (input.source_of)(wanted.template.origin),
        memory: Memory::new(recorded, Some(metadata), input.now, input.lags),
    };
    Seat { subject, customer, tenant, series, living, over, generation }
}

/// What is remembered of a seat, under any name that its template or its customer had.
fn known<'a>(
    gather: &Gather<'a>,
    key: &ObjectKey,
    template: &Metadata,
    customer: &Metadata,
) -> Option<&'a Recorded> {
    let record = gather.input.record;
    if record.is_empty() {
        return None;
    }
    record.object(key).or_else(|| {
        if template.formerly.is_empty() && customer.formerly.is_empty() {
            return None;
        }
        names(template).find_map(|template| {
            names(customer).find_map(|customer| record.object(&self::key(template, customer)))
        })
    })
}

/// All names that something has or had.
fn names(metadata: &Metadata) -> impl Iterator<Item = &str> {
    std::iter::once(&metadata.name).chain(&metadata.formerly).map(Name::as_str)
}
