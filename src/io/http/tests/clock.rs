//! What passes without an entry: minutes, hours that begin and end, midnight, and a wall clock that is set.

use super::{Events, MORNING, World, arrived, asked, entry};
use crate::base::Wall;
use crate::event::{CallEvent, Closed};
use crate::view::{DeskLine, Layout, Timetable};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

#[tokio::test]
async fn the_board_turns_over_at_midnight_without_a_call() {
    let world = World::new().await;
    let mut events = Events::open(&world, "/api/v1/events").await;
    assert_eq!(events.next("board").await["today"], "2026-10-01");
    world.skew.store(14 * 3_600_000, Ordering::Relaxed); // 2026-10-02T00:00:00+09:00
    let mut today = Value::Null;
    while today != "2026-10-02" {
        today = events.next("board").await["today"].clone();
    }
}

#[tokio::test]
async fn the_board_says_open_when_the_hours_begin_without_a_call() {
    let world = World::new().await;
    let opens = MORNING + 60 * 60_000;
    let night = || Some(Closed::Night);
    let changes = vec![(Wall(0), night()), (Wall(opens), None), (Wall(opens + 3_600_000), night())];
    let line = DeskLine {
        number: "0312345678".into(),
        name: "代表".into(),
        line_limit: 2,
        counted: true,
        hours: Some(Arc::new(Timetable::new(changes, Wall(opens + 7_200_000)))),
    };
    let laid = Layout { numbers: vec![line], ..Layout::default() };
    world.hub.configure(|views| views.set_layout(laid));
    let mut events = Events::open(&world, "/api/v1/events").await;
    assert_eq!(events.next("board").await["numbers"][0]["open"], false);
    for (hour, open) in [(1, true), (2, false)] {
        world.skew.store(hour * 3_600_000, Ordering::Relaxed);
        let told = tokio::time::timeout(Duration::from_secs(5), events.next("board")).await;
        assert_eq!(told.expect("a board")["numbers"][0]["open"], open, "hour {hour}");
    }
}

#[tokio::test]
async fn waits_follow_the_monotonic_clock_when_the_wall_clock_is_set() {
    let world = World::new().await;
    world.feed(vec![arrived(1, 1), asked(2, 1)]).await;
    world.skew.store(-7_200_000, Ordering::Relaxed);
    let board = world.get("/api/v1/board").await.json();
    let longest = board["waiting"]["longest_ms"].as_u64().expect("a number");
    assert!(longest < 5_000, "{longest}");
    // A call that is read in the midst of its life has its whole age.
    world.feed(vec![arrived(3, 2), asked(4, 2), entry(5, 2, 60_000, CallEvent::Accepted)]).await;
    let board = world.get("/api/v1/board").await.json();
    let longest = board["waiting"]["longest_ms"].as_u64().expect("a number");
    assert!((59_900..65_000).contains(&longest), "{longest}");
}
