//! Who is waited for, since when, until when; and what expires.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::plan::{shown_json, shown_text};
use super::{Style, json};

/// Which format this is.
pub const FORMAT: &str = "partnerctl/status/v1";

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: partnerctl/status/v1
    Json,
}

/// How things stand.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    pub format: String,
    /// The tenant's own time.
    pub observed_at: String,
    pub items: Vec<Item>,
    /// How many steps a plan has now.
    pub pending: u64,
}

/// Something that waits, or ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// `kind/name`.
    pub object: String,
    /// What `confirm` takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    pub state: Standing,
    /// Whom it waits for.
    pub awaiting: String,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    pub since: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Somebody has to do something.
    Waiting,
    /// It ends soon.
    Expires,
    /// It has ended.
    Expired,
}

pub fn write(status: &Status, format: Format, style: Style, to: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Json => json::write_value(&shown_json(serde_json::to_value(status)?), to),
        Format::Text => text(status, style, to),
    }
}

/// The JSON Schema of the format.
pub fn schema() -> Value {
    let mut schema = json::schema_of::<Status>();
    if let Some(members) = schema.as_object_mut() {
        members.insert("title".to_owned(), "partnerctl status, version 1".into());
    }
    schema
}

fn text(status: &Status, _style: Style, to: &mut dyn Write) -> io::Result<()> {
    for (state, title) in [
        (Standing::Waiting, "waiting for people"),
        (Standing::Expired, "expired"),
        (Standing::Expires, "expires soon"),
    ] {
        let items: Vec<&Item> = status.items.iter().filter(|item| item.state == state).collect();
        if items.is_empty() {
            continue;
        }
        writeln!(to, "{title} ({})", items.len())?;
        for item in items {
            writeln!(to, "  {}: {}", shown_text(&item.object), shown_text(&item.message))?;
            let mut line = |name: &str, value: Option<&str>| match value {
                Some(value) => writeln!(to, "    {name:<10} {}", shown_text(value)),
                None => Ok(()),
            };
            if state == Standing::Waiting {
                line("waits for", Some(&item.awaiting))?;
                line("since", Some(&item.since))?;
            }
            line("until", item.until.as_deref())?;
            line("link", item.link.as_deref())?;
            line("do", item.instructions.as_deref())?;
            line("step", item.step.as_deref())?;
        }
    }
    match (status.items.is_empty(), status.pending) {
        (true, 0) => writeln!(to, "nothing waits, nothing expires, nothing is to be changed"),
        (true, pending) => {
            writeln!(to, "nothing waits and nothing expires; {pending} steps are to be applied")
        }
        (false, 0) => writeln!(to, "{} in all; nothing is to be changed", status.items.len()),
        (false, pending) => {
            writeln!(to, "{} in all; {pending} steps are to be applied", status.items.len())
        }
    }
}
