//! The demonstration's files: a folder with random passwords, a plan, a configuration and a store of
//! its own, made on the first start and kept, so that a second start shows the same softphone.

use crate::base::{Number, Private, Rng};
use crate::config;
use crate::demo::{self, Numbers, Stage};
use crate::people::{PasswordHash, People, Person, Role};
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
/// Who may sign in to the pages: an agent and a supervisor, whose softphones those two are.
const LOGINS: [(&str, &str, Role, &str); 2] = [
    ("agent", "実演のオペレータ", Role::Agent, "2009"),
    ("manager", "実演の責任者", Role::Supervisor, "2010"),
];

/// What the folder's files are called.
const CONFIG: &str = "madoguchi.toml";
const ACCOUNTS: &str = "accounts.tsv";
const TOKEN: &str = "http-token";
const DIALPLAN: &str = "demo.toml";
const STORE: &str = "demo.db";
const LOGIN: &str = "people.toml";
const MADE: [&str; 6] = [CONFIG, ACCOUNTS, TOKEN, DIALPLAN, STORE, LOGIN];
/// How a configuration of ours begins.
const MARK: &str = "# Written by `madoguchi demo`";

/// What was made or found.
#[derive(Debug)]
pub struct Files {
    /// The configuration to be loaded as any other.
    pub config: PathBuf,
    /// The softphone accounts for people: user and password.
    pub softphones: Vec<(String, Private<String>)>,
    /// The wallboard's token.
    pub token: Private<String>,
    /// Logins to the pages: user and password, other ones at each start.
    pub logins: Vec<(String, Private<String>)>,
    synthetic: Vec<(String, Private<String>)>,
}

/// Why the demonstration has no folder to play in; each says the mend.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A file that resists.
    #[error("cannot write or read {path}: {source}; choose another folder with --dir")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody's real configuration, accounts or store.
    #[error(
        "{path} was not made by the demonstration, which would write over it or use its secrets; \
         choose another folder with --dir"
    )]
    NotOurs {
        /// The first such file.
        path: PathBuf,
    },
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> FilesError + '_ {
    move |source| FilesError::Io { path: path.to_owned(), source }
}

fn write_private(path: &Path, text: &str) -> Result<(), FilesError> {
    config::write_private(path, text).map_err(failed(path))
}

/// Writes a file that holds no secret, over an older one.
fn write_anew(path: &Path, text: &str) -> Result<(), FilesError> {
    fs::write(path, text).map_err(failed(path))
}

fn read(path: &Path) -> Result<String, FilesError> {
    fs::read_to_string(path).map_err(failed(path))
}

/// A folder is the demonstration's when its configuration begins with our mark, or when it holds none
/// of the files that we would make.
fn belongs_to_us(dir: &Path) -> Result<(), FilesError> {
    let config = dir.join(CONFIG);
    if config.exists() && read(&config)?.starts_with(MARK) {
        return Ok(());
    }
    let foreign = MADE.iter().map(|name| dir.join(name)).find(|path| path.exists());
    foreign.map_or(Ok(()), |path| Err(FilesError::NotOurs { path }))
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
    fs::create_dir_all(dir).map_err(failed(dir))?;
    belongs_to_us(dir)?;
    let at = |name: &str| dir.join(name);
    // First, because it bears the mark: a start that is cut short is taken up by the next.
    let config = at(CONFIG);
    write_anew(&config, &configuration(sip, http, carrier))?;
    let accounts = at(ACCOUNTS);
    if !accounts.exists() {
        let mut text = String::from("# user<TAB>password; random, made by the demonstration\n");
        for user in SYNTHETIC.iter().chain(&PEOPLE) {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "{user}\t{}", rng.token());
        }
        write_private(&accounts, &text)?;
    }
    let token_file = at(TOKEN);
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
    write_anew(&at(DIALPLAN), PLAN)?;
    let token = Private::new(read(&token_file)?.trim().to_owned());
    let logins = logins(&at(LOGIN), rng)?;
    Ok(Files { config, softphones, token, logins, synthetic })
}

/// Makes the accounts for the pages anew.
fn logins(path: &Path, rng: &mut Rng) -> Result<Vec<(String, Private<String>)>, FilesError> {
    let mut people = People::default();
    let mut shown = Vec::new();
    for (user, name, role, extension) in LOGINS {
        let password = rng.token();
        let mut salt = [0; 16];
        salt.iter_mut().zip(rng.token().bytes()).for_each(|(into, random)| *into = random);
        let hash = PasswordHash::of(&password, salt).ok(); // 16 characters are enough
        let (user, name) = (user.to_owned(), name.to_owned());
        shown.push((user.clone(), Private::new(password)));
        people.add(Person { user, name, role, extension: Some(extension.into()), password: hash });
    }
    config::write_people(path, &people).map_err(failed(path))?;
    Ok(shown)
}

/// Paths in it are relative to its own folder.
fn configuration(sip: SocketAddr, http: SocketAddr, carrier: SocketAddr) -> String {
    let ip = sip.ip();
    format!(
        r#"{MARK} at each start; change it freely in a copy.
[sip]
listen = ["udp:{sip}", "tcp:{sip}"]
realm = "demo.invalid"

[media]
address = "{ip}"
ports = "20000-21999"

[store]
file = "{STORE}"

[http]
listen = "{http}"
token_file = "{TOKEN}"
people_file = "{LOGIN}"

[plan]
file = "{DIALPLAN}"

[accounts]
file = "{ACCOUNTS}"

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

#[cfg(test)]
mod tests {
    use super::{CONFIG, FilesError, prepare};
    use crate::base::Rng;
    use std::fs;

    #[test]
    fn a_demonstration_started_in_a_real_desks_folder_touches_nothing() {
        let dir = std::env::temp_dir().join(format!("madoguchi-demo-test-{}", std::process::id()));
        let address = "127.0.0.1:5060".parse().unwrap();
        let begin = || prepare(&dir, address, address, address, &mut Rng::from_number(1));
        fs::create_dir_all(&dir).unwrap();
        for (name, text) in [(CONFIG, "[sip]\n"), ("accounts.tsv", "2001\tsecret of somebody\n")] {
            fs::write(dir.join(name), text).unwrap();
            assert!(matches!(begin(), Err(FilesError::NotOurs { .. })), "{name}");
            assert_eq!(fs::read_to_string(dir.join(name)).unwrap(), text, "{name}");
            fs::remove_file(dir.join(name)).unwrap();
        }
        let first = begin().unwrap();
        let second = begin().unwrap();
        assert_eq!(first.softphones, second.softphones, "its own folder is taken up again");
        fs::remove_dir_all(&dir).unwrap();
    }
}
