//! The figures by hand, their properties, and what is said of wrong files.

use super::{Calendar, MonthReport, Ticket, month_report, tickets};
use crate::dialplan::{self, Plan};

mod files;
mod properties;
mod survey;
mod table;

/// Weekdays 8:30 to 18:15, public holidays and 12-29 to 01-03 closed, 2026-12-28 until 15:00.
fn plan() -> Plan {
    let text = include_str!("../../../dialplans/service-desk.toml");
    match dialplan::load(text, "service-desk.toml", None) {
        Ok((plan, _)) => plan,
        Err(findings) => panic!("{findings:?}"),
    }
}

fn report(plan: &Plan, tickets: &[Ticket], month: &str) -> MonthReport {
    let calendar = Calendar::of(plan, None).expect("one kind of hours");
    month_report(tickets, month.parse().expect("a month"), &calendar)
}

const HEADING: &str = "id,received_at,completed_at,escalated_to,escalated_at,escalation_answered_at,\
                       progress_reported_at,technical,exclusions";

/// The tickets of lines without their heading.
fn read(plan: &Plan, lines: &str) -> Vec<Ticket> {
    match tickets(&format!("{HEADING}\n{lines}"), plan.timezone) {
        Ok(file) => file.tickets,
        Err(problems) => panic!("{}", problems.told("lines", dialplan::Lang::En)),
    }
}
