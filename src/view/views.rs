//! All views behind one way in. Memory is bounded by the calls in progress, [`RECENT_KEPT`] ended
//! calls, and the ledger's lines and days, however long the history. What is read of the figures stands in
//! `figures`.

use super::agents::{AgentRestore, AgentRow, AgentState, Agents};
use super::attended::{Attended, CallbackRow, MessageRow};
use super::call::{Call, CallQuery, CallRow, OpenCall};
use super::declared::Declared;
use super::earlier::Earlier;
use super::feeding::{Feeding, StepKind};
use super::grouped::Grouped;
use super::half_hour::HalfHour;
use super::hours::{AdHocHours, AdHocRow};
use super::incidents::Incidents;
use super::layout::Layout;
use super::ledger::{Last, Ledger};
use super::month::Month;
use super::orders::{OrderRow, Orders};
use super::outcome::{Decision, Outcome, PerOutcome};
use super::placed::{FullTime, PlacedCalls, PlacedRow};
use super::policy::Policy;
use super::recorded;
use super::service_days::ServiceDays;
use super::service_level::Tally;
use super::signed_out::SignedOut;
use super::sound::SoundTotals;
use super::stamp;
use super::survey::Surveys;
use super::turns::Turns;
use super::unanswered::AllUnanswered;
use super::written::Written;
use crate::base::{AgentId, CallId, GroupId, Number, TrunkId, Wall};
use crate::event::{
    CallEvent, CallbackEvent, DeskEvent, EndCause, Entry, Fact, FiguresEvent, Origin, Party,
    PlacedEnd, PlacedEvent, TrunkEvent,
};
pub use beside::ErasedCalls;
use chrono::NaiveDate;
use std::collections::{BTreeMap, VecDeque};

/// Ended calls in the call list; the oldest to end leaves first.
pub const RECENT_KEPT: usize = 1_000;

/// What the views must be told once.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The plan's name.
    pub desk: String,
    /// Whether the calls are synthetic.
    pub demonstration: bool,
    /// The zone that days and months are taken in.
    pub timezone: chrono_tz::Tz,
    /// The readings of the contract.
    pub policy: Policy,
    /// The plan's agents with their names.
    pub agents: Vec<(AgentId, String)>,
}

/// The folds. Equal histories make equal views.
#[derive(Clone, Debug, PartialEq)]
pub struct Views {
    desk: String,
    demonstration: bool,
    timezone: chrono_tz::Tz,
    service_days: ServiceDays,
    layout: Layout,
    policy: Policy,
    last_seq: u64,
    holes: u64,
    strays: u64,
    open: BTreeMap<CallId, Call>,
    /// Calls that wait, by the entry with which they began to.
    waiting: BTreeMap<u64, CallId>,
    ended: VecDeque<Call>,
    pub(super) ledger: Ledger,
    pub(super) declared: Declared,
    turns: Turns,
    total: Tally,
    left_out: PerOutcome,
    grouped: Grouped,
    channels: BTreeMap<TrunkId, u64>,
    pub(super) agents: Agents,
    placed: PlacedCalls,
    sound: SoundTotals,
    hours: AdHocHours,
    attended: Attended,
    pub(super) surveys: Surveys,
    erased: ErasedCalls,
    earlier: Earlier,
    unanswered: AllUnanswered,
    written: Written,
    orders: Orders,
    feeding: Feeding,
    incidents: Incidents,
    signed_out: SignedOut,
}

impl Views {
    /// Views of an empty history.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let mut agents = Agents::new(setup.timezone);
        agents.set_roster(setup.agents);
        Self {
            desk: setup.desk,
            demonstration: setup.demonstration,
            timezone: setup.timezone,
            service_days: ServiceDays::default(),
            layout: Layout::default(),
            policy: setup.policy,
            last_seq: 0,
            holes: 0,
            strays: 0,
            open: BTreeMap::new(),
            waiting: BTreeMap::new(),
            ended: VecDeque::new(),
            ledger: Ledger::default(),
            declared: Declared::default(),
            turns: Turns::default(),
            total: Tally::default(),
            left_out: PerOutcome::default(),
            grouped: Grouped::default(),
            channels: BTreeMap::new(),
            agents,
            placed: PlacedCalls::default(),
            sound: SoundTotals::default(),
            hours: AdHocHours::default(),
            attended: Attended::default(),
            surveys: Surveys::default(),
            erased: ErasedCalls::default(),
            earlier: Earlier::default(),
            unanswered: AllUnanswered::default(),
            written: Written::default(),
            orders: Orders::default(),
            feeding: Feeding::default(),
            incidents: Incidents::default(),
            signed_out: SignedOut::default(),
        }
    }

    /// Takes a reloaded plan's name and agents. Zone and policy shape what was counted already: a
    /// change of those needs new views and a replay.
    pub fn set_roster(&mut self, desk: String, agents: Vec<(AgentId, String)>) {
        self.desk = desk;
        self.agents.set_roster(agents);
    }

    /// Takes the next entry. One that was taken before is ignored, so that reading a part of the
    /// journal twice changes nothing; a missing one is counted in [`Views::holes`].
    pub fn apply(&mut self, entry: &Entry) {
        if entry.seq <= self.last_seq {
            return;
        }
        self.holes += entry.seq - self.last_seq - 1;
        self.last_seq = entry.seq;
        if is_witness(&entry.fact) {
            self.agents.witness(entry.at);
        }
        match &entry.fact {
            Fact::Call { call, t_ms, event } => {
                self.apply_call(*call, *t_ms, event, entry.at, entry.seq);
            }
            Fact::Placed { call, t_ms, event } => {
                self.placed.apply(*call, *t_ms, event, entry.at);
            }
            Fact::Sound { call, t_ms, side, phone, event } => {
                self.sound.step(event);
                // Its last word may come after the call's.
                if let Some(known) = self.known(*call) {
                    known.sound.step(*side, phone.as_ref(), event, *t_ms);
                } else if let Some(sound) = self.placed.sound(*call) {
                    sound.step(*side, phone.as_ref(), event, *t_ms);
                }
            }
            Fact::Recording { call, t_ms, event } => {
                // Of a call that left the list long ago nothing is shown.
                if let Some(known) = self.known(*call) {
                    recorded::step(&mut known.recordings, *t_ms, event);
                }
            }
            // Looked at below.
            Fact::Message { .. } => {}
            Fact::Callback { call, event } => {
                if matches!(event, CallbackEvent::Ended { .. }) {
                    self.feeding.more(*call, StepKind::CalledBack, (entry.seq, entry.at));
                }
            }
            Fact::Note { call, .. } => {
                self.written.apply(entry);
                self.feeding.more(*call, StepKind::Note, (entry.seq, entry.at));
            }
            Fact::Feed { target, call, event } => {
                self.feeding.apply(target, *call, event, entry.at);
            }
            Fact::Incident { event, .. } => self.incidents.apply(event, (entry.seq, entry.at)),
            Fact::Trunk { trunk, event } => {
                self.placed.trunk(trunk, event, entry.at, self.timezone);
                let worked = self.agents.worked_mut();
                match event {
                    TrunkEvent::ChannelsFull => worked.lines_fill(entry.at),
                    TrunkEvent::ChannelsFree { for_ms } => worked.lines_full(*for_ms, entry.at),
                }
            }
            Fact::Agent { agent, event } => self.agents.apply(agent, event, entry.at),
            Fact::Figures { event } => {
                self.turns.apply(event, entry.seq, entry.at, day_in(self.timezone, entry.at));
                if let Some((exclusion, span)) = self.declared.apply(event, entry.at) {
                    let zone = self.timezone;
                    self.ledger.exclude(exclusion, span, &self.policy, |at| day_in(zone, at));
                }
            }
            Fact::Desk { event: DeskEvent::Started { .. } } => {
                self.agents.restarted(entry.at);
                self.placed.restarted();
            }
            Fact::Desk { event: DeskEvent::Stopped } => {}
            Fact::Desk {
                event:
                    event @ (DeskEvent::Ordered { .. }
                    | DeskEvent::PersonSignedIn { .. }
                    | DeskEvent::PersonSignedOut { .. }),
            } => {
                self.orders.apply(event, entry.at);
                self.signed_out.apply(event, entry.at);
            }
            Fact::Desk {
                event: event @ (DeskEvent::HoursChanged { .. } | DeskEvent::HoursRestored { .. }),
            } => self.hours.apply(event, entry.at),
            Fact::Desk { event: DeskEvent::CallersErased { before, calls, .. } } => {
                self.erase(*before, *calls);
            }
            Fact::Desk { event: DeskEvent::ErasedOnRequest { calls, incidents, .. } } => {
                self.erase_these(calls, incidents);
            }
        }
        self.attended.apply(&entry.fact);
        for it in self.agents.take_wrapped_up() {
            let ms = self.ledger.wrapped_up(&it);
            let wrap_up = StepKind::WrapUp { ms: it.ms };
            self.feeding.more(it.call, wrap_up, (entry.seq, entry.at));
            self.total.wrap_up_ms = self.total.wrap_up_ms.saturating_add(ms);
        }
    }

    /// Voice messages that were left and not deleted, the newest first.
    #[must_use]
    pub fn messages(&self) -> Vec<MessageRow> {
        self.attended.messages()
    }

    /// Wishes to be called back: those that wait by their arrival, then those that are over.
    #[must_use]
    pub fn callbacks(&self) -> Vec<CallbackRow> {
        self.attended.callbacks()
    }

    /// Closings and openings out of turn that hold at `now`, that of all numbers first.
    #[must_use]
    pub fn ad_hoc_hours(&self, now: Wall) -> Vec<AdHocRow> {
        self.hours.rows(now)
    }

    /// A call that is up, or on the list of the ended; one of the last to end is found soon.
    fn known(&mut self, call: CallId) -> Option<&mut Call> {
        let ended = self.ended.iter_mut().rev();
        self.open.get_mut(&call).or_else(|| ended.into_iter().find(|it| it.id == call))
    }

    fn apply_call(&mut self, id: CallId, t_ms: u64, event: &CallEvent, at: Wall, seq: u64) {
        if matches!(event, CallEvent::Arrived { .. }) {
            return self.arrive(id, event, at, t_ms);
        }
        let today = self.day_of(at);
        let Some(call) = self.open.get_mut(&id) else {
            self.strays += 1; // Before its arrival or after its end: never counted.
            return;
        };
        match event {
            // One ringing of one phone for one call, however often it is told.
            CallEvent::OfferMade { agent } if !call.offers.contains(agent) => {
                self.agents.offer_made(agent, at);
            }
            CallEvent::OfferEnded { agent, why } if call.offers.contains(agent) => {
                self.agents.offer_over(agent, at);
                self.agents.rang(agent, Some(*why), today);
                self.unanswered.rang(agent, call, *why, at);
            }
            CallEvent::OperatorAnswered { agent } => {
                if call.offers.contains(agent) {
                    self.agents.offer_over(agent, at);
                    self.agents.rang(agent, None, today);
                }
                self.agents.in_call(agent, id, self.ledger.spot(id), at);
                self.agents.taken(agent);
            }
            CallEvent::Transferred { by, .. }
            | CallEvent::SentAway { by, .. }
            | CallEvent::Parked { by, .. }
            | CallEvent::SurveyBegan { by, .. } => {
                self.agents.call_over(by, id, at);
            }
            CallEvent::Returned { agent } => {
                self.agents.in_call(agent, id, self.ledger.spot(id), at);
            }
            CallEvent::Ended { .. } => {
                for agent in &call.offers {
                    self.agents.offer_over(agent, at);
                }
                // Whoever was with the caller, also one who left without a word.
                for talk in &call.talks {
                    self.agents.call_over(&talk.agent, id, at);
                }
            }
            _ => {}
        }
        let before = call.hold.lasts();
        self.attended.call((id, at), (&call.caller, &call.number), event);
        let decision = call.step(event, t_ms, &self.policy);
        if call.hold.lasts() != before
            && let Some(agent) = call.talks_with()
        {
            self.agents.held(agent, id, call.hold.lasts(), at);
        }
        if call.progress.asked_at_ms().is_some() && call.waiting_since_seq.is_none() {
            call.waiting_since_seq = Some(seq);
            self.waiting.insert(seq, id);
        }
        let (over, counted) = (call.is_over(), call.counted);
        if let Some(decision) = decision {
            if let Some(since) = call.waiting_since_seq {
                self.waiting.remove(&since);
            }
            self.decide(id, decision, counted);
            self.feed(id, decision.outcome(), (seq, at));
        }
        if over && let Some(call) = self.open.remove(&id) {
            self.feeding.ended(&call, (seq, at));
            self.end(call);
        }
    }

    fn arrive(&mut self, id: CallId, event: &CallEvent, at: Wall, t_ms: u64) {
        let Some(call) = Call::begin(id, at, t_ms, event) else { return };
        if self.open.contains_key(&id) {
            self.strays += 1;
            return;
        }
        if let Origin::Trunk(trunk) = &call.origin {
            *self.channels.entry(trunk.clone()).or_default() += 1;
        }
        let counted = call.counted;
        self.total.arrived += u64::from(counted);
        self.total.left_out += u64::from(!counted);
        let half_hour = HalfHour::of(call.arrived_at, self.timezone);
        let when = half_hour.map_or((NaiveDate::MIN, 0), |it| (it.day, it.index));
        self.ledger.arrive(when, id, call.arrived_at, &call.number, counted);
        self.open.insert(id, call);
    }

    fn decide(&mut self, call: CallId, decision: Decision, counted: bool) {
        self.ledger.decide(call, decision, &self.policy);
        if counted {
            self.total.add(decision, &self.policy);
        } else {
            self.left_out.add(decision.outcome());
        }
    }

    /// What ticket systems are due of a call that was decided by this entry.
    fn feed(&mut self, call: CallId, outcome: Outcome, (seq, at): (u64, Wall)) {
        let Some(call) = self.open.get(&call) else { return };
        self.feeding.decided(call, outcome, (seq, at));
        self.incidents.decided(self.feeding.ledger(), call, outcome, seq);
    }

    fn end(&mut self, call: Call) {
        let talk_ms: u64 = call.talks.iter().filter_map(|talk| talk.length_ms).sum();
        if call.counted {
            self.total.talk_ms = self.total.talk_ms.saturating_add(talk_ms);
            self.total.hold_ms = self.total.hold_ms.saturating_add(call.hold.ms);
        }
        if let (true, Some(group), Some(decision)) =
            (call.counted, &call.group, call.progress.decision())
        {
            self.grouped.add(group, decision, &self.policy);
        }
        if let Some(answers) = call.answers.as_ref().filter(|_| call.counted) {
            self.surveys.add(Month::of(self.day_of(call.arrived_at)), answers);
        }
        let (group, agent) = (call.group.as_ref(), call.agent.as_ref());
        self.ledger.end(call.id, &Last { group, agent, talk_ms, hold_ms: call.hold.ms });
        if let Origin::Trunk(trunk) = &call.origin
            && let Some(used) = self.channels.get_mut(trunk)
        {
            *used = used.saturating_sub(1);
        }
        self.earlier.end(&call);
        if self.ended.len() >= RECENT_KEPT {
            self.ended.pop_front();
        }
        self.ended.push_back(call);
    }

    /// The day of `at` in the desk's zone.
    #[must_use]
    pub fn day_of(&self, at: Wall) -> NaiveDate {
        day_in(self.timezone, at)
    }

    /// The last entry taken; 0 before the first.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// The next entry's position.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.last_seq + 1
    }

    /// Entries that were never seen although later ones were: lost while the journal was away.
    #[must_use]
    pub fn holes(&self) -> u64 {
        self.holes
    }

    /// The sound of all legs.
    #[must_use]
    pub fn sound(&self) -> &SoundTotals {
        &self.sound
    }

    /// Entries about calls that had not arrived or were over; not counted anywhere.
    #[must_use]
    pub fn strays(&self) -> u64 {
        self.strays
    }

    /// Calls without an end, in order of arrival.
    pub fn open_calls(&self) -> impl Iterator<Item = OpenCall> {
        self.open.values().map(Call::open)
    }

    /// The entries with which a new process closes the calls that its predecessor left open: each
    /// gets `failed`, or keeps the outcome it had. They went on until `witnessed`, when the predecessor
    /// wrote last; a call of which nothing was written by then talked all the same.
    #[must_use]
    pub fn closing_entries(&self, at: Wall, witnessed: Option<Wall>) -> Vec<Entry> {
        let ended = |open: OpenCall| Fact::Call {
            call: open.call,
            t_ms: open.went_on_until(witnessed),
            event: CallEvent::Ended { by: Party::System, cause: EndCause::Restart },
        };
        (self.next_seq()..)
            .zip(self.open_calls().map(ended).chain(self.placed.closing()))
            .map(|(seq, fact)| Entry { seq, at, fact })
            .collect()
    }

    /// Agents who took part or were set aside, for the desk's start.
    #[must_use]
    pub fn agents_for_restore(&self) -> Vec<AgentRestore> {
        self.agents.for_restore()
    }

    /// Agents as shown, in the order of their lines; what came of their ringing on the day of `now`.
    pub fn agents(&self, now: Wall) -> impl Iterator<Item = AgentRow> {
        self.agents.rows(self.day_of(now))
    }

    /// How many agents are in each state.
    #[must_use]
    pub fn agent_counts(&self) -> [(AgentState, u64); AgentState::ALL.len()] {
        self.agents.counts()
    }

    /// Decided calls of the whole history by outcome: (counted, left out of the figures).
    #[must_use]
    pub fn totals(&self) -> (&PerOutcome, &PerOutcome) {
        (&self.total.outcomes, &self.left_out)
    }

    /// Counts of the whole history, for counters that never fall.
    #[must_use]
    pub fn total(&self) -> &Tally {
        &self.total
    }

    /// Calls in progress and the last [`RECENT_KEPT`] ended ones that are wanted, newest first.
    #[must_use]
    pub fn calls(&self, query: &CallQuery) -> Vec<CallRow> {
        let mut wanted: Vec<&Call> =
            self.open.values().chain(&self.ended).filter(|call| call.wanted(query)).collect();
        wanted.sort_unstable_by_key(|call| std::cmp::Reverse((call.arrived_at, call.id)));
        wanted.into_iter().take(query.limit).map(Call::row).collect()
    }

    /// One call as the list has it; none of one that is not in memory any more.
    #[must_use]
    pub fn row_of(&self, call: CallId) -> Option<CallRow> {
        let ended = || self.ended.iter().rev().find(|it| it.id == call);
        self.open.get(&call).or_else(ended).map(Call::row)
    }

    /// Sessions of the pages that were ended before their time.
    #[must_use]
    pub const fn signed_out(&self) -> &SignedOut {
        &self.signed_out
    }

    /// The last logins and orders over HTTP, the newest first; at most [`super::ORDERS_KEPT`].
    pub fn orders(&self) -> impl Iterator<Item = &OrderRow> {
        self.orders.rows()
    }

    /// The agent with whom a call's caller is now; none when there is none, or no such call.
    #[must_use]
    pub fn talks_with(&self, call: CallId) -> Option<&AgentId> {
        self.open.get(&call)?.talks_with()
    }

    /// Whether a recording of a call is a voice message that lies in a box.
    #[must_use]
    pub fn is_message(&self, call: CallId, number: u32) -> bool {
        self.attended.is_message(call, number)
    }

    /// Calls that are in a slot, those longest there first.
    #[must_use]
    pub fn parked(&self) -> Vec<CallRow> {
        let since = |call: &Call| {
            let from_ms = call.parked.as_ref()?.from_ms;
            Some(call.arrived_at.0.saturating_add_unsigned(from_ms))
        };
        let mut parked: Vec<&Call> =
            self.open.values().filter(|call| call.parked.is_some()).collect();
        parked.sort_by_key(|call| since(call));
        parked.into_iter().map(Call::row).collect()
    }

    pub(super) fn newest(&self, count: usize) -> Vec<CallRow> {
        // Enough for a screen: among the last to end, a call much longer than the others may stand
        // below a newer one that ended before it.
        let open = self.open.values().rev().take(count);
        let ended = self.ended.iter().rev().take(count);
        let mut newest: Vec<&Call> = open.chain(ended).collect();
        newest.sort_unstable_by_key(|call| std::cmp::Reverse((call.arrived_at, call.id)));
        newest.into_iter().take(count).map(Call::row).collect()
    }

    pub(super) fn group_of_open(&self, call: CallId) -> Option<&str> {
        self.open.get(&call)?.group.as_ref().map(GroupId::as_str)
    }

    /// Calls that have no end, by the number that was dialled.
    pub(super) fn open_at(&self) -> impl Iterator<Item = &Number> {
        self.open.values().map(|call| &call.number)
    }

    /// Calls that wait for an operator, in the order in which they began to.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Call> {
        self.waiting.values().filter_map(|id| self.open.get(id))
    }

    /// How many calls wait for an operator.
    #[must_use]
    pub fn waiting_count(&self) -> usize {
        self.waiting.len()
    }

    /// The longest wait now, milliseconds; 0 when nobody waits. `age_ms` as for [`Views::board`].
    #[must_use]
    pub fn longest_wait_ms(&self, age_ms: &dyn Fn(CallId) -> Option<u64>) -> u64 {
        self.waiting().map(|call| call.wait_now_ms(age_ms(call.id))).max().unwrap_or(0)
    }

    /// How many calls have no end.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.open.len()
    }

    /// Calls by trunk that have no end; a trunk once seen stays with 0.
    pub fn channels(&self) -> impl Iterator<Item = (&TrunkId, u64)> {
        self.channels.iter().map(|(trunk, used)| (trunk, *used))
    }

    /// Calls by any trunk that have no end.
    #[must_use]
    pub fn channels_in_use(&self) -> u64 {
        self.channels.values().sum()
    }

    /// Placed calls in progress and the last that ended, newest first.
    #[must_use]
    pub fn placed_calls(&self, limit: usize) -> Vec<PlacedRow> {
        self.placed.rows(limit)
    }

    /// Placed calls that have ended, by whether they were answered.
    #[must_use]
    pub fn placed_counts(&self) -> [(&'static str, u64); 4] {
        self.placed.counts()
    }

    /// Placed calls without an end.
    #[must_use]
    pub fn placed_open(&self) -> usize {
        self.placed.open()
    }

    /// For how long and how often each trunk had no channel left for callers.
    pub fn full_times(&self) -> impl Iterator<Item = (&TrunkId, FullTime)> {
        self.placed.full()
    }

    /// The same of one month: the part of each span that lies in it.
    pub fn full_times_in(&self, month: Month) -> impl Iterator<Item = (&TrunkId, FullTime)> {
        self.placed.full_in(month)
    }

    /// For how long each trunk that ever was full has had no channel left at `now`, milliseconds; 0 when it has one.
    /// Such a time is in [`Views::full_times`] only when it is over.
    pub fn full_now(&self, now: Wall) -> impl Iterator<Item = (&TrunkId, u64)> {
        self.placed.full_now(now)
    }

    /// The readings in force.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The zone of days and months.
    #[must_use]
    pub fn timezone(&self) -> chrono_tz::Tz {
        self.timezone
    }

    /// The plan's name.
    #[must_use]
    pub fn desk(&self) -> &str {
        &self.desk
    }

    /// Whether the calls are synthetic.
    #[must_use]
    pub fn is_demonstration(&self) -> bool {
        self.demonstration
    }
}

/// Whether an entry shows that the desk ran at its time: the next start gives calls their last word, and notes
/// changed settings, before it says that it began.
fn is_witness(fact: &Fact) -> bool {
    match fact {
        Fact::Call { event: CallEvent::Ended { cause: EndCause::Restart, .. }, .. }
        | Fact::Placed { event: PlacedEvent::Ended { why: PlacedEnd::Restart, .. }, .. }
        | Fact::Figures { event: FiguresEvent::SettingsChanged { .. } }
        // Looked at in `Agents::restarted`.
        | Fact::Desk { event: DeskEvent::Started { .. } } => false,
        Fact::Call { .. }
        | Fact::Placed { .. }
        | Fact::Sound { .. }
        | Fact::Trunk { .. }
        | Fact::Agent { .. }
        | Fact::Recording { .. }
        | Fact::Message { .. }
        | Fact::Note { .. }
        | Fact::Callback { .. }
        | Fact::Feed { .. }
        | Fact::Incident { .. }
        | Fact::Figures { .. }
        | Fact::Desk { .. } => true,
    }
}

fn day_in(zone: chrono_tz::Tz, at: Wall) -> NaiveDate {
    stamp::local(at, zone).map_or(NaiveDate::MIN, |local| local.date_naive())
}

mod beside;
mod keeping;
mod ticketing;

#[cfg(test)]
mod figures_tests;
#[cfg(test)]
mod panel_tests;
#[cfg(test)]
pub(super) mod tests;
