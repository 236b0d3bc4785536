/*
 * What a draft still lacks, as a list for people; and what stands behind it at the counter: service and order.
 *
 * The list is a help. Whether a request is complete is judged by common/policy alone, when it is submitted.
 */
#include "ra/request.h"

#include "ra/order.h"
#include "ra/service.h"
#include "ra/title.h"

#include <string.h>

static bool has_material(const struct draw *d, const char *name)
{
	for (size_t i = 0; i < d->n_materials; i++) {
		if (strcmp(d->materials[i].name, name) == 0)
			return true;
	}
	return false;
}

/* what: material, notice, order, files, proof; name: which one. text is for logs and old eyes. */
static void add_missing(json_t *list, const char *what, const char *name, const struct bilingual *title, json_t *text)
{
	json_t *o = json_object();
	json_object_set_new(o, "what", json_string(what));
	json_object_set_new(o, "name", json_string(name));
	json_object_set_new(o, "zh", json_string(title->zh));
	json_object_set_new(o, "en", json_string(title->en));
	json_object_set_new(o, "text", text);
	json_array_append_new(list, o);
}

void missing_fault(json_t *list, const struct fault *f)
{
	struct bilingual title = {f->rule, f->rule};
	const struct rpc_message *m = desk_message_of(f->rule);
	if (m)
		title = (struct bilingual){m->zh, m->en};
	add_missing(list, "terms", f->rule, &title, json_string(f->text));
}

static void missing_one(const char *name, json_t *list)
{
	struct bilingual title = title_of(name);
	add_missing(list, "material", name, &title, json_sprintf("material %s", name));
}

static void missing_any(const struct draw *d, const struct material_any *any, json_t *list)
{
	_cleanup_buf_ struct buf words = {0}, zh = {0}, en = {0};
	for (size_t k = 0; k < any->of.n; k++) {
		struct bilingual title = title_of(any->of.v[k]);
		if (has_material(d, any->of.v[k]))
			return;
		buf_fmt(&words, "%s%s", k > 0 ? " or " : "", any->of.v[k]);
		buf_fmt(&zh, "%s%s", k > 0 ? "或" : "", title.zh);
		buf_fmt(&en, "%s%s", k > 0 ? " or " : "", title.en);
	}
	add_missing(list, "material", buf_text(&words), &(struct bilingual){buf_text(&zh), buf_text(&en)},
		    json_sprintf("material %s", buf_text(&words)));
}

static void missing_materials(const struct draw *d, json_t *list)
{
	const struct material_group *group = &d->verdict.way->materials;
	const struct material_any *any = group->any_of.v;
	for (size_t i = 0; i < group->all_of.n; i++) {
		if (!has_material(d, group->all_of.v[i]))
			missing_one(group->all_of.v[i], list);
	}
	for (size_t i = 0; i < group->any_of.n; i++)
		missing_any(d, &any[i], list);
}

static void missing_field(const char *field, const char *name, json_t *text, json_t *list)
{
	struct bilingual title = title_of(field);
	add_missing(list, field, name, &title, text);
}

static const struct bilingual recovery_title = {"先办理恢复证书", "recovery first"};

static void missing_words(const struct draw *d, json_t *list)
{
	const struct policy_way *way = d->verdict.way;
	const struct tally *t = &d->tally;
	bool extended = t->add_months > 0;
	bool order = way->order == WAY_ORDER_ALWAYS ||
		     (extended && (way->order == WAY_ORDER_EXTENDED || t->kind == TALLY_CHANGE));
	if (way->notice && t->notice[0] == '\0')
		missing_field("notice", way->notice, json_sprintf("risk notice %s accepted", way->notice), list);
	if (order && t->order[0] == '\0')
		missing_field("order", "order", json_string("paid order"), list);
	if (way->asks_files && t->files == FILES_UNSAID)
		missing_field("files", "files", json_string("answer whether encrypted files are not yet opened"), list);
	if (t->files == FILES_YES && t->key_is_new)
		add_missing(list, "files", "recovery", &recovery_title,
			    json_string("recovery first: encrypted files are not yet opened"));
}

static const struct bilingual proof_titles[] = {{"当前证书密钥的签名", "proof by the current key"},
						{"新密钥的签名", "proof by the new key"}};

static enum err missing_proof(struct ctx *c, const struct request *r, int64_t bit, const char *part, json_t *list,
			      struct fault *f)
{
	int64_t n = 0;
	const struct bilingual *title = &proof_titles[bit == PROOF_CURRENT ? 0 : 1];
	if ((r->proof & bit) == 0)
		return OK;
	TRY(store_lines_count(c->db, r->id, part, &n, f));
	if (n == 0)
		add_missing(list, "proof", part, title, json_string(title->en));
	return OK;
}

enum err draw_missing(struct ctx *c, const struct draw *d, const struct request *r, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *list = json_array();
	if (d->verdict.way && tally_kind_issues(d->tally.kind)) {
		missing_materials(d, list);
		missing_words(d, list);
	}
	/* Where the desk makes the key, its signature is the desk's to bring. */
	if (!d->keyless) {
		TRY(missing_proof(c, r, PROOF_CURRENT, "subscriber", list, f));
		TRY(missing_proof(c, r, PROOF_NEW, "new-key", list, f));
	}
	*ret = TAKE(list);
	return OK;
}

/* Where there is no certificate yet, the order says which service. */
static enum err find_service(struct ctx *c, const struct draw *d, const struct request *r, struct service *ret,
			     struct fault *f)
{
	if (!d->tally.has_predecessor)
		return order_service(c->db, r->order, r->account, ret, f);
	enum err e = store_service_of_cert(c->db, d->row.id, ret, f);
	if (e == ERR_NOT_FOUND)
		return fault_raise(f, ERR_RULE, "service_missing", "service",
				   "certificate %s belongs to no service at the desk: it can't be extended",
				   SERIAL(&d->row.ref.serial));
	return e;
}

/* The certificate becomes the service's own: one of that profile, without a certificate that could be extended instead. */
static enum err check_first(struct ctx *c, const struct draw *d, const struct request *r, const struct service *s,
			    struct fault *f)
{
	const struct project *p = policy_project(c->law->policy, s->project);
	const struct service_def *def = p ? project_service(p, s->service) : NULL;
	struct cert_row now = {0};
	if (s->cert != 0)
		TRY(store_cert_by_id(c->db, s->cert, &now, f));
	if (s->cert != 0 && draw_cert_is_live(d, &now))
		return fault_raise(f, ERR_RULE, "service_has_certificate", "params.order",
				   "service %s of order %s has certificate %s: extend, change or reissue that one",
				   s->id, r->order, SERIAL(&now.ref.serial));
	if (!def || strcmp(s->project, r->project) != 0 || strcmp(def->profile, r->profile) != 0)
		return fault_raise(f, ERR_RULE, "order_other_service", "params.order",
				   "order %s is for service %s of project %s, wanted one that sells profile %s of %s",
				   r->order, s->service, s->project, r->profile, r->project);
	return OK;
}

enum err draw_check_paid(struct ctx *c, const struct draw *d, const struct request *r, struct fault *f)
{
	struct service s = {0};
	bool issues = tally_kind_issues(d->tally.kind), first = !d->tally.has_predecessor;
	/* An enrolment is told what is missing; without its order there is no service to look at. */
	if (!issues || (r->order[0] == '\0' && (first || r->months == 0)))
		return OK;
	TRY(find_service(c, d, r, &s, f));
	if (first)
		TRY(check_first(c, d, r, &s, f));
	else if (r->months > 0)
		TRY(service_check_paid(&s, c->now, f));
	if (r->order[0] != '\0')
		TRY(order_check(c->db, r->order, r->account, s.id, r->id, r->months, f));
	return first ? service_check_paid(&s, c->now, f) : OK;
}
