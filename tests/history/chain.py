#!/usr/bin/env python3
"""Recomputes a history's hash chain with nothing but the standard library.

    chain.py STORE|HISTORY.jsonl

Prints "SEQ:HASH" of the last entry and ends with 0, or says at which entry the chain does not hold and
ends with 1. docs/HISTORY.md describes what is computed here.
"""

import hashlib
import json
import re
import sqlite3
import sys

# Where the texts are that tell who a person is: of what, which kind, the way to the text.
PRIVATE = [
    ("call", "arrived", "/event/caller/number/known"),
    ("call", "arrived", "/event/caller/name"),
    ("call", "arrived", "/event/caller/diverted_from"),
    ("call", "number_entered", "/event/digits"),
    ("call", "callback_asked", "/event/number"),
    ("call", "sent_away", "/event/number"),
    ("call", "third_called", "/event/number"),
    ("placed", "dialled", "/event/number"),
    ("note", "noted", "/event/text"),
]


def canonical(value):
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def heading(kind):
    return canonical({"form": 1, "history": "madoguchi", "kind": kind})


def hide(entry, salt):
    for of, kind, pointer in PRIVATE:
        if (of, kind) != (entry.get("of"), entry["event"].get("kind")):
            continue
        place, names = entry, pointer.split("/")[1:]
        for name in names[:-1]:
            place = place.get(name) if isinstance(place, dict) else None
        text = place.get(names[-1]) if isinstance(place, dict) else None
        if not isinstance(text, str) or re.fullmatch("erased:[0-9a-f]{64}", text):
            continue
        commitment = hashlib.sha256(salt + pointer.encode() + b"\0" + text.encode())
        place[names[-1]] = "erased:" + commitment.hexdigest()


def stored(path):
    store = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    (kind,) = store.execute("SELECT value FROM meta WHERE key = 'kind'").fetchone()
    yield heading(kind)
    rows = "SELECT seq, at_ms, v, body, hash, salt FROM entry ORDER BY seq"
    for seq, at, v, body, digest, salt in store.execute(rows):
        yield {**json.loads(body), "seq": seq, "at": at, "v": v}, digest, salt, None


def exported(path):
    with open(path, "rb") as lines:
        yield next(lines).rstrip(b"\n")
        for line in lines:
            entry = json.loads(line)
            digest, salt, before = (entry.pop(name, None) for name in ("hash", "salt", "before"))
            unhex = lambda digits: digits and bytes.fromhex(digits)
            yield entry, unhex(digest), unhex(salt), unhex(before)


def main(path):
    with open(path, "rb") as file:
        history = stored(path) if file.read(15) == b"SQLite format 3" else exported(path)
    last = hashlib.sha256(next(history)).digest()
    seq = 0
    for entry, digest, salt, before in history:
        seq = entry["seq"]
        if salt is not None:
            hide(entry, salt)
        last = hashlib.sha256((before or last) + canonical(entry)).digest()
        if last != digest:
            print(f"entry {seq}: found {digest and digest.hex()}, due {last.hex()}")
            return 1
    print(f"{seq}:{last.hex()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
