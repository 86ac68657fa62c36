//! One scrape's page: a registry that is filled and printed, and the numbers as it wants them.

use crate::view::Spread;
use prometheus::core::{Atomic, Collector, Desc, GenericCounter, GenericGauge};
use prometheus::proto;
use prometheus::{CounterVec, GaugeVec, IntCounterVec, Opts, Registry, TextEncoder};

#[allow(clippy::cast_precision_loss)] // Far below 2^53.
pub(super) fn number(value: u64) -> f64 {
    value as f64
}

pub(super) fn float(value: usize) -> f64 {
    number(u64::try_from(value).unwrap_or(u64::MAX))
}

pub(super) fn seconds(ms: u64) -> f64 {
    number(ms) / 1000.0
}

/// A registry of one scrape. A metric that cannot be made is our fault and shows in the tests of
/// the page; at run time it is left out and logged.
#[derive(Default)]
pub(super) struct Page {
    registry: Registry,
}

impl Page {
    fn add(&self, name: &str, metric: prometheus::Result<Box<dyn prometheus::core::Collector>>) {
        if let Err(error) = metric.and_then(|metric| self.registry.register(metric)) {
            tracing::error!(name, %error, "a metric cannot be made");
        }
    }

    pub fn counter<'a>(
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

    /// Milliseconds that were counted, in seconds.
    pub fn counter_seconds<'a>(
        &mut self,
        name: &str,
        help: &str,
        labels: &[&str],
        values: impl IntoIterator<Item = (Vec<&'a str>, u64)>,
    ) {
        let made = CounterVec::new(Opts::new(name, help), labels).and_then(|family| {
            for (labels, ms) in values {
                family.get_metric_with_label_values(&labels)?.inc_by(seconds(ms));
            }
            Ok(Box::new(family) as _)
        });
        self.add(name, made);
    }

    pub fn gauge<'a>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'a str, f64)>,
    ) {
        self.gauges(name, help, &[label], values.into_iter().map(|(it, value)| (vec![it], value)));
    }

    pub fn gauges<'a>(
        &mut self,
        name: &str,
        help: &str,
        labels: &[&str],
        values: impl IntoIterator<Item = (Vec<&'a str>, f64)>,
    ) {
        let made = GaugeVec::new(Opts::new(name, help), labels).and_then(|family| {
            for (labels, value) in values {
                family.get_metric_with_label_values(&labels)?.set(value);
            }
            Ok(Box::new(family) as _)
        });
        self.add(name, made);
    }

    pub fn one(&mut self, name: &str, help: &str, value: f64) {
        let made = GenericGauge::<prometheus::core::AtomicF64>::new(name, help).map(|metric| {
            metric.set(value);
            Box::new(metric) as _
        });
        self.add(name, made);
    }

    pub fn count(&mut self, name: &str, help: &str, value: u64) {
        self.counted::<prometheus::core::AtomicU64>(name, help, value);
    }

    pub fn count_seconds(&mut self, name: &str, help: &str, value: f64) {
        self.counted::<prometheus::core::AtomicF64>(name, help, value);
    }

    fn counted<A: Atomic + 'static>(&mut self, name: &str, help: &str, value: A::T) {
        let made = GenericCounter::<A>::new(name, help).map(|metric| {
            metric.inc_by(value);
            Box::new(metric) as _
        });
        self.add(name, made);
    }

    /// A histogram that was counted elsewhere.
    pub fn spread(&mut self, name: &str, help: &str, spread: &Spread) {
        let made =
            Desc::new(name.into(), help.into(), Vec::new(), std::collections::HashMap::new())
                .map(|desc| Box::new(Counted { desc, spread: spread.clone() }) as _);
        self.add(name, made);
    }

    pub fn text(&self) -> String {
        let mut text = String::new();
        if let Err(error) = TextEncoder::new().encode_utf8(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "the metrics page cannot be made");
        }
        text
    }
}

/// A histogram as the registry takes it.
struct Counted {
    desc: Desc,
    spread: Spread,
}

impl Collector for Counted {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.desc]
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        let mut so_far = 0;
        let below = self.spread.below.iter().map(|(bound, count)| {
            so_far += count;
            let mut bucket = proto::Bucket::default();
            bucket.set_upper_bound(*bound);
            bucket.set_cumulative_count(so_far);
            bucket
        });
        let mut histogram = proto::Histogram::default();
        histogram.set_bucket(below.collect());
        histogram.set_sample_count(self.spread.count);
        histogram.set_sample_sum(self.spread.sum);
        let mut metric = proto::Metric::default();
        metric.set_histogram(histogram);
        let mut family = proto::MetricFamily::default();
        family.set_name(self.desc.fq_name.clone());
        family.set_help(self.desc.help.clone());
        family.set_field_type(proto::MetricType::HISTOGRAM);
        family.set_metric(vec![metric]);
        vec![family]
    }
}
