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

/// The fault for a syntax error that the parser noticed at a byte of the chunk.
pub(super) fn fault(chunk: &str, at: usize, kind: &ErrorKind) -> Fault {
    let (code, at, message, help) = explain(chunk, at, kind);
    Fault { code, span: character(chunk, at), message, help: help.map(str::to_owned).or(None) }
        .with_quotes(chunk, kind)
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
        E::TabNotAllowed
        | E::TabInBlockIndentation
        | E::TabInIndentation
        | E::TabInPlainScalar
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
        E::UnexpectedCharacter { character } => (
            Code::P0001,
            at,
            format!("a value cannot begin with `{}`", character.escape_default()),
            Some("put the value in quotes"),
        ),
        E::MappingValueNotAllowed => {
            if let Some(colon) = line.tight_colon_above(chunk) {
                syntax(
                    colon,
                    "a `:` without a space behind it",
                    Some("put a space after the colon"),
                )
            } else if line.has_key_before(at) {
                syntax(
                    at,
                    "a `:` followed by a space inside an unquoted value",
                    Some("put the value in quotes"),
                )
            } else {
                syntax(
                    at,
                    "a key is not expected here",
                    Some("check the indentation of this line and of the one above"),
                )
            }
        }
        E::SimpleKeyExpected => match line.tight_colon() {
            Some(colon) => {
                syntax(colon, "a `:` without a space behind it", Some("put a space after the colon"))
            }
            None => syntax(at, "expected a key and a colon", None),
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
        E::MissingDocumentEndBeforeDirective => {
            syntax(at, "a directive inside a document", Some("put the value in quotes if it is text"))
        }
        E::ExpectedDocumentStart => {
            syntax(at, "text behind the end of the document", Some("check the indentation of this line"))
        }
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
            at,
            "an escape that does not exist",
            Some("write `\\\\` for a backslash, or use single quotes"),
        ),
        E::InvalidQuotedScalarHexEscape
        | E::InvalidLowSurrogateHexEscape
        | E::InvalidLowSurrogate
        | E::MissingLowSurrogate
        | E::UnpairedLowSurrogate
        | E::InvalidUnicodeEscape => syntax(at, "an escape that is not a character", None),
        E::ExpectedBlockMappingKey
        | E::ExpectedBlockSequenceEntry
        | E::UnexpectedEofBlockMapping
        | E::UnexpectedEofBlockSequence
        | E::BlockSequenceEntryNotAllowed
        | E::MappingKeyNotAllowed
        | E::InvalidIndentation
        | E::InvalidBlockScalarIndent
        | E::InvalidQuotedScalarIndent => syntax(
            at,
            "this does not fit what stands above",
            Some("check the indentation of this line and of the one above"),
        ),
        E::BlockEntryInFlowCollection | E::PlainScalarStartsWithDashFlowIndicator => {
            syntax(at, "a `-` cannot begin an item inside brackets", Some("separate items by commas"))
        }
        E::CommentInterceptedScalar => syntax(
            at,
            "a comment inside a value that goes on behind it",
            Some("put the value in quotes, or move the comment"),
        ),
        E::CommentNotSeparated => syntax(at, "a comment needs a space before its `#`", None),
        E::InvalidBlockScalarHeader => {
            syntax(at, "text behind the `|` or `>` of a block", Some("begin the text on the next line"))
        }
        E::ZeroBlockScalarIndent => syntax(at, "a block cannot be indented by 0", None),
        other => (Code::P0001, at, reason(&other.to_string()), None),
    }
}

/// The parser's own words, as ours are written.
fn reason(info: &str) -> String {
    let info = info.rsplit_once(", ").map_or(info, |(_, reason)| reason);
    info.to_lowercase().replace('\'', "`").trim_end_matches('.').to_owned()
}

impl Fault {
    /// Shows the value in quotes where putting it in quotes is the advice.
    fn with_quotes(mut self, chunk: &str, kind: &ErrorKind) -> Self {
        if self.help.as_deref() != Some("put the value in quotes") {
            return self;
        }
        let line = Line::at(chunk, self.span.start as usize);
        let value = match kind {
            ErrorKind::UnexpectedCharacter { .. } => {
                chunk.get(self.span.start as usize..line.start + line.text.len())
            }
            _ => line.text.split_once(": ").map(|(_, value)| value),
        };
        let value = value.map(|value| value.split(" #").next().unwrap_or_default().trim());
        if let Some(value) = value
            && !value.is_empty()
            && value.len() <= SHOWN_MAX
            && !value.contains(['"', '\\', '\'', '[', ']', '{', '}', ','])
        {
            self.help = Some(format!("put the value in quotes: `\"{value}\"`"));
        }
        self
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
        let colon = content.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.'))?;
        let next = content.get(colon..)?.strip_prefix(':')?.chars().next()?;
        let indent = self.text.len() - content.len();
        (colon > 0 && !matches!(next, ' ' | '\t' | '/' | ':')).then_some(self.start + indent + colon)
    }

    /// The same, in the line above.
    fn tight_colon_above(&self, chunk: &str) -> Option<usize> {
        Line::at(chunk, self.start.checked_sub(1)?).tight_colon()
    }

    /// Whether a key and its colon stand in front of a place.
    fn has_key_before(&self, at: usize) -> bool {
        let before = self.text.get(..at.saturating_sub(self.start)).unwrap_or_default();
        before.contains(": ")
    }
}
