//! The canonical layout of manifests: what `partnerctl fmt` writes.
//!
//! Text in, text out, document by document. Keys move into the order that a [`KeyOrder`] gives,
//! lines are indented anew, comments travel with what they stand above or beside. Scalars keep
//! their bytes and quotes, and no line is wrapped. A flow collection that stands on one line stays
//! on one line; one that is spread over several lines becomes a block.
//!
//! It refuses to change what a document says. Every formatted document is read again and compared
//! with what stood there before, data and comments; where they differ, and where something stands
//! that has no exact place in the layout (tags, keys that are no plain words, comments in places
//! of their own), the document stays byte for byte as it is and [`Formatted::refused`] says so.
//! It reports no syntax errors: such documents stay as they are, and are only counted here.
//!
//! `tree` reads events into a tree, `place` gives every comment its node, `arrange` moves keys,
//! `write` lays the lines, `same` compares.

mod arrange;
mod place;
mod same;
#[cfg(test)]
mod tests;
mod tree;
mod write;

use crate::manifest::source::{Span, to_u32};
use std::borrow::Cow;

/// Knows the canonical order of keys.
pub trait KeyOrder {
    /// Returns the keys of the mapping at `path` in a document of `kind`, in their order.
    ///
    /// Sequences add nothing to a path: what stands in the list `spec.grants` has the path
    /// `["spec", "grants"]`. `None` leaves the keys where they are (labels, unknown kinds).
    fn order(&self, kind: &str, path: &[&str]) -> Option<&[&str]>;
}

/// A formatted text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formatted {
    pub text: String,
    /// The documents that are well-formed and still stay exactly as they were, in order.
    pub refused: Vec<Refused>,
    /// How many documents do not parse; they stay as they were too.
    pub unreadable: usize,
}

/// A document that keeps its layout, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// The document in the text before, its `---` line included.
    pub span: Span,
    /// A clause that can follow "left as it is: ".
    pub reason: &'static str,
}

/// Why a document is not formatted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Obstacle {
    /// It does not parse; `validate` says where.
    Syntax,
    Unhandled(&'static str),
}

/// Lays a YAML text out in its canonical form.
pub fn format_yaml(text: &str, order: &dyn KeyOrder) -> Formatted {
    let body = text.trim_start_matches('\u{feff}');
    let base = text.len() - body.len();
    let mut crlf = false;
    let mut formatted =
        Formatted { text: String::with_capacity(text.len()), refused: Vec::new(), unreadable: 0 };
    let mut start = 0;
    for section in sections(body) {
        let end = start + section.len();
        crlf = has_crlf(section).unwrap_or(crlf);
        match format_section(section, order) {
            Ok(text) if crlf => formatted.text.push_str(&text.replace('\n', "\r\n")),
            Ok(text) => formatted.text.push_str(&text),
            Err(obstacle) => {
                formatted.text.push_str(section);
                match obstacle {
                    Obstacle::Syntax => formatted.unreadable += 1,
                    Obstacle::Unhandled(reason) => {
                        let span = Span::new(to_u32(base + start), to_u32(base + end));
                        formatted.refused.push(Refused { span, reason });
                    }
                }
            }
        }
        start = end;
    }
    formatted
}

/// Shows what formatting changes as a unified diff; empty when it changes nothing.
pub fn diff(name: &str, before: &str, after: &str) -> String {
    similar::TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{name}"), &format!("b/{name}"))
        .to_string()
}

/// Cuts a text before every line that begins with `---` or `...`.
///
/// Such a line ends a document wherever it stands: no scalar can hold one at the first column.
fn sections(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let cut = memchr::memchr_iter(b'\n', rest.as_bytes())
            .map(|at| at + 1)
            .find(|at| marker(rest.get(*at..).unwrap_or_default()).is_some())
            .unwrap_or(rest.len());
        let (section, next) = rest.split_at(cut);
        rest = next;
        Some(section)
    })
}

/// The document marker that a line begins with.
fn marker(line: &str) -> Option<&'static str> {
    let marker = ["---", "..."].into_iter().find(|marker| line.starts_with(marker))?;
    let behind = line.as_bytes().get(marker.len());
    behind.is_none_or(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).then_some(marker)
}

/// Whether most lines end with `\r\n`, if there are any that end.
///
/// Asked for each document, so that the answer stays the same once it is formatted.
fn has_crlf(section: &str) -> Option<bool> {
    let bytes = section.as_bytes();
    let count = memchr::memchr_iter(b'\n', bytes).count();
    let crlf = memchr::memmem::find_iter(bytes, b"\r\n").count();
    (count > 0).then_some(crlf > count / 2)
}

/// Formats one document with the marker line in front of it; line breaks come out as `\n`.
fn format_section(section: &str, order: &dyn KeyOrder) -> Result<String, Obstacle> {
    let section = unix(section)?;
    let mut out = String::with_capacity(section.len());
    let mut body = &*section;
    if marker(body) == Some("...") {
        let line = body.split_inclusive('\n').next().unwrap_or_default();
        body = body.strip_prefix(line).unwrap_or_default();
        let beside = line.trim_start_matches('.').trim_matches([' ', '\t', '\n']);
        if !beside.is_empty() && !beside.starts_with('#') {
            return Err(Obstacle::Syntax);
        }
        out.push_str("...");
        if !beside.is_empty() {
            out.push(' ');
            out.push_str(beside);
        }
        out.push('\n');
    }
    let before = tree::read(body)?;
    let mut document = place::place(body, before.clone())?;
    if let Some(root) = &mut document.root {
        arrange::arrange(root, order);
        arrange::check_anchors(root)?;
    }
    let start = out.len();
    write::write(body, &document, &mut out)?;
    let written = out.get(start..).unwrap_or_default();
    match tree::read(written) {
        Ok(after) if same::same(&before, body, &after, written) => Ok(out),
        _ => Err(Obstacle::Unhandled("its layout would change what it says")),
    }
}

/// The text with `\n` for every line break, if all readers would agree where those are.
fn unix(text: &str) -> Result<Cow<'_, str>, Obstacle> {
    if text.contains(['\u{85}', '\u{2028}', '\u{2029}', '\u{feff}']) {
        return Err(Obstacle::Unhandled("it holds characters that some readers take for breaks"));
    }
    if memchr::memchr(b'\r', text.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(text));
    }
    let text = text.replace("\r\n", "\n");
    if text.contains('\r') {
        return Err(Obstacle::Unhandled("a carriage return stands in it without a line feed"));
    }
    Ok(Cow::Owned(text))
}
