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
pub fn parse_events<'t>(chunk: &'t str, arena: &mut Arena<'t>) -> Parsed {
    arena.reads(chunk);
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

struct Builder<'a, 't> {
    chunk: &'a str,
    arena: &'a mut Arena<'t>,
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
    /// The document before has ended without `...`, and no other has begun: what goes wrong here
    /// belongs to it.
    trailing: Option<Mark>,
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

impl<'a, 't> Builder<'a, 't> {
    fn new(chunk: &'a str, arena: &'a mut Arena<'t>) -> Self {
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
            trailing: None,
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
                self.trailing = None;
                self.frames.clear();
                self.anchors.clear();
                self.root = None;
                self.expanded = 0;
                self.given_up = false;
            }
            Event::DocumentEnd => {
                self.advance(at.end);
                match self.root.take() {
                    Some(root) if !self.given_up => {
                        self.parsed.roots.push(root);
                        self.trailing = (at.start == at.end).then_some(self.mark);
                    }
                    _ => self.arena.truncate(self.mark),
                }
                // What fails behind `...` is no part of this document, given up or not.
                self.given_up &= at.start == at.end;
                self.mark = self.arena.mark();
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
        let (id, span) = match style {
            ScalarStyle::Plain if at.start == at.end => {
                // An empty document is none.
                if self.frames.is_empty() {
                    return;
                }
                self.absent(at.start)
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
        self.advance(span.end);
        if style == ScalarStyle::Plain && text == "<<" && self.is_key() {
            let help = "write the keys out; for a key of this name, quote it: `\"<<\"`";
            self.fault(Code::P0008, span, "merge keys are not supported".to_owned(), Some(help));
        }
        self.named(anchor, Some(Anchored { id, height: 0, scalar: true }));
        self.hold(id, span, 0);
    }

    /// Adds what the text only promises: behind its colon or dash, or where a key's colon is.
    fn absent(&mut self, at: u32) -> (NodeId, Span) {
        if self.is_key() {
            self.advance(at);
        }
        let place = to_u32(self.cursor);
        let span = Span::new(place, place);
        (self.arena.scalar(span, Style::Plain, span), span)
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
            whole
                .bytes()
                .take_while(|b| matches!(b, b'|' | b'>' | b'+' | b'-' | b'0'..=b'9'))
                .count()
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
            let span = self.at_character(at.start);
            let bracket = style == StructureStyle::Flow;
            let before = self.chunk.get(..at.start as usize).unwrap_or_default();
            let help = if bracket && before.ends_with('{') {
                Some("fill in the template first, or quote the value if the braces belong to it")
            } else {
                bracket.then_some("quote the key if the brackets belong to it")
            };
            self.give_up(Code::P0013, span, "a key must be plain text".to_owned(), help);
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
                Some("write out what is meant, or leave it out"),
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
            Some(super::TOO_DEEP),
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
        if let Some(mark) = self.trailing {
            self.parsed.roots.pop();
            self.mark = mark;
        }
        self.arena.truncate(self.mark);
        // What was already refused is most likely the reason that the parser stumbled.
        if !self.given_up {
            let at = error.marker().byte_offset().unwrap_or(self.chunk.len());
            if *error.kind() == ErrorKind::RecursionLimitExceeded {
                self.too_deep(to_u32(at));
            } else {
                let bracket = self.frames.iter().rev().find(|frame| frame.bracketed);
                let bracket = bracket.and_then(|frame| frame.start).map(|at| at as usize);
                self.parsed.faults.push(syntax::fault(self.chunk, at, bracket, error.kind()));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Arena<'_>, Parsed) {
        let mut arena = Arena::default();
        let parsed = parse_events(text, &mut arena);
        (arena, parsed)
    }

    fn trees(text: &str) -> String {
        let (arena, parsed) = parsed(text);
        assert_eq!(parsed.faults, [], "{text:?}");
        let shown = |root: &NodeId| format!("{:?}", arena.node(*root));
        parsed.roots.iter().map(shown).collect::<Vec<_>>().concat()
    }

    fn faults(text: &str) -> Vec<(Code, u32, &str)> {
        let (_, parsed) = parsed(text);
        let shown = |fault: &Fault| (fault.code, fault.span.start, &text[fault.span.range()]);
        parsed.faults.iter().map(shown).collect()
    }

    #[test]
    fn every_node_has_its_place() {
        for (text, expected) in [
            ("", ""),
            ("# c\n", ""),
            ("---\n", ""),
            ("--- # c\n...\n", ""),
            ("--- ''\n", "4..6 quoted \"\"\n"),
            ("--- &a\n...\nb\n...\n# c\n", "11..12 plain \"b\"\n"),
            ("a\n...\nb\n...\n", "0..1 plain \"a\"\n6..7 plain \"b\"\n"),
            (
                "a: 'b''c'\n\"d\": \"e\\te\"\nf: g\n  h\n",
                "0..30 mapping\n\
                 \x20 0..1 plain \"a\"\n\
                 \x20 3..9 quoted \"b'c\"\n\
                 \x20 10..13 quoted \"d\"\n\
                 \x20 15..21 quoted \"e\\te\"\n\
                 \x20 22..23 plain \"f\"\n\
                 \x20 25..30 plain \"g h\"\n",
            ),
            // What is absent stands behind its colon or dash.
            (
                "a:  # c\nb:\n-\n# -\n- c\n",
                "0..20 mapping\n\
                 \x20 0..1 plain \"a\"\n\
                 \x20 2..2 plain \"\"\n\
                 \x20 8..9 plain \"b\"\n\
                 \x20 12..20 sequence\n\
                 \x20   12..12 plain \"\"\n\
                 \x20   19..20 plain \"c\"\n",
            ),
            (
                "- - -\n  - b\n",
                "5..11 sequence\n\
                 \x20 5..11 sequence\n\
                 \x20   5..5 sequence\n\
                 \x20     5..5 plain \"\"\n\
                 \x20   10..11 plain \"b\"\n",
            ),
            (
                "{a, b: , c: {}, ? d, \"e\":f, : g}\n",
                "0..32 mapping\n\
                 \x20 1..2 plain \"a\"\n\
                 \x20 2..2 plain \"\"\n\
                 \x20 4..5 plain \"b\"\n\
                 \x20 6..6 plain \"\"\n\
                 \x20 9..10 plain \"c\"\n\
                 \x20 12..14 mapping\n\
                 \x20 18..19 plain \"d\"\n\
                 \x20 19..19 plain \"\"\n\
                 \x20 21..24 quoted \"e\"\n\
                 \x20 25..26 plain \"f\"\n\
                 \x20 28..28 plain \"\"\n\
                 \x20 30..31 plain \"g\"\n",
            ),
            (
                "[a: b, ? c]",
                "0..11 sequence\n\
                 \x20 1..5 mapping\n\
                 \x20   1..2 plain \"a\"\n\
                 \x20   4..5 plain \"b\"\n\
                 \x20 9..10 mapping\n\
                 \x20   9..10 plain \"c\"\n\
                 \x20   10..10 plain \"\"\n",
            ),
            (
                "? a\n? b\n: c\n",
                "2..11 mapping\n\
                 \x20 2..3 plain \"a\"\n\
                 \x20 3..3 plain \"\"\n\
                 \x20 6..7 plain \"b\"\n\
                 \x20 10..11 plain \"c\"\n",
            ),
            // A block begins at its indicator and ends with its last visible character.
            (
                "a: &x | # |\n  b \n\n  c\n\n# d\ne: >2-\n   f\ng: |+\n\n",
                "0..44 mapping\n\
                 \x20 0..1 plain \"a\"\n\
                 \x20 6..21 quoted \"b \\n\\nc\\n\"\n\
                 \x20 27..28 plain \"e\"\n\
                 \x20 30..38 quoted \" f\"\n\
                 \x20 39..40 plain \"g\"\n\
                 \x20 42..44 quoted \"\\n\"\n",
            ),
            ("--- |\n a\n", "4..8 quoted \"a\\n\"\n"),
            ("...\n|\n a\n", "4..8 quoted \"a\\n\"\n"),
            // An alias is what it stands for, with the places of that.
            (
                "a: &x [1]\n&y b : *x\n",
                "0..19 mapping\n\
                 \x20 0..1 plain \"a\"\n\
                 \x20 6..9 sequence\n\
                 \x20   7..8 plain \"1\"\n\
                 \x20 13..14 plain \"b\"\n\
                 \x20 6..9 sequence\n\
                 \x20   7..8 plain \"1\"\n",
            ),
        ] {
            assert_eq!(trees(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_a_manifest_may_not_use_is_refused() {
        for (text, expected, roots) in [
            ("a: !!str 1\nb: !x\n", &[(Code::P0007, 3, "!!str"), (Code::P0007, 14, "!x")][..], 1),
            ("!<tag:x> {a: !y [b]}\n", &[(Code::P0007, 0, "!<tag:x>"), (Code::P0007, 13, "!y")], 1),
            ("a: !b!c d\n", &[(Code::P0007, 3, "!")], 0),
            ("<<: {a: 1}\n", &[(Code::P0008, 0, "<<")], 1),
            ("\"<<\": 1\na: <<\n", &[], 1),
            ("%YAML 1.2 # c\n---\na\n", &[], 1),
            ("%YAML 1.1\n---\na\n", &[(Code::P0009, 0, "%YAML 1.1")], 1),
            ("%YAML 2.0\n---\na\n", &[(Code::P0009, 0, "%")], 0),
            ("%YAML 1.2\n%YAML 1.2\n---\na\n", &[(Code::P0009, 10, "%")], 0),
            (
                "# c\n%TAG ! x\n%FOO b\n---\na\n",
                &[(Code::P0009, 4, "%TAG ! x"), (Code::P0009, 13, "%FOO b")],
                1,
            ),
            ("a\n...\n%YAML 1.3\n---\nb\n", &[(Code::P0009, 6, "%YAML 1.3")], 2),
            // Not directives: text that goes on.
            ("a\n%YAML 1.1\n", &[], 1),
            ("--- |\n%YAML 1.1\n...\n--- b\n", &[], 2),
            ("? - a\n: b\n...\nc\n", &[(Code::P0013, 2, "-")], 1),
            ("[a]: b\n", &[(Code::P0013, 0, "[")], 0),
            ("{{a: 1}: b}\n", &[(Code::P0013, 1, "{")], 0),
            ("a: &x [1]\n*x : 2\n", &[(Code::P0013, 10, "*x")], 0),
            ("&a [*a]\n", &[(Code::P0006, 4, "*a")], 0),
            ("a: &a\n  b: *a\n...\nc\n", &[(Code::P0006, 11, "*a")], 1),
            ("[a]: b\n...\n]\n", &[(Code::P0013, 0, "["), (Code::P0001, 11, "]")], 0),
            // An anchor is good for its own document.
            ("- &a b\n...\n- *a\n", &[(Code::P0001, 13, "*")], 1),
        ] {
            assert_eq!(faults(text), expected, "{text:?}");
            assert_eq!(parsed(text).1.roots.len(), roots, "{text:?}");
        }
    }

    #[test]
    fn depth_is_bounded_however_it_is_reached() {
        let deep = |open: &str, close: &str, n: usize| open.repeat(n) + "x" + &close.repeat(n);
        for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("[a: ", "]")] {
            let levels = if open == "[a: " { DEPTH_MAX / 2 } else { DEPTH_MAX };
            let text = deep(open, close, levels);
            let (arena, fits) = parsed(&text);
            assert_eq!((fits.roots.len(), fits.faults.len()), (1, 0), "{open}");
            assert!(arena.len() > levels);
            for levels in [levels + 1, 100_000] {
                let text = deep(open, close, levels);
                let (arena, refused) = parsed(&text);
                assert_eq!(refused.faults[0].code, Code::P0005, "{open}");
                assert!(refused.roots.is_empty() && arena.is_empty(), "{open}");
            }
        }
        let lines: String = (0..1000).map(|n| " ".repeat(n) + "a:\n").collect();
        assert_eq!(faults(&lines)[0].0, Code::P0005);
        // Half the levels as blocks, half as brackets.
        let mixed = |n: usize| "- ".repeat(n) + &deep("[", "]", n);
        assert_eq!(faults(&mixed(DEPTH_MAX / 2)), []);
        assert_eq!(faults(&mixed(DEPTH_MAX / 2 + 1))[0].0, Code::P0005);
        // Deeper with every alias, though no line is.
        let mut ladder = format!("- &a0 {}\n", deep("[", "]", 100));
        ladder.extend((1..50).map(|n| format!("- &a{n} [[[*a{}]]]\n", n - 1)));
        assert_eq!(faults(&ladder)[0].0, Code::P0005);
    }

    #[test]
    fn alias_bombs_are_cheap() {
        let mut bomb = "- &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        bomb.extend((1..10).map(|n| {
            let aliases = vec![format!("*a{}", n - 1); 10].join(", ");
            format!("- &a{n} [{aliases}]\n")
        }));
        let (arena, refused) = parsed(&bomb);
        assert_eq!(refused.faults.len(), 1);
        assert_eq!(refused.faults[0].code, Code::P0006);
        assert!(arena.is_empty() && refused.roots.is_empty());

        let many = |n: usize| format!("- &a x\n{}", "- *a\n".repeat(n));
        assert_eq!(faults(&many(EXPANSION_MAX as usize)), []);
        assert_eq!(faults(&many(EXPANSION_MAX as usize + 1))[0].0, Code::P0006);
        // The budget is the document's own.
        let twice = format!("{}...\n{}", many(60_000), many(60_000));
        assert_eq!(faults(&twice), []);
    }

    #[test]
    fn a_text_of_nothing_but_faults_is_reported_in_moderation() {
        assert_eq!(faults(&"- !t x\n".repeat(10_000)).len(), FAULTS_MAX);
    }

    #[test]
    fn documents_before_a_syntax_error_remain() {
        let text = "a\n...\n[b\n";
        let (arena, parsed) = parsed(text);
        assert_eq!((parsed.roots.len(), parsed.faults.len()), (1, 1));
        assert_eq!(arena.len(), 1);
    }

    #[test]
    fn a_document_with_rubbish_behind_it_is_not_whole() {
        for text in ["[a] [b]\n", "a: b\n]\n", "'a'\nb: c\n", "[a]\nb: c\n"] {
            let (arena, parsed) = parsed(text);
            assert_eq!((parsed.roots.len(), parsed.faults.len()), (0, 1), "{text:?}");
            assert!(arena.is_empty(), "{text:?}");
        }
    }
}
