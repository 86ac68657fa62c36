//! What a start would refuse although whoever asks can read everything: files that the desk's user cannot open, and a
//! store of a later program.
//!
//! Owners and modes are looked at and nothing is opened. What only the system knows (other groups, access lists) is left
//! to the start: a desk is not kept from being replaced by a guess.

use super::files::whole;
use super::problem::Problem;
use super::{Config, StoreConfig, credential};
use crate::dialplan::shape::{Row, say};
use crate::dialplan::{Finding, Plan, Severity};
use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Where an access list is kept, beside the mode (acl(5)).
const ACCESS_LIST: &str = "system.posix_acl_access";
const READ: u32 = 0o4;
const ENTER: u32 = 0o1;

/// What keeps a desk from starting, beside what its files say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StartProblem {
    /// The store was written by a later program.
    NewerStore { found: i64, known: i64 },
    /// The desk's user cannot read a file.
    Unread { uid: u32, owner: u32, mode: u32, file: String },
    /// The desk's user cannot enter a folder above it.
    NoEntry { uid: u32, owner: u32, mode: u32, folder: String },
}

impl StartProblem {
    pub(super) fn row(&self) -> Row {
        use Severity::Error;
        match self {
            Self::NewerStore { found, known } => (
                Error,
                "newer-store",
                say!(
                    "新しい版の madoguchi が書いた履歴（スキーマは {found}、この版が読めるのは {known} まで）。窓口は起動できない",
                    "it was written by a newer Madoguchi: its schema is version {found}, this program knows versions up to {known}; the desk cannot start"
                ),
                say!(
                    "新しい版を動かし続けるか、止めて（systemctl stop madoguchi）からバックアップを戻す（madoguchi restore）",
                    "the newer program; or, after systemctl stop madoguchi, a backup that is put back (madoguchi restore)"
                ),
            ),
            Self::Unread { uid, owner, mode, file } => (
                Error,
                "desk-cannot-read",
                say!(
                    "窓口の利用者 {uid} が読めない（持ち主は {owner}、{mode:04o}）。窓口は起動できない",
                    "the desk runs as {uid} and cannot read it (owned by {owner}, mode {mode:04o}): it cannot start"
                ),
                say!(
                    "窓口の利用者が読めるファイル: chown {uid} {file}",
                    "a file that the desk's user can read: chown {uid} {file}"
                ),
            ),
            Self::NoEntry { uid, owner, mode, folder } => (
                Error,
                "desk-cannot-read",
                say!(
                    "窓口の利用者 {uid} がフォルダー {folder} に入れない（持ち主は {owner}、{mode:04o}）。窓口は起動できない",
                    "the desk runs as {uid} and cannot enter the folder {folder} (owned by {owner}, mode {mode:04o}): it cannot start"
                ),
                say!(
                    "窓口の利用者が入れるフォルダー（chmod o+x {folder}）、またはファイルを別の場所に置く",
                    "a folder that the desk's user can enter (chmod o+x {folder}), or the file elsewhere"
                ),
            ),
        }
    }
}

/// As whom the desk runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeskUser {
    /// The user.
    pub uid: u32,
    /// The user's own group.
    pub gid: u32,
}

impl DeskUser {
    /// Whose something is.
    #[must_use]
    pub fn of(about: &Metadata) -> Self {
        Self { uid: about.uid(), gid: about.gid() }
    }

    /// Whether something of this owner and mode is shut to the user.
    fn is_kept_out(self, owner: Self, mode: u32, bit: u32) -> bool {
        // root passes everywhere (capabilities(7), CAP_DAC_OVERRIDE).
        if self.uid == 0 {
            return false;
        }
        // path_resolution(7): one of the three digits is looked at, also where another gives more.
        if owner.uid == self.uid {
            return mode & (bit << 6) == 0;
        }
        if owner.gid == self.gid {
            return mode & (bit << 3) == 0;
        }
        // Another group may be the user's, too (SupplementaryGroups=); root's is no service's.
        mode & bit == 0 && (owner.gid == 0 || mode & (bit << 3) == 0)
    }
}

/// A file that a start reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// Its path.
    pub file: PathBuf,
    /// Whether it is a secret, which its owner alone may read.
    pub is_secret: bool,
    /// Whether a start makes it when it is missing.
    pub is_made: bool,
    /// Whether the service manager hands it over, whoever owns what it is made of.
    pub is_handed: bool,
}

impl Config {
    /// Every file that a start by the configuration at `path` reads, each once; the tables of a plan that could not be
    /// read are not known.
    #[must_use]
    pub fn named_files(&self, path: &Path, plan: Option<&Plan>) -> Vec<NamedFile> {
        let credentials = credential::folder();
        let mut all: Vec<NamedFile> = Vec::new();
        let mut add = |file: &Path, is_secret, is_made| {
            let is_handed = credentials.as_ref().is_some_and(|folder| file.starts_with(folder));
            if !all.iter().any(|known| known.file == file) {
                // A start makes nothing in the folder of credentials, which is not its own.
                let (file, is_made) = (file.to_owned(), is_made && !is_handed);
                all.push(NamedFile { file, is_secret, is_made, is_handed });
            }
        };
        let http = &self.http;
        let made = [
            Some(&http.token_file),
            http.viewer_token_file.as_ref(),
            http.wall_token_file.as_ref(),
        ];
        made.into_iter().flatten().for_each(|file| add(file, true, true));
        self.secret_files().into_iter().for_each(|file| add(file, true, false));
        add(path, false, false);
        add(&self.plan, false, false);
        if let Some((table, _)) = plan.and_then(|plan| plan.holidays.as_ref()) {
            add(&self.plan.parent().unwrap_or(Path::new("")).join(table), false, false);
        }
        self.open_files().into_iter().for_each(|file| add(file, false, false));
        for file in self.media.prompts.iter().flat_map(|folder| prompts(folder)) {
            add(&file, false, false);
        }
        all
    }

    /// As [`Config::held`] has what they hold, with accounts, people and the files of others' that are read later.
    fn secret_files(&self) -> Vec<&Path> {
        let http = &self.http;
        let warning = self.warning.as_ref();
        let mail = warning.and_then(|it| it.mail.as_ref()).and_then(|it| it.login.as_ref());
        let single = [
            self.accounts_file.as_deref(),
            self.sip.tls.as_ref().map(|tls| tls.key.as_path()),
            http.tls.as_ref().map(|tls| tls.key.as_path()),
            http.people_file.as_deref(),
            http.oidc.as_ref().and_then(|oidc| oidc.secret_file.as_deref()),
            self.recording.as_ref().and_then(|recording| recording.key_file.as_deref()),
            self.store.site.as_ref().and_then(|site| site.password_file.as_deref()),
            warning.and_then(|it| it.webhook.as_ref()).map(|it| it.secret_file.as_path()),
            mail.map(|(_, file)| file.as_path()),
        ];
        let trunks = self.trunks.iter().filter_map(|trunk| trunk.password_file.as_deref());
        let targets = self.tickets.targets.iter().flat_map(|target| {
            let key = target.at.as_ref().map(|at| at.key_file.as_path());
            [key, target.cti_file.as_deref()].into_iter().flatten()
        });
        single.into_iter().flatten().chain(trunks).chain(targets).collect()
    }

    fn open_files(&self) -> Vec<&Path> {
        let mut files: Vec<&Path> = Vec::new();
        for tls in [&self.sip.tls, &self.http.tls].into_iter().flatten() {
            files.push(&tls.certificate);
            files
                .extend([&tls.client_ca, &tls.peer_ca].into_iter().flatten().map(PathBuf::as_path));
        }
        let others = [
            self.http.oidc.as_ref().and_then(|oidc| oidc.ca.as_deref()),
            self.store.site.as_ref().and_then(|site| site.ca_file.as_deref()),
            self.warning.as_ref().and_then(|warning| warning.ca.as_deref()),
            self.tickets.ca.as_deref(),
            self.tickets.directory.as_deref(),
        ];
        files.extend(others.into_iter().flatten());
        files
    }
}

/// The site's own announcements, also those of other languages, and the folders that they are looked for in.
fn prompts(folder: &Path) -> Vec<PathBuf> {
    let within = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let is_read = |path: &PathBuf| {
        path.is_dir() || path.extension().is_some_and(|end| end.eq_ignore_ascii_case("wav"))
    };
    let mut all = vec![folder.to_owned()];
    for path in within(folder).into_iter().filter(is_read) {
        let inside = if path.is_dir() { within(&path) } else { Vec::new() };
        all.push(path);
        all.extend(inside.into_iter().filter(|path| !path.is_dir()).filter(is_read));
    }
    all
}

/// Which of some files the desk's user cannot open. What is not there is told by who reads it.
#[must_use]
pub fn unreadable(files: &[NamedFile], user: DeskUser) -> Vec<Finding> {
    // A folder that is shut is told once, however much lies in it.
    let mut told = BTreeSet::new();
    let mut findings = Vec::new();
    for named in files.iter().filter(|named| !named.is_handed) {
        let Some((problem, at)) = shut(&named.file, user) else { continue };
        if told.insert(at) {
            findings.extend(whole(&named.file.display().to_string(), Problem::Start(problem)));
        }
    }
    findings
}

/// What keeps the user from a file, and where.
fn shut(file: &Path, user: DeskUser) -> Option<(StartProblem, PathBuf)> {
    let about = fs::metadata(file).ok()?;
    // Both the way that is written and the one that links lead.
    let ways = [std::path::absolute(file).ok(), fs::canonicalize(file).ok()];
    for folder in ways.iter().flatten().flat_map(|way| way.ancestors().skip(1)) {
        let Ok(about) = fs::metadata(folder) else { continue };
        if is_shut(folder, &about, user, ENTER) {
            let (uid, owner, mode) = (user.uid, about.uid(), about.mode() & 0o7777);
            let said = folder.display().to_string();
            let problem = StartProblem::NoEntry { uid, owner, mode, folder: said };
            return Some((problem, folder.to_owned()));
        }
    }
    is_shut(file, &about, user, READ).then(|| {
        let (uid, owner, mode) = (user.uid, about.uid(), about.mode() & 0o7777);
        let said = file.display().to_string();
        (StartProblem::Unread { uid, owner, mode, file: said }, file.to_owned())
    })
}

fn is_shut(path: &Path, about: &Metadata, user: DeskUser, bit: u32) -> bool {
    user.is_kept_out(DeskUser::of(about), about.mode(), bit) && !has_access_list(path)
}

/// Whether more is said of a file than its mode says.
fn has_access_list(path: &Path) -> bool {
    let nothing: &mut [u8] = &mut [];
    rustix::fs::getxattr(path, ACCESS_LIST, nothing).is_ok_and(|length| length > 0)
}

impl StoreConfig {
    /// That a start would refuse the store: `found` is its schema's version, `known` the last one that this program
    /// knows.
    #[must_use]
    pub fn newer(&self, found: i64, known: i64) -> Vec<Finding> {
        let problem = StartProblem::NewerStore { found, known };
        whole(&self.file.display().to_string(), Problem::Start(problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    #[test]
    fn the_desks_user_is_judged_as_the_system_would() {
        let desk = DeskUser { uid: 998, gid: 997 };
        // (owner, group, mode, kept from reading)
        let table = [
            (998, 997, 0o600, false),
            (998, 997, 0o200, true),
            (0, 0, 0o600, true),
            (0, 0, 0o640, true),
            (0, 0, 0o644, false),
            (0, 997, 0o640, false),
            (0, 997, 0o600, true),
            (0, 997, 0o604, true),
            (0, 44, 0o640, false), // ssl-cert may be a group of the desk's
            (0, 44, 0o600, true),
        ];
        for (uid, gid, mode, due) in table {
            let found = desk.is_kept_out(DeskUser { uid, gid }, mode, READ);
            assert_eq!(found, due, "{uid}:{gid} {mode:o}");
            let root = DeskUser { uid: 0, gid: 0 };
            assert!(!root.is_kept_out(DeskUser { uid, gid }, mode, READ), "root reads all");
        }
    }

    #[test]
    fn every_file_that_a_configuration_names_is_looked_at() {
        let text = "[sip]\nlisten = [\"udp:127.0.0.1:5060\", \"tls:127.0.0.1:5061\"]\nrealm = \"desk.example\"\n\
                    [sip.tls]\ncertificate = \"a.pem\"\nkey = \"a.key\"\npeer_ca = \"ca.pem\"\n\
                    [http]\ntoken_file = \"token\"\nwall_token_file = \"wall\"\npeople_file = \"people\"\n\
                    certificate = \"a.pem\"\nkey = \"a.key\"\n\
                    [warning]\nlink = \"https://desk.example/\"\nwebhook = \"https://hooks.example/x\"\nwebhook_secret_file = \"hook\"\n\
                    smtp = \"mail.example:25\"\nfrom = \"desk@desk.example\"\nto = [\"a@desk.example\"]\nsmtp_user = \"u\"\nsmtp_password_file = \"smtp\"\n\
                    [[trunks]]\nname = \"carrier\"\nsources = [\"192.0.2.1\"]\nservers = [\"192.0.2.1\"]\n\
                    domain = \"carrier.example\"\nuser = \"0312345678\"\npassword_file = \"carrier\"\n\
                    [tickets]\ndirectory = \"people.csv\"\n\
                    [plan]\nfile = \"plan.toml\"\n[accounts]\nfile = \"accounts.tsv\"\n";
        let (config, _) = parse(text, "madoguchi.toml", Path::new("/x")).expect("whole");
        let files = config.named_files(Path::new("/x/madoguchi.toml"), None);
        let of = |is_secret| -> BTreeSet<&str> {
            let all = files.iter().filter(|it| it.is_secret == is_secret);
            all.filter_map(|it| it.file.file_name()?.to_str()).collect()
        };
        let secret =
            ["a.key", "accounts.tsv", "carrier", "hook", "people", "smtp", "token", "wall"];
        assert_eq!(of(true), secret.into());
        assert_eq!(
            of(false),
            ["a.pem", "ca.pem", "madoguchi.toml", "people.csv", "plan.toml"].into()
        );
        assert_eq!(files.len(), 13, "each once: {files:?}");
        // Whatever the desk holds of a file is of one that is listed here.
        assert!(config.held().len() <= of(true).len());
    }
}
