//! Calls as traces, given to a collector that reads them by OpenTelemetry's own definition.

use crate::described::root;
use crate::support::desk::{Desk, binary};
use crate::support::process::Process;
use crate::support::{eventually, poll, s};
use serde_json::Value;

fn lines(process: &Process) -> Vec<Value> {
    process.printed().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn each_call_that_ends_is_a_trace_at_the_collector_once_also_when_that_was_away() {
    let desk = Desk::start("desk.toml");
    let dir = desk.dir();
    let python = root().join("target/schemathesis/bin/python").display().to_string();
    let script = root().join("tests/api/collector.py").display().to_string();
    let argv = [python, script, "2".to_owned()];
    let collector = Process::start("collector", &argv, dir.path(), dir.file("collector.log"));
    let port = poll(s(60), || lines(&collector).first().and_then(|it| it["port"].as_u64()));
    let to = format!("http://127.0.0.1:{}", port.expect("it listens"));
    let argv = [binary(), "traces".into(), "--to".into(), to, "--lang".into(), "en".into()];
    let mut traces = Process::start("traces", &argv, dir.path(), dir.file("traces.log"));

    let agent = desk.agent("agent", 201).set("RING", 100).start();
    desk.caller("0312340010").set("FROM", "03222").set("STAY", 1_500).start().done();
    agent.done();
    let gone = desk.caller("0312340090").set("FROM", "03333").set("PATIENCE", 1_500).start();
    let _ = gone.done();
    let call = desk.over("032221");
    let spans = || -> Vec<Value> { lines(&collector).split_off(1) };
    eventually("both calls are there", s(30), || {
        spans().iter().filter(|span| span["name"] == "call").count() == 2
    });
    assert!(traces.printed().contains("is tried again: the answer is 503"), "{}", traces.printed());
    let spans = spans();
    assert!(spans.iter().all(|span| span["refused"].is_null()), "{spans:#?}");
    let trace = call["call"].as_str().unwrap().replace('-', "");
    let of = |name: &str| -> Vec<&Value> {
        spans.iter().filter(|it| it["trace"] == trace.as_str() && it["name"] == name).collect()
    };
    let [whole, wait, talk] = ["call", "wait", "talk"].map(|name| of(name)[0]);
    assert_eq!((&whole["kind"], &whole["parent"]), (&"SPAN_KIND_SERVER".into(), &"".into()));
    assert_eq!(whole["words"]["madoguchi.outcome"], "answered");
    assert_eq!(whole["ms"], call["length_ms"]);
    assert_eq!(wait["ms"], call["wait_ms"]);
    assert_eq!((&talk["words"]["madoguchi.agent"], &talk["parent"]), (&"201".into(), &whole["id"]));
    let all = format!("{spans:?}");
    assert!(!all.contains("03222") && !all.contains("03333"), "no caller's number: {all}");

    traces.signal("TERM");
    assert_eq!(traces.wait(s(5)).and_then(|status| status.code()), Some(0));
    // Once each: 3 spans of the one, 2 of the other.
    assert_eq!(spans.len(), 5, "{spans:#?}");
}
