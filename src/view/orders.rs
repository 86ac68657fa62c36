//! Who came to the pages and what was ordered there, the last of it: for those who look after the desk. All of it
//! is in the history.

use crate::base::{Wall, kept};
use crate::event::DeskEvent;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::VecDeque;

/// Orders and logins that are listed; older ones are in the history only.
pub const ORDERS_KEPT: usize = 500;

/// What somebody did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OrderRow {
    /// When.
    pub at_ms: Wall,
    /// The user, or `token`.
    pub who: String,
    /// As what; none of a logout.
    pub role: Option<String>,
    /// Method and path, `signed in` or `signed out`.
    pub what: String,
}

kept!(struct OrderRow { at_ms, who, role, what });

/// The fold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Orders {
    rows: VecDeque<OrderRow>,
}

kept!(struct Orders { rows });

impl Orders {
    pub(super) fn apply(&mut self, event: &DeskEvent, at_ms: Wall) {
        let row = |who: &String, role: Option<&String>, what: &str| OrderRow {
            at_ms,
            who: who.clone(),
            role: role.cloned(),
            what: what.to_owned(),
        };
        let row = match event {
            DeskEvent::Ordered { who, role, what } => row(who, Some(role), what),
            DeskEvent::PersonSignedIn { who, role, .. } => row(who, Some(role), "signed in"),
            DeskEvent::PersonSignedOut { who, .. } => row(who, None, "signed out"),
            DeskEvent::Started { .. }
            | DeskEvent::Stopped
            | DeskEvent::HoursChanged { .. }
            | DeskEvent::HoursRestored { .. }
            | DeskEvent::CallersErased { .. }
            | DeskEvent::ErasedOnRequest { .. } => return,
        };
        if self.rows.len() >= ORDERS_KEPT {
            self.rows.pop_front();
        }
        self.rows.push_back(row);
    }

    /// The newest first.
    pub(super) fn rows(&self) -> impl Iterator<Item = &OrderRow> {
        self.rows.iter().rev()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_listed_and_the_newest_comes_first() {
        let mut orders = Orders::default();
        for n in 0..i64::try_from(ORDERS_KEPT).expect("few") + 3 {
            let (who, role) = ("sato".to_owned(), "agent".to_owned());
            orders.apply(&DeskEvent::Ordered { who, role, what: format!("POST /{n}") }, Wall(n));
        }
        let out = DeskEvent::PersonSignedOut { who: "sato".into(), session: None, until: None };
        orders.apply(&out, Wall(9_999));
        orders.apply(&DeskEvent::Stopped, Wall(10_000));
        let rows: Vec<&OrderRow> = orders.rows().collect();
        assert_eq!(rows.len(), ORDERS_KEPT);
        assert_eq!((rows[0].what.as_str(), rows[0].role.as_ref()), ("signed out", None));
        assert_eq!(rows[1].what, format!("POST /{}", ORDERS_KEPT + 2));
    }
}
