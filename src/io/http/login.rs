//! Logins: a person's name and password, or a token, for a cookie; who one is; leaving.
//!
//! A password takes tens of milliseconds and 19 MiB to judge, so it is done beside everything else, two at once,
//! and a source that guesses waits (`people::Throttle`).

use super::auth::{self, PERSON_COOKIE, TOKEN_COOKIE};
use super::guard::Peer;
use super::who::Who;
use super::{Server, about, api, pages};
use crate::base::Wall;
use crate::event::{DeskEvent, SignedInBy};
use crate::people::sign_on::NoEntry;
use crate::people::{PasswordHash, Person, Role, SESSION_S, Throttle, TooMany};
use crate::view::SignedOut;
use axum::Json;
use axum::extract::{ConnectInfo, Extension, Form, State};
use axum::http::header::{LOCATION, RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// How long a login with a token lasts, seconds: 30 days.
const TOKEN_SESSION_S: u64 = 30 * 24 * 60 * 60;
/// Passwords judged at once; two cores of a small machine are not all lent to strangers.
const AT_ONCE: usize = 2;
/// Logins that wait for that; one more is refused with 503.
const MOST_WAITING: usize = 32;

/// What logins share.
#[derive(Clone)]
pub(super) struct Desk {
    throttle: Arc<Mutex<Throttle>>,
    judging: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// Sessions that were ended since the start: they are over before the history is heard of again, and also when
    /// it could not be written to.
    ended: Arc<Mutex<SignedOut>>,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self {
            throttle: Arc::default(),
            judging: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::new(Semaphore::new(MOST_WAITING)),
            ended: Arc::default(),
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    password: Option<String>,
}

/// `POST /login`: a token, or user and password, for a cookie.
pub(super) async fn login(
    State(server): State<Server>,
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
    headers: HeaderMap,
    form: Result<Form<Login>, axum::extract::rejection::FormRejection>,
) -> Response {
    let due = "a form with `user` and `password`, or with `token`, is due";
    let Ok(Form(login)) = form else { return api::error(StatusCode::BAD_REQUEST, due) };
    if !auth::is_own_origin(&headers) {
        return api::error(StatusCode::FORBIDDEN, "a login must come from our own page");
    }
    let now_s = auth::now_s(&server);
    match (login.token, login.user, login.password) {
        (Some(token), None, None) => {
            let known = auth::tokens(&server).find(|(known, _)| known.is(token.trim()));
            let Some((token, _)) = known else { return pages::login_page(&server, Wrong::Token) };
            let session = token.session(now_s.saturating_add(TOKEN_SESSION_S));
            see_other(
                "/",
                &[
                    cookie(&server, TOKEN_COOKIE, &session, TOKEN_SESSION_S),
                    gone(&server, PERSON_COOKIE),
                ],
            )
        }
        (None, Some(user), Some(password)) => {
            let person = match judged(&server, peer.ip(), &user, password).await {
                Ok(person) => person,
                Err(refused) => return refused,
            };
            let (who, role) = (person.user.clone(), person.role.name().to_owned());
            let event = DeskEvent::PersonSignedIn { who, role, by: SignedInBy::Password };
            let mut serial = [0; 8];
            if getrandom::fill(&mut serial).is_err() || !(server.app.note)(event).await {
                return api::error(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the history cannot be written to now",
                );
            }
            let seal = server.app.token.seal();
            let session = seal.seal(&person, now_s.saturating_add(SESSION_S), serial);
            see_other(
                home(person.role),
                &[cookie(&server, PERSON_COOKIE, &session, SESSION_S), gone(&server, TOKEN_COOKIE)],
            )
        }
        _ => api::error(StatusCode::BAD_REQUEST, due),
    }
}

/// Where somebody begins.
pub(super) fn home(role: Role) -> &'static str {
    match role {
        Role::Agent => "/panel",
        Role::Supervisor | Role::Admin => "/supervisor",
        Role::Wall | Role::Viewer => "/",
    }
}

/// What the login page says of the last try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    Nothing,
    Token,
    Password,
    Wait {
        s: u64,
    },
    /// The identity provider does not answer.
    Away,
    /// It did not let them in.
    Denied,
    /// Its word is not to be believed.
    Doubted,
    /// Not begun here, or too long ago.
    Stale,
    /// It let them in, and we do not.
    NoEntry(NoEntry),
    /// Nobody comes in without a line in the history.
    Unwritten,
}

impl Wrong {
    /// The places of the login page of which one is shown.
    pub(super) const NAMES: [&'static str; 11] = [
        "token_wrong",
        "password_wrong",
        "wait",
        "away",
        "denied",
        "doubted",
        "stale",
        "no_role",
        "no_line",
        "no_user",
        "unwritten",
    ];

    /// Its place on the page.
    pub(super) const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Nothing => return None,
            Self::Token => "token_wrong",
            Self::Password => "password_wrong",
            Self::Wait { .. } => "wait",
            Self::Away => "away",
            Self::Denied => "denied",
            Self::Doubted => "doubted",
            Self::Stale => "stale",
            Self::NoEntry(NoEntry::NoRole) => "no_role",
            Self::NoEntry(NoEntry::NoLine) => "no_line",
            Self::NoEntry(
                NoEntry::NoUser | NoEntry::OtherDomain | NoEntry::Unverified | NoEntry::Clash,
            ) => "no_user",
            Self::Unwritten => "unwritten",
        })
    }

    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::Nothing => StatusCode::OK,
            Self::Token | Self::Password | Self::Denied => StatusCode::UNAUTHORIZED,
            Self::Wait { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Away | Self::Doubted => StatusCode::BAD_GATEWAY,
            Self::Stale => StatusCode::BAD_REQUEST,
            Self::NoEntry(_) => StatusCode::FORBIDDEN,
            Self::Unwritten => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// Whether a try from there at this user is looked at now; nobody's name stands for the identity provider.
///
/// # Errors
///
/// [`TooMany`] while it must wait.
pub(super) fn admitted(
    server: &Server,
    source: std::net::IpAddr,
    user: &str,
) -> Result<(), TooMany> {
    let now = server.app.hub.now().mono;
    throttle(&server.logins, |throttle| throttle.admit(source, user, now))
}

/// A try from there at this user failed.
pub(super) fn failed(server: &Server, source: std::net::IpAddr, user: &str) {
    let now = server.app.hub.now().mono;
    throttle(&server.logins, |throttle| throttle.failed(source, user, now));
}

/// Whether a session was ended before its time.
pub(super) fn is_ended(server: &Server, user: &str, session: &str, until: Wall) -> bool {
    let ended = server.logins.ended.lock().unwrap_or_else(PoisonError::into_inner);
    ended.holds(user, session, until)
        || server.app.hub.read(|views, _, _| views.signed_out().holds(user, session, until))
}

/// The person, when it is the right password.
async fn judged(
    server: &Server,
    source: std::net::IpAddr,
    user: &str,
    password: String,
) -> Result<Person, Response> {
    let desk = &server.logins;
    let busy = || api::error(StatusCode::SERVICE_UNAVAILABLE, "too many logins at once; try again");
    let _queued = desk.waiting.clone().try_acquire_owned().map_err(|_| busy())?;
    let place = desk.judging.clone().acquire_owned().await.map_err(|_| busy())?;
    // Behind the wait: who sent many at once has failed by now.
    let now = server.app.hub.now().mono;
    let admitted = throttle(desk, |throttle| throttle.admit(source, user, now));
    if let Err(TooMany { wait_s }) = admitted {
        let mut refused = pages::login_page(server, Wrong::Wait { s: wait_s });
        refused.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait_s));
        return Err(refused);
    }
    let person = server.app.people.now().get(user).cloned();
    let hash = person.as_ref().and_then(|person| person.password.clone());
    let right = tokio::task::spawn_blocking(move || {
        let _place = place;
        match hash {
            Some(hash) => hash.is(&password),
            None => {
                PasswordHash::pretend(&password);
                false
            }
        }
    });
    // Awaited for who does not exist, too: the time tells nothing.
    let is_right = right.await.unwrap_or(false);
    match person {
        Some(person) if is_right => {
            throttle(desk, |throttle| throttle.succeeded(source, user));
            Ok(person)
        }
        Some(_) | None => {
            throttle(desk, |throttle| throttle.failed(source, user, now));
            // What was typed may be a password in the wrong field: it is not shown.
            tracing::warn!(%source, "a login with a wrong name or password was refused");
            Err(pages::login_page(server, Wrong::Password))
        }
    }
}

fn throttle<T>(desk: &Desk, what: impl FnOnce(&mut Throttle) -> T) -> T {
    what(&mut desk.throttle.lock().unwrap_or_else(PoisonError::into_inner))
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Me<'a> {
    /// `token` for who came with one of the desk's tokens.
    user: &'a str,
    name: Option<&'a str>,
    #[schemars(schema_with = "about::role")]
    role: &'static str,
    extension: Option<&'a str>,
}

/// `GET /api/v1/me`: who one is here, and what one may.
pub(super) async fn me(Extension(who): Extension<Who>) -> Response {
    Json(Me {
        user: who.user(),
        name: who.person.as_ref().map(|(_, name)| name.as_str()),
        role: who.role.name(),
        extension: who.extension.as_ref().map(crate::base::AgentId::as_str),
    })
    .into_response()
}

/// `POST /logout`: takes the cookies back, and ends their sessions here: copies of them open nothing.
pub(super) async fn logout(State(server): State<Server>, headers: HeaderMap) -> Response {
    for session in auth::sessions(&headers, &server) {
        let who = session.who.user().to_owned();
        let now = server.app.hub.now().wall;
        {
            let mut ended = server.logins.ended.lock().unwrap_or_else(PoisonError::into_inner);
            ended.end(&who, &session.id, session.until, now);
        }
        let (session, until) = (Some(session.id), Some(session.until));
        let event = DeskEvent::PersonSignedOut { who, session, until };
        // Leaving works even when it cannot be written down; until a restart, then.
        let _ = (server.app.note)(event).await;
    }
    see_other("/", &[gone(&server, PERSON_COOKIE), gone(&server, TOKEN_COOKIE)])
}

/// No script reads it, no other site's page sends it along, and under TLS it goes over nothing else.
pub(super) fn cookie(server: &Server, name: &str, value: &str, age_s: u64) -> String {
    let secure = if server.app.secure { "; Secure" } else { "" };
    format!("{name}={value}; Max-Age={age_s}; Path=/; HttpOnly; SameSite=Strict{secure}")
}

pub(super) fn gone(server: &Server, name: &str) -> String {
    cookie(server, name, "", 0)
}

fn see_other(to: &'static str, cookies: &[String]) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_static(to));
    for cookie in cookies {
        if let Ok(cookie) = HeaderValue::from_str(cookie) {
            headers.append(SET_COOKIE, cookie);
        }
    }
    response
}
