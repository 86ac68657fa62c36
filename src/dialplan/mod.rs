//! What a file in `dialplans/` says: read with positions, checked as a whole, asked where a number
//! leads at a moment.
//!
//! Pure. Knows no SIP, no call in progress and no agent's state: `pbx` acts on what is said here.

pub mod holidays;
mod hours;
mod plan;
mod route;

pub use hours::{ClosedWhy, OpenState, end_of_day};
pub use plan::*;
pub use route::Route;
