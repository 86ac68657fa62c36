//! baresip as an agent's softphone by TCP and TLS; by UDP it is in every test of tests/phones.

use crate::support::desk::{Desk, Setup};
use crate::support::softphone::By;
use crate::talk::{Voices, agent, talk};

#[test]
fn baresip_is_rung_by_tcp() {
    let desk = Desk::start("desk.toml");
    let voices = Voices::new(105);
    let agent = agent(&desk, &voices, &By { transport: "tcp", ..By::default() });
    talk(&desk, &voices, &agent, desk.caller("0312340020"));
    assert!(agent.trace().contains("SIP/2.0/TCP"), "{}", agent.trace());
}

#[test]
fn baresip_is_rung_by_tls_and_believes_the_desks_authority_alone() {
    let desk = Desk::with(&Setup { secure: true, ..Setup::default() });
    let voices = Voices::new(107);
    let authority = desk.dir().file("tls/ca.pem");
    let by = By { transport: "tls", trusts: Some(&authority), ..By::default() };
    let agent = agent(&desk, &voices, &by);
    talk(&desk, &voices, &agent, desk.caller("0312340020"));
    assert!(agent.trace().contains("SIP/2.0/TLS"), "{}", agent.trace());
}
