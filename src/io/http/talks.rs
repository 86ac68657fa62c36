//! Orders about a talk that goes on: who listens to it, and who is added to it.

use super::who::Who;
use super::{Server, api};
use crate::base::{AgentId, CallId, Number};
use crate::event::{Means, Supervision};
use crate::pbx::api::Command;
use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Deserialize;

/// Longest number, characters.
const NUMBER_BOUND: usize = 32;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Supervise")]
pub(super) struct Wish {
    /// The supervisor whose phone is rung.
    by: String,
    /// Whose talk is heard.
    agent: String,
    mode: Mode,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Listen,
    Whisper,
    Barge,
    End,
}

/// `POST /api/v1/supervision`.
pub(super) async fn supervise(
    State(server): State<Server>,
    Extension(who): Extension<Who>,
    body: Bytes,
) -> Response {
    let Ok(wish) = serde_json::from_slice::<Wish>(&body) else {
        let due = "due is {\"by\": \"2010\", \"agent\": \"2001\", \"mode\": \"listen\"}; mode may be listen, whisper, barge or end";
        return api::error(StatusCode::BAD_REQUEST, due);
    };
    let mode = match wish.mode {
        Mode::Listen => Some(Supervision::Listen),
        Mode::Whisper => Some(Supervision::Whisper),
        Mode::Barge => Some(Supervision::Barge),
        Mode::End => None,
    };
    let (by, agent, means) = (AgentId::from(wish.by), AgentId::from(wish.agent), Means::Api);
    if let Err(refused) = who.may_listen_at(&by) {
        return refused.into_response();
    }
    api::obeyed(&server, Command::Supervise { by, agent, mode, means }).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Third {
    /// An extension, or a number outside, as the agent would dial it.
    #[schemars(length(min = 1, max = NUMBER_BOUND), regex(pattern = r"^[0-9*#]+$"))]
    number: String,
}

/// `POST /api/v1/calls/{id}/third`.
pub(super) async fn add(
    State(server): State<Server>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let Some(call) = call(&id) else { return no_id() };
    let number = serde_json::from_slice::<Third>(&body).map(|third| third.number);
    let good = |number: &String| {
        (1..=NUMBER_BOUND).contains(&number.len())
            && number.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'#'))
    };
    let Some(number) = number.ok().filter(good) else {
        let due = "due is {\"number\": \"2002\"}, as the agent would dial it";
        return api::error(StatusCode::BAD_REQUEST, due);
    };
    let (number, by) = (Number::from(number), Means::Api);
    api::obeyed(&server, Command::AddThird { call, number, by }).await
}

/// `DELETE /api/v1/calls/{id}/third`.
pub(super) async fn drop(State(server): State<Server>, Path(id): Path<String>) -> Response {
    let Some(call) = call(&id) else { return no_id() };
    api::obeyed(&server, Command::DropThird { call }).await
}

fn call(id: &str) -> Option<CallId> {
    id.parse::<uuid::Uuid>().ok().map(CallId)
}

fn no_id() -> Response {
    api::error(StatusCode::BAD_REQUEST, "due is a call's id")
}
