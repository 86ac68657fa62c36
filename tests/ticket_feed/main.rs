//! Calls reach the desk's ticket system, whatever happens to it and to the daemon: a ledger of the desk's own, a
//! folder, and a real Redmine and Request Tracker, whose own lists are what is judged.
#![allow(clippy::pedantic, clippy::disallowed_methods)]

#[path = "../support/mod.rs"]
mod support;

mod ledger;
mod outside;

use serde_json::Value;
use std::process::{Command, Output};
use support::desk::Desk;
use support::{poll, s};

/// Who gives up while waiting.
fn abandon(desk: &Desk, from: &str) -> String {
    let gone = desk.caller("0312340090").set("FROM", from).set("STAY", 900).start().done();
    assert_eq!(gone.count("hung_up"), 1);
    let caller = format!("{from}1");
    desk.over(&caller);
    call_of(desk, &caller)
}

/// Who talks with the agent at the fixed phone 201 for a second.
fn talk(desk: &Desk, from: &str) -> String {
    let agent = desk.agent("agent", 201).set("RING", 100).set("TALK", 60_000).start();
    let caller = desk.caller("0312340010").set("FROM", from).set("STAY", 1_200).start();
    caller.done();
    agent.stop();
    let caller = format!("{from}1");
    desk.over(&caller);
    call_of(desk, &caller)
}

fn call_of(desk: &Desk, caller: &str) -> String {
    desk.call_of(caller).expect("the call")["call"].as_str().expect("an id").to_owned()
}

fn note(desk: &Desk, call: &str, text: &str) {
    let body = serde_json::json!({"agent": "6001", "text": text}).to_string();
    let answer = desk.api("POST", &format!("/api/v1/calls/{call}/notes"), &body);
    assert_eq!(answer.status, 204, "{}", answer.body);
}

/// A command of the program about this desk.
fn command(desk: &Desk, words: &[&str]) -> Output {
    let mut command = Command::new(support::desk::binary());
    command.args(words).arg("--config").arg(desk.dir().file("madoguchi.toml"));
    command.env("LC_ALL", "en_US.UTF-8").output().expect("it runs")
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// How the one target stands that is no ledger.
fn target(desk: &Desk) -> Value {
    desk.get("/api/v1/tickets")["targets"][0].clone()
}

/// Waits until it has got everything.
#[track_caller]
fn has_all(desk: &Desk, within: u64) {
    let all = || (target(desk)["waiting"] == 0).then_some(());
    assert!(poll(s(within), all).is_some(), "{:#}\n{}", target(desk), desk.log());
}
