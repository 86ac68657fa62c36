-- Whose histories are here. One is told from another by the hash of its first entry; one that is set aside
-- grows no more, and its desk's journal is copied anew beside it. file and rewritten say how far the erasures
-- of that journal's file have been followed.
CREATE TABLE history (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    first_hash bytea   NOT NULL CHECK (octet_length(first_hash) = 32),
    kind       text    NOT NULL CHECK (kind IN ('service', 'demonstration')),
    desk       text    NOT NULL,
    timezone   text    NOT NULL,
    file       text    NOT NULL,
    rewritten  bigint  NOT NULL,
    set_aside  boolean NOT NULL DEFAULT false
);

CREATE UNIQUE INDEX history_growing ON history (first_hash) WHERE NOT set_aside;

-- The entries, as they stand in the desk's journal. body is the fact as JSON, to the byte; fact, kind and
-- t_ms stand in it and are for asking.
CREATE TABLE entry (
    history integer NOT NULL REFERENCES history,
    seq     bigint  NOT NULL,
    at_ms   bigint  NOT NULL,
    call    text,
    v       integer NOT NULL,
    fact    text,
    kind    text,
    t_ms    bigint,
    body    text    NOT NULL,
    hash    bytea   NOT NULL,
    salt    bytea,
    PRIMARY KEY (history, seq)
);

CREATE INDEX entry_call ON entry (history, call, seq) WHERE call IS NOT NULL;
CREATE INDEX entry_arrived ON entry (history, at_ms) WHERE kind = 'arrived';
CREATE INDEX entry_declared ON entry (history, seq) WHERE fact = 'figures';
CREATE INDEX entry_salted ON entry (history, seq) WHERE salt IS NOT NULL;

-- An entry's fact for asking. PostgreSQL's JSON cannot hold the character NUL, which body may.
CREATE FUNCTION fact_of(body text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN replace(body, '\u0000', '\ufffd')::jsonb;

-- The same for people who ask in SQL.
CREATE VIEW event AS
SELECT
    history,
    seq,
    to_timestamp(at_ms / 1000.0) AS at,
    call,
    fact,
    kind,
    t_ms,
    fact_of(body) ->> 'agent' AS agent,
    fact_of(body) -> 'event' AS event
FROM entry;
