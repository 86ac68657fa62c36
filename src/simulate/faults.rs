//! What goes wrong in one world, drawn from its seed: the network, the media threads, the disk, the
//! clock, the process. Holds figures only; who suffers them is `world`'s business.

use crate::base::Rng;
use std::time::Duration;

/// Draws that read like what they mean.
pub trait Draw {
    /// True `per_mille` times in a thousand.
    fn chance(&mut self, per_mille: u64) -> bool;
    /// Uniform between two spans, in whole microseconds; `least` when they are the wrong way round.
    fn span(&mut self, least: Duration, most: Duration) -> Duration;
    /// Uniform between two numbers of milliseconds.
    fn millis(&mut self, least: u64, most: u64) -> Duration;
    /// One of a list; the first when the list has one item.
    fn one_of<'a, T>(&mut self, of: &'a [T]) -> &'a T;
}

impl Draw for Rng {
    fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    fn span(&mut self, least: Duration, most: Duration) -> Duration {
        let width = u64::try_from(most.saturating_sub(least).as_micros()).unwrap_or(0);
        least + Duration::from_micros(self.below(width.saturating_add(1)))
    }

    fn millis(&mut self, least: u64, most: u64) -> Duration {
        self.span(Duration::from_millis(least), Duration::from_millis(most))
    }

    fn one_of<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let at = usize::try_from(self.below(of.len() as u64)).unwrap_or(0);
        &of[at]
    }
}

/// What befalls a datagram on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    /// Lost, per mille.
    pub lost: u64,
    /// Delivered twice, per mille.
    pub doubled: u64,
    /// Shortest way.
    pub delay: Duration,
    /// Added at random to each datagram, so that later ones overtake.
    pub jitter: Duration,
    /// Held up far longer than the rest, per mille.
    pub stragglers: u64,
    /// For how long at most.
    pub straggle: Duration,
}

/// How long the disk takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Shortest commit.
    pub least: Duration,
    /// Longest ordinary commit.
    pub most: Duration,
    /// Commits that take `stall` instead, per mille.
    pub stalls: u64,
    /// A stuck disk, longer than the desk's patience.
    pub stall: Duration,
}

/// Everything that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    /// The network.
    pub wire: Wire,
    /// The journal's disk.
    pub disk: Disk,
    /// Messages beside which garbage arrives, per mille.
    pub garbage: u64,
    /// Messages that find the desk overloaded, per mille: a new call is then refused.
    pub shed: u64,
    /// RTP ports that cannot be bound, per mille.
    pub bind_fails: u64,
    /// Peers whose audio stops for a while although they are there.
    pub audio_gaps: u32,
    /// How often a phone or caller is cut off from the network for a while.
    pub outages: u32,
    /// How often the process is killed.
    pub crashes: u32,
    /// How often the wall clock is set, by up to a day either way.
    pub clock_jumps: u32,
    /// How late a tick may come.
    pub tick_late: Duration,
    /// Ticks that come without being due, per mille of inputs.
    pub needless_ticks: u64,
    /// People's commands through the API.
    pub commands: u32,
}

impl Faults {
    /// A world where nothing goes wrong; people are still people.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            wire: Wire {
                lost: 0,
                doubled: 0,
                delay: Duration::from_millis(1),
                jitter: Duration::ZERO,
                stragglers: 0,
                straggle: Duration::ZERO,
            },
            disk: Disk {
                least: Duration::from_micros(300),
                most: Duration::from_millis(3),
                stalls: 0,
                stall: Duration::ZERO,
            },
            garbage: 0,
            shed: 0,
            bind_fails: 0,
            audio_gaps: 0,
            outages: 0,
            crashes: 0,
            clock_jumps: 0,
            tick_late: Duration::ZERO,
            needless_ticks: 0,
            commands: 0,
        }
    }

    /// The faults of one seed. One in six seeds has none, so that what breaks there is plain.
    #[must_use]
    pub fn drawn_from(seed: u64) -> Self {
        let mut rng = Rng::from_number(seed ^ 0xFA17_5000_0000_0000);
        let mut faults = Self::none();
        if rng.chance(160) {
            return faults;
        }
        let bad = rng.below(3); // calm, shaky, awful
        faults.wire = Wire {
            lost: *rng.one_of(
                &[[0, 5, 20], [20, 50, 80], [100, 150, 200]][usize::try_from(bad).unwrap_or(0)],
            ),
            doubled: *rng.one_of(&[0, 10, 50, 150]),
            delay: rng.millis(0, 40),
            jitter: *rng.one_of(&[
                Duration::ZERO,
                Duration::from_millis(5),
                Duration::from_millis(60),
                Duration::from_millis(400),
            ]),
            stragglers: *rng.one_of(&[0, 0, 5, 20]),
            straggle: Duration::from_secs(3),
        };
        faults.disk.most = *rng.one_of(&[
            Duration::from_millis(2),
            Duration::from_millis(20),
            Duration::from_millis(150),
        ]);
        // A stuck disk and a kill in one world would excuse the loss that the kill must not cause.
        match rng.below(4) {
            0 => {
                faults.disk.stalls = 20;
                faults.disk.stall = Duration::from_secs(5);
            }
            1 => faults.crashes = 1 + u32::try_from(rng.below(2)).unwrap_or(0),
            _ => {}
        }
        faults.garbage = *rng.one_of(&[0, 0, 50]);
        faults.shed = *rng.one_of(&[0, 0, 0, 100]);
        faults.bind_fails = *rng.one_of(&[0, 0, 0, 30]);
        faults.audio_gaps = *rng.one_of(&[0, 0, 2, 6]);
        faults.outages = *rng.one_of(&[0, 0, 1, 3]);
        faults.clock_jumps = *rng.one_of(&[0, 0, 0, 2]);
        faults.tick_late = *rng.one_of(&[Duration::ZERO, Duration::from_millis(15)]);
        faults.needless_ticks = *rng.one_of(&[0, 50]);
        faults.commands = *rng.one_of(&[0, 0, 3, 8]);
        faults
    }

    /// The network, the disk and the media threads are well again; nothing further befalls anyone.
    pub fn heal(&mut self) {
        let disk = Self::none().disk;
        *self = Self { wire: Self::none().wire, disk, ..Self::none() };
    }
}

#[cfg(test)]
mod tests {
    use super::Faults;

    #[test]
    fn a_seed_names_its_faults_and_seeds_differ() {
        let drawn: Vec<Faults> = (0..64).map(Faults::drawn_from).collect();
        let again: Vec<Faults> = (0..64).map(Faults::drawn_from).collect();
        assert_eq!(drawn, again);
        assert!(drawn.iter().any(|faults| *faults == Faults::none()), "some seeds are calm");
        assert!(drawn.iter().any(|faults| faults.crashes > 0), "some seeds kill the process");
        assert!(drawn.iter().any(|faults| faults.wire.lost >= 100), "some networks are awful");
        for faults in drawn {
            assert!(faults.crashes == 0 || faults.disk.stalls == 0);
        }
    }
}
