//! What SRTP costs: ns to seal and to open a packet of 20 ms of G.711, by suite, and µs to key one leg.
//!
//!     cargo bench --bench srtp -- [packets] [rounds]
//!
//! The least of the rounds is shown: the rest of the machine only adds.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a bench stops where it fails"
)]

use madoguchi::base::Rng;
use madoguchi::srtp::{MOST_OVERHEAD_BYTES, MasterKey, Opener, Sealer, Suite};
use std::hint::black_box;
use std::time::{Duration, Instant};

const PACKET_BYTES: usize = 172;

fn main() {
    // `cargo bench` adds `--bench`.
    let numbers: Vec<u32> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let number = |at: usize, default| numbers.get(at).copied().unwrap_or(default);
    let (packets, rounds) = (number(0, 100_000), number(1, 10));
    println!("{packets} packets of {PACKET_BYTES} bytes, best of {rounds} rounds");
    println!("suite                     seal ns  open ns  both ns  key a leg us");
    for suite in Suite::ALL {
        let [mut seal, mut open, mut keyed] = [Duration::MAX; 3];
        for round in 0..rounds {
            let (one, two) = talk(suite, packets, round.into());
            (seal, open) = (seal.min(one), open.min(two));
            keyed = keyed.min(key(suite, u64::from(round)));
        }
        let each = |span: Duration| span.as_secs_f64() * 1e9 / f64::from(packets);
        println!(
            "{:24} {:8.0} {:8.0} {:8.0} {:13.1}",
            suite.names()[0],
            each(seal),
            each(open),
            each(seal) + each(open),
            keyed.as_secs_f64() * 1e6
        );
    }
}

fn talk(suite: Suite, packets: u32, seed: u64) -> (Duration, Duration) {
    let key = MasterKey::draw(suite, &mut Rng::from_number(seed));
    let (mut sealer, mut opener) = (Sealer::new(&key), Opener::new(&key));
    let (mut seal, mut open) = (Duration::ZERO, Duration::ZERO);
    // So many at a time that the clock costs nothing and all lies in the cache, as it would there.
    let mut batch = vec![[0x55_u8; PACKET_BYTES + MOST_OVERHEAD_BYTES]; 64];
    let (mut done, mut len) = (0_u32, 0);
    while done < packets {
        for (packet, number) in batch.iter_mut().zip(done..) {
            packet[..2].copy_from_slice(&[0x80, 0]);
            packet[2..4].copy_from_slice(&(number as u16).to_be_bytes());
            packet[4..12].copy_from_slice(&[0, 0, 0, 0, 1, 2, 3, 4]);
        }
        let began = Instant::now();
        for packet in &mut batch {
            len = black_box(sealer.seal_rtp(black_box(packet), PACKET_BYTES)).expect("sealed");
        }
        let sealed = Instant::now();
        for packet in &mut batch {
            black_box(opener.open_rtp(black_box(packet), len)).expect("opened");
        }
        seal += sealed - began;
        open += sealed.elapsed();
        done += 64;
    }
    (seal, open)
}

/// Both directions of a leg.
fn key(suite: Suite, seed: u64) -> Duration {
    const LEGS: u32 = 100;
    let key = MasterKey::draw(suite, &mut Rng::from_number(seed));
    let began = Instant::now();
    for _ in 0..LEGS {
        black_box((Sealer::new(black_box(&key)), Opener::new(black_box(&key))));
    }
    began.elapsed() / LEGS
}
