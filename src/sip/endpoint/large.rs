//! Requests that are too long for a datagram go by TCP, and back to UDP where the peer has none (RFC 3261
//! §18.1.1): a datagram that is cut into pieces on its way is lost at many a firewall, each time it is
//! sent again.

use super::core::{Core, Cx};
use super::directory::listener_for;
use crate::base::Mono;
use crate::sip::api::{Flow, Transport};
use crate::sip::transaction::after_ms;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// Longest request that goes by datagram while the path's own measure is not known (§18.1.1).
const DATAGRAM_MAX: usize = 1_300;
/// A peer that could not be reached by TCP is not tried again for so long.
const WITHOUT_MS: u32 = 600_000;
/// Peers that are remembered so; the next pushes out one of them, which is then tried again.
const WITHOUT_MAX: usize = 1_024;

/// What is under way by TCP in place of UDP, and who has none.
#[derive(Debug, Default)]
pub(in crate::sip) struct Large {
    /// Client transactions that can still go back, by their peer.
    waiting: BTreeMap<SocketAddr, BTreeSet<u64>>,
    without: BTreeMap<SocketAddr, Mono>,
}

impl Large {
    /// Notes a transaction that went by TCP.
    pub fn note(&mut self, remote: SocketAddr, key: u64) {
        self.waiting.entry(remote).or_default().insert(key);
    }

    /// Forgets one that is over or went back.
    pub fn forget(&mut self, remote: SocketAddr, key: u64) {
        if let Some(keys) = self.waiting.get_mut(&remote) {
            keys.remove(&key);
            if keys.is_empty() {
                self.waiting.remove(&remote);
            }
        }
    }
}

impl Cx<'_> {
    /// The way and the bytes of a request of ours that is too long for the datagram it would be; None when
    /// it goes as it is.
    pub fn by_stream(&self, flow: Flow, bytes: &Bytes) -> Option<(Flow, Bytes)> {
        let short = bytes.len() <= DATAGRAM_MAX || flow.transport != Transport::Udp;
        let core = &self.core;
        if short || core.large.without.get(&flow.remote).is_some_and(|until| *until > self.now.mono)
        {
            return None;
        }
        let listener = listener_for(&core.settings, Transport::Tcp, flow.remote)?;
        let by = Flow { transport: Transport::Tcp, listener, connection: 0, ..flow };
        Some((by, readdressed(core, bytes, flow, by)?))
    }

    /// Nobody is there by TCP: what was not heard of yet goes as the datagram that it would have been.
    pub fn fall_back(&mut self, lost: Flow, unreachable: bool) {
        if lost.transport != Transport::Tcp {
            return;
        }
        let Some(keys) = self.core.large.waiting.remove(&lost.remote) else { return };
        if unreachable {
            let until = after_ms(self.now.mono, WITHOUT_MS);
            self.core.large.without.insert(lost.remote, until);
            if self.core.large.without.len() > WITHOUT_MAX {
                self.core.large.without.pop_first();
            }
        }
        for key in keys {
            self.send_as_datagram(key);
        }
    }
}

/// The same request with the Via of another of our listeners (§18.1.1: the transport in the topmost Via
/// must be the one that it goes by).
fn readdressed(core: &Core, bytes: &Bytes, from: Flow, to: Flow) -> Option<Bytes> {
    let via = |flow| {
        let place = core.place(flow);
        format!("Via: SIP/2.0/{} {};", place.transport, place.sent_by)
    };
    let (old, new) = (via(from), via(to));
    let at = bytes.windows(old.len()).position(|window| window == old.as_bytes())?;
    let (before, rest) = bytes.split_at_checked(at)?;
    let after = rest.get(old.len()..)?;
    Some([before, new.as_bytes(), after].concat().into())
}
