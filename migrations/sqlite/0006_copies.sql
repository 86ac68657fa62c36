-- What a copy of the history (the site's store) must follow: entries whose texts were erased, in that order.
CREATE TABLE rewritten (
    n   INTEGER PRIMARY KEY AUTOINCREMENT,
    seq INTEGER NOT NULL
) STRICT;
