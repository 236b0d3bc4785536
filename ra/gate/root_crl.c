/*
 * Who keeps the root signs its CRL in a ceremony and puts it into a file beside the root's certificate; this is looked at
 * every few seconds. It is kept like the CRLs of the issuing CAs, so that an older one never comes back. A CA that is on it
 * takes all below it along: of a certificate that nobody can build a path to, nothing else would be true.
 */
#include "ra/gate/root_crl.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/rpc/wire.h"
#include "ra/gate/crls.h"

#include <string.h>
#include <unistd.h>

#define ROOT_CRL_MAX (8u * 1024u * 1024u)

/* issuer->revoked: when, a bit that says so, and the reason. */
#define IS_REVOKED 0x80u
#define REASON_BITS 0x0Fu
#define WHEN_SHIFT 8

/* RFC 5280 5.3.1. */
enum { REASON_KEY_COMPROMISE = 1, REASON_CA_COMPROMISE = 2 };

bool issuer_is_revoked(const struct gate_issuer *of)
{
	return (of->revoked & IS_REVOKED) != 0;
}

void issuer_bears(const struct gate_issuer *of, struct gate_row *row)
{
	uint64_t revoked = of->revoked;
	uint32_t when = (uint32_t)(revoked >> WHEN_SHIFT);
	if ((revoked & IS_REVOKED) == 0 || (row->state == GATE_REVOKED && row->changed <= when))
		return;
	row->state = GATE_REVOKED;
	row->reason = revoked & REASON_BITS;
	row->changed = when;
}

static uint64_t fallen(int64_t when, unsigned reason)
{
	uint64_t at = when < 0 ? 0 : when > UINT32_MAX ? UINT32_MAX : (uint64_t)when;
	unsigned below = reason == REASON_KEY_COMPROMISE ? REASON_CA_COMPROMISE : reason;
	return at << WHEN_SHIFT | IS_REVOKED | (below & REASON_BITS);
}

static void set(struct gate_issuer *of, uint64_t revoked)
{
	if (of->revoked == revoked)
		return;
	of->revoked = revoked;
	if (issuer_is_revoked(of))
		log_event(LOG_LEVEL_ERROR, "issuer_revoked",
			  "serial=%s when=%s text=\"the root has revoked this CA: all its certificates are answered as "
			  "revoked\"",
			  SERIAL(&of->ca.cert.serial), UTC((int64_t)(revoked >> WHEN_SHIFT)));
	else
		log_event(LOG_LEVEL_ERROR, "issuer_released", "serial=%s", SERIAL(&of->ca.cert.serial));
}

/* adds: nothing that was revoked is let go by it. */
static enum err judge(struct gate *g, struct slice der, bool adds, struct fault *f)
{
	struct crl crl;
	struct serial serials[GATE_ISSUERS_MAX];
	struct crl_hit hits[GATE_ISSUERS_MAX];
	for (size_t i = 0; i < g->n_issuers; i++)
		serials[i] = g->issuers[i].ca.cert.serial;
	TRY(crl_parse(der, &crl, f));
	TRY(crl_verify_by(&crl, &g->root.cert, f));
	TRY(crl_find_all(&crl, serials, g->n_issuers, hits, f));
	for (size_t i = 0; i < g->n_issuers; i++) {
		struct gate_issuer *of = &g->issuers[i];
		bool below = cert_verify_by(&of->ca.cert, &g->root.cert, NULL) == OK;
		if (below && hits[i].found)
			set(of, fallen(hits[i].when, hits[i].reason));
		else if (!adds)
			set(of, 0);
	}
	return OK;
}

/* The one that is served by now. */
static enum err judge_served(struct gate *g, struct fault *f)
{
	struct slice der = {0};
	_cleanup_(freep) char *path = crls_path(g->root_crls, WIRE_FULL_CRL);
	if (!file_exists(path))
		return OK;
	TRY(file_map(path, ROOT_CRL_MAX, &der, f));
	enum err e = judge(g, der, false, f);
	file_unmap(&der);
	return e;
}

static enum err keep(struct gate *g, struct slice der, struct fault *f)
{
	_cleanup_(freep) char *beside = crls_beside(g->root_crls, WIRE_FULL_CRL);
	TRY(file_write(beside, der, 0600, f));
	return crls_take_file(g, g->root_crls, WIRE_FULL_CRL, beside, f);
}

enum err root_crl_look(struct gate *g, struct fault *f)
{
	_cleanup_buf_ struct buf bytes = {0}, der = {0};
	uint8_t hash[32];
	TRY(file_read(g->config.root_crl, ROOT_CRL_MAX, &bytes, f));
	TRY(pem_or_der(buf_slice(&bytes), "X509 CRL", &der, f));
	sha256(der.data, der.len, hash);
	if (crls_has(g->root_crls, WIRE_FULL_CRL, hash))
		return OK;
	enum err e = keep(g, buf_slice(&der), f);
	/* A disk that is full or fails keeps no revocation back. */
	if (e == ERR_BUSY || e == ERR_IO || e == ERR_NOT_FOUND)
		(void)judge(g, buf_slice(&der), true, NULL);
	return e == OK ? judge_served(g, f) : e;
}

enum err root_crl_open(struct gate *g, struct fault *f)
{
	struct fault why = {0};
	if (!g->config.root_crl)
		return OK;
	TRY(crls_open(g, &g->root.cert, &g->root_crls, f));
	TRY(judge_served(g, f));
	if (root_crl_look(g, &why) != OK)
		log_fault(LOG_LEVEL_WARNING, "root_crl_unused", &why);
	return OK;
}

void root_crl_close(struct gate *g)
{
	if (g->root_crls)
		crls_close(g->root_crls);
	g->root_crls = NULL;
}
