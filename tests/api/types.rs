//! The types of answers and events for the pages' scripts (`web/types.d.ts`), written from the schemas of the
//! description: each schema with a name is an interface or a type of that name. No more of JSON Schema is read than
//! our own schemas have; what is new to this file stops the test.

use serde_json::{Map, Value};

const HEAD: &str = "// Written from the description of the API (docs/openapi.json): MADOGUCHI_WRITE_DOCS=1 cargo test --test api.\n\
    // What the desk answers and tells. Only `tsc` reads it; no browser is given it.\n";

/// All of them, in the order of their names.
pub fn written(document: &Value) -> String {
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    let one = |(name, schema): (&String, &Value)| {
        let said = schema["description"].as_str().map(|said| comment(said, "")).unwrap_or_default();
        format!("\n{said}export type {name} = {};\n", of(schema, ""))
    };
    HEAD.to_owned() + &schemas.iter().map(one).collect::<String>()
}

fn comment(said: &str, indent: &str) -> String {
    let line = said.split_whitespace().collect::<Vec<_>>().join(" ").replace("*/", "* /");
    format!("{indent}/** {line} */\n")
}

/// A schema as a type.
fn of(schema: &Value, indent: &str) -> String {
    let schema = match schema {
        Value::Object(schema) => schema,
        Value::Bool(true) => return "unknown".to_owned(),
        other => panic!("{other}"),
    };
    if let Some(to) = schema.get("$ref") {
        let to = to.as_str().expect("text");
        return to.strip_prefix("#/components/schemas/").expect(to).to_owned();
    }
    let mut parts = Vec::new();
    if let Some(one) = schema.get("const") {
        return one.to_string();
    }
    if let Some(Value::Array(words)) = schema.get("enum") {
        return words.iter().map(Value::to_string).collect::<Vec<_>>().join(" | ");
    }
    for way in ["oneOf", "anyOf"] {
        // Texts of several forms are texts.
        if let Some(Value::Array(ways)) =
            schema.get(way).filter(|_| schema.get("type") != Some(&"string".into()))
        {
            let ways: Vec<String> = ways.iter().map(|it| of(it, indent)).collect();
            parts.push(format!("({})", ways.join(" | ")));
        }
    }
    if let Some(Value::Array(all)) = schema.get("allOf") {
        parts.extend(all.iter().map(|it| of(it, indent)));
    }
    if schema.contains_key("properties") || parts.is_empty() {
        parts.push(by_type(schema, indent));
    }
    parts.join(" & ")
}

fn by_type(schema: &Map<String, Value>, indent: &str) -> String {
    let names: Vec<&str> = match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().map(|it| it.as_str().expect("text")).collect(),
        None if schema.keys().all(|key| key == "description" || key == "default") => {
            vec!["unknown"]
        }
        other => panic!("{other:?} in {schema:?}"),
    };
    let one = |name: &&str| match *name {
        "integer" | "number" => "number".to_owned(),
        "array" => array(schema, indent),
        "object" => object(schema, indent),
        plain @ ("string" | "boolean" | "null" | "unknown") => plain.to_owned(),
        other => panic!("{other}"),
    };
    names.iter().map(one).collect::<Vec<_>>().join(" | ")
}

fn array(schema: &Map<String, Value>, indent: &str) -> String {
    match schema.get("prefixItems") {
        Some(Value::Array(items)) => {
            let items: Vec<String> = items.iter().map(|it| of(it, indent)).collect();
            format!("[{}]", items.join(", "))
        }
        _ => format!("Array<{}>", of(&schema["items"], indent)),
    }
}

fn object(schema: &Map<String, Value>, indent: &str) -> String {
    let Some(Value::Object(fields)) = schema.get("properties") else {
        return match schema.get("additionalProperties") {
            Some(of_each @ Value::Object(_)) => format!("Record<string, {}>", of(of_each, indent)),
            _ => "Record<string, never>".to_owned(),
        };
    };
    let deeper = format!("{indent}  ");
    let due = schema.get("required").and_then(Value::as_array);
    let field = |(name, field): (&String, &Value)| {
        let said = field["description"].as_str().map(|said| comment(said, &deeper));
        let may = if due.is_some_and(|due| due.iter().any(|it| it == name)) { "" } else { "?" };
        format!("{}{deeper}{name}{may}: {};\n", said.unwrap_or_default(), of(field, &deeper))
    };
    format!("{{\n{}{indent}}}", fields.iter().map(field).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_schema_becomes_the_type_of_the_same_values() {
        let table = [
            (json!({ "type": ["string", "null"] }), "string | null"),
            (
                json!({ "anyOf": [{ "$ref": "#/components/schemas/Month" }, { "type": "null" }] }),
                "(Month | null)",
            ),
            (
                json!({ "oneOf": [{ "const": "a", "type": "string" }, { "enum": ["b", "c"] }] }),
                "(\"a\" | \"b\" | \"c\")",
            ),
            (json!({ "type": "array", "items": { "type": "integer" } }), "Array<number>"),
            (
                json!({ "type": "object", "properties": { "a": { "type": "boolean" }, "b": {} }, "required": ["a"] }),
                "{\n  a: boolean;\n  b?: unknown;\n}",
            ),
            (
                json!({ "type": "object", "properties": { "a": {} }, "required": ["a"], "oneOf": [{ "type": "object", "properties": { "s": { "const": "x" } }, "required": ["s"] }] }),
                "({\n  s: \"x\";\n}) & {\n  a: unknown;\n}",
            ),
        ];
        for (schema, due) in table {
            assert_eq!(of(&schema, ""), due);
        }
    }
}
