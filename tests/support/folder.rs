//! A folder that goes with the test, with a desk's configuration in it: for commands that need no daemon.
#![allow(dead_code)] // each test takes what it needs

use madoguchi::event::Entry;
use madoguchi::io::store::{Batch, Durability, Kind, Options, Store};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Writes entries to a store as the desk does, behind those that it has; the last one's place.
pub fn store(path: &Path, entries: Vec<Entry>) -> u64 {
    let options = Options { kind: Kind::Service, durability: Durability::Process };
    let (store, replay) = Store::open(path, options, |_| {}).unwrap();
    let last = entries.last().map_or(replay.next_seq - 1, |entry| entry.seq);
    for (number, block) in (1..).zip(entries.chunks(2_000)) {
        let (bindings, subscriptions) = (Vec::new(), Vec::new());
        store.append(Batch { number, entries: block.to_vec(), bindings, subscriptions });
    }
    assert!(store.close(Duration::from_secs(60)));
    last
}

/// Puts a plan, as `edit` leaves the service desk's, accounts and a configuration with `more` of its `[store]`
/// into a folder.
pub fn configure(folder: &Path, edit: impl Fn(String) -> String, more: &str) {
    let plan = Path::new(env!("CARGO_MANIFEST_DIR")).join("dialplans/service-desk.toml");
    let plan = edit(std::fs::read_to_string(plan).unwrap());
    std::fs::write(folder.join("plan.toml"), plan).unwrap();
    let accounts: String = (2001..=2010).map(|line| format!("{line}\tpass-{line}\n")).collect();
    let secret = folder.join("accounts.tsv");
    std::fs::write(&secret, accounts).unwrap();
    std::fs::set_permissions(secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    let text = format!(
        "[sip]\nlisten = [\"udp:127.0.0.1:5060\"]\nrealm = \"desk.example\"\n\
         [store]\nfile = \"desk.db\"\n{more}[plan]\nfile = \"plan.toml\"\n\
         [accounts]\nfile = \"accounts.tsv\"\n\
         [[trunks]]\nname = \"carrier\"\nsources = [\"192.0.2.1:5060\"]\n"
    );
    std::fs::write(folder.join("madoguchi.toml"), text).unwrap();
}

/// The folder.
pub struct Folder(pub PathBuf);

impl Folder {
    /// Makes it, and configures it.
    pub fn new(name: &str, edit: impl Fn(String) -> String) -> Self {
        static FOLDERS: AtomicU32 = AtomicU32::new(0);
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("madoguchi-{name}-{}-{number}", std::process::id());
        let folder = Self(std::env::temp_dir().join(name));
        std::fs::create_dir_all(&folder.0).unwrap();
        configure(&folder.0, edit, "");
        folder
    }

    /// Writes a file in it.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
