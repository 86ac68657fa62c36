//! The operating figures over HTTP, as JSON and as a sheet.

use super::{Server, about, api};
use crate::base::csv_bytes;
use crate::view::{By, Month, NotAMonth, OperatingWanted, Window};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// Alone, without `from` and `to`; today if all are left out.
    #[schemars(with = "Option<Month>")]
    month: Option<String>,
    /// A day such as 2026-10-01, or a half hour's beginning such as 2026-10-01T08:30.
    #[schemars(with = "Option<about::DayOrHalfHour>")]
    from: Option<String>,
    /// A day that is in it, or a half hour's beginning that is not; at most 400 days in all.
    #[schemars(with = "Option<about::DayOrHalfHour>")]
    to: Option<String>,
    /// `day` if left out.
    #[schemars(with = "Option<By>")]
    by: Option<String>,
    /// One agent's time and rings; with neither group nor number.
    agent: Option<String>,
    /// Calls that asked for that group last.
    group: Option<String>,
    /// Calls that dialled that number.
    number: Option<String>,
    #[schemars(with = "Option<Format>")]
    format: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Format {
    Json,
    Csv,
}

/// `GET /api/v1/operating`.
pub(super) async fn shown(
    State(server): State<Server>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let bad = |why: String| api::error(StatusCode::BAD_REQUEST, why);
    let Ok(Query(asked)) = asked else {
        let due = "due are at most month, from, to, by, agent, group, number and format, each once";
        return bad(due.to_owned());
    };
    let today = server.app.hub.read(|views, now, _| views.day_of(now.wall));
    let (wanted, format) = match asked.read(today) {
        Ok(read) => read,
        Err(why) => return bad(why),
    };
    let answer = server.app.hub.read(|views, now, _| views.operating(&wanted, now.wall));
    match format {
        Format::Json => Json(answer).into_response(),
        Format::Csv => {
            let name = format!("operating-{}-{}.csv", answer.from, answer.by.name());
            // A colon is no part of a file's name everywhere.
            let named = format!("attachment; filename=\"{}\"", name.replace(':', ""));
            let heads = [
                (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
                (CONTENT_DISPOSITION, named),
            ];
            (heads, csv_bytes(&answer.sheet(true))).into_response()
        }
    }
}

impl Asked {
    fn read(self, today: NaiveDate) -> Result<(OperatingWanted, Format), String> {
        let window = match (self.month.as_deref(), self.from.as_deref(), self.to.as_deref()) {
            (None, None, None) => Window::days(today, today),
            (Some(month), None, None) => {
                Window::month(month.parse::<Month>().map_err(|why: NotAMonth| why.to_string())?)
            }
            (None, Some(from), Some(to)) => {
                Window::read(from, to).map_err(|why| why.to_string())?
            }
            (None, Some(_), None) | (None, None, Some(_)) | (Some(_), _, _) => {
                return Err("due is month, or from and to, or none of them: today".to_owned());
            }
        };
        let by = match self.by.as_deref().map(By::from_name) {
            None => By::Day,
            Some(Some(by)) => by,
            Some(None) => {
                return Err(format!("by: due is one of {}", By::ALL.map(By::name).join(", ")));
            }
        };
        let format = match self.format.as_deref() {
            None | Some("json") => Format::Json,
            Some("csv") => Format::Csv,
            Some(_) => return Err("format: due is json or csv".to_owned()),
        };
        let (agent, group, number) = (self.agent, self.group, self.number);
        let wanted = OperatingWanted { window, by, agent, group, number };
        wanted.agrees().map_err(|why| why.to_string())?;
        Ok((wanted, format))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Result<(OperatingWanted, Format), String> {
        let uri = format!("/api/v1/operating?{query}").parse().expect("a URI");
        let Query(asked) = Query::<Asked>::try_from_uri(&uri).map_err(|why| why.to_string())?;
        asked.read(NaiveDate::from_ymd_opt(2026, 10, 7).expect("a day"))
    }

    #[test]
    fn what_is_asked_is_read_whole_or_refused() {
        let span = |from, to| Window::read(from, to).expect("a span");
        let october = || span("2026-10-01", "2026-10-31");
        let all = |window, by| Ok((OperatingWanted::all(window, by), Format::Json));
        let of_agent = OperatingWanted {
            agent: Some("2001".to_owned()),
            ..OperatingWanted::all(october(), By::HalfHour)
        };
        let table = [
            ("", all(span("2026-10-07", "2026-10-07"), By::Day)),
            ("month=2026-10", all(october(), By::Day)),
            ("month=2026-10&by=agent", all(october(), By::Agent)),
            (
                "from=2026-10-01T09:00&to=2026-10-01T12:00&by=group",
                all(span("2026-10-01T09:00", "2026-10-01T12:00"), By::Group),
            ),
            ("month=2026-10&by=half_hour&agent=2001&format=csv", Ok((of_agent, Format::Csv))),
        ];
        for (query, due) in table {
            assert_eq!(asked(query), due, "{query}");
        }
        // (query, what is said to be wrong)
        let refused = [
            ("month=october", "not a month"),
            ("month=2026-10&from=2026-10-01", "month, or from and to"),
            ("from=2026-10-01", "month, or from and to"),
            ("from=2026-10-01&to=2025-10-01", "the end is not after"),
            ("from=2026-10-01&to=2027-12-31", "400 at most"),
            ("from=2026-10-01T09:10&to=2026-10-02", "from: neither a day"),
            ("by=week", "half_hour, day, month, group, number, agent"),
            ("format=pdf", "json or csv"),
            ("by=group&agent=2001", "an agent's figures"),
            ("by=day&agent=2001&number=0312345678", "an agent's figures"),
            ("by=agent&group=desk", "an agent's figures"),
            ("week=1", "unknown field"),
            ("by=day&by=month", "duplicate"),
        ];
        for (query, wrong) in refused {
            let why = asked(query).expect_err(query);
            assert!(why.contains(wrong), "{query}: {why}");
        }
    }
}
