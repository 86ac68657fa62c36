//! What is let through to the handshake: whole records of bounded size and number. The crate behind keeps
//! up to two megabytes of fragments and joins them by recursion; a peer has no need of either.

/// Largest datagram that is looked at.
pub const MAX_BYTES: usize = 2048;

/// Datagrams of one handshake: four flights of a dozen, each repeated a few times.
const MOST_DATAGRAMS: u32 = 200;
/// Pieces of handshake messages in one handshake.
const MOST_PIECES: u32 = 400;
/// Longest handshake message: a chain of certificates.
const MOST_MESSAGE_BYTES: usize = 16 * 1024;
/// Shortest piece of a longer message: who sends less at a time wants something else than to be heard.
const LEAST_PIECE_BYTES: usize = 32;
/// A handshake has a dozen messages.
const MOST_MESSAGES: u16 = 32;

const RECORD_HEADER_BYTES: usize = 13;
const HANDSHAKE: u8 = 22;

/// Counts what one peer has sent.
#[derive(Debug, Default)]
pub(super) struct Gate {
    datagrams: u32,
    pieces: u32,
}

impl Gate {
    /// Whether a datagram may pass. What may not is passed over, as RFC 6347 §4.1.2.7 has it for what is
    /// broken.
    pub(super) fn lets(&mut self, datagram: &[u8]) -> bool {
        self.datagrams = self.datagrams.saturating_add(1);
        if self.datagrams > MOST_DATAGRAMS || datagram.len() > MAX_BYTES || datagram.is_empty() {
            return false;
        }
        match pieces(datagram) {
            Some(pieces) => {
                self.pieces = self.pieces.saturating_add(pieces);
                self.pieces <= MOST_PIECES
            }
            None => false,
        }
    }
}

/// Pieces of handshake messages that can be read; None when the records are not whole.
fn pieces(mut datagram: &[u8]) -> Option<u32> {
    let mut pieces = 0_u32;
    while !datagram.is_empty() {
        let (head, rest) = datagram.split_first_chunk::<RECORD_HEADER_BYTES>()?;
        let [kind, major, _, e0, e1, .., l0, l1] = *head;
        // DTLS 1.0, which a first ClientHello names (RFC 6347 §4.2.1), and 1.2.
        if !(20..=23).contains(&kind) || major != 0xfe {
            return None;
        }
        let (body, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([l0, l1])))?;
        if kind == HANDSHAKE && [e0, e1] == [0, 0] {
            pieces = pieces.saturating_add(handshake(body)?);
        }
        datagram = rest;
    }
    Some(pieces)
}

/// Pieces in one record (RFC 6347 §4.2.2).
fn handshake(mut body: &[u8]) -> Option<u32> {
    let mut pieces = 0_u32;
    while !body.is_empty() {
        let ([_, n0, n1, n2, s0, s1, o0, o1, o2, l0, l1, l2], rest) =
            body.split_first_chunk::<12>()?;
        let number = |high: &u8, middle: &u8, low: &u8| {
            usize::try_from(u32::from_be_bytes([0, *high, *middle, *low])).unwrap_or(usize::MAX)
        };
        let (whole, at, length) = (number(n0, n1, n2), number(o0, o1, o2), number(l0, l1, l2));
        let (_, rest) = rest.split_at_checked(length)?;
        let end = at.checked_add(length)?;
        let last = end == whole;
        let sound = end <= whole
            && whole <= MOST_MESSAGE_BYTES
            && u16::from_be_bytes([*s0, *s1]) < MOST_MESSAGES
            && (last || length >= LEAST_PIECE_BYTES);
        if !sound {
            return None;
        }
        pieces = pieces.saturating_add(1);
        body = rest;
    }
    Some(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut record = vec![kind, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0];
        record.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
        record.extend(body);
        record
    }

    fn piece(whole: usize, seq: u16, at: usize, length: usize) -> Vec<u8> {
        let three = |number: usize| u32::try_from(number).unwrap().to_be_bytes()[1..].to_vec();
        let mut piece = [vec![1], three(whole), seq.to_be_bytes().to_vec()].concat();
        piece.extend([three(at), three(length), vec![0; length]].concat());
        piece
    }

    #[test]
    fn only_whole_records_of_bounded_size_pass() {
        let hello = record(22, &piece(200, 0, 0, 200));
        let table = [
            ("nothing", vec![], false),
            ("a hello", hello.clone(), true),
            ("two records", [hello.clone(), record(20, &[1])].concat(), true),
            ("cut", hello[..hello.len() - 1].to_vec(), false),
            ("a header alone", hello[..13].to_vec(), false),
            ("no DTLS", vec![0x80; 40], false),
            ("TLS", [vec![22, 3, 3], hello[3..].to_vec()].concat(), false),
            ("an unknown kind", record(25, &[1]), false),
            (
                "first and last piece",
                record(22, &[piece(300, 1, 0, 290), piece(300, 1, 290, 10)].concat()),
                true,
            ),
            ("crumbs", record(22, &piece(300, 1, 20, 1)), false),
            ("an empty piece of a longer one", record(22, &piece(300, 1, 0, 0)), false),
            ("an empty message", record(22, &piece(0, 5, 0, 0)), true),
            ("a message too long", record(22, &piece(20_000, 1, 0, 300)), false),
            ("beyond its end", record(22, &piece(100, 1, 50, 60)), false),
            ("the 33rd message", record(22, &piece(100, 32, 0, 100)), false),
            ("more than a datagram", record(23, &[0; 2048]), false),
        ];
        for (case, datagram, want) in table {
            assert_eq!(Gate::default().lets(&datagram), want, "{case}");
        }
    }

    #[test]
    fn who_sends_without_end_is_not_heard_any_more() {
        let mut gate = Gate::default();
        let hello = record(22, &piece(200, 0, 0, 200));
        assert_eq!((0..300).filter(|_| gate.lets(&hello)).count(), 200);
        let mut gate = Gate::default();
        let many = record(22, &piece(0, 5, 0, 0).repeat(100));
        assert_eq!((0..9).filter(|_| gate.lets(&many)).count(), 4);
    }
}
