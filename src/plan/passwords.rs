//! One-time passwords: nobody is made who could not be handed theirs, and whose was lost gets another.

use std::fmt;

use super::bind::Binding;
use super::change::{Change, Target};
use super::draft::{Errand, Subject};
use super::effect::Effect;
use super::gather::Gather;
use super::input::Input;
use super::record::Applied;
use super::step::{State, Step, Verb};
use super::{Planned, finish};
use crate::model::customer::Customer;
use crate::model::estate::Declared;
use crate::model::id::TenantId;
use crate::model::name::{Kind, UserKey};
use crate::model::record::Recorded;
use crate::model::tenant::{self, ObjectId};

/// What helps where a password would have nowhere to go.
pub const REMEDY: &str =
    "give `handover` in the project file, or run it on a terminal where it can be shown";

/// Whether something waits until its password can be handed over. If it does, that is said.
pub(super) fn is_held(gather: &mut Gather<'_>, subject: &Subject<'_>, what: &str) -> bool {
    if gather.input.hands_over {
        return false;
    }
    let message =
        format!("{what}, and there is nowhere to hand a one-time password over: {REMEDY}");
    gather.drafts.say(&subject.key, State::Held, message);
    true
}

/// Somebody who was made by a run that died before it handed their password over gets another.
pub(super) fn owed(
    gather: &mut Gather<'_>,
    subject: &Subject<'_>,
    id: ObjectId,
    found: &tenant::User,
) {
    if !subject.memory.applied().is_some_and(|applied| applied.owes_password) || found.is_synced {
        return;
    }
    if is_held(gather, subject, "the one that it was made with was never handed over") {
        return;
    }
    let summary = format!(
        "give {} a new one-time password: the last was never handed over for certain",
        subject.key
    );
    let step = step(gather, subject, id, found, summary);
    gather.push(step, Effect::Nothing);
}

fn step(
    gather: &Gather<'_>,
    subject: &Subject<'_>,
    id: ObjectId,
    found: &tenant::User,
    summary: String,
) -> Step {
    let change = Change::ResetPassword {
        user: Target::Id(id),
        sign_in_name: found.sign_in_name.to_lowercase(),
    };
    let mut step = subject.step("reset-password", Verb::Reset, summary, Vec::new(), change);
    step.guard = gather.guard_of(id, &[]);
    step
}

/// Whether the ledger says of an object that its password was lost. Asked of customers by the
/// thousand, so nothing is read that cannot say so.
fn is_owed(recorded: Option<&Recorded>) -> bool {
    recorded.is_some_and(|recorded| {
        let spec = &recorded.managed.spec;
        spec.as_str().contains("owesPassword") && Applied::read(spec).owes_password
    })
}

/// Of a tenant that we made, the first administrator's password came with an answer that was lost.
/// Nobody can ask for it again, nor reset it from here: a person does.
pub(super) fn first_administrator(
    gather: &mut Gather<'_>,
    declared: &Declared<Customer>,
    id: TenantId,
) {
    if !is_owed(gather.input.record.known(Kind::Customer, &declared.metadata)) {
        return;
    }
    let subject = Subject::declared(gather.input, Kind::Customer, declared);
    let step = format!("{}/first-administrator", subject.key);
    let what = format!("the first administrator of {id}");
    if gather.input.record.is_confirmed(&subject.key, &step, &what) {
        return;
    }
    let company = &declared.spec.company_name;
    let errand = Errand {
        object: &subject.key,
        message: format!(
            "the password of the first administrator of {company}'s new tenant was lost with the service's answer"
        ),
        awaiting: "an admin agent of ours".to_owned(),
        link: None,
        instructions: format!(
            "In Partner Center, under Customers, {company}, Users and licenses, reset the password of the administrator of {} and hand it over; where we may not, ask Microsoft in a support request. Then run `partnerctl confirm {step}`.",
            declared.spec.domain
        ),
        step,
        confirms: Some(what),
    };
    let report = errand.report(gather.input);
    gather.drafts.report.push(report);
}

/// Why somebody's password is not reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReset {
    Undeclared,
    Absent,
    Guest,
    Synced,
    Nowhere,
}

impl fmt::Display for NotReset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undeclared => f.write_str("no manifest declares it"),
            Self::Absent => f.write_str("there is no such account in the tenant"),
            Self::Guest => f.write_str("a guest's password is kept where they come from"),
            Self::Synced => f.write_str("its password is kept on premises"),
            Self::Nowhere => write!(f, "there is nowhere to hand its password over: {REMEDY}"),
        }
    }
}

/// Plans one thing: that somebody gets a new one-time password.
pub fn reset(input: &Input<'_>, user: &UserKey) -> Result<Planned, NotReset> {
    let declared = input.estate.users.get(user).ok_or(NotReset::Undeclared)?;
    let mut gather = Gather::new(input);
    let Some(Binding::Live(id)) = gather.bound.users.get(user).cloned() else {
        return Err(NotReset::Absent);
    };
    let found = input.snapshot.users.get(&id).ok_or(NotReset::Absent)?;
    match (found.is_guest, found.is_synced, input.hands_over) {
        (true, _, _) => return Err(NotReset::Guest),
        (_, true, _) => return Err(NotReset::Synced),
        (_, _, false) => return Err(NotReset::Nowhere),
        (false, false, true) => {}
    }
    let subject = Subject::declared(input, Kind::User, declared);
    let summary = format!("give {} a new one-time password", subject.key);
    let step = step(&gather, &subject, id, found, summary);
    // Whatever else would be said of the estate is not asked here.
    gather.drafts = super::draft::Drafts::default();
    gather.push(step, Effect::Nothing);
    Ok(finish(gather))
}
