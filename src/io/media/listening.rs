//! Keys that a peer tells by nothing but the sound of their tones: its sound is decoded for them alone.
//! Where it also tells them by telephone-event, those are believed, and no key is told twice.

use crate::base::Mono;
use crate::rtp::command::Stream;
use crate::rtp::packet::Header;
use crate::rtp::voice::{Band, Decoder, ToneReader};
use crate::sdp::Codec;
use std::time::Duration;

/// A telephone-event so soon after the same key was heard as a tone is the same press.
const ONE_PRESS: Duration = Duration::from_secs(1);
/// A packet so far behind the newest is a late one; further, a stream that began anew.
const LATE: u16 = 100;

/// The ear for one leg's keys.
pub(super) struct Listener {
    reader: ToneReader,
    codec: Codec,
    /// None when there is no memory for it: then no key is heard.
    decoder: Option<Decoder>,
    newest: Option<(u32, u16)>,
    told: Option<(char, Mono)>,
    /// The peer tells its keys by telephone-event: its tones are only their echo.
    has_events: bool,
}

impl Listener {
    /// Sets up or takes away what the stream needs; what was heard of the same codec stays.
    pub(super) fn fit(listener: &mut Option<Box<Self>>, stream: &Stream) {
        match listener {
            _ if !stream.hears_tones => *listener = None,
            Some(same) if same.codec == stream.codec => {}
            other => {
                let has_events = other.as_ref().is_some_and(|old| old.has_events);
                *other = Some(Box::new(Self {
                    reader: ToneReader::default(),
                    codec: stream.codec,
                    decoder: Decoder::new(stream.codec, Band::Narrow).ok(),
                    newest: None,
                    told: None,
                    has_events,
                }));
            }
        }
    }

    /// A packet of voice; the key whose tones it completes.
    pub(super) fn hear(
        &mut self,
        codec: Codec,
        header: &Header,
        payload: &[u8],
        now: Mono,
    ) -> Option<char> {
        if self.has_events {
            return None;
        }
        if let Some((ssrc, seq)) = self.newest
            && ssrc == header.ssrc
            && seq.wrapping_sub(header.seq) < LATE
        {
            return None;
        }
        self.newest = Some((header.ssrc, header.seq));
        if codec != self.codec {
            // The law of G.711 changed under way.
            self.decoder = Decoder::new(codec, Band::Narrow).ok();
            self.codec = codec;
        }
        let key = self.reader.hear(self.decoder.as_mut()?.decode(payload))?;
        self.told = Some((key, now));
        Some(key)
    }

    /// The peer told a key by telephone-event: from now on it is believed. True when that very press was
    /// told by its tones already.
    pub(super) fn is_echo(&mut self, key: char, now: Mono) -> bool {
        self.has_events = true;
        let told = self.told.take();
        told.is_some_and(|(told, at)| told == key && now.since(at) < ONE_PRESS)
    }
}
