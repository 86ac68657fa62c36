//! Encrypted legs over real sockets: with each other, with plain ones, and with people who have no key.

use super::*;
use crate::base::Rng;
use crate::rtp::rtcp::{self, Item};
use crate::srtp::{Keys, MasterKey, Opener, Sealer, Suite};

/// A phone that speaks SRTP.
pub(super) struct SealedPhone {
    pub(super) phone: Phone,
    sealer: Sealer,
    opener: Opener,
    protection: Protection,
}

impl SealedPhone {
    pub(super) fn new(room: &Room, id: u64, suite: Suite) -> Self {
        let phone = room.leg(id, Codec::Pcmu);
        let mut rng = Rng::from_number(id);
        let (ours, theirs) = (MasterKey::draw(suite, &mut rng), MasterKey::draw(suite, &mut rng));
        let (sealer, opener) = (Sealer::new(&theirs), Opener::new(&ours));
        let protection = Protection::Sealed(Arc::new(Keys { ours, theirs }));
        let it = Self { phone, sealer, opener, protection };
        it.agree(room);
        it
    }

    /// The leg is told its keys.
    fn agree(&self, room: &Room) {
        self.agree_with(room, Control::Nowhere);
    }

    /// And where control packets go.
    pub(super) fn agree_with(&self, room: &Room, control: Control) {
        let protection = self.protection.clone();
        let stream = Stream { protection, control, ..self.phone.stream() };
        room.media.send(Command::Stream { leg: self.phone.leg, stream });
        room.fence(self.phone.leg);
    }

    fn sealed(&mut self, seq: u16, payload: &[u8]) -> Vec<u8> {
        let fresh = Fresh {
            payload_type: 0,
            marker: false,
            seq,
            timestamp: u32::from(seq) * 160,
            ssrc: 42,
        };
        let mut bytes = vec![0; 600];
        let length = packet::write(&mut bytes, fresh, payload);
        let length = self.sealer.seal_rtp(&mut bytes, length).unwrap();
        bytes.truncate(length);
        bytes
    }

    pub(super) fn sealed_control(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        let length = bytes.len();
        bytes.resize(length + 64, 0);
        let length = self.sealer.seal_rtcp(&mut bytes, length).unwrap();
        bytes.truncate(length);
        bytes
    }

    pub(super) fn hear_control(&mut self) -> Vec<Item> {
        let mut bytes = [0; 2048];
        let length = self.phone.socket.recv(&mut bytes).unwrap();
        let length = self.opener.open_rtcp(&mut bytes, length).unwrap();
        rtcp::read(&bytes[..length]).unwrap().collect()
    }

    pub(super) fn say(&mut self, seq: u16, payload: &[u8]) {
        let bytes = self.sealed(seq, payload);
        self.phone.socket.send_to(&bytes, self.phone.ours).unwrap();
    }

    fn hear(&mut self) -> Vec<u8> {
        let mut bytes = [0; 2048];
        let length = self.phone.socket.recv(&mut bytes).unwrap();
        let length = self.opener.open_rtp(&mut bytes, length).unwrap();
        let header = packet::read(&bytes[..length]).unwrap();
        bytes[header.payload].to_vec()
    }
}

#[test]
fn encrypted_and_plain_phones_hear_each_other() {
    let room = Room::new(|_| {});
    for (n, suite) in (0_u64..).zip(Suite::ALL) {
        let mut sealed = SealedPhone::new(&room, 3 * n + 1, suite);
        let plain = room.leg(3 * n + 2, Codec::Pcma);
        let mut other = SealedPhone::new(&room, 3 * n + 3, Suite::Aes128Cm80);
        room.media.send(Command::Bridge { a: sealed.phone.leg, b: plain.leg });
        room.until(|counters| counters.bridges == n + 1);
        for seq in 65_530..65_535_u16 {
            sealed.say(seq, &[7; 160]);
            let mut want = [7; 160];
            g711::convert(g711::Law::Mu, g711::Law::A, &mut want);
            assert_eq!(plain.hear().unwrap().1, want, "{suite:?}");
            plain.say(8, seq, &[0xd5; 160]);
            assert_eq!(sealed.hear().len(), 160, "{suite:?}");
        }
        // Over the wrap of the sequence, and to another encrypted phone.
        room.media.send(Command::Bridge { a: sealed.phone.leg, b: other.phone.leg });
        room.fence(other.phone.leg);
        for seq in [65_535, 0, 1, 2_u16] {
            sealed.say(seq, &[9; 160]);
            assert_eq!(other.hear(), [9; 160], "{suite:?}");
            other.say(seq.wrapping_sub(40_000), &[3; 160]);
            assert_eq!(sealed.hear(), [3; 160], "{suite:?}");
        }
        // A prompt is sealed, too.
        room.play(sealed.phone.leg, &["short"], false);
        assert_eq!(sealed.hear().len(), 160);
        assert!(matches!(room.notice(), Some(Notice::PlayDone { .. })));
    }
}

#[test]
fn who_has_no_key_is_not_heard_and_ends_no_call() {
    let room = Room::new(|_| {});
    let mut sealed = SealedPhone::new(&room, 1, Suite::Aes128Gcm);
    let plain = room.leg(2, Codec::Pcmu);
    room.media.send(Command::Bridge { a: sealed.phone.leg, b: plain.leg });
    room.fence(plain.leg);
    // Before anybody has spoken: plain packets from the phone's own address, and forged ones.
    sealed.phone.say(0, 1, &[1; 160]);
    let mut forged = sealed.sealed(2, &[2; 160]);
    *forged.last_mut().unwrap() ^= 1;
    sealed.phone.socket.send_to(&forged, sealed.phone.ours).unwrap();
    room.until(|counters| counters.dropped_forged == 2);
    let whole = sealed.sealed(3, &[3; 160]);
    sealed.phone.socket.send_to(&whole, sealed.phone.ours).unwrap();
    assert_eq!(plain.hear().unwrap().1, [3; 160]);
    // The same again, and plain ones in the middle of the call.
    sealed.phone.socket.send_to(&whole, sealed.phone.ours).unwrap();
    sealed.phone.say(0, 4, &[4; 160]);
    room.until(|counters| counters.dropped_forged == 4);
    sealed.say(5, &[5; 160]);
    assert_eq!(plain.hear().unwrap().1, [5; 160], "and nothing in between");
}

#[test]
fn a_new_key_in_the_call_takes_over_and_the_old_one_is_not_heard() {
    let room = Room::new(|_| {});
    let mut sealed = SealedPhone::new(&room, 1, Suite::Aes128Cm80);
    let plain = room.leg(2, Codec::Pcmu);
    room.media.send(Command::Bridge { a: sealed.phone.leg, b: plain.leg });
    room.fence(plain.leg);
    for seq in 0..3 {
        sealed.say(seq, &[1; 160]);
        plain.hear().unwrap();
        plain.say(0, seq, &[2; 160]);
        assert_eq!(sealed.hear(), [2; 160]);
    }
    // The phone takes another key; ours stays, and its packets go on.
    let Protection::Sealed(keys) = &sealed.protection else { panic!() };
    let theirs = MasterKey::draw(Suite::Aes128Cm80, &mut Rng::from_number(77));
    let old = std::mem::replace(&mut sealed.sealer, Sealer::new(&theirs));
    sealed.protection = Protection::Sealed(Arc::new(Keys { ours: keys.ours.clone(), theirs }));
    sealed.agree(&room);
    let new = std::mem::replace(&mut sealed.sealer, old);
    sealed.say(3, &[3; 160]);
    room.until(|counters| counters.dropped_forged == 1);
    sealed.sealer = new;
    sealed.say(4, &[4; 160]);
    assert_eq!(plain.hear().unwrap().1, [4; 160]);
    plain.say(0, 4, &[5; 160]);
    assert_eq!(sealed.hear(), [5; 160]);
}
