//! What the real ticket systems of the tests have in common: a database of the package's that is seeded once for
//! these versions, kept below `target/`, and copied for each instance; whose user they run as; how their own
//! database is asked behind their back. What either of them is stands in `redmine.rs` and `rt.rs`.

use super::process::Dir;
use serde_json::Value;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The user that Debian's packages let web applications run as.
const USER: &str = "www-data";

/// A seeded database, to be copied, and what its seed said of it.
pub struct Seeded {
    /// The SQLite file; nobody writes to it.
    pub database: PathBuf,
    /// Ids of everything, as the seed wrote them.
    pub ids: Value,
}

fn root() -> bool {
    Command::new("id").arg("-u").output().unwrap().stdout == b"0\n"
}

/// The words before a program that let it run as the packages' user, and die with who started it. Who is not root
/// runs it as he is, and has to be in that user's group.
pub fn as_its_user() -> Vec<String> {
    let mut argv: Vec<String> = Vec::new();
    if root() {
        argv.extend(["setpriv", "--clear-groups"].map(str::to_owned));
        argv.extend([format!("--reuid={USER}"), format!("--regid={USER}")]);
        argv.extend(["--pdeathsig", "KILL"].map(str::to_owned));
    }
    argv
}

/// A folder that the packages' user may write to.
pub fn folder(name: &str) -> Dir {
    let dir = Dir::new(name);
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    give(dir.path());
    dir
}

/// Puts a file of ours, or a copy, where the packages' user reads it.
pub fn give(path: &Path) {
    if root() {
        let owner = format!("{USER}:{USER}");
        let given = Command::new("chown").arg(owner).arg(path).status().unwrap();
        assert!(given.success(), "chown {}", path.display());
    }
}

/// The database of `package` after `seed`, which fills the copy it is given in the folder it is given and writes the
/// ids as JSON beside it, to the paths `database` and `ids`. Seeded anew when the package's version or `texts` (what
/// the seed is made of) changed; another test that asks meanwhile waits.
pub fn seeded(package: &str, packaged: &str, texts: &[&str], seed: impl Fn(&Dir)) -> Seeded {
    let version = Command::new("dpkg-query").args(["-W", "-f", "${Version}", package]).output();
    let version = version.expect("a Debian").stdout;
    assert!(
        !version.is_empty() && Path::new(packaged).exists(),
        "{package} is missing, or this user may not read {packaged}: scripts/ticket-tools, as root or in group {USER}"
    );
    let mut hasher = DefaultHasher::new();
    (&version, texts).hash(&mut hasher);
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("seeded");
    std::fs::create_dir_all(&kept).unwrap();
    let name = format!("{package}-{:016x}", hasher.finish());
    let (database, ids) = (kept.join(format!("{name}.db")), kept.join(format!("{name}.json")));

    let lock = std::fs::File::create(kept.join(format!("{package}.lock"))).unwrap();
    lock.lock().unwrap();
    // The ids come last: with them the seed is whole.
    if !ids.exists() {
        let dir = folder(&format!("seed-{package}"));
        let copy = dir.file("database");
        std::fs::copy(packaged, &copy).unwrap();
        give(&copy);
        seed(&dir);
        // What lies in a write-ahead log beside it comes into the one file that is copied.
        sqlite(&copy, "PRAGMA wal_checkpoint(TRUNCATE)");
        std::fs::copy(&copy, &database).unwrap();
        let half = kept.join(format!("{name}.half"));
        std::fs::copy(dir.file("ids"), &half).unwrap();
        std::fs::rename(&half, &ids).unwrap();
    }
    let ids = serde_json::from_slice(&std::fs::read(ids).unwrap()).unwrap();
    Seeded { database, ids }
}

/// Runs a seed to its end; its words only when it fails.
#[track_caller]
pub fn run(argv: &[String], dir: &Path) {
    let out = Command::new(&argv[0]).args(&argv[1..]).current_dir(dir).output().unwrap();
    assert!(out.status.success(), "{argv:?}: {out:?}");
}

/// Asks a SQLite file directly, also while its owner writes to it or after it was killed.
#[track_caller]
pub fn sqlite(database: &Path, sql: &str) -> String {
    let mut argv = as_its_user();
    argv.extend(["sqlite3", "-batch", "-cmd", ".timeout 10000"].map(str::to_owned));
    argv.extend([database.display().to_string(), sql.to_owned()]);
    let out = Command::new(&argv[0]).args(&argv[1..]).output().unwrap();
    assert!(out.status.success(), "{sql}: {out:?}");
    String::from_utf8(out.stdout).unwrap()
}

/// The same, of rows that are a JSON object each.
#[track_caller]
pub fn rows<T: serde::de::DeserializeOwned>(database: &Path, sql: &str) -> Vec<T> {
    let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    sqlite(database, sql).lines().map(read).collect()
}
