//! The history of a desk as the figures see it: the store that a configuration names, only read, whether
//! the desk runs or not.

use super::{Reply, told};
use crate::config::{self, Secrets};
use crate::dialplan::{Lang, tame};
use crate::event::Entry;
use crate::io::store;
use crate::view::{Setup, Views};
use clap::Args;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

/// Entries between two signs of life on a terminal.
const SIGN_EVERY: usize = 50_000;

/// Whose history, and in which form the answer comes.
#[derive(Clone, Debug, Args)]
pub struct Whose {
    /// The desk's configuration: its store, its plan's zone, its settings.
    #[arg(long, value_name = "FILE", default_value = "madoguchi.toml")]
    pub(super) config: PathBuf,
    /// Another store than the configuration names, such as a copy; it is only read.
    #[arg(long, value_name = "STORE")]
    pub(super) store: Option<PathBuf>,
    /// JSON instead of text.
    #[arg(long)]
    pub(super) json: bool,
    /// In which words.
    #[command(flatten)]
    pub(super) language: super::Language,
}

impl Whose {
    /// The history's hash after an entry, hexadecimal; none of a store that has no hashes yet.
    ///
    /// # Errors
    ///
    /// A reply with exit code 2: the configuration or the store cannot be read.
    pub(super) fn hash(&self, lang: Lang, seq: u64) -> Result<Option<String>, Reply> {
        let refused =
            |findings: Vec<_>| Reply { err: told(&findings, lang), code: 2, ..Reply::default() };
        let (config, _) = config::load(&self.config, Secrets::Look).map_err(refused)?;
        let file = self.store.as_ref().unwrap_or(&config.store.file);
        store::hash_after(file, seq).map_err(|error| {
            Reply::wrong(&format!("{}: {error}", tame(&file.display().to_string())))
        })
    }

    /// All views of the history; `each` is shown every entry on the way.
    ///
    /// # Errors
    ///
    /// A reply with exit code 2: the configuration or the store cannot be read.
    pub(super) fn read(&self, lang: Lang, mut each: impl FnMut(&Entry)) -> Result<Views, Reply> {
        let refused =
            |findings: &[_]| Reply { err: told(findings, lang), code: 2, ..Reply::default() };
        let (config, _) = config::load(&self.config, Secrets::Look).map_err(|it| refused(&it))?;
        let (plan, _) = config::plan_at(&config.plan, None).map_err(|it| refused(&it))?;
        let file = self.store.as_ref().unwrap_or(&config.store.file);
        let failed = |why: String| {
            let file = tame(&file.display().to_string());
            Reply::wrong(&format!("{file}: {why}"))
        };
        let agents = plan.agents.iter().map(|(id, agent)| (id.clone(), agent.name.clone()));
        let mut views = Views::new(Setup {
            desk: plan.name.clone(),
            demonstration: false,
            timezone: plan.timezone,
            policy: config.figures.clone(),
            agents: agents.collect(),
        });
        let entries = store::Entries::read_only(file).map_err(|error| failed(error.to_string()))?;
        let (watched, mut count) = (std::io::stderr().is_terminal(), 0_usize);
        for block in entries {
            for entry in &block.map_err(|error| failed(error.to_string()))? {
                views.apply(entry);
                each(entry);
                count = count.saturating_add(1);
                if watched && count.is_multiple_of(SIGN_EVERY) {
                    // Whether anybody can see it changes nothing.
                    let _ = write!(std::io::stderr(), "\r{count} …");
                }
            }
        }
        if watched && count >= SIGN_EVERY {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
        Ok(views)
    }
}
