//! What a file in `dialplans/` says: read with positions, checked as a whole, asked where a number
//! leads at a moment.
//!
//! Pure. Knows no SIP, no call in progress and no agent's state: `pbx` acts on what is said here.

mod attendant;
mod check;
mod finding;
mod holiday_table;
pub mod holidays;
mod hours;
mod in_call;
mod outside;
mod park;
mod parse;
mod parse_attendant;
mod parse_codes;
mod parse_hours;
mod parse_outside;
mod parse_picking;
mod parse_recording;
mod parse_way;
mod picking;
mod plan;
mod problem;
pub(crate) mod reader;
mod route;
pub(crate) mod shape;
pub(crate) mod values;
mod walk;
mod walk_group;
mod walk_text;
mod walked;

pub use attendant::{Branch, Callback, Dial, Dialled, Entry, Mailbox, Speak, Survey};
pub use check::MOST_RUNG_AT_ONCE;
pub use finding::{Both, Finding, Findings, Lang, Message, Place, Severity, Source, nearest, tame};
pub use holiday_table::HolidayTable;
pub use hours::{ClosedWhy, OpenState, end_of_day};
pub use in_call::InCall;
pub use outside::{Outside, OutsideRule, Outward, Pattern, Way};
pub use park::{Lot, MOST_SLOTS, Recall};
pub use parse::{LONGEST_RING, MOST_AGENTS, MOST_ENTRIES};
pub use picking::{
    MOST_LEVEL, Onward, Overflow, OverflowWhen, PLAIN_PRIORITY, Picking, Preferred, Share, Skills,
    Widening,
};
pub use plan::*;
pub use problem::Problem;
pub use route::Route;
pub use shape::TextRule;
pub use shape::show as show_duration;
pub use values::moment;
pub use walk::{Asker, MOST_MENUS, MOST_OFFERS, Press, Question, presses, walk};
pub use walked::{End, Expected, GroupWay, Offer, Step, Waiting, Walk};

use crate::base::PromptId;
use std::collections::BTreeMap;
use std::time::Duration;

/// Reads and judges a plan. `file_name` is how findings name it; with `known_prompts` none, whether
/// prompts exist, and how long they are, is not looked at.
///
/// # Errors
///
/// Everything that was found, when any of it is an error; otherwise the plan comes with its warnings.
/// Both in the order of the text.
pub fn load(
    text: &str,
    file_name: &str,
    known_prompts: Option<&BTreeMap<PromptId, Duration>>,
) -> Result<(Plan, Vec<Finding>), Vec<Finding>> {
    let mut out = Findings::new(Source::new(text, file_name));
    let Some(document) = reader::document(&mut out) else { return Err(out.into_sorted()) };
    let (plan, marks) = parse::plan(&document, &mut out);
    check::whole(&plan, &marks, known_prompts, &mut out);
    if out.refuse() { Err(out.into_sorted()) } else { Ok((plan, out.into_sorted())) }
}

#[cfg(test)]
mod tests;
