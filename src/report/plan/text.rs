//! A plan for somebody at a prompt who has ten minutes to approve it.
//!
//! What is risky stands first, what somebody may want to quote last, where a terminal's reader looks.
//! Colour repeats what words say already. It does not print everything: see the limits below.

use std::io::{self, Write};

use anstyle::Style as Ink;

use super::layout::{
    ALARM, BLUE, BOLD, CYAN, DIM, GREEN, MAGENTA, PLAIN, RED, STRUCK, Span, YELLOW, columns,
    padded, paint, plain, span, width_of, wrapped,
};
use super::value::{self, Difference, Piece, difference, shown};
use super::view::{self, Block, Entry, Errand, Reports, Risk, Section, View};
use super::words;
use crate::plan::Plan;
use crate::plan::file::Rectangle;
use crate::plan::step::{Cause, Decision, FieldChange, State, Step};
use crate::report::Style;

/// So many objects are printed one by one; what is risky comes first among them.
const ENTRIES_MAX: usize = 100;
/// Fields of one object.
const FIELDS_MAX: usize = 15;
/// Names of many that stand as one; what is risky is worth reading longer.
const NAMES_MAX: usize = 5;
const RISKY_NAMES_MAX: usize = 20;
/// Reports of one state.
const WAITING_MAX: usize = 20;
const OTHERS_MAX: usize = 5;
/// Lines of who gains and who loses.
const RECTANGLES_MAX: usize = 20;
/// Characters of one value.
const CHARS_MAX: usize = 400;
/// Characters of a name or a path: those of manifests are shorter.
const NAME_CHARS_MAX: usize = 140;
/// Columns of a path and of what stands before an arrow.
const PATH_MAX: usize = 36;
const BEFORE_MAX: usize = 40;

const WIDTH_MIN: usize = 40;
const WIDTH_MAX: usize = 160;

const ALL_OF_IT: &str = "--format html or json has all of it";

/// For people at a prompt.
pub fn text(plan: &Plan, style: Style, to: &mut dyn Write) -> io::Result<()> {
    let view = View::of(plan);
    let width = style.width.clamp(WIDTH_MIN, WIDTH_MAX);
    let mut page = Page { view: &view, width, color: style.color, text: String::new() };
    page.head();
    page.sections();
    page.reports();
    page.access();
    if !plan.is_empty() {
        page.limits();
    }
    page.refusals();
    page.last_line();
    to.write_all(page.text.as_bytes())
}

struct Page<'v, 'p> {
    view: &'v View<'p>,
    width: usize,
    color: bool,
    text: String,
}

impl Page<'_, '_> {
    /// Spans in lines, further ones below where the first began.
    fn line(&mut self, first: &[Span], rest: &[Span]) {
        let mut indent = width_of(first);
        let mut first = first.to_vec();
        if indent > self.width * 2 / 3 {
            // What stands before is so wide that it gets a line of its own.
            indent = self.width / 6;
            let own = wrapped(&[], 2, &first, self.width, self.color);
            self.text.push_str(&own);
            first = vec![plain(" ".repeat(indent))];
        }
        let text = wrapped(&first, indent, rest, self.width, self.color);
        // Nothing stands behind the last word of a line.
        for line in text.lines() {
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }

    fn indented(&mut self, indent: usize, rest: &[Span]) {
        self.line(&[plain(" ".repeat(indent))], rest);
    }

    fn heading(&mut self, text: &str, ink: Ink) {
        self.text.push('\n');
        self.line(&[], &[span(text, ink)]);
    }

    fn head(&mut self) {
        let plan = self.view.plan;
        self.line(&[], &[span(format!("plan {}", words::short_digest(plan)), BOLD)]);
        let facts = words::parents(plan);
        let wide = facts.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        for (name, told) in facts {
            self.line(&[span(format!("  {}  ", padded(name, wide)), DIM)], &[plain(told)]);
        }
    }

    fn sections(&mut self) {
        let view = self.view;
        let mut left = ENTRIES_MAX;
        for section in &view.sections {
            self.heading(&heading(section), ink_of_risk(section.risk));
            for entry in section.entries.iter().take(left) {
                self.entry(entry);
            }
            let shown = section.entries.len().min(left);
            left -= shown;
            let more: usize = section.entries.iter().skip(shown).map(Entry::count).sum();
            if more > 0 {
                let more = words::counted(more as u64, "object");
                self.line(&[], &[span(format!("… and {more} more: {ALL_OF_IT}"), DIM)]);
            }
        }
    }

    fn entry(&mut self, entry: &Entry<'_>) {
        if entry.others.is_empty() { self.block(&entry.first) } else { self.alike(entry) }
    }

    fn block(&mut self, block: &Block<'_>) {
        let object = shown(&block.object.to_string(), NAME_CHARS_MAX);
        self.title(block, &object, block.source.map(words::place));
        let table = Table::of(block.steps.iter().flat_map(|step| &step.fields));
        let mut left = FIELDS_MAX;
        for step in &block.steps {
            self.step(step);
            for field in step.fields.iter().take(left) {
                self.field(field, table, 6);
            }
            let more = step.fields.len().saturating_sub(left);
            if more > 0 {
                let more = words::counted(more as u64, "field");
                self.indented(6, &[span(format!("… and {more} more: {ALL_OF_IT}"), DIM)]);
            }
            left = left.saturating_sub(step.fields.len()).max(1);
        }
    }

    /// Sign, object, and where it is declared, at the right edge if there is room.
    fn title(&mut self, block: &Block<'_>, what: &str, place: Option<String>) {
        let sign = block.sign();
        let first = [span(format!("{sign} "), ink_of_sign(sign))];
        let place = place.unwrap_or_else(|| words::NOWHERE.to_owned());
        let used = 2 + columns(what);
        let gap = self.width.saturating_sub(used + columns(&place)).max(2);
        let place = span(place, DIM);
        let rest = [span(what, BOLD), plain(" ".repeat(gap)), place];
        self.line(&first, &rest);
    }

    fn step(&mut self, step: &Step) {
        let sign = view::sign(step.verb);
        let first = [plain("    "), span(format!("{sign} "), ink_of_sign(sign))];
        let privileged = words::privileged(step).map(|word| format!("  {word}"));
        let privileged = span(privileged.unwrap_or_default(), YELLOW.bold());
        self.line(&first, &[plain(words::step(step)), privileged]);
        self.concerns(step, 6);
    }

    /// What a reader should not miss of a step.
    fn concerns(&mut self, step: &Step, indent: usize) {
        let margin = plain(" ".repeat(indent));
        if let Some(reason) = &step.irreversible {
            let first = [margin.clone(), span("irreversible: ", ALARM)];
            self.line(&first, &[plain(shown(reason, CHARS_MAX))]);
        }
        if step.authorisation.decision == Decision::Deny {
            let first = [margin, span("denied ", ALARM)];
            self.line(&first, &[plain(words::denied(step))]);
        }
    }

    fn field(&mut self, field: &FieldChange, table: Table, indent: usize) {
        let path = padded(&shown(&field.path, NAME_CHARS_MAX), table.path);
        let first = [
            plain(" ".repeat(indent)),
            span(padded(field.cause.word(), CAUSE), ink_of_cause(field.cause)),
            plain(format!("  {path}  ")),
        ];
        self.difference(&first, field, table.before);
        if let Some(applied) = &field.applied {
            let applied = value::of_field(&field.path, applied, CHARS_MAX);
            let indent = " ".repeat(width_of(&first));
            self.line(&[plain(indent), span("last applied: ", DIM)], &[plain(applied)]);
        }
    }

    fn difference(&mut self, first: &[Span], field: &FieldChange, before_width: usize) {
        match difference(&field.path, &field.before, &field.after, CHARS_MAX) {
            Difference::Made(after) => self.line(first, &[span(after, GREEN)]),
            Difference::Replaced(before, after) => {
                let after = span(after, if field.after.is_null() { DIM } else { GREEN });
                let fits = width_of(first)
                    + before_width.max(columns(&before))
                    + 3
                    + width_of(std::slice::from_ref(&after))
                    <= self.width;
                if fits {
                    let before = padded(&before, before_width);
                    self.line(first, &[span(before, RED), plain(" → "), after]);
                } else {
                    self.line(first, &[span(before, RED)]);
                    let under = " ".repeat(width_of(first).saturating_sub(2));
                    self.line(&[plain(format!("{under}→ "))], &[after]);
                }
            }
            Difference::Set { gone, come, stay } => {
                let mut spans = Vec::new();
                for (sign, names, ink) in [("-", gone, RED), ("+", come, GREEN)] {
                    let names =
                        names.iter().map(|name| format!("{sign} {name}")).collect::<Vec<_>>();
                    if !names.is_empty() {
                        spans.push(span(value::listed(&names, NAMES_MAX), ink));
                        spans.push(plain(", "));
                    }
                }
                spans.push(span(format!("{stay} stay"), DIM));
                self.line(first, &spans);
            }
            Difference::Members { changed, stay } => {
                let indent = plain(" ".repeat(width_of(first)));
                let names = changed.iter().map(|(name, _, _)| columns(name)).max().unwrap_or(0);
                let befores =
                    changed.iter().map(|(_, before, _)| columns(before)).max().unwrap_or(0);
                for (at, (name, before, after)) in changed.iter().enumerate() {
                    let name = span(format!("{}  ", padded(name, names)), DIM);
                    let before = span(padded(before, befores.min(BEFORE_MAX)), RED);
                    let spans = [before, plain(" → "), span(after, GREEN)];
                    let first = if at == 0 { first } else { std::slice::from_ref(&indent) };
                    self.line(&[first, &[name]].concat(), &spans);
                }
                if stay > 0 {
                    self.line(&[indent], &[span(format!("{stay} stay"), DIM)]);
                }
            }
            Difference::Text(pieces) => {
                let spans: Vec<Span> = pieces.iter().flat_map(inline).collect();
                self.line(first, &spans);
            }
        }
    }

    /// Many objects to which the same is done: what, and to whom.
    fn alike(&mut self, entry: &Entry<'_>) {
        let first = &entry.first;
        let mut paths: Vec<String> = Vec::new();
        for field in first.steps.iter().flat_map(|step| &step.fields) {
            let path = shown(&field.path, NAME_CHARS_MAX);
            let path = path.strip_prefix("spec.").map(str::to_owned).unwrap_or(path);
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        let count = words::of_kind(first.object.kind, entry.count() as u64);
        let what = match value::listed(&paths, NAMES_MAX) {
            paths if paths.is_empty() => count,
            paths => format!("{count}: {paths}"),
        };
        self.title(first, &what, Some(words::places(entry)));
        for step in &first.steps {
            self.verb(step, entry);
            self.concerns(step, 6);
        }
        let names_max = match first.risk {
            Risk::Usual => NAMES_MAX,
            _ => RISKY_NAMES_MAX,
        };
        self.examples(entry, names_max);
    }

    /// A step of many: its verb, and the fields that are the same for all.
    fn verb(&mut self, step: &Step, entry: &Entry<'_>) {
        let privileged = words::privileged(step).map(|word| format!("  {word}"));
        let privileged = span(privileged.unwrap_or_default(), YELLOW.bold());
        let sign = view::sign(step.verb);
        let first = [plain("    "), span(format!("{sign} "), ink_of_sign(sign))];
        self.line(&first, &[plain(format!("{}, each", step.verb.word())), privileged]);
        let table = Table::of(&step.fields);
        for field in step.fields.iter().take(FIELDS_MAX) {
            if entry.is_same_in_all(field) {
                self.field(field, table, 6);
            } else {
                let cause = span(padded(field.cause.word(), CAUSE), ink_of_cause(field.cause));
                let path = padded(&shown(&field.path, NAME_CHARS_MAX), table.path);
                self.indented(6, &[cause, plain(format!("  {path}  ")), span("differs", DIM)]);
            }
        }
    }

    fn examples(&mut self, entry: &Entry<'_>, names_max: usize) {
        let some: Vec<&Block<'_>> = entry.blocks().take(names_max).collect();
        let differing = entry.differing();
        let names: Vec<String> =
            some.iter().map(|block| shown(&block.object.name, NAME_CHARS_MAX)).collect();
        let more = entry.count().saturating_sub(names.len());
        if let Some(path) = differing {
            let wide = names.iter().map(|name| columns(name)).max().unwrap_or_default();
            let fields: Vec<Option<&FieldChange>> =
                some.iter().map(|block| block.field(path)).collect();
            let before = Table::of(fields.iter().copied().flatten()).before;
            for (name, field) in names.iter().zip(&fields) {
                let first = [plain(format!("        {}  ", padded(name, wide.min(PATH_MAX))))];
                if let Some(field) = field {
                    self.difference(&first, field, before);
                }
            }
            if more > 0 {
                self.indented(8, &[span(format!("… and {more} more: {ALL_OF_IT}"), DIM)]);
            }
        } else {
            let more =
                if more > 0 { format!(" and {more} more: {ALL_OF_IT}") } else { String::new() };
            self.indented(6, &[plain(names.join(", ")), span(more, DIM)]);
        }
    }

    fn reports(&mut self) {
        let view = self.view;
        for reports in &view.reports {
            let heading = format!("{} ({})", words::state(reports.state), reports.count);
            self.heading(
                &heading,
                if reports.state == State::Waiting { YELLOW.bold() } else { BOLD },
            );
            match reports.state {
                State::Waiting | State::Gone | State::Final | State::Stale => {
                    self.reports_in_full(reports);
                }
                State::Held if reports.has_errands() => self.reports_in_full(reports),
                State::Held
                | State::Settling
                | State::Foreign
                | State::Unmanaged
                | State::Ignored
                | State::Unrecognised => self.reports_folded(reports),
            }
        }
    }

    fn reports_in_full(&mut self, reports: &Reports<'_>) {
        let mut told = 0;
        for errand in reports.errands().iter().take(WAITING_MAX) {
            self.errand(errand);
            told += errand.count();
        }
        let more = reports.count.saturating_sub(told);
        if more > 0 {
            self.line(&[], &[span(format!("… and {more} more: {ALL_OF_IT}"), DIM)]);
        }
    }

    fn errand(&mut self, errand: &Errand<'_>) {
        let report = errand.first;
        if !errand.others.is_empty() {
            let name = span(words::all_of(errand), BOLD);
            let message = format!(": for one, {}", shown(&report.message, CHARS_MAX));
            self.line(&[plain("  ")], &[name, plain(message)]);
            let each = Some("partnerctl status lists each of them".to_owned());
            self.todo(errand, None, each);
            return;
        }
        let name = span(shown(&report.object.to_string(), NAME_CHARS_MAX), BOLD);
        let many = match report.count {
            Some(count) if count > 1 => format!(" and {} like it", count - 1),
            _ => String::new(),
        };
        let message = plain(format!("{many}: {}", shown(&report.message, CHARS_MAX)));
        self.line(&[plain("  ")], &[name, message]);
        let time = words::span(report, self.view.plan.observed_at);
        let confirm = report.step.as_ref().filter(|_| report.confirms.is_some());
        let confirm = confirm.map(|step| format!("partnerctl confirm {}", shown(step, CHARS_MAX)));
        self.todo(errand, time, confirm);
    }

    /// Whom it waits for, where they go, what they do.
    fn todo(&mut self, errand: &Errand<'_>, time: Option<String>, then: Option<String>) {
        let text = |text: Option<&str>, max| text.map(|text| shown(text, max));
        let instructions = errand.instructions();
        let margin = |name: &str| span(format!("    {name:<9}  "), DIM);
        for (name, told) in [("waits for", text(errand.awaiting(), CHARS_MAX)), ("time", time)] {
            self.fact(&margin(name), told);
        }
        if let Some(link) = text(errand.link(), 2_000) {
            // In one line, whatever the width: to be copied.
            self.text.push_str(&paint("    link       ", DIM, self.color));
            self.text.push_str(&link);
            self.text.push('\n');
        }
        for (name, told) in [("do", text(instructions.as_deref(), 2_000)), ("then", then)] {
            self.fact(&margin(name), told);
        }
    }

    fn fact(&mut self, margin: &Span, told: Option<String>) {
        if let Some(told) = told {
            self.line(std::slice::from_ref(margin), &[plain(told)]);
        }
    }

    /// A line for each kind and message: some names, and how many more.
    fn reports_folded(&mut self, reports: &Reports<'_>) {
        let mut told = 0;
        for group in reports.groups().iter().take(WAITING_MAX) {
            let names: Vec<String> = group
                .all
                .iter()
                .take(OTHERS_MAX)
                .map(|report| shown(&report.object.to_string(), NAME_CHARS_MAX))
                .collect();
            let more = group.count.saturating_sub(names.len() as u64);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let message = plain(format!("{more}: {}", shown(group.message, CHARS_MAX)));
            self.line(&[plain("  ")], &[span(names.join(", "), BOLD), message]);
            told += group.count;
        }
        if reports.count > told {
            let more = reports.count - told;
            self.line(&[], &[span(format!("… and {more} more: {ALL_OF_IT}"), DIM)]);
        }
    }

    fn access(&mut self) {
        let access = &self.view.plan.access;
        for (heading, sign, rectangles) in
            [("who gains what", '+', &access.gained), ("who loses what", '-', &access.lost)]
        {
            if rectangles.is_empty() {
                continue;
            }
            self.heading(heading, BOLD);
            for rectangle in rectangles.iter().take(RECTANGLES_MAX) {
                self.rectangle(rectangle, sign);
            }
            let more = rectangles.len().saturating_sub(RECTANGLES_MAX);
            if more > 0 {
                let more = words::counted(more as u64, "group");
                self.line(&[], &[span(format!("… and {more} more: {ALL_OF_IT}"), DIM)]);
            }
        }
    }

    fn rectangle(&mut self, rectangle: &Rectangle, sign: char) {
        let words::Told { who, actions, on } = words::told(rectangle);
        self.line(&[span(format!("{sign} "), ink_of_sign(sign))], &[span(who, BOLD)]);
        self.indented(4, &[plain(actions)]);
        self.line(&[span("    on ", DIM)], &[plain(on)]);
    }

    fn limits(&mut self) {
        let plan = self.view.plan;
        self.heading("limits, over 24 hours", BOLD);
        let all = plan.limits.named();
        let wide = all.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        let used: Vec<String> = all.iter().map(|(_, measured)| words::used(measured)).collect();
        let used_wide = used.iter().map(|used| columns(used)).max().unwrap_or_default();
        for ((name, measured), used) in all.iter().zip(used) {
            let (word, ink) = if measured.exceeded { ("over", ALARM) } else { ("    ", PLAIN) };
            let first = [
                plain(format!("  {}  ", padded(name, wide))),
                span(padded(&used, used_wide), ink),
                span(format!("  {word}  "), ink),
            ];
            self.line(&first, &[span(words::behind(measured), DIM)]);
        }
        self.text.push('\n');
        self.line(&[], &[plain(words::forecast(plan.forecast))]);
        if let Some(told) = words::unjudged(&self.view.tally) {
            self.line(&[], &[span(told, YELLOW)]);
        }
    }

    fn refusals(&mut self) {
        let refused = &self.view.plan.refused;
        if refused.is_empty() {
            return;
        }
        self.heading("why it is refused, and what to do", ALARM);
        for refusal in refused {
            let why = span(format!("{:<8}  ", words::why(refusal.why)), ALARM);
            let message = shown(&refusal.message, CHARS_MAX);
            let step = words::refused_step(refusal);
            let step = step.map(|step| format!("{}: ", shown(step, CHARS_MAX)));
            let spans = [span(step.unwrap_or_default(), BOLD), plain(message)];
            self.line(&[plain("  "), why], &spans);
            let remedy = shown(&refusal.remedy, CHARS_MAX);
            self.line(&[plain(" ".repeat(12)), span("do: ", DIM)], &[plain(remedy)]);
        }
    }

    fn last_line(&mut self) {
        let view = self.view;
        let ink = if !view.tally.over.is_empty() || view.tally.refused > 0 { ALARM } else { BOLD };
        // In one line, whatever the width: to be copied.
        self.text.push('\n');
        self.text.push_str(&paint(&words::summary(view), ink, self.color));
        self.text.push('\n');
    }
}

/// How wide the columns of a block are.
#[derive(Debug, Clone, Copy)]
struct Table {
    path: usize,
    before: usize,
}

/// The longest word for a cause.
const CAUSE: usize = 6;

impl Table {
    fn of<'f>(fields: impl IntoIterator<Item = &'f FieldChange>) -> Self {
        let mut table = Self { path: 0, before: 0 };
        for field in fields {
            table.path = table.path.max(columns(&shown(&field.path, NAME_CHARS_MAX)));
            if let Difference::Replaced(before, _) =
                difference(&field.path, &field.before, &field.after, CHARS_MAX)
                && columns(&before) <= BEFORE_MAX
            {
                table.before = table.before.max(columns(&before));
            }
        }
        Self { path: table.path.min(PATH_MAX), ..table }
    }
}

fn heading(section: &Section<'_>) -> String {
    let count = words::counted(section.count as u64, "object");
    format!("{}: {count}", section.risk.heading())
}

/// A piece with its signs; spaces at its ends stay outside of them, so that lines can end there.
fn inline(piece: &Piece) -> [Span; 3] {
    let (open, text, close, ink) = match piece {
        Piece::Same(text) => return [plain(""), plain(text.as_str()), plain("")],
        Piece::Gone(text) => ("[-", text, "-]", STRUCK),
        Piece::Come(text) => ("{+", text, "+}", GREEN),
    };
    let word = text.trim_matches(' ');
    if word.is_empty() {
        return [plain(""), span(format!("{open}{text}{close}"), ink), plain("")];
    }
    let (lead, tail) = text.split_once(word).unwrap_or_default();
    [plain(lead), span(format!("{open}{word}{close}"), ink), plain(tail)]
}

const fn ink_of_risk(risk: Risk) -> Ink {
    match risk {
        Risk::Refused | Risk::Irreversible => ALARM,
        Risk::TakesAway => RED.bold(),
        Risk::Privileged => YELLOW.bold(),
        Risk::Usual => BOLD,
    }
}

const fn ink_of_sign(sign: char) -> Ink {
    match sign {
        '+' => GREEN.bold(),
        '-' => RED.bold(),
        '!' => ALARM,
        _ => YELLOW.bold(),
    }
}

const fn ink_of_cause(cause: Cause) -> Ink {
    match cause {
        Cause::Change => CYAN,
        Cause::Drift => YELLOW,
        Cause::Both => MAGENTA.bold(),
        Cause::Adopt => BLUE,
        Cause::Expiry => RED.bold(),
        Cause::Create => GREEN,
        Cause::Remove => RED,
        Cause::Undo => MAGENTA,
    }
}
