//! SIP over WebSocket (RFC 7118 on RFC 6455), the server's side: the HTTP request that begins it, and
//! messages in and out of frames. Pure but for [`shake`], which reads the one and writes its answer.

use bytes::{Buf, Bytes, BytesMut};
use std::io::{self, Read, Write};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use tungstenite::protocol::frame::{Frame, FrameHeader};
use tungstenite::protocol::{Message, Role, WebSocketConfig, WebSocketContext};

/// Longest HTTP request that begins a WebSocket, bytes.
const MAX_REQUEST: usize = 8 * 1024;
/// Most headers in it.
const MAX_HEADERS: usize = 64;
/// The subprotocol of RFC 7118 §4.1.
const SUBPROTOCOL: &str = "sip";

/// From which pages a browser may connect, as its `Origin` says them (`https://panel.example`). None
/// means from any: every request proves its account by digest, so a foreign page has nothing of the
/// user's to abuse. What sends no Origin is no browser and is always let in.
pub type Origins = Option<Vec<String>>;

/// What becomes of an HTTP request.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// The value of `Sec-WebSocket-Accept`.
    Welcome(String),
    /// A status and why, for a person who sees it.
    Refused(&'static str, &'static str),
}

/// Takes the request that begins a WebSocket and answers it; what was read behind it is given back.
/// Has no bound of its own on time.
///
/// # Errors
///
/// [`io::ErrorKind::InvalidData`] when it was refused; the peer has been told.
pub(super) async fn shake<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    origins: &Origins,
) -> io::Result<BytesMut> {
    let mut request = BytesMut::with_capacity(1024);
    let head = loop {
        if let Some(at) = request.windows(4).position(|four| four == b"\r\n\r\n") {
            break request.split_to(at.saturating_add(4));
        }
        if request.len() >= MAX_REQUEST {
            break request.split();
        }
        if stream.read_buf(&mut request).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    match judge(&head, origins) {
        Verdict::Welcome(accept) => {
            let answer = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).await?;
            stream.flush().await?;
            Ok(request)
        }
        Verdict::Refused(status, why) => {
            let version = if status.starts_with("426") {
                "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            } else {
                ""
            };
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n{version}\
                 Content-Length: {}\r\nConnection: close\r\n\r\n{why}\n",
                why.len().saturating_add(1)
            );
            stream.write_all(answer.as_bytes()).await?;
            stream.shutdown().await?;
            Err(io::ErrorKind::InvalidData.into())
        }
    }
}

/// RFC 6455 §4.2.1, RFC 7118 §4.
fn judge(head: &[u8], origins: &Origins) -> Verdict {
    const BAD: &str = "400 Bad Request";
    const UPGRADE: &str = "426 Upgrade Required";
    const HERE: &str = "SIP over WebSocket is spoken here (RFC 7118), and nothing else";
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    if !matches!(request.parse(head), Ok(httparse::Status::Complete(_))) {
        return Verdict::Refused(BAD, "this is no HTTP/1.1 request of a bearable length");
    }
    let all = |name: &'static str| {
        let named = request.headers.iter().filter(move |h| h.name.eq_ignore_ascii_case(name));
        named.map(|header| std::str::from_utf8(header.value).unwrap_or_default().trim())
    };
    let lists = |name, due: &str| {
        all(name)
            .flat_map(|value| value.split(','))
            .any(|word| word.trim().eq_ignore_ascii_case(due))
    };
    if request.method != Some("GET") {
        return Verdict::Refused("405 Method Not Allowed", HERE);
    }
    if request.version != Some(1)
        || !lists("Connection", "upgrade")
        || !lists("Upgrade", "websocket")
    {
        return Verdict::Refused(UPGRADE, HERE);
    }
    if all("Sec-WebSocket-Version").ne(["13"]) {
        return Verdict::Refused(UPGRADE, "only version 13 of WebSocket is spoken here");
    }
    if !lists("Sec-WebSocket-Protocol", SUBPROTOCOL) {
        return Verdict::Refused(BAD, "the subprotocol \"sip\" is due (RFC 7118)");
    }
    let mut keys = all("Sec-WebSocket-Key");
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return Verdict::Refused(BAD, "one Sec-WebSocket-Key is due");
    };
    if key.len() != 24 {
        return Verdict::Refused(BAD, "Sec-WebSocket-Key: 16 bytes in base64 are due");
    }
    let known = |origin: &str| {
        origins.as_ref().is_none_or(|list| list.iter().any(|due| due.eq_ignore_ascii_case(origin)))
    };
    if !all("Origin").all(known) {
        return Verdict::Refused("403 Forbidden", "this page may not connect here");
    }
    Verdict::Welcome(derive_accept_key(key.as_bytes()))
}

/// One message as the frame that carries it (RFC 7118 §5.3): text where it is text.
pub(super) fn framed(message: &Bytes) -> Vec<u8> {
    let data = if std::str::from_utf8(message).is_ok() { Data::Text } else { Data::Binary };
    whole(&FrameHeader { opcode: OpCode::Data(data), ..FrameHeader::default() }, message)
}

/// A ping (RFC 6455 §5.5.2), which keeps what stands between from forgetting the connection.
pub(super) fn ping() -> Vec<u8> {
    let opcode = OpCode::Control(Control::Ping);
    whole(&FrameHeader { opcode, ..FrameHeader::default() }, b"")
}

fn whole(header: &FrameHeader, payload: &[u8]) -> Vec<u8> {
    let length = u64::try_from(payload.len()).unwrap_or(u64::MAX);
    let mut frame = Vec::with_capacity(header.len(length).saturating_add(payload.len()));
    // Into memory, and without a mask that would need writing: cannot fail.
    let _ = header.format(length, &mut frame);
    frame.extend_from_slice(payload);
    frame
}

/// What came out of a WebSocket.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unframed {
    /// One message.
    Message(Bytes),
    /// A whole frame that carries none.
    Control,
    /// It ended, in order or not; `broken` when the peer broke the rules.
    End { broken: bool },
}

/// One connection's frames. Holds at most one message of the bound it is made with.
#[derive(Debug)]
pub(super) struct Frames {
    context: WebSocketContext,
    memory: Memory,
}

/// The stream that the crate believes to read from and to write to.
#[derive(Debug, Default)]
struct Memory {
    incoming: BytesMut,
    outgoing: Vec<u8>,
}

impl Frames {
    /// `most` is the length of the longest message that is taken, bytes.
    pub fn new(most: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(4 * 1024)
            .write_buffer_size(0)
            .max_frame_size(Some(most))
            .max_message_size(Some(most));
        Self {
            context: WebSocketContext::new(Role::Server, Some(config)),
            memory: Memory::default(),
        }
    }

    /// Takes what was read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.memory.incoming.extend_from_slice(bytes);
    }

    /// Takes the next thing out; None until more is pushed.
    pub fn pop(&mut self) -> Option<Unframed> {
        match self.context.read(&mut self.memory) {
            Ok(Message::Text(text)) => Some(Unframed::Message(text.into())),
            Ok(Message::Binary(bytes)) => Some(Unframed::Message(bytes)),
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_)) => {
                Some(Unframed::Control)
            }
            Err(tungstenite::Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed) => {
                Some(Unframed::End { broken: false })
            }
            Err(_) => {
                // RFC 6455 §7.1.7: fail the connection, and say so.
                self.memory.outgoing = Vec::new();
                let close = tungstenite::protocol::CloseFrame {
                    code: tungstenite::protocol::frame::coding::CloseCode::Protocol,
                    reason: "".into(),
                };
                let _ = Frame::close(Some(close)).format(&mut self.memory.outgoing);
                Some(Unframed::End { broken: true })
            }
        }
    }

    /// What the protocol itself owes the peer: pongs, the answer to a close.
    pub fn owed(&mut self) -> Option<Bytes> {
        let owed = std::mem::take(&mut self.memory.outgoing);
        (!owed.is_empty()).then(|| owed.into())
    }
}

impl Read for Memory {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.incoming.len().min(into.len());
        if length == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if let (Some(into), Some(from)) = (into.get_mut(..length), self.incoming.get(..length)) {
            into.copy_from_slice(from);
        }
        self.incoming.advance(length);
        Ok(length)
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.outgoing.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = "GET /sip HTTP/1.1\r\nHost: desk.example\r\nUpgrade: websocket\r\n\
        Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Origin: https://panel.example\r\nSec-WebSocket-Protocol: chat, sip\r\n\
        Sec-WebSocket-Version: 13\r\n\r\n";

    #[test]
    fn a_websocket_begins_only_with_sip_and_from_a_known_page() {
        let listed = |pages: &[&str]| Some(pages.iter().map(ToString::to_string).collect());
        let table: [(&str, String, Origins, &str); 11] = [
            ("as RFC 7118 has it", REQUEST.into(), None, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            (
                "a listed page",
                REQUEST.into(),
                listed(&["https://panel.example"]),
                "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            ),
            ("another page", REQUEST.into(), listed(&["https://other.example"]), "403"),
            (
                "no browser",
                REQUEST.replace("Origin: https://panel.example\r\n", ""),
                listed(&[]),
                "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            ),
            ("a browser's address bar", "GET / HTTP/1.1\r\nHost: desk\r\n\r\n".into(), None, "426"),
            ("a form", REQUEST.replace("GET", "POST"), None, "405"),
            ("another subprotocol", REQUEST.replace("chat, sip", "chat"), None, "400"),
            ("an old version", REQUEST.replace("Version: 13", "Version: 8"), None, "426"),
            ("a short key", REQUEST.replace("dGhlIHNhbXBsZSBub25jZQ==", "dGhl"), None, "400"),
            ("SIP", "REGISTER sip:desk SIP/2.0\r\n\r\n".into(), None, "400"),
            ("no end", "GET / HTTP/1.1\r\nX: ".into(), None, "400"),
        ];
        for (case, request, origins, want) in table {
            match judge(request.as_bytes(), &origins) {
                Verdict::Welcome(accept) => assert_eq!(accept, want, "{case}"),
                Verdict::Refused(status, _) => assert_eq!(&status[..3], want, "{case}"),
            }
        }
    }

    /// A client's frame: masked.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first, 0x80 | u8::try_from(payload.len()).unwrap(), 1, 2, 3, 4];
        frame.extend(payload.iter().enumerate().map(|(n, byte)| byte ^ [1, 2, 3, 4][n % 4]));
        frame
    }

    fn popped(frames: &mut Frames) -> Vec<Unframed> {
        std::iter::from_fn(|| frames.pop()).take(10).collect()
    }

    #[test]
    fn messages_come_out_of_frames_however_they_are_cut() {
        let mut frames = Frames::new(100);
        let mut bytes = frame(0x81, b"one");
        bytes.extend(frame(0x01, b"t"));
        bytes.extend(frame(0x89, b"still there?"));
        bytes.extend(frame(0x80, b"wo"));
        let mut got = Vec::new();
        for byte in bytes {
            frames.push(&[byte]);
            got.extend(popped(&mut frames));
        }
        let message = |text: &'static str| Unframed::Message(Bytes::from_static(text.as_bytes()));
        assert_eq!(got, [message("one"), Unframed::Control, message("two")]);
        assert_eq!(frames.owed().unwrap(), [&[0x8a, 12][..], b"still there?"].concat());
        assert_eq!(frames.owed(), None);
    }

    #[test]
    fn a_client_that_breaks_the_rules_is_told_and_closed() {
        let long = vec![0x82, 0xfe, 0x00, 0x65, 1, 2, 3, 4];
        let table = [
            ("not masked", vec![0x81, 1, b'x']),
            ("longer than the bound", long),
            ("a reserved bit", frame(0xc1, b"x")),
            ("a continuation of nothing", frame(0x80, b"x")),
            ("text that is none", frame(0x81, b"\xff")),
        ];
        for (case, bytes) in table {
            let mut frames = Frames::new(100);
            frames.push(&bytes);
            assert_eq!(frames.pop(), Some(Unframed::End { broken: true }), "{case}");
            assert_eq!(frames.owed().unwrap()[0], 0x88, "{case}: a close");
        }
        let mut frames = Frames::new(100);
        frames.push(&frame(0x88, b"\x03\xe8"));
        assert_eq!(popped(&mut frames)[..2], [Unframed::Control, Unframed::End { broken: false }]);
        assert_eq!(frames.owed().unwrap(), [0x88, 2, 3, 0xe8].as_slice(), "the close is answered");
    }

    #[test]
    fn what_is_sent_is_one_whole_unmasked_frame() {
        assert_eq!(framed(&Bytes::from_static(b"SIP")), b"\x81\x03SIP");
        assert_eq!(framed(&Bytes::from_static(b"\xff")), b"\x82\x01\xff");
        assert_eq!(framed(&Bytes::from(vec![b'x'; 300]))[..4], [0x81, 126, 1, 44]);
        assert_eq!(ping(), [0x89, 0]);
    }
}
