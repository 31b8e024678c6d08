//! Makes text that is not ours safe to show.
//!
//! Manifests, file names and what a service answered may hold anything: escape sequences that
//! repaint a terminal, bidirectional controls that reorder a line before a reviewer's eyes, lines
//! that a CI runner takes for commands. Here each of these becomes visible and harmless. JSON and
//! SARIF keep the text as it is, because their own escaping can carry all of it; they use
//! [`is_unsafe`] to decide what to escape.
//!
//! It does not look for secrets (see `mask`), and it does not try to be undone: a backslash stays
//! a backslash, so an escape in the output may stand for itself. Whoever needs the exact text reads
//! JSON.

use std::borrow::Cow;

/// How many characters of a message or a help are shown. A terminal line or two of context on both
/// sides is enough to recognise a value; a value of a megabyte would bury all other findings.
pub(super) const VALUE_CHARS_MAX: usize = 500;

/// How many characters of a file name are shown: the longest path that Linux knows. A shorter limit
/// would break the link from an annotation to its file.
const NAME_CHARS_MAX: usize = 4096;

/// Letters between `##` and `[` in a log command: `vso` and `teamcity` are the known ones.
const COMMAND_LETTERS_MAX: usize = 32;

/// A message, a help or a name from outside, on one line, without anything that acts.
pub(super) fn value(text: &str) -> String {
    line(&cut(text, VALUE_CHARS_MAX))
}

/// A file name, likewise.
pub(super) fn name(text: &str) -> String {
    line(&cut(text, NAME_CHARS_MAX))
}

pub(crate) fn line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let command = text.trim_start();
    // GitHub takes a line for a command when it starts with `::` after any white space.
    let colon = command.starts_with("::").then(|| text.len() - command.len());
    for Piece { at, char, acts } in pieces(text) {
        if acts || colon == Some(at) { shown.push_str(&escape(char)) } else { shown.push(char) }
    }
    shown
}

/// The text, or its beginning and its end with `…` between.
pub(super) fn cut(text: &str, chars_max: usize) -> Cow<'_, str> {
    let half = chars_max / 2;
    if text.len() <= chars_max || text.chars().nth(chars_max).is_none() {
        return Cow::Borrowed(text);
    }
    let head = text.char_indices().nth(half).map_or(text, |(at, _)| text.split_at(at).0);
    let tail = text.char_indices().nth_back(half - 1).map_or("", |(at, _)| text.split_at(at).1);
    Cow::Owned(format!("{head}…{tail}"))
}

/// One character of a text from outside.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    /// Its first byte.
    pub(super) at: usize,
    pub(super) char: char,
    /// Whether it does something when it is printed, so that it must be shown by [`escape`].
    pub(super) acts: bool,
}

/// The characters of a text, each with the verdict whether it may be printed.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = Piece> {
    let mut before = None;
    text.char_indices().map(move |(at, char)| {
        let second_hash = char == '#' && before == Some('#');
        let acts = is_unsafe(char, before) || (second_hash && is_command_tail(text.split_at(at).1));
        before = Some(char);
        Piece { at, char, acts }
    })
}

/// Whether `#...` behind another `#` makes a log command: `##[group]` is one for GitHub and Azure
/// Pipelines, `##vso[` for Azure Pipelines, `##teamcity[` for `TeamCity`, anywhere in a line.
fn is_command_tail(rest: &str) -> bool {
    rest.chars()
        .skip(1)
        .take(COMMAND_LETTERS_MAX + 1)
        .find(|char| !char.is_ascii_alphabetic())
        .is_some_and(|char| char == '[')
}

/// The visible form of a character: `\n`, `\u{202e}`.
pub(super) fn escape(char: char) -> String {
    match char {
        '\n' => r"\n".to_owned(),
        '\r' => r"\r".to_owned(),
        '\t' => r"\t".to_owned(),
        _ => format!("\\u{{{:x}}}", u32::from(char)),
    }
}

/// Whether a character acts on the output, or hides, instead of being seen.
///
/// Zero-width joiner and non-joiner are letters of some scripts: without them Persian, Sinhala or
/// Malayalam names are misspelt. They stay behind a character of such a script. Anywhere else they
/// are invisible differences between names (and in emoji they make the width of a line a guess),
/// so there they are shown. Variation selectors stay: they tell apart the kanji of Japanese names.
pub(super) fn is_unsafe(char: char, before: Option<char>) -> bool {
    match char {
        '\u{200c}' | '\u{200d}' => !before.is_some_and(joins),
        _ => char.is_control() || is_hidden(char) || is_noncharacter(char),
    }
}

/// Format characters that reorder a line or take no room in it.
const fn is_hidden(char: char) -> bool {
    matches!(char,
        '\u{ad}' // soft hyphen
        | '\u{34f}' // combining grapheme joiner
        | '\u{61c}' | '\u{200e}' | '\u{200f}' // bidirectional marks
        | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' // bidirectional embeddings, isolates
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // hangul fillers
        | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{feff}' // nothing at all
        | '\u{2028}' | '\u{2029}' // line breaks to some
        | '\u{206a}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' // deprecated, interlinear
        | '\u{e0000}'..='\u{e007f}' // tags: a whole hidden alphabet
    )
}

/// XML cannot hold the last two of the first plane, and nobody can see any of them.
const fn is_noncharacter(char: char) -> bool {
    let point = char as u32;
    point & 0xfffe == 0xfffe || (point >= 0xfdd0 && point <= 0xfdef)
}

/// Whether a character is of a script that is written with joiners: from Arabic to Sinhala, and
/// Myanmar, Khmer, Mongolian, Balinese and the Arabic forms.
const fn joins(char: char) -> bool {
    matches!(char,
        '\u{620}'..='\u{dff}'
        | '\u{1000}'..='\u{109f}'
        | '\u{1780}'..='\u{18af}'
        | '\u{1b00}'..='\u{1b7f}'
        | '\u{fb50}'..='\u{fdcf}'
        | '\u{fdf0}'..='\u{fdff}'
        | '\u{fe70}'..='\u{fefc}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_shown() {
        for (text, shown) in [
            ("plain, 田中 愛子, Ω", "plain, 田中 愛子, Ω"),
            ("\u{1b}[2Jgone", r"\u{1b}[2Jgone"),
            ("\u{9b}2J", r"\u{9b}2J"),
            ("bell\u{7} del\u{7f} nul\0", r"bell\u{7} del\u{7f} nul\u{0}"),
            ("admin\u{202e}nimda", r"admin\u{202e}nimda"),
            (
                "\u{2066}x\u{2069} \u{200e}\u{200f}\u{61c}",
                r"\u{2066}x\u{2069} \u{200e}\u{200f}\u{61c}",
            ),
            ("a\u{200b}b\u{2060}c\u{feff}d", r"a\u{200b}b\u{2060}c\u{feff}d"),
            ("one\ntwo\r\nthree\tfour", r"one\ntwo\r\nthree\tfour"),
            ("a\u{2028}b\u{85}c", r"a\u{2028}b\u{85}c"),
            ("\u{ffff}\u{fdd0}\u{1fffe}", r"\u{ffff}\u{fdd0}\u{1fffe}"),
            ("\u{e0041}", r"\u{e0041}"),
        ] {
            assert_eq!(value(text), shown);
        }
    }

    #[test]
    fn joiners_stay_where_a_script_needs_them() {
        let persian = "می\u{200c}خواهم";
        let sinhala = "ශ්\u{200d}රී";
        assert_eq!(value(persian), persian);
        assert_eq!(value(sinhala), sinhala);
        assert_eq!(value("con\u{200d}toso"), r"con\u{200d}toso");
        assert_eq!(value("\u{200c}"), r"\u{200c}");
        assert_eq!(value("葛\u{e0100}"), "葛\u{e0100}");
    }

    #[test]
    fn log_commands_are_broken_up() {
        for (text, shown) in [
            ("::error::x", r"\u{3a}:error::x"),
            (" \u{3000}::set-output name=a::b", " \u{3000}\\u{3a}:set-output name=a::b"),
            ("a ::error::x", "a ::error::x"),
            ("\n::error::x", r"\n\u{3a}:error::x"),
            ("a ##[group]b", r"a #\u{23}[group]b"),
            ("##vso[task.complete]", r"#\u{23}vso[task.complete]"),
            ("###VSO[a", r"##\u{23}VSO[a"),
            ("##teamcity[message]", r"#\u{23}teamcity[message]"),
            ("## heading [link]", "## heading [link]"),
            ("#[x] #vso[", "#[x] #vso["),
        ] {
            assert_eq!(value(text), shown);
        }
    }

    #[test]
    fn long_values_are_cut_in_the_middle() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abc…efg");
        assert_eq!(cut("田中愛子田中愛子", 4), "田中…愛子");
        assert_eq!(value(&"x".repeat(1 << 20)).chars().count(), VALUE_CHARS_MAX + 1);
    }
}
