//! How the legs of calls sounded: with each call, and over all of them for the metrics.

use crate::base::{Keep, Kept, Number, kept};
use crate::event::{Party, SoundEvent, SoundFault};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

/// Legs of one call that are listed; of a call that is passed on for ever the first ones are.
const LEGS_LISTED: usize = 16;
/// Faults of one leg that are listed.
const FAULTS_LISTED: usize = 32;

/// One leg's sound, as shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LegSound {
    /// Whether its phone called, or was called.
    pub side: Party,
    /// At which of our extensions it is.
    pub phone: Option<Number>,
    /// What was wrong, in order.
    pub faults: Vec<FaultRow>,
    /// In figures, as told last.
    pub measured: Option<Measured>,
}

kept!(struct LegSound { side, phone, faults, measured });

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FaultRow {
    /// What.
    pub fault: SoundFault,
    /// From then on, milliseconds after the arrival.
    pub from_ms: u64,
    /// So long; none while it lasts.
    pub for_ms: Option<u64>,
}

kept!(struct FaultRow { fault, from_ms, for_ms });

/// A leg's sound in figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Measured {
    /// The leg has ended.
    pub last: bool,
    /// Its codec.
    pub codec: String,
    /// Packets that we sent.
    pub sent: u64,
    /// Packets that the phone numbered.
    pub due: u64,
    /// Of these, those that came.
    pub received: u64,
    /// Those that did not.
    pub lost: u64,
    /// Packets that came after later ones.
    pub late: u64,
    /// Packets that came again.
    pub duplicate: u64,
    /// In the mean, microseconds.
    pub jitter_us: u32,
    /// At most.
    pub jitter_max_us: u32,
    /// The longest time without a packet, milliseconds.
    pub longest_gap_ms: u32,
    /// There and back, milliseconds.
    pub round_trip_ms: Option<u32>,
    /// Packets of ours that the phone says it lost.
    pub far_lost: Option<u32>,
    /// The jitter that it sees, microseconds.
    pub far_jitter_us: Option<u32>,
    /// The estimated opinion, 1.00 to 4.50.
    #[serde(serialize_with = "hundredths")]
    #[schemars(schema_with = "super::schema::hundredths")]
    pub mos: Option<u16>,
    /// Of the worst five seconds.
    #[serde(serialize_with = "hundredths")]
    #[schemars(schema_with = "super::schema::hundredths")]
    pub worst_mos: Option<u16>,
}

kept!(struct Measured { last, codec, sent, due, received, lost, late, duplicate, jitter_us, jitter_max_us, longest_gap_ms, round_trip_ms, far_lost, far_jitter_us, mos, worst_mos });

#[allow(clippy::ref_option, clippy::trivially_copy_pass_by_ref)] // So serde calls it.
fn hundredths<S: Serializer>(value: &Option<u16>, to: S) -> Result<S::Ok, S::Error> {
    value.map(|value| f64::from(value) / 100.0).serialize(to)
}

/// The sound of one call's legs, in the order in which anything was told of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct CallSound(Vec<LegSound>);

kept!(newtype CallSound);

impl CallSound {
    /// Each leg.
    #[must_use]
    pub fn rows(&self) -> &[LegSound] {
        &self.0
    }

    /// The process ended while the call was up: nothing more is told of it.
    pub(super) fn cut_off(&mut self, t_ms: u64) {
        for row in self.0.iter_mut().flat_map(|leg| &mut leg.faults) {
            row.for_ms.get_or_insert(t_ms.saturating_sub(row.from_ms));
        }
    }

    /// Takes the next event of a leg.
    pub(super) fn step(
        &mut self,
        side: Party,
        phone: Option<&Number>,
        event: &SoundEvent,
        t_ms: u64,
    ) {
        let known = self.0.iter().position(|leg| leg.side == side && leg.phone.as_ref() == phone);
        let at = match known {
            Some(at) => at,
            None if self.0.len() < LEGS_LISTED => {
                let phone = phone.cloned();
                self.0.push(LegSound { side, phone, faults: Vec::new(), measured: None });
                self.0.len() - 1
            }
            None => return,
        };
        let leg = &mut self.0[at];
        match event {
            SoundEvent::FaultNoticed { fault } => {
                if leg.faults.len() < FAULTS_LISTED {
                    leg.faults.push(FaultRow { fault: *fault, from_ms: t_ms, for_ms: None });
                }
            }
            SoundEvent::FaultEnded { fault, for_ms } => {
                let mut open = leg.faults.iter_mut().rev();
                if let Some(row) = open.find(|row| row.fault == *fault && row.for_ms.is_none()) {
                    row.for_ms = Some(*for_ms);
                }
            }
            SoundEvent::Measured { .. } => leg.measured = Measured::of(event),
        }
    }
}

impl Measured {
    fn of(event: &SoundEvent) -> Option<Self> {
        let SoundEvent::Measured {
            last,
            codec,
            sent,
            due,
            received,
            late,
            duplicate,
            jitter_us,
            jitter_max_us,
            longest_gap_ms,
            round_trip_ms,
            far_lost,
            far_jitter_us,
            mos_hundredths,
            worst_mos_hundredths,
            ..
        } = event
        else {
            return None;
        };
        Some(Self {
            last: *last,
            codec: codec.clone(),
            sent: *sent,
            due: *due,
            received: *received,
            lost: due.saturating_sub(*received),
            late: *late,
            duplicate: *duplicate,
            jitter_us: *jitter_us,
            jitter_max_us: *jitter_max_us,
            longest_gap_ms: *longest_gap_ms,
            round_trip_ms: *round_trip_ms,
            far_lost: *far_lost,
            far_jitter_us: *far_jitter_us,
            mos: *mos_hundredths,
            worst_mos: *worst_mos_hundredths,
        })
    }
}

/// How many legs came to less than or just a bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// The bounds, ascending, and how many lie at or below each but above the one before.
    pub below: Vec<(f64, u64)>,
    /// How many at all.
    pub count: u64,
    /// All values together.
    pub sum: f64,
}

kept!(struct Spread { below, count, sum });

impl Spread {
    fn new(bounds: &[f64]) -> Self {
        Self { below: bounds.iter().map(|bound| (*bound, 0)).collect(), count: 0, sum: 0.0 }
    }

    fn add(&mut self, value: f64) {
        self.count += 1;
        self.sum += value;
        if let Some((_, count)) = self.below.iter_mut().find(|(bound, _)| value <= *bound) {
            *count += 1;
        }
    }
}

/// All legs since the history began.
#[derive(Clone, Debug, PartialEq)]
pub struct SoundTotals {
    /// Faults noticed.
    pub faults: [(SoundFault, u64); SoundFault::ALL.len()],
    /// Opinions of what came from the legs' phones.
    pub mos: Spread,
    /// Shares of packets that were lost, 0 to 1.
    pub loss: Spread,
    /// Jitter in the mean, seconds.
    pub jitter: Spread,
    /// There and back, seconds.
    pub round_trip: Spread,
}

impl Keep for SoundTotals {
    fn keep(&self, out: &mut Vec<u8>) {
        let Self { faults, mos, loss, jitter, round_trip } = self;
        faults.to_vec().keep(out);
        for spread in [mos, loss, jitter, round_trip] {
            spread.keep(out);
        }
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        Some(Self {
            faults: Vec::found(from)?.try_into().ok()?,
            mos: Keep::found(from)?,
            loss: Keep::found(from)?,
            jitter: Keep::found(from)?,
            round_trip: Keep::found(from)?,
        })
    }
}

impl Default for SoundTotals {
    fn default() -> Self {
        Self {
            faults: SoundFault::ALL.map(|fault| (fault, 0)),
            mos: Spread::new(&[2.0, 2.6, 3.1, 3.6, 4.0, 4.3, 4.5]),
            loss: Spread::new(&[0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2]),
            jitter: Spread::new(&[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1]),
            round_trip: Spread::new(&[0.001, 0.01, 0.05, 0.1, 0.2, 0.4, 0.8]),
        }
    }
}

impl SoundTotals {
    /// Takes the next event of any leg.
    pub(super) fn step(&mut self, event: &SoundEvent) {
        match event {
            SoundEvent::FaultNoticed { fault } => {
                let row = self.faults.iter_mut().find(|(one, _)| one == fault);
                if let Some((_, count)) = row {
                    *count += 1;
                }
            }
            SoundEvent::Measured {
                last: true,
                due,
                received,
                jitter_us,
                mos_hundredths,
                round_trip_ms,
                ..
            } => {
                if let Some(mos) = mos_hundredths {
                    self.mos.add(f64::from(*mos) / 100.0);
                    #[allow(clippy::cast_precision_loss)] // Far below 2^53.
                    let share = due.saturating_sub(*received) as f64 / (*due).max(1) as f64;
                    self.loss.add(share);
                    self.jitter.add(f64::from(*jitter_us) / 1e6);
                }
                if let Some(ms) = round_trip_ms {
                    self.round_trip.add(f64::from(*ms) / 1e3);
                }
            }
            SoundEvent::FaultEnded { .. } | SoundEvent::Measured { last: false, .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(last: bool, due: u64, received: u64, mos: u16) -> SoundEvent {
        SoundEvent::Measured {
            last,
            codec: "PCMU".into(),
            sent: 10,
            due,
            received,
            late: 0,
            duplicate: 0,
            jitter_us: 1_500,
            jitter_max_us: 3_000,
            longest_gap_ms: 40,
            round_trip_ms: Some(12),
            far_lost: None,
            far_worst_256: None,
            far_jitter_us: None,
            mos_hundredths: Some(mos),
            worst_mos_hundredths: Some(mos),
        }
    }

    #[test]
    fn each_leg_of_a_call_has_its_row() {
        let (phone, mut sound) = (Number::from("2001"), CallSound::default());
        let fault = SoundFault::OneWay;
        sound.step(Party::Agent, Some(&phone), &SoundEvent::FaultNoticed { fault }, 5_000);
        sound.step(Party::Caller, None, &measured(false, 500, 500, 441), 9_000);
        let ended = SoundEvent::FaultEnded { fault, for_ms: 2_000 };
        sound.step(Party::Agent, Some(&phone), &ended, 7_000);
        sound.step(Party::Caller, None, &measured(true, 1_000, 900, 362), 20_000);
        let rows = sound.rows();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].faults, [FaultRow { fault, from_ms: 5_000, for_ms: Some(2_000) }]);
        let caller = serde_json::to_value(&rows[1]).unwrap();
        assert_eq!(caller["measured"]["mos"], 3.62);
        assert_eq!(
            (&caller["measured"]["lost"], &caller["measured"]["last"]),
            (&100.into(), &true.into())
        );
    }

    #[test]
    fn what_was_wrong_when_the_machine_stopped_is_wrong_no_more() {
        let (fault, mut sound) = (SoundFault::NoWay, CallSound::default());
        sound.step(Party::Caller, None, &SoundEvent::FaultNoticed { fault }, 5_000);
        sound.cut_off(9_000);
        assert_eq!(sound.rows()[0].faults[0].for_ms, Some(4_000));
    }

    #[test]
    fn a_leg_counts_once_in_the_totals() {
        let mut totals = SoundTotals::default();
        totals.step(&measured(false, 500, 500, 441));
        totals.step(&measured(true, 1_000, 900, 362));
        totals.step(&SoundEvent::FaultNoticed { fault: SoundFault::Loop });
        assert_eq!((totals.mos.count, totals.loss.count), (1, 1));
        assert!(totals.mos.below.contains(&(4.0, 1)) && totals.loss.below.contains(&(0.1, 1)));
        assert_eq!(totals.faults[3], (SoundFault::Loop, 1));
    }
}
