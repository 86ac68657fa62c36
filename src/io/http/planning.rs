//! Planning a month with agents in shifts: what is asked, how far the answer is, what it came to; and what today comes
//! to by tonight. Nothing is simulated here: who answers is handed in.

use super::who::Who;
use super::{Server, api};
use crate::base::Wall;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Shifts of one question.
const MOST_SHIFTS: usize = 40;
/// Breaks of a shift.
const MOST_BREAKS: usize = 4;
/// Agents of one shift.
const MOST_AGENTS: u32 = 100;
/// Calls of a month.
const MOST_CALLS: u32 = 50_000;
/// Lines.
const MOST_LINES: u32 = 256;
const MONTH: &str = r"^\d{4}-(0[1-9]|1[0-2])$";
const SPAN: &str = r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-4]):[0-5]\d$";

/// A question about a month.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanningWanted {
    /// Which, such as `2027-04`.
    #[schemars(regex(pattern = MONTH))]
    pub month: String,
    /// First tries expected in it; without them, what the history says of it.
    #[serde(default)]
    #[schemars(range(min = 1, max = MOST_CALLS))]
    pub calls: Option<u32>,
    /// In how many of 100 months both limits are to be kept.
    #[serde(default = "certainty")]
    #[schemars(range(min = 50, max = 99))]
    pub certainty: u8,
    /// Also the fewest agents by half hour of each weekday, which takes longest.
    #[serde(default)]
    pub by_half_hour: bool,
    /// Lines of the number's trunk; without them, enough.
    #[serde(default)]
    #[schemars(range(min = 1, max = MOST_LINES))]
    pub lines: Option<u32>,
    /// A roster to be judged; without one, none is.
    #[serde(default)]
    #[schemars(length(max = MOST_SHIFTS))]
    pub shifts: Vec<PlanningShift>,
    /// Whose question it is; who signed in by name may leave it out.
    #[serde(default)]
    #[schemars(length(min = 1, max = 64), regex(pattern = super::about::WORDS))]
    pub author: Option<String>,
}

fn certainty() -> u8 {
    95
}

/// So many agents at some times.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanningShift {
    /// How many.
    #[schemars(range(min = 1, max = MOST_AGENTS))]
    pub agents: u32,
    /// On which weekdays; none: on every service day.
    #[serde(default)]
    #[schemars(length(max = 7))]
    pub days: Vec<PlanningDay>,
    /// From when to when, such as `08:30-18:15`.
    #[schemars(regex(pattern = SPAN))]
    pub time: String,
    /// Within it.
    #[serde(default)]
    #[schemars(length(max = MOST_BREAKS), inner(regex(pattern = SPAN)))]
    pub breaks: Vec<String>,
}

/// A weekday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // They are weekdays.
pub enum PlanningDay {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// A mean, and where 95 of 100 months lie. Rates are parts of 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PlanningSpan {
    /// The mean.
    pub mean: f64,
    /// 2.5 of 100 lie below.
    pub low: f64,
    /// 2.5 of 100 lie above.
    pub high: f64,
}

/// What is being looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanningStep {
    /// The history is read.
    History,
    /// What the roster comes to.
    Roster,
    /// Rates by number of agents.
    Curve,
    /// The fewest by half hour.
    HalfHours,
    /// The fewest lines.
    Lines,
}

/// How a question stands. There is one at a time for the whole desk; its answer stays until the next question or the
/// desk's end.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PlanningState {
    /// Nobody has asked.
    Idle,
    /// It is being answered.
    Running {
        /// What now.
        step: PlanningStep,
        /// Tries of this step that are over; each is a bundle of months.
        tried: u32,
        /// Months of this try that are simulated.
        done: u64,
        /// Of so many.
        of: u64,
    },
    /// It is answered.
    Done {
        /// The answer.
        answer: Box<PlanningAnswer>,
    },
    /// It was called off.
    Cancelled,
    /// It could not be answered.
    Failed {
        /// Why.
        why: String,
    },
}

/// A question with how it stands.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Planning {
    /// The question; none was asked yet.
    pub wanted: Option<PlanningWanted>,
    /// When it was asked, ms since 1970.
    pub since_ms: Option<Wall>,
    /// How it stands.
    #[serde(flatten)]
    pub state: PlanningState,
}

/// What an answer is based on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PlanningBasis {
    /// Calls of the last three months in the history.
    pub calls: u64,
    /// Service days with a call among them.
    pub days: u64,
    /// So many times the calls of the months before it, as a year ago; none when the history does not go back so far.
    pub season: Option<f64>,
    /// There are too few calls: what people do is made up, and so is their number if none was given.
    pub made_up: bool,
}

/// One number of agents, all day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PlanningPoint {
    /// Agents.
    pub agents: u32,
    /// Hours of all of them in the month.
    pub agent_hours: f64,
    /// The abandon rate.
    pub abandon: Option<PlanningSpan>,
    /// The busy rate.
    pub busy: Option<PlanningSpan>,
    /// Part of months that keep both limits.
    pub within: f64,
    /// Hours of agents that one percent of abandoned calls fewer costs, from the number before.
    pub hours_per_percent: Option<f64>,
}

/// A half hour of the day under the roster.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PlanningHalfHour {
    /// 0 is 00:00, 47 is 23:30.
    pub half_hour: u8,
    /// Calls on a day.
    pub calls: f64,
    /// The part of them that is not served.
    pub unserved: f64,
}

/// What the roster comes to.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PlanningRoster {
    /// Hours of all agents in the month.
    pub agent_hours: f64,
    /// Calls, those that came again among them.
    pub calls: Option<PlanningSpan>,
    /// The abandon rate.
    pub abandon: Option<PlanningSpan>,
    /// The busy rate.
    pub busy: Option<PlanningSpan>,
    /// Part of months that keep both limits.
    pub within: f64,
    /// By half hour of the day.
    pub half_hours: Vec<PlanningHalfHour>,
}

/// Agents at a half hour of a weekday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlanningLevel {
    /// 0 is Monday.
    pub weekday: u8,
    /// 0 is 00:00, 47 is 23:30.
    pub half_hour: u8,
    /// How many.
    pub agents: u32,
}

/// The fewest by half hour.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PlanningLevels {
    /// Hours of all of them in the month.
    pub agent_hours: f64,
    /// Part of months that keep both limits.
    pub within: f64,
    /// Whether that is as sure as was asked.
    pub reached: bool,
    /// By weekday and half hour.
    pub levels: Vec<PlanningLevel>,
}

/// The fewest lines.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PlanningLines {
    /// How many.
    pub lines: u32,
    /// Part of months that keep both limits with them.
    pub within: f64,
}

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PlanningAnswer {
    /// First tries expected in the month.
    pub calls: f64,
    /// What it is based on.
    pub based_on: PlanningBasis,
    /// The contract's limits of both rates, percent: abandoned, busy.
    pub limits: [u32; 2],
    /// Months that each number was tried with.
    pub months: u64,
    /// What the roster comes to, if one was given.
    pub roster: Option<PlanningRoster>,
    /// Rates by number of agents, the fewest first.
    pub curve: Vec<PlanningPoint>,
    /// The fewest agents all day that are enough; none that was tried is.
    pub agents: Option<u32>,
    /// By half hour, if it was asked for.
    pub by_half_hour: Option<PlanningLevels>,
    /// The fewest lines; none when no number of agents is enough.
    pub lines: Option<PlanningLines>,
    /// How long it took, milliseconds.
    pub took_ms: u64,
}

/// What a rate comes to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct TonightRates {
    /// The abandon rate.
    pub abandon: Option<PlanningSpan>,
    /// The busy rate.
    pub busy: Option<PlanningSpan>,
}

/// What today comes to, if who is there now stays until the desk closes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Tonight {
    /// When it was reckoned, ms since 1970.
    pub at_ms: Wall,
    /// Agents who were there then.
    pub agents: u32,
    /// Calls of the whole day.
    pub calls: Option<PlanningSpan>,
    /// The day's rates.
    pub day: TonightRates,
    /// The month's rates by tonight.
    pub month: TonightRates,
}

/// Why nothing is said of tonight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoTonight {
    /// Not reckoned yet; it is within half a minute of a start, on a machine that is not too busy.
    NotYet,
    /// The history has too few calls or days.
    ShortHistory,
    /// No agent is signed in.
    NobodyThere,
    /// No more calls are expected today, or the desk is closed for today.
    NothingToCome,
    /// More than 5,000 calls are still expected, more than are reckoned with.
    TooMany,
    /// The plan or the history cannot be read; the log says why.
    Unreadable,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TonightAnswer")]
pub(super) struct TonightShown {
    /// None while nothing can be said.
    tonight: Option<Tonight>,
    /// Why nothing is said.
    why: Option<NoTonight>,
}

/// Why a question is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotAsked {
    /// Another is being answered.
    Busy,
    /// It cannot be answered as it is.
    Wrong(String),
}

/// Answers one question at a time, beside the desk's work.
pub trait Planner: Send + Sync {
    /// The last question, and how it stands.
    fn shown(&self) -> Planning;

    /// Begins to answer one.
    ///
    /// # Errors
    ///
    /// [`NotAsked`].
    fn ask(&self, wanted: PlanningWanted) -> Result<(), NotAsked>;

    /// Calls the one that is being answered off; false when none is.
    fn call_off(&self) -> bool;

    /// What today comes to.
    ///
    /// # Errors
    ///
    /// [`NoTonight`].
    fn tonight(&self) -> Result<Tonight, NoTonight>;
}

/// `GET /api/v1/planning`.
pub(super) async fn shown(State(server): State<Server>) -> Response {
    Json(server.app.planner.shown()).into_response()
}

/// `GET /api/v1/tonight`.
pub(super) async fn tonight(State(server): State<Server>) -> Response {
    let told = server.app.planner.tonight();
    Json(TonightShown { tonight: told.ok(), why: told.err() }).into_response()
}

/// What of a question is out of bounds.
fn refused(wanted: &PlanningWanted) -> Option<String> {
    let outside = |name: &str, value: u32, from: u32, to: u32| {
        let is = !(from..=to).contains(&value);
        is.then(|| format!("{name} is {value}; due is {from} to {to}"))
    };
    let shift = |shift: &PlanningShift| {
        outside("agents of a shift", shift.agents, 1, MOST_AGENTS).or_else(|| {
            let many = shift.days.len() > 7 || shift.breaks.len() > MOST_BREAKS;
            many.then(|| format!("a shift has at most 7 days and {MOST_BREAKS} breaks"))
        })
    };
    wanted
        .calls
        .and_then(|calls| outside("calls", calls, 1, MOST_CALLS))
        .or_else(|| outside("certainty", u32::from(wanted.certainty), 50, 99))
        .or_else(|| wanted.lines.and_then(|lines| outside("lines", lines, 1, MOST_LINES)))
        .or_else(|| {
            let many = wanted.shifts.len() > MOST_SHIFTS;
            many.then(|| format!("{} shifts; due are at most {MOST_SHIFTS}", wanted.shifts.len()))
        })
        .or_else(|| wanted.shifts.iter().find_map(shift))
}

/// `POST /api/v1/planning`.
pub(super) async fn ask(
    State(server): State<Server>,
    Extension(who): Extension<Who>,
    body: Bytes,
) -> Response {
    let mut wanted: PlanningWanted = match serde_json::from_slice(&body) {
        Ok(wanted) => wanted,
        Err(error) => {
            let due = format!(
                "due is a JSON object with month, and calls, certainty, by_half_hour, lines and shifts as wanted: {error}"
            );
            return api::error(StatusCode::BAD_REQUEST, due);
        }
    };
    if let Some(why) = refused(&wanted) {
        return api::error(StatusCode::BAD_REQUEST, why);
    }
    match who.author(wanted.author.as_deref(), 64) {
        Ok(author) => wanted.author = Some(author),
        Err((status, why)) => return api::error(status, why),
    }
    // What is read for it lies on a disk.
    let planner = server.app.planner.clone();
    match tokio::task::spawn_blocking(move || planner.ask(wanted)).await {
        Ok(Ok(())) => StatusCode::NO_CONTENT.into_response(),
        Ok(Err(NotAsked::Wrong(why))) => api::error(StatusCode::BAD_REQUEST, why),
        Ok(Err(NotAsked::Busy)) => api::error(
            StatusCode::CONFLICT,
            "another question is being answered: wait for its answer, or call it off",
        ),
        Err(error) => {
            tracing::error!(%error, "a question about a month could not be taken");
            api::error(StatusCode::INTERNAL_SERVER_ERROR, "it could not be taken; the log says why")
        }
    }
}

/// `DELETE /api/v1/planning`.
pub(super) async fn call_off(State(server): State<Server>) -> Response {
    if server.app.planner.call_off() {
        return StatusCode::NO_CONTENT.into_response();
    }
    api::error(StatusCode::CONFLICT, "no question is being answered")
}
