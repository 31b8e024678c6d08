//! What access tests came to: for people, for CI systems, for programs.

use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use schemars::JsonSchema;
use serde::Serialize;

use super::{clean, json};

/// How the outcome of tests is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people: what fails, and what no test touches
    #[default]
    Text,
    /// For test reports of CI systems: JUnit XML, a suite per document
    Junit,
    /// For programs: partnerctl/tests/v1
    Json,
}

/// All tests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tests {
    pub lines: Vec<Line>,
    /// How many policies there are.
    pub policies: usize,
    /// Policies that decided nothing: id, and whether it is built in.
    pub untouched: Vec<(String, bool)>,
}

/// A line of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The document's name.
    pub document: String,
    /// What the line says, in a few words.
    pub says: String,
    pub file: String,
    pub line: Option<u32>,
    /// Nothing if it holds.
    pub failures: Vec<Failed>,
}

/// Why a line does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    pub message: String,
    pub file: String,
    pub line: Option<u32>,
    pub column: Option<u32>,
}

impl Tests {
    pub fn failed(&self) -> usize {
        self.lines.iter().filter(|line| !line.failures.is_empty()).count()
    }
}

/// For people. `all`: name every policy that no test touches, built-in ones too.
pub fn text(tests: &Tests, all: bool, out: &mut dyn Write) -> io::Result<()> {
    for line in tests.lines.iter().filter(|line| !line.failures.is_empty()) {
        writeln!(out, "failed: {}: {}", clean::line(&line.document), clean::value(&line.says))?;
        for failed in &line.failures {
            writeln!(out, "  {}", clean::value(&failed.message))?;
            writeln!(out, "  --> {}", place(failed))?;
        }
        writeln!(out)?;
    }
    let touched = tests.policies - tests.untouched.len();
    let built_in = tests.untouched.iter().filter(|(_, built_in)| *built_in).count();
    let named: Vec<&str> = tests
        .untouched
        .iter()
        .filter(|(_, built_in)| all || !built_in)
        .map(|(id, _)| id.as_str())
        .collect();
    if !named.is_empty() {
        writeln!(out, "policies that no test touches:")?;
        for id in &named {
            writeln!(out, "  {}", clean::line(id))?;
        }
        writeln!(out)?;
    }
    if tests.lines.is_empty() {
        writeln!(out, "there are no access tests (partnerctl explain AccessTest)")?;
    }
    let failed = tests.failed();
    let verdict = if failed == 0 { "all hold".to_owned() } else { format!("{failed} failed") };
    if !tests.lines.is_empty() {
        writeln!(out, "{} tests: {verdict}", tests.lines.len())?;
    }
    let rest = if all || built_in == 0 {
        String::new()
    } else {
        format!("; of the others {built_in} are built in (--coverage names them)")
    };
    writeln!(out, "{touched} of {} policies touched{rest}", tests.policies)
}

fn place(failed: &Failed) -> String {
    let number = |number: Option<u32>| number.map_or_else(String::new, |at| format!(":{at}"));
    format!("{}{}{}", clean::name(&failed.file), number(failed.line), number(failed.column))
}

/// For CI systems.
pub fn junit(tests: &Tests, out: &mut dyn Write) -> io::Result<()> {
    let mut report = Report::new("partnerctl test");
    let mut at = 0;
    while let Some(first) = tests.lines.get(at) {
        let lines = tests.lines.iter().skip(at).take_while(|line| line.document == first.document);
        let mut suite = TestSuite::new(clean::value(&first.document));
        for line in lines {
            at += 1;
            let status = if line.failures.is_empty() {
                TestCaseStatus::success()
            } else {
                let said: Vec<String> = line
                    .failures
                    .iter()
                    .map(|failed| {
                        format!("{}\n--> {}", clean::value(&failed.message), place(failed))
                    })
                    .collect();
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                let message = line.failures.first().map_or("", |failed| failed.message.as_str());
                status.set_message(clean::value(message)).set_description(said.join("\n"));
                status
            };
            let mut case = TestCase::new(clean::value(&line.says), status);
            case.set_classname(clean::name(&line.file));
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    // Written whole: the serializer's own error would not say that nobody reads any more.
    let xml = report.to_string().map_err(io::Error::other)?;
    out.write_all(xml.as_bytes())
}

const FORMAT: &str = "partnerctl/tests/v1";

/// What access tests came to.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "partnerctl tests, version 1")]
struct TestsRecord<'a> {
    /// The name and version of this format. A reader should refuse another.
    #[schemars(extend("const" = FORMAT))]
    format: &'static str,
    tests: Vec<TestRecord<'a>>,
    /// Which policies decided something in a test.
    coverage: CoverageRecord<'a>,
}

/// A line of an `AccessTest`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Test")]
struct TestRecord<'a> {
    /// As `kind/name`.
    object: String,
    /// What the line says, in a few words.
    says: &'a str,
    file: &'a str,
    line: Option<u32>,
    holds: bool,
    failures: Vec<FailureRecord<'a>>,
}

/// Why a line does not hold.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Failure")]
struct FailureRecord<'a> {
    message: &'a str,
    file: &'a str,
    line: Option<u32>,
    column: Option<u32>,
}

/// Which policies decided something in a test.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Coverage")]
struct CoverageRecord<'a> {
    policies: usize,
    /// The ids of those that decided nothing.
    untouched: Vec<&'a str>,
}

/// For programs.
pub fn json(tests: &Tests, out: &mut dyn Write) -> io::Result<()> {
    let record = TestsRecord {
        format: FORMAT,
        tests: tests
            .lines
            .iter()
            .map(|line| TestRecord {
                object: format!("access-test/{}", line.document),
                says: &line.says,
                file: &line.file,
                line: line.line,
                holds: line.failures.is_empty(),
                failures: line
                    .failures
                    .iter()
                    .map(|Failed { message, file, line, column }| FailureRecord {
                        message,
                        file,
                        line: *line,
                        column: *column,
                    })
                    .collect(),
            })
            .collect(),
        coverage: CoverageRecord {
            policies: tests.policies,
            untouched: tests.untouched.iter().map(|(id, _)| id.as_str()).collect(),
        },
    };
    json::write_value(&record, out)
}

/// The JSON Schema of the format, as in `schemas/tests.schema.json`.
pub fn schema() -> serde_json::Value {
    json::schema_of::<TestsRecord<'_>>()
}
