//! The Prometheus page, made anew at each scrape from the views and the gauges.
//!
//! Nothing is counted here, so the page cannot disagree with the call list. Every label value of a
//! closed list is always there, at 0 when nothing happened: `increase()` would miss the first call
//! of an outcome that appears only with it.

use super::machine::machine;
use super::page::{Page, float, number, seconds};
use super::sound;
use super::worked::worked;
use super::{groups, today};
use crate::base::{CallId, TrunkId, Wall};
use crate::view::{AgentState, FullTime, Gauges, Month, Outcome, Ratio, Views};
use std::collections::BTreeMap;

/// The page's media type.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How long ago a call arrived, in milliseconds of the monotonic clock; none when not known.
pub type Age<'a> = &'a dyn Fn(CallId) -> Option<u64>;

/// Makes the page.
#[derive(Clone, Debug)]
pub struct Metrics {
    version: String,
}

impl Metrics {
    /// `version` is the program's.
    #[must_use]
    pub fn new(version: &str) -> Self {
        Self { version: version.to_owned() }
    }

    /// The page as it stands at `now`.
    #[must_use]
    pub fn render(&self, views: &Views, gauges: &Gauges, now: Wall, age_ms: Age<'_>) -> String {
        let mut page = Page::default();
        self.identity(&mut page, views);
        calls(&mut page, views, gauges, (now, age_ms));
        groups::groups(&mut page, views, gauges, age_ms);
        groups::desk_numbers(&mut page, gauges);
        today::today(&mut page, views, now);
        worked(&mut page, views);
        month(&mut page, views, now);
        super::told::told(&mut page, views, gauges);
        super::ticketing::targets(&mut page, views, gauges, now);
        sound::heard(&mut page, views);
        machine(&mut page, views, gauges);
        sound::done(&mut page, gauges);
        page.text()
    }

    fn identity(&self, page: &mut Page, views: &Views) {
        page.gauge(
            "madoguchi_build_info",
            "1; the label says which version runs.",
            "version",
            [(self.version.as_str(), 1.0)],
        );
        page.one(
            "madoguchi_demonstration",
            "1 when the calls are synthetic, else 0.",
            f64::from(u8::from(views.is_demonstration())),
        );
    }
}

/// Figures by trunk: those of the configuration at `none`, and those that the history knows.
fn by_trunk<'a, T: Copy>(
    gauges: &'a Gauges,
    none: T,
    known: impl Iterator<Item = (&'a TrunkId, T)>,
) -> impl Iterator<Item = (&'a str, T)> {
    let mut all: BTreeMap<&TrunkId, T> =
        gauges.trunk_names.iter().map(|trunk| (trunk, none)).collect();
    all.extend(known);
    all.into_iter().map(|(trunk, value)| (trunk.as_str(), value))
}

fn calls(page: &mut Page, views: &Views, gauges: &Gauges, (now, age_ms): (Wall, Age<'_>)) {
    let (counted, left_out) = views.totals();
    page.counter(
        "madoguchi_calls_total",
        "Calls whose outcome is decided, since the history began. counted=\"false\": numbers that are left out of the contract figures.",
        &["outcome", "counted"],
        Outcome::ALL.into_iter().flat_map(|outcome| {
            let name = outcome.name();
            [(vec![name, "true"], counted.get(outcome)), (vec![name, "false"], left_out.get(outcome))]
        }),
    );
    let total = views.total();
    page.count(
        "madoguchi_calls_arrived_total",
        "Calls that arrived at counted numbers, decided or not.",
        total.arrived,
    );
    page.count(
        "madoguchi_calls_offered_total",
        "Decided calls at counted numbers that had asked for an operator.",
        total.offered,
    );
    page.count(
        "madoguchi_calls_answered_within_target_total",
        "Of the offered calls, those answered within the target (20 s unless set otherwise).",
        total.in_time,
    );
    page.count_seconds(
        "madoguchi_calls_answer_wait_seconds_total",
        "Waits of answered calls together, from asking for an operator to the answer.",
        seconds(total.answer_wait_ms),
    );
    page.one(
        "madoguchi_calls_answer_target_seconds",
        "A call that is answered within so long is answered within the target.",
        seconds(views.policy().answer_target_ms),
    );
    page.one("madoguchi_calls_open", "Calls without an end.", float(views.open_count()));
    page.one(
        "madoguchi_calls_waiting",
        "Calls that asked for an operator and have none yet.",
        float(views.waiting_count()),
    );
    page.one(
        "madoguchi_calls_longest_wait_seconds",
        "The longest wait of a call that waits now; 0 when none does.",
        seconds(views.longest_wait_ms(age_ms)),
    );
    page.one(
        "madoguchi_channels_in_use",
        "Calls without an end that came by a trunk.",
        number(views.channels_in_use()),
    );
    page.gauge(
        "madoguchi_trunk_channels_in_use",
        "Calls without an end, by the trunk that brought them.",
        "trunk",
        by_trunk(gauges, 0, views.channels()).map(|(trunk, used)| (trunk, number(used))),
    );
    let full = || by_trunk(gauges, FullTime::default(), views.full_times());
    page.counter_seconds(
        "madoguchi_trunk_full_seconds_total",
        "Time in which the trunk had no channel left for callers, who then hear the carrier's busy tone and never reach us.",
        &["trunk"],
        full().map(|(trunk, full)| (vec![trunk], full.ms)),
    );
    page.gauge(
        "madoguchi_trunk_full_now_seconds",
        "For how long the trunk has had no channel left for callers; 0 when it has one. madoguchi_trunk_full_seconds_total has that time when it is over.",
        "trunk",
        by_trunk(gauges, 0, views.full_now(now)).map(|(trunk, ms)| (trunk, seconds(ms))),
    );
    page.counter(
        "madoguchi_trunk_full_total",
        "Times that the trunk's last channel for callers was taken.",
        &["trunk"],
        full().map(|(trunk, full)| (vec![trunk], full.times)),
    );
    page.one(
        "madoguchi_placed_calls_open",
        "Calls without an end that our phones placed outside or to phones that are no agent's.",
        float(views.placed_open()),
    );
    page.counter(
        "madoguchi_placed_calls_total",
        "Such calls that have ended. not_allowed: the plan lets that phone not call there; beyond_limits: it had as many calls, or talked as long today, as it may.",
        &["result"],
        views.placed_counts().map(|(result, count)| (vec![result], count)),
    );
    page.gauge(
        "madoguchi_agents",
        "Agents by what they do now.",
        "state",
        views.agent_counts().map(|(state, count): (AgentState, u64)| (state.name(), number(count))),
    );
}

fn month(page: &mut Page, views: &Views, now: Wall) {
    let policy = views.policy();
    let figures = views.month_tally(Month::of(views.day_of(now))).figures(policy);
    page.gauge(
        "madoguchi_month_calls",
        "Decided calls at counted numbers that arrived this month, by what they came to.",
        "outcome",
        Outcome::ALL.map(|it| (it.name(), number(figures.outcomes.get(it)))),
    );
    let mut rate = |name, help, ratio: Ratio| page.one(name, help, ratio.as_f64());
    rate(
        "madoguchi_month_abandon_ratio",
        "Abandon rate of the calls that arrived this month; NaN when there are none.",
        figures.abandon_rate.ratio,
    );
    rate(
        "madoguchi_month_busy_ratio",
        "Busy rate of the calls that arrived this month; NaN when there are none.",
        figures.busy_rate.ratio,
    );
    page.one(
        "madoguchi_month_abandon_limit_ratio",
        "The abandon rate must be below this.",
        f64::from(policy.abandon_limit.percent) / 100.0,
    );
    page.one(
        "madoguchi_month_busy_limit_ratio",
        "The busy rate must be below this.",
        f64::from(policy.busy_limit.percent) / 100.0,
    );
    let outlook = views.outlook(now);
    let rates = [("abandon", outlook.abandon), ("busy", outlook.busy)];
    page.gauge(
        "madoguchi_month_warning",
        "This month's rates: 0 nothing to say, 1 within and missed at the month's end at this pace, 2 missed.",
        "rate",
        rates.map(|(rate, it)| (rate, f64::from(it.warning.level()))),
    );
    // Nothing is said before there is a pace.
    let left = rates.map(|(rate, it)| (rate, it.left_in_month.map_or(f64::NAN, number)));
    page.gauge(
        "madoguchi_month_left_calls",
        "So many more calls in the rate's numerator does this month bear with the calls that are expected; NaN before its first whole day.",
        "rate",
        left,
    );
}

#[cfg(test)]
mod tests {
    use super::{Gauges, Metrics};
    use crate::base::{CallId, Wall};
    use crate::event::{CallEvent, Caller, CallerNumber, EndCause, Entry, Fact, Origin, Party};
    use crate::view::{JournalState, Policy, Setup, Views};
    use std::collections::BTreeMap;

    const NOW: Wall = Wall(1_790_780_400_000); // 2026-10-01T00:00:00+09:00

    fn views() -> Views {
        Views::new(Setup {
            desk: "desk".into(),
            demonstration: false,
            timezone: chrono_tz::Asia::Tokyo,
            policy: Policy::default(),
            agents: vec![("2001".into(), "佐藤".into())],
        })
    }

    /// `name{labels}` → value, and a check that the page is well formed.
    fn parse(page: &str) -> BTreeMap<&str, f64> {
        let mut typed = "";
        let mut found = BTreeMap::new();
        for line in page.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').expect("name and type");
                assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
                typed = name;
            } else if !line.starts_with('#') {
                let (name, value) = line.rsplit_once(' ').expect("name and value");
                assert!(name.starts_with(typed), "{line} below {typed}");
                assert!(name.starts_with("madoguchi_"), "{line}");
                let value = value.parse().expect("a number");
                assert!(found.insert(name, value).is_none(), "{line} twice");
            }
        }
        found
    }

    #[test]
    fn everything_is_there_before_the_first_call() {
        let page = Metrics::new("1.2.3").render(&views(), &Gauges::default(), NOW, &|_| None);
        let found = parse(&page);
        assert_eq!(found.get("madoguchi_build_info{version=\"1.2.3\"}"), Some(&1.0));
        let outcomes = found.keys().filter(|name| name.starts_with("madoguchi_calls_total{"));
        assert_eq!(outcomes.count(), 22);
        assert_eq!(
            found.get("madoguchi_calls_total{counted=\"true\",outcome=\"busy_released\"}"),
            Some(&0.0)
        );
        assert!(found["madoguchi_month_abandon_ratio"].is_nan());
        assert_eq!(found.get("madoguchi_agents{state=\"signed_out\"}"), Some(&1.0));
        assert_eq!(found.get("madoguchi_agents{state=\"idle\"}"), Some(&0.0));
    }

    #[test]
    fn the_page_says_what_the_views_say_and_nobodys_number() {
        let mut views = views();
        let caller = Caller {
            number: CallerNumber::Known("0398765432".to_owned().into()),
            name: Some("山田".to_owned().into()),
            diverted_from: None,
        };
        let arrived = CallEvent::Arrived {
            number: "0312345678".into(),
            caller,
            origin: Origin::Trunk("carrier".into()),
            counted: true,
        };
        let asked = CallEvent::OperatorAsked { group: None };
        let ended = CallEvent::Ended { by: Party::Caller, cause: EndCause::HungUp };
        let call = |n| CallId(uuid::Uuid::from_u64_pair(n, 0));
        let steps = [
            (1, 0, arrived.clone()),
            (1, 500, asked.clone()),
            (2, 0, arrived),
            (2, 0, asked),
            (2, 9_000, ended),
        ];
        for (seq, (n, t_ms, event)) in (1..).zip(steps) {
            views.apply(&Entry { seq, at: NOW, fact: Fact::Call { call: call(n), t_ms, event } });
        }
        let gauges =
            Gauges { journal: JournalState::Failing, journal_pending: 7, ..Gauges::default() };
        let page = Metrics::new("1").render(&views, &gauges, NOW, &|_| Some(12_500));
        let found = parse(&page);
        let due = [
            ("madoguchi_calls_total{counted=\"true\",outcome=\"abandoned\"}", 1.0),
            ("madoguchi_calls_waiting", 1.0),
            ("madoguchi_calls_longest_wait_seconds", 12.0),
            ("madoguchi_trunk_channels_in_use{trunk=\"carrier\"}", 1.0),
            ("madoguchi_month_abandon_ratio", 1.0),
            ("madoguchi_calls_offered_total", 1.0),
            ("madoguchi_journal_failing", 1.0),
            ("madoguchi_journal_pending_entries", 7.0),
        ];
        for (name, value) in due {
            assert_eq!(found.get(name), Some(&value), "{name}");
        }
        for private in ["0398765432", "山田", "0312345678"] {
            assert!(!page.contains(private), "{private}");
        }
    }
}
