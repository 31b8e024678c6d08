//! Many messages as a table (RFC 4180), for a mail merge: a line for each recipient.
//!
//! Spreadsheets take a cell that begins like a formula for one, whoever wrote it. So such a cell gets
//! an apostrophe before it, which they do not show; it is the one thing that is added.

use std::io::{self, Write};

use csv_core::{Terminator, WriteResult, Writer, WriterBuilder};

use super::{Invitations, Mailbox, Message};

const COLUMNS: [&str; 8] =
    ["name", "company", "email", "language", "link", "until", "subject", "step"];

/// Writes a line for each recipient; one without a name or an address, if nobody is named.
pub fn csv(invitations: &Invitations, to: &mut dyn Write) -> io::Result<()> {
    let mut table = Table { writer: WriterBuilder::new().terminator(Terminator::CRLF).build(), to };
    table.row(&COLUMNS.map(str::to_owned))?;
    for message in &invitations.invitations {
        if message.to.is_empty() {
            table.row(&cells(message, None))?;
        }
        for mailbox in &message.to {
            table.row(&cells(message, Some(mailbox)))?;
        }
    }
    Ok(())
}

fn cells(message: &Message, to: Option<&Mailbox>) -> [String; 8] {
    let name = to.and_then(|mailbox| mailbox.name.clone()).unwrap_or_default();
    let email = to.map(|mailbox| mailbox.address.clone()).unwrap_or_default();
    [
        name,
        message.company.clone(),
        email,
        message.language.tag().to_owned(),
        message.link.clone(),
        message.until.clone().unwrap_or_default(),
        message.subject.clone(),
        message.step.clone(),
    ]
    .map(harmless)
}

/// A cell that no spreadsheet takes for a formula.
fn harmless(cell: String) -> String {
    let acts =
        cell.trim_start().starts_with(['=', '+', '-', '@', '|', '%', '\u{ff1d}', '\u{ff0b}'])
            || cell.starts_with(['\t', '\r', '\n']);
    if acts { format!("'{cell}") } else { cell }
}

struct Table<'a> {
    writer: Writer,
    to: &'a mut dyn Write,
}

impl Table<'_> {
    fn row(&mut self, cells: &[String; 8]) -> io::Result<()> {
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                self.write(|writer, space| {
                    let (result, written) = writer.delimiter(space);
                    (result, 0, written)
                })?;
            }
            let mut rest = cell.as_bytes();
            loop {
                let mut read = 0;
                let is_done = self.write_some(|writer, space| {
                    let (result, taken, written) = writer.field(rest, space);
                    read = taken;
                    (result, taken, written)
                })?;
                rest = rest.get(read..).unwrap_or_default();
                if is_done {
                    break;
                }
            }
        }
        self.write(|writer, space| {
            let (result, written) = writer.terminator(space);
            (result, 0, written)
        })
    }

    /// Until nothing is left of it.
    fn write(
        &mut self,
        mut part: impl FnMut(&mut Writer, &mut [u8]) -> (WriteResult, usize, usize),
    ) -> io::Result<()> {
        while !self.write_some(&mut part)? {}
        Ok(())
    }

    /// As much as there is space for; whether that was all.
    fn write_some(
        &mut self,
        part: impl FnOnce(&mut Writer, &mut [u8]) -> (WriteResult, usize, usize),
    ) -> io::Result<bool> {
        let mut space = [0; 512];
        let (result, _, written) = part(&mut self.writer, &mut space);
        self.to.write_all(space.get(..written).unwrap_or_default())?;
        Ok(result == WriteResult::InputEmpty)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_begins_like_a_formula_is_text() {
        for cell in ["=1+1", "+81 3", "-x", "@SUM(A1)", " =1", "\t=1", "\u{ff1d}1", "|cmd"] {
            assert_eq!(harmless(cell.to_owned()), format!("'{cell}"));
        }
        for cell in ["", "Contoso株式会社", "O'Brien", "a=b", "https://a.example/?x=1"] {
            assert_eq!(harmless(cell.to_owned()), cell);
        }
    }

    proptest! {
        /// Whatever the cells hold, a reader of such tables finds them as they were.
        #[test]
        fn a_row_is_read_as_it_was_written(
            cells in prop::array::uniform8(prop_oneof![any::<String>(), "[,\"\r\n =a]{0,30}", "[a\"]{500,700}"]),
        ) {
            let mut text = Vec::new();
            let writer = WriterBuilder::new().terminator(Terminator::CRLF).build();
            let mut table = Table { writer, to: &mut text };
            table.row(&cells).unwrap();
            table.row(&COLUMNS.map(str::to_owned)).unwrap();
            let mut reader = csv_core::Reader::new();
            let (mut fields, mut ends) = (vec![0; 20_000], [0; 32]);
            let (result, read, _, columns) = reader.read_record(&text, &mut fields, &mut ends);
            prop_assert_eq!(result, csv_core::ReadRecordResult::Record);
            prop_assert!(text[..read].ends_with(b"\n") || text[read..].starts_with(b"\n"));
            let mut start = 0;
            let found: Vec<String> = ends[..columns]
                .iter()
                .map(|end| String::from_utf8(fields[std::mem::replace(&mut start, *end)..*end].to_vec()).unwrap())
                .collect();
            prop_assert_eq!(found, cells.to_vec());
        }
    }
}
