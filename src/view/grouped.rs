//! The counts of calls that are over, by the group that each asked for last: for counters that never fall. The
//! same calls with the same group as in the call list and in the operating figures by group; of any other span
//! those are asked.

use super::outcome::Decision;
use super::policy::Policy;
use super::service_level::Tally;
use crate::base::{GroupId, kept};
use std::collections::BTreeMap;

/// Groups that are counted by themselves; calls of a further one are in the counts of all calls only.
pub const GROUPS_COUNTED: usize = 1_000;

/// By group. Equal histories make equal counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Grouped {
    groups: BTreeMap<GroupId, Tally>,
}

kept!(struct Grouped { groups });

impl Grouped {
    /// A call at a counted number is over.
    pub(super) fn add(&mut self, group: &GroupId, decision: Decision, policy: &Policy) {
        if self.groups.len() >= GROUPS_COUNTED && !self.groups.contains_key(group) {
            return;
        }
        self.groups.entry(group.clone()).or_default().add(decision, policy);
    }

    /// Groups that had a call.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&GroupId, &Tally)> {
        self.groups.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Rule;

    #[test]
    fn a_group_too_many_is_not_told_apart_and_the_known_ones_go_on() {
        let mut grouped = Grouped::default();
        let decision = Decision { rule: Rule::ALL[0], wait_ms: Some(1_000) };
        for n in 0..=GROUPS_COUNTED {
            grouped.add(&format!("group-{n:04}").as_str().into(), decision, &Policy::default());
        }
        grouped.add(&"group-0000".into(), decision, &Policy::default());
        let counts: Vec<u64> = grouped.iter().map(|(_, tally)| tally.outcomes.sum()).collect();
        assert_eq!((counts.len(), counts[0], counts[1]), (GROUPS_COUNTED, 2, 1));
    }
}
