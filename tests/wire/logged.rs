//! The operator's log of a living desk: what an operator finds in it of a call, and whom nobody finds in it.

use crate::support::desk::{Desk, Setup, binary, password};
use crate::support::line::Line;
use crate::support::{eventually, s};
use serde_json::Value;
use std::process::Command;

/// Standard error as systemd's journal has it: the variable names the very file.
const AS_JOURNAL: &str =
    "JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2); export JOURNAL_STREAM; exec \"$0\" \"$@\"";

/// Each line with its priority; every one must be an object with the four members that all have.
#[track_caller]
fn lines(desk: &Desk) -> Vec<(char, Value)> {
    let log = desk.log();
    let read = |line: &str| {
        let priority = line.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        let (priority, json) = priority.unwrap_or_else(|| panic!("no priority: {line}"));
        let value: Value =
            serde_json::from_str(json).unwrap_or_else(|e| panic!("{e} in the line: {line}"));
        for name in ["time", "level", "room", "message"] {
            assert!(value[name].is_string(), "{name} in {line}");
        }
        (priority.chars().next().unwrap(), value)
    };
    // What is wrong with the files at a start is printed before it, as `check` prints it.
    log.lines().skip_while(|line| !line.starts_with('<')).map(read).collect()
}

/// `madoguchi log` against this desk.
#[track_caller]
fn command(desk: &Desk, arguments: &[&str]) -> String {
    let config = desk.dir().file("madoguchi.toml").display().to_string();
    let out = Command::new(binary())
        .arg("log")
        .args(arguments)
        .args(["--config", &config, "--lang", "en"])
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(out.status.success(), "{}", text(&out.stderr));
    text(&out.stdout)
}

fn level(shown: &str, room: &str) -> String {
    let row = shown.lines().find(|line| line.starts_with(room));
    row.and_then(|row| row.split_whitespace().nth(1)).unwrap_or_default().to_owned()
}

#[test]
fn a_call_is_followed_in_the_log_and_nobody_is_named_in_it() {
    let more = "[log]\nlevels = \"trace\"\nformat = \"json\"\n";
    let desk = Desk::with(&Setup { more, under: &["sh", "-c", AS_JOURNAL], ..Setup::default() });
    // Somebody with a name and a number calls and is answered; a phone registers.
    Line::new(desk.ports.port(), "6001", desk.sip).register(&password("6001"), 600);
    let agent = desk.agent("agent", 201).set("RING", 100).start();
    let caller = desk.caller("0312340010").set("FROM", "039876543").set("NAME", "Yamada Taro");
    caller.set("STAY", 300).start().done();
    agent.done();
    let call = desk.over("0398765431")["call"].as_str().unwrap().to_owned();

    let told = || {
        let of = lines(&desk).into_iter().filter(|(_, it)| it["call"] == call.as_str());
        of.map(|(_, it)| it).collect::<Vec<_>>()
    };
    eventually("the call's end is told", s(5), || told().iter().any(|it| it["kind"] == "ended"));
    let of_call = told();
    for kind in ["arrived", "operator_answered"] {
        assert!(of_call.iter().any(|it| it["kind"] == kind), "{kind}: {of_call:#?}");
    }
    assert!(of_call.iter().all(|it| it["room"] == "call"), "{of_call:#?}");
    let legs = of_call.iter().filter(|it| it["leg"].is_u64());
    assert_eq!(legs.count(), 2, "the caller's and the agent's: {of_call:#?}");
    // Debug is 7 in the journal, info 6.
    let lines = lines(&desk);
    assert!(lines.iter().any(|(priority, it)| *priority == '6' && it["level"] == "info"));
    assert!(lines.iter().any(|(priority, it)| *priority == '7' && it["level"] == "debug"));

    let log = desk.log();
    for word in ["0398765431", "398765431", "Yamada", "0312340010", "312340010"] {
        assert!(!log.contains(word), "{word} in\n{log}");
    }
    for secret in [password("6001"), desk.token()] {
        assert!(!log.contains(&secret), "{secret} in\n{log}");
    }
}

#[test]
fn a_room_talks_for_as_long_as_somebody_wants_and_the_history_says_who() {
    let mut desk = Desk::start("desk.toml");
    let shown = command(&desk, &[]);
    assert_eq!((level(&shown, "call"), level(&shown, "net")), ("info".into(), "info".into()));
    let shown = command(&desk, &["call=debug", "--minutes", "5"]);
    assert_eq!((level(&shown, "call"), level(&shown, "net")), ("debug".into(), "info".into()));
    assert!(shown.contains("for 5 more min (configured: info)"), "{shown}");
    let orders = desk.get("/api/v1/orders");
    assert!(orders.to_string().contains("POST /api/v1/log/call/debug"), "{orders}");

    let call = |desk: &Desk, from: &str| {
        let agent = desk.agent("agent", 201).set("RING", 100).start();
        desk.caller("0312340010").set("FROM", from).set("STAY", 100).start().done();
        agent.done();
        desk.over(&format!("{from}1"))["call"].as_str().unwrap().to_owned()
    };
    let heard = call(&desk, "03111");
    eventually("the call is told", s(5), || desk.log().contains(&heard));
    command(&desk, &["--reset"]);
    let unheard = call(&desk, "03222");
    assert!(!desk.log().contains(&unheard), "{}", desk.log());

    // The configuration's own levels come into force by a reload.
    let config = desk.dir().file("madoguchi.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}\n[log]\nlevels = \"info,call=debug\"\n")).unwrap();
    desk.process().signal("HUP");
    eventually("it is read", s(5), || desk.log().contains("were read again and are in force"));
    assert!(!desk.log().contains("need a restart"), "{}", desk.log());
    assert_eq!(level(&command(&desk, &[]), "call"), "debug");
    let again = call(&desk, "03333");
    eventually("the call is told", s(5), || desk.log().contains(&again));
}
