//! What pages must know of the plan that no history tells: numbers with their lines and hours, groups with
//! their members, slots, boxes, reasons for a pause. Data, because the plan is not this room's; whether a number is open follows from it and from
//! what was closed or opened out of turn.

use super::hours::AdHocRow;
use crate::base::{AdHoc, AgentId, BoxId, GroupId, Number, Wall};
use crate::event::Closed;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

/// Days from the last start or reload for which the plan's hours are known: two years.
pub const TIMETABLE_DAYS: usize = 731;

/// The plan's part in what pages show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Desk numbers, in the plan's order.
    pub numbers: Vec<DeskLine>,
    /// Groups, in the plan's order.
    pub groups: Vec<GroupLaid>,
    /// For what an agent may pause; none: anything.
    pub pause_reasons: Vec<String>,
    /// By how much an order makes after-call work longer, milliseconds.
    pub wrap_up_more_ms: u64,
    /// Slots of all parking lots, in order.
    pub slots: Vec<SlotLaid>,
    /// Boxes for voice messages.
    pub boxes: Vec<BoxLaid>,
}

/// A desk number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskLine {
    /// As dialled.
    pub number: Number,
    /// For people.
    pub name: String,
    /// Most calls at once.
    pub line_limit: u32,
    /// Whether its calls enter the contract's figures.
    pub counted: bool,
    /// When it is open by the plan; none: always.
    pub hours: Option<Arc<Timetable>>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GroupLaid {
    /// Which.
    pub group: GroupId,
    /// For people.
    pub name: String,
    /// Its own extension number.
    pub number: Option<Number>,
    /// Its members.
    #[serde(skip)]
    pub agents: Vec<AgentId>,
}

/// A slot of a parking lot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotLaid {
    /// Its number.
    pub slot: Number,
    /// The lot's name for people.
    pub lot: String,
}

/// A box for voice messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoxLaid {
    /// Which.
    pub mailbox: BoxId,
    /// For people.
    pub name: String,
    /// Whose lamps show it; none: it is everybody's.
    pub phones: Vec<Number>,
}

/// From when on a number is open, or why it is closed; each holds until the next, in order of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timetable {
    changes: Vec<(Wall, Option<Closed>)>,
    /// Nothing is known from then on.
    until: Wall,
}

impl Timetable {
    /// `changes` in order of time; nothing is known before the first, and from `until` on.
    #[must_use]
    pub fn new(changes: Vec<(Wall, Option<Closed>)>, until: Wall) -> Self {
        Self { changes, until }
    }

    /// What holds at a moment: `Some(None)` is open. None when it is not known.
    fn at(&self, at: Wall) -> Option<Option<&Closed>> {
        let behind = self.changes.partition_point(|(from, _)| *from <= at);
        let (_, why) = self.changes.get(behind.checked_sub(1)?)?;
        (at < self.until).then_some(why.as_ref())
    }

    fn after(&self, at: Wall) -> impl Iterator<Item = Wall> {
        let behind = self.changes.partition_point(|(from, _)| *from <= at);
        self.changes.iter().skip(behind).map(|(from, _)| *from)
    }
}

/// Whether a number is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Service {
    /// None: the plan's hours are not known so far ahead of the last start or reload.
    pub open: Option<bool>,
    /// Why it is closed.
    pub why: Option<Closed>,
    /// Whether a person closed or opened it out of turn.
    pub out_of_turn: bool,
    /// When it opens or closes next; none when that is not in sight.
    pub changes_at_ms: Option<Wall>,
}

/// A desk number as shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NumberRow {
    /// As dialled.
    pub number: Number,
    /// For people.
    pub name: String,
    /// Whether its calls enter the contract's figures.
    pub counted: bool,
    /// Its calls that have no end.
    pub lines_in_use: u64,
    /// Most calls at once.
    pub line_limit: u32,
    /// Whether it is served now.
    #[serde(flatten)]
    pub service: Service,
}

impl BoxLaid {
    pub(super) fn is_of(&self, agent: &AgentId) -> bool {
        self.phones.is_empty() || self.phones.iter().any(|phone| phone.as_str() == agent.as_str())
    }
}

impl DeskLine {
    /// Whether it is served at a moment, `ad_hoc` being all that holds or will hold out of turn.
    pub(super) fn service(&self, now: Wall, ad_hoc: &[AdHocRow]) -> Service {
        let holds = |at: Wall| {
            let of = |number: Option<&Number>| {
                ad_hoc.iter().find(|row| row.number.as_ref() == number && at < row.until_ms)
            };
            of(Some(&self.number)).or_else(|| of(None))
        };
        let by_plan = |at: Wall| match &self.hours {
            None => Some(None),
            Some(hours) => hours.at(at),
        };
        let is_open = |at: Wall| match holds(at) {
            Some(row) => Some(row.to == AdHoc::Open),
            None => by_plan(at).map(|why| why.is_none()),
        };
        let (open, ordered) = (is_open(now), holds(now));
        let why = match ordered {
            Some(row) => closed(row),
            None => by_plan(now).flatten().cloned(),
        };
        // A person's word ends at its end; the plan's at one of its changes.
        let mut ends: Vec<Wall> = ad_hoc.iter().map(|row| row.until_ms).collect();
        ends.sort_unstable();
        let changed = |at: &Wall| is_open(*at) != open;
        let by_order = ends.into_iter().filter(|at| now < *at).find(changed);
        let by_hours = self.hours.as_ref().and_then(|hours| hours.after(now).find(changed));
        let next = [by_order, by_hours].into_iter().flatten().min();
        Service { open, why, out_of_turn: ordered.is_some(), changes_at_ms: next }
    }
}

/// Why a number is closed that a person closed.
fn closed(row: &AdHocRow) -> Option<Closed> {
    let name = row.reason.clone();
    match row.to {
        AdHoc::Open => None,
        AdHoc::Closed => Some(Closed::AdHoc { name }),
        AdHoc::Disaster => Some(Closed::Disaster { name }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Means;

    fn line(hours: Option<Timetable>) -> DeskLine {
        DeskLine {
            number: "0312345678".into(),
            name: "代表".into(),
            line_limit: 2,
            counted: true,
            hours: hours.map(Arc::new),
        }
    }

    fn ordered(number: Option<&str>, to: AdHoc, until: i64) -> AdHocRow {
        AdHocRow {
            number: number.map(Into::into),
            to,
            reason: "停電".into(),
            author: "佐藤".into(),
            by: Means::Api,
            since_ms: Wall(0),
            until_ms: Wall(until),
        }
    }

    /// Open from 10 to 20 and from 30 to 40, a weekend between.
    fn week() -> Timetable {
        let night = || Some(Closed::Night);
        let changes = vec![
            (Wall(0), night()),
            (Wall(10), None),
            (Wall(20), night()),
            (Wall(25), Some(Closed::Weekend)),
            (Wall(30), None),
            (Wall(40), night()),
        ];
        Timetable::new(changes, Wall(50))
    }

    #[test]
    fn a_number_is_open_by_its_hours_unless_a_person_said_otherwise() {
        use AdHoc::{Closed as Shut, Disaster, Open};
        let own = Some("0312345678");
        let named = |disaster: bool| {
            let name = "停電".to_owned();
            if disaster { Closed::Disaster { name } } else { Closed::AdHoc { name } }
        };
        // (case, at, what holds out of turn, open, why, out of turn, next change)
        let table = [
            ("open", 12, vec![], Some(true), None, false, Some(20)),
            ("its end is not in it", 20, vec![], Some(false), Some(Closed::Night), false, Some(30)),
            ("a weekend", 26, vec![], Some(false), Some(Closed::Weekend), false, Some(30)),
            ("nothing more is known", 45, vec![], Some(false), Some(Closed::Night), false, None),
            ("nor there", 50, vec![], None, None, false, None),
            (
                "shut",
                12,
                vec![ordered(None, Shut, 15)],
                Some(false),
                Some(named(false)),
                true,
                Some(15),
            ),
            // When that ends it is night.
            (
                "shut over night",
                12,
                vec![ordered(own, Disaster, 22)],
                Some(false),
                Some(named(true)),
                true,
                Some(30),
            ),
            (
                "its own word goes first",
                22,
                vec![ordered(None, Shut, 35), ordered(own, Open, 24)],
                Some(true),
                None,
                true,
                Some(24),
            ),
            (
                "of another number",
                12,
                vec![ordered(Some("0399999999"), Shut, 15)],
                Some(true),
                None,
                false,
                Some(20),
            ),
            (
                "open into its hours",
                26,
                vec![ordered(None, Open, 32)],
                Some(true),
                None,
                true,
                Some(40),
            ),
            (
                "a word that is over",
                12,
                vec![ordered(None, Shut, 12)],
                Some(true),
                None,
                false,
                Some(20),
            ),
        ];
        for (case, at, ad_hoc, open, why, out_of_turn, next) in table {
            let due = Service { open, why, out_of_turn, changes_at_ms: next.map(Wall) };
            assert_eq!(line(Some(week())).service(Wall(at), &ad_hoc), due, "{case}");
        }
        let always = line(None).service(Wall(0), &[]);
        assert_eq!((always.open, always.changes_at_ms), (Some(true), None));
        let shut = line(None).service(Wall(0), &[ordered(None, Shut, 7)]);
        assert_eq!((shut.open, shut.changes_at_ms), (Some(false), Some(Wall(7))));
    }
}
