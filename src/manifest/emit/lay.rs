//! A tree of mappings, lists and texts as YAML, the way people write it: what is short stands on one
//! line, and quotes stand where a reader could take a text for something else.
//!
//! By hand, because a serializer quotes for its own reader: ours takes a date for a date, and people
//! read `no` in more than one way.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::{Map, Value};
use uuid::Uuid;

/// As long as a line gets before its mapping or list is spread over several.
const LINE_MAX: usize = 100;

/// Writes `key: value` and all that is in it.
pub(super) fn entry(key: &str, value: &Value, indent: usize, to: &mut String) {
    spaces(indent, to);
    to.push_str(&text(key));
    to.push(':');
    below(key, value, indent, to);
}

/// What stands behind a key.
fn below(key: &str, value: &Value, indent: usize, to: &mut String) {
    let room = LINE_MAX.saturating_sub(indent + key.len() + 2);
    // A spec is spread out, however little it says.
    if (key != "spec" || indent > 0)
        && let Some(line) = on_one_line(value, room)
    {
        to.push(' ');
        to.push_str(&line);
        to.push('\n');
        return;
    }
    to.push('\n');
    match value {
        Value::Object(entries) => mapping(entries, indent + 2, to),
        Value::Array(items) => list(items, indent + 2, to),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn mapping(entries: &Map<String, Value>, indent: usize, to: &mut String) {
    for (key, value) in entries {
        entry(key, value, indent, to);
    }
}

fn list(items: &[Value], indent: usize, to: &mut String) {
    for item in items {
        spaces(indent, to);
        to.push('-');
        match on_one_line(item, LINE_MAX.saturating_sub(indent + 2)) {
            Some(line) => {
                to.push(' ');
                to.push_str(&line);
                to.push('\n');
            }
            // Its first key stands beside the dash.
            None => match item {
                Value::Object(entries) => {
                    let mut inner = String::new();
                    mapping(entries, indent + 2, &mut inner);
                    to.push(' ');
                    to.push_str(inner.trim_start_matches(' '));
                }
                _ => below("", item, indent, to),
            },
        }
    }
}

fn spaces(count: usize, to: &mut String) {
    to.extend(std::iter::repeat_n(' ', count));
}

/// A value on one line: whatever is no collection, and collections that fit.
fn on_one_line(value: &Value, room: usize) -> Option<String> {
    let mut line = String::new();
    inline(value, &mut line);
    let is_collection = match value {
        Value::Object(entries) => !entries.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    (!is_collection || line.chars().count() <= room).then_some(line)
}

fn inline(value: &Value, to: &mut String) {
    match value {
        Value::Object(entries) => {
            to.push('{');
            for (at, (key, value)) in entries.iter().enumerate() {
                if at > 0 {
                    to.push_str(", ");
                }
                to.push_str(&text(key));
                to.push_str(": ");
                inline(value, to);
            }
            to.push('}');
        }
        Value::Array(items) => {
            to.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    to.push_str(", ");
                }
                inline(item, to);
            }
            to.push(']');
        }
        Value::String(value) => to.push_str(&text(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => to.push_str(&value.to_string()),
    }
}

/// A text, in quotes where it needs them anywhere.
fn text(text: &str) -> Cow<'_, str> {
    if is_plain(text) { Cow::Borrowed(text) } else { Cow::Owned(quoted(text)) }
}

/// Whether every reader takes it for the text it is, in a line and in a flow collection.
fn is_plain(text: &str) -> bool {
    /// What some version of YAML takes for something else.
    const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    if Uuid::try_parse(text).is_ok_and(|id| id.hyphenated().to_string() == text) {
        return true;
    }
    let allowed = |c: char| c.is_alphanumeric() || " ._/@+-()&'".contains(c);
    let body = text.strip_prefix("https://").unwrap_or(text);
    // What begins like a number is none with a word behind it.
    let begins = |first: char| first.is_alphabetic() || (first.is_ascii_digit() && has_word(text));
    text.chars().next().is_some_and(begins)
        && !text.ends_with(' ')
        && body.chars().all(allowed)
        && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

fn has_word(text: &str) -> bool {
    text.split(' ').skip(1).any(|word| word.starts_with(char::is_alphabetic))
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            // What cannot be seen is written out, and what some readers take for a line's end.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{a0}') => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
