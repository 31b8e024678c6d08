//! A plan as one page that needs nothing else: no network, no library, no server.
//!
//! The page is a template with two gaps, its title and its data. What is shown is made in the
//! browser from the data, so that five thousand changes are there at once and can be searched; texts
//! become text nodes there and nowhere markup. Sentences, differences and their order are decided
//! here, by the same functions as in the other formats.

use std::io::{self, Write};

use askama::Template;
use serde::Serialize;

use super::value::{self, Difference, Piece, difference, shown};
use super::view::{self, Block, Counts, Reports, View};
use super::words;
use crate::plan::Plan;
use crate::plan::file::Rectangle;
use crate::plan::step::{Cause, Decision, FieldChange, Report, Step};
use crate::report::page::harmless;

/// The name and version of the data. The page refuses another.
const FORMAT: &str = "partnerctl/plan-page/v1";

/// Characters of a text, of a name and of a link.
const CHARS_MAX: usize = 2_000;
const NAME_CHARS_MAX: usize = 140;

/// For everybody: one page, to be opened from wherever it is saved.
pub fn html(plan: &Plan, to: &mut dyn Write) -> io::Result<()> {
    let view = View::of(plan);
    let data = harmless(&serde_json::to_string(&Page::of(&view))?);
    let estate = shown(&plan.parents.estate, NAME_CHARS_MAX);
    let title = format!("Plan {} of {estate}", words::short_digest(plan));
    Document { title: &title, data: &data }.write_into(to)
}

#[derive(Template)]
#[template(path = "report/plan/page.html")]
struct Document<'a> {
    title: &'a str,
    /// JSON that went through [`harmless`].
    data: &'a str,
}

/// What the page shows. Short keys: there may be thousands of each.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    format: &'static str,
    digest: String,
    gist: String,
    is_refused: bool,
    is_empty: bool,
    facts: Vec<(&'static str, String)>,
    counts: Vec<(String, u64, u64, u64)>,
    /// The causes in it, with what they mean.
    causes: Vec<(&'static str, &'static str)>,
    refused: Vec<Refused>,
    limits: Vec<Limit>,
    forecast: String,
    unjudged: Option<String>,
    sections: Vec<Section>,
    reports: Vec<Told>,
    gained: Vec<Access>,
    lost: Vec<Access>,
}

#[derive(Debug, Serialize)]
struct Refused {
    why: &'static str,
    step: Option<String>,
    message: String,
    remedy: String,
}

#[derive(Debug, Serialize)]
struct Limit {
    name: &'static str,
    used: u64,
    bound: Option<u64>,
    over: bool,
    told: String,
}

#[derive(Debug, Serialize)]
struct Section {
    heading: &'static str,
    /// Whether it is nothing that a reader should be afraid of.
    usual: bool,
    objects: Vec<Object>,
}

#[derive(Debug, Serialize)]
struct Object {
    #[serde(rename = "o")]
    reference: String,
    #[serde(rename = "g")]
    sign: char,
    #[serde(rename = "p")]
    place: String,
    #[serde(rename = "s")]
    steps: Vec<Change>,
}

#[derive(Debug, Serialize)]
struct Change {
    #[serde(rename = "i")]
    id: String,
    #[serde(rename = "v")]
    verb: &'static str,
    #[serde(rename = "g")]
    sign: char,
    #[serde(rename = "t")]
    told: String,
    #[serde(rename = "f")]
    fields: Vec<Field>,
    #[serde(rename = "a", skip_serializing_if = "Vec::is_empty")]
    after: Vec<String>,
    #[serde(rename = "x", skip_serializing_if = "Option::is_none")]
    irreversible: Option<String>,
    /// Gives what limits call a privilege.
    #[serde(rename = "r", skip_serializing_if = "std::ops::Not::not")]
    privileged: bool,
    #[serde(rename = "n", skip_serializing_if = "Option::is_none")]
    denied: Option<String>,
    #[serde(rename = "y", skip_serializing_if = "Vec::is_empty")]
    policies: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Field {
    #[serde(rename = "p")]
    path: String,
    #[serde(rename = "c")]
    cause: &'static str,
    #[serde(rename = "d")]
    difference: Shape,
    #[serde(rename = "l", skip_serializing_if = "Option::is_none")]
    applied: Option<String>,
}

/// [`Difference`], as the page reads it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
enum Shape {
    Made(String),
    Replaced(String, String),
    Set(Vec<String>, Vec<String>, usize),
    Members(Vec<(String, String, String)>, usize),
    /// `=`, `-` or `+`, and the text.
    Text(Vec<(char, String)>),
}

#[derive(Debug, Serialize)]
struct Told {
    state: &'static str,
    heading: &'static str,
    count: u64,
    all: Vec<Waiting>,
}

#[derive(Debug, Serialize)]
struct Waiting {
    object: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    awaiting: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
}

#[derive(Debug, Serialize)]
struct Access {
    who: Vec<String>,
    actions: Vec<String>,
    on: Vec<String>,
    by: Vec<String>,
}

impl Page {
    fn of(view: &View<'_>) -> Self {
        let plan = view.plan;
        let row = |(kind, counts): (&crate::model::name::Kind, &Counts)| {
            let Counts { create, change, take_away } = *counts;
            (kind.kebab().replace('-', " "), create, change, take_away)
        };
        Self {
            format: FORMAT,
            digest: shown(&plan.digest, NAME_CHARS_MAX),
            gist: words::gist(view),
            is_refused: !plan.refused.is_empty(),
            is_empty: plan.is_empty(),
            facts: words::parents(plan),
            counts: view.tally.by_kind.iter().map(row).collect(),
            causes: view.causes().keys().map(|one| (one.word(), words::cause(*one))).collect(),
            refused: plan
                .refused
                .iter()
                .map(|refusal| Refused {
                    why: words::why(refusal.why),
                    step: words::refused_step(refusal).map(name),
                    message: text(&refusal.message),
                    remedy: text(&refusal.remedy),
                })
                .collect(),
            limits: plan
                .limits
                .named()
                .into_iter()
                .map(|(name, measured)| Limit {
                    name,
                    used: measured.planned + measured.spent,
                    bound: words::bound(&measured),
                    over: measured.exceeded,
                    told: words::behind(&measured),
                })
                .collect(),
            forecast: words::forecast(plan.forecast),
            unjudged: words::unjudged(&view.tally),
            sections: view.sections.iter().map(section).collect(),
            reports: view.reports.iter().map(|reports| told(reports, plan)).collect(),
            gained: plan.access.gained.iter().map(access).collect(),
            lost: plan.access.lost.iter().map(access).collect(),
        }
    }
}

fn text(text: &str) -> String {
    shown(text, CHARS_MAX)
}

fn name(text: &str) -> String {
    shown(text, NAME_CHARS_MAX)
}

fn names(all: &[String]) -> Vec<String> {
    all.iter().map(|one| name(one)).collect()
}

/// Each object for itself: who searches for one finds it.
fn section(section: &view::Section<'_>) -> Section {
    Section {
        heading: section.risk.heading(),
        usual: section.risk == view::Risk::Usual,
        objects: section.entries.iter().flat_map(view::Entry::blocks).map(object).collect(),
    }
}

fn object(block: &Block<'_>) -> Object {
    Object {
        reference: name(&block.object.to_string()),
        sign: block.sign(),
        place: block.source.map_or_else(|| words::NOWHERE.to_owned(), words::place),
        steps: block.steps.iter().map(|step| change(step)).collect(),
    }
}

fn change(step: &Step) -> Change {
    let is_denied = step.authorisation.decision == Decision::Deny;
    Change {
        id: name(&step.id),
        verb: step.verb.word(),
        sign: view::sign(step.verb),
        told: words::step(step),
        fields: step.fields.iter().map(field).collect(),
        after: names(&step.depends_on),
        irreversible: step.irreversible.as_deref().map(text),
        privileged: words::privileged(step).is_some(),
        denied: is_denied.then(|| words::denied(step)),
        policies: if is_denied { Vec::new() } else { names(&step.authorisation.policies) },
    }
}

fn field(field: &FieldChange) -> Field {
    let FieldChange { path, before, after, cause, applied } = field;
    let difference = match difference(path, before, after, CHARS_MAX) {
        Difference::Made(after) => Shape::Made(after),
        Difference::Replaced(before, after) => Shape::Replaced(before, after),
        Difference::Set { gone, come, stay } => Shape::Set(gone, come, stay),
        Difference::Members { changed, stay } => Shape::Members(changed, stay),
        Difference::Text(pieces) => Shape::Text(pieces.into_iter().map(piece).collect()),
    };
    let applied = applied.as_ref().map(|applied| value::of_field(path, applied, CHARS_MAX));
    Field { path: name(path), cause: Cause::word(*cause), difference, applied }
}

fn piece(piece: Piece) -> (char, String) {
    match piece {
        Piece::Same(text) => ('=', text),
        Piece::Gone(text) => ('-', text),
        Piece::Come(text) => ('+', text),
    }
}

fn told(reports: &Reports<'_>, plan: &Plan) -> Told {
    Told {
        state: reports.state.word(),
        heading: words::state(reports.state),
        count: reports.count,
        all: reports.all.iter().map(|report| waiting(report, plan)).collect(),
    }
}

fn waiting(report: &Report, plan: &Plan) -> Waiting {
    Waiting {
        object: name(&report.object.to_string()),
        message: text(&report.message),
        count: report.count.filter(|count| *count > 1),
        awaiting: report.awaiting.as_deref().map(text),
        time: words::span(report, plan.observed_at),
        link: report.link.as_deref().map(text),
        instructions: report.instructions.as_deref().map(text),
        step: report.step.as_deref().map(name),
    }
}

fn access(rectangle: &Rectangle) -> Access {
    let Rectangle { principals, actions, resources, count: _, policies } = rectangle;
    Access {
        who: names(principals),
        actions: names(actions),
        on: names(resources),
        by: names(policies),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    fn rendered(plan: &Plan) -> String {
        let mut out = Vec::new();
        html(plan, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// The page without its data.
    fn frame(rendered: &str) -> (String, &str) {
        let (before, after) = rendered.split_once(r#"id="data">"#).unwrap();
        let (data, behind) = after.split_once("</script>").unwrap();
        (format!("{before}{behind}"), data)
    }

    #[test]
    fn nothing_comes_from_elsewhere() {
        let rendered = rendered(&fixture::empty());
        for outside in ["://", "src=", "@import", "url(", "fetch(", "<link", "<img", "<iframe"] {
            assert!(!rendered.contains(outside), "{outside}");
        }
        assert!(rendered.contains("default-src 'none'"));
        for markup in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
            assert!(!rendered.contains(markup), "{markup}");
        }
    }

    #[test]
    fn no_text_ends_the_data() {
        let harmless = rendered(&fixture::empty());
        let hostile = rendered(&fixture::hostile());
        for count in ["<script", "</script", "<!--", "\u{2028}", "\u{202e}", "\u{1b}"] {
            assert_eq!(hostile.matches(count).count(), harmless.matches(count).count(), "{count}");
        }
        let (_, data) = frame(&hostile);
        let read: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(read["format"], FORMAT);
    }

    /// Nothing is folded away: each step, each field and each report is in the data.
    #[test]
    fn all_of_the_plan_is_there() {
        let plan = fixture::large(1_000);
        let rendered = rendered(&plan);
        let read: serde_json::Value = serde_json::from_str(frame(&rendered).1).unwrap();
        let sections = read["sections"].as_array().unwrap();
        let objects = sections.iter().flat_map(|section| section["objects"].as_array().unwrap());
        let steps: Vec<_> = objects.flat_map(|object| object["s"].as_array().unwrap()).collect();
        assert_eq!(steps.len(), plan.steps.len());
        let fields: usize = steps.iter().map(|step| step["f"].as_array().unwrap().len()).sum();
        assert_eq!(fields, plan.steps.iter().map(|step| step.fields.len()).sum::<usize>());
        let reports = read["reports"].as_array().unwrap();
        let reports: usize = reports.iter().map(|told| told["all"].as_array().unwrap().len()).sum();
        assert_eq!(reports, plan.report.len());
    }
}
