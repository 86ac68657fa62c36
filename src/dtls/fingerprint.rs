//! A certificate's fingerprint in SDP (RFC 8122 §5): what ties a handshake to a call.

use sha2::{Digest, Sha256, Sha384, Sha512};
use std::fmt;
use std::str::FromStr;
use subtle::ConstantTimeEq;

/// `sha-256 4A:AD:…`. Only hashes that nobody can find a second certificate for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    hash: Hash,
    digest: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// Why a fingerprint is not taken. A description may bring another (RFC 8122 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAFingerprint {
    /// SHA-1, MD5, or a hash that we do not know.
    #[error("a hash that is broken or unknown; due is sha-256, sha-384 or sha-512")]
    Hash,
    /// Not as many pairs of hexadecimal digits, with colons between, as the hash has bytes.
    #[error("not a digest of the hash that it names")]
    Digest,
}

impl Hash {
    const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }
}

impl Fingerprint {
    /// SHA-256 of a certificate in DER.
    #[must_use]
    pub fn of(certificate: &[u8]) -> Self {
        Self { hash: Hash::Sha256, digest: Hash::Sha256.of(certificate) }
    }

    /// Whether it is this certificate's.
    #[must_use]
    pub fn fits(&self, certificate: &[u8]) -> bool {
        self.hash.of(certificate).ct_eq(&self.digest).into()
    }
}

impl FromStr for Fingerprint {
    type Err = NotAFingerprint;

    /// What stands behind `a=fingerprint:`.
    fn from_str(value: &str) -> Result<Self, NotAFingerprint> {
        let mut words = value.split_ascii_whitespace();
        let (name, digits) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let known = Hash::ALL.into_iter().find(|hash| hash.name().eq_ignore_ascii_case(name));
        let hash = known.ok_or(NotAFingerprint::Hash)?;
        let digest: Option<Vec<u8>> = digits
            .split(':')
            .map(|pair| match pair.as_bytes() {
                [high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                    u8::from_str_radix(pair, 16).ok()
                }
                _ => None,
            })
            .collect();
        let due = hash.of(b"").len();
        match digest {
            Some(digest) if digest.len() == due && words.next().is_none() => {
                Ok(Self { hash, digest })
            }
            _ => Err(NotAFingerprint::Digest),
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hash.name())?;
        self.digest.iter().zip([' '].into_iter().chain(std::iter::repeat(':'))).try_for_each(
            |(byte, before)| write!(f, "{before}{byte:02X}"), // RFC 8122 §5: upper case
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_written_and_fit_their_certificate_alone() {
        let ours = Fingerprint::of(b"abc");
        let text = "sha-256 BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:\
                    B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD";
        assert_eq!(ours.to_string(), text);
        assert_eq!(text.parse(), Ok(ours.clone()));
        assert_eq!(text.to_lowercase().parse(), Ok(ours.clone()));
        assert!(ours.fits(b"abc") && !ours.fits(b"abd"));
        let long = format!("SHA-512 {}AA", "00:".repeat(63)).parse::<Fingerprint>().unwrap();
        assert!(!long.fits(b"abc"));
        let table = [
            ("", NotAFingerprint::Hash),
            (
                "sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB",
                NotAFingerprint::Hash,
            ),
            ("md5 00", NotAFingerprint::Hash),
            ("sha-256", NotAFingerprint::Digest),
            ("sha-256 BA:78", NotAFingerprint::Digest),
            ("sha-512 BA:78", NotAFingerprint::Digest),
        ];
        for (value, want) in table {
            assert_eq!(value.parse::<Fingerprint>(), Err(want), "{value}");
        }
        for wrong in [text.replace("BA", "+A"), text.replace("BA", "B"), format!("{text} x")] {
            assert_eq!(wrong.parse::<Fingerprint>(), Err(NotAFingerprint::Digest), "{wrong}");
        }
    }
}
