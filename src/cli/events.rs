//! `madoguchi events`: the history as JSON lines, a store made of them, and old calls without their
//! numbers and names.

use super::exported::Exported;
use super::progress::Progress;
use super::verify::{anchor, told};
use super::{Language, Named, Reply, moment};
use crate::base::CallId;
use crate::dialplan::{Lang, tame};
use crate::event::chain::{self, Hash};
use crate::event::{self, Anchor, Proof};
use crate::io::store::{self, ImportError, Importing, Kind, Links, OpenError, Selection, These};
use clap::{Args, Subcommand};
use serde_json::json;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Ends with 0 when it was done, 1 when it could not be, 2 when the command itself was wrong.
#[derive(Clone, Debug, Args)]
pub struct Events {
    /// What is done.
    #[command(subcommand)]
    pub command: EventsCommand,
}

/// What can be done with a history.
#[derive(Clone, Debug, Subcommand)]
pub enum EventsCommand {
    /// Write entries to standard output as JSON lines, with their hashes.
    Export(Export),
    /// Make a new store of an exported history.
    Import(Import),
    /// Take numbers and names out of old calls for good; figures and chain stay as they are.
    Erase(Erase),
}

/// Which entries are written.
#[derive(Clone, Debug, Args)]
pub struct Export {
    /// A store, also one that a daemon writes; `site:CONFIG` is the site's store.
    pub store: Named,
    /// Entries of that time or later, such as 2026-10-01 or 2026-10-01T08:30.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Entries before that time.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Entries of this call only.
    #[arg(long, value_name = "ID", value_parser = call)]
    pub call: Option<CallId>,
    /// With numbers and names, and the salts that prove them; without it, the file is fit for others.
    #[arg(long)]
    pub private: bool,
    /// The zone of times that name none.
    #[arg(long, value_name = "ZONE", default_value = "Asia/Tokyo")]
    pub zone: chrono_tz::Tz,
    /// In which words.
    #[command(flatten)]
    pub language: Language,
}

/// Of what the store is made.
#[derive(Clone, Debug, Args)]
pub struct Import {
    /// A whole exported history.
    pub file: PathBuf,
    /// The store that is made; there must be none of this name.
    #[arg(long, value_name = "STORE")]
    pub into: PathBuf,
    /// A hash that an earlier verify printed and where it stood.
    #[arg(long, value_name = "SEQ:HASH", value_parser = anchor)]
    pub expect: Vec<Anchor>,
    /// Answers in JSON.
    #[arg(long)]
    pub json: bool,
    /// In which words.
    #[command(flatten)]
    pub language: Language,
}

/// Whose texts are erased.
#[derive(Clone, Debug, Args)]
pub struct Erase {
    /// A store that no daemon has.
    pub store: PathBuf,
    /// Of calls that arrived, and incidents that were entered by hand, before that time, such as 2025-10-01.
    #[arg(long, value_name = "TIME", required_unless_present = "proof")]
    pub before: Option<String>,
    /// Once more what the proof of an erasure names (`madoguchi erase --into`): in a store that came back from a backup.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["before", "number"])]
    pub proof: Option<PathBuf>,
    /// Only of those in which this number stands.
    #[arg(long, value_name = "NUMBER")]
    pub number: Option<String>,
    /// The zone of a time that names none.
    #[arg(long, value_name = "ZONE", default_value = "Asia/Tokyo")]
    pub zone: chrono_tz::Tz,
    /// Answers in JSON.
    #[arg(long)]
    pub json: bool,
    /// In which words.
    #[command(flatten)]
    pub language: Language,
}

/// Does it.
#[must_use]
pub fn events(arguments: &Events) -> ExitCode {
    let reply = match &arguments.command {
        EventsCommand::Export(export) => {
            let mut into = BufWriter::with_capacity(256 * 1024, io::stdout().lock());
            write(export, export.language.choose(), &mut into)
        }
        EventsCommand::Import(import) => read(import, import.language.choose()),
        EventsCommand::Erase(it) => erase(it, it.language.choose()),
    };
    reply.finish()
}

fn call(text: &str) -> Result<CallId, String> {
    text.parse().map(CallId).map_err(|_| "due is a call's id as the call list has it".to_owned())
}

fn write(arguments: &Export, lang: Lang, into: &mut dyn Write) -> Reply {
    let time = |text: &Option<String>| {
        text.as_ref().map(|text| moment(text, arguments.zone, lang)).transpose()
    };
    let (from, until) = match (time(&arguments.from), time(&arguments.until)) {
        (Ok(from), Ok(until)) => (from, until),
        (Err(reply), _) | (_, Err(reply)) => return reply,
    };
    let selection = Selection { from, until, call: arguments.call };
    let place = match arguments.store.find_alone(lang) {
        Ok(place) => place,
        Err(reply) => return reply,
    };
    let links = match Links::of(&place, selection) {
        Ok(links) => links,
        Err(error) => return Reply { code: 2, ..Reply::cannot(&place, error) },
    };
    let mut proof = Proof::new(links.kind(), Vec::new());
    let written = lines(links, arguments.private, &mut proof, into);
    match written.and_then(|()| into.flush().map_err(|error| Stop::Output(error.kind()))) {
        // A reader that has gone away (`| head`) is no fault of ours.
        Err(Stop::Output(io::ErrorKind::BrokenPipe)) => Reply::default(),
        Err(Stop::Output(kind)) => Reply::cannot(&place, kind),
        Err(Stop::Store(why)) => Reply::cannot(&place, &why),
        Ok(()) => match proof.finish().breaks.first() {
            None => Reply::default(),
            Some(first) => {
                let first = told(first, lang);
                Reply::cannot(
                    &place,
                    lang.pick(
                        format!("書き出したが、履歴が壊れている。{first}"),
                        format!("it was written, but the history is broken: {first}"),
                    ),
                )
            }
        },
    }
}

/// Why an export ended early.
pub(super) enum Stop {
    Output(io::ErrorKind),
    Store(String),
}

/// Writes all that is read as JSON lines, and checks its chain.
pub(super) fn lines(
    links: Links,
    private: bool,
    proof: &mut Proof,
    into: &mut dyn Write,
) -> Result<(), Stop> {
    let output = |error: io::Error| Stop::Output(error.kind());
    writeln!(into, "{}", chain::header(links.kind())).map_err(output)?;
    let mut last = None;
    for block in links {
        for link in block.map_err(|error| Stop::Store(error.to_string()))? {
            // Only where what stands above is not the entry before it.
            let before = link.before.filter(|before| Some(*before) != last);
            let line = event::export(&link, before, private);
            let line = line.map_err(|why| Stop::Store(format!("entry {}: {why}", link.seq)))?;
            writeln!(into, "{line}").map_err(output)?;
            last = link.hash.clone().and_then(|hash| hash.try_into().ok()).map(Hash);
            proof.link(&link, None);
        }
    }
    Ok(())
}

fn read(arguments: &Import, lang: Lang) -> Reply {
    let file = &arguments.file;
    let exported = match Exported::open(file) {
        Ok(Ok(exported)) => exported,
        Ok(Err(why)) => {
            let why = lang.pick(format!("1 行目: {why}"), format!("line 1: {why}"));
            return Reply::cannot(file.display(), why);
        }
        Err(error) => {
            return Reply { code: 2, ..Reply::cannot(file.display(), error) };
        }
    };
    let Some(kind) = Kind::named(exported.kind()) else {
        let found = tame(exported.kind());
        let why = lang.pick(
            format!("1 行目: 種別は {found}、あるべきは service か demonstration"),
            format!("line 1: found a history of kind {found}, due is service or demonstration"),
        );
        return Reply::cannot(file.display(), why);
    };
    let mut making = match Importing::begin(&arguments.into, kind) {
        Ok(making) => making,
        Err(ImportError::Left(wal)) => {
            return Reply::cannot(arguments.into.display(), left(&wal, lang));
        }
        Err(error) => return Reply::cannot(arguments.into.display(), error),
    };
    match fill(exported, &mut making, &arguments.expect, lang) {
        Ok(count) => match making.finish() {
            Ok(()) => {
                let name = tame(&arguments.into.display().to_string());
                let out = if arguments.json {
                    format!("{:#}\n", json!({ "store": name, "entries": count }))
                } else {
                    lang.pick(
                        format!("{name}: {count} 件を読み込んだ\n"),
                        format!("{name}: {count} entries were imported\n"),
                    )
                };
                Reply { out, ..Reply::default() }
            }
            Err(error) => Reply::cannot(arguments.into.display(), error),
        },
        Err(why) => Reply::cannot(file.display(), why),
    }
}

/// That a place is not free: a store was moved away from it, and what may have its newest entries was not.
pub(super) fn left(wal: &Path, lang: Lang) -> String {
    let wal = tame(&wal.display().to_string());
    lang.pick(
        format!("動かした履歴の {wal} が残っている。最後の記録がそこにあるかもしれない。その履歴の隣へ動かして（mv）からやり直す。何も書いていない"),
        format!("{wal} belongs to the store that was moved away, and its newest entries may be in it; move it (mv) beside that store, then do this once more; nothing was written"),
    )
}

/// Puts all entries into the store in the making, as far as the chain holds; how many.
fn fill(
    exported: Exported,
    making: &mut Importing,
    expect: &[Anchor],
    lang: Lang,
) -> Result<u64, String> {
    let at = |line: u64, why: String| {
        lang.pick(format!("{line} 行目: {why}"), format!("line {line}: {why}"))
    };
    let mut progress = Progress::begin(lang);
    let mut proof = Proof::new(exported.kind(), expect.to_vec());
    for line in exported {
        let (line, link) = line.map_err(|error| error.to_string())?;
        let link = link.map_err(|why| at(line, why.to_string()))?;
        proof.link(&link, Some(line));
        if let Some(first) = proof.so_far().breaks.first() {
            return Err(told(first, lang));
        }
        if proof.so_far().left_out > 0 {
            let why = lang.pick(
                "前の記録が省かれている。あるべきは全体の書き出し",
                "found an entry without the one before it, due is a whole history",
            );
            return Err(at(line, why.to_owned()));
        }
        making.add(&link).map_err(|error| at(line, error.to_string()))?;
        progress.tell(proof.so_far().entries);
    }
    let proved = proof.finish();
    match proved.breaks.first() {
        Some(first) => Err(told(first, lang)),
        None if proved.entries == 0 => {
            Err(lang.pick("記録が 1 件もない", "found no entry").to_owned())
        }
        None => Ok(proved.entries),
    }
}

/// The calls and incidents that the proof of an erasure names.
fn proved(file: &Path) -> Result<These, String> {
    #[derive(serde::Deserialize)]
    struct Named {
        calls: std::collections::BTreeSet<CallId>,
        incidents: std::collections::BTreeSet<u64>,
    }
    let text = std::fs::read(file).map_err(|error| error.to_string())?;
    let named: Result<Named, _> = serde_json::from_slice(&text);
    let Named { calls, incidents } =
        named.map_err(|error| format!("found no proof of an erasure: {error}"))?;
    Ok(These { calls, incidents })
}

fn erase(arguments: &Erase, lang: Lang) -> Reply {
    let erased = if let Some(proof) = &arguments.proof {
        match proved(proof) {
            Ok(these) => store::erase_again(&arguments.store, &these),
            Err(why) => return Reply { code: 2, ..Reply::cannot(proof.display(), why) },
        }
    } else {
        let before = arguments.before.as_deref().unwrap_or_default();
        match moment(before, arguments.zone, lang) {
            Ok(before) => store::erase(&arguments.store, before, arguments.number.as_deref()),
            Err(reply) => return reply,
        }
    };
    match erased {
        Ok(store::Erased { calls, incidents, entries, texts, kept }) if arguments.json => {
            let object = json!({ "calls": calls, "incidents": incidents, "entries": entries, "texts": texts,
                "kept": kept });
            Reply { out: format!("{object:#}\n"), ..Reply::default() }
        }
        Ok(store::Erased { calls, incidents, texts, kept, .. }) => {
            let mut out = lang.pick(
                format!("{calls} 通話、手入力 {incidents} 件の番号・名前・件名 {texts} 件を消去した\n"),
                format!("{texts} numbers, names and subjects of {calls} calls and {incidents} incidents entered by hand were erased\n"),
            );
            if kept > 0 {
                out.push_str(&lang.pick(
                    format!("折り返しを待つ {kept} 通話は残した\n"),
                    format!("{kept} calls were left: their callers are still to be called back\n"),
                ));
            }
            Reply { out, ..Reply::default() }
        }
        Err(OpenError::InUse { pid, .. }) => {
            let pid = pid.map(|pid| tame(&pid)).unwrap_or_default();
            let why = lang.pick(
                format!("稼働中の窓口（プロセス {pid}）が使っている。止めてから消去する"),
                format!("a running Madoguchi has it (process {pid}); end it, then erase"),
            );
            Reply::cannot(arguments.store.display(), why)
        }
        Err(OpenError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Reply { code: 2, ..Reply::cannot(arguments.store.display(), source) }
        }
        Err(error) => Reply::cannot(arguments.store.display(), error),
    }
}
