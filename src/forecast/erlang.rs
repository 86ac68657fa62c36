//! The formulas that desks plan with, beside the simulation: each with what it takes for granted.
//!
//! - **Erlang B**: callers who find no line free go away and never return. Lines.
//! - **Erlang C**: callers wait for ever. Agents; has no answer when the load is not below their number.
//! - **Erlang A** (Palm): callers wait, and give up after a time without memory. Agents.
//!
//! All: arrivals by chance at a constant rate, long enough for the beginning to be forgotten, one group, talk times
//! without memory (B holds for any), an agent free the moment the call ends.

/// Part of callers who find all `lines` in use at `load` erlangs (Erlang B).
#[must_use]
pub fn blocking(lines: u32, load: f64) -> f64 {
    let mut blocked = 1.0;
    for line in 1..=lines {
        blocked = load * blocked / (f64::from(line) + load * blocked);
    }
    blocked
}

/// Part of callers who wait when nobody gives up (Erlang C); none when the queue would grow for ever.
#[must_use]
pub fn delaying(agents: u32, load: f64) -> Option<f64> {
    let free = f64::from(agents) - load;
    if free <= 0.0 {
        return None;
    }
    let blocked = blocking(agents, load);
    Some(f64::from(agents) * blocked / (f64::from(agents) - load * (1.0 - blocked)))
}

/// What Erlang A says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Abandoning {
    /// Part of callers who give up.
    pub abandoned: f64,
    /// Part who wait at all.
    pub waits: f64,
    /// Mean wait of all callers, in units of the mean talk.
    pub mean_wait: f64,
    /// Part of agents' time that is talk.
    pub occupancy: f64,
}

/// Erlang A with `room` for so many who wait (M/M/n/n+room+M): `load` in erlangs, `patience` the mean patience in
/// units of the mean talk. None without agents or patience.
#[must_use]
pub fn giving_up(agents: u32, load: f64, patience: f64, room: u32) -> Option<Abandoning> {
    if agents == 0 || patience <= 0.0 || load <= 0.0 {
        return None;
    }
    // Weights of the states, the one with all agents talking and nobody waiting taken as 1.
    let (mut weight, mut below, mut talking) = (1.0, 0.0, 0.0);
    for busy in (0..agents).rev() {
        weight *= f64::from(busy + 1) / load;
        below += weight;
        talking += weight * f64::from(busy);
        if weight < 1e-300 {
            break;
        }
    }
    let (mut at, mut above, mut queue, mut last) = (1.0, 0.0, 0.0, 1.0);
    for place in 1..=room {
        at *= load / (f64::from(agents) + f64::from(place) / patience);
        above += at;
        queue += at * f64::from(place);
        last = at;
        if at < 1e-18 * above {
            last = 0.0;
            break;
        }
    }
    let all = below + 1.0 + above;
    let queue = queue / all;
    let refused = if room == 0 { 1.0 / all } else { last / all };
    let abandoned = queue / patience / load;
    let occupancy = (talking + (1.0 + above) * f64::from(agents)) / all / f64::from(agents);
    Some(Abandoning {
        abandoned,
        waits: (1.0 + above) / all - refused,
        mean_wait: queue / load,
        occupancy,
    })
}

/// Erlangs of so many calls in a half hour that last so long.
#[must_use]
pub fn load(calls: f64, lasts_ms: f64) -> f64 {
    calls * lasts_ms / 1_800_000.0
}
