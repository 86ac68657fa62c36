//! Recordings encrypted at rest: AES-256-GCM (NIST SP 800-38D) in pieces, so that a file can be written
//! as the call goes and what was written before a crash can be read. docs/RECORDING.md gives the format
//! for others to read it.
//!
//! A file is `MDGREC01`, 32 random bytes, then pieces of 16,384 bytes sealed to 16,400; the last one may
//! be shorter, or empty. The file's own key is HMAC-SHA256(site key, `madoguchi recording` and the random
//! bytes). A piece's nonce is seven zeros, its number from 0 (4 bytes, big end first), and 1 for the
//! last one, else 0; the first 40 bytes of the file go with each as associated data. So a piece that is
//! missing, swapped, cut or from another file is found out.

use aes_gcm::aead::AeadInOut as _;
use aes_gcm::{Aes256Gcm, KeyInit, Nonce, Tag};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::{Zeroize as _, Zeroizing};

/// What a sealed file begins with.
pub const MAGIC: &[u8; 8] = b"MDGREC01";
/// Bytes before the first piece.
pub const HEADER_BYTES: usize = 40;
/// Sound in a piece that is not the last.
pub const PIECE_BYTES: usize = 16_384;
/// What a seal adds to a piece.
pub const TAG_BYTES: usize = 16;
/// A sealed piece.
pub const SEALED_BYTES: usize = PIECE_BYTES + TAG_BYTES;

/// The site's key, 32 bytes. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SiteKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for SiteKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SiteKey(…)")
    }
}

/// Why a key file cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key is 64 hexadecimal digits; make one with: openssl rand -hex 32")]
pub struct BadKey;

impl SiteKey {
    /// From the text of a key file: 64 hexadecimal digits, white space around them.
    ///
    /// # Errors
    ///
    /// [`BadKey`].
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let digits = text.trim().as_bytes();
        let mut key = Zeroizing::new([0; 32]);
        if digits.len() != 64 {
            return Err(BadKey);
        }
        for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = pair else { return Err(BadKey) };
            let digit = |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok());
            let (Some(high), Some(low)) = (digit(*high), digit(*low)) else { return Err(BadKey) };
            *byte = high << 4 | low;
        }
        Ok(Self(key))
    }

    fn cipher(&self, header: &[u8; HEADER_BYTES]) -> Option<Aes256Gcm> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice()).ok()?;
        mac.update(b"madoguchi recording");
        mac.update(header.get(MAGIC.len()..)?);
        let key = Zeroizing::new(<[u8; 32]>::from(mac.finalize().into_bytes()));
        Aes256Gcm::new_from_slice(key.as_slice()).ok()
    }
}

fn nonce(number: u32, last: bool) -> [u8; 12] {
    let mut nonce = [0; 12];
    let fields = number.to_be_bytes().into_iter().chain([u8::from(last)]);
    for (place, byte) in nonce.iter_mut().skip(7).zip(fields) {
        *place = byte;
    }
    nonce
}

/// Seals one file as it is written.
pub struct Sealing {
    cipher: Aes256Gcm,
    header: [u8; HEADER_BYTES],
    next: u32,
    waiting: Vec<u8>,
}

impl Sealing {
    /// A new file; `salt` must be random. Its first bytes are appended to `out`.
    #[must_use]
    pub fn begin(key: &SiteKey, salt: [u8; 32], out: &mut Vec<u8>) -> Option<Self> {
        let mut header = [0; HEADER_BYTES];
        for (place, byte) in header.iter_mut().zip(MAGIC.iter().chain(&salt)) {
            *place = *byte;
        }
        let cipher = key.cipher(&header)?;
        out.extend_from_slice(&header);
        let waiting = Vec::with_capacity(PIECE_BYTES);
        Some(Self { cipher, header, next: 0, waiting })
    }

    /// Takes bytes; whole pieces that are not the last are appended to `out`.
    pub fn write(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while !bytes.is_empty() {
            // A full piece waits for a further byte: it might have been the last.
            if self.waiting.len() == PIECE_BYTES {
                self.seal(false, out);
            }
            let room = PIECE_BYTES.saturating_sub(self.waiting.len());
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.waiting.extend_from_slice(now);
            bytes = later;
        }
    }

    /// Appends the last piece.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        self.seal(true, out);
    }

    fn seal(&mut self, last: bool, out: &mut Vec<u8>) {
        let nonce = Nonce::from(nonce(self.next, last));
        self.next = self.next.saturating_add(1); // 2^32 pieces are 70 TB
        let sealed = self.cipher.encrypt_inout_detached(
            &nonce,
            &self.header,
            self.waiting.as_mut_slice().into(),
        );
        // It refuses only what is longer than 64 GiB.
        if let Ok(tag) = sealed {
            out.extend_from_slice(&self.waiting);
            out.extend_from_slice(&tag);
        }
        self.waiting.zeroize();
        self.waiting.clear();
    }
}

/// Why a sealed file cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It is none of ours.
    #[error("this is no sealed recording")]
    NotSealed,
    /// Another key, or somebody changed it.
    #[error(
        "piece {number} is not sealed by this key: it is another site's key, or the file was changed"
    )]
    Forged {
        /// Which piece, from 0.
        number: u32,
    },
    /// The end is missing.
    #[error("the file ends too early, after {number} pieces: its end was cut off")]
    CutShort {
        /// Pieces that are whole.
        number: u32,
    },
}

/// Opens one file piece by piece.
pub struct Opening {
    cipher: Aes256Gcm,
    header: [u8; HEADER_BYTES],
    next: u32,
    ended: bool,
}

impl Opening {
    /// By the file's first bytes.
    ///
    /// # Errors
    ///
    /// [`Broken::NotSealed`].
    pub fn begin(key: &SiteKey, header: &[u8]) -> Result<Self, Broken> {
        let header: [u8; HEADER_BYTES] = header
            .get(..HEADER_BYTES)
            .and_then(|it| it.try_into().ok())
            .ok_or(Broken::NotSealed)?;
        if !header.starts_with(MAGIC) {
            return Err(Broken::NotSealed);
        }
        let cipher = key.cipher(&header).ok_or(Broken::NotSealed)?;
        Ok(Self { cipher, header, next: 0, ended: false })
    }

    /// The next piece to be opened is this one, from 0.
    pub fn go_to(&mut self, piece: u32) {
        self.next = piece;
    }

    /// Opens the next piece: [`SEALED_BYTES`], or what the file has left at its end. What comes back of a
    /// forged piece is nothing.
    ///
    /// # Errors
    ///
    /// [`Broken`].
    pub fn open<'a>(&mut self, piece: &'a mut [u8], at_end: bool) -> Result<&'a [u8], Broken> {
        let number = self.next;
        let length = piece.len().checked_sub(TAG_BYTES).ok_or(Broken::CutShort { number })?;
        let (sound, tag) = piece.split_at_mut(length);
        let tag = Tag::try_from(&*tag).map_err(|_| Broken::CutShort { number })?;
        let try_as = |last: bool, sound: &mut [u8]| {
            let nonce = Nonce::from(nonce(number, last));
            self.cipher.decrypt_inout_detached(&nonce, &self.header, sound.into(), &tag).is_ok()
        };
        if try_as(at_end, sound) {
            self.next = number.saturating_add(1);
            self.ended = at_end;
            return Ok(sound);
        }
        // Good, but said not to be the last: what follows was cut off between two pieces.
        if at_end && length == PIECE_BYTES && try_as(false, sound) {
            return Err(Broken::CutShort { number: number.saturating_add(1) });
        }
        Err(Broken::Forged { number })
    }
}

/// How a file whose writer died is ended: how many of its bytes are kept, and what is appended. The
/// sound of a piece that was not whole is lost.
#[must_use]
pub fn mended(key: &SiteKey, header: &[u8], bytes: u64) -> Option<(u64, Vec<u8>)> {
    let header: [u8; HEADER_BYTES] = header.get(..HEADER_BYTES)?.try_into().ok()?;
    let whole = bytes.checked_sub(HEADER_BYTES as u64)?.checked_div(SEALED_BYTES as u64)?;
    let kept = whole.checked_mul(SEALED_BYTES as u64)?.checked_add(HEADER_BYTES as u64)?;
    let next = u32::try_from(whole).ok()?;
    if !header.starts_with(MAGIC) {
        return None;
    }
    let mut end = Vec::new();
    let cipher = key.cipher(&header)?;
    Sealing { cipher, header, next, waiting: Vec::new() }.finish(&mut end);
    Some((kept, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(digit: char) -> SiteKey {
        SiteKey::parse(&digit.to_string().repeat(64)).expect("64 digits")
    }

    fn sealed(plain: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut sealing = Sealing::begin(&key('7'), [3; 32], &mut out).expect("a key");
        for part in plain.chunks(1000) {
            sealing.write(part, &mut out);
        }
        sealing.finish(&mut out);
        out
    }

    fn opened(key: &SiteKey, file: &[u8]) -> Result<Vec<u8>, Broken> {
        let mut opening = Opening::begin(key, file)?;
        let mut plain = Vec::new();
        let pieces: Vec<&[u8]> = file[HEADER_BYTES..].chunks(SEALED_BYTES).collect();
        if pieces.is_empty() {
            return Err(Broken::CutShort { number: 0 });
        }
        for (n, piece) in pieces.iter().enumerate() {
            let mut piece = piece.to_vec();
            plain.extend_from_slice(opening.open(&mut piece, n + 1 == pieces.len())?);
        }
        Ok(plain)
    }

    #[test]
    fn what_was_sealed_is_opened_whatever_its_length() {
        for length in [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES] {
            let plain: Vec<u8> = (0_u8..251).cycle().take(length).collect();
            assert_eq!(opened(&key('7'), &sealed(&plain)), Ok(plain), "{length}");
        }
    }

    #[test]
    fn a_file_that_was_cut_swapped_or_changed_is_found_out() {
        let plain = vec![9; 3 * PIECE_BYTES + 10];
        let file = sealed(&plain);
        let at = |n: usize| HEADER_BYTES + n * SEALED_BYTES;
        let cut = |to: usize| opened(&key('7'), &file[..to]);
        assert_eq!(cut(at(2)), Err(Broken::CutShort { number: 2 }));
        assert_eq!(cut(at(2) + 5), Err(Broken::CutShort { number: 2 }));
        assert!(cut(at(2) + 500).is_err());
        assert_eq!(cut(HEADER_BYTES), Err(Broken::CutShort { number: 0 }));

        let mut swapped = file.clone();
        let (a, b) = (at(0)..at(1), at(1)..at(2));
        swapped.copy_within(b.clone(), a.start);
        swapped[b].copy_from_slice(&file[a]);
        assert_eq!(opened(&key('7'), &swapped), Err(Broken::Forged { number: 0 }));

        let mut missing = file[..at(1)].to_vec();
        missing.extend_from_slice(&file[at(2)..]);
        assert_eq!(opened(&key('7'), &missing), Err(Broken::Forged { number: 1 }));

        for at in [0, 20, HEADER_BYTES, at(1) + 7, file.len() - 1] {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(opened(&key('7'), &changed).is_err(), "byte {at}");
        }
        assert_eq!(opened(&key('8'), &file), Err(Broken::Forged { number: 0 }));
    }

    #[test]
    fn a_file_whose_writer_died_is_ended_after_its_last_whole_piece() {
        let plain: Vec<u8> = (0_u8..251).cycle().take(3 * PIECE_BYTES).collect();
        let file = sealed(&plain);
        let died = &file[..HEADER_BYTES + 2 * SEALED_BYTES + 77];
        let (kept, end) = mended(&key('7'), died, died.len() as u64).expect("ours");
        let mut file = died[..usize::try_from(kept).expect("small")].to_vec();
        file.extend_from_slice(&end);
        assert_eq!(opened(&key('7'), &file), Ok(plain[..2 * PIECE_BYTES].to_vec()));
    }

    #[test]
    fn a_key_is_64_digits_and_shows_itself_to_nobody() {
        assert!(SiteKey::parse(&format!(" {}\n", "aB".repeat(32))).is_ok());
        for bad in ["", "00", &"g0".repeat(32), &"0".repeat(66)] {
            assert_eq!(SiteKey::parse(bad), Err(BadKey));
        }
        assert_eq!(format!("{:?}", key('7')), "SiteKey(…)");
    }
}
