//! The JSON API, the metrics page and the health page. What each says is in docs/API.md.

use super::figures::{self, Explained};
use super::{BODY_BOUND, CommandFailure, Server, about};
use crate::base::{AgentId, CallId, Wall};
use crate::event::{Entry, Means, chain};
use crate::pbx::api::{Command, CommandError};
use crate::view::{
    self, AgentRow, CallQuery, CallRow, ERASED_WORD, Month, NotAMonth, NoteRow, ORDERS_KEPT,
    OrderRow, Outcome, PLACED_KEPT, PlacedRow, RECENT_KEPT, TrunkGauge,
};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::DateTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Calls in one answer unless asked otherwise.
const CALLS_DEFAULT: usize = 100;

/// Longest reason of a pause, characters.
const REASON_BOUND: usize = 64;

/// The media type of Prometheus's text format.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Every refusal.
#[derive(Serialize, JsonSchema)]
pub(super) struct Problem {
    /// What is due, or what stands against it, in English.
    error: String,
}

/// An answer that says what is wrong.
pub(super) fn error(status: StatusCode, text: impl Into<String>) -> Response {
    (status, Json(Problem { error: text.into() })).into_response()
}

/// What was refused before any handler was asked (a method, a body that is too long, an address that is no text)
/// says so in the same way as all else. Headers stay: `Allow` tells which methods there are.
pub(super) async fn in_words(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let kind = response.headers().get(CONTENT_TYPE).map_or(&b""[..], |kind| kind.as_bytes());
    if !status.is_client_error() || kind.starts_with(JSON) || kind.starts_with(HTML) {
        return response;
    }
    let why = match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            "this address takes other methods; Allow names them".into()
        }
        StatusCode::PAYLOAD_TOO_LARGE => format!("due is a body of at most {BODY_BOUND} bytes"),
        StatusCode::BAD_REQUEST => {
            "due is an address whose parts are UTF-8, and a whole body".into()
        }
        _ => "this request is not understood".to_owned(),
    };
    let mut told = error(status, why);
    for (name, value) in response.headers() {
        if *name != CONTENT_TYPE && *name != CONTENT_LENGTH {
            told.headers_mut().append(name, value.clone());
        }
    }
    told
}

const JSON: &[u8] = b"application/json";
const HTML: &[u8] = b"text/html";

fn bad(text: impl Into<String>) -> Response {
    error(StatusCode::BAD_REQUEST, text)
}

/// Whatever has no place.
pub(super) async fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, "there is nothing here; docs/API.md lists what there is")
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

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CallsWanted {
    /// Calls in the answer; 100 if left out.
    #[schemars(with = "Option<u16>", range(min = 1, max = RECENT_KEPT))]
    limit: Option<String>,
    /// Only calls that arrived then or later: a time such as 2026-10-01T08:30:00+09:00, or milliseconds since 1970.
    #[schemars(with = "Option<about::Time>")]
    since: Option<String>,
    /// Only calls that came to this.
    #[schemars(with = "Option<Outcome>")]
    outcome: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Calls {
    /// Ended calls that the list can hold; older ones are in the journal only.
    kept: usize,
    calls: Vec<Call>,
}

#[derive(Serialize, JsonSchema)]
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

#[derive(Serialize, JsonSchema)]
pub(super) struct PlacedCalls {
    /// Ended calls that the list can hold; older ones are in the journal only.
    kept: usize,
    calls: Vec<PlacedRow>,
}

/// `GET /api/v1/placed-calls`: what our phones dialled outside, and to phones that are no agent's.
pub(super) async fn placed_calls(State(server): State<Server>) -> Response {
    let calls = server.app.hub.read(|views, _, _| views.placed_calls(CALLS_DEFAULT));
    Json(PlacedCalls { kept: PLACED_KEPT, calls }).into_response()
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Trunks {
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

#[derive(Serialize, JsonSchema)]
pub(super) struct OneCall {
    call: Call,
    /// Why it came to that, and where it counts.
    explained: Explained,
    /// What agents wrote about it.
    notes: Vec<NoteRow>,
    ladder: Vec<Rung>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Rung {
    written_at: String,
    /// With the word in the place of what was erased.
    #[serde(flatten)]
    #[schemars(with = "Entry")]
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

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MonthWanted {
    /// This month if left out.
    #[schemars(with = "Option<Month>")]
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

#[derive(Serialize, JsonSchema)]
pub(super) struct Agents {
    agents: Vec<AgentRow>,
}

/// `GET /api/v1/agents`.
pub(super) async fn agents(State(server): State<Server>) -> Response {
    let agents: Vec<_> = server.app.hub.read(|views, now, _| views.agents(now.wall).collect());
    Json(Agents { agents }).into_response()
}

/// Who came and what was ordered.
#[derive(Serialize, JsonSchema)]
pub(super) struct Orders {
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

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    /// Why an agent pauses: due with `pause`, and one of the plan's `pause_reasons` when it has some.
    #[serde(default)]
    #[schemars(length(min = 1, max = REASON_BOUND), regex(pattern = about::WORDS))]
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
    // What is no reason is refused with an order that needs none, too.
    let reason =
        match order.reason.map(|reason| words("`reason`", &reason, REASON_BOUND)).transpose() {
            Ok(reason) => reason,
            Err(why) => return bad(why),
        };
    let command = match action.as_str() {
        "sign-in" => Command::SignIn { agent, by },
        "sign-out" => Command::SignOut { agent, by },
        "pause" => match reason {
            Some(reason) => Command::Pause { agent, reason, by },
            None => return bad(format!("due is `reason`, 1 to {REASON_BOUND} characters")),
        },
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

/// Lines of a person for the history, at most `bound` characters, without white space around them; they end as
/// Unix ends them.
pub(super) fn lines(key: &str, text: &str, bound: usize) -> Result<String, String> {
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    let is_foreign = |c: char| c.is_control() && c != '\n';
    if !(1..=bound).contains(&text.chars().count()) || text.chars().any(is_foreign) {
        return Err(format!(
            "due is {key}, 1 to {bound} characters, of control characters only line feeds"
        ));
    }
    Ok(text.to_owned())
}

/// A moment as [`read_time`] reads it.
pub(super) fn time(key: &str, text: &str) -> Result<Wall, String> {
    read_time(text).ok_or_else(|| {
        format!(
            "due is {key}, a time such as 2026-10-01T18:15:00+09:00, or milliseconds since 1970"
        )
    })
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
