//! Rules, alerts and configurations as Prometheus's own tools judge them.

use crate::document::full_page;
use crate::lint::folder;
use crate::prometheus::{configuration, tool};
use crate::support::process::Dir;

const RULES: [&str; 2] = ["madoguchi.rules.yml", "madoguchi.alerts.yml"];

fn read(name: &str) -> String {
    std::fs::read_to_string(folder().join("prometheus").join(name)).unwrap()
}

#[track_caller]
fn well(program: &str, arguments: &[&str], input: &str) {
    let (well, said) = tool(program, arguments, input);
    assert!(well, "{program} {arguments:?}:\n{said}");
}

#[test]
fn rules_and_configurations_are_ones() {
    well("promtool", &["check", "rules", RULES[0], RULES[1]], "");
    let dir = Dir::new("config");
    let token = dir.write("token", "0123456789abcdef0123456789abcdef\n");
    for rules in RULES {
        dir.write(rules, &read(rules));
    }
    let config = dir.write("prometheus.yml", &configuration(&token, &[]));
    well("promtool", &["check", "config", &config.display().to_string()], "");
    well("amtool", &["check-config", "alertmanager.yml"], "");
}

/// As docs/GRAFANA.md says it for a desk that `init` made: the lines are there, and only to be taken in.
#[test]
fn a_desk_that_serves_by_tls_can_be_scraped() {
    let dir = Dir::new("scheme");
    let token = dir.write("token", "0123456789abcdef0123456789abcdef\n");
    for rules in RULES {
        dir.write(rules, &read(rules));
    }
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let authority = dir.write("desk.pem", &made.cert.pem()).display().to_string();
    let authority = format!("      ca_file: {authority}");
    let lines = [
        ("    # scheme: https", "    scheme: https"),
        ("    # tls_config:", "    tls_config:"),
        ("    #   ca_file: /etc/prometheus/madoguchi-desk.pem", authority.as_str()),
        ("127.0.0.1:8080", "192.0.2.10:8443"),
    ];
    let text = configuration(&token, &lines);
    assert!(text.contains("\n    scheme: https\n    tls_config:\n      ca_file: /"), "{text}");
    let config = dir.write("prometheus.yml", &text);
    well("promtool", &["check", "config", &config.display().to_string()], "");
}

/// Every alert and every recorded figure has a test, and the tests find what they look for.
#[test]
fn every_alert_fires_when_it_is_due_and_not_before() {
    well("promtool", &["test", "rules", "madoguchi.test.yml"], "");
    let tests = read("madoguchi.test.yml");
    let names = |file: &str, key: &str| -> Vec<String> {
        let text = read(file);
        text.lines().filter_map(|line| line.trim().strip_prefix(key)).map(str::to_owned).collect()
    };
    let alerts = names(RULES[1], "- alert: ");
    assert!(alerts.len() > 20, "{alerts:?}");
    for alert in alerts {
        assert!(tests.contains(&format!("alertname=\"{alert}\"")), "{alert} has no test");
    }
    for figure in names(RULES[0], "- record: ") {
        assert!(tests.contains(&figure), "{figure} has no test");
    }
    // An alert that never fires is found.
    let dir = Dir::new("rules");
    let alerts =
        read(RULES[1]).replace("madoguchi_journal_failing == 1", "madoguchi_journal_failing == 2");
    dir.write(RULES[0], &read(RULES[0]));
    dir.write(RULES[1], &alerts);
    let tests = dir.write("madoguchi.test.yml", &tests);
    let (well, said) = tool("promtool", &["test", "rules", &tests.display().to_string()], "");
    assert!(!well && said.contains("MadoguchiJournalFailing"), "{said}");
}

#[test]
fn the_page_is_as_prometheus_wants_it() {
    well("promtool", &["check", "metrics"], &full_page());
    let (well, said) =
        tool("promtool", &["check", "metrics"], "# HELP a_ms A.\n# TYPE a_ms counter\na_ms 1\n");
    assert!(!well, "{said}");
}
