//! Says what is wrong with broken YAML in words that help.
//!
//! The parser knows where it stumbled and in which state; people want to know what to change.
//! This module looks at the line around the place for the mistakes that people make, and falls
//! back to the parser's reason. It decides nothing: the text is refused already.

use granit_parser::ErrorKind;

use super::Fault;
use crate::manifest::code::Code;
use crate::manifest::source::{Span, to_u32};

/// The longest value that a suggestion repeats.
const SHOWN_MAX: usize = 60;

/// The fault for a syntax error that the parser noticed at a byte of the chunk, inside a bracket
/// or not.
pub(super) fn fault(chunk: &str, at: usize, bracket: Option<usize>, kind: &ErrorKind) -> Fault {
    let (code, at, message, help) =
        unclosed(chunk, at, bracket, kind).unwrap_or_else(|| explain(chunk, at, kind));
    let span = character(chunk, at);
    let help = match help {
        Some(QUOTE_IT) => Some(quote_it(chunk, span.start as usize, kind)),
        other => other.map(str::to_owned),
    };
    Fault { code, span, message, help }
}

/// The span of the character at a byte; at a line's end, of the last visible one before it.
///
/// Never outside the text: an error at the end of input has to be shown somewhere.
pub(super) fn character(chunk: &str, at: usize) -> Span {
    let at = chunk.floor_char_boundary(at);
    let here = chunk.get(at..).and_then(|rest| rest.chars().next());
    let (start, character) = match here {
        Some(c) if !matches!(c, '\n' | '\r') => (at, c),
        _ => {
            let before = chunk.get(..at).unwrap_or_default();
            let last = before.char_indices().rev().find(|(_, c)| !c.is_ascii_whitespace());
            match last.or_else(|| chunk.char_indices().next()) {
                Some(found) => found,
                None => return Span::new(0, 0),
            }
        }
    };
    Span::new(to_u32(start), to_u32(start + character.len_utf8()))
}

const QUOTE_IT: &str = "put the value in quotes";

type Explanation = (Code, usize, String, Option<&'static str>);

fn explain(chunk: &str, at: usize, kind: &ErrorKind) -> Explanation {
    use ErrorKind as E;

    let syntax = |at: usize, message: &str, help| (Code::P0001, at, message.to_owned(), help);
    let line = Line::at(chunk, at);
    if let Some(tab) = line.leading_tab()
        && !matches!(kind, E::UnclosedQuotedScalar | E::UnclosedFlowCollection { .. })
    {
        return syntax(tab, "a tab in the indentation", Some("indent with spaces"));
    }
    match kind {
        // The parser shows where the value began that the tab would continue.
        E::TabInPlainScalar => {
            let at = tab_below(chunk, at).unwrap_or(at);
            syntax(at, "a tab in the indentation", Some("indent with spaces"))
        }
        E::TabNotAllowed
        | E::TabInBlockIndentation
        | E::TabInIndentation
        | E::TabAtBlockScalarStart
        | E::InvalidBlockEntryWhitespace => {
            let at = line.tab_near(at).unwrap_or(at);
            syntax(at, "a tab in the indentation", Some("indent with spaces"))
        }
        E::UnclosedQuotedScalar | E::DocumentIndicatorInQuotedScalar => {
            syntax(at, "a quote that is not closed", Some("close the quote"))
        }
        E::UnclosedFlowCollection { open } => {
            (Code::P0001, at, format!("`{open}` is not closed"), Some("close the bracket"))
        }
        E::MismatchedFlowCollectionEnd { open, close } => {
            (Code::P0001, at, format!("`{open}` is closed by `{close}`"), None)
        }
        E::MisplacedFlowCollectionEnd => {
            syntax(at, "a closing bracket without an opening one", None)
        }
        E::ExpectedFlowMappingSeparator => {
            syntax(at, "expected `,` or `}`", Some("is a bracket not closed, or a comma missing?"))
        }
        E::ExpectedFlowSequenceSeparator => {
            syntax(at, "expected `,` or `]`", Some("is a bracket not closed, or a comma missing?"))
        }
        E::InvalidColonPlacement => {
            syntax(at, "a `:` in an unexpected place", Some("is a bracket not closed above?"))
        }
        E::FlowMappingValueAdjacentCollection => {
            syntax(at, "a `:` without a space behind it", Some("put a space after the colon"))
        }
        E::UnexpectedCharacter { character: c @ ('|' | '>') } => (
            Code::P0001,
            at,
            format!("a `{c}` block cannot stand inside brackets"),
            Some("put the value in quotes if it is text"),
        ),
        E::UnexpectedCharacter { character: '`' } => {
            syntax(at, "a value cannot begin with a backtick", Some(QUOTE_IT))
        }
        E::UnexpectedCharacter { character } => (
            Code::P0001,
            at,
            format!("a value cannot begin with `{}`", character.escape_default()),
            Some(QUOTE_IT),
        ),
        E::MappingValueNotAllowed => {
            if let Some(colon) = line.tight_colon_above(chunk) {
                syntax(
                    colon,
                    "a `:` without a space behind it",
                    Some("put a space after the colon"),
                )
            } else if line.has_key_before(at) {
                syntax(at, "a `:` followed by a space inside an unquoted value", Some(QUOTE_IT))
            } else {
                syntax(
                    at,
                    "a key is not expected here",
                    Some("check the indentation of this line and of the one above"),
                )
            }
        }
        E::SimpleKeyExpected => match line.tight_colon() {
            Some(colon) => syntax(
                colon,
                "a `:` without a space behind it",
                Some("put a space after the colon"),
            ),
            None => syntax(
                at,
                "expected a key and a colon",
                Some("indent the line if the value above goes on here"),
            ),
        },
        E::UnknownAnchor => syntax(
            at,
            "an alias to an anchor that is not defined in this document",
            Some("put the value in quotes if it is text"),
        ),
        E::MissingAnchorOrAliasName => syntax(
            at,
            "`&` and `*` need a name behind them",
            Some("put the value in quotes if it is text"),
        ),
        E::UndeclaredTagHandle
        | E::ExpectedTagBang
        | E::InvalidGlobalTagCharacter
        | E::InvalidTagTerminator
        | E::MissingTagUri
        | E::UnclosedVerbatimTag
        | E::InvalidTagEscape
        | E::InvalidTagUtf8LeadingByte
        | E::InvalidTagUtf8TrailingByte
        | E::InvalidTagUtf8 => (
            Code::P0007,
            at,
            "tags are not supported".to_owned(),
            Some("put the value in quotes if it is text"),
        ),
        E::DuplicateVersionDirective
        | E::UnsupportedYamlMajorVersion
        | E::DuplicateTagDirective
        | E::MissingYamlVersionSeparator
        | E::MissingYamlVersion
        | E::YamlVersionTooLong
        | E::MissingDirectiveName
        | E::InvalidDirectiveName
        | E::ExpectedTagDirectiveBang
        | E::InvalidTagDirectiveTerminator
        | E::InvalidDirectiveTerminator
        | E::DirectiveByteLimitExceeded { .. }
        | E::TooManyReservedDirectiveParams { .. } => (
            Code::P0009,
            at,
            "only the directive `%YAML 1.2` is supported".to_owned(),
            Some("remove the line, or put the value in quotes if it is text"),
        ),
        E::MissingDocumentEndBeforeDirective => syntax(
            at,
            "a directive inside a document",
            Some("put the value in quotes if it is text"),
        ),
        E::ExpectedDocumentStart if follows_directive(chunk, at) => syntax(
            at,
            "directives without a `---` line behind them",
            Some("put the value in quotes if it is text"),
        ),
        E::ExpectedDocumentStart => syntax(
            at,
            "text behind the end of the document",
            Some("check the indentation of this line"),
        ),
        E::InvalidDocumentEnd => syntax(at, "text behind the `...` that ends the document", None),
        E::InvalidTrailingSingleQuotedScalar => syntax(
            at,
            "text behind the closing quote",
            Some("inside single quotes a quote is written twice: `''`"),
        ),
        E::InvalidTrailingDoubleQuotedScalar => syntax(
            at,
            "text behind the closing quote",
            Some("inside double quotes a quote is written `\\\"`"),
        ),
        E::UnknownQuotedScalarEscape => syntax(
            bad_escape(chunk, at, kind).unwrap_or(at),
            "an escape that does not exist",
            Some("write `\\\\` for a backslash, or use single quotes"),
        ),
        E::InvalidQuotedScalarHexEscape => syntax(
            bad_escape(chunk, at, kind).unwrap_or(at),
            "an escape without its hexadecimal digits",
            Some("write `\\\\` for a backslash, or use single quotes"),
        ),
        E::InvalidLowSurrogateHexEscape
        | E::InvalidLowSurrogate
        | E::MissingLowSurrogate
        | E::UnpairedLowSurrogate
        | E::InvalidUnicodeEscape => syntax(at, "an escape that is not a character", None),
        E::UnexpectedEof
        | E::UnexpectedEofFlowSequence
        | E::UnexpectedEofFlowMapping
        | E::UnexpectedEofImplicitFlowMapping
        | E::UnexpectedEndOfPlainScalar
        | E::ExpectedNodeContent => syntax(at, "expected a value", None),
        E::ExpectedBlockMappingKey
        | E::ExpectedBlockSequenceEntry
        | E::UnexpectedEofBlockMapping
        | E::UnexpectedEofBlockSequence
        | E::MappingKeyNotAllowed
        | E::InvalidIndentation
        | E::InvalidBlockScalarIndent
        | E::InvalidQuotedScalarIndent => syntax(
            at,
            "this does not fit what stands above",
            Some("check the indentation of this line and of the one above"),
        ),
        E::BlockEntryInFlowCollection | E::PlainScalarStartsWithDashFlowIndicator => syntax(
            at,
            "a `-` cannot begin an item inside brackets",
            Some("separate items by commas"),
        ),
        E::BlockSequenceEntryNotAllowed => syntax(
            at,
            "a `-` cannot begin an item here",
            Some("begin the list on the next line, or put the value in quotes"),
        ),
        E::CommentInterceptedScalar => syntax(
            at,
            "a comment inside a value that goes on behind it",
            Some("put the value in quotes, or move the comment"),
        ),
        E::CommentNotSeparated => syntax(at, "a comment needs a space before its `#`", None),
        E::InvalidBlockScalarHeader => syntax(
            at,
            "text behind the `|` or `>` of a block",
            Some("begin the text on the next line"),
        ),
        E::ZeroBlockScalarIndent => syntax(at, "a block cannot be indented by 0", None),
        other => (Code::P0001, at, reason(&other.to_string()), None),
    }
}

/// The first tab in the indentation of a line below.
fn tab_below(chunk: &str, at: usize) -> Option<usize> {
    memchr::memchr_iter(b'\n', chunk.as_bytes().get(at..)?)
        .map(|length| Line::at(chunk, at + length + 1))
        .find(|line| !line.text.trim().is_empty() && line.leading_tab().is_some())?
        .leading_tab()
}

/// Whether the last line above that says something is a directive.
fn follows_directive(chunk: &str, at: usize) -> bool {
    let above = chunk.get(..Line::at(chunk, at).start).unwrap_or_default();
    let blank = |line: &&str| line.trim().is_empty() || line.trim_start().starts_with('#');
    above.lines().rev().find(|line| !blank(line)).is_some_and(|line| line.starts_with('%'))
}

/// The parser's own words, as ours are written.
fn reason(info: &str) -> String {
    let info = info.rsplit_once(", ").map_or(info, |(_, reason)| reason);
    info.to_lowercase().replace('\'', "`").trim_end_matches('.').to_owned()
}

/// Advises quotes, and shows the value in them if it is short and simple.
fn quote_it(chunk: &str, at: usize, kind: &ErrorKind) -> String {
    let line = Line::at(chunk, at);
    let value = match kind {
        ErrorKind::UnexpectedCharacter { .. } => chunk.get(at..line.start + line.text.len()),
        _ => line.text.split_once(": ").map(|(_, value)| value),
    };
    let value = value.map(|value| value.split(" #").next().unwrap_or_default().trim());
    match value {
        Some(value)
            if !value.is_empty()
                && value.len() <= SHOWN_MAX
                && !value.contains(['"', '\\', '\'', '`', '[', ']', '{', '}', ',']) =>
        {
            format!("{QUOTE_IT}: `\"{value}\"`")
        }
        _ => QUOTE_IT.to_owned(),
    }
}

/// The parser stumbles long after a quote or bracket that was not closed: looks back for it.
fn unclosed(
    chunk: &str,
    at: usize,
    bracket: Option<usize>,
    kind: &ErrorKind,
) -> Option<Explanation> {
    match kind {
        ErrorKind::InvalidQuotedScalarIndent => {
            let before = chunk.get(..at)?.as_bytes();
            let begins = |quote: &usize| {
                let previous = quote.checked_sub(1).and_then(|at| before.get(at));
                matches!(previous, None | Some(b' ' | b'\t' | b'\n' | b'[' | b'{' | b','))
            };
            let quote = memchr::memchr2_iter(b'"', b'\'', before).rev().find(begins)?;
            let message = "a quote that is not closed".to_owned();
            Some((Code::P0001, quote, message, Some("close the quote")))
        }
        ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::InvalidColonPlacement => {
            let bracket = bracket?;
            let (opened, noticed) = (Line::at(chunk, bracket), Line::at(chunk, at));
            // What is indented like the line of the bracket was not meant to be inside it.
            if opened.start == noticed.start || noticed.indent() > opened.indent() {
                return None;
            }
            let open = char::from(*chunk.as_bytes().get(bracket)?);
            Some((
                Code::P0001,
                bracket,
                format!("`{open}` is not closed"),
                Some("close the bracket"),
            ))
        }
        _ => None,
    }
}

/// Where in a double-quoted scalar the escape is that the parser did not understand.
fn bad_escape(chunk: &str, quote: usize, kind: &ErrorKind) -> Option<usize> {
    let bytes = chunk.as_bytes();
    let mut at = quote + 1;
    loop {
        at += memchr::memchr(b'\\', bytes.get(at..)?)?;
        let letter = *bytes.get(at + 1)?;
        let digits = match letter {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            _ => 0,
        };
        let known = b"0abtnvfre \"/\\N_LPxuU".contains(&letter) || letter.is_ascii_whitespace();
        let whole = bytes.get(at + 2..at + 2 + digits);
        let whole = whole.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        match kind {
            ErrorKind::UnknownQuotedScalarEscape if !known => return Some(at),
            ErrorKind::InvalidQuotedScalarHexEscape if !whole => return Some(at),
            _ => at += 2,
        }
    }
}

/// The line of a chunk that a place is in.
struct Line<'a> {
    start: usize,
    text: &'a str,
}

impl<'a> Line<'a> {
    fn at(chunk: &'a str, at: usize) -> Self {
        let at = chunk.floor_char_boundary(at);
        let (before, behind) = chunk.split_at_checked(at).unwrap_or((chunk, ""));
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let end = behind.find('\n').map_or(chunk.len(), |length| at + length);
        let text = chunk.get(start..end).unwrap_or_default();
        Self { start, text: text.strip_suffix('\r').unwrap_or(text) }
    }

    fn indent(&self) -> usize {
        self.text.bytes().take_while(|byte| *byte == b' ').count()
    }

    fn leading_tab(&self) -> Option<usize> {
        let blanks = self.text.bytes().take_while(|b| matches!(b, b' ' | b'\t'));
        blanks.enumerate().find(|(_, b)| *b == b'\t').map(|(at, _)| self.start + at)
    }

    /// The last tab at or before a place.
    fn tab_near(&self, at: usize) -> Option<usize> {
        let to = (at + 1).saturating_sub(self.start).min(self.text.len());
        let before = self.text.as_bytes().get(..to).unwrap_or_default();
        memchr::memrchr(b'\t', before)
            .or_else(|| memchr::memchr(b'\t', self.text.as_bytes()))
            .map(|tab| self.start + tab)
    }

    /// The colon of a line like `key:value`.
    fn tight_colon(&self) -> Option<usize> {
        let content = self.text.trim_start_matches([' ', '-']);
        let colon =
            content.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.'))?;
        let next = content.get(colon..)?.strip_prefix(':')?.chars().next()?;
        let indent = self.text.len() - content.len();
        (colon > 0 && !matches!(next, ' ' | '\t' | '/' | ':'))
            .then_some(self.start + indent + colon)
    }

    /// The same, in the line above.
    fn tight_colon_above(&self, chunk: &str) -> Option<usize> {
        Line::at(chunk, self.start.checked_sub(1)?).tight_colon()
    }

    /// Whether a key and its colon stand in front of a place.
    fn has_key_before(&self, at: usize) -> bool {
        let before = self.text.get(..at.saturating_sub(self.start)).unwrap_or_default();
        before.contains(": ") && !before.trim_end().ends_with(['"', '\''])
    }
}

#[cfg(test)]
mod tests {
    use crate::manifest::code::Code;
    use crate::manifest::text::arena::Arena;
    use crate::manifest::text::parse;

    const INDENT: &str = "check the indentation of this line and of the one above";
    const TAB: (&str, &str) = ("a tab in the indentation", "indent with spaces");
    const TIGHT: (&str, &str) = ("a `:` without a space behind it", "put a space after the colon");

    /// The text, what is underlined and where, what is said.
    #[test]
    fn mistakes_are_explained_where_they_were_made() {
        for (text, start, underlined, (message, help)) in [
            ("a:\n\tb: c\n", 3, "\t", TAB),
            ("a: 1\n\tb: c\n", 5, "\t", TAB),
            ("a:\n  - b\n\t- c\n", 9, "\t", TAB),
            ("a:\n  b: 1\n \tc: 2\n", 11, "\t", TAB),
            ("b:2\nc: 3\n", 1, ":", TIGHT),
            ("a: 1\nb:2\nc: 3\n", 6, ":", TIGHT),
            ("a: 1\nb:2\n", 6, ":", TIGHT),
            ("{a:[b]}", 2, ":", TIGHT),
            (
                "name: Contoso: Japan # x\n",
                13,
                ":",
                (
                    "a `:` followed by a space inside an unquoted value",
                    "put the value in quotes: `\"Contoso: Japan\"`",
                ),
            ),
            ("a: \"b\nc: d\n", 3, "\"", ("a quote that is not closed", "close the quote")),
            ("a: 'b\nc: d\n", 3, "'", ("a quote that is not closed", "close the quote")),
            ("a: '\n\n\n", 3, "'", ("a quote that is not closed", "close the quote")),
            ("a: \"", 3, "\"", ("a quote that is not closed", "close the quote")),
            (
                "a: 'it's'\n",
                7,
                "s",
                (
                    "text behind the closing quote",
                    "inside single quotes a quote is written twice: `''`",
                ),
            ),
            (
                "a: \"x\" y\n",
                7,
                "y",
                ("text behind the closing quote", "inside double quotes a quote is written `\\\"`"),
            ),
            ("a: [b, c\nd: e\n", 3, "[", ("`[` is not closed", "close the bracket")),
            ("a: {b: c\nd: e\n", 3, "{", ("`{` is not closed", "close the bracket")),
            ("- [a, b\n- c\n", 2, "[", ("`[` is not closed", "close the bracket")),
            ("a: [", 3, "[", ("`[` is not closed", "close the bracket")),
            ("a: [b}\n", 3, "[", ("`[` is closed by `}`", "")),
            ("a: [b, c]]\n", 9, "]", ("a closing bracket without an opening one", "")),
            (
                "{a: b c: d}",
                7,
                ":",
                ("expected `,` or `}`", "is a bracket not closed, or a comma missing?"),
            ),
            ("a: {b: c,, d}", 9, ",", ("expected a value", "")),
            (
                "a: @b c\n",
                3,
                "@",
                ("a value cannot begin with `@`", "put the value in quotes: `\"@b c\"`"),
            ),
            (
                "a: %b # c\n",
                3,
                "%",
                ("a value cannot begin with `%`", "put the value in quotes: `\"%b\"`"),
            ),
            (
                "a: `b`\n",
                3,
                "`",
                ("a value cannot begin with a backtick", "put the value in quotes"),
            ),
            (
                "a: *b\n",
                3,
                "*",
                (
                    "an alias to an anchor that is not defined in this document",
                    "put the value in quotes if it is text",
                ),
            ),
            ("a:\n    b: 1\n  c: 2\n", 14, "c", ("this does not fit what stands above", INDENT)),
            ("a: b\n c: d\n", 7, ":", ("a key is not expected here", INDENT)),
            ("a: \"b\": c\n", 6, ":", ("a key is not expected here", INDENT)),
            (
                "a: \"b \\d\"\n",
                6,
                "\\",
                (
                    "an escape that does not exist",
                    "write `\\\\` for a backslash, or use single quotes",
                ),
            ),
            (
                "a: \"C:\\Users\"\n",
                6,
                "\\",
                (
                    "an escape without its hexadecimal digits",
                    "write `\\\\` for a backslash, or use single quotes",
                ),
            ),
            ("a: \"\\ud800\"\n", 3, "\"", ("an escape that is not a character", "")),
            (
                "a: - b\n",
                3,
                "-",
                (
                    "a `-` cannot begin an item here",
                    "begin the list on the next line, or put the value in quotes",
                ),
            ),
            (
                "a: b\nc d\ne: f\n",
                5,
                "c",
                ("expected a key and a colon", "indent the line if the value above goes on here"),
            ),
            (
                "a: b # c\n  d\n",
                5,
                "#",
                (
                    "a comment inside a value that goes on behind it",
                    "put the value in quotes, or move the comment",
                ),
            ),
            (
                "a: | b\n c\n",
                3,
                "|",
                ("text behind the `|` or `>` of a block", "begin the text on the next line"),
            ),
            (
                "%FOO\n",
                3,
                "O",
                (
                    "directives without a `---` line behind them",
                    "put the value in quotes if it is text",
                ),
            ),
        ] {
            let mut arena = Arena::default();
            let parsed = parse(text, &mut arena);
            let [fault] = &parsed.faults[..] else { panic!("{text:?}: {parsed:?}") };
            assert_eq!(fault.code, Code::P0001, "{text:?}");
            assert_eq!(
                (fault.span.start, &text[fault.span.range()], fault.message.as_str()),
                (start, underlined, message),
                "{text:?}"
            );
            assert_eq!(fault.help.as_deref().unwrap_or_default(), help, "{text:?}");
            assert!(parsed.roots.is_empty() && arena.is_empty(), "{text:?}");
        }
    }
}
