//! SUBSCRIBE and NOTIFY: from the message to the table of subscriptions and back (RFC 6665 §4.2).
//! Who may watch what is decided here; what there is to see is handed in.

use super::asking::{Outcome, Purpose};
use super::core::{Cx, Holder};
use super::receive::{Refusal, With};
use super::{Effect, Endpoint};
use crate::base::{LegId, Mono, Now, Number, Wall};
use crate::sip::api::{Circles, Flow, KeptSubscription, Lamp, Source, SubscriptionChange};
use crate::sip::dialog::{Dialog, Token};
use crate::sip::registrar::{RegisterError, grant_expiry};
use crate::sip::subscription::{
    ALLOW_EVENTS, Event, Life, Package, Reason, Todo, Topic, Wanted, Watch, WatchId,
};
use crate::sip::transaction::Timers;
use crate::sip::transaction::after_ms;
use crate::sip::transaction::timer::LONG_MS;
use crate::sip::{HeaderName, Method, Request, Uri, Writer};
use std::collections::BTreeMap;

/// After a restart the subscribers are told one after the other, so that calls and registrations come
/// first: the first after so long, milliseconds, and then one every millisecond.
const RESTART_PAUSE_MS: u32 = 1_000;

impl Endpoint {
    /// Says which numbers have a lamp, and who sees with whom they speak. Who watches a number that has
    /// none any more is told so within 64·T1.
    pub fn set_circles(&mut self, circles: Circles) {
        self.circles = circles;
    }

    /// Whether anybody watches the lamp of this number.
    #[must_use]
    pub fn is_watched(&self, number: &Number) -> bool {
        self.watches.is_watched(&(Package::Dialog, number.clone()))
    }

    /// What the lamp of a number shows now. Those who watch it are told when it differs from before;
    /// a lamp that nobody watches is not remembered.
    pub fn show(&mut self, number: &Number, mut lamp: Lamp, now: Now, out: &mut Vec<Effect>) {
        for call in &mut lamp.calls {
            call.dialog = self.legs.get(call.leg.0).and_then(|leg| leg.dialog_name());
        }
        let topic = (Package::Dialog, number.clone());
        if self.watches.is_watched(&topic) && self.watches.set_lamp(number, lamp) {
            self.changed(&topic, now, out);
        }
    }

    /// The messages that each phone's lamp shows: those not heard yet, and those heard. Who watches is told of
    /// what differs from before.
    pub fn show_messages(
        &mut self,
        lamps: BTreeMap<Number, (u32, u32)>,
        now: Now,
        out: &mut Vec<Effect>,
    ) {
        for number in self.watches.set_messages(lamps) {
            self.changed(&(Package::MessageSummary, number), now, out);
        }
    }

    /// Takes stored subscriptions back after a restart. Each is told the state by itself, one after the
    /// other; one that cannot be read is reported as removed by the next tick.
    pub fn restore_subscriptions(
        &mut self,
        kept: impl IntoIterator<Item = KeptSubscription>,
        now: Now,
    ) {
        let mut again = after_ms(now.mono, RESTART_PAUSE_MS);
        for mut kept in kept {
            let Flow { transport, remote, .. } = kept.dialog.flow;
            let listener = super::listener_for(&self.core.settings, transport, remote);
            kept.dialog.flow.connection = 0;
            kept.dialog.flow.listener = listener.unwrap_or_default();
            let watch = Watch::revive(&kept, &self.core.settings, again, now);
            let watch = watch.filter(|_| listener.is_some() && !self.watches.is_full());
            let Some(mut watch) = watch else {
                self.unreadable.push(kept.tag);
                continue;
            };
            if transport.is_stream() {
                // Its connection went with the old process; a phone that listens is called there.
                watch.dialog.flow.remote = watch.dialog.wanted_address().unwrap_or(remote);
            }
            let id = watch.id;
            if watch.topic.0 == Package::Dialog {
                self.unlit.insert(watch.topic.1.clone());
            }
            self.watches.insert(watch);
            self.settle_watch(id, now);
            again = after_ms(again, 1);
        }
    }

    /// A SUBSCRIBE that begins a subscription (§4.2.1).
    pub(super) fn on_subscribe(
        &mut self,
        flow: Flow,
        key: u64,
        request: &Request,
        now: Now,
        out: &mut Vec<Effect>,
    ) {
        let Some(Wanted { package, id: event_id }) = Wanted::read(&request.head.headers) else {
            return self.turn_away(flow, request, Refusal::with(489, With::Events), out);
        };
        if !package.is_accepted(&request.head.headers) {
            return self.turn_away(flow, request, Refusal::plain(406), out);
        }
        let Some(watcher) = self.subscriber(flow, request, now, out) else { return };
        let user = request.uri.user().unwrap_or_default().into_owned();
        let topic = (package, Number::from(user));
        let entity = request.uri.known().filter(|_| self.is_ours(&request.uri)).and_then(named);
        let (Some(entity), Ok(())) = (entity, self.permits(&watcher, &topic)) else {
            let status = self.permits(&watcher, &topic).err().unwrap_or(404);
            return self.turn_away(flow, request, Refusal::plain(status), out);
        };
        let lease_s = match grant_expiry(
            request.head.headers.number(&HeaderName::Expires),
            &self.core.settings,
        ) {
            Ok(lease_s) => lease_s,
            Err(error) => return self.refuse_lease(flow, request, error, out),
        };
        if self.core.is_full() || self.watches.is_full() || self.watches.has_its_share(&watcher) {
            return self.shed(flow, request, out);
        }
        let tag = Token(self.core.rng.bits());
        // §4.1.3: without a Contact there is nobody to notify.
        let dialog =
            request.head.contact().and_then(|_| Dialog::answering(request, tag, flow).ok());
        let Some(dialog) = dialog else {
            return self.turn_away(flow, request, Refusal::plain(400), out);
        };
        if let Some(oldest) = self.watches.in_the_way(&watcher) {
            self.live(oldest, Event::End(Reason::Rejected), now, out);
        }
        let id = WatchId(tag.0);
        self.watches.insert(Watch::new(id, watcher, topic.clone(), event_id, entity, dialog));
        self.lease(id, lease_s, now);
        Cx { core: &mut self.core, now, out }.open_inside(key, LegId(0), flow, request);
        self.granted(id, key, request, lease_s, now, out);
        if package == Package::Dialog && self.watches.lamp(&topic.1).is_none() {
            out.push(Effect::Watched(topic.1)); // the NOTIFY follows from what we are told
            return self.settle_watch(id, now);
        }
        self.due(id, lease_s == 0, now, out);
    }

    /// A request inside a subscription's dialog: a renewal, or its end with Expires 0 (§4.2.1.4).
    pub(super) fn on_resubscribe(
        &mut self,
        flow: Flow,
        key: u64,
        id: WatchId,
        request: &Request,
        now: Now,
        out: &mut Vec<Effect>,
    ) {
        let wanted = Wanted::read(&request.head.headers);
        let same = |watch: &Watch| {
            watch.life.is_active()
                && wanted.is_some_and(|wanted| {
                    wanted.package == watch.topic.0 && wanted.id == watch.event_id
                })
        };
        if request.method != Method::Subscribe || !self.watches.get(id).is_some_and(same) {
            return self.turn_away(flow, request, Refusal::plain(481), out);
        }
        let Some(speaker) = self.subscriber(flow, request, now, out) else { return };
        let lease_s =
            grant_expiry(request.head.headers.number(&HeaderName::Expires), &self.core.settings);
        let crammed = self.core.is_crammed();
        let Some(watch) = self.watches.get_mut(id) else { return };
        if watch.watcher != speaker {
            return self.turn_away(flow, request, Refusal::plain(403), out);
        }
        if crammed {
            return self.turn_away(flow, request, Refusal::plain(503), out);
        }
        let lease_s = match lease_s {
            Ok(lease_s) => lease_s,
            Err(error) => return self.refuse_lease(flow, request, error, out),
        };
        // §12.2.2 of RFC 3261: one that was overtaken.
        if !watch.dialog.advance(request.head.cseq.number) {
            return self.turn_away(flow, request, Refusal::plain(500), out);
        }
        let before = watch.dialog.flow;
        if watch.dialog.refresh(&request.head, Some(flow)).is_err() {
            return self.turn_away(flow, request, Refusal::plain(400), out);
        }
        let moved = watch.dialog.flow != before;
        self.watches.renewed(id);
        self.watches.follow(id);
        Cx { core: &mut self.core, now, out }.open_inside(key, LegId(0), flow, request);
        if lease_s > 0 {
            self.lease(id, lease_s, now);
            self.put(id, out);
        }
        self.granted(id, key, request, lease_s, now, out);
        if moved {
            self.live(id, Event::Back, now, out);
        }
        // Each SUBSCRIBE is followed by a NOTIFY, changed or not (§4.2.1.2).
        self.due(id, lease_s == 0, now, out);
    }

    /// Whose phone sends it; None when it has been answered. Trunks watch nothing.
    fn subscriber(
        &mut self,
        flow: Flow,
        request: &Request,
        now: Now,
        out: &mut Vec<Effect>,
    ) -> Option<Number> {
        let from_user = request.head.from.uri.named().unwrap_or_default().into_owned();
        match self.directory.source(flow, &from_user) {
            Some(Source::Account(number)) => Some(number),
            Some(Source::Trunk(_)) => {
                self.turn_away(flow, request, Refusal::plain(403), out);
                None
            }
            None => self.admit(flow, request, &from_user, now, out),
        }
    }

    /// Whether an account may watch a topic: any lamp there is, but messages and registrations only of
    /// its own.
    fn permits(&self, watcher: &Number, (package, what): &Topic) -> Result<(), u16> {
        match package {
            Package::Dialog if self.circles.has(what) => Ok(()),
            Package::Dialog => Err(404),
            Package::MessageSummary | Package::Reg if watcher == what => Ok(()),
            Package::MessageSummary | Package::Reg => Err(403),
        }
    }

    fn refuse_lease(
        &self,
        flow: Flow,
        request: &Request,
        error: RegisterError,
        out: &mut Vec<Effect>,
    ) {
        let mut writer = self.reply(request, error.status());
        if let RegisterError::TooBrief { min_s } = error {
            writer.header(&HeaderName::MinExpires, min_s);
        }
        out.push(Effect::Send { flow, bytes: writer.finish(), free: true });
    }

    fn lease(&mut self, id: WatchId, lease_s: u32, now: Now) {
        let Some(watch) = self.watches.get_mut(id) else { return };
        let until = after_ms(now.mono, lease_s.saturating_mul(1_000));
        watch.life.handle(Event::Renewed { until }, now.mono);
        let lease_ms = i64::from(lease_s).saturating_mul(1_000);
        watch.expires_at = Wall(now.wall.0.saturating_add(lease_ms));
    }

    /// 200 with the lease that we grant (§4.2.1.1).
    fn granted(
        &mut self,
        id: WatchId,
        key: u64,
        request: &Request,
        lease_s: u32,
        now: Now,
        out: &mut Vec<Effect>,
    ) {
        let Some(watch) = self.watches.get(id) else { return };
        let mut cx = Cx { core: &mut self.core, now, out };
        let mut writer = cx.answer(request, 200, Token(id.0));
        writer.contact(&cx.core.place(watch.dialog.flow).contact);
        writer.header(&HeaderName::Expires, lease_s);
        writer.header(&HeaderName::AllowEvents, ALLOW_EVENTS);
        cx.respond(key, 200, writer.finish());
    }

    /// The NOTIFY that a SUBSCRIBE is owed.
    fn due(&mut self, id: WatchId, last: bool, now: Now, out: &mut Vec<Effect>) {
        let event = if last { Event::End(Reason::Timeout) } else { Event::Changed };
        self.live(id, event, now, out);
    }

    /// What is watched has changed.
    pub(super) fn changed(&mut self, topic: &Topic, now: Now, out: &mut Vec<Effect>) {
        for id in self.watches.of(topic) {
            // One that asked for the state once, and now gets it.
            let until = self.watches.get(id).and_then(|watch| watch.life.until());
            let once = until.is_some_and(|until| until <= now.mono);
            self.due(id, once, now, out);
        }
    }

    /// Lets a subscription take one step.
    fn live(&mut self, id: WatchId, event: Event, now: Now, out: &mut Vec<Effect>) {
        let Some(watch) = self.watches.get_mut(id) else { return };
        match watch.life.handle(event, now.mono) {
            Todo::Rest => {}
            Todo::Tell => self.notify(id, None, now, out),
            Todo::Part(reason) => {
                self.drop_kept(id, out);
                self.notify(id, Some(reason), now, out);
            }
        }
        self.settle_watch(id, now);
        if self.watches.get(id).is_some_and(|watch| watch.life == Life::Over) {
            self.drop_kept(id, out);
            self.watches.remove(id);
        }
    }

    fn put(&mut self, id: WatchId, out: &mut Vec<Effect>) {
        let Some(watch) = self.watches.get_mut(id) else { return };
        watch.stored = true;
        let kept = Box::new(watch.keep());
        out.push(Effect::Subscription(SubscriptionChange::Put(kept)));
    }

    fn drop_kept(&mut self, id: WatchId, out: &mut Vec<Effect>) {
        if let Some(watch) = self.watches.get_mut(id).filter(|watch| watch.stored) {
            watch.stored = false;
            let tag = Token(id.0).to_string();
            out.push(Effect::Subscription(SubscriptionChange::Remove { tag }));
        }
    }

    /// Sends a NOTIFY with what is true now (§4.2.2).
    fn notify(&mut self, id: WatchId, last: Option<Reason>, now: Now, out: &mut Vec<Effect>) {
        let Some(watch) = self.watches.get_mut(id) else { return };
        let (seq, promise) = watch.next_seq();
        if promise && last.is_none() {
            self.put(id, out);
        }
        let Some(watch) = self.watches.get(id) else { return };
        let (package, what) = &watch.topic;
        // The first document has version 0, the first NOTIFY CSeq 1: both rise together for ever.
        let version = seq.saturating_sub(1);
        let body = match package {
            Package::Dialog => {
                let names = self.circles.share(&watch.watcher, what);
                watch.dialog_info(version, self.watches.lamp(what), names)
            }
            Package::Reg => {
                let contacts = self.registrar.list(what, now.mono);
                watch.reginfo(version, contacts.map(|(contact, _, left_s)| (contact, left_s)))
            }
            Package::MessageSummary => watch.summary(self.watches.messages(what)),
        };
        let mut cx = Cx { core: &mut self.core, now, out };
        let branch = cx.branch();
        let place = cx.core.place(watch.dialog.flow);
        let mut writer: Writer = watch.dialog.request(&Method::Notify, seq, place, branch);
        writer.contact(&place.contact);
        writer.header(&HeaderName::UserAgent, &cx.core.settings.product);
        match &watch.event_id {
            Some(id) => {
                writer.header(&HeaderName::Event, format_args!("{};id={id}", package.as_str()))
            }
            None => writer.header(&HeaderName::Event, package.as_str()),
        };
        match last {
            Some(reason) => writer.header(
                &HeaderName::SubscriptionState,
                format_args!("terminated;reason={}", reason.as_str()),
            ),
            None => {
                let left = watch.life.until().unwrap_or_default().since(now.mono).as_secs();
                writer.header(&HeaderName::SubscriptionState, format_args!("active;expires={left}"))
            }
        };
        let bytes = writer.body(package.content_type(), body.as_bytes());
        cx.start(branch, id, Purpose::Notify, watch.dialog.flow, bytes);
        if let Some(watch) = self.watches.get_mut(id) {
            watch.asking = branch;
        }
    }

    /// What came of the NOTIFY under `branch`. One that was given up with its connection has been
    /// followed by another.
    pub(super) fn on_notified(
        &mut self,
        id: WatchId,
        branch: Token,
        outcome: &Outcome,
        now: Now,
        out: &mut Vec<Effect>,
    ) {
        if self.watches.get(id).is_none_or(|watch| watch.asking != branch) {
            return;
        }
        let event = match outcome {
            Outcome::TimedOut => Event::Gone,
            Outcome::Response(response) => {
                let wait_s = response.head.headers.number(&HeaderName::RetryAfter);
                match response.status {
                    ..200 => return,
                    200..300 => Event::Taken,
                    // §4.2.2: gone, unless it says when to come back or the fault may pass.
                    491 | 500.. => Event::Later { after_ms: wait_s.map(ms) },
                    _ if wait_s.is_some() => Event::Later { after_ms: wait_s.map(ms) },
                    _ => Event::Gone,
                }
            }
        };
        self.live(id, event, now, out);
    }

    /// The connection is gone, or none could be made.
    pub(super) fn watches_cut(&mut self, flow: Flow, now: Now, out: &mut Vec<Effect>) {
        for id in self.watches.on(flow) {
            self.live(id, Event::Cut, now, out);
        }
    }

    /// The account's phone has registered from `flow`: what it watches goes that way from now on, if it
    /// is the same phone. By its Contact, or, when a connection was lost, by its address.
    pub(super) fn reattach(
        &mut self,
        account: &Number,
        contacts: &[Uri],
        flow: Flow,
        now: Now,
        out: &mut Vec<Effect>,
    ) {
        for id in self.watches.by(account) {
            let Some(watch) = self.watches.get_mut(id) else { continue };
            let cut = matches!(watch.life, Life::Cut { .. });
            let old = watch.dialog.flow;
            let same = contacts.iter().any(|uri| uri.equivalent(watch.dialog.target()))
                || (cut && old.transport == flow.transport && old.remote.ip() == flow.remote.ip());
            if same && (cut || old != flow) {
                watch.dialog.flow = flow;
                self.watches.follow(id);
                self.live(id, Event::Back, now, out);
            }
        }
    }

    /// The timer entry of `at` has come up.
    pub(super) fn wake_watch(&mut self, id: WatchId, at: Mono, now: Now, out: &mut Vec<Effect>) {
        let Some(watch) = self.watches.get_mut(id) else { return };
        if !Timers::<Holder>::is_live(&mut watch.alarm, at) {
            return;
        }
        let (watcher, topic) = (watch.watcher.clone(), watch.topic.clone());
        // The plan or the accounts may have changed since, or the daemon was restarted.
        let event = if !self.directory.knows(&watcher) {
            Event::End(Reason::Rejected)
        } else if self.permits(&watcher, &topic).is_err() {
            Event::End(Reason::NoResource)
        } else {
            Event::Tick
        };
        self.live(id, event, now, out);
    }

    fn settle_watch(&mut self, id: WatchId, now: Now) {
        let Some(watch) = self.watches.get_mut(id) else { return };
        // In steps of 64·T1 at most, as legs do.
        let deadline = watch.life.deadline().map(|due| due.min(after_ms(now.mono, LONG_MS)));
        self.core.timers.arm(&mut watch.alarm, Holder::Watch(id), deadline);
    }
}

fn ms(s: u32) -> u32 {
    s.saturating_mul(1_000)
}

/// What a phone calls the number it watches, without anything else.
fn named(uri: &Uri) -> Option<Uri> {
    let user = uri.named()?;
    Some(Uri::sip(Some(&user), uri.host()?.clone(), None))
}
