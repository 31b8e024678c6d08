//! What a text may be made of: UTF-8 without characters that hide or break something.
//!
//! Parsers behind this door meet no NUL, no lone carriage return and no stray byte-order mark;
//! the fast path counts on it. Characters that are allowed but deceive (bidirectional controls)
//! are not judged here: that depends on where they stand.

use crate::manifest::code::Code;
use crate::manifest::source::{Span, to_u32};

use super::Fault;

/// Per text; a binary file has thousands, and nobody reads them.
const FAULTS_MAX: usize = 20;

/// Says so when a file was saved in an encoding other than UTF-8 that can be recognised.
///
/// To be asked of a whole file before anything else: to a UTF-8 decoder such a file is noise.
pub fn foreign_encoding(bytes: &[u8]) -> Option<Fault> {
    let (name, mark) = match bytes {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => ("UTF-32", 4),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => ("UTF-16", 2),
        _ if alternates(bytes) => ("UTF-16", 2),
        _ => return None,
    };
    Some(Fault {
        code: Code::P0003,
        span: Span::new(0, mark),
        message: format!("the file is {name}"),
        help: Some("save it as UTF-8".to_owned()),
    })
}

/// Whether every other byte is NUL, as in UTF-16 without a mark that holds mostly ASCII.
fn alternates(bytes: &[u8]) -> bool {
    let (pairs, _) = bytes.as_chunks::<2>();
    let pairs = pairs.get(..pairs.len().min(32)).unwrap_or_default();
    pairs.len() >= 2
        && (pairs.iter().all(|&[a, b]| a != 0 && b == 0)
            || pairs.iter().all(|&[a, b]| a == 0 && b != 0))
}

/// Reads a whole file as text, or says in which encoding it was saved.
pub fn decode(bytes: &[u8]) -> Result<&str, Fault> {
    match foreign_encoding(bytes) {
        Some(fault) => Err(fault),
        None => utf8(bytes),
    }
}

/// Reads bytes as UTF-8, or points at the first that are not.
pub fn utf8(bytes: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(bytes).map_err(|error| {
        let start = error.valid_up_to();
        let bad = error.error_len().unwrap_or(bytes.len() - start);
        Fault {
            code: Code::P0003,
            span: Span::new(to_u32(start), to_u32(start + bad)),
            message: match bytes.get(start) {
                Some(byte) => format!("the byte 0x{byte:02X} is not UTF-8 here"),
                None => "the text is not UTF-8".to_owned(),
            },
            help: Some("save the file as UTF-8".to_owned()),
        }
    })
}

/// Finds the characters that a manifest may not hold, the first twenty of them.
pub fn forbidden(text: &str) -> Vec<Fault> {
    let bytes = text.as_bytes();
    let mut faults = Vec::new();
    let mut done = 0;
    // Whole blocks at a time: a loop without branches, which compilers turn into vector code.
    for block in bytes.chunks(BLOCK) {
        if holds_suspicious(block) {
            for (offset, byte) in block.iter().enumerate() {
                if suspicious(*byte)
                    && let Some(fault) = judge(text, done + offset)
                {
                    faults.push(fault);
                    if faults.len() == FAULTS_MAX {
                        return faults;
                    }
                }
            }
        }
        done += block.len();
    }
    faults
}

/// Whether a text holds none of them, told by its bytes alone: most texts are told so.
pub(super) fn is_unsuspicious(text: &str) -> bool {
    text.as_bytes().chunks(BLOCK).all(|block| !holds_suspicious(block))
}

fn holds_suspicious(block: &[u8]) -> bool {
    block.iter().fold(false, |seen, byte| seen | suspicious(*byte))
}

const BLOCK: usize = 128;

/// Whether a byte may begin a forbidden character.
fn suspicious(byte: u8) -> bool {
    match byte {
        b'\t' | b'\n' => false,
        // The last two begin U+0080 to U+00BF and U+F000 to U+FFFF.
        ..b' ' | 0x7F | 0xC2 | 0xEF => true,
        _ => false,
    }
}

fn judge(text: &str, at: usize) -> Option<Fault> {
    // Every line of a file from Windows comes by here.
    if text.as_bytes().get(at..at + 2) == Some(b"\r\n") {
        return None;
    }
    let character = text.get(at..)?.chars().next()?;
    let name = || format!("U+{:04X}", u32::from(character));
    let message = match character {
        '\r' => "carriage return without a line feed".to_owned(),
        '\u{FEFF}' => format!("a byte-order mark {} behind the start of the file", name()),
        '\u{FFFE}' | '\u{FFFF}' => format!("{} is not a character", name()),
        // Next line is a control character too, but YAML allows it.
        _ if character.is_control() && character != '\u{85}' => {
            format!("the control character {}", name())
        }
        _ => return None,
    };
    let help = match character {
        '\r' => "end lines with a line feed",
        _ => "remove it",
    };
    Some(Fault {
        code: Code::P0004,
        span: Span::new(to_u32(at), to_u32(at + character.len_utf8())),
        message,
        help: Some(help.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_characters_are_named_with_their_place() {
        for (text, expected) in [
            ("", None),
            ("a\tb\n\r\n\u{85}\u{2028}\u{a0}\u{e000}\u{fffd}\u{10ffff}田中ｶﾅ", None),
            ("a\0", Some((1, 2, "the control character U+0000"))),
            ("a\u{1b}[0m", Some((1, 2, "the control character U+001B"))),
            ("a\u{7f}", Some((1, 2, "the control character U+007F"))),
            ("a\u{80}", Some((1, 3, "the control character U+0080"))),
            ("a\u{9f}", Some((1, 3, "the control character U+009F"))),
            ("a\rb", Some((1, 2, "carriage return without a line feed"))),
            ("a\r", Some((1, 2, "carriage return without a line feed"))),
            ("a\r\r\n", Some((1, 2, "carriage return without a line feed"))),
            ("a\u{feff}", Some((1, 4, "a byte-order mark U+FEFF behind the start of the file"))),
            ("a\u{fffe}", Some((1, 4, "U+FFFE is not a character"))),
            ("a\u{ffff}", Some((1, 4, "U+FFFF is not a character"))),
        ] {
            let faults = forbidden(text);
            let shown = faults.first().map(|f| (f.span.start, f.span.end, f.message.as_str()));
            assert_eq!(shown, expected, "{text:?}");
            assert!(faults.len() <= 1 && faults.iter().all(|f| f.code == Code::P0004));
        }
    }

    #[test]
    fn every_place_of_a_block_is_looked_at() {
        for at in 0..3 * BLOCK {
            let text = format!("{}\u{1}{}", "x".repeat(at), "é".repeat(BLOCK));
            let faults = forbidden(&text);
            assert_eq!(faults.len(), 1);
            assert_eq!(faults[0].span.start as usize, at);
        }
    }

    #[test]
    fn a_binary_file_is_reported_in_moderation() {
        assert_eq!(forbidden(&"\0".repeat(100_000)).len(), FAULTS_MAX);
    }

    #[test]
    fn the_first_bad_byte_is_shown() {
        for (bytes, start, end) in [
            (&b"ab\xffcd"[..], 2, 3),
            (b"\xc3", 0, 1),
            (b"a\xe7\x94", 1, 3),
            (b"\xe7\x94\xb0\xed\xa0\x80", 3, 4),
        ] {
            let fault = utf8(bytes).unwrap_err();
            assert_eq!((fault.code, fault.span), (Code::P0003, Span::new(start, end)));
        }
        assert!(utf8("田中".as_bytes()).is_ok());
    }

    #[test]
    fn other_encodings_are_recognised() {
        let utf16 = |text: &str, order: fn(u16) -> [u8; 2]| {
            text.encode_utf16().flat_map(order).collect::<Vec<u8>>()
        };
        for (bytes, name) in [
            (utf16("\u{feff}a: 1", u16::to_le_bytes), "the file is UTF-16"),
            (utf16("\u{feff}a: 1", u16::to_be_bytes), "the file is UTF-16"),
            (utf16("kind: User\n", u16::to_le_bytes), "the file is UTF-16"),
            (utf16("kind: User\n", u16::to_be_bytes), "the file is UTF-16"),
            (b"\xff\xfe\0\0a\0\0\0".to_vec(), "the file is UTF-32"),
            (b"\0\0\xfe\xff\0\0\0a".to_vec(), "the file is UTF-32"),
        ] {
            let fault = foreign_encoding(&bytes).expect(name);
            assert_eq!((fault.code, fault.message.as_str()), (Code::P0003, name));
        }
        for bytes in [&b""[..], b"a", b"a\0", b"abcd", b"\0\0\0\0", b"\xef\xbb\xbfa: 1"] {
            assert_eq!(foreign_encoding(bytes), None);
        }
    }
}
