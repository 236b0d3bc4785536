/*
 * What all requests share, for those without a tally. Their ways are the desk's own: no certificate is at stake, so they
 * stand here and not in the signed policy. Next: record.c, recover.c.
 */
#include "ra/plain.h"

#include "ra/store_record.h"
#include "ra/title.h"
#include "ra/unlock.h"

#include <string.h>

static const char *record_papers[] = {"business-licence", "change-proof"};
static struct material_any record_choice[] = {{.of = {record_papers, 2}}};
static const struct policy_way record_way = {
	.way = PLAIN_RECORD_WAY,
	.title = {"法定代表人变更（不换发证书）", "Legal representative changes: the desk's record, no certificate"},
	.officers = 1,
	.materials.any_of = {record_choice, 1}};
static const char *waiver_paper[] = {"recovery-waiver"};
static struct material_any waiver_choice[] = {{.of = {waiver_paper, 1}}};
static const struct policy_way recover_way = {.way = PLAIN_RECOVER_KIND,
					      .title = {"恢复证书", "Recovery of the certificate"},
					      .officers = 1,
					      .materials.any_of = {waiver_choice, 1}};

static const struct policy_way unlock_way = {
	.way = PLAIN_UNLOCK_KIND, .title = {"解锁 USB Key", "Unlock the USB key"}, .officers = 1};

static bool is_unlock(const struct request *r)
{
	return strcmp(r->kind, PLAIN_UNLOCK_KIND) == 0;
}

static bool is_recovery(const struct request *r)
{
	return strcmp(r->kind, PLAIN_RECOVER_KIND) == 0;
}

const struct policy_way *plain_way(const struct profile *p, const char *kind)
{
	if (strcmp(kind, PLAIN_RECOVER_KIND) == 0)
		return &recover_way;
	if (strcmp(kind, PLAIN_UNLOCK_KIND) == 0)
		return &unlock_way;
	return profile_way(p, TALLY_CHANGE, PLAIN_RECORD_WAY) ? NULL : &record_way;
}

bool request_has_tally(const struct request *r)
{
	return r->tally != NULL && r->tally[0] != '\0';
}

bool request_is_plain(const struct request *r)
{
	bool record = strcmp(r->kind, "change") == 0 && strcmp(r->way, PLAIN_RECORD_WAY) == 0;
	return !request_has_tally(r) && (is_recovery(r) || is_unlock(r) || record);
}

bool request_is_incomplete(const struct request *r)
{
	return !request_has_tally(r) && !request_is_plain(r) && !request_is_keyless(r);
}

bool request_is_keyless(const struct request *r)
{
	return r->delivery.recipient[0] != '\0' && r->csr.len == 0;
}

const struct policy_way *request_way(struct ctx *c, const struct request *r)
{
	enum tally_kind kind = TALLY_KIND_N;
	const struct profile *p = policy_profile(c->law->policy, r->profile);
	if (is_recovery(r))
		return &recover_way;
	if (is_unlock(r))
		return &unlock_way;
	if (record_applies(c, r))
		return &record_way;
	return p && tally_kind_from_word(r->kind, strlen(r->kind), &kind) ? profile_way(p, kind, r->way) : NULL;
}

enum err request_redraw(struct ctx *c, struct request *r, struct fault *f)
{
	_cleanup_(draw_done) struct draw d = {0};
	struct fault why = {0};
	if (request_is_plain(r))
		return OK;
	bool lacks = !request_has_tally(r);
	enum err e = draw_make(c, r, &d, lacks ? &why : f);
	if (lacks && e == ERR_RULE)
		return OK;
	if (lacks && e != OK && f)
		*f = why;
	TRY(e);
	return store_request_redraw(c->db, r, f);
}

enum err plain_load(struct ctx *c, const struct request *r, struct draw *ret, struct fault *f)
{
	ret->tally.kind = TALLY_CHANGE;
	ret->verdict.way = is_recovery(r) ? &recover_way : is_unlock(r) ? &unlock_way : &record_way;
	ret->verdict.profile = policy_profile(c->law->policy, r->profile);
	TRY(store_cert_by_id(c->db, r->cert, &ret->row, f));
	return store_materials(c->db, r->id, ret->materials, TALLY_MAX_MATERIALS, &ret->n_materials, f);
}

enum err plain_check(struct ctx *c, const struct request *r, struct draw *d, struct fault *f)
{
	TRY(plain_load(c, r, d, f));
	if (d->n_materials > 0)
		return OK;
	return fault_raise(f, ERR_RULE, "materials_missing", "request.materials",
			   "found none of %s, %s, wanted at least one", record_papers[0], record_papers[1]);
}

enum err plain_explain(struct ctx *c, const struct request *r, struct buf *zh, struct buf *en, struct fault *f)
{
	struct cert_row row;
	if (is_unlock(r))
		return unlock_explain(c, r, zh, en, f);
	TRY(store_cert_by_id(c->db, r->cert, &row, f));
	if (is_recovery(r)) {
		buf_fmt(zh, "恢复证书 %s，以便解密尚未开标的加密文件。密钥由密钥中心交付，本系统不经手任何私钥。\n",
			SERIAL(&row.ref.serial));
		buf_fmt(en,
			"Recovery for certificate %s, so that encrypted files which are not yet opened can be. The key "
			"centre "
			"delivers the key; none passes through Hufu.\n",
			SERIAL(&row.ref.serial));
		return OK;
	}
	buf_str(zh, "变更服务台登记的法定代表人。不换发证书，现有证书继续有效。\n");
	buf_str(en, "The legal representative in the desk's record changes. No certificate is made; the present one "
		    "stays.\n");
	return OK;
}

enum err plain_make(struct ctx *c, const char *kind, int64_t cert, struct request *r, struct fault *f)
{
	_cleanup_(cert_body_done) struct cert_body body = {0};
	TRY(store_cert_body(c->db, cert, &body, f));
	request_new_id(r, c->now);
	r->account = c->session->account.id;
	r->cert = cert;
	snprintf(r->kind, sizeof(r->kind), "%s", kind);
	snprintf(r->way, sizeof(r->way), "%s", kind);
	snprintf(r->state, sizeof(r->state), "%s", request_state_word(REQUEST_OPENED));
	memcpy(r->project, body.project, sizeof(r->project));
	memcpy(r->profile, body.profile, sizeof(r->profile));
	r->subject = xstrdup("[]");
	r->tally = xstrdup("");
	hex_lower(c->law->policy->note.sha256, 32, r->policy);
	r->officers = 1;
	r->hold = -1;
	r->made = c->now;
	return OK;
}
