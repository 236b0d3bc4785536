-- An unlock: for which token, the client's one-time key, and the PUK that was sealed to that key until it is handed out.
CREATE TABLE unlocks (
	request TEXT PRIMARY KEY REFERENCES requests(id),
	token INTEGER NOT NULL REFERENCES tokens(id),
	client_key BLOB NOT NULL,
	sealed BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX unlocks_token ON unlocks(token);
