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

/// Whether a number stands behind a code.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Behind {
    Nothing,
    Perhaps,
    Always,
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
        | FeatureCode::Park
        | FeatureCode::CloseDesk
        | FeatureCode::CloseForDisaster
        | FeatureCode::OpenDesk
        | FeatureCode::UsualHours => Behind::Nothing,
        FeatureCode::Pickup => Behind::Perhaps,
        FeatureCode::Listen | FeatureCode::Whisper | FeatureCode::Barge | FeatureCode::Add => {
            Behind::Always
        }
    }
}

impl Reading<'_, '_> {
    /// `[codes]`: `"*11" = "sign_in"`, `"*90{extension}" = "listen"`.
    pub(crate) fn codes(&mut self, top: &mut Table, plan: &mut Plan) {
        let mut written: Vec<(At<String>, bool)> = Vec::new();
        for (key, item) in self.all(top, "codes") {
            let open = key.value.strip_suffix(EXTENSION);
            let code = open.unwrap_or(&key.value).to_owned();
            if !values::is_code(&code) {
                let found = key.value.clone();
                self.out.at(&key.span, Shape::BadNumber { found, rule: NumberRule::Code });
            }
            self.number(&key, What::Code);
            if let Some(does) = item.word(&FeatureCode::NAMES, self.out) {
                let due = behind(does);
                if due != Behind::Perhaps && (due == Behind::Always) != open.is_some() {
                    let wanted = due == Behind::Always;
                    self.out.at(&key.span, Problem::CodeBehind { code: code.clone(), wanted });
                }
                let codes = if open.is_some() { &mut plan.open_codes } else { &mut plan.codes };
                codes.insert(Number::from(code.clone()), does);
            }
            written.push((At { value: code, span: key.span.clone() }, open.is_some()));
        }
        self.ambiguous(&written);
    }

    /// What is dialled means one thing, whatever extension stands behind a code.
    fn ambiguous(&mut self, written: &[(At<String>, bool)]) {
        for (open, _) in written.iter().filter(|(_, open)| *open) {
            for (other, is_open) in written {
                let Some(rest) = other.value.strip_prefix(&open.value) else { continue };
                let more = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
                if more && (*is_open || values::is_number(rest)) {
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
