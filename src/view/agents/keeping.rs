//! Agents as bytes and back, for a start that does not begin at the first entry.

use super::{Agent, Agents};
use crate::base::{Keep, Kept};

/// Without the plan's part, which a start gives anew.
impl Keep for Agent {
    fn keep(&self, out: &mut Vec<u8>) {
        let Self {
            name: _,
            in_plan: _,
            in_history: _,
            signed_in,
            paused,
            reachable,
            activity,
            offers,
            call,
            last,
            wrap_up_until,
            since,
            rings,
            handled,
            after,
            wrap_up_ms,
            doing_since,
        } = self;
        signed_in.keep(out);
        paused.keep(out);
        reachable.keep(out);
        activity.keep(out);
        offers.keep(out);
        call.keep(out);
        last.keep(out);
        wrap_up_until.keep(out);
        since.keep(out);
        rings.keep(out);
        handled.keep(out);
        after.keep(out);
        wrap_up_ms.keep(out);
        doing_since.keep(out);
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        Some(Self {
            signed_in: Keep::found(from)?,
            paused: Keep::found(from)?,
            reachable: Keep::found(from)?,
            activity: Keep::found(from)?,
            offers: Keep::found(from)?,
            call: Keep::found(from)?,
            last: Keep::found(from)?,
            wrap_up_until: Keep::found(from)?,
            since: Keep::found(from)?,
            rings: Keep::found(from)?,
            handled: Keep::found(from)?,
            after: Keep::found(from)?,
            wrap_up_ms: Keep::found(from)?,
            doing_since: Keep::found(from)?,
            in_history: true,
            ..Self::new()
        })
    }
}

/// Those that only a plan knows are not kept: the plan of the next start may be another.
impl Keep for Agents {
    fn keep(&self, out: &mut Vec<u8>) {
        let Self { all, worked, wrapped_up } = self;
        let kept = all.iter().filter(|(_, agent)| agent.in_history);
        kept.clone().count().keep(out);
        for (id, agent) in kept {
            id.keep(out);
            agent.keep(out);
        }
        worked.keep(out);
        wrapped_up.keep(out);
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        Some(Self {
            all: Keep::found(from)?,
            worked: Keep::found(from)?,
            wrapped_up: Keep::found(from)?,
        })
    }
}
