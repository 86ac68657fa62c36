//! TLS for pages and API: handshakes are made beside the listener, so that one that dawdles holds up nobody, and
//! the certificate may be replaced while connections stand.

use super::guard::{Connection, Guarded};
use axum::serve::Listener;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::server::TlsStream;

/// A handshake that takes longer is cut. How many there are at once is bounded by the guard's places.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// What is shown to who connects; another may take its place.
pub type TlsNow = watch::Receiver<Arc<ServerConfig>>;

/// What is shown, of a certificate with what leads to its authority, and its key.
///
/// # Errors
///
/// What rustls says against them.
pub fn shown(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let building = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth();
    let mut config = building.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// A listener, with TLS if there is a certificate.
pub(super) struct Secured {
    guarded: Guarded,
    tls: Option<TlsNow>,
    shaking: JoinSet<Option<(Io, SocketAddr)>>,
}

impl Secured {
    pub(super) fn new(guarded: Guarded, tls: Option<TlsNow>) -> Self {
        Self { guarded, tls, shaking: JoinSet::new() }
    }
}

impl Listener for Secured {
    type Io = Io;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Io, SocketAddr) {
        loop {
            let tls = self.tls.as_ref().map(|tls| Arc::clone(&tls.borrow()));
            tokio::select! {
                (stream, from) = self.guarded.accept() => {
                    let Some(tls) = tls else { return (Io::Plain(Box::new(stream)), from) };
                    self.shaking.spawn(async move {
                        let shaken = TlsAcceptor::from(tls).accept(stream);
                        let stream = tokio::time::timeout(HANDSHAKE, shaken).await.ok()?.ok()?;
                        Some((Io::Tls(Box::new(stream)), from))
                    });
                }
                Some(shaken) = self.shaking.join_next() => {
                    // A broken handshake is its sender's.
                    if let Ok(Some(made)) = shaken {
                        return made;
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.guarded.local_addr()
    }
}

/// A connection, encrypted or not.
pub(super) enum Io {
    Plain(Box<Connection>),
    Tls(Box<TlsStream<Connection>>),
}

impl AsyncRead for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
