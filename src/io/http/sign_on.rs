//! Signing in by the site's identity provider: the browser goes there and comes back with a code, which is traded
//! on the desk's side. What it leaves behind is our own session, as after a password.

use super::auth::{self, PERSON_COOKIE, TOKEN_COOKIE};
use super::guard::Peer;
use super::login::{self, Wrong};
use super::{BoxFuture, Server, pages};
use crate::event::{DeskEvent, SignedInBy};
use crate::people::SESSION_S;
use crate::people::sign_on::{ATTEMPT_S, Attempt, Claims, Doubt, Terms, WAY_BACK, person};
use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::header::{COOKIE, LOCATION, RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;

/// The cookie of who is on the way to the provider and back.
const ATTEMPT_COOKIE: &str = "madoguchi_sign_on";
/// Longest code that is traded, bytes.
const MOST_CODE: usize = 4_096;
/// Longest error name that is looked at, bytes.
const MOST_ERROR: usize = 64;
const SIGNED_IN: &str = include_str!("../../../web/signed-in.html");

/// The identity provider, and what was agreed with it.
#[derive(Clone)]
pub struct SignOn {
    /// What was agreed.
    pub terms: Arc<Terms>,
    /// Asks it.
    pub provider: Arc<dyn Provider>,
}

/// Asks the identity provider. Each answer comes within half a minute.
pub trait Provider: Send + Sync {
    /// Where a browser is sent.
    fn address(&self, attempt: Attempt) -> BoxFuture<Result<String, ProviderFailure>>;

    /// Trades a code for what the provider says of a person, and judges it. `named` is who the browser's answer says
    /// that it is from (RFC 9207 §2); `now_s` is in seconds since 1970.
    fn claims(
        &self,
        code: String,
        named: Option<String>,
        attempt: Attempt,
        now_s: u64,
    ) -> BoxFuture<Result<Claims, ProviderFailure>>;
}

/// Why the provider's word could not be had. The log has the reason; the page says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderFailure {
    /// It cannot be reached, is too slow, or says too much.
    Away,
    /// It does not take the code.
    Refused,
    /// Its word is not to be believed.
    Doubted(Doubt),
}

/// `GET /login/oidc`: sends the browser to the provider.
pub(super) async fn begin(
    State(server): State<Server>,
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
) -> Response {
    let Some(sign_on) = server.app.sign_on.clone() else {
        return super::api::not_found().await;
    };
    if let Some(wait) = waits(&server, peer.ip()) {
        return wait;
    }
    let mut random = [0; 16];
    if getrandom::fill(&mut random).is_err() {
        return pages::login_page(&server, Wrong::Away);
    }
    let until_s = auth::now_s(&server).saturating_add(ATTEMPT_S);
    let attempt = Attempt::begin(server.app.token.seal().secret(), random, until_s);
    let cookie = attempt_cookie(&sign_on.terms, attempt.ticket(), ATTEMPT_S);
    let address = match sign_on.provider.address(attempt).await {
        Ok(address) => address,
        Err(failure) => return pages::login_page(&server, wrong(failure)),
    };
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    match HeaderValue::from_str(&address) {
        Ok(address) => headers.insert(LOCATION, address),
        Err(_) => return pages::login_page(&server, Wrong::Doubted),
    };
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        headers.append(SET_COOKIE, cookie);
    }
    response
}

/// What the provider sends the browser back with (RFC 6749 §4.1.2). What else is there is passed over.
#[derive(Deserialize)]
pub(super) struct Back {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

/// `GET /login/oidc/back`: the browser comes from the provider.
pub(super) async fn back(
    State(server): State<Server>,
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
    headers: HeaderMap,
    query: Result<Query<Back>, QueryRejection>,
) -> Response {
    let Some(sign_on) = server.app.sign_on.clone() else {
        return super::api::not_found().await;
    };
    let answer = match query {
        Ok(Query(back)) => signed_in(&server, &sign_on, peer.ip(), &headers, back).await,
        // Such as a parameter that stands twice (RFC 6749 §3.1).
        Err(_) => pages::login_page(&server, Wrong::Stale),
    };
    // Each try is for one answer, whatever came of it.
    let gone = attempt_cookie(&sign_on.terms, "", 0);
    let mut answer = answer;
    if let Ok(gone) = HeaderValue::from_str(&gone) {
        answer.headers_mut().append(SET_COOKIE, gone);
    }
    answer
}

async fn signed_in(
    server: &Server,
    sign_on: &SignOn,
    source: std::net::IpAddr,
    headers: &HeaderMap,
    back: Back,
) -> Response {
    let refused = |wrong: Wrong| pages::login_page(server, wrong);
    let now_s = auth::now_s(server);
    let seal = server.app.token.seal();
    let tickets = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let attempt = tickets
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == ATTEMPT_COOKIE)
        .find_map(|(_, ticket)| Attempt::resumed(seal.secret(), ticket, now_s));
    // RFC 6749 §10.12: an answer to what this browser did not ask is nobody's.
    let (Some(attempt), Some(state)) = (attempt, back.state) else { return refused(Wrong::Stale) };
    if !attempt.is_answered_by(&state) {
        return refused(Wrong::Stale);
    }
    if let Some(error) = back.error.filter(|error| error.len() <= MOST_ERROR) {
        // RFC 6749 §4.1.2.1. Whoever does not want to sign in there needs no alarm.
        let denied = error == "access_denied";
        return refused(if denied { Wrong::Denied } else { Wrong::Away });
    }
    let Some(code) = back.code.filter(|code| (1..=MOST_CODE).contains(&code.len())) else {
        return refused(Wrong::Stale);
    };
    // Each code costs the provider and us a question.
    if let Some(wait) = waits(server, source) {
        return wait;
    }
    let claims = match sign_on.provider.claims(code, back.iss, attempt, now_s).await {
        Ok(claims) => claims,
        Err(failure) => {
            if failure != ProviderFailure::Away {
                login::failed(server, source, "");
            }
            return refused(wrong(failure));
        }
    };
    let people = server.app.people.now();
    let person = match person(&claims, &sign_on.terms, &people) {
        Ok(person) => person,
        Err(why) => {
            tracing::warn!(%source, %why, "somebody whom the identity provider knows was not let in");
            return refused(Wrong::NoEntry(why));
        }
    };
    let (who, role) = (person.user.clone(), person.role.name().to_owned());
    let event = DeskEvent::PersonSignedIn { who, role, by: SignedInBy::Provider };
    let mut serial = [0; 8];
    if getrandom::fill(&mut serial).is_err() || !(server.app.note)(event).await {
        return refused(Wrong::Unwritten);
    }
    let until_s = now_s.saturating_add(SESSION_S);
    let session = if sign_on.terms.roles.is_some() {
        seal.seal_given(&person, until_s, serial)
    } else {
        seal.seal(&person, until_s, serial)
    };
    // A page and no redirect: at the end of a chain that another site began, a browser would not send the
    // cookie along, which is for our own pages only (SameSite=Strict).
    let page = SIGNED_IN.replace("{{to}}", login::home(person.role));
    let mut response = Html(page).into_response();
    for cookie in [
        login::cookie(server, PERSON_COOKIE, &session, SESSION_S),
        login::gone(server, TOKEN_COOKIE),
    ] {
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
    response
}

/// The page for a source that must wait.
fn waits(server: &Server, source: std::net::IpAddr) -> Option<Response> {
    let wait_s = login::admitted(server, source, "").err()?.wait_s;
    let mut refused = pages::login_page(server, Wrong::Wait { s: wait_s });
    refused.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait_s));
    Some(refused)
}

fn wrong(failure: ProviderFailure) -> Wrong {
    match failure {
        ProviderFailure::Away => Wrong::Away,
        ProviderFailure::Refused => Wrong::Denied,
        ProviderFailure::Doubted(_) => Wrong::Doubted,
    }
}

/// Comes along when the provider's page leads back here, as no other of our cookies does (`Lax`), and to
/// nowhere else.
fn attempt_cookie(terms: &Terms, ticket: &str, age_s: u64) -> String {
    let secure = if terms.redirect.starts_with("https://") { "; Secure" } else { "" };
    format!(
        "{ATTEMPT_COOKIE}={ticket}; Max-Age={age_s}; Path={WAY_BACK}; HttpOnly; SameSite=Lax{secure}"
    )
}
