//! Customer tables: a row of CSV read as the Customer it stands for.
//!
//! A row becomes nodes whose spans are its cells, so that everything that reads documents reads
//! rows too, with findings on row and column.

use super::batch::{Batch, Located, Place};
use super::code::Code;
use super::document::read_body;
use super::draft::{Draft, Where};
use super::kinds::{fields_at, metadata_fields};
use super::read::{At, Field, Reader};
use super::source::{SourceId, Span};
use super::suggest::{did_you_mean, quoted};
use super::text::arena::{Arena, Node, NodeId, Shape, Style};
use super::text::{Cell, Table, cells_of, parse_csv};
use crate::model::name::Kind;
use crate::parallel;

/// What a column fills.
struct Column {
    /// `metadata` or `spec`, then the keys below it.
    part: &'static str,
    keys: Vec<String>,
    is_list: bool,
    /// `none` in a cell is nothing, not a word of the field.
    none_is_nothing: bool,
}

/// The lists among the fields of a Customer and its metadata.
const LISTS: [&str; 3] = ["partnerships", "formerly", "ignore"];

/// Reads all rows. `defaults` are those of the table, then those of the kind.
pub(crate) fn read_rows(
    source: SourceId,
    text: &str,
    defaults: [Option<Node<'_>>; 2],
    table: &str,
) -> Batch {
    let parsed = parse_csv(text);
    let place = |span: Span| Where::Bytes { source, span };
    let mut batch = Batch::default();
    for fault in &parsed.faults {
        batch.drafts.push(
            Draft::new(fault.code, place(fault.span), fault.message.clone())
                .maybe_help(fault.help.clone()),
        );
    }
    // A quote without an end hides rows.
    batch.seen = parsed.rows().len() + parsed.faults.len();
    let Some(columns) = columns(&parsed, source, defaults, &mut batch) else {
        batch.seen += 1;
        batch.drafts.iter_mut().for_each(|draft| draft.object = Some(table.to_owned()));
        return batch;
    };
    batch.drafts.iter_mut().for_each(|draft| draft.object = Some(table.to_owned()));
    let order = nesting(&columns);
    let rows: Vec<&[Cell<'_>]> = parsed.rows().collect();
    let chunks: Vec<&[&[Cell<'_>]]> = rows.chunks(1000).collect();
    let read: Vec<Batch> = parallel::map(chunks, text.len(), Arena::default, |arena, rows| {
        let mut batch = Batch::default();
        for row in rows {
            let width = parsed.header.len();
            let span = row.first().zip(row.last()).map_or(Span::default(), |(first, last)| {
                Span::new(first.span.start, last.span.end)
            });
            if row.len() != width {
                let message = format!("this row has {} cells, the header has {width}", row.len());
                let help = "a cell that holds a comma goes in quotes";
                batch
                    .drafts
                    .push(Draft::new(Code::P0402, place(span), message).help(help).object(table));
                continue;
            }
            arena.clear();
            arena.reads(text);
            let root = build(arena, &columns, &order, row, span);
            let node = arena.node(root);
            let mark = batch.drafts.len();
            let mut reader = Reader::new(&mut batch.drafts, source, 0);
            reader.null_is_nothing = true;
            let at = |part: &str| {
                node.entry(part).map_or(At::ABSENT, |(key, value)| At {
                    key: Some(key.span()),
                    ..At::own(value)
                })
            };
            let [own, kind] = defaults;
            let first = row.first().map_or(span, |cell| cell.span);
            let document = with_defaults(at("metadata"), at("spec"), own, kind, first, &mut reader);
            let object = document.name.as_ref().map(|name| format!("customer/{name}"));
            for draft in batch.drafts.iter_mut().skip(mark) {
                draft.object.clone_from(&object);
            }
            batch.documents.push(Located { place: Place::Row { source, row: span }, document });
        }
        batch
    });
    for mut part in read {
        batch.documents.append(&mut part.documents);
        batch.drafts.append(&mut part.drafts);
    }
    batch
}

/// Reads a row as a document: the table's defaults are fields of the spec, and labels.
fn with_defaults(
    metadata: At<'_>,
    spec: At<'_>,
    table: Option<Node<'_>>,
    kind: Option<Node<'_>>,
    first: Span,
    reader: &mut Reader<'_>,
) -> super::document::Document {
    let below = |key: &str| kind.and_then(|node| node.get(key));
    let spec = At { fallbacks: [table, below("spec")], ..spec };
    // `labels` is the one key of a table's defaults that is metadata.
    let metadata = At { fallbacks: [table, below("metadata")], ..metadata };
    read_body(metadata, spec, Kind::Customer, first, reader)
}

/// Reads the header.
fn columns(
    table: &Table<'_>,
    source: SourceId,
    defaults: [Option<Node<'_>>; 2],
    batch: &mut Batch,
) -> Option<Vec<Column>> {
    let place = |span: Span| Where::Bytes { source, span };
    let spec = fields_at(Kind::Customer, &["spec"]).unwrap_or_default();
    let mut columns: Vec<Column> = Vec::new();
    let mut complete = true;
    for (at, cell) in table.header.iter().enumerate() {
        let again = table.header.iter().take(at).any(|other| other.text == cell.text);
        if again {
            let message = format!("the column {} stands here twice", quoted(&cell.text));
            batch.drafts.push(
                Draft::new(Code::P0405, place(cell.span), message).help("keep one of the two"),
            );
            complete = false;
            continue;
        }
        let Some(column) = column(&cell.text, spec) else {
            let known = leaves(metadata_fields(), "")
                .into_iter()
                .chain(leaves(spec, ""))
                .collect::<Vec<_>>();
            let help =
                did_you_mean(&cell.text, known.iter().map(String::as_str)).unwrap_or_else(|| {
                    "columns are the fields of a Customer, dotted where they nest, and `labels.KEY`"
                        .to_owned()
                });
            let message = format!("unknown column {}", quoted(&cell.text));
            batch.drafts.push(Draft::new(Code::P0401, place(cell.span), message).help(help));
            complete = false;
            continue;
        };
        columns.push(column);
    }
    let given = |field: &Field| {
        let [own, kind] = defaults;
        let kind = kind.and_then(|node| node.get("spec"));
        [own, kind].into_iter().flatten().any(|node| node.get(field.key).is_some())
    };
    // A column that is not known may be the one that is needed, misspelt.
    let misspelt = batch.drafts.iter().any(|draft| draft.code == Code::P0401);
    let needed = spec.iter().filter(|field| !misspelt && field.need.must() && !given(field));
    for needed in std::iter::once("name").chain(needed.map(|field| field.key)) {
        if table.header.iter().any(|cell| cell.text == needed) {
            continue;
        }
        let span = table.header.first().map_or(Span::default(), |cell| cell.span);
        let help = format!(
            "the first line of a table names its columns, and `{needed}` must be among them"
        );
        let message = format!("the column `{needed}` is missing");
        batch.drafts.push(Draft::new(Code::P0404, place(span), message).help(help));
        complete = false;
    }
    complete.then_some(columns)
}

fn column(name: &str, spec: &'static [Field]) -> Option<Column> {
    let keys: Vec<String> = match name.split_once('.') {
        Some((first @ ("labels" | "annotations"), key)) if !key.is_empty() => {
            vec![first.to_owned(), key.to_owned()]
        }
        _ => name.split('.').map(str::to_owned).collect(),
    };
    let first = keys.first()?;
    if matches!(first.as_str(), "labels" | "annotations") {
        return (keys.len() == 2).then_some(Column {
            part: "metadata",
            keys,
            is_list: false,
            none_is_nothing: false,
        });
    }
    let (part, mut fields) = if metadata_fields().iter().any(|field| field.key == first) {
        ("metadata", metadata_fields())
    } else {
        ("spec", spec)
    };
    let mut none_is_a_word = false;
    for (at, key) in keys.iter().enumerate() {
        let field = fields.iter().find(|field| field.key == key)?;
        let described = (field.described)();
        none_is_a_word = described.choices.iter().any(|(word, _)| *word == "none");
        fields = described.fields;
        // A column is a leaf: what nests has a column for each of its fields.
        if (at + 1 == keys.len()) != fields.is_empty() {
            return None;
        }
    }
    let is_list = LISTS.contains(&first.as_str());
    Some(Column { part, keys, is_list, none_is_nothing: !none_is_a_word })
}

/// The columns that a table may have, for suggestions.
fn leaves(fields: &'static [Field], prefix: &str) -> Vec<String> {
    fields
        .iter()
        .flat_map(|field| {
            let path = format!("{prefix}{}", field.key);
            let below = (field.described)().fields;
            if below.is_empty() { vec![path] } else { leaves(below, &format!("{path}.")) }
        })
        .collect()
}

/// The order in which columns are written, so that what nests together stands together.
fn nesting(columns: &[Column]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..columns.len()).collect();
    order.sort_by_key(|at| columns.get(*at).map(|column| (column.part, column.keys.clone())));
    order
}

/// A cell that holds something: the keys still to nest it under, its column, itself.
type Filled<'c> = (&'c [String], &'c Column, &'c Cell<'c>);

/// Puts a row's cells into nodes.
fn build(
    arena: &mut Arena<'_>,
    columns: &[Column],
    order: &[usize],
    cells: &[Cell<'_>],
    row: Span,
) -> NodeId {
    let root = arena.open(Shape::Mapping, row.start);
    let mut count = 0;
    for part in ["metadata", "spec"] {
        arena.cooked_scalar(row, Style::Quoted, part);
        let filled: Vec<Filled<'_>> = order
            .iter()
            .filter_map(|at| columns.get(*at).zip(cells.get(*at)))
            .filter(|(column, cell)| column.part == part && !cell.text.is_empty())
            .map(|(column, cell)| (column.keys.as_slice(), column, cell))
            .collect();
        mapping(arena, &filled, row);
        count += 2;
    }
    arena.close(root, count, row.end);
    root
}

/// Writes a mapping of cells; those that share their first key nest below it.
fn mapping(arena: &mut Arena<'_>, cells: &[Filled<'_>], row: Span) {
    let start = cells.first().map_or(row.start, |(_, _, cell)| cell.span.start);
    let id = arena.open(Shape::Mapping, start);
    let mut count = 0;
    let mut rest = cells;
    while let Some(((keys, column, cell), _)) = rest.split_first() {
        let Some((key, below)) = keys.split_first() else { break };
        let same = rest.iter().take_while(|(keys, _, _)| keys.first() == Some(key)).count();
        arena.cooked_scalar(cell.span, Style::Quoted, key);
        if below.is_empty() {
            leaf(arena, key, column, cell);
        } else {
            let nested: Vec<_> = rest
                .iter()
                .take(same)
                .map(|(keys, column, cell)| (keys.get(1..).unwrap_or_default(), *column, *cell))
                .collect();
            mapping(arena, &nested, row);
        }
        count += 2;
        rest = rest.get(same..).unwrap_or_default();
    }
    arena.close(id, count, row.end);
}

fn leaf(arena: &mut Arena<'_>, key: &str, column: &Column, cell: &Cell<'_>) {
    let span = cell.span;
    if column.none_is_nothing && !column.is_list && cell.text == "none" {
        arena.cooked_scalar(span, Style::Plain, "");
        return;
    }
    if !column.is_list {
        // The one boolean among the columns; text everywhere else, digits included.
        let style = if key == "protect" { Style::Plain } else { Style::Quoted };
        arena.cooked_scalar(span, style, &cell.text);
        return;
    }
    let id = arena.open(Shape::Sequence, span.start);
    let mut count = 0;
    if cell.text != "none" {
        for item in cell.text.split(';').map(str::trim).filter(|item| !item.is_empty()) {
            arena.cooked_scalar(span, Style::Quoted, item);
            count += 1;
        }
    }
    arena.close(id, count, span.end);
}

/// The cell of a row that a field was read from.
pub(crate) fn cell_of(csv: &[u8], row: Span, column: &str) -> Option<Span> {
    // The names of columns hold no line break. All of a long table is looked at for none of them.
    let header_end = memchr::memchr(b'\n', csv).unwrap_or(csv.len());
    let header = std::str::from_utf8(csv.get(..header_end)?).ok()?;
    let header = header.trim_start_matches('\u{feff}').trim_end_matches('\r');
    let row_text = std::str::from_utf8(csv.get(row.range())?).ok()?;
    let mut names = cells_of(header).filter_map(|span| header.get(span.range()));
    let at = names.position(|cell| cell.trim_matches('"') == column)?;
    let cell = cells_of(row_text).nth(at)?.shifted(row.start);
    (cell.start < cell.end).then_some(cell)
}
