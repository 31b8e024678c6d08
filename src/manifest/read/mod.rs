//! Nodes to values: typed reading that reports every error and goes on.
//!
//! A [`Shaped`] type reads itself from a node, and says the same in JSON Schema. Nothing here
//! decides what is right for the domain: that is `check/`.

pub(crate) mod collections;
pub(crate) mod fields;
pub(crate) mod scalars;

use schemars::{Schema, SchemaGenerator};

use super::code::Code;
use super::draft::{Draft, Where};
use super::source::{SourceId, Span};
use super::suggest::quoted;
use super::text::arena::{Node, View};
pub(crate) use fields::{Described, Field, Keeper, Need, shape};

/// A value that manifests can hold.
pub(crate) trait Shaped: Sized {
    /// Reads it, or reports why not and returns nothing.
    fn read(at: At<'_>, reader: &mut Reader<'_>) -> Option<Self>;

    /// What an editor should accept.
    fn schema(generator: &mut SchemaGenerator) -> Schema;

    /// What the reference says of it.
    fn described() -> Described;
}

/// The schema of something large that stands in many places: written once, and referred to.
pub(crate) fn shared<T>(
    generator: &mut SchemaGenerator,
    make: fn(&mut SchemaGenerator) -> Schema,
) -> Schema {
    let path = std::any::type_name::<T>();
    let name = path.rsplit("::").next().unwrap_or(path);
    if generator.settings().inline_subschemas {
        return make(generator);
    }
    if !generator.definitions().contains_key(name) {
        let schema = make(generator);
        generator.definitions_mut().insert(name.to_owned(), schema.into());
    }
    schemars::json_schema!({ "$ref": format!("#/$defs/{name}") })
}

/// A place for a value: what the document says, and what Defaults say where it does not.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    /// The key that holds the value, if a key does.
    pub key: Option<Span>,
    pub own: Option<Node<'a>>,
    /// The nearer first: a table's defaults, then those of the kind.
    pub fallbacks: Fallbacks<'a>,
}

pub(crate) type Fallbacks<'a> = [Option<Node<'a>>; 2];

impl<'a> At<'a> {
    pub(crate) const ABSENT: Self = Self { key: None, own: None, fallbacks: [None; 2] };

    pub(crate) const fn own(node: Node<'a>) -> Self {
        Self { key: None, own: Some(node), fallbacks: [None; 2] }
    }

    pub(crate) fn is_absent(self) -> bool {
        self.node().is_none()
    }

    /// What counts: the document wins over its Defaults.
    pub(crate) fn node(self) -> Option<Node<'a>> {
        let [near, far] = self.fallbacks;
        self.own.or(near).or(far)
    }

    /// Where to report that something is missing in this mapping: the key that should hold it, or
    /// the first key of what stands there.
    pub(crate) fn holder(self) -> Span {
        if let Some(key) = self.key {
            return key;
        }
        match self.own.map(|node| (node, node.view())) {
            Some((_, View::Mapping(mut entries))) if !entries.is_empty() => {
                entries.next().map_or(Span::default(), |(key, _)| key.span())
            }
            Some((node, _)) => node.span(),
            None => Span::default(),
        }
    }
}

/// What a [`Shaped`] value reports to.
pub(crate) struct Reader<'r> {
    pub drafts: &'r mut Vec<Draft>,
    source: SourceId,
    /// Where the document's chunk begins in its text.
    base: u32,
    /// Nothing need be there: the values of Defaults.
    partial: bool,
    /// A key without a value says that there is nothing, whatever Defaults say: cells of tables.
    pub null_is_nothing: bool,
    /// Whether a value may hold a character that turns the direction: the text of its chunk tells.
    pub may_turn: bool,
    /// The key being read, for messages.
    pub field: &'static str,
}

impl<'r> Reader<'r> {
    pub(crate) fn new(drafts: &'r mut Vec<Draft>, source: SourceId, base: u32) -> Self {
        Self {
            drafts,
            source,
            base,
            partial: false,
            null_is_nothing: false,
            may_turn: true,
            field: "",
        }
    }

    /// Reads as Defaults are read: whatever is absent may be absent.
    pub(crate) fn partially<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.partial, true);
        let value = read(self);
        self.partial = before;
        value
    }

    pub(crate) fn is_partial(&self) -> bool {
        self.partial
    }

    pub(crate) fn place(&self, span: Span) -> Where {
        Where::Bytes { source: self.source, span: span.shifted(self.base) }
    }

    pub(crate) fn report(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let draft = Draft::new(code, self.place(span), message).maybe_help(help);
        self.drafts.push(draft);
    }

    /// Reports a key that its mapping has already.
    pub(crate) fn twice(&mut self, key: Node<'_>) {
        let message = format!("the key {} stands here twice", quoted(key.text()));
        self.report(Code::P0105, key.span(), message, Some("keep one of the two".to_owned()));
    }

    /// Reads a value. What is wrong with what only Defaults say was reported there, once; what they
    /// leave out is missing here, where nobody adds it.
    pub(crate) fn value<T: Shaped>(&mut self, at: At<'_>, holder: Span) -> Option<T> {
        let mark = self.drafts.len();
        let value = T::read(at, self);
        if at.own.is_none() && self.drafts.len() > mark {
            let incomplete: Vec<Draft> = self
                .drafts
                .drain(mark..)
                .filter(|draft| matches!(draft.code, Code::P0102 | Code::P1001))
                .collect();
            let at = self.place(holder);
            self.drafts
                .extend(incomplete.into_iter().map(|draft| Draft { at: at.clone(), ..draft }));
        }
        value
    }
}
