//! A model of the media threads: who hears what, who hears whom, and the notices they would send. No
//! packet is made; a peer's audio is the fact that it is there.

use super::faults::Draw;
use crate::base::{LegId, Mono, PlayId, PromptId, Rng};
use crate::rtp::command::{Command, Notice, Stream};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

/// Without a packet for this long a peer is silent.
const SILENT_AFTER: Duration = Duration::from_secs(10);
/// How often the threads look.
const LOOK_EVERY: Duration = Duration::from_secs(4);
/// A caller whom we have answered, and who is not connected, hears nothing for at most this long.
const LONGEST_GAP: Duration = Duration::from_secs(1);

/// The prompt that asks for a key.
pub const GREETING: &str = "greeting";

/// Something of the model's own that is due later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Later {
    /// The prompts are through.
    PlayEnds {
        /// Who heard them.
        leg: LegId,
        /// Which playing.
        play: PlayId,
    },
    /// Time to see whether the peer still sends.
    Look {
        /// Whose stream.
        leg: LegId,
    },
    /// A port was bound before a leg has it, or could not be.
    Answered {
        /// Which.
        port: u16,
        /// Whether it is ours.
        bound: bool,
    },
    /// The port could not be bound.
    OpenFailed {
        /// Whose.
        leg: LegId,
        /// Which.
        port: u16,
    },
}

/// One leg's ear and mouth.
#[derive(Debug)]
struct Ear {
    stream: Option<Stream>,
    playing: Option<(PlayId, Vec<PromptId>, bool)>,
    bridged: Option<LegId>,
    last_heard: Mono,
    silent: bool,
    /// Since when an agreed stream carries nothing to the peer.
    quiet_since: Option<Mono>,
    /// A key is awaited: what was played last asks for one.
    asked: bool,
    /// The last that was played to it.
    said: Option<PromptId>,
    /// It was an agent's in a talk.
    of_the_desk: bool,
}

impl Ear {
    const fn hears_something(&self) -> bool {
        self.playing.is_some() || self.bridged.is_some()
    }
}

/// The media threads.
#[derive(Debug)]
pub struct Media {
    legs: BTreeMap<LegId, Ear>,
    /// Legs whose port could not be bound; commands for them may still be under way.
    failed: BTreeMap<LegId, u16>,
    /// Ports bound for legs to come.
    reserved: BTreeSet<u16>,
    /// How long a key is awaited in silence after the greeting.
    key_wait: Duration,
}

/// What came of a command, for the watch.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Due later.
    pub later: Vec<(Mono, Later)>,
    /// Two peers began to hear each other.
    pub bridged: Option<(SocketAddr, SocketAddr)>,
    /// A peer began to hear these prompts.
    pub hears: Option<(SocketAddr, Vec<PromptId>)>,
    /// What must not be.
    pub wrong: Vec<String>,
}

/// What is said last before a key is awaited in silence.
const ASKING: [&str; 5] = [GREETING, "no-key", "wrong-key", "enter", "number-confirm"];

/// A prompt without its language.
pub fn bare(prompt: &PromptId) -> &str {
    prompt.as_str().strip_prefix("en/").unwrap_or(prompt.as_str())
}

/// How long a prompt lasts: between one and six seconds, always the same for the same name.
#[must_use]
pub fn length_of(prompt: &PromptId) -> Duration {
    let sum = prompt.as_str().bytes().fold(7_u64, |sum, byte| (sum * 31 + u64::from(byte)) % 5000);
    Duration::from_millis(1000 + sum)
}

impl Media {
    /// Threads without a leg. After a menu's greeting a caller is left to choose for `key_wait`.
    #[must_use]
    pub const fn new(key_wait: Duration) -> Self {
        Self { legs: BTreeMap::new(), failed: BTreeMap::new(), reserved: BTreeSet::new(), key_wait }
    }

    /// Obeys one command of the engine's.
    pub fn obey(&mut self, command: Command, bind_fails: u64, now: Mono, rng: &mut Rng) -> Outcome {
        let mut outcome = Outcome::default();
        match command {
            Command::Reserve { port, .. } => {
                let bound = !rng.chance(bind_fails);
                if bound && !self.reserved.insert(port) {
                    outcome.wrong.push(format!("port {port} was reserved twice"));
                }
                outcome
                    .later
                    .push((now + Duration::from_millis(1), Later::Answered { port, bound }));
            }
            Command::Open { leg, port, .. } => {
                let fails = if self.reserved.remove(&port) { 0 } else { bind_fails };
                self.open(leg, port, fails, now, rng, &mut outcome);
            }
            Command::Stream { leg, stream } => {
                if let Some(ear) = self.known(leg, "stream", &mut outcome) {
                    let before = ear.stream.as_ref().is_some_and(|before| before.will_receive);
                    if stream.will_receive && !before {
                        // Begins to be listened for anew; silence is told from here on.
                        ear.last_heard = now;
                        ear.silent = false;
                    }
                    if ear.stream.is_none() {
                        outcome.later.push((now + LOOK_EVERY, Later::Look { leg }));
                    }
                    ear.stream = Some(stream);
                }
            }
            Command::Bridge { a, b } => {
                for one in [a, b] {
                    self.unbridge(one);
                    if let Some(ear) = self.known(one, "bridge", &mut outcome) {
                        ear.playing = None;
                    }
                }
                for (one, other) in [(a, b), (b, a)] {
                    if let Some(ear) = self.legs.get_mut(&one) {
                        ear.bridged = Some(other);
                        ear.of_the_desk |= one == b;
                    }
                }
                outcome.bridged = self.remote(a).zip(self.remote(b));
            }
            // The peers of the simulation take telephone-events, and talk two and two.
            Command::Press { .. } | Command::Tap { .. } | Command::Keyed { .. } => {}
            Command::Mix { seats } => {
                // Caller and agent have the first two seats: whom else they hear, the ears do not tell.
                for seat in &seats {
                    self.unbridge(seat.leg);
                    if let Some(ear) = self.known(seat.leg, "mix", &mut outcome) {
                        ear.playing = None;
                    }
                }
                let legs: Vec<LegId> = seats.iter().map(|seat| seat.leg).collect();
                if let [one, other, ..] = legs.as_slice() {
                    for leg in &legs {
                        let with = if leg == one { *other } else { *one };
                        if let Some(ear) = self.legs.get_mut(leg) {
                            ear.bridged = Some(with);
                            ear.of_the_desk |= leg != one;
                        }
                    }
                }
            }
            Command::Unbridge { leg } => self.unbridge(leg),
            Command::Play { leg, play, prompts, looped, .. } => {
                if let Some(ear) = self.known(leg, "play", &mut outcome) {
                    let asks = |last| ASKING.contains(&bare(last));
                    ear.asked = prompts.last().is_some_and(asks);
                    ear.said = prompts.last().cloned();
                    ear.playing = Some((play, prompts.clone(), looped));
                    if !looped {
                        let length: Duration = prompts.iter().map(length_of).sum();
                        outcome.later.push((now + length, Later::PlayEnds { leg, play }));
                    }
                    outcome.hears = ear.stream.as_ref().map(|stream| (stream.remote, prompts));
                }
            }
            Command::Stop { leg } => {
                if let Some(ear) = self.legs.get_mut(&leg) {
                    ear.playing = None;
                }
            }
            Command::Close { leg } => {
                self.unbridge(leg);
                self.failed.remove(&leg);
                self.legs.remove(&leg);
            }
        }
        self.mark_quiet(now, &mut outcome.wrong);
        outcome
    }

    fn open(
        &mut self,
        leg: LegId,
        port: u16,
        bind_fails: u64,
        now: Mono,
        rng: &mut Rng,
        outcome: &mut Outcome,
    ) {
        if self.legs.contains_key(&leg) {
            outcome.wrong.push(format!("leg {} was opened twice", leg.0));
        }
        if rng.chance(bind_fails) {
            self.failed.insert(leg, port);
            outcome.later.push((now + Duration::from_millis(1), Later::OpenFailed { leg, port }));
            return;
        }
        let ear = Ear {
            stream: None,
            playing: None,
            bridged: None,
            last_heard: now,
            silent: false,
            quiet_since: None,
            asked: false,
            said: None,
            of_the_desk: false,
        };
        self.legs.insert(leg, ear);
    }

    fn known(&mut self, leg: LegId, what: &str, outcome: &mut Outcome) -> Option<&mut Ear> {
        let ear = self.legs.get_mut(&leg);
        if ear.is_none() && !self.failed.contains_key(&leg) {
            outcome.wrong.push(format!("{what} for leg {} that has no port", leg.0));
        }
        ear
    }

    fn unbridge(&mut self, leg: LegId) {
        let other = self.legs.get_mut(&leg).and_then(|ear| ear.bridged.take());
        // Who only listens to a talk is nobody's other side.
        if let Some(other) = other.and_then(|other| self.legs.get_mut(&other))
            && other.bridged == Some(leg)
        {
            other.bridged = None;
        }
    }

    /// Notes since when each answered caller hears nothing; says which have waited too long.
    pub fn mark_quiet(&mut self, now: Mono, wrong: &mut Vec<String>) {
        for (leg, ear) in &mut self.legs {
            // Also an agent may have called us: to pick up a call, or to listen to one.
            let callers = leg.0 % 2 == 1 && !ear.of_the_desk;
            if !callers || ear.stream.is_none() || ear.hears_something() {
                ear.quiet_since = None;
                continue;
            }
            let since = *ear.quiet_since.get_or_insert(now);
            let gap = now.since(since);
            let excused = if ear.asked { self.key_wait } else { Duration::ZERO };
            if gap > LONGEST_GAP + excused {
                let after = ear.said.as_ref().map_or("", PromptId::as_str);
                let leg = leg.0;
                wrong.push(format!(
                    "the caller on leg {leg} hears nothing for {gap:?} after {after}"
                ));
                ear.quiet_since = Some(now);
            }
        }
    }

    /// Something of the model's own has come due. `sends` tells whether a peer's audio flows now.
    pub fn due(
        &mut self,
        later: Later,
        now: Mono,
        sends: impl Fn(SocketAddr) -> bool,
        next: &mut Vec<(Mono, Later)>,
        wrong: &mut Vec<String>,
    ) -> Option<Notice> {
        let notice = match later {
            Later::PlayEnds { leg, play } => {
                let ear = self.legs.get_mut(&leg)?;
                if !matches!(&ear.playing, Some((now_playing, ..)) if *now_playing == play) {
                    return None;
                }
                ear.playing = None;
                Some(Notice::PlayDone { leg, play })
            }
            Later::Answered { port, bound: true } => Some(Notice::Reserved { port }),
            Later::Answered { port, bound: false } => Some(Notice::NotReserved { port }),
            Later::OpenFailed { leg, port } => Some(Notice::OpenFailed { leg, port }),
            Later::Look { leg } => {
                let ear = self.legs.get_mut(&leg)?;
                let stream = ear.stream.as_ref()?;
                next.push((now + LOOK_EVERY, Later::Look { leg }));
                if sends(stream.remote) || !stream.will_receive {
                    ear.last_heard = now;
                    std::mem::take(&mut ear.silent).then_some(Notice::Heard { leg })
                } else if !ear.silent && now.since(ear.last_heard) >= SILENT_AFTER {
                    ear.silent = true;
                    Some(Notice::Silent { leg })
                } else {
                    None
                }
            }
        };
        self.mark_quiet(now, wrong);
        notice
    }

    /// Where a leg's peer listens.
    #[must_use]
    pub fn remote(&self, leg: LegId) -> Option<SocketAddr> {
        self.legs.get(&leg).and_then(|ear| ear.stream.as_ref()).map(|stream| stream.remote)
    }

    /// The leg whose peer listens at `remote`, when keys can be told on it.
    #[must_use]
    pub fn leg_of(&self, remote: SocketAddr) -> Option<LegId> {
        let found = self.legs.iter().find(|(_, ear)| {
            ear.stream.as_ref().is_some_and(|s| s.remote == remote && s.recv_event_pt.is_some())
        });
        found.map(|(leg, _)| *leg)
    }

    /// Whether a prompt covers the sound of the one whom the peer at `remote` is connected with.
    #[must_use]
    pub fn is_covered(&self, remote: SocketAddr) -> bool {
        self.legs.values().any(|ear| {
            let here = ear.stream.as_ref().is_some_and(|stream| stream.remote == remote);
            here && ear.bridged.is_some() && ear.playing.is_some()
        })
    }

    /// Whether any of our ports still serves the peer at `remote`.
    #[must_use]
    pub fn serves(&self, remote: SocketAddr) -> bool {
        self.legs.values().any(|ear| ear.stream.as_ref().is_some_and(|s| s.remote == remote))
    }

    /// Ports bound.
    #[must_use]
    pub fn open_ports(&self) -> usize {
        self.legs.len()
    }
}
