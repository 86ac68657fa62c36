//! Legs that share no codec, and more than two that hear each other: on a beat of the clock each one's
//! ear gives sound, and each mouth says what its leg is to hear. Legs that share a codec never come
//! here; their packets are passed on as they are.

use super::counters::count;
use super::leg::Joined;
use super::slab::Token;
use super::worker::{Beat, Worker};
use crate::base::LegId;
use crate::rtp::command::{Notice, Seat};
use crate::rtp::packet;
use crate::rtp::voice::{self, Band, Ear, Mouth};
use crate::sdp::Codec;

/// Legs in one mix at most; a further one hears and says nothing.
pub(super) const MAX_SEATS: usize = voice::MAX_SPEAKERS;
/// The beat of most mixes, milliseconds.
const BEAT_MS: u8 = 20;

/// Legs that hear each other by the clock.
pub(super) struct Mix {
    seats: Vec<Seated>,
    /// Two legs that were joined and share no codec; they part as those who do share one.
    pair: bool,
    band: Band,
    beat_ms: u8,
    beat: u32,
}

/// One leg of a mix.
struct Seated {
    leg: Token,
    /// One bit for each seat that it hears.
    hears: u32,
    ear: Ear,
    mouth: Mouth,
    /// What its ear gave on this beat.
    sound: Vec<i16>,
}

impl Mix {
    /// The ear of a leg.
    pub(super) fn ear(&mut self, leg: Token) -> Option<&mut Ear> {
        self.seats.iter_mut().find(|seat| seat.leg == leg).map(|seat| &mut seat.ear)
    }

    /// All legs in it.
    pub(super) fn legs(&self) -> impl Iterator<Item = Token> + '_ {
        self.seats.iter().map(|seat| seat.leg)
    }

    /// The legs that hear `leg`.
    pub(super) fn hearers(&self, leg: Token) -> impl Iterator<Item = Token> + '_ {
        let bit = self.seats.iter().position(|seat| seat.leg == leg).and_then(bit);
        self.seats
            .iter()
            .filter(move |seat| bit.is_some_and(|bit| seat.hears & bit != 0))
            .map(|seat| seat.leg)
    }
}

fn bit(at: usize) -> Option<u32> {
    1_u32.checked_shl(u32::try_from(at).ok()?)
}

/// The finest band that is of use: wide when two have it.
fn band(codecs: &[Codec]) -> Band {
    let wide = codecs.iter().filter(|codec| !codec.passes_to(Codec::Pcmu)).count();
    if wide >= 2 { Band::Wide } else { Band::Narrow }
}

impl<N: Fn(Notice)> Worker<N> {
    /// Joins two legs, or joins them anew after one's stream has changed: by passing packets on where
    /// they share a codec, by the clock where not.
    pub(super) fn join(&mut self, one: Token, other: Token) {
        self.join_by(one, Joined::Passed(other));
        self.join_by(other, Joined::Passed(one));
        let shares =
            self.speaks(one).zip(self.speaks(other)).is_none_or(|((a, _), (b, _))| a.passes_to(b));
        if !shares {
            self.mix(&[(one, 0b10), (other, 0b01)], true);
        }
    }

    /// Seats legs in a mix, whatever they share.
    pub(super) fn seat(&mut self, seats: &[Seat]) {
        let ids: Vec<LegId> = seats.iter().map(|seat| seat.leg).collect();
        for leg in &ids {
            self.unbridge(*leg);
            self.stop(*leg);
        }
        let hears = |seat: &Seat| {
            let heard = ids
                .iter()
                .enumerate()
                .filter(|(_, id)| **id != seat.leg && seat.hears.contains(id));
            heard.filter_map(|(at, _)| bit(at)).fold(0, |all, bit| all | bit)
        };
        let tokens = |seat: &Seat| self.index.get(&seat.leg).map(|token| (*token, hears(seat)));
        let seated: Vec<(Token, u32)> = seats.iter().take(MAX_SEATS).filter_map(tokens).collect();
        for (leg, _) in &seated {
            self.talk_begins(*leg);
        }
        // One that is gone would shift the bits: the engine will say it anew without it.
        if seated.len() == seats.len() && !seated.is_empty() {
            count(&mut self.counted.bridges);
            self.mix(&seated, false);
        }
    }

    fn mix(&mut self, seats: &[(Token, u32)], pair: bool) {
        let codecs: Vec<_> = seats
            .iter()
            .map(|(leg, _)| self.speaks(*leg).unwrap_or((Codec::Pcmu, BEAT_MS)))
            .collect();
        let band = band(&codecs.iter().map(|(codec, _)| *codec).collect::<Vec<_>>());
        let beat_ms =
            if codecs.iter().all(|(_, ms)| ms % BEAT_MS == 0) { BEAT_MS } else { BEAT_MS / 2 };
        let room = band.per_ms().saturating_mul(usize::from(beat_ms));
        let mut seated = Vec::with_capacity(seats.len());
        for ((leg, hears), (codec, ptime_ms)) in seats.iter().zip(&codecs) {
            let (Ok(ear), Ok(mouth)) =
                (Ear::new(*codec, band), Mouth::new(*codec, band, *ptime_ms))
            else {
                // Out of memory: these legs stay apart, and are told as lost.
                return seats.iter().for_each(|(leg, _)| self.lose(*leg));
            };
            seated.push(Seated { leg: *leg, hears: *hears, ear, mouth, sound: vec![0; room] });
        }
        let mix = Mix { seats: seated, pair, band, beat_ms, beat: 0 };
        let mix = self.mixes.insert(mix);
        for (leg, _) in seats {
            self.join_by(*leg, Joined::Mixed(mix));
        }
        count(&mut self.counted.mixes);
        let now_ms = self.now_ms();
        self.wheel.schedule(now_ms.saturating_add(1), Beat::Mix { mix, beat: 0 });
    }

    /// What a leg speaks, and its packet time; none before its stream is known.
    fn speaks(&mut self, leg: Token) -> Option<(Codec, u8)> {
        let line = self.legs.get_mut(leg)?.line.as_ref()?;
        Some((line.stream.codec, line.stream.ptime_ms))
    }

    /// What is wrong with the leg's sound from here on is no business of the talk before.
    pub(super) fn talk_begins(&mut self, leg: Token) {
        if let Some(leg) = self.legs.get_mut(leg) {
            leg.sound.talk_begins();
        }
    }

    fn join_by(&mut self, leg: Token, joined: Joined) {
        if let Some(leg) = self.legs.get_mut(leg) {
            leg.joined = joined;
        }
    }

    /// A leg's stream is another: what it is joined by may have to be, too.
    pub(super) fn rejoin(&mut self, leg: Token) {
        let Some(joined) = self.legs.get_mut(leg).map(|leg| leg.joined) else { return };
        match joined {
            Joined::Alone => {}
            Joined::Passed(other) => self.join(leg, other),
            Joined::Mixed(mix) => {
                let speaks = self.speaks(leg);
                let Some(seats) = self.mixes.get_mut(mix) else { return };
                let same =
                    |seat: &Seated| speaks.is_none_or(|(codec, _)| codec == seat.ear.codec());
                if seats.seats.iter().filter(|seat| seat.leg == leg).all(same) {
                    return;
                }
                let Some(old) = self.mixes.remove(mix) else { return };
                self.counted.mixes = self.counted.mixes.saturating_sub(1);
                let all: Vec<_> = old.seats.iter().map(|seat| (seat.leg, seat.hears)).collect();
                match *all.as_slice() {
                    [(one, _), (other, _)] if old.pair => self.join(one, other),
                    _ => self.mix(&all, false),
                }
            }
        }
    }

    /// Takes a leg out of what it is joined by. Of a pair, the other is alone then; the others of a
    /// mix go on.
    pub(super) fn part(&mut self, leg: Token) {
        let Some(joined) =
            self.legs.get_mut(leg).map(|leg| std::mem::replace(&mut leg.joined, Joined::Alone))
        else {
            return;
        };
        let ended = match joined {
            Joined::Alone => false,
            Joined::Passed(other) => {
                self.join_by(other, Joined::Alone);
                true
            }
            Joined::Mixed(mix) => self.leave(mix, leg),
        };
        if ended {
            self.counted.bridges = self.counted.bridges.saturating_sub(1);
        }
    }

    /// True when the mix is over by it.
    fn leave(&mut self, token: Token, leg: Token) -> bool {
        let Some(mix) = self.mixes.get_mut(token) else { return false };
        if !mix.pair && mix.seats.len() > 2 {
            // The seats behind it move up by one.
            let Some(at) = mix.seats.iter().position(|seat| seat.leg == leg) else { return false };
            mix.seats.remove(at);
            let below = bit(at).map_or(0, |bit| bit.wrapping_sub(1));
            for seat in &mut mix.seats {
                seat.hears = (seat.hears & below) | ((seat.hears >> 1) & !below);
            }
            return false;
        }
        let Some(mix) = self.mixes.remove(token) else { return false };
        self.counted.mixes = self.counted.mixes.saturating_sub(1);
        mix.seats.iter().for_each(|seat| self.join_by(seat.leg, Joined::Alone));
        true
    }

    /// One beat: everybody is listened to, then everybody is told.
    pub(super) fn beat_mix(&mut self, token: Token, beat: u32, due_ms: u64) {
        let now = self.now;
        let Some(mix) = self.mixes.get_mut(token).filter(|mix| mix.beat == beat) else { return };
        mix.beat = mix.beat.wrapping_add(1);
        let next = Beat::Mix { mix: token, beat: mix.beat };
        self.wheel.schedule(due_ms.saturating_add(u64::from(mix.beat_ms)), next);
        for seat in &mut mix.seats {
            seat.ear.give(&mut seat.sound, now);
        }
        let samples = mix.band.per_ms().saturating_mul(usize::from(mix.beat_ms));
        for at in 0..mix.seats.len() {
            // Taken anew each time: sending needs the whole worker.
            let Some(mix) = self.mixes.get_mut(token) else { return };
            let Some(hears) = mix.seats.get(at).map(|seat| seat.hears) else { return };
            let mut sum = [0_i16; Band::Wide.per_ms() * BEAT_MS as usize];
            let Some(sum) = sum.get_mut(..samples) else { return };
            for (other, seat) in mix.seats.iter().enumerate() {
                if bit(other).is_some_and(|bit| hears & bit != 0) {
                    voice::add(sum, &seat.sound);
                }
            }
            let Some(seat) = mix.seats.get_mut(at) else { return };
            let leg = seat.leg;
            seat.mouth.say(sum);
            let ms = seat.mouth.packet_ms();
            loop {
                let Some(room) = self.buffer.get_mut(packet::HEADER_BYTES..) else { return };
                let Some(seat) = self.mixes.get_mut(token).and_then(|mix| mix.seats.get_mut(at))
                else {
                    return;
                };
                let Some(bytes) = seat.mouth.next(room) else { break };
                self.say_mixed(leg, bytes, ms);
            }
        }
    }

    /// Sends the voice that lies in the buffer, unless something else covers it.
    fn say_mixed(&mut self, token: Token, bytes: usize, ms: u8) {
        let Some(leg) = self.legs.get_mut(token) else { return };
        if leg.covered() || !leg.may_send() {
            return count(&mut self.counted.dropped_covered);
        }
        if self.say(token, bytes, ms) {
            count(&mut self.counted.packets_made);
        }
    }

    /// A mix whose codec failed: its legs are lost, one by one.
    pub(super) fn lose_mix(&mut self, token: Token) {
        let Some(mix) = self.mixes.remove(token) else { return };
        self.counted.mixes = self.counted.mixes.saturating_sub(1);
        self.counted.bridges = self.counted.bridges.saturating_sub(1);
        for seat in mix.seats {
            self.join_by(seat.leg, Joined::Alone);
            self.lose(seat.leg);
        }
    }
}
