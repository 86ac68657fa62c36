//! What is said on one connection: its handshakes, its messages in and out, its keep-alives, and how
//! long each may take. Knows nothing of other connections.

use super::count;
use super::outbox;
use super::stream::Connections;
use super::tls::Tls;
use super::websocket::{self, Frames, Origins, Unframed};
use crate::sip::api::{Flow, Transport};
use crate::sip::frame::PONG;
use crate::sip::gate::MAX_MESSAGE;
use crate::sip::{Framed, Framer};
use bytes::{Bytes, BytesMut};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

/// A peer that connects must be through with TLS and the WebSocket's request within this.
pub(super) const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// A peer that began a message must finish it within this; also the time for a first message, and
/// for taking one of ours.
const MESSAGE_TIME: Duration = Duration::from_secs(32);
/// A connection on which nothing at all came for this long is closed; phones send keep-alives
/// about every 30 s to 2 min (RFC 5626 §4.4.1).
const IDLE_TIME: Duration = Duration::from_secs(15 * 60);
/// A WebSocket on which we said nothing for this long gets a ping: what stands between forgets a
/// silent one after a minute.
const PING_EVERY: Duration = Duration::from_secs(30);
/// On a connection of our making we are the client, and keep it alive (RFC 5626 §4.4.1: 95 to 120 s).
const OUR_PING_EVERY: Duration = Duration::from_secs(95);
/// A connection that the peer ended, or that is no longer understood, takes answers for this long.
const PARTING_TIME: Duration = Duration::from_millis(500);
/// What we call ourselves in an answer to a stream that is not SIP.
const PRODUCT: &str = "Madoguchi";
/// One read.
const CHUNK: usize = 8 * 1024;
/// Messages that wait are written together until they are this long: one TLS record.
const TOGETHER: usize = 16 * 1024;
/// Two line ends ask whether we are there, and are not answered twice (RFC 5626 §4.4.1).
const PING: &[u8] = b"\r\n\r\n";

/// What messages are carried in.
#[derive(Clone, Debug)]
pub enum Carrier {
    /// Nothing.
    Tcp,
    /// TLS.
    Tls(Arc<Tls>),
    /// A WebSocket's frames.
    Ws(Arc<Origins>),
    /// The same inside TLS.
    Wss(Arc<Tls>, Arc<Origins>),
}

/// What waits to be written.
#[derive(Debug)]
pub(super) enum Outgoing {
    /// A message, and the flow that it was sent by: should no connection come about, that is the name
    /// by which the sender knows it.
    Message(Flow, Bytes),
    /// An answer or keep-alive of ours that is as good as a message.
    Own(Bytes),
    /// Bytes of the carrier's own.
    Raw(Bytes),
}

impl Outgoing {
    /// Its bytes.
    pub fn len(&self) -> usize {
        let (Self::Message(_, bytes) | Self::Own(bytes) | Self::Raw(bytes)) = self;
        bytes.len()
    }

    /// As it is written.
    fn on_wire(self, in_frames: bool) -> Bytes {
        match self {
            Self::Message(_, bytes) | Self::Own(bytes) if in_frames => {
                websocket::framed(&bytes).into()
            }
            Self::Message(_, bytes) | Self::Own(bytes) | Self::Raw(bytes) => bytes,
        }
    }
}

/// A connection after its handshakes.
pub(super) struct Stream {
    reading: Box<dyn AsyncRead + Send + Unpin>,
    writing: Box<dyn AsyncWrite + Send + Unpin>,
    cutting: Cutting,
}

/// How messages are cut out of what comes.
enum Cutting {
    ByLength(Framer),
    ByFrame(Box<Frames>),
}

impl Carrier {
    /// The transport that it makes.
    pub const fn transport(&self) -> Transport {
        match self {
            Self::Tcp => Transport::Tcp,
            Self::Tls(_) => Transport::Tls,
            Self::Ws(_) => Transport::Ws,
            Self::Wss(..) => Transport::Wss,
        }
    }

    /// The handshakes of a connection that the peer made.
    pub(super) async fn incoming(&self, stream: TcpStream, from: SocketAddr) -> io::Result<Stream> {
        match self {
            Self::Tcp => Ok(Stream::plain(stream)),
            Self::Tls(tls) => Ok(Stream::split(tls.accept(stream, from.ip()).await?)),
            Self::Ws(origins) => Stream::websocket(stream, origins).await,
            Self::Wss(tls, origins) => {
                Stream::websocket(tls.accept(stream, from.ip()).await?, origins).await
            }
        }
    }

    /// Those of a connection that we made.
    pub(super) async fn outgoing(&self, stream: TcpStream, to: SocketAddr) -> io::Result<Stream> {
        match self {
            Self::Tcp => Ok(Stream::plain(stream)),
            Self::Tls(tls) => Ok(Stream::split(tls.connect(stream, to.ip()).await?)),
            Self::Ws(_) | Self::Wss(..) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

impl Stream {
    fn plain(stream: TcpStream) -> Self {
        let (reading, writing) = stream.into_split();
        let cutting = Cutting::ByLength(Framer::new());
        Self { reading: Box::new(reading), writing: Box::new(writing), cutting }
    }

    fn split(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        let (reading, writing) = tokio::io::split(stream);
        let cutting = Cutting::ByLength(Framer::new());
        Self { reading: Box::new(reading), writing: Box::new(writing), cutting }
    }

    async fn websocket(
        mut stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        origins: &Origins,
    ) -> io::Result<Self> {
        let behind = websocket::shake(&mut stream, origins).await?;
        let mut frames = Frames::new(MAX_MESSAGE);
        frames.push(&behind);
        Ok(Self { cutting: Cutting::ByFrame(Box::new(frames)), ..Self::split(stream) })
    }
}

/// Reads and writes one connection until either side is through with it. Neither waits for the
/// other: a peer that is busy writing to us may well not read until it is done.
pub(super) async fn talk(
    connections: &Connections,
    stream: Stream,
    flow: Flow,
    queue: outbox::Receiver,
    ours: bool,
) {
    let Stream { reading, mut writing, cutting } = stream;
    let listening = async {
        listen(connections, reading, cutting, flow).await;
        // What came whole before the end is answered yet: the engine has it already.
        tokio::time::sleep(PARTING_TIME).await;
    };
    tokio::select! {
        () = listening => (),
        () = write(&mut writing, queue, flow.transport, ours) => (),
    }
    // TLS says that nothing was cut off; a peer that does not listen loses nothing by it.
    let _ = timeout(PARTING_TIME, writing.shutdown()).await;
}

/// What was made of one read.
struct Heard {
    /// Something whole came out.
    whole: bool,
    /// Bytes of something unfinished wait.
    waits: bool,
    /// Nothing more can come.
    over: bool,
}

/// Reads until the peer is through, too slow, or no longer understood.
async fn listen(
    connections: &Connections,
    mut reading: Box<dyn AsyncRead + Send + Unpin>,
    mut cutting: Cutting,
    flow: Flow,
) {
    let mut chunk = vec![0_u8; CHUNK];
    let mut until = after(MESSAGE_TIME);
    let mut unfinished = true; // the first message is as good as begun
    // A WebSocket's client may have sent its first message behind the request, unasked.
    let mut heard = cut(connections, &mut cutting, &[], flow);
    while !heard.over {
        let Ok(Ok(length @ 1..)) = timeout_at(until, reading.read(&mut chunk)).await else {
            return;
        };
        heard = cut(connections, &mut cutting, chunk.get(..length).unwrap_or_default(), flow);
        if !heard.waits {
            until = after(IDLE_TIME);
        } else if heard.whole || !unfinished {
            // Counted from the message's first byte: one byte now and then buys no more time.
            until = after(MESSAGE_TIME);
        }
        unfinished = heard.waits;
    }
}

/// Takes what was read and hands on whatever is whole.
fn cut(connections: &Connections, cutting: &mut Cutting, bytes: &[u8], flow: Flow) -> Heard {
    match cutting {
        Cutting::ByLength(framer) => by_length(connections, framer, bytes, flow),
        Cutting::ByFrame(frames) => by_frame(connections, frames, bytes, flow),
    }
}

fn by_length(connections: &Connections, framer: &mut Framer, bytes: &[u8], flow: Flow) -> Heard {
    framer.push(bytes);
    let mut whole = false;
    while let Some(framed) = framer.pop() {
        whole = true;
        match framed {
            Framed::Message(bytes) => connections.heard(flow, bytes),
            Framed::Ping => connections.enqueue(flow, Outgoing::Own(Bytes::from_static(PONG))),
            Framed::Broken(rejected) => {
                count(&connections.counters.broken_streams);
                if let Some(answer) = rejected.response(PRODUCT, flow.remote) {
                    connections.enqueue(flow, Outgoing::Own(answer));
                }
                return Heard { whole, waits: false, over: true };
            }
        }
    }
    Heard { whole, waits: framer.is_waiting(), over: false }
}

fn by_frame(connections: &Connections, frames: &mut Frames, bytes: &[u8], flow: Flow) -> Heard {
    frames.push(bytes);
    let (mut whole, mut over) = (false, false);
    while let Some(unframed) = frames.pop() {
        whole = true;
        match unframed {
            // Some clients ask as they would on TCP.
            Unframed::Message(bytes) if bytes == PING => {
                connections.enqueue(flow, Outgoing::Own(Bytes::from_static(PONG)));
            }
            Unframed::Message(bytes) if bytes == PONG || bytes.is_empty() => {}
            Unframed::Message(bytes) => connections.heard(flow, bytes),
            Unframed::Control => {}
            Unframed::End { broken } => {
                if broken {
                    count(&connections.counters.broken_streams);
                }
                over = true;
                break;
            }
        }
    }
    if let Some(owed) = frames.owed() {
        connections.enqueue(flow, Outgoing::Raw(owed));
    }
    // A frame that began behind a whole one is not seen before its next bytes: no harm, since until then
    // it costs no more than an idle connection.
    Heard { whole, waits: !whole && !bytes.is_empty(), over }
}

/// Writes what is queued until nobody can queue more, or the peer does not take it.
async fn write(
    writing: &mut (dyn AsyncWrite + Send + Unpin),
    mut queue: outbox::Receiver,
    transport: Transport,
    ours: bool,
) {
    let in_frames = transport.is_websocket();
    loop {
        let next = match (in_frames, ours) {
            (true, _) => timeout(PING_EVERY, queue.recv()).await,
            (false, true) => timeout(OUR_PING_EVERY, queue.recv()).await,
            (false, false) => Ok(queue.recv().await),
        };
        let mut bytes = match next {
            Ok(Some(what)) => what.on_wire(in_frames),
            Ok(None) => return,
            Err(_) if in_frames => websocket::ping().into(),
            Err(_) => Bytes::from_static(PING),
        };
        // What waits already goes with it: one write, and in TLS one record, for many.
        if let Some(more) = queue.try_recv() {
            let mut together = BytesMut::from(bytes);
            together.extend_from_slice(&more.on_wire(in_frames));
            while together.len() < TOGETHER
                && let Some(more) = queue.try_recv()
            {
                together.extend_from_slice(&more.on_wire(in_frames));
            }
            bytes = together.freeze();
        }
        let written = async {
            writing.write_all(&bytes).await?;
            writing.flush().await
        };
        if !matches!(timeout(MESSAGE_TIME, written).await, Ok(Ok(()))) {
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
    use crate::io::net::{Deliver, stream};

    #[tokio::test]
    async fn a_peer_that_answers_our_ping_keeps_its_connection() {
        let address = "127.0.0.1:0".parse().unwrap();
        let nobody: Deliver = Arc::new(|_, _| {});
        let made = stream::listen(address, 0, (Carrier::Tcp, 0), nobody, Arc::default());
        let (connections, mut framer) = (made.unwrap(), Framer::new());
        let flow = Flow {
            transport: Transport::Tcp,
            listener: 0,
            remote: connections.local,
            connection: 1,
        };
        let message = b"OPTIONS sip:desk SIP/2.0\r\nContent-Length: 0\r\n\r\n";
        for bytes in [&message[..], PONG, message, PONG, PING] {
            let heard = by_length(&connections, &mut framer, bytes, flow);
            assert!(!heard.waits && !heard.over, "it has the time of an idle one");
        }
        let heard = by_length(&connections, &mut framer, &message[..9], flow);
        assert!(heard.waits, "it has the time of one message");
    }
}
