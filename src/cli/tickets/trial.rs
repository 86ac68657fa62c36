//! `madoguchi tickets try`: what a ticket system would be handed of a call, without handing it over.

use super::super::history::{Whose, config_and_plan};
use super::super::{Reply, call_id};
use super::system;
use crate::config::Config;
use crate::dialplan::{Lang, tame};
use crate::feed::{Terms, Value, ticket_for};
use crate::io::deliver::tickets::sink;
use crate::view::Due;
use clap::Args;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Ends with 0 when the target is ready for it, 1 when it is not or the history has no such call, 2 when the
/// command or the configuration is wrong.
#[derive(Clone, Debug, Args)]
pub struct Try {
    /// The call's id, as the wallboard, the API and `calls` show it.
    call: String,
    /// The target's name in the configuration.
    #[arg(long, value_name = "NAME")]
    target: String,
    /// Does not ask the ticket system anything.
    #[arg(long)]
    offline: bool,
    /// The desk's configuration.
    /// Not named: the one in the folder, or else /etc/madoguchi/madoguchi.toml.
    #[arg(long, value_name = "FILE", default_value = crate::cli::HERE, value_parser = crate::cli::configuration)]
    config: PathBuf,
    #[command(flatten)]
    language: super::super::Language,
}

/// What tickets say in the same way, by a configuration.
pub(super) fn terms(config: &Config, zone: chrono_tz::Tz) -> Terms {
    let (policy, tickets) = (config.figures.clone(), &config.tickets);
    Terms { policy, zone, language: tickets.language, link: tickets.link.clone() }
}

impl Try {
    pub(super) fn answer(&self) -> Reply {
        let lang = self.language.choose();
        self.tried(lang).unwrap_or_else(|reply| reply)
    }

    fn tried(&self, lang: Lang) -> Result<Reply, Reply> {
        let call = call_id(&self.call, lang)?;
        let (config, plan) = config_and_plan(&self.config, lang, 2)?;
        let targets = &config.tickets.targets;
        let Some(target) = targets.iter().find(|it| it.name.as_str() == self.target) else {
            let names: Vec<_> = targets.iter().map(|it| it.name.as_str()).collect();
            let (found, names) = (tame(&self.target), names.join(", "));
            return Err(Reply::wrong(&lang.pick(
                format!("設定に {found} という渡し先はない。あるのは: {names}"),
                format!("the configuration has no target {found}; it has: {names}"),
            )));
        };
        let entries = Whose::of(&self.config).open(lang)?.ladder(call)?;
        let terms = terms(&config, plan.timezone);
        let last = entries.last();
        let (seq, at) = last.map_or_else(Default::default, |last| (last.seq, last.at));
        let due = Due::as_new(call, seq, at);
        let Some((ticket, _)) = ticket_for(&due, &entries, &target.subject, &terms) else {
            let said = lang.pick("この履歴にその呼はない", "the history has no such call");
            return Err(Reply { err: format!("{said}\n"), code: 1, ..Reply::default() });
        };
        let mut out = String::new();
        let mut line = |text: String| {
            let _ = writeln!(out, "{text}"); // into a String: cannot fail
        };
        line(format!("{}: {}", lang.pick("件名", "subject"), ticket.subject.reveal()));
        for (value, field) in &target.fields {
            let text = ticket.values.get(value).map(|it| it.reveal().as_str()).unwrap_or_default();
            let (ja, en) = value.said();
            line(format!(
                "{} {field} ← {} ({}): {text}",
                lang.pick("項目", "field"),
                value.name(),
                lang.pick(ja, en)
            ));
        }
        line(format!("{}:\n{}", lang.pick("本文", "text"), ticket.text.reveal()));
        let rest = ticket.values.iter().filter(|(value, _)| !target.fields.contains_key(value));
        let rest: Vec<_> = rest.map(|(value, _)| Value::name(*value)).collect();
        if !rest.is_empty() && !target.fields.is_empty() {
            let rest = rest.join(", ");
            line(lang.pick(
                format!("本文だけに入る値: {rest}"),
                format!("values that stand in the text alone: {rest}"),
            ));
        }
        let made = system(target, &config.tickets, &terms, &plan.name);
        let Some(made) = made.filter(|_| !self.offline) else {
            return Ok(Reply { out, ..Reply::default() });
        };
        let asked = sink(made).map_err(|error| Reply::wrong(&error.to_string()))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Reply::wrong(&error.to_string()))?;
        let found = runtime.block_on(async {
            asked.probe().await?;
            asked.find(call).await
        });
        let (said, code) = match found {
            Ok(found) if found.is_empty() => (
                lang.pick(
                    "相手は使える。この呼のチケットはまだない",
                    "the ticket system is ready, and has no ticket of this call yet",
                )
                .to_owned(),
                0,
            ),
            Ok(found) => {
                let found = tame(&found.join(", "));
                (
                    lang.pick(
                        format!("相手は使える。この呼のチケットはすでにある: {found}"),
                        format!(
                            "the ticket system is ready, and has a ticket of this call: {found}"
                        ),
                    ),
                    0,
                )
            }
            Err(error) => {
                let error = error.to_string();
                (
                    lang.pick(
                        format!("相手に渡せない: {error}"),
                        format!("it cannot be handed over: {error}"),
                    ),
                    1,
                )
            }
        };
        let _ = writeln!(out, "{said}");
        Ok(Reply { out, code, ..Reply::default() })
    }
}
