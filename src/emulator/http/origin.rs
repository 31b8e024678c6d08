//! The origin that a request came by: links in answers must lead back to it.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::header::HOST;
use http::request::Parts;

/// Set by a listener that speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tls;

/// `https://host:port`, without a slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin(pub String);

/// The path as it came: within nested routes it is shortened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FullPath(pub String);

impl Origin {
    pub(crate) fn of(parts: &Parts) -> Self {
        let authority = parts.uri.authority().map(http::uri::Authority::as_str);
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        let is_tls = parts.extensions.get::<Tls>().is_some();
        let scheme = match parts.uri.scheme_str() {
            _ if is_tls => "https",
            Some(scheme) => scheme,
            None => "http",
        };
        Self(format!("{scheme}://{}", authority.or(host).unwrap_or("localhost")))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        // Within nested routes the address is shortened; the origin was taken down before.
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self::of(parts)))
    }
}
