//! Port numbers for tests that run side by side: each test holds a block of its own on loopback.

use std::net::{TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

/// Ports in a block.
pub const BLOCK: u16 = 400;
/// Below the range from which Linux gives ports to clients (32768 on), so that no client is in the way.
const FIRST: u16 = 10_000;
const BLOCKS: u16 = 56;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A block of ports, ours while this lives: its first TCP port is bound as the lock, which also
/// keeps other test processes out.
pub struct Block {
    base: u16,
    next: AtomicU16,
    _lock: TcpListener,
}

impl Block {
    /// Takes a free block.
    pub fn take() -> Self {
        let start = u16::try_from(std::process::id() % u32::from(BLOCKS)).unwrap();
        for _ in 0..4 * BLOCKS {
            let turn = (start + NEXT.fetch_add(1, Ordering::Relaxed)) % BLOCKS;
            let base = FIRST + turn * BLOCK;
            // Programs that know nothing of these blocks may sit in one: then another is taken.
            let free = |port| UdpSocket::bind(("127.0.0.1", port)).is_ok();
            if let Ok(lock) = TcpListener::bind(("127.0.0.1", base))
                && (base..base + BLOCK).all(free)
            {
                return Self { base, next: AtomicU16::new(base + 2), _lock: lock };
            }
        }
        panic!("no free block of loopback ports");
    }

    /// An even port free for UDP and TCP, with the odd one after it left to the same user (RTCP).
    pub fn port(&self) -> u16 {
        loop {
            let port = self.next.fetch_add(2, Ordering::Relaxed);
            assert!(port < self.base + 150, "more single ports asked than the block holds");
            let free = UdpSocket::bind(("127.0.0.1", port)).is_ok()
                && UdpSocket::bind(("127.0.0.1", port + 1)).is_ok()
                && TcpListener::bind(("127.0.0.1", port)).is_ok();
            if free {
                return port;
            }
        }
    }

    /// The daemon's media ports: first and last.
    pub fn media(&self) -> (u16, u16) {
        (self.base + 150, self.base + BLOCK - 1)
    }
}
