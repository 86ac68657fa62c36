//! `madoguchi doctor`: gathers facts of this machine and lets `crate::doctor` judge them. Changes nothing; the only
//! packets that leave the machine are the OPTIONS that `--trunks` asks for.

mod gather;
mod ports;
mod trunks;

pub(super) use gather::desk_user;

use super::{Language, Reply};
use crate::dialplan::Lang;
use crate::doctor::{Line, Mark, judge, worst};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Ends with 0 when all is well, 1 when somebody should look at something, 2 when something is wrong. Changes nothing.
#[derive(Clone, Debug, Args)]
pub struct Doctor {
    /// The configuration.
    /// Not named: the one in the folder, or else /etc/madoguchi/madoguchi.toml.
    #[arg(long, value_name = "FILE", default_value = crate::cli::HERE, value_parser = crate::cli::configuration)]
    pub config: PathBuf,
    /// Asks the trunks' servers by OPTIONS: a packet to each.
    #[arg(long)]
    pub trunks: bool,
    /// Answers as JSON.
    #[arg(long)]
    pub json: bool,
    /// In which words.
    #[command(flatten)]
    pub language: Language,
}

/// Does it.
#[must_use]
pub fn doctor(arguments: &Doctor) -> ExitCode {
    let lang = arguments.language.choose();
    let lines = judge(&gather::facts(&arguments.config, arguments.trunks));
    told(&lines, arguments.json, lang).finish()
}

fn told(lines: &[Line], json: bool, lang: Lang) -> Reply {
    let code = match worst(lines) {
        Mark::Ok => 0,
        Mark::Look => 1,
        Mark::Wrong => 2,
    };
    if json {
        let rows: Vec<_> = lines
            .iter()
            .map(|line| {
                serde_json::json!({
                    "mark": line.mark.name(),
                    "topic": line.topic,
                    "found": line.found.get(lang),
                    "due": line.due.as_ref().map(|due| due.get(lang)),
                    "mend": line.mend.as_ref().map(|mend| mend.get(lang)),
                })
            })
            .collect();
        let out = serde_json::json!({ "worst": worst(lines).name(), "lines": rows });
        return Reply { out: format!("{out}\n"), code, ..Reply::default() };
    }
    let mut out: String = lines.iter().map(|line| line.render(lang)).collect();
    let count = |mark: Mark| lines.iter().filter(|line| line.mark == mark).count();
    let (well, look, wrong) = (count(Mark::Ok), count(Mark::Look), count(Mark::Wrong));
    out.push_str(&lang.pick(
        format!("よし {well}、確認 {look}、要修正 {wrong}\n"),
        format!("ok {well}, look {look}, wrong {wrong}\n"),
    ));
    Reply { out, code, ..Reply::default() }
}
