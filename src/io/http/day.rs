//! A day's calls from the journal, found by number, agent, outcome and how long they were recorded.

use super::{Server, api};
use crate::base::{AgentId, CallId, Wall};
use crate::event::CallerNumber;
use crate::view::{CallRow, Outcome};
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::TimeZone as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Calls of a day in one answer, and a little more.
const DAY_ROWS: usize = 200;
/// How often the journal is asked for one answer: what is sought for longer comes with `more_before`.
const MAX_READS: usize = 50;

/// Which calls of a day are wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DayWanted {
    /// That of the call's arrival; today if left out.
    #[schemars(with = "Option<chrono::NaiveDate>")]
    day: Option<String>,
    /// Found in the caller's number or the one dialled.
    number: Option<String>,
    /// Who spoke with the caller.
    agent: Option<String>,
    /// What came of it.
    #[schemars(with = "Option<Outcome>")]
    outcome: Option<String>,
    /// One recording is at least so long, seconds.
    #[schemars(with = "Option<u32>")]
    shortest_s: Option<String>,
    /// A call, as `more_before` has it.
    #[schemars(with = "Option<uuid::Uuid>")]
    before: Option<String>,
}

/// What is looked for in a day.
struct Wanted {
    number: Option<String>,
    agent: Option<AgentId>,
    outcome: Option<Outcome>,
    shortest_ms: u64,
}

impl Wanted {
    fn holds(&self, row: &CallRow) -> bool {
        let caller = match &row.caller.number {
            CallerNumber::Known(number) => Some(number.reveal().as_str()),
            CallerNumber::Withheld
            | CallerNumber::Payphone
            | CallerNumber::Unavailable
            | CallerNumber::Erased => None,
        };
        let has = |wanted: &String| {
            row.number.as_str().contains(wanted)
                || caller.is_some_and(|caller| caller.contains(wanted))
        };
        let spoke = |agent: &AgentId| row.talks.iter().any(|talk| talk.agent == *agent);
        self.number.as_ref().is_none_or(has)
            && self.agent.as_ref().is_none_or(spoke)
            && self.outcome.is_none_or(|wanted| row.outcome == Some(wanted))
            && (self.shortest_ms == 0
                || row.recordings.iter().any(|it| it.length_ms >= Some(self.shortest_ms)))
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CallsOfDay")]
pub(super) struct OfDay {
    day: chrono::NaiveDate,
    timezone: &'static str,
    calls: Vec<api::Call>,
    /// There may be more, of calls that came before this one.
    more_before: Option<CallId>,
}

/// `GET /api/v1/calls/search`: the calls of a day, the newest first, from the journal.
pub(super) async fn search(
    State(server): State<Server>,
    wanted: Result<Query<DayWanted>, axum::extract::rejection::QueryRejection>,
) -> Response {
    listed(&server, wanted.ok().map(|Query(wanted)| wanted), false).await
}

/// A day's calls, all or those that were recorded.
pub(super) async fn listed(server: &Server, asked: Option<DayWanted>, recorded: bool) -> Response {
    let bad = |text: &str| api::error(StatusCode::BAD_REQUEST, text);
    let Some(asked) = asked else {
        return bad(
            "due are at most day, number, agent, outcome, shortest_s and before, each once",
        );
    };
    let (zone, policy, today) = server
        .app
        .hub
        .read(|views, now, _| (views.timezone(), views.policy().clone(), views.day_of(now.wall)));
    let Ok(day) = asked.day.as_deref().map_or(Ok(today), str::parse) else {
        return bad("due is a day such as 2026-11-26");
    };
    let Ok(shortest_s) = asked.shortest_s.as_deref().map_or(Ok(0), str::parse::<u32>) else {
        return bad("due are whole seconds");
    };
    let Ok(before) = asked.before.as_deref().map(uuid::Uuid::parse_str).transpose() else {
        return bad("due is a call's id, as more_before has it");
    };
    let outcome = match asked.outcome.as_deref().map(api::read_outcome).transpose() {
        Ok(outcome) => outcome,
        Err(why) => return bad(&why),
    };
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    let wanted = Wanted {
        number: some(asked.number),
        agent: some(asked.agent).map(AgentId::from),
        outcome,
        shortest_ms: u64::from(shortest_s).saturating_mul(1_000),
    };
    let (from, to) = (day_begins(day, zone), day.succ_opt().map(|next| day_begins(next, zone)));
    let from = first_of(from);
    let mut below = to.map_or(CallId(uuid::Uuid::max()), first_of);
    below = before.map_or(below, |before| below.min(CallId(before)));
    let mut found = Vec::new();
    let mut more_before = None;
    for _ in 0..MAX_READS {
        let ladders = match (server.app.listed)(from, below, recorded).await {
            Ok(ladders) => ladders,
            Err(why) => {
                tracing::warn!(why, "a day's calls could not be read");
                let error = "the journal cannot be read now";
                return api::error(StatusCode::SERVICE_UNAVAILABLE, error);
            }
        };
        more_before = ladders.iter().map(|(call, _)| *call).min();
        let Some(least) = more_before else { break };
        below = least;
        let rows = ladders.iter().filter_map(|(_, it)| Some(CallRow::from_ladder(it, &policy)?.0));
        found.extend(rows.filter(|row| wanted.holds(row)));
        if found.len() >= DAY_ROWS {
            break;
        }
    }
    let calls = found.into_iter().map(|row| api::Call::new(row, zone)).collect();
    Json(OfDay { day, timezone: zone.name(), calls, more_before }).into_response()
}

/// When a day begins in a zone.
fn day_begins(day: chrono::NaiveDate, zone: chrono_tz::Tz) -> Wall {
    let midnight = day.and_time(chrono::NaiveTime::MIN);
    let begins = zone.from_local_datetime(&midnight).earliest();
    // Where the clock is put forward at midnight, the day's first hour is missing.
    begins.map_or(Wall(midnight.and_utc().timestamp_millis()), |at| Wall(at.timestamp_millis()))
}

/// No call that came then or later has a lesser id: ids begin with the time of arrival (RFC 9562 §5.7).
fn first_of(at: Wall) -> CallId {
    let ms = u64::try_from(at.0).unwrap_or(0) & 0xffff_ffff_ffff;
    CallId(uuid::Uuid::from_u64_pair(ms << 16, 0))
}
