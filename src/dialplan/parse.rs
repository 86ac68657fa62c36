//! From TOML to a plan with the places of its parts, which `check` then judges as a whole.
//!
//! Here every value is judged by itself: kind, form, bounds, unknown and missing keys. A wrong value is
//! found and replaced by a harmless one so that the reading goes on; a plan with errors is never given out.

use super::finding::{Findings, nearest};
use super::parse_way;
use super::plan::{Agent, FeatureCode, Pausing, Plan, Target};
use super::problem::{Problem, What};
use super::reader::{At, Item, Table};
use super::shape::{Kind, NumberRule, Shape, TextRule};
use super::values::{self, RangeFault};
use crate::base::{
    AgentId, BoxId, CallbackId, EntryId, GroupId, MenuId, Number, PromptId, SurveyId,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;
use toml::de::DeTable;

/// Most agents of one plan.
pub const MOST_AGENTS: usize = 20_000;
/// Most desk numbers, menus, groups, hours or feature codes of one plan, each.
pub const MOST_ENTRIES: usize = 2000;
/// Longest ringing of one offer: a phone that rings for three minutes rings in an empty room.
pub const LONGEST_RING: Duration = Duration::from_mins(3);

/// How long an agent may hold a caller before being reminded.
const HOLD_MOST: RangeInclusive<Duration> = Duration::from_secs(5)..=Duration::from_secs(3600);

/// Where things stand in the text.
#[derive(Default)]
pub(crate) struct Marks {
    /// Every number of the plan, in the order of the text.
    pub(crate) numbers: Vec<(At<String>, What)>,
    /// Every way out of something.
    pub(crate) ways: Vec<(From, At<Target>)>,
    /// Every prompt that is named.
    pub(crate) prompts: Vec<At<PromptId>>,
    /// Every naming of hours.
    pub(crate) hours_named: Vec<At<Arc<str>>>,
    /// Where hours are written.
    pub(crate) hours: BTreeMap<Arc<str>, Range<usize>>,
    /// Where menus are written.
    pub(crate) menus: BTreeMap<MenuId, Range<usize>>,
    /// Where entries are written.
    pub(crate) entries: BTreeMap<EntryId, Range<usize>>,
    /// Numbers that can be dialled in menus: a range is one place.
    pub(crate) dialled: Vec<(MenuId, At<Vec<Number>>)>,
    /// Where message boxes are written.
    pub(crate) mailboxes: BTreeMap<BoxId, Range<usize>>,
    /// Where ways to be called back are written.
    pub(crate) callbacks: BTreeMap<CallbackId, Range<usize>>,
    /// Where surveys are written.
    pub(crate) surveys: BTreeMap<SurveyId, Range<usize>>,
    /// Every naming of a survey.
    pub(crate) surveys_named: Vec<At<SurveyId>>,
    /// Where groups are written.
    pub(crate) groups: BTreeMap<GroupId, Range<usize>>,
    /// Where agents are written: a range of numbers is one place.
    pub(crate) agents: BTreeMap<AgentId, Range<usize>>,
    /// Members of groups: a range of numbers is one place.
    pub(crate) members: Vec<(GroupId, At<Vec<AgentId>>)>,
    /// Who may close the desk: a range of numbers is one place.
    pub(crate) closers: Vec<At<Vec<AgentId>>>,
    /// Groups that tell positions.
    pub(crate) tell_position: Vec<Range<usize>>,
    /// Groups that tell waits.
    pub(crate) tell_wait: Vec<Range<usize>>,
    /// Where numbers and groups say that they record.
    pub(crate) records: Vec<Range<usize>>,
    /// Who may listen to others: a range of numbers is one place.
    pub(crate) supervisors: Vec<At<Vec<AgentId>>>,
    /// Whether the plan says what a caller is told of it.
    pub(crate) announces: bool,
    /// Skills that are asked for.
    pub(crate) skills: Vec<At<Arc<str>>>,
    /// Groups that ring everybody, and where they say so.
    pub(crate) ring_all: Vec<(GroupId, Range<usize>)>,
    /// Numbers outside to which groups overflow.
    pub(crate) overflow_outside: Vec<(GroupId, At<Number>)>,
    /// What stands for desk numbers behind feature codes.
    pub(crate) shorts: Vec<At<String>>,
    /// What agents hear alone before a caller.
    pub(crate) tell_agent: Vec<At<PromptId>>,
}

/// Whose way it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// A desk number's.
    Desk,
    /// A key's in a menu.
    Key(MenuId),
    /// Of a menu in which no key was pressed.
    Then(MenuId),
    /// Of an entry with a number.
    Entered(EntryId),
    /// Of an entry without one.
    Otherwise(EntryId),
    /// A key's in a queue.
    Queue(GroupId),
}

/// What is being read.
pub(crate) struct Reading<'r, 't> {
    pub(crate) out: &'r mut Findings<'t>,
    pub(crate) marks: Marks,
}

/// `[prompts]`: what is told at any desk number.
struct Prompts {
    code_done: PromptId,
    code_refused: PromptId,
    hold_music: PromptId,
    positions: Vec<PromptId>,
    waits: Vec<(Duration, PromptId)>,
}

/// Reads a plan from a document.
pub(crate) fn plan(document: &Spanned<DeTable>, out: &mut Findings) -> (Plan, Marks) {
    let mut reading = Reading { out, marks: Marks::default() };
    let mut top = Table::new(document);
    let name = top
        .need("name", "name = \"サービスデスク\"", reading.out)
        .and_then(|item| item.text(TextRule::Name, reading.out))
        .map_or_else(String::new, |name| name.value);
    let timezone = top
        .need("timezone", "timezone = \"Asia/Tokyo\"", reading.out)
        .and_then(|item| timezone(&item, reading.out))
        .unwrap_or(chrono_tz::Asia::Tokyo);
    let Prompts { code_done, code_refused, hold_music, positions, waits } =
        reading.prompts(&mut top);
    let (extension_ring, extension_wrap_up, hold_most) = reading.extensions(&mut top);
    let supervisors = reading.supervisors(&mut top);
    let recording = reading.recording(&mut top);
    let preferred = reading.preferred(&mut top);
    let holidays = top
        .get("holidays")
        .and_then(|item| item.text(TextRule::Path, reading.out))
        .map(|file| (file.value, file.span));
    let mut plan = Plan {
        name,
        timezone,
        desk_numbers: BTreeMap::new(),
        hours: BTreeMap::new(),
        holidays,
        menus: BTreeMap::new(),
        entries: BTreeMap::new(),
        mailboxes: BTreeMap::new(),
        callbacks: BTreeMap::new(),
        surveys: BTreeMap::new(),
        groups: BTreeMap::new(),
        preferred,
        agents: BTreeMap::new(),
        in_call: BTreeMap::new(),
        lots: Vec::new(),
        pausing: Pausing::default(),
        codes: BTreeMap::new(),
        closers: None,
        open_codes: BTreeMap::new(),
        supervisors,
        outside: None,
        extension_ring,
        extension_wrap_up,
        hold_most,
        recording,
        code_done,
        code_refused,
        hold_music,
        positions,
        waits,
        prompts: BTreeSet::new(),
    };
    for (key, item) in reading.named(&mut top, "hours") {
        if let Some(hours) = super::parse_hours::hours(&item, reading.out) {
            reading.marks.hours.insert(key.value.as_str().into(), key.span);
            plan.hours.insert(key.value.into(), hours);
        }
    }
    for (key, item) in reading.desk_numbers(&mut top) {
        reading.number(&key, What::DeskNumber);
        if let Some(desk) = parse_way::desk_number(&mut reading, &item) {
            plan.desk_numbers.insert(key.value.into(), desk);
        }
    }
    for (key, item) in reading.named(&mut top, "menus") {
        let id = MenuId::from(key.value);
        reading.marks.menus.insert(id.clone(), key.span);
        if let Some(menu) = parse_way::menu(&mut reading, &id, &item) {
            plan.menus.insert(id, menu);
        }
    }
    for (key, item) in reading.named(&mut top, "entries") {
        let id = EntryId::from(key.value);
        reading.marks.entries.insert(id.clone(), key.span);
        if let Some(entry) = super::parse_attendant::entry(&mut reading, &id, &item) {
            plan.entries.insert(id, entry);
        }
    }
    for (key, item) in reading.named(&mut top, "messages") {
        let id = BoxId::from(key.value);
        reading.marks.mailboxes.insert(id.clone(), key.span);
        if let Some(mailbox) = super::parse_attendant::mailbox(&mut reading, &id, &item) {
            plan.mailboxes.insert(id, mailbox);
        }
    }
    for (key, item) in reading.named(&mut top, "callbacks") {
        let id = CallbackId::from(key.value);
        reading.marks.callbacks.insert(id.clone(), key.span);
        if let Some(callback) = super::parse_attendant::callback(&mut reading, &item) {
            plan.callbacks.insert(id, callback);
        }
    }
    for (key, item) in reading.named(&mut top, "surveys") {
        let id = SurveyId::from(key.value);
        reading.marks.surveys.insert(id.clone(), key.span);
        if let Some(survey) = super::parse_attendant::survey(&mut reading, &item) {
            plan.surveys.insert(id, survey);
        }
    }
    for (key, item) in reading.named(&mut top, "groups") {
        let id = GroupId::from(key.value);
        reading.marks.groups.insert(id.clone(), key.span);
        if let Some(group) = parse_way::group(&mut reading, &id, &item) {
            plan.groups.insert(id, group);
        }
    }
    if let Some((_, span)) = &plan.holidays
        && !plan.hours.values().any(|hours| hours.japanese_holidays)
    {
        reading.out.at(span, Problem::HolidaysUnused);
    }
    reading.agents(&mut top, &mut plan);
    plan.lots = reading.parks(&mut top);
    reading.in_call(&mut top, &mut plan);
    reading.codes(&mut top, &mut plan);
    plan.closers = reading.closers(&mut top);
    plan.outside = super::parse_outside::outside(&mut reading, &mut top);
    top.finish(reading.out);
    plan.prompts = reading.marks.prompts.iter().map(|prompt| prompt.value.clone()).collect();
    (plan, reading.marks)
}

fn timezone(item: &Item, out: &mut Findings) -> Option<chrono_tz::Tz> {
    let text = item.raw(out)?;
    let zone = text.value.parse().ok();
    if zone.is_none() {
        let problem = Shape::BadWord {
            key: "timezone".to_owned(),
            near: nearest(&text.value, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())),
            found: text.value,
            known: Vec::new(),
        };
        out.at(&text.span, problem);
    }
    zone
}

impl Reading<'_, '_> {
    /// The entries of a table whose keys are names.
    pub(crate) fn named<'a, 'd>(
        &mut self,
        top: &mut Table<'a, 'd>,
        key: &'static str,
    ) -> Vec<(At<String>, Item<'a, 'd>)> {
        let mut list = self.all(top, key);
        list.retain(|(name, _)| {
            let good = values::obeys(&name.value, TextRule::Id);
            if !good {
                let found = name.value.clone();
                let problem = Shape::BadText { key: key.to_owned(), found, rule: TextRule::Id };
                self.out.at(&name.span, problem);
            }
            good
        });
        list
    }

    /// The entries of `[desk_numbers]`, whose keys are numbers.
    fn desk_numbers<'a, 'd>(&mut self, top: &mut Table<'a, 'd>) -> Vec<(At<String>, Item<'a, 'd>)> {
        let mut list = self.all(top, "desk_numbers");
        if list.is_empty() {
            self.out.whole(Problem::NoDeskNumber);
        }
        list.retain(|(number, _)| {
            let good = values::is_number(&number.value);
            if !good {
                let found = number.value.clone();
                self.out.at(&number.span, Shape::BadNumber { found, rule: NumberRule::Digits });
            }
            good
        });
        list
    }

    pub(crate) fn all<'a, 'd>(
        &mut self,
        top: &mut Table<'a, 'd>,
        key: &'static str,
    ) -> Vec<(At<String>, Item<'a, 'd>)> {
        let Some(table) = top.table(key, self.out) else { return Vec::new() };
        let span = table.span.clone();
        let mut list = table.entries();
        if list.len() > MOST_ENTRIES {
            self.out.at(&span, Shape::TooMany { key: key.to_owned(), most: MOST_ENTRIES });
            list.truncate(MOST_ENTRIES);
        }
        list
    }

    /// Notes that a number is used.
    pub(crate) fn number(&mut self, number: &At<String>, what: What) {
        if values::is_emergency(&number.value) {
            self.out.at(&number.span, Shape::Emergency { found: number.value.clone() });
        }
        self.marks.numbers.push((number.clone(), what));
    }

    /// A prompt's name; `default` when it is not written.
    pub(crate) fn prompt(
        &mut self,
        table: &mut Table,
        key: &'static str,
        default: &'static str,
    ) -> PromptId {
        if let Some(item) = table.get(key) {
            return self.prompt_in(&item).unwrap_or_else(|| default.into());
        }
        // A missing default is told at the table that relies on it.
        self.marks.prompts.push(At { value: default.into(), span: table.span.clone() });
        default.into()
    }

    /// The prompt that a value names. Its name is a file's name, so no path can hide in it.
    pub(crate) fn prompt_in(&mut self, item: &Item) -> Option<PromptId> {
        let name = item.text(TextRule::Id, self.out)?.map(PromptId::from);
        self.marks.prompts.push(name.clone());
        Some(name.value)
    }

    fn prompts(&mut self, top: &mut Table) -> Prompts {
        let mut table = top.table("prompts", self.out).unwrap_or_else(|| top.empty());
        let code_done = self.prompt(&mut table, "code_done", "code-done");
        let code_refused = self.prompt(&mut table, "code_refused", "code-refused");
        let hold_music = self.prompt(&mut table, "hold_music", "music");
        let list = table.get("positions").and_then(|item| item.list(self.out)).unwrap_or_default();
        let positions = list.iter().filter_map(|item| self.prompt_in(item)).collect();
        let waits = self.waits(&mut table);
        table.finish(self.out);
        Prompts { code_done, code_refused, hold_music, positions, waits }
    }

    /// How long a phone rings, and how long an agent may hold a caller.
    /// `[extensions]`: how long one rings, the work after its calls, the longest hold.
    fn extensions(&mut self, top: &mut Table) -> (Duration, Duration, Option<Duration>) {
        let (default, none) = (Duration::from_secs(30), Duration::ZERO);
        let Some(mut table) = top.table("extensions", self.out) else {
            return (default, none, None);
        };
        let ring = table.duration("ring", Duration::from_secs(1)..=LONGEST_RING, default, self.out);
        let hold_most = table.get("hold_most").and_then(|item| item.duration(HOLD_MOST, self.out));
        let wrap_up = table.duration("wrap_up", parse_way::WRAP_UP, none, self.out);
        table.finish(self.out);
        (ring, wrap_up, hold_most.map(|most| most.value))
    }

    /// `2001 = "name"`, `2001 = { name = … }`, and the same for a range, where `{number}` stands for
    /// each one's own.
    fn agents(&mut self, top: &mut Table, plan: &mut Plan) {
        for (key, item) in self.all(top, "agents") {
            match key.value.as_str() {
                "pause_reasons" => {
                    self.pause_reasons(&item, plan);
                    continue;
                }
                "wrap_up_longer" => {
                    let span = Duration::from_secs(1)..=Duration::from_secs(3600);
                    if let Some(more) = item.duration(span, self.out) {
                        plan.pausing.wrap_up_more = more.value;
                    }
                    continue;
                }
                _ => {}
            }
            let agent = if item.is(Kind::Text) {
                item.text(TextRule::Name, self.out)
                    .map(|name| Agent { name: name.value, ..Agent::default() })
            } else if item.is(Kind::Table) {
                item.table(self.out).map(|mut table| {
                    let name = table.name("name", self.out);
                    let always_signed_in = table.flag("always_signed_in", false, self.out);
                    let skills = self.skills(&mut table);
                    table.finish(self.out);
                    let name = name.unwrap_or_else(|| "{number}".to_owned());
                    Agent { name, always_signed_in, skills }
                })
            } else {
                item.wrong_kind(&[Kind::Text, Kind::Table], self.out);
                None
            };
            let room = MOST_AGENTS.saturating_sub(plan.agents.len());
            for number in self.range(&key, room, MOST_AGENTS) {
                let number = At { value: number, span: key.span.clone() };
                self.number(&number, What::Agent);
                let id = AgentId::from(number.value);
                let agent = agent.clone().unwrap_or_default();
                let name = agent.name.replace("{number}", id.as_str());
                self.marks.agents.entry(id.clone()).or_insert_with(|| key.span.clone());
                plan.agents.insert(id, Agent { name, ..agent });
            }
        }
    }

    /// `pause_reasons = { "昼休み" = "*131" }`: each with the code that pauses for it.
    fn pause_reasons(&mut self, item: &Item, plan: &mut Plan) {
        let Some(table) = item.table(self.out) else { return };
        for (reason, code) in table.entries() {
            if !values::obeys(&reason.value, TextRule::Name) {
                let (key, found) = ("pause_reasons".to_owned(), reason.value.clone());
                self.out.at(&reason.span, Shape::BadText { key, found, rule: TextRule::Name });
            }
            let Ok(place) = u8::try_from(plan.pausing.reasons.len()) else {
                let key = "pause_reasons".to_owned();
                return self.out.at(&reason.span, Shape::TooMany { key, most: 256 });
            };
            plan.pausing.reasons.push(reason.value);
            let Some(code) = code.raw(self.out) else { continue };
            if !values::is_code(&code.value) {
                let found = code.value.clone();
                self.out.at(&code.span, Shape::BadNumber { found, rule: NumberRule::Code });
            }
            self.number(&code, What::Code);
            plan.codes.insert(Number::from(code.value), FeatureCode::PauseFor(place));
        }
    }

    /// The numbers of a range; none when it is none, which is then found.
    pub(crate) fn range(&mut self, text: &At<String>, room: usize, most: usize) -> Vec<String> {
        match values::range(&text.value, room) {
            Ok(list) => list,
            Err(fault) => {
                let found = text.value.clone();
                self.out.at(
                    &text.span,
                    match fault {
                        RangeFault::Long => Shape::RangeTooLong { found, most },
                        RangeFault::Form if found.contains('-') => Shape::BadRange { found },
                        RangeFault::Form => Shape::BadNumber { found, rule: NumberRule::Digits },
                    },
                );
                Vec::new()
            }
        }
    }

    /// `[ad_hoc] agents`: who may close and open the desk by feature code.
    fn closers(&mut self, top: &mut Table) -> Option<BTreeSet<AgentId>> {
        let mut table = top.table("ad_hoc", self.out)?;
        let item = table.need("agents", "agents = [\"2001\"]", self.out);
        table.finish(self.out);
        let mut agents = BTreeSet::new();
        for entry in item?.list(self.out)? {
            let Some(text) = entry.raw(self.out) else { continue };
            let list = self.range(&text, MOST_AGENTS, MOST_AGENTS);
            let list: Vec<AgentId> = list.into_iter().map(AgentId::from).collect();
            agents.extend(list.iter().cloned());
            self.marks.closers.push(At { value: list, span: text.span });
        }
        Some(agents)
    }
}
