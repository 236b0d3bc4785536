-- What people see of a request beside its tally: a number that stays when a correction makes another request (with another
-- tally) of it, who entered it, who looks at it, and by when. Corrections are what officers asked for, an item a row.
CREATE TABLE courses (
	request TEXT PRIMARY KEY REFERENCES requests(id),
	number TEXT NOT NULL,
	replaces TEXT UNIQUE REFERENCES requests(id),
	entered_by TEXT NOT NULL,
	submitted INTEGER NOT NULL DEFAULT 0,
	due INTEGER NOT NULL DEFAULT 0,
	claimant TEXT NOT NULL DEFAULT '',
	claim_ends INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX courses_number ON courses(number);
CREATE INDEX courses_due ON courses(due) WHERE due > 0;
INSERT INTO courses (request, number, entered_by) SELECT id, upper(substr(id, 1, 20)), '' FROM requests;
CREATE TABLE corrections (
	request TEXT NOT NULL REFERENCES requests(id),
	item TEXT NOT NULL,
	reason TEXT NOT NULL,
	PRIMARY KEY (request, item)
) STRICT, WITHOUT ROWID;
