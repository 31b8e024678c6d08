//! Problems: new, fixed, still there. Two are the same when they say the same about the same
//! object, wherever it stands by now.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::Input;
use super::place::{At, Side};
use super::renamed::Renames;
use crate::manifest::code::{Code, Severity};
use crate::manifest::finding::Finding;

/// What became of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FindingState {
    /// The base's policies, guards or waivers say so, the head's own do not.
    ByTheBase,
    New,
    Still,
    Fixed,
}

/// A finding, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Noted {
    pub state: FindingState,
    pub code: String,
    /// `error`, `warning` or `note`.
    pub severity: String,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// `kind/name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    pub at: At,
    /// A policy or a guard says no, or a waiver of the base does not excuse it.
    pub denies: bool,
}

impl Noted {
    /// Whether nothing can be said of the head's estate because of it.
    pub fn is_invalid(&self) -> bool {
        self.severity == Severity::Error.word()
            && !self.denies
            && matches!(self.state, FindingState::New | FindingState::Still)
    }

    /// Whether it keeps the head from being merged by the base's rules.
    pub fn is_denied(&self) -> bool {
        self.severity == Severity::Error.word() && self.denies && self.state != FindingState::Fixed
    }
}

/// Whether a finding is the word of a policy or a guard.
const fn is_a_verdict(code: Code) -> bool {
    matches!(
        code,
        Code::P1901 | Code::P1902 | Code::P1903 | Code::P2201 | Code::P2202 | Code::P2203
    )
}

/// What makes two findings the same: code, subject, message.
type Same = (&'static str, String, String);

fn same(finding: &Finding, renames: Option<&Renames>) -> Same {
    let subject = match (&finding.object, renames) {
        (Some(object), Some(renames)) => renames.object(object),
        (Some(object), None) => object.clone(),
        // An object may move to another file; what is about none stays in its own.
        (None, _) => finding.place.file.clone(),
    };
    (finding.code.id(), subject, finding.message.clone())
}

/// How many of each are left to be matched.
fn counted<'a>(
    all: impl Iterator<Item = &'a Finding>,
    renames: Option<&Renames>,
) -> BTreeMap<Same, usize> {
    let mut counts = BTreeMap::new();
    for finding in all {
        *counts.entry(same(finding, renames)).or_default() += 1;
    }
    counts
}

/// Takes one of the same, if one is left.
fn take(counts: &mut BTreeMap<Same, usize>, same: &Same) -> bool {
    match counts.get_mut(same) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    }
}

/// Compares the findings of both sides.
pub(super) fn compare(input: &Input<'_>, renames: &Renames) -> Vec<Noted> {
    let base = &input.base.loaded.findings.all;
    let head = &input.head.loaded.findings.all;
    let mut noted = Vec::new();
    let mut left = counted(base.iter(), Some(renames));
    for finding in head {
        let is_still = take(&mut left, &same(finding, None));
        let state = if is_still { FindingState::Still } else { FindingState::New };
        noted.push(note(finding, state, Side::Head, is_a_verdict(finding.code)));
    }
    if let Some(judged) = input.judged {
        let mut own = counted(head.iter(), None);
        let found = judged.loaded.findings.all.iter().filter(|finding| {
            let is_of_a_waiver =
                finding.object.as_deref().is_some_and(|object| object.starts_with("waiver/"));
            (is_a_verdict(finding.code) || finding.code.waivable()) && !is_of_a_waiver
        });
        for finding in found {
            if !take(&mut own, &same(finding, None)) {
                noted.push(note(finding, FindingState::ByTheBase, Side::Head, true));
            }
        }
    }
    let mut left = counted(head.iter(), None);
    for finding in base {
        let is_there = take(&mut left, &same(finding, Some(renames)));
        if !is_there && !input.is_new {
            noted.push(note(finding, FindingState::Fixed, Side::Base, is_a_verdict(finding.code)));
        }
    }
    noted.sort_by(|a, b| {
        let severity = |noted: &Noted| match noted.severity.as_str() {
            "error" => 0,
            "warning" => 1,
            _ => 2,
        };
        (a.state, severity(a), &a.at, &a.code, &a.message).cmp(&(
            b.state,
            severity(b),
            &b.at,
            &b.code,
            &b.message,
        ))
    });
    noted
}

fn note(finding: &Finding, state: FindingState, side: Side, denies: bool) -> Noted {
    let Finding { code, severity, message, help, place, object, related: _ } = finding;
    Noted {
        state,
        code: code.id().to_owned(),
        severity: severity.word().to_owned(),
        message: message.clone(),
        help: help.clone(),
        object: object.clone(),
        at: At::of(side, place.clone()),
        denies,
    }
}
