//! What a plan says, after it was read and checked: plain values, every reference resolved to exist.
//!
//! The types here are what `pbx` acts on. How they are written in TOML is `parse`'s business.

use super::attendant::{Branch, Callback, Dial, Entry, Mailbox, Speak, Survey};
use super::holiday_table::HolidayTable;
use super::in_call::InCall;
use super::outside::Outside;
use super::park::Lot;
use super::picking::{Overflow, Picking, Preferred, Skills};
use crate::base::{
    AgentId, BoxId, CallbackId, EntryId, GroupId, MenuId, Number, Private, PromptId, SurveyId,
    TrunkId,
};
use chrono::{NaiveDate, NaiveTime, Weekday};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// One desk's plan.
#[derive(Clone, Debug)]
pub struct Plan {
    /// As the file names it.
    pub name: String,
    /// All hours and dates of the plan are read in this zone.
    pub timezone: chrono_tz::Tz,
    /// Numbers that outsiders (and extensions) dial to reach the desk.
    pub desk_numbers: BTreeMap<Number, DeskNumber>,
    /// Service hours by name.
    pub hours: BTreeMap<Arc<str>, Hours>,
    /// The table of holidays that the file names, and where it does; the rim reads it and hands it to
    /// [`Plan::set_holidays`].
    pub holidays: Option<(String, std::ops::Range<usize>)>,
    /// Auto attendant menus.
    pub menus: BTreeMap<MenuId, Menu>,
    /// Numbers that callers are asked to enter.
    pub entries: BTreeMap<EntryId, Entry>,
    /// Boxes for voice messages.
    pub mailboxes: BTreeMap<BoxId, Mailbox>,
    /// Ways to be called back.
    pub callbacks: BTreeMap<CallbackId, Callback>,
    /// Surveys after a call.
    pub surveys: BTreeMap<SurveyId, Survey>,
    /// Hunt groups.
    pub groups: BTreeMap<GroupId, Group>,
    /// Callers who are served before others.
    pub preferred: Preferred,
    /// Agents; the key is the extension.
    pub agents: BTreeMap<AgentId, Agent>,
    /// What agents do by keys in a conversation: code (`*` or `#` and digits, none the beginning of
    /// another) to what.
    pub in_call: BTreeMap<String, InCall>,
    /// Parking lots, by their names in the plan.
    pub lots: Vec<Arc<Lot>>,
    /// How agents pause and wrap up.
    pub pausing: Pausing,
    /// Feature codes.
    pub codes: BTreeMap<Number, FeatureCode>,
    /// Who may close and open the desk by feature code; none: every agent.
    pub closers: Option<BTreeSet<AgentId>>,
    /// Feature codes behind which an extension is dialled, without it. What is dialled fits one at most.
    pub open_codes: BTreeMap<Number, FeatureCode>,
    /// Who may listen to others.
    pub supervisors: Supervisors,
    /// Calls to numbers outside; none: there are none.
    pub outside: Option<Outside>,
    /// How long a phone rings that was dialled directly by its extension.
    pub extension_ring: Duration,
    /// The work due after a call that was answered at its own extension, unless a colleague placed it.
    pub extension_wrap_up: Duration,
    /// An agent who holds a caller for longer is rung; none: nobody is reminded.
    pub hold_most: Option<Duration>,
    /// How calls are recorded.
    pub recording: Recording,
    /// What the other side of a held call hears.
    pub hold_music: PromptId,
    /// Played to an agent who dialled a feature code.
    pub code_done: PromptId,
    /// Played to an agent whose feature code could not be obeyed.
    pub code_refused: PromptId,
    /// Whole-phrase position announcements, the first for position 1; beyond the last none is told.
    pub positions: Vec<PromptId>,
    /// Whole-phrase announcements of an estimated wait of at most so long, the shortest first; beyond
    /// the last none is told.
    pub waits: Vec<(Duration, PromptId)>,
    /// Every prompt that it names.
    pub prompts: BTreeSet<PromptId>,
}

impl Plan {
    /// Lets a table go before the rules, in all hours that close on holidays.
    pub fn set_holidays(&mut self, table: HolidayTable) {
        let table = Arc::new(table);
        for hours in self.hours.values_mut().filter(|hours| hours.japanese_holidays) {
            hours.table = Some(Arc::clone(&table));
        }
    }

    /// The table that was handed over; none also where no hours close on holidays.
    #[must_use]
    pub fn holiday_table(&self) -> Option<&Arc<HolidayTable>> {
        self.hours.values().find_map(|hours| hours.table.as_ref())
    }

    /// Whether `date` is a service day of a number that enters the contract's figures, by the plan alone: one
    /// without hours always is. A plan without such a number is judged by all of its numbers.
    #[must_use]
    pub fn serves_on(&self, date: NaiveDate) -> bool {
        let all = || self.desk_numbers.values();
        let any_counted = all().any(|number| number.counted);
        all().filter(|number| number.counted || !any_counted).any(|number| {
            let hours = number.hours.as_ref().and_then(|name| self.hours.get(name));
            hours.is_none_or(|hours| hours.serves_on(date))
        })
    }

    /// The priority of a caller at a number: the better of what the plan says of either; none when it
    /// says nothing.
    #[must_use]
    pub fn priority_of(&self, caller: Option<&Private<String>>, dialled: &Number) -> Option<u8> {
        let of_caller = caller.and_then(|caller| self.preferred.get(caller).copied());
        let of_number = self.desk_numbers.get(dialled).map(|number| number.priority);
        of_caller.into_iter().chain(of_number).min()
    }

    /// The desk number that is meant by what is dialled behind a feature code: by its short key, or as a whole.
    #[must_use]
    pub fn number_behind(&self, dialled: &Number) -> Option<&Number> {
        let short = |(_, desk): &(&Number, &DeskNumber)| desk.short.as_ref() == Some(dialled);
        let found = self.desk_numbers.iter().find(short);
        found.or_else(|| self.desk_numbers.get_key_value(dialled)).map(|(number, _)| number)
    }

    /// What an agent hears alone before a caller of this group that came by this number: the word of the
    /// group, or else that of the number.
    #[must_use]
    pub fn tells_agent<'p>(
        &'p self,
        group: &'p Group,
        number: Option<&Number>,
    ) -> Option<&'p PromptId> {
        let of_number =
            || number.and_then(|number| self.desk_numbers.get(number)?.tell_agent.as_ref());
        group.tell_agent.as_ref().or_else(of_number)
    }

    /// Whether any call may be recorded, or any message.
    #[must_use]
    pub fn records(&self) -> bool {
        let numbers = self.desk_numbers.values().map(|number| number.recorded);
        let groups = self.groups.values().map(|group| group.recorded);
        let calls = numbers.chain(groups).flatten().any(|recorded| recorded != Recorded::Off);
        calls || !self.mailboxes.is_empty()
    }
}

/// Who may listen to the talks of others (モニタ), and what callers are told of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Supervisors {
    /// Who may.
    pub agents: BTreeSet<AgentId>,
    /// Played to the caller when it begins; none: nothing is said.
    pub announcement: Option<PromptId>,
}

/// How calls are recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Played to a caller whose call may be recorded, before an operator is asked for; none: the plan says
    /// that none is needed.
    pub announcement: Option<PromptId>,
    /// A pause that is forgotten ends by itself after this.
    pub resume_after: Duration,
}

/// Whether calls are recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recorded {
    /// Never.
    #[default]
    Off,
    /// From the first word with an agent.
    Always,
    /// When somebody wants it.
    OnDemand,
}

impl Recorded {
    /// What counts for a call: the word of its group, or else that of its number.
    #[must_use]
    pub fn of(group: Option<Self>, number: Option<Self>) -> Self {
        group.or(number).unwrap_or_default()
    }
}

/// A number that leads to the desk (着信番号).
#[derive(Clone, Debug)]
pub struct DeskNumber {
    /// For people.
    pub name: String,
    /// Its hours; none means always open.
    pub hours: Option<Arc<str>>,
    /// Where a call goes while open.
    pub open: Target,
    /// Where it goes while closed, by reason; a reason left out uses `closed`.
    pub closed: ClosedTargets,
    /// Most calls at once on this number (回線数).
    pub line_limit: u32,
    /// Whether its calls enter the contract's figures.
    pub counted: bool,
    /// Its callers' priority, 1 to 9; 1 is served first.
    pub priority: u8,
    /// What its callers need of an agent.
    pub skills: Skills,
    /// Trunks that may bring it; empty means all, and extensions always may.
    pub trunks: BTreeSet<TrunkId>,
    /// Whether its calls are recorded, unless their group says otherwise.
    pub recorded: Option<Recorded>,
    /// What is done with its calls that wait when it closes, unless their group says otherwise.
    pub at_closing: Option<AtClosing>,
    /// What an agent of a group hears alone before one of its callers, unless the group says otherwise.
    pub tell_agent: Option<PromptId>,
    /// A lamp that is lit while it is closed.
    pub lamp: Option<Number>,
    /// What is dialled behind a feature code for it.
    pub short: Option<Number>,
}

/// Where a call goes while closed.
#[derive(Clone, Debug)]
pub struct ClosedTargets {
    /// Outside the hours of a service day, and at weekends.
    pub night: Target,
    /// On a holiday.
    pub holiday: Target,
    /// In a closure (year-end).
    pub closure: Target,
    /// Closed out of turn by a person.
    pub ad_hoc: Target,
    /// The same because of a disaster.
    pub disaster: Target,
}

/// What is done with calls that wait for an operator when their number closes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AtClosing {
    /// They are served to the end.
    #[default]
    Serve,
    /// They are told and released.
    Tell,
}

impl AtClosing {
    /// What counts for a call: the word of its group, or else that of its number.
    #[must_use]
    pub fn of(group: Option<Self>, number: Option<Self>) -> Self {
        group.or(number).unwrap_or_default()
    }
}

/// Where a call goes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Into a menu.
    Menu(MenuId),
    /// To a group's agents.
    Group(GroupId),
    /// To one phone.
    Extension(Number),
    /// Tells a prompt to its end and releases the call.
    Announce(PromptId),
    /// Refuses with this status (486, 503 or 603), unanswered.
    Refuse(u16),
    /// Asks for a number.
    Enter(EntryId),
    /// Takes a voice message.
    Message(BoxId),
    /// Notes a wish to be called back.
    Callback(CallbackId),
    /// By the time.
    Hours(Box<Branch>),
    /// In another language from here on.
    Speak(Box<Speak>),
}

/// When the desk serves.
#[derive(Clone, Debug)]
pub struct Hours {
    /// For each weekday the spans of service, in order, not overlapping; `from` included, `until` not.
    pub week: BTreeMap<WeekdayKey, Vec<Span>>,
    /// Whether Japanese public holidays are closed.
    pub japanese_holidays: bool,
    /// A table that goes before the rules.
    pub table: Option<Arc<HolidayTable>>,
    /// Yearly closures such as 12-29 to 01-03, both days included.
    pub yearly: Vec<YearlyClosure>,
    /// Single days with hours of their own (empty: closed all day), with a name.
    pub days: BTreeMap<NaiveDate, SpecialDay>,
}

/// Monday is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WeekdayKey(pub u8);

impl From<Weekday> for WeekdayKey {
    fn from(day: Weekday) -> Self {
        Self(u8::try_from(day.num_days_from_monday()).unwrap_or(0))
    }
}

/// Part of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Included.
    pub from: NaiveTime,
    /// Not included.
    pub until: NaiveTime,
}

/// A closure that comes every year.
#[derive(Clone, Debug)]
pub struct YearlyClosure {
    /// For people and for the history.
    pub name: String,
    /// (month, day), included.
    pub from: (u32, u32),
    /// (month, day), included; before `from` when it reaches over New Year.
    pub until: (u32, u32),
}

/// One date's own hours.
#[derive(Clone, Debug)]
pub struct SpecialDay {
    /// For people and for the history.
    pub name: String,
    /// Its spans of service; none means closed.
    pub spans: Vec<Span>,
}

/// An auto attendant menu (自動応答).
#[derive(Clone, Debug)]
pub struct Menu {
    /// What is said; a key stops it at once.
    pub greeting: PromptId,
    /// Where keys lead.
    pub keys: BTreeMap<char, Target>,
    /// What callers need of an agent who press a key.
    pub skills: BTreeMap<char, Skills>,
    /// How long a key is awaited after the greeting's end.
    pub timeout: Duration,
    /// How often the greeting is said in all before `then`.
    pub tries: u32,
    /// Extensions that can be dialled.
    pub dial: Dial,
    /// Said after a key that leads nowhere.
    pub wrong_key: PromptId,
    /// Said when no key came.
    pub no_key: Option<PromptId>,
    /// Where the call goes when the tries are used up without a valid key.
    pub then: Target,
}

/// Agents reached together (グループ).
#[derive(Clone, Debug)]
pub struct Group {
    /// For people.
    pub name: String,
    /// The extension number that reaches the group (グループ代表番号).
    pub number: Option<Number>,
    /// Members in the plan's order.
    pub agents: Vec<AgentId>,
    /// Who is rung next.
    pub strategy: Strategy,
    /// Among whom.
    pub picking: Picking,
    /// How long one offer rings.
    pub ring: Duration,
    /// After-call work.
    pub wrap_up: Duration,
    /// From which ring-out in a row on `on_ring_out` holds; before, the agent stays free.
    pub ring_outs: u32,
    /// What follows when an agent lets it ring out.
    pub on_ring_out: SetAside,
    /// What follows when an agent's phone refuses.
    pub on_refuse: SetAside,
    /// Calls that may wait at once; one more is released.
    pub max_waiting: u32,
    /// The longest wait, from asking for an operator.
    pub max_wait: Duration,
    /// Whether the caller is answered (200) before an agent is, even when one is free.
    pub answer_first: bool,
    /// Where calls go whose wait is too long; the first that holds.
    pub overflow: Vec<Overflow>,
    /// "All operators are busy", played once when nobody is free.
    pub busy: PromptId,
    /// Played in a loop while waiting, and while an agent's phone rings for an answered caller.
    pub music: PromptId,
    /// Played between the music.
    pub comfort: Option<PromptId>,
    /// How often `comfort` (and the position) is told.
    pub comfort_every: Duration,
    /// Whether the position is told before the comfort message, when it is better than what was told last.
    pub tell_position: bool,
    /// Whether the estimated wait is, likewise.
    pub tell_wait: bool,
    /// Whether a caller who is passed on here stands where its first wish for an operator puts it; otherwise
    /// behind all who wait.
    pub keeps_place: bool,
    /// Where keys lead while a call waits.
    pub keys: BTreeMap<char, Target>,
    /// Tells of the keys, once, after `busy`.
    pub offer: Option<PromptId>,
    /// Said before release when the queue is full.
    pub full: PromptId,
    /// Said before release when the longest wait has passed.
    pub waited: PromptId,
    /// What is done with its calls that wait when their number closes.
    pub at_closing: Option<AtClosing>,
    /// Said before release at closing time.
    pub closing: PromptId,
    /// Whether its calls are recorded, whatever their number says.
    pub recorded: Option<Recorded>,
    /// What a caller is asked whose agent hangs up first.
    pub survey: Option<SurveyId>,
    /// What an agent hears alone who has answered, before the caller is put through.
    pub tell_agent: Option<PromptId>,
    /// A lamp that blinks while a call waits.
    pub lamp: Option<Number>,
}

/// Who is rung next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// 一斉: all free agents at once; the first to answer has the call.
    RingAll,
    /// 順次: always from the first of the list.
    Linear,
    /// 巡回: from the one after the last who was rung.
    RoundRobin,
    /// 最長待機: the one idle longest.
    LongestIdle,
    /// 最少応答: the one who answered fewest calls since signing in; of several the one idle longest.
    FewestCalls,
    /// 重み付け: in proportion to the members' weights.
    Weighted,
}

/// What is done with an agent who did not take an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetAside {
    /// Not rung again for this long, then free by itself.
    For(Duration),
    /// Paused until the agent (or a supervisor) ends it (RONA).
    Pause,
}

/// How agents pause and wrap up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pausing {
    /// For what an agent may be paused by the API, each with a feature code or without; none: anything.
    pub reasons: Vec<String>,
    /// By how much an order makes after-call work longer.
    pub wrap_up_more: Duration,
}

impl Default for Pausing {
    fn default() -> Self {
        Self { reasons: Vec::new(), wrap_up_more: Duration::from_secs(60) }
    }
}

impl Pausing {
    /// Whether an agent may be paused for this.
    #[must_use]
    pub fn allows(&self, reason: &str) -> bool {
        self.reasons.is_empty() || self.reasons.iter().any(|known| known == reason)
    }
}

/// An agent of the plan.
#[derive(Clone, Debug, Default)]
pub struct Agent {
    /// For people.
    pub name: String,
    /// Whether the agent counts as signed in from the first registration on, without a code.
    pub always_signed_in: bool,
    /// What the agent knows.
    pub skills: Skills,
}

/// What a feature code does for the agent who dials it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeatureCode {
    /// Takes part.
    SignIn,
    /// Takes part no more.
    SignOut,
    /// Sets aside until unpaused.
    Pause,
    /// The same, for the plan's reason of this place in its list.
    PauseFor(u8),
    /// Makes after-call work longer.
    WrapUpLonger,
    /// Ends after-call work.
    WrapUpEnd,
    /// Ends a pause.
    Unpause,
    /// Records the call that the agent holds, or has just put on hold.
    RecordStart,
    /// Records it no more.
    RecordStop,
    /// Silence in the recording.
    RecordPause,
    /// No longer.
    RecordResume,
    /// Parks the caller whom the agent holds.
    Park,
    /// Closes all desk numbers until the day's end.
    CloseDesk,
    /// The same with the words for a disaster.
    CloseForDisaster,
    /// Opens all desk numbers until the day's end.
    OpenDesk,
    /// Back to the hours of the plan.
    UsualHours,
    /// Takes what rings at a colleague's phone (代理応答).
    Pickup,
    /// Hears an agent's talk (モニタ).
    Listen,
    /// Hears it and is heard by the agent alone (ウィスパ).
    Whisper,
    /// Hears it and is heard by both (三者割込み).
    Barge,
    /// Adds somebody to the own talk (三者通話).
    Add,
}

impl FeatureCode {
    /// As a plan writes each of them.
    pub const NAMES: [(&'static str, Self); 20] = [
        ("wrap_up_longer", Self::WrapUpLonger),
        ("wrap_up_end", Self::WrapUpEnd),
        ("sign_in", Self::SignIn),
        ("sign_out", Self::SignOut),
        ("pause", Self::Pause),
        ("unpause", Self::Unpause),
        ("record_start", Self::RecordStart),
        ("record_stop", Self::RecordStop),
        ("record_pause", Self::RecordPause),
        ("record_resume", Self::RecordResume),
        ("park", Self::Park),
        ("close_desk", Self::CloseDesk),
        ("close_for_disaster", Self::CloseForDisaster),
        ("open_desk", Self::OpenDesk),
        ("usual_hours", Self::UsualHours),
        ("pickup", Self::Pickup),
        ("listen", Self::Listen),
        ("whisper", Self::Whisper),
        ("barge", Self::Barge),
        ("add", Self::Add),
    ];
}
