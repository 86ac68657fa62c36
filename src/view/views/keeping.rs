//! The views as bytes and back, for a start that does not begin at the first entry.

use super::{Setup, Views};
use crate::base::{Keep, Kept};
use crate::view::layout::Layout;
use crate::view::service_days::ServiceDays;

impl Setup {
    /// What of it shapes the folds, and which build of the program folds. What another build, or the same
    /// one under another zone or policy, has kept is of no use. Names of the desk and its agents are not
    /// in it: they are set anew.
    #[must_use]
    pub fn shape(&self) -> String {
        let policy = serde_json::to_string(&self.policy).unwrap_or_default(); // plain values are always JSON
        let (build, zone) = (env!("MADOGUCHI_BUILD"), self.timezone.name());
        format!("build {build}\nzone {zone}\npolicy {policy}")
    }
}

impl Views {
    /// Writes all that was folded, but for what [`Setup`] says: whoever reads it again must say the same
    /// zone and policy, and may name other agents.
    pub fn keep(&self, out: &mut Vec<u8>) {
        // All of it, so that what is added does not compile until it is kept.
        let Self {
            desk: _,
            demonstration: _,
            timezone: _,
            policy: _,
            last_seq,
            holes,
            strays,
            open,
            waiting,
            ended,
            ledger,
            declared,
            total,
            left_out,
            grouped,
            channels,
            agents,
            placed,
            sound,
            hours,
            attended,
            surveys,
            turns,
            erased,
            earlier,
            unanswered,
            written,
            orders,
            feeding,
            incidents,
            signed_out,
            // Set anew at each start, from the plan.
            service_days: _,
            layout: _,
        } = self;
        [*last_seq, *holes, *strays].keep(out);
        open.keep(out);
        waiting.keep(out);
        ended.keep(out);
        ledger.keep(out);
        declared.keep(out);
        total.keep(out);
        left_out.keep(out);
        grouped.keep(out);
        channels.keep(out);
        agents.keep(out);
        placed.keep(out);
        sound.keep(out);
        hours.keep(out);
        attended.keep(out);
        surveys.keep(out);
        turns.keep(out);
        erased.keep(out);
        earlier.keep(out);
        unanswered.keep(out);
        written.keep(out);
        orders.keep(out);
        feeding.keep(out);
        incidents.keep(out);
        signed_out.keep(out);
    }

    /// The views that [`Views::keep`] wrote; none when that is not what stands there.
    #[must_use]
    pub fn found(setup: Setup, from: &mut Kept<'_>) -> Option<Self> {
        let [last_seq, holes, strays] = Keep::found(from)?;
        let mut views = Self {
            desk: setup.desk,
            demonstration: setup.demonstration,
            timezone: setup.timezone,
            policy: setup.policy,
            last_seq,
            holes,
            strays,
            open: Keep::found(from)?,
            waiting: Keep::found(from)?,
            ended: Keep::found(from)?,
            ledger: Keep::found(from)?,
            declared: Keep::found(from)?,
            total: Keep::found(from)?,
            left_out: Keep::found(from)?,
            grouped: Keep::found(from)?,
            channels: Keep::found(from)?,
            agents: Keep::found(from)?,
            placed: Keep::found(from)?,
            sound: Keep::found(from)?,
            hours: Keep::found(from)?,
            attended: Keep::found(from)?,
            surveys: Keep::found(from)?,
            turns: Keep::found(from)?,
            erased: Keep::found(from)?,
            earlier: Keep::found(from)?,
            unanswered: Keep::found(from)?,
            written: Keep::found(from)?,
            orders: Keep::found(from)?,
            feeding: Keep::found(from)?,
            incidents: Keep::found(from)?,
            signed_out: Keep::found(from)?,
            layout: Layout::default(),
            service_days: ServiceDays::default(),
        };
        views.agents.set_roster(setup.agents);
        Some(views)
    }
}
