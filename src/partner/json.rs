//! Reading JSON leniently: what the services send is not always what their pages show.
//!
//! A byte-order mark before it, keys in `PascalCase`, numbers where texts should be, empty texts where
//! dates should be, members that nobody told us of: none of that is a reason to fail. What *is*
//! wrong, such as an id that is none, still fails: an object that is silently dropped would look
//! as if it did not exist.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use secrecy::SecretString;
use serde::de::{DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Reads a body.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let body = without_mark(body);
    if has_pascal_keys(body) {
        let value: Value = serde_json::from_slice(body).map_err(|error| cause(&error))?;
        return serde_json::from_value(camel(value)).map_err(|error| cause(&error));
    }
    serde_json::from_slice(body).map_err(|error| cause(&error))
}

/// Without the value that stood there, which may be anything.
fn cause(error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Eof => "it ends too early".to_owned(),
        serde_json::error::Category::Syntax => {
            format!("it is no JSON (line {}, column {})", error.line(), error.column())
        }
        _ => {
            // Such as `missing field `id``: our names, not their values.
            let text = error.to_string();
            match text.split_once("invalid type: ").or_else(|| text.split_once("invalid value: ")) {
                Some((_, rest)) => match rest.rsplit_once(", expected ") {
                    Some((_, expected)) => format!("a value is not {expected}"),
                    None => "a value is of the wrong type".to_owned(),
                },
                None => text,
            }
        }
    }
}

fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// Whether a key begins with a capital: rare enough to pay for only then.
fn has_pascal_keys(body: &[u8]) -> bool {
    let mut rest = body;
    while let Some(at) = memchr::memchr(b'"', rest) {
        rest = rest.get(at + 1..).unwrap_or_default();
        if !rest.first().is_some_and(u8::is_ascii_uppercase) {
            continue;
        }
        let word = rest.iter().take_while(|b| b.is_ascii_alphanumeric()).count();
        let after = rest.get(word..).unwrap_or_default();
        if let Some(after) = after.strip_prefix(b"\"")
            && after.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b':')
        {
            return true;
        }
    }
    false
}

fn camel(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(camel).collect()),
        Value::Object(members) => Value::Object(
            members.into_iter().map(|(key, value)| (lower_first(key), camel(value))).collect(),
        ),
        other => other,
    }
}

fn lower_first(mut key: String) -> String {
    if let Some(first) = key.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    key
}

/// A text, whatever it was written as.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a number")
            }

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Text, E> {
                Ok(Text(text))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }

            fn visit_bool<E>(self, truth: bool) -> Result<Text, E> {
                Ok(Text(truth.to_string()))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// `null` counts as left out, for members that are lists or structs.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A text that may be missing, `null`, a number, or empty, which means nothing too.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<Text>::deserialize(deserializer)?
        .map(|text| text.0)
        .filter(|text| !text.is_empty()))
}

/// A text that nothing may print.
pub(super) fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

/// The same, if it is there.
pub(super) fn secret_if_any<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(SecretString::from))
}

/// A point in time that may be missing, `null`, empty, or the year 1, which all mean never.
///
/// A form that we do not know counts as never too: no date here decides whether something exists.
pub(super) fn time<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    Ok(Option::<Text>::deserialize(deserializer)?.and_then(|text| timestamp(&text.0)))
}

/// With an offset, or in UTC without one.
pub(super) fn timestamp(text: &str) -> Option<Timestamp> {
    let read = text.parse::<Timestamp>().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })?;
    let year_one_is_over = Timestamp::from_second(-60_000_000_000).ok()?;
    (read > year_one_is_over).then_some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "camelCase")]
    struct Thing {
        id: String,
        #[serde(default, deserialize_with = "text")]
        code: Option<String>,
        #[serde(default, deserialize_with = "time")]
        ended_at: Option<Timestamp>,
        #[serde(default, deserialize_with = "or_default")]
        items: Vec<Thing>,
    }

    #[test]
    fn a_mark_capitals_and_numbers_are_forgiven() {
        let plain = Thing {
            id: "a".into(),
            code: Some("2000".into()),
            ended_at: None,
            items: vec![Thing { id: "b".into(), code: None, ended_at: None, items: vec![] }],
        };
        for body in [
            r#"{"id":"a","code":"2000","endedAt":"","items":[{"id":"b","x":null}]}"#,
            r#"{"id":"a","code":2000,"endedAt":null,"items":[{"id":"b","items":null}]}"#,
            r#"{"Id":"a","Code":2000,"EndedAt":"0001-01-01T00:00:00","Items":[{"Id":"b"}]}"#,
            "\u{feff}{ \"Id\" : \"a\", \"code\": \"2000\", \"items\":[{\"id\":\"b\",\"code\":\"\"}]}",
        ] {
            assert_eq!(read::<Thing>(body.as_bytes()).as_ref(), Ok(&plain), "{body}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_saying_the_value() {
        let error = |body: &str| read::<Thing>(body.as_bytes()).unwrap_err();
        assert_eq!(error("{"), "it ends too early");
        assert!(error("<html>").starts_with("it is no JSON"));
        assert!(error("{}").contains("missing field `id`"));
        let secret = error(r#"{"id":{"hunter2":1}}"#);
        assert!(!secret.contains("hunter2"), "{secret}");
        let secret = error(r#"{"id":"a","items":"hunter2"}"#);
        assert!(!secret.contains("hunter2"), "{secret}");
    }

    #[test]
    fn dates_come_with_and_without_an_offset() {
        let expected = "2015-11-24T01:07:00.863Z".parse().ok();
        assert_eq!(timestamp("2015-11-24T01:07:00.863"), expected);
        assert_eq!(timestamp("2015-11-24T02:07:00.863+01:00"), expected);
        assert_eq!(
            timestamp("2022-02-10T11:24:42.3148266Z").map(Timestamp::as_second),
            Some(1_644_492_282)
        );
        assert_eq!(timestamp("0001-01-01T00:00:00"), None);
        assert_eq!(timestamp("soon"), None);
    }
}
