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
            since,
            rings,
            handled,
            after,
            wrap_up_ms,
            doing_since,
        } = self;
        (*signed_in, *reachable).keep(out);
        paused.keep(out);
        activity.keep(out);
        (*offers, *call).keep(out);
        since.keep(out);
        rings.keep(out);
        handled.keep(out);
        after.keep(out);
        wrap_up_ms.keep(out);
        doing_since.keep(out);
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        let (signed_in, reachable) = Keep::found(from)?;
        let (paused, activity) = (Keep::found(from)?, Keep::found(from)?);
        let (offers, call) = Keep::found(from)?;
        let (since, rings) = (Keep::found(from)?, Keep::found(from)?);
        let (handled, after) = (Keep::found(from)?, Keep::found(from)?);
        let (wrap_up_ms, doing_since) = (Keep::found(from)?, Keep::found(from)?);
        let (name, in_plan, in_history) = (None, false, true);
        Some(Self {
            name,
            in_plan,
            signed_in,
            paused,
            reachable,
            activity,
            offers,
            call,
            since,
            rings,
            handled,
            after,
            wrap_up_ms,
            doing_since,
            in_history,
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
        let all = Keep::found(from)?;
        let (worked, wrapped_up) = (Keep::found(from)?, Keep::found(from)?);
        Some(Self { all, worked, wrapped_up })
    }
}
