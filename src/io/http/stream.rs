//! The event stream (`/api/v1/events`): the board whenever it changed, a sign of life every two
//! seconds. A reader gets the newest board, never a queue of old ones; one who takes nothing for
//! ten seconds is let go.

use super::{Health, Server, api};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Event streams at once; one more is refused with 503.
pub const MAX_STREAMS: usize = 200;

/// How often life is shown; a page without a sign for three of them says that its data is stale.
const BEAT: Duration = Duration::from_secs(2);

/// How long a reader may take to take what it was sent.
const PATIENCE: Duration = Duration::from_secs(10);

/// `GET /api/v1/events`.
pub(super) async fn events(State(server): State<Server>) -> Response {
    let Ok(place) = server.streams.clone().try_acquire_owned() else {
        return api::error(StatusCode::SERVICE_UNAVAILABLE, "too many event streams are open");
    };
    let (tx, rx) = mpsc::channel::<Result<Event, Infallible>>(1);
    tokio::spawn(async move {
        let _place = place;
        feed(&server, &tx).await;
    });
    Sse::new(ReceiverStream::new(rx)).into_response()
}

/// Until the reader leaves, stalls, or the server stops.
async fn feed(server: &Server, tx: &mpsc::Sender<Result<Event, Infallible>>) {
    let mut board = server.app.hub.watch();
    board.mark_changed();
    let mut stopping = server.stopping.clone();
    let mut beat = tokio::time::interval(BEAT);
    loop {
        let event = tokio::select! {
            changed = board.changed() => {
                if changed.is_err() {
                    return;
                }
                let json = board.borrow_and_update().clone();
                Event::default().event("board").data(json)
            }
            _ = beat.tick() => sign_of_life(server),
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
