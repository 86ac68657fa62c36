//! Whether a stream is encrypted, and by which keys: SDES (RFC 4568), also opportunistic (RFC 8643).

use super::parse::Media;
use crate::base::Rng;
use crate::srtp::sdes::Crypto;
use crate::srtp::{MasterKey, Suite};
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
}

/// The keys of one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// Of what we send.
    pub ours: MasterKey,
    /// Of what comes.
    pub theirs: MasterKey,
}

/// How a stream is protected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Protection {
    /// Not.
    #[default]
    Plain,
    /// By keys that stood in the descriptions.
    Sealed(Arc<Keys>),
}

/// The suites that we offer, in that order: what every phone has is the second.
const OFFERED: [Suite; 3] = [Suite::Aes128Gcm, Suite::Aes128Cm80, Suite::Aes256Cm80];

/// Keys of one leg of ours, one for each suite, for its whole life: a description said again says the
/// same keys, and what we send goes on under them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnKeys(Vec<Crypto>);

impl OwnKeys {
    /// Keys that nobody else has.
    #[must_use]
    pub fn draw(rng: &mut Rng) -> Self {
        let tags = 1_u32..;
        Self(tags.zip(Suite::ALL).map(|(tag, suite)| Crypto::offer(tag, suite, rng)).collect())
    }

    fn of(&self, suite: Suite) -> Option<&Crypto> {
        self.0.iter().find(|crypto| crypto.key.suite() == suite)
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

    /// The keys of the stream when the peer took one of those that we offered.
    pub(super) fn taken(&self, answered: &[Crypto]) -> Option<Protection> {
        let theirs = answered.first()?;
        let ours = self.offered().find(|crypto| crypto.tag == theirs.tag)?;
        let same = ours.key.suite() == theirs.key.suite();
        let keys = Keys { ours: ours.key.clone(), theirs: theirs.key.clone() };
        same.then(|| Protection::Sealed(Arc::new(keys)))
    }
}

impl Sealing {
    /// Whether a line of the peer's can be talked by.
    pub(super) fn takes(self, media: &Media) -> bool {
        match self {
            Self::Off => !media.must_be_sealed(),
            Self::Accepts | Self::Offers => !media.must_be_sealed() || !media.cryptos.is_empty(),
            Self::Required => !media.cryptos.is_empty(),
        }
    }

    /// Whether keys are exchanged where the peer names some.
    pub(super) const fn wants(self) -> bool {
        !matches!(self, Self::Off)
    }
}
