//! SIP by datagram (RFC 3261 §18): one socket a listener, emptied as far as it goes at each wake.

use super::{Counters, Deliver, Event, Lane, count, stun};
use crate::sip::api::{Flow, Transport};
use bytes::Bytes;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;

/// Room asked of the kernel for each direction; a burst of a thousand phones' messages fits.
const KERNEL_BUFFER: usize = 8 << 20;
/// The largest datagram there is; anything longer than a message may be is refused by the SIP room.
const DATAGRAM_MAX: usize = 65_535;
/// Datagrams taken between two looks at other tasks.
const BURST: usize = 256;

/// STUN requests answered within a second; more are passed over, and come again in half a minute. A
/// thousand phones ask forty times a second.
const STUN_A_SECOND: u32 = 2_000;

/// How often something was done within this second.
struct Rate {
    since: Instant,
    done: u32,
}

impl Rate {
    const fn new(now: Instant) -> Self {
        Self { since: now, done: 0 }
    }

    fn may(&mut self) -> bool {
        if self.since.elapsed() >= Duration::from_secs(1) {
            *self = Self::new(Instant::now());
        }
        self.done = self.done.saturating_add(1);
        self.done <= STUN_A_SECOND
    }
}

/// A bound socket whose datagrams are marked with `dscp`.
pub fn bind(address: SocketAddr, dscp: u8) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    let sock = SockRef::from(&socket);
    // The kernel grants what its own limit allows; less is slower under bursts and not an error.
    let _ = sock.set_recv_buffer_size(KERNEL_BUFFER);
    let _ = sock.set_send_buffer_size(KERNEL_BUFFER);
    super::mark(&sock, address.is_ipv4(), dscp);
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

/// Receives for ever.
pub async fn receive(
    socket: Arc<UdpSocket>,
    listener: u16,
    deliver: Deliver,
    counters: Arc<Counters>,
) {
    let mut asked = Rate::new(Instant::now());
    let mut scratch = vec![0_u8; DATAGRAM_MAX];
    loop {
        if socket.readable().await.is_err() {
            tokio::task::yield_now().await;
            continue;
        }
        for _ in 0..BURST {
            match socket.try_recv_from(&mut scratch) {
                Ok((length, remote)) => {
                    let Some(datagram) = scratch.get(..length) else { continue };
                    if stun::is_stun(datagram) {
                        if asked.may()
                            && let Some(answer) = stun::answer(datagram, remote)
                            && socket.try_send_to(&answer, remote).is_ok()
                        {
                            count(&counters.stun_answers);
                        }
                        continue;
                    }
                    let bytes = Bytes::copy_from_slice(datagram);
                    let flow = Flow { transport: Transport::Udp, listener, remote, connection: 0 };
                    counters.received(&bytes);
                    deliver(Lane::of(&bytes), Event::Message { flow, bytes });
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // An ICMP error of an earlier send, or an interrupted call: the next datagram is none the worse.
                Err(_) => {}
            }
        }
        tokio::task::yield_now().await;
    }
}
