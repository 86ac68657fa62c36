//! `madoguchi warning try`: tells a trial by every way that is configured, and says what came of each; and
//! the ways themselves, as the configuration has them.

use super::{Language, Reply, now, refused};
use crate::base::Wall;
use crate::config::{self, MailServer, Protection, Receiver, Secrets, WarningConfig};
use crate::dialplan::{Lang, tame};
use crate::event::{ToldBy, WarnedRate, Warning as Level, WarningTurn};
use crate::io::deliver::{Failed, Mail, MailConfig, MailTls, NoWay, Webhook, WebhookConfig};
use crate::notice::Notice;
use crate::view::Month;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Ends with 0 when every way took the trial, 1 when one did not or none is configured, 2 when the command,
/// the configuration or the plan cannot be used.
#[derive(Clone, Debug, Args)]
pub struct Warning {
    /// What is done.
    #[command(subcommand)]
    pub command: WarningCommand,
}

/// What can be done about warnings.
#[derive(Clone, Debug, Subcommand)]
pub enum WarningCommand {
    /// Sends a marked trial to whom [warning] names. The desk need not run; nothing is written.
    Try {
        /// The configuration.
        /// Not named: the one in the folder, or else /etc/madoguchi/madoguchi.toml.
        #[arg(long, value_name = "FILE", default_value = crate::cli::HERE, value_parser = crate::cli::configuration)]
        config: PathBuf,
        /// In which words.
        #[command(flatten)]
        language: Language,
    },
}

/// Tells a trial.
#[must_use]
pub fn warning(arguments: &Warning) -> ExitCode {
    let WarningCommand::Try { config, language } = &arguments.command;
    answer(config, language.choose()).finish()
}

/// One way to somebody outside.
pub(crate) enum Way {
    Webhook(Webhook),
    Mail(Mail),
}

impl Way {
    /// Every way of a configuration.
    pub(crate) fn all(config: &WarningConfig) -> Result<Vec<Self>, NoWay> {
        let webhook = config.webhook.as_ref().map(|it| Webhook::new(webhook(it, config)));
        let mail = config.mail.as_ref().map(|it| Mail::new(&mail(it, config)));
        let (webhook, mail) = (webhook.transpose()?, mail.transpose()?);
        Ok(webhook.map(Self::Webhook).into_iter().chain(mail.map(Self::Mail)).collect())
    }

    pub(crate) const fn by(&self) -> ToldBy {
        match self {
            Self::Webhook(_) => ToldBy::Webhook,
            Self::Mail(_) => ToldBy::Mail,
        }
    }

    /// Tells it once.
    pub(crate) async fn tell(&self, notice: &Notice<'_>, now: Wall) -> Result<(), Failed> {
        let id = notice.id();
        match self {
            Self::Webhook(webhook) => {
                webhook.post(&id, now.0.div_euclid(1_000), notice.body()).await
            }
            Self::Mail(mail) => mail.send(&id, &notice.subject(), notice.text()).await,
        }
    }
}

fn webhook(receiver: &Receiver, config: &WarningConfig) -> WebhookConfig {
    WebhookConfig {
        url: receiver.url.clone(),
        secret: receiver.secret.clone(),
        private: receiver.private,
        authorities: config.authorities.clone(),
    }
}

fn mail(server: &MailServer, config: &WarningConfig) -> MailConfig {
    MailConfig {
        host: server.host.clone(),
        port: server.port,
        tls: match server.protection {
            Protection::Tls => MailTls::Tls,
            Protection::StartTls => MailTls::StartTls,
            Protection::Off => MailTls::Off,
        },
        login: server.login.as_ref().map(|(user, _)| (user.clone(), server.password.clone())),
        authorities: config.authorities.clone(),
        from: server.from.clone(),
        to: server.to.clone(),
    }
}

fn answer(path: &std::path::Path, lang: Lang) -> Reply {
    let read = config::load(path, Secrets::Look);
    let (config, _) = match read {
        Ok(read) => read,
        Err(findings) => return refused(&findings, lang, 2),
    };
    let plan = match config::load_plan(&config, None) {
        Ok((plan, _)) => plan,
        Err(findings) => return refused(&findings, lang, 2),
    };
    let Some(warning) = &config.warning else {
        let file = path.display().to_string();
        let said = lang.pick(
            format!("{}: [warning] がないので、知らせる先がない", tame(&file)),
            format!("{}: there is no [warning], so nobody is told", tame(&file)),
        );
        return Reply { err: format!("{said}\n"), code: 1, ..Reply::default() };
    };
    let ways = match Way::all(warning) {
        Ok(ways) => ways,
        Err(error) => return Reply::wrong(&error.to_string()),
    };
    let at = now();
    let day = crate::view::local(at, plan.timezone).map(|at| at.date_naive());
    let month = day.map(Month::of).map(|month| month.to_string()).unwrap_or_default();
    let turn = WarningTurn {
        rate: WarnedRate::Abandon,
        month,
        from: Level::None,
        to: Level::Projected,
        so_far: (5, 100),
        limit_percent: config.figures.abandon_limit.percent,
        projected: Some((15_500, 110_000)),
        left_in_month: Some(104),
    };
    let notice = Notice {
        desk: &plan.name,
        zone: plan.timezone,
        link: warning.link.as_deref(),
        at,
        seq: 0,
        turn: &turn,
        trial: true,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return Reply::wrong(&error.to_string()),
    };
    let mut reply = Reply::default();
    for way in ways {
        let by = way.by().name();
        match runtime.block_on(way.tell(&notice, now())) {
            Ok(()) => {
                let said = lang.pick("試験を送り、受け取られた", "the trial was taken");
                reply.out.push_str(&format!("{by}: {said} (id {})\n", notice.id()));
            }
            Err(error) => {
                let said = lang.pick("試験を送れなかった", "the trial was not taken");
                reply.err.push_str(&format!("{by}: {said}: {error}\n"));
                reply.code = 1;
            }
        }
    }
    reply
}
