//! The ladder of a run: messages, facts, deeds and complaints with their times, for whoever follows a
//! seed. Being watched changes nothing of what happens.

use super::World;
use crate::base::Mono;
use crate::event::{CallEvent, Fact};
use crate::sip::api::LegEvent;
use std::time::Duration;

/// Lines of a ladder that are kept; later ones are dropped.
const LINES_MOST: usize = 200_000;

impl World {
    /// Keeps a ladder of what happens from now on.
    pub fn keep_trace(&mut self) {
        self.trace = Some(Vec::new());
    }

    /// The ladder so far.
    pub fn take_trace(&mut self) -> Vec<String> {
        self.trace.take().unwrap_or_default()
    }

    pub(super) fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace
            && trace.len() < LINES_MOST
        {
            let mut text = format!("{:>11.4} ", seconds(self.now));
            text.push_str(&line());
            trace.push(text);
        }
    }

    /// Writes beside what must not be when it was seen.
    pub(super) fn stamp_wrong(&mut self) {
        for at in self.stamped..self.host.wrong.len() {
            let line = format!("{:.4} s: {}", seconds(self.now), self.host.wrong[at]);
            self.note(|| format!("!!!! {line}"));
            self.host.wrong[at] = line;
        }
        self.stamped = self.host.wrong.len();
    }
}

pub(super) fn seconds(at: Mono) -> f64 {
    Duration::from_micros(at.0).as_secs_f64()
}

/// A fact in a ladder: the last digits of the call's id, and what happened.
pub(super) fn fact_line(fact: &Fact) -> String {
    match fact {
        Fact::Call { call, t_ms, event } => {
            let id = call.to_string();
            let short = id.get(id.len().saturating_sub(6)..).unwrap_or("");
            match event {
                CallEvent::Arrived { number, caller, .. } => {
                    let name = caller.name.as_ref().map_or("", |name| name.reveal());
                    format!("call …{short} arrived at {number} from {name}")
                }
                event => format!("call …{short} {t_ms} ms {event:?}"),
            }
        }
        Fact::Placed { call, t_ms, event } => format!("placed {call} {t_ms} ms {event:?}"),
        Fact::Sound { call, t_ms, side, event, .. } => {
            format!("sound {call} {t_ms} ms {side:?} {event:?}")
        }
        Fact::Recording { call, event, .. } => format!("recording {call} {event:?}"),
        Fact::Message { call, event, .. } => format!("message {call} {event:?}"),
        Fact::Note { call, event } => format!("note {call} {event:?}"),
        Fact::Feed { target, call, event } => format!("feed {target} {call:?} {event:?}"),
        Fact::Incident { call, event } => format!("incident {call:?} {event:?}"),
        Fact::Callback { call, event } => format!("callback {call} {event:?}"),
        Fact::Trunk { trunk, event } => format!("trunk {trunk} {event:?}"),
        Fact::Agent { agent, event } => format!("agent {agent} {event:?}"),
        Fact::Figures { event } => format!("figures {event:?}"),
        Fact::Desk { event } => format!("desk {event:?}"),
    }
}

pub(super) fn event_name(event: &LegEvent) -> String {
    match event {
        LegEvent::Incoming(_) => "rings".to_owned(),
        LegEvent::Progress { status, .. } => format!("hears {status}"),
        LegEvent::Answered { .. } => "is answered".to_owned(),
        LegEvent::Refused { status } => format!("is refused with {status}"),
        LegEvent::Confirmed { .. } => "is confirmed".to_owned(),
        LegEvent::Offer { .. } => "is re-offered".to_owned(),
        LegEvent::OfferAnswered { result } => {
            format!("had its offer {}", if result.is_ok() { "answered" } else { "refused" })
        }
        LegEvent::Digit(key) => format!("got key {key}"),
        LegEvent::Reason(reason) => format!("is told why: {:?} {}", reason.protocol, reason.cause),
        LegEvent::Refer(_) => "is asked to transfer".to_owned(),
        LegEvent::ReferNews { status } => format!("hears of its transfer: {status}"),
        LegEvent::Over(end) => format!("is over: {end:?}"),
    }
}
