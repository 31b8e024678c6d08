//! Delegated access (GDAP): relationships with customers, from both sides of the table.
//!
//! What the partner does comes over the wire (`serve`); what a customer's administrator does comes
//! from the console and from `emulator act`, through [`approve`], [`decline`] and
//! [`terminate_by_customer`]; a seeded tenant begins with what [`establish`] makes. Nothing moves on
//! a timer: whoever looks calls [`settle()`] first.

pub(crate) mod assignment;
mod body;
mod chronicle;
pub(crate) mod customer;
pub(crate) mod duration;
pub(crate) mod operation;
pub(crate) mod relationship;
pub(crate) mod request;
mod serve;
mod settle;
mod show;

use jiff::Timestamp;

use self::assignment::{Assignment, AssignmentStatus};
use self::chronicle::Event;
use self::relationship::{Customer, Misstep, Relationship, Status};
use super::roles::catalogue;
use crate::emulator::directory::Group;
use crate::emulator::store::{Document, Found, Scan, StoreError, Write};
use crate::emulator::tenant::Quirks;
pub(super) use serve::routes;
use settle::forget;
pub(crate) use settle::{settle, settle_in};

/// The longest name, in characters.
const NAME_MAX: usize = 50;
/// The longest duration: two years.
const DAYS_MAX: i32 = 730;

/// What a relationship begins as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    pub display_name: String,
    pub duration_days: i32,
    pub customer: Option<Customer>,
    pub roles: Vec<String>,
    pub auto_extends: bool,
}

/// Why something is not done.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// No such relationship, assignment or group.
    Unknown,
    /// What is asked for cannot be.
    Invalid(String),
    /// It cannot be done to what is there as it is.
    Misstep(Misstep),
    /// It is there already.
    Conflict(String),
    Store(StoreError),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown => f.write_str("it does not exist"),
            Self::Invalid(message) | Self::Conflict(message) => f.write_str(message),
            Self::Misstep(Misstep::Status(status)) => {
                write!(f, "not while its status is {}", status.name())
            }
            Self::Misstep(Misstep::OtherCustomer) => {
                f.write_str("it was made for another customer")
            }
            Self::Misstep(Misstep::ConsentPending) => {
                f.write_str("the reseller has not consented yet")
            }
            Self::Misstep(Misstep::NoConsentAsked) => f.write_str("no consent is asked for"),
            Self::Store(_) => f.write_str("the store"),
        }
    }
}

impl std::error::Error for Refusal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(source) => Some(source),
            _ => None,
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Misstep> for Refusal {
    fn from(misstep: Misstep) -> Self {
        Self::Misstep(misstep)
    }
}

impl Draft {
    /// Refuses what the service would. `itself` is the relationship that is being edited.
    pub(super) fn check(&self, tx: &Write<'_>, itself: Option<&str>) -> Result<(), Refusal> {
        let invalid = |message: &str| Err(Refusal::Invalid(message.to_owned()));
        if self.display_name.trim().is_empty() {
            return invalid("The displayName is required.");
        }
        if self.display_name.chars().count() > NAME_MAX {
            return invalid("The displayName must not be longer than 50 characters.");
        }
        if !(1..=DAYS_MAX).contains(&self.duration_days) {
            return invalid("The duration must be between P1D and P2Y.");
        }
        check_roles(&self.roles)?;
        check_extension(&self.roles, self.auto_extends)?;
        let folded = self.display_name.to_lowercase();
        let namesakes = tx.with::<Relationship>("display-name", &folded)?;
        if namesakes.iter().any(|other| Some(other.id.as_str()) != itself) {
            return invalid("The displayName is used by another relationship.");
        }
        Ok(())
    }
}

/// Roles are built-in ones, and there is at least one.
pub(super) fn check_roles(roles: &[String]) -> Result<(), Refusal> {
    if roles.is_empty() {
        return Err(Refusal::Invalid("The unifiedRoles must not be empty.".to_owned()));
    }
    match roles.iter().find(|role| catalogue::by_id(role).is_none()) {
        Some(unknown) => {
            Err(Refusal::Invalid(format!("The role definition {unknown} is invalid.")))
        }
        None => Ok(()),
    }
}

/// With Global Administrator among its roles nothing extends itself.
pub(super) fn check_extension(roles: &[String], auto_extends: bool) -> Result<(), Refusal> {
    let global = crate::emulator::directory::GLOBAL_ADMINISTRATOR;
    if auto_extends && roles.iter().any(|role| role.eq_ignore_ascii_case(global)) {
        let message = "A relationship with the Global Administrator role cannot be auto extended.";
        return Err(Refusal::Invalid(message.to_owned()));
    }
    Ok(())
}

/// Makes a relationship that is not locked yet.
pub(crate) fn create(tx: &Write<'_>, draft: Draft) -> Result<Relationship, Refusal> {
    settle_in(tx)?;
    draft.check(tx, None)?;
    let Draft { display_name, duration_days, customer, roles, auto_extends } = draft;
    let relationship = Relationship {
        id: format!("{}-{}", tx.new_id()?, tx.new_id()?),
        display_name,
        duration_days,
        customer,
        roles,
        auto_extends,
        status: Status::Created,
        created_at: tx.now(),
        modified_at: tx.now(),
        activated_at: None,
        ends_at: None,
        due_at: None,
        provider: None,
    };
    tx.put(&relationship)?;
    Ok(relationship)
}

/// Makes a relationship that is active already, with assignments: a tenant that begins in the
/// middle of its life.
pub(crate) fn establish(
    tx: &Write<'_>,
    draft: Draft,
    customer: &Customer,
    assignments: &[(String, Vec<String>)],
) -> Result<Relationship, Refusal> {
    let mut relationship = create(tx, draft)?;
    let now = tx.now();
    relationship.lock(now)?;
    relationship.approve(customer, now, jiff::SignedDuration::ZERO)?;
    settle::keep(tx, relationship.clone(), jiff::SignedDuration::ZERO)?;
    for (group, roles) in assignments {
        let mut assignment = assign(tx, &relationship.id, group, roles.clone())?;
        assignment.status = AssignmentStatus::Active;
        assignment.due_at = None;
        tx.put(&assignment)?;
    }
    Ok(need::<Relationship>(tx, &relationship.id)?.document)
}

/// A customer's administrator says yes.
pub(crate) fn approve(tx: &Write<'_>, id: &str, by: &Customer) -> Result<Relationship, Refusal> {
    act(tx, id, |relationship, now, step| relationship.approve(by, now, step))
}

/// A customer's administrator says no.
pub(crate) fn decline(tx: &Write<'_>, id: &str, by: &Customer) -> Result<Relationship, Refusal> {
    act(tx, id, |relationship, now, _| relationship.decline(by, now))
}

/// A customer's administrator ends what they had approved.
pub(crate) fn terminate_by_customer(tx: &Write<'_>, id: &str) -> Result<Relationship, Refusal> {
    act(tx, id, Relationship::terminate)
}

/// What waits for a customer, a page of it.
pub(crate) fn awaiting(
    tx: &crate::emulator::store::Read<'_>,
    limit: usize,
) -> Result<Vec<Found<Relationship>>, StoreError> {
    let pending = Status::ApprovalPending.name().to_lowercase();
    Ok(tx.scan(&Scan::equals("status", &pending).limit(limit))?.items)
}

fn act(
    tx: &Write<'_>,
    id: &str,
    what: impl FnOnce(&mut Relationship, Timestamp, jiff::SignedDuration) -> Result<(), Misstep>,
) -> Result<Relationship, Refusal> {
    settle_in(tx)?;
    let step = Quirks::of(tx)?.step();
    let mut relationship = need::<Relationship>(tx, id)?.document;
    what(&mut relationship, tx.now(), step)?;
    settle::keep(tx, relationship, step)?;
    Ok(need::<Relationship>(tx, id)?.document)
}

/// Lets a group have roles through an active relationship.
pub(crate) fn assign(
    tx: &Write<'_>,
    relationship: &str,
    group: &str,
    roles: Vec<String>,
) -> Result<Assignment, Refusal> {
    let within = need::<Relationship>(tx, relationship)?;
    if within.status != Status::Active {
        return Err(Misstep::Status(within.status).into());
    }
    let container = need::<Group>(tx, group)?;
    if !container.security_enabled || container.group_types.iter().any(|sort| sort == "Unified") {
        return Err(Refusal::Invalid("The access container is not a security group.".to_owned()));
    }
    check_within(&roles, &within.roles)?;
    let mut others = tx.with::<Assignment>("relationship", relationship)?;
    others.retain(|other| other.container == container.id);
    if others.iter().any(|other| other.status != AssignmentStatus::Deleted) {
        let message = "An access assignment for this security group exists already.";
        return Err(Refusal::Conflict(message.to_owned()));
    }
    let step = Quirks::of(tx)?.step();
    let assignment = Assignment {
        id: tx.new_id()?.to_string(),
        relationship: relationship.to_owned(),
        container: container.document.id,
        roles,
        status: AssignmentStatus::Pending,
        created_at: tx.now(),
        modified_at: tx.now(),
        due_at: Some(relationship::after(tx.now(), step)),
    };
    tx.put(&assignment)?;
    chronicle::assignment(tx, relationship, Event::Created)?;
    Ok(assignment)
}

/// An assignment gives nothing that its relationship does not.
pub(super) fn check_within(roles: &[String], given: &[String]) -> Result<(), Refusal> {
    check_roles(roles)?;
    let is_given = |role: &String| given.iter().any(|given| given.eq_ignore_ascii_case(role));
    match roles.iter().find(|role| !is_given(role)) {
        Some(role) => {
            Err(Refusal::Invalid(format!("The role {role} is not part of the relationship.")))
        }
        None => Ok(()),
    }
}

fn need<D: Document>(tx: &Write<'_>, id: &str) -> Result<Found<D>, Refusal> {
    tx.get(id)?.ok_or(Refusal::Unknown)
}

/// Sorts as time does.
fn due_key(at: Timestamp) -> String {
    format!("{:020}", at.as_microsecond().max(0))
}

#[cfg(test)]
mod tests;
