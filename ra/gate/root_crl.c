/*
 * Who keeps the root signs its CRL in a ceremony and puts it into a file beside the root's certificate; this is looked at
 * every few seconds. It is kept like the CRLs of the issuing CAs, so that an older one never comes back. A CA that is on it
 * takes all below it along: of a certificate that nobody can build a path to, nothing else would be true.
 */
#include "ra/gate/root_crl.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/pki/ca_revoked.h"
#include "common/rpc/wire.h"
#include "ra/gate/crls.h"

#include <string.h>
#include <unistd.h>

bool issuer_is_revoked(const struct gate_issuer *of)
{
	return ca_is_revoked(of->revoked);
}

void issuer_bears(const struct gate_issuer *of, struct gate_row *row)
{
	ca_word revoked = of->revoked;
	if (!ca_takes_along(revoked, row->state == GATE_REVOKED, row->changed))
		return;
	row->state = GATE_REVOKED;
	row->reason = ca_revoked_reason(revoked) & 0x0Fu;
	row->changed = (uint32_t)ca_revoked_when(revoked);
}

/* adds: nothing that was revoked is let go by it. */
static enum err judge(struct gate *g, struct slice der, bool adds, struct fault *f)
{
	struct below v[GATE_ISSUERS_MAX];
	for (size_t i = 0; i < g->n_issuers; i++)
		v[i] = (struct below){&g->issuers[i].ca.cert, g->issuers[i].revoked};
	TRY(root_crl_judge(der, &g->root.cert, adds, v, g->n_issuers, f));
	for (size_t i = 0; i < g->n_issuers; i++)
		g->issuers[i].revoked = v[i].word;
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
