//! Writing our own control packets.

use super::Ntp;
use super::read::Block;
use crate::base::Rng;

/// Bytes of the longest datagram that we write: a sender report with one block, our name, a goodbye.
pub const WRITTEN_BYTES: usize = 52 + 28 + 8;

/// Characters of a name: 96 random bits.
const NAME_BYTES: usize = 16;

/// What a leg of ours is called (CNAME). By RFC 7022 §4.2 it is drawn anew for each leg, so that it tells
/// nothing of the machine and ties no two calls together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name([u8; NAME_BYTES]);

impl Name {
    /// A name that nobody else has.
    #[must_use]
    pub fn draw(rng: &mut Rng) -> Self {
        const LETTERS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut bits = [rng.bits(), rng.bits()];
        let mut letters = (0..NAME_BYTES).map(|at| {
            let word = if at < 10 { &mut bits[0] } else { &mut bits[1] };
            let six = usize::try_from(*word & 0x3f).unwrap_or(0);
            *word >>= 6;
            LETTERS.get(six).copied().unwrap_or(b'A')
        });
        Self(std::array::from_fn(|_| letters.next().unwrap_or(b'A')))
    }
}

/// What we say of the stream that we send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Now.
    pub ntp: Ntp,
    /// Now by the stream's own clock.
    pub timestamp: u32,
    /// Packets sent.
    pub packets: u32,
    /// Bytes of payload sent.
    pub octets: u32,
}

/// One report of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report<'a> {
    /// Our number for the stream.
    pub ssrc: u32,
    /// Who says it.
    pub name: &'a Name,
    /// Set when we have sent since the last but one (RFC 3550 §6.4).
    pub sender: Option<Sender>,
    /// What we hear.
    pub block: Option<Block>,
    /// It is our last.
    pub bye: bool,
}

/// Writes a report to the beginning of `target` and returns its length; 0 when it does not fit.
pub fn write(target: &mut [u8], report: &Report<'_>) -> usize {
    let mut out = Words { target, at: 0 };
    write_all(&mut out, report).map_or(0, |()| out.at)
}

fn write_all(out: &mut Words<'_>, report: &Report<'_>) -> Option<()> {
    let blocks = u32::from(report.block.is_some());
    let block_words = blocks.wrapping_mul(6);
    match &report.sender {
        Some(sender) => {
            out.head(blocks, 200, block_words.wrapping_add(6))?;
            let ntp = sender.ntp.0;
            let [high, low] =
                [ntp >> 32, ntp & 0xffff_ffff].map(|half| u32::try_from(half).unwrap_or(0));
            out.words([report.ssrc, high, low, sender.timestamp, sender.packets, sender.octets])?;
        }
        None => {
            out.head(blocks, 201, block_words.wrapping_add(1))?;
            out.words([report.ssrc])?;
        }
    }
    if let Some(block) = &report.block {
        // Held to what 24 bits with a sign can say (RFC 3550 §A.3).
        let [_, l0, l1, l2] = block.lost.clamp(-0x80_0000, 0x7f_ffff).to_be_bytes();
        let loss = u32::from_be_bytes([block.fraction_lost, l0, l1, l2]);
        out.words([block.ssrc, loss, block.highest, block.jitter, block.last, block.delay])?;
    }
    // RFC 3550 §6.5: one chunk of one item, ended by zeros to a whole word.
    out.head(1, 202, 6)?;
    out.words([report.ssrc])?;
    out.bytes(&[1, 16])?;
    out.bytes(&report.name.0)?;
    out.bytes(&[0, 0])?;
    if report.bye {
        out.head(1, 203, 1)?;
        out.words([report.ssrc])?;
    }
    Some(())
}

/// Words written one behind another.
struct Words<'a> {
    target: &'a mut [u8],
    at: usize,
}

impl Words<'_> {
    fn head(&mut self, count: u32, kind: u32, words: u32) -> Option<()> {
        self.words([(2 << 30) | (count << 24) | (kind << 16) | words])
    }

    fn words<const N: usize>(&mut self, words: [u32; N]) -> Option<()> {
        words.iter().try_for_each(|word| self.bytes(&word.to_be_bytes()))
    }

    fn bytes(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.at.checked_add(bytes.len())?;
        self.target.get_mut(self.at..end)?.copy_from_slice(bytes);
        self.at = end;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::read::{Item, read};
    use super::*;
    use crate::base::Rng;
    use proptest::prelude::{prop_assert, proptest};

    fn block(ssrc: u32, lost: i32) -> Block {
        Block { ssrc, fraction_lost: 12, lost, highest: 65_540, jitter: 9, last: 1, delay: 2 }
    }

    #[test]
    fn what_is_written_is_read() {
        let name = Name::draw(&mut Rng::from_number(1));
        let sender = Sender { ntp: Ntp(0x1_0002_0003_0004), timestamp: 5, packets: 6, octets: 7 };
        let mut target = [0; WRITTEN_BYTES];
        for (sender, lost, bye) in
            [(Some(sender), Some(3), true), (None, Some(-9_000_000), false), (None, None, true)]
        {
            let block = lost.map(|lost| block(8, lost));
            let length = write(&mut target, &Report { ssrc: 7, name: &name, sender, block, bye });
            assert_eq!(length % 4, 0);
            let items: Vec<_> = read(&target[..length]).unwrap().collect();
            let mut want = Vec::new();
            want.extend(sender.map(|_| Item::Sends { ssrc: 7, ntp: 0x0002_0003, packets: 6 }));
            let held = block.map(|block| Block { lost: block.lost.max(-0x80_0000), ..block });
            want.extend(held.map(|block| Item::Hears { by: 7, block }));
            want.extend(bye.then_some(Item::Bye { ssrc: 7 }));
            assert_eq!(items, want);
        }
    }

    #[test]
    fn the_longest_just_fits() {
        let name = Name::draw(&mut Rng::from_number(1));
        let sender = Sender { ntp: Ntp(1), timestamp: 5, packets: 6, octets: 7 };
        let report = Report {
            ssrc: 7,
            name: &name,
            sender: Some(sender),
            block: Some(block(8, 1)),
            bye: true,
        };
        assert_eq!(write(&mut [0; WRITTEN_BYTES], &report), WRITTEN_BYTES);
        assert_eq!(write(&mut [0; WRITTEN_BYTES - 1], &report), 0);
    }

    #[test]
    fn a_name_tells_nothing_and_is_never_the_same() {
        let mut rng = Rng::from_number(1);
        let names: Vec<_> = (0..200).map(|_| Name::draw(&mut rng)).collect();
        for (at, name) in names.iter().enumerate() {
            assert!(name.0.iter().all(|c| c.is_ascii_alphanumeric() || b"+/".contains(c)));
            assert!(!names[..at].contains(name));
        }
    }

    proptest! {
        #[test]
        fn no_room_makes_it_panic(room in 0..WRITTEN_BYTES) {
            let name = Name::draw(&mut Rng::from_number(1));
            let report = Report { ssrc: 7, name: &name, sender: None, block: Some(block(8, 1)), bye: true };
            let mut target = vec![0; room];
            prop_assert!(write(&mut target, &report) <= room);
        }
    }
}
