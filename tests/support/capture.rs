//! What `madoguchi sip` shows, and captures as tshark reads them.

use super::desk::{Desk, binary};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Runs a program to its end: what it printed, when it ended well.
#[track_caller]
pub fn printed(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).env("LC_ALL", "C.UTF-8").output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}\n{text}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

#[track_caller]
pub fn sip(desk: &Desk, arguments: &[&str]) -> String {
    let config = desk.dir().file("madoguchi.toml").display().to_string();
    let mut all = vec!["sip"];
    all.extend(arguments);
    all.extend(["--config", &config, "--lang", "en"]);
    printed(&binary(), &all)
}

/// Everything in a capture of calls is SIP, whatever tshark thinks of its ports: left alone, it takes
/// UDP 12000 to 12004 for LLC, and a desk of a test may stand there.
const ALL_IS_SIP: [&str; 4] = ["-d", "udp.port==1-65535,sip", "-d", "tcp.port==1-65535,sip"];

/// Proof that tshark finds nothing wrong with a capture, checksums included.
#[track_caller]
pub fn sound(file: &Path) {
    let file = file.display().to_string();
    let checks = [
        "-o",
        "ip.check_checksum:TRUE",
        "-o",
        "udp.check_checksum:TRUE",
        "-o",
        "tcp.check_checksum:TRUE",
    ];
    let wrong = "_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0 || \
                 tcp.checksum.status == 0 || tcp.analysis.flags";
    let mut arguments = vec!["-n", "-r", &file];
    arguments.extend(ALL_IS_SIP);
    arguments.extend(checks);
    arguments.extend(["-Y", wrong]);
    assert_eq!(printed("tshark", &arguments), "", "tshark finds something wrong");
}

/// Rows of fields that tshark reads from a capture.
#[track_caller]
pub fn dissected(file: &Path, fields: &[&str]) -> Vec<Vec<String>> {
    let file = file.display().to_string();
    let mut wanted = vec!["-n", "-r", &file, "-Y", "sip", "-T", "fields"];
    wanted.extend(ALL_IS_SIP);
    for field in fields {
        wanted.extend(["-e", field]);
    }
    let rows = printed("tshark", &wanted);
    rows.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// The capture of a call: nothing is wrong with it, and its messages went by these transports.
#[track_caller]
pub fn captured(desk: &Desk, call: &str, by: &[&str]) {
    let file = desk.dir().file(&format!("{call}.pcap"));
    sip(desk, &["pcap", call, &file.display().to_string()]);
    sound(&file);
    let rows = dissected(&file, &["sip.CSeq.method", "sip.Via.transport", "sip.from.user"]);
    assert!(rows.iter().any(|row| row[0] == "INVITE"), "{rows:?}");
    assert!(rows.iter().any(|row| row[0] == "BYE"), "{rows:?}");
    let went: BTreeSet<&str> = rows.iter().filter_map(|row| row[1].split(',').next()).collect();
    assert_eq!(went, by.iter().copied().collect(), "{rows:?}");
    assert!(rows.iter().all(|row| row[2].starts_with('n')), "pseudonyms: {rows:?}");
}
