//! What the auto attendant can do besides telling a menu: ask for a number, branch by hours, speak another
//! language. Plain values; how they are written is `parse_attendant`'s business.

use super::plan::{Plan, Target};
use super::{ClosedWhy, OpenState};
use crate::base::{AdHoc, GroupId, Language, Number, PromptId, Wall};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Asks for a number such as a staff number (番号入力).
#[derive(Clone, Debug)]
pub struct Entry {
    /// What is told; a key stops it at once.
    pub prompt: PromptId,
    /// Digits that it has at least and at most, 1 to 32.
    pub digits: (u32, u32),
    /// Whether the digits are read back, to be confirmed with 1 or taken back with 2.
    pub confirm: bool,
    /// How long the first key is awaited after the prompt.
    pub timeout: Duration,
    /// How long the next key is awaited after each.
    pub key_timeout: Duration,
    /// How often it is asked in all before `otherwise`.
    pub tries: u32,
    /// Told after too few digits or none.
    pub wrong: PromptId,
    /// Where the call goes with a number.
    pub then: Target,
    /// Where it goes without one.
    pub otherwise: Target,
}

/// A box for voice messages (伝言).
#[derive(Clone, Debug)]
pub struct Mailbox {
    /// For people.
    pub name: String,
    /// Told before the beep; a key goes straight to it.
    pub announcement: PromptId,
    /// Told after a message.
    pub thanks: PromptId,
    /// Told when there is none, because too little was said.
    pub too_short: PromptId,
    /// Told when there is no room for one.
    pub full: PromptId,
    /// A message ends after this.
    pub longest: Duration,
    /// Less of speech is no message.
    pub shortest: Duration,
    /// A message ends when so long nothing was said.
    pub silence: Duration,
    /// Messages that it holds; one more caller is told `full`.
    pub most: u32,
    /// Phones whose lamps show it.
    pub phones: Vec<Number>,
}

/// A way to be called back (折り返し).
#[derive(Clone, Debug)]
pub struct Callback {
    /// Whose agents call.
    pub group: GroupId,
    /// Told first: 1 for the number that the call came from, 2 for another.
    pub offer: PromptId,
    /// Asks for another number.
    pub enter: PromptId,
    /// Told when the wish is kept.
    pub done: PromptId,
    /// Told when it cannot be kept.
    pub refused: PromptId,
    /// Told to the agent before the caller is called.
    pub agent: PromptId,
    /// Whether another number can be entered.
    pub other_number: bool,
    /// How long the first key is awaited.
    pub timeout: Duration,
    /// How long each further one is.
    pub key_timeout: Duration,
    /// How often the caller is called in all.
    pub tries: u32,
    /// How long is waited between two calls.
    pub every: Duration,
    /// A wish is dropped when it was not its turn for so long.
    pub within: Duration,
    /// Wishes that wait at once; one more is told `refused`.
    pub most: u32,
}

/// Questions that a caller is asked after a call (満足度調査).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// What is asked, one to ten; each is answered by a key from 1 (満足) to 5 (不満).
    pub questions: Vec<PromptId>,
    /// Told before a question is asked again.
    pub wrong: PromptId,
    /// Told at the end.
    pub thanks: PromptId,
    /// How long a key is awaited after the question.
    pub timeout: Duration,
    /// How often a question is asked in all before the caller is let go.
    pub tries: u32,
}

/// A way that depends on the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Which hours.
    pub hours: Arc<str>,
    /// Where a call goes inside of them.
    pub open: Target,
    /// Where it goes outside.
    pub closed: Target,
}

/// A way on which the caller hears another language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Speak {
    /// Which.
    pub language: Language,
    /// Where the call goes.
    pub then: Target,
}

/// Extensions and groups' numbers that can be dialled in a menu.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dial {
    /// Which; none: only keys are taken.
    pub numbers: BTreeSet<Number>,
    /// How long the next digit is awaited after each.
    pub key_timeout: Duration,
}

/// What digits pressed in a menu mean so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dialled {
    /// A longer number may follow.
    More,
    /// This number, and no longer one begins so.
    Number(Number),
    /// No number begins so.
    Nothing,
}

impl Dial {
    /// What `digits` mean while more may come.
    #[must_use]
    pub fn look(&self, digits: &str) -> Dialled {
        let mut from = self.numbers.range(Number::from(digits)..);
        let exact = from.next().filter(|number| number.as_str().starts_with(digits));
        match exact {
            None => Dialled::Nothing,
            Some(number) if number.as_str() != digits => Dialled::More,
            Some(number) => match from.next() {
                Some(longer) if longer.as_str().starts_with(digits) => Dialled::More,
                _ => Dialled::Number(number.clone()),
            },
        }
    }

    /// What `digits` mean when no more come.
    #[must_use]
    pub fn exact(&self, digits: &str) -> Option<Number> {
        self.numbers.get(&Number::from(digits)).cloned()
    }
}

impl Plan {
    /// Where a branch leads at `at`, and why not inside its hours. What holds out of turn for the number
    /// that was dialled goes before them.
    #[must_use]
    pub fn branch<'b>(
        &self,
        branch: &'b Branch,
        at: Wall,
        ad_hoc: Option<(AdHoc, Arc<str>)>,
    ) -> (&'b Target, Option<ClosedWhy>) {
        let by_plan = || self.hours.get(&branch.hours).map(|hours| hours.state(self.local(at)));
        let state = ad_hoc.map(|(to, why)| OpenState::out_of_turn(to, why)).or_else(by_plan);
        match state {
            Some(OpenState::Closed(why)) => (&branch.closed, Some(why)),
            Some(OpenState::Open) | None => (&branch.open, None),
        }
    }

    /// Where a number that can be dialled in a menu leads: an agent's phone or a group.
    #[must_use]
    pub fn dialled(&self, number: &Number) -> Target {
        let group = self.groups.iter().find(|(_, group)| group.number.as_ref() == Some(number));
        group.map_or_else(|| Target::Extension(number.clone()), |(id, _)| Target::Group(id.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_number_is_awaited_and_no_longer() {
        let numbers = ["2001", "2002", "20015", "70"].map(Number::from).into();
        let dial = Dial { numbers, key_timeout: Duration::from_secs(2) };
        let table = [
            ("2", Dialled::More),
            ("200", Dialled::More),
            ("2001", Dialled::More),
            ("2002", Dialled::Number("2002".into())),
            ("20015", Dialled::Number("20015".into())),
            ("70", Dialled::Number("70".into())),
            ("1", Dialled::Nothing),
            ("2003", Dialled::Nothing),
            ("200155", Dialled::Nothing),
        ];
        for (digits, want) in table {
            assert_eq!(dial.look(digits), want, "{digits}");
        }
        assert_eq!(dial.exact("2001"), Some("2001".into()));
        assert_eq!(dial.exact("200"), None);
    }
}
