//! What each target (ticket system) is due of calls and has not got yet, what it has, and what waits for a
//! person. The history is the outbox: a call that was decided is due from that entry on, whatever happens to
//! the process, and stops being due by the entry that says that the target has it.
//!
//! Knows no words and no protocol: `feed` makes the words, `io::deliver` hands them over.

mod rules;
mod shown;
mod step;

pub use rules::{FeedRules, Handling, NotRules};
pub use shown::{DeadRow, Due, FeedStatus, OutboxRow, TicketRow};
pub use step::StepKind;

use super::call::Call;
use super::incidents::LEDGER;
use super::outcome::Outcome;
use crate::base::{CallId, Private, TargetId, Wall, kept};
use crate::event::{FeedEvent, TicketState, Unfed, chain};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use step::Step;

/// Calls of one target that may have something due (about 40 MB). What comes beyond is not lined up: it
/// stands in the history, is counted, and `madoguchi tickets outbox` lists it.
pub const OUTBOX_KEPT: usize = 100_000;
/// Tickets of one target that later steps and later calls of the same caller still find.
pub const TICKETS_KEPT: usize = 20_000;
/// Steps of one ticket that may be due at once; what comes beyond is not handed over, and counted.
pub const STEPS_KEPT: usize = 200;
/// Tickets of one target whose state is held for the figures (a year of calls is about 100,000), and up to a tenth more.
pub const SEEN_KEPT: usize = 200_000;
/// Longest name that a target may give a ticket.
pub const TICKET_BOUND: usize = 64;

/// The fold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Feeding {
    targets: BTreeMap<TargetId, Target>,
}

/// One target.
#[derive(Clone, Debug, Default, PartialEq)]
struct Target {
    /// None: it is configured no more.
    rules: Option<FeedRules>,
    /// Calls that have something due.
    lines: BTreeMap<CallId, Line>,
    /// The same by the entry that made it due; those that wait for a person are not in it.
    order: BTreeSet<(u64, CallId)>,
    /// Calls that have a ticket.
    tickets: BTreeMap<CallId, String>,
    /// The last call with a ticket, or with one that is due, by caller.
    by_caller: BTreeMap<Private<String>, (CallId, Wall)>,
    /// How its tickets stand, as it tells, or as was read from it.
    seen: BTreeMap<String, Seen>,
    /// Up to where that was read.
    cursor: String,
    counts: Counts,
}

/// One call's steps.
#[derive(Clone, Debug, PartialEq)]
struct Line {
    caller: Option<Private<String>>,
    arrived_at: Wall,
    steps: VecDeque<Step>,
    stuck: Option<Stuck>,
    edited: Option<Edited>,
}

/// What waits for a person.
#[derive(Clone, Debug, PartialEq)]
struct Stuck {
    at: Wall,
    tries: u32,
    why: Unfed,
}

/// Words that a person put in the place of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// The ticket's subject, when it is another.
    pub subject: Option<Private<String>>,
    /// The words.
    pub text: Private<String>,
}

#[derive(Clone, Debug, PartialEq)]
struct Seen {
    call: Option<CallId>,
    state: TicketState,
}

/// Since the target was first configured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    opened: u64,
    found: u64,
    added: u64,
    given_up: u64,
    discarded: u64,
    /// Not lined up, at a bound.
    left_over: u64,
    last_done_at: Option<Wall>,
}

kept!(struct Feeding { targets });
kept!(struct Target { rules, lines, order, tickets, by_caller, seen, cursor, counts });
kept!(struct Line { caller, arrived_at, steps, stuck, edited });
kept!(struct Stuck { at, tries, why });
kept!(struct Edited { subject, text });
kept!(struct Seen { call, state });
kept!(struct Counts { opened, found, added, given_up, discarded, left_over, last_done_at });

impl Feeding {
    /// A target's own entry.
    pub(super) fn apply(
        &mut self,
        target: &TargetId,
        call: Option<CallId>,
        event: &FeedEvent,
        at: Wall,
    ) {
        let target = self.targets.entry(target.clone()).or_default();
        match event {
            FeedEvent::TargetSet { rules } => target.rules = FeedRules::read(rules).ok(),
            FeedEvent::TargetGone => {
                target.rules = None;
                (target.lines, target.order) = (BTreeMap::new(), BTreeSet::new());
            }
            FeedEvent::TicketSeen { ticket, state } => {
                let seen = Seen { call, state: (**state).clone() };
                target.seen.insert(ticket.clone(), seen);
                forget_oldest(&mut target.seen, SEEN_KEPT, |it| it.state.received_at);
            }
            FeedEvent::TicketsRead { cursor } => target.cursor.clone_from(cursor),
            FeedEvent::TicketOpened { .. }
            | FeedEvent::TicketAdded { .. }
            | FeedEvent::FeedGivenUp { .. }
            | FeedEvent::FeedRetried { .. }
            | FeedEvent::FeedDiscarded { .. }
            | FeedEvent::FeedEdited { .. }
            | FeedEvent::TicketAdopted { .. } => {
                if let Some(call) = call {
                    target.step(call, event, at);
                }
            }
        }
    }

    /// A call was decided by this entry.
    pub(super) fn decided(&mut self, call: &Call, outcome: Outcome, (seq, at): (u64, Wall)) {
        if !call.counted {
            return;
        }
        for target in self.fed() {
            let Some(rules) = &target.rules else { continue };
            if rules.of(outcome) == Handling::Ticket {
                target.line_up(call, Step { seq, at, kind: StepKind::Open });
            }
        }
    }

    /// A call is over.
    pub(super) fn ended(&mut self, call: &Call, (seq, at): (u64, Wall)) {
        let outcome = call.progress.decision().map(|decision| decision.outcome());
        let (true, Some(outcome)) = (call.counted, outcome) else { return };
        for target in self.fed() {
            let Some(rules) = &target.rules else { continue };
            let within_ms = rules.note_within_ms;
            match rules.of(outcome) {
                Handling::Ticket => {
                    // A call that was decided by its end is in its ticket as it is.
                    let opens = |line: &Line| {
                        line.steps.iter().any(|it| it.kind == StepKind::Open && it.seq == seq)
                    };
                    if !target.lines.get(&call.id).is_some_and(opens) {
                        target.add(call.id, Step { seq, at, kind: StepKind::Ended });
                    }
                }
                Handling::Note => target.note_on_earlier(call, (seq, at), within_ms),
                Handling::Nothing => {}
            }
        }
    }

    /// Something more is to be said about a call that may have a ticket.
    pub(super) fn more(&mut self, call: CallId, kind: StepKind, (seq, at): (u64, Wall)) {
        for target in self.fed() {
            target.add(call, Step { seq, at, kind });
        }
    }

    /// Numbers of calls that arrived before `before` are no more.
    pub(super) fn erase(&mut self, due: &dyn Fn(CallId, Wall) -> bool) {
        for target in self.targets.values_mut() {
            target.by_caller.retain(|_, (call, at)| !due(*call, *at));
            let gone = |(call, line): &(&CallId, &mut Line)| due(**call, line.arrived_at);
            for (_, line) in target.lines.iter_mut().filter(gone) {
                (line.caller, line.edited) = (None, None);
            }
        }
    }

    /// Targets that are configured and are handed something: the ledger is written by the history itself.
    fn fed(&mut self) -> impl Iterator<Item = &mut Target> {
        let all = self.targets.iter_mut();
        all.filter(|(name, it)| name.as_str() != LEDGER && it.rules.is_some()).map(|(_, it)| it)
    }
}

/// A tenth more than `kept` are held before the oldest leave together: nobody looks through all of them for each that
/// comes.
fn forget_oldest<K: Ord + Clone, V>(
    all: &mut BTreeMap<K, V>,
    kept: usize,
    of: impl Fn(&V) -> Wall,
) {
    if all.len() <= kept + kept / 10 {
        return;
    }
    let mut order: Vec<(Wall, &K)> = all.iter().map(|(key, one)| (of(one), key)).collect();
    order.sort_unstable();
    let leaving = order.len() - kept;
    let gone: Vec<K> = order.into_iter().take(leaving).map(|(_, key)| key.clone()).collect();
    for key in gone {
        all.remove(&key);
    }
}

impl Target {
    /// The first step of a call.
    fn line_up(&mut self, call: &Call, step: Step) {
        if self.lines.len() >= OUTBOX_KEPT {
            self.counts.left_over += 1;
            return;
        }
        let caller = call.known_caller().cloned();
        if let Some(caller) = &caller {
            self.by_caller.insert(caller.clone(), (call.id, call.arrived_at));
            forget_oldest(&mut self.by_caller, TICKETS_KEPT, |(_, at)| *at);
        }
        self.order.insert((step.seq, call.id));
        let (arrived_at, steps) = (call.arrived_at, VecDeque::from([step]));
        self.lines.insert(call.id, Line { caller, arrived_at, steps, stuck: None, edited: None });
    }

    /// A step behind the first; nothing for a call without a ticket.
    fn add(&mut self, call: CallId, step: Step) {
        if let Some(line) = self.lines.get_mut(&call) {
            if line.steps.len() >= STEPS_KEPT {
                self.counts.left_over += 1;
            } else {
                line.steps.push_back(step);
            }
        } else if self.tickets.contains_key(&call) && self.lines.len() < OUTBOX_KEPT {
            self.order.insert((step.seq, call));
            let (arrived_at, steps) = (step.at, VecDeque::from([step]));
            let line = Line { caller: None, arrived_at, steps, stuck: None, edited: None };
            self.lines.insert(call, line);
        }
    }

    /// A call that makes no ticket of its own stands in the last one of the same caller, if that is not old.
    fn note_on_earlier(&mut self, call: &Call, (seq, at): (u64, Wall), within_ms: u64) {
        let Some(caller) = call.known_caller() else { return };
        let Some((earlier, arrived_at)) = self.by_caller.get(caller).copied() else { return };
        let age_ms = call.arrived_at.ms_since(arrived_at);
        if age_ms <= within_ms && earlier != call.id {
            self.add(earlier, Step { seq, at, kind: StepKind::LaterCall { call: call.id } });
        }
    }

    fn step(&mut self, call: CallId, event: &FeedEvent, at: Wall) {
        match event {
            FeedEvent::TicketOpened { through, ticket, found, .. } => {
                self.counts.opened += 1;
                self.counts.found += u64::from(*found);
                self.counts.last_done_at = Some(at);
                self.has_ticket(call, ticket, *through);
            }
            FeedEvent::TicketAdopted { ticket, .. } => self.has_ticket(call, ticket, 0),
            FeedEvent::TicketAdded { step, .. } => {
                self.counts.added += 1;
                self.counts.last_done_at = Some(at);
                self.change(call, |line| {
                    line.edited = None;
                    line.steps.pop_front_if(|first| first.seq == *step);
                });
            }
            FeedEvent::FeedGivenUp { step, tries, why } => {
                self.counts.given_up += 1;
                let (tries, why) = (*tries, *why);
                self.change(call, |line| {
                    if line.steps.front().is_some_and(|first| first.seq == *step) {
                        line.stuck = Some(Stuck { at, tries, why });
                    }
                });
            }
            FeedEvent::FeedRetried { .. } => self.change(call, |line| line.stuck = None),
            FeedEvent::FeedEdited { subject, text, .. } => self.change(call, |line| {
                line.stuck = None;
                let whole = !chain::is_erased(text.reveal());
                let edited = Edited { subject: subject.clone(), text: text.clone() };
                line.edited = whole.then_some(edited);
            }),
            FeedEvent::FeedDiscarded { .. } => {
                self.counts.discarded += 1;
                self.change(call, |line| line.steps.clear());
                self.tickets.remove(&call);
                self.by_caller.retain(|_, (of, _)| *of != call);
            }
            FeedEvent::TargetSet { .. }
            | FeedEvent::TargetGone
            | FeedEvent::TicketSeen { .. }
            | FeedEvent::TicketsRead { .. } => {}
        }
    }

    /// What was known up to `through` stands in the ticket; notes are always added by themselves.
    fn has_ticket(&mut self, call: CallId, ticket: &str, through: u64) {
        self.tickets.insert(call, ticket.to_owned());
        if self.tickets.len() > TICKETS_KEPT {
            self.tickets.pop_first();
        }
        self.change(call, |line| {
            (line.stuck, line.edited) = (None, None);
            line.steps.retain(|step| match step.kind {
                StepKind::Open => false,
                StepKind::Ended => step.seq > through,
                StepKind::Note
                | StepKind::WrapUp { .. }
                | StepKind::CalledBack
                | StepKind::LaterCall { .. } => true,
            });
        });
    }

    /// Changes a line and keeps the order true.
    fn change(&mut self, call: CallId, change: impl FnOnce(&mut Line)) {
        let Some(line) = self.lines.get_mut(&call) else { return };
        if let Some(first) = line.steps.front() {
            self.order.remove(&(first.seq, call));
        }
        change(line);
        match line.steps.front() {
            None => {
                self.lines.remove(&call);
            }
            Some(first) if line.stuck.is_none() => {
                self.order.insert((first.seq, call));
            }
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
