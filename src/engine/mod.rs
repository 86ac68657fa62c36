//! Joins the SIP room and the desk's rules: what the wire says becomes a leg's event, what the rules
//! decide becomes SIP, media commands and history. Pure: an input and the time go in, an [`Outbox`]
//! comes out; every cause and every effect is listed here and nowhere else.
//!
//! Must not know: sockets, threads, the store, any view. One INVITE's SDP is answered by our own;
//! nothing of one leg's headers reaches the other but what [`caller::identify`] lists.

mod caller;
mod keys;
mod lamps;
mod ports;
mod sealing;
mod session;
mod sound;
mod taping;
mod transfers;
mod wiring;

use crate::base::{AgentId, CallId, Channels, LegId, Mono, Now, Number, Rng, TrunkId};
use crate::dialplan::Plan;
use crate::dtls::Fingerprint;
use crate::event::{DeskEvent, Entry, Fact};
use crate::pbx::{self, Command, CommandError, Desk};
use crate::recording;
use crate::rtp;
use crate::sdp::Codec;
use crate::sip::Endpoint;
use crate::sip::api::{
    Binding, BindingChange, Directory, Effect, Flow, KeptSubscription, Settings,
    SubscriptionChange, Why,
};
use crate::sip::trunk::{Answer, LineState, Server};
use bytes::Bytes;
pub use keys::KeysPolicy;
use lamps::Lamps;
use ports::Ports;
pub use sealing::SealingPolicy;
use session::Session;
use sound::LastWords;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Steps that one input may cause before the engine declares a loop of its own making: far above
/// what the largest group's `ring_all` needs.
const STEPS_MAX: u32 = 100_000;

/// What happened in the world.
#[derive(Clone, Debug)]
pub enum Input {
    /// One whole SIP message.
    Message {
        /// The way it came.
        flow: Flow,
        /// As it came.
        bytes: Bytes,
        /// We are overloaded: a new request is refused at once, at the least cost.
        shed: bool,
    },
    /// A connection ended.
    FlowLost(Flow),
    /// A message could not be sent (no connection could be made).
    Unsendable(Flow),
    /// What the resolver found of a server; none when it has no address or the resolver failed.
    LookedUp {
        /// As [`Outbox::lookups`] named it.
        server: Server,
        /// Its addresses.
        answer: Option<Answer>,
    },
    /// From a media thread.
    Media(rtp::command::Notice),
    /// From the recorder.
    Recorder(recording::command::Notice),
    /// Somebody fetched a recording.
    Fetched(recording::command::RecordingId),
    /// A person's command; the answer carries the token back.
    Command {
        /// Chosen by the caller.
        token: u64,
        /// What is wanted.
        command: Command,
    },
    /// An operator changed who may do what. Calls and registrations go on.
    Rules(Box<Rules>),
    /// Whether the desk is to end once its calls have: callers are refused with 503 then, and whatever belongs to calls
    /// that are up goes on.
    Drain(bool),
    /// The time has come; harmless at any time, twice too.
    Tick,
}

/// What may be replaced while calls go on.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Who may do what.
    pub directory: Directory,
    /// The plan.
    pub plan: Plan,
    /// Most calls at once.
    pub max_calls: usize,
    /// Who wants what of encryption, from the next call on.
    pub sealing: SealingPolicy,
    /// Who tells and is told keys by what, likewise.
    pub keys: KeysPolicy,
    /// As [`Policy::channels`].
    pub channels: BTreeMap<TrunkId, Channels>,
}

/// One message to be put on the wire.
#[derive(Clone, Debug)]
pub struct Send {
    /// Which way.
    pub flow: Flow,
    /// As it goes.
    pub bytes: Bytes,
    /// May go before the journal is written (a 100 Trying, a refusal that keeps no state).
    pub free: bool,
}

/// A leg of a call by the name it has on the wire, so that an observer finds its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Whose leg.
    pub call: CallId,
    /// Which.
    pub leg: LegId,
    /// Its Call-ID.
    pub call_id: Box<str>,
}

/// Everything one or more inputs caused, in order within each list. The entries, bindings
/// and subscriptions must be in the journal before anything else of the same outbox is let out, but for [`Send::free`].
#[derive(Debug, Default)]
#[must_use = "what the engine decided must be carried out"]
pub struct Outbox {
    /// For the journal.
    pub entries: Vec<Entry>,
    /// For the store's location table.
    pub bindings: Vec<BindingChange>,
    /// For the store's table of subscriptions.
    pub subscriptions: Vec<SubscriptionChange>,
    /// For the media threads; before the messages, so that a port is open when it is named.
    pub media: Vec<rtp::command::Command>,
    /// For the media threads, not waiting for the journal: nothing in the history tells of it.
    pub at_once: Vec<rtp::command::Command>,
    /// For the recorder; before the media threads, so that a file is there when its sound comes.
    pub recorder: Vec<recording::command::Command>,
    /// For the wire.
    pub sends: Vec<Send>,
    /// Answers to commands.
    pub replies: Vec<(u64, Result<(), CommandError>)>,
    /// Legs that began. For observers only: nothing waits for them and they wait for nothing.
    pub named: Vec<Named>,
    /// Servers whose names are to be looked up; may go before the journal is written.
    pub lookups: Vec<Server>,
}

impl Outbox {
    /// Whether there is nothing to do.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
            && self.bindings.is_empty()
            && self.subscriptions.is_empty()
            && self.media.is_empty()
            && self.at_once.is_empty()
            && self.recorder.is_empty()
            && self.sends.is_empty()
            && self.replies.is_empty()
            && self.named.is_empty()
            && self.lookups.is_empty()
    }
}

/// What the engine must know once.
#[derive(Clone, Debug)]
pub struct Policy {
    /// What the RTP ports are bound to; unspecified: every address of the machine, and a description names
    /// the one under which the peer knows us.
    pub media_bind: IpAddr,
    /// Our address in descriptions otherwise.
    pub media_ip: IpAddr,
    /// The voice codecs that we take, the one liked best first; at least one.
    pub codecs: Vec<Codec>,
    /// Who wants what of encryption.
    pub sealing: SealingPolicy,
    /// Who tells and is told keys by what.
    pub keys: KeysPolicy,
    /// Of our certificate; without one nobody is talked with by DTLS.
    pub fingerprint: Option<Fingerprint>,
    /// First RTP port.
    pub first_port: u16,
    /// Last RTP port, included.
    pub last_port: u16,
    /// Most calls at once.
    pub max_calls: usize,
    /// How many calls each trunk carries at once; one that is not named is not bounded.
    pub channels: BTreeMap<TrunkId, Channels>,
    /// A connected or waiting peer that sends no audio this long after the silence was noticed is asked
    /// whether it is still there; one that does not answer has vanished, and its call ends.
    pub lost_after: Duration,
}

/// What is held now; all return to zero when the desk is quiet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Legs with a session.
    pub legs: usize,
    /// RTP ports in use.
    pub ports: usize,
    /// The SIP room's own.
    pub sip: crate::sip::Gauges,
    /// The rules' own.
    pub desk: pbx::Gauges,
    /// How the trunks are that we reach ourselves.
    pub lines: Vec<LineState>,
}

/// A step still to be taken for the input at hand.
#[derive(Debug)]
enum Step {
    Effect(Effect),
    Desk(pbx::Input),
    Action(pbx::Action),
}

/// The whole daemon but for its IO.
pub struct Engine {
    sip: Endpoint,
    desk: Desk,
    policy: Policy,
    ports: Ports,
    sessions: BTreeMap<LegId, Session>,
    /// Legs whose peer has gone silent, by when they are asked whether they are still there.
    silent: BTreeSet<(Mono, LegId)>,
    /// Legs whose peer holds its call, by when both sides are asked whether they are still there.
    held: BTreeSet<(Mono, LegId)>,
    next_seq: u64,
    next_tap: u64,
    /// Of the keys of encrypted streams.
    rng: Rng,
    lamps: Lamps,
    /// Closed legs of which the media threads have not yet said how they sounded.
    last_words: LastWords,
    /// Extensions and whether the desk was told that they can be dialled.
    reachable: BTreeMap<Number, bool>,
    /// The leg of the step at hand, so that a panic can be laid at its door.
    at_hand: Option<LegId>,
    /// Whether the step at hand is the rules': they mend their own panics.
    deciding: bool,
    /// An orderly end has begun: the rules decide no more.
    closing: bool,
    steps: VecDeque<Step>,
    effects: Vec<Effect>,
    actions: Vec<pbx::Action>,
    /// The leg whose next event is to panic.
    #[cfg(test)]
    breaks_at: Option<LegId>,
}

/// What an engine is made from.
pub struct Parts {
    /// The SIP room's settings.
    pub settings: Settings,
    /// Who may do what.
    pub directory: Directory,
    /// The plan.
    pub plan: Arc<Plan>,
    /// The engine's own.
    pub policy: Policy,
    /// All randomness.
    pub rng: Rng,
    /// The next journal position.
    pub next_seq: u64,
    /// Registrations from before the restart.
    pub bindings: Vec<Binding>,
    /// Subscriptions from before the restart.
    pub subscriptions: Vec<KeptSubscription>,
    /// Agents' states from before the restart.
    pub agents: BTreeMap<AgentId, pbx::AgentMemory>,
    /// What was talked outside before the restart.
    pub talked: pbx::Talked,
    /// Closings and openings out of turn from before the restart.
    pub periods: pbx::Periods,
    /// Messages that lay in the boxes before the restart.
    pub boxes: pbx::Boxes,
    /// Wishes to be called back from before the restart.
    pub wishes: pbx::CallbacksMemory,
    /// What people declared about the figures before the restart.
    pub declared: pbx::Declared,
    /// Which calls of before the restart may still be written about.
    pub notes: pbx::Notes,
}

/// Every number that a phone of ours can have.
fn extensions(plan: &Plan, directory: &Directory) -> BTreeSet<Number> {
    let agents = plan.agents.keys().map(|agent| Number(agent.0.clone()));
    let accounts = directory.accounts.keys().map(|user| Number::from(user.as_str()));
    agents.chain(accounts).chain(directory.fixed_phones.keys().cloned()).collect()
}

impl Engine {
    /// A desk that has just been started. `started` is written first, then what follows from the start.
    pub fn new(mut parts: Parts, started: DeskEvent, now: Now, out: &mut Outbox) -> Self {
        let (sip_rng, desk_rng) = (parts.rng.fork(), parts.rng.fork());
        let keys_rng = parts.rng.fork();
        let extensions = extensions(&parts.plan, &parts.directory);
        let circles = lamps::circles(&parts.plan, &parts.directory);
        let mut lamps = lamps::Lamps::default();
        lamps.set_plan(&parts.plan);
        let mut sip = Endpoint::new(parts.settings, parts.directory, sip_rng);
        sip.set_circles(circles);
        sip.restore(parts.bindings, now);
        sip.restore_subscriptions(parts.subscriptions, now);
        let mut desk = Desk::new(parts.plan, parts.policy.max_calls, desk_rng);
        desk.set_channels(std::mem::take(&mut parts.policy.channels));
        // `Started` ends what the history said of the phones (they are told anew below), so what is
        // remembered of them ends too: or a phone found reachable again would not be written.
        for memory in parts.agents.values_mut() {
            memory.reachable = false;
        }
        desk.restore(parts.agents);
        desk.restore_talked(parts.talked);
        desk.restore_hours(parts.periods, now);
        desk.restore_declared(parts.declared);
        desk.restore_notes(parts.notes);
        desk.restore_attended(parts.boxes, parts.wishes, now);
        let ports = Ports::new(parts.policy.first_port, parts.policy.last_port);
        let mut engine = Self {
            sip,
            desk,
            policy: parts.policy,
            ports,
            sessions: BTreeMap::new(),
            silent: BTreeSet::new(),
            held: BTreeSet::new(),
            next_seq: parts.next_seq,
            next_tap: 1,
            lamps,
            last_words: LastWords::default(),
            reachable: BTreeMap::new(),
            rng: keys_rng,
            at_hand: None,
            deciding: false,
            closing: false,
            steps: VecDeque::new(),
            effects: Vec::new(),
            actions: Vec::new(),
            #[cfg(test)]
            breaks_at: None,
        };
        engine.note(started, now, out);
        engine.reserve(now, out);
        for extension in extensions {
            // The rules are told of every phone once, so that the history's last word can be mended.
            let reachable = engine.sip.reachable(&extension);
            engine.reachable.insert(extension.clone(), reachable);
            engine.steps.push_back(Step::Desk(pbx::Input::Phone { extension, reachable }));
        }
        engine.run(now, out);
        engine.handle(Input::Tick, now, out);
        engine
    }

    /// Takes one input and appends everything it causes to `out`.
    pub fn handle(&mut self, input: Input, now: Now, out: &mut Outbox) {
        self.at_hand = None;
        match input {
            Input::Message { flow, bytes, shed } => {
                self.sip.receive(flow, bytes, shed, now, &mut self.effects);
            }
            Input::FlowLost(flow) => self.sip.flow_lost(flow, now, &mut self.effects),
            Input::Unsendable(flow) => self.sip.unsendable(flow, now, &mut self.effects),
            Input::LookedUp { server, answer } => {
                self.sip.looked_up(&server, answer, now);
                let phones: Vec<Number> = self.reachable.keys().cloned().collect();
                for phone in phones {
                    self.note_reachable(phone); // a fixed phone's name may have been found
                }
            }
            Input::Media(notice) => self.media(&notice, now, out),
            Input::Recorder(notice) => self.recorder(notice, now, out),
            Input::Fetched(id) => self.fetched(id, now, out),
            Input::Command { token, command } => {
                self.deciding = true;
                let result = self.desk.command(command, now, &mut self.actions);
                self.deciding = false;
                self.take_actions();
                out.replies.push((token, result));
            }
            Input::Rules(rules) => self.obey_rules(*rules, now),
            Input::Drain(drains) => {
                self.deciding = true;
                self.desk.drain(drains, now, &mut self.actions);
                self.deciding = false;
                self.take_actions();
            }
            Input::Tick => {
                self.sip.tick(now, &mut self.effects);
                self.steps.push_back(Step::Desk(pbx::Input::Tick));
                self.ask_the_silent(now, out);
                self.ask_the_held(now, out);
            }
        }
        self.run(now, out);
    }

    /// Puts new rules in force. A phone whose account is gone keeps its registration until it comes
    /// again, and is refused then.
    fn obey_rules(&mut self, rules: Rules, now: Now) {
        let Rules { directory, plan, max_calls, sealing, keys, channels } = rules;
        (self.policy.sealing, self.policy.keys) = (sealing, keys);
        let extensions = extensions(&plan, &directory);
        let circles = lamps::circles(&plan, &directory);
        self.lamps.set_plan(&plan);
        self.sip.set_directory(directory, now.mono);
        self.sip.set_circles(circles);
        self.deciding = true;
        self.desk.set_plan(plan, max_calls, channels, now, &mut self.actions);
        self.deciding = false;
        self.take_actions();
        let gone: Vec<Number> =
            self.reachable.keys().filter(|known| !extensions.contains(*known)).cloned().collect();
        for extension in gone {
            self.reachable.remove(&extension);
            self.steps.push_back(Step::Desk(pbx::Input::Phone { extension, reachable: false }));
        }
        for extension in extensions {
            // An agent of the new plan may have been another's phone before: all are told.
            let reachable = self.sip.reachable(&extension);
            self.reachable.insert(extension.clone(), reachable);
            self.steps.push_back(Step::Desk(pbx::Input::Phone { extension, reachable }));
        }
    }

    /// When [`Input::Tick`] is due next; none while nothing waits.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        let [silent, held] = [&self.silent, &self.held].map(|set| set.first().map(|(at, _)| *at));
        let (sip, desk) = (self.sip.next_deadline(), self.desk.next_deadline());
        let deadlines = [sip, desk, silent, held, self.next_look()];
        deadlines.into_iter().flatten().min()
    }

    /// What is held now.
    #[must_use]
    pub fn gauges(&self, now: Now) -> Gauges {
        Gauges {
            legs: self.sessions.len(),
            ports: self.ports.taken(),
            sip: self.sip.gauges(),
            desk: self.desk.gauges(now.mono),
            lines: self.sip.lines(now.mono),
        }
    }

    /// Ticks of the telephony since the start that never came to rest: a fault of ours, which takes the
    /// processor's time and stops nothing.
    #[must_use]
    pub fn restless_ticks(&self) -> u64 {
        self.sip.restless_ticks()
    }

    /// The doors that are shut for having guessed at passwords, at most `most`, whole sources first.
    #[must_use]
    pub fn blocked(&self, now: Now, most: usize) -> Vec<crate::sip::Blocked> {
        self.sip.blocked(now.mono).take(most).collect()
    }

    /// What admission has done since the start.
    #[must_use]
    pub fn admission(&self, now: Now) -> crate::sip::Admission {
        self.sip.admission(now.mono)
    }

    /// A person opens every door that is shut for an address; false when none was.
    pub fn let_in(&mut self, address: IpAddr, now: Now) -> bool {
        self.sip.let_in(address, now.mono)
    }

    /// After a panic was caught in [`Engine::handle`]: the call that caused it ends as `failed`, and what
    /// was still to be done for others is done.
    pub fn after_panic(&mut self, now: Now, out: &mut Outbox) {
        let in_rules = std::mem::take(&mut self.deciding);
        let leg = self.at_hand.take();
        if in_rules {
            // The step that was cut short is not obeyed in part. The rules end its call now.
            self.actions.clear();
            self.desk.handle(pbx::Input::Tick, now, &mut self.actions);
            self.take_actions();
        }
        if let Some(leg) = leg
            && !(in_rules && self.desk.call_of(leg).is_some())
        {
            self.fail(leg, "a fault in the engine", now, out);
        }
        self.run(now, out);
    }

    /// Before an orderly end: every peer is told that its leg is over. The history is closed by the
    /// next start, as after any other end. The legs whose peers cannot be told yet come back.
    pub fn shut_down(&mut self, now: Now, out: &mut Outbox) -> Vec<LegId> {
        let mut legs: Vec<LegId> = self.sessions.keys().copied().collect();
        for leg in &legs {
            self.sip.hang_up(*leg, Why::Fault, now, &mut self.effects);
            self.close(*leg, now, out);
        }
        self.run(now, out);
        self.closing = true;
        self.still_owed(&mut legs);
        legs
    }

    /// Leaves of `legs` those whose peers are still to be told of the end.
    pub fn still_owed(&self, legs: &mut Vec<LegId>) {
        legs.retain(|leg| self.sip.owes_end(*leg));
    }

    /// The process ends whatever its peers say: BYE goes out to those that have not acknowledged.
    pub fn part_with(&mut self, legs: &[LegId], now: Now, out: &mut Outbox) {
        for leg in legs {
            self.sip.end_unacknowledged(*leg, now, &mut self.effects);
        }
        self.run(now, out);
    }

    /// Writes a fact about the desk as a whole.
    pub fn note(&mut self, event: DeskEvent, now: Now, out: &mut Outbox) {
        self.record(Fact::Desk { event }, now, out);
    }

    /// Takes steps until none is left.
    fn run(&mut self, now: Now, out: &mut Outbox) {
        let mut taken = 0_u32;
        loop {
            self.steps.extend(self.effects.drain(..).map(Step::Effect));
            let Some(step) = self.steps.pop_front() else {
                self.show_lamps(now);
                if self.effects.is_empty() {
                    break;
                }
                continue;
            };
            taken = taken.saturating_add(1);
            if taken >= STEPS_MAX {
                self.steps.clear(); // or the next input would go round with them
                panic!("one input must not keep the engine busy for ever");
            }
            match step {
                Step::Effect(Effect::Send { flow, bytes, free }) => {
                    out.sends.push(Send { flow, bytes, free });
                }
                Step::Effect(Effect::LookUp(server)) => out.lookups.push(server),
                Step::Effect(Effect::Leg { leg, event }) => {
                    self.at_hand = Some(leg);
                    #[cfg(test)]
                    assert!(self.breaks_at != Some(leg), "on purpose");
                    self.leg_event(leg, event, now, out);
                }
                Step::Effect(Effect::Binding(change)) => {
                    let (BindingChange::Put(Binding { account, .. })
                    | BindingChange::Remove { account, .. }) = &change;
                    let account = account.clone();
                    out.bindings.push(change);
                    self.note_reachable(account);
                }
                Step::Effect(Effect::Subscription(change)) => out.subscriptions.push(change),
                Step::Effect(Effect::Watched(number)) => self.stir_number(number),
                Step::Desk(_) if self.closing => {}
                Step::Desk(input) => {
                    self.at_hand = concerns(&input);
                    self.deciding = true;
                    let arrived = match input {
                        pbx::Input::Arrived { leg, .. } => Some(leg),
                        _ => None,
                    };
                    self.desk.handle(input, now, &mut self.actions);
                    self.deciding = false;
                    if let Some(leg) = arrived {
                        self.name(leg, out);
                    }
                    self.take_actions();
                }
                Step::Action(action) => {
                    self.at_hand = aims_at(&action);
                    self.act(action, now, out);
                }
            }
        }
    }

    /// Tells observers the Call-ID of a leg that has just begun. A call that was refused at once is
    /// known by what is to be recorded of it alone.
    fn name(&self, leg: LegId, out: &mut Outbox) {
        let recorded = self.actions.iter().find_map(|action| match action {
            pbx::Action::Record(Fact::Call { call, .. } | Fact::Placed { call, .. }) => Some(*call),
            _ => None,
        });
        let call = self.desk.call_of(leg).or(recorded);
        if let (Some(call), Some(call_id)) = (call, self.sip.call_id(leg)) {
            out.named.push(Named { call, leg, call_id: call_id.into() });
        }
    }

    /// Puts the rules' actions before what else waits, in their order.
    fn take_actions(&mut self) {
        for action in self.actions.drain(..).rev() {
            self.steps.push_front(Step::Action(action));
        }
    }

    /// Tells the rules when a phone became reachable or stopped being so.
    fn note_reachable(&mut self, extension: Number) {
        let now_so = self.sip.reachable(&extension);
        let before = self.reachable.insert(extension.clone(), now_so).unwrap_or(false);
        if before != now_so {
            let input = pbx::Input::Phone { extension, reachable: now_so };
            self.steps.push_back(Step::Desk(input));
        }
    }

    fn record(&mut self, fact: Fact, now: Now, out: &mut Outbox) {
        out.entries.push(Entry { seq: self.next_seq, at: now.wall, fact });
        self.next_seq = self.next_seq.saturating_add(1);
    }
}

/// The leg that an input of the rules' speaks of.
const fn concerns(input: &pbx::Input) -> Option<LegId> {
    use pbx::Input as I;
    match input {
        I::Arrived { leg, .. }
        | I::Ringing { leg }
        | I::Early { leg }
        | I::Answered { leg }
        | I::Refused { leg, .. }
        | I::Replaced { new: leg, .. }
        | I::Reason { leg, .. }
        | I::Gone { leg, .. }
        | I::Failed { leg, .. }
        | I::NoRoom { leg, .. }
        | I::Key { leg, .. }
        | I::Spoke { leg, .. }
        | I::Played { leg, .. }
        | I::Hold { leg, .. }
        | I::Transfer { leg, .. } => Some(*leg),
        I::Phone { .. } | I::TapeFailed { .. } | I::Erased { .. } | I::Command(_) | I::Tick => None,
    }
}

/// The leg that an action of the rules' is about.
const fn aims_at(action: &pbx::Action) -> Option<LegId> {
    use pbx::Action as A;
    match action {
        A::Ring { leg }
        | A::Accept { leg }
        | A::Refuse { leg, .. }
        | A::Dial { leg, .. }
        | A::DialOut { leg, .. }
        | A::DialBack { leg, .. }
        | A::Preview { caller: leg, .. }
        | A::HangUp { leg, .. }
        | A::Connect { caller: leg, .. }
        | A::Part { caller: leg, .. }
        | A::Transfer { leg, .. }
        | A::Tape { leg, .. }
        | A::Play { leg, .. }
        | A::Stop { leg } => Some(*leg),
        A::Mix { seats, .. } => match seats.as_slice() {
            [first, ..] => Some(first.leg),
            [] => None,
        },
        A::Record(_) | A::Erase { .. } | A::Forget { .. } => None,
    }
}

#[cfg(test)]
mod tests;
