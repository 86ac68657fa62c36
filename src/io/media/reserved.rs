//! Ports bound before a leg has them, so that none is named to a peer that another program holds.

use super::leg::bind;
use std::collections::BTreeMap;
use std::net::{IpAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Packets thrown away of what came to a port while it had no leg; the kernel keeps fewer.
const STRAYS: usize = 64;

/// The bound ports without a leg; as many as the engine asks for.
#[derive(Default)]
pub(super) struct Reserved {
    sockets: Mutex<BTreeMap<u16, UdpSocket>>,
    held_elsewhere: AtomicU64,
}

impl Reserved {
    /// Binds a port and keeps it; false when it cannot be had.
    pub(super) fn bind(&self, ip: IpAddr, port: u16, dscp: u8) -> bool {
        match bind(ip, port, dscp) {
            Ok(socket) => {
                self.sockets().insert(port, socket);
                true
            }
            Err(_) => {
                self.held_elsewhere.fetch_add(1, Ordering::Relaxed);
                false
            }
        }
    }

    /// The socket of a port that was kept, without what strangers sent to it; none when it was bound for
    /// the other kind of addresses than `ip` is of.
    pub(super) fn take(&self, ip: IpAddr, port: u16) -> Option<UdpSocket> {
        let socket = self.sockets().remove(&port)?;
        if !socket.local_addr().is_ok_and(|bound| bound.is_ipv4() == ip.is_ipv4()) {
            return None;
        }
        let mut byte = [0; 1];
        // An empty queue is an error too (it would block), as is what the network says of nobody.
        let _ = (0..STRAYS).try_for_each(|_| socket.recv_from(&mut byte).map(|_| ()));
        Some(socket)
    }

    /// Ports that could not be had.
    pub(super) fn held_elsewhere(&self) -> u64 {
        self.held_elsewhere.load(Ordering::Relaxed)
    }

    fn sockets(&self) -> std::sync::MutexGuard<'_, BTreeMap<u16, UdpSocket>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
