//! What the auto attendant does besides menus, as it is written: numbers to be entered, branches by hours,
//! languages, extensions that can be dialled.

use super::attendant::{Branch, Callback, Dial, Entry, Mailbox, Speak, Survey};
use super::parse::{From, MOST_AGENTS, Reading};
use super::parse_way::way;
use super::plan::Target;
use super::problem::{Problem, What};
use super::reader::{At, Item, Table};
use super::shape::{Shape, show};
use super::values;
use crate::base::{BoxId, EntryId, GroupId, Language, MenuId, Number};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

/// Digits that a caller may enter at most.
pub(crate) const MOST_DIGITS: u64 = 32;

/// Questions of one survey.
const MOST_QUESTIONS: usize = 10;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Phones whose lamps show one message box.
const MOST_LAMPS: usize = 200;

const LONGEST: RangeInclusive<Duration> = s(5)..=s(1800);
const SHORTEST: RangeInclusive<Duration> = s(1)..=s(30);
const SILENCE: RangeInclusive<Duration> = s(2)..=s(60);
const EVERY: RangeInclusive<Duration> = s(10)..=s(4 * 3600);
const WITHIN: RangeInclusive<Duration> = s(60)..=s(14 * 24 * 3600);
const TIMEOUT: RangeInclusive<Duration> = s(1)..=s(60);
const KEY_TIMEOUT: RangeInclusive<Duration> = s(1)..=s(10);

/// `{ hours = "…", open = …, closed = … }`; what stands inside is a way of the same place.
pub(crate) fn branch(
    reading: &mut Reading<'_, '_>,
    from: &From,
    hours: At<String>,
    table: &mut Table,
) -> Target {
    let hours = hours.map(std::sync::Arc::<str>::from);
    reading.marks.hours_named.push(hours.clone());
    let open = way(reading, from, table, "open", "open = { group = \"desk\" }");
    let closed = way(reading, from, table, "closed", "closed = { announce = \"after-hours\" }");
    Target::Hours(Box::new(Branch { hours: hours.value, open, closed }))
}

/// `{ language = "en", then = … }`.
pub(crate) fn speak(
    reading: &mut Reading<'_, '_>,
    from: &From,
    language: &Item,
    table: &mut Table,
) -> Target {
    let language = language.word(&Language::ALL, reading.out).unwrap_or_default();
    let then = way(reading, from, table, "then", "then = { menu = \"welcome\" }");
    Target::Speak(Box::new(Speak { language, then }))
}

/// Extensions and groups' numbers that can be dialled in a menu.
pub(crate) fn dial(reading: &mut Reading<'_, '_>, id: &MenuId, table: &mut Table) -> Dial {
    let key_timeout = table.duration("key_timeout", KEY_TIMEOUT, s(3), reading.out);
    let Some(item) = table.get("extensions") else {
        return Dial { numbers: BTreeSet::new(), key_timeout };
    };
    let mut numbers: BTreeSet<Number> = BTreeSet::new();
    for entry in item.one_or_list() {
        let Some(text) = entry.raw(reading.out) else { continue };
        let room = MOST_AGENTS.saturating_sub(numbers.len());
        let list: Vec<Number> =
            reading.range(&text, room, MOST_AGENTS).into_iter().map(Number::from).collect();
        numbers.extend(list.iter().cloned());
        reading.marks.dialled.push((id.clone(), At { value: list, span: text.span }));
    }
    Dial { numbers, key_timeout }
}

/// Reads one `[entries.…]`.
pub(crate) fn entry(reading: &mut Reading<'_, '_>, id: &EntryId, item: &Item) -> Option<Entry> {
    let mut table = item.table(reading.out)?;
    let prompt = reading.prompt(&mut table, "prompt", "number-enter");
    let wrong = reading.prompt(&mut table, "wrong", "number-wrong");
    let mut count = |key, example| {
        table
            .need(key, example, reading.out)
            .and_then(|item| item.integer(1..=MOST_DIGITS, reading.out))
    };
    let (least, most) =
        (count("min_digits", "min_digits = 6"), count("max_digits", "max_digits = 8"));
    if let (Some(least), Some(most)) = (&least, &most)
        && least.value > most.value
    {
        let (least, most) = (least.value.to_string(), most.value.to_string());
        reading.out.at(&item.span, Problem::DigitsBackwards { least, most });
    }
    let number = |at: Option<At<u64>>| at.and_then(|at| u32::try_from(at.value).ok()).unwrap_or(1);
    let confirm = table.flag("confirm", true, reading.out);
    if confirm {
        let spoken = (0..10).map(|digit| format!("digit-{digit}"));
        let spoken = spoken.chain(["number-heard", "number-confirm"].map(ToOwned::to_owned));
        let span = table.span.clone();
        reading
            .marks
            .prompts
            .extend(spoken.map(|name| At { value: name.into(), span: span.clone() }));
    }
    let timeout = table.duration("timeout", TIMEOUT, s(8), reading.out);
    let key_timeout = table.duration("key_timeout", KEY_TIMEOUT, s(4), reading.out);
    let tries = table.integer("tries", 1..=10, 3, reading.out);
    let from = From::Entered(id.clone());
    let then = way(reading, &from, &mut table, "then", "then = { group = \"desk\" }");
    let from = From::Otherwise(id.clone());
    let otherwise =
        way(reading, &from, &mut table, "otherwise", "otherwise = { group = \"desk\" }");
    table.finish(reading.out);
    Some(Entry {
        prompt,
        digits: (number(least), number(most)),
        confirm,
        timeout,
        key_timeout,
        tries: u32::try_from(tries).unwrap_or(1),
        wrong,
        then,
        otherwise,
    })
}

/// Reads one `[messages.…]`.
pub(crate) fn mailbox(reading: &mut Reading<'_, '_>, id: &BoxId, item: &Item) -> Option<Mailbox> {
    let mut table = item.table(reading.out)?;
    let name = table.name("name", reading.out).unwrap_or_else(|| id.as_str().to_owned());
    let announcement = reading.prompt(&mut table, "announcement", "message-leave");
    let thanks = reading.prompt(&mut table, "thanks", "message-thanks");
    let too_short = reading.prompt(&mut table, "too_short", "message-none");
    let full = reading.prompt(&mut table, "full", "message-full");
    let longest = table.get("longest");
    let longest = longest.and_then(|item| item.duration(LONGEST, reading.out));
    let shortest = table.duration("shortest", SHORTEST, s(2), reading.out);
    if let Some(longest) = longest.as_ref().filter(|longest| longest.value <= shortest) {
        let (shortest, most) = (show(shortest), show(longest.value));
        reading.out.at(&longest.span, Problem::MessageNever { shortest, longest: most });
    }
    let silence = table.duration("silence", SILENCE, s(8), reading.out);
    let most = table.integer("most", 1..=1000, 100, reading.out);
    let mut phones = Vec::new();
    if let Some(item) = table.get("phones") {
        for entry in item.one_or_list() {
            let Some(text) = entry.raw(reading.out) else { continue };
            let list = reading.range(&text, MOST_LAMPS, MOST_LAMPS);
            phones.extend(list.into_iter().map(Number::from));
        }
    }
    table.finish(reading.out);
    Some(Mailbox {
        name,
        announcement,
        thanks,
        too_short,
        full,
        longest: longest.map_or(s(180), |longest| longest.value),
        shortest,
        silence,
        most: u32::try_from(most).unwrap_or(1),
        phones,
    })
}

/// Reads one `[callbacks.…]`.
pub(crate) fn callback(reading: &mut Reading<'_, '_>, item: &Item) -> Option<Callback> {
    let mut table = item.table(reading.out)?;
    let group = table.need("group", "group = \"desk\"", reading.out)?.raw(reading.out)?;
    reading.marks.ways.push((From::Desk, group.clone().map(|name| Target::Group(name.into()))));
    let offer = reading.prompt(&mut table, "offer", "callback-offer");
    let enter = reading.prompt(&mut table, "enter", "callback-enter");
    let done = reading.prompt(&mut table, "done", "callback-done");
    let refused = reading.prompt(&mut table, "refused", "callback-refused");
    let agent = reading.prompt(&mut table, "agent", "callback-agent");
    let other_number = table.flag("other_number", true, reading.out);
    let timeout = table.duration("timeout", TIMEOUT, s(8), reading.out);
    let key_timeout = table.duration("key_timeout", KEY_TIMEOUT, s(4), reading.out);
    let tries = table.integer("tries", 1..=10, 3, reading.out);
    let every = table.duration("every", EVERY, s(300), reading.out);
    let within = table.duration("within", WITHIN, s(24 * 3600), reading.out);
    let most = table.integer("most", 1..=1000, 50, reading.out);
    table.finish(reading.out);
    Some(Callback {
        group: group.value.into(),
        offer,
        enter,
        done,
        refused,
        agent,
        other_number,
        timeout,
        key_timeout,
        tries: u32::try_from(tries).unwrap_or(1),
        every,
        within,
        most: u32::try_from(most).unwrap_or(1),
    })
}

/// Reads one `[surveys.…]`.
pub(crate) fn survey(reading: &mut Reading<'_, '_>, item: &Item) -> Option<Survey> {
    let mut table = item.table(reading.out)?;
    let questions = table.need("questions", "questions = [\"survey-question\"]", reading.out);
    let list: Vec<Item> = questions.iter().flat_map(Item::one_or_list).collect();
    if let Some(item) =
        questions.as_ref().filter(|_| list.is_empty() || list.len() > MOST_QUESTIONS)
    {
        let key = "questions".to_owned();
        reading.out.at(
            &item.span,
            if list.is_empty() {
                Shape::MissingKey { key, example: "questions = [\"survey-question\"]" }
            } else {
                Shape::TooMany { key, most: MOST_QUESTIONS }
            },
        );
    }
    let questions = list.iter().filter_map(|item| reading.prompt_in(item)).collect();
    let wrong = reading.prompt(&mut table, "wrong", "survey-wrong");
    let thanks = reading.prompt(&mut table, "thanks", "survey-thanks");
    let timeout = table.duration("timeout", TIMEOUT, s(8), reading.out);
    let tries = table.integer("tries", 1..=5, 2, reading.out);
    table.finish(reading.out);
    let tries = u32::try_from(tries).unwrap_or(1);
    Some(Survey { questions, wrong, thanks, timeout, tries })
}

/// Where keys lead while a call waits in a group: to a message or a call back.
pub(crate) fn queue_keys(
    reading: &mut Reading<'_, '_>,
    id: &GroupId,
    queue: &mut Table,
) -> BTreeMap<char, Target> {
    let mut keys = BTreeMap::new();
    let Some(table) = queue.table("keys", reading.out) else { return keys };
    for (key, item) in table.entries() {
        let Some(target) = super::parse_way::target(reading, &From::Queue(id.clone()), &item)
        else {
            continue;
        };
        if !matches!(target, Target::Message(_) | Target::Callback(_)) {
            reading.out.at(&item.span, Problem::BadQueueKey);
        }
        match values::key(&key.value) {
            Some(key) => {
                keys.insert(key, target);
            }
            None => reading.out.at(&key.span, Problem::BadKey { found: key.value }),
        }
    }
    keys
}

/// Extensions named in menus exist, as agents or as groups' numbers.
pub(crate) fn check_dialled(
    marks: &super::parse::Marks,
    kinds: &std::collections::BTreeMap<&str, What>,
    out: &mut super::finding::Findings,
) {
    for (_, list) in &marks.dialled {
        let is = |number: &&Number| match kinds.get(number.as_str()) {
            Some(What::Agent | What::Group) => false,
            Some(_) | None => true,
        };
        if let Some(stranger) = list.value.iter().find(is) {
            let number = stranger.as_str();
            match kinds.get(number) {
                Some(is) => {
                    out.at(&list.span, Problem::NotAPhone { number: number.into(), is: *is });
                }
                None => {
                    let agents = kinds.iter().filter(|(_, kind)| **kind == What::Agent);
                    let near = super::nearest(number, agents.take(1000).map(|(number, _)| *number));
                    let name = number.to_owned();
                    out.at(&list.span, Problem::NoSuch { what: What::Agent, name, near });
                }
            }
        }
    }
}
