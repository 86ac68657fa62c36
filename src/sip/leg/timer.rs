//! Session timers (RFC 4028): who refreshes a call, how often, and when it is over because nobody did.
//! The rules are plain functions of what was asked; a refresh is an UPDATE where the peer takes it, else
//! a re-INVITE that says of our media what was said before.

use super::outside::own_contact;
use super::session::{Exchange, Refresh};
use super::{Leg, State};
use crate::base::Mono;
use crate::sip::api::{LegEnd, SessionPolicy, Why};
use crate::sip::dialog::Token;
use crate::sip::endpoint::asking::{Outcome, Purpose};
use crate::sip::endpoint::core::Cx;
use crate::sip::extensions::{ALLOW, SUPPORTED};
use crate::sip::transaction::after_ms;
use crate::sip::{Head, HeaderName, Method, Writer};

/// The least interval that may be asked of anybody (RFC 4028 §5), seconds.
pub(super) const LEAST_S: u32 = 90;
/// A refresh that could not be sent, or was refused, is tried again after so long.
pub(super) const AGAIN_MS: u32 = 10_000;
/// INVITEs that one 422 after another may make us say anew.
pub(super) const MAX_TOO_SMALL: u8 = 2;

/// A call that must be refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sip) struct SessionTimer {
    pub interval_s: u32,
    /// Min-SE that a 422 told us (§7.4).
    pub least_s: u32,
    /// We refresh.
    pub ours: bool,
    /// When we refresh, or look again; never behind `end`.
    at: Mono,
    /// When the call is over.
    end: Mono,
}

/// An interval that we do not bear: it earns 422 with our Min-SE (§9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sip) struct TooSmall;

impl SessionTimer {
    /// Begins at `now`, when the 2xx went or came.
    pub fn start(interval_s: u32, least_s: u32, ours: bool, now: Mono) -> Self {
        // §10: a third of the interval before its end, at most 32 s.
        let margin_s = (interval_s / 3).min(32);
        let end = after_ms(now, interval_s.saturating_sub(margin_s).saturating_mul(1_000));
        let half = after_ms(now, interval_s.saturating_mul(500));
        Self { interval_s, least_s, ours, at: if ours { half.min(end) } else { end }, end }
    }

    pub fn deadline(&self) -> Mono {
        self.at
    }

    pub(super) fn again_in(&mut self, ms: u32, now: Mono) {
        self.at = after_ms(now, ms).min(self.end);
    }

    /// What a refresh of ours says (§7.4): `uac` is who sends the request.
    fn write_request(&self, writer: &mut Writer) {
        let refresher = if self.ours { "uac" } else { "uas" };
        let Self { interval_s, least_s, .. } = self;
        writer.header(
            &HeaderName::SessionExpires,
            format_args!("{interval_s};refresher={refresher}"),
        );
        if *least_s > LEAST_S {
            writer.header(&HeaderName::MinSe, least_s);
        }
    }

    /// What our 2xx to `request` says (§9): `uas` is who sends the response.
    pub fn write_response(&self, writer: &mut Writer, request: &Head) {
        let refresher = if self.ours { "uas" } else { "uac" };
        writer.header(
            &HeaderName::SessionExpires,
            format_args!("{};refresher={refresher}", self.interval_s),
        );
        if !self.ours || can_refresh(request) {
            writer.header(&HeaderName::Require, "timer");
        }
    }
}

/// What we ask in the INVITE that begins a call (§7.1); after a 422, with the least that it told.
pub(super) fn write_invite(writer: &mut Writer, expires_s: Option<u32>) {
    if let Some(interval_s) = expires_s {
        writer.header(&HeaderName::SessionExpires, interval_s);
    }
}

fn can_refresh(head: &Head) -> bool {
    let headers = &head.headers;
    [HeaderName::Supported, HeaderName::Require].iter().any(|name| headers.names(name, "timer"))
}

/// Whether the refresher is named, and is the side that sent the request.
fn refresher(head: &Head) -> Option<bool> {
    let value = head.headers.text(&HeaderName::SessionExpires)?;
    value.split(';').skip(1).find_map(|param| {
        let (name, value) = param.split_once('=')?;
        let named = name.trim().eq_ignore_ascii_case("refresher");
        named.then(|| value.trim().eq_ignore_ascii_case("uac"))
    })
}

/// What a request of the peer's that begins or refreshes a call makes of its timer (§9, table 2).
/// `before` is the timer that runs.
///
/// # Errors
///
/// [`TooSmall`] earns 422, when the peer understands it.
pub(in crate::sip) fn agreed_as_server(
    request: &Head,
    policy: SessionPolicy,
    before: Option<SessionTimer>,
    now: Mono,
) -> Result<Option<SessionTimer>, TooSmall> {
    let able = can_refresh(request);
    let least_s = request.headers.number(&HeaderName::MinSe).unwrap_or(LEAST_S).max(LEAST_S);
    let asked = request.headers.number(&HeaderName::SessionExpires);
    let interval_s = match (asked, policy.expires_s) {
        (Some(asked), _) if asked < policy.least_s && able => return Err(TooSmall),
        // §9: shortened to ours, though not below what somebody on the way bears; never lengthened.
        (Some(asked), Some(ours)) => asked.min(ours.max(least_s)).max(policy.least_s),
        (Some(asked), None) => asked.max(policy.least_s),
        (None, Some(ours)) if able => ours.max(least_s),
        // A peer that says nothing ends what it did itself, not what we do.
        (None, _) => match before {
            Some(before) if before.ours => before.interval_s,
            Some(_) | None => return Ok(None),
        },
    };
    // Who cannot does not. Who does not say leaves it to us, who know that we do it.
    let ours = match refresher(request) {
        Some(by_peer) if able => !by_peer,
        None if able => before.is_none_or(|before| before.ours),
        Some(_) | None => true,
    };
    Ok(Some(SessionTimer::start(interval_s, before.map_or(LEAST_S, |b| b.least_s), ours, now)))
}

/// What a 2xx to a request of ours makes of the timer (§7.2): none when the peer keeps none.
pub(super) fn agreed_as_client(
    answer: &Head,
    least_s: u32,
    policy: SessionPolicy,
    now: Mono,
) -> Option<SessionTimer> {
    let interval_s = answer.headers.number(&HeaderName::SessionExpires)?.max(policy.least_s);
    // The peer that does not say who leaves it to us.
    let ours = refresher(answer).unwrap_or(true);
    Some(SessionTimer::start(interval_s, least_s, ours, now))
}

impl Leg {
    /// Time passed for the timer of a call that is up.
    pub(super) fn wake_timer(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now.mono;
        let State::Up(up) = &mut self.state else { return };
        let Some(timer) = up.timer.as_mut().filter(|timer| now >= timer.at) else { return };
        if now >= timer.end {
            // §10: nobody refreshed it.
            return self.abandon(cx, LegEnd::Lost, Some(Why::Expired));
        }
        timer.again_in(AGAIN_MS, now);
        match up.refreshing {
            Refresh::Sent { .. } => return,
            Refresh::Adrift => up.refreshing = Refresh::Idle,
            Refresh::Idle => {}
        }
        if up.takes_update {
            self.send_refresh(cx);
        } else if let Exchange::Idle = up.exchange
            && let Some(said) = up.said.clone()
        {
            self.reinvite(cx, Some(said), 0, true);
        }
        // Another exchange is under way: it refreshes the session too, or we look again (§7.4).
    }

    /// UPDATE without an offer (RFC 3311, RFC 4028 §7.4): no hold and no exchange is touched by it.
    pub(super) fn send_refresh(&mut self, cx: &mut Cx<'_>) {
        let State::Up(up) = &mut self.state else { return };
        let branch = cx.branch();
        let seq = up.dialog.next_seq();
        let flow = up.dialog.flow;
        let place = cx.core.place(flow);
        up.rename(place, self.tag);
        let mut writer = up.dialog.request(&Method::Update, seq, place, branch);
        writer.contact(own_contact(self.carrier.as_deref(), place));
        writer.header(&HeaderName::Allow, ALLOW);
        writer.header(&HeaderName::Supported, SUPPORTED);
        up.write_party(&mut writer, place);
        up.write_timer(&mut writer);
        writer.header(&HeaderName::UserAgent, &cx.core.settings.product);
        up.refreshing = Refresh::Sent { branch, by: flow };
        cx.start(branch, self.id, Purpose::Update, flow, writer.finish());
    }

    /// What came of it.
    pub(super) fn on_refresh_outcome(&mut self, cx: &mut Cx<'_>, branch: Token, outcome: &Outcome) {
        let now = cx.now.mono;
        let policy = cx.core.settings.session;
        let State::Up(up) = &mut self.state else { return };
        if !matches!(up.refreshing, Refresh::Sent { branch: due, .. } if due == branch) {
            return;
        }
        let response = match outcome {
            Outcome::Response(response) => response,
            // §10, RFC 3261 §12.2.1.2.
            Outcome::TimedOut => return self.abandon(cx, LegEnd::Lost, None),
        };
        if response.status >= 200 {
            up.refreshing = Refresh::Idle;
        }
        match response.status {
            ..200 => {}
            200..300 => {
                let _ = up.dialog.refresh(&response.head, None); // or the target stays as it was
                up.refreshed(&response.head, policy, now);
            }
            408 | 481 => self.abandon(cx, LegEnd::Lost, None),
            422 if up.raise(&response.head) => self.send_refresh(cx),
            // It takes none after all; a re-INVITE does the same.
            405 | 501 => {
                up.takes_update = false;
                up.not_told();
                if let Some(timer) = &mut up.timer {
                    timer.again_in(0, now);
                }
            }
            // RFC 3311 §5.2: another offer is under way, or the phone is busy with one.
            status @ (491 | 500 | 502..=599) => up.told_later(status, cx),
            _ => {}
        }
        if response.status >= 200 {
            self.next_offer(cx);
        }
    }
}

impl super::Up {
    /// The headers of a request of ours that refreshes the session.
    pub(super) fn write_timer(&self, writer: &mut Writer) {
        if let Some(timer) = &self.timer {
            timer.write_request(writer);
        }
    }

    /// A 2xx to a request of ours that carried them.
    pub(super) fn refreshed(&mut self, answer: &Head, policy: SessionPolicy, now: Mono) {
        if let Some(timer) = &self.timer {
            self.timer = agreed_as_client(answer, timer.least_s, policy, now);
        }
    }

    /// A 422 to one of them. True when there is something to be said anew (§7.4).
    pub(super) fn raise(&mut self, refusal: &Head) -> bool {
        let (Some(timer), Some(least_s)) =
            (&mut self.timer, refusal.headers.number(&HeaderName::MinSe))
        else {
            return false;
        };
        let raised = least_s > timer.interval_s;
        timer.least_s = least_s.max(timer.least_s);
        timer.interval_s = least_s.max(timer.interval_s);
        raised
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: SessionPolicy = SessionPolicy {
        reliable: crate::sip::api::Reliable::WhenRequired,
        expires_s: Some(1_800),
        least_s: 90,
        follows: false,
    };

    fn head(lines: &str) -> Head {
        let text = format!(
            "UPDATE sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKa\r\n\
             From: <sip:b@192.0.2.2>;tag=b\r\nTo: <sip:a@192.0.2.1>;tag=a\r\nCall-ID: c\r\n\
             CSeq: 2 UPDATE\r\n{}\r\n",
            lines.replace('|', "\r\n")
        );
        let message = crate::sip::parse(&bytes::Bytes::from(text)).expect("a request");
        message.head().clone()
    }

    #[test]
    fn who_refreshes_and_how_often_as_rfc_4028_table_2_says() {
        let off = SessionPolicy { expires_s: None, ..POLICY };
        // What is asked, our policy; the interval and whether we refresh, or 422.
        let table = [
            ("nothing", "", POLICY, Ok(None)),
            ("able, no wish", "Supported: timer|", POLICY, Ok(Some((1_800, true)))),
            ("able, no wish, and we have none", "Supported: timer|", off, Ok(None)),
            (
                "a carrier of the NGN",
                "Supported: timer|Session-Expires: 300;refresher=uac|Min-SE: 300|",
                POLICY,
                Ok(Some((300, false))),
            ),
            (
                "we have no wish of our own and keep to its",
                "Supported: timer|x: 300;refresher=uas|",
                off,
                Ok(Some((300, true))),
            ),
            (
                "longer than ours",
                "Supported: timer|Session-Expires: 7200|",
                POLICY,
                Ok(Some((1_800, true))),
            ),
            (
                "longer than ours, and somebody on the way bears no less than an hour",
                "Supported: timer|Session-Expires: 7200|Min-SE: 3600|",
                POLICY,
                Ok(Some((3_600, true))),
            ),
            ("too small", "Supported: timer|Session-Expires: 89|", POLICY, Err(TooSmall)),
            (
                "too small, of a peer that does not know 422",
                "Session-Expires: 60|",
                POLICY,
                Ok(Some((90, true))),
            ),
            (
                "who cannot refresh does not",
                "Session-Expires: 600;refresher=uac|",
                POLICY,
                Ok(Some((600, true))),
            ),
            (
                "required is supported",
                "Require: timer|Session-Expires: 600 ; Refresher=UAC|",
                POLICY,
                Ok(Some((600, false))),
            ),
            ("no number", "Supported: timer|Session-Expires: soon|", off, Ok(None)),
        ];
        for (case, lines, policy, want) in table {
            let had = agreed_as_server(&head(lines), policy, None, Mono(0));
            let had = had.map(|timer| timer.map(|timer| (timer.interval_s, timer.ours)));
            assert_eq!(had, want, "{case}");
        }
        // A refresh that does not say who leaves it as it was; one that says nothing ends only its own.
        for ours in [true, false] {
            let before = SessionTimer::start(600, 90, ours, Mono(0));
            let after = agreed_as_server(&head(""), POLICY, Some(before), Mono(0));
            assert_eq!(after, Ok(ours.then_some(before)));
            let lines = head("Supported: timer|Session-Expires: 600|");
            let after = agreed_as_server(&lines, POLICY, Some(before), Mono(0));
            assert_eq!(after.map(|timer| timer.map(|timer| timer.ours)), Ok(Some(ours)));
        }
    }

    #[test]
    fn the_answer_decides_about_the_timer_that_we_asked_for() {
        let table = [
            ("keeps none", "", None),
            ("it refreshes", "Session-Expires: 300;refresher=uas|", Some((300, false))),
            ("we refresh", "Session-Expires: 300;refresher=uac|", Some((300, true))),
            ("does not say", "Session-Expires: 300|", Some((300, true))),
            ("less than may be", "Session-Expires: 5;refresher=uac|", Some((90, true))),
        ];
        for (case, lines, want) in table {
            let had = agreed_as_client(&head(lines), 90, POLICY, Mono(0));
            assert_eq!(had.map(|timer| (timer.interval_s, timer.ours)), want, "{case}");
        }
    }

    #[test]
    fn a_refresh_is_due_at_half_and_the_end_comes_a_third_or_32_s_before() {
        let s = |seconds: u64| Mono(seconds * 1_000_000);
        let table = [(300, true, 150, 268), (300, false, 268, 268), (90, true, 45, 60)];
        for (interval_s, ours, at, end) in table {
            let timer = SessionTimer::start(interval_s, 90, ours, s(0));
            assert_eq!((timer.at, timer.end), (s(at), s(end)), "{interval_s} {ours}");
        }
    }
}
