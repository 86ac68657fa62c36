//! What can be wrong with a table of calls, and what a call can do otherwise than the table says, in
//! Japanese and English.

use crate::dialplan::shape::{Row, message, say};
use crate::dialplan::{Message, Severity};

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// No call in the table.
    NoCalls,
    /// A call of which nothing is due.
    NothingDue,
    /// Not a time.
    BadTime { found: String },
    /// Neither a number nor a desk number's name.
    BadNumber { found: String },
    /// Not a key.
    BadPress { found: char },
    /// Not one way that a call can lead.
    BadLeads { found: usize },
    /// The plan has no such agent.
    NoAgent { name: String, near: Option<String> },
    /// The call does something else.
    Otherwise { call: String, key: &'static str, found: [String; 2], due: String },
}

impl From<Problem> for Message {
    fn from(problem: Problem) -> Self {
        message(problem.row())
    }
}

impl Problem {
    fn row(&self) -> Row {
        use Severity::{Error, Warning};
        match self {
            Self::NoCalls => (
                Warning,
                "no-calls",
                say!("この表に電話が一つもない", "there is no call in this table"),
                say!("[[calls]] を一つ以上", "one [[calls]] or more"),
            ),
            Self::NothingDue => (
                Error,
                "nothing-due",
                say!(
                    "この電話がどうなるべきかが書かれていない",
                    "nothing is said of what this call must do"
                ),
                say!(
                    "leads_to, hours, rings, rings_outside, answered_by, answered_outside, hears, never_hears, agent_hears, outcome, counted のどれかを書く",
                    "one or more of leads_to, hours, rings, rings_outside, answered_by, answered_outside, hears, never_hears, agent_hears, outcome, counted"
                ),
            ),
            Self::BadTime { found } => (
                Error,
                "bad-time",
                say!("\"{found}\" は日時として読めない", "\"{found}\" is not a time"),
                say!("2026-12-30T10:00 の形", "such as 2026-12-30T10:00"),
            ),
            Self::BadNumber { found } => (
                Error,
                "bad-number",
                say!(
                    "\"{found}\" は番号でも着信番号の名前でもない",
                    "\"{found}\" is neither a number nor a desk number's name"
                ),
                say!("かける番号か、着信番号の name", "what is dialled, or a desk number's name"),
            ),
            Self::BadPress { found } => (
                Error,
                "bad-press",
                say!("\"{found}\" はキーではない", "\"{found}\" is no key"),
                say!("0〜9、*、#、何も押さない時は -", "0 to 9, *, #, or - for none"),
            ),
            Self::BadLeads { found } => (
                Error,
                "bad-leads-to",
                say!("行き先が {found} 個書かれている", "there are {found} ways to go"),
                say!(
                    "{{ group = \"…\" }}, {{ extension = \"…\" }}, {{ announce = \"…\" }}, {{ refuse = 486 }}, {{ code = \"…\" }}, {{ park = \"…\" }}, {{ nowhere = true }} のどれか一つ",
                    "exactly one: {{ group = \"…\" }}, {{ extension = \"…\" }}, {{ announce = \"…\" }}, {{ refuse = 486 }}, {{ code = \"…\" }}, {{ park = \"…\" }} or {{ nowhere = true }}"
                ),
            ),
            Self::NoAgent { name, near } => {
                let due = match near {
                    Some(near) => say!("{near} のことですか", "did you mean {near}?"),
                    None => say!(
                        "計画の [agents] にある内線か、rest",
                        "an extension of the plan's [agents], or rest"
                    ),
                };
                (
                    Error,
                    "no-such",
                    say!("オペレータ {name} がない", "there is no agent {name}"),
                    due,
                )
            }
            Self::Otherwise { call, key, found: [ja, en], due } => (
                Error,
                "otherwise",
                say!("「{call}」: {key} は {ja}", "\"{call}\": {key} is {en}"),
                say!(
                    "{due}（計画が違うのか、表が違うのか）",
                    "{due} (either the plan or the table is wrong)"
                ),
            ),
        }
    }
}
