//! What the contract's tests need of a ticket system, made by us or a real one.

use crate::serve::Fault;
use madoguchi::base::{CallId, Private, Wall};
use madoguchi::feed::{Addition, NewTicket, Value, Values, key};
use madoguchi::io::deliver::tickets::TicketSink;
use std::collections::BTreeMap;
use std::time::Duration;

/// A ticket as the system shows it to people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    pub name: String,
    pub subject: String,
    /// The first text and what was added, in order. Only texts.
    pub texts: Vec<String>,
    /// Values of the fields that are configured; empty ones are left out.
    pub fields: BTreeMap<Value, String>,
}

/// What a system does of what is not asked of all.
#[derive(Clone, Copy, Debug)]
pub struct Can {
    /// Looks for tickets and additions; else it knows a repetition by the key.
    pub find: bool,
    /// Knows that a ticket is not there.
    pub miss: bool,
    pub changed: bool,
    pub open_of: bool,
    /// Characters of a subject.
    pub subject: usize,
}

/// A ticket system, ready to be told.
pub trait System {
    fn name(&self) -> &'static str;
    fn can(&self) -> Can;
    /// A way to it with this patience.
    fn sink(&self, patience: Duration) -> Box<dyn TicketSink>;
    /// Its tickets of a call, the oldest first.
    fn shown(&self, call: CallId) -> Vec<Shown>;
    /// Makes the next request, or the next that writes, go wrong; false: it cannot be made to.
    fn fault(&self, writes: bool, fault: Fault) -> bool;
    /// Requests so far; none: they are not counted.
    fn asked(&self) -> Option<usize>;
    /// A person closes a ticket, or opens it again.
    fn close(&self, _ticket: &str, _closed: bool) {}
    /// A person writes into a field that is read back, by its name in the configuration.
    fn write(&self, _ticket: &str, _field: &str, _text: &str) {}
}

/// Waits for it.
pub fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(work)
}

/// An id that no other test has, also on a system that is not made anew for each.
pub fn a_call() -> CallId {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("random numbers");
    bytes[6] = (bytes[6] & 0x0f) | 0x70;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    CallId(uuid::Uuid::from_bytes(bytes))
}

/// 2026-11-26 09:30:00 in Japan.
pub const ARRIVED: Wall = Wall(1_795_653_000_000);

/// Values as the desk tells them; one of them no field is configured for.
pub fn values(call: CallId, more: &[(Value, &str)]) -> Values {
    let call = call.to_string();
    let own = [
        (Value::Call, call.as_str()),
        (Value::Caller, "0355501234"),
        (Value::CallerName, "not for this system"),
        (Value::ArrivedAt, "2026-11-26T09:30:00.000+09:00"),
        (Value::Outcome, "answered"),
        (Value::WaitS, "12"),
    ];
    own.iter().chain(more).map(|(value, it)| (*value, Private::new((*it).to_owned()))).collect()
}

pub fn ticket_of(call: CallId, subject: &str, text: &str) -> NewTicket {
    let key = key(call, 7, "open");
    NewTicket {
        call,
        at: ARRIVED,
        subject: Private::new(subject.to_owned()),
        text: Private::new(format!("{text}\n[madoguchi {key}]")),
        values: values(call, &[]),
        key,
    }
}

pub fn addition_of(
    call: CallId,
    seq: u64,
    kind: &'static str,
    text: Option<&str>,
    more: &[(Value, &str)],
) -> Addition {
    let key = key(call, seq, kind);
    Addition {
        call,
        kind,
        at: Wall(ARRIVED.0 + i64::try_from(seq).expect("a small one") * 1_000),
        text: text.map(|text| Private::new(format!("{text}\n[madoguchi {key}]"))),
        values: values(call, more),
        key,
    }
}
