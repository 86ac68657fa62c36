//! `madoguchi runbook`: what to do about an alert, a reason of `/healthz` or an error of the log, at hand where
//! there is nothing but a terminal. The same text as docs/RUNBOOK.md.

use super::{Language, Reply};
use crate::dialplan::Lang;
use clap::Args;
use std::process::ExitCode;

const TEXT: &str = include_str!("../../docs/RUNBOOK.md");
/// What an entry begins with.
const HEADING: &str = "### ";

/// Ends with 0 when there is such an entry, 1 when there is none.
#[derive(Clone, Debug, Args)]
pub struct Runbook {
    /// An alert (`MadoguchiTrunkDown`), a reason of /healthz (trunks-down) or a room of the log with errors (log-store).
    /// Without it all names are listed.
    name: Option<String>,
    /// In which words; the entries have both.
    #[command(flatten)]
    language: Language,
}

/// Shows one entry, or the names of all.
#[must_use]
pub fn runbook(arguments: &Runbook) -> ExitCode {
    found(arguments.name.as_deref(), arguments.language.choose()).finish()
}

/// Each entry's name and text, its heading included.
fn entries() -> impl Iterator<Item = (&'static str, &'static str)> {
    TEXT.split("\n### ").skip(1).map(|entry| {
        let end = entry.find("\n## ").unwrap_or(entry.len());
        let entry = entry.get(..end).unwrap_or(entry);
        (entry.lines().next().unwrap_or_default(), entry)
    })
}

fn found(name: Option<&str>, lang: Lang) -> Reply {
    let Some(name) = name else {
        let names: Vec<&str> = entries().map(|(name, _)| name).collect();
        return Reply { out: names.join("\n") + "\n", ..Reply::default() };
    };
    match entries().find(|(known, _)| known.eq_ignore_ascii_case(name.trim())) {
        Some((_, entry)) => {
            Reply { out: format!("{HEADING}{}\n", entry.trim_end()), ..Reply::default() }
        }
        None => {
            let err = lang.pick(
                format!("\"{name}\" の項目はない。madoguchi runbook で一覧が出る\n"),
                format!("there is no entry \"{name}\"; madoguchi runbook lists them\n"),
            );
            Reply { err, code: 1, ..Reply::default() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_found_whatever_its_case_and_ends_before_the_next() {
        let reply = found(Some("madoguchitrunkdown"), Lang::En);
        assert!(reply.out.starts_with("### MadoguchiTrunkDown\n"), "{}", reply.out);
        assert_eq!(reply.out.matches("\n#").count(), 0, "{}", reply.out);
        let names = found(None, Lang::En).out;
        assert!(names.lines().any(|name| name == "engine-stalled"), "{names}");
        assert!(names.lines().count() > 50, "{names}");
        let none = found(Some("MadoguchiTrunk"), Lang::Ja);
        assert!(none.code == 1 && none.err.contains("一覧"), "{}", none.err);
    }
}
