//! `madoguchi simulate`, `forecast` and `validate`: the desk's own rules under virtual time (docs/FORECAST.md).

mod assumed;
mod compared;
mod next;
mod runs;
mod simulate;
mod staffing;
mod validate;

pub(super) use compared::outcomes;
pub(super) use next::next_month;
pub(crate) use runs::bundle;
pub use simulate::{Simulate, simulate};
pub use staffing::{Forecast, forecast};
pub use validate::{Validate, validate};

use crate::dialplan::Lang;
use crate::forecast::Interval;

/// A part as a percentage with two decimals, half up.
fn percent(part: f64) -> String {
    format!("{:.2} %", part * 100.0)
}

/// A mean with the span that 95 of 100 months lie in.
fn spread(of: Option<Interval>, lang: Lang, shown: impl Fn(f64) -> String) -> String {
    let Some(of) = of else { return lang.pick("呼なし", "no calls").to_owned() };
    let (mean, low, high) = (shown(of.mean), shown(of.between.0), shown(of.between.1));
    lang.pick(format!("{mean}（95%: {low} 〜 {high}）"), format!("{mean} (95 %: {low} to {high})"))
}
