//! Remarks as the hosts of pull requests read them: annotations of GitHub, logging commands of Azure
//! DevOps, GitLab's code quality report.
//!
//! Nothing from outside can start a command of its own, end one early or add a property to one.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::remarks::{self, Fingerprints, Level, Remark, State};
use super::words;
use crate::report::clean;
use crate::report::github::{ANNOTATIONS_MAX, data, property};
use crate::report::json::write_value;
use crate::report::plan::value::shown;
use crate::review::Review;

/// Characters of a message.
const CHARS_MAX: usize = 1_500;

/// What is not of this pull request is not remarked, unless it stops it.
fn is_of_this(remark: &Remark) -> bool {
    match remark.state {
        State::New => true,
        State::Unchanged => remark.level == Level::Error,
        State::Absent => false,
    }
}

fn message(remark: &Remark) -> Vec<String> {
    let mut lines = vec![shown(&remark.message, CHARS_MAX)];
    lines.extend(remark.help.as_deref().map(|help| shown(help, CHARS_MAX)));
    lines
}

/// Workflow commands that GitHub Actions turns into annotations.
pub fn github(review: &Review, to: &mut dyn Write) -> io::Result<()> {
    let all = remarks::of(review);
    for (level, name) in
        [(Level::Error, "error"), (Level::Warning, "warning"), (Level::Note, "notice")]
    {
        let of_level = all.iter().filter(|one| one.level == level && is_of_this(one));
        for (index, remark) in of_level.enumerate() {
            let file = remarks::file(review, remark);
            let mut properties = vec![format!("file={}", property(&clean::name(&file)))];
            if let Some((line, end)) = remarks::lines(remark) {
                properties.push(format!("line={line},endLine={end}"));
            }
            properties.push(format!("title={}", property(remark.sort.id())));
            let mut lines = message(remark);
            // Beyond so many GitHub only logs them, without their place.
            if index >= ANNOTATIONS_MAX
                && let Some(at) = &remark.at
            {
                lines.push(format!("--> {}", words::place(at)));
            }
            writeln!(to, "::{name} {}::{}", properties.join(","), data(&lines.join("\n")))?;
        }
    }
    writeln!(to, "{}", clean::line(&words::verdict(review)))
}

/// Logging commands of Azure DevOps.
pub fn azure(review: &Review, to: &mut dyn Write) -> io::Result<()> {
    for remark in remarks::of(review).iter().filter(|one| is_of_this(one)) {
        let text = message(remark).join("\n");
        let name = match remark.level {
            Level::Error => "error",
            Level::Warning => "warning",
            // It knows no notes: they are lines of the log.
            Level::Note => {
                for line in text.lines() {
                    writeln!(to, "{}", clean::line(line))?;
                }
                continue;
            }
        };
        let file = clean::name(&remarks::file(review, remark));
        let mut properties =
            vec![format!("type={name}"), format!("sourcepath={}", azure_property(&file))];
        if let Some((line, _)) = remarks::lines(remark) {
            properties.push(format!("linenumber={line}"));
        }
        properties.push(format!("code={}", azure_property(remark.sort.id())));
        writeln!(to, "##vso[task.logissue {}]{}", properties.join(";"), azure_data(&text))?;
    }
    writeln!(to, "{}", clean::line(&words::verdict(review)))
}

/// The escapes of a message. A percent sign goes first, or it would begin one of the others.
fn azure_data(text: &str) -> String {
    text.replace('%', "%AZP25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Those of a property: also what ends one, or all of them.
fn azure_property(text: &str) -> String {
    azure_data(text).replace(';', "%3B").replace(']', "%5D")
}

/// GitLab's code quality report.
pub fn gitlab(review: &Review, to: &mut dyn Write) -> io::Result<()> {
    let mut fingerprints = Fingerprints::default();
    let all: Vec<Value> = remarks::of(review)
        .iter()
        .filter(|remark| remark.state != State::Absent)
        .map(|remark| {
            let severity = match remark.level {
                Level::Error => "critical",
                Level::Warning => "major",
                Level::Note => "info",
            };
            let begin = remarks::lines(remark).map_or(1, |(line, _)| line);
            json!({
                "description": message(remark).join(" — "),
                "check_name": remark.sort.id(),
                "fingerprint": fingerprints.of(remark),
                "severity": severity,
                "location": {"path": remarks::file(review, remark), "lines": {"begin": begin}},
            })
        })
        .collect();
    write_value(&all, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_to_azure_is_escaped() {
        assert_eq!(azure_data("100%\r\n; ] x"), "100%AZP25%0D%0A; ] x");
        assert_eq!(azure_property("a;b]c%"), "a%3Bb%5Dc%AZP25");
    }
}
