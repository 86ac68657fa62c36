//! One placed call: what is known of it and what it holds elsewhere.

use crate::base::{CallId, LegId, Mono, Number, Private, TrunkId};
use crate::event::{Fact, Party, PlacedEvent};
use crate::pbx::agent::AgentIx;
use crate::pbx::api::Action;
use crate::pbx::floor::{Floor, Turn};
use crate::pbx::outside::{Attempt, Outside};
use std::time::Duration;

/// All that a call holds elsewhere.
#[derive(Debug)]
pub(super) struct Holding {
    pub(super) leg: LegId,
    pub(super) id: CallId,
    pub(super) arrived: Mono,
    pub(super) placed_by: Option<AgentIx>,
    pub(super) outside: Option<(Number, TrunkId)>,
    pub(super) wish: Option<LegId>,
    pub(super) timer: Option<Mono>,
}

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: CallId,
    pub(super) leg: LegId,
    pub(super) arrived: Mono,
    pub(super) from: Number,
    pub(super) number: Private<String>,
    pub(super) placed_by: Option<AgentIx>,
    pub(super) accepted: bool,
    pub(super) rung: bool,
    /// The work due after it.
    pub(super) wrap_up: Duration,
    /// The wish to be called back that it is for.
    pub(super) wish: Option<LegId>,
    /// The called party answered.
    pub(super) answered: bool,
    pub(super) state: State,
    pub(super) timer: Option<Mono>,
}

/// Whom it is for.
#[derive(Debug)]
pub(super) enum State {
    /// Between two states.
    New,
    /// A phone of ours rings.
    Ringing {
        phone: LegId,
        until: Mono,
    },
    /// A number outside is being reached.
    Reaching(Attempt),
    /// Both talk; the call is `outside` or with a phone of ours.
    Talking {
        phone: LegId,
        outside: Option<Outside>,
        held: [bool; 2],
    },
    Over,
}

impl Call {
    /// What it holds elsewhere now.
    pub(super) fn holding(&self) -> Holding {
        let outside = match &self.state {
            State::Reaching(attempt) => Some(attempt.trunk.clone()),
            State::Talking { outside: Some(outside), .. } => Some(outside.trunk.clone()),
            State::Talking { outside: None, .. }
            | State::New
            | State::Ringing { .. }
            | State::Over => None,
        };
        let outside = outside.map(|trunk| (self.from.clone(), trunk));
        Holding {
            leg: self.leg,
            id: self.id,
            arrived: self.arrived,
            placed_by: self.placed_by,
            outside,
            wish: self.wish,
            timer: self.timer,
        }
    }

    /// Puts it into the history.
    pub(super) fn record(&self, event: PlacedEvent, turn: &mut Turn<'_>) {
        let t_ms = turn.now.mono.ms_since(self.arrived);
        turn.record(Fact::Placed { call: self.id, t_ms, event });
    }

    /// The caller hears that it rings, once.
    pub(super) fn ring(&mut self, turn: &mut Turn<'_>) {
        if !self.accepted && !self.rung {
            self.rung = true;
            turn.act(Action::Ring { leg: self.leg });
        }
    }

    /// One side holds the other, or goes on.
    pub(super) fn held(
        &self,
        by: Party,
        on: bool,
        other: LegId,
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) {
        floor.hold(other, on, turn);
        self.record(if on { PlacedEvent::Held { by } } else { PlacedEvent::Resumed { by } }, turn);
    }
}
