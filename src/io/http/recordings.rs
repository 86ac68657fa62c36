//! Recordings over HTTP: orders about one that runs, the list of a day, and fetching one that is whole, or a
//! part of it. Fetching needs the desk's token, and stands in the history.

use super::day::{self, DayWanted};
use super::range::{self, Due};
use super::{Server, api};
use crate::base::CallId;
use crate::event::{Entry, Fact, Means, RecordingEvent};
use crate::pbx::api::{Command, TapeOrder};
use crate::recording::{Format, name};
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    ETAG,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use std::io;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio_stream::wrappers::ReceiverStream;

/// Pieces of a file that are read ahead of a slow reader.
const AHEAD: usize = 4;
/// Recordings fetched at once; one more is refused with 503.
pub(super) const MAX_FETCHES: usize = 8;

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

/// `GET /api/v1/recordings`: the calls of a day that were recorded, the newest first.
pub(super) async fn of_day(
    State(server): State<Server>,
    wanted: Result<Query<DayWanted>, axum::extract::rejection::QueryRejection>,
) -> Response {
    day::listed(&server, wanted.ok().map(|Query(wanted)| wanted), true).await
}
