//! A Request Tracker of the test's own, from Debian's package: set up as a Japanese desk's by `tests/tickets_real/`,
//! on a loopback port, killed and started again at will, and asked for the truth in its own database.
//!
//! It ends with the thread that started it. It is one process: requests are answered one after the other.

use super::http::{self, Answer};
use super::poll;
use super::ports::Block;
use super::process::{Dir, Process};
use super::s;
use super::seeded::{self, Seeded};
use base64ct::{Base64, Encoding};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

const PACKAGED: &str = "/var/lib/dbconfig-common/sqlite3/request-tracker5/rtdb";
const SEED: &str = include_str!("../tickets_real/rt_seed.pl");
const CONFIG: &str = include_str!("../tickets_real/rt_config.pm");
const SERVED: &str = include_str!("../tickets_real/rt.psgi");

/// The queue of the desk.
pub const QUEUE: &str = "Desk";
/// The zone of the token's user: what dates in a search are read in.
pub const ZONE: &str = "Asia/Tokyo";

/// What the seed made.
#[derive(Clone, Debug, Deserialize)]
pub struct Ids {
    /// Of the user `madoguchi`, who may see, create, change and comment in the queue.
    pub token: String,
    /// Of a user who may nothing.
    pub stranger_token: String,
    /// The user `madoguchi`.
    pub user: u64,
    /// The queue.
    pub queue: u64,
    /// Custom fields by name.
    pub fields: BTreeMap<String, u64>,
}

/// A ticket as it stands in Request Tracker's database.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Ticket {
    /// Its number.
    pub id: u64,
    /// 件名.
    pub subject: String,
    /// `new`, `open`, `resolved` …
    pub status: String,
    /// When it was resolved, in UTC, or 1970 began.
    pub resolved: Option<String>,
    /// When it was changed last, in UTC.
    pub last_updated: String,
    /// Custom fields that have a value, by name.
    pub fields: BTreeMap<String, String>,
    /// What became of it, oldest first.
    pub transactions: Vec<Transaction>,
}

/// One step in a ticket's life.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Kept")]
pub struct Transaction {
    /// Its number among those of everything.
    pub id: u64,
    /// `Create`, `Comment`, `Correspond`, `Status`, `CustomField` …
    pub kind: String,
    /// The text that came with it.
    pub text: Option<String>,
}

/// The same as the database keeps it: on SQLite a text that is not ASCII is encoded as in a mail.
#[derive(Deserialize)]
struct Kept {
    id: u64,
    kind: String,
    text: Option<String>,
    encoding: Option<String>,
}

impl From<Kept> for Transaction {
    fn from(kept: Kept) -> Self {
        let decode = |text: String| match kept.encoding.as_deref() {
            Some("quoted-printable") => quoted_printable(&text),
            Some("base64") => {
                let joined: String = text.split_whitespace().collect();
                String::from_utf8(Base64::decode_vec(&joined).unwrap()).unwrap()
            }
            _ => text,
        };
        Self { id: kept.id, kind: kept.kind, text: kept.text.map(decode) }
    }
}

/// RFC 2045 §6.7: `=` and two digits are a byte, `=` at the end of a line joins it to the next.
fn quoted_printable(text: &str) -> String {
    let joined = text.replace("=\r\n", "").replace("=\n", "");
    let mut parts = joined.split('=');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}

/// A running Request Tracker.
pub struct Rt {
    dir: Dir,
    port: u16,
    process: Process,
    ids: Ids,
    _ports: Block,
}

fn environment(dir: &Dir, port: u16) -> Vec<String> {
    vec![
        "env".to_owned(),
        "LANG=C.UTF-8".to_owned(),
        format!("HOME={}", dir.path().display()),
        format!("RT_SITE_CONFIG={}", dir.file("rt_config.pm").display()),
        // Instead of the package's folder; no file in it ends with .pm.
        format!("RT_SITE_CONFIG_DIR={}", dir.file("none").display()),
        format!("MADOGUCHI_RT_DATABASE={}", dir.file("database").display()),
        format!("MADOGUCHI_RT_PORT={port}"),
        format!("MADOGUCHI_IDS={}", dir.file("ids").display()),
    ]
}

fn seed() -> Seeded {
    seeded::seeded("request-tracker5", PACKAGED, &[SEED, CONFIG], |dir| {
        let script = dir.write("seed.pl", SEED);
        seeded::give(&script);
        seeded::give(&dir.write("rt_config.pm", CONFIG));
        let mut argv = seeded::as_its_user();
        argv.extend(environment(dir, 80));
        argv.extend(["perl".to_owned(), script.display().to_string()]);
        seeded::run(&argv, Path::new("/"));
    })
}

impl Rt {
    /// Starts one without tickets; ready within seconds, and the first on this machine seeds the database before.
    pub fn start() -> Self {
        let seeded = seed();
        let ports = Block::take();
        let port = ports.port();
        let dir = seeded::folder("rt");
        std::fs::copy(&seeded.database, dir.file("database")).unwrap();
        seeded::give(&dir.file("database"));
        seeded::give(&dir.write("rt.psgi", SERVED));
        seeded::give(&dir.write("rt_config.pm", CONFIG));
        let ids = serde_json::from_value(seeded.ids).unwrap();
        let process = Self::launch(&dir, port);
        let mut rt = Self { dir, port, process, ids, _ports: ports };
        rt.wait();
        rt
    }

    fn launch(dir: &Dir, port: u16) -> Process {
        let mut argv = seeded::as_its_user();
        argv.extend(environment(dir, port));
        // No worker beside the one process, or it would outlive it.
        argv.extend(["plackup", "-E", "deployment", "-s", "Starlet"].map(str::to_owned));
        argv.extend(["--max-workers", "0", "--host", "127.0.0.1", "--port"].map(str::to_owned));
        argv.extend([port.to_string(), dir.file("rt.psgi").display().to_string()]);
        Process::start("rt", &argv, Path::new("/"), dir.file("rt.log"))
    }

    fn wait(&mut self) {
        let there = poll(s(120), || {
            assert!(self.process.ended().is_none(), "it ended: {}", self.process.printed());
            let version = self.ask("GET", "/rt", "").ok()?;
            (version.status == 200).then_some(())
        });
        assert!(there.is_some(), "no answer: {}", self.process.printed());
    }

    /// `kill -9`; the port is closed afterwards.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again on the same data and port; ready when this returns.
    pub fn again(&mut self) {
        self.process = Self::launch(&self.dir, self.port);
        self.wait();
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Its base URL, without `/REST/2.0` and without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The token of the user `madoguchi`.
    pub fn token(&self) -> &str {
        &self.ids.token
    }

    /// Ids and tokens.
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    /// One request below `/REST/2.0` with the user's token, answered within 30 s.
    ///
    /// # Errors
    /// Whatever the socket says.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> std::io::Result<Answer> {
        self.ask_as(&self.ids.token, method, path, body)
    }

    /// The same with another token.
    ///
    /// # Errors
    /// Whatever the socket says.
    pub fn ask_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: &str,
    ) -> std::io::Result<Answer> {
        let (path, token) = (format!("/REST/2.0{path}"), format!("token {token}"));
        http::send(self.address(), method, &path, &[("Authorization", &token)], body, s(30))
    }

    /// All tickets by number, from its database: also while it is killed.
    pub fn tickets(&self) -> Vec<Ticket> {
        seeded::rows(
            &self.dir.file("database"),
            "SELECT json_object('id', t.id, 'subject', coalesce(t.Subject, ''), 'status', t.Status,
                'resolved', t.Resolved, 'last_updated', t.LastUpdated,
                'fields', (SELECT json_group_object(f.Name, coalesce(v.LargeContent, v.Content))
                    FROM ObjectCustomFieldValues v JOIN CustomFields f ON f.id = v.CustomField
                    WHERE v.ObjectType = 'RT::Ticket' AND v.ObjectId = t.id AND v.Disabled = 0),
                'transactions', (SELECT json_group_array(json_object('id', x.id, 'kind', x.Type,
                        'text', CAST(a.Content AS TEXT), 'encoding', a.ContentEncoding))
                    FROM (SELECT * FROM Transactions
                        WHERE ObjectType = 'RT::Ticket' AND ObjectId = t.id ORDER BY id) x
                    LEFT JOIN Attachments a ON a.id = (SELECT min(id) FROM Attachments
                        WHERE TransactionId = x.id AND Content IS NOT NULL)))
            FROM Tickets t ORDER BY t.id",
        )
    }
}
