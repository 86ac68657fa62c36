//! Who called before: the last calls of each number, found by the number without looking at any other.

use super::call::Call;
use super::outcome::Outcome;
use super::rule::Rule;
use crate::base::{AgentId, CallId, GroupId, Number, Private, Wall, kept};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Calls of one number that are held; the oldest leaves first.
pub const EARLIER_OF_ONE: usize = 10;
/// Calls that are held in all (about 30 MB); the oldest leaves first.
pub const EARLIER_KEPT: usize = 100_000;

/// An earlier call of a number as shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EarlierRow {
    /// Which.
    pub call: CallId,
    /// Its arrival, by the wall clock.
    pub arrived_at_ms: Wall,
    /// What was dialled.
    pub number: Number,
    /// What it came to.
    pub outcome: Option<Outcome>,
    /// The group it asked for last.
    pub group: Option<GroupId>,
    /// Who answered it first.
    pub agent: Option<AgentId>,
}

#[derive(Clone, Debug, PartialEq)]
struct Held {
    caller: Private<String>,
    arrived_at: Wall,
    number: Number,
    rule: Option<Rule>,
    group: Option<GroupId>,
    agent: Option<AgentId>,
}

kept!(struct Held { caller, arrived_at, number, rule, group, agent });

/// The fold. Ids of calls grow with time, so the first held is the oldest.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Earlier {
    calls: BTreeMap<CallId, Held>,
    by_number: BTreeMap<Private<String>, Vec<CallId>>,
}

kept!(struct Earlier { calls, by_number });

impl Earlier {
    /// A call has ended.
    pub(super) fn end(&mut self, call: &Call) {
        let Some(caller) = call.known_caller() else { return };
        let held = Held {
            caller: caller.clone(),
            arrived_at: call.arrived_at,
            number: call.number.clone(),
            rule: call.progress.decision().map(|decision| decision.rule),
            group: call.group.clone(),
            agent: call.agent.clone(),
        };
        let of_one = self.by_number.entry(caller.clone()).or_default();
        of_one.push(call.id);
        if of_one.len() > EARLIER_OF_ONE {
            self.calls.remove(&of_one.remove(0));
        }
        self.calls.insert(call.id, held);
        if self.calls.len() > EARLIER_KEPT
            && let Some((gone, held)) = self.calls.pop_first()
        {
            self.forget(gone, &held.caller);
        }
    }

    fn forget(&mut self, call: CallId, caller: &Private<String>) {
        let Some(of_one) = self.by_number.get_mut(caller) else { return };
        of_one.retain(|known| *known != call);
        if of_one.is_empty() {
            self.by_number.remove(caller);
        }
    }

    /// Earlier calls of a number, the last to end first.
    pub(super) fn of(&self, caller: &Private<String>) -> Vec<EarlierRow> {
        let ids = self.by_number.get(caller).into_iter().flatten().rev();
        ids.filter_map(|id| {
            let held = self.calls.get(id)?;
            Some(EarlierRow {
                call: *id,
                arrived_at_ms: held.arrived_at,
                number: held.number.clone(),
                outcome: held.rule.map(Rule::outcome),
                group: held.group.clone(),
                agent: held.agent.clone(),
            })
        })
        .collect()
    }

    /// Nobody knows any more who made the calls that are due.
    pub(super) fn erase(&mut self, due: &dyn Fn(CallId, Wall) -> bool) {
        let due = |(id, held): &(&CallId, &Held)| due(**id, held.arrived_at);
        let gone: Vec<(CallId, Private<String>)> =
            self.calls.iter().filter(due).map(|(id, held)| (*id, held.caller.clone())).collect();
        for (id, caller) in gone {
            self.calls.remove(&id);
            self.forget(id, &caller);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Keep, Kept, TrunkId};
    use crate::event::CallerNumber;
    use crate::event::{CallEvent, Caller, Origin};

    fn call(id: u128, caller: &str) -> Call {
        let number = CallerNumber::Known(Private::new(caller.to_owned()));
        let event = CallEvent::Arrived {
            number: "0312345678".into(),
            caller: Caller { number, name: None, diverted_from: None },
            origin: Origin::Trunk(TrunkId::from("carrier")),
            counted: true,
        };
        let at = Wall(i64::try_from(id).expect("small"));
        Call::begin(CallId(uuid::Uuid::from_u128(id)), at, 0, &event).expect("an arrival")
    }

    fn ids(earlier: &Earlier, caller: &str) -> Vec<u128> {
        let rows = earlier.of(&Private::new(caller.to_owned()));
        rows.iter().map(|row| row.call.0.as_u128()).collect()
    }

    #[test]
    fn the_last_ten_of_a_number_are_found_and_no_other_s() {
        let mut earlier = Earlier::default();
        for id in 1..=12 {
            earlier.end(&call(id, "0398765432"));
        }
        earlier.end(&call(13, "0311112222"));
        assert_eq!(ids(&earlier, "0398765432"), (3..=12).rev().collect::<Vec<_>>());
        assert_eq!(ids(&earlier, "0311112222"), [13]);
        assert_eq!(ids(&earlier, "039876543"), [] as [u128; 0]);
        assert_eq!(earlier.calls.len(), 11);
        let mut bytes = Vec::new();
        earlier.keep(&mut bytes);
        assert_eq!(Earlier::found(&mut Kept::new(&bytes)).as_ref(), Some(&earlier));
        earlier.erase(&|id, at| at < Wall(10) && id.0.as_u128() != 4);
        assert_eq!(ids(&earlier, "0398765432"), [12, 11, 10, 4]);
        earlier.erase(&|_, at| at < Wall(100));
        assert_eq!(earlier, Earlier::default());
    }

    #[test]
    fn beyond_the_bound_the_oldest_of_all_leaves() {
        let mut earlier = Earlier::default();
        let count = u128::try_from(EARLIER_KEPT).expect("small") + 5;
        for id in 1..=count {
            earlier.end(&call(id, &format!("03{id:08}")));
        }
        assert_eq!((earlier.calls.len(), earlier.by_number.len()), (EARLIER_KEPT, EARLIER_KEPT));
        assert!(ids(&earlier, "0300000005").is_empty());
        assert_eq!(ids(&earlier, "0300000006"), [6]);
    }
}
