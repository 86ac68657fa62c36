//! What reading the files again would change, and reading them again. What is read, and what of it can be taken over, is
//! known to who is handed in.

use super::plan::Found;
use super::{Server, api};
use crate::dialplan::Finding;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

/// Differences that are told one by one.
const MOST_TOLD: usize = 500;

/// One thing that is another in the files than in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Differs {
    /// Which: `plan groups.desk.ring`, `limits.calls`, `account 2011`.
    pub what: String,
    /// What is in force; none: it is new. A secret is never shown.
    pub before: Option<String>,
    /// What takes its place; none: it is gone.
    pub after: Option<String>,
}

/// The files as they lie there, against what is in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// What is another.
    pub differences: Vec<Differs>,
    /// Settings among them that stay as they are until a restart.
    pub waiting: Vec<String>,
    /// Warnings.
    pub findings: Vec<Finding>,
}

/// Reads the files. Blocks: not for a thread that others wait for.
pub trait Reloads: Send + Sync {
    /// What taking them over would change.
    ///
    /// # Errors
    ///
    /// What is wrong with them.
    fn look(&self) -> Result<Reading, Vec<Finding>>;

    /// Takes them over, all or nothing; tells what that changed.
    ///
    /// # Errors
    ///
    /// What is wrong with them; nothing was changed then.
    fn take_over(&self) -> Result<Reading, Vec<Finding>>;
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ReloadShown")]
pub(super) struct Shown {
    /// Whether they can be taken over, or were.
    fits: bool,
    /// What is another, by name; at most 500.
    differences: Vec<Differs>,
    /// How many are another.
    count: usize,
    /// Settings among them that stay as they are until a restart.
    waiting: Vec<String>,
    /// What is wrong with them.
    findings: Vec<Found>,
}

impl Shown {
    fn of(read: Result<Reading, Vec<Finding>>) -> Self {
        let fits = read.is_ok();
        let Reading { mut differences, waiting, findings } =
            read.unwrap_or_else(|findings| Reading { findings, ..Reading::default() });
        let count = differences.len();
        differences.truncate(MOST_TOLD);
        let findings = findings.iter().map(Found::from).collect();
        Self { fits, differences, count, waiting, findings }
    }
}

/// Runs what blocks where nobody waits for the thread.
async fn beside(
    server: &Server,
    what: impl FnOnce(&dyn Reloads) -> Result<Reading, Vec<Finding>> + Send + 'static,
) -> Result<Shown, Response> {
    let reloads = server.app.reloads.clone();
    let read = tokio::task::spawn_blocking(move || Shown::of(what(&*reloads))).await;
    read.map_err(|error| {
        tracing::error!(%error, "the files could not be looked at");
        let why = "the files could not be looked at; the log says why";
        api::error(StatusCode::INTERNAL_SERVER_ERROR, why)
    })
}

/// `GET /api/v1/reload`.
pub(super) async fn look(State(server): State<Server>) -> Response {
    match beside(&server, |reloads| reloads.look()).await {
        Ok(shown) => Json(shown).into_response(),
        Err(failed) => failed,
    }
}

/// `POST /api/v1/reload`.
pub(super) async fn take_over(State(server): State<Server>) -> Response {
    match beside(&server, |reloads| reloads.take_over()).await {
        Ok(shown) if shown.fits => Json(shown).into_response(),
        Ok(shown) => (StatusCode::UNPROCESSABLE_ENTITY, Json(shown)).into_response(),
        Err(failed) => failed,
    }
}
