//! The desk and the people of one world, drawn from its seed: a plan with every kind of target, the
//! phones of its agents, and the callers with what each of them will do.

use super::faults::Draw;
use super::media::GREETING;
use super::peer::Describes;
use crate::base::{AgentId, CallbackId, EntryId, GroupId, Language, MenuId, Number, PromptId, Rng};
use crate::dialplan::{
    Agent, AtClosing, Branch, Callback, ClosedTargets, DeskNumber, Dial, Entry, FeatureCode, Group,
    Hours, InCall, Lot, Menu, Onward, Overflow, OverflowWhen, PLAIN_PRIORITY, Pausing, Picking,
    Plan, Recall, SetAside, Share, Skills, Span, Speak, Strategy, Supervisors, Target, WeekdayKey,
    Widening,
};
use chrono::NaiveTime;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// The number that leads straight to the group; the last call of every world dials it.
pub const STRAIGHT: &str = "0312340000";
const MENU: &str = "0312340001";
const NIGHT: &str = "0312340002";
const ONE_LINE: &str = "0312340003";
const OWN_LINE: &str = "0312340004";
const INFORMATION: &str = "0312340005";
const REFUSED: &str = "0312340006";
const OFFICE: &str = "0312340007";
const NOBODYS: &str = "0312349999";
/// User part of a caller who hides the number.
pub const HIDDEN: &str = "anonymous";
/// The group's own extension number.
const GROUP: &str = "7000";
/// Feature codes in the order sign in, sign out, pause, unpause.
/// A parking lot and its slots.
const LOT: &str = "7900";
const SLOTS: [&str; 2] = ["7901", "7902"];
const CODES: [&str; 4] = ["*11", "*12", "*13", "*14"];

/// What one caller will do.
#[derive(Clone, Debug)]
pub struct CallerMake {
    /// Display name; unique, and with characters that stores like to break.
    pub name: String,
    /// User part of From.
    pub number: String,
    /// What is dialled.
    pub dials: Number,
    /// When, from the world's beginning.
    pub at: Duration,
    /// How long until giving up, unless connected.
    pub patience: Duration,
    /// How long the caller talks once connected.
    pub talk: Duration,
    /// Keys, each so long after being answered.
    pub keys: Vec<(Duration, char)>,
    /// What the INVITE carries.
    pub describes: Describes,
    /// Goes without a word instead of hanging up.
    pub vanishes: bool,
    /// Hangs up so long after the busy announcement began.
    pub on_busy: Option<Duration>,
    /// Puts the call on hold so long after being connected, for so long.
    pub hold: Option<(Duration, Duration)>,
    /// Phones that ring pick up in the moment this caller gives up.
    pub raced: bool,
}

/// One agent's phone.
#[derive(Clone, Debug)]
pub struct PhoneMake {
    /// The agent's extension.
    pub extension: Number,
    /// Registers with a password, or stands at a fixed address.
    pub registers: bool,
    /// Speaks TCP; only a phone that registers does.
    pub streams: bool,
    /// Takes this many of a thousand offers; the rest ring out, are refused, or worse.
    pub diligence: u64,
    /// To whom its agent passes callers on.
    pub passes_to: Vec<Number>,
    /// Whom its agent asks by keys.
    pub asks: Vec<Number>,
    /// What its agent dials, and when.
    pub calls: Vec<(Duration, Number)>,
}

/// A desk with its people.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The plan.
    pub plan: Arc<Plan>,
    /// Agents' phones.
    pub phones: Vec<PhoneMake>,
    /// Callers by when they dial.
    pub callers: Vec<CallerMake>,
    /// Until when people dial.
    pub length: Duration,
    /// The whole daemon's most calls at once.
    pub max_calls: usize,
    /// RTP ports of the desk.
    pub ports: u16,
}

impl Scene {
    /// The scene of one seed.
    #[must_use]
    pub fn drawn_from(seed: u64) -> Self {
        let mut rng = Rng::from_number(seed ^ 0x5CE0_0000_0000_0000);
        let agents = 1 + rng.below(5);
        let plan = Arc::new(plan(agents, &mut rng));
        let length = Duration::from_secs(*rng.one_of(&[60, 180, 300]));
        let callers = 6 + rng.below(18);
        let mut callers: Vec<CallerMake> =
            (0..callers).map(|n| caller(n, length, &mut rng)).collect();
        callers.sort_by_key(|caller| caller.at);
        let registering = rng.chance(300);
        let mut phones: Vec<PhoneMake> = plan
            .agents
            .keys()
            .map(|agent| phone(&agent.0, registering, length, &mut rng))
            .collect();
        let colleagues: Vec<Number> = phones.iter().map(|phone| phone.extension.clone()).collect();
        for phone in &mut phones {
            phone.asks =
                colleagues.iter().cloned().chain([GROUP, GROUP].map(Number::from)).collect();
            if rng.chance(500) {
                phone.passes_to.clone_from(&colleagues);
                let others = [GROUP, STRAIGHT, MENU, NOBODYS, "9999", LOT, LOT, SLOTS[0]];
                phone.passes_to.extend(others.map(Number::from));
            }
        }
        // Some have a second phone on the same account: both ring, one answers first, or both at once.
        let second: Vec<PhoneMake> = phones
            .iter()
            .filter(|_| registering && rng.chance(300))
            .map(|first| PhoneMake { registers: true, calls: Vec::new(), ..first.clone() })
            .collect();
        for phone in &mut phones {
            phone.registers |= second.iter().any(|other| other.extension == phone.extension);
        }
        phones.extend(second);
        Self {
            phones,
            callers,
            length,
            max_calls: *rng.one_of(&[500, 500, 500, 3]),
            ports: *rng.one_of(&[400, 400, 400, 24]),
            plan,
        }
    }

    /// Every number that anybody may dial.
    #[must_use]
    pub fn numbers(&self) -> Vec<Number> {
        let fixed = [NOBODYS, GROUP, LOT, SLOTS[0], SLOTS[1]].map(Number::from);
        let agents = self.plan.agents.keys().map(|agent| Number(agent.0.clone()));
        let desk = self.plan.desk_numbers.keys().chain(self.plan.codes.keys()).cloned();
        // Behind some codes an extension is dialled.
        let open = self.plan.open_codes.keys().flat_map(|code| {
            (2001..2006).map(move |extension| Number::from(format!("{code}{extension}")))
        });
        desk.chain(agents).chain(fixed).chain(open).collect()
    }
}

fn caller(n: u64, length: Duration, rng: &mut Rng) -> CallerMake {
    let dials = *rng.one_of(&[
        STRAIGHT,
        STRAIGHT,
        STRAIGHT,
        STRAIGHT,
        STRAIGHT,
        STRAIGHT,
        MENU,
        MENU,
        MENU,
        MENU,
        ONE_LINE,
        ONE_LINE,
        NIGHT,
        OWN_LINE,
        INFORMATION,
        REFUSED,
        OFFICE,
        OFFICE,
        NOBODYS,
        GROUP,
    ]);
    let keys = ['1', '1', '1', '2', '2', '3', '5', '6', '6', '7', '8', '9', '0', '0', '1', '#'];
    let patience = match rng.below(10) {
        0 => rng.millis(0, 400),
        1 | 2 => rng.millis(0, 4000),
        3..=5 => rng.millis(3000, 40_000),
        _ => rng.millis(30_000, 200_000),
    };
    CallerMake {
        name: format!("山田 {n}号「𠮷」"),
        number: if rng.chance(100) {
            HIDDEN.to_owned()
        } else {
            format!("03{:08}", 30_000_000 + n)
        },
        dials: Number::from(dials),
        at: rng.span(Duration::from_secs(1), length),
        patience,
        talk: rng.millis(200, 60_000),
        keys: (0..rng.below(6)).map(|_| (rng.millis(100, 12_000), *rng.one_of(&keys))).collect(),
        describes: match rng.below(40) {
            0..=3 => Describes::Late,
            4 => Describes::Broken,
            5 => Describes::Video,
            _ => Describes::Well,
        },
        vanishes: rng.chance(60),
        on_busy: rng.chance(200).then(|| rng.millis(0, 3000)),
        hold: rng.chance(120).then(|| (rng.millis(0, 6000), rng.millis(100, 15_000))),
        raced: rng.chance(200),
    }
}

fn phone(extension: &Arc<str>, registering: bool, length: Duration, rng: &mut Rng) -> PhoneMake {
    let calls = (0..rng.below(4)).map(|_| {
        let colleague = 2001 + rng.below(5);
        let number = match rng.below(12) {
            6 => &*format!(
                "*8{}",
                if rng.chance(500) { String::new() } else { colleague.to_string() }
            ),
            7 => &*format!("{}{colleague}", rng.one_of(&["*90", "*91", "*92"])),
            8 | 9 => &*format!("*93{colleague}"),
            10 => *rng.one_of(&[LOT, SLOTS[0], SLOTS[0], SLOTS[1]]),
            0 => *rng.one_of(&[STRAIGHT, MENU, GROUP, "2001", NOBODYS]),
            1 => CODES[1],
            2 => CODES[2],
            3 => CODES[3],
            _ => CODES[0],
        };
        (rng.span(Duration::from_secs(1), length), Number::from(number))
    });
    PhoneMake {
        passes_to: Vec::new(),
        asks: Vec::new(),
        extension: Number(extension.clone()),
        calls: calls.collect(),
        registers: registering && rng.chance(700),
        streams: rng.chance(400),
        diligence: *rng.one_of(&[950, 800, 600, 200]),
    }
}

fn plan(agents: u64, rng: &mut Rng) -> Plan {
    let agents: BTreeMap<AgentId, Agent> = (0..agents)
        .map(|n| {
            let name = format!("窓口 {n}");
            let always = rng.chance(850);
            // Somebody knows all that is ever asked for.
            let skills = if n == 0 { printer(3) } else { printer(rng.below(4)) };
            let agent = Agent { name, always_signed_in: always, skills };
            (AgentId::from(format!("{}", 2001 + n)), agent)
        })
        .collect();
    let everyone: Vec<AgentId> = agents.keys().cloned().collect();
    let mut groups = BTreeMap::new();
    groups.insert(GroupId::from("desk"), group(GROUP, everyone.clone(), rng));
    let second = everyone[everyone.len() / 2..].to_vec();
    groups.insert(GroupId::from("second"), group("7001", second, rng));
    let desk = || Target::Group(GroupId::from("desk"));
    let menu = || Target::Menu(MenuId::from("main"));
    let tell = |prompt: &str| Target::Announce(PromptId::from(prompt));
    let mut numbers = BTreeMap::new();
    let mut number = |number: &str, hours: Option<&str>, open: Target, closed: Target| {
        let closed = ClosedTargets {
            night: closed.clone(),
            holiday: closed.clone(),
            closure: closed.clone(),
            ad_hoc: tell("closed"),
            disaster: closed,
        };
        let made = DeskNumber {
            name: number.to_owned(),
            hours: hours.map(Arc::from),
            open,
            closed,
            line_limit: if number == ONE_LINE { 1 } else { 30 },
            counted: number != OWN_LINE,
            priority: if number == ONE_LINE { 1 } else { PLAIN_PRIORITY },
            skills: Skills::default(),
            trunks: BTreeSet::new(),
            recorded: None,
            at_closing: None,
            tell_agent: None,
            lamp: None,
            short: None,
        };
        numbers.insert(Number::from(number), made);
    };
    number(STRAIGHT, None, desk(), tell("closed"));
    number(MENU, None, menu(), tell("closed"));
    number(NIGHT, Some("never"), desk(), tell("closed"));
    number(ONE_LINE, None, desk(), tell("closed"));
    number(OWN_LINE, None, Target::Extension(Number::from("2001")), tell("closed"));
    number(INFORMATION, None, tell("information"), tell("closed"));
    number(REFUSED, None, Target::Refuse(603), Target::Refuse(603));
    number(OFFICE, Some("office"), menu(), tell("closed"));
    let codes =
        [FeatureCode::SignIn, FeatureCode::SignOut, FeatureCode::Pause, FeatureCode::Unpause];
    let open_codes = [
        ("*8", FeatureCode::Pickup),
        ("*90", FeatureCode::Listen),
        ("*91", FeatureCode::Whisper),
        ("*92", FeatureCode::Barge),
        ("*93", FeatureCode::Add),
    ];
    let announcement = rng.chance(500).then(|| PromptId::from("supervised"));
    let supervisors = Supervisors { agents: agents.keys().cloned().collect(), announcement };
    let hold_most = rng.chance(500).then(|| rng.millis(1000, 8000));
    Plan {
        name: "simulated".to_owned(),
        timezone: chrono_tz::Asia::Tokyo,
        desk_numbers: numbers,
        holidays: None,
        hours: BTreeMap::from([
            (Arc::from("never"), hours(&[])),
            (Arc::from("office"), hours(&[office_day()])),
        ]),
        menus: BTreeMap::from([(MenuId::from("main"), main_menu(rng))]),
        entries: BTreeMap::from([(EntryId::from("staff"), entry(rng))]),
        mailboxes: BTreeMap::new(),
        surveys: BTreeMap::new(),
        callbacks: BTreeMap::from([(CallbackId::from("back"), callback(rng))]),
        groups,
        preferred: BTreeMap::new(),
        agents,
        in_call: [
            ("*2", InCall::Consult),
            ("*3", InCall::Swap),
            ("*4", InCall::Join),
            ("*0", InCall::Back),
        ]
        .map(|(code, does)| (code.to_owned(), does))
        .into(),
        lots: vec![lot(rng)],
        pausing: Pausing::default(),
        closers: None,
        codes: CODES
            .map(Number::from)
            .into_iter()
            .zip(codes)
            .chain([(Number::from("*8"), FeatureCode::Pickup)])
            .collect(),
        open_codes: open_codes.map(|(code, does)| (Number::from(code), does)).into(),
        supervisors,
        outside: None,
        extension_ring: rng.millis(4000, 20_000),
        extension_wrap_up: if rng.chance(300) { rng.millis(500, 5000) } else { Duration::ZERO },
        hold_most,
        hold_music: PromptId::from("music"),
        recording: crate::dialplan::Recording {
            announcement: None,
            resume_after: std::time::Duration::from_secs(120),
        },
        code_done: PromptId::from("done"),
        code_refused: PromptId::from("not-done"),
        positions: (1..=3).map(|n| PromptId::from(format!("position-{n}"))).collect(),
        waits: vec![(Duration::from_secs(20), "wait-1min".into())],
        prompts: std::collections::BTreeSet::new(),
    }
}

fn lot(rng: &mut Rng) -> Arc<Lot> {
    let then = rng.chance(300).then(|| Target::Announce(PromptId::from("bye")));
    Arc::new(Lot {
        name: "lot".to_owned(),
        number: Some(LOT.into()),
        slots: SLOTS.iter().map(|slot| (Number::from(*slot), PromptId::from("parked"))).collect(),
        recall_after: rng.millis(3000, 40_000),
        recall_ring: rng.millis(1000, 15_000),
        recall: if rng.chance(700) { Recall::Parker { then } } else { Recall::Group },
        music: PromptId::from("music"),
        tells: rng.chance(700),
        empty: PromptId::from("empty"),
    })
}

fn main_menu(rng: &mut Rng) -> Menu {
    let group = |name: &str| Target::Group(GroupId::from(name));
    Menu {
        greeting: PromptId::from(GREETING),
        keys: BTreeMap::from([
            ('1', group("desk")),
            ('2', group("second")),
            ('3', Target::Announce(PromptId::from("information"))),
            ('5', Target::Extension(Number::from("2001"))),
            ('9', Target::Menu(MenuId::from("main"))),
            ('0', Target::Refuse(603)),
            ('6', Target::Enter(EntryId::from("staff"))),
            ('7', speak("main")),
            ('4', Target::Callback(CallbackId::from("back"))),
            ('8', by_hours("office")),
        ]),
        dial: Dial {
            numbers: BTreeSet::from(["2001", "2002", "7000"].map(Number::from)),
            key_timeout: rng.millis(1000, 3000),
        },
        skills: BTreeMap::new(),
        timeout: rng.millis(1000, 5000),
        tries: 1 + u32::try_from(rng.below(3)).unwrap_or(0),
        wrong_key: PromptId::from("wrong-key"),
        no_key: rng.chance(500).then(|| PromptId::from("no-key")),
        then: if rng.chance(500) { group("desk") } else { Target::Announce(PromptId::from("bye")) },
    }
}

fn speak(menu: &str) -> Target {
    let then = Target::Menu(MenuId::from(menu));
    Target::Speak(Box::new(Speak { language: Language::En, then }))
}

fn by_hours(hours: &str) -> Target {
    let (open, closed) = (Target::Group(GroupId::from("desk")), Target::Announce("closed".into()));
    Target::Hours(Box::new(Branch { hours: Arc::from(hours), open, closed }))
}

fn entry(rng: &mut Rng) -> Entry {
    Entry {
        prompt: PromptId::from(GREETING),
        digits: (2, 4),
        confirm: rng.chance(500),
        timeout: rng.millis(1000, 5000),
        key_timeout: rng.millis(1000, 3000),
        tries: 1 + u32::try_from(rng.below(3)).unwrap_or(0),
        wrong: PromptId::from("wrong-key"),
        then: Target::Group(GroupId::from("desk")),
        otherwise: Target::Announce(PromptId::from("bye")),
    }
}

/// The one skill of a world, in a level from 0 to 3.
fn printer(level: u64) -> Skills {
    let level = u8::try_from(level).unwrap_or(0);
    Skills((level > 0).then(|| (Arc::from("printer"), level)).into_iter().collect())
}

/// Some members behind others, some groups that ask for skills; in the end anybody will do.
fn picking(agents: &[AgentId], rng: &mut Rng) -> Picking {
    let mut share = |agent: &AgentId| {
        let priority = 1 + u8::try_from(rng.below(3)).unwrap_or(0);
        let weight = 1 + u32::try_from(rng.below(4)).unwrap_or(0);
        (agent.clone(), Share { priority, weight })
    };
    let shares: BTreeMap<AgentId, Share> = agents.iter().map(&mut share).collect();
    let plain = rng.chance(500);
    let asks = rng.chance(300);
    Picking {
        shares: if plain { BTreeMap::new() } else { shares },
        skills: printer(if asks { 3 } else { 0 }),
        widen: vec![
            Widening { after: rng.millis(2000, 20_000), level: 1 },
            Widening { after: rng.millis(21_000, 60_000), level: 0 },
        ],
    }
}

/// Some groups send on who waits too long: to each other, to one phone, to an announcement, away.
fn overflow(number: &str, rng: &mut Rng) -> Vec<Overflow> {
    let other = if number == GROUP { "second" } else { "desk" };
    let to = |rng: &mut Rng| match rng.below(6) {
        0 => Target::Announce(PromptId::from("information")),
        1 => Target::Refuse(486),
        2 => Target::Extension(Number::from("2001")),
        _ => Target::Group(GroupId::from(other)),
    };
    let when = match rng.below(8) {
        0 => OverflowWhen::Waiting(1),
        1 => OverflowWhen::Waited(rng.millis(2000, 60_000)),
        2 => OverflowWhen::Estimated(rng.millis(2000, 60_000)),
        _ => return Vec::new(),
    };
    vec![Overflow { when, to: Onward::Way(to(rng)) }]
}

/// Callers of the simulation have no way back by a carrier: those who come from a phone of ours do.
fn callback(rng: &mut Rng) -> Callback {
    let prompt = |name: &str| PromptId::from(name);
    Callback {
        group: GroupId::from("desk"),
        offer: prompt("offer"),
        enter: prompt("enter"),
        done: prompt("done"),
        refused: prompt("refused"),
        agent: prompt("agent"),
        other_number: rng.chance(500),
        timeout: rng.millis(1000, 5000),
        key_timeout: rng.millis(1000, 3000),
        tries: 1 + u32::try_from(rng.below(3)).unwrap_or(0),
        every: rng.millis(10_000, 60_000),
        within: rng.millis(60_000, 600_000),
        most: 10,
    }
}

fn group(number: &str, agents: Vec<AgentId>, rng: &mut Rng) -> Group {
    let aside = |rng: &mut Rng| {
        if rng.chance(300) { SetAside::Pause } else { SetAside::For(rng.millis(1000, 30_000)) }
    };
    let picking = picking(&agents, rng);
    Group {
        survey: None,
        name: number.to_owned(),
        number: Some(Number::from(number)),
        agents,
        strategy: *rng.one_of(&[
            Strategy::RingAll,
            Strategy::Linear,
            Strategy::RoundRobin,
            Strategy::LongestIdle,
            Strategy::FewestCalls,
            Strategy::Weighted,
        ]),
        picking,
        ring_outs: 1 + u32::try_from(rng.below(2)).unwrap_or(0),
        ring: rng.millis(3000, 20_000),
        wrap_up: *rng.one_of(&[Duration::ZERO, Duration::from_secs(2), Duration::from_secs(10)]),
        on_ring_out: aside(rng),
        on_refuse: aside(rng),
        max_waiting: *rng.one_of(&[0, 1, 3, 30]),
        max_wait: rng.millis(15_000, 180_000),
        answer_first: rng.chance(500),
        overflow: overflow(number, rng),
        busy: PromptId::from("busy"),
        music: PromptId::from("music"),
        comfort: rng.chance(700).then(|| PromptId::from("comfort")),
        comfort_every: rng.millis(5000, 30_000),
        tell_position: rng.chance(500),
        tell_wait: rng.chance(500),
        keeps_place: false,
        keys: BTreeMap::from([('2', Target::Callback(CallbackId::from("back")))]),
        offer: rng.chance(500).then(|| PromptId::from("offer")),
        full: PromptId::from("full"),
        waited: PromptId::from("waited"),
        at_closing: rng.chance(500).then_some(AtClosing::Tell),
        closing: PromptId::from("closing"),
        recorded: None,
        lamp: None,
        tell_agent: rng.chance(300).then(|| PromptId::from("who")),
    }
}

/// The contract's day.
fn office_day() -> Span {
    let at = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default();
    Span { from: at(8, 30), until: at(18, 15) }
}

fn hours(spans: &[Span]) -> Hours {
    Hours {
        week: (0..5).map(|day| (WeekdayKey(day), spans.to_vec())).collect(),
        japanese_holidays: true,
        table: None,
        yearly: Vec::new(),
        days: BTreeMap::new(),
    }
}
