//! What the engine may ask of the recorder, and what it tells back: closed lists.

use crate::base::{CallId, Mono, TapId, Taped, Wall};
use crate::rtp::voice::Band;

/// One recording: the call, and which of its recordings, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordingId {
    /// Whose.
    pub call: CallId,
    /// Which.
    pub number: u32,
}

/// A wish of the engine's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Begins a file; answered by `Began` or `Failed`.
    Begin {
        /// Whose.
        id: RecordingId,
        /// Where its sound comes from.
        tap: TapId,
        /// The beginning of its time line.
        at: Mono,
        /// The same for its name.
        wall: Wall,
        /// How fine.
        band: Band,
        /// Whose voices.
        taped: Taped,
    },
    /// Silence from here on.
    Pause {
        /// Which.
        tap: TapId,
        /// Since when.
        at: Mono,
    },
    /// No longer.
    Resume {
        /// Which.
        tap: TapId,
        /// Since when.
        at: Mono,
    },
    /// Ends the file; answered by `Kept` or `Failed`.
    End {
        /// Which.
        tap: TapId,
        /// Where its time line ends.
        at: Mono,
    },
    /// Deletes a file, one that grows as soon as it is ended; answered by `Deleted`.
    Erase {
        /// Which.
        id: RecordingId,
    },
}

impl Command {
    /// What is answered where no recorder runs: who waits for a file must hear that there will be none.
    #[must_use]
    pub const fn unrecorded(&self) -> Option<Notice> {
        match self {
            Self::Begin { id, .. } => Some(Notice::Failed { id: *id, why: Trouble::Disk }),
            Self::Pause { .. } | Self::Resume { .. } | Self::End { .. } | Self::Erase { .. } => {
                None
            }
        }
    }
}

/// Why a recording came to nothing, or ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Less room is free than must be.
    DiskFull,
    /// The disk or the directory refused.
    Disk,
    /// As many are recorded at once as may be.
    TooMany,
    /// It is as long as a file may be.
    TooLong,
    /// The daemon died while it was made, and no file is left of it.
    Lost,
}

/// What the recorder tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The file is there and grows.
    Began {
        /// Which.
        id: RecordingId,
        /// Its path under the recordings' directory, when it is whole.
        file: String,
    },
    /// It was not begun, or stopped; what there is of it follows as `Kept`.
    Failed {
        /// Which.
        id: RecordingId,
        /// Why.
        why: Trouble,
    },
    /// The file is whole and on the disk.
    Kept {
        /// Which.
        id: RecordingId,
        /// What of it.
        kept: Kept,
    },
    /// The file is deleted.
    Deleted {
        /// Which.
        id: RecordingId,
        /// Its path.
        file: String,
    },
}

/// A file that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its path under the recordings' directory.
    pub file: String,
    /// How long its sound is, milliseconds.
    pub length_ms: u64,
    /// How long the file is.
    pub bytes: u64,
    /// Of the file as it lies, in hexadecimal digits.
    pub sha256: String,
    /// Packets that were lost because the disk was too slow.
    pub dropped: u64,
    /// Packets that came too late to be put in their place.
    pub late: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_for_a_file_hears_that_there_will_be_none_where_no_recorder_runs() {
        let id = RecordingId { call: CallId(uuid::Uuid::from_u128(1)), number: 1 };
        let (tap, at, taped) = (TapId(1), Mono::ZERO, Taped::Caller);
        let begin = Command::Begin { id, tap, at, wall: Wall(0), band: Band::Narrow, taped };
        assert_eq!(begin.unrecorded(), Some(Notice::Failed { id, why: Trouble::Disk }));
        assert_eq!(Command::End { tap, at }.unrecorded(), None);
    }
}
