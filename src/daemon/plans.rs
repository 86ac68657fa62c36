//! The plan's file for who looks after the desk by its pages: read, judged, replaced and put in force by the
//! same ways as a SIGHUP.

use super::engine_loop::Clock;
use super::reload::Reload;
use crate::base::hex;
use crate::dialplan::Finding;
use crate::io::http::{NotActivated, PlanText, Plans};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Where the plan lies, and who takes it over.
pub(super) struct PlanFile {
    reload: Arc<Reload>,
    clock: Clock,
    /// Two who replace it at once must not undo each other.
    replacing: Mutex<()>,
}

impl PlanFile {
    pub(super) fn new(reload: Arc<Reload>, clock: Clock) -> Self {
        Self { reload, clock, replacing: Mutex::new(()) }
    }
}

fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text))
}

fn said(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
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
        match self.reload.again(self.clock.now().wall.0) {
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
