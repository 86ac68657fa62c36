//! One stream's packets cut anew to the length that its receiver asked for (RFC 8866 §6.4 and §6.5), in
//! codecs whose every byte is a tick of the clock: G.711 and G.722. Holds back less than one packet.

/// Most bytes that may come before they are cut: a longer packet is broken off.
const ROOM: usize = 2_048;

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framed {
    /// It is in; what is whole can be cut off.
    Taken,
    /// Its time is over, or it came before.
    Late,
}

/// The cutter of one leaving stream.
#[derive(Clone, Debug)]
pub struct Framer {
    /// Bytes of a packet.
    want: usize,
    held: Box<[u8; ROOM]>,
    /// Bytes held, and the timestamp of the first.
    have: usize,
    first: u32,
    /// The stream that is cut, and the timestamp that follows on what has come; none before.
    source: Option<(u32, u32)>,
}

impl Framer {
    /// Cuts packets of `want` bytes, 1 to 480.
    #[must_use]
    pub fn new(want: usize) -> Self {
        Self { want, held: Box::new([0; ROOM]), have: 0, first: 0, source: None }
    }

    /// Bytes of a packet that it cuts.
    #[must_use]
    pub const fn want(&self) -> usize {
        self.want
    }

    /// Whether this packet is to go through it: it is of another length, or one of its stream did.
    #[must_use]
    pub fn applies(&self, ssrc: u32, bytes: usize) -> bool {
        bytes != self.want || self.cuts(ssrc)
    }

    /// Whether it cuts this stream.
    #[must_use]
    pub fn cuts(&self, ssrc: u32) -> bool {
        self.source.is_some_and(|(same, _)| same == ssrc)
    }

    /// What is left of the sound before, when this packet does not follow on it: a last, short packet.
    pub fn rest(&mut self, ssrc: u32, timestamp: u32, room: &mut [u8]) -> Option<(u32, usize)> {
        let (same, next) = self.source?;
        if same != ssrc {
            // The sound of somebody who is no longer heard.
            self.have = 0;
            return None;
        }
        if timestamp == next || is_behind(timestamp, next) || self.have == 0 {
            return None;
        }
        self.cut_off(self.have, room)
    }

    /// Takes a packet's sound in.
    pub fn take(&mut self, ssrc: u32, timestamp: u32, sound: &[u8]) -> Framed {
        if let Some((same, next)) = self.source
            && same == ssrc
            && timestamp != next
            && is_behind(timestamp, next)
        {
            return Framed::Late;
        }
        if self.have == 0 || !self.cuts(ssrc) {
            (self.have, self.first) = (0, timestamp);
        }
        let room = self.held.get_mut(self.have..).unwrap_or_default();
        let count = sound.len().min(room.len());
        room.iter_mut().zip(sound).for_each(|(to, from)| *to = *from);
        self.have = self.have.saturating_add(count);
        self.source = Some((ssrc, timestamp.wrapping_add(ticks(sound.len()))));
        Framed::Taken
    }

    /// Cuts the next whole packet off: its timestamp, and its bytes in `room`.
    pub fn cut(&mut self, room: &mut [u8]) -> Option<(u32, usize)> {
        if self.have < self.want { None } else { self.cut_off(self.want, room) }
    }

    fn cut_off(&mut self, count: usize, room: &mut [u8]) -> Option<(u32, usize)> {
        let piece = self.held.get(..count)?;
        room.get_mut(..count)?.copy_from_slice(piece);
        let timestamp = self.first;
        self.held.copy_within(count.., 0);
        self.have = self.have.saturating_sub(count);
        self.first = self.first.wrapping_add(ticks(count));
        Some((timestamp, count))
    }
}

fn ticks(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(0)
}

/// Whether a timestamp lies behind another by less than ten seconds.
const fn is_behind(timestamp: u32, other: u32) -> bool {
    other.wrapping_sub(timestamp) < 80_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Cuts packets of `came` bytes, numbered byte by byte, whose numbers are in `order`.
    fn cut(want: usize, came: usize, from: u32, order: &[u32]) -> Vec<(u32, Vec<u8>)> {
        let mut framer = Framer::new(want);
        let mut out = Vec::new();
        let mut room = [0; ROOM];
        for number in order {
            let at = from.wrapping_add(number * u32::try_from(came).unwrap());
            let sound: Vec<u8> = (0..came)
                .map(|n| at.wrapping_add(u32::try_from(n).unwrap()).to_le_bytes()[0])
                .collect();
            if let Some((timestamp, count)) = framer.rest(7, at, &mut room) {
                out.push((timestamp, room[..count].to_vec()));
            }
            if framer.take(7, at, &sound) == Framed::Late {
                continue;
            }
            while let Some((timestamp, count)) = framer.cut(&mut room) {
                out.push((timestamp, room[..count].to_vec()));
            }
            assert!(framer.have < want, "less than a packet is held back");
        }
        out
    }

    #[test]
    fn packets_are_cut_to_what_was_asked_for() {
        let lengths = |want, came, order: &[u32]| -> Vec<(u32, usize)> {
            let cut = cut(want, came, 1000, order);
            cut.into_iter().map(|(timestamp, sound)| (timestamp, sound.len())).collect()
        };
        assert_eq!(lengths(160, 240, &[0, 1]), [(1000, 160), (1160, 160), (1320, 160)]);
        assert_eq!(lengths(240, 160, &[0, 1, 2]), [(1000, 240), (1240, 240)]);
        assert_eq!(lengths(160, 480, &[0]), [(1000, 160), (1160, 160), (1320, 160)]);
        // A lost packet: the rest goes out short, and the clock has its gap.
        assert_eq!(lengths(160, 240, &[0, 2]), [(1000, 160), (1160, 80), (1480, 160)]);
        assert_eq!(
            lengths(160, 240, &[1, 0, 1, 2]),
            [(1240, 160), (1400, 160), (1560, 160)],
            "late"
        );
    }

    proptest! {
        #[test]
        fn every_byte_keeps_its_time_and_none_is_said_twice(
            want in 1_usize..=6, came in 1_usize..=6, from in any::<u32>(), lost in any::<u64>(),
        ) {
            let order: Vec<u32> = (0..60).filter(|n| lost & (1 << n) == 0).collect();
            let mut next = None;
            for (timestamp, sound) in cut(want * 80, came * 80, from, &order) {
                let ahead = next.map_or(0, |next| timestamp.wrapping_sub(next));
                prop_assert!(ahead < 80 * 60 * 6);
                for (at, byte) in (0_u32..).zip(&sound) {
                    prop_assert_eq!(*byte, timestamp.wrapping_add(at).to_le_bytes()[0]);
                }
                next = Some(timestamp.wrapping_add(u32::try_from(sound.len()).unwrap()));
            }
        }
    }
}
