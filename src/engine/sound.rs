//! What the media threads say of the legs' sound becomes history: with the call that it belongs to, and only
//! from the moment on that the call is a talk.

use super::{Engine, Outbox, Session};
use crate::base::{CallId, LegId, Mono, Now, Number};
use crate::event::{Fact, Party, SoundEvent, SoundFault};
use crate::rtp::quality::{Fault, Quality};
use std::collections::VecDeque;
use std::time::Duration;

/// A leg that was closed is remembered so long for the last word on its sound, which comes at once or never.
const LAST_WORD: Duration = Duration::from_secs(5);

/// What one leg's sound is told of with.
#[derive(Clone, Debug)]
pub struct Book {
    /// Whether its phone called, or was called.
    pub side: Party,
    /// Its call, and when that began. Kept: the rules forget a call before its legs are closed.
    call: Option<(CallId, Mono)>,
    /// Faults that stand in the history, and since when.
    open: [Option<Mono>; SoundFault::ALL.len()],
}

impl Book {
    /// Of a leg that begins.
    pub const fn new(side: Party) -> Self {
        Self { side, call: None, open: [None; SoundFault::ALL.len()] }
    }
}

/// A closed leg of which the last word is awaited.
#[derive(Debug)]
struct Leaving {
    leg: LegId,
    book: Book,
    phone: Option<Number>,
    at: Mono,
}

/// All of them, in the order of closing.
#[derive(Debug, Default)]
pub struct LastWords(VecDeque<Leaving>);

impl LastWords {
    fn put(&mut self, leaving: Leaving) {
        while self.0.front().is_some_and(|first| leaving.at.since(first.at) > LAST_WORD) {
            self.0.pop_front();
        }
        self.0.push_back(leaving);
    }

    fn take(&mut self, leg: LegId) -> Option<Leaving> {
        let at = self.0.iter().position(|leaving| leaving.leg == leg)?;
        self.0.remove(at)
    }
}

impl Engine {
    /// Something is wrong with a leg's sound, or is no more.
    pub(super) fn sound_fault(
        &mut self,
        leg: LegId,
        fault: Fault,
        on: bool,
        now: Now,
        out: &mut Outbox,
    ) {
        self.remember_call(leg);
        let Some(session) = self.sessions.get_mut(&leg) else { return };
        let fault = told(fault);
        let Some(open) = place(&mut session.sound.open, fault) else { return };
        let event = match (on, *open) {
            // Before the answer a phone need not send: the watch begins anew with the talk.
            (true, None) if session.introduced => {
                *open = Some(now.mono);
                SoundEvent::FaultNoticed { fault }
            }
            (false, Some(since)) => {
                *open = None;
                SoundEvent::FaultEnded { fault, for_ms: now.mono.ms_since(since) }
            }
            (true, _) | (false, None) => return,
        };
        let (book, phone) = (session.sound.clone(), extension(session));
        self.record_sound(&book, phone, event, now.mono, now, out);
    }

    /// How a leg's sound was so far.
    pub(super) fn sound_measured(
        &mut self,
        leg: LegId,
        quality: &Quality,
        last: bool,
        now: Now,
        out: &mut Outbox,
    ) {
        self.remember_call(leg);
        let leaving = if last { self.last_words.take(leg) } else { None };
        let (book, phone, at) = match (leaving, self.sessions.get(&leg)) {
            (Some(leaving), _) => (leaving.book, leaving.phone, leaving.at),
            (None, Some(session)) => (session.sound.clone(), extension(session), now.mono),
            (None, None) => return,
        };
        self.record_sound(&book, phone, measured(quality, last), at, now, out);
    }

    /// Notes which call the leg belongs to, while the rules know.
    pub(super) fn remember_call(&mut self, leg: LegId) {
        let call = self.desk.age_of(leg);
        if let Some(session) = self.sessions.get_mut(&leg) {
            session.sound.call = call.or(session.sound.call);
        }
    }

    /// The leg is closed: what was wrong with it is no more.
    pub(super) fn sound_over(&mut self, leg: LegId, session: &Session, now: Now, out: &mut Outbox) {
        let mut book = session.sound.clone();
        book.call = self.desk.age_of(leg).or(book.call);
        for fault in SoundFault::ALL {
            if let Some(since) = place(&mut book.open, fault).and_then(Option::take) {
                let event = SoundEvent::FaultEnded { fault, for_ms: now.mono.ms_since(since) };
                self.record_sound(&book, extension(session), event, now.mono, now, out);
            }
        }
        if session.agreed.is_some() {
            let phone = extension(session);
            self.last_words.put(Leaving { leg, book, phone, at: now.mono });
        }
    }

    fn record_sound(
        &mut self,
        book: &Book,
        phone: Option<Number>,
        event: SoundEvent,
        at: Mono,
        now: Now,
        out: &mut Outbox,
    ) {
        // Without a call there is nobody to tell of: a caller who was refused, mostly.
        let Some((call, began)) = book.call else { return };
        let fact = Fact::Sound { call, t_ms: at.ms_since(began), side: book.side, phone, event };
        self.record(fact, now, out);
    }
}

fn extension(session: &Session) -> Option<Number> {
    session.phone.as_ref().map(|phone| phone.extension.clone())
}

fn place<T>(open: &mut [T; SoundFault::ALL.len()], fault: SoundFault) -> Option<&mut T> {
    let at = SoundFault::ALL.iter().position(|one| *one == fault)?;
    open.get_mut(at)
}

const fn told(fault: Fault) -> SoundFault {
    match fault {
        Fault::OneWay => SoundFault::OneWay,
        Fault::NoWay => SoundFault::NoWay,
        Fault::Frozen => SoundFault::Frozen,
        Fault::Loop => SoundFault::Loop,
    }
}

fn measured(quality: &Quality, last: bool) -> SoundEvent {
    SoundEvent::Measured {
        last,
        codec: quality.codec.name().to_owned(),
        sent: quality.sent,
        due: quality.sums.due,
        received: quality.sums.received,
        late: quality.sums.late,
        duplicate: quality.sums.duplicate,
        jitter_us: quality.jitter_mean_us,
        jitter_max_us: quality.jitter_max_us,
        longest_gap_ms: quality.longest_gap_ms,
        round_trip_ms: quality.round_trip_ms,
        far_lost: quality.far.map(|far| far.lost),
        far_worst_256: quality.far.map(|far| far.worst_lost),
        far_jitter_us: quality.far.map(|far| far.jitter_us),
        mos_hundredths: quality.mos,
        worst_mos_hundredths: quality.worst_mos,
    }
}
