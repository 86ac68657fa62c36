//! One call: its states, where it can be sent, and its one end. What each event does in each state stands
//! in `step`.

mod step;

use super::agent::AgentIx;
use super::api::Action;
use super::asking::{self, Asking};
use super::away::Away;
use super::consult::Consult;
use super::direct::Direct;
use super::entry::{self, Entering};
use super::floor::{Floor, Turn};
use super::group::Order;
use super::hunt::Hunt;
use super::menu::InMenu;
use super::message::{self, Leaving};
use super::outside::Outside;
use super::park::Parked;
use super::say::{Script, Told};
use super::staff::Missed;
use super::survey::Surveying;
use super::tape::{Announcing, Tape, TapeEvent};
use super::timers::Timer;
use super::transfer::{self, Passing};
use super::{consult, direct, menu, queue, table};
use crate::base::{
    CallId, GroupId, Language, LegId, Mono, Number, PlayId, Private, PromptId, Reason, TrunkId,
};
use crate::dialplan::{SetAside, Skills, Target};
use crate::event::{CallEvent, EndCause, Fact, OfferEnd, Party, Purpose};
use std::time::Duration;

/// One caller's INVITE until its end.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: CallId,
    /// The caller's leg.
    pub(super) leg: LegId,
    pub(super) arrived: Mono,
    /// The desk number of which it holds a line.
    pub(super) line: Option<Number>,
    /// The trunk of which it holds a channel.
    pub(super) trunk: Option<TrunkId>,
    /// What the caller's own leg holds when an agent called outside and passed the called party on.
    pub(super) outside: Option<Outside>,
    /// The agent whose phone placed it.
    pub(super) placed_by: Option<AgentIx>,
    /// We answered the caller (200).
    pub(super) accepted: bool,
    /// We told the caller that it rings (180).
    pub(super) rung: bool,
    /// The busy announcement has been started.
    pub(super) busy_told: bool,
    /// Menus and entries entered so far.
    pub(super) menus: u32,
    /// The number that the call came from, and whether it is an extension of ours.
    pub(super) known_number: Option<(Private<String>, bool)>,
    /// Where its first wish for an operator put it among all that asked.
    pub(super) first_place: Option<Order>,
    /// The place in a queue that it has left for what a key leads to.
    pub(super) place: Option<Place>,
    /// Its caller is to be called back, once the line is free for it.
    pub(super) wished: bool,
    /// What announcements are told in.
    pub(super) language: Language,
    /// Whether it is recorded.
    pub(super) tape: Tape,
    /// An agent has had it on the line and gave it away.
    pub(super) had_operator: bool,
    /// So often it was sent on because its wait was too long.
    pub(super) overflows: u32,
    /// When it was put through to an agent first.
    pub(super) answered_at: Option<Mono>,
    /// Its caller's priority, where the plan has a word on it; 1 goes first.
    pub(super) priority: Option<u8>,
    /// What it needs of an agent, whatever its group asks for besides.
    pub(super) skills: Skills,
    /// The group asked for last.
    pub(super) group: Option<GroupId>,
    pub(super) state: State,
    /// The deadline in the desk's set.
    pub(super) timer: Option<Mono>,
}

/// A place in a queue.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) group: GroupId,
    pub(super) order: Order,
    /// When it asked for an operator first.
    pub(super) since: Mono,
}

/// Where a call stands.
#[derive(Debug)]
pub(super) enum State {
    /// Between two states. Seen by the next input only when a panic cut a step short.
    New,
    /// In the auto attendant.
    Menu(InMenu),
    /// Enters a number.
    Entering(Entering),
    /// Leaves a message.
    Leaving(Leaving),
    /// Asks to be called back.
    Asking(Asking),
    /// Hears that it is recorded, before it asks for an operator.
    Announcing(Announcing),
    /// Hears its last announcement.
    Telling(Telling),
    /// Asked for a group: phones ring, or it waits.
    Hunting(Hunt),
    /// Asked for one phone, which rings.
    Direct(Direct),
    /// Talks with an agent.
    Talking(Talk),
    /// Is passed on by an agent: another's phone rings.
    Passing(Passing),
    /// Its agent asks somebody by keys.
    Consulting(Consult),
    /// Is in a slot, where somebody fetches it.
    Parked(Parked),
    /// Talks with somebody who is no agent, to whom an agent sent it.
    Away(Away),
    /// Is asked how it was, its agent gone.
    Surveying(Surveying),
    /// Over: the desk forgets it at once.
    Over,
}

/// What is told before the system ends the call.
#[derive(Debug)]
pub(super) struct Telling {
    script: Script,
    /// It is told by a tone: who hangs up on it has understood.
    by_tone: bool,
    /// Why the call ends after it.
    cause: EndCause,
}

/// A conversation.
#[derive(Debug)]
pub(super) struct Talk {
    pub(super) agent: AgentIx,
    /// The agent's leg.
    pub(super) phone: LegId,
    /// The work due after it.
    pub(super) wrap_up: Duration,
    pub(super) caller_holds: bool,
    pub(super) agent_holds: bool,
    /// When a transfer of the agent's came to nothing, at last.
    pub(super) failed_at: Option<Mono>,
}

impl Talk {
    pub(super) const fn begin(agent: AgentIx, phone: LegId, wrap_up: Duration) -> Self {
        let (caller_holds, agent_holds, failed_at) = (false, false, None);
        Self { agent, phone, wrap_up, caller_holds, agent_holds, failed_at }
    }
}

/// What happens to a call. Legs named here are phones that we dialled for it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    CallerGone,
    CallerFailed(&'static str),
    Key(char),
    /// The caller was heard to speak for so long.
    Spoke(Duration),
    Played(PlayId),
    /// A phone holds, or goes on; whose leg it is.
    Hold {
        by: Party,
        leg: LegId,
        on: bool,
    },
    /// Why somebody is about to end it.
    Said {
        by: Party,
        reason: Reason,
    },
    PhoneRings(LegId),
    PhoneAnswered(LegId),
    PhoneRefused(LegId, u16),
    PhoneGone(LegId),
    PhoneFailed(LegId, &'static str),
    /// We could not dial the phone for want of room.
    NoRoom(LegId, &'static str),
    /// The phone has rung long enough.
    RangOut(LegId),
    /// The phone's agent began something else.
    Withdraw(LegId),
    /// An agent of the call's group has become free.
    AgentFree,
    /// The call's own deadline.
    Due,
}

/// Which leg is over already when the call ends, so that nothing is owed to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    Neither,
    Caller,
    Phone,
}

/// How a target was reached; an announcement and a refusal mean different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    /// The number dialled, while open.
    Number,
    /// The number dialled, while closed.
    Closed,
    /// A menu.
    Menu,
    /// A key while waiting for an operator.
    Queue,
}

impl Call {
    /// A call that has just come and holds nothing yet.
    pub(super) fn new(id: CallId, leg: LegId, arrived: Mono) -> Self {
        Self {
            id,
            leg,
            arrived,
            line: None,
            trunk: None,
            outside: None,
            placed_by: None,
            accepted: false,
            rung: false,
            busy_told: false,
            menus: 0,
            known_number: None,
            first_place: None,
            place: None,
            wished: false,
            language: Language::default(),
            tape: Tape::default(),
            had_operator: false,
            overflows: 0,
            answered_at: None,
            priority: None,
            skills: Skills::default(),
            group: None,
            state: State::New,
            timer: None,
        }
    }

    /// Appends a step of this call to the history.
    pub(super) fn record(&self, event: CallEvent, turn: &mut Turn<'_>) {
        let t_ms = turn.now.mono.ms_since(self.arrived);
        turn.record(Fact::Call { call: self.id, t_ms, event });
    }

    pub(super) fn is_parked(&self) -> bool {
        matches!(self.state, State::Parked(_))
    }

    /// Answers the caller, once.
    pub(super) fn accept(&mut self, turn: &mut Turn<'_>) {
        if !self.accepted {
            self.accepted = true;
            turn.act(Action::Accept { leg: self.leg });
            self.record(CallEvent::Accepted, turn);
        }
    }

    /// Tells a caller who is not answered yet that it rings, once.
    pub(super) fn ring(&mut self, turn: &mut Turn<'_>) {
        if !self.accepted && !self.rung {
            self.rung = true;
            turn.act(Action::Ring { leg: self.leg });
        }
    }

    /// Plays one prompt for ever.
    pub(super) fn music(&self, prompt: PromptId, floor: &mut Floor, turn: &mut Turn<'_>) {
        floor.loops(self.leg, prompt, turn);
    }

    /// Sends the call where the plan says.
    pub(super) fn go(&mut self, to: &Target, from: From, floor: &mut Floor, turn: &mut Turn<'_>) {
        let cause = match from {
            From::Number | From::Menu | From::Queue => EndCause::MenuDone,
            // Also for a refusal: it is the whole of what a caller is told while closed.
            From::Closed => EndCause::ClosedTold,
        };
        match to {
            Target::Menu(id) => menu::enter(self, id, floor, turn),
            Target::Group(id) => queue::ask(self, id, floor, turn),
            Target::Extension(number) => direct::ask(self, number, floor, turn),
            Target::Announce(prompt) => {
                let purpose = match from {
                    From::Number | From::Menu | From::Queue => Purpose::Information,
                    From::Closed => Purpose::AfterHours,
                };
                self.tell_and_end([(purpose, prompt.clone())], cause, floor, turn);
            }
            Target::Message(id) => message::take(self, id, floor, turn),
            Target::Callback(id) => asking::begin(self, id, floor, turn),
            Target::Enter(id) => entry::enter(self, id, floor, turn),
            Target::Hours(branch) => {
                let plan = floor.plan.clone();
                let (target, why) = plan.branch(
                    branch,
                    turn.now.wall,
                    floor.out_of_turn(self.line.as_ref(), turn.now.wall),
                );
                let from = if let Some(why) = why {
                    self.record(CallEvent::FoundClosed { why: super::arrival::closed(why) }, turn);
                    From::Closed
                } else {
                    from
                };
                self.go(target, from, floor, turn);
            }
            Target::Speak(speak) => {
                self.language = speak.language;
                self.record(CallEvent::LanguageChosen { language: speak.language }, turn);
                self.go(&speak.then, from, floor, turn);
            }
            Target::Refuse(status) => {
                let cause = if from == From::Number { EndCause::NoCapacity } else { cause };
                self.refuse(cause, *status, floor, turn);
            }
        }
    }

    /// Tells something to its end, then ends the call for `cause`.
    pub(super) fn tell_and_end(
        &mut self,
        script: impl IntoIterator<Item = (Purpose, PromptId)>,
        cause: EndCause,
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) {
        self.accept(turn);
        match Script::begin(self, script, floor, turn) {
            Some(script) => {
                self.state = State::Telling(Telling { script, by_tone: false, cause });
            }
            None => self.end(Party::System, cause, Over::Neither, 0, floor, turn),
        }
    }

    /// Sends the caller away: by a status, or, where it was answered already, by a tone.
    pub(super) fn refuse(
        &mut self,
        cause: EndCause,
        status: u16,
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) {
        if !self.accepted {
            return self.end(Party::System, cause, Over::Neither, status, floor, turn);
        }
        // Busy Here, Busy Everywhere, Decline: somebody is there (RFC 3261 §21.4.24, §21.6).
        let busy = matches!(status, 486 | 600 | 603);
        let tone = if busy { "busy-tone" } else { "congestion-tone" };
        let script = Script::tone(self, PromptId::from(tone), floor, turn);
        self.state = State::Telling(Telling { script, by_tone: true, cause });
    }

    pub(super) fn told(&mut self, play: Option<PlayId>, floor: &mut Floor, turn: &mut Turn<'_>) {
        let State::Telling(mut telling) = std::mem::replace(&mut self.state, State::New) else {
            return;
        };
        let told = telling.script.played(play, self, floor, turn);
        let cause = telling.cause.clone();
        self.state = State::Telling(telling);
        if told == Told::All {
            self.end(Party::System, cause, Over::Neither, 0, floor, turn);
        }
    }

    /// One side pressed hold or took the call back; `other` hears music meanwhile.
    pub(super) fn held(
        &self,
        by: Party,
        on: bool,
        other: LegId,
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) {
        floor.hold(other, on, turn);
        self.record(if on { CallEvent::Held { by } } else { CallEvent::Resumed { by } }, turn);
    }

    /// Joins caller and agent. The phone's leg and the agent's line are in order already.
    pub(super) fn connect(
        &mut self,
        agent: AgentIx,
        phone: LegId,
        wrap_up: Duration,
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) {
        self.accept(turn);
        floor.count_answer(agent);
        self.answered_at.get_or_insert(turn.now.mono);
        turn.act(Action::Connect { caller: self.leg, agent: phone });
        let id = floor.agent(agent).id.clone();
        self.record(CallEvent::OperatorAnswered { agent: id }, turn);
        self.state = State::Talking(Talk::begin(agent, phone, wrap_up));
        self.tape_is(TapeEvent::Connected, floor, turn);
    }

    /// The one end of every call: all its legs, its line, its place and its agents are given back.
    ///
    /// `status` refuses a caller who was never answered; it is not used otherwise.
    pub(super) fn end(
        &mut self,
        by: Party,
        cause: EndCause,
        over: Over,
        status: u16,
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) {
        let why = if by == Party::Caller { OfferEnd::CallerLeft } else { OfferEnd::Withdrawn };
        self.tape_is(TapeEvent::Ended, floor, turn);
        table::dismiss(self, floor, turn);
        match std::mem::replace(&mut self.state, State::Over) {
            State::New
            | State::Menu(_)
            | State::Entering(_)
            | State::Leaving(_)
            | State::Asking(_)
            | State::Announcing(_)
            | State::Telling(_)
            | State::Surveying(_) => {}
            State::Hunting(mut hunt) => {
                hunt.withdraw_all(self, why, floor, turn);
                hunt.leave(floor);
            }
            State::Direct(direct) => {
                floor.drop_phone(direct.phone);
                if over != Over::Phone {
                    turn.act(Action::HangUp { leg: direct.phone, elsewhere: false });
                    let agent = floor.agent(direct.agent).id.clone();
                    self.record(CallEvent::OfferEnded { agent, why }, turn);
                }
                floor.direct_ends(direct.agent, turn);
            }
            State::Talking(talk) => {
                self.keep_pace(talk.wrap_up, floor, turn);
                floor.drop_phone(talk.phone);
                if over != Over::Phone {
                    turn.act(Action::HangUp { leg: talk.phone, elsewhere: false });
                }
                floor.talk_ends(talk.agent, talk.wrap_up, turn);
            }
            State::Passing(passing) => transfer::cut_short(passing, self, why, floor, turn),
            State::Consulting(consult) => consult::cut_short(consult, self, over, floor, turn),
            State::Parked(parked) => parked.end(self, why, floor, turn),
            State::Away(away) => away.end(over, floor, turn),
            State::Over => return,
        }
        if over != Over::Caller {
            turn.act(if self.accepted {
                Action::HangUp { leg: self.leg, elsewhere: false }
            } else {
                Action::Refuse { leg: self.leg, status }
            });
        }
        self.record(CallEvent::Ended { by, cause }, turn);
        if std::mem::take(&mut self.wished) {
            floor.hung_up.push(self.id);
        }
        if let Some(lines) = self.line.take().and_then(|number| floor.lines.get_mut(&number)) {
            *lines -= 1;
        }
        if let Some(outside) = self.outside.take() {
            floor.outside_over(&outside, turn);
        }
        if let Some(trunk) = self.trunk.take() {
            floor.channels.give_in(&trunk, turn);
        }
        if let Some(agent) = self.placed_by.take() {
            floor.talk_ends(agent, Duration::ZERO, turn);
        }
        turn.act(Action::Forget { call: self.id });
    }

    /// The group remembers how long its call took.
    pub(super) fn keep_pace(&self, wrap_up: Duration, floor: &mut Floor, turn: &Turn<'_>) {
        let group = self.group.as_ref().and_then(|group| floor.group_ix(group));
        if let (Some(group), Some(at)) = (group, self.answered_at) {
            floor.group_mut(group).pace.add(turn.now.mono.since(at) + wrap_up);
        }
    }

    /// Sets the call's deadline to what its state waits for.
    pub(super) fn arm(&mut self, floor: &mut Floor) {
        let own = match &self.state {
            State::Menu(menu) => Some(menu.deadline()),
            State::Entering(entering) => Some(entering.deadline()),
            State::Leaving(leaving) => Some(leaving.deadline()),
            State::Asking(asking) => Some(asking.deadline()),
            State::Announcing(at) => Some(at.script.until),
            State::Telling(telling) => Some(telling.script.until),
            State::Hunting(hunt) => hunt.deadline(),
            State::Passing(passing) => passing.deadline(),
            State::Parked(parked) => parked.deadline(),
            State::Away(away) => away.deadline(),
            State::Consulting(consult) => consult.deadline(),
            State::Surveying(at) => Some(at.deadline()),
            State::New | State::Direct(_) | State::Talking(_) | State::Over => None,
        };
        let time_up = self.outside.as_ref().and_then(|outside| outside.until);
        let at = own.into_iter().chain(time_up).chain(self.tape_deadline()).min();
        floor.timers.set(Timer::Call(self.leg), &mut self.timer, at);
    }
}

/// How an offer's refusal is written, and what it means for the agent.
///
/// 408 and 503 are the network's word, and so is 480 when we know of no registration. Of the others
/// only those that a person's key causes are laid at the agent's door (RFC 3261 §21.4.18, §21.4.24,
/// §21.6.1, §21.6.2); a phone that cannot take part is left alone for a moment.
pub(super) fn judge_refusal(
    agent: AgentIx,
    status: u16,
    rule: SetAside,
    floor: &Floor,
) -> (OfferEnd, Missed) {
    match status {
        408 | 503 => (OfferEnd::Unreachable, Missed::Unreachable),
        _ if !floor.agent(agent).is_reachable() => (OfferEnd::Unreachable, Missed::Unreachable),
        480 | 486 | 600 | 603 => (OfferEnd::Refused { status }, Missed::Refused(rule)),
        _ => (OfferEnd::Refused { status }, Missed::Unreachable),
    }
}
