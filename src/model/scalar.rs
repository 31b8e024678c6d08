//! What every value that is written as one piece of text has in common.
//!
//! The grammar of a value is stated twice, as a pattern for the published schema and as a parser:
//! a property test holds the two equal.

/// A value written as text.
pub trait Scalar: Sized {
    /// What it is, with its article: `an e-mail address`.
    const WHAT: &'static str;
    const GRAMMAR: Grammar;
    /// How it looks, for the schema and the reference.
    const EXAMPLES: &'static [&'static str] = &[];

    /// Reads it; surrounding white space is never forgiven.
    fn parse(text: &str) -> Result<Self, Malformed>;
}

/// The form of a scalar as far as JSON Schema can say it.
#[derive(Debug, Clone, Copy)]
pub enum Grammar {
    /// A regular expression in the common subset of ECMA 262, and the most characters allowed.
    Pattern { pattern: &'static str, length_max: usize },
    /// One of these, each with a word of explanation.
    Choices(&'static [(&'static str, &'static str)]),
}

/// Why a text is not the value it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    pub fault: Fault,
    /// What to do about it, if there is more to say than what the value looks like.
    pub help: Option<String>,
}

/// The ways in which a text fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It does not follow the grammar.
    Form,
    /// It follows the grammar, but there is no such thing: the 30th of February.
    Unreal,
    /// It names something of a kind that does not belong here.
    WrongKind,
    TooLong,
    Empty,
    /// It holds a control character (escaped, or YAML would have refused it).
    Control,
    /// It holds a character that turns the direction of what is shown after it.
    Bidirectional,
}

impl Malformed {
    pub const fn form() -> Self {
        Self { fault: Fault::Form, help: None }
    }

    pub fn because(fault: Fault, help: impl Into<String>) -> Self {
        Self { fault, help: Some(help.into()) }
    }
}

impl From<Fault> for Malformed {
    fn from(fault: Fault) -> Self {
        Self { fault, help: None }
    }
}

/// Refuses what is empty or longer than the grammar allows, in characters.
pub(crate) fn within(text: &str, length_max: usize) -> Result<&str, Malformed> {
    if text.is_empty() {
        return Err(Fault::Empty.into());
    }
    // Bytes are never fewer than characters, so most texts need no counting.
    if text.len() > length_max && text.chars().count() > length_max {
        // What has a fixed form is not too long but something else.
        if length_max < 40 {
            return Err(Malformed::form());
        }
        return Err(Malformed::because(Fault::TooLong, format!("at most {length_max} characters")));
    }
    Ok(text)
}
