//! How the views that write themselves as JSON look, for the description of the API. All others derive it. Each is
//! held against a real value in the tests below.

use super::agents::AgentState;
use super::average::Average;
use super::board::AgentCounts;
use super::month::Month;
use super::outcome::{Outcome, PerOutcome};
use super::ratio::Ratio;
use super::worked::{Doing, Times};
use crate::base::Private;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

macro_rules! told {
    ($($name:ident => $schema:expr;)*) => {$(
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )*};
}

told! {
    Ratio => json_schema!({
        "type": "object",
        "description": "An exact fraction.",
        "required": ["part", "whole", "percent"],
        "properties": {
            "part": { "type": "integer", "format": "uint64", "minimum": 0 },
            "whole": { "type": "integer", "format": "uint64", "minimum": 0 },
            "percent": {
                "type": ["string", "null"],
                "pattern": r"^\d+\.\d\d$",
                "description": "Two decimals, half up; null of nothing."
            }
        }
    });
    Average => json_schema!({
        "type": "object",
        "description": "A sum over a count, exact.",
        "required": ["sum_ms", "count", "seconds"],
        "properties": {
            "sum_ms": { "type": "integer", "format": "uint64", "minimum": 0 },
            "count": { "type": "integer", "format": "uint64", "minimum": 0 },
            "seconds": {
                "type": ["string", "null"],
                "pattern": r"^\d+\.\d$",
                "description": "One decimal, half up; null of nothing."
            }
        }
    });
    Month => json_schema!({ "type": "string", "pattern": r"^\d{4}-(0[1-9]|1[0-2])$" });
    Times => counts("Where agents' time went, milliseconds.", &Doing::ALL.map(Doing::name));
    AgentCounts => counts("Agents by state.", &AgentState::ALL.map(AgentState::name));
    PerOutcome => counts("Calls by outcome.", &Outcome::ALL.map(Outcome::name));
}

/// Looks like what it holds. Not beside the other names of `base` in `event`: whatever has this type there is a field that
/// the history hides, and is listed.
impl<T: JsonSchema> JsonSchema for Private<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A whole number for each of these names.
pub(super) fn counts(said: &str, names: &[&str]) -> Schema {
    let count = json!({ "type": "integer", "format": "uint64", "minimum": 0 });
    let properties: Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), count.clone())).collect();
    json_schema!({
        "type": "object",
        "description": said,
        "required": names,
        "properties": properties
    })
}

/// What is kept in hundredths and written as a number.
pub(super) fn hundredths(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["number", "null"], "minimum": 0, "maximum": 5 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;
    use std::collections::BTreeSet;

    #[test]
    fn what_writes_itself_has_the_fields_of_its_schema() {
        fn is_told<T: JsonSchema + Serialize>(value: &T) {
            let schema = T::json_schema(&mut SchemaGenerator::default());
            let Some(Value::Array(required)) = schema.get("required") else { panic!("{schema:?}") };
            let required: BTreeSet<&str> = required.iter().filter_map(Value::as_str).collect();
            let Some(Value::Object(properties)) = schema.get("properties") else { panic!() };
            let Value::Object(written) = serde_json::to_value(value).expect("JSON") else {
                panic!()
            };
            let written: BTreeSet<&str> = written.keys().map(String::as_str).collect();
            assert_eq!(written, required);
            assert_eq!(written, properties.keys().map(String::as_str).collect());
        }
        is_told(&Ratio { part: 1, whole: 3 });
        is_told(&Average { sum_ms: 1, count: 3 });
        is_told(&Times::default());
        is_told(&AgentCounts(AgentState::ALL.map(|state| (state, 0))));
        is_told(&PerOutcome::default());
    }
}
