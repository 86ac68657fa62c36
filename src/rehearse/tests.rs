//! The shipped plans do what their tables say; tables that are wrong are refused, and calls that do
//! otherwise are told with file, line and what is due.

use super::*;
use crate::base::{CallId, GroupId, Private, Rng, Wall};
use crate::dialplan::{self, Finding, Lang, Plan};
use crate::event::{CallEvent, Caller, CallerNumber, EndCause, Entry, Fact, Origin, Party};
use std::sync::Arc;

const SHIPPED: [(&str, &str, &str); 2] = [
    (
        "service-desk.test.toml",
        include_str!("../../dialplans/service-desk.toml"),
        include_str!("../../dialplans/service-desk.test.toml"),
    ),
    (
        "demo.test.toml",
        include_str!("../../dialplans/demo.toml"),
        include_str!("../../dialplans/demo.test.toml"),
    ),
];

fn plan(text: &str) -> Arc<Plan> {
    match dialplan::load(text, "plan.toml", None) {
        Ok((plan, _)) => Arc::new(plan),
        Err(findings) => panic!("{}", said(&findings, Lang::En)),
    }
}

fn said(findings: &[Finding], lang: Lang) -> String {
    findings.iter().map(|finding| finding.render(lang)).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_shipped_plans_do_what_their_tables_say() {
    for (name, text, table_text) in SHIPPED {
        let plan = plan(text);
        let (table, warnings) = match read(table_text, name, &plan) {
            Ok(read) => read,
            Err(findings) => panic!("{}", said(&findings, Lang::En)),
        };
        assert!(warnings.is_empty() && table.len() >= 10, "{name}");
        let report = judge(&plan, &table, table_text, name);
        assert_eq!(report.otherwise, 0, "{}", said(&report.findings, Lang::En));
        assert_eq!(report.well, table.len());
    }
}

const CALL: &str = "[[calls]]\nname = \"x\"\nat = \"2026-11-02T10:00\"\nto = \"直通\"\n";

/// Each thing that can be due fails when the call does otherwise: no line of a table is for show.
#[test]
fn each_line_of_a_table_can_fail() {
    let plan = plan(SHIPPED[0].1);
    let table = [
        ("leads_to = { group = \"dsek\" }", "leads_to は group desk", "group dsek"),
        ("leads_to = { nowhere = true }", "leads_to は group desk", "nowhere"),
        ("hours = \"night\"", "hours は open", "night"),
        ("rings = [\"2002\"]", "rings は [\"2001\"]", "[\"2002\"]"),
        ("rings = []", "rings は [\"2001\"]", "[]"),
        ("rings = [\"2001\", \"2002\"]", "rings は [\"2001\"]", "[\"2001\", \"2002\"]"),
        ("answered_by = \"2003\"", "answered_by は 2001", "2003"),
        ("agents = \"busy\"\nanswered_by = \"2003\"", "answered_by は ない", "2003"),
        ("hears = [\"welcome\"]", "hears は []", "[\"welcome\"]"),
        ("agents = \"busy\"\nhears = []", "hears は [\"busy\", \"music\"", "[]"),
        ("agents = \"busy\"\nnever_hears = [\"music\"]", "never_hears は [", "[\"music\"]"),
        ("agent_hears = [\"who\"]", "agent_hears は []", "[\"who\"]"),
        ("rings_outside = [\"0398765432\"]", "rings_outside は []", "[\"0398765432\"]"),
        ("answered_outside = \"0398765432\"", "answered_outside は ない", "0398765432"),
        ("outcome = \"abandoned\"", "outcome は answered", "abandoned"),
        ("outcome = \"none\"", "outcome は answered", "none"),
        ("counted = false", "counted は true", "false"),
    ];
    for (line, found, due) in table {
        let text = format!("{CALL}{line}\n");
        let (table, _) = read(&text, "t.test.toml", &plan).expect(line);
        let report = judge(&plan, &table, &text, "t.test.toml");
        let shown = said(&report.findings, Lang::Ja);
        assert_eq!((report.well, report.otherwise), (0, 1), "{line}: {shown}");
        let last = 4 + line.lines().count();
        assert!(shown.contains(&format!("t.test.toml:{last}:")), "{line}: {shown}");
        assert!(shown.contains(&format!("「x」: {found}")), "{line}: {shown}");
        assert!(shown.contains(&format!("正しくは: {due}（")), "{line}: {shown}");
        assert!(
            said(&report.findings, Lang::En).contains("either the plan or the table"),
            "{line}"
        );
    }
}

/// The group's word goes before the number's; the caller hears none of it.
#[test]
fn what_agents_are_told_is_a_matter_of_the_table() {
    let of_group =
        ("strategy = \"longest_idle\"", "strategy = \"longest_idle\"\ntell_agent = \"who\"");
    let of_number = ("name = \"直通\"", "name = \"直通\"\ntell_agent = \"which\"");
    let due = "hears = []\nanswered_by = \"2001\"\noutcome = \"answered\"\n";
    for (places, told) in [
        (&[][..], "[]"),
        (&[of_number], "[\"which\"]"),
        (&[of_group], "[\"who\"]"),
        (&[of_number, of_group], "[\"who\"]"),
    ] {
        let mut text = SHIPPED[0].1.to_owned();
        for (place, with) in places {
            assert!(text.contains(place), "{place}");
            text = text.replace(place, with);
        }
        let plan = plan(&text);
        let table_text = format!("{CALL}{due}agent_hears = {told}\n");
        let (table, _) = read(&table_text, "t.test.toml", &plan).expect("a table");
        let report = judge(&plan, &table, &table_text, "t.test.toml");
        assert_eq!(report.well, 1, "{}", said(&report.findings, Lang::En));
    }
}

/// The shipped plan where a number outside is rung as well for who has waited 40 s.
fn overflowing() -> Arc<Plan> {
    const AGENTS: &str = "[agents]\n2001 =";
    let rule = "[[groups.desk.overflow]]\nwaited = \"40s\"\nto = { outside = \"0398765432\" }\n\n";
    assert!(SHIPPED[0].1.contains(AGENTS));
    plan(&SHIPPED[0].1.replace(AGENTS, &format!("{rule}{AGENTS}")))
}

#[test]
fn a_table_follows_a_caller_who_waits_too_long_to_the_number_outside() {
    let plan = overflowing();
    let outside = "rings_outside = [\"0398765432\"]";
    let table = [
        (
            "nobody of the desk is free: somebody there answers",
            "agents = \"busy\"",
            format!(
                "{outside}\nanswered_outside = \"0398765432\"\noutcome = \"busy_released\"\nrings = []"
            ),
        ),
        (
            "an operator answers in time",
            "",
            "rings_outside = []\nanswered_by = \"2001\"".to_owned(),
        ),
        (
            "it is busy there: tried again after a while, and the caller waits to the end",
            "agents = \"busy\"\noutside = \"refuse\"",
            "rings_outside = [\"0398765432\", \"0398765432\"]\noutcome = \"busy_released\""
                .to_owned(),
        ),
        (
            "nobody picks up there, and the caller leaves",
            "agents = \"busy\"\noutside = \"let_ring\"\nhangs_up = \"60s\"",
            format!("{outside}\noutcome = \"abandoned\""),
        ),
        (
            "no trunk brings it",
            "agents = \"busy\"\noutside = \"unreachable\"\nhangs_up = \"60s\"",
            format!("{outside}\noutcome = \"abandoned\""),
        ),
        (
            "one before has the only call outside of the group",
            "agents = \"busy\"\nothers = 1\nhangs_up = \"2m\"",
            "rings_outside = []\noutcome = \"abandoned\"".to_owned(),
        ),
    ];
    for (case, given, due) in table {
        let text = format!("{CALL}{given}\n{due}\n");
        let (table, _) = read(&text, "t.test.toml", &plan).expect(case);
        let report = judge(&plan, &table, &text, "t.test.toml");
        assert_eq!(report.well, 1, "{case}: {}", said(&report.findings, Lang::En));
    }
}

/// A call to 直通 that waited so long and was answered.
fn waited(seconds: u64) -> Vec<Entry> {
    let known = CallerNumber::Known(Private::new("0398765431".to_owned()));
    let caller = Caller { number: known, name: None, diverted_from: None };
    let (number, origin) = ("0312345679".into(), Origin::Trunk("carrier".into()));
    let (by, cause) = (Party::Caller, EndCause::HungUp);
    let group = GroupId::from("desk");
    let events = [
        (0, CallEvent::Arrived { number, caller, origin, counted: true }),
        (0, CallEvent::OperatorAsked { group: Some(group.clone()) }),
        (10, CallEvent::Queued { group, position: 1 }),
        (seconds * 1000, CallEvent::OperatorAnswered { agent: "2001".into() }),
        (300_000, CallEvent::Ended { by, cause }),
    ];
    // 2026-11-02 10:00 in Tokyo.
    let (at, call) = (Wall(1_793_581_200_000), CallId::draw(Wall(0), &mut Rng::from_number(1)));
    let entry = |(seq, (t_ms, event))| Entry { seq, at, fact: Fact::Call { call, t_ms, event } };
    (1..).zip(events).map(entry).collect()
}

#[test]
fn calls_of_the_past_that_waited_long_enough_go_outside_under_a_plan_that_says_so() {
    let (old, new) = (plan(SHIPPED[0].1), overflowing());
    for (seconds, moves) in [(39, false), (40, true), (290, true)] {
        for (from, to, was, is) in [
            (&old, &new, "open > group desk", "open > group desk > outside 0398765432"),
            (&new, &old, "open > group desk > outside 0398765432", "open > group desk"),
        ] {
            let mut comparison = Comparison::new(from, to, (Wall(i64::MIN), Wall(i64::MAX)));
            for entry in &waited(seconds) {
                comparison.apply(entry);
            }
            comparison.finish();
            let changed: Vec<(&str, &str)> =
                comparison.changed.iter().map(|it| (&*it.was, &*it.is)).collect();
            let due = if moves { vec![(was, is)] } else { Vec::new() };
            assert_eq!((changed, comparison.any()), (due, moves), "{seconds} s");
        }
    }
}

#[test]
fn a_table_that_is_wrong_is_refused_with_its_line() {
    let plan = plan(SHIPPED[0].1);
    // (changed, into, code, line)
    let table = [
        ("outcome", "outcom", "unknown-key", 5),
        ("outcome = \"answered\"", "", "nothing-due", 1),
        ("\"answered\"", "\"answerd\"", "bad-word", 5),
        ("name = \"x\"\n", "", "missing-key", 1),
        ("2026-11-02T10:00", "tomorrow", "bad-time", 3),
        ("直通", "直接", "bad-number", 4),
        ("outcome = \"answered\"", "press = \"x\"\nhours = \"open\"", "bad-press", 5),
        ("outcome = \"answered\"", "leads_to = { group = \"a\", refuse = 486 }", "bad-leads-to", 5),
        ("outcome = \"answered\"", "leads_to = { nowhere = false }", "bad-leads-to", 5),
        ("outcome = \"answered\"", "answered_by = \"2011\"", "no-such", 5),
        ("outcome = \"answered\"", "agents = { 2011 = \"busy\" }\ncounted = true", "no-such", 5),
        ("outcome = \"answered\"", "agents = { al = \"busy\" }\ncounted = true", "no-such", 5),
        ("outcome = \"answered\"", "agents = \"asleep\"\ncounted = true", "bad-word", 5),
        ("outcome = \"answered\"", "outside = \"asleep\"\ncounted = true", "bad-word", 5),
        ("outcome = \"answered\"", "others = 1001\ncounted = true", "out-of-range", 5),
        ("outcome = \"answered\"", "hangs_up = \"soon\"\ncounted = true", "bad-duration", 5),
        ("outcome = \"answered\"", "hears = \"busy\"", "wrong-kind", 5),
    ];
    let good = format!("{CALL}outcome = \"answered\"\n");
    assert!(read(&good, "t", &plan).is_ok());
    for (what, into, code, line) in table {
        let text = good.replacen(what, into, 1);
        let Err(findings) = read(&text, "t.test.toml", &plan) else { panic!("{into}: taken") };
        let shown = said(&findings, Lang::En);
        assert!(shown.contains(&format!("error[{code}]")), "{into}: {shown}");
        assert!(shown.contains(&format!("t.test.toml:{line}:")), "{into}: {shown}");
    }
}

#[test]
fn a_table_without_a_call_is_told() {
    let plan = plan(SHIPPED[0].1);
    let (table, warnings) = read("", "t.test.toml", &plan).expect("no error");
    assert!(table.is_empty());
    assert!(said(&warnings, Lang::Ja).contains("電話が一つもない"));
}
