//! The rules that dashboards are held to, over their JSON. Grafana itself reads them nowhere in these tests.

use crate::document::full_page;
use crate::expr::{Selector, selectors};
use crate::page::{Family, families};
use madoguchi::view::Policy;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub const DASHBOARDS: [&str; 6] =
    ["desk-now", "service-levels", "groups-agents", "lines-sip", "media-quality", "feed-host"];

/// The top folder of all that is written for Grafana and Prometheus.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("grafana")
}

/// One panel that asks something.
#[derive(Clone, Debug)]
pub struct Panel {
    pub dashboard: &'static str,
    pub title: String,
    pub kind: String,
    pub exprs: Vec<String>,
    pub value: Value,
}

impl Panel {
    fn said(&self) -> String {
        format!("{}: {}", self.dashboard, self.title)
    }

    fn unit(&self) -> &str {
        self.value["fieldConfig"]["defaults"]["unit"].as_str().unwrap_or_default()
    }

    fn steps(&self) -> Vec<f64> {
        let steps = self.value["fieldConfig"]["defaults"]["thresholds"]["steps"].as_array();
        steps.into_iter().flatten().filter_map(|step| step["value"].as_f64()).collect()
    }
}

pub fn dashboard(name: &str) -> Value {
    let path = folder().join("dashboards").join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// All panels but the rows, in their order.
pub fn panels() -> Vec<Panel> {
    let mut all = Vec::new();
    for dashboard in DASHBOARDS {
        let board = self::dashboard(dashboard);
        for value in board["panels"].as_array().expect("panels") {
            if value["type"] == "row" {
                continue;
            }
            let targets = value["targets"].as_array().expect("targets");
            let exprs = targets.iter().map(|target| text(&target["expr"]).to_owned()).collect();
            let (title, kind) = (text(&value["title"]).to_owned(), text(&value["type"]).to_owned());
            all.push(Panel { dashboard, title, kind, exprs, value: value.clone() });
        }
    }
    all
}

fn is_japanese(text: &str) -> bool {
    text.chars().any(|c| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}'))
}

/// The metric behind a series' name: a histogram is several.
pub fn family<'a>(
    all: &'a BTreeMap<String, Family>,
    series: &str,
) -> Option<(&'a str, &'a Family)> {
    let ends = ["_bucket", "_sum", "_count"];
    let base = ends.iter().find_map(|end| series.strip_suffix(end));
    let histogram =
        base.and_then(|base| all.get_key_value(base)).filter(|(_, it)| it.kind == "histogram");
    histogram.or_else(|| all.get_key_value(series)).map(|(name, it)| (name.as_str(), it))
}

/// What is asked of Prometheus's own.
const PROMETHEUS: &[&str] = &["up", "scrape_duration_seconds"];

/// What is wrong with a selector wherever it stands; `recorded` are the names of recording rules.
pub fn wrong(
    it: &Selector,
    all: &BTreeMap<String, Family>,
    recorded: &BTreeSet<String>,
) -> Option<&'static str> {
    if it.matchers.contains_key("le") {
        return Some("selects a bucket of a histogram: the bound is written in different ways");
    }
    if PROMETHEUS.contains(&it.metric.as_str()) || recorded.contains(&it.metric) {
        return it.range.is_some().then_some("a gauge under a range");
    }
    let Some((_, family)) = family(all, &it.metric) else { return Some("there is no such metric") };
    for (label, (operator, value)) in &it.matchers {
        if ["instance", "job"].contains(&label.as_str()) {
            continue;
        }
        let Some(known) = family.labels.get(label) else { return Some("there is no such label") };
        let mut words =
            if operator.contains('~') { value.split('|').collect() } else { vec![value.as_str()] };
        words.retain(|word| !known.contains(*word));
        if !words.is_empty() {
            return Some("there is no such label value");
        }
    }
    let counts = family.kind != "gauge";
    let by_rate = ["rate", "increase"].contains(&it.function.as_deref().unwrap_or_default());
    match (counts, by_rate && it.range.is_some()) {
        (true, false) => Some("a counter that is not under rate or increase"),
        (false, true) => Some("a gauge under rate or increase"),
        // Whether it moved, and how high it was: what a scrape saw once is not forgotten by the next.
        (false, false)
            if it.range.is_some()
                && !["changes", "max_over_time"]
                    .contains(&it.function.as_deref().unwrap_or_default()) =>
        {
            Some("a gauge under a range")
        }
        _ => None,
    }
}

fn recorded() -> BTreeSet<String> {
    let rules = std::fs::read_to_string(folder().join("prometheus/madoguchi.rules.yml")).unwrap();
    let names = rules.lines().filter_map(|line| line.trim().strip_prefix("- record: "));
    names.map(str::to_owned).collect()
}

#[test]
fn dashboards_are_stable_read_only_and_ask_the_source_that_is_chosen() {
    for name in DASHBOARDS {
        let board = dashboard(name);
        assert_eq!(text(&board["uid"]), format!("madoguchi-{name}"));
        assert_eq!(board["editable"], false, "{name}");
        assert!(board.get("id").is_none(), "{name}: an id belongs to one Grafana");
        assert!(is_japanese(text(&board["title"])), "{name}");
        let variables = board["templating"]["list"].as_array().expect("variables");
        assert_eq!(variables[0]["name"], "datasource", "{name}");
        assert_eq!(
            (&variables[0]["type"], &variables[0]["query"]),
            (&"datasource".into(), &"prometheus".into())
        );
        assert_eq!(variables[1]["name"], "instance", "{name}");
        let all = board["panels"].as_array().expect("panels");
        let ids: BTreeSet<u64> = all.iter().map(|it| it["id"].as_u64().expect("an id")).collect();
        assert_eq!(ids.len(), all.len(), "{name}: ids of panels");
        let mut taken: BTreeSet<(u64, u64)> = BTreeSet::new();
        for it in all {
            let at = |key: &str| it["gridPos"][key].as_u64().expect("a place");
            assert!(at("x") + at("w") <= 24 && at("w") > 0 && at("h") > 0, "{name}: {it}");
            for y in at("y")..at("y") + at("h") {
                for x in at("x")..at("x") + at("w") {
                    assert!(
                        taken.insert((x, y)),
                        "{name}: two panels at {x}, {y}: {}",
                        it["title"]
                    );
                }
            }
        }
    }
    let files = std::fs::read_dir(folder().join("dashboards")).unwrap().count();
    assert_eq!(files, DASHBOARDS.len(), "each is named here");
}

#[test]
fn every_panel_says_what_it_is_in_two_languages_and_in_which_unit() {
    let mut titles = BTreeSet::new();
    for panel in panels() {
        let said = panel.said();
        assert!(titles.insert(said.clone()), "{said}: twice");
        let (japanese, english) =
            text(&panel.value["description"]).split_once("\n\n").unwrap_or_else(|| {
                panic!("{said}: a description in Japanese, an empty line, and English")
            });
        assert!(is_japanese(japanese), "{said}: {japanese}");
        assert!(english.is_ascii() && english.len() > 9, "{said}: {english}");
        assert!(!panel.unit().is_empty(), "{said}: a unit");
        assert_eq!(panel.value["datasource"]["uid"], "${datasource}", "{said}");
        for target in panel.value["targets"].as_array().unwrap() {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{said}");
            assert!(!text(&target["refId"]).is_empty(), "{said}");
            let over_time = panel.kind == "timeseries";
            assert_eq!(target["range"] == true, over_time, "{said}");
            assert_eq!(target["instant"] == true, !over_time, "{said}");
            let several = panel.exprs.len() > 1 || panel.kind != "stat";
            assert!(!several || !text(&target["legendFormat"]).is_empty(), "{said}: a legend");
        }
        // What one metric alone is says its name.
        let base = |it: &Selector| it.metric.trim_end_matches("_today").to_owned();
        let one: BTreeSet<String> =
            panel.exprs.iter().flat_map(|e| selectors(e)).map(|s| base(&s)).collect();
        let plain = panel.exprs.iter().all(|expr| !expr.contains(['/', '-', '*', '(']));
        for name in one.iter().filter(|_| plain) {
            let due = match name {
                name if name.contains(":ratio") || name.ends_with("_ratio") => "percentunit",
                name if name.ends_with("_seconds") => "s",
                name if name.ends_with("_bytes") => "bytes",
                _ => continue,
            };
            assert_eq!(panel.unit(), due, "{said}");
        }
    }
    assert!(titles.len() > 100, "{}", titles.len());
}

#[test]
fn every_expression_is_of_the_chosen_desk_and_treats_counters_as_such() {
    let (all, recorded) = (families(&full_page()), recorded());
    for panel in panels() {
        assert!(!panel.exprs.is_empty(), "{}", panel.said());
        for expr in &panel.exprs {
            let said = format!("{}: {expr}", panel.said());
            let found = selectors(expr);
            assert!(!found.is_empty(), "{said}");
            for it in &found {
                if let Some(wrong) = wrong(it, &all, &recorded) {
                    panic!("{said}: {}: {wrong}", it.metric);
                }
                let of = it
                    .matchers
                    .get("instance")
                    .map(|(operator, value)| format!("{operator}{value}"));
                assert_eq!(of.as_deref(), Some("=$instance"), "{said}");
                let due = if panel.kind == "timeseries" { "$__rate_interval" } else { "$__range" };
                assert!(
                    it.range.as_deref().is_none_or(|range| range == due),
                    "{said}: due is [{due}]"
                );
            }
        }
    }
}

/// A limit of the contract is seen as one, and it is the one that the program has.
#[test]
fn panels_of_the_rates_show_their_limits() {
    let policy = Policy::default();
    let limits = [
        ("abandon_ratio", f64::from(policy.abandon_limit.percent) / 100.0),
        ("busy_ratio", f64::from(policy.busy_limit.percent) / 100.0),
    ];
    let mut seen = BTreeMap::new();
    for panel in panels() {
        for (rate, limit) in limits {
            if panel.exprs.iter().any(|expr| expr.contains(&format!("_{rate}"))) {
                assert!(panel.steps().contains(&limit), "{}: {limit}", panel.said());
                *seen.entry(rate).or_insert(0) += 1;
            }
        }
    }
    assert!(seen.len() == 2 && seen.values().all(|panels| *panels >= 4), "{seen:?}");
}

#[test]
fn the_first_dashboard_answers_what_a_manager_asks_in_that_order() {
    let all = panels();
    let now: Vec<&Panel> = all.iter().filter(|panel| panel.dashboard == "desk-now").collect();
    let place = |metric: &str| {
        let asks = |panel: &&Panel| {
            panel.kind != "timeseries" && panel.exprs.iter().any(|expr| expr.starts_with(metric))
        };
        now.iter().position(asks).unwrap_or_else(|| panic!("nothing asks {metric}"))
    };
    let order = [
        "madoguchi_calls_waiting{",
        "madoguchi_calls_longest_wait_seconds{",
        "madoguchi_calls_today{instance=\"$instance\",outcome=\"abandoned\"}",
        "madoguchi_month_abandon_ratio{",
        "madoguchi_month_busy_ratio{",
        "madoguchi_agents{",
    ];
    let places: Vec<usize> = order.iter().map(|metric| place(metric)).collect();
    assert!(places.is_sorted() && places[0] == 0, "{places:?}");
    let over_time = now.iter().position(|panel| panel.kind == "timeseries").expect("over time");
    assert!(places.iter().all(|at| *at < over_time), "what is now stands before what was");
}

/// Every metric of calls is shown somewhere; what is only told by a rule or a label is named here.
#[test]
fn every_metric_is_on_a_dashboard() {
    let all = families(&full_page());
    let shown: BTreeSet<&str> = panels()
        .iter()
        .flat_map(|panel| &panel.exprs)
        .flat_map(|expr| selectors(expr))
        .filter_map(|it| family(&all, &it.metric).map(|(name, _)| name))
        .collect();
    let missing: Vec<&String> = all.keys().filter(|name| !shown.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_rules_find_what_they_look_for() {
    let all = families(&full_page());
    let recorded: BTreeSet<String> = ["instance:x:y".to_owned()].into();
    let table = [
        ("madoguchi_calls_waiting", None),
        ("rate(madoguchi_calls_total[1m])", None),
        ("increase(madoguchi_media_mos_count[1m])", None),
        ("instance:x:y", None),
        ("madoguchi_calls_total", Some("a counter")),
        ("sum(madoguchi_calls_total)", Some("a counter")),
        ("delta(madoguchi_calls_total[1m])", Some("a counter")),
        ("madoguchi_media_mos_sum", Some("a counter")),
        ("rate(madoguchi_calls_waiting[1m])", Some("a gauge")),
        ("avg_over_time(madoguchi_calls_waiting[1m])", Some("a gauge")),
        ("max_over_time(madoguchi_calls_waiting[1m])", None),
        ("max_over_time(madoguchi_calls_total[1m])", Some("a counter")),
        ("rate(madoguchi_media_mos_bucket{le=\"4\"}[1m])", Some("selects a bucket")),
        ("madoguchi_calls_waitin", Some("there is no such metric")),
        ("madoguchi_agents{stat=\"idle\"}", Some("there is no such label")),
        ("madoguchi_agents{state=~\"idle|sleeping\"}", Some("there is no such label value")),
        ("instance:x:z", Some("there is no such metric")),
    ];
    for (expr, due) in table {
        let found = selectors(expr).iter().find_map(|it| wrong(it, &all, &recorded));
        assert!(
            found.is_some() == due.is_some() && found.unwrap_or("").starts_with(due.unwrap_or("")),
            "{expr}: {found:?}"
        );
    }
}
