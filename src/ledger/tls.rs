//! TLS for the connection to PostgreSQL: rustls, and a certificate is always verified.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rustls_platform_verifier::ConfigVerifierExt;
use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_rustls::{TlsConnector, client};

use super::error::LedgerError;

/// What an address says about TLS that the driver does not understand.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Somebody chose a mode.
    pub says_mode: bool,
    /// `verify-ca` or `verify-full`: not without TLS. Both verify everything here.
    pub verify: bool,
    /// Who vouches for the server, if not those whom the machine trusts.
    pub roots: Option<PathBuf>,
}

/// Takes out of an address what the driver does not know.
pub(super) fn take_options(url: &str) -> (SecretString, Wanted) {
    let mut wanted = Wanted::default();
    let is_url = url.starts_with("postgres://") || url.starts_with("postgresql://");
    let text = if is_url {
        let (before, query) = url.split_once('?').unwrap_or((url, ""));
        let kept: Vec<&str> = query.split('&').filter(|option| keep(option, &mut wanted)).collect();
        match kept.join("&") {
            query if query.is_empty() => before.to_owned(),
            query => format!("{before}?{query}"),
        }
    } else {
        let kept: Vec<&str> = url.split(' ').filter(|option| keep(option, &mut wanted)).collect();
        kept.join(" ")
    };
    (text.into(), wanted)
}

fn keep(option: &str, wanted: &mut Wanted) -> bool {
    match option.split_once('=') {
        Some(("sslmode", mode)) => {
            wanted.says_mode = true;
            wanted.verify = ["verify-ca", "verify-full"].contains(&mode);
            !wanted.verify
        }
        Some(("sslrootcert", path)) => {
            wanted.roots = (path != "system").then(|| PathBuf::from(path));
            false
        }
        _ => true,
    }
}

/// Makes connections secure.
#[derive(Clone)]
pub(super) struct Tls(Arc<ClientConfig>);

impl Tls {
    pub(super) fn new(roots: Option<&Path>) -> Result<Self, LedgerError> {
        let config = match roots {
            None => ClientConfig::with_platform_verifier()
                .map_err(|error| unusable("this machine", error))?,
            Some(path) => {
                let name = path.display().to_string();
                let mut store = RootCertStore::empty();
                let read = CertificateDer::pem_file_iter(path);
                for certificate in read.map_err(|error| unusable(&name, error))? {
                    let certificate = certificate.map_err(|error| unusable(&name, error))?;
                    store.add(certificate).map_err(|error| unusable(&name, error))?;
                }
                ClientConfig::builder().with_root_certificates(store).with_no_client_auth()
            }
        };
        Ok(Self(Arc::new(config)))
    }
}

fn unusable(place: &str, error: impl std::error::Error + Send + Sync + 'static) -> LedgerError {
    let place = format!("a database for which the certificates of {place} vouch");
    LedgerError::Unavailable { place, cause: Arc::new(error) }
}

/// Makes one connection secure.
pub(super) struct Connect(TlsConnector, String);

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Tls {
    type Stream = Stream<S>;
    type TlsConnect = Connect;
    type Error = io::Error;

    fn make_tls_connect(&mut self, domain: &str) -> io::Result<Connect> {
        // A socket has no name, and no TLS either: the name is looked at when it is needed.
        Ok(Connect(TlsConnector::from(Arc::clone(&self.0)), domain.to_owned()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Connect {
    type Stream = Stream<S>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Stream<S>>>;

    fn connect(self, stream: S) -> Self::Future {
        async move {
            let name = ServerName::try_from(self.1).map_err(io::Error::other)?;
            Ok(Stream(Box::new(self.0.connect(name, stream).await?)))
        }
        .boxed()
    }
}

/// A secure connection.
pub(super) struct Stream<S>(Box<client::TlsStream<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Stream<S> {
    // The certificate is verified, which is more than binding the password to it.
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
