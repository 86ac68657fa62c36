//! `madoguchi restore`: a backup's history where a store is due, verified first; never over what is newer.

use super::super::events::left;
use super::super::verify::date;
use super::super::{Language, Reply};
use super::checked;
use super::folder::{self, FILES, HISTORY, HistoryIs, Manifest, SOUND};
use crate::dialplan::{Lang, tame};
use crate::io::store::{BackupError, Lost, OpenError, Restoring, There};
use clap::Args;
use serde_json::json;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Ends with 0 when the store is there, 1 when the backup is damaged or something newer would be lost, 2 when the
/// command itself was wrong.
#[derive(Clone, Debug, Args)]
pub struct Restore {
    /// The folder that `backup` made.
    pub backup: PathBuf,
    /// The store that is made, as [store] file of the configuration names it. No daemon may have it.
    #[arg(long, value_name = "STORE")]
    pub into: PathBuf,
    /// Puts the files of recordings there, too, as [recording] directory names it; what lies there stays.
    #[arg(long, value_name = "FOLDER")]
    pub recordings_into: Option<PathBuf>,
    /// Answers in JSON.
    #[arg(long)]
    pub json: bool,
    /// In which words.
    #[command(flatten)]
    pub language: Language,
}

/// Puts a backup's history back.
#[must_use]
pub fn restore(arguments: &Restore) -> ExitCode {
    answer(arguments, arguments.language.choose()).finish()
}

fn answer(arguments: &Restore, lang: Lang) -> Reply {
    let from = &arguments.backup;
    if !from.is_dir() {
        let why = lang.pick("バックアップのフォルダではない", "it is no folder, as a backup is");
        return Reply { code: 2, ..Reply::cannot(from.display(), why) };
    }
    let (manifest, _) = match checked(from, &[], lang) {
        Ok(whole) => whole,
        Err(lines) => {
            let damaged = lang.pick(
                "バックアップが壊れている。何も書いていない",
                "the backup is damaged; nothing was written",
            );
            return Reply::cannot(from.display(), format!("{damaged}\n  {}", lines.join("\n  ")));
        }
    };
    let into = &arguments.into;
    let restoring = match Restoring::begin(&from.join(HISTORY), into) {
        Ok(restoring) => restoring,
        Err(BackupError::Open(OpenError::InUse { pid, .. })) => {
            let pid = pid.map(|pid| tame(&pid)).unwrap_or_default();
            let why = lang.pick(
                format!("稼働中の窓口（プロセス {pid}）が使っている。止めてから戻す"),
                format!("a running Madoguchi has it (process {pid}); end it, then restore"),
            );
            return Reply::cannot(into.display(), why);
        }
        Err(BackupError::Left(wal)) => return Reply::cannot(into.display(), left(&wal, lang)),
        Err(error @ BackupError::Open(_)) => {
            return Reply::cannot(into.display(), error);
        }
        Err(error) => {
            let why = lang.pick(
                format!("そこにあるものを読めない: {error}。動かして（mv）からやり直す"),
                format!("what is there cannot be read: {error}; move it away (mv), then restore"),
            );
            return Reply::cannot(into.display(), why);
        }
    };
    match restoring.there() {
        There::Nothing | There::Behind(_) => {}
        There::Newer(lost) => return would_lose(into, lost, true, lang),
        There::Another(lost) => return would_lose(into, lost, false, lang),
    }
    // Sound first: a history whose recordings are not there yet would show what cannot be heard.
    let sound = match &arguments.recordings_into {
        None => None,
        Some(to) => match put_sound(&from.join(SOUND), to) {
            Ok(count) => Some(count),
            Err((path, why)) => return Reply::cannot(path.display(), why),
        },
    };
    match restoring.finish() {
        Ok(_) => said(arguments, &manifest, sound, lang),
        Err(error) => Reply::cannot(into.display(), error),
    }
}

/// What is there would be lost; nothing was written.
fn would_lose(into: &Path, lost: &Lost, newer: bool, lang: Lang) -> Reply {
    let Lost { entries, calls, from, since, until } = lost;
    let (since, until) = (date(*since), date(*until));
    let what = if newer {
        lang.pick("そこにある履歴のほうが新しい", "the history that is there is newer")
    } else {
        lang.pick("そこには別の履歴がある", "another history is there")
    };
    let why = lang.pick(
        format!(
            "{what}。戻すと記録 {from} からの {entries} 件（{calls} 通話、{since} から {until} まで）が失われる。何も書いていない。\
             それでも戻すなら、先にそれを動かす（mv）"
        ),
        format!(
            "{what}: {entries} entries from {from} on ({calls} calls, {since} to {until}) would be lost. Nothing was written. \
             If it is to be so, move it away first (mv)"
        ),
    );
    Reply::cannot(into.display(), why)
}

/// Puts the files of recordings where they are due; how many came. What lies there already and is the same stays.
fn put_sound(from: &Path, to: &Path) -> Result<u64, (PathBuf, String)> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error: io::Error| (path, error.to_string())
    };
    if !from.is_dir() {
        return Ok(0);
    }
    let mut count = 0_u64;
    for name in folder::files(from).map_err(failed(from))? {
        let (source, target) = (from.join(&name), to.join(&name));
        if fs::symlink_metadata(&target).is_ok() {
            let same = folder::sum(&source).map_err(failed(&source))?
                == folder::sum(&target).map_err(failed(&target))?;
            if same {
                continue;
            }
            let why = "another file of this name lies there; move it away first / 同じ名前の別のファイルがある";
            return Err((target, why.to_owned()));
        }
        folder::copy(&source, &target).map_err(failed(&target))?;
        count = count.saturating_add(1);
    }
    Ok(count)
}

fn said(arguments: &Restore, manifest: &Manifest, sound: Option<u64>, lang: Lang) -> Reply {
    let HistoryIs { entries, last_seq, last_at, last_hash } = &manifest.history;
    let name = tame(&arguments.into.display().to_string());
    if arguments.json {
        let shown = json!({
            "store": name, "entries": entries, "last_seq": last_seq, "last_at": last_at, "last_hash": last_hash,
            "recordings": sound, "left_out": manifest.left_out, "made_at": manifest.made_at,
        });
        return Reply { out: format!("{shown:#}\n"), ..Reply::default() };
    }
    let files = arguments.backup.join(FILES);
    let files = tame(&files.display().to_string());
    let mut out = lang.pick(
        format!("{name}: 履歴 {entries} 件を戻した（{last_at} まで）\n最後のハッシュ: {last_seq}:{last_hash}\n"),
        format!("{name}: {entries} entries are back (up to {last_at})\nlast hash: {last_seq}:{last_hash}\n"),
    );
    if let Some(count) = sound {
        out.push_str(&lang.pick(
            format!("録音: {count} ファイルを戻した\n"),
            format!("recordings: {count} files are back\n"),
        ));
    }
    let made = &manifest.made_at;
    out.push_str(&lang.pick(
        format!("{made} より後のことは入っていない。その後に消去した番号・名前は、もう一度消去する（docs/BACKUP.md）\n設定と計画: {files} から手で戻す\n"),
        format!("nothing after {made} is in it; numbers and names that were erased since are to be erased again (docs/BACKUP.md)\nconfiguration and plan: copy them from {files} by hand\n"),
    ));
    if !manifest.left_out.is_empty() {
        let list = tame(&manifest.left_out.join(", "));
        out.push_str(&lang.pick(
            format!("バックアップにないもの: {list}、利用者のパスワード\n"),
            format!("not in the backup: {list}, passwords of people\n"),
        ));
    }
    Reply { out, ..Reply::default() }
}
