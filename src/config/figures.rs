//! `[figures]`: how the contract's ambiguous places are read, its limits, the first day of service.

use super::parse::Reading;
use super::problem::Problem;
use crate::dialplan::reader::Table;
use crate::view::{CountsAs, Limit, Policy, ShortCallExcluded};
use chrono::NaiveDate;

const COUNTS_AS: [(&str, CountsAs); 4] = [
    ("answered", CountsAs::Answered),
    ("abandoned", CountsAs::Abandoned),
    ("busy", CountsAs::Busy),
    ("excluded", CountsAs::Excluded),
];
const EXCLUDED_FROM: [(&str, ShortCallExcluded); 2] = [
    ("abandon", ShortCallExcluded::Abandon),
    ("abandon_and_busy", ShortCallExcluded::AbandonAndBusy),
];
/// Longest short call and longest target, milliseconds: ten minutes.
const MOST_MS: u64 = 600_000;

impl Reading<'_, '_> {
    pub(super) fn figures(&mut self, mut table: Table) -> Policy {
        use CountsAs::{Abandoned, Answered, Busy, Excluded};
        let agreed = Policy::default();
        let short_call_ms =
            table.integer("short_call_ms", 0..=MOST_MS, agreed.short_call_ms, self.out);
        let short_call_excluded_from = table
            .get("short_call_excluded_from")
            .and_then(|item| item.word(&EXCLUDED_FROM, self.out))
            .unwrap_or(agreed.short_call_excluded_from);
        // Each setting has its own words; those of the others are refused as any unknown word is.
        let mut counts = |key, due: &[CountsAs], agreed| {
            let known: Vec<(&str, CountsAs)> =
                COUNTS_AS.into_iter().filter(|(_, value)| due.contains(value)).collect();
            let item = table.get(key);
            item.and_then(|item| item.word(&known, self.out)).unwrap_or(agreed)
        };
        let released_counts_as =
            counts("released_counts_as", &[Busy, Abandoned], agreed.released_counts_as);
        let failed_counts_as =
            counts("failed_counts_as", &[Abandoned, Excluded], agreed.failed_counts_as);
        let menu_left_counts_as =
            counts("menu_left_counts_as", &[Excluded, Abandoned], agreed.menu_left_counts_as);
        let message_taken_counts_as = counts(
            "message_taken_counts_as",
            &[Excluded, Abandoned, Answered],
            agreed.message_taken_counts_as,
        );
        let answer_target_ms =
            table.integer("answer_target_ms", 0..=MOST_MS, agreed.answer_target_ms, self.out);
        let mut limit = |key, agreed: Limit| {
            let percent = table.integer(key, 1..=100, u64::from(agreed.percent), self.out);
            Limit { percent: u32::try_from(percent).unwrap_or(agreed.percent) }
        };
        let abandon_limit = limit("abandon_limit", agreed.abandon_limit);
        let busy_limit = limit("busy_limit", agreed.busy_limit);
        let service_begins = table.get("service_begins").and_then(|item| {
            let text = item.raw(self.out)?;
            let date = NaiveDate::parse_from_str(&text.value, "%Y-%m-%d").ok();
            if date.is_none() {
                self.out.at(&text.span, Problem::BadDate { found: text.value });
            }
            date
        });
        table.finish(self.out);
        Policy {
            short_call_ms,
            short_call_excluded_from,
            released_counts_as,
            failed_counts_as,
            menu_left_counts_as,
            message_taken_counts_as,
            answer_target_ms,
            abandon_limit,
            busy_limit,
            service_begins,
        }
    }
}

/// Every setting with the value in force, a line each.
pub(super) fn show(policy: &Policy, line: &mut impl FnMut(String)) {
    line("\n[figures]".to_owned());
    for (name, value) in policy.settings() {
        line(format!("{name} = {value}"));
    }
}
