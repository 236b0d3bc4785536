-- Answers are as long as a tally: in a table by number they lie one behind the other, and who asked is an index beside it. The queue to the
-- signer is found by its own key.
ALTER TABLE calls RENAME TO calls_before;
CREATE TABLE calls (
	id INTEGER PRIMARY KEY,
	actor TEXT NOT NULL,
	call_id TEXT NOT NULL,
	method TEXT NOT NULL,
	digest BLOB NOT NULL,
	answer TEXT NOT NULL,
	at INTEGER NOT NULL,
	UNIQUE (actor, call_id)
) STRICT;
INSERT INTO calls (actor, call_id, method, digest, answer, at) SELECT actor, call_id, method, digest, answer, at FROM calls_before ORDER BY at;
DROP TABLE calls_before;
CREATE INDEX calls_at ON calls(at);
DROP INDEX handover_request;
