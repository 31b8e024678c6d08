use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::output::Output;
use super::{CommandError, Outcome};
use crate::manifest::schema;
use crate::model::name::Kind;
use crate::plan::approval;
use crate::policy::vocabulary;
use crate::report;

/// The file that the vocabulary of policies is written to, in Cedar's own syntax.
const VOCABULARY: &str = "partnerctl.cedarschema";

/// Write the JSON Schema of manifests and machine formats
///
/// Without a name: the schema of every document, for editors. With one: the schema of that kind,
/// or of a machine format. With --out also the vocabulary of policies, partnerctl.cedarschema.
#[derive(clap::Args, Debug)]
pub(crate) struct SchemaArgs {
    /// A kind such as User, or a machine format: findings, can, access, tests, plan,
    /// approval, drift, status, invitation, history
    #[arg(value_name = "KIND")]
    name: Option<String>,
    /// Write all schemas into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "name")]
    out: Option<PathBuf>,
}

pub(crate) fn run(out: &Output, args: &SchemaArgs) -> Result<Outcome, CommandError> {
    let Some(folder) = &args.out else {
        let schema = match &args.name {
            None => schema::of_all(),
            Some(name) => named(name)?,
        };
        out.result(|to| to.write_all(text(&schema).as_bytes()))?;
        return Ok(Outcome::Done);
    };
    let failed =
        |source| CommandError::failed(format!("writing schemas into {}", folder.display()), source);
    fs::create_dir_all(folder).map_err(failed)?;
    for (name, schema) in all() {
        fs::write(folder.join(&name), text(&schema)).map_err(failed)?;
        out.narrate(&name);
    }
    fs::write(folder.join(VOCABULARY), vocabulary::TEXT).map_err(failed)?;
    out.narrate(VOCABULARY);
    Ok(Outcome::Done)
}

type Format = (&'static str, fn() -> Value);

/// The machine formats.
const FORMATS: [Format; 11] = [
    ("findings", report::json::schema),
    ("can", report::decision::schema),
    ("access", report::access::schema),
    ("tests", report::tested::schema),
    ("plan", report::plan::schema),
    ("approval", approval::schema),
    ("drift", report::drift::schema),
    ("status", report::status::schema),
    ("invitation", report::invitation::schema),
    ("history", report::history::schema),
    ("review", report::review::schema),
];

/// Every schema, by the name of its file.
pub(crate) fn all() -> Vec<(String, Value)> {
    let mut all = vec![("partnerctl.schema.json".to_owned(), schema::of_all())];
    all.extend(
        Kind::ALL
            .iter()
            .map(|kind| (format!("{}.schema.json", kind.kebab()), schema::of_kind(*kind))),
    );
    all.extend(FORMATS.iter().map(|(name, schema)| (format!("{name}.schema.json"), schema())));
    all
}

/// A schema as it is written to a file.
pub(crate) fn text(schema: &Value) -> String {
    let mut text = serde_json::to_string_pretty(schema).unwrap_or_default();
    text.push('\n');
    text
}

fn named(name: &str) -> Result<Value, CommandError> {
    let wanted = name.replace('-', "");
    if let Some((_, schema)) = FORMATS.iter().find(|(name, _)| wanted.eq_ignore_ascii_case(name)) {
        return Ok(schema());
    }
    if let Some(kind) = Kind::ALL.iter().find(|kind| kind.word().eq_ignore_ascii_case(&wanted)) {
        return Ok(schema::of_kind(*kind));
    }
    let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.word()).collect();
    let formats: Vec<&str> = FORMATS.iter().map(|(name, _)| *name).collect();
    let there = [kinds, formats].concat().join(", ");
    Err(CommandError::usage(format!("there is no schema named {name}\nthere are {there}")))
}
