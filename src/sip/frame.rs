//! Cutting a stream into messages (RFC 3261 §18.3, RFC 5626 §4.4.1). Reads no more of a head than its
//! Content-Length, and reads that with the same eyes as the parser, so that the two cannot disagree
//! on where a message ends.

use super::error::{ParseError, Rejected};
use super::gate::{self, MAX_HEAD, MAX_MESSAGE};
use super::header::HeaderName;
use bytes::{Buf, Bytes, BytesMut};

/// What came out of a stream.
#[derive(Debug)]
pub enum Framed {
    /// One whole message, for [`super::parse`].
    Message(Bytes),
    /// A keep-alive of two line ends; answer it with [`PONG`].
    Ping,
    /// What follows cannot be cut any more: answer when an answer can be made, then close. Nothing
    /// comes out after this.
    Broken(Rejected),
}

/// The answer to [`Framed::Ping`] (RFC 5626 §4.4.1).
pub const PONG: &[u8] = b"\r\n";

/// One direction of one connection. Holds at most [`MAX_MESSAGE`] bytes and what was pushed last,
/// when everything is taken out after each push.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: BytesMut,
    /// So far no end of a head before this byte.
    searched: usize,
    /// Length of the message whose head is complete.
    due: Option<usize>,
    closed: bool,
}

impl Framer {
    /// For a new connection.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what was read. Bytes behind a [`Framed::Broken`] are dropped.
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.closed {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Whether bytes of an unfinished message wait: a peer that keeps us waiting here is slow. One line end
    /// alone is whole: the answer to a ping of ours (RFC 5626 §4.4.1), unless another follows.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !matches!(self.buffer.as_ref(), [] | [b'\r', b'\n'])
    }

    /// Takes the next thing out; None until more is pushed.
    pub fn pop(&mut self) -> Option<Framed> {
        if self.closed {
            return None;
        }
        if self.due.is_none() {
            if let Some(ping) = self.skip_line_ends() {
                return Some(ping);
            }
            match self.find_head() {
                Ok(due) => self.due = Some(due?),
                Err(error) => return Some(self.broken(error)),
            }
        }
        let due = self.due?;
        let message = Bytes::copy_from_slice(self.buffer.get(..due)?);
        self.buffer.advance(due);
        (self.due, self.searched) = (None, 0);
        Some(Framed::Message(message))
    }

    /// Line ends between messages: two are a ping, one is nothing (§7.5), or a pong to ours.
    fn skip_line_ends(&mut self) -> Option<Framed> {
        while self.searched == 0 {
            match self.buffer.as_ref() {
                [b'\r', b'\n', b'\r', b'\n', ..] => {
                    self.buffer.advance(4);
                    return Some(Framed::Ping);
                }
                // Maybe the first half of a ping.
                [b'\r', b'\n'] | [b'\r', b'\n', b'\r'] => return None,
                [b'\r', b'\n', ..] => self.buffer.advance(2),
                _ => return None,
            }
        }
        None
    }

    /// The length of the message at the front, once its head is complete.
    fn find_head(&mut self) -> Result<Option<usize>, ParseError> {
        if matches!(self.buffer.as_ref(), [] | [b'\r'] | [b'\r', b'\n'] | [b'\r', b'\n', b'\r']) {
            return Ok(None);
        }
        let from = self.searched.saturating_sub(3);
        let window = self.buffer.get(from..self.buffer.len().min(MAX_HEAD)).unwrap_or_default();
        let Some(at) = window.windows(4).position(|four| four == b"\r\n\r\n") else {
            if self.buffer.len() >= MAX_HEAD {
                return Err(ParseError::HeadTooLarge { limit: MAX_HEAD });
            }
            self.searched = self.buffer.len();
            return Ok(None);
        };
        let head_len = from.saturating_add(at).saturating_add(4);
        let head = self.buffer.get(..head_len).unwrap_or_default();
        let declared = declared_length(head)?;
        let whole = u64::try_from(head_len).unwrap_or(u64::MAX).saturating_add(declared);
        match usize::try_from(whole) {
            Ok(whole) if whole <= MAX_MESSAGE => Ok(Some(whole)),
            _ => Err(ParseError::TooLarge { found: whole, limit: MAX_MESSAGE }),
        }
    }

    fn broken(&mut self, error: ParseError) -> Framed {
        let reply = gate::reply_to(&self.buffer);
        self.closed = true;
        self.buffer = BytesMut::new();
        Framed::Broken(Rejected { error, reply })
    }
}

/// Content-Length of a complete head: there must be exactly one (§20.14).
fn declared_length(head: &[u8]) -> Result<u64, ParseError> {
    let scan = gate::scan(head)?;
    if scan.body_at != head.len() {
        return Err(ParseError::ControlByte); // cannot be, while both look for the same four bytes
    }
    let unfolded;
    let (text, lines) = if scan.folded {
        unfolded = gate::unfold(head, &scan);
        (unfolded.0.as_ref(), &unfolded.1)
    } else {
        (head, &scan.lines)
    };
    let mut declared = None;
    for (from, to) in lines.iter().skip(1) {
        let (name, value) = gate::header(text.get(*from..*to).unwrap_or_default())?;
        if name == HeaderName::ContentLength
            && declared.replace(gate::content_length(value)?).is_some()
        {
            return Err(ParseError::Duplicate { header: "Content-Length" });
        }
    }
    declared.ok_or(ParseError::MissingHeader { header: "Content-Length" })
}
