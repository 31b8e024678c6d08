//! What every document says about itself.

use super::Str;
use super::choice::choices;
use super::label::Labels;
use super::name::Name;
use super::scalar::{Grammar, Malformed, Scalar, within};
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
    pub annotations: Vec<(Str, Str)>,
    /// Names it had before, so that it is renamed, not recreated.
    pub formerly: Vec<Name>,
    /// Survives the deletion of its document.
    pub protect: bool,
    /// Fields that others may own, as written: `spec.displayName`.
    pub ignore: Vec<FieldPath>,
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

/// The way to a field of a document: `spec.displayName`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPath(Str);

impl FieldPath {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<FieldPath> for Str {
    fn from(path: FieldPath) -> Self {
        path.0
    }
}

impl Scalar for FieldPath {
    const WHAT: &'static str = "the path of a field";
    const GRAMMAR: Grammar = Grammar::Pattern {
        pattern: "^(spec|metadata)(\\.[A-Za-z][A-Za-z0-9]*)+$",
        length_max: 200,
    };
    const EXAMPLES: &'static [&'static str] = &["spec.displayName"];

    fn parse(text: &str) -> Result<Self, Malformed> {
        within(text, 200)?;
        let mut keys = text.split('.');
        let root = matches!(keys.next(), Some("spec" | "metadata"));
        let mut deep = false;
        let words = keys.all(|key| {
            deep = true;
            key.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
                && key.bytes().all(|b| b.is_ascii_alphanumeric())
        });
        if root && deep && words { Ok(Self(text.into())) } else { Err(Malformed::form()) }
    }
}
