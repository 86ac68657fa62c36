//! REGISTER: from the message to the location table and back (RFC 3261 §10.3). No transaction is
//! kept: a repetition is known by those that were obeyed lately.

use super::receive::Refusal;
use super::{Effect, Endpoint};
use crate::base::{Now, Number, Wall};
use crate::sip::api::{BindingChange, Flow, Outbound};
use crate::sip::chars::quote_into;
use crate::sip::extensions::{OUTBOUND, knows_outbound};
use crate::sip::registrar::{Ask, Bound, RegisterError, Registration, Wanted};
use crate::sip::{Contacts, Request};
use crate::sip::{HeaderName, NameAddr, Scheme, Uri};

/// A phone by a stream should let us hear from it at least this often (RFC 5626 §10.1), so that it
/// notices a way that is dead.
const FLOW_TIMER_S: u32 = 120;

/// Longest Path that is kept, bytes; a longer one is refused with 400.
const MAX_PATH: usize = 1_024;

impl Endpoint {
    pub(super) fn on_register(
        &mut self,
        flow: Flow,
        key: u64,
        request: &Request,
        now: Now,
        out: &mut Vec<Effect>,
    ) {
        // §10.3 steps 3 to 5: who says it is proved, and may only speak of itself.
        let speaks_as = request.head.to.uri.user().unwrap_or_default().into_owned();
        if self.registrar.is_repeated(&speaks_as, key, flow, now.mono) {
            // Its digest was used up by the first copy; the answer may have been lost.
            return self.registered(flow, request, &Number::from(speaks_as), false, now, out);
        }
        let Some(account) = self.admit(flow, request, &speaks_as, now, out) else { return };
        let Some(ask) = asked(request) else {
            return self.turn_away(flow, request, Refusal::plain(400), out);
        };
        if let Ask::Bind(contacts) = &ask
            && contacts.iter().any(|wanted| wanted.outbound.is_some())
            && request.head.headers.all(&HeaderName::Via).nth(1).is_some()
            && !keeps_flows(request)
        {
            // RFC 5626 §6: a proxy stands between that does not keep the phone's way.
            return self.turn_away(flow, request, Refusal::plain(439), out);
        }
        let Some(path) = path(request) else {
            return self.turn_away(flow, request, Refusal::plain(400), out);
        };
        let fetches = matches!(ask, Ask::Fetch);
        let contacts: Vec<Uri> = match &ask {
            Ask::Bind(list) => list.iter().map(|wanted| wanted.uri.clone()).collect(),
            Ask::Fetch | Ask::RemoveAll => Vec::new(),
        };
        let (call_id, cseq) = (&*request.head.call_id, request.head.cseq.number);
        let settings = &self.core.settings;
        let max_contacts = self.directory.max_contacts(&account).unwrap_or(settings.max_contacts);
        let registration =
            Registration { account: &account, call_id, cseq, flow, path, max_contacts, ask };
        let mut changes = Vec::new();
        match self.registrar.register(&registration, key, settings, now, &mut changes) {
            Ok(moved) => {
                let back: Vec<Bound> = changes
                    .iter()
                    .filter_map(|change| match change {
                        BindingChange::Put(binding) => Some(Bound::of(binding)),
                        BindingChange::Remove { .. } => None,
                    })
                    .collect();
                // Its calls have the Contact that it had when they began.
                let before = changes.iter().filter_map(|change| match change {
                    BindingChange::Put(_) => None,
                    BindingChange::Remove { contact, .. } => Uri::parse(contact).ok(),
                });
                let had: Vec<Uri> = before.chain(contacts.iter().cloned()).collect();
                self.put_bindings(changes, now, out);
                self.calls_follow((&back, &had), &moved, flow, now, out);
                self.registered(flow, request, &account, fetches, now, out);
                self.reattach(&account, &contacts, flow, now, out);
            }
            Err(RegisterError::TooBrief { min_s }) => {
                let mut writer = self.reply(request, 423);
                writer.header(&HeaderName::MinExpires, min_s);
                out.push(Effect::Send { flow, bytes: writer.finish(), free: true });
            }
            Err(error) => self.turn_away(flow, request, Refusal::plain(error.status()), out),
        }
    }

    /// 200 with every binding of the account (§10.3 step 8).
    fn registered(
        &self,
        flow: Flow,
        request: &Request,
        account: &Number,
        free: bool,
        now: Now,
        out: &mut Vec<Effect>,
    ) {
        let mut writer = self.reply(request, 200);
        let mut keeps_its_way = false;
        for (contact, outbound, left_s) in self.registrar.list(account, now.mono) {
            match outbound {
                None => {
                    writer
                        .header(&HeaderName::Contact, format_args!("<{contact}>;expires={left_s}"));
                }
                Some(Outbound { instance, reg_id }) => {
                    keeps_its_way = true;
                    let mut quoted = String::new();
                    quote_into(instance, &mut quoted);
                    writer.header(
                        &HeaderName::Contact,
                        format_args!(
                            "<{contact}>;expires={left_s};+sip.instance={quoted};reg-id={reg_id}"
                        ),
                    );
                }
            }
        }
        if keeps_its_way && knows_outbound(request) {
            // RFC 5626 §6; and how often we want to hear from it on this way (§10.1).
            writer.header(&HeaderName::Require, OUTBOUND);
            if flow.transport.is_stream() {
                writer.header(&HeaderName::Other("Flow-Timer".into()), FLOW_TIMER_S);
            }
        }
        // RFC 3327 §5.3: so that the phone sees by which proxies it is reached.
        for value in request.head.headers.all(&HeaderName::Path) {
            writer.header_bytes(&HeaderName::Path, value);
        }
        writer.header(&HeaderName::Date, date(now.wall));
        out.push(Effect::Send { flow, bytes: writer.finish(), free });
    }
}

/// What the REGISTER asks for; None when it contradicts itself or names what is no SIP address.
fn asked(request: &Request) -> Option<Ask> {
    let expires = request.head.headers.number(&HeaderName::Expires);
    match &request.head.contacts {
        // §10.2.2: only with Expires 0, and (the reader sees to it) alone.
        Contacts::Star => (expires == Some(0)).then_some(Ask::RemoveAll),
        Contacts::List(list) if list.is_empty() => Some(Ask::Fetch),
        Contacts::List(list) => {
            let bind = |contact: &NameAddr| {
                let uri = contact.known().filter(|uri| uri.scheme() != Scheme::Tel)?;
                // A malformed lease counts as none asked (§10.2.1.1 and §20.19's spirit).
                let own = contact.params.value("expires").map(|text| text.parse::<u64>().ok());
                let own = own.flatten().map(|wide| u32::try_from(wide).unwrap_or(u32::MAX));
                // Headers behind `?` would be sent wherever the phone says: stripped.
                Some(Wanted {
                    uri: uri.clone().into_target(),
                    expires_s: own.or(expires),
                    outbound: outbound(contact).filter(|_| knows_outbound(request)),
                })
            };
            list.iter().map(bind).collect::<Option<Vec<_>>>().map(Ask::Bind)
        }
    }
}

/// The proxies by which it came, as one header says them (RFC 3327 §5.3). None when it cannot be read, is
/// no place for a request, or is longer than we keep.
#[expect(clippy::option_option, reason = "a header that is not there is fine")]
fn path(request: &Request) -> Option<Option<String>> {
    let head = &request.head;
    let list = head.addresses(&HeaderName::Path).ok()?;
    let sip = |address: &NameAddr| address.known().is_some_and(|uri| uri.scheme() != Scheme::Tel);
    if !list.iter().all(sip) {
        return None;
    }
    let values: Option<Vec<&str>> =
        head.headers.all(&HeaderName::Path).map(|value| std::str::from_utf8(value).ok()).collect();
    let path = values?.join(", ");
    (path.len() <= MAX_PATH).then(|| Some(path).filter(|path| !path.is_empty()))
}

/// Whether the proxy nearest to the phone keeps the phone's way (RFC 5626 §5.3.1, §6).
fn keeps_flows(request: &Request) -> bool {
    let list = request.head.addresses(&HeaderName::Path).unwrap_or_default();
    list.last().and_then(|edge| edge.known()).is_some_and(|uri| uri.params().has("ob"))
}

/// Which phone it is and by which of its ways it comes (RFC 5626 §4.1, §4.2). An instance alone is no way.
fn outbound(contact: &NameAddr) -> Option<Outbound> {
    let instance = contact.params.unquoted("+sip.instance")?.into_owned();
    let reg_id = contact.params.value("reg-id")?.parse().ok()?;
    let fine = !instance.is_empty() && (1..=i32::MAX.unsigned_abs()).contains(&reg_id);
    fine.then_some(Outbound { instance, reg_id })
}

/// The Date header's form of RFC 1123 (§20.17).
fn date(at: Wall) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let seconds = at.0.div_euclid(1_000);
    let (days, time) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let name = |names: &[&'static str], at: i64| {
        usize::try_from(at).ok().and_then(|at| names.get(at).copied())
    };
    let weekday = name(&DAYS, days.rem_euclid(7)).unwrap_or_default();
    let month = name(&MONTHS, month.saturating_sub(1)).unwrap_or_default();
    let (hour, minute, second) = (time.div_euclid(3_600), time.div_euclid(60) % 60, time % 60);
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// Year, month and day of a number of days since 1970-01-01, in the Gregorian calendar. Counted in
/// eras of 400 years from 0000-03-01, so that the leap day is the last of its year.
#[allow(clippy::arithmetic_side_effects)] // `days` is a stamp's: far from the ends of i64
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let table = [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (1_709_164_799_999, "Wed, 28 Feb 2024 23:59:59 GMT"),
            (1_709_164_800_000, "Thu, 29 Feb 2024 00:00:00 GMT"),
            (1_798_761_599_000, "Thu, 31 Dec 2026 23:59:59 GMT"),
            (-1_000, "Wed, 31 Dec 1969 23:59:59 GMT"),
        ];
        for (ms, want) in table {
            assert_eq!(date(Wall(ms)), want);
        }
    }
}
