//! A backup as a folder: what must lie in it, and the sums by which a damaged byte is found and named.
//!
//! `SHA256SUMS` has a line for every other file, as `sha256sum -c` reads it. `backup.json` has the same sums once more,
//! so that a line that was damaged is told from a file that was.

use crate::base::hex;
use crate::dialplan::{Lang, tame};
use crate::io::store;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The sums of all other files.
pub(in crate::cli) const SUMS: &str = "SHA256SUMS";
/// What the backup is.
pub(in crate::cli) const MANIFEST: &str = "backup.json";
/// The journal's copy.
pub(in crate::cli) const HISTORY: &str = "history.db";
/// Which recordings the history says are kept.
pub(in crate::cli) const RECORDINGS: &str = "recordings.jsonl";
/// The files of recordings, when they were wanted.
pub(in crate::cli) const SOUND: &str = "recordings";
/// Configuration, plan, people.
pub(in crate::cli) const FILES: &str = "files";
/// Longest list of sums or manifest that is read: a million recordings have 150 MB of lines.
const MOST_BYTES: u64 = 512 << 20;
/// Faults that are told one by one; the rest is counted.
pub(in crate::cli) const MOST_TOLD: usize = 100;

/// What a backup is. All of it is told to whoever asks; nothing of a person's is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli) struct Manifest {
    /// Of this shape: 1.
    pub backup: u32,
    /// The program that made it.
    pub program: String,
    /// When, by the clock of the machine, in UTC.
    pub made_at: String,
    /// The plan's name.
    pub desk: String,
    /// Where the plan is refused, and by what: file, line, code. Its words may be of persons. Empty: a desk could start
    /// by it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plan_refused: Vec<String>,
    /// What the store is for.
    pub kind: String,
    /// How far the history goes.
    pub history: HistoryIs,
    /// Recordings.
    pub recordings: RecordingsAre,
    /// Files of the desk that are in it: where each lay.
    pub files: BTreeMap<String, String>,
    /// What the configuration names and is not in it: secrets, certificates.
    pub left_out: Vec<String>,
    /// The sums of all files but this one and `SHA256SUMS`.
    pub sums: BTreeMap<String, String>,
}

/// How far a history goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli) struct HistoryIs {
    pub entries: u64,
    pub last_seq: i64,
    /// UTC.
    pub last_at: String,
    /// The hash there: the anchor.
    pub last_hash: String,
}

/// Which recordings there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli) struct RecordingsAre {
    /// By the history.
    pub listed: u64,
    /// Their length together.
    pub listed_bytes: u64,
    /// Files that are in the backup; none: they were not wanted.
    pub copied: Option<u64>,
    /// Wanted, and not as the history says where they lay.
    pub missing: Vec<String>,
}

/// Something in a backup is not as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Fault {
    /// A file cannot be read.
    Unreadable { file: String, why: String },
    /// It has another sum.
    Differs { file: String, line: usize, found: String, due: String },
    /// The file is as the manifest says: the line is damaged.
    Line { line: usize, file: String },
    /// The line is none.
    NoLine { line: usize },
    /// It stands there twice.
    Doubled { line: usize, file: String },
    /// It lies there and is not listed.
    Unlisted { file: String },
    /// What every backup has is not listed.
    NotListed { file: &'static str },
    /// It is not what this program can read.
    Manifest { why: String },
}

impl Fault {
    pub(in crate::cli) fn told(&self, lang: Lang) -> String {
        match self {
            Self::Unreadable { file, why } => {
                let file = tame(file);
                lang.pick(format!("{file}: 読めない: {why}"), format!("{file}: cannot be read: {why}"))
            }
            Self::Differs { file, line, found, due } => {
                let file = tame(file);
                lang.pick(
                    format!("{file}: 壊れている。SHA-256 は {found}、{SUMS} の {line} 行目によれば {due}"),
                    format!("{file}: it is damaged; found SHA-256 {found}, due by line {line} of {SUMS} is {due}"),
                )
            }
            Self::Line { line, file } => {
                let file = tame(file);
                lang.pick(
                    format!("{SUMS} の {line} 行目が壊れている（{file} は {MANIFEST} のとおり）"),
                    format!("line {line} of {SUMS} is damaged ({file} is as {MANIFEST} says)"),
                )
            }
            Self::NoLine { line } => lang.pick(
                format!("{SUMS} の {line} 行目: 読めない。あるべきは SHA-256、空白 2 つ、ファイル名"),
                format!("line {line} of {SUMS}: it cannot be read; due are a SHA-256, two spaces and a file's name"),
            ),
            Self::Doubled { line, file } => {
                let file = tame(file);
                lang.pick(
                    format!("{SUMS} の {line} 行目: {file} が二度ある"),
                    format!("line {line} of {SUMS}: found {file} twice"),
                )
            }
            Self::Unlisted { file } => {
                let file = tame(file);
                lang.pick(
                    format!("{file}: {SUMS} にない（ファイルが紛れ込んだか、その行が壊れている）"),
                    format!("{file}: it is not in {SUMS} (it came there later, or its line is damaged)"),
                )
            }
            Self::NotListed { file } => lang.pick(
                format!("{SUMS}: {file} の行がない"),
                format!("{SUMS}: found no line of {file}"),
            ),
            Self::Manifest { why } => lang.pick(
                format!("{MANIFEST}: 読めない: {why}"),
                format!("{MANIFEST}: cannot be read: {why}"),
            ),
        }
    }
}

/// The SHA-256 of a file, hexadecimal.
///
/// # Errors
///
/// The system's.
pub(in crate::cli) fn sum(path: &Path) -> io::Result<String> {
    let (mut file, mut sum, mut block) = (File::open(path)?, Sha256::new(), vec![0; 256 * 1024]);
    loop {
        match file.read(&mut block)? {
            0 => return Ok(hex(&sum.finalize())),
            count => sum.update(block.get(..count).unwrap_or_default()),
        }
    }
}

/// Makes a folder, and those above it, that only we may read; what root makes is of whom the folder is that it lies in.
pub(in crate::cli) fn make(path: &Path) -> io::Result<()> {
    store::make_folder(path)
}

/// Writes a new file that only we may read, to the disk; owned as [`make`] says.
pub(in crate::cli) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    path.parent().map_or(Ok(()), make)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    store::give_to_the_folders_owner(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Copies a file to a new one that only we may read, to the disk, owned as [`make`] says; its SHA-256 and its length.
pub(in crate::cli) fn copy(from: &Path, to: &Path) -> io::Result<(String, u64)> {
    to.parent().map_or(Ok(()), make)?;
    let mut from = File::open(from)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    store::give_to_the_folders_owner(to)?;
    let (mut sum, mut bytes, mut block) = (Sha256::new(), 0_u64, vec![0; 256 * 1024]);
    loop {
        let count = from.read(&mut block)?;
        let part = block.get(..count).unwrap_or_default();
        if part.is_empty() {
            break;
        }
        sum.update(part);
        file.write_all(part)?;
        bytes = bytes.saturating_add(u64::try_from(count).unwrap_or(0));
    }
    file.sync_all()?;
    Ok((hex(&sum.finalize()), bytes))
}

/// All files in a folder and those within, by their paths in it, in order. What is neither file nor folder counts as a
/// file, so that it is found not to be listed.
pub(in crate::cli) fn files(folder: &Path) -> io::Result<BTreeSet<String>> {
    let (mut found, mut left) = (BTreeSet::new(), vec![PathBuf::new()]);
    while let Some(within) = left.pop() {
        for entry in fs::read_dir(folder.join(&within))? {
            let entry = entry?;
            let path = within.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                left.push(path);
            } else {
                found.insert(path.to_string_lossy().into_owned());
            }
        }
    }
    Ok(found)
}

/// The lines of `SHA256SUMS`.
pub(in crate::cli) fn listed(sums: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for (file, sum) in sums {
        text.push_str(&format!("{sum}  {file}\n"));
    }
    text
}

fn line(text: &str) -> Option<(&str, &str)> {
    let (sum, file) = text.split_once("  ")?;
    let digits = sum.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    // A name that leads out of the folder is none of ours.
    let inside =
        Path::new(file).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    (sum.len() == 64 && digits && inside && !file.is_empty()).then_some((sum, file))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Looks at every byte of a backup. The manifest comes when it can be believed.
///
/// # Errors
///
/// The system's, when the folder itself or its list of sums cannot be read.
pub(in crate::cli) fn check(folder: &Path) -> io::Result<(Option<Manifest>, Vec<Fault>)> {
    let text = read(&folder.join(SUMS))?;
    let mut faults = Vec::new();
    let mut sums: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    let text = String::from_utf8_lossy(&text);
    if !text.ends_with('\n') {
        faults.push(Fault::NoLine { line: text.lines().count().max(1) });
    }
    for (at, text) in text.split_terminator('\n').enumerate() {
        let number = at.saturating_add(1);
        match line(text) {
            None => faults.push(Fault::NoLine { line: number }),
            Some((sum, file)) => {
                if sums.insert(file, (number, sum)).is_some() {
                    faults.push(Fault::Doubled { line: number, file: file.to_owned() });
                }
            }
        }
    }
    let mut manifest = None;
    match read(&folder.join(MANIFEST)) {
        Err(error) => {
            faults.push(Fault::Unreadable { file: MANIFEST.to_owned(), why: error.to_string() });
        }
        Ok(bytes) => {
            let found = hex(&Sha256::digest(&bytes));
            match sums.get(MANIFEST) {
                None => faults.push(Fault::NotListed { file: MANIFEST }),
                Some((_, due)) if *due == found => match serde_json::from_slice(&bytes) {
                    Ok(read) => manifest = Some(read),
                    Err(error) => faults.push(Fault::Manifest { why: error.to_string() }),
                },
                Some((line, due)) => {
                    let (file, due) = (MANIFEST.to_owned(), (*due).to_owned());
                    faults.push(Fault::Differs { file, line: *line, found, due });
                }
            }
        }
    }
    let due_by =
        |manifest: &Option<Manifest>, file: &str| manifest.as_ref()?.sums.get(file).cloned();
    for (file, (line, due)) in sums.iter().filter(|(file, _)| **file != MANIFEST) {
        match sum(&folder.join(file)) {
            Ok(found) if found == *due => {}
            Ok(found) if due_by(&manifest, file).as_ref() == Some(&found) => {
                faults.push(Fault::Line { line: *line, file: (*file).to_owned() });
            }
            Ok(found) => {
                let (file, due) = ((*file).to_owned(), (*due).to_owned());
                faults.push(Fault::Differs { file, line: *line, found, due });
            }
            Err(error) => {
                faults.push(Fault::Unreadable { file: (*file).to_owned(), why: error.to_string() });
            }
        }
    }
    if !sums.contains_key(HISTORY) {
        faults.push(Fault::NotListed { file: HISTORY });
    }
    for file in files(folder)? {
        if file != SUMS && !sums.contains_key(file.as_str()) {
            faults.push(Fault::Unlisted { file });
        }
    }
    if let Some(found) = manifest.as_ref().map(|it| it.backup).filter(|it| *it != 1) {
        let why = format!("found a backup of form {found}, due is 1: a newer program made it");
        faults.push(Fault::Manifest { why });
        manifest = None;
    }
    Ok((manifest, faults))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of the test's own with a backup of three files in it.
    struct Made(PathBuf);

    impl Made {
        fn new(name: &str) -> Self {
            let made = Self(
                std::env::temp_dir()
                    .join(format!("madoguchi-folder-{}-{name}", std::process::id())),
            );
            let _ = fs::remove_dir_all(&made.0);
            write(&made.0.join(HISTORY), b"the history").unwrap();
            write(&made.0.join("files/plan.toml"), b"name = \"x\"\n").unwrap();
            let file = |name: &str| (name.to_owned(), sum(&made.0.join(name)).unwrap());
            let mut sums = BTreeMap::from([file(HISTORY), file("files/plan.toml")]);
            let manifest = Manifest {
                backup: 1,
                program: "0.0.0".to_owned(),
                made_at: String::new(),
                desk: "x".to_owned(),
                plan_refused: vec![],
                kind: "service".to_owned(),
                history: HistoryIs {
                    entries: 1,
                    last_seq: 1,
                    last_at: String::new(),
                    last_hash: String::new(),
                },
                recordings: RecordingsAre {
                    listed: 0,
                    listed_bytes: 0,
                    copied: None,
                    missing: vec![],
                },
                files: BTreeMap::new(),
                left_out: vec![],
                sums: sums.clone(),
            };
            write(&made.0.join(MANIFEST), &serde_json::to_vec_pretty(&manifest).unwrap()).unwrap();
            sums.extend([file(MANIFEST)]);
            write(&made.0.join(SUMS), listed(&sums).as_bytes()).unwrap();
            made
        }
    }

    impl Drop for Made {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn every_byte_of_a_backup_that_is_another_is_found_and_its_file_named() {
        let made = Made::new("bytes");
        let (manifest, faults) = check(&made.0).unwrap();
        assert!(manifest.is_some() && faults.is_empty(), "{faults:?}");
        for name in files(&made.0).unwrap() {
            let path = made.0.join(&name);
            let whole = fs::read(&path).unwrap();
            for (at, byte) in whole.iter().enumerate() {
                // Another sign that could stand there too, and one that could not.
                for other in [byte ^ 1, byte ^ 0x20, byte ^ 0x80, b'\n'] {
                    if other == *byte {
                        continue;
                    }
                    let mut damaged = whole.clone();
                    damaged[at] = other;
                    fs::write(&path, &damaged).unwrap();
                    let (_, faults) = check(&made.0).unwrap();
                    let told: Vec<String> = faults.iter().map(|it| it.told(Lang::En)).collect();
                    assert!(told.iter().any(|it| it.contains(&name)), "{name} at {at}: {told:?}");
                    if name != SUMS {
                        assert!(told[0].starts_with(&name), "{name} at {at}: {told:?}");
                    }
                }
            }
            fs::write(&path, &whole).unwrap();
        }
        assert_eq!(check(&made.0).unwrap().1, vec![], "and the whole one is well");
    }

    #[test]
    fn what_is_cut_lost_or_put_in_is_named() {
        let made = Made::new("lost");
        let history = made.0.join(HISTORY);
        let told = |made: &Made| -> Vec<String> {
            check(&made.0).unwrap().1.iter().map(|it| it.told(Lang::En)).collect()
        };
        let whole = fs::read(&history).unwrap();
        fs::write(&history, &whole[..5]).unwrap();
        assert!(told(&made)[0].starts_with("history.db: it is damaged"), "{:?}", told(&made));
        fs::remove_file(&history).unwrap();
        assert!(told(&made)[0].starts_with("history.db: cannot be read"), "{:?}", told(&made));
        fs::write(&history, &whole).unwrap();
        fs::write(made.0.join("files/more"), "").unwrap();
        assert!(told(&made)[0].starts_with("files/more: it is not in"), "{:?}", told(&made));
        fs::remove_file(made.0.join("files/more")).unwrap();
        let sums = fs::read_to_string(made.0.join(SUMS)).unwrap();
        fs::write(made.0.join(SUMS), sums.replace("  history.db", "  ../history.db")).unwrap();
        assert!(told(&made)[0].contains("cannot be read"), "nothing outside is looked at");
        fs::write(made.0.join(SUMS), sums.trim_end()).unwrap();
        assert!(told(&made)[0].contains("of SHA256SUMS"), "{:?}", told(&made));
    }
}
