//! A router between a phone and the desk, as people have at home: the desk sees the router's address,
//! and in the phone's messages stand addresses that nobody outside can reach.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// What the phone takes for its own address; on loopback it is 127.0.0.1, as long when written.
const PRIVATE: &str = "127.0.0.7";

/// A running router for one phone's SIP. Sound goes its own way: it comes from another address than the
/// phone's SDP says.
pub struct Router {
    /// Where the phone sends its SIP.
    pub inside: SocketAddr,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Router {
    /// For the phone that will be at `phone` on 127.0.0.1.
    pub fn start(inside: u16, outside: u16, desk: SocketAddr, phone: u16) -> Self {
        let bind = |port: u16| {
            let socket = UdpSocket::bind(("127.0.0.1", port)).unwrap();
            socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
            socket
        };
        let (in_, out) = (bind(inside), bind(outside));
        let stop = Arc::new(AtomicBool::new(false));
        let (seen, own) = (format!("127.0.0.1:{phone}"), format!("{PRIVATE}:{phone}"));
        let outward = {
            let (from, to, seen, own) =
                (in_.try_clone().unwrap(), out.try_clone().unwrap(), seen.clone(), own.clone());
            let stop = stop.clone();
            std::thread::spawn(move || {
                pump(&from, &to, desk, &stop, |text| {
                    text.replace(&seen, &own)
                        .replace("IN IP4 127.0.0.1", &format!("IN IP4 {PRIVATE}"))
                });
            })
        };
        let inward = {
            let stop = stop.clone();
            let phone = SocketAddr::from(([127, 0, 0, 1], phone));
            std::thread::spawn(move || {
                pump(&out, &in_, phone, &stop, |text| text.replace(&own, &seen));
            })
        };
        let local = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        Self { inside: local(inside), stop, threads: vec![outward, inward] }
    }
}

fn pump(
    from: &UdpSocket,
    to: &UdpSocket,
    peer: SocketAddr,
    stop: &AtomicBool,
    rewrite: impl Fn(&str) -> String,
) {
    let mut buffer = [0; 65_536];
    while !stop.load(Ordering::Relaxed) {
        let Ok((length, _)) = from.recv_from(&mut buffer) else { continue };
        let text = rewrite(&String::from_utf8_lossy(&buffer[..length]));
        let _ = to.send_to(text.as_bytes(), peer);
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
