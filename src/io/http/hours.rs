//! The desk closed or opened out of turn over HTTP: what holds, and orders about it.

use super::who::Who;
use super::{Server, about, api};
use crate::base::{AdHoc, Number};
use crate::event::Means;
use crate::pbx::HoursOrder;
use crate::pbx::api::Command;
use crate::view::{self, AdHocRow};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest reason and author, characters.
const WORDS_BOUND: usize = 64;

#[derive(Serialize, JsonSchema)]
pub(super) struct Hours {
    ad_hoc: Vec<Row>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AdHocHours")]
pub(super) struct Row {
    since: String,
    until: String,
    #[serde(flatten)]
    period: AdHocRow,
}

/// `GET /api/v1/hours`.
pub(super) async fn shown(State(server): State<Server>) -> Response {
    let ad_hoc = server.app.hub.read(|views, now, _| {
        let zone = views.timezone();
        let row = |period: AdHocRow| Row {
            since: view::written(period.since_ms, zone),
            until: view::written(period.until_ms, zone),
            period,
        };
        views.ad_hoc_hours(now.wall).into_iter().map(row).collect()
    });
    Json(Hours { ad_hoc }).into_response()
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    /// Whose word it is; who signed in by name may leave it out.
    #[serde(default)]
    #[schemars(length(min = 1, max = WORDS_BOUND), regex(pattern = about::WORDS))]
    author: Option<String>,
    /// Due unless it is `restore`.
    #[serde(default)]
    #[schemars(length(min = 1, max = WORDS_BOUND), regex(pattern = about::WORDS))]
    reason: Option<String>,
    /// Due unless it is `restore`: in the future, within 400 days.
    #[serde(default)]
    #[schemars(with = "Option<about::Time>")]
    until: Option<String>,
}

/// `POST /api/v1/hours/{number|all}/{open|close|disaster|restore}`.
pub(super) async fn order(
    State(server): State<Server>,
    Extension(who): Extension<Who>,
    Path((number, action)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    match read(&who, (&number, &action), &body) {
        Ok(command) => api::obeyed(&server, command).await,
        Err((status, why)) => api::error(status, why),
    }
}

/// What is ordered, or why it cannot be understood.
fn read(
    who: &Who,
    (number, action): (&str, &str),
    body: &[u8],
) -> Result<Command, (StatusCode, String)> {
    let to = match action {
        "open" => Some(AdHoc::Open),
        "close" => Some(AdHoc::Closed),
        "disaster" => Some(AdHoc::Disaster),
        "restore" => None,
        _ => {
            let due = "due is open, close, disaster or restore";
            return Err((StatusCode::NOT_FOUND, due.to_owned()));
        }
    };
    let bad = |why: String| (StatusCode::BAD_REQUEST, why);
    let order: Order = serde_json::from_slice(body).map_err(|_| {
        bad("due is a JSON object with author, and reason and until unless it is restore"
            .to_owned())
    })?;
    let author = who.author(order.author.as_deref(), WORDS_BOUND)?;
    let order = match to {
        None if order.reason.is_some() || order.until.is_some() => {
            return Err(bad("restore takes an author alone".to_owned()));
        }
        None => HoursOrder::Restore,
        Some(to) => {
            let reason = api::words("reason", &order.reason.unwrap_or_default(), WORDS_BOUND)
                .map_err(bad)?;
            let until = order.until.as_deref().and_then(api::read_time).ok_or_else(|| {
                bad("due is until, a time such as 2026-10-01T18:15:00+09:00, or milliseconds since 1970".to_owned())
            })?;
            HoursOrder::Change { to, reason, until }
        }
    };
    let number = (number != "all").then(|| Number::from(number));
    Ok(Command::Hours { number, order, author, by: Means::Api })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Wall;
    use crate::people::Role;

    #[test]
    fn an_order_is_whole_or_refused() {
        let token = Who::by_token(Role::Admin);
        let whole = r#"{"author": "佐藤", "reason": "停電", "until": "2026-10-01T18:15:00+09:00"}"#;
        // (number, action, body, what is wrong)
        let table = [
            ("all", "close", whole, ""),
            ("0312345678", "disaster", whole, ""),
            ("all", "open", r#"{"author": "a", "reason": "b", "until": "1790816400000"}"#, ""),
            ("all", "restore", r#"{"author": "佐藤"}"#, ""),
            ("all", "restore", whole, "author alone"),
            ("all", "shut", whole, "restore"),
            ("all", "close", "", "JSON"),
            ("all", "close", r#"{"author": "a", "reason": "b"}"#, "until"),
            ("all", "close", r#"{"author": "a", "reason": "b", "until": "soon"}"#, "until"),
            ("all", "close", r#"{"author": "a", "reason": " ", "until": "1"}"#, "reason"),
            ("all", "close", r#"{"author": "a\nb", "reason": "b", "until": "1"}"#, "author"),
            ("all", "close", r#"{"author": "a", "resaon": "b", "until": "1"}"#, "JSON"),
        ];
        for (number, action, body, wrong) in table {
            match read(&token, (number, action), body.as_bytes()) {
                Ok(_) => assert_eq!(wrong, "", "{action} {body}: taken"),
                Err((_, why)) => assert!(!wrong.is_empty() && why.contains(wrong), "{why}"),
            }
        }
        let order = read(&token, ("0312345678", "disaster"), whole.as_bytes());
        let until = Wall(1_790_846_100_000);
        let due = Command::Hours {
            number: Some("0312345678".into()),
            order: HoursOrder::Change { to: AdHoc::Disaster, reason: "停電".to_owned(), until },
            author: "佐藤".to_owned(),
            by: Means::Api,
        };
        assert_eq!(order, Ok(due));
    }
}
