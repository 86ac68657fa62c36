//! The call sheet filled in by hand, read and entered without doubles: what stands there already is left.

use super::super::call_id;
use super::super::client::{Client, ClientError, escape};
use super::orders::{Import, plainly};
use crate::base::{CallId, stamp};
use crate::dialplan::{Lang, tame};
use crate::feed::{BY_HAND, Value as CallValue};
use chrono_tz::Tz;
use serde_json::{Value, json};

/// Lines of one file.
const MOST: usize = 10_000;
/// Problems that are told.
const TOLD: usize = 50;

/// One line as it was filled in; empty cells are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// In the file, from 1; the heading is the first.
    pub number: usize,
    pub call: CallId,
    ticket: Option<String>,
    subject: Option<String>,
    note: Option<String>,
    reported_at: Option<String>,
    escalated_to: Option<String>,
    escalated_at: Option<String>,
    escalation_answered_at: Option<String>,
    completed_at: Option<String>,
    written_by: Option<String>,
}

/// Columns that are looked at: whose line it is, and what is filled in by hand. The others are the desk's own.
fn columns() -> [(&'static str, &'static str); 10] {
    let [subject, note, reported, to, at, answered, completed, by] = BY_HAND;
    let (call, ticket) = (("call", CallValue::Call.said().0), ("ticket", "チケット番号"));
    [call, ticket, subject, note, reported, to, at, answered, completed, by]
}

/// Reads the file; every problem, with its line, when it cannot be used. Times without an offset are in `zone`.
pub(super) fn read(text: &str, zone: Tz, lang: Lang) -> Result<Vec<Line>, Vec<String>> {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let heads = match reader.headers() {
        Ok(heads) => heads.clone(),
        Err(error) => return Err(vec![error.to_string()]),
    };
    let place =
        |(en, ja): (&str, &str)| heads.iter().position(|it| it.trim() == en || it.trim() == ja);
    let places = columns().map(place);
    if places.first().copied().flatten().is_none() {
        return Err(vec![lang.pick(
            "1 行目に call（呼ID）の列がない。tickets outbox --csv の表をそのまま使う".to_owned(),
            "line 1: due is a column call (呼ID); use the table of tickets outbox --csv as it is".to_owned(),
        )]);
    }
    let (mut lines, mut problems) = (Vec::new(), Vec::new());
    for (number, record) in (2..).zip(reader.records()) {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                problems.push(error.to_string());
                continue;
            }
        };
        let mut cells = places.map(|place| {
            let cell = place.and_then(|place| record.get(place)).unwrap_or_default().trim();
            // The sign before what a spreadsheet would run is the table's own.
            let cell = cell.strip_prefix('\'').unwrap_or(cell);
            (!cell.is_empty()).then(|| cell.to_owned())
        });
        if cells.iter().all(Option::is_none) {
            continue;
        }
        let call = cells.first_mut().and_then(Option::take).unwrap_or_default();
        let Ok(call) = call_id(&call, lang) else {
            problems.push(lang.pick(
                format!("{number} 行目: 呼 ID として読めない"),
                format!("line {number}: this is no call's id"),
            ));
            continue;
        };
        let [
            _,
            ticket,
            subject,
            note,
            reported_at,
            escalated_to,
            escalated_at,
            escalation_answered_at,
            completed_at,
            written_by,
        ] = cells;
        let line = Line {
            number,
            call,
            ticket,
            subject,
            note,
            reported_at,
            escalated_to,
            escalated_at,
            escalation_answered_at,
            completed_at,
            written_by,
        };
        for (name, text) in line.stamps() {
            if let Some(text) = text
                && stamp(text, zone).is_none()
            {
                let (name, text) = (name, tame(text));
                problems.push(lang.pick(
                    format!("{number} 行目: {name} の \"{text}\" は時刻として読めない（例: 2026-10-05 09:30）"),
                    format!("line {number}: {name}: \"{text}\" is no time, such as 2026-10-05 09:30"),
                ));
            }
        }
        lines.push(line);
    }
    if lines.len() > MOST {
        problems.push(lang.pick(format!("{MOST} 行を超える"), format!("more than {MOST} lines")));
    }
    problems.truncate(TOLD);
    if problems.is_empty() { Ok(lines) } else { Err(problems) }
}

impl Line {
    fn stamps(&self) -> [(&'static str, Option<&str>); 4] {
        [
            ("reported_at", self.reported_at.as_deref()),
            ("escalated_at", self.escalated_at.as_deref()),
            ("escalation_answered_at", self.escalation_answered_at.as_deref()),
            ("completed_at", self.completed_at.as_deref()),
        ]
    }

    /// What becomes a note: all that was written by hand, but for the ledger's own fields there.
    fn words(&self, of_ledger: bool) -> Option<String> {
        let stamps = [
            ("経過報告", &self.reported_at),
            ("エスカレーション先", &self.escalated_to),
            ("エスカレーション", &self.escalated_at),
            ("エスカレーション回答", &self.escalation_answered_at),
            ("完了", &self.completed_at),
        ];
        let stamps = stamps.into_iter().filter(|_| !of_ledger);
        let said =
            [("件名", self.subject.as_ref().filter(|_| !of_ledger)), ("対応", self.note.as_ref())];
        let rows = said.into_iter().chain(stamps.map(|(name, text)| (name, text.as_ref())));
        let rows: Vec<_> =
            rows.filter_map(|(name, text)| Some(format!("{name}: {}", text?))).collect();
        if rows.is_empty() {
            return None;
        }
        let by = self.written_by.iter().map(|by| format!("記入: {by}"));
        Some(rows.into_iter().chain(by).collect::<Vec<_>>().join("\n"))
    }

    /// What of it the ledger has fields for.
    fn for_ledger(&self) -> bool {
        let some = [&self.subject, &self.reported_at, &self.escalated_at, &self.completed_at];
        some.into_iter().any(Option::is_some)
    }
}

/// Enters one line; what was done, or why not.
pub(super) fn enter(
    line: &Line,
    client: &Client,
    import: &Import,
    lang: Lang,
) -> Result<String, String> {
    let told = |error: ClientError| error.told(lang);
    let (call, author) = (line.call, import.author());
    let mut done = Vec::new();
    if let Some(ticket) = &line.ticket {
        let target = escape(import.target());
        let path = format!("/api/v1/tickets/{target}/outbox/{call}/adopt");
        let order = json!({"author": author, "ticket": ticket});
        match plainly(client, "POST", &path, Some(&order)) {
            Ok(_) => done.push(lang.pick(format!("チケット {ticket}"), format!("ticket {ticket}"))),
            Err(error) => return Err(told(error)),
        }
    }
    let of_ledger = import.target() == crate::view::LEDGER;
    if of_ledger && line.for_ledger() {
        done.push(into_ledger(line, client, import, lang)?);
    }
    if let Some(words) = line.words(of_ledger) {
        let shown = plainly(client, "GET", &format!("/api/v1/calls/{call}"), None).map_err(told)?;
        let known = shown["notes"].as_array().into_iter().flatten();
        if known.into_iter().any(|note| note["text"] == words.as_str()) {
            done.push(lang.pick("メモは入っていた", "the note was there").to_owned());
        } else {
            let agent = import.agent().ok_or_else(|| {
                lang.pick("--agent（だれのメモか）が要る", "due is --agent, whose note it is")
                    .to_owned()
            })?;
            let note = json!({"agent": agent, "text": words});
            let path = format!("/api/v1/calls/{call}/notes");
            plainly(client, "POST", &path, Some(&note)).map_err(told)?;
            done.push(lang.pick("メモ", "note").to_owned());
        }
    }
    if done.is_empty() {
        return Ok(lang.pick("書かれていない", "nothing was written there").to_owned());
    }
    Ok(done.join(", "))
}

fn into_ledger(
    line: &Line,
    client: &Client,
    import: &Import,
    lang: Lang,
) -> Result<String, String> {
    let told = |error: ClientError| error.told(lang);
    let zone = import.zone(lang).map_err(|reply| reply.err)?;
    let call = line.call;
    let row =
        plainly(client, "GET", &format!("/api/v1/calls/{call}/incident"), None).map_err(told)?;
    let known = |value: &Value| value.as_i64().map(|ms| Value::from(ms.to_string()));
    let time = |text: &Option<String>| {
        let at = text.as_deref().and_then(|text| stamp(text, zone))?;
        Some(Value::from(at.0.to_string()))
    };
    let state = &row["state"];
    let escalations = match time(&line.escalated_at) {
        Some(at) => {
            let to = match line.escalated_to.as_deref() {
                Some("system_builder" | "システム構築業者") => "system_builder",
                _ => "other",
            };
            vec![json!({"to": to, "at": at, "answered_at": time(&line.escalation_answered_at)})]
        }
        None => {
            let kept = state["escalations"].as_array().into_iter().flatten();
            let kept = kept.map(|it| {
                json!({"to": it["to"], "at": known(&it["at"]), "answered_at": known(&it["answered_at"])})
            });
            kept.collect()
        }
    };
    let written = json!({
        "author": import.author(),
        "subject": line.subject,
        "category": row["category"],
        "completed_at": time(&line.completed_at).or_else(|| known(&state["completed_at"])),
        "reported_at": time(&line.reported_at).or_else(|| known(&state["reported_at"])),
        "escalations": escalations,
        "technical": state["technical"].as_bool().unwrap_or_default(),
        "exclusions": state["exclusions"].as_array().cloned().unwrap_or_default(),
        "revision": row["revision"],
    });
    let path = format!("/api/v1/incidents/{}", row["incident"]);
    plainly(client, "PUT", &path, Some(&written)).map_err(told)?;
    Ok(lang.pick("台帳", "ledger").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_that_was_filled_in_is_read_as_a_whole_or_not_at_all() {
        let id = "0199a0c1-5b00-7000-8000-000000000001";
        let text = format!(
            "\u{feff}no,call,ticket,caller,note,written_by,completed_at\r\n1,{id},,'+81,印刷できない,佐藤,\r\n2,{id},77,,,,\r\n,,,,,,\r\n"
        );
        let lines = read(&text, chrono_tz::Asia::Tokyo, Lang::En).expect("fine");
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].words(false).as_deref(), Some("対応: 印刷できない\n記入: 佐藤"));
        assert_eq!((lines[1].ticket.as_deref(), lines[1].words(false)), (Some("77"), None));
        let bad = text.replace(&format!("2,{id}"), "2,nothing");
        let problems = read(&bad, chrono_tz::Asia::Tokyo, Lang::En).expect_err("refused");
        assert_eq!(problems, ["line 3: this is no call's id"]);
        let late = text.replace("佐藤,\r", "佐藤,昼\r");
        let problems = read(&late, chrono_tz::Asia::Tokyo, Lang::En).expect_err("refused");
        assert!(problems[0].starts_with("line 2: completed_at: \"昼\""), "{problems:?}");
        assert!(read("a,b\n1,2\n", chrono_tz::Asia::Tokyo, Lang::Ja).is_err());
    }
}
