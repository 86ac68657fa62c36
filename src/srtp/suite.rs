//! The crypto suites that we speak: names, lengths.

/// Most bytes that sealing adds to a packet: the tag and the index of SRTCP with GCM. A buffer has room for
/// so much behind the packet.
pub const MOST_OVERHEAD_BYTES: usize = 20;

/// How packets are encrypted and authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suite {
    /// AES-128 in GCM, tag of 16 bytes (RFC 7714).
    Aes128Gcm,
    /// AES-256 in GCM, tag of 16 bytes (RFC 7714).
    Aes256Gcm,
    /// AES-128 in counter mode, HMAC-SHA1 of 10 bytes (RFC 3711): every peer has it.
    Aes128Cm80,
    /// AES-256 in counter mode, HMAC-SHA1 of 10 bytes (RFC 6188).
    Aes256Cm80,
    /// AES-128 in counter mode, HMAC-SHA1 of 4 bytes, of 10 for SRTCP (RFC 4568 §6.2.2).
    Aes128Cm32,
    /// AES-256 in counter mode, HMAC-SHA1 of 4 bytes, of 10 for SRTCP (RFC 6188 §4).
    Aes256Cm32,
}

impl Suite {
    /// All of them, the ones that we like better first: what is stronger and costs less a packet, then
    /// longer tags before short ones.
    pub const ALL: [Self; 6] = [
        Self::Aes128Gcm,
        Self::Aes256Gcm,
        Self::Aes128Cm80,
        Self::Aes256Cm80,
        Self::Aes128Cm32,
        Self::Aes256Cm32,
    ];

    /// Its names in SDP, the registered one first. The second is how Linphone and others write AES-256.
    #[must_use]
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Aes128Gcm => &["AEAD_AES_128_GCM"],
            Self::Aes256Gcm => &["AEAD_AES_256_GCM"],
            Self::Aes128Cm80 => &["AES_CM_128_HMAC_SHA1_80"],
            Self::Aes256Cm80 => &["AES_256_CM_HMAC_SHA1_80", "AES_CM_256_HMAC_SHA1_80"],
            Self::Aes128Cm32 => &["AES_CM_128_HMAC_SHA1_32"],
            Self::Aes256Cm32 => &["AES_256_CM_HMAC_SHA1_32", "AES_CM_256_HMAC_SHA1_32"],
        }
    }

    /// The suite of a name, and the name. An answer repeats the name as the offer spells it.
    #[must_use]
    pub fn named(name: &str) -> Option<(Self, &'static str)> {
        Self::ALL.into_iter().find_map(|suite| {
            let known = suite.names().iter().find(|known| known.eq_ignore_ascii_case(name))?;
            Some((suite, *known))
        })
    }

    /// Bytes of the master key.
    #[must_use]
    pub const fn key_bytes(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes128Cm80 | Self::Aes128Cm32 => 16,
            Self::Aes256Gcm | Self::Aes256Cm80 | Self::Aes256Cm32 => 32,
        }
    }

    /// Bytes of the master salt.
    #[must_use]
    pub const fn salt_bytes(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes256Gcm => 12,
            Self::Aes128Cm80 | Self::Aes256Cm80 | Self::Aes128Cm32 | Self::Aes256Cm32 => 14,
        }
    }

    /// Bytes of the tag behind an RTP packet: what sealing adds to it.
    #[must_use]
    pub const fn rtp_tag_bytes(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes256Gcm => 16,
            Self::Aes128Cm80 | Self::Aes256Cm80 => 10,
            Self::Aes128Cm32 | Self::Aes256Cm32 => 4,
        }
    }

    /// Bytes of the tag of an RTCP packet, which is never short; sealing adds four more for the index.
    #[must_use]
    pub const fn rtcp_tag_bytes(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes256Gcm => 16,
            Self::Aes128Cm80 | Self::Aes256Cm80 | Self::Aes128Cm32 | Self::Aes256Cm32 => 10,
        }
    }
}
