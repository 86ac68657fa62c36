//! Event streams (`/api/v1/events`, a panel's): the board or panel whenever it changed, a sign of life every two
//! seconds. A reader gets the newest one, never a queue of old ones; one who takes nothing for
//! ten seconds is let go, and so is at the next sign of life whoever is signed out or may see it no more.

use super::auth::Leave;
use super::health::Health;
use super::{Server, api};
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;

/// Event streams at once; one more is refused with 503.
pub const MAX_STREAMS: usize = 200;

/// How often life is shown; a page without a sign for three of them says that its data is stale.
const BEAT: Duration = Duration::from_secs(2);

/// How long a reader may take to take what it was sent.
const PATIENCE: Duration = Duration::from_secs(10);

/// `GET /api/v1/events`.
pub(super) async fn events(
    State(server): State<Server>,
    Extension(leave): Extension<Arc<Leave>>,
) -> Response {
    let watched = told(&server, leave, "board", |server| Some(server.app.hub.watch()));
    watched.unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

/// A stream of what `watch` gives, each new one as an event of this name; none when there is nothing to
/// watch. For who finds no place among the streams, nothing is made.
pub(super) fn told(
    server: &Server,
    leave: Arc<Leave>,
    name: &'static str,
    watch: impl FnOnce(&Server) -> Option<watch::Receiver<Arc<str>>>,
) -> Option<Response> {
    let Ok(place) = server.streams.clone().try_acquire_owned() else {
        let full = "too many event streams are open";
        return Some(api::error(StatusCode::SERVICE_UNAVAILABLE, full));
    };
    let watched = watch(server)?;
    let (tx, rx) = mpsc::channel::<Result<Event, Infallible>>(1);
    let server = server.clone();
    tokio::spawn(async move {
        let _place = place;
        feed(&server, &leave, name, watched, &tx).await;
    });
    Some(Sse::new(ReceiverStream::new(rx)).into_response())
}

/// Until the reader leaves, stalls or may not any more, or the server stops.
async fn feed(
    server: &Server,
    leave: &Leave,
    name: &str,
    mut watched: watch::Receiver<Arc<str>>,
    tx: &mpsc::Sender<Result<Event, Infallible>>,
) {
    watched.mark_changed();
    let mut stopping = server.stopping.clone();
    let mut beat = tokio::time::interval(BEAT);
    loop {
        let event = tokio::select! {
            changed = watched.changed() => {
                if changed.is_err() {
                    return;
                }
                let json = watched.borrow_and_update().clone();
                Event::default().event(name).data(json)
            }
            _ = beat.tick() => {
                if !leave.holds(server) {
                    return;
                }
                sign_of_life(server)
            }
            _ = stopping.wait_for(|stopping| *stopping) => return,
            () = tx.closed() => return,
        };
        match tokio::time::timeout(PATIENCE, tx.send(Ok(event))).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}

fn sign_of_life(server: &Server) -> Event {
    let health = Health::of(&(server.app.gauges)());
    let json = serde_json::to_string(&health).unwrap_or_default();
    Event::default().event("beat").data(json)
}
