//! A handshake with somebody between who changes, drops, repeats and holds back what both say.

use crate::base::Mono;
use crate::dtls::{Fingerprint, Handshake, Identity, Output, Role};
use crate::srtp::{Keys, Suite};
use std::collections::VecDeque;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

const SUITES: [Suite; 2] = [Suite::Aes128Gcm, Suite::Aes128Cm80];

fn identities() -> &'static [Identity; 2] {
    static MADE: OnceLock<[Identity; 2]> = OnceLock::new();
    MADE.get_or_init(|| [0, 1].map(|_| Identity::new(Instant::now()).unwrap()))
}

/// The bytes say what becomes of each datagram, four at a time. Both get the same keys or one of them none,
/// nobody but the other is taken for it, and it ends.
pub fn dtls(data: &[u8]) {
    let [one, two] = identities();
    let mut script = data.chunks(4);
    let (mut out, mut way) = (Vec::new(), VecDeque::new());
    let mut keys: [Option<Keys>; 2] = [None, None];
    let mut now = Mono(1);
    let expected = |identity: &Identity| vec![identity.fingerprint().clone()];
    let client = Handshake::begin(one, Role::Client, expected(two), &SUITES, now, &mut out);
    way.extend(out.drain(..).map(|output| (1, output)));
    let server = Handshake::begin(two, Role::Server, expected(one), &SUITES, now, &mut out);
    let mut sides = [client, server];
    for _ in 0..300 {
        let to = match way.pop_front() {
            Some((to, Output::Send(mut datagram))) => {
                match script.next() {
                    Some([0, ..]) => continue,
                    Some([1, ..]) => way.push_back((to, Output::Send(datagram.clone()))),
                    Some([2, ..]) => {
                        way.push_back((to, Output::Send(datagram)));
                        continue;
                    }
                    Some([3, high, low, value]) => {
                        let at = usize::from(u16::from_be_bytes([*high, *low]));
                        let length = datagram.len();
                        datagram[at % length] = *value;
                    }
                    Some([4, high, low, _]) => {
                        let at = usize::from(u16::from_be_bytes([*high, *low]));
                        datagram.truncate(at % datagram.len());
                    }
                    Some([5, more @ ..]) => datagram.extend(more),
                    _ => {}
                }
                sides[to].datagram(&datagram, now, &mut out);
                to
            }
            Some((to, Output::Keys(made))) => {
                assert_eq!(keys[1 - to].replace(*made), None);
                continue;
            }
            Some(_) => continue,
            None => {
                let due = |side: &Handshake| side.deadline();
                let Some((to, at)) =
                    (0..2).filter_map(|at| Some((at, due(&sides[at])?))).min_by_key(|(_, at)| *at)
                else {
                    break;
                };
                now = now.max(at);
                sides[to].tick(now, &mut out);
                to
            }
        };
        way.extend(out.drain(..).map(|output| (1 - to, output)));
    }
    if let [Some(one), Some(two)] = &keys {
        assert_eq!((&one.ours, &one.theirs), (&two.theirs, &two.ours));
    }
    for side in &mut sides {
        side.tick(now + Duration::from_secs(11), &mut out);
        assert_eq!(side.deadline(), None, "it ends");
    }
    // As they stand, the bytes are a stranger's datagram, and a fingerprint.
    let mut stranger = Handshake::begin(two, Role::Server, expected(one), &SUITES, now, &mut out);
    out.clear();
    stranger.datagram(data, now, &mut out);
    assert!(!out.iter().any(|output| matches!(output, Output::Keys(_))));
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(read) = text.parse::<Fingerprint>()
    {
        assert_eq!(read.to_string().parse(), Ok(read));
    }
}
