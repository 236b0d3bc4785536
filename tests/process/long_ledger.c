/*
 * Makes a signer's ledger long, by the ledger's own code, many entries to a flush.
 *
 *     long_ledger STATE ENTRIES                 beats
 *     long_ledger STATE ENTRIES certificates    intents and outcomes, with the rows of the certificates that they are about:
 *                                               random keys, lines and tallies, every other one the successor of an earlier one
 *
 * What is to be signed and the tallies are a few bytes that mean nothing: the tables have their full size, the entries not.
 */
#include "ca/ledger.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/secret.h"

#include <stdio.h>
#include <string.h>

#define BEATS_EACH 16384
#define CERTIFICATES_EACH                                                                                              \
	(1024 * 1024) /* a transaction writes each page that it touched once, and random keys touch all */
#define BEFORE 500    /* rows from a certificate to its successor */
#define NOTHING_BYTES 64

static enum err beats(struct ledger_tx *tx, void *arg, struct fault *f)
{
	for (uint64_t i = 0; i < *(uint64_t *)arg; i++) {
		struct wire_e_beat e = {0};
		TRY(ledger_append_e_beat(tx, &e, NULL, f));
	}
	return OK;
}

/* Of an issuer that is nobody's, and so adopted. */
static void make_certificate(uint64_t n, struct ledger_cert *ret)
{
	int64_t now = clock_now();
	*ret = (struct ledger_cert){.intent = LEDGER_NONE,
				    .entry = LEDGER_NONE,
				    .not_before = now,
				    .not_after = now + 31536000,
				    .adopted = true};
	random_fill(ret->key, sizeof(ret->key));
	memcpy(&ret->line, ret->key, sizeof(ret->line));
	memset(ret->ref.issuer_key_id, 0x5a, sizeof(ret->ref.issuer_key_id));
	ret->ref.serial.n = 16; /* rising, then random, as the signer's */
	random_fill(ret->ref.serial.b, 16);
	for (int i = 0; i < 6; i++)
		ret->ref.serial.b[i] = (uint8_t)((n + (UINT64_C(1) << 40)) >> (40 - 8 * i));
	snprintf(ret->project, sizeof(ret->project), "old");
	snprintf(ret->profile, sizeof(ret->profile), "organisation");
}

static enum err follow(struct ledger_tx *tx, struct ledger_cert *c, int64_t before, const struct ledger_fate *fate,
		       struct fault *f)
{
	struct ledger_cert pred;
	TRY(ledger_cert_by_id(tx->db, before, &pred, f));
	memcpy(c->key, pred.key, sizeof(c->key));
	c->line = pred.line;
	c->root = pred.root;
	TRY(ledger_cert_add(tx, c, f));
	return ledger_succeed(tx, before, c->id, fate, f);
}

static enum err certificate(struct ledger_tx *tx, int64_t *last, struct fault *f)
{
	static const uint8_t nothing[NOTHING_BYTES];
	struct slice bytes = slice_of(nothing, sizeof(nothing));
	struct ledger_cert c;
	struct ledger_fate fate = {0};
	struct wire_e_intent intent = {.tbs = bytes, .note = bytes};
	struct wire_e_issued issued = {.signature = bytes};
	uint64_t index;
	make_certificate(tx->next, &c);
	random_fill(intent.tally, sizeof(intent.tally));
	memcpy(issued.tally, intent.tally, sizeof(issued.tally));
	TRY(ledger_append_e_intent(tx, &intent, &c.intent, f));
	issued.intent = fate.cause = c.intent;
	if (*last > BEFORE && *last % 2 == 0)
		TRY(follow(tx, &c, *last - BEFORE, &fate, f));
	else
		TRY(ledger_cert_add(tx, &c, f));
	TRY(ledger_tally_bind(tx, intent.tally, c.key, c.intent, c.id, f));
	TRY(ledger_append_e_issued(tx, &issued, &index, f));
	*last = c.id;
	return ledger_cert_issued(tx, c.id, index, f);
}

static enum err certificates(struct ledger_tx *tx, void *arg, struct fault *f)
{
	static int64_t last;
	/* Random keys touch every page of their trees, which the signer's own memory would not hold. */
	if (last == 0)
		TRY(db_run(tx->db, f, "PRAGMA cache_size=-2097152", ""));
	for (uint64_t i = 0; i < *(uint64_t *)arg; i += 2)
		TRY(certificate(tx, &last, f));
	return OK;
}

static enum err fill(const char *state, uint64_t wanted, bool certs, struct fault *f)
{
	_cleanup_(ledger_closep) struct ledger *l = NULL;
	TRY(ledger_open(state, false, &l, f));
	while (ledger_size(l) < wanted) {
		uint64_t rest = wanted - ledger_size(l), each = certs ? CERTIFICATES_EACH : BEATS_EACH;
		uint64_t n = rest < each ? rest : each;
		TRY(ledger_do(l, certs ? certificates : beats, &n, f));
	}
	return OK;
}

int main(int argc, char **argv)
{
	struct fault f = {0};
	uint64_t wanted = 0;
	bool certs = argc == 4 && strcmp(argv[3], "certificates") == 0;
	secret_init();
	log_init("long_ledger", LOG_LEVEL_WARNING);
	if ((argc != 3 && !certs) || !u64_parse(argv[2], strlen(argv[2]), 100000000, &wanted)) {
		fputs("usage: long_ledger STATE ENTRIES [certificates]\n", stderr);
		return 4;
	}
	if (fill(argv[1], wanted, certs, &f) == OK)
		return 0;
	log_fault(LOG_LEVEL_ERROR, "long_ledger", &f);
	return 1;
}
