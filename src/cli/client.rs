//! The smallest HTTP client that can ask our own API: one request a connection, an answer of known
//! length, in chunks, or to the end; and server-sent events.

use super::pinned;
use crate::config::Config;
use crate::dialplan::Lang;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;
use tokio_rustls::rustls::pki_types::CertificateDer;

/// Making the connection.
const CONNECT: Duration = Duration::from_secs(3);
/// Between two bytes of an answer; a live trace shows life every two seconds.
const SILENCE: Duration = Duration::from_secs(15);
/// The longest line of an answer, and the longest answer.
const LINE: u64 = 1 << 20;
const BODY: u64 = 64 << 20;

/// What bytes go through: a connection, or TLS in it.
trait Duplex: Read + Write {}

impl<T: Read + Write> Duplex for T {}

/// The API of a running desk.
#[derive(Clone, Debug)]
pub(super) struct Client {
    address: SocketAddr,
    token: String,
    /// What it must show; none: it speaks without TLS.
    certificate: Option<CertificateDer<'static>>,
    /// Between two bytes of an answer.
    silence: Duration,
}

/// A good answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum ClientError {
    /// Not `http://address:port`, nor `https://…` with a certificate to believe.
    Url(String),
    /// Nobody listens, or the connection broke.
    Io(SocketAddr, std::io::Error),
    /// The desk said no, and why.
    Refused(u16, String),
    /// What came is no HTTP.
    Garbled,
}

impl ClientError {
    /// In the operator's words.
    pub fn told(&self, lang: Lang) -> String {
        match self {
            Self::Url(found) => lang.pick(
                format!("\"{found}\" は http://アドレス:ポート でも、設定に証明書のある https:// でもない"),
                format!("\"{found}\" is not http://address:port, nor https:// with a certificate in the configuration"),
            ),
            Self::Io(address, error) => lang.pick(
                format!("{address} の窓口に尋ねられない: {error}（動いていますか）"),
                format!("the desk at {address} cannot be asked: {error}; is it running?"),
            ),
            Self::Refused(401, _) => lang.pick(
                "トークンが違うと言われた（設定の token_file は、その窓口のものですか）".to_owned(),
                "the desk does not know this token; is token_file of the configuration its own?"
                    .to_owned(),
            ),
            Self::Refused(status, why) => lang.pick(
                format!("窓口の答え {status}: {why}"),
                format!("the desk says {status}: {why}"),
            ),
            Self::Garbled => lang
                .pick("答えが HTTP として読めない".to_owned(), "the answer is no HTTP".to_owned()),
        }
    }
}

/// For a query's value or a path's part.
pub(super) fn escape(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let escaped = text
        .bytes()
        .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") });
    escaped.collect()
}

/// What the pages of a configuration show of themselves.
fn own_certificate(config: &Config) -> Option<CertificateDer<'static>> {
    config.http_tls.as_ref().and_then(|tls| tls.chain.first()).cloned()
}

impl Client {
    /// The API of a configuration; every address of the machine is asked on loopback.
    pub fn new(config: &Config) -> Self {
        let (listen, token) = (config.http.listen, config.http_token().reveal().clone());
        let certificate = own_certificate(config);
        let ip = match listen.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        let address = SocketAddr::new(ip, listen.port());
        Self { address, token, certificate, silence: SILENCE }
    }

    /// Another address of the same desk.
    pub fn at(url: &str, config: &Config) -> Result<Self, ClientError> {
        let wrong = || ClientError::Url(url.to_owned());
        let (bare, certificate) = match url.strip_prefix("https://") {
            Some(bare) => (bare, Some(own_certificate(config).ok_or_else(wrong)?)),
            None => (url.strip_prefix("http://").ok_or_else(wrong)?, None),
        };
        let address = bare.trim_end_matches('/').parse().map_err(|_| wrong())?;
        let token = config.http_token().reveal().clone();
        Ok(Self { address, token, certificate, silence: SILENCE })
    }

    /// The same, for what takes the desk long.
    pub fn patient(self, silence: Duration) -> Self {
        Self { silence, ..self }
    }

    /// One request, its answer to the end; anything but 2xx is an error.
    pub fn ask(&self, method: &str, path: &str) -> Result<Answer, ClientError> {
        self.say(method, path, "")
    }

    /// The same with a JSON body.
    pub fn say(&self, method: &str, path: &str, json: &str) -> Result<Answer, ClientError> {
        let mut reader = self.begin(method, path, json)?;
        let mut body = Vec::new();
        let read = reader.by_ref().take(BODY).read_to_end(&mut body);
        match read {
            Ok(_) => Ok(Answer { body }),
            Err(error) => Err(ClientError::Io(self.address, error)),
        }
    }

    /// Reads server-sent events until `show` says no or the stream ends, which is an error: it has no end.
    pub fn events(
        &self,
        path: &str,
        show: &mut dyn FnMut(&str, &str) -> bool,
    ) -> Result<(), ClientError> {
        let mut reader = BufReader::new(self.begin("GET", path, "")?);
        let (mut event, mut data) = (String::new(), String::new());
        loop {
            let mut line = String::new();
            match reader.by_ref().take(LINE).read_line(&mut line) {
                Ok(0) => {
                    let ended = std::io::ErrorKind::UnexpectedEof.into();
                    return Err(ClientError::Io(self.address, ended));
                }
                Ok(_) => {}
                Err(error) => return Err(ClientError::Io(self.address, error)),
            }
            let line = line.trim_end_matches(['\r', '\n']);
            if let Some(name) = line.strip_prefix("event:") {
                name.trim().clone_into(&mut event);
            } else if let Some(more) = line.strip_prefix("data:") {
                data.push_str(more.strip_prefix(' ').unwrap_or(more));
            } else if line.is_empty() {
                if !data.is_empty() && !show(&event, &data) {
                    return Ok(());
                }
                event.clear();
                data.clear();
            }
        }
    }

    fn begin(&self, method: &str, path: &str, json: &str) -> Result<Box<dyn Read>, ClientError> {
        let failed = |error| ClientError::Io(self.address, error);
        let stream = TcpStream::connect_timeout(&self.address, CONNECT).map_err(failed)?;
        stream.set_read_timeout(Some(self.silence)).map_err(failed)?;
        let mut stream: Box<dyn Duplex> = match &self.certificate {
            None => Box::new(stream),
            Some(own) => Box::new(pinned::connect(stream, self.address, own).map_err(failed)?),
        };
        let (address, token) = (self.address, &self.token);
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{json}",
            json.len()
        );
        stream.write_all(request.as_bytes()).map_err(failed)?;
        let mut reader = BufReader::new(stream);
        let mut line = || {
            let mut line = String::new();
            reader.by_ref().take(LINE).read_line(&mut line).map_err(failed)?;
            Ok::<_, ClientError>(line.trim_end().to_owned())
        };
        let status: u16 = line()?
            .strip_prefix("HTTP/1.")
            .and_then(|rest| rest.split(' ').nth(1)?.parse().ok())
            .ok_or(ClientError::Garbled)?;
        let (mut length, mut chunked) = (None, false);
        loop {
            let line = line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or(ClientError::Garbled)?;
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse::<u64>().ok();
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                chunked = value.trim().eq_ignore_ascii_case("chunked");
            }
        }
        let mut body: Box<dyn Read> = match (chunked, length) {
            (true, _) => Box::new(Chunks { reader, left: 0, ended: false }),
            (false, Some(length)) => Box::new(reader.take(length)),
            (false, None) => Box::new(reader),
        };
        if (200..300).contains(&status) {
            return Ok(body);
        }
        let mut text = String::new();
        let _ = body.by_ref().take(LINE).read_to_string(&mut text); // the status says enough without
        let why = serde_json::from_str::<serde_json::Value>(&text).ok();
        let why = why.and_then(|json| Some(json.get("error")?.as_str()?.to_owned()));
        Err(ClientError::Refused(status, why.unwrap_or_default()))
    }
}

/// RFC 9112 §7.1.
struct Chunks {
    reader: BufReader<Box<dyn Duplex>>,
    left: usize,
    ended: bool,
}

impl Read for Chunks {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.ended || into.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            let mut line = String::new();
            self.reader.by_ref().take(LINE).read_line(&mut line)?;
            if line.trim().is_empty() {
                line.clear(); // the end of the chunk before
                self.reader.by_ref().take(LINE).read_line(&mut line)?;
            }
            let size = line.split(';').next().unwrap_or_default().trim();
            self.left = usize::from_str_radix(size, 16).map_err(std::io::Error::other)?;
            if self.left == 0 {
                self.ended = true;
                return Ok(0);
            }
        }
        let most = self.left.min(into.len());
        let read = self.reader.read(into.get_mut(..most).unwrap_or_default())?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        self.left = self.left.saturating_sub(read);
        Ok(read)
    }
}
