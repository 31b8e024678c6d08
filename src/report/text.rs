//! Findings for people at a prompt or before a CI log, as rustc shows its own.
//!
//! Colour is used only when asked for. Everything from outside passes `clean`, `mask` or `snippet`
//! first. It does not print everything: see [`FINDINGS_MAX`].

use super::mask::Masks;
use super::{Style, clean, snippet, summary};
use crate::manifest::code::Severity;
use crate::manifest::finding::{Finding, Findings, Place, Region};
use crate::manifest::source::{Lines, SourceId};
use annotate_snippets::renderer::{self, Renderer};
use annotate_snippets::{AnnotationKind, Group, Level};
use std::cell::OnceCell;
use std::io::{self, Write};

/// How many findings are printed. Nobody reads further: hundreds of findings mostly have one cause,
/// and the first hundred fill a terminal's memory already. JSON has all of them.
const FINDINGS_MAX: usize = 100;

/// How many other places of one finding are printed: a name that stands in each of a thousand
/// documents is seen after a few.
const RELATED_MAX: usize = 10;

/// Narrower terminals get lines that wrap, rather than snippets without content.
const WIDTH_MIN: usize = 40;
const WIDTH_MAX: usize = 400;

/// The renderer gets lines that fit already, so it has nothing to trim.
const UNTRIMMED: usize = 100_000;

pub(super) fn write(findings: &Findings, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let page = Page::new(findings, style);
    for finding in selected(&findings.all) {
        out.write_all(page.finding(finding).as_bytes())?;
        out.write_all(b"\n")?;
    }
    if let Some(more) = findings.all.len().checked_sub(FINDINGS_MAX).filter(|more| *more > 0) {
        let noun = if more == 1 { "finding" } else { "findings" };
        writeln!(out, "... and {more} more {noun}: --format json has them all")?;
        writeln!(out)?;
    }
    out.write_all(summary::of(findings).as_bytes())
}

/// The findings to print, in their order. When they are too many the errors come first: a hundred
/// notes must not hide what fails the run.
fn selected(all: &[Finding]) -> Vec<&Finding> {
    let mut chosen: Vec<(usize, &Finding)> = all.iter().enumerate().collect();
    if chosen.len() > FINDINGS_MAX {
        chosen.sort_by_key(|(_, finding)| finding.severity);
        chosen.truncate(FINDINGS_MAX);
        chosen.sort_by_key(|(index, _)| *index);
    }
    chosen.into_iter().map(|(_, finding)| finding).collect()
}

/// What all findings of one output share.
struct Page<'a> {
    findings: &'a Findings,
    masks: Masks<'a>,
    /// One per source, made when its first snippet is.
    lines: Vec<OnceCell<Lines<'a>>>,
    renderer: Renderer,
    style: Style,
}

impl<'a> Page<'a> {
    fn new(findings: &'a Findings, style: Style) -> Self {
        let renderer = if style.color { Renderer::styled() } else { Renderer::plain() };
        Self {
            findings,
            masks: Masks::of(findings),
            lines: findings.sources.iter().map(|_| OnceCell::new()).collect(),
            renderer: renderer.term_width(UNTRIMMED),
            style: Style { width: style.width.clamp(WIDTH_MIN, WIDTH_MAX), ..style },
        }
    }

    fn lines(&self, source: SourceId) -> Option<&Lines<'a>> {
        let bytes = &self.findings.sources.get(source)?.bytes;
        Some(self.lines.get(source.0 as usize)?.get_or_init(|| Lines::of(bytes)))
    }

    fn finding(&self, finding: &Finding) -> String {
        let head = format!("{}[{}]", finding.severity.word(), finding.code);
        let mut text = self.title(&head, finding.severity, &finding.message);
        let help = finding.help.as_ref().map(|help| self.masks.show(help));
        self.place(&finding.place, finding.severity, help, &mut text);
        for related in finding.related.iter().take(RELATED_MAX) {
            text.push_str(&self.title("note", Severity::Note, &related.message));
            self.place(&related.place, Severity::Note, None, &mut text);
        }
        if let Some(more) = more_related(finding) {
            text.push_str(&self.title("note", Severity::Note, &more));
        }
        text
    }

    fn title(&self, head: &str, severity: Severity, message: &str) -> String {
        let head = self.paint(head, color_of(severity));
        let message = self.paint(&format!(": {}", self.masks.show(message)), EMPHASIS);
        format!("{head}{message}\n")
    }

    /// `--> file:line:column`, the underlined lines, the help.
    fn place(&self, place: &Place, severity: Severity, help: Option<String>, text: &mut String) {
        let snippet = place.region.as_ref().and_then(|region| self.snippet(region));
        let digits = snippet.as_ref().map_or(1, |snippet| {
            let lines = snippet.text.lines().count().saturating_sub(1);
            digits(snippet.first_line as usize + lines)
        });
        let arrow = self.paint("-->", renderer::DEFAULT_LINE_NUM_STYLE);
        let at = at(place);
        text.push_str(&[&" ".repeat(digits), &arrow, " ", &at, "\n"].concat());
        let level = match severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Note => Level::NOTE,
        };
        match snippet {
            Some(snippet) => {
                let label = snippet.continues_to.map(|line| format!("continues to line {line}"));
                let mark = AnnotationKind::Primary.span(snippet.mark).label(label);
                let cause = annotate_snippets::Snippet::source(snippet.text)
                    .line_start(snippet.first_line as usize)
                    .annotation(mark);
                let mut group = Group::with_level(level).element(cause);
                if let Some(help) = help {
                    group = group.element(Level::HELP.message(help));
                }
                text.push_str(&self.renderer.render(&[group]));
                text.push('\n');
            }
            None => {
                if let Some(help) = help {
                    let equals = self.paint("=", renderer::DEFAULT_LINE_NUM_STYLE);
                    let word = self.paint("help", EMPHASIS);
                    text.push_str(&["  ", &equals, " ", &word, ": ", &help, "\n"].concat());
                }
            }
        }
    }

    fn snippet(&self, region: &Region) -> Option<snippet::Snippet> {
        let excerpt = region.excerpt?;
        let lines = self.lines(excerpt.source)?;
        let gutter = digits(region.end_line as usize) + " | ".len() + 2;
        let width = self.style.width - gutter;
        snippet::cut(&self.findings.sources, lines, &self.masks, region, excerpt, width)
    }

    fn paint(&self, text: &str, style: renderer::Style) -> String {
        if self.style.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

const EMPHASIS: renderer::Style = renderer::DEFAULT_EMPHASIS_STYLE;

const fn color_of(severity: Severity) -> renderer::Style {
    match severity {
        Severity::Error => renderer::DEFAULT_ERROR_STYLE,
        Severity::Warning => renderer::DEFAULT_WARNING_STYLE,
        Severity::Note => renderer::DEFAULT_NOTE_STYLE,
    }
}

/// The help and the other places of a finding as plain lines, for formats without snippets.
pub(super) fn details(finding: &Finding, masks: &Masks<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(finding.help.iter().map(|help| format!("help: {}", masks.show(help))));
    lines.extend(
        finding.related.iter().take(RELATED_MAX).map(|related| {
            format!("note: {} ({})", masks.show(&related.message), at(&related.place))
        }),
    );
    lines.extend(more_related(finding).map(|more| format!("note: {more}")));
    lines
}

fn more_related(finding: &Finding) -> Option<String> {
    match finding.related.len().saturating_sub(RELATED_MAX) {
        0 => None,
        1 => Some("and 1 more place".to_owned()),
        more => Some(format!("and {more} more places")),
    }
}

/// `file:line:column`, or the file alone.
pub(super) fn at(place: &Place) -> String {
    let file = clean::name(&place.file);
    match &place.region {
        Some(region) => format!("{file}:{}:{}", region.line, region.column),
        None => file,
    }
}

fn digits(number: usize) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}
