//! JSON as RFC 8259 has it, into the same nodes as YAML.
//!
//! Nearly all JSON is YAML, but not the other way round: a `.json` file with comments or trailing
//! commas breaks every other tool that reads it, so it is refused here. Numbers stay text; keys
//! that stand twice stay too, for the caller to report.

use super::arena::{Arena, NodeId, Shape, Style};
use super::{DEPTH_MAX, Fault, Parsed, syntax};
use crate::manifest::code::Code;
use crate::manifest::source::{Span, to_u32};

/// Reads one JSON text. An empty one has no root; a byte-order mark at its start is skipped.
pub fn parse_json<'t>(text: &'t str, arena: &mut Arena<'t>) -> Parsed {
    arena.reads(text);
    let mark = arena.mark();
    let at = if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
    let mut reader = Reader { text, arena, at, frames: Vec::new(), cooked: String::new() };
    match reader.document() {
        Ok(root) => Parsed { roots: root.into_iter().collect(), faults: Vec::new() },
        Err(fault) => {
            arena.truncate(mark);
            Parsed { roots: Vec::new(), faults: vec![fault] }
        }
    }
}

struct Reader<'a, 't> {
    text: &'a str,
    arena: &'a mut Arena<'t>,
    at: usize,
    frames: Vec<Frame>,
    /// Where a string with escapes is put together.
    cooked: String,
}

/// An open array or object.
struct Frame {
    id: NodeId,
    shape: Shape,
    start: usize,
    count: u32,
}

impl Reader<'_, '_> {
    fn document(&mut self) -> Result<Option<NodeId>, Fault> {
        self.skip_blanks();
        if self.peek().is_none() {
            return Ok(None);
        }
        let root = self.arena.next_id();
        loop {
            // Here a value is due: a container begins and asks for another, or one is complete.
            let complete = match self.peek() {
                Some(b'[') => self.open(Shape::Sequence)?,
                Some(b'{') => self.open(Shape::Mapping)?,
                _ => {
                    self.scalar()?;
                    true
                }
            };
            if complete && self.close_finished()? {
                break;
            }
        }
        self.skip_blanks();
        match self.peek() {
            None => Ok(Some(root)),
            Some(_) => Err(self.wrong(self.at, "text behind the end of the value", None)),
        }
    }

    /// Begins a container. True if it was empty, and thereby complete.
    fn open(&mut self, shape: Shape) -> Result<bool, Fault> {
        if self.frames.len() >= DEPTH_MAX {
            return Err(Fault {
                code: Code::P0005,
                span: syntax::character(self.text, self.at),
                message: format!("nested more than {DEPTH_MAX} levels deep"),
                help: Some(super::TOO_DEEP.to_owned()),
            });
        }
        let start = self.at;
        let id = self.arena.open(shape, to_u32(start));
        self.at += 1;
        self.skip_blanks();
        if self.peek() == Some(closing(shape)) {
            self.at += 1;
            self.arena.close(id, 0, to_u32(self.at));
            return Ok(true);
        }
        self.frames.push(Frame { id, shape, start, count: 0 });
        if shape == Shape::Mapping {
            self.key()?;
        }
        Ok(false)
    }

    /// Goes on behind a complete value, to the place of the next. True if there is none.
    fn close_finished(&mut self) -> Result<bool, Fault> {
        loop {
            let Some(frame) = self.frames.last_mut() else { return Ok(true) };
            frame.count += 1;
            let (id, shape, count) = (frame.id, frame.shape, frame.count);
            self.skip_blanks();
            match self.peek() {
                Some(b',') => {
                    let comma = self.at;
                    self.at += 1;
                    self.skip_blanks();
                    if matches!(self.peek(), Some(b']' | b'}')) {
                        return Err(self.wrong(
                            comma,
                            "a comma with nothing behind it",
                            Some("remove the comma"),
                        ));
                    }
                    if shape == Shape::Mapping {
                        self.key()?;
                    }
                    return Ok(false);
                }
                Some(byte) if byte == closing(shape) => {
                    self.at += 1;
                    self.frames.pop();
                    let nodes = if shape == Shape::Mapping { 2 * count } else { count };
                    self.arena.close(id, nodes, to_u32(self.at));
                }
                _ => {
                    let message = match shape {
                        Shape::Sequence => "expected `,` or `]`",
                        Shape::Mapping => "expected `,` or `}`",
                    };
                    return Err(self.wrong(self.at, message, None));
                }
            }
        }
    }

    /// A key and its colon; a value is due behind it.
    fn key(&mut self) -> Result<(), Fault> {
        match self.peek() {
            Some(b'"') => self.string()?,
            Some(b'\'') | None => return Err(self.not_a_value()),
            Some(_) => {
                return Err(self.wrong(
                    self.at,
                    "expected a key in double quotes",
                    self.comment_help(),
                ));
            }
        }
        self.skip_blanks();
        if self.peek() != Some(b':') {
            return Err(self.wrong(self.at, "expected `:` behind the key", None));
        }
        self.at += 1;
        self.skip_blanks();
        Ok(())
    }

    fn scalar(&mut self) -> Result<(), Fault> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => return self.string(),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => {
                let word = self.rest().iter().take_while(|b| b.is_ascii_alphanumeric()).count();
                match self.rest().get(..word) {
                    Some(b"true" | b"false" | b"null") => self.at += word,
                    _ => return Err(self.not_a_value()),
                }
            }
        }
        let span = Span::new(to_u32(start), to_u32(self.at));
        self.arena.scalar(span, Style::Plain, span);
        Ok(())
    }

    fn number(&mut self) -> Result<(), Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let whole = self.digits();
        let zero_first = whole > 1 && self.rest_from(self.at - whole).first() == Some(&b'0');
        if whole == 0 || zero_first {
            let help = if zero_first { Some("remove the leading zero, or quote it") } else { None };
            return Err(self.wrong(start, "a number that is not well formed", help));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.wrong(start, "a number that is not well formed", None));
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.wrong(start, "a number that is not well formed", None));
            }
        }
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let count = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    fn string(&mut self) -> Result<(), Fault> {
        let start = self.at;
        self.at += 1;
        self.cooked.clear();
        let mut run = self.at;
        let mut escapes = false;
        loop {
            let stop = |byte: &u8| *byte < b' ' || matches!(byte, b'"' | b'\\');
            let Some(length) = self.rest().iter().position(stop) else {
                return Err(self.wrong(start, "a quote that is not closed", None));
            };
            self.at += length;
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escapes = true;
                    self.cooked.push_str(self.text.get(run..self.at).unwrap_or_default());
                    let character = self.escape()?;
                    self.cooked.push(character);
                    run = self.at;
                }
                Some(b'\n' | b'\r') => {
                    return Err(self.wrong(
                        start,
                        "a quote that is not closed on its line",
                        Some("write a line break in a string as `\\n`"),
                    ));
                }
                _ => {
                    return Err(self.wrong(
                        self.at,
                        "a control character inside a string",
                        Some("write it as an escape, such as `\\t` or `\\u001b`"),
                    ));
                }
            }
        }
        let end = self.at;
        self.at += 1;
        let span = Span::new(to_u32(start), to_u32(self.at));
        if escapes {
            self.cooked.push_str(self.text.get(run..end).unwrap_or_default());
            self.arena.cooked_scalar(span, Style::Quoted, &self.cooked);
        } else {
            self.arena.scalar(span, Style::Quoted, Span::new(to_u32(start + 1), to_u32(end)));
        }
        Ok(())
    }

    /// The character that an escape stands for.
    fn escape(&mut self) -> Result<char, Fault> {
        let start = self.at;
        let letter = self.rest().get(1).copied();
        self.at += 2;
        match letter {
            Some(c @ (b'"' | b'\\' | b'/')) => Ok(char::from(c)),
            Some(b'b') => Ok('\u{8}'),
            Some(b'f') => Ok('\u{C}'),
            Some(b'n') => Ok('\n'),
            Some(b'r') => Ok('\r'),
            Some(b't') => Ok('\t'),
            Some(b'u') => self.code_point(start),
            _ => Err(self.wrong(
                start,
                "an escape that does not exist",
                Some("write `\\\\` for a backslash"),
            )),
        }
    }

    fn code_point(&mut self, start: usize) -> Result<char, Fault> {
        let first = self.hex(start)?;
        let code_point = match first {
            0xD800..=0xDBFF if self.rest().starts_with(b"\\u") => {
                self.at += 2;
                match self.hex(start)? {
                    low @ 0xDC00..=0xDFFF => 0x1_0000 + ((first - 0xD800) << 10) + (low - 0xDC00),
                    _ => first,
                }
            }
            _ => first,
        };
        // What no character has is a surrogate on its own.
        char::from_u32(code_point).ok_or_else(|| {
            self.wrong(
                start,
                "half of a surrogate pair",
                Some("characters above U+FFFF are two escapes, such as `\\ud83d\\ude00`"),
            )
        })
    }

    fn hex(&mut self, start: usize) -> Result<u32, Fault> {
        let digits = self.text.get(self.at..self.at + 4);
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(value) => {
                self.at += 4;
                Ok(value)
            }
            None => Err(self.wrong(start, "`\\u` needs four hexadecimal digits", None)),
        }
    }

    /// Says what was found where a value should be.
    fn not_a_value(&self) -> Fault {
        match self.peek() {
            None => self.wrong(self.at, "the text ends where a value should be", None),
            Some(b'\'') => {
                self.wrong(self.at, "a string in single quotes", Some("use double quotes"))
            }
            Some(b']' | b'}' | b',' | b':') => self.wrong(self.at, "expected a value", None),
            Some(b'+' | b'.') => self.wrong(self.at, "a number that is not well formed", None),
            Some(_) => {
                let help = self.comment_help();
                let help = help.or(Some("strings need double quotes; words are true, false, null"));
                self.wrong(self.at, "this is not a JSON value", help)
            }
        }
    }

    fn comment_help(&self) -> Option<&'static str> {
        matches!(self.peek(), Some(b'/' | b'#')).then_some("JSON has no comments")
    }

    /// A fault at a byte. At the end of the text an unclosed bracket is to blame, if there is one.
    fn wrong(&self, at: usize, message: &str, help: Option<&str>) -> Fault {
        let (at, message) = match self.frames.last() {
            Some(frame) if at >= self.text.len() => {
                (frame.start, format!("`{}` is not closed", char::from(opening(frame.shape))))
            }
            _ => (at, message.to_owned()),
        };
        let span = syntax::character(self.text, at);
        Fault { code: Code::P0002, span, message, help: help.map(str::to_owned) }
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &[u8] {
        self.rest_from(self.at)
    }

    fn rest_from(&self, at: usize) -> &[u8] {
        self.text.as_bytes().get(at..).unwrap_or_default()
    }
}

const fn opening(shape: Shape) -> u8 {
    match shape {
        Shape::Sequence => b'[',
        Shape::Mapping => b'{',
    }
}

const fn closing(shape: Shape) -> u8 {
    match shape {
        Shape::Sequence => b']',
        Shape::Mapping => b'}',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> String {
        let mut arena = Arena::default();
        let parsed = parse_json(text, &mut arena);
        assert_eq!(parsed.faults, [], "{text}");
        parsed.roots.first().map_or(String::new(), |root| format!("{:?}", arena.node(*root)))
    }

    #[test]
    fn values_keep_their_places() {
        assert_eq!(
            tree("\u{feff}{\"a\": [1, \"x\\u00e9\\ud83d\\ude00\\/\"],\n \"b\": null, \"a\": {}}\n"),
            "3..59 mapping\n\
             \x20 4..7 quoted \"a\"\n\
             \x20 9..37 sequence\n\
             \x20   10..11 plain \"1\"\n\
             \x20   13..36 quoted \"xé😀/\"\n\
             \x20 40..43 quoted \"b\"\n\
             \x20 45..49 plain \"null\"\n\
             \x20 51..54 quoted \"a\"\n\
             \x20 56..58 mapping\n"
        );
        assert_eq!(tree(""), "");
        assert_eq!(tree(" \r\n\t"), "");
        assert_eq!(tree(" -0.5e+3 "), "1..8 plain \"-0.5e+3\"\n");
        assert_eq!(tree("[[],[[]]]").lines().count(), 4);
    }

    #[test]
    fn every_refusal_has_a_place_and_a_reason() {
        for (text, underlined, message, help) in [
            ("{\"a\": 1,}", ",", "a comma with nothing behind it", Some("remove the comma")),
            ("[1, ]", ",", "a comma with nothing behind it", Some("remove the comma")),
            ("[1 2]", "2", "expected `,` or `]`", None),
            ("{\"a\": 1 \"b\": 2}", "\"", "expected `,` or `}`", None),
            ("{\"a\": [1}", "}", "expected `,` or `]`", None),
            ("[1", "[", "`[` is not closed", None),
            ("{\"a\": ", "{", "`{` is not closed", None),
            ("{\"a\"", "{", "`{` is not closed", None),
            ("{", "{", "`{` is not closed", None),
            ("{\"a\" 1}", "1", "expected `:` behind the key", None),
            ("{a: 1}", "a", "expected a key in double quotes", None),
            ("{'a': 1}", "'", "a string in single quotes", Some("use double quotes")),
            ("[//x\n1]", "/", "this is not a JSON value", Some("JSON has no comments")),
            (
                "{\"a\": 1, # x\n}",
                "#",
                "expected a key in double quotes",
                Some("JSON has no comments"),
            ),
            ("\"abc", "\"", "a quote that is not closed", None),
            (
                "[\"a\nb\"]",
                "\"",
                "a quote that is not closed on its line",
                Some("write a line break in a string as `\\n`"),
            ),
            (
                "\"a\tb\"",
                "\t",
                "a control character inside a string",
                Some("write it as an escape, such as `\\t` or `\\u001b`"),
            ),
            (
                "\"\\x\"",
                "\\",
                "an escape that does not exist",
                Some("write `\\\\` for a backslash"),
            ),
            ("\"\\u12g4\"", "\\", "`\\u` needs four hexadecimal digits", None),
            ("\"\\u12", "\\", "`\\u` needs four hexadecimal digits", None),
            ("\"\\u+123\"", "\\", "`\\u` needs four hexadecimal digits", None),
            ("\"\\", "\\", "an escape that does not exist", Some("write `\\\\` for a backslash")),
            (
                "01",
                "0",
                "a number that is not well formed",
                Some("remove the leading zero, or quote it"),
            ),
            ("-", "-", "a number that is not well formed", None),
            ("1.", "1", "a number that is not well formed", None),
            ("1e", "1", "a number that is not well formed", None),
            ("+1", "+", "a number that is not well formed", None),
            (".5", ".", "a number that is not well formed", None),
            ("[]]", "]", "text behind the end of the value", None),
            ("1 2", "2", "text behind the end of the value", None),
            ("[,]", ",", "expected a value", None),
            (
                "[True]",
                "T",
                "this is not a JSON value",
                Some("strings need double quotes; words are true, false, null"),
            ),
        ] {
            let parsed = parse_json(text, &mut Arena::default());
            let [fault] = &parsed.faults[..] else { panic!("{text}: {parsed:?}") };
            assert_eq!(fault.code, Code::P0002);
            assert_eq!(&text[fault.span.range()], underlined, "{text}");
            assert_eq!((fault.message.as_str(), fault.help.as_deref()), (message, help), "{text}");
        }
        for lone in ["\\ud800", "\\udc00", "\\ud800\\ud800", "\\ud800x", "\\ud83d\\n"] {
            let parsed = parse_json(&format!("\"{lone}\""), &mut Arena::default());
            assert_eq!(parsed.faults[0].message, "half of a surrogate pair");
        }
    }

    #[test]
    fn depth_is_bounded_without_recursion() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        let (fits, refused) = (deep(DEPTH_MAX), deep(100_000));
        let mut arena = Arena::default();
        assert_eq!(parse_json(&fits, &mut arena).roots.len(), 1);
        arena.clear();
        let parsed = parse_json(&refused, &mut arena);
        assert_eq!(
            (parsed.faults[0].code, parsed.faults[0].span),
            (Code::P0005, Span::new(128, 129))
        );
        assert!(arena.is_empty());
        let parsed = parse_json(&"{\"a\":".repeat(100_000), &mut arena);
        assert_eq!(parsed.faults[0].code, Code::P0005);
    }
}
