//! Who watches what: the subscriptions by our tag, by what they watch, by whose they are, and by the
//! connection they hang on. Bounded for each account and in all.

use super::document::Messages;
use super::{Lamp, Package, Topic, Watch, WatchId};
use crate::base::Number;
use crate::sip::api::Flow;
use std::collections::{BTreeMap, BTreeSet};

/// Subscriptions of one account; one more takes the place of the one renewed longest ago.
pub(in crate::sip) const MAX_PER_ACCOUNT: usize = 256;
/// Those of one account with the ones that are ending, whose last NOTIFY its phones have not answered; one
/// more is refused 503 without state.
const MAX_HELD_BY_ACCOUNT: usize = 2 * MAX_PER_ACCOUNT;
/// Subscriptions in all; one more is refused 503 without state.
pub(in crate::sip) const MAX_IN_ALL: usize = 20_000;

/// See the module.
#[derive(Debug, Default)]
pub(in crate::sip) struct Watches {
    held: BTreeMap<WatchId, Box<Watch>>,
    by_topic: BTreeMap<Topic, BTreeSet<WatchId>>,
    /// By the order of renewal.
    by_watcher: BTreeMap<Number, BTreeSet<(u64, WatchId)>>,
    streams: BTreeMap<Flow, BTreeSet<WatchId>>,
    /// What the watched lamps show.
    lamps: BTreeMap<Number, Lamp>,
    /// Messages by the phone whose lamp shows them.
    messages: BTreeMap<Number, Messages>,
    renewals: u64,
}

impl Watches {
    /// How many.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether no more can be taken.
    pub fn is_full(&self) -> bool {
        self.held.len() >= MAX_IN_ALL
    }

    pub fn get(&self, id: WatchId) -> Option<&Watch> {
        self.held.get(&id).map(AsRef::as_ref)
    }

    pub fn get_mut(&mut self, id: WatchId) -> Option<&mut Watch> {
        self.held.get_mut(&id).map(AsMut::as_mut)
    }

    /// Takes a new one in, as the account's latest.
    pub fn insert(&mut self, watch: Watch) {
        let id = watch.id;
        self.by_topic.entry(watch.topic.clone()).or_default().insert(id);
        self.held.insert(id, Box::new(watch));
        self.renewed(id);
        self.follow(id);
    }

    /// The account's phone has asked for it again.
    pub fn renewed(&mut self, id: WatchId) {
        let Some(watch) = self.held.get_mut(&id) else { return };
        self.renewals = self.renewals.saturating_add(1);
        let order = self.by_watcher.entry(watch.watcher.clone()).or_default();
        order.remove(&(watch.renewed, id));
        watch.renewed = self.renewals;
        order.insert((watch.renewed, id));
    }

    /// Whether this account's phones must answer what they are owed before they subscribe to more.
    pub fn has_its_share(&self, watcher: &Number) -> bool {
        self.by_watcher.get(watcher).is_some_and(|order| order.len() >= MAX_HELD_BY_ACCOUNT)
    }

    /// Who must make room when this account subscribes once more: of those that are not ending already,
    /// the one renewed longest ago.
    pub fn in_the_way(&self, watcher: &Number) -> Option<WatchId> {
        let order = self.by_watcher.get(watcher)?;
        let goes_on = |id: &WatchId| self.get(*id).is_some_and(|watch| !watch.life.is_ending());
        let standing = order.iter().map(|(_, id)| *id).filter(goes_on);
        let oldest = standing.clone().next()?;
        (standing.count() >= MAX_PER_ACCOUNT).then_some(oldest)
    }

    /// Notes which connection it hangs on, after its dialog may have moved.
    pub fn follow(&mut self, id: WatchId) {
        let Some(watch) = self.held.get_mut(&id) else { return };
        let flow = Some(watch.dialog.flow).filter(|flow| flow.transport.is_stream());
        if watch.follows == flow {
            return;
        }
        let old = std::mem::replace(&mut watch.follows, flow);
        self.leave_stream(old, id);
        if let Some(flow) = flow {
            self.streams.entry(flow).or_default().insert(id);
        }
    }

    fn leave_stream(&mut self, flow: Option<Flow>, id: WatchId) {
        if let Some(flow) = flow
            && let Some(ids) = self.streams.get_mut(&flow)
        {
            ids.remove(&id);
            if ids.is_empty() {
                self.streams.remove(&flow);
            }
        }
    }

    /// Forgets it.
    pub fn remove(&mut self, id: WatchId) -> Option<Box<Watch>> {
        let watch = self.held.remove(&id)?;
        self.leave_stream(watch.follows, id);
        if let Some(ids) = self.by_topic.get_mut(&watch.topic) {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_topic.remove(&watch.topic);
                if watch.topic.0 == Package::Dialog {
                    self.lamps.remove(&watch.topic.1);
                }
            }
        }
        if let Some(order) = self.by_watcher.get_mut(&watch.watcher) {
            order.remove(&(watch.renewed, id));
            if order.is_empty() {
                self.by_watcher.remove(&watch.watcher);
            }
        }
        Some(watch)
    }

    /// Those that watch it.
    pub fn of(&self, topic: &Topic) -> Vec<WatchId> {
        self.by_topic.get(topic).map(|ids| ids.iter().copied().collect()).unwrap_or_default()
    }

    /// Whether anybody watches it.
    pub fn is_watched(&self, topic: &Topic) -> bool {
        self.by_topic.contains_key(topic)
    }

    /// The account's, the one renewed longest ago first.
    pub fn by(&self, watcher: &Number) -> Vec<WatchId> {
        let order = self.by_watcher.get(watcher);
        order.into_iter().flatten().map(|(_, id)| *id).collect()
    }

    /// Those that hang on a connection.
    pub fn on(&self, flow: Flow) -> Vec<WatchId> {
        self.streams.get(&flow).map(|ids| ids.iter().copied().collect()).unwrap_or_default()
    }

    /// The messages of a phone.
    pub fn messages(&self, phone: &Number) -> Messages {
        self.messages.get(phone).copied().unwrap_or_default()
    }

    /// Sets the messages of all phones; those whose differ from before come back.
    pub fn set_messages(&mut self, lamps: BTreeMap<Number, (u32, u32)>) -> Vec<Number> {
        let lamps = lamps.into_iter().map(|(phone, (new, old))| (phone, Messages { new, old }));
        let before = std::mem::replace(&mut self.messages, lamps.collect());
        let phones: BTreeSet<&Number> = before.keys().chain(self.messages.keys()).collect();
        let none = Messages::default();
        let differ = |phone: &&&Number| {
            before.get(**phone).unwrap_or(&none) != self.messages.get(**phone).unwrap_or(&none)
        };
        phones.iter().filter(differ).map(|phone| (*phone).clone()).collect()
    }

    /// What a lamp shows; dark when nothing is known.
    pub fn lamp(&self, number: &Number) -> Option<&Lamp> {
        self.lamps.get(number)
    }

    /// Sets what a watched lamp shows. Whether that differs from what it showed.
    pub fn set_lamp(&mut self, number: &Number, lamp: Lamp) -> bool {
        if self.lamps.get(number) == Some(&lamp) {
            return false;
        }
        self.lamps.insert(number.clone(), lamp);
        true
    }
}
