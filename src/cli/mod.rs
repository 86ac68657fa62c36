//! What is typed after `madoguchi`: arguments, and the commands that only read and answer (`check`,
//! `try`). Commands return what is to be printed and how the program ends; `main` prints and ends.
//!
//! Starts nothing and decides nothing about calls.

mod check;
mod try_call;

#[cfg(test)]
mod tests;

pub use check::check;
pub use try_call::try_call;

use crate::base::PromptId;
use crate::dialplan::{Finding, Lang};
use clap::{Args, Parser, Subcommand};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A desk PBX and ACD whose service levels can be proved call by call.
#[derive(Clone, Debug, Parser)]
#[command(name = "madoguchi", version = env!("CARGO_PKG_VERSION"), about)]
pub struct Arguments {
    /// Of findings and answers.
    #[arg(
        long,
        global = true,
        value_parser = lang,
        value_name = "ja|en",
        help = "Language of findings and answers; without it, by LC_ALL, LC_MESSAGES or LANG"
    )]
    lang: Option<Lang>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Shows the desk on this machine with synthetic callers and agents; nothing else is needed.
    Demo(DemoArguments),
    /// Runs the desk that a configuration describes.
    Serve(ServeArguments),
    /// Checks a plan, or a configuration and all that it names, without starting anything.
    ///
    /// Ends with 0 when it can be used (there may be warnings), 1 when it is refused, 2 when the
    /// command itself was wrong.
    Check(CheckArguments),
    /// Prints the way a call would take through a plan.
    ///
    /// Ends with 0 when the call leads somewhere, 1 when the plan is refused, 2 when the command
    /// itself was wrong, 3 when the number means nothing to that caller.
    Try(TryArguments),
}

/// Of `demo`.
#[derive(Clone, Debug, Args)]
pub struct DemoArguments {
    /// Where the demonstration keeps its own store, passwords and plan; made when missing.
    #[arg(long, default_value = "madoguchi-demo")]
    pub dir: PathBuf,
    /// Where SIP is listened for, UDP and TCP.
    #[arg(long, default_value = "127.0.0.1:5060")]
    pub sip: SocketAddr,
    /// Where the pages are.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub http: SocketAddr,
    /// Ends by itself after so many seconds.
    #[arg(long, value_name = "SECONDS")]
    pub seconds: Option<u64>,
}

/// Of `serve`.
#[derive(Clone, Debug, Args)]
pub struct ServeArguments {
    /// The configuration.
    #[arg(default_value = "madoguchi.toml")]
    pub config: PathBuf,
}

/// Of `check`.
#[derive(Clone, Debug, Args)]
pub struct CheckArguments {
    /// A plan (dialplans/….toml) or a configuration (madoguchi.toml).
    pub file: PathBuf,
    /// A folder with the site's own prompts, when a plan is checked by itself.
    #[arg(long, value_name = "FOLDER")]
    pub prompts: Option<PathBuf>,
    /// Prints every setting of a configuration with the value in force.
    #[arg(long)]
    pub show: bool,
}

/// Of `try`.
#[derive(Clone, Debug, Args)]
pub struct TryArguments {
    /// A plan, or a configuration that names one.
    pub file: PathBuf,
    /// The number that is dialled, or the name of a desk number; `desk` is the first that is counted.
    #[arg(long, value_name = "NUMBER")]
    pub to: String,
    /// When, such as 2026-12-30T10:00 in the plan's zone; now without it.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Who calls: an agent's extension, or anything else for somebody outside.
    #[arg(long, value_name = "NUMBER")]
    pub from: Option<String>,
    /// The trunk by which somebody outside calls; any without it.
    #[arg(long, value_name = "NAME")]
    pub trunk: Option<String>,
    /// Keys pressed, one at each menu: 0 to 9, *, #; a - lets the menu's time pass.
    #[arg(long, value_name = "KEYS", allow_hyphen_values = true)]
    pub press: Vec<String>,
}

impl Arguments {
    /// The language to answer in.
    #[must_use]
    pub fn lang(&self) -> Lang {
        self.lang.unwrap_or_else(|| {
            // As setlocale(3) chooses: the first of the three that is set and not empty.
            let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
                .into_iter()
                .filter_map(|name| std::env::var(name).ok())
                .find(|value| !value.is_empty());
            Lang::from_locale(&locale.unwrap_or_default())
        })
    }
}

fn lang(text: &str) -> Result<Lang, String> {
    match text {
        "ja" => Ok(Lang::Ja),
        "en" => Ok(Lang::En),
        other => Err(format!("\"{other}\" is neither ja nor en")),
    }
}

/// The names of all prompts there are with the recordings of a folder, or why they cannot be read.
pub type KnownPrompts<'a> = &'a dyn Fn(Option<&Path>) -> Result<BTreeSet<PromptId>, String>;

/// What a command has to say and how the program ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// For standard output.
    pub out: String,
    /// For standard error.
    pub err: String,
    /// The exit code.
    pub code: u8,
}

impl Reply {
    /// Prints it.
    #[must_use]
    pub fn finish(self) -> ExitCode {
        // A reader that has gone away (`| head`) is no fault of ours.
        let _ = std::io::stdout().write_all(self.out.as_bytes());
        let _ = std::io::stderr().write_all(self.err.as_bytes());
        ExitCode::from(self.code)
    }

    /// The command itself was wrong.
    fn wrong(said: &str) -> Self {
        Self { err: format!("{said}\n"), code: 2, ..Self::default() }
    }
}

/// Findings as a person reads them, and how many there are.
#[must_use]
pub fn told(findings: &[Finding], lang: Lang) -> String {
    let mut text = String::new();
    for finding in findings {
        text.push_str(&finding.render(lang));
        text.push_str("\n\n");
    }
    let errors = findings.iter().filter(|finding| finding.is_error()).count();
    let warnings = findings.len().saturating_sub(errors);
    let line = match (errors, warnings) {
        (0, 0) => return text,
        (0, _) => lang.pick(format!("警告 {warnings} 件"), format!("warnings: {warnings}")),
        (_, 0) => lang.pick(format!("エラー {errors} 件"), format!("errors: {errors}")),
        _ => lang.pick(
            format!("エラー {errors} 件、警告 {warnings} 件"),
            format!("errors: {errors}, warnings: {warnings}"),
        ),
    };
    text.push_str(&line);
    text.push('\n');
    text
}
