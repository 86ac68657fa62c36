//! The control packets beside a stream (RTCP, RFC 3550 §6): what they say, when they are due, and from
//! where they may come. Pure: bytes and the time go in. Knows no socket and nothing of the sound itself.
//!
//! Read: sender and receiver reports and goodbyes, in compounds or alone (RFC 5506); everything else is
//! stepped over. Written: a report of ours with our name (SDES CNAME), and a goodbye.

mod due;
mod lock;
mod read;
mod write;

pub use due::{Due, LEAST_INTERVAL};
pub use lock::RtcpLock;
pub use read::{Block, Item, Items, Malformed, is_rtcp, read};
pub use write::{Name, Report, Sender, WRITTEN_BYTES, write};

use crate::base::Mono;

/// Seconds from 1900 in the high half, parts of a second in the low one (RFC 3550 §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ntp(pub u64);

/// Seconds from 1900 to 1970.
const SECONDS_TO_1970: u64 = 2_208_988_800;

impl Ntp {
    /// From milliseconds since 1970.
    #[must_use]
    pub fn from_unix_ms(ms: i64) -> Self {
        let ms = u64::try_from(ms).unwrap_or(0);
        let seconds = ms.checked_div(1000).unwrap_or(0).wrapping_add(SECONDS_TO_1970);
        let rest = ms.checked_rem(1000).unwrap_or(0);
        let part = (rest << 32).checked_div(1000).unwrap_or(0);
        Self((seconds << 32) | part)
    }

    /// The moment that lies so much after this one: `now`, when this is what the clock said at
    /// [`Mono::ZERO`]. What is told so never jumps.
    #[must_use]
    pub fn after(self, now: Mono) -> Self {
        let micros = u128::from(now.0) << 32;
        let parts = micros.checked_div(1_000_000).unwrap_or(0) & u128::from(u64::MAX);
        Self(self.0.wrapping_add(u64::try_from(parts).unwrap_or(0)))
    }

    /// The middle 32 bits: 1/65,536 s, around in 18 hours.
    #[must_use]
    pub fn middle(self) -> u32 {
        u32::try_from((self.0 >> 16) & 0xffff_ffff).unwrap_or(0)
    }
}

/// Longest round trip that is believed; more is a broken clock.
const MOST_ROUND_TRIP_MS: u32 = 30_000;

/// The way there and back, milliseconds, from what a report says of our last one (RFC 3550 §6.4.1): when
/// that was sent (`last`), and how long the peer kept it (`delay`). None when it has none of ours, or what
/// it says cannot be.
#[must_use]
pub fn round_trip_ms(last: u32, delay: u32, now: Ntp) -> Option<u32> {
    if last == 0 {
        return None;
    }
    let ticks = now.middle().wrapping_sub(last).wrapping_sub(delay);
    // A peer that counts its delay in whole milliseconds is ahead by as much.
    let ticks = if ticks > 0xffff_ff00 { 0 } else { ticks };
    let ms = u64::from(ticks).wrapping_mul(1000) >> 16;
    u32::try_from(ms).ok().filter(|ms| *ms <= MOST_ROUND_TRIP_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_gives_its_round_trip() {
        // RFC 3550 §6.4.1, figure 2: sent at 46853.125, kept for 5.250, back at 46864.500: 6.125 s.
        let now = Ntp(0x0000_b710_8000_0000);
        assert_eq!(now.middle(), 0xb710_8000);
        assert_eq!(round_trip_ms(0xb705_2000, 0x0005_4000, now), Some(6125));
    }

    #[test]
    fn what_cannot_be_is_no_round_trip() {
        let now = Ntp(0x0000_b710_8000_0000);
        let table = [
            ("none of ours came", 0, 0, None),
            ("at once", 0xb710_8000, 0, Some(0)),
            ("ahead by a rounding", 0xb710_8000, 0x20, Some(0)),
            ("kept longer than it was away", 0xb705_2000, 0x0015_4000, None),
            ("hours", 0x1705_2000, 0, None),
            ("around the end of the counter", 0xffff_8000, 0xb710_0000, Some(1000)),
        ];
        for (case, last, delay, want) in table {
            assert_eq!(round_trip_ms(last, delay, now), want, "{case}");
        }
    }

    #[test]
    fn our_clock_never_jumps() {
        let start = Ntp::from_unix_ms(1_700_000_000_500);
        assert_eq!(start.0 >> 32, 1_700_000_000 + 2_208_988_800);
        assert_eq!(start.0 & 0xffff_ffff, 1 << 31);
        assert_eq!(start.after(Mono(1_500_000)).0, start.0 + (3 << 31));
        assert_eq!(Ntp::from_unix_ms(-5), Ntp::from_unix_ms(0));
    }
}
