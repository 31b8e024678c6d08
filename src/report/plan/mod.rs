//! A plan for whoever has to approve it: at a prompt, in a pull request, in a browser, in a program.
//!
//! Each format is a function of the plan alone. `view` arranges it once (by object, by risk, alike
//! things as one), `words` has the sentences that stand in all of them, `value` shows what a field
//! is and becomes; `text` (with `layout`), `markdown`, `html` and `json` write. What a tenant or a
//! manifest says is data in each of them, and what looks like a secret is in none.
//!
//! Nothing here plans: a format may fold and leave out, and says so, but never adds.

mod html;
pub(super) mod json;
pub(super) mod layout;
mod markdown;
mod text;
pub(super) mod value;
pub(super) mod view;
pub(super) mod words;

use std::io;

pub use html::html;
pub use json::{json, schema};
pub use markdown::markdown;
pub use text::text;

use super::Style;
use crate::plan::Plan;

/// How a plan is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people at a prompt: what is risky first, long lists folded
    #[default]
    Text,
    /// For programs: partnerctl/plan/v1, all of it
    Json,
    /// For a pull request: one comment, whatever the size of the plan
    Markdown,
    /// For everybody: one page that needs nothing else, all of it
    Html,
}

/// Writes a plan, in many small pieces: `to` should have a buffer. Only text looks at the style.
pub fn write(plan: &Plan, format: Format, style: Style, to: &mut dyn io::Write) -> io::Result<()> {
    match format {
        Format::Text => text(plan, style, to),
        Format::Json => json(plan, to),
        Format::Markdown => markdown(plan, to),
        Format::Html => html(plan, to),
    }
}

/// Text from outside, on one line, safe to show.
pub(super) fn shown_text(text: &str) -> String {
    value::shown(text, 2_000)
}

/// The value of a field, safe to show.
pub(super) fn shown_field(path: &str, field: &serde_json::Value) -> String {
    value::of_field(path, field, 400)
}

/// A record for programs, safe to write.
pub(super) fn shown_json(record: serde_json::Value) -> serde_json::Value {
    json::without_secrets(record)
}

#[cfg(test)]
pub(super) mod fixture;
#[cfg(test)]
mod tests;
