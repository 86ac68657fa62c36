//! SIP by stream (RFC 3261 §18.3): connections accepted and made, framed, bounded, and closed when
//! what comes is not SIP.

use super::{Counters, Deliver, Event, Lane, count};
use crate::sip::api::{Flow, Transport};
use crate::sip::frame::PONG;
use crate::sip::{Framed, Framer};
use bytes::Bytes;
use socket2::{SockRef, TcpKeepalive};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

/// Connections a listener holds at once, those still being made included; one more is closed as soon
/// as it is accepted, and one more is not made.
const CONNECTIONS_MAX: usize = 4096;
/// Connections one address may hold on a listener.
const PER_SOURCE_MAX: usize = 256;
/// Messages waiting to be written to one peer; a peer that reads slower is cut off.
const OUTGOING_MAX: usize = 256;
/// A peer that began a message must finish it within this; also the time for a first message, and
/// for taking one of ours.
const MESSAGE_TIME: Duration = Duration::from_secs(32);
/// A connection on which nothing at all came for this long is closed; phones send keep-alives
/// about every 30 s to 2 min (RFC 5626 §4.4.1).
const IDLE_TIME: Duration = Duration::from_secs(15 * 60);
/// What we sent must be acknowledged by the peer's machine within this: a phone whose plug was pulled
/// is found out before it would have rung out, and is not taken for an agent who does not answer.
const UNACKED_TIME: Duration = Duration::from_secs(10);
/// After this without traffic the peer's machine is asked whether the connection still is.
const ALIVE_EVERY: Duration = Duration::from_secs(60);
/// Making a connection (a phone that is gone must not keep a call waiting).
const CONNECT_TIME: Duration = Duration::from_secs(4);
/// A connection that the peer ended, or that is no longer understood, takes answers for this long.
const PARTING_TIME: Duration = Duration::from_millis(500);
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
    /// Where connections live: [`Connections::send`] is called by a thread without a runtime.
    runtime: tokio::runtime::Handle,
}

#[derive(Debug)]
struct Peer {
    remote: SocketAddr,
    outgoing: mpsc::Sender<Outgoing>,
}

/// A message to be written, and the flow that it was sent by: should no connection come about, that is
/// the name by which the sender knows it.
type Outgoing = (Flow, Bytes);

/// [`Deliver`] with a `Debug`.
struct DeliverBox(Deliver);

impl std::fmt::Debug for DeliverBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Deliver")
    }
}

/// Opens the listener and accepts for ever. Must be called inside a tokio runtime.
pub fn listen(
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
        runtime: tokio::runtime::Handle::current(),
    });
    tokio::spawn(accept(accepting, Arc::clone(&connections)));
    Ok(connections)
}

async fn accept(listener: TcpListener, connections: Arc<Connections>) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                let admitted = connections.admit(&mut connections.open(), remote);
                if let Some((flow, _, queue)) = admitted {
                    tokio::spawn(Arc::clone(&connections).serve(stream, flow, queue));
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
    fn admit(
        &self,
        open: &mut BTreeMap<u64, Peer>,
        remote: SocketAddr,
    ) -> Option<(Flow, mpsc::Sender<Outgoing>, mpsc::Receiver<Outgoing>)> {
        let of_source = |ip: IpAddr| open.values().filter(|peer| peer.remote.ip() == ip).count();
        if open.len() >= CONNECTIONS_MAX || of_source(remote.ip()) >= PER_SOURCE_MAX {
            return None;
        }
        let connection = NEXT.fetch_add(1, Ordering::Relaxed);
        let (sender, queue) = mpsc::channel(OUTGOING_MAX);
        open.insert(connection, Peer { remote, outgoing: sender.clone() });
        let flow = Flow { transport: Transport::Tcp, listener: self.listener, remote, connection };
        Some((flow, sender, queue))
    }

    /// Sends on the connection named, or on any to the same peer, or on a new one. While that is being
    /// made, later messages to the peer wait for it and make none of their own.
    pub fn send(self: &Arc<Self>, flow: Flow, bytes: Bytes) {
        let mut open = self.open();
        let connection = if open.contains_key(&flow.connection) {
            Some(flow.connection)
        } else {
            open.iter().rev().find(|(_, peer)| peer.remote == flow.remote).map(|(id, _)| *id)
        };
        match connection.and_then(|id| open.get(&id).map(|peer| (id, peer))) {
            Some((id, peer)) => match peer.outgoing.try_send((flow, bytes)) {
                Ok(()) => count(&self.counters.sent),
                Err(_) => {
                    count(&self.counters.unsent);
                    open.remove(&id); // dropping the sender ends the connection's task
                }
            },
            None => {
                let admitted = self.admit(&mut open, flow.remote);
                drop(open);
                let Some((made, sender, queue)) = admitted else {
                    count(&self.counters.refused_connections);
                    return self.unsendable(flow);
                };
                // Just made: there is room for the first.
                if sender.try_send((flow, bytes)).is_ok() {
                    count(&self.counters.sent);
                }
                self.runtime.spawn(Arc::clone(self).connect(made, queue));
            }
        }
    }

    fn unsendable(&self, flow: Flow) {
        count(&self.counters.unsent);
        (self.deliver.0)(Lane::First, Event::Unsendable(flow));
    }

    async fn connect(self: Arc<Self>, made: Flow, mut queue: mpsc::Receiver<Outgoing>) {
        match timeout(CONNECT_TIME, TcpStream::connect(made.remote)).await {
            Ok(Ok(stream)) => self.serve(stream, made, queue).await,
            Ok(Err(_)) | Err(_) => {
                self.open().remove(&made.connection);
                let mut told = Vec::new();
                while let Ok((flow, _)) = queue.try_recv() {
                    if !told.contains(&flow) {
                        told.push(flow);
                        self.unsendable(flow);
                    }
                }
            }
        }
    }

    /// Reads and writes one connection until either side is through with it. Neither waits for the
    /// other: a peer that is busy writing to us may well not read until it is done.
    async fn serve(
        self: Arc<Self>,
        stream: TcpStream,
        flow: Flow,
        queue: mpsc::Receiver<Outgoing>,
    ) {
        arrange(&stream);
        let (reading, mut writing) = stream.into_split();
        let listening = async {
            self.read(reading, flow).await;
            // What came whole before the end is answered yet: the engine has it already.
            tokio::time::sleep(PARTING_TIME).await;
        };
        tokio::select! {
            () = listening => (),
            () = write(&mut writing, queue) => (),
        }
        self.open().remove(&flow.connection);
        (self.deliver.0)(Lane::First, Event::FlowLost(flow));
    }

    /// Reads until the peer is through, too slow, or no longer understood.
    async fn read(&self, mut reading: OwnedReadHalf, flow: Flow) {
        let mut framer = Framer::new();
        let mut chunk = vec![0_u8; CHUNK];
        let mut until = after(MESSAGE_TIME);
        let mut unfinished = true; // the first message is as good as begun
        loop {
            let Ok(Ok(length @ 1..)) = timeout_at(until, reading.read(&mut chunk)).await else {
                return;
            };
            framer.push(chunk.get(..length).unwrap_or_default());
            let mut whole = false;
            while let Some(framed) = framer.pop() {
                whole = true;
                match framed {
                    Framed::Message(bytes) => {
                        count(&self.counters.received);
                        (self.deliver.0)(Lane::of(&bytes), Event::Message { flow, bytes });
                    }
                    Framed::Ping => self.enqueue(flow, Bytes::from_static(PONG)),
                    Framed::Broken(rejected) => {
                        count(&self.counters.broken_streams);
                        if let Some(answer) = rejected.response(PRODUCT, flow.remote) {
                            self.enqueue(flow, answer);
                        }
                        return;
                    }
                }
            }
            let waits = framer.is_waiting();
            if !waits {
                until = after(IDLE_TIME);
            } else if whole || !unfinished {
                // Counted from the message's first byte: one byte now and then buys no more time.
                until = after(MESSAGE_TIME);
            }
            unfinished = waits;
        }
    }

    /// An answer of the stream's own (a keep-alive's, a refusal), in its turn behind what waits to be
    /// written. A peer that lets 256 answers wait gets none.
    fn enqueue(&self, flow: Flow, bytes: Bytes) {
        if let Some(peer) = self.open().get(&flow.connection) {
            let _ = peer.outgoing.try_send((flow, bytes));
        }
    }
}

/// Wishes, all of them: a connection without them still carries messages.
fn arrange(stream: &TcpStream) {
    let _ = stream.set_nodelay(true); // a message is written whole; waiting for more only delays it
    let socket = SockRef::from(stream);
    let _ = socket.set_tcp_user_timeout(Some(UNACKED_TIME));
    let alive = TcpKeepalive::new().with_time(ALIVE_EVERY).with_interval(UNACKED_TIME);
    let _ = socket.set_tcp_keepalive(&alive);
}

/// Writes what is queued until nobody can queue more, or the peer does not take it.
async fn write(writing: &mut OwnedWriteHalf, mut queue: mpsc::Receiver<Outgoing>) {
    while let Some((_, message)) = queue.recv().await {
        if !matches!(timeout(MESSAGE_TIME, writing.write_all(&message)).await, Ok(Ok(()))) {
            return;
        }
    }
}

fn after(span: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(span).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc as std_mpsc;

    async fn listening() -> (Arc<Connections>, std_mpsc::Receiver<Event>) {
        let (told, heard) = std_mpsc::channel();
        let deliver: Deliver = Arc::new(move |_, event| {
            let _ = told.send(event);
        });
        let address = "127.0.0.1:0".parse().unwrap();
        let connections = listen(address, 0, deliver, Arc::default()).unwrap();
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
    async fn many_messages_to_a_phone_that_is_gone_make_one_connection_and_each_leg_is_told() {
        let (connections, heard) = listening().await;
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let flow =
            |connection| Flow { transport: Transport::Tcp, listener: 0, remote: gone, connection };
        for _ in 0..50 {
            connections.send(flow(0), Bytes::from_static(OPTIONS));
            connections.send(flow(u64::MAX), Bytes::from_static(OPTIONS));
        }
        assert_eq!(connections.open().len(), 1, "the one that is being made");
        for connection in [0, u64::MAX] {
            let Event::Unsendable(told) = next(&heard).await else { panic!("unsendable") };
            assert_eq!(told, flow(connection));
        }
        assert!(connections.open().is_empty());
        assert!(heard.try_recv().is_err(), "nobody is told twice");
    }
}
