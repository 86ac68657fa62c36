//! Voices through every pair of codecs, listened to: by level, by delay and by likeness.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "seconds of sound and bytes of noise"
)]

use super::*;
use crate::base::Mono;
use crate::sdp::Codec::{self, G722, Opus, Pcma, Pcmu};

/// The least likeness by wave that a codec must reach. Opus moves the phase of deep tones (its filter
/// against hum), which no ear hears and a correlation does.
fn least(codec: Codec) -> f64 {
    if codec == Opus { 0.82 } else { 0.95 }
}

const CODECS: [Codec; 4] = [Pcmu, Pcma, G722, Opus];

/// Something like a voice: a gliding pitch with overtones, in syllables.
fn speech(band: Band, ms: usize) -> Vec<i16> {
    let rate = f64::from(band.hz());
    let mut phase = 0.0_f64;
    (0..ms * band.per_ms())
        .map(|n| {
            let t = n as f64 / rate;
            let pitch = 140.0 + 40.0 * (std::f64::consts::TAU * 0.7 * t).sin();
            phase += std::f64::consts::TAU * pitch / rate;
            let voice: f64 = (1..=12).map(|k| (f64::from(k) * phase).sin() / f64::from(k)).sum();
            let syllable = (std::f64::consts::TAU * 2.3 * t).sin().max(0.0).sqrt();
            (voice * syllable * 5000.0) as i16
        })
        .collect()
}

/// How alike two sounds are at the best delay up to 300 ms: 1 for the same, and the delay in samples.
fn likeness(said: &[i16], heard: &[i16], band: Band) -> (f64, usize) {
    let most = 300 * band.per_ms();
    // Every so many samples are looked at: enough to tell.
    let every = if band == Band::Wide { 22 } else { 11 };
    let score = |delay: usize| {
        let pairs = said.iter().zip(&heard[delay..]).step_by(every);
        let pairs = pairs.map(|(a, b)| (f64::from(*a), f64::from(*b)));
        let (mut ab, mut aa, mut bb) = (0.0, 1.0, 1.0);
        pairs.for_each(|(a, b)| (ab, aa, bb) = (ab + a * b, aa + a * a, bb + b * b));
        ab / (aa * bb).sqrt()
    };
    let coarse = (0..most).step_by(4).max_by(|a, b| score(*a).total_cmp(&score(*b))).unwrap();
    let fine = coarse.saturating_sub(4)..coarse + 5;
    fine.map(|delay| (score(delay), delay)).max_by(|a, b| a.0.total_cmp(&b.0)).unwrap()
}

/// Encodes at one end, carries the packets with `carry` (arrival in ms after sending; none: lost), and
/// gives what the ear made of it, `ms` long.
fn heard(
    codec: Codec,
    band: Band,
    ptime: u8,
    said: &[i16],
    drift: f64,
    carry: impl Fn(u64) -> Option<u64>,
) -> (Vec<i16>, EarCounts) {
    let mut mouth = Mouth::new(codec, band, ptime).unwrap();
    let mut ear = Ear::new(codec, band).unwrap();
    let step = ptime as usize * band.per_ms();
    let mut packets = Vec::new();
    for (n, sound) in (0_u64..).zip(said.chunks_exact(step)) {
        mouth.say(sound);
        let mut payload = [0; 1000];
        let count = mouth.next(&mut payload).unwrap();
        let sent = ((n + 1) as f64 * f64::from(ptime) * drift) as u64;
        let ticks = u32::try_from(n).unwrap() * u32::from(ptime) * codec::ticks_per_ms(codec);
        let timestamp = 0xffff_f000_u32.wrapping_add(ticks);
        if let Some(late) = carry(n) {
            packets.push((sent + late, timestamp, payload[..count].to_vec()));
        }
    }
    packets.sort_by_key(|packet| packet.0);
    let mut packets = packets.into_iter().peekable();
    let mut sound = Vec::new();
    for ms in (0..said.len() as u64 / band.per_ms() as u64 + 400).step_by(20) {
        while let Some((at, timestamp, payload)) = packets.next_if(|packet| packet.0 <= ms) {
            ear.hear(7, timestamp, &payload, Mono(at * 1000));
        }
        let mut piece = vec![0; 20 * band.per_ms()];
        ear.give(&mut piece, Mono(ms * 1000));
        sound.extend(piece);
    }
    (sound, ear.counts())
}

#[test]
fn a_voice_comes_through_every_codec() {
    for codec in CODECS {
        for band in [Band::Narrow, Band::Wide] {
            for ptime in [10, 20, 40, 60] {
                let said = speech(band, 2000);
                let (sound, counts) = heard(codec, band, ptime, &said, 1.0, |_| Some(3));
                let (like, delay) = likeness(&said, &sound, band);
                assert!(like > least(codec), "{codec:?} {band:?} {ptime}: {like} {counts:?}");
                assert!(delay < 140 * band.per_ms(), "{codec:?} {band:?} {ptime}: {delay}");
                assert_eq!(counts.refused, 0, "{codec:?} {band:?} {ptime}");
            }
        }
    }
}

#[test]
fn one_packet_in_twenty_lost_is_hardly_heard() {
    for codec in CODECS {
        let said = speech(Band::Narrow, 6000);
        let (sound, counts) =
            heard(codec, Band::Narrow, 20, &said, 1.0, |n| (n % 20 != 13).then_some(3));
        let (like, _) = likeness(&said, &sound, Band::Narrow);
        assert!(like > least(codec) - 0.05, "{codec:?}: {like} {counts:?}");
        assert_eq!(counts.lost, 15, "{codec:?}");
    }
}

#[test]
fn jitter_and_wrong_order_are_smoothed() {
    for codec in CODECS {
        let said = speech(Band::Narrow, 6000);
        let (sound, counts) =
            heard(codec, Band::Narrow, 20, &said, 1.0, |n| Some(n.wrapping_mul(7919) % 45));
        let (like, _) = likeness(&said[16_000..], &sound[16_000..], Band::Narrow);
        assert!(like > least(codec) - 0.05, "{codec:?}: {like} {counts:?}");
    }
}

#[test]
fn a_phone_whose_clock_runs_off_is_followed() {
    for drift in [0.9997, 1.0003] {
        let said = speech(Band::Narrow, 600_000);
        let (_, counts) = heard(Pcmu, Band::Narrow, 20, &said, drift, |n| Some(n % 3));
        // 180 ms of drift in ten minutes: cut out or made up, and little more.
        assert!(counts.cut_ms + counts.made_up_ms < 400, "{drift}: {counts:?}");
        assert_eq!(counts.lost, 0, "{drift}: {counts:?}");
    }
}

#[test]
fn a_late_spell_ends_and_so_does_its_delay() {
    // 300 ms of nothing, then all of it at once.
    let said = speech(Band::Narrow, 20_000);
    let (sound, counts) = heard(Pcmu, Band::Narrow, 20, &said, 1.0, |n| {
        Some(if (100..115).contains(&n) { 20 * (115 - n) } else { 3 })
    });
    let (_, before) = likeness(&said[..16_000], &sound[..20_000], Band::Narrow);
    let end = said.len() - 24_000;
    let (like, after) = likeness(&said[end..], &sound[end..], Band::Narrow);
    assert!(like > 0.9 && after < before + 60 * 8, "{like}: {before} to {after}, {counts:?}");
}

#[test]
fn another_stream_and_a_pause_begin_anew() {
    let mut ear = Ear::new(Pcmu, Band::Narrow).unwrap();
    let mut sound = [0; 160];
    let quiet = |sound: &[i16]| sound.iter().all(|sample| *sample == 0);
    for n in 0..400_u32 {
        let now = Mono(u64::from(n) * 20_000);
        let speaks = n % 100 < 50;
        let ssrc = n / 200;
        if speaks {
            ear.hear(ssrc, n.wrapping_mul(160).wrapping_add(ssrc * 999), &[0x10; 160], now);
        }
        ear.give(&mut sound, now);
        if n % 100 > 5 && speaks {
            assert!(!quiet(&sound), "{n}");
        }
        if n % 100 > 60 {
            assert!(quiet(&sound), "{n}");
        }
    }
    assert_eq!(ear.counts().lost, 0);
}

#[test]
fn what_is_no_payload_is_refused() {
    for codec in CODECS {
        let mut ear = Ear::new(codec, Band::Narrow).unwrap();
        ear.hear(1, 0, &[], Mono(0));
        ear.hear(1, 0, &[0x7f; 641], Mono(0));
        assert_eq!(ear.counts().refused, 2, "{codec:?}");
        for n in 0..200_u32 {
            let payload: Vec<u8> = (0..n).map(|byte| (byte * n * 31 % 256) as u8).collect();
            ear.hear(1, n * 160, &payload, Mono(u64::from(n) * 20_000));
            ear.give(&mut [0; 160], Mono(u64::from(n) * 20_000));
        }
    }
}

#[test]
fn a_phone_that_rests_is_heard_as_its_own_noise_until_a_voice_comes_again() {
    let mut ear = Ear::new(Codec::Pcmu, Band::Narrow).unwrap();
    let voice = [0x20_u8; 160];
    let level = |sound: &[i16]| {
        let power = sound.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>();
        (power / f64::from(u32::try_from(sound.len()).unwrap())).sqrt()
    };
    let mut sound = [0; 160];
    let mut levels = Vec::new();
    for beat in 0..100_u32 {
        let now = Mono(u64::from(beat) * 20_000);
        match beat {
            0..20 | 60.. => ear.hear(1, beat * 160, &voice, now),
            20 => ear.rest(50),
            _ => {}
        }
        ear.give(&mut sound, now);
        levels.push(level(&sound));
    }
    // 50 dB below the loudest: 104.
    assert!(levels[26..60].iter().all(|level| (80.0..130.0).contains(level)), "{levels:?}");
    assert!(levels[5..18].iter().chain(&levels[66..]).all(|level| *level > 1000.0), "{levels:?}");
    assert_eq!(ear.counts().lost, 0, "what was not said is not lost");
}

/// How long after it was sent each loud packet is heard, ms, over an hour in which one in 500 is loud; and
/// what the ear went through. Begins past 49 days and a little before the stream's clock wraps.
fn delays(drift: f64) -> (Vec<f64>, EarCounts) {
    const FROM_US: u64 = (1 << 32) * 1000 + 5_000_000;
    let mut ear = Ear::new(Pcmu, Band::Narrow).unwrap();
    let mut sound = [0; 160];
    let (mut said, mut delays, mut loud_before) = (0_u32, Vec::new(), false);
    let mut sent_at = std::collections::VecDeque::new();
    for beat in 0..180_000_u64 {
        let now_us = beat * 20_000;
        // What has arrived by now, each some ms late.
        loop {
            let sent_us = f64::from(said + 1) * 20_000.0 * drift;
            if sent_us + f64::from(said % 3) * 1000.0 > now_us as f64 {
                break;
            }
            let loud = said % 500 == 499;
            if loud {
                sent_at.push_back(sent_us / 1000.0);
            }
            let payload = [if loud { 0x10 } else { 0xff }; 160];
            let timestamp = 0xfff0_0000_u32.wrapping_add(said * 160);
            ear.hear(7, timestamp, &payload, Mono(FROM_US + now_us));
            said += 1;
        }
        ear.give(&mut sound, Mono(FROM_US + now_us));
        let first = sound.iter().position(|sample| sample.unsigned_abs() > 2000);
        if let (Some(first), false) = (first, loud_before) {
            let heard_ms = now_us as f64 / 1000.0 + first as f64 / 8.0;
            delays.extend(sent_at.pop_front().map(|sent| heard_ms - sent));
        }
        loud_before = first.is_some();
    }
    (delays, ear.counts())
}

#[test]
fn after_an_hour_of_a_clock_that_is_off_the_delay_is_what_it_was() {
    for drift in [0.9999, 1.0, 1.0001] {
        let (delays, counts) = delays(drift);
        assert!(delays.len() >= 358, "{drift}: {} of 359 were heard", delays.len());
        let mean = |delays: &[f64]| delays.iter().sum::<f64>() / delays.len() as f64;
        let (begin, end) = (mean(&delays[1..11]), mean(&delays[delays.len() - 10..]));
        assert!((begin - end).abs() <= 40.0, "{drift}: {begin} ms, then {end} ms; {counts:?}");
        let most = delays.iter().copied().fold(0.0, f64::max);
        assert!(most < 110.0 && counts.lost == 0, "{drift}: {most} ms; {counts:?}");
        // 360 ms of drift, no more is cut out or made up than that and a little.
        assert!(counts.cut_ms + counts.made_up_ms < 700, "{drift}: {counts:?}");
    }
}
