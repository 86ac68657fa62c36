//! How long people take: one time, or a law that times are drawn from.

use super::{real, whole};
use crate::base::Rng;
use crate::dialplan::show_duration;
use crate::dialplan::values::duration;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::time::Duration;

/// How long something lasts. Drawn with arithmetic that is the same on every machine (`libm`, no processor's own
/// logarithm).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Lasts {
    /// Always as long.
    Fixed(Time),
    /// Without memory: who has waited a minute is no nearer to the end than who came just now; the mean.
    Exponential(Time),
    /// Mostly near its middle, sometimes much longer, as talks are; the mean, and the standard deviation as a
    /// part of it.
    LogNormal {
        /// The mean.
        mean: Time,
        /// Standard deviation / mean.
        cv: f64,
    },
    /// Anything between the two alike.
    Between(Time, Time),
    /// As it was found: by which time which part is over, both rising, straight in between. What is missing to 1
    /// never ends.
    Curve(Vec<(f64, Time)>),
    /// It never ends.
    Never,
}

/// A duration as a file writes it: `90s`, `5m`, `250ms`, `1h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub Duration);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&show_duration(self.0))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let due = "a number with its unit, such as 90s, 5m, 250ms or 1h, at most 24h";
        duration(&text).filter(|time| *time <= Duration::from_hours(24)).map(Self).ok_or_else(
            || serde::de::Error::custom(format!("{text:?} is no duration; due is {due}")),
        )
    }
}

/// Uniform in (0, 1), neither end included.
pub(super) fn uniform(rng: &mut Rng) -> f64 {
    // 53 bits; the half keeps 0 out, so that its logarithm is one.
    (real(rng.bits() >> 11) + 0.5) / 9_007_199_254_740_992.0
}

/// Exponential with mean 1.
pub(super) fn exponential(rng: &mut Rng) -> f64 {
    -libm::log(uniform(rng))
}

/// Normal with mean 0 and deviation 1 (Box and Muller; the second of a pair is not kept, so that what is drawn
/// does not depend on what was drawn before).
fn normal(rng: &mut Rng) -> f64 {
    let radius = libm::sqrt(2.0 * exponential(rng));
    radius * libm::cos(core::f64::consts::TAU * uniform(rng))
}

/// Gamma with mean 1 and this coefficient of variation (Marsaglia and Tsang 2000).
pub(super) fn gamma(rng: &mut Rng, cv: f64) -> f64 {
    let shape = 1.0 / (cv * cv);
    let boosted = if shape < 1.0 { shape + 1.0 } else { shape };
    let d = boosted - 1.0 / 3.0;
    let c = 1.0 / libm::sqrt(9.0 * d);
    let drawn = loop {
        let x = normal(rng);
        let v = libm::pow(1.0 + c * x, 3.0);
        if v > 0.0 && libm::log(uniform(rng)) < 0.5 * x * x + d - d * v + d * libm::log(v) {
            break d * v;
        }
    };
    let boost = if shape < 1.0 { libm::pow(uniform(rng), 1.0 / shape) } else { 1.0 };
    drawn * boost / shape
}

impl Lasts {
    /// Always so long.
    #[must_use]
    pub fn fixed(time: Duration) -> Self {
        Self::Fixed(Time(time))
    }

    /// Without memory, of this mean.
    #[must_use]
    pub fn exponential(mean: Duration) -> Self {
        Self::Exponential(Time(mean))
    }

    /// What cannot be drawn from, in words: a curve that falls, a deviation that is none.
    ///
    /// # Errors
    ///
    /// What is due.
    pub fn check(&self) -> Result<(), &'static str> {
        match self {
            Self::LogNormal { cv, .. } if !(cv.is_finite() && (0.0..=10.0).contains(cv)) => {
                Err("cv is due between 0 and 10")
            }
            Self::Between(from, until) if from > until => {
                Err("the second time of between is due to be no shorter than the first")
            }
            Self::Curve(points) => {
                let parts_ok = points.iter().all(|(part, _)| (0.0..=1.0).contains(part));
                let pairs = points.iter().zip(points.iter().skip(1));
                let rises = pairs.into_iter().all(|(a, b)| a.0 <= b.0 && a.1 <= b.1);
                if points.is_empty() || points.len() > 10_000 || !parts_ok || !rises {
                    return Err(
                        "a curve is due as 1 to 10000 pairs of a part between 0 and 1 and a time, both rising",
                    );
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// One time, to the millisecond as the history counts; none: never.
    pub fn draw(&self, rng: &mut Rng) -> Option<Duration> {
        let of_ms = |ms: f64| Duration::from_millis(whole(ms + 0.5));
        match self {
            Self::Fixed(time) => Some(time.0),
            Self::Exponential(mean) => Some(of_ms(ms(*mean) * exponential(rng))),
            Self::LogNormal { mean, cv } => {
                let variance = libm::log(1.0 + cv * cv);
                let middle = libm::log(ms(*mean).max(1.0)) - variance / 2.0;
                Some(of_ms(libm::exp(middle + libm::sqrt(variance) * normal(rng))))
            }
            Self::Between(from, until) => {
                Some(of_ms(ms(*from) + (ms(*until) - ms(*from)) * uniform(rng)))
            }
            Self::Curve(points) => {
                let drawn = uniform(rng);
                let (mut below, mut from) = (0.0, 0.0);
                for (part, time) in points {
                    if drawn <= *part {
                        let way =
                            if *part > below { (drawn - below) / (part - below) } else { 1.0 };
                        return Some(of_ms(from + (ms(*time) - from) * way));
                    }
                    (below, from) = (*part, ms(*time));
                }
                None
            }
            Self::Never => None,
        }
    }

    /// Its mean; none of what may never end.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        match self {
            Self::Fixed(time) | Self::Exponential(time) => Some(time.0),
            Self::LogNormal { mean, .. } => Some(mean.0),
            Self::Between(from, until) => Some((from.0 + until.0) / 2),
            Self::Curve(points) => {
                let (mut below, mut from, mut sum) = (0.0, 0.0, 0.0);
                for (part, time) in points {
                    sum += (part - below) * (from + ms(*time)) / 2.0;
                    (below, from) = (*part, ms(*time));
                }
                (below >= 1.0).then(|| Duration::from_millis(whole(sum + 0.5)))
            }
            Self::Never => None,
        }
    }
}

fn ms(time: Time) -> f64 {
    real(u64::try_from(time.0.as_millis()).unwrap_or(u64::MAX))
}
