-- Payments are rows of their own, so that money which came too late or twice stays in view until it has gone back. Their
-- id is whose reference it is and the reference: "bank:ICBC-1", "provider:4200…". An order keeps the period that it
-- bought and the service's period before, which a refund gives back.
ALTER TABLE orders RENAME COLUMN bank_reference TO payment;
ALTER TABLE orders ADD COLUMN begins INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN ends INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN before_begins INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN before_ends INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN closed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN why TEXT NOT NULL DEFAULT '';
CREATE INDEX orders_state ON orders(state, created);
CREATE TABLE payments (
	id TEXT PRIMARY KEY,
	order_id TEXT NOT NULL REFERENCES orders(id),
	amount_fen INTEGER NOT NULL,
	state TEXT NOT NULL,
	at INTEGER NOT NULL,
	who TEXT NOT NULL,
	refund TEXT UNIQUE,
	refunded INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX payments_order ON payments(order_id);
CREATE INDEX payments_state ON payments(state, at);
INSERT INTO payments (id, order_id, amount_fen, state, at, who)
	SELECT 'bank:' || payment, id, amount_fen, 'applied', paid_at, '' FROM orders WHERE payment IS NOT NULL;
UPDATE orders SET payment = 'bank:' || payment WHERE payment IS NOT NULL;
UPDATE orders SET state = 'created' WHERE state IN ('open', 'awaiting_payment');
CREATE TABLE nonces (nonce TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX nonces_at ON nonces(at);
CREATE TABLE invoices (
	order_id TEXT PRIMARY KEY REFERENCES orders(id),
	title TEXT NOT NULL,
	tax_number TEXT NOT NULL,
	amount_fen INTEGER NOT NULL,
	state TEXT NOT NULL,
	asked INTEGER NOT NULL,
	number TEXT UNIQUE,
	issued INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
