//! What is assumed of calls, callers and agents, as a file says it (TOML). Every part has a default; none of the
//! defaults is a fact about anybody's desk, so `fit` takes them from a history.

use super::lasts::{Lasts, Time};
use crate::dialplan::Plan;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Everything that is assumed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// How many come when.
    pub calls: Calls,
    /// How callers behave.
    pub callers: Callers,
    /// How agents do.
    pub agents: People,
    /// Who is there when; none: every agent of the plan while the desk is open.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shifts: Vec<Shift>,
    /// Lines by trunk: a caller who finds them all in use hears the carrier's tone and never reaches the desk.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub lines: BTreeMap<String, u32>,
}

/// How many come when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Calls {
    /// Expected in the whole month, first tries only.
    pub month: f64,
    /// Instead, expected on a service day, all weekdays together; goes before `month`, and a month has as many as it
    /// has service days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_day: Option<f64>,
    /// Weights of weekdays, `mon` to `sun`; one left out is 1. A day that the plan does not serve has no calls.
    pub weekdays: BTreeMap<String, f64>,
    /// Weights of half hours by their beginning, `08:30`; none: all the plan's open ones alike.
    pub half_hours: BTreeMap<String, f64>,
    /// How much busier or quieter one day is than another beyond chance: standard deviation / mean.
    pub day_spread: f64,
    /// Weights of the numbers that are dialled; none: the first that is counted.
    pub numbers: BTreeMap<String, f64>,
}

impl Default for Calls {
    fn default() -> Self {
        let none = BTreeMap::new;
        Self {
            month: 1_800.0,
            service_day: None,
            weekdays: none(),
            half_hours: none(),
            day_spread: 0.0,
            numbers: none(),
        }
    }
}

/// How callers behave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Callers {
    /// From being put through to hanging up.
    pub talk: Lasts,
    /// How long they wait for an operator, from asking for one, before they hang up.
    pub patience: Lasts,
    /// What those do who were not served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub again: Option<Repeats>,
    /// What they press, by menu; one left out: the first key that leads to a group, at once.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub menus: BTreeMap<String, Menu>,
}

impl Default for Callers {
    fn default() -> Self {
        Self {
            talk: Lasts::LogNormal { mean: Time(Duration::from_secs(300)), cv: 0.8 },
            patience: Lasts::exponential(Duration::from_secs(180)),
            again: None,
            menus: BTreeMap::new(),
        }
    }
}

/// Who was not served calls again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeats {
    /// So many of them, each time, 0 to 1.
    pub share: f64,
    /// After so long.
    pub after: Lasts,
}

/// What callers do in a menu.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Menu {
    /// Weights: a key, `nothing`, or `leaves` for those who hang up.
    pub choices: BTreeMap<String, f64>,
    /// From the menu's beginning to that.
    #[serde(default = "at_once")]
    pub after: Lasts,
}

fn at_once() -> Lasts {
    Lasts::fixed(Duration::ZERO)
}

/// What a caller does in a menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Presses this.
    Key(char),
    /// Lets its time pass.
    Nothing,
    /// Hangs up.
    Leaves,
}

impl Choice {
    /// As a scenario writes it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let mut signs = name.chars();
        match (name, signs.next(), signs.next()) {
            ("nothing", ..) => Some(Self::Nothing),
            ("leaves", ..) => Some(Self::Leaves),
            (_, Some(key @ ('0'..='9' | '*' | '#')), None) => Some(Self::Key(key)),
            _ => None,
        }
    }
}

/// How agents do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct People {
    /// From the ring to picking up.
    pub answer: Lasts,
    /// So many rings nobody hears, 0 to 1.
    pub unheard: f64,
    /// After-call work; none: as long as the plan gives. A longer one is made longer by the agent, as by the
    /// feature code, a shorter one ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrap_up: Option<Lasts>,
}

impl Default for People {
    fn default() -> Self {
        Self { answer: Lasts::fixed(Duration::from_secs(4)), unheard: 0.0, wrap_up: None }
    }
}

/// When some agents are there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shift {
    /// The lines of the plan's agents, `2001`, or so many that have no shift yet.
    pub agents: Who,
    /// `mon` to `sun`; none: every service day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<String>,
    /// Such as `08:30-18:15`.
    pub time: String,
    /// Within it, such as `12:00-13:00`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breaks: Vec<String>,
}

/// Whom a shift is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Who {
    /// So many.
    Count(u32),
    /// These.
    Named(Vec<String>),
}

impl Scenario {
    /// So many lines of every trunk of the plan's numbers; of one that is called carrier when they name none.
    pub fn set_lines(&mut self, plan: &Plan, lines: u32) {
        let named = plan.desk_numbers.values().flat_map(|desk| desk.trunks.iter());
        self.lines = named.map(|trunk| (trunk.to_string(), lines)).collect();
        if self.lines.is_empty() {
            self.lines.insert("carrier".to_owned(), lines);
        }
    }

    /// What cannot be simulated, each with what is due.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut lasts = |name: &str, lasts: &Lasts| {
            if let Err(due) = lasts.check() {
                faults.push(format!("{name}: {due}"));
            }
        };
        lasts("callers.talk", &self.callers.talk);
        lasts("callers.patience", &self.callers.patience);
        lasts("agents.answer", &self.agents.answer);
        if let Some(wrap_up) = &self.agents.wrap_up {
            lasts("agents.wrap_up", wrap_up);
        }
        if let Some(again) = &self.callers.again {
            lasts("callers.again.after", &again.after);
        }
        for (menu, asked) in &self.callers.menus {
            lasts(&format!("callers.menus.{menu}.after"), &asked.after);
        }
        let mut part = |name: &str, value: f64, most: f64| {
            if !(0.0..=most).contains(&value) {
                faults.push(format!("{name} is {value}; due is a number from 0 to {most}"));
            }
        };
        part("calls.month", self.calls.month, 1_000_000.0);
        part("calls.service_day", self.calls.service_day.unwrap_or(0.0), 50_000.0);
        part("calls.day_spread", self.calls.day_spread, 3.0);
        part("agents.unheard", self.agents.unheard, 1.0);
        if let Some(again) = &self.callers.again {
            part("callers.again.share", again.share, 0.95);
        }
        let weights =
            self.calls.weekdays.iter().chain(&self.calls.half_hours).chain(&self.calls.numbers);
        for (name, weight) in weights {
            part(&format!("calls: the weight of {name}"), *weight, 1_000_000.0);
        }
        for (menu, asked) in &self.callers.menus {
            for (choice, weight) in &asked.choices {
                part(
                    &format!("callers.menus.{menu}: the weight of {choice}"),
                    *weight,
                    1_000_000.0,
                );
            }
        }
        for (menu, asked) in &self.callers.menus {
            for choice in asked.choices.keys().filter(|choice| Choice::named(choice).is_none()) {
                faults.push(format!(
                    "callers.menus.{menu}: {choice:?} is due as a key, nothing or leaves"
                ));
            }
        }
        faults
    }
}
