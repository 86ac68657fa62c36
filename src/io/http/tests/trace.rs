//! The SIP trace over HTTP: what is shown, what is hidden, and to whom.

use super::*;
use crate::trace::{Bounds, Direction, Flow, Ring, Snapshot, Tracer, Transport};
use crate::view::Blocked;

/// A trace that nobody adds to.
pub(super) struct Kept(Mutex<Ring>);

impl Kept {
    /// One call with two legs, a REGISTER, and something that is no message.
    pub(super) fn new() -> Self {
        let mut ring = Ring::new(Bounds { bytes: 1 << 20, age: Duration::from_secs(3600) });
        let message = |method: &str, id: &str| {
            format!(
                "{method} sip:0312345678@127.0.0.1 SIP/2.0\r\nFrom: <sip:0398765432@127.0.0.1>;tag=1\r\n\
                 To: <sip:0312345678@127.0.0.1>\r\nCall-ID: {id}\r\nCSeq: 1 {method}\r\n\
                 Authorization: Digest username=\"2001\", response=\"S3CRET\"\r\nContent-Length: 0\r\n\r\n"
            )
        };
        let texts = [
            message("INVITE", "caller"),
            message("INVITE", "agent"),
            message("REGISTER", "phone"),
            "\0\x01garbage".to_owned(),
            message("BYE", "caller"),
        ];
        for (n, text) in (0..).zip(texts) {
            let flow = Flow {
                transport: Transport::Udp,
                listener: 0,
                remote: "127.0.0.1:5062".parse().expect("an address"),
                connection: 0,
            };
            let now = Now { mono: Mono(n * 1_000), wall: Wall(MORNING) };
            ring.push(now, flow, Direction::In, text.into());
        }
        ring.link("caller", id(1));
        ring.link("agent", id(1));
        Self(Mutex::new(ring))
    }
}

impl Tracer for Kept {
    fn snapshot(&self, after: u64) -> Snapshot {
        self.0.lock().expect("whole").snapshot(after)
    }
    fn call_ids(&self, call: CallId) -> Vec<Box<str>> {
        self.0.lock().expect("whole").call_ids(call)
    }
    fn call_of(&self, call_id: &str) -> Option<CallId> {
        self.0.lock().expect("whole").call_of(call_id)
    }
    fn locals(&self) -> &[SocketAddr] {
        &[]
    }
}

#[tokio::test]
async fn messages_are_found_by_call_number_and_method_without_showing_numbers() {
    let world = World::new().await;
    let table = [
        ("", 5),
        (&*format!("?call={}", id(1).0), 3),
        ("?method=invite", 2),
        ("?from=0398765432&method=REGISTER", 1),
        ("?from=0398765433", 0),
        ("?after=3", 2),
        ("?limit=2", 2),
    ];
    for (query, due) in table {
        let answer = world.get(&format!("/api/v1/sip/messages{query}")).await;
        assert_eq!(answer.status(), 200, "{query}: {}", answer.body);
        let json = answer.json();
        assert_eq!(json["messages"].as_array().expect("a list").len(), due, "{query}: {json:#}");
        assert_eq!(json["more"], query == "?limit=2", "{query}");
        assert!(!answer.body.contains("0398765432") && !answer.body.contains("S3CRET"), "{json:#}");
    }
    let full = world.get("/api/v1/sip/messages?full=1&reveal=numbers&limit=1").await;
    assert!(full.body.contains("0398765432") && !full.body.contains("S3CRET"), "{}", full.body);
    assert_eq!(full.json()["messages"][0]["call"], id(1).0.to_string());
    for wrong in
        ["?call=x", "?reveal=all", "?limit=0", "?limit=1001", "?full=2", "?x=1", "?limit=1&limit=2"]
    {
        assert_eq!(
            world.get(&format!("/api/v1/sip/messages{wrong}")).await.status(),
            400,
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn a_call_comes_as_text_page_and_capture_and_only_with_the_token() {
    let world = World::new().await;
    let path = |form: &str| format!("/api/v1/calls/{}/{form}", id(1).0);
    let text = world.get(&path("ladder.txt")).await;
    assert!(text.body.contains("INVITE") && text.body.contains("BYE"), "{}", text.body);
    assert!(!text.body.contains("REGISTER") && !text.body.contains("0398765432"));
    let html = world.get(&path("ladder.html")).await;
    let policy = html.header("Content-Security-Policy").expect("a policy");
    assert!(
        policy.contains("default-src 'none'; style-src 'sha256-") && !policy.contains("script")
    );
    assert!(html.body.contains("<svg") && !html.body.contains("<script"));
    assert!(
        html.body.contains("Digest username=&quot;n3&quot;, response=&quot;***&quot;"),
        "{}",
        html.body
    );
    for (path, due) in [
        (path("ladder.pdf"), 404),
        (format!("/api/v1/calls/{}/ladder.txt", id(2).0), 404),
        ("/api/v1/calls/x/ladder.txt".to_owned(), 400),
    ] {
        assert_eq!(world.get(&path).await.status(), due, "{path}");
    }
    for path in [
        path("ladder.txt"),
        path("sip.pcap"),
        "/api/v1/sip/messages".into(),
        "/api/v1/sip/events".into(),
    ] {
        let answer = world.ask(&format!("GET {path} HTTP/1.1"), "").await;
        assert_eq!(answer.status(), 401, "{path}");
    }
}

#[tokio::test]
async fn a_live_trace_begins_with_what_is_asked_for_and_one_too_many_is_refused() {
    let world = World::new().await;
    let mut open = Vec::new();
    for _ in 0..crate::io::http::MAX_TRACES {
        let mut events = Events::open(&world, "/api/v1/sip/events?after=4").await;
        let data = events.next("sip").await;
        assert_eq!(data["method"], "BYE");
        open.push(events);
    }
    assert_eq!(world.get("/api/v1/sip/events").await.status(), 503);
}

/// One source is shut out.
pub(super) fn doors() -> super::super::Doors {
    super::super::Doors {
        shut: Arc::new(|| {
            vec![Blocked {
                source: "192.0.2.66".into(),
                scope: "source",
                account: None,
                failures: 10,
                since: Wall(MORNING),
                left_s: 590,
            }]
        }),
        open: Arc::new(|address| {
            let found = match address.to_string().as_str() {
                "192.0.2.66" => Some(true),
                "192.0.2.67" => Some(false),
                _ => None,
            };
            Box::pin(async move { found })
        }),
    }
}

#[tokio::test]
async fn who_is_blocked_is_told_and_can_be_let_in() {
    let world = World::new().await;
    let listed = world.get("/api/v1/blocked").await.json();
    let due = serde_json::json!({"blocked": [{"source": "192.0.2.66", "scope": "source", "failures": 10,
        "since": "2026-10-01T10:00:00.000+09:00", "left_s": 590}]});
    assert_eq!(listed, due);
    for (source, due) in
        [("192.0.2.66", 204), ("192.0.2.67", 404), ("192.0.2.68", 503), ("everybody", 400)]
    {
        let head =
            format!("DELETE /api/v1/blocked/{source} HTTP/1.1\r\nAuthorization: Bearer {TOKEN}");
        assert_eq!(world.ask(&head, "").await.status(), due, "{source}");
    }
    let answer = world.ask("DELETE /api/v1/blocked/192.0.2.66 HTTP/1.1", "").await;
    assert_eq!(answer.status(), 401);
}
