//! The key of one direction, and what is derived from it (RFC 3711 §4.3).

use super::Suite;
use super::cipher::keystream;
use crate::base::Rng;
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const MOST_KEY_BYTES: usize = 32;
const MOST_SALT_BYTES: usize = 14;

/// The keys of a stream, one for each direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// What we seal with.
    pub ours: MasterKey,
    /// What the peer seals with.
    pub theirs: MasterKey,
}

/// Suite, master key and master salt of one direction. Forgotten when dropped, never shown; compared in
/// constant time.
#[derive(Clone)]
pub struct MasterKey {
    suite: Suite,
    key: [u8; MOST_KEY_BYTES],
    salt: [u8; MOST_SALT_BYTES],
}

impl MasterKey {
    /// A key of the bytes that a peer gave. None when a length is not the suite's.
    #[must_use]
    pub fn new(suite: Suite, key: &[u8], salt: &[u8]) -> Option<Self> {
        if key.len() != suite.key_bytes() || salt.len() != suite.salt_bytes() {
            return None;
        }
        let mut made = Self { suite, key: [0; MOST_KEY_BYTES], salt: [0; MOST_SALT_BYTES] };
        made.key.get_mut(..key.len())?.copy_from_slice(key);
        made.salt.get_mut(..salt.len())?.copy_from_slice(salt);
        Some(made)
    }

    /// A fresh key that nobody else has: each direction of each session draws its own.
    #[must_use]
    pub fn draw(suite: Suite, rng: &mut Rng) -> Self {
        let mut made = Self { suite, key: [0; MOST_KEY_BYTES], salt: [0; MOST_SALT_BYTES] };
        let key = made.key.iter_mut().take(suite.key_bytes());
        let salt = made.salt.iter_mut().take(suite.salt_bytes());
        let mut bits = 0_u64;
        for (at, byte) in key.chain(salt).enumerate() {
            if at % 8 == 0 {
                bits = rng.bits();
            }
            let [first, ..] = bits.to_le_bytes();
            *byte = first;
            bits >>= 8;
        }
        bits.zeroize();
        made
    }

    /// What it is for.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// The key, for [`super::sdes`] and the derivation.
    pub(super) fn key(&self) -> &[u8] {
        self.key.get(..self.suite.key_bytes()).unwrap_or_default()
    }

    /// The salt, likewise.
    pub(super) fn salt(&self) -> &[u8] {
        self.salt.get(..self.suite.salt_bytes()).unwrap_or_default()
    }

    /// A session key (RFC 3711 §4.3.1, §4.3.3; RFC 6188 §3 for AES-256), with a key derivation rate of 0.
    pub(super) fn derive<const BYTES: usize>(&self, label: Label) -> Zeroizing<[u8; BYTES]> {
        // The label stands 48 bits above the end of the salt's 112, and 16 bits count blocks. A salt of 96
        // bits is filled up on the right (RFC 7714 §11).
        let mut iv = [0; 16];
        iv.iter_mut().zip(self.salt).for_each(|(byte, salt)| *byte = salt);
        if let Some(byte) = iv.get_mut(7) {
            *byte ^= label as u8;
        }
        let mut derived = Zeroizing::new([0; BYTES]);
        keystream(self.key(), &iv, &mut *derived);
        iv.zeroize();
        derived
    }
}

/// What a session key is for (RFC 3711 §4.3.1, §4.3.2).
#[derive(Clone, Copy)]
#[repr(u8)]
pub(super) enum Label {
    RtpKey = 0,
    RtpTag = 1,
    RtpSalt = 2,
    RtcpKey = 3,
    RtcpTag = 4,
    RtcpSalt = 5,
}

impl PartialEq for MasterKey {
    fn eq(&self, other: &Self) -> bool {
        self.suite == other.suite
            && bool::from(self.key.ct_eq(&other.key) & self.salt.ct_eq(&other.salt))
    }
}

impl Eq for MasterKey {}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({}, •••)", self.suite.names().first().unwrap_or(&""))
    }
}

impl Drop for MasterKey {
    fn drop(&mut self) {
        self.key.zeroize();
        self.salt.zeroize();
    }
}

impl ZeroizeOnDrop for MasterKey {}
