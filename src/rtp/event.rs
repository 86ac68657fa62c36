//! Keys as telephone-events (RFC 4733): many packets tell one press, some get lost, some come late.
//! One press is told once, at its first packet, so that a prompt stops at once.

/// The state of one arriving stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyReader {
    last: Option<Press>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Press {
    ssrc: u32,
    /// The RTP timestamp: all packets of one press carry the same (RFC 4733 §2.2.1).
    timestamp: u32,
    /// That of the first of its segments.
    begun: u32,
    event: u8,
    ended: bool,
    duration: u16,
}

/// A segment that another follows is at least so long, in ticks: phones end one before it is quite full.
const SEGMENT_LEAST: u32 = 0xf000;
/// Of its last packets so much may have been lost: 200 ms at 48 kHz.
const SEGMENT_LOST: u32 = 9_600;
/// A timestamp at most this far behind the last press, in samples, is a late packet of an older one: 5 s.
const LATE: u32 = 40_000;
/// Further behind than this is ahead: timestamps go round.
const HALF_ROUND: u32 = 1 << 31;

impl KeyReader {
    /// Takes one packet's payload; gives the key when the packet is the first of a press.
    /// Events that are not keys, and payloads too short, give nothing.
    pub fn read(
        &mut self,
        payload: &[u8],
        ssrc: u32,
        timestamp: u32,
        marker: bool,
    ) -> Option<char> {
        let [event, flags, d0, d1, ..] = *payload else { return None };
        let key = key(event)?;
        let press = Press {
            ssrc,
            timestamp,
            begun: timestamp,
            event,
            duration: u16::from_be_bytes([d0, d1]),
            ended: flags & 0x80 != 0,
        };
        let last = self.last.replace(press);
        let Some(last) = last.filter(|last| last.ssrc == ssrc) else { return Some(key) };
        if last.timestamp == timestamp {
            // Ended stays ended when the packets are re-ordered.
            let ended = last.ended || press.ended;
            let duration = last.duration.max(press.duration);
            self.last = Some(Press { ended, duration, begun: last.begun, ..press });
            return None;
        }
        let ahead = timestamp.wrapping_sub(last.timestamp);
        let behind = last.timestamp.wrapping_sub(timestamp);
        // A packet of one of its earlier segments is late as well, however long the press is.
        let held = last.timestamp.wrapping_sub(last.begun).min(HALF_ROUND);
        if behind <= held.max(LATE) {
            self.last = Some(last);
            return None;
        }
        if !marker && !last.ended && last.event == event && continues(last, press, ahead) {
            self.last = Some(Press { begun: last.begun, ..press });
            return None;
        }
        Some(key)
    }
}

/// A key that we press: the packets that tell it, one each packet time, and its end three times
/// (RFC 4733 §2.5.1.4), because one may be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyWriter {
    event: u8,
    /// Ticks of the event's clock it has been down.
    down: u16,
    /// Ticks after which it is let go.
    until: u16,
    /// Packets said so far, and of these ends.
    said: u32,
    ends: u8,
}

/// How long a key of ours is down, milliseconds: every receiver takes that for a press.
const PRESS_MS: u32 = 100;
/// How loud, in dBm0 below zero (RFC 4733 §2.3.3).
const VOLUME: u8 = 10;
/// How often the end is said.
const ENDS: u8 = 3;

impl KeyWriter {
    /// A press of `key` on a clock of `clock_hz`; none when it is no key.
    #[must_use]
    pub fn press(key: char, clock_hz: u32) -> Option<Self> {
        let event = (0..=15).find(|event| self::key(*event) == Some(key))?;
        let until = clock_hz.saturating_mul(PRESS_MS).checked_div(1000).unwrap_or(0);
        Some(Self {
            event,
            down: 0,
            until: u16::try_from(until).unwrap_or(u16::MAX),
            said: 0,
            ends: 0,
        })
    }

    /// The next packet's payload, `step` ticks after the last, and whether it is the first; none when
    /// all is said.
    pub fn next(&mut self, step: u32) -> Option<([u8; 4], bool)> {
        if self.ends >= ENDS {
            return None;
        }
        let step = u16::try_from(step).unwrap_or(u16::MAX);
        self.down = self.down.saturating_add(step).min(self.until);
        let ended = self.down >= self.until;
        if ended {
            self.ends = self.ends.saturating_add(1);
        }
        let [d0, d1] = self.down.to_be_bytes();
        self.said = self.said.saturating_add(1);
        Some(([self.event, (u8::from(ended) << 7) | VOLUME, d0, d1], self.said == 1))
    }
}

/// Whether a packet with a new timestamp goes on with the press: either a press longer than a
/// duration can say, told in segments (RFC 4733 §2.5.1.3), or a phone that counts the timestamp up
/// with every packet, against the RFC, so that it grows just as the duration does.
fn continues(last: Press, press: Press, ahead: u32) -> bool {
    let reach = u32::from(last.duration).saturating_add(SEGMENT_LOST);
    let segment = (SEGMENT_LEAST..=0x1_0000).contains(&ahead) && reach >= ahead;
    let counted_up =
        press.duration.checked_sub(last.duration).is_some_and(|grown| u32::from(grown) == ahead);
    segment || counted_up
}

/// RFC 4733 §3.2, table 3.
const fn key(event: u8) -> Option<char> {
    Some(match event {
        0 => '0',
        1 => '1',
        2 => '2',
        3 => '3',
        4 => '4',
        5 => '5',
        6 => '6',
        7 => '7',
        8 => '8',
        9 => '9',
        10 => '*',
        11 => '#',
        12 => 'A',
        13 => 'B',
        14 => 'C',
        15 => 'D',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One packet: event, ended, duration, timestamp, marker.
    type Packet = (u8, bool, u16, u32, bool);

    fn heard(packets: &[Packet]) -> String {
        let mut reader = KeyReader::default();
        let one = |&(event, ended, duration, timestamp, marker): &Packet| {
            let [d0, d1] = duration.to_be_bytes();
            reader.read(&[event, (u8::from(ended) << 7) | 0x0a, d0, d1], 1, timestamp, marker)
        };
        packets.iter().filter_map(one).collect()
    }

    /// A press as a phone sends it: updates each 20 ms, the end three times.
    fn press(event: u8, timestamp: u32) -> Vec<Packet> {
        let mut packets: Vec<Packet> =
            (1..=5_u16).map(|n| (event, false, n * 160, timestamp, n == 1)).collect();
        packets.extend([(event, true, 960, timestamp, false); 3]);
        packets
    }

    #[test]
    fn one_press_is_told_once() {
        let whole = press(5, 1000);
        let twice = [press(5, 1000), press(5, 9000)].concat();
        let table: Vec<(&str, Vec<Packet>, &str)> = vec![
            ("whole", whole.clone(), "5"),
            ("only the last end", whole[7..].to_vec(), "5"),
            ("first packet lost", whole[1..].to_vec(), "5"),
            ("all ends lost, pressed again", [&twice[..5], &twice[8..]].concat(), "55"),
            ("start and marker lost, pressed again", [&twice[..5], &twice[9..]].concat(), "55"),
            ("doubled on the way", whole.iter().flat_map(|packet| [*packet; 2]).collect(), "5"),
            ("backwards", whole.iter().rev().copied().collect(), "5"),
            (
                "an old end after the next key",
                [
                    &press(1, 1000)[..5],
                    &press(2, 9000)[..2],
                    &press(1, 1000)[5..],
                    &press(2, 9000)[2..],
                ]
                .concat(),
                "12",
            ),
            ("over the wrap", [press(3, u32::MAX - 10), press(3, 8000)].concat(), "33"),
            ("after 49 days", [press(3, 10), press(3, 0x9000_0000)].concat(), "33"),
            (
                "all keys",
                (0..17).flat_map(|event| press(event, u32::from(event) * 8000 + 1)).collect(),
                "0123456789*#ABCD",
            ),
            (
                "timestamp counted up with the duration",
                (1..=9).map(|n: u16| (7, false, n * 160, u32::from(n) * 160, n == 1)).collect(),
                "7",
            ),
            (
                "a packet of the first segment comes behind the second's first",
                vec![
                    (7, false, 160, 0, true),
                    (7, false, 65_440, 0, false),
                    (7, false, 160, 0xffff, false),
                    (7, false, 0xffff, 0, false),
                    (7, true, 32_000, 0xffff, false),
                ],
                "7",
            ),
            (
                "held for 12 s, in two segments",
                vec![
                    (7, false, 160, 0, true),
                    (7, false, 0xffff, 0, false),
                    (7, false, 160, 0xffff, false),
                    (7, true, 32_000, 0xffff, false),
                ],
                "7",
            ),
        ];
        for (case, packets, want) in table {
            assert_eq!(heard(&packets), want, "{case}");
        }
        assert_eq!(KeyReader::default().read(&[1, 0, 0], 1, 1, true), None, "too short");
    }

    proptest! {
        #[test]
        fn any_loss_but_of_all_keeps_one_notice(kept in 1_u8..=255, order in any::<u64>()) {
            let whole = press(9, 77);
            let mut left: Vec<_> = whole.iter().enumerate().filter(|(n, _)| kept & (1 << n) != 0).map(|(_, p)| *p).collect();
            let turn = usize::try_from(order % 8).unwrap() % left.len();
            left.rotate_left(turn);
            prop_assert_eq!(heard(&left), "9");
        }
    }

    /// A press of `ms` as a phone sends it by a clock of `clock_hz`, in segments where it is long
    /// (RFC 4733 §2.5.1.3), each packet every 20 ms, the end three times.
    fn held(event: u8, from: u32, ms: u32, clock_hz: u32) -> Vec<Packet> {
        let (step, until) = (clock_hz / 50, clock_hz / 1000 * ms);
        let (mut packets, mut begun, mut down) = (Vec::new(), 0, 0);
        while down < until {
            down = (down + step).min(until);
            if down - begun > 0xffff {
                packets.push((event, false, 0xffff, from.wrapping_add(begun), false));
                begun += 0xffff;
            }
            let duration = u16::try_from(down - begun).unwrap();
            let first = packets.is_empty();
            packets.push((event, down >= until, duration, from.wrapping_add(begun), first));
        }
        let end = *packets.last().unwrap();
        packets.extend([(end.0, true, end.2, end.3, false); 2]);
        packets
    }

    proptest! {
        #[test]
        fn one_press_is_one_key_through_loss_and_disorder_at_any_clock(
            presses in prop::collection::vec((0_u8..16, 40_u32..3_500, 60_u32..400), 1..12),
            wide in any::<bool>(), from in any::<u32>(), seed in any::<u64>(),
        ) {
            let clock_hz = if wide { 48_000 } else { 8_000 };
            let mut rng = crate::base::Rng::from_number(seed);
            let (mut at, mut sent) = (from, Vec::new());
            for (press, (event, ms, pause_ms)) in presses.iter().enumerate() {
                let packets = held(*event, at, *ms, clock_hz);
                // One in twenty is lost, but of a press never all.
                let kept = usize::try_from(rng.below(u64::try_from(packets.len()).unwrap())).unwrap();
                let lost = |(n, _): &(usize, Packet)| *n == kept || rng.below(20) > 0;
                sent.extend(packets.into_iter().enumerate().filter(lost).map(|(_, it)| (press, it)));
                at = at.wrapping_add(clock_hz / 1000 * (ms + pause_ms));
            }
            for n in 1..sent.len() {
                // A neighbour overtakes, over the seams of a long press too; what comes at one moment is of one press.
                if rng.below(10) == 0 && sent[n].0 == sent[n - 1].0 {
                    sent.swap(n, n - 1);
                }
            }
            let sent: Vec<Packet> = sent.into_iter().map(|(_, packet)| packet).collect();
            let want: String = presses.iter().filter_map(|(event, ..)| key(*event)).collect();
            prop_assert_eq!(heard(&sent), want);
        }
    }

    #[test]
    fn a_key_of_ours_is_read_as_one_press_though_packets_are_lost() {
        for (clock_hz, step) in [(8_000, 160), (48_000, 960), (8_000, 80), (8_000, 480)] {
            for key in "0123456789*#ABCD".chars() {
                for lost in 0..4 {
                    let mut writer = KeyWriter::press(key, clock_hz).unwrap();
                    let mut reader = KeyReader::default();
                    let (mut heard, mut packets, mut ends) = (Vec::new(), 0, 0);
                    while let Some((payload, first)) = writer.next(step) {
                        assert_eq!(first, packets == 0);
                        ends += usize::from(payload[1] & 0x80 != 0);
                        if packets != lost {
                            heard.extend(reader.read(&payload, 1, 7, first));
                        }
                        packets += 1;
                    }
                    assert_eq!((heard, ends), (vec![key], 3));
                }
            }
        }
        assert_eq!(KeyWriter::press('x', 8_000), None);
    }
}
