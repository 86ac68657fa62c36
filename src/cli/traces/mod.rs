//! `madoguchi traces`: each call that ends, as a trace of OpenTelemetry, to a collector. A program beside the desk: a
//! collector that is away costs the desk nothing.

mod span;

use super::Reply;
use super::following;
use super::history::Whose;
use crate::dialplan::{Lang, tame};
use crate::event::{CallEvent, Entry, Fact};
use crate::io::deliver::{Answer, Client, Failed, Question, Server};
use crate::view::Views;
use clap::Args;
use http::{Method, Uri};
use span::{Told, request};
use std::io::Write as _;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::sleep;

/// Calls of one request.
const MOST: usize = 100;
/// All of one try.
const PATIENCE: Duration = Duration::from_secs(10);
/// Of an answer so many bytes are read.
const ANSWER: usize = 64 << 10;
/// Pauses behind tries that failed.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Until Ctrl-C. While the collector does not answer it is tried again, and what ends meanwhile waits in the history; what
/// it refuses is told and left out. Ends with 0 when it was ended, 2 when the configuration, the plan, the store or the
/// address cannot be used.
#[derive(Clone, Debug, Args)]
pub struct Traces {
    /// The collector's address for OTLP over HTTP; /v1/traces is put behind it.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4318")]
    to: String,
    #[command(flatten)]
    whose: Whose,
}

/// Follows the history and tells the collector.
#[must_use]
pub fn traces(arguments: &Traces) -> ExitCode {
    let lang = arguments.whose.language.choose();
    follow(arguments, lang).unwrap_or_else(|reply| reply).finish()
}

/// The way to the collector.
fn collector(to: &str, lang: Lang) -> Result<Client, Reply> {
    let wrong = || {
        let to = tame(to);
        Reply::wrong(&lang.pick(
            format!("--to {to}: http:// か https:// で始まるアドレスを書く"),
            format!("--to {to}: due is an address that begins with http:// or https://"),
        ))
    };
    let url: Uri =
        format!("{}/v1/traces", to.trim_end_matches('/')).parse().map_err(|_| wrong())?;
    if !matches!(url.scheme_str(), Some("http" | "https")) || url.host().is_none_or(str::is_empty) {
        return Err(wrong());
    }
    let server = Server {
        url,
        // Whoever starts this has named it.
        private: true,
        allowed_by: "--to",
        authorities: Vec::new(),
        patience: PATIENCE,
        most: ANSWER,
    };
    Client::new(server).map_err(|error| Reply::wrong(&error.to_string()))
}

fn follow(arguments: &Traces, lang: Lang) -> Result<Reply, Reply> {
    let client = collector(&arguments.to, lang)?;
    following::follow(&arguments.whose, lang, async |views, entries| {
        let ended: Vec<Told> = entries.iter().filter_map(|entry| told(views, entry)).collect();
        for calls in ended.chunks(MOST) {
            tell(&client, calls, lang).await;
        }
        ControlFlow::Continue(())
    })
}

/// Takes an entry in; tells of the call that it ended.
fn told(views: &mut Views, entry: &Entry) -> Option<Told> {
    views.apply(entry);
    match &entry.fact {
        Fact::Call { call, event: CallEvent::Ended { .. }, .. } => {
            views.row_of(*call).as_ref().map(Told::of)
        }
        _ => None,
    }
}

/// Whether a later try may bring it in: the collector is away, or says that it has too much to do (OTLP/HTTP, "Failures").
fn may_pass(failed: &Failed) -> bool {
    match failed {
        Failed::Refused { status, .. } => matches!(status, 429 | 502 | 503 | 504),
        _ => true,
    }
}

/// Tells as often as it takes.
async fn tell(client: &Client, calls: &[Told], lang: Lang) {
    let (mut pause, longest) = PAUSES;
    let mut troubled = false;
    loop {
        let question = Question::new(Method::POST, "").json(&request(calls));
        let Err(failed) = client.ask(question).await.and_then(Answer::yes) else { return };
        let (passes, count) = (may_pass(&failed), calls.len());
        let said = if passes {
            lang.pick(
                format!("収集側が応答しない。やり直す: {failed}"),
                format!("the collector does not take them and is tried again: {failed}"),
            )
        } else {
            lang.pick(
                format!("{count} 呼が断られた。飛ばして進む: {failed}"),
                format!("{count} calls are refused and left out: {failed}"),
            )
        };
        if !troubled || !passes {
            let _ = writeln!(std::io::stderr(), "{said}"); // It is only for looking at.
        }
        if !passes {
            return;
        }
        troubled = true;
        sleep(pause).await;
        pause = pause.saturating_mul(2).min(longest);
    }
}
