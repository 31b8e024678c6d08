//! Keeps what looks like a secret out of every report.
//!
//! A check marks the bytes of a secret in `Findings::masked`. Those bytes are hidden by place
//! wherever a snippet shows their line, and by content wherever a message quotes them or another
//! line repeats them. Where no check has looked, as in plans, [`hide`] looks itself. Nothing here
//! decides what a secret is, and file names stay as they are: they are how people find the file.

use super::clean;
use crate::manifest::finding::Findings;
use crate::manifest::source::{SourceId, Sources};
use crate::model::secret;
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

/// What stands for a secret. Its length says nothing about the secret's.
pub(super) const MASK: &str = "••••••";

/// Secrets of fewer bytes are hidden by place only: by content they would blank ordinary words in
/// messages (`clientSecret: test`), which tells more than it hides.
const VALUE_BYTES_MIN: usize = 6;

/// How far around a window a repeated secret is looked for, so that the window's edge does not show
/// a part of one.
const REACH: usize = 4096;

/// The text, with everything in it that looks like a secret replaced.
pub(super) fn hide(text: &str) -> Cow<'_, str> {
    if secret::may_hold(text.as_bytes()) {
        replaced(text, secret::look_for(text))
    } else {
        Cow::Borrowed(text)
    }
}

/// All secrets of one run, by place and by content.
#[derive(Debug)]
pub(super) struct Masks<'a> {
    places: HashMap<SourceId, Vec<Range<usize>>>,
    /// By their first bytes, the longest first.
    values: HashMap<&'a [u8], Vec<&'a str>>,
}

impl<'a> Masks<'a> {
    pub(super) fn of(findings: &'a Findings) -> Self {
        let mut places: HashMap<SourceId, Vec<Range<usize>>> = HashMap::new();
        // INVARIANT: no range is empty. A snippet relies on it to keep a line's parts in order.
        for excerpt in findings.masked.iter().filter(|masked| !masked.span.range().is_empty()) {
            places.entry(excerpt.source).or_default().push(excerpt.span.range());
        }
        let mut values: HashMap<&[u8], Vec<&str>> = HashMap::new();
        for (source, ranges) in &mut places {
            merge(ranges);
            for secret in ranges.iter().flat_map(|range| quoted(&findings.sources, *source, range))
            {
                if let Some(key) = secret.as_bytes().get(..VALUE_BYTES_MIN) {
                    values.entry(key).or_default().push(secret);
                }
            }
        }
        for secrets in values.values_mut() {
            secrets.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
            secrets.dedup();
        }
        Self { places, values }
    }

    /// The text, with every secret in it replaced.
    pub(super) fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        replaced(text, self.find(text.as_bytes(), 0))
    }

    /// The text on one line, without secrets and without anything that acts.
    pub(super) fn show(&self, text: &str) -> String {
        clean::value(&self.hide(text))
    }

    /// Which bytes of a window of a source are not to be shown: in order, apart from each other.
    pub(super) fn within(
        &self,
        source: SourceId,
        bytes: &[u8],
        window: &Range<usize>,
    ) -> Vec<Range<usize>> {
        let mut hidden = Vec::new();
        if let Some(places) = self.places.get(&source) {
            let first = places.partition_point(|range| range.end <= window.start);
            let near = places.iter().skip(first).take_while(|range| range.start < window.end);
            hidden.extend(near.cloned());
        }
        let start = window.start.saturating_sub(REACH);
        let end = window.end.saturating_add(REACH).min(bytes.len());
        hidden.extend(self.find(bytes.get(start..end).unwrap_or_default(), start));
        hidden.retain(|range| range.start < window.end && range.end > window.start);
        merge(&mut hidden);
        hidden
    }

    /// Where the text holds a secret, `base` added to each place.
    fn find(&self, text: &[u8], base: usize) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        if self.values.is_empty() {
            return found;
        }
        let mut at = 0;
        while let Some(rest) = text.get(at..)
            && let Some(key) = rest.get(..VALUE_BYTES_MIN)
        {
            let secret = self.values.get(key).and_then(|secrets| {
                secrets.iter().find(|secret| rest.starts_with(secret.as_bytes()))
            });
            match secret {
                Some(secret) => {
                    found.push(base + at..base + at + secret.len());
                    at += secret.len();
                }
                None => at += 1,
            }
        }
        found
    }
}

/// The texts by which a message may quote a secret: each line of it, without the quotes around it.
fn quoted<'a>(
    sources: &'a Sources,
    source: SourceId,
    range: &Range<usize>,
) -> impl Iterator<Item = &'a str> + use<'a> {
    let bytes = sources.get(source).and_then(|source| source.bytes.get(range.clone()));
    let text = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    text.lines().map(|line| line.trim().trim_matches(['"', '\'']))
}

/// The text with a mask in each of these places.
fn replaced(text: &str, mut places: Vec<Range<usize>>) -> Cow<'_, str> {
    if places.is_empty() {
        return Cow::Borrowed(text);
    }
    merge(&mut places);
    let mut shown = String::with_capacity(text.len());
    let mut end = 0;
    for range in places {
        shown.push_str(text.get(end..range.start).unwrap_or_default());
        shown.push_str(MASK);
        end = range.end;
    }
    shown.push_str(text.get(end..).unwrap_or_default());
    Cow::Owned(shown)
}

fn merge(ranges: &mut Vec<Range<usize>>) {
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    ranges.dedup_by(|next, last| {
        let touches = next.start <= last.end;
        if touches {
            last.end = last.end.max(next.end);
        }
        touches
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::finding::Excerpt;
    use crate::manifest::source::{Format, Source, Span, to_u32};

    fn findings(text: &str, secrets: &[&str]) -> Findings {
        let mut findings = Findings::default();
        let source = findings.sources.add(Source {
            name: "a.yaml".to_owned(),
            format: Format::Yaml,
            bytes: text.as_bytes().to_vec(),
        });
        for secret in secrets {
            let start = to_u32(text.find(secret).expect("the text holds it"));
            let span = Span::new(start, start + to_u32(secret.len()));
            findings.masked.push(Excerpt { source, span });
        }
        findings
    }

    #[test]
    fn nothing_marked_hides_nothing() {
        let findings = findings("a: secret", &[]);
        assert!(matches!(Masks::of(&findings).hide("a: secret"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_looks_like_a_secret_is_hidden_unmarked() {
        let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJub2JvZHkifQ.c2lnbmF0dXJlMTIz";
        assert_eq!(hide(&format!("{token} or {token}.")), "•••••• or ••••••");
        assert!(matches!(hide("the key to Judy's eyJ"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_message_that_quotes_a_secret_is_masked_whole() {
        let findings = findings(
            "a: \"hunter2\"\nb: hunter2-longer\nc: x",
            &["\"hunter2\"", "hunter2-longer", "x"],
        );
        let masks = Masks::of(&findings);
        assert_eq!(masks.hide("is `hunter2`, was `hunter2-longer`"), "is `••••••`, was `••••••`");
        assert_eq!(masks.hide("hunter x"), "hunter x");
    }

    #[test]
    fn a_window_knows_places_and_repetitions() {
        let text = "a: hunter2 # hunter2\nb: pin";
        let findings = findings(text, &["hunter2", "pin"]);
        let masks = Masks::of(&findings);
        assert_eq!(masks.within(SourceId(0), text.as_bytes(), &(0..20)), [3..10, 13..20]);
        assert_eq!(masks.within(SourceId(0), text.as_bytes(), &(5..21)), [3..10, 13..20]);
        assert_eq!(masks.within(SourceId(0), text.as_bytes(), &(12..27)), [13..20, 24..27]);
    }

    #[test]
    fn a_key_of_many_lines_is_hidden_line_by_line() {
        let findings =
            findings("key: |\n  AAAABBBB\n  CCCCDDDD\n", &["|\n  AAAABBBB\n  CCCCDDDD\n"]);
        assert_eq!(Masks::of(&findings).hide("`AAAABBBB\\nCCCCDDDD`"), "`••••••\\n••••••`");
    }
}
