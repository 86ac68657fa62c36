//! Sends the trace to a `HEPv3` collector, from a thread of its own that reads the ring now and then: a
//! collector that is slow or away costs its own copy and nothing else.

use super::Trace;
use crate::trace::{Collector, Hep, Record, Redactor, Reveal, Stamps, Tracer as _};
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Messages that may wait for the collector; of more, the oldest are dropped and counted.
pub const MAX_BEHIND: usize = 8_192;
/// Between two looks at the ring.
const EVERY: Duration = Duration::from_millis(50);
/// Before a lost collector is tried again.
const AGAIN: Duration = Duration::from_secs(2);
/// Making a connection, and handing one packet over.
const PATIENCE: Duration = Duration::from_secs(2);
/// Messages after which the pseudonyms begin anew.
const PSEUDONYMS_FOR: u32 = 100_000;

/// What became of them, since the start.
#[derive(Debug, Default)]
pub struct Sent {
    /// Handed to the operating system.
    pub sent: AtomicU64,
    /// Dropped: too long, or too many behind a collector that was away.
    pub dropped: AtomicU64,
}

/// The exporter could not be started.
#[derive(Debug, thiserror::Error)]
#[error("the exporter of the SIP trace cannot be started: {0}")]
pub struct ExportError(std::io::Error);

/// The running exporter; ends when dropped.
#[derive(Debug)]
pub struct Export {
    stopping: Arc<AtomicBool>,
    sent: Arc<Sent>,
}

impl Drop for Export {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
    }
}

impl Export {
    /// Starts the exporter's thread.
    ///
    /// # Errors
    ///
    /// When the operating system gives no thread.
    pub fn start(
        trace: Arc<Trace>,
        collector: Collector,
        hep: Hep,
        reveal: Reveal,
    ) -> Result<Self, ExportError> {
        let (stopping, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(Sent::default()));
        let mut sender = Sender {
            trace,
            hep,
            reveal,
            redactor: Redactor::new(reveal),
            redacted: 0,
            stamps: Stamps::default(),
            line: Line::Away { since: None },
            collector,
            after: 0,
            sent: Arc::clone(&sent),
        };
        let stop = Arc::clone(&stopping);
        std::thread::Builder::new()
            .name("hep".to_owned())
            .spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    sender.round();
                    std::thread::park_timeout(EVERY);
                }
            })
            .map_err(ExportError)?;
        Ok(Self { stopping, sent })
    }

    /// What became of the messages.
    #[must_use]
    pub fn sent(&self) -> Arc<Sent> {
        Arc::clone(&self.sent)
    }
}

enum Line {
    /// No way to the collector; tried last then.
    Away {
        since: Option<Instant>,
    },
    Udp(UdpSocket),
    Tcp(TcpStream),
}

struct Sender {
    trace: Arc<Trace>,
    hep: Hep,
    reveal: Reveal,
    redactor: Redactor,
    redacted: u32,
    stamps: Stamps,
    line: Line,
    collector: Collector,
    after: u64,
    sent: Arc<Sent>,
}

impl Sender {
    fn round(&mut self) {
        let snapshot = self.trace.snapshot(self.after);
        let waiting: Vec<&Record> = snapshot.records().collect();
        let Some(last) = waiting.last().map(|record| record.seq) else { return };
        // What is missing in the row was pushed out of the ring before we came to it.
        let held = u64::try_from(waiting.len()).unwrap_or(u64::MAX);
        let lost = last.saturating_sub(self.after).saturating_sub(held);
        let skipped = waiting.len().saturating_sub(MAX_BEHIND);
        let skipped_count = u64::try_from(skipped).unwrap_or(u64::MAX);
        self.sent.dropped.fetch_add(lost.saturating_add(skipped_count), Ordering::Relaxed);
        if let Some(first) = waiting.get(skipped) {
            self.after = first.seq.saturating_sub(1);
        }
        if !self.open() {
            return;
        }
        for record in waiting.into_iter().skip(skipped) {
            if !self.send(record) {
                return; // tried again once the collector is back
            }
            self.after = record.seq;
        }
    }

    /// Whether there is a way to the collector, made now if need be.
    fn open(&mut self) -> bool {
        let Line::Away { since } = &self.line else { return true };
        if since.is_some_and(|since| since.elapsed() < AGAIN) {
            return false;
        }
        let first = since.is_none();
        let opened = match self.collector {
            Collector::Udp(to) => udp(to).map(Line::Udp),
            Collector::Tcp(to) => tcp(to).map(Line::Tcp),
        };
        match opened {
            Ok(line) => {
                tracing::info!(collector = ?self.collector, "the SIP trace goes to its collector");
                self.line = line;
                true
            }
            Err(error) => {
                if first {
                    tracing::warn!(collector = ?self.collector, %error, "the collector of the SIP trace cannot be reached; it is tried again");
                }
                self.line = Line::Away { since: Some(Instant::now()) };
                false
            }
        }
    }

    /// False when the message is still to be sent.
    fn send(&mut self, record: &Record) -> bool {
        self.redacted = self.redacted.wrapping_add(1);
        if self.redacted.is_multiple_of(PSEUDONYMS_FOR) {
            self.redactor = Redactor::new(self.reveal);
        }
        let shown = self.redactor.message(&record.bytes);
        let call_id = record.call_id().unwrap_or_default();
        let call = self.trace.call_of(call_id);
        let correlation = call.map_or_else(|| call_id.to_owned(), |call| call.to_string());
        let locals = self.trace.locals();
        let at_us = self.stamps.micros(record.at);
        let Some(packet) = self.hep.packet(record, at_us, &shown, &correlation, locals) else {
            self.sent.dropped.fetch_add(1, Ordering::Relaxed);
            return true;
        };
        let result = match &mut self.line {
            Line::Away { .. } => return false,
            // A datagram that nobody took is lost, as datagrams are: an ICMP error of an earlier one
            // says nothing of this one.
            Line::Udp(socket) => {
                let counter =
                    if socket.send(&packet).is_ok() { &self.sent.sent } else { &self.sent.dropped };
                counter.fetch_add(1, Ordering::Relaxed);
                return true;
            }
            Line::Tcp(stream) => stream.write_all(&packet),
        };
        match result {
            Ok(()) => {
                self.sent.sent.fetch_add(1, Ordering::Relaxed);
                true
            }
            Err(error) => {
                tracing::warn!(%error, "the collector of the SIP trace is lost; it is tried again");
                self.line = Line::Away { since: Some(Instant::now()) };
                false
            }
        }
    }
}

fn udp(to: SocketAddr) -> std::io::Result<UdpSocket> {
    let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any)?;
    socket.connect(to)?;
    Ok(socket)
}

fn tcp(to: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&to, PATIENCE)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
