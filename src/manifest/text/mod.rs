//! Bytes to nodes: YAML, JSON and CSV, with a place for everything.
//!
//! This floor knows nothing of partners and customers, and reports only what makes a text
//! unreadable: whether a key may stand twice or where it does, the floor above decides.
//!
//! YAML goes through [`chunks`], each chunk through [`Chunk::text`] and [`parse`]. Chunks are
//! independent, so they can be read in parallel, each worker with an [`arena::Arena`] of its own
//! that it clears and uses again: fresh memory for each file costs as much as the parsing.
//! JSON and tables are read whole: [`decode`], then [`parse_json`] or [`parse_csv`].

pub mod arena;
mod characters;
mod csv;
mod event;
mod fast;
mod json;
mod scan;
mod split;
mod syntax;
#[cfg(test)]
mod tests;

use characters::is_unsuspicious;
pub use characters::{decode, forbidden, foreign_encoding, utf8};
pub(in crate::manifest) use csv::cells_of;
pub use csv::{Cell, Table, parse_csv};
pub use event::{EXPANSION_MAX, parse_events};
pub use fast::parse_fast;
pub use json::parse_json;
pub use split::split;

use crate::manifest::code::Code;
use crate::manifest::source::{Span, to_u32};
use arena::{Arena, NodeId};

/// How deep containers may stand in each other, in every format.
pub const DEPTH_MAX: usize = 128;

/// What to do about a text that is nested more deeply.
const TOO_DEEP: &str = "check what wrote this text: manifests have about ten levels";

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

/// A piece of a YAML file that can be read without the rest of it.
#[derive(Debug, Clone, Copy)]
pub struct Chunk<'a> {
    /// Where it begins in the file; its spans count from here.
    pub base: u32,
    bytes: &'a [u8],
    whole_file: bool,
    /// Its text, if nothing is wrong with that of the whole file: one look at a file costs less
    /// than one at each of its chunks.
    text: Option<&'a str>,
}

/// Cuts a YAML file into chunks. A byte-order mark at its start belongs to none.
pub fn chunks(bytes: &[u8]) -> Vec<Chunk<'_>> {
    if foreign_encoding(bytes).is_some() {
        return vec![Chunk { base: 0, bytes, whole_file: true, text: None }];
    }
    let skip = if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    let bytes = bytes.get(skip..).unwrap_or_default();
    let whole = std::str::from_utf8(bytes).ok().filter(|text| is_unsuspicious(text));
    split(bytes)
        .into_iter()
        .map(|range| Chunk {
            base: to_u32(skip + range.start),
            bytes: bytes.get(range.clone()).unwrap_or_default(),
            whole_file: false,
            text: whole.and_then(|text| text.get(range)),
        })
        .collect()
}

impl<'a> Chunk<'a> {
    /// The chunk as text, or what keeps it from being one.
    pub fn text(&self) -> Result<&'a str, Vec<Fault>> {
        if let Some(text) = self.text {
            return Ok(text);
        }
        let text = if self.whole_file { decode(self.bytes) } else { utf8(self.bytes) };
        let text = text.map_err(|fault| vec![fault])?;
        let faults = forbidden(text);
        if faults.is_empty() { Ok(text) } else { Err(faults) }
    }
}

/// Reads the documents of one chunk's text.
///
/// Nearly every manifest is written in the plain subset that the fast path knows, at a tenth of
/// the cost; everything else, and everything wrong, goes to the full parser.
pub fn parse<'t>(chunk: &'t str, arena: &mut Arena<'t>) -> Parsed {
    parse_fast(chunk, arena).unwrap_or_else(|| parse_events(chunk, arena))
}
