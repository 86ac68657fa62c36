//! SIP by stream (RFC 3261 §18.3): connections accepted and made, framed, bounded, and closed when
//! what comes is not SIP.

use super::{Counters, Deliver, Event, Lane, count};
use crate::sip::api::{Flow, Transport};
use crate::sip::frame::PONG;
use crate::sip::{Framed, Framer};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Connections a listener holds at once; one more is closed as soon as it is accepted.
const CONNECTIONS_MAX: usize = 4096;
/// Connections one address may hold on a listener.
const PER_SOURCE_MAX: usize = 256;
/// Messages waiting to be written to one peer; a peer that reads slower is cut off.
const OUTGOING_MAX: usize = 256;
/// A peer that began a message must finish it within this; also the time for a first message.
const MESSAGE_TIME: Duration = Duration::from_secs(32);
/// A connection on which nothing at all came for this long is closed; phones send keep-alives
/// about every 30 s to 2 min (RFC 5626 §4.4.1).
const IDLE_TIME: Duration = Duration::from_secs(15 * 60);
/// Making a connection (a phone that is gone must not keep a call waiting).
const CONNECT_TIME: Duration = Duration::from_secs(4);
/// What we call ourselves in an answer to a stream that is not SIP.
const PRODUCT: &str = "Madoguchi";
/// One read.
const CHUNK: usize = 8 * 1024;

/// Connection numbers are unique in the process, over all listeners.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// One listener and all connections through it.
#[derive(Debug)]
pub struct Connections {
    /// The bound address.
    pub local: SocketAddr,
    listener: u16,
    open: Mutex<BTreeMap<u64, Peer>>,
    deliver: DeliverBox,
    counters: Arc<Counters>,
}

#[derive(Debug)]
struct Peer {
    remote: SocketAddr,
    outgoing: mpsc::Sender<Bytes>,
}

/// [`Deliver`] with a `Debug`.
struct DeliverBox(Deliver);

impl std::fmt::Debug for DeliverBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Deliver")
    }
}

/// Opens the listener and accepts for ever.
pub async fn listen(
    address: SocketAddr,
    listener: u16,
    deliver: Deliver,
    counters: Arc<Counters>,
) -> io::Result<Arc<Connections>> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
    socket.set_reuseaddr(true)?; // a restart must not wait for old connections' TIME_WAIT
    socket.bind(address)?;
    let accepting = socket.listen(1024)?;
    let connections = Arc::new(Connections {
        local: accepting.local_addr()?,
        listener,
        open: Mutex::new(BTreeMap::new()),
        deliver: DeliverBox(deliver),
        counters,
    });
    tokio::spawn(accept(accepting, Arc::clone(&connections)));
    Ok(connections)
}

async fn accept(listener: TcpListener, connections: Arc<Connections>) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                if let Some((flow, outgoing)) = connections.admit(remote) {
                    tokio::spawn(Arc::clone(&connections).serve(stream, flow, outgoing));
                } else {
                    count(&connections.counters.refused_connections);
                }
            }
            // Out of file descriptors, or a peer that was gone already: later ones may succeed.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

impl Connections {
    fn open(&self) -> MutexGuard<'_, BTreeMap<u64, Peer>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes room for a connection, or does not.
    fn admit(&self, remote: SocketAddr) -> Option<(Flow, mpsc::Receiver<Bytes>)> {
        let mut open = self.open();
        let of_source = |ip: IpAddr| open.values().filter(|peer| peer.remote.ip() == ip).count();
        if open.len() >= CONNECTIONS_MAX || of_source(remote.ip()) >= PER_SOURCE_MAX {
            return None;
        }
        let connection = NEXT.fetch_add(1, Ordering::Relaxed);
        let (sender, outgoing) = mpsc::channel(OUTGOING_MAX);
        open.insert(connection, Peer { remote, outgoing: sender });
        let flow =
            Flow { transport: Transport::Tcp, listener: self.listener, remote, connection };
        Some((flow, outgoing))
    }

    /// Sends on the connection named, or on any to the same peer, or on a new one.
    pub fn send(self: &Arc<Self>, flow: Flow, bytes: Bytes) {
        let mut open = self.open();
        let connection = if open.contains_key(&flow.connection) {
            Some(flow.connection)
        } else {
            open.iter().rev().find(|(_, peer)| peer.remote == flow.remote).map(|(id, _)| *id)
        };
        match connection.and_then(|id| open.get(&id).map(|peer| (id, peer))) {
            Some((id, peer)) => match peer.outgoing.try_send(bytes) {
                Ok(()) => count(&self.counters.sent),
                Err(_) => {
                    count(&self.counters.unsent);
                    open.remove(&id); // dropping the sender ends the connection's task
                }
            },
            None => {
                drop(open);
                tokio::spawn(Arc::clone(self).connect(flow, bytes));
            }
        }
    }

    async fn connect(self: Arc<Self>, flow: Flow, bytes: Bytes) {
        let stream = timeout(CONNECT_TIME, TcpStream::connect(flow.remote)).await;
        let admitted = match stream {
            Ok(Ok(stream)) => self.admit(flow.remote).map(|admitted| (stream, admitted)),
            Ok(Err(_)) | Err(_) => None,
        };
        let Some((stream, (made, outgoing))) = admitted else {
            count(&self.counters.unsent);
            (self.deliver.0)(Lane::First, Event::Unsendable(flow));
            return;
        };
        self.send(made, bytes);
        self.serve(stream, made, outgoing).await;
    }

    /// Reads and writes one connection until either side is through with it.
    async fn serve(self: Arc<Self>, stream: TcpStream, flow: Flow, mut outgoing: mpsc::Receiver<Bytes>) {
        let _ = stream.set_nodelay(true); // a message is written whole; waiting for more only delays it
        let (mut reading, mut writing) = stream.into_split();
        let mut framer = Framer::new();
        let mut chunk = vec![0_u8; CHUNK];
        let mut patience = MESSAGE_TIME;
        loop {
            tokio::select! {
                read = timeout(patience, reading.read(&mut chunk)) => {
                    let Ok(Ok(length @ 1..)) = read else { break };
                    let Some(bytes) = chunk.get(..length) else { break };
                    match self.framed(&mut framer, bytes, flow, &mut writing).await {
                        Some(next) => patience = next,
                        None => break,
                    }
                }
                message = outgoing.recv() => {
                    let Some(message) = message else { break };
                    if !matches!(timeout(MESSAGE_TIME, writing.write_all(&message)).await, Ok(Ok(()))) {
                        break;
                    }
                }
            }
        }
        self.open().remove(&flow.connection);
        (self.deliver.0)(Lane::First, Event::FlowLost(flow));
    }

    /// Cuts what came into messages. Answers how long the next bytes may take; none ends the connection.
    async fn framed(
        &self,
        framer: &mut Framer,
        bytes: &[u8],
        flow: Flow,
        writing: &mut tokio::net::tcp::OwnedWriteHalf,
    ) -> Option<Duration> {
        framer.push(bytes);
        while let Some(framed) = framer.pop() {
            match framed {
                Framed::Message(bytes) => {
                    count(&self.counters.received);
                    (self.deliver.0)(Lane::of(&bytes), Event::Message { flow, bytes });
                }
                Framed::Ping => writing.write_all(PONG).await.ok()?,
                Framed::Broken(rejected) => {
                    count(&self.counters.broken_streams);
                    if let Some(answer) = rejected.response(PRODUCT, flow.remote) {
                        let _ = timeout(CONNECT_TIME, writing.write_all(&answer)).await;
                    }
                    return None;
                }
            }
        }
        Some(if framer.is_waiting() { MESSAGE_TIME } else { IDLE_TIME })
    }
}
