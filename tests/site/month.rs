//! A month of 12,558 calls, as many as the desk's busiest: simulated desks with everything that can happen
//! in them, put side by side into one October.

use madoguchi::base::{CallId, Rng, Wall};
use madoguchi::event::{
    CallEvent, Caller, CallerNumber, EndCause, Entry, Fact, FiguresEvent, Means, Origin, Party,
};
use madoguchi::simulate::history_of;
use madoguchi::view::{CountsAs, Policy, ShortCallExcluded};
use std::collections::BTreeSet;

/// Calls of the busiest month on record.
pub const CALLS: usize = 12_558;
/// 2026-10-01, midnight in Japan.
pub const OCTOBER: i64 = 1_790_780_400_000;
const DAY: i64 = 86_400_000;
const DAYS: u64 = 31;

/// Every setting another than the agreed one, now and then.
pub fn policy(rng: &mut Rng) -> Policy {
    let mut any = |of: &[CountsAs]| of[rng.below(of.len() as u64) as usize];
    use CountsAs::{Abandoned, Answered, Busy, Excluded};
    Policy {
        released_counts_as: any(&[Busy, Abandoned]),
        failed_counts_as: any(&[Abandoned, Excluded]),
        menu_left_counts_as: any(&[Excluded, Abandoned]),
        message_taken_counts_as: any(&[Excluded, Abandoned, Answered]),
        short_call_ms: rng.below(6) * 1_000,
        answer_target_ms: 5_000 + rng.below(4) * 5_000,
        short_call_excluded_from: if rng.below(2) == 0 {
            ShortCallExcluded::Abandon
        } else {
            ShortCallExcluded::AbandonAndBusy
        },
        ..Policy::default()
    }
}

/// How often a simulated desk's minutes come in a large month.
const TIMES: u32 = 5;

/// The fact with its calls' names those of another time.
fn renamed(fact: &Fact, time: u32) -> Fact {
    let mut value = serde_json::to_value(fact).unwrap();
    rename(&mut value, time);
    serde_json::from_value(value).unwrap()
}

fn rename(value: &mut serde_json::Value, time: u32) {
    use serde_json::Value;
    match value {
        Value::String(text) => {
            if let Ok(CallId(id)) = text.parse::<uuid::Uuid>().map(CallId) {
                *text = uuid::Uuid::from_u128(id.as_u128() ^ u128::from(time) << 64).to_string();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, time)),
        Value::Object(fields) => fields.values_mut().for_each(|field| rename(field, time)),
        _ => {}
    }
}

/// The history, with periods left out and settings noted.
pub fn history(first_seed: u64, policy: &Policy, calls: usize) -> Vec<Entry> {
    let mut rng = Rng::from_number(first_seed);
    let mut entries: Vec<Entry> = Vec::new();
    let mut arrived: BTreeSet<CallId> = BTreeSet::new();
    let figures = |event| Fact::Figures { event };
    let add = |entries: &mut Vec<Entry>, at: i64, fact: Fact| {
        entries.push(Entry { seq: entries.len() as u64 + 1, at: Wall(at), fact });
    };
    let settings = policy.settings();
    add(&mut entries, OCTOBER, figures(FiguresEvent::SettingsChanged { version: 1, settings }));
    for seed in first_seed.. {
        if arrived.len() >= calls {
            break;
        }
        let desk = history_of(seed);
        let Some(begins) = desk.first().map(|entry| entry.at.0) else { continue };
        // Simulating costs more than counting: a desk's minutes come several times in a large month.
        for time in 0..if calls > 1_000 { TIMES } else { 1 } {
            // Of a day, 7:00 to 19:00; the desk's own minutes stay as they are.
            let when = rng.below(DAYS) as i64 * DAY + 25_200_000 + rng.below(43_200_000) as i64;
            for entry in &desk {
                // What another desk declared of its figures is not declared of these.
                if matches!(entry.fact, Fact::Figures { .. }) {
                    continue;
                }
                let fact = renamed(&entry.fact, time);
                if let Fact::Call { call, .. } = &fact {
                    arrived.insert(*call);
                }
                add(&mut entries, OCTOBER + when + entry.at.0 - begins, fact);
            }
        }
    }
    // Dialled by an agent on the last evening of the month, and passed on after midnight: of the day on which
    // it was dialled.
    let call = CallId(uuid::Uuid::from_u128(7));
    let midnight = OCTOBER + DAYS as i64 * DAY;
    let caller = Caller { number: CallerNumber::Withheld, name: None, diverted_from: None };
    let origin = Origin::Extension("2001".into());
    let arrived = CallEvent::Arrived { number: "2001".into(), caller, origin, counted: true };
    let answered = CallEvent::OperatorAnswered { agent: "2002".into() };
    for (t_ms, event) in [
        (600_000, arrived),
        (600_000, CallEvent::OperatorAsked { group: None }),
        (604_000, answered),
        (700_000, CallEvent::Ended { by: Party::Caller, cause: EndCause::HungUp }),
    ] {
        let at = midnight - 300_000 + t_ms as i64;
        add(&mut entries, at, Fact::Call { call, t_ms, event });
    }
    for exclusion in 1..=4_u32 {
        let from = OCTOBER + rng.below(DAYS) as i64 * DAY + 30_000_000;
        let (from, until) = (Wall(from), Wall(from + 3_600_000 * (1 + rng.below(9) as i64)));
        let (reason, by) = ("通信障害".to_owned(), Means::Api);
        let at = OCTOBER + 40 * DAY;
        let who = |name: &str| name.to_owned();
        let entered = FiguresEvent::ExclusionEntered {
            exclusion,
            from,
            until,
            reason: reason.clone(),
            author: who("佐藤"),
            by,
        };
        add(&mut entries, at, figures(entered));
        if exclusion > 1 {
            add(
                &mut entries,
                at,
                figures(FiguresEvent::ExclusionApproved { exclusion, author: who("鈴木"), by }),
            );
        }
        if exclusion == 3 {
            add(
                &mut entries,
                at,
                figures(FiguresEvent::ExclusionWithdrawn {
                    exclusion,
                    reason,
                    author: who("鈴木"),
                    by,
                }),
            );
        }
    }
    entries
}
