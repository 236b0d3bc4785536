/*
 * Services: the desk's record of who bought what for how long. A service that was applied for has neither certificate
 * nor period until its first order is paid.
 */
#include "ra/service.h"

#include "ra/number.h"
#include "ra/order.h"

#include "common/base/clock.h"

#include <string.h>

#define DAY_S 86400

static const struct service_def *def_of(const struct ctx *c, const struct service *s)
{
	const struct project *p = policy_project(c->law->policy, s->project);
	return p ? project_service(p, s->service) : NULL;
}

static const char *service_state(const struct ctx *c, const struct service *s, bool ordered)
{
	if (s->ends == 0)
		return ordered ? "awaiting_payment" : "lapsed";
	if (c->now < s->begins)
		return "future";
	if (c->now >= s->ends)
		return "expired";
	return s->ends - c->now < c->desk->config.orders.expiring_days * DAY_S ? "expiring" : "active";
}

static json_t *time_or_null(int64_t t)
{
	return t != 0 ? json_time(t) : json_null();
}

static json_t *service_json(const struct ctx *c, const struct service *s, const char *open_order)
{
	const struct service_def *def = def_of(c, s);
	json_t *o = json_object();
	bool begun = s->ends != 0;
	json_object_set_new(o, "id", json_string(s->id));
	json_object_set_new(o, "project", json_string(s->project));
	json_object_set_new(o, "service", json_string(s->title));
	json_object_set_new(o, "certificate_name", json_string(s->certificate_name));
	json_object_set_new(o, "serial", s->serial.n > 0 ? json_string(SERIAL(&s->serial)) : json_null());
	json_object_set_new(o, "begins", time_or_null(s->begins));
	json_object_set_new(o, "ends", time_or_null(s->ends));
	json_object_set_new(o, "state", json_string(service_state(c, s, open_order[0] != '\0')));
	json_object_set_new(o, "price_fen", def ? json_integer(service_price(def, c->now)) : json_null());
	json_object_set_new(o, "period_months", def ? json_integer(def->period_months) : json_null());
	json_object_set_new(o, "open_order", open_order[0] != '\0' ? json_string(open_order) : json_null());
	json_object_set_new(o, "action",
			    json_string(open_order[0] != '\0' ? "pay"
					: !def		      ? "none"
					: begun		      ? "renew"
							      : "apply"));
	return o;
}

struct page {
	const struct ctx *c;
	json_t *rows;
	enum err e;
	struct fault *f;
};

static void add_service(void *arg, const struct service *s)
{
	struct page *page = arg;
	struct order open = {0};
	if (page->e != OK)
		return;
	enum err e = store_order_open(page->c->db, s->id, &open, page->f);
	if (e == OK || e == ERR_NOT_FOUND)
		json_array_append_new(page->rows, service_json(page->c, s, open.id));
	else
		page->e = e;
}

enum err service_list(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *rows = json_array();
	struct page page = {.c = c, .rows = rows, .f = f};
	const char *search = param_text(c, "search");
	int64_t limit, offset, total = 0;
	param_page(c, &limit, &offset);
	TRY(store_services_of(c->db, c->session->account.id, search ? search : "", limit, offset, add_service, &page,
			      &total, f));
	TRY(page.e);
	*ret = json_object();
	json_object_set_new(*ret, "services", TAKE(rows));
	json_object_set_new(*ret, "total", json_integer(total));
	return OK;
}

/* --- applying --- */

/* "S20261123-7K2M9QXA4BCD": apart from the numbers that an old system gave. */
static void service_id(int64_t now, char ret[SERVICE_ID_MAX + 1])
{
	ret[0] = 'S';
	number_make(now, ret + 1);
}

static enum err find_def(struct ctx *c, const struct service_def **ret, struct fault *f)
{
	const char *project = param_text(c, "project"), *name = param_text(c, "service");
	const struct project *p = policy_project(c->law->policy, project);
	if (!p)
		return fault_raise(f, ERR_NOT_FOUND, "project_unknown", "params.project", "there is no project \"%s\"",
				   ESC(project, strlen(project)));
	*ret = project_service(p, name);
	if (*ret)
		return OK;
	return fault_raise(f, ERR_NOT_FOUND, "service_not_sold", "params.service", "project %s does not sell \"%s\"",
			   p->name, ESC(name, strlen(name)));
}

/* A service that was applied for and never paid is taken up again, so that nobody fills the table with applications. */
static enum err find_or_add(struct ctx *c, const struct service_def *def, struct service *ret, struct fault *f)
{
	struct service s = {.account = c->session->account.id};
	const char *project = param_text(c, "project"), *organisation = c->session->account.organisation;
	enum err e = store_service_named(c->db, s.account, project, def->name, ret, f);
	if (e == OK && ret->ends != 0)
		return fault_raise(f, ERR_RULE, "service_held", "params.service",
				   "service %s of this kind is yours until %s: renew it", ret->id, UTC(ret->ends));
	if (e != ERR_NOT_FOUND)
		return e;
	service_id(c->now, s.id);
	snprintf(s.project, sizeof(s.project), "%s", project);
	snprintf(s.service, sizeof(s.service), "%s", def->name);
	snprintf(s.title, sizeof(s.title), "%s", def->title.zh);
	if (strlen(organisation) <= CERT_NAME_MAX)
		snprintf(s.certificate_name, sizeof(s.certificate_name), "%s", organisation);
	TRY(store_service_add(c->db, &s, f));
	TRY(desk_audit(c, "service_applied", s.id, def->name, f));
	*ret = s;
	return OK;
}

enum err service_apply(struct ctx *c, json_t **ret, struct fault *f)
{
	const struct service_def *def = NULL;
	struct service s = {0};
	struct order o = {0};
	TRY(find_def(c, &def, f));
	TRY(find_or_add(c, def, &s, f));
	TRY(order_place(c, &s, "new", &o, f));
	*ret = service_json(c, &s, o.id);
	json_object_set_new(*ret, "order", json_string(o.id));
	json_object_set_new(*ret, "amount_fen", json_integer(o.amount_fen));
	return OK;
}

enum err service_check_paid(const struct service *s, int64_t now, struct fault *f)
{
	if (now < s->ends)
		return OK;
	if (s->ends == 0)
		return fault_raise(f, ERR_RULE, "service_unpaid", "service.ends",
				   "service %s has not been paid yet: pay its order first", s->id);
	return fault_raise(f, ERR_RULE, "service_expired", "service.ends",
			   "service %s ended at %s: renew it and pay first, then extend", s->id, UTC(s->ends));
}
