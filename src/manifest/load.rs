//! Texts to documents, in parallel: what is read in which order, and where each document was.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::batch::{Batch, Located, Place, Table};
use super::code::Code;
use super::document::{Body, DefaultValues, Head, read_document, read_head};
use super::draft::{Draft, Where};
use super::read::Reader;
use super::source::{Format, SourceId, Sources, Span, to_u32};
use super::text::arena::{Arena, Node, NodeId, View};
use super::text::{self, Fault, Parsed};
use crate::model::name::Kind;
use crate::model::secret;
use crate::model::text::{is_bidirectional_control, turns_direction};
use crate::parallel;

/// A chunk to be read.
struct Piece<'a> {
    source: SourceId,
    base: u32,
    text: Result<&'a str, Vec<Fault>>,
    json: bool,
    words: Words,
}

/// Words that are looked for in a whole text, once, and then only in what has them.
#[derive(Clone, Copy)]
struct Words {
    secrets: bool,
    defaults: bool,
}

impl<'a> Piece<'a> {
    fn length(&self) -> usize {
        self.text.as_ref().map_or(0, |text| text.len())
    }

    fn parse(&self, arena: &mut Arena<'a>) -> Parsed {
        match &self.text {
            Ok(text) if self.json => text::parse_json(text, arena),
            Ok(text) => text::parse(text, arena),
            Err(faults) => Parsed { roots: Vec::new(), faults: faults.clone() },
        }
    }
}

/// How much text one worker takes at a time: enough to be worth it, little enough that its arena
/// stays in the cache.
const BATCH_BYTES: usize = 128 * 1024;

/// Reads all documents of all YAML and JSON sources, in order.
pub(crate) fn read_all(sources: &Sources, skip: Option<SourceId>) -> Vec<Batch> {
    let texts: Vec<_> = sources
        .iter()
        .filter(|(id, source)| Some(*id) != skip && source.format.holds_documents())
        .collect();
    let bytes_all = texts.iter().map(|(_, source)| source.bytes.len()).sum();
    let pieces: Vec<Vec<Piece<'_>>> = parallel::map(
        texts,
        bytes_all,
        || (),
        |(), (id, source)| pieces(id, source.format, &source.bytes),
    );
    let pieces: Vec<Piece<'_>> = pieces.into_iter().flatten().collect();

    let held = Held::of(&pieces);
    let defaults = held.values();
    let mut batches = Vec::new();
    let (mut from, mut bytes) = (0, 0);
    for (at, piece) in pieces.iter().enumerate() {
        bytes += piece.length();
        if bytes >= BATCH_BYTES {
            batches.push(from..at + 1);
            (from, bytes) = (at + 1, 0);
        }
    }
    batches.push(from..pieces.len());
    parallel::map(batches, bytes_all, Arena::default, |arena, range| {
        let mut batch = Batch::default();
        batch.documents.reserve_exact(range.len());
        for piece in pieces.get(range).unwrap_or_default() {
            read_piece(piece, sources, &defaults, arena, &mut batch);
        }
        batch
    })
}

fn pieces(source: SourceId, format: Format, bytes: &[u8]) -> Vec<Piece<'_>> {
    let words =
        Words { secrets: secret::may_hold(bytes), defaults: DEFAULTS.find(bytes).is_some() };
    if format == Format::Yaml {
        return text::chunks(bytes)
            .into_iter()
            .map(|chunk| Piece { source, base: chunk.base, text: chunk.text(), json: false, words })
            .collect();
    }
    let skip = if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    let bytes = bytes.get(skip..).unwrap_or_default();
    let text = match text::foreign_encoding(bytes) {
        Some(fault) => Err(vec![fault]),
        None if bytes.trim_ascii().is_empty() => Err(vec![Fault {
            code: Code::P0002,
            span: Span::default(),
            message: "the file is empty, which is no JSON".to_owned(),
            help: Some("remove the file, or write a document".to_owned()),
        }]),
        None => text::utf8(bytes).map_err(|fault| vec![fault]),
    };
    vec![Piece { source, base: to_u32(skip), text, json: true, words }]
}

/// The Defaults, read before everything else; there are few, so they keep their arenas.
struct Held<'a>(Vec<HeldPiece<'a>>);

struct HeldPiece<'a> {
    arena: Arena<'a>,
    /// The kind, the document, and the item if it is a List.
    found: Vec<(Kind, NodeId, Option<usize>)>,
}

/// Built once: there are many small texts to look at.
static DEFAULTS: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"Defaults"));

impl<'a> Held<'a> {
    fn of(pieces: &[Piece<'a>]) -> Self {
        let mut held = Vec::new();
        for piece in pieces {
            let Ok(text) = piece.text.as_ref() else { continue };
            if !piece.words.defaults || DEFAULTS.find(text.as_bytes()).is_none() {
                continue;
            }
            let mut arena = Arena::default();
            let mut found = Vec::new();
            for root in piece.parse(&mut arena).roots {
                let node = arena.node(root);
                let items = match node.get("items").map(Node::view) {
                    Some(View::Sequence(items)) => items.len(),
                    _ => 0,
                };
                let places = std::iter::once(None).chain((0..items).map(Some));
                found.extend(
                    places.filter_map(|item| Some((fills(pick(node, item)?)?, root, item))),
                );
            }
            if !found.is_empty() {
                held.push(HeldPiece { arena, found });
            }
        }
        Self(held)
    }

    /// The first Defaults of a kind counts; a second is a finding.
    fn values(&self) -> DefaultValues<'_> {
        let mut values = HashMap::new();
        for HeldPiece { arena, found } in &self.0 {
            for (kind, root, item) in found {
                let node = pick(arena.node(*root), *item);
                if let Some(node) =
                    node.and_then(|node| node.get("spec")).and_then(|spec| spec.get("values"))
                {
                    values.entry(*kind).or_insert(node);
                }
            }
        }
        values
    }
}

/// Which kind a Defaults document fills.
fn fills(node: Node<'_>) -> Option<Kind> {
    if node.get("kind").map(Node::text) != Some("Defaults") {
        return None;
    }
    let kind = node.get("spec")?.get("kind")?.text();
    Kind::ALL.iter().copied().find(|known| known.word() == kind)
}

/// A document, or an item of a List.
pub(crate) fn pick(root: Node<'_>, item: Option<usize>) -> Option<Node<'_>> {
    match item {
        None => Some(root),
        Some(index) => root.get("items")?.item(index),
    }
}

fn read_piece<'a>(
    piece: &Piece<'a>,
    sources: &Sources,
    defaults: &DefaultValues<'_>,
    arena: &mut Arena<'a>,
    batch: &mut Batch,
) {
    arena.clear();
    let mark = batch.drafts.len();
    let parsed = piece.parse(arena);
    let place = |span: Span| Where::Bytes { source: piece.source, span: span.shifted(piece.base) };
    let unreadable = parsed.roots.is_empty() && !parsed.faults.is_empty();
    for Fault { code, span, message, help } in parsed.faults {
        batch.drafts.push(Draft::new(code, place(span), message).maybe_help(help));
    }
    batch.seen += usize::from(unreadable);
    let Ok(text) = piece.text else {
        let bytes = sources.get(piece.source).map_or(&[] as &[u8], |source| &source.bytes);
        let faults = batch.drafts.iter().skip(mark).filter_map(|draft| match draft.at {
            Where::Bytes { span, .. } => Some(span),
            _ => None,
        });
        let spans: Vec<Span> = faults.flat_map(|span| secrets_near(bytes, span)).collect();
        let whole = |span| Where::Bytes { source: piece.source, span };
        batch.drafts.extend(spans.into_iter().map(|span| looks_secret(whole(span))));
        return batch.lost.file();
    };
    if unreadable {
        batch.lost.text(text);
    }
    // What was put together of escapes may spell what the text does not hold.
    if piece.words.secrets || !arena.cooked().is_empty() {
        secrets(text, arena, &place, &mut batch.drafts);
    }
    let turns = turns_direction(text);
    // An escape can spell what the text does not hold.
    let may_turn = turns || memchr::memchr(b'\\', text.as_bytes()).is_some();
    if turns {
        comments_that_turn(text, arena, &place, &mut batch.drafts);
    }
    let is_stream = sources.get(piece.source).is_some_and(|source| source.name == "-");
    for (root, id) in (0..).zip(parsed.roots) {
        let node = arena.node(id);
        let context = Context {
            piece,
            text,
            length: to_u32(text.len()),
            root,
            is_stream,
            may_turn,
            defaults,
        };
        let head = context.read(None, node, batch);
        if let Some(head) = head.filter(|head| head.is_list) {
            context.read_list(&head, batch);
        }
    }
}

/// A document's surroundings.
struct Context<'c> {
    piece: &'c Piece<'c>,
    text: &'c str,
    length: u32,
    root: u32,
    is_stream: bool,
    may_turn: bool,
    defaults: &'c DefaultValues<'c>,
}

impl Context<'_> {
    /// Reads a document, or an item of a List.
    fn read<'a>(&self, item: Option<u32>, node: Node<'a>, batch: &mut Batch) -> Option<Head<'a>> {
        let mark = batch.drafts.len();
        let Piece { source, base, .. } = *self.piece;
        let mut reader = Reader::new(&mut batch.drafts, source, base);
        reader.may_turn = self.may_turn;
        let head = read_head(node, &mut reader);
        batch.seen += usize::from(!head.as_ref().is_some_and(|head| head.is_list));
        if let Some((head, kind)) = head.as_ref().and_then(|head| Some((head, head.kind?))) {
            let document = read_document(head, kind, self.defaults, &mut reader);
            if kind == Kind::Project {
                let help = "keep it in `partnerctl.yaml`, or name its file with `--project`";
                let span = node.get("kind").map_or_else(|| node.head(), Node::span);
                reader.report(
                    Code::P0204,
                    span,
                    "a Project has no place among the manifests",
                    Some(help.to_owned()),
                );
            }
            let place = Place::Text { source, base, length: self.length, root: self.root, item };
            batch.documents.push(Located { place, document });
        }
        tell_apart(node, batch, mark, self.is_stream);
        let named = batch.documents.last().is_some_and(|located| located.document.name.is_some());
        match &head {
            Some(head) if head.is_list || (head.kind.is_some() && named) => {}
            Some(head) if head.kind.is_some() => batch.lost.text(self.text),
            _ => batch.lost.kindless(self.text),
        }
        head
    }

    /// Reads the items of a List as documents.
    fn read_list(&self, head: &Head<'_>, batch: &mut Batch) {
        let Piece { source, base, .. } = *self.piece;
        let place = |span: Span| Where::Bytes { source, span: span.shifted(base) };
        let Some(node) = head.items.node() else {
            let draft = Draft::new(Code::P0102, place(head.first), "`items` is missing");
            batch.drafts.push(draft.help("the documents go under `items`"));
            return;
        };
        let View::Sequence(items) = node.view() else {
            let at = place(node.head());
            batch.drafts.push(Draft::new(Code::P0103, at, "`items` must be a list of documents"));
            return;
        };
        for (index, item) in (0..).zip(items) {
            match item.get("kind").filter(|kind| kind.text() == "List") {
                Some(kind) => {
                    let draft = Draft::new(Code::P0205, place(kind.span()), "a List within a List");
                    batch.drafts.push(draft.help("put its items into the outer List"));
                }
                None => {
                    self.read(Some(index), item, batch);
                }
            }
        }
    }
}

/// Says what the findings of one document are about, and where kustomize took it from.
fn tell_apart(node: Node<'_>, batch: &mut Batch, mark: usize, is_stream: bool) {
    if batch.drafts.len() == mark {
        return;
    }
    let name = node.get("metadata").and_then(|metadata| metadata.get("name")).map(Node::text);
    let kind = node
        .get("kind")
        .and_then(|kind| Kind::ALL.iter().find(|known| known.word() == kind.text()));
    let object = match (kind, name) {
        (Some(kind), Some(name)) if !name.is_empty() && name.len() <= 63 => {
            Some(format!("{}/{name}", kind.kebab()))
        }
        _ => None,
    };
    let file = if is_stream { kustomize_origin(node) } else { None };
    for draft in batch.drafts.iter_mut().skip(mark) {
        draft.object.clone_from(&object);
        if let Some(file) = &file {
            draft.at = Where::Named(file.clone());
        }
    }
}

/// The file that kustomize says a document of a stream comes from.
pub(crate) fn kustomize_origin(node: Node<'_>) -> Option<String> {
    let origin =
        node.get("metadata")?.get("annotations")?.get("config.kubernetes.io/origin")?.text();
    let path = origin.lines().find_map(|line| line.trim().strip_prefix("path:"))?.trim();
    let path = path.trim_matches(['"', '\'']);
    // A file's name is shown as it is.
    (!path.is_empty() && secret::look_for(path).is_empty()).then(|| path.to_owned())
}

fn looks_secret(at: Where) -> Draft {
    Draft::new(Code::P0502, at, "this looks like a secret").help(
        "take it out, revoke it, and refer to where it is kept: `{env: NAME}` or `{file: PATH}`",
    )
}

/// Secrets that the lines around a fault might show, in bytes that are no text.
fn secrets_near(bytes: &[u8], fault: Span) -> Vec<Span> {
    const REACH: usize = 8192;
    let from = fault.range().start.saturating_sub(REACH);
    let to = fault.range().end.saturating_add(REACH).min(bytes.len());
    // As long as the bytes are, so that places stay the same.
    let mut text = String::new();
    for chunk in bytes.get(from..to).unwrap_or_default().utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    let found = secret::look_for(&text).into_iter();
    found.map(|found| Span::new(to_u32(from + found.start), to_u32(from + found.end))).collect()
}

/// Scalars that look like a secret only once their escapes and line breaks are read, in order.
/// `seen` are those that look like one as they stand.
fn secrets_in_disguise(text: &str, seen: &[Range<usize>], arena: &Arena<'_>) -> Vec<Span> {
    if arena.cooked().is_empty() || secret::look_for(arena.cooked()).is_empty() {
        return Vec::new();
    }
    let is_seen = |span: Span, cooked: &str| {
        let next = seen.partition_point(|found| found.end <= span.range().start);
        let found = seen.get(next).filter(|found| found.start < span.range().end);
        found.and_then(|found| text.get(found.clone())).is_some_and(|found| {
            // A key in a block is indented where it stands, and not where it was read.
            found.contains("-----END ")
                || cooked.contains(found)
                    && secret::look_for(cooked).iter().all(|whole| whole.len() <= found.len())
        })
    };
    let mut spans: Vec<Span> = arena
        .cooked_scalars()
        .filter(|(span, cooked)| {
            let cooked = arena.cooked().get(cooked.range()).unwrap_or_default();
            !secret::look_for(cooked).is_empty() && !is_seen(*span, cooked)
        })
        .map(|(span, _)| span)
        .collect();
    spans.sort_unstable();
    spans.dedup();
    spans
}

/// Warns of characters in comments that make the lines after them look like something else.
fn comments_that_turn(
    text: &str,
    arena: &Arena<'_>,
    place: &dyn Fn(Span) -> Where,
    drafts: &mut Vec<Draft>,
) {
    let mut turns = text.char_indices().filter(|(_, c)| is_bidirectional_control(*c)).peekable();
    if turns.peek().is_none() {
        return;
    }
    // In document order but for what aliases repeat.
    let mut scalars: Vec<Span> = arena.scalar_spans().collect();
    scalars.sort_unstable();
    for (at, c) in turns {
        let (start, end) = (to_u32(at), to_u32(at + c.len_utf8()));
        let behind = scalars.partition_point(|span| span.start <= start);
        if behind.checked_sub(1).and_then(|at| scalars.get(at)).is_some_and(|span| end <= span.end)
        {
            continue;
        }
        let message = format!(
            "a comment holds U+{:04X}, which turns the direction of the text after it",
            u32::from(c)
        );
        let help = "remove it: what is shown would not be what is meant";
        drafts.push(Draft::new(Code::P0012, place(Span::new(start, end)), message).help(help));
    }
}

/// Reads the project file: the one document that is a Project.
pub(crate) fn read_project(sources: &Sources, id: SourceId) -> Batch {
    let mut batch = Batch::default();
    let Some(source) = sources.get(id) else { return batch };
    let mut arena = Arena::default();
    for piece in pieces(id, source.format, &source.bytes) {
        read_piece(&piece, sources, &HashMap::new(), &mut arena, &mut batch);
    }
    batch.drafts.retain(|draft| draft.code != Code::P0204);
    let first = Where::Bytes { source: id, span: Span::default() };
    for located in &batch.documents {
        if located.document.kind != Kind::Project {
            let message = format!("the project file holds a {}", located.document.kind.word());
            batch.drafts.push(
                Draft::new(Code::P0202, first.clone(), message)
                    .help("it holds one document of `kind: Project`"),
            );
        }
    }
    batch.documents.retain(|located| located.document.kind == Kind::Project);
    match batch.documents.len() {
        0 if batch.drafts.is_empty() => {
            let help = "it holds one document of `kind: Project`";
            batch
                .drafts
                .push(Draft::new(Code::P0208, first, "the project file is empty").help(help));
        }
        0 | 1 => {}
        _ => {
            let help = "it holds one document of `kind: Project`";
            batch.drafts.push(
                Draft::new(Code::P0204, first, "more than one Project in the project file")
                    .help(help),
            );
        }
    }
    batch
}

/// Whether a body is there and which project it is.
pub(crate) fn project_of(batch: &mut Batch) -> Option<crate::model::project::Project> {
    batch.documents.iter_mut().find_map(|located| match located.document.body.take() {
        Some(Body::Project(project)) => Some(*project),
        other => {
            located.document.body = other;
            None
        }
    })
}

/// Reads the rows of a table, with its own defaults and those of its kind.
pub(crate) fn read_table<'a>(
    sources: &'a Sources,
    csv: SourceId,
    about: &Table,
    own: &mut Opened<'a>,
    table: Place,
    kind: &mut Opened<'a>,
    defaults: Option<Place>,
) -> Batch {
    let Some(source) = sources.get(csv) else { return Batch::default() };
    let object =
        about.name.as_ref().map_or_else(String::new, |name| format!("customer-table/{name}"));
    let text = match text::foreign_encoding(&source.bytes) {
        Some(fault) => Err(fault),
        None => text::utf8(&source.bytes),
    };
    let text = match text {
        Ok(text) => text,
        Err(Fault { code, span, message, help }) => {
            let at = |span| Where::Bytes { source: csv, span };
            let secrets = secrets_near(&source.bytes, span).into_iter().map(at).map(looks_secret);
            let fault = Draft::new(code, at(span), message).maybe_help(help);
            let drafts = std::iter::once(fault).chain(secrets);
            let drafts = drafts.map(|draft| draft.object(object.as_str())).collect();
            return Batch { drafts, seen: 1, ..Batch::default() };
        }
    };
    let own = own
        .document(sources, table)
        .and_then(|node| node.get("spec"))
        .and_then(|spec| spec.get("defaults"));
    let kind = defaults
        .and_then(|place| kind.document(sources, place))
        .and_then(|node| node.get("spec"))
        .and_then(|spec| spec.get("values"));
    let mut batch = super::rows::read_rows(csv, text, [own, kind], &object);
    let nothing = Arena::default();
    secrets(text, &nothing, &|span| Where::Bytes { source: csv, span }, &mut batch.drafts);
    batch
}

/// What looks like a secret is one too many, wherever it stands.
fn secrets(text: &str, arena: &Arena<'_>, place: &dyn Fn(Span) -> Where, drafts: &mut Vec<Draft>) {
    let seen = secret::look_for(text);
    let disguised = secrets_in_disguise(text, &seen, arena);
    let plain = seen.iter().map(|found| Span::new(to_u32(found.start), to_u32(found.end)));
    let plain = plain.filter(|found| {
        let behind = disguised.partition_point(|span| span.start <= found.start);
        let around = behind.checked_sub(1).and_then(|at| disguised.get(at));
        around.is_none_or(|span| span.end < found.end)
    });
    drafts.extend(plain.chain(disguised.iter().copied()).map(|span| looks_secret(place(span))));
}

/// A chunk that is parsed again, to look at its documents one after the other.
///
/// Sequences are walked from their start, so what was walked is remembered: a List of ten thousand
/// items, each with a finding, would be walked ten thousand times.
#[derive(Debug, Default)]
pub(crate) struct Opened<'a> {
    chunk: Option<(SourceId, u32)>,
    arena: Arena<'a>,
    parsed: Parsed,
    items: HashMap<NodeId, Vec<NodeId>>,
}

impl<'a> Opened<'a> {
    /// The document at a place; parses its chunk, unless it is the one at hand.
    pub(crate) fn document(&mut self, sources: &'a Sources, place: Place) -> Option<Node<'_>> {
        let Place::Text { source, base, length, root, item } = place else { return None };
        if self.chunk != Some((source, base)) {
            let found = sources.get(source)?;
            let bytes = found.bytes.get(base as usize..(base + length) as usize)?;
            let text = std::str::from_utf8(bytes).ok()?;
            self.arena.clear();
            self.items.clear();
            self.parsed = match found.format {
                Format::Json => text::parse_json(text, &mut self.arena),
                _ => text::parse(text, &mut self.arena),
            };
            self.chunk = Some((source, base));
        }
        let root = *self.parsed.roots.get(root as usize)?;
        let Some(item) = item else { return Some(self.arena.node(root)) };
        let items = self.arena.node(root).get("items")?.id();
        let item = self.item(items, item as usize)?;
        Some(self.arena.node(item))
    }

    /// A node of the document that was looked at last.
    pub(crate) fn node(&self, id: NodeId) -> Node<'_> {
        self.arena.node(id)
    }

    /// An item of a sequence.
    pub(crate) fn item(&mut self, sequence: NodeId, index: usize) -> Option<NodeId> {
        let arena = &self.arena;
        let items =
            self.items.entry(sequence).or_insert_with(|| match arena.node(sequence).view() {
                View::Sequence(items) => items.map(Node::id).collect(),
                _ => Vec::new(),
            });
        items.get(index).copied()
    }
}
