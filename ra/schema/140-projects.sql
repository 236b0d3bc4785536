-- What officers of some projects see is found, not judged row by row among everybody's. `account_projects` has a row for each project that
-- an account has a service or a certificate of, and one of project '*' for an account that has neither, which is everybody's;
-- `token_projects` says the same of USB keys, and has those that nobody holds under '*'. `token_rows` holds all that a row of the inventory
-- shows. Orders and payments know their service's project. Rows of accounts, certificates and services are never taken out.
CREATE TABLE account_projects (
	project TEXT NOT NULL,
	account INTEGER NOT NULL REFERENCES accounts(id),
	organisation TEXT NOT NULL,
	PRIMARY KEY (project, account)
) STRICT, WITHOUT ROWID;
INSERT INTO account_projects (project, account, organisation)
	SELECT s.project, a.id, a.organisation FROM accounts a CROSS JOIN services s INDEXED BY services_account ON s.account = a.id
	WHERE true ON CONFLICT DO NOTHING;
INSERT INTO account_projects (project, account, organisation)
	SELECT b.project, a.id, a.organisation FROM accounts a CROSS JOIN certs c INDEXED BY certs_account ON c.account = a.id
	CROSS JOIN cert_bodies b ON b.id = c.id WHERE true ON CONFLICT DO NOTHING;
CREATE INDEX account_projects_account ON account_projects(account);
INSERT INTO account_projects (project, account, organisation)
	SELECT '*', a.id, a.organisation FROM accounts a WHERE NOT EXISTS (SELECT 1 FROM account_projects p WHERE p.account = a.id);
CREATE INDEX account_projects_name ON account_projects(project, organisation, account);
-- The same as a view, for what moves from one project to another.
CREATE VIEW project_accounts AS
	SELECT s.project, s.account FROM services s
	UNION SELECT b.project, c.account FROM certs c JOIN cert_bodies b ON b.id = c.id
	UNION SELECT '*', a.id FROM accounts a WHERE NOT EXISTS (SELECT 1 FROM services s WHERE s.account = a.id)
		AND NOT EXISTS (SELECT 1 FROM certs c WHERE c.account = a.id);
CREATE TRIGGER projects_account_added AFTER INSERT ON accounts BEGIN
	INSERT INTO account_projects (project, account, organisation) VALUES ('*', NEW.id, NEW.organisation);
END;
CREATE TRIGGER projects_account_renamed AFTER UPDATE OF organisation ON accounts WHEN NEW.organisation <> OLD.organisation BEGIN
	UPDATE account_projects SET organisation = NEW.organisation WHERE account = NEW.id;
	UPDATE token_rows SET organisation = NEW.organisation WHERE account = NEW.id;
END;
CREATE TRIGGER projects_service_added AFTER INSERT ON services BEGIN
	DELETE FROM account_projects WHERE project = '*' AND account = NEW.account;
	INSERT INTO account_projects (project, account, organisation)
		SELECT NEW.project, id, organisation FROM accounts WHERE id = NEW.account ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER projects_service_moved AFTER UPDATE OF project, account ON services
WHEN NEW.project <> OLD.project OR NEW.account <> OLD.account BEGIN
	DELETE FROM account_projects WHERE account IN (OLD.account, NEW.account);
	INSERT INTO account_projects (project, account, organisation)
		SELECT p.project, a.id, a.organisation FROM project_accounts p JOIN accounts a ON a.id = p.account
		WHERE p.account IN (OLD.account, NEW.account);
	UPDATE orders SET project = NEW.project WHERE service = NEW.id;
	UPDATE payments SET project = NEW.project WHERE order_id IN (SELECT id FROM orders WHERE service = NEW.id);
END;
CREATE TRIGGER projects_cert_added AFTER INSERT ON cert_bodies BEGIN
	DELETE FROM account_projects WHERE project = '*' AND account = (SELECT account FROM certs WHERE id = NEW.id);
	INSERT INTO account_projects (project, account, organisation)
		SELECT NEW.project, a.id, a.organisation FROM certs c JOIN accounts a ON a.id = c.account
		WHERE c.id = NEW.id ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER projects_cert_owned AFTER UPDATE OF account ON certs WHEN OLD.account IS NULL AND NEW.account IS NOT NULL BEGIN
	DELETE FROM account_projects WHERE project = '*' AND account = NEW.account;
	INSERT INTO account_projects (project, account, organisation)
		SELECT b.project, a.id, a.organisation FROM cert_bodies b JOIN accounts a ON a.id = NEW.account
		WHERE b.id = NEW.id ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER projects_cert_left AFTER UPDATE OF account ON certs WHEN OLD.account IS NOT NULL AND NEW.account IS NOT OLD.account BEGIN
	DELETE FROM account_projects WHERE account IN (OLD.account, NEW.account);
	INSERT INTO account_projects (project, account, organisation)
		SELECT p.project, a.id, a.organisation FROM project_accounts p JOIN accounts a ON a.id = p.account
		WHERE p.account IN (OLD.account, NEW.account);
END;
CREATE TRIGGER projects_cert_moved AFTER UPDATE OF project ON cert_bodies WHEN NEW.project <> OLD.project BEGIN
	DELETE FROM account_projects WHERE account = (SELECT account FROM certs WHERE id = NEW.id);
	INSERT INTO account_projects (project, account, organisation)
		SELECT p.project, a.id, a.organisation FROM project_accounts p JOIN accounts a ON a.id = p.account
		WHERE p.account = (SELECT account FROM certs WHERE id = NEW.id);
END;

CREATE TABLE token_rows (
	serial TEXT PRIMARY KEY,
	model TEXT NOT NULL,
	label TEXT NOT NULL,
	state TEXT NOT NULL,
	account INTEGER NOT NULL,
	identifier TEXT NOT NULL,
	organisation TEXT NOT NULL,
	keeper TEXT NOT NULL,
	certificate BLOB NOT NULL,
	has_puk INTEGER NOT NULL,
	added INTEGER NOT NULL,
	changed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE token_projects (
	project TEXT NOT NULL,
	serial TEXT NOT NULL,
	state TEXT NOT NULL,
	PRIMARY KEY (project, serial)
) STRICT, WITHOUT ROWID;
CREATE VIEW token_shown AS
	SELECT t.serial, t.model, t.label, t.state, coalesce(t.account, 0) AS account, coalesce(a.identifier, '') AS identifier,
		coalesce(a.organisation, '') AS organisation, t.keeper, coalesce(c.serial, x'') AS certificate,
		t.puk IS NOT NULL AS has_puk, t.added, t.changed
	FROM tokens t LEFT JOIN accounts a ON a.id = t.account LEFT JOIN certs c ON c.id = t.cert;
INSERT INTO token_rows SELECT * FROM token_shown ORDER BY serial;
INSERT INTO token_projects (project, serial, state) SELECT coalesce(p.project, '*'), t.serial, t.state
	FROM tokens t LEFT JOIN account_projects p ON p.account = t.account ORDER BY t.serial;
DROP INDEX tokens_state;
DROP INDEX tokens_keeper;
CREATE INDEX token_rows_state ON token_rows(state, serial);
CREATE INDEX token_rows_keeper ON token_rows(keeper, serial) WHERE keeper <> '';
CREATE INDEX token_rows_account ON token_rows(account, serial) WHERE account <> 0;
CREATE INDEX token_projects_state ON token_projects(project, state, serial);
CREATE TRIGGER tokens_added AFTER INSERT ON tokens BEGIN
	INSERT INTO token_rows SELECT * FROM token_shown WHERE serial = NEW.serial;
	INSERT INTO token_projects (project, serial, state) SELECT '*', NEW.serial, NEW.state WHERE NEW.account IS NULL;
	INSERT INTO token_projects (project, serial, state)
		SELECT project, NEW.serial, NEW.state FROM account_projects WHERE account = NEW.account;
END;
CREATE TRIGGER tokens_moved AFTER UPDATE ON tokens BEGIN
	DELETE FROM token_rows WHERE serial = OLD.serial;
	INSERT INTO token_rows SELECT * FROM token_shown WHERE serial = NEW.serial;
END;
CREATE TRIGGER tokens_seen AFTER UPDATE OF serial, state, account ON tokens
WHEN NEW.serial <> OLD.serial OR NEW.state <> OLD.state OR NEW.account IS NOT OLD.account BEGIN
	DELETE FROM token_projects WHERE serial = OLD.serial
		AND (project = '*' OR project IN (SELECT project FROM account_projects WHERE account = OLD.account));
	INSERT INTO token_projects (project, serial, state) SELECT '*', NEW.serial, NEW.state WHERE NEW.account IS NULL;
	INSERT INTO token_projects (project, serial, state)
		SELECT project, NEW.serial, NEW.state FROM account_projects WHERE account = NEW.account;
END;
CREATE TRIGGER token_projects_added AFTER INSERT ON account_projects BEGIN
	INSERT INTO token_projects (project, serial, state)
		SELECT NEW.project, serial, state FROM tokens WHERE account = NEW.account;
END;
CREATE TRIGGER token_projects_ended AFTER DELETE ON account_projects BEGIN
	DELETE FROM token_projects WHERE project = OLD.project
		AND serial IN (SELECT serial FROM tokens WHERE account = OLD.account);
END;

ALTER TABLE orders ADD COLUMN project TEXT NOT NULL DEFAULT '';
UPDATE orders SET project = (SELECT s.project FROM services s WHERE s.id = orders.service);
CREATE INDEX orders_project ON orders(project, created, id, state, amount_fen);
ALTER TABLE payments ADD COLUMN project TEXT NOT NULL DEFAULT '';
UPDATE payments SET project = (SELECT o.project FROM orders o WHERE o.id = payments.order_id);
CREATE INDEX payments_project ON payments(project, at, id);
CREATE INDEX payments_project_state ON payments(project, state, at, id);
DROP INDEX services_project;
