//! The desk's end without a call cut off, over HTTP.

use super::super::Drains;
use super::{TOKEN, VIEWER, World};
use crate::event::DeskEvent;
use std::sync::Mutex;
use std::time::Duration;

/// Takes an order and never comes to its end.
#[derive(Default)]
pub struct Ordered(Mutex<Option<Duration>>);

impl Drains for Ordered {
    fn left(&self) -> Option<Duration> {
        *self.0.lock().expect("whole")
    }

    fn order(&self, within: Duration) {
        *self.0.lock().expect("whole") = Some(within);
    }

    fn call_off(&self) -> bool {
        self.0.lock().expect("whole").take().is_some()
    }
}

#[tokio::test]
async fn an_administrator_orders_the_end_and_calls_it_off_and_the_history_says_so() {
    let world = World::new().await;
    let ask = |method: &str, query: &str, token: &str| {
        format!("{method} /api/v1/drain{query} HTTP/1.1\r\nAuthorization: Bearer {token}")
    };
    assert_eq!(world.get("/api/v1/drain").await.json()["draining"], false);
    assert_eq!(world.ask(&ask("POST", "?minutes=15", VIEWER), "").await.status(), 403);
    assert_eq!(world.ask(&ask("DELETE", "", TOKEN), "").await.status(), 409);
    for wrong in
        ["", "?minutes=0", "?minutes=1441", "?minutes=soon", "?minutes=1&minutes=2", "?x=1"]
    {
        let refused = world.ask(&ask("POST", wrong, TOKEN), "").await;
        assert_eq!(refused.status(), 400, "{wrong}");
        assert!(refused.json()["error"].to_string().contains("1 to 1440"), "{wrong}");
    }
    assert_eq!(world.get("/api/v1/drain").await.json()["draining"], false);

    assert_eq!(world.ask(&ask("POST", "?minutes=15", TOKEN), "").await.status(), 204);
    let shown = world.get("/api/v1/drain").await.json();
    assert_eq!((&shown["draining"], &shown["left_s"]), (&true.into(), &900.into()), "{shown}");
    let ordered = world.notes.lock().expect("whole").iter().any(
        |event| matches!(event, DeskEvent::Ordered { what, .. } if what == "POST /api/v1/drain"),
    );
    assert!(ordered, "who ordered it stands in the history");
    assert_eq!(world.ask(&ask("DELETE", "", TOKEN), "").await.status(), 204);
    let shown = world.get("/api/v1/drain").await.json();
    assert_eq!((&shown["draining"], &shown["left_s"]), (&false.into(), &().into()), "{shown}");
}
