//! `[codes]`: what an agent dials on the own phone, alone or with an extension behind it; and `[supervisors]`,
//! who may listen to others by some of them.

use super::parse::{MOST_AGENTS, Reading};
use super::plan::{FeatureCode, Plan, Supervisors};
use super::problem::{Problem, What};
use super::reader::{At, Table};
use super::shape::{NumberRule, Shape};
use super::values;
use crate::base::{AgentId, Number};

/// What stands behind a code in the plan that takes an extension.
const EXTENSION: &str = "{extension}";
/// The same for a code that takes a desk number.
const NUMBER: &str = "{number}";

/// Whether a number stands behind a code.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Behind {
    Nothing,
    Perhaps,
    Always,
}

/// What is dialled behind a code as it is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Extension,
    Number,
}

const fn is_about_hours(code: FeatureCode) -> bool {
    matches!(
        code,
        FeatureCode::CloseDesk
            | FeatureCode::CloseForDisaster
            | FeatureCode::OpenDesk
            | FeatureCode::UsualHours
    )
}

const fn behind(code: FeatureCode) -> Behind {
    match code {
        FeatureCode::SignIn
        | FeatureCode::SignOut
        | FeatureCode::Pause
        | FeatureCode::PauseFor(_)
        | FeatureCode::WrapUpLonger
        | FeatureCode::WrapUpEnd
        | FeatureCode::Unpause
        | FeatureCode::RecordStart
        | FeatureCode::RecordStop
        | FeatureCode::RecordPause
        | FeatureCode::RecordResume
        | FeatureCode::Park => Behind::Nothing,
        FeatureCode::Pickup
        | FeatureCode::CloseDesk
        | FeatureCode::CloseForDisaster
        | FeatureCode::OpenDesk
        | FeatureCode::UsualHours => Behind::Perhaps,
        FeatureCode::Listen | FeatureCode::Whisper | FeatureCode::Barge | FeatureCode::Add => {
            Behind::Always
        }
    }
}

impl Reading<'_, '_> {
    /// `[codes]`: `"*11" = "sign_in"`, `"*90{extension}" = "listen"`.
    pub(crate) fn codes(&mut self, top: &mut Table, plan: &mut Plan) {
        let mut written: Vec<(At<String>, Takes)> = Vec::new();
        for (key, item) in self.all(top, "codes") {
            let does = item.word(&FeatureCode::NAMES, self.out);
            let takes_number = does.is_none_or(is_about_hours);
            let of_number = key.value.strip_suffix(NUMBER).filter(|_| takes_number);
            let open = key.value.strip_suffix(EXTENSION).or(of_number);
            let code = open.unwrap_or(&key.value).to_owned();
            if !values::is_code(&code) {
                let found = key.value.clone();
                self.out.at(&key.span, Shape::BadNumber { found, rule: NumberRule::Code });
            }
            self.number(&key, What::Code);
            if let Some(does) = does {
                let due = behind(does);
                if due != Behind::Perhaps && (due == Behind::Always) != open.is_some() {
                    let wanted = due == Behind::Always;
                    self.out.at(&key.span, Problem::CodeBehind { code: code.clone(), wanted });
                }
                if open.is_some() && is_about_hours(does) && of_number.is_none() {
                    let found = key.value.clone();
                    self.out.at(&key.span, Problem::CodePlace { found });
                }
                let codes = if open.is_some() { &mut plan.open_codes } else { &mut plan.codes };
                codes.insert(Number::from(code.clone()), does);
            }
            let takes = match (open, of_number) {
                (None, _) => Takes::Nothing,
                (Some(_), None) => Takes::Extension,
                (Some(_), Some(_)) => Takes::Number,
            };
            written.push((At { value: code, span: key.span.clone() }, takes));
        }
        self.ambiguous(&written);
    }

    /// What is dialled means one thing, whatever extension stands behind a code.
    fn ambiguous(&mut self, written: &[(At<String>, Takes)]) {
        for (open, takes) in written.iter().filter(|(_, takes)| *takes != Takes::Nothing) {
            for (other, others) in written {
                let Some(rest) = other.value.strip_prefix(&open.value) else { continue };
                let more = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
                // A desk number can be dialled by one digit, an extension has two at least.
                let whole = *takes == Takes::Number || values::is_number(rest);
                if more && (*others != Takes::Nothing || whole) {
                    let (open, code) = (open.value.clone(), other.value.clone());
                    self.out.at(&other.span, Problem::CodeAmbiguous { code, open });
                }
            }
        }
    }

    /// `[supervisors]`.
    pub(crate) fn supervisors(&mut self, top: &mut Table) -> Supervisors {
        let Some(mut table) = top.table("supervisors", self.out) else {
            return Supervisors::default();
        };
        let mut agents = Vec::new();
        if let Some(item) = table.need("agents", "agents = [\"2010\"]", self.out) {
            for entry in item.one_or_list() {
                let Some(text) = entry.raw(self.out) else { continue };
                let room = MOST_AGENTS.saturating_sub(agents.len());
                let list = self.range(&text, room, MOST_AGENTS);
                let list: Vec<AgentId> = list.into_iter().map(AgentId::from).collect();
                agents.extend(list.iter().cloned());
                self.marks.supervisors.push(At { value: list, span: text.span });
            }
        }
        let announcement = table.get("announcement").and_then(|item| self.prompt_in(&item));
        table.finish(self.out);
        Supervisors { agents: agents.into_iter().collect(), announcement }
    }
}
