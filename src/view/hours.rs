//! Closings and openings of the desk out of turn, as they stand.

use crate::base::{AdHoc, Number, Wall, kept};
use crate::event::{DeskEvent, Means};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// One that holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AdHocRow {
    /// Which desk number; none: all. A number's own goes before that of all.
    pub number: Option<Number>,
    /// To what.
    pub to: AdHoc,
    /// Why.
    pub reason: String,
    /// Who did it.
    pub author: String,
    /// By what.
    pub by: Means,
    /// Since when.
    pub since_ms: Wall,
    /// When it ends by itself.
    pub until_ms: Wall,
}

kept!(struct AdHocRow { number, to, reason, author, by, since_ms, until_ms });

/// All of them. Bounded by the plan's numbers: the rules let no other in.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct AdHocHours(BTreeMap<Option<Number>, AdHocRow>);

kept!(newtype AdHocHours);

impl AdHocHours {
    pub(super) fn apply(&mut self, event: &DeskEvent, at: Wall) {
        match event {
            DeskEvent::HoursChanged { number, to, reason, author, by, until } => {
                let row = AdHocRow {
                    number: number.clone(),
                    to: *to,
                    reason: reason.clone(),
                    author: author.clone(),
                    by: *by,
                    since_ms: at,
                    until_ms: *until,
                };
                self.0.insert(number.clone(), row);
            }
            DeskEvent::HoursRestored { number, .. } => {
                self.0.remove(number);
            }
            DeskEvent::Started { .. }
            | DeskEvent::Stopped
            | DeskEvent::CallersErased { .. }
            | DeskEvent::ErasedOnRequest { .. }
            | DeskEvent::Ordered { .. }
            | DeskEvent::PersonSignedIn { .. }
            | DeskEvent::PersonSignedOut { .. } => {}
        }
    }

    /// One whose time is over holds no more, whether the rules have said so yet or not.
    pub(super) fn rows(&self, now: Wall) -> Vec<AdHocRow> {
        self.0.values().filter(|row| now < row.until_ms).cloned().collect()
    }
}
