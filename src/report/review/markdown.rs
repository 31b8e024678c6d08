//! A review as one comment of a pull request: what matters first, whatever its size.
//!
//! It begins with a marker that stays the same for the same project, so that the next review takes
//! the place of this one. Everything has a share of what a comment may hold, and says how much it
//! left out. How text from outside comes into it is in [`comment`](crate::report::comment).

use std::fmt::Write as _;
use std::io::{self, Write};

use super::words;
use crate::report::comment::{capital, code, details, fenced, fitting, prose};
use crate::report::plan::value::{of_field, shown};
use crate::report::plan::view::View;
use crate::report::plan::words as plan_words;
use crate::report::sarif::fnv1a;
use crate::review::verdict::Outcome;
use crate::review::{At, Became, FindingState, Noted, ObjectChange, Rectangle, Review, RuleChange};

/// What a list may take, in bytes, which are never fewer than characters however these are counted.
/// With the proof's own share all of them together stay below 60 000; GitHub refuses more than 65 536 characters.
const BECAUSE_BYTES: usize = 1_500;
const NOTES_BYTES: usize = 1_500;
const RULES_BYTES: usize = 6_000;
/// What policies said and say, behind the list.
const TEXTS_BYTES: usize = 4_000;
const REFUSALS_BYTES: usize = 5_000;
const ROLES_BYTES: usize = 2_500;
const GAINED_BYTES: usize = 7_500;
const STANDING_BYTES: usize = 2_500;
const DIRECTORY_BYTES: usize = 2_000;
const LOST_BYTES: usize = 3_000;
const POLICIES_BYTES: usize = 4_500;
const FINDINGS_BYTES: usize = 3_000;
const CHANGES_BYTES: usize = 4_000;
const PLAN_BYTES: usize = 2_000;

const CHARS_MAX: usize = 300;
const VALUE_CHARS_MAX: usize = 120;
/// Of one object, of one policy, of what one gain comes of.
const FIELDS_MAX: usize = 8;
const LINES_MAX: usize = 12;
/// Of a policy's line, so that more than one policy is shown.
const LINE_CHARS_MAX: usize = 120;
const CAUSES_MAX: usize = 4;

const ALL_OF_IT: &str = "see `partnerctl review --format html`";

/// For a pull request.
pub fn markdown(review: &Review, to: &mut dyn Write) -> io::Result<()> {
    let mut comment = head(review);
    comment.push_str(&rules(review));
    comment.push_str(&refusals(review));
    comment.push_str(&roles(review));
    comment.push_str(&gained(review));
    comment.push_str(&standing(review));
    comment.push_str(&directory_roles(review));
    comment.push_str(&lost(review));
    comment.push_str(&by_policies(review));
    if !review.proof.comment.is_empty() {
        let _ = write!(comment, "\n### In every estate there could be\n\n{}", review.proof.comment);
    }
    comment.push_str(&findings(review));
    comment.push_str(&changes(review));
    comment.push_str(&plan(review));
    let proof = &review.proof;
    let _ = write!(comment, "\n{}. ", capital(&words::gist(review)));
    if proof.comment.is_empty() {
        let _ = write!(comment, "_{}_", prose(&proof.sentence()));
    }
    comment.push('\n');
    to.write_all(comment.as_bytes())
}

/// What the next comment is told by to be this one: nothing that is seen.
fn marker(review: &Review) -> String {
    format!("<!-- partnerctl-review:{:016x} -->", fnv1a(["review", &review.folder, ""]))
}

fn head(review: &Review) -> String {
    let verdict = &review.verdict;
    let (alert, headline) = match verdict.outcome {
        Outcome::Passes => ("NOTE", "nothing here stops it"),
        Outcome::Stopped => ("WARNING", "a person has to look"),
        Outcome::Invalid => ("CAUTION", "the head is invalid"),
        Outcome::Denied => ("CAUTION", "the base's rules refuse it"),
        Outcome::OverLimit => ("CAUTION", "it is over the base's limits"),
    };
    let mut head = format!("{}\n## Review: {headline}\n\n", marker(review));
    let _ = write!(head, "{}", code(&words::sides(review)));
    if !review.folder.is_empty() {
        let _ = write!(head, " · folder {}", code(&shown(&review.folder, CHARS_MAX)));
    }
    let _ = writeln!(head, " · as of {}", code(&review.as_of));
    if !verdict.because.is_empty() {
        let items = verdict.because.iter().map(|one| format!("> - {}\n", prose(one)));
        let (list, _) = fitting(items, BECAUSE_BYTES);
        let _ = write!(head, "\n> [!{alert}]\n{list}");
    }
    if !review.notes.is_empty() {
        let items = review.notes.iter().map(|note| format!("- Note: {}\n", prose(note)));
        let (list, _) = fitting(items, NOTES_BYTES);
        let _ = write!(head, "\n{list}");
    }
    head
}

/// A list under a heading; nothing without items.
fn section(
    heading: &str,
    items: impl Iterator<Item = String>,
    bytes_max: usize,
    noun: &str,
) -> String {
    let (list, more) = fitting(items, bytes_max);
    if list.is_empty() && more == 0 {
        return String::new();
    }
    format!("\n### {heading}\n\n{list}{}", rest(more, noun))
}

/// What was left out.
fn rest(more: usize, noun: &str) -> String {
    if more == 0 {
        return String::new();
    }
    let more = plan_words::counted(more as u64, &format!("more {noun}"));
    format!("- … and {more}: {ALL_OF_IT}\n")
}

fn at(at: Option<&At>) -> String {
    at.map_or_else(String::new, |at| format!(" · {}", code(&words::place(at))))
}

/// All that changes, a line or two each, and behind it what policies said and say: however long these
/// are, none hides that a guard is lowered.
fn rules(review: &Review) -> String {
    let items = review.rules.iter().map(rule);
    let mut text = section("What it changes about the rules", items, RULES_BYTES, "change");
    let (list, more) = fitting(review.rules.iter().filter_map(wording), TEXTS_BYTES);
    if !list.is_empty() || more > 0 {
        let body = format!("{list}{}", rest(more, "text"));
        text.push_str(&details("What these rules said and say", &body, true));
    }
    text
}

fn rule(change: &RuleChange) -> String {
    let RuleChange { effect, message, reason, at: place, .. } = change;
    let mut item = format!("- **{}**: {}{}\n", effect.word(), prose(message), at(place.as_ref()));
    if let Some(reason) = reason {
        let _ = writeln!(item, "  - its reason: {}", prose(reason));
    }
    item
}

/// What a rule said and says, where that has lines.
fn wording(change: &RuleChange) -> Option<String> {
    let RuleChange { subject, name, before, after, .. } = change;
    let is_long =
        |text: &Option<String>| text.as_deref().is_some_and(|text| text.lines().count() > 1);
    if !is_long(before) && !is_long(after) {
        return None;
    }
    let mut lines = String::new();
    for (sign, text) in [('-', before), ('+', after)] {
        let all = text.iter().flat_map(|text| text.lines());
        for line in all.clone().take(LINES_MAX) {
            let _ = writeln!(lines, "{sign} {}", shown(line, LINE_CHARS_MAX));
        }
        let more = all.count().saturating_sub(LINES_MAX);
        if more > 0 {
            let _ = writeln!(lines, "  … and {}", plan_words::counted(more as u64, "more line"));
        }
    }
    let mut item = format!("- {} {}\n\n", subject.word(), code(&shown(name, CHARS_MAX)));
    // Within the item: each line four spaces in.
    for line in fenced(&lines).lines() {
        let _ = writeln!(item, "  {line}");
    }
    item.push('\n');
    Some(item)
}

fn refusals(review: &Review) -> String {
    let stops = review.findings.iter().filter(|noted| noted.is_denied() || noted.is_invalid());
    section("What keeps it from being merged", stops.map(finding), REFUSALS_BYTES, "finding")
}

fn finding(noted: &Noted) -> String {
    let Noted { state, code: id, severity, message, help, at: place, .. } = noted;
    let by_the_base = if *state == FindingState::ByTheBase { ", by the base's rules" } else { "" };
    let help = help.as_deref().map_or_else(String::new, |help| format!("\n  - {}", prose(help)));
    format!(
        "- **{severity}** {}{by_the_base}: {}{}{help}\n",
        code(id),
        prose(message),
        at(Some(place))
    )
}

fn roles(review: &Review) -> String {
    let items = review
        .roles
        .iter()
        .map(|grant| format!("- {}{}\n", prose(&words::role(grant)), at(grant.at.as_ref())));
    section("Privileged roles", items, ROLES_BYTES, "role")
}

fn gained(review: &Review) -> String {
    if let Some(unknown) = &review.access_unknown {
        return format!(
            "\n### Who gains and loses what is not known\n\nBecause {}\n",
            prose(unknown)
        );
    }
    let is_unchanged = review.access.gained.is_empty() && review.access.lost.is_empty();
    if is_unchanged && review.verdict.outcome != Outcome::Invalid {
        return format!("\n**{}.**\n", capital(words::NO_CHANGE));
    }
    let reaches = words::reaches(review).map(|one| rectangle(review, one, true));
    let brought = words::brought(review).map(|one| rectangle(review, one, true));
    let mut text = section("Who gains what", reaches, GAINED_BYTES, "group");
    let (list, more) = fitting(brought, GAINED_BYTES / 3);
    if !list.is_empty() || more > 0 {
        let body = format!("{list}{}", rest(more, "group"));
        text.push_str(&details("What comes with what is new", &body, false));
    }
    text
}

fn rectangle(review: &Review, rectangle: &Rectangle, is_gained: bool) -> String {
    let word = if is_gained { "may now" } else { "may no longer" };
    let privileged = if rectangle.privileged { " **privileged**" } else { "" };
    let mut item = format!(
        "- {} _{word}_ {} _on_ {}{privileged}\n",
        prose(&words::names(&rectangle.principals)),
        prose(&words::actions(&rectangle.actions)),
        prose(&words::on(rectangle)),
    );
    let causes = words::causes(review, rectangle);
    for cause in causes.iter().take(CAUSES_MAX) {
        let _ = writeln!(item, "  - because of {}", code(&shown(cause, CHARS_MAX)));
    }
    if causes.len() > CAUSES_MAX {
        let _ = writeln!(item, "  - and {} more", causes.len() - CAUSES_MAX);
    }
    let deciders: Vec<String> = words::deciders(review, rectangle)
        .take(CAUSES_MAX)
        .map(|(_, told)| code(&shown(&told, CHARS_MAX)))
        .collect();
    if !deciders.is_empty() {
        let _ = writeln!(item, "  - by {}", deciders.join(", "));
    }
    if let Some(newness) = words::newness(rectangle) {
        let _ = writeln!(item, "  - {newness}");
    }
    item
}

fn standing(review: &Review) -> String {
    let items = review
        .standing
        .iter()
        .map(|change| format!("- {}{}\n", prose(&words::standing(change)), at(change.at.as_ref())));
    section("Who it is, until when, and who else", items, STANDING_BYTES, "change")
}

fn directory_roles(review: &Review) -> String {
    let items = review
        .directory_roles
        .iter()
        .map(|grant| format!("- {}{}\n", prose(&words::directory(grant)), at(grant.at.as_ref())));
    section("Inside customers' tenants", items, DIRECTORY_BYTES, "role")
}

fn lost(review: &Review) -> String {
    let items = review.access.lost.iter().map(|one| rectangle(review, one, false));
    section("Who loses what", items, LOST_BYTES, "group")
}

fn by_policies(review: &Review) -> String {
    let Some(change) = &review.by_policies else { return String::new() };
    let gained = change.gained.iter().map(|one| rectangle(review, one, true));
    let lost = change.lost.iter().map(|one| rectangle(review, one, false));
    let (list, more) = fitting(gained.chain(lost), POLICIES_BYTES);
    let body = if list.is_empty() && more == 0 {
        "The policies differ, and permit the same here.".to_owned()
    } else {
        format!("{list}{}", rest(more, "group"))
    };
    details("By the policies alone", &body, false)
}

fn findings(review: &Review) -> String {
    let mut text = String::new();
    for state in [FindingState::ByTheBase, FindingState::New, FindingState::Fixed] {
        let of_state = review
            .findings
            .iter()
            .filter(|noted| noted.state == state && !(noted.is_denied() || noted.is_invalid()));
        let count = of_state.clone().count();
        if count == 0 {
            continue;
        }
        let (list, more) = fitting(of_state.map(finding), FINDINGS_BYTES / 2);
        let body = format!("{list}{}", rest(more, "finding"));
        let summary = match state {
            FindingState::ByTheBase => format!("Findings by the rules of the base: {count}"),
            FindingState::New => format!("New findings: {count}"),
            FindingState::Still | FindingState::Fixed => format!("Fixed findings: {count}"),
        };
        text.push_str(&details(&summary, &body, state != FindingState::Fixed));
    }
    text
}

fn changes(review: &Review) -> String {
    if review.changes.is_empty() {
        return String::new();
    }
    let (body, shown_count) = blocks(&review.changes);
    let more = rest(review.changes.len() - shown_count, "object");
    let summary = format!(
        "What differs in the estate: {}",
        plan_words::counted(review.changes.len() as u64, "object")
    );
    let fence = if body.is_empty() { String::new() } else { fenced(&body) };
    details(&summary, &[fence, more].join("\n"), review.changes.len() <= FIELDS_MAX)
}

/// As many objects as fit, in the syntax of differences, whose colours GitHub shows.
fn blocks(changes: &[ObjectChange]) -> (String, usize) {
    let mut body = String::new();
    for (at, change) in changes.iter().enumerate() {
        let text = block(change);
        if body.len() + text.len() > CHANGES_BYTES {
            return (body, at);
        }
        body.push_str(&text);
    }
    (body, changes.len())
}

fn block(change: &ObjectChange) -> String {
    let place = change.at.as_ref().map_or_else(String::new, words::place);
    let mut text = format!("@@ {} @@ {place}\n", words::change(change));
    if change.became == Became::Added {
        return text;
    }
    for field in change.fields.iter().take(FIELDS_MAX) {
        let path = shown(&field.path, CHARS_MAX);
        for (sign, value) in [('-', &field.before), ('+', &field.after)] {
            if !value.is_null() {
                let value = of_field(&field.path, value, VALUE_CHARS_MAX);
                let _ = writeln!(text, "{sign} {path}: {value}");
            }
        }
    }
    let more = change.fields.len().saturating_sub(FIELDS_MAX);
    if more > 0 {
        let _ = writeln!(text, "  … and {}", plan_words::counted(more as u64, "more field"));
    }
    text
}

fn plan(review: &Review) -> String {
    let Some(plan) = &review.plan else { return String::new() };
    let items = plan.refused.iter().map(|refusal| {
        format!("- **{}**: {}\n", plan_words::why(refusal.why), prose(&refusal.message))
    });
    let (list, more) = fitting(items, PLAN_BYTES);
    let gist = capital(&plan_words::gist(&View::of(plan)));
    format!("\n### What would be done to the tenant\n\n{gist}.\n\n{list}{}", rest(more, "refusal"))
}
