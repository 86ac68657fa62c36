//! What holds of any tickets whatever.

use super::{plan, report};
use crate::base::Wall;
use crate::dialplan::{Plan, moment};
use crate::tickets::{
    CountedAs, EscalatedTo, Escalation, Exclusion, Figure, Nature, Ticket, Value,
};
use proptest::collection::{btree_set, vec};
use proptest::option::of;
use proptest::prelude::{
    Just, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

/// Days around October 2026, with a long weekend and a holiday between weekdays.
const DAYS: i64 = 45;
const HOUR_MS: i64 = 3_600_000;

/// A length of time in milliseconds: none, minutes, days, or to the edge of an hour.
fn length() -> impl Strategy<Value = i64> {
    prop_oneof![
        Just(0),
        0..2 * HOUR_MS,
        0..10 * 24 * HOUR_MS,
        (0..240_i64).prop_map(|h| h * HOUR_MS)
    ]
}

fn ticket(first: Wall) -> impl Strategy<Value = Ticket> {
    let received = prop_oneof![
        0..DAYS * 24 * HOUR_MS,
        (0..DAYS * 96).prop_map(|quarter| quarter * HOUR_MS / 4),
    ];
    let escalation = (any::<bool>(), length(), of(length()));
    let exclusion = prop_oneof![
        Just(Exclusion::VirusInvestigation),
        Just(Exclusion::VendorInvestigation),
        Just(Exclusion::CallerAskedForTime),
    ];
    let rest = (vec(escalation, 0..4), of(length()), any::<bool>(), btree_set(exclusion, 0..3));
    (received, of(length()), rest).prop_map(
        move |(received, completed, (escalations, reported, technical, exclusions))| {
            let received_at = Wall(first.0 + received);
            let after = |length| Wall(received_at.0 + length);
            let last = completed.unwrap_or(i64::MAX);
            let escalations = escalations.into_iter().map(|(builder, at, answered)| {
                let to = if builder { EscalatedTo::SystemBuilder } else { EscalatedTo::Other };
                let at = after(at.min(last));
                Escalation { to, at, answered_at: answered.map(|length| Wall(at.0 + length)) }
            });
            Ticket {
                id: String::new(),
                received_at,
                completed_at: completed.map(after),
                escalations: escalations.collect(),
                reported_at: reported.map(after),
                nature: if technical { Nature::Technical } else { Nature::Ordinary },
                exclusions,
            }
        },
    )
}

fn tickets() -> impl Strategy<Value = Vec<Ticket>> {
    let first = moment("2026-09-25 00:00", chrono_tz::Asia::Tokyo).expect("a moment");
    vec(ticket(first), 0..12).prop_map(|mut tickets| {
        for (ticket, number) in tickets.iter_mut().zip(1..) {
            ticket.id = format!("T-{number}");
        }
        tickets
    })
}

fn october(plan: &Plan, tickets: &[Ticket]) -> [Figure; 4] {
    report(plan, tickets, "2026-10").figures
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Each ticket of the month is once in each figure, counted or left out; the value is what they add up
    /// to; and no counted time is longer than what passed.
    #[test]
    fn a_figure_is_what_its_tickets_say(tickets in tickets()) {
        let plan = plan();
        let all = report(&plan, &tickets, "2026-10");
        prop_assert_eq!(all.tickets + all.of_other_months, tickets.len());
        for figure in all.figures {
            prop_assert_eq!(figure.counted.len() + figure.left_out.len(), all.tickets);
            let mut sum = 0;
            for one in &figure.counted {
                let ticket = tickets.iter().find(|ticket| ticket.id == one.id).expect("it is there");
                prop_assert!(figure.left_out.iter().all(|other| other.id != one.id));
                if let CountedAs::Took { ms } = one.counted_as {
                    let first = ticket.escalations.iter().map(|escalation| escalation.at).min();
                    let end = match figure.no {
                        2 => ticket.completed_at,
                        3 => first,
                        _ => ticket.reported_at,
                    };
                    let passed = end.expect("an end").0 - ticket.received_at.0;
                    prop_assert!(ms <= u64::try_from(passed).expect("in order"), "No. {}", figure.no);
                    sum += ms;
                }
            }
            let resolved = figure.counted.iter().filter(|one| one.counted_as == CountedAs::Resolved).count();
            match figure.value {
                Value::Mean { mean, .. } => {
                    prop_assert_eq!((mean.sum_ms, mean.count), (sum, figure.counted.len() as u64));
                }
                Value::Share { ratio, .. } => {
                    prop_assert_eq!((ratio.part, ratio.whole), (resolved as u64, figure.counted.len() as u64));
                }
            }
        }
    }

    /// A ticket that a figure leaves out, or that is of another month, never changes it.
    #[test]
    fn who_is_left_out_changes_nothing(tickets in tickets(), at in any::<proptest::sample::Index>()) {
        let plan = plan();
        if tickets.is_empty() {
            return Ok(());
        }
        let with = october(&plan, &tickets);
        let mut fewer = tickets.clone();
        let gone = fewer.remove(at.index(tickets.len()));
        let without = october(&plan, &fewer);
        for (with, without) in with.iter().zip(&without) {
            if with.counted.iter().all(|one| one.id != gone.id) {
                prop_assert_eq!(with.value, without.value);
                prop_assert_eq!(with.verdict, without.verdict);
                prop_assert_eq!(&with.counted, &without.counted);
            } else {
                prop_assert_eq!(with.counted.len(), without.counted.len() + 1);
            }
        }
    }

    /// Neither the order of the lines nor that of a ticket's escalations changes anything.
    #[test]
    fn order_changes_nothing(
        (tickets, other) in tickets().prop_flat_map(|tickets| {
            (Just(tickets.clone()), Just(tickets).prop_shuffle())
        }),
    ) {
        let (plan, mut other) = (plan(), other);
        for ticket in &mut other {
            ticket.escalations.reverse();
        }
        prop_assert_eq!(october(&plan, &tickets), october(&plan, &other));
    }

    /// Escalations only ever take off.
    #[test]
    fn an_escalation_never_adds_to_the_handling_time(tickets in tickets()) {
        let plan = plan();
        let mut without = tickets.clone();
        for ticket in &mut without {
            ticket.escalations.clear();
        }
        let [_, with, ..] = october(&plan, &tickets);
        let [_, without, ..] = october(&plan, &without);
        for (with, without) in with.counted.iter().zip(&without.counted) {
            let (CountedAs::Took { ms: with }, CountedAs::Took { ms: without }) =
                (with.counted_as, without.counted_as) else { panic!("times") };
            prop_assert!(with <= without);
        }
    }

    /// No text makes the reader panic, and what it takes it counts.
    #[test]
    fn any_text_is_read_or_refused(text in "[a-z0-9:;\\-/ ,\"\n\r\u{feff}口]{0,200}") {
        let plan = plan();
        for text in [text.clone(), format!("{}\n{text}", super::HEADING)] {
            match crate::tickets::tickets(&text, plan.timezone) {
                Ok(file) => drop(october(&plan, &file.tickets)),
                Err(problems) => prop_assert!(!problems.is_empty()),
            }
            let _ = crate::tickets::survey(&text);
        }
    }
}
