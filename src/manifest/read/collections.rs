//! Lists and mappings with free keys.

use std::collections::{BTreeMap, HashMap};

use schemars::{Schema, SchemaGenerator, json_schema};

use super::fields::wrong_type;
use super::scalars::{scalar_schema, text_of};
use super::{At, Described, Node, Reader, Shaped};
use crate::manifest::code::Code;
use crate::manifest::source::Span;
use crate::manifest::suggest::quoted;
use crate::manifest::text::arena::View;
use crate::model::label::{LabelKey, LabelValue, Labels};
use crate::model::scalar::{Grammar, Scalar};
use crate::model::text::turns_direction;

/// A list: `SET` refuses items that repeat, `MIN` fewer than so many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Items<T, const SET: bool, const MIN: usize>(pub Vec<T>);

/// Any items, in order.
pub(crate) type List<T> = Items<T, false, 0>;
/// At least one item, in order.
pub(crate) type Several<T> = Items<T, false, 1>;
/// Each item once.
pub(crate) type Set<T> = Items<T, true, 0>;
/// At least one item, each once.
pub(crate) type SetOfSome<T> = Items<T, true, 1>;

impl<T, const SET: bool, const MIN: usize> From<Items<T, SET, MIN>> for Vec<T> {
    fn from(items: Items<T, SET, MIN>) -> Self {
        items.0
    }
}

impl<T: Shaped, const SET: bool, const MIN: usize> Shaped for Items<T, SET, MIN> {
    fn read(at: At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let node = at.node()?;
        let field = reader.field;
        if MIN == 0 && node.as_str() == Some("none") {
            return Some(Self(Vec::new()));
        }
        let View::Sequence(items) = node.view() else {
            wrong_type(node, &format!("`{field}`"), "a list", reader);
            return None;
        };
        if items.len() < MIN {
            let span = at.key.unwrap_or(node.span());
            reader.report(
                Code::P0111,
                span,
                format!("`{field}` is empty"),
                Some("it needs at least one item".to_owned()),
            );
            return None;
        }
        let mut values = Vec::with_capacity(items.len());
        let mut complete = true;
        if SET {
            complete &= !repeats(&items, reader);
        }
        for item in items {
            reader.field = field;
            match T::read(At::own(item), reader) {
                Some(value) => values.push(value),
                None => complete = false,
            }
        }
        complete.then_some(Self(values))
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = json_schema!({ "type": "array", "items": T::schema(generator) });
        if SET {
            schema.insert("uniqueItems".to_owned(), true.into());
        }
        if MIN > 0 {
            schema.insert("minItems".to_owned(), MIN.into());
            return schema;
        }
        json_schema!({ "anyOf": [schema, { "const": "none" }] })
    }

    fn described() -> Described {
        Described { is_list: true, ..T::described() }
    }
}

/// Reports scalars that stand twice in a list.
pub(super) fn repeats(
    items: &super::super::text::arena::Items<'_>,
    reader: &mut Reader<'_>,
) -> bool {
    // Lists are short; the odd long one gets a set.
    let mut many = std::collections::HashSet::new();
    let long = items.len() > 16;
    let mut found = false;
    for (index, item) in items.clone().enumerate().filter(|(_, item)| item.is_scalar()) {
        let text = item.text();
        let earlier = || items.clone().take(index).filter(|earlier| earlier.is_scalar());
        if if long { many.insert(text) } else { !earlier().any(|earlier| earlier.text() == text) } {
            continue;
        }
        found = true;
        reader.report(
            Code::P0110,
            item.span(),
            format!("`{}` names {} twice", reader.field, quoted(text)),
            Some("keep one of the two".to_owned()),
        );
    }
    found
}

/// A mapping whose keys are free.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Map<K, V>(pub BTreeMap<K, V>);

impl<K, V> From<Map<K, V>> for BTreeMap<K, V> {
    fn from(map: Map<K, V>) -> Self {
        map.0
    }
}

impl<K: Scalar + Ord, V: Shaped> Shaped for Map<K, V> {
    fn read(at: At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        entries(at, reader).map(|entries| Self(entries.into_iter().collect()))
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "propertyNames": key_schema::<K>(),
            "additionalProperties": V::schema(generator),
        })
    }

    fn described() -> Described {
        V::described()
    }
}

/// Reads the keys and values of a mapping.
fn entries<K: Scalar, V: Shaped>(at: At<'_>, reader: &mut Reader<'_>) -> Option<Vec<(K, V)>> {
    if let Some((count, plain)) = plain_entries(at) {
        return read_entries(count, plain, at.holder(), reader);
    }
    let holder = at.holder();
    let merged = merged(at, reader)?;
    read_entries(merged.len(), merged.into_iter(), holder, reader)
}

/// The entries of a short mapping that nothing is merged into and in which nothing repeats: nearly
/// all of them, and not worth a list of their own.
fn plain_entries(at: At<'_>) -> Option<(usize, impl Iterator<Item = (Node<'_>, At<'_>)>)> {
    let View::Mapping(entries) = at.own?.view() else { return None };
    let alone = at.fallbacks.iter().all(Option::is_none) && entries.len() <= Places::EARLY_MAX;
    let repeats = || {
        entries.clone().enumerate().any(|(index, (key, _))| {
            entries.clone().take(index).any(|(earlier, _)| earlier.text() == key.text())
        })
    };
    (alone && !repeats()).then(|| (entries.len(), entries.map(placed)))
}

fn placed<'a>((key, value): (Node<'a>, Node<'a>)) -> (Node<'a>, At<'a>) {
    (key, At { key: Some(key.span()), ..At::own(value) })
}

fn read_entries<'a, K: Scalar, V: Shaped>(
    count: usize,
    entries: impl Iterator<Item = (Node<'a>, At<'a>)>,
    holder: Span,
    reader: &mut Reader<'_>,
) -> Option<Vec<(K, V)>> {
    let field = reader.field;
    let mut read = Vec::with_capacity(count);
    let mut complete = true;
    for (key, at) in entries {
        reader.field = field;
        let k = K::read(At::own(key), reader);
        let v = reader.value::<V>(at, holder);
        match (k, v) {
            (Some(k), Some(v)) => read.push((k, v)),
            _ => complete = false,
        }
    }
    complete.then_some(read)
}

/// The entries of a mapping, those of its Defaults added; reports what is no mapping, and repeats.
fn merged<'a>(at: At<'a>, reader: &mut Reader<'_>) -> Option<Vec<(Node<'a>, At<'a>)>> {
    let mut entries: Vec<(Node<'a>, At<'a>)> = Vec::new();
    let mut known = Places::default();
    if let Some(own) = at.own {
        let View::Mapping(own_entries) = own.view() else {
            let field = reader.field;
            wrong_type(own, &format!("`{field}`"), "a mapping of keys and values", reader);
            return None;
        };
        for (key, value) in own_entries {
            if known.of(key.text(), &entries).is_some() {
                reader.twice(key);
                continue;
            }
            known.add(key.text(), entries.len());
            entries.push((key, At { key: Some(key.span()), ..At::own(value) }));
        }
    }
    for (level, fallback) in at.fallbacks.into_iter().enumerate() {
        let Some(View::Mapping(fallback)) = fallback.map(Node::view) else { continue };
        for (key, value) in fallback {
            let place = known.of(key.text(), &entries);
            let at = place.unwrap_or(entries.len());
            if place.is_none() {
                known.add(key.text(), at);
                entries.push((key, At::ABSENT));
            }
            if let Some(slot) = entries.get_mut(at).and_then(|(_, at)| at.fallbacks.get_mut(level))
            {
                *slot = Some(value);
            }
        }
    }
    Some(entries)
}

/// Where each key stands: mappings are short, and the odd long one gets an index.
#[derive(Default)]
struct Places<'a> {
    index: HashMap<&'a str, usize>,
    early: usize,
}

impl<'a> Places<'a> {
    const EARLY_MAX: usize = 16;

    fn of(&self, key: &str, entries: &[(Node<'_>, At<'_>)]) -> Option<usize> {
        let early = entries.iter().take(self.early).position(|(known, _)| known.text() == key);
        early.or_else(|| self.index.get(key).copied())
    }

    fn add(&mut self, key: &'a str, at: usize) {
        if at < Self::EARLY_MAX {
            self.early = at + 1;
        } else {
            self.index.insert(key, at);
        }
    }
}

fn key_schema<K: Scalar>() -> Schema {
    match K::GRAMMAR {
        Grammar::Pattern { pattern, length_max } => {
            json_schema!({ "pattern": pattern, "maxLength": length_max })
        }
        Grammar::Choices(_) => scalar_schema::<K>(),
    }
}

impl Shaped for Labels {
    fn read(at: At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        entries::<LabelKey, LabelValue>(at, reader).map(|labels| labels.into_iter().collect())
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        Map::<LabelKey, LabelValue>::schema(generator)
    }

    fn described() -> Described {
        Described {
            examples: &["{segment: enterprise}"],
            ..Described::simply("a mapping of label keys to values")
        }
    }
}

/// Annotations: free keys, text values, not ours to understand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Annotations(pub Vec<(crate::model::Str, crate::model::Str)>);

impl From<Annotations> for Vec<(crate::model::Str, crate::model::Str)> {
    fn from(annotations: Annotations) -> Self {
        annotations.0
    }
}

impl Shaped for Annotations {
    fn read(at: At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut all = Vec::new();
        let mut complete = true;
        for (key, at) in merged(at, reader)? {
            reader.field = "annotations";
            match at.node().and_then(|node| text_of(node, "text", reader)) {
                Some(text) => {
                    if turns_direction(text)
                        && let Some(node) = at.node()
                    {
                        super::scalars::bidirectional(node, Code::P0012, reader);
                    }
                    all.push((key.text().into(), text.into()));
                }
                None => complete = false,
            }
        }
        complete.then_some(Self(all))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": { "type": "string" } })
    }

    fn described() -> Described {
        Described::simply("a mapping of free keys to text")
    }
}
