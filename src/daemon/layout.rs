//! The plan in the words of the views: which days the desk serves, its numbers with their lines and hours, its
//! groups, slots, boxes and reasons for a pause. Asked of a plan at the start and whenever one is read again.

use crate::base::{Number, Wall};
use crate::dialplan::{ClosedWhy, Hours, OpenState, Plan};
use crate::event::Closed;
use crate::view::{
    self, BoxLaid, DeskLine, GroupLaid, Layout, SlotLaid, TIMETABLE_DAYS, Timetable, Views,
};
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::sync::Arc;

/// All that the views are told of a plan, as it stands at `now`; made before the views are locked.
pub(super) struct Told {
    days: view::ServiceDays,
    layout: Layout,
}

impl Told {
    pub(super) fn of(plan: &Plan, now: Wall) -> Self {
        let month = view::Month::of(plan.local(now).date_naive());
        let days = view::ServiceDays::ask(month.earlier(1).first(), |day| plan.serves_on(day));
        Self { days, layout: layout(plan, now) }
    }

    pub(super) fn tell(self, views: &mut Views) {
        views.set_service_days(self.days);
        views.set_layout(self.layout);
    }
}

fn layout(plan: &Plan, now: Wall) -> Layout {
    let today = plan.local(now).date_naive();
    let timetables: BTreeMap<&str, Arc<Timetable>> = plan
        .hours
        .iter()
        .map(|(name, hours)| (&**name, Arc::new(timetable(plan, hours, today))))
        .collect();
    let numbers = plan.desk_numbers.iter().map(|(number, desk)| DeskLine {
        number: number.clone(),
        name: desk.name.clone(),
        line_limit: desk.line_limit,
        counted: desk.counted,
        hours: desk.hours.as_ref().and_then(|name| timetables.get(&**name).cloned()),
    });
    let groups = plan.groups.iter().map(|(id, group)| GroupLaid {
        group: id.clone(),
        name: group.name.clone(),
        number: group.number.clone(),
        agents: group.agents.clone(),
    });
    let slots = plan.lots.iter().flat_map(|lot| {
        let laid = |slot: &Number| SlotLaid { slot: slot.clone(), lot: lot.name.clone() };
        lot.slots.keys().map(laid)
    });
    let boxes = plan.mailboxes.iter().map(|(id, mailbox)| BoxLaid {
        mailbox: id.clone(),
        name: mailbox.name.clone(),
        phones: mailbox.phones.clone(),
    });
    Layout {
        numbers: numbers.collect(),
        groups: groups.collect(),
        pause_reasons: plan.pausing.reasons.clone(),
        wrap_up_more_ms: u64::try_from(plan.pausing.wrap_up_more.as_millis()).unwrap_or(u64::MAX),
        slots: slots.collect(),
        boxes: boxes.collect(),
    }
}

fn timetable(plan: &Plan, hours: &Hours, today: NaiveDate) -> Timetable {
    let changes = hours.changes(plan.timezone, today, TIMETABLE_DAYS).into_iter();
    let changes = changes.map(|(at, state)| (Wall(at.timestamp_millis()), why(state))).collect();
    let behind = today.iter_days().nth(TIMETABLE_DAYS).and_then(|day| plan.midnight(day));
    Timetable::new(changes, behind.unwrap_or(Wall(i64::MAX)))
}

fn why(state: OpenState) -> Option<Closed> {
    Some(match state {
        OpenState::Open => return None,
        OpenState::Closed(ClosedWhy::Night) => Closed::Night,
        OpenState::Closed(ClosedWhy::Weekend) => Closed::Weekend,
        OpenState::Closed(ClosedWhy::Holiday(name)) => Closed::Holiday { name: name.to_string() },
        OpenState::Closed(ClosedWhy::Closure(name)) => Closed::Closure { name: name.to_string() },
        OpenState::Closed(ClosedWhy::AdHoc(name)) => Closed::AdHoc { name: name.to_string() },
        OpenState::Closed(ClosedWhy::Disaster(name)) => Closed::Disaster { name: name.to_string() },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{Policy, Setup};
    use serde_json::json;

    const PLAN: &str = include_str!("../../dialplans/service-desk.toml");

    fn time(text: &str) -> Wall {
        let time = chrono::DateTime::parse_from_rfc3339(&format!("{text}:00+09:00"));
        Wall(time.expect("a time").timestamp_millis())
    }

    #[test]
    fn the_board_says_what_the_plan_says_until_its_hours_are_not_known_any_more() {
        let (plan, _) = crate::dialplan::load(PLAN, "service-desk.toml", None).expect("it ships");
        let mut views = Views::new(Setup {
            desk: plan.name.clone(),
            demonstration: false,
            timezone: plan.timezone,
            policy: Policy::default(),
            agents: vec![],
        });
        Told::of(&plan, time("2026-10-01T12:00")).tell(&mut views);
        let closed = |why: &str| json!({ "closed": why });
        let named = |why: &str, name: &str| json!({ "closed": why, "name": name });
        // (at, open, why, when it changes next)
        let table = [
            ("2026-10-01T12:00", json!(true), json!(null), Some("2026-10-01T18:15")),
            ("2026-10-01T18:15", json!(false), closed("night"), Some("2026-10-02T08:30")),
            // A weekend, and a holiday on the Monday behind it.
            ("2026-10-10T09:00", json!(false), closed("weekend"), Some("2026-10-13T08:30")),
            (
                "2026-10-12T09:00",
                json!(false),
                named("holiday", "スポーツの日"),
                Some("2026-10-13T08:30"),
            ),
            (
                "2026-12-30T09:00",
                json!(false),
                named("closure", "年末年始"),
                Some("2027-01-04T08:30"),
            ),
            ("2028-09-30T09:00", json!(false), closed("weekend"), None),
            ("2028-10-01T00:00", json!(null), json!(null), None),
        ];
        for (at, open, why, next) in table {
            let board = views.board(time(at), &|_| None);
            let board = serde_json::to_value(board).expect("plain values");
            let desk = board["numbers"]
                .as_array()
                .and_then(|rows| rows.iter().find(|row| row["number"] == "0312345678").cloned());
            let due = json!({
                "number": "0312345678", "name": "代表", "counted": true, "lines_in_use": 0, "line_limit": 30,
                "open": open, "why": why, "out_of_turn": false, "changes_at_ms": next.map(time),
            });
            assert_eq!(desk, Some(due), "{at}");
            assert_eq!(board["lines"], json!({ "in_use": 0, "limit": 42 }), "{at}");
            let always = board["numbers"][0]["open"].clone();
            assert_eq!(
                (board["numbers"][0]["number"].as_str(), always),
                (Some("0312345670"), json!(true))
            );
            assert_eq!(board["groups"][0]["agents"].as_array().map(Vec::len), Some(10));
        }
    }
}
