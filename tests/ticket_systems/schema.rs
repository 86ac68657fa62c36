//! docs/schemas/ticket-event.json says what a receiver gets, no more and no less.

use crate::contract::PATIENCE;
use crate::system::{System, a_call, addition_of, run, ticket_of};
use crate::webhook::Webhook;
use madoguchi::feed::Value;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::path::Path;

fn schema() -> Json {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas/ticket-event.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("it is there")).expect("JSON")
}

/// What is wrong with a value by the words of JSON Schema that this one schema uses; an unknown word is wrong.
fn faults(schema: &Json, value: &Json, at: &str, into: &mut Vec<String>) {
    for (word, due) in schema.as_object().expect("a schema") {
        let fits = match word.as_str() {
            "$schema" | "title" | "description" => true,
            "type" => match due.as_str().expect("a type") {
                "object" => value.is_object(),
                "string" => value.is_string(),
                "integer" => value.is_u64(),
                _ => false,
            },
            "const" => value == due,
            "enum" => due.as_array().expect("a list").contains(value),
            "pattern" => matches(due.as_str().expect("a pattern"), value.as_str().unwrap_or("")),
            "required" => due
                .as_array()
                .expect("a list")
                .iter()
                .all(|it| value.get(it.as_str().expect("a name")).is_some()),
            "additionalProperties" => {
                let known = schema["properties"].as_object().expect("properties");
                *due == json!(false)
                    && value
                        .as_object()
                        .is_some_and(|it| it.keys().all(|name| known.contains_key(name)))
            }
            "properties" => {
                for (name, schema) in due.as_object().expect("properties") {
                    if let Some(value) = value.get(name) {
                        faults(schema, value, &format!("{at}/{name}"), into);
                    }
                }
                true
            }
            _ => false,
        };
        if !fits {
            into.push(format!("{at}: {word}"));
        }
    }
}

/// Of regular expressions what this schema uses: `^`, `$`, classes, `{n}`, `+`, `\.`, and letters.
fn matches(pattern: &str, text: &str) -> bool {
    let mut rest: Vec<char> = text.chars().collect();
    rest.reverse();
    let mut pattern = pattern.trim_start_matches('^').trim_end_matches('$');
    while let Some(first) = pattern.chars().next() {
        let (class, after) = match first {
            '[' => {
                let (class, after) = pattern[1..].split_once(']').expect("a class");
                (class.to_owned(), after)
            }
            '\\' => (pattern[1..2].to_owned(), &pattern[2..]),
            other => (other.to_string(), &pattern[other.len_utf8()..]),
        };
        let (least, most, after) = if let Some(after) = after.strip_prefix('+') {
            (1, usize::MAX, after)
        } else if let Some((count, after)) =
            after.strip_prefix('{').and_then(|it| it.split_once('}'))
        {
            let count = count.parse().expect("a count");
            (count, count, after)
        } else {
            (1, 1, after)
        };
        let mut count = 0;
        while count < most && rest.last().is_some_and(|it| is_of(&class, *it)) {
            rest.pop();
            count += 1;
        }
        if count < least {
            return false;
        }
        pattern = after;
    }
    rest.is_empty()
}

fn is_of(class: &str, c: char) -> bool {
    let class: Vec<char> = class.chars().collect();
    let ranges = class.windows(3).filter(|it| it[1] == '-');
    ranges.clone().any(|it| (it[0]..=it[2]).contains(&c))
        || (class.contains(&c)
            && (c != '-' || ranges.clone().count() == 0 || class.last() == Some(&'-')))
}

#[test]
fn every_event_is_as_its_schema_says() {
    let webhook = Webhook::own();
    let (call, sink) = (a_call(), webhook.sink(PATIENCE));
    let mut ticket = ticket_of(call, "電話", "x");
    let mut ended = addition_of(call, 10, "ended", Some("x"), &[]);
    for (name, value) in Value::ALL {
        let text = if value.is_number() { "63" } else { name };
        ticket.values.insert(value, text.to_owned().into());
        ended.values.insert(value, text.to_owned().into());
    }
    let mut later = addition_of(call, 12, "later_call", Some("x"), &[]);
    later.values.clear();
    let steps = [
        ended,
        addition_of(call, 9, "note", Some("x"), &[]),
        addition_of(call, 11, "wrap_up", None, &[(Value::WrapUpS, "20")]),
        addition_of(call, 13, "called_back", Some("x"), &[]),
        later,
    ];
    run(async {
        let name = sink.create(&ticket).await.expect("told");
        for step in &steps {
            sink.append(&name, step).await.expect("told");
        }
    });
    let (schema, site) = (schema(), webhook.own.site.lock().unwrap());
    assert_eq!(site.events.len(), 6);
    let mut seen = BTreeSet::new();
    for event in &site.events {
        let mut wrong = Vec::new();
        faults(&schema, event, "", &mut wrong);
        assert!(wrong.is_empty(), "{wrong:?}: {event}");
        seen.insert(event["data"]["kind"].as_str().expect("a kind").to_owned());
    }
    // Nothing stands in the schema that no event is.
    let kinds =
        schema["properties"]["data"]["properties"]["kind"]["enum"].as_array().expect("kinds");
    assert_eq!(kinds.len(), seen.len());
    assert_eq!(site.events[0]["source"], json!("/madoguchi/%E7%AA%93%E5%8F%A3%201"));
    assert_eq!(site.events[0]["time"], json!("2026-11-26T00:30:00.000Z"));
    assert_eq!(site.events[0]["data"]["values"]["wait_s"], json!(63));
}

#[test]
fn the_schema_knows_every_value_and_refuses_what_is_none() {
    let schema = schema();
    let values = &schema["properties"]["data"]["properties"]["values"]["properties"];
    let known: BTreeSet<&str> =
        values.as_object().expect("values").keys().map(String::as_str).collect();
    assert_eq!(known, Value::ALL.iter().map(|(name, _)| *name).collect());
    for (name, value) in Value::ALL {
        let due = if value.is_number() { "integer" } else { "string" };
        assert_eq!(values[name]["type"], json!(due), "{name}");
        let said = values[name]["description"].as_str().expect("words");
        let (ja, _) = value.said();
        assert!(said.starts_with(ja.split('（').next().unwrap_or(ja)), "{name}: {said}");
    }
    let mut wrong = Vec::new();
    let event = json!({ "specversion": "1.1", "id": "x", "data": { "values": { "wait_s": "12" } }, "y": 1 });
    faults(&schema, &event, "", &mut wrong);
    for due in [
        ": required",
        ": additionalProperties",
        "/specversion: const",
        "/id: pattern",
        "/data: required",
        "/data/values/wait_s: type",
    ] {
        assert!(wrong.iter().any(|it| it == due), "{due}: {wrong:?}");
    }
}
