//! Values of fields as text for people: safe to show, without secrets, folded where they are long.
//!
//! Whoever needs the exact value reads JSON.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Map, Value};
use similar::{ChangeTag, TextDiff};
use unicode_width::UnicodeWidthChar;

use crate::model::secret;
use crate::report::clean;
use crate::report::mask::{self, MASK};

/// What stands for a value that is not there.
pub(in crate::report) const NOTHING: &str = "nothing";

/// So many elements of a list are shown; the others are counted.
const ELEMENTS_MAX: usize = 6;

/// Texts are compared word by word when one of them is longer than this.
const LONG: usize = 60;

/// Two texts are compared only where they differ, and no further than this: the work grows with the
/// square of it, and nobody reads more.
const COMPARED_MAX: usize = 2_000;

/// So many characters stay on both sides of a difference.
const AROUND: usize = 40;

/// Text from outside, on one line: without secrets, without anything that acts, cut in the middle.
pub(in crate::report) fn shown(text: &str, chars_max: usize) -> String {
    clean::line(&clean::cut(&mask::hide(text), chars_max))
}

/// The value of a field, by its path: what a field is called may say that it is secret.
pub(in crate::report) fn of_field(path: &str, value: &Value, chars_max: usize) -> String {
    if of_secret(path, value) { MASK.to_owned() } else { text(value, chars_max) }
}

/// Whether a value is a secret by what its field is called.
pub(in crate::report) fn of_secret(path: &str, value: &Value) -> bool {
    path.split(['.', '/']).any(secret::is_named) && holds_text(value)
}

/// Numbers and booleans under such a name are settings, not secrets.
fn holds_text(value: &Value) -> bool {
    match value {
        Value::String(_) => true,
        Value::Array(all) => all.iter().any(holds_text),
        Value::Object(members) => members.values().any(holds_text),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn text(value: &Value, chars_max: usize) -> String {
    match value {
        Value::Null => NOTHING.to_owned(),
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if is_mistakable(text) => format!("\"{}\"", shown(text, chars_max)),
        Value::String(text) => shown(text, chars_max),
        Value::Array(all) if all.is_empty() => "[]".to_owned(),
        Value::Array(all) => {
            listed(&all.iter().map(|one| text(one, chars_max)).collect::<Vec<_>>(), ELEMENTS_MAX)
        }
        Value::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(key, value)| member(key, value, chars_max)).collect();
            format!("{{{}}}", listed(&members, ELEMENTS_MAX))
        }
    }
}

fn member(key: &str, value: &Value, chars_max: usize) -> String {
    format!("{}: {}", shown(key, chars_max), of_field(key, value, chars_max))
}

/// Whether a text without quotes would be taken for something else, or not be seen.
fn is_mistakable(text: &str) -> bool {
    text.trim() != text
        || ["", "true", "false", NOTHING, "[]"].contains(&text)
        || text.parse::<f64>().is_ok()
}

/// Names or values one after the other, the first of them where they are many.
pub(in crate::report) fn listed(all: &[String], shown_max: usize) -> String {
    match all.len().checked_sub(shown_max).filter(|more| *more > 1) {
        None => all.join(", "),
        Some(more) => {
            let shown: Vec<&str> = all.iter().take(shown_max).map(String::as_str).collect();
            format!("{} and {more} more", shown.join(", "))
        }
    }
}

/// What becomes of a value, said in the way that is read fastest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) enum Difference {
    /// There was nothing: the new value.
    Made(String),
    /// The old and the new.
    Replaced(String, String),
    /// Elements of a set that come and go, and how many stay.
    Set { gone: Vec<String>, come: Vec<String>, stay: usize },
    /// Members of an object that differ, with before and after, and how many stay.
    Members { changed: Vec<(String, String, String)>, stay: usize },
    /// Long texts, piece by piece.
    Text(Vec<Piece>),
}

/// A part of a long text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) enum Piece {
    Same(String),
    Gone(String),
    Come(String),
}

pub(in crate::report) fn difference(
    path: &str,
    before: &Value,
    after: &Value,
    chars_max: usize,
) -> Difference {
    let is_secret = path.split(['.', '/']).any(secret::is_named);
    match (before, after) {
        (Value::Null, after) => Difference::Made(of_field(path, after, chars_max)),
        (Value::String(before), Value::String(after))
            if !is_secret && (is_long(before) || is_long(after)) && !before.is_empty() =>
        {
            Difference::Text(compared(before, after, chars_max))
        }
        (Value::Array(before), Value::Array(after))
            if !is_secret && !before.is_empty() && !after.is_empty() =>
        {
            let without = |all: &[Value], other: &[Value]| -> Vec<String> {
                all.iter()
                    .filter(|one| !other.contains(one))
                    .map(|one| text(one, chars_max))
                    .collect()
            };
            let come = without(after, before);
            let stay = after.len() - come.len();
            Difference::Set { gone: without(before, after), come, stay }
        }
        (Value::Object(before), Value::Object(after)) if !is_secret => {
            members(before, after, chars_max)
        }
        (before, after) => Difference::Replaced(
            of_field(path, before, chars_max),
            of_field(path, after, chars_max),
        ),
    }
}

fn members(
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    chars_max: usize,
) -> Difference {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let of = |members: &Map<String, Value>, key: &str| {
        of_field(key, members.get(key).unwrap_or(&Value::Null), chars_max)
    };
    let (changed, same): (Vec<&String>, Vec<&String>) =
        keys.into_iter().partition(|key| before.get(*key) != after.get(*key));
    let changed = changed
        .into_iter()
        .map(|key| (shown(key, chars_max), of(before, key), of(after, key)))
        .collect();
    Difference::Members { changed, stay: same.len() }
}

fn is_long(text: &str) -> bool {
    text.chars().nth(LONG).is_some()
}

/// The difference of two texts, with a little of what stays around it.
fn compared(before: &str, after: &str, chars_max: usize) -> Vec<Piece> {
    let (before, after) = (mask::hide(before), mask::hide(after));
    let (before, after) = (tokens(&before), tokens(&after));
    let same = |(a, b): &(&&str, &&str)| a == b;
    let head = before.iter().zip(&after).take_while(same).count();
    let rest = before.len().min(after.len()) - head;
    let tail = before.iter().rev().zip(after.iter().rev()).take(rest).take_while(same).count();
    let middle =
        |all: &[&str]| -> String { all.get(head..all.len() - tail).unwrap_or_default().concat() };
    let mut pieces = Pieces { all: Vec::new(), chars_max };
    pieces.push(ChangeTag::Equal, &before.get(..head).unwrap_or_default().concat());
    let (old, new) = (middle(&before), middle(&after));
    if old.len().max(new.len()) > COMPARED_MAX {
        pieces.push(ChangeTag::Delete, &old);
        pieces.push(ChangeTag::Insert, &new);
    } else {
        let (old, new) = (tokens(&old), tokens(&new));
        for change in TextDiff::from_slices(&old, &new).iter_all_changes() {
            pieces.push(change.tag(), change.value());
        }
    }
    let behind = before.get(before.len() - tail..).unwrap_or_default().concat();
    pieces.push(ChangeTag::Equal, &behind);
    pieces.finished()
}

/// Words and the spaces between them; each character for itself in scripts that are written
/// without spaces.
fn tokens(text: &str) -> Vec<&str> {
    let class = |char: char| match char {
        wide if wide.width() == Some(2) => None,
        char => Some(char.is_whitespace()),
    };
    let mut all = Vec::new();
    let mut start = 0;
    let mut last: Option<Option<bool>> = None;
    for (at, char) in text.char_indices() {
        let this = class(char);
        if last.is_some_and(|last| last != this || this.is_none()) {
            all.extend(text.get(start..at));
            start = at;
        }
        last = Some(this);
    }
    all.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    all
}

/// Pieces of text, neighbours of a kind joined.
struct Pieces {
    all: Vec<(ChangeTag, String)>,
    chars_max: usize,
}

impl Pieces {
    fn push(&mut self, tag: ChangeTag, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.all.last_mut() {
            Some((last, joined)) if *last == tag => joined.push_str(text),
            _ => self.all.push((tag, text.to_owned())),
        }
    }

    /// A space between two changed words is changed with them: it reads better.
    fn smoothed(self) -> Vec<(ChangeTag, String)> {
        let mut gone = String::new();
        let mut come = String::new();
        let mut all: Vec<(ChangeTag, String)> = Vec::new();
        let flush = |gone: &mut String, come: &mut String, all: &mut Vec<_>| {
            for (tag, text) in [(ChangeTag::Delete, gone), (ChangeTag::Insert, come)] {
                if !text.is_empty() {
                    all.push((tag, std::mem::take(text)));
                }
            }
        };
        let mut rest = self.all.into_iter().peekable();
        while let Some((tag, text)) = rest.next() {
            let is_within = (!gone.is_empty() || !come.is_empty()) && rest.peek().is_some();
            match tag {
                ChangeTag::Delete => gone.push_str(&text),
                ChangeTag::Insert => come.push_str(&text),
                ChangeTag::Equal if is_within && text.trim().is_empty() => {
                    gone.push_str(&text);
                    come.push_str(&text);
                }
                ChangeTag::Equal => {
                    flush(&mut gone, &mut come, &mut all);
                    all.push((tag, text));
                }
            }
        }
        flush(&mut gone, &mut come, &mut all);
        all
    }

    fn finished(self) -> Vec<Piece> {
        let chars_max = self.chars_max;
        let all = self.smoothed();
        let last = all.len().saturating_sub(1);
        all.iter()
            .enumerate()
            .map(|(at, (tag, text))| match tag {
                ChangeTag::Delete => Piece::Gone(shown(text, chars_max)),
                ChangeTag::Insert => Piece::Come(shown(text, chars_max)),
                ChangeTag::Equal => Piece::Same(clean::line(&around(text, at > 0, at < last))),
            })
            .collect()
    }
}

/// What stays of a text between, before or behind differences.
fn around(text: &str, behind: bool, before: bool) -> Cow<'_, str> {
    let count = text.chars().count();
    let kept = AROUND * (usize::from(behind) + usize::from(before)).max(1);
    if count <= kept + 1 {
        return Cow::Borrowed(text);
    }
    let head: String = text.chars().take(if behind { AROUND } else { 0 }).collect();
    let tail: String = text.chars().skip(count - if before { AROUND } else { 0 }).collect();
    if head.is_empty() && tail.is_empty() {
        // Nothing differs: two texts that are masked alike.
        return Cow::Owned(clean::cut(text, AROUND * 2).into_owned());
    }
    Cow::Owned(format!("{head}…{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn values_are_told_apart() {
        for (value, shown) in [
            (json!(null), "nothing"),
            (json!("nothing"), "\"nothing\""),
            (json!(""), "\"\""),
            (json!("true"), "\"true\""),
            (json!(true), "true"),
            (json!("42"), "\"42\""),
            (json!(42), "42"),
            (json!(" x"), "\" x\""),
            (json!("田中 愛子"), "田中 愛子"),
            (json!([]), "[]"),
            (json!("none"), "none"),
            (json!(["a", "b"]), "a, b"),
            (json!({"city": "Tokyo", "line2": null}), "{city: Tokyo, line2: nothing}"),
            (json!(["a", "b", "c", "d", "e", "f", "g"]), "a, b, c, d, e, f, g"),
            (json!(["a", "b", "c", "d", "e", "f", "g", "h"]), "a, b, c, d, e, f and 2 more"),
        ] {
            assert_eq!(of_field("spec.x", &value, 100), shown);
        }
    }

    #[test]
    fn what_is_called_a_secret_is_none_of_our_business() {
        assert_eq!(of_field("spec.clientSecret", &json!("hunter2"), 100), MASK);
        assert_eq!(of_field("spec.x", &json!({"password": "hunter2"}), 100), "{password: ••••••}");
        assert_eq!(of_field("passwordProfile", &json!({"a": ["hunter2"]}), 100), MASK);
        assert_eq!(of_field("spec.forcePasswordChange", &json!(true), 100), "true");
        let long = "x".repeat(100);
        let (before, after) = (json!("hunter2"), json!(long));
        assert_eq!(
            difference("spec.token", &before, &after, 100),
            Difference::Replaced(MASK.into(), MASK.into())
        );
    }

    #[test]
    fn sets_say_what_comes_and_goes() {
        assert_eq!(
            difference("p", &json!(["a", "b", "c"]), &json!(["c", "b", "d"]), 100),
            Difference::Set { gone: vec!["a".into()], come: vec!["d".into()], stay: 2 }
        );
        assert_eq!(
            difference("p", &json!(["a"]), &json!([]), 100),
            Difference::Replaced("a".into(), "[]".into())
        );
    }

    #[test]
    fn objects_say_which_members_change() {
        let (before, after) =
            (json!({"city": "Tokyo", "country": "JP"}), json!({"city": "Osaka", "country": "JP"}));
        assert_eq!(
            difference("p", &before, &after, 100),
            Difference::Members {
                changed: vec![("city".into(), "Tokyo".into(), "Osaka".into())],
                stay: 1
            }
        );
    }

    #[test]
    fn long_texts_are_compared_by_words() {
        let same = |text: &str| Piece::Same(text.into());
        let before = format!("Cloud services for hospitals in Kanto. {}", "More of it. ".repeat(8));
        let after = before.replace("hospitals in", "hospitals and clinics near");
        assert_eq!(
            difference("p", &json!(before), &json!(after), 500),
            Difference::Text(vec![
                same("Cloud services for hospitals "),
                Piece::Gone("in".into()),
                Piece::Come("and clinics near".into()),
                same(" Kanto. More of it. More of it. More of …"),
            ])
        );
        let before = format!("{}京都の病院", "関東".repeat(40));
        let after = format!("{}大阪の病院", "関東".repeat(40));
        assert_eq!(
            difference("p", &json!(before), &json!(after), 500),
            Difference::Text(vec![
                same(&format!("…{}", "関東".repeat(20))),
                Piece::Gone("京都".into()),
                Piece::Come("大阪".into()),
                same("の病院"),
            ])
        );
    }

    proptest! {
        /// Whatever is left out in the middle of what stays, the words that change are all there.
        #[test]
        fn a_comparison_loses_no_change(
            before in "[a-c ]{0,80}", after in "[a-c ]{0,80}"
        ) {
            let pieces = compared(&before, &after, 1_000);
            let side = |wanted: bool| -> String {
                pieces.iter().map(|piece| match piece {
                    Piece::Same(text) => text.as_str(),
                    Piece::Gone(text) => if wanted { text } else { "" },
                    Piece::Come(text) => if wanted { "" } else { text },
                }).collect()
            };
            let told = |side: String, whole: &str| {
                let mut from = 0;
                side.split('…').all(|part| match whole.get(from..).and_then(|rest| rest.find(part)) {
                    Some(at) => { from += at + part.len(); true }
                    None => false,
                })
            };
            prop_assert!(told(side(true), &before), "{pieces:?}");
            prop_assert!(told(side(false), &after), "{pieces:?}");
        }
    }
}
