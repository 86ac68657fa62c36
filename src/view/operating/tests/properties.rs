//! What holds of the operating figures of every history.

use super::{Pen, asked, october, read, views};
use crate::base::{AgentId, Wall};
use crate::event::{
    AgentEvent, CallEvent, DeskEvent, EndCause, Entry, Fact, Means, OfferEnd, Party,
};
use crate::view::{By, Doing, Operating, OperatingWanted, Window};
use proptest::prelude::*;
use std::collections::BTreeMap;

const HALF_HOUR: i64 = 1_800_000;

/// A step that may come at any time, for one of two agents and three calls.
fn any_step() -> impl Strategy<Value = (i64, usize, u64, u8)> {
    (
        prop_oneof![Just(0_i64), 1..90_000_i64, 0..20_000_000_i64, -5_000..0_i64],
        0..2_usize,
        1..4_u64,
        0..22_u8,
    )
}

fn drawn(steps: &[(i64, usize, u64, u8)]) -> Pen {
    let mut pen = Pen { at: 8 * 3_600_000, ..Pen::default() };
    let mut round = 0;
    for (after, agent, call, kind) in steps {
        pen.at = (pen.at + after).max(0);
        let agent = ["2001", "2002"][*agent];
        let n = round * 10 + call;
        let by = Means::Api;
        let of_agent = AgentId::from(agent);
        match kind {
            0 => pen.agent(agent, AgentEvent::SignedIn { by }),
            1 => pen.agent(agent, AgentEvent::SignedOut { by }),
            2 => pen.agent(agent, AgentEvent::Paused { by, reason: "会議".into() }),
            3 => pen.agent(agent, AgentEvent::Unpaused { by }),
            4 | 5 => pen.agent(agent, AgentEvent::Phone { reachable: *kind == 4 }),
            6 | 7 => pen.agent(agent, AgentEvent::Talking),
            8 => pen.agent(agent, AgentEvent::WrapUp { for_ms: 1 }),
            9 => pen.agent(agent, AgentEvent::Idle),
            10 => pen.arrive(n, "0312345678", "desk", true),
            11 => pen.call(n, CallEvent::OfferMade { agent: of_agent }),
            12 => pen.call(n, CallEvent::OfferEnded { agent: of_agent, why: OfferEnd::RangOut }),
            13 | 14 => pen.call(n, CallEvent::OperatorAnswered { agent: of_agent }),
            15 => pen.call(n, CallEvent::Held { by: Party::Agent }),
            16 => pen.call(n, CallEvent::Resumed { by: Party::Agent }),
            17 => pen.call(
                n,
                CallEvent::Transferred { by: of_agent, to: "2002".into(), attended: false },
            ),
            18 => pen.call(n, CallEvent::Ended { by: Party::Caller, cause: EndCause::HungUp }),
            19 => {
                pen.call(n, CallEvent::Ended { by: Party::System, cause: EndCause::Restart });
                let (version, plan) = ("1".to_owned(), "desk".to_owned());
                pen.fact(Fact::Desk { event: DeskEvent::Started { version, plan } });
                round += 1;
            }
            20 => pen.call(n, CallEvent::Returned { agent: of_agent }),
            _ => round += 1,
        }
    }
    pen
}

/// The time signed in by another way: only signing in and out, starts, and the stamps are looked at.
fn signed_in(entries: &[Entry]) -> BTreeMap<String, i64> {
    let (mut clock, mut since, mut sums) = (i64::MIN, BTreeMap::new(), BTreeMap::new());
    for entry in entries {
        let starts = matches!(&entry.fact, Fact::Desk { event: DeskEvent::Started { .. } });
        let last_word = matches!(
            &entry.fact,
            Fact::Call { event: CallEvent::Ended { cause: EndCause::Restart, .. }, .. }
        );
        if starts || (entry.at.0 < clock && !last_word) {
            for (agent, since) in &mut since {
                *sums.entry(String::clone(agent)).or_insert(0) += clock - *since;
                *since = entry.at.0;
            }
        }
        if !last_word {
            clock = entry.at.0;
        }
        let Fact::Agent { agent, event } = &entry.fact else { continue };
        let agent = agent.as_str().to_owned();
        match event {
            AgentEvent::SignedIn { .. } => {
                since.entry(agent).or_insert(clock);
            }
            AgentEvent::SignedOut { .. } => {
                if let Some(since) = since.remove(&agent) {
                    *sums.entry(agent).or_insert(0) += clock - since;
                }
            }
            _ => {}
        }
    }
    for (agent, since) in since {
        *sums.entry(agent).or_insert(0) += clock - since;
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn states_add_up_to_the_time_signed_in_and_half_hours_to_days_and_months(
        steps in prop::collection::vec(any_step(), 0..120)
    ) {
        let pen = drawn(&steps);
        let views = pen.read();
        let window = Window::read("2026-10-01", "2027-02-28").expect("a span");
        let by = |by| asked(&views, &OperatingWanted::all(window, by));
        let due = signed_in(&pen.entries);
        for row in by(By::Agent).rows {
            let it = row.agents.expect("agents are asked for");
            let due = due.get(&row.key).copied().unwrap_or(0);
            prop_assert_eq!(i64::try_from(it.signed_in_ms), Ok(due), "{}", row.key);
            let states = Doing::ALL.into_iter().filter(|doing| *doing != Doing::SignedOutTalk);
            prop_assert_eq!(states.map(|doing| it.ms.of(doing)).sum::<u64>(), it.signed_in_ms);
            prop_assert!(it.occupancy.part <= it.occupancy.whole);
        }
        // Whatever the rows, the sum is the same.
        let total = by(By::Month).total;
        for rows in [By::HalfHour, By::Day] {
            prop_assert_eq!(&by(rows).total, &total);
        }
        prop_assert_eq!(by(By::Agent).total.agents, total.agents.clone());
        for rows in [By::Group, By::Number] {
            prop_assert_eq!(by(rows).total.calls, total.calls.clone());
        }
        // Day by day, in half hours and whole.
        let mut days = by(By::Day).rows.into_iter().filter(|row| row.agents.as_ref().is_some_and(|it| it.signed_in_ms > 0));
        if let Some(day) = days.next() {
            let window = Window::read(&day.key, &day.key).expect("a day");
            let fine = asked(&views, &OperatingWanted::all(window, By::HalfHour));
            prop_assert_eq!(fine.total.agents, day.agents);
            prop_assert_eq!(fine.total.calls, day.calls);
            let most = fine.rows.iter().filter_map(|row| row.agents.as_ref()).map(|it| it.signed_in_ms).max();
            // A half hour that the clock was set back into comes twice.
            let set_back = pen.entries.windows(2).any(|pair| pair[1].at < pair[0].at);
            let all = 2 * u64::try_from(HALF_HOUR).expect("positive");
            prop_assert!(set_back || most.unwrap_or(0) <= all);
        }
    }

    /// Read at once, entry by entry with questions between, or twice over: the same.
    #[test]
    fn live_is_replay(steps in prop::collection::vec(any_step(), 0..60), again in 0..60_usize) {
        let pen = drawn(&steps);
        let whole = pen.read();
        let mut live = views();
        for entry in &pen.entries {
            live.apply(entry);
            let now = Wall(entry.at.0.saturating_add(1_234));
            let _ = live.operating(&october(By::HalfHour), now);
        }
        for entry in pen.entries.iter().skip(again) {
            live.apply(entry);
        }
        prop_assert_eq!(&live, &whole);
        // Asked before the next entry comes, at its very time: what is counted then is what was counted.
        if let Some((last, before)) = pen.entries.split_last()
            && !matches!(last.fact, Fact::Desk { .. } | Fact::Call { event: CallEvent::Ended { .. }, .. })
        {
            let then = read(before).operating(&october(By::Day), last.at);
            let now = whole.operating(&october(By::Day), last.at);
            let sums = |it: &Operating| it.total.agents.as_ref().map(|it| it.signed_in_ms);
            prop_assert_eq!(sums(&then), sums(&now));
        }
    }

    /// What happens to different agents at one instant may stand in either order.
    #[test]
    fn the_order_of_what_happens_at_once_is_no_matter(
        steps in prop::collection::vec(any_step(), 0..80), places in prop::collection::vec(0..80_usize, 0..20)
    ) {
        let pen = drawn(&steps);
        let mut entries = pen.entries.clone();
        for place in places {
            let Some([first, second]) = entries.get(place..place + 2) else { continue };
            let (Fact::Agent { agent: one, .. }, Fact::Agent { agent: two, .. }) = (&first.fact, &second.fact)
            else { continue };
            if first.at == second.at && one != two {
                entries.swap(place, place + 1);
            }
        }
        for by in [By::HalfHour, By::Agent, By::Group] {
            prop_assert_eq!(asked(&pen.read(), &october(by)), asked(&read(&entries), &october(by)));
        }
    }
}
