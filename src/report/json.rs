//! The contract format `partnerctl/findings/v1`, for programs.
//!
//! These records are the contract, so they are kept apart from `Finding`, which may change with the
//! checks. Keys are never renamed or removed within v1; new ones may come. Nothing is cut or
//! cleaned here but secrets: a parser gets back the exact text, though on the way it is escaped so
//! far that printing the file to a terminal or a CI log does no harm.

use super::clean;
use super::mask::Masks;
use crate::manifest::code;
use crate::manifest::finding::{Finding, Findings, Place, Related as RelatedPlace};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};
use std::borrow::Cow;
use std::io::{self, Write};

const FORMAT: &str = "partnerctl/findings/v1";

/// All findings of one run of partnerctl over an estate.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "partnerctl findings, version 1")]
struct FindingsRecord<'a> {
    /// The name and version of this format. A reader should refuse another.
    #[schemars(extend("const" = FORMAT))]
    format: &'static str,
    /// Sorted by file, line, column and code. Findings that a Waiver silences are not among them.
    #[schemars(with = "Vec<FindingRecord<'a>>")]
    findings: Records<'a>,
    /// What the run looked at.
    checked: CheckedRecord,
}

/// Made one by one as they are written: a million findings need not be held twice.
#[derive(Debug)]
struct Records<'a> {
    findings: &'a [Finding],
    masks: &'a Masks<'a>,
}

impl Serialize for Records<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.findings.iter().map(|finding| record(finding, self.masks)))
    }
}

/// One problem.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Finding")]
struct FindingRecord<'a> {
    /// A stable code; `partnerctl explain` tells its story.
    #[schemars(pattern(r"^P[0-9]{4}$"))]
    code: &'static str,
    severity: SeverityRecord,
    /// What is wrong, in one line. Secrets in it are replaced by `••••••`.
    message: Cow<'a, str>,
    /// What to do about it. Absent when there is nothing to suggest.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    help: Option<Cow<'a, str>>,
    /// The file, relative to the project; `-` is standard input.
    file: &'a str,
    /// The line where it starts, from 1; null when only the file is known.
    #[schemars(range(min = 1))]
    line: Option<u32>,
    /// The column where it starts, from 1, in Unicode characters; null when only the file is known.
    #[schemars(range(min = 1))]
    column: Option<u32>,
    /// The line where it ends; null when only the file is known.
    #[schemars(range(min = 1))]
    end_line: Option<u32>,
    /// The column behind its last character; null when only the file is known.
    #[schemars(range(min = 1))]
    end_column: Option<u32>,
    /// The object it is about, as `kind/name`. Absent when it is about no single object.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    object: Option<Cow<'a, str>>,
    /// Other places that belong to it; often none.
    related: Vec<RelatedRecord<'a>>,
}

/// How bad a finding is: errors fail the run; warnings do with `--deny warnings`; notes never do.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Severity")]
enum SeverityRecord {
    Error,
    Warning,
    Note,
}

/// Another place that belongs to a finding.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Related")]
struct RelatedRecord<'a> {
    /// What this place has to do with it.
    message: Cow<'a, str>,
    /// The file, relative to the project; `-` is standard input.
    file: &'a str,
    /// The line, from 1; null when only the file is known.
    #[schemars(range(min = 1))]
    line: Option<u32>,
    /// The column, from 1, in Unicode characters; null when only the file is known.
    #[schemars(range(min = 1))]
    column: Option<u32>,
}

/// How much a run looked at.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Checked")]
struct CheckedRecord {
    /// Files that were read.
    files: usize,
    /// Documents in them.
    documents: usize,
}

/// The JSON Schema of the format, as in `schemas/findings.schema.json`.
pub fn schema() -> serde_json::Value {
    schema_of::<FindingsRecord<'_>>()
}

/// The JSON Schema of what is written, draft 2020-12.
pub(super) fn schema_of<T: JsonSchema>() -> serde_json::Value {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

pub(super) fn write(findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    let masks = Masks::of(findings);
    let record = FindingsRecord {
        format: FORMAT,
        findings: Records { findings: &findings.all, masks: &masks },
        checked: CheckedRecord {
            files: findings.checked.files,
            documents: findings.checked.documents,
        },
    };
    write_value(&record, out)
}

fn record<'a>(finding: &'a Finding, masks: &Masks<'_>) -> FindingRecord<'a> {
    let Finding { code, severity, message, help, place, object, related } = finding;
    let Place { file, region } = place;
    FindingRecord {
        code: code.id(),
        severity: match severity {
            code::Severity::Error => SeverityRecord::Error,
            code::Severity::Warning => SeverityRecord::Warning,
            code::Severity::Note => SeverityRecord::Note,
        },
        message: masks.hide(message),
        help: help.as_ref().map(|help| masks.hide(help)),
        file,
        line: region.map(|region| region.line),
        column: region.map(|region| region.column),
        end_line: region.map(|region| region.end_line),
        end_column: region.map(|region| region.end_column),
        object: object.as_ref().map(|object| masks.hide(object)),
        related: related
            .iter()
            .map(|RelatedPlace { message, place }| RelatedRecord {
                message: masks.hide(message),
                file: &place.file,
                line: place.region.map(|region| region.line),
                column: place.region.map(|region| region.column),
            })
            .collect(),
    }
}

/// Indented JSON with a line break at the end, harmless to print.
pub(super) fn write_value(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let formatter = Harmless { pretty: PrettyFormatter::new() };
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, formatter);
    value.serialize(&mut serializer)?;
    out.write_all(b"\n")
}

/// Writes as [`PrettyFormatter`] does, but every character that acts is a `\u` escape, so that a
/// parser reads the same text and a terminal none of it.
struct Harmless {
    pretty: PrettyFormatter<'static>,
}

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut plain = 0;
        let mut before = None;
        for (at, char) in fragment.char_indices() {
            // `##[` and `##vso[` are commands to some CI logs; no `##` is ever needed raw.
            let second_hash = char == '#' && before == Some('#');
            if second_hash || clean::is_unsafe(char, before) {
                out.write_all(fragment.get(plain..at).unwrap_or_default().as_bytes())?;
                for unit in char.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
                plain = at + char.len_utf8();
            }
            before = Some(char);
        }
        out.write_all(fragment.get(plain..).unwrap_or_default().as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.pretty.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.pretty.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.pretty.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.pretty.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.pretty.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.pretty.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.pretty.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.pretty.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.pretty.end_object_value(out)
    }
}
