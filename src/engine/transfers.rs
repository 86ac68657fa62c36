//! Transfers between the phone that asks for one and the rules: who may ask, what its wish means, how it
//! hears of the outcome, and what the two legs that are joined anew must be told.

use super::{Engine, Outbox, Step};
use crate::base::{LegId, Now, Number};
use crate::pbx::{self, TransferNews, TransferTo};
use crate::rtp::command::Command as Media;
use crate::sip::api::Refer;

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

    /// The agent's lamp shows with whom the agent speaks now, not for whom the phone once rang.
    pub(super) fn shows_who(&mut self, caller: LegId, agent: LegId) {
        let who = self.sessions.get(&caller).and_then(|session| session.shown.clone());
        let phone = self.sessions.get_mut(&agent).and_then(|session| session.phone.as_mut());
        if let Some(phone) = phone.filter(|phone| phone.with != who) {
            phone.with = who;
            self.stir(agent);
        }
    }

    /// Offers a leg anew that was told to listen only, when its new partner does not hold.
    pub(super) fn offer_what_is_true(&mut self, leg: LegId, now: Now, out: &mut Outbox) {
        let Some(session) = self.sessions.get(&leg) else { return };
        let Some(agreed) = session.agreed else { return };
        let due = self.our_direction(leg);
        let told_to_listen = agreed.direction.sends() && !agreed.direction.receives();
        if !session.holding && told_to_listen && due.receives() {
            self.re_invite(leg, now, out);
        }
    }
}
