//! Moves keys into their canonical order, and their comments with them.
//!
//! It moves entries within their mapping only. Keys it has no order for come last and keep the
//! order they had among themselves.

use super::tree::{Collection, Content, Node, Shape};
use super::{KeyOrder, Obstacle};
use std::collections::{BTreeMap, BTreeSet};

/// Orders the keys of a document and of all it holds.
pub(super) fn arrange(root: &mut Node<'_>, order: &dyn KeyOrder) {
    arrange_resource(root, order);
    hoist(root);
}

/// Orders what has a `kind` of its own: a document, or an item of a `List`.
fn arrange_resource(node: &mut Node<'_>, order: &dyn KeyOrder) {
    let Content::Collection(collection) = &mut node.content else { return };
    let kind = collection
        .entries
        .iter()
        .find(|entry| entry.key_text() == "kind")
        .map(|entry| entry.value.text().to_owned())
        .unwrap_or_default();
    arrange_below(collection, &kind, None, order);
}

fn arrange_below(
    collection: &mut Collection<'_>,
    kind: &str,
    path: Option<&Path<'_>>,
    order: &dyn KeyOrder,
) {
    if collection.shape == Shape::Mapping
        && let Some(keys) = order.order(kind, &Path::keys(path))
    {
        let rank = |key: &str| keys.iter().position(|known| *known == key).unwrap_or(keys.len());
        collection.entries.sort_by_cached_key(|entry| rank(entry.key_text()));
    }
    let holds_resources =
        kind == "List" && path.is_some_and(|path| path.up.is_none() && path.key == "items");
    for entry in &mut collection.entries {
        if holds_resources && collection.shape == Shape::Sequence {
            arrange_resource(&mut entry.value, order);
            continue;
        }
        let Content::Collection(inner) = &mut entry.value.content else { continue };
        match &entry.key {
            Some(key) => {
                arrange_below(inner, kind, Some(&Path { up: path, key: key.text() }), order);
            }
            None => arrange_below(inner, kind, path, order),
        }
    }
}

/// The keys from the document down to a mapping.
struct Path<'p> {
    up: Option<&'p Path<'p>>,
    key: &'p str,
}

impl<'p> Path<'p> {
    fn keys(path: Option<&Path<'p>>) -> Vec<&'p str> {
        let mut keys: Vec<_> =
            std::iter::successors(path, |path| path.up).map(|path| path.key).collect();
        keys.reverse();
        keys
    }
}

/// Gives an item the comments above its first key, where both share the line of the dash.
fn hoist(node: &mut Node<'_>) {
    let Content::Collection(collection) = &mut node.content else { return };
    for entry in &mut collection.entries {
        hoist(&mut entry.value);
        if entry.key.is_some() || entry.value.anchor.is_some() || !entry.tail.lines.is_empty() {
            continue;
        }
        let Content::Collection(inner) = &mut entry.value.content else { continue };
        let Some(first) = inner.entries.first_mut() else { continue };
        let mut lead = std::mem::take(&mut first.lead);
        if let Some(note) = lead.first_mut() {
            note.blank = entry.blank;
            entry.blank = first.blank;
            entry.lead.append(&mut lead);
        }
    }
}

/// Makes sure that every alias still stands behind the anchor it meant.
pub(super) fn check_anchors(root: &Node<'_>) -> Result<(), Obstacle> {
    if Anchors::default().hold(root) {
        Ok(())
    } else {
        Err(Obstacle::Unhandled("its keys in order would put an alias in front of its anchor"))
    }
}

/// The anchors that an alias can mean at some point of a document.
#[derive(Default)]
struct Anchors<'a> {
    by_name: BTreeMap<&'a str, usize>,
    ids: BTreeSet<usize>,
}

impl<'a> Anchors<'a> {
    fn hold(&mut self, node: &Node<'a>) -> bool {
        if let Some(anchor) = &node.anchor {
            if let Some(hidden) = self.by_name.insert(anchor.name, anchor.id) {
                self.ids.remove(&hidden);
            }
            self.ids.insert(anchor.id);
        }
        match &node.content {
            Content::Alias { id } => self.ids.contains(id),
            Content::Collection(collection) => collection
                .entries
                .iter()
                .flat_map(|entry| entry.key.iter().chain([&entry.value]))
                .all(|node| self.hold(node)),
            _ => true,
        }
    }
}
