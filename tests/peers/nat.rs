//! A phone behind a router that nobody told of SIP: its Via, Contact and SDP hold addresses of a network
//! that the desk cannot reach.

use crate::support::desk::{Desk, prompt};
use crate::support::router::Router;
use crate::support::softphone::By;
use crate::support::{poll, s};
use crate::talk::{Voices, agent, talk};

#[test]
fn a_phone_behind_a_router_registers_calls_and_is_rung() {
    let desk = Desk::start("desk.toml");
    let voices = Voices::new(131);
    let (inside, outside) = (desk.ports.port(), desk.ports.port());
    // The phone's own port is the next one that it will take.
    let router = Router::start(inside, outside, desk.sip, outside + 2);
    let outbound = format!("sip:{};transport=udp", router.inside);
    let phone = agent(&desk, &voices, &By { outbound: Some(&outbound), ..By::default() });
    assert_eq!(phone.port(), outside + 2, "the router knows its phone");

    // It is rung, hears and is heard, and hangs up.
    talk(&desk, &voices, &phone, desk.caller("0312340020"));

    // It calls: an announcement, at whose end the desk hangs up.
    phone.tell("dial", &format!("sip:0312340070@{}", desk.sip));
    phone.wait_count("CALL_CLOSED", 2, s(15));
    let due = prompt("information");
    let heard = poll(s(5), || phone.heard().last().and_then(|heard| heard.find(&due)));
    assert!(heard.is_some_and(|found| found.score > 0.8), "{heard:?}");

    // What the desk asks of the phone goes through the router, never to the address that the phone gave.
    // (baresip itself goes past its outbound proxy inside a call; that is answered where it came from.)
    let trace = phone.trace();
    let asked = |from: &str| {
        let arrow = format!("UDP {from} -> 127.0.0.1:{}\n", phone.port());
        let texts = trace.split(&arrow).skip(1);
        texts.filter(|text| !text.starts_with("SIP/2.0")).count()
    };
    assert_eq!(asked(&desk.sip.to_string()), 0, "past the router: {trace}");
    assert!(
        asked(&router.inside.to_string()) >= 3,
        "INVITE, ACK and the BYE of its own call: {trace}"
    );
}
