//! The wires: each leg event and media notice to the rules' input it means, each of the rules'
//! actions to what the SIP room and the media threads do about it.

use super::lamps::AtPhone;
use super::session::{NoMedia, Session, Talk, To, holds};
use super::{Engine, Outbox, Step, caller};
use crate::base::{LegId, Mono, Now, Number, Private};
use crate::event::{Fact, Origin, Party};
use crate::pbx::{Action, Hindrance, Input as Desk};
use crate::recording::command::{Command as Record, RecordingId};
use crate::rtp::command::{Command as Media, Notice};
use crate::sdp::{self, Direction};
use crate::sip::api::{Incoming, LampStage, LegEnd, LegEvent, Outgoing, Shown, Source, Why};
use bytes::Bytes;

/// A hold is left alone for so many times what a silence is.
const HELD_PATIENCE: u32 = 4;

impl Engine {
    pub(super) fn tell(&mut self, input: Desk) {
        self.steps.push_back(Step::Desk(input));
    }

    /// One thing that happened to a leg. Legs that we ended ourselves have no session any more, and
    /// what still comes for them is nobody's concern.
    pub(super) fn leg_event(&mut self, leg: LegId, event: LegEvent, now: Now, out: &mut Outbox) {
        if let LegEvent::Incoming(incoming) = event {
            self.arrived(leg, *incoming, now, out);
            return;
        }
        if !self.sessions.contains_key(&leg) {
            return;
        }
        match event {
            LegEvent::Incoming(_) => {}
            LegEvent::Progress { sdp: early, .. } => {
                // Early media we cannot understand is no reason to end a call that may be answered.
                let heard = early.is_some_and(|early| {
                    let answer = (&*early, To::First);
                    self.take_answer(leg, answer, Direction::SendRecv, out).is_ok()
                });
                self.leg_is(leg, LampStage::Early);
                self.tell(if heard { Desk::Early { leg } } else { Desk::Ringing { leg } });
            }
            LegEvent::Answered { sdp } => self.answered(leg, sdp, now, out),
            LegEvent::Refused { status } => {
                self.close(leg, now, out);
                self.tell(Desk::Refused { leg, status });
            }
            LegEvent::Confirmed { sdp } => self.confirmed(leg, sdp.as_deref(), now, out),
            LegEvent::Offer { sdp } => self.re_offered(leg, sdp, now, out),
            LegEvent::OfferAnswered { result } => {
                self.offer_answered(leg, result.ok().flatten(), now, out);
            }
            LegEvent::Digit(key) => {
                // By INFO: it was in no sound, so the media threads are told, and the other side by us.
                out.at_once.push(Media::Keyed { leg });
                self.press(leg, key, now, out);
                self.tell(Desk::Key { leg, key });
            }
            LegEvent::Reason(reason) => self.tell(Desk::Reason { leg, reason }),
            LegEvent::Refer(refer) => self.referred(leg, &refer, now),
            LegEvent::ReferNews { .. } => {} // we ask nobody
            LegEvent::Over(LegEnd::ByUs) => self.close(leg, now, out),
            LegEvent::Over(
                end @ (LegEnd::Bye | LegEnd::Cancelled | LegEnd::NoAck | LegEnd::Lost),
            ) => {
                self.close(leg, now, out);
                self.tell(Desk::Gone { leg, lost: matches!(end, LegEnd::NoAck | LegEnd::Lost) });
            }
        }
    }

    fn arrived(&mut self, leg: LegId, incoming: Incoming, now: Now, out: &mut Outbox) {
        if self.closing {
            return self.sip.refuse(leg, 503, now, &mut self.effects);
        }
        let (caller, origin, shown) = caller::identify(&incoming);
        let dialled = Number::from(incoming.dialled.as_str());
        let sealing = self.policy.sealing.of(&incoming.source);
        // Who is refused for overload is refused without a look at what it offers.
        let offer = incoming.sdp.as_deref().filter(|_| !incoming.shed);
        let (talk, mute) = match offer.map(sdp::parse) {
            None => (Talk::OfferDue, None),
            Some(Ok(offer)) if self.can_answer(leg, &offer, sealing) => {
                (Talk::Offered(Box::new(offer)), None)
            }
            Some(Ok(_)) => (Talk::OfferDue, Some("no common way to talk")),
            Some(Err(_)) => (Talk::OfferDue, Some("a broken session description")),
        };
        let mut session = Session::new(talk, leg.0);
        session.shown = Some(shown);
        session.rings_with_offer = incoming.rings_with_offer;
        session.sealing = sealing;
        session.keys_by = self.policy.keys.of(&incoming.source);
        session.ip = self.ip_for(self.sip.own_ip(leg));
        self.sessions.insert(leg, session);
        if let Source::Account(extension) = incoming.source {
            let with = Some(Shown { user: Private::new(incoming.dialled), name: None });
            self.leg_at(leg, AtPhone { extension, placed: true, stage: LampStage::Trying, with });
        }
        if let (Some(old), Origin::Extension(by)) = (incoming.replaces, &origin) {
            if let Some(session) = self.sessions.get_mut(&leg) {
                session.sound.side = Party::Agent; // it takes the place of one that was dialled
            }
            let status = match mute {
                _ if incoming.shed => Some(503),
                Some(_) => Some(488),
                None => None,
            };
            if let Some(status) = status {
                self.sip.refuse(leg, status, now, &mut self.effects);
                return self.close(leg, now, out);
            }
            return self.tell(Desk::Replaced { old, new: leg, by: by.clone() });
        }
        let hindrance = match mute {
            _ if incoming.shed => Some(Hindrance::Overload),
            Some(why) => Some(Hindrance::Mute(why)),
            None => None,
        };
        self.tell(Desk::Arrived { leg, dialled, caller, origin, hindrance });
    }

    /// A phone that we dialled picked up.
    fn answered(&mut self, leg: LegId, sdp: Option<Bytes>, now: Now, out: &mut Outbox) {
        let agreed = match &sdp {
            Some(answer) => self.take_answer(leg, (answer, To::First), Direction::SendRecv, out),
            // The answer may have come in a provisional response (RFC 3261 §13.2.1).
            None if self.sessions.get(&leg).is_some_and(|s| s.agreed.is_some()) => Ok(()),
            None => Err(NoMedia::NoLeg),
        };
        match agreed {
            Ok(()) => {
                self.leg_is(leg, LampStage::Confirmed);
                self.tell(Desk::Answered { leg });
            }
            Err(_) => {
                self.sip.hang_up(leg, Why::Fault, now, &mut self.effects);
                self.close(leg, now, out);
                self.tell(Desk::Refused { leg, status: 488 });
            }
        }
    }

    /// The ACK to our 2xx. When that carried our offer, the ACK carries the answer (RFC 3261 §13.2.1),
    /// and with it a hold or its end: some phones and exchanges take a call back without an offer.
    fn confirmed(&mut self, leg: LegId, answer: Option<&[u8]>, now: Now, out: &mut Outbox) {
        let first = self.sessions.get(&leg).is_some_and(|session| session.agreed.is_none());
        let direction = self.our_direction(leg);
        let to = if first { To::First } else { To::Later };
        match answer.map(|answer| self.take_answer(leg, (answer, to), direction, out)) {
            Some(Ok(())) => self.note_hold(leg, self.listens_no_more(leg), now, out),
            // Nobody said where to send: the line would be up and dead.
            None if first => self.fail(leg, "no answer to our offer", now, out),
            Some(Err(why)) if first => self.fail(leg, why.words(), now, out),
            // What was agreed before goes on.
            None | Some(Err(_)) => {}
        }
    }

    /// What came of a re-INVITE of ours; no answer means that it was refused.
    fn offer_answered(&mut self, leg: LegId, answer: Option<Bytes>, now: Now, out: &mut Outbox) {
        if let Some(session) = self.sessions.get_mut(&leg) {
            session.offering = false;
        }
        // A peer that refuses, or answers a hold with nonsense, keeps what was agreed before.
        let Some(answer) = answer else { return };
        let direction = self.our_direction(leg);
        let taken = self.take_answer(leg, (&answer, To::Later), direction, out);
        // One that held and now says that it listens holds no more: its own word for it met ours on
        // the way.
        if taken.is_ok() && !self.listens_no_more(leg) {
            self.note_hold(leg, false, now, out);
        }
    }

    /// Whether the peer's last word was that it does not listen. We ourselves always want to send.
    fn listens_no_more(&self, leg: LegId) -> bool {
        let agreed = self.sessions.get(&leg).and_then(|session| session.agreed.as_ref());
        agreed.is_some_and(|agreed| !agreed.direction.sends())
    }

    /// The peer of a leg re-INVITEs: hold, resume, or a refresh.
    fn re_offered(&mut self, leg: LegId, sdp: Option<Bytes>, now: Now, out: &mut Outbox) {
        let Some(sdp) = sdp else {
            // RFC 3261 §14.2: an offerless re-INVITE gets our full offer in the 2xx.
            let direction = self.our_direction(leg);
            let answer = self.make_offer(leg, None, direction, now, out).map_err(|e| e.status());
            self.sip.answer_offer(leg, answer, now, &mut self.effects);
            self.offer_anew(leg, now, out);
            return;
        };
        let held_by_partner = self.partner_holds(leg);
        let ours = if held_by_partner { Direction::SendOnly } else { Direction::SendRecv };
        let answered = sdp::parse(&sdp).map_err(NoMedia::from).and_then(|offer| {
            let answer = self.make_answer(leg, &offer, ours, now, out)?;
            Ok((offer, answer))
        });
        match answered {
            Err(why) => self.sip.answer_offer(leg, Err(why.status()), now, &mut self.effects),
            Ok((offer, answer)) => {
                self.sip.answer_offer(leg, Ok(answer), now, &mut self.effects);
                self.offer_anew(leg, now, out);
                self.note_hold(leg, holds(&offer), now, out);
            }
        }
    }

    /// The peer's offer overtook ours: what we said then is older than our answer, and its version in
    /// `o=` would go back (RFC 3264 §8). So what waits is said anew.
    fn offer_anew(&mut self, leg: LegId, now: Now, out: &mut Outbox) {
        if self.sessions.get(&leg).is_some_and(|session| session.offering) {
            self.re_invite(leg, now, out);
        }
    }

    /// Offers the leg what is true now: its partner's hold, or nothing new.
    pub(super) fn re_invite(&mut self, leg: LegId, now: Now, out: &mut Outbox) {
        let codec = self.codec(leg);
        let direction = self.our_direction(leg);
        if let Ok(offer) = self.make_offer(leg, codec, direction, now, out) {
            if let Some(session) = self.sessions.get_mut(&leg) {
                session.offering = true;
            }
            self.sip.offer(leg, Some(offer), now, &mut self.effects);
        }
    }

    /// Passes a hold or its end on to the other side, and tells the rules.
    fn note_hold(&mut self, leg: LegId, holds: bool, now: Now, out: &mut Outbox) {
        let Some(session) = self.sessions.get_mut(&leg) else { return };
        if session.holding == holds {
            return;
        }
        session.holding = holds;
        let partner = session.partner;
        self.stir(leg);
        self.watch_hold(leg, now);
        self.tell(Desk::Hold { leg, on: holds });
        if let Some(partner) = partner {
            self.re_invite(partner, now, out);
        }
    }

    fn partner_holds(&self, leg: LegId) -> bool {
        let partner = self.sessions.get(&leg).and_then(|session| session.partner);
        partner.and_then(|p| self.sessions.get(&p)).is_some_and(|partner| partner.holding)
    }

    /// What we offer this leg: only to listen to us while its partner holds the call.
    pub(super) fn our_direction(&self, leg: LegId) -> Direction {
        if self.partner_holds(leg) { Direction::SendOnly } else { Direction::SendRecv }
    }

    /// A notice of the media threads.
    pub(super) fn media(&mut self, notice: &Notice, now: Now, out: &mut Outbox) {
        match *notice {
            Notice::PlayDone { leg, play } => {
                self.at_hand = Some(leg);
                self.tell(Desk::Played { leg, play });
            }
            Notice::Digit { leg, key } => {
                self.at_hand = Some(leg);
                self.press_by_info(leg, key, now);
                self.tell(Desk::Key { leg, key });
            }
            Notice::Spoke { leg, ms } => {
                self.at_hand = Some(leg);
                self.tell(Desk::Spoke { leg, ms });
            }
            Notice::Reserved { port } => self.ports.answered(port, true, now),
            Notice::NotReserved { port } => {
                self.ports.answered(port, false, now);
                self.reserve(now, out);
            }
            Notice::OpenFailed { leg, port } => {
                self.at_hand = Some(leg);
                let Some(session) = self.sessions.get_mut(&leg) else { return };
                if session.port == Some(port) {
                    session.port = None;
                    self.ports.retire(port, now);
                    self.fail(leg, "an RTP port could not be bound", now, out);
                }
            }
            Notice::Fault { leg, fault, on } => self.sound_fault(leg, fault, on, now, out),
            Notice::Quality { leg, ref quality, last } => {
                self.sound_measured(leg, quality, last, now, out);
            }
            Notice::Silent { leg } => self.fell_silent(leg, now),
            Notice::Heard { leg } => {
                if let Some(session) = self.sessions.get_mut(&leg)
                    && let Some(until) = session.silent_until.take()
                {
                    self.silent.remove(&(until, leg));
                }
            }
        }
    }

    /// Asks the peers that have sent no sound for too long whether they are still there, by a re-INVITE
    /// that changes nothing: who is muted answers and keeps the call, who has vanished does not, and the
    /// SIP room says `Lost` (RFC 3261 §14.1). Asked again while the silence lasts. A peer whose call is
    /// on hold may rightly be silent.
    pub(super) fn ask_the_silent(&mut self, now: Now, out: &mut Outbox) {
        let later = (Mono(now.mono.0.saturating_add(1)), LegId(0));
        let waiting = self.silent.split_off(&later);
        let due = std::mem::replace(&mut self.silent, waiting);
        for (_, leg) in due {
            self.fell_silent(leg, now);
            let holds = self.sessions.get(&leg).is_some_and(|session| session.holding);
            if !holds && !self.partner_holds(leg) {
                self.re_invite(leg, now, out);
            }
        }
    }

    /// Asks both sides of a long hold whether they are still there, as [`Engine::ask_the_silent`] does
    /// with a call that is not held: on hold nobody need send sound, so silence tells nothing, and a
    /// hold that both sides left would stand for ever.
    pub(super) fn ask_the_held(&mut self, now: Now, out: &mut Outbox) {
        let later = (Mono(now.mono.0.saturating_add(1)), LegId(0));
        let waiting = self.held.split_off(&later);
        let due = std::mem::replace(&mut self.held, waiting);
        for (_, leg) in due {
            self.watch_hold(leg, now);
            let partner = self.sessions.get(&leg).and_then(|session| session.partner);
            for leg in std::iter::once(leg).chain(partner) {
                self.re_invite(leg, now, out);
            }
        }
    }

    /// Notes when the two sides of a hold are to be asked, or that it is over.
    fn watch_hold(&mut self, leg: LegId, now: Now) {
        let Some(session) = self.sessions.get_mut(&leg) else { return };
        let until = session.holding.then_some(now.mono + self.policy.lost_after * HELD_PATIENCE);
        if let Some(before) = std::mem::replace(&mut session.held_until, until) {
            self.held.remove(&(before, leg));
        }
        self.held.extend(until.map(|until| (until, leg)));
    }

    /// Notes when a silent leg's peer is to be asked.
    fn fell_silent(&mut self, leg: LegId, now: Now) {
        let until = now.mono + self.policy.lost_after;
        if let Some(session) = self.sessions.get_mut(&leg) {
            if let Some(before) = session.silent_until.replace(until) {
                self.silent.remove(&(before, leg));
            }
            self.silent.insert((until, leg));
        }
    }

    /// Ends a leg that we cannot make work.
    pub(super) fn fail(&mut self, leg: LegId, what: &'static str, now: Now, out: &mut Outbox) {
        self.sip.hang_up(leg, Why::Fault, now, &mut self.effects);
        self.close(leg, now, out);
        self.tell(Desk::Failed { leg, what });
    }

    /// One of the rules' actions.
    pub(super) fn act(&mut self, action: Action, now: Now, out: &mut Outbox) {
        match action {
            Action::Ring { leg } => match self.offer_in_ringing(leg, now, out) {
                Ok(sdp) => {
                    self.leg_is(leg, LampStage::Early);
                    self.sip.ring(leg, sdp, now, &mut self.effects);
                }
                Err(why) => self.give_up(leg, &why, now, out),
            },
            Action::Accept { leg } => match self.description(leg, now, out) {
                Ok(sdp) => {
                    self.leg_is(leg, LampStage::Confirmed);
                    self.sip.accept(leg, sdp, now, &mut self.effects);
                }
                Err(why) => self.give_up(leg, &why, now, out),
            },
            Action::Refuse { leg, status } => {
                self.sip.refuse(leg, status, now, &mut self.effects);
                self.close(leg, now, out);
            }
            Action::Dial { leg, extension, on_behalf_of, shown } => {
                let of = |user: &str| Shown { user: Private::new(user.to_owned()), name: None };
                let session = self.sessions.get(&on_behalf_of);
                let caller = || session.and_then(|session| session.shown.clone());
                let shown = shown.map(|number| of(number.as_str())).or_else(caller);
                let shown = shown.unwrap_or_else(|| of("anonymous"));
                self.dial(leg, &extension, &shown, Some(on_behalf_of), now, out);
            }
            Action::DialBack { leg, extension, number } => {
                let shown = Shown { user: number, name: None };
                self.dial(leg, &extension, &shown, None, now, out);
            }
            Action::Erase { call, number } => {
                out.recorder.push(Record::Erase { id: RecordingId { call, number } });
            }
            Action::DialOut { leg, trunk, way, on_behalf_of } => {
                let call = Outgoing {
                    trunk,
                    number: way.number,
                    caller: way.caller_id,
                    withhold: way.withhold,
                    emergency: way.emergency,
                };
                self.dial_out(leg, &call, on_behalf_of, now, out);
            }
            Action::Preview { caller, phone } => {
                // Without room for it the caller hears ringing of its own phone's.
                if self.early_media(caller, now, out).is_ok() {
                    self.join(caller, phone, out);
                }
            }
            Action::HangUp { leg, elsewhere } => {
                if self.sessions.contains_key(&leg) {
                    let why = if elsewhere { Why::Elsewhere } else { Why::Normal };
                    self.sip.hang_up(leg, why, now, &mut self.effects);
                    self.close(leg, now, out);
                }
            }
            Action::Connect { caller, agent } => {
                if let Some(session) = self.sessions.get_mut(&agent) {
                    session.sound.side = Party::Agent; // it may be one that dialled a slot
                }
                self.join(caller, agent, out);
                self.introduce(caller, agent, now);
                // What a leg was last told may be another partner's hold.
                for leg in [caller, agent] {
                    self.offer_what_is_true(leg, now, out);
                }
                // Who held the line while it waited holds it still: the other must not meet silence.
                for leg in [caller, agent] {
                    if self.sessions.get(&leg).is_some_and(|session| session.holding) {
                        self.tell(Desk::Hold { leg, on: true });
                    }
                }
            }
            Action::Mix { seats, pair } => self.mix(&seats, pair, now, out),
            Action::Part { caller, agent } => self.part(caller, agent, out),
            Action::Transfer { leg, news } => self.tell_referrer(leg, news, now),
            Action::Play { leg, play, prompts, looped, stops_on_key } => {
                if let Err(why) = self.early_media(leg, now, out) {
                    self.give_up(leg, &why, now, out);
                    return;
                }
                out.media.push(Media::Play { leg, play, prompts, looped, stops_on_key });
            }
            Action::Stop { leg } => out.media.push(Media::Stop { leg }),
            Action::Tape { leg, call, number, order, taped } => {
                self.tape(leg, RecordingId { call, number }, (order, taped), now, out);
            }
            Action::Record(fact) => {
                if let Fact::Call { call, event, .. } = &fact {
                    self.slot_changes(*call, event);
                }
                self.record(fact, now, out);
            }
            Action::Forget { .. } => {}
        }
    }

    /// Our side of a caller's leg: the answer to the offer, or our offer when there was none.
    fn description(&mut self, leg: LegId, now: Now, out: &mut Outbox) -> Result<Bytes, NoMedia> {
        let session = self.sessions.get_mut(&leg).ok_or(NoMedia::NoLeg)?;
        if let Some(answer) = &session.answer {
            // RFC 3261 §13.2.1: the 2xx repeats the answer of the 183, byte for byte.
            return Ok(answer.clone());
        }
        let sdp = match std::mem::replace(&mut session.talk, Talk::OfferDue) {
            Talk::Offered(offer) => self.make_answer(leg, &offer, Direction::SendRecv, now, out)?,
            Talk::OfferDue | Talk::Offering | Talk::Agreed => {
                self.make_offer(leg, None, Direction::SendRecv, now, out)?
            }
        };
        if let Some(session) = self.sessions.get_mut(&leg) {
            session.answer = Some(sdp.clone());
        }
        Ok(sdp)
    }

    /// Our offer, for a caller who made none and must get it with the first word.
    fn offer_in_ringing(
        &mut self,
        leg: LegId,
        now: Now,
        out: &mut Outbox,
    ) -> Result<Option<Bytes>, NoMedia> {
        let due = self.sessions.get(&leg).is_some_and(|session| {
            session.rings_with_offer && matches!(session.talk, Talk::OfferDue)
        });
        if due { self.description(leg, now, out).map(Some) } else { Ok(None) }
    }

    /// A leg that is to hear something before it is answered gets a 183 first.
    fn early_media(&mut self, leg: LegId, now: Now, out: &mut Outbox) -> Result<(), NoMedia> {
        match self.sessions.get(&leg) {
            None => Err(NoMedia::NoLeg),
            Some(session) if matches!(session.talk, Talk::Offered(_)) => {
                let sdp = self.description(leg, now, out)?;
                self.leg_is(leg, LampStage::Early);
                self.sip.ring(leg, Some(sdp), now, &mut self.effects);
                Ok(())
            }
            Some(_) => {
                if let Some(offer) = self.offer_in_ringing(leg, now, out)? {
                    self.sip.ring(leg, Some(offer), now, &mut self.effects);
                }
                Ok(())
            }
        }
    }

    /// A leg of the rules' that cannot have media: the peer is told, then the rules.
    fn give_up(&mut self, leg: LegId, why: &NoMedia, now: Now, out: &mut Outbox) {
        if self.sessions.contains_key(&leg) {
            self.sip.refuse(leg, why.status(), now, &mut self.effects);
            self.close(leg, now, out);
            self.tell(Desk::Failed { leg, what: why.words() });
        }
    }

    /// Lets two legs hear each other.
    fn join(&mut self, a: LegId, b: LegId, out: &mut Outbox) {
        for (leg, partner) in [(a, b), (b, a)] {
            out.media.push(Media::Stop { leg });
            if let Some(session) = self.sessions.get_mut(&leg) {
                session.partner = Some(partner);
            }
        }
        out.media.push(Media::Bridge { a, b });
    }

    /// Calls a number outside for one of our phones.
    fn dial_out(&mut self, leg: LegId, call: &Outgoing, behalf: LegId, now: Now, out: &mut Outbox) {
        let mut session = Session::new(Talk::Offering, leg.0);
        // For the phones that are rung for it when the call is passed on.
        let user = Private::new(call.number.as_str().to_owned());
        session.shown = Some(Shown { user, name: None });
        session.sealing = self.policy.sealing.of_trunk(&call.trunk);
        session.keys_by = self.policy.keys.of_trunk(&call.trunk);
        session.ip = self.ip_for(self.sip.own_ip_by(&call.trunk, now.mono));
        self.sessions.insert(leg, session);
        let Some(offer) = self.offer_for(leg, Some(behalf), now, out) else { return };
        let dialled = self.sip.dial_outside(leg, call, offer, now, &mut self.effects);
        self.name(leg, out);
        if dialled.is_err() {
            self.close(leg, now, out);
            self.tell(Desk::Refused { leg, status: 503 }); // no server of the trunk's is well
        }
    }

    /// The offer for a phone that is dialled for somebody. Without room for it, who lacks it is told: the
    /// caller's port is taken first, so that nobody picks up for a caller who then gets none.
    fn offer_for(
        &mut self,
        leg: LegId,
        behalf: Option<LegId>,
        now: Now,
        out: &mut Outbox,
    ) -> Option<Bytes> {
        let first = behalf.and_then(|behalf| self.codec(behalf));
        let offer = behalf
            .map_or(Ok(0), |behalf| self.open(behalf, now, out))
            .and_then(|_| self.make_offer(leg, first, Direction::SendRecv, now, out));
        let why = match offer {
            Ok(offer) => return Some(offer),
            Err(why) => why,
        };
        self.close(leg, now, out);
        let lacks = |behalf: &LegId| {
            self.sessions.get(behalf).is_some_and(|session| session.port.is_none())
        };
        if let Some(behalf) = behalf.filter(lacks) {
            self.give_up(behalf, &why, now, out);
        }
        self.tell(Desk::NoRoom { leg, what: why.words() });
        None
    }

    fn dial(
        &mut self,
        leg: LegId,
        extension: &Number,
        shown: &Shown,
        behalf: Option<LegId>,
        now: Now,
        out: &mut Outbox,
    ) {
        let mut session = Session::new(Talk::Offering, leg.0);
        session.sealing = self.policy.sealing.of_phone(extension);
        session.mux = true;
        session.keys_by = self.policy.keys.of_phone(extension);
        session.ip = self.ip_for(self.sip.own_ip_to(extension, now.mono));
        self.sessions.insert(leg, session);
        let at = AtPhone {
            extension: extension.clone(),
            placed: false,
            stage: LampStage::Trying,
            with: Some(shown.clone()),
        };
        self.leg_at(leg, at);
        let Some(offer) = self.offer_for(leg, behalf, now, out) else { return };
        let dialled = self.sip.dial(leg, extension, shown, Some(offer), now, &mut self.effects);
        self.name(leg, out);
        if dialled.is_err() {
            self.close(leg, now, out);
            // Temporarily Unavailable: nobody is registered there.
            self.tell(Desk::Refused { leg, status: 480 });
        }
    }
}
