//! Voices added to one sound.

/// Voices that are added at most; a desk call has three or four.
pub const MAX_SPEAKERS: usize = 16;

/// Adds a voice to the sum; what is too loud is clipped, never turned over.
pub fn add(sum: &mut [i16], voice: &[i16]) {
    for (sum, sample) in sum.iter_mut().zip(voice) {
        *sum = sum.saturating_add(*sample);
    }
}
