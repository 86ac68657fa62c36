//! Judges a plan as a whole: whether everything that is named exists, whether every number means one
//! thing, whether everything can be reached and every caller gets out.

use super::finding::{Findings, nearest};
use super::parse::{From, Marks};
use super::plan::{Plan, Target};
use super::problem::{Problem, What};
use super::shape::{Shape, show};
use crate::base::{AgentId, BoxId, CallbackId, EntryId, GroupId, MenuId, PromptId, SurveyId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What an agent hears before a caller should not be longer: the caller waits for it.
const AGENT_TOLD: Duration = Duration::from_secs(5);

/// Most phones that one call may ring at once.
pub const MOST_RUNG_AT_ONCE: usize = 100;

/// Adds what is wrong with `plan` as a whole. `known_prompts` none: prompts are not looked at.
pub(crate) fn whole(
    plan: &Plan,
    marks: &Marks,
    known_prompts: Option<&BTreeMap<PromptId, Duration>>,
    out: &mut Findings,
) {
    let kinds = numbers(marks, out);
    ways(marks, &kinds, out);
    super::parse_attendant::check_dialled(marks, &kinds, out);
    hours(marks, out);
    surveys(marks, out);
    members(plan, marks, out);
    reached(plan, marks, out);
    circles(marks, out);
    skills(plan, marks, out);
    overflow_outside(plan, marks, &kinds, out);
    if let Some(known) = known_prompts {
        prompts(marks, known, out);
        for told in &marks.tell_agent {
            if let Some(length) = known.get(&told.value).filter(|length| **length > AGENT_TOLD) {
                let (name, length) = (told.value.as_str().to_owned(), show(*length));
                out.at(&told.span, Problem::AgentToldLong { name, length, most: show(AGENT_TOLD) });
            }
        }
    }
    if plan.positions.is_empty() {
        for span in &marks.tell_position {
            out.at(span, Problem::NoPositions);
        }
    }
    if plan.waits.is_empty() {
        for span in &marks.tell_wait {
            out.at(span, Problem::NoWaits);
        }
    }
    if !marks.announces {
        for span in &marks.records {
            out.at(span, Problem::RecordsUnannounced);
        }
    }
    for (id, span) in &marks.ring_all {
        let agents = plan.groups.get(id).map_or(0, |group| group.agents.len());
        if agents > MOST_RUNG_AT_ONCE {
            out.at(span, Problem::RingAllLarge { agents, most: MOST_RUNG_AT_ONCE });
        }
    }
}

/// Each number once; what each of them is.
fn numbers<'m>(marks: &'m Marks, out: &mut Findings) -> BTreeMap<&'m str, What> {
    let mut sorted: Vec<_> = marks.numbers.iter().collect();
    sorted.sort_by_key(|(number, _)| number.span.start);
    let mut first: BTreeMap<&str, (usize, What)> = BTreeMap::new();
    for (number, what) in sorted {
        match first.get(number.value.as_str()) {
            Some((start, _)) => {
                let line = out.source().line_of(*start);
                out.at(&number.span, Problem::NumberTwice { number: number.value.clone(), line });
            }
            None => {
                first.insert(&number.value, (number.span.start, *what));
            }
        }
    }
    first.into_iter().map(|(number, (_, what))| (number, what)).collect()
}

/// Every way leads to something.
fn ways(marks: &Marks, kinds: &BTreeMap<&str, What>, out: &mut Findings) {
    for (_, way) in &marks.ways {
        match &way.value {
            Target::Menu(id) if !marks.menus.contains_key(id) => {
                let near = nearest(id.as_str(), marks.menus.keys().map(MenuId::as_str));
                let name = id.as_str().to_owned();
                out.at(&way.span, Problem::NoSuch { what: What::Menu, name, near });
            }
            Target::Group(id) if !marks.groups.contains_key(id) => {
                let near = nearest(id.as_str(), marks.groups.keys().map(GroupId::as_str));
                let name = id.as_str().to_owned();
                out.at(&way.span, Problem::NoSuch { what: What::Group, name, near });
            }
            Target::Extension(number) => {
                let number = number.as_str();
                match kinds.get(number) {
                    Some(What::Agent) => {}
                    Some(is) => {
                        let number = number.to_owned();
                        out.at(&way.span, Problem::NotAPhone { number, is: *is });
                    }
                    None => {
                        let agents = kinds.iter().filter(|(_, kind)| **kind == What::Agent);
                        let near = nearest(number, agents.take(1000).map(|(number, _)| *number));
                        let name = number.to_owned();
                        out.at(&way.span, Problem::NoSuch { what: What::Agent, name, near });
                    }
                }
            }
            Target::Enter(id) if !marks.entries.contains_key(id) => {
                let near = nearest(id.as_str(), marks.entries.keys().map(EntryId::as_str));
                let name = id.as_str().to_owned();
                out.at(&way.span, Problem::NoSuch { what: What::Entry, name, near });
            }
            Target::Message(id) if !marks.mailboxes.contains_key(id) => {
                let near = nearest(id.as_str(), marks.mailboxes.keys().map(BoxId::as_str));
                let name = id.as_str().to_owned();
                out.at(&way.span, Problem::NoSuch { what: What::Mailbox, name, near });
            }
            Target::Callback(id) if !marks.callbacks.contains_key(id) => {
                let near = nearest(id.as_str(), marks.callbacks.keys().map(CallbackId::as_str));
                let name = id.as_str().to_owned();
                out.at(&way.span, Problem::NoSuch { what: What::Callback, name, near });
            }
            // What stands inside a branch is a way of its own.
            Target::Hours(_)
            | Target::Message(_)
            | Target::Callback(_)
            | Target::Speak(_)
            | Target::Menu(_)
            | Target::Group(_)
            | Target::Enter(_)
            | Target::Announce(_)
            | Target::Refuse(_) => {}
        }
    }
}

fn surveys(marks: &Marks, out: &mut Findings) {
    for named in &marks.surveys_named {
        if !marks.surveys.contains_key(&named.value) {
            let near = nearest(named.value.as_str(), marks.surveys.keys().map(SurveyId::as_str));
            let name = named.value.as_str().to_owned();
            out.at(&named.span, Problem::NoSuch { what: What::Survey, name, near });
        }
    }
    for (id, span) in &marks.surveys {
        if !marks.surveys_named.iter().any(|named| named.value == *id) {
            let name = id.as_str().to_owned();
            out.at(span, Problem::Unreachable { what: What::Survey, name });
        }
    }
}

fn hours(marks: &Marks, out: &mut Findings) {
    for named in &marks.hours_named {
        if !marks.hours.contains_key(&named.value) {
            let near = nearest(&named.value, marks.hours.keys().map(AsRef::as_ref));
            let name = named.value.to_string();
            out.at(&named.span, Problem::NoSuch { what: What::Hours, name, near });
        }
    }
    for (name, span) in &marks.hours {
        if !marks.hours_named.iter().any(|named| named.value == *name) {
            out.at(span, Problem::HoursUnused { name: name.to_string() });
        }
    }
}

/// Members exist and stand once in a group; agents are in a group.
fn members(plan: &Plan, marks: &Marks, out: &mut Findings) {
    let mut seen: BTreeMap<(&GroupId, &AgentId), usize> = BTreeMap::new();
    let mut in_group: BTreeSet<&AgentId> = BTreeSet::new();
    for (group, list) in &marks.members {
        // A range is one place: its first fault tells enough.
        let stranger = list.value.iter().find(|agent| !plan.agents.contains_key(*agent));
        if let Some(agent) = stranger {
            let near = nearest(agent.as_str(), plan.agents.keys().take(1000).map(AgentId::as_str));
            let name = agent.as_str().to_owned();
            out.at(&list.span, Problem::NoSuch { what: What::Agent, name, near });
        }
        let twice = list.value.iter().find_map(|agent| Some((agent, *seen.get(&(group, agent))?)));
        if let Some((agent, start)) = twice {
            let line = out.source().line_of(start);
            let agent = agent.as_str().to_owned();
            out.at(&list.span, Problem::MemberTwice { agent, line });
        }
        for agent in &list.value {
            seen.entry((group, agent)).or_insert(list.span.start);
            in_group.insert(agent);
        }
    }
    for list in &marks.closers {
        if let Some(agent) = list.value.iter().find(|agent| !plan.agents.contains_key(*agent)) {
            let near = nearest(agent.as_str(), plan.agents.keys().take(1000).map(AgentId::as_str));
            let name = agent.as_str().to_owned();
            out.at(&list.span, Problem::NoSuch { what: What::Agent, name, near });
        }
    }
    for list in &marks.supervisors {
        let stranger = list.value.iter().find(|agent| !plan.agents.contains_key(*agent));
        if let Some(agent) = stranger {
            let near = nearest(agent.as_str(), plan.agents.keys().take(1000).map(AgentId::as_str));
            let name = agent.as_str().to_owned();
            out.at(&list.span, Problem::NoSuch { what: What::Agent, name, near });
        }
        // Whoever only watches over others need be in no group.
        in_group.extend(&list.value);
    }
    // Agents written as one range and left out together are one finding.
    let mut idle: BTreeMap<usize, Vec<&AgentId>> = BTreeMap::new();
    for (agent, span) in &marks.agents {
        if !in_group.contains(agent) {
            idle.entry(span.start).or_default().push(agent);
        }
    }
    for agents in idle.into_values() {
        let Some(span) = agents.first().and_then(|first| marks.agents.get(*first)) else {
            continue;
        };
        let agents = agents.iter().map(|agent| agent.as_str().to_owned()).collect();
        out.at(span, Problem::AgentIdle { agents });
    }
}

/// Somebody has what is asked for.
fn skills(plan: &Plan, marks: &Marks, out: &mut Findings) {
    let had: BTreeSet<&str> =
        plan.agents.values().flat_map(|agent| agent.skills.0.keys().map(AsRef::as_ref)).collect();
    for asked in marks.skills.iter().filter(|asked| !had.contains(&*asked.value)) {
        let near = nearest(&asked.value, had.iter().copied());
        let name = asked.value.to_string();
        out.at(&asked.span, Problem::NoSuch { what: What::Skill, name, near });
    }
}

/// A call goes on outside only where the rules for numbers outside let it: never to an emergency number, and
/// never back to the desk by way of the carrier.
fn overflow_outside(plan: &Plan, marks: &Marks, kinds: &BTreeMap<&str, What>, out: &mut Findings) {
    for (group, number) in &marks.overflow_outside {
        let text = number.value.as_str();
        let behind = |prefix: &str| text.strip_prefix(prefix).unwrap_or(text).to_owned();
        let prefix = plan.outside.as_ref().map_or("", |outside| outside.prefix.as_str());
        let bare = [text.to_owned(), behind("184"), behind("186"), behind(prefix)];
        if bare.iter().any(|number| super::values::is_emergency(number)) {
            out.at(&number.span, Shape::Emergency { found: text.to_owned() });
        } else if let Some(is) = kinds.get(text) {
            let number_shown = text.to_owned();
            out.at(&number.span, Problem::NotOutside { number: number_shown, is: *is });
        } else if plan.outward_of_group(&number.value, group).is_none() {
            out.at(&number.span, Problem::OverflowNowhere { number: text.to_owned() });
        }
    }
}

/// Menus and groups can be reached from a number.
fn reached(plan: &Plan, marks: &Marks, out: &mut Findings) {
    let mut menus: BTreeSet<&MenuId> = BTreeSet::new();
    let mut entries: BTreeSet<&EntryId> = BTreeSet::new();
    let mut groups: BTreeSet<&GroupId> =
        plan.groups.iter().filter(|(_, group)| group.number.is_some()).map(|(id, _)| id).collect();
    let mut to_look: Vec<&Target> = marks
        .ways
        .iter()
        .filter(|(from, _)| *from == From::Desk)
        .map(|(_, way)| &way.value)
        .collect();
    while let Some(target) = to_look.pop() {
        match target {
            Target::Group(id) => {
                groups.insert(id);
            }
            Target::Menu(id) if menus.insert(id) => {
                to_look.extend(marks.ways.iter().filter_map(|(from, way)| match from {
                    From::Key(menu) | From::Then(menu) if menu == id => Some(&way.value),
                    From::Desk
                    | From::Key(_)
                    | From::Then(_)
                    | From::Queue(_)
                    | From::Entered(_)
                    | From::Otherwise(_) => None,
                }));
                groups.extend(plan.menus.get(id).into_iter().flat_map(|menu| {
                    let numbered = plan.groups.iter().filter(|(_, group)| {
                        let number = group.number.as_ref();
                        number.is_some_and(|number| menu.dial.numbers.contains(number))
                    });
                    numbered.map(|(id, _)| id)
                }));
            }
            Target::Enter(id) if entries.insert(id) => {
                to_look.extend(marks.ways.iter().filter_map(|(from, way)| match from {
                    From::Entered(entry) | From::Otherwise(entry) if entry == id => {
                        Some(&way.value)
                    }
                    From::Desk
                    | From::Key(_)
                    | From::Then(_)
                    | From::Queue(_)
                    | From::Entered(_)
                    | From::Otherwise(_) => None,
                }));
            }
            Target::Menu(_)
            | Target::Enter(_)
            | Target::Hours(_)
            | Target::Speak(_)
            | Target::Message(_)
            | Target::Callback(_)
            | Target::Extension(_)
            | Target::Announce(_)
            | Target::Refuse(_) => {}
        }
    }
    for (id, span) in marks.menus.iter().filter(|(id, _)| !menus.contains(id)) {
        let name = id.as_str().to_owned();
        out.at(span, Problem::Unreachable { what: What::Menu, name });
    }
    let named = |what: &Target| marks.ways.iter().any(|(_, way)| way.value == *what);
    for (id, span) in
        marks.mailboxes.iter().filter(|(id, _)| !named(&Target::Message((*id).clone())))
    {
        let name = id.as_str().to_owned();
        out.at(span, Problem::Unreachable { what: What::Mailbox, name });
    }
    for (id, span) in
        marks.callbacks.iter().filter(|(id, _)| !named(&Target::Callback((*id).clone())))
    {
        let name = id.as_str().to_owned();
        out.at(span, Problem::Unreachable { what: What::Callback, name });
    }
    for (id, span) in marks.entries.iter().filter(|(id, _)| !entries.contains(id)) {
        let name = id.as_str().to_owned();
        out.at(span, Problem::Unreachable { what: What::Entry, name });
    }
    for (id, span) in marks.groups.iter().filter(|(id, _)| !groups.contains(id)) {
        let name = id.as_str().to_owned();
        out.at(span, Problem::Unreachable { what: What::Group, name });
    }
}

/// Where a caller who presses nothing waits for a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Node<'m> {
    Menu(&'m MenuId),
    Entry(&'m EntryId),
}

impl Node<'_> {
    fn name(self) -> String {
        match self {
            Self::Menu(id) => id.as_str().to_owned(),
            Self::Entry(id) => id.as_str().to_owned(),
        }
    }
}

/// A caller who presses nothing must come out of the menus, at every hour. (One who presses may go round as
/// often as he likes: every round is his own doing, and silence leads him out.)
fn circles(marks: &Marks, out: &mut Findings) {
    let mut silent: BTreeMap<Node<'_>, Vec<(Node<'_>, &std::ops::Range<usize>)>> = BTreeMap::new();
    for (from, way) in &marks.ways {
        let from = match from {
            From::Then(menu) => Node::Menu(menu),
            From::Otherwise(entry) => Node::Entry(entry),
            From::Desk | From::Key(_) | From::Entered(_) | From::Queue(_) => continue,
        };
        let to = match &way.value {
            Target::Menu(menu) => Node::Menu(menu),
            Target::Enter(entry) => Node::Entry(entry),
            _ => continue,
        };
        silent.entry(from).or_default().push((to, &way.span));
    }
    // Every node is looked at once: what was left without a circle has none.
    let mut done: BTreeSet<Node<'_>> = BTreeSet::new();
    for start in silent.keys().copied() {
        let mut way: Vec<(Node<'_>, usize)> = vec![(start, 0)];
        while let Some((at, next)) = way.last_mut() {
            let (at, ahead) = (*at, silent.get(at).and_then(|list| list.get(*next)));
            *next += 1;
            let Some((to, span)) = ahead else {
                done.insert(at);
                way.pop();
                continue;
            };
            if let Some(begin) = way.iter().position(|(node, _)| node == to) {
                let circle = way.iter().skip(begin).map(|(node, _)| node.name());
                let names = circle.chain([to.name()]).collect();
                out.at(span, Problem::MenuCircle { way: names });
            } else if !done.contains(to) {
                way.push((*to, 0));
            }
        }
    }
}

fn prompts(marks: &Marks, known: &BTreeMap<PromptId, Duration>, out: &mut Findings) {
    // Prompts that one place names together, such as those of a range of slots, are one finding.
    let mut found = BTreeSet::new();
    for named in &marks.prompts {
        if !known.contains_key(&named.value) && found.insert(named.span.start) {
            let near = nearest(named.value.as_str(), known.keys().map(PromptId::as_str));
            let name = named.value.as_str().to_owned();
            out.at(&named.span, Problem::NoPrompt { name, near });
        }
    }
}
