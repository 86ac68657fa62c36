//! Recordings: what the rules want of them becomes a tap on the caller's leg and a word to the recorder;
//! what the recorder tells becomes history.

use super::session::Session;
use super::{Engine, Outbox};
use crate::base::{LegId, Now, TapId, Taped};
use crate::event::{Fact, RecordingEvent, RecordingTrouble};
use crate::pbx::{self, TapeOrder};
use crate::recording::command::{Command, Notice, RecordingId, Trouble};
use crate::rtp::command::Command as Media;
use crate::rtp::voice::Band;
use crate::sdp::Codec;

impl Engine {
    /// What the rules want of a recording.
    pub(super) fn tape(
        &mut self,
        leg: LegId,
        id: RecordingId,
        (order, taped): (TapeOrder, Taped),
        now: Now,
        out: &mut Outbox,
    ) {
        // What a caller's phone cannot carry, nobody has said to it.
        let band = match self.codec(leg) {
            Some(Codec::G722 | Codec::Opus) => Band::Wide,
            Some(Codec::Pcmu | Codec::Pcma) | None => Band::Narrow,
        };
        let Some(session) = self.sessions.get_mut(&leg) else { return };
        let at = now.mono;
        match (order, session.tap) {
            (TapeOrder::Begin, before) => {
                out.recorder.extend(before.map(|tap| Command::End { tap, at }));
                let tap = TapId(self.next_tap);
                self.next_tap = self.next_tap.saturating_add(1);
                session.tap = Some(tap);
                let wall = now.wall;
                out.recorder.push(Command::Begin { id, tap, at, wall, band, taped });
                out.media.push(Media::Tap { leg, tap: Some(tap) });
            }
            (TapeOrder::Pause, Some(tap)) => out.recorder.push(Command::Pause { tap, at }),
            (TapeOrder::Resume, Some(tap)) => out.recorder.push(Command::Resume { tap, at }),
            (TapeOrder::End, Some(tap)) => {
                session.tap = None;
                out.recorder.push(Command::End { tap, at });
                out.media.push(Media::Tap { leg, tap: None });
            }
            (TapeOrder::Pause | TapeOrder::Resume | TapeOrder::End, None) => {}
        }
    }

    /// The leg is forgotten, whatever became of its call.
    pub(super) fn tap_over(&self, session: &Session, now: Now, out: &mut Outbox) {
        out.recorder.extend(session.tap.map(|tap| Command::End { tap, at: now.mono }));
    }

    /// What the recorder tells.
    pub(super) fn recorder(&mut self, notice: Notice, now: Now, out: &mut Outbox) {
        let (id, event) = match notice {
            Notice::Began { .. } => return, // the history has the wish, and will have the file
            Notice::Failed { id, why } => {
                self.tell(pbx::Input::TapeFailed { call: id.call, number: id.number });
                (id, RecordingEvent::Failed { number: id.number, why: trouble(why) })
            }
            Notice::Kept { id, kept } => {
                let event = RecordingEvent::Kept {
                    number: id.number,
                    file: kept.file,
                    length_ms: kept.length_ms,
                    bytes: kept.bytes,
                    sha256: kept.sha256,
                    dropped: kept.dropped,
                    late: kept.late,
                };
                (id, event)
            }
            Notice::Deleted { id, file } => {
                self.tell(pbx::Input::Erased { call: id.call, number: id.number });
                (id, RecordingEvent::Deleted { number: id.number, file })
            }
        };
        self.record(Fact::Recording { call: id.call, t_ms: None, event }, now, out);
    }

    /// Somebody fetched a recording.
    pub(super) fn fetched(&mut self, id: RecordingId, now: Now, out: &mut Outbox) {
        let event = RecordingEvent::Fetched { number: id.number };
        self.record(Fact::Recording { call: id.call, t_ms: None, event }, now, out);
    }
}

/// The history's word for the recorder's.
const fn trouble(why: Trouble) -> RecordingTrouble {
    match why {
        Trouble::DiskFull => RecordingTrouble::DiskFull,
        Trouble::Disk => RecordingTrouble::Disk,
        Trouble::TooMany => RecordingTrouble::TooMany,
        Trouble::TooLong => RecordingTrouble::TooLong,
        Trouble::Lost => RecordingTrouble::Lost,
    }
}
