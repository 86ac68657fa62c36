//! Which day is a service day, when a ticket counts as received, and how long a span is in the contract's
//! counting. Each of these rules stands here once; all figures ask.

use crate::base::Wall;
use crate::dialplan::{Hours, OpenState, Plan};
use crate::view::Month;
use std::collections::BTreeSet;

/// The plan's days as the figures see them.
#[derive(Clone, Copy, Debug)]
pub struct Calendar<'a> {
    plan: &'a Plan,
    /// The name of the hours and the hours; none: the desk serves always.
    hours: Option<(&'a str, &'a Hours)>,
}

/// Why it is not known whose service days count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhichHours {
    /// The plan has no hours of the name that was asked for; these it has.
    Unknown(Vec<String>),
    /// The numbers that enter the contract's figures do not all have the same hours; these they have.
    Several(Vec<String>),
    /// No number enters the contract's figures.
    NoNumber,
}

impl<'a> Calendar<'a> {
    /// By the hours of that name, or else by those of the desk numbers that enter the contract's figures.
    ///
    /// # Errors
    ///
    /// The name means nothing; or none was given, and the numbers do not say one thing.
    pub fn of(plan: &'a Plan, name: Option<&str>) -> Result<Self, WhichHours> {
        let known =
            |name: &str| plan.hours.get_key_value(name).map(|(name, hours)| (&**name, hours));
        if let Some(name) = name {
            let all = || plan.hours.keys().map(ToString::to_string).collect();
            let hours = known(name).ok_or_else(|| WhichHours::Unknown(all()))?;
            return Ok(Self { plan, hours: Some(hours) });
        }
        let numbers = plan.desk_numbers.values().filter(|number| number.counted);
        let mut names: BTreeSet<Option<&str>> =
            numbers.map(|number| number.hours.as_deref()).collect();
        match (names.pop_first(), names.is_empty()) {
            (None, _) => Err(WhichHours::NoNumber),
            (Some(name), true) => Ok(Self { plan, hours: name.and_then(known) }),
            (Some(first), false) => {
                let all = [first].into_iter().chain(names).flatten();
                Err(WhichHours::Several(all.map(ToOwned::to_owned).collect()))
            }
        }
    }

    /// The zone of all days and months.
    #[must_use]
    pub fn timezone(&self) -> &'static str {
        self.plan.timezone.name()
    }

    /// The name of the hours in the plan; none: the desk serves always.
    #[must_use]
    pub fn hours(&self) -> Option<&'a str> {
        self.hours.map(|(name, _)| name)
    }

    /// The month that a ticket belongs to: that of the stamp itself, before it is put off to an opening. So a
    /// ticket and the call that it was made for are in the same month, as No. 5 and 6 have the call, and the
    /// count of a month's tickets is the count that the ticket system itself gives.
    #[must_use]
    pub fn month_of(&self, received: Wall) -> Month {
        Month::of(self.plan.local(received).date_naive())
    }

    /// From when on a ticket is counted: its receipt, or the next opening when the desk did not serve then.
    #[must_use]
    pub fn counted_from(&self, received: Wall) -> Wall {
        let Some((_, hours)) = self.hours else { return received };
        let local = self.plan.local(received);
        if hours.state(local) == OpenState::Open {
            return received;
        }
        // Hours that never open again put nothing off.
        hours.next_opening(local).map_or(received, |opening| Wall(opening.timestamp_millis()))
    }

    /// The milliseconds from one moment to another, less every whole day without service between them; 0 when
    /// the second is not after the first.
    #[must_use]
    pub fn between(&self, from: Wall, to: Wall) -> u64 {
        self.between_less(from, to, Vec::new())
    }

    /// The same less these spans too. What is taken off twice over, because spans overlap or reach into a
    /// day without service, is taken off once: so the rest is never below 0.
    #[must_use]
    pub fn between_less(&self, from: Wall, to: Wall, spans: Vec<(Wall, Wall)>) -> u64 {
        let mut off = spans;
        off.extend(self.days_off(from, to));
        off.sort_unstable();
        let (mut counted, mut reached) = (0_u64, from);
        let mut count = |until: Wall, reached: Wall| {
            counted += until.ms_since(reached);
        };
        for (begins, ends) in off {
            count(begins.min(to), reached);
            reached = reached.max(ends);
        }
        count(to, reached);
        counted
    }

    /// Beginning and end of every whole day without service between two moments.
    fn days_off(&self, from: Wall, to: Wall) -> Vec<(Wall, Wall)> {
        let Some((_, hours)) = self.hours else { return Vec::new() };
        let days = self.plan.local(from).date_naive().iter_days();
        days.map_while(|day| {
            let ends = self.plan.midnight(day.succ_opt()?)?;
            (ends <= to).then_some((day, self.plan.midnight(day)?, ends))
        })
        .filter(|(day, begins, _)| *begins >= from && !hours.serves_on(*day))
        .map(|(_, begins, ends)| (begins, ends))
        .collect()
    }
}
