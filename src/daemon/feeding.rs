//! Feeding the ticket systems (targets): what the history says is due is handed over, and what became of it is
//! written into the history.
//!
//! A step that stands in the history as due and not as done is handed over, after looking whether the target
//! has it already: so a death of the process at any instant loses none and doubles none. Calls are apart; what
//! is due of one call goes in order.

mod context;
mod doors;
mod hand;
mod reading;

pub(super) use context::Context;
pub(super) use doors::Doors;

use super::engine_loop::Clock;
use super::random::drawn;
use crate::base::{CallId, Language, TargetId, Wall};
use crate::cli::system;
use crate::config::{TargetConfig, TicketsConfig};
use crate::event::{Entry, Fact, FeedEvent, Unfed};
use crate::feed::{After, Lane, LaneState, Terms};
use crate::io::deliver::NoWay;
use crate::io::deliver::tickets::{TicketSink, Unable, sink};
use crate::io::http::{CommandFailure, CommandSink, LadderFn, ViewHub};
use crate::pbx::Command;
use crate::tickets::Directory;
use crate::view::{Due, Policy, TargetGauge, TargetState, Views};
use hand::{Handed, hand};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;

/// How often it is looked what is due.
const LOOK: Duration = Duration::from_millis(200);
/// The longest that is waited for the views to hear of what was written; a step seen as due twice is found to
/// be there.
const HEARD: Duration = Duration::from_secs(5);

/// What every target's feeding needs.
#[derive(Clone)]
struct Feeder {
    hub: ViewHub,
    commands: CommandSink,
    ladder: LadderFn,
    clock: Clock,
    terms: Arc<Terms>,
}

/// One target while it is fed; cheap to share.
struct Target {
    config: TargetConfig,
    /// None of the ledger.
    sink: Option<Box<dyn TicketSink>>,
    lane: Mutex<Lane>,
    failed: Mutex<BTreeMap<&'static str, u64>>,
}

/// All feeding, for who begins it, for pages and metrics.
pub(super) struct Fed {
    hub: ViewHub,
    commands: CommandSink,
    ladder: LadderFn,
    clock: Clock,
    /// What of the terms no `[tickets]` says.
    policy: Policy,
    zone: chrono_tz::Tz,
    now: RwLock<Under>,
    directory: RwLock<Arc<Directory>>,
}

/// What is in force.
struct Under {
    terms: Arc<Terms>,
    targets: Vec<Arc<Target>>,
    /// Ends the feeding; whatever is under way then is found when it begins anew.
    task: Option<AbortHandle>,
}

/// What is made of a `[tickets]`, to be put in force.
pub(super) struct Ready {
    terms: Arc<Terms>,
    targets: Vec<Arc<Target>>,
    directory: Arc<Directory>,
}

/// A target that cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("the ticket system {target} cannot be set up: {error}; mend [[tickets.targets]]")]
pub struct NotFed {
    /// Its name.
    target: TargetId,
    /// Why.
    error: NoWay,
}

impl Fed {
    /// Feeds nothing yet.
    pub(super) fn new(
        (hub, commands, ladder): (&ViewHub, CommandSink, LadderFn),
        clock: Clock,
        policy: Policy,
        zone: chrono_tz::Tz,
    ) -> Arc<Self> {
        let terms =
            Terms { policy: policy.clone(), zone, language: Language::default(), link: None };
        let now = Under { terms: Arc::new(terms), targets: Vec::new(), task: None };
        let (now, directory) = (RwLock::new(now), RwLock::default());
        Arc::new(Self { hub: hub.clone(), commands, ladder, clock, policy, zone, now, directory })
    }

    /// Makes ready what is configured, for [`Fed::put`]; nothing changes yet.
    ///
    /// # Errors
    ///
    /// [`NotFed`].
    pub(super) fn ready(&self, config: &TicketsConfig) -> Result<Ready, NotFed> {
        let terms = Arc::new(Terms {
            policy: self.policy.clone(),
            zone: self.zone,
            language: config.language,
            link: config.link.clone(),
        });
        let desk = self.hub.read(|views, _, _| views.desk().to_owned());
        let mut targets = Vec::new();
        for it in &config.targets {
            let made = system(it, config, &terms, &desk).map(sink).transpose();
            let made = made.map_err(|error| NotFed { target: it.name.clone(), error })?;
            // What failed so far is counted on.
            let failed = self.counted(&it.name);
            let (config, failed) = (it.clone(), Mutex::new(failed));
            targets.push(Arc::new(Target { config, sink: made, lane: Mutex::default(), failed }));
        }
        Ok(Ready { terms, targets, directory: Arc::clone(&config.people) })
    }

    /// Feeds from now on every target that was made ready, and no other. Call inside a tokio runtime.
    pub(super) fn put(&self, ready: Ready) {
        let Ready { terms, targets, directory } = ready;
        let feeder = Feeder {
            hub: self.hub.clone(),
            commands: Arc::clone(&self.commands),
            ladder: Arc::clone(&self.ladder),
            clock: self.clock,
            terms: Arc::clone(&terms),
        };
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = now.task.take() {
            task.abort();
        }
        let task = tokio::spawn(feeder.run(targets.clone())).abort_handle();
        *now = Under { terms, targets, task: Some(task) };
        drop(now);
        *self.directory.write().unwrap_or_else(PoisonError::into_inner) = directory;
    }

    fn counted(&self, target: &TargetId) -> BTreeMap<&'static str, u64> {
        let known = self.targets().into_iter().find(|it| it.config.name == *target);
        let failed =
            known.map(|it| it.failed.lock().unwrap_or_else(PoisonError::into_inner).clone());
        failed.unwrap_or_default()
    }

    fn targets(&self) -> Vec<Arc<Target>> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).targets.clone()
    }

    fn terms(&self) -> Arc<Terms> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner).terms)
    }

    /// How each target stands, for pages and metrics.
    pub(super) fn gauges(&self) -> Vec<TargetGauge> {
        let gauge = |target: Arc<Target>| {
            let failed = target.failed.lock().unwrap_or_else(PoisonError::into_inner);
            let lane = target.lane();
            let (state, troubled) = (lane.state(), lane.troubled());
            drop(lane);
            TargetGauge {
                target: target.config.name.clone(),
                kind: target.config.kind.name(),
                state: match state {
                    LaneState::Open => TargetState::Open,
                    LaneState::Away { .. } => TargetState::Away,
                    LaneState::Barred { .. } | LaneState::Unfit { .. } => TargetState::Barred,
                },
                troubled: u64::try_from(troubled).unwrap_or(u64::MAX),
                failed: failed.iter().map(|(why, count)| (*why, *count)).collect(),
            }
        };
        self.targets().into_iter().map(gauge).collect()
    }
}

impl Drop for Under {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Feeder {
    async fn run(self, targets: Vec<Arc<Target>>) {
        self.say_targets(&targets).await;
        // Dropped with this task, and so ended with it.
        let mut fed = JoinSet::new();
        for target in targets.iter().filter(|it| it.sink.is_some()) {
            fed.spawn(self.clone().feed(Arc::clone(target)));
            if target.config.read_every.is_some() {
                fed.spawn(self.clone().read_back(Arc::clone(target)));
            }
        }
        while fed.join_next().await.is_some() {}
    }

    /// Writes into the history which targets there are and by which rules, where it says something else.
    async fn say_targets(&self, targets: &[Arc<Target>]) {
        let targets = targets.iter().map(|it| &it.config);
        for said in self.hub.read(|views, _, _| unsaid(views, targets.clone())) {
            tell(&said);
            let (name, event) = said;
            self.write(&name, None, event).await;
        }
    }

    /// Writes it into the history, however long that takes.
    async fn write(&self, target: &TargetId, call: Option<CallId>, event: FeedEvent) {
        loop {
            let (target, event) = (target.clone(), Box::new(event.clone()));
            match (self.commands)(Command::Feed { target, call, event }).await {
                Ok(()) => return,
                Err(CommandFailure::Refused(_) | CommandFailure::Unavailable) => sleep(LOOK).await,
            }
        }
    }

    async fn feed(self, target: Arc<Target>) {
        let name = target.config.name.clone();
        self.fit(&target).await;
        // What was due before may be under way from the process before this one.
        let now = self.clock.now().mono;
        self.hub.read(|views, _, _| target.lane().inherit(views.tickets_due(&name), now));
        let mut under_way = JoinSet::new();
        loop {
            let now = self.clock.now().mono;
            let picked = self.hub.read(|views, _, _| {
                let calls = target.lane().pick(views.tickets_due(&name), now);
                let due = |call: CallId| (call, views.ticket_step(&name, call));
                calls.into_iter().map(due).collect::<Vec<_>>()
            });
            for (call, due) in picked {
                match due {
                    Some(due) => {
                        under_way.spawn(self.clone().one(Arc::clone(&target), due));
                    }
                    None => target.lane().forget(call),
                }
            }
            tokio::select! {
                Some(ended) = under_way.join_next(), if !under_way.is_empty() => {
                    if let Err(fault) = ended {
                        tracing::error!(target_name = %name, %fault, "a fault of ours while a ticket system was fed / チケットの受け渡しで内部の障害");
                    }
                }
                () = sleep(LOOK) => {}
            }
        }
    }

    /// Waits until the target is as the configuration says; one that does not answer may well be.
    async fn fit(&self, target: &Target) {
        let Some(sink) = &target.sink else { return };
        while let Err(error @ Unable::Misconfigured { .. }) = sink.probe().await {
            target.failed(&error);
            target.tell_unfit(&error.to_string());
            let now = self.clock.now().mono;
            target.lane().bar(now);
            loop {
                sleep(LOOK).await;
                let state = target.lane().state();
                if !matches!(state, LaneState::Unfit { until } if self.clock.now().mono < until) {
                    break;
                }
            }
        }
        target.lane().again(None, self.clock.now().mono);
    }

    /// One try of one step, and what follows.
    async fn one(self, target: Arc<Target>, due: Due) {
        let name = &target.config.name;
        let (call, step) = (due.call, due.seq);
        // A fault of ours must not leave the call busy for ever.
        let free = Free { target: Arc::clone(&target), call };
        let Some(sink) = &target.sink else { return };
        let handed =
            hand(sink.as_ref(), &due, &target.config.subject, &self.terms, &self.ladder).await;
        let (tried, event) = match &handed {
            Ok(handed) => (handed.tried(), Some(handed)),
            Err(failed) => {
                target.failed(&failed.error);
                (failed.tried(), None)
            }
        };
        let before = target.lane().state();
        let after = target.lane().end(call, tried, self.clock.now().mono, drawn());
        let why = handed.as_ref().err().map(|it| it.error.to_string()).unwrap_or_default();
        target.tell_turn(before, &why);
        let event = match (after, event) {
            (After::Done { tries }, Some(Handed::Opened { ticket, through, found })) => {
                let (ticket, through, found) = (ticket.clone(), *through, *found);
                tracing::info!(target_name = %name, %call, %ticket, found, tries, "a ticket is there / チケットができました");
                FeedEvent::TicketOpened { through, ticket, found, tries }
            }
            (After::Done { tries }, Some(Handed::Added)) => FeedEvent::TicketAdded { step, tries },
            (After::GivenUp { tries, why: unfed }, _) => {
                tracing::error!(target_name = %name, %call, step, tries, "given up until a person looks (madoguchi tickets outbox --target {name} --stuck): {why} / 人が見るまで止めました");
                FeedEvent::FeedGivenUp { step, tries, why: unfed }
            }
            (After::Again { pause }, _) => {
                let again_s = pause.as_secs_f64();
                tracing::warn!(target_name = %name, %call, step, again_s, "a ticket system has not got something yet, and it is tried again: {why} / 渡せず、やり直します");
                return;
            }
            (After::Held | After::Done { .. }, _) => return,
        };
        // The call stays busy until the views know, so that nothing is handed over twice.
        target.lane().keep_busy(call);
        self.write(name, Some(call), event).await;
        self.heard(name, call, step).await;
        drop(free);
    }

    /// Waits until the views have this step no more as due.
    async fn heard(&self, target: &TargetId, call: CallId, step: u64) {
        let until = self.clock.now().mono + HEARD;
        while self.clock.now().mono < until {
            let due = self.hub.read(|views, _, _| views.ticket_step(target, call).map(|it| it.seq));
            if due != Some(step) {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Lets the call be picked again, whatever happened to its try.
struct Free {
    target: Arc<Target>,
    call: CallId,
}

impl Drop for Free {
    fn drop(&mut self) {
        self.target.lane().free(self.call);
    }
}

impl Target {
    fn lane(&self) -> std::sync::MutexGuard<'_, Lane> {
        self.lane.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, error: &Unable) {
        let why = match error.unfed() {
            Unfed::Unreachable => "unreachable",
            Unfed::CutOff => "cut_off",
            Unfed::TimedOut => "timed_out",
            Unfed::Refused { status: 401 | 403 | 407 } => "not_allowed",
            Unfed::Refused { status: 300..=399 } => "redirected",
            Unfed::Refused { status: 429 } => "too_many",
            Unfed::Refused { status: 500.. } => "fault",
            Unfed::Refused { .. } => "refused",
            Unfed::Garbled => "garbled",
            Unfed::NoTicket => "no_ticket",
            Unfed::Disk => "disk",
        };
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        *failed.entry(why).or_default() += 1;
    }

    /// The target is not as the configuration says.
    fn tell_unfit(&self, why: &str) {
        let name = &self.config.name;
        tracing::error!(target_name = %name, "a ticket system is not as the configuration says, and gets nothing until then: {why} / 設定とチケットシステムが合いません");
    }

    /// Says once when the whole target turns.
    fn tell_turn(&self, before: LaneState, why: &str) {
        let name = &self.config.name;
        let now = self.lane().state();
        match (before, now) {
            (LaneState::Open, LaneState::Away { .. }) => {
                tracing::warn!(target_name = %name, "a ticket system cannot be fed now; nothing is lost, and it is tried again: {why} / チケットシステムに渡せません。失われるものはなく、やり直します");
            }
            (LaneState::Open | LaneState::Away { .. }, LaneState::Unfit { .. }) => {
                self.tell_unfit(why);
            }
            (LaneState::Open | LaneState::Away { .. }, LaneState::Barred { status, .. }) => {
                tracing::error!(target_name = %name, status, "a ticket system refuses our key: mend key_file and send SIGHUP, or with 403 perhaps give our user the right to change its tickets there and `madoguchi tickets retry --target {name} --author NAME`; nothing is lost / チケットシステムが鍵を受け付けないか、403 なら、利用者に変更の権限がありません");
            }
            (
                LaneState::Away { .. } | LaneState::Barred { .. } | LaneState::Unfit { .. },
                LaneState::Open,
            ) => {
                tracing::info!(target_name = %name, "a ticket system can be fed again / チケットシステムに渡せるようになりました");
            }
            (LaneState::Open, LaneState::Open)
            | (
                LaneState::Away { .. } | LaneState::Barred { .. } | LaneState::Unfit { .. },
                LaneState::Away { .. },
            )
            | (
                LaneState::Barred { .. } | LaneState::Unfit { .. },
                LaneState::Barred { .. } | LaneState::Unfit { .. },
            ) => {}
        }
    }
}

/// What the history does not say yet of which targets there are, and by which rules they are fed.
fn unsaid<'a>(
    views: &Views,
    targets: impl Iterator<Item = &'a TargetConfig> + Clone,
) -> Vec<(TargetId, FeedEvent)> {
    let known = |name: &TargetId| targets.clone().any(|it| it.name == *name);
    let gone = views.fed_targets().filter(|name| !known(name));
    let gone = gone.map(|name| (name.clone(), FeedEvent::TargetGone));
    let other = targets.clone().filter(|it| views.feed_rules(&it.name) != Some(&it.rules));
    let set = other.map(|it| {
        let rules = it.rules.written();
        (it.name.clone(), FeedEvent::TargetSet { rules })
    });
    gone.chain(set).collect()
}

/// Says it in the log.
fn tell((name, event): &(TargetId, FeedEvent)) {
    if *event == FeedEvent::TargetGone {
        tracing::warn!(target_name = %name, "a ticket system is configured no more: what it has not got yet, it will not get / チケットシステムが設定から消えました");
    } else {
        tracing::info!(target_name = %name, "a ticket system is fed from here on by these rules / チケットシステムに渡す規則が決まりました");
    }
}

/// What a start says of it before it takes a call, so that its first call is due already.
pub(super) fn first_words(views: &Views, targets: &[TargetConfig], at: Wall) -> Vec<Entry> {
    let said = unsaid(views, targets.iter()).into_iter().inspect(tell);
    let fact = said.map(|(target, event)| Fact::Feed { target, call: None, event });
    (views.next_seq()..).zip(fact).map(|(seq, fact)| Entry { seq, at, fact }).collect()
}
