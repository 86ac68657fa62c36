//! `madoguchi export`: everything that the desk holds, in forms that need no program of ours: JSON lines, JSON, CSV,
//! sound files, TOML.

use super::backup::folder::{self, SUMS};
use super::backup::{files, index, recordings_of};
use super::events::{self, Stop};
use super::history::Whose;
use super::{Reply, refused};
use crate::base::{CsvCell, csv_bytes};
use crate::config::RecordingConfig;
use crate::dialplan::{Lang, tame};
use crate::event::Proof;
use crate::io::recording::Reading;
use crate::io::store::{KeptRecording, Links, Selection};
use crate::view::{self, Behind, Figure, IncidentRow, Month, Standing, Views};
use chrono::NaiveDate;
use clap::Args;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Ends with 0 when all was written, 1 when it could not be, 2 when the command itself was wrong, 3 when it was written
/// and recordings are not as the history says.
#[derive(Clone, Debug, Args)]
pub struct Export {
    /// The folder that is made; there must be none of this name.
    #[arg(long, value_name = "FOLDER")]
    pub into: PathBuf,
    /// With numbers, names, words of persons, the configuration with its plan, and the list of people; without it, the
    /// folder is fit for others.
    #[arg(long)]
    pub private: bool,
    /// With recordings and voice messages, opened where they are encrypted; they are of persons, too.
    #[arg(long, requires = "private")]
    pub recordings: bool,
    #[command(flatten)]
    whose: Whose,
}

/// Writes everything.
#[must_use]
pub fn export(arguments: &Export) -> ExitCode {
    let lang = arguments.whose.language.choose();
    match answer(arguments, lang) {
        Ok(reply) | Err(reply) => reply.finish(),
    }
}

pub(super) fn answer(arguments: &Export, lang: Lang) -> Result<Reply, Reply> {
    let into = &arguments.into;
    if fs::symlink_metadata(into).is_ok() {
        return Err(Reply::cannot(
            into.display(),
            lang.pick("もうある。新しいフォルダに書く", "it is there already; a new folder is due"),
        ));
    }
    let (config, belongs) =
        files::belongs(&arguments.whose.config).map_err(|findings| refused(&findings, lang, 2))?;
    let history = arguments.whose.open(lang)?;
    let place = history.place().clone();
    let links = Links::of(&place, Selection::default());
    let links = links.map_err(|error| Reply::cannot(into.display(), error))?;
    folder::make(into).map_err(|error| Reply::cannot(into.display(), error))?;
    let failed = |error: io::Error| Reply::cannot(into.display(), error);

    let mut open = OpenOptions::new();
    let file = open.write(true).create_new(true).mode(0o600).open(into.join("history.jsonl"));
    let mut lines = BufWriter::with_capacity(256 * 1024, file.map_err(failed)?);
    let mut proof = Proof::new(links.kind(), Vec::new());
    events::lines(links, arguments.private, &mut proof, &mut lines).map_err(|stop| match stop {
        Stop::Output(kind) => Reply::cannot(into.display(), kind),
        Stop::Store(why) => Reply::cannot(into.display(), why),
    })?;
    lines.flush().map_err(failed)?;
    drop(lines);
    let proved = proof.finish();

    let views = history.read(lang)?;
    let write = |name: &str, bytes: &[u8]| folder::write(&into.join(name), bytes).map_err(failed);
    write("calls.csv", &calls(&views))?;
    write("months.json", &months(&views))?;
    write("incidents.csv", &incidents(&views, arguments.private))?;
    let listed = match history.file() {
        Some(store) => recordings_of(store).map_err(|why| Reply::cannot(store.display(), why))?,
        None => Vec::new(),
    };
    write("recordings.jsonl", index(&listed).as_bytes())?;
    let mut missing = Vec::new();
    if let (true, Some(recording)) = (arguments.recordings, &config.recording) {
        missing = sound(&listed, recording, &into.join("recordings")).map_err(failed)?;
    }
    // A plan names agents, and callers who come first; an announcement is somebody's voice.
    for (within, whole) in belongs.files.iter().filter(|_| arguments.private) {
        let (files::Whole::File(from) | files::Whole::People(from)) = whole;
        let text = files::text(whole).map_err(|why| Reply::cannot(from.display(), why))?;
        write(&Path::new("files").join(within).to_string_lossy(), &text)?;
    }
    let mut sums = BTreeMap::new();
    for name in folder::files(into).map_err(failed)? {
        sums.insert(name.clone(), folder::sum(&into.join(&name)).map_err(failed)?);
    }
    write(SUMS, folder::listed(&sums).as_bytes())?;
    let broken = proved.breaks.first().map(|first| super::verify::told(first, lang));
    if let Some(first) = broken {
        let why = lang.pick(
            format!("書き出したが、履歴が壊れている。{first}"),
            format!("it was written, but the history is broken: {first}"),
        );
        return Err(Reply::cannot(into.display(), why));
    }
    Ok(said(arguments, proved.entries, listed.len(), &missing, lang))
}

fn said(arguments: &Export, entries: u64, listed: usize, missing: &[String], lang: Lang) -> Reply {
    let name = tame(&arguments.into.display().to_string());
    let out = lang.pick(
        format!("{name}: 履歴 {entries} 件、録音 {listed} 件の一覧を書き出した\n"),
        format!("{name}: {entries} entries of history and the list of {listed} recordings were written\n"),
    );
    let err = missing.iter().map(|file| {
        let file = tame(file);
        lang.pick(
            format!("{file}: 録音を開けない、または無い\n"),
            format!("{file}: the recording is not there, or cannot be opened\n"),
        )
    });
    Reply { out, err: err.collect(), code: if missing.is_empty() { 0 } else { 3 } }
}

fn text(value: impl Into<String>) -> CsvCell {
    CsvCell::Text(value.into())
}

fn maybe(value: Option<&String>) -> CsvCell {
    value.map_or(CsvCell::Empty, |value| text(value.clone()))
}

/// What a unit of an enum is called in JSON.
fn word(value: impl serde::Serialize) -> CsvCell {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => text(word),
        _ => CsvCell::Empty,
    }
}

fn stands(standing: &Standing) -> CsvCell {
    text(match standing {
        Standing::Numerator => "numerator",
        Standing::Total => "total",
        Standing::Out { .. } => "out",
    })
}

/// A line a call, the oldest first; no caller is in it.
fn calls(views: &Views) -> Vec<u8> {
    const HEAD: [&str; 11] = [
        "call",
        "arrived_at",
        "number",
        "group",
        "agent",
        "outcome",
        "rule",
        "wait_ms",
        "abandon",
        "busy",
        "in_time",
    ];
    let all = (NaiveDate::MIN, NaiveDate::MAX);
    let of = |figure| -> Vec<Behind> { views.behind(all, figure, |_, _| true).collect() };
    let (abandon, busy, in_time) = (of(Figure::Abandon), of(Figure::Busy), of(Figure::InTime));
    let mut rows = vec![HEAD.map(text).to_vec()];
    for ((it, busy), in_time) in abandon.iter().zip(&busy).zip(&in_time) {
        rows.push(vec![
            text(it.call.to_string()),
            text(view::written(it.arrived_at_ms, views.timezone())),
            maybe(it.number.as_ref()),
            maybe(it.group.as_ref()),
            maybe(it.agent.as_ref()),
            it.outcome.map_or(CsvCell::Empty, |outcome| text(outcome.name())),
            it.rule.map_or(CsvCell::Empty, word),
            it.wait_ms.map_or(CsvCell::Empty, |ms| CsvCell::Number(ms.to_string())),
            stands(&it.standing),
            stands(&busy.standing),
            stands(&in_time.standing),
        ]);
    }
    csv_bytes(&rows)
}

/// The contract's figures of every month that has a call.
fn months(views: &Views) -> Vec<u8> {
    let all = (NaiveDate::MIN, NaiveDate::MAX);
    let calls = views.behind(all, Figure::Abandon, |_, _| true);
    let months: BTreeSet<Month> =
        calls.map(|it| Month::of(views.day_of(it.arrived_at_ms))).collect();
    let figures: Vec<_> = months.into_iter().map(|month| views.service_level(month)).collect();
    let mut bytes = serde_json::to_vec_pretty(&figures).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// The ledger, a line an incident, the oldest first.
fn incidents(views: &Views, private: bool) -> Vec<u8> {
    const HEAD: [&str; 10] = [
        "incident",
        "call",
        "channel",
        "received_at",
        "completed_at",
        "category",
        "outcome",
        "agent",
        "subject",
        "caller",
    ];
    let zone = views.timezone();
    let mut rows = vec![HEAD.map(text).to_vec()];
    let mut all: Vec<&IncidentRow> = views.incidents().collect();
    all.sort_by_key(|it| it.incident);
    for it in all {
        rows.push(vec![
            CsvCell::Number(it.incident.to_string()),
            it.call.map_or(CsvCell::Empty, |call| text(call.to_string())),
            word(it.channel),
            text(view::written(it.state.received_at, zone)),
            it.state.completed_at.map_or(CsvCell::Empty, |at| text(view::written(at, zone))),
            text(it.category.clone()),
            it.outcome.map_or(CsvCell::Empty, |outcome| text(outcome.name())),
            it.agent.as_ref().map_or(CsvCell::Empty, |agent| text(agent.as_str())),
            if private { text(it.subject.reveal().clone()) } else { CsvCell::Empty },
            it.caller
                .as_ref()
                .filter(|_| private)
                .map_or(CsvCell::Empty, |it| text(it.reveal().clone())),
        ]);
    }
    csv_bytes(&rows)
}

/// Writes all recordings as sound that any player opens; those that could not be.
fn sound(listed: &[KeptRecording], from: &RecordingConfig, into: &Path) -> io::Result<Vec<String>> {
    let plain = |part| matches!(part, std::path::Component::Normal(_));
    let mut missing = Vec::new();
    for it in listed {
        let Ok(pieces) = Reading::open(&from.directory.join(&it.file), from.key.as_ref()) else {
            missing.push(it.file.clone());
            continue;
        };
        if !Path::new(&it.file).components().all(plain) {
            missing.push(it.file.clone());
            continue;
        }
        let name = it.file.strip_suffix(".sealed").unwrap_or(&it.file);
        let to = into.join(name);
        to.parent().map_or(Ok(()), folder::make)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&to)?;
        let mut whole = true;
        for piece in pieces {
            match piece {
                Ok(bytes) => file.write_all(&bytes)?,
                Err(_) => whole = false,
            }
        }
        if !whole {
            fs::remove_file(&to)?;
            missing.push(it.file.clone());
        }
    }
    Ok(missing)
}
