//! What it costs to turn one voice into another codec: an ear and a mouth, as the media thread uses them, without
//! its sockets. One direction of a call is 50 packets a second.
//!
//!     cargo bench --bench voice -- [packets]

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a measurement stops where it fails"
)]

use madoguchi::base::Mono;
use madoguchi::rtp::voice::{Band, Ear, Mouth};
use madoguchi::sdp::Codec;
use std::hint::black_box;
use std::time::Instant;

const PACKET_MS: u64 = 20;

/// A hundred packets of something like a voice.
fn spoken(codec: Codec, band: Band) -> Vec<Vec<u8>> {
    let mut mouth = Mouth::new(codec, band, 20).expect("a codec");
    let samples = band.per_ms() * 20;
    let pitch = |n: usize| {
        let turn = std::f64::consts::TAU * 170.0 / f64::from(band.hz()) * n as f64;
        let overtones: f64 = (1..10).map(|k| (turn * f64::from(k)).sin() / f64::from(k)).sum();
        (overtones * 5000.0) as i16
    };
    (0..100)
        .map(|packet| {
            let sound: Vec<i16> = (0..samples).map(|n| pitch(packet * samples + n)).collect();
            mouth.say(&sound);
            let mut payload = vec![0; 1000];
            let bytes = mouth.next(&mut payload).expect("a packet");
            payload.truncate(bytes);
            payload
        })
        .collect()
}

fn main() {
    let packets: u64 = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(20_000);
    println!("from   to     us/packet, one direction");
    for (from, to, band) in [
        (Codec::Pcmu, Codec::Pcma, Band::Narrow),
        (Codec::Pcmu, Codec::G722, Band::Narrow),
        (Codec::G722, Codec::Pcmu, Band::Narrow),
        (Codec::Pcmu, Codec::Opus, Band::Narrow),
        (Codec::Opus, Codec::Pcmu, Band::Narrow),
        (Codec::G722, Codec::Opus, Band::Wide),
        (Codec::Opus, Codec::G722, Band::Wide),
    ] {
        let spoken = spoken(from, band);
        let mut ear = Ear::new(from, band).expect("a codec");
        let mut mouth = Mouth::new(to, band, 20).expect("a codec");
        let mut sound = vec![0; band.per_ms() * 20];
        let mut payload = [0; 1000];
        let ticks = from.clock_hz() / 1000 * 20;
        let began = Instant::now();
        for n in 0..packets {
            let now = Mono(n * PACKET_MS * 1000);
            let packet = &spoken[(n % 100) as usize];
            ear.hear(1, (n as u32).wrapping_mul(ticks), packet, now);
            ear.give(&mut sound, now);
            mouth.say(&sound);
            black_box(mouth.next(&mut payload));
        }
        let us = began.elapsed().as_secs_f64() * 1e6 / packets as f64;
        println!("{:6} {:6} {us:9.2}", from.name(), to.name());
    }
}
