//! From bytes and field names to lines and columns, for the few places that are reported.

use std::collections::HashMap;

use super::draft::{Draft, On, Step, Where};
use super::finding::{Excerpt, Finding, Place as Shown, Region, Related};
use super::load::{Place, kustomize_origin, pick};
use super::rows::cell_of;
use super::source::{Format, Lines, SourceId, Sources, Span, to_u32};
use super::text::arena::{Arena, Node};
use super::text::{self, Parsed};
use crate::model::estate::Origin;

/// Turns drafts into findings, sorted by file, line, column and code.
pub(crate) fn locate(
    drafts: Vec<Draft>,
    places: &[Place],
    sources: &Sources,
    project: &str,
) -> Vec<Finding> {
    let mut locator = Locator { places, sources, project, lines: HashMap::new(), open: None };
    let mut drafts = drafts;
    // Documents are opened again one after the other, each once.
    drafts.sort_by_key(|draft| match &draft.at {
        Where::Field { origin, .. } => (1, origin.0),
        _ => (0, 0),
    });
    let mut findings: Vec<Finding> = drafts
        .into_iter()
        .map(|draft| {
            let Draft { code, severity, message, help, at, object, related } = draft;
            Finding {
                code,
                severity,
                message,
                help,
                place: locator.place(&at),
                object,
                related: related
                    .into_iter()
                    .map(|(message, at)| Related { message, place: locator.place(&at) })
                    .collect(),
            }
        })
        .collect();
    findings.sort_by(|a, b| (&a.place, a.code, &a.message).cmp(&(&b.place, b.code, &b.message)));
    findings.dedup();
    findings
}

struct Locator<'a> {
    places: &'a [Place],
    sources: &'a Sources,
    project: &'a str,
    lines: HashMap<SourceId, Lines<'a>>,
    /// The chunk that was parsed last: drafts come document by document.
    open: Option<Open<'a>>,
}

struct Open<'a> {
    source: SourceId,
    base: u32,
    text: &'a str,
    arena: Arena,
    parsed: Parsed,
}

impl Locator<'_> {
    fn place(&mut self, at: &Where) -> Shown {
        match at {
            Where::Bytes { source, span } => self.shown(*source, *span),
            Where::Named(file) => Shown { file: file.clone(), region: None },
            Where::Estate => Shown {
                file: self.project.to_owned(),
                region: Some(Region {
                    line: 1,
                    column: 1,
                    end_line: 1,
                    end_column: 1,
                    excerpt: None,
                }),
            },
            Where::Field { origin, path, on } => self.field(*origin, path, *on),
        }
    }

    fn file(&self, source: SourceId) -> Shown {
        Shown {
            file: self.sources.get(source).map_or_else(String::new, |source| source.name.clone()),
            region: None,
        }
    }

    fn shown(&mut self, id: SourceId, span: Span) -> Shown {
        let Some(source) = self.sources.get(id) else { return self.file(id) };
        let lines = self.lines.entry(id).or_insert_with(|| Lines::of(&source.bytes));
        let (start, end) = (lines.place(span.start), lines.place(span.end.max(span.start)));
        Shown {
            file: source.name.clone(),
            region: Some(Region {
                line: start.line,
                column: start.column,
                end_line: end.line,
                end_column: end.column,
                excerpt: Some(Excerpt { source: id, span }),
            }),
        }
    }

    fn field(&mut self, origin: Origin, path: &[Step], on: On) -> Shown {
        match self.places.get(origin.0 as usize).copied() {
            Some(Place::Text { source, base, length, root, item }) => {
                self.open(source, base, length);
                let Some(open) = &self.open else { return self.file(source) };
                let Some(id) = open.parsed.roots.get(root as usize) else {
                    return self.file(source);
                };
                let Some(node) =
                    pick(open.arena.node(open.text, *id), item.map(|item| item as usize))
                else {
                    return self.file(source);
                };
                if self.sources.get(source).is_some_and(|source| source.name == "-")
                    && let Some(file) = kustomize_origin(node)
                {
                    return Shown { file, region: None };
                }
                let span = find(node, path, on).shifted(base);
                self.shown(source, span)
            }
            Some(Place::Row { source, row }) => {
                let text = self
                    .sources
                    .get(source)
                    .and_then(|source| std::str::from_utf8(&source.bytes).ok());
                let keys: Vec<&str> = path
                    .iter()
                    .filter_map(|step| match step {
                        Step::Key(key) => Some(&**key),
                        Step::Index(_) => None,
                    })
                    .collect();
                let span = text.and_then(|text| cell_of(text, row, &keys)).unwrap_or(row);
                self.shown(source, span)
            }
            None => self.place(&Where::Estate),
        }
    }

    /// Parses a document's chunk again, unless it is the one at hand.
    fn open(&mut self, source: SourceId, base: u32, length: u32) {
        if self.open.as_ref().is_some_and(|open| open.source == source && open.base == base) {
            return;
        }
        let Some(found) = self.sources.get(source) else { return };
        let range = base as usize..(base + length) as usize;
        let bytes = found.bytes.get(range).unwrap_or_default();
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        let mut arena = self.open.take().map(|open| open.arena).unwrap_or_default();
        arena.clear();
        let parsed = match found.format {
            Format::Json => text::parse_json(text, &mut arena),
            _ => text::parse(text, &mut arena),
        };
        self.open = Some(Open { source, base, text, arena, parsed });
    }
}

/// The span of a field; where it is absent, of the key that should hold it.
fn find(document: Node<'_>, path: &[Step], on: On) -> Span {
    let mut node = document;
    let mut key = None;
    for step in path {
        let next = match step {
            Step::Key(name) => node.entry(name).map(|(key, value)| (Some(key.span()), value)),
            Step::Index(index) => node.item(*index).map(|item| (key, item)),
        };
        let Some((next_key, next)) = next else {
            let first = super::read::collections::head(document);
            return key.unwrap_or(first);
        };
        (key, node) = (next_key, next);
    }
    match (on, key) {
        (On::Key, Some(key)) => key,
        _ => super::read::collections::head(node),
    }
}

/// What looks like a secret, and must never be shown.
pub(crate) fn masked(drafts: &[Draft]) -> Vec<Excerpt> {
    use super::code::Code::{P0501, P0502};
    drafts
        .iter()
        .filter(|draft| matches!(draft.code, P0501 | P0502))
        .filter_map(|draft| match draft.at {
            Where::Bytes { source, span } => Some(Excerpt { source, span }),
            _ => None,
        })
        .collect()
}

/// Drops what repeats a finding in other words: a literal where a reference belongs may look like
/// a secret as well, and a merge key is a key that no mapping knows.
pub(crate) fn without_repeats(drafts: &mut Vec<Draft>) {
    use super::code::Code::{P0008, P0101, P0501, P0502};
    let merge_keys: Vec<(SourceId, Span)> = drafts
        .iter()
        .filter_map(|draft| match draft.at {
            Where::Bytes { source, span } if draft.code == P0008 => Some((source, span)),
            _ => None,
        })
        .collect();
    let literals: Vec<Excerpt> =
        masked(&drafts.iter().filter(|draft| draft.code == P0501).cloned().collect::<Vec<_>>());
    drafts.retain(|draft| match draft.at {
        Where::Bytes { source, span } if draft.code == P0502 => !literals.iter().any(|known| {
            known.source == source && known.span.start <= span.start && span.end <= known.span.end
        }),
        Where::Bytes { source, span } if draft.code == P0101 => {
            !merge_keys.contains(&(source, span))
        }
        _ => true,
    });
}

/// The line that a document begins on, for who explains decisions later.
pub(crate) fn line_of(place: Place, sources: &Sources) -> Option<(String, u32)> {
    let (source, offset) = match place {
        Place::Text { source, base, .. } => (source, base),
        Place::Row { source, row } => (source, row.start),
    };
    let found = sources.get(source)?;
    let before = found.bytes.get(..offset as usize)?;
    Some((found.name.clone(), to_u32(memchr::memchr_iter(b'\n', before).count() + 1)))
}
