//! A model of the store: batches are on disk some time after they were handed over, in order; a kill
//! keeps what was on disk, and of the rest a beginning that nobody was told about.

use super::faults::{Disk, Draw};
use crate::base::{Mono, Number, Rng};
use crate::event::Entry;
use crate::sip::api::{Binding, BindingChange, KeptSubscription, SubscriptionChange};
use std::collections::{BTreeMap, VecDeque};

/// One transaction of the journal.
#[derive(Clone, Debug)]
struct Batch {
    number: u64,
    due: Mono,
    entries: Vec<Entry>,
    bindings: Vec<BindingChange>,
    subscriptions: Vec<SubscriptionChange>,
}

/// What a batch writes.
pub type Facts = (Vec<Entry>, Vec<BindingChange>, Vec<SubscriptionChange>);

/// What is on disk and what is on its way there.
#[derive(Debug, Default)]
pub struct Journal {
    entries: Vec<Entry>,
    bindings: BTreeMap<(Number, String), Binding>,
    subscriptions: BTreeMap<String, KeptSubscription>,
    pending: VecDeque<Batch>,
    last_due: Mono,
}

impl Journal {
    /// Hands a batch over; returns when it will be on disk.
    pub fn append(
        &mut self,
        number: u64,
        (entries, bindings, subscriptions): Facts,
        disk: &Disk,
        now: Mono,
        rng: &mut Rng,
    ) -> Mono {
        let took =
            if rng.chance(disk.stalls) { disk.stall } else { rng.span(disk.least, disk.most) };
        let due = (now + took).max(self.last_due);
        self.last_due = due;
        self.pending.push_back(Batch { number, due, entries, bindings, subscriptions });
        due
    }

    /// Writes what is due; returns the number of the last batch written, if any was.
    pub fn write_due(&mut self, now: Mono) -> Option<u64> {
        let mut last = None;
        while self.pending.front().is_some_and(|batch| batch.due <= now) {
            last = self.write_one().or(last);
        }
        last
    }

    fn write_one(&mut self) -> Option<u64> {
        let batch = self.pending.pop_front()?;
        self.entries.extend(batch.entries);
        for change in batch.bindings {
            match change {
                BindingChange::Put(binding) => {
                    let key = (binding.account.clone(), binding.contact.clone());
                    self.bindings.insert(key, binding);
                }
                BindingChange::Remove { account, contact } => {
                    self.bindings.remove(&(account, contact));
                }
            }
        }
        for change in batch.subscriptions {
            match change {
                SubscriptionChange::Put(kept) => {
                    self.subscriptions.insert(kept.tag.clone(), *kept);
                }
                SubscriptionChange::Remove { tag } => {
                    self.subscriptions.remove(&tag);
                }
            }
        }
        Some(batch.number)
    }

    /// The process is killed: what was due is on disk, and perhaps a little more, which no one saw.
    pub fn kill(&mut self, now: Mono, rng: &mut Rng) {
        self.write_due(now);
        for _ in 0..rng.below(self.pending.len() as u64 + 1) {
            self.write_one();
        }
        self.pending.clear();
        self.last_due = Mono::ZERO;
    }

    /// Everything on disk, in order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The location table on disk.
    #[must_use]
    pub fn bindings(&self) -> Vec<Binding> {
        self.bindings.values().cloned().collect()
    }

    /// The subscriptions on disk.
    #[must_use]
    pub fn subscriptions(&self) -> Vec<KeptSubscription> {
        self.subscriptions.values().cloned().collect()
    }

    /// Adds what a start writes before it lets anyone in.
    pub fn write_at_start(&mut self, entries: Vec<Entry>) {
        self.entries.extend(entries);
    }

    /// Whether nothing is on its way.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.pending.is_empty()
    }
}
