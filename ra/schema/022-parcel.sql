-- The parcel of a work request: one token, from the desk to its owner's receipt. What is packed, shipped or came back is open,
-- and a token lies in one open parcel at most.
CREATE TABLE parcels (
	request TEXT PRIMARY KEY REFERENCES requests(id),
	account INTEGER NOT NULL REFERENCES accounts(id),
	token TEXT NOT NULL,
	state TEXT NOT NULL,
	recipient TEXT NOT NULL,
	mobile TEXT NOT NULL,
	address TEXT NOT NULL,
	carrier TEXT NOT NULL DEFAULT '',
	tracking TEXT NOT NULL DEFAULT '',
	packed INTEGER NOT NULL,
	packed_by TEXT NOT NULL,
	shipped INTEGER NOT NULL DEFAULT 0,
	shipped_by TEXT NOT NULL DEFAULT '',
	due INTEGER NOT NULL DEFAULT 0,
	reminded INTEGER NOT NULL DEFAULT 0,
	ended INTEGER NOT NULL DEFAULT 0,
	ended_by TEXT NOT NULL DEFAULT '',
	ended_from TEXT NOT NULL DEFAULT '',
	note TEXT NOT NULL DEFAULT '',
	strangers INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX parcels_token ON parcels(token) WHERE state IN ('packed', 'shipped', 'returned');
CREATE INDEX parcels_account ON parcels(account, packed);
CREATE INDEX parcels_state ON parcels(state, due);
CREATE INDEX parcels_reminder ON parcels(due) WHERE state = 'shipped' AND reminded = 0;
