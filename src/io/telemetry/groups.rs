//! What the page says by group and by desk number: both closed lists of the plan, each there from the beginning
//! at 0. Groups that the plan has no more keep what their calls came to, since a counter never falls.

use super::Age;
use super::page::{Page, number, seconds};
use crate::base::GroupId;
use crate::view::{Gauges, Outcome, Tally, Views};
use std::collections::BTreeMap;

/// Calls by group.
pub(super) fn groups(page: &mut Page, views: &Views, gauges: &Gauges, age_ms: Age<'_>) {
    let none = Tally::default();
    let mut all: BTreeMap<&GroupId, &Tally> =
        gauges.groups.iter().map(|it| (&it.group, &none)).collect();
    all.extend(views.grouped());
    page.counter(
        "madoguchi_group_calls_total",
        "Calls at counted numbers that are over, by the group that each asked for last and by what they came to.",
        &["group", "outcome"],
        all.iter().flat_map(|(group, tally)| {
            let of = |outcome: Outcome| tally.outcomes.get(outcome);
            Outcome::ALL.map(|it| (vec![group.as_str(), it.name()], of(it)))
        }),
    );
    page.counter(
        "madoguchi_group_calls_answered_within_target_total",
        "Of these, those that had asked for an operator and were answered within the target.",
        &["group"],
        all.iter().map(|(group, tally)| (vec![group.as_str()], tally.in_time)),
    );
    page.counter_seconds(
        "madoguchi_group_calls_answer_wait_seconds_total",
        "Of these, the waits of the answered ones together, from asking for an operator to the answer.",
        &["group"],
        all.iter().map(|(group, tally)| (vec![group.as_str()], tally.answer_wait_ms)),
    );
    let waiting = views.waiting_by_group(age_ms);
    let mut now: BTreeMap<&GroupId, (u64, u64)> =
        gauges.groups.iter().map(|it| (&it.group, (0, 0))).collect();
    now.extend(waiting);
    page.gauge(
        "madoguchi_group_calls_waiting",
        "Calls that asked for an operator of the group and have none yet.",
        "group",
        now.iter().map(|(group, (count, _))| (group.as_str(), number(*count))),
    );
    page.gauge(
        "madoguchi_group_calls_longest_wait_seconds",
        "The longest wait of a call that waits for the group now; 0 when none does.",
        "group",
        now.iter().map(|(group, (_, longest_ms))| (group.as_str(), seconds(*longest_ms))),
    );
    page.gauge(
        "madoguchi_group_agents_free",
        "Agents of the group whose phones could be rung now; an agent of several groups is in each.",
        "group",
        gauges.groups.iter().map(|it| (it.group.as_str(), number(it.free_agents))),
    );
}

/// Lines by desk number.
pub(super) fn desk_numbers(page: &mut Page, gauges: &Gauges) {
    let labels = ["number", "name"];
    page.gauges(
        "madoguchi_desk_number_lines_in_use",
        "Calls that are up on a desk number of the plan.",
        &labels,
        gauges
            .desk_numbers
            .iter()
            .map(|it| (vec![it.number.as_str(), it.name.as_str()], number(it.in_use))),
    );
    page.gauges(
        "madoguchi_desk_number_lines_limit",
        "As many calls may be up on it at once; a further one is refused and counts as blocked.",
        &labels,
        gauges
            .desk_numbers
            .iter()
            .map(|it| (vec![it.number.as_str(), it.name.as_str()], number(it.lines))),
    );
}
