//! A table of calls as it is written beside a plan: each call with what is due of it, and where that
//! stands in the text.

use super::problem::Problem;
use super::{Case, Conduct, MOST_OTHERS, Outside};
use crate::base::{AdHoc, AgentId, Number, PromptId, Wall};
use crate::dialplan::reader::{At, Item, Table as Keys, document};
use crate::dialplan::shape::{Kind, Shape, TextRule};
use crate::dialplan::{self, Asker, Finding, Findings, Plan, Question, Source, nearest, values};
use crate::view::Outcome;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

/// Most calls of one table.
pub const MOST_CALLS: usize = 2000;

/// A table that can be judged.
#[derive(Clone, Debug)]
pub struct Table {
    pub(super) rows: Vec<Row>,
}

impl Table {
    /// How many calls it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// One call and what is due of it.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) case: Case,
    pub(super) leads_to: Option<At<String>>,
    pub(super) hours: Option<At<String>>,
    pub(super) rings: Option<At<Vec<String>>>,
    pub(super) rings_outside: Option<At<Vec<String>>>,
    pub(super) answered_outside: Option<At<String>>,
    pub(super) answered_by: Option<At<String>>,
    pub(super) hears: Option<At<Vec<String>>>,
    pub(super) never_hears: Option<At<Vec<String>>>,
    pub(super) agent_hears: Option<At<Vec<String>>>,
    pub(super) outcome: Option<At<String>>,
    pub(super) counted: Option<At<bool>>,
}

impl Row {
    fn says_nothing(&self) -> bool {
        self.leads_to.is_none()
            && self.hours.is_none()
            && self.rings.is_none()
            && self.rings_outside.is_none()
            && self.answered_outside.is_none()
            && self.answered_by.is_none()
            && self.hears.is_none()
            && self.never_hears.is_none()
            && self.agent_hears.is_none()
            && self.outcome.is_none()
            && self.counted.is_none()
    }
}

/// Reads a table for a plan. `file_name` is how findings name it.
///
/// # Errors
///
/// Everything that was found, when any of it is an error; otherwise the table comes with its warnings.
pub fn read(
    text: &str,
    file_name: &str,
    plan: &Plan,
) -> Result<(Table, Vec<Finding>), Vec<Finding>> {
    let mut out = Findings::new(Source::new(text, file_name));
    let mut rows = Vec::new();
    if let Some(document) = document(&mut out) {
        let mut top = Keys::new(&document);
        let items = top.get("calls").and_then(|item| item.list(&mut out)).unwrap_or_default();
        top.finish(&mut out);
        if items.is_empty() {
            out.whole(Problem::NoCalls);
        }
        if let Some(item) = items.get(MOST_CALLS) {
            out.at(&item.span, Shape::TooMany { key: "calls".to_owned(), most: MOST_CALLS });
        }
        rows = items.iter().take(MOST_CALLS).filter_map(|item| row(item, plan, &mut out)).collect();
    }
    if out.refuse() { Err(out.into_sorted()) } else { Ok((Table { rows }, out.into_sorted())) }
}

fn row(item: &Item, plan: &Plan, out: &mut Findings) -> Option<Row> {
    let mut keys = item.table(out)?;
    let name = keys
        .need("name", "name = \"昼に代表へ\"", out)
        .and_then(|item| item.text(TextRule::Name, out))
        .map(|name| name.value);
    let at =
        keys.need("at", "at = \"2026-11-02T10:00\"", out).and_then(|item| time(&item, plan, out));
    let to = keys.need("to", "to = \"0312345678\"", out).and_then(|item| number(&item, plan, out));
    let from = keys.get("from").and_then(|item| item.raw(out));
    let trunk = keys.get("trunk").and_then(|item| item.text(TextRule::Id, out));
    let press = keys.get("press").and_then(|item| item.raw(out));
    let presses = press.map_or(Vec::new(), |press| match dialplan::presses(&press.value) {
        Ok(presses) => presses,
        Err(found) => {
            out.at(&press.span, Problem::BadPress { found });
            Vec::new()
        }
    });
    let ad_hoc = keys.get("ad_hoc").and_then(|item| item.word(&AdHoc::NAMES, out));
    let agents = keys.get("agents").map(|item| agents(&item, plan, out)).unwrap_or_default();
    let outside = keys.get("outside").and_then(|item| item.word(&Outside::NAMES, out));
    let others = keys.integer("others", 0..=u64::from(MOST_OTHERS), 0, out);
    let hangs_up = keys.get("hangs_up").and_then(|item| {
        item.duration(Duration::ZERO..=Duration::from_hours(5), out).map(|time| time.value)
    });
    let ours = from.filter(|from| plan.agents.contains_key(&AgentId::from(from.value.as_str())));
    let from = match ours {
        Some(agent) => Asker::Extension(agent.value.into()),
        None => Asker::Outside(trunk.map(|trunk| trunk.value.into())),
    };
    let leads_to = keys.get("leads_to").and_then(|item| leads_to(&item, out));
    let hours = keys.get("hours").and_then(|item| word(&item, &HOURS, out));
    let list = |item: Item, out: &mut Findings| texts(&item, out);
    let rings = keys.get("rings").and_then(|item| list(item, out));
    let answered_by = keys.get("answered_by").and_then(|item| item.raw(out));
    let rings_outside = keys.get("rings_outside").and_then(|item| list(item, out));
    let answered_outside = keys.get("answered_outside").and_then(|item| item.raw(out));
    for at in rings
        .iter()
        .flat_map(|list| list.value.iter().map(|one| (one, &list.span)))
        .chain(answered_by.iter().map(|one| (&one.value, &one.span)))
    {
        known_agent(at.0, at.1, plan, out);
    }
    let hears = keys.get("hears").and_then(|item| list(item, out));
    let never_hears = keys.get("never_hears").and_then(|item| list(item, out));
    let agent_hears = keys.get("agent_hears").and_then(|item| list(item, out));
    let outcomes: Vec<&str> =
        Outcome::ALL.iter().map(|outcome| outcome.name()).chain(["none"]).collect();
    let outcome = keys.get("outcome").and_then(|item| word(&item, &outcomes, out));
    let counted = keys
        .get("counted")
        .and_then(|item| item.flag(out).map(|value| At { value, span: item.span.clone() }));
    let span = keys.span.clone();
    keys.finish(out);
    let (name, at, to) = (name?, at?, to?);
    let question = Question { at, from, to, presses, ad_hoc };
    let others = u32::try_from(others).unwrap_or(MOST_OTHERS);
    let case = Case { question, agents, outside: outside.unwrap_or_default(), others, hangs_up };
    let row = Row {
        name,
        case,
        leads_to,
        hours,
        rings,
        rings_outside,
        answered_outside,
        answered_by,
        hears,
        never_hears,
        agent_hears,
        outcome,
        counted,
    };
    if row.says_nothing() {
        out.at(&span, Problem::NothingDue);
    }
    Some(row)
}

/// The words of `hours`.
pub(super) const HOURS: [&str; 7] =
    ["open", "night", "weekend", "holiday", "closure", "ad_hoc", "disaster"];

fn time(item: &Item, plan: &Plan, out: &mut Findings) -> Option<Wall> {
    let text = item.raw(out)?;
    let at = dialplan::moment(&text.value, plan.timezone);
    if at.is_none() {
        out.at(&text.span, Problem::BadTime { found: text.value });
    }
    at
}

fn number(item: &Item, plan: &Plan, out: &mut Findings) -> Option<Number> {
    let text = item.raw(out)?;
    let number = plan.number_named(&text.value);
    if number.is_none() {
        out.at(&text.span, Problem::BadNumber { found: text.value });
    }
    number
}

/// One of a closed list of words, with its place.
fn word(item: &Item, known: &[&'static str], out: &mut Findings) -> Option<At<String>> {
    let known: Vec<(&str, &'static str)> = known.iter().map(|word| (*word, *word)).collect();
    let value = item.word(&known, out)?.to_owned();
    Some(At { value, span: item.span.clone() })
}

/// A list of names.
fn texts(item: &Item, out: &mut Findings) -> Option<At<Vec<String>>> {
    let value = item.list(out)?;
    let value = value.iter().filter_map(|item| Some(item.raw(out)?.value)).collect();
    Some(At { value, span: item.span.clone() })
}

/// Where a call leads, in one of the words of [`super::judge`].
fn leads_to(item: &Item, out: &mut Findings) -> Option<At<String>> {
    let mut table = item.table(out)?;
    let mut said = Vec::new();
    for key in ["group", "extension", "announce", "code", "park"] {
        let text = table.get(key).and_then(|item| item.raw(out));
        said.extend(text.map(|text| format!("{key} {}", text.value)));
    }
    let refuse = table.get("refuse").and_then(|item| item.integer(400..=699, out));
    said.extend(refuse.map(|status| format!("refuse {}", status.value)));
    if table.flag("nowhere", false, out) {
        said.push("nowhere".to_owned());
    }
    let found = table.written();
    table.finish(out);
    if found != 1 || said.len() != 1 {
        out.at(&item.span, Problem::BadLeads { found });
        return None;
    }
    said.pop().map(|value| At { value, span: item.span.clone() })
}

fn known_agent(name: &str, span: &Range<usize>, plan: &Plan, out: &mut Findings) {
    if !plan.agents.contains_key(&AgentId::from(name)) {
        let near = nearest(name, plan.agents.keys().take(1000).map(AgentId::as_str));
        out.at(span, Problem::NoAgent { name: name.to_owned(), near });
    }
}

/// `"busy"` for all, or `{ 2001 = "busy", 2002-2005 = "paused", rest = "signed_out" }`.
fn agents(item: &Item, plan: &Plan, out: &mut Findings) -> BTreeMap<AgentId, Conduct> {
    let all = |conduct| plan.agents.keys().map(|id| (id.clone(), conduct)).collect();
    if item.is(Kind::Text) {
        return item.word(&Conduct::NAMES, out).map(all).unwrap_or_default();
    }
    if !item.is(Kind::Table) {
        item.wrong_kind(&[Kind::Text, Kind::Table], out);
        return BTreeMap::new();
    }
    let mut rest = Conduct::default();
    let mut named = BTreeMap::new();
    for (key, item) in item.table(out).into_iter().flat_map(Keys::entries) {
        let Some(conduct) = item.word(&Conduct::NAMES, out) else { continue };
        if key.value == "rest" {
            rest = conduct;
            continue;
        }
        let Ok(list) = values::range(&key.value, dialplan::MOST_AGENTS) else {
            known_agent(&key.value, &key.span, plan, out);
            continue;
        };
        for agent in list {
            known_agent(&agent, &key.span, plan, out);
            named.insert(AgentId::from(agent), conduct);
        }
    }
    let mut conducts: BTreeMap<AgentId, Conduct> = all(rest);
    conducts.extend(named);
    conducts
}

/// Prompts named of what was heard.
const MOST_SHOWN: usize = 16;

/// For a reader: what was heard.
pub(super) fn list(names: &[PromptId]) -> String {
    let more = if names.len() > MOST_SHOWN { ", …" } else { "" };
    let names: Vec<String> =
        names.iter().take(MOST_SHOWN).map(|name| format!("\"{name}\"")).collect();
    format!("[{}{more}]", names.join(", "))
}
