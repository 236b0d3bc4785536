-- What the desk's record says of an organisation that no certificate says. The request is the one that changed it last.
CREATE TABLE account_records (
	account INTEGER PRIMARY KEY REFERENCES accounts(id),
	representative TEXT NOT NULL,
	at INTEGER NOT NULL,
	request TEXT NOT NULL REFERENCES requests(id)
) STRICT, WITHOUT ROWID;
CREATE INDEX requests_cert ON requests(cert);
