//! What a peer's checks lead to.

use super::Credentials;
use super::stun::{Answer, Request};
use crate::base::Mono;
use std::net::SocketAddr;
use std::time::Duration;

/// Without a sign of life for so long the peer does not want to be sent to any more (RFC 7675 §5.1).
pub const CONSENT: Duration = Duration::from_secs(30);
/// A way that the peer chose gives place to one that it likes less once it is not checked for so long:
/// browsers check the way they use every 2.5 s at least.
const STALE: Duration = Duration::from_secs(3);
/// Refusals to those who prove nothing, in each second: more answers nobody needs who is not flooding us, or
/// somebody else by us.
const MOST_REFUSALS: u32 = 20;

/// One leg's way, from the description that first names its credentials on; the next may name others.
#[derive(Debug)]
pub struct Lite {
    ours: Credentials,
    /// The peer's fragment; unknown until its description came, which its checks may overtake.
    theirs: Option<String>,
    chosen: Option<Chosen>,
    /// The last valid check: when and whence.
    last_check: Option<(Mono, SocketAddr)>,
    /// When the peer last showed otherwise that it is there ([`Self::alive`]).
    alive_at: Option<Mono>,
    /// The second, and the refusals in it.
    refusals: (u64, u32),
}

#[derive(Clone, Copy, Debug)]
struct Chosen {
    address: SocketAddr,
    priority: u32,
    at: Mono,
}

/// What came of a datagram.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// To be sent back to where it came from, from the port that it came to.
    pub answer: Option<Vec<u8>>,
    /// It was a valid check: its sender has our password, so this address is the peer's.
    pub is_valid: bool,
    /// Where sound goes from now on, when that has changed.
    pub chosen: Option<SocketAddr>,
}

impl Lite {
    /// With fresh credentials of ours.
    #[must_use]
    pub const fn new(ours: Credentials) -> Self {
        Self {
            ours,
            theirs: None,
            chosen: None,
            last_check: None,
            alive_at: None,
            refusals: (0, 0),
        }
    }

    /// The peer's description came.
    pub fn set_theirs(&mut self, theirs: &Credentials) {
        self.theirs = Some(theirs.fragment().to_owned());
    }

    /// An ICE restart: other credentials on both sides (RFC 8445 §9). What was checked last stays the way, and
    /// its consent, till the peer checks one anew.
    pub fn restart(&mut self, ours: Credentials, theirs: &Credentials) {
        (self.ours, self.chosen) = (ours, None);
        self.set_theirs(theirs);
    }

    /// Ours, for our description.
    #[must_use]
    pub const fn ours(&self) -> &Credentials {
        &self.ours
    }

    /// Where the peer wants sound, once it has said so.
    #[must_use]
    pub fn chosen(&self) -> Option<SocketAddr> {
        self.chosen.map(|chosen| chosen.address)
    }

    /// Where to send: the way that the peer chose, or, until it does, the one that it checked last (RFC 8445
    /// §12.1). A browser shakes hands by DTLS before it chooses.
    #[must_use]
    pub fn way(&self) -> Option<SocketAddr> {
        self.chosen().or(self.last_check.map(|(_, from)| from))
    }

    /// Whether an address is the peer's: it has checked from there with our password, lately or for the way
    /// that it chose. What comes from elsewhere is a stranger's.
    #[must_use]
    pub fn is_peers(&self, address: SocketAddr) -> bool {
        let last = self.last_check.map(|(_, from)| from);
        self.chosen() == Some(address) || last == Some(address)
    }

    /// When the last valid check came.
    #[must_use]
    pub fn last_check(&self) -> Option<Mono> {
        self.last_check.map(|(at, _)| at)
    }

    /// Whether the peer may be sent to: it has shown within [`CONSENT`] that it is there.
    #[must_use]
    pub fn consents(&self, now: Mono) -> bool {
        let signs = [self.last_check(), self.alive_at];
        signs.into_iter().flatten().any(|last| now.since(last) < CONSENT)
    }

    /// A packet came from there that was opened by the stream's keys: whole, and none that came before
    /// (RFC 3711 §3.3). On the peer's way it is worth a check, and true is returned.
    ///
    /// Consent is the answer to the sender's own checks, and a lite side makes none (RFC 7675). We read it
    /// from the peer's checks, which only a browser makes for ever: a phone with ICE keeps its way open by
    /// Binding indications (RFC 8445 §11). Nobody has signed those, so they tell nothing here; nor may a packet
    /// that is not sealed, whose address is anybody's word. Where two sides alone have the keys, a sealed one
    /// is its sender's (RFC 7675).
    pub fn alive(&mut self, from: SocketAddr, now: Mono) -> bool {
        let on_its_way = self.way() == Some(from);
        if on_its_way {
            self.alive_at = Some(now);
        }
        on_its_way
    }

    /// A datagram of which [`super::is_stun`] said that it is STUN.
    pub fn datagram(&mut self, datagram: &[u8], from: SocketAddr, now: Mono) -> Checked {
        let Some(request) = Request::read(datagram) else { return Checked::default() };
        // RFC 5389 §10.1.2, in its order.
        let (Some(username), true) = (request.username, request.is_signed()) else {
            return self.refuse(&request, 400, now);
        };
        if !self.is_meant(username) || !request.is_by(self.ours.password()) {
            return self.refuse(&request, 401, now);
        }
        if !request.unknown.is_empty() {
            return self.refuse_known(&request, 420);
        }
        // We only answer, so the other side must control (RFC 8445 §6.1.1): it is told to change its mind
        // whatever the tie-breaker says.
        if request.is_controlled {
            return self.refuse_known(&request, 487);
        }
        self.last_check = Some((now, from));
        let chosen = request.use_candidate.then(|| self.choose(from, request.priority, now));
        let answer = Answer::success(&request, from).signed(self.ours.password()).finish();
        Checked { answer: Some(answer), is_valid: true, chosen: chosen.flatten() }
    }

    /// `ours:theirs` (RFC 8445 §7.2.2).
    fn is_meant(&self, username: &str) -> bool {
        username.split_once(':').is_some_and(|(ours, theirs)| {
            ours == self.ours.fragment()
                && self.theirs.as_deref().is_none_or(|known| known == theirs)
        })
    }

    /// The peer wants this way (RFC 8445 §7.3.1.5). Older ones want several at once, and mean the one of
    /// highest priority (RFC 5245 §8.1.1.2).
    fn choose(&mut self, address: SocketAddr, priority: u32, now: Mono) -> Option<SocketAddr> {
        let fresh = Chosen { address, priority, at: now };
        match self.chosen {
            Some(old) if old.address == address => {
                self.chosen = Some(fresh);
                None
            }
            Some(old) if old.priority > priority && now.since(old.at) < STALE => None,
            _ => {
                self.chosen = Some(fresh);
                Some(address)
            }
        }
    }

    /// To somebody who proved nothing: unsigned, and only so many.
    fn refuse(&mut self, request: &Request, status: u16, now: Mono) -> Checked {
        let second = now.0 / 1_000_000;
        let (last, count) = self.refusals;
        let count = if last == second { count.saturating_add(1) } else { 1 };
        self.refusals = (second, count);
        let answer = (count <= MOST_REFUSALS).then(|| Answer::refusal(request, status).finish());
        Checked { answer, ..Checked::default() }
    }

    /// To the peer itself.
    fn refuse_known(&self, request: &Request, status: u16) -> Checked {
        let answer = Answer::refusal(request, status).signed(self.ours.password()).finish();
        Checked { answer: Some(answer), ..Checked::default() }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::ice::stun::tests::{PASSWORD, hex, sample};
    use hmac::{Hmac, KeyInit, Mac};
    use sha1::Sha1;

    const HERE: &str = "192.0.2.7:40000";
    const USE: &[u8] = &[0, 0x25, 0, 0];

    fn lite() -> Lite {
        let mut lite = Lite::new(Credentials::parse("evtj", PASSWORD).unwrap());
        lite.set_theirs(&Credentials::parse("h6vY", "xxxxxxxxxxxxxxxxxxxxxx").unwrap());
        lite
    }

    /// A check as a peer makes it, by another hand than the room's.
    pub(crate) fn check(username: &str, password: &str, priority: u32, more: &[u8]) -> Vec<u8> {
        let mut body = vec![0, 6, 0, u8::try_from(username.len()).unwrap()];
        body.extend(username.bytes());
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend([0, 0x24, 0, 4]);
        body.extend(priority.to_be_bytes());
        body.extend(more);
        let mut bytes = hex("00 01 00 00 21 12 a4 42 01 02 03 04 05 06 07 08 09 0a 0b 0c");
        bytes[2..4].copy_from_slice(&(u16::try_from(body.len()).unwrap() + 24).to_be_bytes());
        bytes.extend(body);
        let mac = <Hmac<Sha1> as KeyInit>::new_from_slice(password.as_bytes()).unwrap();
        let tag = mac.chain_update(&bytes).finalize().into_bytes();
        bytes.extend([0, 8, 0, 20]);
        bytes.extend(tag);
        bytes
    }

    fn status(checked: &Checked) -> Option<u16> {
        let answer = checked.answer.as_deref()?;
        match answer[..2] {
            [1, 1] => Some(200),
            _ => Some(u16::from(answer[26]) * 100 + u16::from(answer[27])),
        }
    }

    #[test]
    fn each_check_gets_what_is_due() {
        let controlled = [0x80, 0x29, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];
        let controlling = [0x80, 0x2a, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];
        let name = "evtj:h6vY";
        let unsigned = check(name, PASSWORD, 1, &[]);
        let mut unsigned = unsigned[..unsigned.len() - 24].to_vec();
        unsigned[3] -= 24;
        let table = [
            ("sound", check(name, PASSWORD, 1, &controlling), Some(200)),
            ("the sample of RFC 5769, of a controlled peer", sample(), Some(487)),
            ("a controlled peer", check(name, PASSWORD, 1, &controlled), Some(487)),
            ("another password", check(name, "another", 1, &[]), Some(401)),
            ("another session of ours", check("evtk:h6vY", PASSWORD, 1, &[]), Some(401)),
            ("another peer", check("evtj:h6vX", PASSWORD, 1, &[]), Some(401)),
            ("half a name", check("evtj", PASSWORD, 1, &[]), Some(401)),
            ("unsigned", unsigned, Some(400)),
            (
                "what we do not know and should",
                check(name, PASSWORD, 1, &[0, 0x77, 0, 0]),
                Some(420),
            ),
            ("no STUN", vec![0x80; 40], None),
        ];
        for (case, datagram, want) in table {
            let mut lite = lite();
            let checked = lite.datagram(&datagram, HERE.parse().unwrap(), Mono(1));
            assert_eq!(status(&checked), want, "{case}");
            assert_eq!(checked.is_valid, want == Some(200), "{case}");
            assert_eq!(lite.consents(Mono(2)), want == Some(200), "{case}");
            assert_eq!((checked.chosen, lite.chosen()), (None, None), "{case}");
            let length = checked.answer.as_ref().map_or(0, Vec::len);
            assert!(length <= 80, "{case}: {length} bytes");
        }
    }

    #[test]
    fn a_check_that_overtakes_the_description_is_answered() {
        let mut lite = Lite::new(Credentials::parse("evtj", PASSWORD).unwrap());
        let early = check("evtj:who", PASSWORD, 1, USE);
        assert!(lite.datagram(&early, HERE.parse().unwrap(), Mono(1)).is_valid);
        assert_eq!(lite.chosen(), HERE.parse().ok());
    }

    #[test]
    fn the_way_that_the_peer_likes_best_is_taken_and_a_dead_one_left() {
        let mut lite = lite();
        let mut say = |port: u16, priority: u32, ms: u64| {
            let from = SocketAddr::from(([192, 0, 2, 7], port));
            let datagram = check("evtj:h6vY", PASSWORD, priority, USE);
            let checked = lite.datagram(&datagram, from, Mono(ms * 1000));
            (checked.chosen.map(|chosen| chosen.port()), lite.chosen().map(|chosen| chosen.port()))
        };
        assert_eq!(say(1, 50, 0), (Some(1), Some(1)));
        assert_eq!(say(2, 40, 10), (None, Some(1)), "a worse one at the same time");
        assert_eq!(say(3, 60, 20), (Some(3), Some(3)), "a better one");
        assert_eq!(say(3, 60, 2500), (None, Some(3)), "again");
        assert_eq!(say(1, 50, 5000), (None, Some(3)), "the best is still in use");
        assert_eq!(say(1, 50, 5600), (Some(1), Some(1)), "it is dead");
        assert_eq!(say(4, 50, 5700), (Some(4), Some(4)), "as good and newer");
    }

    #[test]
    fn until_a_way_is_chosen_the_one_checked_last_is_used() {
        let mut lite = lite();
        let from = |port| SocketAddr::from(([192, 0, 2, 7], port));
        let (plain, uses) =
            (check("evtj:h6vY", PASSWORD, 1, &[]), check("evtj:h6vY", PASSWORD, 1, USE));
        lite.datagram(&check("evtj:h6vY", "forged", 1, USE), from(9), Mono(0));
        assert_eq!((lite.way(), lite.is_peers(from(9))), (None, false));
        lite.datagram(&plain, from(1), Mono(1));
        assert_eq!((lite.way(), lite.chosen()), (Some(from(1)), None));
        lite.datagram(&uses, from(2), Mono(2));
        lite.datagram(&plain, from(3), Mono(3));
        assert_eq!((lite.way(), lite.chosen()), (Some(from(2)), Some(from(2))));
        let peers = [1, 2, 3, 4].map(|port| lite.is_peers(from(port)));
        assert_eq!(peers, [false, true, true, false]);
    }

    #[test]
    fn consent_ends_thirty_seconds_after_the_last_check() {
        let mut lite = lite();
        assert!(!lite.consents(Mono(0)));
        let at = Mono(7_000_000);
        lite.datagram(&check("evtj:h6vY", PASSWORD, 1, &[]), HERE.parse().unwrap(), at);
        lite.datagram(
            &check("evtj:h6vY", "forged", 1, &[]),
            HERE.parse().unwrap(),
            at + CONSENT / 2,
        );
        assert_eq!(lite.last_check(), Some(at));
        assert!(lite.consents(at + CONSENT - Duration::from_millis(1)));
        assert!(!lite.consents(at + CONSENT));
    }

    #[test]
    fn a_phone_that_checks_no_more_but_talks_by_its_keys_consents_on_its_own_way_alone() {
        let mut lite = lite();
        let (here, elsewhere) = (HERE.parse().unwrap(), "203.0.113.66:666".parse().unwrap());
        assert!(!lite.alive(here, Mono(1)), "no way is known yet");
        assert!(!lite.consents(Mono(1)));
        let chosen = Mono(7_000_000);
        lite.datagram(&check("evtj:h6vY", PASSWORD, 1, USE), here, chosen);
        // RFC 8445 §11: by these it keeps its way open, and nobody has signed them.
        let indication = hex("00 11 00 00 21 12 a4 42 01 02 03 04 05 06 07 08 09 0a 0b 0c");
        let checked = lite.datagram(&indication, here, chosen + CONSENT / 2);
        assert_eq!((checked, lite.last_check()), (Checked::default(), Some(chosen)));
        let talked = chosen + CONSENT - Duration::from_millis(1);
        assert!(!lite.alive(elsewhere, talked) && !lite.consents(chosen + CONSENT));
        assert!(lite.alive(here, talked));
        assert!(lite.consents(talked + CONSENT - Duration::from_millis(1)));
        assert!(!lite.consents(talked + CONSENT), "who does neither has gone");
        // It was silent on hold, and talks again.
        let again = talked + CONSENT * 3;
        assert!(lite.alive(here, again) && lite.consents(again));
        assert_eq!(lite.way(), Some(here));
    }

    #[test]
    fn who_proves_nothing_is_refused_twenty_times_a_second() {
        let mut lite = lite();
        let forged = check("evtj:h6vY", "forged", 1, &[]);
        for second in [1, 2] {
            let refused = (0..100)
                .filter(|ms| {
                    let now = Mono(second * 1_000_000 + ms * 1000);
                    lite.datagram(&forged, HERE.parse().unwrap(), now).answer.is_some()
                })
                .count();
            assert_eq!(refused, 20);
        }
        let sound = check("evtj:h6vY", PASSWORD, 1, &[]);
        assert!(lite.datagram(&sound, HERE.parse().unwrap(), Mono(2_100_000)).is_valid);
    }
}
