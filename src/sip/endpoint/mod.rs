//! The SIP endpoint: messages and wishes in, messages and leg events out. It owns the transactions,
//! the legs, the location table and the admission of strangers, and knows no call: which leg talks
//! to which is the engine's business.

mod admit;
pub(in crate::sip) mod asking;
pub(in crate::sip) mod core;
mod directory;
mod guard;
pub(in crate::sip) mod large;
mod lines;
mod receive;
mod redirecting;
mod referring;
mod register;
mod replacing;
mod serving;
mod subscribing;
mod whereabouts;

use self::asking::{Heard, Outcome, Purpose, Whose};
use self::core::{Core, Cx, Holder};
use self::directory::{Compiled, listener_for};
use self::guard::Guard;
pub(in crate::sip) use self::guard::source_of;
pub use self::guard::{Admission, Blocked, BlockedAccount};
use super::api::{
    Binding, BindingChange, Circles, Directory, Effect, Flow, LegEvent, Settings, Shown,
    SubscriptionChange, Why,
};
use super::dialog::Token;
use super::digest::Authenticator;
use super::leg::{Invitation, Leg, Orphan, State, acknowledge_late, reject_fork};
use super::registrar::{Bound, Registrar};
use super::subscription::{Package, Watches};
use super::table::Index;
use super::transaction::timer::LONG_MS;
use super::transaction::{Timers, after_ms};
use super::trunk::Names;
use super::trunk::line::Line;
use super::uri::Uri;
use crate::base::{LegId, Mono, Now, Number, Rng};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};

/// The number that was dialled has no phone: nobody registered, and no fixed address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the number has no registered and no fixed phone")]
pub struct NoAddress;

/// What the endpoint holds at this moment. All but `bindings`
/// and `subscriptions` fall back to 0 within 64·T1 and 5 s
/// after the last call and message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Legs that are not over, and those whose peer is still to be told.
    pub legs: usize,
    /// Requests of peers.
    pub server_transactions: usize,
    /// Requests of ours.
    pub client_transactions: usize,
    /// Entries of the timer heap, stale ones included.
    pub timers: usize,
    /// Connections that legs hang on.
    pub streams: usize,
    /// Registered contacts.
    pub bindings: usize,
    /// Subscriptions.
    pub subscriptions: usize,
}

/// Phones whose legs are remembered while their connection is lost; one more pushes out one of them,
/// whose calls then go on by whatever way the phone itself speaks on next.
const ADRIFT_MAX: usize = 4_096;

/// Rounds of one tick over what became due while the tick went on; three are much. What is due even then
/// waits for the next tick, behind the messages that came meanwhile, and the daemon says so: something of
/// ours wants to be woken at a time that is past, and never comes to rest.
const MAX_ROUNDS: usize = 16;

/// See the module.
pub struct Endpoint {
    core: Core,
    directory: Compiled,
    auth: Authenticator,
    guard: Guard,
    registrar: Registrar,
    legs: Index<Box<Leg>>,
    /// Legs by our tag.
    tags: Index<LegId>,
    /// The next leg that a peer begins: odd.
    next_leg: u64,
    /// Legs whose phone's connection broke, until it registers again.
    adrift: BTreeMap<Bound, BTreeSet<LegId>>,
    /// Referrals whose calls are over, by their legs.
    orphans: BTreeMap<LegId, Box<Orphan>>,
    watches: Watches,
    circles: Circles,
    /// Stored subscriptions that could not be taken back.
    unreadable: Vec<String>,
    /// Numbers watched since before the restart, whose lamps are not known yet.
    unlit: BTreeSet<Number>,
    /// The trunks that we reach, in the directory's order.
    lines: Vec<Line>,
    names: Names,
    /// Ticks that ended at [`MAX_ROUNDS`].
    restless: u64,
}

#[allow(clippy::needless_pass_by_value)] // what comes in is handed over, whatever becomes of it
impl Endpoint {
    /// An endpoint that holds nothing yet.
    #[must_use]
    pub fn new(settings: Settings, directory: Directory, mut rng: Rng) -> Self {
        let directory = Compiled::new(directory, &settings);
        let mut key = [0; 32];
        for (chunk, bits) in
            key.chunks_exact_mut(8).zip([rng.bits(), rng.bits(), rng.bits(), rng.bits()])
        {
            chunk.copy_from_slice(&bits.to_be_bytes());
        }
        let mut endpoint = Self {
            auth: Authenticator::new(&settings.realm, key).with_offer(settings.digest),
            core: Core::new(settings, rng),
            directory,
            guard: Guard::default(),
            registrar: Registrar::default(),
            legs: Index::default(),
            tags: Index::default(),
            next_leg: 1,
            adrift: BTreeMap::new(),
            orphans: BTreeMap::new(),
            watches: Watches::default(),
            circles: Circles::default(),
            unreadable: Vec::new(),
            unlit: BTreeSet::new(),
            lines: Vec::new(),
            names: Names::default(),
            restless: 0,
        };
        endpoint.set_lines(Mono::ZERO);
        endpoint
    }

    /// Replaces the directory. Calls and registrations stay as they are; who was removed is asked for
    /// a password that no longer fits the next time.
    pub fn set_directory(&mut self, directory: Directory, now: Mono) {
        self.directory = Compiled::new(directory, &self.core.settings);
        self.set_lines(now);
    }

    /// Takes stored bindings back after a restart. Those that lapsed meanwhile are reported as removed
    /// by the next tick.
    pub fn restore(&mut self, bindings: impl IntoIterator<Item = Binding>, now: Now) {
        for mut binding in bindings {
            // The listeners may have been renumbered since.
            let Flow { transport, remote, .. } = binding.flow;
            let Some(listener) = listener_for(&self.core.settings, transport, remote) else {
                continue;
            };
            binding.flow.listener = listener;
            self.registrar.restore(binding, &self.core.settings, now);
        }
    }

    /// Whether a phone can be rung under that number.
    #[must_use]
    pub fn reachable(&self, number: &Number) -> bool {
        let fixed = self.directory.fixed(number);
        self.registrar.has(number)
            || fixed.is_some_and(|phone| self.way_to(&phone.server).is_some())
    }

    /// The Call-ID of a leg that is not over.
    #[must_use]
    pub fn call_id(&self, leg: LegId) -> Option<&str> {
        self.legs.get(leg.0).filter(|leg| !leg.is_parted())?.call_id()
    }

    /// Whether the end of a leg that was hung up is still to be said to its peer.
    #[must_use]
    pub fn owes_end(&self, leg: LegId) -> bool {
        self.legs.get(leg.0).is_some_and(|leg| leg.owes_end())
    }

    /// Says it now, if the peer has answered at all.
    pub fn end_unacknowledged(&mut self, leg: LegId, now: Now, out: &mut Vec<Effect>) {
        self.with_leg(leg, now, out, Leg::end_unacknowledged);
    }

    /// What is held now.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        let (server_transactions, client_transactions) = self.core.transactions();
        Gauges {
            legs: self.legs.len().saturating_add(self.orphans.len()),
            server_transactions,
            client_transactions,
            timers: self.core.timers.len(),
            streams: self.core.streams(),
            bindings: self.registrar.len(),
            subscriptions: self.watches.len(),
        }
    }

    /// Ticks since the start that left something for the next that was due at once: a fault of ours.
    #[must_use]
    pub fn restless_ticks(&self) -> u64 {
        self.restless
    }

    // ---- the network -------------------------------------------------------------------------

    /// A connection is gone, as it was named in [`Endpoint::receive`] or in a `Send`.
    pub fn flow_lost(&mut self, flow: Flow, now: Now, out: &mut Vec<Effect>) {
        Cx { core: &mut self.core, now, out }.fall_back(flow, false);
        let mut changes = Vec::new();
        let lost = self.registrar.flow_lost(flow, &mut changes);
        self.put_bindings(changes, now, out);
        let legs = self.core.followers(flow);
        for leg in &legs {
            self.with_leg(*leg, now, out, |leg, cx| leg.on_flow_lost(cx, flow));
        }
        for id in legs {
            // Several phones may have shared it behind a proxy: one's call waits for that one. What is known to be
            // nobody's goes with whoever comes back first, unless its peer comes back by no REGISTER.
            let Some(leg) = self.legs.get(id.0) else { continue };
            let any_of = lost.iter().any(|(_, contact)| leg.is_of(contact));
            if !any_of && !leg.comes_back() {
                continue;
            }
            for (phone, _) in lost.iter().filter(|(_, contact)| !any_of || leg.is_of(contact)) {
                self.adrift.entry(phone.clone()).or_default().insert(id);
            }
        }
        if self.adrift.len() > ADRIFT_MAX {
            // Phones that came back under another name have left theirs.
            self.adrift.retain(|_, legs| {
                legs.retain(|leg| self.legs.contains(leg.0));
                !legs.is_empty()
            });
        }
        while self.adrift.len() > ADRIFT_MAX {
            self.adrift.pop_first();
        }
        self.watches_cut(flow, now, out);
        self.lines_cut(flow, now);
    }

    /// A `Send` on `flow` reached nobody: the connection could not be opened.
    pub fn unsendable(&mut self, flow: Flow, now: Now, out: &mut Vec<Effect>) {
        Cx { core: &mut self.core, now, out }.fall_back(flow, true);
        for leg in self.core.followers(flow) {
            self.with_leg(leg, now, out, |leg, cx| leg.on_unsendable(cx, flow));
        }
        self.watches_cut(flow, now, out);
        self.lines_unsendable(flow, now);
    }

    // ---- time --------------------------------------------------------------------------------

    /// When [`Endpoint::tick`] is due; earlier or later is harmless.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        let (one, two) = (self.core.timers.next(), self.registrar.next_deadline());
        [one, two, self.lines_deadline()].into_iter().flatten().min()
    }

    /// Does whatever has become due.
    pub fn tick(&mut self, now: Now, out: &mut Vec<Effect>) {
        let mut rounds = 0..MAX_ROUNDS;
        while rounds.next().is_some() && self.core.timers.gather(now.mono) {
            while let Some((at, holder)) = self.core.timers.take() {
                self.wake(holder, at, now, out);
            }
        }
        if self.core.timers.next().is_some_and(|at| at <= now.mono) {
            self.restless = self.restless.saturating_add(1);
        }
        self.tick_lines(now, out);
        let mut changes = Vec::new();
        let knocks = self.registrar.tick(now.mono, &mut changes);
        for knock in knocks {
            Cx { core: &mut self.core, now, out }.knock_at(&knock);
        }
        self.put_bindings(changes, now, out);
        for tag in self.unreadable.drain(..) {
            out.push(Effect::Subscription(SubscriptionChange::Remove { tag }));
        }
        out.extend(std::mem::take(&mut self.unlit).into_iter().map(Effect::Watched));
    }

    /// The timer entry of `at` has come up.
    fn wake(&mut self, holder: Holder, at: Mono, now: Now, out: &mut Vec<Effect>) {
        match holder {
            Holder::Server(key) => Cx { core: &mut self.core, now, out }.wake_server(key, at),
            Holder::Client(key) => {
                let mut cx = Cx { core: &mut self.core, now, out };
                match cx.wake_client(key, at) {
                    Some((Whose::Leg(leg), purpose, branch)) => {
                        let nowhere = |leg: &mut Leg, cx: &mut Cx<'_>| {
                            leg.on_outcome(cx, purpose, branch, Outcome::TimedOut);
                        };
                        if !self.with_leg(leg, now, out, nowhere) {
                            self.orphan_notified(leg, branch, &Outcome::TimedOut, now, out);
                        }
                    }
                    Some((Whose::Watch(watch), _, branch)) => {
                        self.on_notified(watch, branch, &Outcome::TimedOut, now, out);
                    }
                    // A line's own patience is shorter.
                    Some((Whose::Line(_), ..)) | None => {}
                }
            }
            Holder::Leg(id) => {
                let live = |leg: &mut Box<Leg>| Timers::<Holder>::is_live(&mut leg.alarm, at);
                if self.legs.get_mut(id.0).is_some_and(live) {
                    self.with_leg(id, now, out, Leg::wake);
                }
            }
            Holder::Watch(watch) => self.wake_watch(watch, at, now, out),
            Holder::Orphan(leg) => self.wake_orphan(leg, at, now, out),
        }
    }

    // ---- the engine's wishes -----------------------------------------------------------------

    /// Tells the caller that it rings: 180, or 183 with early media. Repeated inside every minute.
    pub fn ring(&mut self, leg: LegId, sdp: Option<Bytes>, now: Now, out: &mut Vec<Effect>) {
        self.with_leg(leg, now, out, |leg, cx| leg.ring(cx, sdp.as_ref()));
    }

    /// Answers the caller: 200, repeated until the ACK comes.
    pub fn accept(&mut self, leg: LegId, sdp: Bytes, now: Now, out: &mut Vec<Effect>) {
        self.with_leg(leg, now, out, |leg, cx| leg.accept(cx, &sdp));
    }

    /// Refuses the caller; `Over(ByUs)` follows at once. On a leg that was answered it hangs up.
    pub fn refuse(&mut self, leg: LegId, status: u16, now: Now, out: &mut Vec<Effect>) {
        self.with_leg(leg, now, out, |leg, cx| leg.refuse(cx, status));
    }

    /// Calls a phone under a new, even leg id; without SDP the phone is asked to make the offer.
    ///
    /// # Errors
    ///
    /// [`NoAddress`]; then there is no leg and no event comes. A full transaction table comes as
    /// `Refused { status: 503 }`.
    pub fn dial(
        &mut self,
        leg: LegId,
        to: &Number,
        shown: &Shown,
        sdp: Option<Bytes>,
        now: Now,
        out: &mut Vec<Effect>,
    ) -> Result<(), NoAddress> {
        let registered = self.registrar.locate(to, now.mono);
        let (target, flow, by_contact, path) = if let Some((uri, flow, path)) = registered {
            (uri.clone(), flow, false, path.map(str::to_owned))
        } else {
            let fixed = self.directory.fixed(to).ok_or(NoAddress)?;
            let flow = self.way_to(&fixed.server).ok_or(NoAddress)?;
            (fixed.target.clone(), flow, true, None)
        };
        if self.core.is_full() || self.legs.contains(leg.0) {
            out.push(Effect::Leg { leg, event: LegEvent::Refused { status: 503 } });
            return Ok(());
        }
        let (sdp, path) = (sdp.as_ref(), path.as_deref());
        let invitation =
            Invitation { to, target, flow, path, by_contact, shown, sdp, outside: None };
        self.begin(leg, invitation, now, out);
        Ok(())
    }

    /// Our answer to the offer that came in a 2xx to an offerless INVITE of ours; it goes in the ACK.
    pub fn answer_in_ack(&mut self, leg: LegId, sdp: Bytes, now: Now, out: &mut Vec<Effect>) {
        self.with_leg(leg, now, out, |leg, cx| leg.answer_in_ack(cx, &sdp));
    }

    /// Sends a re-INVITE, when nothing else is under way; without SDP the peer is asked to offer.
    pub fn offer(&mut self, leg: LegId, sdp: Option<Bytes>, now: Now, out: &mut Vec<Effect>) {
        self.with_leg(leg, now, out, |leg, cx| leg.offer(cx, sdp));
    }

    /// Tells a phone of ours, which believes what we assert, with whom it speaks now. Never for a leg
    /// that leads outside.
    pub fn speaks_with(&mut self, leg: LegId, with: &Shown, now: Now, out: &mut Vec<Effect>) {
        self.with_leg(leg, now, out, |leg, cx| leg.speaks_with(cx, with));
    }

    /// Answers the peer's re-INVITE or UPDATE with SDP or a refusal.
    pub fn answer_offer(
        &mut self,
        leg: LegId,
        answer: Result<Bytes, u16>,
        now: Now,
        out: &mut Vec<Effect>,
    ) {
        self.with_leg(leg, now, out, |leg, cx| {
            leg.answer_offer(cx, answer.as_ref().map_err(|status| *status));
        });
    }

    /// Tells the leg's peer by INFO that a key was pressed; of keys that it has not answered 32 wait.
    pub fn press(&mut self, leg: LegId, key: char, now: Now, out: &mut Vec<Effect>) {
        self.with_leg(leg, now, out, |leg, cx| leg.press(cx, key));
    }

    /// Ends the leg by whatever is due in its state: a refusal, CANCEL, BYE, or one of them later.
    pub fn hang_up(&mut self, leg: LegId, why: Why, now: Now, out: &mut Vec<Effect>) {
        self.with_leg(leg, now, out, |leg, cx| leg.hang_up(cx, why));
    }

    /// Sends an INVITE and takes up its leg.
    fn begin(&mut self, leg: LegId, invitation: Invitation<'_>, now: Now, out: &mut Vec<Effect>) {
        let mut cx = Cx { core: &mut self.core, now, out };
        let begun = Leg::invite(&mut cx, leg, invitation);
        self.tags.insert(begun.tag.0, leg);
        self.legs.insert(leg.0, Box::new(begun));
        self.settle(leg, now);
    }

    // ---- inside ------------------------------------------------------------------------------

    /// Does something with a leg, if it lives, and sees to what follows from it.
    fn with_leg(
        &mut self,
        id: LegId,
        now: Now,
        out: &mut Vec<Effect>,
        step: impl FnOnce(&mut Leg, &mut Cx<'_>),
    ) -> bool {
        let Some(leg) = self.legs.get_mut(id.0) else { return false };
        if let Some(found) = leg.name().and_then(|server| self.names.address(server)) {
            leg.lead(found);
        }
        step(leg, &mut Cx { core: &mut self.core, now, out });
        self.settle(id, now);
        true
    }

    /// Arms the leg's timer and notes its connection, or forgets it when it is over.
    fn settle(&mut self, id: LegId, now: Now) {
        for (remote, how) in std::mem::take(&mut self.core.failing) {
            self.line_failed(remote, how, now);
        }
        let Some(leg) = self.legs.get_mut(id.0) else { return };
        if let Some(server) = leg.name() {
            self.names.want(server, now.mono);
        }
        let ways = leg.ways();
        self.core.follow(id, &leg.follows, &ways);
        leg.follows = ways;
        if let State::Over = leg.state {
            self.tags.remove(leg.tag.0);
            if let Some(leg) = self.legs.remove(id.0)
                && let Some(orphan) = leg.orphan
            {
                self.orphans.insert(id, orphan);
                self.settle_orphan(id, now);
            }
            return;
        }
        // In steps of 64·T1 at most, so that no entry outlives its leg for longer.
        let deadline = leg.deadline().map(|due| due.min(after_ms(now.mono, LONG_MS)));
        self.core.timers.arm(&mut leg.alarm, Holder::Leg(id), deadline);
    }

    /// A response to a request of ours.
    fn on_response(
        &mut self,
        flow: Flow,
        response: super::Response,
        now: Now,
        out: &mut Vec<Effect>,
    ) {
        let mut cx = Cx { core: &mut self.core, now, out };
        let leg = match cx.asker(&response.head) {
            Some(Whose::Leg(leg)) => self.legs.get(leg.0),
            _ => None,
        };
        if leg.is_some_and(|leg| !leg.asked_by(&response.head)) {
            return;
        }
        let home = leg.and_then(|leg| leg.flow());
        let Some(heard) = cx.answered(flow, home, response) else { return };
        let Heard { whose, purpose, branch, outcome, .. } = &heard;
        let (purpose, branch) = (*purpose, *branch);
        let leg = match *whose {
            Whose::Leg(leg) => leg,
            Whose::Watch(watch) => return self.on_notified(watch, branch, outcome, now, out),
            Whose::Line(line) => return self.on_line_outcome(line, branch, outcome, now, out),
        };
        if let Outcome::Response(response) = outcome
            && (300..400).contains(&response.status)
            && purpose == Purpose::Invite
            && self.legs.get(leg.0).is_some_and(|leg| leg.may_turn(branch))
        {
            let routes = self.turns(response, now.mono);
            if let Some(leg) = self.legs.get_mut(leg.0) {
                leg.add_turns(routes);
            }
        }
        if self.legs.contains(leg.0) {
            self.with_leg(leg, now, out, |leg, cx| leg.on_response(cx, flow, heard));
        } else if self.orphans.contains_key(&leg) {
            self.orphan_notified(leg, branch, outcome, now, out);
        } else if let Outcome::Response(response) = outcome {
            after_the_end(
                &mut Cx { core: &mut self.core, now, out },
                leg,
                purpose,
                branch,
                response,
            );
        }
    }

    /// Phones have registered again with these Contacts, on `flow`: what is left of their calls goes on there.
    /// Their connections may be lost, or stand unnoticed at the end of a way that is dead: `left`.
    fn calls_follow(
        &mut self,
        (phones, contacts): (&[Bound], &[Uri]),
        left: &[Flow],
        flow: Flow,
        now: Now,
        out: &mut Vec<Effect>,
    ) {
        let mut legs: Vec<LegId> = Vec::new();
        for old in left {
            // Behind a proxy others may go on by it, registered ones or phones at fixed places: of them only what is
            // surely of who has left follows.
            let shared = self.registrar.is_used(*old);
            let follows = |id: &LegId| {
                let leg = self.legs.get(id.0);
                leg.is_some_and(|leg| {
                    (!shared && leg.comes_back())
                        || contacts.iter().any(|contact| leg.is_of(contact))
                })
            };
            legs.extend(self.core.followers(*old).iter().filter(|id| follows(id)));
        }
        for phone in phones {
            legs.extend(self.adrift.remove(phone).into_iter().flatten());
        }
        for leg in legs {
            self.with_leg(leg, now, out, |leg, cx| leg.reattach(cx, left, flow));
        }
    }

    /// Hands out what changed in the location table, and tells those who watch it.
    fn put_bindings(&mut self, changes: Vec<BindingChange>, now: Now, out: &mut Vec<Effect>) {
        let mut accounts: Vec<Number> = Vec::new();
        for change in changes {
            let (BindingChange::Put(Binding { account, .. })
            | BindingChange::Remove { account, .. }) = &change;
            if !accounts.contains(account) {
                accounts.push(account.clone());
            }
            out.push(Effect::Binding(change));
        }
        for account in accounts {
            self.changed(&(Package::Reg, account), now, out);
        }
    }
}

/// A 2xx that found its leg gone: the peer is told that nobody is there (§13.2.2.4).
fn after_the_end(
    cx: &mut Cx<'_>,
    leg: LegId,
    purpose: Purpose,
    branch: Token,
    response: &super::Response,
) {
    if !(200..300).contains(&response.status) {
        return;
    }
    match purpose {
        Purpose::Invite => reject_fork(cx, leg, branch, response),
        Purpose::Reinvite => acknowledge_late(cx, branch, response),
        Purpose::Bye
        | Purpose::Cancel
        | Purpose::Prack
        | Purpose::Update
        | Purpose::Notify
        | Purpose::Register
        | Purpose::Refer
        | Purpose::Info
        | Purpose::Ping => {}
    }
}

#[cfg(test)]
mod tests;
