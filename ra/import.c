/*
 * Old records are taken as they are. What fails its check (an identifier's check digit, a mobile number of ten digits)
 * is kept and flagged, never corrected and never sent to; a certificate whose name is another organisation's is linked
 * to the account of its row. What cannot be understood is refused line by line, and the other lines go on.
 *
 * Running an import again changes nothing. A dry run does all of it in the same transaction and takes it back.
 */
#include "ra/import.h"

#include "ra/account.h"
#include "ra/mobile.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/pki/identifier.h"

#include <string.h>

struct line {
	int64_t number;
	char identifier[IDENTIFIER_MAX + 1];
	const char *organisation, *agent, *mobile; /* borrowed */
	const char *project, *service_id, *service, *certificate_name, *issuer;
	struct serial serial; /* n = 0: the row names no certificate */
	int64_t begins, ends;
	char flags[FLAGS_MAX + 1];
};

/* --- reading a row --- */

static enum err time_member(json_t *row, const char *name, int64_t *ret, struct fault *f)
{
	const char *text;
	TRY(member_text(row, "row", name, false, 40, &text, f));
	*ret = 0;
	if (text[0] == '\0' || time_parse_shanghai(text, strlen(text), ret))
		return OK;
	return fault_raise(f, ERR_PARSE, "import_time", name,
			   "%s: found \"%s\", wanted YYYY-MM-DD HH:MM:SS (read as +08:00)", name,
			   ESC(text, strlen(text)));
}

static enum err serial_member(json_t *row, struct serial *ret, struct fault *f)
{
	const char *text;
	TRY(member_text(row, "row", "serial", false, 2 * SERIAL_MAX, &text, f));
	*ret = (struct serial){0};
	if (text[0] == '\0' || serial_parse(text, strlen(text), ret))
		return OK;
	return fault_raise(f, ERR_PARSE, "serial_form", "serial", "serial: found \"%s\", wanted upper-case hex",
			   ESC(text, strlen(text)));
}

static enum err read_line(json_t *row, struct line *l, struct fault *f)
{
	const char *identifier;
	l->number = (int64_t)json_integer_value(json_object_get(row, "line"));
	TRY(member_text(row, "row", "account_identifier", true, IDENTIFIER_MAX, &identifier, f));
	account_normalise(identifier, l->identifier, sizeof(l->identifier));
	TRY(member_text(row, "row", "organisation", true, ORGANISATION_MAX, &l->organisation, f));
	TRY(member_text(row, "row", "agent", false, AGENT_MAX, &l->agent, f));
	TRY(member_text(row, "row", "mobile", false, MOBILE_MAX, &l->mobile, f));
	TRY(member_text(row, "row", "project", false, TITLE_MAX, &l->project, f));
	TRY(member_text(row, "row", "service_id", false, SERVICE_ID_MAX, &l->service_id, f));
	TRY(member_text(row, "row", "service", false, TITLE_MAX, &l->service, f));
	TRY(member_text(row, "row", "certificate_name", false, CERT_NAME_MAX, &l->certificate_name, f));
	TRY(member_text(row, "row", "issuer", false, CERT_NAME_MAX, &l->issuer, f));
	TRY(serial_member(row, &l->serial, f));
	TRY(time_member(row, "service_begins", &l->begins, f));
	TRY(time_member(row, "service_ends", &l->ends, f));
	if (l->identifier[0] == '\0' || l->organisation[0] == '\0')
		return fault_raise(f, ERR_PARSE, "import_empty", "row",
				   "account_identifier or organisation is empty, wanted both");
	return OK;
}

static void set_flags(struct line *l)
{
	bool code = org_identifier_check("identifier", l->identifier, strlen(l->identifier), NULL) == OK;
	bool mobile = mobile_is_good(l->mobile);
	snprintf(l->flags, sizeof(l->flags), "%s%s%s", code ? "" : "identifier_check", code || mobile ? "" : ",",
		 mobile ? "" : "mobile_form");
}

/* --- taking it over --- */

enum outcome { UNCHANGED, CHANGED, CREATED };

static void fill(const struct line *l, struct account *a)
{
	snprintf(a->identifier, sizeof(a->identifier), "%s", l->identifier);
	snprintf(a->organisation, sizeof(a->organisation), "%s", l->organisation);
	snprintf(a->agent, sizeof(a->agent), "%s", l->agent);
	snprintf(a->mobile, sizeof(a->mobile), "%s", l->mobile);
	snprintf(a->flags, sizeof(a->flags), "%s", l->flags);
}

static bool same_record(const struct account *a, const struct account *b)
{
	return strcmp(a->organisation, b->organisation) == 0 && strcmp(a->agent, b->agent) == 0 &&
	       strcmp(a->mobile, b->mobile) == 0 && strcmp(a->flags, b->flags) == 0;
}

static enum err take_account(struct ctx *c, const struct line *l, int64_t *ret_id, enum outcome *out, struct fault *f)
{
	struct account now = {0}, there = {0};
	fill(l, &now);
	enum err e = store_account_by_name(c->db, l->identifier, &there, f);
	if (e == ERR_NOT_FOUND) {
		*out = CREATED;
		return store_account_add(c->db, &now, c->now, ret_id, f);
	}
	TRY(e);
	*ret_id = now.id = there.id;
	/* Whoever was bound since is the desk's to know, not the old system's. */
	if (!there.initial)
		snprintf(now.agent, sizeof(now.agent), "%s", there.agent);
	if (same_record(&now, &there))
		return OK;
	*out = CHANGED;
	return store_account_set(c->db, &now, c->now, f);
}

static bool is_named(const struct project *p, const char *text)
{
	bool found = strcmp(p->name, text) == 0 || strcmp(p->title.zh, text) == 0 || strcmp(p->title.en, text) == 0;
	for (size_t i = 0; i < p->aliases.n; i++)
		found = found || strcmp(p->aliases.v[i], text) == 0;
	return found;
}

/* The project by its name, title or alias, to the letter; the service by its name or title. */
static const struct project *find_project(struct ctx *c, const char *text)
{
	const struct policy *policy = c->law->policy;
	for (size_t i = 0; i < policy->n_projects; i++) {
		if (is_named(&policy->projects[i], text))
			return &policy->projects[i];
	}
	return NULL;
}

static const char *find_service(const struct project *p, const char *title)
{
	const struct service_def *defs = p->services.v;
	for (size_t i = 0; i < p->services.n; i++) {
		if (strcmp(defs[i].name, title) == 0 || strcmp(defs[i].title.zh, title) == 0 ||
		    strcmp(defs[i].title.en, title) == 0)
			return defs[i].name;
	}
	return NULL;
}

static enum err check_service(struct ctx *c, const struct line *l, const struct project **ret, const char **ret_service,
			      struct fault *f)
{
	*ret = find_project(c, l->project);
	if (!*ret)
		return fault_raise(f, ERR_RULE, "project_unknown", "project",
				   "project: found \"%s\", which %s does not know", ESC(l->project, strlen(l->project)),
				   c->law->policy->origin);
	*ret_service = find_service(*ret, l->service);
	if (!*ret_service)
		return fault_raise(f, ERR_RULE, "service_unknown", "service",
				   "service: found \"%s\", which project %s does not sell",
				   ESC(l->service, strlen(l->service)), (*ret)->name);
	if (l->begins == 0 || l->ends <= l->begins)
		return fault_raise(f, ERR_PARSE, "import_period", "service_ends",
				   "service_ends: wanted a time after service_begins");
	return OK;
}

static enum err take_service(struct ctx *c, const struct line *l, int64_t account, enum outcome *out, struct fault *f)
{
	const struct project *p = NULL;
	const char *name = NULL;
	struct service s = {.account = account, .begins = l->begins, .ends = l->ends, .serial = l->serial}, there = {0};
	if (l->service_id[0] == '\0')
		return OK;
	TRY(check_service(c, l, &p, &name, f));
	enum err e = store_service_get(c->db, l->service_id, &there, f);
	if (e == OK && there.account != account)
		return fault_raise(f, ERR_CONFLICT, "service_taken", "service_id",
				   "service_id: %s belongs to another account",
				   ESC(l->service_id, strlen(l->service_id)));
	/* What has been bought since is the desk's to know, not the old system's. */
	if (e != ERR_NOT_FOUND)
		return e;
	snprintf(s.id, sizeof(s.id), "%s", l->service_id);
	snprintf(s.project, sizeof(s.project), "%s", p->name);
	snprintf(s.service, sizeof(s.service), "%s", name);
	snprintf(s.title, sizeof(s.title), "%s", l->service);
	snprintf(s.certificate_name, sizeof(s.certificate_name), "%s", l->certificate_name);
	snprintf(s.issuer_name, sizeof(s.issuer_name), "%s", l->issuer);
	*out = *out == CREATED ? CREATED : CHANGED;
	return store_service_add(c->db, &s, f);
}

static enum err take_certificate(struct ctx *c, const struct line *l, int64_t account, struct fault *f)
{
	int64_t owner = 0;
	if (l->serial.n == 0)
		return OK;
	if (l->issuer[0] == '\0')
		return fault_raise(f, ERR_PARSE, "import_empty", "issuer",
				   "issuer: wanted the name of the serial's issuer");
	TRY(store_claim(c->db, &l->serial, l->issuer, account, &owner, f));
	if (owner != account)
		return fault_raise(f, ERR_CONFLICT, "certificate_taken", "serial",
				   "serial: certificate %s of %s belongs to another account", SERIAL(&l->serial),
				   ESC(l->issuer, strlen(l->issuer)));
	return store_claims_resolve(c->db, &l->serial, f);
}

static enum err take_line(struct ctx *c, const struct line *l, enum outcome *out, struct fault *f)
{
	int64_t account = 0;
	TRY(take_account(c, l, &account, out, f));
	TRY(take_service(c, l, account, out, f));
	return take_certificate(c, l, account, f);
}

/* --- the report --- */

static void put_flags(const struct line *l, json_t *entry, struct buf *text)
{
	json_t *flags = json_array();
	if (strstr(l->flags, "identifier_check")) {
		json_array_append_new(flags, json_string("identifier_check"));
		buf_fmt(text, "identifier %s fails its check: kept, flagged; ", l->identifier);
	}
	if (strstr(l->flags, "mobile_form")) {
		json_array_append_new(flags, json_string("mobile_form"));
		buf_fmt(text, "mobile \"%s\" is malformed: kept, flagged, never sent to; ", l->mobile);
	}
	if (l->certificate_name[0] != '\0' && strcmp(l->certificate_name, l->organisation) != 0) {
		json_array_append_new(flags, json_string("certificate_name"));
		buf_fmt(text, "certificate name %s is not the organisation's: linked to this account; ",
			l->certificate_name);
	}
	json_object_set_new(entry, "flags", flags);
}

static json_t *report_line(const struct line *l, const char *result, const char *why)
{
	_cleanup_buf_ struct buf text = {0};
	json_t *entry = json_object();
	json_object_set_new(entry, "line", json_integer(l->number));
	json_object_set_new(entry, "result", json_string(result));
	if (why)
		buf_str(&text, why);
	else
		put_flags(l, entry, &text);
	while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == ';'))
		text.data[--text.len] = '\0';
	json_object_set_new(entry, "text", json_string(buf_text(&text)));
	return entry;
}

static enum err import_row(struct ctx *c, json_t *row, json_t *report, struct fault *f)
{
	static const char *const words[] = {[UNCHANGED] = "unchanged", [CHANGED] = "changed", [CREATED] = "created"};
	struct line l = {0};
	enum outcome out = UNCHANGED;
	struct fault why = {0};
	enum err e = read_line(row, &l, &why);
	if (e == OK) {
		set_flags(&l);
		TRY(db_savepoint(c->db, f));
		e = take_line(c, &l, &out, &why);
		if (e == OK)
			TRY(db_release(c->db, f));
		else
			TRY(db_take_back(c->db, e, &why, f));
	}
	json_array_append_new(report, report_line(&l, e == OK ? words[out] : "refused", e == OK ? NULL : why.text));
	return OK;
}

static enum err import_all(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *report = json_array();
	json_t *rows = json_object_get(c->call->params, "rows"), *row;
	char detail[64];
	size_t i;
	json_array_foreach(rows, i, row) TRY(import_row(c, row, report, f));
	snprintf(detail, sizeof(detail), "%zu rows", json_array_size(rows));
	TRY(desk_audit(c, "import", "accounts", detail, f));
	*ret = json_object();
	json_object_set_new(*ret, "report", TAKE(report));
	json_object_set_new(*ret, "dry_run", json_boolean(param_true(c, "dry_run")));
	return OK;
}

static enum err dry_run(struct ctx *c, json_t **ret, struct fault *f)
{
	struct fault taken_back = {0};
	TRY(store_begin(c->desk->store, &c->db, f));
	enum err e = import_all(c, ret, f);
	/* Ended by an error of our own, so that nothing stays. */
	enum err ended = store_end(c->desk->store, c->db, ERR_RULE, &taken_back);
	c->db = NULL;
	return ended == ERR_RULE ? e : ended;
}

enum err import_accounts(struct ctx *c, json_t **ret, struct fault *f)
{
	return param_true(c, "dry_run") ? dry_run(c, ret, f) : desk_change(c, import_all, ret, f);
}
