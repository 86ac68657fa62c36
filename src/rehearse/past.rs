//! Calls of the history put to two plans: whose way changes. What a caller did is taken from what was
//! written; what the history does not keep (how long a key was held back) is taken as it must have been
//! under the old plan.

use super::judge::{hours, leads};
use crate::base::{AdHoc, CallId, Number, Wall};
use crate::dialplan::{
    Asker, Dialled, End, Onward, OverflowWhen, Plan, Press, Question, Step, Walk, walk,
};
use crate::event::{CallEvent, CallerNumber, Closed, Entry, Fact, Origin};
use std::collections::BTreeMap;
use std::time::Duration;

/// Calls whose change is listed; all are counted.
pub const MOST_LISTED: usize = 1000;

/// Two plans and what the calls of a history do under each.
pub struct Comparison<'p> {
    old: &'p Plan,
    new: &'p Plan,
    /// Only calls that arrived from then on, and before then.
    span: (Wall, Wall),
    /// Calls that are not over yet as far as the history was read.
    open: BTreeMap<CallId, Past>,
    /// By the number dialled: calls, and those of them whose way changes.
    pub numbers: BTreeMap<Number, (u64, u64)>,
    /// At most [`MOST_LISTED`].
    pub changed: Vec<Changed>,
}

/// A call whose way changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Which.
    pub call: CallId,
    /// When it arrived.
    pub at: Wall,
    /// What was dialled.
    pub number: Number,
    /// Who called, for whoever asks for it.
    pub caller: CallerNumber,
    /// Its way under the old plan.
    pub was: String,
    /// Its way under the new one.
    pub is: String,
}

struct Past {
    question: Question,
    caller: CallerNumber,
    wait: Wait,
}

/// What the history knows of a call's wait for the operators of the group that it asked for first.
#[derive(Clone, Copy, Debug, Default)]
struct Wait {
    /// When it asked, milliseconds after arrival.
    asked_ms: Option<u64>,
    /// How long it waited; none while it does.
    ms: Option<u64>,
    /// So many waited there when it came.
    before: Option<u32>,
}

impl Wait {
    fn is_over(&mut self, t_ms: u64) {
        if let (Some(asked_ms), None) = (self.asked_ms, self.ms) {
            self.ms = Some(t_ms.saturating_sub(asked_ms));
        }
    }

    /// The number outside that the plan rings for it, if it waits as long, and finds as many before it.
    fn outside<'p>(&self, plan: &'p Plan, end: &End) -> Option<&'p Number> {
        let End::Group(way) = end else { return None };
        let group = plan.groups.get(&way.group)?;
        let waited = Duration::from_millis(self.ms.unwrap_or(0));
        let holds = |when| match when {
            OverflowWhen::Waiting(most) => self.before.is_some_and(|before| before >= most),
            OverflowWhen::Waited(span) => self.asked_ms.is_some() && waited >= span,
            // What was estimated is not in the history.
            OverflowWhen::Estimated(_) => false,
        };
        // Who is sent on elsewhere first waits here no more.
        let rule = group.overflow.iter().find(|rule| holds(rule.when))?;
        match &rule.to {
            Onward::Outside(number) => Some(number),
            Onward::Way(_) => None,
        }
    }
}

impl<'p> Comparison<'p> {
    /// Of calls that arrived at `span.0` or later and before `span.1`.
    #[must_use]
    pub fn new(old: &'p Plan, new: &'p Plan, span: (Wall, Wall)) -> Self {
        let (open, numbers, changed) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        Self { old, new, span, open, numbers, changed }
    }

    /// Takes the next entry of the history.
    pub fn apply(&mut self, entry: &Entry) {
        let Fact::Call { call, event, t_ms } = &entry.fact else { return };
        match event {
            CallEvent::Arrived { number, caller, origin, .. } => {
                if !(self.span.0..self.span.1).contains(&entry.at) {
                    return;
                }
                let from = match origin {
                    Origin::Trunk(trunk) => Asker::Outside(Some(trunk.clone())),
                    Origin::Extension(extension) => Asker::Extension(extension.clone()),
                };
                let (at, to, presses) = (entry.at, number.clone(), Vec::new());
                let question = Question { at, from, to, presses, ad_hoc: None };
                let (caller, wait) = (caller.number.clone(), Wait::default());
                self.open.insert(*call, Past { question, caller, wait });
            }
            CallEvent::Ended { .. } => {
                if let Some(mut past) = self.open.remove(call) {
                    past.wait.is_over(*t_ms);
                    self.judge(*call, past);
                }
            }
            event => {
                if let Some(past) = self.open.get_mut(call) {
                    past.did(event, self.old);
                    past.waits(event, *t_ms);
                }
            }
        }
    }

    /// The history is at its end: calls that are up are judged by what they did so far.
    pub fn finish(&mut self) {
        while let Some((call, past)) = self.open.pop_first() {
            self.judge(call, past);
        }
    }

    /// Whether any way changes.
    #[must_use]
    pub fn any(&self) -> bool {
        self.numbers.values().any(|(_, changed)| *changed > 0)
    }

    fn judge(&mut self, call: CallId, past: Past) {
        let Past { question, caller, wait } = past;
        let way = |plan: &Plan| {
            let walk = walk(plan, &question);
            let outside = wait.outside(plan, &walk.end);
            let outside = outside.map(|number| format!(" > outside {number}"));
            way(&walk) + &outside.unwrap_or_default()
        };
        let (was, is) = (way(self.old), way(self.new));
        let count = self.numbers.entry(question.to.clone()).or_default();
        count.0 += 1;
        if was == is {
            return;
        }
        count.1 += 1;
        if self.changed.len() < MOST_LISTED {
            let (at, number) = (question.at, question.to);
            self.changed.push(Changed { call, at, number, caller, was, is });
        }
    }
}

impl Past {
    /// How long the caller waited, and behind how many.
    fn waits(&mut self, event: &CallEvent, t_ms: u64) {
        match event {
            CallEvent::OperatorAsked { group: Some(_) } if self.wait.asked_ms.is_none() => {
                self.wait.asked_ms = Some(t_ms);
            }
            CallEvent::Queued { position, .. }
                if self.wait.before.is_none() && self.wait.ms.is_none() =>
            {
                self.wait.before = Some(position.saturating_sub(1));
            }
            CallEvent::OperatorAnswered { .. }
            | CallEvent::AwayAnswered
            | CallEvent::QueueKeyPressed { .. }
            | CallEvent::Overflowed { .. } => self.wait.is_over(t_ms),
            _ => {}
        }
    }

    /// What the caller did next, as presses.
    fn did(&mut self, event: &CallEvent, plan: &Plan) {
        let presses = &mut self.question.presses;
        match event {
            CallEvent::FoundClosed { why: Closed::AdHoc { .. } } => {
                self.question.ad_hoc = Some(AdHoc::Closed);
            }
            CallEvent::FoundClosed { why: Closed::Disaster { .. } } => {
                self.question.ad_hoc = Some(AdHoc::Disaster);
            }
            CallEvent::KeyPressed { menu, key } | CallEvent::KeyWrong { menu, key } => {
                presses.push(Press::Key(*key));
                // A key that also begins an extension was one because nothing followed.
                let menu = plan.menus.get(menu);
                if menu.is_some_and(|menu| menu.dial.look(&key.to_string()) == Dialled::More) {
                    presses.push(Press::Nothing);
                }
            }
            CallEvent::ExtensionDialled { menu, number } => {
                presses.extend(number.as_str().chars().map(Press::Key));
                let menu = plan.menus.get(menu);
                if menu.is_some_and(|menu| menu.dial.look(number.as_str()) == Dialled::More) {
                    presses.push(Press::Nothing);
                }
            }
            CallEvent::NumberEntered { entry, digits } => {
                let digits = digits.reveal();
                presses.extend(digits.chars().map(Press::Key));
                let Some(entry) = plan.entries.get(entry) else { return };
                if digits.len() < entry.digits.1 as usize {
                    presses.push(Press::Key('#'));
                }
                if entry.confirm {
                    presses.push(Press::Key('1'));
                }
            }
            CallEvent::MenuTimedOut { .. } | CallEvent::NumberRefused { .. } => {
                presses.push(Press::Nothing);
            }
            _ => {}
        }
    }
}

/// A way in words that do not depend on the language: hours, menus with their keys, the end, how it is
/// counted. Digits that a caller entered are not in it.
fn way(walk: &Walk) -> String {
    let mut parts = vec![hours(walk).to_owned()];
    for step in &walk.steps {
        match step {
            Step::Menu { menu, .. } => parts.push(format!("menu {menu}")),
            Step::Key { key, .. } | Step::WrongKey { key, .. } => parts.push(format!("[{key}]")),
            Step::NoKey { .. } => parts.push("[-]".to_owned()),
            Step::Dialled { number, .. } => parts.push(format!("[{number}]")),
            Step::Entry { entry, .. } => parts.push(format!("entry {entry}")),
            Step::Language { language } => parts.push(format!("language {}", language.name())),
            _ => {}
        }
    }
    parts.push(leads(&walk.end));
    if !walk.counted {
        parts.push("(not counted)".to_owned());
    }
    parts.join(" > ")
}
