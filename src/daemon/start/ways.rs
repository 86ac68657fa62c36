//! What the pages and the API reach of the desk: orders, questions to the history, recordings, who is shut out.

use super::super::engine_loop::Heard;
use super::super::inlet::Inlet;
use super::super::planning::beside;
use super::super::pulse::Pulse;
use super::error::StartError;
use crate::base::Private;
use crate::io::http::{self, CommandFailure, Token};
use crate::io::net::Lane;
use crate::io::recording::Recorder;
use crate::io::store::{self, Store};
use crate::io::telemetry::log;
use crate::recording::command::RecordingId;
use crate::sip::BlockedAccount;
use crate::view;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long whoever asks by a page waits for the engine, which is never busy for as long.
const PATIENCE: Duration = Duration::from_secs(2);

/// The pages' way to recordings.
pub(super) fn recordings(recorder: &Arc<Recorder>, inlet: &Arc<Inlet<Heard>>) -> http::Recordings {
    let (recorder, inlet) = (Arc::downgrade(recorder), Arc::clone(inlet));
    http::Recordings {
        open: Arc::new(move |file| {
            let gone = || std::io::Error::from(std::io::ErrorKind::NotFound);
            let reading = recorder.upgrade().ok_or_else(gone)?.open(file)?;
            Ok(http::Opened {
                bytes: reading.bytes(),
                pieces: Box::new(move |part| {
                    let pieces = match part {
                        Some((from, bytes)) => reading.only(from, bytes)?,
                        None => reading,
                    };
                    Ok(Box::new(pieces) as http::Pieces)
                }),
            })
        }),
        fetched: Arc::new(move |call, number| {
            inlet.push(Lane::First, Heard::Fetched(RecordingId { call, number }));
        }),
    }
}

/// The month's report, made beside everything else by whoever asks for it.
pub(super) fn report(config: &Path) -> http::ReportFn {
    let path = config.to_owned();
    Arc::new(move |month| {
        let path = path.clone();
        Box::pin(async move {
            let (told, made) = oneshot::channel();
            let make = move || {
                // Who asked may have gone away.
                let _ = told.send(crate::cli::report_files(&path, month));
            };
            beside("report", make).map_err(|error| error.to_string())?;
            made.await.map_err(|_| "a fault of the program; the log says where")?
        })
    })
}

/// A call's entries.
pub(super) fn ladder(store: &Store) -> http::LadderFn {
    let reader = store.reader();
    Arc::new(move |call| {
        let reader = reader.clone();
        Box::pin(async move { reader.ladder(call).await.map_err(|error| error.to_string()) })
    })
}

/// What a view missed, some of it at once.
pub(super) fn reread(store: &Store) -> http::Reread {
    let reader = store.reader();
    Arc::new(move |from| {
        let reader = reader.clone();
        Box::pin(async move { reader.since(from, 10_000).await.unwrap_or_default() })
    })
}

/// An entry's link of the chain.
pub(super) fn hash(store: &Store) -> http::HashFn {
    let reader = store.reader();
    Arc::new(move |seq| {
        let reader = reader.clone();
        Box::pin(async move {
            let hash = reader.hash(seq).await;
            hash.inspect_err(|error| tracing::warn!(%error, seq, "no hash")).ok()?
        })
    })
}

/// Calls of some time, or those of them that were recorded.
pub(super) fn listed(store: &Store) -> http::ListedFn {
    let reader = store.reader();
    Arc::new(move |from, below, recorded| {
        let reader = reader.clone();
        let which = if recorded { store::Which::Recorded } else { store::Which::All };
        Box::pin(async move {
            reader.listed(from, below, which).await.map_err(|error| error.to_string())
        })
    })
}

/// Asks the engine; none when it does not answer within its time. It is asked at the call, not
/// first when the answer is awaited.
fn asked<T, Question: FnOnce(oneshot::Sender<T>) -> Heard>(
    inlet: &Inlet<Heard>,
    question: Question,
) -> impl Future<Output = Option<T>> + use<T, Question> {
    let (reply, answer) = oneshot::channel();
    inlet.push(Lane::First, question(reply));
    async move { tokio::time::timeout(PATIENCE, answer).await.ok()?.ok() }
}

/// Orders, each decided on by the engine, or refused when it does not answer.
pub(super) fn commands(inlet: &Arc<Inlet<Heard>>) -> http::CommandSink {
    let inlet = Arc::clone(inlet);
    Arc::new(move |command| {
        let answer = asked(&inlet, move |reply| Heard::Command { command, reply });
        Box::pin(async move {
            let result = answer.await.ok_or(CommandFailure::Unavailable)?;
            result.map_err(CommandFailure::Refused)
        })
    })
}

/// The log's levels for who may look at them and change them.
pub(super) fn log_doors() -> http::LogDoors {
    http::LogDoors {
        shown: Arc::new(|| {
            let row = |it: log::RoomShown| http::LogRow {
                room: it.room,
                level: it.level,
                configured: it.configured,
                left_s: it.left_s,
            };
            log::shown().into_iter().map(row).collect()
        }),
        order: Arc::new(log::order),
        end: Arc::new(log::end_orders),
    }
}

pub(super) fn token(token: &Private<String>) -> Result<Token, StartError> {
    Token::new(token.reveal()).map_err(|weak| StartError::Token(weak.to_string()))
}

/// Who came and who ordered what goes into the history as anything else does: by the engine.
pub(super) fn note(inlet: &Arc<Inlet<Heard>>) -> http::NoteFn {
    let commands = commands(inlet);
    Arc::new(move |event| {
        let noted = commands(crate::pbx::Command::Record { event: Box::new(event) });
        Box::pin(async move { noted.await.is_ok() })
    })
}

/// Who is shut out, and the way to let somebody in again.
pub(super) fn doors(inlet: &Arc<Inlet<Heard>>, pulse: &Arc<Pulse>) -> http::Doors {
    let (inlet, pulse) = (Arc::clone(inlet), Arc::clone(pulse));
    http::Doors {
        shut: Arc::new(move || {
            let blocked = pulse.shown().blocked.into_iter();
            let shown = blocked.map(|door| {
                let account = match &door.account {
                    Some(BlockedAccount::Known(number)) => Some(number.to_string()),
                    Some(BlockedAccount::Unknown) | None => None,
                };
                view::Blocked {
                    source: door.source.to_string(),
                    scope: if door.account.is_some() { "account" } else { "source" },
                    account,
                    failures: door.failures,
                    since: door.since,
                    left_s: door.left.as_secs(),
                }
            });
            shown.collect()
        }),
        open: Arc::new(move |address| {
            Box::pin(asked(&inlet, move |reply| Heard::LetIn { address, reply }))
        }),
    }
}
