//! Timelines written by hand against figures computed by hand.

use super::{By, Operating, OperatingWanted};
use crate::base::{AgentId, CallId, CsvCell, Private, Wall};
use crate::event::{
    AgentEvent, CallEvent, Caller, CallerNumber, ConsultEnd, ConsultSide, DeskEvent, EndCause,
    Entry, Fact, Means, OfferEnd, Origin, Party, PlacedEnd, PlacedEvent, TrunkEvent,
};
use crate::view::{Doing, Policy, Setup, Views, Window};
use std::collections::BTreeMap;

mod properties;

/// 2026-10-01T00:00:00+09:00, a Thursday.
const OCTOBER: i64 = 1_790_780_400_000;
const DAY: i64 = 86_400_000;

fn views() -> Views {
    Views::new(Setup {
        desk: "窓口".into(),
        demonstration: false,
        timezone: chrono_tz::Asia::Tokyo,
        policy: Policy::default(),
        agents: vec![("2001".into(), "佐藤".into()), ("2002".into(), "鈴木".into())],
    })
}

/// Writes entries; `at` in milliseconds after the beginning of October.
#[derive(Default)]
struct Pen {
    entries: Vec<Entry>,
    at: i64,
    arrived: BTreeMap<u64, i64>,
}

fn id(n: u64) -> CallId {
    CallId(uuid::Uuid::from_u64_pair(n, 0))
}

impl Pen {
    fn fact(&mut self, fact: Fact) {
        let seq = self.entries.len() as u64 + 1;
        self.entries.push(Entry { seq, at: Wall(OCTOBER + self.at), fact });
    }

    fn call(&mut self, n: u64, event: CallEvent) {
        let arrived = *self.arrived.entry(n).or_insert(self.at);
        let t_ms = u64::try_from(self.at - arrived).unwrap_or(0);
        self.fact(Fact::Call { call: id(n), t_ms, event });
    }

    fn arrive(&mut self, n: u64, number: &str, group: &str, counted: bool) {
        let caller = Caller {
            number: CallerNumber::Known(Private::new("0398765432".into())),
            name: None,
            diverted_from: None,
        };
        let origin = Origin::Trunk("carrier".into());
        self.call(n, CallEvent::Arrived { number: number.into(), caller, origin, counted });
        self.call(n, CallEvent::OperatorAsked { group: Some(group.into()) });
    }

    fn agent(&mut self, agent: &str, event: AgentEvent) {
        self.fact(Fact::Agent { agent: agent.into(), event });
    }

    /// One step of a timeline: `HH:MM:SS[.mmm] word arguments`, or `+N` for the Nth of the month before it.
    fn step(&mut self, text: &str) {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (day, words) = match words[0].strip_prefix('+') {
            Some(day) => (day.parse::<i64>().expect("a day") - 1, &words[1..]),
            None => (self.at.div_euclid(DAY), &words[..]),
        };
        let (time, ms) = words[0].split_once('.').unwrap_or((words[0], "0"));
        let seconds =
            time.split(':').fold(0, |sum, part| sum * 60 + part.parse::<i64>().expect("a time"));
        self.at = day * DAY + seconds * 1_000 + ms.parse::<i64>().expect("milliseconds");
        let by = Means::Api;
        let call = |n: usize| words[n].parse::<u64>().expect("a call");
        let agent = |n: usize| -> AgentId { words[n].into() };
        let why = || match words[4] {
            "rang_out" => OfferEnd::RangOut,
            "refused" => OfferEnd::Refused { status: 486 },
            "caller_left" => OfferEnd::CallerLeft,
            "elsewhere" => OfferEnd::TakenElsewhere,
            other => panic!("{other}"),
        };
        match words[1] {
            "in" => self.agent(words[2], AgentEvent::SignedIn { by }),
            "out" => self.agent(words[2], AgentEvent::SignedOut { by }),
            "pause" => self.agent(words[2], AgentEvent::Paused { by, reason: "昼休み".into() }),
            "unpause" => self.agent(words[2], AgentEvent::Unpaused { by }),
            "phone" => self.agent(words[2], AgentEvent::Phone { reachable: true }),
            "gone" => self.agent(words[2], AgentEvent::Phone { reachable: false }),
            "talking" => self.agent(words[2], AgentEvent::Talking),
            "wrap" => self.agent(words[2], AgentEvent::WrapUp { for_ms: 60_000 }),
            "idle" => self.agent(words[2], AgentEvent::Idle),
            "arrive" => self.arrive(call(2), "0312345678", "desk", true),
            "uncounted" => self.arrive(call(2), "0312345670", "desk", false),
            "other" => self.arrive(call(2), "0312345679", "second", true),
            "ring" => self.call(call(2), CallEvent::OfferMade { agent: agent(3) }),
            "unring" => {
                let (agent, why) = (agent(3), why());
                self.call(call(2), CallEvent::OfferEnded { agent, why });
            }
            "answer" => self.call(call(2), CallEvent::OperatorAnswered { agent: agent(3) }),
            "hold" => self.call(call(2), CallEvent::Held { by: Party::Agent }),
            "resume" => self.call(call(2), CallEvent::Resumed { by: Party::Agent }),
            "caller-holds" => self.call(call(2), CallEvent::Held { by: Party::Caller }),
            "consult" => {
                self.call(call(2), CallEvent::ConsultBegan { by: agent(3), with: agent(4) });
            }
            "turn" => {
                let to =
                    if words[3] == "caller" { ConsultSide::Caller } else { ConsultSide::Asked };
                self.call(call(2), CallEvent::ConsultTurned { to });
            }
            "consult-outside" => {
                let (by, number) = (agent(3), Private::new("0398765432".to_owned()));
                self.call(call(2), CallEvent::ConsultCalled { by, number, inside: false });
            }
            "consult-over" => {
                self.call(call(2), CallEvent::ConsultOver { why: ConsultEnd::SentBack });
            }
            "consulted" => {
                let (with, why) = (agent(3), ConsultEnd::SentBack);
                self.call(call(2), CallEvent::ConsultEnded { with, why });
            }
            "transfer" => {
                let (by, to) = (agent(3), "2002".into());
                self.call(call(2), CallEvent::Transferred { by, to, attended: true });
            }
            "return" => self.call(call(2), CallEvent::Returned { agent: agent(3) }),
            "end" => {
                let (by, cause) = (Party::Caller, EndCause::HungUp);
                self.call(call(2), CallEvent::Ended { by, cause });
            }
            "dial" => {
                let (by, number) = (words[3].into(), Private::new("0398765432".into()));
                let event = PlacedEvent::Dialled { by, number, inside: false, back: None };
                self.fact(Fact::Placed { call: id(call(2)), t_ms: 0, event });
            }
            "dialled" => {
                let event = PlacedEvent::Ended { by: Party::Agent, why: PlacedEnd::HungUp };
                self.fact(Fact::Placed { call: id(call(2)), t_ms: 1, event });
            }
            "cut" => {
                let (by, cause) = (Party::System, EndCause::Restart);
                self.call(call(2), CallEvent::Ended { by, cause });
            }
            "start" => {
                let (version, plan) = ("1".to_owned(), "desk".to_owned());
                self.fact(Fact::Desk { event: DeskEvent::Started { version, plan } });
            }
            "stop" => self.fact(Fact::Desk { event: DeskEvent::Stopped }),
            "full" => self.trunk(TrunkEvent::ChannelsFull),
            "free" => {
                let for_ms = words[2].parse().expect("milliseconds");
                self.trunk(TrunkEvent::ChannelsFree { for_ms });
            }
            other => panic!("{other}"),
        }
    }

    fn trunk(&mut self, event: TrunkEvent) {
        self.fact(Fact::Trunk { trunk: "carrier".into(), event });
    }

    fn read(&self) -> Views {
        read(&self.entries)
    }
}

fn read(entries: &[Entry]) -> Views {
    let mut views = views();
    for (entry, seq) in entries.iter().zip(1..) {
        views.apply(&Entry { seq, ..entry.clone() });
    }
    views
}

fn written(timeline: &str) -> Pen {
    let mut pen = Pen::default();
    for step in timeline.split([';', '\n']).map(str::trim).filter(|step| !step.is_empty()) {
        pen.step(step);
    }
    pen
}

fn october(by: By) -> OperatingWanted {
    OperatingWanted::all(Window::read("2026-10-01", "2026-10-31").expect("a span"), by)
}

fn asked(views: &Views, wanted: &OperatingWanted) -> Operating {
    views.operating(wanted, Wall(i64::MIN))
}

/// The agent's times in seconds as `name=seconds`, those that are not 0; then what the rings came to.
fn worked(answer: &Operating, key: &str) -> String {
    let row = answer.rows.iter().find(|row| row.key == key);
    let Some(it) = row.and_then(|row| row.agents.as_ref()) else { return "no row".to_owned() };
    let mut said = Vec::new();
    for doing in Doing::ALL {
        let ms = it.ms.of(doing);
        if ms > 0 {
            let rest = if ms % 1_000 == 0 { String::new() } else { format!(".{:03}", ms % 1_000) };
            said.push(format!("{}={}{rest}", doing.name(), ms / 1_000));
        }
    }
    if it.taken > 0 {
        said.push(format!("taken={}", it.taken));
    }
    for (name, count) in it.rings.named().into_iter().filter(|(_, count)| *count > 0) {
        said.push(format!("rings_{name}={count}"));
    }
    said.join(" ")
}

#[test]
fn an_agents_time_goes_where_the_timeline_says() {
    // (what it shows, timeline, agent, due)
    let table = [
        ("nobody signed in, nothing counted", "9:00:00 phone 2001; 10:00:00 phone 2001", "2001", ""),
        (
            "signed in without a phone, then with one, until signing out",
            "9:00:00 in 2001; 9:10:00 phone 2001; 10:00:00 out 2001; 11:00:00 gone 2001",
            "2001",
            "unreachable=600 idle=3000",
        ),
        (
            "a whole call: ringing, talk, after-call work",
            "9:00:00 phone 2001; 9:00:00 in 2001
             9:01:00 arrive 1; 9:01:00 ring 1 2001; 9:01:08 talking 2001; 9:01:08 answer 1 2001
             9:03:08 wrap 2001; 9:03:08 end 1; 9:04:08 idle 2001; 9:05:00 out 2001",
            "2001",
            "talk=120 ringing=8 wrap_up=60 idle=112 taken=1 rings_answered=1",
        ),
        (
            "held by the agent; what the caller holds is no hold of the agent's",
            "9:00:00 phone 2001; 9:00:00 in 2001; 9:00:00 arrive 1; 9:00:00 talking 2001
             9:00:00 answer 1 2001; 9:01:00 hold 1; 9:01:30 resume 1; 9:02:00 caller-holds 1
             9:03:00 idle 2001; 9:03:00 end 1; 9:03:00 out 2001",
            "2001",
            "talk=150 hold=30 taken=1",
        ),
        (
            "held twice without a word between is one hold",
            "9:00:00 phone 2001; 9:00:00 in 2001; 9:00:00 arrive 1; 9:00:00 talking 2001
             9:00:00 answer 1 2001; 9:01:00 hold 1; 9:02:00 hold 1; 9:03:00 resume 1
             9:04:00 idle 2001; 9:04:00 end 1; 9:04:00 out 2001",
            "2001",
            "talk=120 hold=120 taken=1",
        ),
        (
            "a colleague asked by keys is a hold for who asks and another call for the colleague",
            "9:00:00 phone 2001; 9:00:00 in 2001; 9:00:00 phone 2002; 9:00:00 in 2002
             9:00:00 arrive 1; 9:00:00 talking 2001; 9:00:00 answer 1 2001
             9:01:00 consult 1 2001 2002; 9:01:05 talking 2002; 9:02:00 idle 2002
             9:02:00 consulted 1 2002; 9:03:00 idle 2001; 9:03:00 end 1; 9:03:00 out 2001; 9:03:00 out 2002",
            "2002",
            "other_call=55 idle=125",
        ),
        (
            "the same, of who asks",
            "9:00:00 phone 2001; 9:00:00 in 2001
             9:00:00 arrive 1; 9:00:00 talking 2001; 9:00:00 answer 1 2001
             9:01:00 consult 1 2001 2002; 9:02:00 consulted 1 2002; 9:03:00 idle 2001; 9:03:00 end 1
             9:03:00 out 2001",
            "2001",
            "talk=120 hold=60 taken=1",
        ),
        (
            "who turns to the caller in the midst of it holds it no more until it turns back",
            "9:00:00 phone 2001; 9:00:00 in 2001
             9:00:00 arrive 1; 9:00:00 talking 2001; 9:00:00 answer 1 2001
             9:01:00 consult 1 2001 2002; 9:02:00 turn 1 caller; 9:02:30 turn 1 asked; 9:03:00 consulted 1 2002
             9:04:00 idle 2001; 9:04:00 end 1; 9:04:00 out 2001",
            "2001",
            "talk=150 hold=90 taken=1",
        ),
        (
            "somebody outside asked by keys is a hold as well",
            "9:00:00 phone 2001; 9:00:00 in 2001
             9:00:00 arrive 1; 9:00:00 talking 2001; 9:00:00 answer 1 2001
             9:01:00 consult-outside 1 2001; 9:02:00 turn 1 caller; 9:02:10 turn 1 caller; 9:02:30 consult-over 1
             9:02:40 turn 1 asked; 9:03:00 idle 2001; 9:03:00 end 1; 9:03:00 out 2001",
            "2001",
            "talk=120 hold=60 taken=1",
        ),
        (
            "a call that the agent placed",
            "9:00:00 phone 2001; 9:00:00 in 2001; 9:01:00 talking 2001; 9:01:00 dial 7 2001
             9:02:00 dialled 7; 9:02:00 idle 2001; 9:03:00 out 2001",
            "2001",
            "other_call=60 idle=120",
        ),
        (
            "paused: a call that is up goes before, after-call work too",
            "9:00:00 phone 2001; 9:00:00 in 2001; 9:00:00 arrive 1; 9:00:00 talking 2001
             9:00:00 answer 1 2001; 9:01:00 pause 2001; 9:02:00 wrap 2001; 9:02:00 end 1
             9:03:00 idle 2001; 9:10:00 unpause 2001; 9:11:00 out 2001",
            "2001",
            "talk=120 wrap_up=60 paused=420 idle=60 taken=1",
        ),
        (
            "an agent who signs out in a call talks on outside its time",
            "9:00:00 phone 2001; 9:00:00 in 2001; 9:00:00 arrive 1; 9:00:00 talking 2001
             9:00:00 answer 1 2001; 9:01:00 out 2001; 9:05:00 idle 2001; 9:05:00 end 1; 9:30:00 phone 2002",
            "2001",
            "talk=60 signed_out_talk=240 taken=1",
        ),
        (
            "a call placed while signed out is nobody's business",
            "9:00:00 phone 2001; 9:00:00 talking 2001; 9:30:00 idle 2001",
            "2001",
            "",
        ),
        (
            "missed, refused, cancelled by the caller, taken elsewhere",
            "9:00:00 phone 2001; 9:00:00 in 2001; 9:00:00 arrive 1; 9:00:00 ring 1 2001
             9:00:10 unring 1 2001 rang_out; 9:00:20 ring 1 2001; 9:00:22 unring 1 2001 refused
             9:00:30 ring 1 2001; 9:00:31 unring 1 2001 elsewhere; 9:00:40 ring 1 2001
             9:00:44 unring 1 2001 caller_left; 9:00:44 end 1; 9:01:00 out 2001",
            "2001",
            "ringing=17 idle=43 rings_missed=1 rings_refused=1 rings_caller_left=1 rings_taken_elsewhere=1",
        ),
        (
            "two phones ring for one call",
            "9:00:00 phone 2001; 9:00:00 in 2001; 9:00:00 phone 2002; 9:00:00 in 2002; 9:00:00 arrive 1
             9:00:00 ring 1 2001; 9:00:00 ring 1 2002; 9:00:06 talking 2002; 9:00:06 answer 1 2002
             9:00:06 unring 1 2001 elsewhere; 9:00:10 idle 2002; 9:00:10 end 1; 9:01:00 out 2001; 9:01:00 out 2002",
            "2001",
            "ringing=6 idle=54 rings_taken_elsewhere=1",
        ),
        (
            "a transfer: the first talks no more, the second takes the caller",
            "9:00:00 phone 2001; 9:00:00 in 2001; 9:00:00 phone 2002; 9:00:00 in 2002; 9:00:00 arrive 1
             9:00:00 talking 2001; 9:00:00 answer 1 2001; 9:01:00 transfer 1 2001; 9:01:00 wrap 2001
             9:01:00 ring 1 2002; 9:01:05 talking 2002; 9:01:05 answer 1 2002; 9:01:30 idle 2001
             9:02:05 idle 2002; 9:02:05 end 1; 9:03:00 out 2001; 9:03:00 out 2002",
            "2002",
            "talk=60 ringing=5 idle=115 taken=1 rings_answered=1",
        ),
        (
            "a transfer that comes back is no second caller",
            "9:00:00 phone 2001; 9:00:00 in 2001; 9:00:00 arrive 1; 9:00:00 talking 2001
             9:00:00 answer 1 2001; 9:01:00 transfer 1 2001; 9:01:20 return 1 2001
             9:02:00 idle 2001; 9:02:00 end 1; 9:02:00 out 2001",
            "2001",
            "talk=100 other_call=20 taken=1",
        ),
        (
            "a call that two agents are in is over for both at its end",
            "9:00:00 phone 2001; 9:00:00 in 2001; 9:00:00 phone 2002; 9:00:00 in 2002; 9:00:00 arrive 1
             9:00:00 talking 2001; 9:00:00 answer 1 2001; 9:01:00 talking 2002; 9:01:00 answer 1 2002
             9:02:00 end 1; 9:03:00 idle 2001; 9:03:00 idle 2002; 9:03:00 out 2001; 9:03:00 out 2002",
            "2001",
            "talk=120 other_call=60 taken=1",
        ),
        (
            "a second caller beside a held one: a hold only while both are held",
            "9:00:00 phone 2001; 9:00:00 in 2001; 9:00:00 arrive 1; 9:00:00 talking 2001
             9:00:00 answer 1 2001; 9:01:00 hold 1; 9:02:00 uncounted 2; 9:02:00 answer 2 2001
             9:02:30 hold 2; 9:03:00 end 2; 9:03:10 resume 1; 9:04:00 idle 2001; 9:04:00 end 1; 9:04:00 out 2001",
            "2001",
            "talk=140 hold=100 taken=2",
        ),
        (
            "over midnight and over the month's end nothing is lost",
            "+31 23:59:30 phone 2001; 23:59:30 in 2001; +32 00:00:10 out 2001",
            "2001",
            "idle=30",
        ),
        (
            "signed in over night, asked at the last entry",
            "+1 18:00:00 phone 2001; 18:00:00 in 2001; +2 9:00:00 phone 2002",
            "2001",
            "idle=54000",
        ),
        (
            "a crash: counted up to the last entry before it; the talk is over, the agent stays signed in",
            "9:00:00 phone 2001; 9:00:00 in 2001; 9:00:00 arrive 1; 9:00:00 talking 2001
             9:00:00 answer 1 2001; 9:05:00 phone 2002; 9:30:00 cut 1; 9:30:00 start; 9:30:10 phone 2001
             9:31:10 out 2001",
            "2001",
            "talk=300 unreachable=10 idle=60 taken=1",
        ),
        (
            "an orderly stop: counted up to it, not over the night",
            "+1 9:00:00 phone 2001; 9:00:00 in 2001; 10:00:00 stop; +2 9:00:00 start; 9:00:05 phone 2001
             9:01:05 out 2001",
            "2001",
            "unreachable=5 idle=3660",
        ),
        (
            "a pause outlasts a restart, the time between does not count",
            "9:00:00 phone 2001; 9:00:00 in 2001; 9:10:00 pause 2001; 9:20:00 stop; 9:30:00 start
             9:40:00 unpause 2001; 9:40:00 out 2001",
            "2001",
            "paused=1200 idle=600",
        ),
        (
            "the wall clock set back by ten minutes within a pause: it goes on from the first entry after that",
            "9:00:00 phone 2001; 9:00:00 in 2001; 9:20:00 pause 2001; 9:21:00 phone 2002; 9:11:00 phone 2002
             9:16:00 unpause 2001; 9:25:00 out 2001",
            "2001",
            "paused=360 idle=1740",
        ),
        (
            "the same at its end: what was not witnessed is not counted",
            "9:00:00 phone 2001; 9:00:00 in 2001; 9:20:00 pause 2001; 9:10:00 unpause 2001
             9:25:00 out 2001",
            "2001",
            "idle=2100",
        ),
        (
            "set back over a restart",
            "9:00:00 phone 2001; 9:00:00 in 2001; 9:20:00 stop; 9:10:00 start; 9:10:10 phone 2001
             9:11:10 out 2001",
            "2001",
            "unreachable=10 idle=1260",
        ),
    ];
    for (case, timeline, agent, due) in table {
        let views = written(timeline).read();
        assert_eq!(worked(&asked(&views, &october(By::Agent)), agent), due, "{case}");
    }
}

#[test]
fn the_same_time_by_half_hour_day_and_month() {
    let views = written(
        "+1 23:45:00 phone 2001; 23:45:00 in 2001; +2 00:20:00 pause 2001; 00:40:00 unpause 2001
         00:50:00 out 2001; 00:50:00 full; +3 00:10:00 free 84000000",
    )
    .read();
    let by = |by| asked(&views, &october(by));
    let half_hours = by(By::HalfHour);
    assert_eq!(half_hours.rows.len(), 48);
    assert_eq!(worked(&half_hours, "23:30"), "idle=900");
    assert_eq!(worked(&half_hours, "00:00"), "paused=600 idle=1200");
    assert_eq!(worked(&half_hours, "00:30"), "paused=600 idle=600");
    let days = by(By::Day);
    assert_eq!(days.rows.len(), 31);
    assert_eq!(worked(&days, "2026-10-01"), "idle=900");
    assert_eq!(worked(&days, "2026-10-02"), "paused=1200 idle=1800");
    assert_eq!(worked(&by(By::Month), "2026-10"), "paused=1200 idle=2700");
    let agents = |answer: &Operating, key: &str| {
        let row = answer.rows.iter().find(|row| row.key == key).expect("a row");
        row.agents.as_ref().map(|it| it.agents)
    };
    assert_eq!((agents(&days, "2026-10-02"), agents(&days, "2026-10-03")), (Some(1), Some(0)));
    // A trunk was full for 23 h 20 min, of which 10 minutes lie on the third.
    let full = |answer: &Operating, key: &str| {
        let row = answer.rows.iter().find(|row| row.key == key).expect("a row");
        row.lines_full.map(|it| (it.ms, it.times))
    };
    assert_eq!(full(&days, "2026-10-02"), Some((83_400_000, 1)));
    assert_eq!(full(&days, "2026-10-03"), Some((600_000, 0)));
    assert_eq!(full(&half_hours, "00:00"), Some((600_000, 0)));
    assert_eq!(full(&half_hours, "00:30"), Some((600_000, 1)), "the last ten minutes of it");
    // A part of a day, and one agent alone.
    let window = Window::read("2026-10-02T00:00", "2026-10-02T00:30").expect("a span");
    let part = asked(&views, &OperatingWanted::all(window, By::Day));
    assert_eq!((part.from.as_str(), part.to.as_str()), ("2026-10-02", "2026-10-02T00:30"));
    assert_eq!(worked(&part, "2026-10-02"), "paused=600 idle=1200");
    let other = OperatingWanted { agent: Some("2002".into()), ..october(By::Month) };
    assert_eq!(worked(&asked(&views, &other), "2026-10"), "");
    assert_eq!(asked(&views, &other).rows[0].calls, None);
    assert_eq!(asked(&views, &other).rows[0].lines_full, None);
}

#[test]
fn what_lasts_is_counted_until_it_is_asked() {
    let pen = written("+1 9:00:00 phone 2001; 9:00:00 in 2001; 9:10:00 pause 2001");
    let views = pen.read();
    let at = |ms| views.operating(&october(By::Agent), Wall(OCTOBER + ms));
    assert_eq!(worked(&at(9 * 3_600_000), "2001"), "idle=600", "not before the last entry");
    assert_eq!(worked(&at(10 * 3_600_000), "2001"), "paused=3000 idle=600");
    assert_eq!(at(10 * 3_600_000).counted_until, "2026-10-01T10:00:00.000+09:00");
    // Until the month's end and no further.
    assert_eq!(worked(&at(40 * DAY), "2001"), format!("paused={} idle=600", 31 * 86_400 - 33_000));
}

/// Two calls answered and wrapped up, one abandoned, one of another number and group.
const CALLS: &str = "9:00:00 phone 2001; 9:00:00 in 2001
    9:10:00 arrive 1; 9:10:05 talking 2001; 9:10:05 answer 1 2001; 9:11:00 hold 1; 9:11:20 resume 1
    9:12:05 wrap 2001; 9:12:05 end 1; 9:12:35 idle 2001
    9:29:59 arrive 2; 9:30:29 talking 2001; 9:30:29 answer 2 2001; 9:31:29 wrap 2001; 9:31:29 end 2
    9:31:30 wrap 2001; 9:32:29 idle 2001
    9:40:00 arrive 3; 9:40:50 end 3
    9:45:00 other 4; 9:45:10 talking 2001; 9:45:10 answer 4 2001; 9:45:40 idle 2001; 9:45:40 end 4
    9:50:00 talking 2001; 9:50:00 dial 7 2001; 9:51:00 wrap 2001; 9:51:00 dialled 7; 9:52:00 idle 2001
    10:00:00 uncounted 5; 10:00:10 talking 2001; 10:00:10 answer 5 2001; 10:00:20 wrap 2001; 10:00:20 end 5
    10:00:30 idle 2001; 10:00:30 out 2001";

/// offered, answered, in time, Σ waits, longest wait, Σ talk without holds, Σ holds, Σ after-call work; ms.
fn calls(answer: &Operating, key: &str) -> Option<[u64; 8]> {
    let row = answer.rows.iter().find(|row| row.key == key)?;
    let it = row.calls.as_ref()?;
    assert_eq!(
        it.average_handling.sum_ms,
        it.average_talk.sum_ms + it.average_hold.sum_ms + it.average_wrap_up.sum_ms
    );
    Some([
        it.offered,
        it.answered,
        it.service_level.part,
        it.average_speed_of_answer.sum_ms,
        it.longest_wait_ms,
        it.average_talk.sum_ms,
        it.average_hold.sum_ms,
        it.average_wrap_up.sum_ms,
    ])
}

#[test]
fn calls_by_half_hour_group_and_number_with_their_after_call_work() {
    let views = written(CALLS).read();
    let by = |by| asked(&views, &october(by));
    let (desk, second) = (
        [3, 2, 1, 35_000, 50_000, 160_000, 20_000, 90_000],
        [1, 1, 1, 10_000, 10_000, 30_000, 0, 0],
    );
    let both = [4, 3, 2, 45_000, 50_000, 190_000, 20_000, 90_000];
    assert_eq!(calls(&by(By::Group), "desk"), Some(desk));
    assert_eq!(calls(&by(By::Group), "second"), Some(second));
    assert_eq!(calls(&by(By::Number), "0312345678"), Some(desk));
    assert_eq!(calls(&by(By::Number), "0312345679"), Some(second));
    assert_eq!(calls(&by(By::Number), "0312345670"), None, "a number that is not counted");
    assert_eq!(calls(&by(By::Day), "2026-10-01"), Some(both));
    assert_eq!(calls(&by(By::Month), "2026-10"), Some(both));
    // With the half hour of its arrival goes all of a call, also its after-call work.
    let first = [2, 2, 1, 35_000, 30_000, 160_000, 20_000, 90_000];
    assert_eq!(calls(&by(By::HalfHour), "09:00"), Some(first));
    assert_eq!(calls(&by(By::HalfHour), "09:30"), Some([2, 1, 1, 10_000, 50_000, 30_000, 0, 0]));
    let handling = by(By::Month).total.calls.expect("calls").average_handling;
    assert_eq!((handling.sum_ms, handling.seconds().as_deref()), (300_000, Some("100.0")));
    // A slice of one group.
    let window = Window::read("2026-10-01T09:30", "2026-10-01T10:00").expect("a span");
    let slice =
        OperatingWanted { group: Some("second".into()), ..OperatingWanted::all(window, By::Day) };
    let slice = asked(&views, &slice);
    assert_eq!(calls(&slice, "2026-10-01"), Some(second));
    assert_eq!(slice.rows[0].agents, None, "an agent serves several groups");
    // The agent's own: all calls taken, and the work after the placed call too.
    let agent = by(By::Agent);
    assert_eq!(
        worked(&agent, "2001"),
        "talk=200 hold=20 other_call=60 wrap_up=160 idle=3190 taken=4"
    );
    let agent = agent.rows[0].agents.clone().expect("an agent");
    assert_eq!((agent.occupancy.part, agent.occupancy.whole), (440_000, 3_630_000));
    assert_eq!(agent.occupancy.percent().as_deref(), Some("12.12"));
    assert_eq!((agent.average_handling.sum_ms, agent.average_handling.count), (380_000, 4));
}

#[test]
fn pauses_and_missing_phones_are_in_no_part_of_occupancy_and_ringing_is_waiting() {
    let views = written(
        "9:00:00 in 2001; 9:10:00 phone 2001; 9:20:00 pause 2001; 9:30:00 unpause 2001; 9:30:00 arrive 1
         9:30:00 ring 1 2001; 9:31:00 talking 2001; 9:31:00 answer 1 2001; 9:36:00 idle 2001; 9:36:00 end 1
         9:36:00 out 2001",
    )
    .read();
    let agent = asked(&views, &october(By::Agent)).rows[0].agents.clone().expect("an agent");
    // 5 min of talk; 10 idle, 1 ringing, 5 talking.
    assert_eq!((agent.occupancy.part, agent.occupancy.whole), (300_000, 960_000));
    let none = asked(&views, &october(By::Agent)).rows[1].agents.clone().expect("an agent");
    assert_eq!((none.occupancy.percent(), none.average_handling.seconds()), (None, None));
}

#[test]
fn a_sheet_has_a_cell_under_every_heading_and_the_sum_below() {
    let views = written(CALLS).read();
    for by in By::ALL {
        let answer = asked(&views, &october(by));
        for japanese in [true, false] {
            let sheet = answer.sheet(japanese);
            assert_eq!(sheet.len(), answer.rows.len() + 2);
            assert!(sheet.iter().all(|row| row.len() == sheet[0].len()), "{by:?}");
            let apart: usize = answer.sheets(japanese).iter().map(|sheet| sheet[0].len()).sum();
            let keys = if by == By::Agent { 2 } else { 1 };
            let twice = (answer.sheets(japanese).len() - 1) * keys;
            assert_eq!(apart, sheet[0].len() + twice, "{by:?}: no column is lost");
        }
    }
    let agents = asked(&views, &october(By::Agent)).sheet(false);
    let shown = |row: &[CsvCell]| -> Vec<String> {
        let text = |cell: &CsvCell| match cell {
            CsvCell::Text(text) | CsvCell::Number(text) => text.clone(),
            CsvCell::Empty => "-".to_owned(),
        };
        row.iter().map(text).collect()
    };
    let due = "2001 佐藤 1 3630 200 20 60 0 160 0 0 3190 0 12.12 4 95.0 0 0 0 0 0 0 0";
    assert_eq!(shown(&agents[1]).join(" "), due);
    assert_eq!(shown(&agents[2])[..4], ["2002", "鈴木", "0", "0"]);
    assert_eq!(shown(&agents[2])[13], "-", "no occupancy of nobody");
}
