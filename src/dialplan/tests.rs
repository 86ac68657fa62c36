//! The room as a whole: shipped plans, boundaries of hours, what is refused and in which words.

use super::*;
use crate::base::{AgentId, GroupId, MenuId, Number, PromptId, Wall};
use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone};
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
use std::collections::BTreeSet;
use std::time::Duration;

const SHIPPED: [(&str, &str); 3] = [
    ("service-desk.toml", include_str!("../../dialplans/service-desk.toml")),
    ("demo.toml", include_str!("../../dialplans/demo.toml")),
    ("bench.toml", include_str!("../../dialplans/bench.toml")),
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
    ]
    .map(PromptId::from)
    .into();
    ids.extend((1..=10).map(|n| PromptId::from(format!("position-{n}"))));
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

/// (what is changed, into what, codes of the findings in order)
const REFUSED: [(&str, &str, &[&str]); 58] = [
    ("name = \"窓口\"", "name = 窓口", &["syntax"]),
    ("name = \"窓口\"", "", &["missing-key"]),
    ("name = \"窓口\"", "name = \"\"", &["bad-text"]),
    ("name = \"窓口\"", "name = 3", &["wrong-kind"]),
    ("name = \"窓口\"", "name = \"窓口\"\nnmae = \"x\"", &["unknown-key"]),
    ("Asia/Tokyo", "Asia/Tokio", &["bad-word"]),
    ("0312345678", "03-1234-5678", &["bad-number", "hours-unused", "unreachable"]),
    ("0312345678", "110", &["emergency-number"]),
    ("hours = \"desk\"", "hours = \"dsek\"", &["no-such", "hours-unused"]),
    ("hours = \"desk\"\n", "", &["closed-unused", "hours-unused"]),
    ("open = { menu = \"welcome\" }", "open = { menu = \"welcom\" }", &["no-such", "unreachable"]),
    (
        "open = { menu = \"welcome\" }",
        "open = { mneu = \"welcome\" }",
        &["bad-target", "unknown-key", "unreachable"],
    ),
    (
        "open = { menu = \"welcome\" }",
        "open = { menu = \"welcome\", group = \"desk\" }",
        &["bad-target", "unreachable"],
    ),
    (
        "open = { menu = \"welcome\" }",
        "open = { extension = \"7000\" }",
        &["not-a-phone", "unreachable"],
    ),
    (
        "open = { menu = \"welcome\" }",
        "open = { extension = \"seven\" }",
        &["bad-number", "unreachable"],
    ),
    (
        "closed = { announce = \"after-hours\" }",
        "closed = { announce = \"after-hour\" }",
        &["no-prompt"],
    ),
    (
        "closed = { announce = \"after-hours\" }",
        "closed = { announce = \"../secret\" }",
        &["bad-text"],
    ),
    ("closed = { announce = \"after-hours\" }", "closed = { refuse = 404 }", &["bad-status"]),
    ("closed = { announce = \"after-hours\" }", "", &["missing-key"]),
    ("lines = 5", "lines = 0", &["out-of-range"]),
    ("lines = 5", "lines = -1", &["out-of-range"]),
    ("lines = 5", "lines = 0x1_0000_0000_0000_0000", &["out-of-range"]),
    ("lines = 5", "lines = \"5\"", &["wrong-kind"]),
    ("lines = 5", "lines = 5\nlines = 6", &["syntax"]),
    ("08:30-18:15", "08:30-25:00", &["bad-span"]),
    ("08:30-18:15", "18:15-08:30", &["span-backwards"]),
    ("\"08:30-18:15\"", "[\"08:30-12:00\", \"11:00-18:15\"]", &["spans-overlap"]),
    ("\"08:30-18:15\"", "[\"13:00-18:15\", \"08:30-12:00\"]", &["spans-overlap"]),
    ("\"08:30-18:15\"", "[\"08:30-11:59\", \"12:00-18:15\"]", &["spans-gap"]),
    ("\"08:30-18:15\"", "12:00:00", &["wrong-kind"]),
    ("sat-sun", "fri-sun", &["day-twice"]),
    ("sat-sun", "sat", &["days-missing"]),
    ("sat-sun", "weekend", &["days-missing", "bad-days"]),
    (
        "[menus.welcome]",
        "[[hours.desk.closures]]\nname=\"a\"\nfrom=\"12-29\"\nuntil=\"01-03\"\n[[hours.desk.closures]]\nname=\"b\"\nfrom=\"01-03\"\nuntil=\"01-05\"\n[menus.welcome]",
        &["closures-overlap"],
    ),
    (
        "[menus.welcome]",
        "[[hours.desk.closures]]\nname=\"a\"\nfrom=\"13-29\"\nuntil=\"1-3\"\n[menus.welcome]",
        &["bad-month-day", "bad-month-day"],
    ),
    (
        "[menus.welcome]",
        "[hours.desk.days]\n2026-02-30 = { name = \"x\", open = \"closed\" }\n[menus.welcome]",
        &["bad-date"],
    ),
    ("timeout = \"6s\"\n", "", &["missing-key"]),
    ("timeout = \"6s\"", "timeout = \"0s\"", &["out-of-range"]),
    ("timeout = \"6s\"", "timeout = \"6\"", &["bad-duration"]),
    ("timeout = \"6s\"", "timeout = \"6s\"\ntries = 0", &["out-of-range"]),
    ("then = { group = \"desk\" }", "then = { menu = \"welcome\" }", &["menu-circle"]),
    ("[menus.welcome.keys]\n1 = { group = \"desk\" }", "", &["menu-without-keys"]),
    ("1 = { group = \"desk\" }", "10 = { group = \"desk\" }", &["bad-key"]),
    ("open = { menu = \"welcome\" }", "open = { group = \"desk\" }", &["unreachable"]),
    ("number = \"7000\"", "number = \"2001\"", &["number-twice"]),
    ("number = \"7000\"", "number = \"70 00\"", &["bad-number"]),
    (
        "agents = [\"2001\", \"2002\"]",
        "agents = []",
        &["group-empty", "agent-in-no-group", "agent-in-no-group"],
    ),
    ("agents = [\"2001\", \"2002\"]", "agents = [\"2001-2003\"]", &["no-such"]),
    ("agents = [\"2001\", \"2002\"]", "agents = [\"2001\", \"2001-2002\"]", &["member-twice"]),
    ("agents = [\"2001\", \"2002\"]", "agents = [\"2001\"]", &["agent-in-no-group"]),
    (
        "agents = [\"2001\", \"2002\"]",
        "agents = [\"2001-200\"]",
        &["bad-range", "agent-in-no-group", "agent-in-no-group"],
    ),
    ("strategy = \"linear\"", "strategy = \"liner\"", &["bad-word"]),
    ("strategy = \"linear\"", "strategy = \"linear\"\nring = \"181s\"", &["out-of-range"]),
    (
        "[agents]",
        "[groups.desk.queue]\nmax_wait = \"8s\"\ncomfort = \"comfort\"\n[agents]",
        &["wait-below-ring", "wait-below-busy", "comfort-never"],
    ),
    (
        "[agents]",
        "[groups.desk.queue]\ntell_position = true\nmax_waiting = 0\n[agents]",
        &["no-positions", "out-of-range"],
    ),
    ("2002 = \"鈴木 一郎\"", "2002-2001 = \"鈴木 一郎\"", &["no-such", "bad-range"]),
    ("2002 = \"鈴木 一郎\"", "2001-2002 = \"鈴木 一郎\"", &["number-twice"]),
    ("\"*11\" = \"sign_in\"", "\"11\" = \"sign_inn\"", &["bad-number", "bad-word"]),
];

#[test]
fn each_fault_is_found_and_nothing_else() {
    for (from, into, want) in REFUSED {
        assert!(SMALL.contains(from), "{from}");
        let text = SMALL.replacen(from, into, 1);
        let result = load(&text, "p.toml", Some(&prompts()));
        let refused = result.is_err();
        let (Err(findings) | Ok((_, findings))) = result;
        let codes: Vec<_> = findings.iter().map(|finding| finding.message.code).collect();
        let told: Vec<_> = findings.iter().map(|finding| finding.render(Lang::En)).collect();
        assert_eq!(codes, want, "{from} -> {into}\n{}", told.join("\n"));
        assert_eq!(refused, findings.iter().any(Finding::is_error), "{from} -> {into}");
        assert!(findings.iter().all(|finding| finding.place.is_some()), "{from} -> {into}");
    }
}

#[test]
fn a_refusal_reads_like_a_compiler_in_both_languages() {
    let text = SMALL
        .replacen("timeout = \"6s\"\n", "", 1)
        .replacen("strategy = \"linear\"", "strategy = \"liner\"", 1)
        .replacen("number = \"7000\"", "number = \"2001\"", 1);
    let english = "\
error[missing-key]: timeout is missing
  --> plans/desk.toml:12:1
   |
12 | [menus.welcome]
   | ^^^^^^^^^^^^^^^
   |
   = due: for example: timeout = \"6s\"
error[bad-word]: strategy is \"liner\"
  --> plans/desk.toml:20:12
   |
20 | strategy = \"liner\"
   |            ^^^^^^^
   |
   = due: did you mean linear? (one of ring_all, linear, round_robin, longest_idle)
error[number-twice]: the number 2001 is used twice (first in line 18)
  --> plans/desk.toml:22:1
   |
22 | 2001 = \"佐藤 花子\"
   | ^^^^
   |
   = due: each number once among desk numbers, group numbers, agents and feature codes";
    let japanese = "\
エラー[missing-key]: timeout が書かれていない
  --> plans/desk.toml:12:1
   |
12 | [menus.welcome]
   | ^^^^^^^^^^^^^^^
   |
   = 正しくは: 例: timeout = \"6s\"
エラー[bad-word]: strategy が \"liner\" になっている
  --> plans/desk.toml:20:12
   |
20 | strategy = \"liner\"
   |            ^^^^^^^
   |
   = 正しくは: linear のことですか（使えるのは ring_all, linear, round_robin, longest_idle）
エラー[number-twice]: 番号 2001 が二度使われている（先は 18 行目）
  --> plans/desk.toml:22:1
   |
22 | 2001 = \"佐藤 花子\"
   | ^^^^
   |
   = 正しくは: 着信番号・グループ番号・内線・特番を通して、番号は一度だけ";
    assert_eq!(shown(load(&text, "plans/desk.toml", None), Lang::En), english);
    assert_eq!(shown(load(&text, "plans/desk.toml", None), Lang::Ja), japanese);
}

#[test]
fn the_slips_of_japanese_typing_are_named() {
    let table = [
        ("\"6s\"", "”6s”", "全角の「””」がある", "半角の「\"\"」"),
        ("lines = 5", "lines　=　5", "全角の「\u{3000}」がある", "半角の「 」"),
        ("lines = 5", "lines ＝ 5", "全角の「＝」がある", "半角の「=」"),
        ("lines = 5", "lines = ５", "全角の「５」がある", "半角の「5」"),
        ("[\"2001\", \"2002\"]", "[\"2001\"、 \"2002\"]", "全角の「、」がある", "半角の「,」"),
        ("lines = 5", "lines = 5\nlines = 5", "同じ項目か表が二度", "項目 = 値"),
        ("name = \"代表\"", "name = \"代表", "文字列の終わりの \" がない", "項目 = 値"),
        ("[menus.welcome]", "[menus.welcome", "終わりの ] がない", "項目 = 値"),
        ("lines = 5", "lines", "「= 値」がない", "項目 = 値"),
        ("lines = 5", "lines = many", "囲まれていない", "項目 = 値"),
    ];
    for (from, into, found, due) in table {
        assert!(SMALL.contains(from), "{from}");
        let told = shown(load(&SMALL.replacen(from, into, 1), "p.toml", None), Lang::Ja);
        assert!(told.contains(found) && told.contains(due), "{into}\n{told}");
    }
    // Windows' Notepad: a byte order mark, and carriage returns.
    let text = format!("\u{feff}{}", SMALL.replace('\n', "\r\n"));
    let result = load(&text, "p.toml", None);
    assert!(matches!(&result, Ok((_, none)) if none.is_empty()), "{}", shown(result, Lang::Ja));
}

#[test]
fn what_only_larger_plans_can_have_is_found_too() {
    let circle = SMALL
        .replacen("then = { group = \"desk\" }", "then = { menu = \"second\" }", 1)
        .replacen(
            "[groups.desk]",
            "[menus.second]\ngreeting = \"welcome\"\ntimeout = \"6s\"\nthen = { menu = \"welcome\" }\nkeys.1 = { group = \"desk\" }\n[groups.desk]",
            1,
        );
    let told = shown(load(&circle, "p.toml", None), Lang::En);
    assert_eq!(told.matches("menu-circle").count(), 1, "{told}");
    assert!(told.contains("second → welcome → second"), "{told}");

    let island = SMALL.replacen(
        "[groups.desk]",
        "[groups.island]\nagents = \"2001\"\nstrategy = \"linear\"\n[groups.desk]",
        1,
    );
    let told = shown(load(&island, "p.toml", None), Lang::En);
    assert!(told.starts_with("warning[unreachable]: nothing leads to the group island"), "{told}");

    let crowd = SMALL
        .replacen("agents = [\"2001\", \"2002\"]", "agents = \"3000-3100\"", 1)
        .replacen("\"linear\"", "\"ring_all\"", 1)
        .replacen("[agents]", "[agents]\n3000-3100 = \"x\"", 1);
    let told = shown(load(&crowd, "p.toml", None), Lang::En);
    assert!(told.contains("error[ring-all-large]: a ring_all group has 101 agents"), "{told}");

    let many = format!("{SMALL}[agents.10000-29999]\nname = \"x\"\n");
    assert!(shown(load(&many, "p.toml", None), Lang::En).contains("range-too-long"));
    let nobody = "name = \"x\"\ntimezone = \"Asia/Tokyo\"\n";
    assert!(shown(load(nobody, "p.toml", None), Lang::En).contains("warning[no-desk-number]"));
    let huge = "#".repeat(5 << 20);
    assert!(shown(load(&huge, "p.toml", None), Lang::En).contains("too-long"));
    let deep = format!("x = {}", "[".repeat(100_000));
    assert!(load(&deep, "p.toml", None).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// A plan that somebody broke anywhere is read without a panic, and told in both languages.
    #[test]
    fn no_mutation_of_a_plan_makes_load_panic(
        which in 0..4usize,
        cuts in proptest::collection::vec((any::<u16>(), 0..40usize, "[ -~\\n\"{}\\[\\]=,窓口０]{0,12}"), 1..4),
    ) {
        let mut text = [SMALL, SHIPPED[0].1, SHIPPED[1].1, SHIPPED[2].1][which].to_owned();
        for (place, length, put) in cuts {
            let floor = |mut at: usize| {
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                at
            };
            let start = floor(usize::from(place) % (text.len() + 1));
            let end = floor((start + length).min(text.len()));
            text.replace_range(start..end.max(start), &put);
        }
        let told = load(&text, "p.toml", Some(&prompts()));
        let refused = told.is_err();
        let shown = shown(told, Lang::Ja);
        prop_assert!(!refused || !shown.is_empty());
    }

    /// Values exchanged between keys: well-formed TOML, wrong plan.
    #[test]
    fn no_exchange_of_lines_makes_load_panic(
        swaps in proptest::collection::vec((0..26usize, 0..26usize), 1..6),
    ) {
        let mut lines: Vec<&str> = SMALL.lines().collect();
        for (one, two) in swaps {
            let count = lines.len();
            lines.swap(one % count, two % count);
        }
        let text = lines.join("\n");
        if let Ok((plan, _)) = load(&text, "p.toml", None) {
            let _ = plan.route(&Number::from("0312345678"), Wall(0));
        }
    }
}

fn ask(plan: &Plan, time: &str, from: Asker, to: &str, presses: &str) -> Walk {
    let presses = presses
        .chars()
        .map(|key| if key == '-' { Press::Nothing } else { Press::Key(key) })
        .collect();
    walk(plan, &Question { at: at(time), from, to: Number::from(to), presses })
}

#[test]
fn a_call_is_walked_as_it_would_go() {
    let plan = shipped("service-desk.toml");
    let open = "2026-11-02T10:00";
    let outside = || Asker::Outside(None);
    let agent = || Asker::Extension(Number::from("2001"));
    // (case, time, from, to, keys, how it ends, counted)
    let table = [
        ("menu, key 1", open, outside(), "0312345678", "1", "group desk", true),
        ("menu, silence", open, outside(), "0312345678", "", "group desk", true),
        ("menu, wrong keys", open, outside(), "0312345678", "55", "group desk", true),
        (
            "menu, wrong, then information",
            open,
            outside(),
            "0312345678",
            "52",
            "information menu_served",
            true,
        ),
        (
            "menu, again, information",
            open,
            outside(),
            "0312345678",
            "92",
            "information menu_served",
            true,
        ),
        (
            "menu, waits, information",
            open,
            outside(),
            "0312345678",
            "-2",
            "information menu_served",
            true,
        ),
        ("direct", open, outside(), "0312345679", "", "group desk", true),
        ("direct from an agent", open, agent(), "0312345679", "", "group desk", false),
        ("night", "2026-11-02T20:00", outside(), "0312345678", "1", "after-hours closed", true),
        ("holiday", "2026-11-03T10:00", outside(), "0312345678", "1", "holiday closed", true),
        ("year-end", "2026-12-30T10:00", outside(), "0312345678", "1", "year-end closed", true),
        ("uncounted", open, outside(), "0312345670", "", "information menu_served", false),
        (
            "group number",
            open,
            Asker::Extension(Number::from("3000")),
            "7000",
            "",
            "group desk",
            true,
        ),
        ("own line", open, agent(), "2002", "", "phone 2002", false),
        ("code", open, agent(), "*11", "", "code SignIn 2001", false),
        ("code by a stranger", open, outside(), "*11", "", "code SignIn -", false),
        ("no number", open, outside(), "0399999999", "", "nothing", false),
        ("round and round", open, outside(), "0312345678", &"9".repeat(60), "menus", true),
    ];
    for (case, time, from, to, keys, want, counted) in table {
        let walk = ask(&plan, time, from, to, keys);
        let end = match &walk.end {
            End::Group(way) => format!("group {}", way.group),
            End::Phone { agent, .. } => format!("phone {agent}"),
            End::Told { prompt, outcome } => format!("{prompt} {}", outcome.name()),
            End::Refused { status, outcome } => format!("{status} {}", outcome.name()),
            End::TooManyMenus => "menus".to_owned(),
            End::Code { code, agent, .. } => {
                format!("code {code:?} {}", agent.as_ref().map_or("-", AgentId::as_str))
            }
            End::Nothing => "nothing".to_owned(),
        };
        assert_eq!((end.as_str(), walk.counted), (want, counted), "{case}");
        for lang in [Lang::Ja, Lang::En] {
            assert!(walk.render(lang).lines().count() >= 2, "{case}");
        }
    }
}

#[test]
fn a_trunk_that_may_not_bring_a_number_finds_nothing() {
    let text = SMALL.replacen("lines = 5", "lines = 5\ntrunks = [\"carrier\"]", 1);
    let (plan, _) = load(&text, "p.toml", None).unwrap();
    let by = |trunk: &str| Asker::Outside(Some(trunk.into()));
    let open = "2026-11-02T10:00";
    assert_eq!(ask(&plan, open, by("other"), "0312345678", "").end, End::Nothing);
    assert!(matches!(ask(&plan, open, by("carrier"), "0312345678", "").end, End::Group(_)));
    let phone = Asker::Extension(Number::from("3000"));
    assert!(matches!(ask(&plan, open, phone, "0312345678", "").end, End::Group(_)));
}

/// Who is rung when nobody picks up: `from-until agents`, then when the caller is queued.
fn rung(strategy: &str, settings: &str) -> (String, Option<u64>) {
    let text = SMALL
        .replacen("agents = [\"2001\", \"2002\"]", "agents = \"2001-2003\"", 1)
        .replacen("2002 = \"鈴木 一郎\"", "2002-2003 = \"x\"", 1)
        .replacen("strategy = \"linear\"", &format!("strategy = \"{strategy}\"\n{settings}"), 1);
    let loaded = load(&text, "p.toml", None);
    let Ok((plan, _)) = loaded else { panic!("{}", shown(loaded, Lang::En)) };
    let End::Group(way) = ask(&plan, "2026-11-02T10:00", Asker::Outside(None), "7000", "").end
    else {
        panic!("no group")
    };
    let offers = way.offers.iter().map(|offer| {
        let agents: Vec<_> = offer.agents.iter().map(|(id, _)| id.as_str()).collect();
        format!("{}-{} {}", offer.from.as_secs(), offer.until.as_secs(), agents.join("+"))
    });
    let shown = offers.collect::<Vec<_>>().join(", ") + if way.more { " …" } else { "" };
    (shown, way.queued_after.map(|at| at.as_secs()))
}

#[test]
fn agents_are_rung_in_the_order_of_the_strategy() {
    let wait = |wait: &str| format!("queue.max_wait = \"{wait}\"");
    let pause = format!("on_ring_out = \"pause\"\n{}", wait("90s"));
    let back = format!("on_ring_out = \"30s\"\n{}", wait("110s"));
    let quick = format!("ring = \"10s\"\non_ring_out = \"1s\"\n{}", wait("55s"));
    let table = [
        ("linear", &pause, "0-20 2001, 20-40 2002, 40-60 2003", Some(60)),
        // 2001 is back at 50, but those who were not tried go first.
        (
            "linear",
            &back,
            "0-20 2001, 20-40 2002, 40-60 2003, 60-80 2001, 80-100 2002, 100-110 2003",
            None,
        ),
        (
            "linear",
            &quick,
            "0-10 2001, 10-20 2002, 20-30 2003, 30-40 2001, 40-50 2002, 50-55 2003",
            None,
        ),
        (
            "round_robin",
            &quick,
            "0-10 2001, 10-20 2002, 20-30 2003, 30-40 2001, 40-50 2002, 50-55 2003",
            None,
        ),
        (
            "longest_idle",
            &quick,
            "0-10 2001, 10-20 2002, 20-30 2003, 30-40 2001, 40-50 2002, 50-55 2003",
            None,
        ),
        ("ring_all", &pause, "0-20 2001+2002+2003", Some(20)),
        (
            "ring_all",
            &back,
            "0-20 2001+2002+2003, 50-70 2001+2002+2003, 100-110 2001+2002+2003",
            Some(20),
        ),
    ];
    for (strategy, settings, want, queued) in table {
        assert_eq!(rung(strategy, settings), (want.to_owned(), queued), "{strategy} {settings}");
    }
    let endless = "ring = \"1s\"\non_ring_out = \"1s\"\nqueue.max_wait = \"4h\"";
    assert!(rung("linear", endless).0.ends_with(" …"));
}

#[test]
fn a_walk_reads_as_a_way_in_both_languages() {
    let plan = shipped("service-desk.toml");
    let year_end = ask(&plan, "2026-12-30T10:00", Asker::Outside(None), "0312345678", "1");
    assert_eq!(
        year_end.render(Lang::Ja),
        "2026-12-30 (水) 10:00 Asia/Tokyo
  着信番号 0312345678「代表」（30 回線）
  受付時間 desk: 閉（休業: 年末年始）。次の受付は 2027-01-04 (月) 08:30 Asia/Tokyo
→ year-end を流して切る（結果 時間外 closed）
  (実績に数える)
"
    );
    let open = ask(&plan, "2026-11-02T10:00", Asker::Outside(None), "0312345678", "51");
    let text = open.render(Lang::En);
    let head = "2026-11-02 (mon) 10:00 Asia/Tokyo
  desk number 0312345678 \"代表\" (30 lines)
  hours desk: open
  menu welcome: says welcome
  menu welcome: presses 5, which leads nowhere
  menu welcome: says menu-wrong, welcome
  menu welcome: presses 1
→ group desk \"サービスデスク\" (longest_idle); from here the caller has asked for an operator
  when all are signed in and nobody picks up (the caller hears music):
     0:00 –  0:20 2001 佐藤 花子
     0:20 –  0:40 2002 鈴木 一郎
";
    assert!(text.starts_with(head), "{text}");
    let tail = "     3:20 nobody is left to ring: waits as below
  when nobody is free:
     0:00 hears busy, then music
    after every 30s of music: position-1, comfort
    10:00 hears waited-too-long and is released (outcome busy_released)
    when 20 wait already: hears busy, queue-full and is released (outcome busy_released)
  (counted)
";
    assert!(text.ends_with(tail), "{text}");
}

#[test]
fn the_plan_in_the_documentation_is_clean() {
    let text = include_str!("../../docs/DIALPLAN.md");
    let plan = text.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let result = load(plan, "docs", Some(&prompts()));
    assert!(matches!(&result, Ok((_, none)) if none.is_empty()), "{}", shown(result, Lang::En));
}
