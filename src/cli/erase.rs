//! `madoguchi erase`: a person's numbers, names, words and recordings, asked of the running desk; and the proof of it.

use super::reach::{Reach, failed};
use super::{Reply, client::Client};
use crate::dialplan::{Lang, tame};
use clap::Args;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// How long the desk may work on it without a word: it looks through the whole history twice.
const PATIENCE: Duration = Duration::from_secs(600);

/// Ends with 0 when nothing of the person is found any more, 1 when it could not be done, 2 when the command itself was
/// wrong, 3 when something was left (the proof says what and why).
#[derive(Clone, Debug, Args)]
pub struct Erase {
    /// Whose: by telephone number, with or without hyphens; `-` reads it from standard input, where no list of
    /// processes shows it.
    #[arg(long, value_name = "NUMBER", required_unless_present = "name")]
    pub number: Option<String>,
    /// Whose: by name; with a number, what has either is erased.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The request, by the number that the site's own files give it: it stands in the history for ever.
    #[arg(long, value_name = "WORDS")]
    pub reference: String,
    /// Who orders it.
    #[arg(long, value_name = "NAME")]
    pub author: String,
    /// Writes the proof there, as JSON; there must be no such file.
    #[arg(long, value_name = "FILE")]
    pub into: Option<PathBuf>,
    /// The proof as JSON instead of words.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    reach: Reach,
}

/// Erases a person.
#[must_use]
pub fn erase(arguments: &Erase) -> ExitCode {
    match answer(arguments) {
        Ok(reply) | Err(reply) => reply.finish(),
    }
}

fn answer(arguments: &Erase) -> Result<Reply, Reply> {
    let (client, lang): (Client, Lang) = arguments.reach.client()?;
    let number = match arguments.number.as_deref() {
        Some("-") => {
            let mut typed = String::new();
            let read = io::stdin().take(256).read_to_string(&mut typed);
            read.map_err(|error| Reply::wrong(&error.to_string()))?;
            Some(typed.trim().to_owned())
        }
        other => other.map(str::to_owned),
    };
    let body = json!({
        "number": number, "name": arguments.name, "reference": arguments.reference, "author": arguments.author,
    });
    // The file first: an erasure whose proof cannot be written would be done and not proved.
    let file =
        arguments.into.as_deref().map(|path| made(path).map_err(|error| unwritten(path, &error)));
    let file = file.transpose()?;
    let said = client.patient(PATIENCE).say("POST", "/api/v1/erasures", &body.to_string());
    let proof: Value = match said.map(|answer| serde_json::from_slice(&answer.body)) {
        Ok(Ok(proof)) => proof,
        Ok(Err(error)) => return Err(none(arguments, Reply::wrong(&error.to_string()))),
        Err(error) => return Err(none(arguments, failed(&error, lang))),
    };
    let whole = format!("{proof:#}\n");
    if let (Some(mut file), Some(path)) = (file, &arguments.into) {
        let written = file.write_all(whole.as_bytes()).and_then(|()| file.sync_all());
        // It is done: what was to stand in the file must not be lost.
        written.map_err(|error| Reply { out: whole.clone(), ..unwritten(path, &error) })?;
    }
    let nothing = proof.get("found_again").and_then(Value::as_u64) == Some(0)
        && proof.get("left").and_then(Value::as_array).is_some_and(Vec::is_empty);
    let out = if arguments.json { whole } else { told(&proof, lang) };
    Ok(Reply { out, err: String::new(), code: if nothing { 0 } else { 3 } })
}

/// A new file that only its owner may read.
fn made(path: &Path) -> io::Result<std::fs::File> {
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn unwritten(path: &Path, error: &io::Error) -> Reply {
    Reply {
        err: format!("{}: {error}\n", tame(&path.display().to_string())),
        code: 1,
        ..Reply::default()
    }
}

/// Nothing was proved: the empty file goes.
fn none(arguments: &Erase, reply: Reply) -> Reply {
    if let Some(path) = &arguments.into {
        let _ = std::fs::remove_file(path); // ours alone, made just now
    }
    reply
}

fn told(proof: &Value, lang: Lang) -> String {
    let text = |of: &Value, key: &str| tame(of.get(key).and_then(Value::as_str).unwrap_or("-"));
    let count = |key: &str| proof.get(key).and_then(Value::as_u64).unwrap_or(0);
    let list = |key: &str| proof.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let anchor = |key: &str| {
        let at = proof.get(key).cloned().unwrap_or_default();
        let seq = at.get("seq").and_then(Value::as_u64).unwrap_or(0);
        format!("{seq}:{}", text(&at, "hash"))
    };
    let mut out = String::new();
    let mut line = |ja: &str, en: &str, value: String| {
        let _ = writeln!(out, "{}: {value}", lang.pick(ja, en)); // into a String: cannot fail
    };
    line("消去証明 / 請求番号", "proof of erasure, request", text(proof, "reference"));
    line("指示した人", "ordered by", text(proof, "author"));
    line("開始", "began", text(proof, "began_at"));
    line("終了", "ended", text(proof, "ended_at"));
    line("消去前のハッシュ", "hash before", anchor("before"));
    line("消去後のハッシュ", "hash after", anchor("after"));
    line("消去した通話", "calls erased", list("calls").len().to_string());
    line("消去した手入力", "incidents erased", list("incidents").len().to_string());
    line("消去した記述", "texts erased", count("texts").to_string());
    line("消去した録音", "recordings deleted", list("recordings").len().to_string());
    for left in list("left") {
        line("残したもの", "left", format!("{} ({})", text(&left, "call"), text(&left, "why")));
    }
    let left = |why: &str| list("left").iter().any(|left| text(left, "why") == why);
    // Its call has no number any more.
    let (ja, en) = if left("recording_not_deleted") {
        ("（ほかの請求番号では見つからない）", "; by no other it is found")
    } else {
        ("", "")
    };
    if left("recording_not_deleted") || left("recording_held") {
        line(
            "注意",
            "mind",
            lang.pick(
                format!("録音が残っている。同じ請求番号でもう一度行うこと{ja}"),
                format!("a recording is left: ask again by the same reference{en}"),
            ),
        );
    }
    for handed in list("handed_over") {
        let (target, ticket) = (text(&handed, "target"), text(&handed, "ticket"));
        line("手で消すチケット", "ticket to be erased by hand", format!("{target} {ticket}"));
    }
    line(
        "消去後に調べた記録",
        "entries looked through afterwards",
        format!(
            "{}（{} {}）",
            count("searched_again"),
            lang.pick("該当", "found:"),
            count("found_again")
        ),
    );
    if proof.get("copies_emptied").and_then(Value::as_bool) == Some(false) {
        line(
            "注意",
            "mind",
            lang.pick(
                "-wal がまだ空になっていない。夜の処理がもう一度空にする".to_owned(),
                "the store's -wal is not empty yet; the night's run empties it".to_owned(),
            ),
        );
    }
    if proof.get("traces_possible").and_then(Value::as_bool) == Some(true) {
        line("注意", "mind", lang.pick(
            "古い版の記録があり、未使用の領域に痕跡が残りうる。止めて madoguchi events erase --proof を一度行う".to_owned(),
            "entries of an older version may have left traces in unused parts; run madoguchi events erase --proof once with the desk stopped".to_owned(),
        ));
    }
    let unreached = list(lang.pick("not_reached_ja", "not_reached"));
    for reached in unreached.iter().filter_map(Value::as_str) {
        line("及ばないもの", "not reached", tame(reached));
    }
    out
}
