//! The client's side: choosing a challenge and answering it. Whom to answer is the caller's decision:
//! a digest given to the wrong peer is a password to guess offline.

use super::fields::Fields;
use super::{Algorithm, Ha1, Protection, response};
use crate::sip::Method;
use crate::sip::chars::quote_into;

/// A challenge that we can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The realm, to be compared with the one the password is for.
    pub realm: String,
    /// Whether only the nonce was too old: the password needs no second thought.
    pub stale: bool,
    nonce: String,
    algorithm: Algorithm,
    /// Whether `qop=auth` is offered; otherwise the answer is RFC 2069's.
    pub(super) counted: bool,
    opaque: Option<String>,
}

impl Challenge {
    /// The strongest of the WWW-Authenticate (or Proxy-Authenticate) values that we can answer; of
    /// two alike the first.
    pub fn pick<'v>(values: impl Iterator<Item = &'v [u8]>) -> Option<Self> {
        let mut best: Option<Self> = None;
        for challenge in values.filter_map(Self::read) {
            if best.as_ref().is_none_or(|best| challenge.algorithm > best.algorithm) {
                best = Some(challenge);
            }
        }
        best
    }

    fn read(value: &[u8]) -> Option<Self> {
        let fields = Fields::parse(value).ok()?;
        let algorithm = Algorithm::read(fields.get("algorithm").unwrap_or("MD5"))?;
        let counted = match fields.get("qop") {
            None => false,
            Some(list) => {
                // auth-int alone is more than we can do.
                list.split(',')
                    .any(|qop| qop.trim().eq_ignore_ascii_case("auth"))
                    .then_some(true)?
            }
        };
        Some(Self {
            realm: fields.get("realm")?.to_owned(),
            stale: fields.get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
            nonce: fields.get("nonce")?.to_owned(),
            algorithm,
            counted,
            opaque: fields.get("opaque").map(str::to_owned),
        })
    }

    /// Which hash the answer uses.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The value of the Authorization (or Proxy-Authorization) header. `uri` is the Request-URI as
    /// written; `cnonce` is new for each answer; `count` is 1 for the first request with this nonce.
    #[must_use]
    pub fn answer(
        &self,
        user: &str,
        password: &str,
        method: &Method,
        uri: &str,
        cnonce: &str,
        count: u32,
    ) -> String {
        let ha1 = Ha1::new(user, &self.realm, password);
        let nc = format!("{count:08x}");
        let protection = self.counted.then_some(Protection { nc: &nc, cnonce });
        let digest = response(
            self.algorithm,
            ha1.of(self.algorithm),
            &self.nonce,
            protection.as_ref(),
            method,
            uri,
        );
        let mut out = String::from("Digest username=");
        quote_into(user, &mut out);
        for (name, value) in [("realm", self.realm.as_str()), ("nonce", &self.nonce), ("uri", uri)]
        {
            out.push_str(", ");
            out.push_str(name);
            out.push('=');
            quote_into(value, &mut out);
        }
        out.push_str(", response=\"");
        out.push_str(&digest);
        out.push_str("\", algorithm=");
        out.push_str(self.algorithm.as_str());
        if protection.is_some() {
            out.push_str(", qop=auth, nc=");
            out.push_str(&nc);
            out.push_str(", cnonce=");
            quote_into(cnonce, &mut out);
        }
        if let Some(opaque) = &self.opaque {
            out.push_str(", opaque=");
            quote_into(opaque, &mut out);
        }
        out
    }
}
