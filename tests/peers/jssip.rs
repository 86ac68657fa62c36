//! JsSIP, a browser's SIP stack, in node, over WebSocket with and without TLS. Signalling only; with sound it
//! is in tests/peers/chromium.rs.

use crate::support::capture::captured;
use crate::support::desk::{Desk, Setup, password};
use crate::support::line::Line;
use crate::support::message::sdp;
use crate::support::process::Process;
use crate::support::{eventually, poll, s};
use std::io::Write;
use std::path::Path;
use std::process::ChildStdin;

struct Browser {
    process: Process,
    keyboard: ChildStdin,
}

impl Browser {
    /// Starts it and waits until it is registered.
    #[track_caller]
    fn start(desk: &Desk, url: &str, user: &str) -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/jssip");
        assert!(
            here.join("node_modules/jssip").is_dir(),
            "JsSIP is not installed: (cd tests/jssip && npm ci --ignore-scripts), as scripts/test does"
        );
        // Whom node believes.
        let authority = format!("NODE_EXTRA_CA_CERTS={}", desk.dir().file("tls/ca.pem").display());
        let argv = ["env", &authority, "node", "phone.mjs", url, user, &password(user)];
        let argv = argv.map(str::to_owned);
        let log = desk.dir().file(&format!("jssip-{user}.log"));
        let (process, keyboard) = Process::fed("node", &argv, &here, log);
        let browser = Self { process, keyboard };
        browser.says("registered", 1);
        browser
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.keyboard, "{line}").and_then(|()| self.keyboard.flush()).unwrap();
    }

    /// Waits until it has said this line so many times.
    #[track_caller]
    fn says(&self, line: &str, times: usize) {
        let said = || self.process.printed();
        let found = poll(s(20), || {
            (said().lines().filter(|had| *had == line).count() >= times).then_some(())
        });
        assert!(found.is_some(), "no {line:?} ({times} times):\n{}", said());
    }
}

/// 0: TLS, 1: ws, 2: wss, as in `Desk::secure`.
fn a_browsers_day_by(scheme: &str, listener: usize) {
    let desk = Desk::with(&Setup { secure: true, ..Setup::default() });
    let url = format!("{scheme}://{}/", desk.secure[listener]);
    let mut browser = Browser::start(&desk, &url, "6001");
    desk.agent_is("6001", "idle");

    // She calls the desk: an announcement that ends by itself.
    browser.tell("call 0312340070 plain");
    browser.says("confirmed", 1);
    browser.says("ended remote", 1);
    assert_eq!(desk.over("6001")["number"], "0312340070");

    // What a browser really offers is taken; here nobody follows it up with checks and a handshake, and the
    // call ends by itself. tests/peers/chromium.rs has a browser that does.
    browser.tell("call 0312340070 browser");
    browser.says("confirmed", 2);
    browser.says("ended remote", 2);

    // She is called as an agent, answers, and the caller hangs up.
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let mut call = line.invite("0312340020", &sdp(9, &[0, 101], "sendrecv"));
    browser.says("session remote", 1);
    browser.tell("answer");
    let answer = line.status(&call, 200, s(10));
    line.ack(&mut call, &answer);
    browser.says("confirmed", 3);
    line.bye(&mut call);
    browser.says("ended remote", 3);
    let over = desk.over("0311112222");
    assert_eq!(over["outcome"], "answered");
    captured(&desk, over["call"].as_str().unwrap(), &[scheme.to_uppercase().as_str(), "UDP"]);

    // Rung again, the caller gives up: CANCEL on her connection.
    let call = line.invite("0312340020", &sdp(9, &[0, 101], "sendrecv"));
    browser.says("session remote", 2);
    line.cancel(&call);
    let refusal = line.status(&call, 487, s(5));
    line.ack_refusal(&call, &refusal);
    browser.says("failed Canceled", 1);

    browser.tell("leave");
    browser.says("unregistered", 1);
    desk.agent_is("6001", "unreachable");
    eventually("nothing of it stays", s(5), || desk.metric("madoguchi_sip_registrations") == 0.0);
    desk.at_rest(s(5));
}

#[test]
fn a_browsers_phone_registers_calls_and_is_called_by_ws() {
    a_browsers_day_by("ws", 1);
}

#[test]
fn a_browsers_phone_registers_calls_and_is_called_by_wss() {
    a_browsers_day_by("wss", 2);
}
