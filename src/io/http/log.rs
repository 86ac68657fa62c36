//! How much the operator's log says: looked at, and changed for a while. That somebody did stands in the history as
//! any order does, with room and level, which is why they are parts of the path.

use super::{Server, about, api};
use crate::base::{LogLevel, LogRoom};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// Minutes of an order that does not say.
pub(super) const MINUTES_DEFAULT: u64 = 60;
/// Longest order, minutes: a log that talks for ever fills a disk.
pub(super) const MINUTES_MAX: u64 = 24 * 60;
/// The word for all rooms.
const ALL: &str = "all";

/// The log's levels, and the way to change them.
#[derive(Clone)]
pub struct LogDoors {
    /// Every room.
    pub shown: Arc<dyn Fn() -> Vec<LogRow> + Send + Sync>,
    /// One room, or all, says so much for so long.
    pub order: Arc<dyn Fn(Option<LogRoom>, LogLevel, Duration) + Send + Sync>,
    /// What is configured holds again.
    pub end: Arc<dyn Fn() + Send + Sync>,
}

/// One room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogRow {
    /// Which.
    pub room: LogRoom,
    /// In force.
    pub level: LogLevel,
    /// By the configuration.
    pub configured: LogLevel,
    /// In how many seconds the order ends by which it is another.
    pub left_s: Option<u64>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LogShown")]
pub(super) struct Shown {
    rooms: Vec<Row>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LogRoomShown")]
struct Row {
    room: &'static str,
    /// How much it says now.
    #[schemars(schema_with = "about::log_level")]
    level: &'static str,
    /// How much it says by the configuration.
    #[schemars(schema_with = "about::log_level")]
    configured: &'static str,
    /// Seconds until an order ends; none when there is none.
    left_s: Option<u64>,
}

/// How long an order holds.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Lasts {
    /// Minutes; 60 if left out.
    #[schemars(with = "Option<u64>", range(min = 1, max = MINUTES_MAX))]
    minutes: Option<String>,
}

/// Words for a room in an order.
pub(super) fn rooms() -> Vec<&'static str> {
    LogRoom::ALL.into_iter().map(LogRoom::name).chain([ALL]).collect()
}

/// `GET /api/v1/log`.
pub(super) async fn shown(State(server): State<Server>) -> Response {
    let row = |it: LogRow| Row {
        room: it.room.name(),
        level: it.level.name(),
        configured: it.configured.name(),
        left_s: it.left_s,
    };
    let rooms = (server.app.log.shown)().into_iter().map(row).collect();
    Json(Shown { rooms }).into_response()
}

/// `POST /api/v1/log/{room}/{level}`.
pub(super) async fn order(
    State(server): State<Server>,
    Path((room, level)): Path<(String, String)>,
    lasts: Result<Query<Lasts>, QueryRejection>,
) -> Response {
    let bad = |text: String| api::error(StatusCode::BAD_REQUEST, text);
    let known = LogRoom::from_name(&room);
    if known.is_none() && room != ALL {
        let due = rooms().join(", ");
        return api::error(StatusCode::NOT_FOUND, format!("no room {room}; due is one of {due}"));
    }
    let Some(level) = LogLevel::from_name(&level) else {
        let due = LogLevel::ALL.map(LogLevel::name).join(", ");
        return api::error(StatusCode::NOT_FOUND, format!("no level {level}; due is one of {due}"));
    };
    let Ok(Query(Lasts { minutes })) = lasts else {
        return bad("due is at most minutes, once".to_owned());
    };
    let minutes = match minutes.as_deref().map(str::parse) {
        None => MINUTES_DEFAULT,
        Some(Ok(minutes @ 1..=MINUTES_MAX)) => minutes,
        Some(_) => return bad(format!("due are minutes, 1 to {MINUTES_MAX}")),
    };
    (server.app.log.order)(known, level, Duration::from_secs(minutes.saturating_mul(60)));
    let (room, level) = (known.map_or(ALL, LogRoom::name), level.name());
    tracing::warn!(
        room_changed = room,
        to = level,
        minutes,
        "a person changed what the log says / ログの水準が変更されました"
    );
    StatusCode::NO_CONTENT.into_response()
}

/// `DELETE /api/v1/log`.
pub(super) async fn end(State(server): State<Server>) -> Response {
    (server.app.log.end)();
    tracing::warn!(
        "a person ended all orders for the log: its levels are those of the configuration / ログの水準を設定どおりに戻しました"
    );
    StatusCode::NO_CONTENT.into_response()
}
