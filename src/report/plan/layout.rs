//! Lines for a terminal: columns, wrapping, colour.
//!
//! It knows nothing of plans. Width is counted in columns, because names are written in every script.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Effects, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

pub(in crate::report) const PLAIN: Style = Style::new();
pub(in crate::report) const BOLD: Style = Style::new().bold();
pub(in crate::report) const DIM: Style = Style::new().dimmed();
pub(in crate::report) const RED: Style = AnsiColor::Red.on_default();
pub(in crate::report) const GREEN: Style = AnsiColor::Green.on_default();
pub(in crate::report) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(in crate::report) const BLUE: Style = AnsiColor::Blue.on_default();
pub(in crate::report) const MAGENTA: Style = AnsiColor::Magenta.on_default();
pub(in crate::report) const CYAN: Style = AnsiColor::Cyan.on_default();
pub(in crate::report) const ALARM: Style = AnsiColor::Red.on_default().bold();
pub(in crate::report) const STRUCK: Style =
    AnsiColor::Red.on_default().effects(Effects::STRIKETHROUGH);

/// A piece of text in one style.
#[derive(Debug, Clone)]
pub(in crate::report) struct Span {
    text: String,
    style: Style,
}

pub(in crate::report) fn span(text: impl Into<String>, style: Style) -> Span {
    Span { text: text.into(), style }
}

pub(in crate::report) fn plain(text: impl Into<String>) -> Span {
    span(text, PLAIN)
}

pub(in crate::report) fn columns(text: &str) -> usize {
    text.width()
}

pub(in crate::report) fn width_of(spans: &[Span]) -> usize {
    spans.iter().map(|span| columns(&span.text)).sum()
}

/// The text, filled up with spaces.
pub(in crate::report) fn padded(text: &str, width: usize) -> String {
    let fill = width.saturating_sub(columns(text));
    format!("{text}{}", " ".repeat(fill))
}

/// Text in colour, or not.
pub(in crate::report) fn paint(text: &str, style: Style, color: bool) -> String {
    if color && style != PLAIN && !text.is_empty() {
        format!("{style}{text}{style:#}")
    } else {
        text.to_owned()
    }
}

/// Words in lines of a width: the first behind `first`, the others behind as many spaces as
/// `indent`. A word that is longer than a line is cut into several.
pub(in crate::report) fn wrapped(
    first: &[Span],
    indent: usize,
    spans: &[Span],
    width: usize,
    color: bool,
) -> String {
    let mut lines = Lines {
        text: String::new(),
        ink: PLAIN,
        at: width_of(first),
        is_begun: false,
        space: None,
        indent,
        // So narrow that nothing could be read: longer lines are the lesser evil.
        width: width.max(indent + WORDS_MIN),
        color,
    };
    for span in first {
        lines.write(&span.text, span.style);
    }
    for span in spans {
        for (is_space, word) in words(&span.text) {
            if is_space { lines.space(span.style, word) } else { lines.word(word, span.style) }
        }
    }
    lines.write("\n", PLAIN);
    lines.text
}

/// So many columns are there for words, however deep they stand.
const WORDS_MIN: usize = 20;

struct Lines {
    text: String,
    /// In which style the text goes on.
    ink: Style,
    /// In which column.
    at: usize,
    /// Whether this line has a word already.
    is_begun: bool,
    /// What stands between the last word and the next.
    space: Option<(String, Style)>,
    indent: usize,
    width: usize,
    color: bool,
}

impl Lines {
    fn space(&mut self, style: Style, space: &str) {
        if self.is_begun {
            self.space = Some((space.to_owned(), style));
        }
    }

    fn word(&mut self, word: &str, style: Style) {
        let space = self.space.take();
        let gap = space.as_ref().map_or(0, |(space, _)| columns(space));
        if self.is_begun && self.at + gap + columns(word) > self.width && gap > 0 {
            self.line();
        } else if let Some((space, style)) = space {
            self.at += gap;
            self.write(&space, style);
        }
        let mut rest = word;
        while self.at + columns(rest) > self.width {
            let end = fitting(rest, self.width.saturating_sub(self.at));
            let (head, tail) = rest.split_at(end);
            self.put(head, style);
            self.line();
            rest = tail;
        }
        self.put(rest, style);
    }

    fn put(&mut self, word: &str, style: Style) {
        // A CI runner takes a line for a command when it begins with two colons.
        let harmless = match word.strip_prefix("::") {
            Some(rest) if !self.is_begun => format!("\\u{{3a}}:{rest}"),
            _ => word.to_owned(),
        };
        self.at += columns(&harmless);
        self.is_begun |= !harmless.is_empty();
        self.write(&harmless, style);
    }

    /// Neighbours in one style are painted as one.
    fn write(&mut self, text: &str, style: Style) {
        if self.color && style != self.ink && !text.is_empty() {
            if self.ink != PLAIN {
                let _ = write!(self.text, "{:#}", self.ink);
            }
            let _ = write!(self.text, "{style}");
            self.ink = style;
        }
        self.text.push_str(text);
    }

    fn line(&mut self) {
        self.write("\n", PLAIN);
        self.write(&" ".repeat(self.indent), PLAIN);
        self.at = self.indent;
        self.is_begun = false;
    }
}

/// Spaces and what stands between them. Only the space itself parts words: others are shown.
fn words(text: &str) -> impl Iterator<Item = (bool, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let is_space = rest.starts_with(' ');
        let end = rest.find(|char| (char == ' ') != is_space).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        rest = behind;
        (!word.is_empty()).then_some((is_space, word))
    })
}

/// How many bytes of a text fit; one character at least.
fn fitting(text: &str, width: usize) -> usize {
    let mut at = 0;
    for (start, char) in text.char_indices() {
        at += char.width().unwrap_or(0);
        if at > width && start > 0 {
            return start;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(text: &str, width: usize) -> String {
        wrapped(&[plain("- ")], 2, &[plain(text)], width, false)
    }

    #[test]
    fn words_go_on_below_where_they_began() {
        assert_eq!(
            lines("one two three four five six seven", 22),
            "- one two three four\n  five six seven\n"
        );
        assert_eq!(lines("田中田中田中田中田中田中", 22), "- 田中田中田中田中田中\n  田中\n");
        assert_eq!(lines("", 22), "- \n");
    }

    #[test]
    fn no_line_begins_with_a_command() {
        let text = "one two three four ::error::five";
        assert_eq!(lines(text, 26), "- one two three four\n  \\u{3a}:error::five\n");
        let spans = [plain("a"), span(" ::b", BOLD)];
        assert_eq!(wrapped(&[], 0, &spans, 80, true), "a\u{1b}[1m ::b\u{1b}[0m\n");
    }

    proptest! {
        #[test]
        fn lines_are_no_wider_and_lose_nothing(text in "[ a-z田:é]{0,200}", width in 22_usize..60) {
            let shown = lines(&text, width);
            for line in shown.lines() {
                // What is made harmless may be wider by that.
                prop_assert!(columns(line) <= width + 6, "{line:?}");
            }
            let letters = |text: &str| -> String {
                text.replace("\\u{3a}", ":").chars().filter(|char| !char.is_whitespace()).collect()
            };
            prop_assert_eq!(letters(&shown), letters(&format!("- {text}")));
        }
    }
}
