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

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpListener};

    use super::*;
    use crate::partner::transport::Arrival;

    fn request(port: u16) -> http::Request<Bytes> {
        http::Request::post(format!("http://127.0.0.1:{port}/secret-path"))
            .body(Bytes::from_static(b"{}"))
            .unwrap()
    }

    /// A server for one connection: reads a request and answers with these bytes.
    fn answers(bytes: &'static [u8]) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut read = [0; 4096];
            let mut seen = Vec::new();
            while !seen.ends_with(b"{}") {
                let n = stream.read(&mut read).unwrap();
                seen.extend_from_slice(&read[..n]);
            }
            stream.write_all(bytes).unwrap();
            stream.shutdown(Shutdown::Both).ok();
        });
        port
    }

    #[tokio::test]
    async fn what_never_left_and_what_may_have_arrived_are_told_apart() {
        let nobody = {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap().port()
        };
        let network = Network::new().unwrap();
        let lost = network.send(request(nobody)).await.unwrap_err();
        assert_eq!(lost.arrival, Arrival::No, "{lost:?}");
        for broken in [&b""[..], b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"] {
            let lost = network.send(request(answers(broken))).await.unwrap_err();
            assert_eq!(lost.arrival, Arrival::Possible, "{lost:?}");
            assert!(!lost.cause.contains("secret-path"), "{lost:?}");
        }
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_not_followed() {
        let port = answers(
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        );
        let answer = Network::new().unwrap().send(request(port)).await.unwrap();
        assert_eq!(answer.status(), 302);
    }

    #[tokio::test]
    async fn nobody_is_waited_for_without_end() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let network = Network::with_timeout(Duration::from_millis(200)).unwrap();
        let lost = network.send(request(port)).await.unwrap_err();
        assert_eq!(lost.arrival, Arrival::Possible, "{lost:?}");
    }
}
