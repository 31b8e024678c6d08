//! What is handed from who reads documents to who gathers them: plain values.

use std::collections::HashMap;

use super::document::Document;
use super::draft::Draft;
use super::lost::Lost;
use super::source::{SourceId, Span};
use crate::model::estate::Origin;
use crate::model::name::{Kind, Name};

/// Where a document was read from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// A document of a chunk of YAML or JSON.
    Text { source: SourceId, base: u32, length: u32, root: u32, item: Option<u32> },
    /// A row of a table: bytes of the CSV text.
    Row { source: SourceId, row: Span },
}

/// A document, and where it was.
#[derive(Debug)]
pub(crate) struct Located {
    pub place: Place,
    pub document: Document,
}

/// What one piece of work came to.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub documents: Vec<Located>,
    pub drafts: Vec<Draft>,
    /// Documents that were seen, whether or not they could be read.
    pub seen: usize,
    pub lost: Lost,
}

/// A table whose rows are yet to be read.
#[derive(Debug)]
pub(crate) struct Table {
    pub origin: Origin,
    pub name: Option<Name>,
    pub file: String,
}

/// Where values come from that a document does not say itself.
#[derive(Debug, Default)]
pub(crate) struct Fallbacks {
    /// The Defaults of each kind.
    pub kinds: HashMap<Kind, Place>,
    /// The table that names a CSV file.
    pub tables: HashMap<SourceId, Place>,
}
