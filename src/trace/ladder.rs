//! One call's messages as steps between the desk and its peers, a column for each leg.

use super::redact::Redactor;
use super::seen::{Glance, Seen};
use super::{Direction, Record};
use crate::base::{Mono, Wall};
use std::collections::BTreeMap;

/// Messages of one ladder; those behind it are counted only.
pub const MAX_LADDER: usize = 2_000;
/// Columns of one ladder; further legs share the last one.
const MAX_PEERS: usize = 24;

/// A leg's far end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// `192.0.2.10:5060`.
    pub address: String,
    /// `udp`.
    pub transport: String,
    /// Whom the leg is with, as it may be shown.
    pub who: String,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The record's.
    pub seq: u64,
    /// Milliseconds since the first step, to the thousandth.
    pub since_us: u64,
    /// The leg, an index into [`Ladder::peers`].
    pub peer: usize,
    /// To us or from us.
    pub direction: Direction,
    /// `INVITE`, `180 Ringing`.
    pub what: String,
    /// The method in `CSeq`.
    pub cseq: String,
    /// The very message that went this way before: a repetition for want of an answer.
    pub repeated: bool,
    /// Whether a session description comes with it.
    pub sdp: bool,
    /// The whole message as it may be shown.
    pub text: String,
}

/// A call's ladder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ladder {
    /// In the order in which the legs began.
    pub peers: Vec<Peer>,
    /// In the order of time.
    pub steps: Vec<Step>,
    /// When the first step was.
    pub began: Wall,
    /// Messages that were left out at [`MAX_LADDER`].
    pub left_out: usize,
}

impl Ladder {
    /// From the messages of a call, the oldest first.
    #[must_use]
    pub fn of(records: &[Record], redactor: &mut Redactor) -> Self {
        let mut ladder = Self::default();
        let mut began: Option<Mono> = None;
        let mut columns: BTreeMap<String, usize> = BTreeMap::new();
        let mut gone: BTreeMap<(usize, bool), Vec<bytes::Bytes>> = BTreeMap::new();
        for record in records {
            if ladder.steps.len() >= MAX_LADDER {
                ladder.left_out = ladder.left_out.saturating_add(1);
                continue;
            }
            let Some(seen) = Seen::read(&record.bytes) else { continue };
            let glance = Glance::of(&seen);
            let first = *began.get_or_insert_with(|| {
                ladder.began = record.at.wall;
                record.at.mono
            });
            let last = ladder.peers.len().min(MAX_PEERS.saturating_sub(1));
            let peer = *columns.entry(glance.call_id.clone()).or_insert(last);
            if ladder.peers.len() <= peer {
                ladder.peers.push(peer_of(record, &glance, redactor));
            }
            // A ladder is short, and a leg's messages are few: comparing them all is cheap.
            let before = gone.entry((peer, record.direction == Direction::In)).or_default();
            let repeated = before.contains(&record.bytes);
            if !repeated {
                before.push(record.bytes.clone());
            }
            let what = match (&glance.method, glance.status) {
                (Some(method), _) => method.clone(),
                (None, _) => redactor.start(&seen).get(8..).unwrap_or_default().trim().to_owned(),
            };
            ladder.steps.push(Step {
                seq: record.seq,
                since_us: u64::try_from(record.at.mono.since(first).as_micros())
                    .unwrap_or(u64::MAX),
                peer,
                direction: record.direction,
                what,
                cseq: glance.cseq_method,
                repeated,
                sdp: seen
                    .header("Content-Type")
                    .is_some_and(|kind| kind.to_ascii_lowercase().contains("application/sdp")),
                text: String::from_utf8_lossy(&redactor.seen(&seen)).into_owned(),
            });
        }
        ladder
    }
}

fn peer_of(record: &Record, glance: &Glance, redactor: &mut Redactor) -> Peer {
    // The far end is From when the leg came in and To when it went out; a leg whose beginning is not
    // kept any more is named by its first message.
    let request = glance.method.is_some();
    let asked_by_peer = request == (record.direction == Direction::In);
    let who = if asked_by_peer { &glance.from } else { &glance.to };
    Peer {
        address: record.flow.remote.to_string(),
        transport: record.flow.transport.as_str().to_owned(),
        who: redactor.user(who),
    }
}
