//! `madoguchi drain`: the running desk ends without a call cut off, so that what was installed meanwhile takes its place.

use super::Reply;
use super::client::{Client, ClientError};
use super::reach::{Reach, failed};
use crate::dialplan::Lang;
use clap::Args;
use serde_json::Value;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How often the desk is asked.
const EVERY: Duration = Duration::from_secs(1);
/// How long it is waited for whoever starts the next process. systemd does so within a second.
const BACK_WITHIN: Duration = Duration::from_secs(60);

/// Without --within: says how it stands. Ends with 0 when it was done or shown, 1 when the desk cannot be asked or
/// does not come back, 2 when the command itself was wrong.
#[derive(Clone, Debug, Args)]
pub struct Drain {
    /// From now on callers are refused (503, so that a carrier tries its next way), calls that are up have so long, and
    /// then the desk ends; systemd starts it anew. Waits until it is back, and says its version.
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u16).range(1..=1440))]
    within: Option<u16>,
    /// With --within: does not wait.
    #[arg(long, requires = "within")]
    no_wait: bool,
    /// Callers are let in again.
    #[arg(long, conflicts_with = "within")]
    off: bool,
    #[command(flatten)]
    reach: Reach,
}

/// Orders, shows or calls off.
#[must_use]
pub fn drain(arguments: &Drain) -> ExitCode {
    done(arguments).unwrap_or_else(|reply| reply).finish()
}

fn done(arguments: &Drain) -> Result<Reply, Reply> {
    let (client, lang) = arguments.reach.client()?;
    let told = |error: ClientError| failed(&error, lang);
    if arguments.off {
        client.ask("DELETE", "/api/v1/drain").map_err(told)?;
    }
    if let Some(minutes) = arguments.within {
        // By this program, which is the one that will be started: what it cannot read must not be found by a desk that is
        // down.
        arguments.reach.judge_start(lang)?;
        client.ask("POST", &format!("/api/v1/drain?minutes={minutes}")).map_err(told)?;
        if !arguments.no_wait {
            return followed(&client, lang);
        }
    }
    let stand = stand(&client).map_err(told)?;
    Ok(Reply { out: stand.said(lang), ..Reply::default() })
}

/// How the desk stands.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stand {
    draining: bool,
    calls: u64,
    left_s: u64,
    version: String,
}

impl Stand {
    fn of(json: &Value) -> Self {
        let number = |name: &str| json.get(name).and_then(Value::as_u64).unwrap_or_default();
        Self {
            draining: json.get("draining").and_then(Value::as_bool).unwrap_or_default(),
            calls: number("calls"),
            left_s: number("left_s"),
            version: json.get("version").and_then(Value::as_str).unwrap_or("?").to_owned(),
        }
    }

    fn said(&self, lang: Lang) -> String {
        let Self { draining, calls, left_s, version } = self;
        let minutes = left_s.div_ceil(60);
        match draining {
            false => lang.pick(
                format!("madoguchi {version}: 着信を受けている。通話 {calls}\n"),
                format!("madoguchi {version}: callers are let in; {calls} calls are up\n"),
            ),
            true => lang.pick(
                format!("madoguchi {version}: 新しい着信を断っている。残りの通話 {calls}、あと {minutes} 分で切る\n"),
                format!("madoguchi {version}: callers are refused; {calls} calls are up, and are ended in {minutes} min\n"),
            ),
        }
    }
}

fn stand(client: &Client) -> Result<Stand, ClientError> {
    let answer = client.ask("GET", "/api/v1/drain")?;
    Ok(Stand::of(&serde_json::from_slice(&answer.body).unwrap_or_default()))
}

/// Waits for the end, and for the next one's beginning.
fn followed(client: &Client, lang: Lang) -> Result<Reply, Reply> {
    let mut before = String::new();
    let mut gone: Option<Instant> = None;
    loop {
        match (stand(client), gone) {
            // The next one answers as one that lets callers in; so does this one when it is called off.
            (Ok(now), gone) if gone.is_some() || !now.draining => {
                return Ok(Reply { out: now.said(lang), ..Reply::default() });
            }
            (Ok(now), _) => {
                let said = now.said(lang);
                if said != before {
                    eprint!("{said}");
                }
                before = said;
            }
            (Err(ClientError::Io(..) | ClientError::Garbled), None) => {
                eprintln!(
                    "{}",
                    lang.pick(
                        "終了した。次の起動を待っている",
                        "it has ended; the next one is waited for"
                    )
                );
                gone = Some(Instant::now());
            }
            (Err(ClientError::Io(..) | ClientError::Garbled), Some(since))
                if since.elapsed() < BACK_WITHIN => {}
            (Err(ClientError::Io(..) | ClientError::Garbled), Some(_)) => {
                let err = lang.pick(
                    "60 秒たっても起動しない。systemctl status madoguchi と journalctl -u madoguchi を見る\n",
                    "it is not back after 60 s: look at systemctl status madoguchi and journalctl -u madoguchi\n",
                );
                return Err(Reply { err: err.to_owned(), code: 1, ..Reply::default() });
            }
            (Err(error), _) => return Err(failed(&error, lang)),
        }
        std::thread::park_timeout(EVERY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn how_many_calls_are_left_and_for_how_long_is_said() {
        let json =
            json!({ "draining": true, "calls": 3, "legs": 6, "left_s": 61, "version": "1.2.3" });
        assert_eq!(
            Stand::of(&json).said(Lang::En),
            "madoguchi 1.2.3: callers are refused; 3 calls are up, and are ended in 2 min\n"
        );
        let json =
            json!({ "draining": false, "calls": 0, "legs": 0, "left_s": null, "version": "1.2.3" });
        assert!(Stand::of(&json).said(Lang::Ja).contains("着信を受けている"));
    }
}
