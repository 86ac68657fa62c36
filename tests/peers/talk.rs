//! A SIPp caller of the number 0312340020 and its agent 6001, a baresip: each hears the other.

use crate::support::desk::{Desk, password};
use crate::support::ear::Ear;
use crate::support::sipp::{Done, Job};
use crate::support::softphone::{By, Setup, Softphone};
use crate::support::sound::{Law, Sound};
use crate::support::{eventually, poll, s};

/// What the two say.
pub struct Voices {
    his: Sound,
    hers: Sound,
}

impl Voices {
    /// Two that are like no others.
    pub fn new(seed: u64) -> Self {
        Self { his: Sound::voice(seed, 20), hers: Sound::voice(seed + 1, 20) }
    }

    /// The agent's.
    pub fn hers(&self) -> &Sound {
        &self.hers
    }
}

/// The agent at her softphone, registered by this way and idle.
#[track_caller]
pub fn agent(desk: &Desk, voices: &Voices, by: &By) -> Softphone {
    let setup = Setup {
        user: "6001",
        password: &password("6001"),
        desk: Some(if by.transport == "tls" { desk.secure[0] } else { desk.sip }),
        voice: &voices.hers,
        answers: true,
        codecs: "PCMU",
        expires_s: 600,
    };
    let phone = Softphone::start_by(&desk.ports, &setup, by);
    desk.agent_is("6001", "idle");
    phone
}

/// The caller calls, both hear each other, and the agent hangs up.
#[track_caller]
pub fn talk(desk: &Desk, voices: &Voices, agent: &Softphone, caller: Job) -> Done {
    let ear = Ear::new(desk.ports.port());
    let caller = caller.set("MEDIA", ear.port()).start();
    let port: u16 = caller.wait(1, "answered", s(10)).parse().unwrap();
    ear.say(&voices.his, Law::Mu, port);
    eventually("the caller hears the agent", s(10), || {
        let heard = ear.heard();
        heard.ms() > 1500 && voices.hers.holds(&heard.part(500, 700)).is_some()
    });
    agent.tell("hangup", "");
    let caller = caller.done();
    assert!(caller.calls[&1].has("released"), "{:?}", caller.calls);
    let heard = poll(s(5), || agent.heard().last().cloned().filter(|heard| heard.ms() > 1200));
    let heard = heard.expect("a recording of what the agent heard");
    assert!(voices.his.holds(&heard.part(600, 600)).is_some(), "the agent hears the caller");
    assert_eq!(desk.outcome("031234561"), "answered");
    desk.at_rest(s(5));
    caller
}
