//! A desk in two networks: each side is told the address under which it knows the desk, and both hear
//! each other.

use crate::support::desk::{Desk, Setup as DeskSetup, password};
use crate::support::ear::Ear;
use crate::support::line::Line;
use crate::support::message::sdp;
use crate::support::softphone::{Setup, Softphone};
use crate::support::sound::{Law, Sound};
use crate::support::{eventually, poll, rest, s};
use crate::talk::is_of;
use std::net::{SocketAddr, UdpSocket};

#[test]
fn a_phone_in_another_network_than_the_caller_is_told_the_address_it_can_reach() {
    let free = UdpSocket::bind("127.0.0.2:0").unwrap().local_addr().unwrap();
    let desk = Desk::with(&DeskSetup {
        udp: Some(free),
        media: "0.0.0.0",
        sip: "advertise = \"127.0.0.1\"\n",
        ..DeskSetup::default()
    });
    let (his, hers) = (Sound::voice(61, 30), Sound::voice(62, 30));
    let setup = Setup {
        user: "6001",
        password: &password("6001"),
        desk: Some(SocketAddr::from(([127, 0, 0, 2], free.port()))),
        voice: &hers,
        answers: true,
        codecs: "PCMU",
        expires_s: 600,
    };
    let softphone = Softphone::start(&desk.ports, &setup);
    desk.agent_is("6001", "idle");
    let ear = Ear::new(desk.ports.port());
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let mut call = line.invite("0312340020", &sdp(ear.port(), &[0, 101], "sendrecv"));
    let answer = line.status(&call, 200, s(5));
    line.ack(&mut call, &answer);
    assert!(answer.to_string().contains("c=IN IP4 127.0.0.1\r\n"), "{answer}");
    let port: u16 = answer
        .to_string()
        .lines()
        .find_map(|line| line.strip_prefix("m=audio ")?.split(' ').next()?.parse().ok())
        .expect("a port for sound");
    softphone.wait("CALL_ESTABLISHED", s(5));
    assert!(softphone.trace().contains("c=IN IP4 127.0.0.2"), "{}", softphone.trace());
    ear.say(&his, Law::Mu, port);
    eventually("the caller hears the agent", s(8), || ear.heard().ms() > 2600);
    is_of(&ear.heard(), 1500, &hers);
    line.bye(&mut call);
    softphone.wait("CALL_CLOSED", s(3));
    let heard = poll(s(3), || softphone.heard().last().cloned().filter(|h| h.ms() > 2000));
    is_of(&heard.expect("a recording"), 900, &his);
    assert_eq!(desk.outcome("0311112222"), "answered");
}

#[test]
fn a_phone_by_ipv6_and_one_by_ipv4_hear_each_other_whoever_calls() {
    let free = UdpSocket::bind("[::1]:0").unwrap().local_addr().unwrap();
    let desk = Desk::with(&DeskSetup {
        udp: Some(free),
        media: "::",
        sip: "advertise = \"127.0.0.1\"\n",
        ..DeskSetup::default()
    });
    let (his, hers) = (Sound::voice(63, 60), Sound::voice(64, 60));
    let phone = |user: &'static str, at: SocketAddr, voice, answers| {
        let password = password(user);
        let setup = Setup {
            user,
            password: &password,
            desk: Some(at),
            voice,
            answers,
            codecs: "PCMU",
            expires_s: 600,
        };
        Softphone::start(&desk.ports, &setup)
    };
    let new = SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], free.port()));
    // Agent 6001 by IPv4 is called from IPv6, then by IPv6 from IPv4.
    for (agents, callers) in [(desk.sip, new), (new, desk.sip)] {
        let agent = phone("6001", agents, &hers, true);
        desk.agent_is("6001", "idle");
        let caller = phone("6003", callers, &his, false);
        caller.tell("dial", &format!("sip:0312340020@{callers}"));
        caller.wait("CALL_ESTABLISHED", s(5));
        agent.wait("CALL_ESTABLISHED", s(5));
        rest(3000);
        caller.tell("hangup", "");
        agent.wait("CALL_CLOSED", s(3));
        for (phone, at, voice) in [(&agent, agents, &his), (&caller, callers, &hers)] {
            let kind = if at.is_ipv4() { "c=IN IP4 127.0.0.1" } else { "c=IN IP6 ::1" };
            assert!(phone.trace().contains(kind), "{}", phone.trace());
            let heard = poll(s(3), || phone.heard().last().cloned().filter(|h| h.ms() > 2000));
            is_of(&heard.expect("a recording"), 900, voice);
        }
    }
}
