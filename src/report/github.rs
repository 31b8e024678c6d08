//! Workflow commands that GitHub Actions turns into annotations.
//!
//! GitHub shows ten annotations of each severity per step and only logs the rest, without their
//! place; so errors come first, and what is beyond ten has its place in the message. The last line
//! is plain text. Nothing from outside can start a command of its own.

use super::mask::Masks;
use super::{clean, summary, text};
use crate::manifest::code::Severity;
use crate::manifest::finding::{Finding, Findings};
use std::io::{self, Write};

/// How many annotations of a severity GitHub shows per step.
pub(super) const ANNOTATIONS_MAX: usize = 10;

pub(super) fn write(findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    let masks = Masks::of(findings);
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let all = findings.all.iter().filter(|finding| finding.severity == severity);
        for (index, finding) in all.enumerate() {
            let line = command(finding, index < ANNOTATIONS_MAX, &masks);
            writeln!(out, "{line}")?;
        }
    }
    out.write_all(summary::of(findings).as_bytes())
}

fn command(finding: &Finding, is_shown: bool, masks: &Masks<'_>) -> String {
    let name = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let place = &finding.place;
    let is_file = place.file != "-";
    let mut properties = Vec::new();
    if is_file {
        properties.push(format!("file={}", property(&clean::name(&place.file))));
        if let Some(region) = &place.region {
            properties.push(format!("line={},endLine={}", region.line, region.end_line));
            // On several lines GitHub refuses columns.
            if region.line == region.end_line {
                properties.push(format!("col={},endColumn={}", region.column, region.end_column));
            }
        }
    }
    properties.push(format!("title={}", finding.code));

    let mut lines = vec![masks.show(&finding.message)];
    if !is_file || !is_shown {
        lines.push(format!("--> {}", text::at(place)));
    }
    lines.extend(text::details(finding, masks));
    format!("::{name} {}::{}", properties.join(","), data(&lines.join("\n")))
}

/// The escapes of a command's message, as `@actions/core` makes them.
pub(super) fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The escapes of a command's property: those of the message, and what ends a property.
pub(super) fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_to_the_runner_is_escaped() {
        assert_eq!(data("100%: a, b\nc\r"), "100%25: a, b%0Ac%0D");
        assert_eq!(property("C:\\50%,a.yaml"), "C%3A\\50%25%2Ca.yaml");
    }
}
