//! Kamailio between the desk and the others: a carrier's stateful proxy that stays on the way, and the
//! proxy through which a phone registers. Voices are checked both ways.

use crate::support::desk::{Desk, Setup};
use crate::support::kamailio::{HOME, Kamailio};
use crate::support::sipp::Job;
use crate::support::softphone::By;
use crate::talk::{Voices, agent, talk};

fn desk() -> Desk {
    let more = format!("[[trunks]]\nname = \"kamailio\"\nsources = [\"{HOME}\"]\n");
    Desk::with(&Setup { more: &more, ..Setup::default() })
}

/// Every request of the call passes Kamailio.
fn a_carriers_call_by(transport: &str) {
    let desk = desk();
    let kamailio = Kamailio::start(&desk.ports, desk.sip, transport);
    let voices = Voices::new(101);
    let agent = agent(&desk, &voices, &By::default());
    let job = Job::new("caller", kamailio.sip, desk.ports.port()).set("TO", "0312340020");
    let job = if transport == "tcp" { job.tcp() } else { job };
    let caller = talk(&desk, &voices, &agent, job);
    assert!(caller.messages.contains("Record-Route: <sip:127.0.0.9"), "{}", caller.messages);
    let call = desk.over("031234561");
    assert_eq!(call["origin"]["trunk"], "kamailio", "{call:#}");
}

#[test]
fn a_carriers_proxy_brings_a_call_by_udp() {
    a_carriers_call_by("udp");
}

#[test]
fn a_carriers_proxy_brings_a_call_by_tcp() {
    a_carriers_call_by("tcp");
}

/// The phone sends everything to Kamailio, which brings its REGISTER to the desk by TCP with a Path. Her
/// calls come back the same way, and so do the requests of the call.
#[test]
fn a_phone_registers_through_a_proxy_and_is_rung_through_it() {
    let desk = desk();
    let kamailio = Kamailio::start(&desk.ports, desk.sip, "tcp");
    let voices = Voices::new(103);
    let outbound = format!("sip:{};transport=udp", kamailio.sip);
    let by = By { outbound: Some(&outbound), ..By::default() };
    let agent = agent(&desk, &voices, &by);
    talk(&desk, &voices, &agent, desk.caller("0312340020"));
    let trace = agent.trace();
    assert!(trace.contains("Record-Route: <sip:127.0.0.9"), "{trace}");
    // RFC 3327: the phone, whose own REGISTER has none, is told by which proxy it is reached.
    assert!(trace.contains("Path: <sip:127.0.0.9"), "{trace}");
    let own_port = format!("127.0.0.1:{}", desk.sip.port());
    assert!(!trace.contains(&format!("UDP {own_port} ->")), "all of it by the proxy: {trace}");
}
