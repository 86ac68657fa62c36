//! The pages, inside the program: they need no file, no other server, no internet.

use super::login::Wrong;
use super::{Server, api, auth};
use crate::people::Role;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};

const WALLBOARD: &str = include_str!("../../../web/wallboard.html");
const STYLE: &str = include_str!("../../../web/wallboard.css");
const SCRIPT: &str = include_str!("../../../web/wallboard.js");
const CHART: &str = include_str!("../../../web/wallboard-chart.js");
const WORDS: &str = include_str!("../../../web/wallboard-words.js");
const RECORDINGS: &str = include_str!("../../../web/recordings.html");
const RECORDINGS_STYLE: &str = include_str!("../../../web/recordings.css");
const RECORDINGS_SCRIPT: &str = include_str!("../../../web/recordings.js");
const LOGIN: &str = include_str!("../../../web/login.html");
const LOGIN_SCRIPT: &str = include_str!("../../../web/login.js");
const TV: &str = include_str!("../../../web/tv.html");
const TV_SCRIPT: &str = include_str!("../../../web/tv.js");

/// What others have written for pages, as npm has it (docs/decisions/0016-pages.md), each with its licence.
const LIBRARIES: &[(&str, &str, &str)] = &[
    ("lit-html.js", JAVASCRIPT, include_str!("../../../web/lib/lit-html.js")),
    ("lit-html.LICENSE", PLAIN, include_str!("../../../web/lib/lit-html.LICENSE")),
    ("uPlot.iife.min.js", JAVASCRIPT, include_str!("../../../web/lib/uPlot.iife.min.js")),
    ("uPlot.min.css", CSS, include_str!("../../../web/lib/uPlot.min.css")),
    ("uPlot.LICENSE", PLAIN, include_str!("../../../web/lib/uPlot.LICENSE")),
];

const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";

/// Nothing but our own files, no inline script or style, no frame around us.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' data:; media-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Puts the headers on every answer that keep a browser from doing what we did not mean.
pub(super) async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    // A page with a stricter one of its own keeps it.
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Not `no-referrer`: with it a browser sends `Origin: null` even from our own login form.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `GET /`: the wallboard, or the login page for who is not known.
pub(super) async fn wallboard(State(server): State<Server>, headers: HeaderMap) -> Response {
    if auth::known(&headers, &server).is_some() {
        Html(WALLBOARD).into_response()
    } else {
        login_page(&server, Wrong::Nothing)
    }
}

/// `GET /recordings`: the list of recordings, or the login page for who is not known. What it shows it asks
/// of the API, under the API's rules.
pub(super) async fn recordings(State(server): State<Server>, headers: HeaderMap) -> Response {
    if auth::known(&headers, &server).is_some() {
        Html(RECORDINGS).into_response()
    } else {
        login_page(&server, Wrong::Nothing)
    }
}

/// What the supervisor's pages are made of.
const SUPERVISOR: [(&str, &str, &str); 6] = [
    ("supervisor.css", CSS, include_str!("../../../web/supervisor.css")),
    ("supervisor.js", JAVASCRIPT, include_str!("../../../web/supervisor.js")),
    ("planning.js", JAVASCRIPT, include_str!("../../../web/supervisor-planning.js")),
    ("tickets.js", JAVASCRIPT, include_str!("../../../web/supervisor-tickets.js")),
    ("view.js", JAVASCRIPT, include_str!("../../../web/supervisor-view.js")),
    ("words.js", JAVASCRIPT, include_str!("../../../web/supervisor-words.js")),
];

/// `GET /supervisor`: the supervisor's pages, or the login page for who may not.
pub(super) async fn supervisor(State(server): State<Server>, headers: HeaderMap) -> Response {
    match auth::known(&headers, &server) {
        Some(who) if who.role >= Role::Supervisor => {
            Html(include_str!("../../../web/supervisor.html")).into_response()
        }
        Some(_) | None => login_page(&server, Wrong::Nothing),
    }
}

/// `GET /supervisor/{file}`.
pub(super) async fn supervisor_file(Path(file): Path<String>) -> Response {
    match SUPERVISOR.iter().find(|(known, ..)| *known == file) {
        Some((_, kind, text)) => ([(CONTENT_TYPE, *kind)], *text).into_response(),
        None => api::not_found().await,
    }
}

/// `GET /tv`: trades a wall's token for a cookie; says nothing of the desk.
pub(super) async fn tv() -> Response {
    Html(TV).into_response()
}

/// `GET /tv.js`.
pub(super) async fn tv_script() -> Response {
    ([(CONTENT_TYPE, JAVASCRIPT)], TV_SCRIPT).into_response()
}

/// `GET /recordings.css`.
pub(super) async fn recordings_style() -> Response {
    ([(CONTENT_TYPE, CSS)], RECORDINGS_STYLE).into_response()
}

/// `GET /recordings.js`.
pub(super) async fn recordings_script() -> Response {
    ([(CONTENT_TYPE, JAVASCRIPT)], RECORDINGS_SCRIPT).into_response()
}

/// The login page; after a try that failed it says so. It says whether this is a demonstration, whether people
/// have accounts and whether there is an identity provider, and nothing else of the desk.
pub(super) fn login_page(server: &Server, wrong: Wrong) -> Response {
    let demonstration = server.app.hub.read(|views, _, _| views.is_demonstration());
    let accounts = !server.app.people.now().is_empty();
    let sign_on = server.app.sign_on.as_ref();
    // By the address that the provider knows: the way back ends there, and the cookie is that one's.
    let sign_on_at = sign_on.and_then(|it| it.terms.redirect.strip_suffix("/back"));
    let hide = |shown: bool| if shown { "" } else { "hidden" };
    let wait_s = if let Wrong::Wait { s } = wrong { s } else { 0 };
    let (mut page, names) = (LOGIN.to_owned(), Wrong::NAMES);
    for name in names {
        page = page.replace(&format!("{{{{{name}}}}}"), hide(wrong.name() == Some(name)));
    }
    let page = page
        .replace("{{wait_s}}", &wait_s.to_string())
        .replace("{{accounts}}", hide(accounts))
        .replace("{{sign_on}}", hide(sign_on_at.is_some()))
        .replace("{{sign_on_at}}", &attribute(sign_on_at.unwrap_or_default()))
        .replace(
            "{{open}}",
            if (accounts || sign_on.is_some()) && wrong != Wrong::Token { "" } else { "open" },
        )
        .replace("{{demonstration}}", hide(demonstration));
    (wrong.status(), Html(page)).into_response()
}

/// A text as the value of an attribute.
fn attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

/// `GET /login.js`.
pub(super) async fn login_script() -> Response {
    ([(CONTENT_TYPE, JAVASCRIPT)], LOGIN_SCRIPT).into_response()
}

/// `GET /wallboard.css`.
pub(super) async fn style() -> Response {
    ([(CONTENT_TYPE, CSS)], STYLE).into_response()
}

/// `GET /wallboard.js`.
pub(super) async fn script() -> Response {
    ([(CONTENT_TYPE, JAVASCRIPT)], SCRIPT).into_response()
}

/// `GET /wallboard-chart.js`.
pub(super) async fn chart() -> Response {
    ([(CONTENT_TYPE, JAVASCRIPT)], CHART).into_response()
}

/// `GET /wallboard-words.js`.
pub(super) async fn words() -> Response {
    ([(CONTENT_TYPE, JAVASCRIPT)], WORDS).into_response()
}

/// `GET /lib/{name}`: a library of the pages, or its licence.
pub(super) async fn library(Path(name): Path<String>) -> Response {
    match LIBRARIES.iter().find(|(known, ..)| *known == name) {
        Some((_, kind, text)) => ([(CONTENT_TYPE, *kind)], *text).into_response(),
        None => api::not_found().await,
    }
}
