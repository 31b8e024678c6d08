//! What the pages have in common: how data comes into one. Their styles and the functions that make
//! elements stand in `base.css` and `base.js`, which the templates include.

use super::clean::{self, Piece};

/// JSON that ends no script element, opens no comment and no element, and is one line to every
/// reader. These characters stand in JSON only within strings, where an escape means the same.
///
/// What would hide or reorder text before a reviewer's eyes becomes visible, as in the other
/// formats for people (see [`clean`]).
pub(super) fn harmless(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len() + json.len() / 64);
    for Piece { char, acts, .. } in clean::pieces(json) {
        match char {
            '<' => escaped.push_str(r"\u003c"),
            '>' => escaped.push_str(r"\u003e"),
            '&' => escaped.push_str(r"\u0026"),
            '\u{2028}' => escaped.push_str(r"\u2028"),
            '\u{2029}' => escaped.push_str(r"\u2029"),
            // A log command is one to those who read lines, which nobody does with this page.
            '#' => escaped.push('#'),
            acting if acts => {
                escaped.push('\\');
                escaped.push_str(&clean::escape(acting));
            }
            plain => escaped.push(plain),
        }
    }
    escaped
}
