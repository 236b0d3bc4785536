/*
 * The one road to OCSPSigning. No profile can name the purpose (policy loading and template.c refuse it) and no tally
 * of another kind ends here; what a responder's certificate says is written in this file and nowhere else.
 *
 * It lives a week (judge_validity.c) and carries no-check: relying parties ask nobody about it, so it is not revoked
 * but left to end, after the roster has lost the key. RFC 6960 4.2.2.2. Next: lint_usage.c, which refuses the same
 * words in every other certificate.
 */
#include "ca/responder.h"

#include "ca/build_private.h"
#include "common/base/cleanup.h"
#include "common/pki/der.h"
#include "common/policy/judge.h"

#include <string.h>

static const char *purposes[] = {"OCSPSigning"};
static struct profile_ext exts[] = {
	{.type = EXT_AKI, .shards = 1},
	{.type = EXT_SKI, .shards = 1},
	{.type = EXT_KEY_USAGE, .critical = true, .bits = KU_BIT(KU_DIGITAL_SIGNATURE), .shards = 1},
	{.type = EXT_EXTENDED_KEY_USAGE, .purposes = {purposes, 1}, .shards = 1},
};
static const struct profile profile = {
	.name = "responder",
	.key_algs = (1u << KEY_ALG_N) - 1,
	.rsa_min_bits = 2048,
	.rsa_max_bits = 4096,
	.cap_days = JUDGE_RESPONDER_DAYS,
	.extensions = {.v = exts, .n = sizeof(exts) / sizeof(exts[0])},
};

const struct profile *responder_profile(void)
{
	return &profile;
}

const struct member *responder_listed(const struct roster *roster, const uint8_t key_sha256[32])
{
	for (size_t i = 0; i < roster->n_members; i++) {
		const struct member *m = &roster->members[i];
		if (m->role == ROLE_RESPONDER && memcmp(m->key, key_sha256, 32) == 0)
			return m;
	}
	return NULL;
}

enum err responder_subject(const struct cert *issuer, const struct member *m, struct name *ret, struct fault *f)
{
	static const char *const of_issuer[] = {"C", "O"};
	_cleanup_(name_done) struct name above = {0};
	_cleanup_(freep) char *common_name = xasprintf("OCSP responder %s", m->name);
	TRY(name_parse(issuer->subject, &above, f));
	for (size_t i = 0; i < 2; i++) {
		const char *value = name_get(&above, of_issuer[i]);
		if (value)
			TRY(name_add(ret, attr_by_word(of_issuer[i], 1), value, strlen(value), f));
	}
	return name_add(ret, attr_by_word("CN", 2), common_name, strlen(common_name), f);
}

/* RFC 6960 4.2.2.2.1: the value is NULL. */
static void put_no_check(struct buf *ret)
{
	struct ext_open e = ext_begin(ret, OID_EXT_OCSP_NO_CHECK, false);
	der_put(ret, DER_NULL, (struct slice){0});
	ext_end(ret, e);
}

enum err responder_tbs(const struct cert *issuer, const struct build *b, struct buf *ret, struct fault *f)
{
	static const char *const oids[] = {OID_KP_OCSP_SIGNING};
	_cleanup_buf_ struct buf sigalg = {0};
	sigalg_put(issuer->key.alg, &sigalg);
	struct tbs_head head = {.serial = b->serial,
				.sigalg = buf_slice(&sigalg),
				.issuer = issuer->subject,
				.not_before = b->not_before,
				.not_after = b->not_after,
				.subject = b->subject,
				.key = b->key};
	TRY(tbs_check(&head, f));
	struct tbs_open o = tbs_begin(&head, ret);
	ext_put_aki(ret, false, issuer_key_id(issuer));
	ext_put_ski(ret, false, slice_of(b->key->key_id, sizeof(b->key->key_id)));
	ext_put_key_usage(ret, true, KU_BIT(KU_DIGITAL_SIGNATURE));
	ext_put_purposes(ret, false, oids, 1);
	put_no_check(ret);
	tbs_end(o, ret);
	return OK;
}
