//! Recordings over HTTP: orders about one that runs, the list of a day, and fetching one that is whole, or a
//! part of it. Fetching needs the desk's token, and stands in the history.

use super::range::{self, Due};
use super::{Server, api};
use crate::base::{AgentId, CallId, Wall};
use crate::event::{CallerNumber, Entry, Fact, Means, RecordingEvent};
use crate::pbx::api::{Command, TapeOrder};
use crate::recording::{Format, name};
use crate::view::CallRow;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    ETAG,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::TimeZone as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio_stream::wrappers::ReceiverStream;

/// Pieces of a file that are read ahead of a slow reader.
const AHEAD: usize = 4;
/// Recordings fetched at once; one more is refused with 503.
pub(super) const MAX_FETCHES: usize = 8;
/// Calls of a day in one answer, and a little more.
const DAY_ROWS: usize = 200;
/// How often the journal is asked for one answer: what is sought for longer comes with `more_before`.
const MAX_READS: usize = 50;

/// Pieces of a file, in order.
pub type Pieces = Box<dyn Iterator<Item = io::Result<Vec<u8>>> + Send>;

/// Reads all of a recording, or so many bytes (at least one) from that one on.
pub type ReadFn = dyn FnOnce(Option<(u64, u64)>) -> io::Result<Pieces> + Send;

/// A recording that is read.
pub struct Opened {
    /// Bytes of the whole.
    pub bytes: u64,
    /// They themselves.
    pub pieces: Box<ReadFn>,
}

/// Opens a recording by the path that the history names.
pub type OpenFn = dyn Fn(&str) -> io::Result<Opened> + Send + Sync;

/// The way to recordings.
#[derive(Clone)]
pub struct Recordings {
    /// Opens one by the path that the history names.
    pub open: Arc<OpenFn>,
    /// Somebody fetched this recording of this call.
    pub fetched: Arc<dyn Fn(CallId, u32) + Send + Sync>,
}

/// `POST /api/v1/calls/{id}/recording/{start|stop|pause|resume}`.
pub(super) async fn order(
    State(server): State<Server>,
    Path((id, action)): Path<(String, String)>,
) -> Response {
    let Ok(id) = id.parse::<uuid::Uuid>() else {
        return api::error(StatusCode::BAD_REQUEST, "due is a call's id");
    };
    let order = match action.as_str() {
        "start" => TapeOrder::Begin,
        "stop" => TapeOrder::End,
        "pause" => TapeOrder::Pause,
        "resume" => TapeOrder::Resume,
        _ => return api::error(StatusCode::NOT_FOUND, "due is start, stop, pause or resume"),
    };
    api::obeyed(&server, Command::Tape { call: CallId(id), order, by: Means::Api }).await
}

/// A file as the history has it.
struct Kept {
    file: String,
    sha256: String,
}

/// The file of a recording as the history has it last; none when it is not whole, or deleted.
fn file_of(ladder: &[Entry], wanted: u32) -> Option<Kept> {
    ladder.iter().fold(None, |kept, entry| match &entry.fact {
        Fact::Recording { event: RecordingEvent::Kept { number, file, sha256, .. }, .. }
            if *number == wanted =>
        {
            Some(Kept { file: file.clone(), sha256: sha256.clone() })
        }
        Fact::Recording { event: RecordingEvent::Deleted { number, .. }, .. }
            if *number == wanted =>
        {
            None
        }
        _ => kept,
    })
}

/// The media type and the ending of what lies in a file of this name.
fn kind_of(file: &str) -> (&'static str, &'static str) {
    let name = file.rsplit_once('/').map_or(file, |(_, name)| name);
    match name::read(name).map(|named| named.format) {
        Some(format @ Format::Opus) => ("audio/ogg", format.ending()),
        Some(format @ Format::Wav) => ("audio/wav", format.ending()),
        None => ("application/octet-stream", "bin"),
    }
}

/// `GET /api/v1/calls/{id}/recordings/{number}`: the whole, or one range of its bytes.
pub(super) async fn fetch(
    State(server): State<Server>,
    Path((id, number)): Path<(String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let (Ok(id), Ok(number)) = (id.parse::<uuid::Uuid>(), number.parse::<u32>()) else {
        return api::error(StatusCode::BAD_REQUEST, "due are a call's id and a number from 1");
    };
    let call = CallId(id);
    let Some(recordings) = server.app.recordings.clone() else {
        return api::error(StatusCode::NOT_FOUND, "the configuration has no [recording]");
    };
    let ladder = match (server.app.ladder)(call).await {
        Ok(ladder) => ladder,
        Err(why) => {
            tracing::warn!(why, "a call's ladder could not be read");
            return api::error(StatusCode::SERVICE_UNAVAILABLE, "the journal cannot be read now");
        }
    };
    let Some(Kept { file, sha256 }) = file_of(&ladder, number) else {
        return api::error(
            StatusCode::NOT_FOUND,
            "the call has no such recording, it is not whole yet, or it was deleted",
        );
    };
    let Ok(place) = server.fetches.clone().try_acquire_owned() else {
        return api::error(StatusCode::SERVICE_UNAVAILABLE, "too many recordings are fetched now");
    };
    let (kind, ending) = kind_of(&file);
    // A file never changes once it is whole, and what is sealed is opened to the same bytes every time.
    let tag = format!("\"{sha256}\"");
    let open = Arc::clone(&recordings.open);
    let asked = (method.clone(), headers, tag.clone());
    let opened = tokio::task::spawn_blocking(move || {
        let opened = open(&file)?;
        let (method, headers, tag) = asked;
        let due = range::due(&method, &headers, &tag, opened.bytes);
        let wanted = match due {
            Due::Whole => None,
            Due::Part { from, bytes } => Some((from, bytes)),
            Due::Nothing | Due::Unchanged | Due::Another => {
                return io::Result::Ok((due, opened.bytes, None));
            }
        };
        // Who asks for the head alone gets no byte, and fetches nothing.
        let pieces = if method == Method::HEAD { None } else { Some((opened.pieces)(wanted)?) };
        Ok((due, opened.bytes, pieces))
    });
    let (due, length, pieces) = match opened.await {
        Ok(Ok(opened)) => opened,
        Ok(Err(error)) => {
            tracing::warn!(%error, %call, number, "a recording cannot be read");
            return api::error(StatusCode::NOT_FOUND, "the file cannot be read; the log says why");
        }
        Err(_) => return api::error(StatusCode::INTERNAL_SERVER_ERROR, "a fault while reading"),
    };
    let (status, bytes, range) = match due {
        Due::Whole => (StatusCode::OK, length, None),
        Due::Part { from, bytes } => {
            let last = from.saturating_add(bytes).saturating_sub(1);
            (StatusCode::PARTIAL_CONTENT, bytes, Some(format!("bytes {from}-{last}/{length}")))
        }
        Due::Nothing => {
            let error = "the recording has no such bytes; Content-Range says how many it has";
            let mut refused = api::error(StatusCode::RANGE_NOT_SATISFIABLE, error);
            set(&mut refused, CONTENT_RANGE, &format!("bytes */{length}"));
            return refused;
        }
        Due::Unchanged => {
            let mut same = StatusCode::NOT_MODIFIED.into_response();
            set(&mut same, ETAG, &tag);
            return same;
        }
        Due::Another => {
            return api::error(StatusCode::PRECONDITION_FAILED, "the recording is another one");
        }
    };
    let body = match pieces {
        None => Body::empty(),
        Some(pieces) => {
            (recordings.fetched)(call, number);
            streamed(pieces, place, call, number)
        }
    };
    let mut response = (status, body).into_response();
    set(&mut response, CONTENT_TYPE, kind);
    set(&mut response, CONTENT_LENGTH, &bytes.to_string());
    set(&mut response, ACCEPT_RANGES, "bytes");
    set(&mut response, ETAG, &tag);
    set(&mut response, CACHE_CONTROL, "no-store");
    if let Some(range) = range {
        set(&mut response, CONTENT_RANGE, &range);
    }
    let name = format!("attachment; filename=\"{call}-{number}.{ending}\"");
    set(&mut response, CONTENT_DISPOSITION, &name);
    response
}

fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Sends pieces as they are read; the place among the readers is held as long.
fn streamed(pieces: Pieces, place: OwnedSemaphorePermit, call: CallId, number: u32) -> Body {
    let (tx, rx) = tokio::sync::mpsc::channel::<io::Result<Bytes>>(AHEAD);
    tokio::task::spawn_blocking(move || {
        let _place = place;
        for piece in pieces {
            if let Err(error) = &piece {
                tracing::warn!(%error, %call, number, "a recording ends too early");
            }
            // A reader who has left wants no more.
            if tx.blocking_send(piece.map(Bytes::from)).is_err() {
                return;
            }
        }
    });
    Body::from_stream(ReceiverStream::new(rx))
}

/// Which recordings of a day are wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DayWanted {
    /// That of the call's arrival; today if left out.
    #[schemars(with = "Option<chrono::NaiveDate>")]
    day: Option<String>,
    /// Found in the caller's number or the one dialled.
    number: Option<String>,
    /// Who spoke with the caller.
    agent: Option<String>,
    /// One recording is at least so long, seconds.
    #[schemars(with = "Option<u32>")]
    shortest_s: Option<String>,
    /// A call, as `more_before` has it.
    #[schemars(with = "Option<uuid::Uuid>")]
    before: Option<String>,
}

/// What is looked for in a day.
struct Wanted {
    number: Option<String>,
    agent: Option<AgentId>,
    shortest_ms: u64,
}

impl Wanted {
    fn holds(&self, row: &CallRow) -> bool {
        let caller = match &row.caller.number {
            CallerNumber::Known(number) => Some(number.reveal().as_str()),
            CallerNumber::Withheld
            | CallerNumber::Payphone
            | CallerNumber::Unavailable
            | CallerNumber::Erased => None,
        };
        let has = |wanted: &String| {
            row.number.as_str().contains(wanted)
                || caller.is_some_and(|caller| caller.contains(wanted))
        };
        let spoke = |agent: &AgentId| row.talks.iter().any(|talk| talk.agent == *agent);
        self.number.as_ref().is_none_or(has)
            && self.agent.as_ref().is_none_or(spoke)
            && (self.shortest_ms == 0
                || row.recordings.iter().any(|it| it.length_ms >= Some(self.shortest_ms)))
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RecordedCalls")]
pub(super) struct OfDay {
    day: chrono::NaiveDate,
    timezone: &'static str,
    calls: Vec<api::Call>,
    /// There may be more, of calls that came before this one.
    more_before: Option<CallId>,
}

/// `GET /api/v1/recordings`: the calls of a day that were recorded, the newest first.
pub(super) async fn of_day(
    State(server): State<Server>,
    wanted: Result<Query<DayWanted>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let bad = |text: &str| api::error(StatusCode::BAD_REQUEST, text);
    let Ok(Query(asked)) = wanted else {
        return bad("due are at most day, number, agent, shortest_s and before, each once");
    };
    let (zone, policy, today) = server
        .app
        .hub
        .read(|views, now, _| (views.timezone(), views.policy().clone(), views.day_of(now.wall)));
    let Ok(day) = asked.day.as_deref().map_or(Ok(today), str::parse) else {
        return bad("due is a day such as 2026-11-26");
    };
    let Ok(shortest_s) = asked.shortest_s.as_deref().map_or(Ok(0), str::parse::<u32>) else {
        return bad("due are whole seconds");
    };
    let Ok(before) = asked.before.as_deref().map(uuid::Uuid::parse_str).transpose() else {
        return bad("due is a call's id, as more_before has it");
    };
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    let wanted = Wanted {
        number: some(asked.number),
        agent: some(asked.agent).map(AgentId::from),
        shortest_ms: u64::from(shortest_s).saturating_mul(1_000),
    };
    let (from, to) = (day_begins(day, zone), day.succ_opt().map(|next| day_begins(next, zone)));
    let from = first_of(from);
    let mut below = to.map_or(CallId(uuid::Uuid::max()), first_of);
    below = before.map_or(below, |before| below.min(CallId(before)));
    let mut found = Vec::new();
    let mut more_before = None;
    for _ in 0..MAX_READS {
        let ladders = match (server.app.recorded)(from, below).await {
            Ok(ladders) => ladders,
            Err(why) => {
                tracing::warn!(why, "a day's recordings could not be read");
                let error = "the journal cannot be read now";
                return api::error(StatusCode::SERVICE_UNAVAILABLE, error);
            }
        };
        more_before = ladders.iter().map(|(call, _)| *call).min();
        let Some(least) = more_before else { break };
        below = least;
        let rows = ladders.iter().filter_map(|(_, it)| Some(CallRow::from_ladder(it, &policy)?.0));
        found.extend(rows.filter(|row| wanted.holds(row)));
        if found.len() >= DAY_ROWS {
            break;
        }
    }
    let calls = found.into_iter().map(|row| api::Call::new(row, zone)).collect();
    Json(OfDay { day, timezone: zone.name(), calls, more_before }).into_response()
}

/// When a day begins in a zone.
fn day_begins(day: chrono::NaiveDate, zone: chrono_tz::Tz) -> Wall {
    let midnight = day.and_time(chrono::NaiveTime::MIN);
    let begins = zone.from_local_datetime(&midnight).earliest();
    // Where the clock is put forward at midnight, the day's first hour is missing.
    begins.map_or(Wall(midnight.and_utc().timestamp_millis()), |at| Wall(at.timestamp_millis()))
}

/// No call that came then or later has a lesser id: ids begin with the time of arrival (RFC 9562 §5.7).
fn first_of(at: Wall) -> CallId {
    let ms = u64::try_from(at.0).unwrap_or(0) & 0xffff_ffff_ffff;
    CallId(uuid::Uuid::from_u64_pair(ms << 16, 0))
}
