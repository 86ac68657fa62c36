//! `madoguchi site`: what is in the site's store, and how the journal stands to it.

use super::history::config_and_plan;
use super::place::address;
use super::{Language, Reply};
use crate::config::SiteConfig;
use crate::dialplan::{Lang, tame};
use crate::io::store::site::{self, Agreement, HistoryRow, Survey};
use crate::view;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Ends with 0 when the copy is the journal's beginning, 1 when it is not, 2 when the store cannot be used.
#[derive(Clone, Debug, Args)]
pub struct Site {
    /// The desk's configuration.
    /// Not named: the one in the folder, or else /etc/madoguchi/madoguchi.toml.
    #[arg(long, value_name = "FILE", default_value = crate::cli::HERE, value_parser = crate::cli::configuration, global = true)]
    pub config: PathBuf,
    /// JSON instead of text.
    #[arg(long)]
    pub json: bool,
    /// In which words.
    #[command(flatten)]
    pub language: Language,
    /// What is done; without it, one looks.
    #[command(subcommand)]
    pub command: Option<SiteCommand>,
}

/// What a person may change there.
#[derive(Clone, Debug, Subcommand)]
pub enum SiteCommand {
    /// Leave a history as it is and copy the journal anew beside it: after a backup was brought back.
    SetAside {
        /// The history's number there.
        number: i32,
    },
}

/// Does it.
#[must_use]
pub fn site(arguments: &Site) -> ExitCode {
    answer(arguments, arguments.language.choose()).finish()
}

fn answer(arguments: &Site, lang: Lang) -> Reply {
    let (config, plan) = match config_and_plan(&arguments.config, lang, 2) {
        Ok(read) => read,
        Err(reply) => return reply,
    };
    let Some(to) = &config.store.site else {
        return super::place::no_site(&arguments.config, lang);
    };
    if let Some(SiteCommand::SetAside { number }) = arguments.command {
        return set_aside(to, number, lang);
    }
    match site::survey(&address(to), &config.store.file) {
        Ok(survey) => {
            let told = if arguments.json {
                format!("{:#}\n", as_json(&survey, plan.timezone))
            } else {
                said(&survey, plan.timezone, lang)
            };
            let well = !matches!(survey.agreement, Agreement::TwoHistories { .. });
            Reply { out: told, err: String::new(), code: u8::from(!well) }
        }
        Err(error) => Reply::wrong(&error.to_string()),
    }
}

fn set_aside(to: &SiteConfig, number: i32, lang: Lang) -> Reply {
    match site::set_aside(&address(to), number) {
        Ok(true) => {
            let out = lang.pick(
                format!("履歴 #{number} はそのまま残し、記録は新しい履歴として写す\n"),
                format!("history #{number} stays as it is; the journal is copied anew beside it\n"),
            );
            Reply { out, ..Reply::default() }
        }
        Ok(false) => {
            let err = lang.pick(
                format!("履歴 #{number} がない、またはすでに別にしてある\n"),
                format!("found no history #{number} that was not set aside before\n"),
            );
            Reply { err, code: 1, ..Reply::default() }
        }
        Err(error) => Reply::wrong(&error.to_string()),
    }
}

fn as_json(survey: &Survey, zone: chrono_tz::Tz) -> Value {
    let row = |it: &HistoryRow| {
        json!({
            "number": it.number, "desk": it.desk, "kind": it.kind, "last_seq": it.last,
            "last_at": it.last_at().map(|at| view::written(at, zone)), "set_aside": it.set_aside,
        })
    };
    let journal = match survey.agreement {
        Agreement::NoJournal => json!({ "state": "no_journal" }),
        Agreement::NotCopied => json!({ "state": "not_copied" }),
        Agreement::Copied { number, copied, journal } => {
            json!({ "state": "copied", "history": number, "copied": copied, "journal": journal })
        }
        Agreement::TwoHistories { number, copied, journal } => {
            json!({ "state": "two_histories", "history": number, "copied": copied, "journal": journal })
        }
    };
    json!({
        "server": survey.server,
        "histories": survey.histories.iter().map(row).collect::<Vec<_>>(),
        "journal": journal,
    })
}

fn said(survey: &Survey, zone: chrono_tz::Tz, lang: Lang) -> String {
    let mut text = String::new();
    let mut line = |said: String| {
        let _ = writeln!(text, "{said}"); // into a String: cannot fail
    };
    line(tame(&survey.server));
    for it in &survey.histories {
        let (number, desk, last) = (it.number, tame(&it.desk), it.last);
        let kind = if it.kind == "service" { "" } else { lang.pick(" 実演", " demonstration") };
        let aside = if it.set_aside { lang.pick(" 別置き", " set aside") } else { "" };
        let at = it.last_at().map(|at| view::written(at, zone)).unwrap_or_default();
        line(lang.pick(
            format!("#{number} {desk}{kind}{aside}: {last} 件目まで {at}"),
            format!("#{number} {desk}{kind}{aside}: up to entry {last} {at}"),
        ));
    }
    line(match survey.agreement {
        Agreement::NoJournal => lang.pick("記録（[store] file）がまだない", "there is no journal yet").to_owned(),
        Agreement::NotCopied => lang
            .pick("この記録はまだ写されていない", "nothing of this journal is there yet")
            .to_owned(),
        Agreement::Copied { number, copied, journal } => {
            let behind = journal.saturating_sub(copied);
            lang.pick(
                format!("この記録は #{number} に写されている。残り {behind} 件"),
                format!("this journal is copied to #{number}; {behind} entries are still to come"),
            )
        }
        Agreement::TwoHistories { number, copied, journal } => lang.pick(
            format!(
                "この記録（{journal} 件目まで）と #{number}（{copied} 件目まで）は別の履歴になっている。どちらかがバックアップから戻された。\
                 #{number} を残して新しく写すには: madoguchi site set-aside {number}（docs/SITE.md）"
            ),
            format!(
                "this journal (up to entry {journal}) and #{number} (up to entry {copied}) are two histories: one of \
                 them was brought back from a backup. To keep #{number} as it is and copy the journal anew: \
                 madoguchi site set-aside {number} (docs/SITE.md)"
            ),
        ),
    });
    text
}
