//! Cuts the lines that a finding underlines out of a source, ready for a renderer of snippets.
//!
//! The renderer gets only what can be seen: a window of each line around the underlined bytes, with
//! tabs, escapes and secrets already replaced, and the underline's place in that. Whatever the size
//! of the source, the work is bounded by the width of the output. It does not draw.

use super::clean;
use super::mask::{MASK, Masks};
use crate::manifest::finding::{Excerpt, Region};
use crate::manifest::source::{Lines, Sources};
use std::collections::VecDeque;
use std::ops::Range;
use unicode_width::UnicodeWidthStr;

/// Longer spans are underlined on their first line only. The renderer folds the middle of a long
/// span, but looks at each of its lines first; a whole document of ten thousand would be slow and
/// tell no more.
const LINES_MAX: u32 = 40;

const TAB: &str = "    ";

/// Lines of a source as they are shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Snippet {
    pub(super) first_line: u32,
    pub(super) text: String,
    /// The bytes of `text` to underline.
    pub(super) mark: Range<usize>,
    /// The last line of a span that is too long to be shown.
    pub(super) continues_to: Option<u32>,
}

/// The lines of an excerpt, each cut to `width` columns.
///
/// `None` when the place and its bytes contradict each other: then there is nothing to show.
pub(super) fn cut(
    sources: &Sources,
    lines: &Lines<'_>,
    masks: &Masks<'_>,
    region: &Region,
    excerpt: Excerpt,
    width: usize,
) -> Option<Snippet> {
    let bytes = sources.get(excerpt.source)?.bytes.as_slice();
    let first = Line::of(bytes, lines, region.line)?;
    let start = excerpt.span.range().start;
    // One more than the line: the `\r` of its break may be what is underlined.
    if !(first.range.start..=first.range.end + 1).contains(&start) {
        return None;
    }
    let Extent { last, end, continues_to } = Extent::of(bytes, lines, region, &excerpt, &first)?;
    let mut snippet =
        Snippet { first_line: region.line, text: String::new(), mark: 0..0, continues_to };
    for number in region.line..=last {
        let line = Line::of(bytes, lines, number)?;
        let mark = start.clamp(line.range.start, line.range.end)
            ..end.clamp(line.range.start, line.range.end);
        let shown = show(bytes, &line.range, &mark, masks, &excerpt, width);
        if number > region.line {
            snippet.text.push('\n');
        }
        let base = snippet.text.len();
        snippet.text.push_str(&shown.text);
        if number == region.line {
            snippet.mark.start = base + shown.mark.start;
        }
        snippet.mark.end = base + shown.mark.end;
    }
    Some(snippet)
}

/// How far a span is shown.
struct Extent {
    /// The last line to show.
    last: u32,
    /// Where the underline ends.
    end: usize,
    continues_to: Option<u32>,
}

impl Extent {
    /// `None` when the region's last line is not where the bytes end.
    fn of(
        bytes: &[u8],
        lines: &Lines<'_>,
        region: &Region,
        excerpt: &Excerpt,
        first: &Line,
    ) -> Option<Self> {
        let Range { start, end } = excerpt.span.range();
        let line = region.line;
        if end <= first.range.end {
            return Some(Self { last: line, end: end.max(start), continues_to: None });
        }
        // A block's span reaches to the start of the line behind it.
        let mut last = region.end_line.saturating_sub(u32::from(region.end_column <= 1)).max(line);
        if last - line >= LINES_MAX {
            return Some(Self { last: line, end: first.range.end, continues_to: Some(last) });
        }
        // White space at the end is nothing to underline.
        let end = start + bytes.get(start..end.min(bytes.len()))?.trim_ascii_end().len();
        if end <= first.range.end {
            return Some(Self { last: line, end, continues_to: None });
        }
        while last > line && lines.start(last) as usize >= end {
            last -= 1;
        }
        let is_there = Line::of(bytes, lines, last)?.range.end >= end;
        is_there.then_some(Self { last, end, continues_to: None })
    }
}

/// A line's bytes in its source, without the line break and without a byte-order mark.
#[derive(Debug)]
struct Line {
    range: Range<usize>,
}

impl Line {
    fn of(bytes: &[u8], lines: &Lines<'_>, number: u32) -> Option<Self> {
        let start = lines.start(number) as usize;
        let end = start + lines.line(number).len();
        let mark = b"\xEF\xBB\xBF";
        let skip = if start == 0 && bytes.starts_with(mark) { mark.len() } else { 0 };
        (number > 0).then_some(Self { range: (start + skip).min(end)..end })
    }
}

/// A part of a line that is shown or left out as a whole.
#[derive(Debug)]
struct Cell {
    text: String,
    width: usize,
    marked: bool,
}

impl Cell {
    fn new(text: impl Into<String>, marked: bool) -> Self {
        let text = text.into();
        Self { width: text.width(), text, marked }
    }
}

#[derive(Debug)]
struct Shown {
    text: String,
    mark: Range<usize>,
}

/// A line in at most about `width` columns, as much as possible of it around the mark.
fn show(
    bytes: &[u8],
    line: &Range<usize>,
    mark: &Range<usize>,
    masks: &Masks<'_>,
    excerpt: &Excerpt,
    width: usize,
) -> Shown {
    // A character has four bytes at most; some have no width, and of those enough are seen.
    let reach = width * 4;
    let window = mark.start.saturating_sub(reach).max(line.start)..(mark.end + reach).min(line.end);
    let parts = if mark.len() > 2 * reach {
        vec![window.start..mark.start + reach, mark.end - reach..window.end]
    } else {
        vec![window.clone()]
    };
    let mut before = VecDeque::new();
    let mut marked = VecDeque::new();
    let mut behind = VecDeque::new();
    let mut cut = None;
    for (index, part) in parts.into_iter().enumerate() {
        if index > 0 {
            cut = Some(marked.len());
        }
        let part = to_characters(bytes, line, part);
        let hidden = masks.within(excerpt.source, bytes, &part);
        for (at, cell) in cells(bytes, &part, mark, &hidden) {
            if cell.marked {
                marked.push_back(cell);
            } else if at < mark.start {
                before.push_back(cell);
            } else {
                behind.push_back(cell);
            }
        }
    }
    fit_middle(&mut marked, width * 2 / 3, cut);
    let room = width.saturating_sub(columns(&marked));
    let left = columns(&before).min((room / 3).max(room.saturating_sub(columns(&behind))));
    let right = room - left.min(room);
    let cut_left = drop_while_wider(&mut before, left, VecDeque::pop_front);
    let cut_right = drop_while_wider(&mut behind, right, VecDeque::pop_back);
    if cut_left || window.start > line.start {
        before.push_front(Cell::new("…", false));
    }
    if cut_right || window.end < line.end {
        behind.push_back(Cell::new("…", false));
    }
    join(&before, &marked, &behind)
}

/// Moves a part's ends outward to whole characters.
fn to_characters(bytes: &[u8], line: &Range<usize>, part: Range<usize>) -> Range<usize> {
    let is_inside = |at: usize| bytes.get(at).is_some_and(|byte| byte & 0xC0 == 0x80);
    let Range { mut start, mut end } = part;
    // Three bytes may follow the first of a character; more are not UTF-8 and end anywhere.
    for _ in 0..3 {
        if start > line.start && is_inside(start) {
            start -= 1;
        }
        if end < line.end && is_inside(end) {
            end += 1;
        }
    }
    start..end
}

/// The characters and secrets of a part of a line, each with its first byte.
fn cells(
    bytes: &[u8],
    part: &Range<usize>,
    mark: &Range<usize>,
    hidden: &[Range<usize>],
) -> Vec<(usize, Cell)> {
    let mut all = Vec::new();
    let mut at = part.start;
    let is_marked =
        |range: &Range<usize>| range.start < mark.end && range.end > mark.start && !mark.is_empty();
    for secret in hidden {
        plain(bytes, at..secret.start.max(at), mark, &mut all);
        all.push((secret.start.max(part.start), Cell::new(MASK, is_marked(secret))));
        at = secret.end.min(part.end);
    }
    plain(bytes, at..part.end, mark, &mut all);
    all
}

fn plain(bytes: &[u8], part: Range<usize>, mark: &Range<usize>, all: &mut Vec<(usize, Cell)>) {
    let mut base = part.start;
    for chunk in bytes.get(part).unwrap_or_default().utf8_chunks() {
        for piece in clean::pieces(chunk.valid()) {
            let at = base + piece.at;
            let text = match piece.char {
                '\t' => TAB.to_owned(),
                char if piece.acts => clean::escape(char),
                char => char.to_string(),
            };
            all.push((at, Cell::new(text, mark.contains(&at))));
        }
        base += chunk.valid().len();
        for byte in chunk.invalid() {
            all.push((base, Cell::new(format!("\\x{byte:02x}"), mark.contains(&base))));
            base += 1;
        }
    }
}

/// Leaves the beginning and the end of what is underlined, when it is too wide or `cut` already.
fn fit_middle(cells: &mut VecDeque<Cell>, width: usize, cut: Option<usize>) {
    let all = columns(cells);
    if all <= width && cut.is_none() {
        return;
    }
    let mut tail = cells.split_off(cut.unwrap_or(cells.len() / 2).min(cells.len()));
    drop_while_wider(cells, width / 2, VecDeque::pop_back);
    drop_while_wider(&mut tail, width / 2, VecDeque::pop_front);
    cells.push_back(Cell::new("…", true));
    cells.append(&mut tail);
}

fn drop_while_wider(
    cells: &mut VecDeque<Cell>,
    width: usize,
    drop: impl Fn(&mut VecDeque<Cell>) -> Option<Cell>,
) -> bool {
    let mut all = columns(cells);
    let is_wider = all > width;
    while all > width
        && let Some(cell) = drop(cells)
    {
        all -= cell.width;
    }
    is_wider
}

fn columns(cells: &VecDeque<Cell>) -> usize {
    cells.iter().map(|cell| cell.width).sum()
}

fn join(before: &VecDeque<Cell>, marked: &VecDeque<Cell>, behind: &VecDeque<Cell>) -> Shown {
    let text_of = |cells: &VecDeque<Cell>| -> String {
        cells.iter().map(|cell| cell.text.as_str()).collect()
    };
    let mut text = text_of(before);
    let start = text.len();
    text.push_str(&text_of(marked));
    let end = text.len();
    text.push_str(&text_of(behind));
    Shown { text, mark: start..end }
}
