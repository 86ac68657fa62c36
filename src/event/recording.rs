//! What happens to a recording, from its first packet to its deletion.

use super::Means;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A step in a recording's life. A call's recordings are numbered from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RecordingEvent {
    /// What caller and agent say is recorded from here on.
    Started {
        /// Which of the call's.
        number: u32,
        /// By what.
        by: Means,
    },
    /// Silence from here on.
    Paused {
        /// Which of the call's.
        number: u32,
        /// By what.
        by: Means,
    },
    /// No longer.
    Resumed {
        /// Which of the call's.
        number: u32,
        /// By what: `rule` when the pause was forgotten.
        by: Means,
    },
    /// No more is recorded; the file follows.
    Stopped {
        /// Which of the call's.
        number: u32,
        /// Why.
        why: RecordingStop,
    },
    /// It could not be begun, or ended before its time; what there is of it may follow as `Kept`.
    Failed {
        /// Which of the call's.
        number: u32,
        /// Why.
        why: RecordingTrouble,
    },
    /// The file is whole and on the disk.
    Kept {
        /// Which of the call's.
        number: u32,
        /// Its path in the directory of recordings.
        file: String,
        /// How long its sound is, milliseconds.
        length_ms: u64,
        /// How long the file is.
        bytes: u64,
        /// SHA-256 of the file as it lies, hexadecimal digits.
        sha256: String,
        /// Packets that are missing because the disk was too slow.
        dropped: u64,
        /// Packets that are missing because they came too late.
        late: u64,
    },
    /// Somebody fetched the file by the API.
    Fetched {
        /// Which of the call's.
        number: u32,
    },
    /// The file was deleted for its age.
    Deleted {
        /// Which of the call's.
        number: u32,
        /// Its path in the directory of recordings.
        file: String,
    },
}

/// Why no more is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "snake_case", tag = "stop")]
pub enum RecordingStop {
    /// The call is over.
    Ended,
    /// A person wanted it so.
    Person {
        /// By what.
        by: Means,
    },
    /// The caller was sent to somebody who is no agent.
    SentAway,
}

/// Why a recording came to nothing or ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordingTrouble {
    /// Less was free on the disk than must be.
    DiskFull,
    /// The disk or the directory refused.
    Disk,
    /// As many were recorded at once as may be.
    TooMany,
    /// It was as long as a file may be.
    TooLong,
    /// The daemon died while it was made, and no file is left of it.
    Lost,
}
