//! The contract's figures that need tickets: 別紙4 No. 1 to 4 of a month, and No. 7, the yearly survey.
//!
//! Pure: a file's text and a plan go in, figures or everything that is wrong with the text come out. What
//! counts, what is left out and every reading of the contract stand here and in docs/TICKETS.md, and
//! nowhere else. The room knows no call and no history: tickets are kept by the desk's own ticket system.
//! All arithmetic is in whole milliseconds, counts and exact fractions.

// What a stranger sends cannot make us panic.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing,))]

mod calendar;
mod directory;
mod figures;
mod letters;
mod problem;
mod read;
mod read_survey;
mod sheet;
mod survey;
mod ticket;
mod value;

#[cfg(test)]
mod tests;

pub use calendar::{Calendar, WhichHours};
pub use directory::{Directory, NoDirectory, PEOPLE_MOST, Person};
pub use figures::{
    ASKED, Counted, CountedAs, Figure, LeftOut, MonthReport, READINGS, Why, month_report, said,
};
pub use letters::{WrongLetters, decoded};
pub use problem::{Fault, MOST_LISTED, Problem, Problems};
pub use read::{MOST_ESCALATIONS, MOST_TICKETS, TicketFile, tickets};
pub use read_survey::{MOST_ANSWERS, MOST_RESPONDENTS, SurveyFile, survey};
pub use sheet::QuoteFault;
pub use survey::{Answer, Respondent, SurveyReport, survey_report};
pub use ticket::{EscalatedTo, Escalation, Exclusion, Nature, Ticket};
pub use value::{Mean, Value, Verdict};
