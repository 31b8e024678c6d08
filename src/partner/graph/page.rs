//! Graph's pages: a link that is followed as it is, until there is none.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::error::{Error, Place};
use super::super::json;
use super::super::line::ReadingLine;
use super::super::request::{Class, Reading, Service};

/// No honest collection has more: a service that goes on for ever is not followed for ever.
const PAGES_MAX: usize = 20_000;

/// One page.
#[derive(Debug, Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub(in crate::partner) struct Page<T> {
    #[serde(default = "Vec::new", deserialize_with = "items")]
    pub(in crate::partner) value: Vec<T>,
    #[serde(default, rename = "@odata.nextLink")]
    pub(in crate::partner) next: Option<String>,
    #[serde(default, rename = "@odata.deltaLink")]
    pub(in crate::partner) delta: Option<String>,
}

fn items<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    json::or_default(deserializer)
}

impl<T> Page<T> {
    pub(in crate::partner) fn empty() -> Self {
        Self { value: Vec::new(), next: None, delta: None }
    }
}

impl Page<Value> {
    /// The same page, of something in particular.
    pub(in crate::partner) fn typed<T: DeserializeOwned>(self) -> Result<Page<T>, Error> {
        let value =
            self.value.into_iter().map(serde_json::from_value::<T>).collect::<Result<_, _>>();
        let value = value.map_err(|error| Error::Unreadable {
            place: Place { method: http::Method::GET, path: "/v1.0/$batch".to_owned() },
            cause: format!("{:?} error in a page of a batch", error.classify()),
        })?;
        Ok(Page { value, next: self.next, delta: self.delta })
    }
}

/// A whole collection.
#[derive(Debug)]
pub(in crate::partner) struct Whole<T> {
    pub(in crate::partner) items: Vec<T>,
    pub(in crate::partner) delta: Option<String>,
    /// The service's time when the first page came.
    pub(in crate::partner) date: Option<Timestamp>,
}

/// Reads all pages from a path on.
pub(in crate::partner) async fn all<T: DeserializeOwned>(
    line: &ReadingLine,
    class: Class,
    path: String,
) -> Result<Whole<T>, Error> {
    let answer = line.read::<Page<T>>(&Reading::get(class, path)).await?;
    let date = answer.date();
    let rest = rest_of(line, class, answer.body).await?;
    Ok(Whole { date, ..rest })
}

/// Reads what comes after a page that is there already.
pub(in crate::partner) async fn rest_of<T: DeserializeOwned>(
    line: &ReadingLine,
    class: Class,
    first: Page<T>,
) -> Result<Whole<T>, Error> {
    let Page { value: mut items, mut next, mut delta } = first;
    let mut pages = 1;
    while let Some(link) = next.take() {
        let path = line.followed(Service::Graph, &link)?;
        pages += 1;
        if pages > PAGES_MAX {
            let place = Place { method: http::Method::GET, path };
            return Err(Error::Unreadable { place, cause: "its pages do not end".to_owned() });
        }
        let page = line.read::<Page<T>>(&Reading::get(class, path)).await?.body;
        items.extend(page.value);
        next = page.next.filter(|next| *next != link);
        delta = page.delta.or(delta);
    }
    Ok(Whole { items, delta, date: None })
}
