/*
 * What a person heard once stays so: a revoked certificate is never good again, wherever one asks, and an issued one is never unknown. A gate hears of both a
 * little later than their owner: it has a minute, in which it may be killed and started again.
 */
#include "tests/crash/people.h"

#include "common/base/clock.h"

#include <stdlib.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define PAUSE_MS 20
#define LATE_US INT64_C(60000000)
#define CRL_BEGIN_MAX 50

const char *const work_words[WORKS] = {"status", "ocsp", "certificate list", "request list", "crl",   "log-in",
				       "upload", "mail", "extend",	     "change",	     "revoke"};
static const unsigned shares[WORKS] = {30, 33, 9, 7, 5, 1, 2, 2, 7, 2, 2}; /* of a hundred */

void person_done(struct person *p)
{
	freep(&p->heard);
}

static unsigned pick(struct person *p, unsigned below)
{
	return below ? (unsigned)rand_r(&p->seed) % below : 0;
}

enum work person_choose(struct person *p)
{
	unsigned at = pick(p, 100);
	enum work what = STATUS;
	for (; what + 1 < WORKS && at >= shares[what]; what++)
		at -= shares[what];
	return what;
}

/* One of those that it was told: any, or a good one. NULL: there is none, or none was met. */
static struct told *any_told(struct person *p)
{
	return p->c->n_told ? &p->c->told[pick(p, (unsigned)p->c->n_told)] : NULL;
}

#define TRIES 16
static struct told *good_told(struct person *p)
{
	for (unsigned i = 0; i < TRIES; i++) {
		struct told *t = any_told(p);
		if (t && t->ended_us == 0)
			return t;
	}
	return NULL;
}

static size_t place_of(const struct person *p, const struct told *t)
{
	return (size_t)(t - p->c->told);
}

static enum heard *heard_of(struct person *p, const struct told *t)
{
	size_t i = place_of(p, t), n = p->c->cap_told;
	if (i >= p->n_heard) {
		p->heard = xrealloc(p->heard, n, sizeof *p->heard);
		for (size_t k = p->n_heard; k < n; k++)
			p->heard[k] = HEARD_NOTHING;
		p->n_heard = n;
	}
	return &p->heard[i];
}

static enum err wrong(struct fault *f, const char *rule, const struct told *t, const char *found)
{
	return fault_raise(f, ERR_INTERNAL, rule, SERIAL(&t->serial), "found %s, wanted %s", found,
			   t->ended_us ? "revoked" : "good");
}

/* --- the desk --- */

static enum err ask_status(struct person *p, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	struct told *t = any_told(p);
	if (!t)
		return OK;
	TRY(world_ask(p->c, "status.query", json_pack("{s:[s]}", "serials", SERIAL(&t->serial)), false, false, &r, f));
	const char *state = world_text(json_array_get(json_object_get(r, "answers"), 0), "state");
	return strcmp(state, t->ended_us ? "revoked" : "good") == 0 ? OK : wrong(f, "soak_status", t, state);
}

static enum err ask_list(struct person *p, const char *method, const char *what, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	TRY(world_ask(p->c, method, json_pack("{s:i,s:i}", "page", 1 + (int)pick(p, 3), "per_page", 10), true, false,
		      &r, f));
	return json_is_array(json_object_get(r, what))
		       ? OK
		       : fault_raise(f, ERR_INTERNAL, "soak_list", method, "no list in the answer");
}

/* The piece behind those that der has; hash: of the whole, which the first one tells. */
static enum err crl_piece(struct person *p, char hash[65], struct buf *der, bool *ret_more, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	json_t *params = json_object();
	if (der->len > 0) {
		json_object_set_new(params, "from", json_integer((json_int_t)der->len));
		json_object_set_new(params, "sha256", json_string(hash));
	}
	TRY(world_ask(p->c, "crl.get", params, false, false, &r, f));
	const char *text = world_text(r, "der");
	size_t before = der->len;
	snprintf(hash, 65, "%s", world_text(r, "sha256"));
	if (!base64_decode(text, strlen(text), der) || der->len == before)
		return fault_raise(f, ERR_INTERNAL, "soak_crl", "crl.get", "no piece of a CRL");
	*ret_more = (json_int_t)der->len < json_integer_value(json_object_get(r, "size"));
	return OK;
}

/* One that others had made anew between two pieces is begun again. */
static enum err desk_crl(struct person *p, X509_CRL **ret, struct fault *f)
{
	_cleanup_buf_ struct buf der = {0};
	char hash[65];
	bool more = true;
	for (int begun = 1; more;) {
		enum err e = crl_piece(p, hash, &der, &more, f);
		if (e == ERR_CONFLICT && begun++ < CRL_BEGIN_MAX)
			buf_clear(&der);
		else
			TRY(e);
	}
	return gate_view_read_crl(p->gate, buf_slice(&der), ret, f);
}

/* --- the gate --- */

/* Asks until it is there, as world_ask() does the desk. */
#define FROM_GATE(p, question)                                                                                         \
	__extension__({                                                                                                \
		int64_t until_ = clock_mono_us() + WORLD_GIVE_UP_MS * INT64_C(1000);                                   \
		enum err e_;                                                                                           \
		while ((e_ = (question)) == ERR_NET && clock_mono_us() < until_) {                                     \
			atomic_fetch_add(&(p)->c->world->retries, 1);                                                  \
			world_pause_ms(PAUSE_MS);                                                                      \
		}                                                                                                      \
		e_;                                                                                                    \
	})

/* What was so: it was asked so long after its owner had heard of the next. */
static enum err was_so(struct person *p, const struct told *t, int64_t ago_us, bool heard_more, const char *found,
		       struct fault *f)
{
	if (heard_more || ago_us > LATE_US)
		return wrong(f, "soak_ocsp", t, found);
	p->behind++;
	if (ago_us > p->oldest_us)
		p->oldest_us = ago_us;
	return OK;
}

static enum err hear(struct person *p, const struct told *t, enum ocsp_said said, int64_t asked_us, struct fault *f)
{
	enum heard *heard = heard_of(p, t);
	switch (said) {
	case SAID_LATER:
		p->later++;
		return OK;
	case SAID_REVOKED:
		*heard = HEARD_REVOKED;
		return t->ended_us ? OK : wrong(f, "soak_ocsp", t, "revoked by OCSP");
	case SAID_GOOD:
		if (t->ended_us)
			TRY(was_so(p, t, asked_us - t->ended_us, *heard == HEARD_REVOKED, "good by OCSP", f));
		*heard = HEARD_GOOD;
		return OK;
	case SAID_UNKNOWN:
		break;
	}
	return was_so(p, t, asked_us - t->told_us, *heard != HEARD_NOTHING, "unknown by OCSP", f);
}

static enum err ask_ocsp_of(struct person *p, const struct told *t, enum ocsp_said *ret, struct fault *f)
{
	int64_t asked = 0;
	TRY(FROM_GATE(p, (asked = clock_mono_us(), gate_view_ocsp(p->gate, &t->serial, ret, f))));
	return hear(p, t, *ret, asked, f);
}

static enum err ask_ocsp(struct person *p, struct fault *f)
{
	struct told *t = any_told(p);
	enum ocsp_said said;
	return t ? ask_ocsp_of(p, t, &said, f) : OK;
}

enum err person_check_ocsp(struct person *p, struct fault *f)
{
	for (size_t i = 0; i < p->c->n_told; i++) {
		const struct told *t = &p->c->told[i];
		int64_t until = clock_mono_us() + LATE_US;
		enum ocsp_said said = SAID_LATER;
		while (said != (t->ended_us ? SAID_REVOKED : SAID_GOOD)) {
			if (clock_mono_us() > until)
				return wrong(f, "soak_ocsp_end", t, "something else by OCSP, for a minute");
			TRY(ask_ocsp_of(p, t, &said, f));
		}
	}
	return OK;
}

/* The desk's or the gate's, in turn; one that was made after a revocation has it. */
static enum err ask_crl(struct person *p, struct fault *f)
{
	_cleanup_(x509_crl_freep) X509_CRL *crl = NULL;
	struct told *t = any_told(p);
	if (pick(p, 2) == 0)
		TRY(desk_crl(p, &crl, f));
	else
		TRY(FROM_GATE(p, gate_view_crl(p->gate, &crl, f)));
	if (!t || t->ended_us == 0)
		return OK;
	int64_t ended_at = clock_now() - (clock_mono_us() - t->ended_us) / 1000000;
	switch (gate_view_crl_has(crl, &t->serial, ended_at)) {
	case CRL_OLDER:
		return OK;
	case CRL_HAS:
		p->crls_after++;
		return OK;
	case CRL_LACKS:
		break;
	}
	return wrong(f, "soak_crl", t, "a later CRL without it");
}

/* --- what changes something --- */

static enum err draft(struct person *p, struct fault *f)
{
	struct told *t = good_told(p);
	return t ? world_draft(p->c, place_of(p, t), f) : OK;
}

static enum err extend(struct person *p, struct fault *f)
{
	struct client *c = p->c;
	if (c->done == c->n)
		return OK;
	TRY(world_extend(c, c->done, f));
	c->done++;
	return OK;
}

static enum err change(struct person *p, struct fault *f)
{
	struct told *t = good_told(p);
	if (!t || t->changed)
		return OK;
	size_t i = place_of(p, t);
	_cleanup_(freep) char *name = xasprintf("虎符变更示例%u之%zu", p->c->number, p->c->n_told);
	TRY(world_change(p->c, i, name, f));
	enum ocsp_said said;
	return ask_ocsp_of(p, &p->c->told[i], &said, f);
}

static enum err revoke_one(struct person *p, struct fault *f)
{
	struct told *t = good_told(p);
	enum ocsp_said said;
	if (!t)
		return OK;
	TRY(world_revoke(p->c, place_of(p, t), f));
	return ask_ocsp_of(p, t, &said, f);
}

enum err person_do(struct person *p, enum work what, struct fault *f)
{
	switch (what) {
	case STATUS:
		return ask_status(p, f);
	case OCSP:
		return ask_ocsp(p, f);
	case CERTS:
		return ask_list(p, "cert.list", "certificates", f);
	case REQUESTS:
		return ask_list(p, "request.list", "requests", f);
	case CRL:
		return ask_crl(p, f);
	case LOG_IN:
		return world_log_in_again(p->c, f);
	case UPLOAD:
		return draft(p, f);
	case MAIL:
		return world_mail(p->c, f);
	case EXTEND:
		return extend(p, f);
	case CHANGE:
		return change(p, f);
	case REVOKE:
		return revoke_one(p, f);
	case WORKS:
		break;
	}
	return OK;
}
