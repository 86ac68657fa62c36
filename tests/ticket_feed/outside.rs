//! Ticket systems elsewhere: what they have is looked up in their own lists.

use crate::support::desk::{Desk, Setup};
use crate::support::process::Dir;
use crate::support::redmine::Redmine;
use crate::support::rt::{self, Rt};
use crate::support::{poll, rest, s};
use crate::{abandon, command, has_all, note, said, talk, target};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

/// A folder with the key of a ticket system.
fn key(text: &str) -> Dir {
    let dir = Dir::new("ticket-key");
    let file = dir.write("key", text);
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
    dir
}

fn desk(target: &str) -> Desk {
    let more = format!("[tickets]\nlink = \"https://desk.example\"\n[[tickets.targets]]\n{target}");
    Desk::with(&Setup { more: &more, ..Setup::default() })
}

const VALUES: [&str; 10] = [
    "caller",
    "called",
    "group",
    "agent",
    "outcome",
    "arrived_at",
    "wait_s",
    "talk_s",
    "hold_s",
    "wrap_up_s",
];

/// What the month's figures of tickets need, but for one field that a desk may add later.
fn redmine_target(redmine: &Redmine, key: &Dir) -> String {
    let fields = VALUES.map(|name| format!("{name} = {}", redmine.field(name))).join(", ");
    let read =
        ["escalated_at", "escalation_answered_at", "escalated_to", "reported_at", "exclusions"];
    let read = read.map(|name| format!("{name} = {}", redmine.field(name))).join(", ");
    format!(
        "name = \"redmine\"\nkind = \"redmine\"\nurl = \"{}\"\nkey_file = \"{}\"\nprivate = true\nread_every = \"1s\"\n\
         project = \"{}\"\ntracker = {}\nfields = {{ call = {}, {fields} }}\nread = {{ {read} }}\n",
        redmine.url(),
        key.file("key").display(),
        redmine.ids().project,
        redmine.ids().tracker,
        redmine.field("call_id"),
    )
}

fn rt_target(rt: &Rt, key: &Dir) -> String {
    let fields = VALUES.map(|name| format!("{name} = \"{name}\"")).join(", ");
    format!(
        "name = \"rt\"\nkind = \"rt\"\nurl = \"{}\"\nkey_file = \"{}\"\nprivate = true\nread_every = \"1s\"\n\
         queue = \"{}\"\nfields = {{ call = \"call_id\", {fields} }}\nread = {{ reported_at = \"reported_at\" }}\n",
        rt.url(),
        key.file("key").display(),
        rt::QUEUE,
    )
}

/// The notes of a ticket as they were written, in order: words and keys of ours.
fn words(texts: &[String]) -> Vec<String> {
    let ours = texts.iter().filter(|text| text.contains("[madoguchi "));
    let first = |text: &String| text.lines().next().unwrap_or_default().trim().to_owned();
    ours.map(first).collect()
}

/// Some calls with notes, the daemon and the ticket system killed in the middle of it: what each call's ticket
/// must say is told. `kill` kills the system and starts it again.
fn busy_morning(desk: &mut Desk, mut kill: impl FnMut()) -> BTreeMap<String, Vec<String>> {
    let mut due = BTreeMap::new();
    for n in 0..8_u32 {
        let from = format!("035{n}");
        let (call, mut texts) = if n % 4 == 1 {
            (talk(desk, &from), vec!["通話が終わりました。".to_owned()])
        } else {
            (abandon(desk, &from), vec![])
        };
        for which in ["一", "二"] {
            let text = format!("{which}: \"用紙\" <{n}> '切れ' 🖨");
            note(desk, &call, &text);
            texts.push(format!("メモ (6001): {text}"));
        }
        due.insert(call, texts);
        if n == 3 {
            kill();
        }
        if n == 2 || n == 6 {
            desk.kill();
            rest(300);
            desk.again();
        }
    }
    due
}

/// What is due, but for the word of the end, which stands in the ticket itself when that was opened behind it.
#[track_caller]
fn is_whole(call: &str, found: &[String], due: &[String]) {
    let ended = |text: &&String| text.starts_with("通話が終わりました");
    let notes =
        |texts: &[String]| texts.iter().filter(|it| !ended(it)).cloned().collect::<Vec<_>>();
    assert_eq!(notes(found), notes(due), "{call}: every note once, in order");
    assert!(found.iter().filter(ended).count() <= 1, "{call}: {found:?}");
    let keys: BTreeSet<_> = found.iter().collect();
    assert_eq!(keys.len(), found.len(), "{call}: nothing twice");
}

#[test]
fn a_real_redmine_has_one_ticket_of_every_call_with_its_notes_in_order_whoever_is_killed() {
    let mut redmine = Redmine::start();
    let secret = key(redmine.api_key());
    let mut desk = desk(&redmine_target(&redmine, &secret));
    let due = busy_morning(&mut desk, || {
        redmine.kill();
        rest(1_500);
        redmine.again();
    });
    has_all(&desk, 240);
    let issues = redmine.issues();
    assert_eq!(issues.len(), due.len(), "one ticket a call: {issues:#?}");
    for issue in &issues {
        let call = issue.fields.get("call_id").expect("the call's id");
        let texts: Vec<String> = issue.journals.iter().map(|it| it.notes.clone()).collect();
        is_whole(call, &words(&texts), due.get(call).expect("a call of ours"));
        let field = |name: &str| issue.fields.get(name).map(String::as_str).unwrap_or_default();
        let ladder = desk.get(&format!("/api/v1/calls/{call}"));
        let row = &ladder["call"];
        assert_eq!(field("outcome"), row["outcome"].as_str().unwrap(), "{call}");
        assert_eq!(field("agent"), row["agent"].as_str().unwrap_or_default(), "{call}");
        assert_eq!(field("called"), row["number"].as_str().unwrap(), "{call}");
        let talk_ms: u64 =
            row["talks"].as_array().unwrap().iter().filter_map(|it| it["length_ms"].as_u64()).sum();
        assert_eq!(field("talk_s"), ((talk_ms + 500) / 1_000).to_string(), "{call}");
        assert!(field("arrived_at").ends_with("+09:00"), "{call}: {}", field("arrived_at"));
        assert!(issue.subject.starts_with("電話 035"), "{}", issue.subject);
    }
    assert!(!desk.log().contains(redmine.api_key()), "no key in the log");

    // What a person does there comes back: escalated, answered, reported, closed.
    let issue = &issues[0];
    let arrived = issue.fields.get("arrived_at").expect("its arrival").as_str();
    let fields = [
        ("escalated_at", arrived),
        ("escalation_answered_at", arrived),
        ("escalated_to", "システム構築業者"),
        ("reported_at", arrived),
        ("technical", "はい"),
    ];
    let fields: Vec<Value> = fields
        .iter()
        .map(|(name, value)| serde_json::json!({"id": redmine.field(name), "value": value}))
        .collect();
    let body =
        serde_json::json!({"issue": {"status_id": redmine.ids().closed, "custom_fields": fields}});
    let answer =
        redmine.ask("PUT", &format!("/issues/{}.json", issue.id), &body.to_string()).unwrap();
    assert_eq!(answer.status, 204);
    let seen = poll(s(30), || told(&desk, |state| state["completed_at"].is_i64()));
    let seen = seen.unwrap_or_else(|| panic!("the ticket's end is not read: {}", desk.log()));
    assert_eq!(seen["event"]["ticket"], issue.id.to_string());
    let state = &seen["event"]["state"];
    assert_eq!(state["escalations"][0]["to"], "system_builder", "{seen:#}");
    assert_eq!(state["reported_at"], state["received_at"], "{seen:#}");
    assert_ne!(state["technical"], true, "that field is not read: {seen:#}");
    // And so into the month's figures, without a file in between.
    let plan = concat!(env!("CARGO_MANIFEST_DIR"), "/dialplans/demo.toml");
    let month = desk.get("/api/v1/service-level")["month"].as_str().unwrap().to_owned();
    let words = [
        "tickets", "figures", plan, "--from", "redmine", "--month", &month, "--hours", "year-end",
        "--json",
    ];
    let figures: Value = serde_json::from_slice(&command(&desk, &words).stdout).expect("JSON");
    assert_eq!(figures["tickets"], due.len(), "{figures:#}");
    assert_eq!(figures["figures"][2]["counted"][0]["id"], issue.id.to_string(), "{figures:#}");

    // A field that is read from now on is read of a ticket that nobody touches any more, too.
    redmine.aged(issue.id);
    let config = std::fs::read_to_string(desk.dir().file("madoguchi.toml")).unwrap();
    let reads = format!("read = {{ technical = {}, ", redmine.field("technical"));
    desk.dir().write("madoguchi.toml", &config.replace("read = { ", &reads));
    desk.process().signal("HUP");
    let seen = poll(s(30), || told(&desk, |state| state["technical"] == true));
    let seen = seen.unwrap_or_else(|| panic!("the old ticket is not read anew: {}", desk.log()));
    assert_eq!(seen["event"]["ticket"], issue.id.to_string());
}

/// The first that the history says of a ticket that stands so.
fn told(desk: &Desk, so: impl Fn(&Value) -> bool) -> Option<Value> {
    let store = desk.dir().file("store/madoguchi.db");
    let export =
        Command::new(crate::support::desk::binary()).args(["events", "export"]).arg(store).output();
    let log = export.expect("it runs");
    let text = String::from_utf8_lossy(&log.stdout).into_owned();
    let mut seen = text.lines().filter(|line| line.contains("ticket_seen"));
    seen.find_map(|line| {
        let entry: Value = serde_json::from_str(line).ok()?;
        so(&entry["event"]["state"]).then_some(entry)
    })
}

#[test]
fn a_real_request_tracker_has_one_ticket_of_every_call_with_its_notes_in_order_whoever_is_killed() {
    let mut rt = Rt::start();
    let secret = key(rt.token());
    let mut desk = desk(&rt_target(&rt, &secret));
    let due = busy_morning(&mut desk, || {
        rt.kill();
        rest(1_500);
        rt.again();
    });
    has_all(&desk, 300);
    let tickets = rt.tickets();
    assert_eq!(tickets.len(), due.len(), "one ticket a call: {tickets:#?}");
    for ticket in &tickets {
        let call = ticket.fields.get("call_id").expect("the call's id");
        let texts = ticket.transactions.iter().filter(|it| it.kind != "Create");
        let texts: Vec<String> = texts.filter_map(|it| it.text.clone()).collect();
        is_whole(call, &words(&texts), due.get(call).expect("a call of ours"));
    }
    assert!(!desk.log().contains(rt.token()), "no token in the log");
}

/// Files of the folder by call.
fn files(dir: &Dir) -> Vec<Value> {
    let mut names: Vec<_> =
        std::fs::read_dir(dir.path()).unwrap().map(|it| it.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|it| it == "jsonl"));
    names.sort();
    names
        .iter()
        .map(|path| serde_json::from_str(std::fs::read_to_string(path).unwrap().trim()).unwrap())
        .collect()
}

#[test]
fn a_folder_that_is_away_gets_everything_when_it_is_there_again_and_a_sheet_helps_meanwhile() {
    let (spool, away) = (Dir::new("spool"), Dir::new("spool-away"));
    let moved = away.file("moved");
    let target_text = format!(
        "name = \"spool\"\nkind = \"folder\"\nform = \"jsonl\"\npath = \"{}\"\n",
        spool.path().display()
    );
    let mut desk = desk(&target_text);
    let first = abandon(&desk, "0361");
    has_all(&desk, 20);
    assert_eq!(files(&spool).len(), 1);
    // The disk is away.
    std::fs::rename(spool.path(), &moved).unwrap();
    let second = talk(&desk, "0362");
    note(&desk, &second, "用紙切れ");
    let is_away = poll(s(20), || (target(&desk)["state"] == "away").then_some(()));
    assert!(is_away.is_some(), "{:#}", target(&desk));
    assert!(desk.metric("madoguchi_tickets_oldest_seconds") > 0.0);
    // Without the desk, too: a numbered sheet and a table of what is not there yet.
    desk.kill();
    let (sheet, csv) = (away.file("sheet.html"), away.file("sheet.csv"));
    let words = ["tickets", "outbox", "--target", "spool", "--sheet"];
    let (sheet_name, csv_name) = (sheet.display().to_string(), csv.display().to_string());
    let listed = command(&desk, &[&words[..], &[&sheet_name, "--csv", &csv_name]].concat());
    assert_eq!(listed.status.code(), Some(1), "{listed:?}");
    assert!(
        said(&listed).contains(&second) && !said(&listed).contains(&first),
        "{}",
        said(&listed)
    );
    let page = std::fs::read_to_string(&sheet).unwrap();
    assert!(page.contains("No. 1") && page.contains("03621") && !page.contains("No. 2"), "{page}");
    // On paper a person writes what was done; it is entered when the desk runs again, and once only.
    let table = std::fs::read_to_string(&csv).unwrap();
    let mut rows: Vec<Vec<String>> = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(table.trim_start_matches('\u{feff}').as_bytes())
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect())
        .collect();
    let column = |name: &str| rows[0].iter().position(|head| head == name).expect(name);
    let (note_at, by_at) = (column("note"), column("written_by"));
    rows[1][note_at] = "再起動で解消".to_owned();
    rows[1][by_at] = "佐藤".to_owned();
    let mut filled = csv::Writer::from_writer(Vec::new());
    rows.iter().for_each(|row| filled.write_record(row).unwrap());
    let filled =
        away.write("filled.csv", &String::from_utf8(filled.into_inner().unwrap()).unwrap());
    desk.again();
    let filled = filled.display().to_string();
    let import =
        ["tickets", "import", &filled, "--target", "spool", "--author", "佐藤", "--agent", "6001"];
    let entered = command(&desk, &import);
    assert!(entered.status.success() && said(&entered).contains("note"), "{entered:?}");
    let again = command(&desk, &import);
    assert!(said(&again).contains("the note was there"), "{again:?}");
    std::fs::rename(&moved, spool.path()).unwrap();
    let retried = command(&desk, &["tickets", "retry", "--target", "spool", "--author", "佐藤"]);
    assert!(retried.status.success(), "{retried:?}");
    has_all(&desk, 120);
    let of_second: Vec<Value> =
        files(&spool).into_iter().filter(|it| it["call"] == second.as_str()).collect();
    let texts: Vec<_> = of_second
        .iter()
        .filter(|it| it["kind"] == "note")
        .map(|it| it["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(of_second[0]["kind"], "open", "{of_second:#?}");
    assert_eq!(texts.len(), 2, "{of_second:#?}");
    assert!(
        texts[0].contains("用紙切れ") && texts[1].contains("再起動で解消\n記入: 佐藤"),
        "{texts:?}"
    );
    let tried = command(&desk, &["tickets", "try", &second, "--target", "spool"]);
    assert!(said(&tried).contains("has a ticket of this call"), "{tried:?}");
}
