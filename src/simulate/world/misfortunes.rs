//! When each of the world's misfortunes comes, whom it befalls, and what garbage is.

use super::{DESK, Event, World};
use crate::base::{AdHoc, Mono, Number, Rng, Wall};
use crate::event::{Means, Supervision};
use crate::pbx::{Command, HoursOrder};
use crate::simulate::faults::Draw;
use crate::simulate::host::BEGINS;
use crate::simulate::people::Deed;
use crate::simulate::scene::STRAIGHT;
use bytes::Bytes;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Nobody that the desk knows.
const STRANGER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 66)), 5060);

impl World {
    pub(super) fn plan_faults(&mut self) {
        let faults = self.faults.clone();
        let (from, until) = (Duration::from_secs(5), self.length);
        let agents: Vec<_> =
            self.numbers.iter().filter(|n| n.as_str().starts_with("20")).cloned().collect();
        for _ in 0..faults.crashes {
            let at = self.rng.span(from, until);
            self.plan(Mono::ZERO + at, Event::Kill);
        }
        for _ in 0..faults.clock_jumps {
            let at = self.rng.span(from, until);
            let by = self.rng.millis(0, 172_800_000).as_millis();
            let by_ms = i64::try_from(by).unwrap_or(0) - 86_400_000;
            self.plan(Mono::ZERO + at, Event::SetClock { by_ms });
        }
        for _ in 0..faults.commands {
            let at = self.rng.span(from, until);
            let agent = self.rng.one_of(&agents).as_str().into();
            let by = Means::Api;
            let command = match self.rng.below(10) {
                // Until then, or until the clock is set beyond it.
                6 => self.hours_order(at),
                7 | 8 => {
                    let by = self.rng.one_of(&agents).as_str().into();
                    let modes = [Supervision::Listen, Supervision::Whisper, Supervision::Barge];
                    let mode = self.rng.chance(800).then(|| *self.rng.one_of(&modes));
                    Command::Supervise { by, agent, mode, means: Means::Api }
                }
                0 => Command::SignOut { agent, by },
                1 => Command::Pause { agent, reason: "昼休み".to_owned(), by },
                2 => Command::Unpause { agent, by },
                _ => Command::SignIn { agent, by },
            };
            self.plan(Mono::ZERO + at, Event::Command(command));
        }
        let node = |rng: &mut Rng, of: usize| usize::try_from(rng.below(of as u64)).unwrap_or(0);
        for _ in 0..faults.outages {
            let at = self.rng.span(from, until);
            let node = node(&mut self.rng, self.nodes.len());
            let lasting = self.rng.millis(500, 50_000);
            self.plan(Mono::ZERO + at, Event::Cut { node, lasting });
        }
        for _ in 0..faults.audio_gaps {
            let at = self.rng.span(from, until);
            let node = node(&mut self.rng, self.nodes.len());
            let lasting = self.rng.millis(1000, 40_000);
            let deed = Deed::FallSilent(lasting);
            self.plan(Mono::ZERO + at, Event::Deed { node, boot: 0, deed });
        }
    }

    /// Somebody closes or opens the desk, or one number, for a while, or takes it back.
    fn hours_order(&mut self, at: Duration) -> Command {
        let number = self.rng.chance(500).then(|| Number::from(STRAIGHT));
        let to = *self.rng.one_of(&[AdHoc::Open, AdHoc::Closed, AdHoc::Disaster]);
        let lasting = at + self.rng.millis(1, 120_000);
        let until = BEGINS.0.saturating_add(i64::try_from(lasting.as_millis()).unwrap_or(0));
        let change = HoursOrder::Change { to, reason: "臨時".to_owned(), until: Wall(until) };
        let order = if self.rng.chance(750) { change } else { HoursOrder::Restore };
        Command::Hours { number, order, author: "2001".to_owned(), by: Means::Api }
    }

    /// Beside a message, something that looks like it: cut short on its own way, or with bytes
    /// changed and from a stranger, who may try anything.
    pub(super) fn send_garbage(&mut self, from: SocketAddr, like: &Bytes) {
        let length = like.len() as u64;
        let (from, bytes) = if self.net.chance(500) {
            let end = usize::try_from(self.net.below(length)).unwrap_or(0);
            (from, like.slice(..end))
        } else {
            let mut bytes = like.to_vec();
            for _ in 0..=self.net.below(6) {
                let at = usize::try_from(self.net.below(length)).unwrap_or(0);
                let byte = self.net.below(256);
                if let Some(place) = bytes.get_mut(at) {
                    *place = u8::try_from(byte).unwrap_or(0);
                }
            }
            (STRANGER, Bytes::from(bytes))
        };
        let at = self.now + self.net.millis(0, 50);
        self.plan(at, Event::Datagram { from, to: DESK, bytes });
    }
}
