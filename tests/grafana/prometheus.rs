//! A real Prometheus on loopback that watches one desk with the rules of the checkout, and its tools.

use crate::lint::folder;
use crate::support::desk::Desk;
use crate::support::http;
use crate::support::process::{Dir, Process};
use crate::support::{poll, s};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

/// A running one.
pub struct Prometheus {
    process: Process,
    http: SocketAddr,
    _dir: Dir,
}

impl Prometheus {
    /// Starts it and waits until it is ready. It scrapes and evaluates every second; else it has the
    /// configuration of the checkout.
    #[track_caller]
    pub fn watch(desk: &Desk) -> Self {
        let dir = Dir::new("prometheus");
        let http = SocketAddr::from(([127, 0, 0, 1], desk.ports.port()));
        for rules in ["madoguchi.rules.yml", "madoguchi.alerts.yml"] {
            std::fs::copy(folder().join("prometheus").join(rules), dir.file(rules)).unwrap();
        }
        let config = configuration(
            // That of those who only look is enough.
            &desk.dir().file("secrets/viewer-token"),
            &[
                ("scrape_interval: 15s", "scrape_interval: 1s"),
                ("evaluation_interval: 15s", "evaluation_interval: 1s"),
                ("127.0.0.1:8080", &desk.http.to_string()),
                // Nobody is told in a test.
                ("[\"127.0.0.1:9093\"]", "[]"),
            ],
        );
        let config = dir.write("prometheus.yml", &config).display().to_string();
        let data = format!("--storage.tsdb.path={}", dir.file("data").display());
        let listen = format!("--web.listen-address={http}");
        let config = format!("--config.file={config}");
        let argv = ["prometheus", &config, &data, &listen, "--log.level=warn"].map(str::to_owned);
        let process = Process::start("prometheus", &argv, dir.path(), dir.file("prometheus.log"));
        let mut it = Self { process, http, _dir: dir };
        let ready = poll(s(20), || {
            if let Some(status) = it.process.ended() {
                panic!("Prometheus ended at its start ({status}):\n{}", it.process.printed());
            }
            http::request(http, "GET", "/-/ready", None, "").ok().filter(|a| a.status == 200)
        });
        assert!(ready.is_some(), "Prometheus is not ready:\n{}", it.process.printed());
        it
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        let answer = http::request(self.http, "GET", path, None, "")
            .unwrap_or_else(|e| panic!("GET {path}: {e}"));
        let value = answer.json();
        assert_eq!(value["status"], "success", "{path}: {value}");
        value["data"].clone()
    }

    /// What an expression comes to now, by label sets; `Err` when Prometheus cannot.
    pub fn ask(&self, expr: &str) -> Result<Vec<(Value, f64)>, String> {
        let path = format!("/api/v1/query?query={}", encoded(expr));
        let answer =
            http::request(self.http, "GET", &path, None, "").map_err(|e| e.to_string())?.json();
        if answer["status"] != "success" {
            return Err(answer["error"].to_string());
        }
        let value = |pair: &Value| pair[1].as_str().and_then(|text| text.parse().ok());
        let result = &answer["data"]["result"];
        if answer["data"]["resultType"] == "scalar" {
            return Ok(vec![(Value::Null, value(result).ok_or("no number")?)]);
        }
        let rows = result.as_array().ok_or_else(|| answer.to_string())?;
        rows.iter()
            .map(|row| Ok((row["metric"].clone(), value(&row["value"]).ok_or("no number")?)))
            .collect()
    }

    /// The one value of an expression.
    #[track_caller]
    pub fn one(&self, expr: &str) -> f64 {
        match self.ask(expr).as_deref() {
            Ok([(_, value)]) => *value,
            other => panic!("{expr}: {other:?}"),
        }
    }
}

/// The configuration of the checkout, with the token's place and other words replaced; each must be there.
#[track_caller]
pub fn configuration(token: &Path, words: &[(&str, &str)]) -> String {
    let mut text = std::fs::read_to_string(folder().join("prometheus/prometheus.yml")).unwrap();
    let token = token.display().to_string();
    for (word, with) in words.iter().chain(&[("/etc/prometheus/madoguchi-token", token.as_str())]) {
        assert!(text.contains(word), "prometheus.yml has no {word}");
        text = text.replace(word, with);
    }
    text
}

fn encoded(text: &str) -> String {
    let byte = |b: u8| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(b).to_string(),
        _ => format!("%{b:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// Runs a tool, with something to read if need be, in the folder of the rules: what it said, and whether it
/// found all well.
pub fn tool(program: &str, arguments: &[&str], input: &str) -> (bool, String) {
    use std::io::Write as _;
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder().join("prometheus"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{program}: {e}; scripts/test says of which package it is"));
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}
