//! `madoguchi try`: the way one call would take.

use super::{Reply, Try, refused};
use crate::base::{AgentId, Number, TrunkId, Wall};
use crate::config::{self, Secrets};
use crate::dialplan::{self, Asker, End, Finding, Lang, Outward, Plan, Question, Route, walk};

/// Walks the call. `now` stands for a time that was not given.
pub(super) fn answer(arguments: &Try, lang: Lang, now: Wall) -> Reply {
    let plan = match plan(arguments) {
        Ok(plan) => plan,
        Err(findings) => return refused(&findings, lang, 1),
    };
    let at = match &arguments.at {
        None => now,
        Some(text) => match dialplan::moment(text, plan.timezone) {
            Some(at) => at,
            None => {
                return Reply::wrong(&lang.pick(
                    format!("--at の \"{text}\" は日時として読めない（例: 2026-12-30T10:00）"),
                    format!("--at: \"{text}\" is not a time, such as 2026-12-30T10:00"),
                ));
            }
        },
    };
    let Some(to) = plan.number_named(&arguments.to) else {
        let known: Vec<String> = plan
            .desk_numbers
            .iter()
            .map(|(number, desk)| format!("  {number} {}\n", dialplan::tame(&desk.name)))
            .collect();
        let (to, known) = (dialplan::tame(&arguments.to), known.concat());
        return Reply::wrong(&lang.pick(
            format!("--to の \"{to}\" は番号でも着信番号の名前でもない。着信番号:\n{known}"),
            format!("--to: \"{to}\" is neither a number nor a desk number's name. Desk numbers:\n{known}"),
        ));
    };
    let presses = match dialplan::presses(&arguments.press.concat()) {
        Ok(presses) => presses,
        Err(other) => {
            let other = dialplan::tame(&other.to_string());
            return Reply::wrong(&lang.pick(
                format!("--press の \"{other}\" はキーではない（0〜9、*、#、何も押さない時は -）"),
                format!("--press: \"{other}\" is no key: 0 to 9, *, #, or - for none"),
            ));
        }
    };
    let from = asker(arguments, &plan);
    let caller = arguments.from.as_deref().map(Number::from);
    if let Some(reply) = caller.and_then(|from| outward(&plan, &to, &from, lang)) {
        return reply;
    }
    let walk = walk(&plan, &Question { at, from, to, presses, ad_hoc: arguments.ad_hoc });
    let code = if matches!(walk.end, End::Nothing) { 3 } else { 0 };
    Reply { out: walk.render(lang), err: String::new(), code }
}

/// The plan itself, or the one that a configuration names. Prompts need not exist to walk.
fn plan(arguments: &Try) -> Result<Plan, Vec<Finding>> {
    let text = std::fs::read_to_string(&arguments.file).unwrap_or_default();
    if text.is_empty() || config::looks_like_config(&text) {
        let (config, _) = config::load(&arguments.file, Secrets::Look)?;
        return config::load_plan(&config, None).map(|(plan, _)| plan);
    }
    config::plan_at(&arguments.file, None).map(|(plan, _)| plan)
}

/// The way of a call outside, when one of our phones dials a number that the plan does not have itself.
/// A phone that is no agent's is ours when the plan lets it call outside.
fn outward(plan: &Plan, to: &Number, from: &Number, lang: Lang) -> Option<Reply> {
    let ours = plan.agents.contains_key(&AgentId(from.0.clone()))
        || plan.outside.as_ref().is_some_and(|outside| outside.extensions.contains(from));
    if !ours || !matches!(plan.route(to, Wall(0)), Route::Other) {
        return None;
    }
    let (out, code) = match plan.outward(to, from) {
        Outward::Nowhere => return None,
        Outward::NotAllowed => (
            lang.pick(
                format!("{from} は {to} へ発信できない（403）"),
                format!("{from} may not call {to} (403)"),
            ),
            3,
        ),
        Outward::EmergencyBlocked => (
            lang.pick(
                format!("{to} への発信は計画で止められている（403）"),
                format!("the plan blocks calls to {to} (403)"),
            ),
            3,
        ),
        Outward::Way(way) => {
            let trunks: Vec<&str> = way.trunks.iter().map(TrunkId::as_str).collect();
            let shown = way.caller_id.map_or_else(
                || lang.pick("外線の番号".to_owned(), "the trunk's own number".to_owned()),
                |number| number.to_string(),
            );
            let privacy = match way.withhold {
                Some(true) => lang.pick("（184: 非通知）", " (184: withheld)"),
                Some(false) => lang.pick("（186: 通知）", " (186: shown)"),
                None => "",
            };
            let (number, trunks) = (way.number, trunks.join(" → "));
            let said = lang.pick(
                format!("外線へ発信: {number}、外線 {trunks}、発信者番号 {shown}{privacy}"),
                format!("a call outside: {number}, by the trunks {trunks}, as {shown}{privacy}"),
            );
            (said, 0)
        }
    };
    Some(Reply { out: format!("{out}\n"), err: String::new(), code })
}

/// One of the plan's own agents, or somebody outside.
fn asker(arguments: &Try, plan: &Plan) -> Asker {
    let agent =
        arguments.from.as_deref().filter(|from| plan.agents.contains_key(&AgentId::from(*from)));
    match agent {
        Some(agent) => Asker::Extension(agent.into()),
        None => Asker::Outside(arguments.trunk.as_deref().map(Into::into)),
    }
}
