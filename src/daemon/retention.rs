//! Old calls' numbers and names go in the night: when, and that the history says so. How is `io::store`'s.

use super::engine_loop::Clock;
use crate::base::Wall;
use crate::event::DeskEvent;
use crate::io::http::CommandSink;
use crate::io::store::{Erased, Eraser};
use crate::pbx::Command;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use std::time::Duration;
use tokio::time::sleep;

/// How often the clock is looked at.
const LOOK: Duration = Duration::from_secs(15);
/// A start so long after the hour still does what is due; a later one leaves it to the next night.
const WINDOW: TimeDelta = TimeDelta::hours(3);
const DAY_MS: i64 = 86_400_000;

/// What is erased, when, and where that is noted.
pub(super) struct Retention {
    pub eraser: Eraser,
    pub commands: CommandSink,
    pub clock: Clock,
    pub zone: chrono_tz::Tz,
    pub keep_days: u32,
    pub at: NaiveTime,
}

/// The day whose run is due at `now`: the last one that was done is given.
fn due(now: DateTime<chrono_tz::Tz>, at: NaiveTime, done: Option<NaiveDate>) -> Option<NaiveDate> {
    let local = now.naive_local();
    // The window may reach over midnight.
    let begun = [local.date(), local.date().pred_opt()?].into_iter().find(|day| {
        let begins = day.and_time(at);
        begins <= local && local < begins + WINDOW
    })?;
    (done != Some(begun)).then_some(begun)
}

impl Retention {
    /// Once a day from now on. Call inside a tokio runtime.
    pub(super) fn start(self) {
        tokio::spawn(async move {
            let mut done = None;
            loop {
                let now = self.clock.now().wall;
                let local = DateTime::<Utc>::from_timestamp_millis(now.0).unwrap_or_default();
                if let Some(day) = due(local.with_timezone(&self.zone), self.at, done) {
                    self.run(now).await;
                    done = Some(day);
                }
                sleep(LOOK).await;
            }
        });
    }

    async fn run(&self, now: Wall) {
        let keep_ms = i64::from(self.keep_days).saturating_mul(DAY_MS);
        let before = Wall(now.0.saturating_sub(keep_ms));
        let retained = match self.eraser.run(before).await {
            Ok(retained) => retained,
            Err(error) => {
                tracing::error!(%error, "old calls' numbers and names could not all be erased: the rest is tried the next night / 古い呼の番号と名前を消せませんでした");
                return;
            }
        };
        let erased = retained.erased;
        let longest_step_ms = retained.longest_step.as_secs_f64() * 1_000.0;
        if erased.any() {
            let Erased { calls, entries, kept, incidents, .. } = erased;
            let event = DeskEvent::CallersErased { before, calls, entries, kept, incidents };
            let event = Box::new(event);
            while (self.commands)(Command::Record { event: event.clone() }).await.is_err() {
                sleep(LOOK).await;
            }
            if let Err(error) = self.eraser.noted().await {
                tracing::warn!(%error, "what was erased will be counted again by the next run");
            }
            tracing::info!(
                calls,
                incidents,
                entries,
                kept,
                longest_step_ms,
                keep_days = self.keep_days,
                "numbers and names of old calls are erased / 古い呼の番号と名前を消しました"
            );
        }
        if retained.grown {
            tracing::warn!(
                "entries of an earlier version had no room for what stands in the place of numbers and names: traces may lie in unused parts of the store until `madoguchi events erase` is run once with the daemon stopped"
            );
        }
        if erased.any() && !retained.emptied {
            tracing::warn!(
                "a program that reads the store keeps its -wal file from being emptied: what was erased may still lie in it until the next night"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_done_once_a_day_at_its_hour_or_soon_after_a_start() {
        let at = |text: &str| {
            let naive = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").expect("one");
            naive.and_local_timezone(chrono_tz::Asia::Tokyo).single().expect("a moment")
        };
        let hour = |h, m| NaiveTime::from_hms_opt(h, m, 0).expect("a time");
        let day = |text: &str| Some(text.parse::<NaiveDate>().expect("a day"));
        let (third, fourth) = (day("2026-10-03"), day("2026-10-04"));
        let table = [
            ("a minute before", "2026-10-03T02:59", hour(3, 0), None, None),
            ("at its hour", "2026-10-03T03:00", hour(3, 0), None, third),
            ("done", "2026-10-03T03:01", hour(3, 0), third, None),
            ("after a start at night", "2026-10-03T05:59", hour(3, 0), None, third),
            ("a start by day", "2026-10-03T06:00", hour(3, 0), None, None),
            ("the next day", "2026-10-04T03:00", hour(3, 0), third, fourth),
            ("over midnight", "2026-10-04T01:00", hour(23, 30), None, third),
            ("over midnight, done", "2026-10-04T01:00", hour(23, 30), third, None),
        ];
        for (case, now, hour, done, expected) in table {
            assert_eq!(due(at(now), hour, done), expected, "{case}");
        }
    }
}
