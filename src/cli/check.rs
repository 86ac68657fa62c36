//! `madoguchi check`: reads a plan, or a configuration with its accounts, prompts and plan, and tells
//! everything that is wrong.

use super::{Check, KnownPrompts, Reply, starting, told};
use crate::base::LogLevel;
use crate::config::{self, Secrets};
use crate::dialplan::{self, Finding, Lang, Plan};
use crate::io::recording::free_bytes;
use crate::io::telemetry::log;
use std::fmt::Write as _;
use std::path::Path;

/// Checks the file. Nothing is written, also no missing token.
pub(super) fn answer(arguments: &Check, lang: Lang, prompts: KnownPrompts) -> Reply {
    let name = arguments.file.display().to_string();
    // What cannot be read is told by the reading of a configuration: its words fit any file.
    let text = std::fs::read_to_string(&arguments.file).unwrap_or_default();
    if text.is_empty() || config::looks_like_config(&text) {
        return configuration(arguments, lang, prompts);
    }
    if arguments.show {
        return Reply::wrong(lang.pick(
            "--show は設定ファイル（madoguchi.toml）にだけ使える",
            "--show is for a configuration (madoguchi.toml)",
        ));
    }
    let known = match prompts(arguments.prompts.as_deref()) {
        Ok(known) => known,
        Err(why) => return Reply::wrong(&why),
    };
    let result = config::plan_at(&arguments.file, Some(&known));
    let summary = result.as_ref().ok().map(|(plan, _)| plan_summary(plan, lang));
    let (Ok((_, findings)) | Err(findings)) = result;
    reply(&name, &findings, summary, lang)
}

fn configuration(arguments: &Check, lang: Lang, prompts: KnownPrompts) -> Reply {
    let name = arguments.file.display().to_string();
    let (config, mut findings) = match config::load(&arguments.file, Secrets::Look) {
        Ok(loaded) => loaded,
        Err(findings) => return reply(&name, &findings, None, lang),
    };
    if let Some(recording) = &config.recording {
        findings.extend(recording.judge(room_at(&recording.directory), &name));
    }
    let known = match prompts(config.media.prompts.as_deref()) {
        Ok(known) => known,
        Err(why) => return Reply::wrong(&why),
    };
    let result = config::load_plan(&config, Some(&known));
    let plan = result.as_ref().ok().map(|(plan, _)| plan);
    let summary = plan.map(|plan| plan_summary(plan, lang));
    findings.extend(starting::refused(&arguments.file, &config, plan));
    let (Ok((_, more)) | Err(more)) = result;
    findings.extend(more);
    let mut reply = reply(&name, &findings, summary, lang);
    if arguments.show {
        reply.out.insert_str(0, &format!("{}\n", config.show()));
    }
    reply
}

/// Bytes free where a directory is or will be.
fn room_at(directory: &Path) -> Result<u64, String> {
    let there = directory.ancestors().find(|part| part.exists());
    let there = there.unwrap_or(Path::new("."));
    free_bytes(there).map_err(|error| error.to_string())
}

fn reply(name: &str, findings: &[Finding], summary: Option<String>, lang: Lang) -> Reply {
    let refused = findings.iter().any(Finding::is_error);
    let mut out = told(findings, lang);
    if !out.is_empty() {
        // The unit asks before each start: a refusal is to be found among the journal's errors.
        let level = if refused { LogLevel::Error } else { LogLevel::Warn };
        out = log::as_said(level, &out, std::io::stdout());
    }
    if !refused {
        let good = lang.pick("使える", "can be used");
        let summary = summary.unwrap_or_default();
        let _ = writeln!(out, "{name}: {good}{summary}"); // into a String: cannot fail
    }
    Reply { out, err: String::new(), code: u8::from(refused) }
}

/// What the plan holds, so that a person sees that it was the one meant.
fn plan_summary(plan: &Plan, lang: Lang) -> String {
    let (numbers, menus) = (plan.desk_numbers.len(), plan.menus.len());
    let (groups, agents) = (plan.groups.len(), plan.agents.len());
    let name = dialplan::tame(&plan.name);
    lang.pick(
        format!(
            "（「{name}」着信番号 {numbers}、メニュー {menus}、グループ {groups}、オペレータ {agents}）"
        ),
        format!(
            " (\"{name}\": desk numbers {numbers}, menus {menus}, groups {groups}, agents {agents})"
        ),
    )
}
