//! Who is not listened to for having guessed at passwords, and letting somebody in again.

use super::{Server, api};
use crate::view::{self, Blocked};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use std::net::IpAddr;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "BlockedSources")]
pub(super) struct Shut {
    blocked: Vec<Door>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "BlockedSource")]
pub(super) struct Door {
    since: String,
    #[serde(flatten)]
    door: Blocked,
}

/// `GET /api/v1/blocked`.
pub(super) async fn blocked(State(server): State<Server>) -> Response {
    let zone = server.app.hub.read(|views, _, _| views.timezone());
    let shut = (server.app.doors.shut)().into_iter();
    let blocked = shut.map(|door| Door { since: view::written(door.since, zone), door }).collect();
    Json(Shut { blocked }).into_response()
}

/// `DELETE /api/v1/blocked/{source}`.
pub(super) async fn let_in(State(server): State<Server>, Path(source): Path<String>) -> Response {
    let Ok(address) = source.parse::<IpAddr>() else {
        return api::error(StatusCode::BAD_REQUEST, "due is an IP address, as the list has it");
    };
    match (server.app.doors.open)(address).await {
        Some(true) => {
            tracing::info!(%address, "a person let a blocked source in again");
            StatusCode::NO_CONTENT.into_response()
        }
        Some(false) => api::error(StatusCode::NOT_FOUND, "this source is not blocked"),
        None => api::error(StatusCode::SERVICE_UNAVAILABLE, "the engine does not take orders now"),
    }
}
