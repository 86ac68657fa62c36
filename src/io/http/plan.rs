//! The plan's file: what is in it, what is wrong with another text, putting that in its place; and a month's
//! report as files. What a plan means and what is reported is made elsewhere and handed in.

use super::{Server, api};
use crate::base::Wall;
use crate::dialplan::{Finding, Severity};
use crate::view::Month;
use axum::Json;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest text of a plan, bytes, with its JSON around it.
const PLAN_BODY: usize = 2 << 20;

/// The plan as a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlanText {
    /// Its name.
    pub file: String,
    /// What is in it now.
    pub text: String,
    /// SHA-256 of that, hexadecimal.
    pub sha256: String,
    /// Whether the running desk goes by it.
    pub in_force: bool,
}

/// Why a plan was not put in force; the old one is, and stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotActivated {
    /// The file was changed since it was read.
    Changed,
    /// What is wrong with it, or with what else is read again with it.
    Refused(Vec<Finding>),
    /// It could not be read or written.
    File(String),
}

/// Calls of the days behind us whose way another plan changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlanEffect {
    /// Calls that arrived from then on, ms since 1970.
    pub from_ms: Wall,
    /// And before then.
    pub until_ms: Wall,
    /// By the number dialled.
    pub numbers: Vec<PlanEffectNumber>,
    /// The first of them, at most 200.
    pub calls: Vec<PlanEffectCall>,
}

/// What becomes of a number's calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlanEffectNumber {
    /// Which.
    pub number: String,
    /// As the plan in force calls it.
    pub name: String,
    /// Its calls.
    pub calls: u64,
    /// Those that go another way.
    pub changed: u64,
}

/// A call that goes another way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlanEffectCall {
    /// Which.
    pub call: String,
    /// When it arrived, ms since 1970.
    pub at_ms: Wall,
    /// What was dialled.
    pub number: String,
    /// Its way under the plan in force.
    pub was: String,
    /// Its way under the other.
    pub is: String,
}

/// Why two plans are not compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotCompared {
    /// Another comparison is under way.
    Busy,
    /// What is wrong with the text.
    Refused(Vec<Finding>),
    /// The plan in force or the history cannot be read.
    Unreadable(String),
}

/// Reads, judges and replaces the plan. Blocks: not for a thread that others wait for.
pub trait Plans: Send + Sync {
    /// The plan as it lies there.
    ///
    /// # Errors
    ///
    /// Why it cannot be read.
    fn text(&self) -> Result<PlanText, String>;

    /// What is wrong with a text, as `madoguchi check` says it.
    fn check(&self, text: &str) -> Vec<Finding>;

    /// What the calls of the last 31 days would have done under a text, against the plan in force.
    ///
    /// # Errors
    ///
    /// [`NotCompared`].
    fn effect(&self, text: &str) -> Result<PlanEffect, NotCompared>;

    /// Puts a text in the place of the one that has this SHA-256, and in force; the old one is kept beside it.
    ///
    /// # Errors
    ///
    /// [`NotActivated`].
    fn activate(&self, text: &str, instead_of: &str) -> Result<Vec<Finding>, NotActivated>;
}

/// One finding.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PlanFound")]
pub(super) struct Found {
    severity: &'static str,
    code: &'static str,
    /// Which file it is about, as it was named to the desk.
    file: String,
    line: Option<usize>,
    column: Option<usize>,
    ja: Words,
    en: Words,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PlanWords")]
pub(super) struct Words {
    found: String,
    due: String,
}

impl From<&Finding> for Found {
    fn from(finding: &Finding) -> Self {
        use crate::dialplan::Lang;
        let message = &finding.message;
        let words = |lang| Words {
            found: message.found.get(lang).to_owned(),
            due: message.due.get(lang).to_owned(),
        };
        Self {
            severity: match message.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            file: finding.file.to_string(),
            code: message.code,
            line: finding.place.as_ref().map(|place| place.line),
            column: finding.place.as_ref().map(|place| place.column),
            ja: words(Lang::Ja),
            en: words(Lang::En),
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PlanChecked")]
pub(super) struct Checked {
    /// Whether it could be put in force.
    fits: bool,
    findings: Vec<Found>,
}

fn checked(fits: bool, findings: &[Finding]) -> Checked {
    Checked { fits, findings: findings.iter().map(Found::from).collect() }
}

/// Runs what blocks where nobody waits for the thread.
async fn beside<T: Send + 'static>(
    server: &Server,
    what: impl FnOnce(&dyn Plans) -> T + Send + 'static,
) -> Result<T, Response> {
    let plans = server.app.plans.clone();
    tokio::task::spawn_blocking(move || what(&*plans)).await.map_err(|error| {
        tracing::error!(%error, "the plan could not be looked at");
        api::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the plan could not be looked at; the log says why",
        )
    })
}

/// `GET /api/v1/plan`.
pub(super) async fn shown(State(server): State<Server>) -> Response {
    match beside(&server, |plans| plans.text()).await {
        Ok(Ok(text)) => Json(text).into_response(),
        Ok(Err(why)) => api::error(StatusCode::SERVICE_UNAVAILABLE, why),
        Err(failed) => failed,
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PlanText")]
pub(super) struct Text {
    text: String,
}

/// A body that may be longer than others: a plan is.
async fn whole(body: Body) -> Result<Bytes, Response> {
    to_bytes(body, PLAN_BODY).await.map_err(|_| {
        api::error(StatusCode::PAYLOAD_TOO_LARGE, format!("due are at most {PLAN_BODY} bytes"))
    })
}

/// A body that has a plan's text and nothing else.
async fn text_of(body: Body) -> Result<String, Response> {
    let due = "due is a JSON object with `text`, a plan";
    let wrong = |_| api::error(StatusCode::BAD_REQUEST, due);
    serde_json::from_slice(&whole(body).await?).map(|Text { text }| text).map_err(wrong)
}

/// `POST /api/v1/plan/check`.
pub(super) async fn check(State(server): State<Server>, body: Body) -> Response {
    let text = match text_of(body).await {
        Ok(text) => text,
        Err(refused) => return refused,
    };
    match beside(&server, move |plans| plans.check(&text)).await {
        Ok(findings) => {
            Json(checked(!findings.iter().any(Finding::is_error), &findings)).into_response()
        }
        Err(failed) => failed,
    }
}

/// `POST /api/v1/plan/effect`.
pub(super) async fn effect(State(server): State<Server>, body: Body) -> Response {
    let text = match text_of(body).await {
        Ok(text) => text,
        Err(refused) => return refused,
    };
    match beside(&server, move |plans| plans.effect(&text)).await {
        Ok(Ok(effect)) => Json(effect).into_response(),
        Ok(Err(NotCompared::Busy)) => api::error(
            StatusCode::CONFLICT,
            "another plan is being compared; ask again in a moment",
        ),
        Ok(Err(NotCompared::Refused(findings))) => {
            (StatusCode::UNPROCESSABLE_ENTITY, Json(checked(false, &findings))).into_response()
        }
        Ok(Err(NotCompared::Unreadable(why))) => api::error(StatusCode::SERVICE_UNAVAILABLE, why),
        Err(failed) => failed,
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PlanActivation")]
pub(super) struct Activation {
    text: String,
    instead_of: String,
}

/// `POST /api/v1/plan/activate`.
pub(super) async fn activate(State(server): State<Server>, body: Body) -> Response {
    let body = match whole(body).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let Ok(Activation { text, instead_of }) = serde_json::from_slice(&body) else {
        let due = "due is a JSON object with `text`, a plan, and `instead_of`, the sha256 of the one that it replaces";
        return api::error(StatusCode::BAD_REQUEST, due);
    };
    match beside(&server, move |plans| plans.activate(&text, &instead_of)).await {
        Ok(Ok(warnings)) => Json(checked(true, &warnings)).into_response(),
        Ok(Err(NotActivated::Changed)) => api::error(
            StatusCode::CONFLICT,
            "the plan's file was changed since it was read: read it again, and put your changes into that",
        ),
        Ok(Err(NotActivated::Refused(findings))) => {
            (StatusCode::UNPROCESSABLE_ENTITY, Json(checked(false, &findings))).into_response()
        }
        Ok(Err(NotActivated::File(why))) => api::error(StatusCode::SERVICE_UNAVAILABLE, why),
        Err(failed) => failed,
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReportWanted")]
pub(super) struct Wanted {
    file: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ReportFiles")]
pub(super) struct Files {
    files: Vec<String>,
}

/// `GET /api/v1/months/{month}/report`: the names of the report's files, or one of them.
pub(super) async fn report(
    State(server): State<Server>,
    Path(month): Path<String>,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let Ok(month) = month.parse::<Month>() else {
        return api::error(StatusCode::BAD_REQUEST, "due is a month such as 2026-10");
    };
    let Ok(Query(Wanted { file })) = wanted else {
        return api::error(StatusCode::BAD_REQUEST, "due is at most file, once");
    };
    let Ok(_place) = server.reports.clone().try_acquire_owned() else {
        return api::error(
            StatusCode::SERVICE_UNAVAILABLE,
            "a report is being made; try again in a moment",
        );
    };
    let files = match (server.app.report)(month).await {
        Ok(files) => files,
        Err(why) => {
            tracing::warn!(why, "a month's report could not be made");
            return api::error(StatusCode::SERVICE_UNAVAILABLE, why);
        }
    };
    let Some(wanted) = file else {
        let files = files.into_iter().map(|(name, _)| name).collect();
        return Json(Files { files }).into_response();
    };
    let Some((name, bytes)) = files.into_iter().find(|(name, _)| *name == wanted) else {
        return api::error(StatusCode::NOT_FOUND, "the report has no such file");
    };
    let kind = match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("pdf") => "application/pdf",
        Some("json") => "application/json",
        _ => "text/csv; charset=utf-8",
    };
    let disposition = format!("attachment; filename=\"{name}\"");
    ([(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, disposition)], bytes).into_response()
}
