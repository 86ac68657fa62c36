//! Messages that were tampered with, in every state: none makes the endpoint panic, none leaves
//! anything behind, and a call that is played fairly afterwards works.

use super::{Effect, Gauges, Ladder, LegEvent, at, udp};
use crate::base::{LegId, Rng};
use crate::sip::api::Why;
use bytes::Bytes;
use std::collections::BTreeSet;

/// Bytes changed, taken out, put in; lines doubled or dropped; the end cut off.
fn tamper(bytes: &Bytes, rng: &mut Rng) -> Bytes {
    let mut text = bytes.to_vec();
    let place = |rng: &mut Rng, len: usize| usize::try_from(rng.below(len as u64)).expect("small");
    for _ in 0..=rng.below(4) {
        if text.is_empty() {
            break;
        }
        let at = place(rng, text.len());
        let odd = b"\0\r\n;,<>\"@:=%[]\xff 9"[place(rng, 17)];
        match rng.below(7) {
            0 => text[at] = odd,
            1 => text.insert(at, odd),
            2 => {
                text.remove(at);
            }
            3 => text.truncate(at),
            4 | 5 => {
                let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
                let line = place(rng, lines.len());
                if rng.below(2) == 0 {
                    lines.insert(line, lines[line]);
                } else {
                    lines.remove(line);
                }
                text = lines.join(&b'\n');
            }
            _ => text[at] = text[at].wrapping_add(1),
        }
    }
    Bytes::from(text)
}

#[test]
fn tampered_messages_leave_nothing_behind() {
    let words: [(&str, &[&str]); 12] = [
        ("INVITE", &["1", "sdp"]),
        ("INVITE", &["1", "from=other", "branch=other"]),
        ("INVITE", &["2", "sdp"]),
        ("ACK", &["1"]),
        ("ACK", &["2", "sdp"]),
        ("CANCEL", &["1"]),
        ("CANCEL", &["2"]),
        ("UPDATE", &["3", "sdp"]),
        ("INFO", &["4", "type=application/dtmf", "body=5"]),
        ("BYE", &["5"]),
        ("OPTIONS", &["6", "to=none"]),
        ("REGISTER", &["7", "to=none"]),
    ];
    let (mut calls, mut seen) = (0, BTreeSet::new());
    for seed in 0..120 {
        let mut rng = Rng::from_number(seed);
        let mut ladder = Ladder::new(udp("192.0.2.7:5060"));
        let mut legs = BTreeSet::new();
        let (mut out, mut ms) = (Vec::new(), 0);
        // The trunk calls us, and we call it: it is at the fixed phone's address too.
        ladder.play(
            "
            . dial 2000
            < INVITE 1 sdp
        ",
        );
        legs.insert(LegId(2));
        let answers: [(u16, &[&str]); 5] = [
            (180, &["INVITE"]),
            (200, &["INVITE", "sdp", "tag=a"]),
            (200, &["INVITE", "tag=b"]),
            (491, &["INVITE"]),
            (100, &["INVITE", "tag=none"]),
        ];
        for _ in 0..80 {
            let pick =
                |rng: &mut Rng, of: usize| usize::try_from(rng.below(of as u64)).expect("small");
            let message = if rng.below(3) == 0 {
                let (status, words) = answers[pick(&mut rng, answers.len())];
                ladder.response(status, words)
            } else {
                let (method, options) = words[pick(&mut rng, words.len())];
                ladder.request(method, options)
            };
            let message = if rng.below(3) == 0 { message } else { tamper(&message, &mut rng) };
            ladder.endpoint.receive(ladder.flow, message, false, at(ms), &mut out);
            let leg = legs.iter().copied().nth(pick(&mut rng, legs.len().max(1)));
            if let Some(leg) = leg {
                let sdp = Bytes::from_static(super::SDP.as_bytes());
                match rng.below(12) {
                    0 => ladder.endpoint.ring(leg, Some(sdp), at(ms), &mut out),
                    1 | 2 => ladder.endpoint.accept(leg, sdp, at(ms), &mut out),
                    3 => ladder.endpoint.offer(leg, Some(sdp), at(ms), &mut out),
                    4 => ladder.endpoint.answer_offer(leg, Ok(sdp), at(ms), &mut out),
                    5 => ladder.endpoint.answer_in_ack(leg, sdp, at(ms), &mut out),
                    6 => ladder.endpoint.hang_up(leg, Why::Normal, at(ms), &mut out),
                    _ => {}
                }
            }
            ms += rng.below(700);
            ladder.endpoint.tick(at(ms), &mut out);
            for effect in out.drain(..) {
                if let Effect::Send { flow, bytes, .. } = &effect {
                    ladder.note(*flow, bytes); // the next request knows our tag
                }
                if let Effect::Leg { leg, event } = effect {
                    seen.insert(super::event_line(&event));
                    match event {
                        LegEvent::Incoming(_) => calls += usize::from(legs.insert(leg)),
                        LegEvent::Over(_) | LegEvent::Refused { .. } => {
                            assert!(legs.remove(&leg), "SIM_SEED={seed}: {leg:?} ended twice");
                        }
                        _ => assert!(
                            legs.contains(&leg),
                            "SIM_SEED={seed}: {leg:?} speaks after its end"
                        ),
                    }
                }
            }
        }
        for leg in &legs {
            ladder.endpoint.hang_up(*leg, Why::Fault, at(ms), &mut out);
        }
        // The longest way out: an ACK that is waited for, then a BYE that nobody answers.
        for _ in 0..300 {
            ms += 350;
            ladder.endpoint.tick(at(ms), &mut out);
        }
        assert_eq!(ladder.endpoint.gauges(), Gauges::default(), "SIM_SEED={seed}");
        ladder.ms = ms;
        ladder.leg = LegId(legs.last().map_or(1, |leg| leg.0 + 2).max(1));
        fair_call(&mut ladder, ms);
    }
    assert!(calls > 30, "{calls}");
    for due in ["Confirmed", "Offer sdp", "Over Bye", "Over Cancelled", "Answered sdp", "Digit 5"] {
        assert!(seen.contains(due), "{due} in {seen:?}");
    }
}

/// A call as it should be, on an endpoint that has seen much.
fn fair_call(ladder: &mut Ladder, ms: u64) {
    let mut out = Vec::new();
    let invite = ladder.request("INVITE", &["1", "sdp", "from=fair", "branch=fair"]);
    ladder.endpoint.receive(ladder.flow, invite, false, at(ms), &mut out);
    let arrived = out.iter().find_map(|effect| match effect {
        Effect::Leg { leg, event: LegEvent::Incoming(_) } => Some(*leg),
        _ => None,
    });
    let leg = arrived.expect("a call");
    ladder.endpoint.refuse(leg, 486, at(ms), &mut out);
    let ack = ladder.request("ACK", &["1", "fail", "from=fair", "branch=fair"]);
    ladder.endpoint.receive(ladder.flow, ack, false, at(ms), &mut out);
    ladder.endpoint.tick(at(ms + 37_000), &mut out);
    assert_eq!(ladder.endpoint.gauges(), Gauges::default());
}
