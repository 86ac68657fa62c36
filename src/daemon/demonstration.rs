//! The demonstration's files: a folder with random passwords, a plan, a configuration and a store of
//! its own, made on the first start and kept, so that a second start shows the same softphone.

use crate::base::{Number, Private, Rng};
use crate::config;
use crate::demo::{self, Numbers, Stage};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The plan, also readable in the repository.
const PLAN: &str = include_str!("../../dialplans/demo.toml");
/// Extensions of the synthetic agents, and the two for people.
const SYNTHETIC: [&str; 8] = ["2001", "2002", "2003", "2004", "2005", "2006", "2007", "2008"];
const PEOPLE: [&str; 2] = ["2009", "2010"];

/// What was made or found.
#[derive(Debug)]
pub struct Files {
    /// The configuration to be loaded as any other.
    pub config: PathBuf,
    /// The softphone accounts for people: user and password.
    pub softphones: Vec<(String, Private<String>)>,
    /// The wallboard's token.
    pub token: Private<String>,
    synthetic: Vec<(String, Private<String>)>,
}

/// Why the folder could not be made; says which file.
#[derive(Debug, thiserror::Error)]
#[error("cannot write or read {path}: {source}; choose another folder with --dir")]
pub struct FilesError {
    path: PathBuf,
    source: io::Error,
}

fn write_private(path: &Path, text: &str) -> Result<(), FilesError> {
    config::write_private(path, text).map_err(|source| FilesError { path: path.to_owned(), source })
}

/// Writes a file that holds no secret, over an older one.
fn write_anew(path: &Path, text: &str) -> Result<(), FilesError> {
    fs::write(path, text).map_err(|source| FilesError { path: path.to_owned(), source })
}

fn read(path: &Path) -> Result<String, FilesError> {
    fs::read_to_string(path).map_err(|source| FilesError { path: path.to_owned(), source })
}

/// Makes the folder what the demonstration needs. Passwords and token are kept when they exist;
/// configuration and plan are written anew.
///
/// # Errors
///
/// [`FilesError`] for the first file that resists.
pub fn prepare(
    dir: &Path,
    sip: SocketAddr,
    http: SocketAddr,
    carrier: SocketAddr,
    rng: &mut Rng,
) -> Result<Files, FilesError> {
    fs::create_dir_all(dir).map_err(|source| FilesError { path: dir.to_owned(), source })?;
    let at = |name: &str| dir.join(name);
    let accounts = at("accounts.tsv");
    if !accounts.exists() {
        let mut text = String::from("# user<TAB>password; random, made by the demonstration\n");
        for user in SYNTHETIC.iter().chain(&PEOPLE) {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "{user}\t{}", rng.token());
        }
        write_private(&accounts, &text)?;
    }
    let token_file = at("http-token");
    if !token_file.exists() {
        let text = format!("{}{}\n", rng.token(), rng.token());
        write_private(&token_file, &text)?;
    }
    let all: Vec<(String, Private<String>)> = read(&accounts)?
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(user, password)| (user.to_owned(), Private::new(password.to_owned())))
        .collect();
    let (softphones, synthetic) =
        all.into_iter().partition(|(user, _)| PEOPLE.contains(&user.as_str()));
    write_anew(&at("demo.toml"), PLAN)?;
    let config = at("madoguchi.toml");
    write_anew(&config, &configuration(sip, http, carrier))?;
    let token = Private::new(read(&token_file)?.trim().to_owned());
    Ok(Files { config, softphones, token, synthetic })
}

/// Paths in it are relative to its own folder.
fn configuration(sip: SocketAddr, http: SocketAddr, carrier: SocketAddr) -> String {
    let ip = sip.ip();
    format!(
        r#"# Written by `madoguchi demo` at each start; change it freely in a copy.
[sip]
listen = ["udp:{sip}", "tcp:{sip}"]
realm = "demo.invalid"

[media]
address = "{ip}"
ports = "20000-21999"

[store]
file = "demo.db"

[http]
listen = "{http}"
token_file = "http-token"

[plan]
file = "demo.toml"

[accounts]
file = "accounts.tsv"

[[trunks]]
name = "demo-carrier"
sources = ["{carrier}"]
transport = "udp"
"#
    )
}

impl Files {
    /// What the cast needs.
    #[must_use]
    pub fn stage(&self, desk: SocketAddr) -> Stage {
        Stage {
            desk,
            numbers: Numbers {
                menu: Number::from("0312345678"),
                group: Number::from("0312345679"),
                closed: Number::from("0312345671"),
                one_line: Number::from("0312345673"),
            },
            agents: self.synthetic.clone(),
        }
    }
}

/// Lets the cast live on a thread of its own, outside the desk's.
///
/// # Errors
///
/// What the system says when a thread or a socket is not to be had.
pub fn perform(
    stage: Stage,
    carrier: std::net::UdpSocket,
    rng: Rng,
) -> io::Result<std::thread::JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("demo-cast".to_owned()).spawn(move || {
        runtime.block_on(async {
            let begun = async {
                demo::perform(stage, tokio::net::UdpSocket::from_std(carrier)?, rng).await
            };
            match begun.await {
                Ok(()) => std::future::pending::<()>().await,
                Err(error) => tracing::error!(%error, "the demonstration's phones cannot start"),
            }
        });
    })
}
