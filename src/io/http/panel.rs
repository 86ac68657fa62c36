//! The agent's panel (パネル): the page, what it shows, as it is and as it changes, and notes on calls. What it
//! orders goes by the same ways as anybody's orders.

use super::auth::Leave;
use super::login::Wrong;
use super::who::Who;
use super::{Server, api, auth, pages, stream};
use crate::base::{AgentId, CallId, Private};
use crate::event::Means;
use crate::pbx::Command;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

/// Longest note, characters.
const NOTE_BOUND: usize = 1_000;

const PAGE: &str = include_str!("../../../web/panel.html");
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const FILES: [(&str, &str, &str); 5] = [
    ("panel.css", "text/css; charset=utf-8", include_str!("../../../web/panel.css")),
    ("panel.js", JAVASCRIPT, include_str!("../../../web/panel.js")),
    ("tickets.js", JAVASCRIPT, include_str!("../../../web/panel-tickets.js")),
    ("view.js", JAVASCRIPT, include_str!("../../../web/panel-view.js")),
    ("words.js", JAVASCRIPT, include_str!("../../../web/panel-words.js")),
];

/// `GET /panel`: the panel, or the login page for who is not known.
pub(super) async fn page(State(server): State<Server>, headers: HeaderMap) -> Response {
    if auth::known(&headers, &server).is_some() {
        Html(PAGE).into_response()
    } else {
        pages::login_page(&server, Wrong::Nothing)
    }
}

/// `GET /panel/{file}`: what the page is made of.
pub(super) async fn file(Path(file): Path<String>) -> Response {
    match FILES.iter().find(|(known, ..)| *known == file) {
        Some((_, kind, text)) => ([(CONTENT_TYPE, *kind)], *text).into_response(),
        None => api::not_found().await,
    }
}

/// `GET /api/v1/panel/{extension}`.
pub(super) async fn shown(State(server): State<Server>, Path(extension): Path<String>) -> Response {
    let agent = AgentId::from(extension);
    let panel = server.app.hub.read(|views, now, age_ms| views.panel(&agent, now.wall, age_ms));
    panel.map_or_else(no_such_agent, |panel| Json(panel).into_response())
}

/// `GET /api/v1/panel/{extension}/events`.
pub(super) async fn events(
    State(server): State<Server>,
    Extension(leave): Extension<Arc<Leave>>,
    Path(extension): Path<String>,
) -> Response {
    let agent = AgentId::from(extension);
    let watched =
        stream::told(&server, leave, "panel", |server| server.app.hub.watch_panel(&agent));
    watched.unwrap_or_else(no_such_agent)
}

fn no_such_agent() -> Response {
    api::error(StatusCode::NOT_FOUND, "the plan has no agent of this name")
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NoteWanted")]
pub(super) struct Wanted {
    /// Whose note it is; who signed in with a line of the own may leave it out.
    #[serde(default)]
    agent: Option<String>,
    /// Of control characters only line feeds.
    #[schemars(length(min = 1, max = NOTE_BOUND))]
    text: String,
}

/// `POST /api/v1/calls/{id}/notes`.
pub(super) async fn note(
    State(server): State<Server>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let bad = |why: String| api::error(StatusCode::BAD_REQUEST, why);
    let Ok(id) = id.parse::<uuid::Uuid>() else { return bad("due is a call's id".to_owned()) };
    let Ok(Wanted { agent, text }) = serde_json::from_slice(&body) else {
        return bad("due is a JSON object with `agent`, whose note it is, and `text`".to_owned());
    };
    // Who signed in with a line of its own writes its own notes.
    let Some(agent) = agent.map(AgentId::from).or_else(|| who.extension.clone()) else {
        return bad("due is `agent`, whose note it is".to_owned());
    };
    if let Err(refused) = who.may_act_for(&agent) {
        return refused.into_response();
    }
    match words(&text) {
        Ok(text) => {
            let (call, text) = (CallId(id), Private::new(text));
            api::obeyed(&server, Command::Note { call, agent, text, by: Means::Api }).await
        }
        Err(why) => bad(why),
    }
}

/// A note's words.
fn words(text: &str) -> Result<String, String> {
    api::lines("`text`", text, NOTE_BOUND)
}

#[cfg(test)]
mod tests {
    use super::{NOTE_BOUND, words};

    #[test]
    fn a_note_has_words_and_lines_and_nothing_else() {
        assert_eq!(words("  二行\r\nです\n").as_deref(), Ok("二行\nです"));
        assert_eq!(words("<script>").as_deref(), Ok("<script>"));
        assert!(words(&"字".repeat(NOTE_BOUND)).is_ok());
        for bad in ["", " \n ", "a\tb", "a\u{1b}[31m", "a\rb", &"字".repeat(NOTE_BOUND + 1)] {
            assert!(words(bad).is_err(), "{bad:?}");
        }
    }
}
