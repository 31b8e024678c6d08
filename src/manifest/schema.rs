//! The manifest language as JSON Schema, draft 2020-12: for editors, and as a contract.
//!
//! It says what one document can be. What a document means beside others (references, unique
//! names, values from Defaults) the reader alone can judge.

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::kinds::{API_VERSION, spec};
use super::read::Shaped;
use crate::model::metadata::Metadata;
use crate::model::name::Kind;
use crate::model::scalar::{Grammar, Scalar};

/// The dialect of all schemas.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of one kind's documents.
pub fn of_kind(kind: Kind) -> Value {
    let mut generator = generator();
    let mut schema = kind_schema(kind, &mut generator);
    let mut whole = Map::new();
    whole.insert("$schema".to_owned(), DIALECT.into());
    if let Some(object) = schema.as_object_mut() {
        whole.append(object);
    }
    let shared = generator.take_definitions(false);
    if !shared.is_empty() {
        whole.insert("$defs".to_owned(), shared.into());
    }
    whole.into()
}

/// The schema of any document, and of Lists of them.
pub fn of_all() -> Value {
    let mut generator = generator();
    let mut defs: Map<String, Value> = Kind::ALL
        .iter()
        .map(|kind| (kind.word().to_owned(), kind_schema(*kind, &mut generator)))
        .collect();
    defs.extend(generator.take_definitions(false));
    let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.word()).chain(["List"]).collect();
    let meanings: Vec<&str> = Kind::ALL
        .iter()
        .map(|kind| meaning(*kind))
        .chain(["Documents in one list, as kustomize and kubectl write them."])
        .collect();
    let by_kind = |kind: &str, then: Value| json!({ "if": { "properties": { "kind": { "const": kind } }, "required": ["kind"] }, "then": then });
    let mut all_of: Vec<Value> = Kind::ALL
        .iter()
        .map(|kind| by_kind(kind.word(), json!({ "$ref": format!("#/$defs/{}", kind.word()) })))
        .collect();
    all_of.push(by_kind(
        "List",
        json!({
            "properties": {
                "apiVersion": { "enum": [API_VERSION, "v1"] },
                "kind": true,
                "metadata": true,
                "items": {
                    "type": "array",
                    "items": { "allOf": [{ "$ref": "#" }, { "not": { "properties": { "kind": { "const": "List" } }, "required": ["kind"] } }] },
                },
            },
            "required": ["items"],
            "additionalProperties": false,
        }),
    ));
    json!({
        "$schema": DIALECT,
        "title": "partnerctl",
        "description": "A document of an estate, or the project file.",
        "type": "object",
        "properties": {
            "apiVersion": { "type": "string", "description": "The version of the manifest language.", "examples": [API_VERSION] },
            "kind": {
                "type": "string",
                "description": "What the document declares.",
                "enum": kinds,
                "markdownEnumDescriptions": meanings,
            },
        },
        "required": ["apiVersion", "kind"],
        "allOf": all_of,
        "$defs": defs,
    })
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().into_generator()
}

pub(crate) fn meaning(kind: Kind) -> &'static str {
    let Grammar::Choices(choices) = Kind::GRAMMAR else { return "" };
    choices.iter().find(|(word, _)| *word == kind.word()).map_or("", |(_, meaning)| meaning.trim())
}

fn kind_schema(kind: Kind, generator: &mut SchemaGenerator) -> Value {
    let spec = spec(kind);
    let body: Schema = (spec.schema)(generator);
    let example: Value = serde_yaml::from_str(spec.example).unwrap_or_default();
    json!({
        "title": kind.word(),
        "description": meaning(kind),
        "type": "object",
        "properties": {
            "apiVersion": { "const": API_VERSION, "description": "The version of the manifest language." },
            "kind": { "const": kind.word(), "description": "What the document declares." },
            "metadata": Metadata::schema(generator),
            "spec": body,
        },
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "additionalProperties": false,
        "examples": [example],
    })
}
