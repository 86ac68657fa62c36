//! What is remembered of each stream under one key: how far it came and which of its last packets were
//! there. The sealing side keeps the same, so that no number is used twice.

/// Packets behind the newest one that are still told apart (RFC 3711 §3.3.2 asks for 64 or more): 2.5 s
/// of packets of 20 ms.
pub const WINDOW: u64 = 128;

/// Streams (SSRCs) under one key. A peer that restarts its stream takes a new one each time; the 65th is
/// refused, because to forget one is to hear it again from somebody who wrote it down.
pub const SOURCES: usize = 64;

/// One stream. An index is the sequence number under the count of its rounds (48 bits), or the index of
/// SRTCP (31 bits).
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    ssrc: u32,
    newest: u64,
    /// Bit n: the packet n behind the newest was there. Bit 0 is the newest.
    seen: u128,
}

/// Where a stream is kept, or that it is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Known(usize),
    New,
}

/// All streams under one key.
#[derive(Debug, Default)]
pub(super) struct Sources {
    known: Vec<Source>,
    /// Where the last packet's is: nearly always the next one's too.
    last: usize,
}

/// The sequence numbers went round as often as they may.
#[derive(Debug)]
pub(super) struct Spent;

impl Sources {
    /// None when there are as many as may be and this is none of them.
    pub(super) fn find(&self, ssrc: u32) -> Option<Place> {
        if self.known.get(self.last).is_some_and(|source| source.ssrc == ssrc) {
            return Some(Place::Known(self.last));
        }
        match self.known.iter().position(|source| source.ssrc == ssrc) {
            Some(at) => Some(Place::Known(at)),
            None if self.known.len() < SOURCES => Some(Place::New),
            None => None,
        }
    }

    /// The index that a packet most likely has (RFC 3711 §3.3.1, appendix A): the one nearest to the newest.
    /// A new stream begins in its first round.
    pub(super) fn index_of(&self, place: Place, seq: u16) -> Result<u64, Spent> {
        let Some(source) = self.source(place) else { return Ok(u64::from(seq)) };
        let round = source.newest >> 16;
        let [.., high, low] = source.newest.to_be_bytes();
        let newest = u16::from_be_bytes([high, low]);
        let round = if newest < 0x8000 {
            match seq.checked_sub(newest) {
                // Before the first round there was nothing, so it lies far ahead in it; libsrtp says so too.
                Some(ahead) if ahead > 0x8000 => round.saturating_sub(1),
                _ => round,
            }
        } else if newest.wrapping_sub(0x8000) > seq {
            round.saturating_add(1)
        } else {
            round
        };
        if round > u64::from(u32::MAX) {
            return Err(Spent);
        }
        Ok(round << 16 | u64::from(seq))
    }

    /// Whether a packet was not there yet, as far as the window tells.
    pub(super) fn is_fresh(&self, place: Place, index: u64) -> bool {
        let Some(source) = self.source(place) else { return true };
        match source.newest.checked_sub(index) {
            None => true,
            Some(behind) if behind < WINDOW => source.seen >> behind & 1 == 0,
            Some(_) => false,
        }
    }

    /// A packet was there, and proved to be the sender's.
    pub(super) fn take(&mut self, place: Place, ssrc: u32, index: u64) {
        let at = match place {
            Place::Known(at) => at,
            Place::New => {
                self.known.push(Source { ssrc, newest: index, seen: 0 });
                self.known.len().saturating_sub(1)
            }
        };
        self.last = at;
        let Some(source) = self.known.get_mut(at) else { return };
        let shift = |span: u64| u32::try_from(span).unwrap_or(u32::MAX);
        if let Some(ahead) = index.checked_sub(source.newest) {
            source.seen = source.seen.checked_shl(shift(ahead)).unwrap_or(0) | 1;
            source.newest = index;
        } else {
            let behind = shift(source.newest.saturating_sub(index));
            source.seen |= 1_u128.checked_shl(behind).unwrap_or(0);
        }
    }

    fn source(&self, place: Place) -> Option<&Source> {
        match place {
            Place::Known(at) => self.known.get(at),
            Place::New => None,
        }
    }

    /// A stream as it would be after a long time.
    #[cfg(test)]
    pub(super) fn at(ssrc: u32, newest: u64) -> Self {
        Self { known: vec![Source { ssrc, newest, seen: 1 }], last: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_round_of_a_number_is_the_nearest() {
        let round = 1_u64 << 16;
        let table = [
            ("the next", 5, 6, 6),
            ("one behind", 5, 4, 4),
            ("round the corner", 0xffff, 0, round),
            ("late from before the corner", round, 0xffff, 0xffff),
            ("half the circle ahead", 0, 0x8000, 0x8000),
            ("more is behind", round, 0x8001, 0x8001),
            ("half the circle behind", 0x8000, 0, 0),
            ("more is ahead", 0x8001, 0, round),
            ("far ahead in the first round", 0, 0xffff, 0xffff),
        ];
        for (case, newest, seq, want) in table {
            let sources = Sources::at(1, newest);
            assert_eq!(sources.index_of(Place::Known(0), seq).unwrap(), want, "{case}");
        }
        let last = Sources::at(1, (1 << 48) - 1);
        assert!(last.index_of(Place::Known(0), 0).is_err(), "48 bits are used up");
        assert!(last.index_of(Place::Known(0), 0xfff0).is_ok());
        assert_eq!(last.index_of(Place::New, 9).unwrap(), 9);
    }

    #[test]
    fn each_number_is_taken_once_and_only_within_the_window() {
        let mut sources = Sources::default();
        let known = Place::Known(0);
        sources.take(Place::New, 7, 1000);
        assert!(!sources.is_fresh(known, 1000));
        assert!(sources.is_fresh(known, 1001) && sources.is_fresh(known, 1000 + (1 << 20)));
        assert!(sources.is_fresh(known, 1001 - WINDOW));
        assert!(!sources.is_fresh(known, 1000 - WINDOW));
        sources.take(known, 7, 900);
        assert!(!sources.is_fresh(known, 900));
        sources.take(known, 7, 1002);
        for (index, fresh) in
            [(900, false), (1000, false), (1001, true), (1002, false), (903, true)]
        {
            assert_eq!(sources.is_fresh(known, index), fresh, "{index}");
        }
        sources.take(known, 7, 1_000_000);
        assert!(sources.is_fresh(known, 999_999) && !sources.is_fresh(known, 1002));
    }

    #[test]
    fn a_stream_too_many_has_no_place() {
        let mut sources = Sources::default();
        for ssrc in 0..64 {
            assert_eq!(sources.find(ssrc), Some(Place::New));
            sources.take(Place::New, ssrc, 0);
        }
        assert_eq!(sources.find(64), None);
        assert_eq!(sources.find(3), Some(Place::Known(3)));
    }
}
