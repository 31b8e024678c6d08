//! Text that people wrote: names of people and companies, and longer remarks.
//!
//! Two texts are equal when their Unicode NFC forms are.

use super::Str;
use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::scalar::{Fault, Grammar, Malformed, Scalar, within};

/// Whether a character turns the direction of the text after it, so that what is shown is not what
/// is meant.
pub const fn is_bidirectional_control(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}')
}

/// Whether a text holds such a character.
pub fn turns_direction(text: &str) -> bool {
    // All of them begin with one of two bytes, which most texts never have.
    memchr::memchr2(0xE2, 0xD8, text.as_bytes()).is_some()
        && text.chars().any(is_bidirectional_control)
}

/// The NFC form, borrowed when the text is in it already (as almost all texts are).
pub fn nfc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.nfc().collect())
}

macro_rules! texts {
    ($($(#[doc = $doc:literal])* $name:ident $what:literal $max:literal $pattern:literal $accept:ident $examples:expr;)*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone)]
        pub struct $name(Str);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0 == other.0 || nfc(&self.0) == nfc(&other.0)
            }
        }

        impl Eq for $name {}

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                nfc(&self.0).hash(state);
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Scalar for $name {
            const WHAT: &'static str = $what;
            const GRAMMAR: Grammar = Grammar::Pattern { pattern: $pattern, length_max: $max };
            const EXAMPLES: &'static [&'static str] = $examples;

            fn parse(text: &str) -> Result<Self, Malformed> {
                within(text, $max)?;
                $accept(text)?;
                Ok(Self(text.into()))
            }
        }
    )*};
}

texts! {
    /// A name that is shown: of a person, a company, a place. One line.
    Title "a name" 256
        "^ *[^ \\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u001f\\u007f-\\u009f]*$" one_line &["Contoso Ltd."];
    /// A remark: may have several lines.
    Remark "text" 4000
        "^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f]+$" some_lines &[];
}

/// As `char::is_control`, without decoding what is ASCII.
fn has_control(text: &str) -> bool {
    if text.is_ascii() {
        text.bytes().any(|b| b.is_ascii_control())
    } else {
        text.chars().any(char::is_control)
    }
}

fn one_line(text: &str) -> Result<(), Malformed> {
    if has_control(text) {
        return Err(Fault::Control.into());
    }
    if turns_direction(text) {
        return Err(Fault::Bidirectional.into());
    }
    if text.bytes().all(|b| b == b' ') {
        return Err(Malformed::because(Fault::Form, "it holds nothing but spaces"));
    }
    Ok(())
}

fn some_lines(text: &str) -> Result<(), Malformed> {
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Err(Fault::Control.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composed_and_decomposed_are_one_name() {
        assert_eq!(Title::parse("Zoé"), Title::parse("Zoe\u{301}"));
        assert_ne!(Title::parse("Zoe"), Title::parse("Zoé"));
    }

    #[test]
    fn names_have_one_line_and_one_direction() {
        assert_eq!(Title::parse("a\u{1b}[2J").unwrap_err().fault, Fault::Control);
        assert_eq!(Title::parse("a\u{202e}b").unwrap_err().fault, Fault::Bidirectional);
        assert_eq!(Title::parse("a\nb").unwrap_err().fault, Fault::Control);
        assert!(Remark::parse("a\nb").is_ok());
    }
}
