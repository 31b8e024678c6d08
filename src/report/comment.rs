//! What comments of pull requests have in common: how text from outside comes into one.
//!
//! What a tenant or a manifest says appears in three ways only: as plain words ([`prose`]), in code
//! spans ([`code`]) and in fenced blocks ([`fenced`]). In none of them can it become markup, a link,
//! a mention or HTML.

use super::plan::value::shown;

/// Characters of a sentence.
const CHARS_MAX: usize = 300;

/// As many items as fit, and how many do not.
pub(super) fn fitting(items: impl Iterator<Item = String>, bytes_max: usize) -> (String, usize) {
    let mut text = String::new();
    let mut more = 0;
    for item in items {
        if more > 0 || text.len() + item.len() > bytes_max {
            more += 1;
        } else {
            text.push_str(&item);
        }
    }
    (text, more)
}

/// A folded part. Blank lines end the HTML, so that Markdown is read again.
pub(super) fn details(summary: &str, body: &str, open: bool) -> String {
    let open = if open { " open" } else { "" };
    format!("\n<details{open}><summary>{summary}</summary>\n\n{}\n\n</details>\n", body.trim_end())
}

/// Lines as they are, with a fence that none of them can close.
pub(super) fn fenced(body: &str) -> String {
    let fence = "`".repeat(run(body).max(2) + 1);
    format!("{fence}diff\n{body}{fence}\n")
}

/// Text of one line as code: nothing in it means anything.
pub(super) fn code(text: &str) -> String {
    if text.trim().is_empty() {
        return "`\"\"`".to_owned();
    }
    let fence = "`".repeat(run(text) + 1);
    // One space on both sides is taken off again.
    let is_edged = |edge: Option<char>| matches!(edge, Some('`' | ' '));
    let pad =
        if is_edged(text.chars().next()) || is_edged(text.chars().next_back()) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// The longest run of backticks.
fn run(text: &str) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for char in text.chars() {
        run = if char == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// A sentence from outside: ordinary words as they are, everything else as code. It must stand
/// behind words of ours, because a number at the beginning of a line may begin a list.
pub(super) fn prose(text: &str) -> String {
    let line = shown(text, CHARS_MAX);
    let mut told = String::new();
    let mut held: Vec<&str> = Vec::new();
    let flush = |held: &mut Vec<&str>, told: &mut String| {
        if !held.is_empty() {
            let joined = held.join(" ");
            held.clear();
            // What is quoted by backticks is meant as code.
            let quoted = joined.strip_prefix('`').and_then(|inner| inner.strip_suffix('`'));
            let inner = quoted.filter(|inner| !inner.is_empty() && !inner.contains('`'));
            told.push_str(&code(inner.unwrap_or(&joined)));
        }
    };
    for word in line.split(' ').filter(|word| !word.is_empty()) {
        let core = word.strip_prefix('(').unwrap_or(word);
        let core = core.trim_end_matches(['.', ',', ';', ':', '!', '?', ')']);
        let (lead, tail) = match word.split_once(core) {
            Some((lead, tail)) if !core.is_empty() => (lead, tail),
            _ => ("", ""),
        };
        let core = if core.is_empty() { word } else { core };
        let goes_on = !held.is_empty() && lead.is_empty();
        if !goes_on {
            flush(&mut held, &mut told);
        }
        if !told.is_empty() && held.is_empty() {
            told.push(' ');
        }
        if is_ordinary(core) {
            if goes_on {
                flush(&mut held, &mut told);
                told.push(' ');
            }
            told.push_str(lead);
            told.push_str(core);
            told.push_str(tail);
            continue;
        }
        told.push_str(lead);
        held.push(core);
        if !tail.is_empty() {
            flush(&mut held, &mut told);
            told.push_str(tail);
        }
    }
    flush(&mut held, &mut told);
    if told.is_empty() { code("") } else { told }
}

/// Whether a word means only itself to GitHub: letters of any script, numbers, and hyphens between
/// letters. Long words of hexadecimal digits are commits, `GH-7` is an issue.
fn is_ordinary(word: &str) -> bool {
    let is_letter = |char: char| char.is_ascii_alphanumeric() || char == '\'' || !char.is_ascii();
    let is_commit = word.len() >= 7 && word.chars().all(|char| char.is_ascii_hexdigit());
    let has_hyphen = word.contains('-');
    let is_compound = !has_hyphen
        || (!word.contains(|char: char| char.is_ascii_digit())
            && word.split('-').all(|part| part.starts_with(char::is_alphabetic)));
    word == "%"
        || (word.chars().all(|char| is_letter(char) || char == '-') && is_compound && !is_commit)
}

pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
