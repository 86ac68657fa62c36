//! Temperaments: how the demonstration's agents and callers behave, so that every outcome a desk
//! knows today shows up within a few minutes.

use super::Numbers;
use super::phone::{Deed, Happened, NO_LEG, NewCall, Plan, Temperament};
use crate::base::{LegId, Number, Private, Rng};
use crate::sip::api::{LegEvent, Shown};
use std::time::Duration;

/// Uniform between two numbers of milliseconds.
fn between(rng: &mut Rng, low_ms: u64, high_ms: u64) -> Duration {
    Duration::from_millis(low_ms.saturating_add(rng.below(high_ms.saturating_sub(low_ms))))
}

/// An agent: mostly answers, sometimes does not.
pub struct Agent;

impl Temperament for Agent {
    fn on(&mut self, happened: &Happened<'_>, rng: &mut Rng, todo: &mut Plan) {
        if let Happened::Leg(leg, LegEvent::Incoming(_)) = happened {
            match rng.below(100) {
                0..80 => {
                    let answer = between(rng, 2_000, 5_000);
                    todo.deeds.push((answer, *leg, Deed::Answer));
                    let talk = between(rng, 8_000, 25_000);
                    todo.deeds.push((answer + talk, *leg, Deed::HangUp));
                }
                80..92 => {} // away from the desk: it rings out
                _ => todo.deeds.push((between(rng, 500, 2_000), *leg, Deed::Refuse(486))),
            }
        }
    }
}

/// What one caller does.
#[derive(Clone, Copy, Debug)]
enum Caller {
    /// Chooses the operator in the menu and waits.
    Patient,
    /// Listens to the whole menu, presses nothing, is led to the operator.
    Dreamer,
    /// Wants the information message.
    Curious,
    /// Presses a wrong key first.
    Clumsy,
    /// Hangs up inside the menu.
    Leaver,
    /// Hangs up after one ring.
    OneRing,
    /// Hangs up when it takes long.
    Impatient,
    /// Dials the closed number.
    Late,
    /// Two at once on the number with one line.
    Twins,
    /// A gateway that offers no codec of ours.
    Mute,
    /// Many at once: the queue fills.
    Crowd,
}

const PROGRAMME: [Caller; 16] = [
    Caller::Patient,
    Caller::OneRing,
    Caller::Curious,
    Caller::Dreamer,
    Caller::Late,
    Caller::Twins,
    Caller::Leaver,
    Caller::Patient,
    Caller::Mute,
    Caller::Clumsy,
    Caller::Crowd,
    Caller::Impatient,
    Caller::Patient,
    Caller::Impatient,
    Caller::Patient,
    Caller::Dreamer,
];

const NAMES: [&str; 8] = [
    "会計課 佐々木",
    "総務課 田村",
    "人事課 石井",
    "広報室 村上",
    "統計部 遠藤",
    "地方局 青木",
    "審議官室 坂本",
    "研修所 藤田",
];

/// The carrier: places one caller of the programme after the other.
pub struct Carrier {
    numbers: Numbers,
    next: usize,
    last_leg: u64,
}

impl Carrier {
    /// From the programme's beginning.
    pub const fn new(numbers: Numbers) -> Self {
        Self { numbers, next: 0, last_leg: 0 }
    }

    fn place(&mut self, number: &Number, mute: bool, rng: &mut Rng, todo: &mut Plan) -> LegId {
        self.last_leg = self.last_leg.saturating_add(2);
        let leg = LegId(self.last_leg);
        // Numbers made up inside the range used in examples.
        let user = format!("03123456{:02}", rng.below(60).saturating_add(10));
        let name = usize::try_from(rng.below(8)).ok().and_then(|n| NAMES.get(n));
        let withheld = rng.below(12) == 0;
        let shown = if withheld {
            Shown {
                user: Private::new("anonymous".to_owned()),
                name: Some(Private::new("Anonymous".to_owned())),
            }
        } else {
            Shown { user: Private::new(user), name: name.map(|n| Private::new((*n).to_owned())) }
        };
        todo.calls.push(NewCall { leg, number: number.clone(), shown, mute });
        leg
    }
}

impl Temperament for Carrier {
    fn on(&mut self, happened: &Happened<'_>, rng: &mut Rng, todo: &mut Plan) {
        let Happened::Due = happened else { return };
        let caller = PROGRAMME.get(self.next).copied().unwrap_or(Caller::Patient);
        self.next = self.next.saturating_add(1) % PROGRAMME.len();
        let numbers = self.numbers.clone();
        let long = between(rng, 60_000, 90_000);
        match caller {
            Caller::Patient | Caller::Dreamer | Caller::Curious | Caller::Clumsy => {
                let leg = self.place(&numbers.menu, false, rng, todo);
                let press = between(rng, 3_000, 7_000);
                match caller {
                    Caller::Curious => todo.deeds.push((press, leg, Deed::Press('2'))),
                    Caller::Clumsy => {
                        todo.deeds.push((press, leg, Deed::Press('7')));
                        todo.deeds.push((press + Duration::from_secs(8), leg, Deed::Press('1')));
                    }
                    Caller::Patient => todo.deeds.push((press, leg, Deed::Press('1'))),
                    _ => {}
                }
                todo.deeds.push((long, leg, Deed::HangUp));
            }
            Caller::Leaver => {
                let leg = self.place(&numbers.menu, false, rng, todo);
                todo.deeds.push((between(rng, 2_000, 4_000), leg, Deed::HangUp));
            }
            Caller::OneRing => {
                let leg = self.place(&numbers.group, false, rng, todo);
                todo.deeds.push((between(rng, 1_000, 1_900), leg, Deed::HangUp));
            }
            Caller::Impatient => {
                let leg = self.place(&numbers.group, false, rng, todo);
                todo.deeds.push((between(rng, 3_300, 12_000), leg, Deed::HangUp));
            }
            Caller::Late => {
                let leg = self.place(&numbers.closed, false, rng, todo);
                todo.deeds.push((long, leg, Deed::HangUp));
            }
            Caller::Twins => {
                for _ in 0..2 {
                    let leg = self.place(&numbers.one_line, false, rng, todo);
                    todo.deeds.push((Duration::from_secs(3), leg, Deed::Press('1')));
                    todo.deeds.push((long, leg, Deed::HangUp));
                }
            }
            Caller::Mute => {
                self.place(&numbers.group, true, rng, todo);
            }
            Caller::Crowd => {
                for nth in 0..15_u64 {
                    let leg = self.place(&numbers.group, false, rng, todo);
                    // Every third loses patience during the announcement or the music.
                    let patience = if nth % 3 == 0 { between(rng, 4_000, 20_000) } else { long };
                    todo.deeds.push((patience, leg, Deed::HangUp));
                }
            }
        }
        todo.deeds.push((between(rng, 4_000, 9_000), NO_LEG, Deed::Place));
    }
}
