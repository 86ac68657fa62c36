//! RTP packets and the keys in them.

use super::script::Dice;
use crate::base::{Mono, Rng};
use crate::rtp::packet::{self, Fresh, HEADER_BYTES};
use crate::rtp::quality::{Heard, Packet, mos};
use crate::rtp::rtcp::{self, Item, Name, Report, WRITTEN_BYTES};
use crate::rtp::voice::{Band, Ear};
use crate::rtp::{KeyReader, KeyWriter, Learns, Outgoing, SourceLock, Verdict};
use crate::sdp::Codec;
use std::net::SocketAddr;
use std::time::Duration;

/// Pieces of at most 255 bytes, each behind a byte that says how many, and that byte.
fn pieces(data: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = data;
    std::iter::from_fn(move || {
        let (length, behind) = rest.split_first()?;
        let (piece, after) = behind.split_at(behind.len().min(usize::from(*length)));
        rest = after;
        Some((*length, piece))
    })
}

/// A stream of packets, one after another, through all that a packet passes: whatever comes, what we write
/// is read again as it was meant, a stranger is never heard once the phone has spoken, sound is given for
/// every moment that is asked for, and a stream that we pass on never goes back to a number once skipped.
pub fn rtp(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    let codec = Codec::ALL[usize::from(*choice) % Codec::ALL.len()];
    let (mut ear, mut out) =
        (Ear::new(codec, Band::Narrow).unwrap(), Outgoing::draw(8_000, &mut Rng::from_number(1)));
    let phone: SocketAddr = ([127, 0, 0, 1], 4000).into();
    let stranger: SocketAddr = ([127, 0, 0, 1], 4002).into();
    let learns = if *choice & 0x80 == 0 { Learns::Anywhere } else { Learns::Nobody };
    let mut lock = SourceLock::new(phone, learns);
    let (mut now, mut proved, mut sound) = (Mono::ZERO, false, [0_i16; 160]);
    let mut heard = Heard::default();
    for (length, piece) in pieces(data) {
        now = now + Duration::from_millis(u64::from(length % 64));
        let Ok(header) = packet::read(piece) else { continue };
        assert!(header.payload.end <= piece.len() && header.payload.start >= HEADER_BYTES);
        let fresh = Fresh {
            payload_type: header.payload_type,
            marker: header.marker,
            seq: header.seq,
            timestamp: header.timestamp,
            ssrc: header.ssrc,
        };
        let mut written = piece.to_vec();
        let place = packet::rewrite(&mut written, header.payload.clone(), fresh).unwrap();
        let again = packet::read(&written[place.clone()]).unwrap();
        assert_eq!(written[place][again.payload.clone()], piece[header.payload.clone()]);
        assert_eq!((again.seq, again.timestamp), (header.seq, header.timestamp));

        let from = if header.marker { stranger } else { phone };
        match lock.judge(from, header.ssrc) {
            Verdict::Accept | Verdict::AcceptAndLock => {
                assert!(!(proved && from == stranger), "a stranger is heard");
                proved |= from == phone;
            }
            Verdict::Refuse => {}
        }
        let (ssrc, seq, timestamp) = (header.ssrc, header.seq, header.timestamp);
        let packet = Packet { ssrc, seq, timestamp, is_voice: !header.marker };
        heard.packet(packet, codec.clock_hz(), now);
        ear.hear(header.ssrc, header.timestamp, &piece[header.payload], now);
        ear.give(&mut sound, now);
        let before = out.ssrc();
        if let Some(stamp) = out.relay(header.ssrc, header.seq, header.timestamp, now) {
            assert_eq!(stamp.ssrc, before);
        }
        out.skip(header.ssrc, header.seq.wrapping_add(1));
    }
    let counts = ear.counts();
    assert!(counts.decoded + counts.refused <= pieces(data).count() as u64);
    let sums = heard.sums();
    assert!(sums.received <= sums.due && sums.received + sums.duplicate <= 0xffff_ffff);
    let (jitter_us, ..) = heard.jitter_us();
    let mos = mos(codec, sums.due, sums.received, jitter_us, None);
    assert!(mos.is_none_or(|mos| (100..=450).contains(&mos)), "{mos:?}");
}

/// A datagram of control packets: what it says of a stream goes into a report of ours, which is read again.
pub fn rtcp(data: &[u8]) {
    let mut heard = Heard::default();
    let first = Packet { ssrc: 7, seq: 1, timestamp: 1, is_voice: true };
    heard.packet(first, 8_000, Mono::ZERO);
    let Ok(items) = rtcp::read(data) else { return };
    let name = Name::draw(&mut Rng::from_number(1));
    for item in items {
        match item {
            Item::Sends { ssrc, ntp, .. } => heard.reported(ssrc, ntp, Mono(1)),
            Item::Hears { block, .. } => {
                let mut target = [0; WRITTEN_BYTES];
                let report =
                    Report { ssrc: 9, name: &name, sender: None, block: Some(block), bye: true };
                let length = rtcp::write(&mut target, &report);
                let again: Vec<Item> = rtcp::read(&target[..length]).unwrap().collect();
                assert_eq!(again, [Item::Hears { by: 9, block }, Item::Bye { ssrc: 9 }]);
            }
            Item::Bye { .. } => {}
        }
    }
    let block = heard.block(Mono(2)).unwrap();
    assert_eq!((block.ssrc, block.lost), (7, 0));
}

/// Packets of keys: no press is told twice in a row, none without a packet, and a key of ours is told once
/// whatever of its packets gets lost, as long as one comes.
pub fn keys(data: &[u8]) {
    let mut reader = KeyReader::default();
    let (mut told, mut last) = (0, None);
    for (length, piece) in pieces(data) {
        let Some((head, payload)) = piece.split_first_chunk::<5>() else { continue };
        let [t0, t1, t2, t3, ssrc] = *head;
        let timestamp = u32::from_be_bytes([t0, t1, t2, t3]);
        let key = reader.read(payload, ssrc.into(), timestamp, length & 1 == 1);
        if let Some(key) = key {
            assert!("0123456789*#ABCD".contains(key));
            assert_ne!(last, Some((ssrc, timestamp)), "told twice");
            last = Some((ssrc, timestamp));
            told += 1;
        }
    }
    assert!(told <= pieces(data).count());

    let mut dice = Dice(data.iter());
    let (mut reader, mut timestamp) = (KeyReader::default(), 0_u32);
    while let Some(heard) = press(&mut dice, &mut reader, &mut timestamp) {
        assert_eq!(heard.0, [heard.1]);
    }
}

/// One press of ours, some packets of it lost: what is told of it, and the key.
fn press(
    dice: &mut Dice<'_>,
    reader: &mut KeyReader,
    timestamp: &mut u32,
) -> Option<(Vec<char>, char)> {
    let key = char::from(b"0123456789*#ABCD"[dice.pick(16)?]);
    let clock = [8_000, 16_000, 48_000][dice.pick(3)?];
    let step = clock / 1000 * [10, 20, 30, 60][dice.pick(4)?];
    // A second and more lies between two presses, as a person takes at least.
    *timestamp = timestamp.wrapping_add(clock + dice.pick(4)? as u32 * clock);
    let mut writer = KeyWriter::press(key, clock)?;
    let mut came = Vec::new();
    while let Some(packet) = writer.next(step) {
        came.push(packet);
    }
    let (lost, ended) = (dice.pick(256)?, came.len() - 1);
    let mut heard = Vec::new();
    for (at, (payload, first)) in came.iter().enumerate() {
        // One of the ends comes, or the next press of the same key may count as more of this one.
        if lost & (1 << at.min(7)) == 0 || at == ended {
            heard.extend(reader.read(payload, 1, *timestamp, *first));
        }
    }
    Some((heard, key))
}
