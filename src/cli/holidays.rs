//! `madoguchi holidays import`: the Cabinet Office's table into one that a plan can name.

use super::{Holidays, HolidaysCommand, Reply, refused};
use crate::dialplan::{HolidayTable, Lang, tame};
use crate::tickets::decoded;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// Longest file that is read, bytes; the official one has 20 kB.
const MOST_BYTES: usize = 4 << 20;

pub(super) fn answer(arguments: &Holidays, lang: Lang) -> Reply {
    let HolidaysCommand::Import { file, to } = &arguments.command;
    let name = file.display().to_string();
    let failed = |why: String| Reply { err: format!("{why}\n"), code: 1, ..Reply::default() };
    let bytes = match std::fs::read(file) {
        Ok(bytes) if bytes.len() <= MOST_BYTES => bytes,
        Ok(_) => return failed(format!("{}: > {MOST_BYTES} bytes", tame(&name))),
        Err(error) => return failed(format!("{}: {error}", tame(&name))),
    };
    // As it is published (CP932), or as somebody saved it again (UTF-8).
    let Ok(text) = decoded(&bytes) else {
        let name = tame(&name);
        return failed(lang.pick(
            format!("{name}: Shift_JIS としても UTF-8 としても読めない。内閣府の syukujitsu.csv をそのまま渡す"),
            format!("{name}: neither Shift_JIS nor UTF-8; due is the Cabinet Office's syukujitsu.csv as it is"),
        ));
    };
    let table = match HolidayTable::parse(&text, &name) {
        Ok(table) => table,
        Err(findings) => return refused(&findings, lang, 1),
    };
    if let Err(error) = replace(to, &table.written()) {
        return failed(format!("{}: {error}", tame(&to.display().to_string())));
    }
    let ((first, last), days, to) = (table.years(), table.len(), tame(&to.display().to_string()));
    let mut out = lang.pick(
        format!(
            "{to}: {first} 年から {last} 年まで、{days} 日。計画に holidays = \"{to}\" と書く\n"
        ),
        format!("{to}: {first} to {last}, {days} days. In the plan: holidays = \"{to}\"\n"),
    );
    for day in table.against_the_rules() {
        let said = match table.name(day) {
            Some(name) => lang.pick(
                format!("{day} {name}: 計算では休日にならない日"),
                format!("{day} {name}: no holiday by the rules"),
            ),
            None => lang.pick(
                format!("{day}: 計算では休日になるが、表にはない"),
                format!("{day}: a holiday by the rules, and not in the table"),
            ),
        };
        let _ = writeln!(out, "{said}"); // into a String: cannot fail
    }
    Reply { out, ..Reply::default() }
}

/// All of it or nothing: a daemon may read the file at any instant.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}
