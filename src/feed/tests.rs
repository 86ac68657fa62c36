//! The whole feeding against a ticket system that does wrong all that one can do, in virtual time: the fold says
//! what is due, the lane says when, and the target's own list is what is judged.

use super::*;
use crate::base::{AgentId, Language, Mono, Rng, TargetId, Wall};
use crate::event::{
    CallEvent, Caller, CallerNumber, EndCause, Entry, Fact, FeedEvent, Means, NoteEvent, Origin,
    Party, Unfed,
};
use crate::view::{Due, FeedRules, Policy, Setup, StepKind, Views};
use std::time::Duration;

const BEGINNING: i64 = 1_790_816_400_000;

fn terms() -> Terms {
    let (policy, zone) = (Policy::default(), chrono_tz::Asia::Tokyo);
    Terms { policy, zone, language: Language::Ja, link: Some("https://desk.example".to_owned()) }
}

fn target() -> TargetId {
    "tool".into()
}

fn id(n: u64) -> CallId {
    CallId(uuid::Uuid::from_u128(u128::from(n)))
}

struct History {
    entries: Vec<Entry>,
    ladders: BTreeMap<CallId, Vec<Entry>>,
    views: Views,
    at: Wall,
}

impl History {
    fn new() -> Self {
        let setup = Setup {
            desk: "窓口".to_owned(),
            demonstration: false,
            timezone: chrono_tz::Asia::Tokyo,
            policy: Policy::default(),
            agents: vec![],
        };
        let (entries, views) = (Vec::new(), Views::new(setup));
        let ladders = BTreeMap::new();
        let mut history = Self { entries, ladders, views, at: Wall(BEGINNING) };
        let rules = FeedRules::default().written();
        history.write(None, FeedEvent::TargetSet { rules });
        history
    }

    fn fact(&mut self, fact: Fact) -> u64 {
        let seq = self.entries.len() as u64 + 1;
        let entry = Entry { seq, at: self.at, fact };
        self.views.apply(&entry);
        if let Fact::Call { call, .. } | Fact::Note { call, .. } = &entry.fact {
            self.ladders.entry(*call).or_default().push(entry.clone());
        }
        self.entries.push(entry);
        seq
    }

    fn write(&mut self, call: Option<CallId>, event: FeedEvent) {
        self.fact(Fact::Feed { target: target(), call, event });
    }

    fn call(&mut self, call: CallId, t_ms: u64, event: CallEvent) -> u64 {
        self.fact(Fact::Call { call, t_ms, event })
    }

    fn arrive(&mut self, call: CallId, number: &str) {
        let number = CallerNumber::Known(Private::new(number.to_owned()));
        let caller = Caller { number, name: None, diverted_from: None };
        let origin = Origin::Trunk("carrier".into());
        let event =
            CallEvent::Arrived { number: "0300000000".into(), caller, origin, counted: true };
        self.call(call, 0, event);
        self.call(call, 10, CallEvent::OperatorAsked { group: Some("desk".into()) });
    }

    fn answer(&mut self, call: CallId) {
        self.call(call, 4_000, CallEvent::OperatorAnswered { agent: "2001".into() });
    }

    fn end(&mut self, call: CallId) {
        let (by, cause) = (Party::Caller, EndCause::HungUp);
        self.call(call, 64_000, CallEvent::Ended { by, cause });
    }

    fn note(&mut self, call: CallId, text: &str) -> u64 {
        let (agent, by) = (AgentId::from("2001"), Means::Api);
        let event = NoteEvent::Noted { agent, text: Private::new(text.to_owned()), by };
        self.fact(Fact::Note { call, event })
    }

    fn ladder(&self, call: CallId) -> &[Entry] {
        self.ladders.get(&call).map_or(&[], Vec::as_slice)
    }
}

/// A ticket system without any uniqueness of its own.
#[derive(Default)]
struct System {
    tickets: Vec<(CallId, Vec<String>)>,
    /// What was asked and is done later than any answer: then, and what.
    late: Vec<(Mono, Asked)>,
}

#[derive(Clone)]
enum Asked {
    Create(CallId),
    Append(usize, String),
}

impl System {
    fn find(&self, call: CallId) -> Vec<usize> {
        let numbered = self.tickets.iter().enumerate();
        numbered.filter(|(_, (of, _))| *of == call).map(|(number, _)| number).collect()
    }

    fn do_it(&mut self, asked: Asked) {
        match asked {
            Asked::Create(call) => self.tickets.push((call, Vec::new())),
            Asked::Append(ticket, key) => self.tickets[ticket].1.push(key),
        }
    }

    fn pass(&mut self, now: Mono) {
        let (due, rest) =
            std::mem::take(&mut self.late).into_iter().partition(|(at, _)| *at <= now);
        self.late = rest;
        for (_, asked) in due {
            self.do_it(asked);
        }
    }
}

const TIMED_OUT: Tried = Tried::Failed { why: Unfed::TimedOut, retry_after: None };
const WITHHELD: Tried = Tried::Withheld { status: 403 };

fn failed(status: u16) -> Tried {
    Tried::Failed { why: Unfed::Refused { status }, retry_after: None }
}

/// One try as the daemon makes it, with what goes wrong by chance; what it came to, and the ticket.
fn try_it(
    system: &mut System,
    history: &History,
    due: &Due,
    rng: &mut Rng,
    (now, wrong_percent): (Mono, u64),
) -> (Tried, Option<FeedEvent>) {
    let mut goes_wrong = || rng.below(100) < wrong_percent;
    // The look may go wrong, too.
    if goes_wrong() {
        let status = [500, 503, 502][usize::try_from(rng.below(3)).unwrap_or(0)];
        return (failed(status), None);
    }
    let done = if due.kind == StepKind::Open { Tried::Opened } else { Tried::Added };
    let entries = history.ladder(due.call);
    let sheet = Sheet::of(entries, &terms(), due.wrap_up_ms).expect("a call");
    let found = system.find(due.call);
    let (asked, event) = match due.kind {
        StepKind::Open => {
            if let Some(first) = found.first() {
                let (through, ticket) = (due.seq, first.to_string());
                let event = FeedEvent::TicketOpened { through, ticket, found: true, tries: 1 };
                return (done, Some(event));
            }
            let (through, ticket) = (sheet.through, system.tickets.len().to_string());
            let event = FeedEvent::TicketOpened { through, ticket, found: false, tries: 1 };
            (Asked::Create(due.call), event)
        }
        kind => {
            let entry = entries.iter().find(|entry| entry.seq == due.seq);
            let it = addition(due.call, &sheet, (due.seq, due.at, kind), entry, &terms());
            let ticket = *found.first().expect("it was opened before");
            let event = FeedEvent::TicketAdded { step: due.seq, tries: 1 };
            if system.tickets[ticket].1.contains(&it.key) {
                return (done, Some(event));
            }
            (Asked::Append(ticket, it.key), event)
        }
    };
    if !goes_wrong() {
        system.do_it(asked);
        return (done, Some(event));
    }
    match rng.below(6) {
        // Done, and the answer is a fault, or is lost.
        0 | 1 => {
            system.do_it(asked);
            (failed(500), None)
        }
        // The connection breaks, and it is done then or a moment later.
        2 => {
            system.late.push((now + Duration::from_secs(rng.below(50)), asked));
            (Tried::Failed { why: Unfed::CutOff, retry_after: None }, None)
        }
        // No answer in time; done all the same, half a minute later.
        3 => {
            system.late.push((now + Duration::from_secs(rng.below(50)), asked));
            (TIMED_OUT, None)
        }
        4 => (failed(401), None),
        _ => (failed(503), None),
    }
}

/// Hundreds of calls in a burst, each with two notes; three of four requests fail; the process dies now and then at
/// any point. In the end every call has one ticket with its notes in order.
#[test]
fn every_call_has_one_ticket_with_its_notes_in_order_whatever_the_system_does_and_whoever_dies() {
    for (seed, calls) in [(0, 1_000), (1, 50), (2, 50), (3, 50), (4, 50), (5, 50)] {
        let mut rng = Rng::from_number(seed);
        let mut history = History::new();
        let mut due_keys = Vec::new();
        for n in 1..=calls {
            let call = id(n);
            history.arrive(call, &format!("03{n:08}"));
            history.answer(call);
            let first = history.note(call, "一");
            history.end(call);
            let second = history.note(call, "二");
            due_keys.push((call, [key(call, first, "note"), key(call, second, "note")]));
        }
        let (mut system, mut lane, mut now) = (System::default(), Lane::default(), Mono::ZERO);
        let mut rounds = 0_u32;
        while history.views.outbox(&target(), false, 1).1 > 0 {
            rounds += 1;
            assert!(rounds < 2_000_000, "seed {seed}: it never ends");
            system.pass(now);
            let picked = lane.pick(history.views.tickets_due(&target()), now);
            if picked.is_empty() {
                now = now + Duration::from_millis(200);
            }
            for call in picked {
                let due = history.views.ticket_step(&target(), call).expect("due");
                let (tried, event) = try_it(&mut system, &history, &due, &mut rng, (now, 75));
                // The process dies behind the request and before a word of it is written.
                if rng.below(500) == 0 {
                    lane = Lane::default();
                    lane.inherit(history.views.tickets_due(&target()), now);
                    break;
                }
                match (lane.end(call, tried, now, rng.bits()), event) {
                    (After::Done { .. }, Some(event)) => history.write(Some(call), event),
                    (After::GivenUp { .. }, _) => panic!("seed {seed}: given up"),
                    _ => {}
                }
            }
        }
        assert_eq!(system.tickets.len() as u64, calls, "seed {seed}: no ticket twice");
        for (call, keys) in due_keys {
            let found = system.find(call);
            assert_eq!(found.len(), 1, "seed {seed} {call}");
            let notes: Vec<_> =
                system.tickets[found[0]].1.iter().filter(|key| key.ends_with(":note")).collect();
            assert_eq!(notes, keys.iter().collect::<Vec<_>>(), "seed {seed} {call}");
        }
    }
}

#[test]
fn a_system_that_is_away_for_a_weekend_loses_nothing_and_is_asked_by_one_call_at_a_time() {
    let (mut lane, mut now) = (Lane::default(), Mono::ZERO);
    let calls: Vec<CallId> = (1..=500).map(id).collect();
    let mut tries = 0;
    let away = Tried::Failed { why: Unfed::Unreachable, retry_after: None };
    while now < Mono::ZERO + Duration::from_hours(63) {
        for call in lane.pick(calls.iter().copied(), now) {
            tries += 1;
            assert_eq!(lane.end(call, away, now, u64::MAX), After::Held);
        }
        now = now + Duration::from_secs(1);
    }
    assert!(matches!(lane.state(), LaneState::Away { .. }));
    assert!((4 * 63..2_000).contains(&tries), "{tries} tries in a weekend");
    // It is there again: everything goes at once.
    now = now + Duration::from_mins(15);
    let first = lane.pick(calls.iter().copied(), now);
    assert_eq!(first.len(), 1);
    assert_eq!(lane.end(first[0], Tried::Added, now, 0), After::Done { tries: 1 });
    assert_eq!(lane.pick(calls.iter().copied(), now).len(), BUSY_MOST);
}

#[test]
fn a_refused_key_holds_all_and_a_person_who_mended_it_need_not_wait() {
    let (mut lane, now) = (Lane::default(), Mono::ZERO);
    let calls = [id(1), id(2)];
    assert_eq!(lane.pick(calls, now), calls);
    assert_eq!(lane.end(id(1), failed(401), now, 0), After::Held);
    assert_eq!(lane.end(id(2), failed(401), now, 0), After::Held);
    assert!(matches!(lane.state(), LaneState::Barred { status: 401, .. }));
    assert!(lane.pick(calls, now + Duration::from_secs(60)).is_empty());
    lane.again(None, now);
    assert_eq!(lane.pick(calls, now).len(), 2);
}

#[test]
fn what_is_refused_three_times_waits_for_a_person_and_holds_up_no_other() {
    let (mut lane, mut now) = (Lane::default(), Mono::ZERO);
    for status in [400, 404, 409, 413, 422, 302] {
        let mut last = After::Held;
        for _ in 0..3 {
            now = now + Duration::from_mins(20);
            assert!(lane.pick([id(1)], now).contains(&id(1)), "{status}");
            last = lane.end(id(1), failed(status), now, u64::MAX);
            let others = lane.pick(
                [id(1), id(2)].into_iter().skip(usize::from(matches!(last, After::GivenUp { .. }))),
                now,
            );
            assert_eq!(others, [id(2)], "{status}");
            lane.end(id(2), Tried::Added, now, 0);
        }
        let why = Unfed::Refused { status };
        assert_eq!(last, After::GivenUp { tries: 3, why }, "{status}");
    }
    // What fails otherwise is tried for three days before a person is asked.
    let since = now;
    loop {
        now = now + Duration::from_mins(16);
        assert_eq!(lane.pick([id(3)], now), [id(3)]);
        if let After::GivenUp { .. } = lane.end(id(3), failed(500), now, 0) {
            break;
        }
    }
    assert!(now.since(since) >= GIVE_UP_AFTER);
}

#[test]
fn a_ticket_that_may_not_be_seen_holds_up_no_other_call() {
    // Two are refused whenever they are tried, as where our user sees a part of a project only.
    let (mut lane, mut now) = (Lane::default(), Mono::ZERO);
    let refused = [id(4), id(8)];
    let mut due: Vec<CallId> = (1..=20).map(id).collect();
    let mut tries = 0;
    while now < Mono::ZERO + Duration::from_hours(1) {
        for call in lane.pick(due.iter().copied(), now) {
            if refused.contains(&call) {
                tries += 1;
                assert_eq!(lane.end(call, failed(403), now, u64::MAX), After::Held);
            } else {
                assert!(matches!(lane.end(call, Tried::Added, now, 0), After::Done { .. }));
                due.retain(|it| *it != call);
            }
        }
        now = now + Duration::from_secs(1);
    }
    assert_eq!(due, refused, "all others are handed over");
    assert!(tries <= 2 * 13, "{tries} tries: who asks too often is locked");
    // Where others can be changed, it is that ticket: it waits for a person, and the target is not even looked at.
    let mut last = After::Held;
    lane.again(None, now);
    for _ in 0..3 {
        assert_eq!(lane.pick([id(1), id(2)], now), [id(1), id(2)]);
        last = lane.end(id(1), WITHHELD, now, u64::MAX);
        assert_eq!(lane.state(), LaneState::Open);
        assert!(matches!(lane.end(id(2), Tried::Added, now, 0), After::Done { .. }));
        now = now + Duration::from_mins(20);
    }
    assert_eq!(last, After::GivenUp { tries: 3, why: Unfed::Refused { status: 403 } });
}

#[test]
fn a_system_that_forbids_everything_for_an_hour_holds_all_and_has_nothing_given_up() {
    let (mut lane, mut now) = (Lane::default(), Mono::ZERO);
    let mut due: Vec<CallId> = (1..=10).map(id).collect();
    let mended = now + Duration::from_hours(1);
    let mut tried = BTreeMap::new();
    while now < mended {
        for call in lane.pick(due.iter().copied(), now) {
            *tried.entry(call).or_insert(0_u32) += 1;
            // One is still to be opened; of the others the tickets are there.
            let refused = if call == id(10) { failed(403) } else { WITHHELD };
            let after = lane.end(call, refused, now, u64::MAX);
            assert!(matches!(after, After::Again { .. } | After::Held), "{call}: {after:?}");
        }
        assert!(matches!(lane.state(), LaneState::Barred { status: 403, .. }), "{tried:?}");
        now = now + Duration::from_secs(1);
    }
    assert_eq!(tried.len(), 10, "each had its turn: {tried:?}");
    let tries: u32 = tried.values().sum();
    assert!(tries <= 4 + 12, "{tries} tries: who asks too often is locked");
    while !due.is_empty() {
        assert!(now < mended + Duration::from_mins(10), "{due:?}");
        for call in lane.pick(due.iter().copied(), now) {
            let done = if call == id(10) { Tried::Opened } else { Tried::Added };
            assert!(matches!(lane.end(call, done, now, 0), After::Done { .. }));
            due.retain(|it| *it != call);
        }
        now = now + Duration::from_secs(1);
    }
    assert_eq!(lane.state(), LaneState::Open);
}

#[test]
fn one_ticket_that_may_not_be_changed_while_nothing_else_is_due_is_not_given_up() {
    let (mut lane, mut now) = (Lane::default(), Mono::ZERO);
    // Longer than what fails otherwise has.
    let mended = now + Duration::from_hours(100);
    while now < mended {
        for call in lane.pick([id(1), id(2)], now) {
            let after = lane.end(call, WITHHELD, now, u64::MAX);
            assert!(matches!(after, After::Again { .. }), "{call}: {after:?}");
        }
        assert_eq!(lane.state(), LaneState::Open, "two may well be two tickets");
        now = now + Duration::from_mins(1);
    }
    now = now + Duration::from_mins(16);
    assert_eq!(lane.pick([id(1), id(2)], now), [id(1), id(2)]);
    // It was the target: the other is not given up for what was before.
    assert!(matches!(lane.end(id(1), Tried::Added, now, 0), After::Done { .. }));
    assert!(matches!(lane.end(id(2), WITHHELD, now, 0), After::Again { .. }));
}

#[test]
fn a_user_who_may_open_tickets_and_change_none_opens_all_and_has_nothing_given_up() {
    let (mut lane, mut now) = (Lane::default(), Mono::ZERO);
    let mut due: Vec<CallId> = (1..=20).map(id).collect();
    let (mut unopened, mut opened, mut rng) = (BTreeMap::new(), 0, Rng::from_number(1));
    for second in 0..7_200_u64 {
        if second % 60 == 59 {
            due.push(id(1_000 + second));
            unopened.insert(id(1_000 + second), second);
        }
        for call in lane.pick(due.iter().copied(), now) {
            let Some(since) = unopened.remove(&call) else {
                let after = lane.end(call, WITHHELD, now, rng.bits());
                assert!(matches!(after, After::Again { .. } | After::Held), "{call}: {after:?}");
                continue;
            };
            assert!(matches!(lane.end(call, Tried::Opened, now, 0), After::Done { .. }));
            // Its end is to be added from then on.
            opened += 1;
            assert!(second - since <= 11 * 60, "opened {} s late", second - since);
        }
        now = now + Duration::from_secs(1);
    }
    assert!(opened >= 118, "{opened} of 120 opened");
}

#[test]
fn thousands_of_additions_that_no_ticket_takes_are_seldom_asked_and_keep_no_new_call_waiting() {
    const MEASURED_S: u64 = 5_400;
    let (mut lane, mut now, mut rng) = (Lane::default(), Mono::ZERO, Rng::from_number(1));
    let mut due: Vec<CallId> = (1..=1_500).map(id).collect();
    let mut unopened: BTreeMap<CallId, u64> = BTreeMap::new();
    let (mut under_way, mut asked_again) = (Vec::new(), 0);
    for second in 0..2 * MEASURED_S {
        // Nearly every call brings an addition, and each try takes three seconds.
        if second % 60 == 0 {
            let call = id(10_000 + second);
            due.push(call);
            unopened.insert(call, second);
        }
        under_way.retain(|(call, until)| {
            let over = second >= *until;
            if over && unopened.remove(call).is_some() {
                assert!(matches!(lane.end(*call, Tried::Opened, now, 0), After::Done { .. }));
            } else if over {
                asked_again += 1;
                let after = lane.end(*call, WITHHELD, now, rng.bits());
                assert!(matches!(after, After::Again { .. } | After::Held), "{call}: {after:?}");
            }
            !over
        });
        under_way
            .extend(lane.pick(due.iter().copied(), now).into_iter().map(|it| (it, second + 3)));
        now = now + Duration::from_secs(1);
        if second > MEASURED_S {
            // Each of them was asked once.
            let longest = unopened.values().map(|since| second - since).max().unwrap_or(0);
            assert!(longest <= 60, "not opened for {longest} s");
        }
        if second == MEASURED_S {
            asked_again = 0;
        }
    }
    // Each new one once, and one of all in five minutes.
    let few = MEASURED_S / 60 + MEASURED_S / 300 + 4;
    assert!(asked_again <= few, "{asked_again} tries that are refused");
    // He may change them from now on: all of them are added to.
    for _ in 0..3_600 * 3 {
        for call in lane.pick(due.iter().copied(), now) {
            assert!(matches!(lane.end(call, Tried::Added, now, 0), After::Done { .. }));
            due.retain(|it| *it != call);
        }
        if due.is_empty() {
            break;
        }
        now = now + Duration::from_secs(1);
    }
    assert_eq!(due, [], "left");
}

#[test]
fn a_withheld_ticket_does_not_open_a_barred_target_nor_does_it_keep_the_others_from_opening_it() {
    let (mut lane, mut now) = (Lane::default(), Mono::ZERO);
    let due = [id(1), id(2), id(3)];
    assert_eq!(lane.pick(due, now), due);
    for call in due {
        assert_eq!(lane.end(call, failed(401), now, 0), After::Held);
    }
    lane.again(Some(id(1)), now);
    assert_eq!(lane.pick(due, now), [id(1)]);
    assert_eq!(lane.end(id(1), failed(401), now, 0), After::Held);
    now = now + Duration::from_mins(6);
    let first = lane.pick(due, now);
    assert_eq!(first, [id(3)], "the newest, behind one that was turned away");
    assert_eq!(lane.end(id(3), WITHHELD, now, 0), After::Held);
    assert!(matches!(lane.state(), LaneState::Barred { status: 403, .. }));
    now = now + Duration::from_mins(6);
    assert_eq!(lane.pick(due, now), [id(2)]);
    assert!(matches!(lane.end(id(2), Tried::Added, now, 0), After::Done { .. }));
    assert_eq!(lane.state(), LaneState::Open);
    assert_eq!(lane.pick([id(1), id(3)], now), [id(1), id(3)]);
}

#[test]
fn a_system_that_was_away_for_a_week_and_answers_503_first_has_nothing_given_up() {
    let away = Tried::Failed { why: Unfed::Unreachable, retry_after: None };
    let locked = Tried::Failed { why: Unfed::Refused { status: 401 }, retry_after: None };
    for (gone, before) in [(away, None), (locked, None), (away, Some(failed(500)))] {
        let (mut lane, mut now) = (Lane::default(), Mono::ZERO);
        let calls = [id(1), id(2)];
        match before {
            // What was due when the process began.
            None => lane.inherit(calls, now),
            Some(before) => {
                assert_eq!(lane.pick(calls, now), calls);
                for call in calls {
                    assert!(matches!(lane.end(call, before, now, 0), After::Again { .. }));
                }
            }
        }
        while now < Mono::ZERO + Duration::from_hours(7 * 24) {
            now = now + Duration::from_mins(16);
            for call in lane.pick(calls, now) {
                assert_eq!(lane.end(call, gone, now, u64::MAX), After::Held);
            }
        }
        now = now + Duration::from_mins(16);
        for call in lane.pick(calls, now) {
            let after = lane.end(call, failed(503), now, 0);
            assert!(matches!(after, After::Again { .. }), "{gone:?}: {after:?}");
        }
        // What fails from now on has its three days.
        now = now + Duration::from_hours(71);
        let after: Vec<_> =
            lane.pick(calls, now).into_iter().map(|it| lane.end(it, failed(503), now, 0)).collect();
        assert!(
            !after.is_empty() && after.iter().all(|it| matches!(it, After::Again { .. })),
            "{after:?}"
        );
    }
}

#[test]
fn a_system_that_is_not_as_configured_holds_all_and_gives_nothing_up() {
    let (mut lane, mut now) = (Lane::default(), Mono::ZERO);
    let calls = [id(1), id(2)];
    while now < Mono::ZERO + Duration::from_hours(100) {
        for call in lane.pick(calls, now) {
            assert_eq!(lane.end(call, Tried::Unfit, now, 0), After::Held);
        }
        assert!(matches!(lane.state(), LaneState::Unfit { .. }));
        now = now + Duration::from_mins(6);
    }
}

#[test]
fn words_and_values_say_what_is_known_and_nothing_runs_in_a_line() {
    let mut history = History::new();
    history.arrive(id(1), "0312345678");
    history.answer(id(1));
    history.end(id(1));
    let entries = history.ladder(id(1));
    let sheet = Sheet::of(entries, &terms(), Some(15_400)).expect("a call");
    let subject = Template::read("電話 {caller} {outcome}").expect("a subject");
    let ticket = new_ticket(&sheet, (3, history.at), &subject, &[], &terms());
    assert_eq!(ticket.subject.reveal(), "電話 0312345678 応答");
    let due = [
        (Value::Caller, "0312345678"),
        (Value::Agent, "2001"),
        (Value::Outcome, "answered"),
        (Value::WaitS, "4"),
        (Value::TalkS, "60"),
        (Value::HoldS, "0"),
        (Value::WrapUpS, "15"),
    ];
    for (value, text) in due {
        assert_eq!(
            ticket.values.get(&value).map(|it| it.reveal().as_str()),
            Some(text),
            "{value:?}"
        );
    }
    assert!(!ticket.values.contains_key(&Value::Recording));
    let text = ticket.text.reveal();
    assert!(text.ends_with(&format!("[madoguchi {}:3:open]", id(1))), "{text}");
    assert!(text.contains("結果: 応答") && text.contains("着信番号: 0300000000"), "{text}");
    let again = words::replaced(&ticket.text, &ticket.key);
    assert_eq!(again, ticket.text, "the key stands there once");
    for bad in ["", "{", "}", "{nobody}", "a\nb", "{caller", &"字".repeat(201)] {
        assert!(Template::read(bad).is_err(), "{bad}");
    }
}
