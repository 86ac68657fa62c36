//! `madoguchi try` says what the desk does: the same questions are walked through a plan and put to the
//! rules themselves, and both must tell the same story.

use madoguchi::base::{AdHoc, AgentId, LegId, Mono, Now, Number, PlayId, Private, PromptId, Rng};
use madoguchi::dialplan::{self, Asker, End, Expected, Plan, Press, Question, Step, Walk};
use madoguchi::event::{CallEvent, Caller, CallerNumber, EndCause, Fact, Means, Origin};
use madoguchi::pbx::{Action, Command, Desk, HoursOrder, Input};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

const PLANS: [&str; 3] = [
    include_str!("../dialplans/service-desk.toml"),
    include_str!("../dialplans/demo.toml"),
    // Ways that the shipped plans do not go.
    r#"name = "x"
timezone = "Asia/Tokyo"
[desk_numbers.0312345678]
name = "all"
hours = "h"
open = { menu = "one" }
closed = { refuse = 603 }
disaster = { announce = "disaster" }
holiday = { group = "b" }
closure = { menu = "two" }
lines = 3
[desk_numbers.0312345679]
name = "refused"
open = { refuse = 486 }
lines = 3
trunks = ["carrier"]
[desk_numbers.0312345670]
name = "one phone"
open = { extension = "2001" }
lines = 3
counted = false
priority = 3
[preferred_callers]
0398765432 = 1
[hours.h]
japanese_holidays = true
week.mon-fri = ["08:30-12:00", "13:00-18:15"]
week.sat-sun = "closed"
[[hours.h.closures]]
name = "year-end"
from = "12-29"
until = "01-03"
[menus.one]
greeting = "welcome"
timeout = "3s"
tries = 3
then = { menu = "two" }
no_key = "menu-none"
extensions = ["2001-2003", "7001"]
key_timeout = "2s"
[menus.one.keys]
1 = { group = "a" }
5 = { enter = "staff" }
6 = { hours = "h", open = { language = "en", then = { menu = "two" } }, closed = { announce = "after-hours" } }
8 = { enter = "bare" }
7 = { message = "box" }
9 = { callback = "back" }
2 = { menu = "one" }
3 = { extension = "2002" }
4 = { refuse = 503 }
"*" = { menu = "two" }
[menus.one.skills]
1 = { english = 1 }
[menus.two]
greeting = "information"
timeout = "2s"
tries = 1
then = { announce = "after-hours" }
[menus.two.keys]
1 = { group = "b" }
2 = { menu = "one" }
[messages.box]
[callbacks.back]
group = "a"
[entries.staff]
min_digits = 2
max_digits = 4
tries = 2
then = { group = "a" }
otherwise = { menu = "two" }
[entries.bare]
min_digits = 3
max_digits = 3
confirm = false
then = { announce = "information" }
otherwise = { language = "en", then = { group = "b" } }
[groups.a]
number = "7000"
agents = ["2001-2003"]
strategy = "linear"
ring = "10s"
on_ring_out = "25s"
queue.max_wait = "100s"
[groups.b]
number = "7001"
agents = ["2003", "2001"]
strategy = "ring_all"
ring = "15s"
on_ring_out = "20s"
answer_first = true
queue.max_wait = "70s"
[groups.c]
number = "7002"
agents = [{ agents = "2002", priority = 2 }, { agents = "2001", weight = 3 }, "2003"]
strategy = "weighted"
ring = "7s"
ring_outs = 2
on_ring_out = "31s"
queue.max_wait = "150s"
[groups.d]
number = "7003"
agents = ["2001", { agents = "2002-2003", priority = 3 }]
strategy = "ring_all"
ring = "11s"
ring_outs = 3
on_ring_out = "pause"
queue.max_wait = "150s"
[groups.e]
number = "7004"
agents = ["2001-2003"]
strategy = "fewest_calls"
ring = "9s"
on_ring_out = "13s"
skills = { printer = 3 }
widen = [{ after = "29s", level = 2 }, { after = "61s", level = 0 }]
queue.max_wait = "150s"
[agents]
2001 = "a"
2002 = { name = "b", skills = { printer = 3, english = 1 } }
2003 = { name = "c", skills = { printer = 2, english = 2 } }
[codes]
"*11" = "sign_in"
"#,
];

const CALLER: LegId = LegId(1);

/// What happened at the desk, as far as a walk speaks of it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Story {
    steps: Vec<String>,
    /// (ms after asking for an operator, agents rung then)
    offers: Vec<(u128, Vec<AgentId>)>,
    queued_ms: Option<u128>,
    asked: Option<String>,
    counted: Option<bool>,
    refused: Option<u16>,
    end: Option<EndCause>,
    last_told: Option<PromptId>,
}

/// A desk with one caller who does as the question says, and agents who never pick up.
struct Scene {
    desk: Desk,
    now: Now,
    presses: VecDeque<Press>,
    /// The caller hears the end of a menu's greeting: it is the caller's turn.
    in_menu: bool,
    story: Story,
    asked_at: Option<Mono>,
}

impl Scene {
    fn new(plan: &Arc<Plan>, question: &Question, signed_in: bool) -> Self {
        let now = Now { mono: Mono(1_000_000), wall: question.at };
        let desk = Desk::new(Arc::clone(plan), 100, Rng::from_number(1));
        let presses = question.presses.iter().copied().collect();
        let story = Story::default();
        let mut scene = Self { desk, now, presses, in_menu: false, story, asked_at: None };
        // In the plan's order, so that the first has been idle longest.
        for agent in plan.agents.keys().filter(|_| signed_in) {
            let extension = Number(agent.0.clone());
            scene.put(Input::Phone { extension, reachable: true });
            let _ = scene.desk.command(
                Command::SignIn { agent: agent.clone(), by: Means::Api },
                scene.now,
                &mut Vec::new(),
            );
        }
        if let Some(to) = question.ad_hoc {
            let until = madoguchi::base::Wall(question.at.0 + 86_400_000);
            let order = HoursOrder::Change { to, reason: "test".to_owned(), until };
            let (author, by) = ("test".to_owned(), Means::Api);
            let command = Command::Hours { number: None, order, author, by };
            assert_eq!(scene.desk.command(command, scene.now, &mut Vec::new()), Ok(()));
        }
        scene.story = Story::default();
        scene
    }

    fn put(&mut self, input: Input) {
        let mut out = Vec::new();
        self.desk.handle(input, self.now, &mut out);
        let mut plays = Vec::new();
        for action in out {
            match action {
                Action::Record(Fact::Call { event, .. }) => self.record(event),
                Action::Play { leg, play, looped: false, .. } if leg == CALLER => plays.push(play),
                Action::Dial { leg, .. } => self.put(Input::Ringing { leg }),
                Action::Refuse { leg, status } if leg == CALLER => {
                    self.story.refused = Some(status);
                }
                _ => {}
            }
        }
        // Announcements take no time here; only the last of several is still heard.
        if let Some(play) = plays.pop() {
            self.played(play);
        }
    }

    fn played(&mut self, play: PlayId) {
        if self.story.end.is_none() {
            self.put(Input::Played { leg: CALLER, play });
        }
    }

    fn record(&mut self, event: CallEvent) {
        let since =
            |asked: Option<Mono>, now: Mono| asked.map_or(0, |asked| now.since(asked).as_millis());
        let steps = &mut self.story.steps;
        match event {
            CallEvent::Arrived { counted, .. } => self.story.counted = Some(counted),
            CallEvent::FoundClosed { .. } => steps.push("closed".to_owned()),
            CallEvent::MenuEntered { menu } => {
                steps.push(format!("menu {menu}"));
                self.in_menu = true;
            }
            CallEvent::KeyPressed { menu, key } => {
                steps.push(format!("key {menu} {key}"));
                self.in_menu = false;
            }
            CallEvent::KeyWrong { menu, key } => {
                steps.push(format!("wrong {menu} {key}"));
                self.in_menu = false;
            }
            CallEvent::MenuTimedOut { menu } => {
                steps.push(format!("silence {menu}"));
                self.in_menu = false;
            }
            CallEvent::ExtensionDialled { menu, number } => {
                steps.push(format!("dialled {menu} {number}"));
                self.in_menu = false;
            }
            CallEvent::LanguageChosen { language } => {
                steps.push(format!("language {}", language.name()));
            }
            CallEvent::EntryBegan { entry } => {
                steps.push(format!("entry {entry}"));
                self.in_menu = true;
            }
            CallEvent::NumberEntered { entry, digits } => {
                steps.push(format!("entered {entry} {}", digits.reveal()));
                self.in_menu = false;
            }
            CallEvent::NumberRefused { entry } => {
                steps.push(format!("refused {entry}"));
                self.in_menu = false;
            }
            CallEvent::OperatorAsked { group } => {
                self.asked_at = Some(self.now.mono);
                self.story.asked =
                    Some(group.map_or("phone".to_owned(), |group| group.to_string()));
            }
            CallEvent::OfferMade { agent } => {
                let at = since(self.asked_at, self.now.mono);
                match self.story.offers.last_mut() {
                    Some((last, agents)) if *last == at => agents.push(agent),
                    _ => self.story.offers.push((at, vec![agent])),
                }
            }
            CallEvent::Queued { .. } => {
                self.story.queued_ms = Some(since(self.asked_at, self.now.mono));
            }
            CallEvent::Announced { prompt, .. } => self.story.last_told = Some(prompt),
            CallEvent::Ended { cause, .. } => self.story.end = Some(cause),
            _ => {}
        }
    }

    fn run(mut self, question: &Question) -> Story {
        let origin = match &question.from {
            Asker::Outside(trunk) => {
                Origin::Trunk(trunk.clone().unwrap_or_else(|| "carrier".into()))
            }
            Asker::Extension(number) => Origin::Extension(number.clone()),
        };
        let number = CallerNumber::Known(Private::new("0398765432".to_owned()));
        self.put(Input::Arrived {
            leg: CALLER,
            dialled: question.to.clone(),
            caller: Caller { number, name: None, diverted_from: None },
            origin,
            hindrance: None,
        });
        let most = self.now.mono + Duration::from_hours(2);
        while self.story.end.is_none() && self.story.refused.is_none() {
            if self.in_menu {
                match self.presses.pop_front() {
                    Some(Press::Key(key)) => {
                        self.put(Input::Key { leg: CALLER, key });
                        continue;
                    }
                    Some(Press::Nothing) | None => self.in_menu = false,
                }
            }
            let Some(at) = self.desk.next_deadline().filter(|at| *at <= most) else { break };
            self.now.mono = self.now.mono.max(at);
            self.put(Input::Tick);
        }
        self.story
    }
}

/// The steps of a walk in the history's words.
fn steps(walk: &Walk) -> Vec<String> {
    let told = |step: &Step| match step {
        Step::Closed { .. } | Step::AdHoc { to: AdHoc::Closed | AdHoc::Disaster } => {
            Some("closed".to_owned())
        }
        Step::Menu { menu, .. } => Some(format!("menu {menu}")),
        Step::Key { menu, key } => Some(format!("key {menu} {key}")),
        Step::WrongKey { menu, key } => Some(format!("wrong {menu} {key}")),
        Step::Dialled { menu, number } => Some(format!("dialled {menu} {number}")),
        Step::Language { language } => Some(format!("language {}", language.name())),
        Step::Entry { entry, .. } => Some(format!("entry {entry}")),
        Step::Entered { entry, digits } => Some(format!("entered {entry} {digits}")),
        Step::EntryRefused { entry, .. } => Some(format!("refused {entry}")),
        Step::NoKey { menu, .. } => Some(format!("silence {menu}")),
        Step::Recorded { .. }
        | Step::Desk { .. }
        | Step::AlwaysOpen
        | Step::AdHoc { to: AdHoc::Open }
        | Step::Open { .. }
        | Step::EntryOver { .. }
        | Step::TriesOver { .. } => None,
    };
    walk.steps.iter().filter_map(told).collect()
}

fn cause(expected: Expected) -> EndCause {
    match expected {
        Expected::MenuServed => EndCause::MenuDone,
        Expected::Closed => EndCause::ClosedTold,
        Expected::Blocked => EndCause::NoCapacity,
    }
}

fn agree(plan: &Arc<Plan>, question: &Question) {
    let walk = dialplan::walk(plan, question);
    let all = Scene::new(plan, question, true).run(question);
    let none = Scene::new(plan, question, false).run(question);
    let said = || format!("{question:?}\n{walk:#?}\nall signed in: {all:#?}\nnobody: {none:#?}");
    if let End::Nothing = walk.end {
        assert_eq!((all.counted, all.refused), (None, Some(404)), "{}", said());
        return;
    }
    if let End::Code { agent, .. } = &walk.end {
        assert_eq!(all.refused, agent.is_none().then_some(403), "{}", said());
        return;
    }
    assert_eq!(steps(&walk), all.steps, "{}", said());
    assert_eq!(steps(&walk), none.steps, "{}", said());
    assert_eq!(Some(walk.counted), all.counted, "{}", said());
    match &walk.end {
        End::Told { prompt, outcome } => {
            assert_eq!(all.last_told.as_ref(), Some(prompt), "{}", said());
            assert_eq!(all.end, Some(cause(*outcome)), "{}", said());
        }
        End::Refused { status, outcome } => {
            // Refused on the wire only when nothing answered before (a menu does).
            let answered = walk.steps.iter().any(|step| matches!(step, Step::Menu { .. }));
            assert_eq!(all.refused, (!answered).then_some(*status), "{}", said());
            assert_eq!(all.end, Some(cause(*outcome)), "{}", said());
        }
        End::TooManyMenus => assert_eq!(all.end, Some(EndCause::MenuDone), "{}", said()),
        End::Phone { agent, .. } => {
            assert_eq!(all.asked.as_deref(), Some("phone"), "{}", said());
            assert_eq!(all.offers, [(0, vec![agent.clone()])], "{}", said());
        }
        End::Group(way) => {
            assert_eq!(all.asked.as_deref(), Some(way.group.as_str()), "{}", said());
            let want: Vec<_> = way
                .offers
                .iter()
                .map(|offer| {
                    let agents = offer.agents.iter().map(|(id, _)| id.clone()).collect();
                    (offer.from.as_millis(), agents)
                })
                .collect();
            // Those rung at the same time are rung in no order.
            let sorted = |offers: &[(u128, Vec<AgentId>)]| {
                let mut offers = offers.to_vec();
                for (_, agents) in &mut offers {
                    agents.sort();
                }
                offers
            };
            let named = if way.more { want.len() } else { all.offers.len() };
            assert_eq!(sorted(&all.offers[..named]), sorted(&want), "{}", said());
            let queued = way.queued_after.map(|at| at.as_millis());
            assert!(way.more || all.queued_ms == queued, "{}", said());
            assert_eq!(none.queued_ms, Some(0), "{}", said());
            for story in [&all, &none] {
                assert_eq!(story.end, Some(EndCause::WaitedTooLong), "{}", said());
                assert_eq!(story.last_told.as_ref(), Some(&way.waiting.waited), "{}", said());
            }
        }
        // Nobody says a word, and nobody may be called outside: nothing comes of either.
        End::Message { .. } | End::Callback { .. } => {
            assert_eq!(all.end, Some(EndCause::MenuDone), "{}", said());
        }
        End::Nothing | End::Code { .. } | End::Lot { .. } | End::Slot { .. } => {}
    }
}

fn plan(which: usize) -> Arc<Plan> {
    match dialplan::load(PLANS[which], "plan.toml", None) {
        Ok((plan, _)) => Arc::new(plan),
        Err(findings) => panic!("{findings:#?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_walk_tells_what_the_desk_does(
        which in 0..PLANS.len(),
        hour in 0i64..8760, // of a year from 2026-07-01 in Japan
        minute in 0i64..60,
        who in 0..6usize,
        number in 0..20usize,
        out_of_turn in 0..8usize,
        keys in proptest::collection::vec("[0-9*#-]{1,5}", 0..5),
    ) {
        let plan = plan(which);
        let at = 1_782_831_600_000 + (hour * 60 + minute) * 60_000;
        let from = match who {
            0 => Asker::Extension("2001".into()),
            1 => Asker::Extension("3000".into()),
            2 => Asker::Outside(Some("other".into())),
            _ => Asker::Outside(Some("carrier".into())),
        };
        let numbers: Vec<Number> = plan
            .desk_numbers
            .keys()
            .cloned()
            .chain(["7000", "7001", "7002", "7003", "7004", "2002", "*11", "9999"].map(Number::from))
            .collect();
        let to = numbers[number % numbers.len()].clone();
        let ad_hoc = AdHoc::NAMES.get(out_of_turn).map(|(_, to)| *to);
        let presses = keys
            .iter()
            .flat_map(|key| key.chars())
            .map(|key| if key == '-' { Press::Nothing } else { Press::Key(key) })
            .collect();
        agree(&plan, &Question { at: madoguchi::base::Wall(at), from, to, presses, ad_hoc });
    }
}

#[test]
fn a_caller_who_goes_round_for_ever_is_let_go_by_both() {
    let plan = plan(2);
    // 2 also begins an extension of the menu: it is a key when nothing follows.
    let presses = [Press::Key('2'), Press::Nothing].repeat(80);
    let at = madoguchi::base::Wall(1_793_581_200_000); // 2026-11-02 10:00 in Japan
    let from = Asker::Outside(None);
    let question = Question { at, from, to: "0312345678".into(), presses, ad_hoc: None };
    assert_eq!(dialplan::walk(&plan, &question).end, End::TooManyMenus);
    agree(&plan, &question);
}
