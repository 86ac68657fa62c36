//! What the system says to the daemon, and the daemon to the system: signals, readiness, watchdog.

use super::start::Desk;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// An engine thread that was not seen for this long is taken for dead: systemd is not told that we
/// live, and starts us again.
const DEAD_AFTER: Duration = Duration::from_secs(5);

/// Why the desk is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The system said so.
    Told,
    /// The engine's thread or one of the media's is no more: only a new process can serve callers.
    Broken,
}

/// Tells systemd (when there is one) that the desk serves, keeps its watchdog quiet while the engine
/// thread lives, and returns when the system wants us to end or there is no desk left to watch.
pub async fn until_the_end(desk: &Desk) -> End {
    let mut terminate = signal(SignalKind::terminate()).ok();
    let mut interrupt = signal(SignalKind::interrupt()).ok();
    let mut hangup = signal(SignalKind::hangup()).ok();
    // Not started by systemd: there is nobody to tell.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    let mut beat = tokio::time::interval(Duration::from_secs(2));
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
            _ = beat.tick() => {
                if desk.is_broken() {
                    tracing::error!("a thread of the desk has ended: the process ends to be started again");
                    break End::Broken;
                }
                if desk.engine_silence() < DEAD_AFTER {
                    let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
                }
            }
        }
    };
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    end
}
