//! The ciphers of one kind of packet (RTP or RTCP) in one direction, keyed once. What is per packet is its
//! number and where its parts lie; whether the number is due is not known here.

use super::key::{Label, MasterKey};
use super::{INDEX_BYTES, RTCP_HEADER_BYTES, Suite};
use aes::{Aes128Enc, Aes256Enc};
use aes_gcm::AesGcm;
use aes_gcm::aead::AeadInOut;
use ctr::CtrCore;
use ctr::cipher::consts::U12;
use ctr::cipher::{InnerIvInit, StreamCipherCore};
use ctr::flavors::Ctr128BE;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use std::ops::Range;

/// Bytes of the key of HMAC-SHA1 (RFC 3711 §5.2).
const TAG_KEY_BYTES: usize = 20;
/// Bytes of GCM's tag.
const GCM_TAG_BYTES: usize = 16;

/// Keyed ciphers; each forgets its keys when dropped.
pub(super) struct Cipher {
    way: Way,
    tag_bytes: usize,
}

enum Way {
    /// Counter mode and HMAC (RFC 3711 §4.1.1, §4.2.1).
    Cm { aes: Aes, salt: [u8; 14], mac: Hmac<Sha1> },
    /// GCM (RFC 7714).
    Gcm { aes: Gcm, salt: [u8; 12] },
}

enum Aes {
    Short(Aes128Enc),
    Long(Aes256Enc),
}

enum Gcm {
    Short(AesGcm<Aes128Enc, U12>),
    Long(AesGcm<Aes256Enc, U12>),
}

/// A tag that does not fit its packet.
#[derive(Debug)]
pub(super) struct Forged;

impl Cipher {
    /// What RTP packets are sealed with.
    pub(super) fn rtp(master: &MasterKey) -> Self {
        let labels = [Label::RtpKey, Label::RtpTag, Label::RtpSalt];
        Self::new(master, labels, master.suite().rtp_tag_bytes())
    }

    /// What RTCP packets are sealed with.
    pub(super) fn rtcp(master: &MasterKey) -> Self {
        let labels = [Label::RtcpKey, Label::RtcpTag, Label::RtcpSalt];
        Self::new(master, labels, master.suite().rtcp_tag_bytes())
    }

    fn new(master: &MasterKey, [key, tag, salt]: [Label; 3], tag_bytes: usize) -> Self {
        let way = match master.suite() {
            Suite::Aes128Cm80 | Suite::Aes128Cm32 => Way::Cm {
                aes: Aes::Short(Aes128Enc::new(&(*master.derive(key)).into())),
                salt: *master.derive(salt),
                mac: tagger(&master.derive(tag)),
            },
            Suite::Aes256Cm80 | Suite::Aes256Cm32 => Way::Cm {
                aes: Aes::Long(Aes256Enc::new(&(*master.derive(key)).into())),
                salt: *master.derive(salt),
                mac: tagger(&master.derive(tag)),
            },
            Suite::Aes128Gcm => Way::Gcm {
                aes: Gcm::Short(AesGcm::new(&(*master.derive(key)).into())),
                salt: *master.derive(salt),
            },
            Suite::Aes256Gcm => Way::Gcm {
                aes: Gcm::Long(AesGcm::new(&(*master.derive(key)).into())),
                salt: *master.derive(salt),
            },
        };
        Self { way, tag_bytes }
    }

    /// Bytes of a tag.
    pub(super) const fn tag_bytes(&self) -> usize {
        self.tag_bytes
    }

    /// Seals the RTP packet `buffer[..parts.end]`, whose payload is `parts`. `index` has 48 bits. Returns
    /// the length with the tag; None when the buffer has no room for it.
    pub(super) fn seal_rtp(
        &self,
        buffer: &mut [u8],
        parts: Range<usize>,
        ssrc: u32,
        index: u64,
    ) -> Option<usize> {
        let sealed = parts.end.checked_add(self.tag_bytes)?;
        let (packet, tag) = buffer.get_mut(..sealed)?.split_at_mut_checked(parts.end)?;
        match &self.way {
            Way::Cm { aes, salt, mac } => {
                aes.apply(&counter(salt, ssrc, index), packet.get_mut(parts)?);
                write_tag(mac, packet, &rollover(index), tag);
            }
            Way::Gcm { aes, salt } => {
                let (head, body) = packet.split_at_mut_checked(parts.start)?;
                tag.copy_from_slice(&aes.seal(&nonce(salt, ssrc, index), head, body)?);
            }
        }
        Some(sealed)
    }

    /// Opens the RTP packet `buffer[..parts.end]`, whose payload is `parts` and whose tag stands behind it.
    /// Nothing is changed when the tag does not fit.
    pub(super) fn open_rtp(
        &self,
        buffer: &mut [u8],
        parts: Range<usize>,
        ssrc: u32,
        index: u64,
    ) -> Result<(), Forged> {
        let sealed = parts.end.saturating_add(self.tag_bytes);
        let sealed = buffer.get_mut(..sealed).ok_or(Forged)?;
        let (packet, tag) = sealed.split_at_mut_checked(parts.end).ok_or(Forged)?;
        match &self.way {
            Way::Cm { aes, salt, mac } => {
                check_tag(mac, packet, &rollover(index), tag)?;
                aes.apply(&counter(salt, ssrc, index), packet.get_mut(parts).ok_or(Forged)?);
                Ok(())
            }
            Way::Gcm { aes, salt } => {
                let (head, body) = packet.split_at_mut_checked(parts.start).ok_or(Forged)?;
                aes.open(&nonce(salt, ssrc, index), head, body, tag)
            }
        }
    }

    /// Seals the RTCP packet `buffer[..len]`; `word` is its index under the E-bit. Returns the length with
    /// both; None when the buffer has no room for them.
    pub(super) fn seal_rtcp(
        &self,
        buffer: &mut [u8],
        len: usize,
        ssrc: u32,
        word: u32,
    ) -> Option<usize> {
        let sealed = len.checked_add(self.tag_bytes)?.checked_add(INDEX_BYTES)?;
        let (packet, behind) = buffer.get_mut(..sealed)?.split_at_mut_checked(len)?;
        let (head, body) = packet.split_at_mut_checked(RTCP_HEADER_BYTES)?;
        let index = u64::from(word & !super::E_BIT);
        match &self.way {
            // The index, then the tag over all (RFC 3711 §3.4).
            Way::Cm { aes, salt, mac } => {
                aes.apply(&counter(salt, ssrc, index), body);
                let (place, tag) = behind.split_at_mut_checked(INDEX_BYTES)?;
                place.copy_from_slice(&word.to_be_bytes());
                write_tag(mac, packet, place, tag);
            }
            // The tag, then the index (RFC 7714 §9.2).
            Way::Gcm { aes, salt } => {
                let known = rtcp_known(head, word);
                let (tag, place) = behind.split_at_mut_checked(self.tag_bytes)?;
                tag.copy_from_slice(&aes.seal(&nonce(salt, ssrc, index), &known, body)?);
                place.copy_from_slice(&word.to_be_bytes());
            }
        }
        Some(sealed)
    }

    /// The index under the E-bit of a sealed RTCP packet, and the length of the packet within; None when it
    /// is too short for one.
    pub(super) fn rtcp_parts(&self, sealed: &[u8]) -> Option<(u32, usize)> {
        let behind = self.tag_bytes.checked_add(INDEX_BYTES)?;
        let len = sealed.len().checked_sub(behind)?;
        let at = match self.way {
            Way::Cm { .. } => len,
            Way::Gcm { .. } => len.checked_add(self.tag_bytes)?,
        };
        let word = u32::from_be_bytes(*sealed.get(at..)?.first_chunk()?);
        (len >= RTCP_HEADER_BYTES).then_some((word, len))
    }

    /// Opens a sealed RTCP packet of which [`Self::rtcp_parts`] said `word` and `len`. Nothing is changed
    /// when the tag does not fit.
    pub(super) fn open_rtcp(
        &self,
        sealed: &mut [u8],
        len: usize,
        ssrc: u32,
        word: u32,
    ) -> Result<(), Forged> {
        let (packet, behind) = sealed.split_at_mut_checked(len).ok_or(Forged)?;
        let index = u64::from(word & !super::E_BIT);
        match &self.way {
            Way::Cm { aes, salt, mac } => {
                let tag = behind.get(INDEX_BYTES..).ok_or(Forged)?;
                check_tag(mac, packet, &word.to_be_bytes(), tag)?;
                let body = packet.get_mut(RTCP_HEADER_BYTES..).ok_or(Forged)?;
                aes.apply(&counter(salt, ssrc, index), body);
                Ok(())
            }
            Way::Gcm { aes, salt } => {
                let tag = behind.get(..self.tag_bytes).ok_or(Forged)?;
                let (head, body) = packet.split_at_mut_checked(RTCP_HEADER_BYTES).ok_or(Forged)?;
                aes.open(&nonce(salt, ssrc, index), &rtcp_known(head, word), body, tag)
            }
        }
    }
}

impl Aes {
    fn apply(&self, iv: &[u8; 16], body: &mut [u8]) {
        let (iv, body) = (iv.into(), body.into());
        match self {
            Self::Short(aes) => {
                CtrCore::<_, Ctr128BE>::inner_iv_init(aes, iv).apply_keystream_partial(body);
            }
            Self::Long(aes) => {
                CtrCore::<_, Ctr128BE>::inner_iv_init(aes, iv).apply_keystream_partial(body);
            }
        }
    }
}

impl Gcm {
    /// None when the packet is longer than GCM allows (64 GiB).
    fn seal(&self, nonce: &[u8; 12], known: &[u8], body: &mut [u8]) -> Option<[u8; GCM_TAG_BYTES]> {
        let (nonce, body) = (nonce.into(), body.into());
        let tag = match self {
            Self::Short(aes) => aes.encrypt_inout_detached(nonce, known, body),
            Self::Long(aes) => aes.encrypt_inout_detached(nonce, known, body),
        };
        tag.ok().map(Into::into)
    }

    fn open(
        &self,
        nonce: &[u8; 12],
        known: &[u8],
        body: &mut [u8],
        tag: &[u8],
    ) -> Result<(), Forged> {
        let tag: &[u8; GCM_TAG_BYTES] = tag.try_into().map_err(|_| Forged)?;
        let (nonce, body, tag) = (nonce.into(), body.into(), tag.into());
        let opened = match self {
            Self::Short(aes) => aes.decrypt_inout_detached(nonce, known, body, tag),
            Self::Long(aes) => aes.decrypt_inout_detached(nonce, known, body, tag),
        };
        opened.map_err(|_| Forged)
    }
}

/// The keystream of AES in counter mode, for the derivation of keys. `key` has 16 or 32 bytes.
pub(super) fn keystream(key: &[u8], iv: &[u8; 16], into: &mut [u8]) {
    into.fill(0);
    if let Ok(aes) = Aes128Enc::new_from_slice(key) {
        Aes::Short(aes).apply(iv, into);
    } else if let Ok(aes) = Aes256Enc::new_from_slice(key) {
        Aes::Long(aes).apply(iv, into);
    }
}

fn tagger(key: &[u8; TAG_KEY_BYTES]) -> Hmac<Sha1> {
    // The key is filled up to the hash's block, as RFC 2104 §2 has it for any that is not longer.
    let mut block = zeroize::Zeroizing::new([0; 64]);
    block.iter_mut().zip(key).for_each(|(byte, key)| *byte = *key);
    Hmac::new(&(*block).into())
}

/// The tag over `packet` and what follows it, as long as its place.
fn write_tag(mac: &Hmac<Sha1>, packet: &[u8], behind: &[u8], place: &mut [u8]) {
    let whole = mac.clone().chain_update(packet).chain_update(behind).finalize().into_bytes();
    place.iter_mut().zip(whole).for_each(|(byte, tag)| *byte = tag);
}

/// In constant time.
fn check_tag(mac: &Hmac<Sha1>, packet: &[u8], behind: &[u8], tag: &[u8]) -> Result<(), Forged> {
    let mac = mac.clone().chain_update(packet).chain_update(behind);
    mac.verify_truncated_left(tag).map_err(|_| Forged)
}

/// How often the sequence number went round, as it stands behind a packet for the tag (RFC 3711 §4.2).
fn rollover(index: u64) -> [u8; 4] {
    let [_, _, r0, r1, r2, r3, _, _] = index.to_be_bytes();
    [r0, r1, r2, r3]
}

/// Where a packet's keystream begins (RFC 3711 §4.1.1): salt, sender and index of 48 bits exclusively or'ed;
/// 16 bits for counting blocks.
fn counter(salt: &[u8; 14], ssrc: u32, index: u64) -> [u8; 16] {
    let mut iv = (u128::from(ssrc) << 64 | u128::from(index) << 16).to_be_bytes();
    iv.iter_mut().zip(salt).for_each(|(byte, salt)| *byte ^= salt);
    iv
}

/// GCM's nonce of a packet (RFC 7714 §8.1, §9.1: for RTCP the index of 31 bits in 48).
fn nonce(salt: &[u8; 12], ssrc: u32, index: u64) -> [u8; 12] {
    let number = (u128::from(ssrc) << 48 | u128::from(index)).to_be_bytes();
    let mut nonce = *salt;
    let (_, number) = number.split_at(4);
    nonce.iter_mut().zip(number).for_each(|(byte, number)| *byte ^= number);
    nonce
}

/// What GCM authenticates of an RTCP packet beside its body (RFC 7714 §9.2).
fn rtcp_known(head: &[u8], word: u32) -> [u8; RTCP_HEADER_BYTES + INDEX_BYTES] {
    let mut known = [0; RTCP_HEADER_BYTES + INDEX_BYTES];
    let all = head.iter().copied().chain(word.to_be_bytes());
    known.iter_mut().zip(all).for_each(|(byte, all)| *byte = all);
    known
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::srtp::tests::hex;

    /// Ciphers of session keys as they are, for vectors that name those.
    pub fn of_session_keys(suite: Suite, key: &[u8], salt: &[u8]) -> Cipher {
        let way = match suite {
            Suite::Aes128Gcm => Way::Gcm {
                aes: Gcm::Short(AesGcm::new_from_slice(key).unwrap()),
                salt: salt.try_into().unwrap(),
            },
            Suite::Aes256Gcm => Way::Gcm {
                aes: Gcm::Long(AesGcm::new_from_slice(key).unwrap()),
                salt: salt.try_into().unwrap(),
            },
            _ => unreachable!("the vectors of RFC 7714"),
        };
        Cipher { way, tag_bytes: suite.rtp_tag_bytes() }
    }

    #[test]
    fn the_keystream_is_that_of_rfc_3711_b_2() {
        let salt = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD").try_into().unwrap();
        let mut stream = vec![0; 1_044_512];
        let key = hex("2B7E151628AED2A6ABF7158809CF4F3C");
        keystream(&key, &counter(&salt, 0, 0), &mut stream);
        let first = "E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB\
                     41E95B3BB0A2E8DD477901E4FCA894C0";
        let last = "EC8CDF7398607CB0F2D21675EA9EA1E4362B7C3C6773516318A077D7FC5073AE\
                    6A2CC3787889374FBEB4C81B17BA6C44";
        assert_eq!(stream[..48], hex(first));
        assert_eq!(stream[stream.len() - 48..], hex(last));
    }

    #[test]
    fn gcm_seals_and_opens_the_packets_of_rfc_7714_16_and_17() {
        let long = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        let salt = hex("517569642070726f2071756f");
        let rtp = hex("8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064\
             697669736120696e207061727465732074726573");
        let rtcp = hex("81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61\
             deadbeefdeadbeefdeadbeefdeadbeefdeadbeef");
        let table = [
            (
                Suite::Aes128Gcm,
                &long[..32],
                "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a\
                 51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce",
                "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda\
                 4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4",
            ),
            (
                Suite::Aes256Gcm,
                long,
                "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a02\
                 76ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
                "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be\
                 8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4",
            ),
        ];
        for (suite, key, srtp, srtcp) in table {
            let cipher = of_session_keys(suite, &hex(key), &salt);
            let mut buffer = rtp.clone();
            buffer.resize(rtp.len() + 16, 0);
            let (ssrc, index) = (0x5501_a0b2, 0xf17b);
            let sealed = cipher.seal_rtp(&mut buffer, 12..rtp.len(), ssrc, index);
            assert_eq!((sealed, &buffer), (Some(buffer.len()), &hex(srtp)));
            cipher.open_rtp(&mut buffer, 12..rtp.len(), ssrc, index).unwrap();
            assert_eq!(buffer[..rtp.len()], rtp);

            let mut buffer = rtcp.clone();
            buffer.resize(rtcp.len() + 20, 0);
            let (ssrc, word) = (0x4d61_7273, 0x8000_05d4);
            let sealed = cipher.seal_rtcp(&mut buffer, rtcp.len(), ssrc, word);
            assert_eq!((sealed, &buffer), (Some(buffer.len()), &hex(srtcp)));
            assert_eq!(cipher.rtcp_parts(&buffer), Some((word, rtcp.len())));
            cipher.open_rtcp(&mut buffer, rtcp.len(), ssrc, word).unwrap();
            assert_eq!(buffer[..rtcp.len()], rtcp);
        }
    }
}
