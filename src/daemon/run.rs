//! The two long-running commands, from their arguments to their exit codes: `serve` and `demo`.

use super::demonstration::{self, Files};
use super::random;
use super::start::{StartError, start};
use super::watch::{End, until_the_end};
use crate::base::{LogLevel, Private, Rng};
use crate::cli::Language;
use crate::config::{self, Config, Secrets};
use crate::dialplan::{Finding, Plan};
use crate::io::media::PromptLibrary;
use crate::io::store::Kind;
use crate::io::telemetry::log::{self, LogError, LogFormat};
use std::io::Write as _;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Why a command ended otherwise than well, in the words that the operator reads.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    /// The configuration or the plan; the findings have been printed.
    #[error("{0}")]
    Findings(String),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("the prompts cannot be read: {0}")]
    Prompts(#[from] crate::io::media::PromptError),
    #[error(transparent)]
    Files(#[from] demonstration::FilesError),
    #[error("the operating system refused {what}: {source}")]
    System { what: &'static str, source: std::io::Error },
    #[error("a thread of the desk has ended; the log above says where. Please report it")]
    Broken,
}

/// Everything that was found, one finding after the other, as `madoguchi check` would print it.
fn rendered(findings: &[Finding]) -> String {
    let lang = Language::default().choose();
    findings.iter().map(|finding| finding.render(lang)).collect::<Vec<_>>().join("\n")
}

/// Says on standard error what is none of the log's lines; to the journal, with its priority.
fn say(level: LogLevel, text: &str) {
    let mut out = std::io::stderr();
    // Nobody could be told that nobody can be told.
    let _ = out.write_all(log::as_said(level, text, &out).as_bytes());
}

/// Reads the configuration, its secrets and its plan; warnings go to standard error.
fn load(path: &Path, rng: &mut Rng) -> Result<(Config, Plan), Refusal> {
    let refused = |findings: Vec<Finding>| Refusal::Findings(rendered(&findings));
    let (config, mut warnings) = config::load(path, Secrets::Make(rng)).map_err(refused)?;
    let prompts = PromptLibrary::load(config.media.prompts.as_deref(), config.media.tones)?;
    set_log(&config);
    let (plan, more) = config::load_plan(&config, Some(&prompts.lengths())).map_err(refused)?;
    warnings.extend(more);
    match (warnings.is_empty(), config.log.json) {
        (true, _) => {}
        // Each line of such a log is an object.
        (false, true) => tracing::warn!("{}", rendered(&warnings)),
        (false, false) => say(LogLevel::Warn, &rendered(&warnings)),
    }
    Ok((config, plan))
}

/// The log as a configuration has it.
pub(super) fn set_log(config: &Config) {
    let format = if config.log.json { LogFormat::Json } else { LogFormat::Text };
    log::configure(&config.log.levels, format);
}

fn begin_log(json: bool) {
    // A filter that is none is told, and the log stands all the same; a second set-up changes nothing.
    match log::init(json) {
        Ok(()) | Err(LogError::Twice) => {}
        Err(error) => say(LogLevel::Warn, &error.to_string()),
    }
    super::panics::tell_the_place_only();
}

fn ended(result: Result<(), Refusal>) -> ExitCode {
    log::finish();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => {
            say(LogLevel::Error, &refusal.to_string());
            ExitCode::FAILURE
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Refusal> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("rest")
        .enable_all()
        .build()
        .map_err(|source| Refusal::System { what: "a thread", source })
}

/// `madoguchi serve`: runs the desk until the system says stop.
#[must_use]
pub fn serve(config: &Path, log_json: bool) -> ExitCode {
    begin_log(log_json);
    ended(serve_until_stopped(config))
}

fn serve_until_stopped(path: &Path) -> Result<(), Refusal> {
    let mut rng = Rng::from_key(random::key()?);
    let (config, plan) = load(path, &mut rng)?;
    runtime()?.block_on(async {
        let desk = start((path, config), Arc::new(plan), Kind::Service).await?;
        tracing::info!(sip = ?desk.sip, http = %desk.http, "the desk is open");
        let end = until_the_end(&desk).await;
        tracing::info!("the desk closes");
        desk.stop().await;
        if end == End::Broken { Err(Refusal::Broken) } else { Ok(()) }
    })
}

/// `madoguchi demo`: a living desk with synthetic callers and agents.
#[must_use]
pub fn demonstrate(dir: &Path, sip: SocketAddr, http: SocketAddr) -> ExitCode {
    begin_log(false);
    ended(demonstrate_until_stopped(dir, sip, http))
}

fn demonstrate_until_stopped(dir: &Path, sip: SocketAddr, http: SocketAddr) -> Result<(), Refusal> {
    let no_socket = |source| Refusal::System { what: "a socket for the callers", source };
    let mut rng = Rng::from_key(random::key()?);
    let carrier = UdpSocket::bind(SocketAddr::new(sip.ip(), 0)).map_err(no_socket)?;
    carrier.set_nonblocking(true).map_err(no_socket)?;
    let from = carrier.local_addr().map_err(no_socket)?;
    let files = demonstration::prepare(dir, sip, http, from, &mut rng)?;
    let (config, plan) = load(&files.config, &mut rng)?;
    runtime()?.block_on(async {
        let from = (files.config.as_path(), config);
        let desk = start(from, Arc::new(plan), Kind::Demonstration).await?;
        let Some(bound) = desk.sip.first().copied() else { return Ok(()) };
        let stage = files.stage(bound);
        demonstration::perform(stage, carrier, rng)
            .map_err(|source| Refusal::System { what: "the demonstration's phones", source })?;
        print_welcome(&files, bound, desk.http, dir);
        let end = until_the_end(&desk).await;
        desk.stop().await;
        if end == End::Broken { Err(Refusal::Broken) } else { Ok(()) }
    })
}

/// What a person needs to look and to take part. These are the demonstration's own random secrets,
/// and telling them is what the command is for.
fn print_welcome(files: &Files, sip: SocketAddr, http: SocketAddr, dir: &Path) {
    let mut text = format!(
        "\n  Madoguchi demonstration / 実演: synthetic callers and agents, a store of its own\n\n  \
         Wallboard   http://{http}/\n  Token       {}\n\n  \
         Your softphone (SIP over UDP or TCP, server {sip}):\n",
        files.token.reveal()
    );
    for (user, password) in &files.softphones {
        let password: &Private<String> = password;
        text.push_str(&format!("    user {user}   password {}\n", password.reveal()));
    }
    text.push_str("  Signing in to the pages by name:\n");
    for (user, password) in &files.logins {
        text.push_str(&format!("    user {user}   password {}\n", password.reveal()));
    }
    text.push_str(&format!(
        "  Register, dial *11 to sign in: you get calls too. *12 signs you out.\n  \
         Dial 7000 to call the desk.\n\n  \
         Files are in {}. Stop with Ctrl-C.\n",
        dir.display()
    ));
    // A closed standard output takes the words, not the desk.
    let _ = std::io::stdout().write_all(text.as_bytes());
    let _ = std::io::stdout().flush();
}
