//! The pages, inside the program: they need no file, no other server, no internet.

use super::{Server, api, auth};
use axum::extract::{Path, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
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
    if auth::is_known(&headers, &server) {
        Html(WALLBOARD).into_response()
    } else {
        login_page(&server, false)
    }
}

/// `GET /recordings`: the list of recordings, or the login page for who is not known. What it shows it asks
/// of the API, under the API's rules.
pub(super) async fn recordings(State(server): State<Server>, headers: HeaderMap) -> Response {
    if auth::is_known(&headers, &server) {
        Html(RECORDINGS).into_response()
    } else {
        login_page(&server, false)
    }
}

/// `GET /recordings.css`.
pub(super) async fn recordings_style() -> Response {
    ([(CONTENT_TYPE, CSS)], RECORDINGS_STYLE).into_response()
}

/// `GET /recordings.js`.
pub(super) async fn recordings_script() -> Response {
    ([(CONTENT_TYPE, JAVASCRIPT)], RECORDINGS_SCRIPT).into_response()
}

/// The login page; after a wrong token it says so. It says whether this is a demonstration, and
/// nothing else of the desk.
pub(super) fn login_page(server: &Server, wrong: bool) -> Response {
    let demonstration = server.app.hub.read(|views, _, _| views.is_demonstration());
    let hide = |shown: bool| if shown { "" } else { "hidden" };
    let page =
        LOGIN.replace("{{wrong}}", hide(wrong)).replace("{{demonstration}}", hide(demonstration));
    let status = if wrong { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    (status, Html(page)).into_response()
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
