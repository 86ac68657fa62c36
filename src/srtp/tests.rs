//! Whole packets: vectors, properties, and what strangers send.

use super::*;
use crate::base::Rng;
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|two| u8::try_from(two[0] << 4 | two[1]).unwrap()).collect()
}

fn rtp(ssrc: u32, seq: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 0];
    packet.extend(seq.to_be_bytes());
    packet.extend(u32::from(seq).wrapping_mul(160).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend(payload);
    packet
}

fn rtcp(ssrc: u32, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 200, 0, 6];
    packet.extend(ssrc.to_be_bytes());
    packet.extend(body);
    packet
}

fn key(suite: Suite) -> MasterKey {
    MasterKey::draw(suite, &mut Rng::from_number(7))
}

fn pair(suite: Suite) -> (Sealer, Opener) {
    (Sealer::new(&key(suite)), Opener::new(&key(suite)))
}

fn sealed(sealer: &mut Sealer, packet: &[u8]) -> Vec<u8> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + MOST_OVERHEAD_BYTES, 0xee);
    let len = sealer.seal_rtp(&mut buffer, packet.len()).unwrap();
    buffer.truncate(len);
    buffer
}

fn sealed_rtcp(sealer: &mut Sealer, packet: &[u8]) -> Vec<u8> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + MOST_OVERHEAD_BYTES, 0xee);
    let len = sealer.seal_rtcp(&mut buffer, packet.len()).unwrap();
    buffer.truncate(len);
    buffer
}

fn opened(opener: &mut Opener, packet: &[u8]) -> Result<Vec<u8>, Refused> {
    let mut buffer = packet.to_vec();
    let len = opener.open_rtp(&mut buffer, packet.len());
    if len.is_err() {
        assert_eq!(buffer, packet, "what is refused is left as it was");
    }
    len.map(|len| buffer[..len].to_vec())
}

fn opened_rtcp(opener: &mut Opener, packet: &[u8]) -> Result<Vec<u8>, Refused> {
    let mut buffer = packet.to_vec();
    let len = opener.open_rtcp(&mut buffer, packet.len());
    if len.is_err() {
        assert_eq!(buffer, packet, "what is refused is left as it was");
    }
    len.map(|len| buffer[..len].to_vec())
}

#[test]
fn keys_are_derived_as_rfc_3711_b_3_and_rfc_6188_7_2_say() {
    let table = [
        (
            Suite::Aes128Cm80,
            "E1F97A0D3E018BE0D64FA32C06DE4139",
            "0EC675AD498AFEEBB6960B3AABE6",
            "C61E7A93744F39EE10734AFE3FF7A087",
            "30CBBC08863D8C85D49DB34A9AE1",
            "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4",
        ),
        (
            Suite::Aes256Cm80,
            "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6",
            "3b04803de51ee7c96423ab5b78d2",
            "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4",
            "fa31791685ca444a9e07c6c64e93",
            "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05",
        ),
    ];
    for (suite, master, salt, cipher_key, cipher_salt, tag_key) in table {
        let master = MasterKey::new(suite, &hex(master), &hex(salt)).unwrap();
        let derived = master.derive::<32>(key::Label::RtpKey);
        assert_eq!(derived[..suite.key_bytes()], hex(cipher_key));
        assert_eq!(master.derive::<14>(key::Label::RtpSalt)[..], hex(cipher_salt));
        assert_eq!(master.derive::<20>(key::Label::RtpTag)[..], hex(tag_key));
    }
}

/// The packets by which libsrtp, rtpengine and others check themselves, with the keys of the RFCs.
#[test]
fn whole_packets_are_sealed_as_others_seal_them() {
    let packet = [hex("800f1234decafbadcafebabe"), vec![0xab; 16]].concat();
    let table = [
        (
            Suite::Aes128Cm80,
            "E1F97A0D3E018BE0D64FA32C06DE4139",
            "0EC675AD498AFEEBB6960B3AABE6",
            "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb",
        ),
        (
            Suite::Aes256Cm80,
            "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6",
            "3b04803de51ee7c96423ab5b78d2",
            "800f1234decafbadcafebabef1d9de17ff251ff1aa007774b0b4b40da08d9d9a5b3a55d8873b",
        ),
    ];
    for (suite, master, salt, want) in table {
        let master = MasterKey::new(suite, &hex(master), &hex(salt)).unwrap();
        assert_eq!(sealed(&mut Sealer::new(&master), &packet), hex(want));
        assert_eq!(opened(&mut Opener::new(&master), &hex(want)), Ok(packet.clone()));
    }
}

#[test]
fn a_key_shows_nothing_of_itself_and_each_draw_differs() {
    let mut rng = Rng::from_number(1);
    for suite in Suite::ALL {
        let (one, two) = (MasterKey::draw(suite, &mut rng), MasterKey::draw(suite, &mut rng));
        assert_ne!(one, two);
        assert_eq!(one, one.clone());
        assert_eq!(format!("{one:?}"), format!("MasterKey({}, •••)", suite.names()[0]));
        assert!(one.key().iter().any(|byte| *byte != 0));
        assert_eq!((one.key().len(), one.salt().len()), (suite.key_bytes(), suite.salt_bytes()));
        assert_eq!(MasterKey::new(suite, one.key(), one.salt()), Some(one.clone()));
        assert_eq!(MasterKey::new(suite, one.salt(), one.key()), None);
    }
}

#[test]
fn what_is_sealed_adds_what_the_suite_says_and_is_opened_by_its_key_alone() {
    for suite in Suite::ALL {
        let (mut sealer, mut opener) = pair(suite);
        let packet = rtp(9, 1, &[0x55; 160]);
        let sent = sealed(&mut sealer, &packet);
        assert_eq!(sent.len(), packet.len() + suite.rtp_tag_bytes());
        assert_eq!(sent[..12], packet[..12], "the header stays readable");
        assert_ne!(sent[12..172], packet[12..]);
        let mut other = Opener::new(&MasterKey::draw(suite, &mut Rng::from_number(8)));
        assert_eq!(opened(&mut other, &sent), Err(Refused::Forged));
        assert_eq!(opened(&mut opener, &sent), Ok(packet));

        let report = rtcp(9, &[3; 20]);
        let sent = sealed_rtcp(&mut sealer, &report);
        assert_eq!(sent.len(), report.len() + suite.rtcp_tag_bytes() + 4);
        assert!(sent.len() <= report.len() + MOST_OVERHEAD_BYTES);
        assert_eq!(sent[..8], report[..8]);
        assert_eq!(opened_rtcp(&mut other, &sent), Err(Refused::Forged));
        assert_eq!(opened_rtcp(&mut opener, &sent), Ok(report));
    }
}

#[test]
fn sources_and_extensions_stay_readable_and_cannot_be_changed() {
    let mut packet = vec![0x92, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
    packet.extend([9; 8]); // two contributing sources
    packet.extend([0xbe, 0xde, 0, 1, 0x10, 0x42, 0, 0]); // the level of the voice (RFC 6464)
    let head = packet.len();
    packet.extend(b"sound");
    for suite in Suite::ALL {
        let (mut sealer, mut opener) = pair(suite);
        let sent = sealed(&mut sealer, &packet);
        assert_eq!(sent[..head], packet[..head]);
        assert_ne!(sent[head..head + 5], packet[head..]);
        let mut louder = sent.clone();
        louder[head - 3] ^= 1;
        assert_eq!(opened(&mut opener, &louder), Err(Refused::Forged));
        assert_eq!(opened(&mut opener, &sent), Ok(packet.clone()));
    }
}

#[test]
fn a_replayed_packet_is_refused_and_so_is_one_too_late() {
    for suite in Suite::ALL {
        let (mut sealer, mut opener) = pair(suite);
        let early = sealed(&mut sealer, &rtp(9, 1, b"early"));
        let sent = sealed(&mut sealer, &rtp(9, 2, b"hello"));
        assert!(opened(&mut opener, &sent).is_ok());
        assert_eq!(opened(&mut opener, &sent), Err(Refused::Replayed));
        let far = sealed(&mut sealer, &rtp(9, 200, b"later"));
        assert!(opened(&mut opener, &far).is_ok());
        assert_eq!(opened(&mut opener, &early), Err(Refused::Replayed));

        let report = sealed_rtcp(&mut sealer, &rtcp(9, b"report"));
        assert!(opened_rtcp(&mut opener, &report).is_ok());
        assert_eq!(opened_rtcp(&mut opener, &report), Err(Refused::Replayed));
    }
}

#[test]
fn no_number_is_sealed_twice() {
    for suite in Suite::ALL {
        let (mut sealer, _) = pair(suite);
        sealed(&mut sealer, &rtp(9, 5, b"one"));
        let mut buffer = [rtp(9, 5, b"two"), vec![0; 20]].concat();
        assert_eq!(sealer.seal_rtp(&mut buffer, 15), Err(Unsealed::Repeated));
        sealed(&mut sealer, &rtp(10, 5, b"another stream"));
        sealed(&mut sealer, &rtp(9, 4, b"passed by on its way"));
    }
}

#[test]
fn a_stream_begun_anew_by_its_sender_is_heard_and_the_65th_is_not() {
    let (mut sealer, mut opener) = pair(Suite::Aes128Gcm);
    for ssrc in 0..64 {
        assert!(opened(&mut opener, &sealed(&mut sealer, &rtp(ssrc, 77, b"x"))).is_ok());
    }
    let mut buffer = [rtp(64, 77, b"x"), vec![0; 20]].concat();
    assert_eq!(sealer.seal_rtp(&mut buffer, 13), Err(Unsealed::TooManySources));
    let sent = sealed(&mut Sealer::new(&key(Suite::Aes128Gcm)), &rtp(64, 77, b"x"));
    assert_eq!(opened(&mut opener, &sent), Err(Refused::TooManySources));
    assert!(opened(&mut opener, &sealed(&mut sealer, &rtp(0, 78, b"x"))).is_ok());
}

#[test]
fn what_strangers_send_leaves_no_trace() {
    for suite in Suite::ALL {
        let (mut sealer, mut opener) = pair(suite);
        let mut stranger = Sealer::new(&MasterKey::draw(suite, &mut Rng::from_number(3)));
        for seq in 0..300 {
            // Streams of their own, and the peer's at numbers far ahead: neither takes a place nor moves it.
            let own = sealed(&mut stranger, &rtp(u32::from(seq) % 60 + 100, seq, b"noise"));
            assert_eq!(opened(&mut opener, &own), Err(Refused::Forged));
            let ahead = sealed(&mut stranger, &rtp(9, seq * 100, b"noise"));
            assert_eq!(opened(&mut opener, &ahead), Err(Refused::Forged));
            let report = sealed_rtcp(&mut stranger, &rtcp(9, b"noise"));
            assert_eq!(opened_rtcp(&mut opener, &report), Err(Refused::Forged));
        }
        assert!(opened(&mut opener, &sealed(&mut sealer, &rtp(9, 1, b"hello"))).is_ok());
        assert!(opened_rtcp(&mut opener, &sealed_rtcp(&mut sealer, &rtcp(9, b"hello"))).is_ok());
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    for suite in Suite::ALL {
        let (mut sealer, mut opener) = pair(suite);
        let sent = sealed(&mut sealer, &rtp(9, 1, b"twenty bytes of sound"));
        let report = sealed_rtcp(&mut sealer, &rtcp(9, b"twenty bytes of it"));
        for bit in 0..sent.len() * 8 {
            let mut changed = sent.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(opened(&mut opener, &changed).is_err(), "{suite:?}, bit {bit}");
        }
        for bit in 0..report.len() * 8 {
            let mut changed = report.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(opened_rtcp(&mut opener, &changed).is_err(), "{suite:?}, bit {bit}");
        }
        assert!(opened(&mut opener, &sent).is_ok());
        assert!(opened_rtcp(&mut opener, &report).is_ok());
    }
}

#[test]
fn what_is_no_packet_is_told_apart() {
    for suite in Suite::ALL {
        let (mut sealer, mut opener) = pair(suite);
        let table: [(&str, &[u8]); 5] = [
            ("nothing", &[]),
            ("a header and less than a tag", &[0x80; 15]),
            ("version 1", &[0x40; 60]),
            ("sources that are not there", &[0x8f; 24]),
            ("an extension that is not there", &[0x90; 40]),
        ];
        for (case, bytes) in table {
            assert_eq!(opened(&mut opener, bytes), Err(Refused::Malformed), "{case}");
            let mut short = bytes.to_vec();
            let len = if case.contains("tag") { 9 } else { bytes.len() };
            assert_eq!(sealer.seal_rtp(&mut short, len), Err(Unsealed::Malformed), "{case}");
        }
        assert_eq!(opened_rtcp(&mut opener, &[0x80; 17]), Err(Refused::Malformed));
        assert_eq!(opened_rtcp(&mut opener, &[0x40; 60]), Err(Refused::Malformed));
        assert_eq!(sealer.seal_rtcp(&mut [0x80; 30], 7), Err(Unsealed::Malformed));
        let mut full = rtp(9, 1, b"no room");
        let len = full.len();
        assert_eq!(sealer.seal_rtp(&mut full, len), Err(Unsealed::NoRoom));
        assert_eq!(sealer.seal_rtp(&mut full, len + 1), Err(Unsealed::Malformed));
        assert_eq!(full, rtp(9, 1, b"no room"));
        let mut full = rtcp(9, b"no room");
        let len = full.len();
        assert_eq!(sealer.seal_rtcp(&mut full, len), Err(Unsealed::NoRoom));
        assert_eq!(opener.open_rtcp(&mut full, len + 1), Err(Refused::Malformed));
    }
}

#[test]
fn rtcp_that_is_not_encrypted_is_not_read() {
    let (mut sealer, mut opener) = pair(Suite::Aes128Cm80);
    let mut report = sealed_rtcp(&mut sealer, &rtcp(9, b"report"));
    let at = report.len() - 14;
    report[at] &= 0x7f;
    assert_eq!(opened_rtcp(&mut opener, &report), Err(Refused::InClear));
}

#[test]
fn a_key_ends_where_its_numbers_do() {
    for suite in Suite::ALL {
        let mut sealer = Sealer::aged(&key(suite), 9, (1 << 48) - 2, (1 << 31) - 1);
        let mut opener = Opener::aged(&key(suite), 9, (1 << 48) - 2);
        let last = sealed(&mut sealer, &rtp(9, 0xffff, b"last"));
        assert!(opened(&mut opener, &last).is_ok());
        let mut buffer = [rtp(9, 0, b"one more"), vec![0; 20]].concat();
        assert_eq!(sealer.seal_rtp(&mut buffer, 20), Err(Unsealed::Spent));
        assert_eq!(opened(&mut opener, &buffer), Err(Refused::Spent));
        assert!(opened_rtcp(&mut opener, &sealed_rtcp(&mut sealer, &rtcp(9, b"last"))).is_ok());
        let mut buffer = [rtcp(9, b"one more"), vec![0; 20]].concat();
        assert_eq!(sealer.seal_rtcp(&mut buffer, 16), Err(Unsealed::Spent));
    }
}

proptest! {
    /// Whatever is lost or overtaken within the window, over several rounds of the sequence number: what
    /// comes is what was said, once.
    #[test]
    fn what_is_said_is_heard_once_over_loss_disorder_and_rounds(
        which in 0..6_usize,
        first in any::<u16>(),
        steps in proptest::collection::vec((1..400_u64, 0..60_usize, 0..4_u8), 1..80),
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let (mut sealer, mut opener) = pair(Suite::ALL[which]);
        let mut number = u64::from(first);
        let mut way: Vec<(u64, Vec<u8>, Vec<u8>)> = Vec::new();
        let mut newest = None;
        let mut arrive = |number: u64, said: &[u8], sent: &[u8], again: bool| {
            let late = newest.is_some_and(|newest: u64| number + WINDOW <= newest);
            let heard = opened(&mut opener, sent);
            if late {
                assert_eq!(heard, Err(Refused::Replayed));
            } else {
                assert_eq!(heard.as_deref(), Ok(said));
            }
            newest = newest.max(Some(number));
            if again {
                assert_eq!(opened(&mut opener, sent), Err(Refused::Replayed));
            }
        };
        // The first is heard; before it nobody knows the round.
        let said = rtp(5, first, &bytes);
        let sent = sealed(&mut sealer, &said);
        arrive(number, &said, &sent, true);
        for (step, keep, fate) in steps {
            // A jump, as after a long silence, is heard: who misses half a round has lost the count.
            let jump = step > 300 && way.is_empty();
            number += if jump { step * 60 } else { step % 7 + 1 };
            let [.., high, low] = number.to_be_bytes();
            let said = rtp(5, u16::from_be_bytes([high, low]), &bytes);
            let sent = sealed(&mut sealer, &said);
            if jump {
                arrive(number, &said, &sent, true);
                continue;
            }
            match fate {
                0 => continue, // lost
                1 if !way.is_empty() => way.insert(keep % way.len(), (number, said, sent)),
                _ => way.push((number, said, sent)),
            }
            if fate == 3 {
                let (number, said, sent) = way.remove(keep % way.len());
                arrive(number, &said, &sent, keep % 2 == 0);
            }
        }
        let mut rest = way;
        rest.sort_by_key(|(number, ..)| *number);
        for (number, said, sent) in rest {
            arrive(number, &said, &sent, true);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(
        which in 0..6_usize,
        mut bytes in proptest::collection::vec(any::<u8>(), 0..120),
        len in 0..140_usize,
    ) {
        if let Some(first) = bytes.first_mut() {
            *first = 0x80 | (*first & 0x3f);
        }
        let (mut sealer, mut opener) = pair(Suite::ALL[which]);
        prop_assert!(opener.open_rtp(&mut bytes.clone(), len).is_err());
        prop_assert!(opener.open_rtcp(&mut bytes.clone(), len).is_err());
        let mut sent = bytes.clone();
        if let Ok(sealed) = sealer.seal_rtp(&mut sent, len) {
            prop_assert_eq!(opener.open_rtp(&mut sent, sealed), Ok(len));
            prop_assert_eq!(&sent[..len], &bytes[..len]);
        }
        let mut sent = bytes.clone();
        if let Ok(sealed) = sealer.seal_rtcp(&mut sent, len) {
            prop_assert_eq!(opener.open_rtcp(&mut sent, sealed), Ok(len));
            prop_assert_eq!(&sent[..len], &bytes[..len]);
        }
    }
}
