//! The tones of the network, as a real phone hears them: pitch and rhythm, in each band.

use crate::support::desk::{Desk, password};
use crate::support::rest;
use crate::support::s;
use crate::support::softphone::{Setup, Softphone};
use crate::support::sound::{RATE, Sound};

/// Stretches of sound and of silence, in ms: loud ones as they are, silent ones negative.
fn rhythm(sound: &Sound) -> Vec<i64> {
    let mut stretches: Vec<i64> = Vec::new();
    for piece in sound.0.chunks_exact(RATE / 100) {
        let loud = Sound(piece.to_vec()).loudness() > 120.0;
        match stretches.last_mut() {
            Some(last) if (*last > 0) == loud => *last += if loud { 10 } else { -10 },
            _ => stretches.push(if loud { 10 } else { -10 }),
        }
    }
    // The swell of a ringing tone is silent for a moment: that ends no stretch.
    let mut joined: Vec<i64> = Vec::new();
    for stretch in stretches {
        match joined.as_mut_slice() {
            [.., before, gap] if stretch > 0 && *gap < 0 && *gap >= -60 && *before > 0 => {
                let all = *before - *gap + stretch;
                joined.truncate(joined.len() - 2);
                joined.push(all);
            }
            _ => joined.push(stretch),
        }
    }
    joined
}

/// How much of the sound is of this pitch (Goertzel).
fn share(sound: &[i16], hz: f64) -> f64 {
    let turn = std::f64::consts::TAU * hz / RATE as f64;
    let (mut one, mut two, mut all) = (0.0, 0.0, 0.0);
    for sample in sound.iter().map(|sample| f64::from(*sample)) {
        (one, two) = (sample + 2.0 * turn.cos() * one - two, one);
        all += sample * sample;
    }
    2.0 * (one * one + two * two - 2.0 * turn.cos() * one * two) / (all * sound.len() as f64)
}

#[test]
fn who_is_sent_from_a_menu_to_one_phone_hears_it_ring_and_then_that_nobody_came() {
    for codecs in ["PCMU", "G722/16000", "opus/48000/1"] {
        let desk = Desk::start("desk.toml");
        let deaf = desk.agent("agent", 202).set("RING", 20_000).start();
        let voice = Sound::voice(8, 60);
        let caller = Softphone::start(
            &desk.ports,
            &Setup {
                user: "6003",
                password: &password("6003"),
                desk: Some(desk.sip),
                voice: &voice,
                answers: false,
                codecs,
                expires_s: 600,
            },
        );
        caller.tell("dial", &format!("sip:0312340050@{}", desk.sip));
        caller.wait("CALL_ESTABLISHED", s(5));
        rest(300);
        caller.tell("sndcode", "4");
        caller.wait("CALL_CLOSED", s(15));
        rest(300);
        let heard = caller.heard().pop().expect("a recording");
        let stretches = rhythm(&heard);
        let mut at = 0;
        let (mut rings, mut beeps) = (0, 0);
        for (number, stretch) in stretches.iter().enumerate() {
            let from = usize::try_from(at).unwrap() * 8;
            at += stretch.abs();
            let sound = &heard.0[from..usize::try_from(at).unwrap() * 8];
            let near = |due: i64| (stretch - due).abs() <= 40;
            let before = if number > 0 { stretches[number - 1] } else { 0 };
            if !(near(1000) || near(500)) || share(sound, 400.0) < 0.6 {
                continue;
            }
            assert!(share(sound, 425.0) < 0.02, "{codecs}: no other country's");
            if near(1000) && (before + 2000).abs() <= 60 {
                rings += 1;
                // It swells 16 times a second: the two sides of the carrier.
                assert!(share(sound, 416.0) > 0.05 && share(sound, 384.0) > 0.05, "{codecs}");
            }
            beeps += i32::from(near(500) && share(sound, 400.0) > 0.9);
        }
        // 5 s of ringing are a second of it, two of silence, and another; then the tone for 4 s.
        assert!(rings >= 1 && beeps >= 3, "{codecs}: {rings} {beeps} {stretches:?}");
        assert_eq!(desk.outcome("6003"), "busy_released");
        deaf.stop();
    }
}
