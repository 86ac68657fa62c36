//! Keys towards a phone: as telephone-events where it takes them, else as the tones of a keypad.

use super::counters::count;
use super::leg::Pressing;
use super::slab::Token;
use super::worker::{Beat, Worker};
use crate::rtp::command::Notice;
use crate::rtp::{Filled, KeyWriter, Playlist, packet};
use std::sync::Arc;

/// Between two packets of a key, milliseconds.
const STEP_MS: u8 = 20;

impl<N: Fn(Notice)> Worker<N> {
    /// Takes a key that is to be pressed.
    pub(super) fn press(&mut self, token: Token, key: char) {
        let now_ms = self.now_ms();
        let Some(leg) = self.legs.get_mut(token) else { return };
        if leg.line.as_ref().is_some_and(|line| line.stream.told_by_info) {
            return;
        }
        leg.presses.push(key);
        if !std::mem::replace(&mut leg.presses.beating, true) {
            self.wheel.schedule(now_ms, Beat::Key { leg: token });
        }
    }

    /// Sends the next packet of the key that is down, or presses the next one.
    pub(super) fn beat_key(&mut self, token: Token, due_ms: u64) {
        let Some(leg) = self.legs.get_mut(token) else { return };
        if leg.presses.now.is_none() {
            let key = leg.presses.waiting.pop_front();
            let stream = leg.line.as_ref().map(|line| &line.stream);
            let (Some(key), Some(stream)) = (key, stream) else {
                leg.presses.beating = false;
                return;
            };
            leg.presses.now = match stream.send_event_pt {
                Some(_) => KeyWriter::press(key, stream.event_clock_hz).map(Pressing::Event),
                None => {
                    let tones = self.prompts.key(key).map(Arc::clone);
                    tones.map(|tones| Pressing::Tone(Playlist::new(vec![tones], false)))
                }
            };
        }
        let ms = self.say_key(token).unwrap_or(STEP_MS);
        self.wheel.schedule(due_ms.saturating_add(u64::from(ms)), Beat::Key { leg: token });
    }

    /// Says the next packet; its milliseconds, or none when the key is over.
    fn say_key(&mut self, token: Token) -> Option<u8> {
        let leg = self.legs.get_mut(token)?;
        let may_send = leg.may_send();
        let stream = &leg.line.as_ref()?.stream;
        let room = self.buffer.get_mut(packet::HEADER_BYTES..)?;
        match leg.presses.now.as_mut()? {
            Pressing::Event(writer) => {
                let step =
                    stream.event_clock_hz.checked_div(1000)?.saturating_mul(u32::from(STEP_MS));
                let Some(((payload, first), payload_type)) =
                    writer.next(step).zip(stream.send_event_pt)
                else {
                    leg.presses.now = None;
                    return None;
                };
                room.iter_mut().zip(payload).for_each(|(to, from)| *to = from);
                let stamp = leg.out.key(first, self.now);
                let place =
                    packet::HEADER_BYTES..packet::HEADER_BYTES.saturating_add(payload.len());
                if may_send && self.send_stamped(token, payload_type, stamp, place) {
                    count(&mut self.counted.packets_made);
                }
                Some(STEP_MS)
            }
            Pressing::Tone(tones) => match tones.fill(stream.codec, stream.packet_ms(), room) {
                Filled::Sound { bytes, ms } => {
                    if may_send && self.say(token, bytes, ms) {
                        count(&mut self.counted.packets_made);
                    }
                    Some(ms)
                }
                Filled::Wait { ms } => {
                    self.maker.ask(tones, stream.codec);
                    Some(ms)
                }
                Filled::Over => {
                    leg.presses.now = None;
                    None
                }
            },
        }
    }
}
