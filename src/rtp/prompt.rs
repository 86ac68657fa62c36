//! A prompt as it goes onto the wire: encoded once for each codec, shared by all who hear it, cut
//! into packets by whoever plays it.

use super::g711;
use crate::sdp::Codec;
use std::sync::Arc;

/// One announcement, ready for every codec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    ulaw: Arc<[u8]>,
    alaw: Arc<[u8]>,
}

impl Prompt {
    /// Encodes 8 kHz samples.
    #[must_use]
    pub fn encode(samples: &[i16]) -> Self {
        let bytes = |codec| samples.iter().map(|sample| g711::encode(codec, *sample)).collect();
        Self { ulaw: bytes(Codec::Pcmu), alaw: bytes(Codec::Pcma) }
    }

    /// The sound in one codec; a byte is a sample of 125 µs.
    #[must_use]
    pub fn sound(&self, codec: Codec) -> &[u8] {
        match codec {
            Codec::Pcmu => &self.ulaw,
            Codec::Pcma => &self.alaw,
        }
    }

    /// Samples in it, the same in each codec.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.ulaw.len()
    }
}

/// Prompts one after another, and how far they have been played. A packet may hold the end of one
/// and the beginning of the next: no gap.
#[derive(Clone, Debug)]
pub struct Playlist {
    prompts: Vec<Arc<Prompt>>,
    looped: bool,
    /// Which prompt, and how many of its samples are played.
    at: (usize, usize),
}

impl Playlist {
    /// From the beginning. Empty prompts are left out, so that a loop always moves.
    #[must_use]
    pub fn new(mut prompts: Vec<Arc<Prompt>>, looped: bool) -> Self {
        prompts.retain(|prompt| prompt.samples() > 0);
        Self { prompts, looped, at: (0, 0) }
    }

    /// Fills one packet's sound, with silence after the end. False, and nothing filled, when the end
    /// was reached before. The codec may change between packets.
    pub fn fill(&mut self, codec: Codec, mut packet: &mut [u8]) -> bool {
        let (mut prompt, mut played) = self.at;
        let mut any = false;
        while !packet.is_empty() {
            let Some(sound) = self.prompts.get(prompt).map(|prompt| prompt.sound(codec)) else {
                if self.looped && !self.prompts.is_empty() {
                    prompt = 0;
                    continue;
                }
                break;
            };
            let rest = sound.get(played..).unwrap_or_default();
            let count = rest.len().min(packet.len());
            let (head, tail) = std::mem::take(&mut packet).split_at_mut(count);
            head.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            packet = tail;
            any |= count > 0;
            played = played.saturating_add(count);
            if played >= sound.len() {
                (prompt, played) = (prompt.saturating_add(1), 0);
            }
        }
        packet.fill(g711::silence(codec));
        self.at = (prompt, played);
        any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(from: u8, count: usize) -> Arc<Prompt> {
        let sound: Vec<u8> = (from..).take(count).collect();
        Arc::new(Prompt { ulaw: sound.clone().into(), alaw: sound.into() })
    }

    fn played(prompts: Vec<Arc<Prompt>>, looped: bool, packets: usize) -> Vec<Vec<u8>> {
        let mut list = Playlist::new(prompts, looped);
        let mut packet = || {
            let mut packet = vec![0; 4];
            list.fill(Codec::Pcmu, &mut packet).then_some(packet)
        };
        (0..packets).map_while(|_| packet()).collect()
    }

    #[test]
    fn prompts_follow_each_other_without_a_gap() {
        let two = || vec![prompt(1, 6), prompt(0, 0), prompt(11, 3)];
        let want: [&[u8]; 3] = [&[1, 2, 3, 4], &[5, 6, 11, 12], &[13, 0xff, 0xff, 0xff]];
        assert_eq!(played(two(), false, 9), want);
        let want: [&[u8]; 4] = [&[1, 2, 3, 4], &[5, 6, 11, 12], &[13, 1, 2, 3], &[4, 5, 6, 11]];
        assert_eq!(played(two(), true, 4), want);
        assert_eq!(played(vec![prompt(1, 1)], true, 1), [[1, 1, 1, 1]], "shorter than a packet");
        assert!(
            played(vec![], true, 3).is_empty() && played(vec![prompt(0, 0)], true, 3).is_empty()
        );
        assert_eq!(
            played(vec![prompt(1, 4)], false, 3).len(),
            1,
            "an exact fit adds no silent packet"
        );
    }
}
