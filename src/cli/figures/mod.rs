//! The commands about figures: those that read the history, `calls`, `explain`, `service-level` and
//! `operating`, and those that ask the running desk to write into it, `exclude` and `close-month`.

mod calls;
mod declare;
mod explain;
mod follow;
mod operating;
mod service_level;

pub use calls::{Calls, calls};
pub use declare::{CloseMonth, Exclude, close_month, exclude};
pub use explain::{Explain, explain};
pub use operating::{Operating, operating};
pub use service_level::{ServiceLevel, service_level};

use super::Reply;
use crate::dialplan::Lang;
use crate::view::{LeftOut, Standing};
use serde::Serialize;

/// JSON for a program, indented for a person.
fn json(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value);
    text.map(|text| text + "\n").unwrap_or_default() // plain values are always JSON
}

/// Where a call stands, in words.
fn stands(standing: Standing, lang: Lang) -> String {
    match standing {
        Standing::Numerator => {
            lang.pick("分子（母数にも入る）", "numerator (and so in the total)").to_owned()
        }
        Standing::Total => lang.pick("母数だけに入る", "in the total only").to_owned(),
        Standing::Out { why, setting, exclusion } => {
            let (ja, en) = why.said();
            let mut said = lang.pick(format!("対象外: {ja}"), format!("left out: {en}"));
            match (why, setting, exclusion) {
                (LeftOut::ExcludedPeriod, _, Some(exclusion)) => {
                    said.push_str(&lang.pick(
                        format!("（対象外期間 {exclusion}）"),
                        format!(" (exclusion {exclusion})"),
                    ));
                }
                (LeftOut::BySetting, Some(setting), _) => {
                    said.push_str(&lang.pick(format!("（{setting}）"), format!(" ({setting})")));
                }
                _ => {}
            }
            said
        }
    }
}

/// Milliseconds as seconds with three decimals.
fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

fn plain(out: String, code: u8) -> Reply {
    Reply { out, code, ..Reply::default() }
}
