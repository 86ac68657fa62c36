//! A call's ways as they are written: desk numbers, menus, groups, and the targets between them.

use super::parse::{From, LONGEST_RING, MOST_AGENTS, Reading};
use super::parse_attendant;
use super::picking::{PLAIN_PRIORITY, Share};
use super::plan::{AtClosing, ClosedTargets, DeskNumber, Group, Menu, SetAside, Strategy, Target};
use super::problem::{Problem, What};
use super::reader::{At, Item, Table};
use super::shape::{Kind, NumberRule, Shape, TextRule, show};
use super::values;
use crate::base::{AgentId, GroupId, MenuId, Number, PromptId, SurveyId, TrunkId};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

/// Shortest longest wait in which the busy announcement can be told to its end.
const BUSY_TOLD: Duration = Duration::from_secs(10);

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What each duration of a group may be.
const RING: RangeInclusive<Duration> = s(1)..=LONGEST_RING;
pub(crate) const WRAP_UP: RangeInclusive<Duration> = s(0)..=s(3600);
const SET_ASIDE: RangeInclusive<Duration> = s(1)..=s(24 * 3600);
const MAX_WAIT: RangeInclusive<Duration> = s(1)..=s(4 * 3600);
const COMFORT_EVERY: RangeInclusive<Duration> = s(5)..=s(3600);
const MENU_TIMEOUT: RangeInclusive<Duration> = s(1)..=s(60);

/// Where a call goes next: exactly one of them.
pub(crate) fn target(reading: &mut Reading<'_, '_>, from: &From, item: &Item) -> Option<Target> {
    let mut table = item.table(reading.out)?;
    let menu = table.get("menu").and_then(|item| item.raw(reading.out));
    let group = table.get("group").and_then(|item| item.raw(reading.out));
    let extension = table.get("extension").and_then(|item| item.raw(reading.out));
    let announce = table.get("announce");
    let refuse = table.get("refuse");
    let enter = table.get("enter").and_then(|item| item.raw(reading.out));
    let message = table.get("message").and_then(|item| item.raw(reading.out));
    let callback = table.get("callback").and_then(|item| item.raw(reading.out));
    let hours = table.get("hours");
    let language = table.get("language");
    let ways = table.written();
    if ways == 1 && (hours.is_some() || language.is_some()) {
        let hours = hours.and_then(|item| item.raw(reading.out));
        let inner = match (hours, language) {
            (Some(hours), _) => Some(parse_attendant::branch(reading, from, hours, &mut table)),
            (None, Some(item)) => Some(parse_attendant::speak(reading, from, &item, &mut table)),
            (None, None) => None,
        };
        table.finish(reading.out);
        return inner;
    }
    table.finish(reading.out);
    if ways != 1 {
        reading.out.at(&item.span, Problem::BadTarget { found: ways });
        return None;
    }
    let target = if let Some(menu) = menu {
        menu.map(|name| Target::Menu(name.into()))
    } else if let Some(group) = group {
        group.map(|name| Target::Group(name.into()))
    } else if let Some(extension) = extension {
        if !values::is_number(&extension.value) {
            let found = extension.value;
            let problem = Shape::BadNumber { found, rule: NumberRule::Digits };
            reading.out.at(&extension.span, problem);
            return None;
        }
        extension.map(|number| Target::Extension(number.into()))
    } else if let Some(entry) = enter {
        entry.map(|name| Target::Enter(name.into()))
    } else if let Some(mailbox) = message {
        mailbox.map(|name| Target::Message(name.into()))
    } else if let Some(callback) = callback {
        callback.map(|name| Target::Callback(name.into()))
    } else if let Some(item) = announce {
        let prompt = reading.prompt_in(&item)?;
        At { value: Target::Announce(prompt), span: item.span }
    } else {
        let item = refuse?;
        let status = item.integer(100..=699, reading.out)?;
        let Some(known) =
            [486, 503, 603].into_iter().find(|&known| u64::from(known) == status.value)
        else {
            reading.out.at(&item.span, Problem::BadStatus { found: status.value.to_string() });
            return None;
        };
        At { value: Target::Refuse(known), span: item.span }
    };
    reading.marks.ways.push((from.clone(), target.clone()));
    Some(target.value)
}

/// Stands in for a target that could not be read.
const NOWHERE: Target = Target::Refuse(503);

pub(crate) fn way(
    reading: &mut Reading<'_, '_>,
    from: &From,
    table: &mut Table,
    key: &'static str,
    example: &'static str,
) -> Target {
    table
        .need(key, example, reading.out)
        .and_then(|item| target(reading, from, &item))
        .unwrap_or(NOWHERE)
}

/// Reads one `[desk_numbers.…]`.
pub(crate) fn desk_number(reading: &mut Reading<'_, '_>, item: &Item) -> Option<DeskNumber> {
    let mut table = item.table(reading.out)?;
    let name = table
        .need("name", "name = \"代表\"", reading.out)
        .and_then(|item| item.text(TextRule::Name, reading.out))
        .map_or_else(String::new, |name| name.value);
    let hours = table.get("hours").and_then(|item| item.raw(reading.out)).map(|name| {
        let name = name.map(std::sync::Arc::<str>::from);
        reading.marks.hours_named.push(name.clone());
        name.value
    });
    let open = way(reading, &From::Desk, &mut table, "open", "open = { group = \"desk\" }");
    let otherwise = if hours.is_some() {
        way(reading, &From::Desk, &mut table, "closed", "closed = { announce = \"after-hours\" }")
    } else {
        unused(reading, &mut table, "closed");
        open.clone()
    };
    let mut closed = |key| {
        if hours.is_none() {
            unused(reading, &mut table, key);
            return otherwise.clone();
        }
        let item = table.get(key);
        item.and_then(|item| target(reading, &From::Desk, &item)).unwrap_or(otherwise.clone())
    };
    let (night, holiday, closure) = (closed("night"), closed("holiday"), closed("closure"));
    // A number without hours can be closed by a person all the same.
    let usual = hours.is_some().then(|| otherwise.clone());
    let ad_hoc = match table.get("ad_hoc") {
        Some(item) => target(reading, &From::Desk, &item).unwrap_or(NOWHERE),
        // Words that the desk always has.
        None => usual.unwrap_or_else(|| Target::Announce("adhoc-closed".into())),
    };
    let disaster = match table.get("disaster") {
        Some(item) => target(reading, &From::Desk, &item).unwrap_or(NOWHERE),
        None if hours.is_none() && !table.has("ad_hoc") => Target::Announce("disaster".into()),
        None => ad_hoc.clone(),
    };
    let closed = ClosedTargets { night, holiday, closure, ad_hoc, disaster };
    let line_limit = table
        .need("lines", "lines = 30", reading.out)
        .and_then(|item| item.integer(1..=100_000, reading.out))
        .and_then(|lines| u32::try_from(lines.value).ok())
        .unwrap_or(1);
    let counted = table.flag("counted", true, reading.out);
    let priority = super::parse_picking::priority(&mut table, PLAIN_PRIORITY, reading.out);
    let skills = reading.asked(&mut table);
    let trunks = table.get("trunks").and_then(|item| item.list(reading.out)).unwrap_or_default();
    let trunks: BTreeSet<TrunkId> = trunks
        .iter()
        .filter_map(|item| Some(item.text(TextRule::Id, reading.out)?.value.into()))
        .collect();
    let recorded = reading.recorded(&mut table);
    let at_closing = at_closing(reading, &mut table);
    let tell_agent = tell_agent(reading, &mut table);
    let lamp = lamp(reading, &mut table);
    let short = short(reading, &mut table);
    table.finish(reading.out);
    Some(DeskNumber {
        name,
        hours,
        open,
        closed,
        line_limit,
        counted,
        priority,
        skills,
        trunks,
        recorded,
        at_closing,
        tell_agent,
        lamp,
        short,
    })
}

/// The number of a lamp of the desk's own.
fn lamp(reading: &mut Reading<'_, '_>, table: &mut Table) -> Option<Number> {
    let number = table.get("lamp")?.raw(reading.out)?;
    if !values::is_number(&number.value) {
        let found = number.value;
        reading.out.at(&number.span, Shape::BadNumber { found, rule: NumberRule::Digits });
        return None;
    }
    reading.number(&number, What::Lamp);
    Some(number.value.into())
}

/// What stands for a desk number behind a feature code: one to four digits, each once.
fn short(reading: &mut Reading<'_, '_>, table: &mut Table) -> Option<Number> {
    let text = table.get("short")?.raw(reading.out)?;
    let good =
        (1..=4).contains(&text.value.len()) && text.value.bytes().all(|b| b.is_ascii_digit());
    if !good {
        reading.out.at(&text.span, Problem::BadShort { found: text.value });
        return None;
    }
    let before = reading.marks.shorts.iter().find(|known| known.value == text.value);
    if let Some(before) = before {
        let line = reading.out.source().line_of(before.span.start);
        reading.out.at(&text.span, Problem::ShortTwice { found: text.value, line });
        return None;
    }
    reading.marks.shorts.push(text.clone());
    Some(text.value.into())
}

fn tell_agent(reading: &mut Reading<'_, '_>, table: &mut Table) -> Option<PromptId> {
    let item = table.get("tell_agent")?;
    let prompt = reading.prompt_in(&item)?;
    reading.marks.tell_agent.push(At { value: prompt.clone(), span: item.span });
    Some(prompt)
}

fn at_closing(reading: &mut Reading<'_, '_>, table: &mut Table) -> Option<AtClosing> {
    const WORDS: [(&str, AtClosing); 2] = [("serve", AtClosing::Serve), ("tell", AtClosing::Tell)];
    table.get("at_closing").and_then(|item| item.word(&WORDS, reading.out))
}

fn unused(reading: &mut Reading<'_, '_>, table: &mut Table, key: &'static str) {
    if table.get(key).is_some() {
        let span = table.key_span(key);
        reading.out.at(&span, Problem::ClosedUnused { key: key.to_owned() });
    }
}

/// Reads one `[menus.…]`.
pub(crate) fn menu(reading: &mut Reading<'_, '_>, id: &MenuId, item: &Item) -> Option<Menu> {
    let mut table = item.table(reading.out)?;
    let greeting = table
        .need("greeting", "greeting = \"welcome\"", reading.out)
        .and_then(|item| reading.prompt_in(&item))
        .unwrap_or_else(|| "welcome".into());
    let wrong_key = reading.prompt(&mut table, "wrong_key", "menu-wrong");
    let no_key = table.get("no_key").and_then(|item| reading.prompt_in(&item));
    let dial = parse_attendant::dial(reading, id, &mut table);
    let timeout = table
        .need("timeout", "timeout = \"6s\"", reading.out)
        .and_then(|item| item.duration(MENU_TIMEOUT, reading.out))
        .map_or(s(6), |timeout| timeout.value);
    let tries = table.integer("tries", 1..=10, 3, reading.out);
    let then = From::Then(id.clone());
    let then = way(reading, &then, &mut table, "then", "then = { group = \"desk\" }");
    let mut keys = BTreeMap::new();
    let mut empty = true;
    if let Some(table) = table.table("keys", reading.out) {
        for (key, item) in table.entries() {
            empty = false;
            let target = target(reading, &From::Key(id.clone()), &item);
            match values::key(&key.value) {
                Some(key) => {
                    keys.insert(key, target.unwrap_or(NOWHERE));
                }
                None => reading.out.at(&key.span, Problem::BadKey { found: key.value }),
            }
        }
    }
    let skills = reading.key_skills(&mut table, &keys);
    if empty && dial.numbers.is_empty() {
        let menu = id.as_str().to_owned();
        reading.out.at(&table.span, Problem::MenuWithoutKeys { menu });
    }
    table.finish(reading.out);
    let tries = u32::try_from(tries).unwrap_or(1);
    Some(Menu { greeting, keys, skills, timeout, tries, dial, wrong_key, no_key, then })
}

/// Reads one `[groups.…]`.
pub(crate) fn group(reading: &mut Reading<'_, '_>, id: &GroupId, item: &Item) -> Option<Group> {
    const STRATEGIES: [(&str, Strategy); 6] = [
        ("ring_all", Strategy::RingAll),
        ("linear", Strategy::Linear),
        ("round_robin", Strategy::RoundRobin),
        ("longest_idle", Strategy::LongestIdle),
        ("fewest_calls", Strategy::FewestCalls),
        ("weighted", Strategy::Weighted),
    ];
    let mut table = item.table(reading.out)?;
    let name = table.name("name", reading.out).unwrap_or_else(|| id.as_str().to_owned());
    let number = group_number(reading, &mut table);
    let (agents, shares) = members(reading, id, &mut table);
    let picking = reading.picking(shares, &mut table);
    let strategy = table
        .need("strategy", "strategy = \"longest_idle\"", reading.out)
        .and_then(|item| Some((item.word(&STRATEGIES, reading.out)?, item.span)));
    if let Some((Strategy::RingAll, span)) = &strategy {
        reading.marks.ring_all.push((id.clone(), span.clone()));
    }
    let strategy = strategy.map_or(Strategy::LongestIdle, |(strategy, _)| strategy);
    let ring = table.duration("ring", RING, s(20), reading.out);
    let wrap_up = table.duration("wrap_up", WRAP_UP, s(0), reading.out);
    let overflow = reading.overflow(id, &mut table);
    let ring_outs = table.integer("ring_outs", 1..=10, 1, reading.out);
    let on_ring_out = set_aside(reading, &mut table, "on_ring_out", SetAside::Pause);
    let on_refuse = set_aside(reading, &mut table, "on_refuse", SetAside::For(s(10)));
    let answer_first = table.flag("answer_first", false, reading.out);
    let mut queue = match table.table("queue", reading.out) {
        Some(queue) => queue,
        // Everything in it has a default; the group stands in for the place.
        None => table.empty(),
    };
    let max_waiting = queue.integer("max_waiting", 1..=10_000, 10, reading.out);
    let wait = queue.get("max_wait").and_then(|item| item.duration(MAX_WAIT, reading.out));
    let wait = wait.unwrap_or(At { value: s(600), span: queue.span.clone() });
    let busy = reading.prompt(&mut queue, "busy", "busy");
    let music = reading.prompt(&mut queue, "music", "music");
    let comfort = queue.get("comfort").and_then(|item| reading.prompt_in(&item));
    let every = queue.get("comfort_every");
    let every = every.and_then(|item| item.duration(COMFORT_EVERY, reading.out));
    let tell_position = queue.flag("tell_position", false, reading.out);
    let tell_wait = queue.flag("tell_wait", false, reading.out);
    let keeps_place = queue.flag("keeps_place", false, reading.out);
    if tell_wait {
        reading.marks.tell_wait.push(queue.key_span("tell_wait"));
    }
    let keys = parse_attendant::queue_keys(reading, id, &mut queue);
    let offer = queue.get("offer").and_then(|item| reading.prompt_in(&item));
    let full = reading.prompt(&mut queue, "full", "queue-full");
    let waited = reading.prompt(&mut queue, "waited", "waited-too-long");
    let at_closing = at_closing(reading, &mut queue);
    let closing = match at_closing {
        Some(AtClosing::Tell) => reading.prompt(&mut queue, "closing", "closing"),
        // A number may want it told in any group; the desk's own words are always there.
        Some(AtClosing::Serve) | None => {
            let item = queue.get("closing");
            item.and_then(|item| reading.prompt_in(&item)).unwrap_or_else(|| "closing".into())
        }
    };
    if tell_position {
        reading.marks.tell_position.push(queue.key_span("tell_position"));
    }
    let max_wait = wait.value;
    if max_wait <= ring {
        let (wait_shown, ring) = (show(max_wait), show(ring));
        reading.out.at(&wait.span, Problem::WaitBelowRing { wait: wait_shown, ring });
    }
    if max_wait < BUSY_TOLD {
        reading.out.at(&wait.span, Problem::WaitBelowBusy { wait: show(max_wait) });
    }
    let comfort_every = every.as_ref().map_or(s(30), |every| every.value);
    if (comfort.is_some() || tell_position || tell_wait) && comfort_every >= max_wait {
        let span = every.map_or_else(|| wait.span.clone(), |every| every.span);
        let (every, wait) = (show(comfort_every), show(max_wait));
        reading.out.at(&span, Problem::ComfortNever { every, wait });
    }
    queue.finish(reading.out);
    let recorded = reading.recorded(&mut table);
    let survey = table.get("survey").and_then(|item| item.raw(reading.out)).map(|name| {
        let name = name.map(SurveyId::from);
        reading.marks.surveys_named.push(name.clone());
        name.value
    });
    let tell_agent = tell_agent(reading, &mut table);
    let lamp = lamp(reading, &mut table);
    table.finish(reading.out);
    Some(Group {
        lamp,
        survey,
        tell_agent,
        name,
        number,
        agents,
        strategy,
        picking,
        ring,
        wrap_up,
        ring_outs: u32::try_from(ring_outs).unwrap_or(1),
        on_ring_out,
        on_refuse,
        max_waiting: u32::try_from(max_waiting).unwrap_or(u32::MAX),
        max_wait,
        answer_first,
        overflow,
        busy,
        music,
        comfort,
        comfort_every,
        tell_position,
        tell_wait,
        keeps_place,
        keys,
        offer,
        full,
        waited,
        at_closing,
        closing,
        recorded,
    })
}

fn group_number(reading: &mut Reading<'_, '_>, table: &mut Table) -> Option<Number> {
    let number = table.get("number")?.raw(reading.out)?;
    if !values::is_number(&number.value) {
        let found = number.value;
        reading.out.at(&number.span, Shape::BadNumber { found, rule: NumberRule::Digits });
        return None;
    }
    reading.number(&number, What::Group);
    Some(number.value.into())
}

/// The members in order, and what is said of some of them.
fn members(
    reading: &mut Reading<'_, '_>,
    id: &GroupId,
    table: &mut Table,
) -> (Vec<AgentId>, BTreeMap<AgentId, Share>) {
    let Some(item) = table.need("agents", "agents = [\"2001-2010\"]", reading.out) else {
        return Default::default();
    };
    let (mut agents, mut shares) = (Vec::new(), BTreeMap::new());
    for entry in item.one_or_list() {
        let Some((text, share)) = super::parse_picking::member(&entry, reading.out) else {
            continue;
        };
        let room = MOST_AGENTS.saturating_sub(agents.len());
        let list = reading.range(&text, room, MOST_AGENTS);
        let list: Vec<AgentId> = list.into_iter().map(AgentId::from).collect();
        agents.extend(list.iter().cloned());
        if share != Share::default() {
            shares.extend(list.iter().map(|agent| (agent.clone(), share)));
        }
        reading.marks.members.push((id.clone(), At { value: list, span: text.span }));
    }
    if item.one_or_list().is_empty() {
        let group = id.as_str().to_owned();
        reading.out.at(&item.span, Problem::GroupEmpty { group });
    }
    (agents, shares)
}

/// `"pause"`, or for how long.
fn set_aside(
    reading: &mut Reading<'_, '_>,
    table: &mut Table,
    key: &'static str,
    default: SetAside,
) -> SetAside {
    let Some(item) = table.get(key) else { return default };
    if item.is(Kind::Text) && item.raw(reading.out).is_some_and(|text| text.value == "pause") {
        return SetAside::Pause;
    }
    item.duration(SET_ASIDE, reading.out).map_or(default, |time| SetAside::For(time.value))
}
