use std::fs;
use std::io::{self, Write as _};
use std::ops::Range;
use std::path::Path;

use super::files::ManifestArgs;
use super::output::Output;
use super::{CommandError, Outcome};
use crate::manifest::format::{Formatted, diff, format_yaml};
use crate::manifest::order::CanonicalOrder;
use crate::manifest::source::{Format, Lines, Source};
use crate::model::secret::look_for;
use crate::report::clean;

/// Lay manifests out in their canonical form
///
/// Keys in the order of the reference, two spaces, comments kept. Formatting twice changes
/// nothing, and a document that could not be kept exactly is left as it is. JSON and CSV files
/// are left alone. With `-f -`, standard input is written to standard output.
#[derive(clap::Args, Debug)]
pub(crate) struct FmtArgs {
    #[command(flatten)]
    manifests: ManifestArgs,
    /// Change nothing, show what would change, and end with 3 if anything would
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(out: &Output, args: &FmtArgs) -> Result<Outcome, CommandError> {
    let files = args.manifests.read(out)?;
    let mut is_invalid = false;
    for missing in files.missing() {
        is_invalid = true;
        out.say(&shown_line(&missing));
    }
    let order = CanonicalOrder::default();
    let (mut changed, mut unreadable, mut seen) = (0, 0, 0);
    for (_, source) in files.sources.iter().filter(|(_, source)| source.format == Format::Yaml) {
        seen += 1;
        let Ok(text) = std::str::from_utf8(&source.bytes) else {
            unreadable += 1;
            out.say(&format!("{}: not UTF-8, left as it is", source.name));
            // A stream is passed on, whatever it holds.
            if !args.check && files.path_of(&source.name).is_none() {
                out.result(|to| to.write_all(&source.bytes))?;
            }
            continue;
        };
        let formatted = format_yaml(text, &order);
        tell_refused(out, source, &formatted);
        unreadable += usize::from(formatted.unreadable > 0);
        let path = files.path_of(&source.name);
        if formatted.text == text && (args.check || path.is_some()) {
            continue;
        }
        changed += usize::from(formatted.text != text);
        if args.check {
            let shown = diff(&source.name, &masked(text), &masked(&formatted.text));
            if shown.is_empty() {
                out.say(&format!("{}: only what is hidden would change", source.name));
            }
            out.result(|to| {
                shown.lines().try_for_each(|line| writeln!(to, "{}", clean::line(line)))
            })?;
        } else if let Some(path) = path {
            replace(path, formatted.text.as_bytes())
                .map_err(|error| CommandError::failed(format!("writing {}", source.name), error))?;
            out.result(|to| writeln!(to, "{}", clean::line(&source.name)))?;
        } else {
            out.result(|to| to.write_all(formatted.text.as_bytes()))?;
        }
    }
    let of = if seen == 1 { "1 file".to_owned() } else { format!("{seen} files") };
    let but = match unreadable {
        0 => String::new(),
        1 => "; 1 holds what cannot be read".to_owned(),
        _ => format!("; {unreadable} hold what cannot be read"),
    };
    out.say(&match (changed, args.check) {
        (0, _) => format!("nothing to change in {of}{but}"),
        (_, true) => format!("{changed} of {of} would change{but}"),
        (_, false) => format!("{changed} of {of} changed{but}"),
    });
    is_invalid |= args.check && (changed > 0 || unreadable > 0);
    Ok(if is_invalid { Outcome::Invalid } else { Outcome::Done })
}

/// A line about files; it names paths, and people paste the wrong things.
fn shown_line(text: &str) -> String {
    if look_for(text).is_empty() {
        text.to_owned()
    } else {
        "a path looks like a secret: `partnerctl validate` says where".to_owned()
    }
}

fn tell_refused(out: &Output, source: &Source, formatted: &Formatted) {
    match formatted.unreadable {
        0 => {}
        1 => out.say(&format!(
            "{}: a document that cannot be read was left as it is: `partnerctl validate` says why",
            source.name
        )),
        many => out.say(&format!(
            "{}: {many} documents that cannot be read were left as they are: `partnerctl validate` says why",
            source.name
        )),
    }
    if formatted.refused.is_empty() {
        return;
    }
    let lines = Lines::of(&source.bytes);
    for refused in &formatted.refused {
        let place = lines.place(refused.span.start);
        out.say(&format!("{}:{}: left as it is: {}", source.name, place.line, refused.reason));
    }
}

/// A text in which what looks like a secret is not shown, line for line the same.
fn masked(text: &str) -> String {
    let mut hidden = look_for(text);
    hidden.extend(named_secrets(text));
    hidden.sort_by_key(|range| (range.start, range.end));
    let mut shown = String::with_capacity(text.len());
    let mut from = 0;
    for range in hidden {
        // Two may overlap: what is left of the second is hidden with the first.
        if range.start >= from {
            shown.push_str(text.get(from..range.start).unwrap_or_default());
            shown.push_str("••••••");
        }
        let rest = text.get(range.start.max(from)..range.end).unwrap_or_default();
        shown.extend(rest.matches('\n'));
        from = from.max(range.end);
    }
    shown.push_str(text.get(from..).unwrap_or_default());
    shown
}

/// What a key's name holds when its value is a secret, in letters and digits alone.
const SECRET_NAMES: [&str; 7] =
    ["secret", "password", "passwd", "token", "privatekey", "apikey", "certificate"];

/// The values of keys that are named like secrets, unless they are mappings: `{env: X}` is a
/// reference and no secret.
///
/// It goes by lines, so that it works where a document does not parse, and when in doubt it hides.
fn named_secrets(text: &str) -> Vec<Range<usize>> {
    let mut hidden = Vec::new();
    let mut lines = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        lines.push((start, line.trim_end_matches(['\n', '\r'])));
        start += line.len();
    }
    // The lines that go on with a value: those farther in than this, and those that are no entry.
    let mut within: Option<Value> = None;
    let mut explicit = false;
    for (at, &(start, line)) in lines.iter().enumerate() {
        let content = line.trim_start();
        if content.is_empty() {
            continue;
        }
        let indent = line.len() - content.len();
        let whole = start + indent..start + line.len();
        if let Some(value) = &mut within {
            if value.takes(indent, content) {
                hidden.push(whole);
                continue;
            }
            within = None;
        }
        if let Some(key) = content.strip_prefix('?') {
            explicit = is_secret_name(key);
            if explicit {
                continue;
            }
        } else if explicit {
            // The key stands above, and everything behind the colon is its value.
            explicit = false;
            hidden.push(whole);
            within = Some(Value { indent, dashes: true, quote: None });
            continue;
        }
        let entry = line.len() - content.trim_start_matches(['-', ' ']).len();
        for (colon, _) in line.match_indices(':') {
            if !is_secret_name(key_before(line.get(..colon).unwrap_or_default())) {
                continue;
            }
            let rest = line.get(colon + 1..).unwrap_or_default();
            let value = rest.trim_start();
            let from = line.len() - value.len();
            let is_empty = value.is_empty() || value.starts_with('#');
            let below = lines.get(at + 1..).unwrap_or_default();
            if is_flow_mapping(value) || (is_empty && has_mapping(below, entry)) {
                continue;
            }
            let (length, quote) = extent(value);
            if !is_empty {
                hidden.push(start + from..start + from + length);
            }
            within = Some(Value { indent: entry, dashes: is_empty, quote });
            break;
        }
    }
    hidden
}

/// A value that may go on below its key.
struct Value {
    /// Where the key stands.
    indent: usize,
    /// A list may stand as far out as its key.
    dashes: bool,
    /// The quote that is still open.
    quote: Option<char>,
}

impl Value {
    /// Whether a line still belongs to it.
    fn takes(&mut self, indent: usize, content: &str) -> bool {
        if let Some(quote) = self.quote {
            if is_closed(content, quote) {
                self.quote = None;
            }
            return true;
        }
        let is_marker = content.starts_with("---") || content.starts_with("...");
        let is_entry = content.contains(':') || content.starts_with(['#', '?']);
        let is_item = content.starts_with('-');
        if indent == 0 && is_marker {
            return false;
        }
        indent > self.indent
            || (self.dashes && is_item && indent == self.indent)
            || (!is_entry && !is_item && content.chars().any(char::is_alphanumeric))
    }
}

/// What stands before a colon, back to where the key can begin.
fn key_before(text: &str) -> &str {
    let from = text.rfind(['{', '}', '[', ']', ',', '#']).map_or(0, |at| at + 1);
    text.get(from..).unwrap_or_default()
}

fn is_secret_name(key: &str) -> bool {
    // An escape can write any name.
    if key.contains('\\') {
        return true;
    }
    let name: String =
        key.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    SECRET_NAMES.iter().any(|secret| name.contains(secret))
}

/// Whether a value is a mapping in braces: one with a key, or with keys on the lines to come.
fn is_flow_mapping(value: &str) -> bool {
    let Some(inner) = value.strip_prefix('{') else { return false };
    let inner = inner.trim_start();
    inner.is_empty() || inner.starts_with(['}', '#']) || (!inner.starts_with('{') && has_key(inner))
}

/// Whether a mapping stands below a key.
fn has_mapping(below: &[(usize, &str)], indent: usize) -> bool {
    below
        .iter()
        .map(|(_, line)| (line.len() - line.trim_start().len(), line.trim_start()))
        .find(|(_, content)| !content.is_empty() && !content.starts_with('#'))
        .is_some_and(|(at, content)| at > indent && has_key(content))
}

/// Whether a text begins with a plain key and a colon.
fn has_key(text: &str) -> bool {
    text.split_once(':').is_some_and(|(key, rest)| {
        let is_plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.');
        let key = key.trim_end().trim_matches('"');
        !key.is_empty()
            && !key.starts_with('-')
            && key.chars().all(is_plain)
            && (rest.is_empty() || rest.starts_with([' ', '\t']))
    })
}

/// How much of a value to hide on its first line, and the quote that stays open behind it.
fn extent(value: &str) -> (usize, Option<char>) {
    let whole = value.len();
    let comment = value.find(" #").map(|at| value.get(..at).unwrap_or_default().trim_end().len());
    let Some(quote) = value.chars().next().filter(|char| matches!(char, '"' | '\'')) else {
        // A quote farther in may hold a `#` that is no comment.
        let is_plain = !value.contains(['"', '\'']);
        return (comment.filter(|_| is_plain).unwrap_or(whole), None);
    };
    let inner = value.get(1..).unwrap_or_default();
    if !is_closed(inner, quote) {
        return (whole, Some(quote));
    }
    // Only what follows the last quote of the line can be a comment for sure.
    let behind = value.rfind(quote).map_or(0, |at| at + 1);
    let tail = value.get(behind..).unwrap_or_default();
    (if tail.trim_start().starts_with('#') { behind } else { whole }, None)
}

/// Whether a quote is closed within a line.
fn is_closed(text: &str, quote: char) -> bool {
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        if char == '\\' && quote == '"' {
            chars.next();
        } else if char == quote && (quote == '"' || chars.next_if_eq(&quote).is_none()) {
            return true;
        }
    }
    false
}

/// Replaces a file in one step, so that nobody ever reads half of it; keeps its permissions.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.join(format!(".{name}.partnerctl-{}", std::process::id()));
    let written = (|| {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&beside)?;
        file.write_all(bytes)?;
        file.set_permissions(fs::metadata(path)?.permissions())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    })();
    if written.is_err() {
        drop(fs::remove_file(&beside));
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_and_lines_stay_lines() {
        let text = "a: 1\nkey: |\n  -----BEGIN PRIVATE KEY-----\n  MIIEsecret\n  -----END PRIVATE KEY-----\nb: 2\n";
        let shown = masked(text);
        assert!(!shown.contains("MIIE"));
        assert_eq!(shown.lines().count(), text.lines().count());
    }

    #[test]
    fn values_of_secret_names_are_hidden() {
        for text in [
            "clientSecret:   hunter2",
            "  - client_secret: hunter2 # keep",
            "\"CLIENT-SECRET\":\"hunter2\"",
            "write: {clientId: a, clientSecret: hunter2, refreshToken: {env: KEPT}}",
            "write: {clientSecret:\n  hunter2\n}",
            "write: {\nclientSecret:\nhunter2,\n}",
            "# password: hunter2",
            "api-key: |\n  env: hunter2\n\n  hunter2 # hunter2\nkept: a",
            "apiKey: >- # keep\n    hunter2\n  hunter2",
            "passwd: &a 'it''s # hunter2' # keep",
            "passwd: 'hunter2\nhunter2: hunter2' # a\nkept: a",
            "passwd: \"a\\\" hunter2\nhunter2: hunter2\"\nkept: a",
            "private_key: a\n  hunter2",
            "tokens:\n- hunter2\n- a: hunter2\nkept: a",
            "tokens: [a,\n  hunter2]",
            "? token\n: hunter2\n",
            "\"t\\u006fken\": hunter2",
            "token: {{ hunter2 }}",
            "token: {hunter2}",
            "Certificate:\n\n  # keep\n  hunter2\nkept: a",
            "password: a\nhunter2",
            "- password:\n    hunter2\n  kept: a",
        ] {
            let shown = masked(text);
            assert!(!shown.contains("hunter2"), "{text}\n\n{shown}");
            assert_eq!(shown.lines().count(), text.lines().count(), "{shown}");
            assert_eq!(shown.contains("kept: a"), text.contains("kept: a"), "{shown}");
            assert_eq!(masked(&text.replace('\n', "\r\n")).replace("\r\n", "\n"), shown);
        }
        for text in [
            "clientSecret: {env: X}\nkept: a",
            "clientSecret: # a\n  # b\n  env: X\nkept: a",
            "clientSecret: {\n  env: X\n}",
            "name: a\nlabels: {a: b}",
        ] {
            assert_eq!(masked(text), text);
        }
    }
}
