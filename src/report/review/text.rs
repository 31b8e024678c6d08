//! A review for people at a prompt: what matters first, long lists folded.

use std::io::{self, Write};

use super::words;
use crate::report::Style;
use crate::report::plan::layout::{
    ALARM, BOLD, DIM, GREEN, PLAIN, RED, Span, YELLOW, plain, span, width_of, wrapped,
};
use crate::report::plan::value::{of_field, shown};
use crate::report::plan::view::View;
use crate::report::plan::words as plan_words;
use crate::review::verdict::Outcome;
use crate::review::{Effect, FindingState, Noted, ObjectChange, Rectangle, Review, RuleChange};

/// So many of each list are shown.
const RULES_MAX: usize = 60;
const GROUPS_MAX: usize = 30;
const FINDINGS_MAX: usize = 40;
const OBJECTS_MAX: usize = 40;
const FIELDS_MAX: usize = 8;
/// Lines of a policy.
const LINES_MAX: usize = 14;

const CHARS_MAX: usize = 600;
const VALUE_CHARS_MAX: usize = 120;

const WIDTH_MIN: usize = 40;
const WIDTH_MAX: usize = 160;

const ALL_OF_IT: &str = "--format html or json has all of it";

pub fn text(review: &Review, style: Style, to: &mut dyn Write) -> io::Result<()> {
    let width = style.width.clamp(WIDTH_MIN, WIDTH_MAX);
    let mut page = Page { review, width, color: style.color, text: String::new() };
    page.head();
    page.rules();
    page.refusals();
    page.privileges();
    page.gained();
    page.standing();
    page.directory_roles();
    page.lost();
    page.by_policies();
    page.findings();
    page.estate();
    page.plan();
    page.last_lines();
    to.write_all(page.text.as_bytes())
}

struct Page<'r> {
    review: &'r Review,
    width: usize,
    color: bool,
    text: String,
}

impl Page<'_> {
    fn line(&mut self, first: &[Span], rest: &[Span]) {
        let text = wrapped(first, width_of(first), rest, self.width, self.color);
        for line in text.lines() {
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }

    fn indented(&mut self, indent: usize, rest: &[Span]) {
        self.line(&[plain(" ".repeat(indent))], rest);
    }

    fn heading(&mut self, text: &str, ink: anstyle::Style) {
        self.text.push('\n');
        self.line(&[], &[span(text, ink)]);
    }

    fn more(&mut self, count: usize, noun: &str) {
        if count > 0 {
            let noun = plan_words::counted(count as u64, &format!("more {noun}"));
            self.indented(2, &[span(format!("… and {noun}: {ALL_OF_IT}"), DIM)]);
        }
    }

    fn head(&mut self) {
        let review = self.review;
        self.line(&[], &[span(format!("review of {}", words::sides(review)), BOLD)]);
        let facts = [("folder", shown(&review.folder, 200)), ("as of", review.as_of.clone())];
        for (name, told) in facts.into_iter().filter(|(_, told)| !told.is_empty()) {
            self.line(&[span(format!("  {name:<6}  "), DIM)], &[plain(told)]);
        }
        let ink = match review.verdict.outcome {
            Outcome::Passes => GREEN,
            Outcome::Stopped => YELLOW,
            Outcome::Invalid | Outcome::Denied | Outcome::OverLimit => ALARM,
        };
        self.line(&[], &[span(words::verdict(review), ink)]);
        for note in &review.notes {
            self.line(&[span("note: ", BOLD)], &[plain(shown(note, CHARS_MAX))]);
        }
    }

    fn rules(&mut self) {
        let rules = &self.review.rules;
        if rules.is_empty() {
            return;
        }
        self.heading("what it changes about the rules", BOLD);
        for change in rules.iter().take(RULES_MAX) {
            self.rule(change);
        }
        self.more(rules.len().saturating_sub(RULES_MAX), "change");
    }

    fn rule(&mut self, change: &RuleChange) {
        let RuleChange { effect, message, reason, before, after, at, .. } = change;
        let (sign, ink) = match effect {
            Effect::Weakens => ("!", ALARM),
            Effect::MayWeaken => ("?", YELLOW),
            Effect::Neutral => ("·", DIM),
            Effect::Tightens => ("+", GREEN),
        };
        let word = format!("  {sign} {:<10}  ", effect.word());
        self.line(&[span(word, ink)], &[plain(shown(message, CHARS_MAX))]);
        if let Some(at) = at {
            self.indented(16, &[span(words::place(at), DIM)]);
        }
        if let Some(reason) = reason {
            self.indented(16, &[span(format!("its reason: {}", shown(reason, CHARS_MAX)), DIM)]);
        }
        let lines = |text: &Option<String>| text.as_deref().map_or(0, |text| text.lines().count());
        if lines(before) < 2 && lines(after) < 2 {
            return;
        }
        for (mark, text, ink) in [("-", before, RED), ("+", after, GREEN)] {
            for line in text.iter().flat_map(|text| text.lines()).take(LINES_MAX) {
                let line = format!("{mark} {}", shown(line, CHARS_MAX));
                self.indented(16, &[span(line, ink)]);
            }
        }
    }

    /// What the base's rules refuse, and what is wrong: before all else that is no rule.
    fn refusals(&mut self) {
        let stops = |noted: &&Noted| noted.is_denied() || noted.is_invalid();
        let found: Vec<&Noted> = self.review.findings.iter().filter(stops).collect();
        if found.is_empty() {
            return;
        }
        self.heading("what keeps it from being merged", ALARM);
        for noted in found.iter().take(FINDINGS_MAX) {
            self.finding(noted, ALARM);
        }
        self.more(found.len().saturating_sub(FINDINGS_MAX), "finding");
    }

    fn finding(&mut self, noted: &Noted, ink: anstyle::Style) {
        let Noted { state, code, severity, message, help, at, .. } = noted;
        let by_the_base =
            if *state == FindingState::ByTheBase { ", by the base's rules" } else { "" };
        let title = format!("  {severity}[{code}]{by_the_base}: ");
        self.line(&[span(title, ink)], &[plain(shown(message, CHARS_MAX))]);
        self.indented(4, &[span(format!("--> {}", words::place(at)), DIM)]);
        if let Some(help) = help {
            self.indented(4, &[span(format!("help: {}", shown(help, CHARS_MAX)), DIM)]);
        }
    }

    fn privileges(&mut self) {
        if self.review.roles.is_empty() {
            return;
        }
        self.heading("privileged roles", ALARM);
        for grant in &self.review.roles {
            let place = grant.at.as_ref().map_or_else(String::new, words::place);
            self.line(
                &[span("  ! ", ALARM)],
                &[plain(words::role(grant)), span(format!("  {place}"), DIM)],
            );
        }
    }

    fn gained(&mut self) {
        let review = self.review;
        if let Some(unknown) = &review.access_unknown {
            self.heading("who gains and loses what is not known", ALARM);
            self.indented(2, &[plain(shown(unknown, CHARS_MAX))]);
            return;
        }
        let reaches: Vec<&Rectangle> = words::reaches(review).collect();
        if !reaches.is_empty() {
            self.heading("who gains what", BOLD);
        }
        for rectangle in reaches.iter().take(GROUPS_MAX) {
            self.rectangle(rectangle, true);
        }
        self.more(reaches.len().saturating_sub(GROUPS_MAX), "group");
        let brought: Vec<&Rectangle> = words::brought(review).collect();
        if !brought.is_empty() {
            self.heading("what comes with what is new", BOLD);
        }
        for rectangle in brought.iter().take(GROUPS_MAX) {
            self.rectangle(rectangle, true);
        }
        self.more(brought.len().saturating_sub(GROUPS_MAX), "group");
    }

    fn rectangle(&mut self, rectangle: &Rectangle, is_gained: bool) {
        let (sign, ink) = match (is_gained, rectangle.privileged && rectangle.is_reach()) {
            (true, true) => ("  ! ", ALARM),
            (true, false) => ("  + ", YELLOW),
            (false, _) => ("  - ", GREEN),
        };
        let privileged = if rectangle.privileged { "  privileged" } else { "" };
        let sentence = words::sentence(rectangle, is_gained);
        self.line(&[span(sign, ink)], &[plain(sentence), span(privileged, ink)]);
        for cause in words::causes(self.review, rectangle) {
            self.indented(6, &[span("because of ", DIM), span(cause, PLAIN)]);
        }
        let deciders: Vec<(String, Option<String>)> = words::deciders(self.review, rectangle)
            .map(|(decider, told)| (told, decider.reason.clone()))
            .collect();
        for (told, reason) in deciders {
            let reason = reason.map_or_else(String::new, |one| format!(": {}", shown(&one, 200)));
            self.indented(6, &[span(format!("by {told}{reason}"), DIM)]);
        }
        if let Some(newness) = words::newness(rectangle) {
            self.indented(6, &[span(newness, DIM)]);
        }
    }

    fn standing(&mut self) {
        let standing = &self.review.standing;
        if standing.is_empty() {
            return;
        }
        self.heading("who it is, until when, and who else", BOLD);
        for change in standing.iter().take(GROUPS_MAX) {
            let place = change.at.as_ref().map_or_else(String::new, words::place);
            let told = [plain(words::standing(change)), span(format!("  {place}"), DIM)];
            self.line(&[span("  ! ", YELLOW)], &told);
        }
        self.more(standing.len().saturating_sub(GROUPS_MAX), "change");
    }

    fn directory_roles(&mut self) {
        let review = self.review;
        if review.directory_roles.is_empty() {
            return;
        }
        self.heading("inside customers' tenants", BOLD);
        for grant in review.directory_roles.iter().take(GROUPS_MAX) {
            let is_gain = grant.gained.count > 0;
            let (sign, ink) = if is_gain { ("  ! ", ALARM) } else { ("  - ", GREEN) };
            let place = grant.at.as_ref().map_or_else(String::new, words::place);
            self.line(
                &[span(sign, ink)],
                &[plain(words::directory(grant)), span(format!("  {place}"), DIM)],
            );
        }
        self.more(review.directory_roles.len().saturating_sub(GROUPS_MAX), "role");
    }

    fn lost(&mut self) {
        let lost = &self.review.access.lost;
        if lost.is_empty() {
            return;
        }
        self.heading("who loses what", BOLD);
        for rectangle in lost.iter().take(GROUPS_MAX) {
            self.rectangle(rectangle, false);
        }
        self.more(lost.len().saturating_sub(GROUPS_MAX), "group");
    }

    fn by_policies(&mut self) {
        let Some(change) = &self.review.by_policies else { return };
        self.heading("of that, by the policies alone", BOLD);
        if change.gained.is_empty() && change.lost.is_empty() {
            self.indented(2, &[plain("nothing: the policies differ, and permit the same here")]);
        }
        for rectangle in change.gained.iter().take(GROUPS_MAX) {
            self.rectangle(rectangle, true);
        }
        for rectangle in change.lost.iter().take(GROUPS_MAX) {
            self.rectangle(rectangle, false);
        }
        let more = |count: usize| count.saturating_sub(GROUPS_MAX);
        self.more(more(change.gained.len()) + more(change.lost.len()), "group");
    }

    fn findings(&mut self) {
        let review = self.review;
        let rest = |noted: &&Noted| !(noted.is_denied() || noted.is_invalid());
        for state in [FindingState::ByTheBase, FindingState::New, FindingState::Fixed] {
            let of_state = review.findings.iter().filter(|noted| noted.state == state);
            let found: Vec<&Noted> = of_state.filter(rest).collect();
            if found.is_empty() {
                continue;
            }
            self.heading(&format!("findings: {}", words::state(state)), BOLD);
            for noted in found.iter().take(FINDINGS_MAX) {
                self.finding(noted, if state == FindingState::Fixed { GREEN } else { YELLOW });
            }
            self.more(found.len().saturating_sub(FINDINGS_MAX), "finding");
        }
    }

    fn estate(&mut self) {
        let changes = &self.review.changes;
        if changes.is_empty() {
            return;
        }
        self.heading("what differs in the estate", BOLD);
        for change in changes.iter().take(OBJECTS_MAX) {
            self.object(change);
        }
        self.more(changes.len().saturating_sub(OBJECTS_MAX), "object");
    }

    fn object(&mut self, change: &ObjectChange) {
        let place = change.at.as_ref().map_or_else(String::new, words::place);
        let gains = match change.gains {
            0 => String::new(),
            count => format!("  a part in {}", plan_words::counted(count, "gain")),
        };
        let told =
            [plain(words::change(change)), span(gains, YELLOW), span(format!("  {place}"), DIM)];
        self.line(&[plain("  ")], &told);
        if change.became == crate::review::Became::Added {
            return;
        }
        for field in change.fields.iter().take(FIELDS_MAX) {
            let value = |value| of_field(&field.path, value, VALUE_CHARS_MAX);
            let (before, after) = (value(&field.before), value(&field.after));
            let told = [span(before, RED), plain(" → "), span(after, GREEN)];
            self.line(&[plain(format!("      {}: ", shown(&field.path, 100)))], &told);
        }
        self.more(change.fields.len().saturating_sub(FIELDS_MAX), "field");
    }

    fn plan(&mut self) {
        let Some(plan) = &self.review.plan else { return };
        self.heading("what would be done to the tenant", BOLD);
        self.indented(2, &[plain(plan_words::gist(&View::of(plan)))]);
        for refusal in plan.refused.iter().take(FINDINGS_MAX) {
            let why = format!("  {}: ", plan_words::why(refusal.why));
            self.line(&[span(why, ALARM)], &[plain(shown(&refusal.message, CHARS_MAX))]);
        }
    }

    fn last_lines(&mut self) {
        self.text.push('\n');
        self.line(&[], &[plain(words::gist(self.review))]);
        self.line(&[], &[span(words::NOT_PROVED, DIM)]);
    }
}
