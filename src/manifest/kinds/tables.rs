//! `CustomerTable` and `Defaults`: documents that fill other documents.

use schemars::{Schema, SchemaGenerator, json_schema};

use super::{fields_at, metadata_fields};
use crate::manifest::read::fields::{check_present, object_schema};
use crate::manifest::read::{At, Described, Field, Keeper, Need, Reader, Shaped, shape};
use crate::model::customer::Customer;
use crate::model::label::Labels;
use crate::model::name::Kind;
use crate::model::scalar::{Malformed, Scalar};
use crate::model::text::Title;

/// The `spec` of a `CustomerTable`; its defaults are read again with each row.
#[derive(Debug)]
pub(crate) struct CustomerTable {
    pub file: Title,
    #[expect(dead_code, reason = "checked here, read again with each row")]
    pub defaults: Option<RowDefaults>,
}

shape!(CustomerTable, "CustomerTable", {
    /// The CSV file (RFC 4180), relative to the manifest. Columns are the fields of a Customer, dotted where they nest: `name`, `companyName`, `billing.address.country`, `labels.segment`. Within a cell `;` separates the items of a list; an empty cell is absent, `none` is an empty list.
    "file" => file: required Title, Local;
    /// Values for all rows that do not say otherwise.
    "defaults" => defaults: optional RowDefaults, Local;
});

/// The fields of a Customer and its labels, none of which must be there.
#[derive(Debug)]
pub(crate) struct RowDefaults;

const ROW_FIELDS: [Field; Customer::FIELDS.len() + 1] = {
    let labels = Field {
        key: "labels",
        docs: &["Labels for all rows; a row's own win, key by key."],
        need: Need::Optional,
        keeper: Keeper::Local,
        described: Labels::described,
        schema: Labels::schema,
        check: |at, reader| {
            reader.value::<Labels>(at, at.holder());
        },
    };
    let mut fields = [labels; Customer::FIELDS.len() + 1];
    let mut at = 0;
    while at < Customer::FIELDS.len() {
        #[expect(
            clippy::indexing_slicing,
            reason = "evaluated while compiling; both arrays are long enough"
        )]
        {
            fields[at] = Customer::FIELDS[at];
        }
        at += 1;
    }
    fields
};

impl Shaped for RowDefaults {
    fn read(at: At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mark = reader.drafts.len();
        reader.partially(|reader| {
            check_present(at, &ROW_FIELDS, "the defaults of a CustomerTable", reader);
        });
        (reader.drafts.len() == mark).then_some(Self)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        partial_schema("the defaults of a CustomerTable", &ROW_FIELDS, generator)
    }

    fn described() -> Described {
        Described { fields: &ROW_FIELDS, ..Described::simply("fields of a Customer") }
    }
}

/// The kinds that Defaults exist for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FilledKind(pub Kind);

const FILLED: [Kind; 7] = [
    Kind::Account,
    Kind::User,
    Kind::Role,
    Kind::Partnership,
    Kind::Customer,
    Kind::DelegatedAccess,
    Kind::Waiver,
];

impl Scalar for FilledKind {
    const WHAT: &'static str = "a kind";
    const GRAMMAR: crate::model::scalar::Grammar = crate::model::scalar::Grammar::Choices(&[
        ("Account", "For the Account."),
        ("User", "For all users."),
        ("Role", "For all roles."),
        ("Partnership", "For all partnerships."),
        ("Customer", "For all customers, rows of tables included."),
        ("DelegatedAccess", "For all templates."),
        ("Waiver", "For all waivers."),
    ]);

    fn parse(text: &str) -> Result<Self, Malformed> {
        FILLED
            .iter()
            .find(|kind| kind.word() == text)
            .map(|kind| Self(*kind))
            .ok_or_else(Malformed::form)
    }
}

/// The `spec` of a `Defaults`; its values are read again with each document of the kind.
#[derive(Debug)]
pub(crate) struct Defaults {
    pub kind: FilledKind,
}

struct Fields {
    kind: FilledKind,
    values: Anything,
}

shape!(Fields, "Defaults", {
    /// The kind whose documents they fill.
    "kind" => kind: required FilledKind, Local;
    /// `metadata` and `spec` as in a document of that kind. A document wins over it; labels merge by key, lists are replaced.
    "values" => values: required Anything, Local;
});

/// A mapping that is judged by what its neighbour says.
struct Anything;

impl Shaped for Anything {
    fn read(at: At<'_>, _: &mut Reader<'_>) -> Option<Self> {
        at.node().map(|_| Self)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }

    fn described() -> Described {
        Described {
            examples: &["{spec: {usageLocation: JP}}"],
            ..Described::simply("`metadata` and `spec` of that kind")
        }
    }
}

impl Shaped for Defaults {
    fn read(at: At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mark = reader.drafts.len();
        let Fields { kind, values: Anything } = Fields::read(at, reader)?;
        let values = at.node().and_then(|node| node.entry("values"));
        if let Some((key, values)) = values {
            check_values(kind.0, At { key: Some(key.span()), ..At::own(values) }, reader);
        }
        (reader.drafts.len() == mark).then_some(Self { kind })
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = object_schema("Defaults", &Fields::FIELDS, generator);
        let by_kind: Vec<serde_json::Value> = FILLED
            .iter()
            .map(|kind| {
                let spec = fields_at(*kind, &["spec"]).unwrap_or_default();
                serde_json::json!({
                    "if": { "properties": { "kind": { "const": kind.word() } }, "required": ["kind"] },
                    "then": { "properties": { "values": {
                        "type": "object",
                        "properties": {
                            "metadata": partial_schema("metadata", metadata_fields(), generator),
                            "spec": partial_schema(kind.word(), spec, generator),
                        },
                        "additionalProperties": false,
                    } } },
                })
            })
            .collect();
        schema.insert("allOf".to_owned(), by_kind.into());
        schema
    }

    fn described() -> Described {
        Described { fields: &Fields::FIELDS, ..Described::simply("Defaults") }
    }
}

fn check_values(kind: Kind, at: At<'_>, reader: &mut Reader<'_>) {
    const PART: Field = Field {
        key: "metadata",
        docs: &["As in a document."],
        need: Need::Optional,
        keeper: Keeper::Local,
        described: Anything::described,
        schema: Anything::schema,
        check: |_, _| (),
    };
    const PARTS: [Field; 2] = [PART, Field { key: "spec", ..PART }];
    reader.partially(|reader| {
        check_present(at, &PARTS, "the values of Defaults", reader);
        for (part, fields) in [
            ("metadata", metadata_fields()),
            ("spec", fields_at(kind, &["spec"]).unwrap_or_default()),
        ] {
            if let Some((key, value)) = at.node().and_then(|node| node.entry(part)) {
                check_present(At { key: Some(key.span()), ..At::own(value) }, fields, part, reader);
            }
        }
    });
}

/// The schema of a mapping of which nothing must be there.
fn partial_schema(
    what: &'static str,
    fields: &'static [Field],
    generator: &SchemaGenerator,
) -> Schema {
    // Nothing is shared: what is referred to would still require.
    let mut settings = generator.settings().clone();
    settings.inline_subschemas = true;
    let mut schema = object_schema(what, fields, &mut settings.into_generator()).to_value();
    nothing_required(&mut schema);
    Schema::try_from(schema).unwrap_or_default()
}

/// Takes out what must be there, however deep: the document adds it.
fn nothing_required(schema: &mut serde_json::Value) {
    match schema {
        serde_json::Value::Object(object) => {
            // A bare `required` is a choice between keys, not a list of them.
            if object.contains_key("properties") {
                object.remove("required");
            }
            object.values_mut().for_each(nothing_required);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(nothing_required),
        _ => {}
    }
}
