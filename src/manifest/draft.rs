//! A finding before anybody knows its line.
//!
//! Checks on the estate name a field; where it stands is looked up only for what is reported, so
//! that a clean estate pays nothing for it.

use crate::model::estate::Origin;

use super::code::{Code, Severity};
use super::source::{SourceId, Span};

/// A finding whose place is still in bytes, or the name of a field.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub code: Code,
    pub severity: Severity,
    pub message: String,
    pub help: Option<String>,
    pub at: Where,
    pub object: Option<String>,
    pub related: Vec<(String, Where)>,
}

/// Where a finding is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Where {
    Bytes {
        source: SourceId,
        span: Span,
    },
    /// A field of a document; if it is not there, the nearest that would hold it.
    Field {
        origin: Origin,
        path: Vec<Step>,
        on: On,
    },
    /// A file that could not be loaded, by its name.
    Named(String),
    /// The estate as a whole: the project file, line 1.
    Estate,
}

/// Which part of a mapping's entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    Key,
    Value,
}

/// One step of the way to a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Key(Box<str>),
    Index(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Self::Key(key.into())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// The way to a field: `way!["spec", "grants", 0, "to"]`.
macro_rules! way {
    ($($step:expr),* $(,)?) => { vec![$($crate::manifest::draft::Step::from($step)),*] };
}

pub(crate) use way;

impl Draft {
    pub(crate) fn new(code: Code, at: Where, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            message: message.into(),
            help: None,
            at,
            object: None,
            related: Vec::new(),
        }
    }

    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    #[must_use]
    pub(crate) fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    #[must_use]
    pub(crate) fn object(mut self, object: impl Into<String>) -> Self {
        self.object = Some(object.into());
        self
    }

    #[must_use]
    pub(crate) fn related(mut self, message: impl Into<String>, at: Where) -> Self {
        self.related.push((message.into(), at));
        self
    }
}
