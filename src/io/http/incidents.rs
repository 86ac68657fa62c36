//! The desk's own ledger of incidents over HTTP: what is in it, and what agents write there.

use super::who::Who;
use super::{Server, about, api};
use crate::base::{CallId, Private, Wall};
use crate::event::{
    Channel, IncidentEvent, Means, TicketEscalatedTo, TicketEscalation, TicketExclusion,
    TicketState,
};
use crate::pbx::Command;
use crate::view::{IncidentRow, LEDGER};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest name of an author, characters.
const AUTHOR_BOUND: usize = 64;
/// Longest subject, characters.
const SUBJECT_BOUND: usize = 200;
/// Longest category, characters.
const CATEGORY_BOUND: usize = 64;
/// Incidents in one answer; the count is whole.
const ROWS_BOUND: usize = 1_000;
/// Escalations of one incident.
const ESCALATIONS_MOST: usize = 16;
/// Reasons to leave one out: each once.
const EXCLUSIONS_MOST: usize = 3;
/// A stamp may be so far ahead: clocks of browsers differ.
const AHEAD_MS: i64 = 60_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "IncidentsWanted")]
pub(super) struct Wanted {
    /// Only those that are not completed.
    #[serde(default)]
    open: bool,
    /// At most so many, the newest first; without it 100.
    #[serde(default)]
    #[schemars(range(min = 1, max = ROWS_BOUND))]
    limit: Option<usize>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Incidents {
    incidents: Vec<IncidentRow>,
    /// How many there are.
    total: usize,
}

fn bad(why: impl Into<String>) -> Response {
    api::error(StatusCode::BAD_REQUEST, why)
}

/// `GET /api/v1/incidents`.
pub(super) async fn list(
    State(server): State<Server>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Response {
    let most = match &wanted {
        Ok(Query(wanted)) => wanted.limit.unwrap_or(100),
        Err(_) => 0,
    };
    let Ok(Query(wanted)) = wanted else {
        return bad(format!("due are open, true or false, and limit, 1 to {ROWS_BOUND}"));
    };
    if !(1..=ROWS_BOUND).contains(&most) {
        return bad(format!("due is limit, 1 to {ROWS_BOUND}"));
    }
    let listed = server.app.hub.read(|views, _, _| {
        let some =
            || views.incidents().filter(|it| !wanted.open || it.state.completed_at.is_none());
        Incidents { incidents: some().take(most).cloned().collect(), total: some().count() }
    });
    Json(listed).into_response()
}

/// `GET /api/v1/incidents/{incident}`.
pub(super) async fn one(State(server): State<Server>, Path(incident): Path<String>) -> Response {
    let Ok(incident) = incident.parse() else { return bad("due is an incident's number") };
    match server.app.hub.read(|views, _, _| views.incident(incident).cloned()) {
        Some(row) => Json(row).into_response(),
        None => no_such(),
    }
}

/// What a panel shows of a call's incident.
#[derive(Serialize, JsonSchema)]
pub(super) struct CallIncident {
    /// Whether the desk keeps the ledger.
    ledger: bool,
    /// None: the call is not decided yet, or makes none.
    incident: Option<IncidentRow>,
}

/// `GET /api/v1/calls/{id}/incident`.
pub(super) async fn of_call(State(server): State<Server>, Path(id): Path<String>) -> Response {
    let Ok(id) = id.parse::<uuid::Uuid>() else { return bad("due is a call's id") };
    let found = server.app.hub.read(|views, _, _| CallIncident {
        ledger: views.feed_rules(&LEDGER.into()).is_some(),
        incident: views.incident_of(CallId(id)).cloned(),
    });
    Json(found).into_response()
}

fn no_such() -> Response {
    api::error(StatusCode::NOT_FOUND, "there is no such incident in the ledger")
}

/// How an incident stands, as it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "IncidentWritten")]
pub(super) struct Written {
    /// Who writes it; who signed in by name may leave it out.
    #[serde(default)]
    #[schemars(length(min = 1, max = AUTHOR_BOUND), regex(pattern = about::WORDS))]
    author: Option<String>,
    /// In a few words; of a new one it is due, of another it stays as it is without it.
    #[serde(default)]
    #[schemars(length(min = 1, max = SUBJECT_BOUND), regex(pattern = about::WORDS))]
    subject: Option<String>,
    /// Of a new one: by which way somebody turned to the desk.
    #[serde(default)]
    channel: Option<Channel>,
    /// The site's own kind of it.
    #[serde(default)]
    #[schemars(length(max = CATEGORY_BOUND))]
    category: String,
    /// Of a new one; of a call's it is the call's arrival, whatever is said.
    #[serde(default)]
    #[schemars(with = "Option<about::Time>")]
    received_at: Option<String>,
    #[serde(default)]
    #[schemars(with = "Option<about::Time>")]
    completed_at: Option<String>,
    #[serde(default)]
    #[schemars(with = "Option<about::Time>")]
    reported_at: Option<String>,
    #[serde(default)]
    #[schemars(length(max = ESCALATIONS_MOST))]
    escalations: Vec<Escalated>,
    #[serde(default)]
    technical: bool,
    #[serde(default)]
    #[schemars(length(max = EXCLUSIONS_MOST))]
    exclusions: Vec<TicketExclusion>,
    /// Of another than a new one: which it was when it was read; another one's writing is not lost so.
    #[serde(default)]
    revision: Option<u32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "IncidentEscalated")]
struct Escalated {
    to: TicketEscalatedTo,
    #[schemars(with = "about::Time")]
    at: String,
    #[serde(default)]
    #[schemars(with = "Option<about::Time>")]
    answered_at: Option<String>,
}

fn read(body: &Bytes) -> Result<Written, &'static str> {
    serde_json::from_slice(body).map_err(|_| {
        "due is a JSON object: author, subject, channel, category, received_at, completed_at, reported_at, escalations, technical, exclusions, revision"
    })
}

fn time(key: &str, text: &str, now: Wall) -> Result<Wall, String> {
    let at = api::time(key, text)?;
    if at.0 > now.0.saturating_add(AHEAD_MS) {
        return Err(format!("{key} lies ahead; due is a time up to now"));
    }
    Ok(at)
}

/// Stamps are in order: what [`TicketState`] promises.
fn state(written: &Written, received_at: Wall, now: Wall) -> Result<TicketState, String> {
    let some = |key: &str, text: &Option<String>| {
        text.as_deref().map(|text| time(key, text, now)).transpose()
    };
    if written.escalations.len() > ESCALATIONS_MOST {
        return Err(format!("due are at most {ESCALATIONS_MOST} escalations"));
    }
    if written.exclusions.len() > EXCLUSIONS_MOST {
        return Err(format!("due are at most {EXCLUSIONS_MOST} exclusions"));
    }
    let mut exclusions = written.exclusions.clone();
    exclusions.sort_unstable();
    exclusions.dedup();
    let mut state = TicketState {
        received_at,
        completed_at: some("completed_at", &written.completed_at)?,
        escalations: Vec::new(),
        reported_at: some("reported_at", &written.reported_at)?,
        technical: written.technical,
        exclusions,
    };
    for it in &written.escalations {
        let at = time("at", &it.at, now)?;
        let answered_at = some("answered_at", &it.answered_at)?;
        if answered_at.is_some_and(|answered| answered < at) {
            return Err("an escalation is answered before it was made".to_owned());
        }
        if state.completed_at.is_some_and(|completed| completed < at) {
            return Err("an escalation lies behind the completion".to_owned());
        }
        state.escalations.push(TicketEscalation { to: it.to, at, answered_at });
    }
    let stamps = [state.completed_at, state.reported_at];
    let all = stamps.into_iter().flatten().chain(state.escalations.iter().map(|it| it.at));
    if all.min().is_some_and(|first| first < received_at) {
        return Err("nothing can be before received_at".to_owned());
    }
    Ok(state)
}

fn category(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() { Ok(String::new()) } else { api::words("category", text, CATEGORY_BOUND) }
}

/// `POST /api/v1/incidents`: one that came by another way than a call.
pub(super) async fn open(
    State(server): State<Server>,
    Extension(who): Extension<Who>,
    body: Bytes,
) -> Response {
    let written = match read(&body) {
        Ok(written) => written,
        Err(why) => return bad(why),
    };
    let author = match who.author(written.author.as_deref(), AUTHOR_BOUND) {
        Ok(author) => author,
        Err((status, why)) => return api::error(status, why),
    };
    if server.app.hub.read(|views, _, _| views.feed_rules(&LEDGER.into()).is_none()) {
        return api::error(
            StatusCode::CONFLICT,
            "the desk keeps no ledger: [tickets] names other systems only",
        );
    }
    let now = server.app.hub.now().wall;
    let made = || -> Result<IncidentEvent, String> {
        let subject = written.subject.as_deref().unwrap_or_default();
        let subject = Private::new(api::words("subject", subject, SUBJECT_BOUND)?);
        let channel = written.channel.ok_or("due is channel: phone, mail, web or visit")?;
        let received = written.received_at.as_deref().ok_or("due is received_at")?;
        let received = time("received_at", received, now)?;
        let state = Box::new(state(&written, received, now)?);
        Ok(IncidentEvent::IncidentOpened { channel, subject, state, author, by: Means::Api })
    };
    match made() {
        Ok(event) => {
            let command = Command::Incident { call: None, event: Box::new(event) };
            api::obeyed(&server, command).await
        }
        Err(why) => bad(why),
    }
}

/// `PUT /api/v1/incidents/{incident}`.
pub(super) async fn change(
    State(server): State<Server>,
    Extension(who): Extension<Who>,
    Path(incident): Path<String>,
    body: Bytes,
) -> Response {
    let Ok(incident) = incident.parse() else { return bad("due is an incident's number") };
    let written = match read(&body) {
        Ok(written) => written,
        Err(why) => return bad(why),
    };
    let author = match who.author(written.author.as_deref(), AUTHOR_BOUND) {
        Ok(author) => author,
        Err((status, why)) => return api::error(status, why),
    };
    let Some(row) = server.app.hub.read(|views, _, _| views.incident(incident).cloned()) else {
        return no_such();
    };
    if written.revision.is_some_and(|read| read != row.revision) {
        let why = "somebody else wrote it meanwhile; read it again";
        return api::error(StatusCode::CONFLICT, why);
    }
    let now = server.app.hub.now().wall;
    let made = || -> Result<IncidentEvent, String> {
        let subject = written.subject.as_deref();
        let subject = subject.map(|it| api::words("subject", it, SUBJECT_BOUND)).transpose()?;
        let said = written.received_at.as_deref();
        let said = said.map(|text| time("received_at", text, now)).transpose()?;
        // A call was received when it arrived.
        let received = said.filter(|_| row.call.is_none()).unwrap_or(row.state.received_at);
        let state = Box::new(state(&written, received, now)?);
        Ok(IncidentEvent::IncidentChanged {
            incident,
            subject: subject.map(Private::new),
            category: category(&written.category)?,
            state,
            author,
            by: Means::Api,
        })
    };
    match made() {
        Ok(event) => {
            let command = Command::Incident { call: row.call, event: Box::new(event) };
            api::obeyed(&server, command).await
        }
        Err(why) => bad(why),
    }
}
