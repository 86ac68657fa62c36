//! One question over HTTP/1.1 to one configured server, and its answer: a connection of its own, TLS that is
//! verified, addresses that are judged, no redirect followed, and a bound on everything.

use super::address::is_public;
use super::{Failed, NoWay, Unreached};
use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT,
};
use http::{Method, Request, Uri};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
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

/// One address of the server gets so long to take a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Addresses of one name that are tried.
const MOST_ADDRESSES: usize = 4;
/// Of an answer's status line and headers so many bytes are read.
const MOST_HEADERS: usize = 16 << 10;
/// Which server, and what is allowed.
#[derive(Clone, Debug)]
pub struct Server {
    /// `https://…`; `http://…` only where `private` is. What is asked for stands behind its path.
    pub url: Uri,
    /// Whether addresses that are not for everybody are connected to.
    pub private: bool,
    /// What in the configuration allows them, for the error.
    pub allowed_by: &'static str,
    /// Authorities that the server's certificate may be signed by; none: those of the machine.
    pub authorities: Vec<CertificateDer<'static>>,
    /// All of one question: looking the name up, connecting, asking, the answer.
    pub patience: Duration,
    /// Of an answer's body so many bytes are read; a longer one is no answer. 0: it is not read at all.
    pub most: usize,
}

/// A way to one server.
pub struct Client {
    config: Server,
    tls: TlsConnector,
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// How.
    pub method: Method,
    /// What, behind the server's path: `/issues.json?limit=1`; empty: the server's address itself.
    pub target: String,
    /// Beside Host, User-Agent, Content-Length and Connection.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Empty: none.
    pub body: Bytes,
}

impl Question {
    /// Without headers and body.
    #[must_use]
    pub fn new(method: Method, target: impl Into<String>) -> Self {
        Self { method, target: target.into(), headers: Vec::new(), body: Bytes::new() }
    }

    /// With one more header; one whose value is no header's is left out.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(mut value) = HeaderValue::from_str(value) {
            value.set_sensitive(true);
            self.headers.push((name, value));
        }
        self
    }

    /// With a body of JSON.
    #[must_use]
    pub fn json(mut self, body: &serde_json::Value) -> Self {
        let kind = HeaderValue::from_static("application/json");
        self.headers.push((http::header::CONTENT_TYPE, kind));
        self.body = body.to_string().into();
        self
    }
}

/// What came back, whatever its status is.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP's.
    pub status: u16,
    /// All.
    pub headers: HeaderMap,
    /// At most as long as [`Server::most`].
    pub body: Bytes,
}

impl Answer {
    /// When it is a 2xx.
    ///
    /// # Errors
    ///
    /// [`Failed::Refused`].
    pub fn yes(self) -> Result<Self, Failed> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let after = self.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        // A date is not read: the bounds of our own pauses hold then.
        let retry_after =
            after.and_then(|after| after.trim().parse().ok()).map(Duration::from_secs);
        let is_redirect = (300..400).contains(&self.status);
        Err(Failed::Refused { status: self.status, retry_after, is_redirect })
    }
}

impl Client {
    /// Makes ready; connects to nobody.
    ///
    /// # Errors
    ///
    /// [`NoWay`] when TLS takes none of the authorities.
    pub fn new(config: Server) -> Result<Self, NoWay> {
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

    /// Asks once. Dropping it ends the connection.
    ///
    /// # Errors
    ///
    /// [`Failed`] when there is no whole answer; the server may have done it all the same.
    pub async fn ask(&self, question: Question) -> Result<Answer, Failed> {
        self.ask_at(&self.config.url, question).await
    }

    /// The same at another address than the configured one.
    ///
    /// # Errors
    ///
    /// As [`Self::ask`].
    pub async fn ask_at(&self, url: &Uri, question: Question) -> Result<Answer, Failed> {
        let patience = self.config.patience;
        timeout(patience, self.say(url, question))
            .await
            .unwrap_or(Err(Failed::TimedOut { patience }))
    }

    async fn say(&self, url: &Uri, question: Question) -> Result<Answer, Failed> {
        let host = url.host().unwrap_or_default();
        let is_tls = url.scheme_str() == Some("https");
        let port = url.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let unreachable =
            |why: Unreached| Failed::Unreachable { to: format!("{host}:{port}"), why };
        let request = request(url, question).map_err(unreachable)?;
        let stream = self.connect(host, port).await.map_err(unreachable)?;
        let answer = if is_tls {
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            let name = ServerName::try_from(bare.to_owned())
                .map_err(|_| unreachable(Unreached::NoAddress))?;
            let stream = self.tls.connect(name, stream).await;
            let stream = stream.map_err(|error| unreachable(error.into()))?;
            ask(TokioIo::new(stream), request, self.config.most).await
        } else {
            ask(TokioIo::new(stream), request, self.config.most).await
        };
        answer.map_err(|why| match why {
            Broken::TooLong => Failed::TooLong { most: self.config.most },
            Broken::Off(why) => Failed::CutOff { to: format!("{host}:{port}"), why },
        })
    }

    /// To one of the addresses that were judged: the name is not looked up again behind that.
    async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, Unreached> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let found: Vec<SocketAddr> = match bare.parse::<IpAddr>() {
            Ok(ip) => vec![SocketAddr::new(ip, port)],
            Err(_) => tokio::net::lookup_host((bare, port)).await?.collect(),
        };
        let allowed = |it: &&SocketAddr| self.config.private || is_public(it.ip());
        let allowed_by = self.config.allowed_by;
        let mut failed = match found.first() {
            None => Unreached::NoAddress,
            Some(first) => Unreached::Private { found: first.ip(), allowed_by },
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

fn request(url: &Uri, question: Question) -> Result<Request<Full<Bytes>>, Unreached> {
    let authority = url.authority().map(http::uri::Authority::as_str).unwrap_or_default();
    // Names and passwords in an URL are no part of the Host header (RFC 9110 §7.2).
    let host = authority.rsplit('@').next().unwrap_or_default();
    let own = url.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let target = if question.target.is_empty() {
        own.to_owned()
    } else {
        format!("{}{}", own.trim_end_matches('/'), question.target)
    };
    let mut request = Request::builder()
        .method(question.method)
        .uri(target)
        .header(HOST, host)
        .header(USER_AGENT, concat!("madoguchi/", env!("CARGO_PKG_VERSION")))
        .header(CONTENT_LENGTH, question.body.len())
        .header(CONNECTION, HeaderValue::from_static("close"));
    for (name, value) in question.headers {
        request = request.header(name, value);
    }
    request.body(Full::new(question.body)).map_err(|error| std::io::Error::other(error).into())
}

/// Why there is no whole answer to what was asked.
enum Broken {
    TooLong,
    Off(Unreached),
}

impl From<hyper::Error> for Broken {
    fn from(error: hyper::Error) -> Self {
        Self::Off(error.into())
    }
}

async fn ask<S>(stream: S, request: Request<Full<Bytes>>, most: usize) -> Result<Answer, Broken>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin,
{
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(MOST_HEADERS)
        .handshake(stream)
        .await?;
    let asked = async {
        let (head, body) = sender.send_request(request).await?.into_parts();
        if most == 0 {
            let (status, body) = (head.status.as_u16(), Bytes::new());
            return Ok(Answer { status, headers: head.headers, body });
        }
        let body = match Limited::new(body, most).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return Err(Broken::TooLong),
            Err(error) => return Err(Broken::Off(std::io::Error::other(error).into())),
        };
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    };
    let (mut connection, mut asked) = (std::pin::pin!(connection), std::pin::pin!(asked));
    // The connection must be driven for the answer to come; it may end together with it.
    tokio::select! {
        biased;
        answer = &mut asked => answer,
        ended = &mut connection => {
            ended?;
            asked.await
        }
    }
}
