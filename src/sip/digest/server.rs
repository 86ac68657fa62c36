//! The server's side: challenges that leave no state behind, and the check of an answer.

use super::fields::{Fields, NoFields};
use super::{Algorithm, Ha1, Protection, hex, response};
use crate::base::{Mono, Rng};
use crate::sip::chars::quote_into;
use crate::sip::vocabulary::{self, Qop};
use crate::sip::{AnyUri, Method};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;
use subtle::ConstantTimeEq as _;

/// How long a nonce may be used; then the phone is told `stale` and goes on without asking anybody.
pub const NONCE_LIFE: Duration = Duration::from_mins(10);
/// Most nonces whose counters are kept. One more pushes out the oldest, and every nonce as old as that
/// one is stale from then on: none can be replayed, at worst phones are challenged once more.
pub const MAX_NONCES: usize = 65_536;
/// Most Authorization values of one request that are looked at.
const MAX_ANSWERS: usize = 8;

/// Which challenges are sent. An answer in either hash is accepted whatever was offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offer {
    /// SHA-256, then MD5, as RFC 8760 §2.3 has it: the most preferred first, and a phone takes the
    /// first that it understands. MD5 comes last because a phone that knows both would otherwise
    /// never use the better one, and one that knows only MD5 passes over a header it cannot read.
    #[default]
    Both,
    /// MD5, then SHA-256: for phones that read only the first header, or give up on an algorithm that
    /// they do not know instead of passing over it (RFC 7616 §3.7 asks them to; not all do).
    /// Those that know both then mostly use MD5.
    Md5First,
    /// MD5 alone, for phones that cannot bear a second header.
    Md5Only,
}

/// Why an answer is refused. Never told to the peer: whatever it is, the peer gets the same challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not by the grammar, a parameter missing or twice, an algorithm or protection that we did not
    /// offer, or two answers for our realm.
    #[error("a malformed or foreign answer to the challenge")]
    Malformed,
    /// The URI inside the answer is not that of the request (RFC 7616 §3.4.6).
    #[error("the answer is for another URI")]
    OtherUri,
    /// No such account, or a wrong password: the two cannot be told apart, and cost the same.
    #[error("wrong user name or password")]
    WrongCredentials,
}

/// What an authentication came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No answer for our realm: challenge. Not a failure.
    Absent,
    /// The password is right: this is the account.
    Granted {
        /// The user name.
        user: String,
    },
    /// The nonce is too old, not ours (from before a restart), another source's, or used up: challenge
    /// with `stale`. Not a failure, and no word about the password.
    Stale,
    /// Challenge again, and count a failure.
    Refused(Refusal),
}

/// Which counts of one nonce have been used: the highest, and the 64 up to it, because datagrams
/// overtake each other.
#[derive(Clone, Copy, Debug)]
struct Used {
    top: u32,
    /// Bit n: `top - n` was used.
    seen: u64,
}

impl Used {
    const NONE: Self = Self { top: 0, seen: 0 };

    /// Marks `count`; false when it was used before or lies too far back to know.
    fn take(&mut self, count: u32) -> bool {
        if count > self.top {
            let ahead = count.saturating_sub(self.top);
            self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
            self.top = count;
            return true;
        }
        match 1_u64.checked_shl(self.top.saturating_sub(count)) {
            Some(bit) if self.seen & bit == 0 => {
                self.seen |= bit;
                true
            }
            Some(_) | None => false,
        }
    }
}

/// Challenges and verifies for one realm.
pub struct Authenticator {
    realm: String,
    key: [u8; 32],
    offer: Offer,
    /// Stands in for the hashes of accounts that do not exist.
    nobody: Ha1,
    /// By time of issue and random part, so that the oldest is first.
    used: BTreeMap<(u64, u64), Used>,
    /// Nonces issued then or before are stale.
    floor: u64,
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator")
            .field("realm", &self.realm)
            .field("used", &self.used.len())
            .finish_non_exhaustive()
    }
}

impl Authenticator {
    /// `key` is secret and new with each start; nonces made with another are stale.
    #[must_use]
    pub fn new(realm: &str, key: [u8; 32]) -> Self {
        let nobody = Ha1::new("", realm, &hex(&key));
        let realm = realm.to_owned();
        Self { realm, key, offer: Offer::default(), nobody, used: BTreeMap::new(), floor: 0 }
    }

    /// Sends these challenges from now on.
    #[must_use]
    pub fn with_offer(mut self, offer: Offer) -> Self {
        self.offer = offer;
        self
    }

    /// The realm.
    #[must_use]
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// Nonces whose counters are kept now, at most [`MAX_NONCES`].
    #[must_use]
    pub fn kept(&self) -> usize {
        self.used.len()
    }

    /// `source` is whom the challenge goes to: a nonce is good from there alone (RFC 7616 §3.3 has the
    /// client's address among what a nonce may hold), so that who forges a source cannot answer for it.
    ///
    /// The values of the WWW-Authenticate (or Proxy-Authenticate) headers of one challenge, in the
    /// order in which they must stand. Nothing is kept.
    pub fn challenges(&self, source: IpAddr, now: Mono, rng: &mut Rng, stale: bool) -> Vec<String> {
        let nonce = self.nonce(source, now.0, rng.bits());
        let algorithms: &[Algorithm] = match self.offer {
            Offer::Both => &[Algorithm::Sha256, Algorithm::Md5],
            Offer::Md5First => &[Algorithm::Md5, Algorithm::Sha256],
            Offer::Md5Only => &[Algorithm::Md5],
        };
        let stale = if stale { ", stale=true" } else { "" };
        let mut realm = String::new();
        quote_into(&self.realm, &mut realm);
        let write = |algorithm: &Algorithm| {
            let (algorithm, qop) = (algorithm.as_str(), Qop::Auth);
            format!(
                "Digest realm={realm}, nonce=\"{nonce}\", algorithm={algorithm}, qop=\"{qop}\"{stale}"
            )
        };
        algorithms.iter().map(write).collect()
    }

    /// Checks the Authorization (or Proxy-Authorization) values of a request. State is kept only for
    /// an answer whose password is right.
    pub fn check<'v, 'a>(
        &mut self,
        method: &Method,
        request_uri: &AnyUri,
        values: impl Iterator<Item = &'v [u8]>,
        source: IpAddr,
        now: Mono,
        lookup: impl Fn(&str) -> Option<&'a Ha1>,
    ) -> Verdict {
        let mut ours = None;
        let mut malformed = false;
        for value in values.take(MAX_ANSWERS) {
            match Fields::parse(value) {
                Ok(fields) if fields.get("realm") == Some(&self.realm) => {
                    if ours.replace(fields).is_some() {
                        return Verdict::Refused(Refusal::Malformed);
                    }
                }
                Ok(_) | Err(NoFields::OtherScheme) => {}
                Err(NoFields::Malformed) => malformed = true,
            }
        }
        match ours {
            Some(fields) => {
                let Some(nonce) = fields.get("nonce") else {
                    return Verdict::Refused(Refusal::Malformed);
                };
                // RFC 7616 §3.5: `stale` tells of the nonce alone. Judged before the password, or who
                // answers challenges that nobody sent could try passwords without being counted.
                let Some(nonce) =
                    self.own_nonce(source, nonce).filter(|own| self.is_fresh(*own, now))
                else {
                    return Verdict::Stale;
                };
                match self.verify(&fields, method, request_uri, lookup) {
                    Ok((user, count)) => self.spend(nonce, count, now, user),
                    Err(refusal) => Verdict::Refused(refusal),
                }
            }
            None if malformed => Verdict::Refused(Refusal::Malformed),
            None => Verdict::Absent,
        }
    }

    /// Whether the password is right; then the user and the count, if there is one.
    fn verify<'a>(
        &self,
        fields: &Fields<'_>,
        method: &Method,
        request_uri: &AnyUri,
        lookup: impl Fn(&str) -> Option<&'a Ha1>,
    ) -> Result<(String, Option<u32>), Refusal> {
        let must = |name| fields.get(name).ok_or(Refusal::Malformed);
        let (user, nonce, uri, answer) =
            (must("username")?, must("nonce")?, must("uri")?, must("response")?);
        let algorithm = match fields.get("algorithm") {
            Some(token) => Algorithm::read(token).ok_or(Refusal::Malformed)?,
            None => Algorithm::Md5, // RFC 7616 §3.4: as in the challenges of old
        };
        let hashed_name =
            fields.get("userhash").is_some_and(|hashed| hashed.eq_ignore_ascii_case("true"));
        let protection = match fields.get("qop").map(vocabulary::qop) {
            Some(Some(Qop::Auth)) => Some(Protection { nc: must("nc")?, cnonce: must("cnonce")? }),
            // RFC 2069: old phones pass over qop. SHA-256 never came without it.
            None if algorithm == Algorithm::Md5 => None,
            // auth-int and the unknown were not offered.
            Some(Some(Qop::AuthInt) | None) | None => return Err(Refusal::Malformed),
        };
        let count =
            protection.as_ref().map(|protection| count(protection.nc).ok_or(Refusal::Malformed));
        let count = count.transpose()?;
        if hashed_name || protection.as_ref().is_some_and(|protection| protection.cnonce.is_empty())
        {
            return Err(Refusal::Malformed);
        }
        if !same_target(uri, request_uri) {
            return Err(Refusal::OtherUri);
        }
        let account = lookup(user);
        let ha1 = account.unwrap_or(&self.nobody).of(algorithm);
        let due = response(algorithm, ha1, nonce, protection.as_ref(), method, uri);
        let equal = bool::from(due.as_bytes().ct_eq(answer.to_ascii_lowercase().as_bytes()));
        if equal && account.is_some() {
            Ok((user.to_owned(), count))
        } else {
            Err(Refusal::WrongCredentials)
        }
    }

    /// Marks the nonce's count as used.
    pub(super) fn spend(
        &mut self,
        (issued, random): (u64, u64),
        count: Option<u32>,
        now: Mono,
        user: String,
    ) -> Verdict {
        let oldest = oldest(now);
        while self.used.first_key_value().is_some_and(|((issued, _), _)| *issued < oldest) {
            self.used.pop_first();
        }
        if self.used.len() >= MAX_NONCES
            && !self.used.contains_key(&(issued, random))
            && let Some(((pushed_out, _), _)) = self.used.pop_first()
        {
            self.floor = self.floor.max(pushed_out.max(1));
            if issued <= self.floor {
                return Verdict::Stale;
            }
        }
        let used = self.used.entry((issued, random)).or_insert(Used::NONE);
        // Without a count a nonce serves once: nothing else tells a replay.
        if used.take(count.unwrap_or(u32::MAX)) {
            Verdict::Granted { user }
        } else {
            Verdict::Stale
        }
    }

    /// Whether a nonce of ours may still be used.
    pub(super) fn is_fresh(&self, (issued, _): (u64, u64), now: Mono) -> bool {
        issued >= oldest(now) && issued <= now.0 && (issued > self.floor || self.floor == 0)
    }

    /// Time of issue and random part in hex, and a keyed hash over both and the source. Its input has a
    /// fixed length and half of the hash is left out, so it cannot be extended.
    pub(super) fn nonce(&self, source: IpAddr, issued: u64, random: u64) -> String {
        let source = match source {
            IpAddr::V4(four) => four.to_ipv6_mapped(),
            IpAddr::V6(six) => six,
        };
        let mut state = Sha256::new();
        state.update(self.key);
        state.update(source.octets());
        state.update(issued.to_be_bytes());
        state.update(random.to_be_bytes());
        let hash = state.finalize();
        format!("{issued:016x}{random:016x}{}", hex(hash.get(..16).unwrap_or_default()))
    }

    /// When it was issued and its random part, when we made it for this source.
    fn own_nonce(&self, source: IpAddr, nonce: &str) -> Option<(u64, u64)> {
        let number = |text: Option<&str>| u64::from_str_radix(text?, 16).ok();
        let (issued, random) = (number(nonce.get(..16))?, number(nonce.get(16..32))?);
        let due = self.nonce(source, issued, random);
        bool::from(due.as_bytes().ct_eq(nonce.as_bytes())).then_some((issued, random))
    }
}

/// A nonce from before this is too old.
fn oldest(now: Mono) -> u64 {
    now.0.saturating_sub(u64::try_from(NONCE_LIFE.as_micros()).unwrap_or(u64::MAX))
}

/// `8LHEX`, from 1 on (RFC 7616 §3.4).
fn count(nc: &str) -> Option<u32> {
    let shaped = nc.len() == 8 && nc.bytes().all(|byte| byte.is_ascii_hexdigit());
    shaped.then(|| u32::from_str_radix(nc, 16).ok()).flatten().filter(|count| *count > 0)
}

/// Whether the URI in an answer is that of the request. Proxies and phones rewrite ports and
/// parameters between the two, so user and host decide; where one side leaves the user out (REGISTER
/// phones do), the host does.
fn same_target(uri: &str, request_uri: &AnyUri) -> bool {
    match (AnyUri::parse(uri), request_uri) {
        (Ok(AnyUri::Known(one)), AnyUri::Known(two)) => {
            let hosts = match (one.host(), two.host()) {
                (Some(one), Some(two)) => one.same(two),
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            };
            let users = match (one.user(), two.user()) {
                (Some(one), Some(two)) => one == two,
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => one.host().is_some(),
            };
            hosts && users
        }
        (Ok(AnyUri::Other(one)), AnyUri::Other(two)) => one == *two,
        _ => false,
    }
}
