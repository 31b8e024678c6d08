//! Finds the exact place of every token and gives every comment to the node it belongs to.
//!
//! A comment on a line of its own belongs to the entry below it; when it is indented deeper than
//! that entry, it ends the block it is indented like. A comment at the end of a line belongs to
//! the entry of that line, together with the comments right below that stand in its column.
//!
//! It refuses whatever it finds elsewhere: comments within flow collections or between a key and
//! its value, keys that are more than a word, anything it did not expect between two tokens.

use super::Obstacle;
use super::tree::{Body, Collection, Content, Entry, Node, Note, Shape, Tail, Tree};
use granit_parser::ScalarStyle;
use unicode_width::UnicodeWidthStr;

const UNEXPECTED: Obstacle = Obstacle::Unhandled("it is written in an unusual way");
const COMMENT_INSIDE: Obstacle = Obstacle::Unhandled("a comment stands within a flow collection");
const COMMENT_BETWEEN: Obstacle =
    Obstacle::Unhandled("a comment stands between a key and its value");
const COMMENT_TWICE: Obstacle = Obstacle::Unhandled("two comments would meet on one line");
const COMPLEX_KEY: Obstacle = Obstacle::Unhandled("one of its keys is not a plain word");
const PAIR: Obstacle = Obstacle::Unhandled("a list holds a pair without braces");
const JSON: Obstacle = Obstacle::Unhandled("it is written like JSON, over several lines");
const TEXT: Obstacle = Obstacle::Unhandled("it is a text of several lines");
const ROOT_ANCHOR: Obstacle = Obstacle::Unhandled("an anchor stands on the document itself");
const NO_BREAK: Obstacle = Obstacle::Unhandled("a block scalar ends without a line break");

/// A document whose comments have found their nodes.
#[derive(Debug)]
pub(super) struct Document<'a> {
    /// It begins with `---`.
    pub(super) marked: bool,
    /// The comment beside that.
    pub(super) beside: Option<&'a str>,
    /// Comments that stay on top.
    pub(super) header: Vec<Note<'a>>,
    /// A blank line stands between those and what follows.
    pub(super) header_gap: bool,
    pub(super) root: Option<Node<'a>>,
    /// Beside a root that is one line.
    pub(super) tail: Tail<'a>,
    /// Comments at the end.
    pub(super) trail: Vec<Note<'a>>,
}

/// Places what [`super::tree::read`] found in the same text.
pub(super) fn place<'a>(text: &'a str, tree: Tree<'a>) -> Result<Document<'a>, Obstacle> {
    let mut placer = Placer::new(text, &tree);
    let marked = super::marker(text) == Some("---");
    let start = placer.skip(if marked { 3 } else { 0 });
    let beside = if marked { placer.beside_marker(start) } else { None };
    let mut document = Document {
        marked,
        beside,
        header: placer.own_lines(start)?,
        header_gap: placer.blank_above(start),
        root: None,
        tail: Tail::default(),
        trail: Vec::new(),
    };
    let Some(mut root) = tree.root else {
        return Ok(document);
    };
    if root.anchor.is_some() {
        return Err(ROOT_ANCHOR);
    }
    match &mut root.content {
        Content::Null => return Ok(document),
        Content::Collection(collection) if !collection.flow => {
            let mut lead = std::mem::take(&mut document.header);
            placer.block(collection, start, None)?;
            if let Some(first) = collection.entries.first_mut() {
                first.blank = document.header_gap;
                let header = header_length(&lead, first);
                first.lead = lead.split_off(header);
                document.header = lead;
                document.header_gap = std::mem::take(first.blank_above());
            }
        }
        Content::Collection(_) if !placer.one_line(&root.span) => return Err(JSON),
        Content::Scalar { .. } if !placer.one_line(&root.span) => return Err(TEXT),
        Content::Block { .. } => return Err(TEXT),
        _ => {
            placer.value(&mut root, &mut document.tail, start, 0, true)?;
        }
    }
    document.root = Some(root);
    document.trail = placer.own_lines(text.len())?;
    Ok(document)
}

/// How many of the comments above the first key speak of the whole document.
///
/// All of them where the document begins as documents do; otherwise those with a blank line
/// below, and those for editors.
fn header_length(lead: &[Note<'_>], first: &Entry<'_>) -> usize {
    if matches!(first.key_text(), "apiVersion" | "kind") {
        return lead.len();
    }
    let mut length = 0;
    for (count, note) in (1..).zip(lead) {
        let blank_below = lead.get(count).map_or(first.blank, |next| next.blank);
        if blank_below || note.text.contains("yaml-language-server:") {
            length = count;
        }
    }
    length
}

struct Comment<'a> {
    text: &'a str,
    start: usize,
    line: usize,
    own_line: bool,
    /// The display width of what stands left of it.
    column: usize,
}

struct Placer<'a> {
    text: &'a str,
    /// Where each line begins.
    lines: Vec<usize>,
    comments: Vec<Comment<'a>>,
    /// The first comment without a node.
    next: usize,
    /// The last stretch that was skipped: blocks that end together ask again and again.
    skipped: (usize, usize),
    /// The last line of the last block scalar: blank lines up to there are text.
    text_line: usize,
}

impl<'a> Placer<'a> {
    fn new(text: &'a str, tree: &Tree<'a>) -> Self {
        let mut lines = vec![0];
        lines.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1));
        let mut placer = Self {
            text,
            lines,
            comments: Vec::new(),
            next: 0,
            skipped: (usize::MAX, 0),
            text_line: 0,
        };
        placer.comments = tree
            .comments
            .iter()
            .map(|span| {
                let line = placer.line(span.start);
                let before = placer.before(span.start);
                Comment {
                    text: placer.slice(span.start, span.end).trim_end_matches([' ', '\t']),
                    start: span.start,
                    line,
                    own_line: is_blank(before),
                    column: before.width(),
                }
            })
            .collect();
        placer
    }

    /// Places what stands in a block, from the first key or dash on; returns where it ends.
    fn block(
        &mut self,
        collection: &mut Collection<'a>,
        start: usize,
        parent: Option<usize>,
    ) -> Result<usize, Obstacle> {
        let column = self.before(start).len();
        let mut end = start;
        for (index, entry) in collection.entries.iter_mut().enumerate() {
            let start = self.skip(end);
            if self.before(start).len() != column {
                return Err(UNEXPECTED);
            }
            entry.lead = self.own_lines(start)?;
            entry.blank = self.blank_above(start);
            if index == 0 {
                // What comes first moves without the blank line above it.
                *entry.blank_above() = false;
            }
            let head = self.head(entry, start)?;
            let item = entry.key.is_none();
            end = self.value(&mut entry.value, &mut entry.tail, head, column, item)?;
        }
        let next = self.skip(end);
        let next_column = (next < self.text.len()).then(|| self.before(next).len());
        // A list may stand in the column of its key: only what looks like an item is its then.
        let shared = collection.shape == Shape::Sequence && parent == Some(column);
        while let Some(comment) = self.comment_before(next)
            && comment.own_line
            && comment.column >= column
            && if shared {
                comment.text.trim_start_matches(['#', ' ']).starts_with("- ")
            } else {
                next_column.is_none_or(|next| comment.column > next)
            }
        {
            let note = self.note(comment);
            collection.trail.push(note);
            self.next += 1;
        }
        Ok(end)
    }

    /// Checks the key or the dash of an entry; returns where its value may begin.
    fn head(&self, entry: &Entry<'a>, start: usize) -> Result<usize, Obstacle> {
        let Some(key) = &entry.key else {
            return if self.byte(start) == Some(b'-') { Ok(start + 1) } else { Err(UNEXPECTED) };
        };
        self.check_key(key)?;
        if key.start() != start {
            return Err(COMPLEX_KEY);
        }
        let colon = self.skip_blanks(key.span.end);
        if self.byte(colon) == Some(b':') { Ok(colon + 1) } else { Err(COMPLEX_KEY) }
    }

    fn check_key(&self, key: &Node<'a>) -> Result<(), Obstacle> {
        let simple = matches!(key.content, Content::Scalar { .. })
            && self.one_line(&(key.start()..key.span.end));
        if simple { Ok(()) } else { Err(COMPLEX_KEY) }
    }

    /// Places a value that stands somewhere behind `head`; returns where it ends.
    fn value(
        &mut self,
        node: &mut Node<'a>,
        tail: &mut Tail<'a>,
        head: usize,
        column: usize,
        item: bool,
    ) -> Result<usize, Obstacle> {
        let mut start = head;
        if let Some(anchor) = &node.anchor {
            if self.skip(head) != anchor.span.start {
                return Err(UNEXPECTED);
            }
            start = anchor.span.end;
        }
        let nothing = matches!(node.content, Content::Null);
        let first = if nothing { start } else { self.skip(start) };
        if let Content::Collection(collection) = &mut node.content
            && !collection.flow
        {
            // Below a dash, the comments of the first entry may stand in the same column.
            self.head_tail(tail, first, !item)?;
            return self.block(collection, first, Some(column));
        }
        self.head_tail(tail, first, false)?;
        if self.comment_before(first).is_some() {
            return Err(COMMENT_BETWEEN);
        }
        let end = match &mut node.content {
            Content::Null => start,
            Content::Block { style, body, .. } => {
                let end;
                (*body, end) = self.body(first, column, *style)?;
                self.text_line = self.line(first) + body.lines.len();
                let header_end = self.line_end(first);
                self.head_tail(tail, header_end, false)?;
                return Ok(end);
            }
            Content::Collection(_) => {
                if first != node.span.start {
                    return Err(UNEXPECTED);
                }
                let end = node.span.end;
                if self.comment_before(end).is_some() {
                    return Err(COMMENT_INSIDE);
                }
                self.flow(node, false)?;
                let spread = !self.one_line(&node.span);
                // It becomes a block, and blocks below a dash have no continued comment.
                self.end_tail(tail, end, !(item && spread))?;
                return Ok(end);
            }
            Content::Scalar { .. } | Content::Alias { .. } => {
                if first != node.span.start {
                    return Err(UNEXPECTED);
                }
                node.span.end
            }
        };
        self.end_tail(tail, end, true)?;
        Ok(end)
    }

    /// Looks into a flow collection: which colons it has, and whether it is a block in truth.
    fn flow(&self, node: &mut Node<'a>, spread: bool) -> Result<(), Obstacle> {
        let Content::Collection(collection) = &mut node.content else {
            // Readers disagree about these within brackets and would agree without.
            let doubtful = matches!(self.byte(node.span.start), Some(b'?' | b':'));
            return if spread && doubtful { Err(UNEXPECTED) } else { Ok(()) };
        };
        let bracket = match collection.shape {
            Shape::Mapping => b'{',
            Shape::Sequence => b'[',
        };
        if self.byte(node.span.start) != Some(bracket) {
            return Err(PAIR);
        }
        collection.flow = collection.entries.is_empty() || self.one_line(&node.span);
        let spread = !collection.flow;
        for entry in &mut collection.entries {
            if let Some(key) = &mut entry.key {
                self.check_key(key)?;
                self.flow(key, spread)?;
                entry.colon = self.byte(self.skip_blanks(key.span.end)) == Some(b':');
            }
            self.flow(&mut entry.value, spread)?;
        }
        Ok(())
    }

    /// Reads the source of a block scalar that begins at `start`; returns where it ends.
    fn body(
        &self,
        start: usize,
        column: usize,
        style: ScalarStyle,
    ) -> Result<(Body<'a>, usize), Obstacle> {
        let line_end = self.line_end(start);
        let line = self.slice(start, line_end);
        let header = line.split([' ', '\t']).next().unwrap_or_default();
        let mark = if style == ScalarStyle::Folded { '>' } else { '|' };
        let indicators = header.strip_prefix(mark).ok_or(UNEXPECTED)?;
        let explicit = indicators.chars().find_map(|c| c.to_digit(10)).map(|digit| digit as usize);
        let keep = indicators.contains('+');
        let mut body = Body { header, explicit, lines: Vec::new() };
        let mut indentation = explicit.map(|by| column + by);
        let mut end = line_end;
        let mut text_lines = 0;
        let mut at = line_end;
        while at < self.text.len() {
            at += 1;
            let line_end = self.line_end(at);
            let line = self.slice(at, line_end);
            let spaces = line.len() - line.trim_start_matches(' ').len();
            let has_text = spaces < line.len();
            if has_text && indentation.is_none() && spaces > column {
                indentation = Some(spaces);
            }
            match indentation {
                Some(indentation) if spaces >= indentation && line.len() > indentation => {
                    body.lines.push(line.get(indentation..).unwrap_or_default());
                    text_lines = body.lines.len();
                    end = line_end;
                }
                _ if has_text => break,
                // What the text behind the last line break looks like to us is not a line.
                _ if at == self.text.len() => break,
                _ => body.lines.push(""),
            }
            at = line_end;
        }
        if end == self.text.len() && !indicators.contains('-') {
            return Err(NO_BREAK);
        }
        if !keep {
            body.lines.truncate(text_lines);
        }
        Ok((body, end))
    }

    /// Takes the comment at the end of a line that begins a value, and its continuation.
    fn head_tail(
        &mut self,
        tail: &mut Tail<'a>,
        limit: usize,
        continued: bool,
    ) -> Result<(), Obstacle> {
        while let Some(comment) = self.comment_before(limit)
            && !comment.own_line
        {
            if !tail.lines.is_empty() {
                return Err(COMMENT_TWICE);
            }
            self.take_tail(tail, if continued { limit } else { 0 });
        }
        Ok(())
    }

    /// Takes the comment at the end of the line on which a value ends, and its continuation.
    fn end_tail(
        &mut self,
        tail: &mut Tail<'a>,
        end: usize,
        continued: bool,
    ) -> Result<(), Obstacle> {
        let line = self.line(end);
        if let Some(comment) = self.comments.get(self.next)
            && comment.line == line
            && !comment.own_line
        {
            if !tail.lines.is_empty() {
                return Err(COMMENT_TWICE);
            }
            self.take_tail(tail, if continued { self.text.len() } else { 0 });
        }
        Ok(())
    }

    /// Takes a comment, and those before `limit` that stand right below in its column.
    fn take_tail(&mut self, tail: &mut Tail<'a>, limit: usize) {
        let Some(first) = self.comments.get(self.next) else { return };
        tail.column = first.column;
        tail.lines.push(first.text);
        let mut line = first.line;
        self.next += 1;
        while let Some(comment) = self.comment_before(limit)
            && comment.own_line
            && comment.column == tail.column
            && comment.line == line + 1
        {
            tail.lines.push(comment.text);
            line = comment.line;
            self.next += 1;
        }
    }

    /// Takes the comments before a byte; all of them have a line of their own.
    fn own_lines(&mut self, limit: usize) -> Result<Vec<Note<'a>>, Obstacle> {
        let mut notes = Vec::new();
        while let Some(comment) = self.comment_before(limit) {
            if !comment.own_line {
                return Err(UNEXPECTED);
            }
            notes.push(self.note(comment));
            self.next += 1;
        }
        Ok(notes)
    }

    /// Takes the comment on the line of `---`, unless the document itself stands before it.
    fn beside_marker(&mut self, root: usize) -> Option<&'a str> {
        let comment = self.comment_before(root).filter(|comment| comment.line == 0)?;
        let text = comment.text;
        self.next += 1;
        Some(text)
    }

    fn note(&self, comment: &Comment<'a>) -> Note<'a> {
        Note { text: comment.text, blank: self.blank_above(comment.start) }
    }

    fn comment_before(&self, limit: usize) -> Option<&Comment<'a>> {
        self.comments.get(self.next).filter(|comment| comment.start < limit)
    }

    /// The next token: behind white space, line breaks and comments.
    fn skip(&mut self, from: usize) -> usize {
        let (start, end) = self.skipped;
        if (start..=end).contains(&from) {
            return end;
        }
        let mut at = from;
        loop {
            match self.byte(at) {
                Some(b' ' | b'\t' | b'\n') => at += 1,
                Some(b'#') => at = self.line_end(at),
                _ => break,
            }
        }
        self.skipped = (from, at);
        at
    }

    fn skip_blanks(&self, from: usize) -> usize {
        let rest = self.slice(from, self.text.len());
        from + (rest.len() - rest.trim_start_matches([' ', '\t', '\n']).len())
    }

    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at).saturating_sub(1)
    }

    fn line_start(&self, at: usize) -> usize {
        self.lines.get(self.line(at)).copied().unwrap_or(0)
    }

    /// The line break that ends the line of a byte, or the end of the text.
    fn line_end(&self, at: usize) -> usize {
        self.lines.get(self.line(at) + 1).map_or(self.text.len(), |next| next - 1)
    }

    /// What stands before a byte on its line.
    fn before(&self, at: usize) -> &'a str {
        self.slice(self.line_start(at), at)
    }

    fn one_line(&self, span: &std::ops::Range<usize>) -> bool {
        self.line(span.start) == self.line(span.end)
    }

    /// Whether something is the first of its line and the line above is blank.
    fn blank_above(&self, at: usize) -> bool {
        let line = self.line(at);
        let start = self.line_start(at);
        line > self.text_line + 1
            && is_blank(self.slice(start, at))
            && is_blank(self.slice(self.line_start(start - 1), start))
    }
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\n'))
}
