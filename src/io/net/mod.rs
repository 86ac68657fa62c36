//! SIP on the wire: sockets, connections and nothing of what the messages mean beyond what framing
//! and the order of service need.
//!
//! Received messages are delivered with the lane they belong to, so that answers and in-dialog
//! requests are served before new calls; what the engine sends comes back through [`Net::send`].

// What a stranger sends cannot make us panic.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod kinds;
mod outbox;
mod stream;
mod stun;
mod talk;
mod tls;
mod udp;
mod websocket;

pub use kinds::Kinds;
pub use tls::{Peers, Tls, TlsMade, TlsParts};
pub use websocket::Origins;

use crate::sip::api::{Flow, Transport};
use bytes::Bytes;
use kinds::Kind;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use talk::Carrier;

/// What happened on the wire, for the engine.
#[derive(Clone, Debug)]
pub enum Event {
    /// One whole message, by datagram or framed off a stream.
    Message {
        /// The way it came.
        flow: Flow,
        /// As it came.
        bytes: Bytes,
    },
    /// A connection ended; what was sent on it may not have arrived.
    FlowLost(Flow),
    /// No connection could be made for a message.
    Unsendable(Flow),
}

/// Which lane a message waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Belongs to what exists: answers and in-dialog requests.
    First,
    /// Would make a call or changes one: INVITE, CANCEL, REFER.
    Call,
    /// Makes a phone reachable: REGISTER.
    Register,
    /// All else: SUBSCRIBE, OPTIONS, and what is no SIP at all.
    Other,
}

impl Lane {
    /// In the order in which they are served.
    pub const ALL: [Self; 4] = [Self::First, Self::Call, Self::Register, Self::Other];

    /// Where a message belongs. Only its first word is looked at: a re-INVITE waits among the new calls,
    /// which costs it some milliseconds under overload; the SIP room never sheds it. What is none of
    /// the known words is not to overtake a call's end either.
    #[must_use]
    pub fn of(message: &[u8]) -> Self {
        const FIRST: [&[u8]; 5] = [b"ACK ", b"BYE ", b"INFO ", b"UPDATE ", b"PRACK "];
        // CANCEL is not among the first: it must not overtake the INVITE that it cancels.
        const CALL: [&[u8]; 3] = [b"INVITE ", b"CANCEL ", b"REFER "];
        let begins = |words: &[&[u8]]| words.iter().any(|word| message.starts_with(word));
        let answer = message.get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"SIP/"));
        if answer || begins(&FIRST) {
            Self::First
        } else if begins(&CALL) {
            Self::Call
        } else if begins(&[b"REGISTER "]) {
            Self::Register
        } else {
            Self::Other
        }
    }
}

/// Takes what happened on the wire; called from several threads, must not wait.
pub type Deliver = Arc<dyn Fn(Lane, Event) + Send + Sync>;

/// One address to listen on.
#[derive(Clone, Copy, Debug)]
pub struct Listen {
    /// By what.
    pub transport: Transport,
    /// Where.
    pub address: SocketAddr,
}

/// Why a listener could not be opened.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen for SIP on {transport:?} {address}: {source}; is another PBX running there?"
)]
pub struct ListenError {
    /// By what.
    pub transport: Transport,
    /// Where.
    pub address: SocketAddr,
    /// What the operating system said.
    pub source: io::Error,
}

/// What the wire has seen, for the metrics.
#[derive(Debug, Default)]
pub struct Counters {
    /// Whole messages received.
    pub received: AtomicU64,
    /// Messages handed to the operating system.
    pub sent: AtomicU64,
    /// Those received, by method and class of status.
    pub received_kinds: Kinds,
    /// Those sent.
    pub sent_kinds: Kinds,
    /// Datagrams the operating system would not take (SIP repeats them), and messages for
    /// connections whose queue was full.
    pub unsent: AtomicU64,
    /// Connections refused because a bound was reached.
    pub refused_connections: AtomicU64,
    /// Streams closed because what came was not SIP or was too slow.
    pub broken_streams: AtomicU64,
    /// Connections that came to nothing in TLS or in a WebSocket's request: refused, broken or too slow.
    pub failed_handshakes: AtomicU64,
    /// STUN requests answered.
    pub stun_answers: AtomicU64,
}

impl Counters {
    fn received(&self, message: &[u8]) {
        count(&self.received);
        self.received_kinds.count(Kind::of(message));
    }

    fn sent(&self, kind: Kind) {
        count(&self.sent);
        self.sent_kinds.count(kind);
    }
}

/// What listeners need beside an address.
#[derive(Clone, Debug, Default)]
pub struct Streams {
    /// How what we send is marked for the network that carries it (DSCP, RFC 2474 §3), 0 to 63; 0 leaves
    /// the field alone.
    pub dscp: u8,
    /// For `Tls` and `Wss` listeners, which cannot be opened without.
    pub tls: Option<Arc<Tls>>,
    /// From which pages browsers may connect.
    pub origins: Arc<Origins>,
}

impl Streams {
    /// What a listener's connections carry messages in; None for UDP, or without TLS where it must be.
    fn carrier(&self, transport: Transport) -> Option<Carrier> {
        let origins = Arc::clone(&self.origins);
        match transport {
            Transport::Udp => None,
            Transport::Tcp => Some(Carrier::Tcp),
            Transport::Tls => self.tls.clone().map(Carrier::Tls),
            Transport::Ws => Some(Carrier::Ws(origins)),
            Transport::Wss => self.tls.clone().map(|tls| Carrier::Wss(tls, origins)),
        }
    }
}

/// Marks what a socket sends. A wish: one without it still speaks.
fn mark(socket: &socket2::SockRef<'_>, is_v4: bool, dscp: u8) {
    if dscp != 0 {
        let class = u32::from(dscp & 0x3f) << 2;
        let _ = if is_v4 { socket.set_tos_v4(class) } else { socket.set_tclass_v6(class) };
    }
}

/// Adds one, for a figure that nobody orders anything by.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// The listeners, able to send.
#[derive(Debug)]
pub struct Net {
    listeners: Vec<Listener>,
    counters: Arc<Counters>,
}

#[derive(Debug)]
enum Listener {
    Udp(Arc<tokio::net::UdpSocket>),
    Stream(Arc<stream::Connections>),
}

impl Net {
    /// Opens all listeners and begins to receive. Must be called inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`ListenError`] for the first address that cannot be had; none is left open then.
    pub async fn open(
        listens: &[Listen],
        streams: &Streams,
        deliver: &Deliver,
    ) -> Result<Self, ListenError> {
        let counters = Arc::new(Counters::default());
        let mut listeners = Vec::new();
        for (index, listen) in listens.iter().enumerate() {
            let index = u16::try_from(index).unwrap_or(u16::MAX);
            let failed = |source| ListenError {
                transport: listen.transport,
                address: listen.address,
                source,
            };
            let (deliver, counters) = (Arc::clone(deliver), Arc::clone(&counters));
            listeners.push(if listen.transport.is_stream() {
                let without = || failed(io::Error::other("there is no certificate"));
                let carrier = streams.carrier(listen.transport).ok_or_else(without)?;
                let how = (carrier, streams.dscp);
                let opened = stream::listen(listen.address, index, how, deliver, counters);
                Listener::Stream(opened.map_err(failed)?)
            } else {
                let socket = Arc::new(udp::bind(listen.address, streams.dscp).map_err(failed)?);
                tokio::spawn(udp::receive(Arc::clone(&socket), index, deliver, counters));
                Listener::Udp(socket)
            });
        }
        Ok(Self { listeners, counters })
    }

    /// The addresses really bound, in the order asked for (a port of 0 was chosen by the system).
    #[must_use]
    pub fn addresses(&self) -> Vec<Option<SocketAddr>> {
        let address = |listener: &Listener| match listener {
            Listener::Udp(socket) => socket.local_addr().ok(),
            Listener::Stream(connections) => Some(connections.local),
        };
        self.listeners.iter().map(address).collect()
    }

    /// Sends one message; never waits. A datagram that the system will not take now is dropped and
    /// counted: SIP repeats it (RFC 3261 §17). A stream's queue that is full closes the stream.
    pub fn send(&self, flow: Flow, bytes: Bytes) {
        match self.listeners.get(usize::from(flow.listener)) {
            Some(Listener::Udp(socket)) => match socket.try_send_to(&bytes, flow.remote) {
                Ok(_) => self.counters.sent(Kind::of(&bytes)),
                Err(_) => count(&self.counters.unsent),
            },
            Some(Listener::Stream(connections)) => connections.send(flow, bytes),
            None => count(&self.counters.unsent),
        }
    }

    /// Figures for the metrics.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const OPTIONS: &[u8] = b"OPTIONS sip:desk SIP/2.0\r\nContent-Length: 0\r\n\r\n";

    #[tokio::test]
    async fn both_families_stand_on_one_port_and_each_flow_leads_back_by_its_own_listener() {
        let (told, heard) = std::sync::mpsc::channel();
        let deliver: Deliver = Arc::new(move |_, event| drop(told.send(event)));
        let probe = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = probe.local_addr().unwrap().port();
        drop(probe);
        let listen = |transport, ip: &str| Listen {
            transport,
            address: SocketAddr::new(ip.parse().unwrap(), port),
        };
        let ips = ["127.0.0.1", "127.0.0.2", "::1"];
        let listens: Vec<Listen> = [Transport::Udp, Transport::Tcp]
            .into_iter()
            .flat_map(|transport| ips.map(|ip| listen(transport, ip)))
            .collect();
        let net = Net::open(&listens, &Streams::default(), &deliver).await.unwrap();
        for (index, listen) in listens.iter().enumerate() {
            let local = if listen.address.is_ipv6() { "[::1]:0" } else { "127.0.0.1:0" };
            let mut answer = [0; 64];
            let length = if listen.transport == Transport::Udp {
                let phone = tokio::net::UdpSocket::bind(local).await.unwrap();
                phone.send_to(OPTIONS, listen.address).await.unwrap();
                let flow = flow_of(&heard).await;
                assert_eq!(usize::from(flow.listener), index);
                net.send(flow, Bytes::from_static(b"answer"));
                let (length, from) = phone.recv_from(&mut answer).await.unwrap();
                assert_eq!(from, listen.address, "it comes from where the phone asked");
                length
            } else {
                let mut phone = tokio::net::TcpStream::connect(listen.address).await.unwrap();
                phone.write_all(OPTIONS).await.unwrap();
                let flow = flow_of(&heard).await;
                assert_eq!(usize::from(flow.listener), index);
                net.send(flow, Bytes::from_static(b"answer"));
                phone.read(&mut answer).await.unwrap()
            };
            assert_eq!(&answer[..length], b"answer");
        }
    }

    /// RFC 4594 §4.2: signalling is marked, on what listens and on what connects.
    #[tokio::test]
    async fn what_we_send_is_marked_as_it_was_asked() {
        let class = |socket: socket2::SockRef<'_>, is_v4: bool| {
            if is_v4 { socket.tos_v4() } else { socket.tclass_v6() }.unwrap() >> 2
        };
        for dscp in [0, 24, 63] {
            for address in ["127.0.0.1:0", "[::1]:0"] {
                let address: SocketAddr = address.parse().unwrap();
                let udp = udp::bind(address, dscp).unwrap();
                let found = class(socket2::SockRef::from(&udp), address.is_ipv4());
                assert_eq!(found, u32::from(dscp), "udp {address}");
                let peer = tokio::net::TcpListener::bind(address).await.unwrap();
                let dialled =
                    stream::dial(address, peer.local_addr().unwrap(), dscp).await.unwrap();
                let found = class(socket2::SockRef::from(&dialled), address.is_ipv4());
                assert_eq!(found, u32::from(dscp), "tcp {address}");
            }
        }
    }

    async fn flow_of(heard: &std::sync::mpsc::Receiver<Event>) -> Flow {
        for _ in 0..500 {
            if let Ok(Event::Message { flow, .. }) = heard.try_recv() {
                return flow;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nothing came in 5 s");
    }

    #[test]
    fn a_flood_of_garbage_waits_behind_the_end_of_a_call() {
        let table = [
            ("an answer", &b"SIP/2.0 200 OK\r\n"[..], Lane::First),
            ("the end of a call", b"BYE sip:a@b SIP/2.0\r\n", Lane::First),
            ("a new call", b"INVITE sip:a@b SIP/2.0\r\n", Lane::Call),
            ("its cancel, behind it", b"CANCEL sip:a@b SIP/2.0\r\n", Lane::Call),
            ("a registration", b"REGISTER sip:a SIP/2.0\r\n", Lane::Register),
            ("a lamp", b"SUBSCRIBE sip:a@b SIP/2.0\r\n", Lane::Other),
            ("a keep-alive", b"\r\n\r\n", Lane::Other),
            ("nothing", b"", Lane::Other),
            ("garbage", b"\0\x01\x02\x03", Lane::Other),
        ];
        for (case, message, want) in table {
            assert_eq!(Lane::of(message), want, "{case}");
        }
    }
}
