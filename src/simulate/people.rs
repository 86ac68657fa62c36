//! What callers and agents do: each holds a telephone (a [`Peer`]) and a temper. They are told what
//! their telephone tells them and act at moments they chose; they know nothing of the desk's inside.

use super::faults::Draw;
use super::peer::{Describes, Peer};
use super::scene::{CallerMake, PhoneMake};
use crate::base::{LegId, Mono, Number, Rng};
use crate::sip::api::LegEvent;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// The one dialog of a caller.
pub const CALLERS_LEG: LegId = LegId(2);
/// How often somebody in a call notices that nothing is heard any more.
const LISTENS_EVERY: Duration = Duration::from_secs(8);
/// Somebody who waits for the other to hang up does so no longer than this.
const TALKS_AT_MOST: Duration = Duration::from_mins(4);
/// A phone that nobody answers and nobody cancels (its caller was killed) gives up by itself.
const RINGS_AT_MOST: Duration = Duration::from_mins(3);
/// Statuses with which phones refuse.
const REFUSALS: [u16; 6] = [486, 486, 603, 480, 500, 302];

/// What somebody does at a chosen moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A caller dials.
    Dial,
    /// A caller gives up, unless connected.
    LosePatience,
    /// A key.
    Press(char),
    /// An agent presses keys in a talk.
    Keys(LegId, String),
    /// Hold, or its end.
    Hold(LegId, bool),
    /// An agent asks the desk to pass the caller on.
    PassOn(LegId, Number),
    /// Ends the dialog.
    HangUp(LegId),
    /// Picks up, if it still rings.
    PickUp(LegId),
    /// Says no, if it still rings.
    Refuse(LegId, u16),
    /// Notices that nothing is heard.
    Listen(LegId),
    /// An agent dials.
    Call(Number),
    /// Gone without a word.
    Die,
    /// The telephone is switched on again.
    Return,
    /// The audio stops although the peer is there; or comes again.
    FallSilent(Duration),
}

/// What a person may see of the world while acting, and what comes of it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one plain fact, and they are independent"
)]
pub struct Stage<'a> {
    /// The telephone.
    pub peer: &'a mut Peer,
    /// The person's own chance.
    pub rng: &'a mut Rng,
    /// The time.
    pub now: Mono,
    /// Faults are over: nobody dies any more, and phones are answered.
    pub healed: bool,
    /// Phones are picked up within a second.
    pub prompt: bool,
    /// What is to be done later.
    pub agenda: &'a mut Vec<(Mono, Deed)>,
    /// A fresh place to listen at.
    pub ear: SocketAddr,
    /// Whether the desk's media serve the ear.
    pub hears: &'a dyn Fn(SocketAddr) -> bool,
    /// Filled: keys pressed, at which ear.
    pub keys: Vec<(SocketAddr, char)>,
    /// Filled: ears whose owner begins to send audio.
    pub begins: Vec<SocketAddr>,
    /// Filled: ears whose owner stops.
    pub stops: Vec<SocketAddr>,
    /// Filled: the telephone is dead from now on.
    pub dies: bool,
    /// Filled: phones that ring shall pick up now.
    pub rush: bool,
    /// Filled: hung up because nothing was heard any more.
    pub left_behind: bool,
}

impl Stage<'_> {
    fn later(&mut self, after: Duration, deed: Deed) {
        self.agenda.push((self.now + after, deed));
    }

    fn listen(&mut self, leg: LegId) {
        self.later(LISTENS_EVERY, Deed::Listen(leg));
    }
}

/// Where a caller stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerState {
    /// Has not dialled.
    Before,
    /// Has dialled.
    Calling,
    /// Was answered.
    Answered,
    /// Gave up before the answer; what still comes is handled by the telephone.
    GaveUp,
    /// Done.
    Over,
}

/// Somebody who calls the desk.
pub struct Caller {
    /// What will be done.
    pub make: CallerMake,
    /// Where it stands.
    pub state: CallerState,
    /// Got something above 100 Trying.
    pub told: bool,
    /// Was connected with an agent.
    pub connected: bool,
    /// The refusal, if any.
    pub refused: Option<u16>,
    deaf: u32,
    /// Times in a row that a prompt was heard over the agent though nobody held the call.
    pub covered: u32,
}

impl Caller {
    /// Somebody who has not dialled yet.
    #[must_use]
    pub const fn new(make: CallerMake) -> Self {
        Self {
            make,
            state: CallerState::Before,
            told: false,
            connected: false,
            refused: None,
            deaf: 0,
            covered: 0,
        }
    }

    /// The telephone told something.
    pub fn hear(&mut self, leg: LegId, event: &LegEvent, stage: &mut Stage<'_>) {
        let late = self.make.describes == Describes::Late;
        let ear = stage.peer.ear(leg);
        match event {
            LegEvent::Progress { .. } => self.told = true,
            LegEvent::Answered { .. } => {
                self.told = true;
                stage.begins.extend(ear);
                if self.state == CallerState::Calling {
                    self.state = CallerState::Answered;
                    for (after, key) in self.make.keys.clone() {
                        stage.later(after, Deed::Press(key));
                    }
                    stage.listen(leg);
                }
            }
            LegEvent::Refused { status } => {
                self.refused = Some(*status);
                self.state = CallerState::Over;
                stage.stops.extend(ear);
            }
            LegEvent::Over(_) => {
                self.state = CallerState::Over;
                stage.stops.extend(ear);
            }
            LegEvent::Incoming(_)
            | LegEvent::Confirmed { .. }
            | LegEvent::Offer { .. }
            | LegEvent::OfferAnswered { .. }
            | LegEvent::Reason(_)
            | LegEvent::Refer(_)
            | LegEvent::ReferNews { .. }
            | LegEvent::Digit(_) => {}
        }
        stage.peer.negotiate(leg, event, late, stage.now);
    }

    /// Somebody is heard at the other end.
    pub fn connect(&mut self, stage: &mut Stage<'_>) {
        if std::mem::replace(&mut self.connected, true) {
            return;
        }
        stage.later(self.make.talk, Deed::HangUp(CALLERS_LEG));
        if let Some((after, lasting)) = self.make.hold {
            stage.later(after, Deed::Hold(CALLERS_LEG, true));
            stage.later(after + lasting, Deed::Hold(CALLERS_LEG, false));
        }
    }

    /// The busy announcement is heard.
    pub fn hear_busy(&self, stage: &mut Stage<'_>) {
        if let Some(after) = self.make.on_busy {
            stage.later(after, Deed::LosePatience);
        }
    }

    /// A chosen moment has come.
    pub fn act(&mut self, deed: &Deed, stage: &mut Stage<'_>) {
        use CallerState::{Answered, Before, Calling, GaveUp, Over};
        match (deed, self.state) {
            (Deed::Dial, Before) => {
                self.state = Calling;
                let who = (self.make.number.as_str(), self.make.name.as_str());
                let (ear, how) = (stage.ear, self.make.describes);
                stage.peer.dial(CALLERS_LEG, &self.make.dials, who, how, ear, stage.now);
                stage.later(self.make.patience, Deed::LosePatience);
            }
            (Deed::LosePatience, Calling | Answered) if !self.connected => self.leave(stage),
            (Deed::HangUp(_), Calling | Answered) => self.leave(stage),
            (Deed::Press(key), Answered) => {
                let ear = stage.peer.ear(CALLERS_LEG);
                stage.keys.extend(ear.map(|ear| (ear, *key)));
            }
            (Deed::Hold(leg, on), Answered) => stage.peer.hold(*leg, *on, stage.now),
            (Deed::Listen(leg), Answered) => {
                let heard = stage.peer.ear(*leg).is_some_and(stage.hears);
                self.deaf = if heard { 0 } else { self.deaf + 1 };
                if self.deaf >= 2 {
                    stage.left_behind = true;
                    stage.peer.hang_up(*leg, stage.now);
                    stage.stops.extend(stage.peer.ear(*leg));
                    self.state = GaveUp;
                } else {
                    stage.listen(*leg);
                }
            }
            (Deed::Die, Calling | Answered | GaveUp) if !stage.healed => {
                stage.dies = true;
                self.state = Over;
            }
            (
                Deed::Dial
                | Deed::LosePatience
                | Deed::Press(_)
                | Deed::Keys(..)
                | Deed::Hold(..)
                | Deed::HangUp(_)
                | Deed::PassOn(..)
                | Deed::PickUp(_)
                | Deed::Refuse(..)
                | Deed::Listen(_)
                | Deed::Call(_)
                | Deed::Die
                | Deed::Return
                | Deed::FallSilent(_),
                Before | Calling | Answered | GaveUp | Over,
            ) => {}
        }
    }

    fn leave(&mut self, stage: &mut Stage<'_>) {
        stage.rush = self.make.raced;
        if self.make.vanishes && !stage.healed {
            stage.dies = true;
            self.state = CallerState::Over;
            return;
        }
        stage.peer.hang_up(CALLERS_LEG, stage.now);
        stage.stops.extend(stage.peer.ear(CALLERS_LEG));
        self.state = CallerState::GaveUp;
    }
}

/// One dialog at an agent's phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AtPhone {
    Rings,
    Talks {
        deaf: u32,
    },
    /// Asked the desk to pass the caller on, and waits to hear how it goes.
    Passes,
    Dials {
        code: bool,
    },
}

/// An agent's phone and the agent before it.
pub struct Phone {
    /// What it is.
    pub make: PhoneMake,
    legs: BTreeMap<LegId, AtPhone>,
    next_own: u64,
    /// Calls placed to the desk's own numbers so far; part of the display name.
    placed: u32,
    /// Pressed hold last, and not resume.
    holds: bool,
}

impl Phone {
    /// An idle phone.
    #[must_use]
    pub const fn new(make: PhoneMake) -> Self {
        Self { make, legs: BTreeMap::new(), next_own: 2, placed: 0, holds: false }
    }

    /// Dialogs that ring now.
    pub fn ringing(&self) -> impl Iterator<Item = LegId> + '_ {
        self.legs.iter().filter(|(_, at)| **at == AtPhone::Rings).map(|(leg, _)| *leg)
    }

    /// Dialogs of any kind.
    #[must_use]
    pub fn busy(&self) -> bool {
        !self.legs.is_empty()
    }

    /// Everything is forgotten: the phone was switched off.
    pub fn forget(&mut self) {
        self.legs.clear();
        self.holds = false;
    }

    /// The telephone told something.
    pub fn hear(&mut self, leg: LegId, event: &LegEvent, stage: &mut Stage<'_>) {
        let ear = stage.peer.ear(leg);
        match event {
            LegEvent::Incoming(incoming) => {
                let offered = incoming.sdp.clone();
                stage.peer.take_call(leg, offered, stage.ear);
                self.rung(leg, stage);
                return;
            }
            LegEvent::Answered { .. } => {
                stage.begins.extend(ear);
                if self.legs.get(&leg) == Some(&AtPhone::Dials { code: false }) {
                    let talk = stage.rng.millis(500, 30_000);
                    stage.later(talk, Deed::HangUp(leg));
                }
                if let Some(at) = self.legs.get_mut(&leg) {
                    *at = AtPhone::Talks { deaf: 0 };
                    stage.listen(leg);
                }
            }
            LegEvent::ReferNews { status: 200..300 } => {
                let after = stage.rng.millis(0, 300);
                stage.later(after, Deed::HangUp(leg));
            }
            // The caller is hers again.
            LegEvent::ReferNews { status: 300.. } => {
                if let Some(at @ AtPhone::Passes) = self.legs.get_mut(&leg) {
                    *at = AtPhone::Talks { deaf: 0 };
                    stage.listen(leg);
                }
            }
            LegEvent::Refused { .. } | LegEvent::Over(_) => {
                self.legs.remove(&leg);
                stage.stops.extend(ear);
            }
            LegEvent::Progress { .. }
            | LegEvent::Confirmed { .. }
            | LegEvent::Offer { .. }
            | LegEvent::OfferAnswered { .. }
            | LegEvent::Reason(_)
            | LegEvent::Refer(_)
            | LegEvent::ReferNews { .. }
            | LegEvent::Digit(_) => {}
        }
        stage.peer.negotiate(leg, event, false, stage.now);
    }

    /// The phone rings: what the agent will do about it is decided now.
    fn rung(&mut self, leg: LegId, stage: &mut Stage<'_>) {
        // A phone with two lines shows a second call to who holds the first.
        let reminded = self.holds && stage.rng.chance(500);
        if self.busy() && !reminded {
            stage.peer.refuse(leg, 486, stage.now);
            return;
        }
        self.legs.insert(leg, AtPhone::Rings);
        stage.later(RINGS_AT_MOST, Deed::Refuse(leg, 480));
        if stage.healed || stage.rng.chance(self.make.diligence) {
            if !stage.rng.chance(100) {
                let early = stage.rng.chance(100);
                stage.peer.ring(leg, early, stage.now);
            }
            let after = if stage.prompt {
                stage.rng.millis(0, 800)
            } else if stage.rng.chance(150) {
                Duration::ZERO
            } else {
                stage.rng.millis(200, 6000)
            };
            stage.later(after, Deed::PickUp(leg));
            return;
        }
        match stage.rng.below(8) {
            0..=2 => stage.peer.ring(leg, false, stage.now), // nobody there
            3..=5 => {
                stage.peer.ring(leg, false, stage.now);
                let status = *stage.rng.one_of(&REFUSALS);
                let after = stage.rng.millis(0, 4000);
                stage.later(after, Deed::Refuse(leg, status));
            }
            6 => {} // rings without saying so, and nobody there
            _ => {
                let after = stage.rng.millis(0, 2000);
                stage.later(after, Deed::Die);
            }
        }
    }

    /// A chosen moment has come.
    pub fn act(&mut self, deed: &Deed, stage: &mut Stage<'_>) {
        match deed {
            Deed::PickUp(leg) if self.legs.get(leg) == Some(&AtPhone::Rings) => {
                self.legs.insert(*leg, AtPhone::Talks { deaf: 0 });
                answer(*leg, stage);
                if !stage.healed && stage.rng.chance(200) && !self.make.asks.is_empty() {
                    self.asks(*leg, stage);
                }
                if !stage.healed && stage.rng.chance(200) && !self.make.passes_to.is_empty() {
                    let to = stage.rng.one_of(&self.make.passes_to).clone();
                    let after = stage.rng.millis(100, 12_000);
                    stage.later(after, Deed::PassOn(*leg, to));
                }
            }
            Deed::Keys(leg, keys) if matches!(self.legs.get(leg), Some(AtPhone::Talks { .. })) => {
                let ear = stage.peer.ear(*leg);
                stage.keys.extend(keys.chars().filter_map(|key| Some((ear?, key))));
            }
            Deed::Refuse(leg, status) if self.legs.get(leg) == Some(&AtPhone::Rings) => {
                stage.peer.refuse(*leg, *status, stage.now);
            }
            Deed::HangUp(leg) if self.legs.contains_key(leg) => {
                stage.stops.extend(stage.peer.ear(*leg));
                stage.peer.hang_up(*leg, stage.now);
            }
            Deed::PassOn(leg, to) => {
                let Some(at @ AtPhone::Talks { .. }) = self.legs.get_mut(leg) else { return };
                *at = AtPhone::Passes;
                if stage.rng.chance(300) {
                    stage.peer.hold(*leg, true, stage.now);
                }
                stage.peer.refer(*leg, to, stage.now);
                if stage.rng.chance(300) {
                    let after = stage.rng.millis(0, 2000);
                    stage.later(after, Deed::HangUp(*leg));
                }
            }
            Deed::Hold(leg, on) if self.legs.contains_key(leg) => {
                self.holds = *on;
                stage.peer.hold(*leg, *on, stage.now);
            }
            Deed::Listen(leg) => {
                let heard = stage.peer.ear(*leg).is_some_and(stage.hears);
                let Some(AtPhone::Talks { deaf }) = self.legs.get_mut(leg) else { return };
                *deaf = if heard { 0 } else { *deaf + 1 };
                if *deaf >= 2 {
                    stage.left_behind = true;
                    stage.stops.extend(stage.peer.ear(*leg));
                    stage.peer.hang_up(*leg, stage.now);
                } else {
                    stage.listen(*leg);
                }
            }
            // Some codes are about the talk at hand.
            Deed::Call(number)
                if !stage.healed && (!self.busy() || number.as_str().starts_with("*93")) =>
            {
                self.call(number, stage);
            }
            Deed::Die if !stage.healed => {
                stage.dies = true;
                let after = stage.rng.millis(2000, 60_000);
                stage.later(after, Deed::Return);
            }
            Deed::Dial
            | Deed::LosePatience
            | Deed::Press(_)
            | Deed::Keys(..)
            | Deed::Hold(..)
            | Deed::HangUp(_)
            | Deed::PickUp(_)
            | Deed::Refuse(..)
            | Deed::Call(_)
            | Deed::Die
            | Deed::Return
            | Deed::FallSilent(_) => {}
        }
    }

    /// Whom the agent asks by keys, and what it does with the two afterwards.
    fn asks(&self, leg: LegId, stage: &mut Stage<'_>) {
        let to = stage.rng.one_of(&self.make.asks).clone();
        let mut at = stage.rng.millis(100, 8_000);
        stage.later(at, Deed::Keys(leg, format!("*2{to}#")));
        for _ in 0..stage.rng.below(4) {
            at += stage.rng.millis(50, 8_000);
            let keys = *stage.rng.one_of(&["*3", "*3", "*4", "*0"]);
            stage.later(at, Deed::Keys(leg, keys.to_owned()));
        }
    }

    /// The agent dials: a feature code, a colleague or the desk.
    fn call(&mut self, number: &Number, stage: &mut Stage<'_>) {
        let leg = LegId(self.next_own);
        self.next_own += 2;
        self.placed += 1;
        let code = number.as_str().starts_with('*');
        self.legs.insert(leg, AtPhone::Dials { code });
        let name = format!("窓口 {} の {} 回目", self.make.extension, self.placed);
        let who = (self.make.extension.as_str(), name.as_str());
        stage.peer.dial(leg, number, who, Describes::Well, stage.ear, stage.now);
        let patience = stage.rng.millis(500, 40_000);
        stage.later(patience, Deed::HangUp(leg));
    }
}

/// The agent picks up; how the call will go on is decided now.
fn answer(leg: LegId, stage: &mut Stage<'_>) {
    let how = if !stage.healed && stage.rng.chance(20) {
        *stage.rng.one_of(&[Describes::Video, Describes::Broken])
    } else {
        Describes::Well
    };
    stage.begins.extend(stage.peer.ear(leg));
    stage.peer.pick_up(leg, how, stage.now);
    stage.listen(leg);
    // With all well nobody hangs up on a caller before hearing it: what is told first takes 10 s at most.
    let talk = stage.rng.millis(if stage.healed { 10_500 } else { 300 }, 50_000);
    match stage.rng.below(20) {
        0..=11 => stage.later(talk, Deed::HangUp(leg)),
        12 if !stage.healed => stage.later(talk, Deed::Die),
        _ => stage.later(TALKS_AT_MOST, Deed::HangUp(leg)),
    }
    if stage.rng.chance(150) {
        let after = stage.rng.millis(0, 5000);
        let lasting = stage.rng.millis(50, 15_000);
        stage.later(after, Deed::Hold(leg, true));
        stage.later(after + lasting, Deed::Hold(leg, false));
    }
}
