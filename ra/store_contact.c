/*
 * A row for whoever has said something. Next: contact.c.
 */
#include "ra/store_contact.h"

#include "common/base/cleanup.h"

enum err store_contact(struct db *db, int64_t account, struct contact *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool there = false;
	*ret = (struct contact){0};
	TRY(db_query(db, f, &row, "SELECT mail, language FROM account_contacts WHERE account = ?1", "i", account));
	TRY(db_next(row, &there, f));
	if (!there)
		return OK;
	COLUMN(row, 0, ret->mail);
	COLUMN(row, 1, ret->language);
	return OK;
}

enum err store_contact_set(struct db *db, int64_t account, const struct contact *k, int64_t at, struct fault *f)
{
	return db_run(db, f,
		      "INSERT INTO account_contacts (account, mail, language, at) VALUES (?1, ?2, ?3, ?4)"
		      " ON CONFLICT (account) DO UPDATE SET mail = ?2, language = ?3, at = ?4",
		      "itti", account, k->mail, k->language, at);
}
