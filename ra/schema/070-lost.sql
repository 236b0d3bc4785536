-- What the desk had followed of a ledger that was restored behind it: certificates that were issued, and states that
-- they got, in entries that are gone. restored: the entry with the operator's word.
CREATE TABLE lost (
	restored INTEGER NOT NULL,
	entry INTEGER NOT NULL,
	what TEXT NOT NULL CHECK (what IN ('issued', 'state')),
	cert INTEGER NOT NULL REFERENCES certs(id),
	PRIMARY KEY (restored, entry, what, cert)
) STRICT, WITHOUT ROWID;
