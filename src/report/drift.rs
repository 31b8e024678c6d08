//! What the tenant changed behind our back: field by field, and what is gone.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::plan::{shown_field, shown_json, shown_text};
use super::{Style, json};
use crate::plan::Cause;
use crate::plan::step::{Source, State};

/// Which format this is.
pub const FORMAT: &str = "partnerctl/drift/v1";

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: partnerctl/drift/v1
    Json,
}

/// What others changed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Drift {
    pub format: String,
    /// The tenant's own time.
    pub observed_at: String,
    pub fields: Vec<Field>,
    pub gone: Vec<Gone>,
}

/// A field that is not as it was applied.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// `kind/name`.
    pub object: String,
    pub path: String,
    /// As the manifest has it; null for what is not in it.
    pub declared: Value,
    /// As it is in the tenant; null where there is nothing.
    pub live: Value,
    /// `drift`, or `both` where the manifest was edited too.
    pub cause: Cause,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// Something that is no longer there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Gone {
    pub object: String,
    pub message: String,
}

impl Drift {
    /// What of a plan is drift.
    pub fn of(plan: &crate::plan::Plan) -> Self {
        let fields = plan.steps.iter().flat_map(|step| {
            step.fields
                .iter()
                .filter(|field| matches!(field.cause, Cause::Drift | Cause::Both))
                .map(|field| Field {
                    object: step.object.to_string(),
                    path: field.path.clone(),
                    declared: field.after.clone(),
                    live: field.before.clone(),
                    cause: field.cause,
                    source: step.source.clone(),
                })
        });
        let gone = plan.report.iter().filter(|report| report.state == State::Gone).map(|report| {
            Gone { object: report.object.to_string(), message: report.message.clone() }
        });
        let mut drift = Self {
            format: FORMAT.to_owned(),
            observed_at: plan.observed_at.to_string(),
            fields: fields.collect(),
            gone: gone.collect(),
        };
        drift.fields.sort_by(|a, b| (&a.object, &a.path).cmp(&(&b.object, &b.path)));
        drift
    }

    pub fn is_none(&self) -> bool {
        self.fields.is_empty() && self.gone.is_empty()
    }
}

pub fn write(drift: &Drift, format: Format, style: Style, to: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Json => json::write_value(&shown_json(serde_json::to_value(drift)?), to),
        Format::Text => text(drift, style, to),
    }
}

/// The JSON Schema of the format.
pub fn schema() -> Value {
    let mut schema = json::schema_of::<Drift>();
    if let Some(members) = schema.as_object_mut() {
        members.insert("title".to_owned(), "partnerctl drift, version 1".into());
    }
    schema
}

fn text(drift: &Drift, _style: Style, to: &mut dyn Write) -> io::Result<()> {
    if drift.is_none() {
        return writeln!(to, "nobody changed anything in the tenant");
    }
    let mut object = "";
    for field in &drift.fields {
        if field.object != object {
            object = &field.object;
            let place = field.source.as_ref().map(|source| match source.line {
                Some(line) => format!("  ({}:{line})", shown_text(&source.file)),
                None => format!("  ({})", shown_text(&source.file)),
            });
            writeln!(to, "{}{}", shown_text(object), place.unwrap_or_default())?;
        }
        let edited =
            if field.cause == Cause::Both { ", and the manifest was edited too" } else { "" };
        writeln!(
            to,
            "  {}: declared {}, in the tenant {}{edited}",
            shown_text(&field.path),
            shown_field(&field.path, &field.declared),
            shown_field(&field.path, &field.live)
        )?;
    }
    for gone in &drift.gone {
        writeln!(to, "{}\n  gone: {}", shown_text(&gone.object), shown_text(&gone.message))?;
    }
    writeln!(
        to,
        "{} and {} since the last apply; `plan` shows the way back, `drift --adopt` writes it into the manifests",
        counted(drift.fields.len(), "field differs", "fields differ"),
        counted(drift.gone.len(), "object is gone", "objects are gone")
    )
}

fn counted(count: usize, one: &str, several: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {several}"),
    }
}
