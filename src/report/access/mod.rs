//! Who may do what on what: rectangles of people, actions and things.

mod html;

pub use html::{Action, Cell, Page, Policy, Rectangle, Role, html};

use std::collections::BTreeMap;
use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

use super::{clean, json};

/// How access is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people: who, on what, which actions; long lists are folded
    #[default]
    Text,
    /// For spreadsheets: `principal,action,resource`, a line for each
    Csv,
    /// For programs: partnerctl/access/v1, as rectangles
    Json,
    /// For everybody: one page that needs nothing else
    Html,
}

/// Access, as it was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// `as declared on 2026-11-20`.
    pub heading: String,
    pub rows: Vec<Row>,
    /// All customers that were asked about, as they are referred to.
    pub customers: Vec<String>,
}

/// Each of these may do each of these to each of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub principals: Vec<String>,
    pub actions: Vec<&'static str>,
    pub resources: Vec<String>,
    pub count: u64,
    /// The policies that decided, each for some at least.
    pub policies: Vec<String>,
}

/// So many names are shown of a list; the others are counted.
const SHOWN_MAX: usize = 6;

/// For people.
pub fn text(access: &Access, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut groups: BTreeMap<&[String], Vec<&Row>> = BTreeMap::new();
    for row in &access.rows {
        groups.entry(&row.principals).or_default().push(row);
    }
    writeln!(out, "who may do what, {}", clean::line(&access.heading))?;
    for (principals, rows) in groups {
        writeln!(out)?;
        paragraph(out, "", &folded(principals), width)?;
        for row in rows {
            let on = if row.resources.len() > 1 && row.resources == access.customers {
                format!("all {} customers", row.resources.len())
            } else {
                folded(&row.resources)
            };
            paragraph(out, "  ", &format!("on {on}:"), width)?;
            paragraph(out, "    ", &row.actions.join(", "), width)?;
        }
    }
    let count: u64 = access.rows.iter().map(|row| row.count).sum();
    if access.rows.is_empty() {
        writeln!(out, "nobody may do any of it")?;
    } else {
        writeln!(out, "\n{count} combinations of somebody, an action and what it is done to")?;
    }
    Ok(())
}

fn folded(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(SHOWN_MAX).map(|name| clean::value(name)).collect();
    let shown = shown.join(", ");
    match names.len().saturating_sub(SHOWN_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Words in lines of a width, each with an indent.
fn paragraph(out: &mut dyn Write, indent: &str, text: &str, width: usize) -> io::Result<()> {
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && indent.len() + line.len() + 1 + word.len() > width {
            writeln!(out, "{indent}{line}")?;
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    writeln!(out, "{indent}{line}")
}

/// For spreadsheets: a line for each combination.
pub fn csv(access: &Access, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "principal,action,resource")?;
    for row in &access.rows {
        for principal in &row.principals {
            for action in &row.actions {
                for resource in &row.resources {
                    // Kinds, names and actions: nothing in them needs quotes.
                    writeln!(out, "{principal},{action},{resource}")?;
                }
            }
        }
    }
    Ok(())
}

const FORMAT: &str = "partnerctl/access/v1";

/// Who may do what on what.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "partnerctl access, version 1")]
struct AccessRecord<'a> {
    /// The name and version of this format. A reader should refuse another.
    #[schemars(extend("const" = FORMAT))]
    format: &'static str,
    /// Every combination that is allowed is in exactly one of them.
    rectangles: Vec<RectangleRecord<'a>>,
}

/// Each of these may do each of these to each of these.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Rectangle")]
struct RectangleRecord<'a> {
    /// As `kind/name`.
    principals: &'a [String],
    actions: &'a [&'static str],
    /// As `kind/name`.
    resources: &'a [String],
    /// How many combinations.
    count: u64,
    /// The ids of the policies that decided, each for some combinations at least.
    policies: &'a [String],
}

/// For programs.
pub fn json(access: &Access, out: &mut dyn Write) -> io::Result<()> {
    let rectangles = access
        .rows
        .iter()
        .map(|row| RectangleRecord {
            principals: &row.principals,
            actions: &row.actions,
            resources: &row.resources,
            count: row.count,
            policies: &row.policies,
        })
        .collect();
    json::write_value(&AccessRecord { format: FORMAT, rectangles }, out)
}

/// The JSON Schema of the format, as in `schemas/access.schema.json`.
pub fn schema() -> serde_json::Value {
    json::schema_of::<AccessRecord<'_>>()
}
