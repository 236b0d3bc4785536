/*
 * One person, one name. Where each officer has a Unix user, ra.yaml says which name of the roster it is, and the desk
 * holds callers to it. Where several share one, the client says who is at the keyboard; that is order, not security.
 */
#include "ra/officer.h"

#include <string.h>

static const struct caller *caller_of(const struct ctx *c)
{
	const struct ra_config *config = &c->desk->config;
	for (size_t i = 0; i < config->n_callers; i++) {
		if (config->callers[i].uid == (int64_t)c->call->peer.uid)
			return &config->callers[i];
	}
	return NULL;
}

static const char *name_of_caller(const struct ctx *c)
{
	const struct caller *caller = caller_of(c);
	return caller ? caller->officer : NULL;
}

const struct yaml_strs *officer_view(const struct ctx *c)
{
	const struct caller *caller = caller_of(c);
	return caller && caller->projects.n > 0 ? &caller->projects : NULL;
}

bool officer_sees(const struct ctx *c, const char *project)
{
	const struct yaml_strs *view = officer_view(c);
	bool sees = !view;
	for (size_t i = 0; view && i < view->n && !sees; i++)
		sees = strcmp(view->v[i], project) == 0;
	return sees;
}

char *officer_projects(const struct ctx *c)
{
	const struct yaml_strs *view = c->session ? NULL : officer_view(c);
	_cleanup_buf_ struct buf b = {0};
	for (size_t i = 0; view && i < view->n; i++)
		buf_fmt(&b, "%s%s,", i == 0 ? "," : "", view->v[i]);
	return xstrdup(buf_text(&b));
}

enum err officer_sees_account(const struct ctx *c, int64_t account, struct fault *f)
{
	_cleanup_(freep) char *view = officer_projects(c);
	return view[0] == '\0' ? OK : store_account_seen(c->db, account, view, f);
}

static enum err check_own(const char *own, const char *name, const char *where, struct fault *f)
{
	if (!own || strcmp(own, name) == 0)
		return OK;
	return fault_raise(f, ERR_DENIED, "officer_other", where, "found \"%s\", wanted your own name, %s",
			   ESC(name, strlen(name)), own);
}

static enum err check_roster(struct ctx *c, const char *name, struct fault *f)
{
	const struct member *m = roster_by_name(&c->law->roster, name);
	if (m && m->role == ROLE_OFFICER)
		return OK;
	return fault_raise(f, ERR_RULE, "officer_unknown", "params.officer",
			   "found \"%s\", wanted the name of an officer of the roster", ESC(name, strlen(name)));
}

enum err officer_of(struct ctx *c, char ret[WHO_MAX], struct fault *f)
{
	const char *own = name_of_caller(c), *said = param_text(c, "officer");
	if (said) {
		TRY(check_own(own, said, "params.officer", f));
		TRY(check_roster(c, said, f));
	}
	if (own || said)
		snprintf(ret, WHO_MAX, "%s", own ? own : said);
	else
		snprintf(ret, WHO_MAX, "uid:%lld", (long long)c->call->peer.uid);
	return OK;
}

enum err officer_may_sign(struct ctx *c, const struct course *course, const char *maker, const char *name,
			  struct fault *f)
{
	const char *own = name_of_caller(c);
	char user[WHO_MAX];
	snprintf(user, sizeof(user), "uid:%lld", (long long)c->call->peer.uid);
	TRY(check_own(own, name, "params.line", f));
	const char *const entered[] = {course->entered_by, maker};
	for (size_t i = 0; i < 2; i++) {
		if (strcmp(entered[i], name) == 0 || strcmp(entered[i], user) == 0)
			return fault_raise(
				f, ERR_RULE, "own_entry", "params.line",
				"%s of request %s was entered by %s, who can't approve it: another officer must",
				i == 0 ? "the text" : "the key", course->number, entered[i]);
	}
	return OK;
}
