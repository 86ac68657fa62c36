//! `madoguchi people`: who has an account for pages and API, and the file that says so. A password is typed or
//! piped, or made and shown once; it stands in no argument and in no file.

use super::{Language, Reply, refused};
use crate::base::{AgentId, folder_of};
use crate::config::{self, Secrets, read_people, write_people};
use crate::dialplan::{Lang, tame};
use crate::people::{LEAST_PASSWORD, PasswordHash, People as Book, Person, Role, is_name, is_user};
use clap::{Args, Subcommand};
use std::fs::File;
use std::io::{self, BufRead, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// Ends with 0 when it is done, 1 when it is refused, 2 when the command or the configuration cannot be used.
#[derive(Clone, Debug, Args)]
pub struct People {
    /// What is done.
    #[command(subcommand)]
    pub command: PeopleCommand,
    /// The configuration; its `[http] people_file` is read and written.
    /// Not named: the one in the folder, or else /etc/madoguchi/madoguchi.toml.
    #[arg(long, value_name = "FILE", default_value = crate::cli::HERE, value_parser = crate::cli::configuration, global = true)]
    pub config: PathBuf,
    /// Answers as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// In which words.
    #[command(flatten)]
    pub language: Language,
}

/// What can be done about people.
#[derive(Clone, Debug, Subcommand)]
pub enum PeopleCommand {
    /// Lists who has an account.
    List,
    /// Adds somebody; the password comes from standard input.
    Add {
        /// What is typed at the login.
        user: String,
        /// As colleagues know them.
        #[arg(long)]
        name: String,
        /// wall, viewer, agent, supervisor or admin.
        #[arg(long, value_parser = role)]
        role: Role,
        /// The own line; an agent needs one.
        #[arg(long, value_name = "EXTENSION")]
        extension: Option<String>,
        /// Makes a password and shows it once.
        #[arg(long)]
        generate: bool,
        /// None: they come by the site's identity provider ([http.oidc]).
        #[arg(long, conflicts_with = "generate")]
        no_password: bool,
    },
    /// Changes name, role or line.
    Change {
        /// Whose.
        user: String,
        /// The new name.
        #[arg(long)]
        name: Option<String>,
        /// The new role.
        #[arg(long, value_parser = role)]
        role: Option<Role>,
        /// The new line.
        #[arg(long, value_name = "EXTENSION", conflicts_with = "no_extension")]
        extension: Option<String>,
        /// Takes the line away.
        #[arg(long)]
        no_extension: bool,
    },
    /// Sets another password; who is signed in must sign in again.
    Password {
        /// Whose.
        user: String,
        /// Makes a password and shows it once.
        #[arg(long)]
        generate: bool,
    },
    /// Ends all sessions of somebody, wherever they are signed in; also of who comes by the site's provider.
    SignOut {
        /// Whose.
        user: String,
    },
    /// Takes an account away.
    Remove {
        /// Whose.
        user: String,
    },
}

fn role(text: &str) -> Result<Role, String> {
    let known = Role::ALL.iter().find(|(name, _)| *name == text);
    known.map(|(_, role)| *role).ok_or_else(|| {
        let names: Vec<&str> = Role::ALL.iter().map(|(name, _)| *name).collect();
        format!("due is one of {}", names.join(", "))
    })
}

/// Does it.
#[must_use]
pub fn people(arguments: &People) -> ExitCode {
    let ask = |lang| typed(lang, &mut io::stdin().lock());
    answer(arguments, arguments.language.choose(), &ask).finish()
}

/// Reads the password, twice when somebody types it; none when the two differ.
fn typed(lang: Lang, from: &mut dyn BufRead) -> io::Result<Option<String>> {
    let line = |from: &mut dyn BufRead| -> io::Result<String> {
        let mut line = String::new();
        from.read_line(&mut line)?;
        Ok(line.trim_end_matches(['\n', '\r']).to_owned())
    };
    if !io::stdin().is_terminal() {
        return line(from).map(Some);
    }
    let hidden = Hidden::begin()?;
    let say = |ja: &str, en: &str| write!(io::stderr(), "{}", lang.pick(ja, en));
    say("パスワード: ", "Password: ")?;
    let first = line(from)?;
    say("\nもう一度: ", "\nAgain: ")?;
    let second = line(from)?;
    say("\n", "\n")?;
    drop(hidden);
    Ok((first == second).then_some(first))
}

/// While it lives, what is typed is not shown.
struct Hidden(rustix::termios::Termios);

impl Hidden {
    fn begin() -> io::Result<Self> {
        let before = rustix::termios::tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(rustix::termios::LocalModes::ECHO);
        let now = rustix::termios::OptionalActions::Flush;
        rustix::termios::tcsetattr(io::stdin(), now, &quiet)?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let now = rustix::termios::OptionalActions::Now;
        let _ = rustix::termios::tcsetattr(io::stdin(), now, &self.0); // the terminal is gone, then
    }
}

/// Asks for a password.
type Ask<'a> = dyn Fn(Lang) -> io::Result<Option<String>> + 'a;

fn answer(arguments: &People, lang: Lang, ask: &Ask) -> Reply {
    let config = match config::load(&arguments.config, Secrets::Look) {
        Ok((config, _)) => config,
        Err(findings) => return refused(&findings, lang, 2),
    };
    let Some(file) = config.http.people_file else {
        let config = arguments.config.display().to_string();
        return no(
            lang.pick(
                format!("{}: [http] に people_file がない（例: people_file = \"secrets/people.toml\"）", tame(&config)),
                format!("{}: [http] names no people_file, such as people_file = \"secrets/people.toml\"", tame(&config)),
            ),
            2,
        );
    };
    match done(arguments, &file, lang, ask) {
        Ok(reply) | Err(reply) => reply,
    }
}

fn no(said: String, code: u8) -> Reply {
    Reply { err: format!("{said}\n"), code, ..Reply::default() }
}

fn done(arguments: &People, file: &Path, lang: Lang, ask: &Ask) -> Result<Reply, Reply> {
    let broken = |error: io::Error| {
        let name = file.display().to_string();
        no(format!("{}: {error}", tame(&name)), 1)
    };
    let writes = !matches!(arguments.command, PeopleCommand::List);
    // Two who change it at once must not undo each other: the folder is held while it is read and written.
    let _held = if writes { Some(hold(file).map_err(broken)?) } else { None };
    let (mut book, _) = read_people(file).map_err(|findings| refused(&findings, lang, 1))?;
    let mut made = None;
    let user = match &arguments.command {
        PeopleCommand::List => return Ok(list(&book, arguments.json)),
        PeopleCommand::Add { user, name, role, extension, generate, no_password } => {
            words(user, name, lang)?;
            if book.get(user).is_some() {
                return Err(no(
                    lang.pick(format!("{user} はもういる"), format!("{user} is there already")),
                    1,
                ));
            }
            let hash = if *no_password {
                None
            } else {
                let (hash, shown) = password(*generate, lang, ask)?;
                made = shown;
                Some(hash)
            };
            let extension = extension.as_deref().map(AgentId::from);
            let (user, name, role) = (user.clone(), name.clone(), *role);
            put(
                &mut book,
                Person { user: user.clone(), name, role, extension, password: hash },
                lang,
            )?;
            user
        }
        PeopleCommand::Change { user, name, role, extension, no_extension } => {
            let mut person = taken(&mut book, user, lang)?;
            if let Some(name) = name {
                words(user, name, lang)?;
                person.name.clone_from(name);
            }
            person.role = role.unwrap_or(person.role);
            if *no_extension || extension.is_some() {
                person.extension = extension.as_deref().map(AgentId::from);
            }
            put(&mut book, person, lang)?;
            user.clone()
        }
        PeopleCommand::Password { user, generate } => {
            let mut person = taken(&mut book, user, lang)?;
            let (hash, shown) = password(*generate, lang, ask)?;
            made = shown;
            person.password = Some(hash);
            put(&mut book, person, lang)?;
            user.clone()
        }
        PeopleCommand::SignOut { user } => {
            if !is_user(user) {
                return Err(no_user(lang));
            }
            if !book.sign_out(user, now_s()) {
                return Err(no(
                    lang.pick(
                        "この 12 時間にログアウトさせた人が多すぎる".to_owned(),
                        "too many people were signed out in the last 12 hours".to_owned(),
                    ),
                    1,
                ));
            }
            user.clone()
        }
        PeopleCommand::Remove { user } => taken(&mut book, user, lang)?.user,
    };
    book.forget_signed_out(now_s());
    write_people(file, &book).map_err(broken)?;
    if arguments.json {
        let told = serde_json::json!({"user": user, "password": made, "people": book.len()});
        return Ok(Reply { out: format!("{told}\n"), ..Reply::default() });
    }
    let shown = made.map_or(String::new(), |password| {
        lang.pick(
            format!("{user} のパスワード: {password}\n"),
            format!("{user}'s password: {password}\n"),
        )
    });
    let next = lang.pick(
        "書いた。動いている窓口には systemctl reload madoguchi で伝わる\n",
        "Written; a running desk takes it over by: systemctl reload madoguchi\n",
    );
    Ok(Reply { out: format!("{shown}{next}"), ..Reply::default() })
}

/// Waits until nobody else changes what lies in the file's folder.
fn hold(file: &Path) -> io::Result<File> {
    let folder = folder_of(file);
    std::fs::create_dir_all(folder)?;
    let held = File::open(folder)?;
    rustix::fs::flock(&held, rustix::fs::FlockOperation::LockExclusive)?;
    Ok(held)
}

fn no_user(lang: Lang) -> Reply {
    no(
        lang.pick(
            "利用者名は 1〜32 文字の英数字と . _ -".to_owned(),
            "a user name is 1 to 32 of letters, digits, . _ -".to_owned(),
        ),
        2,
    )
}

/// Seconds since 1970.
fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn words(user: &str, name: &str, lang: Lang) -> Result<(), Reply> {
    if !is_user(user) {
        return Err(no_user(lang));
    }
    if !is_name(name) {
        return Err(no(
            lang.pick(
                "氏名は 1〜64 文字、前後の空白と制御文字なし".to_owned(),
                "a name has 1 to 64 characters, no control characters, no space at its ends"
                    .to_owned(),
            ),
            2,
        ));
    }
    Ok(())
}

fn taken(book: &mut Book, user: &str, lang: Lang) -> Result<Person, Reply> {
    book.remove(user).ok_or_else(|| {
        let user = tame(user);
        no(lang.pick(format!("{user} という利用者はいない"), format!("there is no user {user}")), 1)
    })
}

fn put(book: &mut Book, person: Person, lang: Lang) -> Result<(), Reply> {
    if person.role == Role::Agent && person.extension.is_none() {
        return Err(no(
            lang.pick(
                "オペレータには内線が要る（--extension 2001）".to_owned(),
                "an agent needs a line (--extension 2001)".to_owned(),
            ),
            1,
        ));
    }
    if book.add(person) {
        return Ok(());
    }
    Err(no(
        lang.pick(
            "氏名か内線が別の人と同じか、人数の上限".to_owned(),
            "the name or the line is another person's, or there are too many people".to_owned(),
        ),
        1,
    ))
}

/// The hash, and the password when it was made here.
fn password(
    generate: bool,
    lang: Lang,
    ask: &Ask,
) -> Result<(PasswordHash, Option<String>), Reply> {
    let failed = |error: &dyn std::fmt::Display| no(error.to_string(), 1);
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| failed(&error))?;
    let (salt, rest) = random.split_at(16);
    let salt = <[u8; 16]>::try_from(salt).unwrap_or_default();
    let (password, shown) = if generate {
        let made = readable(rest);
        (made.clone(), Some(made))
    } else {
        match ask(lang).map_err(|error| failed(&error))? {
            Some(typed) => (typed, None),
            None => {
                return Err(no(lang.pick("二つが違う".to_owned(), "the two differ".to_owned()), 1));
            }
        }
    };
    let hash = PasswordHash::of(&password, salt).map_err(|weak| {
        no(
            lang.pick(
                format!(
                    "パスワードが {} 文字。{LEAST_PASSWORD} 文字以上、制御文字なし",
                    weak.found
                ),
                weak.to_string(),
            ),
            1,
        )
    })?;
    Ok((hash, shown))
}

/// 80 bits in letters and digits that are not taken for one another, in groups of four.
pub(super) fn readable(random: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789-";
    let letters = random.iter().map(|byte| LETTERS[usize::from(byte % 31)]);
    let mut text = String::new();
    for (at, letter) in letters.take(16).enumerate() {
        if at > 0 && at % 4 == 0 {
            text.push('-');
        }
        text.push(char::from(letter));
    }
    text
}

fn list(book: &Book, json: bool) -> Reply {
    let row = |person: &Person| {
        serde_json::json!({
            "user": person.user,
            "name": person.name,
            "role": person.role.name(),
            "extension": person.extension.as_ref().map(AgentId::as_str),
            "password": person.password.is_some(),
        })
    };
    let out = if json {
        let rows: Vec<_> = book.iter().map(row).collect();
        format!("{}\n", serde_json::json!({ "people": rows }))
    } else {
        let line = |person: &Person| {
            let extension = person.extension.as_ref().map_or("-", AgentId::as_str);
            format!(
                "{:<16} {:<10} {:<6} {}\n",
                person.user,
                person.role.name(),
                extension,
                tame(&person.name)
            )
        };
        book.iter().map(line).collect()
    };
    Reply { out, ..Reply::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Whole {
        #[command(flatten)]
        people: People,
    }

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let dir = std::env::temp_dir()
                .join(format!("madoguchi-people-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&dir).expect("a folder");
            let plan = Path::new(env!("CARGO_MANIFEST_DIR")).join("dialplans/service-desk.toml");
            let text = format!(
                "[sip]\nlisten = [\"udp:127.0.0.1:5060\"]\nrealm = \"desk.example\"\n[plan]\nfile = \"{}\"\n[http]\npeople_file = \"secrets/people.toml\"\n",
                plan.display()
            );
            std::fs::write(dir.join("madoguchi.toml"), text).expect("written");
            Self(dir)
        }

        fn run(&self, arguments: &str, typed: &str) -> Reply {
            let config = self.0.join("madoguchi.toml").display().to_string();
            let words = ["people"].into_iter().chain(arguments.split(' ')).map(str::to_owned);
            let whole = Whole::parse_from(words.chain(["--config".to_owned(), config]));
            let typed = typed.to_owned();
            answer(&whole.people, Lang::En, &move |_| Ok(Some(typed.clone())))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn an_account_comes_changes_and_goes() {
        let desk = Folder::new("life");
        let long = "a password of some length";
        let added = desk.run("add sato --name 佐藤 --role agent --extension 2001", long);
        assert_eq!((added.code, added.err.as_str()), (0, ""), "{}", added.out);
        assert!(!added.out.contains(long));
        let text = std::fs::read_to_string(desk.0.join("secrets/people.toml")).expect("there");
        assert!(text.contains("$argon2id$") && !text.contains(long), "{text}");
        let changed = desk.run("change sato --role supervisor --name 佐藤一郎", "");
        assert_eq!((changed.code, changed.err.as_str()), (0, ""));
        let made = desk.run("password sato --generate --json", "");
        let told: serde_json::Value = serde_json::from_str(&made.out).expect("JSON");
        let password = told["password"].as_str().expect("shown").to_owned();
        assert!(password.len() >= 19 && !made.out.contains("argon2"), "{}", made.out);
        let (book, _) = read_people(&desk.0.join("secrets/people.toml")).expect("whole");
        let sato = book.get("sato").expect("there");
        assert_eq!((sato.name.as_str(), sato.role), ("佐藤一郎", Role::Supervisor));
        assert!(sato.password.as_ref().is_some_and(|hash| hash.is(&password) && !hash.is(long)));
        let listed = desk.run("list", "").out;
        assert!(
            listed.contains("sato") && listed.contains("supervisor") && !listed.contains("argon2")
        );
        assert_eq!(desk.run("remove sato", "").code, 0);
        assert_eq!(desk.run("list", "").out, "");
        let by_provider = desk.run("add mori --name 森 --role admin --no-password", "");
        assert_eq!((by_provider.code, by_provider.err.as_str()), (0, ""));
        let (book, _) = read_people(&desk.0.join("secrets/people.toml")).expect("whole");
        assert!(book.get("mori").is_some_and(|mori| mori.password.is_none()));
    }

    #[test]
    fn somebody_is_signed_out_everywhere_and_that_is_forgotten_when_it_has_no_use_any_more() {
        let desk = Folder::new("sign-out");
        let out = desk.run("sign-out suzuki", "");
        assert_eq!((out.code, out.err.as_str()), (0, ""), "in no file: the provider's");
        assert_eq!(desk.run("sign-out 鈴木", "").code, 2);
        let file = desk.0.join("secrets/people.toml");
        let (mut book, _) = read_people(&file).expect("whole");
        assert!(book.signed_out_s("suzuki").is_some_and(|at_s| at_s.abs_diff(now_s()) < 60));
        book.sign_out("kato", now_s() - 13 * 3_600);
        write_people(&file, &book).expect("written");
        assert_eq!(desk.run("sign-out sato", "").code, 0);
        let (book, _) = read_people(&file).expect("whole");
        let left: Vec<&str> = book.signed_out().map(|(user, _)| user).collect();
        assert_eq!(left, ["sato", "suzuki"]);
    }

    #[test]
    fn what_is_refused_is_said_and_changes_nothing() {
        let desk = Folder::new("refused");
        let long = "a password of some length";
        assert_eq!(desk.run("add sato --name 佐藤 --role agent --extension 2001", long).code, 0);
        let before = desk.run("list --json", "").out;
        let table = [
            ("add sato --name 鈴木 --role admin", long, 1, "already"),
            ("add suzuki --name 佐藤 --role admin", long, 1, "another"),
            ("add suzuki --name 鈴木 --role agent --extension 2001", long, 1, "another"),
            ("add suzuki --name 鈴木 --role agent", long, 1, "--extension"),
            ("add suzuki --name 鈴木 --role admin", "short", 1, "5 characters"),
            ("add 鈴木 --name 鈴木 --role admin", long, 2, "letters"),
            ("change sato --no-extension", "", 1, "--extension"),
            ("remove nobody", "", 1, "nobody"),
            ("password nobody", long, 1, "nobody"),
        ];
        for (arguments, typed, code, due) in table {
            let reply = desk.run(arguments, typed);
            assert_eq!(reply.code, code, "{arguments}: {}", reply.err);
            assert!(reply.err.contains(due), "{arguments}: {}", reply.err);
            assert_eq!(desk.run("list --json", "").out, before, "{arguments}");
        }
    }

    #[test]
    fn a_made_password_is_long_and_easily_read_out() {
        let made = readable(&[0, 30, 31, 255, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]);
        assert_eq!(made.len(), 19);
        assert!(
            made.chars().all(|c| c == '-' || (c.is_ascii_alphanumeric() && !"lio01".contains(c)))
        );
    }
}
