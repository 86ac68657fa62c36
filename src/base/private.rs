//! Numbers and names of people, kept out of logs by their type.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Something that tells who a person is. `Debug` and `Display` print dots, so that no log line,
/// metric label or panic text can carry it by accident; [`Private::reveal`] is the one way out and
/// is easy to search for.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Private<T>(T);

impl<T> Private<T> {
    /// Wraps a value on its way in.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself, for the history, the agent's phone and the pages behind a login.
    pub const fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> From<T> for Private<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••")
    }
}

impl<T> fmt::Display for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••")
    }
}

#[cfg(test)]
mod tests {
    use super::Private;

    #[test]
    fn a_number_never_reaches_a_log_line() {
        let number = Private::new("0312345678".to_owned());
        assert_eq!(format!("{number:?} {number}"), "••• •••");
    }
}
