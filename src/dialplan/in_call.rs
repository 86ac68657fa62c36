//! Keys that an agent presses while talking, for phones without a key for transfers of their own.

use super::parse::Reading;
use super::plan::Plan;
use super::problem::Problem;
use super::reader::Table;
use super::shape::{NumberRule, Shape};
use super::values;

/// What an agent can do by keys while talking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InCall {
    /// Leaves the caller in a slot, and hears in which.
    Park,
    /// Passes the caller on to the number pressed next.
    Transfer,
    /// Asks whose number is pressed next, while the caller waits.
    Consult,
    /// Turns to the other of the caller and who is asked.
    Swap,
    /// Lets go who is asked and is with the caller again.
    Back,
    /// All three talk: the caller, who is asked, and the agent.
    Join,
}

impl InCall {
    /// As a plan writes each of them.
    pub const NAMES: [(&'static str, Self); 6] = [
        ("park", Self::Park),
        ("transfer", Self::Transfer),
        ("consult", Self::Consult),
        ("swap", Self::Swap),
        ("back", Self::Back),
        ("join", Self::Join),
    ];

    /// Whether a number follows.
    #[must_use]
    pub const fn wants_number(self) -> bool {
        matches!(self, Self::Transfer | Self::Consult)
    }
}

impl Reading<'_, '_> {
    /// `[in_call]`.
    pub(crate) fn in_call(&mut self, top: &mut Table, plan: &mut Plan) {
        let mut seen: Vec<(String, usize)> = Vec::new();
        for (key, item) in self.all(top, "in_call") {
            // A further star would begin anew.
            let plain =
                key.value.get(1..).is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
            if !values::is_code(&key.value) || !plain {
                let found = key.value.clone();
                self.out.at(&key.span, Shape::BadNumber { found, rule: NumberRule::Code });
                continue;
            }
            let clash = seen.iter().find(|(other, _)| {
                other.starts_with(&key.value) || key.value.starts_with(other.as_str())
            });
            if let Some((other, start)) = clash {
                let line = self.out.source().line_of(*start);
                let (code, other) = (key.value.clone(), other.clone());
                self.out.at(&key.span, Problem::CodesClash { code, other, line });
                continue;
            }
            seen.push((key.value.clone(), key.span.start));
            if let Some(wish) = item.word(&InCall::NAMES, self.out) {
                plan.in_call.insert(key.value, wish);
            }
        }
    }
}
