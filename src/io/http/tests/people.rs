//! Logins by name, and what each role may: the whole table of addresses is walked with every one.

use super::super::routes::{Own, RIGHTS, Right};
use super::*;
use crate::people::SESSION_S;

const FORM: &str = "POST /login HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded";

impl World {
    async fn login(&self, user: &str, password: &str) -> Answer {
        let password = password.replace(' ', "+");
        self.ask(FORM, &format!("user={user}&password={password}")).await
    }

    /// What a browser sends along after a login.
    pub(super) async fn cookie(&self, user: &str) -> String {
        let answer = self.login(user, PASSWORD).await;
        assert_eq!(answer.status(), 303, "{}", answer.body);
        let cookie = answer.header("set-cookie").expect("a cookie");
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        format!("Cookie: {}", cookie.split(';').next().expect("a value"))
    }

    /// The status alone: an event stream has no end to wait for.
    async fn status_of(&self, request: &str, proof: &str, body: &str) -> u16 {
        let mut stream = TcpStream::connect(self.address).await.expect("connected");
        let request = format!(
            "{request} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{proof}Content-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut head = [0; 12];
        stream.read_exact(&mut head).await.expect("answered");
        String::from_utf8_lossy(&head[9..]).parse().expect("a status")
    }
}

/// One talk of agent 2001 that lasts.
async fn talking(world: &World) {
    let answered = CallEvent::OperatorAnswered { agent: "2001".into() };
    world.feed(vec![arrived(1, 5), asked(2, 5), entry(3, 5, 900, answered)]).await;
}

/// A path as somebody asks for it: with what is the agent's own, or what is not.
fn path(right: &Right, own: bool) -> String {
    let line = if own { "2001" } else { "2002" };
    let call = if own { id(5) } else { id(6) };
    right
        .path
        .replace("{extension}", line)
        .replace("{id}", &call.0.to_string())
        .replace("{call}", &id(6).0.to_string())
        .replace("{number}", "1")
        .replace("{slot}", "701")
        .replace("{month}", "2026-08")
        .replace("{figure}", "abandon")
        .replace("{source}", "192.0.2.66")
        .replace("{form}", "ladder.txt")
        .replace("{target}", "ledger")
        .replace("{incident}", "1")
        .replace("{room}", "net")
        .replace("{level}", "nothing-such")
        .replace("{action}", "nothing-such")
}

#[tokio::test]
async fn every_address_is_walked_with_every_role() {
    let world = World::new().await;
    talking(&world).await;
    let page = format!("X-Madoguchi: 1\r\nOrigin: http://{}\r\n", world.address);
    let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
    let mut proofs = vec![
        (None, String::new()),
        (Some(Role::Wall), bearer(WALL)),
        (Some(Role::Viewer), bearer(VIEWER)),
        (Some(Role::Admin), bearer(TOKEN)),
    ];
    for (user, role) in [
        ("guest", Role::Viewer),
        ("sato", Role::Agent),
        ("kacho", Role::Supervisor),
        ("root", Role::Admin),
    ] {
        proofs.push((Some(role), format!("{}\r\n{page}", world.cookie(user).await)));
    }
    let mut walked = 0;
    for right in RIGHTS.iter().filter(|right| right.path != "/logout") {
        for (role, proof) in &proofs {
            for own in [true, false] {
                let request = format!("{} {}", right.method.to_uppercase(), path(right, own));
                let body = match right.path {
                    "/api/v1/parked/{slot}/fetch" if own => r#"{"agent": "2001"}"#,
                    "/api/v1/parked/{slot}/fetch" => r#"{"agent": "2002"}"#,
                    "/api/v1/calls/{id}/notes" if own => r#"{"agent": "2001", "text": "再送"}"#,
                    "/api/v1/calls/{id}/notes" => r#"{"agent": "2002", "text": "再送"}"#,
                    "/api/v1/supervision" if own => {
                        r#"{"by": "2010", "agent": "2001", "mode": "listen"}"#
                    }
                    "/api/v1/supervision" => r#"{"by": "2011", "agent": "2001", "mode": "listen"}"#,
                    _ => "",
                };
                let status = world.status_of(&request, proof, body).await;
                let case = format!("{request} as {role:?}: {status}");
                let Some(role) = role else {
                    assert_eq!(status, 401, "{case}");
                    continue;
                };
                let supervises = right.path == "/api/v1/supervision";
                let another = match right.own {
                    // Nobody left a message in this world.
                    Own::Message => *role == Role::Agent,
                    Own::Line | Own::Call => *role == Role::Agent && !own,
                    Own::Body if supervises => *role == Role::Supervisor && !own,
                    Own::Body => *role == Role::Agent && !own,
                    Own::Any => false,
                };
                let due = *role >= right.least && !another;
                assert_eq!(status != 403, due, "{case}");
                assert_ne!(status, 401, "{case}");
                walked += 1;
            }
        }
    }
    assert!(walked > 500, "{walked}");
}

#[tokio::test]
async fn a_person_signs_in_by_name_and_what_is_ordered_stands_in_the_history_with_the_name() {
    let world = World::new().await;
    let wrong = world.login("sato", "something else entirely").await;
    assert_eq!((wrong.status(), wrong.header("set-cookie")), (401, None));
    assert!(wrong.body.contains("パスワードが違います"), "{}", wrong.body);
    let nobody = world.login("nobody", PASSWORD).await;
    assert_eq!((nobody.status(), nobody.body), (401, wrong.body), "who exists is not told");
    let cookie = world.cookie("sato").await;
    let me = world.ask(&format!("GET /api/v1/me HTTP/1.1\r\n{cookie}"), "").await.json();
    let due =
        serde_json::json!({"user": "sato", "name": "佐藤", "role": "agent", "extension": "2001"});
    assert_eq!(me, due);
    let token = world.get("/api/v1/me").await.json();
    assert_eq!((&token["user"], &token["role"]), (&"token".into(), &"admin".into()));
    let own = format!("{cookie}\r\nX-Madoguchi: 1\r\nOrigin: http://{}", world.address);
    let order = |path: &str| format!("POST {path} HTTP/1.1\r\n{own}");
    let pause = world.ask(&order("/api/v1/agents/2001/pause"), r#"{"reason": "昼休み"}"#).await;
    assert_eq!(pause.status(), 204, "{}", pause.body);
    assert_eq!(world.ask(&order("/api/v1/agents/2002/pause"), "").await.status(), 403);
    assert!(world.ask(&order("/logout"), "").await.status() < 400);
    let named = |event: &DeskEvent| match event {
        DeskEvent::PersonSignedIn { who, role, .. } => format!("in {who} {role}"),
        DeskEvent::PersonSignedOut { who, .. } => format!("out {who}"),
        DeskEvent::Ordered { who, role, what } => format!("{who} {role} {what}"),
        other => format!("{other:?}"),
    };
    let notes: Vec<String> = world.notes.lock().expect("whole").iter().map(named).collect();
    let due = ["in sato agent", "sato agent POST /api/v1/agents/2001/pause", "out sato"];
    assert_eq!(notes, due, "what was refused is no order");
}

#[tokio::test]
async fn an_author_is_who_signed_in() {
    let world = World::new().await;
    let cookie = world.cookie("kacho").await;
    let own = format!("{cookie}\r\nX-Madoguchi: 1\r\nOrigin: http://{}", world.address);
    let enter = format!("POST /api/v1/exclusions HTTP/1.1\r\n{own}");
    let times = r#""from": "2026-10-01T08:30:00+09:00", "until": "2026-10-01T09:00:00+09:00""#;
    let period = |author: &str| format!(r#"{{{author}"reason": "通信障害", {times}}}"#);
    let other = world.ask(&enter, &period(r#""author": "佐藤", "#)).await;
    assert_eq!(other.status(), 403, "{}", other.body);
    for author in ["", r#""author": "課長", "#] {
        let entered = world.ask(&enter, &period(author)).await;
        assert_eq!(entered.status(), 201, "{}", entered.body);
    }
    let declared = |command: &Command| match command {
        Command::Declare { author, .. } => author.clone(),
        other => panic!("{other:?}"),
    };
    let authors: Vec<String> = world.commands.lock().expect("whole").iter().map(declared).collect();
    assert_eq!(authors, ["課長", "課長"]);
}

#[tokio::test]
async fn who_guesses_waits_and_the_right_password_does_too() {
    let world = World::new().await;
    for _ in 0..5 {
        assert_eq!(world.login("sato", "something else entirely").await.status(), 401);
    }
    let slowed = world.login("sato", PASSWORD).await;
    assert_eq!(slowed.status(), 429, "{}", slowed.body);
    assert!(slowed.header("retry-after").is_some_and(|s| s.parse::<u64>().is_ok()));
    assert!(slowed.body.contains("待ってから") && slowed.header("set-cookie").is_none());
    assert_eq!(world.login("kacho", PASSWORD).await.status(), 303, "a colleague is not slowed");
}

#[tokio::test]
async fn a_login_ends_by_its_time_and_with_the_account() {
    let world = World::new().await;
    let cookie = world.cookie("sato").await;
    let board = format!("GET /api/v1/board HTTP/1.1\r\n{cookie}");
    assert_eq!(world.ask(&board, "").await.status(), 200);
    let hours = i64::try_from(SESSION_S).expect("short");
    world.skew.store(hours * 1_000 + 1_000, Ordering::Relaxed);
    assert_eq!(world.ask(&board, "").await.status(), 401);
    world.skew.store(0, Ordering::Relaxed);
    let mut people = people();
    people.get_mut("sato").expect("there").role = Role::Viewer;
    world.people.replace(people.clone());
    let own = format!("{cookie}\r\nX-Madoguchi: 1\r\nOrigin: http://{}", world.address);
    let pause = format!("POST /api/v1/agents/2001/unpause HTTP/1.1\r\n{own}");
    assert_eq!(world.ask(&pause, "").await.status(), 403, "the new role holds at once");
    people.remove("sato");
    world.people.replace(people);
    assert_eq!(world.ask(&board, "").await.status(), 401);
}

/// What is logged by this thread while it lives.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("whole").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_refused_question_about_a_caller_leaves_no_number_in_the_log() {
    let world = World::new().await;
    let ask = "GET /api/v1/callers/0398765432?x=0398765432";
    let proof = format!("Authorization: Bearer {WALL}\r\n");
    // Once before: a line that another thread, which logs nowhere, is the first to say while there is one log in all is
    // said nowhere from then on, until there is another log.
    assert_eq!(world.status_of(ask, &proof, "").await, 403);
    let logged = Logged::default();
    let into = logged.clone();
    let log = tracing_subscriber::fmt().with_writer(move || into.clone()).finish();
    let _while_this_lives = tracing::subscriber::set_default(log);
    assert_eq!(world.status_of(ask, &proof, "").await, 403);
    let text = String::from_utf8(logged.0.lock().expect("whole").clone()).expect("UTF-8");
    assert!(text.contains("does not allow") && text.contains("/api/v1/callers/"), "{text}");
    assert!(!text.contains("0398765432"), "{text}");
}

/// A stream that this login holds open, once its answer has begun.
async fn held_open(world: &World, path: &str, cookie: &str) -> TcpStream {
    let mut stream = TcpStream::connect(world.address).await.expect("connected");
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{cookie}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.expect("answered");
    assert_eq!(&head[9..], b"200", "{path}");
    stream
}

/// Whether the stream ends within two beats and a half.
async fn ends(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    let read = stream.read_to_end(&mut rest);
    tokio::time::timeout(Duration::from_secs(5), read).await.is_ok()
}

#[tokio::test]
async fn signing_out_everywhere_ends_open_streams_at_the_next_beat() {
    const SIP: &str = "/api/v1/sip/events?reveal=numbers";
    let world = World::new().await;
    let streams = |user: &'static str| {
        let paths: &[&str] = match user {
            "sato" => &["/api/v1/events", "/api/v1/panel/2001/events"],
            "kacho" => &["/api/v1/events", "/api/v1/panel/2001/events", SIP],
            _ => &["/api/v1/events", SIP],
        };
        let world = &world;
        async move {
            let (cookie, mut open) = (world.cookie(user).await, Vec::new());
            for path in paths {
                open.push((*path, held_open(world, path, &cookie).await));
            }
            open
        }
    };
    let (agents, supervisors, others) =
        (streams("sato").await, streams("kacho").await, streams("root").await);
    // One has another line now, one is a viewer now, and one is signed out everywhere.
    let mut changed = people();
    changed.get_mut("sato").expect("there").extension = Some("2002".into());
    changed.get_mut("kacho").expect("there").role = Role::Viewer;
    let now_s = u64::try_from(MORNING / 1_000).expect("after 1970") + 10;
    assert!(changed.sign_out("root", now_s));
    world.people.replace(changed);
    for (who, open) in [("sato", agents), ("kacho", supervisors), ("root", others)] {
        for (path, mut stream) in open {
            // What everybody may read goes on for who is still known.
            let due = who == "root" || path != "/api/v1/events";
            assert_eq!(ends(&mut stream).await, due, "{who} {path}");
        }
    }
    // A token's reader is not concerned.
    let mut screen = Events::open(&world, "/api/v1/events").await;
    for _ in 0..3 {
        screen.next("beat").await;
    }
}
