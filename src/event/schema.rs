//! How the names, times and small words of `base` look in JSON, for the description of the API. They stand here
//! because `base` knows no crate for schemas; what each looks like is held against real values in the tests below.

use crate::base::{
    AdHoc, AgentId, BoxId, CallId, CallbackId, EntryId, GroupId, Language, LegId, MenuId, Number,
    PromptId, Protocol, Reason, SurveyId, TargetId, TrunkId, Wall,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// Written where it is used: a name of its own would say no more.
macro_rules! plain {
    ($($name:ty => $schema:tt,)*) => {$(
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}

plain! {
    CallId => { "type": "string", "format": "uuid" },
    LegId => { "type": "integer", "minimum": 0 },
    Wall => { "type": "integer", "format": "int64" },
    AgentId => { "type": "string" },
    BoxId => { "type": "string" },
    CallbackId => { "type": "string" },
    EntryId => { "type": "string" },
    GroupId => { "type": "string" },
    MenuId => { "type": "string" },
    Number => { "type": "string" },
    PromptId => { "type": "string" },
    SurveyId => { "type": "string" },
    TargetId => { "type": "string" },
    TrunkId => { "type": "string" },
    AdHoc => { "type": "string", "enum": ["open", "closed", "disaster"] },
    Language => { "type": "string", "enum": ["ja", "en"] },
    Protocol => { "type": "string", "enum": ["sip", "q850"] },
    Reason => {
        "type": "object",
        "required": ["protocol", "cause"],
        "properties": {
            "protocol": { "type": "string", "enum": ["sip", "q850"] },
            "cause": { "type": "integer", "minimum": 0, "maximum": 65535 }
        }
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;
    use serde_json::{Value, to_value};

    fn words<T: JsonSchema>() -> Value {
        let schema = T::json_schema(&mut SchemaGenerator::default());
        schema.get("enum").cloned().expect("a list of words")
    }

    fn written<T: Serialize>(values: impl IntoIterator<Item = T>) -> Value {
        values.into_iter().map(|value| to_value(value).expect("JSON")).collect()
    }

    #[test]
    fn the_words_of_a_schema_are_those_that_are_written() {
        assert_eq!(words::<AdHoc>(), written(AdHoc::NAMES.map(|(_, it)| it)));
        assert_eq!(words::<Language>(), written(Language::ALL.map(|(_, it)| it)));
        assert_eq!(words::<Protocol>(), written([Protocol::Sip, Protocol::Q850]));
        let reason = to_value(Reason { protocol: Protocol::Q850, cause: 16 }).expect("JSON");
        assert_eq!(reason, serde_json::json!({ "protocol": "q850", "cause": 16 }));
    }
}
