//! The end of a desk that is to be replaced: no caller is let in any more, calls that are up go on to their own ends,
//! and when the last is over, or the time that they were given, the process ends. systemd starts what is installed then.

use super::engine_loop::{Clock, Heard};
use super::inlet::Inlet;
use super::pulse::Pulse;
use crate::base::Mono;
use crate::io::http::Drains;
use crate::io::net::Lane;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What the engine shows of itself is up to a quarter of a second old: a call that came just before the order is in it
/// after this time.
const SEEN_AFTER: Duration = Duration::from_secs(1);
/// How often it is looked whether the last call is over.
const LOOK: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, Debug)]
struct Order {
    since: Mono,
    within: Duration,
}

/// What a look comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// Calls are up, and have time.
    Waits,
    /// Nothing is up.
    Empty,
    /// Calls are up, and their time is over.
    Late,
}

fn seen(order: Order, legs: usize, now: Mono) -> Seen {
    let passed = now.since(order.since);
    match legs {
        0 if passed >= SEEN_AFTER => Seen::Empty,
        _ if passed >= order.within => Seen::Late,
        _ => Seen::Waits,
    }
}

/// The desk's way out.
pub(super) struct Drain {
    order: Mutex<Option<Order>>,
    inlet: Arc<Inlet<Heard>>,
    pulse: Arc<Pulse>,
    clock: Clock,
}

impl Drain {
    pub fn new(inlet: Arc<Inlet<Heard>>, pulse: Arc<Pulse>, clock: Clock) -> Arc<Self> {
        Arc::new(Self { order: Mutex::new(None), inlet, pulse, clock })
    }

    fn put(&self, order: Option<Order>) -> bool {
        // The engine is told in the order in which people said it.
        let mut there = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let was = std::mem::replace(&mut *there, order).is_some();
        self.pulse.draining.store(order.is_some(), Ordering::Relaxed);
        self.inlet.push(Lane::First, Heard::Drain(order.is_some()));
        was
    }

    fn now(&self) -> Option<Order> {
        *self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when the desk is to end.
    pub async fn is_over(&self) {
        loop {
            tokio::time::sleep(LOOK).await;
            let Some(order) = self.now() else { continue };
            let legs = self.pulse.shown().gauges.legs;
            match seen(order, legs, self.clock.now().mono) {
                Seen::Waits => {}
                Seen::Empty => {
                    tracing::info!(
                        "the last call is over: the desk ends to be replaced / 通話がすべて終わったので、入れ替えのため終了します"
                    );
                    return;
                }
                Seen::Late => {
                    tracing::warn!(
                        legs,
                        "calls are still up, and the time that they were given is over: they are ended / 待つ時間が過ぎたので、残りの通話を切って終了します"
                    );
                    return;
                }
            }
        }
    }
}

impl Drains for Drain {
    fn left(&self) -> Option<Duration> {
        let order = self.now()?;
        let passed = self.clock.now().mono.since(order.since);
        Some(order.within.saturating_sub(passed))
    }

    fn order(&self, within: Duration) {
        self.put(Some(Order { since: self.clock.now().mono, within }));
        let minutes = within.as_secs() / 60;
        tracing::warn!(
            minutes,
            "a person ordered the desk's end once its calls are over: callers are refused / 入れ替えの指示により、新しい着信を断ります"
        );
    }

    fn call_off(&self) -> bool {
        let was = self.put(None);
        if was {
            tracing::warn!("callers are let in again / 着信の受付を再開しました");
        }
        was
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_desk_ends_with_its_last_call_or_with_the_time_that_calls_were_given() {
        let at = |ms: u64| Mono(ms * 1_000);
        let order = Order { since: at(10_000), within: Duration::from_secs(60) };
        let table = [
            // What was seen before the order could reach the engine says nothing.
            (0, 10_500, Seen::Waits),
            (0, 11_000, Seen::Empty),
            (2, 11_000, Seen::Waits),
            (2, 69_999, Seen::Waits),
            (2, 70_000, Seen::Late),
            (0, 70_000, Seen::Empty),
        ];
        for (legs, ms, due) in table {
            assert_eq!(seen(order, legs, at(ms)), due, "{legs} at {ms}");
        }
    }
}
