//! A document as a flat list of nodes with byte spans.
//!
//! Nodes stand in document order, a container before what it holds; a mapping holds key, value,
//! key, value. Every key and every value keeps its own span. Texts are slices of the document
//! wherever the scalar stands there verbatim, and are cooked into one side buffer otherwise.
//! Spans and text ranges count from the start of the document's chunk, not of the file.

use crate::manifest::source::{Span, to_u32};

/// Storage for the nodes of the documents of one chunk; reused from chunk to chunk.
#[derive(Debug, Default)]
pub struct Arena<'t> {
    /// What the nodes were parsed from.
    chunk: &'t str,
    nodes: Vec<Raw>,
    cooked: String,
}

#[derive(Debug, Clone, Copy)]
struct Raw {
    span: Span,
    /// Scalars: where the text starts. Containers: how many nodes they hold directly.
    a: u32,
    /// Scalars: where the text ends. Containers: the index just behind their last node.
    b: u32,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Quoted,
    CookedPlain,
    CookedQuoted,
    Sequence,
    Mapping,
}

/// How a scalar was written, as far as that changes what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Unquoted: may be a number, a boolean or nothing.
    Plain,
    /// Quoted or a block scalar: always a string.
    Quoted,
}

/// Which container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Sequence,
    Mapping,
}

/// The index of a node in its arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NodeId(u32);

impl<'t> Arena<'t> {
    /// Forgets all nodes, keeps the memory.
    pub fn clear(&mut self) {
        self.nodes.clear();
        self.cooked.clear();
    }

    /// Says which text the nodes to come are of.
    pub fn reads(&mut self, chunk: &'t str) {
        self.chunk = chunk;
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Cuts back to an earlier length: what a parser added before it gave up.
    pub fn truncate(&mut self, mark: Mark) {
        self.nodes.truncate(mark.nodes);
        self.cooked.truncate(mark.cooked);
    }

    pub fn mark(&self) -> Mark {
        Mark { nodes: self.nodes.len(), cooked: self.cooked.len() }
    }

    /// Adds a scalar whose text stands verbatim at `text` in the chunk.
    pub fn scalar(&mut self, span: Span, style: Style, text: Span) -> NodeId {
        let kind = match style {
            Style::Plain => Kind::Plain,
            Style::Quoted => Kind::Quoted,
        };
        self.push(Raw { span, a: text.start, b: text.end, kind })
    }

    /// Adds a scalar whose text had to be put together.
    pub fn cooked_scalar(&mut self, span: Span, style: Style, text: &str) -> NodeId {
        let a = to_u32(self.cooked.len());
        self.cooked.push_str(text);
        let kind = match style {
            Style::Plain => Kind::CookedPlain,
            Style::Quoted => Kind::CookedQuoted,
        };
        self.push(Raw { span, a, b: to_u32(self.cooked.len()), kind })
    }

    /// Begins a container; its nodes follow until [`close`](Self::close).
    pub fn open(&mut self, shape: Shape, start: u32) -> NodeId {
        let kind = match shape {
            Shape::Sequence => Kind::Sequence,
            Shape::Mapping => Kind::Mapping,
        };
        self.push(Raw { span: Span::new(start, start), a: 0, b: 0, kind })
    }

    /// Ends a container that directly holds `count` nodes (a mapping: two for each entry).
    pub fn close(&mut self, id: NodeId, count: u32, end: u32) {
        let next = to_u32(self.nodes.len());
        if let Some(raw) = self.nodes.get_mut(id.0 as usize) {
            raw.a = count;
            raw.b = next;
            raw.span.end = end;
        }
    }

    /// The node that will be added next.
    pub fn next_id(&self) -> NodeId {
        NodeId(to_u32(self.nodes.len()))
    }

    /// Says where a container begins, when that was not known at [`open`](Self::open).
    pub fn begin_at(&mut self, id: NodeId, start: u32) {
        if let Some(raw) = self.nodes.get_mut(id.0 as usize) {
            raw.span.start = start;
        }
    }

    /// Copies a finished node and all it holds to the end: what an alias stands for.
    pub fn copy(&mut self, id: NodeId) -> NodeId {
        let from = id.0 as usize;
        let to = self.nodes.len();
        let shift = to_u32(to - from);
        for at in from..self.end_of(id) as usize {
            let Some(mut raw) = self.nodes.get(at).copied() else { break };
            if matches!(raw.kind, Kind::Sequence | Kind::Mapping) {
                raw.b += shift;
            }
            self.nodes.push(raw);
        }
        NodeId(to_u32(to))
    }

    /// How many nodes a finished node is, itself included.
    pub fn size(&self, id: NodeId) -> u32 {
        self.end_of(id) - id.0
    }

    fn end_of(&self, id: NodeId) -> u32 {
        match self.nodes.get(id.0 as usize) {
            Some(raw) if matches!(raw.kind, Kind::Sequence | Kind::Mapping) => raw.b,
            _ => id.0 + 1,
        }
    }

    fn push(&mut self, raw: Raw) -> NodeId {
        let id = NodeId(to_u32(self.nodes.len()));
        self.nodes.push(raw);
        id
    }

    /// Where the scalars stand, keys included.
    pub fn scalar_spans(&self) -> impl Iterator<Item = Span> {
        self.nodes
            .iter()
            .filter(|raw| !matches!(raw.kind, Kind::Sequence | Kind::Mapping))
            .map(|raw| raw.span)
    }

    /// The texts of all scalars that do not stand in the text as they are, one behind the other.
    pub(in crate::manifest) fn cooked(&self) -> &str {
        &self.cooked
    }

    /// Where each scalar stands whose text was cooked, and where that text is in [`Self::cooked`].
    pub(in crate::manifest) fn cooked_scalars(&self) -> impl Iterator<Item = (Span, Span)> {
        self.nodes
            .iter()
            .filter(|raw| matches!(raw.kind, Kind::CookedPlain | Kind::CookedQuoted))
            .map(|raw| (raw.span, Span::new(raw.a, raw.b)))
    }

    /// Looks at a node.
    pub fn node(&self, id: NodeId) -> Node<'_> {
        Node { arena: self, id }
    }
}

/// A length of an [`Arena`] to come back to.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    nodes: usize,
    cooked: usize,
}

/// A node with its text at hand. Small: it is handed around for every value.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    arena: &'a Arena<'a>,
    id: NodeId,
}

/// What a node is under the YAML 1.2 core schema.
#[derive(Clone, Debug)]
pub enum View<'a> {
    /// Nothing: empty, `~` or `null`.
    Null,
    Bool(bool),
    /// An integer or a float, as written.
    Number(&'a str),
    String(&'a str),
    Sequence(Items<'a>),
    Mapping(Entries<'a>),
}

impl<'a> Node<'a> {
    pub fn id(self) -> NodeId {
        self.id
    }

    pub fn span(self) -> Span {
        self.raw().span
    }

    pub fn view(self) -> View<'a> {
        let raw = self.raw();
        match raw.kind {
            Kind::Quoted | Kind::CookedQuoted => View::String(self.text()),
            Kind::Plain | Kind::CookedPlain => resolve_plain(self.text()),
            Kind::Sequence => View::Sequence(Items(self.children())),
            Kind::Mapping => View::Mapping(Entries(self.children())),
        }
    }

    /// Where to underline it: all of a scalar, the first key or item of anything larger.
    pub fn head(self) -> Span {
        let first = match self.view() {
            View::Sequence(mut items) => items.next(),
            View::Mapping(mut entries) => entries.next().map(|(key, _)| key),
            _ => None,
        };
        match first {
            // A flow collection on one line is shown as a whole; a block by its beginning.
            Some(first) if first.span().start == self.span().start => first.span(),
            _ => self.span(),
        }
    }

    /// Whether nothing stands here.
    pub fn is_null(self) -> bool {
        let raw = self.raw();
        matches!(raw.kind, Kind::Plain | Kind::CookedPlain)
            && raw.b - raw.a <= 4
            && matches!(self.text(), "" | "~" | "null" | "Null" | "NULL")
    }

    /// The text of a node that is text: what nearly every value is, told without further looks.
    pub fn as_str(self) -> Option<&'a str> {
        match self.raw().kind {
            Kind::Quoted | Kind::CookedQuoted => Some(self.text()),
            Kind::Plain | Kind::CookedPlain => {
                let text = self.text();
                match resolve_plain(text) {
                    View::String(text) => Some(text),
                    _ => None,
                }
            }
            Kind::Sequence | Kind::Mapping => None,
        }
    }

    /// The characters of a scalar, whatever its type; empty for a container.
    pub fn text(self) -> &'a str {
        let raw = self.raw();
        let range = raw.a as usize..raw.b as usize;
        match raw.kind {
            Kind::Plain | Kind::Quoted => self.arena.chunk.get(range).unwrap_or_default(),
            Kind::CookedPlain | Kind::CookedQuoted => {
                self.arena.cooked.get(range).unwrap_or_default()
            }
            Kind::Sequence | Kind::Mapping => "",
        }
    }

    pub fn is_plain(self) -> bool {
        matches!(self.raw().kind, Kind::Plain | Kind::CookedPlain)
    }

    pub fn is_scalar(self) -> bool {
        !matches!(self.raw().kind, Kind::Sequence | Kind::Mapping)
    }

    /// The value of a mapping's key, the first one if it stands there twice.
    pub fn get(self, key: &str) -> Option<Node<'a>> {
        self.entry(key).map(|(_, value)| value)
    }

    /// A mapping's key and its value.
    pub fn entry(self, key: &str) -> Option<(Node<'a>, Node<'a>)> {
        match self.view() {
            View::Mapping(mut entries) => entries.find(|(k, _)| k.text() == key),
            _ => None,
        }
    }

    pub fn item(self, index: usize) -> Option<Node<'a>> {
        match self.view() {
            View::Sequence(mut items) => items.nth(index),
            _ => None,
        }
    }

    fn raw(self) -> Raw {
        const NOTHING: Raw = Raw { span: Span::new(0, 0), a: 0, b: 0, kind: Kind::Plain };
        self.arena.nodes.get(self.id.0 as usize).copied().unwrap_or(NOTHING)
    }

    fn children(self) -> Children<'a> {
        let raw = self.raw();
        Children { arena: self.arena, at: self.id.0 + 1, left: raw.a }
    }
}

impl std::fmt::Debug for Node<'_> {
    /// The tree with spans, one node a line: what tests compare.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        fn line(node: Node<'_>, depth: usize, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            let span = node.span();
            write!(f, "{:depth$}{}..{} ", "", span.start, span.end, depth = depth * 2)?;
            match node.view() {
                View::Sequence(items) => {
                    writeln!(f, "sequence")?;
                    items.into_iter().try_for_each(|item| line(item, depth + 1, f))
                }
                View::Mapping(entries) => {
                    writeln!(f, "mapping")?;
                    entries.into_iter().try_for_each(|(key, value)| {
                        line(key, depth + 1, f)?;
                        line(value, depth + 1, f)
                    })
                }
                _ => writeln!(
                    f,
                    "{} {:?}",
                    if node.is_plain() { "plain" } else { "quoted" },
                    node.text()
                ),
            }
        }
        line(*self, 0, f)
    }
}

#[derive(Clone, Copy, Debug)]
struct Children<'a> {
    arena: &'a Arena<'a>,
    at: u32,
    left: u32,
}

impl<'a> Children<'a> {
    fn next(&mut self) -> Option<Node<'a>> {
        self.left = self.left.checked_sub(1)?;
        let id = NodeId(self.at);
        self.at = self.arena.end_of(id);
        Some(Node { arena: self.arena, id })
    }
}

/// The nodes of a sequence.
#[derive(Clone, Debug)]
pub struct Items<'a>(Children<'a>);

impl Items<'_> {
    pub fn len(&self) -> usize {
        self.0.left as usize
    }

    pub fn is_empty(&self) -> bool {
        self.0.left == 0
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Node<'a>> {
        self.0.next()
    }
}

/// The keys and values of a mapping.
#[derive(Clone, Debug)]
pub struct Entries<'a>(Children<'a>);

impl Entries<'_> {
    pub fn len(&self) -> usize {
        self.0.left as usize / 2
    }

    pub fn is_empty(&self) -> bool {
        self.0.left == 0
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = (Node<'a>, Node<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.0.next()?, self.0.next()?))
    }
}

/// What an unquoted scalar means under the core schema.
fn resolve_plain(text: &str) -> View<'_> {
    // Most texts begin with a letter that nothing else does.
    let telling = |b: &u8| {
        matches!(
            b,
            b'0'..=b'9' | b'+' | b'-' | b'.' | b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F'
        )
    };
    if text.as_bytes().first().is_some_and(|b| !telling(b)) {
        return View::String(text);
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => View::Null,
        "true" | "True" | "TRUE" => View::Bool(true),
        "false" | "False" | "FALSE" => View::Bool(false),
        _ if is_number(text) => View::Number(text),
        _ => View::String(text),
    }
}

/// Whether the core schema reads this as an integer or a float.
fn is_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => {}
        _ => return false,
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return !octal.is_empty() && octal.bytes().all(|b| matches!(b, b'0'..=b'7'));
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit());
    }
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return true;
    }
    // [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (unsigned.get(..at).unwrap_or_default(), unsigned.get(at + 1..)),
        None => (unsigned, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let mantissa_ok = match mantissa.split_once('.') {
        None => digits(mantissa),
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
    };
    let exponent_ok = exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)));
    mantissa_ok && exponent_ok
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        for text in [
            "0", "-1", "+12", "1.", "1.5", ".5", "-.5e3", "1e3", "0o17", "0xFf", ".inf", "-.INF",
            ".nan", "017",
        ] {
            assert!(matches!(resolve_plain(text), View::Number(_)), "{text}");
        }
        for text in [
            "no",
            "yes",
            "off",
            "1_000",
            "2027-03-31",
            "1.2.3",
            "-",
            ".",
            "+",
            "0o8",
            "0x",
            "e5",
            "1e",
            "12:30",
            "+-1",
            "--1",
        ] {
            assert!(matches!(resolve_plain(text), View::String(_)), "{text}");
        }
        assert!(matches!(resolve_plain("~"), View::Null));
        assert!(matches!(resolve_plain("True"), View::Bool(true)));
    }

    #[test]
    fn a_copied_subtree_keeps_its_spans_and_stands_on_its_own() {
        let chunk = "[[a, b], c]";
        let mut arena = Arena::default();
        arena.reads(chunk);
        let outer = arena.open(Shape::Sequence, 0);
        let inner = arena.open(Shape::Sequence, 1);
        arena.scalar(Span::new(2, 3), Style::Plain, Span::new(2, 3));
        arena.scalar(Span::new(5, 6), Style::Plain, Span::new(5, 6));
        arena.close(inner, 2, 7);
        arena.copy(inner);
        arena.close(outer, 2, 11);
        let shown = format!("{:?}", arena.node(outer));
        assert_eq!(shown.matches("plain \"a\"").count(), 2);
        assert_eq!(shown.matches("plain \"b\"").count(), 2);
        assert_eq!(arena.size(outer), 7);
    }
}
