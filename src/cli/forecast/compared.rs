//! What calls of a history would have come to under another plan: for `madoguchi diff --outcomes`.

use super::super::Reply;
use super::super::place::Named;
use super::assumed::{fitted, lengths};
use super::runs::runs;
use super::{percent, spread};
use crate::base::Wall;
use crate::dialplan::{Lang, Plan};
use crate::forecast::{World, rate};
use crate::view::{Figures, Policy, Ratio};
use std::fmt::Write as _;

/// Months under each plan.
const RUNS: u64 = 40;

/// The calls of a span as they came, with the agents who were there, under both plans: each rate with where 95 of 100
/// runs lie. What callers and agents do is taken from the same calls, by the old plan.
///
/// # Errors
///
/// A reply with exit code 2: the history cannot be read or has no call of the span.
pub(in crate::cli) fn outcomes(
    named: &Named,
    (old, new): (&Plan, &Plan),
    span: (Wall, Wall),
    lang: Lang,
) -> Result<String, Reply> {
    let found = fitted(named, old, span, lang)?;
    let lengths = lengths(None)?;
    let policy = Policy::default();
    let mut out = String::new();
    let names =
        [(old, lang.pick("今のプラン", "old plan")), (new, lang.pick("新しいプラン", "new plan"))];
    for (plan, name) in names {
        let world = World::again(plan, &found, &found.scenario, lengths.clone());
        let runs = runs(&world, &policy, (1, RUNS), false, lang);
        let said = |of: fn(&Figures) -> Ratio| spread(rate(&runs, &policy, of), lang, percent);
        let _ = writeln!(
            out, // into a String: cannot fail
            "{name}: {} {}, {} {}, {} {}",
            lang.pick("放棄率", "abandoned"),
            said(|figures| figures.abandon_rate.ratio),
            lang.pick("ビジー率", "busy"),
            said(|figures| figures.busy_rate.ratio),
            lang.pick("目標時間内の応答", "answered in time"),
            said(|figures| figures.answered_in_time),
        );
    }
    Ok(out)
}
