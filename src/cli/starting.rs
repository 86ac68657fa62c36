//! What a start of this program would refuse although the files can be read by whoever asks: a store of a later program,
//! files that the desk's user cannot open.

use super::doctor::desk_user;
use crate::config::{self, Config};
use crate::dialplan::{Finding, Plan};
use crate::io::store;
use std::path::Path;

/// What a start by the configuration at `path` would refuse, beside what reading it said.
pub(super) fn refused(path: &Path, config: &Config, plan: Option<&Plan>) -> Vec<Finding> {
    let mut findings = newer(config);
    // Who is not root has read all of it as a user like the desk's; root reads what that one cannot.
    if rustix::process::geteuid().is_root()
        && let Some(user) = desk_user(config)
    {
        findings.extend(config::unreadable(&config.named_files(path, plan), user));
    }
    findings
}

/// That the store is a later program's.
pub(super) fn newer(config: &Config) -> Vec<Finding> {
    let newer = store::newer(&config.store.file);
    newer.map(|it| config.store.newer(it.found, it.known)).unwrap_or_default()
}
