//! The way a call would take: the same rules as in a call, walked without one, so that a plan can be
//! tried before it goes live. Pure: the question carries the time.
//!
//! It must say what `pbx` would do; where the two differ, one of them is wrong.

use super::attendant::{Dialled, Entry};
use super::hours::OpenState;
use super::picking::Skills;
use super::plan::{AtClosing, Menu, Plan, Recorded, Target};
use super::route::Route;
use super::walk_group::{Ringing, ring_out};
use super::walked::{End, Expected, GroupWay, Step, Waiting, Walk};
use crate::base::{AdHoc, AgentId, EntryId, GroupId, MenuId, Number, PromptId, TrunkId, Wall};
use std::sync::Arc;
use std::time::Duration;

/// Menus that one call may enter; one that enters more is released, like a call that is real.
pub const MOST_MENUS: u32 = 50;
/// Offers that an answer names; what comes after is the same again.
pub const MOST_OFFERS: usize = 40;

/// Which call.
#[derive(Clone, Debug)]
pub struct Question {
    /// When it arrives.
    pub at: Wall,
    /// Whence.
    pub from: Asker,
    /// What is dialled.
    pub to: Number,
    /// What the caller does at each menu, in order; afterwards nothing is pressed. Where digits belong together,
    /// they are pressed one after the other without a pause.
    pub presses: Vec<Press>,
    /// Whether a person has closed or opened the desk out of turn.
    pub ad_hoc: Option<AdHoc>,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asker {
    /// Somebody outside, by this trunk or by any.
    Outside(Option<TrunkId>),
    /// One of our own phones.
    Extension(Number),
}

/// What a caller does at a menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    /// Presses a key.
    Key(char),
    /// Lets the time pass.
    Nothing,
}

/// What a caller does at each menu as people write it: keys, `-` for none; commas part them.
///
/// # Errors
///
/// The first that is no key.
pub fn presses(text: &str) -> Result<Vec<Press>, char> {
    let keys = text.chars().filter(|key| *key != ',');
    keys.map(|key| match key {
        '0'..='9' | '*' | '#' | 'A'..='D' => Ok(Press::Key(key)),
        '-' => Ok(Press::Nothing),
        other => Err(other),
    })
    .collect()
}

/// Walks one call through a plan.
#[must_use]
pub fn walk(plan: &Plan, question: &Question) -> Walk {
    let (trunk, agent) = match &question.from {
        Asker::Outside(trunk) => (trunk.as_ref(), None),
        Asker::Extension(number) => {
            (None, plan.agents.get_key_value(&AgentId(number.0.clone())).map(|(id, _)| id.clone()))
        }
    };
    let by_agent = agent.is_some();
    let presses = question.presses.iter();
    let (steps, recorded, skills) = (Vec::new(), None, Skills::default());
    let (at, caller) = (question.at, agent.clone());
    let mut walker = Walker {
        plan,
        at,
        steps,
        presses,
        caller,
        recorded,
        skills,
        ad_hoc: question.ad_hoc,
        closes: None,
        line: None,
    };
    let ad_hoc = question.ad_hoc.map(|to| (to, Arc::from("")));
    let (counted, end) = match plan.route_under(&question.to, question.at, ad_hoc) {
        Route::Desk { desk, state, target } if desk.admits(trunk) => {
            walker.steps.push(Step::Desk {
                number: question.to.clone(),
                name: desk.name.clone(),
                lines: desk.line_limit,
            });
            walker.line = Some(question.to.clone());
            walker.recorded = desk.recorded;
            walker.skills.clone_from(&desk.skills);
            let closed = matches!(state, OpenState::Closed(_));
            if !closed && question.ad_hoc.is_none() {
                walker.closes = Some((desk.at_closing, plan.closes_in(desk, question.at)));
            }
            match question.ad_hoc {
                Some(to) => walker.steps.push(Step::AdHoc { to }),
                None => walker.hours(desk.hours.as_ref(), state, question.at),
            }
            let from = if closed { Way::Closed } else { Way::Number };
            (desk.counted && !by_agent, walker.go(target, from))
        }
        Route::Group(id) => (!by_agent, walker.group(id, false)),
        Route::Agent(id) => (false, walker.phone(id)),
        Route::Code(code) | Route::CodeFor(code, _) => {
            (false, End::Code { code, agent, done: plan.code_done.clone() })
        }
        Route::Lot(lot) if by_agent => {
            let first = lot.slots.first_key_value();
            let way = |(slot, said): (&Number, &PromptId)| End::Lot {
                name: lot.name.clone(),
                first: slot.clone(),
                said: said.clone(),
            };
            (false, first.map_or(End::Nothing, way))
        }
        Route::Slot(lot, slot) if matches!(question.from, Asker::Extension(_)) => {
            let (slot, name, empty) = (slot.clone(), lot.name.clone(), lot.empty.clone());
            (false, End::Slot { slot, name, empty })
        }
        Route::Desk { .. } | Route::Lot(_) | Route::Slot(..) | Route::Other => {
            (false, End::Nothing)
        }
    };
    Walk { at: plan.local(question.at), counted, steps: walker.steps, end }
}

/// How a target was reached; an announcement and a refusal mean different things.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Number,
    Closed,
    Menu,
}

struct Walker<'p> {
    plan: &'p Plan,
    at: Wall,
    steps: Vec<Step>,
    presses: std::slice::Iter<'p, Press>,
    /// The agent who calls: busy with this very call, and so not rung.
    caller: Option<AgentId>,
    /// The desk number that was dialled.
    line: Option<Number>,
    /// What the number says of recording.
    recorded: Option<Recorded>,
    /// What the number and the keys pressed ask of an agent.
    skills: Skills,
    /// What holds out of turn.
    ad_hoc: Option<AdHoc>,
    /// What the number says of its closing time, and how far that is.
    closes: Option<(Option<AtClosing>, Option<Duration>)>,
}

impl Walker<'_> {
    fn hours(&mut self, name: Option<&Arc<str>>, state: OpenState, at: Wall) {
        let Some(name) = name else { return self.steps.push(Step::AlwaysOpen) };
        self.steps.push(match state {
            OpenState::Open => Step::Open { hours: name.clone() },
            OpenState::Closed(why) => {
                let hours = self.plan.hours.get(name);
                let next = hours.and_then(|hours| hours.next_opening(self.plan.local(at)));
                Step::Closed { hours: name.clone(), why, next }
            }
        });
    }

    fn go(&mut self, target: &Target, from: Way) -> End {
        let (mut target, mut way, mut entered) = (target.clone(), from, 0);
        loop {
            target = match &target {
                Target::Menu(_) | Target::Enter(_) if entered >= MOST_MENUS => {
                    return End::TooManyMenus;
                }
                Target::Menu(id) => {
                    let Some(menu) = self.plan.menus.get(id) else { return End::Nothing };
                    (entered, way) = (entered + 1, Way::Menu);
                    self.menu(id, menu)
                }
                Target::Enter(id) => {
                    let Some(entry) = self.plan.entries.get(id) else { return End::Nothing };
                    (entered, way) = (entered + 1, Way::Menu);
                    self.entry(id, entry).clone()
                }
                Target::Hours(branch) => {
                    let (next, why) = self.plan.branch(
                        branch,
                        self.at,
                        self.ad_hoc.map(|to| (to, Arc::from(""))),
                    );
                    if why.is_some() {
                        way = Way::Closed;
                    }
                    let state = why.map_or(OpenState::Open, OpenState::Closed);
                    self.hours(Some(&branch.hours), state, self.at);
                    next.clone()
                }
                Target::Speak(speak) => {
                    self.steps.push(Step::Language { language: speak.language });
                    speak.then.clone()
                }
                arrived => return self.arrive(arrived, way),
            };
        }
    }

    /// Through one menu until it leads on.
    fn menu(&mut self, id: &MenuId, menu: &Menu) -> Target {
        let mut says = vec![menu.greeting.clone()];
        for _ in 0..menu.tries {
            self.steps.push(Step::Menu { menu: id.clone(), says });
            says = vec![menu.greeting.clone()];
            let Some(Press::Key(first)) = self.presses.next().copied() else {
                self.steps.push(Step::NoKey { menu: id.clone(), waited: menu.timeout });
                says.splice(0..0, menu.no_key.clone());
                continue;
            };
            let digits = self.dialled(menu, first);
            if let Some(number) = menu.dial.exact(&digits) {
                self.steps.push(Step::Dialled { menu: id.clone(), number: number.clone() });
                return self.plan.dialled(&number);
            }
            if digits.len() == 1
                && let Some(target) = menu.keys.get(&first)
            {
                self.steps.push(Step::Key { menu: id.clone(), key: first });
                if let Some(skills) = menu.skills.get(&first) {
                    self.skills.add(skills);
                }
                return target.clone();
            }
            let key = digits.chars().next_back().unwrap_or(first);
            self.steps.push(Step::WrongKey { menu: id.clone(), key });
            says.insert(0, menu.wrong_key.clone());
        }
        self.steps.push(Step::TriesOver { menu: id.clone(), tries: menu.tries });
        menu.then.clone()
    }

    /// The digits that belong together in a menu; the first was pressed.
    fn dialled(&mut self, menu: &Menu, first: char) -> String {
        let mut digits = first.to_string();
        while menu.dial.look(&digits) == Dialled::More {
            match self.presses.next() {
                Some(Press::Key('#') | Press::Nothing) | None => break,
                Some(Press::Key(key)) => digits.push(*key),
            }
        }
        digits
    }

    /// Through one entry until it leads on.
    fn entry<'m>(&mut self, id: &EntryId, entry: &'m Entry) -> &'m Target {
        let mut says = vec![entry.prompt.clone()];
        for _ in 0..entry.tries {
            self.steps.push(Step::Entry { entry: id.clone(), says });
            says = vec![entry.prompt.clone()];
            let mut digits = String::new();
            while digits.len() < entry.digits.1 as usize {
                match self.presses.next() {
                    Some(Press::Key('#') | Press::Nothing) | None => break,
                    Some(Press::Key(digit)) if digit.is_ascii_digit() => digits.push(*digit),
                    Some(Press::Key(_)) => digits.clear(),
                }
            }
            let enough = digits.len() >= entry.digits.0 as usize;
            if enough && (!entry.confirm || self.confirmed()) {
                self.steps.push(Step::Entered { entry: id.clone(), digits });
                return &entry.then;
            }
            self.steps.push(Step::EntryRefused { entry: id.clone(), digits });
            if !enough {
                says.insert(0, entry.wrong.clone());
            }
        }
        self.steps.push(Step::EntryOver { entry: id.clone(), tries: entry.tries });
        &entry.otherwise
    }

    /// Whether the caller says that the digits are right.
    fn confirmed(&mut self) -> bool {
        loop {
            match self.presses.next() {
                Some(Press::Key('1')) => return true,
                Some(Press::Key('2') | Press::Nothing) | None => return false,
                Some(Press::Key(_)) => {}
            }
        }
    }

    fn arrive(&mut self, target: &Target, from: Way) -> End {
        let told = if from == Way::Closed { Expected::Closed } else { Expected::MenuServed };
        match target {
            Target::Group(id) => self.group(id, from == Way::Menu),
            Target::Extension(number) => self.phone(&AgentId(number.0.clone())),
            Target::Announce(prompt) => End::Told { prompt: prompt.clone(), outcome: told },
            Target::Message(mailbox) => {
                let Some(told) = self.plan.mailboxes.get(mailbox) else { return End::Nothing };
                let prompt = told.announcement.clone();
                End::Message { mailbox: mailbox.clone(), prompt, longest: told.longest }
            }
            Target::Callback(callback) => {
                let Some(told) = self.plan.callbacks.get(callback) else { return End::Nothing };
                let (prompt, group) = (told.offer.clone(), told.group.clone());
                End::Callback { callback: callback.clone(), prompt, group }
            }
            Target::Refuse(status) => {
                let outcome = if from == Way::Number { Expected::Blocked } else { told };
                End::Refused { status: *status, outcome }
            }
            // `go` leads through these before it arrives.
            Target::Menu(_) | Target::Enter(_) | Target::Hours(_) | Target::Speak(_) => {
                End::TooManyMenus
            }
        }
    }

    fn phone(&self, id: &AgentId) -> End {
        let Some(agent) = self.plan.agents.get(id) else { return End::Nothing };
        End::Phone { agent: id.clone(), name: agent.name.clone(), ring: self.plan.extension_ring }
    }

    fn group(&mut self, id: &GroupId, mut answered: bool) -> End {
        let Some(group) = self.plan.groups.get(id) else { return End::Nothing };
        let recorded = Recorded::of(group.recorded, self.recorded);
        if recorded != Recorded::Off && self.caller.is_none() {
            let announcement = self.plan.recording.announcement.clone();
            answered |= announcement.is_some();
            let always = recorded == Recorded::Always;
            self.steps.push(Step::Recorded { always, announcement });
        }
        let mut skills = group.picking.skills.clone();
        skills.add(&self.skills);
        let Ringing { offers, more, queued_after } =
            ring_out(self.plan, group, &skills, self.caller.as_ref());
        let closing = self.closes.and_then(|(number, after)| {
            let tells = AtClosing::of(group.at_closing, number) == AtClosing::Tell;
            let after = after.filter(|after| tells && *after < group.max_wait)?;
            Some((after, group.closing.clone()))
        });
        let position = group.tell_position.then(|| self.plan.positions.first()).flatten();
        End::Group(Box::new(GroupWay {
            group: id.clone(),
            name: group.name.clone(),
            strategy: group.strategy,
            tells_agent: self.plan.tells_agent(group, self.line.as_ref()).cloned(),
            answered: answered || group.answer_first,
            offers,
            more,
            queued_after,
            waiting: Waiting {
                max_waiting: group.max_waiting,
                busy: group.busy.clone(),
                music: group.music.clone(),
                between: position.into_iter().chain(&group.comfort).cloned().collect(),
                every: group.comfort_every,
                max_wait: group.max_wait,
                waited: group.waited.clone(),
                full: group.full.clone(),
                closing,
                keys: group.keys.keys().copied().collect(),
            },
        }))
    }
}
