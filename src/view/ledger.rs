//! One line for each call of the desk, by the day of its arrival: what the contract's figures are added
//! up from, so that each can name its calls and a declaration can move them.
//!
//! A line stands from the arrival on and is filled in when the outcome is decided and when the call
//! ends. Counts of a day follow the lines at once; an exclusion counts the days that it touches anew.

use super::agents::WrappedUp;
use super::outcome::{Decision, Outcome};
use super::policy::Policy;
use super::rule::Rule;
use super::service_level::Tally;
use crate::base::{AgentId, CallId, GroupId, Number, Wall, kept};
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// Days of counts, eleven years; the oldest day leaves first.
pub const DAYS_KEPT: usize = 4_018;
/// Lines that are kept, eight years of a desk of 60,000 calls (about 30 MB); beyond, those of the oldest
/// day before the newest give way, and only its counts remain: no exclusion can move them any more.
pub const LINES_KEPT: usize = 500_000;
/// Names of one kind that are told apart; further ones are all shown as the last.
const NAMES_KEPT: usize = 60_000;

/// A call as the figures know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which.
    pub call: CallId,
    /// Its arrival, by the wall clock.
    pub arrived_at: Wall,
    /// Whether its number's calls enter the contract's figures.
    pub counted: bool,
    /// The half hour of the day in which it arrived, in the desk's zone, 0 to 47.
    pub half_hour: u8,
    /// The rule that gave its outcome, once decided.
    pub rule: Option<Rule>,
    number: u16,
    group: u16,
    agent: u16,
    wait_ms: u32,
    talk_ms: u32,
    hold_ms: u32,
    wrap_up_ms: u32,
}

kept!(
    struct Line {
        call, arrived_at, counted, half_hour, rule, number, group, agent, wait_ms, talk_ms, hold_ms, wrap_up_ms,
    }
);

const NO_NAME: u16 = u16::MAX;
const NO_WAIT: u32 = u32::MAX;

fn short(ms: u64) -> u32 {
    u32::try_from(ms).unwrap_or(NO_WAIT - 1)
}

impl Line {
    /// The outcome, once decided.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.rule.map(Rule::outcome)
    }

    /// From asking for an operator to the answer or the end, milliseconds; none when none was asked for.
    #[must_use]
    pub fn wait_ms(&self) -> Option<u64> {
        (self.wait_ms != NO_WAIT).then(|| u64::from(self.wait_ms))
    }

    /// Conversation with agents, holds included, milliseconds; 0 until the call is over.
    #[must_use]
    pub fn talk_ms(&self) -> u64 {
        u64::from(self.talk_ms)
    }

    /// Holds within the conversation, milliseconds; 0 until the call is over.
    #[must_use]
    pub fn hold_ms(&self) -> u64 {
        u64::from(self.hold_ms)
    }

    /// After-call work that followed it and is over, milliseconds.
    #[must_use]
    pub fn wrap_up_ms(&self) -> u64 {
        u64::from(self.wrap_up_ms)
    }

    /// What it adds to the counts of its day.
    pub(super) fn tally(&self, policy: &Policy) -> Tally {
        let mut tally = Tally {
            arrived: u64::from(self.counted),
            left_out: u64::from(!self.counted),
            ..Tally::default()
        };
        if let (Some(rule), true) = (self.rule, self.counted) {
            tally.add(Decision { rule, wait_ms: self.wait_ms() }, policy);
        }
        if self.counted {
            tally.talk_ms = self.talk_ms();
            tally.hold_ms = self.hold_ms();
            tally.wrap_up_ms = self.wrap_up_ms();
        }
        tally
    }
}

/// Names told apart by small numbers.
#[derive(Clone, Debug, Default, PartialEq)]
struct Names {
    known: BTreeMap<String, u16>,
    listed: Vec<String>,
}

kept!(struct Names { known, listed });

impl Names {
    fn number_of(&mut self, name: &str) -> u16 {
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        let next = self.listed.len().min(NAMES_KEPT);
        let number = u16::try_from(next).unwrap_or(NO_NAME - 1);
        if next < NAMES_KEPT {
            self.listed.push(name.to_owned());
            self.known.insert(name.to_owned(), number);
        }
        number
    }

    fn name(&self, number: u16) -> Option<&str> {
        self.listed.get(usize::from(number)).map(String::as_str)
    }
}

/// A time left out of the figures: from (inclusive) until (exclusive).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub from: Wall,
    pub until: Wall,
}

kept!(struct Span { from, until });

impl Span {
    pub(super) fn holds(&self, at: Wall) -> bool {
        self.from <= at && at < self.until
    }
}

fn is_excluded(spans: &BTreeMap<u32, Span>, at: Wall) -> bool {
    spans.values().any(|span| span.holds(at))
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Day {
    lines: Vec<Line>,
    /// Calls that are not of an excluded period.
    counts: Tally,
    /// Those that are.
    excluded: Tally,
}

kept!(struct Day { lines, counts, excluded });

/// Where a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    day: NaiveDate,
    index: usize,
}

kept!(struct Spot { day, index });

/// All lines. Equal histories make equal ledgers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ledger {
    days: BTreeMap<NaiveDate, Day>,
    /// Where the lines of calls in progress stand.
    open: BTreeMap<CallId, Spot>,
    /// Approved exclusions by their numbers.
    spans: BTreeMap<u32, Span>,
    lines: usize,
    numbers: Names,
    groups: Names,
    agents: Names,
}

kept!(struct Ledger { days, open, spans, lines, numbers, groups, agents });

/// What an ended call adds to its line.
pub(super) struct Last<'a> {
    pub group: Option<&'a GroupId>,
    pub agent: Option<&'a AgentId>,
    pub talk_ms: u64,
    pub hold_ms: u64,
}

impl Ledger {
    /// A call arrived, on that day in that half hour.
    pub(super) fn arrive(
        &mut self,
        (day, half_hour): (NaiveDate, u8),
        call: CallId,
        arrived_at: Wall,
        number: &Number,
        counted: bool,
    ) {
        if !self.days.contains_key(&day)
            && self.days.len() >= DAYS_KEPT
            && let Some((_, gone)) = self.days.pop_first()
        {
            self.lines = self.lines.saturating_sub(gone.lines.len());
        }
        if self.lines >= LINES_KEPT
            && let Some((_, oldest)) =
                self.days.range_mut(..day).find(|(_, held)| !held.lines.is_empty())
        {
            self.lines = self.lines.saturating_sub(oldest.lines.len());
            oldest.lines = Vec::new();
        }
        let line = Line {
            call,
            arrived_at,
            counted,
            half_hour,
            rule: None,
            number: self.numbers.number_of(number.as_str()),
            group: NO_NAME,
            agent: NO_NAME,
            wait_ms: NO_WAIT,
            talk_ms: 0,
            hold_ms: 0,
            wrap_up_ms: 0,
        };
        let excluded = is_excluded(&self.spans, arrived_at);
        let held = self.days.entry(day).or_default();
        let tally = if excluded { &mut held.excluded } else { &mut held.counts };
        tally.arrived += u64::from(counted);
        tally.left_out += u64::from(!counted);
        self.open.insert(call, Spot { day, index: held.lines.len() });
        held.lines.push(line);
        self.lines += 1;
    }

    /// Where the line of a call in progress stands.
    pub(super) fn spot(&self, call: CallId) -> Option<Spot> {
        self.open.get(&call).copied()
    }

    /// The line of a call in progress, and the counts that it is in.
    fn line(&mut self, call: CallId) -> Option<(&mut Line, &mut Tally)> {
        let spot = self.spot(call)?;
        self.line_at(spot, call)
    }

    /// The same of a line that may have given way.
    fn line_at(&mut self, spot: Spot, call: CallId) -> Option<(&mut Line, &mut Tally)> {
        let spans = &self.spans;
        let day = self.days.get_mut(&spot.day)?;
        let line = day.lines.get_mut(spot.index).filter(|line| line.call == call)?;
        let excluded = is_excluded(spans, line.arrived_at);
        Some((line, if excluded { &mut day.excluded } else { &mut day.counts }))
    }

    /// Its outcome was decided.
    pub(super) fn decide(&mut self, call: CallId, decision: Decision, policy: &Policy) {
        let Some((line, tally)) = self.line(call) else { return };
        line.rule = Some(decision.rule);
        line.wait_ms = decision.wait_ms.map_or(NO_WAIT, short);
        if line.counted {
            tally.add(decision, policy);
        }
    }

    /// It is over.
    pub(super) fn end(&mut self, call: CallId, last: &Last<'_>) {
        let group = last.group.map_or(NO_NAME, |it| self.groups.number_of(it.as_str()));
        let agent = last.agent.map_or(NO_NAME, |it| self.agents.number_of(it.as_str()));
        if let Some((line, tally)) = self.line(call) {
            (line.group, line.agent) = (group, agent);
            line.talk_ms = short(last.talk_ms);
            line.hold_ms = short(last.hold_ms);
            if line.counted {
                tally.talk_ms = tally.talk_ms.saturating_add(u64::from(line.talk_ms));
                tally.hold_ms = tally.hold_ms.saturating_add(u64::from(line.hold_ms));
            }
        }
        self.open.remove(&call);
    }

    /// After-call work that followed a call is over; tells how much of it counts, milliseconds. A line that
    /// has given way takes none.
    pub(super) fn wrapped_up(&mut self, it: &WrappedUp) -> u64 {
        let Some((line, tally)) = self.line_at(it.spot, it.call) else { return 0 };
        let before = line.wrap_up_ms;
        line.wrap_up_ms = before.saturating_add(short(it.ms));
        if !line.counted {
            return 0;
        }
        let more = u64::from(line.wrap_up_ms.saturating_sub(before));
        tally.wrap_up_ms = tally.wrap_up_ms.saturating_add(more);
        more
    }

    /// A period is left out from here on, or no more. Days whose lines have given way keep their counts.
    pub(super) fn exclude(
        &mut self,
        exclusion: u32,
        span: Option<Span>,
        policy: &Policy,
        day_of: impl Fn(Wall) -> NaiveDate,
    ) {
        let before = match span {
            Some(span) => self.spans.insert(exclusion, span),
            None => self.spans.remove(&exclusion),
        };
        let spans = &self.spans;
        for span in before.into_iter().chain(span).filter(|span| span.from < span.until) {
            for (_, day) in self.days.range_mut(day_of(span.from)..=day_of(span.until)) {
                if day.lines.is_empty() {
                    continue;
                }
                (day.counts, day.excluded) = (Tally::default(), Tally::default());
                for line in &day.lines {
                    let excluded = is_excluded(spans, line.arrived_at);
                    let tally = if excluded { &mut day.excluded } else { &mut day.counts };
                    tally.merge(&line.tally(policy));
                }
            }
        }
    }

    /// The exclusion that a call of this arrival falls under; the lowest when there are several.
    pub(super) fn excluded_by(&self, at: Wall) -> Option<u32> {
        self.spans.iter().find(|(_, span)| span.holds(at)).map(|(exclusion, _)| *exclusion)
    }

    /// Counts of the calls that arrived on these days, and of those in excluded periods.
    pub(super) fn tallies(&self, first: NaiveDate, last: NaiveDate) -> (Tally, Tally) {
        let (mut counts, mut excluded) = (Tally::default(), Tally::default());
        for (_, day) in self.days.range(first..=last) {
            counts.merge(&day.counts);
            excluded.merge(&day.excluded);
        }
        (counts, excluded)
    }

    /// Counts day by day, those of excluded periods beside them.
    pub(super) fn days(
        &self,
        first: NaiveDate,
        last: NaiveDate,
    ) -> impl Iterator<Item = (NaiveDate, &Tally, &Tally)> {
        self.days.range(first..=last).map(|(day, held)| (*day, &held.counts, &held.excluded))
    }

    /// The lines of the calls that arrived on these days, in order of their first entry.
    pub(super) fn lines(&self, first: NaiveDate, last: NaiveDate) -> impl Iterator<Item = &Line> {
        self.days.range(first..=last).flat_map(|(_, day)| &day.lines)
    }

    /// The same by day, with the day's counts outside excluded periods; no lines where they have given way.
    pub(super) fn lines_by_day(
        &self,
        first: NaiveDate,
        last: NaiveDate,
    ) -> impl Iterator<Item = (NaiveDate, &[Line], &Tally)> {
        self.days.range(first..=last).map(|(day, held)| (*day, &*held.lines, &held.counts))
    }

    /// The number that a line's caller dialled.
    pub(super) fn number(&self, line: &Line) -> Option<&str> {
        self.numbers.name(line.number)
    }

    /// The group that it asked for last.
    pub(super) fn group(&self, line: &Line) -> Option<&str> {
        self.groups.name(line.group)
    }

    /// The agent who answered it first.
    pub(super) fn agent(&self, line: &Line) -> Option<&str> {
        self.agents.name(line.agent)
    }
}
