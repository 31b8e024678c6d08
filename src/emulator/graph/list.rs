//! Pages of collections, by the store's keys: a page costs what it shows, not what there is.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::call::{Call, ok};
use super::query::{Query, unsupported};
use crate::emulator::error::GraphError;
use crate::emulator::store::{Document, Found, Mark, Range, Read, Scan};
use crate::emulator::tenant::Quirks;
use axum::response::Response;

/// A document that is shown as an object of a collection.
pub(super) trait Entity: Document {
    /// Properties that an index finds and sorts by, and the index's key. The first is `id`.
    const INDEXED: &'static [(&'static str, &'static str)];
    /// Objects on a page, unless asked otherwise, and at most.
    const PAGE: (usize, usize);

    /// All its properties.
    fn show(found: &Found<Self>) -> Map<String, Value>
    where
        Self: Sized;
}

/// Of which objects pages are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within<'a> {
    All,
    Deleted,
    /// Those with a value of a key, which is not a property.
    Key(&'a str, &'a str),
}

/// A page, its objects whole.
pub(super) struct Page {
    pub objects: Vec<Map<String, Value>>,
    pub next: Option<String>,
    pub count: Option<u64>,
}

/// Looked at in one go when a filter chooses among them.
const CHUNK: usize = 200;

pub(super) fn page<D: Entity>(
    tx: &Read<'_>,
    query: &Query,
    within: Within<'_>,
) -> Result<Page, GraphError> {
    let size = Quirks::of(tx)?.page(query.page_size(D::PAGE.0, D::PAGE.1)?);
    let value = sought::<D>(query).map(|(_, value)| value.to_lowercase());
    let scan = scan::<D>(query, within, value.as_deref())?;
    let after: Option<Mark> = query.skip_token.as_deref().map(open).transpose()?;
    let count = match (query.count, &after) {
        (true, None) => Some(count::<D>(tx, query, &scan)?),
        _ => None,
    };
    let mut objects = Vec::with_capacity(size.min(1000));
    let mut after = after;
    let mut last = None;
    let chunk = if query.filter.is_none() { size.max(2) } else { size.max(CHUNK) };
    loop {
        let found = tx.scan::<D>(&scan.clone().after(after).limit(chunk))?;
        for item in &found.items {
            // A page that shifts begins with the last one again: once per request is enough.
            if last.as_deref() == Some(item.id()) {
                continue;
            }
            last = Some(item.id().to_owned());
            let object = D::show(item);
            if query.filter.as_ref().is_some_and(|filter| !filter.matches(&object)) {
                continue;
            }
            objects.push(object);
            if objects.len() == size {
                let is_last = found.next.is_none()
                    && found.items.last().is_some_and(|last| last.id() == item.id());
                let next = (!is_last).then(|| seal(&mark::<D>(item, scan.key)));
                return Ok(Page { objects, next, count });
            }
        }
        match found.next {
            Some(mark) => after = Some(mark),
            None => return Ok(Page { objects, next: None, count }),
        }
    }
}

/// How many objects there are that a query means.
pub(super) fn total<D: Entity>(
    tx: &Read<'_>,
    query: &Query,
    within: Within<'_>,
) -> Result<u64, GraphError> {
    let value = sought::<D>(query).map(|(_, value)| value.to_lowercase());
    count::<D>(tx, query, &scan::<D>(query, within, value.as_deref())?)
}

/// The property that every object sought has one value of, if an index knows it.
fn sought<D: Entity>(query: &Query) -> Option<(&'static str, &str)> {
    let filter = query.filter.as_ref()?;
    D::INDEXED.iter().find_map(|(property, key)| Some((*key, filter.only(property)?))).or_else(
        || D::INDEXED.iter().find_map(|(property, key)| Some((*key, filter.prefix(property)?))),
    )
}

fn scan<'a, D: Entity>(
    query: &Query,
    within: Within<'a>,
    value: Option<&'a str>,
) -> Result<Scan<'a>, GraphError> {
    let by = |wanted: &str| {
        D::INDEXED.iter().find(|(property, _)| *property == wanted).map(|(_, key)| *key)
    };
    if let Within::Key(key, value) = within {
        return Ok(Scan::equals(key, value));
    }
    let mut scan = match &query.order {
        Some(order) => Scan::all(
            by(&order.property)
                .ok_or_else(|| unsupported("Sort not supported for current query."))?,
        ),
        None => match (sought::<D>(query), value, &query.filter) {
            (Some((key, _)), Some(value), Some(filter)) => {
                let is_exact = D::INDEXED
                    .iter()
                    .any(|(property, own)| *own == key && filter.only(property).is_some());
                if is_exact { Scan::equals(key, value) } else { Scan::prefix(key, value) }
            }
            _ => Scan::all(D::INDEXED.first().map_or("id", |(_, key)| key)),
        },
    };
    scan.backwards = query.order.as_ref().is_some_and(|order| order.backwards);
    scan.deleted = within == Within::Deleted;
    Ok(scan)
}

fn count<D: Entity>(tx: &Read<'_>, query: &Query, scan: &Scan<'_>) -> Result<u64, GraphError> {
    let is_whole_key = match &query.filter {
        None => true,
        Some(filter) => {
            matches!(scan.range, Range::Equals(_))
                && D::INDEXED.iter().any(|(name, key)| *key == scan.key && filter.is_only(name))
        }
    };
    if is_whole_key && !scan.deleted {
        return Ok(tx.count::<D>(scan.key, &scan.range)?);
    }
    let mut count = 0;
    let mut after = None;
    loop {
        let found = tx.scan::<D>(&scan.clone().after(after).limit(1000))?;
        let matches = found.items.iter().filter(|item| {
            query.filter.as_ref().is_none_or(|filter| filter.matches(&D::show(item)))
        });
        count += matches.count() as u64;
        match found.next {
            Some(mark) => after = Some(mark),
            None => return Ok(count),
        }
    }
}

/// Where in the list of a key a document stands.
fn mark<D: Entity>(found: &Found<D>, key: &str) -> Mark {
    let value = found.keys().into_iter().find(|(name, _)| *name == key);
    Mark { value: value.map(|(_, value)| value).unwrap_or_default(), id: found.id().to_owned() }
}

/// A token that says nothing to who gets it.
pub(super) fn seal(what: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(what).unwrap_or_default())
}

pub(super) fn open<T: DeserializeOwned>(token: &str) -> Result<T, GraphError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(|| {
        let message = "The specified page token value is invalid or has expired.";
        GraphError::new(StatusCode::BAD_REQUEST, "Directory_ExpiredPageToken", message)
    })
}

/// A page of objects that are few and not kept by key: all of them are looked at.
pub(super) fn short(
    query: &Query,
    all: Vec<Map<String, Value>>,
    max: usize,
) -> Result<Page, GraphError> {
    let size = query.page_size(max.min(100), max)?;
    let mut chosen: Vec<Map<String, Value>> = all
        .into_iter()
        .filter(|object| query.filter.as_ref().is_none_or(|filter| filter.matches(object)))
        .collect();
    if let Some(order) = &query.order {
        let key = |object: &Map<String, Value>| {
            object.get(&order.property).map(|value| value.to_string().to_lowercase())
        };
        chosen.sort_by_key(key);
        if order.backwards {
            chosen.reverse();
        }
    }
    let from: usize = query.skip_token.as_deref().map(open).transpose()?.unwrap_or_default();
    let count = (query.count && query.skip_token.is_none()).then_some(chosen.len() as u64);
    let next = (chosen.len() > from + size).then(|| seal(&(from + size)));
    let objects = chosen.into_iter().skip(from).take(size).collect();
    Ok(Page { objects, next, count })
}

impl Call {
    /// A page as an answer; its objects are projected already.
    pub(super) fn collection(&self, fragment: &str, page: Page) -> Response {
        self.collection_at(self.context(fragment), page)
    }

    /// The same, of a shape that is described elsewhere.
    pub(super) fn collection_at(&self, context: String, page: Page) -> Response {
        let mut body = Map::new();
        body.insert("@odata.context".to_owned(), context.into());
        if let Some(count) = page.count {
            body.insert("@odata.count".to_owned(), count.into());
        }
        let objects = page.objects.into_iter().map(Value::Object).collect();
        body.insert("value".to_owned(), Value::Array(objects));
        if let Some(next) = page.next {
            body.insert("@odata.nextLink".to_owned(), self.link("skiptoken", &next).into());
        }
        ok(body)
    }
}

impl Page {
    pub(super) fn map(self, change: impl FnMut(Map<String, Value>) -> Map<String, Value>) -> Self {
        Self { objects: self.objects.into_iter().map(change).collect(), ..self }
    }
}
