//! The room as a whole: shipped plans, boundaries of hours; what is refused, and walks, beside.

mod refused;
mod walked;

use super::*;
use crate::base::{AgentId, GroupId, MenuId, Number, PromptId, Wall};
use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone};
use std::collections::BTreeSet;
use std::time::Duration;

const SHIPPED: [(&str, &str); 3] = [
    ("service-desk.toml", include_str!("../../../dialplans/service-desk.toml")),
    ("demo.toml", include_str!("../../../dialplans/demo.toml")),
    ("bench.toml", include_str!("../../../dialplans/bench.toml")),
];

/// The smallest plan that is whole; tests change one line of it.
const SMALL: &str = r#"name = "窓口"
timezone = "Asia/Tokyo"
[desk_numbers.0312345678]
name = "代表"
hours = "desk"
open = { menu = "welcome" }
closed = { announce = "after-hours" }
lines = 5
[hours.desk.week]
mon-fri = "08:30-18:15"
sat-sun = "closed"
[menus.welcome]
greeting = "welcome"
timeout = "6s"
then = { group = "desk" }
[menus.welcome.keys]
1 = { group = "desk" }
[groups.desk]
number = "7000"
agents = ["2001", "2002"]
strategy = "linear"
[agents]
2001 = "佐藤 花子"
2002 = "鈴木 一郎"
[codes]
"*11" = "sign_in"
"#;

pub(super) fn prompts() -> BTreeSet<PromptId> {
    let mut ids: BTreeSet<PromptId> = [
        "welcome",
        "menu-wrong",
        "busy",
        "comfort",
        "queue-full",
        "waited-too-long",
        "after-hours",
        "holiday",
        "year-end",
        "information",
        "code-done",
        "code-refused",
        "music",
        "ringback",
        "desk-is-demo",
        "slot-empty",
        "supervised",
        "adhoc-closed",
        "disaster",
        "closing",
    ]
    .map(PromptId::from)
    .into();
    ids.extend((1..=10).map(|n| PromptId::from(format!("position-{n}"))));
    ids.extend((701..=710).map(|slot| PromptId::from(format!("parked-at-{slot}"))));
    ids
}

pub(super) fn shipped(name: &str) -> Plan {
    let (_, text) = SHIPPED.iter().find(|(file, _)| *file == name).expect("shipped");
    load(text, name, Some(&prompts())).expect("a shipped plan").0
}

/// A time of day in Japan as a stamp.
pub(super) fn at(text: &str) -> Wall {
    let format = if text.contains('.') { "%Y-%m-%dT%H:%M:%S%.3f" } else { "%Y-%m-%dT%H:%M" };
    let naive = NaiveDateTime::parse_from_str(text, format).expect("a time");
    Wall(naive.and_utc().timestamp_millis() - 9 * 3600 * 1000)
}

fn shown(result: Result<(Plan, Vec<Finding>), Vec<Finding>>, lang: Lang) -> String {
    let findings = result.map_or_else(|findings| findings, |(_, warnings)| warnings);
    findings.iter().map(|finding| finding.render(lang)).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_shipped_plans_are_clean() {
    for (name, text) in SHIPPED {
        let result = load(text, name, Some(&prompts()));
        assert!(matches!(&result, Ok((_, none)) if none.is_empty()), "{}", shown(result, Lang::En));
    }
    let result = load(SMALL, "small.toml", Some(&prompts()));
    assert!(matches!(&result, Ok((_, none)) if none.is_empty()), "{}", shown(result, Lang::En));
}

#[test]
fn the_service_desk_says_what_the_contract_says() {
    let plan = shipped("service-desk.toml");
    assert_eq!(plan.timezone, chrono_tz::Asia::Tokyo);
    assert_eq!(plan.agents.len(), 10);
    assert_eq!(plan.agents.get(&AgentId::from("2001")).map(|a| a.name.as_str()), Some("佐藤 花子"));
    assert_eq!(plan.positions.len(), 10);
    let group = plan.groups.get(&GroupId::from("desk")).unwrap();
    assert_eq!(group.number, Some(Number::from("7000")));
    assert_eq!(group.agents.first(), Some(&AgentId::from("2001")));
    assert_eq!(group.agents.len(), 10);
    assert_eq!(group.strategy, Strategy::LongestIdle);
    assert_eq!(group.max_wait, Duration::from_mins(10));
    assert_eq!(group.on_ring_out, SetAside::Pause);
    let menu = plan.menus.get(&MenuId::from("welcome")).unwrap();
    assert_eq!(menu.keys.get(&'1'), Some(&Target::Group(GroupId::from("desk"))));
    let outside = plan.outside.as_ref().unwrap();
    assert!(outside.groups.contains(&GroupId::from("desk")) && outside.emergency.is_empty());
    assert_eq!((outside.calls, outside.per_day), (1, Duration::from_hours(4)));
    let bench = shipped("bench.toml");
    assert_eq!(bench.agents.len(), 2200);
    assert_eq!(
        bench.agents.get(&AgentId::from("21999")).map(|a| a.name.as_str()),
        Some("測定 21999")
    );
}

#[test]
fn a_number_leads_where_the_time_says_to_the_millisecond() {
    let plan = shipped("service-desk.toml");
    let night = |n: &str| Target::Announce(PromptId::from(n));
    let open = || Target::Menu(MenuId::from("welcome"));
    let closed = |why| OpenState::Closed(why);
    let table = [
        ("2026-11-02T08:29:59.999", closed(ClosedWhy::Night), night("after-hours")),
        ("2026-11-02T08:30:00.000", OpenState::Open, open()),
        ("2026-11-02T18:14:59.999", OpenState::Open, open()),
        ("2026-11-02T18:15:00.000", closed(ClosedWhy::Night), night("after-hours")),
        ("2026-11-02T00:00:00.000", closed(ClosedWhy::Night), night("after-hours")),
        ("2026-11-07T10:00:00.000", closed(ClosedWhy::Weekend), night("after-hours")),
        (
            "2026-11-03T10:00:00.000",
            closed(ClosedWhy::Holiday("文化の日".into())),
            night("holiday"),
        ),
        (
            "2026-11-03T22:00:00.000",
            closed(ClosedWhy::Holiday("文化の日".into())),
            night("holiday"),
        ),
        (
            "2026-09-22T10:00:00.000",
            closed(ClosedWhy::Holiday("国民の休日".into())),
            night("holiday"),
        ),
        (
            "2026-05-06T10:00:00.000",
            closed(ClosedWhy::Holiday("振替休日".into())),
            night("holiday"),
        ),
        // A single day's own hours go before the week; the year-end goes before 元日.
        ("2026-12-28T14:59:59.999", OpenState::Open, open()),
        ("2026-12-28T15:00:00.000", closed(ClosedWhy::Night), night("after-hours")),
        ("2026-12-28T23:59:59.999", closed(ClosedWhy::Night), night("after-hours")),
        (
            "2026-12-29T00:00:00.000",
            closed(ClosedWhy::Closure("年末年始".into())),
            night("year-end"),
        ),
        (
            "2026-12-30T10:00:00.000",
            closed(ClosedWhy::Closure("年末年始".into())),
            night("year-end"),
        ),
        (
            "2027-01-01T10:00:00.000",
            closed(ClosedWhy::Closure("年末年始".into())),
            night("year-end"),
        ),
        (
            "2027-01-03T23:59:59.999",
            closed(ClosedWhy::Closure("年末年始".into())),
            night("year-end"),
        ),
        ("2027-01-04T08:30:00.000", OpenState::Open, open()),
        ("2026-12-28T08:30:00.000", OpenState::Open, open()),
    ];
    for (time, want_state, want_target) in table {
        match plan.route(&Number::from("0312345678"), at(time)) {
            Route::Desk { state, target, .. } => {
                assert_eq!((&state, target), (&want_state, &want_target), "{time}");
            }
            other => panic!("{time}: {other:?}"),
        }
    }
}

#[test]
fn every_kind_of_number_has_its_route() {
    let plan = shipped("service-desk.toml");
    let now = at("2026-11-02T10:00");
    let route = |number: &str| plan.route(&Number::from(number), now);
    assert!(matches!(route("7000"), Route::Group(id) if id.as_str() == "desk"));
    assert!(matches!(route("2003"), Route::Agent(id) if id.as_str() == "2003"));
    assert!(matches!(route("*13"), Route::Code(FeatureCode::Pause)));
    assert!(matches!(route("2999"), Route::Other));
    assert!(matches!(route(""), Route::Other));
    let always = plan.route(&Number::from("0312345670"), at("2026-12-31T03:00"));
    assert!(matches!(always, Route::Desk { state: OpenState::Open, .. }));
}

#[test]
fn what_is_dialled_behind_a_code_is_its_extension() {
    let text = SMALL.replacen(
        "\"*11\" = \"sign_in\"",
        "\"*11\" = \"sign_in\"\n\"*8\" = \"pickup\"\n\"*8{extension}\" = \"pickup\"\n\"*90{extension}\" = \"listen\"",
        1,
    );
    let (plan, _) = load(&text, "p.toml", None).expect("a plan");
    let route = |number: &str| match plan.route(&Number::from(number), at("2026-11-02T10:00")) {
        Route::Code(code) => Some((code, None)),
        Route::CodeFor(code, number) => Some((code, Some(number.as_str().to_owned()))),
        _ => None,
    };
    let table = [
        ("*11", Some((FeatureCode::SignIn, None))),
        ("*8", Some((FeatureCode::Pickup, None))),
        ("*82001", Some((FeatureCode::Pickup, Some("2001".to_owned())))),
        ("*902001", Some((FeatureCode::Listen, Some("2001".to_owned())))),
        ("*90", None),
        ("*90#", None),
        ("*90*2001", None),
    ];
    for (dialled, want) in table {
        assert_eq!(route(dialled), want, "{dialled}");
    }
}

#[test]
fn the_demonstration_shows_open_and_closed_at_any_hour() {
    let plan = shipped("demo.toml");
    for hour in 0..24 * 7 {
        let now = Wall(at("2026-11-02T00:00").0 + hour * 3_600_000);
        for (number, want) in [
            ("0312345678", OpenState::Open),
            ("0312345671", OpenState::Closed(ClosedWhy::Weekend)),
            ("0312345672", OpenState::Closed(ClosedWhy::Closure("年末年始（実演）".into()))),
        ] {
            let route = plan.route(&Number::from(number), now);
            assert!(matches!(&route, Route::Desk { state, .. } if *state == want), "{route:?}");
        }
    }
}

#[test]
fn the_next_opening_skips_what_is_closed() {
    let plan = shipped("service-desk.toml");
    let hours = plan.hours.get("desk").unwrap();
    for (from, want) in [
        ("2026-11-02T07:00", "2026-11-02T08:30"),
        ("2026-11-02T08:30", "2026-11-04T08:30"), // 11-03 is a holiday
        ("2026-09-18T19:00", "2026-09-24T08:30"), // weekend and three holidays
        ("2026-12-28T16:00", "2027-01-04T08:30"),
    ] {
        let next = hours.next_opening(plan.local(at(from)));
        assert_eq!(next, Some(plan.local(at(want))), "{from}");
    }
    let never = shipped("demo.toml");
    let hours = never.hours.get("never").unwrap();
    assert_eq!(hours.next_opening(never.local(at("2026-11-02T07:00"))), None);
}

#[test]
fn a_day_of_service_is_open_exactly_from_its_first_to_its_last_moment() {
    let text = SMALL.replace("\"08:30-18:15\"", "[\"00:00-12:00\", \"13:00-24:00\"]");
    let (plan, _) = load(&text, "p.toml", None).unwrap();
    let hours = plan.hours.get("desk").unwrap();
    let zone = chrono_tz::Asia::Tokyo;
    let moment = |h, m, s, ms| -> DateTime<chrono_tz::Tz> {
        zone.with_ymd_and_hms(2026, 11, 2, h, m, s).unwrap() + TimeDelta::milliseconds(ms)
    };
    for (moment, want) in [
        (moment(0, 0, 0, 0), true),
        (moment(11, 59, 59, 999), true),
        (moment(12, 0, 0, 0), false),
        (moment(12, 59, 59, 999), false),
        (moment(13, 0, 0, 0), true),
        (moment(23, 59, 59, 999), true),
    ] {
        assert_eq!(hours.state(moment) == OpenState::Open, want, "{moment}");
    }
}

#[test]
fn the_plan_in_the_documentation_is_clean() {
    let text = include_str!("../../../docs/DIALPLAN.md");
    let plan = text.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let result = load(plan, "docs", Some(&prompts()));
    assert!(matches!(&result, Ok((_, none)) if none.is_empty()), "{}", shown(result, Lang::En));
}

#[test]
fn a_service_day_is_one_on_which_a_number_of_the_contract_is_open() {
    let plan = shipped("service-desk.toml");
    let day = |text: &str| text.parse::<chrono::NaiveDate>().expect("a day");
    let table = [
        ("a Tuesday", "2026-10-13", true),
        ("a holiday", "2026-10-12", false),
        ("a Saturday", "2026-10-17", false),
        ("year-end", "2026-12-30", false),
        ("the day after", "2027-01-04", true),
    ];
    for (case, text, due) in table {
        assert_eq!(plan.serves_on(day(text)), due, "{case}");
    }
    let mut always = load(SMALL, "small.toml", Some(&prompts())).expect("good").0;
    assert!(!always.serves_on(day("2026-10-17")));
    for number in always.desk_numbers.values_mut() {
        number.hours = None;
    }
    assert!(always.serves_on(day("2026-10-17")), "without hours it is always open");
}

#[test]
fn the_moments_at_which_hours_change_say_what_the_hours_say_at_every_minute() {
    for (file, text) in SHIPPED {
        let plan = load(text, file, Some(&prompts())).expect("it ships").0;
        for (name, hours) in &plan.hours {
            // Over the year's end and the holidays of May.
            for (first, days) in [((2026, 12, 25), 20), ((2026, 4, 28), 12)] {
                let first = chrono::NaiveDate::from_ymd_opt(first.0, first.1, first.2).unwrap();
                let changes = hours.changes(plan.timezone, first, days);
                let begin = plan.midnight(first).expect("a day");
                assert_eq!(changes[0].0.timestamp_millis(), begin.0, "{file} {name}");
                for minute in 0..i64::try_from(days).unwrap() * 24 * 60 {
                    let at = plan.local(Wall(begin.0 + minute * 60_000));
                    let held = changes.iter().rev().find(|(from, _)| *from <= at).unwrap();
                    assert_eq!(held.1, hours.state(at), "{file} {name} {at}");
                }
                let twice = changes.windows(2).find(|pair| pair[0].1 == pair[1].1);
                assert!(twice.is_none(), "{file} {name}: no change is one {twice:?}");
            }
        }
    }
}
