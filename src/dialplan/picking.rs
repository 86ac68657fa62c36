//! How a group picks among its members: whose turn comes before whose, who knows what, and how a
//! caller's wish widens while it waits. Plain values; `pbx` acts on them.

use super::plan::Target;
use crate::base::{AgentId, Number, Private};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The priority of callers of whom the plan says nothing; 1 is served first, 9 last.
pub const PLAIN_PRIORITY: u8 = 5;
/// The last of the priorities and levels.
pub const MOST_LEVEL: u8 = 9;

/// How a group picks among its members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picking {
    /// Members of whom more is said than that they are members.
    pub shares: BTreeMap<AgentId, Share>,
    /// What its callers need.
    pub skills: Skills,
    /// How that widens, the earliest first; each level below the one before.
    pub widen: Vec<Widening>,
}

impl Picking {
    /// What is said of a member.
    #[must_use]
    pub fn share(&self, member: &AgentId) -> Share {
        self.shares.get(member).copied().unwrap_or_default()
    }
}

/// A member's part of a group's calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// 1 is rung first; a member of 2 only while none of 1 is free.
    pub priority: u8,
    /// With `weighted`: how many calls it gets beside another's.
    pub weight: u32,
}

impl Default for Share {
    fn default() -> Self {
        Self { priority: 1, weight: 1 }
    }
}

/// Skills with their levels, 1 to 9: what an agent has, or the least that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skills(pub BTreeMap<Arc<str>, u8>);

impl Skills {
    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Asks for the higher level of both.
    pub fn add(&mut self, other: &Self) {
        for (skill, level) in &other.0 {
            let held = self.0.entry(skill.clone()).or_default();
            *held = (*held).max(*level);
        }
    }

    /// Whether an agent who has these meets what is asked for, of which no level above `cap` counts.
    #[must_use]
    pub fn meet(&self, asked: &Self, cap: u8) -> bool {
        let has = |skill: &Arc<str>| self.0.get(skill).copied().unwrap_or_default();
        asked.0.iter().all(|(skill, level)| has(skill) >= (*level).min(cap))
    }
}

/// After a time of waiting a lower level suffices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widening {
    /// From asking for an operator.
    pub after: Duration,
    /// No higher level is asked for from then on; 0: anybody will do.
    pub level: u8,
}

/// Where a call goes that finds, or becomes, too long a wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overflow {
    /// When.
    pub when: OverflowWhen,
    /// Where to.
    pub to: Onward,
}

/// Where a call goes on whose wait is too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Onward {
    /// As everywhere.
    Way(Target),
    /// To a number outside, which is rung while the call waits on.
    Outside(Number),
}

/// What makes a wait too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverflowWhen {
    /// So many wait in the queue when the call comes.
    Waiting(u32),
    /// The call has waited so long in this group.
    Waited(Duration),
    /// It would wait longer than this, as far as can be told when it comes.
    Estimated(Duration),
}

/// Callers who are served before others, by their number as the history writes it.
pub type Preferred = BTreeMap<Private<String>, u8>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_meets_what_is_asked_or_what_is_left_of_it() {
        let skills = |list: &[(&str, u8)]| {
            Skills(list.iter().map(|(skill, level)| (Arc::from(*skill), *level)).collect())
        };
        let agent = skills(&[("printer", 2), ("english", 1)]);
        let table = [
            ("nothing is asked", skills(&[]), 9, true),
            ("as asked", skills(&[("printer", 2)]), 9, true),
            ("a higher level", skills(&[("printer", 3)]), 9, false),
            ("level 2 suffices now", skills(&[("printer", 3)]), 2, true),
            ("one of two", skills(&[("printer", 2), ("network", 1)]), 9, false),
            ("anybody will do", skills(&[("network", 9)]), 0, true),
        ];
        for (case, asked, cap, want) in table {
            assert_eq!(agent.meet(&asked, cap), want, "{case}");
        }
        let mut both = skills(&[("printer", 3)]);
        both.add(&skills(&[("printer", 1), ("english", 2)]));
        assert_eq!(both, skills(&[("printer", 3), ("english", 2)]));
    }
}
