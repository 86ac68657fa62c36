//! Parking lots (パーク保留) as a plan writes them: a lot's number, its slots, and what follows when nobody
//! fetches a caller.

use super::parse::{From, LONGEST_RING, Reading};
use super::parse_way;
use super::plan::Target;
use super::problem::{Problem, What};
use super::reader::{At, Item, Table};
use super::shape::{NumberRule, Shape, TextRule};
use super::values;
use crate::base::{Number, PromptId};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// Most slots of one lot.
pub const MOST_SLOTS: usize = 200;
/// How long a caller may be left in a slot before somebody is rung for it.
const RECALL_AFTER: RangeInclusive<Duration> =
    Duration::from_secs(5)..=Duration::from_secs(60 * 60);

/// A parking lot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lot {
    /// For people.
    pub name: String,
    /// The extension number that chooses a free slot, the lowest; none: a slot must be named.
    pub number: Option<Number>,
    /// The extension number of each slot, with what is said to whom parked a caller there.
    pub slots: BTreeMap<Number, PromptId>,
    /// How long a caller is left in a slot before it is called back.
    pub recall_after: Duration,
    /// How long the phone of whom parked it rings then.
    pub recall_ring: Duration,
    /// Who is called then.
    pub recall: Recall,
    /// What a parked caller hears.
    pub music: PromptId,
    /// Whether a phone that let go before it heard which slot was chosen is rung to be told.
    pub tells: bool,
    /// Played to a phone that dials a slot in which nobody is.
    pub empty: PromptId,
}

/// Who is called when nobody fetches a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recall {
    /// Whoever parked it; when that comes to nothing the call goes to `then`, or to the group.
    Parker {
        /// None: the group that the caller asked for, or else the first of whom parked it.
        then: Option<Target>,
    },
    /// That group at once.
    Group,
}

impl Reading<'_, '_> {
    /// `[parks.…]`.
    pub(crate) fn parks(&mut self, top: &mut Table) -> Vec<Arc<Lot>> {
        let parks = self.named(top, "parks");
        parks.iter().filter_map(|(name, item)| self.park(name, item).map(Arc::new)).collect()
    }

    fn park(&mut self, id: &At<String>, item: &Item) -> Option<Lot> {
        const RECALLS: [(&str, bool); 2] = [("parker", true), ("group", false)];
        let mut table = item.table(self.out)?;
        let name = table.name("name", self.out).unwrap_or_else(|| id.value.clone());
        let number = table.get("number").and_then(|item| item.raw(self.out)).and_then(|number| {
            self.dialled(&number, What::Park).then(|| Number::from(number.value))
        });
        let said = match table.get("said") {
            Some(item) => item.text(TextRule::Id, self.out).map(|said| said.value),
            None => Some("parked-at".to_owned()),
        };
        let slots = self.slots(&mut table, said.as_deref());
        let default = Duration::from_secs(90);
        let recall_after = table.duration("recall_after", RECALL_AFTER, default, self.out);
        let ring = Duration::from_secs(1)..=LONGEST_RING;
        let recall_ring = table.duration("ring", ring, Duration::from_secs(20), self.out);
        let parker = table.get("recall").and_then(|item| item.word(&RECALLS, self.out));
        let then = table.get("then");
        let recall = match (parker.unwrap_or(true), then) {
            (true, then) => Recall::Parker {
                then: then.and_then(|item| parse_way::target(self, &From::Desk, &item)),
            },
            (false, None) => Recall::Group,
            (false, Some(_)) => {
                let span = table.key_span("then");
                self.out.at(&span, Problem::ParkThenUnused);
                Recall::Group
            }
        };
        let music = self.prompt(&mut table, "music", "music");
        let tells = table.flag("tells", true, self.out);
        let empty = self.prompt(&mut table, "empty", "slot-empty");
        table.finish(self.out);
        Some(Lot { name, number, slots, recall_after, recall_ring, recall, music, tells, empty })
    }

    fn slots(&mut self, table: &mut Table, said: Option<&str>) -> BTreeMap<Number, PromptId> {
        let mut slots = BTreeMap::new();
        let Some(item) = table.need("slots", "slots = \"701-720\"", self.out) else { return slots };
        for item in item.one_or_list() {
            let Some(text) = item.raw(self.out) else { continue };
            let room = MOST_SLOTS.saturating_sub(slots.len());
            for slot in self.range(&text, room, MOST_SLOTS) {
                let slot = At { value: slot, span: text.span.clone() };
                self.number(&slot, What::Slot);
                let prompt = PromptId::from(format!("{}-{}", said.unwrap_or_default(), slot.value));
                if said.is_some() {
                    self.marks.prompts.push(At { value: prompt.clone(), span: text.span.clone() });
                }
                slots.insert(Number::from(slot.value), prompt);
            }
        }
        slots
    }

    /// Notes a number of the plan. Whether it can be dialled.
    fn dialled(&mut self, number: &At<String>, what: What) -> bool {
        let good = values::is_number(&number.value);
        if good {
            self.number(number, what);
        } else {
            let found = number.value.clone();
            self.out.at(&number.span, Shape::BadNumber { found, rule: NumberRule::Digits });
        }
        good
    }
}
