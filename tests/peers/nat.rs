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

    // All of it went through the router: nothing was sent to the address that the phone gave.
    let trace = phone.trace();
    let came = trace.matches(&format!("UDP {} -> 127", router.inside)).count();
    assert!(came > 6, "{came}: {trace}");
    assert!(!trace.contains(&format!("UDP {} -> 127", desk.sip)), "past the router: {trace}");
}
