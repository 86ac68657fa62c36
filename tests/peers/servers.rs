//! A carrier with two servers, each a SIPp: the first says nothing, has no room, or is back again.

use crate::carriers::agent;
use crate::support::desk::{Desk, Setup};
use crate::support::ports::Block;
use crate::support::sipp::{Job, Sipp};
use crate::support::softphone::Softphone;
use crate::support::sound::Sound;
use crate::support::{eventually, rest, s};
use std::net::{SocketAddr, UdpSocket};
use std::time::Instant;

/// A server at `port` that answers calls with `status`.
fn server(port: u16, status: &str) -> Sipp {
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    let job = Job::new("carriers/server", nowhere, port).set("STATUS", status);
    job.calls(1000, 1).within(s(100)).start()
}

/// How often it logged the word.
fn has(server: &Sipp, word: &str) -> usize {
    let calls = server.calls();
    calls.values().flat_map(|call| &call.0).filter(|(had, _)| had == word).count()
}

fn desk(servers: [u16; 2], more: &str) -> Desk {
    let [first, second] = servers.map(|port| format!("\"127.0.0.1:{port}\""));
    let more = format!(
        "[[trunks]]\nname = \"line\"\nsources = [{first}, {second}]\nservers = [{first}, {second}]\n\
         domain = \"carrier.example\"\nuser = \"0312345678\"\n{more}\n"
    );
    Desk::with(&Setup { plan: "carriers.toml", more: &more, ..Setup::default() })
}

fn line(desk: &Desk) -> serde_json::Value {
    let all = desk.get("/api/v1/trunks");
    let trunks = all["trunks"].as_array().unwrap();
    trunks.iter().find(|trunk| trunk["trunk"] == "line").cloned().unwrap_or_default()
}

/// The agent calls outside, and `server` answers within 4 s.
#[track_caller]
fn is_answered_by(desk: &Desk, agent: &Softphone, server: &Sipp) {
    let (answered, up) = (has(server, "answered"), agent.count("CALL_ESTABLISHED"));
    let (closed, began) = (agent.count("CALL_CLOSED"), Instant::now());
    agent.tell("dial", &format!("sip:0398765432@{}", desk.sip));
    agent.wait_count("CALL_ESTABLISHED", up + 1, s(8));
    assert!(began.elapsed() < s(4), "it took {:?}", began.elapsed());
    assert_eq!(has(server, "answered"), answered + 1);
    agent.tell("hangup", "");
    agent.wait_count("CALL_CLOSED", closed + 1, s(5));
    desk.agent_is("6001", "idle");
}

#[test]
fn a_call_goes_by_the_second_server_within_four_seconds_when_the_first_is_full_or_silent() {
    let ports = Block::take();
    let both = [ports.port(), ports.port()];
    let (full, second) = (server(both[0], "503 Service Unavailable"), server(both[1], "200 OK"));
    let desk = desk(both, "options_every = \"0s\"");
    let voice = Sound::voice(81, 10);
    let agent = agent(&desk, &voice);
    is_answered_by(&desk, &agent, &second);
    assert_eq!(has(&full, "refused"), 1);
    full.stop();
    // It had no room a moment ago, so it is asked again; now it says nothing at all.
    rest(2200);
    let silent = UdpSocket::bind(("127.0.0.1", both[0])).unwrap();
    is_answered_by(&desk, &agent, &second);
    let mut came = [0; 2048];
    silent.set_nonblocking(true).unwrap();
    assert!(silent.recv(&mut came).is_ok(), "the first was asked");
    while silent.recv(&mut came).is_ok() {}
    // The next call does not wait for it.
    is_answered_by(&desk, &agent, &second);
    assert!(silent.recv(&mut came).is_err(), "the first was asked again");
    desk.at_rest(s(5));
}

#[test]
fn we_register_at_the_second_server_while_the_first_is_silent_and_again_at_the_first() {
    let ports = Block::take();
    let both = [ports.port(), ports.port()];
    let silent = UdpSocket::bind(("127.0.0.1", both[0])).unwrap();
    let second = server(both[1], "200 OK");
    let desk = desk(both, "register = \"plain\"\noptions_every = \"1s\"");
    let at = |port: u16| {
        let line = line(&desk);
        line["registered"] == true && line["server"] == format!("127.0.0.1:{port}")
    };
    eventually("registered at the second", s(8), || at(both[1]));
    assert!(has(&second, "register") > 0);
    let voice = Sound::voice(82, 10);
    let agent = agent(&desk, &voice);
    is_answered_by(&desk, &agent, &second);
    // The first is back: it gets the registration at the next renewal, and the calls with it.
    drop(silent);
    let first = server(both[0], "200 OK");
    eventually("registered at the first", s(20), || at(both[0]));
    assert!(has(&first, "register") > 0);
    is_answered_by(&desk, &agent, &first);
    // And it goes once more: what stands there does not keep calls from the second.
    first.stop();
    let _silent = UdpSocket::bind(("127.0.0.1", both[0])).unwrap();
    eventually("registered at the second again", s(20), || at(both[1]));
    is_answered_by(&desk, &agent, &second);
    desk.at_rest(s(5));
}
