//! Session descriptions (RFC 8866) and the offer/answer model (RFC 3264): bytes to values and back,
//! pure. Knows no leg, no socket and no SIP header.

// The public face, to be kept: everything else in this room is its implementer's choice.
//   parse(&[u8]) -> Result<Session, SdpError>
//   Local { ip, port, session_id: u64, version: u64, codecs: Vec<Codec>, direction: Direction, ptime_ms }
//   Local::offer(&self) -> Vec<u8>
//   Local::answer(&self, offer: &Session) -> Result<(Vec<u8>, Agreed), SdpError>   // all m-lines mirrored, others port 0
//   Local::agreed(&self, answer: &Session) -> Result<Agreed, SdpError>             // we offered, they answered
//   Agreed -> rtp::command::Stream is built by the engine from: remote: SocketAddr, codec, send_pt, recv_pt,
//             send_event_pt, recv_event_pt, ptime_ms, direction: Direction (ours)

/// A voice codec that we speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// G.711 µ-law, static payload type 0 (RFC 3551 §4.5.14).
    Pcmu,
    /// G.711 A-law, static payload type 8.
    Pcma,
}

/// Who sends, seen from the side that says it (RFC 8866 §6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both.
    SendRecv,
    /// Only the sayer.
    SendOnly,
    /// Only the other.
    RecvOnly,
    /// Nobody.
    Inactive,
}
