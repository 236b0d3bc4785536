-- Messages that a notifier takes by lease and reports on, what officers see of them, where an account's notices go besides its
-- mobile, and reminders of a certificate's end. The index on ends is what reminders walk along.
DROP INDEX outbox_due;
DROP INDEX outbox_made;
ALTER TABLE outbox ADD COLUMN account INTEGER REFERENCES accounts(id);
ALTER TABLE outbox ADD COLUMN urgent INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN lease TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN leased INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;
CREATE INDEX outbox_due ON outbox(channel, urgent, next_at) WHERE state = 'waiting';
CREATE INDEX outbox_lease ON outbox(lease) WHERE lease <> '';
CREATE INDEX outbox_dies ON outbox(dies) WHERE sealed IS NOT NULL;
CREATE INDEX outbox_made ON outbox(made, id);
CREATE INDEX outbox_state ON outbox(state, made, id);
CREATE INDEX outbox_account ON outbox(account, made, id) WHERE account IS NOT NULL;
CREATE TABLE account_contacts (
	account INTEGER PRIMARY KEY REFERENCES accounts(id),
	mail TEXT NOT NULL,
	language TEXT NOT NULL,
	at INTEGER NOT NULL
) STRICT;
CREATE TABLE reminders (
	not_after INTEGER NOT NULL,
	cert INTEGER NOT NULL REFERENCES certs(id),
	days INTEGER NOT NULL,
	at INTEGER NOT NULL,
	PRIMARY KEY (not_after, cert, days)
) STRICT, WITHOUT ROWID;
CREATE INDEX certs_end ON certs(not_after) WHERE successor IS NULL AND state < 2;
