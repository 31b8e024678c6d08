//! What people and roles may and may not do, as an estate expects it.

use super::action::Action;
use super::label::Selector;
use super::name::{Reference, UserKey};
use super::text::Title;

/// The `spec` of an `AccessTest`.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessTest {
    pub checks: Vec<Check>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// Someone, or whoever holds a role, may or may not do something.
    Who {
        who: Reference,
        may: Vec<Action>,
        may_not: Vec<Action>,
        on: Option<Target>,
        /// The policy that is expected to decide.
        by: Option<Title>,
    },
    /// Exactly these users may do something.
    Exactly { action: Action, users: Vec<UserKey>, on: Option<Target> },
}

/// On what.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    One(Reference),
    Customers(Selector),
}
