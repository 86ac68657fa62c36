//! The log's levels over HTTP.

use super::super::{LogDoors, LogRow};
use super::{TOKEN, VIEWER, World};
use crate::base::{LogInForce, LogLevel, LogRoom, Mono};
use crate::event::DeskEvent;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A log that says nothing, and keeps its levels.
pub fn doors() -> LogDoors {
    let levels = Arc::new(Mutex::new(LogInForce::default()));
    let (shown, ended) = (Arc::clone(&levels), Arc::clone(&levels));
    LogDoors {
        shown: Arc::new(move || {
            let levels = shown.lock().expect("whole");
            let row = |room| {
                let (level, configured, until) = levels.of(room);
                let left_s = until.map(|until| until.since(Mono(0)).as_secs());
                LogRow { room, level, configured, left_s }
            };
            LogRoom::ALL.into_iter().map(row).collect()
        }),
        order: Arc::new(move |room, level: LogLevel, lasts: Duration| {
            levels.lock().expect("whole").order(room, level, Mono(0) + lasts);
        }),
        end: Arc::new(move || {
            let _ = ended.lock().expect("whole").end_orders();
        }),
    }
}

#[tokio::test]
async fn an_administrator_makes_one_room_of_the_log_talk_and_the_history_says_so() {
    let world = World::new().await;
    let level = async |room: &str| {
        let json = world.get("/api/v1/log").await.json();
        let rows = json["rooms"].as_array().expect("rooms").clone();
        let row = rows.into_iter().find(|row| row["room"] == room).expect("the room");
        (row["level"].as_str().expect("a level").to_owned(), row["left_s"].as_u64())
    };
    assert_eq!(level("net").await, ("info".into(), None));
    let post = |what: &str, token: &str| {
        format!("POST /api/v1/log/{what} HTTP/1.1\r\nAuthorization: Bearer {token}")
    };
    assert_eq!(world.ask(&post("net/debug", VIEWER), "").await.status(), 403);
    assert_eq!(world.ask(&post("net/debug?minutes=30", TOKEN), "").await.status(), 204);
    assert_eq!(level("net").await, ("debug".into(), Some(1_800)));
    assert_eq!(level("store").await, ("info".into(), None));
    let ordered = world.notes.lock().expect("whole").iter().any(|event| {
        matches!(event, DeskEvent::Ordered { what, .. } if what == "POST /api/v1/log/net/debug")
    });
    assert!(ordered, "{:?}", world.notes.lock().expect("whole"));
    let table = [
        ("nett/debug", 404),
        ("net/loud", 404),
        ("net/debug?minutes=0", 400),
        ("net/debug?minutes=1441", 400),
        ("net/debug?for=1", 400),
        ("all/warn", 204),
    ];
    for (what, due) in table {
        let answer = world.ask(&post(what, TOKEN), "").await;
        assert_eq!(answer.status(), due, "{what}: {}", answer.body);
    }
    assert_eq!(level("store").await, ("warn".into(), Some(3_600)));
    let end = format!("DELETE /api/v1/log HTTP/1.1\r\nAuthorization: Bearer {TOKEN}");
    assert_eq!(world.ask(&end, "").await.status(), 204);
    assert_eq!(level("net").await, ("info".into(), None));
}
