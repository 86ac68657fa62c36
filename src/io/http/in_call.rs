//! What an agent's panel does with the call that the agent is in, and a supervisor with one that waits.

use super::{Server, api};
use crate::base::{CallId, Number};
use crate::dialplan::InCall;
use crate::event::Means;
use crate::pbx::Command;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct To {
    /// Due with `transfer` and `consult`: a number as the agent would dial it.
    to: Option<String>,
}

/// `POST /api/v1/calls/{id}/queue/first`: the call is served before all others of its group.
pub(super) async fn put_first(State(server): State<Server>, Path(id): Path<String>) -> Response {
    let Ok(id) = id.parse::<uuid::Uuid>() else {
        return api::error(StatusCode::BAD_REQUEST, "due is a call's id");
    };
    api::obeyed(&server, Command::PutFirst { call: CallId(id), by: Means::Api }).await
}

/// `POST /api/v1/calls/{id}/talk/{transfer|consult|swap|back|join}`.
pub(super) async fn order(
    State(server): State<Server>,
    Path((id, action)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let Ok(id) = id.parse::<uuid::Uuid>() else {
        return api::error(StatusCode::BAD_REQUEST, "due is a call's id");
    };
    let known = InCall::NAMES.iter().find(|(name, what)| *name == action && *what != InCall::Park);
    let Some((_, what)) = known else {
        return api::error(StatusCode::NOT_FOUND, "due is transfer, consult, swap, back or join");
    };
    let wanted = if body.is_empty() { Ok(To::default()) } else { serde_json::from_slice(&body) };
    let number = wanted.ok().map(|to: To| to.to.map(Number::from));
    let number = match number {
        Some(number) if number.is_some() == what.wants_number() => number,
        _ if what.wants_number() => {
            let due = "due is a JSON object with `to`, a number";
            return api::error(StatusCode::BAD_REQUEST, due);
        }
        _ => return api::error(StatusCode::BAD_REQUEST, "due is no body"),
    };
    api::obeyed(&server, Command::InCall { call: CallId(id), what: *what, number }).await
}
