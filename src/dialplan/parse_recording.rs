//! What a plan says about recording: whom it records, and what a caller is told of it.

use super::parse::Reading;
use super::plan::{Recorded, Recording};
use super::reader::Table;
use std::ops::RangeInclusive;
use std::time::Duration;

/// What may be written for whether calls are recorded.
const RECORDED: [(&str, Recorded); 3] =
    [("off", Recorded::Off), ("always", Recorded::Always), ("on_demand", Recorded::OnDemand)];
/// After how long a forgotten pause may end.
const RESUME_AFTER: RangeInclusive<Duration> = Duration::from_secs(5)..=Duration::from_secs(3600);

impl Reading<'_, '_> {
    /// `[recording]`.
    pub(crate) fn recording(&mut self, top: &mut Table) -> Recording {
        let default = Duration::from_secs(120);
        let Some(mut table) = top.table("recording", self.out) else {
            return Recording { announcement: None, resume_after: default };
        };
        let announcement = table.get("announcement").and_then(|item| self.prompt_in(&item));
        let none_needed = table.flag("no_announcement", false, self.out);
        let resume_after = table.duration("resume_after", RESUME_AFTER, default, self.out);
        self.marks.announces = announcement.is_some() || none_needed;
        table.finish(self.out);
        Recording { announcement, resume_after }
    }

    /// `recording = "always"` of a number or a group.
    pub(crate) fn recorded(&mut self, table: &mut Table) -> Option<Recorded> {
        let item = table.get("recording")?;
        let recorded = item.word(&RECORDED, self.out)?;
        if recorded != Recorded::Off {
            self.marks.records.push(item.span);
        }
        Some(recorded)
    }
}
