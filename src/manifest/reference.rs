//! What there is to know of each kind and field: for `explain` and for the pages made from it.

use super::kinds::{metadata_fields, spec};
use super::read::{Field, Keeper, Need};
use super::schema::meaning;
use crate::model::name::Kind;

/// A kind of document.
#[derive(Debug, Clone)]
pub struct KindEntry {
    pub kind: &'static str,
    pub docs: &'static str,
    pub fields: Vec<FieldEntry>,
    pub example: &'static str,
}

/// A field, with what is below it.
#[derive(Debug, Clone)]
pub struct FieldEntry {
    pub key: &'static str,
    /// From the root of the document: `spec.legal.address`.
    pub path: String,
    pub docs: String,
    /// What a value of it is, with its article.
    pub what: &'static str,
    pub required: bool,
    pub default: Option<&'static str>,
    /// Who keeps what it declares: the word, and what the word means.
    pub keeper: (&'static str, &'static str),
    pub examples: &'static [&'static str],
    pub choices: &'static [(&'static str, &'static str)],
    pub fields: Vec<FieldEntry>,
}

/// All kinds, in the order of the house.
pub fn kinds() -> Vec<KindEntry> {
    Kind::ALL
        .iter()
        .map(|kind| {
            let spec = spec(*kind);
            KindEntry {
                kind: kind.word(),
                docs: meaning(*kind),
                fields: entries(spec.fields, "spec"),
                example: spec.example,
            }
        })
        .collect()
}

/// The fields of `metadata`, the same for every kind.
pub fn metadata() -> Vec<FieldEntry> {
    entries(metadata_fields(), "metadata")
}

fn entries(fields: &'static [Field], prefix: &str) -> Vec<FieldEntry> {
    fields
        .iter()
        .map(|field| {
            let path = format!("{prefix}.{}", field.key);
            let described = (field.described)();
            FieldEntry {
                key: field.key,
                docs: field.docs.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" "),
                what: described.what,
                required: field.need.must(),
                default: match field.need {
                    Need::Default(default) if !default.is_empty() => Some(default),
                    _ => None,
                },
                keeper: keeper(field.keeper),
                examples: described.examples,
                choices: described.choices,
                fields: entries(described.fields, &path),
                path,
            }
        })
        .collect()
}

const fn keeper(keeper: Keeper) -> (&'static str, &'static str) {
    match keeper {
        Keeper::Live => ("live", "compared with the tenant and changed there at any time"),
        Keeper::CreateOnly => {
            ("create-only", "set when the object is made; afterwards only compared")
        }
        Keeper::Local => ("local", "kept in these manifests alone; the tenant does not know it"),
        Keeper::Person => {
            ("person", "kept in the portal alone: a person sets it and confirms that it is done")
        }
    }
}

/// What a name at the prompt leads to: a kind, or a field of one.
#[derive(Debug)]
pub enum Found {
    Kind(KindEntry),
    Field(&'static str, FieldEntry),
}

/// Looks up `User`, `user.email`, `user.spec.email` or `metadata.expires`, without regard to case.
/// When there is none, the error names what there is instead.
pub fn find(target: &str) -> Result<Found, Vec<String>> {
    let mut keys = target.split('.');
    let first = keys.next().unwrap_or_default();
    let mut keys: Vec<&str> = keys.collect();
    if first.eq_ignore_ascii_case("metadata") {
        return descend("every kind", metadata(), &keys);
    }
    let wanted = first.replace('-', "");
    let all = kinds();
    let Some(entry) = all.iter().find(|entry| entry.kind.eq_ignore_ascii_case(&wanted)) else {
        return Err(all.iter().map(|entry| entry.kind.to_owned()).collect());
    };
    match keys.first() {
        None => Ok(Found::Kind(entry.clone())),
        Some(key) if key.eq_ignore_ascii_case("metadata") => {
            keys.remove(0);
            if keys.is_empty() {
                Err(paths(&metadata()))
            } else {
                descend(entry.kind, metadata(), &keys)
            }
        }
        Some(key) => {
            if key.eq_ignore_ascii_case("spec") {
                keys.remove(0);
            }
            if keys.is_empty() {
                Ok(Found::Kind(entry.clone()))
            } else {
                descend(entry.kind, entry.fields.clone(), &keys)
            }
        }
    }
}

fn descend(
    kind: &'static str,
    fields: Vec<FieldEntry>,
    keys: &[&str],
) -> Result<Found, Vec<String>> {
    let Some((key, rest)) = keys.split_first() else { return Err(paths(&fields)) };
    let known = paths(&fields);
    let Some(field) = fields.into_iter().find(|field| field.key.eq_ignore_ascii_case(key)) else {
        return Err(known);
    };
    if rest.is_empty() { Ok(Found::Field(kind, field)) } else { descend(kind, field.fields, rest) }
}

fn paths(fields: &[FieldEntry]) -> Vec<String> {
    fields.iter().map(|field| field.path.clone()).collect()
}
