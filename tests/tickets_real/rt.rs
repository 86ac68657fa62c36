//! Request Tracker 5.0: made, found by the call's id, commented, resolved, its history read, polled, killed.

use crate::support::rt::{QUEUE, Rt};
use crate::{call, encoded};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use std::time::Instant;

const CALLER: &str = "+81312345678";

fn new_ticket(call_id: &str) -> Value {
    json!({
        "Queue": QUEUE, "Subject": "電話 → 窓口", "Content": "一行目\n二行目 😀 <b>", "ContentType": "text/plain",
        "CustomFields": {"call_id": call_id, "caller": CALLER, "wait_s": "12"},
    })
}

/// Makes one; its number.
fn create(rt: &Rt, ticket: &Value) -> u64 {
    let answer = rt.ask("POST", "/ticket", &ticket.to_string()).unwrap();
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["id"].as_str().unwrap().parse().unwrap()
}

fn comment(rt: &Rt, id: u64, body: Value) -> Value {
    let answer = rt.ask("POST", &format!("/ticket/{id}/comment"), &body.to_string()).unwrap();
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

fn change(rt: &Rt, id: u64, body: Value) -> Value {
    let answer = rt.ask("PUT", &format!("/ticket/{id}"), &body.to_string()).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn read(rt: &Rt, path: &str) -> Value {
    let answer = rt.ask("GET", path, "").unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// Numbers of the tickets that a search finds.
fn found(rt: &Rt, search: &str) -> Vec<u64> {
    let answer = read(rt, &format!("/tickets?query={}&per_page=100", encoded(search)));
    let items = answer["items"].as_array().unwrap();
    items.iter().map(|it| it["id"].as_str().unwrap().parse().unwrap()).collect()
}

#[test]
fn rt_a_ticket_is_found_by_its_call_and_by_no_other() {
    let rt = Rt::start();
    let numbers: Vec<u64> = (1..=3).map(|n| create(&rt, &new_ticket(&call(n)))).collect();
    let by = |field: &str, value: &str| {
        found(&rt, &format!("Queue='Desk' AND CF.{{{field}}}='{value}'"))
    };
    assert_eq!(by("call_id", &call(2)), [numbers[1]]);
    assert_eq!(by("call_id", &call(9)), [0; 0]);
    // A field that it does not know finds nothing: no worse than Redmine's all, and as silent.
    assert_eq!(by("nothing", &call(2)), [0; 0]);
    assert_eq!(by("caller", CALLER), numbers);
    let quoted = create(&rt, &new_ticket("it's"));
    assert_eq!(by("call_id", "it\\'s"), [quoted]);
    change(&rt, numbers[0], json!({"Status": "resolved"}));
    let open =
        found(&rt, &format!("Queue='Desk' AND CF.{{caller}}='{CALLER}' AND Status='__Active__'"));
    assert_eq!(open, [numbers[1], numbers[2], quoted]);
    let broken = rt.ask("GET", &format!("/tickets?query={}", encoded("Queue =")), "").unwrap();
    assert_eq!(broken.status, 400, "{broken:?}");

    let truth = rt.tickets();
    assert_eq!(truth[1].fields["call_id"], call(2));
    assert_eq!(truth[1].subject, "電話 → 窓口");
}

#[test]
fn rt_comments_stand_in_the_order_in_which_they_were_written() {
    let rt = Rt::start();
    let id = create(&rt, &new_ticket(&call(1)));
    let note = |text: &str| json!({"Content": text, "ContentType": "text/plain"});
    comment(&rt, id, note("一\n二 😀"));
    comment(&rt, id, note("同じ"));
    comment(&rt, id, note("同じ"));
    let mut all = note("欄も");
    all["CustomFields"] = json!({"agent": "2001"});
    all["Status"] = "open".into();
    let said = comment(&rt, id, all);
    assert_eq!(said[0], "Comments added");
    assert_eq!(said.as_array().unwrap().len(), 3, "{said}");

    // As a client reads them: history for the order, attachments for the texts.
    let history = read(&rt, &format!("/ticket/{id}/history?fields=Type&per_page=100"));
    let texts =
        format!("/ticket/{id}/attachments?fields=TransactionId,ContentType,Content&per_page=100");
    let texts = read(&rt, &texts);
    let text = |transaction: &Value| {
        let mut items = texts["items"].as_array().unwrap().iter();
        items.find(|it| &it["TransactionId"] == transaction).map(|it| it["Content"].clone())
    };
    let steps = history["items"].as_array().unwrap();
    let read: Vec<(String, Option<String>)> = steps
        .iter()
        .map(|it| (it["Type"].as_str().unwrap().to_owned(), text(&it["id"])))
        .map(|(kind, text)| (kind, text.map(|text| text.as_str().unwrap().to_owned())))
        .collect();
    let comments: Vec<&str> = read
        .iter()
        .filter(|(kind, _)| kind == "Comment")
        .map(|(_, text)| text.as_deref().unwrap())
        .collect();
    assert_eq!(comments, ["一\n二 😀", "同じ", "同じ", "欄も"]);
    assert_eq!(read[0], ("Create".to_owned(), Some("一行目\n二行目 😀 <b>".to_owned())));
    // And as it is.
    let truth = rt.tickets().remove(0);
    let truth: Vec<_> = truth.transactions.into_iter().map(|it| (it.kind, it.text)).collect();
    assert_eq!(truth, read);
}

#[test]
fn rt_a_resolved_ticket_says_when_and_a_wrong_status_is_answered_by_200() {
    let rt = Rt::start();
    let id = create(&rt, &new_ticket(&call(1)));
    let said = change(&rt, id, json!({"Status": "nonsense"}));
    assert!(said[0].as_str().unwrap().contains("isn't a valid status"), "{said}");
    assert_eq!(read(&rt, &format!("/ticket/{id}"))["Status"], "new");
    change(&rt, id, json!({"Status": "resolved"}));
    assert_eq!(change(&rt, id, json!({"Status": "resolved"})), json!([]));
    let ticket = read(&rt, &format!("/ticket/{id}"));
    assert_eq!(ticket["Status"], "resolved");
    let resolved = ticket["Resolved"].as_str().unwrap();
    assert!(DateTime::parse_from_rfc3339(resolved).unwrap().timestamp() > 1_700_000_000);
    assert_eq!(rt.tickets()[0].status, "resolved");
    // A field that there is not is passed over in silence.
    assert_eq!(change(&rt, id, json!({"CustomFields": {"nothing": "1"}})), json!([]));
}

#[test]
fn rt_refusals_are_told_apart_by_status_and_words() {
    let rt = Rt::start();
    let id = create(&rt, &new_ticket(&call(1)));
    let (token, stranger) = (rt.ids().token.clone(), rt.ids().stranger_token.clone());
    let mut elsewhere = new_ticket(&call(2));
    elsewhere["Queue"] = "Nowhere".into();
    let note = json!({"Content": "x", "ContentType": "text/plain"}).to_string();
    let one = format!("/ticket/{id}");
    for (case, token, method, path, body, want) in [
        ("no such token", "1-31-wrong", "GET", "/tickets?query=id%3E0", "", 401),
        ("may nothing", &stranger, "GET", one.as_str(), "", 403),
        ("no such ticket", &token, "GET", "/ticket/99999", "", 404),
        ("no such queue", &token, "POST", "/ticket", &elsewhere.to_string(), 403),
        ("comments on none", &token, "POST", "/ticket/99999/comment", &note, 400),
        ("no JSON", &token, "POST", "/ticket", "{\"Queue\":", 400),
    ] {
        let answer = rt.ask_as(token, method, path, body).unwrap();
        assert_eq!(answer.status, want, "{case}: {answer:?}");
        assert!(answer.json()["message"].is_string(), "{case}: {answer:?}");
    }
    assert_eq!(rt.tickets().len(), 1);
    // Cut to 200 bytes without a word.
    let mut long = new_ticket(&call(3));
    long["Subject"] = "あ".repeat(100).into();
    create(&rt, &long);
    assert_eq!(rt.tickets()[1].subject, "あ".repeat(66));
}

#[test]
fn rt_what_changed_since_is_asked_in_the_zone_of_the_tokens_user() {
    let rt = Rt::start();
    let id = create(&rt, &new_ticket(&call(1)));
    let stamp =
        |text: &Value| DateTime::parse_from_rfc3339(text.as_str().unwrap()).unwrap().to_utc();
    let at = stamp(&read(&rt, &format!("/ticket/{id}"))["LastUpdated"]);
    // `Updated` asks the ticket's transactions, each with its own second: the last of them can lie before the ticket's.
    let history = read(&rt, &format!("/ticket/{id}/history?fields=Created&per_page=100"));
    let steps = history["items"].as_array().unwrap();
    let last_step = steps.iter().map(|it| stamp(&it["Created"])).max().unwrap();
    let in_tokyo = |at: DateTime<Utc>| {
        at.with_timezone(&chrono_tz::Asia::Tokyo).format("%Y-%m-%d %H:%M:%S").to_string()
    };
    let is_found = |name: &str, op: &str, at: &str| {
        found(&rt, &format!("Queue='Desk' AND {name} {op} '{at}'")) == [id]
    };
    let second = TimeDelta::seconds(1);
    for (name, at) in [("Updated", last_step), ("LastUpdated", at)] {
        let (before, then, after) = (in_tokyo(at - second), in_tokyo(at), in_tokyo(at + second));
        assert!(is_found(name, ">", &before), "{name}: a second before");
        assert!(!is_found(name, ">", &then), "{name}: not that second itself");
        assert!(is_found(name, ">=", &then), "{name}: but when asked so");
        assert!(!is_found(name, ">=", &after), "{name}: a second later");
    }
    // A zone in the text does not help: an hour later by UTC is taken for eight hours before.
    let hour = (at + TimeDelta::hours(1)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    assert!(is_found("LastUpdated", ">", &hour));
    // Nor is nonsense refused: it is 1970.
    assert!(is_found("LastUpdated", ">", "nonsense"));
}

#[test]
fn rt_what_it_accepted_is_there_after_it_was_killed() {
    let mut rt = Rt::start();
    let id = create(&rt, &new_ticket(&call(1)));
    rt.kill();
    assert!(rt.ask("GET", "/rt", "").is_err());
    assert_eq!(rt.tickets().len(), 1);
    rt.again();
    assert_eq!(found(&rt, &format!("Queue='Desk' AND CF.{{call_id}}='{}'", call(1))), [id]);
}

#[test]
fn rt_several_run_side_by_side_and_take_what_a_desk_brings() {
    let began = Instant::now();
    let (one, other) = (Rt::start(), Rt::start());
    eprintln!("two instances after {:?}", began.elapsed());
    let began = Instant::now();
    for _ in 0..10 {
        create(&one, &new_ticket(&call(7)));
    }
    eprintln!("{:.1} creates a second", 10.0 / began.elapsed().as_secs_f64());
    // It knows no uniqueness either.
    assert_eq!((one.tickets().len(), other.tickets().len()), (10, 0));
    assert_ne!(one.url(), other.url());
}
