//! The writer thread: takes commands and tapped packets, and lets files grow.

use super::erasing::{Lies, find, is_held};
use super::file::{Ended, Growing};
use super::{RecorderConfig, Shared, free_bytes, trouble_of};
use crate::base::{Mono, TapId};
use crate::recording::command::{Command, Notice, RecordingId, Trouble};
use crate::recording::packet::{HEAD_BYTES, Head};
use crate::rtp::packet::MAX_BYTES;
use rtrb::Consumer;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// How often the rings are emptied while anything is recorded.
const ROUND: Duration = Duration::from_millis(100);
/// How often the disk is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Written to see whether a disk that refused takes anything again.
const PROBE: &str = ".probe";

/// See the module.
pub(super) struct Writer<N> {
    config: Arc<RecorderConfig>,
    shared: Arc<Shared>,
    rings: Vec<Consumer<u8>>,
    ended: Sender<Ended>,
    notices: N,
    growing: BTreeMap<TapId, Growing>,
    /// Recordings whose files are to be looked for and deleted: one a round, because that reads folders and the rings
    /// cannot wait for a hundred of them.
    erasing: VecDeque<RecordingId>,
    looked_at: Option<Instant>,
    payload: Vec<u8>,
}

impl<N: Fn(Notice)> Writer<N> {
    pub(super) fn new(
        config: Arc<RecorderConfig>,
        shared: Arc<Shared>,
        rings: Vec<Consumer<u8>>,
        ended: Sender<Ended>,
        notices: N,
    ) -> Self {
        let (growing, erasing) = (BTreeMap::new(), VecDeque::new());
        let (looked_at, payload) = (None, vec![0; MAX_BYTES]);
        Self { config, shared, rings, ended, notices, growing, erasing, looked_at, payload }
    }

    /// Works until nobody can command any more, and ends what grows.
    pub(super) fn run(&mut self, orders: &Receiver<Command>) {
        let mut over = false;
        while !over {
            let wait = match (self.erasing.is_empty(), self.growing.is_empty()) {
                (false, _) => Duration::ZERO,
                (true, false) => ROUND,
                (true, true) => LOOK_EVERY,
            };
            let mut first = match orders.recv_timeout(wait) {
                Ok(order) => Some(order),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => {
                    over = true;
                    None
                }
            };
            // Read before the orders: a packet that is there now belongs to a file whose order is there.
            let marks: Vec<usize> = self.rings.iter().map(Consumer::slots).collect();
            let now = self.now();
            for growing in self.growing.values_mut() {
                if let Some((_, taken)) = &mut growing.ends {
                    *taken = true; // what came before its end lies before the marks
                }
            }
            while let Some(order) = first.take().or_else(|| orders.try_recv().ok()) {
                self.obey(order, now);
            }
            for (ring, mark) in marks.into_iter().enumerate() {
                self.empty(ring, mark);
            }
            self.look_at_disk();
            self.grow(now);
            if let Some(id) = self.erasing.pop_front() {
                self.erase(id);
            }
        }
        for id in std::mem::take(&mut self.erasing) {
            self.erase(id);
        }
        let now = self.now();
        for (_, growing) in std::mem::take(&mut self.growing) {
            self.end(growing, now);
        }
    }

    fn now(&self) -> Mono {
        Mono(u64::try_from(self.config.epoch.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    fn obey(&mut self, order: Command, now: Mono) {
        match order {
            Command::Begin { id, tap, at, wall, band, taped } => {
                if self.growing.len() >= self.config.most {
                    return self.fail(id, Trouble::TooMany);
                }
                // Looked at anew: a disk may have filled since.
                if let Some(why) = self.full() {
                    return self.fail(id, why);
                }
                match Growing::begin(id, at, wall, (band, taped), &self.config) {
                    Ok(growing) => {
                        (self.notices)(Notice::Began { id, file: growing.name.clone() });
                        self.growing.insert(tap, growing);
                    }
                    Err(error) => self.fail(id, self.refused(&error)),
                }
                self.count();
            }
            Command::Pause { tap, at } => {
                if let Some(growing) = self.growing.get_mut(&tap) {
                    growing.pause(at);
                }
            }
            Command::Resume { tap, at } => {
                if let Some(growing) = self.growing.get_mut(&tap) {
                    growing.resume(at);
                }
            }
            Command::Erase { id } => {
                let grows = self.growing.values().any(|growing| growing.id == id);
                self.shared.doomed().insert(id);
                // One that grows, or is being ended, is deleted by the keeper instead of being kept.
                if !grows {
                    self.erasing.push_back(id);
                }
            }
            Command::End { tap, at } => {
                if let Some(growing) = self.growing.get_mut(&tap) {
                    growing.ends = Some((at.min(now), false));
                }
            }
        }
    }

    /// Deletes a file that does not grow. Of one that the keeper is about to end it stays noted: it is not kept.
    fn erase(&self, id: RecordingId) {
        let found = find(&self.config.directory, id).inspect_err(|error| {
            tracing::error!(call = %id.call, number = id.number, %error, "a recording that is to be deleted cannot be looked for");
        });
        let Ok(Some(Lies { path, called, part })) = found else { return };
        if is_held(&self.config.directory.join(&called)) {
            self.shared.doomed().remove(&id);
            tracing::warn!(call = %id.call, number = id.number, "a recording that is to be deleted is held, and stays");
            return;
        }
        match std::fs::remove_file(&path) {
            Ok(()) => {
                if !part {
                    self.shared.doomed().remove(&id);
                }
                self.shared.deleted.fetch_add(1, Ordering::Relaxed);
                (self.notices)(Notice::Deleted { id, file: called });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::error!(%error, file = %path.display(), "a recording cannot be deleted");
            }
        }
    }

    /// Takes what lay in a ring at the mark.
    fn empty(&mut self, ring: usize, mark: usize) {
        let Some(ring) = self.rings.get_mut(ring) else { return };
        let mut taken = 0_usize;
        while taken < mark {
            let mut head = [0; HEAD_BYTES];
            if ring.pop_entire_slice(&mut head).is_err() {
                return;
            }
            let Some(head) = Head::read(&head) else {
                // Never written so: what follows cannot be read either.
                let left = ring.slots();
                if let Ok(chunk) = ring.read_chunk(left) {
                    chunk.commit_all();
                }
                return;
            };
            let Some(payload) = self.payload.get_mut(..usize::from(head.payload)) else { return };
            if ring.pop_entire_slice(payload).is_err() {
                return;
            }
            taken = taken.saturating_add(HEAD_BYTES).saturating_add(payload.len());
            if let Some(growing) = self.growing.get_mut(&head.tap) {
                growing.hear(&head, payload);
            }
        }
    }

    fn grow(&mut self, now: Mono) {
        let mut over = Vec::new();
        for (tap, growing) in &mut self.growing {
            match growing.ends {
                Some((at, true)) => over.push((*tap, at, None)),
                Some((_, false)) => {}
                None => {
                    if let Err(error) = growing.advance(now) {
                        over.push((*tap, now, Some(trouble_of(&error))));
                    } else if growing.is_too_long(now) {
                        over.push((*tap, now, Some(Trouble::TooLong)));
                    }
                }
            }
        }
        for (tap, at, why) in over {
            let Some(growing) = self.growing.remove(&tap) else { continue };
            if let Some(why) = why {
                if why != Trouble::TooLong {
                    self.shared.set(Some(why));
                }
                self.fail(growing.id, why);
            }
            self.end(growing, at);
        }
        self.count();
    }

    fn end(&mut self, growing: Growing, at: Mono) {
        let (ended, trouble) = growing.end(at);
        if let Some(why) = trouble {
            self.shared.set(Some(why));
        }
        self.shared.ending.fetch_add(1, Ordering::Relaxed);
        let _ = self.ended.send(ended); // the keeper outlives us
    }

    fn fail(&self, id: RecordingId, why: Trouble) {
        self.shared.failed.fetch_add(1, Ordering::Relaxed);
        (self.notices)(Notice::Failed { id, why });
    }

    fn refused(&self, error: &io::Error) -> Trouble {
        let why = trouble_of(error);
        self.shared.set(Some(why));
        why
    }

    /// Why nothing can be recorded now.
    fn full(&self) -> Option<Trouble> {
        let why = match free_bytes(&self.config.directory) {
            Ok(free) => {
                self.shared.free_bytes.store(free, Ordering::Relaxed);
                (free < self.config.least_free_bytes).then_some(Trouble::DiskFull)
            }
            Err(error) => Some(trouble_of(&error)),
        };
        if why.is_some() {
            self.shared.set(why);
        }
        why
    }

    /// Looks now and then whether the disk has room, and whether one that refused takes anything again.
    fn look_at_disk(&mut self) {
        if self.looked_at.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
            return;
        }
        self.looked_at = Some(Instant::now());
        if let Some(why) = self.full() {
            let now = self.now();
            for (_, growing) in std::mem::take(&mut self.growing) {
                self.fail(growing.id, why);
                self.end(growing, now);
            }
        } else if self.shared.trouble().is_some() && self.probe().is_ok() {
            self.shared.set(None);
        }
    }

    fn probe(&self) -> io::Result<()> {
        super::make_directory(&self.config.directory)?;
        let path = self.config.directory.join(PROBE);
        let written = std::fs::write(&path, [0; 4096]);
        let removed = std::fs::remove_file(&path);
        written.and(removed)
    }

    fn count(&self) {
        let open = u64::try_from(self.growing.len()).unwrap_or(u64::MAX);
        self.shared.open.store(open, Ordering::Relaxed);
    }
}
