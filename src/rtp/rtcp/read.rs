//! Reading control packets. Trusts no length in them.

/// Packets of one datagram that are looked at; what follows is stepped over.
const MAX_PACKETS: usize = 32;
/// Bytes of one report block.
const BLOCK_BYTES: usize = 24;

const SENDER: u8 = 200;
const RECEIVER: u8 = 201;
const BYE: u8 = 203;

/// Whether bytes on an RTP port are RTCP (RFC 5761 §4): a packet type of 192 to 223 lies where RTP has
/// marker and payload type.
#[must_use]
pub const fn is_rtcp(bytes: &[u8]) -> bool {
    matches!(bytes, [_, 192..=223, ..])
}

/// The bytes are no control packets (RFC 3550 §A.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not RTCP")]
pub struct Malformed;

/// What a report says of one stream that its sender hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// The stream.
    pub ssrc: u32,
    /// Lost since the last report, in 256ths.
    pub fraction_lost: u8,
    /// Lost in all; less than 0 when more came twice than was lost.
    pub lost: i32,
    /// Highest sequence number that came, under the count of its rounds.
    pub highest: u32,
    /// In ticks of the stream's clock.
    pub jitter: u32,
    /// The middle of the last sender report's time; 0 when none came.
    pub last: u32,
    /// For how long that is there, 1/65,536 s.
    pub delay: u32,
}

/// One thing that a datagram says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// The sender sends, too.
    Sends {
        /// Whose.
        ssrc: u32,
        /// The middle of its clock.
        ntp: u32,
        /// Packets that it has sent.
        packets: u32,
    },
    /// What `by` hears.
    Hears {
        /// Who says it.
        by: u32,
        /// Of what.
        block: Block,
    },
    /// A stream has ended.
    Bye {
        /// Which.
        ssrc: u32,
    },
}

/// Reads a datagram: all of it must be whole packets, or nothing of it counts.
///
/// # Errors
///
/// [`Malformed`]; never panics, whatever the bytes.
pub fn read(bytes: &[u8]) -> Result<Items<'_>, Malformed> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let (packet, after) = split(rest).ok_or(Malformed)?;
        // RFC 3550 §6.4.1: only the last packet may be padded.
        if packet.padded && !after.is_empty() || packet.short() {
            return Err(Malformed);
        }
        rest = after;
    }
    if bytes.is_empty() {
        Err(Malformed)
    } else {
        Ok(Items { rest: bytes, left: MAX_PACKETS, packet: None, at: 0 })
    }
}

/// One packet of a datagram.
#[derive(Clone, Copy, Debug)]
struct Packet<'a> {
    count: u8,
    padded: bool,
    kind: u8,
    body: &'a [u8],
}

impl Packet<'_> {
    /// Whether it ends before what its count promises.
    fn short(&self) -> bool {
        let blocks = usize::from(self.count).saturating_mul(BLOCK_BYTES);
        let due = match self.kind {
            SENDER => blocks.saturating_add(24),
            RECEIVER => blocks.saturating_add(4),
            BYE => usize::from(self.count).saturating_mul(4),
            _ => 0,
        };
        self.body.len() < due
    }
}

fn split(bytes: &[u8]) -> Option<(Packet<'_>, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<4>()?;
    let [first, kind, l0, l1] = *head;
    if first >> 6 != 2 || !(192..=223).contains(&kind) {
        return None;
    }
    let body = usize::from(u16::from_be_bytes([l0, l1])).checked_mul(4)?;
    let (body, rest) = rest.split_at_checked(body)?;
    Some((Packet { count: first & 0x1f, padded: first & 0x20 != 0, kind, body }, rest))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let end = at.checked_add(4)?;
    bytes.get(at..end)?.first_chunk().map(|word| u32::from_be_bytes(*word))
}

/// What a datagram says, in its order.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    rest: &'a [u8],
    left: usize,
    packet: Option<Packet<'a>>,
    /// Of the packet: 0 is what it says of its sender, n its nth block or stream.
    at: usize,
}

impl Iterator for Items<'_> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        loop {
            let Some(packet) = self.packet else {
                self.left = self.left.checked_sub(1)?;
                let (packet, rest) = split(self.rest)?;
                (self.packet, self.rest, self.at) = (Some(packet), rest, 0);
                continue;
            };
            if self.at > usize::from(packet.count) {
                self.packet = None;
                continue;
            }
            let item = item(&packet, self.at);
            self.at = self.at.saturating_add(1);
            if item.is_some() {
                return item;
            }
        }
    }
}

/// What stands at a place of a packet.
fn item(packet: &Packet<'_>, at: usize) -> Option<Item> {
    let body = packet.body;
    match (packet.kind, at.checked_sub(1)) {
        (SENDER, None) => {
            let (high, low) = (word(body, 4)?, word(body, 8)?);
            let ntp = (high << 16) | (low >> 16);
            Some(Item::Sends { ssrc: word(body, 0)?, ntp, packets: word(body, 16)? })
        }
        (SENDER, Some(nth)) => block(body, nth, 24),
        (RECEIVER, Some(nth)) => block(body, nth, 4),
        (BYE, Some(nth)) => Some(Item::Bye { ssrc: word(body, nth.checked_mul(4)?)? }),
        _ => None,
    }
}

fn block(body: &[u8], nth: usize, first: usize) -> Option<Item> {
    let from = nth.checked_mul(BLOCK_BYTES)?.checked_add(first)?;
    let block = body.get(from..)?;
    let loss = word(block, 4)?;
    let [fraction_lost, l0, l1, l2] = loss.to_be_bytes();
    // 24 bits with a sign.
    let sign = if l0 & 0x80 == 0 { 0 } else { 0xff };
    let block = Block {
        ssrc: word(block, 0)?,
        fraction_lost,
        lost: i32::from_be_bytes([sign, l0, l1, l2]),
        highest: word(block, 8)?,
        jitter: word(block, 12)?,
        last: word(block, 16)?,
        delay: word(block, 20)?,
    };
    Some(Item::Hears { by: word(body, 0)?, block })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    /// A sender report with one block, a name and a goodbye.
    fn compound() -> Vec<u8> {
        words(&[
            0x81c8_000c,
            0x1111,
            0xe705_2000,
            0x8000_0000,
            160,
            50,
            8000, // sender
            0x2222,
            0x40ff_fffe,
            0x0001_0005,
            24,
            0xb705_2000,
            0x0005_4000, // block
            0x81ca_0003,
            0x1111,
            0x0104_6e61,
            0x6d65_0000, // CNAME "name"
            0x81cb_0001,
            0x1111,
        ])
    }

    #[test]
    fn a_compound_is_read_in_order() {
        let bytes = compound();
        let block = Block {
            ssrc: 0x2222,
            fraction_lost: 0x40,
            lost: -2,
            highest: 0x0001_0005,
            jitter: 24,
            last: 0xb705_2000,
            delay: 0x0005_4000,
        };
        let want = [
            Item::Sends { ssrc: 0x1111, ntp: 0x2000_8000, packets: 50 },
            Item::Hears { by: 0x1111, block },
            Item::Bye { ssrc: 0x1111 },
        ];
        assert_eq!(read(&bytes).unwrap().collect::<Vec<_>>(), want);
    }

    #[test]
    fn what_is_not_rtcp_is_refused_and_what_we_do_not_know_stepped_over() {
        let table: [(&str, Vec<u8>, Option<usize>); 14] = [
            ("nothing", vec![], None),
            ("three bytes", vec![0x80, 201, 0], None),
            ("version 1", words(&[0x40c9_0001, 7]), None),
            ("RTP", words(&[0x8000_0001, 7]), None),
            ("longer than it is", words(&[0x80c9_0002, 7]), None),
            ("bytes behind", [words(&[0x80c9_0001, 7]), vec![0]].concat(), None),
            ("fewer blocks than counted", words(&[0x81c9_0001, 7]), None),
            ("a sender that ends early", words(&[0x80c8_0002, 7, 7]), None),
            ("goodbye of more than are there", words(&[0x82cb_0001, 7]), None),
            ("padding in the midst", words(&[0xa0c9_0001, 7, 0x80c9_0001, 7]), None),
            ("an empty receiver report", words(&[0x80c9_0001, 7]), Some(0)),
            ("alone: a goodbye (RFC 5506)", words(&[0x81cb_0001, 7]), Some(1)),
            (
                "alone: feedback, and what nobody knows",
                words(&[0x81cd_0002, 7, 8, 0x80df_0000]),
                Some(0),
            ),
            ("a goodbye of nobody", words(&[0x80cb_0000]), Some(0)),
        ];
        for (case, bytes, want) in table {
            assert_eq!(read(&bytes).ok().map(Iterator::count), want, "{case}");
        }
    }

    #[test]
    fn a_datagram_of_nothing_but_headers_is_soon_done() {
        let bytes = words(&[0x80c9_0001, 7].repeat(180));
        assert_eq!(read(&bytes).unwrap().count(), 0);
        let goodbyes = words(&[0x81cb_0001, 7].repeat(180));
        assert_eq!(read(&goodbyes).unwrap().count(), MAX_PACKETS);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(items) = read(&bytes) {
                prop_assert!(items.count() <= MAX_PACKETS * 32);
            }
        }

        #[test]
        fn a_changed_compound_makes_it_not_panic(at in 0..76_usize, byte in any::<u8>(), cut in 0..77_usize) {
            let mut bytes = compound();
            bytes[at] = byte;
            bytes.truncate(cut.max(1));
            let _ = read(&bytes).map(Iterator::count);
        }
    }
}
