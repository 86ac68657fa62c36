"""Asks a living desk for everything that its description has a GET for, and holds each answer to its schema, which
is closed: a field that the description does not know is a fault. The validator is nobody's of ours (jsonschema_rs).

usage: answers.py BASE TOKEN-FILE NAME=VALUE...   (parts of paths)
"""

import json
import sys
import urllib.error
import urllib.request

import jsonschema_rs

base, token_file, *given = sys.argv[1:]
token = open(token_file).read().strip()
parts = dict(pair.split("=", 1) for pair in given)


def ask(path, timeout=10):
    request = urllib.request.Request(base + path, headers={"Authorization": f"Bearer {token}"})
    try:
        return urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as refused:
        return refused


document = json.load(ask("/api/v1/openapi.json"))


def close(schema, part_of_one=False):
    """Forbids fields that are not told; what is one of several ways for one object leaves that to the whole."""
    if isinstance(schema, list):
        return [close(each, part_of_one) for each in schema]
    if not isinstance(schema, dict):
        return schema
    ways = ("oneOf", "anyOf", "allOf")
    is_object = "properties" in schema
    closed = {}
    for key, value in schema.items():
        if key in ways:
            closed[key] = close(value, is_object or part_of_one)
        elif key == "properties":
            closed[key] = {name: close(each) for name, each in value.items()}
        else:
            closed[key] = close(value)
    if is_object and not part_of_one:
        closed["unevaluatedProperties"] = False
    return closed


schemas = {name: close(schema) for name, schema in document["components"]["schemas"].items()}


def faults(schema, value):
    whole = {**close(schema), "components": {"schemas": schemas}}
    validator = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
    return [f"{'/'.join(map(str, error.instance_path))}: {error.message[:300]}" for error in validator.iter_errors(value)]


def events(path, names):
    """The first event of each name."""
    found, name = {}, None
    with ask(path) as stream:
        for line in stream:
            line = line.decode().rstrip("\n")
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                found.setdefault(name, json.loads(line.removeprefix("data: ")))
                if names <= found.keys():
                    return found
    return found


# A validator that finds nothing proves nothing.
board = json.load(ask("/api/v1/board"))
assert not faults({"$ref": "#/components/schemas/Board"}, board)
for wrong in ({**board, "unheard_of": 1}, {k: v for k, v in board.items() if k != "seq"}, {**board, "seq": "1"}):
    assert faults({"$ref": "#/components/schemas/Board"}, wrong), "a wrong board passes"

wrong, seen = [], 0
for path, methods in document["paths"].items():
    operation = methods.get("get")
    if operation is None:
        continue
    for name, value in parts.items():
        path = path.replace("{" + name + "}", value)
    answer = operation["responses"]["200"]
    if "x-events" in answer:
        due = {name: schema for name, schema in answer["x-events"].items() if name not in ("sip", "lost")}
        for name, value in events(path, set(due)).items():
            if name in answer["x-events"]:
                wrong += [f"{path} {name} {fault}" for fault in faults(answer["x-events"][name], value)]
                due.pop(name, None)
        wrong += [f"{path}: no event {name}" for name in due]
        seen += 1
        continue
    with ask(path) as found:
        kind = found.headers["Content-Type"].split(";")[0]
        if found.status == 404 and path.endswith("/recordings/" + parts["number"]):
            refusal = {"$ref": "#/components/schemas/Problem"}  # It is not whole while they talk.
            wrong += [f"{path} {fault}" for fault in faults(refusal, json.load(found))]
        elif found.status != 200:
            wrong.append(f"{path}: {found.status} {found.read()[:200]}")
        elif kind not in answer["content"]:
            wrong.append(f"{path}: {kind}")
        elif kind == "application/json":
            value = json.load(found)
            wrong += [f"{path} {fault}" for fault in faults(answer["content"][kind]["schema"], value)]
        seen += 1

print(f"{seen} answers")
print("\n".join(wrong[:40]))
sys.exit(bool(wrong) or seen < 20)
