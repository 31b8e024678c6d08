//! One decision: allowed or denied, by which policies, and what came closest.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

use super::{clean, json};

/// A policy that decided, or nearly did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cited {
    pub id: String,
    pub reason: Option<String>,
    pub permits: bool,
    pub file: String,
    pub line: Option<u32>,
    /// Within partnerctl, not among the project's files.
    pub built_in: bool,
}

/// A permit that did not apply, and what it lacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closest {
    pub policy: Cited,
    /// In words, or as Cedar has it.
    pub lacking: Vec<String>,
}

/// An answer of `can`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub allowed: bool,
    /// `user/aiko-tanaka may accept-partnership on account/fabrikam`.
    pub sentence: String,
    pub policies: Vec<Cited>,
    pub near: Vec<Closest>,
    /// What else a reader should know.
    pub notes: Vec<String>,
}

/// For people; the reasons too, if they were asked for.
pub fn text(answer: &Answer, why: bool, out: &mut dyn Write) -> io::Result<()> {
    let word = if answer.allowed { "allowed" } else { "denied" };
    writeln!(out, "{word}: {}", clean::line(&answer.sentence))?;
    if !why {
        return Ok(());
    }
    for policy in &answer.policies {
        let verb = if policy.permits { "permitted" } else { "forbidden" };
        writeln!(out, "  {verb} by {}", clean::line(&policy.id))?;
        cited(policy, out)?;
    }
    if !answer.near.is_empty() {
        writeln!(out, "  no policy permits it; the closest:")?;
    }
    for Closest { policy, lacking } in &answer.near {
        writeln!(out, "  {}", clean::line(&policy.id))?;
        cited(policy, out)?;
        for what in lacking {
            writeln!(out, "    lacking: {}", clean::line(what))?;
        }
    }
    for note in &answer.notes {
        writeln!(out, "  note: {}", clean::line(note))?;
    }
    Ok(())
}

fn cited(policy: &Cited, out: &mut dyn Write) -> io::Result<()> {
    if let Some(reason) = &policy.reason {
        writeln!(out, "    reason: {}", clean::line(reason))?;
    }
    let line = policy.line.map_or_else(String::new, |line| format!(":{line}"));
    let built_in = if policy.built_in { " (built in)" } else { "" };
    writeln!(out, "    --> {}{line}{built_in}", clean::name(&policy.file))
}

const FORMAT: &str = "partnerctl/can/v1";

/// Whether somebody may do something.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "partnerctl can, version 1")]
struct AnswerRecord<'a> {
    /// The name and version of this format. A reader should refuse another.
    #[schemars(extend("const" = FORMAT))]
    format: &'static str,
    decision: DecisionRecord,
    /// The policies that decided; none for a denial by default.
    policies: Vec<PolicyRecord<'a>>,
    /// For a denial by default: the permits that came closest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    near: Vec<NearRecord<'a>>,
    /// What else is worth knowing.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    notes: &'a [String],
}

/// Yes or no.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Decision")]
enum DecisionRecord {
    Allow,
    Deny,
}

/// A policy.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Policy")]
struct PolicyRecord<'a> {
    id: &'a str,
    /// Why it is there, in the words of who wrote it.
    reason: Option<&'a str>,
    /// Relative to the project; `policies/...` of partnerctl's own source for one that is built in.
    file: &'a str,
    line: Option<u32>,
}

/// A permit that did not apply.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Near")]
struct NearRecord<'a> {
    #[serde(flatten)]
    policy: PolicyRecord<'a>,
    /// What did not hold, in words or as Cedar has it.
    lacking: &'a [String],
}

fn record(policy: &Cited) -> PolicyRecord<'_> {
    let Cited { id, reason, file, line, permits: _, built_in: _ } = policy;
    PolicyRecord { id, reason: reason.as_deref(), file, line: *line }
}

/// For programs.
pub fn json(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    let near = answer.near.iter();
    let answer = AnswerRecord {
        format: FORMAT,
        decision: if answer.allowed { DecisionRecord::Allow } else { DecisionRecord::Deny },
        policies: answer.policies.iter().map(record).collect(),
        near: near
            .map(|Closest { policy, lacking }| NearRecord { policy: record(policy), lacking })
            .collect(),
        notes: &answer.notes,
    };
    json::write_value(&answer, out)
}

/// The JSON Schema of the format, as in `schemas/can.schema.json`.
pub fn schema() -> serde_json::Value {
    json::schema_of::<AnswerRecord<'_>>()
}
