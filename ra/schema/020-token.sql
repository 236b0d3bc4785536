-- USB keys: what is in stock, who has which, what it carries. A PUK stands here sealed to a token key of the desk, whose
-- secret half the desk does not have. puk_next is one that was recorded and may be on the key already; it becomes puk by a report.
CREATE TABLE tokens (
	id INTEGER PRIMARY KEY,
	serial TEXT NOT NULL UNIQUE,
	model TEXT NOT NULL,
	label TEXT NOT NULL,
	state TEXT NOT NULL,
	account INTEGER REFERENCES accounts(id),
	keeper TEXT NOT NULL,
	cert INTEGER REFERENCES certs(id),
	puk BLOB,
	puk_next BLOB,
	added INTEGER NOT NULL,
	changed INTEGER NOT NULL
) STRICT;
CREATE INDEX tokens_account ON tokens(account, serial) WHERE account IS NOT NULL;
CREATE INDEX tokens_keeper ON tokens(keeper, serial) WHERE keeper <> '';
CREATE INDEX tokens_state ON tokens(state, serial);
CREATE UNIQUE INDEX tokens_cert ON tokens(cert) WHERE cert IS NOT NULL;
CREATE TABLE token_history (
	id INTEGER PRIMARY KEY,
	token INTEGER NOT NULL REFERENCES tokens(id),
	at INTEGER NOT NULL,
	event TEXT NOT NULL,
	before TEXT NOT NULL,
	after TEXT NOT NULL,
	who TEXT NOT NULL,
	why TEXT NOT NULL
) STRICT;
CREATE INDEX token_history_token ON token_history(token, id);
CREATE TRIGGER token_history_stays BEFORE UPDATE ON token_history BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER token_history_kept BEFORE DELETE ON token_history BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
