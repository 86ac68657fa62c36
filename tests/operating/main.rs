//! `madoguchi operating` as it is typed, over drawn months and past stores, against a recount by another program
//! (tests/operating/recount.py): every agent, half hour, day, group and number, to the millisecond.
#![allow(clippy::pedantic, clippy::disallowed_methods)]

mod draw;
#[path = "../support/folder.rs"]
mod folder;

use folder::{Folder, store};

use madoguchi::base::Mono;
use madoguchi::event::Entry;
use madoguchi::io::store::{Durability, Kind, Options, Store};
use madoguchi::simulate::{Faults, World};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

fn desk() -> Folder {
    Folder::new("operating", |plan| plan.replace("鈴木 一郎", "=HYPERLINK(1)"))
}

impl Folder {
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let run = Command::new(env!("CARGO_BIN_EXE_madoguchi"))
            .args(arguments)
            .current_dir(&self.0)
            .output()
            .expect("it runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (run.status.code().expect("an exit code"), text(run.stdout), text(run.stderr))
    }

    /// What `operating` says, as JSON.
    fn operating(&self, arguments: &[&str]) -> Value {
        let all = [&["operating", "--json", "--store", "desk.db"], arguments].concat();
        let (code, out, err) = self.run(&all);
        assert_eq!(code, 0, "{all:?}: {err}");
        serde_json::from_str(&out).expect("JSON")
    }
}

fn recount(folder: &Folder) -> Value {
    let (code, lines, err) = folder.run(&["events", "export", "desk.db"]);
    assert_eq!(code, 0, "{err}");
    let history = folder.file("history.jsonl", lines);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/operating/recount.py");
    let run = Command::new("python3").arg(script).arg(history).output().expect("python3");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    serde_json::from_slice(&run.stdout).expect("JSON")
}

const WORLDS: u64 = 12;
const STATES: [&str; 9] = [
    "talk",
    "hold",
    "other_call",
    "ringing",
    "wrap_up",
    "paused",
    "unreachable",
    "idle",
    "signed_out_talk",
];
const RINGS: [&str; 7] =
    ["answered", "missed", "refused", "caller_left", "taken_elsewhere", "unreachable", "withdrawn"];

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

/// One row of agents' figures against the recount. Tells its time.
fn same_work(found: &Value, due: &Value, what: &str) -> u64 {
    let of = |name: &str| number(&due[name]);
    for state in STATES {
        assert_eq!(number(&found["ms"][state]), of(state), "{what} {state}");
    }
    for ring in RINGS {
        assert_eq!(number(&found["rings"][ring]), of(&format!("rings_{ring}")), "{what} {ring}");
    }
    assert_eq!(number(&found["taken"]), of("taken"), "{what}");
    let signed_in: u64 = STATES[..8].iter().map(|state| of(state)).sum();
    assert_eq!(number(&found["signed_in_ms"]), signed_in, "{what}");
    let occupied = of("talk") + of("hold") + of("other_call") + of("wrap_up");
    let ready = signed_in - of("paused") - of("unreachable");
    let occupancy = &found["occupancy"];
    assert_eq!(
        (number(&occupancy["part"]), number(&occupancy["whole"])),
        (occupied, ready),
        "{what}"
    );
    let handled = of("talk") + of("hold") + of("wrap_up") + of("signed_out_talk");
    assert_eq!(number(&found["average_handling"]["sum_ms"]), handled, "{what}");
    signed_in
}

/// One row of calls against the recount. Tells how many were answered.
fn same_calls(found: &Value, due: &Value, what: &str) -> u64 {
    let of = |name: &str| number(&due[name]);
    let sum = |name: &str| number(&found[name]["sum_ms"]);
    assert_eq!(number(&found["offered"]), of("offered"), "{what}");
    assert_eq!(number(&found["answered"]), of("answered"), "{what}");
    assert_eq!(number(&found["service_level"]["part"]), of("in_time"), "{what}");
    assert_eq!(sum("average_speed_of_answer"), of("wait_ms"), "{what}");
    assert_eq!(number(&found["longest_wait_ms"]), of("longest_ms"), "{what}");
    assert_eq!(sum("average_hold"), of("hold_ms"), "{what} hold");
    assert_eq!(sum("average_talk"), of("talk_ms") - of("hold_ms"), "{what} talk");
    assert_eq!(sum("average_wrap_up"), of("wrap_up_ms"), "{what} after-call work");
    assert_eq!(sum("average_handling"), of("talk_ms") + of("wrap_up_ms"), "{what} handling");
    of("answered")
}

/// Every month and every cut. Tells the agents' time and the answered calls of all.
fn agrees(folder: &Folder) -> (u64, u64) {
    let recount = recount(folder);
    let (mut time, mut answered) = (0, 0);
    for (month, due) in recount.as_object().unwrap() {
        for (by, of_agents, of_calls) in [
            ("agent", Some("agents"), None),
            ("day", Some("days"), Some("day")),
            ("half_hour", Some("half_hours"), Some("half_hour")),
            ("group", None, Some("group")),
            ("number", None, Some("number")),
        ] {
            let answer = folder.operating(&[month, "--by", by]);
            let mut keys = std::collections::BTreeSet::new();
            let (mut time_of_rows, mut answered_of_rows) = (0, 0);
            for row in answer["rows"].as_array().unwrap() {
                let key = row["key"].as_str().unwrap();
                let what = format!("{month} {by} {key}");
                if let Some(name) = of_agents {
                    time_of_rows += same_work(&row["agents"], &due[name][key], &what);
                }
                if let Some(name) = of_calls {
                    answered_of_rows += same_calls(&row["calls"], &due["calls"][name][key], &what);
                }
                keys.insert(key.to_owned());
            }
            let listed =
                [of_agents.map(|name| &due[name]), of_calls.map(|name| &due["calls"][name])];
            for key in listed.into_iter().flatten().flat_map(|it| it.as_object().unwrap().keys()) {
                assert!(keys.contains(key), "{month} {by}: no row of {key}");
            }
            if of_agents.is_some() {
                assert_eq!(number(&answer["total"]["agents"]["signed_in_ms"]), time_of_rows);
            }
            if by == "day" {
                assert_eq!(answer["total"]["lines_full"]["ms"], due["full_ms"], "{month}");
                (time, answered) = (time + time_of_rows, answered + answered_of_rows);
            }
        }
    }
    (time, answered)
}

#[test]
fn drawn_months_are_counted_alike_by_another_program() {
    for seed in 0..4 {
        let folder = desk();
        store(&folder.0.join("desk.db"), draw::history(seed));
        let (time, answered) = agrees(&folder);
        assert!(
            time > 500 * 3_600_000 && answered > 500,
            "seed {seed}: {time} ms, {answered} calls"
        );
    }
}

/// Worlds of the simulator: the real rules with transfers, consultations, parks, crashes and a clock that is set.
#[test]
fn simulated_worlds_are_counted_alike_by_another_program() {
    let (mut held, mut other, mut wrapped) = (0, 0, 0);
    for seed in 0..WORLDS {
        let mut world = World::new(seed, Faults::drawn_from(seed));
        let close = Mono::ZERO + world.length();
        while let Some(at) = world.next_deadline().filter(|at| *at < close) {
            world.advance_to(at);
        }
        let folder = desk();
        let entries: Vec<Entry> = world.host().journal().entries().to_vec();
        let last = entries.last().expect("a history").at;
        store(&folder.0.join("desk.db"), entries);
        agrees(&folder);
        let day = madoguchi::view::written(last, chrono_tz::Asia::Tokyo);
        let total = folder.operating(&[&day[..7], "--by", "month"])["total"].clone();
        held += number(&total["agents"]["ms"]["hold"]);
        other += number(&total["agents"]["ms"]["other_call"]);
        wrapped += number(&total["calls"]["average_wrap_up"]["sum_ms"]);
    }
    assert!(
        held > 0 && other > 0 && wrapped > 0,
        "{held} {other} {wrapped}: nothing was looked at"
    );
}

#[test]
fn past_stores_are_counted_alike_by_another_program() {
    for name in ["1-journal", "2-flows", "3-subscriptions", "4-transfers"] {
        let folder = desk();
        let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/past/{name}.db.gz"));
        let unpacked = Command::new("gzip").arg("-dc").arg(packed).output().expect("gzip runs");
        let file = folder.file("desk.db", unpacked.stdout);
        let options = Options { kind: Kind::Demonstration, durability: Durability::Process };
        // Brought up to date, as at a start.
        let (store, replay) = Store::open(&file, options, |_| {}).unwrap();
        assert!(replay.entries.map(|block| block.unwrap().len()).sum::<usize>() > 300);
        assert!(store.close(Duration::from_secs(10)));
        let (time, answered) = agrees(&folder);
        assert!(time > 60_000 && answered > 5, "{name}: {time} ms, {answered} calls");
    }
}

#[test]
fn it_is_shown_as_text_and_as_a_sheet_with_its_definitions() {
    let folder = desk();
    store(&folder.0.join("desk.db"), draw::history(1));
    let (code, said, _) = folder.run(&["operating", "2026-10", "--by", "agent", "--lang", "en"]);
    assert_eq!(code, 0);
    assert!(said.starts_with("2026-10-01 to 2026-10-31 (Asia/Tokyo)\n"), "{said}");
    assert!(said.contains(
        "occupancy: (talk + hold + other calls + after-call work) ÷ (signed in − paused"
    ));
    let (_, said, _) =
        folder.run(&["operating", "2026-10-01", "--by", "half_hour", "--lang", "ja"]);
    assert!(said.contains("稼働率: （通話＋保留＋その他の通話＋後処理）÷"), "{said}");
    let (_, sheet, _) =
        folder.run(&["operating", "2026-10", "--by", "agent", "--csv", "--lang", "ja"]);
    assert!(
        sheet.starts_with("\u{feff}内線,氏名,サインインした人数,サインイン時間 秒,"),
        "{sheet}"
    );
    assert!(sheet.contains("2002,'=HYPERLINK(1),1,"), "{sheet}");
    assert_eq!(sheet.lines().count(), 12);
    assert_eq!(sheet.lines().count(), sheet.matches("\r\n").count());
    // A slice, and one agent's.
    let slice = folder.operating(&[
        "--from",
        "2026-10-01T09:00",
        "--to",
        "2026-10-01T11:00",
        "--by",
        "half_hour",
    ]);
    assert_eq!(slice["rows"].as_array().unwrap().len(), 4);
    let one = folder.operating(&["2026-10", "--by", "month", "--agent", "2003"]);
    let all = folder.operating(&["2026-10", "--by", "agent"]);
    assert_eq!(one["rows"][0]["agents"], all["rows"][2]["agents"]);
    for (wrong, why) in [
        (&["operating", "2026-10", "--by", "agent", "--group", "desk"][..], "by group or number"),
        (&["operating", "--from", "2026-10-01", "--to", "2026-09-01"], "not after the beginning"),
        (&["operating", "--from", "2026-10-01T09:10", "--to", "2026-10-02"], "from: neither a day"),
        (&["operating", "--from", "2026-10-01"], "--to"),
        (&["operating", "2026"], "a month or a day"),
        (&["operating", "2026-10", "--by", "week"], "half_hour, day"),
        (&["operating"], "required"),
    ] {
        let (code, _, err) = folder.run(&[wrong, &["--lang", "en"]].concat());
        assert!(code == 2 && err.contains(why), "{wrong:?}: {err}");
    }
}
