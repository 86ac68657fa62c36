//! The pages and the API over real sockets, as a browser and a script use them.

mod clock;
mod drain;
mod erasures;
mod figures;
mod log;
mod panel;
mod people;
mod plan;
mod planning;
mod reload;
mod tickets;
mod trace;

use super::{App, CommandFailure, FEED_BOUND, PeopleNow, Reread, Token, ViewHub, serve};
use crate::base::{CallId, Mono, Now, Private, Wall};
use crate::event::{
    AgentEvent, CallEvent, Caller, CallerNumber, DeskEvent, EndCause, Entry, Fact, Means, Origin,
    Party,
};
use crate::pbx::api::{Command, CommandError};
use crate::people::{PasswordHash, People, Person, Role};
use crate::view::{CallQuery, FeedGauge, Gauges, JournalState, Policy, Setup, Views};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const VIEWER: &str = "only-looks-only-looks";
const WALL: &str = "hangs-on-a-wall-all-day";
const MORNING: i64 = 1_790_816_400_000; // 2026-10-01T10:00:00+09:00
const INJECTED: &str = "<script>alert('窓口')</script>";

fn views() -> Views {
    Views::new(Setup {
        desk: "総合窓口".into(),
        demonstration: true,
        timezone: chrono_tz::Asia::Tokyo,
        policy: Policy::default(),
        agents: vec![("2001".into(), "佐藤".into()), ("2002".into(), "鈴木".into())],
    })
}

/// The password of all of them.
const PASSWORD: &str = "a password of some length";

/// An agent, a supervisor and an administrator.
fn people() -> People {
    let mut people = People::default();
    let rows = [
        ("sato", "佐藤", Role::Agent, Some("2001")),
        ("kacho", "課長", Role::Supervisor, Some("2010")),
        ("root", "管理者", Role::Admin, None),
        ("guest", "来客", Role::Viewer, None),
    ];
    for (user, name, role, extension) in rows {
        let password = Some(PasswordHash::of(PASSWORD, [7; 16]).expect("long enough"));
        let extension = extension.map(crate::base::AgentId::from);
        let (user, name) = (user.to_owned(), name.to_owned());
        assert!(people.add(Person { user, name, role, extension, password }));
    }
    people
}

fn id(n: u64) -> CallId {
    CallId(uuid::Uuid::from_u64_pair(n, 1))
}

fn entry(seq: u64, call: u64, t_ms: u64, event: CallEvent) -> Entry {
    Entry { seq, at: Wall(MORNING), fact: Fact::Call { call: id(call), t_ms, event } }
}

fn arrived(seq: u64, call: u64) -> Entry {
    let caller = Caller {
        number: CallerNumber::Known(Private::new("0398765432".into())),
        name: Some(Private::new(INJECTED.into())),
        diverted_from: None,
    };
    let origin = Origin::Trunk("carrier".into());
    let number = "0312345678".into();
    entry(seq, call, 0, CallEvent::Arrived { number, caller, origin, counted: true })
}

fn asked(seq: u64, call: u64) -> Entry {
    entry(seq, call, 100, CallEvent::OperatorAsked { group: Some("desk".into()) })
}

fn hung_up(seq: u64, call: u64, t_ms: u64) -> Entry {
    entry(seq, call, t_ms, CallEvent::Ended { by: Party::Caller, cause: EndCause::HungUp })
}

/// A running server with everything behind it made of closures.
struct World {
    address: SocketAddr,
    hub: ViewHub,
    commands: Arc<Mutex<Vec<Command>>>,
    /// What would stand in the history of who ordered what.
    notes: Arc<Mutex<Vec<DeskEvent>>>,
    people: PeopleNow,
    gauges: Arc<Mutex<Gauges>>,
    /// The feeding of ticket systems.
    fed: Arc<tickets::Fed>,
    /// How long the engine takes for an order, milliseconds.
    order_takes_ms: Arc<AtomicU64>,
    /// Added to the wall clock, milliseconds.
    skew: Arc<AtomicI64>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
}

impl World {
    async fn new() -> Self {
        Self::with_store(Arc::new(|_| Box::pin(async { vec![] }))).await
    }

    async fn with_store(reread: Reread) -> Self {
        let began = Instant::now();
        let skew = Arc::new(AtomicI64::new(0));
        let clock = Arc::clone(&skew);
        let now = move || {
            let passed = began.elapsed();
            let wall = MORNING + i64::try_from(passed.as_millis()).expect("short");
            Now {
                // As in a daemon that has run for a while.
                mono: Mono(u64::try_from(passed.as_micros()).expect("short") + 3_600_000_000),
                wall: Wall(wall + clock.load(Ordering::Relaxed)),
            }
        };
        let hub = ViewHub::start(views(), Arc::new(now), reread);
        let commands = Arc::new(Mutex::new(vec![]));
        let gauges = Arc::new(Mutex::new(Gauges::default()));
        let (seen, shown) = (Arc::clone(&commands), Arc::clone(&gauges));
        let people = PeopleNow::new(people());
        let notes = Arc::new(Mutex::new(vec![]));
        let noted = Arc::clone(&notes);
        let fed = Arc::new(tickets::Fed::default());
        let order_takes_ms = Arc::new(AtomicU64::new(0));
        let takes_ms = Arc::clone(&order_takes_ms);
        let app = App {
            hub: hub.clone(),
            token: Token::new(TOKEN).expect("long enough"),
            viewer: Some(Token::new(VIEWER).expect("long enough")),
            wall: Some(Token::new(WALL).expect("long enough")),
            people: people.clone(),
            sign_on: None,
            note: Arc::new(move |event| {
                noted.lock().expect("whole").push(event);
                Box::pin(async { true })
            }),
            secure: false,
            plans: Arc::new(plan::Lies::default()),
            planner: Arc::new(planning::Asked::default()),
            report: plan::report(),
            commands: Arc::new(move |command| {
                let result = match &command {
                    Command::SignIn { agent, .. } if agent.as_str() == "2001" => {
                        Err(CommandFailure::Refused(CommandError::AlreadySo))
                    }
                    Command::SignOut { agent, .. } if agent.as_str() == "2002" => {
                        Err(CommandFailure::Unavailable)
                    }
                    Command::SignIn { agent, .. }
                    | Command::SignOut { agent, .. }
                    | Command::Pause { agent, .. }
                    | Command::Unpause { agent, .. }
                    | Command::WrapUp { agent, .. }
                        if agent.as_str().starts_with('2') =>
                    {
                        Ok(())
                    }
                    Command::Declare { .. } | Command::Feed { .. } | Command::Incident { .. } => {
                        Ok(())
                    }
                    Command::Note { agent, .. } if agent.as_str().starts_with('2') => Ok(()),
                    _ => Err(CommandFailure::Refused(CommandError::NoSuchAgent)),
                };
                seen.lock().expect("whole").push(command);
                let takes = Duration::from_millis(takes_ms.load(Ordering::Relaxed));
                Box::pin(async move {
                    if !takes.is_zero() {
                        tokio::time::sleep(takes).await;
                    }
                    result
                })
            }),
            erase: Arc::new(erasures::done),
            gauges: Arc::new(move || shown.lock().expect("whole").clone()),
            metrics: Arc::new(|views, _, _, _| format!("madoguchi_seq {}\n", views.last_seq())),
            hash: Arc::new(|seq| Box::pin(async move { Some(format!("{seq:064x}")) })),
            ladder: Arc::new(|call| {
                Box::pin(async move {
                    if call == id(9) {
                        return Err("disk".to_owned());
                    }
                    Ok(if call == id(1) {
                        vec![arrived(1, 1), asked(2, 1), hung_up(3, 1, 9_000)]
                    } else {
                        vec![]
                    })
                })
            }),
            trace: Arc::new(trace::Kept::new()),
            doors: trace::doors(),
            log: log::doors(),
            drains: Arc::new(drain::Ordered::default()),
            reloads: Arc::new(reload::Files),
            listed: Arc::new(|_, _, _| Box::pin(async { Ok(vec![]) })),
            recordings: None,
            tickets: fed.clone(),
            version: "1.2.3".into(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        tokio::spawn(serve(listener, None, app, async move {
            let _ = stopped.await;
        }));
        let stop = Some(stop);
        Self { address, hub, commands, notes, people, gauges, fed, order_takes_ms, skew, stop }
    }

    async fn ask(&self, head: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.expect("connected");
        let request = format!(
            "{head}\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).await.expect("answered");
        let (head, body) = text.split_once("\r\n\r\n").expect("a whole answer");
        Answer { head: head.to_owned(), body: body.to_owned() }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nAuthorization: Bearer {TOKEN}"), "").await
    }

    async fn post(&self, path: &str, body: &str) -> Answer {
        self.ask(&format!("POST {path} HTTP/1.1\r\nAuthorization: bearer {TOKEN}"), body).await
    }

    /// Feeds and waits until it is in the views.
    async fn feed(&self, entries: Vec<Entry>) {
        let last = entries.last().expect("something").seq;
        self.hub.feed(entries);
        let until = Instant::now() + Duration::from_secs(10);
        while self.hub.read(|views, _, _| views.last_seq()) < last {
            assert!(Instant::now() < until, "entry {last} was not folded");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

struct Answer {
    head: String,
    body: String,
}

impl Answer {
    fn status(&self) -> u16 {
        let status = self.head.split(' ').nth(1).expect("a status line");
        status.parse().expect("a number")
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Reads server-sent events.
struct Events {
    stream: TcpStream,
    text: String,
}

impl Events {
    async fn open(world: &World, path: &str) -> Self {
        let mut stream = TcpStream::connect(world.address).await.expect("connected");
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        Self { stream, text: String::new() }
    }

    /// The next event of this name, with what it carries.
    async fn next(&mut self, name: &str) -> Value {
        let wanted = format!("event: {name}\ndata: ");
        loop {
            if let Some((before, rest)) = self.text.split_once(&wanted)
                && let Some((data, after)) = rest.split_once("\n\n")
            {
                let value = serde_json::from_str(data).expect("JSON");
                self.text = format!("{before}{after}"); // Other events wait for their turn.
                return value;
            }
            let mut bytes = vec![0; 65_536];
            let read = self.stream.read(&mut bytes);
            let n = tokio::time::timeout(Duration::from_secs(10), read).await;
            let n = n.expect("an event in time").expect("readable");
            assert!(n > 0, "the stream ended");
            self.text.push_str(&String::from_utf8_lossy(&bytes[..n]));
        }
    }
}

#[tokio::test]
async fn nothing_is_told_without_the_token() {
    let world = World::new().await;
    let closed = [
        "GET /metrics",
        "GET /api/v1/calls",
        "GET /api/v1/calls/00000000-0000-0001-0000-000000000001",
        "GET /api/v1/service-level",
        "GET /api/v1/operating",
        "GET /api/v1/agents",
        "GET /api/v1/board",
        "GET /api/v1/recordings",
        "GET /api/v1/events",
        "GET /api/v1/panel/2001",
        "GET /api/v1/panel/2001/events",
        "POST /api/v1/calls/00000000-0000-0001-0000-000000000001/notes",
        "POST /api/v1/agents/2001/sign-in",
        "POST /logout",
    ];
    let wrong = [
        "",
        "\r\nAuthorization: Bearer wrong-wrong-wrong",
        "\r\nAuthorization: Basic eDp5",
        "\r\nCookie: madoguchi_session=99999999999.00",
    ];
    for request in closed {
        for proof in wrong {
            let answer = world.ask(&format!("{request} HTTP/1.1{proof}"), "").await;
            assert_eq!(answer.status(), 401, "{request} with {proof:?}");
            assert!(!answer.body.contains("2001"), "{}", answer.body);
        }
    }
    assert!(world.commands.lock().expect("whole").is_empty());
    let page = world.ask("GET / HTTP/1.1", "").await;
    assert!(page.body.contains("name=\"token\"") && !page.body.contains("総合窓口"));
    for open in ["/healthz", "/wallboard.css", "/wallboard.js", "/wallboard-words.js"] {
        assert_eq!(world.ask(&format!("GET {open} HTTP/1.1"), "").await.status(), 200, "{open}");
    }
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_guard_a_browser() {
    let world = World::new().await;
    for path in ["/", "/healthz", "/nowhere", "/wallboard.js", "/api/v1/board"] {
        let answer = world.ask(&format!("GET {path} HTTP/1.1"), "").await;
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
}

/// Texts of people reach the page by JSON and become text nodes, never markup.
#[test]
fn the_page_has_no_way_to_make_markup_of_text() {
    for script in [
        include_str!("../../../web/wallboard.js"),
        include_str!("../../../web/wallboard-chart.js"),
        include_str!("../../../web/wallboard-words.js"),
    ] {
        for way in
            ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("]
        {
            assert!(!script.contains(way), "{way}");
        }
    }
    for page in
        [include_str!("../../../web/wallboard.html"), include_str!("../../../web/login.html")]
    {
        for way in ["<style", "style=", "onclick", "http://127", "https://"] {
            assert!(!page.contains(way), "{way}");
        }
        let inline = page.split("<script").skip(1).any(|rest| !rest.starts_with(" src=\"/"));
        assert!(!inline, "an inline script");
    }
}

#[tokio::test]
async fn who_only_looks_changes_nothing_and_sees_no_numbers_on_the_wire() {
    let world = World::new().await;
    let form = "POST /login HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded";
    let login = world.ask(form, &format!("token={VIEWER}")).await;
    let cookie = login.header("set-cookie").expect("a cookie");
    let cookie = format!("Cookie: {}", cookie.split(';').next().expect("a value"));
    let own = format!("X-Madoguchi: 1\r\nOrigin: http://{}", world.address);
    for proof in [format!("Authorization: Bearer {VIEWER}"), format!("{cookie}\r\n{own}")] {
        let table = [
            ("GET /api/v1/board", 200),
            ("GET /metrics", 200),
            ("GET /api/v1/sip/messages", 200),
            ("GET /api/v1/sip/messages?reveal=nothing", 200),
            ("GET /api/v1/sip/messages?reveal=numbers", 403),
            ("GET /api/v1/sip/messages?reve%61l=numbers", 403),
            ("GET /api/v1/sip/events?full=1&reveal=numbers", 403),
            ("POST /api/v1/agents/2002/sign-in", 403),
            ("DELETE /api/v1/blocked/192.0.2.66", 403),
        ];
        for (request, want) in table {
            let answer = world.ask(&format!("{request} HTTP/1.1\r\n{proof}"), "").await;
            assert_eq!(answer.status(), want, "{request} with {proof}: {}", answer.body);
        }
    }
    assert!(world.commands.lock().unwrap().is_empty());
    let whole = format!("Authorization: Bearer {TOKEN}");
    let numbers = format!("GET /api/v1/sip/messages?reveal=numbers HTTP/1.1\r\n{whole}");
    assert_eq!(world.ask(&numbers, "").await.status(), 200);
    let logout = world.ask(&format!("POST /logout HTTP/1.1\r\n{cookie}\r\n{own}"), "").await;
    assert!(logout.status() < 400, "{}", logout.status());
}

#[tokio::test]
async fn a_login_gives_a_cookie_that_only_our_page_can_use_for_changes() {
    let world = World::new().await;
    let form = "POST /login HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded";
    let wrong = world.ask(form, "token=wrong").await;
    assert_eq!((wrong.status(), wrong.header("set-cookie")), (401, None));
    let foreign = world
        .ask(&format!("{form}\r\nOrigin: http://evil.example"), &format!("token={TOKEN}"))
        .await;
    assert_eq!(foreign.status(), 403);
    let answer = world.ask(form, &format!("token={TOKEN}")).await;
    assert_eq!((answer.status(), answer.header("location")), (303, Some("/")));
    let cookie = answer.header("set-cookie").expect("a cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = format!("Cookie: other=1; {}", cookie.split(';').next().expect("a value"));

    let page = world.ask(&format!("GET / HTTP/1.1\r\n{cookie}"), "").await;
    assert!(page.body.contains("wallboard.js"));
    let change = format!("POST /api/v1/agents/2002/sign-in HTTP/1.1\r\n{cookie}");
    let own = format!("Origin: http://{}", world.address);
    let table = [
        ("no header", change.clone(), 403),
        (
            "another's page",
            format!("{change}\r\nX-Madoguchi: 1\r\nOrigin: http://evil.example"),
            403,
        ),
        ("our page", format!("{change}\r\nX-Madoguchi: 1\r\n{own}"), 204),
    ];
    for (case, request, due) in table {
        assert_eq!(world.ask(&request, "").await.status(), due, "{case}");
    }
    assert_eq!(world.commands.lock().expect("whole").len(), 1);
    // A month later the login has ended.
    world.skew.store(31 * 86_400_000, Ordering::Relaxed);
    let late = world.ask(&format!("GET /api/v1/board HTTP/1.1\r\n{cookie}"), "").await;
    assert_eq!(late.status(), 401);
}

#[tokio::test]
async fn the_health_page_says_which_part_fails() {
    let world = World::new().await;
    let table = [
        (Gauges::default(), 200, "ok", "ok", "ok"),
        (
            Gauges { journal: JournalState::Failing, ..Gauges::default() },
            503,
            "failing",
            "ok",
            "ok",
        ),
        (Gauges { engine_beat_age_ms: 5_001, ..Gauges::default() }, 503, "ok", "stalled", "ok"),
        (Gauges { media_beat_age_ms: 60_000, ..Gauges::default() }, 503, "ok", "ok", "stalled"),
        (Gauges { engine_beat_age_ms: 5_000, ..Gauges::default() }, 200, "ok", "ok", "ok"),
    ];
    for (gauges, status, journal, engine, media) in table {
        *world.gauges.lock().expect("whole") = gauges;
        let answer = world.ask("GET /healthz HTTP/1.1", "").await;
        let json = answer.json();
        let found = [&json["journal"], &json["engine"], &json["media"]];
        assert_eq!(
            (answer.status(), found.map(|v| v.as_str().expect("text"))),
            (status, [journal, engine, media])
        );
    }
}

#[tokio::test]
async fn liveness_is_told_apart_from_readiness() {
    let world = World::new().await;
    let lost = Gauges { journal_lost: 1, ..Gauges::default() };
    let failing = Gauges { journal: JournalState::Failing, ..Gauges::default() };
    let stuck = Gauges { engine_beat_age_ms: 60_000, ..Gauges::default() };
    for (gauges, whole, live, ready, reason) in [
        (lost, 200, 200, 200, "entries-lost"),
        (failing, 503, 200, 503, "journal-failing"),
        (stuck, 503, 503, 503, "engine-stalled"),
    ] {
        *world.gauges.lock().expect("whole") = gauges;
        for (path, status) in [("", whole), ("/live", live), ("/ready", ready)] {
            let answer = world.ask(&format!("GET /healthz{path} HTTP/1.1"), "").await;
            assert_eq!(answer.status(), status, "{path} {reason}: {}", answer.body);
            let json = answer.json();
            let told = json["reasons"].as_array().expect("reasons");
            if path.is_empty() || status == 503 {
                assert_eq!(told[0]["reason"], reason, "{json}");
                assert_eq!(told[0]["runbook"], format!("docs/RUNBOOK.md#{reason}"));
            } else {
                assert!(told.is_empty() && json["status"] == "ok", "{json}");
            }
        }
    }
}

#[tokio::test]
async fn the_api_tells_what_the_views_tell() {
    let world = World::new().await;
    let signed_in = Fact::Agent {
        agent: "2001".into(),
        event: AgentEvent::SignedIn { by: Means::FeatureCode },
    };
    world
        .feed(vec![
            arrived(1, 1),
            asked(2, 1),
            hung_up(3, 1, 9_000),
            arrived(4, 2),
            asked(5, 2),
            Entry { seq: 6, at: Wall(MORNING), fact: signed_in },
        ])
        .await;

    let calls = world.get("/api/v1/calls").await.json();
    let list = calls["calls"].as_array().expect("a list");
    assert_eq!(list.len(), 2);
    assert_eq!(list[0]["state"], "waiting");
    assert_eq!(list[1]["outcome"], "abandoned");
    assert_eq!(list[1]["arrived_at"], "2026-10-01T10:00:00.000+09:00");
    assert_eq!(list[1]["caller"]["name"], INJECTED);
    for (query, count) in [
        ("?limit=1", 1),
        ("?outcome=abandoned", 1),
        ("?outcome=failed", 0),
        ("?since=2026-10-01T10:00:00+09:00", 2),
        ("?since=2026-10-01T01:00:00.001Z", 0),
    ] {
        let found = world.get(&format!("/api/v1/calls{query}")).await.json();
        assert_eq!(found["calls"].as_array().map(Vec::len), Some(count), "{query}");
    }
    for bad in
        ["?limit=0", "?limit=1001", "?since=today", "?outcome=lost", "?page=2", "?limit=1&limit=2"]
    {
        let answer = world.get(&format!("/api/v1/calls{bad}")).await;
        assert_eq!(answer.status(), 400, "{bad}");
        assert!(answer.json()["error"].as_str().is_some_and(|text| text.contains("due")), "{bad}");
    }

    let level = world.get("/api/v1/service-level").await.json();
    assert_eq!(level["month"], "2026-10");
    assert_eq!(level["abandon_rate"]["percent"], "100.00");
    assert_eq!(level["abandon_rate"]["verdict"], "missed");
    assert_eq!(level["undecided"], 1);
    assert_eq!(level["policy"]["short_call_ms"], 3_000);
    let empty = world.get("/api/v1/service-level?month=2026-09").await.json();
    assert_eq!(
        (&empty["abandon_rate"]["percent"], &empty["abandon_rate"]["verdict"]),
        (&Value::Null, &"no_calls".into())
    );
    assert_eq!(world.get("/api/v1/service-level?month=2026-9").await.status(), 400);

    let agents = world.get("/api/v1/agents").await.json();
    assert_eq!(agents["agents"][0]["state"], "unreachable");
    assert_eq!(agents["agents"][1]["name"], "鈴木");
    let board = world.get("/api/v1/board").await.json();
    assert_eq!(board["waiting"]["count"], 1);
    assert_eq!(board["demonstration"], true);
    assert_eq!(world.get("/metrics").await.body, "madoguchi_seq 6\n");
}

#[tokio::test]
async fn one_calls_ladder_comes_from_the_store() {
    let world = World::new().await;
    let path = |n| format!("/api/v1/calls/{}", id(n));
    let one = world.get(&path(1)).await.json();
    assert_eq!(one["call"]["outcome"], "abandoned");
    assert_eq!(one["call"]["wait_ms"], 8_900);
    let kinds: Vec<_> = one["ladder"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|rung| &rung["event"]["kind"])
        .collect();
    assert_eq!(kinds, ["arrived", "operator_asked", "ended"]);
    assert_eq!(world.get(&path(2)).await.status(), 404);
    assert_eq!(world.get(&path(9)).await.status(), 503);
    assert_eq!(world.get("/api/v1/calls/1%20or%201=1").await.status(), 400);
}

#[tokio::test]
async fn orders_become_commands() {
    let world = World::new().await;
    let long = format!("{{\"reason\":\"{}\"}}", "長".repeat(65));
    let table = [
        ("2002/sign-in", "", 204),
        ("2001/sign-in", "", 409),
        ("2001/sign-out", "{}", 204),
        ("2002/sign-out", "", 503),
        ("2001/pause", r#"{"reason":" 昼休み "}"#, 204),
        ("2001/unpause", "", 204),
        ("9999/sign-in", "", 404),
        ("2001/dance", "", 404),
        ("2001/pause", "", 400),
        ("2001/pause", r#"{"reason":"a\nb"}"#, 400),
        ("2001/pause", &long, 400),
        ("2001/pause", r#"{"reason":"x","until":1}"#, 400),
        ("2001/pause", "reason=x", 400),
    ];
    for (path, body, due) in table {
        let answer = world.post(&format!("/api/v1/agents/{path}"), body).await;
        assert_eq!(answer.status(), due, "{path} {body}: {}", answer.body);
    }
    let commands = world.commands.lock().expect("whole").clone();
    assert_eq!(commands.len(), 7);
    let pause = Command::Pause { agent: "2001".into(), reason: "昼休み".into(), by: Means::Api };
    assert!(commands.contains(&pause));
    let huge = "x".repeat(super::BODY_BOUND + 1);
    assert_eq!(world.post("/api/v1/agents/2001/pause", &huge).await.status(), 413);
    assert_eq!(world.get("/api/v1/agents/2001/pause").await.status(), 405);
}

#[tokio::test]
async fn the_stream_shows_a_change_within_200_ms_and_coalesces_a_burst() {
    let world = World::new().await;
    let mut events = Events::open(&world, "/api/v1/events").await;
    assert_eq!(events.next("beat").await["status"], "ok");
    assert_eq!(events.next("board").await["waiting"]["count"], 0);
    // Five of them: a machine that is busy with others may make two wait.
    let mut spans = vec![];
    let mut board = serde_json::Value::Null;
    for n in 1..6 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let fed = Instant::now();
        world.hub.feed(vec![arrived(n * 2 - 1, n), asked(n * 2, n)]);
        board = events.next("board").await;
        spans.push(fed.elapsed());
        assert_eq!(board["waiting"]["count"], n);
    }
    spans.sort_unstable();
    assert!(spans[2] < Duration::from_millis(200), "{spans:?}");
    assert_eq!(board["waiting"]["calls"][0]["caller"]["name"], INJECTED);

    let burst = Instant::now();
    for n in 6..1_002 {
        world.hub.feed(vec![arrived(n * 2 - 1, n), asked(n * 2, n)]);
    }
    let mut boards = 0_u128;
    while board["seq"] != 2_002 {
        board = events.next("board").await;
        boards += 1;
    }
    let most = burst.elapsed().as_millis() / super::PUBLISH_EVERY.as_millis() + 2;
    assert!(boards <= most, "{boards} boards in {:?}", burst.elapsed());
    assert_eq!(board["waiting"]["count"], 1_001);
}

#[tokio::test]
async fn a_reader_who_reads_nothing_holds_nobody_up() {
    let world = World::new().await;
    let mut lazy = vec![];
    for _ in 0..20 {
        lazy.push(Events::open(&world, "/api/v1/events").await);
    }
    let mut events = Events::open(&world, "/api/v1/events").await;
    let mut seq = 0;
    for n in 1..=40 {
        let part: Vec<Entry> = (0..50)
            .map(|_| {
                seq += 1;
                arrived(seq, seq)
            })
            .collect();
        world.hub.feed(part);
        let until = Instant::now() + Duration::from_secs(5);
        while events.next("board").await["seq"] != n * 50 {
            assert!(Instant::now() < until);
        }
    }
    drop(lazy);
}

/// The journal as a list, read in blocks of a hundred.
fn store_of(all: &Arc<Vec<Entry>>) -> Reread {
    let all = Arc::clone(all);
    Arc::new(move |from| {
        let found = all.iter().filter(|entry| entry.seq >= from).take(100).cloned().collect();
        Box::pin(async move { found })
    })
}

#[tokio::test]
async fn what_the_feed_has_no_room_for_is_read_from_the_store() {
    let history: Arc<Vec<Entry>> = Arc::new((1..=500).map(|n| arrived(n, n)).collect());
    let world = World::with_store(store_of(&history)).await;
    // A hole in the feed: 101 to 300 never come.
    world.feed(history[..100].to_vec()).await;
    world.feed(history[300..400].to_vec()).await;
    // More than fits, and nothing after it.
    let over: Vec<Entry> =
        (0..=FEED_BOUND).map(|_| history[399].clone()).chain(history[400..].to_vec()).collect();
    world.feed(over).await;
    let (holes, open) = world.hub.read(|views, _, _| (views.holes(), views.open_count()));
    assert_eq!((holes, open), (0, 500));
}

#[tokio::test]
async fn how_far_the_views_are_behind_is_told_until_they_are_not() {
    let history: Arc<Vec<Entry>> = Arc::new((1..=500).map(|n| arrived(n, n)).collect());
    let (gate, read) = (Arc::new(tokio::sync::Notify::new()), store_of(&history));
    let opened = Arc::clone(&gate);
    let slow: Reread = Arc::new(move |from| {
        let (opened, found) = (Arc::clone(&opened), read(from));
        Box::pin(async move {
            opened.notified().await;
            found.await
        })
    });
    let world = World::with_store(slow).await;
    let behind = || world.hub.behind();
    assert_eq!(behind(), FeedGauge::default());
    // Nobody folds before this test waits.
    world.hub.feed(history[..2].to_vec());
    world.hub.feed(history[2..5].to_vec());
    assert_eq!(behind().behind, 5);
    #[expect(clippy::disallowed_methods, reason = "the runtime must not run meanwhile")]
    std::thread::sleep(Duration::from_millis(20));
    assert!((20..5_000).contains(&behind().lag_ms), "{:?}", behind());
    world.feed(history[5..6].to_vec()).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(behind(), FeedGauge::default());
    // What is being folded counts until it is: here it waits for the store.
    world.hub.feed(history[50..60].to_vec());
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(behind().behind, 10);
    assert!(behind().lag_ms >= 50, "{:?}", behind());
    gate.notify_one();
    let until = Instant::now() + Duration::from_secs(5);
    while behind() != FeedGauge::default() {
        assert!(Instant::now() < until, "{:?}", behind());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    // So does what found no room. The store has given a hundred at once, 7 to 106.
    let over: Vec<Entry> = (0..=FEED_BOUND).map(|_| history[499].clone()).collect();
    world.hub.feed(over);
    assert_eq!(behind().behind, 394);
}

#[tokio::test]
async fn what_the_store_lost_is_counted_and_passed() {
    let world = World::new().await;
    world.feed(vec![arrived(1, 1), arrived(5, 2)]).await;
    let (holes, calls) = world.hub.read(|views, _, _| {
        (views.holes(), views.calls(&CallQuery { limit: 9, since: None, outcome: None }).len())
    });
    assert_eq!((holes, calls), (3, 2));
}

#[tokio::test]
async fn a_stopped_server_lets_its_streams_go() {
    let mut world = World::new().await;
    let mut events = Events::open(&world, "/api/v1/events").await;
    events.next("board").await;
    world.stop.take().expect("running").send(()).expect("listening");
    let mut rest = Vec::new();
    let read = events.stream.read_to_end(&mut rest);
    let ended = tokio::time::timeout(Duration::from_secs(5), read).await;
    assert!(ended.is_ok(), "the stream went on");
}

#[tokio::test]
async fn a_program_reads_why_it_was_refused_also_when_no_handler_was_asked() {
    let world = World::new().await;
    let admin = format!("HTTP/1.1\r\nAuthorization: Bearer {TOKEN}");
    let long = "x".repeat(super::BODY_BOUND + 1);
    let call = "/api/v1/calls/00000000-0000-0001-0000-000000000001";
    let table = [
        (413, format!("POST {call}/notes {admin}"), long.as_str()),
        (400, format!("GET /api/v1/calls/%FF {admin}"), ""),
        (400, format!("POST /api/v1/agents/%ff/sign-in {admin}"), ""),
        (405, format!("PUT /api/v1/calls {admin}"), ""),
        (405, "GET /login HTTP/1.1".to_owned(), ""),
        (404, format!("GET /api/v1/nowhere {admin}"), ""),
    ];
    for (status, head, body) in table {
        let answer = world.ask(&head, body).await;
        assert_eq!(answer.status(), status, "{head}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{head}");
        assert!(answer.json()["error"].as_str().is_some_and(|why| !why.is_empty()), "{head}");
    }
}

#[tokio::test]
async fn a_reason_that_says_nothing_is_refused_with_every_order() {
    let world = World::new().await;
    for action in ["pause", "sign-in", "sign-out", "unpause", "wrap-up-end"] {
        for reason in ["", " ", "a\\nb", &"字".repeat(65)] {
            let body = format!("{{\"reason\": \"{reason}\"}}");
            let answer = world.post(&format!("/api/v1/agents/2001/{action}"), &body).await;
            assert_eq!(answer.status(), 400, "{action} {reason:?}");
        }
    }
    assert!(world.commands.lock().expect("whole").is_empty());
}
