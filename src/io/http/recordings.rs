//! Recordings over HTTP: orders about one that runs, and fetching one that is whole. Fetching needs the
//! desk's token, and stands in the history.

use super::{Server, api};
use crate::base::CallId;
use crate::event::{Entry, Fact, Means, RecordingEvent};
use crate::pbx::api::{Command, TapeOrder};
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use std::io;
use std::sync::Arc;
use tokio_stream::wrappers::ReceiverStream;

/// Pieces of a file that are read ahead of a slow reader.
const AHEAD: usize = 4;
/// Recordings fetched at once; one more is refused with 503.
pub(super) const MAX_FETCHES: usize = 8;

/// A recording that is read.
pub struct Opened {
    /// Bytes that come in all.
    pub bytes: u64,
    /// They themselves, in order.
    pub pieces: Box<dyn Iterator<Item = io::Result<Vec<u8>>> + Send>,
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

/// The file of a recording as the history has it last; none when it is not whole, or deleted.
fn file_of(ladder: &[Entry], wanted: u32) -> Option<String> {
    ladder.iter().fold(None, |file, entry| match &entry.fact {
        Fact::Recording { event: RecordingEvent::Kept { number, file, .. }, .. }
            if *number == wanted =>
        {
            Some(file.clone())
        }
        Fact::Recording { event: RecordingEvent::Deleted { number, .. }, .. }
            if *number == wanted =>
        {
            None
        }
        _ => file,
    })
}

/// `GET /api/v1/calls/{id}/recordings/{number}`.
pub(super) async fn fetch(
    State(server): State<Server>,
    Path((id, number)): Path<(String, String)>,
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
    let Some(file) = file_of(&ladder, number) else {
        return api::error(
            StatusCode::NOT_FOUND,
            "the call has no such recording, it is not whole yet, or it was deleted",
        );
    };
    let Ok(place) = server.fetches.clone().try_acquire_owned() else {
        return api::error(StatusCode::SERVICE_UNAVAILABLE, "too many recordings are fetched now");
    };
    let (kind, ending) =
        if file.contains(".opus") { ("audio/ogg", "opus") } else { ("audio/wav", "wav") };
    let open = Arc::clone(&recordings.open);
    let opened = tokio::task::spawn_blocking(move || open(&file)).await;
    let opened = match opened {
        Ok(Ok(opened)) => opened,
        Ok(Err(error)) => {
            tracing::warn!(%error, %call, number, "a recording cannot be read");
            return api::error(StatusCode::NOT_FOUND, "the file cannot be read; the log says why");
        }
        Err(_) => return api::error(StatusCode::INTERNAL_SERVER_ERROR, "a fault while reading"),
    };
    (recordings.fetched)(call, number);
    let (tx, rx) = tokio::sync::mpsc::channel::<io::Result<Bytes>>(AHEAD);
    tokio::task::spawn_blocking(move || {
        let _place = place;
        for piece in opened.pieces {
            if let Err(error) = &piece {
                tracing::warn!(%error, %call, number, "a recording ends too early");
            }
            // A reader who has left wants no more.
            if tx.blocking_send(piece.map(Bytes::from)).is_err() {
                return;
            }
        }
    });
    let mut response = Body::from_stream(ReceiverStream::new(rx)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(opened.bytes));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let name = format!("attachment; filename=\"{call}-{number}.{ending}\"");
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(CONTENT_DISPOSITION, name);
    }
    response
}
