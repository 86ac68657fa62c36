//! What a call is when it comes: whether there is room for it, whether it counts, and where its number
//! leads.

use super::api::{Action, Hindrance};
use super::call::{Call, From, Over};
use super::desk::Desk;
use super::floor::{Floor, Turn};
use super::placed::{Dialled, Whither};
use super::slots::Spot;
use super::{direct, queue};
use crate::base::{CallId, LegId, Number};
use crate::dialplan::{ClosedWhy, OpenState, Outward, Route};
use crate::event::{CallEvent, Caller, CallerNumber, Closed, EndCause, Origin, Party, PlacedEnd};

impl Desk {
    /// An INVITE from somebody we know.
    pub(super) fn arrived(
        &mut self,
        leg: LegId,
        dialled: &Number,
        caller: Caller,
        origin: Origin,
        hindrance: Option<Hindrance>,
        turn: &mut Turn<'_>,
    ) {
        let floor = &mut self.floor;
        let plan = floor.plan.clone();
        let (trunk, placed_by) = match &origin {
            Origin::Trunk(trunk) => (Some(trunk), None),
            Origin::Extension(number) => (None, floor.agent_at(number)),
        };
        let route = floor.route(&plan, dialled, turn.now.wall);
        let full = hindrance == Some(Hindrance::Overload)
            || self.calls.len() + self.placed.len() + floor.codes.len() >= self.max_calls;

        // An agent's own calls are not the desk's customers (the contract counts INVITEs from trunks
        // and from extensions that are no agent's).
        let counted = match &route {
            Route::Desk { desk, .. } if desk.admits(trunk) => desk.counted && placed_by.is_none(),
            Route::Group(_) => placed_by.is_none(),
            Route::Agent(_) => false,
            Route::Lot(lot) => {
                let dialled = Spot::Lot(lot);
                return self.slot_dialled(leg, &origin, dialled, (full, hindrance), turn);
            }
            Route::Slot(lot, slot) => {
                let dialled = Spot::Slot(lot, slot);
                return self.slot_dialled(leg, &origin, dialled, (full, hindrance), turn);
            }
            Route::Code(_) | Route::CodeFor(..) => {
                let (code, behind) = match route {
                    Route::CodeFor(code, number) => (code, Some(number)),
                    Route::Code(code) => (code, None),
                    _ => return,
                };
                match (placed_by, full, hindrance) {
                    (None, _, _) => turn.act(Action::Refuse { leg, status: 403 }),
                    (Some(_), true, _) => turn.act(Action::Refuse { leg, status: 503 }),
                    (Some(_), false, Some(_)) => turn.act(Action::Refuse { leg, status: 488 }),
                    (Some(agent), false, None) => {
                        self.code(leg, agent, code, behind.as_ref(), turn);
                    }
                }
                return;
            }
            // Only our own phones, which have proved who they are, are carried further.
            Route::Other if let Origin::Extension(from) = &origin => {
                let dialled = Dialled { leg, from, placed_by, number: dialled };
                let Some(found) = self.whither(dialled.number, from) else {
                    return turn.act(Action::Refuse { leg, status: 404 });
                };
                let whither = match (full, hindrance) {
                    (true, _) => Whither::Refused(PlacedEnd::NoCapacity, 503),
                    (false, Some(Hindrance::Mute(what))) => {
                        Whither::Refused(PlacedEnd::Fault { what: what.to_owned() }, 488)
                    }
                    (false, _) => found,
                };
                return self.placed.dialled(&dialled, whither, &mut self.floor, turn);
            }
            Route::Desk { .. } | Route::Other => {
                return turn.act(Action::Refuse { leg, status: 404 });
            }
        };

        let id = CallId::draw(turn.now.wall, &mut floor.rng);
        let mut call = Call::new(id, leg, turn.now.mono);
        let known = match &caller.number {
            CallerNumber::Known(number) => Some(number),
            CallerNumber::Withheld
            | CallerNumber::Payphone
            | CallerNumber::Unavailable
            | CallerNumber::Erased => None,
        };
        call.priority = plan.priority_of(known, dialled);
        if let Route::Desk { desk, .. } = &route {
            call.skills.clone_from(&desk.skills);
        }
        let number = dialled.clone();
        if let CallerNumber::Known(number) = &caller.number {
            call.known_number = Some((number.clone(), matches!(origin, Origin::Extension(_))));
        }
        let by = trunk.cloned();
        call.record(CallEvent::Arrived { number, caller, origin, counted }, turn);
        let refuse = |call: &mut Call, cause, status, floor: &mut Floor, turn: &mut Turn<'_>| {
            call.end(Party::System, cause, Over::Neither, status, floor, turn);
        };
        // Who is let in while the desk is to end would be cut off by it; a carrier tries its next way after a 503
        // (RFC 3261 §21.5.4).
        if full || (floor.drains && placed_by.is_none()) {
            return refuse(&mut call, EndCause::NoCapacity, 503, floor, turn);
        }
        if let Some(Hindrance::Mute(what)) = hindrance {
            let cause = EndCause::Fault { what: what.to_owned() };
            return refuse(&mut call, cause, 488, floor, turn);
        }
        if let Some(trunk) = by {
            if !floor.channels.take_in(&trunk, turn) {
                return refuse(&mut call, EndCause::ChannelsFull, 486, floor, turn);
            }
            call.trunk = Some(trunk);
        }
        if let Route::Desk { desk, .. } = &route
            && let Some(lines) = floor.lines.get_mut(dialled)
        {
            if *lines >= desk.line_limit {
                return refuse(&mut call, EndCause::LinesFull, 486, floor, turn);
            }
            *lines += 1;
            call.line = Some(dialled.clone());
        }
        if let Some(agent) = placed_by {
            call.placed_by = Some(agent);
            floor.call_placed(agent, turn);
        }
        self.at_hand = Some(leg);
        let call = self.calls.entry(leg).or_insert(call);
        match route {
            Route::Desk { state: OpenState::Open, target, .. } => {
                call.go(target, From::Number, floor, turn);
            }
            Route::Desk { state: OpenState::Closed(why), target, .. } => {
                call.record(CallEvent::FoundClosed { why: closed(why) }, turn);
                call.go(target, From::Closed, floor, turn);
            }
            Route::Group(id) => queue::ask(call, id, floor, turn),
            Route::Agent(id) => direct::ask(call, &Number(id.0.clone()), floor, turn),
            Route::Code(_)
            | Route::CodeFor(..)
            | Route::Lot(_)
            | Route::Slot(..)
            | Route::Other => {}
        }
        self.stepped(leg);
    }

    /// Where a number leads that the plan does not have, when a phone of ours dials it.
    pub(super) fn whither(&self, number: &Number, from: &Number) -> Option<Whither> {
        if let Some(reachable) = self.phones.get(number) {
            return Some(if *reachable {
                Whither::Phone(number.clone())
            } else {
                Whither::Refused(PlacedEnd::NotAnswered { status: 480 }, 480)
            });
        }
        match self.floor.plan.outward(number, from) {
            Outward::Way(way) => Some(Whither::Outside(way)),
            Outward::NotAllowed => Some(Whither::Refused(PlacedEnd::NotAllowed, 403)),
            Outward::EmergencyBlocked => Some(Whither::Refused(PlacedEnd::EmergencyBlocked, 403)),
            Outward::Nowhere => None,
        }
    }
}

/// The history's word for the plan's.
pub(super) fn closed(why: ClosedWhy) -> Closed {
    match why {
        ClosedWhy::Night => Closed::Night,
        ClosedWhy::Weekend => Closed::Weekend,
        ClosedWhy::Holiday(name) => Closed::Holiday { name: name.to_string() },
        ClosedWhy::Closure(name) => Closed::Closure { name: name.to_string() },
        ClosedWhy::AdHoc(name) => Closed::AdHoc { name: name.to_string() },
        ClosedWhy::Disaster(name) => Closed::Disaster { name: name.to_string() },
    }
}
