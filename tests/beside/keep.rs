//! The desk can be lost, and asked to forget: a backup made under calls is served from elsewhere with the same figures,
//! a person who asks is erased while calls go on, everything comes out in open forms.

use crate::support::desk::{Desk, Setup};
use crate::support::tape::{kept, recording_desk};
use crate::support::{eventually, rest, s};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

/// The program with the desk's own configuration.
fn run(desk: &Desk, words: &[&str]) -> Output {
    desk.command(words).output().expect("it runs")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn well(output: &Output) -> String {
    let (text, told) = (out(output), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{:?}: {text}{told}", output.status);
    text
}

/// `verify` of a store or a backup.
fn verified(desk: &Desk, path: &str) -> Value {
    serde_json::from_str(&out(&run(desk, &["verify", path, "--json"]))).expect("JSON")
}

fn modes(folder: &Path) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let mode = entry.metadata().unwrap().permissions().mode() & 0o077;
        found.push((entry.path().display().to_string(), mode));
        if entry.path().is_dir() {
            found.extend(modes(&entry.path()));
        }
    }
    found
}

/// Somebody wrote a mail, and it was entered by hand.
#[track_caller]
fn mailed(desk: &Desk, subject: &str) {
    let at = (chrono::Utc::now() - chrono::TimeDelta::seconds(5)).to_rfc3339();
    let mail = serde_json::json!({
        "channel": "mail", "subject": subject, "author": "佐藤", "received_at": at,
    });
    let entered = desk.api("POST", "/api/v1/incidents", &mail.to_string());
    assert!(entered.status < 300, "{} {}", entered.status, entered.body);
}

fn answered(desk: &Desk) -> usize {
    desk.calls().iter().filter(|call| call["outcome"] == "answered").count()
}

#[test]
fn a_backup_made_under_calls_is_served_from_an_empty_place_with_the_same_figures() {
    let desk = recording_desk("");
    let agent = desk.agent("agent", 201).calls(1_000, 100).set("RING", 20).set("TALK", 20_000);
    let agent = agent.within(s(120)).start();
    rest(200);
    let calls = desk.caller("0312340010").set("FROM", "0344").set("STAY", 4_000).calls(8, 2);
    let calls = calls.within(s(60)).start();
    eventually("calls come and go", s(20), || {
        desk.calls().iter().any(|call| call["recordings"][0]["state"] == "kept")
    });
    let made = well(&run(&desk, &["backup", "--to", "backup/first", "--recordings"]));
    assert!(made.contains("entries of history") && made.contains("secrets/accounts.tsv"), "{made}");
    calls.done();
    eventually("all are over", s(20), || {
        desk.calls().iter().all(|call| call["state"] == "ended") && desk.calls().len() == 8
    });

    // The copy is the journal as it stood at its last entry: so many entries, that hash, and the chain holds.
    let manifest = verified(&desk, "backup/first");
    assert_eq!(manifest["whole"], true, "{manifest:#}");
    let (seq, hash) = (&manifest["history"]["last_seq"], &manifest["history"]["last_hash"]);
    let anchor = format!("{seq}:{}", hash.as_str().unwrap());
    well(&run(&desk, &["verify", "store/madoguchi.db", "--expect", &anchor]));
    let copy = verified(&desk, "backup/first/history.db");
    assert_eq!(copy["entries"], manifest["history"]["entries"]);
    assert_eq!(copy["last"]["hash"], *hash);
    let folder = desk.dir().file("backup/first");
    assert!(modes(&folder).iter().all(|(_, others)| *others == 0), "{:?}", modes(&folder));
    // No secret of the desk is anywhere in it; the sums are read by a program of others.
    let secrets = [desk.token(), crate::support::desk::password("6001")];
    let found = other(&folder, &["grep", "-rlF", "-e", &secrets[0], "-e", &secrets[1], "."]);
    assert_eq!(out(&found), "", "a secret lies in the backup");
    let summed = other(&folder, &["sha256sum", "-c", "--quiet", "--strict", "SHA256SUMS"]);
    assert!(summed.status.success(), "{summed:?}");
    // Nothing but the sums lies beside what they list, also after it was read.
    assert_eq!(verified(&desk, "backup/first")["whole"], true);

    // A byte is another one, in each kind of file: it is named, and nothing is restored.
    for name in ["history.db", "recordings.jsonl", "files/plan.toml", "backup.json", "SHA256SUMS"] {
        let path = folder.join(name);
        let whole = std::fs::read(&path).unwrap();
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        let told = run(&desk, &["restore", "backup/first", "--into", "again/desk.db"]);
        assert_eq!(told.status.code(), Some(1), "{name}");
        let said = String::from_utf8_lossy(&told.stderr).into_owned();
        assert!(said.contains(name) && said.contains("nothing was written"), "{name}: {said}");
        assert!(!desk.dir().file("again/desk.db").exists());
        std::fs::write(&path, &whole).unwrap();
    }

    // Over the running desk's own store it does not come; nor over what is newer, once the desk is down.
    let over = run(&desk, &["restore", "backup/first", "--into", "store/madoguchi.db"]);
    assert!(
        String::from_utf8_lossy(&over.stderr).contains("a running Madoguchi has it"),
        "{over:?}"
    );
    well(&run(&desk, &["backup", "--to", "backup/second"]));
    let mut desk = desk;
    let (month, answers) = (desk.month(), answered(&desk));
    assert!(answers >= 1);
    assert_eq!(desk.stop(), Some(0));
    agent.stop();
    let over = run(&desk, &["restore", "backup/first", "--into", "store/madoguchi.db"]);
    let said = String::from_utf8_lossy(&over.stderr).into_owned();
    assert!(over.status.code() == Some(1) && said.contains("would be lost"), "{said}");
    assert!(said.contains("calls"), "it says what: {said}");

    // The disk is gone. What comes back from the second backup is served, and its figures are the same.
    std::fs::rename(desk.dir().file("store"), desk.dir().file("lost")).unwrap();
    std::fs::rename(desk.dir().file("recordings"), desk.dir().file("lost-recordings")).unwrap();
    let words = ["restore", "backup/second", "--into", "store/madoguchi.db"];
    let back = well(&run(&desk, &words));
    assert!(back.contains("not in the backup"), "{back}");
    desk.again();
    assert_eq!((answered(&desk), desk.calls().len()), (answers, 8));
    let again = desk.month();
    for key in ["arrived", "outcomes", "abandon_rate", "busy_rate", "answered_in_time", "policy"] {
        assert!(!month[key].is_null(), "{key}");
        assert_eq!(again[key], month[key], "{key}");
    }
    // The older one into another empty place, with its recordings: they are where the history says, to the byte.
    let words =
        ["restore", "backup/first", "--into", "again/desk.db", "--recordings-into", "again/sound"];
    well(&run(&desk, &words));
    let listed = std::fs::read_to_string(folder.join("recordings.jsonl")).unwrap();
    assert!(listed.lines().count() >= 1, "something was recorded: {listed}");
    for line in listed.lines() {
        let it: Value = serde_json::from_str(line).unwrap();
        let file = desk.dir().file("again/sound").join(it["file"].as_str().unwrap());
        let sum = Command::new("sha256sum").arg(&file).output().unwrap();
        assert!(out(&sum).starts_with(it["sha256"].as_str().unwrap()), "{it}");
    }
    let served = verified(&desk, "again/desk.db");
    assert_eq!(served["entries"], manifest["history"]["entries"]);
}

/// What another program says, run in a folder.
fn other(folder: &Path, words: &[&str]) -> Output {
    let (program, rest) = words.split_first().expect("a program");
    Command::new(program).args(rest).current_dir(folder).output().expect("it runs")
}

#[test]
fn a_person_who_asks_is_erased_while_calls_go_on_and_the_proof_says_so() {
    let desk = recording_desk("");
    let agent = desk.agent("agent", 201).calls(1_000, 100).set("RING", 20).set("TALK", 20_000);
    let agent = agent.within(s(120)).start();
    rest(200);
    // 0398765431 and 0311112221 by what the scenario adds.
    for from in ["039876543", "031111222"] {
        let job = desk.caller("0312340010").set("FROM", from).set("STAY", 3_500).within(s(20));
        job.start().done();
        kept(&desk, &format!("{from}1"));
    }
    let call = desk.over("0398765431")["call"].as_str().unwrap().to_owned();
    let note = r#"{"agent":"201","text":"折返しは 03-9876-5431、架空 花子様"}"#;
    let noted = desk.api("POST", &format!("/api/v1/calls/{call}/notes"), note);
    assert_eq!(noted.status, 204, "{}", noted.body);
    mailed(&desk, "０３－９８７６－５４３１の件");
    let month = desk.month();
    well(&run(&desk, &["backup", "--to", "backup/before", "--recordings"]));

    // Somebody else talks meanwhile.
    let talk = desk.caller("0312340010").set("FROM", "035555666").set("STAY", 6_000).start();
    talk.wait(1, "answered", s(5));
    let refused =
        ["erase", "--number", "0398765431", "--reference", "0398765431", "--author", "佐藤"];
    let told = run(&desk, &refused);
    assert_eq!(told.status.code(), Some(1));
    let words = [
        "erase",
        "--number",
        "03-9876-5431",
        "--reference",
        "個情-1",
        "--author",
        "佐藤",
        "--into",
        "proof.json",
    ];
    let said = well(&run(&desk, &words));
    assert!(said.contains("個情-1") && !said.contains("987654"), "{said}");
    talk.done();
    let proof = std::fs::read_to_string(desk.dir().file("proof.json")).unwrap();
    assert!(!proof.contains("9876"), "the proof says nothing of the person: {proof}");
    let proof: Value = serde_json::from_str(&proof).unwrap();
    assert_eq!(proof["calls"], serde_json::json!([call]), "{proof:#}");
    assert_eq!(proof["incidents"].as_array().unwrap().len(), 1, "{proof:#}");
    assert_eq!((&proof["found_again"], &proof["left"]), (&0.into(), &serde_json::json!([])));
    assert_eq!(proof["recordings"].as_array().unwrap().len(), 1, "{proof:#}");
    assert_eq!(proof["copies_emptied"], true);

    // It is nowhere: not in the store's files, not on a page, not among the recordings. The other caller is.
    let store = desk.dir().file("store");
    for text in ["0398765431", "03-9876-5431", "架空 花子", "０３－９８７６"] {
        let grep = Command::new("grep").args(["-rlaF", text]).arg(&store).output().unwrap();
        assert_eq!(out(&grep), "", "{text}");
    }
    let lost = desk.dir().file("recordings").join(proof["recordings"][0].as_str().unwrap());
    assert!(!lost.exists());
    let shown = desk.get(&format!("/api/v1/calls/{call}")).to_string();
    assert!(!shown.contains("9876") && shown.contains("erased"), "{shown}");
    let ledger = desk.get("/api/v1/incidents").to_string();
    assert!(!ledger.contains("９８７６"), "{ledger}");
    assert!(desk.call_of("0311112221").is_some());
    kept(&desk, "0311112221");

    // The chain holds, before and after; no figure moved.
    let anchor = |at: &Value| format!("{}:{}", at["seq"], at["hash"].as_str().unwrap());
    let (before, after) = (anchor(&proof["before"]), anchor(&proof["after"]));
    well(&run(&desk, &["verify", "store/madoguchi.db", "--expect", &before, "--expect", &after]));
    let again = desk.month();
    let count =
        |month: &Value, outcome: &str| month["outcomes"][outcome].as_u64().expect("counted");
    assert_eq!(count(&again, "answered"), count(&month, "answered") + 1, "who talked meanwhile");
    assert_eq!(count(&again, "abandoned"), count(&month, "abandoned"));
    let history = well(&run(&desk, &["events", "export", "store/madoguchi.db", "--private"]));
    assert!(history.contains("erased_on_request") && history.contains("個情-1"));
    assert!(!history.contains("0398765431"));
    assert!(history.contains("POST /api/v1/erasures"), "who ordered it stands in the history");
    agent.stop();

    // A backup made before has it still, which restoring says; the proof takes it out of there too.
    let words = ["restore", "backup/before", "--into", "again/desk.db"];
    assert!(well(&run(&desk, &words)).contains("erased again"));
    let holds = |text: &str| {
        let bytes = std::fs::read(desk.dir().file("again/desk.db")).unwrap();
        bytes.windows(text.len()).any(|part| part == text.as_bytes())
    };
    assert!(holds("0398765431"));
    well(&run(&desk, &["events", "erase", "again/desk.db", "--proof", "proof.json"]));
    assert!(!holds("0398765431") && holds("0311112221"));
    assert_eq!(verified(&desk, "again/desk.db")["whole"], true);
}

#[test]
fn everything_comes_out_in_open_forms_and_without_persons_unless_asked() {
    let desk = Desk::with(&Setup::default());
    let gone = desk.caller("0312340090").set("FROM", "034455667").set("STAY", 500).start().done();
    assert_eq!(gone.count("hung_up"), 1);
    desk.over("0344556671");
    mailed(&desk, "印刷できない");
    well(&run(&desk, &["export", "--into", "open"]));
    well(&run(&desk, &["export", "--into", "private", "--private"]));
    let read = |name: &str| std::fs::read_to_string(desk.dir().file(name)).unwrap();
    let persons = ["0344556671", "印刷できない"];
    for text in persons {
        assert_eq!(out(&other(desk.dir().path(), &["grep", "-rlF", text, "open"])), "", "{text}");
    }
    assert!(read("private/history.jsonl").contains(persons[0]));
    assert!(read("private/incidents.csv").contains(persons[1]));
    // Agents by name, callers who come first: a plan is no more for others than they are.
    assert!(!desk.dir().file("open/files").exists());
    assert!(read("private/files/plan.toml").contains("[agents]"));
    // The history is checked by a program of others, the tables are read by one.
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/history/chain.py");
    let chain =
        Command::new("python3").arg(script).arg(desk.dir().file("open/history.jsonl")).output();
    assert!(chain.as_ref().unwrap().status.success(), "{chain:?}");
    let table = "import csv,json,sys\nrows=list(csv.DictReader(open(sys.argv[1],encoding='utf-8-sig')))\n\
                 print(len(rows),rows[0]['outcome'],rows[0]['abandon'],json.load(open(sys.argv[2]))[0]['arrived'])";
    let words = ["python3", "-c", table, "open/calls.csv", "open/months.json"];
    let shown = out(&other(desk.dir().path(), &words));
    assert!(shown.starts_with("1 ") && shown.trim_end().ends_with(" 1"), "{shown}");
    let summed = other(&desk.dir().file("private"), &["sha256sum", "-c", "--quiet", "SHA256SUMS"]);
    assert!(summed.status.success(), "{summed:?}");
    // It becomes a desk again.
    well(&run(&desk, &["events", "import", "private/history.jsonl", "--into", "again/desk.db"]));
    assert_eq!(verified(&desk, "again/desk.db")["whole"], true);
}
