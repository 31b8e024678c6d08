//! What comments of pull requests have in common: how text from outside comes into one.
//!
//! What a tenant or a manifest says appears in three ways only: as plain words ([`prose`]), in code
//! spans ([`code`]) and in fenced blocks ([`fenced`]). In none of them can it become markup, a link,
//! a mention or HTML.

use super::plan::value::shown;

/// Characters of a sentence.
const CHARS_MAX: usize = 300;

/// As many items as fit, and how many do not. One that is too long takes no other with it.
pub(super) fn fitting(items: impl Iterator<Item = String>, bytes_max: usize) -> (String, usize) {
    let mut text = String::new();
    let mut more = 0;
    for item in items {
        if text.len() + item.len() > bytes_max {
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

/// How what is written is read, for whoever tests it.
#[cfg(test)]
pub(super) mod reading {
    use proptest::prelude::*;
    use proptest::sample::select;
    use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

    use crate::report::plan::fixture::HOSTILE;

    /// What a comment is made of, texts left out; a text is one whatever it is written with. Fails where
    /// something is in it that we never write.
    pub(in crate::report) fn checked(markdown: &str) -> Vec<String> {
        let options = Options::all() - Options::ENABLE_SMART_PUNCTUATION;
        let mut skeleton: Vec<String> = Vec::new();
        let mut within_code = false;
        for event in Parser::new_ext(markdown, options) {
            let shape = match event {
                Event::Start(
                    tag @ (Tag::Link { .. }
                    | Tag::Image { .. }
                    | Tag::FootnoteDefinition(_)
                    | Tag::MetadataBlock(_)),
                ) => {
                    panic!("{tag:?} in\n{markdown}")
                }
                Event::Start(Tag::CodeBlock(_)) => {
                    within_code = true;
                    "code block".to_owned()
                }
                Event::End(TagEnd::CodeBlock) => {
                    within_code = false;
                    "/code block".to_owned()
                }
                Event::Start(tag) => format!("{tag:?}"),
                Event::End(tag) => format!("/{tag:?}"),
                Event::Text(text) => {
                    // Mentions, issues, addresses, emoji and mathematics are GitHub's own.
                    let acts = text.contains([
                        '@', '#', '<', '>', '&', '[', ']', '*', '~', '`', '$', '|', '\\',
                    ]);
                    let acts = acts || text.contains("://") || text.contains("www.");
                    assert!(within_code || !acts, "{text:?} in\n{markdown}");
                    "text".to_owned()
                }
                Event::Code(_) => "text".to_owned(),
                Event::Html(html) => {
                    let html = html.trim();
                    let summary = html
                        .split_once("<summary>")
                        .and_then(|(_, rest)| rest.strip_suffix("</summary>"));
                    let ours = match summary {
                        Some(told) => {
                            (html.starts_with("<details><") || html.starts_with("<details open><"))
                                && told
                                    .chars()
                                    .all(|char| char.is_ascii_alphanumeric() || " :".contains(char))
                        }
                        None => html == "</details>" || is_marker(html),
                    };
                    assert!(ours, "{html:?} in\n{markdown}");
                    html.to_owned()
                }
                other => panic!("{other:?} in\n{markdown}"),
            };
            if shape != "text" || skeleton.last().is_none_or(|last| last != "text") {
                skeleton.push(shape);
            }
        }
        skeleton
    }

    /// What the next comment is told by to be this one.
    fn is_marker(html: &str) -> bool {
        let hex =
            html.strip_prefix("<!-- partnerctl-review:").and_then(|rest| rest.strip_suffix(" -->"));
        hex.is_some_and(|hex| hex.len() == 16 && hex.chars().all(|char| char.is_ascii_hexdigit()))
    }

    /// Texts that may be anything, mostly what somebody would write to deceive.
    pub(in crate::report) fn texts() -> impl Strategy<Value = Vec<String>> {
        let piece = prop_oneof![
            4 => select(HOSTILE).prop_map(str::to_owned),
            2 => "[`|<>@#*_\\[\\]()!&\\\\ \n~$:.+0-9a-f-]{1,10}",
            1 => any::<String>().prop_map(|text| text.chars().take(30).collect()),
            1 => "[a-z]{1,8}",
        ];
        let text = prop::collection::vec(piece, 1..3).prop_map(|pieces| pieces.join(" "));
        prop::collection::vec(text, 1..12)
    }
}
