//! Transfers between the phone that asks for one and the rules: who may ask, what its wish means, how it
//! hears of the outcome, and what the two legs that are joined anew must be told.

use super::{Engine, Outbox, Step};
use crate::base::{LegId, Now, Number, Private};
use crate::event::Party;
use crate::pbx::{self, TransferNews, TransferTo};
use crate::rtp::command::{Command as Media, Seat};
use crate::sip::api::{Refer, Shown};

impl Engine {
    /// A REFER. Only our own phones transfer, and only what is theirs: nobody from outside is sent
    /// anywhere on a stranger's word.
    pub(super) fn referred(&mut self, leg: LegId, refer: &Refer, now: Now) {
        let extension = |leg: LegId| {
            let phone = self.sessions.get(&leg).and_then(|session| session.phone.as_ref());
            phone.map(|phone| &phone.extension)
        };
        let own = extension(leg);
        let to = match refer {
            Refer::To(number) => TransferTo::Number(Number::from(number.reveal().as_str())),
            Refer::With(other) if extension(*other) == own && *other != leg => {
                TransferTo::Leg(*other)
            }
            Refer::With(_) => TransferTo::Nowhere { status: 403 },
            Refer::Nowhere { status } => TransferTo::Nowhere { status: *status },
        };
        if own.is_some() {
            self.steps.push_back(Step::Desk(pbx::Input::Transfer { leg, to }));
        } else {
            self.sip.answer_refer(leg, 403, now, &mut self.effects);
        }
    }

    /// How it goes, to the phone that asked.
    pub(super) fn tell_referrer(&mut self, leg: LegId, news: TransferNews, now: Now) {
        let effects = &mut self.effects;
        match news {
            TransferNews::Accepted => self.sip.answer_refer(leg, 202, now, effects),
            TransferNews::Refused { status } => self.sip.answer_refer(leg, status, now, effects),
            TransferNews::Rings => self.sip.refer_news(leg, 180, now, effects),
            TransferNews::Done => self.sip.refer_news(leg, 200, now, effects),
            TransferNews::Failed { status } => self.sip.refer_news(leg, status, now, effects),
        }
    }

    /// The two hear each other no more.
    pub(super) fn part(&mut self, caller: LegId, agent: LegId, out: &mut Outbox) {
        for leg in [caller, agent] {
            if let Some(session) = self.sessions.get_mut(&leg) {
                session.partner = None;
            }
        }
        out.media.push(Media::Unbridge { leg: caller });
    }

    /// Several legs hear each other as their seats say. The first two are each other's partners for hold, or
    /// nobody is anybody's: then who holds leaves the others to talk.
    pub(super) fn mix(&mut self, seats: &[pbx::Seat], pair: bool, now: Now, out: &mut Outbox) {
        let first_two = match seats {
            [caller, agent, ..] if pair => Some([caller.leg, agent.leg]),
            _ => None,
        };
        for (at, seat) in seats.iter().enumerate() {
            let Some(session) = self.sessions.get_mut(&seat.leg) else { continue };
            session.partner = match first_two {
                Some([caller, agent]) if seat.leg == caller => Some(agent),
                Some([caller, agent]) if seat.leg == agent => Some(caller),
                _ => None,
            };
            if at > 0 {
                session.sound.side = Party::Agent; // also one that called us by a code
            }
        }
        let seats: Vec<Seat> =
            seats.iter().map(|seat| Seat { leg: seat.leg, hears: seat.hears.clone() }).collect();
        let legs: Vec<LegId> = seats.iter().map(|seat| seat.leg).collect();
        out.media.push(Media::Mix { seats });
        for leg in legs {
            self.offer_what_is_true(leg, now, out);
        }
    }

    /// Two legs are with each other from now on: their lamps show it, and so do their displays when it is
    /// not whom the phone dialled or was rung for. Only phones of ours are told.
    pub(super) fn introduce(&mut self, caller: LegId, agent: LegId, now: Now) {
        for (leg, other) in [(agent, caller), (caller, agent)] {
            let who = self.sessions.get(&other).and_then(|session| {
                let extension = session.phone.as_ref().map(|phone| phone.extension.as_str());
                let own = |user: &str| Shown { user: Private::new(user.to_owned()), name: None };
                session.shown.clone().or_else(|| extension.map(own))
            });
            let (Some(who), Some(session)) = (who, self.sessions.get_mut(&leg)) else { continue };
            let again = std::mem::replace(&mut session.introduced, true);
            let Some(phone) = &mut session.phone else { continue };
            let before = phone.with.as_ref().map(|with| with.user.reveal().as_str());
            if before == Some(who.user.reveal().as_str()) {
                continue;
            }
            // Who dialled a desk number or a group goes on showing that; who dialled a phone and got
            // another, or got somebody new, is told.
            let phones =
                before.is_some_and(|user| self.reachable.contains_key(&Number::from(user)));
            if again || phones || leg == agent {
                phone.with = Some(who.clone());
                self.stir(leg);
                self.sip.speaks_with(leg, &who, now, &mut self.effects);
            }
        }
    }

    /// Offers a leg anew that was told to listen only, when its new partner does not hold.
    pub(super) fn offer_what_is_true(&mut self, leg: LegId, now: Now, out: &mut Outbox) {
        let Some(session) = self.sessions.get(&leg) else { return };
        let Some(agreed) = &session.agreed else { return };
        let due = self.our_direction(leg);
        let told_to_listen = agreed.direction.sends() && !agreed.direction.receives();
        if !session.holding && told_to_listen && due.receives() {
            self.re_invite(leg, now, out);
        }
    }
}
