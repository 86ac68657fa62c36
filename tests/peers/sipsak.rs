//! sipsak, the monitoring systems' SIP pinger: is the desk there, and do passwords work.

use crate::support::desk::{Desk, password};
use crate::support::process::Process;
use crate::support::{eventually, s};

/// Exit code and what it printed.
fn sipsak(desk: &Desk, name: &str, more: &[&str]) -> (Option<i32>, String) {
    let mut argv = vec!["sipsak", "-vvv", "-i"];
    argv.extend(more);
    let argv: Vec<String> = argv.into_iter().map(str::to_owned).collect();
    let log = desk.dir().file(&format!("sipsak-{name}.log"));
    let mut process = Process::start("sipsak", &argv, desk.dir().path(), log);
    let status = process.wait(s(15));
    (status.and_then(|status| status.code()), process.printed())
}

#[test]
fn a_monitoring_system_pings_the_desk_by_udp_and_tcp() {
    let desk = Desk::start("desk.toml");
    let uri = format!("sip:0312340010@{}", desk.sip);
    for transport in ["udp", "tcp"] {
        let (code, said) = sipsak(&desk, transport, &["-E", transport, "-s", &uri]);
        assert_eq!(code, Some(0), "{transport}: {said}");
        assert!(said.contains("SIP/2.0 200 OK") && said.contains("Allow: INVITE"), "{said}");
    }
}

#[test]
fn a_registration_by_sipsak_comes_with_the_password_and_goes_again() {
    let desk = Desk::start("desk.toml");
    let uri = format!("sip:6002@{}", desk.sip);
    let right = password("6002");
    let contact = "sip:6002@127.0.0.1:9";
    let register = ["-U", "-C", contact, "-x", "300", "-u", "6002", "-s", &uri, "-a"];
    let (code, said) = sipsak(&desk, "wrong", &[&register[..], &["wrong-wrong-wrong"]].concat());
    assert_ne!(code, Some(0), "{said}");
    eventually("the figure", s(5), || desk.metric("madoguchi_sip_registrations") == 0.0);
    let (code, said) = sipsak(&desk, "right", &[&register[..], &[&right]].concat());
    assert_eq!(code, Some(0), "{said}");
    eventually("the figure", s(5), || desk.metric("madoguchi_sip_registrations") == 1.0);
    let leave = ["-U", "-C", "*", "-x", "0", "-u", "6002", "-s", &uri, "-a", &right];
    let (code, said) = sipsak(&desk, "leave", &leave);
    assert_eq!(code, Some(0), "{said}");
    eventually("the figure", s(5), || desk.metric("madoguchi_sip_registrations") == 0.0);
}
