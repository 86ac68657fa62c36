//! What people declare about the contract's figures, and the calls behind one, over HTTP.

use super::who::Who;
use super::{Server, about, api};
use crate::base::Wall;
use crate::event::Means;
use crate::pbx::Declaration;
use crate::pbx::api::Command;
use crate::view::{
    self, Behind, ExclusionRow, Figure, Month, NotYet, Outcome, Rule, Side, Standing, Views,
};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest name of an author, characters.
const AUTHOR_BOUND: usize = 64;
/// Longest reason, characters.
const REASON_BOUND: usize = 200;
/// Calls in one answer; the count is whole.
const CALLS_BOUND: usize = 1_000;

fn bad(why: impl Into<String>) -> Response {
    api::error(StatusCode::BAD_REQUEST, why)
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Exclusions {
    exclusions: Vec<Shown>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Exclusion")]
pub(super) struct Shown {
    from: String,
    until: String,
    #[serde(flatten)]
    row: ExclusionRow,
}

/// `GET /api/v1/exclusions`.
pub(super) async fn exclusions(State(server): State<Server>) -> Response {
    let exclusions = server.app.hub.read(|views, _, _| {
        let zone = views.timezone();
        let shown = |row: ExclusionRow| Shown {
            from: view::written(row.from_ms, zone),
            until: view::written(row.until_ms, zone),
            row,
        };
        views.exclusions().into_iter().map(shown).collect()
    });
    Json(Exclusions { exclusions }).into_response()
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Period {
    /// Who enters it; who signed in by name may leave it out.
    #[serde(default)]
    #[schemars(length(min = 1, max = AUTHOR_BOUND), regex(pattern = about::WORDS))]
    author: Option<String>,
    #[schemars(length(min = 1, max = REASON_BOUND), regex(pattern = about::WORDS))]
    reason: String,
    /// Calls that arrived then or later.
    #[schemars(with = "about::Time")]
    from: String,
    /// Calls that arrived before then.
    #[schemars(with = "about::Time")]
    until: String,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ExclusionEntered")]
pub(super) struct Entered {
    exclusion: u32,
}

/// `POST /api/v1/exclusions`.
pub(super) async fn enter(
    State(server): State<Server>,
    Extension(who): Extension<Who>,
    body: Bytes,
) -> Response {
    let Ok(period) = serde_json::from_slice::<Period>(&body) else {
        return bad("due is a JSON object with author, reason, from and until");
    };
    let exclusion = server.app.hub.read(|views, _, _| views.next_exclusion());
    let author = match who.author(period.author.as_deref(), AUTHOR_BOUND) {
        Ok(author) => author,
        Err((status, why)) => return api::error(status, why),
    };
    let read = || -> Result<Command, String> {
        let reason = api::words("reason", &period.reason, REASON_BOUND)?;
        let (from, until) = (api::time("from", &period.from)?, api::time("until", &period.until)?);
        let what = Declaration::Exclude { exclusion, from, until, reason };
        Ok(Command::Declare { what, author, by: Means::Api })
    };
    match read() {
        Ok(command) => match api::put(&server, command).await {
            Ok(()) => (StatusCode::CREATED, Json(Entered { exclusion })).into_response(),
            Err(refused) => refused,
        },
        Err(why) => bad(why),
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Word {
    /// Whose word it is; who signed in by name may leave it out.
    #[serde(default)]
    #[schemars(length(min = 1, max = AUTHOR_BOUND), regex(pattern = about::WORDS))]
    author: Option<String>,
    /// Due with `withdraw`, and to close a month once more.
    #[serde(default)]
    #[schemars(length(min = 1, max = REASON_BOUND), regex(pattern = about::WORDS))]
    reason: Option<String>,
}

/// `POST /api/v1/exclusions/{number}/{approve|withdraw}`.
pub(super) async fn judge(
    State(server): State<Server>,
    Extension(who): Extension<Who>,
    Path((number, action)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    match judged(&who, (&number, &action), &body) {
        Ok(command) => api::obeyed(&server, command).await,
        Err((status, why)) => api::error(status, why),
    }
}

fn judged(
    who: &Who,
    (number, action): (&str, &str),
    body: &[u8],
) -> Result<Command, (StatusCode, String)> {
    let bad = |why: String| (StatusCode::BAD_REQUEST, why);
    let exclusion = number.parse().map_err(|_| bad("due is an exclusion's number".to_owned()))?;
    let word: Word = serde_json::from_slice(body)
        .map_err(|_| bad("due is a JSON object with author, and reason for withdraw".to_owned()))?;
    let author = who.author(word.author.as_deref(), AUTHOR_BOUND)?;
    let what = match (action, word.reason) {
        ("approve", None) => Declaration::Approve { exclusion },
        ("approve", Some(_)) => return Err(bad("approve takes an author alone".to_owned())),
        ("withdraw", reason) => {
            let reason = api::words("reason", &reason.unwrap_or_default(), REASON_BOUND);
            Declaration::Withdraw { exclusion, reason: reason.map_err(bad)? }
        }
        _ => return Err((StatusCode::NOT_FOUND, "due is approve or withdraw".to_owned())),
    };
    Ok(Command::Declare { what, author, by: Means::Api })
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MonthClosed")]
pub(super) struct Closed {
    revision: u32,
}

/// `POST /api/v1/months/{month}/close`.
pub(super) async fn close(
    State(server): State<Server>,
    Extension(who): Extension<Who>,
    Path(text): Path<String>,
    body: Bytes,
) -> Response {
    let Ok(month) = text.parse::<Month>() else { return bad("due is a month such as 2026-10") };
    let Ok(word) = serde_json::from_slice::<Word>(&body) else {
        return bad(
            "due is a JSON object with author, and reason when the month was closed before",
        );
    };
    // Those were told to the views, which therefore see no hole: the next start does.
    let lost = (server.app.gauges)().journal_lost;
    let counted = server.app.hub.read(|views, now, _| {
        let revision = views.closed_month(month).len().saturating_add(1);
        let figures = views.closing(month, now.wall);
        (revision, figures.and_then(|it| if lost == 0 { Ok(it) } else { Err(NotYet::Holes(lost)) }))
    });
    let (revision, mut figures) = match counted {
        (revision, Ok(figures)) => (u32::try_from(revision).unwrap_or(u32::MAX), figures),
        (_, Err(why @ (NotYet::NotOver | NotYet::Undecided(_) | NotYet::Holes(_)))) => {
            return api::error(StatusCode::CONFLICT, why.to_string());
        }
    };
    let author = match who.author(word.author.as_deref(), AUTHOR_BOUND) {
        Ok(author) => author,
        Err((status, why)) => return api::error(status, why),
    };
    let reason = match (revision, word.reason) {
        (1, None) => String::new(),
        (1, Some(_)) => {
            return bad("the month is closed for the first time: due is an author alone");
        }
        (_, reason) => match api::words("reason", &reason.unwrap_or_default(), REASON_BOUND) {
            Ok(reason) => reason,
            Err(why) => return bad(format!("the month is closed already; for a revision, {why}")),
        },
    };
    figures.hash = (server.app.hash)(figures.through_seq).await;
    let month = month.to_string();
    let what = Declaration::CloseMonth { month, revision, reason, figures: Box::new(figures) };
    match api::put(&server, Command::Declare { what, author, by: Means::Api }).await {
        Ok(()) => (StatusCode::CREATED, Json(Closed { revision })).into_response(),
        Err(refused) => refused,
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// This month if neither month nor day is given; not both.
    #[schemars(with = "Option<Month>")]
    month: Option<String>,
    #[schemars(with = "Option<NaiveDate>")]
    day: Option<String>,
    /// `numerator`, `total` (the numerator among it) or `out`.
    #[schemars(with = "Option<about::SideWord>")]
    stands: Option<String>,
    #[schemars(with = "Option<Outcome>")]
    outcome: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FigureCalls")]
pub(super) struct Listed {
    figure: Figure,
    from: NaiveDate,
    to: NaiveDate,
    /// How many there are, listed or not.
    count: usize,
    calls: Vec<Row>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FigureCall")]
pub(super) struct Row {
    arrived_at: String,
    #[serde(flatten)]
    behind: Behind,
}

/// `GET /api/v1/figures/{figure}/calls`.
pub(super) async fn behind(
    State(server): State<Server>,
    Path(figure): Path<String>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Response {
    let Some(figure) = Figure::from_name(&figure) else {
        let names = Figure::ALL.map(Figure::name).join(", ");
        return api::error(StatusCode::NOT_FOUND, format!("due is one of {names}"));
    };
    let Ok(Query(wanted)) = wanted else {
        return bad("due are at most month or day, stands and outcome, each once");
    };
    let today = server.app.hub.read(|views, now, _| views.day_of(now.wall));
    let (from, to) = match wanted.days(today) {
        Ok(days) => days,
        Err(why) => return bad(why),
    };
    let side = match wanted.stands.as_deref().map(Side::from_name) {
        None => None,
        Some(Some(side)) => Some(side),
        Some(None) => return bad("stands: due is numerator, total or out"),
    };
    let outcome = match wanted.outcome.as_deref().map(api::read_outcome).transpose() {
        Ok(outcome) => outcome,
        Err(why) => return bad(why),
    };
    let fits = move |standing: &Standing, found: Option<Outcome>| {
        side.is_none_or(|side| side.holds(standing))
            && outcome.is_none_or(|wanted| found == Some(wanted))
    };
    let answer = server.app.hub.read(|views, _, _| {
        let zone = views.timezone();
        let (mut count, mut calls) = (0_usize, Vec::new());
        for behind in views.behind((from, to), figure, fits) {
            count = count.saturating_add(1);
            if calls.len() < CALLS_BOUND {
                calls.push(Row { arrived_at: view::written(behind.arrived_at_ms, zone), behind });
            }
        }
        Listed { figure, from, to, count, calls }
    });
    Json(answer).into_response()
}

impl Wanted {
    fn days(&self, today: NaiveDate) -> Result<(NaiveDate, NaiveDate), String> {
        match (&self.month, &self.day) {
            (None, None) => Ok((Month::of(today).first(), Month::of(today).last())),
            (Some(month), None) => {
                let month = month.parse::<Month>().map_err(|why| why.to_string())?;
                Ok((month.first(), month.last()))
            }
            (None, Some(day)) => {
                let day = NaiveDate::parse_from_str(day, "%Y-%m-%d")
                    .map_err(|_| "due is day, such as 2026-10-01".to_owned())?;
                Ok((day, day))
            }
            (Some(_), Some(_)) => Err("due is month or day, not both".to_owned()),
        }
    }
}

/// The rule that gave a call its outcome, and where it counts.
#[derive(Serialize, JsonSchema)]
pub(super) struct Explained {
    rule: Option<Rule>,
    /// The rule in words.
    ja: Option<&'static str>,
    en: Option<&'static str>,
    /// None when the figures know no more of the call than that it was.
    place: Option<crate::view::Place>,
}

pub(super) fn explained(
    views: &Views,
    call: crate::base::CallId,
    arrived_at: Wall,
    rule: Option<Rule>,
) -> Explained {
    let said = rule.map(Rule::said);
    Explained {
        rule,
        ja: said.map(|(ja, _)| ja),
        en: said.map(|(_, en)| en),
        place: views.place(call, arrived_at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::Role;

    #[test]
    fn a_word_about_an_exclusion_is_whole_or_refused() {
        // (number, action, body, what is wrong)
        let table = [
            ("1", "approve", r#"{"author": "鈴木"}"#, ""),
            ("1", "withdraw", r#"{"author": "鈴木", "reason": "誤り"}"#, ""),
            ("1", "approve", r#"{"author": "鈴木", "reason": "誤り"}"#, "alone"),
            ("1", "withdraw", r#"{"author": "鈴木"}"#, "reason"),
            ("one", "approve", r#"{"author": "鈴木"}"#, "number"),
            ("-1", "approve", r#"{"author": "鈴木"}"#, "number"),
            ("1", "allow", r#"{"author": "鈴木"}"#, "approve or withdraw"),
            ("1", "approve", r#"{"author": "\n"}"#, "author"),
            ("1", "approve", "", "JSON"),
        ];
        for (number, action, body, wrong) in table {
            match judged(&Who::by_token(Role::Admin), (number, action), body.as_bytes()) {
                Ok(_) => assert_eq!(wrong, "", "{action} {body}: taken"),
                Err((_, why)) => assert!(!wrong.is_empty() && why.contains(wrong), "{why}"),
            }
        }
    }
}
