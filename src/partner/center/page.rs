//! Partner Center's pages: a link with headers, to be followed with them, until there is none.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::super::error::{Error, Place};
use super::super::json;
use super::super::line::ReadingLine;
use super::super::request::{Class, Reading, Service};

/// What a token that is too old, or that the service lost, is answered with.
const BAD_TOKEN: &str = "800002";
/// How often a listing that broke off is begun again.
const RESTARTS_MAX: u32 = 3;

/// A page of a collection. `totalCount` is not read: the documents contradict each other about what
/// it counts.
#[derive(Debug, Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub(in crate::partner) struct Collection<T> {
    #[serde(default = "Vec::new", deserialize_with = "items")]
    pub(in crate::partner) items: Vec<T>,
    #[serde(default, deserialize_with = "json::or_default")]
    links: Links,
}

fn items<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    json::or_default(deserializer)
}

#[derive(Debug, Default, Deserialize)]
struct Links {
    #[serde(default)]
    next: Option<Link>,
}

#[derive(Debug, Clone, Deserialize)]
struct Link {
    #[serde(default)]
    uri: String,
    #[serde(default, deserialize_with = "json::or_default")]
    headers: Vec<Pair>,
}

#[derive(Debug, Clone, Deserialize)]
struct Pair {
    key: String,
    value: json::Text,
}

/// Some collections come as a bare list.
#[derive(Debug, Deserialize)]
#[serde(untagged, bound = "T: Deserialize<'de>")]
pub(in crate::partner) enum Listed<T> {
    Bare(Vec<T>),
    Collection(Collection<T>),
}

impl<T> Listed<T> {
    pub(in crate::partner) fn items(self) -> Vec<T> {
        match self {
            Self::Bare(items) | Self::Collection(Collection { items, .. }) => items,
        }
    }
}

/// A whole collection.
#[derive(Debug)]
pub(in crate::partner) struct Whole<T> {
    pub(in crate::partner) items: Vec<T>,
    /// The service's time when the first page came.
    pub(in crate::partner) date: Option<Timestamp>,
}

/// Reads all pages from a path on.
pub(in crate::partner) async fn all<T: DeserializeOwned>(
    line: &ReadingLine,
    class: Class,
    path: &str,
) -> Result<Whole<T>, Error> {
    let mut restarts = 0;
    loop {
        match once(line, class, path).await {
            Err(Error::Refused(refusal))
                if refusal.code.as_deref() == Some(BAD_TOKEN) && restarts < RESTARTS_MAX =>
            {
                restarts += 1;
                tracing::debug!(path, restarts, "a page was lost: the listing begins again");
            }
            whole => return whole,
        }
    }
}

async fn once<T: DeserializeOwned>(
    line: &ReadingLine,
    class: Class,
    path: &str,
) -> Result<Whole<T>, Error> {
    let mut reading = Reading::get(class, path);
    let mut whole = Whole { items: Vec::new(), date: None };
    let mut seen = BTreeSet::new();
    loop {
        let answer = line.read::<Collection<T>>(&reading).await?;
        whole.date = whole.date.or_else(|| answer.date());
        whole.items.extend(answer.body.items);
        let Some(next) = answer.body.links.next.filter(|next| !next.uri.is_empty()) else {
            return Ok(whole);
        };
        let path = line.followed(Service::PartnerCenter, &next.uri)?;
        let (following, token) = followed(class, path, &next.headers);
        if !seen.insert(token) {
            let place = Place {
                method: http::Method::GET,
                path: next.uri.split('?').next().unwrap_or_default().to_owned(),
            };
            return Err(Error::Unreadable {
                place,
                cause: "its pages go round in a circle".to_owned(),
            });
        }
        reading = following;
    }
}

/// The request for a page, with the header that says which; and what makes it this page.
///
/// Links are data: of their headers only those that page are copied.
fn followed(class: Class, path: String, headers: &[Pair]) -> (Reading, (String, String)) {
    const PAGING: &str = "ms-continuationtoken";
    let token = headers
        .iter()
        .find(|pair| pair.key.eq_ignore_ascii_case(PAGING))
        .map(|pair| pair.value.0.clone())
        .unwrap_or_default();
    let reading = Reading::get(class, path.clone());
    let reading = if token.is_empty() { reading } else { reading.header(PAGING, &token) };
    (reading, (path, token))
}
