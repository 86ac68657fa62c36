//! The rules' tests: `ladders.txt` tells calls line by line, `ladder` runs it; `model` plays phones
//! and callers at random and watches what must always hold.

mod acts;
mod attended;
mod away;
mod called_back;
mod drained;
mod held;
mod ladder;
mod model;
mod pains;
mod passed;
mod picked_up;
mod placed;
mod replan;
mod seen;
mod table;
mod tape;

use crate::base::{
    AgentId, BoxId, CallbackId, EntryId, GroupId, Language, MenuId, Number, Private, PromptId,
    TrunkId,
};
use crate::dialplan::{
    Agent, AtClosing, Branch, Callback, ClosedTargets, DeskNumber, Dial, Entry, FeatureCode, Group,
    Hours, InCall, Lot, Mailbox, Menu, Onward, Outside, OutsideRule, Overflow, OverflowWhen,
    PLAIN_PRIORITY, Pattern, Pausing, Picking, Plan, Recall, SetAside, Share, Skills, Span, Speak,
    Strategy, Survey, Target, WeekdayKey, Widening,
};
use chrono::NaiveTime;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn desk_number(open: Target) -> DeskNumber {
    DeskNumber {
        name: "desk".to_owned(),
        hours: None,
        open,
        closed: ClosedTargets {
            night: Target::Announce("night".into()),
            holiday: Target::Announce("holiday".into()),
            closure: Target::Refuse(603),
            ad_hoc: Target::Announce("ad_hoc".into()),
            disaster: Target::Announce("disaster".into()),
        },
        line_limit: 100,
        counted: true,
        priority: PLAIN_PRIORITY,
        skills: Skills::default(),
        trunks: BTreeSet::new(),
        recorded: None,
        at_closing: None,
        tell_agent: None,
        lamp: None,
        short: None,
    }
}

/// A group of the named extensions: rings 15 s, wraps up 10 s, sets aside for 20 s, lets three wait
/// two minutes, comforts every 30 s.
fn group(strategy: Strategy, number: &str, agents: &[&str]) -> Group {
    Group {
        survey: None,
        tell_agent: None,
        lamp: None,
        name: "group".to_owned(),
        number: Some(number.into()),
        agents: agents.iter().map(|agent| AgentId::from(*agent)).collect(),
        strategy,
        picking: Picking::default(),
        ring: secs(15),
        wrap_up: secs(10),
        ring_outs: 1,
        on_ring_out: SetAside::For(secs(20)),
        on_refuse: SetAside::For(secs(20)),
        max_waiting: 3,
        max_wait: secs(120),
        answer_first: false,
        overflow: Vec::new(),
        busy: "busy".into(),
        music: "music".into(),
        comfort: Some("comfort".into()),
        comfort_every: secs(30),
        tell_position: true,
        tell_wait: false,
        keeps_place: false,
        keys: BTreeMap::new(),
        offer: None,
        full: "full".into(),
        waited: "waited".into(),
        at_closing: None,
        closing: "closing".into(),
        recorded: None,
    }
}

/// A parking lot: called back after 60 s, for 20 s.
fn lot(number: &str, slots: &[&str], recall: Recall) -> Arc<Lot> {
    let said = |slot: &&str| (Number::from(*slot), PromptId::from(format!("at-{slot}")));
    Arc::new(Lot {
        name: "lot".to_owned(),
        number: Some(number.into()),
        slots: slots.iter().map(said).collect(),
        recall_after: secs(60),
        recall_ring: secs(20),
        recall,
        music: "parked".into(),
        tells: true,
        empty: "empty".into(),
    })
}

/// The same where `brief` (712; 291) overflows to a number outside after 10 s, and `sorry` (713; 291) when one waits.
/// One call outside of a group at once, for 60 s a day.
fn beyond() -> Plan {
    let mut plan = plan();
    let number = Number::from("0398765432");
    plan.outside = Some(Outside {
        extensions: BTreeSet::new(),
        groups: BTreeSet::new(),
        calls: 1,
        per_day: secs(60),
        prefix: String::new(),
        withhold: false,
        caller_id: Some("0312345670".into()),
        group_ids: BTreeMap::new(),
        extension_ids: BTreeMap::new(),
        emergency: Vec::new(),
        rules: vec![OutsideRule {
            name: "x".to_owned(),
            numbers: Pattern::parse("03xxxxxxxx").into_iter().collect(),
            trunks: vec!["carrier".into(), "second".into()],
            caller_id: None,
        }],
    });
    for (group, when) in
        [("brief", OverflowWhen::Waited(secs(10))), ("sorry", OverflowWhen::Waiting(1))]
    {
        let group = plan.groups.get_mut(&GroupId::from(group)).expect("a group");
        group.overflow = vec![Overflow { when, to: Onward::Outside(number.clone()) }];
        group.max_waiting = 1;
    }
    plan
}

/// The same where 201 may call outside; the groups are those of [`plan`].
fn asking() -> Plan {
    let mut asking = plan();
    asking.outside = beyond().outside;
    if let Some(outside) = &mut asking.outside {
        outside.extensions = [Number::from("201")].into();
    }
    asking
}

/// Desk numbers, groups and agents for every rule:
///
/// | number | leads to |
/// |---|---|
/// | 0312345670 | group `line` (順次, 201 202 203), one line only |
/// | 0312345671 | menu `main` |
/// | 0312345672 | short 2; group `line`, open weekdays 8:30–18:15; who waits at 18:15 is told |
/// | 0312345673 | extension 201 |
/// | 0312345674 | an announcement |
/// | 0312345675 | refused 503 |
/// | 0312345676 | not counted; from trunk `carrier` only |
/// | 0312345677 | menu `loop`, which leads into itself |
/// | 0312345678 | menu `typed`: extensions 201, 203, 2031 and 702; 1 the entry `staff`, 2 `line`, 3 English, 4 by hours, 5 the box `post`, 6 the call back `back` |
/// | 700–707 | groups `line`, `all`, `robin`, `idle`, `first` (answers first), `none` (nobody may wait),
/// `strict` (RONA), `also` (202 203, of `line` too) |
/// | 800, 810, 820 | parking lots with 801 802 (back to the parker, then the group), 811 (to the group), 821
/// (to the parker, then an announcement) |
/// | 0312345679 | group `line`, priority 2 |
/// | 0312345680, 0312345681 | group `idle`, whose agents are told of the number; group `told` (一斉 293 294, 715), which tells its agents |
/// | 708–711 | `fewest`, `weighted` (272 twice as often as 271), `layers` (281 behind 282 283; two ring-outs
/// are one), `keeps` (714; 292; who is passed on keeps its place; then the survey `after`), `brief` (712; 291; to `line` when one waits or after 40 s), `sorry` (713; 291; an announcement when the
/// estimate is above 90 s), `skilled` (711; printer 3; 282 has 2, 283 has 3; after 30 s 2 suffices, after 60 s anybody) |
fn plan() -> Plan {
    let number = |n: &str| Number::from(n);
    let to = |group: &str| Target::Group(GroupId::from(group));
    let time = |h, m| NaiveTime::from_hms_opt(h, m, 0).expect("a time");
    let weekdays =
        (0..5).map(|day| (WeekdayKey(day), vec![Span { from: time(8, 30), until: time(18, 15) }]));
    let hours = Hours {
        week: weekdays.collect(),
        japanese_holidays: false,
        table: None,
        yearly: Vec::new(),
        days: BTreeMap::new(),
    };
    let mut limited = desk_number(to("line"));
    limited.line_limit = 1;
    let mut timed = desk_number(to("line"));
    timed.hours = Some("office".into());
    timed.at_closing = Some(AtClosing::Tell);
    timed.short = Some("2".into());
    let mut picky = desk_number(to("line"));
    picky.counted = false;
    picky.trunks = [TrunkId::from("carrier")].into();
    let keys = BTreeMap::from([
        ('1', Target::Message("post".into())),
        ('2', Target::Callback("back".into())),
    ]);
    let menu = |keys: Vec<(char, Target)>, then: Target| Menu {
        greeting: "greeting".into(),
        keys: keys.into_iter().collect(),
        skills: BTreeMap::new(),
        timeout: secs(5),
        dial: Dial::default(),
        tries: 2,
        wrong_key: "wrong_key".into(),
        no_key: None,
        then,
    };
    let mut typed = menu(
        vec![
            ('1', Target::Enter("staff".into())),
            ('2', to("line")),
            (
                '3',
                Target::Speak(Box::new(Speak {
                    language: Language::En,
                    then: Target::Menu("main".into()),
                })),
            ),
            (
                '4',
                Target::Hours(Box::new(Branch {
                    hours: "office".into(),
                    open: to("idle"),
                    closed: Target::Announce("night".into()),
                })),
            ),
        ],
        Target::Announce("goodbye".into()),
    );
    typed.keys.insert('5', Target::Message("post".into()));
    typed.keys.insert('6', Target::Callback("back".into()));
    typed.dial = Dial {
        numbers: ["201", "203", "2031", "702"].map(Number::from).into(),
        key_timeout: secs(2),
    };
    typed.no_key = Some("no_key".into());
    let mut first = group(Strategy::Linear, "704", &["241", "242"]);
    first.answer_first = true;
    let mut none = group(Strategy::Linear, "705", &["251"]);
    none.max_waiting = 0;
    let mut strict = group(Strategy::LongestIdle, "706", &["261", "262"]);
    strict.on_ring_out = SetAside::Pause;
    strict.on_refuse = SetAside::Pause;
    strict.comfort = None;
    strict.tell_position = false;
    let mut weighted = group(Strategy::Weighted, "709", &["271", "272"]);
    weighted.picking.shares = [("272".into(), Share { priority: 1, weight: 2 })].into();
    let second = Share { priority: 2, weight: 1 };
    let mut layers = group(Strategy::LongestIdle, "710", &["281", "282", "283"]);
    layers.picking.shares = [("281".into(), second)].into();
    layers.ring_outs = 2;
    let skills = |level| Skills([("printer".into(), level)].into());
    let mut skilled = group(Strategy::Linear, "711", &["281", "282", "283"]);
    skilled.picking.skills = skills(3);
    skilled.picking.widen =
        vec![Widening { after: secs(30), level: 2 }, Widening { after: secs(60), level: 0 }];
    let knows = |extension: &str| match extension {
        "282" => skills(2),
        "283" => skills(3),
        _ => Skills::default(),
    };
    let mut brief = group(Strategy::Linear, "712", &["291"]);
    brief.overflow = vec![
        Overflow { when: OverflowWhen::Waiting(1), to: Onward::Way(to("line")) },
        Overflow { when: OverflowWhen::Waited(secs(40)), to: Onward::Way(to("line")) },
    ];
    let mut sorry = group(Strategy::Linear, "713", &["291"]);
    let sorry_to = Target::Announce("sorry".into());
    sorry.tell_wait = true;
    sorry.keys = keys.clone();
    sorry.overflow =
        vec![Overflow { when: OverflowWhen::Estimated(secs(90)), to: Onward::Way(sorry_to) }];
    let mut keeps = group(Strategy::Linear, "714", &["292"]);
    keeps.keeps_place = true;
    keeps.survey = Some("after".into());
    let mut told = group(Strategy::RingAll, "715", &["293", "294"]);
    told.tell_agent = Some("who".into());
    told.keys = keys.clone();
    let mut named = desk_number(to("idle"));
    named.tell_agent = Some("which".into());
    let mut urgent = desk_number(to("line"));
    urgent.priority = 2;
    let extensions = [
        "201", "202", "203", "211", "212", "213", "221", "222", "223", "231", "232", "233", "241",
        "242", "251", "261", "262", "271", "272", "273", "281", "282", "283", "291", "292", "293",
        "294",
    ];
    let agent = |extension: &str| Agent {
        name: "operator".to_owned(),
        always_signed_in: extension == "203",
        skills: knows(extension),
    };
    Plan {
        name: "test".to_owned(),
        timezone: chrono_tz::Asia::Tokyo,
        desk_numbers: [
            (number("0312345670"), limited),
            (number("0312345671"), desk_number(Target::Menu("main".into()))),
            (number("0312345672"), timed),
            (number("0312345673"), desk_number(Target::Extension(number("201")))),
            (number("0312345674"), desk_number(Target::Announce("information".into()))),
            (number("0312345675"), desk_number(Target::Refuse(503))),
            (number("0312345676"), picky),
            (number("0312345677"), desk_number(Target::Menu("loop".into()))),
            (number("0312345678"), desk_number(Target::Menu("typed".into()))),
            (number("0312345679"), urgent),
            (number("0312345680"), named),
            (number("0312345681"), desk_number(to("told"))),
        ]
        .into(),
        holidays: None,
        hours: [("office".into(), hours)].into(),
        menus: [
            (
                MenuId::from("main"),
                menu(
                    vec![
                        ('1', to("line")),
                        ('2', Target::Announce("information".into())),
                        ('3', Target::Extension(number("201"))),
                        ('4', Target::Refuse(486)),
                        ('5', to("first")),
                    ],
                    Target::Announce("goodbye".into()),
                ),
            ),
            (MenuId::from("loop"), menu(Vec::new(), Target::Menu("loop".into()))),
            (MenuId::from("typed"), typed),
        ]
        .into(),
        entries: [(
            EntryId::from("staff"),
            Entry {
                prompt: "enter".into(),
                digits: (4, 6),
                confirm: true,
                timeout: secs(5),
                key_timeout: secs(3),
                tries: 2,
                wrong: "wrong_number".into(),
                then: to("line"),
                otherwise: Target::Announce("goodbye".into()),
            },
        )]
        .into(),
        surveys: [(
            "after".into(),
            Survey {
                questions: vec!["how".into(), "how-fast".into()],
                wrong: "wrong_answer".into(),
                thanks: "thanks".into(),
                timeout: secs(5),
                tries: 2,
            },
        )]
        .into(),
        groups: [
            (
                GroupId::from("line"),
                Group { keys, ..group(Strategy::Linear, "700", &["201", "202", "203"]) },
            ),
            (GroupId::from("all"), group(Strategy::RingAll, "701", &["211", "212", "213"])),
            (GroupId::from("robin"), group(Strategy::RoundRobin, "702", &["221", "222", "223"])),
            (GroupId::from("idle"), group(Strategy::LongestIdle, "703", &["231", "232", "233"])),
            (GroupId::from("first"), first),
            (GroupId::from("none"), none),
            (GroupId::from("strict"), strict),
            (GroupId::from("also"), group(Strategy::Linear, "707", &["202", "203"])),
            (GroupId::from("fewest"), group(Strategy::FewestCalls, "708", &["271", "272", "273"])),
            (GroupId::from("brief"), brief),
            (GroupId::from("keeps"), keeps),
            (GroupId::from("sorry"), sorry),
            (GroupId::from("told"), told),
            (GroupId::from("weighted"), weighted),
            (GroupId::from("layers"), layers),
            (GroupId::from("skilled"), skilled),
        ]
        .into(),
        preferred: [(Private::new("0311112222".to_owned()), 1)].into(),
        agents: extensions.iter().map(|e| (AgentId::from(*e), agent(e))).collect(),
        in_call: [
            ("*7", InCall::Park),
            ("*1", InCall::Transfer),
            ("*2", InCall::Consult),
            ("*3", InCall::Swap),
            ("*0", InCall::Back),
            ("*4", InCall::Join),
        ]
        .map(|(code, what)| (code.to_owned(), what))
        .into(),
        lots: vec![
            lot("800", &["801", "802"], Recall::Parker { then: None }),
            lot("810", &["811"], Recall::Group),
            lot("820", &["821"], Recall::Parker { then: Some(Target::Announce("left".into())) }),
        ],
        closers: Some([AgentId::from("201"), AgentId::from("202")].into()),
        pausing: Pausing { reasons: vec!["lunch".to_owned()], wrap_up_more: secs(30) },
        mailboxes: [(
            BoxId::from("post"),
            Mailbox {
                name: "post".to_owned(),
                announcement: "leave".into(),
                thanks: "thanks".into(),
                too_short: "too_short".into(),
                full: "box_full".into(),
                longest: secs(60),
                shortest: secs(2),
                silence: secs(5),
                most: 2,
                phones: vec!["201".into(), "202".into()],
            },
        )]
        .into(),
        callbacks: [(
            CallbackId::from("back"),
            Callback {
                group: "line".into(),
                offer: "offer".into(),
                enter: "enter".into(),
                done: "noted".into(),
                refused: "not_noted".into(),
                agent: "for_agent".into(),
                other_number: true,
                timeout: secs(5),
                key_timeout: secs(3),
                tries: 2,
                every: secs(60),
                within: secs(3600),
                most: 3,
            },
        )]
        .into(),
        codes: [
            (number("*97"), FeatureCode::WrapUpLonger),
            (number("*98"), FeatureCode::WrapUpEnd),
            (number("*99"), FeatureCode::PauseFor(0)),
            (number("*1"), FeatureCode::SignIn),
            (number("*2"), FeatureCode::SignOut),
            (number("*3"), FeatureCode::Pause),
            (number("*4"), FeatureCode::Unpause),
            (number("*7"), FeatureCode::Park),
            (number("*5"), FeatureCode::CloseDesk),
            (number("*6"), FeatureCode::CloseForDisaster),
            (number("*9"), FeatureCode::OpenDesk),
            (number("*8"), FeatureCode::UsualHours),
        ]
        .into(),
        open_codes: [
            (number("*5"), FeatureCode::CloseDesk),
            (number("*8"), FeatureCode::UsualHours),
        ]
        .into(),
        supervisors: crate::dialplan::Supervisors::default(),
        outside: None,
        extension_ring: secs(25),
        extension_wrap_up: Duration::ZERO,
        hold_most: None,
        hold_music: "hold".into(),
        recording: crate::dialplan::Recording {
            announcement: None,
            resume_after: std::time::Duration::from_secs(120),
        },
        code_done: "code_done".into(),
        code_refused: "code_refused".into(),
        positions: vec![PromptId::from("position_1"), PromptId::from("position_2")],
        waits: vec![(secs(60), "wait_1".into()), (secs(300), "wait_5".into())],
        prompts: std::collections::BTreeSet::new(),
    }
}
