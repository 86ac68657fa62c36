//! What a history says of its calls, callers and agents: a scenario, the arrivals as they were, and who was there.
//!
//! Waits are seen only until an operator answers, so how patient callers are is estimated with that respected
//! (Kaplan and Meier 1958): who was answered after 20 s counts as somebody who waits for at least 20 s, not as one
//! who would never have given up.

use super::arrivals::{Arrival, MOST_CALLS, WEEKDAYS};
use super::lasts::{Lasts, Time};
use super::roster::Stint;
use super::scenario::{Callers, Calls, Menu, People, Repeats, Scenario};
use super::{quantile, real, whole};
use crate::base::{AgentId, CallId, Number, Wall};
use crate::dialplan::Plan;
use crate::event::{AgentEvent, CallEvent, CallerNumber, Entry, Fact, OfferEnd, Origin, Party};
use crate::view::{half_hour_place, half_hour_shown};
use chrono::{Datelike, NaiveDate};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Who was not served and calls within this calls again; who calls later has something new.
pub const AGAIN_WITHIN: Duration = Duration::from_hours(2);
/// Points of a curve.
const POINTS: u32 = 100;
/// Waits of which fewer are still looked at say nothing by themselves any more.
const THIN: usize = 20;
/// How far a curve of patience is carried on.
const FAR: f64 = 4.0 * 3_600_000.0;
/// Times kept of each kind.
const MOST_TIMES: usize = 1_000_000;

/// What is found.
#[derive(Clone, Debug)]
pub struct Found {
    /// As a scenario.
    pub scenario: Scenario,
    /// The calls of the span as they came, those that came again among them.
    pub arrivals: Vec<Arrival>,
    /// Who was there.
    pub stints: Vec<Stint>,
    /// What the scenario is based on.
    pub based_on: BasedOn,
}

/// How much there was to go by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BasedOn {
    /// Service days with a call.
    pub days: u64,
    /// Calls.
    pub calls: u64,
    /// Talks that were over.
    pub talks: u64,
    /// Callers who asked for an operator.
    pub asked: u64,
    /// Of those, who gave up.
    pub gave_up: u64,
    /// Rings of agents' phones.
    pub rings: u64,
    /// Times of after-call work.
    pub wrap_ups: u64,
}

struct OpenCall {
    caller: Option<String>,
    asked_ms: Option<u64>,
    answered_ms: Option<u64>,
    counted: bool,
    menu: Option<(String, u64)>,
    /// When whose phone began to ring.
    rings: BTreeMap<AgentId, u64>,
}

#[derive(Default)]
struct Presence {
    in_since: Option<Wall>,
    away_since: Option<Wall>,
    breaks: Vec<(Wall, Wall)>,
}

/// A fold over a history.
pub struct Fit<'p> {
    plan: &'p Plan,
    span: (Wall, Wall),
    open: BTreeMap<CallId, OpenCall>,
    arrivals: Vec<Arrival>,
    first_tries: BTreeMap<(NaiveDate, u8), u64>,
    numbers: BTreeMap<Number, u64>,
    talks: Vec<f64>,
    /// Waits, and whether they ended because the caller gave up.
    waits: Vec<(f64, bool)>,
    answers: Vec<f64>,
    unheard: u64,
    wrap_ups: Vec<f64>,
    wrapping: BTreeMap<AgentId, Wall>,
    menus: BTreeMap<String, (BTreeMap<String, u64>, Vec<f64>)>,
    unserved: BTreeMap<String, Wall>,
    could_again: u64,
    again: Vec<f64>,
    presence: BTreeMap<AgentId, Presence>,
    stints: Vec<Stint>,
    clock: Wall,
}

fn keep(times: &mut Vec<f64>, ms: u64) {
    if times.len() < MOST_TIMES {
        times.push(real(ms));
    }
}

impl<'p> Fit<'p> {
    /// Of calls that arrived at `span.0` or later and before `span.1`, under the plan that they came by.
    #[must_use]
    pub fn new(plan: &'p Plan, span: (Wall, Wall)) -> Self {
        Self {
            plan,
            span,
            open: BTreeMap::new(),
            arrivals: Vec::new(),
            first_tries: BTreeMap::new(),
            numbers: BTreeMap::new(),
            talks: Vec::new(),
            waits: Vec::new(),
            answers: Vec::new(),
            unheard: 0,
            wrap_ups: Vec::new(),
            wrapping: BTreeMap::new(),
            menus: BTreeMap::new(),
            unserved: BTreeMap::new(),
            could_again: 0,
            again: Vec::new(),
            presence: BTreeMap::new(),
            stints: Vec::new(),
            clock: span.0,
        }
    }

    fn within(&self, at: Wall) -> bool {
        (self.span.0..self.span.1).contains(&at)
    }

    /// Takes the next entry of the history, from its beginning on.
    pub fn apply(&mut self, entry: &Entry) {
        if entry.at < self.span.1 {
            self.clock = self.clock.max(entry.at);
        }
        match &entry.fact {
            Fact::Call { call, event, t_ms } => self.of_call(*call, event, *t_ms, entry.at),
            Fact::Agent { agent, event } => self.of_agent(agent, event, entry.at),
            _ => {}
        }
    }

    fn of_call(&mut self, call: CallId, event: &CallEvent, t_ms: u64, at: Wall) {
        if let CallEvent::Arrived { number, caller, origin, counted, .. } = event {
            if self.within(at) && matches!(origin, Origin::Trunk(_)) {
                let caller = match &caller.number {
                    CallerNumber::Known(number) => Some(number.reveal().clone()),
                    _ => None,
                };
                self.arrives(call, number, caller, *counted, at);
            }
            return;
        }
        let Some(open) = self.open.get_mut(&call) else { return };
        match event {
            CallEvent::MenuEntered { menu } => open.menu = Some((menu.as_str().to_owned(), t_ms)),
            CallEvent::KeyPressed { key, .. } | CallEvent::KeyWrong { key, .. } => {
                if let Some((menu, since)) = open.menu.take() {
                    let (choices, times) = self.menus.entry(menu).or_default();
                    *choices.entry(key.to_string()).or_default() += 1;
                    keep(times, t_ms.saturating_sub(since));
                }
            }
            CallEvent::MenuTimedOut { .. } => {
                if let Some((menu, _)) = open.menu.take() {
                    *self
                        .menus
                        .entry(menu)
                        .or_default()
                        .0
                        .entry("nothing".to_owned())
                        .or_default() += 1;
                }
            }
            CallEvent::OperatorAsked { .. } => open.asked_ms = open.asked_ms.or(Some(t_ms)),
            CallEvent::OfferMade { agent } => {
                open.rings.insert(agent.clone(), t_ms);
            }
            CallEvent::OfferEnded { agent, why } => {
                let rang = open.rings.remove(agent);
                self.unheard += u64::from(rang.is_some() && matches!(why, OfferEnd::RangOut));
            }
            CallEvent::OperatorAnswered { agent } => {
                if let Some(since) = open.rings.remove(agent) {
                    keep(&mut self.answers, t_ms.saturating_sub(since));
                }
                if open.answered_ms.is_none() {
                    open.answered_ms = Some(t_ms);
                    if let Some(asked) = open.asked_ms {
                        self.waits.push((real(t_ms.saturating_sub(asked)), false));
                    }
                }
            }
            CallEvent::Ended { by, .. } => {
                let by = *by;
                if let Some(open) = self.open.remove(&call) {
                    self.ends(open, by, t_ms, at);
                }
            }
            _ => {}
        }
    }

    fn arrives(
        &mut self,
        call: CallId,
        number: &Number,
        caller: Option<String>,
        counted: bool,
        at: Wall,
    ) {
        if self.arrivals.len() >= MOST_CALLS {
            return;
        }
        self.arrivals.push(Arrival { at, number: number.clone() });
        let since = caller.as_ref().and_then(|caller| self.unserved.remove(caller));
        let gap = since.map(|since| at.ms_since(since));
        match gap.filter(|gap| Duration::from_millis(*gap) <= AGAIN_WITHIN) {
            Some(gap) => keep(&mut self.again, gap),
            None if counted => {
                if let Some(place) = half_hour_place(at, self.plan.timezone) {
                    *self.first_tries.entry(place).or_default() += 1;
                }
                *self.numbers.entry(number.clone()).or_default() += 1;
            }
            None => {}
        }
        let open = OpenCall {
            caller,
            asked_ms: None,
            answered_ms: None,
            counted,
            menu: None,
            rings: BTreeMap::new(),
        };
        self.open.insert(call, open);
    }

    fn ends(&mut self, open: OpenCall, by: Party, t_ms: u64, at: Wall) {
        if let (Some((menu, since)), Party::Caller) = (&open.menu, by) {
            let (choices, times) = self.menus.entry(menu.clone()).or_default();
            *choices.entry("leaves".to_owned()).or_default() += 1;
            keep(times, t_ms.saturating_sub(*since));
        }
        match (open.asked_ms, open.answered_ms) {
            (_, Some(answered)) => keep(&mut self.talks, t_ms.saturating_sub(answered)),
            (Some(asked), None) => {
                self.waits.push((real(t_ms.saturating_sub(asked)), by == Party::Caller));
                if let Some(caller) = open.caller.filter(|_| open.counted) {
                    self.could_again += 1;
                    self.unserved.insert(caller, at);
                }
            }
            (None, None) => {}
        }
    }

    fn of_agent(&mut self, agent: &AgentId, event: &AgentEvent, at: Wall) {
        if let Some(since) = self.wrapping.get(agent).copied() {
            let over = !matches!(event, AgentEvent::WrapUp { .. } | AgentEvent::Phone { .. });
            if over {
                self.wrapping.remove(agent);
                if self.within(since) {
                    keep(&mut self.wrap_ups, at.ms_since(since));
                }
            }
        }
        let stay = self.presence.entry(agent.clone()).or_default();
        match event {
            AgentEvent::SignedIn { .. } => stay.in_since = stay.in_since.or(Some(at)),
            AgentEvent::SignedOut { .. } => {
                let stay = std::mem::take(stay);
                self.went(agent, stay, at);
            }
            AgentEvent::Paused { .. } => stay.away_since = stay.away_since.or(Some(at)),
            AgentEvent::Unpaused { .. } => {
                if let Some(since) = stay.away_since.take() {
                    stay.breaks.push((since, at));
                }
            }
            AgentEvent::WrapUp { .. } => {
                self.wrapping.entry(agent.clone()).or_insert(at);
            }
            AgentEvent::Talking | AgentEvent::Idle | AgentEvent::Phone { .. } => {}
        }
    }

    fn went(&mut self, agent: &AgentId, mut stay: Presence, at: Wall) {
        let Some(from) = stay.in_since else { return };
        if let Some(since) = stay.away_since {
            stay.breaks.push((since, at));
        }
        let (from, until) = (from.max(self.span.0), at.min(self.span.1));
        if from < until && self.stints.len() < MOST_TIMES {
            stay.breaks.retain(|(since, back)| *since < until && *back > from);
            self.stints.push(Stint { agent: agent.clone(), from, until, breaks: stay.breaks });
        }
    }

    /// What it comes to.
    #[must_use]
    pub fn finish(mut self) -> Found {
        let clock = self.clock;
        for (agent, stay) in std::mem::take(&mut self.presence) {
            self.went(&agent, stay, clock);
        }
        self.stints.sort_by(|a, b| (a.from, &a.agent).cmp(&(b.from, &b.agent)));
        let days: BTreeSet<NaiveDate> = self.first_tries.keys().map(|(day, _)| *day).collect();
        let based_on = BasedOn {
            days: days.len() as u64,
            calls: self.arrivals.len() as u64,
            talks: self.talks.len() as u64,
            asked: self.waits.len() as u64,
            gave_up: self.waits.iter().filter(|(_, gave_up)| *gave_up).count() as u64,
            rings: self.answers.len() as u64 + self.unheard,
            wrap_ups: self.wrap_ups.len() as u64,
        };
        let again = real(self.again.len() as u64) / real(self.could_again.max(1));
        let standard = Scenario::default();
        let callers = Callers {
            talk: curve(&mut self.talks).unwrap_or(standard.callers.talk),
            patience: patience(&mut self.waits).unwrap_or(Lasts::Never),
            again: curve(&mut self.again).map(|after| Repeats { share: again.min(0.95), after }),
            menus: std::mem::take(&mut self.menus)
                .into_iter()
                .map(|(menu, (choices, mut times))| {
                    let choices = choices.into_iter().map(|(choice, count)| (choice, real(count)));
                    let after = curve(&mut times).unwrap_or(Lasts::fixed(Duration::ZERO));
                    (menu, Menu { choices: choices.collect(), after })
                })
                .collect(),
        };
        let rings = real(based_on.rings.max(1));
        let agents = People {
            answer: curve(&mut self.answers).unwrap_or(standard.agents.answer),
            unheard: real(self.unheard) / rings,
            wrap_up: curve(&mut self.wrap_ups),
        };
        let calls = self.calls(&days);
        let scenario = Scenario { calls, callers, agents, ..standard };
        Found { scenario, arrivals: self.arrivals, stints: self.stints, based_on }
    }

    /// Days of the span that the plan serves count, also those on which nobody called.
    fn calls(&self, days: &BTreeSet<NaiveDate>) -> Calls {
        let (Some(first), Some(last)) = (days.first(), days.last()) else {
            return Calls::default();
        };
        let served: Vec<NaiveDate> = first
            .iter_days()
            .take_while(|day| day <= last)
            .filter(|day| self.plan.serves_on(*day) || days.contains(day))
            .collect();
        let mut by_day: BTreeMap<NaiveDate, f64> = served.iter().map(|day| (*day, 0.0)).collect();
        let mut half_hours: BTreeMap<String, f64> = BTreeMap::new();
        for ((day, index), count) in &self.first_tries {
            *by_day.entry(*day).or_default() += real(*count);
            *half_hours.entry(half_hour_shown(*index)).or_default() += real(*count);
        }
        let mean = by_day.values().sum::<f64>() / real(by_day.len().max(1) as u64);
        let mut weekdays: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
        for (day, count) in &by_day {
            let sum = weekdays.entry(day.weekday().num_days_from_monday() as usize).or_default();
            *sum = (sum.0 + count, sum.1 + 1.0);
        }
        let weight = |sum: &(f64, f64)| sum.0 / sum.1 / mean;
        // What days differ beyond chance and weekday: variance less the mean, which is chance's own.
        let (mut beyond, mut squares) = (0.0, 0.0);
        for (day, count) in &by_day {
            let of_day = weekdays.get(&(day.weekday().num_days_from_monday() as usize));
            let due = mean * of_day.map_or(1.0, weight);
            beyond += (count - due) * (count - due) - due;
            squares += due * due;
        }
        let spread = if squares > 0.0 { libm::sqrt((beyond / squares).max(0.0)) } else { 0.0 };
        Calls {
            service_day: Some(rounded(mean)),
            weekdays: weekdays
                .iter()
                .filter_map(|(day, sum)| {
                    Some(((*WEEKDAYS.get(*day)?).to_owned(), rounded(weight(sum))))
                })
                .collect(),
            half_hours,
            day_spread: rounded(spread),
            numbers: self
                .numbers
                .iter()
                .map(|(number, count)| (number.to_string(), real(*count)))
                .collect(),
            ..Calls::default()
        }
    }
}

fn rounded(real: f64) -> f64 {
    libm::round(real * 10_000.0) / 10_000.0
}

fn time(ms: f64) -> Time {
    Time(Duration::from_millis(whole(ms + 0.5)))
}

/// As it was found, at every hundredth; one time when all are the same, none of none. Its end is not the longest time of
/// all, but where the last hundredth has the mean that was found in it: a straight line to the one longest talk of a year
/// would make a hundredth of all talks so much longer that callers behind them wait a tenth longer than they did.
pub(super) fn curve(times: &mut [f64]) -> Option<Lasts> {
    times.sort_by(f64::total_cmp);
    let (first, last) = (times.first()?, times.last()?);
    if first.total_cmp(last).is_eq() {
        return Some(Lasts::Fixed(time(*first)));
    }
    let part = |place: u32| f64::from(place) / f64::from(POINTS);
    let before = quantile(times, part(POINTS - 1));
    let longest = times.iter().rev().take_while(|ms| **ms > before);
    let (sum, count) = longest.fold((0.0, 0_u64), |(sum, count), ms| (sum + ms, count + 1));
    let end = (2.0 * sum / real(count.max(1)) - before).clamp(before, *last);
    let point = |place: u32| (part(place), time(quantile(times, part(place))));
    let points = (0..POINTS).map(point).chain([(1.0, time(end))]);
    Some(Lasts::Curve(points.collect()))
}

/// Kaplan and Meier's estimate while enough are still waiting; beyond, callers go on giving up at the rate at
/// which all of them did. None when nobody asked or nobody gave up.
///
/// Steps smaller than a hundredth are drawn together as a line; a greater one stays the step that it is, at its time.
/// Such steps come where nearly all have been answered, at the end of an ordinary ring, and few are left to judge by: a
/// line across that end would have the many who were answered before it give up as those few did later.
pub(super) fn patience(waits: &mut [(f64, bool)]) -> Option<Lasts> {
    waits.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
    let all: f64 = waits.iter().map(|(ms, _)| ms).sum();
    let gave_up = waits.iter().filter(|(_, gave_up)| *gave_up).count() as u64;
    if gave_up == 0 || all <= 0.0 {
        return None;
    }
    let mean = all / real(gave_up);
    let (mut points, mut stays, mut until) = (Vec::new(), 1.0, 0.0);
    let mut beneath: Option<(f64, Time)> = None;
    for (place, (ms, left)) in waits.iter().enumerate() {
        let waiting = waits.len() - place;
        if waiting < THIN {
            break;
        }
        until = *ms;
        if *left {
            let before = stays;
            stays *= 1.0 - 1.0 / real(waiting as u64);
            let (under, part) = (1.0 - before, 1.0 - stays);
            let told = points.last().map_or(0.0, |(part, _): &(f64, Time)| *part);
            if part - told < 1.0 / f64::from(POINTS) {
                beneath = Some((part, time(*ms)));
            } else {
                points.extend(beneath.take());
                points.extend([(under, time(*ms)), (part, time(*ms))]);
            }
        }
    }
    let (part, at) = (1.0 - stays, until);
    if points.last().is_none_or(|(last, _)| *last < part) {
        points.push((part, time(at)));
    }
    for step in 1..=POINTS {
        let later = FAR * f64::from(step * step) / f64::from(POINTS * POINTS);
        let part = 1.0 - stays * libm::exp(-later / mean);
        if points.last().is_none_or(|(last, _)| *last < part) {
            points.push((part.min(1.0), time(at + later)));
        }
    }
    Some(Lasts::Curve(points))
}
