//! The stream that a leg hears: which packets were due, which came, how evenly (RFC 3550 §6.4.1, A.1, A.3,
//! A.8).

use crate::base::Mono;
use crate::rtp::rtcp::Block;

/// A gap in the sequence that is still the same stream (RFC 3550 §A.1).
const MAX_DROPOUT: u16 = 3000;
/// So far behind the newest a packet may come and still be of the stream (RFC 3550 §A.1).
const MAX_MISORDER: u16 = 100;
/// Jitter is not looked at for its highest before so many packets: it starts from nothing.
const SETTLED: u64 = 16;
/// Two packets whose clocks differ by more than so much, milliseconds, tell nothing of the way: the sender
/// has set its clock anew.
const CLOCK_JUMP_MS: u32 = 2_000;

/// What is to be known of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Its stream.
    pub ssrc: u32,
    /// Its number.
    pub seq: u16,
    /// Its time.
    pub timestamp: u32,
    /// Voice, whose timestamps tell when it was sent; those of keys do not.
    pub is_voice: bool,
}

/// What has come over all streams of a leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Packets that the sender numbered.
    pub due: u64,
    /// Packets that came, each once.
    pub received: u64,
    /// Packets that came again.
    pub duplicate: u64,
    /// Packets that came after one that was sent later.
    pub late: u64,
    /// Streams.
    pub streams: u32,
}

impl Sums {
    /// Packets that did not come.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.due.saturating_sub(self.received)
    }
}

/// One leg's ear.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    stream: Option<Stream>,
    /// Of streams that are over.
    before: Sums,
    jitter_sum: u64,
    jitter_count: u64,
    jitter_max: u32,
    last_at: Option<Mono>,
    longest_gap_us: u64,
    /// The sender leaves packets out while nobody speaks.
    pauses: bool,
}

#[derive(Clone, Debug)]
struct Stream {
    ssrc: u32,
    ticks_per_ms: u32,
    /// First and newest sequence number, under the count of rounds.
    base: u32,
    newest: u32,
    /// What comes next when the sender has begun its numbers anew.
    bad_seq: Option<u16>,
    /// Bit n: the packet n behind the newest came; more of them than [`MAX_MISORDER`].
    seen: u128,
    sums: Sums,
    newest_timestamp: u32,
    /// Arrival less timestamp of the last voice, ticks.
    transit: Option<u32>,
    /// Sixteen times the jitter, ticks.
    jitter: u32,
    reported_due: u32,
    reported_all: u32,
    /// The middle of its sender's clock in its last report, and when that came.
    report: Option<(u32, Mono)>,
}

impl Heard {
    /// Takes a packet that was judged to be the phone's; `clock_hz` is the clock of its codec.
    pub fn packet(&mut self, packet: Packet, clock_hz: u32, now: Mono) {
        let ticks_per_ms = clock_hz.checked_div(1000).unwrap_or(8).max(1);
        let same = |stream: &&mut Stream| {
            stream.ssrc == packet.ssrc && stream.ticks_per_ms == ticks_per_ms
        };
        let Some(stream) = self.stream.as_mut().filter(same) else {
            return self.begin(packet, ticks_per_ms, now);
        };
        let ahead = packet.seq.wrapping_sub(low(stream.newest));
        let behind = low(stream.newest).wrapping_sub(packet.seq);
        if (1..MAX_DROPOUT).contains(&ahead) {
            stream.newest = stream.newest.wrapping_add(u32::from(ahead));
            stream.seen = stream.seen.checked_shl(u32::from(ahead)).unwrap_or(0) | 1;
            stream.sums.received = stream.sums.received.wrapping_add(1);
            stream.bad_seq = None;
            let ticks = packet.timestamp.wrapping_sub(stream.newest_timestamp);
            stream.newest_timestamp = packet.timestamp;
            let jitter = if packet.is_voice { stream.arrived(packet.timestamp, now) } else { None };
            self.follow(ahead, ticks, ticks_per_ms, packet.is_voice, now);
            if let Some(jitter) = jitter {
                self.jitter_sum = self.jitter_sum.wrapping_add(u64::from(jitter));
                self.jitter_count = self.jitter_count.wrapping_add(1);
                if self.jitter_count > SETTLED {
                    self.jitter_max = self.jitter_max.max(jitter);
                }
            }
        } else if behind <= MAX_MISORDER {
            stream.came_late(behind);
        } else if stream.bad_seq == Some(packet.seq) {
            // Two in a row: the sender has begun anew and kept its number.
            self.begin(packet, ticks_per_ms, now);
        } else {
            stream.bad_seq = Some(packet.seq.wrapping_add(1));
        }
    }

    /// Another stream: what the last one came to is kept.
    fn begin(&mut self, packet: Packet, ticks_per_ms: u32, now: Mono) {
        let mut before = self.sums();
        before.streams = before.streams.saturating_add(1);
        self.before = before;
        // One round up, so that what comes before the first has a number.
        let first = u32::from(packet.seq) | 0x1_0000;
        let mut stream = Stream {
            ssrc: packet.ssrc,
            ticks_per_ms,
            base: first,
            newest: first,
            bad_seq: None,
            seen: 1,
            sums: Sums { received: 1, ..Sums::default() },
            newest_timestamp: packet.timestamp,
            transit: None,
            jitter: 0,
            reported_due: 0,
            reported_all: 0,
            report: None,
        };
        if packet.is_voice {
            stream.arrived(packet.timestamp, now);
        }
        self.stream = Some(stream);
        self.last_at = Some(now);
    }

    /// How long nothing was heard that should have been: the time between two packets that follow each
    /// other, less what the sender itself left out.
    fn follow(&mut self, ahead: u16, ticks: u32, ticks_per_ms: u32, voice: bool, now: Mono) {
        // Of what was left out while nothing was expected neither clock tells anything.
        let Some(last_at) = self.last_at.replace(now) else { return };
        let gap = now.0.saturating_sub(last_at.0);
        let meant = u64::from(ticks.checked_div(ticks_per_ms).unwrap_or(0)).wrapping_mul(1000);
        if ahead > 1 || !voice {
            self.longest_gap_us = self.longest_gap_us.max(gap);
            return;
        }
        // More than any packet holds: it was left out.
        if meant > 150_000 && meant < 60_000_000 {
            self.pauses = true;
            self.longest_gap_us = self.longest_gap_us.max(gap.saturating_sub(meant));
        } else {
            self.longest_gap_us = self.longest_gap_us.max(gap);
        }
    }

    /// What was expected starts anew: it was on hold, or is heard by somebody else from here on.
    pub const fn rest(&mut self) {
        self.last_at = None;
    }

    /// Comfort noise came: nobody speaks, and the sender says so (RFC 3389).
    pub const fn comfort(&mut self) {
        self.pauses = true;
    }

    /// Whether the sender leaves packets out while nobody speaks; what does not come proves nothing then.
    #[must_use]
    pub const fn pauses(&self) -> bool {
        self.pauses
    }

    /// All of it.
    #[must_use]
    pub fn sums(&self) -> Sums {
        let mut sums = self.before;
        if let Some(stream) = &self.stream {
            let now = stream.sums;
            sums.due = sums.due.wrapping_add(u64::from(stream.due()));
            sums.received = sums.received.wrapping_add(now.received);
            sums.duplicate = sums.duplicate.wrapping_add(now.duplicate);
            sums.late = sums.late.wrapping_add(now.late);
        }
        sums
    }

    /// The stream that is heard.
    #[must_use]
    pub fn ssrc(&self) -> Option<u32> {
        self.stream.as_ref().map(|stream| stream.ssrc)
    }

    /// Jitter now, in the mean and at most, microseconds.
    #[must_use]
    pub fn jitter_us(&self) -> (u32, u32, u32) {
        let Some(stream) = &self.stream else { return (0, 0, 0) };
        let us = |ticks: u64| {
            let ticks_per_ms = u64::from(stream.ticks_per_ms);
            let us = ticks.wrapping_mul(1000).checked_div(ticks_per_ms).unwrap_or(0);
            u32::try_from(us).unwrap_or(u32::MAX)
        };
        let mean = self.jitter_sum.checked_div(self.jitter_count).unwrap_or(0);
        (us(u64::from(stream.jitter >> 4)), us(mean), us(u64::from(self.jitter_max)))
    }

    /// The longest time without a packet where some were due, milliseconds.
    #[must_use]
    pub fn longest_gap_ms(&self) -> u32 {
        u32::try_from(self.longest_gap_us.checked_div(1000).unwrap_or(0)).unwrap_or(u32::MAX)
    }

    /// The sender of the stream told its clock in a report.
    pub fn reported(&mut self, ssrc: u32, ntp: u32, now: Mono) {
        if let Some(stream) = self.stream.as_mut().filter(|stream| stream.ssrc == ssrc) {
            stream.report = Some((ntp, now));
        }
    }

    /// What our report says of the stream; counts from here on for the next one.
    pub fn block(&mut self, now: Mono) -> Option<Block> {
        let stream = self.stream.as_mut()?;
        let (last, delay) = stream.report.map_or((0, 0), |(ntp, at)| {
            let micros = u64::try_from(now.since(at).as_micros()).unwrap_or(u64::MAX);
            let delay = micros.saturating_mul(65_536).checked_div(1_000_000).unwrap_or(0);
            (ntp, u32::try_from(delay).unwrap_or(u32::MAX))
        });
        let (due, all) = (stream.due(), stream.all());
        let due_now = due.wrapping_sub(stream.reported_due);
        let lost_now = due_now.saturating_sub(all.wrapping_sub(stream.reported_all));
        (stream.reported_due, stream.reported_all) = (due, all);
        // RFC 3550 §A.3: in 256ths, all lost is 255.
        let fraction = u64::from(lost_now).wrapping_mul(256).checked_div(u64::from(due_now));
        let lost = i64::from(due).wrapping_sub(i64::from(all));
        Some(Block {
            ssrc: stream.ssrc,
            fraction_lost: u8::try_from(fraction.unwrap_or(0)).unwrap_or(u8::MAX),
            lost: i32::try_from(lost).unwrap_or(i32::MAX),
            highest: stream.newest.wrapping_sub(0x1_0000),
            jitter: stream.jitter >> 4,
            last,
            delay,
        })
    }
}

impl Stream {
    /// A packet of voice came in its turn; the jitter that it leaves, ticks, once there is one.
    fn arrived(&mut self, timestamp: u32, now: Mono) -> Option<u32> {
        let ticks = u128::from(now.0).wrapping_mul(u128::from(self.ticks_per_ms)).checked_div(1000);
        let arrival = u32::try_from(ticks.unwrap_or(0) & 0xffff_ffff).unwrap_or(0);
        let transit = arrival.wrapping_sub(timestamp);
        let before = self.transit.replace(transit)?;
        let ahead = transit.wrapping_sub(before);
        let apart = ahead.min(before.wrapping_sub(transit));
        if apart > self.ticks_per_ms.wrapping_mul(CLOCK_JUMP_MS) {
            return None;
        }
        // RFC 3550 §A.8, in integers.
        let off = self.jitter.wrapping_add(8) >> 4;
        self.jitter = self.jitter.wrapping_add(apart).saturating_sub(off);
        Some(self.jitter >> 4)
    }

    fn came_late(&mut self, behind: u16) {
        let number = self.newest.wrapping_sub(u32::from(behind));
        let bit = 1_u128.wrapping_shl(u32::from(behind));
        if self.seen & bit != 0 {
            self.sums.duplicate = self.sums.duplicate.wrapping_add(1);
            return;
        }
        self.seen |= bit;
        self.base = self.base.min(number);
        self.sums.late = self.sums.late.wrapping_add(1);
        self.sums.received = self.sums.received.wrapping_add(1);
    }

    /// Packets that were numbered.
    const fn due(&self) -> u32 {
        self.newest.wrapping_sub(self.base).wrapping_add(1)
    }

    /// Packets that came, those that came twice twice: so RFC 3550 §A.3 counts.
    fn all(&self) -> u32 {
        let all = self.sums.received.wrapping_add(self.sums.duplicate) & 0xffff_ffff;
        u32::try_from(all).unwrap_or(0)
    }
}

fn low(number: u32) -> u16 {
    u16::try_from(number & 0xffff).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What plays: (number of the packet, milliseconds that it is late).
    fn hear(heard: &mut Heard, from: u32, packets: impl IntoIterator<Item = (u32, u64)>) {
        for (n, late_ms) in packets {
            heard.packet(voice(7, from.wrapping_add(n), n), 8000, ms(u64::from(n) * 20 + late_ms));
        }
    }

    fn voice(ssrc: u32, seq: u32, n: u32) -> Packet {
        let timestamp = 0xffff_f000_u32.wrapping_add(n.wrapping_mul(160));
        Packet { ssrc, seq: low(seq), timestamp, is_voice: true }
    }

    fn ms(ms: u64) -> Mono {
        Mono((ms + 1_000) * 1000)
    }

    #[test]
    fn loss_disorder_and_repetition_are_told_apart() {
        let table: [(&str, &[u32], [u64; 5]); 9] = [
            // due, received, lost, late, duplicate
            ("all", &[0, 1, 2, 3], [4, 4, 0, 0, 0]),
            ("one lost", &[0, 1, 3], [4, 3, 1, 0, 0]),
            ("one late", &[0, 2, 1, 3], [4, 4, 0, 1, 0]),
            ("one twice", &[0, 1, 1, 2], [3, 3, 0, 0, 1]),
            ("one late and twice", &[0, 2, 1, 1, 3], [4, 4, 0, 1, 1]),
            ("one before the first", &[1, 0, 2], [3, 3, 0, 1, 0]),
            ("a hundred lost", &[0, 101], [102, 2, 100, 0, 0]),
            ("as late as it may be", &[0, 100, 0, 1], [101, 3, 98, 1, 1]),
            ("very late and twice", &[0, 99, 1, 1, 2], [100, 4, 96, 2, 1]),
        ];
        for from in [100_u32, 65_534, 32_766] {
            for (case, packets, [due, received, lost, late, duplicate]) in table {
                let mut heard = Heard::default();
                for n in packets {
                    heard.packet(voice(7, from + n, *n), 8000, ms(u64::from(*n) * 20));
                }
                let sums = heard.sums();
                let got = [sums.due, sums.received, sums.lost(), sums.late, sums.duplicate];
                assert_eq!(got, [due, received, lost, late, duplicate], "{case} from {from}");
            }
        }
    }

    #[test]
    fn an_hour_goes_round_both_counters_without_a_loss() {
        let mut heard = Heard::default();
        hear(&mut heard, 65_000, (0..180_000).map(|n| (n, 0)));
        let sums = heard.sums();
        assert_eq!((sums.due, sums.received, sums.lost()), (180_000, 180_000, 0));
        let block = heard.block(ms(3_600_000)).unwrap();
        assert_eq!(block.highest, 65_000 + 179_999);
        assert_eq!((block.lost, block.fraction_lost, block.jitter), (0, 0, 0));
        assert_eq!(heard.longest_gap_ms(), 20);
    }

    #[test]
    fn every_tenth_lost_is_told_as_a_tenth() {
        let mut heard = Heard::default();
        hear(&mut heard, 65_500, (0..500).filter(|n| n % 10 != 5).map(|n| (n, 0)));
        let block = heard.block(ms(10_000)).unwrap();
        assert_eq!((block.lost, block.fraction_lost), (50, 25));
        hear(&mut heard, 65_500, (500..1000).map(|n| (n, 0)));
        let block = heard.block(ms(20_000)).unwrap();
        assert_eq!((block.lost, block.fraction_lost), (50, 0), "since the last report none");
        let block = heard.block(ms(25_000)).unwrap();
        assert_eq!((block.lost, block.fraction_lost), (50, 0), "nothing was due");
        assert_eq!(heard.sums().lost(), 50);
    }

    #[test]
    fn what_comes_twice_is_a_loss_below_nothing_for_the_peer_only() {
        let mut heard = Heard::default();
        hear(&mut heard, 5, (0..100).flat_map(|n| [(n, 0), (n, 1)]));
        assert_eq!(heard.block(ms(2_000)).unwrap().lost, -100);
        assert_eq!((heard.sums().lost(), heard.sums().duplicate), (0, 100));
    }

    #[test]
    fn jitter_is_the_rfcs() {
        // Every other packet 10 ms late: the difference is always 10 ms, and the mean tends to it.
        let mut heard = Heard::default();
        hear(&mut heard, 5, (0..400).map(|n| (n, u64::from(n % 2) * 10)));
        let (now, mean, max) = heard.jitter_us();
        assert!((9_500..=10_000).contains(&now), "{now}");
        assert!((9_000..=10_000).contains(&mean) && max >= now, "{mean} {max}");
        // A tenth of a step of the RFC: from 0 by 160 ticks the first step leaves 160/16 = 10 ticks.
        let mut heard = Heard::default();
        hear(&mut heard, 5, [(0, 0), (1, 20)]);
        assert_eq!(heard.block(ms(0)).unwrap().jitter, 10);
    }

    #[test]
    fn the_clock_of_the_codec_counts() {
        let mut heard = Heard::default();
        for n in 0..400_u32 {
            let timestamp = n.wrapping_mul(960);
            let packet = Packet { ssrc: 1, seq: low(n), timestamp, is_voice: true };
            heard.packet(packet, 48_000, ms(u64::from(n) * 20 + u64::from(n % 2) * 10));
        }
        let (now, ..) = heard.jitter_us();
        assert!((9_500..=10_000).contains(&now), "{now}");
    }

    #[test]
    fn a_clock_that_drifts_is_no_jitter() {
        let mut heard = Heard::default();
        for n in 0..5_000_u32 {
            // 200 in a million too slow.
            let at = Mono(u64::from(n) * 20_004 + 5_000_000);
            heard.packet(voice(7, n, n), 8000, at);
        }
        assert!(heard.jitter_us().2 < 200, "{:?}", heard.jitter_us());
        assert_eq!(heard.sums().lost(), 0);
    }

    #[test]
    fn another_stream_begins_anew_and_the_sums_stay() {
        let mut heard = Heard::default();
        hear(&mut heard, 5, (0..100).filter(|n| *n != 50).map(|n| (n, 0)));
        for n in 0..100 {
            heard.packet(voice(8, 40_000 + n, n), 8000, ms(u64::from(n) * 20 + 2_000));
        }
        let sums = heard.sums();
        assert_eq!((sums.due, sums.lost(), sums.streams, heard.ssrc()), (200, 1, 2, Some(8)));
        assert_eq!(
            heard.block(ms(4_000)).unwrap().lost,
            0,
            "the stream that is reported lost none"
        );
        // The same number, begun anew far away: two in a row are believed.
        for n in 0..10 {
            heard.packet(voice(8, 10_000 + n, n), 8000, ms(u64::from(n) * 20 + 4_000));
        }
        assert_eq!((heard.sums().due, heard.sums().lost()), (209, 1));
    }

    #[test]
    fn a_sender_that_pauses_leaves_no_gap_and_is_known_to() {
        let mut heard = Heard::default();
        hear(&mut heard, 5, (0..10).map(|n| (n, 0)));
        assert!(!heard.pauses());
        // Two seconds of nothing, meant by the clock of the sender.
        for n in 0..10_u32 {
            heard.packet(voice(7, 15 + n, 110 + n), 8000, ms(u64::from(110 + n) * 20));
        }
        assert!(heard.pauses());
        assert_eq!((heard.longest_gap_ms(), heard.sums().lost()), (20, 0));
        // The same lost.
        for n in 0..10_u32 {
            heard.packet(voice(7, 125 + n, 220 + n), 8000, ms(u64::from(220 + n) * 20));
        }
        assert_eq!((heard.longest_gap_ms(), heard.sums().lost()), (2_020, 100));
    }

    #[test]
    fn keys_disturb_no_jitter() {
        let mut heard = Heard::default();
        hear(&mut heard, 5, (0..50).map(|n| (n, 0)));
        for n in 50..60_u32 {
            // All of one press carry its beginning.
            let packet = Packet { is_voice: false, ..voice(7, 5 + n, 50) };
            heard.packet(packet, 8000, ms(u64::from(n) * 20));
        }
        for n in 60..100_u32 {
            heard.packet(voice(7, 5 + n, n), 8000, ms(u64::from(n) * 20));
        }
        assert_eq!((heard.jitter_us().2, heard.sums().lost()), (0, 0));
    }

    #[test]
    fn a_hold_is_no_gap_and_makes_no_pausing_phone() {
        let mut heard = Heard::default();
        hear(&mut heard, 5, (0..50).map(|n| (n, 0)));
        heard.rest();
        // Its numbers go on, its clock went on: 10 s later by both.
        for n in 0..50 {
            heard.packet(voice(7, 55 + n, 550 + n), 8000, ms(u64::from(550 + n) * 20));
        }
        assert_eq!((heard.longest_gap_ms(), heard.pauses()), (20, false));
    }

    #[test]
    fn a_report_tells_how_long_the_peers_was_kept() {
        let mut heard = Heard::default();
        hear(&mut heard, 5, [(0, 0)]);
        heard.reported(8, 1, ms(0));
        assert_eq!(heard.block(ms(0)).unwrap().last, 0, "another's");
        heard.reported(7, 0xb705_2000, ms(0));
        let block = heard.block(ms(5_250)).unwrap();
        assert_eq!((block.last, block.delay), (0xb705_2000, 0x0005_4000));
    }

    proptest! {
        #[test]
        fn whatever_comes_the_sums_hold(packets in proptest::collection::vec((0..3_u32, any::<u16>(), any::<u32>(), any::<bool>()), 0..300)) {
            let mut heard = Heard::default();
            for (at, (ssrc, seq, timestamp, is_voice)) in packets.iter().enumerate() {
                let packet = Packet { ssrc: *ssrc, seq: *seq, timestamp: *timestamp, is_voice: *is_voice };
                heard.packet(packet, 8000, ms(at as u64 * 20));
                heard.block(ms(at as u64 * 20));
            }
            let sums = heard.sums();
            prop_assert!(sums.received <= packets.len() as u64);
            prop_assert!(sums.received + sums.duplicate <= packets.len() as u64);
            prop_assert!(sums.received <= sums.due);
        }
    }
}
