//! What customers do about delegated access.

use super::act::{Act, ActError};
use super::store::{Read, StoreError, Write};

/// A request that waits for a customer, as a person reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Approval {
    pub id: String,
    pub name: String,
    /// Empty where anybody may approve.
    pub customer: String,
    pub days: i32,
    pub extends_itself: bool,
    pub roles: Vec<String>,
}

/// What waits, as much as is shown.
pub(crate) fn waiting(_: &Read<'_>, _: usize) -> Result<Vec<Approval>, StoreError> {
    Ok(Vec::new())
}

/// What a link asks for, while it waits.
pub(crate) fn asked(_: &Write<'_>, _: &str) -> Result<Option<Approval>, StoreError> {
    Ok(None)
}

/// A customer answers one request, by its link.
pub(crate) fn answer(_: &Write<'_>, _: &Act, _: bool, _: &str) -> Result<Vec<String>, ActError> {
    Ok(Vec::new())
}

/// Customers answer all that waits of one template.
pub(crate) fn answer_all(
    _: &Write<'_>,
    _: &Act,
    _: bool,
    _: &str,
) -> Result<Vec<String>, ActError> {
    Ok(Vec::new())
}

/// Customers end what they had approved.
pub(crate) fn terminate(_: &Write<'_>, _: &Act) -> Result<Vec<String>, ActError> {
    Ok(Vec::new())
}
