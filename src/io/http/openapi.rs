//! The API's description (`OpenAPI` 3.1), made of the table of addresses and of the types that are answered and read:
//! what it says cannot be forgotten when an address or a field comes or goes. It knows no desk and no state: the
//! answer is the same everywhere and always, and stands in docs/openapi.json too.

use super::about::{About, JSON, Make, part};
use super::routes::{self, OPEN, RIGHTS, Route};
use super::{BODY_BOUND, api};
use crate::people::Role;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use schemars::Schema;
use schemars::generate::{Contract, SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Two ways to look at types: what is answered has every field, what is read may lack those with a default.
struct Schemas {
    answered: SchemaGenerator,
    read: SchemaGenerator,
}

impl Schemas {
    fn new() -> Self {
        let settings = |contract| {
            SchemaSettings::draft2020_12().with(|it| {
                it.definitions_path = "/components/schemas".into();
                it.meta_schema = None;
                // What is read has few types, and none is in two places.
                it.inline_subschemas = contract == Contract::Deserialize;
                it.contract = contract;
            })
        };
        Self {
            answered: settings(Contract::Serialize).into_generator(),
            read: settings(Contract::Deserialize).into_generator(),
        }
    }
}

/// The description of the API.
#[must_use]
pub fn document() -> Value {
    let mut schemas = Schemas::new();
    let problem = schemas.answered.subschema_for::<api::Problem>();
    let mut refused = BTreeSet::new();
    let mut paths = Map::new();
    let closed = RIGHTS.iter().zip(routes::ROUTES).map(|(right, route)| (Some(right), route));
    let open = OPEN.iter().map(|route| (None, route));
    for (right, route) in open.chain(closed) {
        let mut operation = operation(route, &mut schemas, &mut refused);
        match right {
            None => set(&mut operation, "security", json!([])),
            Some(right) => {
                set(&mut operation, "x-least-role", json!(right.least.name()));
                if let Some(own) = right.own.said() {
                    set(&mut operation, "x-of-an-agent", json!(own));
                }
            }
        }
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        set(path, route.method, operation);
    }
    let refusal = |status: u16| {
        let told =
            json!({ "description": said(status), "content": { JSON: { "schema": problem } } });
        (format!("Refused{status}"), told)
    };
    let refusals: Map<String, Value> = refused.into_iter().map(refusal).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Madoguchi",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The desk over HTTP. docs/API.md says more of what each answer means, docs/EVENTS.md of each event.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "security": [{ "token": [] }, { "person": [] }, { "session": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http", "scheme": "bearer",
                    "description": "One of the desk's tokens.",
                },
                "person": {
                    "type": "apiKey", "in": "cookie", "name": super::auth::PERSON_COOKIE,
                    "description": "Of who signed in by name. What changes something must also carry the header X-Madoguchi, and come from our own page.",
                },
                "session": {
                    "type": "apiKey", "in": "cookie", "name": super::auth::TOKEN_COOKIE,
                    "description": "The same for who signed in with a token.",
                },
            },
            "responses": refusals,
            "schemas": schemas.answered.take_definitions(true),
        },
    })
}

/// `GET /api/v1/openapi.json`.
pub(super) async fn shown() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(|| document().to_string());
    ([(CONTENT_TYPE, JSON)], TEXT.as_str()).into_response()
}

fn set(value: &mut Value, key: &str, to: Value) {
    if let Value::Object(map) = value {
        map.insert(key.to_owned(), to);
    }
}

/// `refused` is told every status that refuses.
fn operation(route: &Route, schemas: &mut Schemas, refused: &mut BTreeSet<u16>) -> Value {
    let about = (route.about)();
    let mut parameters = path_parameters(route.path, &about);
    if let Some(query) = about.query {
        parameters.extend(query_parameters(&query(&mut schemas.read)));
    }
    let mut answer = answer(about.said, &about.holds, schemas);
    if !about.events.is_empty() {
        let events = about
            .events
            .iter()
            .map(|(name, schema)| ((*name).to_owned(), schema(&mut schemas.answered).to_value()));
        set(&mut answer, "x-events", events.collect::<Map<_, _>>().into());
    }
    let mut answers = Map::new();
    answers.insert(about.status.to_string(), answer);
    for (status, holds) in &about.others {
        answers.insert(status.to_string(), self::answer(said(*status), holds, schemas));
    }
    for status in refusals(route, &about) {
        refused.insert(status);
        let told = json!({ "$ref": format!("#/components/responses/Refused{status}") });
        // An answer that says more goes before the plain refusal.
        answers.entry(status.to_string()).or_insert(told);
    }
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "responses": answers,
    });
    if !parameters.is_empty() {
        set(&mut operation, "parameters", parameters.into());
    }
    if let Some(body) = &about.body {
        let said = format!("At most {BODY_BOUND} bytes.");
        let schema = (body.schema)(&mut schemas.read);
        let body = json!({
            "description": said,
            "required": body.required,
            "content": { body.kind: { "schema": schema } },
        });
        set(&mut operation, "requestBody", body);
    }
    operation
}

fn answer(said: &str, holds: &[(&str, Make)], schemas: &mut Schemas) -> Value {
    let mut answer = json!({ "description": said });
    let of = |(kind, make): &(&str, Make)| {
        ((*kind).to_owned(), json!({ "schema": make(&mut schemas.answered) }))
    };
    let content: Map<String, Value> = holds.iter().map(of).collect();
    if !content.is_empty() {
        set(&mut answer, "content", content.into());
    }
    answer
}

/// `post_calls_id_park`.
fn operation_id(route: &Route) -> String {
    let path = route.path.trim_start_matches("/api/v1");
    let is_word = |c: char| c.is_ascii_alphanumeric();
    let words = path.split(|c| !is_word(c)).filter(|word| !word.is_empty());
    words.fold(route.method.to_owned(), |id, word| format!("{id}_{word}"))
}

/// Names in braces, in order.
pub(super) fn names_in(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split('}').next())
}

fn path_parameters(path: &str, about: &About) -> Vec<Value> {
    let parameter = |name: &str| {
        let told = about.parts.iter().find(|(part, _)| *part == name);
        let schema = told.map(|(_, schema)| schema.clone()).or_else(|| part(name));
        json!({ "name": name, "in": "path", "required": true, "schema": schema })
    };
    names_in(path).map(parameter).collect()
}

fn query_parameters(query: &Schema) -> Vec<Value> {
    let Some(Value::Object(fields)) = query.get("properties") else { return vec![] };
    let due = query.get("required").and_then(Value::as_array);
    let parameter = |(name, schema): (&String, &Value)| {
        let mut schema = present(schema.clone());
        let mut parameter = json!({
            "name": name,
            "in": "query",
            "required": due.is_some_and(|due| due.iter().any(|it| it == name)),
        });
        if let Value::Object(map) = &mut schema
            && let Some(said) = map.remove("description")
        {
            set(&mut parameter, "description", said);
        }
        set(&mut parameter, "schema", schema);
        parameter
    };
    fields.iter().map(parameter).collect()
}

/// What may be left out behind a question mark, but is never `null` there.
fn present(mut schema: Value) -> Value {
    let Value::Object(map) = &mut schema else { return schema };
    let is_null = |it: &Value| *it == json!("null") || *it == json!({ "type": "null" });
    map.remove("default");
    if let Some(Value::Array(types)) = map.get_mut("type") {
        types.retain(|it| !is_null(it));
        if let [one] = types.as_slice() {
            let one = one.clone();
            map.insert("type".to_owned(), one);
        }
    }
    if let Some(Value::Array(words)) = map.get_mut("enum") {
        words.retain(|it| !it.is_null());
    }
    if let Some(Value::Array(any)) = map.get_mut("anyOf") {
        any.retain(|it| !is_null(it));
        if let [Value::Object(one)] = any.as_slice() {
            let one = one.clone();
            map.remove("anyOf");
            // What is said of the field goes before what is said of its type.
            for (key, value) in one {
                map.entry(key).or_insert(value);
            }
        }
    }
    schema
}

/// Every status that refuses: by what the address is, and what the table adds.
fn refusals(route: &Route, about: &About) -> Vec<u16> {
    let mut due = about.refusals.clone();
    let named = names_in(route.path).next().is_some();
    if named || about.query.is_some() || about.body.is_some() {
        due.push(400);
    }
    if named {
        due.push(404);
    }
    if about.body.is_some() {
        due.push(413);
    }
    if let Some(right) = routes::of(route) {
        due.push(401);
        let changes = route.method != "get";
        if changes || right.least > Role::Wall {
            due.push(403);
        }
        // Nothing is ordered without a line in the history.
        if changes && route.path != "/logout" {
            due.push(503);
        }
    }
    due.sort_unstable();
    due.dedup();
    due
}

fn said(status: u16) -> &'static str {
    match status {
        206 => "A part of it.",
        304 => "The asker has it.",
        400 => "It cannot be understood; the words say what is due.",
        401 => "A login or a token is due.",
        403 => "The role does not allow it, or the plan does not.",
        404 => "There is no such thing.",
        409 => "It cannot be now; the words say why.",
        412 => "It is another one than the asker has.",
        413 => "The body is too long.",
        416 => "There are no such bytes.",
        429 => "The address has guessed too much; Retry-After says how long it waits.",
        500 => "A fault of the desk's own.",
        503 => "It cannot be done now.",
        _ => "Refused.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operations(document: &Value) -> Vec<(String, Value)> {
        let paths = document["paths"].as_object().expect("paths");
        let of_path = |(path, methods): (&String, &Value)| {
            let methods = methods.as_object().expect("methods").clone();
            let path = path.clone();
            methods.into_iter().map(move |(method, it)| (format!("{method} {path}"), it))
        };
        paths.iter().flat_map(of_path).collect()
    }

    #[test]
    fn every_address_is_described_with_its_parts_and_refusals() {
        let document = document();
        let operations = operations(&document);
        assert_eq!(operations.len(), RIGHTS.len() + OPEN.len());
        let mut ids = std::collections::BTreeSet::new();
        for (name, operation) in &operations {
            assert!(ids.insert(operation["operationId"].to_string()), "{name}: id stands twice");
            let path = name.split(' ').nth(1).expect("a path");
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            for part in names_in(path) {
                let told = parameters.iter().find(|it| it["name"] == part && it["in"] == "path");
                let schema = &told.unwrap_or_else(|| panic!("{name}: {part}"))["schema"];
                assert!(schema["type"].is_string(), "{name}: nothing is said of {part}");
            }
            let answers = operation["responses"].as_object().expect("answers");
            assert!(answers.keys().any(|it| it.starts_with('2') || it == "303"), "{name}");
            assert!(!operation["summary"].as_str().expect("a summary").is_empty());
            let is_open = operation["security"] == json!([]);
            assert_eq!(answers.contains_key("401") && !name.contains("/login"), !is_open, "{name}");
        }
    }

    #[test]
    fn what_a_schema_refers_to_is_there() {
        let document = document();
        let text = document.to_string();
        let there = document["components"]["schemas"].as_object().expect("schemas");
        let mut seen = 0;
        for rest in text.split("\"$ref\":\"").skip(1) {
            let to = rest.split('"').next().expect("an end");
            let pointer = to.strip_prefix('#').expect(to);
            assert!(document.pointer(pointer).is_some(), "{to}");
            seen += 1;
        }
        assert!(seen > 50, "{seen}");
        // A second one of the same name would be called so.
        let doubled = there.keys().filter(|name| name.ends_with(|c: char| c.is_ascii_digit()));
        assert_eq!(doubled.collect::<Vec<_>>(), Vec::<&String>::new());
    }

    #[test]
    fn what_is_left_out_of_a_question_is_not_null() {
        let table = [
            (json!({ "type": ["string", "null"] }), json!({ "type": "string" })),
            (
                json!({ "anyOf": [{ "enum": ["a"] }, { "type": "null" }], "description": "d" }),
                json!({ "enum": ["a"], "description": "d" }),
            ),
            (
                json!({ "type": "integer", "minimum": 1 }),
                json!({ "type": "integer", "minimum": 1 }),
            ),
        ];
        for (given, due) in table {
            assert_eq!(present(given), due);
        }
    }
}
