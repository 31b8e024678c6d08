//! From bytes and field names to lines and columns, for the few places that are reported.

use std::collections::HashMap;

use super::batch::{Fallbacks, Place};
use super::draft::{Draft, On, Step, Where};
use super::finding::{Excerpt, Finding, Place as Shown, Region, Related};
use super::load::{Opened, kustomize_origin};
use super::rows::cell_of;
use super::source::{Lines, SourceId, Sources, Span, to_u32};
use super::text::arena::NodeId;
use crate::model::estate::Origin;
use crate::model::name::Kind;

/// Turns drafts into findings, sorted by file, line, column and code.
pub(crate) fn locate(
    drafts: Vec<Draft>,
    places: &[Place],
    fallbacks: &Fallbacks,
    sources: &Sources,
    project: &str,
) -> Vec<Finding> {
    let mut locator = Locator {
        places,
        fallbacks,
        sources,
        project,
        lines: HashMap::new(),
        open: Opened::default(),
    };
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
    // What Defaults say wrongly is wrong in each document that takes it, and told once.
    findings.dedup_by(|a, b| {
        let shown = a.place.region.is_some_and(|region| region.excerpt.is_some());
        a == b || shown && a.place == b.place && a.code == b.code && a.message == b.message
    });
    findings
}

/// Where one place is that is no finding's.
pub(crate) fn place(
    at: &Where,
    places: &[Place],
    fallbacks: &Fallbacks,
    sources: &Sources,
) -> Shown {
    let (lines, open) = (HashMap::new(), Opened::default());
    Locator { places, fallbacks, sources, project: "", lines, open }.place(at)
}

/// Where many places are, in their order.
pub(crate) fn places_of(
    all: &[Where],
    places: &[Place],
    fallbacks: &Fallbacks,
    sources: &Sources,
) -> Vec<Shown> {
    let (lines, open) = (HashMap::new(), Opened::default());
    let mut locator = Locator { places, fallbacks, sources, project: "", lines, open };
    all.iter().map(|at| locator.place(at)).collect()
}

struct Locator<'a> {
    places: &'a [Place],
    fallbacks: &'a Fallbacks,
    sources: &'a Sources,
    project: &'a str,
    lines: HashMap<SourceId, Lines<'a>>,
    /// The chunk that was parsed last: drafts come document by document.
    open: Opened<'a>,
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
            Some(place @ Place::Text { source, base, .. }) => {
                let Some(document) = self.open.document(self.sources, place) else {
                    return self.file(source);
                };
                if self.sources.get(source).is_some_and(|source| source.name == "-")
                    && let Some(file) = kustomize_origin(document)
                {
                    return Shown { file, region: None };
                }
                let kind = document.get("kind").map(|kind| kind.text().to_owned());
                let document = document.id();
                let (span, found) = find(&mut self.open, document, path, on);
                if !found && let Some(shown) = self.in_defaults(kind.as_deref(), path, on) {
                    return shown;
                }
                self.shown(source, span.shifted(base))
            }
            Some(Place::Row { source, row }) => {
                let bytes =
                    self.sources.get(source).map_or(&[][..], |source| source.bytes.as_slice());
                let keys: Vec<&str> = path
                    .iter()
                    .skip(1)
                    .filter_map(|step| match step {
                        Step::Key(key) => Some(&**key),
                        Step::Index(_) => None,
                    })
                    .collect();
                if let Some(cell) = cell_of(bytes, row, &keys.join(".")) {
                    return self.shown(source, cell);
                }
                let below: Vec<Step> = path.iter().skip(1).cloned().collect();
                let table = self.fallbacks.tables.get(&source).copied();
                let said = table
                    .and_then(|table| self.said_at(table, ["spec", "defaults"], &below, on))
                    .or_else(|| self.in_defaults(Some(Kind::Customer.word()), path, on));
                // Something absent is reported at the row's name.
                said.unwrap_or_else(|| {
                    self.shown(source, cell_of(bytes, row, "name").unwrap_or(row))
                })
            }
            None => self.place(&Where::Estate),
        }
    }

    /// Where the Defaults of a kind say a field.
    fn in_defaults(&mut self, kind: Option<&str>, path: &[Step], on: On) -> Option<Shown> {
        let kind = Kind::ALL.iter().find(|known| Some(known.word()) == kind)?;
        let place = self.fallbacks.kinds.get(kind).copied()?;
        self.said_at(place, ["spec", "values"], path, on)
    }

    /// Where a document says a field below some of its keys, if it does.
    fn said_at(&mut self, place: Place, below: [&str; 2], path: &[Step], on: On) -> Option<Shown> {
        let Place::Text { source, base, .. } = place else { return None };
        let document = self.open.document(self.sources, place)?.id();
        let path: Vec<Step> =
            below.into_iter().map(Step::from).chain(path.iter().cloned()).collect();
        let (span, found) = find(&mut self.open, document, &path, on);
        found.then(|| self.shown(source, span.shifted(base)))
    }
}

/// The span of a field, and whether it is there; where it is not, of the key that should hold it.
fn find(open: &mut Opened<'_>, document: NodeId, path: &[Step], on: On) -> (Span, bool) {
    let (mut node, mut key) = (document, None);
    for step in path {
        let next = match step {
            Step::Key(name) => {
                open.node(node).entry(name).map(|(key, value)| (Some(key.span()), value.id()))
            }
            Step::Index(index) => open.item(node, *index).map(|item| (key, item)),
        };
        let Some(next) = next else {
            return (key.unwrap_or_else(|| open.node(document).head()), false);
        };
        (key, node) = next;
    }
    match (on, key) {
        (On::Key, Some(key)) => (key, true),
        _ => (open.node(node).head(), true),
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

/// Lines that cannot be read as YAML or JSON and may hold a literal secret: what stands there is
/// unknown, so it is not shown.
///
/// The words of such a finding may quote it, whole or in part, so they are replaced.
pub(crate) fn near_secrets(drafts: &mut [Draft], sources: &Sources) -> Vec<Excerpt> {
    use super::code::Code::{P0010, P0013};
    let mut excerpts = Vec::new();
    for draft in drafts.iter_mut().filter(|draft| draft.code <= P0010 || draft.code == P0013) {
        let Where::Bytes { source, span } = draft.at else { continue };
        let bytes = sources.get(source).map_or(&[] as &[u8], |source| &source.bytes);
        let Some(span) = near_secret(bytes, span) else { continue };
        excerpts.push(Excerpt { source, span });
        draft.code.title().clone_into(&mut draft.message);
        draft.help = Some("what stands here is hidden, because it may be a secret".to_owned());
    }
    excerpts
}

/// From behind the key of a secret to the end of the line at fault, which may belong to its value.
fn near_secret(bytes: &[u8], fault: Span) -> Option<Span> {
    /// How far behind the key its value may be, and how much of it is hidden.
    const REACH: usize = 4096;
    let at = fault.range().start.min(bytes.len());
    let rest = bytes.get(at..)?;
    let end = at + memchr::memchr(b'\n', rest).unwrap_or(rest.len()).min(REACH);
    let from = at.saturating_sub(REACH);
    let near = bytes.get(from..end)?;
    if !SECRET_KEYS.iter().any(|key| memchr::memmem::find(near, key).is_some()) {
        return None;
    }
    let mut indent_min = usize::MAX;
    let mut upper = end;
    for line in near.rsplit(|byte| *byte == b'\n') {
        let start = upper - line.len();
        upper = start.saturating_sub(1);
        let indent = line.iter().take_while(|byte| **byte == b' ').count();
        // The line at fault may stand as far out as the key: that may be its fault.
        let belongs = start <= at && (end == start + line.len() || indent < indent_min);
        if let Some(colon) = behind_secret_key(line).filter(|_| belongs && indent <= indent_min) {
            return Some(Span::new(to_u32(start + colon), to_u32(end)));
        }
        if line.starts_with(b"---") {
            return None;
        }
        if end == start + line.len() {
            indent_min = indent + 1;
        } else if !line.trim_ascii().is_empty() {
            indent_min = indent_min.min(indent);
        }
    }
    None
}

/// Keys that refer to secrets, and what people write instead.
const SECRET_KEYS: [&[u8]; 6] =
    [b"secret", b"Secret", b"Token", b"certificate", b"password", b"postgres"];

/// Where a value begins whose key is one that secrets are kept under.
fn behind_secret_key(line: &[u8]) -> Option<usize> {
    let keys = SECRET_KEYS.iter().flat_map(|key| {
        memchr::memmem::find_iter(line, key).map(|at| at + key.len()).collect::<Vec<_>>()
    });
    let colons = keys.filter_map(|behind| {
        let rest = line.get(behind..)?;
        let colon =
            rest.iter().position(|byte| !byte.is_ascii_alphabetic() && !b"\"' ".contains(byte))?;
        (rest.get(colon) == Some(&b':')).then_some(behind + colon + 1)
    });
    colons.min()
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
