-- By which proxies a phone registered (RFC 3327): as one Path header says them, the nearest to us first.
ALTER TABLE binding ADD COLUMN path TEXT;
