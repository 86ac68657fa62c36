-- What phones are subscribed to; outlives the process, so that lamps are right after a restart.
-- No CSeq above promised has been used; the routes stand one a line.
CREATE TABLE subscription (
    tag           TEXT NOT NULL PRIMARY KEY,
    watcher       TEXT NOT NULL,
    package       TEXT NOT NULL,
    event_id      TEXT,
    what          TEXT NOT NULL,
    entity        TEXT NOT NULL,
    call_id       TEXT NOT NULL,
    local         BLOB NOT NULL,
    remote        BLOB NOT NULL,
    remote_tag    TEXT NOT NULL,
    remote_seq    INTEGER NOT NULL,
    target        TEXT NOT NULL,
    routes        TEXT NOT NULL,
    transport     TEXT NOT NULL,
    listener      INTEGER NOT NULL,
    peer          TEXT NOT NULL,
    promised      INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
