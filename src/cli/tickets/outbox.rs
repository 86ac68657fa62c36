//! `madoguchi tickets outbox`: what a ticket system has not got, from the history alone: the desk need not run.

use super::super::Reply;
use super::super::history::{Whose, config_and_plan};
use super::super::now;
use super::recorded::known;
use super::trial::terms;
use crate::dialplan::{Lang, tame};
use crate::feed::{PaperRow, Sheet, paper_csv, paper_html};
use crate::view::{OutboxRow, written};
use clap::Args;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Ends with 0 when the target has got everything, 1 when it has not, 2 when the command, the configuration or
/// a file cannot be used.
#[derive(Clone, Debug, Args)]
pub struct Outbox {
    /// The target's name in the configuration.
    #[arg(long, value_name = "NAME")]
    target: String,
    /// Only what waits for a person.
    #[arg(long)]
    stuck: bool,
    /// Writes the numbered call sheet, to be printed from a browser.
    #[arg(long, value_name = "FILE.html")]
    sheet: Option<PathBuf>,
    /// Writes the same as a table, with empty columns for what is written by hand.
    #[arg(long, value_name = "FILE.csv")]
    csv: Option<PathBuf>,
    #[command(flatten)]
    whose: Whose,
}

impl Outbox {
    pub(super) fn answer(&self) -> Reply {
        let lang = self.whose.language.choose();
        self.listed(lang).unwrap_or_else(|reply| reply)
    }

    fn listed(&self, lang: Lang) -> Result<Reply, Reply> {
        let history = self.whose.open(lang)?;
        let views = history.read(lang)?;
        let target = known(&views, &self.target, lang)?;
        let (rows, total) = views.outbox(&target, self.stuck, usize::MAX);
        if self.sheet.is_some() || self.csv.is_some() {
            let (config, plan) = config_and_plan(&self.whose.config, lang, 2)?;
            let terms = terms(&config, plan.timezone);
            let mut lines = Vec::new();
            for row in &rows {
                let entries = history.ladder(row.call)?;
                lines.push(PaperRow { row: row.clone(), sheet: Sheet::of(&entries, &terms, None) });
            }
            if let Some(path) = &self.sheet {
                write(path, &paper_html(target.as_str(), now(), &lines, &terms))?;
            }
            if let Some(path) = &self.csv {
                write(path, &paper_csv(&lines, &terms))?;
            }
        }
        let code = u8::from(total > 0);
        if self.whose.json {
            let out = serde_json::to_string_pretty(&rows).unwrap_or_default() + "\n";
            return Ok(Reply { out, code, ..Reply::default() });
        }
        let mut out =
            lang.pick(format!("{target}: {total} 件\n"), format!("{target}: {total} calls\n"));
        for row in &rows {
            let _ = writeln!(out, "{}", said(row, views.timezone(), lang)); // into a String: cannot fail
        }
        Ok(Reply { out, code, ..Reply::default() })
    }
}

fn said(row: &OutboxRow, zone: chrono_tz::Tz, lang: Lang) -> String {
    let at = written(row.due_at_ms, zone);
    let ticket = row.ticket.as_deref().map(tame).unwrap_or_default();
    let steps = row.steps.join(" ");
    let why = row.stuck.map(|it| {
        let (tries, why) = (it.tries, serde_json::to_string(&it.why).unwrap_or_default());
        lang.pick(
            format!("、人を待つ（{tries} 回試した: {why}）"),
            format!(", waits for a person ({tries} tries: {why})"),
        )
    });
    let why = why.unwrap_or_default();
    let ticket = if ticket.is_empty() { ticket } else { format!(" #{ticket}") };
    format!("    {} {at} {steps}{ticket}{why}", row.call)
}

/// A list of who called: for its owner alone.
fn write(path: &Path, text: &str) -> Result<(), Reply> {
    crate::config::write_private(path, text)
        .map_err(|error| Reply::wrong(&format!("{}: {error}", tame(&path.display().to_string()))))
}
