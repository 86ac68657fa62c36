//! Each call of a table against what is due of it.

use super::problem::Problem;
use super::table::{Row, Table, list};
use super::{Story, rehearse};
use crate::base::AdHoc;
use crate::dialplan::reader::At;
use crate::dialplan::{
    ClosedWhy, End, FeatureCode, Finding, Findings, Plan, Source, Step, Walk, walk,
};
use std::sync::Arc;

/// What came of a table.
#[derive(Clone, Debug)]
pub struct Report {
    /// Calls that did what is due.
    pub well: usize,
    /// Calls that did not.
    pub otherwise: usize,
    /// What they did instead, in the order of the table.
    pub findings: Vec<Finding>,
}

/// Puts every call of a table to the rules. `text` and `file_name` are what the table was read from.
#[must_use]
pub fn judge(plan: &Arc<Plan>, table: &Table, text: &str, file_name: &str) -> Report {
    let mut out = Findings::new(Source::new(text, file_name));
    let (mut well, mut otherwise) = (0, 0);
    for row in &table.rows {
        let walk = walk(plan, &row.case.question);
        let story = rehearse(plan, &row.case);
        if row.judge(&walk, &story, &mut out) {
            well += 1;
        } else {
            otherwise += 1;
        }
    }
    Report { well, otherwise, findings: out.into_sorted() }
}

impl Row {
    /// Whether all that is due was done; what was not is added to `out`.
    fn judge(&self, walk: &Walk, story: &Story, out: &mut Findings) -> bool {
        let mut well = true;
        let mut due = |key: &'static str,
                       good: bool,
                       span: &std::ops::Range<usize>,
                       found: String,
                       due: String| {
            if !good {
                well = false;
                let found = if found.is_empty() {
                    ["ない".to_owned(), "nothing".to_owned()]
                } else {
                    [found.clone(), found]
                };
                out.at(span, Problem::Otherwise { call: self.name.clone(), key, found, due });
            }
        };
        let mut one = |key, want: &Option<At<String>>, found: String| {
            if let Some(want) = want {
                due(key, want.value == found, &want.span, found, want.value.clone());
            }
        };
        one("leads_to", &self.leads_to, leads(&walk.end));
        one("hours", &self.hours, hours(walk).to_owned());
        let answered = story.answered.as_ref().map(|(_, agent)| agent.to_string());
        one("answered_by", &self.answered_by, answered.unwrap_or_default());
        let outside = story.answered_outside.as_ref().map(|(_, number)| number.to_string());
        one("answered_outside", &self.answered_outside, outside.unwrap_or_default());
        let outcome = story.outcome.map_or("none", |outcome| outcome.name());
        one("outcome", &self.outcome, outcome.to_owned());
        if let Some(want) = &self.counted {
            let found = story.counted.unwrap_or(false);
            due(
                "counted",
                want.value == found,
                &want.span,
                found.to_string(),
                want.value.to_string(),
            );
        }
        let rung = story.rings.iter().map(|(_, agent)| agent.to_string()).collect();
        let rung_outside = story.rings_outside.iter().map(|(_, number)| number.to_string());
        for (key, want, rung) in [
            ("rings", &self.rings, rung),
            ("rings_outside", &self.rings_outside, rung_outside.collect::<Vec<String>>()),
        ] {
            let Some(want) = want else { continue };
            let named = if want.value.is_empty() { rung.len() } else { want.value.len() };
            let begin: Vec<String> = rung.iter().take(named).cloned().collect();
            let (found, all) = (format!("{rung:?}"), format!("{:?}", want.value));
            due(key, begin == want.value, &want.span, found, all);
        }
        if let Some(want) = &self.hears {
            let heard = story.hears.iter().map(crate::base::PromptId::as_str);
            let named = if want.value.is_empty() { story.hears.len() } else { want.value.len() };
            let good = heard.take(named).eq(want.value.iter().map(String::as_str));
            due("hears", good, &want.span, list(&story.hears), format!("{:?}", want.value));
        }
        if let Some(want) = &self.agent_hears {
            let good = story.agent_hears.iter().map(crate::base::PromptId::as_str).eq(&want.value);
            let all = format!("{:?}", want.value);
            due("agent_hears", good, &want.span, list(&story.agent_hears), all);
        }
        if let Some(want) = &self.never_hears {
            let hears = |name: &&String| story.hears.iter().any(|heard| heard.as_str() == *name);
            let good = want.value.iter().find(hears).is_none();
            let never = format!("{:?}", want.value);
            due("never_hears", good, &want.span, list(&story.hears), never);
        }
        well
    }
}

/// The end of a way in the words of a table.
pub(super) fn leads(end: &End) -> String {
    match end {
        End::Group(way) => format!("group {}", way.group),
        End::Phone { agent, .. } => format!("extension {agent}"),
        End::Told { prompt, .. } => format!("announce {prompt}"),
        End::Refused { status, .. } => format!("refuse {status}"),
        End::Message { mailbox, .. } => format!("message {mailbox}"),
        End::Callback { callback, .. } => format!("callback {callback}"),
        End::TooManyMenus => "menus without end".to_owned(),
        End::Code { agent: None, .. } => "refuse 403".to_owned(),
        End::Code { code, .. } => format!("code {}", code_name(*code)),
        End::Lot { first: slot, .. } | End::Slot { slot, .. } => format!("park {slot}"),
        End::Nothing => "nowhere".to_owned(),
    }
}

/// As the plan writes it.
fn code_name(code: FeatureCode) -> &'static str {
    FeatureCode::NAMES.iter().find(|(_, known)| *known == code).map_or("", |(name, _)| *name)
}

pub(super) fn hours(walk: &Walk) -> &'static str {
    let ad_hoc = walk.steps.iter().find_map(|step| match step {
        Step::AdHoc { to } => Some(*to),
        _ => None,
    });
    match ad_hoc {
        Some(AdHoc::Open) => return "open",
        Some(AdHoc::Closed) => return "ad_hoc",
        Some(AdHoc::Disaster) => return "disaster",
        None => {}
    }
    let why = walk.steps.iter().find_map(|step| match step {
        Step::Closed { why, .. } => Some(why),
        _ => None,
    });
    match why {
        None => "open",
        Some(ClosedWhy::Night) => "night",
        Some(ClosedWhy::Weekend) => "weekend",
        Some(ClosedWhy::Holiday(_)) => "holiday",
        Some(ClosedWhy::Closure(_)) => "closure",
        Some(ClosedWhy::AdHoc(_)) => "ad_hoc",
        Some(ClosedWhy::Disaster(_)) => "disaster",
    }
}
