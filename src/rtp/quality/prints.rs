//! Knowing a payload again: whether it is the one before, or one of those that we sent ourselves.

/// Payloads of ours that are remembered: a second or more.
const REMEMBERED: usize = 64;

/// What stands for a payload. Two that differ have the same one nearly never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Print {
    bits: u64,
    /// The same byte throughout: digital silence, or as good as.
    is_flat: bool,
}

impl Print {
    /// Looks at four places of eight bytes; none of a payload that is too short to tell.
    #[must_use]
    pub fn of(payload: &[u8]) -> Option<Self> {
        let length = payload.len();
        let place = |quarter: usize| {
            let last = length.checked_sub(8)?;
            let at = last.checked_mul(quarter)?.checked_div(3)?;
            let end = at.checked_add(8)?;
            payload.get(at..end)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
        };
        let [a, b, c, d] = [place(0)?, place(1)?, place(2)?, place(3)?];
        let is_flat = a == b && b == c && c == d && a == a.rotate_left(8);
        // Two primes of golden ratio's kind spread the bits.
        let mix =
            |sum: u64, word: u64| (sum ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        let bits = [b, c, d].into_iter().fold(mix(u64::try_from(length).unwrap_or(0), a), mix);
        Some(Self { bits, is_flat })
    }
}

/// What was sent to a leg lately, and how often it came back.
#[derive(Clone, Debug)]
pub struct Prints {
    sent: [u64; REMEMBERED],
    next: usize,
    before: Option<Print>,
    /// Payloads in a row that were the same.
    same: u32,
    /// Up for one that was ours, down for one that was not.
    back: u8,
    /// Counts what comes, so that only some of it is looked for.
    turn: u8,
}

impl Default for Prints {
    fn default() -> Self {
        Self { sent: [0; REMEMBERED], next: 0, before: None, same: 0, back: 0, turn: 0 }
    }
}

/// Of so many payloads one is looked for among ours: what comes back comes back whole, and to look costs
/// more than all else that is measured of a packet.
const LOOKED_FOR: u8 = 4;
/// So many of ours among those, less those that were not, are no chance: half a second.
const BACK: u8 = 6;

impl Prints {
    /// A payload was sent to the leg.
    pub fn sent(&mut self, payload: &[u8]) {
        let Some(print) = Print::of(payload).filter(|print| !print.is_flat) else { return };
        if let Some(place) = self.sent.get_mut(self.next) {
            *place = print.bits;
        }
        self.next = self.next.wrapping_add(1).checked_rem(REMEMBERED).unwrap_or(0);
    }

    /// A payload of voice came from the leg.
    pub fn heard(&mut self, payload: &[u8]) {
        let Some(print) = Print::of(payload) else {
            (self.before, self.same) = (None, 0);
            return;
        };
        let same = self.before.replace(print) == Some(print);
        self.same = if same { self.same.saturating_add(1) } else { 0 };
        self.turn = self.turn.wrapping_add(1);
        if !self.turn.is_multiple_of(LOOKED_FOR) {
            return;
        }
        let ours = !print.is_flat && !same && self.sent.contains(&print.bits);
        self.back =
            if ours { self.back.saturating_add(1).min(BACK) } else { self.back.saturating_sub(1) };
    }

    /// How many payloads in a row were the same as the one before.
    #[must_use]
    pub const fn same_in_a_row(&self) -> u32 {
        self.same
    }

    /// Whether what we send comes back.
    #[must_use]
    pub fn comes_back(&self) -> bool {
        self.back >= BACK
    }

    /// Whether none of it does any more.
    #[must_use]
    pub const fn stays_away(&self) -> bool {
        self.back == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Something like a voice: never the same twice.
    fn voice(seed: u64) -> Vec<u8> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let step = |state: &mut u64| {
            *state ^= *state << 13;
            *state ^= *state >> 7;
            *state ^= *state << 17;
            state.to_le_bytes()[0]
        };
        (0..160).map(|_| step(&mut state)).collect()
    }

    #[test]
    fn what_we_send_is_known_again_when_it_comes_back() {
        let mut prints = Prints::default();
        for n in 0..200 {
            prints.sent(&voice(n));
            if n >= 10 {
                prints.heard(&voice(n - 10));
            }
        }
        assert!(prints.comes_back());
        (300..330).for_each(|n| prints.heard(&voice(n)));
        assert!(prints.stays_away());
    }

    #[test]
    fn silence_on_both_sides_is_no_loop() {
        let mut prints = Prints::default();
        for _ in 0..500 {
            prints.sent(&[0xff; 160]);
            prints.heard(&[0xff; 160]);
        }
        assert!(!prints.comes_back());
        assert_eq!(prints.same_in_a_row(), 499);
        prints.heard(&voice(1));
        assert_eq!(prints.same_in_a_row(), 0);
    }

    #[test]
    fn two_who_speak_at_once_are_no_loop() {
        let mut prints = Prints::default();
        for n in 0..500 {
            prints.sent(&voice(n));
            prints.heard(&voice(n + 10_000));
        }
        assert!(!prints.comes_back());
        assert_eq!(prints.same_in_a_row(), 0);
    }

    #[test]
    fn a_short_payload_tells_nothing() {
        assert_eq!(Print::of(&[1; 7]), None);
        assert!(Print::of(&[1; 8]).is_some_and(|print| print.is_flat));
        assert!(Print::of(b"12345678").is_some_and(|print| !print.is_flat));
    }
}
