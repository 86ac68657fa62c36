//! The history of a desk as the figures see it: the store that a configuration names, only read, whether
//! the desk runs or not.

use super::place::Named;
use super::progress::Progress;
use super::{KnownPrompts, Reply, refused, starting};
use crate::base::CallId;
use crate::config::{self, Config, Media, Secrets};
use crate::dialplan::{Lang, Plan, tame};
use crate::event::Entry;
use crate::io::store::{self, Place, Snapshot};
use crate::view::{Policy, Setup, Views};
use clap::Args;
use std::path::{Path, PathBuf};

/// Whose history, and in which form the answer comes.
#[derive(Clone, Debug, Args)]
pub struct Whose {
    /// The desk's configuration: its store, its plan's zone, its settings.
    /// Not named: the one in the folder, or else /etc/madoguchi/madoguchi.toml.
    #[arg(long, value_name = "FILE", default_value = crate::cli::HERE, value_parser = crate::cli::configuration)]
    pub(super) config: PathBuf,
    /// Another store than the configuration names, such as a copy, or `site` for the site's store; it is only
    /// read.
    #[arg(long, value_name = "STORE")]
    pub(super) store: Option<Named>,
    /// JSON instead of text.
    #[arg(long)]
    pub(super) json: bool,
    /// In which words.
    #[command(flatten)]
    pub(super) language: super::Language,
}

impl Whose {
    /// A desk's own history.
    pub(super) fn of(config: &std::path::Path) -> Self {
        let (store, json, language) = (None, false, super::Language::default());
        Self { config: config.to_owned(), store, json, language }
    }

    /// What the configuration says of it; nothing is read of the history yet.
    ///
    /// # Errors
    ///
    /// A reply with exit code 2: the configuration or its plan cannot be read.
    pub(super) fn open(&self, lang: Lang) -> Result<History, Reply> {
        let (config, plan) = config_and_plan(&self.config, lang, 2)?;
        let place = match &self.store {
            None => Place::File(config.store.file),
            Some(named) => named.find(&self.config, lang)?,
        };
        Ok(History { place, policy: config.figures, plan, media: config.media })
    }
}

/// A configuration and the plan that it names.
///
/// # Errors
///
/// A reply of this exit code that says what is wrong with either.
pub(super) fn config_and_plan(path: &Path, lang: Lang, code: u8) -> Result<(Config, Plan), Reply> {
    let refused = |findings: Vec<_>| refused(&findings, lang, code);
    let (config, _) = config::load(path, Secrets::Look).map_err(refused)?;
    let (plan, _) = config::plan_at(&config.plan, None).map_err(refused)?;
    Ok((config, plan))
}

/// Whether a desk would start by a configuration: with its prompts, its plan by what the configuration has, its store,
/// and all of it readable by the desk's user.
///
/// # Errors
///
/// A reply of exit code 1 that says what a start would refuse.
pub(super) fn would_start(path: &Path, lang: Lang, prompts: KnownPrompts) -> Result<(), Reply> {
    let refused = |findings: Vec<_>| refused(&findings, lang, 1);
    let (config, _) = config::load(path, Secrets::Look).map_err(refused)?;
    let known = prompts(config.media.prompts.as_deref()).map_err(|why| Reply::wrong(&why))?;
    let (plan, _) = config::load_plan(&config, Some(&known)).map_err(refused)?;
    let findings = starting::refused(path, &config, Some(&plan));
    if findings.is_empty() { Ok(()) } else { Err(refused(findings)) }
}

/// Hands over every entry of a history after one, in order, with a word on a terminal on how far it is.
///
/// # Errors
///
/// A reply with exit code 2: the store cannot be read.
pub(super) fn each(
    place: &Place,
    after: u64,
    lang: Lang,
    mut take: impl FnMut(&Entry),
) -> Result<(), Reply> {
    let failed = |error: &dyn std::fmt::Display| unread(place, &error.to_string());
    let (mut progress, mut count) = (Progress::begin(lang), 0_u64);
    for block in store::Entries::of(place).map_err(|error| failed(&error))?.after(after) {
        for entry in &block.map_err(|error| failed(&error))? {
            take(entry);
            count = count.saturating_add(1);
        }
        progress.tell(count);
    }
    Ok(())
}

fn unread(place: &Place, why: &str) -> Reply {
    Reply::wrong(&format!("{}: {why}", tame(&place.to_string())))
}

/// The history of one desk.
pub(super) struct History {
    /// The desk's plan.
    pub(super) plan: Plan,
    place: Place,
    policy: Policy,
    media: Media,
}

impl History {
    /// The file that it lies in; none of one in the site's store.
    pub(super) fn file(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) => Some(path),
            Place::Site(_) => None,
        }
    }

    /// Where it lies.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    fn failed(&self, why: &str) -> Reply {
        unread(&self.place, why)
    }

    /// Its hash after an entry, hexadecimal; none of a store that has no hashes yet.
    ///
    /// # Errors
    ///
    /// A reply with exit code 2: the store cannot be read.
    pub(super) fn hash(&self, seq: u64) -> Result<Option<String>, Reply> {
        self.place.hash_after(seq).map_err(|error| self.failed(&error.to_string()))
    }

    /// The entries of one call.
    ///
    /// # Errors
    ///
    /// As [`History::hash`].
    pub(super) fn ladder(&self, call: CallId) -> Result<Vec<Entry>, Reply> {
        self.place.ladder(call).map_err(|error| self.failed(&error.to_string()))
    }

    /// Hands over every entry after one, in order, with a word on a terminal on how far it is.
    ///
    /// # Errors
    ///
    /// As [`History::hash`].
    pub(super) fn each(
        &self,
        after: u64,
        lang: Lang,
        take: impl FnMut(&Entry),
    ) -> Result<(), Reply> {
        each(&self.place, after, lang, take)
    }

    /// The desk's announcements.
    pub(super) fn media(&self) -> &Media {
        &self.media
    }

    /// By which its figures are made.
    pub(super) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The views as the daemon's snapshot has them; none when there is none that fits, which is no fault:
    /// all entries are read then.
    fn snapshot(&self, setup: &Setup) -> Option<Views> {
        let snapshot = Snapshot::read(self.file()?, &setup.shape()).ok()??;
        let mut from = snapshot.views();
        let views = Views::found(setup.clone(), &mut from)?;
        (from.left() == 0 && views.last_seq() == snapshot.seq).then_some(views)
    }

    /// All its views, of all entries: those of the snapshot and those that came after.
    ///
    /// # Errors
    ///
    /// As [`History::hash`].
    pub(super) fn read(&self, lang: Lang) -> Result<Views, Reply> {
        let agents = self.plan.agents.iter().map(|(id, agent)| (id.clone(), agent.name.clone()));
        let setup = Setup {
            desk: self.plan.name.clone(),
            demonstration: false,
            timezone: self.plan.timezone,
            policy: self.policy.clone(),
            agents: agents.collect(),
        };
        let mut views = self.snapshot(&setup).unwrap_or_else(|| Views::new(setup));
        self.each(views.last_seq(), lang, |entry| views.apply(entry))?;
        Ok(views)
    }
}
