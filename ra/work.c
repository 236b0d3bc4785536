/*
 * A work is an ordinary request with a place where its token goes, and without a key until the desk has made one. Its papers
 * and terms are judged as all others', its key is not there to be judged. Next: work_make.c, work_life.c, parcel.c.
 */
#include "ra/work.h"

#include "ra/plain.h"

#include <string.h>

#define TELEPHONE_LEAST 5

static enum err clean(struct ctx *c, const char *name, char *ret, size_t size, struct fault *f)
{
	const char *text = NULL;
	ret[0] = '\0';
	if (!param_text(c, name))
		return OK;
	TRY(param_clean(c, name, &text, f));
	if (strlen(text) >= size)
		return fault_raise(f, ERR_LIMIT, "param_length", name, "found %zu bytes, wanted at most %zu",
				   strlen(text), size - 1);
	memcpy(ret, text, strlen(text) + 1);
	return OK;
}

enum err work_check_telephone(const char *text, struct fault *f)
{
	size_t digits = 0;
	for (const char *p = text; *p; p++)
		digits += *p >= '0' && *p <= '9';
	if (digits >= TELEPHONE_LEAST && strspn(text, "0123456789+-() ") == strlen(text))
		return OK;
	return fault_raise(f, ERR_PARSE, "telephone_form", "params.mobile",
			   "found \"%s\", wanted a telephone number that the carrier can call",
			   ESC(text, strlen(text)));
}

static enum err check_whole(const struct delivery *d, struct fault *f)
{
	const char *lacks = d->recipient[0] == '\0' ? "params.recipient"
			    : d->mobile[0] == '\0'  ? "params.mobile"
			    : d->address[0] == '\0' ? "params.ship_to"
						    : NULL;
	if (!lacks)
		return work_check_telephone(d->mobile, f);
	return fault_raise(f, ERR_PARSE, "delivery_form", lacks,
			   "found nothing, wanted recipient, mobile and ship_to of the parcel, or none of them");
}

enum err work_said(struct ctx *c, struct request *r, struct fault *f)
{
	struct delivery *d = &r->delivery;
	TRY(clean(c, "recipient", d->recipient, sizeof(d->recipient), f));
	TRY(clean(c, "mobile", d->mobile, sizeof(d->mobile), f));
	TRY(clean(c, "ship_to", d->address, sizeof(d->address), f));
	if (d->recipient[0] == '\0' && d->mobile[0] == '\0' && d->address[0] == '\0')
		return OK;
	TRY(check_whole(d, f));
	if (strcmp(r->kind, "enrol") != 0 && strcmp(r->kind, "reissue") != 0)
		return fault_raise(f, ERR_RULE, "delivery_kind", "params.recipient",
				   "found a delivery for kind %s, wanted one for enrol or reissue alone", r->kind);
	if (r->csr.len > 0)
		return fault_raise(f, ERR_RULE, "delivery_csr", "params.csr",
				   "found a new key and a delivery, wanted one of them: the desk makes the key that it "
				   "ships");
	if (r->key_seen[0] != '\0' && strcmp(r->key_seen, "token") != 0)
		return fault_raise(f, ERR_RULE, "key_seen", "params.key_seen",
				   "found \"%s\", wanted token: the key is born on one at the desk", r->key_seen);
	snprintf(r->key_seen, sizeof(r->key_seen), "token");
	return OK;
}

enum err work_commission(struct ctx *c, struct request *r, struct fault *f)
{
	int64_t n = 0;
	/* An enrolment's order allows one use, which is asked elsewhere. */
	if (r->cert != 0)
		TRY(store_requests_under_way(c->db, r->cert, r->kind, r->id, &n, f));
	if (n > 0)
		return fault_raise(f, ERR_RULE, "work_under_way", "request",
				   "another request to reissue the certificate is under way: withdraw that one first");
	r->dies = 0;
	return store_request_redraw(c->db, r, f);
}

void work_explain(const struct request *r, struct buf *zh, struct buf *en)
{
	bool first = r->cert == 0;
	buf_fmt(zh, "%s：由服务台在 UKey 上生成新密钥，审核通过后寄给 %s，用户签收后才签发证书。\n",
		first ? "新办证书" : "补办证书", r->delivery.recipient);
	buf_fmt(en,
		"%s: the desk makes the new key on a USB key and ships it to %s when officers have approved; the "
		"certificate "
		"is issued after its owner's receipt.\n",
		first ? "First certificate" : "Reissue", r->delivery.recipient);
}

enum err work_json(struct ctx *c, const struct request *r, json_t *o, struct fault *f)
{
	_cleanup_(work_done) struct work w = {0};
	const struct delivery *d = &r->delivery;
	if (d->recipient[0] == '\0')
		return OK;
	TRY(store_work_get(c->db, r->id, &w, f));
	json_t *to = json_object();
	json_object_set_new(to, "recipient", json_string(d->recipient));
	json_object_set_new(to, "mobile", json_string(d->mobile));
	json_object_set_new(to, "address", json_string(d->address));
	json_object_set_new(o, "delivery", to);
	if (w.token[0] != '\0')
		json_object_set_new(o, "token", json_string(w.token));
	if (w.maker[0] != '\0' && !c->session)
		json_object_set_new(o, "made_by", json_string(w.maker));
	return OK;
}
