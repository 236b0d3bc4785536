/*
 * An officer looks for an account: by what stands on a letter, by a call's number, by a part of the name.
 */
#include "ra/account.h"

#include "ra/officer.h"
#include "ra/store_find.h"

static void add_account(void *arg, const struct account *a)
{
	json_t *o = account_json(a, false);
	json_object_set_new(o, "initial", json_boolean(a->initial));
	json_object_set_new(o, "frozen", json_boolean(a->frozen));
	json_array_append_new(arg, o);
}

enum err account_find(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *rows = json_array();
	struct list_page page;
	struct list_end end;
	const char *text;
	_cleanup_(freep) char *view = officer_projects(c);
	TRY(param_clean(c, "search", &text, f));
	TRY(param_list(c, PER_PAGE, &page, f));
	TRY(store_accounts_find(c->db, text, view, &page, add_account, rows, &end, f));
	*ret = json_object();
	json_object_set_new(*ret, "accounts", TAKE(rows));
	list_end_put(&end, *ret);
	return OK;
}
