//! What the page says of the calls that arrived today in the desk's zone, as the wallboard shows it: gauges that
//! begin anew at midnight. A ratio of no calls is NaN: "no calls" is not 0 %.

use super::page::{Page, number, seconds};
use crate::base::Wall;
use crate::view::{Outcome, Views};

pub(super) fn today(page: &mut Page, views: &Views, now: Wall) {
    let figures = views.day_tally(views.day_of(now)).figures(views.policy());
    page.gauge(
        "madoguchi_calls_today",
        "Decided calls at counted numbers that arrived today, by what they came to.",
        "outcome",
        Outcome::ALL.map(|it| (it.name(), number(figures.outcomes.get(it)))),
    );
    page.one(
        "madoguchi_calls_arrived_today",
        "Calls that arrived at counted numbers today, decided or not.",
        number(figures.arrived),
    );
    page.one(
        "madoguchi_calls_offered_today",
        "Of today's decided calls at counted numbers, those that had asked for an operator.",
        number(figures.offered),
    );
    page.one(
        "madoguchi_calls_abandon_ratio_today",
        "Abandon rate of today's calls, by the rules of the month's; NaN when there are none.",
        figures.abandon_rate.ratio.as_f64(),
    );
    page.one(
        "madoguchi_calls_busy_ratio_today",
        "Busy rate of today's calls, by the rules of the month's; NaN when there are none.",
        figures.busy_rate.ratio.as_f64(),
    );
    page.one(
        "madoguchi_calls_answered_within_target_ratio_today",
        "Of today's calls that had asked for an operator, the share answered within the target; NaN when there are none.",
        figures.answered_in_time.as_f64(),
    );
    page.one(
        "madoguchi_calls_average_wait_seconds_today",
        "Mean wait of today's answered calls, from asking for an operator to the answer; NaN when there are none.",
        figures.average_speed_of_answer_ms.map_or(f64::NAN, seconds),
    );
    page.one(
        "madoguchi_calls_longest_wait_seconds_today",
        "The longest wait of today's decided calls, answered or not.",
        seconds(figures.longest_wait_ms),
    );
}
