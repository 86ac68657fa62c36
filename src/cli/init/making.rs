//! The files of `init`: all of them or none, each new, each readable by its owner alone.

use super::answers::Answers;
use super::{Init, Reply, asking, certificate, paper};
use crate::base::{Private, Wall};
use crate::cli::people::readable;
use crate::config;
use crate::dialplan::{Lang, tame};
use crate::people::{PasswordHash, People, Person, Role};
use crate::sip::digest::Ha1;
use chrono::DateTime;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, chown};
use std::path::{Path, PathBuf};

const ACCOUNTS: &str = "secrets/accounts.tsv";
const PEOPLE: &str = "secrets/people.toml";
const TOKEN: &str = "secrets/http-token";
const KEY: &str = "secrets/desk.key";
const CERTIFICATE: &str = "tls/desk.pem";

/// What was made, and the secrets that are shown once.
#[derive(Debug)]
pub(super) struct Made {
    /// In the order in which they were made.
    pub files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    /// Extensions with the passwords of their phones.
    pub phones: Vec<(String, Private<String>)>,
    /// The administrator's password.
    pub admin: Private<String>,
}

impl Made {
    /// Takes away again what was made; folders only when nothing else lies in them.
    pub(super) fn undo(&self) {
        for file in self.files.iter().rev() {
            let _ = fs::remove_file(file); // what cannot be removed is told of by the next try
        }
        for folder in self.folders.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// A user of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    uid: u32,
    gid: u32,
}

/// Who is to own the files; none: whoever makes them.
pub(super) fn owner(arguments: &Init, lang: Lang) -> Result<Option<Owner>, Reply> {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    if let Some(name) = &arguments.owner {
        return user(&users, name).map(Some).ok_or_else(|| {
            let name = tame(name);
            Reply::wrong(&lang.pick(
                format!("--owner: {name} という利用者はこの機器にいない"),
                format!("--owner: this machine has no user {name}"),
            ))
        });
    }
    let by_root = rustix::process::geteuid().is_root();
    let dir = std::path::absolute(&arguments.folder).unwrap_or_default();
    Ok(user(&users, "madoguchi").filter(|_| by_root && asking::is_the_systems(&dir)))
}

/// A line of /etc/passwd (passwd(5)).
fn user(users: &str, name: &str) -> Option<Owner> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let found = fields.next() == Some(name);
        let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        found.then_some(Owner { uid, gid })
    })
}

/// Makes everything.
pub(super) fn make(
    answers: &Answers,
    admin: &str,
    owner: Option<Owner>,
    now: Wall,
    lang: Lang,
) -> Result<Made, Reply> {
    let failed = |what: &dyn std::fmt::Display| Reply {
        err: format!(
            "{}\n",
            lang.pick(format!("作れない: {what}"), format!("cannot be made: {what}"))
        ),
        code: 1,
        ..Reply::default()
    };
    let secrets = secrets(answers, admin).map_err(|error| failed(&error))?;
    let today = DateTime::from_timestamp_millis(now.0).unwrap_or_default().date_naive();
    let (certificate, key) = certificate::make(answers, today).map_err(|error| failed(&error))?;
    let files: [(&str, String); 8] = [
        (paper::CONFIG_FILE, paper::config(answers)),
        (paper::PLAN_FILE, paper::plan(answers)),
        (paper::TABLE_FILE, paper::table(answers)),
        (ACCOUNTS, secrets.accounts),
        (PEOPLE, secrets.people),
        (TOKEN, secrets.token),
        (CERTIFICATE, certificate),
        (KEY, key.reveal().clone()),
    ];
    let there = files.iter().map(|(name, _)| answers.dir.join(name)).find(|path| path.exists());
    if let Some(there) = there {
        let there = tame(&there.display().to_string());
        return Err(Reply {
            err: lang.pick(
                format!("{there} がもうある。何も上書きしない。別のフォルダーを選ぶか、それを移す\n"),
                format!("{there} is there already, and nothing is written over: choose another folder, or move it away\n"),
            ),
            code: 1,
            ..Reply::default()
        });
    }
    let mut made = Made {
        files: Vec::new(),
        folders: Vec::new(),
        phones: secrets.phones,
        admin: secrets.password,
    };
    let put = |made: &mut Made| -> Result<(), (PathBuf, io::Error)> {
        for folder in ["", "secrets", "tls"] {
            folder_of(&answers.dir.join(folder), owner, made)?;
        }
        folder_of(&answers.state, owner, made)?;
        for (name, text) in &files {
            let path = answers.dir.join(name);
            config::write_private(&path, text).map_err(|error| (path.clone(), error))?;
            made.files.push(path.clone());
            give(&path, owner).map_err(|error| (path.clone(), error))?;
        }
        Ok(())
    };
    put(&mut made).map_err(|(path, error)| {
        made.undo();
        failed(&format!("{}: {error}", tame(&path.display().to_string())))
    })?;
    Ok(made)
}

/// Makes a folder that only its owner enters; one that is there already is left as it is.
fn folder_of(
    path: &Path,
    owner: Option<Owner>,
    made: &mut Made,
) -> Result<(), (PathBuf, io::Error)> {
    if path.is_dir() {
        return Ok(());
    }
    let failed = |error| (path.to_owned(), error);
    if let Some(above) = path.parent() {
        fs::create_dir_all(above).map_err(failed)?;
    }
    DirBuilder::new().mode(0o700).create(path).map_err(failed)?;
    made.folders.push(path.to_owned());
    give(path, owner).map_err(failed)
}

fn give(path: &Path, owner: Option<Owner>) -> io::Result<()> {
    owner.map_or(Ok(()), |owner| chown(path, Some(owner.uid), Some(owner.gid)))
}

/// What nobody can guess.
struct Secrets {
    phones: Vec<(String, Private<String>)>,
    password: Private<String>,
    accounts: String,
    people: String,
    token: String,
}

fn drawn<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes)
}

fn secrets(answers: &Answers, admin: &str) -> io::Result<Secrets> {
    let mut accounts =
        "# 電話機のアカウント: 内線<TAB>realm<TAB>ハッシュ二つ。新しいパスワードは 内線<TAB>パスワード の行で書き、\n\
         # madoguchi accounts hash でハッシュにする。替えたら systemctl reload madoguchi\n"
            .to_owned();
    let mut phones = Vec::new();
    for extension in answers.extensions() {
        let password = readable(&drawn::<16>()?);
        let ha1 = Ha1::new(&extension, answers.realm(), &password);
        let [md5, sha256] = ha1.hashes();
        accounts.push_str(&format!("{extension}\t{}\t{md5}\t{sha256}\n", answers.realm()));
        phones.push((extension, Private::new(password)));
    }
    let password = readable(&drawn::<16>()?);
    let hash = PasswordHash::of(&password, drawn()?).map_err(io::Error::other)?;
    let mut people = People::default();
    people.add(Person {
        user: admin.to_owned(),
        name: "管理者".to_owned(),
        role: Role::Admin,
        extension: None,
        password: Some(hash),
    });
    let token = format!("{:032x}", u128::from_be_bytes(drawn()?));
    Ok(Secrets {
        phones,
        password: Private::new(password),
        accounts,
        people: config::show_people(&people),
        token: format!("{token}\n"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_of_the_system_is_found_by_name() {
        let users = "root:x:0:0:root:/root:/bin/sh\nmadoguchi-old:x:7:7::/:/bin/false\n\
                     broken\nmadoguchi:x:998:997::/var/lib/madoguchi:/usr/sbin/nologin\n";
        assert_eq!(user(users, "madoguchi"), Some(Owner { uid: 998, gid: 997 }));
        assert_eq!(user(users, "root"), Some(Owner { uid: 0, gid: 0 }));
        assert_eq!(user(users, "nobody"), None);
    }
}
