/*
 * What people see of parcels: an owner the own ones (我的签收), officers all. Who packed it is the desk's business.
 */
#include "ra/officer.h"
#include "ra/parcel.h"

#include <string.h>

static void put_time(json_t *o, const char *name, int64_t t)
{
	if (t != 0)
		json_object_set_new(o, name, json_time(t));
}

static void put_text(json_t *o, const char *name, const char *text)
{
	if (text[0] != '\0')
		json_object_set_new(o, name, json_string(text));
}

static void put_desk(json_t *o, const struct parcel *p)
{
	json_object_set_new(o, "organisation", json_string(p->organisation));
	put_text(o, "packed_by", p->packed_by);
	put_text(o, "shipped_by", p->shipped_by);
	json_object_set_new(o, "strangers", json_integer(p->strangers));
}

json_t *parcel_json(const struct ctx *c, const struct parcel *p)
{
	json_t *o = json_object();
	bool shipped = strcmp(p->state, "shipped") == 0;
	json_object_set_new(o, "request", json_string(p->request));
	json_object_set_new(o, "number", json_string(p->number));
	json_object_set_new(o, "token", json_string(p->token));
	json_object_set_new(o, "state", json_string(p->state));
	json_object_set_new(o, "recipient", json_string(p->to.recipient));
	json_object_set_new(o, "mobile", json_string(p->to.mobile));
	json_object_set_new(o, "address", json_string(p->to.address));
	put_text(o, "carrier", p->carrier);
	put_text(o, "tracking", p->tracking);
	put_time(o, "packed", p->packed);
	put_time(o, "shipped", p->shipped);
	put_time(o, "due", p->due);
	json_object_set_new(o, "overdue", json_boolean(shipped && p->due < c->now));
	put_time(o, "reminded", p->reminded);
	put_time(o, "ended", p->ended);
	put_text(o, "ended_by", p->ended_by);
	put_text(o, "ended_from", p->ended_from);
	put_text(o, "note", p->note);
	if (!c->session)
		put_desk(o, p);
	return o;
}

static enum err check_caller(const struct ctx *c, struct fault *f)
{
	if (c->session || caller_is(c, DESK_OFFICER))
		return OK;
	return fault_raise(f, ERR_DENIED, "session_missing", "params.session",
			   "wanted a session, or a caller with role officer");
}

struct listing {
	const struct ctx *c;
	json_t *rows;
};

static void add(void *arg, const struct parcel *p)
{
	const struct listing *l = arg;
	json_array_append_new(l->rows, parcel_json(l->c, p));
}

enum err parcel_list(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *rows = json_array();
	const struct yaml_strs *view = c->session ? NULL : officer_view(c);
	const char *state = param_text(c, "state");
	struct list_page page;
	struct list_end end;
	TRY(check_caller(c, f));
	struct parcel_filter q = {.account = c->session ? c->session->account.id : 0,
				  .state = state ? state : "",
				  .projects = view ? view->v : NULL,
				  .n_projects = view ? view->n : 0,
				  .overdue = param_true(c, "overdue"),
				  .now = c->now};
	TRY(param_list(c, PER_PAGE, &page, f));
	TRY(store_parcels(c->db, &q, &page, add, &(struct listing){c, rows}, &end, f));
	*ret = json_object();
	json_object_set_new(*ret, "parcels", TAKE(rows));
	list_end_put(&end, *ret);
	return OK;
}

enum err parcel_show(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	struct parcel p = {0};
	TRY(check_caller(c, f));
	TRY(c->session ? request_own(c, &r, f) : request_any(c, &r, f));
	enum err e = store_parcel_get(c->db, r.id, &p, f);
	if (e == ERR_NOT_FOUND)
		return fault_raise(f, ERR_NOT_FOUND, "parcel_unknown", "params.request", "request %s has no parcel yet",
				   r.id);
	TRY(e);
	*ret = parcel_json(c, &p);
	json_object_set_new(*ret, "request_state", json_string(r.state));
	return OK;
}
