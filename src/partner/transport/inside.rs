//! Into a service within this process: the same bytes, no socket.

use std::fmt;
use std::sync::Mutex;

use axum::body::Body;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Limited};
use tower::{Service, ServiceExt};

use super::{ANSWER_BYTES_MAX, Lost, Transport};

/// Any service that speaks HTTP: a router, for one.
pub struct Inside<S> {
    // A clone per request; the lock is held only for cloning, so that services need not be `Sync`.
    service: Mutex<S>,
}

impl<S> Inside<S> {
    pub fn new(service: S) -> Self {
        Self { service: Mutex::new(service) }
    }
}

impl<S> fmt::Debug for Inside<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inside")
    }
}

impl<S> Transport for Inside<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>> + Clone + Send,
    S::Error: fmt::Display + Send,
    S::Future: Send,
{
    fn send(
        &self,
        mut request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, Lost>> {
        async move {
            // What a client over a socket would do: servers make links from this header.
            if let Some(authority) = request.uri().authority()
                && !request.headers().contains_key(http::header::HOST)
                && let Ok(host) = http::HeaderValue::from_str(authority.as_str())
            {
                request.headers_mut().insert(http::header::HOST, host);
            }
            let service =
                self.service.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
            // A service that gives up says nothing about whether it did what was asked.
            let response =
                service.oneshot(request.map(Body::from)).await.map_err(Lost::on_the_way)?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX)
                .collect()
                .await
                .map_err(Lost::on_the_way)?
                .to_bytes();
            Ok(http::Response::from_parts(parts, body))
        }
        .boxed()
    }
}
