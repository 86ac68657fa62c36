//! `madoguchi accounts hash`: the phones' passwords become hashes that open this desk and nothing else.

use super::{Language, Reply, refused};
use crate::config::{self, Secrets};
use crate::dialplan::{Lang, tame};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Ends with 0 when it is done, 1 when the file cannot be written, 2 when the configuration cannot be used.
#[derive(Clone, Debug, Args)]
pub struct Accounts {
    /// What is done.
    #[command(subcommand)]
    pub command: AccountsCommand,
    /// The configuration; its `[accounts] file` is read and written.
    /// Not named: the one in the folder, or else /etc/madoguchi/madoguchi.toml.
    #[arg(long, value_name = "FILE", default_value = crate::cli::HERE, value_parser = crate::cli::configuration, global = true)]
    pub config: PathBuf,
    /// Answers as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// In which words.
    #[command(flatten)]
    pub language: Language,
}

/// What can be done about accounts.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum AccountsCommand {
    /// Puts hashes for the desk's realm (HA1) in the place of passwords; lines that have hashes stay.
    Hash,
}

/// Does it.
#[must_use]
pub fn accounts(arguments: &Accounts) -> ExitCode {
    let lang = arguments.language.choose();
    match arguments.command {
        AccountsCommand::Hash => hash(arguments, lang).unwrap_or_else(|reply| reply).finish(),
    }
}

fn hash(arguments: &Accounts, lang: Lang) -> Result<Reply, Reply> {
    // What is wrong with the file is told before it is written anew.
    let loaded = config::load(&arguments.config, Secrets::Look);
    let (config, _) = loaded.map_err(|findings| refused(&findings, lang, 2))?;
    let Some(file) = &config.accounts_file else {
        return Err(Reply::wrong(lang.pick(
            "この設定には [accounts] file がない",
            "this configuration has no [accounts] file",
        )));
    };
    let shown = tame(&file.display().to_string());
    let failed = |error: std::io::Error| Reply::cannot(file.display(), error);
    let text = crate::base::Private::new(std::fs::read_to_string(file).map_err(failed)?);
    let (hashed, count) = config::hashed(text.reveal(), &config.sip.realm);
    if count > 0 {
        config::replace_private(file, hashed.reveal()).map_err(failed)?;
    }
    let accounts = config.accounts.len();
    let out = if arguments.json {
        format!("{}\n", serde_json::json!({ "hashed": count, "accounts": accounts }))
    } else {
        lang.pick(
            format!("{shown}: {count} 件のパスワードをハッシュにした（全 {accounts} 件）。動いている窓口には systemctl reload madoguchi で伝わる\n"),
            format!("{shown}: {count} passwords became hashes, of {accounts} accounts; a running desk takes it over by: systemctl reload madoguchi\n"),
        )
    };
    Ok(Reply { out, ..Reply::default() })
}
