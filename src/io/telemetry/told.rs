//! What the metrics say of warnings that people outside are told.

use super::page::{Page, number};
use crate::event::{ToldBy, WarnedRate, Warning};
use crate::view::{Gauges, Views};

pub(super) fn told(page: &mut Page, views: &Views, gauges: &Gauges) {
    let turns = views.turns();
    let pairs = WarnedRate::ALL.into_iter().flat_map(|rate| Warning::ALL.map(|to| (rate, to)));
    page.counter(
        "madoguchi_warning_turns_total",
        "Early warnings that turned and were to be told, by the rate and what it turned to.",
        &["rate", "to"],
        pairs.map(|(rate, to)| (vec![rate.name(), to.name()], turns.turned(rate, to))),
    );
    page.counter(
        "madoguchi_warning_told_total",
        "Turns that were told.",
        &["by"],
        ToldBy::ALL.map(|by| (vec![by.name()], turns.told(by).0)),
    );
    page.counter(
        "madoguchi_warning_given_up_total",
        "Turns that are told no more, because nobody took them in time or the receiver refused them.",
        &["by"],
        ToldBy::ALL.map(|by| (vec![by.name()], turns.told(by).1)),
    );
    let ways = || gauges.warning_ways.iter();
    page.gauge(
        "madoguchi_warning_waiting",
        "Turns that are still to be told, by the ways that are configured.",
        "by",
        ways().map(|(by, _)| {
            let waiting = turns.untold(*by).count();
            (by.name(), number(u64::try_from(waiting).unwrap_or(u64::MAX)))
        }),
    );
    page.counter(
        "madoguchi_warning_tries_failed_total",
        "Tries to tell a turn that failed since the start, by the ways that are configured.",
        &["by"],
        ways().map(|(by, failed)| (vec![by.name()], *failed)),
    );
}
