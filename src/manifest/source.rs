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
    Cedar,
}

impl Format {
    /// Whether manifests are written in it.
    pub const fn holds_documents(self) -> bool {
        matches!(self, Self::Yaml | Self::Json)
    }
}

/// One text, as it was handed to us.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Characters before each `STRIDE` bytes of the text, if the text is UTF-8 and has a long line:
    /// a line of ten megabytes is not counted through again for each place in it.
    counts: Vec<u32>,
}

/// How many bytes are counted through at most.
const STRIDE: usize = 4096;

impl<'a> Lines<'a> {
    pub fn of(bytes: &'a [u8]) -> Self {
        let mut starts = vec![0];
        starts.extend(memchr::memchr_iter(b'\n', bytes).map(|at| to_u32(at + 1)));
        let ends = starts.iter().skip(1).copied().chain([to_u32(bytes.len())]);
        let is_long = starts.iter().zip(ends).any(|(start, end)| (end - start) as usize > STRIDE);
        let mut counts = Vec::new();
        if is_long && std::str::from_utf8(bytes).is_ok() {
            let mut count = 0;
            counts.extend(bytes.chunks(STRIDE).map(|stride| {
                let before = count;
                count += to_u32(characters(stride));
                before
            }));
        }
        Self { bytes, starts, counts }
    }

    /// How many characters begin before this byte of the text.
    fn count(&self, offset: usize) -> Option<usize> {
        let whole = (offset / STRIDE).min(self.counts.len().checked_sub(1)?);
        let rest = self.bytes.get(whole * STRIDE..offset).unwrap_or_default();
        Some(*self.counts.get(whole)? as usize + characters(rest))
    }

    /// The place of a byte. A byte-order mark at the start of the text is not a column.
    pub fn place(&self, offset: u32) -> LineColumn {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let before = self.bytes.get(start as usize..offset as usize).unwrap_or_default();
        let mark = usize::from(before.starts_with(b"\xEF\xBB\xBF"));
        let far = if before.len() > STRIDE { self.count(offset as usize) } else { None };
        let column = match far.zip(self.count(start as usize)) {
            Some((here, start)) => here - start,
            None => match std::str::from_utf8(before) {
                Ok(text) => text.chars().count(),
                Err(_) => String::from_utf8_lossy(before).chars().count(),
            },
        } - mark;
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

/// Bytes at which a character of UTF-8 begins.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0b1100_0000 != 0b1000_0000).count()
}

/// Offsets fit: a file of more than 256 MiB is refused before it is read.
pub(crate) fn to_u32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_long_lines_are_counted_alike() {
        let text = format!("x\n\u{feff}{}\r\n{}", "a田\u{1f600}".repeat(3000), "é".repeat(5000));
        let lines = Lines::of(text.as_bytes());
        let short = Lines { bytes: text.as_bytes(), starts: lines.starts.clone(), counts: vec![] };
        for offset in (0..=to_u32(text.len())).step_by(7).chain([0, to_u32(text.len())]) {
            if text.is_char_boundary(offset as usize) {
                assert_eq!(lines.place(offset), short.place(offset), "{offset}");
            }
        }
    }

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
