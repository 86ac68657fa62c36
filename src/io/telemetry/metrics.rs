//! The Prometheus page, made anew at each scrape from the views and the gauges.
//!
//! Nothing is counted here, so the page cannot disagree with the call list. Every label value of a
//! closed list is always there, at 0 when nothing happened: `increase()` would miss the first call
//! of an outcome that appears only with it.

use crate::base::{CallId, Wall};
use crate::view::{AgentState, Gauges, JournalState, Month, Outcome, Ratio, Views};
use prometheus::core::{Atomic, GenericCounter, GenericGauge};
use prometheus::{GaugeVec, IntCounterVec, Opts, Registry, TextEncoder};

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
        calls(&mut page, views, age_ms);
        month(&mut page, views, now);
        machine(&mut page, gauges);
        admission(&mut page, gauges);
        config(&mut page, gauges);
        trace(&mut page, gauges);
        trunks(&mut page, gauges);
        journal(&mut page, views, gauges);
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

fn calls(page: &mut Page, views: &Views, age_ms: Age<'_>) {
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
        views.channels().map(|(trunk, used)| (trunk.as_str(), number(used))),
    );
    page.counter(
        "madoguchi_trunk_full_milliseconds_total",
        "Time in which the trunk had no channel left for callers, who then hear the carrier's busy tone and never reach us.",
        &["trunk"],
        views.full_times().map(|(trunk, full)| (vec![trunk.as_str()], full.ms)),
    );
    page.counter(
        "madoguchi_trunk_full_total",
        "Times that the trunk's last channel for callers was taken.",
        &["trunk"],
        views.full_times().map(|(trunk, full)| (vec![trunk.as_str()], full.times)),
    );
    page.one(
        "madoguchi_placed_calls_open",
        "Calls without an end that our phones placed outside or to phones that are no agent's.",
        float(views.placed_open()),
    );
    page.counter(
        "madoguchi_placed_calls_total",
        "Such calls that have ended.",
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
}

fn machine(page: &mut Page, gauges: &Gauges) {
    page.one(
        "madoguchi_engine_heartbeat_age_seconds",
        "Since the engine last said it lives.",
        seconds(gauges.engine_beat_age_ms),
    );
    page.one(
        "madoguchi_engine_queue_length",
        "Inputs that wait for the engine.",
        number(gauges.engine_queue),
    );
    page.count(
        "madoguchi_engine_shed_invites_total",
        "Requests refused with 503 because the engine was late (refused calls count as blocked, too).",
        gauges.shed_invites,
    );
    page.count(
        "madoguchi_engine_inputs_dropped_total",
        "Inputs thrown away because the engine's queue was full; SIP repeats them.",
        gauges.engine_inputs_dropped,
    );
    page.count(
        "madoguchi_engine_panics_total",
        "Faults caught in the engine; each cost the call that caused it.",
        gauges.engine_panics,
    );
    page.count(
        "madoguchi_journal_late_total",
        "Times that decisions went out before the journal had them, because it was late.",
        gauges.said_before_written,
    );
    page.one("madoguchi_engine_calls", "Calls the engine holds.", number(gauges.engine_calls));
    page.one("madoguchi_engine_legs", "SIP dialogs the engine holds.", number(gauges.legs));
    page.one(
        "madoguchi_sip_transactions",
        "SIP transactions held.",
        number(gauges.sip_transactions),
    );
    page.counter(
        "madoguchi_sip_messages_total",
        "SIP messages.",
        &["direction"],
        [(vec!["in"], gauges.sip_messages_in), (vec!["out"], gauges.sip_messages_out)],
    );
    page.count(
        "madoguchi_sip_malformed_total",
        "Received bytes that were no SIP message.",
        gauges.sip_malformed,
    );
    page.count(
        "madoguchi_sip_connections_refused_total",
        "SIP connections not let in, or ended for others, at a bound.",
        gauges.sip_connections_refused,
    );
    page.count(
        "madoguchi_sip_handshakes_failed_total",
        "SIP connections that came to nothing in TLS or in a WebSocket's request.",
        gauges.sip_handshakes_failed,
    );
    page.count(
        "madoguchi_sip_stun_answers_total",
        "STUN requests of phones answered.",
        gauges.stun_answers,
    );
    page.one(
        "madoguchi_sip_registrations",
        "Registrations in force.",
        number(gauges.registrations),
    );
    page.one(
        "madoguchi_sip_subscriptions",
        "Subscriptions in force: lamps and the like that phones watch.",
        number(gauges.subscriptions),
    );
    page.one(
        "madoguchi_media_heartbeat_age_seconds",
        "Since the slowest media thread last said it lives.",
        seconds(gauges.media_beat_age_ms),
    );
    page.one("madoguchi_media_ports", "RTP ports open.", number(gauges.media_ports));
    page.one(
        "madoguchi_media_mixes",
        "Conversations whose sound is decoded: pairs that share no codec, and more than two at once.",
        number(gauges.media_mixes),
    );
    page.counter(
        "madoguchi_rtp_packets_total",
        "RTP packets.",
        &["direction"],
        [(vec!["in"], gauges.rtp_packets_in), (vec!["out"], gauges.rtp_packets_out)],
    );
    page.count(
        "madoguchi_rtp_packets_dropped_total",
        "RTP packets thrown away: wrong source, malformed, no room.",
        gauges.rtp_packets_dropped,
    );
}

fn admission(page: &mut Page, gauges: &Gauges) {
    page.one(
        "madoguchi_sip_blocked_sources",
        "Sources that are not listened to, as a whole or as one account, because they guessed at passwords.",
        number(gauges.blocked_sources),
    );
    page.count(
        "madoguchi_sip_auth_failures_total",
        "Wrong answers to our challenge; a challenge itself is none.",
        gauges.auth_failures,
    );
    page.count(
        "madoguchi_sip_auth_against_rules_total",
        "Of the wrong answers, those for an account that may not come from there or that way.",
        gauges.auth_against_rules,
    );
    page.count(
        "madoguchi_sip_auth_unheard_total",
        "Answers that were not looked at because their source is blocked.",
        gauges.auth_unheard,
    );
}

fn config(page: &mut Page, gauges: &Gauges) {
    page.one(
        "madoguchi_config_loaded_timestamp_seconds",
        "When the configuration in force was read.",
        number(u64::try_from(gauges.config_loaded_s).unwrap_or(0)),
    );
    page.count(
        "madoguchi_config_reload_failures_total",
        "Readings of changed files that were refused for what they found.",
        gauges.reloads_refused,
    );
}

fn trace(page: &mut Page, gauges: &Gauges) {
    page.one(
        "madoguchi_trace_messages",
        "SIP messages kept for looking at.",
        number(gauges.trace_messages),
    );
    page.one("madoguchi_trace_bytes", "Memory that they take.", number(gauges.trace_bytes));
    page.count(
        "madoguchi_trace_pushed_out_total",
        "SIP messages dropped from the trace before their time, for want of room.",
        gauges.trace_pushed_out,
    );
    page.count(
        "madoguchi_trace_exported_total",
        "SIP messages sent to the collector.",
        gauges.trace_exported,
    );
    page.count(
        "madoguchi_trace_unexported_total",
        "SIP messages that the collector did not get: it was away or slow, or they were too long.",
        gauges.trace_unexported,
    );
}

fn trunks(page: &mut Page, gauges: &Gauges) {
    let registered = gauges
        .trunks
        .iter()
        .filter_map(|trunk| Some((trunk.trunk.as_str(), f64::from(u8::from(trunk.registered?)))));
    page.gauge(
        "madoguchi_trunk_registered",
        "1 while we are registered with the trunk's carrier, else 0; no line for trunks that are not registered with.",
        "trunk",
        registered,
    );
    page.gauge(
        "madoguchi_trunk_servers_well",
        "Addresses of the trunk's servers that calls are sent to.",
        "trunk",
        gauges.trunks.iter().map(|trunk| (trunk.trunk.as_str(), number(trunk.servers_well))),
    );
}

fn journal(page: &mut Page, views: &Views, gauges: &Gauges) {
    page.one(
        "madoguchi_journal_failing",
        "1 while the journal cannot be written, else 0.",
        f64::from(u8::from(gauges.journal == JournalState::Failing)),
    );
    page.one(
        "madoguchi_journal_pending_entries",
        "Entries decided and not yet on disk.",
        number(gauges.journal_pending),
    );
    page.count(
        "madoguchi_journal_lost_entries_total",
        "Entries given up because the journal was away too long.",
        gauges.journal_lost,
    );
    page.count(
        "madoguchi_journal_transactions_total",
        "Transactions written.",
        gauges.journal_transactions,
    );
    page.count(
        "madoguchi_history_entries_total",
        "Entries that the figures contain.",
        views.last_seq(),
    );
    page.count("madoguchi_history_holes_total", "Entries missing in the history.", views.holes());
    page.count(
        "madoguchi_history_strays_total",
        "Entries about calls that had not arrived or were over.",
        views.strays(),
    );
}

#[allow(clippy::cast_precision_loss)] // Far below 2^53.
fn number(value: u64) -> f64 {
    value as f64
}

fn float(value: usize) -> f64 {
    number(u64::try_from(value).unwrap_or(u64::MAX))
}

fn seconds(ms: u64) -> f64 {
    number(ms) / 1000.0
}

/// A registry of one scrape. A metric that cannot be made is our fault and shows in the tests of
/// the page; at run time it is left out and logged.
#[derive(Default)]
struct Page {
    registry: Registry,
}

impl Page {
    fn add(&self, name: &str, metric: prometheus::Result<Box<dyn prometheus::core::Collector>>) {
        if let Err(error) = metric.and_then(|metric| self.registry.register(metric)) {
            tracing::error!(name, %error, "metric");
        }
    }

    fn counter<'a>(
        &mut self,
        name: &str,
        help: &str,
        labels: &[&str],
        values: impl IntoIterator<Item = (Vec<&'a str>, u64)>,
    ) {
        let made = IntCounterVec::new(Opts::new(name, help), labels).and_then(|family| {
            for (labels, value) in values {
                family.get_metric_with_label_values(&labels)?.inc_by(value);
            }
            Ok(Box::new(family) as _)
        });
        self.add(name, made);
    }

    fn gauge<'a>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'a str, f64)>,
    ) {
        let made = GaugeVec::new(Opts::new(name, help), &[label]).and_then(|family| {
            for (label, value) in values {
                family.get_metric_with_label_values(&[label])?.set(value);
            }
            Ok(Box::new(family) as _)
        });
        self.add(name, made);
    }

    fn one(&mut self, name: &str, help: &str, value: f64) {
        let made = GenericGauge::<prometheus::core::AtomicF64>::new(name, help).map(|metric| {
            metric.set(value);
            Box::new(metric) as _
        });
        self.add(name, made);
    }

    fn count(&mut self, name: &str, help: &str, value: u64) {
        self.counted::<prometheus::core::AtomicU64>(name, help, value);
    }

    fn count_seconds(&mut self, name: &str, help: &str, value: f64) {
        self.counted::<prometheus::core::AtomicF64>(name, help, value);
    }

    fn counted<A: Atomic + 'static>(&mut self, name: &str, help: &str, value: A::T) {
        let made = GenericCounter::<A>::new(name, help).map(|metric| {
            metric.inc_by(value);
            Box::new(metric) as _
        });
        self.add(name, made);
    }

    fn text(&self) -> String {
        let mut text = String::new();
        if let Err(error) = TextEncoder::new().encode_utf8(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "metrics page");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{Gauges, Metrics};
    use crate::base::{CallId, Wall};
    use crate::event::{
        CallEvent, Caller, CallerNumber, EndCause, Entry, Fact, Origin, Party, TrunkEvent,
    };
    use crate::view::TrunkGauge;
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

    /// Every metric is in docs/METRICS.md with its help, and nothing else is.
    #[test]
    fn the_document_lists_every_metric() {
        let mut views = views();
        views.apply(&Entry {
            seq: 1,
            at: NOW,
            fact: Fact::Call {
                call: CallId(uuid::Uuid::from_u64_pair(1, 0)),
                t_ms: 0,
                event: CallEvent::Arrived {
                    number: "0312345678".into(),
                    caller: Caller {
                        number: CallerNumber::Withheld,
                        name: None,
                        diverted_from: None,
                    },
                    origin: Origin::Trunk("carrier".into()),
                    counted: true,
                },
            },
        });
        let trunk = Fact::Trunk { trunk: "carrier".into(), event: TrunkEvent::ChannelsFull };
        views.apply(&Entry { seq: 2, at: NOW, fact: trunk });
        let trunk = TrunkGauge {
            trunk: "carrier".into(),
            registered: Some(true),
            refused: None,
            server: None,
            servers: 1,
            servers_well: 1,
        };
        let gauges = Gauges { trunks: vec![trunk], ..Gauges::default() };
        let page = Metrics::new("1").render(&views, &gauges, NOW, &|_| None);
        let due: Vec<String> = page
            .lines()
            .filter_map(|line| line.strip_prefix("# HELP "))
            .filter_map(|line| line.split_once(' '))
            .map(|(name, help)| format!("| `{name}` | {help} |"))
            .collect();
        let document = include_str!("../../../docs/METRICS.md");
        let found: Vec<&str> =
            document.lines().filter(|line| line.starts_with("| `madoguchi_")).collect();
        assert_eq!(found, due, "docs/METRICS.md");
    }
}
