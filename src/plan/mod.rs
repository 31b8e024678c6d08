//! What would change, why, and what it means: a function of the estate, of what was observed, and of
//! what is remembered.
//!
//! `bind` says which living object a document means. Then each kind is gone through: `account`,
//! `roles`, `users` and what they hold (`holdings`), `partnerships`, `customers`, and what is no
//! longer declared (`removed`). Each field is judged by three values (`compare`): as last applied,
//! as declared, as it is. `order` puts the steps into an order in which nobody is locked out,
//! `authorise` asks policy for the actor, `limits` counts, and `access` says who gains what.

mod access;
mod account;
mod applied;
pub mod approval;
mod authorise;
mod bind;
pub mod change;
mod compare;
mod customers;
mod delegated;
mod draft;
mod effect;
pub mod file;
mod gather;
pub mod guard;
mod holdings;
mod input;
pub mod limits;
pub mod observed;
mod order;
mod partnerships;
mod passwords;
mod people;
pub mod record;
mod removed;
mod roles;
mod scope;
pub mod step;
mod target;
#[cfg(test)]
pub(crate) mod tests;
pub mod timid;
mod undo;
mod users;

pub use account::digest;
pub use applied::applied;
pub use bind::{Binding, Bindings};
pub use change::{Change, Target};
pub use delegated::{Ending, Fate, status_word as delegation_status};
pub(crate) use delegated::{generation_of, is_grant};
pub use file::Plan;
pub use input::{Actor, Input};
pub use passwords::{NotReset, REMEDY, reset};
pub use record::{Applied, Record, Remains};
pub use scope::scope;
pub use step::{Cause, Report, State, Step, Verb};
pub use target::is_known;
pub use timid::Timid;
pub use undo::{Deed, undo, widen};

use file::{AccessChange, Forecast, Refusal};
use gather::Gather;
use limits::Limits;

use crate::model::name::Kind;

/// What planning came to; a shell adds what it was made from, and has the file.
#[derive(Debug, Clone, Default)]
pub struct Planned {
    pub steps: Vec<Step>,
    pub report: Vec<Report>,
    pub refused: Vec<Refusal>,
    pub access: AccessChange,
    pub limits: Limits,
    pub forecast: Forecast,
    pub bound: Bindings,
    /// What there is to remember beside the steps.
    pub remains: Remains,
    /// What delegated access ends when.
    pub endings: Vec<Ending>,
}

/// Plans.
pub fn plan(input: &Input<'_>) -> Planned {
    let mut gather = Gather::new(input);
    roles::former_groups(&mut gather);
    account::plan(&mut gather);
    roles::plan(&mut gather);
    users::plan(&mut gather);
    holdings::plan(&mut gather);
    roles::agent_groups(&mut gather);
    partnerships::plan(&mut gather);
    customers::plan(&mut gather);
    delegated::plan(&mut gather);
    removed::plan(&mut gather);
    users::others(&mut gather);
    target::keep(&mut gather);
    finish(gather)
}

/// Puts drafts into order, asks policy for each, and counts.
fn finish(mut gather: Gather<'_>) -> Planned {
    let people = people::People::new(&gather);
    let ordered = order::order(&mut gather, &people);
    let mut steps = authorise::authorise(&mut gather, &people, ordered);
    count_once(&mut steps);
    let access = access::change(&gather, &people, &steps);
    let steps: Vec<Step> = steps.into_iter().map(|ordered| ordered.step).collect();
    let limits = limits::measure(gather.input, &steps, &mut gather.drafts.refused);
    let mut report = gather.drafts.report;
    report.sort_by(|a, b| {
        (&a.object, a.state, &a.step, &a.message).cmp(&(&b.object, b.state, &b.step, &b.message))
    });
    report.dedup();
    Planned {
        forecast: forecast(&steps),
        steps,
        report,
        refused: gather.drafts.refused,
        access,
        limits,
        bound: gather.bound,
        remains: gather.remains,
        endings: gather.endings,
    }
}

/// An object from which several things are taken is one removal.
fn count_once(steps: &mut [order::Ordered]) {
    let mut seen = std::collections::HashSet::new();
    for one in steps.iter_mut().filter(|one| one.step.cost.removals > 0) {
        let what = match one.effect.user() {
            Some(user) => Ok(user.clone()),
            None => Err(one.step.object.clone()),
        };
        one.step.cost.removals = u32::from(seen.insert(what));
    }
}

/// How many requests a step is, where nothing goes wrong: what is looked at before, the change, and
/// the look at what came of it, unless the answer shows that.
const fn calls_of(change: &Change) -> u64 {
    match change {
        Change::CreateUser { .. } | Change::AssignRole { .. } | Change::AssignDelegated { .. } => 1,
        Change::CreateGroup { .. }
        | Change::UpdateGroup { .. }
        | Change::ResetPassword { .. }
        | Change::AddMember { .. }
        | Change::RemoveMember { .. }
        | Change::RemoveRole { .. }
        | Change::AddAccountRole { .. }
        | Change::RemoveAccountRole { .. }
        | Change::CreateCustomer { .. }
        | Change::AskQualification { .. } => 2,
        Change::UpdateUser { .. }
        | Change::DeleteUser { .. }
        | Change::DeleteGroup { .. }
        | Change::PutProfile { .. }
        | Change::PutCustomerBilling { .. }
        | Change::EndRelationship { .. }
        | Change::RequestDelegation { .. }
        | Change::LockDelegation { .. }
        | Change::UpdateDelegation { .. }
        | Change::DeleteDelegation { .. }
        | Change::TerminateDelegation { .. }
        | Change::UnassignDelegated { .. } => 3,
        // What goes on behind the answer is asked for too.
        Change::UpdateDelegated { .. } | Change::RestoreUser { .. } => 4,
    }
}

/// What applying will cost.
fn forecast(steps: &[Step]) -> Forecast {
    /// Customers' calls that the service lets pass in a minute.
    const CUSTOMERS_A_MINUTE: u64 = 500;
    let calls: u64 = steps.iter().map(|step| calls_of(&step.change)).sum();
    let customers = steps.iter().filter(|step| step.object.kind == Kind::Customer).count() as u64;
    // Of what is not about customers, some six hundred go through in a minute.
    let minutes = (customers * 2).div_ceil(CUSTOMERS_A_MINUTE).max(calls.div_ceil(600));
    Forecast { calls, minutes }
}
