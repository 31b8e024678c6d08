//! Over the network: TLS, HTTP/2 where the other side has it, compression, proxies from the
//! environment.

use std::error::Error;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{ANSWER_BYTES_MAX, Lost, Transport};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// As the service's own clients have it. A ledger's lease must outlive it.
pub const REQUEST_TIMEOUT: Duration = Duration::from_mins(3);

/// A pool of connections.
#[derive(Debug, Clone)]
pub struct Network {
    client: reqwest::Client,
}

impl Network {
    pub fn new() -> Result<Self, Lost> {
        Self::with_timeout(REQUEST_TIMEOUT)
    }

    /// With another patience for one request, connecting included.
    pub fn with_timeout(timeout: Duration) -> Result<Self, Lost> {
        reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .timeout(timeout)
            .gzip(true)
            // Nothing we ask redirects honestly, and a token must not follow one.
            .redirect(reqwest::redirect::Policy::none())
            // Repeats are ours to decide: only we know what is safe to send twice.
            .retry(reqwest::retry::never())
            .user_agent(concat!("partnerctl/", env!("CARGO_PKG_VERSION")))
            .build()
            .map(|client| Self { client })
            .map_err(|error| Lost::never_sent(chain(error)))
    }
}

impl Transport for Network {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, Lost>> {
        async move {
            let request = reqwest::Request::try_from(request)
                .map_err(|error| Lost::never_sent(chain(error)))?;
            let mut response = self.client.execute(request).await.map_err(lost)?;
            let mut answer = http::Response::new(Bytes::new());
            *answer.status_mut() = response.status();
            *answer.headers_mut() = std::mem::take(response.headers_mut());
            let mut body = BytesMut::new();
            while let Some(chunk) = response.chunk().await.map_err(lost)? {
                if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                    return Err(Lost::on_the_way("the answer is far too long"));
                }
                body.extend_from_slice(&chunk);
            }
            *answer.body_mut() = body.freeze();
            Ok(answer)
        }
        .boxed()
    }
}

fn lost(error: reqwest::Error) -> Lost {
    // Without a connection nothing was sent; in any other case the request may have arrived.
    if error.is_connect() || error.is_builder() {
        Lost::never_sent(chain(error))
    } else {
        Lost::on_the_way(chain(error))
    }
}

/// All that an error says, without the address: addresses hold names of customers.
fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = cause.source();
    }
    text
}
