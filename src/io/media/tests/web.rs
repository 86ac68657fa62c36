//! Legs whose keys are agreed on along the way.

use super::*;
use crate::base::Mono;
use crate::dtls::{Handshake, Identity, Output, Role};
use crate::ice::{self, Credentials};
use crate::io::media::leg::{Leg, bind};
use crate::io::media::slab::Token;
use crate::io::media::worker::Worker;
use crate::rtp::LearnSource;
use crate::sdp::{Dtls, Ice};
use crate::srtp::{Keys, MasterKey, Opener, Sealer, Suite};

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
        Self::begin(phone, ours, theirs).until_there_are_keys(room)
    }

    /// Its first word.
    fn begin(phone: Phone, ours: &Identity, theirs: &Identity) -> Self {
        let (mut out, expected) = (Vec::new(), vec![ours.fingerprint().clone()]);
        let shake =
            Handshake::begin(theirs, Role::Client, expected, &Suite::ALL, Mono::ZERO, &mut out);
        let mut it = Self { phone, shake, keys: None };
        it.send(out);
        it
    }

    fn until_there_are_keys(mut self, room: &Room) -> Self {
        while self.keys.is_none() {
            self.hears_once();
        }
        room.until(|counters| counters.handshakes == 1);
        self
    }

    /// A datagram of the desk's, and what it says to that.
    fn hears_once(&mut self) {
        let mut bytes = [0; 2048];
        let length = self.phone.socket.recv(&mut bytes).expect("the desk shakes hands");
        self.takes(&bytes[..length]);
    }

    fn takes(&mut self, datagram: &[u8]) {
        let mut out = Vec::new();
        self.shake.datagram(datagram, Mono::ZERO, &mut out);
        self.send(out);
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

/// So many, whose certificate nobody named, say their first word, each from a place of its own, and no further one.
fn strangers_begin(count: usize, ours: &Identity, desk: SocketAddr) -> Vec<UdpSocket> {
    let stranger = Identity::new(Instant::now()).unwrap();
    let (mut out, expected) = (Vec::new(), vec![ours.fingerprint().clone()]);
    let _ = Handshake::begin(&stranger, Role::Client, expected, &Suite::ALL, Mono::ZERO, &mut out);
    let [Output::Send(hello)] = &out[..] else { panic!("{out:?}") };
    let says = |_| {
        let socket = UdpSocket::bind((HERE, 0)).unwrap();
        socket.set_read_timeout(Some(LONG)).unwrap();
        socket.send_to(hello, desk).unwrap();
        socket
    };
    (0..count).map(says).collect()
}

#[test]
fn a_phone_behind_its_nat_is_heard_though_a_stranger_began_before_it() {
    let (ours, theirs) = identities();
    let room = Room::new(|config| config.identity = Some(Arc::clone(&ours)));
    let phone = room.leg(1, Codec::Pcmu);
    agree(&room, &phone, plan(&theirs, None), SocketAddr::new(HERE, free_port()));
    let [stranger] = &strangers_begin(1, &ours, phone.ours)[..] else { panic!("one") };
    stranger.recv(&mut [0; 2048]).expect("it is answered");
    let browser = WebPhone::shake(&room, phone, &ours, &theirs);
    room.play(browser.phone.leg, &["ramp"], true);
    assert!(browser.hears_at(&browser.phone.socket));
    // Nothing more is said to it.
    stranger.set_nonblocking(true).unwrap();
    while stranger.recv(&mut [0; 2048]).is_ok() {}
    stranger.set_nonblocking(false).unwrap();
    stranger.set_read_timeout(Some(Duration::from_millis(1500))).unwrap();
    assert!(stranger.recv(&mut [0; 2048]).is_err());
}

#[test]
fn strangers_who_only_begin_keep_no_phone_out_for_long() {
    let (ours, theirs) = identities();
    let room = Room::new(|config| config.identity = Some(Arc::clone(&ours)));
    let phone = room.leg(1, Codec::Pcmu);
    agree(&room, &phone, plan(&theirs, None), SocketAddr::new(HERE, free_port()));
    // As many as are heard at once. Another byte from there proves nothing: whoever forges an address can say it, too.
    for stranger in &strangers_begin(4, &ours, phone.ours) {
        stranger.recv(&mut [0; 2048]).expect("it is answered");
        stranger.send_to(&[20], phone.ours).unwrap();
    }
    // It begins again when it is not answered.
    std::thread::park_timeout(Duration::from_millis(510));
    let browser = WebPhone::shake(&room, phone, &ours, &theirs);
    room.play(browser.phone.leg, &["ramp"], true);
    assert!(browser.hears_at(&browser.phone.socket));
}

#[test]
fn a_phone_that_has_shown_itself_keeps_its_place_on_a_slow_line() {
    let (ours, theirs) = identities();
    let room = Room::new(|config| config.identity = Some(Arc::clone(&ours)));
    let phone = room.leg(1, Codec::Pcmu);
    agree(&room, &phone, plan(&theirs, None), SocketAddr::new(HERE, free_port()));
    let mut slow = WebPhone::begin(phone, &ours, &theirs);
    slow.hears_once(); // The cookie, which it says.
    let mut hello = [0; 2048];
    let length = slow.phone.socket.recv(&mut hello).expect("it is answered");
    // Its answer takes its time, and strangers come meanwhile, who take each other's places.
    for _ in 0..2 {
        for stranger in &strangers_begin(3, &ours, slow.phone.ours) {
            stranger.recv(&mut [0; 2048]).expect("there is room");
        }
        std::thread::park_timeout(Duration::from_millis(700));
    }
    slow.takes(&hello[..length]);
    let browser = slow.until_there_are_keys(&room);
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

/// A media thread's work on one leg, over real sockets and by the test's clock.
struct ByHand<N> {
    worker: Worker<N>,
    leg: Token,
    desk: SocketAddr,
}

impl<N: Fn(Notice)> ByHand<N> {
    /// Sends and has it taken.
    fn send(&mut self, second: u64, from: &UdpSocket, datagram: &[u8]) {
        self.worker.now = Mono(second * 1_000_000);
        from.send_to(datagram, self.desk).unwrap();
        let end = Instant::now() + LONG;
        while !self.worker.receive(self.leg, true) {
            assert!(Instant::now() < end, "nothing came");
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }

    /// Whether the desk, when it speaks then, speaks to this socket.
    fn speaks_to(&mut self, second: u64, socket: &UdpSocket) -> bool {
        self.worker.now = Mono(second * 1_000_000);
        let now = self.worker.now;
        self.worker.legs.get_mut(self.leg).unwrap().look_for_consent(now);
        let sent = self.worker.say(self.leg, 160, 20);
        let mut bytes = [0; 2048];
        let heard = sent && socket.recv(&mut bytes).is_ok();
        assert_eq!(heard, sent, "it is sent to nobody else");
        heard
    }
}

#[test]
fn a_phone_that_checks_only_at_first_is_spoken_to_for_as_long_as_it_talks() {
    let (_, theirs) = identities();
    let [phone, stranger] = [(); 2].map(|()| {
        let socket = UdpSocket::bind((HERE, 0)).unwrap();
        socket.set_read_timeout(Some(LONG)).unwrap();
        socket
    });
    let config = MediaConfig::new(Arc::new(PromptLibrary::of([])));
    let maker = Maker::start(Arc::clone(&config.prompts)).unwrap();
    let (taps, _) = tap::Taps::new(0);
    let (mut rng, queue) = (Rng::from_number(1), Arc::new(Queue::new().unwrap()));
    let (reserved, board) = (Arc::default(), Arc::default());
    let worker = Worker::new(
        &config,
        (taps, maker),
        queue,
        reserved,
        board,
        |_: Notice| {},
        Rng::from_number(2),
    );
    let mut worker = worker.unwrap();
    let socket = bind(HERE, free_port(), 0).unwrap();
    let (desk, way) = (socket.local_addr().unwrap(), ice(1));
    let mut leg = Leg::open(LegId(1), socket, &mut rng);
    let stream = {
        let room = Room::new(|_| {});
        let protection = Protection::Dtls(Arc::new(plan(&theirs, Some(way.clone()))));
        let control = Control::Shared;
        Stream { protection, control, ..room.leg(1, Codec::Pcmu).stream() }
    };
    leg.negotiated(stream, LearnSource::Signalling, Mono::ZERO, &mut rng);
    // As the handshake would.
    let [ours, theirs] = [(); 2].map(|()| MasterKey::draw(Suite::Aes128Gcm, &mut rng));
    let mut sealer = Sealer::new(&theirs);
    leg.seal_with(&Arc::new(Keys { ours, theirs }));
    let leg = worker.legs.insert(leg);
    worker.settle_control(leg);
    let mut desk = ByHand { worker, leg, desk };
    let plain = |seq: u16| {
        let timestamp = u32::from(seq) * 160;
        let fresh = Fresh { payload_type: 0, marker: false, seq, timestamp, ssrc: 42 };
        let mut bytes = vec![0; 600];
        let length = packet::write(&mut bytes, fresh, &[7; 160]);
        (bytes, length)
    };
    let mut sealed = |seq: u16| {
        let (mut bytes, length) = plain(seq);
        let length = sealer.seal_rtp(&mut bytes, length).unwrap();
        bytes.truncate(length);
        bytes
    };

    desk.send(1, &phone, &sealed(1));
    assert!(!desk.speaks_to(1, &phone), "no way is known yet");
    desk.send(2, &phone, &check(&way));
    assert!(phone.recv(&mut [0; 2048]).is_ok(), "the check is answered");
    for (seq, second) in [(2, 20), (3, 40), (4, 60), (5, 80)] {
        desk.send(second, &phone, &sealed(seq));
        assert!(desk.speaks_to(second + 10, &phone), "{second} s");
    }
    // RFC 8445 §11: as it keeps its way open, which proves nothing; nor does what is not sealed, and nor do the
    // peer's own packets from where it has never checked.
    let indication = [&[0, 0x11, 0, 0, 0x21, 0x12, 0xa4, 0x42], &[1; 12][..]].concat();
    desk.send(100, &phone, &indication);
    let (bytes, length) = plain(6);
    desk.send(101, &phone, &bytes[..length]);
    desk.send(102, &stranger, &sealed(7));
    assert!(desk.speaks_to(109, &phone));
    assert!(!desk.speaks_to(110, &phone), "thirty seconds after it was heard last");
    desk.send(111, &phone, &bytes[..length]);
    desk.send(112, &stranger, &sealed(8));
    assert!(!desk.speaks_to(113, &phone) && !desk.speaks_to(113, &stranger));
    // It was on hold, and talks again.
    desk.send(200, &phone, &sealed(9));
    assert!(desk.speaks_to(200, &phone));
    assert_eq!(desk.worker.counted.packets_received, 5);
    assert!(!desk.speaks_to(230, &phone), "it has gone");
    // A receiver report of nothing.
    let mut report = vec![0x80, 201, 0, 1, 0, 0, 0, 42];
    report.resize(64, 0);
    let length = sealer.seal_rtcp(&mut report, 8).unwrap();
    desk.send(231, &phone, &report[..length]);
    assert!(desk.speaks_to(260, &phone) && !desk.speaks_to(261, &phone), "reports say it, too");
    assert_eq!(desk.worker.counted.reports_received, 1);
}
