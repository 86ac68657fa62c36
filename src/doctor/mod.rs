//! `madoguchi doctor`, the judging half: facts about a machine and a configuration go in, lines for the operator
//! come out. Pure: reads no file, opens no socket, knows no clock; `cli::doctor` gathers the facts.

mod facts;
mod judge;
mod words;

#[cfg(test)]
mod tests;

pub use facts::{
    Address, Answer, Certificate, Clock, Compared, Descriptors, Facts, Held, Listener, PlanFolder,
    Room, Running, SecretFile, Sound, StoreFile, TrunkAsked, What, Whose, Zone,
};
pub use judge::{judge, worst};
pub use words::{Line, Mark};
