/*
 * Gates answer relying parties by it, the desk its portals, officers and subscribers: both by the same reading. Where the
 * file comes from, and that an older one never comes back, is theirs.
 */
#include "common/pki/ca_revoked.h"

#include "common/base/clock.h"
#include "common/base/log.h"

#include <assert.h>

/* When, a bit that says so, and the reason. */
#define IS_REVOKED 0x80u
#define REASON_BITS 0x0Fu
#define WHEN_SHIFT 8

/* RFC 5280 5.3.1. */
enum { REASON_KEY_COMPROMISE = 1, REASON_CA_COMPROMISE = 2 };

int64_t ca_revoked_when(ca_word w)
{
	return (int64_t)(w >> WHEN_SHIFT);
}

unsigned ca_revoked_reason(ca_word w)
{
	return w & REASON_BITS;
}

bool ca_takes_along(ca_word w, bool is_revoked, int64_t since)
{
	return ca_is_revoked(w) && !(is_revoked && since <= ca_revoked_when(w));
}

static ca_word word_of(const struct crl_hit *hit)
{
	uint64_t at = hit->when < 0 ? 0 : hit->when > UINT32_MAX ? UINT32_MAX : (uint64_t)hit->when;
	unsigned below = hit->reason == REASON_KEY_COMPROMISE ? REASON_CA_COMPROMISE : hit->reason;
	return at << WHEN_SHIFT | IS_REVOKED | (below & REASON_BITS);
}

static void set(struct below *b, ca_word word)
{
	if (b->word == word)
		return;
	b->word = word;
	if (ca_is_revoked(word))
		log_event(LOG_LEVEL_ERROR, "issuer_revoked",
			  "serial=%s when=%s text=\"the root has revoked this CA: all its certificates are answered as "
			  "revoked\"",
			  SERIAL(&b->ca->serial), UTC(ca_revoked_when(word)));
	else
		log_event(LOG_LEVEL_ERROR, "issuer_released", "serial=%s", SERIAL(&b->ca->serial));
}

enum err root_crl_judge(struct slice der, const struct cert *root, bool adds, struct below *v, size_t n,
			struct fault *f)
{
	struct crl crl;
	struct serial serials[ROOT_CRL_CAS];
	struct crl_hit hits[ROOT_CRL_CAS];
	assert(n <= ROOT_CRL_CAS);
	for (size_t i = 0; i < n; i++)
		serials[i] = v[i].ca->serial;
	TRY(crl_parse(der, &crl, f));
	TRY(crl_verify_by(&crl, root, f));
	TRY(crl_find_all(&crl, serials, n, hits, f));
	for (size_t i = 0; i < n; i++) {
		bool below = cert_verify_by(v[i].ca, root, NULL) == OK;
		if (below && hits[i].found)
			set(&v[i], word_of(&hits[i]));
		else if (!adds)
			set(&v[i], 0);
	}
	return OK;
}
