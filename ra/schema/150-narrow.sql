-- A request's texts stand apart from it: its row is small, so a move rewrites little and a list reads the rows themselves. `pending` says
-- that its state is one of those that are open (of all but unlocks under way); it changes once, at the end, so a move within them touches no
-- index.
CREATE TABLE request_texts (
	id INTEGER PRIMARY KEY,
	request TEXT NOT NULL UNIQUE REFERENCES requests(id),
	subject TEXT NOT NULL,
	tally TEXT NOT NULL,
	csr BLOB
) STRICT;
INSERT INTO request_texts (request, subject, tally, csr) SELECT id, subject, tally, csr FROM requests ORDER BY id;
DROP INDEX requests_state;
DROP INDEX requests_items;
DROP INDEX requests_account;
DROP INDEX requests_cert;
DROP INDEX requests_open;
DROP INDEX requests_open_project;
ALTER TABLE requests DROP COLUMN subject;
ALTER TABLE requests DROP COLUMN tally;
ALTER TABLE requests DROP COLUMN csr;
ALTER TABLE requests ADD COLUMN pending INTEGER NOT NULL DEFAULT 1;
UPDATE requests SET pending = 0 WHERE state NOT IN ('drafted', 'awaiting_proof', 'awaiting_officers', 'approved', 'sent', 'to_correct',
	'opened', 'at_key_centre', 'to_make', 'keyed', 'to_ship', 'in_post', 'lapsed');
CREATE INDEX requests_account ON requests(account, made, id, pending);
CREATE INDEX requests_cert ON requests(cert, kind);
CREATE INDEX requests_open ON requests(dies, id) WHERE pending = 1;
CREATE INDEX requests_open_project ON requests(project, dies, id) WHERE pending = 1;
CREATE INDEX requests_unlocking ON requests(account, dies) WHERE state IN ('sealed', 'released');
CREATE TRIGGER requests_begun AFTER INSERT ON requests
WHEN NEW.state NOT IN ('drafted', 'awaiting_proof', 'awaiting_officers', 'approved', 'sent', 'to_correct', 'opened', 'at_key_centre',
	'to_make', 'keyed', 'to_ship', 'in_post', 'lapsed') BEGIN
	UPDATE requests SET pending = 0 WHERE id = NEW.id;
END;
CREATE TRIGGER requests_settled AFTER UPDATE OF state ON requests
WHEN NEW.pending <> (NEW.state IN ('drafted', 'awaiting_proof', 'awaiting_officers', 'approved', 'sent', 'to_correct', 'opened',
	'at_key_centre', 'to_make', 'keyed', 'to_ship', 'in_post', 'lapsed')) BEGIN
	UPDATE requests SET pending = 1 - NEW.pending WHERE id = NEW.id;
END;
