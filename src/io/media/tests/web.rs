//! Legs whose keys are agreed on along the way.

use super::*;
use crate::base::Mono;
use crate::dtls::{Handshake, Identity, Output, Role};
use crate::ice::{self, Credentials};
use crate::io::media::leg::{Leg, bind};
use crate::rtp::LearnSource;
use crate::sdp::{Dtls, Ice};
use crate::srtp::{Keys, Opener, Suite};

/// USE-CANDIDATE: the way that is checked is the one to be used.
const CHOSEN: &[u8] = &[0, 0x25, 0, 0];

/// A phone that shakes hands as a client would.
struct WebPhone {
    phone: Phone,
    shake: Handshake,
    keys: Option<Box<Keys>>,
}

fn identities() -> (Arc<Identity>, Identity) {
    let [ours, theirs] = [(); 2].map(|()| Identity::new(Instant::now()).unwrap());
    (Arc::new(ours), theirs)
}

/// What the descriptions say of a handshake that the phone begins.
fn plan(theirs: &Identity, ice: Option<Ice>) -> Dtls {
    Dtls { role: Role::Server, fingerprints: vec![theirs.fingerprint().clone()], ice }
}

/// Credentials of both sides.
fn ice(number: u8) -> Ice {
    let draw = |side: &str| {
        Credentials::parse(&format!("{side}{number}"), &"x".repeat(24)).expect("long enough")
    };
    Ice { ours: draw("desk"), theirs: draw("peer") }
}

fn check(ice: &Ice) -> Vec<u8> {
    let name = format!("{}:{}", ice.ours.fragment(), ice.theirs.fragment());
    ice::check(&name, ice.ours.password(), 1, CHOSEN)
}

/// The leg is told how its keys are agreed on, and where its peer says that it is.
fn agree(room: &Room, phone: &Phone, plan: Dtls, remote: SocketAddr) {
    let protection = Protection::Dtls(Arc::new(plan));
    let stream = Stream { remote, protection, ..phone.stream() };
    room.media.send(Command::Stream { leg: phone.leg, stream });
    room.fence(phone.leg);
}

/// Shows the desk the way to this socket.
fn show_way(socket: &UdpSocket, desk: SocketAddr, ice: &Ice) {
    socket.send_to(&check(ice), desk).unwrap();
    let mut bytes = [0; 2048];
    loop {
        let length = socket.recv(&mut bytes).expect("the check is answered");
        // Sound may be on its way already.
        if ice::is_stun(&bytes[..length]) {
            return;
        }
    }
}

impl WebPhone {
    fn new(room: &Room, ours: &Identity, theirs: &Identity) -> Self {
        let phone = room.leg(1, Codec::Pcmu);
        agree(room, &phone, plan(theirs, None), phone.socket.local_addr().unwrap());
        Self::shake(room, phone, ours, theirs)
    }

    /// Till there are keys.
    fn shake(room: &Room, phone: Phone, ours: &Identity, theirs: &Identity) -> Self {
        let (mut out, expected) = (Vec::new(), vec![ours.fingerprint().clone()]);
        let shake =
            Handshake::begin(theirs, Role::Client, expected, &Suite::ALL, Mono::ZERO, &mut out);
        let mut it = Self { phone, shake, keys: None };
        it.send(out);
        while it.keys.is_none() {
            let mut bytes = [0; 2048];
            let length = it.phone.socket.recv(&mut bytes).expect("the desk shakes hands");
            let mut out = Vec::new();
            it.shake.datagram(&bytes[..length], Mono::ZERO, &mut out);
            it.send(out);
        }
        room.until(|counters| counters.handshakes == 1);
        it
    }

    /// Does what the handshake wants.
    fn send(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Send(bytes) => {
                    self.phone.socket.send_to(&bytes, self.phone.ours).unwrap();
                }
                Output::Keys(keys) => self.keys = Some(keys),
                Output::Failed(_) | Output::Closed => panic!("{output:?}"),
            }
        }
    }

    /// Whether sound comes to this socket that can be opened.
    fn hears_at(&self, socket: &UdpSocket) -> bool {
        let mut opener = Opener::new(&self.keys.as_ref().expect("keys").theirs);
        let (mut bytes, end) = ([0; 2048], Instant::now() + LONG);
        while Instant::now() < end {
            let Ok(length) = socket.recv(&mut bytes) else { return false };
            // RFC 7983 §7: neither STUN nor DTLS.
            if bytes[0] >> 6 == 2 {
                return opener.open_rtp(&mut bytes, length).is_ok();
            }
        }
        false
    }
}

#[test]
fn a_browser_that_says_goodbye_before_its_bye_is_no_fault_of_the_desk() {
    let (ours, theirs) = identities();
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

#[test]
fn an_ice_restart_finds_a_new_way_under_the_same_keys() {
    let (ours, theirs) = identities();
    let room = Room::new(|config| config.identity = Some(Arc::clone(&ours)));
    let (before, after) = (ice(1), ice(2));
    let phone = room.leg(1, Codec::Pcmu);
    agree(&room, &phone, plan(&theirs, Some(before.clone())), SocketAddr::new(HERE, 9));
    show_way(&phone.socket, phone.ours, &before);
    let browser = WebPhone::shake(&room, phone, &ours, &theirs);
    room.play(browser.phone.leg, &["ramp"], true);
    assert!(browser.hears_at(&browser.phone.socket));
    // Its network is another: new credentials and another place, under the same certificate.
    let plan = plan(&theirs, Some(after.clone()));
    agree(&room, &browser.phone, plan, SocketAddr::new(HERE, 10));
    room.play(browser.phone.leg, &["ramp"], true);
    browser.phone.forget();
    assert!(browser.hears_at(&browser.phone.socket), "the old way, till the new one is shown");
    let roamed = UdpSocket::bind((HERE, 0)).unwrap();
    roamed.set_read_timeout(Some(LONG)).unwrap();
    show_way(&roamed, browser.phone.ours, &after);
    assert!(browser.hears_at(&roamed), "the new way");
    browser.phone.forget();
    assert!(browser.phone.hears_nothing(), "and no other");
    let counters = room.media.counters();
    assert_eq!((counters.legs, counters.handshakes, counters.handshakes_failed), (1, 1, 0));
}

#[test]
fn a_phone_that_shakes_hands_from_behind_its_nat_is_heard() {
    let (ours, theirs) = identities();
    let room = Room::new(|config| config.identity = Some(Arc::clone(&ours)));
    let phone = room.leg(1, Codec::Pcmu);
    // What its description names is its address at home.
    agree(&room, &phone, plan(&theirs, None), SocketAddr::new(HERE, free_port()));
    let browser = WebPhone::shake(&room, phone, &ours, &theirs);
    room.play(browser.phone.leg, &["ramp"], true);
    assert!(browser.hears_at(&browser.phone.socket));
}

#[test]
fn a_stranger_that_shakes_hands_costs_no_call() {
    let (ours, theirs) = identities();
    let stranger = Identity::new(Instant::now()).unwrap();
    let room = Room::new(|config| config.identity = Some(Arc::clone(&ours)));
    let phone = room.leg(1, Codec::Pcmu);
    agree(&room, &phone, plan(&theirs, None), SocketAddr::new(HERE, free_port()));
    // From behind the same NAT, with a certificate that nobody named.
    let socket = UdpSocket::bind((HERE, 0)).unwrap();
    socket.set_read_timeout(Some(LONG)).unwrap();
    let (mut out, expected) = (Vec::new(), vec![ours.fingerprint().clone()]);
    let mut shake =
        Handshake::begin(&stranger, Role::Client, expected, &Suite::ALL, Mono::ZERO, &mut out);
    while room.media.counters().handshakes_failed == 0 {
        for output in out.drain(..) {
            if let Output::Send(bytes) = output {
                socket.send_to(&bytes, phone.ours).unwrap();
            }
        }
        let mut bytes = [0; 2048];
        let Ok(length) = socket.recv(&mut bytes) else { break };
        shake.datagram(&bytes[..length], Mono::ZERO, &mut out);
    }
    room.until(|counters| counters.handshakes_failed == 1);
    let browser = WebPhone::shake(&room, phone, &ours, &theirs);
    room.play(browser.phone.leg, &["ramp"], true);
    assert!(browser.hears_at(&browser.phone.socket));
}

#[test]
fn who_checks_no_more_is_sent_nothing_after_thirty_seconds() {
    let (_, theirs) = identities();
    let socket = bind(HERE, free_port(), 0).unwrap();
    let (mut rng, here) = (Rng::from_number(1), SocketAddr::new(HERE, 40_000));
    let mut leg = Leg::open(LegId(1), socket, &mut rng);
    let way = ice(1);
    let stream = {
        let room = Room::new(|_| {});
        let protection = Protection::Dtls(Arc::new(plan(&theirs, Some(way.clone()))));
        Stream { protection, ..room.leg(1, Codec::Pcmu).stream() }
    };
    leg.negotiated(stream, LearnSource::Signalling, Mono::ZERO, &mut rng);
    let second = |at: u64| Mono(at * 1_000_000);
    let target = |leg: &Leg| leg.line.as_ref().and_then(|line| line.target);
    leg.look_for_consent(second(1));
    assert_eq!(target(&leg), None, "no way is known yet");
    assert!(leg.checked(&check(&way), here, second(2)).is_some_and(|checked| checked.is_valid));
    for (at, wanted) in [(2, Some(here)), (31, Some(here)), (32, None), (60, None)] {
        leg.look_for_consent(second(at));
        assert_eq!(target(&leg), wanted, "{at} s");
    }
    leg.checked(&check(&way), here, second(61));
    assert_eq!(target(&leg), Some(here), "its next check says that it wants sound again");
}
