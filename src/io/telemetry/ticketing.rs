//! What the metrics say of ticket systems.

use super::page::{Page, number};
use crate::base::Wall;
use crate::view::{FeedStatus, Gauges, TargetGauge, TargetState, Views};

pub(super) fn targets(page: &mut Page, views: &Views, gauges: &Gauges, now: Wall) {
    let statuses = views.feed_statuses();
    let of = |read: fn(&FeedStatus) -> u64| {
        let each = statuses.iter().map(move |it| (it.target.as_str(), number(read(it))));
        each.collect::<Vec<_>>()
    };
    let counted = |read: fn(&FeedStatus) -> u64| {
        let each = statuses.iter().map(move |it| (vec![it.target.as_str()], read(it)));
        each.collect::<Vec<_>>()
    };
    page.gauge(
        "madoguchi_tickets_waiting",
        "Calls of which a ticket system has not got everything.",
        "target",
        of(|it| it.waiting),
    );
    page.gauge(
        "madoguchi_tickets_stuck",
        "Of those the calls that wait for a person.",
        "target",
        of(|it| it.stuck),
    );
    let age = |it: &FeedStatus| {
        let ms = it.oldest_at_ms.map_or(0, |at| now.0.saturating_sub(at.0).max(0));
        u64::try_from(ms).map_or(0.0, number) / 1_000.0
    };
    page.gauge(
        "madoguchi_tickets_oldest_seconds",
        "For how long the oldest thing waits that a ticket system is due; 0 when nothing is.",
        "target",
        statuses.iter().map(|it| (it.target.as_str(), age(it))),
    );
    page.counter(
        "madoguchi_tickets_opened_total",
        "Tickets that a ticket system was given since it was first configured.",
        &["target"],
        counted(|it| it.opened),
    );
    page.counter(
        "madoguchi_tickets_found_total",
        "Of those the ones that were there already, by a try whose answer never came.",
        &["target"],
        counted(|it| it.found),
    );
    page.counter(
        "madoguchi_tickets_added_total",
        "What was added to tickets since the ticket system was first configured.",
        &["target"],
        counted(|it| it.added),
    );
    page.counter(
        "madoguchi_tickets_given_up_total",
        "Steps that were given up until a person looks.",
        &["target"],
        counted(|it| it.given_up),
    );
    page.counter(
        "madoguchi_tickets_left_over_total",
        "Steps that found no room in the outbox.",
        &["target"],
        counted(|it| it.left_over),
    );
    let states = gauges.targets.iter().flat_map(|it| {
        TargetState::ALL.map(|state| {
            let is = if it.state == state { 1.0 } else { 0.0 };
            (vec![it.target.as_str(), state.name()], is)
        })
    });
    page.gauges(
        "madoguchi_tickets_state",
        "1 for the state that a ticket system is in: open, away (nobody answers), barred (a person must mend it).",
        &["target", "state"],
        states,
    );
    let failed = gauges.targets.iter().flat_map(|it| {
        TargetGauge::REASONS.map(|reason| {
            let count = it.failed.iter().find(|(known, _)| *known == reason);
            (vec![it.target.as_str(), reason], count.map_or(0, |(_, count)| *count))
        })
    });
    page.counter(
        "madoguchi_tickets_tries_failed_total",
        "Tries to hand something to a ticket system that failed since the start, by the reason.",
        &["target", "reason"],
        failed,
    );
}
