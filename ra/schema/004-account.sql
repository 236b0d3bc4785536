-- Accounts as people use them: the mobile that logs in, sessions that can be listed and ended one by one, codes, pictures,
-- bindings with their freeze codes, cases for officers, and the outbox. Codes stand here as keyed hashes, messages sealed.
ALTER TABLE accounts ADD COLUMN login_mobile TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN frozen INTEGER NOT NULL DEFAULT 0;
CREATE INDEX accounts_login_mobile ON accounts(login_mobile) WHERE login_mobile <> '';
DROP TABLE sessions;
CREATE TABLE sessions (
	token BLOB PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	account INTEGER NOT NULL REFERENCES accounts(id),
	uid INTEGER NOT NULL,
	address TEXT NOT NULL,
	must_reset INTEGER NOT NULL,
	must_choose INTEGER NOT NULL,
	proof TEXT NOT NULL,
	created INTEGER NOT NULL,
	used INTEGER NOT NULL,
	expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_account ON sessions(account);
CREATE INDEX sessions_expires ON sessions(expires);
CREATE TABLE sms_sends (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, mobile TEXT NOT NULL, address TEXT NOT NULL) STRICT;
CREATE INDEX sms_sends_mobile ON sms_sends(mobile, at);
CREATE INDEX sms_sends_address ON sms_sends(address, at);
CREATE INDEX sms_sends_at ON sms_sends(at);
CREATE TABLE sms_codes (
	id INTEGER PRIMARY KEY,
	mobile TEXT NOT NULL,
	purpose TEXT NOT NULL,
	account INTEGER NOT NULL,
	hash BLOB NOT NULL,
	made INTEGER NOT NULL,
	dies INTEGER NOT NULL,
	tries INTEGER NOT NULL,
	UNIQUE (mobile, purpose, account)
) STRICT;
CREATE TABLE pictures (id BLOB PRIMARY KEY, hash BLOB NOT NULL, made INTEGER NOT NULL, dies INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX pictures_dies ON pictures(dies);
CREATE TABLE grants (
	account INTEGER PRIMARY KEY REFERENCES accounts(id),
	hash BLOB NOT NULL,
	made INTEGER NOT NULL,
	dies INTEGER NOT NULL,
	tries INTEGER NOT NULL,
	who TEXT NOT NULL
) STRICT;
CREATE TABLE bindings (
	id INTEGER PRIMARY KEY,
	account INTEGER NOT NULL REFERENCES accounts(id),
	at INTEGER NOT NULL,
	way TEXT NOT NULL,
	who TEXT NOT NULL,
	first INTEGER NOT NULL,
	agent_before TEXT NOT NULL,
	mobile_before TEXT NOT NULL,
	agent TEXT NOT NULL,
	mobile TEXT NOT NULL,
	freeze BLOB UNIQUE,
	freeze_dies INTEGER NOT NULL,
	state TEXT NOT NULL
) STRICT;
CREATE INDEX bindings_account ON bindings(account, id);
CREATE TABLE account_cases (
	id TEXT PRIMARY KEY,
	kind TEXT NOT NULL,
	state TEXT NOT NULL,
	account INTEGER REFERENCES accounts(id),
	binding INTEGER REFERENCES bindings(id),
	organisation TEXT NOT NULL,
	agent TEXT NOT NULL,
	mobile TEXT NOT NULL,
	text TEXT NOT NULL,
	file_type TEXT NOT NULL,
	address TEXT NOT NULL,
	made INTEGER NOT NULL,
	decided INTEGER,
	who TEXT NOT NULL,
	answer TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX account_cases_state ON account_cases(state, made);
CREATE TABLE outbox (
	id TEXT PRIMARY KEY,
	channel TEXT NOT NULL,
	recipient TEXT NOT NULL,
	template TEXT NOT NULL,
	sealed BLOB,
	state TEXT NOT NULL,
	made INTEGER NOT NULL,
	dies INTEGER NOT NULL,
	tries INTEGER NOT NULL,
	next_at INTEGER NOT NULL,
	error TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox(next_at) WHERE state = 'waiting';
CREATE INDEX outbox_made ON outbox(made);
