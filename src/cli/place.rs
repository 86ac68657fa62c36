//! Which history a command reads: a store's file, or the site's store that a configuration names.

use super::Reply;
use super::history::config_and_plan;
use crate::config::{Config, SiteConfig};
use crate::dialplan::{Lang, Plan};
use crate::io::store::Place;
use crate::io::store::site::{Address, Host, SiteHistory, Tls};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A store as it is named on the command line: a file, or `site`, `site:CONFIG`, either with `#NUMBER` of a
/// history behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// A store's file.
    File(PathBuf),
    /// The site's store.
    Site {
        /// Of this configuration, not of the command's own.
        config: Option<PathBuf>,
        /// The history's number there, not that of the plan's name.
        number: Option<u32>,
    },
}

impl FromStr for Named {
    type Err = std::convert::Infallible;

    /// Every text is one; a file called `site` is reached as `./site`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, number) = match text.rsplit_once('#').map(|(name, it)| (name, it.parse())) {
            Some((name, Ok(number))) => (name, Some(number)),
            _ => (text, None),
        };
        let config = match name.strip_prefix("site") {
            Some("") => None,
            Some(rest) if rest.starts_with(':') => Some(rest.trim_start_matches(':').into()),
            _ => return Ok(Self::File(text.into())),
        };
        Ok(Self::Site { config, number })
    }
}

/// The configuration of a command that is told none.
const CONFIG: &str = "madoguchi.toml";

impl Named {
    /// Where it lies, for a command that has no configuration of its own.
    ///
    /// # Errors
    ///
    /// As [`Named::find`].
    pub(super) fn find_alone(&self, lang: Lang) -> Result<Place, Reply> {
        self.find(Path::new(CONFIG), lang)
    }

    /// Where it lies. `own` is the command's own configuration.
    ///
    /// # Errors
    ///
    /// A reply with exit code 2: the configuration cannot be read, or names no site's store.
    pub(super) fn find(&self, own: &Path, lang: Lang) -> Result<Place, Reply> {
        match self {
            Self::File(path) => Ok(Place::File(path.clone())),
            Self::Site { config, number } => {
                let path = config.as_deref().unwrap_or(own);
                let (config, plan) = config_and_plan(path, lang, 2)?;
                of_site(&config, &plan, path, *number, lang)
            }
        }
    }
}

/// The desk's own history in the site's store.
pub(super) fn of_site(
    config: &Config,
    plan: &Plan,
    path: &Path,
    number: Option<u32>,
    lang: Lang,
) -> Result<Place, Reply> {
    let Some(site) = &config.store.site else { return Err(no_site(path, lang)) };
    let desk = number.map_or_else(|| plan.name.clone(), |number| format!("#{number}"));
    Ok(Place::Site(SiteHistory { address: address(site), desk }))
}

/// The configuration names no such store.
pub(super) fn no_site(path: &Path, lang: Lang) -> Reply {
    let path = path.display();
    Reply::wrong(&lang.pick(
        format!("{path}: [store.site] がない（docs/SITE.md）"),
        format!(
            "{path}: found no [store.site], which says where the site's store is (docs/SITE.md)"
        ),
    ))
}

/// The site's store as the configuration names it.
#[must_use]
pub fn address(site: &SiteConfig) -> Address {
    Address {
        host: if site.host.starts_with('/') {
            Host::Socket(PathBuf::from(&site.host), site.port)
        } else {
            Host::Network(site.host.clone(), site.port)
        },
        database: site.database.clone(),
        user: site.user.clone(),
        password_file: site.password_file.clone(),
        tls: if site.tls { Tls::Verified(site.ca_file.clone()) } else { Tls::Off },
    }
}
