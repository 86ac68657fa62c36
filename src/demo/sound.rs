//! What a demonstration phone says and sends: a soft two-tone voice as RTP, and keys as
//! telephone-event (RFC 4733). One task a call; it ends when its [`Sound`] is dropped.

use crate::rtp::packet::{self, Fresh, HEADER_BYTES};
use crate::rtp::{KeyWriter, Prompt};
use crate::sdp::Agreed;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

/// Samples in a packet of 20 ms.
const SAMPLES: usize = 160;

enum Order {
    Talk(Box<Agreed>),
    Press(char),
}

/// One call's sound.
pub struct Sound {
    /// Our RTP port.
    pub port: u16,
    orders: mpsc::Sender<Order>,
}

impl Sound {
    /// Binds a port and is silent until told whom to talk to.
    ///
    /// # Errors
    ///
    /// What the system says when it has no port.
    pub async fn open(ip: IpAddr, pitch_hz: f32, seed: u32) -> std::io::Result<Self> {
        let socket = UdpSocket::bind(SocketAddr::new(ip, 0)).await?;
        let port = socket.local_addr()?.port();
        let (orders, listen) = mpsc::channel(32);
        tokio::spawn(talk(socket, listen, pitch_hz, seed));
        Ok(Self { port, orders })
    }

    /// Talks as agreed from now on.
    pub fn talk(&self, agreed: Agreed) {
        let _ = self.orders.try_send(Order::Talk(Box::new(agreed))); // a full queue means the call is ending
    }

    /// Presses a key.
    pub fn press(&self, key: char) {
        let _ = self.orders.try_send(Order::Press(key));
    }
}

/// One turn of the voice: two pitches, each 200 ms, softly.
fn voice(pitch_hz: f32) -> Vec<i16> {
    let sample = |at: u16| {
        let pitch = if at < 1600 { pitch_hz } else { pitch_hz * 1.25 };
        let phase = f32::from(at) / 8000.0 * pitch * std::f32::consts::TAU;
        #[expect(clippy::cast_possible_truncation, reason = "a sine times 3000 fits i16")]
        let value = (phase.sin() * 3000.0) as i16;
        value
    };
    (0..3200).map(sample).collect()
}

async fn talk(socket: UdpSocket, mut orders: mpsc::Receiver<Order>, pitch_hz: f32, ssrc: u32) {
    let voice = Prompt::encode(&voice(pitch_hz));
    let mut agreed: Option<Agreed> = None;
    let mut pressing: Option<(KeyWriter, u32)> = None;
    let (mut seq, mut timestamp) = (0_u16, ssrc);
    let mut frame = 0_usize;
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut heard = [0_u8; packet::MAX_BYTES];
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                None => return,
                Some(Order::Talk(how)) => agreed = Some(*how),
                Some(Order::Press(key)) => {
                    pressing = KeyWriter::press(key, 8_000).map(|key| (key, timestamp));
                }
            },
            // What the desk says is heard and let go; an error here is the desk's port closing.
            _ = socket.recv_from(&mut heard) => {}
            _ = tick.tick() => {
                let Some(how) = &agreed else { continue };
                let mut bytes = [0_u8; HEADER_BYTES + SAMPLES];
                let fresh = |payload_type, marker, timestamp| Fresh {
                    payload_type, marker, seq, timestamp, ssrc,
                };
                let said = pressing.as_mut().zip(how.send_event_pt);
                let said = said.and_then(|((key, began), pt)| Some((key.next(160)?, *began, pt)));
                let length = match said {
                    Some(((event, first), began, pt)) => {
                        packet::write(&mut bytes, fresh(pt, first, began), &event)
                    }
                    None => {
                        pressing = None;
                        let sound = voice.bytes(how.codec).unwrap_or_default();
                        if sound.is_empty() { continue }
                        let from = frame % (sound.len() / SAMPLES) * SAMPLES;
                        let payload = sound.get(from..from + SAMPLES).unwrap_or(&[]);
                        packet::write(&mut bytes, fresh(how.send_pt, frame == 0, timestamp), payload)
                    }
                };
                frame = frame.wrapping_add(1);
                seq = seq.wrapping_add(1);
                timestamp = timestamp.wrapping_add(160);
                if let Some(bytes) = bytes.get(..length) {
                    let _ = socket.send_to(bytes, how.remote).await; // lost like any packet
                }
            }
        }
    }
}
