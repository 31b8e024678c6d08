//! Compares two documents: do they say the same, and do their comments?
//!
//! The order of keys, the layout, and block or flow style make no difference; everything else
//! does, quotes included. It knows no types, so it can be stricter than a reader, never laxer.

use super::tree::{Collection, Content, Entry, Node, Shape, Tree};
use std::collections::BTreeMap;

/// Whether the trees of two texts hold the same data and comments.
pub(super) fn same(a: &Tree<'_>, a_text: &str, b: &Tree<'_>, b_text: &str) -> bool {
    let mut anchors = Anchors::default();
    let roots = match (&a.root, &b.root) {
        (Some(a), Some(b)) => anchors.same(a, b),
        (Some(only), None) | (None, Some(only)) => matches!(only.content, Content::Null),
        (None, None) => true,
    };
    roots && anchors.agree() && comments(a, a_text) == comments(b, b_text)
}

fn comments<'a>(tree: &Tree<'_>, text: &'a str) -> Vec<&'a str> {
    let texts = tree.comments.iter().filter_map(|span| text.get(span.clone()));
    let mut comments: Vec<_> = texts.map(|comment| comment.trim_end_matches([' ', '\t'])).collect();
    comments.sort_unstable();
    comments
}

/// Which anchor of one document is which of the other.
#[derive(Default)]
struct Anchors {
    defined: BTreeMap<usize, usize>,
    /// Keys may be visited in another order than they stand in, so these are compared at the end.
    used: Vec<(usize, usize)>,
}

impl Anchors {
    fn agree(&self) -> bool {
        self.used.iter().all(|(a, b)| self.defined.get(a) == Some(b))
    }

    fn same(&mut self, a: &Node<'_>, b: &Node<'_>) -> bool {
        let anchors = match (&a.anchor, &b.anchor) {
            (Some(a), Some(b)) => {
                self.defined.insert(a.id, b.id);
                a.name == b.name
            }
            (None, None) => true,
            _ => false,
        };
        anchors
            && match (&a.content, &b.content) {
                (Content::Null, Content::Null) => true,
                (Content::Alias { id: a }, Content::Alias { id: b }) => {
                    self.used.push((*a, *b));
                    true
                }
                (
                    Content::Scalar { style: a_style, text: a },
                    Content::Scalar { style: b_style, text: b },
                )
                | (
                    Content::Block { style: a_style, text: a, body: _ },
                    Content::Block { style: b_style, text: b, body: _ },
                ) => a_style == b_style && a == b,
                (Content::Collection(a), Content::Collection(b)) => self.same_entries(a, b),
                _ => false,
            }
    }

    fn same_entries(&mut self, a: &Collection<'_>, b: &Collection<'_>) -> bool {
        if a.shape != b.shape || a.entries.len() != b.entries.len() {
            return false;
        }
        let (a, b) = (sorted(a), sorted(b));
        a.iter().zip(b).all(|(a, b)| {
            let keys = match (&a.key, &b.key) {
                (Some(a), Some(b)) => self.same(a, b),
                (None, None) => true,
                _ => false,
            };
            keys && self.same(&a.value, &b.value)
        })
    }
}

/// The entries of a mapping by their keys; the same key twice stays in its order.
fn sorted<'c, 'a>(collection: &'c Collection<'a>) -> Vec<&'c Entry<'a>> {
    let mut entries: Vec<_> = collection.entries.iter().collect();
    if collection.shape == Shape::Mapping {
        entries.sort_by(|a, b| a.key_text().cmp(b.key_text()));
    }
    entries
}
