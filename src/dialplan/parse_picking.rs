//! How a group picks among its members as it is written: priorities, weights, skills, and the callers who
//! are served first.

use super::finding::Findings;
use super::parse::{From, Reading};
use super::parse_way;
use super::picking::{
    MOST_LEVEL, Onward, Overflow, OverflowWhen, Picking, Preferred, Share, Skills, Widening,
};
use super::plan::Target;
use super::problem::Problem;
use super::reader::{At, Item, Table};
use super::shape::{Kind, NumberRule, Shape, TextRule, show};
use super::values;
use crate::base::{AgentId, GroupId, Number, Private, PromptId};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// What a priority or a level may be.
const LEVEL: RangeInclusive<u64> = 1..=MOST_LEVEL as u64;
const WEIGHT: RangeInclusive<u64> = 1..=1000;
const AFTER: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(4 * 3600);
/// Most skills of one agent, number, key or group, and most steps of one widening.
const MOST_SKILLS: usize = 32;
/// Most rules of overflow of one group.
const MOST_OVERFLOWS: usize = 16;
/// Most announcements of waits.
const MOST_WAITS: usize = 64;

fn level(value: u64) -> u8 {
    u8::try_from(value).unwrap_or(MOST_LEVEL)
}

/// `priority = 2`.
pub(crate) fn priority(table: &mut Table, default: u8, out: &mut Findings) -> u8 {
    level(table.integer("priority", LEVEL, u64::from(default), out))
}

/// `"2003-2005"`, or `{ agents = "2003-2005", priority = 2, weight = 3 }`.
pub(crate) fn member(entry: &Item, out: &mut Findings) -> Option<(At<String>, Share)> {
    if entry.is(Kind::Text) {
        return Some((entry.raw(out)?, Share::default()));
    }
    if !entry.is(Kind::Table) {
        entry.wrong_kind(&[Kind::Text, Kind::Table], out);
        return None;
    }
    let mut table = entry.table(out)?;
    let agents = table.need("agents", "{ agents = \"2003-2005\", priority = 2 }", out);
    let agents = agents.and_then(|item| item.raw(out));
    let plain = Share::default();
    let priority = priority(&mut table, plain.priority, out);
    let weight = table.integer("weight", WEIGHT, u64::from(plain.weight), out);
    table.finish(out);
    Some((agents?, Share { priority, weight: u32::try_from(weight).unwrap_or(1) }))
}

impl Reading<'_, '_> {
    /// What an agent knows: `skills = { printer = 2 }`.
    pub(crate) fn skills(&mut self, table: &mut Table) -> Skills {
        table.get("skills").map_or_else(Skills::default, |item| self.skills_in(&item))
    }

    /// What is asked for: the same, and somebody must have it.
    pub(crate) fn asked(&mut self, table: &mut Table) -> Skills {
        table.get("skills").map_or_else(Skills::default, |item| self.asked_in(&item))
    }

    fn asked_in(&mut self, item: &Item) -> Skills {
        let skills = self.skills_in(item);
        for skill in skills.0.keys() {
            self.marks.skills.push(At { value: skill.clone(), span: item.span.clone() });
        }
        skills
    }

    fn skills_in(&mut self, item: &Item) -> Skills {
        let mut skills = Skills::default();
        let Some(table) = item.table(self.out) else { return skills };
        let entries = table.entries();
        if entries.len() > MOST_SKILLS {
            let key = item.key.clone();
            self.out.at(&item.span, Shape::TooMany { key, most: MOST_SKILLS });
        }
        for (skill, item) in entries.into_iter().take(MOST_SKILLS) {
            if !values::obeys(&skill.value, TextRule::Id) {
                let (key, found) = ("skills".to_owned(), skill.value.clone());
                self.out.at(&skill.span, Shape::BadText { key, found, rule: TextRule::Id });
            }
            if let Some(found) = item.integer(LEVEL, self.out) {
                skills.0.insert(Arc::from(skill.value), level(found.value));
            }
        }
        skills
    }

    /// What callers of a menu need who press a key: `[menus.NAME.skills]`, `2 = { english = 2 }`.
    pub(crate) fn key_skills(
        &mut self,
        table: &mut Table,
        keys: &BTreeMap<char, Target>,
    ) -> BTreeMap<char, Skills> {
        let mut found = BTreeMap::new();
        let Some(table) = table.table("skills", self.out) else { return found };
        for (name, item) in table.entries() {
            match values::key(&name.value).filter(|key| keys.contains_key(key)) {
                Some(key) => {
                    found.insert(key, self.asked_in(&item));
                }
                None => self.out.at(&name.span, Problem::BadKey { found: name.value }),
            }
        }
        found
    }

    /// What a group's table says of it beside the members.
    pub(crate) fn picking(
        &mut self,
        shares: BTreeMap<AgentId, Share>,
        table: &mut Table,
    ) -> Picking {
        let skills = self.asked(table);
        let steps = table.get("widen").and_then(|item| item.list(self.out)).unwrap_or_default();
        let mut widen: Vec<Widening> = Vec::new();
        for item in steps.iter().take(MOST_SKILLS) {
            let Some(mut step) = item.table(self.out) else { continue };
            let example =
                "widen = [{ after = \"30s\", level = 2 }, { after = \"60s\", level = 0 }]";
            let after = step.need("after", example, self.out);
            let after = after.and_then(|item| item.duration(AFTER, self.out));
            let to = step.need("level", example, self.out);
            let to = to.and_then(|item| item.integer(0..=u64::from(MOST_LEVEL) - 1, self.out));
            step.finish(self.out);
            let (Some(after), Some(to)) = (after, to) else { continue };
            let next = Widening { after: after.value, level: level(to.value) };
            let falls = |last: &Widening| last.after < next.after && last.level > next.level;
            if widen.last().is_some_and(|last| !falls(last)) {
                let found = format!("{}, {}", show(next.after), next.level);
                self.out.at(&item.span, Problem::WidenOrder { found });
            }
            widen.push(next);
        }
        Picking { shares, skills, widen }
    }

    /// `[[groups.NAME.overflow]]`: one condition, and where to.
    pub(crate) fn overflow(&mut self, id: &GroupId, table: &mut Table) -> Vec<Overflow> {
        let list = table.get("overflow").and_then(|item| item.list(self.out)).unwrap_or_default();
        let mut found = Vec::new();
        for item in list.iter().take(MOST_OVERFLOWS) {
            let Some(mut rule) = item.table(self.out) else { continue };
            let waiting = rule.get("waiting").and_then(|item| item.integer(0..=10_000, self.out));
            let waited = rule.get("waited").and_then(|item| item.duration(AFTER, self.out));
            let estimated = rule.get("estimated").and_then(|item| item.duration(AFTER, self.out));
            let conditions = rule.written();
            let example = "overflow = [{ waited = \"60s\", to = { group = \"second\" } }]";
            let to = rule.need("to", example, self.out);
            let to = to.and_then(|item| self.onward(id, &item));
            rule.finish(self.out);
            if conditions != 1 {
                self.out.at(&item.span, Problem::BadOverflow { found: conditions });
            }
            if to.as_ref().is_some_and(|to| *to == Onward::Way(Target::Group(id.clone()))) {
                self.out.at(&item.span, Problem::OverflowHome { group: id.as_str().to_owned() });
            }
            let waiting = waiting.and_then(|at| u32::try_from(at.value).ok());
            let when = waiting
                .map(OverflowWhen::Waiting)
                .or(waited.map(|at| OverflowWhen::Waited(at.value)))
                .or(estimated.map(|at| OverflowWhen::Estimated(at.value)));
            if let (Some(when), Some(to)) = (when, to) {
                found.push(Overflow { when, to });
            }
        }
        found
    }

    /// A way as everywhere, or `{ outside = "0398765432" }`.
    fn onward(&mut self, id: &GroupId, item: &Item) -> Option<Onward> {
        let mut table = item.table(self.out)?;
        let Some(outside) = table.get("outside") else {
            return parse_way::target(self, &From::Desk, item).map(Onward::Way);
        };
        let ways = table.written();
        table.finish(self.out);
        if ways != 1 {
            self.out.at(&item.span, Problem::BadTarget { found: ways });
            return None;
        }
        let number = outside.raw(self.out)?;
        if !values::is_number(&number.value) && !values::is_emergency(&number.value) {
            let found = number.value;
            self.out.at(&number.span, Shape::BadNumber { found, rule: NumberRule::Digits });
            return None;
        }
        let number = number.map(Number::from);
        self.marks.overflow_outside.push((id.clone(), number.clone()));
        Some(Onward::Outside(number.value))
    }

    /// `waits = [{ within = "1m", prompt = "wait-1min" }, …]` of `[prompts]`.
    pub(crate) fn waits(&mut self, table: &mut Table) -> Vec<(Duration, PromptId)> {
        let list = table.get("waits").and_then(|item| item.list(self.out)).unwrap_or_default();
        let mut waits: Vec<(Duration, PromptId)> = Vec::new();
        for item in list.iter().take(MOST_WAITS) {
            let Some(mut entry) = item.table(self.out) else { continue };
            let example = "waits = [{ within = \"1m\", prompt = \"wait-1min\" }]";
            let within = entry.need("within", example, self.out);
            let within = within.and_then(|item| item.duration(AFTER, self.out));
            let prompt = entry.need("prompt", example, self.out);
            let prompt = prompt.and_then(|item| self.prompt_in(&item));
            entry.finish(self.out);
            if let (Some(within), Some(prompt)) = (within, prompt) {
                if waits.last().is_some_and(|(last, _)| *last >= within.value) {
                    self.out.at(&within.span, Problem::WaitsOrder { found: show(within.value) });
                }
                waits.push((within.value, prompt));
            }
        }
        waits
    }

    /// `[preferred_callers]`: number = priority.
    pub(crate) fn preferred(&mut self, top: &mut Table) -> Preferred {
        let mut list = Preferred::new();
        for (number, item) in self.all(top, "preferred_callers") {
            if !values::is_number(&number.value) {
                let found = number.value.clone();
                self.out.at(&number.span, Shape::BadNumber { found, rule: NumberRule::Digits });
            }
            if let Some(priority) = item.integer(LEVEL, self.out) {
                list.insert(Private::new(number.value), level(priority.value));
            }
        }
        list
    }
}
