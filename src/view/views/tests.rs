//! The whole fold: timelines in, figures out, live and replayed.

use super::{RECENT_KEPT, Setup, Views};
use crate::base::{AgentId, CallId, Private, Wall};
use crate::event::{
    AgentEvent, CallEvent, Caller, CallerNumber, Closed, DeskEvent, EndCause, Entry, Fact, Means,
    OfferEnd, Origin, Party, Purpose,
};
use crate::view::{
    AgentState, CallQuery, CallRow, CallState, Month, Outcome, Policy, Ratio, Rule, Verdict,
};
use proptest::prelude::*;

pub(in crate::view) const TOKYO_MIDNIGHT_OCT_1: i64 = 1_790_780_400_000; // 2026-10-01T00:00:00+09:00

pub(in crate::view) fn setup() -> Setup {
    Setup {
        desk: "窓口".into(),
        demonstration: false,
        timezone: chrono_tz::Asia::Tokyo,
        policy: Policy::default(),
        agents: vec![("2001".into(), "佐藤".into()), ("2002".into(), "鈴木".into())],
    }
}

pub(in crate::view) fn id(n: u64) -> CallId {
    CallId(uuid::Uuid::from_u64_pair(n, 0))
}

/// Writes entries one after another.
#[derive(Default)]
pub(in crate::view) struct Pen {
    pub(in crate::view) entries: Vec<Entry>,
    pub(in crate::view) at: i64,
}

impl Pen {
    pub(in crate::view) fn fact(&mut self, fact: Fact) {
        let seq = self.entries.len() as u64 + 1;
        self.entries.push(Entry { seq, at: Wall(self.at), fact });
    }

    pub(in crate::view) fn call(&mut self, n: u64, t_ms: u64, event: CallEvent) {
        self.fact(Fact::Call { call: id(n), t_ms, event });
    }

    pub(in crate::view) fn arrive(&mut self, n: u64, counted: bool) {
        self.call(n, 0, arrived(counted));
    }

    fn agent(&mut self, agent: &str, event: AgentEvent) {
        self.fact(Fact::Agent { agent: AgentId::from(agent), event });
    }

    pub(in crate::view) fn read(&self) -> Views {
        let mut views = Views::new(setup());
        for entry in &self.entries {
            views.apply(entry);
        }
        views
    }
}

pub(in crate::view) fn arrived(counted: bool) -> CallEvent {
    CallEvent::Arrived {
        number: "0312345678".into(),
        caller: Caller {
            number: CallerNumber::Known(Private::new("0398765432".into())),
            name: Some(Private::new("山田 花子".into())),
            diverted_from: None,
        },
        origin: Origin::Trunk("carrier".into()),
        counted,
    }
}

pub(in crate::view) fn asked() -> CallEvent {
    CallEvent::OperatorAsked { group: Some("desk".into()) }
}

pub(in crate::view) fn hung_up() -> CallEvent {
    CallEvent::Ended { by: Party::Caller, cause: EndCause::HungUp }
}

#[test]
fn a_call_belongs_to_the_month_of_its_arrival_in_tokyo() {
    let mut pen = Pen { at: TOKYO_MIDNIGHT_OCT_1 - 1, ..Pen::default() };
    pen.arrive(1, true); // the last millisecond of September
    pen.call(1, 10, asked());
    pen.at = TOKYO_MIDNIGHT_OCT_1;
    pen.arrive(2, true); // the first of October
    pen.call(2, 10, asked());
    pen.at = TOKYO_MIDNIGHT_OCT_1 + 86_400_000;
    pen.call(1, 9_000, hung_up()); // decided in October, on the 2nd
    pen.call(2, 9_000, hung_up());
    let views = pen.read();
    let month = |text: &str| text.parse::<Month>().expect("a month");
    for (text, day) in [("2026-09", "2026-09-30"), ("2026-10", "2026-10-01")] {
        let figures = views.service_level(month(text));
        assert_eq!(figures.figures.abandon_rate.ratio, Ratio { part: 1, whole: 1 }, "{text}");
        let days: Vec<String> = figures.days.iter().map(|day| day.day.to_string()).collect();
        assert_eq!(days, [day]);
    }
    let empty = views.service_level(month("2026-11"));
    assert_eq!(empty.figures.abandon_rate.verdict, Verdict::NoCalls);
}

#[test]
fn a_call_enters_the_figures_when_it_is_decided() {
    let mut pen = Pen { at: TOKYO_MIDNIGHT_OCT_1, ..Pen::default() };
    pen.arrive(1, true);
    pen.call(1, 5, asked());
    let day = |pen: &Pen| {
        let views = pen.read();
        views.day_tally(views.day_of(Wall(TOKYO_MIDNIGHT_OCT_1))).figures(views.policy())
    };
    assert_eq!((day(&pen).arrived, day(&pen).undecided, day(&pen).offered), (1, 1, 0));
    pen.call(1, 4_000, CallEvent::OperatorAnswered { agent: "2001".into() });
    assert_eq!((day(&pen).undecided, day(&pen).offered, day(&pen).answered), (0, 1, 1));
    pen.call(1, 90_000, hung_up());
    assert_eq!((day(&pen).arrived, day(&pen).outcomes.sum()), (1, 1));
}

#[test]
fn calls_to_an_agents_own_line_are_kept_and_left_out() {
    let mut pen = Pen { at: TOKYO_MIDNIGHT_OCT_1, ..Pen::default() };
    pen.arrive(1, false);
    pen.call(1, 5, asked());
    pen.call(1, 9_000, hung_up());
    let views = pen.read();
    let figures = views.service_level("2026-10".parse().expect("a month")).figures;
    assert_eq!((figures.arrived, figures.left_out, figures.outcomes.sum()), (0, 1, 0));
    let (counted, left_out) = views.totals();
    assert_eq!((counted.sum(), left_out.get(Outcome::Abandoned)), (0, 1));
    let all = CallQuery { limit: 10, since: None, outcome: None };
    assert_eq!(views.calls(&all).len(), 1);
}

#[test]
fn the_wall_shows_who_waits_and_for_how_long() {
    let mut pen = Pen { at: TOKYO_MIDNIGHT_OCT_1, ..Pen::default() };
    pen.agent("2001", AgentEvent::SignedIn { by: Means::FeatureCode });
    pen.agent("2001", AgentEvent::Phone { reachable: true });
    pen.arrive(1, true);
    pen.call(1, 5_000, asked());
    pen.arrive(2, true);
    pen.call(2, 0, asked());
    pen.call(2, 0, CallEvent::OfferMade { agent: "2001".into() });
    // The age comes from the monotonic clock: a wall clock set back an hour shows nothing strange.
    let age = |call| Some(if call == id(1) { 65_000 } else { 20_000 });
    let now = Wall(TOKYO_MIDNIGHT_OCT_1 - 3_600_000);
    let board = pen.read().board(now, &age);
    assert_eq!((board.waiting.count, board.waiting.longest_ms), (2, 60_000));
    let rows: Vec<_> = board.waiting.calls.iter().map(|row| (row.wait_ms, row.ringing)).collect();
    assert_eq!(rows, [(60_000, false), (20_000, true)]);
    assert_eq!(board.agents.first().map(|agent| agent.state), Some(AgentState::Ringing));
    assert_eq!(board.channels_in_use, 2);

    pen.call(2, 21_000, CallEvent::OperatorAnswered { agent: "2001".into() });
    pen.agent("2001", AgentEvent::Talking);
    pen.call(1, 66_000, hung_up());
    let board = pen.read().board(Wall(TOKYO_MIDNIGHT_OCT_1), &age);
    assert_eq!((board.waiting.count, board.waiting.longest_ms, board.open_calls), (0, 0, 1));
    let agent = board.agents.first().expect("shown");
    assert_eq!((agent.state, agent.call), (AgentState::Talking, Some(id(2))));
    assert_eq!(board.day.longest_wait_ms, 61_000);
    assert_eq!(board.channels_in_use, 1);
    let states: Vec<_> = board.recent.iter().map(|row| row.state).collect();
    assert_eq!(states, [CallState::Talking, CallState::Ended]);
}

#[test]
fn a_restart_closes_each_open_call_exactly_once() {
    let mut pen = Pen { at: TOKYO_MIDNIGHT_OCT_1, ..Pen::default() };
    pen.agent("2001", AgentEvent::SignedIn { by: Means::Api });
    for n in 1..=3 {
        pen.arrive(n, true);
        pen.call(n, 10, asked());
        pen.call(n, 20, CallEvent::OfferMade { agent: "2001".into() });
    }
    pen.call(2, 4_000, CallEvent::OperatorAnswered { agent: "2001".into() });
    pen.call(3, 9_000, hung_up());
    let mut views = pen.read();
    let closing = views.closing_entries(Wall(TOKYO_MIDNIGHT_OCT_1 + 60_000), views.witnessed());
    assert_eq!(closing.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [13, 14]);
    for entry in &closing {
        views.apply(entry);
    }
    assert_eq!(views.open_calls().count(), 0);
    assert!(views.closing_entries(Wall(0), None).is_empty());
    let (counted, _) = views.totals();
    let found = [Outcome::Failed, Outcome::Answered, Outcome::Abandoned].map(|o| counted.get(o));
    assert_eq!((found, counted.sum()), ([1, 1, 1], 3));
    assert_eq!(views.waiting_count(), 0);
    assert_eq!(views.channels_in_use(), 0);
    // And a second replay of everything gives the same.
    pen.entries.extend(closing);
    assert_eq!(pen.read(), views);
}

/// An agent's talk was counted up to the last entry of the process that died, and its call's up to its own last one.
#[test]
fn a_talk_that_a_crash_cuts_off_is_counted_as_far_as_the_history_goes() {
    let mut pen = Pen { at: TOKYO_MIDNIGHT_OCT_1, ..Pen::default() };
    pen.arrive(1, true);
    pen.call(1, 10, asked());
    pen.call(1, 5_000, CallEvent::OperatorAnswered { agent: "2001".into() });
    pen.at += 600_000;
    pen.arrive(2, true);
    let mut views = pen.read();
    let witnessed = views.witnessed();
    for entry in views.closing_entries(Wall(TOKYO_MIDNIGHT_OCT_1 + 900_000), witnessed) {
        views.apply(&entry);
    }
    let talks = views.row_of(id(1)).expect("there").talks;
    assert_eq!(talks.iter().map(|it| it.length_ms).collect::<Vec<_>>(), [Some(595_000)]);
    assert_eq!(views.total().talk_ms, 595_000);
    // A clock that was set by years meanwhile adds a day at most; one that was set back takes nothing.
    let open = |last_t_ms| crate::view::OpenCall {
        last_t_ms,
        ..pen.read().open_calls().next().expect("one")
    };
    let years = Wall(TOKYO_MIDNIGHT_OCT_1 + 100_000_000_000);
    assert_eq!(open(5_000).went_on_until(Some(years)), 5_000 + 86_400_000);
    assert_eq!(open(5_000).went_on_until(Some(Wall(0))), 5_000);
    assert_eq!(open(5_000).went_on_until(None), 5_000);
}

#[test]
fn ended_calls_are_kept_up_to_the_bound() {
    let mut pen = Pen { at: TOKYO_MIDNIGHT_OCT_1, ..Pen::default() };
    let calls = RECENT_KEPT as u64 + 5;
    for n in 1..=calls {
        pen.at += 1_000;
        pen.arrive(n, true);
        pen.call(n, 10, if n % 2 == 0 { asked() } else { CallEvent::Accepted });
        pen.call(n, 9_000, hung_up());
    }
    let views = pen.read();
    let found = |limit, since, outcome| {
        views
            .calls(&CallQuery { limit, since, outcome })
            .iter()
            .map(|row| row.call)
            .collect::<Vec<_>>()
    };
    assert_eq!(found(usize::MAX, None, None).len(), RECENT_KEPT);
    assert_eq!(found(2, None, None), [id(calls), id(calls - 1)]);
    assert_eq!(found(9, Some(Wall(pen.at)), None), [id(calls)]);
    assert_eq!(found(1, None, Some(Outcome::Abandoned)), [id(calls - 1)]);
    assert_eq!(found(1, None, Some(Outcome::Failed)), []);
    assert_eq!(views.totals().0.sum(), calls, "the figures keep what the list forgets");
}

#[test]
fn a_ladder_alone_gives_the_row_of_the_list() {
    let mut pen = Pen { at: TOKYO_MIDNIGHT_OCT_1, ..Pen::default() };
    pen.arrive(1, true);
    pen.call(1, 5, asked());
    pen.call(1, 50, CallEvent::OfferMade { agent: "2001".into() });
    pen.call(1, 7_000, CallEvent::OperatorAnswered { agent: "2001".into() });
    pen.call(1, 99_000, hung_up());
    let listed = pen.read().calls(&CallQuery { limit: 1, since: None, outcome: None });
    let row = CallRow::from_ladder(&pen.entries, &Policy::default());
    let (row, rule) = row.expect("a row");
    assert_eq!((listed.first(), rule), (Some(&row), Some(Rule::AgentAnswered)));
    assert_eq!((row.wait_ms, row.length_ms), (Some(6_995), Some(99_000)));
    assert_eq!(CallRow::from_ladder(&pen.entries[1..], &Policy::default()), None);
}

#[test]
fn started_again_forgets_phones_but_not_pauses() {
    let mut pen = Pen::default();
    pen.agent("2002", AgentEvent::SignedIn { by: Means::Api });
    pen.agent("2002", AgentEvent::Phone { reachable: true });
    pen.agent("2002", AgentEvent::Paused { by: Means::Rule, reason: "rang out".into() });
    pen.fact(Fact::Desk {
        event: DeskEvent::Started { version: "1".into(), plan: "窓口".into() }
    });
    let views = pen.read();
    let kept = views.agents_for_restore();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept.first().and_then(|agent| agent.paused.as_deref()), Some("rang out"));
    assert!(views.agents(Wall(0)).all(|agent| !agent.reachable));
}

fn any_event() -> impl Strategy<Value = CallEvent> {
    let told = |purpose| CallEvent::Announced { prompt: "x".into(), purpose };
    let end = |by, cause| CallEvent::Ended { by, cause };
    prop_oneof![
        2 => Just(asked()),
        1 => Just(CallEvent::FoundClosed { why: Closed::Weekend }),
        1 => Just(CallEvent::Accepted),
        1 => Just(CallEvent::MenuEntered { menu: "main".into() }),
        1 => Just(CallEvent::Queued { group: "desk".into(), position: 3 }),
        1 => Just(told(Purpose::Busy)),
        1 => Just(told(Purpose::Greeting)),
        2 => prop_oneof![Just("2001"), Just("2009")]
            .prop_map(|agent| CallEvent::OfferMade { agent: agent.into() }),
        1 => Just(CallEvent::OfferEnded { agent: "2001".into(), why: OfferEnd::RangOut }),
        1 => Just(CallEvent::OperatorAnswered { agent: "2001".into() }),
        1 => Just(CallEvent::Held { by: Party::Agent }),
        2 => Just(hung_up()),
        1 => Just(end(Party::System, EndCause::QueueFull)),
        1 => Just(end(Party::System, EndCause::LinesFull)),
        1 => Just(end(Party::System, EndCause::MenuDone)),
        1 => Just(end(Party::System, EndCause::Fault { what: "no media port".into() })),
        1 => Just(end(Party::System, EndCause::Restart)),
    ]
}

/// Histories good and bad: calls that arrive twice, events before arrival and after the end.
fn any_history() -> impl Strategy<Value = Vec<Entry>> {
    let call = (
        1_u64..12,
        0_u64..50_000,
        prop_oneof![
            1 => any::<bool>().prop_map(arrived),
            4 => any_event(),
        ],
    )
        .prop_map(|(n, t_ms, event)| Fact::Call { call: id(n), t_ms, event });
    let agent = prop_oneof![
        Just(AgentEvent::SignedIn { by: Means::Api }),
        Just(AgentEvent::SignedOut { by: Means::Api }),
        Just(AgentEvent::Talking),
        Just(AgentEvent::Idle),
        Just(AgentEvent::Phone { reachable: true }),
    ]
    .prop_map(|event| Fact::Agent { agent: "2001".into(), event });
    let started = DeskEvent::Started { version: "1".into(), plan: "窓口".into() };
    let fact = prop_oneof![
        12 => call,
        2 => agent,
        1 => Just(Fact::Desk { event: started }),
    ];
    prop::collection::vec((fact, 0_i64..40_000_000), 1..120).prop_map(|facts| {
        let mut at = TOKYO_MIDNIGHT_OCT_1 - 86_400_000;
        (1..)
            .zip(facts)
            .map(|(seq, (fact, step))| {
                at += step;
                Entry { seq, at: Wall(at), fact }
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// What was written and read again, in any batches and partly twice, gives the same views.
    #[test]
    fn live_is_replayed(history in any_history(), cut in 0_usize..120) {
        let mut live = Views::new(setup());
        for entry in &history {
            live.apply(entry);
        }
        let mut replayed = Views::new(setup());
        let read = |entry: &Entry| -> Entry {
            let text = serde_json::to_string(entry).expect("an entry is JSON");
            serde_json::from_str(&text).expect("and is read back")
        };
        let cut = cut.min(history.len());
        for entry in history.iter().take(cut) {
            replayed.apply(&read(entry));
        }
        for entry in &history {
            replayed.apply(&read(entry));
        }
        prop_assert_eq!(&live, &replayed);
        prop_assert_eq!(live.holes(), 0);
    }

    /// Σ outcomes = calls, once all are closed; nobody waits and no line is in use then.
    #[test]
    fn every_call_has_one_outcome(history in any_history()) {
        let mut views = Views::new(setup());
        let mut calls = 0;
        for entry in &history {
            let before = views.open_count();
            views.apply(entry);
            calls += u64::from(views.open_count() > before);
        }
        for entry in views.closing_entries(Wall(TOKYO_MIDNIGHT_OCT_1), views.witnessed()) {
            views.apply(&entry);
        }
        let (counted, left_out) = views.totals();
        prop_assert_eq!(counted.sum() + left_out.sum(), calls);
        let mut days = crate::view::Tally::default();
        for month in ["2026-09", "2026-10", "2026-11", "2026-12"] {
            days.merge(&views.month_tally(month.parse().expect("a month")));
        }
        prop_assert_eq!(days.arrived, counted.sum());
        prop_assert_eq!(&days.outcomes, counted);
        prop_assert_eq!(days.left_out, left_out.sum());
        prop_assert_eq!((views.waiting_count(), views.open_count()), (0, 0));
        prop_assert_eq!(views.channels_in_use(), 0);
        prop_assert!(views.agents(Wall(0)).all(|agent| agent.state != AgentState::Ringing));
    }
}
