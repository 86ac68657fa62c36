//! `madoguchi sip`: what passes on the SIP wire of the running desk, asked over its API with its own
//! token. Looks and, for `unblock`, says so; starts and decides nothing.

use super::Reply;
use super::client::{self, Answer};
use super::reach::failed;
use crate::dialplan::Lang;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Without a further word: the messages as they pass, until Ctrl-C. Ends with 0 when it was shown, 1
/// when the desk cannot be asked or has no such thing, 2 when the command itself was wrong.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Sip {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    live: Live,
    #[command(flatten)]
    reach: Asked,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// One call's messages as a ladder. Example: madoguchi sip ladder 0199a0c1-5b00-7000-8000-000000000001
    Ladder {
        /// The call's id, as the wallboard and the API show it.
        call: String,
        /// Write it as a page into this file instead.
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
        #[command(flatten)]
        reach: Asked,
    },
    /// One call's messages as a capture file for Wireshark.
    Pcap {
        /// The call's id.
        call: String,
        /// The file.
        file: PathBuf,
        #[command(flatten)]
        reach: Asked,
    },
    /// Sources that are shut out because they guessed at passwords.
    Blocked {
        #[command(flatten)]
        reach: Asked,
    },
    /// Lets a source in again.
    Unblock {
        /// Its IP address, as `blocked` shows it.
        address: std::net::IpAddr,
        #[command(flatten)]
        reach: Asked,
    },
}

/// Which messages.
#[derive(Clone, Debug, Args)]
struct Live {
    /// Of this call only.
    #[arg(long, value_name = "ID")]
    call: Option<String>,
    /// From this number only (user part of From).
    #[arg(long, value_name = "NUMBER")]
    from: Option<String>,
    /// To this number only (user part of To).
    #[arg(long, value_name = "NUMBER")]
    to: Option<String>,
    /// Requests of this method and their answers only.
    #[arg(long, value_name = "METHOD")]
    method: Option<String>,
    /// Whole messages instead of a line for each.
    #[arg(long)]
    full: bool,
}

/// Which desk, in which words, and whether it shows numbers.
#[derive(Clone, Debug, Args)]
struct Asked {
    #[command(flatten)]
    desk: super::reach::Reach,
    /// `numbers` shows numbers and names as they are; the desk's log then says so.
    #[arg(long, value_name = "numbers")]
    reveal: Option<String>,
}

impl Asked {
    fn query(&self, mut fields: Vec<(&'static str, String)>) -> String {
        if let Some(reveal) = &self.reveal {
            fields.push(("reveal", reveal.clone()));
        }
        let pairs: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", client::escape(value)))
            .collect();
        pairs.join("&")
    }
}

/// Does what was asked and prints it.
#[must_use]
pub fn sip(arguments: &Sip) -> ExitCode {
    let reply = match &arguments.what {
        None => live(&arguments.live, &arguments.reach),
        Some(What::Ladder { call, html, reach }) => ladder(call, html.as_ref(), reach),
        Some(What::Pcap { call, file, reach }) => {
            asked(reach, "GET", &format!("/api/v1/calls/{}/sip.pcap", client::escape(call)))
                .and_then(|(answer, lang)| written(file, &answer.body, lang))
        }
        Some(What::Blocked { reach }) => {
            asked(reach, "GET", "/api/v1/blocked").map(|(answer, lang)| blocked(&answer, lang))
        }
        Some(What::Unblock { address, reach }) => {
            let path = format!("/api/v1/blocked/{}", client::escape(&address.to_string()));
            asked(reach, "DELETE", &path).map(|(_, lang)| {
                said(lang.pick(format!("{address} を通した"), format!("{address} is let in again")))
            })
        }
    };
    reply.unwrap_or_else(|reply| reply).finish()
}

fn said(line: String) -> Reply {
    Reply { out: format!("{line}\n"), ..Reply::default() }
}

/// One request whose answer must be good.
fn asked(reach: &Asked, method: &str, path: &str) -> Result<(Answer, Lang), Reply> {
    let (client, lang) = reach.desk.client()?;
    let query = reach.query(Vec::new());
    let path = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    let answer = client.ask(method, &path).map_err(|error| failed(&error, lang))?;
    Ok((answer, lang))
}

fn ladder(call: &str, html: Option<&PathBuf>, reach: &Asked) -> Result<Reply, Reply> {
    let form = if html.is_some() { "ladder.html" } else { "ladder.txt" };
    let (answer, lang) =
        asked(reach, "GET", &format!("/api/v1/calls/{}/{form}", client::escape(call)))?;
    match html {
        Some(file) => written(file, &answer.body, lang),
        None => Ok(Reply {
            out: String::from_utf8_lossy(&answer.body).into_owned(),
            ..Reply::default()
        }),
    }
}

fn written(file: &PathBuf, bytes: &[u8], lang: Lang) -> Result<Reply, Reply> {
    let name = file.display();
    match std::fs::write(file, bytes) {
        Ok(()) => {
            let count = bytes.len();
            Ok(said(lang.pick(
                format!("{name} に {count} バイト書いた"),
                format!("{name}: {count} bytes written"),
            )))
        }
        Err(error) => {
            let why =
                lang.pick(format!("書けない: {error}"), format!("cannot be written: {error}"));
            Err(Reply { err: format!("{name}: {why}\n"), code: 1, ..Reply::default() })
        }
    }
}

/// The blocked sources as a table.
fn blocked(answer: &Answer, lang: Lang) -> Reply {
    let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let sources = json.get("blocked").and_then(Value::as_array).cloned().unwrap_or_default();
    if sources.is_empty() {
        return said(lang.pick("塞がれた送り元はない", "no source is blocked").to_owned());
    }
    let mut out = String::new();
    for source in sources {
        let text = |name: &str| source.get(name).and_then(Value::as_str).unwrap_or("?").to_owned();
        let number = |name: &str| source.get(name).and_then(Value::as_u64).unwrap_or(0);
        let (address, count, left) = (text("source"), number("failures"), number("left_s"));
        let (scope, since) = (text("scope"), text("since"));
        out.push_str(&lang.pick(
            format!("{address:<40} {scope:<8} 失敗 {count} 回  {since} から、あと {left} 秒\n"),
            format!("{address:<40} {scope:<8} {count} failures  since {since}, {left} s left\n"),
        ));
    }
    Reply { out, ..Reply::default() }
}

/// Prints messages as they pass, until the reader or the desk goes away.
fn live(live: &Live, reach: &Asked) -> Result<Reply, Reply> {
    let (client, lang) = reach.desk.client()?;
    let mut fields = Vec::new();
    for (name, value) in
        [("call", &live.call), ("from", &live.from), ("to", &live.to), ("method", &live.method)]
    {
        if let Some(value) = value {
            fields.push((name, value.clone()));
        }
    }
    if live.full {
        fields.push(("full", "1".to_owned()));
    }
    let path = format!("/api/v1/sip/events?{}", reach.query(fields));
    let mut printed = std::io::stdout();
    let mut show = |event: &str, data: &str| {
        let json: Value = serde_json::from_str(data).unwrap_or_default();
        let text = |name: &str| json.get(name).and_then(Value::as_str).unwrap_or_default();
        let shown = match event {
            "sip" if live.full => format!("{}\n{}\n", text("line"), tame(text("text"))),
            "sip" => format!("{}\n", text("line")),
            "lost" => {
                let count = json.get("count").and_then(Value::as_u64).unwrap_or(0);
                lang.pick(
                    format!("… 多すぎるため {count} 件を飛ばした\n"),
                    format!("... {count} messages left out: too many at once\n"),
                )
            }
            _ => return true,
        };
        printed.write_all(shown.as_bytes()).and_then(|()| printed.flush()).is_ok()
    };
    match client.events(&path, &mut show) {
        Ok(()) => Ok(Reply::default()),
        Err(error) => Err(failed(&error, lang)),
    }
}

/// A whole message for a terminal: lines stay lines, what moves the cursor does not.
fn tame(text: &str) -> String {
    let good = |c: char| if c.is_control() && c != '\n' { '?' } else { c };
    text.replace("\r\n", "\n").chars().map(good).collect()
}
