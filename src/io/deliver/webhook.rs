//! One POST to the site's own receiver: signed, with an id, over a connection of its own.

use super::address::is_public;
use super::{Failed, NoWay, PATIENCE, Unreached};
use crate::base::Private;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER, USER_AGENT,
};
use http::{Method, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use sha2::Sha256;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// One address of the receiver gets so long to take a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Addresses of one name that are tried.
const MOST_ADDRESSES: usize = 4;
/// Of an answer the status line and the headers are read, up to so many bytes; its body is not.
const MOST_HEADERS: usize = 16 << 10;

/// Where to, and what it is signed by.
#[derive(Clone, Debug)]
pub struct WebhookConfig {
    /// `https://…`; `http://…` only where `private` is.
    pub url: Uri,
    /// Known to the receiver and to us.
    pub secret: Private<String>,
    /// Whether addresses that are not for everybody are connected to.
    pub private: bool,
    /// Authorities that the receiver's certificate may be signed by; none: those of the machine.
    pub authorities: Vec<CertificateDer<'static>>,
}

/// A way to the receiver.
pub struct Webhook {
    config: WebhookConfig,
    tls: TlsConnector,
}

/// The signature in the header `Madoguchi-Signature`: HMAC-SHA256 in hexadecimal over the time in seconds as
/// it stands in `Madoguchi-Timestamp`, a dot, and the body.
#[must_use]
pub fn signature(secret: &str, at_s: i64, body: &[u8]) -> String {
    // HMAC takes a key of any length (RFC 2104 §2).
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(at_s.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("v1={}", crate::base::hex(&mac.finalize().into_bytes()))
}

impl Webhook {
    /// Makes ready; connects to nobody.
    ///
    /// # Errors
    ///
    /// [`NoWay`] when TLS takes none of the authorities.
    pub fn new(config: WebhookConfig) -> Result<Self, NoWay> {
        let mut roots = RootCertStore::empty();
        if config.authorities.is_empty() {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        for authority in &config.authorities {
            roots.add(authority.clone())?;
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { config, tls: TlsConnector::from(Arc::new(tls)) })
    }

    /// Says it once. `id` is the same for every try; `at_s` is now, in seconds since 1970, and signed. A 2xx
    /// is a yes, whatever else the answer says. Dropping it ends the connection.
    ///
    /// # Errors
    ///
    /// [`Failed`]; the receiver may have it all the same.
    pub async fn post(&self, id: &str, at_s: i64, body: String) -> Result<(), Failed> {
        timeout(PATIENCE, self.say(id, at_s, body)).await.unwrap_or(Err(Failed::TimedOut))
    }

    async fn say(&self, id: &str, at_s: i64, body: String) -> Result<(), Failed> {
        let url = &self.config.url;
        let host = url.host().unwrap_or_default();
        let is_tls = url.scheme_str() == Some("https");
        let port = url.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let unreachable =
            |why: Unreached| Failed::Unreachable { to: format!("{host}:{port}"), why };
        let request = self.request(id, at_s, body).map_err(unreachable)?;
        let stream = self.connect(host, port).await.map_err(unreachable)?;
        let answer = if is_tls {
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            let name = ServerName::try_from(bare.to_owned())
                .map_err(|_| unreachable(Unreached::NoAddress))?;
            let stream = self.tls.connect(name, stream).await;
            ask(TokioIo::new(stream.map_err(|error| unreachable(error.into()))?), request).await
        } else {
            ask(TokioIo::new(stream), request).await
        };
        judge(&answer.map_err(|error| unreachable(error.into()))?)
    }

    fn request(
        &self,
        id: &str,
        at_s: i64,
        body: String,
    ) -> Result<Request<Full<Bytes>>, Unreached> {
        let url = &self.config.url;
        let authority = url.authority().map(http::uri::Authority::as_str).unwrap_or_default();
        // Names and passwords in an URL are no part of the Host header (RFC 9110 §7.2).
        let host = authority.rsplit('@').next().unwrap_or_default();
        let target = url.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let request = Request::builder()
            .method(Method::POST)
            .uri(target)
            .header(HOST, host)
            .header(USER_AGENT, concat!("madoguchi/", env!("CARGO_PKG_VERSION")))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(CONTENT_LENGTH, body.len())
            .header(CONNECTION, HeaderValue::from_static("close"))
            .header("Idempotency-Key", id)
            .header("Madoguchi-Timestamp", at_s)
            .header(
                "Madoguchi-Signature",
                signature(self.config.secret.reveal(), at_s, body.as_bytes()),
            )
            .body(Full::new(Bytes::from(body)));
        request.map_err(|error| std::io::Error::other(error).into())
    }

    /// To one of the addresses that were judged: the name is not looked up again behind that.
    async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, Unreached> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let found: Vec<SocketAddr> = match bare.parse::<IpAddr>() {
            Ok(ip) => vec![SocketAddr::new(ip, port)],
            Err(_) => tokio::net::lookup_host((bare, port)).await?.collect(),
        };
        let allowed = |it: &&SocketAddr| self.config.private || is_public(it.ip());
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

async fn ask<S>(
    stream: S,
    request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, hyper::Error>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin,
{
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(MOST_HEADERS)
        .handshake(stream)
        .await?;
    let (mut connection, mut answer) =
        (std::pin::pin!(connection), std::pin::pin!(sender.send_request(request)));
    // The connection must be driven for the answer to come; it may end together with it.
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        ended = &mut connection => {
            ended?;
            answer.await
        }
    }
}

fn judge<B>(answer: &Response<B>) -> Result<(), Failed> {
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    // A date is not read: the bounds of our own pauses hold then.
    let retry_after = after.and_then(|after| after.trim().parse().ok()).map(Duration::from_secs);
    let (status, is_redirect) = (status.as_u16(), status.is_redirection());
    Err(Failed::Refused { status, retry_after, is_redirect })
}
