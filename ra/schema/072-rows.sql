-- A page of the queue, or of what is open, is one walk along an index: `waiting` holds all that a row of the queue shows, kept by
-- triggers, in the order in which the queue has it.
CREATE VIEW waiting_rows AS
	SELECT r.id AS request, r.project, r.kind, k.due, k.claim_ends, r.way, r.state, coalesce(c.issuer, x'') AS issuer,
		coalesce(c.serial, x'') AS serial, r.officers,
		(SELECT count(*) FROM lines l WHERE l.request = r.id AND l.part = 'officer') AS officers_have, r.made, r.dies,
		coalesce(a.organisation, '') AS organisation, k.number, coalesce(k.replaces, '') AS replaces, k.submitted, k.claimant
	FROM requests r JOIN courses k ON k.request = r.id LEFT JOIN certs c ON c.id = r.cert LEFT JOIN accounts a ON a.id = r.account
	WHERE r.state IN ('awaiting_officers', 'opened', 'at_key_centre', 'to_make', 'keyed', 'to_ship');
DROP TRIGGER requests_moved;
DROP TRIGGER courses_added;
DROP TRIGGER courses_moved;
DROP TABLE waiting;
CREATE TABLE waiting (
	request TEXT NOT NULL REFERENCES requests(id),
	project TEXT NOT NULL,
	kind TEXT NOT NULL,
	due INTEGER NOT NULL,
	claim_ends INTEGER NOT NULL,
	way TEXT NOT NULL,
	state TEXT NOT NULL,
	issuer BLOB NOT NULL,
	serial BLOB NOT NULL,
	officers INTEGER NOT NULL,
	officers_have INTEGER NOT NULL,
	made INTEGER NOT NULL,
	dies INTEGER NOT NULL,
	organisation TEXT NOT NULL,
	number TEXT NOT NULL,
	replaces TEXT NOT NULL,
	submitted INTEGER NOT NULL,
	claimant TEXT NOT NULL,
	PRIMARY KEY (due, request)
) STRICT, WITHOUT ROWID;
INSERT INTO waiting SELECT * FROM waiting_rows ORDER BY due, request;
CREATE UNIQUE INDEX waiting_request ON waiting(request);
CREATE INDEX waiting_due ON waiting(due);
CREATE INDEX waiting_project ON waiting(project, due);
CREATE INDEX waiting_kind ON waiting(kind, due);
CREATE INDEX waiting_project_kind ON waiting(project, kind, due);
CREATE INDEX waiting_claims ON waiting(claim_ends, project, kind) WHERE claim_ends > 0;
CREATE TRIGGER waiting_added AFTER INSERT ON waiting BEGIN
	INSERT INTO waiting_counts (project, kind, due, n) VALUES (NEW.project, NEW.kind, NEW.due, 1)
		ON CONFLICT (project, kind, due) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER waiting_ended AFTER DELETE ON waiting BEGIN
	UPDATE waiting_counts SET n = n - 1 WHERE project = OLD.project AND kind = OLD.kind AND due = OLD.due;
	DELETE FROM waiting_counts WHERE project = OLD.project AND kind = OLD.kind AND due = OLD.due AND n = 0;
END;
CREATE TRIGGER waiting_moved AFTER UPDATE OF project, kind, due ON waiting BEGIN
	UPDATE waiting_counts SET n = n - 1 WHERE project = OLD.project AND kind = OLD.kind AND due = OLD.due;
	DELETE FROM waiting_counts WHERE project = OLD.project AND kind = OLD.kind AND due = OLD.due AND n = 0;
	INSERT INTO waiting_counts (project, kind, due, n) VALUES (NEW.project, NEW.kind, NEW.due, 1)
		ON CONFLICT (project, kind, due) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER requests_moved AFTER UPDATE OF state, project, kind, way, cert, account, officers, made, dies ON requests BEGIN
	UPDATE request_counts SET n = n - 1 WHERE state = OLD.state AND OLD.state <> NEW.state;
	INSERT INTO request_counts (state, n) SELECT NEW.state, 1 WHERE OLD.state <> NEW.state
		ON CONFLICT (state) DO UPDATE SET n = n + 1;
	DELETE FROM waiting WHERE request = NEW.id;
	INSERT INTO waiting SELECT * FROM waiting_rows WHERE request = NEW.id;
END;
CREATE TRIGGER courses_added AFTER INSERT ON courses BEGIN
	INSERT INTO waiting SELECT * FROM waiting_rows WHERE request = NEW.request;
END;
CREATE TRIGGER courses_moved AFTER UPDATE OF number, replaces, submitted, due, claimant, claim_ends ON courses BEGIN
	UPDATE waiting SET number = NEW.number, replaces = coalesce(NEW.replaces, ''), submitted = NEW.submitted, due = NEW.due,
		claimant = NEW.claimant, claim_ends = NEW.claim_ends WHERE request = NEW.request;
END;
CREATE TRIGGER lines_added AFTER INSERT ON lines WHEN NEW.part = 'officer' BEGIN
	UPDATE waiting SET officers_have = officers_have + 1 WHERE request = NEW.request;
END;
CREATE TRIGGER accounts_renamed AFTER UPDATE OF organisation ON accounts WHEN NEW.organisation <> OLD.organisation BEGIN
	UPDATE waiting SET organisation = NEW.organisation WHERE request IN (SELECT id FROM requests WHERE account = NEW.id);
END;
DROP INDEX requests_open;
CREATE INDEX requests_open ON requests(dies, id, project, state, kind, profile, policy) WHERE state IN ('drafted', 'awaiting_proof',
	'awaiting_officers', 'approved', 'sent', 'to_correct', 'opened', 'at_key_centre', 'to_make', 'keyed', 'to_ship', 'in_post', 'lapsed');
CREATE INDEX requests_open_project ON requests(project, dies, id, state, kind, profile, policy) WHERE state IN ('drafted', 'awaiting_proof',
	'awaiting_officers', 'approved', 'sent', 'to_correct', 'opened', 'at_key_centre', 'to_make', 'keyed', 'to_ship', 'in_post', 'lapsed');
