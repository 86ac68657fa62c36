//! What waits to be written on one connection, bounded by what its peer has not yet taken and by what
//! all peers together have not. Knows no socket.

use super::talk::Outgoing;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc;

/// So many messages may always wait on a connection, whatever their size.
const MESSAGES_ALWAYS: usize = 256;
/// Bytes of messages that may wait on one connection beyond that: a carrier's hundreds of calls share
/// one connection, and all that the journal kept back for a moment is said at once.
const BYTES_ONE: usize = 4 << 20;
/// Bytes that may wait on all connections of a listener; beyond, only [`MESSAGES_ALWAYS`] wait on each.
const BYTES_ALL: usize = 32 << 20;

/// The peer has taken too little for too long, or is gone.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

/// Bytes that wait on all connections of one listener.
pub(super) type All = Arc<AtomicUsize>;

/// What waits on one connection.
#[derive(Debug)]
struct Waiting {
    messages: AtomicUsize,
    bytes: AtomicUsize,
    all: All,
}

impl Waiting {
    /// Whether one more is taken on.
    fn add(&self, bytes: usize) -> bool {
        let own = self.bytes.load(Ordering::Relaxed).saturating_add(bytes);
        let all = self.all.load(Ordering::Relaxed).saturating_add(bytes);
        let few = self.messages.load(Ordering::Relaxed) < MESSAGES_ALWAYS;
        let fits = few || (own <= BYTES_ONE && all <= BYTES_ALL);
        if fits {
            self.messages.fetch_add(1, Ordering::Relaxed);
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
            self.all.fetch_add(bytes, Ordering::Relaxed);
        }
        fits
    }

    fn take(&self, bytes: usize) {
        self.messages.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.all.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// The end that fills; dropped, the other comes to its end.
#[derive(Debug)]
pub(super) struct Sender {
    into: mpsc::UnboundedSender<Outgoing>,
    waiting: Arc<Waiting>,
}

/// The end that is written to the peer.
#[derive(Debug)]
pub(super) struct Receiver {
    from: mpsc::UnboundedReceiver<Outgoing>,
    waiting: Arc<Waiting>,
}

/// An empty queue of a listener's.
pub(super) fn channel(all: &All) -> (Sender, Receiver) {
    let (into, from) = mpsc::unbounded_channel(); // `Waiting` is its bound
    let waiting =
        Waiting { messages: AtomicUsize::new(0), bytes: AtomicUsize::new(0), all: Arc::clone(all) };
    let waiting = Arc::new(waiting);
    (Sender { into, waiting: Arc::clone(&waiting) }, Receiver { from, waiting })
}

impl Sender {
    /// Adds one message; never waits. One thread at a time adds, under the connections' lock.
    pub fn send(&self, what: Outgoing) -> Result<(), Full> {
        let bytes = what.len();
        if !self.waiting.add(bytes) {
            return Err(Full);
        }
        self.into.send(what).map_err(|_| {
            self.waiting.take(bytes);
            Full
        })
    }
}

impl Receiver {
    /// The next; none when nobody can add any more.
    pub async fn recv(&mut self) -> Option<Outgoing> {
        let next = self.from.recv().await;
        next.inspect(|what| self.waiting.take(what.len()))
    }

    /// The next, if it waits already.
    pub fn try_recv(&mut self) -> Option<Outgoing> {
        let next = self.from.try_recv().ok();
        next.inspect(|what| self.waiting.take(what.len()))
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.from.close();
        while self.try_recv().is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn message(length: usize) -> Outgoing {
        Outgoing::Own(Bytes::from(vec![b'x'; length]))
    }

    fn fill(sender: &Sender, length: usize) -> usize {
        (0..100_000).take_while(|_| sender.send(message(length)).is_ok()).count()
    }

    #[test]
    fn a_burst_of_a_busy_carrier_waits_and_a_peer_that_never_reads_is_bounded() {
        let all = All::default();
        let (carrier, mut carriers) = channel(&all);
        assert_eq!(fill(&carrier, 600), BYTES_ONE / 600);
        while carriers.try_recv().is_some() {}
        assert_eq!(fill(&carrier, 65_000), MESSAGES_ALWAYS, "large ones are counted");
        drop(carriers);
        assert_eq!(carrier.send(message(1)), Err(Full), "the peer is gone");
        assert_eq!(all.load(Ordering::Relaxed), 0, "what was not written waits no more");
    }

    #[test]
    fn many_that_never_read_share_what_there_is_and_each_still_has_its_few() {
        let all = All::default();
        let mut kept = Vec::new();
        for _ in 0..8 {
            let (sender, receiver) = channel(&all);
            fill(&sender, 600);
            kept.push((sender, receiver));
        }
        let (late, _receiver) = channel(&all);
        assert_eq!(fill(&late, 600), MESSAGES_ALWAYS);
        assert!(all.load(Ordering::Relaxed) <= BYTES_ALL + MESSAGES_ALWAYS * 600);
        drop(kept);
        assert!(fill(&late, 600) > 1_000, "there is room again");
    }
}
