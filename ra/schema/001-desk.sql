-- The desk's tables. Certificates are two tables: what status queries touch is narrow, the bytes are apart. History and
-- audit refuse changes by trigger. A certificate that an import names before the signer has adopted it waits in claims.
CREATE TABLE heads (name TEXT PRIMARY KEY, number INTEGER NOT NULL DEFAULT 0, bytes BLOB) STRICT, WITHOUT ROWID;
CREATE TABLE accounts (
	id INTEGER PRIMARY KEY,
	identifier TEXT NOT NULL UNIQUE,
	organisation TEXT NOT NULL,
	agent TEXT NOT NULL,
	mobile TEXT NOT NULL,
	flags TEXT NOT NULL,
	password TEXT,
	initial INTEGER NOT NULL,
	created INTEGER NOT NULL,
	updated INTEGER NOT NULL
) STRICT;
CREATE TABLE logins (
	identifier TEXT PRIMARY KEY,
	failures INTEGER NOT NULL,
	locks INTEGER NOT NULL,
	locked_until INTEGER NOT NULL,
	last INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX logins_last ON logins(last);
CREATE TABLE sessions (
	token BLOB PRIMARY KEY,
	account INTEGER NOT NULL REFERENCES accounts(id),
	uid INTEGER NOT NULL,
	must_reset INTEGER NOT NULL,
	created INTEGER NOT NULL,
	expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_account ON sessions(account);
CREATE INDEX sessions_expires ON sessions(expires);
CREATE TABLE certs (
	id INTEGER PRIMARY KEY,
	issuer BLOB NOT NULL,
	serial BLOB NOT NULL,
	state INTEGER NOT NULL,
	reason INTEGER NOT NULL,
	changed INTEGER NOT NULL,
	not_before INTEGER NOT NULL,
	not_after INTEGER NOT NULL,
	successor INTEGER REFERENCES certs(id),
	predecessor INTEGER REFERENCES certs(id),
	account INTEGER REFERENCES accounts(id)
) STRICT;
CREATE UNIQUE INDEX certs_ref ON certs(serial, issuer);
CREATE INDEX certs_account ON certs(account);
CREATE TABLE cert_bodies (
	id INTEGER PRIMARY KEY REFERENCES certs(id),
	der BLOB NOT NULL,
	name TEXT NOT NULL,
	issuer_name TEXT NOT NULL,
	key_sha256 BLOB NOT NULL,
	renewals INTEGER NOT NULL,
	adopted INTEGER NOT NULL,
	weak INTEGER NOT NULL,
	project TEXT NOT NULL,
	profile TEXT NOT NULL,
	tally TEXT,
	entry INTEGER NOT NULL
) STRICT;
CREATE TABLE claims (
	serial BLOB NOT NULL,
	issuer_name TEXT NOT NULL,
	account INTEGER NOT NULL REFERENCES accounts(id),
	PRIMARY KEY (serial, issuer_name)
) STRICT, WITHOUT ROWID;
CREATE TABLE adoptions (entry INTEGER PRIMARY KEY, project TEXT NOT NULL, profile TEXT NOT NULL) STRICT;
CREATE TABLE intents (
	entry INTEGER PRIMARY KEY,
	issuer BLOB NOT NULL,
	tally BLOB NOT NULL,
	tbs BLOB NOT NULL,
	note BLOB NOT NULL
) STRICT;
CREATE TABLE services (
	id TEXT PRIMARY KEY,
	account INTEGER NOT NULL REFERENCES accounts(id),
	project TEXT NOT NULL,
	service TEXT NOT NULL,
	title TEXT NOT NULL,
	certificate_name TEXT NOT NULL,
	serial BLOB NOT NULL,
	issuer_name TEXT NOT NULL,
	cert INTEGER REFERENCES certs(id),
	begins INTEGER NOT NULL,
	ends INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX services_account ON services(account);
CREATE INDEX services_cert ON services(cert);
CREATE INDEX services_serial ON services(serial);
CREATE TABLE orders (
	id TEXT PRIMARY KEY,
	account INTEGER NOT NULL REFERENCES accounts(id),
	service TEXT NOT NULL REFERENCES services(id),
	kind TEXT NOT NULL,
	amount_fen INTEGER NOT NULL,
	period_months INTEGER NOT NULL,
	uses INTEGER NOT NULL,
	months INTEGER NOT NULL,
	policy TEXT NOT NULL,
	state TEXT NOT NULL,
	created INTEGER NOT NULL,
	paid_at INTEGER,
	bank_reference TEXT UNIQUE
) STRICT, WITHOUT ROWID;
CREATE INDEX orders_account ON orders(account, created);
CREATE INDEX orders_service ON orders(service);
CREATE TABLE requests (
	id TEXT PRIMARY KEY,
	account INTEGER REFERENCES accounts(id),
	kind TEXT NOT NULL,
	way TEXT NOT NULL,
	project TEXT NOT NULL,
	profile TEXT NOT NULL,
	state TEXT NOT NULL,
	cert INTEGER NOT NULL REFERENCES certs(id),
	subject TEXT NOT NULL,
	months INTEGER NOT NULL,
	order_id TEXT REFERENCES orders(id),
	csr BLOB,
	files TEXT NOT NULL,
	notice INTEGER NOT NULL,
	reason TEXT NOT NULL,
	tally TEXT NOT NULL,
	policy TEXT NOT NULL,
	proof INTEGER NOT NULL,
	officers INTEGER NOT NULL,
	made INTEGER NOT NULL,
	dies INTEGER NOT NULL,
	result INTEGER REFERENCES certs(id),
	refusal_rule TEXT,
	refusal_where TEXT,
	refusal_text TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX requests_account ON requests(account, made);
CREATE INDEX requests_state ON requests(state, dies);
CREATE INDEX requests_order ON requests(order_id);
CREATE TABLE lines (
	request TEXT NOT NULL REFERENCES requests(id),
	part TEXT NOT NULL,
	name TEXT NOT NULL,
	line TEXT NOT NULL,
	at INTEGER NOT NULL,
	PRIMARY KEY (request, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE materials (
	request TEXT NOT NULL REFERENCES requests(id),
	name TEXT NOT NULL,
	sha256 BLOB NOT NULL,
	bytes INTEGER NOT NULL,
	type TEXT NOT NULL,
	at INTEGER NOT NULL,
	PRIMARY KEY (request, name, sha256)
) STRICT, WITHOUT ROWID;
CREATE TABLE history (
	id INTEGER PRIMARY KEY,
	request TEXT NOT NULL REFERENCES requests(id),
	at INTEGER NOT NULL,
	event TEXT NOT NULL,
	before TEXT NOT NULL,
	after TEXT NOT NULL,
	who TEXT NOT NULL,
	detail TEXT NOT NULL
) STRICT;
CREATE INDEX history_request ON history(request, id);
CREATE TRIGGER history_stays BEFORE UPDATE ON history BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER history_kept BEFORE DELETE ON history BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TABLE handover (
	id INTEGER PRIMARY KEY,
	request TEXT NOT NULL REFERENCES requests(id),
	what TEXT NOT NULL,
	note BLOB NOT NULL,
	csr BLOB,
	state TEXT NOT NULL,
	tries INTEGER NOT NULL,
	next_at INTEGER NOT NULL,
	error TEXT NOT NULL,
	UNIQUE (request, what)
) STRICT;
CREATE INDEX handover_due ON handover(next_at) WHERE state <> 'done';
CREATE TABLE calls (
	actor TEXT NOT NULL,
	call_id TEXT NOT NULL,
	method TEXT NOT NULL,
	digest BLOB NOT NULL,
	answer TEXT NOT NULL,
	at INTEGER NOT NULL,
	PRIMARY KEY (actor, call_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX calls_at ON calls(at);
CREATE TABLE audit (
	id INTEGER PRIMARY KEY,
	at INTEGER NOT NULL,
	who TEXT NOT NULL,
	uid INTEGER NOT NULL,
	what TEXT NOT NULL,
	object TEXT NOT NULL,
	detail TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
