-- The history as a hash chain (docs/HISTORY.md): each entry's hash covers it and the hash of the entry
-- before; the salt hides the numbers and names in it, and is there only when it has some.
ALTER TABLE entry ADD COLUMN hash BLOB;
ALTER TABLE entry ADD COLUMN salt BLOB;
