//! Sealed packets and their keys.

use crate::base::Rng;
use crate::srtp::sdes::Crypto;
use crate::srtp::{MOST_OVERHEAD_BYTES, MasterKey, Opener, Refused, Sealer, Suite};

/// The first byte chooses the suite; the rest comes as RTP and as RTCP, and goes as both. Seeds sealed by
/// this key are among them.
fn key(choice: u8) -> MasterKey {
    let suite = Suite::ALL[usize::from(choice) % Suite::ALL.len()];
    MasterKey::draw(suite, &mut Rng::from_number(1))
}

/// What is refused is left as it was, what was heard is not heard again, and whatever comes, the peer's own
/// packets are heard.
pub fn srtp(data: &[u8]) {
    let Some((choice, packet)) = data.split_first() else { return };
    let key = key(*choice);
    let (mut sealer, mut opener) = (Sealer::new(&key), Opener::new(&key));
    for rtcp in [false, true] {
        let mut open = |bytes: &mut [u8], len: usize| {
            if rtcp { opener.open_rtcp(bytes, len) } else { opener.open_rtp(bytes, len) }
        };
        let mut came = packet.to_vec();
        match open(&mut came, packet.len()) {
            Ok(len) => {
                assert!(len < packet.len());
                let mut again = packet.to_vec();
                assert_eq!(open(&mut again, packet.len()), Err(Refused::Replayed));
            }
            Err(_) => assert_eq!(came, packet),
        }
        let mut genuine =
            [&[0x80, 0xc8, 0x7f, 1, 0, 0, 0, 0, 0xa, 0xb, 0xc, 0xd][..], &[0; 40]].concat();
        let sealed = if rtcp {
            sealer.seal_rtcp(&mut genuine, 20)
        } else {
            sealer.seal_rtp(&mut genuine, 20)
        };
        let heard = open(&mut genuine, sealed.unwrap());
        assert!(matches!(heard, Ok(20) | Err(Refused::Replayed)), "{heard:?}");

        let mut ours = Sealer::new(&key);
        let mut goes = [packet, &[0; MOST_OVERHEAD_BYTES]].concat();
        let sealed = if rtcp {
            ours.seal_rtcp(&mut goes, packet.len())
        } else {
            ours.seal_rtp(&mut goes, packet.len())
        };
        if let Ok(sealed) = sealed {
            let mut theirs = Opener::new(&key);
            let len = if rtcp {
                theirs.open_rtcp(&mut goes, sealed)
            } else {
                theirs.open_rtp(&mut goes, sealed)
            };
            assert_eq!(len, Ok(packet.len()));
            assert_eq!(&goes[..packet.len()], packet);
        }
    }
}

/// One `a=crypto` value: what is read is written so that it is read again, and never shown by accident.
pub fn sdes(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(crypto) = Crypto::parse(text) else { return };
    let written = crypto.reveal().to_string();
    assert_eq!(Crypto::parse(&written), Ok(crypto.clone()));
    let (_, key) = written.rsplit_once(':').unwrap();
    assert!(!format!("{crypto:?}").contains(key));
    let answer = crypto.answer(&mut Rng::from_number(2));
    assert_eq!((answer.tag, answer.name), (crypto.tag, crypto.name));
    let _ = Sealer::new(&answer.key);
}
