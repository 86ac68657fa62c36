//! What an address reads and answers, as a line of the table of addresses says it, and the forms of what is read from
//! text. How a document is made of it is `openapi`'s.

use crate::base::LogLevel;
use crate::people::Role;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};
use std::borrow::Cow;

/// Makes a schema; what has a name is put among those of the document.
pub(super) type Make = fn(&mut SchemaGenerator) -> Schema;

/// What an address reads and answers. The table has one for each.
pub(super) struct About {
    pub(super) status: u16,
    pub(super) said: &'static str,
    /// Media types of the answer, each with its schema.
    pub(super) holds: Vec<(&'static str, Make)>,
    /// Other answers that are no refusals, or no plain ones.
    pub(super) others: Vec<(u16, Vec<(&'static str, Make)>)>,
    /// Events of a stream: the name and what each carries.
    pub(super) events: Vec<(&'static str, Make)>,
    pub(super) query: Option<Make>,
    pub(super) body: Option<Body>,
    /// Schemas of parts of the path that are not always the same.
    pub(super) parts: Vec<(&'static str, Value)>,
    /// More refusals than those that every address of its kind has.
    pub(super) refusals: Vec<u16>,
}

pub(super) struct Body {
    pub(super) kind: &'static str,
    pub(super) required: bool,
    pub(super) schema: Make,
}

pub(super) const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const STREAM: &str = "text/event-stream";

impl About {
    fn new(status: u16, said: &'static str, holds: Vec<(&'static str, Make)>) -> Self {
        Self {
            status,
            said,
            holds,
            others: vec![],
            events: vec![],
            query: None,
            body: None,
            parts: vec![],
            refusals: vec![],
        }
    }

    /// `200` with JSON.
    pub(super) fn json<T: JsonSchema>() -> Self {
        Self::new(200, "it", vec![(JSON, schema_of::<T>)])
    }

    /// `201` with JSON.
    pub(super) fn made<T: JsonSchema>() -> Self {
        Self::new(201, "it is in the history", vec![(JSON, schema_of::<T>)])
    }

    /// `204`.
    pub(super) fn done() -> Self {
        Self::new(204, "done", vec![])
    }

    /// `303`.
    pub(super) fn leads_on() -> Self {
        Self::new(303, "leads on to a page, and sets or takes back cookies", vec![])
    }

    /// `200` with a file of one of these types.
    pub(super) fn file(kinds: &[&'static str]) -> Self {
        Self::new(200, "the file", kinds.iter().map(|kind| (*kind, text as Make)).collect())
    }

    /// `200` with server-sent events that do not end.
    pub(super) fn stream() -> Self {
        Self::new(200, "server-sent events, without an end", vec![(STREAM, text)])
    }

    /// One more kind of events.
    pub(super) fn event<T: JsonSchema>(mut self, name: &'static str) -> Self {
        self.events.push((name, schema_of::<T>));
        self
    }

    /// With this status the same kind of answer.
    pub(super) fn or_with<T: JsonSchema>(mut self, status: u16) -> Self {
        self.others.push((status, vec![(JSON, schema_of::<T>)]));
        self
    }

    /// With this status the login page, which says why.
    pub(super) fn or_page(mut self, status: u16) -> Self {
        self.others.push((status, vec![("text/html", text)]));
        self
    }

    /// Or a part of the file, or word that the asker has it.
    pub(super) fn or_part(mut self) -> Self {
        self.others.extend([(206, self.holds.clone()), (304, vec![])]);
        self
    }

    /// Also in this form, when it is asked for.
    pub(super) fn or_as(mut self, kind: &'static str) -> Self {
        self.holds.push((kind, text));
        self
    }

    /// Reads these behind the question mark.
    pub(super) fn query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(schema_of::<T>);
        self
    }

    /// A body is due.
    pub(super) fn body<T: JsonSchema>(mut self) -> Self {
        self.body = Some(Body { kind: JSON, required: true, schema: schema_of::<T> });
        self
    }

    /// A body may come.
    pub(super) fn may_have<T: JsonSchema>(mut self) -> Self {
        self.body = Some(Body { kind: JSON, required: false, schema: schema_of::<T> });
        self
    }

    /// A form is due.
    pub(super) fn form<T: JsonSchema>(mut self) -> Self {
        self.body = Some(Body { kind: FORM, required: true, schema: schema_of::<T> });
        self
    }

    /// A part of the path is one of these words.
    pub(super) fn among(mut self, part: &'static str, words: &[&str]) -> Self {
        self.parts.push((part, json!({ "type": "string", "enum": words })));
        self
    }

    /// A part of the path is a name or a telephone number.
    pub(super) fn named(mut self, part: &'static str) -> Self {
        self.parts.push((part, json!({ "type": "string", "minLength": 1 })));
        self
    }

    /// A part of the path is a caller's number.
    pub(super) fn called(mut self, part: &'static str) -> Self {
        self.parts.push((part, json!({ "type": "string", "pattern": r"^\+?[0-9]{1,32}$" })));
        self
    }

    /// A part of the path is a number from 1.
    pub(super) fn counted(mut self, part: &'static str) -> Self {
        let counted = json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX });
        self.parts.push((part, counted));
        self
    }

    /// May also be refused so.
    pub(super) fn or(mut self, refusals: &[u16]) -> Self {
        self.refusals.extend(refusals);
        self
    }
}

fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

fn text(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string" })
}

/// As `api::words` reads them: something beside white space, and no control character.
pub(super) const WORDS: &str =
    r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$";

/// Text with a form of its own, as a field's type in a description.
macro_rules! forms {
    ($($(#[$doc:meta])* $name:ident => $schema:tt;)*) => {$(
        $(#[$doc])*
        pub(super) struct $name;

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

forms! {
    /// As `api::read_time` reads it.
    Time => { "type": "string", "anyOf": [{ "format": "date-time" }, { "pattern": r"^-?\d{1,15}$" }] };
    /// One end of a span.
    DayOrHalfHour => { "type": "string", "pattern": r"^\d{4}-\d\d-\d\d(T\d\d:[03]0)?$" };
    /// Which side of a figure.
    SideWord => { "type": "string", "enum": ["numerator", "total", "out"] };
    /// Yes or no.
    YesOrNo => { "type": "string", "enum": ["0", "1", "false", "true", ""] };
    /// How much of people is shown.
    RevealWord => { "type": "string", "enum": ["nothing", "numbers"] };
    /// The answer of `openapi::shown`: to look into it is to have it.
    Description => { "type": "object", "required": ["openapi", "paths"] };
}

pub(super) fn role(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": Role::ALL.map(|(name, _)| name) })
}

pub(super) fn log_level(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": LogLevel::ALL.map(LogLevel::name) })
}

pub(super) fn status(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ["ok", "failing"] })
}

/// A part of a path that is the same wherever it has this name; none of another.
pub(super) fn part(name: &str) -> Option<Value> {
    Some(match name {
        "id" | "call" => json!({ "type": "string", "format": "uuid" }),
        "extension" | "slot" => json!({ "type": "string", "minLength": 1 }),
        "month" => json!({ "type": "string", "pattern": r"^\d{4}-(0[1-9]|1[0-2])$" }),
        "source" => {
            json!({ "type": "string", "anyOf": [{ "format": "ipv4" }, { "format": "ipv6" }] })
        }
        _ => return None,
    })
}
