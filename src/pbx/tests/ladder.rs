//! Runs `ladders.txt`. A line at the margin is an input, `<seconds> <what> …`; the indented lines
//! below it are what the desk wants done (`=` a fact about the call, `!` about an agent). Ticks are
//! given by themselves at each deadline and shown when something came of them. To take the outputs
//! anew after a change of the rules, set `LADDERS=write`, and read the difference.

use super::plan;
use crate::base::{
    AdHoc, AgentId, LegId, Mono, Now, Number, PlayId, Private, Protocol, Reason, Rng, Wall,
};
use crate::dialplan::Plan;
use crate::event::{
    AgentEvent, CallEvent, CallbackEvent, Caller, CallerNumber, Fact, Means, Origin,
};
use crate::pbx::{
    Action, AgentMemory, AgentSnapshot, AgentState, Command, Desk, Hindrance, HoursOrder, Input,
    TapeOrder, TransferTo,
};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

/// 2026-11-24 (a Tuesday) 10:00 in Tokyo.
const TUESDAY_TEN: i64 = 1_795_482_000_000;

struct Ladder {
    desk: Desk,
    /// Milliseconds.
    at: u64,
    plays: BTreeMap<LegId, PlayId>,
    text: String,
}

impl Ladder {
    fn new() -> Self {
        Self::of(plan())
    }

    fn of(plan: Plan) -> Self {
        let desk = Desk::new(Arc::new(plan), 8, Rng::from_number(1));
        Self { desk, at: 0, plays: BTreeMap::new(), text: String::new() }
    }

    fn now(&self) -> Now {
        let wall = TUESDAY_TEN + i64::try_from(self.at).expect("small");
        Now { mono: Mono(self.at * 1000), wall: Wall(wall) }
    }

    fn give(&mut self, input: Input) -> Vec<Action> {
        let mut out = Vec::new();
        self.desk.handle(input, self.now(), &mut out);
        for action in &out {
            if let Action::Play { leg, play, .. } = action {
                self.plays.insert(*leg, *play);
            }
        }
        out
    }

    fn show(&mut self, actions: &[Action]) {
        for action in actions {
            if let Some(line) = shown(action) {
                writeln!(self.text, "    {line}").expect("a string");
            }
        }
    }

    /// Lets time pass, with a tick at each deadline.
    fn pass_until(&mut self, at: u64) {
        while let Some(due) = self.desk.next_deadline().filter(|due| due.0 <= at * 1000) {
            self.at = due.0.div_ceil(1000).max(self.at);
            let actions = self.give(Input::Tick);
            if actions.iter().any(|action| shown(action).is_some()) {
                writeln!(self.text, "{} tick", seconds(self.at)).expect("a string");
                self.show(&actions);
            }
            assert!(self.desk.next_deadline() != Some(due), "a deadline that a tick does not end");
        }
        self.at = at;
    }

    fn line(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (time, what) = words.split_first().expect("a time");
        let at: f64 = time.parse().expect("seconds");
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
        self.pass_until((at * 1000.0).round() as u64);
        if *what == ["tick"] {
            // Shown above if it was due; another changes nothing.
            assert_eq!(self.give(Input::Tick), [], "a second tick");
            return;
        }
        writeln!(self.text, "{line}").expect("a string");
        let leg = |n: &str| LegId(n.parse().expect("a leg"));
        let by = Means::Api;
        let agent = |name: &str| AgentId::from(name);
        let input = match *what {
            ["start", ref who @ ..] => {
                for extension in who {
                    let agent = AgentId::from(*extension);
                    let phone =
                        Input::Phone { extension: Number::from(*extension), reachable: true };
                    for input in [phone, Input::Command(Command::SignIn { agent, by })] {
                        let mut actions = self.give(input);
                        actions.retain(|a| !matches!(a, Action::Record(Fact::Agent { .. })));
                        self.show(&actions);
                    }
                }
                return;
            }
            ["call", from, number] => arrived(leg(from), number, Origin::Trunk("carrier".into())),
            ["call", from, number, "as", caller] => {
                let input = arrived(leg(from), number, Origin::Trunk("carrier".into()));
                let Input::Arrived { leg, dialled, origin, hindrance, .. } = input else { return };
                let number = CallerNumber::Known(Private::new(caller.to_owned()));
                let caller = Caller { number, name: None, diverted_from: None };
                Input::Arrived { leg, dialled, caller, origin, hindrance }
            }
            ["call", from, number, "via", trunk] => {
                arrived(leg(from), number, Origin::Trunk(trunk.into()))
            }
            ["call", from, number, "by", extension] => {
                arrived(leg(from), number, Origin::Extension(extension.into()))
            }
            ["mute-call", from, number] => {
                match arrived(leg(from), number, Origin::Trunk("carrier".into())) {
                    Input::Arrived { leg, dialled, caller, origin, .. } => {
                        let hindrance = Some(Hindrance::Mute("no common way to talk"));
                        Input::Arrived { leg, dialled, caller, origin, hindrance }
                    }
                    other => other,
                }
            }
            ["rings", phone] => Input::Ringing { leg: leg(phone) },
            ["answers", phone] => Input::Answered { leg: leg(phone) },
            ["refuses", phone, status] => {
                Input::Refused { leg: leg(phone), status: status.parse().expect("a status") }
            }
            ["gone", who] => Input::Gone { leg: leg(who), lost: false },
            ["reason", who, cause] => {
                let cause = cause.parse().expect("a number");
                Input::Reason { leg: leg(who), reason: Reason { protocol: Protocol::Q850, cause } }
            }
            ["replace", old, new, by] => {
                Input::Replaced { old: leg(old), new: leg(new), by: (*by).into() }
            }
            ["lost", who] => Input::Gone { leg: leg(who), lost: true },
            ["fails", who] => Input::Failed { leg: leg(who), what: "no media port" },
            ["no-room", who] => Input::NoRoom { leg: leg(who), what: "no media port" },
            ["spoke", who, ms] => {
                Input::Spoke { leg: leg(who), ms: ms.parse().expect("milliseconds") }
            }
            ["key", who, key] => {
                Input::Key { leg: leg(who), key: key.chars().next().expect("a key") }
            }
            ["played", who] => {
                let leg = leg(who);
                Input::Played { leg, play: self.plays[&leg] }
            }
            ["played-stale", who] => Input::Played { leg: leg(who), play: PlayId(1) },
            ["hold", who, on] => Input::Hold { leg: leg(who), on: on == "on" },
            ["transfer", who, number] => {
                let to = TransferTo::Number(number.into());
                Input::Transfer { leg: leg(who), to }
            }
            ["join", who, other] => {
                Input::Transfer { leg: leg(who), to: TransferTo::Leg(leg(other)) }
            }
            ["phone", who, up] => Input::Phone { extension: who.into(), reachable: up == "up" },
            ["keys", who, keys] => {
                for key in keys.chars() {
                    let actions = self.give(Input::Key { leg: leg(who), key });
                    self.show(&actions);
                }
                return;
            }
            ["park", who, ref slot @ ..] => {
                let call = self.desk.call_of(leg(who)).expect("a call");
                let slot = slot.first().map(|slot| Number::from(*slot));
                Input::Command(Command::Park { call, slot })
            }
            ["first", who] => {
                let call = self.desk.call_of(leg(who)).expect("a call");
                Input::Command(Command::PutFirst { call, by })
            }
            ["fetch", slot, who] => {
                Input::Command(Command::Fetch { slot: slot.into(), agent: agent(who) })
            }
            ["sign-in", who] => Input::Command(Command::SignIn { agent: agent(who), by }),
            ["sign-out", who] => Input::Command(Command::SignOut { agent: agent(who), by }),
            ["pause", who, reason] => {
                let reason = reason.to_owned();
                Input::Command(Command::Pause { agent: agent(who), reason, by })
            }
            ["hours", which, to, "for", seconds] => {
                let (_, to) =
                    AdHoc::NAMES.into_iter().find(|(name, _)| *name == to).expect("a word");
                let seconds: i64 = seconds.parse().expect("seconds");
                let until = Wall(self.now().wall.0 + seconds * 1000);
                hours(which, HoursOrder::Change { to, reason: "停電".to_owned(), until })
            }
            ["hours", which, "restore"] => hours(which, HoursOrder::Restore),
            ["wrap-up", who, how] => {
                let longer = how == "longer";
                Input::Command(Command::WrapUp { agent: agent(who), longer, by })
            }
            ["unpause", who] => Input::Command(Command::Unpause { agent: agent(who), by }),
            ["gauges"] => {
                let gauges = self.desk.gauges(self.now().mono);
                let lines: Vec<_> = gauges.by_number.iter().filter(|(_, n)| **n > 0).collect();
                let groups: Vec<_> = gauges.groups.iter().filter(|(_, g)| g.waiting > 0).collect();
                writeln!(self.text, "    {} calls, {:?}", gauges.calls, lines).expect("a string");
                for (id, group) in groups {
                    writeln!(self.text, "    {id}: {group:?}").expect("a string");
                }
                let agents: Vec<_> = gauges.agents.iter().filter(|(_, n)| **n > 0).collect();
                writeln!(self.text, "    {agents:?}").expect("a string");
                return;
            }
            _ => panic!("not understood: {line}"),
        };
        let actions = self.give(input);
        self.show(&actions);
    }
}

fn seconds(ms: u64) -> String {
    let (s, rest) = (ms / 1000, ms % 1000);
    if rest == 0 {
        s.to_string()
    } else {
        format!("{s}.{rest:03}").trim_end_matches('0').to_owned()
    }
}

fn hours(which: &str, order: HoursOrder) -> Input {
    let number = (which != "all").then(|| Number::from(which));
    let author = "佐藤".to_owned();
    Input::Command(Command::Hours { number, order, author, by: Means::Api })
}

pub(super) fn arrived(leg: LegId, number: &str, origin: Origin) -> Input {
    // A phone of ours is shown by its own number.
    let shown = match &origin {
        Origin::Extension(extension) => extension.to_string(),
        Origin::Trunk(_) => "0398765432".to_owned(),
    };
    let number_shown = CallerNumber::Known(Private::new(shown));
    let caller = Caller { number: number_shown, name: None, diverted_from: None };
    Input::Arrived { leg, dialled: number.into(), caller, origin, hindrance: None }
}

pub(super) fn shown(action: &Action) -> Option<String> {
    Some(match action {
        Action::Ring { leg } => format!("ring {}", leg.0),
        Action::Accept { leg } => format!("accept {}", leg.0),
        Action::Refuse { leg, status } => format!("refuse {} {status}", leg.0),
        Action::Dial { leg, extension, on_behalf_of, shown } => {
            let shown = shown.as_ref().map_or(String::new(), |shown| format!(" as {shown}"));
            format!("dial {} to {extension} for {}{shown}", leg.0, on_behalf_of.0)
        }
        Action::DialBack { leg, extension, number } => {
            format!("dial {} to {extension} for {}", leg.0, number.reveal())
        }
        Action::Erase { number, .. } => format!("erase {number}"),
        Action::DialOut { leg, trunk, way, on_behalf_of } => {
            format!("dial out {} to {} by {trunk} for {}", leg.0, way.number, on_behalf_of.0)
        }
        Action::Preview { caller, phone } => format!("preview {} {}", caller.0, phone.0),
        Action::HangUp { leg, elsewhere: false } => format!("hang up {}", leg.0),
        Action::HangUp { leg, elsewhere: true } => format!("hang up {} (elsewhere)", leg.0),
        Action::Connect { caller, agent } => format!("connect {} {}", caller.0, agent.0),
        Action::Mix { seats, pair } => {
            let seats: Vec<String> = seats
                .iter()
                .map(|seat| {
                    let hears: Vec<String> =
                        seat.hears.iter().map(|leg| leg.0.to_string()).collect();
                    let hears =
                        if hears.is_empty() { "nobody".to_owned() } else { hears.join(" ") };
                    format!("{} hears {hears}", seat.leg.0)
                })
                .collect();
            let partners = if *pair { "" } else { " (nobody's partner)" };
            format!("mix {}{partners}", seats.join("; "))
        }
        Action::Part { caller, agent } => format!("part {} {}", caller.0, agent.0),
        Action::Transfer { leg, news } => format!("tell {} {news:?}", leg.0),
        Action::Play { leg, prompts, looped, .. } => {
            let prompts: Vec<&str> = prompts.iter().map(crate::base::PromptId::as_str).collect();
            let for_ever = if *looped { " for ever" } else { "" };
            format!("play {} {}{for_ever}", leg.0, prompts.join("+"))
        }
        Action::Stop { leg } => format!("stop {}", leg.0),
        Action::Tape { leg, number, order: TapeOrder::Begin, taped, .. } => {
            format!("tape {} {number} Begin {taped:?}", leg.0)
        }
        Action::Tape { leg, number, order, .. } => format!("tape {} {number} {order:?}", leg.0),
        Action::Record(Fact::Call { event, .. }) => format!("= {}", fact(event)),
        Action::Record(Fact::Agent { agent, event }) => format!("! {agent} {}", change(event)),
        Action::Record(Fact::Figures { event }) => format!("{event:?}"),
        Action::Record(Fact::Desk { event }) => format!("{event:?}"),
        Action::Record(Fact::Placed { event, .. }) => format!("- {event:?}"),
        Action::Record(Fact::Sound { event, .. }) => format!("{event:?}"),
        Action::Record(Fact::Recording { event, .. }) => format!("@ {event:?}"),
        Action::Record(Fact::Message { number, event, .. }) => format!("@ {number} {event:?}"),
        Action::Record(Fact::Note { event, .. }) => format!("{event:?}"),
        Action::Record(Fact::Feed { event, .. }) => format!("{event:?}"),
        Action::Record(Fact::Incident { event, .. }) => format!("{event:?}"),
        Action::Record(Fact::Callback { event, .. }) => format!("~ {}", wish(event)),
        Action::Record(Fact::Trunk { trunk, event }) => format!("! {trunk} {event:?}"),
        Action::Forget { .. } => return None,
    })
}

fn fact(event: &CallEvent) -> String {
    match event {
        CallEvent::Arrived { number, counted, .. } => {
            format!("Arrived {number}{}", if *counted { "" } else { " (not counted)" })
        }
        CallEvent::FoundClosed { why } => format!("FoundClosed {why:?}"),
        CallEvent::Accepted => "Accepted".to_owned(),
        CallEvent::MenuEntered { menu } => format!("MenuEntered {menu}"),
        CallEvent::KeyPressed { menu, key } => format!("KeyPressed {menu} {key}"),
        CallEvent::KeyWrong { menu, key } => format!("KeyWrong {menu} {key}"),
        CallEvent::MenuTimedOut { menu } => format!("MenuTimedOut {menu}"),
        CallEvent::ExtensionDialled { menu, number } => format!("ExtensionDialled {menu} {number}"),
        CallEvent::PutFirst { by } => format!("PutFirst {by:?}"),
        CallEvent::LanguageChosen { language } => format!("LanguageChosen {}", language.name()),
        CallEvent::EntryBegan { entry } => format!("EntryBegan {entry}"),
        CallEvent::NumberEntered { entry, digits } => {
            format!("NumberEntered {entry} {}", digits.reveal())
        }
        CallEvent::NumberRefused { entry } => format!("NumberRefused {entry}"),
        CallEvent::QueueKeyPressed { group, key } => format!("QueueKeyPressed {group} {key}"),
        CallEvent::MessageBegan { mailbox, number } => format!("MessageBegan {mailbox} {number}"),
        CallEvent::MessageLeft { mailbox, number, length_ms } => {
            format!("MessageLeft {mailbox} {number} {length_ms} ms")
        }
        CallEvent::MessageDropped { mailbox, number } => {
            format!("MessageDropped {mailbox} {number}")
        }
        CallEvent::CallbackAsked { callback, number, entered, .. } => {
            let how = if *entered { " (entered)" } else { "" };
            format!("CallbackAsked {callback} {}{how}", number.reveal())
        }
        CallEvent::OperatorAsked { group: Some(group) } => format!("OperatorAsked {group}"),
        CallEvent::OperatorAsked { group: None } => "OperatorAsked".to_owned(),
        CallEvent::Queued { group, position } => format!("Queued {group} {position}"),
        CallEvent::Overflowed { group, why } => format!("Overflowed {group} {why:?}"),
        CallEvent::Announced { prompt, purpose } => format!("Announced {prompt} {purpose:?}"),
        CallEvent::OfferMade { agent } => format!("OfferMade {agent}"),
        CallEvent::OfferEnded { agent, why } => format!("OfferEnded {agent} {why:?}"),
        CallEvent::OperatorAnswered { agent } => format!("OperatorAnswered {agent}"),
        CallEvent::Held { by } => format!("Held {by:?}"),
        CallEvent::Resumed { by } => format!("Resumed {by:?}"),
        CallEvent::ReasonGiven { by, reason } => {
            format!("ReasonGiven {by:?} {:?} {}", reason.protocol, reason.cause)
        }
        CallEvent::Transferred { by, to, attended } => {
            let how = if *attended { " (attended)" } else { "" };
            format!("Transferred {by} {to}{how}")
        }
        CallEvent::SentAway { by, attended, .. } => {
            format!("SentAway {by}{}", if *attended { " (attended)" } else { "" })
        }
        CallEvent::OverflowedOutside { group, number, why } => {
            format!("OverflowedOutside {group} {} {why:?}", number.reveal())
        }
        CallEvent::AgentTold { agent, prompt } => format!("AgentTold {agent} {prompt}"),
        CallEvent::ConsultBegan { by, with } => format!("ConsultBegan {by} {with}"),
        CallEvent::ConsultCalled { by, number, inside } => {
            let inside = if *inside { " (inside)" } else { "" };
            format!("ConsultCalled {by} {}{inside}", number.reveal())
        }
        CallEvent::ConsultGroup { by, group } => format!("ConsultGroup {by} {group}"),
        CallEvent::ConsultRings { with } => format!("ConsultRings {with}"),
        CallEvent::ConsultRingEnded { with, why } => format!("ConsultRingEnded {with} {why:?}"),
        CallEvent::ConsultOver { why } => format!("ConsultOver {why:?}"),
        CallEvent::ConsultAnswered { with: Some(with) } => format!("ConsultAnswered {with}"),
        CallEvent::ConsultAnswered { with: None } => "ConsultAnswered".to_owned(),
        CallEvent::ConsultTurned { to } => format!("ConsultTurned {to:?}"),
        CallEvent::ConsultEnded { with, why } => format!("ConsultEnded {with} {why:?}"),
        CallEvent::SurveyBegan { by, survey } => format!("SurveyBegan {by} {survey}"),
        CallEvent::SurveyAnswered { survey, question, answer } => {
            format!("SurveyAnswered {survey} {question} {answer}")
        }
        CallEvent::Parked { by, slot } => format!("Parked {by} {slot}"),
        CallEvent::Unparked { slot, how, phone: None } => format!("Unparked {slot} {how:?}"),
        CallEvent::Unparked { slot, how, phone: Some(phone) } => {
            format!("Unparked {slot} {how:?} {phone}")
        }
        CallEvent::TrunkTried { trunk } => format!("TrunkTried {trunk}"),
        CallEvent::TrunkFailed { trunk, status } => format!("TrunkFailed {trunk} {status}"),
        CallEvent::AwayAnswered => "AwayAnswered".to_owned(),
        CallEvent::Returned { agent } => format!("Returned {agent}"),
        CallEvent::Ended { by, cause } => format!("Ended {by:?} {cause:?}"),
        CallEvent::SupervisionBegan { .. }
        | CallEvent::SupervisionChanged { .. }
        | CallEvent::SupervisionEnded { .. }
        | CallEvent::ThirdCalled { .. }
        | CallEvent::ThirdJoined { .. }
        | CallEvent::ThirdEnded
        | CallEvent::ThirdFailed { .. }
        | CallEvent::HoldRecalled { .. }
        | CallEvent::HoldRecallEnded { .. } => format!("{event:?}"),
    }
}

fn wish(event: &CallbackEvent) -> String {
    match event {
        CallbackEvent::AgentRung { agent } => format!("AgentRung {agent}"),
        CallbackEvent::AgentMissed { agent, why } => format!("AgentMissed {agent} {why:?}"),
        CallbackEvent::Called { agent, .. } => format!("Called {agent}"),
        CallbackEvent::Ended { why } => format!("Ended {why:?}"),
    }
}

fn change(event: &AgentEvent) -> String {
    match event {
        AgentEvent::SignedIn { by } => format!("SignedIn {by:?}"),
        AgentEvent::SignedOut { by } => format!("SignedOut {by:?}"),
        AgentEvent::Paused { by, reason } => format!("Paused {by:?} {reason}"),
        AgentEvent::Unpaused { by } => format!("Unpaused {by:?}"),
        AgentEvent::Talking => "Talking".to_owned(),
        AgentEvent::WrapUp { for_ms } => format!("WrapUp {for_ms} ms"),
        AgentEvent::Idle => "Idle".to_owned(),
        AgentEvent::Phone { reachable } => format!("Phone {reachable}"),
    }
}

#[test]
fn calls_go_as_the_ladders_say() {
    told_in("ladders.txt", include_str!("ladders.txt"));
}

#[test]
fn agents_do_by_keys_what_the_ladders_say() {
    told_in("by_keys.txt", include_str!("by_keys.txt"));
}

#[test]
fn callers_are_parked_as_the_ladders_say() {
    told_in("parking.txt", include_str!("parking.txt"));
}

#[test]
fn callers_are_asked_how_it_was_as_the_ladders_say() {
    told_in("surveys.txt", include_str!("surveys.txt"));
}

#[test]
fn agents_are_told_who_calls_as_the_ladders_say() {
    told_in("telling.txt", include_str!("telling.txt"));
}

#[test]
fn callers_who_wait_too_long_are_answered_outside_as_the_ladders_say() {
    told_of("beyond.txt", include_str!("beyond.txt"), super::beyond);
}

#[test]
fn agents_ask_numbers_outside_and_groups_by_keys_as_the_ladders_say() {
    told_of("consulting.txt", include_str!("consulting.txt"), super::asking);
}

/// Plays what a file tells, and compares.
fn told_in(name: &str, told: &str) {
    told_of(name, told, plan);
}

fn told_of(name: &str, told: &str, plan: fn() -> Plan) {
    let mut done = String::new();
    let mut ladder = Ladder::of(plan());
    for line in told.lines() {
        if line.starts_with('#') {
            done.push_str(&ladder.text);
            if line.starts_with("##") {
                ladder = Ladder::of(plan());
            }
            ladder.text = format!("{line}\n");
        } else if line.is_empty() {
            ladder.text.push('\n');
        } else if !line.starts_with(' ') && !line.ends_with(" tick") {
            ladder.line(line);
        } else if line.ends_with(" tick") {
            let at: String = line.split(' ').take(1).collect();
            ladder.line(&format!("{at} tick"));
        }
    }
    done.push_str(&ladder.text);
    if std::env::var_os("LADDERS").is_some_and(|mode| mode == "write") {
        let file = Path::new(file!()).with_file_name(name);
        std::fs::write(file, &done).expect("the ladders are written");
        return;
    }
    let mut rung = "";
    for (want, got) in told.lines().zip(done.lines()) {
        if want.starts_with('#') {
            rung = want;
        }
        assert_eq!(got, want, "in: {rung}");
    }
    assert_eq!(done.lines().count(), told.lines().count(), "in: {rung}");
}

#[test]
fn menus_that_lead_into_each_other_end() {
    let mut ladder = Ladder::new();
    ladder.line("0 call 1 0312345677");
    ladder.pass_until(100_000_000);
    assert_eq!(ladder.text.matches("MenuEntered").count(), 100, "50 menus, each told twice");
    assert!(ladder.text.ends_with("hang up 1\n    = Ended System MenuDone\n"));
    assert_eq!(ladder.desk.open_calls(), 0);
}

#[test]
fn a_call_whose_step_panicked_is_ended_by_the_next_input_and_leaves_nothing() {
    for setup in [
        &["0 call 1 0312345670"][..],
        &["0 start 201", "0 call 1 0312345670"],
        &["0 start 201", "0 call 1 0312345670", "1 answers 2"],
        &["0 start 201", "0 call 1 201"],
        &["0 start 211 212", "0 call 1 701 by 203"],
        &["0 call 1 0312345671"],
    ] {
        let mut ladder = Ladder::new();
        for line in setup {
            ladder.line(line);
        }
        ladder.desk.break_step(LegId(1));
        ladder.text.clear();
        ladder.line("2 key 99 1");
        let ended = "= Ended System Fault { what: \"a fault in the rules\" }";
        assert!(ladder.text.contains(ended), "{setup:?}: {}", ladder.text);
        assert_eq!(ladder.desk.open_calls(), 0);
        ladder.pass_until(100_000);
        assert_eq!(ladder.desk.held(), 0, "{setup:?}");
        let agents = ladder.desk.agents();
        let done = |agent: &AgentSnapshot| {
            agent.calls == 0 && matches!(agent.state, AgentState::Idle | AgentState::SignedOut)
        };
        assert!(agents.iter().all(done), "{setup:?}: {agents:?}");
    }
}

#[test]
fn a_restart_keeps_duty_and_frees_lines() {
    let mut desk = Desk::new(Arc::new(plan()), 8, Rng::from_number(1));
    let mut memory: BTreeMap<AgentId, AgentMemory> = BTreeMap::new();
    let by = Means::Api;
    let history = [
        ("201", AgentEvent::SignedIn { by }),
        ("201", AgentEvent::Phone { reachable: true }),
        ("201", AgentEvent::Talking),
        ("202", AgentEvent::SignedIn { by }),
        ("202", AgentEvent::Paused { by, reason: "昼休み".to_owned() }),
        ("203", AgentEvent::SignedIn { by: Means::Rule }),
        ("203", AgentEvent::SignedOut { by }),
        ("211", AgentEvent::SignedIn { by }),
        ("211", AgentEvent::Paused { by: Means::Rule, reason: "rang_out_briefly".to_owned() }),
        ("212", AgentEvent::SignedIn { by }),
        ("212", AgentEvent::Paused { by: Means::Rule, reason: "rang_out".to_owned() }),
        ("213", AgentEvent::Phone { reachable: true }),
    ];
    for (agent, event) in history {
        memory.entry(agent.into()).or_default().apply(&event, Wall(7));
    }
    desk.restore(memory);
    assert_eq!(desk.next_deadline(), Some(Mono::ZERO), "what the restart ended is written at once");
    let mut out = Vec::new();
    for extension in ["201", "203"] {
        let phone = Input::Phone { extension: extension.into(), reachable: true };
        desk.handle(phone, Now::default(), &mut out);
    }
    desk.handle(Input::Tick, Now::default(), &mut out);
    let lines: Vec<String> = out.iter().filter_map(shown).collect();
    assert_eq!(
        lines,
        ["! 201 Idle", "! 203 Phone true", "! 211 Unpaused Rule", "! 213 Phone false"],
        "201's phone was known to be reachable; 203 was signed out by a person and stays so"
    );
    assert_eq!(desk.next_deadline(), None);
    let states: Vec<String> = desk.agents()[..6]
        .iter()
        .map(|agent| format!("{} {} {:?}", agent.agent, agent.state, agent.reason.as_deref()))
        .collect();
    assert_eq!(
        states,
        [
            "201 idle None",
            "202 paused Some(\"昼休み\")",
            "203 signed_out None",
            "211 idle None",
            "212 paused Some(\"rang_out\")",
            "213 signed_out None",
        ]
    );
    assert_eq!(desk.agents()[1].since, Wall(7));
}
