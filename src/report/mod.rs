//! Views over values: the same findings for people, programs and CI systems.
//!
//! A report is written to whatever it is handed and is a function of its input: the same findings
//! make the same bytes. Nothing here decides whether something is wrong, reads a file or a clock,
//! or asks a terminal what it can do.
//!
//! What comes from outside (names, messages, lines of manifests) is data to every format: `clean`
//! makes it harmless, `mask` hides secrets, and each format does its own quoting.

pub mod access;
pub(crate) mod clean;
mod comment;
pub mod decision;
pub mod drift;
mod github;
pub mod history;
pub mod invitation;
pub mod json;
mod junit;
mod mask;
mod page;
pub mod plan;
pub mod proof;
pub mod review;
mod sarif;
mod snippet;
pub mod status;
mod summary;
pub mod tested;
mod text;

use crate::manifest::finding::Findings;
pub use decision::Cited;
use std::io;

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people: each finding with its line underlined, the first hundred of them
    #[default]
    Text,
    /// For programs: partnerctl/findings/v1, all of them
    Json,
    /// For code scanning: SARIF 2.1.0
    Sarif,
    /// For test reports of CI systems: JUnit XML, a suite per file
    Junit,
    /// For GitHub Actions: annotations on the changed lines
    Github,
}

/// What the output can show. Only text looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    pub color: bool,
    /// In columns.
    pub width: usize,
}

/// Writes all that a run found, in many small pieces: `out` should have a buffer.
pub fn findings(
    format: Format,
    findings: &Findings,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        Format::Text => text::write(findings, style, out),
        Format::Json => json::write(findings, out),
        Format::Sarif => sarif::write(findings, out),
        Format::Junit => junit::write(findings, out),
        Format::Github => github::write(findings, out),
    }
}

#[cfg(test)]
mod tests;
