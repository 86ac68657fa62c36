//! The desk's end without a call cut off: ordered, looked at, called off. When it is over is decided by who is handed in.

use super::{Server, api};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Longest wait for calls to end, minutes.
const MINUTES_MAX: u64 = 24 * 60;

/// The way to the end of the desk.
pub trait Drains: Send + Sync {
    /// When calls that are still up are ended; none while callers are let in.
    fn left(&self) -> Option<Duration>;

    /// From now on callers are refused, and the desk ends once its calls have, or after this time. Ordered again it is
    /// the new time that holds.
    fn order(&self, within: Duration);

    /// Callers are let in again; false when they were.
    fn call_off(&self) -> bool;
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DrainShown")]
pub(super) struct Shown {
    /// Whether callers are refused until the desk ends.
    draining: bool,
    /// Calls of any kind that are up.
    calls: u64,
    /// Legs that are up: the desk ends when there is none.
    legs: u64,
    /// In how many seconds calls that are still up are ended; none while callers are let in.
    left_s: Option<u64>,
    /// Of the program that answers.
    version: String,
}

/// How long calls have.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Within {
    /// Minutes.
    #[schemars(with = "u64", range(min = 1, max = MINUTES_MAX))]
    minutes: String,
}

/// `GET /api/v1/drain`.
pub(super) async fn shown(State(server): State<Server>) -> Response {
    let (left, gauges) = (server.app.drains.left(), (server.app.gauges)());
    Json(Shown {
        draining: left.is_some(),
        calls: gauges.engine_calls,
        legs: gauges.legs,
        left_s: left.map(|left| left.as_secs()),
        version: server.app.version.clone(),
    })
    .into_response()
}

/// `POST /api/v1/drain?minutes=…`.
pub(super) async fn order(
    State(server): State<Server>,
    within: Result<Query<Within>, QueryRejection>,
) -> Response {
    let minutes = within.ok().and_then(|Query(within)| within.minutes.parse().ok());
    let Some(minutes @ 1..=MINUTES_MAX) = minutes else {
        let due = format!("due are minutes, 1 to {MINUTES_MAX}: how long calls that are up have");
        return api::error(StatusCode::BAD_REQUEST, due);
    };
    server.app.drains.order(Duration::from_mins(minutes));
    StatusCode::NO_CONTENT.into_response()
}

/// `DELETE /api/v1/drain`.
pub(super) async fn call_off(State(server): State<Server>) -> Response {
    if server.app.drains.call_off() {
        StatusCode::NO_CONTENT.into_response()
    } else {
        api::error(
            StatusCode::CONFLICT,
            "callers are let in: there is nothing to call off".to_owned(),
        )
    }
}
