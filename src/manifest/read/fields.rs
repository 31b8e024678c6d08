//! Mappings with fixed keys, and the table that says everything about them once: how they are
//! read, what the schema allows, in which order `fmt` writes them, what `explain` tells.

use schemars::{Schema, SchemaGenerator};

use super::{At, Fallbacks, Reader, Shaped};
use crate::manifest::code::Code;
use crate::manifest::source::Span;
use crate::manifest::suggest::{listed, nearest, quoted};
use crate::manifest::text::arena::View;
use crate::model::secret;

/// A key of a mapping.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    pub key: &'static str,
    /// One or more sentences; the first line alone must make sense.
    pub docs: &'static [&'static str],
    pub need: Need,
    pub keeper: Keeper,
    pub described: fn() -> Described,
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// Reads the value and forgets it.
    pub check: fn(At<'_>, &mut Reader<'_>),
}

/// Whether a key must be there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Required,
    /// Must be there, if only to say none.
    Chosen,
    Optional,
    /// Absent means this.
    Default(&'static str),
}

impl Need {
    pub(crate) const fn must(self) -> bool {
        matches!(self, Self::Required | Self::Chosen)
    }
}

/// Who keeps what a field declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeper {
    /// The tenant: compared and changed at any time.
    Live,
    /// The tenant, but only when the object is made.
    CreateOnly,
    /// Nobody but these manifests.
    Local,
    /// A person, in the portal: no API changes it.
    Person,
}

/// What the reference says of a type.
#[derive(Clone, Copy)]
pub(crate) struct Described {
    /// With its article: `an e-mail address`.
    pub what: &'static str,
    /// Any number of it.
    pub is_list: bool,
    pub examples: &'static [&'static str],
    /// The words it may be, if it is one of a few.
    pub choices: &'static [(&'static str, &'static str)],
    pub fields: &'static [Field],
}

impl Described {
    pub(crate) const fn simply(what: &'static str) -> Self {
        Self { what, is_list: false, examples: &[], choices: &[], fields: &[] }
    }
}

/// What a document says of a field: where its key stands, and its value.
type Said<'a> = Option<(Span, super::Node<'a>)>;

/// The values of a mapping's fields, in the order of its table.
pub(crate) struct Slots<'a, const N: usize> {
    said: std::array::IntoIter<Said<'a>, N>,
    fields: std::slice::Iter<'static, Field>,
    fallbacks: Fallbacks<'a>,
    holder: Span,
    /// Keys that unknown ones probably stand for: nobody is told that they are missing.
    meant: Vec<&'static str>,
}

/// Sorts the entries of a mapping into fields; reports what does not belong, and returns the keys
/// that were probably meant by it.
fn sort<'a>(
    at: At<'a>,
    fields: &'static [Field],
    said: &mut [Said<'a>],
    what: &str,
    reader: &mut Reader<'_>,
) -> Option<Vec<&'static str>> {
    let mut meant = Vec::new();
    let Some(own) = at.own else { return Some(meant) };
    let View::Mapping(entries) = own.view() else {
        wrong_type(own, what, "a mapping of keys and values", reader);
        return None;
    };
    let mut next = 0;
    for (key, value) in entries {
        let place = position(fields, key.text(), next);
        let Some(slot) = place.and_then(|index| said.get_mut(index)) else {
            meant.extend(unknown_key(key, fields, what, reader));
            secret_of(key, value, reader);
            continue;
        };
        if slot.is_some() {
            reader.twice(key);
            secret_of(key, value, reader);
            continue;
        }
        *slot = Some((key.span(), value));
        next = place.map_or(0, |index| index + 1);
    }
    Some(meant)
}

/// Which field has a key. Nearly every document keeps the order of the table, so it is looked for
/// from `next` on first.
fn position(fields: &[Field], key: &str, next: usize) -> Option<usize> {
    let is_it = |field: &Field| field.key == key;
    let (before, after) = fields.split_at_checked(next)?;
    let found = after.iter().position(is_it).map(|at| at + next);
    found.or_else(|| before.iter().position(is_it))
}

/// A field's place: what the document says, and what Defaults say.
fn place<'a>(said: Said<'a>, field: &Field, fallbacks: Fallbacks<'a>) -> At<'a> {
    let mut at = match said {
        Some((key, value)) => At { key: Some(key), ..At::own(value) },
        None => At::ABSENT,
    };
    // Nothing is added to a scalar.
    let is_whole = at.own.is_some_and(super::Node::is_scalar);
    if !is_whole && fallbacks.iter().any(Option::is_some) {
        at.fallbacks = fallbacks.map(|node| node.and_then(|node| node.get(field.key)));
    }
    at
}

/// Checks the fields of a mapping that are there, as in the values of Defaults.
pub(crate) fn check_present(
    at: At<'_>,
    fields: &'static [Field],
    what: &str,
    reader: &mut Reader<'_>,
) {
    let mut said = vec![None; fields.len()];
    if sort(at, fields, &mut said, what, reader).is_none() {
        return;
    }
    for (said, field) in said.into_iter().zip(fields) {
        let slot = place(said, field, at.fallbacks);
        reader.field = field.key;
        if !slot.is_absent() && has_value(slot, field, reader) {
            (field.check)(slot, reader);
        }
    }
}

impl<'a, const N: usize> Slots<'a, N> {
    pub(crate) fn of(
        at: At<'a>,
        fields: &'static [Field; N],
        what: &str,
        reader: &mut Reader<'_>,
    ) -> Option<Self> {
        let mut said = [None; N];
        let meant = sort(at, fields, &mut said, what, reader)?;
        Some(Self {
            meant,
            said: said.into_iter(),
            fields: fields.iter(),
            fallbacks: at.fallbacks,
            holder: at.holder(),
        })
    }

    /// Reads the next field. The outer `None` is an error that was reported.
    #[expect(clippy::option_option, reason = "an error and an absence are different things")]
    pub(crate) fn next<T: Shaped>(&mut self, reader: &mut Reader<'_>) -> Option<Option<T>> {
        let (said, field) = (self.said.next()?, self.fields.next()?);
        let mut slot = place(said, field, self.fallbacks);
        if reader.null_is_nothing && slot.own.is_some_and(super::Node::is_null) {
            slot = At::ABSENT;
        }
        if slot.is_absent() {
            if field.need.must() && !reader.is_partial() && !self.meant.contains(&field.key) {
                missing(field, self.holder, reader);
            }
            return if field.need.must() { None } else { Some(None) };
        }
        reader.field = field.key;
        if !has_value(slot, field, reader) {
            return None;
        }
        reader.value(slot, self.holder).map(Some)
    }
}

/// Reports a key that stands there with nothing behind it.
fn has_value(slot: At<'_>, field: &Field, reader: &mut Reader<'_>) -> bool {
    let Some(own) = slot.own.filter(|own| own.is_null()) else { return true };
    let help =
        if field.need.must() { "give it a value" } else { "give it a value, or leave the key out" };
    let span = slot.key.unwrap_or(own.span());
    reader.report(
        Code::P0109,
        span,
        format!("`{}` has no value", field.key),
        Some(help.to_owned()),
    );
    false
}

fn missing(field: &Field, holder: Span, reader: &mut Reader<'_>) {
    let key = field.key;
    let described = (field.described)();
    let (code, message, help) = match field.need {
        Need::Chosen => {
            let words = listed(described.choices.iter().map(|(word, _)| *word));
            (
                Code::P1001,
                format!("no `{key}` level is chosen"),
                format!("choose {words}: `{key}: none` says nobody forgot"),
            )
        }
        _ => (
            Code::P0102,
            format!("`{key}` is missing"),
            match described.examples.first() {
                Some(example) => {
                    let quotes =
                        if example.bytes().all(|b| b.is_ascii_digit()) { "\"" } else { "" };
                    let (open, close) = if described.is_list { ("[", "]") } else { ("", "") };
                    format!(
                        "it is {}, such as `{key}: {open}{quotes}{example}{quotes}{close}`",
                        described.what
                    )
                }
                None => format!("it is {}", described.what),
            },
        ),
    };
    reader.report(code, holder, message, Some(help));
}

/// Reports a key that is not in the table; returns the one that was probably meant.
fn unknown_key(
    key: super::Node<'_>,
    fields: &'static [Field],
    what: &str,
    reader: &mut Reader<'_>,
) -> Option<&'static str> {
    let written = key.text();
    let near = nearest(written, fields.iter().map(|field| field.key));
    let help = if let Some(near) = near {
        format!("did you mean `{near}`?")
    } else {
        let keys = listed(fields.iter().map(|field| field.key)).replace(" or ", " and ");
        format!("{what} has {keys}")
    };
    let message = format!("unknown key {} in {what}", quoted(written));
    reader.report(Code::P0101, key.span(), message, Some(help));
    near
}

/// A value whose key says that it is a secret is one, also where no such key belongs.
pub(crate) fn secret_of(key: super::Node<'_>, value: super::Node<'_>, reader: &mut Reader<'_>) {
    if !secret::is_named(key.text()) || !value.is_scalar() || value.is_null() {
        return;
    }
    let help =
        "take it out, revoke it, and refer to where it is kept: `{env: NAME}` or `{file: PATH}`";
    let message = format!("{} holds a value, not a reference to a secret", quoted(key.text()));
    reader.report(Code::P0501, value.span(), message, Some(help.to_owned()));
}

/// Reports a value that is of another type altogether.
pub(crate) fn wrong_type(node: super::Node<'_>, what: &str, wanted: &str, reader: &mut Reader<'_>) {
    let found = match node.view() {
        View::Null => "nothing",
        View::Bool(_) => "a boolean",
        View::Number(_) => "a number",
        View::String(_) => "text",
        View::Sequence(_) => "a list",
        View::Mapping(_) => "a mapping",
    };
    let span = node.head();
    let is_item = wanted == "a list" && node.is_scalar() && node.text().len() < 60;
    let help =
        is_item.then(|| format!("put it in brackets: {}", quoted(&format!("[{}]", node.text()))));
    reader.report(Code::P0103, span, format!("{what} must be {wanted}, not {found}"), help);
}

/// The JSON Schema of a mapping with fixed keys.
pub(crate) fn object_schema(
    what: &'static str,
    fields: &'static [Field],
    generator: &mut SchemaGenerator,
) -> Schema {
    let mut properties = serde_json::Map::new();
    for field in fields {
        let mut schema = (field.schema)(generator);
        let description = field.docs.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
        if let Some(object) = schema.as_object_mut() {
            // A reference keeps its siblings in draft 2020-12.
            object.insert("description".to_owned(), description.into());
            if let Need::Default(default) = field.need {
                let value = match default {
                    "true" => true.into(),
                    "false" => false.into(),
                    text => text.parse::<u32>().map_or_else(|_| text.into(), Into::into),
                };
                object.insert("default".to_owned(), value);
            }
        }
        properties.insert(field.key.to_owned(), schema.into());
    }
    let required: Vec<&str> =
        fields.iter().filter(|field| field.need.must()).map(|field| field.key).collect();
    let mut schema = schemars::json_schema!({
        "type": "object",
        "title": what,
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    schema
}

/// Maps a struct of the model to the keys of a mapping.
///
/// Without a value that must be there, there is no struct. Any other that is wrong counts as absent,
/// so that the rest is judged too; whoever asks what is absent asks whether the document is sound.
///
/// Each field is named once: its key, its words, whether it must be there, its type, its keeper.
macro_rules! shape {
    (
        $type:ident, $what:literal, {
            $(
                $(#[doc = $doc:literal])+
                $key:literal => $field:ident: $need:ident $inner:ty, $keeper:ident $(, $default:expr, $shown:literal)?;
            )+
        }
    ) => {
        impl $crate::manifest::read::Shaped for $type {
            fn read(
                at: $crate::manifest::read::At<'_>,
                reader: &mut $crate::manifest::read::Reader<'_>,
            ) -> Option<Self> {
                let mut slots = $crate::manifest::read::fields::Slots::of(at, &Self::FIELDS, $what, reader)?;
                $(
                    let $field = slots.next::<$inner>(reader);
                )+
                Some(Self {
                    $( $field: $crate::manifest::read::fields::take!($need $(($default))? $field), )+
                })
            }

            fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::manifest::read::fields::object_schema($what, &Self::FIELDS, generator)
            }

            fn described() -> $crate::manifest::read::Described {
                $crate::manifest::read::Described { fields: &Self::FIELDS, ..$crate::manifest::read::Described::simply($what) }
            }
        }

        impl $type {
            pub(crate) const FIELDS: [$crate::manifest::read::Field; [$($key),+].len()] = [$(
                $crate::manifest::read::Field {
                    key: $key,
                    docs: &[$($doc),+],
                    need: $crate::manifest::read::fields::need!($need $(($shown))?),
                    keeper: $crate::manifest::read::Keeper::$keeper,
                    described: <$inner as $crate::manifest::read::Shaped>::described,
                    schema: <$inner as $crate::manifest::read::Shaped>::schema,
                    check: |at, reader| {
                        reader.value::<$inner>(at, at.holder());
                    },
                },
            )+];
        }
    };
}

macro_rules! need {
    (required) => {
        $crate::manifest::read::Need::Required
    };
    (chosen) => {
        $crate::manifest::read::Need::Chosen
    };
    (optional) => {
        $crate::manifest::read::Need::Optional
    };
    (default($shown:literal)) => {
        $crate::manifest::read::Need::Default($shown)
    };
}

macro_rules! take {
    (required $field:ident) => {
        $field??.into()
    };
    (chosen $field:ident) => {
        $field??.into()
    };
    (optional $field:ident) => {
        $field.flatten().map(Into::into)
    };
    (default($default:expr) $field:ident) => {
        match $field.flatten() {
            Some(value) => value.into(),
            None => $default,
        }
    };
}

pub(crate) use {need, shape, take};
