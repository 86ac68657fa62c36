//! Where agents' time went and how long calls took, as counters: what lasts is counted up to the last entry of
//! the history, so that no counter ever falls, not after a crash either. No agent is a label.

use super::page::Page;
use crate::view::{Doing, Views};

pub(super) fn worked(page: &mut Page, views: &Views) {
    let total = views.work_total();
    page.counter_seconds(
        "madoguchi_agents_seconds_total",
        "Where agents' time went, all agents together; docs/FIGURES.md says what each is.",
        &["doing"],
        Doing::ALL.into_iter().map(|doing| (vec![doing.name()], total.times.of(doing))),
    );
    page.counter(
        "madoguchi_agents_rings_total",
        "What came of ringing agents' phones for calls of the desk.",
        &["end"],
        total.rings.named().into_iter().map(|(end, count)| (vec![end], count)),
    );
    let calls = views.total();
    let parts = [
        ("talk", calls.talk_ms.saturating_sub(calls.hold_ms)),
        ("hold", calls.hold_ms),
        ("wrap_up", calls.wrap_up_ms),
    ];
    page.counter_seconds(
        "madoguchi_calls_handling_seconds_total",
        "Talk, hold and after-call work of calls at counted numbers, counted when each is over.",
        &["part"],
        parts.into_iter().map(|(part, ms)| (vec![part], ms)),
    );
}

#[cfg(test)]
mod tests {
    use super::super::Metrics;
    use crate::base::{CallId, Wall};
    use crate::event::{
        AgentEvent, CallEvent, Caller, CallerNumber, EndCause, Entry, Fact, Means, OfferEnd,
        Origin, Party,
    };
    use crate::view::{Gauges, Policy, Setup, Views};

    #[test]
    fn time_rings_and_handling_are_counters_without_an_agent_in_them() {
        let mut views = Views::new(Setup {
            desk: "窓口".into(),
            demonstration: false,
            timezone: chrono_tz::Asia::Tokyo,
            policy: Policy::default(),
            agents: vec![("2001".into(), "佐藤".into())],
        });
        let mut seq = 0;
        let mut fact = |views: &mut Views, at: i64, fact| {
            seq += 1;
            views.apply(&Entry { seq, at: Wall(1_790_816_400_000 + at), fact });
        };
        let agent = |event| Fact::Agent { agent: "2001".into(), event };
        let call =
            |t_ms, event| Fact::Call { call: CallId(uuid::Uuid::from_u64_pair(1, 0)), t_ms, event };
        let caller = Caller { number: CallerNumber::Withheld, name: None, diverted_from: None };
        let origin = Origin::Trunk("carrier".into());
        let arrived =
            CallEvent::Arrived { number: "0312345678".into(), caller, origin, counted: true };
        let rang = |why| CallEvent::OfferEnded { agent: "2001".into(), why };
        let ended = CallEvent::Ended { by: Party::Caller, cause: EndCause::HungUp };
        fact(&mut views, 0, agent(AgentEvent::SignedIn { by: Means::Api }));
        fact(&mut views, 0, agent(AgentEvent::Phone { reachable: true }));
        fact(&mut views, 1_000, call(0, arrived));
        fact(&mut views, 1_000, call(0, CallEvent::OfferMade { agent: "2001".into() }));
        fact(&mut views, 3_000, call(2_000, rang(OfferEnd::RangOut)));
        fact(&mut views, 3_000, agent(AgentEvent::Talking));
        fact(&mut views, 3_000, call(2_000, CallEvent::OperatorAnswered { agent: "2001".into() }));
        fact(&mut views, 7_000, call(6_000, CallEvent::Held { by: Party::Agent }));
        fact(&mut views, 8_000, agent(AgentEvent::WrapUp { for_ms: 9_000 }));
        fact(&mut views, 8_000, call(7_000, ended));
        fact(&mut views, 10_000, agent(AgentEvent::Phone { reachable: true }));
        let page = |views: &Views| {
            Metrics::new("1").render(views, &Gauges::default(), Wall(1_790_816_500_000), &|_| None)
        };
        let has = |page: &str, line: &str| {
            assert!(page.lines().any(|found| found == line), "{line} in {page}");
        };
        let then = page(&views);
        for line in [
            "madoguchi_agents_seconds_total{doing=\"idle\"} 1",
            "madoguchi_agents_seconds_total{doing=\"ringing\"} 2",
            "madoguchi_agents_seconds_total{doing=\"talk\"} 4",
            "madoguchi_agents_seconds_total{doing=\"hold\"} 1",
            // It lasts; the last entry is two seconds younger.
            "madoguchi_agents_seconds_total{doing=\"wrap_up\"} 2",
            "madoguchi_agents_seconds_total{doing=\"paused\"} 0",
            "madoguchi_agents_rings_total{end=\"missed\"} 1",
            "madoguchi_agents_rings_total{end=\"refused\"} 0",
            "madoguchi_calls_handling_seconds_total{part=\"talk\"} 4",
            "madoguchi_calls_handling_seconds_total{part=\"hold\"} 1",
            "madoguchi_calls_handling_seconds_total{part=\"wrap_up\"} 0",
        ] {
            has(&then, line);
        }
        fact(&mut views, 17_000, agent(AgentEvent::Idle));
        has(&page(&views), "madoguchi_calls_handling_seconds_total{part=\"wrap_up\"} 9");
        has(&page(&views), "madoguchi_agents_seconds_total{doing=\"wrap_up\"} 9");
        assert!(!then.contains("2001"), "no agent is named");
    }
}
