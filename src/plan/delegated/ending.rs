//! What ends when: of all that is active, declared or not.

use jiff::Timestamp;

use super::seat::Relationships;
use crate::model::directory_role::GLOBAL_ADMINISTRATOR;
use crate::model::record::ObjectKey;
use crate::model::tenant::DelegationStatus;
use crate::plan::gather::Gather;

/// The end of a relationship.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Whose it is; nobody's, if no manifest speaks of it.
    pub object: Option<ObjectKey>,
    pub name: String,
    pub customer: String,
    pub ends_at: Option<Timestamp>,
    pub fate: Fate,
}

/// What becomes of a relationship at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It goes on by itself, for another 180 days.
    Extends,
    /// The next one is to be asked for now: approval takes people time.
    RenewNow,
    /// The next one is asked for.
    Renewed,
    /// It is renewed from that time on.
    Ends { from: Option<Timestamp> },
    /// The same; it has Global Administrator, with which nothing extends itself.
    CannotExtend { from: Option<Timestamp> },
    /// The customer said no to the next one, and is not asked again.
    Declined,
    /// All roles that it grants something to have expired: nobody is asked for the next one.
    Empty,
    /// Nobody sees to it.
    Unseen,
}

pub(super) fn note(gather: &mut Gather<'_>, ending: Ending) {
    gather.endings.push(ending);
}

/// Those that no manifest speaks of end too.
pub(super) fn others(gather: &mut Gather<'_>, all: &Relationships<'_>) {
    for (id, found) in &gather.input.snapshot.delegated {
        if found.status != DelegationStatus::Active || all.claimed.contains(id) {
            continue;
        }
        let customer = found.customer.and_then(|id| gather.input.snapshot.customers.get(&id));
        let customer = customer.map(|customer| customer.company_name.clone());
        let fate = if found.auto_extend_days > 0 {
            Fate::Extends
        } else if found.roles.contains(&GLOBAL_ADMINISTRATOR.0) {
            Fate::CannotExtend { from: None }
        } else {
            Fate::Unseen
        };
        gather.endings.push(Ending {
            object: None,
            name: found.name.clone(),
            customer: customer
                .or_else(|| found.customer.map(|id| id.to_string()))
                .unwrap_or_default(),
            ends_at: found.ends_at,
            fate,
        });
    }
}
