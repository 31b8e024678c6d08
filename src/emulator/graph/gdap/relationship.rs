//! A relationship of delegated access, and its life: what may be done to it, and what time does.
//!
//! Pure: a relationship is moved by what is asked for at a time, or by the time that is due. Who
//! keeps it is `mod.rs`.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::emulator::directory::GLOBAL_ADMINISTRATOR;
use crate::emulator::store::Document;

/// An unapproved relationship can be approved for so long.
const PENDING_DAYS: i32 = 90;
/// What auto-extension adds.
pub(crate) const EXTENSION_DAYS: i32 = 180;
/// What has ended stays in the list, and keeps its name, for so long.
const KEPT_DAYS: i32 = 365;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Relationship {
    pub id: String,
    pub display_name: String,
    pub duration_days: i32,
    /// Without one, any customer may accept.
    pub customer: Option<Customer>,
    /// Template ids, as they were sent.
    pub roles: Vec<String>,
    pub auto_extends: bool,
    pub status: Status,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub activated_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    /// When it moves on by itself.
    pub due_at: Option<Timestamp>,
    /// Set when an indirect provider made it for us, the reseller.
    pub provider: Option<Provider>,
}

/// A customer's tenant. Its name is known once somebody there has approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Customer {
    pub tenant_id: String,
    pub display_name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Provider {
    pub tenant_id: String,
    pub is_consent_pending: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Status {
    Created,
    ApprovalPending,
    Approved,
    Activating,
    Active,
    Expiring,
    Expired,
    TerminationRequested,
    Terminating,
    Terminated,
}

impl Status {
    /// As Graph writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::ApprovalPending => "approvalPending",
            Self::Approved => "approved",
            Self::Activating => "activating",
            Self::Active => "active",
            Self::Expiring => "expiring",
            Self::Expired => "expired",
            Self::TerminationRequested => "terminationRequested",
            Self::Terminating => "terminating",
            Self::Terminated => "terminated",
        }
    }

    pub(crate) fn is_over(self) -> bool {
        matches!(self, Self::Expired | Self::Terminated)
    }
}

impl Document for Relationship {
    const KIND: &'static str = "gdap-relationship";

    fn id(&self) -> &str {
        &self.id
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        let mut keys = vec![
            ("id", self.id.clone()),
            ("display-name", self.display_name.to_lowercase()),
            ("status", self.status.name().to_lowercase()),
        ];
        if let Some(customer) = &self.customer {
            keys.push(("customer", customer.tenant_id.to_lowercase()));
        }
        if let Some(due) = self.due_at {
            keys.push(("due", super::due_key(due)));
        }
        keys
    }
}

/// What cannot be done to a relationship as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Misstep {
    /// Not while it is so.
    Status(Status),
    /// It was made for another customer.
    OtherCustomer,
    /// The reseller has not said yes yet.
    ConsentPending,
    /// No provider waits for the reseller's consent.
    NoConsentAsked,
}

/// What became of a relationship whose time had come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Moved {
    To(Box<Relationship>),
    /// It is no longer listed.
    Gone,
}

impl Relationship {
    pub(crate) fn has_global_administrator(&self) -> bool {
        self.roles.iter().any(|role| role.eq_ignore_ascii_case(GLOBAL_ADMINISTRATOR))
    }

    /// Fixes what is asked for, and opens it to the customer.
    pub(crate) fn lock(&mut self, at: Timestamp) -> Result<(), Misstep> {
        self.must_be(Status::Created)?;
        self.enter(Status::ApprovalPending, at, Some(after_days(at, PENDING_DAYS)));
        Ok(())
    }

    /// What a customer's administrator does who says yes.
    pub(crate) fn approve(
        &mut self,
        by: &Customer,
        at: Timestamp,
        step: SignedDuration,
    ) -> Result<(), Misstep> {
        self.must_be(Status::ApprovalPending)?;
        self.must_be_for(by)?;
        if self.provider.as_ref().is_some_and(|provider| provider.is_consent_pending) {
            return Err(Misstep::ConsentPending);
        }
        self.customer = Some(by.clone());
        self.enter(Status::Approved, at, Some(after(at, step)));
        Ok(())
    }

    /// What a customer's administrator does who says no.
    pub(crate) fn decline(&mut self, by: &Customer, at: Timestamp) -> Result<(), Misstep> {
        self.must_be(Status::ApprovalPending)?;
        self.must_be_for(by)?;
        self.end(Status::Terminated, at);
        Ok(())
    }

    /// The reseller's answer to what an indirect provider made for it.
    pub(crate) fn answer_provider(&mut self, consent: bool, at: Timestamp) -> Result<(), Misstep> {
        self.must_be(Status::ApprovalPending)?;
        match &mut self.provider {
            Some(provider) if provider.is_consent_pending => provider.is_consent_pending = false,
            _ => return Err(Misstep::NoConsentAsked),
        }
        self.modified_at = at;
        if !consent {
            self.end(Status::Terminated, at);
        }
        Ok(())
    }

    /// Begins its end, from either side.
    pub(crate) fn terminate(&mut self, at: Timestamp, step: SignedDuration) -> Result<(), Misstep> {
        self.must_be(Status::Active)?;
        self.enter(Status::TerminationRequested, at, Some(after(at, step)));
        Ok(())
    }

    /// Everything that time has done to it until now.
    pub(crate) fn settle(mut self, now: Timestamp, step: SignedDuration) -> Moved {
        while let Some(due) = self.due_at.filter(|due| *due <= now) {
            if self.status.is_over() {
                return Moved::Gone;
            }
            self.advance(due, step);
        }
        Moved::To(Box::new(self))
    }

    /// The one move that was due at a time.
    fn advance(&mut self, at: Timestamp, step: SignedDuration) {
        match self.status {
            Status::Approved => self.enter(Status::Activating, at, Some(after(at, step))),
            Status::Activating => {
                let ends_at = after_days(at, self.duration_days);
                self.activated_at = Some(at);
                self.ends_at = Some(ends_at);
                self.enter(Status::Active, at, Some(ends_at));
            }
            Status::Active if self.auto_extends => {
                let ends_at = after_days(at, EXTENSION_DAYS);
                self.ends_at = Some(ends_at);
                self.enter(Status::Active, at, Some(ends_at));
            }
            Status::Active => self.enter(Status::Expiring, at, Some(after(at, step))),
            Status::TerminationRequested => {
                self.enter(Status::Terminating, at, Some(after(at, step)));
            }
            Status::ApprovalPending | Status::Expiring => self.end(Status::Expired, at),
            Status::Terminating => self.end(Status::Terminated, at),
            // Nothing is due for these: what has ended is gone instead.
            Status::Created | Status::Expired | Status::Terminated => self.due_at = None,
        }
    }

    fn end(&mut self, status: Status, at: Timestamp) {
        self.enter(status, at, Some(after_days(at, KEPT_DAYS)));
    }

    fn enter(&mut self, status: Status, at: Timestamp, due_at: Option<Timestamp>) {
        self.status = status;
        self.modified_at = at;
        self.due_at = due_at;
    }

    fn must_be(&self, status: Status) -> Result<(), Misstep> {
        if self.status == status { Ok(()) } else { Err(Misstep::Status(self.status)) }
    }

    fn must_be_for(&self, by: &Customer) -> Result<(), Misstep> {
        match &self.customer {
            Some(meant) if !meant.tenant_id.eq_ignore_ascii_case(&by.tenant_id) => {
                Err(Misstep::OtherCustomer)
            }
            _ => Ok(()),
        }
    }
}

fn after_days(at: Timestamp, days: i32) -> Timestamp {
    after(at, SignedDuration::from_hours(24 * i64::from(days)))
}

pub(super) fn after(at: Timestamp, duration: SignedDuration) -> Timestamp {
    at.saturating_add(duration).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
