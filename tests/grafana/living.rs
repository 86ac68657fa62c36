//! A desk with callers, watched by a real Prometheus: every expression of every panel and rule has an answer, and
//! the figures are those of the call list, counted here.

use crate::document::full_page;
use crate::expr::{always_there, selectors};
use crate::lint::{panels, wrong};
use crate::page::families;
use crate::prometheus::{Prometheus, tool};
use crate::support::desk::{Desk, Setup};
use crate::support::line::Line;
use crate::support::message::sdp;
use crate::support::process::Dir;
use crate::support::sipp::Sipp;
use crate::support::{eventually, rest, s};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// The desk: one that may tell people outside, and that is to be registered with a carrier which is not there.
fn desk() -> (Desk, Dir) {
    use std::os::unix::fs::PermissionsExt;
    let dir = Dir::new("carrier");
    let password = dir.write("password", "secret-of-the-carrier\n");
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).unwrap();
    let password = password.display();
    // Both nobody's.
    let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let nobody = free.local_addr().unwrap();
    drop(free);
    let more = format!(
        "[warning]\nlink = \"https://desk.example/\"\nsmtp = \"{nobody}\"\nsmtp_tls = \"off\"\n\
         from = \"madoguchi@desk.example\"\nto = [\"manager@desk.example\"]\n\
         [[trunks]]\nname = \"away\"\nprofile = \"digest-trunk\"\nsources = [\"{nobody}\"]\nservers = [\"{nobody}\"]\n\
         domain = \"carrier.example\"\nuser = \"0312340010\"\npassword_file = \"{password}\"\noptions_every = \"0s\"\n"
    );
    (
        Desk::with(&Setup {
            more: &more,
            http: "viewer_token_file = \"secrets/viewer-token\"\n",
            ..Setup::default()
        }),
        dir,
    )
}

/// Calls with an outcome each; comes back when all are over.
fn call(desk: &Desk) {
    let call = |to: &str, from: &str| desk.caller(to).set("FROM", from);
    let agent = desk.agent("agent", 201).calls(2, 2).set("RING", 100).start();
    let slow = desk.agent("agent", 202).set("RING", 20_000).start();
    // At once: those who meet nobody, and one who is answered on the number with one line.
    let first = call("0312340011", "0351").set("STAY", 2_500).start();
    let mut others = vec![
        call("0312340090", "0352").set("STAY", 900).start(), // gives up in the queue
        call("0312340091", "0353").start(),                  // waits too long and is released
        call("0312340060", "0354").start(),                  // after hours
        call("0312340050", "0355").set("STAY", 700).start(), // leaves in the menu
        call("0312340070", "0356").start(),                  // information, not counted
        call("0312340030", "0357").set("PATIENCE", 1_000).start(), // leaves soon
    ];
    first.wait(1, "answered", s(8));
    let blocked = call("0312340011", "0358").start().done();
    assert_eq!(blocked.calls[&1].value("refused"), Some("486"), "{:?}", blocked.calls);
    others.push(call("0312340010", "0359").set("STAY", 1_500).start()); // answered after the busy announcement
    let mut line = Line::new(desk.trunk_port(), "0360", desk.sip);
    let (mut served, _) = line.connect("0312340050", &sdp(9, &[0, 101], "sendrecv"), s(3));
    let relay = "Content-Type: application/dtmf-relay\r\n";
    line.within(&mut served, "INFO", relay, "Signal=2\r\nDuration=160\r\n");
    line.bye_comes(&served, s(8));
    first.done();
    others.into_iter().for_each(|job: Sipp| drop(job.done()));
    agent.done();
    slow.done();
}

/// The call list, counted.
struct Counted {
    all: Vec<Value>,
}

impl Counted {
    fn of(&self, wanted: impl Fn(&Value) -> bool) -> f64 {
        self.all.iter().filter(|call| wanted(call)).count() as f64
    }

    fn came_to(&self, counted: bool) -> BTreeMap<String, f64> {
        let mut found = BTreeMap::new();
        for call in self.all.iter().filter(|call| call["counted"] == counted) {
            if let Some(outcome) = call["outcome"].as_str() {
                *found.entry(outcome.to_owned()).or_insert(0.0) += 1.0;
            }
        }
        found
    }
}

fn is_answered(call: &Value) -> bool {
    call["outcome"] == "answered" || call["outcome"] == "answered_after_busy"
}

/// Not nothing, by label.
fn by(prometheus: &Prometheus, expr: &str, labels: &[&str]) -> BTreeMap<Vec<String>, f64> {
    let rows = prometheus.ask(expr).unwrap_or_else(|e| panic!("{expr}: {e}"));
    let of =
        |row: &Value| labels.iter().map(|it| row[it].as_str().unwrap_or("").to_owned()).collect();
    rows.iter().filter(|(_, value)| *value != 0.0).map(|(row, value)| (of(row), *value)).collect()
}

#[track_caller]
fn near(found: f64, due: f64, what: &str) {
    assert!((found - due).abs() < 1e-6, "{what}: Prometheus has {found}, the list {due}");
}

#[test]
fn every_expression_has_an_answer_and_the_figures_are_those_of_the_call_list() {
    let began = Instant::now();
    let (desk, _carrier) = desk();
    let prometheus = Prometheus::watch(&desk);
    let seen = || prometheus.ask("madoguchi_calls_total").is_ok_and(|rows| rows.len() == 22);
    eventually("Prometheus scrapes the desk", s(20), seen);
    no_call_is_no_number(&prometheus);
    call(&desk);
    // One waits while it is looked at, and stays until the desk ends.
    let waits =
        desk.caller("0312340090").set("FROM", "0361").set("STAY", 120_000).within(s(130)).start();
    waits.wait(1, "answered", s(8));
    eventually("one call waits", s(8), || desk.metric("madoguchi_calls_waiting") == 1.0);
    let counted = Counted { all: desk.calls() };
    let arrived = counted.of(|call| call["counted"] == true);
    assert!(counted.all.len() >= 10, "{:#?}", counted.all);
    eventually("Prometheus has seen the last call", s(20), || {
        prometheus.one("madoguchi_calls_arrived_total") == arrived
            && prometheus.one("madoguchi_calls_waiting") == 1.0
    });
    // Three more scrapes: a rate looks back.
    rest(3_000);
    figures_are_those_of(&prometheus, &counted, &desk);
    the_page_is_the_documents(&desk);
    panels_have_answers(&prometheus, &desk);
    rules_have_answers(&prometheus);
    waits.stop();
    assert!(began.elapsed() < s(90), "{:?}", began.elapsed());
}

/// Before the first call: the ratios are NaN, which is a value, and no alert on calls is raised.
fn no_call_is_no_number(prometheus: &Prometheus) {
    for ratio in ["madoguchi_month_abandon_ratio", "madoguchi_month_busy_ratio"] {
        assert!(prometheus.one(ratio).is_nan(), "{ratio}");
        let missed = format!("{ratio} >= {}", ratio.replace("_ratio", "_limit_ratio"));
        assert_eq!(prometheus.ask(&missed), Ok(vec![]), "a comparison with NaN");
    }
}

fn figures_are_those_of(prometheus: &Prometheus, counted: &Counted, desk: &Desk) {
    for (name, is) in [("true", true), ("false", false)] {
        let due: BTreeMap<Vec<String>, f64> = counted
            .came_to(is)
            .into_iter()
            .map(|(outcome, count)| (vec![outcome], count))
            .collect();
        assert!(!due.is_empty(), "counted={name}");
        let expr = format!("madoguchi_calls_total{{counted=\"{name}\"}}");
        assert_eq!(by(prometheus, &expr, &["outcome"]), due, "{expr}");
        if is {
            let outcomes: BTreeSet<&str> = due.keys().map(|it| it[0].as_str()).collect();
            for outcome in [
                "answered",
                "answered_after_busy",
                "abandoned",
                "short_abandoned",
                "busy_released",
                "blocked",
                "closed",
                "menu_left",
                "menu_served",
            ] {
                assert!(outcomes.contains(outcome), "no call came to {outcome}: {outcomes:?}");
            }
            for expr in ["madoguchi_calls_today", "madoguchi_month_calls"] {
                assert_eq!(by(prometheus, expr, &["outcome"]), due, "{expr}");
            }
        }
    }
    let of = |wanted: &dyn Fn(&Value) -> bool| {
        counted.of(|call| call["counted"] == true && wanted(call))
    };
    let decided = |call: &Value| !call["outcome"].is_null();
    let offered = of(&|call| decided(call) && !call["wait_ms"].is_null());
    let wait_ms = |call: &Value| call["wait_ms"].as_f64().unwrap_or(0.0);
    let in_time = of(&|call| is_answered(call) && wait_ms(call) <= 20_000.0);
    let waited: f64 = counted.all.iter().filter(|call| is_answered(call)).map(wait_ms).sum();
    let answered = of(&is_answered);
    for (expr, due) in [
        ("madoguchi_calls_arrived_total", of(&|_| true)),
        ("madoguchi_calls_arrived_today", of(&|_| true)),
        ("madoguchi_calls_offered_total", offered),
        ("madoguchi_calls_offered_today", offered),
        ("madoguchi_calls_answered_within_target_total", in_time),
        ("madoguchi_calls_answered_within_target_ratio_today", in_time / offered),
        ("madoguchi_calls_answer_wait_seconds_total", waited / 1_000.0),
        ("madoguchi_calls_open", counted.of(|call| call["state"] != "ended")),
        ("madoguchi_calls_waiting", 1.0),
        ("sum(madoguchi_group_calls_waiting)", 1.0),
        ("madoguchi_group_calls_waiting{group=\"nobody\"}", 1.0),
        ("sum(madoguchi_desk_number_lines_in_use)", 1.0),
        ("madoguchi_desk_number_lines_in_use{number=\"0312340090\"}", 1.0),
        ("madoguchi_desk_number_lines_limit{number=\"0312340011\"}", 1.0),
        ("madoguchi_trunk_channels_in_use{trunk=\"carrier\"}", 1.0),
        ("madoguchi_group_agents_free{group=\"all\"}", 2.0),
        ("madoguchi_group_agents_free{group=\"nobody\"}", 0.0),
        ("madoguchi_trunk_registered", 0.0),
        ("sum(madoguchi_sip_requests_total{direction=\"in\",method=\"INVITE\"} > bool 9)", 1.0),
    ] {
        near(prometheus.one(expr), due, expr);
    }
    // An increase sees the first call of each kind, since each was there at 0; it extrapolates a little.
    for (outcome, due) in counted.came_to(true) {
        let grown = format!(
            "round(increase(madoguchi_calls_total{{counted=\"true\",outcome=\"{outcome}\"}}[60s]))"
        );
        near(prometheus.one(&grown), due, &grown);
    }
    // The mean is whole milliseconds.
    let mean = prometheus.one("madoguchi_calls_average_wait_seconds_today");
    assert!((mean - waited / answered / 1_000.0).abs() <= 0.001, "{mean}");
    assert!(prometheus.one("madoguchi_calls_longest_wait_seconds") > 1.0);
    assert!(
        prometheus.one("sum(madoguchi_sip_responses_total{class=\"4xx\",direction=\"out\"})")
            >= 1.0
    );
    assert!(prometheus.one("madoguchi_process_resident_memory_bytes") > 1e6);

    // By group, as the list and as the operating figures have it.
    let mut groups: BTreeMap<Vec<String>, f64> = BTreeMap::new();
    for call in counted.all.iter().filter(|it| it["state"] == "ended" && it["counted"] == true) {
        if let (Some(group), Some(outcome)) = (call["group"].as_str(), call["outcome"].as_str()) {
            *groups.entry(vec![group.to_owned(), outcome.to_owned()]).or_insert(0.0) += 1.0;
        }
    }
    assert!(groups.len() >= 5, "{groups:?}");
    assert_eq!(by(prometheus, "madoguchi_group_calls_total", &["group", "outcome"]), groups);
    let today = desk.get("/api/v1/service-level")["month"].as_str().expect("a month").to_owned();
    let sheet = desk.get(&format!("/api/v1/operating?month={today}&by=group"));
    let answered = by(
        prometheus,
        "sum by (group) (madoguchi_group_calls_total{outcome=~\"answered|answered_after_busy\"})",
        &["group"],
    );
    let rows = sheet["rows"].as_array().unwrap_or_else(|| panic!("{sheet:#}"));
    let rows = rows.iter().filter_map(|row| {
        let calls = row["calls"]["answered"].as_f64().filter(|count| *count > 0.0)?;
        Some((vec![row["key"].as_str()?.to_owned()], calls))
    });
    assert_eq!(answered, rows.collect(), "{sheet:#}");

    // The contract's rates, as the API has them.
    let level = desk.month();
    for (rate, of) in [("abandon", "abandon_rate"), ("busy", "busy_rate")] {
        let (part, whole) = (&level[of]["part"], &level[of]["whole"]);
        let (Some(part), Some(whole)) = (part.as_f64(), whole.as_f64()) else {
            panic!("{level:#}")
        };
        assert!(whole > 0.0, "{level:#}");
        near(prometheus.one(&format!("madoguchi_month_{rate}_ratio")), part / whole, rate);
        near(prometheus.one(&format!("madoguchi_calls_{rate}_ratio_today")), part / whole, rate);
    }
    assert_eq!(
        (&level["answered"], &level["offered"]),
        (&Value::from(answered.values().sum::<f64>() as u64), &Value::from(offered as u64)),
        "{level:#}"
    );
}

/// The living page has the metrics of the documented one, no more and no fewer, with the same words.
fn the_page_is_the_documents(desk: &Desk) {
    let page = desk.api("GET", "/metrics", "").body;
    let (living, written) = (families(&page), families(&full_page()));
    let names = |of: &BTreeMap<String, _>| of.keys().cloned().collect::<BTreeSet<String>>();
    assert_eq!(names(&living), names(&written));
    for (name, family) in &living {
        let due = &written[name];
        assert_eq!((&family.kind, &family.help), (&due.kind, &due.help), "{name}");
        let labels: BTreeSet<&String> = family.labels.keys().collect();
        assert_eq!(labels, due.labels.keys().collect(), "{name}");
    }
    let (well, said) = tool("promtool", &["check", "metrics"], &page);
    assert!(well, "{said}");
    // Callers' numbers are in no label.
    for caller in 351..=361 {
        assert!(!page.contains(&format!("0{caller}")), "0{caller} is on the page");
    }
}

/// No expression of a panel may be empty.
fn panels_have_answers(prometheus: &Prometheus, desk: &Desk) {
    let instance = desk.http.to_string();
    let (mut asked, mut wrong) = (0, Vec::new());
    for panel in panels() {
        for expr in &panel.exprs {
            let ask = expr
                .replace("$instance", &instance)
                .replace("$__rate_interval", "10s")
                .replace("$__range", "60s");
            assert!(!ask.contains('$'), "{ask}");
            asked += 1;
            match prometheus.ask(&ask) {
                Ok(rows) if !rows.is_empty() => {}
                other => {
                    wrong.push(format!("{}, {}: {ask}: {other:?}", panel.dashboard, panel.title))
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asked > 150, "{asked}");
}

/// Every rule is well, names what there is, and has an answer; alerts say what they are.
fn rules_have_answers(prometheus: &Prometheus) {
    let all = families(&full_page());
    let groups = prometheus.get("/api/v1/rules");
    let rules: Vec<&Value> = groups["groups"]
        .as_array()
        .expect("groups")
        .iter()
        .flat_map(|group| group["rules"].as_array().expect("rules"))
        .collect();
    let word = |it: &Value| it.as_str().unwrap_or_default().to_owned();
    let recorded: BTreeSet<String> =
        rules.iter().filter(|it| it["type"] == "recording").map(|it| word(&it["name"])).collect();
    assert!(recorded.len() >= 4 && rules.len() > 25, "{groups:#}");
    let mut raised = BTreeSet::new();
    for rule in rules {
        let (name, query) = (word(&rule["name"]), word(&rule["query"]));
        assert_eq!(rule["health"], "ok", "{name}: {rule:#}");
        for it in selectors(&query) {
            // What a desk says of itself is the words of its page; a trunk's name is not.
            if let Some(wrong) = wrong(&it, &all, &recorded) {
                panic!("{name}: {}: {wrong}", it.metric);
            }
            assert!(!it.matchers.contains_key("instance"), "{name}: of every desk");
        }
        let ask = if rule["type"] == "alerting" { always_there(&query) } else { query };
        let found = prometheus.ask(&ask);
        assert!(found.as_ref().is_ok_and(|rows| !rows.is_empty()), "{name}: {ask}: {found:?}");
        if rule["type"] != "alerting" {
            let found = prometheus.ask(&name);
            assert!(found.as_ref().is_ok_and(|rows| !rows.is_empty()), "{name} is not recorded");
            continue;
        }
        let severity = word(&rule["labels"]["severity"]);
        assert!(["critical", "warning", "info"].contains(&severity.as_str()), "{name}: {severity}");
        for key in ["summary", "summary_ja", "description", "description_ja", "look_at"] {
            assert!(word(&rule["annotations"][key]).len() > 8, "{name}: {key}");
        }
        if rule["alerts"].as_array().is_some_and(|alerts| !alerts.is_empty()) {
            raised.insert(name);
        }
    }
    // One abandoned of a handful is beyond the limit, and the carrier is not there; all else is well.
    let due: BTreeSet<String> =
        ["MadoguchiAbandonLimitMissed", "MadoguchiBusyLimitMissed", "MadoguchiTrunkDown"]
            .map(str::to_owned)
            .into();
    assert_eq!(raised, due);
}
