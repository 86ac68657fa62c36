//! Ticket systems and the ledger over HTTP.

use super::{TOKEN, VIEWER, WALL, World, arrived, asked, entry, hung_up, id};
use crate::base::{CallId, Private, TargetId, Wall};
use crate::event::{
    CallEvent, Channel, Entry, Fact, FeedEvent, IncidentEvent, TicketEscalatedTo, TicketExclusion,
    Unfed,
};
use crate::io::http::{BoxFuture, Caller, Handover, TicketDoors};
use crate::pbx::api::Command;
use crate::view::{FeedRules, LEDGER, OutboxRow, TargetGauge, TargetState};
use serde_json::{Value, json};
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// A feeding that knows one call's ticket, and nobody.
#[derive(Default)]
pub(super) struct Fed {
    /// What was to be tried at once.
    again: Mutex<Vec<(TargetId, Option<CallId>)>>,
}

impl TicketDoors for Fed {
    fn again(&self, target: &TargetId, call: Option<CallId>) {
        self.again.lock().expect("whole").push((target.clone(), call));
    }

    fn preview(&self, _: TargetId, call: CallId) -> BoxFuture<Option<Handover>> {
        let known = (call == id(5)).then(|| Handover {
            key: "k".into(),
            subject: Private::new("電話".into()),
            text: Private::new("本文".into()),
            values: [].into(),
            fields: [].into(),
        });
        Box::pin(async move { known })
    }

    fn sheet(
        &self,
        _: TargetId,
        rows: Vec<OutboxRow>,
        csv: bool,
    ) -> BoxFuture<(&'static str, String)> {
        let rows = rows.len();
        Box::pin(async move {
            if csv {
                return ("text/csv", rows.to_string());
            }
            ("text/html", format!("<style>p{{}}</style>{rows}"))
        })
    }

    fn caller(&self, _: String) -> BoxFuture<Caller> {
        Box::pin(async { Caller::default() })
    }
}

const TOOL: &str = "tool";

fn feed(seq: u64, target: &str, call: Option<u64>, event: FeedEvent) -> Entry {
    let fact = Fact::Feed { target: target.into(), call: call.map(id), event };
    Entry { seq, at: Wall(super::MORNING), fact }
}

fn set(seq: u64, target: &str) -> Entry {
    feed(seq, target, None, FeedEvent::TargetSet { rules: FeedRules::default().written() })
}

fn answered(seq: u64, call: u64) -> Vec<Entry> {
    let answered = CallEvent::OperatorAnswered { agent: "2001".into() };
    vec![arrived(seq, call), asked(seq + 1, call), entry(seq + 2, call, 900, answered)]
}

/// A target that said no to call 5, and was not asked yet about call 6.
async fn stuck() -> World {
    let world = World::new().await;
    let mut entries = vec![set(1, TOOL)];
    entries.extend(answered(2, 5));
    let why = Unfed::Refused { status: 422 };
    entries.push(feed(5, TOOL, Some(5), FeedEvent::FeedGivenUp { step: 4, tries: 12, why }));
    entries.extend(answered(6, 6));
    world.feed(entries).await;
    world
}

fn at(call: u64, action: &str) -> String {
    format!("/api/v1/tickets/{TOOL}/outbox/{}/{action}", id(call).0)
}

/// What was ordered of the engine, in short.
fn ordered(world: &World) -> Vec<String> {
    let said = |command: &Command| match command {
        Command::Feed { target, call, event } => {
            let n = call.map(|call| if call == id(5) { 5 } else { 6 });
            let what = match &**event {
                FeedEvent::FeedRetried { author, .. } => format!("retried by {author}"),
                FeedEvent::FeedDiscarded { reason, author, .. } => {
                    format!("discarded by {author}: {reason}")
                }
                FeedEvent::FeedEdited { subject, text, author, .. } => {
                    let subject = subject.as_ref().map(Private::reveal);
                    format!("edited by {author}: {subject:?} {:?}", text.reveal())
                }
                FeedEvent::TicketAdopted { ticket, author, .. } => {
                    format!("{ticket} adopted by {author}")
                }
                other => panic!("{other:?}"),
            };
            format!("{target} {n:?} {what}")
        }
        other => panic!("{other:?}"),
    };
    world.commands.lock().expect("whole").iter().map(said).collect()
}

#[tokio::test]
async fn what_waits_for_a_person_is_listed_with_why_and_each_order_stands_in_the_history() {
    let world = stuck().await;
    world.gauges.lock().expect("whole").targets = vec![TargetGauge {
        target: TOOL.into(),
        kind: "redmine",
        state: TargetState::Barred,
        troubled: 1,
        failed: vec![("refused", 12)],
    }];
    let told = world.get("/api/v1/tickets").await.json();
    let row = &told["targets"][0];
    let found = ["target", "system", "state", "waiting", "stuck", "troubled"].map(|key| &row[key]);
    let due =
        [json!(TOOL), json!("redmine"), json!("barred"), json!(2), json!(1), json!(1)].map(|it| it);
    assert_eq!(found, due.each_ref(), "{row}");
    assert_eq!(row["failed"], json!({"refused": 12}));

    let outbox = format!("/api/v1/tickets/{TOOL}/outbox");
    let (all, only) =
        (world.get(&outbox).await.json(), world.get(&format!("{outbox}?stuck=true")).await.json());
    assert_eq!((&all["total"], &only["total"]), (&json!(2), &json!(1)));
    let one = &only["rows"][0];
    assert_eq!(one["call"], json!(id(5).0.to_string()));
    assert_eq!((&one["steps"], &one["caller"]), (&json!(["open"]), &json!("0398765432")));
    assert_eq!(one["stuck"]["tries"], 12);
    assert_eq!(one["stuck"]["why"], json!({"unfed": "refused", "status": 422}), "{one}");
    let one = world.get(&format!("{outbox}?limit=1")).await.json();
    assert_eq!((one["rows"].as_array().map(Vec::len), &one["total"]), (Some(1), &json!(2)));
    for wrong in ["?limit=0", "?limit=1001", "?stuck=2", "?page=2"] {
        assert_eq!(world.get(&format!("{outbox}{wrong}")).await.status(), 400, "{wrong}");
    }

    let orders = [
        ("retry", r#"{"author": "佐藤"}"#),
        ("edit", r#"{"author": "佐藤", "subject": "件名", "text": " 一行\r\n二行 "}"#),
        ("edit", r#"{"author": "佐藤", "text": "本文だけ"}"#),
        ("discard", r#"{"author": "佐藤", "reason": "重複"}"#),
        ("adopt", r#"{"author": "佐藤", "ticket": "4711"}"#),
    ];
    for (action, body) in orders {
        let answer = world.post(&at(5, action), body).await;
        assert_eq!(answer.status(), 204, "{action}: {}", answer.body);
    }
    let all = world.post(&format!("/api/v1/tickets/{TOOL}/retry"), r#"{"author": "佐藤"}"#).await;
    assert_eq!(all.status(), 204, "{}", all.body);
    // What is tried still is tried at once, which is no fact of the history.
    let again = world.post(&at(6, "retry"), r#"{"author": "佐藤"}"#).await;
    assert_eq!(again.status(), 204, "{}", again.body);
    let due = [
        "tool Some(5) retried by 佐藤",
        "tool Some(5) edited by 佐藤: Some(\"件名\") \"一行\\n二行\"",
        "tool Some(5) edited by 佐藤: None \"本文だけ\"",
        "tool Some(5) discarded by 佐藤: 重複",
        "tool Some(5) 4711 adopted by 佐藤",
        "tool Some(5) retried by 佐藤",
    ];
    assert_eq!(ordered(&world), due);
}

#[tokio::test]
async fn an_order_that_cannot_be_is_refused_and_says_what_is_due() {
    let world = stuck().await;
    let by = |more: &str| format!(r#"{{"author": "佐藤"{more}}}"#);
    let none = at(9, "retry");
    let elsewhere = at(5, "retry").replace(TOOL, "other");
    let table = [
        ("tried still", at(6, "edit"), by(r#", "text": "x""#), 409),
        ("no such action", at(5, "burn"), by(""), 400),
        ("no reason", at(5, "discard"), by(""), 400),
        ("a blank reason", at(5, "discard"), by(r#", "reason": "  ""#), 400),
        ("no words", at(5, "edit"), by(""), 400),
        ("a bell in the words", at(5, "edit"), by(r#", "text": "\u0007""#), 400),
        ("a subject of two lines", at(5, "edit"), by(r#", "text": "x", "subject": "a\nb""#), 400),
        ("no ticket", at(5, "adopt"), by(""), 400),
        ("too long a ticket", at(5, "adopt"), by(&format!(r#", "ticket": "{:065}""#, 0)), 400),
        ("nobody's order", at(5, "retry"), String::new(), 400),
        ("a bell where it is not asked for", at(5, "retry"), by(r#", "ticket": "\u0007""#), 400),
        (
            "a ticket for all",
            format!("/api/v1/tickets/{TOOL}/retry"),
            by(r#", "ticket": "7""#),
            400,
        ),
        ("what is not known", at(5, "retry"), by(r#", "why": "x""#), 400),
        ("nothing waits of it", none, by(""), 404),
        ("no call's id", format!("/api/v1/tickets/{TOOL}/outbox/9/retry"), by(""), 400),
        ("no such target", elsewhere, by(""), 404),
        ("no such target", "/api/v1/tickets/other/retry".to_owned(), by(""), 404),
    ];
    for (case, path, body, due) in table {
        let answer = world.post(&path, &body).await;
        assert_eq!(answer.status(), due, "{case}: {path} {}", answer.body);
        assert!(answer.json()["error"].is_string(), "{case}");
    }
    assert!(world.commands.lock().expect("whole").is_empty(), "nothing was ordered");
    for path in ["outbox", "sheet", &format!("outbox/{}", id(5).0)] {
        let answer = world.get(&format!("/api/v1/tickets/other/{path}")).await;
        assert_eq!(answer.status(), 404, "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn who_has_a_ticket_already_gets_no_other_and_the_same_twice_is_no_fault() {
    let world = stuck().await;
    let opened =
        FeedEvent::TicketOpened { through: 5, ticket: "7".to_owned(), found: false, tries: 1 };
    world.feed(vec![feed(9, TOOL, Some(6), opened)]).await;
    let adopt = |ticket: &str| format!(r#"{{"author": "佐藤", "ticket": "{ticket}"}}"#);
    assert_eq!(world.post(&at(6, "adopt"), &adopt("7")).await.status(), 204);
    let other = world.post(&at(6, "adopt"), &adopt("8")).await;
    assert_eq!(other.status(), 409);
    assert!(other.body.contains('7'), "{}", other.body);
    assert!(world.commands.lock().expect("whole").is_empty());
}

#[tokio::test]
async fn a_supervisor_orders_in_his_or_her_own_name_and_sees_what_is_handed_over() {
    let world = stuck().await;
    let cookie = world.cookie("kacho").await;
    let own = format!("{cookie}\r\nX-Madoguchi: 1\r\nOrigin: http://{}", world.address);
    let retry = format!("POST {} HTTP/1.1\r\n{own}", at(5, "retry"));
    let other = world.ask(&retry, r#"{"author": "佐藤"}"#).await;
    assert_eq!(other.status(), 403, "{}", other.body);
    for body in ["", r#"{"author": "課長"}"#] {
        assert_eq!(world.ask(&retry, body).await.status(), 204, "{body:?}");
    }
    let due = ["tool Some(5) retried by 課長"; 2];
    assert_eq!(ordered(&world), due);

    let preview = |call: u64| format!("/api/v1/tickets/{TOOL}/outbox/{}", id(call).0);
    let shown = world.get(&preview(5)).await.json();
    assert_eq!((&shown["subject"], &shown["text"]), (&json!("電話"), &json!("本文")));
    assert_eq!(world.get(&preview(6)).await.status(), 404);
    assert_eq!(world.get(&format!("/api/v1/tickets/{TOOL}/outbox/x")).await.status(), 400);
    let sheet = format!("/api/v1/tickets/{TOOL}/sheet");
    for (query, kind) in
        [("", "text/html"), ("?format=html", "text/html"), ("?format=csv", "text/csv")]
    {
        let answer = world.get(&format!("{sheet}{query}")).await;
        assert_eq!(answer.header("content-type"), Some(kind));
        assert!(answer.body.ends_with('2'), "{}", answer.body);
    }
    // Of "p{}": its own style may be used, and no other.
    let policy = world.get(&sheet).await;
    let policy = policy.header("content-security-policy").expect("one").to_owned();
    let own = "style-src 'sha256-gG2yISYereRMiG2lMXrbiUgi0Ubw9p7QCeWcroOvy9Y='";
    assert!(policy.starts_with("default-src 'none'") && policy.contains(own), "{policy}");
    assert_eq!(world.get(&format!("{sheet}?format=pdf")).await.status(), 400);
}

#[tokio::test]
async fn tickets_are_no_business_of_who_only_looks_and_callers_none_of_the_wall() {
    let world = stuck().await;
    let as_who =
        |token: &str, path: &str| format!("GET {path} HTTP/1.1\r\nAuthorization: Bearer {token}");
    let outbox = format!("/api/v1/tickets/{TOOL}/outbox");
    let table = [
        (WALL, "/api/v1/tickets", 403),
        (VIEWER, "/api/v1/tickets", 200),
        (VIEWER, &outbox, 403),
        (VIEWER, "/api/v1/callers/0398765432", 403),
        (VIEWER, "/api/v1/incidents", 403),
        (TOKEN, "/api/v1/callers/0398765432", 200),
        (TOKEN, "/api/v1/callers/+81398765432", 200),
        (TOKEN, "/api/v1/callers/anonymous", 400),
        (TOKEN, "/api/v1/callers/000000000000000000000000000000000", 400),
    ];
    for (token, path, due) in table {
        assert_eq!(world.ask(&as_who(token, path), "").await.status(), due, "{path}");
    }
}

/// A desk that keeps the ledger, with one answered call in it: incident 4.
async fn ledger() -> World {
    let world = World::new().await;
    let mut entries = vec![set(1, LEDGER)];
    entries.extend(answered(2, 5));
    world.feed(entries).await;
    world
}

async fn written(world: &World, incident: &str, body: &str) -> super::Answer {
    let head =
        format!("PUT /api/v1/incidents/{incident} HTTP/1.1\r\nAuthorization: Bearer {TOKEN}");
    world.ask(&head, body).await
}

/// Behind the arrival, at most ten minutes ahead of the server's clock.
fn time(s: i64) -> String {
    (super::MORNING + s * 1_000).to_string()
}

#[tokio::test]
async fn the_incident_of_a_call_is_found_by_the_call_and_written_by_agents() {
    let world = ledger().await;
    let of = |call: u64| format!("/api/v1/calls/{}/incident", id(call).0);
    let found = world.get(&of(5)).await.json();
    assert_eq!((&found["ledger"], &found["incident"]["incident"]), (&json!(true), &json!(4)));
    assert_eq!(found["incident"]["revision"], 0);
    let none = world.get(&of(6)).await.json();
    assert_eq!(none, json!({"ledger": true, "incident": null}));
    assert_eq!(world.get("/api/v1/calls/x/incident").await.status(), 400);
    let listed = world.get("/api/v1/incidents?open=true").await.json();
    assert_eq!((&listed["total"], &listed["incidents"][0]["incident"]), (&json!(1), &json!(4)));

    world.skew.store(900_000, std::sync::atomic::Ordering::Relaxed);
    let cookie = world.cookie("sato").await;
    let own = format!("{cookie}\r\nX-Madoguchi: 1\r\nOrigin: http://{}", world.address);
    let body = json!({
        "subject": "VPN", "category": "認証", "revision": 0, "technical": true,
        "completed_at": time(600), "reported_at": time(300),
        "escalations": [{"to": "system_builder", "at": time(60), "answered_at": time(120)}],
        "exclusions": ["caller_asked_for_time", "caller_asked_for_time"],
    });
    let put = format!("PUT /api/v1/incidents/4 HTTP/1.1\r\n{own}");
    let answer = world.ask(&put, &body.to_string()).await;
    assert_eq!(answer.status(), 204, "{}", answer.body);
    let commands = world.commands.lock().expect("whole").clone();
    let [Command::Incident { call, event }] = &commands[..] else { panic!("{commands:?}") };
    let IncidentEvent::IncidentChanged { incident, subject, category, state, author, .. } =
        &**event
    else {
        panic!("{event:?}")
    };
    assert_eq!(
        (*call, *incident, author.as_str(), category.as_str()),
        (Some(id(5)), 4, "佐藤", "認証")
    );
    assert_eq!(subject.as_ref().map(|it| it.reveal().as_str()), Some("VPN"));
    assert_eq!(state.received_at, Wall(super::MORNING), "a call was received when it arrived");
    assert_eq!(state.completed_at, Some(Wall(super::MORNING + 600_000)));
    assert_eq!(state.escalations[0].to, TicketEscalatedTo::SystemBuilder);
    assert_eq!(state.exclusions, [TicketExclusion::CallerAskedForTime]);

    // What another one wrote meanwhile is not lost.
    let event = (**event).clone();
    let fact = Fact::Incident { call: Some(id(5)), event };
    world.feed(vec![Entry { seq: 9, at: Wall(super::MORNING), fact }]).await;
    let conflict = world.ask(&put, &body.to_string()).await;
    assert_eq!(conflict.status(), 409, "{}", conflict.body);
    let shown = world.get("/api/v1/incidents/4").await.json();
    assert_eq!((&shown["revision"], &shown["author"]), (&json!(1), &json!("佐藤")));
    assert!(world.get("/api/v1/incidents?open=true").await.json()["total"] == 0);
}

#[tokio::test]
async fn stamps_out_of_order_are_refused() {
    let world = ledger().await;
    world.skew.store(900_000, std::sync::atomic::Ordering::Relaxed);
    let ahead = time(86_400);
    let escalated = |at: i64, answered: i64| json!([{"to": "other", "at": time(at), "answered_at": time(answered)}]);
    let many: Vec<Value> = vec![json!({"to": "other", "at": time(1)}); 17];
    let table = [
        ("done before it came", json!({"completed_at": time(-1)}), 400),
        ("reported before it came", json!({"reported_at": time(-1)}), 400),
        ("escalated before it came", json!({"escalations": escalated(-1, 5)}), 400),
        ("answered before it was escalated", json!({"escalations": escalated(9, 5)}), 400),
        (
            "escalated when it was done",
            json!({"completed_at": time(3), "escalations": escalated(4, 5)}),
            400,
        ),
        ("tomorrow", json!({"completed_at": ahead}), 400),
        ("no time of receipt", json!({"received_at": "noon"}), 400),
        ("no time", json!({"completed_at": "noon"}), 400),
        ("too many", json!({"escalations": many}), 400),
        ("no such exclusion", json!({"exclusions": ["weather"]}), 400),
        (
            "more exclusions than there are",
            json!({"exclusions": vec!["virus_investigation"; 4]}),
            400,
        ),
        ("another field", json!({"priority": 1}), 400),
        ("words of two lines", json!({"subject": "a\nb"}), 400),
        ("nothing said", json!({}), 204),
        ("all in order", json!({"completed_at": time(9), "escalations": escalated(4, 5)}), 204),
    ];
    for (case, mut body, due) in table {
        body["author"] = "佐藤".into();
        let answer = written(&world, "4", &body.to_string()).await;
        assert_eq!(answer.status(), due, "{case}: {}", answer.body);
    }
    let by = r#"{"author": "佐藤"}"#;
    for (incident, due) in [("5", 404), ("x", 400)] {
        assert_eq!(written(&world, incident, by).await.status(), due, "{incident}");
    }
    assert_eq!(written(&world, "4", "").await.status(), 400);
    let cookie = world.cookie("sato").await;
    let own = format!("{cookie}\r\nX-Madoguchi: 1\r\nOrigin: http://{}", world.address);
    let put = format!("PUT /api/v1/incidents/4 HTTP/1.1\r\n{own}");
    assert_eq!(world.ask(&put, r#"{"author": "課長"}"#).await.status(), 403, "another's name");
}

#[tokio::test]
async fn what_came_by_mail_is_written_into_the_ledger_and_nowhere_without_one() {
    let world = ledger().await;
    let body = |channel: &str| {
        format!(
            r#"{{"author": "佐藤", "subject": "印刷できない", "received_at": "{}"{channel}}}"#,
            time(-600)
        )
    };
    let mail = body(r#", "channel": "mail""#);
    let made = world.post("/api/v1/incidents", &mail).await;
    assert_eq!(made.status(), 204, "{}", made.body);
    for wrong in [body(""), body(r#", "channel": "fax""#), r#"{"author": "佐藤"}"#.to_owned()] {
        assert_eq!(world.post("/api/v1/incidents", &wrong).await.status(), 400, "{wrong}");
    }
    let commands = world.commands.lock().expect("whole").clone();
    let [Command::Incident { call: None, event }] = &commands[..] else { panic!("{commands:?}") };
    assert!(
        matches!(&**event, IncidentEvent::IncidentOpened { channel: Channel::Mail, .. }),
        "{event:?}"
    );

    let without = stuck().await;
    let answer = without.post("/api/v1/incidents", &mail).await;
    assert_eq!(answer.status(), 409, "{}", answer.body);
    assert!(answer.body.contains("no ledger"));
    let of = without.get(&format!("/api/v1/calls/{}/incident", id(5).0)).await.json();
    assert_eq!(of, json!({"ledger": false, "incident": null}));
}

#[tokio::test]
async fn the_ledger_itself_waits_for_nobody() {
    let world = ledger().await;
    world.feed(vec![hung_up(8, 5, 9_000)]).await;
    let told = world.get("/api/v1/tickets").await.json();
    let row = &told["targets"][0];
    assert_eq!((&row["target"], &row["waiting"]), (&json!(LEDGER), &json!(0)), "{row}");
}

/// A target that said no to so many calls.
async fn stuck_calls(count: u64) -> World {
    let world = World::new().await;
    let mut entries = vec![set(1, TOOL)];
    for call in 100..100 + count {
        let seq = entries.last().map_or(0, |last: &Entry| last.seq) + 1;
        entries.extend(answered(seq, call));
        let why = Unfed::Refused { status: 422 };
        let given_up = FeedEvent::FeedGivenUp { step: seq + 2, tries: 3, why };
        entries.push(feed(seq + 3, TOOL, Some(call), given_up));
    }
    world.feed(entries).await;
    world
}

#[tokio::test]
async fn the_page_s_sheet_and_retry_reach_the_1001st_call() {
    let world = stuck_calls(1_001).await;
    for (format, due) in [("csv", "1001"), ("html", "<style>p{}</style>1001")] {
        let sheet = world.get(&format!("/api/v1/tickets/{TOOL}/sheet?format={format}")).await;
        assert_eq!(sheet.body, due);
    }
    let all = format!("/api/v1/tickets/{TOOL}/retry");
    assert_eq!(world.post(&all, r#"{"author": "佐藤"}"#).await.status(), 204);
    assert_eq!(world.commands.lock().expect("whole").len(), 1_001);
}

#[tokio::test]
async fn a_retry_of_all_goes_on_when_the_page_has_given_up_waiting() {
    let world = stuck_calls(400).await;
    world.order_takes_ms.store(20, Ordering::Relaxed);
    let body = r#"{"author": "佐藤"}"#;
    let mut page = TcpStream::connect(world.address).await.expect("connected");
    let request = format!(
        "POST /api/v1/tickets/{TOOL}/retry HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {}\r\n\r\n{body}",
        world.address,
        body.len()
    );
    page.write_all(request.as_bytes()).await.expect("sent");
    let ordered = || world.commands.lock().expect("whole").len();
    let until = Instant::now() + Duration::from_secs(20);
    while ordered() == 0 {
        assert!(Instant::now() < until, "nothing was ordered");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    drop(page);
    assert!(ordered() < 400, "the page left in between");
    let again = world.fed.again.lock().expect("whole").clone();
    assert_eq!(again, [(TargetId::from(TOOL), None)], "at once, not behind all orders");
    while ordered() < 400 {
        assert!(Instant::now() < until, "{} of 400 were ordered", ordered());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_retry_of_all_answers_once_each_was_ordered() {
    let world = stuck_calls(100).await;
    world.order_takes_ms.store(20, Ordering::Relaxed);
    let began = Instant::now();
    let answer =
        world.post(&format!("/api/v1/tickets/{TOOL}/retry"), r#"{"author": "佐藤"}"#).await;
    assert_eq!(answer.status(), 204, "{}", answer.body);
    let calls: std::collections::BTreeSet<_> = {
        let commands = world.commands.lock().expect("whole");
        let of = |command: &Command| match command {
            Command::Feed { call, .. } => *call,
            other => panic!("{other:?}"),
        };
        assert_eq!(commands.len(), 100);
        commands.iter().map(of).collect()
    };
    assert_eq!(calls.len(), 100, "each once");
    assert!(began.elapsed() >= Duration::from_millis(20), "not before they were obeyed");
}
