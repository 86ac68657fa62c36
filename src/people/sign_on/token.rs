//! The provider's keys and its ID token: whether it is the provider's word, to us, about this login, and holds
//! now (`OpenID` Connect Core 1.0 §3.1.3.7).

use super::attempt::Attempt;
use super::{Doubt, Terms, signature};
use crate::people::session::same;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{DecodingKey, Header, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Keys of one set that are looked at.
const MOST_KEYS: usize = 64;
/// Keys that are tried at one token that names none.
const MOST_TRIES: usize = 8;
/// Longest ID token, bytes.
pub const MOST_TOKEN: usize = 64 << 10;
/// How far the provider's clock may be from ours, seconds.
pub(super) const LEEWAY_S: u64 = 60;
/// Longest subject (Core §2).
const MOST_SUBJECT: usize = 255;

/// What the provider says of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims(pub(super) Map<String, Value>);

/// A provider's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys(Vec<Jwk>);

impl Keys {
    /// Reads a key set (RFC 7517 §5). Keys of kinds that we do not know are passed over.
    ///
    /// # Errors
    ///
    /// [`Doubt::NoKeys`] when nothing is left.
    pub fn read(body: &[u8]) -> Result<Self, Doubt> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let set: Set = serde_json::from_slice(body).map_err(|_| Doubt::NoKeys)?;
        let keys = set.keys.into_iter().take(MOST_KEYS);
        let keys = keys.filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        let keys: Vec<Jwk> = keys
            .filter(|key| matches!(key.common.public_key_use, None | Some(PublicKeyUse::Signature)))
            .collect();
        if keys.is_empty() { Err(Doubt::NoKeys) } else { Ok(Self(keys)) }
    }

    /// Those by which a token with this header may be signed.
    fn fitting(&self, header: &Header) -> impl Iterator<Item = &Jwk> {
        let (kid, algorithm) = (header.kid.clone(), KeyAlgorithm::from(header.alg));
        let fits = move |key: &&Jwk| {
            let same_id = kid.is_none() || key.common.key_id == kid;
            same_id && key.common.key_algorithm.is_none_or(|named| named == algorithm)
        };
        self.0.iter().filter(fits).take(MOST_TRIES)
    }

    /// What an ID token says, when it can be believed. `now_s` is in seconds since 1970.
    ///
    /// # Errors
    ///
    /// [`Doubt`]. At [`Doubt::UnknownKey`] the provider may have new keys.
    pub fn believe(
        &self,
        token: &str,
        attempt: &Attempt,
        terms: &Terms,
        now_s: u64,
    ) -> Result<Claims, Doubt> {
        if token.len() > MOST_TOKEN {
            return Err(Doubt::Form);
        }
        let header = decode_header(token).map_err(|_| Doubt::Form)?;
        if !signature::TAKEN.contains(&header.alg) {
            return Err(Doubt::Form);
        }
        signature::install();
        let mut validation = Validation::new(header.alg);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[&terms.issuer]);
        validation.set_audience(&[&terms.client_id]);
        // By a time that is handed in, below.
        validation.validate_exp = false;
        let mut found = Doubt::UnknownKey;
        for key in self.fitting(&header) {
            let Ok(key) = DecodingKey::from_jwk(key) else { continue };
            match decode::<Map<String, Value>>(token, &key, &validation) {
                Ok(token) => return judge(token.claims, attempt, terms, now_s).map(Claims),
                Err(error) => {
                    found = match error.kind() {
                        ErrorKind::InvalidIssuer => return Err(Doubt::Issuer),
                        ErrorKind::InvalidAudience => return Err(Doubt::Audience),
                        ErrorKind::MissingRequiredClaim(_) | ErrorKind::Json(_) => {
                            return Err(Doubt::Form);
                        }
                        // Another key of the set may be the right one.
                        _ => Doubt::Signature,
                    };
                }
            }
        }
        // Without a key id, the one that signed may be new.
        let nameless = header.kid.is_none() && found == Doubt::Signature;
        Err(if nameless { Doubt::UnknownKey } else { found })
    }
}

/// What is left of Core §3.1.3.7 when the signature is the provider's. The crate has looked at issuer and
/// audience; they are looked at again here, by the text's own form.
fn judge(
    claims: Map<String, Value>,
    attempt: &Attempt,
    terms: &Terms,
    now_s: u64,
) -> Result<Map<String, Value>, Doubt> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(terms.issuer.as_str()) {
        return Err(Doubt::Issuer);
    }
    let ours = Some(terms.client_id.as_str());
    let (is_ours, several) = match claims.get("aud") {
        Some(Value::String(one)) => (Some(one.as_str()) == ours, false),
        Some(Value::Array(all)) => (all.iter().any(|one| one.as_str() == ours), all.len() > 1),
        _ => (false, false),
    };
    // 4 and 5: who it was issued to must be named when it is for several, and be us whenever it is named.
    let issued_to = claims.get("azp").map(Value::as_str);
    if !is_ours || issued_to.is_some_and(|to| to != ours) || several && issued_to.is_none() {
        return Err(Doubt::Audience);
    }
    // Seconds, perhaps with a fraction (RFC 7519 §2, NumericDate).
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "`as` saturates"
        )]
        Some(value) => value
            .as_u64()
            .or_else(|| value.as_f64().map(|seconds| seconds as u64))
            .map(Some)
            .ok_or(Doubt::Time),
    };
    let latest = now_s.saturating_add(LEEWAY_S);
    let over = time("exp")?.is_none_or(|end| end.saturating_add(LEEWAY_S) <= now_s);
    let early = time("nbf")?.is_some_and(|from| from > latest);
    if over || early || time("iat")?.is_none_or(|at| at > latest) {
        return Err(Doubt::Time);
    }
    if !text("nonce").is_some_and(|nonce| same(nonce, attempt.nonce())) {
        return Err(Doubt::Nonce);
    }
    if !text("sub").is_some_and(|sub| (1..=MOST_SUBJECT).contains(&sub.len())) {
        return Err(Doubt::Form);
    }
    Ok(claims)
}

/// The ID token in the token endpoint's answer (Core §3.1.3.3). The access token is not used, and forgotten.
///
/// # Errors
///
/// [`Doubt::NoToken`].
pub fn read_answer(body: &[u8]) -> Result<String, Doubt> {
    #[derive(Deserialize)]
    struct Answer {
        id_token: String,
    }
    let answer: Answer = serde_json::from_slice(body).map_err(|_| Doubt::NoToken)?;
    Ok(answer.id_token)
}
