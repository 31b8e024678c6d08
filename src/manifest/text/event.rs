//! The full YAML parser: the events of `granit-parser` made into nodes.
//!
//! It reads everything that YAML 1.2 has and refuses what a manifest may not use: tags, merge
//! keys, directives, keys that are not text, deep nesting, aliases that grow. It expands aliases,
//! compares no keys and resolves no types. It stops at the first syntax error of its chunk:
//! what stands behind one is guesswork.
//!
//! Spans are the same as those of the fast path, and a fuzzer holds the two together:
//! a scalar's span is its token, quotes included; a block scalar reaches from its `|` or `>` to
//! its last visible character, or to the end of the indicator when it has none; a container
//! reaches from bracket to bracket, or from its first child to its last; what is absent has a
//! span without length behind the colon or dash that promises it.

use std::collections::HashMap;
use std::ops::ControlFlow;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, StructureStyle};

use super::arena::{Arena, Mark, NodeId, Shape, Style};
use super::{DEPTH_MAX, Fault, Parsed, syntax};
use crate::manifest::code::Code;
use crate::manifest::source::{Span, to_u32};

/// How many nodes the aliases of one document may stand for altogether.
pub const EXPANSION_MAX: u32 = 100_000;

/// Faults kept for one chunk: a text of nothing but tags would otherwise cost fifty times itself.
const FAULTS_MAX: usize = 100;

/// Reads the documents of a chunk, whatever they are made of.
pub fn parse_events(chunk: &str, arena: &mut Arena) -> Parsed {
    let options = granit_parser::options! {
        emit_comments: false,
        // One limit for brackets and one for blocks; the sum of both is ours to count.
        flow_nesting_limit: DEPTH_MAX,
        block_nesting_limit: DEPTH_MAX,
    };
    let mut builder = Builder::new(chunk, arena);
    for event in Parser::new_from_str_with_options(chunk, options) {
        let step = match event {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => builder.fail(&error),
        };
        if step.is_break() {
            break;
        }
    }
    builder.parsed
}

struct Builder<'a> {
    chunk: &'a str,
    arena: &'a mut Arena,
    parsed: Parsed,
    /// Everything before this byte is accounted for; what the events leave out (dashes, colons,
    /// the indicators of block scalars) is looked for behind it.
    cursor: usize,
    mark: Mark,
    frames: Vec<Frame>,
    anchors: HashMap<usize, Anchor>,
    root: Option<NodeId>,
    /// Nodes that aliases of this document have stood for.
    expanded: u32,
    /// The document will not come to anything; its events are only counted off.
    given_up: bool,
}

/// An open container.
struct Frame {
    id: NodeId,
    shape: Shape,
    /// Written with brackets of its own; they are its span.
    bracketed: bool,
    block: bool,
    anchor: usize,
    start: Option<u32>,
    end: u32,
    count: u32,
    /// The depth of what it holds.
    height: usize,
}

/// What an anchor names; nothing while its node is open.
type Anchor = Option<Anchored>;

#[derive(Clone, Copy)]
struct Anchored {
    id: NodeId,
    height: usize,
    scalar: bool,
}

impl<'a> Builder<'a> {
    fn new(chunk: &'a str, arena: &'a mut Arena) -> Self {
        Self {
            chunk,
            mark: arena.mark(),
            arena,
            parsed: Parsed::default(),
            cursor: 0,
            frames: Vec::new(),
            anchors: HashMap::new(),
            root: None,
            expanded: 0,
            given_up: false,
        }
    }

    fn take(&mut self, event: Event<'_>, span: granit_parser::Span) -> ControlFlow<()> {
        let at = span.byte_range().unwrap_or(self.cursor..self.cursor);
        let at = Span::new(to_u32(at.start), to_u32(at.end));
        if let (Some(_), false) = (event.tag(), self.given_up) {
            let tag = span.tag_span().and_then(|tag| tag.byte_range());
            let tag = tag.map_or(at, |tag| Span::new(to_u32(tag.start), to_u32(tag.end)));
            self.tag(tag);
        }
        match event {
            Event::DocumentStart(explicit, _) => {
                if explicit {
                    self.directives(at.start as usize);
                    self.advance(at.end);
                }
                self.mark = self.arena.mark();
                self.frames.clear();
                self.anchors.clear();
                self.root = None;
                self.expanded = 0;
                self.given_up = false;
            }
            Event::DocumentEnd => {
                self.advance(at.end);
                match self.root.take() {
                    Some(root) if !self.given_up => self.parsed.roots.push(root),
                    _ => self.arena.truncate(self.mark),
                }
            }
            _ if self.given_up => {}
            Event::Scalar(text, style, anchor, _) => self.scalar(&text, style, anchor, at),
            Event::SequenceStart(style, anchor, _) => {
                return self.open(Shape::Sequence, style, anchor, at);
            }
            Event::MappingStart(style, anchor, _) => {
                return self.open(Shape::Mapping, style, anchor, at);
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(at),
            Event::Alias(anchor) => self.alias(anchor, at),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, anchor: usize, at: Span) {
        self.lead();
        let node = match style {
            ScalarStyle::Plain if at.start == at.end => {
                let place = to_u32(self.cursor);
                // An absent key stands where its colon does, an absent document nowhere.
                let place = if self.is_key() { place.max(at.start) } else { place };
                let span = Span::new(place, place);
                self.advance(place);
                if self.frames.is_empty() {
                    return;
                }
                (self.arena.scalar(span, Style::Plain, span), span)
            }
            ScalarStyle::Plain => self.verbatim(text, Style::Plain, at, at),
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                let inner = Span::new(at.start + 1, at.end.saturating_sub(1));
                self.verbatim(text, Style::Quoted, at, inner)
            }
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let span = self.block_scalar(text, at);
                self.advance(at.end);
                (self.arena.cooked_scalar(span, Style::Quoted, text), span)
            }
        };
        let (id, span) = node;
        self.advance(span.end);
        if style == ScalarStyle::Plain && text == "<<" && self.is_key() {
            self.fault(
                Code::P0008,
                span,
                "merge keys are not supported".to_owned(),
                Some("write the keys out, or use a Defaults document; for a key of this name: `\"<<\"`"),
            );
        }
        self.named(anchor, Some(Anchored { id, height: 0, scalar: true }));
        self.hold(id, span, 0);
    }

    /// Adds a scalar whose text most likely stands at `inner`.
    fn verbatim(&mut self, text: &str, style: Style, at: Span, inner: Span) -> (NodeId, Span) {
        let id = if self.chunk.get(inner.range()) == Some(text) {
            self.arena.scalar(at, style, inner)
        } else {
            self.arena.cooked_scalar(at, style, text)
        };
        (id, at)
    }

    /// The span of a block scalar: the event's begins only with the first line of its text.
    fn block_scalar(&self, text: &str, at: Span) -> Span {
        let is_indicator = |byte| matches!(byte, b'|' | b'>');
        let start = self.seek(is_indicator, true).unwrap_or(at.start as usize);
        let whole = self.chunk.get(start..at.end as usize).unwrap_or_default();
        let blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
        let len = if text.chars().all(blank) {
            whole.bytes().take_while(|b| matches!(b, b'|' | b'>' | b'+' | b'-' | b'0'..=b'9')).count()
        } else {
            whole.trim_end_matches(blank).len()
        };
        Span::new(to_u32(start), to_u32(start + len))
    }

    fn open(
        &mut self,
        shape: Shape,
        style: StructureStyle,
        anchor: usize,
        at: Span,
    ) -> ControlFlow<()> {
        self.lead();
        if self.is_key() {
            self.give_up(
                Code::P0013,
                self.at_character(at.start),
                "a key must be plain text".to_owned(),
                Some("quote the key if the brackets belong to it"),
            );
            return ControlFlow::Continue(());
        }
        if self.frames.len() >= DEPTH_MAX {
            self.too_deep(at.start);
            return ControlFlow::Break(());
        }
        let bracketed = style == StructureStyle::Flow
            && matches!(self.chunk.as_bytes().get(at.start as usize), Some(b'[' | b'{'))
            && at.start < at.end;
        if bracketed {
            self.advance(at.end);
        }
        let id = self.arena.open(shape, at.start);
        self.named(anchor, None);
        self.frames.push(Frame {
            id,
            shape,
            bracketed,
            block: style == StructureStyle::Block,
            anchor,
            start: bracketed.then_some(at.start),
            end: at.end,
            count: 0,
            height: 0,
        });
        ControlFlow::Continue(())
    }

    fn close(&mut self, at: Span) {
        let Some(frame) = self.frames.pop() else { return };
        let mut span = Span::new(frame.start.unwrap_or(at.start), frame.end);
        if frame.bracketed {
            span.end = at.end;
            self.advance(at.end);
        }
        self.arena.begin_at(frame.id, span.start);
        self.arena.close(frame.id, frame.count, span.end);
        let height = frame.height + 1;
        self.named(frame.anchor, Some(Anchored { id: frame.id, height, scalar: false }));
        self.hold(frame.id, span, height);
    }

    fn alias(&mut self, anchor: usize, at: Span) {
        self.lead();
        self.advance(at.end);
        let Some(Some(anchored)) = self.anchors.get(&anchor).copied() else {
            self.give_up(
                Code::P0006,
                at,
                "an alias inside the node that it stands for".to_owned(),
                None,
            );
            return;
        };
        if self.is_key() && !anchored.scalar {
            self.give_up(Code::P0013, at, "a key must be plain text".to_owned(), None);
            return;
        }
        if self.frames.len() + anchored.height > DEPTH_MAX {
            self.too_deep(at.start);
            return;
        }
        self.expanded = self.expanded.saturating_add(self.arena.size(anchored.id));
        if self.expanded > EXPANSION_MAX {
            self.give_up(
                Code::P0006,
                at,
                format!("the aliases of this document stand for more than {EXPANSION_MAX} values"),
                Some("write fewer aliases of aliases"),
            );
            return;
        }
        let id = self.arena.copy(anchored.id);
        self.hold(id, at, anchored.height);
    }

    /// Makes a finished node the next child of the innermost open container, or the root.
    fn hold(&mut self, id: NodeId, span: Span, height: usize) {
        match self.frames.last_mut() {
            Some(frame) => {
                frame.start.get_or_insert(span.start);
                frame.end = span.end;
                frame.count += 1;
                frame.height = frame.height.max(height);
            }
            None => self.root = Some(id),
        }
    }

    fn named(&mut self, anchor: usize, node: Anchor) {
        if anchor != 0 {
            self.anchors.insert(anchor, node);
        }
    }

    fn is_key(&self) -> bool {
        self.frames.last().is_some_and(|f| f.shape == Shape::Mapping && f.count.is_multiple_of(2))
    }

    /// Moves the cursor over the dash or colon that announces the next node.
    fn lead(&mut self) {
        let found = match self.frames.last() {
            Some(Frame { shape: Shape::Sequence, block: true, .. }) => {
                self.seek(|byte| byte == b'-', true)
            }
            Some(Frame { shape: Shape::Mapping, count, .. }) if count % 2 == 1 => {
                self.seek(|byte| byte == b':', false)
            }
            _ => None,
        };
        if let Some(at) = found {
            self.cursor = at + 1;
        }
    }

    fn advance(&mut self, to: u32) {
        self.cursor = self.cursor.max(to as usize);
    }

    /// Looks behind the cursor, past blanks, breaks, comments, anchors and tags, for an indicator.
    ///
    /// Every call that finds something moves the cursor on, and one that does not stops at the
    /// next token, so all calls together read the text no more than a few times.
    fn seek(&self, wanted: impl Fn(u8) -> bool, keys: bool) -> Option<usize> {
        let bytes = self.chunk.as_bytes();
        let mut at = self.cursor;
        loop {
            let rest = bytes.get(at..)?;
            match *rest.first()? {
                byte if wanted(byte) => return Some(at),
                b' ' | b'\t' | b'\r' | b'\n' => at += 1,
                b'#' => at += memchr::memchr(b'\n', rest)?,
                b'&' | b'!' => at += memchr::memchr3(b' ', b'\t', b'\n', rest)?,
                b'?' if keys => at += 1,
                b'.' if rest.starts_with(b"...") => at += 3,
                _ => return None,
            }
        }
    }

    /// Refuses the directives between the last document and the `---` at `to`.
    fn directives(&mut self, to: usize) {
        let from = self.cursor;
        let header = self.chunk.get(from..to).unwrap_or_default();
        let mut at = from;
        for (number, line) in header.split_inclusive('\n').enumerate() {
            let starts_line = number > 0 || from == 0;
            let text = line.trim_end();
            if starts_line && text.starts_with('%') && !is_yaml_1_2(text) {
                let span = Span::new(to_u32(at), to_u32(at + text.len()));
                let name = text.split([' ', '\t']).next().unwrap_or_default();
                let (message, help) = if name == "%YAML" {
                    ("manifests are YAML 1.2".to_owned(), "remove the line, or write `%YAML 1.2`")
                } else {
                    (format!("the directive `{name}` is not supported"), "remove the line")
                };
                self.fault(Code::P0009, span, message, Some(help));
            }
            at += line.len();
        }
    }

    fn tag(&mut self, span: Span) {
        let text = self.chunk.get(span.range()).unwrap_or_default();
        let shown: String = text.chars().take(40).collect();
        let message = if text.is_empty() {
            "tags are not supported".to_owned()
        } else {
            format!("the tag `{shown}` is not supported")
        };
        self.fault(Code::P0007, span, message, Some("remove it, or quote the value if it is text"));
    }

    fn too_deep(&mut self, at: u32) {
        self.give_up(
            Code::P0005,
            self.at_character(at),
            format!("nested more than {DEPTH_MAX} levels deep"),
            None,
        );
    }

    fn give_up(&mut self, code: Code, span: Span, message: String, help: Option<&str>) {
        self.fault(code, span, message, help);
        self.given_up = true;
        self.frames.clear();
        self.root = None;
        self.arena.truncate(self.mark);
    }

    fn fault(&mut self, code: Code, span: Span, message: String, help: Option<&str>) {
        if self.parsed.faults.len() < FAULTS_MAX {
            let help = help.map(str::to_owned);
            self.parsed.faults.push(Fault { code, span, message, help });
        }
    }

    fn at_character(&self, at: u32) -> Span {
        syntax::character(self.chunk, at as usize)
    }

    fn fail(&mut self, error: &ScanError) -> ControlFlow<()> {
        self.arena.truncate(self.mark);
        // What was already refused is most likely the reason that the parser stumbled.
        if !self.given_up {
            let at = error.marker().byte_offset().unwrap_or(self.chunk.len());
            if *error.kind() == ErrorKind::RecursionLimitExceeded {
                self.too_deep(to_u32(at));
            } else {
                self.parsed.faults.push(syntax::fault(self.chunk, at, error.kind()));
            }
        }
        ControlFlow::Break(())
    }
}

fn is_yaml_1_2(line: &str) -> bool {
    let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
    words.next() == Some("%YAML")
        && words.next() == Some("1.2")
        && words.next().is_none_or(|word| word.starts_with('#'))
}
