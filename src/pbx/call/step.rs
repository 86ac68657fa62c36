//! What each event does to a call in each of its states: one match names every pair.

use super::{Call, Event, Over, State, Telling};
use crate::event::{CallEvent, EndCause, Party};
use crate::pbx::api::Action;
use crate::pbx::floor::{Floor, Turn};
use crate::pbx::tape::TapeEvent;
use crate::pbx::{
    asking, away, beyond, briefing, consult, direct, entry, hunt, menu, message, park, queue,
    recall, survey, tape, transfer,
};

impl Call {
    /// Moves the call one step.
    #[expect(clippy::unnested_or_patterns, reason = "each line is a thought of its own")]
    pub(in crate::pbx) fn step(&mut self, event: Event, floor: &mut Floor, turn: &mut Turn<'_>) {
        use {Event as E, State as S};
        if matches!(event, E::Due) && away::time_is_up(self, turn) {
            return away::end_for_time(self, floor, turn);
        }
        if beyond::took(self, event, floor, turn) {
            return;
        }
        if matches!(event, E::Due) {
            self.tape_is(TapeEvent::Due, floor, turn);
        }
        let asked = matches!(event, E::PhoneGone(_)).then(|| self.survey(floor)).flatten();
        match (&mut self.state, event) {
            (S::New | S::Over, E::Said { .. }) => {}
            (_, E::Said { by, reason }) => {
                self.record(CallEvent::ReasonGiven { by, reason }, turn);
            }
            (S::Telling(Telling { by_tone: true, cause, .. }), E::CallerGone) => {
                let cause = cause.clone();
                self.end(Party::System, cause, Over::Caller, 0, floor, turn);
            }
            (S::Leaving(_), E::CallerGone) => message::caller_gone(self, floor, turn),
            // The caller may leave at any instant.
            (
                S::Menu(_)
                | S::Entering(_)
                | S::Asking(_)
                | S::Announcing(_)
                | S::Telling(_)
                | S::Surveying(_)
                | S::Hunting(_)
                | S::Direct(_)
                | S::Talking(_)
                | S::Passing(_)
                | S::Consulting(_)
                | S::Parked(_)
                | S::Away(_),
                E::CallerGone,
            ) => self.end(Party::Caller, EndCause::HungUp, Over::Caller, 0, floor, turn),
            (
                S::Menu(_)
                | S::Entering(_)
                | S::Leaving(_)
                | S::Asking(_)
                | S::Announcing(_)
                | S::Telling(_)
                | S::Surveying(_)
                | S::Hunting(_)
                | S::Direct(_)
                | S::Talking(_)
                | S::Passing(_)
                | S::Consulting(_)
                | S::Parked(_)
                | S::Away(_),
                E::CallerFailed(what),
            ) => {
                let cause = EndCause::Fault { what: what.to_owned() };
                self.end(Party::System, cause, Over::Caller, 0, floor, turn);
            }

            (S::Menu(_), E::Key(key)) => menu::key(self, key, floor, turn),
            (S::Menu(_), E::Played(play)) => menu::played(self, Some(play), floor, turn),
            (S::Menu(_), E::Due) => menu::due(self, floor, turn),

            (S::Entering(_), E::Key(key)) => entry::key(self, key, floor, turn),
            (S::Entering(_), E::Played(play)) => entry::played(self, Some(play), floor, turn),
            (S::Entering(_), E::Due) => entry::due(self, floor, turn),

            (S::Leaving(_), E::Key(key)) => message::key(self, key, floor, turn),
            (S::Leaving(_), E::Spoke(time)) => message::spoke(self, time, floor, turn),
            (S::Leaving(_), E::Played(play)) => message::played(self, Some(play), floor, turn),
            (S::Leaving(_), E::Due) => message::due(self, floor, turn),

            (S::Asking(_), E::Key(key)) => asking::key(self, key, floor, turn),
            (S::Asking(_), E::Played(play)) => asking::played(self, Some(play), floor, turn),
            (S::Asking(_), E::Due) => asking::due(self, floor, turn),

            (S::Announcing(_), E::Played(play)) => tape::announced(self, Some(play), floor, turn),
            (S::Announcing(_), E::Due) => tape::announced(self, None, floor, turn),

            (S::Telling(_), E::Played(play)) => self.told(Some(play), floor, turn),
            (S::Telling(telling), E::Due) => {
                if telling.script.until <= turn.now.mono {
                    self.told(None, floor, turn);
                }
            }

            (S::Surveying(_), E::Key(key)) => survey::key(self, key, floor, turn),
            (S::Surveying(_), E::Played(play)) => survey::played(self, Some(play), floor, turn),
            (S::Surveying(_), E::Due) => survey::due(self, floor, turn),

            (S::Hunting(_), E::Key(key)) => queue::key(self, key, floor, turn),
            (S::Hunting(_), E::Played(play)) => queue::played(self, Some(play), floor, turn),
            (S::Hunting(_), E::Due) => queue::due(self, floor, turn),
            (S::Hunting(_), E::AgentFree) => hunt::agent_free(self, floor, turn),
            (S::Hunting(_), E::PhoneAnswered(leg)) => hunt::answered(self, leg, floor, turn),
            (S::Hunting(_), E::PhoneRefused(leg, status)) => {
                hunt::refused(self, leg, status, floor, turn);
            }
            (S::Hunting(_), E::PhoneGone(leg)) => hunt::gone(self, leg, floor, turn),
            (S::Hunting(_), E::PhoneFailed(leg, _)) => hunt::lost(self, leg, floor, turn),
            (S::Hunting(_), E::Hold { by: Party::Agent, on, .. }) => briefing::holds(self, on),
            (S::Hunting(_), E::NoRoom(leg, _)) => hunt::no_room(self, leg, floor, turn),
            (S::Hunting(_), E::RangOut(leg)) => hunt::rang_out(self, leg, floor, turn),
            (S::Hunting(_), E::Withdraw(leg)) => hunt::withdraw(self, leg, floor, turn),

            (S::Direct(_), E::PhoneRings(_)) => self.ring(turn),
            (S::Direct(_), E::PhoneAnswered(_)) => direct::answered(self, floor, turn),
            (S::Direct(_), E::PhoneRefused(_, status)) => {
                direct::refused(self, status, floor, turn);
            }
            (S::Direct(_), E::PhoneGone(_)) => direct::refused(self, 480, floor, turn),
            (S::Direct(_), E::PhoneFailed(_, what) | E::NoRoom(_, what)) => {
                direct::failed(self, what, floor, turn);
            }
            (S::Direct(_), E::RangOut(_)) => direct::rang_out(self, floor, turn),

            (S::Talking(talk), E::PhoneGone(_)) if transfer::was_misled(talk, turn) => {
                transfer::call_back(self, floor, turn);
            }
            (S::Talking(_), E::PhoneGone(_)) if asked.is_some() => {
                let Some(id) = asked else { return };
                survey::begin(self, id, floor, turn);
            }
            (S::Talking(_), E::PhoneGone(_) | E::PhoneRefused(..)) => {
                self.end(Party::Agent, EndCause::HungUp, Over::Phone, 0, floor, turn);
            }
            (S::Talking(_), E::PhoneFailed(_, what) | E::NoRoom(_, what)) => {
                let cause = EndCause::Fault { what: what.to_owned() };
                self.end(Party::System, cause, Over::Phone, 0, floor, turn);
            }
            (S::Talking(talk), E::Hold { by, on, .. }) => {
                let held = match by {
                    Party::Caller => &mut talk.caller_holds,
                    Party::Agent | Party::System => &mut talk.agent_holds,
                };
                if *held != on {
                    *held = on;
                    let other = if by == Party::Caller { talk.phone } else { self.leg };
                    if by != Party::Caller {
                        recall::watch(self, on, floor, turn);
                    }
                    self.held(by, on, other, floor, turn);
                }
            }

            (S::Passing(_), E::PhoneRings(_)) => transfer::rings(self, turn),
            (S::Passing(_), E::PhoneAnswered(leg)) => transfer::answered(self, leg, floor, turn),
            (S::Passing(_), E::PhoneRefused(leg, status)) => {
                transfer::gone(self, leg, status, floor, turn);
            }
            (S::Passing(_), E::PhoneGone(leg) | E::PhoneFailed(leg, _) | E::NoRoom(leg, _)) => {
                transfer::gone(self, leg, 480, floor, turn);
            }
            (S::Passing(_), E::RangOut(leg)) => transfer::rang_out(self, leg, floor, turn),
            // The deadline may be another one of the call's: a pause of its recording ends.
            (S::Passing(passing), E::Due) => {
                if passing.deadline().is_some_and(|at| at <= turn.now.mono) {
                    let ring = passing.ring;
                    transfer::rang_out(self, ring, floor, turn);
                }
            }

            (S::Consulting(_), E::PhoneAnswered(leg)) => {
                consult::answered(self, leg, floor, turn);
            }
            (S::Consulting(_), E::PhoneRings(leg)) => consult::rings(self, leg),
            (S::Consulting(_), E::PhoneRefused(leg, status)) => {
                consult::gone(self, leg, status, floor, turn);
            }
            (S::Consulting(_), E::PhoneGone(leg)) => consult::gone(self, leg, 480, floor, turn),
            (S::Consulting(_), E::Due) => consult::due(self, floor, turn),
            (S::Consulting(_), E::PhoneFailed(leg, what) | E::NoRoom(leg, what)) => {
                consult::failed(self, leg, what, floor, turn);
            }
            (S::Consulting(_), E::RangOut(leg)) => consult::rang_out(self, leg, floor, turn),
            (S::Consulting(_), E::Hold { leg, on, .. }) => {
                consult::hold(self, leg, on, floor, turn);
            }

            (S::Parked(_), E::Due) => park::due(self, floor, turn),
            (S::Parked(_), E::PhoneAnswered(leg)) => park::answered(self, leg, floor, turn),
            (S::Parked(_), E::PhoneRefused(leg, status)) => {
                park::missed(self, leg, Some(status), floor, turn);
            }
            (S::Parked(_), E::PhoneGone(leg) | E::PhoneFailed(leg, _) | E::NoRoom(leg, _)) => {
                park::missed(self, leg, Some(408), floor, turn);
            }
            (S::Parked(_), E::RangOut(leg)) => {
                turn.act(Action::HangUp { leg, elsewhere: false });
                park::missed(self, leg, None, floor, turn);
            }

            (S::Away(_), E::PhoneGone(_) | E::PhoneRefused(..)) => {
                self.end(Party::Agent, EndCause::HungUp, Over::Phone, 0, floor, turn);
            }
            (S::Away(_), E::PhoneFailed(_, what) | E::NoRoom(_, what)) => {
                let cause = EndCause::Fault { what: what.to_owned() };
                self.end(Party::System, cause, Over::Phone, 0, floor, turn);
            }
            (S::Away(_), E::Hold { by, on, .. }) => away::hold(self, by, on, floor, turn),

            // Keys are taken by the auto attendant and a queue only; none is kept for later.
            (
                S::Announcing(_)
                | S::Telling(_)
                | S::Direct(_)
                | S::Talking(_)
                | S::Passing(_)
                | S::Parked(_)
                | S::Consulting(_)
                | S::Away(_),
                E::Key(_),
            )
            // What is said is measured while a message is left.
            | (
                S::Menu(_)
                | S::Entering(_)
                | S::Asking(_)
                | S::Announcing(_)
                | S::Telling(_)
                | S::Surveying(_)
                | S::Hunting(_)
                | S::Direct(_)
                | S::Talking(_)
                | S::Passing(_)
                | S::Consulting(_)
                | S::Parked(_)
                | S::Away(_),
                E::Spoke(_),
            )
            // Music has no end; the end of a play that a conversation replaced is of no concern.
            | (
                S::Direct(_)
                | S::Talking(_)
                | S::Passing(_)
                | S::Consulting(_)
                | S::Parked(_)
                | S::Away(_),
                E::Played(_),
            )
            // Only a conversation can be held; before it, the caller stays in its place.
            | (
                S::Menu(_)
                | S::Entering(_)
                | S::Leaving(_)
                | S::Asking(_)
                | S::Announcing(_)
                | S::Telling(_)
                | S::Surveying(_)
                | S::Hunting(_)
                | S::Direct(_)
                | S::Passing(_)
                | S::Parked(_),
                E::Hold { .. },
            )
            // A group's caller was told that it rings when the phone was dialled.
            | (
                S::Hunting(_) | S::Talking(_) | S::Parked(_) | S::Away(_),
                E::PhoneRings(_),
            )
            // Answered already: a forked phone's second word, or a timer that crossed the answer.
            | (S::Talking(_) | S::Away(_), E::PhoneAnswered(_) | E::RangOut(_))
            // What an agent does besides takes nothing from a direct call or a conversation.
            | (
                S::Direct(_)
                | S::Talking(_)
                | S::Passing(_)
                | S::Consulting(_)
                | S::Parked(_)
                | S::Away(_),
                E::Withdraw(_),
            )
            // These states ring no phone, wait for no agent, and have no deadline.
            | (
                S::Menu(_)
                | S::Entering(_)
                | S::Leaving(_)
                | S::Asking(_)
                | S::Announcing(_)
                | S::Telling(_)
                | S::Surveying(_),
                E::PhoneRings(_)
                | E::PhoneAnswered(_)
                | E::PhoneRefused(..)
                | E::PhoneGone(_)
                | E::PhoneFailed(..)
                | E::NoRoom(..)
                | E::RangOut(_)
                | E::Withdraw(_),
            )
            | (
                S::Menu(_)
                | S::Entering(_)
                | S::Leaving(_)
                | S::Asking(_)
                | S::Announcing(_)
                | S::Telling(_)
                | S::Surveying(_)
                | S::Direct(_)
                | S::Talking(_)
                | S::Passing(_)
                | S::Consulting(_)
                | S::Parked(_)
                | S::Away(_),
                E::AgentFree,
            )
            | (S::Direct(_) | S::Talking(_) | S::Away(_), E::Due)
            // The desk mends the one and has forgotten the other.
            | (S::New | S::Over, _) => {}
        }
    }
}
