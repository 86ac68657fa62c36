//! A connection to a host outside, for one request: its name is looked up once, its addresses are judged, and TLS
//! believes the authorities that it is given.

use super::address::is_public;
use super::{Failed, NoWay, Unreached};
use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// One address of the host gets so long to take a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Addresses of one name that are tried.
const MOST_ADDRESSES: usize = 4;
/// Of an answer the status line and the headers are read, up to so many bytes.
const MOST_HEADERS: usize = 16 << 10;

/// A way to hosts outside.
pub(super) struct Out {
    tls: TlsConnector,
    private: bool,
}

impl Out {
    /// With these authorities, or else those of the machine; `private` says whether addresses that are not for
    /// everybody are connected to.
    ///
    /// # Errors
    ///
    /// [`NoWay`] when TLS takes none of the authorities.
    pub(super) fn new(
        authorities: &[CertificateDer<'static>],
        private: bool,
    ) -> Result<Self, NoWay> {
        let mut roots = RootCertStore::empty();
        if authorities.is_empty() {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        for authority in authorities {
            roots.add(authority.clone())?;
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: TlsConnector::from(Arc::new(tls)), private })
    }

    /// Says it once, over a connection of its own; the answer's body is still to be read. `hold` is what must be
    /// done with the answer while the connection lives.
    pub(super) async fn say<T>(
        &self,
        url: &Uri,
        request: Request<Full<Bytes>>,
        hold: impl AsyncFnOnce(Response<Incoming>) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let host = url.host().unwrap_or_default();
        let is_tls = url.scheme_str() == Some("https");
        let port = url.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let unreachable =
            |why: Unreached| Failed::Unreachable { to: format!("{host}:{port}"), why };
        let stream = self.connect(host, port).await.map_err(unreachable)?;
        if is_tls {
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            let name = ServerName::try_from(bare.to_owned())
                .map_err(|_| unreachable(Unreached::NoAddress))?;
            let stream = self.tls.connect(name, stream).await;
            let stream = stream.map_err(|error| unreachable(error.into()))?;
            ask(TokioIo::new(stream), request, &unreachable, hold).await
        } else {
            ask(TokioIo::new(stream), request, &unreachable, hold).await
        }
    }

    /// To one of the addresses that were judged: the name is not looked up again behind that.
    async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, Unreached> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let found: Vec<SocketAddr> = match bare.parse::<IpAddr>() {
            Ok(ip) => vec![SocketAddr::new(ip, port)],
            Err(_) => tokio::net::lookup_host((bare, port)).await?.collect(),
        };
        let allowed = |it: &&SocketAddr| self.private || is_public(it.ip());
        let mut failed = match found.first() {
            None => Unreached::NoAddress,
            Some(first) => Unreached::Private { found: first.ip() },
        };
        for address in found.iter().filter(allowed).take(MOST_ADDRESSES) {
            match timeout(CONNECT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => failed = error.into(),
                Err(_) => {
                    failed = std::io::Error::from(std::io::ErrorKind::TimedOut).into();
                }
            }
        }
        Err(failed)
    }
}

/// For the Host header: names and passwords in an URL are no part of it (RFC 9110 §7.2).
pub(super) fn host_of(url: &Uri) -> &str {
    let authority = url.authority().map(http::uri::Authority::as_str).unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

async fn ask<S, T>(
    stream: S,
    request: Request<Full<Bytes>>,
    unreachable: &impl Fn(Unreached) -> Failed,
    hold: impl AsyncFnOnce(Response<Incoming>) -> Result<T, Failed>,
) -> Result<T, Failed>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin,
{
    let broken = |error: hyper::Error| unreachable(error.into());
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(MOST_HEADERS)
        .handshake(stream)
        .await
        .map_err(broken)?;
    let mut connection = std::pin::pin!(connection);
    let mut held = std::pin::pin!(async {
        let answer = sender.send_request(request).await.map_err(broken)?;
        hold(answer).await
    });
    // The connection must be driven for the answer to come; it may end together with it.
    tokio::select! {
        biased;
        held = &mut held => held,
        ended = &mut connection => {
            ended.map_err(broken)?;
            held.await
        }
    }
}
