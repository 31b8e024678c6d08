//! The last line of what people read: how much was looked at, and how much of it is wrong.
//!
//! Counts only; it never speaks of a single finding.

use crate::manifest::code::Severity;
use crate::manifest::finding::{Checked, Findings};

/// One or two lines, each with its line break.
pub(super) fn of(findings: &Findings) -> String {
    let Checked { files, documents, kinds } = &findings.checked;
    let waived = match findings.waived {
        0 => String::new(),
        count => format!(", {count} waived"),
    };
    if findings.all.is_empty() {
        let kinds: Vec<String> = kinds
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(kind, count)| counted(*count, &kind.replace('-', " ")))
            .collect();
        let colon = if kinds.is_empty() { "" } else { ": " };
        let documents = counted(*documents, "document");
        let files = counted(*files, "file");
        let kinds = kinds.join(", ");
        return format!("checked {documents} in {files}{colon}{kinds}\nno findings{waived}\n");
    }
    let found: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .map(|severity| (findings.count(severity), severity.word()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| counted(count, word))
        .collect();
    let found = found.join(", ");
    let documents = counted(*documents, "document");
    let files = counted(*files, "file");
    format!("{found} in {documents} ({files}){waived}\n")
}

/// `1 role`, `2 roles`; words that end with `s` (defaults, delegated access) stay.
fn counted(count: usize, word: &str) -> String {
    let plural = if count == 1 || word.ends_with('s') { "" } else { "s" };
    format!("{count} {word}{plural}")
}
