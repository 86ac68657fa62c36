//! SRTP against libsrtp, which most phones and all browsers speak by: each opens what the other seals.
//! libsrtp2 comes with Linphone and baresip; it is called from Python (libsrtp.py).
#![allow(clippy::pedantic)]

use madoguchi::base::Rng;
use madoguchi::srtp::sdes::Crypto;
use madoguchi::srtp::{MOST_OVERHEAD_BYTES, MasterKey, Opener, Sealer, Suite};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

struct Libsrtp {
    child: Child,
    say: ChildStdin,
    hear: BufReader<ChildStdout>,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap()).collect()
}

impl Libsrtp {
    fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/srtp/libsrtp.py");
        let mut child = Command::new("python3")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        let say = child.stdin.take().unwrap();
        let hear = BufReader::new(child.stdout.take().unwrap());
        Self { child, say, hear }
    }

    /// The packet, or None when libsrtp refuses.
    fn ask(&mut self, what: &str, suite: Suite, key: &[u8], packet: &[u8]) -> Option<Vec<u8>> {
        writeln!(self.say, "{what} {} {} {}", suite.names()[0], hex(key), hex(packet)).unwrap();
        let mut line = String::new();
        self.hear.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "libsrtp2 and python3 are installed");
        (!line.starts_with("refused")).then(|| bytes(line.trim()))
    }
}

impl Drop for Libsrtp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// With a source and an extension every third time.
fn rtp(ssrc: u32, seq: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 8];
    packet.extend(seq.to_be_bytes());
    packet.extend([0, 0, 1, 2]);
    packet.extend(ssrc.to_be_bytes());
    if seq.is_multiple_of(3) {
        packet[0] = 0x91;
        packet.extend([1, 2, 3, 4, 0xbe, 0xde, 0, 1, 0x10, 7, 0, 0]);
    }
    packet.extend((0..usize::from(seq % 200)).map(|at| at as u8));
    packet
}

fn rtcp(ssrc: u32, count: u16) -> Vec<u8> {
    let words = 6 + count % 5;
    let mut packet = vec![0x80, 200];
    packet.extend(words.to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.resize(usize::from(words) * 4 + 4, 0x5a);
    packet
}

fn with_room(packet: &[u8]) -> Vec<u8> {
    [packet, &[0; MOST_OVERHEAD_BYTES]].concat()
}

fn keys(suite: Suite, seed: u64) -> (MasterKey, Vec<u8>) {
    let mut raw = Rng::from_number(seed);
    let all: Vec<u8> =
        (0..suite.key_bytes() + suite.salt_bytes()).map(|_| raw.bits() as u8).collect();
    let (key, salt) = all.split_at(suite.key_bytes());
    (MasterKey::new(suite, key, salt).unwrap(), all.clone())
}

/// Sequence numbers over a whole round and more, each 61st, some overtaken.
fn numbers() -> Vec<u16> {
    let mut numbers: Vec<u16> = (0..1500_u32).map(|at| (at * 61 + 30_000) as u16).collect();
    numbers.extend([numbers[1499] + 2, numbers[1499] + 1]);
    for at in (3..1500).step_by(7) {
        numbers.swap(at, at + 1);
    }
    numbers
}

#[test]
fn libsrtp_opens_what_we_seal_and_hears_nothing_twice() {
    let mut libsrtp = Libsrtp::start();
    for suite in Suite::ALL {
        let (master, raw) = keys(suite, 1);
        let mut sealer = Sealer::new(&master);
        for (count, seq) in (0..).zip(numbers()) {
            let packet = rtp(7 + u32::from(count % 2 == 0), seq);
            let mut buffer = with_room(&packet);
            let len = sealer.seal_rtp(&mut buffer, packet.len()).unwrap();
            let opened = libsrtp.ask("open rtp", suite, &raw, &buffer[..len]);
            assert_eq!(opened, Some(packet), "{suite:?}, packet {count}");
            if count % 50 == 0 {
                assert_eq!(libsrtp.ask("open rtp", suite, &raw, &buffer[..len]), None);
                let packet = rtcp(7, count);
                let mut buffer = with_room(&packet);
                let len = sealer.seal_rtcp(&mut buffer, packet.len()).unwrap();
                let opened = libsrtp.ask("open rtcp", suite, &raw, &buffer[..len]);
                assert_eq!(opened, Some(packet), "{suite:?}, report {count}");
                assert_eq!(libsrtp.ask("open rtcp", suite, &raw, &buffer[..len]), None);
            }
        }
    }
}

#[test]
fn what_libsrtp_seals_is_opened() {
    let mut libsrtp = Libsrtp::start();
    for suite in Suite::ALL {
        let (master, raw) = keys(suite, 2);
        let mut opener = Opener::new(&master);
        for (count, seq) in (0..).zip(numbers()) {
            let packet = rtp(7 + u32::from(count % 2 == 0), seq);
            let mut sealed = libsrtp.ask("seal rtp", suite, &raw, &packet).unwrap();
            let len = sealed.len();
            let opened = opener.open_rtp(&mut sealed, len);
            assert_eq!(opened, Ok(packet.len()), "{suite:?}, packet {count}");
            assert_eq!(sealed[..packet.len()], packet);
            if count % 50 == 0 {
                let packet = rtcp(7, count);
                let mut sealed = libsrtp.ask("seal rtcp", suite, &raw, &packet).unwrap();
                let len = sealed.len();
                let opened = opener.open_rtcp(&mut sealed, len);
                assert_eq!(opened, Ok(packet.len()), "{suite:?}, report {count}");
                assert_eq!(sealed[..packet.len()], packet);
            }
        }
    }
}

/// A key as it stands in SDP is the key that libsrtp takes.
#[test]
fn a_key_in_sdp_is_libsrtps_key() {
    let mut libsrtp = Libsrtp::start();
    let value = "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20";
    let crypto = Crypto::parse(value).unwrap();
    let packet = rtp(1, 1);
    let mut buffer = with_room(&packet);
    let len = Sealer::new(&crypto.key).seal_rtp(&mut buffer, packet.len()).unwrap();
    let raw = b"wDfvg&T+)xG7@fb5jU,RaA}\\|p0%*#";
    let opened = libsrtp.ask("open rtp", Suite::Aes128Cm80, raw, &buffer[..len]);
    assert_eq!(opened, Some(packet));
}
