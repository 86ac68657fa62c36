//! `madoguchi explain`: one call's outcome, the rule that gave it, where it counts, and its ladder.

use super::super::history::Whose;
use super::super::{Reply, call_id};
use super::{json, plain, seconds, stands};
use crate::dialplan::{Lang, tame};
use crate::event::chain;
use crate::view::{self, CallRow, ERASED_WORD, Figure, Place, Rule};
use clap::Args;
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write as _;
use std::process::ExitCode;

/// Ends with 0 when the call was explained, 1 when the history has no such call, 2 when the command
/// itself was wrong.
#[derive(Clone, Debug, Args)]
pub struct Explain {
    /// The call's id, as the wallboard, the API and `calls` show it.
    call: String,
    /// Shows numbers and names of people.
    #[arg(long)]
    callers: bool,
    #[command(flatten)]
    whose: Whose,
}

#[derive(Serialize)]
struct Explained<'a> {
    call: Value,
    rule: Option<Rule>,
    said: Option<&'static str>,
    place: Option<&'a Place>,
    ladder: Vec<Value>,
}

/// Explains a call.
#[must_use]
pub fn explain(arguments: &Explain) -> ExitCode {
    let lang = arguments.whose.language.choose();
    answer(arguments, lang).unwrap_or_else(|reply| reply).finish()
}

fn answer(arguments: &Explain, lang: Lang) -> Result<Reply, Reply> {
    let id = call_id(&arguments.call, lang)?;
    let history = arguments.whose.open(lang)?;
    let (views, ladder) = (history.read(lang)?, history.ladder(id)?);
    let Some((row, rule)) = CallRow::from_ladder(&ladder, views.policy()) else {
        let said = lang.pick("この履歴にその呼はない", "the history has no such call");
        return Err(Reply { err: format!("{said}\n"), code: 1, ..Reply::default() });
    };
    let place = views.place(id, row.arrived_at_ms);
    let mut shown: Vec<Value> = Vec::new();
    for entry in &ladder {
        let mut value = serde_json::to_value(entry).unwrap_or_default(); // plain values are always JSON
        // Also without the callers: that it is no more is no secret.
        let word =
            if arguments.whose.json { ERASED_WORD } else { lang.pick("消去済み", "erased") };
        if !arguments.callers {
            chain::hide_known(&mut value, "•••");
        }
        chain::say_erased(&mut value, word);
        shown.push(value);
    }
    let said = rule.map(|rule| lang.pick(rule.said().0, rule.said().1));
    if arguments.whose.json {
        let mut call = serde_json::to_value(&row).unwrap_or_default(); // as above
        if !arguments.callers {
            hide(&mut call);
        }
        let place = place.as_ref();
        return Ok(plain(json(&Explained { call, rule, said, place, ladder: shown }), 0));
    }
    let mut out = String::new();
    let mut line = |text: String| {
        let _ = writeln!(out, "{text}"); // into a String: cannot fail
    };
    let at = view::written(row.arrived_at_ms, views.timezone());
    line(lang.pick(format!("呼 {id}"), format!("call {id}")));
    line(lang.pick(
        format!("着信 {at}、番号 {}", row.number),
        format!("arrived {at} at {}", row.number),
    ));
    match (row.outcome, said) {
        (Some(outcome), Some(said)) => line(lang.pick(
            format!("結果 {}（{}）: {said}", outcome.japanese(), outcome.name()),
            format!("outcome {}: {said}", outcome.name()),
        )),
        _ => {
            line(
                lang.pick("結果はまだ決まっていない", "its outcome is not decided yet").to_owned(),
            );
        }
    }
    if let Some(wait_ms) = row.wait_ms {
        let wait = seconds(wait_ms);
        line(lang.pick(format!("待ち時間 {wait} 秒"), format!("waited {wait} s")));
    }
    if let Some(place) = &place {
        let (month, day) = (place.month, place.day);
        let closed = if place.closed { lang.pick("、締め済み", ", closed") } else { "" };
        line(lang.pick(
            format!("属する月 {month}（{day}）{closed}"),
            format!("belongs to {month} ({day}){closed}"),
        ));
        for figure in Figure::ALL {
            if let Some(standing) = place.figures.get(&figure) {
                let (ja, en) = figure.said();
                let name = lang.pick(ja, en);
                line(format!("  {name}: {}", stands(*standing, lang)));
            }
        }
    }
    for (entry, value) in ladder.iter().zip(&shown) {
        let t_ms = value.get("t_ms").and_then(Value::as_u64);
        let when = t_ms.map_or_else(|| "-".to_owned(), |t_ms| format!("+{}", seconds(t_ms)));
        let event = value.get("event").cloned().unwrap_or_default();
        let kind = event.get("kind").and_then(Value::as_str).unwrap_or("?");
        let rest: Vec<String> = event
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| *name != "kind")
            .map(|(name, value)| format!("{name}={}", tame(&value.to_string())))
            .collect();
        let of = value.get("of").and_then(Value::as_str).unwrap_or("?");
        let of = if of == "call" { String::new() } else { format!("{of} ") };
        line(format!("{:>8} {when:>10}  {of}{kind} {}", entry.seq, rest.join(" ")));
    }
    Ok(plain(out, 0))
}

/// Dots in the place of numbers and names of people.
fn hide(row: &mut Value) {
    let hidden = |value: Option<&mut Value>| {
        if let Some(text) = value.filter(|value| value.is_string()) {
            *text = Value::from("•••");
        }
    };
    for pointer in ["/caller/number/known", "/caller/name", "/caller/diverted_from"] {
        hidden(row.pointer_mut(pointer));
    }
    for entered in row.get_mut("entered").and_then(Value::as_array_mut).into_iter().flatten() {
        hidden(entered.get_mut("digits"));
    }
}
