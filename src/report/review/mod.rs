//! A review for whoever decides whether to merge: what it changes about the rules first, then who
//! gains what, then the rest.
//!
//! Each format is a function of the review alone. What a manifest or a policy says is data in each
//! of them, and what looks like a secret is in none.

mod hosts;
mod html;
mod json;
mod junit;
mod markdown;
mod remarks;
mod sarif;
#[cfg(test)]
mod tests;
mod text;
mod words;

use std::io;

pub use hosts::{azure, github, gitlab};
pub use html::html;
pub use json::{json, schema};
pub use junit::junit;
pub use markdown::markdown;
pub use sarif::sarif;
pub use text::text;

use super::Style;
use super::mask::{self, Masks};
use crate::manifest::finding::Findings;
use crate::review::{Noted, Review, RuleChange, StandingChange};

/// How a review is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people at a prompt: what matters first, long lists folded
    #[default]
    Text,
    /// For a pull request: one comment, to be updated in place, whatever the size
    Markdown,
    /// For everybody: one page that needs nothing else
    Html,
    /// For programs: partnerctl/review/v1, all of it
    Json,
    /// For code scanning: SARIF 2.1.0, on the lines that changed
    Sarif,
    /// For test reports of CI systems: JUnit XML
    Junit,
    /// For GitHub Actions: annotations
    Github,
    /// For GitLab: a code quality report
    Gitlab,
    /// For Azure DevOps: logging commands
    Azure,
}

/// Writes a review, in many small pieces: `to` should have a buffer. Only text looks at the style.
pub fn write(
    review: &Review,
    format: Format,
    style: Style,
    to: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        Format::Text => text(review, style, to),
        Format::Markdown => markdown(review, to),
        Format::Html => html(review, to),
        Format::Json => json(review, to),
        Format::Sarif => sarif(review, to),
        Format::Junit => junit(review, to),
        Format::Github => github(review, to),
        Format::Gitlab => gitlab(review, to),
        Format::Azure => azure(review, to),
    }
}

/// Takes out what the loads marked as secret, and what looks like one.
pub fn hide(review: &mut Review, findings: &[&Findings]) {
    let masks: Vec<Masks<'_>> = findings.iter().map(|one| Masks::of(one)).collect();
    let hide = |text: &mut String| {
        for masks in &masks {
            let hidden = masks.hide(text);
            if hidden != text.as_str() {
                *text = hidden.into_owned();
            }
        }
        let hidden = mask::hide(text);
        if hidden != text.as_str() {
            *text = hidden.into_owned();
        }
    };
    for Noted { message, help, object, .. } in &mut review.findings {
        hide(message);
        help.iter_mut().chain(object).for_each(&hide);
    }
    for RuleChange { name, message, reason, before, after, .. } in &mut review.rules {
        hide(name);
        hide(message);
        reason.iter_mut().chain(before).chain(after).for_each(&hide);
    }
    for change in &mut review.changes {
        for field in &mut change.fields {
            values(&mut field.before, &hide);
            values(&mut field.after, &hide);
        }
    }
    for StandingChange { field, .. } in &mut review.standing {
        values(&mut field.before, &hide);
        values(&mut field.after, &hide);
    }
    for decider in &mut review.policies {
        decider.reason.iter_mut().for_each(&hide);
    }
    review.notes.iter_mut().for_each(&hide);
}

/// Every text in a value.
fn values(value: &mut serde_json::Value, hide: &impl Fn(&mut String)) {
    use serde_json::Value;
    match value {
        Value::String(text) => hide(text),
        Value::Array(all) => all.iter_mut().for_each(|one| values(one, hide)),
        Value::Object(members) => members.values_mut().for_each(|one| values(one, hide)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
