//! A caller from outside who waits is called back by a carrier: baresip is the caller, Kamailio the carrier.

use crate::carrier::{Carrier, registered};
use crate::support::desk::{Desk, Setup, password};
use crate::support::ports::Block;
use crate::support::softphone::{self, Softphone};
use crate::support::sound::Sound;
use crate::support::{eventually, poll, rest, s};

/// Somewhere in what the softphone heard last is half a second of this voice.
fn was_heard(by: &Softphone, voice: &Sound) -> bool {
    let found = poll(s(5), || {
        let heard = by.heard();
        let heard = heard.last()?;
        let pieces =
            (0..usize::try_from(heard.ms()).unwrap() / 250).map(|at| heard.part(at * 250, 500));
        let alike = |piece: &Sound| piece.loudness() > 300.0 && voice.holds(piece).is_some();
        pieces.rev().take(40).any(|piece| alike(&piece)).then_some(())
    });
    found.is_some()
}

#[test]
fn a_caller_outside_who_asks_for_it_in_the_queue_is_called_back_once_also_after_a_kill() {
    let (his, hers) = (Sound::voice(191, 90), Sound::voice(192, 90));
    let ports = Block::take();
    let setup = softphone::Setup {
        user: "0398765432",
        password: "x",
        desk: None,
        voice: &his,
        answers: true,
        codecs: "PCMU",
        expires_s: 0,
    };
    let outside = Softphone::start(&ports, &setup);
    let carrier = Carrier::start(&ports, outside.port());
    let more = carrier.trunk();
    let mut desk = Desk::with(&Setup { plan: "callback.toml", more: &more, ..Setup::default() });
    eventually("registered with the carrier", s(8), || registered(&desk));
    outside.tell("dial", &format!("sip:0312345678@{}", carrier.address()));
    outside.wait("CALL_ESTABLISHED", s(8));
    rest(700);
    outside.tell("sndcode", "2");
    outside.wait("CALL_CLOSED", s(20));
    let list = desk.get("/api/v1/callbacks");
    assert_eq!(list["callbacks"][0]["number"], "0398765432", "{list}");
    assert_eq!(list["callbacks"][0]["state"], "waiting", "{list}");

    desk.kill();
    desk.again();
    eventually("registered anew", s(8), || registered(&desk));
    let list = desk.get("/api/v1/callbacks");
    assert_eq!(list["callbacks"][0]["state"], "waiting", "a wish outlives a kill: {list}");
    let agent = Softphone::start(
        &desk.ports,
        &softphone::Setup {
            user: "6001",
            password: &password("6001"),
            desk: Some(desk.sip),
            voice: &hers,
            answers: true,
            codecs: "PCMU",
            expires_s: 600,
        },
    );
    // The agent is rung first, and then the caller.
    agent.wait("CALL_ESTABLISHED", s(15));
    outside.wait_count("CALL_ESTABLISHED", 2, s(15));
    eventually("she talks", s(5), || desk.get("/api/v1/agents").to_string().contains("talking"));
    rest(3000);
    outside.tell("hangup", "");
    agent.wait("CALL_CLOSED", s(8));
    assert!(was_heard(&agent, &his), "the agent hears the caller");
    assert!(was_heard(&outside, &hers), "the caller hears the agent");
    desk.at_rest(s(8));
    let list = desk.get("/api/v1/callbacks");
    let row = &list["callbacks"][0];
    assert_eq!((&row["state"], &row["why"]), (&"over".into(), &"answered".into()), "{list}");
    rest(12_000);
    assert_eq!(outside.count("CALL_ESTABLISHED"), 2, "never twice");
    let placed = desk.get("/api/v1/placed-calls");
    assert_eq!(placed["calls"].as_array().map(Vec::len), Some(1), "{placed}");
    assert_eq!(placed["calls"][0]["trunk"], "works", "{placed}");
    let calls = desk.calls();
    assert_eq!(calls.len(), 1, "no second call of the desk");
    assert_eq!(calls[0]["outcome"], "message_taken");
    std::mem::forget(ports); // the ports stay ours as long as the test runs
}
