//! `[calling_out]` and `[[outside]]` as they are written.

use super::outside::{Outside, OutsideRule, Pattern};
use super::parse::{MOST_AGENTS, MOST_ENTRIES, Reading};
use super::problem::Problem;
use super::reader::{Item, Table};
use super::shape::{NumberRule, Shape, TextRule};
use super::values;
use crate::base::{GroupId, Number, TrunkId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Reads both; none when neither is written.
pub(crate) fn outside(reading: &mut Reading<'_, '_>, top: &mut Table) -> Option<Outside> {
    let table = top.table("calling_out", reading.out);
    let listed = top.get("outside");
    if table.is_none() && listed.is_none() {
        return None;
    }
    let mut outside = calling_out(reading, table.unwrap_or_else(|| top.empty()));
    let list = listed.as_ref().and_then(|item| item.list(reading.out)).unwrap_or_default();
    for item in list.iter().take(MOST_ENTRIES) {
        outside.rules.extend(rule(reading, item));
    }
    Some(outside)
}

fn calling_out(reading: &mut Reading<'_, '_>, mut table: Table) -> Outside {
    let mut extensions = BTreeSet::new();
    let list = table.get("extensions").and_then(|item| item.list(reading.out)).unwrap_or_default();
    for item in &list {
        let Some(text) = item.raw(reading.out) else { continue };
        let room = MOST_AGENTS.saturating_sub(extensions.len());
        extensions.extend(reading.range(&text, room, MOST_AGENTS).into_iter().map(Number::from));
    }
    let list = table.get("groups").and_then(|item| item.list(reading.out)).unwrap_or_default();
    let names = list.iter().filter_map(|item| item.text(TextRule::Id, reading.out));
    let groups: BTreeSet<GroupId> = names.map(|name| name.value.into()).collect();
    let calls = table.integer("calls", 1..=100, 1, reading.out);
    let minutes = table.integer("minutes_a_day", 1..=1440, 240, reading.out);
    let prefix = table.get("prefix").and_then(|item| item.raw(reading.out)).and_then(|text| {
        let good = text.value.len() <= 3 && text.value.bytes().all(|b| b.is_ascii_digit());
        if !good {
            let found = text.value.clone();
            reading.out.at(&text.span, Shape::BadNumber { found, rule: NumberRule::Digits });
        }
        good.then_some(text.value)
    });
    let withhold = table.flag("withhold", false, reading.out);
    let caller_id = shown(reading, &mut table);
    let emergency = trunks(reading, &mut table, "emergency");
    let (mut group_ids, mut extension_ids) = (BTreeMap::new(), BTreeMap::new());
    if let Some(ids) = table.table("caller_ids", reading.out) {
        for (key, item) in ids.entries().into_iter().take(MOST_AGENTS) {
            let Some(number) = number(reading, &item) else { continue };
            if values::is_number(&key.value) {
                extension_ids.insert(Number::from(key.value), number);
            } else {
                group_ids.insert(GroupId::from(key.value), number);
            }
        }
    }
    table.finish(reading.out);
    Outside {
        extensions,
        groups,
        calls: u32::try_from(calls).unwrap_or(1),
        per_day: Duration::from_secs(minutes.saturating_mul(60)),
        prefix: prefix.unwrap_or_default(),
        withhold,
        caller_id,
        group_ids,
        extension_ids,
        emergency,
        rules: Vec::new(),
    }
}

fn rule(reading: &mut Reading<'_, '_>, item: &Item) -> Option<OutsideRule> {
    let mut table = item.table(reading.out)?;
    let name = table.name("name", reading.out);
    let listed = table.need("numbers", "numbers = [\"0xxxxxxxxx\"]", reading.out);
    let mut numbers = Vec::new();
    for item in listed.as_ref().and_then(|item| item.list(reading.out)).unwrap_or_default() {
        let Some(text) = item.raw(reading.out) else { continue };
        match Pattern::parse(&text.value) {
            Some(pattern) => numbers.push(pattern),
            None => reading.out.at(&text.span, Problem::BadPattern { found: text.value }),
        }
    }
    let span = table.span.clone();
    let trunks = trunks(reading, &mut table, "trunks");
    if trunks.is_empty() {
        reading.out.at(&span, Problem::NoWayOut);
    }
    let caller_id = shown(reading, &mut table);
    table.finish(reading.out);
    Some(OutsideRule { name: name.unwrap_or_default(), numbers, trunks, caller_id })
}

fn trunks(reading: &mut Reading<'_, '_>, table: &mut Table, key: &'static str) -> Vec<TrunkId> {
    let list = table.get(key).and_then(|item| item.list(reading.out)).unwrap_or_default();
    let names = list.iter().filter_map(|item| item.text(TextRule::Id, reading.out));
    names.map(|name| name.value.into()).collect()
}

fn shown(reading: &mut Reading<'_, '_>, table: &mut Table) -> Option<Number> {
    let item = table.get("caller_id")?;
    number(reading, &item)
}

fn number(reading: &mut Reading<'_, '_>, item: &Item) -> Option<Number> {
    let text = item.raw(reading.out)?;
    if !values::is_number(&text.value) {
        let found = text.value.clone();
        reading.out.at(&text.span, Shape::BadNumber { found, rule: NumberRule::Digits });
        return None;
    }
    Some(Number::from(text.value))
}
