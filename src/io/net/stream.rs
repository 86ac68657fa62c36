//! SIP by stream (RFC 3261 §18.3): connections accepted and made, whatever they carry messages in (TCP,
//! TLS, WebSocket), admitted, bounded, and closed when what comes is not SIP. What is said on one
//! connection is `talk`'s.

use super::kinds::Kind;
use super::outbox::{self, All};
use super::talk::{self, Carrier, Outgoing};
use super::{Counters, Deliver, Event, Lane, count};
use crate::sip::api::Flow;
use bytes::Bytes;
use socket2::{SockRef, TcpKeepalive};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Connections a listener holds at once, those still being made and those still shaking hands
/// included. One more takes the place of the oldest on which no message has come yet; when there is
/// none it is closed as soon as it is accepted. One more of our own is not made.
const CONNECTIONS_MAX: usize = 4096;
/// Connections one address (of IPv6: one network of 64 bits) may hold on a listener.
const PER_SOURCE_MAX: usize = 256;
/// What we sent must be acknowledged by the peer's machine within this: a phone whose plug was pulled
/// is found out before it would have rung out, and is not taken for an agent who does not answer.
const UNACKED_TIME: Duration = Duration::from_secs(10);
/// After this without traffic the peer's machine is asked whether the connection still is.
const ALIVE_EVERY: Duration = Duration::from_secs(60);
/// Making a connection, with its handshake (a phone that is gone must not keep a call waiting).
const CONNECT_TIME: Duration = Duration::from_secs(4);

/// Connection numbers are unique in the process, over all listeners.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// One listener and all connections through it.
#[derive(Debug)]
pub struct Connections {
    /// The bound address.
    pub local: SocketAddr,
    listener: u16,
    carrier: Carrier,
    dscp: u8,
    open: Mutex<Open>,
    waiting: All,
    deliver: DeliverBox,
    pub(super) counters: Arc<Counters>,
    /// Where connections live: [`Connections::send`] is called by a thread without a runtime.
    runtime: tokio::runtime::Handle,
}

#[derive(Debug, Default)]
struct Open {
    peers: BTreeMap<u64, Peer>,
    /// The newest connection to each peer.
    by_remote: BTreeMap<SocketAddr, u64>,
    /// How many each source holds.
    of_source: BTreeMap<IpAddr, usize>,
}

#[derive(Debug)]
struct Peer {
    remote: SocketAddr,
    outgoing: outbox::Sender,
    /// A whole message has come, or the connection is one of our making.
    proven: bool,
    /// Dropped, it ends the connection, whatever it is at.
    _alive: oneshot::Sender<()>,
}

/// What a connection's task is given.
struct Admitted {
    flow: Flow,
    queue: outbox::Receiver,
    ended: oneshot::Receiver<()>,
}

/// [`Deliver`] with a `Debug`.
struct DeliverBox(Deliver);

impl std::fmt::Debug for DeliverBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Deliver")
    }
}

/// Opens the listener and accepts for ever; what it carries and how that is marked. Must be called inside a
/// tokio runtime.
pub fn listen(
    address: SocketAddr,
    listener: u16,
    (carrier, dscp): (Carrier, u8),
    deliver: Deliver,
    counters: Arc<Counters>,
) -> io::Result<Arc<Connections>> {
    let domain = socket2::Domain::for_address(address);
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, Some(socket2::Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?; // so that a listener for IPv4 may stand beside it
    }
    socket.set_reuse_address(true)?; // a restart must not wait for old connections' TIME_WAIT
    socket.set_nonblocking(true)?;
    // Connections that are accepted have it from the listener.
    super::mark(&SockRef::from(&socket), address.is_ipv4(), dscp);
    socket.bind(&address.into())?;
    let accepting = TcpSocket::from_std_stream(socket.into()).listen(1024)?;
    let connections = Arc::new(Connections {
        local: accepting.local_addr()?,
        listener,
        carrier,
        dscp,
        open: Mutex::default(),
        waiting: All::default(),
        deliver: DeliverBox(deliver),
        counters,
        runtime: tokio::runtime::Handle::current(),
    });
    tokio::spawn(accept(accepting, Arc::clone(&connections)));
    Ok(connections)
}

async fn accept(listener: TcpListener, connections: Arc<Connections>) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                let admitted = connections.admit(&mut connections.open(), remote, false);
                if let Some(admitted) = admitted {
                    tokio::spawn(Arc::clone(&connections).serve(stream, admitted));
                } else {
                    count(&connections.counters.refused_connections);
                }
            }
            // Out of file descriptors, or a peer that was gone already: later ones may succeed.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

impl Open {
    fn insert(&mut self, connection: u64, peer: Peer) {
        self.by_remote.insert(peer.remote, connection);
        let held = self.of_source.entry(source(peer.remote)).or_default();
        *held = held.saturating_add(1);
        self.peers.insert(connection, peer);
    }

    /// Forgets a connection, which ends it; whether it was there and had a message.
    fn remove(&mut self, connection: u64) -> bool {
        let Some(peer) = self.peers.remove(&connection) else { return false };
        if self.by_remote.get(&peer.remote) == Some(&connection) {
            self.by_remote.remove(&peer.remote);
        }
        let source = source(peer.remote);
        if let Some(held) = self.of_source.get_mut(&source) {
            *held = held.saturating_sub(1);
            if *held == 0 {
                self.of_source.remove(&source);
            }
        }
        peer.proven
    }

    /// Makes room by ending the oldest connection that has brought nothing yet.
    fn give_way(&mut self) -> bool {
        let idle = self.peers.iter().find(|(_, peer)| !peer.proven).map(|(id, _)| *id);
        if let Some(idle) = idle {
            self.remove(idle);
        }
        idle.is_some()
    }
}

/// Whom a connection counts for: who has one IPv6 address has its whole network.
fn source(remote: SocketAddr) -> IpAddr {
    match remote.ip().to_canonical() {
        IpAddr::V4(ip) => ip.into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64)).into(),
    }
}

impl Connections {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes room for a connection, or does not.
    fn admit(&self, open: &mut Open, remote: SocketAddr, ours: bool) -> Option<Admitted> {
        let held = open.of_source.get(&source(remote)).copied().unwrap_or(0);
        if held >= PER_SOURCE_MAX {
            return None;
        }
        if open.peers.len() >= CONNECTIONS_MAX {
            if !open.give_way() {
                return None;
            }
            count(&self.counters.refused_connections);
        }
        let connection = NEXT.fetch_add(1, Ordering::Relaxed);
        let (outgoing, queue) = outbox::channel(&self.waiting);
        let (alive, ended) = oneshot::channel();
        open.insert(connection, Peer { remote, outgoing, proven: ours, _alive: alive });
        let transport = self.carrier.transport();
        let flow = Flow { transport, listener: self.listener, remote, connection };
        Some(Admitted { flow, queue, ended })
    }

    /// Sends on the connection named, or on any to the same peer, or on a new one. While that is being
    /// made, later messages to the peer wait for it and make none of their own.
    pub fn send(self: &Arc<Self>, flow: Flow, bytes: Bytes) {
        let mut open = self.open();
        let named = open.peers.contains_key(&flow.connection).then_some(flow.connection);
        let connection = named.or_else(|| open.by_remote.get(&flow.remote).copied());
        let kind = Kind::of(&bytes);
        let message = Outgoing::Message(flow, bytes);
        if let Some((id, peer)) =
            connection.and_then(|id| open.peers.get(&id).map(|peer| (id, peer)))
        {
            if peer.outgoing.send(message).is_ok() {
                self.counters.sent(kind);
            } else {
                count(&self.counters.unsent);
                tracing::warn!(
                    transport = self.carrier.transport().as_str(),
                    "a peer takes too little of what it is sent: its connection is closed"
                );
                let lost = Flow { remote: peer.remote, connection: id, ..flow };
                open.remove(id);
                drop(open);
                (self.deliver.0)(Lane::First, Event::FlowLost(lost));
            }
            return;
        }
        // RFC 7118 §5.2: nobody can connect to a WebSocket client.
        let admitted = if self.carrier.transport().is_websocket() {
            None
        } else {
            let admitted = self.admit(&mut open, flow.remote, true);
            if admitted.is_none() {
                count(&self.counters.refused_connections);
            }
            admitted
        };
        let Some(admitted) = admitted else {
            drop(open);
            return self.unsendable(flow);
        };
        // Just made: there is room for the first.
        if let Some(peer) = open.peers.get(&admitted.flow.connection)
            && peer.outgoing.send(message).is_ok()
        {
            self.counters.sent(kind);
        }
        drop(open);
        self.runtime.spawn(Arc::clone(self).connect(admitted));
    }

    fn unsendable(&self, flow: Flow) {
        count(&self.counters.unsent);
        (self.deliver.0)(Lane::First, Event::Unsendable(flow));
    }

    async fn connect(self: Arc<Self>, mut admitted: Admitted) {
        let flow = admitted.flow;
        let made = async {
            let stream = dial(self.local, flow.remote, self.dscp).await?;
            arrange(&stream);
            self.carrier.outgoing(stream, flow.remote).await
        };
        match timeout(CONNECT_TIME, made).await {
            Ok(Ok(stream)) => {
                let Admitted { queue, ended, .. } = admitted;
                tokio::select! {
                    () = talk::talk(&self, stream, flow, queue, true) => (),
                    _ = ended => (),
                }
                self.end(flow);
            }
            failed => {
                if let Ok(Err(error)) = failed
                    && self.carrier.transport().is_secure()
                {
                    count(&self.counters.failed_handshakes);
                    // Whom we call by TLS is of the configuration or registered: its address is no secret.
                    tracing::warn!(peer = %flow.remote, %error, "no TLS connection could be made");
                }
                self.open().remove(flow.connection);
                let mut told = Vec::new();
                while let Some(waiting) = admitted.queue.try_recv() {
                    if let Outgoing::Message(flow, _) = waiting
                        && !told.contains(&flow)
                    {
                        told.push(flow);
                        self.unsendable(flow);
                    }
                }
            }
        }
    }

    /// Serves one connection that a peer made, from its handshake on.
    async fn serve(self: Arc<Self>, stream: TcpStream, admitted: Admitted) {
        arrange(&stream);
        let Admitted { flow, queue, ended } = admitted;
        let serving = async {
            match timeout(talk::HANDSHAKE_TIME, self.carrier.incoming(stream, flow.remote)).await {
                Ok(Ok(stream)) => talk::talk(&self, stream, flow, queue, false).await,
                Ok(Err(_)) | Err(_) => count(&self.counters.failed_handshakes),
            }
        };
        tokio::select! {
            () = serving => (),
            _ = ended => (),
        }
        self.end(flow);
    }

    /// The connection is no more. Of one that brought nothing nobody has heard.
    fn end(&self, flow: Flow) {
        if self.open().remove(flow.connection) {
            (self.deliver.0)(Lane::First, Event::FlowLost(flow));
        }
    }

    /// One whole message came.
    pub(super) fn heard(&self, flow: Flow, bytes: Bytes) {
        self.counters.received(&bytes);
        if let Some(peer) = self.open().peers.get_mut(&flow.connection) {
            peer.proven = true;
        }
        (self.deliver.0)(Lane::of(&bytes), Event::Message { flow, bytes });
    }

    /// An answer of the stream's own (a keep-alive's, a refusal), in its turn behind what waits to be
    /// written. A peer that lets too much wait gets none.
    pub(super) fn enqueue(&self, flow: Flow, what: Outgoing) {
        if let Some(peer) = self.open().peers.get(&flow.connection) {
            let _ = peer.outgoing.send(what);
        }
    }
}

/// Connects from the address that we listen on, so that the peer sees whom it knows.
pub(super) async fn dial(local: SocketAddr, remote: SocketAddr, dscp: u8) -> io::Result<TcpStream> {
    let socket = if remote.is_ipv6() { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
    super::mark(&SockRef::from(&socket), remote.is_ipv4(), dscp);
    if !local.ip().is_unspecified() && local.is_ipv6() == remote.is_ipv6() {
        socket.bind(SocketAddr::new(local.ip(), 0))?;
    }
    socket.connect(remote).await
}

/// Wishes, all of them: a connection without them still carries messages.
fn arrange(stream: &TcpStream) {
    let _ = stream.set_nodelay(true); // a message is written whole; waiting for more only delays it
    let socket = SockRef::from(stream);
    let _ = socket.set_tcp_user_timeout(Some(UNACKED_TIME));
    let alive = TcpKeepalive::new().with_time(ALIVE_EVERY).with_interval(UNACKED_TIME);
    let _ = socket.set_tcp_keepalive(&alive);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::api::Transport;
    use std::sync::mpsc as std_mpsc;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn listening() -> (Arc<Connections>, std_mpsc::Receiver<Event>) {
        let (told, heard) = std_mpsc::channel();
        let deliver: Deliver = Arc::new(move |_, event| {
            let _ = told.send(event);
        });
        let address = "127.0.0.1:0".parse().unwrap();
        let connections = listen(address, 0, (Carrier::Tcp, 0), deliver, Arc::default()).unwrap();
        (connections, heard)
    }

    async fn next(heard: &std_mpsc::Receiver<Event>) -> Event {
        for _ in 0..500 {
            if let Ok(event) = heard.try_recv() {
                return event;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nothing came in 5 s");
    }

    const OPTIONS: &[u8] = b"OPTIONS sip:desk@127.0.0.1 SIP/2.0\r\nContent-Length: 0\r\n\r\n";

    #[tokio::test]
    async fn an_answer_to_a_caller_who_has_hung_up_does_not_fell_the_thread_that_sends_it() {
        let (connections, heard) = listening().await;
        let remote = "127.0.0.1:9".parse().unwrap(); // nobody listens there
        let flow = Flow { transport: Transport::Tcp, listener: 0, remote, connection: 77 };
        let sender = Arc::clone(&connections);
        // The engine's thread knows no runtime.
        std::thread::spawn(move || sender.send(flow, Bytes::from_static(OPTIONS))).join().unwrap();
        assert!(matches!(next(&heard).await, Event::Unsendable(f) if f == flow));
    }

    #[tokio::test]
    async fn a_peer_that_does_not_read_is_still_heard() {
        let (connections, heard) = listening().await;
        let mut peer = TcpStream::connect(connections.local).await.unwrap();
        peer.write_all(OPTIONS).await.unwrap();
        let Event::Message { flow, .. } = next(&heard).await else { panic!("a message") };
        // More than the kernel's buffers hold, less than our bound of messages: the writing stands.
        for _ in 0..200 {
            connections.send(flow, Bytes::from(vec![b'x'; 65_000]));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        peer.write_all(OPTIONS).await.unwrap();
        assert!(matches!(next(&heard).await, Event::Message { .. }));
    }

    #[tokio::test]
    async fn a_carrier_whose_calls_share_one_connection_keeps_them_when_much_is_said_at_once() {
        let (connections, heard) = listening().await;
        let mut peer = TcpStream::connect(connections.local).await.unwrap();
        peer.write_all(OPTIONS).await.unwrap();
        let Event::Message { flow, .. } = next(&heard).await else { panic!("a message") };
        // What a journal kept back for half a second is let out in one go; the writing has no turn
        // between. It was 256 messages, and then every call of the carrier was lost.
        for _ in 0..2_000 {
            connections.send(flow, Bytes::from(vec![b'x'; 600]));
        }
        let mut came = vec![0; 2_000 * 600];
        peer.read_exact(&mut came).await.unwrap();
        assert!(heard.try_recv().is_err(), "the connection stands");
    }

    #[tokio::test]
    async fn many_messages_to_a_phone_that_is_gone_make_one_connection_and_each_leg_is_told() {
        let (connections, heard) = listening().await;
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let flow =
            |connection| Flow { transport: Transport::Tcp, listener: 0, remote: gone, connection };
        for _ in 0..50 {
            connections.send(flow(0), Bytes::from_static(OPTIONS));
            connections.send(flow(u64::MAX), Bytes::from_static(OPTIONS));
        }
        assert_eq!(connections.open().peers.len(), 1, "the one that is being made");
        for connection in [0, u64::MAX] {
            let Event::Unsendable(told) = next(&heard).await else { panic!("unsendable") };
            assert_eq!(told, flow(connection));
        }
        assert!(connections.open().peers.is_empty());
        assert!(heard.try_recv().is_err(), "nobody is told twice");
    }
}
