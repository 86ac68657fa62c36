//! Whose voices a recording holds.

/// Whose voices a recording holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Taped {
    /// Both: the caller on the left channel, the desk on the right one.
    #[default]
    Both,
    /// The caller alone, who leaves a message: one channel, which is heard in both ears.
    Caller,
}

impl Taped {
    /// How many channels its file has.
    #[must_use]
    pub const fn channels(self) -> u8 {
        match self {
            Self::Both => 2,
            Self::Caller => 1,
        }
    }
}
