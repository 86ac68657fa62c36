//! A call's recordings as the call list shows them.

use crate::base::kept;
use crate::event::{RecordingEvent, RecordingStop, RecordingTrouble};
use schemars::JsonSchema;
use serde::Serialize;

/// Recordings of one call, and pauses of one recording, that are listed; the first ones are.
const LISTED: usize = 64;

/// Where a recording stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordedState {
    /// It goes on.
    Running,
    /// Silent for now.
    Paused,
    /// No more is recorded; the file is not whole yet.
    Stopped,
    /// The file is whole.
    Kept,
    /// Nothing is left of it.
    Failed,
    /// The file was deleted for its age.
    Deleted,
}

kept!(
    enum RecordedState {
        Running,
        Paused,
        Stopped,
        Kept,
        Failed,
        Deleted,
    }
);

/// One recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Recorded {
    /// Which of the call's, from 1.
    pub number: u32,
    /// Where it stands.
    pub state: RecordedState,
    /// When it began, milliseconds after the call's arrival.
    pub from_ms: Option<u64>,
    /// Its pauses: from and to, milliseconds after the call's arrival.
    pub pauses: Vec<(u64, Option<u64>)>,
    /// Why it ended, once it has.
    pub stopped: Option<RecordingStop>,
    /// What went wrong with it.
    pub trouble: Option<RecordingTrouble>,
    /// How long its sound is.
    pub length_ms: Option<u64>,
    /// How long the file is.
    pub bytes: Option<u64>,
    /// Of the file, hexadecimal digits.
    pub sha256: Option<String>,
    /// Packets that are missing in it.
    pub missing: u64,
    /// How often it was fetched.
    pub fetched: u64,
}

kept!(struct Recorded { number, state, from_ms, pauses, stopped, trouble, length_ms, bytes, sha256, missing, fetched });

/// Takes the next step of any of a call's recordings.
pub(super) fn step(list: &mut Vec<Recorded>, t_ms: Option<u64>, event: &RecordingEvent) {
    let (RecordingEvent::Started { number, .. }
    | RecordingEvent::Paused { number, .. }
    | RecordingEvent::Resumed { number, .. }
    | RecordingEvent::Stopped { number, .. }
    | RecordingEvent::Failed { number, .. }
    | RecordingEvent::Kept { number, .. }
    | RecordingEvent::Fetched { number }
    | RecordingEvent::Deleted { number, .. }) = event;
    let at = match list.iter().position(|one| one.number == *number) {
        Some(at) => at,
        None if list.len() >= LISTED => return,
        None => {
            list.push(Recorded {
                number: *number,
                state: RecordedState::Running,
                from_ms: t_ms,
                pauses: Vec::new(),
                stopped: None,
                trouble: None,
                length_ms: None,
                bytes: None,
                sha256: None,
                missing: 0,
                fetched: 0,
            });
            list.len() - 1
        }
    };
    let one = &mut list[at];
    match event {
        RecordingEvent::Started { .. } => {}
        RecordingEvent::Paused { .. } => {
            one.state = RecordedState::Paused;
            if one.pauses.len() < LISTED {
                one.pauses.push((t_ms.unwrap_or(0), None));
            }
        }
        RecordingEvent::Resumed { .. } => {
            one.state = RecordedState::Running;
            one.end_pause(t_ms);
        }
        RecordingEvent::Stopped { why, .. } => {
            one.state = RecordedState::Stopped;
            one.stopped = Some(*why);
            one.end_pause(t_ms);
        }
        RecordingEvent::Failed { why, .. } => {
            one.state = RecordedState::Failed;
            one.trouble = Some(*why);
            one.end_pause(t_ms);
        }
        RecordingEvent::Kept { length_ms, bytes, sha256, dropped, late, .. } => {
            one.state = RecordedState::Kept;
            (one.length_ms, one.bytes) = (Some(*length_ms), Some(*bytes));
            one.sha256 = Some(sha256.clone());
            one.missing = dropped.saturating_add(*late);
        }
        RecordingEvent::Fetched { .. } => one.fetched = one.fetched.saturating_add(1),
        RecordingEvent::Deleted { .. } => one.state = RecordedState::Deleted,
    }
}

impl Recorded {
    fn end_pause(&mut self, t_ms: Option<u64>) {
        if let Some((_, to @ None)) = self.pauses.last_mut() {
            *to = t_ms;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Means;

    #[test]
    fn a_recordings_life_is_told_by_its_steps() {
        let (number, by) = (1, Means::Rule);
        let mut list = Vec::new();
        let mut take = |t_ms, event: RecordingEvent| {
            step(&mut list, t_ms, &event);
            list[0].clone()
        };
        assert_eq!(take(Some(10), RecordingEvent::Started { number, by }).from_ms, Some(10));
        let paused = take(Some(20), RecordingEvent::Paused { number, by: Means::Api });
        assert_eq!((paused.state, paused.pauses), (RecordedState::Paused, vec![(20, None)]));
        let on = take(Some(30), RecordingEvent::Resumed { number, by });
        assert_eq!((on.state, on.pauses), (RecordedState::Running, vec![(20, Some(30))]));
        let why = RecordingStop::Ended;
        assert_eq!(take(Some(40), RecordingEvent::Stopped { number, why }).stopped, Some(why));
        let kept = RecordingEvent::Kept {
            number,
            file: "2026-11-26/x.wav".to_owned(),
            length_ms: 30,
            bytes: 1_004,
            sha256: "ab".to_owned(),
            dropped: 2,
            late: 1,
        };
        let kept = take(None, kept);
        assert_eq!((kept.state, kept.length_ms, kept.missing), (RecordedState::Kept, Some(30), 3));
        assert_eq!(take(None, RecordingEvent::Fetched { number }).fetched, 1);
        let file = "2026-11-26/x.wav".to_owned();
        let gone = take(None, RecordingEvent::Deleted { number, file });
        assert_eq!(gone.state, RecordedState::Deleted);
    }
}
