//! The way to the site's store is cut, and the server freezes, at drawn instants: every entry comes there
//! once, in order.

use super::support::postgres::Postgres;
use super::support::process::Dir;
use super::support::{ms, rest, s};
use super::{Follower, address, month, same_entries, write};
use madoguchi::base::Rng;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A line that is cut after a drawn number of bytes, in either direction.
struct Line {
    port: u16,
    whole: Arc<AtomicBool>,
    cuts: Arc<AtomicU64>,
}

impl Line {
    fn to(port: u16, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let here = listener.local_addr().unwrap().port();
        let (whole, cuts) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (now_whole, counted) = (Arc::clone(&whole), Arc::clone(&cuts));
        std::thread::spawn(move || {
            let mut rng = Rng::from_number(seed);
            for client in listener.incoming() {
                let client = client.unwrap();
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                // The first words are some 3,000 bytes; a block of entries is a million.
                let up = [2_000, 20_000, 700_000, 3_000_000][rng.below(4) as usize];
                let up = rng.below(up);
                let down = 500 + rng.below(4_000);
                for (from, to, bytes) in [
                    (client.try_clone().unwrap(), server.try_clone().unwrap(), up),
                    (server, client, down),
                ] {
                    let (whole, cuts) = (Arc::clone(&now_whole), Arc::clone(&counted));
                    std::thread::spawn(move || carry(from, to, bytes, &whole, &cuts));
                }
            }
        });
        Self { port: here, whole, cuts }
    }
}

fn carry(
    mut from: TcpStream,
    mut to: TcpStream,
    mut bytes: u64,
    whole: &AtomicBool,
    cuts: &AtomicU64,
) {
    let mut piece = [0; 4_096];
    while let Ok(read @ 1..) = from.read(&mut piece) {
        let some = read.min(usize::try_from(bytes).unwrap());
        let all = whole.load(Ordering::Relaxed);
        let some = if all { read } else { some };
        if to.write_all(&piece[..some]).is_err() {
            break;
        }
        bytes = bytes.saturating_sub(some as u64);
        if bytes == 0 && !all {
            cuts.fetch_add(1, Ordering::Relaxed);
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

#[test]
fn a_line_that_is_cut_a_hundred_times_loses_and_doubles_nothing() {
    let dir = Dir::new("site-cut");
    let server = Postgres::start();
    let entries = month::history(20_000, &Default::default(), 300);
    let file = dir.file("desk.db");
    let line = Line::to(server.port, 7);
    let mut blocks = entries.chunks(entries.len() / 120);
    let mut last = write(&file, blocks.next().unwrap().to_vec());
    let follower = Follower::start(&file, last, address(&server, line.port));
    let mut rng = Rng::from_number(11);
    // The journal grows while the line is cut. A failure has a pause behind it, so that several follow.
    while line.cuts.load(Ordering::Relaxed) < 100 {
        if let Some(block) = blocks.next() {
            last = write(&file, block.to_vec());
        }
        follower.up_to(last);
        let others: Vec<Follower> =
            (0..3).map(|_| Follower::start(&file, last, address(&server, line.port))).collect();
        rest(150 + rng.below(200));
        drop(others);
    }
    for block in blocks {
        last = write(&file, block.to_vec());
    }
    line.whole.store(true, Ordering::Relaxed);
    follower.up_to(last);
    follower.level(s(60));
    same_entries(&file, &server);
}

#[test]
fn a_server_that_freezes_harms_nobody_and_is_caught_up_with() {
    let dir = Dir::new("site-frozen");
    let server = Postgres::start();
    let file = dir.file("desk.db");
    let entries = month::history(30_000, &Default::default(), 60);
    let (first, rest_of_it) = entries.split_at(entries.len() / 3);
    let last = write(&file, first.to_vec());
    let follower = Follower::start(&file, last, address(&server, server.port));
    follower.level(s(30));
    server.freeze(true);
    let last = write(&file, rest_of_it.to_vec());
    follower.up_to(last);
    rest(2_000);
    let state = follower.state();
    assert!(state.behind > 0 && state.behind_for >= ms(1_500), "{state:?}");
    server.freeze(false);
    follower.level(s(60));
    same_entries(&file, &server);
}
