//! What every document says about itself.

use super::choice::choices;
use super::label::Labels;
use super::name::Name;
use super::time::Day;

choices! {
    /// What becomes of the object in the tenant when its document goes away.
    "what happens on removal"
    pub enum OnRemoval {
        /// What we granted is taken back; the object itself stays.
        Release = "release",
        /// The account is disabled.
        Disable = "disable",
        /// The object is deleted, if it was made here.
        Delete = "delete",
    }
}

/// The `metadata` of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Metadata {
    pub name: Name,
    pub labels: Labels,
    /// Free: not ours to understand.
    pub annotations: Vec<(Box<str>, Box<str>)>,
    /// Names it had before, so that it is renamed, not recreated.
    pub formerly: Vec<Name>,
    /// Survives the deletion of its document.
    pub protect: bool,
    /// Fields that others may own, as written: `spec.displayName`.
    pub ignore: Vec<Box<str>>,
    /// Holds until the end of this day, UTC.
    pub expires: Option<Day>,
    pub on_removal: Option<OnRemoval>,
}

impl Metadata {
    /// Whether it has expired by the beginning of a day.
    pub fn has_expired(&self, today: Day) -> bool {
        self.expires.is_some_and(|last| last < today)
    }
}
