//! The JSON API, the metrics page and the health page. What each says is in docs/API.md.

use super::figures::{self, Explained};
use super::{CommandFailure, Health, Server};
use crate::base::{AgentId, CallId, Wall};
use crate::event::{Entry, Means, chain};
use crate::pbx::api::{Command, CommandError};
use crate::view::{
    self, CallQuery, CallRow, ERASED_WORD, Month, NotAMonth, NoteRow, ORDERS_KEPT, OrderRow,
    Outcome, PLACED_KEPT, PlacedRow, RECENT_KEPT, TrunkGauge,
};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use chrono::DateTime;
use serde::{Deserialize, Serialize};

/// Calls in one answer unless asked otherwise.
const CALLS_DEFAULT: usize = 100;

/// Longest reason of a pause, characters.
const REASON_BOUND: usize = 64;

/// The media type of Prometheus's text format.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

#[derive(Serialize)]
struct Problem {
    error: String,
}

/// An answer that says what is wrong.
pub(super) fn error(status: StatusCode, text: impl Into<String>) -> Response {
    (status, Json(Problem { error: text.into() })).into_response()
}

fn bad(text: impl Into<String>) -> Response {
    error(StatusCode::BAD_REQUEST, text)
}

/// Whatever has no place.
pub(super) async fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, "there is nothing here; docs/API.md lists what there is")
}

/// `GET /healthz`, open to all: says which part of the machine fails, and nothing of calls.
pub(super) async fn healthz(State(server): State<Server>) -> Response {
    let health = Health::of(&(server.app.gauges)());
    let status = if health.is_well() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(health)).into_response()
}

/// `GET /metrics`.
pub(super) async fn metrics(State(server): State<Server>) -> Response {
    let gauges = (server.app.gauges)();
    let page = server
        .app
        .hub
        .read(|views, now, age_ms| (server.app.metrics)(views, &gauges, now.wall, age_ms));
    ([(CONTENT_TYPE, PROMETHEUS)], page).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallsWanted {
    limit: Option<String>,
    since: Option<String>,
    outcome: Option<String>,
}

#[derive(Serialize)]
struct Calls {
    /// Ended calls that the list can hold; older ones are in the journal only.
    kept: usize,
    calls: Vec<Call>,
}

#[derive(Serialize)]
pub(super) struct Call {
    arrived_at: String,
    #[serde(flatten)]
    row: CallRow,
}

impl Call {
    pub(super) fn new(row: CallRow, zone: chrono_tz::Tz) -> Self {
        Self { arrived_at: view::written(row.arrived_at_ms, zone), row }
    }
}

#[derive(Serialize)]
struct PlacedCalls {
    /// Ended calls that the list can hold; older ones are in the journal only.
    kept: usize,
    calls: Vec<PlacedRow>,
}

/// `GET /api/v1/placed-calls`: what our phones dialled outside, and to phones that are no agent's.
pub(super) async fn placed_calls(State(server): State<Server>) -> Response {
    let calls = server.app.hub.read(|views, _, _| views.placed_calls(CALLS_DEFAULT));
    Json(PlacedCalls { kept: PLACED_KEPT, calls }).into_response()
}

#[derive(Serialize)]
struct Trunks {
    trunks: Vec<TrunkGauge>,
}

/// `GET /api/v1/trunks`: how the carriers are that we reach ourselves.
pub(super) async fn trunks(State(server): State<Server>) -> Response {
    Json(Trunks { trunks: (server.app.gauges)().trunks }).into_response()
}

/// `GET /api/v1/calls`.
pub(super) async fn calls(
    State(server): State<Server>,
    wanted: Result<Query<CallsWanted>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let query = match wanted {
        Ok(Query(wanted)) => match wanted.read() {
            Ok(query) => query,
            Err(refused) => return bad(refused),
        },
        Err(_) => return bad("due are at most limit, since and outcome, each once"),
    };
    let calls = server.app.hub.read(|views, _, _| {
        let zone = views.timezone();
        views.calls(&query).into_iter().map(|row| Call::new(row, zone)).collect()
    });
    Json(Calls { kept: RECENT_KEPT, calls }).into_response()
}

impl CallsWanted {
    fn read(&self) -> Result<CallQuery, String> {
        let limit = match &self.limit {
            None => CALLS_DEFAULT,
            Some(text) => match text.parse() {
                Ok(limit @ 1..=RECENT_KEPT) => limit,
                _ => return Err(format!("limit={text}; due is 1 to {RECENT_KEPT}")),
            },
        };
        let since = match &self.since {
            None => None,
            Some(text) => Some(read_time(text).ok_or_else(|| {
                format!("since={text}; due is a time such as 2026-10-01T08:30:00+09:00, or milliseconds since 1970")
            })?),
        };
        let outcome = self.outcome.as_deref().map(read_outcome).transpose()?;
        Ok(CallQuery { limit, since, outcome })
    }
}

/// Reads an outcome's name.
pub(super) fn read_outcome(text: &str) -> Result<Outcome, String> {
    Outcome::from_name(text).ok_or_else(|| {
        let names = Outcome::ALL.map(Outcome::name).join(", ");
        format!("outcome={text}; due is one of {names}")
    })
}

pub(super) fn read_time(text: &str) -> Option<Wall> {
    if let Ok(ms) = text.parse() {
        return Some(Wall(ms));
    }
    // A plus sign that was not escaped arrives as a space.
    let time = DateTime::parse_from_rfc3339(&text.replace(' ', "+")).ok()?;
    Some(Wall(time.timestamp_millis()))
}

#[derive(Serialize)]
struct OneCall {
    call: Call,
    /// Why it came to that, and where it counts.
    explained: Explained,
    /// What agents wrote about it.
    notes: Vec<NoteRow>,
    ladder: Vec<Rung>,
}

#[derive(Serialize)]
struct Rung {
    written_at: String,
    /// With the word in the place of what was erased.
    #[serde(flatten)]
    entry: serde_json::Value,
}

/// `GET /api/v1/calls/{id}`.
pub(super) async fn call(State(server): State<Server>, Path(id): Path<String>) -> Response {
    let Ok(id) = id.parse::<uuid::Uuid>() else {
        return bad("due is a call's id, such as 0199a0c1-5b00-7000-8000-000000000001");
    };
    let ladder = match (server.app.ladder)(CallId(id)).await {
        Ok(ladder) => ladder,
        Err(why) => {
            tracing::warn!(why, "a call's ladder could not be read");
            return error(StatusCode::SERVICE_UNAVAILABLE, "the journal cannot be read now");
        }
    };
    let told = server.app.hub.read(|views, _, _| {
        let (row, rule) = CallRow::from_ladder(&ladder, views.policy())?;
        let explained = figures::explained(views, row.call, row.arrived_at_ms, rule);
        Some((row, explained, views.timezone()))
    });
    let Some((row, explained, zone)) = told else {
        return error(StatusCode::NOT_FOUND, "the journal has no such call");
    };
    let rung = |entry: Entry| {
        let written_at = view::written(entry.at, zone);
        let mut entry = serde_json::to_value(entry).unwrap_or_default(); // plain values are always JSON
        chain::say_erased(&mut entry, ERASED_WORD);
        Rung { written_at, entry }
    };
    let notes = ladder.iter().filter_map(NoteRow::of).collect();
    let ladder = ladder.into_iter().map(rung).collect();
    Json(OneCall { call: Call::new(row, zone), explained, notes, ladder }).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MonthWanted {
    month: Option<String>,
}

/// `GET /api/v1/service-level`.
pub(super) async fn service_level(
    State(server): State<Server>,
    wanted: Result<Query<MonthWanted>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let Ok(Query(wanted)) = wanted else { return bad("due is at most month, once") };
    let month = match wanted.month.as_deref().map(str::parse::<Month>) {
        None => None,
        Some(Ok(month)) => Some(month),
        Some(Err(why @ NotAMonth)) => return bad(why.to_string()),
    };
    let figures = server.app.hub.read(|views, now, _| {
        views.service_level(month.unwrap_or_else(|| Month::of(views.day_of(now.wall))))
    });
    Json(figures).into_response()
}

#[derive(Serialize)]
struct Agents<T> {
    agents: T,
}

/// `GET /api/v1/agents`.
pub(super) async fn agents(State(server): State<Server>) -> Response {
    let agents: Vec<_> = server.app.hub.read(|views, now, _| views.agents(now.wall).collect());
    Json(Agents { agents }).into_response()
}

#[derive(Serialize)]
struct Orders {
    /// Those that the list can hold; older ones are in the history.
    kept: usize,
    orders: Vec<OrderRow>,
}

/// `GET /api/v1/orders`: who came, and who ordered what, the newest first.
pub(super) async fn orders(State(server): State<Server>) -> Response {
    let orders = server.app.hub.read(|views, _, _| views.orders().cloned().collect());
    Json(Orders { kept: ORDERS_KEPT, orders }).into_response()
}

/// `GET /api/v1/board`.
pub(super) async fn board(State(server): State<Server>) -> Response {
    Json(server.app.hub.read(|views, now, age_ms| views.board(now.wall, age_ms))).into_response()
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    #[serde(default)]
    reason: Option<String>,
}

/// `POST /api/v1/agents/{extension}/{sign-in|sign-out|pause|unpause|wrap-up-longer|wrap-up-end}`.
pub(super) async fn order(
    State(server): State<Server>,
    Path((extension, action)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let order: Order = if body.is_empty() {
        Order::default()
    } else {
        match serde_json::from_slice(&body) {
            Ok(order) => order,
            Err(_) => return bad("due is no body, or a JSON object with at most `reason`"),
        }
    };
    let (agent, by) = (AgentId::from(extension), Means::Api);
    let command = match action.as_str() {
        "sign-in" => Command::SignIn { agent, by },
        "sign-out" => Command::SignOut { agent, by },
        "pause" => {
            let reason = order.reason.unwrap_or_default().trim().to_owned();
            let length = reason.chars().count();
            if !(1..=REASON_BOUND).contains(&length) || reason.chars().any(char::is_control) {
                return bad(format!(
                    "due is a `reason` of 1 to {REASON_BOUND} characters, none of them a control character"
                ));
            }
            Command::Pause { agent, reason, by }
        }
        "unpause" => Command::Unpause { agent, by },
        "wrap-up-longer" => Command::WrapUp { agent, longer: true, by },
        "wrap-up-end" => Command::WrapUp { agent, longer: false, by },
        _ => {
            return error(
                StatusCode::NOT_FOUND,
                "due is sign-in, sign-out, pause, unpause, wrap-up-longer or wrap-up-end",
            );
        }
    };
    obeyed(&server, command).await
}

/// Words of a person for the history, at most `bound` characters.
pub(super) fn words(key: &str, text: &str, bound: usize) -> Result<String, String> {
    let text = text.trim();
    let length = text.chars().count();
    if !(1..=bound).contains(&length) || text.chars().any(char::is_control) {
        return Err(format!(
            "due is {key}, 1 to {bound} characters, none of them a control character"
        ));
    }
    Ok(text.to_owned())
}

/// Gives a command to the engine, and says what became of it.
pub(super) async fn obeyed(server: &Server, command: Command) -> Response {
    match put(server, command).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refused) => refused,
    }
}

/// Gives a command to the engine; the answer when it was not obeyed.
pub(super) async fn put(server: &Server, command: Command) -> Result<(), Response> {
    Err(match (server.app.commands)(command).await {
        Ok(()) => return Ok(()),
        Err(CommandFailure::Refused(why)) => {
            let status = match why {
                CommandError::NoSuchAgent
                | CommandError::NoSuchCall
                | CommandError::NoSuchSlot
                | CommandError::SlotEmpty
                | CommandError::NoSuchMessage
                | CommandError::NoSuchCallback
                | CommandError::NoSuchExclusion
                | CommandError::NoSuchNumber => StatusCode::NOT_FOUND,
                CommandError::BadTime | CommandError::BadPeriod => StatusCode::BAD_REQUEST,
                CommandError::NotASupervisor
                | CommandError::SamePerson
                | CommandError::NotPermitted => StatusCode::FORBIDDEN,
                CommandError::AlreadySo
                | CommandError::Busy
                | CommandError::NotSignedIn
                | CommandError::NotTalking
                | CommandError::SlotTaken
                | CommandError::NotPossible
                | CommandError::NoFreeSlot
                | CommandError::SlotRings
                | CommandError::PhoneBusy
                | CommandError::NotInWrapUp
                | CommandError::TooLate
                | CommandError::TooMany
                | CommandError::NotAWarning
                | CommandError::NotAllowed => StatusCode::CONFLICT,
                CommandError::NoSuchReason => StatusCode::BAD_REQUEST,
            };
            error(status, why.to_string())
        }
        Err(CommandFailure::Unavailable) => {
            error(StatusCode::SERVICE_UNAVAILABLE, "the engine does not take orders now")
        }
    })
}
