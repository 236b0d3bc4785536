-- A desk with a million accounts: what lists show in order stands in an index, and what is counted is counted when it changes.
-- `waiting` is what officers have before them (the states of request_state_waits()), kept by triggers.
CREATE TABLE waiting (
	request TEXT PRIMARY KEY REFERENCES requests(id),
	project TEXT NOT NULL,
	kind TEXT NOT NULL,
	due INTEGER NOT NULL,
	claim_ends INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX waiting_due ON waiting(due);
CREATE INDEX waiting_project ON waiting(project, due);
CREATE INDEX waiting_kind ON waiting(kind, due);
CREATE INDEX waiting_project_kind ON waiting(project, kind, due);
CREATE INDEX waiting_claims ON waiting(claim_ends, project, kind) WHERE claim_ends > 0;
-- Due dates are closing times, so there are as many rows as days, projects and kinds, not as requests.
CREATE TABLE waiting_counts (
	project TEXT NOT NULL,
	kind TEXT NOT NULL,
	due INTEGER NOT NULL,
	n INTEGER NOT NULL,
	PRIMARY KEY (project, kind, due)
) STRICT, WITHOUT ROWID;
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
CREATE TABLE request_counts (state TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TRIGGER requests_added AFTER INSERT ON requests BEGIN
	INSERT INTO request_counts (state, n) VALUES (NEW.state, 1) ON CONFLICT (state) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER requests_moved AFTER UPDATE OF state, project, kind ON requests BEGIN
	UPDATE request_counts SET n = n - 1 WHERE state = OLD.state;
	INSERT INTO request_counts (state, n) VALUES (NEW.state, 1) ON CONFLICT (state) DO UPDATE SET n = n + 1;
	DELETE FROM waiting WHERE request = NEW.id;
	INSERT INTO waiting (request, project, kind, due, claim_ends)
		SELECT NEW.id, NEW.project, NEW.kind, due, claim_ends FROM courses
		WHERE request = NEW.id AND NEW.state IN ('awaiting_officers', 'opened', 'at_key_centre', 'to_make', 'keyed', 'to_ship');
END;
CREATE TRIGGER courses_added AFTER INSERT ON courses BEGIN
	INSERT INTO waiting (request, project, kind, due, claim_ends)
		SELECT id, project, kind, NEW.due, NEW.claim_ends FROM requests
		WHERE id = NEW.request AND state IN ('awaiting_officers', 'opened', 'at_key_centre', 'to_make', 'keyed', 'to_ship');
END;
CREATE TRIGGER courses_moved AFTER UPDATE OF due, claim_ends ON courses BEGIN
	UPDATE waiting SET due = NEW.due, claim_ends = NEW.claim_ends WHERE request = NEW.request;
END;
INSERT INTO waiting (request, project, kind, due, claim_ends)
	SELECT r.id, r.project, r.kind, k.due, k.claim_ends FROM requests r JOIN courses k ON k.request = r.id
	WHERE r.state IN ('awaiting_officers', 'opened', 'at_key_centre', 'to_make', 'keyed', 'to_ship');
INSERT INTO request_counts (state, n) SELECT state, count(*) FROM requests GROUP BY state;
CREATE INDEX requests_open ON requests(dies) WHERE state IN ('drafted', 'awaiting_proof', 'awaiting_officers', 'approved', 'sent',
	'to_correct', 'opened', 'at_key_centre', 'to_make', 'keyed', 'to_ship', 'in_post', 'lapsed');
-- What officers look for: a part of an organisation's name by its groups of three characters (kept by store_account.c: a schema that is
-- not trusted may not write into a virtual table), orders by amount, state and the
-- end of their number, payments and cases by time.
CREATE VIRTUAL TABLE account_names USING fts5(organisation, content='accounts', content_rowid='id', tokenize='trigram');
INSERT INTO account_names (rowid, organisation) SELECT id, organisation FROM accounts;
CREATE INDEX accounts_organisation ON accounts(organisation);
CREATE INDEX orders_created ON orders(created);
CREATE INDEX orders_tail ON orders(substr(id, 10));
CREATE INDEX orders_amount ON orders(amount_fen, created);
CREATE INDEX orders_state_amount ON orders(state, amount_fen, created);
CREATE INDEX orders_ends ON orders(ends) WHERE state = 'paid' AND ends > 0;
CREATE INDEX invoices_state ON invoices(state, asked);
CREATE INDEX payments_at ON payments(at);
CREATE INDEX account_cases_made ON account_cases(made);
CREATE INDEX account_cases_address ON account_cases(address, made);
CREATE INDEX account_cases_files ON account_cases(id) WHERE file_type <> '';
CREATE INDEX account_cases_account ON account_cases(account) WHERE state = 'open';
CREATE INDEX audit_at ON audit(at);
CREATE INDEX audit_who ON audit(who, at);
CREATE INDEX handover_request ON handover(request, id);
CREATE INDEX materials_plain ON materials(sha256) WHERE key IS NULL AND deleted IS NULL;
-- Requests whose state has changed since the last sweep: their materials may have to be closed.
CREATE TABLE material_closings (request TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO material_closings (request) SELECT DISTINCT owner FROM materials WHERE kind = 'request';
CREATE TRIGGER requests_ended AFTER UPDATE OF state, result ON requests BEGIN
	INSERT INTO material_closings (request) VALUES (NEW.id) ON CONFLICT DO NOTHING;
END;
