//! Bytes to nodes: YAML, JSON and CSV, with a place for everything.
//!
//! This floor knows nothing of partners and customers.

pub mod arena;

use crate::manifest::code::Code;
use crate::manifest::source::Span;
use arena::NodeId;

/// Something wrong with the text itself, at bytes of its chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub code: Code,
    pub span: Span,
    pub message: String,
    pub help: Option<String>,
}

/// What one chunk of text held: its documents, and what was wrong.
///
/// A document that could not be read to its end has no root; its fault says why.
#[derive(Debug, Default)]
pub struct Parsed {
    pub roots: Vec<NodeId>,
    pub faults: Vec<Fault>,
}
