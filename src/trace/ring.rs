//! The last messages in order, bounded in bytes and age, and which call each Call-ID belongs to. What
//! a message costs on its way is one small record; the bytes are shared, never copied.
//!
//! What belongs to calls and all else lie apart: when room is short, all else gives way until only its
//! own share is left to it, so that no flood of OPTIONS or REGISTER pushes out a call's messages.

use super::{Direction, Record};
use crate::base::{CallId, Now};
use crate::sip::api::Flow;
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Records of one page. Readers share whole pages, so that nobody waits while they read.
const PAGE: usize = 256;
/// What a record holds beside its message, bytes.
const OVERHEAD: usize = 128;
/// Least room that a message of our own takes: it lies in the buffer that it was written in.
const WRITTEN_LEAST: usize = 1024;
/// What all else may keep of the room when calls need theirs: one part in so many.
const OTHERS_SHARE: usize = 4;
/// Legs whose call is known; the oldest is forgotten for one more.
pub const MAX_LINKS: usize = 16_384;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Memory for messages, bytes; 0 keeps none.
    pub bytes: usize,
    /// What is older is dropped.
    pub age: Duration,
}

/// What the ring holds and has let go, for the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Messages.
    pub messages: usize,
    /// Memory they take, bytes.
    pub bytes: usize,
    /// Messages dropped for want of room before their time was over.
    pub pushed_out: u64,
}

/// Messages as they were at one instant.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Of calls, and of all else; each in order.
    pages: [Vec<Arc<[Record]>>; 2],
    after: u64,
}

impl Snapshot {
    /// The messages, the oldest first.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        let after = self.after;
        let [mut calls, mut others] = self.pages.each_ref().map(|pages| {
            let records = pages.iter().flat_map(|page| page.iter());
            records.filter(move |record| record.seq > after).peekable()
        });
        std::iter::from_fn(move || match (calls.peek(), others.peek()) {
            (Some(call), Some(other)) if call.seq < other.seq => calls.next(),
            (Some(_), None) => calls.next(),
            (_, Some(_)) => others.next(),
            (None, None) => None,
        })
    }
}

#[derive(Clone, Debug)]
struct Page {
    records: Arc<[Record]>,
    bytes: usize,
}

/// Messages of one kind, in order.
#[derive(Debug, Default)]
struct Pages {
    sealed: VecDeque<Page>,
    /// The page that is being filled.
    open: Vec<Record>,
    open_bytes: usize,
    bytes: usize,
}

impl Pages {
    fn push(&mut self, record: Record, cost: usize) {
        self.open.push(record);
        self.open_bytes = self.open_bytes.saturating_add(cost);
        self.bytes = self.bytes.saturating_add(cost);
    }

    fn seal(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let records = std::mem::take(&mut self.open).into();
        let bytes = std::mem::take(&mut self.open_bytes);
        self.sealed.push_back(Page { records, bytes });
    }

    /// Drops the oldest page; the messages that were in it.
    fn drop_first(&mut self) -> u64 {
        let Some(first) = self.sealed.pop_front() else { return 0 };
        self.bytes = self.bytes.saturating_sub(first.bytes);
        u64::try_from(first.records.len()).unwrap_or(u64::MAX)
    }

    /// Drops the pages of which every message is older than `age`.
    fn expire(&mut self, now: Now, age: Duration) {
        let old = |records: &[Record]| {
            records.last().is_some_and(|last| now.mono.since(last.at.mono) > age)
        };
        if old(&self.open) {
            self.seal();
        }
        while self.sealed.front().is_some_and(|first| old(&first.records)) {
            self.drop_first();
        }
    }

    fn behind(&self, after: u64) -> Vec<Arc<[Record]>> {
        let behind = |records: &[Record]| records.last().is_some_and(|last| last.seq > after);
        let sealed = self.sealed.iter().map(|page| &page.records);
        let mut pages: Vec<Arc<[Record]>> =
            sealed.filter(|records| behind(records)).cloned().collect();
        if behind(&self.open) {
            pages.push(self.open.as_slice().into());
        }
        pages
    }

    fn messages(&self) -> usize {
        let sealed: usize = self.sealed.iter().map(|page| page.records.len()).sum();
        sealed.saturating_add(self.open.len())
    }
}

/// See the module.
#[derive(Debug)]
pub struct Ring {
    bounds: Bounds,
    calls: Pages,
    others: Pages,
    next: u64,
    pushed_out: u64,
    links: Links,
}

impl Ring {
    /// An empty ring.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            calls: Pages::default(),
            others: Pages::default(),
            next: 1,
            pushed_out: 0,
            links: Links::default(),
        }
    }

    /// Adds one message.
    pub fn push(&mut self, at: Now, flow: Flow, direction: Direction, bytes: Bytes) {
        if self.bounds.bytes == 0 {
            return;
        }
        let held = match direction {
            Direction::In => bytes.len(),
            Direction::Out => bytes.len().next_power_of_two().max(WRITTEN_LEAST),
        };
        let cost = held.saturating_add(OVERHEAD);
        let seq = self.next;
        self.next = self.next.saturating_add(1);
        let of_call =
            super::seen::call_id(&bytes).is_some_and(|id| self.links.by_id.contains_key(id));
        let pages = if of_call { &mut self.calls } else { &mut self.others };
        pages.push(Record { seq, at, flow, direction, bytes }, cost);
        // A page is small against the whole, so that dropping one drops little.
        if pages.open.len() >= PAGE || pages.open_bytes >= self.bounds.bytes / 16 {
            pages.seal();
            self.expire(at);
        }
    }

    /// Drops what is too old or too much. Called now and then, so that no message outlives its time by
    /// much when nothing new comes.
    pub fn expire(&mut self, now: Now) {
        for pages in [&mut self.calls, &mut self.others] {
            pages.expire(now, self.bounds.age);
        }
        let share = self.bounds.bytes / OTHERS_SHARE;
        while self.calls.bytes.saturating_add(self.others.bytes) > self.bounds.bytes {
            let others_first = self.others.bytes > share || self.calls.sealed.is_empty();
            let pages = if others_first { &mut self.others } else { &mut self.calls };
            let dropped = pages.drop_first();
            if dropped == 0 {
                break; // what is left is being filled
            }
            self.pushed_out = self.pushed_out.saturating_add(dropped);
        }
    }

    /// The messages behind `after`.
    #[must_use]
    pub fn snapshot(&self, after: u64) -> Snapshot {
        Snapshot { pages: [self.calls.behind(after), self.others.behind(after)], after }
    }

    /// What is held.
    #[must_use]
    pub fn kept(&self) -> Kept {
        Kept {
            messages: self.calls.messages().saturating_add(self.others.messages()),
            bytes: self.calls.bytes.saturating_add(self.others.bytes),
            pushed_out: self.pushed_out,
        }
    }

    /// Notes that a Call-ID is a leg of a call.
    pub fn link(&mut self, call_id: &str, call: CallId) {
        self.links.add(call_id, call);
    }

    /// The Call-IDs of a call's legs, in the order in which they were told.
    #[must_use]
    pub fn call_ids(&self, call: CallId) -> Vec<Box<str>> {
        self.links.by_call.get(&call).cloned().unwrap_or_default()
    }

    /// The call that a Call-ID belongs to.
    #[must_use]
    pub fn call_of(&self, call_id: &str) -> Option<CallId> {
        self.links.by_id.get(call_id).copied()
    }
}

/// Call-IDs and calls, both ways, the oldest first out.
#[derive(Debug, Default)]
struct Links {
    by_id: BTreeMap<Box<str>, CallId>,
    by_call: BTreeMap<CallId, Vec<Box<str>>>,
    order: VecDeque<Box<str>>,
}

impl Links {
    fn add(&mut self, call_id: &str, call: CallId) {
        let call_id: Box<str> = call_id.into();
        if self.by_id.contains_key(&call_id) {
            return; // a Call-ID that a peer uses twice stays with its first call
        }
        while self.order.len() >= MAX_LINKS {
            let Some(oldest) = self.order.pop_front() else { break };
            let Some(call) = self.by_id.remove(&oldest) else { continue };
            if let Some(ids) = self.by_call.get_mut(&call) {
                ids.retain(|id| *id != oldest);
                if ids.is_empty() {
                    self.by_call.remove(&call);
                }
            }
        }
        self.by_id.insert(call_id.clone(), call);
        self.by_call.entry(call).or_default().push(call_id.clone());
        self.order.push_back(call_id);
    }
}
