//! Tables as RFC 4180 has them, each cell with its place.
//!
//! Rows are kept as they are: whether one has too many cells, and what a column means, the
//! caller decides. Cells borrow from the text unless quotes inside them have to be undone.

use std::borrow::Cow;

use csv_core::{ReadFieldResult, Reader};

use super::{Fault, forbidden};
use crate::manifest::code::Code;
use crate::manifest::source::{Span, to_u32};

/// A table: its first row names the columns.
#[derive(Debug, Default)]
pub struct Table<'a> {
    pub header: Vec<Cell<'a>>,
    /// The cells of all rows, one after the other: a list for each of 100 000 rows is dear.
    cells: Vec<Cell<'a>>,
    /// For each row, how many cells it and those before it have.
    ends: Vec<u32>,
    /// A quote without an end takes the rest of the text with it; the rows before it remain.
    /// Cells with forbidden characters remain too, or their absence would be reported as well.
    pub faults: Vec<Fault>,
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell<'a> {
    pub text: Cow<'a, str>,
    /// Quotes included.
    pub span: Span,
}

impl<'a> Table<'a> {
    /// The rows under the header.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[Cell<'a>]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let end = *end as usize;
            let row = self.cells.get(start..end).unwrap_or_default();
            start = end;
            row
        })
    }

    /// Makes a row of the cells that were added since the last one.
    fn end_row(&mut self) {
        if self.header.is_empty() {
            self.header = std::mem::take(&mut self.cells);
        } else {
            self.ends.push(to_u32(self.cells.len()));
        }
    }

    /// Forgets the cells that were added since the last row.
    fn drop_row(&mut self) {
        self.cells.truncate(self.ends.last().map_or(0, |end| *end as usize));
    }
}

/// Reads a table. Lines end with LF or CRLF, empty ones are skipped, as is a byte-order mark.
pub fn parse_csv(text: &str) -> Table<'_> {
    let bytes = text.as_bytes();
    let mut at = if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
    let mut table =
        Table { faults: forbidden(text.get(at..).unwrap_or_default()), ..Table::default() };
    for fault in &mut table.faults {
        fault.span = fault.span.shifted(to_u32(at));
    }
    let mut reader = Reader::new();
    // The reader copies each cell here; it is looked at only when quotes were undone.
    let mut buffer = vec![0; 1024];
    let mut row_start = true;
    loop {
        if row_start {
            at += bytes.iter().skip(at).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            if at >= bytes.len() {
                return table;
            }
        }
        let start = at;
        let mut written = 0;
        let row_ends = loop {
            let input = bytes.get(at..).unwrap_or_default();
            let output = buffer.get_mut(written..).unwrap_or_default();
            let (result, read, wrote) = reader.read_field(input, output);
            at += read;
            written += wrote;
            match result {
                ReadFieldResult::Field { record_end } => break record_end,
                ReadFieldResult::OutputFull => buffer.resize(2 * buffer.len(), 0),
                // The next call has no input left, which ends the cell and the row.
                ReadFieldResult::InputEmpty => {}
                ReadFieldResult::End => return table,
            }
        };
        let end = cell_end(bytes, start, at);
        let raw = text.get(start..end).unwrap_or_default();
        let text = if raw.starts_with('"') {
            if !is_closed(raw) {
                table.drop_row();
                table.faults.push(unclosed(start));
                return table;
            }
            if !raw.ends_with('"') {
                table.faults.push(stray(start, end));
            }
            unquoted(raw, buffer.get(..written).unwrap_or_default())
        } else {
            if raw.contains('"') {
                table.faults.push(stray(start, end));
            }
            Cow::Borrowed(raw)
        };
        table.cells.push(Cell { text, span: Span::new(to_u32(start), to_u32(end)) });
        if row_ends {
            table.end_row();
        }
        row_start = row_ends;
    }
}

/// Where the cells of one row stand, quotes included, for a row that [`parse_csv`] has read: a
/// reader of its own for each of a hundred thousand rows would cost more than all else.
pub(in crate::manifest) fn cells_of(row: &str) -> impl Iterator<Item = Span> {
    let bytes = row.as_bytes();
    let mut next = Some(0);
    std::iter::from_fn(move || {
        let start = next?;
        let mut at = start;
        if bytes.get(at) == Some(&b'"') {
            at += 1;
            while let Some(quote) = memchr::memchr(b'"', bytes.get(at..).unwrap_or_default()) {
                at += quote + 1;
                if bytes.get(at) != Some(&b'"') {
                    break;
                }
                at += 1;
            }
        }
        let rest = bytes.get(at..).unwrap_or_default();
        let end = at + memchr::memchr(b',', rest).unwrap_or(rest.len());
        next = (end < bytes.len()).then_some(end + 1);
        Some(Span::new(to_u32(start), to_u32(end)))
    })
}

/// The end of a cell, without the comma or break that the reader consumed with it.
fn cell_end(bytes: &[u8], start: usize, at: usize) -> usize {
    match bytes.get(start..at) {
        Some([.., b',' | b'\n' | b'\r']) => at - 1,
        _ => at,
    }
}

fn stray(start: usize, end: usize) -> Fault {
    Fault {
        code: Code::P0406,
        span: Span::new(to_u32(start), to_u32(end)),
        message: "a quote where none belongs".to_owned(),
        help: Some("put the whole cell in quotes, and write a quote within it twice".to_owned()),
    }
}

/// Whether a quote that begins a cell has an end.
fn is_closed(raw: &str) -> bool {
    let mut rest = raw.as_bytes().get(1..).unwrap_or_default();
    while let Some(quote) = memchr::memchr(b'"', rest) {
        match rest.get(quote + 1) {
            Some(b'"') => rest = rest.get(quote + 2..).unwrap_or_default(),
            _ => return true,
        }
    }
    false
}

/// The text of a quoted cell, borrowed if it has no quotes inside.
fn unquoted<'a>(raw: &'a str, read: &[u8]) -> Cow<'a, str> {
    match raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')) {
        Some(inner) if !inner.contains('"') => Cow::Borrowed(inner),
        _ => Cow::Owned(String::from_utf8_lossy(read).into_owned()),
    }
}

fn unclosed(at: usize) -> Fault {
    Fault {
        code: Code::P0403,
        span: Span::new(to_u32(at), to_u32(at + 1)),
        message: "a quote that is not closed".to_owned(),
        help: Some("close the quote; inside a quoted cell a quote is written twice".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<Vec<String>> {
        let table = parse_csv(text);
        assert_eq!(table.faults, [], "{text:?}");
        std::iter::once(&table.header[..])
            .filter(|header| !header.is_empty())
            .chain(table.rows())
            .map(|row| row.iter().map(|cell| cell.text.to_string()).collect())
            .collect()
    }

    #[test]
    fn tables_are_read_as_the_rfc_has_them() {
        for (text, expected) in [
            ("", &[] as &[&[&str]]),
            ("\n\r\n", &[]),
            ("a", &[&["a"]]),
            ("a,b\n1,2\n", &[&["a", "b"], &["1", "2"]]),
            ("a,b\r\n1,2", &[&["a", "b"], &["1", "2"]]),
            ("\u{feff}a,b\n1,2", &[&["a", "b"], &["1", "2"]]),
            ("\n\na,b\n\n\r\n1,2\n\n", &[&["a", "b"], &["1", "2"]]),
            ("a,b\n,\n", &[&["a", "b"], &["", ""]]),
            ("a,b\n1,\n", &[&["a", "b"], &["1", ""]]),
            ("a,b\n1,", &[&["a", "b"], &["1", ""]]),
            ("a\n\"\"\n", &[&["a"], &[""]]),
            ("a\n\"b,\"\"c\"\"\r\nd\"", &[&["a"], &["b,\"c\"\r\nd"]]),
            ("a,b\n\"x\",\"y\"\r\n\"z\",w", &[&["a", "b"], &["x", "y"], &["z", "w"]]),
            // A row keeps the cells that it has.
            ("a,b\n1\n1,2,3\n", &[&["a", "b"], &["1"], &["1", "2", "3"]]),
            ("a\n5 disks\n b \n", &[&["a"], &["5 disks"], &[" b "]]),
            ("名前\n田中\n", &[&["名前"], &["田中"]]),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_long_cell_grows_the_buffer() {
        let long = "x\"\"".repeat(5_000);
        let text = format!("a,b\n\"{long}\",2\n");
        let table = parse_csv(&text);
        let row = table.rows().next().unwrap();
        assert_eq!(row[0].text, "x\"".repeat(5_000));
        assert_eq!(row[1].text, "2");
    }

    #[test]
    fn cells_have_places_and_borrow_where_they_can() {
        let text = "\u{feff}name,\"b\"\r\n\"x\"\"y\", z\r\n";
        let table = parse_csv(text);
        let places: Vec<&str> = table
            .header
            .iter()
            .chain(table.rows().flatten())
            .map(|cell| &text[cell.span.range()])
            .collect();
        assert_eq!(places, ["name", "\"b\"", "\"x\"\"y\"", " z"]);
        assert!(table.header.iter().all(|cell| matches!(cell.text, Cow::Borrowed(_))));
        let row = table.rows().next().unwrap();
        assert!(matches!((&row[0].text, &row[1].text), (Cow::Owned(_), Cow::Borrowed(_))));
    }

    #[test]
    fn forbidden_characters_are_refused_in_their_place() {
        for (text, at) in [("a,b\n1,\0\n", 6), ("\u{feff}a\rb\n", 4), ("a\n\"b\u{feff}\"", 4)] {
            let table = parse_csv(text);
            assert_eq!((table.faults[0].code, table.faults[0].span.start), (Code::P0004, at));
            assert!(!table.header.is_empty());
        }
    }

    #[test]
    fn a_quote_without_an_end_is_reported_where_it_begins() {
        for (text, at, rows) in [
            ("a,b\n1,2\n3,\"4\n5,6\n", 10, 1),
            ("\"a", 0, 0),
            ("a\n\"b\"\"\n", 2, 0),
            ("a\n\"", 2, 0),
        ] {
            let table = parse_csv(text);
            let [fault] = &table.faults[..] else { panic!("{text:?}: {table:?}") };
            assert_eq!((fault.code, fault.span), (Code::P0403, Span::new(at, at + 1)), "{text:?}");
            assert_eq!(table.rows().len(), rows, "{text:?}");
        }
    }

    #[test]
    fn the_cells_of_a_row_are_those_of_the_table() {
        for row in [
            "a,b,c",
            "a",
            "a,",
            ",,",
            "\"x, y\",b",
            "\"a \"\"b\"\", c\",,\"\"",
            "\"a\"b,c",
            "田,\"中\n村\",x",
        ] {
            let spans: Vec<Span> = parse_csv(row).header.iter().map(|cell| cell.span).collect();
            assert_eq!(cells_of(row).collect::<Vec<_>>(), spans, "{row}");
        }
    }

    #[test]
    fn a_quote_stands_around_a_whole_cell_or_not_at_all() {
        for (text, start, end) in [("a,b\n5\" disk,x\n", 4, 11), ("a,b\nx,\"B\"c\n", 6, 10)] {
            let table = parse_csv(text);
            let found: Vec<_> = table.faults.iter().map(|fault| (fault.code, fault.span)).collect();
            assert_eq!(found, [(Code::P0406, Span::new(start, end))], "{text:?}");
            assert_eq!(table.rows().len(), 1);
        }
    }
}
