//! A value in a manifest, replaced in place: everything else stays byte for byte, comments too.

use serde_json::Value;

use super::Loaded;
use super::batch::Place;
use super::draft::Step;
use super::load::Opened;
use super::rows::cell_of;
use super::source::{Format, SourceId, Span};
use super::text::arena::{Node, View};
use crate::model::estate::Origin;

/// What is written where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    pub source: SourceId,
    pub span: Span,
    pub text: String,
}

impl Loaded {
    /// The edit by which a field of a document has another value; none where it cannot be made there.
    ///
    /// What the document does not say yet is added to it, whoever said it before.
    pub fn edit(&self, origin: Origin, path: &str, value: &Value) -> Option<Edit> {
        match *self.places.get(origin.0 as usize)? {
            place @ Place::Text { source, base, .. } => {
                let mut open = Opened::default();
                let sources = &self.findings.sources;
                let bytes = sources.get(source)?.bytes.as_slice();
                let is_json = sources.get(source)?.format == Format::Json;
                let document = open.document(sources, place)?;
                let (span, text) = in_document(document, bytes, base, path, value, is_json)?;
                Some(Edit { source, span, text })
            }
            Place::Row { source, row } => {
                let bytes = self.findings.sources.get(source)?.bytes.as_slice();
                let column = path.strip_prefix("spec.")?;
                let span = cell_of(bytes, row, column)?;
                Some(Edit { source, span, text: cell(value)? })
            }
        }
    }
}

fn in_document(
    document: Node<'_>,
    bytes: &[u8],
    base: u32,
    path: &str,
    value: &Value,
    is_json: bool,
) -> Option<(Span, String)> {
    let keys: Vec<Step> = path.split('.').map(Step::from).collect();
    let (last, above) = keys.split_last()?;
    let mut holder = document;
    for key in above {
        let Step::Key(key) = key else { return None };
        holder = holder.get(key)?;
    }
    let Step::Key(last) = last else { return None };
    let text = if is_json { value.to_string() } else { flow(value)? };
    if let Some((_, found)) = holder.entry(last) {
        return Some((found.span().shifted(base), text));
    }
    let View::Mapping(entries) = holder.view() else { return None };
    let (first, _) = entries.clone().next()?;
    let (_, end) = entries.last()?;
    let (start, end) = (first.span().start + base, end.span().end + base);
    let key = if is_json { format!("{last:?}") } else { last.to_string() };
    if holder.span().start + base < start {
        // Between braces.
        return Some((Span::new(end, end), format!(", {key}: {text}")));
    }
    // Behind the last line of the block, comments of that line included.
    let line =
        bytes.get(..start as usize)?.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    let indent = start as usize - line;
    let rest = bytes.get(end as usize..)?;
    let at = end as usize + rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
    let at = u32::try_from(at).ok()?;
    Some((Span::new(at, at), format!("\n{}{key}: {text}", " ".repeat(indent))))
}

/// A value on one line.
fn flow(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => scalar(text),
        Value::Array(all) => {
            let all: Option<Vec<String>> = all.iter().map(flow).collect();
            format!("[{}]", all?.join(", "))
        }
        Value::Object(members) => {
            let members: Option<Vec<String>> = members
                .iter()
                .map(|(key, value)| Some(format!("{key}: {}", flow(value)?)))
                .collect();
            format!("{{{}}}", members?.join(", "))
        }
    })
}

/// Plain where nobody could take it for anything else.
fn scalar(text: &str) -> String {
    let is_word = text.chars().next().is_some_and(char::is_alphabetic)
        && text.chars().all(|c| c.is_alphanumeric() || " @._-".contains(c))
        && !text.ends_with(' ')
        && !["true", "false", "null", "yes", "no", "on", "off"]
            .iter()
            .any(|word| text.eq_ignore_ascii_case(word));
    if is_word { text.to_owned() } else { Value::from(text).to_string() }
}

/// A value in a table.
fn cell(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(all) => all.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?.join(";"),
        Value::Null | Value::Object(_) => return None,
    };
    let is_plain = !text.contains([',', '"', '\n', '\r']);
    Some(if is_plain { text } else { format!("\"{}\"", text.replace('"', "\"\"")) })
}

/// A text after edits, none of which touches another.
pub fn edited(bytes: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| edit.span);
    let mut text = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for edit in sorted {
        let range = edit.span.range();
        if range.start < at {
            continue;
        }
        text.extend_from_slice(bytes.get(at..range.start).unwrap_or_default());
        text.extend_from_slice(edit.text.as_bytes());
        at = range.end;
    }
    text.extend_from_slice(bytes.get(at..).unwrap_or_default());
    text
}
