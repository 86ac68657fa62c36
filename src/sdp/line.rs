//! How a leg's stream stands in its descriptions, and among which lines. What both sides have agreed on is said
//! again in every later offer of ours (RFC 3264 §8), so that a hold or a refresh takes nobody out of encryption
//! and no line out of its place.

use super::negotiate::{Agreed, Local};
use super::parse::{Media, Session};
use super::{Protection, Sealing};
use crate::ice::Credentials;
use crate::srtp::sdes::Crypto;
use std::fmt::Write as _;

/// The profiles that are spoken, as they are written.
const PROFILES: [&str; 6] =
    ["RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF"];

/// The stream's line in the descriptions of both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The profile of its `m=` line.
    pub profile: &'static str,
    /// `a=mid`, its name among the streams (RFC 5888).
    pub mid: Option<String>,
    /// Whether it was to share its port with others, and is the one of them that we took (RFC 9143).
    pub bundled: bool,
    /// By which tag and name we said our key, when it is encrypted by keys in the description (RFC 4568).
    pub key: Option<(u32, &'static str)>,
    /// The lines before it, all refused; how many they are says its place. With those behind it at most 31, since
    /// no more are read.
    pub before: Vec<Refused>,
    /// The lines behind it, all refused.
    pub behind: Vec<Refused>,
}

/// A line of the peer's that we refused: all that is needed to refuse it in its place again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// `audio`, `video`, ... as it was offered.
    kind: String,
    /// The profile, as it was offered.
    protocol: String,
    /// The first of its formats; there must be one, and it means nothing.
    format: String,
    /// Its name among the streams.
    mid: Option<String>,
}

impl Refused {
    fn of(media: &Media) -> Self {
        Self {
            kind: media.kind.clone(),
            protocol: media.protocol.clone(),
            format: media.formats.first().cloned().unwrap_or_else(|| "0".to_owned()),
            mid: media.mid.clone(),
        }
    }

    /// Writes it with port 0 (RFC 3264 §6 and §8.2). Under its old name, which belongs to its place
    /// (RFC 8829 §5.2.2), and in no group (RFC 9143 §7.3).
    pub(super) fn say(&self, text: &mut String) {
        let Self { kind, protocol, format, mid } = self;
        // Writing to a String cannot fail.
        let _ = write!(text, "m={kind} 0 {protocol} {format}\r\n");
        if let Some(mid) = mid {
            let _ = write!(text, "a=mid:{mid}\r\n");
        }
    }
}

/// What an offer of ours says of the stream's protection.
pub(super) enum Says {
    /// Nothing.
    Nothing,
    /// Our keys.
    Keys(Vec<Crypto>),
    /// That a handshake brings them; `ice`: its way is shown by checks.
    Handshake { ice: bool },
}

impl Line {
    /// As an offer of the peer's has it and our answer repeats it: `media`, the line at place `at`.
    pub(super) fn of(offer: &Session, at: usize, media: &Media, key: Option<&Crypto>) -> Self {
        let mid = media.mid.clone();
        let (before, rest) = offer.media.split_at_checked(at).unwrap_or_default();
        let behind = rest.get(1..).unwrap_or_default();
        Self {
            before: before.iter().map(Refused::of).collect(),
            behind: behind.iter().map(Refused::of).collect(),
            profile: profile(media),
            bundled: mid.as_ref().is_some_and(|mid| offer.bundle.contains(mid)),
            mid,
            key: key.map(|key| (key.tag, key.name)),
        }
    }
}

/// Only a line of one of them is audio; the first stands in for what cannot be.
fn profile(media: &Media) -> &'static str {
    let is_it = |known: &&str| media.protocol.eq_ignore_ascii_case(known);
    PROFILES.into_iter().find(is_it).unwrap_or("RTP/AVP")
}

impl Local {
    /// What an offer of ours says.
    pub(super) fn says(&self) -> (Says, Line) {
        if let Some(before) = &self.before {
            let says = match &before.protection {
                // RFC 4568 §7.1.4: the same key under the same tag changes nothing.
                Protection::Sealed(keys) => {
                    let key = |(tag, name)| Crypto { tag, name, key: keys.ours.clone() };
                    Says::Keys(before.line.key.map(key).into_iter().collect())
                }
                Protection::Dtls(plan) => Says::Handshake { ice: plan.ice.is_some() },
                Protection::Plain => self.offers_keys(),
            };
            return (says, before.line.clone());
        }
        if self.sealing == Sealing::Dtls && self.fingerprint.is_some() {
            let (profile, mid) = ("UDP/TLS/RTP/SAVPF", Some("0".to_owned()));
            return (
                Says::Handshake { ice: true },
                Line { profile, mid, bundled: true, ..Line::default() },
            );
        }
        let profile = if self.sealing.insists() { "RTP/SAVP" } else { "RTP/AVP" };
        (self.offers_keys(), Line { profile, ..Line::default() })
    }

    fn offers_keys(&self) -> Says {
        match &self.keys {
            Some(keys) if self.sealing.offers() => Says::Keys(keys.offered().cloned().collect()),
            Some(_) | None => Says::Nothing,
        }
    }

    /// Whether the peer's offer begins ICE anew: its credentials are not those that were agreed on
    /// (RFC 8839 §4.4.1.1.1). Our answer must then name others, too (RFC 8445 §9).
    #[must_use]
    pub fn restarts(&self, offer: &Session) -> bool {
        let theirs = |agreed: &Agreed| -> Option<Credentials> {
            let Protection::Dtls(plan) = &agreed.protection else { return None };
            plan.ice.as_ref().map(|ice| ice.theirs.clone())
        };
        let before = self.before.as_ref().and_then(theirs);
        before.is_some_and(|before| self.offered_ice(offer).is_some_and(|theirs| theirs != before))
    }
}
