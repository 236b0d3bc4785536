-- A request whose new key is made at the desk, on a token that goes to its owner: where to, which token holds the key, who
-- made it, and the start PIN, sealed until it is sent. A corrected or renewed request has a row of its own.
CREATE TABLE works (
	request TEXT PRIMARY KEY REFERENCES requests(id),
	recipient TEXT NOT NULL,
	mobile TEXT NOT NULL,
	address TEXT NOT NULL,
	token TEXT NOT NULL DEFAULT '',
	maker TEXT NOT NULL DEFAULT '',
	pin BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX works_token ON works(token) WHERE token <> '';
