/*
 * Projects, which come from the signed policy: what their page shows before anybody logs in.
 */
#include "ra/project.h"

#include "ra/plain.h"
#include "ra/title.h"
#include "ra/unlock.h"

#include <string.h>

#define SEARCH_MAX 20

static json_t *coming_prices(const struct service_def *s)
{
	json_t *list = json_array();
	const struct service_price *prices = s->prices.v;
	for (size_t i = 0; i < s->prices.n; i++)
		json_array_append_new(list, json_pack("{s:s,s:I}", "from", prices[i].from, "price_fen",
						      (json_int_t)prices[i].price_fen));
	return list;
}

static json_t *service_defs(const struct project *p, int64_t now)
{
	json_t *list = json_array();
	const struct service_def *defs = p->services.v;
	for (size_t i = 0; i < p->services.n; i++) {
		json_t *o = json_object();
		json_object_set_new(o, "service", json_string(defs[i].name));
		json_object_set_new(o, "title", json_bilingual(&defs[i].title));
		json_object_set_new(o, "profile", json_string(defs[i].profile));
		json_object_set_new(o, "price_fen", json_integer(service_price(&defs[i], now)));
		json_object_set_new(o, "prices", coming_prices(&defs[i]));
		json_object_set_new(o, "period_months", json_integer(defs[i].period_months));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *page_texts(const struct yaml_list *texts)
{
	json_t *list = json_array();
	const struct page_text *v = texts->v;
	for (size_t i = 0; i < texts->n; i++) {
		json_t *o = json_object();
		json_object_set_new(o, "title", json_bilingual(&v[i].title));
		json_object_set_new(o, "text", json_bilingual(&v[i].text));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *downloads(const struct project *p)
{
	json_t *list = json_array();
	const struct download *v = p->downloads.v;
	for (size_t i = 0; i < p->downloads.n; i++) {
		json_t *o = json_object();
		json_object_set_new(o, "title", json_bilingual(&v[i].title));
		json_object_set_new(o, "version", json_string(v[i].version));
		json_object_set_new(o, "url", json_string(v[i].url));
		json_object_set_new(o, "sha256", json_string(v[i].sha256));
		json_array_append_new(list, o);
	}
	return list;
}

/* --- ways: what can be asked for, and what each wants --- */

static json_t *material_json(const char *name)
{
	json_t *o = json_object();
	const struct bilingual title = title_of(name);
	json_object_set_new(o, "name", json_string(name));
	json_object_set_new(o, "title", json_bilingual(&title));
	return o;
}

/* A list of choices: one of each inner list is wanted. */
static json_t *materials_json(const struct material_group *group)
{
	json_t *list = json_array();
	const struct material_any *any = group->any_of.v;
	for (size_t i = 0; i < group->all_of.n; i++) {
		json_t *one = json_array();
		json_array_append_new(one, material_json(group->all_of.v[i]));
		json_array_append_new(list, one);
	}
	for (size_t i = 0; i < group->any_of.n; i++) {
		json_t *choice = json_array();
		for (size_t k = 0; k < any[i].of.n; k++)
			json_array_append_new(choice, material_json(any[i].of.v[k]));
		json_array_append_new(list, choice);
	}
	return list;
}

static json_t *way_json(const char *profile, const char *kind, const struct policy_way *w)
{
	static const char *const orders[] = {
		[WAY_ORDER_NONE] = "none", [WAY_ORDER_EXTENDED] = "when_extended", [WAY_ORDER_ALWAYS] = "always"};
	json_t *o = json_object();
	json_object_set_new(o, "profile", json_string(profile));
	json_object_set_new(o, "kind", json_string(kind));
	json_object_set_new(o, "way", json_string(w->way));
	json_object_set_new(o, "title", json_bilingual(&w->title));
	json_object_set_new(o, "officers", json_integer(w->officers));
	json_object_set_new(o, "order", json_string(orders[w->order]));
	json_object_set_new(o, "notice", w->notice ? json_string(w->notice) : json_null());
	json_object_set_new(o, "asks_files", json_boolean(w->asks_files));
	json_object_set_new(o, "materials", materials_json(&w->materials));
	return o;
}

/* Beside the profile's ways stand the desk's own. */
static void add_ways(const struct profile *p, json_t *list)
{
	static const char *const plain[] = {"change", PLAIN_RECOVER_KIND, PLAIN_UNLOCK_KIND};
	const struct policy_kind *kinds = p->kinds.v;
	for (size_t k = 0; k < p->kinds.n; k++) {
		const struct policy_way *ways = kinds[k].ways.v;
		for (size_t i = 0; i < kinds[k].ways.n; i++)
			json_array_append_new(list, way_json(p->name, kinds[k].kind, &ways[i]));
	}
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		const struct policy_way *way = plain_way(p, plain[i]);
		if (way)
			json_array_append_new(list, way_json(p->name, plain[i], way));
	}
}

static json_t *ways_json(const struct policy *policy, const struct project *p)
{
	json_t *list = json_array();
	for (size_t i = 0; i < p->profiles.n; i++) {
		const struct profile *profile = policy_profile(policy, p->profiles.v[i]);
		if (profile)
			add_ways(profile, list);
	}
	return list;
}

static json_t *project_json(const struct project *p)
{
	json_t *o = json_object(), *aliases = json_array(), *profiles = json_array();
	for (size_t i = 0; i < p->aliases.n; i++)
		json_array_append_new(aliases, json_string(p->aliases.v[i]));
	for (size_t i = 0; i < p->profiles.n; i++)
		json_array_append_new(profiles, json_string(p->profiles.v[i]));
	json_object_set_new(o, "project", json_string(p->name));
	json_object_set_new(o, "title", json_bilingual(&p->title));
	json_object_set_new(o, "aliases", aliases);
	json_object_set_new(o, "profiles", profiles);
	return o;
}

enum err project_search(struct ctx *c, json_t **ret, struct fault *f)
{
	const struct project *found[SEARCH_MAX];
	size_t n = policy_search(c->law->policy, param_text(c, "query"), found, SEARCH_MAX);
	json_t *list = json_array();
	(void)f;
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, project_json(found[i]));
	*ret = json_object();
	json_object_set_new(*ret, "projects", list);
	return OK;
}

enum err project_show(struct ctx *c, json_t **ret, struct fault *f)
{
	const char *name = param_text(c, "project");
	const struct project *p = policy_project(c->law->policy, name);
	if (!p)
		return fault_raise(f, ERR_NOT_FOUND, "project_unknown", "params.project", "there is no project \"%s\"",
				   ESC(name, strlen(name)));
	json_t *contact = json_object();
	json_object_set_new(contact, "name", json_bilingual(&p->contact_name));
	json_object_set_new(contact, "hours", json_bilingual(&p->contact_hours));
	json_object_set_new(contact, "address", json_bilingual(&p->contact_address));
	json_object_set_new(contact, "telephone", json_string(p->contact_telephone ? p->contact_telephone : ""));
	json_object_set_new(contact, "emergency", json_string(p->contact_emergency ? p->contact_emergency : ""));
	*ret = project_json(p);
	json_object_set_new(*ret, "services", service_defs(p, c->now));
	json_object_set_new(*ret, "ways", ways_json(c->law->policy, p));
	json_object_set_new(*ret, "process", page_texts(&p->process));
	json_object_set_new(*ret, "help", page_texts(&p->help));
	json_object_set_new(*ret, "downloads", downloads(p));
	json_object_set_new(*ret, "contact", contact);
	return OK;
}
