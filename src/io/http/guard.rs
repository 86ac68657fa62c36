//! Connections under guard: so many at once, each with a time to get its request out and a time to
//! take its answer. A browser that stalls loses its connection; nobody else notices.

use super::secure::Secured;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// Connections at once; one more waits in the kernel until another ends.
pub const MAX_CONNECTIONS: usize = 512;

/// From the connection's beginning or our last byte to our next: a request that dribbles in longer,
/// and a connection kept alive without one, is cut.
const SILENCE: Duration = Duration::from_secs(75);

/// How long the peer may refuse to take bytes.
const STALL: Duration = Duration::from_secs(15);

/// Bytes the kernel may hold for a peer that does not read.
const SEND_BUFFER: usize = 128 * 1024;

/// Pause after an accept that failed for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long is too long.
#[derive(Clone, Copy)]
struct Patience {
    silence: Duration,
    stall: Duration,
}

/// A listener that guards what it accepts.
pub(super) struct Guarded {
    listener: TcpListener,
    places: Arc<Semaphore>,
    patience: Patience,
}

impl Guarded {
    pub(super) fn new(listener: TcpListener) -> Self {
        Self {
            listener,
            places: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            patience: Patience { silence: SILENCE, stall: STALL },
        }
    }
}

impl Listener for Guarded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
                // The semaphore is never closed; were it, nothing more could be served.
                std::future::pending::<()>().await;
                continue;
            };
            match self.listener.accept().await {
                Ok((stream, from)) => {
                    // Both only make it better; without them it works.
                    let _ = stream.set_nodelay(true);
                    let _ = socket2::SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER);
                    return (Connection::new(stream, place, self.patience), from);
                }
                // The peer left before we came, or we are out of descriptors for a while.
                Err(_) => sleep(ACCEPT_PAUSE).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Where a request's connection comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

impl Connected<IncomingStream<'_, Secured>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Secured>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// One accepted connection.
pub(super) struct Connection {
    stream: TcpStream,
    patience: Patience,
    silence: Pin<Box<Sleep>>,
    stall: Option<Pin<Box<Sleep>>>,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    fn new(stream: TcpStream, place: OwnedSemaphorePermit, patience: Patience) -> Self {
        let silence = Box::pin(sleep(patience.silence));
        Self { stream, patience, silence, stall: None, _place: place }
    }

    fn written(&mut self) {
        self.stall = None;
        self.silence.as_mut().reset(later(self.patience.silence));
    }

    /// The peer takes nothing: an error once it has done so for [`STALL`].
    fn stalled<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let span = self.patience.stall;
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(span)));
        ready!(stall.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

fn later(span: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(span).unwrap_or(now)
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(cx, buffer) {
            return Poll::Ready(read);
        }
        ready!(self.silence.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(cx, bytes) {
            Poll::Ready(written) => {
                self.written();
                Poll::Ready(written)
            }
            Poll::Pending => self.stalled(cx),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write_vectored(cx, parts) {
            Poll::Ready(written) => {
                self.written();
                Poll::Ready(written)
            }
            Poll::Pending => self.stalled(cx),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::{Guarded, Patience};
    use axum::Router;
    use axum::routing::get;
    use std::sync::Arc;
    use std::time::{Duration, Instant};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::Semaphore;

    const PLACES: usize = 2;

    /// A server with two places and little patience; tells its places.
    async fn serve(patience: Patience) -> (std::net::SocketAddr, Arc<Semaphore>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let places = Arc::new(Semaphore::new(PLACES));
        let guarded = Guarded { listener, places: Arc::clone(&places), patience };
        let huge = || async { vec![0_u8; 32 << 20] };
        let router = Router::new().route("/", get(|| async { "yes" })).route("/huge", get(huge));
        tokio::spawn(async move { axum::serve(guarded, router).await });
        (address, places)
    }

    async fn begin(address: std::net::SocketAddr, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        stream.write_all(text.as_bytes()).await.expect("sent");
        stream
    }

    const SHORT: Duration = Duration::from_millis(200);
    const LONG: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn a_request_that_dribbles_in_is_cut() {
        let (address, _) = serve(Patience { silence: SHORT, stall: LONG }).await;
        let mut stream = begin(address, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").await;
        let began = Instant::now();
        while stream.write_all(b"a").await.is_ok() {
            assert!(began.elapsed() < Duration::from_secs(10), "still open");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(began.elapsed() >= SHORT / 2);
    }

    #[tokio::test]
    async fn a_reader_who_takes_nothing_loses_its_place() {
        let (address, places) = serve(Patience { silence: LONG, stall: SHORT }).await;
        let _lazy = begin(address, "GET /huge HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let began = Instant::now();
        // One place is the listener's own, for whoever comes next.
        while places.available_permits() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        while places.available_permits() == 0 {
            assert!(began.elapsed() < Duration::from_secs(10), "still held");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn one_connection_too_many_waits_for_a_place() {
        let (address, _) = serve(Patience { silence: LONG, stall: LONG }).await;
        let held = [begin(address, "").await, begin(address, "").await];
        let mut late =
            begin(address, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        let mut answer = String::new();
        let early = tokio::time::timeout(SHORT, late.read_to_string(&mut answer)).await;
        assert!(early.is_err(), "served beyond the bound");
        drop(held);
        let read = tokio::time::timeout(LONG, late.read_to_string(&mut answer)).await;
        read.expect("in time").expect("readable");
        assert!(answer.ends_with("yes"), "{answer}");
    }
}
