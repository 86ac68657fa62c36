//! Telling people outside that a rate's early warning turned: what is due is written into the history, and
//! what is written is told by every way that is configured.
//!
//! A turn that stands in the history and not that it was told (or given up) is told: so a restart at any
//! instant loses none. What was told and not yet written as told is said again, with the same id.

use super::engine_loop::Clock;
use super::random::drawn;
use crate::base::Wall;
use crate::cli::Way;
use crate::config::WarningConfig;
use crate::event::{FiguresEvent, ToldBy, Untold};
use crate::io::deliver::NoWay;
use crate::io::http::{CommandFailure, CommandSink, ViewHub};
use crate::notice::{Next, Notice, Try, next};
use crate::pbx::Command;
use crate::view::{Pending, WarningWatch};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::sleep;

/// How often the rates are looked at, and what is still to be told.
const LOOK: Duration = Duration::from_secs(1);

/// What the metrics show of one way.
#[derive(Debug)]
pub(super) struct Told {
    pub by: ToldBy,
    /// Tries that failed since the start.
    pub failed: AtomicU64,
}

/// What every telling needs.
#[derive(Clone)]
pub(super) struct Teller {
    hub: ViewHub,
    commands: CommandSink,
    clock: Clock,
    link: Option<String>,
    give_up_after: Duration,
}

impl Teller {
    pub(super) fn new(
        config: &WarningConfig,
        hub: &ViewHub,
        commands: CommandSink,
        clock: Clock,
    ) -> Self {
        Self {
            hub: hub.clone(),
            commands,
            clock,
            link: config.link.clone(),
            give_up_after: config.give_up_after,
        }
    }

    /// Watches and tells from now on, by every way that is configured; what the metrics show of each. Call
    /// inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`NoWay`]: one of them cannot be set up.
    pub(super) fn start(self, config: &WarningConfig) -> Result<Vec<Arc<Told>>, NoWay> {
        let mut shown = Vec::new();
        for way in Way::all(config)? {
            let told = Arc::new(Told { by: way.by(), failed: AtomicU64::new(0) });
            shown.push(Arc::clone(&told));
            tokio::spawn(self.clone().tell_all(way, told));
        }
        tokio::spawn(self.watch());
        Ok(shown)
    }

    async fn watch(self) {
        let mut watch = WarningWatch::default();
        loop {
            let turns = self.hub.read(|views, now, _| watch.look(views, now));
            for turn in turns {
                let (rate, month) = (turn.rate.name(), turn.month.clone());
                let (from, to) = (turn.from.name(), turn.to.name());
                // Refused when it is written already and the views are still to hear of it.
                if self.note(FiguresEvent::WarningTurned { turn }).await {
                    tracing::warn!(rate, %month, from, to, "the early warning of a rate turned / 早期警告が変わりました");
                }
            }
            sleep(LOOK).await;
        }
    }

    /// Writes it into the history; whether it stands there.
    async fn note(&self, event: FiguresEvent) -> bool {
        let event = Box::new(event);
        match (self.commands)(Command::NoteWarning { event }).await {
            Ok(()) => true,
            Err(CommandFailure::Refused(_) | CommandFailure::Unavailable) => false,
        }
    }

    /// One after the other, so that what a person reads last is what is true.
    async fn tell_all(self, way: Way, told: Arc<Told>) {
        let by = way.by();
        // The last one that was told or given up here: the views hear of it a moment later.
        let mut done = 0;
        loop {
            let first = self
                .hub
                .read(|views, _, _| views.turns().untold(by).find(|it| it.seq > done).cloned());
            let Some(pending) = first else {
                sleep(LOOK).await;
                continue;
            };
            let event = self.tell(&way, &pending, &told).await;
            while !self.note(event.clone()).await {
                sleep(LOOK).await;
            }
            done = pending.seq;
        }
    }

    /// Until it is told, or given up.
    async fn tell(&self, way: &Way, pending: &Pending, told: &Told) -> FiguresEvent {
        let (turn, by) = (pending.seq, told.by);
        let (desk, zone) = self.hub.read(|views, _, _| (views.desk().to_owned(), views.timezone()));
        let notice = Notice {
            desk: &desk,
            zone,
            link: self.link.as_deref(),
            at: pending.at,
            seq: pending.seq,
            turn: &pending.turn,
            trial: false,
        };
        let (id, by_name) = (notice.id(), by.name());
        let (mut tries, mut refusals) = (0_u32, 0);
        let mut last = Untold::TooLate;
        loop {
            let left = self.left(pending.at);
            if left.is_zero() {
                tracing::error!(%id, by = by_name, tries, "a warning is given up: its time is over; what stood in the way was logged / 警告を知らせることを諦めました");
                return FiguresEvent::WarningGivenUp { turn, by, tries, untold: last };
            }
            tries = tries.saturating_add(1);
            let Err(error) = way.tell(&notice, self.clock.now().wall).await else {
                tracing::info!(%id, by = by_name, tries, "a warning is told / 警告を知らせました");
                return FiguresEvent::WarningTold { turn, by, tries };
            };
            last = error.untold();
            told.failed.fetch_add(1, Ordering::Relaxed);
            let failed =
                Try { by, untold: last, retry_after: error.retry_after(), number: tries, refusals };
            match next(failed, self.left(pending.at), drawn()) {
                Next::Again { pause, refusals: so_far } => {
                    refusals = so_far;
                    let again_s = pause.as_secs_f64();
                    tracing::warn!(%id, by = by_name, tries, again_s, "a warning could not be told and is tried again: {error} / 警告を知らせられず、やり直します");
                    sleep(pause).await;
                }
                Next::GiveUp => {
                    tracing::error!(%id, by = by_name, tries, "a warning is given up: {error} / 警告を知らせることを諦めました");
                    return FiguresEvent::WarningGivenUp { turn, by, tries, untold: last };
                }
            }
        }
    }

    /// Until it is given up.
    fn left(&self, at: Wall) -> Duration {
        let age_ms = self.clock.now().wall.0.saturating_sub(at.0);
        let age = Duration::from_millis(u64::try_from(age_ms).unwrap_or(0));
        self.give_up_after.saturating_sub(age)
    }
}
