//! A plan as one comment of a pull request: what matters first, details folded, whatever its size.
//!
//! GitHub refuses a comment of more than 65 536 characters, so everything here has a share of what
//! there is, and says how much it left out. What a tenant or a manifest says appears in three ways
//! only: as plain words ([`prose`]), in code spans ([`code`]) and in fenced blocks ([`fenced`]).
//! In none of them can it become markup, a link, a mention or HTML. There are no links at all:
//! whoever reads a comment should not follow an address that a manifest or a tenant chose.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::value::{self, Difference, Piece, difference, shown};
use super::view::{Block, Counts, Entry, Errand, Reports, Risk, Section, View, sign};
use super::words::{self, Told};
use crate::plan::Plan;
use crate::plan::file::Rectangle;
use crate::plan::step::{Decision, FieldChange, Report, State, Step};
use crate::report::comment::{capital, code, details, fenced, fitting, prose};

/// In bytes, which are never fewer than characters, however these are counted.
const BYTES_MAX: usize = 60_000;

/// What lists may take of it; objects get the rest.
const REFUSALS_BYTES: usize = 8_000;
const ACCESS_BYTES: usize = 7_000;
const WAITING_BYTES: usize = 8_000;
const OTHERS_BYTES: usize = 5_000;
/// What a section needs to say that it shows nothing, and what stands below all of them.
const SECTION_BYTES: usize = 500;
const FOOT_BYTES: usize = 1_000;

/// Characters of a sentence, of a name, and of a value.
const CHARS_MAX: usize = 300;
const NAME_CHARS_MAX: usize = 140;
const VALUE_CHARS_MAX: usize = 200;

/// Names of many that stand as one.
const NAMES_MAX: usize = 5;
const RISKY_NAMES_MAX: usize = 20;
/// Fields of one object.
const FIELDS_MAX: usize = 15;

const ALL_OF_IT: &str = "see the plan file, or `partnerctl show --format html`";

/// For a pull request.
pub fn markdown(plan: &Plan, to: &mut dyn Write) -> io::Result<()> {
    let view = View::of(plan);
    let mut comment = head(&view);
    comment.push_str(&refusals(plan));
    if !plan.is_empty() {
        comment.push_str(&counts(&view));
        comment.push_str(&limits(plan));
    }
    comment.push_str(&access(plan));
    let (waiting, others): (Vec<_>, Vec<_>) =
        view.reports.iter().partition(|reports| reports.state == State::Waiting);
    let waiting: String = waiting.into_iter().map(|reports| waits(reports, plan)).collect();
    let others = left_alone(&others);
    let used = comment.len() + waiting.len() + others.len() + FOOT_BYTES;
    let mut left = BYTES_MAX.saturating_sub(used);
    for (at, section) in view.sections.iter().enumerate() {
        let behind = view.sections.len() - at - 1;
        let room = left.saturating_sub(behind * SECTION_BYTES);
        // The last gets all that is left; others leave something to those behind them.
        let room = if behind == 0 { room } else { room * 2 / 3 };
        let section = folded_section(section, room);
        left = left.saturating_sub(section.len());
        comment.push_str(&section);
    }
    comment.push_str(&waiting);
    comment.push_str(&others);
    comment.push_str(&foot(&view));
    to.write_all(comment.as_bytes())
}

fn head(view: &View<'_>) -> String {
    let digest = words::short_digest(view.plan);
    let mut head = format!("## Plan {digest}: {}\n\n", words::gist(view));
    let facts: Vec<String> = words::parents(view.plan)
        .into_iter()
        .filter(|(name, _)| !["manifests", "policies", "ledger"].contains(name))
        .map(|(name, told)| format!("{name} {}", code(&told)))
        .collect();
    let _ = writeln!(head, "{}", facts.join(" · "));
    head
}

fn refusals(plan: &Plan) -> String {
    if plan.refused.is_empty() {
        return String::new();
    }
    let items = plan.refused.iter().map(|refusal| {
        let step = words::refused_step(refusal)
            .map_or_else(String::new, |step| format!(" {}:", code(&shown(step, NAME_CHARS_MAX))));
        let (message, remedy) = (prose(&refusal.message), prose(&refusal.remedy));
        format!("> - **{}**{step} {message}. _What to do:_ {remedy}\n", words::why(refusal.why))
    });
    let (list, more) = fitting(items, REFUSALS_BYTES);
    let more = rest(more, "refusal").map_or_else(String::new, |more| format!("> - {more}\n"));
    format!("\n> [!CAUTION]\n> **This plan must not be applied as it is.**\n>\n{list}{more}")
}

fn counts(view: &View<'_>) -> String {
    let mut table = "\n| | create | change | take away |\n|---|--:|--:|--:|\n".to_owned();
    let cell = |count: u64| if count == 0 { String::new() } else { count.to_string() };
    for (kind, Counts { create, change, take_away }) in &view.tally.by_kind {
        let cells = [cell(*create), cell(*change), cell(*take_away)].join(" | ");
        let _ = writeln!(table, "| {} | {cells} |", kind.kebab().replace('-', " "));
    }
    let causes: Vec<String> = view
        .causes()
        .into_iter()
        .map(|(cause, count)| format!("{count} {} ({})", cause.word(), words::cause(cause)))
        .collect();
    if !causes.is_empty() {
        let _ = writeln!(table, "\nFields by cause: {}.", causes.join("; "));
    }
    table
}

fn limits(plan: &Plan) -> String {
    let mut table = "\n| limit over 24 hours | used | |\n|---|--:|---|\n".to_owned();
    for (name, measured) in plan.limits.named() {
        let over = if measured.exceeded { "**over**: " } else { "" };
        let (used, behind) = (words::used(&measured), words::behind(&measured));
        let _ = writeln!(table, "| {name} | {used} | {over}{behind} |");
    }
    table
}

fn access(plan: &Plan) -> String {
    let mut text = String::new();
    for (heading, rectangles) in
        [("Who gains what", &plan.access.gained), ("Who loses what", &plan.access.lost)]
    {
        if rectangles.is_empty() {
            continue;
        }
        let (list, more) = fitting(rectangles.iter().map(rectangle), ACCESS_BYTES / 2);
        let more = rest(more, "group").map_or_else(String::new, |more| format!("- {more}\n"));
        let _ = write!(text, "\n### {heading}\n\n{list}{more}");
    }
    text
}

fn rectangle(rectangle: &Rectangle) -> String {
    let Told { who, actions, on } = words::told(rectangle);
    format!("- {}: {} _on_ {}\n", prose(&who), prose(&actions), prose(&on))
}

fn waits(reports: &Reports<'_>, plan: &Plan) -> String {
    let items = reports.errands().into_iter().map(|errand| errand_item(&errand, plan));
    let (list, more) = fitting(items, WAITING_BYTES);
    let more = rest(more, "errand").map_or_else(String::new, |more| format!("- {more}\n"));
    let summary = format!("{}: {}", capital(words::state(reports.state)), reports.count);
    details(&summary, &format!("{list}{more}"), plan.is_empty())
}

fn errand_item(errand: &Errand<'_>, plan: &Plan) -> String {
    let Report { object, message, step, confirms, count, .. } = errand.first;
    let instructions = errand.instructions();
    let is_one = errand.others.is_empty();
    let mut item = String::new();
    if is_one {
        let _ = write!(item, "- {}", code(&shown(&object.to_string(), NAME_CHARS_MAX)));
        if let Some(count) = count.filter(|count| *count > 1) {
            let _ = write!(item, " and {} like it", count - 1);
        }
        let _ = write!(item, ": {}", prose(message));
        if let Some(span) = words::span(errand.first, plan.observed_at) {
            let _ = write!(item, ", {span}");
        }
    } else {
        let _ = write!(item, "- {}: for one, {}", prose(&words::all_of(errand)), prose(message));
    }
    // What is seen once it is done needs nobody's word.
    let then = step.as_deref().filter(|_| !is_one || confirms.is_some()).map(|step| {
        if is_one {
            code(&format!("partnerctl confirm {}", shown(step, NAME_CHARS_MAX)))
        } else {
            "`partnerctl status` lists each of them".to_owned()
        }
    });
    for (name, told) in [
        ("Waits for", errand.awaiting().map(prose)),
        ("Link", errand.link().map(|link| code(&shown(link, 1_000)))),
        ("What to do", instructions.as_deref().map(prose)),
        ("Then", then),
    ] {
        if let Some(told) = told {
            let _ = write!(item, "\n  - {name}: {told}");
        }
    }
    item.push('\n');
    item
}

/// What stays as it is, by state, kind and reason.
fn left_alone(others: &[&Reports<'_>]) -> String {
    if others.is_empty() {
        return String::new();
    }
    let items = others.iter().flat_map(|reports| {
        let state = reports.state.word();
        reports.groups().into_iter().map(move |group| {
            let count = words::of_kind(group.kind, group.count);
            let names: Vec<String> = group
                .all
                .iter()
                .take(NAMES_MAX)
                .map(|report| code(&shown(&report.object.name, NAME_CHARS_MAX)))
                .collect();
            let dots = if group.count > names.len() as u64 { ", …" } else { "" };
            let names = names.join(", ");
            format!("- **{state}** {count} ({names}{dots}): {}\n", prose(group.message))
        })
    });
    let (list, more) = fitting(items, OTHERS_BYTES);
    let more = rest(more, "group").map_or_else(String::new, |more| format!("- {more}\n"));
    let count: u64 = others.iter().map(|reports| reports.count).sum();
    let summary = format!("Why nothing else happens: {}", words::counted(count, "object"));
    details(&summary, &format!("{list}{more}"), false)
}

/// The objects of one risk, as many as fit.
fn folded_section(section: &Section<'_>, room: usize) -> String {
    let count = words::counted(section.count as u64, "object");
    let summary = format!("{}: {count}", capital(section.risk.heading()));
    let mut body = String::new();
    let mut shown_count = 0;
    for entry in &section.entries {
        let text = if entry.others.is_empty() { block(&entry.first) } else { alike(entry) };
        if body.len() + text.len() + SECTION_BYTES > room {
            // What comes behind may be shorter, but then nobody knows what was left out.
            break;
        }
        body.push_str(&text);
        shown_count += entry.count();
    }
    let more = rest(section.count - shown_count, "object").unwrap_or_default();
    let body = if body.is_empty() { String::new() } else { fenced(&body) };
    let open = section.risk < Risk::Usual || section.entries.len() <= NAMES_MAX;
    details(&summary, &[body, more].join("\n"), open)
}

/// An object in the syntax of differences, whose colours GitHub shows.
fn block(block: &Block<'_>) -> String {
    let object = shown(&block.object.to_string(), NAME_CHARS_MAX);
    let place = block.source.map_or_else(|| words::NOWHERE.to_owned(), words::place);
    let mut text = format!("@@ {} {object} @@ {place}\n", block.sign());
    let mut left = FIELDS_MAX;
    for step in &block.steps {
        step_line(step, &words::step(step), &mut text);
        for field in step.fields.iter().take(left) {
            change(&field.path, field, &mut text);
        }
        let more = step.fields.len().saturating_sub(left);
        if more > 0 {
            let _ = writeln!(text, "  … and {}", words::counted(more as u64, "more field"));
        }
        left = left.saturating_sub(step.fields.len()).max(1);
    }
    text
}

fn step_line(step: &Step, summary: &str, text: &mut String) {
    // Signs of differences alone have colours.
    let mark = match sign(step.verb) {
        '~' | '?' => ' ',
        sign => sign,
    };
    let privileged = words::privileged(step).map(|word| format!("  # {word}"));
    let _ = writeln!(text, "{mark} {summary}{}", privileged.unwrap_or_default());
    if let Some(reason) = &step.irreversible {
        let _ = writeln!(text, "! irreversible: {}", shown(reason, CHARS_MAX));
    }
    if step.authorisation.decision == Decision::Deny {
        let _ = writeln!(text, "! denied {}", words::denied(step));
    }
}

/// A field as lines that go and lines that come, its cause behind the last of them.
fn change(path: &str, field: &FieldChange, text: &mut String) {
    let path = shown(path, NAME_CHARS_MAX);
    let cause = field.cause.word();
    let mut lines: Vec<String> = Vec::new();
    match difference(&field.path, &field.before, &field.after, VALUE_CHARS_MAX) {
        Difference::Made(after) => lines.push(format!("+   {path}: {after}")),
        Difference::Replaced(before, _) if field.after.is_null() => {
            lines.push(format!("-   {path}: {before}"));
        }
        Difference::Replaced(before, after) => {
            lines.push(format!("-   {path}: {before}"));
            lines.push(format!("+   {path}: {after}"));
        }
        Difference::Set { gone, come, stay } => {
            for (sign, names) in [('-', gone), ('+', come)] {
                if !names.is_empty() {
                    lines.push(format!("{sign}   {path}: {}", value::listed(&names, NAMES_MAX)));
                }
            }
            lines.push(format!("    {path}: {stay} stay"));
        }
        Difference::Members { changed, stay: _ } => {
            for (name, before, after) in changed.iter().take(FIELDS_MAX) {
                lines.push(format!("-   {path}.{name}: {before}"));
                lines.push(format!("+   {path}.{name}: {after}"));
            }
        }
        Difference::Text(pieces) => {
            let side = |wanted: char| -> String {
                let pieces = pieces.iter().map(|piece| match piece {
                    Piece::Same(text) => text.as_str(),
                    Piece::Gone(text) if wanted == '-' => text.as_str(),
                    Piece::Come(text) if wanted == '+' => text.as_str(),
                    Piece::Gone(_) | Piece::Come(_) => "",
                });
                pieces.collect()
            };
            lines.extend(['-', '+'].map(|sign| {
                let side = side(sign);
                format!("{sign}   {path}: {}", shown(&side, VALUE_CHARS_MAX * 2))
            }));
        }
    }
    if let Some(last) = lines.last_mut() {
        let _ = write!(last, "  # {cause}");
    }
    for line in lines {
        let _ = writeln!(text, "{line}");
    }
    if let Some(applied) = &field.applied {
        let applied = value::of_field(&field.path, applied, VALUE_CHARS_MAX);
        let _ = writeln!(text, "!   {path} was last applied as {applied}");
    }
}

/// Many objects to which the same is done.
fn alike(entry: &Entry<'_>) -> String {
    let first = &entry.first;
    let count = words::of_kind(first.object.kind, entry.count() as u64);
    let mut text = format!("@@ {} {count} @@ {}\n", first.sign(), words::places(entry));
    for step in &first.steps {
        step_line(step, &format!("{}, each", step.verb.word()), &mut text);
        for field in step.fields.iter().take(FIELDS_MAX) {
            if entry.is_same_in_all(field) {
                change(&field.path, field, &mut text);
            } else {
                let path = shown(&field.path, NAME_CHARS_MAX);
                let _ = writeln!(text, "    {path}: differs  # {}", field.cause.word());
            }
        }
    }
    let differing = entry.differing();
    let names_max = match first.risk {
        Risk::Usual => NAMES_MAX,
        _ => RISKY_NAMES_MAX,
    };
    let mut names = Vec::new();
    for block in entry.blocks().take(names_max) {
        let name = shown(&block.object.name, NAME_CHARS_MAX);
        match differing.and_then(|path| block.field(path)) {
            Some(field) => {
                let _ = writeln!(text, "  for {name}");
                change(&field.path, field, &mut text);
            }
            None => names.push(name),
        }
    }
    if !names.is_empty() {
        let _ = writeln!(text, "  for {}", names.join(", "));
    }
    let more = entry.count().saturating_sub(names_max);
    if more > 0 {
        let _ = writeln!(text, "  and {more} more");
    }
    text
}

fn foot(view: &View<'_>) -> String {
    let plan = view.plan;
    let mut foot = "\n".to_owned();
    if !plan.is_empty() {
        let _ = write!(foot, "{}. ", capital(&words::forecast(plan.forecast)));
    }
    if let Some(told) = words::unjudged(&view.tally) {
        let _ = write!(foot, "Besides, {}. ", prose(&told));
    }
    let _ = writeln!(foot, "All of it: {ALL_OF_IT}. Digest {}.", code(&shown(&plan.digest, 64)));
    foot
}

/// What was left out.
fn rest(more: usize, noun: &str) -> Option<String> {
    let more = u64::try_from(more).ok().filter(|more| *more > 0)?;
    Some(format!("… and {}: {ALL_OF_IT}", words::counted(more, &format!("more {noun}"))))
}
