"""A past for a desk: so many calls by as many callers, answered, in the year that ended forty days ago, as an older version of the
store left them. What the desk remembers of calls is then as full as its bounds let it be (docs/ARCHITECTURE.md)."""
import gzip
import sqlite3
import time

DAY_MS = 24 * 3_600 * 1_000


def rows(calls):
    begin, gap = int(time.time() * 1000) - 400 * DAY_MS, 360 * DAY_MS // calls
    seq = 0
    for n in range(calls):
        at_ms = begin + n * gap
        text = f"{at_ms:012x}"
        call = f"{text[:8]}-{text[8:]}-7000-8000-{n:012x}"
        agent = 300 + n % 100
        events = (
            (0, '{"kind":"arrived","number":"0312340010","caller":{"number":{"known":"09%08d"}},"origin":{"trunk":"carrier"},"counted":true}' % n),
            (5, '{"kind":"operator_asked","group":"many"}'),
            (10, '{"kind":"offer_made","agent":"%d"}' % agent),
            (3_000, '{"kind":"operator_answered","agent":"%d"}' % agent),
            (60_000, '{"kind":"ended","by":"caller","cause":{"cause":"hung_up"}}'),
        )
        for t_ms, event in events:
            seq += 1
            yield seq, at_ms + t_ms, call, 1, f'{{"of":"call","call":"{call}","t_ms":{t_ms},"event":{event}}}'


def write(file, template, calls):
    """Makes the store `file` with them; the first start of the daemon gives its entries their hash chain."""
    file.write_bytes(gzip.decompress(template.read_bytes()))
    store = sqlite3.connect(file)
    store.execute("PRAGMA journal_mode = MEMORY")
    for table in ("entry", "binding", "subscription"):
        store.execute(f"DELETE FROM {table}")
    store.execute("UPDATE meta SET value = 'service' WHERE key = 'kind'")
    store.executemany("INSERT INTO entry (seq, at_ms, call, v, body) VALUES (?, ?, ?, ?, ?)", rows(calls))
    store.commit()
    store.close()
