//! The location table: who can be reached where, and until when (RFC 3261 §10.3). Knows no message
//! and no transaction; a REGISTER is reduced to what it asks for, and the changes are handed out to
//! be stored.

use super::Uri;
use super::api::{Binding, BindingChange, Flow, Outbound, Settings};
use super::endpoint::source_of;
use super::transaction::timer::Alarm;
use super::transaction::{Timers, after_ms};
use crate::base::{Mono, Now, Number, Wall};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

/// The lease when a phone asks for none (§10.2.1.1), shortened to what the settings allow.
const DEFAULT_EXPIRES_S: u32 = 3_600;
/// A lease of this length or more is never too brief (§10.3 step 7).
const LONG_ENOUGH_S: u32 = 3_600;
/// Longest Contact URI that is kept, bytes.
const MAX_CONTACT: usize = 1_024;
/// Longest Call-ID that is kept, bytes.
const MAX_CALL_ID: usize = 256;

/// How long a REGISTER can be repeated (§17.2.2: 64·T1).
const REPEATED_FOR: Duration = Duration::from_secs(32);
/// Most REGISTERs of one account that are remembered so; a repetition of an older one is challenged.
const OBEYED_KEPT: usize = 8;

/// Longest `+sip.instance` that is kept, bytes.
const MAX_INSTANCE: usize = 256;
/// How often a phone behind a NAT hears from us on UDP: under the thirty seconds after which the
/// hastiest forget who called out.
const NAT_EVERY_MS: u32 = 29_000;
/// Most phones that hear from us so at one tick; the next come with the next.
const NAT_AT_ONCE: usize = 50;
/// And that is then.
const NAT_NEXT_MS: u32 = 20;

/// Which phone a binding is of, as far as it can be known again: by what it says of itself, or by its
/// Contact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bound {
    account: Number,
    phone: Phone,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phone {
    Instance(Outbound),
    Contact(String),
}

impl Bound {
    /// Of a binding as it was handed out.
    pub fn of(binding: &Binding) -> Self {
        Self::new(&binding.account, binding.outbound.as_ref(), &binding.contact)
    }

    fn new(account: &Number, outbound: Option<&Outbound>, contact: &str) -> Self {
        let phone = match outbound {
            Some(outbound) => Phone::Instance(outbound.clone()),
            None => Phone::Contact(contact.to_owned()),
        };
        Self { account: account.clone(), phone }
    }
}

/// A REGISTER of an authenticated account.
#[derive(Debug)]
pub(super) struct Registration<'a> {
    pub account: &'a Number,
    pub call_id: &'a str,
    pub cseq: u32,
    pub flow: Flow,
    /// Its Path.
    pub path: Option<String>,
    /// Contacts that the account may have at once.
    pub max_contacts: usize,
    pub ask: Ask,
}

/// What it asks for.
#[derive(Debug)]
pub(super) enum Ask {
    /// No Contact: only the list.
    Fetch,
    /// `Contact: *` with `Expires: 0`.
    RemoveAll,
    /// Contacts.
    Bind(Vec<Wanted>),
}

/// One Contact that is to be bound.
#[derive(Debug)]
pub(super) struct Wanted {
    pub uri: Uri,
    /// The lease it asks for, seconds.
    pub expires_s: Option<u32>,
    pub outbound: Option<Outbound>,
}

/// Why a REGISTER is not obeyed; nothing of it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum RegisterError {
    /// Below our least.
    #[error("a lease of less than {min_s} s")]
    TooBrief {
        /// Our least, for Min-Expires.
        min_s: u32,
    },
    /// An older request of the same phone that was overtaken (§10.3 step 7).
    #[error("CSeq does not rise within the Call-ID")]
    OutOfOrder,
    /// A contact or Call-ID beyond our bounds.
    #[error("Contact or Call-ID is too long")]
    TooLong,
}

impl RegisterError {
    /// The status this earns.
    pub const fn status(self) -> u16 {
        match self {
            Self::TooBrief { .. } => 423,
            Self::OutOfOrder => 500,
            Self::TooLong => 400,
        }
    }
}

#[derive(Debug)]
struct Held {
    uri: Uri,
    contact: String,
    call_id: String,
    cseq: u32,
    flow: Flow,
    until: Mono,
    expires_at: Wall,
    outbound: Option<Outbound>,
    path: Option<Box<str>>,
    /// When a phone behind a NAT is to hear from us again.
    knock_at: Option<Mono>,
}

impl Held {
    /// Whether this is the binding that a REGISTER means: the same way of the same phone (RFC 5626 §6),
    /// or the same Contact, as RFC 3261 §19.1.4 compares, whatever its spelling.
    fn is(&self, wanted: &Wanted) -> bool {
        let same_way = wanted.outbound.is_some() && self.outbound == wanted.outbound;
        same_way || self.uri.equivalent(&wanted.uri)
    }

    /// Whether it can be called only by the connection it came on: the phone says so, or it is a page
    /// in a browser.
    fn hangs_on_its_flow(&self) -> bool {
        let by = self.flow.transport;
        by.is_stream() && (self.outbound.is_some() || by.is_websocket())
    }
}

/// A phone behind a NAT that is to hear from us.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Knock {
    pub uri: Uri,
    pub flow: Flow,
}

#[derive(Debug, Default)]
struct Phones {
    /// The most recently refreshed last.
    held: Vec<Held>,
    alarm: Alarm,
}

/// A REGISTER that was obeyed a moment ago.
#[derive(Debug)]
struct Obeyed {
    /// Its transaction, by which a repetition is known.
    key: u64,
    flow: Flow,
    call_id: String,
    cseq: u32,
    at: Mono,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Registrar {
    phones: BTreeMap<Number, Phones>,
    timers: Timers<Number>,
    /// What each account's phones asked lately, the last one last: repetitions are answered and not
    /// obeyed, and what was overtaken is known for as such even when its binding is gone.
    lately: BTreeMap<Number, VecDeque<Obeyed>>,
    /// Whose phones hang on a connection; an entry goes with its connection.
    streams: BTreeMap<Flow, BTreeSet<Number>>,
    count: usize,
}

/// Chooses how long a registration is kept, in whole seconds.
///
/// `asked_s` is the Contact's `expires` parameter, or else the Expires header; 0 means "remove the
/// binding" and is granted as it stands. We may shorten a lease, never lengthen it.
///
/// # Errors
///
/// [`RegisterError::TooBrief`] becomes a 423 whose Min-Expires is `min_s`. A request for an hour or
/// more is never refused, whatever the policy says: RFC 3261 §10.3 step 7.
pub(super) fn grant_expiry(
    asked_s: Option<u32>,
    settings: &Settings,
) -> Result<u32, RegisterError> {
    let min_s = settings.min_expires_s;
    let most_s = settings.max_expires_s.max(1);
    match asked_s {
        None => Ok(DEFAULT_EXPIRES_S.min(most_s)),
        Some(0) => Ok(0),
        Some(asked_s) if asked_s < min_s && asked_s < LONG_ENOUGH_S => {
            Err(RegisterError::TooBrief { min_s })
        }
        Some(asked_s) => Ok(asked_s.min(most_s)),
    }
}

impl Registrar {
    /// Whether `key` is the repetition of a REGISTER that one of the account's phones sent lately, on
    /// the same flow (RFC 3261 §17.2.2).
    pub fn is_repeated(&self, account: &str, key: u64, flow: Flow, now: Mono) -> bool {
        let lately = self.lately.get(&Number::from(account));
        lately.into_iter().flatten().any(|obeyed| {
            obeyed.key == key && obeyed.flow == flow && now.since(obeyed.at) < REPEATED_FOR
        })
    }

    /// Whether a later REGISTER of the same Call-ID was obeyed already: two phones of one account count
    /// by themselves, and a request that a removal has overtaken must not bring the binding back.
    fn is_overtaken(&self, account: &Number, call_id: &str, cseq: u32, now: Mono) -> bool {
        let lately = self.lately.get(account);
        lately.into_iter().flatten().any(|obeyed| {
            obeyed.call_id == call_id && cseq < obeyed.cseq && now.since(obeyed.at) < REPEATED_FOR
        })
    }

    /// Whether one of the account's phones registered from this source.
    pub fn is_at_home(&self, account: &str, source: IpAddr) -> bool {
        let held = self.phones.get(&Number::from(account)).map_or(&[][..], |phones| &phones.held);
        held.iter().any(|held| source_of(held.flow.remote.ip()) == source)
    }

    /// Does what a REGISTER asks, or nothing at all (§10.3 step 7). The connections that its phones had
    /// and have left for this one come back.
    pub fn register(
        &mut self,
        registration: &Registration<'_>,
        key: u64,
        settings: &Settings,
        now: Now,
        changes: &mut Vec<BindingChange>,
    ) -> Result<Vec<Flow>, RegisterError> {
        let Registration { account, call_id, cseq, flow, path, max_contacts, ask } = registration;
        if !matches!(ask, Ask::Fetch) && self.is_overtaken(account, call_id, *cseq, now.mono) {
            return Err(RegisterError::OutOfOrder);
        }
        let mut moved = Vec::new();
        if call_id.len() > MAX_CALL_ID {
            return Err(RegisterError::TooLong);
        }
        let overtaken = |held: &Held| held.call_id == *call_id && *cseq <= held.cseq;
        let had: &[Held] = self.phones.get(*account).map_or(&[], |phones| &phones.held);
        let mut granted = Vec::new();
        match ask {
            Ask::Fetch => return Ok(moved),
            Ask::RemoveAll => {
                if had.iter().any(overtaken) {
                    return Err(RegisterError::OutOfOrder);
                }
            }
            Ask::Bind(contacts) => {
                for wanted in contacts {
                    let contact = wanted.uri.to_string();
                    let instance = wanted.outbound.as_ref().map_or(0, |it| it.instance.len());
                    if contact.len() > MAX_CONTACT || instance > MAX_INSTANCE {
                        return Err(RegisterError::TooLong);
                    }
                    if had.iter().any(|held| held.is(wanted) && overtaken(held)) {
                        return Err(RegisterError::OutOfOrder);
                    }
                    granted.push((wanted, contact, grant_expiry(wanted.expires_s, settings)?));
                }
            }
        }
        if flow.connection != 0 {
            self.streams.entry(*flow).or_default().insert((*account).clone());
        }
        let phones = self.phones.entry((*account).clone()).or_default();
        let before = phones.held.len();
        let gone = |held: Held| BindingChange::Remove {
            account: (*account).clone(),
            contact: held.contact,
        };
        if let Ask::RemoveAll = ask {
            changes.extend(phones.held.drain(..).map(gone));
        }
        for (wanted, contact, expires_s) in granted {
            // A phone that moved has its old way and, left from before, maybe its new Contact.
            let old: Vec<Held> = phones.held.extract_if(.., |held| held.is(wanted)).collect();
            let ways = old.iter().map(|old| old.flow);
            moved.extend(ways.filter(|way| way.connection != 0 && way != flow));
            let stays = |old: &Held| expires_s != 0 && old.contact == contact;
            changes.extend(old.into_iter().filter(|old| !stays(old)).map(gone));
            if expires_s == 0 {
                continue;
            }
            while phones.held.len() >= (*max_contacts).max(1) {
                changes.push(gone(phones.held.remove(0)));
            }
            let lease_ms = i64::from(expires_s).saturating_mul(1_000);
            // Who stands behind a proxy hears from that.
            let behind_nat = !flow.transport.is_stream()
                && path.is_none()
                && wanted.uri.socket_addr().is_none_or(|says| says != flow.remote);
            let held = Held {
                uri: wanted.uri.clone(),
                outbound: wanted.outbound.clone(),
                path: path.as_deref().map(Into::into),
                knock_at: behind_nat.then(|| after_ms(now.mono, NAT_EVERY_MS)),
                contact,
                call_id: (*call_id).to_owned(),
                cseq: *cseq,
                flow: *flow,
                until: after_s(now.mono, expires_s),
                expires_at: Wall(now.wall.0.saturating_add(lease_ms)),
            };
            changes.push(BindingChange::Put(held.binding(account)));
            phones.held.push(held);
        }
        let lately = self.lately.entry((*account).clone()).or_default();
        lately.retain(|obeyed| now.mono.since(obeyed.at) < REPEATED_FOR);
        while lately.len() >= OBEYED_KEPT {
            lately.pop_front();
        }
        let (flow, call_id) = (*flow, (*call_id).to_owned());
        lately.push_back(Obeyed { key, flow, call_id, cseq: *cseq, at: now.mono });
        self.count = self.count.saturating_sub(before).saturating_add(phones.held.len());
        self.settle(account);
        Ok(moved)
    }

    /// Takes a stored binding back after a restart. Its connection is gone with the process that had
    /// it; one that lapsed meanwhile is removed by the next tick.
    pub fn restore(&mut self, binding: Binding, settings: &Settings, now: Now) {
        let Binding { account, contact, mut flow, call_id, cseq, expires_at, outbound, path } =
            binding;
        let path = path.map(String::into_boxed_str);
        let Ok(uri) = Uri::parse(&contact) else { return };
        flow.connection = 0;
        let left_ms = expires_at.0.saturating_sub(now.wall.0).max(0);
        // A wall clock that was set back must not lengthen a lease.
        let most_ms = i64::from(settings.max_expires_s).saturating_mul(1_000);
        let left_ms = u64::try_from(left_ms.min(most_ms)).unwrap_or(0);
        let until = Mono(now.mono.0.saturating_add(left_ms.saturating_mul(1_000)));
        let behind_nat =
            !flow.transport.is_stream() && path.is_none() && uri.socket_addr() != Some(flow.remote);
        let knock_at = behind_nat.then_some(now.mono);
        let phones = self.phones.entry(account.clone()).or_default();
        let mut held =
            Held { uri, contact, call_id, cseq, flow, until, expires_at, outbound, path, knock_at };
        if held.hangs_on_its_flow() {
            // Its connection is gone: the next tick says so, and the phone will come again.
            held.until = now.mono;
        }
        phones.held.push(held);
        phones.held.sort_by_key(|held| held.expires_at);
        self.count = self.count.saturating_add(1);
        self.settle(&account);
    }

    /// Removes what has lapsed.
    pub fn tick(&mut self, now: Mono, changes: &mut Vec<BindingChange>) -> Vec<Knock> {
        let mut knocks = Vec::new();
        while let Some((at, account)) = self.timers.pop_due(now) {
            let Some(phones) = self.phones.get_mut(&account) else { continue };
            if !Timers::<Number>::is_live(&mut phones.alarm, at) {
                continue;
            }
            let before = phones.held.len();
            phones.held.retain(|held| {
                let lapsed = held.until <= now;
                if lapsed {
                    let (account, contact) = (account.clone(), held.contact.clone());
                    changes.push(BindingChange::Remove { account, contact });
                }
                !lapsed
            });
            for held in &mut phones.held {
                if held.knock_at.is_none_or(|at| at > now) {
                    continue;
                }
                let room = knocks.len() < NAT_AT_ONCE;
                held.knock_at = Some(after_ms(now, if room { NAT_EVERY_MS } else { NAT_NEXT_MS }));
                if room {
                    knocks.push(Knock { uri: held.uri.clone(), flow: held.flow });
                }
            }
            self.count = self.count.saturating_sub(before).saturating_add(phones.held.len());
            self.settle(&account);
        }
        knocks
    }

    /// When the next binding lapses, or earlier.
    pub fn next_deadline(&self) -> Option<Mono> {
        self.timers.next()
    }

    /// The connection is gone; a phone that registered by it may be called at its Contact, or not at all
    /// when it hung on its flow. Bound phones they were comes back, each with its Contact.
    pub fn flow_lost(&mut self, flow: Flow, changes: &mut Vec<BindingChange>) -> Vec<(Bound, Uri)> {
        let mut lost = Vec::new();
        for account in self.streams.remove(&flow).into_iter().flatten() {
            let Some(phones) = self.phones.get_mut(&account) else { continue };
            let before = phones.held.len();
            for held in phones.held.iter_mut().filter(|held| held.flow == flow) {
                held.flow.connection = 0;
                let phone = Bound::new(&account, held.outbound.as_ref(), &held.contact);
                lost.push((phone, held.uri.clone()));
            }
            let unreachable =
                |held: &mut Held| held.flow.connection == 0 && held.hangs_on_its_flow();
            for held in phones.held.extract_if(.., unreachable) {
                let (account, contact) = (account.clone(), held.contact);
                changes.push(BindingChange::Remove { account, contact });
            }
            self.count = self.count.saturating_sub(before).saturating_add(phones.held.len());
            self.settle(&account);
        }
        lost
    }

    /// Whether any phone is called by it.
    pub fn is_used(&self, flow: Flow) -> bool {
        // Who has left it is still listed there.
        let phones = self.streams.get(&flow).into_iter().flatten();
        let mut held =
            phones.filter_map(|account| self.phones.get(account)).flat_map(|it| &it.held);
        held.any(|held| held.flow == flow)
    }

    /// Where to call the account: the contact that was refreshed last.
    pub fn locate(&self, account: &Number, now: Mono) -> Option<(&Uri, Flow, Option<&str>)> {
        let phones = self.phones.get(account)?;
        let held = phones.held.iter().rev().find(|held| held.until > now)?;
        let mut flow = held.flow;
        if flow.transport.is_stream() && flow.connection == 0 {
            // The port a connection came from is not one to connect to; the Contact's is.
            flow.remote = held.uri.socket_addr().unwrap_or(flow.remote);
        }
        Some((&held.uri, flow, held.path.as_deref()))
    }

    /// Whether it can be called.
    pub fn has(&self, account: &Number) -> bool {
        self.phones.get(account).is_some_and(|phones| !phones.held.is_empty())
    }

    /// The account's contacts with the seconds that are left of each, for the 200 (§10.3 step 8).
    pub fn list(
        &self,
        account: &Number,
        now: Mono,
    ) -> impl Iterator<Item = (&str, Option<&Outbound>, u64)> {
        let held = self.phones.get(account).map(|phones| &phones.held);
        held.into_iter().flatten().filter(move |held| held.until > now).map(move |held| {
            let left = held.until.since(now);
            (
                held.contact.as_str(),
                held.outbound.as_ref(),
                left.as_secs().saturating_add(u64::from(left.subsec_micros() > 0)),
            )
        })
    }

    /// Bindings held.
    pub fn len(&self) -> usize {
        self.count
    }

    fn settle(&mut self, account: &Number) {
        let Some(phones) = self.phones.get_mut(account) else { return };
        let due = |held: &Held| held.knock_at.map_or(held.until, |at| at.min(held.until));
        match phones.held.iter().map(due).min() {
            Some(next) => self.timers.arm(&mut phones.alarm, account.clone(), Some(next)),
            None => {
                self.phones.remove(account);
            }
        }
    }
}

impl Held {
    fn binding(&self, account: &Number) -> Binding {
        Binding {
            account: account.clone(),
            contact: self.contact.clone(),
            flow: self.flow,
            call_id: self.call_id.clone(),
            cseq: self.cseq,
            expires_at: self.expires_at,
            outbound: self.outbound.clone(),
            path: self.path.as_deref().map(str::to_owned),
        }
    }
}

fn after_s(now: Mono, s: u32) -> Mono {
    Mono(now.0.saturating_add(u64::from(s).saturating_mul(1_000_000)))
}
