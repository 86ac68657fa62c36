//! Who is not heard is found, what is lost is counted, and reports are such as other programs read.

use crate::support::desk::{Desk, password};
use crate::support::ear::Ear;
use crate::support::process::Dir;
use crate::support::softphone::{By, Setup, Softphone};
use crate::support::sound::{Law, Sound};
use crate::support::{eventually, poll, rest, s};
use crate::talk::{agent, quiet_agent};
use serde_json::Value;
use std::fmt::Write as _;
use std::process::Command;

/// The row of one leg of a call.
fn leg(call: &Value, side: &str) -> Value {
    let rows = call["sound"].as_array().expect("a list of legs");
    rows.iter().find(|row| row["side"] == side).cloned().unwrap_or(Value::Null)
}

/// The call with the last word on both of its legs.
#[track_caller]
fn measured(desk: &Desk, caller: &str) -> Value {
    desk.over(caller);
    let whole = |call: &Value| {
        ["caller", "agent"].iter().all(|side| leg(call, side)["measured"]["last"] == true)
    };
    let found = poll(s(3), || desk.call_of(caller).filter(whole));
    found.unwrap_or_else(|| panic!("no last word: {:#?}", desk.call_of(caller)))
}

/// A call in which the caller loses every so many of its packets, and what it came to.
fn a_call_that_loses(every: u16, by: &By) -> (Value, Vec<Vec<u8>>) {
    let desk = Desk::start("desk.toml");
    let (his, hers) = (Sound::voice(71, 30), Sound::voice(72, 30));
    let setup = Setup {
        user: "6001",
        password: &password("6001"),
        desk: Some(desk.sip),
        voice: &hers,
        answers: true,
        codecs: "PCMU",
        expires_s: 600,
    };
    let _softphone = Softphone::start_by(&desk.ports, &setup, by);
    desk.agent_is("6001", "idle");
    let ear = Ear::new(desk.ports.port());
    ear.lose_every(every);
    let caller = desk.caller("0312340020").set("MEDIA", ear.port()).set("STAY", 13_000).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    ear.say(&his, Law::Mu, port);
    assert!(caller.done().calls[&1].has("hung_up"));
    let call = measured(&desk, "031234561");
    let faults = [leg(&call, "caller"), leg(&call, "agent")].map(|leg| leg["faults"].clone());
    assert_eq!(faults, [Value::Array(Vec::new()), Value::Array(Vec::new())], "nothing was wrong");
    let mos = desk.metric("madoguchi_media_mos_count");
    assert_eq!(mos, 2.0, "both legs are in the metrics");
    (call, ear.reports())
}

/// What the softphone and the desk told each other of their way.
#[track_caller]
fn the_softphone_reports(call: &Value) {
    let agent = &leg(call, "agent")["measured"];
    assert_eq!(agent["lost"], 0, "{agent:#}");
    // Packets are passed on by their numbers: what the caller's line lost, the agent's phone misses.
    let (far, near) = (&agent["far_lost"], &leg(call, "caller")["measured"]["lost"]);
    let (far, near) = (far.as_u64().expect("told"), near.as_u64().expect("counted"));
    assert!(far <= near && far * 2 > near, "{far} of {near}: {agent:#}");
    let trip =
        agent["round_trip_ms"].as_u64().unwrap_or_else(|| panic!("no round trip: {agent:#}"));
    assert!(trip < 200, "{agent:#}");
    assert!(agent["mos"].as_f64().expect("an opinion") > 4.2, "{agent:#}");
}

#[test]
fn a_twentieth_lost_is_told_as_that_and_the_reports_are_sound() {
    let (call, reports) = a_call_that_loses(20, &By::default());
    let caller = &leg(&call, "caller")["measured"];
    let share = |field: &str| caller[field].as_f64().unwrap() / caller["due"].as_f64().unwrap();
    assert!((0.03..0.08).contains(&share("lost")), "{caller:#}");
    assert!((3.5..4.1).contains(&caller["mos"].as_f64().unwrap()), "{caller:#}");
    the_softphone_reports(&call);
    // The caller's side was told so: every report but the first few is of a stream that loses.
    assert!(reports.len() >= 3, "{} reports", reports.len());
    tshark_reads(&reports);
}

#[test]
fn a_fifth_lost_is_told_as_bad_and_reports_may_share_the_port() {
    let (call, _) = a_call_that_loses(5, &By { shares_port: true, ..By::default() });
    let caller = &leg(&call, "caller")["measured"];
    let share = |field: &str| caller[field].as_f64().unwrap() / caller["due"].as_f64().unwrap();
    assert!((0.16..0.25).contains(&share("lost")), "{caller:#}");
    assert!(caller["mos"].as_f64().unwrap() < 3.1, "{caller:#}");
    the_softphone_reports(&call);
}

/// tshark takes each for whole RTCP; the last says goodbye.
#[track_caller]
fn tshark_reads(reports: &[Vec<u8>]) {
    let dir = Dir::new("rtcp");
    let (text, capture) = (dir.file("reports.txt"), dir.file("reports.pcap"));
    let mut dump = String::new();
    for report in reports {
        for (at, bytes) in report.chunks(16).enumerate() {
            let _ = write!(dump, "{:06x}", at * 16);
            for byte in bytes {
                let _ = write!(dump, " {byte:02x}");
            }
            dump.push('\n');
        }
    }
    std::fs::write(&text, dump).unwrap();
    let made = Command::new("text2pcap")
        .args(["-q", "-u", "20001,20003"])
        .args([&text, &capture])
        .output()
        .expect("text2pcap");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let read = |filter: &str, fields: &[&str]| {
        let mut tshark = Command::new("tshark");
        tshark.args(["-n", "-d", "udp.port==20001,rtcp", "-r"]).arg(&capture).args(["-Y", filter]);
        tshark.args(["-T", "fields"]);
        for field in fields {
            tshark.args(["-e", field]);
        }
        String::from_utf8_lossy(&tshark.output().expect("tshark").stdout).into_owned()
    };
    assert_eq!(read("_ws.malformed || rtcp.length_check == 0", &["frame.number"]), "");
    let kinds = read("rtcp", &["rtcp.pt"]);
    assert_eq!(kinds.lines().count(), reports.len(), "{kinds}");
    assert!(kinds.lines().all(|kinds| kinds.starts_with("200,202")), "{kinds}");
    assert!(kinds.lines().last().is_some_and(|kinds| kinds.ends_with("203")), "{kinds}");
    let lost = read("rtcp.ssrc.fraction", &["rtcp.ssrc.fraction", "rtcp.ssrc.cum_nr"]);
    assert!(lost.lines().count() >= 3, "{lost}");
}

#[test]
fn a_caller_who_is_not_heard_is_found_within_three_seconds_and_it_ends_when_he_is() {
    let desk = Desk::start("desk.toml");
    let (his, hers) = (Sound::voice(73, 30), Sound::voice(74, 30));
    let softphone = agent(&desk, "6001", &hers, "PCMU");
    desk.agent_is("6001", "idle");
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340020").set("MEDIA", ear.port()).set("STAY", 30_000).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    let fault = || {
        let call = desk.call_of("031234561")?;
        leg(&call, "caller")["faults"].as_array()?.first().cloned()
    };
    let found = poll(s(8), fault).expect("it is noticed");
    assert_eq!(found["fault"], "one_way");
    let call = desk.call_of("031234561").expect("the call");
    let talk = call["talks"][0]["from_ms"].as_u64().expect("a talk");
    let after = found["from_ms"].as_u64().unwrap() - talk;
    // Three seconds, and some for a busy machine.
    assert!((2_400..=3_400).contains(&after), "after {after} ms");
    ear.say(&his, Law::Mu, port);
    eventually("it has ended", s(5), || fault().is_some_and(|fault| !fault["for_ms"].is_null()));
    softphone.tell("hangup", "");
    caller.done();
    let call = measured(&desk, "031234561");
    let faults = |side| leg(&call, side)["faults"].as_array().map(Vec::len);
    assert_eq!((faults("caller"), faults("agent")), (Some(1), Some(0)), "{call:#}");
    assert_eq!(desk.metric("madoguchi_media_faults_total{kind=\"one_way\"}"), 1.0);
}

#[test]
fn neither_hold_nor_waiting_nor_ringing_is_a_fault_of_sound() {
    let desk = Desk::start("desk.toml");
    let (his, hers) = (Sound::voice(75, 60), Sound::voice(76, 60));
    // He waits in the queue and hears prompts; then she comes, and holds, and comes back.
    let caller = quiet_agent(&desk, "6002", &his);
    caller.tell("dial", &format!("sip:0312340020@{}", desk.sip));
    caller.wait("CALL_ESTABLISHED", s(5));
    rest(1_500);
    let softphone = agent(&desk, "6001", &hers, "PCMU");
    softphone.wait("CALL_ESTABLISHED", s(20));
    rest(1_000);
    softphone.tell("hold", "");
    rest(5_000);
    softphone.tell("resume", "");
    rest(3_500);
    caller.tell("hold", "");
    rest(4_000);
    caller.tell("resume", "");
    rest(3_500);
    softphone.tell("hangup", "");
    let call = measured(&desk, "6002");
    for side in ["caller", "agent"] {
        assert_eq!(leg(&call, side)["faults"], Value::Array(Vec::new()), "{call:#}");
    }
}
