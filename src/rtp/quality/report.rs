//! One leg's sound in figures.

use super::Sums;
use super::listener::{impairment, opinion, rating};
use crate::sdp::Codec;

/// What the far side says of what we send it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Far {
    /// Lost in its last interval, in 256ths.
    pub fraction_lost: u8,
    /// The most of any interval, in 256ths.
    pub worst_lost: u8,
    /// Lost in all.
    pub lost: u32,
    /// Its jitter, microseconds.
    pub jitter_us: u32,
}

/// One leg's sound so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quality {
    /// The codec that it speaks now.
    pub codec: Codec,
    /// Packets that we sent.
    pub sent: u64,
    /// What came.
    pub sums: Sums,
    /// Jitter now, microseconds.
    pub jitter_us: u32,
    /// In the mean.
    pub jitter_mean_us: u32,
    /// At most.
    pub jitter_max_us: u32,
    /// The longest time without a packet where some were due, milliseconds.
    pub longest_gap_ms: u32,
    /// There and back between us and the phone, milliseconds, as the last reports tell.
    pub round_trip_ms: Option<u32>,
    /// What the far side hears.
    pub far: Option<Far>,
    /// The opinion of what comes in all, in hundredths, 100 to 450; none before anything came.
    pub mos: Option<u16>,
    /// Of the worst five seconds.
    pub worst_mos: Option<u16>,
}

/// How a talk is, for whoever only wants one word (ITU-T G.109: satisfied, some dissatisfied, the rest).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// An opinion of 4.0 and more.
    Good,
    /// 3.6 and more.
    Fair,
    /// 3.1 and more.
    Poor,
    /// Less.
    Bad,
}

impl Grade {
    /// Of an opinion in hundredths.
    #[must_use]
    pub const fn of(mos: u16) -> Self {
        match mos {
            400.. => Self::Good,
            360..400 => Self::Fair,
            310..360 => Self::Poor,
            _ => Self::Bad,
        }
    }
}

/// The opinion in hundredths of what came of what was due. The delay of the way is half the round trip, one
/// packet, and a listener's buffer of twice the jitter.
#[must_use]
pub fn mos(
    codec: Codec,
    due: u64,
    received: u64,
    jitter_us: u32,
    round_trip_ms: Option<u32>,
) -> Option<u16> {
    let small = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    if due == 0 {
        return None;
    }
    let loss = 100.0 * small(due.saturating_sub(received)) / small(due);
    let buffer_ms = 2.0 * f64::from(jitter_us) / 1000.0;
    let way_ms = f64::from(round_trip_ms.unwrap_or(0)) / 2.0;
    let mos = opinion(rating(impairment(codec), loss, way_ms + 20.0 + buffer_ms));
    // 100 to 450.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Some((mos * 100.0).round().clamp(100.0, 450.0) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_graded() {
        let table = [
            ("clean", 1000, 1000, 0, None, Some(441)),
            ("nothing was due", 0, 0, 0, None, None),
            ("5 %", 1000, 950, 0, Some(20), Some(391)),
            ("20 %", 1000, 800, 0, Some(20), Some(264)),
            ("more than was due", 10, 12, 0, None, Some(441)),
            ("600 ms there and back", 1000, 1000, 0, Some(600), Some(388)),
            ("all lost", 1000, 0, 0, None, Some(115)),
        ];
        for (case, due, received, jitter, trip, want) in table {
            let got = mos(Codec::Pcmu, due, received, jitter, trip);
            let near = match (got, want) {
                (Some(got), Some(want)) => u16::abs_diff(got, want) <= 3,
                (got, want) => got == want,
            };
            assert!(near, "{case}: {got:?}, {want:?}");
        }
        assert_eq!(
            [441, 391, 320, 200].map(Grade::of),
            [Grade::Good, Grade::Fair, Grade::Poor, Grade::Bad]
        );
    }
}
