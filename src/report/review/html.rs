//! A review as one page that needs nothing else: no network, no library, no server.
//!
//! The page is a template with two gaps, its title and its data. What is shown is made in the browser
//! from the data; texts become text nodes there and nowhere markup. What is said, and in which order,
//! is decided here.

use std::io::{self, Write};

use askama::Template;
use serde::Serialize;

use super::words;
use crate::report::page::harmless;
use crate::report::plan::value::{of_field, shown};
use crate::report::plan::view::View;
use crate::report::plan::words as plan_words;
use crate::review::access::{AccessChange, Meet, Names, Rectangle};
use crate::review::verdict::Outcome;
use crate::review::{At, Became, Effect, FindingState, Noted, ObjectChange, Review, RuleChange};

/// The name and version of the data. The page refuses another.
const FORMAT: &str = "partnerctl/review-page/v1";

/// Characters of a text, of a name, of a policy.
const CHARS_MAX: usize = 2_000;
const NAME_CHARS_MAX: usize = 140;
/// Lines of a policy.
const LINES_MAX: usize = 200;
/// So many names of one list are in the page.
const NAMES_MAX: usize = 300;

/// For everybody: one page, to be opened from wherever it is saved.
pub fn html(review: &Review, to: &mut dyn Write) -> io::Result<()> {
    let data = harmless(&serde_json::to_string(&Page::of(review))?);
    let title = format!("Review of {}", words::sides(review));
    Document { title: &title, data: &data }.write_into(to)
}

#[derive(Template)]
#[template(path = "report/review/page.html")]
struct Document<'a> {
    title: &'a str,
    /// JSON that went through [`harmless`].
    data: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    format: &'static str,
    outcome: &'static str,
    /// Whether it must not be merged as it is.
    is_refused: bool,
    because: Vec<String>,
    gist: String,
    proof: &'static str,
    facts: Vec<(&'static str, String)>,
    notes: Vec<String>,
    parts: Vec<Part>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    heading: &'static str,
    /// Shown unfolded.
    open: bool,
    items: Vec<Item>,
}

/// One thing that is told. What is empty is not shown.
#[derive(Debug, Default, Serialize)]
struct Item {
    /// `!` alarm, `?` perhaps, `+` more, `-` less, `·` neither.
    #[serde(rename = "g")]
    sign: char,
    #[serde(rename = "w", skip_serializing_if = "String::is_empty")]
    tag: String,
    #[serde(rename = "t", skip_serializing_if = "String::is_empty")]
    told: String,
    #[serde(rename = "p", skip_serializing_if = "String::is_empty")]
    place: String,
    /// Lists of names, each under a word.
    #[serde(rename = "l", skip_serializing_if = "Vec::is_empty")]
    lists: Vec<List>,
    /// Sentences, each under a word.
    #[serde(rename = "d", skip_serializing_if = "Vec::is_empty")]
    details: Vec<(&'static str, String)>,
    /// Fields with before and after.
    #[serde(rename = "f", skip_serializing_if = "Vec::is_empty")]
    fields: Vec<(String, String, String)>,
    /// Texts of several lines, before and after.
    #[serde(rename = "b", skip_serializing_if = "String::is_empty")]
    before: String,
    #[serde(rename = "a", skip_serializing_if = "String::is_empty")]
    after: String,
}

#[derive(Debug, Serialize)]
struct List {
    #[serde(rename = "n")]
    name: &'static str,
    #[serde(rename = "c")]
    count: u64,
    #[serde(rename = "l")]
    some: Vec<String>,
}

impl Page {
    fn of(review: &Review) -> Self {
        let verdict = &review.verdict;
        let mut facts = vec![("compared", words::sides(review))];
        if !review.folder.is_empty() {
            facts.push(("folder", text(&review.folder)));
        }
        facts.push(("as of", review.as_of.clone()));
        facts.push(("fails on", verdict.fail_on.word().to_owned()));
        Self {
            format: FORMAT,
            outcome: verdict.outcome.word(),
            is_refused: matches!(
                verdict.outcome,
                Outcome::Invalid | Outcome::Denied | Outcome::OverLimit
            ),
            because: verdict.because.iter().map(|one| text(one)).collect(),
            gist: words::gist(review),
            proof: words::NOT_PROVED,
            facts,
            notes: review.notes.iter().map(|note| text(note)).collect(),
            parts: parts(review).into_iter().filter(|part| !part.items.is_empty()).collect(),
        }
    }
}

fn parts(review: &Review) -> Vec<Part> {
    let part = |heading, open, items| Part { heading, open, items };
    let stops = |noted: &&Noted| noted.is_denied() || noted.is_invalid();
    let of_state = |state| -> Vec<Item> {
        let all = review.findings.iter().filter(|noted| noted.state == state);
        all.filter(|noted| !stops(noted)).map(finding).collect()
    };
    let gained = |all: &mut dyn Iterator<Item = &Rectangle>| {
        all.map(|one| rectangle(review, one, true)).collect()
    };
    vec![
        part("What it changes about the rules", true, review.rules.iter().map(rule).collect()),
        part(
            "What keeps it from being merged",
            true,
            review.findings.iter().filter(stops).map(finding).collect(),
        ),
        part("Privileged roles", true, roles(review)),
        part(
            "Who gains what",
            true,
            unknown(review).unwrap_or_else(|| gained(&mut words::reaches(review))),
        ),
        part("Who it is, until when, and who else", true, standing(review)),
        part("What comes with what is new", false, gained(&mut words::brought(review))),
        part("Inside customers' tenants", true, directory_roles(review)),
        part(
            "Who loses what",
            true,
            review.access.lost.iter().map(|one| rectangle(review, one, false)).collect(),
        ),
        part("Of that, by the policies alone", false, by_policies(review)),
        part("Findings refused by the base's rules", true, of_state(FindingState::ByTheBase)),
        part("New findings", true, of_state(FindingState::New)),
        part("Fixed findings", false, of_state(FindingState::Fixed)),
        part("Findings that are still there", false, of_state(FindingState::Still)),
        part("What differs in the estate", true, review.changes.iter().map(change).collect()),
        part("What would be done to the tenant", true, plan(review)),
    ]
}

fn text(text: &str) -> String {
    shown(text, CHARS_MAX)
}

/// A text of several lines, each safe to show.
fn lines(text: Option<&String>) -> String {
    let lines = text.iter().flat_map(|text| text.lines()).take(LINES_MAX);
    lines.map(|line| shown(line, CHARS_MAX)).collect::<Vec<_>>().join("\n")
}

fn place(at: Option<&At>) -> String {
    at.map_or_else(String::new, words::place)
}

fn rule(change: &RuleChange) -> Item {
    let RuleChange { effect, message, reason, before, after, at, .. } = change;
    let is_long = |text: &Option<String>| text.as_deref().is_some_and(|text| text.contains('\n'));
    let is_shown = is_long(before) || is_long(after);
    Item {
        sign: match effect {
            Effect::Weakens => '!',
            Effect::MayWeaken => '?',
            Effect::Neutral => '·',
            Effect::Tightens => '+',
        },
        tag: effect.word().to_owned(),
        told: text(message),
        place: place(at.as_ref()),
        details: reason.iter().map(|reason| ("its reason", text(reason))).collect(),
        before: if is_shown { lines(before.as_ref()) } else { String::new() },
        after: if is_shown { lines(after.as_ref()) } else { String::new() },
        ..Item::default()
    }
}

fn finding(noted: &Noted) -> Item {
    let Noted { state, code, severity, message, help, at, .. } = noted;
    let is_fixed = *state == FindingState::Fixed;
    Item {
        sign: match severity.as_str() {
            _ if is_fixed => '+',
            "error" => '!',
            "warning" => '?',
            _ => '·',
        },
        tag: format!("{severity} {code}"),
        told: text(message),
        place: words::place(at),
        details: help.iter().map(|help| ("help", text(help))).collect(),
        ..Item::default()
    }
}

fn roles(review: &Review) -> Vec<Item> {
    let items = review.roles.iter().map(|grant| Item {
        sign: '!',
        tag: grant.held.word().to_owned(),
        told: words::role(grant),
        place: place(grant.at.as_ref()),
        lists: many("who", &grant.who),
        ..Item::default()
    });
    items.collect()
}

fn standing(review: &Review) -> Vec<Item> {
    let items = review.standing.iter().map(|change| Item {
        sign: '?',
        tag: change.standing.word().to_owned(),
        told: words::standing(change),
        place: place(change.at.as_ref()),
        ..Item::default()
    });
    items.collect()
}

fn directory_roles(review: &Review) -> Vec<Item> {
    let items = review.directory_roles.iter().map(|grant| Item {
        sign: if grant.gained.count > 0 { '!' } else { '-' },
        told: words::directory(grant),
        place: place(grant.at.as_ref()),
        lists: many("gained at", &grant.gained)
            .into_iter()
            .chain(many("lost at", &grant.lost))
            .collect(),
        ..Item::default()
    });
    items.collect()
}

/// A list that a sentence had to cut.
fn many(name: &'static str, names: &Names) -> Vec<List> {
    if names.count <= 5 { Vec::new() } else { vec![list(name, names)] }
}

fn list(name: &'static str, names: &Names) -> List {
    let some = names.names.iter().take(NAMES_MAX);
    List { name, count: names.count, some: some.map(|one| shown(one, NAME_CHARS_MAX)).collect() }
}

fn unknown(review: &Review) -> Option<Vec<Item>> {
    let why = review.access_unknown.as_ref()?;
    let told = format!("who gains and loses what is not known: {}", text(why));
    Some(vec![Item { sign: '!', told, ..Item::default() }])
}

fn rectangle(review: &Review, rectangle: &Rectangle, is_gained: bool) -> Item {
    let Rectangle { principals, actions, resources, meet, .. } = rectangle;
    let few = |name, all: Vec<String>| List { name, count: all.len() as u64, some: all };
    let on = match meet {
        Meet::All => list("on", resources),
        Meet::Others => list("on, but not themselves", resources),
        Meet::Same => few("on", vec!["themselves alone".to_owned()]),
    };
    let deciders =
        words::deciders(review, rectangle).map(|(decider, told)| match &decider.reason {
            Some(reason) => format!("{told}: {}", text(reason)),
            None => told,
        });
    let mut details: Vec<(&'static str, String)> =
        words::causes(review, rectangle).into_iter().map(|cause| ("because of", cause)).collect();
    details.extend(deciders.map(|told| ("by", told)));
    details.extend(words::newness(rectangle).map(|told| ("new", told)));
    Item {
        sign: match (is_gained, rectangle.privileged && rectangle.is_reach()) {
            (true, true) => '!',
            (true, false) => '+',
            (false, _) => '-',
        },
        tag: if rectangle.privileged { "privileged".to_owned() } else { String::new() },
        lists: vec![
            list(if is_gained { "who" } else { "who no longer" }, principals),
            few("may", actions.clone()),
            on,
        ],
        details,
        ..Item::default()
    }
}

fn by_policies(review: &Review) -> Vec<Item> {
    let Some(AccessChange { gained, lost, .. }) = &review.by_policies else { return Vec::new() };
    if gained.is_empty() && lost.is_empty() {
        let told = "nothing: the policies differ, and permit the same here".to_owned();
        return vec![Item { sign: '·', told, ..Item::default() }];
    }
    let gained = gained.iter().map(|one| rectangle(review, one, true));
    gained.chain(lost.iter().map(|one| rectangle(review, one, false))).collect()
}

fn change(change: &ObjectChange) -> Item {
    let value = |path: &str, value| of_field(path, value, CHARS_MAX);
    let is_new = change.became == Became::Added;
    Item {
        sign: match change.became {
            Became::Added => '+',
            Became::Removed => '-',
            Became::Changed | Became::Renamed => '·',
        },
        tag: if change.gains > 0 {
            plan_words::counted(change.gains, "gain")
        } else {
            String::new()
        },
        told: words::change(change),
        place: place(change.at.as_ref()),
        fields: change
            .fields
            .iter()
            .map(|field| {
                let before = if is_new { String::new() } else { value(&field.path, &field.before) };
                (shown(&field.path, NAME_CHARS_MAX), before, value(&field.path, &field.after))
            })
            .collect(),
        ..Item::default()
    }
}

fn plan(review: &Review) -> Vec<Item> {
    let Some(plan) = &review.plan else { return Vec::new() };
    let gist = Item { sign: '·', told: plan_words::gist(&View::of(plan)), ..Item::default() };
    let refused = plan.refused.iter().map(|refusal| Item {
        sign: '!',
        tag: plan_words::why(refusal.why).to_owned(),
        told: text(&refusal.message),
        details: vec![("what to do", text(&refusal.remedy))],
        ..Item::default()
    });
    let steps = plan.steps.iter().map(|step| Item {
        sign: if step.verb.takes_away() { '-' } else { '+' },
        tag: step.verb.word().to_owned(),
        told: text(&step.summary),
        ..Item::default()
    });
    std::iter::once(gist).chain(refused).chain(steps).collect()
}
