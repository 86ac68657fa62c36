//! Voice messages and wishes to be called back over HTTP: their lists, and orders about one.

use super::{Server, api};
use crate::base::CallId;
use crate::event::Means;
use crate::pbx::api::{Command, MessageOrder};
use crate::view::{CallbackRow, MessageRow};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Serialize, JsonSchema)]
pub(super) struct Messages {
    messages: Vec<MessageRow>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Callbacks {
    callbacks: Vec<CallbackRow>,
}

/// `GET /api/v1/messages`: all that were left and not deleted, the newest first.
pub(super) async fn messages(State(server): State<Server>) -> Response {
    let messages = server.app.hub.read(|views, _, _| views.messages());
    Json(Messages { messages }).into_response()
}

/// `POST /api/v1/messages/{call}/{number}/{heard|unheard}`.
pub(super) async fn mark(
    State(server): State<Server>,
    Path((call, number, action)): Path<(String, String, String)>,
) -> Response {
    let order = match action.as_str() {
        "heard" => MessageOrder::Heard,
        "unheard" => MessageOrder::Unheard,
        _ => return api::error(StatusCode::NOT_FOUND, "due is heard or unheard"),
    };
    order_of(&server, &call, &number, order).await
}

/// `DELETE /api/v1/messages/{call}/{number}`: the message and its recording.
pub(super) async fn delete(
    State(server): State<Server>,
    Path((call, number)): Path<(String, String)>,
) -> Response {
    order_of(&server, &call, &number, MessageOrder::Delete).await
}

async fn order_of(server: &Server, call: &str, number: &str, order: MessageOrder) -> Response {
    let (Ok(call), Ok(number)) = (call.parse::<uuid::Uuid>(), number.parse::<u32>()) else {
        return api::error(StatusCode::BAD_REQUEST, "due are a call's id and a number from 1");
    };
    let command = Command::Message { call: CallId(call), number, order, by: Means::Api };
    api::obeyed(server, command).await
}

/// `GET /api/v1/callbacks`: wishes to be called back, those that wait first.
pub(super) async fn callbacks(State(server): State<Server>) -> Response {
    let callbacks = server.app.hub.read(|views, _, _| views.callbacks());
    Json(Callbacks { callbacks }).into_response()
}

/// `DELETE /api/v1/callbacks/{call}`.
pub(super) async fn cancel(State(server): State<Server>, Path(call): Path<String>) -> Response {
    let Ok(call) = call.parse::<uuid::Uuid>() else {
        return api::error(StatusCode::BAD_REQUEST, "due is a call's id");
    };
    let command = Command::CancelCallback { call: CallId(call), by: Means::Api };
    api::obeyed(&server, command).await
}
