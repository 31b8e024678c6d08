//! Values of the model as the documents that would be read as them.
//!
//! The way back: what is read from what is written here equals what it was written from. What a
//! reader takes for granted is left out. The order of keys is `format`'s: what is emitted is laid
//! out by it once more.

mod kinds;
mod lay;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use super::format::format_yaml;
use super::order::CanonicalOrder;
use crate::model::metadata::{Metadata, OnRemoval};
use crate::model::name::Kind;

pub use kinds::{account, customer, delegated_access, partnership, role, user};

/// A document, with remarks above it.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// A line each.
    pub remarks: Vec<String>,
    pub kind: Kind,
    pub metadata: Value,
    pub spec: Value,
}

impl Document {
    pub fn new(kind: Kind, metadata: &Metadata, spec: Value) -> Self {
        Self { remarks: Vec::new(), kind, metadata: written_metadata(metadata), spec }
    }

    /// One that has a name and nothing else about it.
    pub fn named(kind: Kind, name: &str, spec: Value) -> Self {
        Self { remarks: Vec::new(), kind, metadata: json!({"name": name}), spec }
    }

    #[must_use]
    pub fn remark(mut self, remark: impl Into<String>) -> Self {
        self.remarks.push(remark.into());
        self
    }
}

/// Documents as the text of a file, laid out as `fmt` does.
pub fn file(documents: &[Document]) -> String {
    let mut text = String::new();
    for (at, document) in documents.iter().enumerate() {
        if at > 0 {
            text.push_str("---\n");
        }
        for remark in &document.remarks {
            text.push_str("# ");
            text.push_str(&one_line(remark));
            text.push('\n');
        }
        text.push_str("apiVersion: partnerctl/v1\nkind: ");
        text.push_str(document.kind.word());
        text.push('\n');
        lay::entry("metadata", &document.metadata, 0, &mut text);
        lay::entry("spec", &document.spec, 0, &mut text);
    }
    format_yaml(&text, &CanonicalOrder::default()).text
}

/// A remark must not end early: what would follow is read as YAML.
pub(crate) fn one_line(text: &str) -> String {
    let acts = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
            || crate::model::text::is_bidirectional_control(c)
    };
    text.chars().map(|c| if acts(c) { '\u{fffd}' } else { c }).collect()
}

/// What a document says about itself.
pub fn written_metadata(metadata: &Metadata) -> Value {
    let Metadata { name, labels, annotations, formerly, protect, ignore, expires, on_removal } =
        metadata;
    let mut written = Written::default();
    written.text("name", Some(name.as_str()));
    let labels = labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    written.texts("labels", labels);
    let annotations = annotations.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    written.texts("annotations", annotations);
    written.list("formerly", formerly.iter().map(|name| name.as_str().into()));
    if *protect {
        written.put("protect", true);
    }
    written.list("ignore", ignore.iter().map(|path| path.as_str().into()));
    written.text("expires", expires.map(|day| day.to_string()).as_deref());
    written.text("onRemoval", on_removal.map(OnRemoval::word));
    written.into()
}

/// A mapping in the making: what is absent is not in it.
#[derive(Default)]
struct Written(Map<String, Value>);

impl Written {
    fn put(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(key.to_owned(), value.into());
    }

    fn text(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }

    /// A list; nothing for an empty one.
    fn list(&mut self, key: &str, items: impl Iterator<Item = Value>) {
        let items: Vec<Value> = items.collect();
        if !items.is_empty() {
            self.put(key, items);
        }
    }

    fn texts<'a>(&mut self, key: &str, entries: impl Iterator<Item = (&'a str, &'a str)>) {
        let entries: Map<String, Value> =
            entries.map(|(key, value)| (key.to_owned(), value.into())).collect();
        self.some(key, Value::Object(entries));
    }

    /// A mapping that holds something.
    fn some(&mut self, key: &str, value: Value) {
        if value.as_object().is_some_and(|entries| !entries.is_empty()) {
            self.put(key, value);
        }
    }
}

impl From<Written> for Value {
    fn from(written: Written) -> Self {
        Self::Object(written.0)
    }
}
