//! Parked callers by the API: who is in which slot, to be parked, to be fetched.

use super::who::Who;
use super::{Server, api};
use crate::base::{AgentId, CallId, Number};
use crate::pbx::Command;
use crate::view::CallRow;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ParkedCalls")]
pub(super) struct Slots {
    parked: Vec<CallRow>,
}

/// `GET /api/v1/parked`: the calls that are in a slot, those longest there first.
pub(super) async fn list(State(server): State<Server>) -> Response {
    let parked = server.app.hub.read(|views, _, _| views.parked());
    Json(Slots { parked }).into_response()
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Where {
    /// The lowest free slot of the plan's first lot if left out.
    slot: Option<String>,
}

/// `POST /api/v1/calls/{id}/park`.
pub(super) async fn park(
    State(server): State<Server>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let Ok(id) = id.parse::<uuid::Uuid>() else {
        return api::error(StatusCode::BAD_REQUEST, "due is a call's id");
    };
    let wanted = if body.is_empty() { Ok(Where::default()) } else { serde_json::from_slice(&body) };
    let Ok(Where { slot }) = wanted else {
        let due = "due is no body, or a JSON object with at most `slot`";
        return api::error(StatusCode::BAD_REQUEST, due);
    };
    api::obeyed(&server, Command::Park { call: CallId(id), slot: slot.map(Number::from) }).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Whom {
    /// Whose phone is to ring.
    agent: String,
}

/// `POST /api/v1/parked/{slot}/fetch`.
pub(super) async fn fetch(
    State(server): State<Server>,
    Extension(who): Extension<Who>,
    Path(slot): Path<String>,
    body: Bytes,
) -> Response {
    let Ok(Whom { agent }) = serde_json::from_slice(&body) else {
        let due = "due is a JSON object with `agent`, the extension whose phone is to ring";
        return api::error(StatusCode::BAD_REQUEST, due);
    };
    let (slot, agent) = (Number::from(slot), AgentId::from(agent));
    if let Err(refused) = who.may_act_for(&agent) {
        return refused.into_response();
    }
    api::obeyed(&server, Command::Fetch { slot, agent }).await
}
