//! Which running desk a command speaks with, by its API and its own token.

use super::client::{Client, ClientError};
use super::history::{config_and_plan, would_start};
use super::{Language, Reply, prompts_there, refused};
use crate::config::{self, Secrets};
use crate::dialplan::{Lang, Plan};
use clap::Args;
use std::path::PathBuf;

/// Which desk, and in which words.
#[derive(Clone, Debug, Args)]
pub(super) struct Reach {
    /// The desk's configuration: where its API is and where its token lies.
    /// Not named: the one in the folder, or else /etc/madoguchi/madoguchi.toml.
    #[arg(long, value_name = "FILE", default_value = crate::cli::HERE, value_parser = crate::cli::configuration)]
    config: PathBuf,
    /// The API's address when it is another than the configuration says; https:// with its certificate.
    #[arg(long, value_name = "http://ADDRESS:PORT")]
    url: Option<String>,
    #[command(flatten)]
    language: Language,
}

impl Reach {
    /// The plan that the configuration names.
    ///
    /// # Errors
    ///
    /// A reply that says what is wrong with either.
    pub(super) fn plan(&self, lang: Lang) -> Result<Plan, Reply> {
        let (_, plan) = config_and_plan(&self.config, lang, 1)?;
        Ok(plan)
    }

    /// Whether the desk would start by these files.
    ///
    /// # Errors
    ///
    /// A reply that says what it would refuse.
    pub(super) fn judge_start(&self, lang: Lang) -> Result<(), Reply> {
        would_start(&self.config, lang, &prompts_there)
    }

    /// The way to ask, and the language of what is said.
    ///
    /// # Errors
    ///
    /// A reply that says what is wrong with the configuration or the address.
    pub(super) fn client(&self) -> Result<(Client, Lang), Reply> {
        let lang = self.language.choose();
        let config = match config::load(&self.config, Secrets::Look) {
            Ok((config, _)) => config,
            Err(findings) => return Err(refused(&findings, lang, 1)),
        };
        let client = match &self.url {
            Some(url) => Client::at(url, &config),
            None => Ok(Client::new(&config)),
        };
        client.map(|client| (client, lang)).map_err(|error| Reply::wrong(&error.told(lang)))
    }
}

/// What the operator reads of a request that brought no good answer.
pub(super) fn failed(error: &ClientError, lang: Lang) -> Reply {
    Reply { err: format!("{}\n", error.told(lang)), code: 1, ..Reply::default() }
}
