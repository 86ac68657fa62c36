//! ICE-lite against a full agent of another house (aioice, Debian's python3-aioice).
#![allow(clippy::pedantic)]

use madoguchi::base::{Mono, Rng};
use madoguchi::ice::{Credentials, Lite, is_stun};
use std::io::{BufRead, BufReader, Write};
use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs an agent that takes itself for `role` until it says that it is connected and its word has come.
/// With `spoil`, it has another password than ours.
fn connect(role: &str, spoil: bool) -> (Lite, bool) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let mut rng = Rng::from_number(u64::from(socket.local_addr().unwrap().port()));
    let mut lite = Lite::new(Credentials::draw(&mut rng));
    let ours = lite.ours().clone();
    let other = Credentials::draw(&mut rng);
    let password = if spoil { other.password() } else { ours.password() };
    // Debian's own Python: the package is installed for that one.
    let mut child = Command::new("/usr/bin/python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ice/agent.py"))
        .args([role, &socket.local_addr().unwrap().port().to_string(), ours.fragment(), password])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(if spoil { Stdio::null() } else { Stdio::inherit() })
        .spawn()
        .expect("python3");
    let mut say = child.stdin.take().unwrap();
    let mut hear = BufReader::new(child.stdout.take().unwrap());
    let _ended = Ended(child);
    let mut line = String::new();
    hear.read_line(&mut line).unwrap();
    let (fragment, password) = line.trim().split_once(' ').expect("python3-aioice is installed");
    lite.set_theirs(&Credentials::parse(fragment, password).unwrap());
    writeln!(say, "heard").unwrap();

    let began = Instant::now();
    let mut buffer = [0; 2048];
    let patience = Duration::from_secs(if spoil { 3 } else { 20 });
    while began.elapsed() < patience {
        let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
        let datagram = &buffer[..length];
        if !is_stun(datagram) {
            assert_eq!(datagram, b"\x80hello");
            assert_eq!(lite.chosen(), Some(from), "it speaks by the way that it chose");
            return (lite, true);
        }
        let now = Mono(u64::try_from(began.elapsed().as_micros()).unwrap());
        let checked = lite.datagram(datagram, from, now);
        if let Some(answer) = checked.answer {
            socket.send_to(&answer, from).unwrap();
        }
    }
    (lite, false)
}

#[test]
fn a_full_agent_checks_chooses_and_speaks() {
    let (lite, spoke) = connect("controlling", false);
    assert!(spoke);
    assert!(lite.consents(lite.last_check().unwrap()));
}

#[test]
fn an_agent_that_takes_itself_for_controlled_is_told_to_control() {
    let (lite, spoke) = connect("controlled", false);
    assert!(spoke && lite.chosen().is_some());
}

#[test]
fn an_agent_with_another_password_gets_no_way() {
    let (lite, spoke) = connect("controlling", true);
    assert!(!spoke);
    assert_eq!((lite.chosen(), lite.last_check()), (None, None));
}
