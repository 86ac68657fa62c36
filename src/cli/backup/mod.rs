//! `madoguchi backup`: the desk as a folder, also while it runs; `madoguchi restore`; and `madoguchi verify` of such a
//! folder.
//!
//! A backup is made beside its place, under another name, and comes there as a whole or not at all.

pub(super) mod files;
pub(super) mod folder;
mod restore;

pub use restore::{Restore, restore};

use super::verify::{date, told};
use super::{Language, Reply, now, refused};
use crate::base::beside;
use crate::dialplan::{Finding, Lang, tame};
use crate::event::{Anchor, Proved};
use crate::io::store::{self, KeptRecording, Place};
use clap::Args;
use files::Belongs;
use folder::{
    FILES, HISTORY, HistoryIs, MANIFEST, MOST_TOLD, Manifest, RECORDINGS, RecordingsAre, SOUND,
    SUMS,
};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Ends with 0 when the backup was made, 1 when it could not be, 2 when the command itself was wrong, 3 when it was
/// made and recordings that were wanted are not as the history says, or no desk could start by its plan.
#[derive(Clone, Debug, Args)]
pub struct Backup {
    /// The folder that is made; there must be none of this name.
    #[arg(long, value_name = "FOLDER")]
    pub to: PathBuf,
    /// The desk's configuration; it may run.
    /// Not named: the one in the folder, or else /etc/madoguchi/madoguchi.toml.
    #[arg(long, value_name = "FILE", default_value = crate::cli::HERE, value_parser = crate::cli::configuration)]
    pub config: PathBuf,
    /// With the files of recordings and voice messages; without it, with their list and their sums.
    #[arg(long)]
    pub recordings: bool,
    /// Answers in JSON.
    #[arg(long)]
    pub json: bool,
    /// In which words.
    #[command(flatten)]
    pub language: Language,
}

/// Makes a backup.
#[must_use]
pub fn backup(arguments: &Backup) -> ExitCode {
    answer(arguments, arguments.language.choose()).finish()
}

pub(super) fn answer(arguments: &Backup, lang: Lang) -> Reply {
    let (config, belongs) = match files::belongs(&arguments.config) {
        Ok(found) => found,
        Err(findings) => return refused(&findings, lang, 2),
    };
    let to = &arguments.to;
    if fs::symlink_metadata(to).is_ok() {
        let why = lang.pick(
            "もうある。バックアップは新しいフォルダに作る",
            "it is there already; a backup is made in a new folder",
        );
        return Reply::cannot(to.display(), why);
    }
    let making = beside(to, ".making");
    if let Some(above) = to.parent().filter(|above| !above.as_os_str().is_empty())
        && let Err(error) = folder::make(above)
    {
        return Reply::cannot(above.display(), error);
    }
    // What a broken off backup left is not ours to judge: it says so, and stays.
    if let Err(error) = fs::create_dir(&making) {
        let left = lang.pick(
            "途中で終わったバックアップなら、消してからやり直す",
            "if a backup that was broken off left it, delete it and try again",
        );
        return Reply::cannot(making.display(), format!("{error} ({left})"));
    }
    let recordings = config.recording.as_ref().map(|it| it.directory.clone());
    let wanted = arguments.recordings.then_some(recordings).flatten();
    let made = make(&making, &config.store.file, &belongs, wanted.as_deref());
    let put = made.and_then(|manifest| {
        fs::rename(&making, to)
            .and_then(|()| sync(to))
            .map_err(|error| (to.clone(), error.to_string()))?;
        Ok(manifest)
    });
    match put {
        Ok(manifest) => said(arguments, &manifest, &belongs.plan_refused, lang),
        Err((path, why)) => {
            let _ = fs::remove_dir_all(&making); // ours alone: it was made above
            Reply::cannot(path.display(), why)
        }
    }
}

/// The folder that a path lies in, onto the disk.
fn sync(path: &Path) -> io::Result<()> {
    match path.parent().filter(|above| !above.as_os_str().is_empty()) {
        Some(above) => File::open(above)?.sync_all(),
        None => Ok(()),
    }
}

/// Fills the folder. The error says what could not be had, and why.
fn make(
    making: &Path,
    store: &Path,
    belongs: &Belongs,
    sound: Option<&Path>,
) -> Result<Manifest, (PathBuf, String)> {
    let owner = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(making, owner).map_err(|error| (making.to_owned(), error.to_string()))?;
    let history = making.join(HISTORY);
    let (head, kind) =
        store::copy(store, &history).map_err(|error| (store.to_owned(), error.to_string()))?;
    let listed =
        store::recordings(&history).map_err(|error| (history.clone(), error.to_string()))?;
    let write = |name: &str, bytes: &[u8]| {
        let path = making.join(name);
        folder::write(&path, bytes).map_err(|error| (path, error.to_string()))
    };
    write(RECORDINGS, index(&listed).as_bytes())?;
    let mut copied = None;
    let mut missing = Vec::new();
    if let Some(sound) = sound {
        let mut count = 0_u64;
        for recording in &listed {
            match copy_sound(sound, recording, &making.join(SOUND)) {
                Ok(true) => count = count.saturating_add(1),
                Ok(false) => missing.push(recording.file.clone()),
                Err(error) => return Err((making.join(SOUND), error.to_string())),
            }
        }
        copied = Some(count);
    }
    let mut files = BTreeMap::new();
    for (within, whole) in &belongs.files {
        let (files::Whole::File(from) | files::Whole::People(from)) = whole;
        let text = files::text(whole).map_err(|why| (from.clone(), why))?;
        let name = Path::new(FILES).join(within).to_string_lossy().into_owned();
        write(&name, &text)?;
        files.insert(name, from.display().to_string());
    }
    let failed = |error: io::Error| (making.to_owned(), error.to_string());
    let mut sums = BTreeMap::new();
    for name in folder::files(making).map_err(failed)? {
        let sum = folder::sum(&making.join(&name)).map_err(failed)?;
        sums.insert(name, sum);
    }
    let manifest = Manifest {
        backup: 1,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: date(now()),
        desk: belongs.desk.clone(),
        plan_refused: belongs.plan_refused.iter().filter(|it| it.is_error()).map(place).collect(),
        kind,
        history: HistoryIs {
            entries: head.entries,
            last_seq: head.seq,
            last_at: date(head.at),
            last_hash: head.hash,
        },
        recordings: RecordingsAre {
            listed: u64::try_from(listed.len()).unwrap_or(u64::MAX),
            listed_bytes: listed.iter().fold(0, |sum, it| sum.saturating_add(it.bytes)),
            copied,
            missing,
        },
        files,
        left_out: belongs.left_out.clone(),
        sums: sums.clone(),
    };
    let text = serde_json::to_string_pretty(&manifest).unwrap_or_default() + "\n";
    write(MANIFEST, text.as_bytes())?;
    sums.insert(MANIFEST.to_owned(), folder::sum(&making.join(MANIFEST)).map_err(failed)?);
    write(SUMS, folder::listed(&sums).as_bytes())?;
    File::open(making).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok(manifest)
}

/// The recordings that a store's history says are kept; the error is for a person.
pub(super) fn recordings_of(store: &Path) -> Result<Vec<KeptRecording>, String> {
    store::recordings(store).map_err(|error| error.to_string())
}

pub(super) fn index(listed: &[KeptRecording]) -> String {
    let line = |it: &KeptRecording| {
        let KeptRecording { call, number, file, bytes, sha256, length_ms } = it;
        let line = json!({
            "call": call, "number": number, "file": file, "bytes": bytes, "sha256": sha256, "length_ms": length_ms,
        });
        format!("{line}\n")
    };
    listed.iter().map(line).collect()
}

/// Copies one recording; false when it is not there, or not as the history says.
fn copy_sound(from: &Path, it: &KeptRecording, to: &Path) -> io::Result<bool> {
    // The history's word is not believed when it leads out of the folder.
    let plain = |part| matches!(part, std::path::Component::Normal(_));
    let from = from.join(&it.file);
    if !Path::new(&it.file).components().all(plain) || !from.is_file() {
        return Ok(false);
    }
    let to = to.join(&it.file);
    let (sum, _) = folder::copy(&from, &to)?;
    if sum != it.sha256 {
        fs::remove_file(&to)?;
    }
    Ok(sum == it.sha256)
}

/// Where a finding is, and which, without what it found.
fn place(finding: &Finding) -> String {
    let line = finding.place.as_ref().map(|place| format!(":{}", place.line)).unwrap_or_default();
    format!("{}{line}: {}", finding.file, finding.message.code)
}

fn said(arguments: &Backup, manifest: &Manifest, plan_refused: &[Finding], lang: Lang) -> Reply {
    let is_whole = manifest.recordings.missing.is_empty() && plan_refused.is_empty();
    let code = if is_whole { 0 } else { 3 };
    let mut plan_said = super::told(plan_refused, lang);
    if !plan_said.is_empty() {
        plan_said.push_str(lang.pick(
            "バックアップは作った。ただし、この計画では窓口は起動できない\n",
            "the backup was made, and no desk could start by its plan\n",
        ));
    }
    if arguments.json {
        let out = serde_json::to_string_pretty(&without_sums(manifest)).unwrap_or_default() + "\n";
        return Reply { out, err: plan_said, code };
    }
    let name = tame(&arguments.to.display().to_string());
    let HistoryIs { entries, last_seq, last_at, last_hash } = &manifest.history;
    let RecordingsAre { listed, copied, missing, .. } = &manifest.recordings;
    let mut out = lang.pick(
        format!(
            "{name}: 履歴 {entries} 件（{last_at} まで）、設定と計画 {} ファイル\n最後のハッシュ: {last_seq}:{last_hash}\n",
            manifest.files.len()
        ),
        format!(
            "{name}: {entries} entries of history (up to {last_at}), {} files of configuration and plan\nlast hash: {last_seq}:{last_hash}\n",
            manifest.files.len()
        ),
    );
    out.push_str(&match copied {
        Some(copied) => lang.pick(
            format!("録音: {listed} 件のうち {copied} 件を写した\n"),
            format!("recordings: {copied} of {listed} were copied\n"),
        ),
        None => lang.pick(
            format!("録音: {listed} 件の一覧のみ（音声は --recordings で写す）\n"),
            format!("recordings: the list of {listed} (--recordings copies the sound too)\n"),
        ),
    });
    if !manifest.left_out.is_empty() {
        let list = tame(&manifest.left_out.join(", "));
        out.push_str(&lang.pick(
            format!("含まない（別に保管する）: {list}、利用者のパスワード\n"),
            format!("not in it, keep them elsewhere: {list}, passwords of people\n"),
        ));
    }
    let err = missing.iter().take(MOST_TOLD).map(|file| {
        let file = tame(file);
        lang.pick(
            format!("{file}: 録音が履歴のとおりにない\n"),
            format!("{file}: the recording is not as the history says\n"),
        )
    });
    Reply { out, err: plan_said + &err.collect::<String>(), code }
}

/// The manifest without what has a line for each file.
fn without_sums(manifest: &Manifest) -> serde_json::Value {
    let mut shown = json!(manifest);
    if let Some(fields) = shown.as_object_mut() {
        fields.remove("sums");
    }
    shown
}

/// Looks at every byte of a backup and walks its history; the manifest when all is well, else what is not.
///
/// # Errors
///
/// One line for each fault, at most [`MOST_TOLD`], and how many more there are.
fn checked(
    folder: &Path,
    expect: &[Anchor],
    lang: Lang,
) -> Result<(Manifest, Proved), Vec<String>> {
    let (manifest, faults) = folder::check(folder).map_err(|error| {
        vec![lang.pick(
            format!("バックアップとして読めない: {error}（{SUMS} があるフォルダか）"),
            format!("it cannot be read as a backup: {error} (is it a folder with {SUMS} in it?)"),
        )]
    })?;
    let mut lines: Vec<String> = faults.iter().map(|fault| fault.told(lang)).collect();
    let mut proved = Proved::default();
    if lines.is_empty() {
        let history = Place::File(folder.join(HISTORY));
        match super::verify::walk(&history, expect, lang) {
            Ok(walked) => {
                lines.extend(
                    walked.breaks.iter().map(|it| format!("{HISTORY}: {}", told(it, lang))),
                );
                proved = walked;
            }
            Err(why) => lines.push(format!("{HISTORY}: {why}")),
        }
    }
    let Some(manifest) = manifest.filter(|_| lines.is_empty()) else {
        let more = lines.len().saturating_sub(MOST_TOLD);
        lines.truncate(MOST_TOLD);
        if more > 0 {
            lines.push(lang.pick(format!("（ほかに {more} か所）"), format!("(and {more} more)")));
        }
        return Err(lines);
    };
    let last = proved.last.map(|(seq, _, hash)| (seq, hash.map(|it| it.to_string())));
    let due = (manifest.history.last_seq, Some(manifest.history.last_hash.clone()));
    let same = proved.entries == manifest.history.entries
        && (last == Some(due) || (last.is_none() && manifest.history.entries == 0));
    if same {
        return Ok((manifest, proved));
    }
    let HistoryIs { entries, last_seq, last_hash, .. } = &manifest.history;
    Err(vec![lang.pick(
        format!("{HISTORY}: {} 件ある。{MANIFEST} によれば {entries} 件、{last_seq}:{last_hash} まで", proved.entries),
        format!("{HISTORY}: found {} entries; due by {MANIFEST} are {entries}, up to {last_seq}:{last_hash}", proved.entries),
    )])
}

/// `madoguchi verify` of a backup.
pub(super) fn verified(folder: &Path, expect: &[Anchor], json: bool, lang: Lang) -> Reply {
    let name = tame(&folder.display().to_string());
    match checked(folder, expect, lang) {
        Ok((manifest, _)) if json => {
            let mut shown = without_sums(&manifest);
            if let Some(fields) = shown.as_object_mut() {
                fields.insert("whole".to_owned(), true.into());
            }
            Reply { out: format!("{shown:#}\n"), ..Reply::default() }
        }
        Ok((manifest, _)) => {
            let HistoryIs { entries, last_seq, last_at, last_hash } = &manifest.history;
            let files = manifest.sums.len();
            let out = lang.pick(
                format!("{name}: バックアップは完全（{files} ファイル）\n件数: {entries}\n最後: {last_seq}（{last_at}）\n最後のハッシュ: {last_seq}:{last_hash}\n"),
                format!("{name}: the backup is whole ({files} files)\nentries: {entries}\nlast: {last_seq} ({last_at})\nlast hash: {last_seq}:{last_hash}\n"),
            );
            Reply { out, ..Reply::default() }
        }
        Err(lines) if json => {
            let shown = json!({ "whole": false, "faults": lines });
            Reply { out: format!("{shown:#}\n"), code: 1, ..Reply::default() }
        }
        Err(lines) => {
            let mut out = lang.pick(
                format!("{name}: バックアップが壊れている\n"),
                format!("{name}: the backup is damaged\n"),
            );
            for line in lines {
                let _ = writeln!(out, "  {line}"); // into a String: cannot fail
            }
            Reply { out, code: 1, ..Reply::default() }
        }
    }
}
