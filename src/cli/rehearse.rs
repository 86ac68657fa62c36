//! `madoguchi test`: the tables of calls beside a plan, each call put to the rules.

use super::{Reply, Test, told};
use crate::base::folder_of;
use crate::config::{self, Secrets};
use crate::dialplan::{self, Finding, Lang, Plan};
use crate::rehearse;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Judges every table of every plan that is named.
pub(super) fn answer(arguments: &Test, lang: Lang) -> Reply {
    let mut reply = Reply::default();
    for file in &arguments.plans {
        if let Err(said) = plan_and_tables(file, lang, &mut reply) {
            reply.err.push_str(&said);
            reply.code = 1;
        }
    }
    reply
}

/// One plan. What makes it fail is told by `Err`, or stands in the reply already.
fn plan_and_tables(file: &Path, lang: Lang, reply: &mut Reply) -> Result<(), String> {
    let path = plan_path(file).map_err(|findings| told(&findings, lang))?;
    let (plan, _) = config::plan_at(&path, None).map_err(|findings| told(&findings, lang))?;
    let plan = Arc::new(plan);
    let tables = tables_beside(&path);
    if tables.is_empty() {
        let due = path.with_extension("test.toml");
        let (path, due) = (shown(&path), shown(&due));
        return Err(lang.pick(
            format!("{path}: テストの表がない。{due} に書く（docs/DIALPLAN.md）\n"),
            format!("{path}: it has no table of calls; due is {due} (docs/DIALPLAN.md)\n"),
        ));
    }
    for table in tables {
        one_table(&plan, &table, lang, reply);
    }
    Ok(())
}

fn one_table(plan: &Arc<Plan>, path: &Path, lang: Lang, reply: &mut Reply) {
    let name = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            reply.code = 1;
            let _ = writeln!(reply.err, "{}: {error}", shown(path)); // into a String: cannot fail
            return;
        }
    };
    let (table, warnings) = match rehearse::read(&text, &name, plan) {
        Ok(read) => read,
        Err(findings) => {
            reply.code = 1;
            reply.out.push_str(&told(&findings, lang));
            return;
        }
    };
    let report = rehearse::judge(plan, &table, &text, &name);
    let findings: Vec<Finding> = warnings.into_iter().chain(report.findings).collect();
    let untested = table.is_empty();
    if report.otherwise > 0 || untested {
        reply.code = 1;
    }
    for finding in &findings {
        reply.out.push_str(&finding.render(lang));
        reply.out.push_str("\n\n");
    }
    let (name, well, otherwise) = (shown(path), report.well, report.otherwise);
    reply.out.push_str(&match otherwise {
        0 => lang.pick(
            format!("{name}: {well} 件すべて表の通り\n"),
            format!("{name}: all {well} calls do as the table says\n"),
        ),
        _ => lang.pick(
            format!("{name}: {well} 件は表の通り、{otherwise} 件は違う\n"),
            format!("{name}: {well} calls do as the table says, {otherwise} do not\n"),
        ),
    });
}

/// Whether a file is to be read as a configuration; one that is empty or cannot be read is, and refused as such.
pub(super) fn is_config(file: &Path) -> bool {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.is_empty() || config::looks_like_config(&text)
}

/// The plan itself, or the one that a configuration names.
fn plan_path(file: &Path) -> Result<PathBuf, Vec<Finding>> {
    if is_config(file) {
        let (config, _) = config::load(file, Secrets::Look)?;
        return Ok(config.plan);
    }
    Ok(file.to_owned())
}

/// `desk.test.toml` and `desk.….test.toml` beside `desk.toml`, by name.
pub(super) fn tables_beside(plan: &Path) -> Vec<PathBuf> {
    let stem = plan.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let ours = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.strip_prefix(stem)
            .is_some_and(|rest| rest.starts_with('.') && rest.ends_with(".test.toml"))
    };
    let entries = std::fs::read_dir(folder_of(plan)).into_iter().flatten();
    let mut list: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(ours).collect();
    list.sort();
    list
}

fn shown(path: &Path) -> String {
    dialplan::tame(&path.display().to_string())
}
