//! How Partner Center writes: collections, links, continuation, members whatever their case.

use axum::Json;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::emulator::error::{CenterError, Code};
use crate::emulator::store::{Document, Mark, Page, Read, Scan};
use crate::emulator::tenant::Quirks;

/// The most that a page holds.
const SIZE_MAX: usize = 500;
const TOKEN_HEADER: &str = "ms-continuationtoken";

/// A member of a body, whatever the case of its name.
pub(super) fn member<'a>(body: &'a Value, name: &str) -> Option<&'a Value> {
    let members = body.as_object()?;
    members
        .get(name)
        .or_else(|| {
            members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        })
        .filter(|value| !value.is_null())
}

/// A text in a body.
pub(super) fn text<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    member(body, name)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// A body with the names that we write: the first letter small, all the way down.
pub(super) fn camel(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| {
                let mut letters = name.chars();
                let first = letters.next().map(|c| c.to_ascii_lowercase());
                (first.into_iter().chain(letters).collect::<String>(), camel(value))
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(camel).collect::<Vec<_>>().into(),
        other => other.clone(),
    }
}

/// The members of a body as they are stored: without what is only written.
pub(super) fn stored(value: &Value) -> Map<String, Value> {
    let Value::Object(mut members) = camel(value) else { return Map::new() };
    for written in ["links", "attributes", "profileType"] {
        members.remove(written);
    }
    members
}

/// A link to a path under `/v1`.
pub(super) fn link(quirks: &Quirks, path: &str) -> Value {
    let version = if quirks.links_with_version { "/v1" } else { "" };
    json!({"uri": format!("{version}{path}"), "method": "GET", "headers": []})
}

pub(super) fn self_link(quirks: &Quirks, path: &str) -> Value {
    json!({"self": link(quirks, path)})
}

/// A path with those of its parameters that there are.
pub(super) fn with_query<const N: usize>(path: &str, parameters: [Option<String>; N]) -> String {
    let parameters: Vec<String> = parameters.into_iter().flatten().collect();
    if parameters.is_empty() { path.to_owned() } else { format!("{path}?{}", parameters.join("&")) }
}

/// All of something that does not page.
pub(super) fn collection(items: &[Value]) -> Value {
    json!({
        "totalCount": items.len(),
        "items": items,
        "attributes": {"objectType": "Collection"},
    })
}

/// A short-lived mark of what a resource is now: a signed number, as profiles have it.
pub(super) fn etag(body: &Map<String, Value>) -> String {
    let mut digest = Sha256::new();
    digest.update(Value::Object(body.clone()).to_string());
    let number = digest
        .finalize()
        .iter()
        .take(8)
        .fold(0i64, |number, byte| number.wrapping_shl(8) | i64::from(*byte));
    number.to_string()
}

/// Refuses a write that was made over something older. `given` may be in quotes.
pub(super) fn check_etag(given: &str, now: &str) -> Result<(), CenterError> {
    if given.trim().trim_matches('"') == now {
        return Ok(());
    }
    let status = http::StatusCode::BAD_REQUEST;
    Err(CenterError::new(status, Code::Text(2055), "The etag is no longer valid."))
}

/// A body, with a byte-order mark where the tenant writes them.
pub(super) fn answer(status: http::StatusCode, body: &Value, quirks: &Quirks) -> Response {
    if !quirks.bom {
        return (status, Json(body)).into_response();
    }
    let text = format!("\u{feff}{body}");
    (status, [(CONTENT_TYPE, "application/json")], Body::from(text)).into_response()
}

pub(super) fn ok(body: &Value, quirks: &Quirks) -> Response {
    answer(http::StatusCode::OK, body, quirks)
}

/// What a list is asked for: how much, and from where.
#[derive(Debug, Clone)]
pub(super) struct Paging {
    size: Option<usize>,
    from: Option<Token>,
}

/// A place in a list, and the way from there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Token {
    mark: Mark,
    backwards: bool,
}

impl Paging {
    pub(super) fn of(size: Option<&str>, headers: &HeaderMap) -> Result<Self, CenterError> {
        let size = size
            .map(|size| size.trim().parse::<usize>())
            .transpose()
            .map_err(|_| CenterError::invalid("The size is not a number."))?;
        let from = headers
            .get(TOKEN_HEADER)
            .map(|token| token.to_str().ok().and_then(Token::parse).ok_or_else(bad_token))
            .transpose()?;
        Ok(Self { size, from })
    }

    /// A page of a list, and where the ones beside it begin.
    pub(super) fn page<D: Document>(
        &self,
        tx: &Read<'_>,
        scan: Scan<'_>,
    ) -> Result<Paged<D>, CenterError> {
        let limit = match self.size {
            Some(0) => usize::MAX,
            Some(size) => size.min(SIZE_MAX),
            None => SIZE_MAX,
        };
        let limit = Quirks::of(tx)?.page(limit);
        let key = scan.key.to_owned();
        let backwards = self.from.as_ref().is_some_and(|from| from.backwards);
        let after = self.from.as_ref().map(|from| from.mark.clone());
        let is_first = after.is_none();
        let mut scan = scan.after(after).limit(limit);
        if backwards {
            scan = scan.backwards();
        }
        let Page { mut items, next: more } = tx.scan::<D>(&scan)?;
        if backwards {
            items.reverse();
        }
        let mark_of = |found: Option<&crate::emulator::store::Found<D>>, backwards| {
            let document = &found?.document;
            let value = mark_value(document, &key)?;
            Some(Token { mark: Mark { value, id: document.id().to_owned() }, backwards })
        };
        let (has_previous, has_next) =
            if backwards { (more.is_some(), true) } else { (!is_first, more.is_some()) };
        let previous = if has_previous { mark_of(items.first(), true) } else { None };
        // The store's own mark knows of items that are not seen yet.
        let next = match more {
            Some(mark) if !backwards => Some(Token { mark, backwards: false }),
            _ if has_next => mark_of(items.last(), false),
            _ => None,
        };
        Ok(Paged { items: items.into_iter().map(|found| found.document).collect(), previous, next })
    }

    pub(super) fn size(&self) -> Option<usize> {
        self.size
    }
}

fn mark_value<D: Document>(document: &D, key: &str) -> Option<String> {
    document.keys().into_iter().find(|(name, _)| *name == key).map(|(_, value)| value)
}

fn bad_token() -> CenterError {
    let status = http::StatusCode::BAD_REQUEST;
    CenterError::new(status, Code::Text(800_002), "The continuation token is invalid.")
}

impl Token {
    fn parse(text: &str) -> Option<Self> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text.trim()).ok()?).ok()
    }

    fn write(&self) -> String {
        URL_SAFE_NO_PAD.encode(json!(self).to_string())
    }
}

/// A page, before it is written.
pub(super) struct Paged<D> {
    pub items: Vec<D>,
    previous: Option<Token>,
    next: Option<Token>,
}

impl<D> Paged<D> {
    /// The page as a collection. `path` is what was asked, with its query.
    pub(super) fn write(&self, quirks: &Quirks, path: &str, item: impl Fn(&D) -> Value) -> Value {
        let mut links = Map::new();
        links.insert("self".to_owned(), link(quirks, path));
        let mut towards = |name: &str, operation: &str, token: &Option<Token>| {
            let Some(token) = token else { return };
            let glue = if path.contains('?') { '&' } else { '?' };
            let mut link = link(quirks, &format!("{path}{glue}seekOperation={operation}"));
            if let Some(link) = link.as_object_mut() {
                let header = json!({"key": "MS-ContinuationToken", "value": token.write()});
                link.insert("headers".to_owned(), json!([header]));
            }
            links.insert(name.to_owned(), link);
        };
        towards("next", "Next", &self.next);
        towards("previous", "Previous", &self.previous);
        let items: Vec<Value> = self.items.iter().map(item).collect();
        json!({
            "totalCount": items.len(),
            "items": items,
            "links": links,
            "attributes": {"objectType": "Collection"},
        })
    }
}

/// A filter, as it comes in an address: `{"Field","Value","Operator"}`, whatever their case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    /// In lower case.
    pub field: String,
    pub value: String,
    /// In lower case, without `_`.
    pub operator: String,
}

impl Filter {
    pub(super) fn parse(text: &str) -> Result<Self, CenterError> {
        let invalid = || CenterError::invalid("The filter is not valid.");
        let body: Value = serde_json::from_str(text).map_err(|_| invalid())?;
        let folded = |name: &str| Some(text_of(&body, name)?.replace('_', "").to_ascii_lowercase());
        Ok(Self {
            field: folded("Field").ok_or_else(invalid)?,
            value: text_of(&body, "Value").ok_or_else(invalid)?.to_owned(),
            operator: folded("Operator").ok_or_else(invalid)?,
        })
    }
}

fn text_of<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    text(body, name)
}
