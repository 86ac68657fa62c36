//! Whether a stream is encrypted, and by which keys: in the description (SDES, RFC 4568; opportunistic,
//! RFC 8643), or agreed on along its way (DTLS-SRTP, RFC 5763; with ICE as browsers want it).

use super::parse::{Media, Session, Setup};
use crate::base::Rng;
use crate::dtls::{Fingerprint, Role};
use crate::ice::Credentials;
use crate::srtp::sdes::Crypto;
use crate::srtp::{Keys, Suite};
use std::sync::Arc;

/// What one of our legs thinks of encryption.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sealing {
    /// Never.
    Off,
    /// When the peer offers it.
    #[default]
    Accepts,
    /// Offered as an extra of a plain stream (RFC 8643): a peer that does not know it talks plainly.
    Offers,
    /// No call without.
    Required,
    /// No call without, and offered as a browser takes it: by DTLS, with ICE.
    Dtls,
}

/// How a stream is protected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Protection {
    /// Not.
    #[default]
    Plain,
    /// By keys that stood in the descriptions.
    Sealed(Arc<Keys>),
    /// By keys that are agreed on along the way; till then nothing is said or heard.
    Dtls(Arc<Dtls>),
}

/// What the descriptions say of a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dtls {
    /// Which side we are.
    pub role: Role,
    /// One of these fits the peer's certificate.
    pub fingerprints: Vec<Fingerprint>,
    /// The way there, when the peer wants it settled by ICE.
    pub ice: Option<Ice>,
}

/// The credentials of both sides of ICE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ice {
    /// Ours.
    pub ours: Credentials,
    /// The peer's.
    pub theirs: Credentials,
}

/// The suites that we offer, in that order: what every phone has is the second.
const OFFERED: [Suite; 3] = [Suite::Aes128Gcm, Suite::Aes128Cm80, Suite::Aes256Cm80];

/// Keys of one leg of ours, one for each suite, for its whole life: a description said again says the
/// same keys, and what we send goes on under them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnKeys {
    cryptos: Vec<Crypto>,
    /// Of ICE.
    pub(super) ice: Credentials,
}

impl OwnKeys {
    /// Keys that nobody else has.
    #[must_use]
    pub fn draw(rng: &mut Rng) -> Self {
        let tags = 1_u32..;
        let cryptos = tags.zip(Suite::ALL).map(|(tag, suite)| Crypto::offer(tag, suite, rng));
        Self { cryptos: cryptos.collect(), ice: Credentials::draw(rng) }
    }

    fn of(&self, suite: Suite) -> Option<&Crypto> {
        self.cryptos.iter().find(|crypto| crypto.key.suite() == suite)
    }

    /// What an offer says.
    pub(super) fn offered(&self) -> impl Iterator<Item = &Crypto> {
        OFFERED.iter().filter_map(|suite| self.of(*suite))
    }

    /// Takes the offered key that we like best: what we answer, and the keys of the stream.
    pub(super) fn answer(&self, offered: &[Crypto]) -> Option<(Crypto, Protection)> {
        let like =
            |crypto: &&Crypto| Suite::ALL.iter().position(|suite| *suite == crypto.key.suite());
        let theirs = offered.iter().min_by_key(like)?;
        let ours = self.of(theirs.key.suite())?;
        // RFC 4568 §5.1.2: the tag and the suite as they were offered, with a key of our own.
        let said = Crypto { tag: theirs.tag, name: theirs.name, key: ours.key.clone() };
        let keys = Keys { ours: ours.key.clone(), theirs: theirs.key.clone() };
        Some((said, Protection::Sealed(Arc::new(keys))))
    }

    /// Names ICE credentials of ours that nobody knows yet.
    pub fn restart_ice(&mut self, rng: &mut Rng) {
        self.ice = Credentials::draw(rng);
    }

    /// The handshake that the peer's line leads to; none when it names no certificate. `before`: how the
    /// stream was protected till now.
    pub(super) fn handshake(
        &self,
        session: &Session,
        media: &Media,
        before: Option<&Protection>,
    ) -> Option<Dtls> {
        let fingerprints = session.fingerprints_of(media).to_vec();
        // RFC 8842 §5.3: who may choose again chooses the same, under the same certificate.
        let same = match before {
            Some(Protection::Dtls(plan)) if plan.fingerprints == fingerprints => Some(plan.role),
            _ => None,
        };
        let role = match session.setup_of(media) {
            Some(Setup::Passive) => Role::Client,
            Some(Setup::Active) => Role::Server,
            // RFC 5763 §5: who may choose lets the other begin; so do we where nothing is said.
            Some(Setup::ActPass) | None => same.unwrap_or(Role::Server),
        };
        let theirs = session.ice_of(media);
        let ice = theirs.map(|theirs| Ice { ours: self.ice.clone(), theirs });
        (!fingerprints.is_empty()).then_some(Dtls { role, fingerprints, ice })
    }
}

/// The keys of the stream when the peer's answer took one of those that we `said`, and how that one was
/// said: the tag and the suite must be its (RFC 4568 §5.1.3).
pub(super) fn taken<'a>(
    mut said: impl Iterator<Item = &'a Crypto>,
    answered: &[Crypto],
) -> Option<((u32, &'static str), Protection)> {
    let theirs = answered.first()?;
    let is_it = |ours: &&Crypto| ours.tag == theirs.tag && ours.key.suite() == theirs.key.suite();
    let ours = said.find(is_it)?;
    let keys = Keys { ours: ours.key.clone(), theirs: theirs.key.clone() };
    Some(((ours.tag, ours.name), Protection::Sealed(Arc::new(keys))))
}

impl Sealing {
    /// Whether a line of the peer's can be talked by; `dtls`: we have a certificate.
    pub(super) fn takes(self, session: &Session, media: &Media, dtls: bool) -> bool {
        if media.by_dtls() {
            return self.wants() && dtls && !session.fingerprints_of(media).is_empty();
        }
        match self {
            Self::Off => !media.must_be_sealed(),
            Self::Accepts | Self::Offers => !media.must_be_sealed() || !media.cryptos.is_empty(),
            Self::Required | Self::Dtls => !media.cryptos.is_empty(),
        }
    }

    /// Whether keys stand in our offers.
    pub(super) const fn offers(self) -> bool {
        matches!(self, Self::Offers | Self::Required)
    }

    /// Whether there is no call without.
    pub(super) const fn insists(self) -> bool {
        matches!(self, Self::Required | Self::Dtls)
    }

    /// Whether keys are exchanged where the peer names some.
    pub(super) const fn wants(self) -> bool {
        !matches!(self, Self::Off)
    }
}
