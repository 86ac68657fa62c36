//! Legs whose keys are agreed on along the way.

use super::*;
use crate::base::Mono;
use crate::dtls::{Handshake, Identity, Output, Role};
use crate::sdp::Dtls;
use crate::srtp::Suite;

/// A phone that shakes hands as a client would.
struct WebPhone {
    phone: Phone,
    shake: Handshake,
}

impl WebPhone {
    fn new(room: &Room, ours: &Identity, theirs: &Identity) -> Self {
        let phone = room.leg(1, Codec::Pcmu);
        let plan = Dtls {
            role: Role::Server,
            fingerprints: vec![theirs.fingerprint().clone()],
            ice: None,
        };
        let protection = Protection::Dtls(Arc::new(plan));
        let stream = Stream { protection, ..phone.stream() };
        room.media.send(Command::Stream { leg: phone.leg, stream });
        room.fence(phone.leg);
        let (mut out, expected) = (Vec::new(), vec![ours.fingerprint().clone()]);
        let shake =
            Handshake::begin(theirs, Role::Client, expected, &Suite::ALL, Mono::ZERO, &mut out);
        let mut it = Self { phone, shake };
        let mut keyed = it.send(out);
        while !keyed {
            let mut bytes = [0; 2048];
            let length = it.phone.socket.recv(&mut bytes).expect("the desk shakes hands");
            let mut out = Vec::new();
            it.shake.datagram(&bytes[..length], Mono::ZERO, &mut out);
            keyed = it.send(out);
        }
        room.until(|counters| counters.handshakes == 1);
        it
    }

    /// Does what the handshake wants; true when it has brought keys.
    fn send(&self, out: Vec<Output>) -> bool {
        let mut keyed = false;
        for output in out {
            match output {
                Output::Send(bytes) => {
                    self.phone.socket.send_to(&bytes, self.phone.ours).unwrap();
                }
                Output::Keys(_) => keyed = true,
                Output::Failed(_) | Output::Closed => panic!("{output:?}"),
            }
        }
        keyed
    }
}

#[test]
fn a_browser_that_says_goodbye_before_its_bye_is_no_fault_of_the_desk() {
    let [ours, theirs] = [(); 2].map(|()| Identity::new(Instant::now()).unwrap());
    let (ours, theirs) = (Arc::new(ours), theirs);
    let room = Room::new(|config| config.identity = Some(Arc::clone(&ours)));
    let mut browser = WebPhone::new(&room, &ours, &theirs);
    room.play(browser.phone.leg, &["ramp"], true);
    room.until(|counters| counters.packets_played > 3);
    let mut out = Vec::new();
    browser.shake.close(Mono::ZERO, &mut out);
    browser.send(out);
    // Nobody is spoken to any more, and nothing is told: the call ends by its BYE, or as one that has fallen
    // silent.
    room.until(|counters| counters.goodbyes == 1);
    browser.phone.forget();
    let played = room.media.counters().packets_played;
    std::thread::park_timeout(Duration::from_millis(100));
    assert!(room.media.counters().packets_played <= played + 1);
    assert!(room.nothing_noticed());
    let counters = room.media.counters();
    assert_eq!((counters.legs, counters.handshakes_failed), (1, 0));
}
