//! From `init` to the first call.

use crate::support::desk::binary;
use crate::support::line::Line;
use crate::support::message::sdp;
use crate::support::ports::Block;
use crate::support::process::{Dir, Process};
use crate::support::tls::Authority;
use crate::support::{eventually, s};
use serde_json::Value;
use std::net::SocketAddr;
use std::process::Command;

/// A desk made by `init`, with what it said.
struct Desk {
    dir: Dir,
    ports: Block,
    sip: SocketAddr,
    pages: u16,
    said: Value,
}

impl Desk {
    fn init() -> Self {
        let (dir, ports) = (Dir::new("install"), Block::take());
        let (sip, pages, (first, last)) = (ports.port(), ports.port(), ports.media());
        // TLS takes the port above SIP's.
        let folder = dir.file("etc").display().to_string();
        let (sip_port, pages_port, rtp) =
            (sip.to_string(), pages.to_string(), format!("{first}-{last}"));
        let out = Command::new(binary())
            .args(["init", &folder, "--number", "0312345678", "--agents", "2", "--open"])
            .args(["mon-sun=00:00-24:00", "--address", "127.0.0.1", "--sip-port", &sip_port])
            .args(["--pages-port", &pages_port, "--rtp", &rtp, "--yes", "--json", "--lang", "en"])
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let said = serde_json::from_slice(&out.stdout).unwrap();
        Self { dir, ports, sip: SocketAddr::from(([127, 0, 0, 1], sip)), pages, said }
    }

    fn config(&self) -> String {
        self.dir.file("etc/madoguchi.toml").display().to_string()
    }

    /// A command about this desk: its exit code, and all that it said.
    fn command(&self, arguments: &[&str]) -> (i32, String) {
        let out = Command::new(binary())
            .args(arguments)
            .args(["--config", &self.config(), "--lang", "en"])
            .output()
            .unwrap();
        let said = [out.stdout, out.stderr].concat();
        (out.status.code().unwrap(), String::from_utf8_lossy(&said).into_owned())
    }

    fn serve(&self) -> Process {
        let argv = [binary(), "serve".to_owned(), "--config".to_owned(), self.config()];
        let log = self.dir.file("daemon.log");
        let process = Process::start("madoguchi", &argv, self.dir.path(), log);
        eventually("healthz", s(20), || self.curl("/healthz", &[]).0 == 200);
        process
    }

    fn curl(&self, path: &str, more: &[&str]) -> (u16, String) {
        let out = Command::new("curl")
            .args(["-sS", "-i", "--max-time", "10", "--cacert"])
            .arg(self.dir.file("etc/tls/desk.pem"))
            .args(more)
            .arg(format!("https://127.0.0.1:{}{path}", self.pages))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        (status, text)
    }

    fn phone(&self, user: &str) -> (Line, String) {
        let password = self.said["phones"][user].as_str().unwrap().to_owned();
        (Line::new(self.ports.port(), user, self.sip), password)
    }

    /// The lines of `doctor` on a topic, as marks, and its exit code.
    fn doctor(&self) -> (i32, Value) {
        let (code, said) = self.command(&["doctor", "--json"]);
        (code, serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}")))
    }
}

fn marks<'a>(doctor: &'a Value, topic: &str) -> Vec<&'a str> {
    let lines = doctor["lines"].as_array().unwrap().iter();
    lines.filter(|line| line["topic"] == topic).map(|line| line["mark"].as_str().unwrap()).collect()
}

#[test]
fn a_desk_from_init_takes_its_first_call() {
    let desk = Desk::init();
    // Whatever the day on which this test runs.
    let plan = desk.dir.file("etc/desk.toml");
    let text = std::fs::read_to_string(&plan).unwrap();
    let text = text
        .replace("japanese_holidays = true", "japanese_holidays = false")
        .replace("from = \"12-29\"", "from = \"02-29\"")
        .replace("until = \"01-03\"", "until = \"02-29\"");
    std::fs::write(&plan, text).unwrap();

    let (code, before) = desk.doctor();
    assert_ne!(code, 0, "a desk that does not run is looked at");
    assert_eq!(marks(&before, "desk"), ["look"], "{before}");
    assert_eq!(marks(&before, "port"), ["ok"; 4], "{before}");

    let _process = desk.serve();
    let (_, running) = desk.doctor();
    for (topic, want) in [
        ("configuration", &["ok"][..]),
        ("desk", &["ok"]),
        ("port", &["ok"; 4]),
        ("sound", &["ok"]),
        ("certificate", &["ok"]),
        ("secret", &["ok"; 4]),
        ("address", &["look"; 2]), // loopback, for a test
    ] {
        assert_eq!(marks(&running, topic), want, "{topic}: {running}");
    }

    let (mut caller, password) = desk.phone("2002");
    let (mut agent, agents) = desk.phone("2001");
    agent.register(&agents, 600);
    // *11: this phone takes calls from now on; the desk says so and hangs up.
    let (done, _) = agent.connect_with(&agents, "*11", &sdp(9, &[0, 101], "sendrecv"), s(20));
    agent.bye_comes(&done, s(20));
    let answering = std::thread::spawn(move || {
        let (call, _) = agent.pick_up(&sdp(9, &[0, 101], "sendrecv"), s(20));
        agent.bye_comes(&call, s(20));
    });
    let (mut call, _) =
        caller.connect_with(&password, "0312345678", &sdp(9, &[0, 101], "sendrecv"), s(20));
    caller.bye(&mut call);
    answering.join().unwrap();
    let listed = || desk.command(&["calls", "--json"]).1;
    eventually("the call is listed as answered", s(10), || listed().contains("answered"));

    // The administrator comes in with the password that was shown.
    let (user, admin) = (&desk.said["admin"]["user"], &desk.said["admin"]["password"]);
    let form = format!("user={}&password={}", user.as_str().unwrap(), admin.as_str().unwrap());
    let (status, page) = desk.curl("/login", &["-d", &form]);
    assert!(status == 303 && page.to_ascii_lowercase().contains("set-cookie"), "{page}");
}

#[test]
fn commands_reach_a_desk_by_tls_and_nobody_who_shows_another_certificate() {
    let desk = Desk::init();
    let _process = desk.serve();
    let (code, said) = desk.command(&["sip", "blocked"]);
    assert_eq!(code, 0, "{said}");
    let url = format!("https://127.0.0.1:{}", desk.pages);
    let (code, said) = desk.command(&["sip", "blocked", "--url", &url]);
    assert_eq!(code, 0, "{said}");
    let (code, said) = desk.command(&["sip", "blocked", "--url", "https://desk.example"]);
    assert!(code == 2 && said.contains("http"), "{said}");
    // Somebody else's certificate stands in the configuration: the desk still shows its own.
    let other = Dir::new("other");
    Authority::new().sign().write(&other, "other");
    std::fs::copy(other.file("other.pem"), desk.dir.file("etc/tls/desk.pem")).unwrap();
    std::fs::copy(other.file("other.key"), desk.dir.file("etc/secrets/desk.key")).unwrap();
    let (code, said) = desk.command(&["sip", "blocked"]);
    assert!(code == 1 && said.contains("another certificate"), "{code} {said}");
    let (code, said) = desk.doctor();
    assert_eq!((code, marks(&said, "desk")), (2, vec!["wrong"]), "{said}");
}

#[test]
fn doctor_says_who_has_the_desks_port_and_who_may_read_its_secrets() {
    let desk = Desk::init();
    let held = std::net::UdpSocket::bind(desk.sip).unwrap();
    use std::os::unix::fs::PermissionsExt as _;
    let open = std::fs::Permissions::from_mode(0o644);
    let (code, said) = desk.command(&["doctor"]);
    assert_eq!(code, 2, "{said}");
    let name = format!("wrong port: udp:{} is held by install", desk.sip);
    assert!(said.contains(&name) || said.contains("in use"), "{said}");
    assert!(said.contains("mend: stop "), "{said}");
    drop(held);
    std::fs::set_permissions(desk.dir.file("etc/secrets/desk.key"), open).unwrap();
    let (code, said) = desk.command(&["doctor"]);
    assert!(code == 2 && said.contains("desk.key") && said.contains("chmod 600"), "{said}");
}
