//! The emulator behind a socket, with or without TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use http::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};
use tower::ServiceExt;

use super::Emulator;
use super::http::origin::Tls;
use super::store::StoreError;

/// Put into a request: whoever is at the other end of its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer(pub SocketAddr);

/// A certificate that vouches for itself, and its key: made once per store.
#[derive(Clone, Serialize, Deserialize)]
struct SelfSigned {
    certificate: String,
    key: String,
}

const SETTING: &str = "certificate";

/// Why TLS cannot be spoken.
#[derive(Debug)]
pub enum TlsError {
    Store(StoreError),
    Certificate(rcgen::Error),
    Pem(rustls::pki_types::pem::Error),
    Tls(rustls::Error),
}

impl std::fmt::Display for TlsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Store(_) => "the store",
            Self::Certificate(_) => "a certificate could not be made",
            Self::Pem(_) => "the kept certificate cannot be read",
            Self::Tls(_) => "TLS could not be set up",
        })
    }
}

impl std::error::Error for TlsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(match self {
            Self::Store(source) => source,
            Self::Certificate(source) => source,
            Self::Pem(source) => source,
            Self::Tls(source) => source,
        })
    }
}

impl From<StoreError> for TlsError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A certificate to be trusted, and what speaks with it.
#[derive(Clone)]
pub struct Secured {
    /// As PEM: who connects has to trust it.
    pub certificate: String,
    acceptor: TlsAcceptor,
}

impl std::fmt::Debug for Secured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secured").finish_non_exhaustive()
    }
}

impl Emulator {
    /// A certificate for this machine and a host, and TLS with it.
    pub fn secure(&self, host: &str) -> Result<Secured, TlsError> {
        let kept = self.world.store().read(|tx| tx.setting::<SelfSigned>(SETTING))?;
        let pair = match kept {
            Some(pair) => pair,
            None => self.make_certificate(host)?,
        };
        let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes());
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).map_err(TlsError::Pem)?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Tls)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.map_err(TlsError::Pem)?], key)
            .map_err(TlsError::Tls)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Secured { certificate: pair.certificate, acceptor })
    }

    fn make_certificate(&self, host: &str) -> Result<SelfSigned, TlsError> {
        let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        if !names.iter().any(|name| name == host) {
            names.push(host.to_owned());
        }
        let made = rcgen::generate_simple_self_signed(names).map_err(TlsError::Certificate)?;
        let pair =
            SelfSigned { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() };
        self.world.store().write(|tx| tx.set(SETTING, &pair))?;
        Ok(pair)
    }

    /// Answers whoever connects, until it is told to stop.
    pub async fn serve(
        &self,
        listener: TcpListener,
        secured: Option<Secured>,
        stop: impl Future<Output = ()>,
    ) {
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    drop(stream.set_nodelay(true));
                    let emulator = self.clone();
                    let secured = secured.clone();
                    tokio::spawn(async move {
                        match secured {
                            None => emulator.connection(stream, peer, false).await,
                            Some(secured) => match secured.acceptor.accept(stream).await {
                                Ok(stream) => emulator.connection(stream, peer, true).await,
                                Err(error) => tracing::debug!(%error, %peer, "no TLS"),
                            },
                        }
                    });
                }
                // Such as too many open files: others may end meanwhile.
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn connection(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: SocketAddr,
        is_tls: bool,
    ) {
        let service = self.service().map_request(move |request: Request<hyper::body::Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            if is_tls {
                request.extensions_mut().insert(Tls);
            }
            request
        });
        let service = TowerToHyperService::new(service);
        // An error is a connection that broke off: ours on purpose, or theirs.
        let served = Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), service)
            .await;
        if let Err(error) = served {
            tracing::debug!(%error, %peer, "a connection ended");
        }
    }
}

/// Whether a request comes from this machine: in process it does.
pub(crate) fn is_from_here(peer: Option<&Peer>) -> bool {
    peer.is_none_or(|peer| peer.0.ip().is_loopback())
}
