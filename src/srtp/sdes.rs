//! Keys in SDP: one `a=crypto` value (RFC 4568). It is as secret as the way that the SDP goes; whether that
//! way is good enough is not judged here.

use super::{MasterKey, Suite};
use crate::base::Rng;
use base64ct::{Base64, Base64Unpadded, Encoding};
use std::fmt;
use zeroize::Zeroizing;

/// Longest value that is read. The longest that we accept has about 110 bytes.
const MOST_BYTES: usize = 512;
/// Bytes of the longest key and salt.
const MOST_KEYING_BYTES: usize = 46;
/// A key may be used for so many packets at most (RFC 3711 §9.2).
const MOST_LIFETIME: u64 = 1 << 48;

/// One offered or answered key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crypto {
    /// Which of the offered ones; an answer repeats it. Up to nine digits.
    pub tag: u32,
    /// The suite as it is spelled here; an answer spells it so too.
    pub name: &'static str,
    /// The key of the side that says it.
    pub key: MasterKey,
}

/// Why an `a=crypto` value is not taken. Another of the same offer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAcceptable {
    /// Not of the form of RFC 4568 §9.1.
    #[error("not a crypto attribute")]
    Malformed,
    /// A suite that we do not speak.
    #[error("an unknown crypto suite")]
    Suite,
    /// The key is not base64, or not as long as the suite's key and salt.
    #[error("a key that is not as long as the suite's")]
    Key,
    /// Several keys, or one with an MKI: each packet would say by which it is sealed.
    #[error("several keys, or a key with an MKI")]
    Mki,
    /// A lifetime of no packets, or more than a key may be used for.
    #[error("a lifetime that no key has")]
    Lifetime,
    /// A session parameter that leaves sound open to others (`UNENCRYPTED_SRTP`, `UNAUTHENTICATED_SRTP`), or
    /// that we do not do (`KDR`, `FEC_KEY`, an unknown one).
    #[error("a session parameter that is not acceptable")]
    Parameter,
}

impl Crypto {
    /// A fresh key of ours to offer.
    #[must_use]
    pub fn offer(tag: u32, suite: Suite, rng: &mut Rng) -> Self {
        let name = suite.names().first().copied().unwrap_or_default();
        Self { tag, name, key: MasterKey::draw(suite, rng) }
    }

    /// A fresh key of ours that answers this one of the peer's (RFC 4568 §5.1.2).
    #[must_use]
    pub fn answer(&self, rng: &mut Rng) -> Self {
        Self { tag: self.tag, name: self.name, key: MasterKey::draw(self.key.suite(), rng) }
    }

    /// Reads what stands behind `a=crypto:`. A lifetime is the sender's to keep; ours is never shorter than
    /// what a call can last.
    ///
    /// # Errors
    ///
    /// [`NotAcceptable`].
    pub fn parse(value: &str) -> Result<Self, NotAcceptable> {
        if value.len() > MOST_BYTES {
            return Err(NotAcceptable::Malformed);
        }
        let mut words = value.split([' ', '\t']).filter(|word| !word.is_empty());
        let mut word = || words.next().ok_or(NotAcceptable::Malformed);
        let (tag, suite, keys) = (word()?, word()?, word()?);
        if tag.len() > 9 || !tag.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotAcceptable::Malformed);
        }
        let tag = tag.parse().map_err(|_| NotAcceptable::Malformed)?;
        let (suite, name) = Suite::named(suite).ok_or(NotAcceptable::Suite)?;
        if keys.contains(';') {
            return Err(NotAcceptable::Mki);
        }
        let (method, key) = keys.split_once(':').ok_or(NotAcceptable::Malformed)?;
        if !method.eq_ignore_ascii_case("inline") {
            return Err(NotAcceptable::Malformed);
        }
        let mut parts = key.split('|');
        let key = keying(suite, parts.next().unwrap_or_default())?;
        if let Some(part) = parts.next() {
            // One part alone may be either (RFC 4568 §6.1).
            if part.contains(':') {
                return Err(NotAcceptable::Mki);
            }
            lifetime(part)?;
        }
        if parts.next().is_some() {
            return Err(NotAcceptable::Mki);
        }
        words.try_for_each(parameter)?;
        Ok(Self { tag, name, key })
    }
}

/// The key and salt in base64. Padding is due by the letter, and left out by some.
fn keying(suite: Suite, text: &str) -> Result<MasterKey, NotAcceptable> {
    let mut bytes = Zeroizing::new([0; MOST_KEYING_BYTES]);
    let text = text.trim_end_matches('=');
    let bytes = Base64Unpadded::decode(text, &mut *bytes).map_err(|_| NotAcceptable::Key)?;
    let (key, salt) = bytes.split_at_checked(suite.key_bytes()).ok_or(NotAcceptable::Key)?;
    MasterKey::new(suite, key, salt).ok_or(NotAcceptable::Key)
}

/// `2^31`, or a number (RFC 4568 §6.1).
fn lifetime(text: &str) -> Result<(), NotAcceptable> {
    let number = |text: &str| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = if digits { text.parse::<u64>().ok() } else { None };
        number.ok_or(NotAcceptable::Malformed)
    };
    let packets = match text.strip_prefix("2^") {
        Some(power) => u32::try_from(number(power)?)
            .ok()
            .and_then(|power| 1_u64.checked_shl(power))
            .ok_or(NotAcceptable::Lifetime)?,
        None => number(text)?,
    };
    match packets {
        1..=MOST_LIFETIME => Ok(()),
        _ => Err(NotAcceptable::Lifetime),
    }
}

/// Session parameters (RFC 4568 §6.3): a hint on the window is passed over, as is what says by its first
/// sign that it may be.
fn parameter(word: &str) -> Result<(), NotAcceptable> {
    let hint = word.split_once('=').is_some_and(|(name, value)| {
        name.eq_ignore_ascii_case("WSH") && value.parse::<u32>().is_ok_and(|size| size >= 64)
    });
    if hint || word.starts_with('-') { Ok(()) } else { Err(NotAcceptable::Parameter) }
}

/// As it stands behind `a=crypto:`. This is the one way by which a key is shown.
pub struct Written<'a>(&'a Crypto);

impl Crypto {
    /// The value to write. It shows the key.
    #[must_use]
    pub const fn reveal(&self) -> Written<'_> {
        Written(self)
    }
}

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Crypto { tag, name, key } = self.0;
        let mut bytes = Zeroizing::new([0; MOST_KEYING_BYTES]);
        let all = key.key().iter().chain(key.salt());
        let count = bytes.iter_mut().zip(all).map(|(byte, key)| *byte = *key).count();
        let mut text = Zeroizing::new([0; 64]);
        let text = Base64::encode(bytes.get(..count).unwrap_or_default(), &mut *text);
        write!(f, "{tag} {name} inline:{}", text.map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::proptest;

    const THIRTY: &str = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

    #[test]
    fn keys_are_read_as_peers_write_them() {
        let table = [
            // RFC 4568 §4 and others', with lifetimes.
            ("1 AES_CM_128_HMAC_SHA1_80 inline:", "", 1, Suite::Aes128Cm80),
            ("1 AES_CM_128_HMAC_SHA1_32 inline:", "|2^20", 1, Suite::Aes128Cm32),
            ("123456789 aes_cm_128_hmac_sha1_80 INLINE:", "|2^48", 123_456_789, Suite::Aes128Cm80),
            ("2\tAES_CM_128_HMAC_SHA1_80  inline:", "|1048576 WSH=128 -x=1 ", 2, Suite::Aes128Cm80),
        ];
        for (before, behind, tag, suite) in table {
            let value = format!("{before}{THIRTY}{behind}");
            let crypto = Crypto::parse(&value).unwrap();
            assert_eq!((crypto.tag, crypto.key.suite()), (tag, suite), "{value}");
            assert_eq!(crypto.key.key(), b"wDfvg&T+)xG7@fb5", "{value}");
            assert_eq!(crypto.key.salt(), b"jU,RaA}\\|p0%*#", "{value}");
        }
    }

    #[test]
    fn what_is_not_acceptable_is_told_by_its_reason() {
        use NotAcceptable::{Key, Lifetime, Malformed, Mki, Parameter};
        let one = "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
        let tails = [
            ("|1:4", Mki),
            ("|2^20|1:4", Mki),
            (";inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|2:4", Mki),
            ("|2^49", Lifetime),
            ("|2^4000000000", Lifetime),
            ("|0", Lifetime),
            ("|2^", Malformed),
            ("|+5", Malformed),
            ("|", Malformed),
            ("AA", Key),
            ("*", Key),
            (" UNENCRYPTED_SRTP", Parameter),
            (" UNENCRYPTED_SRTCP", Parameter),
            (" UNAUTHENTICATED_SRTP", Parameter),
            (" KDR=5", Parameter),
            (" FEC_ORDER=FEC_SRTP", Parameter),
            (" FEC_KEY=inline:AAAA", Parameter),
            (" WSH=9", Parameter),
            (" SOMETHING_NEW", Parameter),
        ];
        for (tail, want) in tails {
            assert_eq!(Crypto::parse(&format!("{one}{tail}")), Err(want), "{tail}");
        }
        let whole = [
            ("", Malformed),
            ("1", Malformed),
            ("1 AES_CM_128_HMAC_SHA1_80", Malformed),
            ("x AES_CM_128_HMAC_SHA1_80 inline:AAAA", Malformed),
            ("1234567890 AES_CM_128_HMAC_SHA1_80 inline:AAAA", Malformed),
            ("1 AES_CM_128_HMAC_SHA1_80 uri:AAAA", Malformed),
            ("1 AES_CM_128_HMAC_SHA1_80 inline", Malformed),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:", Key),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:AAAA", Key),
            ("1 NULL_HMAC_SHA1_80 inline:AAAA", NotAcceptable::Suite),
            ("1 F8_128_HMAC_SHA1_80 inline:AAAA", NotAcceptable::Suite),
        ];
        for (value, want) in whole {
            assert_eq!(Crypto::parse(value), Err(want), "{value}");
        }
        assert_eq!(Crypto::parse(&"1 ".repeat(300)), Err(Malformed));
    }

    #[test]
    fn what_we_write_is_read_and_an_answer_spells_the_suite_as_the_offer_did() {
        let mut rng = Rng::from_number(1);
        for suite in Suite::ALL {
            for name in suite.names() {
                let offer = Crypto { name, ..Crypto::offer(3, suite, &mut rng) };
                let written = offer.reveal().to_string();
                assert_eq!(Crypto::parse(&written), Ok(offer.clone()), "{written}");
                assert_eq!(Crypto::parse(written.trim_end_matches('=')), Ok(offer.clone()));
                let answer = offer.answer(&mut rng);
                assert_eq!((answer.tag, answer.name), (3, *name));
                assert_ne!(answer.key, offer.key);
                let shown = format!("{offer:?}");
                assert!(!shown.contains(written.rsplit(':').next().unwrap()), "{shown}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(value in "[ -~\t]{0,80}", tail in "(\\|[0-9^:]{0,12}){0,3}( [A-Z_=0-9-]{0,9}){0,2}") {
            let _ = Crypto::parse(&value);
            let _ = Crypto::parse(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{THIRTY}{tail}"));
        }
    }
}
