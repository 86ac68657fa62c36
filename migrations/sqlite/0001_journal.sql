-- What this file is. kind: 'service' or 'demonstration'.
CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The one history. body is the fact as JSON, in the shapes of version v, read for ever.
CREATE TABLE entry (
    seq   INTEGER NOT NULL PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    call  TEXT,
    v     INTEGER NOT NULL,
    body  TEXT NOT NULL
) STRICT;

CREATE INDEX entry_call ON entry (call) WHERE call IS NOT NULL;

-- The same for people who ask in SQL. A view, because columns generated in the table would be
-- computed at every insert.
CREATE VIEW event AS
SELECT
    seq,
    strftime('%Y-%m-%dT%H:%M:%f', at_ms / 1000.0, 'unixepoch') || 'Z' AS at,
    call,
    body ->> '$.of'         AS of,
    body ->> '$.event.kind' AS kind,
    body ->> '$.agent'      AS agent,
    body ->> '$.t_ms'       AS t_ms,
    body -> '$.event'       AS event
FROM entry;

-- Where phones registered from; outlives the process.
CREATE TABLE binding (
    account       TEXT NOT NULL,
    contact       TEXT NOT NULL,
    transport     TEXT NOT NULL CHECK (transport IN ('udp', 'tcp')),
    listener      INTEGER NOT NULL,
    remote        TEXT NOT NULL,
    call_id       TEXT NOT NULL,
    cseq          INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    PRIMARY KEY (account, contact)
) STRICT, WITHOUT ROWID;
