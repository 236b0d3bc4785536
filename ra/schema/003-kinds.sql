-- An enrolment follows no certificate, so the column that names one may be empty (its constraint goes by making it anew). A
-- request says how officers see a new key, which certificate stands in an identifier's way, and which hold it releases; a
-- certificate knows the ledger's entry that gave it its state.
ALTER TABLE requests ADD COLUMN predecessor INTEGER REFERENCES certs(id);
UPDATE requests SET predecessor = cert;
ALTER TABLE requests DROP COLUMN cert;
ALTER TABLE requests RENAME COLUMN predecessor TO cert;
ALTER TABLE requests ADD COLUMN key_seen TEXT NOT NULL DEFAULT '';
ALTER TABLE requests ADD COLUMN collides TEXT NOT NULL DEFAULT '';
ALTER TABLE requests ADD COLUMN hold INTEGER;
ALTER TABLE certs ADD COLUMN state_entry INTEGER;
CREATE INDEX requests_hold ON requests(made) WHERE kind = 'hold';
CREATE INDEX certs_held ON certs(id) WHERE state = 1;
