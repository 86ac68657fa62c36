//! Opening: the lock, the check that the file is ours and of the right kind, the migrations.

use super::owner;
use super::sealing::{Backfill, BackfillError, last_hash};
use super::{Kind, Options};
use crate::base::{Number, Wall, beside, folder_of};
use crate::event::chain::{Hash, Unsealable};
use crate::sip::api::{Binding, Flow, KeptSubscription, Outbound, Transport};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row, SqlSafeStr, SqliteConnection};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Written into the header of every file of ours, so that `file(1)` and we can tell it: "MADO".
const APPLICATION_ID: i64 = 0x4d41_444f;

/// How long opening waits for another process (a backup, a shell) to let go of the file.
const OPEN_PATIENCE: Duration = Duration::from_secs(5);

/// Why a store was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another daemon has it.
    #[error("{path} is in use by another Madoguchi{}; one file serves one daemon",
        pid.as_ref().map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    InUse {
        /// The file.
        path: PathBuf,
        /// The other's process number, when it could be read.
        pid: Option<String>,
    },
    /// A file of the other kind.
    #[error("{path} holds {found} calls, due is a store for {due} calls; name another file")]
    WrongKind {
        /// The file.
        path: PathBuf,
        /// What it is for.
        found: String,
        /// What it must be for.
        due: &'static str,
    },
    /// Written by a later version.
    #[error(
        "{path} was written by a newer Madoguchi: its schema is version {found}, this program \
         knows versions up to {known}; start the newer program, or name another file"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The schema's version in the file.
        found: i64,
        /// The last version known here.
        known: i64,
    },
    /// Not one of our files.
    #[error("{path} is not a Madoguchi store: it is {found}; name another file")]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// What it seems to be.
        found: &'static str,
    },
    /// The schema could not be brought up to date.
    #[error("{path}: the schema could not be brought up to date: {source}")]
    Migrate {
        /// The file.
        path: PathBuf,
        /// What the database said.
        source: Box<MigrateError>,
    },
    /// The database said no.
    #[error("{path}: {doing}: {source}")]
    Database {
        /// The file.
        path: PathBuf,
        /// What was being attempted.
        doing: &'static str,
        /// What the database said.
        source: sqlx::Error,
    },
    /// A registration that cannot be read.
    #[error("{path}: the registration of {account} is broken: found {found:?} as its {what}")]
    BrokenBinding {
        /// The file.
        path: PathBuf,
        /// Whose.
        account: String,
        /// Which part.
        what: &'static str,
        /// What stands there.
        found: String,
    },
    /// An entry of an older version has no form that could be hashed.
    #[error(
        "{path}: entry {seq} of the journal cannot be given its place in the hash chain: {why}"
    )]
    Unsealable {
        /// The file.
        path: PathBuf,
        /// Which entry.
        seq: i64,
        /// Why.
        why: Unsealable,
    },
    /// The operating system said no.
    #[error("{doing}: {source}")]
    Io {
        /// What was being attempted.
        doing: &'static str,
        /// What it said.
        source: std::io::Error,
    },
    /// The store's thread ended without a word.
    #[error("the journal's thread died while opening the store")]
    Died,
}

/// What the file held.
pub(super) struct Found {
    pub(super) next_seq: u64,
    pub(super) last_hash: Hash,
    pub(super) bindings: Vec<Binding>,
    pub(super) subscriptions: Vec<KeptSubscription>,
}

/// Makes the folders and the file, readable by the owner only, and takes the lock.
pub(super) fn prepare(path: &Path) -> Result<File, OpenError> {
    let lock = lock(path)?;
    // SQLite would delete it when it opens an empty store beside it, and with it what only it has. A desk that does not
    // start would lose calls, so it is put aside.
    if let Some(wal) = left_wal(path) {
        let aside = put_aside(&wal).map_err(|source| OpenError::Io {
            doing: "putting a moved store's -wal aside",
            source,
        })?;
        tracing::error!(
            file = %aside.display(),
            "a -wal lay there without its store, whose newest entries may be in it; it was put aside"
        );
    }
    if !path.exists() {
        // SQLite gives the WAL and its index the permissions of the file.
        make(path)?;
    }
    Ok(lock)
}

/// Makes an empty file, readable by the owner only.
pub(super) fn make(path: &Path) -> Result<File, OpenError> {
    let mut open = OpenOptions::new();
    open.read(true).write(true).create(true).truncate(false).mode(0o600);
    let made =
        open.open(path).and_then(|file| owner::give_to_the_folders_owner(path).map(|()| file));
    made.map_err(|source| OpenError::Io { doing: "making the store's file", source })
}

/// Makes the folders and takes the lock of the store at `path`, which need not be there.
pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
    let io = |doing| move |source| OpenError::Io { doing, source };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        owner::make_folder(folder).map_err(io("making the folder of the store"))?;
    }
    let mut open = OpenOptions::new();
    open.read(true).write(true).create(true).truncate(false).mode(0o600);
    // A file of its own: closing any descriptor of the database would drop SQLite's own locks.
    let mut lock = open.open(lock_path(path)).map_err(io("opening the lock of the store"))?;
    owner::give_to_the_folders_owner(&lock_path(path)).map_err(io("giving the lock away"))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => {
            let mut pid = String::new();
            let read = lock.take(20).read_to_string(&mut pid);
            let pid = read.ok().map(|_| pid.trim().to_owned()).filter(|pid| !pid.is_empty());
            return Err(OpenError::InUse { path: path.to_owned(), pid });
        }
        Err(std::fs::TryLockError::Error(source)) => {
            return Err(OpenError::Io { doing: "locking the store", source });
        }
    }
    let written = lock
        .set_len(0)
        .and_then(|()| lock.rewind())
        .and_then(|()| writeln!(lock, "{}", std::process::id()));
    // The number is for the message only; on a full disk the lock itself still holds.
    drop(written);
    Ok(lock)
}

pub(super) fn lock_path(path: &Path) -> PathBuf {
    beside(path, ".lock")
}

/// Opens the connection that writes.
pub(super) async fn connect(
    path: &Path,
    options: Options,
) -> Result<SqliteConnection, sqlx::Error> {
    let synchronous = match options.durability {
        super::Durability::Process => SqliteSynchronous::Normal,
        super::Durability::Power => SqliteSynchronous::Full,
    };
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .busy_timeout(OPEN_PATIENCE)
        // Checkpoints are made beside the writing; this is what happens should they not keep up.
        .pragma("wal_autocheckpoint", "16384")
        .pragma("journal_size_limit", "67108864")
        // A page that becomes another kind of page keeps nothing of what it was: erasing would not find it.
        // FAST costs no further page on the disk.
        .pragma("secure_delete", "FAST")
        .statement_cache_capacity(super::sql::STATEMENTS)
        .thread_name(|_| "journal-sqlite".to_owned());
    let connect = connect.disable_statement_logging();
    SqliteConnection::connect_with(&connect).await
}

/// The `-wal` that lies at a place without its store, with something in it: the store was moved away, its newest
/// entries may still be there alone, and `SQLite` would read them into whatever store comes to the place.
pub(super) fn left_wal(store: &Path) -> Option<PathBuf> {
    let wal = beside(store, "-wal");
    let full = |path: &Path| std::fs::metadata(path).is_ok_and(|file| file.len() > 0);
    (!full(store) && full(&wal)).then_some(wal)
}

/// What follows in the name of a `-wal` that was put aside.
const LEFT: &str = ".left";

/// What starts have put aside of a store: pages with texts that no erasing reaches.
#[must_use]
pub fn aside(store: &Path) -> Vec<PathBuf> {
    let mut begins = beside(store, "-wal").file_name().unwrap_or_default().to_owned();
    begins.push(LEFT);
    let files = std::fs::read_dir(folder_of(store)).into_iter().flatten().flatten();
    let is_it = |file: &std::fs::DirEntry| {
        file.file_name().as_encoded_bytes().starts_with(begins.as_encoded_bytes())
    };
    files.filter(is_it).map(|file| file.path()).collect()
}

/// Gives it a name that nothing reads; the first that is free.
fn put_aside(wal: &Path) -> std::io::Result<PathBuf> {
    let mut aside = (1..=u32::MAX).map(|n| beside(wal, &format!("{LEFT}-{n}")));
    let aside = aside.find(|path| !path.exists()).unwrap_or_else(|| beside(wal, LEFT));
    std::fs::rename(wal, &aside)?;
    sync_folder(&aside)?;
    Ok(aside)
}

/// Brings the folder of a file to the disk, and with it the file's name.
pub(super) fn sync_folder(of: &Path) -> std::io::Result<()> {
    File::open(folder_of(of))?.sync_all()
}

/// Checks and prepares what `connection` opened.
pub(super) async fn examine(
    connection: &mut SqliteConnection,
    path: &Path,
    kind: Kind,
) -> Result<Found, OpenError> {
    let failed = |doing| move |source| OpenError::Database { path: path.to_owned(), doing, source };
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
        .fetch_one(&mut *connection)
        .await
        .map_err(|source| match &source {
            sqlx::Error::Database(error) if error.code().as_deref() == Some("26") => {
                OpenError::NotOurs { path: path.to_owned(), found: "no SQLite file" }
            }
            _ => failed("reading the file")(source),
        })?;
    let id: i64 = sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed("reading the file's header"))?;
    if tables > 0 && id != APPLICATION_ID {
        return Err(OpenError::NotOurs {
            path: path.to_owned(),
            found: "a database of another program",
        });
    }
    if tables > 0 {
        check_kind(connection, path, kind).await?;
    } else {
        let mark = format!("PRAGMA application_id = {APPLICATION_ID}");
        sqlx::query(sqlx::AssertSqlSafe(mark))
            .execute(&mut *connection)
            .await
            .map_err(failed("marking the file"))?;
    }
    migrate(connection, path).await?;
    sqlx::query("INSERT INTO meta (key, value) VALUES ('kind', ?1) ON CONFLICT DO NOTHING")
        .bind(kind.name())
        .execute(&mut *connection)
        .await
        .map_err(failed("marking the file"))?;
    // A copy of the history elsewhere must know whether it still follows the same file.
    sqlx::query("INSERT INTO meta (key, value) VALUES ('file', ?1) ON CONFLICT DO NOTHING")
        .bind(
            new_name()
                .map_err(|source| OpenError::Io { doing: "drawing random numbers", source })?,
        )
        .execute(&mut *connection)
        .await
        .map_err(failed("marking the file"))?;
    backfill(connection, path, kind).await?;
    let last_hash =
        last_hash(&mut *connection, kind).await.map_err(failed("reading the last entry"))?;
    let last: Option<i64> = sqlx::query_scalar("SELECT max(seq) FROM entry")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed("reading the last entry"))?;
    let next_seq = u64::try_from(last.unwrap_or(0)).unwrap_or(0) + 1;
    let bindings = bindings(connection, path).await?;
    let subscriptions = super::subscriptions::read(connection, path).await?;
    sqlx::query("PRAGMA busy_timeout = 100")
        .execute(&mut *connection)
        .await
        .map_err(failed("setting the patience"))?;
    Ok(Found { next_seq, last_hash, bindings, subscriptions })
}

/// What no other file is called.
fn new_name() -> std::io::Result<String> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).map_err(std::io::Error::other)?;
    Ok(crate::base::hex(&bits))
}

/// Seals what an older version wrote; a start that was killed in it goes on where it stood.
async fn backfill(
    connection: &mut SqliteConnection,
    path: &Path,
    kind: Kind,
) -> Result<(), OpenError> {
    let sealed = async {
        match Backfill::due(&mut *connection, kind).await? {
            Some(backfill) => backfill.run(&mut *connection).await,
            None => Ok(()),
        }
    };
    sealed.await.map_err(|error| match error {
        BackfillError::Database(source) => OpenError::Database {
            path: path.to_owned(),
            doing: "giving older entries their place in the hash chain",
            source,
        },
        BackfillError::Random(source) => OpenError::Io { doing: "drawing random numbers", source },
        BackfillError::Entry { seq, why } => {
            OpenError::Unsealable { path: path.to_owned(), seq, why }
        }
    })
}

/// A file with tables was marked when it was made, unless its maker died within that instant.
async fn check_kind(
    connection: &mut SqliteConnection,
    path: &Path,
    kind: Kind,
) -> Result<(), OpenError> {
    let failed = |source| OpenError::Database {
        path: path.to_owned(),
        doing: "reading what the file is for",
        source,
    };
    let has_meta: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'meta')",
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(failed)?;
    if !has_meta {
        return Ok(());
    }
    let found: Option<String> = sqlx::query_scalar("SELECT value FROM meta WHERE key = 'kind'")
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed)?;
    match found {
        Some(found) if found != kind.name() => {
            Err(OpenError::WrongKind { path: path.to_owned(), found, due: kind.name() })
        }
        _ => Ok(()),
    }
}

/// The schema, step by step: its version is how many of them a file has had.
const STEPS: [(&str, &str); 6] = [
    ("journal", include_str!("../../../migrations/sqlite/0001_journal.sql")),
    ("flows", include_str!("../../../migrations/sqlite/0002_flows.sql")),
    ("subscriptions", include_str!("../../../migrations/sqlite/0003_subscriptions.sql")),
    ("path", include_str!("../../../migrations/sqlite/0004_path.sql")),
    ("chain", include_str!("../../../migrations/sqlite/0005_chain.sql")),
    ("copies", include_str!("../../../migrations/sqlite/0006_copies.sql")),
];

/// The last version of the schema that this program knows.
pub(super) fn known() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

async fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<(), OpenError> {
    let known = known();
    let migration = |(number, (name, text)): (i64, (&'static str, &'static str))| {
        let text = text.into_sql_str();
        Migration::new(number, name.into(), MigrationType::Simple, text, false)
    };
    let migrations = (1..).zip(STEPS).map(migration).collect();
    Migrator::with_migrations(migrations).run(connection).await.map_err(|error| match error {
        MigrateError::VersionMissing(found) => {
            OpenError::Newer { path: path.to_owned(), found, known }
        }
        error => OpenError::Migrate { path: path.to_owned(), source: Box::new(error) },
    })
}

async fn bindings(
    connection: &mut SqliteConnection,
    path: &Path,
) -> Result<Vec<Binding>, OpenError> {
    let rows = sqlx::query(
        "SELECT account, contact, transport, listener, remote, call_id, cseq, expires_at_ms, \
         instance, reg_id, path FROM binding ORDER BY account, contact",
    )
    .fetch_all(connection)
    .await
    .map_err(|source| OpenError::Database {
        path: path.to_owned(),
        doing: "reading the registrations",
        source,
    })?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        let account: String = row.get(0);
        let broken = |what, found: String| OpenError::BrokenBinding {
            path: path.to_owned(),
            account: account.clone(),
            what,
            found,
        };
        let (transport, remote): (String, String) = (row.get(2), row.get(4));
        let (listener, cseq): (i64, i64) = (row.get(3), row.get(6));
        let (instance, reg_id): (Option<String>, Option<i64>) = (row.get(8), row.get(9));
        let outbound = instance.zip(reg_id.and_then(|reg_id| u32::try_from(reg_id).ok()));
        Ok(Binding {
            account: Number::from(account.as_str()),
            contact: row.get(1),
            flow: Flow {
                transport: Transport::named(&transport)
                    .ok_or_else(|| broken("transport", transport))?,
                listener: u16::try_from(listener)
                    .map_err(|_| broken("listener", listener.to_string()))?,
                remote: remote.parse().map_err(|_| broken("address", remote))?,
                connection: 0, // Connections do not outlive the process that had them.
            },
            call_id: row.get(5),
            cseq: u32::try_from(cseq).map_err(|_| broken("CSeq", cseq.to_string()))?,
            expires_at: Wall(row.get(7)),
            outbound: outbound.map(|(instance, reg_id)| Outbound { instance, reg_id }),
            path: row.get(10),
        })
    };
    rows.iter().map(read).collect()
}
