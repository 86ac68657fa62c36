//! What a person asks the running desk about its ticket systems: how they stand, and orders about what waits.

use super::super::Reply;
use super::super::call_id;
use super::super::client::{Answer, Client, ClientError, escape};
use super::super::reach::{Reach, failed};
use super::{paper, text};
use crate::dialplan::{Lang, tame};
use clap::Args;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;

/// Ends with 0 when every target takes what it is due, 1 when one does not or the desk cannot be asked.
#[derive(Clone, Debug, Args)]
pub struct Status {
    /// JSON instead of text.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

/// Who orders it, and about which target.
#[derive(Clone, Debug, Args)]
struct Signed {
    /// The target's name in the configuration.
    #[arg(long, value_name = "NAME")]
    target: String,
    /// Who orders it.
    #[arg(long, value_name = "NAME")]
    author: String,
    #[command(flatten)]
    reach: Reach,
}

/// Ends with 0 when it is being tried, 1 when it was refused or the desk cannot be asked.
#[derive(Clone, Debug, Args)]
pub struct Retry {
    /// One call's id; without it, all that waits.
    call: Option<String>,
    #[command(flatten)]
    signed: Signed,
}

/// Ends with 0 when it is being tried, 1 when it was refused or the desk cannot be asked.
#[derive(Clone, Debug, Args)]
pub struct Edit {
    /// The call's id.
    call: String,
    /// The ticket's subject; without it, it stays.
    #[arg(long)]
    subject: Option<String>,
    /// A file with the words.
    #[arg(long, value_name = "FILE")]
    text: PathBuf,
    #[command(flatten)]
    signed: Signed,
}

/// Ends with 0 when the target is due nothing of the call any more, 1 when it was refused or the desk cannot be
/// asked.
#[derive(Clone, Debug, Args)]
pub struct Discard {
    /// The call's id.
    call: String,
    /// Why.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    signed: Signed,
}

/// Ends with 0 when the ticket is taken for the call's, 1 when it was refused or the desk cannot be asked.
#[derive(Clone, Debug, Args)]
pub struct Adopt {
    /// The call's id.
    call: String,
    /// The target's name of the ticket, such as 1234.
    ticket: String,
    #[command(flatten)]
    signed: Signed,
}

/// Ends with 0 when everything of the file stands in the history, 1 when a line was refused or the desk cannot be
/// asked, 2 when the file cannot be used. Entering the same file twice changes nothing.
#[derive(Clone, Debug, Args)]
pub struct Import {
    /// The table of `tickets outbox --csv`, filled in.
    file: PathBuf,
    /// Whose notes they become: an agent of the plan.
    #[arg(long, value_name = "EXTENSION")]
    agent: Option<String>,
    #[command(flatten)]
    signed: Signed,
}

impl Status {
    pub(super) fn answer(&self) -> Reply {
        let asked = |client: &Client, lang| {
            let answer = ask(client, "GET", "/api/v1/tickets", None, lang)?;
            Ok(if self.json { whole(&answer) } else { said(&answer, lang) })
        };
        with(&self.reach, asked)
    }
}

impl Retry {
    pub(super) fn answer(&self) -> Reply {
        let follows = ("やり直します", "it is being tried");
        let Some(call) = &self.call else {
            let path = format!("/api/v1/tickets/{}/retry", escape(&self.signed.target));
            return self.signed.order(|_| Ok(path), |_| Ok(json!({})), follows);
        };
        self.signed.about(call, "retry", |_| Ok(json!({})), follows)
    }
}

impl Edit {
    pub(super) fn answer(&self) -> Reply {
        let order = |lang| {
            let mut order = json!({"text": text(&self.text, lang)?});
            if let Some(subject) = &self.subject {
                order["subject"] = Value::from(subject.as_str());
            }
            Ok(order)
        };
        let follows = ("この内容でやり直します", "it is being tried with these words");
        self.signed.about(&self.call, "edit", order, follows)
    }
}

impl Discard {
    pub(super) fn answer(&self) -> Reply {
        let follows = ("この呼は渡しません", "nothing of this call is handed over any more");
        let order = |_| Ok(json!({"reason": self.reason}));
        self.signed.about(&self.call, "discard", order, follows)
    }
}

impl Adopt {
    pub(super) fn answer(&self) -> Reply {
        let follows = ("このチケットに続けます", "what follows is added to that ticket");
        let order = |_| Ok(json!({"ticket": self.ticket}));
        self.signed.about(&self.call, "adopt", order, follows)
    }
}

impl Import {
    pub(super) fn answer(&self) -> Reply {
        with(&self.signed.reach, |client, lang| {
            let words = text(&self.file, lang)?;
            // All of it is read before anything is entered.
            let zone = self.zone(lang)?;
            let lines = paper::read(&words, zone, lang).map_err(|problems| {
                let name = tame(&self.file.display().to_string());
                let lines: Vec<_> = problems.iter().map(|it| format!("{name}: {it}")).collect();
                let err = lines.join("\n") + "\n";
                Reply { err, code: 2, ..Reply::default() }
            })?;
            let (mut out, mut refused) = (String::new(), 0_usize);
            for line in &lines {
                let entered = paper::enter(line, client, self, lang);
                let (call, what) = (
                    line.call,
                    match entered {
                        Ok(what) => what,
                        Err(why) => {
                            refused += 1;
                            why
                        }
                    },
                );
                let _ = writeln!(out, "{} {call}: {what}", line.number); // into a String: cannot fail
            }
            let count = lines.len();
            let _ = writeln!(
                out,
                "{}",
                lang.pick(
                    format!("{count} 件のうち {refused} 件は入りませんでした"),
                    format!("{refused} of {count} lines were refused"),
                )
            );
            Ok(done(out.trim_end(), u8::from(refused > 0)))
        })
    }

    pub(super) fn target(&self) -> &str {
        &self.signed.target
    }

    /// The desk's zone: of times without one.
    pub(super) fn zone(&self, lang: Lang) -> Result<chrono_tz::Tz, Reply> {
        Ok(self.signed.reach.plan(lang)?.timezone)
    }

    pub(super) fn author(&self) -> &str {
        &self.signed.author
    }

    pub(super) fn agent(&self) -> Option<&str> {
        self.agent.as_deref()
    }
}

impl Signed {
    /// Orders something about one call, and says what follows.
    fn about(
        &self,
        call: &str,
        action: &str,
        order: impl FnOnce(Lang) -> Result<Value, Reply>,
        follows: (&str, &str),
    ) -> Reply {
        let path = |lang| {
            let call = call_id(call, lang)?;
            Ok(format!("/api/v1/tickets/{}/outbox/{call}/{action}", escape(&self.target)))
        };
        self.order(path, order, follows)
    }

    fn order(
        &self,
        path: impl FnOnce(Lang) -> Result<String, Reply>,
        order: impl FnOnce(Lang) -> Result<Value, Reply>,
        (ja, en): (&str, &str),
    ) -> Reply {
        with(&self.reach, |client, lang| {
            let (mut order, path) = (order(lang)?, path(lang)?);
            order["author"] = Value::from(self.author.as_str());
            ask(client, "POST", &path, Some(&order), lang)?;
            Ok(done(lang.pick(ja, en), 0))
        })
    }
}

fn with(reach: &Reach, ask: impl FnOnce(&Client, Lang) -> Result<Reply, Reply>) -> Reply {
    let asked = reach.client().and_then(|(client, lang)| ask(&client, lang));
    asked.unwrap_or_else(|reply| reply)
}

fn ask(
    client: &Client,
    method: &str,
    path: &str,
    body: Option<&Value>,
    lang: Lang,
) -> Result<Value, Reply> {
    plainly(client, method, path, body).map_err(|error| failed(&error, lang))
}

/// The answer's JSON; null when it has none.
pub(super) fn plainly(
    client: &Client,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Result<Value, ClientError> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let Answer { body } = client.say(method, path, &body)?;
    Ok(serde_json::from_slice(&body).unwrap_or_default())
}

fn done(words: &str, code: u8) -> Reply {
    Reply { out: format!("{words}\n"), code, ..Reply::default() }
}

fn targets(answer: &Value) -> impl Iterator<Item = &Value> {
    answer["targets"].as_array().into_iter().flatten()
}

/// Whether a target does not take what it is due.
fn is_held_up(target: &Value) -> bool {
    target["state"] != "open" || target["stuck"].as_u64().is_some_and(|count| count > 0)
}

fn whole(answer: &Value) -> Reply {
    let code = u8::from(targets(answer).any(is_held_up));
    let out = serde_json::to_string_pretty(answer).unwrap_or_default() + "\n";
    Reply { out, code, ..Reply::default() }
}

fn said(answer: &Value, lang: Lang) -> Reply {
    let mut out = String::new();
    for it in targets(answer) {
        let word = |key: &str| tame(it[key].as_str().unwrap_or_default());
        let count = |key: &str| it[key].as_u64().unwrap_or_default();
        let state = match it["state"].as_str() {
            Some("away") => {
                lang.pick("応答がない（自動でやり直す）", "does not answer; tried again by itself")
            }
            Some("barred") => lang.pick(
                "鍵か設定が合わない（ログを見て直し、SIGHUP）",
                "refuses our key or is not as configured; see the log, mend it, send SIGHUP",
            ),
            _ => lang.pick("使える", "ready"),
        };
        let line = lang.pick(
            format!(
                "{}（{}）: {state}。待ち {}、うち人を待つもの {}。作成 {}、追記 {}",
                word("target"),
                word("system"),
                count("waiting"),
                count("stuck"),
                count("opened"),
                count("added"),
            ),
            format!(
                "{} ({}): {state}. waiting {}, of those for a person {}; opened {}, added {}",
                word("target"),
                word("system"),
                count("waiting"),
                count("stuck"),
                count("opened"),
                count("added"),
            ),
        );
        let _ = writeln!(out, "{line}"); // into a String: cannot fail
    }
    Reply { out, code: u8::from(targets(answer).any(is_held_up)), ..Reply::default() }
}
