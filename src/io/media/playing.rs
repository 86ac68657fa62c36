//! What the desk itself says to a leg: plays, their beat, and how one ends and the next begins: without
//! a click where the codec lets us, and on the beat of the packets before, so that nothing drifts.

use super::counters::count;
use super::leg::{Joined, Leg, Play};
use super::slab::Token;
use super::worker::{Beat, Worker};
use crate::base::{LegId, PlayId, PromptId};
use crate::rtp::command::Notice;
use crate::rtp::{Filled, Playlist, g711, packet};
use std::sync::Arc;

/// A key stops a play within 50 ms: its last packet, which fades, is sent if it is due within so many.
const FADE_WITHIN_MS: u64 = 40;

/// How something is to be played.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    pub(super) play: PlayId,
    pub(super) looped: bool,
    pub(super) stops_on_key: bool,
}

/// What stopped on a leg.
#[derive(Default)]
pub(super) struct Stopped {
    /// Its last packet is still due, and fades: the number of its beat, and when.
    fading: Option<(Playlist, u32, u64)>,
    /// The loop that the leg heard last, and how far: it goes on there.
    rests: Option<Playlist>,
}

impl<N: Fn(Notice)> Worker<N> {
    /// Begins a play.
    pub(super) fn begin(&mut self, leg: LegId, wish: Wish, names: &[PromptId]) {
        let on_beat_ms = self.find(leg).and_then(|(_, leg)| leg.play.as_ref()?.due_ms);
        self.stop(leg);
        let now_ms = self.now_ms();
        let Some(token) = self.index.get(&leg).copied() else { return };
        let mut prompts = Vec::with_capacity(names.len());
        for name in names {
            match self.prompts.get(name) {
                Some(prompt) => prompts.push(Arc::clone(prompt)),
                None => count(&mut self.counted.prompts_missing),
            }
        }
        if prompts.is_empty() {
            // Nothing to hear, so it is over; a loop of nothing never is.
            if !wish.looped {
                (self.notices)(Notice::PlayDone { leg, play: wish.play });
            }
            return;
        }
        let Some(leg) = self.legs.get_mut(token) else { return };
        let mut list = Playlist::new(prompts, wish.looped);
        if let Some(rests) = leg.stopped.rests.take_if(|rests| rests.is_loop_of(&list)) {
            list = rests;
        }
        list.from_rest();
        leg.beats = leg.beats.wrapping_add(1);
        let (beat, stops_on_key) = (leg.beats, wish.stops_on_key);
        leg.play = Some(Play { id: wish.play, list, beat, due_ms: None, stops_on_key });
        if let Some(line) = &leg.line {
            // The packet that fades keeps its time; without one, this one has the time of the next.
            let packet_ms = u64::from(line.stream.packet_ms());
            let faded = leg.stopped.fading.as_ref();
            let after_ms = faded.map(|(_, _, due_ms)| due_ms.saturating_add(packet_ms));
            let due_ms = after_ms.or(on_beat_ms).unwrap_or(now_ms);
            self.wheel.schedule(due_ms, Beat::Play { leg: token, beat });
        }
        count(&mut self.counted.plays);
    }

    /// Stops what plays.
    pub(super) fn stop(&mut self, leg: LegId) {
        let now_ms = self.now_ms();
        let Some((_, leg)) = self.find(leg) else { return };
        let Some(play) = leg.play.take() else { return };
        let fades = leg.joined == Joined::Alone
            && leg.line.as_ref().is_some_and(|line| g711::law(line.stream.codec).is_some());
        let due_ms = play.due_ms.filter(|due_ms| {
            fades && play.list.has_begun() && due_ms.saturating_sub(now_ms) <= FADE_WITHIN_MS
        });
        leg.stopped.fading = due_ms.map(|due_ms| (play.list.clone(), play.beat, due_ms));
        if play.list.is_looped() {
            leg.stopped.rests = Some(play.list);
        }
        self.counted.plays = self.counted.plays.saturating_sub(1);
    }

    /// A key came: what a key stops, stops, before anybody else has heard of it.
    pub(super) fn key_stops(&mut self, token: Token) {
        let Some(leg) = self.legs.get_mut(token) else { return };
        if leg.play.as_ref().is_some_and(|play| play.stops_on_key) {
            let leg = leg.id;
            self.stop(leg);
        }
    }

    /// Sends a play's next packet and sets its next beat. The beat goes on while the phone is on hold,
    /// so that an announcement ends when it should.
    pub(super) fn play(&mut self, token: Token, beat: u32, due_ms: u64) {
        self.fade(token, beat);
        let Some(leg) = self.legs.get_mut(token) else { return };
        let waits = leg.awaits_keys();
        let Some(play) = leg.play.as_mut().filter(|play| play.beat == beat) else { return };
        let Some(line) = &leg.line else { return };
        let (codec, ptime_ms) = (line.stream.codec, line.stream.packet_ms());
        // An announcement waits for the keys, or its beginning would not be heard.
        if waits {
            let next = due_ms.saturating_add(u64::from(ptime_ms));
            return self.wheel.schedule(next, Beat::Play { leg: token, beat });
        }
        let Some(room) = self.buffer.get_mut(packet::HEADER_BYTES..) else { return };
        let swells = play.due_ms.is_none() && play.list.has_begun();
        let (bytes, ms) = match play.list.fill(codec, ptime_ms, room) {
            Filled::Sound { bytes, ms } => (bytes, ms),
            Filled::Wait { ms } => {
                self.maker.ask(&play.list, codec);
                (0, ms)
            }
            Filled::Over => {
                let (id, done) = (leg.id, play.id);
                leg.play = None;
                leg.out.rest();
                self.counted.plays = self.counted.plays.saturating_sub(1);
                return (self.notices)(Notice::PlayDone { leg: id, play: done });
            }
        };
        if let (true, Some(law), Some(sound)) = (swells, g711::law(codec), room.get_mut(..bytes)) {
            g711::fade(law, true, sound);
        }
        let next = due_ms.saturating_add(u64::from(ms));
        play.due_ms = Some(next);
        self.wheel.schedule(next, Beat::Play { leg: token, beat });
        if bytes > 0 && leg.may_send() && leg.presses.now.is_none() && self.say(token, bytes, ms) {
            count(&mut self.counted.packets_played);
        }
    }

    /// Sends the last packet of what has been stopped.
    fn fade(&mut self, token: Token, beat: u32) {
        let Some(leg) = self.legs.get_mut(token) else { return };
        let faded = leg.stopped.fading.take_if(|(_, faded, _)| *faded == beat);
        let Some((mut list, _, _)) = faded else { return };
        let Some(line) = leg.line.as_ref().filter(|_| leg.is_ours_alone()) else { return };
        let (codec, ptime_ms) = (line.stream.codec, line.stream.packet_ms());
        let Some(room) = self.buffer.get_mut(packet::HEADER_BYTES..) else { return };
        let Filled::Sound { bytes, ms } = list.fill(codec, ptime_ms, room) else { return };
        let (Some(law), Some(sound)) = (g711::law(codec), room.get_mut(..bytes)) else { return };
        g711::fade(law, false, sound);
        if self.say(token, bytes, ms) {
            count(&mut self.counted.packets_played);
        }
    }
}

impl Leg {
    /// Whether nobody but us may be saying something to the phone.
    fn is_ours_alone(&self) -> bool {
        self.joined == Joined::Alone && self.presses.now.is_none() && self.may_send()
    }
}
