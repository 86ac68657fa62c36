//! Who may: the token, as a bearer or in exchange for a cookie.
//!
//! The cookie carries its own end and a MAC under the token, so it needs no table, survives a
//! restart of the daemon (a wall's screen stays logged in), and dies with the token. There is no
//! lock-out after wrong tokens: a token has too many bits to be guessed, and a lock-out would be a
//! stranger's way to shut people out.

use super::{Server, api, pages};
use axum::extract::{Form, Query, Request, State};
use axum::http::header::{
    AUTHORIZATION, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// The session cookie's name.
const COOKIE_NAME: &str = "madoguchi_session";

/// How long a login lasts, seconds: 30 days.
const SESSION_S: u64 = 30 * 24 * 60 * 60;

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
    fn is(&self, presented: &str) -> bool {
        let (ours, theirs) = (Sha256::digest(self.0.as_bytes()), Sha256::digest(presented));
        ours.ct_eq(&theirs).into()
    }

    fn session(&self, until_s: u64) -> String {
        let mac = hmac(self.0.as_bytes(), format!("madoguchi session until {until_s}").as_bytes());
        format!("{until_s}.{}", hex(&mac))
    }

    fn is_session(&self, presented: &str, now_s: u64) -> bool {
        let Some((until, _)) = presented.split_once('.') else { return false };
        let Ok(until_s) = until.parse::<u64>() else { return false };
        let due = self.session(until_s);
        bool::from(due.as_bytes().ct_eq(presented.as_bytes())) && now_s < until_s
    }
}

/// HMAC-SHA-256 (RFC 2104).
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    const BLOCK: usize = 64;
    let mut block = [0_u8; BLOCK];
    let hashed: [u8; 32] = Sha256::digest(key).into();
    let key = if key.len() > BLOCK { &hashed[..] } else { key };
    for (byte, key) in block.iter_mut().zip(key) {
        *byte = *key;
    }
    let pad = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        for half in [byte >> 4, byte & 0xf] {
            text.extend(char::from_digit(u32::from(half), 16));
        }
        text
    })
}

/// By what a request is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    Bearer,
    Cookie,
}

/// How much a token opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// All there is.
    Whole,
    /// Looking, without the numbers and names of the SIP trace.
    Viewer,
}

/// The tokens there are; one that is both opens all.
fn tokens(server: &Server) -> impl Iterator<Item = (&Token, Scope)> {
    let viewer = server.app.viewer.iter().map(|token| (token, Scope::Viewer));
    std::iter::once((&server.app.token, Scope::Whole)).chain(viewer)
}

fn proof(headers: &HeaderMap, server: &Server) -> Option<(Proof, Scope)> {
    tokens(server).find_map(|(token, scope)| Some((proof_by(token, headers, server)?, scope)))
}

fn proof_by(token: &Token, headers: &HeaderMap, server: &Server) -> Option<Proof> {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    // The scheme's case does not matter (RFC 9110 §11.1).
    if let Some((scheme, presented)) = bearer.and_then(|value| value.split_once(' '))
        && scheme.eq_ignore_ascii_case("bearer")
    {
        return token.is(presented.trim()).then_some(Proof::Bearer);
    }
    let now_s = u64::try_from(server.app.hub.now().wall.0 / 1000).unwrap_or(0);
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .any(|(name, value)| name == COOKIE_NAME && token.is_session(value, now_s))
        .then_some(Proof::Cookie)
}

/// Whether the request comes with the token, by whichever way.
pub(super) fn is_known(headers: &HeaderMap, server: &Server) -> bool {
    proof(headers, server).is_some()
}

/// Lets through who may, and from a browser only what its own page sent.
pub(super) async fn authorize(
    State(server): State<Server>,
    request: Request,
    next: Next,
) -> Response {
    let Some((proof, scope)) = proof(request.headers(), &server) else {
        let mut refused = api::error(
            StatusCode::UNAUTHORIZED,
            "the token is due, as `Authorization: Bearer …` or by a login at /",
        );
        refused.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return refused;
    };
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && proof == Proof::Cookie && !is_own_page(request.headers()) {
        return api::error(
            StatusCode::FORBIDDEN,
            "a change by cookie must come from our own page, with the header X-Madoguchi",
        );
    }
    if scope == Scope::Viewer {
        let leaves = request.uri().path() == "/logout";
        if changes && !leaves {
            return api::error(
                StatusCode::FORBIDDEN,
                "this token is for looking; due is the desk's",
            );
        }
        if is_recording(request.uri()) {
            tracing::warn!("somebody with the viewers' token asked for a recording: refused");
            return api::error(
                StatusCode::FORBIDDEN,
                "this token fetches no recordings; due is the desk's",
            );
        }
        if reveals(request.uri()) {
            tracing::warn!(
                "somebody with the viewers' token asked the SIP trace for numbers: refused"
            );
            return api::error(
                StatusCode::FORBIDDEN,
                "this token shows no numbers and names of the SIP trace; due is the desk's",
            );
        }
    }
    next.run(request).await
}

/// Whether it is a recording that is asked for.
fn is_recording(uri: &Uri) -> bool {
    uri.path().split('/').any(|part| part == "recordings")
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
fn is_own_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    match (text(ORIGIN), text(HOST)) {
        (None, _) => true,
        (Some(origin), Some(host)) => {
            origin.split_once("://").is_some_and(|(_, from)| from.eq_ignore_ascii_case(host))
        }
        (Some(_), None) => false,
    }
}

#[derive(serde::Deserialize)]
pub(super) struct Login {
    token: String,
}

/// `POST /login`: the token for a cookie.
pub(super) async fn login(
    State(server): State<Server>,
    headers: HeaderMap,
    form: Result<Form<Login>, axum::extract::rejection::FormRejection>,
) -> Response {
    let Ok(Form(login)) = form else {
        return api::error(StatusCode::BAD_REQUEST, "a form with the field `token` is due");
    };
    if !is_own_origin(&headers) {
        return api::error(StatusCode::FORBIDDEN, "a login must come from our own page");
    }
    let known = tokens(&server).map(|(token, _)| token).find(|token| token.is(login.token.trim()));
    let Some(token) = known else { return pages::login_page(&server, true) };
    let now_s = u64::try_from(server.app.hub.now().wall.0 / 1000).unwrap_or(0);
    let session = token.session(now_s.saturating_add(SESSION_S));
    let age = SESSION_S.to_string();
    see_other(&format!("{COOKIE_NAME}={session}; Max-Age={age}; {COOKIE_RULES}"))
}

/// No script reads it and no other site's page sends it along.
const COOKIE_RULES: &str = "Path=/; HttpOnly; SameSite=Strict";

/// `POST /logout`: takes the cookie back.
pub(super) async fn logout() -> Response {
    see_other(&format!("{COOKIE_NAME}=; Max-Age=0; {COOKIE_RULES}"))
}

fn see_other(cookie: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_static("/"));
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        headers.insert(SET_COOKIE, cookie);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::{Token, WeakToken, hex, hmac, is_own_page};
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    /// RFC 4231 §4.2, §4.3, §4.7.
    #[test]
    fn hmac_agrees_with_the_published_vectors() {
        let table: [(&[u8], &[u8], &str); 3] = [
            (
                &[0x0b; 20],
                b"Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ];
        for (key, message, due) in table {
            assert_eq!(hex(&hmac(key, message)), due);
        }
    }

    #[test]
    fn a_session_ends_and_cannot_be_stretched() {
        let token = Token::new("  0123456789abcdef\n").expect("long enough");
        assert!(token.is("0123456789abcdef"));
        assert!(!token.is("0123456789abcdeg") && !token.is("") && !token.is("0123456789abcde"));
        let session = token.session(1_000);
        assert!(token.is_session(&session, 999));
        assert!(!token.is_session(&session, 1_000));
        let stretched = session.replacen("1000", "9000", 1);
        for forged in [stretched.as_str(), "", ".", "1000", "1000.", "1000.00", "x.y"] {
            assert!(!token.is_session(forged, 999), "{forged}");
        }
        let other = Token::new("fedcba9876543210").expect("long enough");
        assert!(!other.is_session(&session, 999), "a new token ends all sessions");
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
