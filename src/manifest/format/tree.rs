//! A document as a tree that remembers where everything stood.
//!
//! Reads events; it does not resolve types, merge keys or aliases. It refuses tags and anything
//! nested deeper than manifests may be, so that whoever walks the tree may recurse.

use super::Obstacle;
use granit_parser::{Event, Parser, ScalarStyle, StructureStyle};
use std::borrow::Cow;
use std::ops::Range;

/// How deep collections may nest, as in manifests.
const DEPTH_MAX: usize = 128;

/// What one document holds. Ranges are bytes of its text.
#[derive(Debug, Clone)]
pub(super) struct Tree<'a> {
    pub(super) root: Option<Node<'a>>,
    /// The comments from `#` to the end of their lines, in order.
    pub(super) comments: Vec<Range<usize>>,
}

#[derive(Debug, Clone)]
pub(super) struct Node<'a> {
    pub(super) anchor: Option<Anchor<'a>>,
    /// The bytes of a scalar, an alias or a flow collection; meaningless for blocks.
    pub(super) span: Range<usize>,
    pub(super) content: Content<'a>,
}

#[derive(Debug, Clone)]
pub(super) struct Anchor<'a> {
    pub(super) id: usize,
    /// With the `&`.
    pub(super) name: &'a str,
    pub(super) span: Range<usize>,
}

#[derive(Debug, Clone)]
pub(super) enum Content<'a> {
    /// Nothing is written.
    Null,
    Alias {
        id: usize,
    },
    /// Plain or quoted, on one line or several.
    Scalar {
        style: ScalarStyle,
        text: Cow<'a, str>,
    },
    /// A `|` or `>` with the lines under it.
    Block {
        style: ScalarStyle,
        text: Cow<'a, str>,
        body: Body<'a>,
    },
    Collection(Collection<'a>),
}

/// The source of a block scalar.
#[derive(Debug, Clone, Default)]
pub(super) struct Body<'a> {
    /// The indicators: `|-`.
    pub(super) header: &'a str,
    /// The indentation that the indicators ask for, if they do.
    pub(super) explicit: Option<usize>,
    /// The lines without their indentation; those that must be kept at the end are empty.
    pub(super) lines: Vec<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Mapping,
    Sequence,
}

#[derive(Debug, Clone)]
pub(super) struct Collection<'a> {
    pub(super) shape: Shape,
    /// Written between brackets.
    pub(super) flow: bool,
    pub(super) entries: Vec<Entry<'a>>,
    /// Comments at the end, as deep as the entries.
    pub(super) trail: Vec<Note<'a>>,
}

/// An item, or a key and its value.
#[derive(Debug, Clone)]
pub(super) struct Entry<'a> {
    /// The comments above it.
    pub(super) lead: Vec<Note<'a>>,
    /// A blank line stands above it, below its comments.
    pub(super) blank: bool,
    pub(super) key: Option<Node<'a>>,
    /// In flow mappings, a key may do without.
    pub(super) colon: bool,
    pub(super) value: Node<'a>,
    pub(super) tail: Tail<'a>,
}

/// A comment on a line of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Note<'a> {
    pub(super) text: &'a str,
    /// A blank line stands above it.
    pub(super) blank: bool,
}

/// The comment at the end of an entry's line, and the lines that continue it right below.
#[derive(Debug, Clone, Default)]
pub(super) struct Tail<'a> {
    pub(super) lines: Vec<&'a str>,
    pub(super) column: usize,
}

/// Reads the one document of a text.
pub(super) fn read(text: &str) -> Result<Tree<'_>, Obstacle> {
    let options = granit_parser::options! {
        emit_anchor_events: true,
        // Bounded by the text itself; nothing here is kept twice.
        max_buffered_comment_events: usize::MAX,
        flow_nesting_limit: DEPTH_MAX + 1,
        block_nesting_limit: DEPTH_MAX + 1,
    };
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut tree = Tree { root: None, comments: Vec::new() };
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut documents = 0;
    while let Some(next) = parser.next_event() {
        let (event, span) = next.map_err(|_| Obstacle::Syntax)?;
        let span = span.byte_range().ok_or(Obstacle::Syntax)?;
        if event.tag().is_some() {
            return Err(Obstacle::Unhandled("tags have no place in manifests"));
        }
        let anchored = event.anchor_id().is_some() && !matches!(event, Event::Anchor(..));
        let mut done = None;
        match event {
            Event::DocumentStart(..) => {
                documents += 1;
                if documents > 1 {
                    return Err(Obstacle::Unhandled("it is more than one document"));
                }
            }
            Event::Comment(..) => tree.comments.push(span),
            Event::Alias(id) => {
                check_name(text, &span)?;
                done = Some(Node::new(span, Content::Alias { id }));
            }
            Event::Scalar(text, style, ..) => {
                let content = match style {
                    ScalarStyle::Plain if span.is_empty() => Content::Null,
                    ScalarStyle::Literal | ScalarStyle::Folded => {
                        Content::Block { style, text, body: Body::default() }
                    }
                    _ => Content::Scalar { style, text },
                };
                done = Some(Node::new(span, content));
            }
            Event::SequenceStart(style, ..) => {
                open.push(Open::new(Shape::Sequence, style, span));
            }
            Event::MappingStart(style, ..) => open.push(Open::new(Shape::Mapping, style, span)),
            Event::SequenceEnd | Event::MappingEnd => {
                let closed = open.pop().ok_or(Obstacle::Syntax)?;
                let span = closed.start..span.end;
                done = Some(Node {
                    anchor: closed.anchor,
                    span,
                    content: Content::Collection(closed.collection),
                });
            }
            _ => {}
        }
        if open.len() > DEPTH_MAX {
            return Err(Obstacle::Unhandled("it is nested deeper than 128"));
        }
        if anchored {
            let anchor = read_anchor(&mut parser, text)?;
            match (&mut done, open.last_mut()) {
                (Some(node), _) => node.anchor = Some(anchor),
                (None, Some(open)) => open.anchor = Some(anchor),
                (None, None) => return Err(Obstacle::Syntax),
            }
        }
        if let Some(node) = done {
            match open.last_mut() {
                Some(open) => open.add(node),
                None => tree.root = Some(node),
            }
        }
    }
    // The parser may look past a comment before it can say what it has read.
    tree.comments.sort_unstable_by_key(|comment| comment.start);
    Ok(tree)
}

/// Reads the event that names the anchor of the node just begun.
fn read_anchor<'a>(
    parser: &mut Parser<'a, granit_parser::StrInput<'a>>,
    text: &'a str,
) -> Result<Anchor<'a>, Obstacle> {
    match parser.next_event() {
        Some(Ok((Event::Anchor(id, _), span))) => {
            let span = span.byte_range().ok_or(Obstacle::Syntax)?;
            let name = check_name(text, &span)?;
            Ok(Anchor { id, name, span })
        }
        _ => Err(Obstacle::Syntax),
    }
}

/// The name of an anchor or alias with its sign, if all readers end it at the same byte.
fn check_name<'a>(text: &'a str, span: &Range<usize>) -> Result<&'a str, Obstacle> {
    let name = text.get(span.clone()).unwrap_or_default();
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if name.bytes().skip(1).all(known) {
        Ok(name)
    } else {
        Err(Obstacle::Unhandled("an anchor's name holds more than letters, digits, `-` and `_`"))
    }
}

/// A collection that is still being read.
struct Open<'a> {
    anchor: Option<Anchor<'a>>,
    start: usize,
    collection: Collection<'a>,
    key: Option<Node<'a>>,
}

impl<'a> Open<'a> {
    fn new(shape: Shape, style: StructureStyle, span: Range<usize>) -> Self {
        let flow = style == StructureStyle::Flow;
        let collection = Collection { shape, flow, entries: Vec::new(), trail: Vec::new() };
        Self { anchor: None, start: span.start, collection, key: None }
    }

    fn add(&mut self, node: Node<'a>) {
        let key = match (self.collection.shape, self.key.take()) {
            (Shape::Sequence, _) => None,
            (Shape::Mapping, Some(key)) => Some(key),
            (Shape::Mapping, None) => {
                self.key = Some(node);
                return;
            }
        };
        self.collection.entries.push(Entry {
            lead: Vec::new(),
            blank: false,
            key,
            colon: true,
            value: node,
            tail: Tail::default(),
        });
    }
}

impl<'a> Node<'a> {
    fn new(span: Range<usize>, content: Content<'a>) -> Self {
        Self { anchor: None, span, content }
    }

    /// Where it begins, its anchor included.
    pub(super) fn start(&self) -> usize {
        self.anchor.as_ref().map_or(self.span.start, |anchor| anchor.span.start)
    }

    /// The characters of a plain or quoted scalar.
    pub(super) fn text(&self) -> &str {
        match &self.content {
            Content::Scalar { text, .. } => text,
            _ => "",
        }
    }
}

impl Entry<'_> {
    /// Whether a blank line stands above it and its comments.
    pub(super) fn blank_above(&mut self) -> &mut bool {
        self.lead.first_mut().map_or(&mut self.blank, |note| &mut note.blank)
    }

    pub(super) fn key_text(&self) -> &str {
        self.key.as_ref().map_or("", Node::text)
    }
}
