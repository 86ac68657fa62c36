//! `madoguchi verify`: walks a history's hash chain and says where it does not hold.

use super::exported::Exported;
use super::progress::Progress;
use super::{Language, Named, Reply};
use crate::base::Wall;
use crate::dialplan::{Lang, tame};
use crate::event::{Anchor, Break, Damage, Proof, Proved};
use crate::io::store::{Links, Place, Selection};
use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::process::ExitCode;

/// Ends with 0 when the history is whole, 1 when it is not, 2 when there is none or the command itself was
/// wrong.
#[derive(Clone, Debug, Args)]
pub struct Verify {
    /// A store (also one that a daemon writes; `site:CONFIG` is the site's store), an exported history
    /// (events export), or a backup's folder, of which every byte is looked at.
    pub store: Named,
    /// A hash that an earlier verify printed and where it stood: so a history that was cut is found out.
    #[arg(long, value_name = "SEQ:HASH", value_parser = anchor)]
    pub expect: Vec<Anchor>,
    /// Answers in JSON.
    #[arg(long)]
    pub json: bool,
    /// In which words.
    #[command(flatten)]
    pub language: Language,
}

/// Checks a history.
#[must_use]
pub fn verify(arguments: &Verify) -> ExitCode {
    answer(arguments, arguments.language.choose()).finish()
}

/// `SEQ:HASH` as `verify` prints it.
pub(super) fn anchor(text: &str) -> Result<Anchor, String> {
    let due = "due is SEQ:HASH, such as 1200: and 64 hexadecimal digits";
    let (seq, hash) = text.split_once(':').ok_or(due)?;
    let seq = seq.parse().map_err(|_| due)?;
    Ok(Anchor { seq, hash: hash.parse().map_err(|_| due)? })
}

fn answer(arguments: &Verify, lang: Lang) -> Reply {
    let place = match arguments.store.find_alone(lang) {
        Ok(place) => place,
        Err(reply) => return reply,
    };
    if let Place::File(path) = &place
        && path.is_dir()
    {
        return super::backup::verified(path, &arguments.expect, arguments.json, lang);
    }
    let name = tame(&place.to_string());
    let proved = match walk(&place, &arguments.expect, lang) {
        Ok(proved) => proved,
        Err(why) => return Reply::wrong(&format!("{name}: {why}")),
    };
    let out = if arguments.json {
        format!("{:#}\n", as_json(&proved))
    } else {
        format!("{name}: {}", said(&proved, lang))
    };
    Reply { out, err: String::new(), code: u8::from(proved.broken > 0) }
}

/// Whether the file is a database, by its first bytes.
fn is_database(path: &Path) -> io::Result<bool> {
    let mut first = Vec::new();
    File::open(path)?.take(16).read_to_end(&mut first)?;
    Ok(first == b"SQLite format 3\0")
}

pub(super) fn walk(place: &Place, expect: &[Anchor], lang: Lang) -> Result<Proved, String> {
    let mut progress = Progress::begin(lang);
    let exported = match place {
        Place::File(path) if !is_database(path).map_err(|error| error.to_string())? => Some(path),
        Place::File(_) | Place::Site(_) => None,
    };
    let Some(path) = exported else {
        let links = Links::of(place, Selection::default()).map_err(|error| error.to_string())?;
        let mut proof = Proof::new(links.kind(), expect.to_vec());
        for block in links {
            let block = block.map_err(|error| error.to_string())?;
            for link in &block {
                proof.link(link, None);
            }
            progress.tell(proof.so_far().entries);
        }
        return Ok(proof.finish());
    };
    let Ok(exported) = Exported::open(path).map_err(|error| error.to_string())? else {
        let ja = "窓口の記録でも、書き出した履歴（1 行目が見出し）でもない";
        let en = "found neither a store nor an exported history, which begins with its heading";
        return Err(lang.pick(ja, en).to_owned());
    };
    let mut proof = Proof::new(exported.kind(), expect.to_vec());
    for line in exported {
        match line.map_err(|error| error.to_string())? {
            (line, Ok(link)) => proof.link(&link, Some(line)),
            (line, Err(why)) => proof.no_entry(line, why),
        }
        progress.tell(proof.so_far().entries);
    }
    Ok(proof.finish())
}

pub(super) fn date(at: Wall) -> String {
    let date = DateTime::<Utc>::from_timestamp_millis(at.0);
    date.map_or_else(|| at.0.to_string(), |date| date.to_rfc3339_opts(SecondsFormat::Millis, true))
}

fn said(proved: &Proved, lang: Lang) -> String {
    let mut text = String::new();
    let mut line = |said: String| {
        let _ = writeln!(text, "{said}"); // into a String: cannot fail
    };
    let broken = proved.broken;
    line(match broken {
        0 if proved.left_out > 0 => lang.pick(
            "履歴の一部であり、その部分は改変されていない".to_owned(),
            "this part of a history is whole".to_owned(),
        ),
        0 => lang.pick("履歴は改変されていない".to_owned(), "the history is whole".to_owned()),
        _ => lang.pick(
            format!("履歴が壊れている（{broken} か所）"),
            format!("the history is broken, in {broken} place(s)"),
        ),
    });
    for it in &proved.breaks {
        line(format!("  {}", told(it, lang)));
    }
    let more = broken.saturating_sub(u64::try_from(proved.breaks.len()).unwrap_or(0));
    if more > 0 {
        line(lang.pick(format!("  （ほかに {more} か所）"), format!("  (and {more} more)")));
    }
    let entries = proved.entries;
    line(lang.pick(format!("件数: {entries}"), format!("entries: {entries}")));
    if let (Some((first, began)), Some((last, ended, hash))) = (proved.first, proved.last) {
        let (began, ended) = (date(began), date(ended));
        line(lang.pick(format!("最初: {first}（{began}）"), format!("first: {first} ({began})")));
        line(lang.pick(format!("最後: {last}（{ended}）"), format!("last: {last} ({ended})")));
        if let Some(hash) = hash.filter(|_| broken == 0) {
            line(lang.pick(
                format!("最後のハッシュ: {last}:{hash}"),
                format!("last hash: {last}:{hash}"),
            ));
        }
    }
    let notes = [
        (proved.holes, "書けずに失われた記録", "entries lost when they were to be written"),
        (proved.left_out, "書き出しで省かれた箇所", "places where the export left entries out"),
        (
            proved.erased,
            "消去された、または伏せられた番号・名前",
            "numbers and names that were erased or hidden",
        ),
    ];
    for (count, ja, en) in notes {
        if count > 0 {
            line(lang.pick(format!("{ja}: {count}"), format!("{en}: {count}")));
        }
    }
    text
}

/// A break in one line.
pub(super) fn told(it: &Break, lang: Lang) -> String {
    let line = it.line.map(|line| lang.pick(format!("{line} 行目"), format!("line {line}")));
    let seq = it.seq.map(|seq| lang.pick(format!("記録 {seq}"), format!("entry {seq}")));
    let place: Vec<String> = line.into_iter().chain(seq).collect();
    let what = match &it.what {
        Damage::Changed { found, due } => lang.pick(
            format!("書き換えられている。ハッシュは {found}、あるべきは {due}"),
            format!("it was changed; found hash {found}, due is {due}"),
        ),
        Damage::Missing { from, to, found, due } => lang.pick(
            format!("直前の {from}〜{to} がない。ハッシュは {found}、続きならば {due}"),
            format!("{from} to {to} before it are missing; found hash {found}, without them due is {due}"),
        ),
        Damage::OutOfOrder { after } => lang.pick(
            format!("{after} の後にある。番号の順であるべき"),
            format!("found it behind {after}, due is the order of the numbers"),
        ),
        Damage::Doubled => {
            lang.pick("二重にある".to_owned(), "found it twice, due is once".to_owned())
        }
        Damage::NoHash { due } => {
            let due = due.map_or_else(String::new, |due| due.to_string());
            lang.pick(
                format!("ハッシュがない。あるべきは {due}（古い版の記録なら、起動すれば付く）"),
                format!("found no hash, due is {due} (a start gives it to what an older version wrote)"),
            )
        }
        Damage::Unsealable(why) => lang.pick(format!("読めない: {why}"), why.to_string()),
        Damage::SaltUndue => lang.pick(
            "隠すものがないのにソルトがある".to_owned(),
            "found a salt, and nothing that it hides".to_owned(),
        ),
        Damage::FiledWrong { found, due } => {
            let word = |call: &Option<String>| tame(call.as_deref().unwrap_or("-"));
            let (found, due) = (word(found), word(due));
            lang.pick(
                format!("別の通話 {found} に綴じられている。あるべきは {due}"),
                format!("found it filed under call {found}, due is {due}"),
            )
        }
        Damage::NotAnchored { found, due } => lang.pick(
            format!("ハッシュは {found}、--expect によれば {due}"),
            format!("found hash {found}, due by --expect is {due}"),
        ),
        Damage::AnchorMissing { last } => lang.pick(
            format!("--expect の記録がない。履歴は {last} で終わる"),
            format!("--expect names it and it is not there; the history ends at {last}"),
        ),
        Damage::NoEntry(why) => lang.pick(format!("記録ではない: {why}"), why.to_string()),
    };
    format!("{}: {what}", place.join(lang.pick("、", ", ")))
}

fn as_json(proved: &Proved) -> Value {
    let end = |(seq, at): (i64, Wall)| json!({"seq": seq, "at": date(at)});
    let last = proved.last.map(|(seq, at, hash)| {
        json!({"seq": seq, "at": date(at), "hash": hash.map(|hash| hash.to_string())})
    });
    let breaks: Vec<Value> = proved
        .breaks
        .iter()
        .map(|it| json!({"seq": it.seq, "line": it.line, "what": name(&it.what), "said": told(it, Lang::En)}))
        .collect();
    json!({
        "whole": proved.broken == 0,
        "entries": proved.entries,
        "first": proved.first.map(end),
        "last": last,
        "holes": proved.holes,
        "left_out": proved.left_out,
        "erased": proved.erased,
        "broken": proved.broken,
        "breaks": breaks,
    })
}

/// A damage's name for programs.
const fn name(damage: &Damage) -> &'static str {
    match damage {
        Damage::Changed { .. } => "changed",
        Damage::Missing { .. } => "missing",
        Damage::OutOfOrder { .. } => "out_of_order",
        Damage::Doubled => "doubled",
        Damage::NoHash { .. } => "no_hash",
        Damage::Unsealable(_) => "unreadable",
        Damage::SaltUndue => "salt_undue",
        Damage::FiledWrong { .. } => "filed_wrong",
        Damage::NotAnchored { .. } => "not_anchored",
        Damage::AnchorMissing { .. } => "anchor_missing",
        Damage::NoEntry(_) => "no_entry",
    }
}
