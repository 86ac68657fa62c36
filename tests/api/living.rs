//! A living desk against its description, with a talk up.

use crate::described::root;
use crate::support::desk::{Desk, Setup};
use crate::support::process::Process;
use crate::support::sipp::Sipp;
use crate::support::{eventually, s};
use std::time::Duration;

/// The number that leads to the agent's phone.
pub const TO: &str = "0312340010";
pub const CALLER: &str = "031234561";
pub const AGENT: u16 = 201;

/// The program that scripts/test installs in the versions of requirements.txt.
#[track_caller]
pub fn tool(name: &str) -> String {
    let program = root().join("target/schemathesis/bin").join(name);
    assert!(program.exists(), "{} is missing: scripts/test brings it", program.display());
    program.display().to_string()
}

/// A desk with recordings and with a call that is talked.
pub struct Talk {
    pub desk: Desk,
    pub call: String,
    _phones: [Sipp; 2],
}

/// Somebody calls a number, and the agent whose it is answers.
pub fn talk(desk: &Desk, from: &str, to: &str, agent: u16) -> [Sipp; 2] {
    let agent = desk.agent("agent", agent).set("TALK", 240_000).within(s(300)).start();
    let caller = desk.caller(to).set("FROM", from).set("PATIENCE", 60_000);
    [agent, caller.set("STAY", 240_000).within(s(300)).start()]
}

pub fn talking(desk: &Desk, caller: &str) -> bool {
    desk.call_of(caller).is_some_and(|call| call["state"] == "talking")
}

impl Talk {
    pub fn begin() -> Self {
        let more = "[recording]\ndirectory = \"recordings\"\nleast_free_mib = 1\n";
        let desk = Desk::with(&Setup { more, ..Setup::default() });
        let phones = talk(&desk, &CALLER[..8], TO, AGENT);
        eventually("they talk", s(15), || talking(&desk, CALLER));
        let call = desk.call_of(CALLER).unwrap()["call"].as_str().unwrap().to_owned();
        Self { desk, call, _phones: phones }
    }

    /// Runs a program in the desk's folder: whether it ended well, and what it said.
    pub fn run(&self, name: &str, argv: &[String], within: Duration) -> (bool, String) {
        let dir = self.desk.dir();
        let mut process = Process::start(name, argv, dir.path(), dir.file("said.log"));
        let ended = process.wait(within);
        (ended.is_some_and(|it| it.success()), process.printed())
    }

    /// The number of the call's incident in the ledger.
    #[track_caller]
    pub fn incident(&self) -> u64 {
        let of = self.desk.get(&format!("/api/v1/calls/{}/incident", self.call));
        of["incident"]["incident"].as_u64().unwrap_or_else(|| panic!("none: {of}"))
    }

    pub fn base(&self) -> String {
        format!("http://{}", self.desk.http)
    }
}

#[test]
fn every_answer_of_a_living_desk_has_the_fields_that_are_described_and_no_others() {
    let talk = Talk::begin();
    // Lists with nothing in them prove little.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let (earlier, later) = (now.as_secs() - 7_200, now.as_secs() + 7_200);
    let period = format!(
        r#"{{"author": "佐藤", "reason": "試験", "from": "{earlier}000", "until": "{later}000"}}"#
    );
    let hours = format!(r#"{{"author": "佐藤", "reason": "試験", "until": "{later}000"}}"#);
    let note = format!("/api/v1/calls/{}/notes", talk.call);
    let orders = [
        ("/api/v1/exclusions", 201, period.as_str()),
        ("/api/v1/exclusions/1/approve", 204, r#"{"author": "鈴木"}"#),
        ("/api/v1/exclusions", 201, &period),
        ("/api/v1/exclusions/2/withdraw", 204, r#"{"author": "鈴木", "reason": "誤り"}"#),
        ("/api/v1/hours/0312340070/close", 204, &hours),
        (&note, 204, r#"{"agent": "201", "text": "折り返す"}"#),
    ];
    for (path, status, body) in orders {
        let answer = talk.desk.api("POST", path, body);
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
    }
    // What an agent wrote of the call, so that the ledger has all that it can have.
    let incident = talk.incident();
    let now_ms = now.as_millis();
    let written = format!(
        r#"{{"author": "佐藤", "subject": "試験", "category": "試験", "completed_at": "{now_ms}", "reported_at": "{now_ms}",
            "escalations": [{{"to": "other", "at": "{now_ms}", "answered_at": "{now_ms}"}}], "technical": true,
            "exclusions": ["caller_asked_for_time"]}}"#
    );
    let answer = talk.desk.api("PUT", &format!("/api/v1/incidents/{incident}"), &written);
    assert_eq!(answer.status, 204, "{}", answer.body);
    let script = root().join("tests/api/answers.py").display().to_string();
    let token = talk.desk.dir().file("secrets/http-token").display().to_string();
    let mut argv = vec![tool("python"), script, talk.base(), token];
    let parts = [("id", talk.call.as_str()), ("extension", "201"), ("figure", "abandon")];
    argv.extend(parts.map(|(name, value)| format!("{name}={value}")));
    argv.extend(
        ["form=ladder.txt", "number=1", "month=2026-10", "target=ledger"].map(str::to_owned),
    );
    argv.push(format!("incident={incident}"));
    let (well, said) = talk.run("answers", &argv, s(60));
    assert!(well, "{said}");
}
