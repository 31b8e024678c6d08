//! Where one YAML document's text ends and the next begins.
//!
//! A line that begins in column 0 with `---` and a blank, a break or the end ends every open
//! scalar and bracket (YAML 1.2.2, `c-forbidden`): a block scalar can hold `---` only indented, a
//! quoted one not at all. So cutting there is exact, a broken document cannot swallow its
//! neighbours, and the pieces can be parsed independently. This module looks at line starts only
//! and understands nothing else of YAML.

use std::ops::Range;

/// Cuts a text into chunks that cover it without a gap, each but the first beginning with `---`.
///
/// Directives belong to the document behind them, so a `---` line after them is no place to cut.
pub fn split(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut chunks = Vec::new();
    let mut start = 0;
    for at in memchr::memmem::find_iter(bytes, b"\n---") {
        let line = at + 1;
        let before = bytes.get(start..line).unwrap_or_default();
        if ends_marker(bytes.get(line + 3)) && !ends_in_directives(before) {
            chunks.push(start..line);
            start = line;
        }
    }
    if start < bytes.len() {
        chunks.push(start..bytes.len());
    }
    chunks
}

/// Whether what follows three dashes or dots makes them a marker.
fn ends_marker(next: Option<&u8>) -> bool {
    matches!(next, None | Some(b' ' | b'\t' | b'\r' | b'\n'))
}

/// Whether the last lines are a prologue that holds a directive.
///
/// A `%` line is a directive only where no document is open: at the start of the chunk or behind
/// `...`. Behind anything else it is text, and cutting is safe. The usual last line is text, so
/// the usual walk is one line long.
fn ends_in_directives(before: &[u8]) -> bool {
    let mut directive = false;
    let mut rest = before;
    while let Some(body) = rest.strip_suffix(b"\n") {
        let (above, line) = match memchr::memrchr(b'\n', body) {
            Some(at) => body.split_at(at + 1),
            None => (&[] as &[u8], body),
        };
        match line.trim_ascii_start() {
            _ if line.starts_with(b"%") => directive = true,
            [] | [b'#', ..] => {}
            _ if line.starts_with(b"...") && ends_marker(line.get(3)) => return directive,
            _ => return false,
        }
        rest = above;
    }
    directive
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<&str> {
        split(text.as_bytes()).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn documents_are_cut_at_their_markers() {
        for (text, expected) in [
            ("", &[] as &[&str]),
            ("a: 1", &["a: 1"]),
            ("---", &["---"]),
            ("---\n", &["---\n"]),
            ("---\na\n---\nb\n", &["---\na\n", "---\nb\n"]),
            ("a\n---", &["a\n", "---"]),
            ("a\n--- b\n---\tc\n", &["a\n", "--- b\n", "---\tc\n"]),
            ("a\r\n---\r\nb\r\n", &["a\r\n", "---\r\nb\r\n"]),
            ("---\n---\n---\n", &["---\n", "---\n", "---\n"]),
            // Not markers.
            ("a\n----\n---b\n ---\n-- -\n", &["a\n----\n---b\n ---\n-- -\n"]),
            ("a: |\n  ---\n  b\n", &["a: |\n  ---\n  b\n"]),
            // A marker ends even what is open.
            ("a: \"b\n--- \nc\"\n", &["a: \"b\n", "--- \nc\"\n"]),
            ("a: [b,\n---\nc]\n", &["a: [b,\n", "---\nc]\n"]),
        ] {
            assert_eq!(pieces(text), expected, "{text:?}");
        }
    }

    #[test]
    fn directives_stay_with_the_document_behind_them() {
        for (text, expected) in [
            ("%YAML 1.2\n---\na\n---\nb\n", &["%YAML 1.2\n---\na\n", "---\nb\n"] as &[&str]),
            ("# c\n\n%YAML 1.2\n# d\n---\na\n", &["# c\n\n%YAML 1.2\n# d\n---\na\n"]),
            ("a\n...\n%YAML 1.2\n---\nb\n---\nc\n", &["a\n...\n%YAML 1.2\n---\nb\n", "---\nc\n"]),
            ("# only a comment\n---\na\n", &["# only a comment\n", "---\na\n"]),
            ("a\n...\n---\nb\n", &["a\n...\n", "---\nb\n"]),
            // Text, not directives: a document is open.
            ("a\n%b\n---\nc\n", &["a\n%b\n", "---\nc\n"]),
            ("--- a\n%b\n---\nc\n", &["--- a\n%b\n", "---\nc\n"]),
            ("...a\n%b\n---\nc\n", &["...a\n%b\n", "---\nc\n"]),
            (" %b\n---\nc\n", &[" %b\n", "---\nc\n"]),
        ] {
            assert_eq!(pieces(text), expected, "{text:?}");
        }
    }
}
