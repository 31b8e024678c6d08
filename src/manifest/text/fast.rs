//! The fast path: the YAML that nearly every manifest is written in, in one pass.
//!
//! It knows block mappings and sequences, scalars on one line, collections in brackets on one
//! line, `|` blocks, comments and a `---` line. At anything else it says "not mine" and the full
//! parser reads the document instead: it never reports a fault, so it can afford to give up on
//! whatever looks odd. What it does accept, the full parser accepts with the same tree and spans.
//! That law is what the tests below and the fuzzer `fast_path` are for; whoever teaches this
//! module something new has to show that it still holds.
//!
//! The text must have come through [`Chunk::text`](super::Chunk::text): control characters are
//! not looked for again, except for the lone carriage return, which would be a line break.

use super::arena::{Arena, Shape, Style};
use super::scan::{block_word, flow_word};
use super::{DEPTH_MAX, Parsed};
use crate::manifest::source::{Span, to_u32};

/// YAML gives up looking for a key's colon after 1024 characters; longer ones are not ours.
const KEY_MAX: usize = 1000;

/// No line is left. Less than any column, so that it ends every block.
const END: i32 = -1;

/// Reads the one document of a chunk if it is in the plain subset, or leaves the arena alone.
pub fn parse_fast<'t>(chunk: &'t str, arena: &mut Arena<'t>) -> Option<Parsed> {
    arena.reads(chunk);
    let bytes = chunk.as_bytes();
    if memchr::memchr_iter(b'\r', bytes).any(|at| bytes.get(at + 1) != Some(&b'\n')) {
        return None;
    }
    let mark = arena.mark();
    let parsed = Fast { chunk, bytes, arena, at: 0, column: 0 }.document();
    if parsed.is_none() {
        arena.truncate(mark);
    }
    parsed
}

struct Fast<'a, 't> {
    chunk: &'a str,
    bytes: &'a [u8],
    arena: &'a mut Arena<'t>,
    at: usize,
    /// The column of the first character of the line, once `next_line` has found one.
    column: i32,
}

/// A scalar on one line.
#[derive(Clone, Copy)]
struct Token {
    span: Span,
    text: Span,
    style: Style,
    /// A colon follows that makes it a key; the place is behind the colon.
    is_key: bool,
}

impl Fast<'_, '_> {
    fn document(mut self) -> Option<Parsed> {
        let mut parsed = Parsed::default();
        self.header()?;
        if self.column == END {
            return Some(parsed);
        }
        let root = self.arena.next_id();
        self.block(0)?;
        parsed.roots.push(root);
        // Whatever is left has an indentation that fits nowhere.
        (self.column == END).then_some(parsed)
    }

    /// Goes to the first line of the document, over a `---` line if there is one.
    fn header(&mut self) -> Option<()> {
        loop {
            match self.peek() {
                Some(b'#' | b'\n' | b'\r') => self.skip_line(),
                Some(b'-') if self.rest().starts_with(b"---") => {
                    self.at += 3;
                    match self.peek() {
                        None | Some(b' ' | b'\n' | b'\r') => return self.finish_line(),
                        _ => return None,
                    }
                }
                _ => return self.next_line(),
            }
        }
    }

    /// A node that begins a line, deeper than what holds it.
    fn block(&mut self, depth: usize) -> Option<Span> {
        if self.at_dash() {
            return self.sequence(self.column, depth);
        }
        let key = self.token()?;
        self.mapping(key, self.column, depth)
    }

    /// A block mapping in a column; its first key has been read.
    fn mapping(&mut self, mut key: Token, column: i32, depth: usize) -> Option<Span> {
        if depth >= DEPTH_MAX {
            return None;
        }
        let start = key.span.start;
        let id = self.arena.open(Shape::Mapping, start);
        let mut count = 0;
        loop {
            if !key.is_key {
                return None;
            }
            self.push(&key);
            let end = self.value(column, depth + 1)?.end;
            count += 2;
            if self.column != column || self.at_dash() {
                self.arena.close(id, count, end);
                return Some(Span::new(start, end));
            }
            key = self.token()?;
        }
    }

    /// What stands behind a key's colon, or below it.
    fn value(&mut self, column: i32, depth: usize) -> Option<Span> {
        let colon = self.at;
        self.skip_spaces();
        if !self.at_line_end() {
            return self.inline(column, depth);
        }
        self.finish_line()?;
        if self.column > column {
            self.block(depth)
        } else if self.column == column && self.at_dash() {
            self.sequence(column, depth)
        } else {
            Some(self.absent(colon))
        }
    }

    /// A block sequence whose dashes stand in a column.
    fn sequence(&mut self, column: i32, depth: usize) -> Option<Span> {
        if depth >= DEPTH_MAX {
            return None;
        }
        let id = self.arena.open(Shape::Sequence, 0);
        let mut start = None;
        let mut count = 0;
        loop {
            let item = self.item(column, depth + 1)?;
            count += 1;
            let start = *start.get_or_insert(item.start);
            if self.column != column || !self.at_dash() {
                self.arena.begin_at(id, start);
                self.arena.close(id, count, item.end);
                return Some(Span::new(start, item.end));
            }
        }
    }

    /// A dash and what stands behind it, or below it.
    fn item(&mut self, column: i32, depth: usize) -> Option<Span> {
        self.at += 1;
        let dash = self.at;
        self.skip_spaces();
        if self.at_line_end() {
            self.finish_line()?;
            return if self.column > column { self.block(depth) } else { Some(self.absent(dash)) };
        }
        let inner = column + 1 + i32::try_from(self.at - dash).ok()?;
        if self.at_dash() {
            return self.sequence(inner, depth);
        }
        if matches!(self.peek(), Some(b'[' | b'{' | b'|')) {
            return self.inline(column, depth);
        }
        let token = self.token()?;
        if token.is_key {
            return self.mapping(token, inner, depth);
        }
        self.push(&token);
        self.finish_line()?;
        Some(token.span)
    }

    /// A scalar or a bracketed collection on the rest of the line, or a `|` block below it.
    fn inline(&mut self, column: i32, depth: usize) -> Option<Span> {
        let span = match self.peek() {
            Some(b'|') => return self.literal(column),
            Some(b'[') => self.flow(Shape::Sequence, b']', depth)?,
            Some(b'{') => self.flow(Shape::Mapping, b'}', depth)?,
            _ => {
                let token = self.token()?;
                if token.is_key {
                    return None;
                }
                self.push(&token);
                token.span
            }
        };
        self.finish_line()?;
        Some(span)
    }

    /// A collection in brackets that ends on its line.
    fn flow(&mut self, shape: Shape, close: u8, depth: usize) -> Option<Span> {
        if depth >= DEPTH_MAX {
            return None;
        }
        let start = to_u32(self.at);
        let id = self.arena.open(shape, start);
        let mut count = 0;
        self.at += 1;
        self.skip_spaces();
        while self.peek() != Some(close) {
            if shape == Shape::Mapping {
                let key = self.flow_token()?;
                if !key.is_key {
                    return None;
                }
                self.push(&key);
                self.skip_spaces();
                count += 1;
            }
            match self.peek() {
                Some(b'[') => {
                    self.flow(Shape::Sequence, b']', depth + 1)?;
                }
                Some(b'{') => {
                    self.flow(Shape::Mapping, b'}', depth + 1)?;
                }
                _ => {
                    let token = self.flow_token()?;
                    if token.is_key {
                        return None;
                    }
                    self.push(&token);
                }
            }
            count += 1;
            self.skip_spaces();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(byte) if byte == close => break,
                _ => return None,
            }
            self.skip_spaces();
        }
        self.at += 1;
        let end = to_u32(self.at);
        self.arena.close(id, count, end);
        Some(Span::new(start, end))
    }

    /// A `|` block, without an indentation of its own and with every line ended.
    fn literal(&mut self, column: i32) -> Option<Span> {
        let start = self.at;
        self.at += 1;
        let chomp = self.peek();
        if matches!(chomp, Some(b'-' | b'+')) {
            self.at += 1;
        }
        self.skip_spaces();
        if !matches!(self.peek(), Some(b'\n' | b'\r')) {
            return None;
        }
        self.skip_line();

        let mut text = String::new();
        let mut indent = 0;
        let mut end = start;
        let mut breaks = 0;
        while let Some(length) = memchr::memchr(b'\n', self.rest()) {
            let line = self.rest().get(..length)?;
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let spaces = line.iter().take_while(|byte| **byte == b' ').count();
            if line.len() == spaces {
                // Blanks beyond the indentation would be text, or decide it.
                if spaces > indent {
                    return None;
                }
                breaks += 1;
            } else {
                if indent == 0 {
                    if i32::try_from(spaces).ok()? <= column || line.get(spaces) == Some(&b'\t') {
                        return None;
                    }
                    indent = spaces;
                }
                if spaces < indent {
                    break;
                }
                text.extend(std::iter::repeat_n('\n', breaks));
                breaks = 1;
                text.push_str(self.chunk.get(self.at + indent..self.at + line.len())?);
                match line.trim_ascii_end().len() {
                    0 => {}
                    visible => end = self.at + visible,
                }
            }
            self.at += length + 1;
        }
        // An unfinished last line may be text or blanks; the full parser knows.
        if indent == 0
            || (self.at < self.bytes.len() && memchr::memchr(b'\n', self.rest()).is_none())
        {
            return None;
        }
        match chomp {
            Some(b'-') => {}
            Some(b'+') => text.extend(std::iter::repeat_n('\n', breaks)),
            _ => text.push('\n'),
        }
        let span = Span::new(to_u32(start), to_u32(end));
        self.arena.cooked_scalar(span, Style::Quoted, &text);
        self.next_line()?;
        Some(span)
    }

    /// A scalar on one line of a block.
    fn token(&mut self) -> Option<Token> {
        match self.peek()? {
            quote @ (b'"' | b'\'') => {
                let token = self.quoted(quote)?;
                let next = self.bytes.get(self.at + 1);
                if self.peek() == Some(b':') && matches!(next, None | Some(b' ' | b'\n' | b'\r')) {
                    return self.key(token);
                }
                return Some(token);
            }
            b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'%'
            | b'@' | b'`' | b'?' | b':' => return None,
            b'-' if matches!(
                self.bytes.get(self.at + 1),
                None | Some(b' ' | b'\t' | b'\n' | b'\r')
            ) =>
            {
                return None;
            }
            _ => {}
        }
        let start = self.at;
        loop {
            self.at += block_word(self.rest());
            match self.peek() {
                None | Some(b'\n' | b'\r') => return self.plain(start),
                Some(b':') => match self.bytes.get(self.at + 1) {
                    None | Some(b' ' | b'\n' | b'\r') => {
                        let token = self.plain(start)?;
                        return self.key(token);
                    }
                    Some(b'\t') => return None,
                    Some(_) => {}
                },
                Some(b'#') => {
                    if self.after_space() {
                        return self.plain(start);
                    }
                }
                Some(_) => return None,
            }
            self.at += 1;
        }
    }

    /// A scalar inside brackets.
    fn flow_token(&mut self) -> Option<Token> {
        match self.peek()? {
            quote @ (b'"' | b'\'') => {
                let token = self.quoted(quote)?;
                return if self.peek() == Some(b':') { self.key(token) } else { Some(token) };
            }
            b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'%'
            | b'@' | b'`' | b'?' | b':' => return None,
            b'-' if matches!(
                self.bytes.get(self.at + 1),
                None | Some(b' ' | b'\t' | b'\n' | b'\r' | b',' | b'[' | b']' | b'{' | b'}')
            ) =>
            {
                return None;
            }
            _ => {}
        }
        let start = self.at;
        loop {
            self.at += flow_word(self.rest());
            match self.peek()? {
                b',' | b'[' | b']' | b'{' | b'}' => return self.plain(start),
                b':' => match self.bytes.get(self.at + 1)? {
                    b' ' => {
                        let token = self.plain(start)?;
                        return self.key(token);
                    }
                    b'\t' | b'\n' | b'\r' | b',' | b'[' | b']' | b'{' | b'}' => return None,
                    _ => {}
                },
                b'#' if !self.after_space() => {}
                _ => return None,
            }
            self.at += 1;
        }
    }

    /// A quoted scalar without escapes.
    fn quoted(&mut self, quote: u8) -> Option<Token> {
        let start = self.at;
        self.at += 1;
        let stop = |byte: &u8| *byte == quote || matches!(byte, b'\\' | b'\n');
        loop {
            self.at += self.rest().iter().position(stop)?;
            match self.peek()? {
                b'\\' if quote == b'\'' => self.at += 1,
                byte if byte == quote => break,
                _ => return None,
            }
        }
        self.at += 1;
        if quote == b'\'' && self.peek() == Some(b'\'') {
            return None;
        }
        let (start, end) = (to_u32(start), to_u32(self.at));
        Some(Token {
            span: Span::new(start, end),
            text: Span::new(start + 1, end - 1),
            style: Style::Quoted,
            is_key: false,
        })
    }

    /// The plain scalar from `start` to here, without the spaces at its end.
    #[expect(clippy::unnecessary_wraps, reason = "reads as the other tokens do")]
    fn plain(&self, start: usize) -> Option<Token> {
        let text = self.bytes.get(start..self.at).unwrap_or_default();
        let spaces = text.iter().rev().take_while(|byte| **byte == b' ').count();
        let span = Span::new(to_u32(start), to_u32(self.at - spaces));
        Some(Token { span, text: span, style: Style::Plain, is_key: false })
    }

    /// Makes a key of the token before the colon here, and steps over the colon.
    fn key(&mut self, token: Token) -> Option<Token> {
        let text = self.bytes.get(token.span.range()).unwrap_or_default();
        if text.len() > KEY_MAX || text == b"<<" {
            return None;
        }
        self.at += 1;
        Some(Token { is_key: true, ..token })
    }

    fn push(&mut self, token: &Token) {
        self.arena.scalar(token.span, token.style, token.text);
    }

    fn absent(&mut self, at: usize) -> Span {
        let span = Span::new(to_u32(at), to_u32(at));
        self.arena.scalar(span, Style::Plain, span);
        span
    }

    /// Ends a line behind a node, and goes to the first character of the next one.
    fn finish_line(&mut self) -> Option<()> {
        self.skip_spaces();
        if !self.at_line_end() {
            return None;
        }
        self.skip_line();
        self.next_line()
    }

    /// From a line's start to the first character of the next line that has a node on it.
    fn next_line(&mut self) -> Option<()> {
        loop {
            let start = self.at;
            self.skip_spaces();
            match self.peek() {
                None => {
                    self.column = END;
                    return Some(());
                }
                Some(b'\n' | b'\r' | b'#') => self.skip_line(),
                Some(b'\t') => return None,
                Some(_) => {
                    let column = self.at - start;
                    if column == 0
                        && (self.rest().starts_with(b"---") || self.rest().starts_with(b"..."))
                    {
                        return None;
                    }
                    self.column = i32::try_from(column).ok()?;
                    return Some(());
                }
            }
        }
    }

    /// Whether nothing but a comment is left of the line.
    fn at_line_end(&self) -> bool {
        match self.peek() {
            None | Some(b'\n' | b'\r') => true,
            Some(b'#') => self.after_space(),
            Some(_) => false,
        }
    }

    /// Whether a dash stands here that begins an item.
    fn at_dash(&self) -> bool {
        self.peek() == Some(b'-')
            && matches!(self.bytes.get(self.at + 1), None | Some(b' ' | b'\n' | b'\r'))
    }

    fn after_space(&self) -> bool {
        self.at.checked_sub(1).and_then(|before| self.bytes.get(before)) == Some(&b' ')
    }

    fn skip_spaces(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    fn skip_line(&mut self) {
        match memchr::memchr(b'\n', self.rest()) {
            Some(length) => self.at += length + 1,
            None => self.at = self.bytes.len(),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }
}
