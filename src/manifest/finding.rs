//! What is wrong, where, why, and what to do about it: the value that every report shows.

use super::code::{Code, Severity};
use super::source::{SourceId, Sources, Span};

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub code: Code,
    pub severity: Severity,
    /// One line, lower case, no full stop, the user's value in backticks. Remote and YAML text in
    /// it is data: reports escape it.
    pub message: String,
    pub help: Option<String>,
    pub place: Place,
    /// The document it is about, as `kind/name`.
    pub object: Option<String>,
    pub related: Vec<Related>,
}

/// Another place that belongs to a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    pub message: String,
    pub place: Place,
}

/// A place in a text. Without `region` only the file is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub file: String,
    pub region: Option<Region>,
}

/// Lines and columns from 1, columns in Unicode characters, the end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Region {
    pub line: u32,
    pub column: u32,
    pub end_line: u32,
    pub end_column: u32,
    /// Where to find the text for a snippet, if the text may be shown at all.
    pub excerpt: Option<Excerpt>,
}

/// The bytes that a finding underlines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Excerpt {
    pub source: SourceId,
    pub span: Span,
}

/// Everything one run found, and what it looked at.
#[derive(Debug, Default)]
pub struct Findings {
    /// Sorted by file, line, column and code.
    pub all: Vec<Finding>,
    pub checked: Checked,
    /// For snippets.
    pub sources: Sources,
    /// Bytes that look like secrets: never shown, whatever finding is about the line.
    pub masked: Vec<Excerpt>,
    /// How many findings a Waiver silenced.
    pub waived: usize,
}

/// What a run looked at.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Checked {
    pub files: usize,
    pub documents: usize,
    /// How many objects of each kind, in the order of the house: `("user", 6)`.
    pub kinds: Vec<(&'static str, usize)>,
}

impl Findings {
    pub fn count(&self, severity: Severity) -> usize {
        self.all.iter().filter(|finding| finding.severity == severity).count()
    }
}
