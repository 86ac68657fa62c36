//! Without a ticket system the desk keeps a ledger of its own.

use crate::support::desk::Desk;
use crate::support::{poll, s};
use crate::{abandon, command, said, talk};
use serde_json::{Value, json};

fn incidents(desk: &Desk) -> Vec<Value> {
    desk.get("/api/v1/incidents")["incidents"].as_array().expect("a list").clone()
}

#[track_caller]
fn put(desk: &Desk, incident: &Value, body: &Value) -> u16 {
    desk.api("PUT", &format!("/api/v1/incidents/{incident}"), &body.to_string()).status
}

#[test]
fn every_call_that_reached_the_desk_is_in_the_ledger_and_the_figures_come_from_it() {
    let mut desk = Desk::start("desk.toml");
    let abandoned = abandon(&desk, "0351");
    let talked = talk(&desk, "0352");
    // Who hears after hours that the desk is closed has no incident.
    desk.caller("0312340060").set("FROM", "0353").start().done();
    let rows = incidents(&desk);
    let calls: Vec<_> = rows.iter().map(|row| row["call"].as_str().unwrap()).collect();
    assert_eq!(calls, [talked.as_str(), abandoned.as_str()], "the newest first");
    assert_eq!((&rows[0]["agent"], &rows[0]["outcome"]), (&"201".into(), &"answered".into()));
    assert_eq!((&rows[1]["caller"], &rows[1]["channel"]), (&"03511".into(), &"phone".into()));

    // An agent writes how it stands; another's writing meanwhile is not lost.
    let number = rows[0]["incident"].clone();
    let received = rows[0]["state"]["received_at"].as_i64().unwrap();
    let after = |ms: i64| (received + ms).to_string();
    let written = json!({
        "author": "佐藤", "subject": "印刷できない", "category": "プリンタ", "revision": 0,
        "escalations": [{"to": "system_builder", "at": after(100), "answered_at": after(400)}],
        "reported_at": after(200), "completed_at": after(700),
    });
    assert_eq!(put(&desk, &number, &written), 204);
    assert_eq!(put(&desk, &number, &written), 409, "it was written meanwhile");
    let mut early = written.clone();
    early["revision"] = 1.into();
    early["completed_at"] = after(-1_000).into();
    assert_eq!(put(&desk, &number, &early), 400, "nothing is completed before it was received");
    // Somebody wrote a mail.
    let mail = json!({"author": "佐藤", "subject": "共有フォルダ", "channel": "mail", "received_at": after(-5_000)});
    assert_eq!(desk.api("POST", "/api/v1/incidents", &mail.to_string()).status, 204);
    let three = poll(s(5), || Some(incidents(&desk)).filter(|rows| rows.len() == 3));
    let before = three.expect("the mail is in the ledger");
    assert_eq!(before.iter().filter(|row| row["revision"] == 1).count(), 2);

    // The same after a kill: the ledger is the history.
    desk.kill();
    desk.again();
    assert_eq!(incidents(&desk), before);

    // No. 1 to 4 by the command, counted from the ledger alone.
    // A plan that serves at all times, so that nothing is put off to the next morning.
    let plan = concat!(env!("CARGO_MANIFEST_DIR"), "/dialplans/demo.toml").to_owned();
    let month = desk.get("/api/v1/service-level")["month"].as_str().unwrap().to_owned();
    let words = [
        "tickets", "figures", &plan, "--from", "ledger", "--month", &month, "--hours", "year-end",
        "--json",
    ];
    let counted = command(&desk, &words);
    let figures: Value =
        serde_json::from_slice(&counted.stdout).unwrap_or_else(|_| panic!("{counted:?}"));
    assert_eq!(figures["tickets"], 3, "{figures:#}");
    let figure = |no: usize| &figures["figures"][no - 1];
    // Of three none was solved at first: one was escalated, two are open.
    assert_eq!(figure(1)["counted"].as_array().unwrap().len(), 3, "{figures:#}");
    // 700 ms, of which 300 ms were escalated; 100 ms; 200 ms.
    for (no, ms) in [(2, 400), (3, 100), (4, 200)] {
        assert_eq!(
            figure(no)["counted"],
            json!([{"id": number.to_string(), "as": "took", "ms": ms}]),
            "No. {no}"
        );
    }
    let none = command(
        &desk,
        &[
            "tickets", "figures", &plan, "--from", "nobody", "--month", &month, "--hours",
            "year-end",
        ],
    );
    assert_eq!(none.status.code(), Some(2));
    let err = String::from_utf8_lossy(&none.stderr);
    assert!(err.contains("knows no target nobody") && err.contains("ledger"), "{err}");
}

#[test]
fn a_desk_that_keeps_no_ledger_says_so() {
    let dir = crate::support::process::Dir::new("folder");
    let more = format!(
        "[tickets]\n[[tickets.targets]]\nname = \"spool\"\nkind = \"folder\"\npath = \"{}\"\n",
        dir.path().display()
    );
    let desk = Desk::with(&crate::support::desk::Setup { more: &more, ..Default::default() });
    let mail = json!({"author": "佐藤", "subject": "x", "channel": "mail", "received_at": "1790000000000"});
    let answer = desk.api("POST", "/api/v1/incidents", &mail.to_string());
    assert_eq!((answer.status, incidents(&desk).len()), (409, 0));
    let status = command(&desk, &["tickets", "status"]);
    assert!(said(&status).contains("spool (folder): ready"), "{status:?}");
}
