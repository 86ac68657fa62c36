//! `madoguchi diff`: the calls of a history under two plans.

use super::forecast::outcomes;
use super::{Diff, Reply, moment, refused};
use crate::base::Wall;
use crate::config;
use crate::dialplan::{Lang, Plan, tame};
use crate::event::{CallerNumber, chain};
use crate::io::store;
use crate::rehearse::{Comparison, MOST_LISTED};
use chrono::{DateTime, Utc};
use std::fmt::Write as _;
use std::path::Path;

pub(super) fn answer(arguments: &Diff, lang: Lang) -> Reply {
    let plan = |path: &Path| match config::plan_at(path, None) {
        Ok((plan, _)) => Ok(plan),
        Err(findings) => Err(refused(&findings, lang, 2)),
    };
    let (old, new) = match (plan(&arguments.old), plan(&arguments.new)) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(reply), _) | (_, Err(reply)) => return reply,
    };
    let time = |text: &Option<String>, otherwise: Wall| match text {
        None => Ok(otherwise),
        Some(text) => moment(text, old.timezone, lang),
    };
    let span = match (time(&arguments.from, Wall(i64::MIN)), time(&arguments.until, Wall(i64::MAX)))
    {
        (Ok(from), Ok(until)) => (from, until),
        (Err(reply), _) | (_, Err(reply)) => return reply,
    };
    let mut comparison = Comparison::new(&old, &new, span);
    let place = match arguments.history.find_alone(lang) {
        Ok(place) => place,
        Err(reply) => return reply,
    };
    let failed = |why: String| Reply::wrong(&format!("{}: {why}", tame(&place.to_string())));
    let entries = match store::Entries::of(&place) {
        Ok(entries) => entries,
        Err(error) => return failed(error.to_string()),
    };
    for block in entries {
        match block {
            Ok(block) => block.iter().for_each(|entry| comparison.apply(entry)),
            Err(error) => return failed(error.to_string()),
        }
    }
    comparison.finish();
    let code = u8::from(comparison.any());
    let mut out = said(&comparison, &old, arguments.callers, lang);
    if arguments.outcomes {
        match outcomes(&arguments.history, (&old, &new), span, lang) {
            Ok(more) => out.push_str(&more),
            Err(reply) => return reply,
        }
    }
    Reply { out, err: String::new(), code }
}

fn said(comparison: &Comparison<'_>, old: &Plan, callers: bool, lang: Lang) -> String {
    let mut text = String::new();
    let mut line = |said: String| {
        let _ = writeln!(text, "{said}"); // into a String: cannot fail
    };
    let (mut all, mut moved) = (0, 0);
    for (number, (calls, changed)) in &comparison.numbers {
        (all, moved) = (all + calls, moved + changed);
        let name = old.desk_numbers.get(number).map_or("", |desk| desk.name.as_str());
        let name = tame(name);
        line(lang.pick(
            format!("{number} {name}: {calls} 件のうち {changed} 件の行き方が変わる"),
            format!("{number} {name}: {changed} of {calls} calls go another way"),
        ));
    }
    for changed in &comparison.changed {
        let at = DateTime::<Utc>::from_timestamp_millis(changed.at.0).unwrap_or_default();
        let at = at.with_timezone(&old.timezone).format("%Y-%m-%d %H:%M:%S");
        let caller = match (&changed.caller, callers) {
            (CallerNumber::Known(number), true) if chain::is_erased(number.reveal()) => {
                format!(" {}", lang.pick("消去済み", "erased"))
            }
            (CallerNumber::Erased, true) => format!(" {}", lang.pick("消去済み", "erased")),
            (_, false) => String::new(),
            (CallerNumber::Known(number), true) => format!(" {}", tame(number.reveal())),
            (CallerNumber::Withheld, true) => " withheld".to_owned(),
            (CallerNumber::Payphone, true) => " payphone".to_owned(),
            (CallerNumber::Unavailable, true) => " unavailable".to_owned(),
        };
        line(format!("{} {at} {}{caller}", changed.call, changed.number));
        line(format!("  - {}\n  + {}", changed.was, changed.is));
    }
    if usize::try_from(moved).is_ok_and(|moved: usize| moved > comparison.changed.len()) {
        line(lang.pick(
            format!("（一覧は {MOST_LISTED} 件まで）"),
            format!("(the first {MOST_LISTED} are listed)"),
        ));
    }
    line(lang.pick(
        format!("合わせて {all} 件のうち {moved} 件の行き方が変わる"),
        format!("{moved} of {all} calls go another way"),
    ));
    text
}
