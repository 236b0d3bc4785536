/*
 * Projects, which come from the signed policy: what their page shows before anybody logs in.
 */
#include "ra/project.h"

#include <string.h>

#define SEARCH_MAX 20

static json_t *service_defs(const struct project *p)
{
	json_t *list = json_array();
	const struct service_def *defs = p->services.v;
	for (size_t i = 0; i < p->services.n; i++) {
		json_t *o = json_object();
		json_object_set_new(o, "service", json_string(defs[i].name));
		json_object_set_new(o, "title", json_bilingual(&defs[i].title));
		json_object_set_new(o, "profile", json_string(defs[i].profile));
		json_object_set_new(o, "price_fen", json_integer(defs[i].price_fen));
		json_object_set_new(o, "period_months", json_integer(defs[i].period_months));
		json_array_append_new(list, o);
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
	json_object_set_new(*ret, "services", service_defs(p));
	json_object_set_new(*ret, "contact", contact);
	return OK;
}
