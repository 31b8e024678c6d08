//! Words about words: what was probably meant, and values quoted for a message.

use std::fmt::Write as _;

use crate::model::secret;

/// The known word nearest to what was written, if one is near.
pub(crate) fn nearest<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Nobody misspells a word into a paragraph, and distances of long texts are slow.
    if written.len() > 100 {
        return None;
    }
    let lower = written.to_lowercase();
    known
        .into_iter()
        // The distance is at least the difference in length.
        .filter(|word| {
            *word != written
                && word.len().abs_diff(written.len()) * 5 <= 2 * word.len().max(written.len()) + 5
        })
        .map(|word| {
            let word_lower = word.to_lowercase();
            let mut score = strsim::normalized_damerau_levenshtein(&word_lower, &lower);
            if word_lower.replace(['-', '_'], "") == lower.replace(['-', '_', ' '], "") {
                score = 1.0;
            }
            (score, word)
        })
        .filter(|(score, _)| *score >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}

/// `did you mean ...`, if something is near.
pub(crate) fn did_you_mean<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(written, known).map(|word| format!("did you mean `{word}`?"))
}

/// A value in backticks; shortened if it is long, hidden if it looks like a secret.
pub(crate) fn quoted(value: &str) -> String {
    const LENGTH_MAX: usize = 60;
    if !secret::look_for(value).is_empty() {
        return "a value that looks like a secret".to_owned();
    }
    if value.len() <= LENGTH_MAX {
        return format!("`{value}`");
    }
    let mut short: String = value.chars().take(LENGTH_MAX).collect();
    if short.len() < value.len() {
        short.push('…');
    }
    format!("`{short}`")
}

/// `a, b or c`, in backticks.
pub(crate) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    let mut text = String::new();
    for (at, word) in words.iter().enumerate() {
        let between = match at {
            0 => "",
            _ if at + 1 == words.len() => " or ",
            _ => ", ",
        };
        let _ = write!(text, "{between}`{word}`");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let known = ["displayName", "email", "usageLocation"];
        assert_eq!(nearest("displayname", known), Some("displayName"));
        assert_eq!(nearest("usage_location", known), Some("usageLocation"));
        assert_eq!(nearest("emial", known), Some("email"));
        assert_eq!(nearest("colour", known), None);
    }

    #[test]
    fn a_secret_is_not_quoted() {
        assert!(!quoted("AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L").contains("QQPZ"));
    }
}
