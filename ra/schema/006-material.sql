-- Materials of any owner (kind and id), each a sealed file of its own with its wrapped key; uploads in parts; the audit's chain.
ALTER TABLE materials RENAME TO materials_before;
CREATE TABLE materials (
	kind TEXT NOT NULL,
	owner TEXT NOT NULL,
	name TEXT NOT NULL,
	sha256 BLOB NOT NULL,
	bytes INTEGER NOT NULL,
	type TEXT NOT NULL,
	at INTEGER NOT NULL,
	account INTEGER REFERENCES accounts(id),
	file TEXT NOT NULL,
	key BLOB,
	closed INTEGER,
	certified INTEGER NOT NULL DEFAULT 0,
	deleted INTEGER,
	damaged INTEGER,
	PRIMARY KEY (kind, owner, name, sha256)
) STRICT, WITHOUT ROWID;
INSERT INTO materials (kind, owner, name, sha256, bytes, type, at, account, file)
	SELECT 'request', m.request, m.name, m.sha256, m.bytes, m.type, m.at, r.account, ''
	FROM materials_before m JOIN requests r ON r.id = m.request;
DROP TABLE materials_before;
CREATE UNIQUE INDEX materials_file ON materials(file) WHERE file <> '';
CREATE INDEX materials_account ON materials(account) WHERE closed IS NULL;
CREATE INDEX materials_closed ON materials(closed) WHERE deleted IS NULL;
CREATE INDEX materials_damaged ON materials(damaged) WHERE damaged IS NOT NULL;
CREATE TABLE uploads (
	id TEXT PRIMARY KEY,
	kind TEXT NOT NULL,
	owner TEXT NOT NULL,
	name TEXT NOT NULL,
	sha256 BLOB NOT NULL,
	bytes INTEGER NOT NULL,
	account INTEGER REFERENCES accounts(id),
	key BLOB NOT NULL,
	made INTEGER NOT NULL,
	dies INTEGER NOT NULL,
	UNIQUE (kind, owner, name, sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX uploads_dies ON uploads(dies);
CREATE INDEX uploads_account ON uploads(account);
CREATE TABLE upload_parts (
	upload TEXT NOT NULL REFERENCES uploads(id) ON DELETE CASCADE,
	part INTEGER NOT NULL,
	sha256 BLOB NOT NULL,
	PRIMARY KEY (upload, part)
) STRICT, WITHOUT ROWID;
-- Rows from before get their hash when the desk next starts, which is the only change that a row ever sees.
DROP TRIGGER audit_stays;
ALTER TABLE audit ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN hash BLOB;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit WHEN OLD.hash IS NOT NULL BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE INDEX audit_object ON audit(object, id);
CREATE INDEX audit_unsealed ON audit(id) WHERE hash IS NULL;
