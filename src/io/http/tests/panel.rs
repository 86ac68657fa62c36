//! An agent's panel over real sockets: what it shows, when it is told anew, notes.

use super::{Events, INJECTED, MORNING, TOKEN, World, arrived, asked, entry, hung_up, id};
use crate::base::{Private, Wall};
use crate::event::{AgentEvent, CallEvent, Entry, Fact, Means, NoteEvent, OfferEnd};
use crate::pbx::api::Command;
use crate::view::{DeskLine, GroupLaid, Layout, SlotLaid};
use serde_json::Value;
use std::time::Duration;

fn layout() -> Layout {
    let group = |name: &str, agents: &[&str]| GroupLaid {
        group: name.into(),
        name: name.to_owned(),
        number: None,
        agents: agents.iter().map(|agent| (*agent).into()).collect(),
    };
    let line = DeskLine {
        number: "0312345678".into(),
        name: "総合".to_owned(),
        line_limit: 4,
        counted: true,
        hours: None,
    };
    let slot = |slot: &str| SlotLaid { slot: slot.into(), lot: "保留".to_owned() };
    Layout {
        groups: vec![group("desk", &["2001"]), group("second", &["2002"])],
        numbers: vec![line],
        pause_reasons: vec!["昼休み".to_owned()],
        wrap_up_more_ms: 60_000,
        slots: vec![slot("701"), slot("702")],
        ..Layout::default()
    }
}

async fn world() -> World {
    let world = World::new().await;
    world.hub.configure(|views| views.set_layout(layout()));
    world
}

fn of_agent(seq: u64, event: AgentEvent) -> Entry {
    Entry { seq, at: Wall(MORNING), fact: Fact::Agent { agent: "2001".into(), event } }
}

fn noted(seq: u64, call: u64, text: &str) -> Entry {
    let (agent, text, by) = ("2001".into(), Private::new(text.to_owned()), Means::Api);
    let fact = Fact::Note { call: id(call), event: NoteEvent::Noted { agent, text, by } };
    Entry { seq, at: Wall(MORNING), fact }
}

#[tokio::test]
async fn a_panel_shows_the_agents_own_call_and_what_was_before() {
    let world = world().await;
    let offer = |seq, call| entry(seq, call, 200, CallEvent::OfferMade { agent: "2001".into() });
    let why = OfferEnd::RangOut;
    let ended = CallEvent::OfferEnded { agent: "2001".into(), why };
    world
        .feed(vec![
            arrived(1, 1),
            asked(2, 1),
            offer(3, 1),
            entry(4, 1, 5_200, ended),
            hung_up(5, 1, 9_000),
            noted(6, 1, INJECTED),
            arrived(7, 2),
            entry(8, 2, 50, CallEvent::KeyPressed { menu: "welcome".into(), key: '1' }),
            asked(9, 2),
            offer(10, 2),
        ])
        .await;
    let path = "/api/v1/panel/2001";
    let panel = world.get(path).await.json();
    assert_eq!(panel["agent"]["state"], "ringing");
    assert_eq!(panel["call"]["role"], "ringing");
    assert_eq!(panel["call"]["call"], id(2).to_string());
    assert_eq!(panel["call"]["caller"]["name"], INJECTED);
    assert_eq!(panel["call"]["pressed"], serde_json::json!([{"menu": "welcome", "keys": "1"}]));
    let earlier = &panel["call"]["earlier"];
    assert_eq!(earlier.as_array().map(Vec::len), Some(1), "{earlier}");
    assert_eq!(
        (&earlier[0]["call"], &earlier[0]["outcome"], &earlier[0]["notes"][0]["text"]),
        (&id(1).to_string().into(), &"abandoned".into(), &INJECTED.into())
    );
    assert_eq!(panel["unanswered"][0]["why"], "missed");
    assert_eq!(panel["queue"]["count"], 1);
    assert_eq!(panel["groups"][0]["group"], "desk");
    assert_eq!(panel["colleagues"][0]["agent"], "2002");
    assert_eq!(
        panel["slots"][1],
        serde_json::json!({"slot": "702", "lot": "保留", "parked": null})
    );
    assert_eq!(panel["lines"][0]["in_use"], 1);
    assert_eq!(panel["pause_reasons"], serde_json::json!(["昼休み"]));
    // The other's groups are others.
    let other = world.get("/api/v1/panel/2002").await.json();
    assert_eq!((&other["queue"]["count"], &other["call"]), (&0.into(), &Value::Null));
    // Answered, parked and in work after the call: its call is the last one still, for a note.
    world
        .feed(vec![
            entry(11, 2, 3_000, CallEvent::OperatorAnswered { agent: "2001".into() }),
            of_agent(12, AgentEvent::Talking),
        ])
        .await;
    assert_eq!(world.get(path).await.json()["call"]["role"], "talking");
    let parked = CallEvent::Parked { by: "2001".into(), slot: "702".into() };
    world
        .feed(vec![entry(13, 2, 9_000, parked), of_agent(14, AgentEvent::WrapUp { for_ms: 5_000 })])
        .await;
    let panel = world.get(path).await.json();
    assert_eq!(panel["call"]["role"], "last");
    assert_eq!(panel["slots"][1]["parked"]["by"], "2001");
    assert_eq!(panel["slots"][1]["parked"]["since_ms"], MORNING + 9_000);
    assert_eq!(panel["agent"]["wrap_up_until_ms"], MORNING + 5_000);
    for path in ["/api/v1/panel/9999", "/api/v1/panel/9999/events"] {
        assert_eq!(world.get(path).await.status(), 404);
    }
}

#[tokio::test]
async fn the_stream_of_a_panel_tells_what_changed_on_it_and_nothing_else() {
    let world = world().await;
    let mut mine = Events::open(&world, "/api/v1/panel/2001/events").await;
    let mut others = Events::open(&world, "/api/v1/panel/2002/events").await;
    assert_eq!(mine.next("panel").await["call"], Value::Null);
    assert_eq!(others.next("panel").await["seq"], 0);
    assert_eq!(mine.next("beat").await["status"], "ok");
    world.feed(vec![arrived(1, 1), asked(2, 1)]).await;
    while mine.next("panel").await["queue"]["count"] != 1 {}
    // A sign of life that shows nothing new: nobody is told; and 2002 has heard of the line alone.
    tokio::time::sleep(Duration::from_millis(250)).await;
    while others.next("panel").await["lines"][0]["in_use"] != 1 {}
    let played = |seq| {
        let (prompt, purpose) = ("music".into(), crate::event::Purpose::Comfort);
        entry(seq, 1, 200, CallEvent::Announced { prompt, purpose })
    };
    world.feed(vec![played(3)]).await;
    let quiet = tokio::time::timeout(Duration::from_secs(1), others.next("panel")).await;
    assert!(quiet.is_err(), "nothing changed: {quiet:?}");
    // A burst comes as few.
    for seq in 4..1_004 {
        world.hub.feed(vec![noted(seq, 1, "x")]);
    }
    let offer = CallEvent::OfferMade { agent: "2001".into() };
    world.feed(vec![entry(1_004, 1, 300, offer)]).await;
    let mut told = 0;
    loop {
        told += 1;
        let panel = mine.next("panel").await;
        if panel["agent"]["state"] == "ringing" {
            assert_eq!(panel["call"]["notes"].as_array().map(Vec::len), Some(1_000));
            break;
        }
    }
    assert!(told <= 20, "{told} panels for one burst");
    // Who leaves the plan is told no more, and asks in vain.
    world.hub.configure(|views| views.set_roster("d".into(), vec![("2001".into(), "x".into())]));
    let gone = tokio::time::timeout(Duration::from_secs(5), async {
        while world.get("/api/v1/panel/2002").await.status() != 404 {}
    });
    gone.await.expect("gone");
}

#[tokio::test]
async fn a_note_becomes_a_command_and_only_a_whole_one_does() {
    let world = world().await;
    let path = format!("/api/v1/calls/{}/notes", id(1));
    let long = format!(r#"{{"agent":"2001","text":"{}"}}"#, "長".repeat(1_001));
    let table = [
        (r#"{"agent":"2001","text":" <b>二行</b>\r\nです "}"#, 204),
        (r#"{"agent":"9999","text":"x"}"#, 404),
        (r#"{"agent":"2001","text":"  "}"#, 400),
        (r#"{"agent":"2001","text":"a\u0007"}"#, 400),
        (r#"{"agent":"2001"}"#, 400),
        (r#"{"agent":"2001","text":"x","more":1}"#, 400),
        ("", 400),
        (&long, 400),
    ];
    for (body, due) in table {
        let answer = world.post(&path, body).await;
        assert_eq!(answer.status(), due, "{body}: {}", answer.body);
    }
    assert_eq!(
        world.post("/api/v1/calls/x/notes", r#"{"agent":"2001","text":"x"}"#).await.status(),
        400
    );
    let commands = world.commands.lock().expect("whole").clone();
    let texts: Vec<_> = commands
        .iter()
        .map(|command| match command {
            Command::Note { call, text, .. } if *call == id(1) => text.reveal().as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(texts, ["<b>二行</b>\nです", "x"]);
    let viewer = format!("POST {path} HTTP/1.1\r\nAuthorization: Bearer {}", super::VIEWER);
    assert_eq!(world.ask(&viewer, r#"{"agent":"2001","text":"x"}"#).await.status(), 403);
    assert_ne!(TOKEN, super::VIEWER);
}

#[tokio::test]
async fn the_page_is_behind_the_login_and_makes_no_markup_of_text() {
    let world = world().await;
    let stranger = world.ask("GET /panel HTTP/1.1", "").await;
    assert!(stranger.body.contains("name=\"token\"") && !stranger.body.contains("panel.js"));
    assert!(world.get("/panel").await.body.contains("/panel/panel.js"));
    for (path, kind) in [
        ("/panel/panel.js", "text/javascript"),
        ("/panel/view.js", "text/javascript"),
        ("/panel/words.js", "text/javascript"),
        ("/panel/panel.css", "text/css"),
    ] {
        let answer = world.get(path).await;
        assert!(answer.header("content-type").is_some_and(|it| it.starts_with(kind)), "{path}");
        for way in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "Function(",
            "unsafe",
        ] {
            assert!(!answer.body.contains(way), "{path}: {way}");
        }
    }
    assert_eq!(world.get("/panel/other.js").await.status(), 404);
    let page = include_str!("../../../../web/panel.html");
    for way in ["<style", "style=", "onclick", "http://127", "https://"] {
        assert!(!page.contains(way), "{way}");
    }
}
