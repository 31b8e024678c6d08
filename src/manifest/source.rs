//! The texts that manifests are read from, and places in them.
//!
//! Offsets are bytes; lines and columns are computed only for the few places that are shown.

use std::ops::Range;

/// Bytes `start..end` of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// The same span in a text that has `base` more bytes in front.
    #[must_use]
    pub const fn shifted(self, base: u32) -> Self {
        Self { start: self.start + base, end: self.end + base }
    }

    pub const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Which of the loaded texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// How a text is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Yaml,
    Json,
    Csv,
}

/// One text, as it was handed to us.
#[derive(Debug)]
pub struct Source {
    /// What people call it: relative to the project, `/` between folders, `-` for standard input.
    pub name: String,
    pub format: Format,
    pub bytes: Vec<u8>,
}

/// A line and a column, both from 1; columns count Unicode characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    pub line: u32,
    pub column: u32,
}

/// All texts of one load.
#[derive(Debug, Default)]
pub struct Sources {
    all: Vec<Source>,
}

impl Sources {
    pub fn new(all: Vec<Source>) -> Self {
        Self { all }
    }

    pub fn add(&mut self, source: Source) -> SourceId {
        let id = SourceId(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        self.all.push(source);
        id
    }

    pub fn get(&self, id: SourceId) -> Option<&Source> {
        self.all.get(id.0 as usize)
    }

    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        (0..).map(SourceId).zip(&self.all)
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

/// Where each line of a text begins, so that many places can be named without counting again.
#[derive(Debug)]
pub struct Lines<'a> {
    bytes: &'a [u8],
    starts: Vec<u32>,
}

impl<'a> Lines<'a> {
    pub fn of(bytes: &'a [u8]) -> Self {
        let mut starts = vec![0];
        starts.extend(memchr::memchr_iter(b'\n', bytes).map(|at| to_u32(at + 1)));
        Self { bytes, starts }
    }

    /// The place of a byte. A byte-order mark at the start of the text is not a column.
    pub fn place(&self, offset: u32) -> LineColumn {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let before = self.bytes.get(start as usize..offset as usize).unwrap_or_default();
        let before = before.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(before);
        let column = match std::str::from_utf8(before) {
            Ok(text) => text.chars().count(),
            Err(_) => String::from_utf8_lossy(before).chars().count(),
        };
        LineColumn { line: to_u32(line), column: to_u32(column + 1) }
    }

    /// The bytes of a line (from 1), without its line break.
    pub fn line(&self, line: u32) -> &'a [u8] {
        let at = (line as usize).saturating_sub(1);
        let Some(start) = self.starts.get(at).map(|start| *start as usize) else { return &[] };
        let end = self.starts.get(at + 1).map_or(self.bytes.len(), |next| *next as usize - 1);
        let line = self.bytes.get(start..end).unwrap_or_default();
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    /// Where a line (from 1) begins.
    pub fn start(&self, line: u32) -> u32 {
        self.starts.get((line as usize).saturating_sub(1)).copied().unwrap_or(0)
    }
}

/// Offsets fit: a file of more than 256 MiB is refused before it is read.
pub(crate) fn to_u32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_characters_and_a_mark_at_the_start_is_none() {
        let text = "\u{feff}a: 1\nname: 田中 x\r\nz".as_bytes();
        let lines = Lines::of(text);
        assert_eq!(lines.place(3), LineColumn { line: 1, column: 1 });
        let x = to_u32(memchr::memchr(b'x', text).unwrap_or_default());
        assert_eq!(lines.place(x), LineColumn { line: 2, column: 10 });
        assert_eq!(lines.line(2), "name: 田中 x".as_bytes());
        assert_eq!(lines.line(3), b"z");
    }
}
