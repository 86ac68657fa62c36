//! A tool that knows nothing but the description (Schemathesis) asks a living desk for all that it finds there, by
//! the rules and against them. What it may find is a fault: a 5xx, a status, a media type or a field that is not
//! described, what is against the description and taken all the same, an address that opens without a token. The streams have no end, and are looked at in `living`.

use crate::living::{AGENT, CALLER, Talk, talk, talking, tool};
use crate::support::{eventually, s};
use serde_json::{Value, json};

/// What it holds against an answer is all that it knows but this: it takes a refusal of what fits the description for a
/// fault, and the description does not say which fields go together (`month` or `day`; `until` not with `restore`).
const NOT_HELD: &str = "positive_data_acceptance";
/// Streams of events, which it is not asked to read, and what would end the desk that it asks.
const NOT_ASKED: usize = 6;
/// Tries of each kind for each address.
const TRIES: u32 = 50;
/// The number of another agent, 204.
const OTHER: &str = "0312340040";
/// The whole of it, seconds.
const WITHIN_S: u64 = 300;

/// The description with what lives on this desk among the words that may stand in a path or a body, and with what is
/// due of who has no name: else hardly a try would come as far as the desk's rules.
fn with_what_lives(mut document: Value, talk: &Talk) -> Value {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let ms = |s: u64| format!("{s}000");
    let (earlier, later) = (ms(now.as_secs() - 7_200), ms(now.as_secs() + 7_200));
    let agent = AGENT.to_string();
    let lives = [
        ("id", talk.call.as_str()),
        ("call", &talk.call),
        ("extension", &agent),
        ("agent", &agent),
        ("by", &agent),
        ("slot", "701"),
        ("author", "佐藤"),
        ("reason", "試験"),
        ("to", "202"),
        ("from", &earlier),
        ("until", &later),
        ("number", "0312340070"),
        ("target", "ledger"),
    ];
    let incident = talk.incident();
    let one_of = |name: &str, schema: &mut Value| {
        let known = lives.iter().find(|(known, _)| *known == name);
        let lives = match known {
            _ if name == "incident" => json!(incident),
            Some(_) if schema["type"] == "integer" => json!(1),
            Some((_, value)) => json!(value),
            None => return 0,
        };
        let any = schema.take();
        *schema = json!({ "anyOf": [{ "const": lives }, any] });
        1
    };
    let mut places = 0;
    let paths = document["paths"].as_object_mut().unwrap().values_mut();
    for operation in paths.flat_map(|path| path.as_object_mut().unwrap().values_mut()) {
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten().filter(|it| it["in"] == "path") {
            let name = parameter["name"].as_str().unwrap().to_owned();
            places += one_of(&name, &mut parameter["schema"]);
        }
        let body = operation.pointer_mut("/requestBody/content/application~1json/schema");
        let Some(body) = body else { continue };
        let fields = body["properties"].as_object_mut().unwrap();
        for (name, field) in &mut *fields {
            places += one_of(name, field);
        }
        // Who comes with a token has no name and no line.
        let due = ["author", "agent"].into_iter().filter(|name| fields.contains_key(*name));
        let due: Vec<String> = due.map(str::to_owned).collect();
        for name in due {
            match body.get_mut("required").and_then(Value::as_array_mut) {
                Some(required) if required.iter().any(|it| *it == name) => {}
                Some(required) => required.push(name.into()),
                None => body["required"] = json!([name]),
            }
        }
    }
    assert!(places >= 30, "{places}");
    document
}

#[test]
fn a_tool_that_knows_the_description_alone_finds_no_fault_and_calls_are_answered_afterwards() {
    let up = Talk::begin();
    let document = with_what_lives(up.desk.get("/api/v1/openapi.json"), &up);
    let paths = document["paths"].as_object().unwrap().values();
    let operations: usize = paths.map(|path| path.as_object().unwrap().len()).sum();
    let dir = up.desk.dir();
    let file = dir.write("description.json", &document.to_string());
    let mut argv = vec![tool("schemathesis"), "run".to_owned(), file.display().to_string()];
    let tries = TRIES.to_string();
    let bearer = format!("Authorization:Bearer {}", up.desk.token());
    let base = up.base();
    let options = [
        ("--url", base.as_str()),
        ("--header", &bearer),
        ("--checks", "all"),
        ("--exclude-checks", NOT_HELD),
        ("--phases", "examples,coverage,fuzzing"),
        // The one is a stream without an end; the other would end the desk within two seconds.
        ("--exclude-path-regex", "/(events|drain)$"),
        ("--max-examples", &tries),
        ("--seed", "20261001"),
        ("--generation-database", "none"),
        ("--request-timeout", "10"),
        ("--suppress-health-check", "all"),
    ];
    argv.extend(options.into_iter().flat_map(|(name, value)| [name.to_owned(), value.to_owned()]));
    argv.extend(["--continue-on-failure", "--no-color"].map(str::to_owned));
    let began = std::time::Instant::now();
    let (well, said) = up.run("schemathesis", &argv, s(WITHIN_S));
    let kept = crate::described::root().join("target/schemathesis-said.log");
    std::fs::write(&kept, &said).unwrap();
    let end = said.lines().rev().take(60).collect::<Vec<_>>();
    let end = end.into_iter().rev().collect::<Vec<_>>().join("\n");
    assert!(well, "after {:?}; all of it is in {}:\n{end}", began.elapsed(), kept.display());
    // Nobody takes it for well because nothing was asked.
    let asked = format!("Tested: {}", operations - NOT_ASKED);
    assert!(said.contains(&asked), "{asked}: {end}");

    // The desk serves callers as before, whatever was ordered of it meanwhile.
    let answer = up.desk.api("GET", "/healthz", "");
    assert_eq!(answer.status, 200, "{}", answer.body);
    for (order, body) in [("sign-in", ""), ("unpause", ""), ("wrap-up-end", "")] {
        up.desk.api("POST", &format!("/api/v1/agents/204/{order}"), body);
    }
    for number in ["all", OTHER] {
        up.desk.api("POST", &format!("/api/v1/hours/{number}/restore"), r#"{"author": "a"}"#);
    }
    let another = CALLER.replace("03123456", "03123457");
    let _phones = talk(&up.desk, &another[..8], OTHER, 204);
    eventually("a call is answered", s(20), || talking(&up.desk, &another));
}
