//! Who makes prompts in the codecs that take long, G.722 and Opus: a thread beside the media threads. It owns what is
//! still to be made, and knows no leg. Its law: what no phone speaks is never made; what a phone waits for comes
//! first; once a phone has spoken a codec, all that the plan names is made in it, the short before the long.

use super::PromptLibrary;
use crate::base::PromptId;
use crate::rtp::{Playlist, Prompt};
use crate::sdp::Codec;
use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

/// Asks that wait. One that finds no room is dropped: the phone that waits asks again with its next packet.
const MAX_ASKS: usize = 64;

/// The way to the thread, which ends with the last of these.
#[derive(Clone, Debug)]
pub struct Maker {
    asks: SyncSender<Ask>,
}

enum Ask {
    /// A plan, which names these.
    Plan(BTreeSet<PromptId>),
    /// A phone waits for this one.
    Now(Arc<Prompt>, Codec),
}

impl Maker {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// The system's, when there is no thread to be had.
    pub(super) fn start(library: Arc<PromptLibrary>) -> io::Result<Self> {
        let (asks, asked) = sync_channel(MAX_ASKS);
        // Every phone may: nobody is to wait for what is made with the reading.
        let spoken = BTreeSet::from([Codec::Pcmu]);
        let bench = Bench { library, plan: Vec::new(), spoken, todo: VecDeque::new() };
        std::thread::Builder::new().name("prompts".into()).spawn(move || bench.work(&asked))?;
        Ok(Self { asks })
    }

    /// These are what the plan names from now on; waits while [`MAX_ASKS`] wait, which is for one prompt's making.
    pub fn plan(&self, names: BTreeSet<PromptId>) {
        // The thread ends only when nobody asks any more.
        let _ = self.asks.send(Ask::Plan(names));
    }

    /// A phone waits for what is to be heard next; takes a microsecond.
    pub(super) fn ask(&self, list: &Playlist, codec: Codec) {
        if let Some(prompt) = list.awaited() {
            let _ = self.asks.try_send(Ask::Now(Arc::clone(prompt), codec));
        }
    }
}

struct Bench {
    library: Arc<PromptLibrary>,
    /// What may be heard under the plan, the short before the long.
    plan: Vec<PromptId>,
    /// G.711, and the codecs that a phone has waited for.
    spoken: BTreeSet<Codec>,
    /// At most each prompt of the plan in each codec.
    todo: VecDeque<(PromptId, Codec)>,
}

impl Bench {
    fn work(mut self, asked: &Receiver<Ask>) {
        loop {
            let ask = if self.todo.is_empty() {
                asked.recv().map_err(|_| TryRecvError::Disconnected)
            } else {
                asked.try_recv()
            };
            match ask {
                Ok(Ask::Plan(names)) => {
                    self.plan = self.library.heard_under(&names);
                    self.todo.clear();
                    for codec in self.spoken.clone() {
                        self.all_in(codec);
                    }
                }
                Ok(Ask::Now(prompt, codec)) => {
                    prompt.prepare(codec);
                    if self.spoken.insert(codec) {
                        self.all_in(codec);
                    }
                }
                Err(TryRecvError::Empty) => {
                    if let Some((name, codec)) = self.todo.pop_front()
                        && let Some(prompt) = self.library.get(&name)
                    {
                        prompt.prepare(codec);
                    }
                }
                Err(TryRecvError::Disconnected) => return,
            }
        }
    }

    /// What the plan names is to be made in this codec, too.
    fn all_in(&mut self, codec: Codec) {
        self.todo.extend(self.plan.iter().map(|name| (name.clone(), codec)));
    }
}
