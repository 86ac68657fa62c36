//! What the system says to the daemon, and the daemon to the system: signals, readiness, watchdog.

use super::start::Desk;
use crate::io::telemetry::log;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// A thread without which no caller is served and that was not seen for this long is taken for dead: systemd is not
/// told that we live, and starts us again.
const DEAD_AFTER: Duration = Duration::from_secs(5);
/// How often the threads are looked at, unless systemd wants to hear of us more often.
const LOOK: Duration = Duration::from_secs(2);
/// Looks within the time after which systemd gives us up: one that comes late is not the end.
const LOOKS: u32 = 4;

/// Why the desk is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The system said so.
    Told,
    /// It was to end once its calls have, and they have, or their time is over.
    Drained,
    /// The engine's thread or one of the media's is no more: only a new process can serve callers.
    Broken,
}

/// What a look at the threads comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// They live: systemd is told.
    Alive,
    /// One is silent for the first time since all lived: the log says so, systemd hears nothing.
    Silent,
    /// Still.
    StillSilent,
    /// They live again.
    Again,
}

fn seen(silence: Duration, was_silent: bool) -> Seen {
    match (silence < DEAD_AFTER, was_silent) {
        (true, false) => Seen::Alive,
        (true, true) => Seen::Again,
        (false, false) => Seen::Silent,
        (false, true) => Seen::StillSilent,
    }
}

/// How often to look when systemd gives us up after `watchdog` (`sd_watchdog_enabled(3)` asks for half of it or less).
fn pace(watchdog: Option<Duration>) -> Duration {
    let least = Duration::from_millis(100);
    watchdog.map_or(LOOK, |within| (within / LOOKS).clamp(least, LOOK))
}

/// Tells systemd (when there is one) that the desk serves, keeps its watchdog quiet while engine, SIP sockets and
/// media live, and returns when the system wants us to end or there is no desk left to watch.
pub async fn until_the_end(desk: &Desk) -> End {
    let mut terminate = signal(SignalKind::terminate()).ok();
    let mut interrupt = signal(SignalKind::interrupt()).ok();
    let mut hangup = signal(SignalKind::hangup()).ok();
    // Not started by systemd: there is nobody to tell.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    let mut beat = tokio::time::interval(pace(sd_notify::watchdog_enabled()));
    let mut silent = false;
    // One for all rounds: a watchdog's pace may be quicker than it looks.
    let mut drained = std::pin::pin!(desk.is_drained());
    let end = loop {
        let told = async {
            tokio::select! {
                Some(()) = async { terminate.as_mut()?.recv().await } => (),
                Some(()) = async { interrupt.as_mut()?.recv().await } => (),
                else => std::future::pending().await,
            }
        };
        let again = async {
            match hangup.as_mut() {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(()) = again => desk.reload(),
            () = told => break End::Told,
            () = &mut drained => break End::Drained,
            _ = beat.tick() => {
                if desk.is_broken() {
                    tracing::error!("a thread of the desk has ended: the process ends to be started again");
                    break End::Broken;
                }
                log::look();
                let found = seen(desk.silence(), silent);
                silent = matches!(found, Seen::Silent | Seen::StillSilent);
                match found {
                    Seen::Silent => tracing::error!("a thread without which no caller is served is stuck: systemd is told nothing until it goes on, and starts the desk anew / 止まったスレッドがあります"),
                    Seen::Again => tracing::warn!("the stuck thread goes on / 止まっていたスレッドが動き出しました"),
                    Seen::Alive | Seen::StillSilent => {}
                }
                if !silent {
                    let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
                }
            }
        }
    };
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stuck_thread_is_told_once_and_systemd_hears_nothing_until_it_goes_on() {
        let s = Duration::from_secs;
        let table = [
            (s(0), false, Seen::Alive),
            (s(4), false, Seen::Alive),
            (s(5), false, Seen::Silent),
            (s(7), true, Seen::StillSilent),
            (Duration::MAX, true, Seen::StillSilent),
            (s(1), true, Seen::Again),
        ];
        for (silence, was_silent, due) in table {
            assert_eq!(seen(silence, was_silent), due, "{silence:?}");
        }
    }

    #[test]
    fn systemd_hears_of_us_four_times_before_it_gives_us_up() {
        let ms = Duration::from_millis;
        let table = [
            (None, ms(2_000)),
            (Some(ms(10_000)), ms(2_000)),
            (Some(ms(4_000)), ms(1_000)),
            (Some(ms(1)), ms(100)),
        ];
        for (watchdog, due) in table {
            assert_eq!(pace(watchdog), due, "{watchdog:?}");
        }
    }
}
