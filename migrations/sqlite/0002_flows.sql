-- Registrations by every transport, and whose phone it is and by which of its ways it came (RFC 5626
-- §4.2): instance and reg_id are both there or both absent.
CREATE TABLE binding_new (
    account       TEXT NOT NULL,
    contact       TEXT NOT NULL,
    transport     TEXT NOT NULL CHECK (transport IN ('udp', 'tcp', 'tls', 'ws', 'wss')),
    listener      INTEGER NOT NULL,
    remote        TEXT NOT NULL,
    call_id       TEXT NOT NULL,
    cseq          INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    instance      TEXT,
    reg_id        INTEGER,
    PRIMARY KEY (account, contact),
    CHECK ((instance IS NULL) = (reg_id IS NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO binding_new
    (account, contact, transport, listener, remote, call_id, cseq, expires_at_ms)
SELECT account, contact, transport, listener, remote, call_id, cseq, expires_at_ms FROM binding;

DROP TABLE binding;

ALTER TABLE binding_new RENAME TO binding;
