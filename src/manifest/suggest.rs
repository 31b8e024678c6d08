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
        .map(|word| (word, word.to_lowercase()))
        .filter(|(word, word_lower)| {
            apart_at_least(word_lower, &lower) * 5 <= 2 * word.len().max(written.len())
        })
        .map(|(word, word_lower)| {
            // Two letters that changed places count as one mistake.
            let length = word.chars().count().max(written.chars().count()).max(1);
            let distance = strsim::osa_distance(&word_lower, &lower);
            #[expect(clippy::cast_precision_loss, reason = "words are short")]
            let mut score = 1.0 - distance as f64 / length as f64;
            if word_lower.replace(['-', '_'], "") == lower.replace(['-', '_', ' '], "") {
                score = 1.0;
            }
            (score, word)
        })
        .filter(|(score, _)| *score >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}

/// How many mistakes are between two words at least, told by the letters and digits that only one
/// of them has: most words are told apart by that, and distances are slow.
fn apart_at_least(one: &str, other: &str) -> usize {
    let mut balance = [0_i32; 128];
    for (text, count) in [(one, 1), (other, -1)] {
        for byte in text.bytes().filter(u8::is_ascii_alphanumeric) {
            if let Some(held) = balance.get_mut(usize::from(byte)) {
                *held += count;
            }
        }
    }
    let surplus: i32 = balance.iter().filter(|held| **held > 0).sum();
    let lack: i32 = balance.iter().filter(|held| **held < 0).sum();
    surplus.unsigned_abs().max(lack.unsigned_abs()) as usize
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let known = ["displayName", "email", "usageLocation"];
        assert_eq!(nearest("displayname", known), Some("displayName"));
        assert_eq!(nearest("usage_location", known), Some("usageLocation"));
        assert_eq!(nearest("emial", known), Some("email"));
        assert_eq!(nearest("colour", known), None);
    }

    proptest! {
        #[test]
        fn words_are_never_nearer_than_their_letters_say(a in "[ab1é-]{0,8}", b in "[ab1é-]{0,8}") {
            let distance = strsim::osa_distance(&a, &b);
            prop_assert!(apart_at_least(&a, &b) <= distance);
        }
    }

    #[test]
    fn a_secret_is_not_quoted() {
        assert!(!quoted("AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L").contains("QQPZ"));
    }
}
