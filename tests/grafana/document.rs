//! docs/METRICS.md lists every metric with its type, unit, labels and help. It is written from the page that the
//! program makes: `MADOGUCHI_WRITE_DOCS=1 cargo test --test grafana document` writes it, without that it must be
//! up to date.

use crate::page::{Family, families};
use madoguchi::base::{CallId, Wall};
use madoguchi::event::{CallEvent, Caller, CallerNumber, Entry, Fact, FeedEvent, Origin, ToldBy};
use madoguchi::io::telemetry::Metrics;
use madoguchi::io::{media, net};
use madoguchi::view::{
    DeskNumberGauge, FeedRules, Gauges, GroupGauge, Policy, Setup, SipCount, TargetGauge,
    TargetState, TrunkGauge, Views,
};
use std::collections::{BTreeMap, BTreeSet};

const NOW: Wall = Wall(1_790_780_400_000); // 2026-10-01T00:00:00+09:00

const INTRODUCTION: &str = r#"# Metrics

Written by `MADOGUCHI_WRITE_DOCS=1 cargo test --test grafana document` from the page that the program makes.

`GET /metrics` in Prometheus's text format; the bearer token is due. The page is made at each scrape from the history and the machine's
gauges, so it cannot disagree with the call list: a counter of calls goes on after a restart, because the history does. No number, name or
address of a person and no call id is ever a label; groups, desk numbers and trunks are labels as the plan and the configuration name them.
Every label value of a closed list is there from the beginning, at 0.

Ratios of a day or a month are `NaN` while it has no calls: "no calls" is not 0 %, and a comparison with `NaN` raises no alert.
`…_today` begins anew at midnight in the desk's zone.

Dashboards, alerts and how they are set up: docs/GRAFANA.md.

```yaml
scrape_configs:
  - job_name: madoguchi
    authorization: { credentials_file: /etc/prometheus/madoguchi-token }
    static_configs: [{ targets: ["127.0.0.1:8080"] }]
```

Occupancy and handling time (seconds) of an hour, as docs/FIGURES.md defines them:

```promql
sum(increase(madoguchi_agents_seconds_total{doing=~"talk|hold|other_call|wrap_up"}[1h]))
  / sum(increase(madoguchi_agents_seconds_total{doing=~"talk|hold|other_call|wrap_up|ringing|idle"}[1h]))
sum(increase(madoguchi_calls_handling_seconds_total[1h]))
  / sum(increase(madoguchi_calls_total{counted="true",outcome=~"answered|answered_after_busy"}[1h]))
```

"#;

/// Labels whose values are not ours.
const OPEN: &[(&str, &str)] = &[
    ("group", "the plan's groups, and those that it had and that had calls"),
    ("name", "the desk number's name in the plan"),
    ("number", "the plan's desk numbers"),
    ("target", "the ticket systems, as `[[tickets.targets]]` names them; without any `ledger`"),
    ("trunk", "the configuration's trunks, and those that it had and that had calls"),
    ("version", "the program's"),
];

/// What words of label values mean that do not say it themselves.
const SAID: &[(&str, &str, &str)] = &[
    ("rtcp", "reason", "on a port where none was agreed on"),
    ("covered", "reason", "something else plays, or hold"),
];

/// Units that a name can end with, `_total` and `_today` aside.
const UNITS: &[(&str, &str)] = &[
    ("_timestamp_seconds", "seconds since 1970"),
    ("_start_time_seconds", "seconds since 1970"),
    ("_seconds", "seconds"),
    ("_bytes", "bytes"),
    ("_ratio", "ratio, 1 is 100 %"),
    ("_info", ""),
];

fn unit(name: &str) -> &'static str {
    let name = name.strip_suffix("_total").or_else(|| name.strip_suffix("_today")).unwrap_or(name);
    UNITS.iter().find(|(end, _)| name.ends_with(end)).map_or("", |(_, unit)| unit)
}

/// A page with every metric on it.
pub fn full_page() -> String {
    let mut views = Views::new(Setup {
        desk: "窓口".into(),
        demonstration: false,
        timezone: chrono_tz::Asia::Tokyo,
        policy: Policy::default(),
        agents: vec![("2001".into(), "佐藤".into())],
    });
    let caller = Caller {
        number: CallerNumber::Known("0398765432".to_owned().into()),
        name: Some("山田".to_owned().into()),
        diverted_from: None,
    };
    let origin = Origin::Trunk("carrier".into());
    let event = CallEvent::Arrived { number: "0312345678".into(), caller, origin, counted: true };
    let call = CallId(uuid::Uuid::from_u64_pair(1, 0));
    views.apply(&Entry { seq: 1, at: NOW, fact: Fact::Call { call, t_ms: 0, event } });
    let event = FeedEvent::TargetSet { rules: FeedRules::default().written() };
    let fact = Fact::Feed { target: "tool".into(), call: None, event };
    views.apply(&Entry { seq: 2, at: NOW, fact });
    let sound = media::Counters::default();
    let kinds = net::Kinds::default();
    let kinds = kinds.counts();
    let gauges = Gauges {
        trunk_names: vec!["carrier".into()],
        trunks: vec![TrunkGauge {
            trunk: "carrier".into(),
            registered: Some(true),
            refused: None,
            server: None,
            servers: 1,
            servers_well: 1,
        }],
        groups: vec![GroupGauge { group: "desk".into(), free_agents: 1 }],
        desk_numbers: vec![DeskNumberGauge {
            number: "0312345678".into(),
            name: "代表".into(),
            in_use: 1,
            lines: 8,
        }],
        sip_by_kind: kinds
            .map(|(kind, request, _)| SipCount { kind, request, received: 0, sent: 0 })
            .collect(),
        media_sent: sound.sent().to_vec(),
        media_dropped: sound.dropped().to_vec(),
        media_reports: vec![("in", 0), ("out", 0)],
        media_troubles: sound.troubles().to_vec(),
        targets: vec![TargetGauge {
            target: "tool".into(),
            kind: "redmine",
            state: TargetState::Open,
            troubled: 0,
            failed: Vec::new(),
        }],
        warning_ways: ToldBy::ALL.map(|by| (by, 0)).to_vec(),
        ..Gauges::default()
    };
    Metrics::new("1").render(&views, &gauges, NOW, &|_| None)
}

fn document(families: &BTreeMap<String, Family>) -> String {
    let mut out = INTRODUCTION.to_owned();
    out += "| label | values | of |\n|---|---|---|\n";
    // The same word can be another list elsewhere.
    let mut lists: BTreeMap<(&str, Vec<&str>), Vec<&str>> = BTreeMap::new();
    for (name, family) in families {
        for (label, values) in &family.labels {
            let open = OPEN.iter().any(|(open, _)| open == label);
            let values =
                if open { Vec::new() } else { values.iter().map(String::as_str).collect() };
            lists.entry((label, values)).or_default().push(name);
        }
    }
    for ((label, values), of) in &lists {
        let said = |value: &&str| {
            let more = SAID.iter().find(|(word, of, _)| word == value && of == label);
            more.map_or(format!("`{value}`"), |(_, _, said)| format!("`{value}` ({said})"))
        };
        let open = OPEN.iter().find(|(open, _)| open == label);
        let values = open.map_or_else(
            || values.iter().map(said).collect::<Vec<_>>().join(" "),
            |(_, said)| (*said).to_owned(),
        );
        let alone = lists.keys().filter(|(other, _)| other == label).count() == 1;
        let of: Vec<String> = of.iter().map(|name| format!("`{name}`")).collect();
        let of = if alone { String::new() } else { of.join(", ") };
        out += &format!("| `{label}` | {values} | {of} |\n");
    }
    out += "\n| metric | type | unit | labels | what it says |\n|---|---|---|---|---|\n";
    for (name, family) in families {
        let labels: Vec<String> = family.labels.keys().map(|label| format!("`{label}`")).collect();
        let help = family.help.replace('|', "\\|");
        let (kind, unit, labels) = (&family.kind, unit(name), labels.join(", "));
        out += &format!("| `{name}` | {kind} | {unit} | {labels} | {help} |\n");
    }
    out
}

#[test]
fn the_document_is_what_the_page_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/METRICS.md");
    let due = document(&families(&full_page()));
    if std::env::var_os("MADOGUCHI_WRITE_DOCS").is_some_and(|asked| asked == "1") {
        std::fs::write(path, &due).expect("the page is written");
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    let line = found.lines().zip(due.lines()).take_while(|(found, due)| found == due).count();
    assert!(
        found == due,
        "docs/METRICS.md is not what the program says, from line {}: MADOGUCHI_WRITE_DOCS=1 cargo test --test grafana document\n\
         found: {:?}\n  due: {:?}",
        line + 1,
        found.lines().nth(line),
        due.lines().nth(line),
    );
}

/// Names end with their unit, `_total` belongs to counters, each help is a sentence.
#[test]
fn names_and_helps_are_as_prometheus_wants_them() {
    for (name, family) in families(&full_page()) {
        let shown = format!("{name}: {family:?}");
        assert!(name.starts_with("madoguchi_"), "{shown}");
        assert_eq!(name.ends_with("_total"), family.kind == "counter", "{shown}");
        assert!(
            family.help.len() > 10 && family.help.ends_with('.') || name.ends_with("_info"),
            "{shown}"
        );
        for wrong in ["_ms", "_milliseconds", "_percent", "_minutes", "_kib"] {
            assert!(!name.contains(wrong), "{shown}");
        }
        assert!(!family.samples.is_empty(), "{shown}");
    }
}

/// A metric of calls, groups, lines, trunks and SIP is there with every label value before anything happened.
#[test]
fn every_closed_list_is_there_before_the_first_call() {
    let found = families(&full_page());
    let count = |name: &str| found[name].samples.len();
    assert_eq!(count("madoguchi_calls_total"), 22);
    assert_eq!(count("madoguchi_calls_today"), 11);
    assert_eq!(count("madoguchi_month_calls"), 11);
    assert_eq!(count("madoguchi_group_calls_total"), 11);
    assert_eq!(count("madoguchi_group_calls_waiting"), 1);
    assert_eq!(count("madoguchi_sip_requests_total"), 30);
    assert_eq!(count("madoguchi_sip_responses_total"), 12);
    assert_eq!(count("madoguchi_trunk_full_seconds_total"), 1);
    assert_eq!(count("madoguchi_desk_number_lines_limit"), 1);
    assert_eq!(count("madoguchi_tickets_state"), TargetState::ALL.len());
    assert_eq!(count("madoguchi_tickets_tries_failed_total"), TargetGauge::REASONS.len());
    let people: BTreeSet<&str> = ["0398765432", "山田", "佐藤", "2001"].into();
    let page = full_page();
    assert!(people.iter().all(|word| !page.contains(word)), "nobody is named");
}
