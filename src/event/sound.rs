//! What the history says of the sound of a call's legs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A step in the life of one leg's sound. The last of a leg comes a moment after it was hung up, and so
/// maybe after its call's end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SoundEvent {
    /// Something is plainly wrong with what comes from the leg's phone: told within 3 s of a talk, 10 s for a
    /// phone that leaves packets out in pauses; at most 32 a leg.
    FaultNoticed {
        /// What.
        fault: SoundFault,
    },
    /// It is right again, or the leg was hung up.
    FaultEnded {
        /// What.
        fault: SoundFault,
        /// For how long it stood, milliseconds.
        for_ms: u64,
    },
    /// How it was so far: when the last 5 s are of another grade (from 4.0, 3.6, 3.1 or less; every 30 s at
    /// most), and once more at the leg's end. What is not known is `null`.
    Measured {
        /// The leg has ended.
        last: bool,
        /// The codec that it speaks.
        codec: String,
        /// Packets that we sent.
        sent: u64,
        /// Packets that its phone numbered.
        due: u64,
        /// Of these, those that came.
        received: u64,
        /// Packets that came after later ones.
        late: u64,
        /// Packets that came again.
        duplicate: u64,
        /// Jitter in the mean (RFC 3550 §6.4.1), microseconds.
        jitter_us: u32,
        /// At most.
        jitter_max_us: u32,
        /// The longest time without a packet where some were due, milliseconds.
        longest_gap_ms: u32,
        /// There and back, milliseconds, when reports (RTCP) told it.
        round_trip_ms: Option<u32>,
        /// Of what we sent, packets that the phone says it lost.
        far_lost: Option<u32>,
        /// The most that it lost in one interval of its reports, in 256ths.
        far_worst_256: Option<u8>,
        /// The jitter that it sees, microseconds.
        far_jitter_us: Option<u32>,
        /// The estimated opinion of a listener (ITU-T G.107), 100 to 450.
        mos_hundredths: Option<u16>,
        /// Of the worst five seconds.
        worst_mos_hundredths: Option<u16>,
    },
}

/// What can be wrong with a leg's sound.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum SoundFault {
    /// The phone is not heard, and who it talks with is.
    OneWay,
    /// Neither side is heard.
    NoWay,
    /// For 5 s the same sound came: digital silence. Phones that are muted send it.
    Frozen,
    /// What we send comes back.
    Loop,
}

impl SoundFault {
    /// All, in order.
    pub const ALL: [Self; 4] = [Self::OneWay, Self::NoWay, Self::Frozen, Self::Loop];

    /// As the journal and the metrics call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneWay => "one_way",
            Self::NoWay => "no_way",
            Self::Frozen => "frozen",
            Self::Loop => "loop",
        }
    }
}
