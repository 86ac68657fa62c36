//! People sign in to a running desk by TLS, with curl as the browser: accounts by the command, roles, what is
//! taken over by a reload, what stands in the history.
#![allow(clippy::pedantic, clippy::disallowed_methods)]

mod left;
mod sign_on;
#[path = "../support/mod.rs"]
mod support;

use madoguchi::event::DeskEvent;
use std::io::Write as _;
use std::process::{Command, Stdio};
use support::desk::binary;
use support::ports::Block;
use support::process::{Dir, Process};
use support::tls::Authority;
use support::{eventually, s};

const PASSWORD: &str = "a password of some length";

/// A desk whose pages have a certificate and whose people have accounts.
struct Desk {
    process: Process,
    argv: Vec<String>,
    dir: Dir,
    port: u16,
    /// For an identity provider.
    provider: u16,
    _ports: Block,
    authority: Authority,
}

impl Desk {
    fn start() -> Self {
        Self::with("")
    }

    /// With more of its configuration; `@PORT@` is its own, `@PROVIDER@` an identity provider's.
    fn with(more: &str) -> Self {
        let ports = Block::take();
        let (port, sip, (first, last)) = (ports.port(), ports.port(), ports.media());
        let provider = ports.port();
        let dir = Dir::new("people");
        let authority = Authority::new();
        authority.write(&dir.file("authority.pem"));
        authority.sign().write(&dir, "desk");
        dir.write("accounts.tsv", "2001\tsome-password-2001\n");
        use std::os::unix::fs::PermissionsExt as _;
        let own = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(dir.file("accounts.tsv"), own.clone()).unwrap();
        // Known to the identity provider, where there is one.
        std::fs::set_permissions(dir.write("secrets/oidc", "secret of madoguchi\n"), own).unwrap();
        let plan = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("dialplans/demo.toml");
        let text = format!(
            "[sip]\nlisten = [\"udp:127.0.0.1:{sip}\"]\nrealm = \"desk.example\"\n[media]\nports = \"{first}-{last}\"\n\
             [store]\nfile = \"store/desk.db\"\n[http]\nlisten = \"127.0.0.1:{port}\"\ncertificate = \"desk.pem\"\n\
             key = \"desk.key\"\npeople_file = \"secrets/people.toml\"\nwall_token_file = \"secrets/wall\"\n\
             [plan]\nfile = \"{}\"\n[accounts]\nfile = \"accounts.tsv\"\n\
             [[trunks]]\nname = \"demo-carrier\"\nsources = [\"127.0.0.1:{}\"]\n{}",
            plan.display(),
            ports.port(),
            more.replace("@PORT@", &port.to_string()).replace("@PROVIDER@", &provider.to_string()),
        );
        dir.write("madoguchi.toml", &text);
        let config = dir.file("madoguchi.toml").display().to_string();
        let argv = [binary(), "serve".into(), "--config".into(), config];
        let process = Process::start("madoguchi", &argv, dir.path(), dir.file("daemon.log"));
        let desk =
            Self { process, argv: argv.to_vec(), dir, port, provider, _ports: ports, authority };
        eventually("the pages are served by TLS", s(20), || desk.curl(&["/healthz"]).0 == 200);
        desk
    }

    /// `kill -9`, and a start on the same store.
    fn again(&mut self) {
        self.process.kill();
        let log = self.dir.file("daemon.log");
        self.process = Process::start("madoguchi", &self.argv, self.dir.path(), log);
        eventually("the pages are served again", s(20), || self.curl(&["/healthz"]).0 == 200);
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.file("daemon.log")).unwrap_or_default()
    }

    /// A request as curl makes it, judging the certificate by the authority: status, then head and body.
    fn curl(&self, arguments: &[&str]) -> (u16, String) {
        let (path, rest) = arguments.split_first().unwrap();
        let out = Command::new("curl")
            .args(["-sS", "-i", "--max-time", "10", "--cacert"])
            .arg(self.dir.file("authority.pem"))
            .args(["--resolve", &format!("desk.example:{}:127.0.0.1", self.port)])
            .args(rest)
            .arg(format!("https://desk.example:{}{path}", self.port))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        (status, text)
    }

    fn login(&self, user: &str, password: &str, jar: &str) -> (u16, String) {
        let jar = self.dir.file(jar).display().to_string();
        let (user, password) = (format!("user={user}"), format!("password={password}"));
        let form = ["--data-urlencode", &user, "--data-urlencode", &password];
        self.curl(&[&["/login", "-c", &jar][..], &form].concat())
    }

    /// As a page of ours asks, with the cookies of a login.
    fn ask(&self, jar: &str, method: &str, path: &str, body: &str) -> (u16, String) {
        let jar = self.dir.file(jar).display().to_string();
        let own = format!("Origin: https://desk.example:{}", self.port);
        let mut all = vec![path, "-b", &jar, "-X", method, "-H", "X-Madoguchi: 1", "-H", &own];
        if !body.is_empty() {
            all.extend(["-d", body]);
        }
        self.curl(&all)
    }

    fn people(&self, arguments: &[&str], typed: &str) -> String {
        let mut child = Command::new(binary())
            .arg("people")
            .args(arguments)
            .arg("--config")
            .arg(self.dir.file("madoguchi.toml"))
            .args(["--lang", "en"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that reads nothing may be over already.
        let _ = child.stdin.take().unwrap().write_all(format!("{typed}\n").as_bytes());
        let out = child.wait_with_output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    fn reload(&self) {
        let log = || std::fs::read_to_string(self.dir.file("daemon.log")).unwrap_or_default();
        let before = log().matches("were read again").count();
        self.process.signal("HUP");
        eventually("what changed is in force", s(10), || {
            log().matches("were read again").count() > before
        });
    }

    /// What people did, from the history.
    fn events(&self) -> Vec<DeskEvent> {
        let out = Command::new(binary())
            .args(["events", "export"])
            .arg(self.dir.file("store/desk.db"))
            .output()
            .unwrap();
        let lines = String::from_utf8_lossy(&out.stdout).into_owned();
        let entries =
            lines.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let entries = entries
            .map(|entry| if entry["entry"].is_object() { entry["entry"].clone() } else { entry });
        entries
            .filter(|entry| entry["of"] == "desk")
            .filter_map(|entry| serde_json::from_value(entry["event"].clone()).ok())
            .collect()
    }
}

#[test]
fn people_come_by_name_through_tls_and_what_they_order_bears_their_name() {
    let desk = Desk::start();
    assert_eq!(desk.login("sato", PASSWORD, "sato").0, 401, "nobody has an account yet");
    desk.people(
        &["add", "sato", "--name", "佐藤", "--role", "agent", "--extension", "2009"],
        PASSWORD,
    );
    desk.people(&["add", "kacho", "--name", "課長", "--role", "supervisor"], PASSWORD);
    assert_eq!(desk.login("sato", PASSWORD, "sato").0, 401, "not before the reload");
    desk.reload();
    let (status, answer) = desk.login("sato", PASSWORD, "sato");
    assert_eq!(status, 303, "{answer}");
    assert!(answer.contains("; Secure") && answer.contains("HttpOnly"), "{answer}");
    assert_eq!(desk.login("kacho", PASSWORD, "kacho").0, 303);
    let (_, me) = desk.ask("sato", "GET", "/api/v1/me", "");
    assert!(me.contains(r#""role":"agent","extension":"2009""#), "{me}");
    let (status, answer) = desk.ask("sato", "POST", "/api/v1/agents/2009/sign-in", "");
    assert_eq!(status, 204, "{answer}");
    assert_eq!(desk.ask("sato", "POST", "/api/v1/agents/2002/sign-out", "").0, 403);
    assert_eq!(desk.ask("sato", "POST", "/api/v1/hours/all/restore", "{}").0, 403);
    // A supervisor's word about the hours is theirs without a name in it.
    let until = r#"{"reason": "停電", "until": "2099-10-01T18:15:00+09:00"}"#;
    let (status, answer) = desk.ask("kacho", "POST", "/api/v1/hours/all/close", until);
    assert_eq!(status, 400, "an end within 400 days is due: {answer}");
    let soon = chrono::Utc::now() + chrono::TimeDelta::hours(1);
    let until = format!(r#"{{"reason": "停電", "until": "{}"}}"#, soon.timestamp_millis());
    let (status, answer) = desk.ask("kacho", "POST", "/api/v1/hours/all/close", &until);
    assert_eq!(status, 204, "{answer}");
    let (_, hours) = desk.ask("kacho", "GET", "/api/v1/hours", "");
    assert!(hours.contains(r#""author":"課長""#), "{hours}");
    let ordered: Vec<String> = desk
        .events()
        .into_iter()
        .filter_map(|event| match event {
            DeskEvent::Ordered { who, role, what } => Some(format!("{who} {role} {what}")),
            DeskEvent::PersonSignedIn { who, .. } => Some(format!("in {who}")),
            _ => None,
        })
        .collect();
    let due = [
        "in sato",
        "in kacho",
        "sato agent POST /api/v1/agents/2009/sign-in",
        "kacho supervisor POST /api/v1/hours/all/close",
        "kacho supervisor POST /api/v1/hours/all/close",
    ];
    assert_eq!(ordered, due);
    let log = std::fs::read_to_string(desk.dir.file("daemon.log")).unwrap();
    assert!(log.contains("what the role does not allow") && !log.contains(PASSWORD), "{log}");
}

#[test]
fn an_account_a_role_and_a_certificate_are_replaced_while_people_are_signed_in() {
    let desk = Desk::start();
    let made = desk
        .people(&["add", "sato", "--name", "佐藤", "--role", "viewer", "--generate", "--json"], "");
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    desk.reload();
    assert_eq!(desk.login("sato", made["password"].as_str().unwrap(), "sato").0, 303);
    let approve = |status| {
        let (found, answer) = desk.ask("sato", "POST", "/api/v1/exclusions/1/approve", "{}");
        assert_eq!(found, status, "{answer}");
    };
    approve(403);
    desk.people(&["change", "sato", "--role", "supervisor"], "");
    desk.authority.sign().write(&desk.dir, "desk");
    let serial = || {
        let out = Command::new("sh")
            .arg("-c")
            .arg(format!(
                "openssl s_client -connect 127.0.0.1:{} -servername desk.example </dev/null 2>/dev/null | openssl x509 -noout -serial",
                desk.port
            ))
            .output()
            .unwrap();
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    let before = serial();
    assert!(before.starts_with("serial="), "{before}");
    desk.reload();
    approve(404); // allowed now, and there is no such exclusion
    assert_ne!(serial(), before, "the new certificate is shown");
    desk.people(&["password", "sato"], PASSWORD);
    desk.reload();
    approve(401);
    assert_eq!(desk.login("sato", PASSWORD, "sato").0, 303);
    desk.people(&["remove", "sato"], "");
    desk.reload();
    approve(401);
}

#[test]
fn a_walls_screen_sees_the_board_and_nothing_else() {
    let desk = Desk::start();
    let token = std::fs::read_to_string(desk.dir.file("secrets/wall")).unwrap();
    let jar = desk.dir.file("wall").display().to_string();
    let form = format!("token={}", token.trim());
    assert_eq!(desk.curl(&["/login", "-c", &jar, "-d", &form]).0, 303);
    assert_eq!(desk.ask("wall", "GET", "/api/v1/board", "").0, 200);
    for path in ["/api/v1/calls", "/metrics", "/api/v1/agents", "/api/v1/recordings"] {
        assert_eq!(desk.ask("wall", "GET", path, "").0, 403, "{path}");
    }
    let (status, page) = desk.curl(&["/tv"]);
    assert!(status == 200 && page.contains("/tv.js") && !page.contains(token.trim()));
}

#[test]
fn a_handshake_that_dawdles_holds_nobody_up() {
    let desk = Desk::start();
    let slow: Vec<_> =
        (0..50).map(|_| std::net::TcpStream::connect(("127.0.0.1", desk.port)).unwrap()).collect();
    for _ in 0..3 {
        assert_eq!(desk.curl(&["/healthz"]).0, 200);
    }
    // Who speaks no TLS gets no page.
    let plain = Command::new("curl")
        .args(["-sS", "--max-time", "5", &format!("http://127.0.0.1:{}/", desk.port)])
        .output()
        .unwrap();
    assert!(!plain.status.success() && plain.stdout.is_empty());
    drop(slow);
}
