//! `madoguchi exclude` and `madoguchi close-month`: asked of the running desk, which writes them into the
//! history; how they stand is shown by `service-level`.

use super::super::Reply;
use super::super::client::escape;
use super::super::history::Whose;
use super::super::reach::{Reach, failed};
use super::{json, plain};
use crate::dialplan::{self, Lang, tame};
use crate::view::{self, ExclusionState, Month};
use clap::{Args, Subcommand};
use serde_json::{Value, json as object};
use std::fmt::Write as _;
use std::process::ExitCode;

/// Ends with 0 when it stands in the history, 1 when it was refused or the desk cannot be asked, 2 when
/// the command itself was wrong.
#[derive(Clone, Debug, Args)]
pub struct Exclude {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// Enters a period; another person must approve it.
    Enter {
        /// Calls that arrived then or later, such as 2026-10-01T10:00 in the plan's zone.
        #[arg(long, value_name = "TIME")]
        from: String,
        /// Calls that arrived before then.
        #[arg(long, value_name = "TIME")]
        until: String,
        /// Why.
        #[arg(long)]
        reason: String,
        /// Who enters it.
        #[arg(long, value_name = "NAME")]
        author: String,
        #[command(flatten)]
        asked: Asked,
    },
    /// Approves one that another person entered.
    Approve {
        /// Its number.
        exclusion: u32,
        /// Who approves it.
        #[arg(long, value_name = "NAME")]
        author: String,
        #[command(flatten)]
        asked: Asked,
    },
    /// Takes one back.
    Withdraw {
        /// Its number.
        exclusion: u32,
        /// Why.
        #[arg(long)]
        reason: String,
        /// Who takes it back.
        #[arg(long, value_name = "NAME")]
        author: String,
        #[command(flatten)]
        asked: Asked,
    },
    /// Lists all of the history.
    List {
        #[command(flatten)]
        whose: Whose,
    },
}

/// Ends with 0 when the month is closed, 1 when it cannot be or the desk cannot be asked, 2 when the
/// command itself was wrong.
#[derive(Clone, Debug, Args)]
pub struct CloseMonth {
    /// Which month, such as 2026-10.
    month: Month,
    /// Who closes it.
    #[arg(long, value_name = "NAME")]
    author: String,
    /// Why there is another revision; not for the first.
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    asked: Asked,
}

/// Which desk is asked, and in which form it is told what it answered.
#[derive(Clone, Debug, Args)]
struct Asked {
    #[command(flatten)]
    reach: Reach,
    /// JSON instead of text.
    #[arg(long)]
    json: bool,
}

impl Asked {
    /// What was done, in words or as an object.
    fn told(&self, object: Value, said: String) -> Reply {
        if self.json { plain(json(&object), 0) } else { plain(format!("{said}\n"), 0) }
    }
}

/// Enters, approves, withdraws or lists exclusions.
#[must_use]
pub fn exclude(arguments: &Exclude) -> ExitCode {
    let reply = match &arguments.what {
        What::Enter { from, until, reason, author, asked } => {
            enter((from, until), (author, reason), asked)
        }
        What::Approve { exclusion, author, asked } => {
            let body = object!({"author": author});
            judge(*exclusion, "approve", &body, asked)
        }
        What::Withdraw { exclusion, reason, author, asked } => {
            let body = object!({"author": author, "reason": reason});
            judge(*exclusion, "withdraw", &body, asked)
        }
        What::List { whose } => list(whose, whose.language.choose()),
    };
    reply.unwrap_or_else(|reply| reply).finish()
}

/// Closes a month.
#[must_use]
pub fn close_month(arguments: &CloseMonth) -> ExitCode {
    close(arguments).unwrap_or_else(|reply| reply).finish()
}

fn enter(
    (from, until): (&str, &str),
    (author, reason): (&str, &str),
    asked: &Asked,
) -> Result<Reply, Reply> {
    let (client, lang) = asked.reach.client()?;
    let plan = asked.reach.plan(lang)?;
    let time = |text: &str| {
        dialplan::moment(text, plan.timezone).map(|at| at.0.to_string()).ok_or_else(|| {
            let text = tame(text);
            Reply::wrong(&lang.pick(
                format!("\"{text}\" は日時として読めない（例: 2026-10-01T08:30）"),
                format!("\"{text}\" is not a time, such as 2026-10-01T08:30"),
            ))
        })
    };
    let (from, until) = (time(from)?, time(until)?);
    let body = object!({"author": author, "reason": reason, "from": from, "until": until});
    let answer = client
        .say("POST", "/api/v1/exclusions", &body.to_string())
        .map_err(|error| failed(&error, lang))?;
    let number = number(&answer.body, "exclusion");
    let said = lang.pick(
        format!("対象外期間 {number} を記入した。ほかの人の承認を待つ"),
        format!("exclusion {number} is entered; another person must approve it"),
    );
    Ok(asked.told(object!({"exclusion": number, "state": "entered"}), said))
}

fn judge(exclusion: u32, action: &str, body: &Value, asked: &Asked) -> Result<Reply, Reply> {
    let (client, lang) = asked.reach.client()?;
    let path = format!("/api/v1/exclusions/{exclusion}/{action}");
    client.say("POST", &path, &body.to_string()).map_err(|error| failed(&error, lang))?;
    let (state, said) = match action {
        "approve" => (
            "approved",
            lang.pick(
                format!("対象外期間 {exclusion} を承認した"),
                format!("exclusion {exclusion} is approved"),
            ),
        ),
        _ => (
            "withdrawn",
            lang.pick(
                format!("対象外期間 {exclusion} を取り下げた"),
                format!("exclusion {exclusion} is withdrawn"),
            ),
        ),
    };
    Ok(asked.told(object!({"exclusion": exclusion, "state": state}), said))
}

fn list(whose: &Whose, lang: Lang) -> Result<Reply, Reply> {
    let views = whose.open(lang)?.read(lang)?;
    let rows = views.exclusions();
    if whose.json {
        return Ok(plain(json(&rows), 0));
    }
    let mut out = String::new();
    for row in rows {
        let zone = views.timezone();
        let (from, until) = (view::written(row.from_ms, zone), view::written(row.until_ms, zone));
        let state = match row.state {
            ExclusionState::Entered => lang.pick("承認待ち", "entered"),
            ExclusionState::Approved { .. } => lang.pick("承認済み", "approved"),
            ExclusionState::Withdrawn { .. } => lang.pick("取り下げ", "withdrawn"),
        };
        // Into a String: cannot fail.
        let _ = writeln!(
            out,
            "{} {from} {until} {state} {} {}",
            row.exclusion, row.entered.author, row.reason
        );
    }
    Ok(plain(out, 0))
}

fn close(arguments: &CloseMonth) -> Result<Reply, Reply> {
    let (client, lang) = arguments.asked.reach.client()?;
    let month = arguments.month.to_string();
    let body = match &arguments.reason {
        None => object!({"author": arguments.author}),
        Some(reason) => object!({"author": arguments.author, "reason": reason}),
    };
    let path = format!("/api/v1/months/{}/close", escape(&month));
    let answer =
        client.say("POST", &path, &body.to_string()).map_err(|error| failed(&error, lang))?;
    let number = number(&answer.body, "revision");
    let said = lang.pick(
        format!("{month} を締めた（改訂 {number}）"),
        format!("{month} is closed (revision {number})"),
    );
    Ok(arguments.asked.told(object!({"month": month, "revision": number}), said))
}

/// A number in an answer; none shows as `null`.
fn number(body: &[u8], name: &str) -> Value {
    let mut json: Value = serde_json::from_slice(body).unwrap_or_default();
    json.get_mut(name).map(Value::take).unwrap_or_default()
}
