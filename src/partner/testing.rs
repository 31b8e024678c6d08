//! Servers that say what a test lets them say, reached in process, and a log of what they were asked.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;

use super::Connection;
use super::auth::{Credentials, Endpoints, Tokens, Vault};
use super::clock::Clock;
use super::pace::Pacer;
use super::retry::Patience;
use super::transport::{Arrival, Inside, Lost, Transport};
use crate::model::cloud::Cloud;
use crate::model::project;

/// A request as a server saw it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) host: String,
    /// With its query, as it came.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// A field of a form.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        self.body
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| {
                percent_encoding::percent_decode_str(value).decode_utf8().unwrap().into_owned()
            })
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Asked>>>);

impl Log {
    pub(crate) fn all(&self) -> Vec<Asked> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// A server that answers by a function of the request and of how many came before.
pub(crate) fn server<R: IntoResponse>(
    answer: impl Fn(&Asked, usize) -> R + Clone + Send + Sync + 'static,
) -> (Arc<dyn Transport>, Log) {
    let log = Log::default();
    let kept = log.clone();
    let handler = move |request: http::Request<Body>| {
        let (answer, log) = (answer.clone(), kept.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let asked = Asked {
                method: parts.method.to_string(),
                host: parts.uri.authority().map(ToString::to_string).unwrap_or_default(),
                path: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
                headers: parts.headers,
                body: String::from_utf8(body.to_vec()).unwrap(),
            };
            let before = log.len();
            log.0.lock().unwrap().push(asked.clone());
            answer(&asked, before).into_response()
        }
    };
    (Arc::new(Inside::new(Router::new().fallback(handler))), log)
}

pub(crate) fn json(status: u16, body: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, [("content-type", "application/json")], body.to_owned()).into_response()
}

/// A way on which some requests get lost.
#[derive(Debug)]
pub(crate) struct Lossy {
    pub(crate) to: Arc<dyn Transport>,
    /// What becomes of each request in turn; those after the last get through.
    pub(crate) losses: Mutex<Vec<Option<Arrival>>>,
}

impl Transport for Lossy {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, Lost>> {
        let fate = {
            let mut losses = self.losses.lock().unwrap();
            if losses.is_empty() { None } else { losses.remove(0) }
        };
        Box::pin(async move {
            match fate {
                Some(Arrival::No) => Err(Lost::never_sent("no connection")),
                Some(Arrival::Possible) => {
                    drop(self.to.send(request).await);
                    Err(Lost::on_the_way("the connection broke"))
                }
                None => self.to.send(request).await,
            }
        })
    }
}

pub(crate) fn clock() -> Clock {
    Clock::counting_from("2026-01-09T02:02:12Z".parse::<Timestamp>().unwrap())
}

pub(crate) fn endpoints() -> Endpoints {
    Endpoints::new(Cloud::Global, &project::Endpoints::default()).unwrap()
}

/// A connection that needs no sign-in.
pub(crate) fn connection(transport: Arc<dyn Transport>) -> Connection {
    connection_with(transport, Credentials::Bearer(SecretString::from("canary-access-token")))
}

pub(crate) fn connection_with(
    transport: Arc<dyn Transport>,
    credentials: Credentials,
) -> Connection {
    let (clock, endpoints) = (clock(), endpoints());
    let vault = Vault::with_environment("/nonexistent", Arc::new(|_| None));
    let tokens = Tokens::new(
        Arc::clone(&transport),
        endpoints.clone(),
        "fabrikam.onmicrosoft.com",
        credentials,
        vault,
        clock,
    );
    Connection {
        transport,
        endpoints,
        tokens: Arc::new(tokens),
        pacer: Pacer::new(clock),
        clock,
        patience: Patience::default(),
    }
}
