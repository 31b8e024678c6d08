//! JUnit XML, for the test pages of CI systems.
//!
//! A file is a suite; an error in it is a test that fails, a warning or a note a test that passes
//! and says something, and a file without findings one test that passes. There are no timestamps,
//! durations or random ids: the same findings make the same bytes.

use super::mask::Masks;
use super::{clean, text};
use crate::manifest::code::Severity;
use crate::manifest::finding::{Finding, Findings};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::collections::BTreeMap;
use std::io::{self, Write};

pub(super) fn write(findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    let masks = Masks::of(findings);
    let mut files: BTreeMap<&str, Vec<&Finding>> =
        findings.sources.iter().map(|(_, source)| (source.name.as_str(), Vec::new())).collect();
    for finding in &findings.all {
        files.entry(&finding.place.file).or_default().push(finding);
    }
    let mut report = Report::new("partnerctl validate");
    for (file, found) in files {
        let name = clean::name(file);
        let mut suite = TestSuite::new(name.as_str());
        if found.is_empty() {
            suite.add_test_case(case("no findings", &name, TestCaseStatus::success()));
        }
        suite.add_test_cases(found.into_iter().map(|finding| tested(finding, &name, &masks)));
        report.add_test_suite(suite);
    }
    // Written whole: the serializer's own error would not say that nobody reads any more.
    let xml = report.to_string().map_err(io::Error::other)?;
    out.write_all(xml.as_bytes())
}

fn tested(finding: &Finding, file: &str, masks: &Masks<'_>) -> TestCase {
    let message = masks.show(&finding.message);
    // No line in the name: CI systems follow a test from run to run by it.
    let name = match &finding.object {
        Some(object) => format!("{} {}: {message}", finding.code, masks.show(object)),
        None => format!("{}: {message}", finding.code),
    };
    let mut lines = vec![format!("{}[{}]: {message}", finding.severity.word(), finding.code)];
    lines.push(format!("--> {}", text::at(&finding.place)));
    lines.extend(text::details(finding, masks));
    let lines = lines.join("\n");
    if finding.severity == Severity::Error {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(message).set_type(finding.code.id()).set_description(lines);
        case(&name, file, status)
    } else {
        let mut case = case(&name, file, TestCaseStatus::success());
        case.set_system_out(lines);
        case
    }
}

fn case(name: &str, file: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname(file);
    case
}
