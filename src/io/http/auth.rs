//! Who may: a token as a bearer or in exchange for a cookie, a person's login; and what each may ask for.
//!
//! Cookies carry their own end and a MAC, so they need no table and survive a restart of the daemon (a wall's
//! screen stays logged in); they die with the token, a person's also with the password. Those that were ended
//! before their time are remembered (`view::SignedOut`). There is no lock-out
//! after wrong tokens: a token has too many bits to be guessed. Passwords are another matter: `login`.

use super::routes::{self, Own, Right};
use super::who::{Forbidden, Who};
use super::{Server, api, login};
use crate::base::{AgentId, CallId, Wall};
use crate::event::DeskEvent;
use crate::people::{Role, Seal, mac, session_id};
use axum::extract::{FromRequestParts as _, MatchedPath, Query, RawPathParams, Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// The cookie of who signed in with a token.
pub(super) const TOKEN_COOKIE: &str = "madoguchi_session";
/// A person's.
pub(super) const PERSON_COOKIE: &str = "madoguchi_person";

/// Fewest characters of a token.
const TOKEN_LEAST: usize = 16;

/// A request that changes something and is allowed by its cookie must carry this header: a page of
/// another origin cannot send it without asking first, and is never told yes.
const CHANGE_HEADER: &str = "x-madoguchi";

/// The secret that opens the API.
#[derive(Clone)]
pub struct Token(Arc<str>);

/// The token is too short to keep anybody out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the HTTP token has {found} characters; due are at least {TOKEN_LEAST}")]
pub struct WeakToken {
    /// Characters found.
    pub found: usize,
}

impl Token {
    /// Takes the token; white space around it is not part of it.
    ///
    /// # Errors
    ///
    /// [`WeakToken`] below sixteen characters.
    pub fn new(token: &str) -> Result<Self, WeakToken> {
        let token = token.trim();
        let found = token.chars().count();
        if found < TOKEN_LEAST {
            return Err(WeakToken { found });
        }
        Ok(Self(token.into()))
    }

    /// Takes the same time whatever is presented.
    pub(super) fn is(&self, presented: &str) -> bool {
        let (ours, theirs) = (Sha256::digest(self.0.as_bytes()), Sha256::digest(presented));
        ours.ct_eq(&theirs).into()
    }

    pub(super) fn session(&self, until_s: u64) -> String {
        let mac = mac(self.0.as_bytes(), &format!("madoguchi session until {until_s}"));
        format!("{until_s}.{mac}")
    }

    /// Seals people's sessions: they end with the desk's token.
    pub(super) fn seal(&self) -> Seal {
        Seal::new(self.0.as_bytes())
    }

    /// When a session ends, seconds since 1970; none when it is not ours, or over.
    fn opens(&self, presented: &str, now_s: u64) -> Option<u64> {
        let until_s = presented.split_once('.')?.0.parse::<u64>().ok()?;
        let due = self.session(until_s);
        let same = bool::from(due.as_bytes().ct_eq(presented.as_bytes()));
        (same && now_s < until_s).then_some(until_s)
    }
}

/// By what a request is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    Bearer,
    Cookie,
}

/// The tokens there are, and what each opens; one that is two of them opens the more.
pub(super) fn tokens(server: &Server) -> impl Iterator<Item = (&Token, Role)> {
    let viewer = server.app.viewer.iter().map(|token| (token, Role::Viewer));
    let wall = server.app.wall.iter().map(|token| (token, Role::Wall));
    std::iter::once((&server.app.token, Role::Admin)).chain(viewer).chain(wall)
}

/// Who asks, and by what it is proved.
fn proof(headers: &HeaderMap, server: &Server) -> Option<(Proof, Who)> {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    // The scheme's case does not matter (RFC 9110 §11.1).
    if let Some((scheme, presented)) = bearer.and_then(|value| value.split_once(' '))
        && scheme.eq_ignore_ascii_case("bearer")
    {
        let known = tokens(server).find(|(token, _)| token.is(presented.trim()));
        return known.map(|(_, role)| (Proof::Bearer, Who::by_token(role)));
    }
    // A person goes before the token that the same browser once had: it is who works there now.
    let known = sessions(headers, server).max_by_key(|session| session.who.person.is_some());
    known.map(|session| (Proof::Cookie, session.who))
}

/// A session that a browser's cookie holds, and that is not over.
pub(super) struct Session {
    /// Whose.
    pub(super) who: Who,
    /// By what it is known when it is ended.
    pub(super) id: String,
    /// When it ends by itself.
    pub(super) until: Wall,
}

/// All sessions of a browser's cookies.
pub(super) fn sessions(headers: &HeaderMap, server: &Server) -> impl Iterator<Item = Session> {
    let now_s = now_s(server);
    let people = server.app.people.now();
    let seal = server.app.token.seal();
    let of_cookie = move |(name, value): (&str, &str)| {
        let (who, until_s) = match name {
            PERSON_COOKIE => {
                let session = seal.open(value, &people, now_s)?;
                (Who::person(&session.person), session.until_s)
            }
            TOKEN_COOKIE => {
                let mut opened = tokens(server)
                    .filter_map(|(token, role)| Some((role, token.opens(value, now_s)?)));
                let (role, until_s) = opened.next()?;
                (Who::by_token(role), until_s)
            }
            _ => return None,
        };
        let until = Wall(i64::try_from(until_s).ok()?.checked_mul(1_000)?);
        let id = session_id(value);
        let ended = login::is_ended(server, who.user(), &id, until);
        (!ended).then_some(Session { who, id, until })
    };
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter_map(of_cookie)
}

pub(super) fn now_s(server: &Server) -> u64 {
    u64::try_from(server.app.hub.now().wall.0 / 1000).unwrap_or(0)
}

/// Who asks for a page, by whichever way.
pub(super) fn known(headers: &HeaderMap, server: &Server) -> Option<Who> {
    proof(headers, server).map(|(_, who)| who)
}

/// Lets through who may, and from a browser only what its own page sent; what changes something, and what
/// is not for everybody, is written into the history first.
pub(super) async fn authorize(
    State(server): State<Server>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let Some((proof, who)) = proof(&parts.headers, &server) else {
        let mut refused = api::error(
            StatusCode::UNAUTHORIZED,
            "a login at / is due, or a token as `Authorization: Bearer …`",
        );
        refused.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return refused;
    };
    let changes = !matches!(parts.method, Method::GET | Method::HEAD);
    if changes && proof == Proof::Cookie && !is_own_page(&parts.headers) {
        return api::error(
            StatusCode::FORBIDDEN,
            "a change by cookie must come from our own page, with the header X-Madoguchi",
        );
    }
    let matched = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
    let Some(right) = matched.and_then(|path| routes::right(&parts.method, path)) else {
        // A method that no route has is axum's to refuse.
        return next.run(Request::from_parts(parts, body)).await;
    };
    let params = RawPathParams::from_request_parts(&mut parts, &()).await.ok();
    let leave = Leave::of(&parts.headers, right, params, reveals(&parts.uri));
    if let Err(why) = leave.allows(&server, &who) {
        // As the router has it: what was asked for may be a caller's number.
        let (user, role, path) = (who.user(), who.role, right.path);
        tracing::warn!(user, %role, path, "somebody asked for what the role does not allow: refused");
        return why.into_response();
    }
    let reveals = leave.reveals;
    if !leave.may_reveal(&who) {
        let (user, role) = (who.user(), who.role);
        tracing::warn!(user, %role, "somebody asked the SIP trace for numbers: refused");
        return api::error(
            StatusCode::FORBIDDEN,
            format!("a {role} sees no numbers and names of the SIP trace; due is a supervisor"),
        );
    }
    let leaves = right.path == "/logout";
    if (changes && !leaves) || reveals || right.own == Own::Message {
        let query = if reveals { "?reveal=numbers" } else { "" };
        let what = format!("{} {}{query}", parts.method, parts.uri.path());
        let what = what.chars().take(ORDER_BOUND).collect();
        let (who, role) = (who.user().to_owned(), who.role.name().to_owned());
        if !(server.app.note)(DeskEvent::Ordered { who, role, what }).await {
            return api::error(
                StatusCode::SERVICE_UNAVAILABLE,
                "the history cannot be written to now, and nothing is ordered without a line in it",
            );
        }
    }
    parts.extensions.insert(who);
    parts.extensions.insert(Arc::new(leave));
    next.run(Request::from_parts(parts, body)).await
}

/// By what a request was let through, for an answer that goes on: whether it still holds is asked again.
pub(super) struct Leave {
    /// Those that prove who asks.
    proof: HeaderMap,
    right: Right,
    params: Option<RawPathParams>,
    /// Whether more than pseudonyms was asked for.
    reveals: bool,
}

impl Leave {
    fn of(headers: &HeaderMap, right: Right, params: Option<RawPathParams>, reveals: bool) -> Self {
        let mut proof = HeaderMap::new();
        for name in [AUTHORIZATION, COOKIE] {
            for value in headers.get_all(&name) {
                proof.append(name.clone(), value.clone());
            }
        }
        Self { proof, right, params, reveals }
    }

    /// Whether who asked is still known, and still may: an account, a role or a login may be another by now.
    pub(super) fn holds(&self, server: &Server) -> bool {
        known(&self.proof, server)
            .is_some_and(|who| self.allows(server, &who).is_ok() && self.may_reveal(&who))
    }

    fn allows(&self, server: &Server, who: &Who) -> Result<(), Forbidden> {
        allowed(server, who, self.right, self.params.as_ref())
    }

    fn may_reveal(&self, who: &Who) -> bool {
        !self.reveals || who.role >= Role::Supervisor
    }
}

/// Longest method and path that the history keeps, characters.
const ORDER_BOUND: usize = 200;

/// Whether the role may, and whether what is named is an agent's own.
fn allowed(
    server: &Server,
    who: &Who,
    right: Right,
    params: Option<&RawPathParams>,
) -> Result<(), Forbidden> {
    let forbidden = |why: &'static str| Err(Forbidden(why.into()));
    if who.role < right.least {
        let why = format!("a {} may not; due is a role of {} or more", who.role, right.least);
        return Err(Forbidden(why.into()));
    }
    if who.role > Role::Agent {
        return Ok(());
    }
    let param = |name: &str| {
        let found = params?.iter().find(|(key, _)| *key == name)?;
        Some(found.1)
    };
    let call = || param("id")?.parse::<uuid::Uuid>().ok().map(CallId);
    match right.own {
        Own::Any | Own::Body => Ok(()),
        Own::Line => who.may_act_for(&AgentId::from(param("extension").unwrap_or_default())),
        Own::Call => {
            let with = call().and_then(|call| {
                server.app.hub.read(|views, _, _| views.talks_with(call).cloned())
            });
            match with {
                Some(agent) if who.extension.as_ref() == Some(&agent) => Ok(()),
                Some(_) | None => forbidden(
                    "the caller is not with you now: an agent orders about the own call only",
                ),
            }
        }
        Own::Message => {
            let number = param("number").and_then(|number| number.parse().ok());
            let is =
                |(call, number)| server.app.hub.read(|views, _, _| views.is_message(call, number));
            if call().zip(number).is_some_and(is) {
                return Ok(());
            }
            forbidden("an agent fetches voice messages only; recordings are a supervisor's")
        }
    }
}

/// Whether the query asks for more than pseudonyms, however it is spelt.
fn reveals(uri: &Uri) -> bool {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri);
    pairs.is_ok_and(|Query(pairs)| {
        pairs.iter().any(|(name, value)| name == "reveal" && value != "nothing")
    })
}

/// The header that only our page can send, and no other page's origin.
fn is_own_page(headers: &HeaderMap) -> bool {
    headers.contains_key(CHANGE_HEADER) && is_own_origin(headers)
}

/// Browsers name the origin of every request that may change something.
pub(super) fn is_own_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    match (text(ORIGIN), text(HOST)) {
        (None, _) => true,
        (Some(origin), Some(host)) => {
            origin.split_once("://").is_some_and(|(_, from)| from.eq_ignore_ascii_case(host))
        }
        (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Token, WeakToken, is_own_page};
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    #[test]
    fn a_session_ends_and_cannot_be_stretched() {
        let token = Token::new("  0123456789abcdef\n").expect("long enough");
        assert!(token.is("0123456789abcdef"));
        assert!(!token.is("0123456789abcdeg") && !token.is("") && !token.is("0123456789abcde"));
        let session = token.session(1_000);
        assert_eq!(token.opens(&session, 999), Some(1_000));
        assert_eq!(token.opens(&session, 1_000), None);
        let stretched = session.replacen("1000", "9000", 1);
        for forged in [stretched.as_str(), "", ".", "1000", "1000.", "1000.00", "x.y"] {
            assert_eq!(token.opens(forged, 999), None, "{forged}");
        }
        let other = Token::new("fedcba9876543210").expect("long enough");
        assert_eq!(other.opens(&session, 999), None, "a new token ends all sessions");
        assert_eq!(Token::new("short").err(), Some(WeakToken { found: 5 }));
    }

    #[test]
    fn only_our_own_page_may_change_something_by_cookie() {
        let table: [(&[(&str, &str)], bool); 6] = [
            (&[("x-madoguchi", "1")], true),
            (
                &[
                    ("x-madoguchi", "1"),
                    ("origin", "http://127.0.0.1:8080"),
                    ("host", "127.0.0.1:8080"),
                ],
                true,
            ),
            (
                &[
                    ("x-madoguchi", "1"),
                    ("origin", "http://evil.example"),
                    ("host", "127.0.0.1:8080"),
                ],
                false,
            ),
            (&[("x-madoguchi", "1"), ("origin", "null"), ("host", "127.0.0.1:8080")], false),
            (&[("x-madoguchi", "1"), ("origin", "http://127.0.0.1:8080")], false),
            (&[("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")], false),
        ];
        for (headers, due) in table {
            let map: HeaderMap = headers
                .iter()
                .map(|(name, value)| {
                    (HeaderName::from_static(name), HeaderValue::from_static(value))
                })
                .collect();
            assert_eq!(is_own_page(&map), due, "{headers:?}");
        }
    }
}
