//! Garbage at 20,000 datagrams a second while ten calls a second go on: a minute of it by scripts/flood. Each
//! test run has five seconds at a tenth of that: a build without optimisation on a shared machine.

use crate::support::desk::{Desk, Setup};
use crate::support::{poll, s};
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Datagrams a second, by scripts/flood and in each test run.
const RATES: [u64; 2] = [20_000, 2_000];
/// Calls a second.
const CALLS: u32 = 10;

/// Noise, SIP that is cut off, SIP with broken lines, heads without an end.
fn garbage() -> Vec<Vec<u8>> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut draw = move |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as usize % bound
    };
    let fair = "INVITE sip:0312340010@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKx\r\n\
                From: <sip:a@127.0.0.1>;tag=g\r\nTo: <sip:b@127.0.0.1>\r\nCall-ID: g\r\nCSeq: 1 INVITE\r\n\
                Contact: <sip:a@127.0.0.1:9>\r\nContent-Length: 0\r\n\r\n";
    let kinds = (0..512).map(|n| match n % 4 {
        0 => (0..draw(1200)).map(|_| draw(256) as u8).collect(),
        1 => fair.as_bytes()[..draw(fair.len() - 4)].to_vec(),
        2 => {
            let mut bytes = fair.as_bytes().to_vec();
            for _ in 0..8 {
                let at = draw(bytes.len());
                bytes[at] = draw(256) as u8;
            }
            bytes
        }
        _ => fair.replace("CSeq", &"X: y\r\n".repeat(draw(150))).into_bytes(),
    });
    kinds.collect()
}

#[test]
fn calls_go_on_in_a_flood_of_garbage() {
    let asked = std::env::var("MADOGUCHI_FLOOD_SECONDS").ok();
    let seconds: u32 = asked.as_ref().and_then(|text| text.parse().ok()).unwrap_or(5);
    let [full, short] = RATES;
    // On a busy machine the daemon itself may wait for its turn: that is not what is tried here.
    let (rate, more) = match asked {
        Some(_) => (full, ""),
        None => (short, "[limits]\nqueue_delay_ms = 2000\n"),
    };
    let mut desk = Desk::with(&Setup { more, ..Setup::default() });
    let total = seconds * CALLS;
    let before_kib = desk.process().rss_kib();
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let flood = {
        let (stop, sent, to) = (stop.clone(), sent.clone(), desk.sip);
        std::thread::spawn(move || {
            let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
            let (garbage, begun) = (garbage(), Instant::now());
            while !stop.load(Ordering::Relaxed) {
                // A machine that was busy meanwhile does not make up for it in one burst.
                let due = begun.elapsed().as_millis() as u64 * rate / 1000;
                let now = sent.load(Ordering::Relaxed);
                for n in now.max(due.saturating_sub(rate / 50))..due {
                    let _ = stranger.send_to(&garbage[n as usize % garbage.len()], to);
                    sent.fetch_add(1, Ordering::Relaxed);
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            begun.elapsed()
        })
    };
    let job = desk.caller("0312340070").set("STAY", 300).calls(total, CALLS);
    let callers = job.within(s(u64::from(seconds) + 40)).start();
    let good = || callers.calls().values().filter(|call| call.has("hung_up")).count() as u32;
    let _ = poll(s(u64::from(seconds) + 35), || (good() == total).then_some(()));
    stop.store(true, Ordering::Relaxed);
    let lasted = flood.join().unwrap();
    let (failed, sent) = (total - good(), sent.load(Ordering::Relaxed));
    let messages = callers.stop().calls;
    let grown = desk.process().rss_kib().saturating_sub(before_kib);
    println!(
        "{sent} datagrams of garbage in {:.1} s; {failed} of {total} calls failed; memory +{grown} KiB",
        lasted.as_secs_f64()
    );
    assert!(failed * 100 < total.max(100), "{failed} of {total} failed: {messages:#?}");
    assert!(grown < 64 * 1024, "memory: +{grown} KiB");
    assert!(sent > 1000, "that was no flood: {sent}");
    desk.at_rest(s(10));
}
