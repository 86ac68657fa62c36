//! Redmine 5.0: made, found by the call's id, appended to, read back, closed, polled, killed.

use crate::support::redmine::Redmine;
use crate::{call, encoded};
use serde_json::{Value, json};
use std::time::Instant;

const CALLER: &str = "+81312345678";

fn new_issue(redmine: &Redmine, call_id: &str) -> Value {
    let ids = redmine.ids();
    json!({"issue": {
        "project_id": ids.project, "tracker_id": ids.tracker, "priority_id": ids.priority,
        "status_id": ids.open, "subject": "電話 → 窓口", "description": "一行目\n二行目 😀",
        "custom_fields": [
            {"id": redmine.field("call_id"), "value": call_id},
            {"id": redmine.field("caller"), "value": CALLER},
            {"id": redmine.field("wait_s"), "value": "12"},
            {"id": redmine.field("recording"), "value": "https://desk.example.invalid/recordings/1"},
        ],
    }})
}

/// Makes one; its number.
fn create(redmine: &Redmine, call_id: &str) -> u64 {
    let answer =
        redmine.ask("POST", "/issues.json", &new_issue(redmine, call_id).to_string()).unwrap();
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["issue"]["id"].as_u64().unwrap()
}

fn change(redmine: &Redmine, id: u64, issue: Value) {
    let body = json!({"issue": issue}).to_string();
    let answer = redmine.ask("PUT", &format!("/issues/{id}.json"), &body).unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{answer:?}");
}

fn read(redmine: &Redmine, path: &str) -> Value {
    let answer = redmine.ask("GET", path, "").unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// Numbers of the issues that a list names, and how many it says there are.
fn listed(redmine: &Redmine, query: &str) -> (Vec<u64>, u64) {
    let answer = read(redmine, &format!("/issues.json?{query}"));
    let issues = answer["issues"].as_array().unwrap();
    let numbers = issues.iter().map(|issue| issue["id"].as_u64().unwrap()).collect();
    (numbers, answer["total_count"].as_u64().unwrap())
}

#[test]
fn redmine_an_issue_is_found_by_its_call_and_by_no_other() {
    let redmine = Redmine::start();
    let numbers: Vec<u64> = (1..=3).map(|n| create(&redmine, &call(n))).collect();
    let field = redmine.field("call_id");
    let find = |value: &str| listed(&redmine, &format!("status_id=*&cf_{field}={value}"));
    assert_eq!(find(&call(2)), (vec![numbers[1]], 1));
    assert_eq!(find(&call(9)), (vec![], 0));
    // The trap: a filter that it does not know is no filter.
    let (all, total) = listed(&redmine, &format!("status_id=*&cf_999={}", call(2)));
    assert_eq!((all.len(), total), (3, 3));
    // A bare + is a space.
    let caller = redmine.field("caller");
    let open =
        |value: &str| listed(&redmine, &format!("status_id=open&cf_{caller}={value}&sort=id"));
    assert_eq!(open(&encoded(CALLER)), (numbers.clone(), 3));
    assert_eq!(open(CALLER), (vec![], 0));

    let truth = redmine.issues();
    assert_eq!(truth.len(), 3);
    assert_eq!(truth[1].fields["call_id"], call(2));
    assert_eq!(truth[1].fields["wait_s"], "12");
    assert_eq!(truth[1].description, "一行目\r\n二行目 😀");
}

#[test]
fn redmine_notes_stand_in_the_order_in_which_they_were_written() {
    let redmine = Redmine::start();
    let id = create(&redmine, &call(1));
    let agent = redmine.field("agent");
    change(
        &redmine,
        id,
        json!({"notes": "一\n二 😀 <b>", "custom_fields": [{"id": agent, "value": "2001"}]}),
    );
    change(&redmine, id, json!({"notes": "同じ"}));
    change(&redmine, id, json!({"notes": "同じ"}));
    // The same value again is no change.
    change(&redmine, id, json!({"custom_fields": [{"id": agent, "value": "2001"}]}));

    let said = read(&redmine, &format!("/issues/{id}.json?include=journals"));
    let journals = said["issue"]["journals"].as_array().unwrap();
    let notes: Vec<&str> = journals.iter().map(|it| it["notes"].as_str().unwrap()).collect();
    assert_eq!(notes, ["一\n二 😀 <b>", "同じ", "同じ"]);
    let truth = redmine.issues().remove(0).journals;
    assert_eq!(truth.iter().map(|it| it.notes.as_str()).collect::<Vec<_>>(), notes);
    assert_eq!(truth[0].details, [(agent.to_string(), Some("2001".to_owned()))]);
    assert!(truth.iter().all(|it| it.user == redmine.ids().user), "{truth:?}");
}

#[test]
fn redmine_a_closed_issue_says_when_and_is_hidden_from_who_does_not_ask_for_all() {
    let redmine = Redmine::start();
    let id = create(&redmine, &call(1));
    let ids = redmine.ids().clone();
    change(&redmine, id, json!({"status_id": ids.closed}));
    let issue = |()| read(&redmine, &format!("/issues/{id}.json"))["issue"].clone();
    let closed = issue(());
    assert_eq!(closed["status"]["is_closed"], true);
    let closed_on = closed["closed_on"].as_str().expect("a time").to_owned();
    assert!(closed_on.ends_with('Z') && closed_on.len() == 20, "{closed_on}");
    let by_call = format!("cf_{}={}", redmine.field("call_id"), call(1));
    assert_eq!(listed(&redmine, &by_call), (vec![], 0));
    assert_eq!(listed(&redmine, &format!("status_id=*&{by_call}")), (vec![id], 1));
    // Opened again, the time stays: only the status tells.
    change(&redmine, id, json!({"status_id": ids.working}));
    let again = issue(());
    assert_eq!(again["closed_on"], closed_on.as_str());
    assert_eq!(again["status"]["is_closed"], false);
    // A status that there is not is passed over in silence, with 204.
    change(&redmine, id, json!({"status_id": 99, "notes": "残る"}));
    let truth = redmine.issues().remove(0);
    assert_eq!((truth.status, truth.is_closed), (ids.working, 0));
    assert_eq!(truth.journals.last().unwrap().notes, "残る");
}

#[test]
fn redmine_refusals_are_told_apart_by_status_and_words() {
    let redmine = Redmine::start();
    let id = create(&redmine, &call(1));
    let ids = redmine.ids().clone();
    let one = format!("/issues/{id}.json");
    for (case, key, path, want) in [
        ("no such key", "wrong", "/issues.json", 401),
        ("nobody's member", ids.stranger_key.as_str(), one.as_str(), 403),
        ("no such issue", ids.api_key.as_str(), "/issues/99999.json", 404),
    ] {
        let answer = redmine.ask_as(key, "GET", path, "").unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (want, ""), "{case}");
    }
    let refused = |change: &dyn Fn(&mut Value), words: &str| {
        let mut body = new_issue(&redmine, &call(2));
        change(&mut body["issue"]);
        let answer = redmine.ask("POST", "/issues.json", &body.to_string()).unwrap();
        assert_eq!(answer.status, 422, "{answer:?}");
        let errors = answer.json()["errors"].to_string();
        assert!(errors.contains(words), "{errors}");
    };
    refused(&|issue| issue["project_id"] = "nowhere".into(), "プロジェクト");
    refused(&|issue| issue["project_id"] = ids.elsewhere_id.into(), "プロジェクト");
    refused(&|issue| issue["subject"] = "あ".repeat(256).into(), "255文字以内");
    refused(&|issue| issue["custom_fields"][2]["value"] = "abc".into(), "数値");
    assert_eq!(redmine.ask("POST", "/issues.json", "{\"issue\":").unwrap().status, 400);
    assert_eq!(redmine.issues().len(), 1);
    // Characters are counted, not bytes.
    let mut body = new_issue(&redmine, &call(2));
    body["issue"]["subject"] = "あ".repeat(255).into();
    assert_eq!(redmine.ask("POST", "/issues.json", &body.to_string()).unwrap().status, 201);
}

#[test]
fn redmine_what_changed_since_a_second_includes_that_second() {
    let redmine = Redmine::start();
    let id = create(&redmine, &call(1));
    let updated = |()| {
        let at = read(&redmine, &format!("/issues/{id}.json"))["issue"]["updated_on"].clone();
        at.as_str().unwrap().to_owned()
    };
    let since = |at: &str| {
        let at = encoded(&format!(">={at}"));
        listed(&redmine, &format!("status_id=*&updated_on={at}&sort=updated_on,id")).0
    };
    let first = updated(());
    assert_eq!(since(&first), [id]);
    let later = |at: &str, seconds: i64| {
        let at = chrono::DateTime::parse_from_rfc3339(at).unwrap().to_utc();
        (at + chrono::TimeDelta::seconds(seconds)).format("%Y-%m-%dT%H:%M:%SZ").to_string()
    };
    assert_eq!(since(&later(&first, 2)), [0; 0]);
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    change(&redmine, id, json!({"notes": "後から"}));
    assert_eq!(since(&later(&first, 2)), [id]);
    // Only whole seconds of UTC are understood.
    for refused in ["2026-10-01T09:00:00+09:00", "2026-10-01T00:00:00.000Z", "nonsense"] {
        let query = encoded(&format!(">={refused}"));
        let path = format!("/issues.json?status_id=*&updated_on={query}");
        assert_eq!(redmine.ask("GET", &path, "").unwrap().status, 422, "{refused}");
    }
}

#[test]
fn redmine_what_it_accepted_is_there_after_it_was_killed() {
    let mut redmine = Redmine::start();
    let id = create(&redmine, &call(1));
    redmine.kill();
    assert!(redmine.ask("GET", "/issues.json", "").is_err());
    assert_eq!(redmine.issues().len(), 1);
    redmine.again();
    let by_call = format!("status_id=*&cf_{}={}", redmine.field("call_id"), call(1));
    assert_eq!(listed(&redmine, &by_call), (vec![id], 1));
}

#[test]
fn redmine_the_same_call_twice_makes_two_issues_for_it_knows_no_uniqueness() {
    let redmine = Redmine::start();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| create(&redmine, &call(1)));
        }
    });
    let truth = redmine.issues();
    assert_eq!(truth.len(), 4);
    assert!(truth.iter().all(|issue| issue.fields["call_id"] == call(1)));
}

#[test]
fn redmine_several_run_side_by_side_and_take_what_a_desk_brings() {
    let began = Instant::now();
    let (one, other) = (Redmine::start(), Redmine::start());
    eprintln!("two instances after {:?}", began.elapsed());
    let began = Instant::now();
    for n in 0..30 {
        create(&one, &call(n));
    }
    eprintln!("{:.1} creates a second", 30.0 / began.elapsed().as_secs_f64());
    assert_eq!((one.issues().len(), other.issues().len()), (30, 0));
    assert_ne!(one.url(), other.url());
}
