//! How well a leg's sound is: what comes of what was sent ([`Heard`]), what a listener would say of it
//! ([`listener`]), and what is plainly wrong ([`Watch`]). Pure; a packet costs some additions.

mod heard;
pub mod listener;
mod prints;
mod report;
mod watch;

pub use heard::{Heard, Packet, Sums};
pub use prints::{Print, Prints};
pub use report::{Far, Grade, Quality, mos};
pub use watch::{Change, Fault, Others, Sight, Watch};
