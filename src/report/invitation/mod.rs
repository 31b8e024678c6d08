//! What the people are written whom a plan waits for: the message that brings them the link.
//!
//! `waiting` says who writes to whom on which occasion, as the manifests and the plan have it;
//! `letter` puts it into words, in the recipient's language; `mail` makes it a file that mail
//! programs open, `csv` a table of many that others are written from. All of it is a function: nothing is sent from here. The link is never altered, and
//! a text of a manifest or of the tenant stays on its line, whatever it holds.

mod csv;
mod language;
mod letter;
mod mail;
#[cfg(test)]
mod tests;
mod waiting;

use std::io::{self, Write};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::json;
pub use csv::csv;
pub use language::Language;
pub use letter::{Letter, Occasion, Person, Recipient, Sender, Unwritten};
pub use waiting::{Waiting, is_asked, is_invitation, is_many, of};

/// Which format this is.
pub const FORMAT: &str = "partnerctl/invitation/v1";

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people: the message as it reads
    #[default]
    Text,
    /// For mail programs: RFC 5322, opens as a draft
    Eml,
    /// For a mail merge: a line for each recipient (RFC 4180, UTF-8)
    Csv,
    /// For programs: partnerctl/invitation/v1
    Json,
}

/// The messages for an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invitations {
    pub format: String,
    /// The tenant's own time.
    pub observed_at: String,
    pub invitations: Vec<Message>,
}

/// One message, as it is to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// `kind/name`.
    pub object: String,
    /// As `status` names it.
    pub step: String,
    /// What it is about.
    pub occasion: String,
    /// The language it is written in.
    pub language: Language,
    pub from: Mailbox,
    /// The recipient's.
    pub company: String,
    /// Nobody, if nobody is named.
    pub to: Vec<Mailbox>,
    pub subject: String,
    /// Plain text; the link stands on a line of its own.
    pub body: String,
    pub link: String,
    /// Until when it can be accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The same for the same invitation, so that sending it again continues a conversation.
    pub message_id: String,
}

/// Somebody's address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Mailbox {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub address: String,
}

impl Message {
    /// The message as a file, dated.
    pub fn eml(&self, date: Timestamp) -> io::Result<Vec<u8>> {
        mail::write(self, date)
    }

    /// What the file is called: its step, with the kind. Of two templates and their customers the
    /// names never run into one another: no name has a dot.
    pub fn file_name(&self) -> String {
        let between = if self.step.starts_with("delegated-access/") { '.' } else { '-' };
        let plain: String = self
            .step
            .chars()
            .map(|c| match c {
                '/' => between,
                c if c.is_ascii_alphanumeric() || "-_".contains(c) => c,
                _ => '-',
            })
            .collect();
        format!("{plain}.eml")
    }

    /// A name that is its own where another message has the same.
    pub fn longer_file_name(&self) -> String {
        let name = self.file_name();
        let digits = self.message_id.get(..8).unwrap_or_default();
        format!("{}-{digits}.eml", name.trim_end_matches(".eml"))
    }

    /// As people read it.
    pub fn text(&self, to: &mut dyn Write) -> io::Result<()> {
        writeln!(to, "From: {}", self.from)?;
        for recipient in &self.to {
            writeln!(to, "To: {recipient}")?;
        }
        writeln!(to, "Subject: {}\n", self.subject)?;
        write!(to, "{}", self.body)
    }
}

impl std::fmt::Display for Mailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => f.write_str(&self.address),
        }
    }
}

/// Writes messages for people, one after the other.
pub fn text(invitations: &Invitations, to: &mut dyn Write) -> io::Result<()> {
    for (at, message) in invitations.invitations.iter().enumerate() {
        if at > 0 {
            writeln!(to, "\n{}\n", "=".repeat(72))?;
        }
        message.text(to)?;
    }
    Ok(())
}

/// Writes messages for programs. Nothing is masked: a link that was changed would lead nowhere.
pub fn json(invitations: &Invitations, to: &mut dyn Write) -> io::Result<()> {
    json::write_value(&serde_json::to_value(invitations)?, to)
}

/// The JSON Schema of the format.
pub fn schema() -> Value {
    let mut schema = json::schema_of::<Invitations>();
    if let Some(members) = schema.as_object_mut() {
        members.insert("title".to_owned(), "partnerctl invitation, version 1".into());
    }
    schema
}
