//! A REFER inside a leg's dialog and the subscription that it begins by itself (RFC 3515 §2.4): the
//! answer, then a NOTIFY for each piece of news, one at a time, until the last. It outlives the call
//! when the phone hangs up first (RFC 5057 §4.1), and never its own time.

use super::{Leg, State};
use crate::base::{LegId, Mono, Number};
use crate::sip::api::{Flow, LegEvent, Refer};
use crate::sip::dialog::{Dialog, Token};
use crate::sip::endpoint::asking::{Outcome, Purpose};
use crate::sip::endpoint::core::Cx;
use crate::sip::transaction::after_ms;
use crate::sip::transaction::timer::Alarm;
use crate::sip::vocabulary::reason;
use crate::sip::{HeaderName, Method, Request, Uri};

/// No transfer takes longer, milliseconds: then the phone is told 408 and the subscription ends.
const LONGEST_MS: u32 = 180_000;

/// What a REFER asks for, and whether quietly.
pub(in crate::sip) type Wished = (Refer, bool);

/// See the module.
#[derive(Debug)]
pub(in crate::sip) struct Referral {
    /// The REFER's number: tells several of one dialog apart (§2.4.6).
    id: u32,
    /// Whether the dialog has had one before.
    later: bool,
    until: Mono,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// The rules have not said yet whether they will try.
    Asked { key: u64, request: Box<Request>, quiet: bool },
    /// They try, and the phone wants to hear nothing of it (RFC 4488).
    Quiet,
    /// They try; the phone knows the last news.
    Told,
    /// A NOTIFY waits for its answer; what came meanwhile is told next.
    Telling { branch: Token, by: Flow, status: u16, next: Option<u16> },
    /// The last NOTIFY waits for its answer.
    Parting { branch: Token, by: Flow, status: u16 },
    /// The connection that a NOTIFY went by is gone: this is told where the phone comes back.
    Adrift { status: u16 },
    /// Nothing is owed any more.
    Over,
}

impl Referral {
    fn asked(request: Request, key: u64, quiet: bool, later: bool, now: Mono) -> Self {
        let (id, until) = (request.head.cseq.number, after_ms(now, LONGEST_MS));
        Self { id, later, until, stage: Stage::Asked { key, request: Box::new(request), quiet } }
    }

    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// The way that the NOTIFY went which waits for its answer.
    pub fn way(&self) -> Option<Flow> {
        match &self.stage {
            Stage::Telling { by, .. } | Stage::Parting { by, .. } => Some(*by),
            Stage::Asked { .. }
            | Stage::Quiet
            | Stage::Told
            | Stage::Adrift { .. }
            | Stage::Over => None,
        }
    }

    /// It has another name.
    pub fn way_mut(&mut self) -> Option<&mut Flow> {
        match &mut self.stage {
            Stage::Telling { by, .. } | Stage::Parting { by, .. } => Some(by),
            Stage::Asked { .. }
            | Stage::Quiet
            | Stage::Told
            | Stage::Adrift { .. }
            | Stage::Over => None,
        }
    }

    /// A NOTIFY that went by a way which is `gone` is said again when the phone is back, with the last news. Its branch;
    /// none when none did.
    pub fn recall(&mut self, gone: impl Fn(Flow) -> bool) -> Option<Token> {
        let (branch, status) = match self.stage {
            Stage::Telling { branch, by, status, next } if gone(by) => {
                (branch, next.unwrap_or(status))
            }
            Stage::Parting { branch, by, status } if gone(by) => (branch, status),
            _ => return None,
        };
        self.stage = Stage::Adrift { status };
        Some(branch)
    }

    /// The phone is there again.
    pub fn resume(&mut self, leg: LegId, dialog: &mut Dialog, cx: &mut Cx<'_>) {
        if let Stage::Adrift { status } = self.stage {
            self.tell(leg, dialog, status, cx);
        }
    }

    /// The call ends before the rules said a word: the REFER gets its answer all the same.
    pub fn give_up_asking(&mut self, whose: (LegId, Token), dialog: &mut Dialog, cx: &mut Cx<'_>) {
        if let Stage::Asked { .. } = self.stage {
            self.answer(whose, dialog, 481, cx);
        }
    }

    /// The call ends: news of the end that waits for its turn goes out before it.
    pub fn hurry(&mut self, leg: LegId, dialog: &mut Dialog, cx: &mut Cx<'_>) {
        if let Stage::Telling { next: Some(status @ 200..), .. }
        | Stage::Adrift { status: status @ 200.. } = self.stage
        {
            self.tell(leg, dialog, status, cx);
        }
    }

    /// When it wants to be woken. Where the last word waits for an answer, that answer, or timer F of the
    /// NOTIFY that nobody answers, brings it.
    pub fn deadline(&self) -> Option<Mono> {
        match self.stage {
            Stage::Telling { next: Some(200..), .. } => None,
            Stage::Asked { .. }
            | Stage::Quiet
            | Stage::Told
            | Stage::Telling { .. }
            | Stage::Adrift { .. } => Some(self.until),
            Stage::Parting { .. } | Stage::Over => None,
        }
    }

    /// The rules' word on a REFER that was asked: 2xx tries it, anything else refuses it.
    fn answer(&mut self, whose: (LegId, Token), dialog: &mut Dialog, status: u16, cx: &mut Cx<'_>) {
        let Stage::Asked { key, request, quiet } = &self.stage else { return };
        let (key, quiet) = (*key, *quiet);
        let mut writer = cx.answer(request, status, whose.1);
        if (200..300).contains(&status) {
            writer.contact(&cx.core.place(dialog.flow).contact);
            if quiet {
                writer.header(&HeaderName::ReferSub, "false");
            }
        }
        cx.respond(key, status, writer.finish());
        self.stage = match status {
            200..300 if quiet => Stage::Quiet,
            200..300 => Stage::Told,
            _ => Stage::Over,
        };
        // §2.4.4: the first NOTIFY comes at once.
        self.news(whose, dialog, 100, cx);
    }

    /// News of the attempt: 1xx goes on, anything else is the end.
    pub fn news(
        &mut self,
        whose: (LegId, Token),
        dialog: &mut Dialog,
        status: u16,
        cx: &mut Cx<'_>,
    ) {
        match &mut self.stage {
            Stage::Quiet if status >= 200 => self.stage = Stage::Over,
            Stage::Told => self.tell(whose.0, dialog, status, cx),
            // What is over stays the last word.
            Stage::Telling { next, .. } => {
                if next.is_none_or(|next| next < 200) {
                    *next = Some(status);
                }
            }
            Stage::Adrift { status: waits } if *waits < 200 => *waits = status,
            Stage::Adrift { .. } => {}
            Stage::Asked { .. } | Stage::Quiet | Stage::Parting { .. } | Stage::Over => {}
        }
    }

    fn tell(&mut self, leg: LegId, dialog: &mut Dialog, status: u16, cx: &mut Cx<'_>) {
        let branch = cx.branch();
        let seq = dialog.next_seq();
        let place = cx.core.place(dialog.flow);
        let mut writer = dialog.request(&Method::Notify, seq, place, branch);
        writer.contact(&place.contact);
        writer.header(&HeaderName::UserAgent, &cx.core.settings.product);
        if self.later {
            writer.header(&HeaderName::Event, format_args!("refer;id={}", self.id));
        } else {
            writer.header(&HeaderName::Event, "refer");
        }
        if status < 200 {
            let left_s = self.until.since(cx.now.mono).as_secs();
            writer.header(&HeaderName::SubscriptionState, format_args!("active;expires={left_s}"));
        } else {
            writer.header(&HeaderName::SubscriptionState, "terminated;reason=noresource");
        }
        let body = format!("SIP/2.0 {status} {}\r\n", reason(status));
        let bytes = writer.body("message/sipfrag;version=2.0", body.as_bytes());
        cx.start(branch, leg, Purpose::Notify, dialog.flow, bytes);
        let by = dialog.flow;
        self.stage = if status < 200 {
            Stage::Telling { branch, by, status, next: None }
        } else {
            Stage::Parting { branch, by, status }
        };
    }

    /// What came of a NOTIFY. Who does not take one is told no more (RFC 6665 §4.2.2).
    pub fn on_notified(
        &mut self,
        leg: LegId,
        dialog: &mut Dialog,
        branch: Token,
        outcome: &Outcome,
        cx: &mut Cx<'_>,
    ) {
        let taken = match outcome {
            Outcome::Response(response) if response.status < 200 => return,
            Outcome::Response(response) => response.status < 300,
            Outcome::TimedOut => false,
        };
        match self.stage {
            Stage::Telling { branch: ours, next, .. } if ours == branch => match next {
                _ if !taken => self.stage = Stage::Over,
                Some(status) => self.tell(leg, dialog, status, cx),
                None => self.stage = Stage::Told,
            },
            Stage::Parting { branch: ours, .. } if ours == branch => self.stage = Stage::Over,
            // An earlier one's, late.
            Stage::Telling { .. } | Stage::Parting { .. } | Stage::Adrift { .. } => {}
            Stage::Asked { .. } | Stage::Quiet | Stage::Told | Stage::Over => {}
        }
    }

    /// Time passed.
    pub fn wake(&mut self, whose: (LegId, Token), dialog: &mut Dialog, cx: &mut Cx<'_>) {
        if cx.now.mono >= self.until {
            match self.stage {
                Stage::Asked { .. } => self.answer(whose, dialog, 500, cx),
                Stage::Quiet | Stage::Adrift { .. } => self.stage = Stage::Over,
                Stage::Told | Stage::Telling { .. } => self.news(whose, dialog, 408, cx),
                Stage::Parting { .. } | Stage::Over => {}
            }
        }
    }
}

/// A referral whose call is over: the dialog lives on for it alone.
#[derive(Debug)]
pub(in crate::sip) struct Orphan {
    pub tag: Token,
    pub dialog: Dialog,
    pub referral: Box<Referral>,
    pub alarm: Alarm,
}

impl Leg {
    /// REFER in a confirmed dialog. One at a time: another is answered 491 until the first is over.
    pub(super) fn on_refer(
        &mut self,
        cx: &mut Cx<'_>,
        key: u64,
        request: Request,
        wish: Option<Wished>,
    ) {
        let State::Up(_) = &self.state else { return self.refuse_request(cx, key, &request, 481) };
        if self.referral.as_ref().is_some_and(|referral| !referral.is_over()) {
            return self.refuse_request(cx, key, &request, 491);
        }
        let (refer, quiet) = wish.unwrap_or((Refer::Nowhere { status: 400 }, false));
        let later = self.referral.is_some();
        let referral = Referral::asked(request, key, quiet, later, cx.now.mono);
        self.referral = Some(Box::new(referral));
        cx.tell(self.id, LegEvent::Refer(Box::new(refer)));
    }

    /// Sends a REFER for `to`, at the place where the peer is.
    pub fn refer(&mut self, cx: &mut Cx<'_>, to: &Number) {
        let State::Up(up) = &mut self.state else { return };
        let Some(host) = up.dialog.target().host().cloned() else { return };
        let target = Uri::sip(Some(to.as_str()), host, None);
        let (branch, seq) = (cx.branch(), up.dialog.next_seq());
        let place = cx.core.place(up.dialog.flow);
        let mut writer = up.dialog.request(&Method::Refer, seq, place, branch);
        writer.contact(&place.contact);
        writer.header(&HeaderName::ReferTo, format_args!("<{target}>"));
        cx.start(branch, self.id, Purpose::Refer, up.dialog.flow, writer.finish());
        self.refers = true;
    }

    /// What came of our REFER: a 2xx says no more than that it is tried.
    pub(super) fn on_refer_outcome(&mut self, cx: &mut Cx<'_>, outcome: &Outcome) {
        let status = match outcome {
            Outcome::Response(response) if response.status < 300 => return,
            Outcome::Response(response) => response.status,
            Outcome::TimedOut => 408,
        };
        if std::mem::take(&mut self.refers) {
            cx.tell(self.id, LegEvent::ReferNews { status });
        }
    }

    /// NOTIFY about a REFER of ours; nothing else is awaited (RFC 6665 §4.1.3: 481).
    pub(super) fn on_notify(&mut self, cx: &mut Cx<'_>, key: u64, request: &Request) {
        let headers = &request.head.headers;
        let begins = |name: &HeaderName, word: &[u8]| {
            headers.get(name).is_some_and(|value| value.starts_with(word))
        };
        if !self.refers || !begins(&HeaderName::Event, b"refer") {
            return self.refuse_request(cx, key, request, 481);
        }
        // §2.4.5: the body is a response's first line, and more perhaps.
        let line = request.body.strip_prefix(b"SIP/2.0 ").and_then(|rest| rest.get(..3));
        let status = line.and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u16>().ok());
        let Some(status) = status.filter(|status| (100..700).contains(status)) else {
            return self.refuse_request(cx, key, request, 400);
        };
        let ok = cx.answer(request, 200, self.tag).finish();
        cx.respond(key, 200, ok);
        self.refers = !begins(&HeaderName::SubscriptionState, b"terminated");
        cx.tell(self.id, LegEvent::ReferNews { status });
    }

    /// The rules' word on the REFER that waits for it.
    pub fn answer_refer(&mut self, cx: &mut Cx<'_>, status: u16) {
        self.with_referral(|referral, whose, dialog| referral.answer(whose, dialog, status, cx));
    }

    /// News of what the REFER asked for.
    pub fn refer_news(&mut self, cx: &mut Cx<'_>, status: u16) {
        self.with_referral(|referral, whose, dialog| referral.news(whose, dialog, status, cx));
    }

    pub(super) fn on_refer_notified(&mut self, cx: &mut Cx<'_>, branch: Token, outcome: &Outcome) {
        self.with_referral(|referral, (leg, _), dialog| {
            referral.on_notified(leg, dialog, branch, outcome, cx);
        });
    }

    pub(super) fn wake_referral(&mut self, cx: &mut Cx<'_>) {
        self.with_referral(|referral, whose, dialog| referral.wake(whose, dialog, cx));
    }

    fn with_referral(&mut self, step: impl FnOnce(&mut Referral, (LegId, Token), &mut Dialog)) {
        if let (State::Up(up), Some(referral)) = (&mut self.state, &mut self.referral) {
            step(referral, (self.id, self.tag), &mut up.dialog);
        }
    }

    /// The phone hung up; what it asked for goes on, and it is told of it.
    pub(super) fn orphan_referral(&mut self, dialog: Dialog) {
        if let Some(referral) = self.referral.take().filter(|referral| !referral.is_over()) {
            let alarm = Alarm::default();
            self.orphan = Some(Box::new(Orphan { tag: self.tag, dialog, referral, alarm }));
        }
    }
}
