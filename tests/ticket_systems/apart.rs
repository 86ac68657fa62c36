//! What one system alone does, or what is wrong with one alone.

use crate::contract::PATIENCE;
use crate::folder::Folder;
use crate::redmine::Redmine;
use crate::rt::Rt;
use crate::system::{System, a_call, addition_of, run, ticket_of};
use crate::webhook::Webhook;
use crate::zammad::{CTI, Zammad};
use madoguchi::base::Private;
use madoguchi::event::Unfed;
use madoguchi::feed::Value;
use madoguchi::io::deliver::tickets::{
    RedmineConfig, RtConfig, SystemConfig, TicketSink, Unable, sink,
};
use serde_json::{Value as Json, json};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

fn way(config: SystemConfig) -> Box<dyn TicketSink> {
    sink(config).expect("a way")
}

/// What a probe says is wrong.
#[track_caller]
fn wrong(config: SystemConfig) -> String {
    match run(async { way(config).probe().await }) {
        Err(unable @ Unable::Misconfigured { .. }) => unable.to_string(),
        other => panic!("not misconfigured: {other:?}"),
    }
}

/// Ours, and a real one where there is one.
fn redmines() -> impl Iterator<Item = Redmine> {
    std::iter::once(Redmine::own()).chain(Redmine::real())
}

#[test]
fn a_probe_says_what_redmine_has_not_got() {
    for redmine in redmines() {
        // What fields an issue has is told by an issue.
        let ticket = ticket_of(a_call(), "電話", "x");
        run(async { redmine.sink(PATIENCE).create(&ticket).await }).expect("one");
        let with = |change: fn(&mut RedmineConfig)| {
            let mut config = redmine.config();
            change(&mut config);
            SystemConfig::Redmine(config)
        };
        let said = wrong(with(|it| it.project = "desk/../x?".into()));
        assert!(said.contains("no project desk/../x?"), "{said}");
        let said = wrong(with(|it| it.tracker = Some(99)));
        assert!(said.contains("no tracker 99"), "{said}");
        let said = wrong(with(|it| _ = it.fields.insert(Value::Call, 999)));
        assert!(said.contains("custom field 999"), "{said}");
        let said = wrong(with(|it| _ = it.fields.insert(Value::Agent, 998)));
        assert!(said.contains("no custom field 998"), "{said}");
        let said = wrong(with(|it| it.read.reported_at = Some("997".into())));
        assert!(said.contains("no custom field 997"), "{said}");
        let said = wrong(with(|it| it.read.reported_at = Some("reported".into())));
        assert!(said.contains("reported is no custom field's id"), "{said}");
        assert!(said.contains("[tickets]"), "{said}");
        let strange = with(|it| it.at.key = Private::new("x".into()));
        let refused = run(async { way(strange).probe().await }).expect_err("no key");
        assert_eq!(refused.unfed(), Unfed::Refused { status: 401 });
    }
}

#[test]
fn a_probe_says_what_request_tracker_has_not_got() {
    let older = Rt::own();
    older.own.as_ref().expect("ours").site.lock().unwrap().is_old = true;
    for rt in [older, Rt::own()].into_iter().chain(Rt::real()) {
        // Of an older one it is told by a ticket.
        let ticket = ticket_of(a_call(), "電話", "x");
        run(async { rt.sink(PATIENCE).create(&ticket).await }).expect("one");
        let with = |change: fn(&mut RtConfig)| {
            let mut config = rt.config();
            change(&mut config);
            SystemConfig::Rt(config)
        };
        let said = wrong(with(|it| it.queue = "Nowhere".into()));
        assert!(said.contains("no queue Nowhere"), "{said}");
        let said = wrong(with(|it| _ = it.fields.insert(Value::Agent, "agents".into())));
        assert!(said.contains("no custom field agents"), "{said}");
        let said = wrong(with(|it| _ = it.fields.insert(Value::Call, "x}' OR 1".into())));
        assert!(said.contains("without braces and quotes"), "{said}");
        let strange = with(|it| it.at.key = Private::new("x".into()));
        let refused = run(async { way(strange).probe().await }).expect_err("no token");
        assert_eq!(refused.unfed(), Unfed::Refused { status: 401 });
    }
}

#[test]
fn a_probe_says_what_zammad_has_not_got() {
    let zammad = Zammad::own();
    let with = |name: &str| {
        let mut config = zammad.config();
        config.fields.insert(Value::Agent, name.to_owned());
        SystemConfig::Zammad(config)
    };
    assert!(wrong(with("agent")).contains("no field agent"));
    assert!(wrong(with("a][b")).contains("no name of a ticket's field"));
}

#[test]
fn a_redmine_that_does_not_filter_by_the_call_opens_no_second_ticket() {
    for redmine in redmines() {
        let mut config = redmine.config();
        config.fields.insert(Value::Call, 999);
        let sink = way(SystemConfig::Redmine(config));
        run(async { sink.create(&ticket_of(a_call(), "電話", "x")).await }).expect("one");
        let found = run(async { sink.find(a_call()).await });
        assert!(matches!(found, Err(Unable::Misconfigured { .. })), "{found:?}");
    }
}

#[test]
fn the_notes_of_a_long_request_tracker_ticket_are_all_looked_through() {
    let rt = Rt::own();
    let (call, sink) = (a_call(), rt.sink(PATIENCE));
    let ticket = run(async { sink.create(&ticket_of(call, "電話", "x")).await }).expect("one");
    {
        let mut site = rt.own.as_ref().expect("ours").site.lock().unwrap();
        let texts = site.tickets[0]["texts"].as_array_mut().expect("texts");
        texts.extend((0..250).map(|it| json!(format!("{it}"))));
    }
    let step = addition_of(call, 9, "note", Some("最後"), &[]);
    run(async {
        sink.append(&ticket, &step).await.expect("added");
        assert!(sink.holds(&ticket, &step.key).await.expect("looked"));
        assert!(!sink.holds(&ticket, "another").await.expect("looked"));
    });
}

#[test]
fn zammads_caller_log_is_told_of_a_call_and_holds_nothing_up() {
    let zammad = Zammad::own();
    let mut config = zammad.config();
    config.cti = Some(Private::new(CTI.to_owned()));
    let sink = way(SystemConfig::Zammad(config.clone()));
    let call = a_call();
    let mut ticket = ticket_of(call, "電話", "x");
    ticket.values.insert(Value::Called, "0355500000".to_owned().into());
    ticket.values.insert(Value::Group, "desk".to_owned().into());
    ticket.values.insert(Value::Agent, "2001".to_owned().into());
    let more = [
        (Value::Called, "0355500000"),
        (Value::Agent, "2001"),
        (Value::Outcome, "answered_after_busy"),
    ];
    let note = addition_of(call, 9, "note", Some("x"), &more);
    let ended = addition_of(call, 10, "ended", Some("x"), &more);
    let name = run(async {
        let name = sink.create(&ticket).await.expect("opened");
        sink.append(&name, &note).await.expect("added");
        sink.append(&name, &ended).await.expect("added");
        name
    });
    let told = |kind: &str| {
        json!({
            "event": kind, "from": "81355501234", "to": "81355500000", "direction": "in",
            "callId": call.to_string(),
        })
    };
    let (mut new, mut answer, mut hangup) = (told("newCall"), told("answer"), told("hangup"));
    new["queue"] = json!("desk");
    for event in [&mut answer, &mut hangup] {
        event["user"] = json!("2001");
        event["answeringNumber"] = json!("2001");
    }
    hangup["cause"] = json!("normalClearing");
    assert_eq!(zammad.own.site.lock().unwrap().pushed, [new, answer, hangup]);

    config.cti = Some(Private::new("another end".to_owned()));
    let sink = way(SystemConfig::Zammad(config));
    run(async {
        sink.create(&ticket_of(a_call(), "電話", "x")).await.expect("opened all the same");
        sink.append(&name, &addition_of(call, 11, "ended", Some("y"), &more)).await.expect("added");
    });
    assert_eq!(zammad.own.site.lock().unwrap().pushed.len(), 3);
}

#[test]
fn a_receiver_may_have_names_of_its_own_for_tickets() {
    let webhook = Webhook::own();
    let call = a_call();
    let table: [(Json, String); 7] = [
        (json!("INC-0012"), "INC-0012".into()),
        (json!("受付 12"), "受付 12".into()),
        (json!("x".repeat(64)), "x".repeat(64)),
        (json!("x".repeat(65)), call.to_string()),
        (json!(""), call.to_string()),
        (json!("a\nb"), call.to_string()),
        (json!(12), call.to_string()),
    ];
    for (named, due) in table {
        webhook.own.site.lock().unwrap().named = Some(named.clone());
        let sink = webhook.sink(PATIENCE);
        let name = run(async { sink.create(&ticket_of(call, "電話", "x")).await }).expect("told");
        assert_eq!(name, due, "{named}");
        run(async { sink.append(&name, &addition_of(call, 9, "note", Some("x"), &[])).await })
            .expect("told");
    }
}

#[test]
fn a_file_has_the_steps_time_and_key_in_its_name() {
    for jsonl in [false, true] {
        let folder = Folder::own(jsonl);
        let (call, sink) = (a_call(), folder.sink(PATIENCE));
        run(async {
            sink.create(&ticket_of(call, "電話", "x")).await.expect("written");
            sink.append("", &addition_of(call, 9, "note", Some("x"), &[])).await.expect("written");
        });
        let end = if jsonl { "jsonl" } else { "csv" };
        let names: Vec<String> = folder
            .files()
            .iter()
            .map(|it| it.file_name().expect("a name").to_string_lossy().into_owned())
            .collect();
        let due = [
            format!("20261126T003000000Z_{call}_7_open.{end}"),
            format!("20261126T003009000Z_{call}_9_note.{end}"),
        ];
        assert_eq!(names, due);
        let mode = fs::metadata(&folder.files()[0]).expect("there").permissions().mode();
        assert_eq!(mode & 0o007, 0, "nobody else reads callers' numbers");
    }
}

#[test]
fn a_table_has_every_value_by_its_name_and_no_cell_that_a_spreadsheet_would_run() {
    let folder = Folder::own(false);
    let call = a_call();
    let mut ticket = ticket_of(call, "=1+1", "@x\n+y");
    ticket.values.insert(Value::Caller, "+81355501234".to_owned().into());
    run(async { folder.sink(PATIENCE).create(&ticket).await }).expect("written");
    let text = fs::read_to_string(&folder.files()[0]).expect("a file");
    let heading = text.trim_start_matches('\u{feff}').split("\r\n").next().expect("a heading");
    let names = Value::ALL.map(|(name, _)| name).join(",");
    assert_eq!(heading, format!("{names},kind,key,subject,text"));
    let row = Folder::row(&folder.files()[0]);
    assert_eq!(row["subject"], "'=1+1");
    assert_eq!(row["caller"], "'+81355501234");
    assert!(row["text"].starts_with("'@x\n+y\n[madoguchi "), "{}", row["text"]);
    assert_eq!((row["wait_s"].as_str(), row["kind"].as_str()), ("12", "open"));
    assert!(text.ends_with("\r\n"));
}

#[test]
fn half_a_file_is_never_seen_and_what_a_killed_daemon_left_is_written_over() {
    let folder = Folder::own(true);
    let (call, sink) = (a_call(), folder.sink(PATIENCE));
    let ticket = ticket_of(call, "電話", "x");
    let part = folder.path.join(format!(".20261126T003000000Z_{call}_7_open.jsonl.part"));
    fs::write(&part, "half a li").expect("written");
    assert_eq!(run(async { sink.find(call).await }).expect("looked"), [""; 0]);
    assert!(!run(async { sink.holds("", &ticket.key).await }).expect("looked"));
    run(async { sink.create(&ticket).await }).expect("written");
    run(async { sink.create(&ticket).await }).expect("written in its own place");
    assert!(!part.exists());
    assert_eq!(folder.files().iter().filter(|it| it.extension().is_some()).count(), 1);
    assert_eq!(folder.shown(call).len(), 1);
    // Taken away, it is known all the same.
    assert_eq!(run(async { sink.find(call).await }).expect("looked"), [call.to_string()]);
    assert!(folder.path.join("done").is_dir());
}

#[test]
fn a_folder_that_is_not_there_or_full_is_told_as_the_disks_fault() {
    let folder = Folder::own(false);
    let mut config = folder.config();
    config.path = folder.path.join("not there");
    let sink = way(SystemConfig::Folder(config.clone()));
    let ticket = ticket_of(a_call(), "電話", "x");
    let step = addition_of(a_call(), 9, "note", Some("x"), &[]);
    run(async {
        let all = [
            sink.probe().await.err(),
            sink.find(ticket.call).await.err(),
            sink.create(&ticket).await.err(),
            sink.holds("", &ticket.key).await.err(),
            sink.append("", &step).await.err(),
        ];
        for unable in all {
            let unable = unable.expect("nowhere to write");
            assert_eq!(unable.unfed(), Unfed::Disk, "{unable}");
            assert!(unable.to_string().contains("not there"), "{unable}");
        }
    });
    // A file where a folder is due refuses whoever writes, root as well.
    config.path = folder.path.join("file");
    fs::write(&config.path, "").expect("written");
    let sink = way(SystemConfig::Folder(config));
    let unable = run(async { sink.create(&ticket).await }).expect_err("no folder");
    assert_eq!(unable.unfed(), Unfed::Disk);
}

#[test]
fn on_a_full_disk_nothing_is_seen_and_the_room_is_given_back() {
    // The one file system of this machine that is always full.
    let full = PathBuf::from("/dev/full");
    if !full.exists() {
        return;
    }
    let folder = Folder::own(false);
    let (call, sink) = (a_call(), folder.sink(PATIENCE));
    let name = format!("20261126T003000000Z_{call}_7_open.csv");
    let part = folder.path.join(format!(".{name}.part"));
    std::os::unix::fs::symlink(&full, &part).expect("a link");
    let unable = run(async { sink.create(&ticket_of(call, "電話", "x")).await });
    let unable = unable.expect_err("no room");
    assert_eq!(unable.unfed(), Unfed::Disk, "{unable}");
    assert!(!folder.path.join(&name).exists() && fs::symlink_metadata(&part).is_err());
    run(async { sink.create(&ticket_of(call, "電話", "x")).await }).expect("room again");
}

#[test]
fn an_address_of_this_machine_is_not_connected_to_unless_configured() {
    let redmine = Redmine::own();
    let mut config = redmine.config();
    config.at.private = false;
    let unable = run(async { way(SystemConfig::Redmine(config)).probe().await });
    let unable = unable.expect_err("not allowed").to_string();
    assert!(unable.contains("127.0.0.1") && unable.contains("[tickets]"), "{unable}");
    assert_eq!(redmine.asked(), Some(0));
}
