//! Folds over the history: what a call came to, the service levels, the call list, the wallboard.
//!
//! One way in, [`Views::apply`]: the same entries give the same figures, live or replayed, whatever
//! the batches. The room knows the definitions of the contract and no rule of the desk; it holds no
//! clock and no store. Durations come from an entry's `t_ms`; wall stamps only choose the day and
//! are shown. There is no way from here back into the engine.

mod agents;
mod asks;
mod attended;
mod average;
mod board;
mod call;
mod closed;
mod declared;
mod earlier;
mod erased;
mod feeding;
mod figures;
mod gauges;
mod grouped;
mod half_hour;
mod hours;
mod incidents;
mod layout;
mod ledger;
mod month;
mod operating;
mod orders;
mod outcome;
mod outlook;
mod panel;
mod placed;
mod policy;
mod ratio;
mod recorded;
mod rule;
mod schema;
mod service_days;
mod service_level;
mod signed_out;
mod sliced;
mod sound;
mod stamp;
mod standing;
mod survey;
mod today;
mod turns;
mod unanswered;
mod views;
mod worked;
mod written;

pub use agents::{AgentRestore, AgentRow, AgentState, Rings};
pub use asks::Asks;
pub use attended::{CallbackRow, CallbackState, MessageRow};
pub use average::Average;
pub use board::{
    AGENTS_SHOWN, AgentCounts, Board, Lines, PARKED_SHOWN, ParkedRow, RECENT_SHOWN, WAITING_SHOWN,
    Waiting, WaitingRow,
};
pub use call::{CallQuery, CallRow, CallState, OpenCall, Pressed, WholeCall};
pub use declared::{ClosedMonth, ExclusionRow, ExclusionState, Signed};
pub use earlier::{EARLIER_KEPT, EARLIER_OF_ONE, EarlierRow};
pub use erased::ERASED_WORD;
pub use feeding::{
    DeadRow, Due, Edited, FeedRules, FeedStatus, Handling, NotRules, OUTBOX_KEPT, OutboxRow,
    SEEN_KEPT, STEPS_KEPT, StepKind, TICKET_BOUND, TICKETS_KEPT, TicketRow,
};
pub use figures::{NotYet, Place};
pub use gauges::{
    Blocked, CertificateGauge, CertificateOf, DeskNumberGauge, DiskGauge, DiskState, FeedGauge,
    Gauges, GroupGauge, JournalState, ProcessGauge, RecordingGauge, RecordingState, SipCount,
    SiteGauge, SiteState, TargetGauge, TargetState, TrunkGauge,
};
pub use grouped::GROUPS_COUNTED;
pub use half_hour::{
    HALF_HOURS, Window, index as half_hour_index, place as half_hour_place,
    shown as half_hour_shown,
};
pub use hours::AdHocRow;
pub use incidents::{INCIDENTS_KEPT, IncidentRow, LEDGER};
pub use layout::{
    BoxLaid, DeskLine, GroupLaid, Layout, NumberRow, Service, SlotLaid, TIMETABLE_DAYS, Timetable,
};
pub use ledger::{DAYS_KEPT, LINES_KEPT, Line};
pub use month::{Month, NotAMonth};
pub use operating::{
    AgentFigures, By, CallFigures, DEFINITIONS, Definition, NotAWindow, NotTogether, Operating,
    OperatingRow, OperatingWanted, SPAN_MOST_DAYS,
};
pub use orders::{ORDERS_KEPT, OrderRow};
pub use outcome::{Decision, Outcome, PerOutcome, Progress, outcome_of};
pub use outlook::{Outlook, Outlooks, Warning};
pub use panel::{
    Colleague, EarlierCall, LISTED, LineRow, Listed, Panel, PanelCall, PanelMessage, Role, SlotRow,
    SlotStay,
};
pub use placed::{FULL_MONTHS_KEPT, FullTime, PLACED_KEPT, PlacedRow};
pub use policy::{CountsAs, Policy, ShortCallExcluded};
pub use ratio::{Limit, Rate, Ratio, Verdict};
pub use recorded::{Recorded, RecordedState};
pub use rule::Rule;
pub use service_days::{SERVICE_DAYS_KNOWN, ServiceDays};
pub use service_level::{DayFigures, Excluded, Figures, MonthFigures, Tally};
pub use signed_out::SignedOut;
pub use sliced::{AgentShare, BANDS, Band, Sliced, WaitBand};
pub use sound::{CallSound, FaultRow, LegSound, Measured, SoundTotals, Spread};
pub use stamp::{local, written};
pub use standing::{Behind, Figure, LeftOut, Side, Standing};
pub use survey::{POINTS, SURVEYS_KEPT, SurveyFigures};
pub use today::{GROUPS_SHOWN, GroupFigures, GroupRow, HalfHours, USUAL_DAYS};
pub use turns::{HELD, Pending, Turns, UNTOLD_KEPT, WarningWatch};
pub use unanswered::{UNANSWERED_OF_ONE, Unanswered, UnansweredRow};
pub use views::{ErasedCalls, RECENT_KEPT, Setup, Views};
pub use worked::{AGENT_DAYS_KEPT, Doing, HALF_HOURS_KEPT, LinesFull, Times, Work};
pub use written::{NOTES_BYTES, NoteRow};
