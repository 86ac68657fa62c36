//! sipsak, a program of others that registers once.

use super::desk::Desk;
use std::process::Command;

/// sipsak registers once from 127.0.0.1: whether the desk said yes.
#[track_caller]
pub fn registers(desk: &Desk, user: &str, password: &str) -> bool {
    let uri = format!("sip:{user}@{}", desk.sip);
    let contact = format!("sip:{user}@127.0.0.1:5099");
    let arguments = [
        "-U",
        "-n",
        "-i",
        "-H",
        "127.0.0.1",
        "-x",
        "60",
        "-C",
        &contact,
        "-u",
        user,
        "-a",
        password,
        "-s",
        &uri,
    ];
    let output = Command::new("timeout").arg("10").arg("sipsak").args(arguments).output();
    output.expect("sipsak runs").status.success()
}
