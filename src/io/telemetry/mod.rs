//! What is told to machines and to the operator's log: the metrics page and the log's form.
//!
//! Every figure of the desk comes from the views, every figure of the machine from the gauges; no
//! counter of its own. No number, name, address or call id is ever a label.

mod groups;
pub mod log;
mod log_line;
mod machine;
mod metrics;
mod page;
mod process;
mod sound;
mod ticketing;
mod today;
mod told;
mod worked;

pub use metrics::{Age, CONTENT_TYPE, Metrics};
pub use process::process;
