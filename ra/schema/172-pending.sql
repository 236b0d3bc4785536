-- How many of an account's requests are open is asked for by each draft: they stand in an index of their own, and what ends leaves that of all
-- requests as it is.
DROP INDEX requests_account;
CREATE INDEX requests_account ON requests(account, made, id);
CREATE INDEX requests_pending ON requests(account) WHERE pending = 1;
