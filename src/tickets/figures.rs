//! No. 1 to 4 of a month: which ticket is in which figure, with what, and which is left out, and why.

use super::calendar::Calendar;
use super::ticket::{EscalatedTo, Escalation, Exclusion, Nature, Ticket};
use super::value::{Mean, Value, Verdict};
use crate::view::{Month, Ratio};
use serde::Serialize;

/// The readings of the contract that the figures follow, by the names of docs/TICKETS.md; every report
/// prints them.
pub const READINGS: [&str; 10] = [
    "month-of-the-stamp",
    "next-opening",
    "whole-days-only",
    "only-the-receipt-is-put-off",
    "off-once",
    "unanswered-takes-nothing-off",
    "first-escalation",
    "open-tickets-are-unresolved",
    "any-system-builder",
    "plan-days-only",
];

/// What the contract asks of each figure: its number, its name for programs, its limit with nothing counted.
pub const ASKED: [(u8, &str, Value); 4] = [
    (1, "first_contact_resolution", share_of_at_least(90)),
    (2, "handling_time", mean_of_at_most(30)),
    (3, "time_to_escalation", mean_of_at_most(10)),
    (4, "time_to_progress_report", mean_of_at_most(30)),
];

const fn share_of_at_least(at_least_percent: u64) -> Value {
    Value::Share { ratio: Ratio { part: 0, whole: 0 }, at_least_percent }
}

const fn mean_of_at_most(at_most_minutes: u64) -> Value {
    Value::Mean { mean: Mean { sum_ms: 0, count: 0 }, at_most_minutes }
}

/// The contract's name of No. 1 to 4, in Japanese and in English.
#[must_use]
pub const fn said(no: u8) -> (&'static str, &'static str) {
    match no {
        1 => ("初期サポート解決率", "first-contact resolution"),
        2 => ("サービスデスク対応時間", "handling time"),
        3 => ("二次サポートエスカレーション時間", "time to escalation"),
        _ => ("経過報告時間", "time to progress report"),
    }
}

/// A month's four figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MonthReport {
    /// Which.
    pub month: Month,
    /// The zone that days and months are taken in.
    pub timezone: &'static str,
    /// The plan's hours that say which days are service days; none: all are.
    pub hours: Option<String>,
    /// The readings of the contract that were followed.
    pub readings: [&'static str; 10],
    /// Tickets received in the month.
    pub tickets: usize,
    /// Tickets received in other months: in no figure.
    pub of_other_months: usize,
    /// No. 1 to 4.
    pub figures: [Figure; 4],
}

/// One figure with what it is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// As 別紙4 counts them.
    pub no: u8,
    /// For programs.
    pub name: &'static str,
    /// What it comes to, and its limit.
    pub value: Value,
    /// What that is worth.
    pub verdict: Verdict,
    /// The tickets behind it, by receipt.
    pub counted: Vec<Counted>,
    /// The month's other tickets, by receipt.
    pub left_out: Vec<LeftOut>,
}

/// A ticket in a figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// The ticket's.
    pub id: String,
    /// With what.
    #[serde(flatten)]
    pub counted_as: CountedAs,
}

/// What a ticket is in a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "as", rename_all = "snake_case")]
pub enum CountedAs {
    /// In No. 1's numerator.
    Resolved,
    /// In No. 1's total only: it was escalated.
    Escalated,
    /// In No. 1's total only: it is open.
    NotCompleted,
    /// In a mean.
    Took {
        /// As it is counted.
        ms: u64,
    },
}

/// A ticket that a figure leaves out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The ticket's.
    pub id: String,
    /// The first reason, in the order of [`Why`].
    pub why: Why,
}

/// Why a ticket is not in a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// No. 1: it needs technical support by nature.
    Technical,
    /// No. 2: it is open.
    NotCompleted,
    /// No. 2: a virus investigation.
    VirusInvestigation,
    /// No. 2: an investigation by a vendor.
    VendorInvestigation,
    /// No. 3: it was never escalated.
    NotEscalated,
    /// No. 4: it was never escalated to the system builder.
    NotToSystemBuilder,
    /// No. 4: the caller asked for a time.
    CallerAskedForTime,
    /// No. 4: no progress was reported.
    NotReported,
}

/// Where one ticket stands in one figure.
type Place = fn(&Ticket, &Calendar) -> Result<CountedAs, Why>;

/// The four figures of the tickets that belong to `month`. The order of `tickets` does not matter.
#[must_use]
pub fn month_report(tickets: &[Ticket], month: Month, calendar: &Calendar) -> MonthReport {
    let mut of_month: Vec<&Ticket> =
        tickets.iter().filter(|ticket| calendar.month_of(ticket.received_at) == month).collect();
    of_month.sort_by_key(|ticket| (ticket.received_at, &ticket.id));
    let [resolution, handled, escalated, reported] = ASKED;
    let figure = |(no, name, empty), place| figure((no, name), empty, place, &of_month, calendar);
    MonthReport {
        month,
        timezone: calendar.timezone(),
        hours: calendar.hours().map(ToOwned::to_owned),
        readings: READINGS,
        tickets: of_month.len(),
        of_other_months: tickets.len().saturating_sub(of_month.len()),
        figures: [
            figure(resolution, first_contact as Place),
            figure(handled, handling as Place),
            figure(escalated, escalation as Place),
            figure(reported, progress_report as Place),
        ],
    }
}

fn figure(
    (no, name): (u8, &'static str),
    empty: Value,
    place: Place,
    tickets: &[&Ticket],
    calendar: &Calendar,
) -> Figure {
    let (mut value, mut counted, mut left_out) = (empty, Vec::new(), Vec::new());
    for ticket in tickets {
        let id = ticket.id.clone();
        match place(ticket, calendar) {
            Ok(counted_as) => {
                add(&mut value, counted_as);
                counted.push(Counted { id, counted_as });
            }
            Err(why) => left_out.push(LeftOut { id, why }),
        }
    }
    Figure { no, name, value, verdict: value.judged(), counted, left_out }
}

fn add(value: &mut Value, counted_as: CountedAs) {
    match (value, counted_as) {
        (Value::Share { ratio, .. }, as_what) => {
            ratio.whole += 1;
            ratio.part += u64::from(as_what == CountedAs::Resolved);
        }
        (Value::Mean { mean, .. }, CountedAs::Took { ms }) => mean.add(ms),
        (Value::Mean { .. }, _) => {} // Only times come to a mean.
    }
}

/// No. 1: completed without escalation / all incidents.
fn first_contact(ticket: &Ticket, _: &Calendar) -> Result<CountedAs, Why> {
    if ticket.nature == Nature::Technical {
        return Err(Why::Technical);
    }
    // An open ticket counts as unresolved: leaving it out would let the figure rise with the backlog.
    Ok(match (ticket.escalations.is_empty(), ticket.completed_at) {
        (false, _) => CountedAs::Escalated,
        (true, None) => CountedAs::NotCompleted,
        (true, Some(_)) => CountedAs::Resolved,
    })
}

/// No. 2: from the receipt to the completion, less the time that the second line had it.
fn handling(ticket: &Ticket, calendar: &Calendar) -> Result<CountedAs, Why> {
    let completed = ticket.completed_at.ok_or(Why::NotCompleted)?;
    for (exclusion, why) in [
        (Exclusion::VirusInvestigation, Why::VirusInvestigation),
        (Exclusion::VendorInvestigation, Why::VendorInvestigation),
    ] {
        if ticket.exclusions.contains(&exclusion) {
            return Err(why);
        }
    }
    // An escalation without an answer has no end that could be taken for one: nothing is taken off.
    let answered = |escalation: &Escalation| Some((escalation.at, escalation.answered_at?));
    let spans = ticket.escalations.iter().filter_map(answered).collect();
    let from = calendar.counted_from(ticket.received_at);
    Ok(CountedAs::Took { ms: calendar.between_less(from, completed, spans) })
}

/// No. 3: from the receipt to the first escalation.
fn escalation(ticket: &Ticket, calendar: &Calendar) -> Result<CountedAs, Why> {
    let first = ticket.escalations.iter().map(|escalation| escalation.at).min();
    let first = first.ok_or(Why::NotEscalated)?;
    let from = calendar.counted_from(ticket.received_at);
    Ok(CountedAs::Took { ms: calendar.between(from, first) })
}

/// No. 4: from the receipt to the progress report, of tickets escalated to the system builder.
fn progress_report(ticket: &Ticket, calendar: &Calendar) -> Result<CountedAs, Why> {
    if !ticket.escalations.iter().any(|escalation| escalation.to == EscalatedTo::SystemBuilder) {
        return Err(Why::NotToSystemBuilder);
    }
    if ticket.exclusions.contains(&Exclusion::CallerAskedForTime) {
        return Err(Why::CallerAskedForTime);
    }
    let reported = ticket.reported_at.ok_or(Why::NotReported)?;
    let from = calendar.counted_from(ticket.received_at);
    Ok(CountedAs::Took { ms: calendar.between(from, reported) })
}
