//! Lays a placed document out in lines.
//!
//! It decides about indentation, spaces and blank lines, and about nothing else: what it writes
//! comes in the order of the tree, in the bytes of the source.

use super::Obstacle;
use super::place::Document;
use super::tree::{Body, Collection, Content, Node, Note, Shape, Tail};
use granit_parser::ScalarStyle;
use unicode_width::UnicodeWidthStr;

const INDENT: usize = 2;

/// How many times longer a document may become: a list that leaves its brackets at a great depth
/// pays for the indentation with every item.
const GROWTH_MAX: usize = 16;

/// Appends the lines of a document; `text` is what it was placed in.
pub(super) fn write(text: &str, document: &Document<'_>, out: &mut String) -> Result<(), Obstacle> {
    let Document { marked, beside, header, header_gap, root, tail, trail } = document;
    let left = text.len().saturating_mul(GROWTH_MAX).saturating_add(1);
    let mut writer = Writer { text, lines: Vec::new(), left, after_kept: false };
    if *marked {
        let mut line = "---".to_owned();
        if let Some(comment) = beside {
            word(&mut line, comment);
        }
        writer.push(line);
    }
    writer.notes(header, 0, true);
    if let Some(root) = root {
        if !header.is_empty() {
            writer.gap(*header_gap);
        }
        match &root.content {
            Content::Collection(collection) if !collection.flow => {
                writer.block(collection, 0, None);
            }
            _ => writer.value(root, tail, 0, String::new()),
        }
    }
    writer.notes(trail, 0, root.is_none() && header.is_empty());
    if writer.left == 0 {
        return Err(Obstacle::Unhandled("it would become many times longer"));
    }
    writer.finish(out);
    Ok(())
}

/// A line whose comment still waits for its column.
struct Line<'a> {
    text: String,
    comment: Option<&'a str>,
    /// Where the comment stood in the source.
    column: usize,
}

struct Writer<'a> {
    text: &'a str,
    lines: Vec<Line<'a>>,
    /// How many bytes may still be written; nothing is once there are none.
    left: usize,
    /// The last line belongs to a scalar that keeps the blank lines below it.
    after_kept: bool,
}

impl<'a> Writer<'a> {
    /// Writes entries; the first one goes on in the line `begun`, if there is one.
    fn block(&mut self, collection: &Collection<'a>, indent: usize, begun: Option<String>) {
        let mut begun = begun;
        for (index, entry) in collection.entries.iter().enumerate() {
            self.notes(&entry.lead, indent, index == 0);
            let mut line = begun.take().unwrap_or_else(|| {
                self.gap(entry.blank && (index > 0 || !entry.lead.is_empty()));
                spaces(indent)
            });
            match &entry.key {
                Some(key) => {
                    self.key(key, &mut line);
                    line.push(':');
                }
                None => line.push('-'),
            }
            match &entry.value.content {
                Content::Collection(inner) if !inner.flow => {
                    let compact = entry.key.is_none()
                        && entry.value.anchor.is_none()
                        && entry.tail.lines.is_empty();
                    if compact {
                        line.push(' ');
                        self.block(inner, indent + INDENT, Some(line));
                    } else {
                        anchor(&entry.value, &mut line);
                        self.end(line, &entry.tail);
                        self.block(inner, indent + INDENT, None);
                    }
                }
                _ => self.value(&entry.value, &entry.tail, indent, line),
            }
        }
        self.notes(&collection.trail, indent, false);
    }

    /// Ends a line with a value that is no block collection, and writes the lines it has below.
    fn value(&mut self, node: &Node<'a>, tail: &Tail<'a>, indent: usize, mut line: String) {
        match &node.content {
            Content::Scalar { style, .. } => {
                anchor(node, &mut line);
                let mut rest = self.source(node).split('\n');
                word(&mut line, rest.next().unwrap_or_default());
                for next in rest {
                    let done = trim_break(&line, *style);
                    self.push(done.to_owned());
                    let next = next.trim_start_matches([' ', '\t']);
                    line = if next.is_empty() { String::new() } else { spaces(indent + INDENT) };
                    line.push_str(next);
                }
                self.end(line, tail);
            }
            Content::Block { body, .. } => {
                anchor(node, &mut line);
                word(&mut line, body.header);
                self.end(line, tail);
                self.body(body, indent);
            }
            Content::Null => {
                anchor(node, &mut line);
                self.end(line, tail);
            }
            Content::Alias { .. } | Content::Collection(_) => {
                self.flow(node, &mut line);
                self.end(line, tail);
            }
        }
    }

    fn body(&mut self, body: &Body<'a>, indent: usize) {
        let indent = indent + body.explicit.unwrap_or(INDENT);
        for text in &body.lines {
            let mut line = if text.is_empty() { String::new() } else { spaces(indent) };
            line.push_str(text);
            self.push(line);
        }
        self.after_kept = body.header.contains('+');
    }

    /// Appends a value that stands on one line.
    fn flow(&self, node: &Node<'a>, line: &mut String) {
        let Content::Collection(collection) = &node.content else {
            anchor(node, line);
            if !matches!(node.content, Content::Null) {
                word(line, self.source(node));
            }
            return;
        };
        anchor(node, line);
        let (open, close) = match collection.shape {
            Shape::Mapping => ("{", '}'),
            Shape::Sequence => ("[", ']'),
        };
        word(line, open);
        for (index, entry) in collection.entries.iter().enumerate() {
            if index > 0 {
                line.push_str(", ");
            }
            if let Some(key) = &entry.key {
                self.key(key, line);
                if entry.colon {
                    line.push_str(": ");
                }
            }
            self.flow(&entry.value, line);
        }
        line.push(close);
    }

    fn key(&self, key: &Node<'a>, line: &mut String) {
        if let Some(anchor) = &key.anchor {
            line.push_str(anchor.name);
            line.push(' ');
        }
        line.push_str(self.source(key));
    }

    fn source(&self, node: &Node<'a>) -> &'a str {
        self.text.get(node.span.clone()).unwrap_or_default()
    }

    fn notes(&mut self, notes: &[Note<'a>], indent: usize, first: bool) {
        for (index, note) in notes.iter().enumerate() {
            self.gap(note.blank && !(first && index == 0));
            self.push(spaces(indent) + note.text);
        }
    }

    fn gap(&mut self, blank: bool) {
        if blank && !self.after_kept {
            self.push(String::new());
        }
    }

    fn end(&mut self, line: String, tail: &Tail<'a>) {
        self.push(line);
        let mut comments = tail.lines.iter();
        if let (Some(last), Some(comment)) = (self.lines.last_mut(), comments.next()) {
            last.comment = Some(comment);
            last.column = tail.column;
        }
        self.lines.extend(comments.map(|comment| Line {
            text: String::new(),
            comment: Some(comment),
            column: tail.column,
        }));
    }

    fn push(&mut self, text: String) {
        self.after_kept = false;
        self.left = self.left.saturating_sub(text.len());
        if self.left == 0 {
            return;
        }
        self.lines.push(Line { text, comment: None, column: 0 });
    }

    /// Puts the lines together. Comments of neighbouring lines that shared a column share one
    /// again, as far left as they can; all others stand one space behind their line.
    fn finish(self, out: &mut String) {
        let together = |a: &Line<'_>, b: &Line<'_>| {
            a.comment.is_some() && b.comment.is_some() && a.column == b.column
        };
        for group in self.lines.chunk_by(together) {
            let aligned = group.iter().filter(|line| line.comment.is_some());
            let column = aligned.map(|line| line.text.width() + 1).max().unwrap_or(0);
            for line in group {
                out.push_str(&line.text);
                if let Some(comment) = line.comment {
                    let gap = column - line.text.width();
                    out.extend(std::iter::repeat_n(' ', gap));
                    out.push_str(comment);
                }
                out.push('\n');
            }
        }
    }
}

fn anchor(node: &Node<'_>, line: &mut String) {
    if let Some(anchor) = &node.anchor {
        word(line, anchor.name);
    }
}

/// Appends a word, with a space where one is needed.
fn word(line: &mut String, word: &str) {
    if !line.is_empty() && !line.ends_with([' ', '[', '{']) {
        line.push(' ');
    }
    line.push_str(word);
}

fn spaces(count: usize) -> String {
    " ".repeat(count)
}

/// A line of a scalar without the blanks at its end, which no reader sees.
///
/// One that a backslash escapes is seen.
fn trim_break(line: &str, style: ScalarStyle) -> &str {
    let trimmed = line.trim_end_matches([' ', '\t']);
    let slashes = trimmed.len() - trimmed.trim_end_matches('\\').len();
    let escaped = style == ScalarStyle::DoubleQuoted && slashes % 2 == 1;
    let end = trimmed.len() + usize::from(escaped && trimmed.len() < line.len());
    line.get(..end).unwrap_or(trimmed)
}
