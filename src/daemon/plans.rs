//! The plan's file for who looks after the desk by its pages: read, judged, replaced and put in force by the
//! same ways as a SIGHUP.

use super::engine_loop::Clock;
use super::planning;
use super::reload::Reload;
use crate::base::{Number, Wall, beside, hex};
use crate::dialplan::{Finding, Plan};
use crate::io::http::{
    NotActivated, NotCompared, PlanEffect, PlanEffectCall, PlanEffectNumber, PlanText, Plans,
};
use crate::io::store::{Entries, Place};
use crate::rehearse::{Changed, Comparison};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

/// Days behind us whose calls are put to another plan: 31.
const BEHIND_MS: i64 = 31 * 86_400_000;
/// Calls that are told one by one.
const MOST_SHOWN: usize = 200;

/// Where the plan lies, and who takes it over.
pub(super) struct PlanFile {
    reload: Arc<Reload>,
    clock: Clock,
    /// Two who replace it at once must not undo each other.
    replacing: Mutex<()>,
    /// The history, and that it is read for one comparison at a time.
    history: Mutex<Place>,
}

impl PlanFile {
    pub(super) fn new(reload: Arc<Reload>, clock: Clock, history: Place) -> Self {
        Self { reload, clock, replacing: Mutex::new(()), history: Mutex::new(history) }
    }

    /// The calls of the days behind us under two plans.
    fn compared(
        old: &Plan,
        new: &Plan,
        span: (Wall, Wall),
        place: &Place,
    ) -> Result<PlanEffect, String> {
        let mut comparison = Comparison::new(old, new, span);
        for block in Entries::of(place).map_err(|error| error.to_string())? {
            let block = block.map_err(|error| error.to_string())?;
            for entry in &block {
                comparison.apply(entry);
            }
        }
        comparison.finish();
        let number = |(number, (calls, changed)): (&Number, &(u64, u64))| PlanEffectNumber {
            number: number.to_string(),
            name: old.desk_numbers.get(number).map(|desk| desk.name.clone()).unwrap_or_default(),
            calls: *calls,
            changed: *changed,
        };
        let call = |changed: &Changed| PlanEffectCall {
            call: changed.call.to_string(),
            at_ms: changed.at,
            number: changed.number.to_string(),
            was: changed.was.clone(),
            is: changed.is.clone(),
        };
        Ok(PlanEffect {
            from_ms: span.0,
            until_ms: span.1,
            numbers: comparison.numbers.iter().map(number).collect(),
            calls: comparison.changed.iter().take(MOST_SHOWN).map(call).collect(),
        })
    }
}

fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text))
}

fn said(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

impl Plans for PlanFile {
    fn text(&self) -> Result<PlanText, String> {
        let path = self.reload.plan_file();
        let text = fs::read_to_string(&path).map_err(|error| said(&path, &error))?;
        let sha256 = sha256(&text);
        let in_force = self.reload.plan_in_force() == text;
        Ok(PlanText { file: path.display().to_string(), text, sha256, in_force })
    }

    fn check(&self, text: &str) -> Vec<Finding> {
        self.reload.judge_plan(text)
    }

    fn effect(&self, text: &str) -> Result<PlanEffect, NotCompared> {
        let place = match self.history.try_lock() {
            Ok(place) => place,
            Err(TryLockError::Poisoned(place)) => place.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(NotCompared::Busy),
        };
        let unreadable = |why: &str| NotCompared::Unreadable(why.to_owned());
        let old =
            self.reload.plan_now().ok_or_else(|| unreadable("the plan in force cannot be read"))?;
        let new = self.reload.plan_of(text).map_err(NotCompared::Refused)?;
        let now = self.clock.now().wall;
        let span = (Wall(now.0.saturating_sub(BEHIND_MS)), now);
        // By a thread that others go before: a history of years takes seconds.
        let (tell, told) = std::sync::mpsc::channel();
        let there = place.clone();
        let begun = planning::beside("plan-effect", move || {
            let _ = tell.send(Self::compared(&old, &new, span, &there));
        });
        begun.map_err(|error| unreadable(&error.to_string()))?;
        // It is gone without a word only if it panicked, which the log tells.
        let found =
            told.recv().map_err(|_| unreadable("a fault of the program; the log says where"))?;
        found.map_err(NotCompared::Unreadable)
    }

    fn activate(&self, text: &str, instead_of: &str) -> Result<Vec<Finding>, NotActivated> {
        let _alone = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.reload.plan_file();
        let failed = |path: &Path, error: std::io::Error| NotActivated::File(said(path, &error));
        let old = fs::read_to_string(&path).map_err(|error| failed(&path, error))?;
        if sha256(&old) != instead_of {
            return Err(NotActivated::Changed);
        }
        let findings = self.reload.judge_plan(text);
        if findings.iter().any(Finding::is_error) {
            return Err(NotActivated::Refused(findings));
        }
        let (new, kept) = (beside(&path, ".new"), beside(&path, ".previous"));
        let put =
            |into: &Path, text: &str| fs::write(into, text).map_err(|error| failed(into, error));
        put(&kept, &old)?;
        put(&new, text)?;
        // The file keeps its mode: an operator reads it, too.
        if let Ok(about) = fs::metadata(&path) {
            fs::set_permissions(&new, about.permissions()).map_err(|error| failed(&new, error))?;
        }
        fs::rename(&new, &path).map_err(|error| failed(&path, error))?;
        match self.reload.again() {
            Ok(_) => Ok(findings),
            // Something else that is read again with it is wrong: the desk goes by the old plan, and so
            // does the file.
            Err(findings) => {
                put(&path, &old)?;
                Err(NotActivated::Refused(findings))
            }
        }
    }
}
