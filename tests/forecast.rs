//! Simulated months as a manager gets them: by the program, read again by its other commands.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("madoguchi-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn plan() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("dialplans/service-desk.toml").display().to_string()
}

/// The program in English: its exit code, what it prints, what it complains of.
fn madoguchi(words: &[&str]) -> (i32, String, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_madoguchi"))
        .args(words)
        .args(["--lang", "en"])
        .output()
        .unwrap();
    let [out, err] = [run.stdout, run.stderr].map(|text| String::from_utf8(text).unwrap());
    (run.status.code().unwrap(), out, err)
}

fn well(words: &[&str]) -> String {
    let (code, out, err) = madoguchi(words);
    assert_eq!(code, 0, "{words:?}: {err}{out}");
    out
}

const SCENARIO: &str = r#"
[calls]
month = 1500
day_spread = 0.1
[calls.half_hours]
"09:00" = 3
"10:30" = 2
"13:00" = 3
"16:00" = 1
[callers]
talk = { log_normal = { mean = "4m", cv = 0.7 } }
patience = { exponential = "2m" }
again = { share = 0.3, after = { exponential = "4m" } }
[agents]
wrap_up = { between = ["20s", "60s"] }
"#;

#[test]
fn a_simulated_month_is_a_history_that_is_verified_reported_and_predicted() {
    let folder = Folder::new("forecast");
    let (scenario, store) = (folder.file("scenario.toml"), folder.file("month.db"));
    std::fs::write(&scenario, SCENARIO).unwrap();
    let plan = plan();
    let month = [
        "simulate",
        &plan,
        "--scenario",
        &scenario,
        "--month",
        "2027-02",
        "--agents",
        "5",
        "--seed",
    ];
    let make = |store: &str, seed: &str| well(&[&month[..], &[seed, "--into", store]].concat());
    make(&store, "7");
    let (code, _, err) = madoguchi(&[&month[..], &["7", "--into", &store]].concat());
    assert!(code == 2 && err.contains("is there already"), "{err}");
    // A configuration that names the plan; the figures are read of the simulated store.
    let config = folder.file("madoguchi.toml");
    let secrets = PathBuf::from(folder.file("secrets"));
    std::fs::create_dir(&secrets).unwrap();
    let accounts = secrets.join("accounts.tsv");
    std::fs::write(&accounts, "2001\tonly for this test, of nobody\n").unwrap();
    std::fs::set_permissions(&accounts, std::fs::Permissions::from_mode(0o600)).unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/madoguchi.toml");
    let text = std::fs::read_to_string(example).unwrap();
    std::fs::write(&config, text.replace("\"service-desk.toml\"", &format!("{plan:?}"))).unwrap();
    // The same seed makes the same month, another another: calls with their ids, waits and outcomes.
    let whole = |store: &str| {
        assert!(well(&["verify", store]).contains("the history is whole"));
        well(&["calls", "--month", "2027-02", "--config", &config, "--store", store, "--json"])
    };
    let (again, other) = (folder.file("again.db"), folder.file("other.db"));
    make(&again, "7");
    make(&other, "8");
    assert_eq!(whole(&store), whole(&again));
    assert_ne!(whole(&store), whole(&other));
    let level = |words: &[&str]| {
        let (code, out, err) = madoguchi(words);
        assert!(code < 2, "{err}");
        serde_json::from_str::<serde_json::Value>(&out).unwrap_or_else(|_| panic!("{out}{err}"))
    };
    let judged =
        level(&["service-level", "2027-02", "--config", &config, "--store", &store, "--json"]);
    let arrived = judged["arrived"].as_u64().unwrap();
    assert!((1_300..2_200).contains(&arrived) && judged["undecided"] == 0, "{judged:#}");

    // The same by the other way of counting: the runs of `simulate`.
    let runs = level(&[&month[..], &["7", "--seeds", "1", "--json"]].concat());
    let part =
        |rate: &serde_json::Value| rate["part"].as_f64().unwrap() / rate["whole"].as_f64().unwrap();
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
    near(
        runs["total"]["calls"]["mean"].as_f64().unwrap(),
        f64::from(u32::try_from(arrived).unwrap()),
    );
    near(runs["total"]["abandon_rate"]["mean"].as_f64().unwrap(), part(&judged["abandon_rate"]));
    near(runs["total"]["busy_rate"]["mean"].as_f64().unwrap(), part(&judged["busy_rate"]));

    let calls = well(&["calls", "--month", "2027-02", "--config", &config, "--store", &store]);
    let id = calls.split(' ').next().unwrap();
    assert!(well(&["explain", id, "--config", &config, "--store", &store]).contains("outcome "));

    // The month's report says what the next one comes to: about as much again, since the same people come and are
    // there.
    let (into, report) = (folder.file("reports"), "report-2027-02.json");
    let words =
        ["report", "2027-02", "--config", &config, "--store", &store, "--into", &into, "--no-pdf"];
    assert!(madoguchi(&words).0 < 2);
    let text = std::fs::read_to_string(Path::new(&into).join(report)).unwrap();
    let made: serde_json::Value = serde_json::from_str(&text).unwrap();
    let next = &made["next_month"];
    assert_eq!((&next["month"], &next["based_on_calls"]), (&"2027-03".into(), &arrived.into()));
    let of = |what: &str, side: &str| next["expected"][what][side].as_f64().unwrap() / 100.0;
    let now = 100.0 * part(&judged["abandon_rate"]);
    let (low, mean, high) = (of("abandon", "low"), of("abandon", "mean"), of("abandon", "high"));
    assert!(low <= mean && mean <= high && (now - mean).abs() < 5.0, "{now}: {next:#}");
    // March has 22 service days where February had 18.
    assert!(of("calls", "mean") > 1.05 * f64::from(u32::try_from(arrived).unwrap()), "{next:#}");
    let mut without = words.to_vec();
    without.push("--no-forecast");
    assert!(madoguchi(&without).0 < 2);
    let text = std::fs::read_to_string(Path::new(&into).join(report)).unwrap();
    assert!(!text.contains("next_month"));

    // Under a plan that makes everybody wait behind one agent, the same calls come to something else.
    let lonely = folder.file("lonely.toml");
    let text = std::fs::read_to_string(&plan).unwrap();
    std::fs::write(&lonely, text.replace("agents = [\"2001-2010\"]", "agents = [\"2001\"]"))
        .unwrap();
    let (code, said, err) = madoguchi(&["diff", &plan, &lonely, "--history", &store, "--outcomes"]);
    let rate = |name: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(name));
        let line = line.unwrap_or_else(|| panic!("{code} {said}{err}"));
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap()
    };
    let (old, new) = (rate("old plan: "), rate("new plan: "));
    assert!(new > old + 10.0, "{said}");

    // What made it is found in it again, and with that it is predicted.
    let shown = well(&["simulate", &plan, "--history", &store, "--month", "2027-03", "--show"]);
    assert!(shown.contains("[callers.talk]") && shown.contains("[callers.patience]"), "{shown}");
    let said =
        level(&["validate", &plan, "2027-02", "--history", &store, "--seeds", "20", "--json"]);
    assert_eq!(said["abandon_rate"]["holds"], true, "{said:#}");
    assert_eq!(said["busy_rate"]["holds"], true, "{said:#}");
    let within = part(&said["half_hours_within"]);
    assert!(within > 0.9, "{within}: {said:#}");
}

#[test]
fn a_forecast_names_agents_by_half_hour_and_lines_and_draws_its_curve() {
    let folder = Folder::new("forecast-agents");
    let (scenario, picture) = (folder.file("scenario.toml"), folder.file("curve.svg"));
    std::fs::write(&scenario, SCENARIO).unwrap();
    let plan = plan();
    let words = [
        "forecast",
        &plan,
        "--scenario",
        &scenario,
        "--month",
        "2027-02",
        "--calls",
        "600",
        "--seeds",
        "10",
        "--picture",
        &picture,
    ];
    let out = well(&[&words[..], &["--json"]].concat());
    let said: serde_json::Value = serde_json::from_str(&out).unwrap();
    let enough = said["agents_all_day"].as_u64().unwrap();
    let curve = said["curve"].as_array().unwrap();
    assert_eq!(curve.last().unwrap()["agents"], enough);
    assert!(curve.last().unwrap()["months_within"].as_f64().unwrap() >= 0.95);
    let staffing = &said["by_half_hour"];
    assert!(staffing["reached"] == true, "{said:#}");
    let hours = |of: &serde_json::Value| of["agent_hours"].as_f64().unwrap();
    assert!(hours(staffing) < hours(curve.last().unwrap()), "{said:#}");
    assert!(said["lines"]["lines"].as_u64().unwrap() >= 1);
    assert!(said["lines"]["erlang_b"]["blocked"].as_f64().unwrap() < 0.5, "{said:#}");
    let drawn = std::fs::read_to_string(&picture).unwrap();
    assert!(drawn.starts_with("<svg") && drawn.contains("polyline"), "{drawn}");
}

#[test]
fn what_cannot_be_simulated_is_refused_with_its_place_and_what_is_due() {
    let folder = Folder::new("forecast-refused");
    let (plan, file) = (plan(), folder.file("scenario.toml"));
    for (text, due) in [
        ("[callers]\ntalk = \"soon\"\n", "line 2"),
        ("[callers]\ntalks = \"never\"\n", "unknown field"),
        ("[callers]\ntalk = { fixed = \"5\" }\n", "such as 90s"),
        ("[calls]\nmonth = -1\n", "calls.month is -1"),
        ("[calls.weekdays]\nmonday = 1\n", "due is mon"),
        ("[calls.half_hours]\n\"08:15\" = 1\n", "beginning of a half hour"),
        ("[calls.numbers]\n0311112222 = 1\n", "no desk number 0311112222"),
        ("[[shifts]]\nagents = 99\ntime = \"08:30-18:15\"\n", "99 agents are due"),
        ("[[shifts]]\nagents = [\"1999\"]\ntime = \"08:30-18:15\"\n", "no agent 1999"),
        ("[[shifts]]\nagents = 1\ntime = \"8-18\"\n", "no span of a day"),
    ] {
        std::fs::write(&file, text).unwrap();
        let (code, out, err) = madoguchi(&[
            "simulate",
            &plan,
            "--scenario",
            &file,
            "--month",
            "2027-02",
            "--seeds",
            "1",
        ]);
        assert!(code == 2 && err.contains(due), "{text}: {code} {err}{out}");
    }
    let csv = folder.file("calls.csv");
    std::fs::write(&csv, "date,half_hour,calls\n2027-02-01,08:30,4\n2027-02-01,09:10,4\n").unwrap();
    let words = ["simulate", &plan, "--month", "2027-02", "--seeds", "1", "--arrivals", &csv];
    let (code, _, err) = madoguchi(&words);
    assert!(code == 2 && err.contains("calls.csv:3:"), "{err}");
}
