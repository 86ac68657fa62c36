//! Both stores are asked the same and answer the same; the same month is counted three ways.

use super::month::{self, CALLS};
use super::support::postgres::Postgres;
use super::support::process::Dir;
use super::support::s;
use super::{Follower, address, same_entries, write};
use madoguchi::base::{Rng, Wall};
use madoguchi::io::store::site::{SiteHistory, SitePhase};
use madoguchi::io::store::{Durability, Entries, Kind, Links, Options, Place, Selection, Store};
use madoguchi::view::{Policy, Setup, Views};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

fn views(place: &Place, policy: &Policy) -> Views {
    let mut views = Views::new(Setup {
        desk: "窓口".to_owned(),
        demonstration: false,
        timezone: chrono_tz::Asia::Tokyo,
        policy: policy.clone(),
        agents: Vec::new(),
    });
    for block in Entries::of(place).unwrap() {
        block.unwrap().iter().for_each(|entry| views.apply(entry));
    }
    views
}

/// The month as the program's fold has it, in the shape of the SQL function's answer.
fn folded(views: &Views) -> Value {
    let month = serde_json::to_value(views.service_level("2026-10".parse().unwrap())).unwrap();
    let counts = |of: &Value| -> Value {
        let all = of.as_object().unwrap().iter();
        all.filter(|(_, count)| **count != 0)
            .map(|(name, count)| (name.clone(), count.clone()))
            .collect()
    };
    json!({
        "arrived": month["arrived"], "undecided": month["undecided"], "left_out": month["left_out"],
        "excluded": month["excluded"]["arrived"], "outcomes": counts(&month["outcomes"]),
        "abandon_part": month["abandon_rate"]["part"], "abandon_total": month["abandon_rate"]["whole"],
        "busy_part": month["busy_rate"]["part"], "busy_total": month["busy_rate"]["whole"],
        "offered": month["offered"], "in_time": month["answered_in_time"]["part"],
        "longest_wait_ms": month["longest_wait_ms"],
    })
}

fn by_sql(server: &Postgres) -> Value {
    let text =
        "SELECT to_jsonb(m) FROM month_figures((SELECT max(id) FROM history), '2026-10') AS m";
    let mut all: Value = serde_json::from_str(&server.sql(text)).unwrap();
    all.as_object_mut().unwrap().remove("answer_wait_ms");
    all
}

fn by_python(file: &Path, policy: &Policy) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/site/recount.py");
    let settings = Value::Object(policy.settings().into_iter().collect()).to_string();
    let run = Command::new("python3")
        .arg(script)
        .arg(file)
        .args([&settings, "2026-10"])
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
    serde_json::from_slice(&run.stdout).unwrap()
}

#[test]
fn the_busiest_month_is_counted_three_ways_and_all_agree_to_the_call() {
    let dir = Dir::new("site-month");
    let server = Postgres::start();
    let policy = Policy::default();
    let file = dir.file("desk.db");
    let last = write(&file, month::history(1, &policy, CALLS));
    let follower = Follower::start(&file, last, address(&server, server.port));
    follower.level(s(120));
    drop(follower);
    same_entries(&file, &server);
    let local = views(&Place::File(file.clone()), &policy);
    let there = SiteHistory { address: address(&server, server.port), desk: "窓口".to_owned() };
    assert!(local == views(&Place::Site(there), &policy), "the two stores make other views");
    let due = folded(&local);
    assert!(due["arrived"].as_u64() > Some(9_000), "{due}");
    for outcome in
        ["answered", "answered_after_busy", "abandoned", "busy_released", "blocked", "failed"]
    {
        assert!(due["outcomes"][outcome].as_u64() > Some(20), "few {outcome}: {due}");
    }
    assert_eq!(by_sql(&server), due, "SQL");
    assert_eq!(by_python(&file, &policy), due, "Python");
}

#[test]
fn under_every_reading_of_the_contract_all_three_agree() {
    let server = Postgres::start();
    for round in 0..6 {
        let dir = Dir::new("site-policy");
        let policy = month::policy(&mut Rng::from_number(round));
        let file = dir.file("desk.db");
        let last = write(&file, month::history(40_000 + 1_000 * round, &policy, 400));
        let follower = Follower::start(&file, last, address(&server, server.port));
        follower.level(s(60));
        drop(follower);
        let due = folded(&views(&Place::File(file.clone()), &policy));
        assert_eq!(by_sql(&server), due, "SQL, {policy:?}");
        assert_eq!(by_python(&file, &policy), due, "Python, {policy:?}");
    }
}

/// A desk's configuration beside a store.
fn config(dir: &Dir, server: &Postgres) -> String {
    let named = |plan: String| {
        let name = plan.lines().find(|line| line.starts_with("name = ")).unwrap().to_owned();
        plan.replacen(&name, "name = \"窓口\"", 1)
    };
    super::folder::configure(dir.path(), named, &server.lines(server.port));
    dir.file("madoguchi.toml").display().to_string()
}

fn command(dir: &Dir, arguments: &[&str]) -> (i32, String, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_madoguchi"))
        .args(arguments)
        .current_dir(dir.path())
        .env("LC_ALL", "en_GB.UTF-8")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (run.status.code().unwrap(), text(run.stdout), text(run.stderr))
}

#[test]
fn every_command_says_of_the_sites_store_what_it_says_of_the_desks_own() {
    let dir = Dir::new("site-commands");
    let server = Postgres::start();
    let policy = Policy::default();
    let entries = month::history(60_000, &policy, 200);
    let last = write(&dir.file("desk.db"), entries);
    let config = config(&dir, &server);
    let (code, _, err) = command(&dir, &["verify", "site"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("has no tables"), "{err}");
    let (code, said, _) = command(&dir, &["site", "--json"]);
    assert_eq!(code, 2, "{said}");
    let follower = Follower::start(&dir.file("desk.db"), last, address(&server, server.port));
    follower.level(s(60));
    drop(follower);

    let site = format!("site:{config}");
    let list = |store: &[&str]| {
        command(&dir, &[&["calls", "--month", "2026-10", "--json"], store].concat())
    };
    let calls: Value = serde_json::from_str(&list(&[]).1).unwrap();
    let call = calls[0]["call"].as_str().unwrap().to_owned();
    for words in [
        vec!["calls", "--month", "2026-10", "--json"],
        vec!["calls", "--month", "2026-10", "--figure", "abandon", "--stands", "out"],
        vec!["explain", &call],
        vec!["explain", &call, "--callers", "--json"],
        vec!["service-level", "2026-10"],
        vec!["service-level", "2026-10", "--json"],
        vec!["report", "2026-10", "--no-pdf", "--into", "out"],
    ] {
        let mine = command(&dir, &words);
        let theirs = command(&dir, &[words.as_slice(), &["--store", "site"]].concat());
        assert!(mine.1.len() > 20, "{words:?}: {mine:?}");
        assert_eq!(mine, theirs, "{words:?}");
        let theirs = command(&dir, &[words.as_slice(), &["--store", &site]].concat());
        assert_eq!(mine, theirs, "{words:?}");
    }
    for more in [
        vec![],
        vec!["--private"],
        vec!["--call", &call],
        vec!["--from", "2026-10-05", "--until", "2026-10-09"],
    ] {
        let mine = command(&dir, &[&["events", "export", "desk.db"], more.as_slice()].concat());
        let theirs = command(&dir, &[&["events", "export", "site"], more.as_slice()].concat());
        assert!(mine.0 == 0 && mine == theirs, "{more:?}: {}", theirs.2);
    }
    let (code, said, _) = command(&dir, &["verify", "site", "--json"]);
    let (_, mine, _) = command(&dir, &["verify", "desk.db", "--json"]);
    assert_eq!((code, said), (0, mine));

    // One changed body there is found there.
    server.sql("UPDATE entry SET at_ms = at_ms + 1 WHERE seq = 17");
    let (code, said, _) = command(&dir, &["verify", "site"]);
    assert!(code == 1 && said.contains("17"), "{said}");
    server.sql("UPDATE entry SET at_ms = at_ms - 1 WHERE seq = 17");
    assert_eq!(command(&dir, &["verify", "site"]).0, 0);

    // Who looks after it is told how it stands.
    let (code, said, err) = command(&dir, &["site"]);
    assert!(code == 0 && said.contains("窓口") && said.contains(&last.to_string()), "{said}{err}");
}

#[test]
fn what_is_erased_at_the_desk_is_erased_in_the_sites_store_too() {
    let dir = Dir::new("site-erased");
    let server = Postgres::start();
    let file = dir.file("desk.db");
    let last = write(&file, month::history(70_000, &Policy::default(), 80));
    let texts = "SELECT count(*) FROM entry WHERE salt IS NOT NULL";
    let follower = Follower::start(&file, last, address(&server, server.port));
    follower.level(s(60));
    let before: u64 = server.sql(texts).parse().unwrap();
    assert!(before > 80, "{before}");
    drop(follower);
    let (code, said, err) =
        command(&dir, &["events", "erase", "desk.db", "--before", "2026-10-16"]);
    assert_eq!(code, 0, "{said}{err}");
    let follower = Follower::start(&file, last, address(&server, server.port));
    follower.level(s(60));
    drop(follower);
    same_entries(&file, &server);
    let after: u64 = server.sql(texts).parse().unwrap();
    assert!(after < before && after > 0, "{before} {after}");

    // What the running desk erases at night comes there while it runs.
    let options = Options { kind: Kind::Service, durability: Durability::Process };
    let (store, _) = Store::open(&file, options, |_| {}).unwrap();
    let follower = Follower::start(&file, last, address(&server, server.port));
    follower.level(s(60));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let until = Wall(month::OCTOBER + 23 * 86_400_000);
    let erased = runtime.block_on(store.eraser().run(until)).unwrap().erased;
    assert!(erased.calls > 0, "{erased:?}");
    super::eventually("it is followed", s(20), || {
        server.sql(texts).parse::<u64>().unwrap() + erased.entries == after
    });
    drop(follower);
    assert!(store.close(s(10)));
    same_entries(&file, &server);

    // The rest, in another file of the same history: one that was made of an exported one.
    let (_, lines, _) = command(&dir, &["events", "export", "desk.db", "--private"]);
    dir.write("history.jsonl", &lines);
    let (code, said, err) =
        command(&dir, &["events", "import", "history.jsonl", "--into", "new.db"]);
    assert_eq!(code, 0, "{said}{err}");
    let (code, said, err) = command(&dir, &["events", "erase", "new.db", "--before", "2027-01-01"]);
    assert_eq!(code, 0, "{said}{err}");
    let follower = Follower::start(&dir.file("new.db"), last, address(&server, server.port));
    follower.level(s(60));
    drop(follower);
    // Its texts have another form (an exported line's), and its chain is the same.
    assert_eq!(server.sql(texts), "0");
    assert_eq!(server.sql("SELECT count(*) FROM history"), "1");
    config(&dir, &server);
    let (code, theirs, err) = command(&dir, &["verify", "site", "--json"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(theirs, command(&dir, &["verify", "new.db", "--json"]).1);
}

#[test]
fn a_lost_journal_comes_back_from_the_sites_store_and_two_histories_are_not_mixed() {
    let dir = Dir::new("site-restored");
    let server = Postgres::start();
    let file = dir.file("desk.db");
    let entries = month::history(80_000, &Policy::default(), 60);
    let half = entries.len() / 2;
    write(&file, entries[..half].to_vec());
    std::fs::copy(&file, dir.file("backup.db")).unwrap();
    let last = write(&file, entries[half..].to_vec());
    config(&dir, &server);
    let follower = Follower::start(&file, last, address(&server, server.port));
    follower.level(s(60));
    drop(follower);

    // The backup was brought back, and the desk went on with it.
    let (_, whole, _) = command(&dir, &["verify", "desk.db", "--json"]);
    std::fs::rename(dir.file("backup.db"), &file).unwrap();
    let went_on = write(&file, entries[half..half + 3].to_vec());
    let follower = Follower::start(&file, went_on, address(&server, server.port));
    super::eventually(
        "it is seen",
        s(10),
        || matches!(follower.state().phase, SitePhase::Refused { why } if why.contains("another history")),
    );
    let (code, said, _) = command(&dir, &["site"]);
    assert!(code == 1 && said.contains("#1"), "{said}");

    // What was lost comes back as a store of its own …
    let (_, lines, _) = command(&dir, &["events", "export", "site", "--private"]);
    dir.write("history.jsonl", &lines);
    let (code, said, err) =
        command(&dir, &["events", "import", "history.jsonl", "--into", "lost.db"]);
    assert_eq!(code, 0, "{said}{err}");
    assert_eq!(command(&dir, &["verify", "lost.db", "--json"]).1, whole);
    // … and the history that went on is copied beside it, once somebody says so.
    let (code, said, err) = command(&dir, &["site", "set-aside", "1"]);
    assert_eq!(code, 0, "{said}{err}");
    follower.level(s(40));
    drop(follower);
    assert_eq!(
        server.sql("SELECT count(*), max(seq) FROM entry WHERE history = 2"),
        format!("{went_on}|{went_on}")
    );
    let of = |number: u32| {
        let (code, said, _) = command(&dir, &["verify", &format!("site#{number}"), "--json"]);
        assert_eq!(code, 0, "{said}");
        said
    };
    assert_eq!(of(1), whole);
    assert_ne!(of(2), whole);
    let selection = Selection::default();
    let whose = SiteHistory { address: address(&server, server.port), desk: "窓口".to_owned() };
    let links = Links::of(&Place::Site(whose), selection).unwrap();
    assert_eq!((links.kind(), links.last_seq()), (Kind::Service.name(), went_on as i64));
}
