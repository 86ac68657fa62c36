//! Reading a fact from its text, quickly: the kinds of which a history is full are read where they stand,
//! all others, and whatever looks unusual, by the definition in `serde`. Both ways read the same, which is
//! what this file's test holds; how fast the quick one is decides how long a full replay takes.

use super::scan::{Field, Scan, unquoted};
use super::{AgentEvent, CallEvent, Caller, CallerNumber, EndCause, Fact, Means, Origin, Party};
use super::{OfferEnd, Purpose};
use crate::base::{CallId, Private};
use std::cell::Cell;

/// Reads what the column `body` of an entry holds.
///
/// # Errors
///
/// Those of `serde_json`.
pub fn read(body: &str) -> Result<Fact, serde_json::Error> {
    quick(body).map_or_else(|| serde_json::from_str(body), Ok)
}

/// None when it is to be read by the definition.
fn quick(body: &str) -> Option<Fact> {
    let fact = Names::of(body)?;
    let event = Names::of(fact.value("event")?)?;
    let read = match fact.word("of")? {
        "call" => {
            let call = CallId(uuid::Uuid::try_parse(fact.word("call")?).ok()?);
            let t_ms = fact.number("t_ms")?;
            Fact::Call { call, t_ms, event: of_call(&event)? }
        }
        "agent" => Fact::Agent { agent: fact.word("agent")?.into(), event: of_agent(&event)? },
        _ => return None,
    };
    (fact.is_used_up() && event.is_used_up()).then_some(read)
}

fn of_call(event: &Names<'_>) -> Option<CallEvent> {
    Some(match event.word("kind")? {
        "arrived" => CallEvent::Arrived {
            number: event.word("number")?.into(),
            caller: caller(event.value("caller")?)?,
            origin: origin(event.value("origin")?)?,
            counted: event.flag("counted")?,
        },
        "accepted" => CallEvent::Accepted,
        "menu_entered" => CallEvent::MenuEntered { menu: event.word("menu")?.into() },
        "menu_timed_out" => CallEvent::MenuTimedOut { menu: event.word("menu")?.into() },
        "key_pressed" => {
            let mut keys = event.word("key")?.chars();
            let (Some(key), None) = (keys.next(), keys.next()) else { return None };
            CallEvent::KeyPressed { menu: event.word("menu")?.into(), key }
        }
        "operator_asked" => CallEvent::OperatorAsked {
            group: match event.value("group")? {
                "null" => None,
                name => Some(unquoted(name)?.into()),
            },
        },
        "queued" => CallEvent::Queued {
            group: event.word("group")?.into(),
            position: event.number("position")?.try_into().ok()?,
        },
        "announced" => CallEvent::Announced {
            prompt: event.word("prompt")?.into(),
            purpose: purpose(event.word("purpose")?)?,
        },
        "offer_made" => CallEvent::OfferMade { agent: event.word("agent")?.into() },
        "offer_ended" => CallEvent::OfferEnded {
            agent: event.word("agent")?.into(),
            why: offer_end(event.value("why")?)?,
        },
        "operator_answered" => CallEvent::OperatorAnswered { agent: event.word("agent")?.into() },
        "ended" => CallEvent::Ended {
            by: match event.word("by")? {
                "caller" => Party::Caller,
                "agent" => Party::Agent,
                "system" => Party::System,
                _ => return None,
            },
            cause: cause(event.value("cause")?)?,
        },
        _ => return None,
    })
}

fn of_agent(event: &Names<'_>) -> Option<AgentEvent> {
    let by = || {
        Some(match event.word("by")? {
            "feature_code" => Means::FeatureCode,
            "key" => Means::Key,
            "api" => Means::Api,
            "rule" => Means::Rule,
            _ => return None,
        })
    };
    Some(match event.word("kind")? {
        "signed_in" => AgentEvent::SignedIn { by: by()? },
        "signed_out" => AgentEvent::SignedOut { by: by()? },
        "paused" => AgentEvent::Paused { by: by()?, reason: event.word("reason")?.to_owned() },
        "unpaused" => AgentEvent::Unpaused { by: by()? },
        "talking" => AgentEvent::Talking,
        "wrap_up" => AgentEvent::WrapUp { for_ms: event.number("for_ms")? },
        "idle" => AgentEvent::Idle,
        "phone" => AgentEvent::Phone { reachable: event.flag("reachable")? },
        _ => return None,
    })
}

fn caller(text: &str) -> Option<Caller> {
    let caller = Names::of(text)?;
    // Each may be left out, or stand there as nothing.
    let name = |name| match caller.value(name) {
        None | Some("null") => Some(None),
        Some(text) => unquoted(text).map(|text| Some(Private::new(text.to_owned()))),
    };
    let number = match caller.value("number")? {
        "\"withheld\"" => CallerNumber::Withheld,
        "\"payphone\"" => CallerNumber::Payphone,
        "\"unavailable\"" => CallerNumber::Unavailable,
        known => CallerNumber::Known(Private::new(only(known, "known")?.to_owned())),
    };
    let read = Caller { number, name: name("name")?, diverted_from: name("diverted_from")? };
    caller.is_used_up().then_some(read)
}

fn origin(text: &str) -> Option<Origin> {
    let trunk = only(text, "trunk").map(|trunk| Origin::Trunk(trunk.into()));
    trunk.or_else(|| only(text, "extension").map(|it| Origin::Extension(it.into())))
}

/// The text in an object of one field.
fn only<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let names = Names::of(text)?;
    names.word(name).filter(|_| names.is_used_up())
}

fn purpose(word: &str) -> Option<Purpose> {
    Some(match word {
        "greeting" => Purpose::Greeting,
        "busy" => Purpose::Busy,
        "comfort" => Purpose::Comfort,
        "position" => Purpose::Position,
        "wait" => Purpose::Wait,
        "after_hours" => Purpose::AfterHours,
        "information" => Purpose::Information,
        "release" => Purpose::Release,
        _ => return None,
    })
}

fn offer_end(text: &str) -> Option<OfferEnd> {
    Some(match only(text, "end")? {
        "rang_out" => OfferEnd::RangOut,
        "caller_left" => OfferEnd::CallerLeft,
        "taken_elsewhere" => OfferEnd::TakenElsewhere,
        "unreachable" => OfferEnd::Unreachable,
        "withdrawn" => OfferEnd::Withdrawn,
        _ => return None,
    })
}

fn cause(text: &str) -> Option<EndCause> {
    Some(match only(text, "cause")? {
        "hung_up" => EndCause::HungUp,
        "queue_full" => EndCause::QueueFull,
        "waited_too_long" => EndCause::WaitedTooLong,
        "menu_done" => EndCause::MenuDone,
        "closed_told" => EndCause::ClosedTold,
        "transferred" => EndCause::Transferred,
        "restart" => EndCause::Restart,
        _ => return None,
    })
}

/// Fields of one object; events with more are read by the definition.
const MOST: usize = 8;

/// An object's values by their names.
struct Names<'a> {
    fields: [Field<'a>; MOST],
    count: usize,
    /// How many were asked for and found; what is not asked for has not been looked at.
    used: Cell<usize>,
}

impl<'a> Names<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let mut fields = [Field::default(); MOST];
        let count = Scan::few(text, &mut fields)?;
        Some(Self { fields, count, used: Cell::new(0) })
    }

    /// To be asked for once.
    fn value(&self, name: &str) -> Option<&'a str> {
        let mut fields = self.fields.iter().take(self.count);
        let field = fields.find(|field| field.name == name)?;
        self.used.set(self.used.get() + 1);
        Some(field.value)
    }

    fn is_used_up(&self) -> bool {
        self.used.get() == self.count
    }

    /// A text in which nothing is escaped.
    fn word(&self, name: &str) -> Option<&'a str> {
        unquoted(self.value(name)?)
    }

    fn number(&self, name: &str) -> Option<u64> {
        let digits = self.value(name)?;
        let plain = digits == "0" || !digits.starts_with(['0', '+']);
        plain.then(|| digits.parse().ok())?
    }

    fn flag(&self, name: &str) -> Option<bool> {
        match self.value(name)? {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Map, Value};
    use std::collections::BTreeSet;

    /// Each kind of event as text, as the journal has it.
    fn bodies() -> Vec<String> {
        let lines = include_str!("../../tests/past/events.jsonl").lines();
        let body = |line| {
            let mut line: Map<String, Value> = serde_json::from_str(line).expect("a line");
            line.remove("at");
            let fact: Fact = serde_json::from_value(Value::Object(line)).expect("a fact");
            serde_json::to_string(&fact).expect("JSON")
        };
        lines.map(body).collect()
    }

    fn same(body: &str) -> Result<(), TestCaseError> {
        let (quick, due) = (read(body), serde_json::from_str::<Fact>(body));
        prop_assert_eq!(quick.map_err(|it| it.to_string()), due.map_err(|it| it.to_string()));
        Ok(())
    }

    #[test]
    fn every_kind_is_read_as_it_is_defined_and_the_usual_ones_quickly() {
        let mut quickly = BTreeSet::new();
        for body in bodies() {
            same(&body).expect("the same");
            if let Some(fact) = quick(&body) {
                let value = serde_json::to_value(fact).expect("JSON");
                quickly.insert(value["event"]["kind"].to_string());
            }
        }
        assert!(quickly.len() >= 18, "{quickly:?}");
    }

    #[test]
    fn what_is_unusual_is_read_as_it_is_defined() {
        let call = "0199a0c1-5b00-7000-8000-000000000001";
        for event in [
            r#"{"kind":"queued","group":"a\nb","position":1}"#,
            r#"{"kind":"queued","group":"a","position":4294967296}"#,
            r#"{"kind":"queued","group":"a","position":-1}"#,
            r#"{"kind":"queued","group":"a","position":01}"#,
            r#"{"kind":"queued","group":"a","position":1.0}"#,
            r#"{"kind":"queued","group":"a","group":"b","position":1}"#,
            r#"{"kind":"queued","group":"a","position":1,"more":[{}]}"#,
            r#"{"kind":"queued","position":1}"#,
            r#"{"kind":"operator_asked"}"#,
            r#"{"kind":"operator_asked","group":null}"#,
            r#"{"kind":"key_pressed","menu":"a","key":"12"}"#,
            r#"{"kind":"key_pressed","menu":"a","key":"＃"}"#,
            r#"{"kind":"offer_ended","agent":"1","why":{"end":"refused","status":486}}"#,
            r#"{"kind":"ended","by":"caller","cause":{"cause":"fault","what":"x"}}"#,
            r#"{"kind":"ended","by":"nobody","cause":{"cause":"hung_up"}}"#,
            r#"{"kind":"arrived","number":"1","caller":{"number":"withheld","name":null},"origin":{"trunk":"a"},"counted":false}"#,
            r#"{"kind":"arrived","number":"1","caller":{"number":{"known":"2","x":1}},"origin":{"trunk":"a"},"counted":true}"#,
            r#"{"kind":"arrived","number":"1","caller":{"number":"payphone"},"origin":{"extension":"a"},"counted":true}"#,
            r#"{"kind":"arrived","number":"1","caller":{"number":"payphone"},"origin":{"other":"a"},"counted":true}"#,
            r#"{"event":"accepted"}"#,
            r#""accepted""#,
        ] {
            for of in ["call", "agent", "placed"] {
                same(&format!(r#"{{"of":"{of}","call":"{call}","t_ms":3,"event":{event}}}"#))
                    .expect("the same");
            }
        }
    }

    proptest! {
        /// A text that was damaged is read, or refused, in the same way and with the same words.
        #[test]
        fn a_damaged_text_is_read_as_it_is_defined(
            which in any::<prop::sample::Index>(),
            at in any::<prop::sample::Index>(),
            put in "[\\PC\\x00-\\x1f\"\\\\{}:,0a ]{0,2}",
            gone in 0_usize..3,
        ) {
            let bodies = bodies();
            let body: Vec<char> = which.get(&bodies).chars().collect();
            let at = at.index(body.len());
            let damaged: String =
                body[..at].iter().copied().chain(put.chars()).chain(body[at..].iter().copied().skip(gone)).collect();
            same(&damaged)?;
        }
    }
}
