//! What a recording is, pure: the [`timeline`] on which sound is put where it belongs, the ways to write
//! it, what it is called, how it is encrypted and how long it is kept. Knows no disk, no thread and no
//! call's rules; [`command`] is its face towards the engine.

// What a stranger sends cannot make us panic.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing,))]

pub mod command;
pub mod name;
pub mod opus;
pub mod packet;
pub mod timeline;
pub mod vault;
pub mod wav;

/// What is in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// PCM of 16 bits: any program plays it.
    #[default]
    Wav,
    /// Opus in Ogg: an eighth of the room, and some work for the processor.
    Opus,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Wav, Self::Opus];

    /// What such a file's name ends in.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Opus => "opus",
        }
    }
}
