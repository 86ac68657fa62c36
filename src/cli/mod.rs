//! The commands beside the running desk: `check`, `try`, `test`, `diff`, `verify`, `backup`, `restore`, `erase`, `export`, `events`, `holidays`,
//! `prompts`, `sip`, `tickets`, `report`, `people`, `recording`, `warning`, `simulate`, `forecast`, `validate`,
//! `accounts`, `init`, `doctor`, `reload`, `drain`, `traces`, `log`, `runbook` and `manual`, with their arguments.
//!
//! Starts nothing and decides nothing about calls.

mod accounts;
mod backup;
mod check;
mod client;
mod diff;
mod doctor;
mod drain;
mod erase;
mod events;
mod export;
mod exported;
mod figures;
mod following;
mod forecast;
mod history;
mod holidays;
mod init;
mod log;
mod manual;
mod people;
mod pinned;
mod place;
mod progress;
mod prompts;
mod reach;
mod recording;
mod rehearse;
mod reload;
mod report;
mod runbook;
mod sip;
mod site;
mod starting;
mod tickets;
mod traces;
mod verify;
mod walk;
mod warning;

#[cfg(test)]
mod tests;

pub use accounts::{Accounts, AccountsCommand, accounts};
pub use backup::{Backup, Restore, backup, restore};
pub use doctor::{Doctor, doctor};
pub use drain::{Drain, drain};
pub use erase::{Erase, erase};
pub use events::{Events, events};
pub use export::{Export, export};
pub use figures::{
    Calls, CloseMonth, Exclude, Explain, Operating, ServiceLevel, calls, close_month, exclude,
    explain, operating, service_level,
};
pub(crate) use forecast::bundle;
pub use forecast::{Forecast, Simulate, Validate, forecast, simulate, validate};
pub use init::{Init, init};
pub use log::{Log, log};
pub use manual::{Manual, manual, with_examples};
pub use people::{People, PeopleCommand, people};
pub use place::{Named, address as site_address};
pub use prompts::{Prompts, prompts};
pub use recording::{Recording, recording};
pub use reload::{Reload, reload};
pub(crate) use report::report_files;
pub use report::{Report, report};
pub use runbook::{Runbook, runbook};
pub use sip::{Sip, sip};
pub use site::{Site, site};
pub(crate) use tickets::system;
pub use tickets::{Tickets, tickets};
pub use traces::{Traces, traces};
pub use verify::{Verify, verify};
pub(crate) use warning::Way;
pub use warning::{Warning, WarningCommand, warning};

use crate::base::{AdHoc, CallId, PromptId, Wall};
use crate::dialplan::{self, Finding, Lang, tame};
use crate::io::media::PromptLibrary;
use crate::rtp::tone::Country;
use clap::Args;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Where a finding's or an answer's language is chosen.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Language {
    /// Of findings and answers.
    #[arg(
        long,
        global = true,
        value_parser = lang,
        value_name = "ja|en",
        help = "Language of the answer; without it, by LC_ALL, LC_MESSAGES or LANG"
    )]
    lang: Option<Lang>,
}

/// Ends with 0 when the file can be used (there may be warnings), 1 when it is refused, 2 when the
/// command itself was wrong.
#[derive(Clone, Debug, Args)]
pub struct Check {
    /// A plan (dialplans/….toml) or a configuration (madoguchi.toml).
    pub file: PathBuf,
    /// A folder with the site's own prompts, when a plan is checked by itself.
    #[arg(long, value_name = "FOLDER")]
    pub prompts: Option<PathBuf>,
    /// Prints every setting of a configuration with the value in force.
    #[arg(long)]
    pub show: bool,
    /// In which words.
    #[command(flatten)]
    pub language: Language,
}

/// Ends with 0 when the call leads somewhere, 1 when the plan is refused, 2 when the command itself
/// was wrong, 3 when the number means nothing to that caller.
#[derive(Clone, Debug, Args)]
pub struct Try {
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
    /// As if somebody had closed or opened the desk out of turn: open, closed or disaster.
    #[arg(long, value_parser = ad_hoc, value_name = "open|closed|disaster")]
    pub ad_hoc: Option<AdHoc>,
    /// Keys pressed, one at each menu: 0 to 9, *, #; a - lets the menu's time pass.
    #[arg(long, value_name = "KEYS", allow_hyphen_values = true)]
    pub press: Vec<String>,
    /// In which words.
    #[command(flatten)]
    pub language: Language,
}

/// Ends with 0 when every call of every table does what is due, 1 when one does not, a plan or a table is
/// refused or a plan has no table, 2 when the command itself was wrong.
#[derive(Clone, Debug, Args)]
pub struct Test {
    /// Plans, or configurations that name one; their tables stand beside them (PLAN.test.toml).
    #[arg(required = true, value_name = "PLAN")]
    pub plans: Vec<PathBuf>,
    /// In which words.
    #[command(flatten)]
    pub language: Language,
}

/// Ends with 0 when the table was made, 1 when it was not, 2 when the command itself was wrong.
#[derive(Clone, Debug, Args)]
pub struct Holidays {
    /// What is done.
    #[command(subcommand)]
    pub command: HolidaysCommand,
    /// In which words.
    #[command(flatten)]
    pub language: Language,
}

/// What can be done with holidays.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum HolidaysCommand {
    /// Makes a table that a plan can name out of the Cabinet Office's syukujitsu.csv.
    Import {
        /// The file as it was published, in Shift JIS.
        file: PathBuf,
        /// The table that is made; one that is there is replaced.
        #[arg(long, value_name = "FILE", default_value = "holidays.csv")]
        to: PathBuf,
    },
}

/// Ends with 0 when no call goes another way, 1 when one does, 2 when a plan or the history cannot be used.
#[derive(Clone, Debug, Args)]
pub struct Diff {
    /// The plan that the calls came under.
    pub old: PathBuf,
    /// The plan that is to take its place.
    pub new: PathBuf,
    /// The store with the history (the configuration's `[store] file`, or a copy; `site:CONFIG` the site's
    /// store); it is only read.
    #[arg(long, value_name = "STORE")]
    pub history: Named,
    /// Calls that arrived then or later, such as 2026-10-01 or 2026-10-01T08:30 in the old plan's zone.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Calls that arrived before then.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Shows callers' numbers.
    #[arg(long)]
    pub callers: bool,
    /// Also says what the same calls would come to under both plans, with the agents who were there
    /// (docs/FORECAST.md).
    #[arg(long)]
    pub outcomes: bool,
    /// In which words.
    #[command(flatten)]
    pub language: Language,
}

/// Says which calls of a history would go another way under another plan.
#[must_use]
pub fn diff(arguments: &Diff) -> ExitCode {
    diff::answer(arguments, arguments.language.choose()).finish()
}

/// Makes a table of holidays.
#[must_use]
pub fn holidays(arguments: &Holidays) -> ExitCode {
    holidays::answer(arguments, arguments.language.choose()).finish()
}

/// Checks a plan or a configuration and prints what was found.
#[must_use]
pub fn check(arguments: &Check) -> ExitCode {
    check::answer(arguments, arguments.language.choose(), &prompts_there).finish()
}

/// Walks one call through a plan and prints its way.
#[must_use]
pub fn walk(arguments: &Try) -> ExitCode {
    walk::answer(arguments, arguments.language.choose(), now()).finish()
}

/// Puts the calls of the tables beside a plan to the rules and prints which do not do what is due.
#[must_use]
pub fn test(arguments: &Test) -> ExitCode {
    rehearse::answer(arguments, arguments.language.choose()).finish()
}

impl Language {
    /// The one that was asked for, or the environment's.
    #[must_use]
    pub fn choose(self) -> Lang {
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

fn ad_hoc(text: &str) -> Result<AdHoc, String> {
    let known = AdHoc::NAMES.iter().find(|(name, _)| *name == text).map(|(_, known)| *known);
    known.ok_or_else(|| format!("\"{text}\" is none of open, closed, disaster"))
}

/// All prompts, with the recordings of a folder.
fn prompts_there(folder: Option<&Path>) -> Result<BTreeMap<PromptId, Duration>, String> {
    let library = PromptLibrary::load(folder, Country::default());
    library.map(|library| library.lengths()).map_err(|error| error.to_string())
}

/// All prompts there are, with their lengths, with the recordings of a folder, or why they cannot be read.
type KnownPrompts<'a> = &'a dyn Fn(Option<&Path>) -> Result<BTreeMap<PromptId, Duration>, String>;

/// What a command has to say and how the program ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Reply {
    /// For standard output.
    out: String,
    /// For standard error.
    err: String,
    /// The exit code.
    code: u8,
}

impl Reply {
    /// Prints it.
    fn finish(self) -> ExitCode {
        // A reader that has gone away (`| head`) is no fault of ours.
        let _ = std::io::stdout().write_all(self.out.as_bytes());
        let _ = std::io::stderr().write_all(self.err.as_bytes());
        ExitCode::from(self.code)
    }

    /// The command itself was wrong.
    fn wrong(said: &str) -> Self {
        Self { err: format!("{said}\n"), code: 2, ..Self::default() }
    }

    /// A file, or whatever else, with which something could not be done; it exits with 1.
    fn cannot(what: impl std::fmt::Display, why: impl std::fmt::Display) -> Self {
        let name = tame(&what.to_string());
        Self { err: format!("{name}: {why}\n"), code: 1, ..Self::default() }
    }
}

/// A file that the command cannot do without is not as it must be.
fn refused(findings: &[Finding], lang: Lang, code: u8) -> Reply {
    Reply { err: told(findings, lang), code, ..Reply::default() }
}

/// The wall clock.
/// A call's id as a person writes it.
fn call_id(text: &str, lang: Lang) -> Result<CallId, Reply> {
    text.parse().map(CallId).map_err(|_| {
        Reply::wrong(lang.pick(
            "呼の番号ではない（例: 0199a0c1-5b00-7000-8000-000000000001）",
            "not a call's id, such as 0199a0c1-5b00-7000-8000-000000000001",
        ))
    })
}

fn now() -> Wall {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A time that a person wrote, in `zone` where it names none; a day alone is its midnight.
fn moment(text: &str, zone: chrono_tz::Tz, lang: Lang) -> Result<Wall, Reply> {
    let day = format!("{text}T00:00");
    let mut at = [text, day.as_str()].into_iter();
    at.find_map(|text| dialplan::moment(text, zone)).ok_or_else(|| {
        let text = tame(text);
        Reply::wrong(&lang.pick(
            format!("\"{text}\" は日時として読めない（例: 2026-10-01、2026-10-01T08:30）"),
            format!("\"{text}\" is not a time, such as 2026-10-01 or 2026-10-01T08:30"),
        ))
    })
}

/// The configuration of a command that names none, as a checkout and `init .` have it.
pub const HERE: &str = "madoguchi.toml";

/// The same where the package puts it.
const PACKAGED: &str = "/etc/madoguchi/madoguchi.toml";

/// The configuration that `--config` names. [`HERE`], which is meant when none is named, is the package's where the folder
/// has none: the commands that docs and pages print work from any folder.
///
/// # Errors
///
/// None: whether it can be read is found when it is.
pub fn configuration(named: &str) -> Result<PathBuf, std::convert::Infallible> {
    Ok(found(named, Path::exists))
}

fn found(named: &str, is_there: impl Fn(&Path) -> bool) -> PathBuf {
    let (here, packaged) = (Path::new(named), Path::new(PACKAGED));
    let elsewhere = named == HERE && !is_there(here) && is_there(packaged);
    if elsewhere { packaged } else { here }.to_owned()
}

/// Findings as a person reads them, and how many there are.
pub(crate) fn told(findings: &[Finding], lang: Lang) -> String {
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
