//! A ticket system's HTTP on a port of this machine, in memory, and all that can go wrong on the way to it.

use std::collections::{BTreeMap, VecDeque};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Asked {
    pub fn is_write(&self) -> bool {
        self.method != "GET"
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_str(&self.body).ok()
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

pub fn reply(status: u16, body: impl ToString) -> Reply {
    Reply { status, headers: Vec::new(), body: body.to_string() }
}

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// It is done, and the answer is this status.
    DoneBut(u16),
    /// It is done, and the connection is closed without an answer.
    DoneAndGone,
    /// It is done, and the answer comes late.
    DoneButSlow(Duration),
    /// It is done, and the answer is no JSON.
    DoneButGarbled,
    /// The connection is closed, and nothing is done.
    Gone,
    /// Nothing is done, and the answer is this status, with so many seconds to wait.
    Refused(u16, Option<u64>),
    /// Sent elsewhere, nothing done.
    Redirected,
    /// An answer of many megabytes.
    Endless,
}

/// What an answer says that must not get into an error.
pub const TELLTALE: &str = "telltale-of-the-answer";

/// What a system answers.
pub trait Site: Send + 'static {
    fn answer(&mut self, asked: &Asked) -> Reply;
}

/// A system that is there as long as this is.
pub struct Served<S> {
    pub at: SocketAddr,
    pub site: Arc<Mutex<S>>,
    faults: Arc<Mutex<VecDeque<(bool, Fault)>>>,
    pub asked: Arc<AtomicUsize>,
    pub log: Arc<Mutex<Vec<Asked>>>,
    over: Arc<AtomicBool>,
}

impl<S: Site> Served<S> {
    pub fn start(site: S) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let served = Self {
            at: listener.local_addr().expect("an address"),
            site: Arc::new(Mutex::new(site)),
            faults: Arc::default(),
            asked: Arc::default(),
            log: Arc::default(),
            over: Arc::default(),
        };
        let (site, faults) = (served.site.clone(), served.faults.clone());
        let (asked, log, over) = (served.asked.clone(), served.log.clone(), served.over.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(mut stream), site, faults) = (stream, site.clone(), faults.clone()) else {
                    continue;
                };
                let (asked, log) = (asked.clone(), log.clone());
                std::thread::spawn(move || {
                    let Some(request) = read(&mut stream) else { return };
                    asked.fetch_add(1, Ordering::Relaxed);
                    log.lock().unwrap().push(request.clone());
                    let mut faults = faults.lock().unwrap();
                    let fits = |(writes, _): &(bool, Fault)| !writes || request.is_write();
                    let fault = faults.iter().position(fits).and_then(|at| faults.remove(at));
                    drop(faults);
                    serve(&mut stream, &site, &request, fault.map(|(_, fault)| fault));
                });
            }
        });
        served
    }

    /// The next request, or the next one that writes, meets this.
    pub fn fault(&self, writes: bool, fault: Fault) {
        self.faults.lock().unwrap().push_back((writes, fault));
    }
}

impl<S> Drop for Served<S> {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.at);
    }
}

fn serve<S: Site>(stream: &mut TcpStream, site: &Mutex<S>, asked: &Asked, fault: Option<Fault>) {
    let done = || site.lock().unwrap().answer(asked);
    let telling = format!("{{\"error\":\"{TELLTALE}\"}}");
    let answer = match fault {
        None => done(),
        Some(Fault::DoneBut(status)) => {
            done();
            reply(status, &telling)
        }
        Some(Fault::DoneAndGone) => {
            done();
            return;
        }
        Some(Fault::DoneButSlow(late)) => {
            let answer = done();
            std::thread::sleep(late);
            answer
        }
        Some(Fault::DoneButGarbled) => {
            done();
            reply(200, format!("{{\"{TELLTALE}\":"))
        }
        Some(Fault::Gone) => return,
        Some(Fault::Refused(status, after)) => {
            let headers = after.map(|after| ("Retry-After", after.to_string()));
            Reply { status, headers: headers.into_iter().collect(), body: telling }
        }
        Some(Fault::Redirected) => {
            let location = vec![("Location", "/elsewhere".to_owned())];
            Reply { status: 302, headers: location, body: telling }
        }
        Some(Fault::Endless) => reply(200, format!("[\"{}\"]", "x".repeat(9 << 20))),
    };
    let mut head = format!("HTTP/1.1 {} X\r\nContent-Type: application/json\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\nConnection: close\r\n\r\n", answer.body.len()));
    // Who asked may be gone already.
    let _ =
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(answer.body.as_bytes()));
}

fn read(stream: &mut TcpStream) -> Option<Asked> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let mut raw = Vec::new();
    let end = loop {
        if let Some(end) = raw.windows(4).position(|it| it == b"\r\n\r\n") {
            break end;
        }
        let mut more = [0; 4096];
        let n = stream.read(&mut more).ok().filter(|n| *n > 0)?;
        raw.extend_from_slice(&more[..n]);
    };
    let head = String::from_utf8(raw[..end].to_vec()).ok()?;
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length").and_then(|it| it.parse().ok()).unwrap_or(0);
    let mut body = raw[end + 4..].to_vec();
    while body.len() < length {
        let mut more = [0; 65_536];
        let n = stream.read(&mut more).ok().filter(|n| *n > 0)?;
        body.extend_from_slice(&more[..n]);
    }
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    };
    Some(Asked {
        method,
        path: decoded(path),
        query: query.split('&').filter(|it| !it.is_empty()).map(pair).collect(),
        headers,
        body: String::from_utf8(body).ok()?,
    })
}

/// As forms are: a plus is a space.
fn decoded(text: &str) -> String {
    let (mut out, mut bytes) = (Vec::new(), text.bytes());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let hex = [bytes.next().unwrap_or(b'0'), bytes.next().unwrap_or(b'0')];
                u8::from_str_radix(std::str::from_utf8(&hex).unwrap_or("0"), 16).unwrap_or(0)
            }
            b'+' => b' ',
            byte => byte,
        });
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Asks a system what it holds, as a person's browser would.
pub fn ask(
    to: SocketAddr,
    method: &str,
    target: &str,
    (header, key): (&str, &str),
    body: &str,
) -> (u16, serde_json::Value) {
    let mut stream = TcpStream::connect(to).expect("it is there");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a bound");
    let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    let length = body.len();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {to}\r\n{header}: {key}\r\n{kind}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).expect("asked");
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw).expect("answered");
    let end = raw.windows(4).position(|it| it == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8_lossy(&raw[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a status");
    let mut body = raw[end + 4..].to_vec();
    if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        body = unchunked(&body);
    }
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(end) = rest.windows(2).position(|it| it == b"\r\n") {
        let size = std::str::from_utf8(&rest[..end]).expect("a size");
        let size = usize::from_str_radix(size.trim(), 16).expect("a size");
        if size == 0 {
            break;
        }
        out.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 2 + size + 2..];
    }
    out
}

/// A number, or any other value, as it stands in a path or query.
pub fn written(value: &serde_json::Value) -> String {
    value.to_string()
}
