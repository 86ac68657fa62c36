//! `madoguchi calls --follow`: each call as it gets its outcome, until Ctrl-C.

use super::super::Reply;
use super::super::following;
use super::calls::{Calls, line};
use crate::base::{CallId, Wall};
use crate::dialplan::Lang;
use crate::event::{CallEvent, Entry, Fact};
use crate::view::{Behind, OpenCall, Views};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::ops::ControlFlow;

/// Calls that have no end, by whether their outcome is known already.
struct Open(BTreeMap<CallId, Known>);

#[derive(Clone, Copy)]
struct Known {
    arrived_at: Wall,
    decided: bool,
}

impl Open {
    /// Those that are up.
    fn of(views: &Views) -> Self {
        let known =
            |it: OpenCall| (it.call, Known { arrived_at: it.arrived_at, decided: it.answered });
        Self(views.open_calls().map(known).collect())
    }

    /// Takes an entry in, and tells of a call that may have got its outcome by it.
    fn see(&mut self, entry: &Entry) -> Option<(CallId, Wall)> {
        let Fact::Call { call, t_ms, event } = &entry.fact else { return None };
        match event {
            CallEvent::Arrived { .. } => {
                let age = i64::try_from(*t_ms).unwrap_or(i64::MAX);
                let arrived_at = Wall(entry.at.0.saturating_sub(age));
                self.0.entry(*call).or_insert(Known { arrived_at, decided: false });
                None
            }
            CallEvent::Ended { .. } => {
                let known = self.0.remove(call)?;
                (!known.decided).then_some((*call, known.arrived_at))
            }
            _ => {
                let known = self.0.get(call)?;
                (!known.decided).then_some((*call, known.arrived_at))
            }
        }
    }

    fn decided(&mut self, call: CallId) {
        if let Some(known) = self.0.get_mut(&call) {
            known.decided = true;
        }
    }
}

/// The call as it stands once it has an outcome.
fn decided(views: &Views, arguments: &Calls, call: CallId, arrived_at: Wall) -> Option<Behind> {
    let mut found = views.behind_one(call, arrived_at, arguments.figure)?;
    found.outcome?;
    // The ledger names group and agent when the call is over; the list does so at once.
    if let Some(row) = views.row_of(call) {
        found.group = found.group.or(row.group.map(|group| group.to_string()));
        found.agent = found.agent.or(row.agent.map(|agent| agent.to_string()));
    }
    Some(found)
}

/// Prints calls until it is told to end, or nobody reads any more.
pub(super) fn follow(arguments: &Calls, lang: Lang) -> Result<Reply, Reply> {
    let mut open: Option<Open> = None;
    following::follow(&arguments.whose, lang, async |views, entries| {
        let open = open.get_or_insert_with(|| Open::of(views));
        for entry in entries {
            views.apply(entry);
            let Some((call, arrived_at)) = open.see(entry) else { continue };
            let Some(found) = decided(views, arguments, call, arrived_at) else { continue };
            open.decided(call);
            if arguments.wants(&found, views) && !printed(&found, arguments, views, lang) {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })
}

/// False when nobody reads any more.
fn printed(found: &Behind, arguments: &Calls, views: &Views, lang: Lang) -> bool {
    let text = if arguments.whose.json {
        serde_json::to_string(found).unwrap_or_default() // plain values are always JSON
    } else {
        line(found, views.timezone(), lang)
    };
    let mut out = std::io::stdout();
    writeln!(out, "{text}").and_then(|()| out.flush()).is_ok()
}
