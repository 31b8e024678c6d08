//! What may be asked of the tenant, in two types: what only reads, and what changes something.
//!
//! A [`Reading`] cannot be made to change anything: it is a `GET`, a `HEAD`, or a Graph batch of
//! `GET`s. Whoever holds only the reading end of a line can send nothing else.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use secrecy::SecretString;
use serde::Serialize;
use uuid::Uuid;

/// The two services that make up a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    PartnerCenter,
    Graph,
}

/// What shares one limit of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Everything below `/customers`: the one limit that Partner Center publishes.
    Customers,
    /// Profiles, relationships, roles, agreements.
    Account,
    /// The audit log.
    Audit,
    /// Users, groups, roles of our directory.
    Directory,
    /// Changes there, which have a limit of their own.
    DirectoryChanges,
    /// Delegated access.
    Delegation,
}

impl Class {
    pub const ALL: [Self; 6] = [
        Self::Customers,
        Self::Account,
        Self::Audit,
        Self::Directory,
        Self::DirectoryChanges,
        Self::Delegation,
    ];

    pub const fn service(self) -> Service {
        match self {
            Self::Customers | Self::Account | Self::Audit => Service::PartnerCenter,
            Self::Directory | Self::DirectoryChanges | Self::Delegation => Service::Graph,
        }
    }
}

/// When a request may be sent again although it may have had its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Never: twice would do it twice.
    Never,
    /// Always: twice is as good as once.
    Freely,
    /// With the same MS-RequestId, by which the service knows it again.
    WithKey(Uuid),
}

/// A request as it will be sent, but for its token and tracing ids.
#[derive(Clone)]
pub struct Request {
    pub(super) class: Class,
    pub(super) method: Method,
    /// Below the service's base address, query included.
    pub(super) path: String,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
    pub(super) repeat: Repeat,
    pub(super) is_changing: bool,
    /// How many calls the service counts this as.
    pub(super) cost: u32,
    /// What its body holds and no message may repeat.
    pub(super) secrets: Vec<SecretString>,
}

impl fmt::Debug for Request {
    /// Without headers and body, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("class", &self.class)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("repeat", &self.repeat)
            .field("is_changing", &self.is_changing)
            .finish_non_exhaustive()
    }
}

/// A request that changes nothing.
#[derive(Debug, Clone)]
pub struct Reading(Request);

/// A request that changes something.
#[derive(Debug, Clone)]
pub struct Changing(Request);

/// One question in a Graph batch; there is no other sort of item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BatchItem {
    pub id: String,
    method: Get,
    /// Relative to `/v1.0`.
    pub url: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<&'static str, &'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Get {
    Get,
}

/// The most that a batch may hold.
pub const BATCH_ITEMS_MAX: usize = 20;

impl BatchItem {
    pub fn get(id: impl Into<String>, url: impl Into<String>) -> Self {
        Self { id: id.into(), method: Get::Get, url: url.into(), headers: BTreeMap::new() }
    }

    #[must_use]
    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.insert(name, value);
        self
    }
}

impl Reading {
    pub fn get(class: Class, path: impl Into<String>) -> Self {
        Self::of(class, Method::GET, path.into())
    }

    /// Asks whether something is there.
    pub fn head(class: Class, path: impl Into<String>) -> Self {
        Self::of(class, Method::HEAD, path.into())
    }

    /// Asks up to [`BATCH_ITEMS_MAX`] questions at once.
    pub fn batch(class: Class, items: &[BatchItem]) -> Self {
        #[derive(Serialize)]
        struct Batch<'a> {
            requests: &'a [BatchItem],
        }
        let mut reading = Self::of(class, Method::POST, "/v1.0/$batch".to_owned());
        reading.0.body = body(&Batch { requests: items });
        reading.0.cost = u32::try_from(items.len()).unwrap_or(u32::MAX).max(1);
        reading
    }

    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.0.header(name, value);
        self
    }

    fn of(class: Class, method: Method, path: String) -> Self {
        Self(Request {
            class,
            method,
            path,
            headers: Vec::new(),
            body: Bytes::new(),
            repeat: Repeat::Freely,
            is_changing: false,
            cost: 1,
            secrets: Vec::new(),
        })
    }

    pub(super) fn request(&self) -> &Request {
        &self.0
    }
}

impl Changing {
    pub(super) fn new(class: Class, method: Method, path: String, repeat: Repeat) -> Self {
        Self(Request { is_changing: true, repeat, ..Reading::of(class, method, path).0 })
    }

    #[must_use]
    pub(super) fn json(mut self, value: &impl Serialize) -> Self {
        self.0.body = body(value);
        self
    }

    #[must_use]
    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.0.header(name, value);
        self
    }

    /// Says what in the body must be kept out of every message.
    #[must_use]
    pub(super) fn keeping_out(mut self, secret: &SecretString) -> Self {
        self.0.secrets.push(secret.clone());
        self
    }

    pub(super) fn request(&self) -> &Request {
        &self.0
    }
}

impl Request {
    /// A value that no header can hold is left out: the service then says what it misses.
    fn header(&mut self, name: &'static str, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
    }
}

/// Our own bodies have text keys and no maps that could fail.
fn body(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).map(Bytes::from).unwrap_or_default()
}

/// A part of a path or a value of a query, with everything escaped that could end it.
pub(super) fn escaped(text: &str) -> impl fmt::Display + '_ {
    const ALL_BUT_PLAIN: percent_encoding::AsciiSet =
        percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    percent_encoding::utf8_percent_encode(text, &ALL_BUT_PLAIN)
}

/// A text within an OData filter.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
