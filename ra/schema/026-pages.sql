-- Pages of lists read what they show from indexes that hold it: a request's own row is its texts, over several pages of the
-- file. What is on hold is counted when it changes.
CREATE INDEX requests_items ON requests(id, kind, way, project, profile, state, policy, cert, officers, made, dies, account);
DROP INDEX requests_account;
CREATE INDEX requests_account ON requests(account, made, id, state);
DROP INDEX requests_cert;
CREATE INDEX requests_cert ON requests(cert, kind, state);
DROP INDEX requests_open;
CREATE INDEX requests_open ON requests(dies, id, project, state) WHERE state IN ('drafted', 'awaiting_proof', 'awaiting_officers',
	'approved', 'sent', 'to_correct', 'opened', 'at_key_centre', 'to_make', 'keyed', 'to_ship', 'in_post', 'lapsed');
DROP INDEX payments_at;
CREATE INDEX payments_at ON payments(at, id, order_id);
DROP INDEX payments_state;
CREATE INDEX payments_state ON payments(state, at, id, order_id);
CREATE TABLE held_count (id INTEGER PRIMARY KEY CHECK (id = 1), n INTEGER NOT NULL) STRICT;
INSERT INTO held_count (id, n) SELECT 1, count(*) FROM certs WHERE state = 1;
CREATE TRIGGER certs_held_added AFTER INSERT ON certs WHEN NEW.state = 1 BEGIN
	UPDATE held_count SET n = n + 1;
END;
CREATE TRIGGER certs_held_moved AFTER UPDATE OF state ON certs WHEN (NEW.state = 1) <> (OLD.state = 1) BEGIN
	UPDATE held_count SET n = n + (NEW.state = 1) - (OLD.state = 1);
END;
