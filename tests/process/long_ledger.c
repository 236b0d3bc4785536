/*
 * Makes a signer's ledger long, by the ledger's own code, in one transaction that is flushed at its end.
 *
 *     long_ledger STATE ENTRIES                 beats
 *     long_ledger STATE ENTRIES certificates    intents and outcomes, with the rows of the certificates that they are about:
 *                                               random keys, lines and tallies, every other one the successor of an earlier one
 *
 * What is to be signed and the tallies are a few bytes that mean nothing: the tables have their full size, the entries not.
 * Ids of tallies are random but come in their order, and indices are made behind the rows: so each page is written once. No
 * signer may run.
 */
#include "ca/ledger_private.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/secret.h"

#include <endian.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EACH 262144 /* entries between two looks at the tree */
#define BEFORE 500  /* rows from a certificate to its successor */
#define NOTHING_BYTES 64
#define MAX_INDICES 16

struct fill {
	struct db *db;
	struct ledger_tree tree;
	uint64_t size, wanted, from;
	bool certificates;
	int64_t last; /* row */
	struct ledger_cert recent[BEFORE + 1];
};

static enum err append_beat(struct ledger_tx *tx, struct fault *f)
{
	struct wire_e_beat e = {0};
	return ledger_append_e_beat(tx, &e, NULL, f);
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

/* In the order of their numbers, everywhere in the room of all ids. */
static void make_tally_id(const struct fill *x, uint64_t n, uint8_t ret[TALLY_ID])
{
	uint64_t first = htobe64((n - x->from) * (UINT64_MAX / (x->wanted - x->from)));
	random_fill(ret, TALLY_ID);
	memcpy(ret, &first, sizeof(first));
}

/* Its row, and its predecessor's. */
static enum err add_rows(struct fill *x, struct ledger_tx *tx, struct ledger_cert *c, const struct ledger_cert *before,
			 struct fault *f)
{
	struct ledger_fate fate = {.cause = c->intent};
	if (before) {
		memcpy(c->key, before->key, sizeof(c->key));
		c->line = before->line;
		c->root = before->root;
	}
	TRY(ledger_cert_add(tx, c, f));
	x->last = c->id;
	x->recent[c->id % (BEFORE + 1)] = *c;
	return before ? ledger_succeed(tx, before->id, c->id, &fate, f) : OK;
}

static enum err append_certificate(struct fill *x, struct ledger_tx *tx, struct fault *f)
{
	static const uint8_t nothing[NOTHING_BYTES];
	struct slice bytes = slice_of(nothing, sizeof(nothing));
	struct wire_e_intent intent = {.tbs = bytes, .note = bytes};
	struct wire_e_issued issued = {.signature = bytes};
	struct ledger_cert c;
	const struct ledger_cert *before = &x->recent[(x->last + 1) % (BEFORE + 1)];
	make_certificate(tx->next, &c);
	make_tally_id(x, tx->next, intent.tally);
	memcpy(issued.tally, intent.tally, sizeof(issued.tally));
	TRY(ledger_append_e_intent(tx, &intent, &c.intent, f));
	issued.intent = c.intent;
	TRY(ledger_append_e_issued(tx, &issued, &c.entry, f));
	TRY(add_rows(x, tx, &c, x->last % 2 == 0 && before->id != 0 ? before : NULL, f));
	return ledger_tally_bind(tx, intent.tally, c.key, c.intent, c.id, f);
}

/* As the ledger's writer does it. */
static enum err append_some(struct fill *x, struct fault *f)
{
	struct ledger_tx tx = {.db = x->db, .at = clock_now(), .next = x->size, .first = x->size};
	uint64_t until = x->wanted - x->size < EACH ? x->wanted : x->size + EACH;
	enum err e = OK;
	while (tx.next < until && e == OK)
		e = x->certificates ? append_certificate(x, &tx, f) : append_beat(&tx, f);
	if (e == OK)
		e = append_counts(&tx, f);
	if (e == OK)
		e = tree_append(&x->tree, &tx, f);
	buf_done(&tx.leaves);
	x->size = tx.next;
	return e;
}

/* What makes them again, and drops them, in pairs: db_run() keeps the texts that it has seen. */
static enum err read_indices(struct db *db, char *texts[2 * MAX_INDICES], size_t *ret_n, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more;
	TRY(db_query(db, f, &row,
		     "SELECT sql, 'DROP INDEX ' || name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
		     " AND tbl_name IN ('certificate', 'status') LIMIT ?1",
		     "i", (int64_t)MAX_INDICES));
	TRY(db_next(row, &more, f));
	for (*ret_n = 0; more; *ret_n += 2) {
		texts[*ret_n] = xstrdup(db_text(row, 0));
		texts[*ret_n + 1] = xstrdup(db_text(row, 1));
		TRY(db_next(row, &more, f));
	}
	return OK;
}

static enum err run_all(struct db *db, char *const *texts, size_t n, struct fault *f)
{
	for (size_t i = 0; i < n; i += 2)
		TRY(db_run(db, f, texts[i], ""));
	return OK;
}

static enum err set(struct db *db, const char *pragma, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more;
	TRY(db_query(db, f, &row, pragma, ""));
	return db_next(row, &more, f);
}

static enum err fill_all(struct fill *x, char *texts[2 * MAX_INDICES], size_t *ret_n, struct fault *f)
{
	static const char *const settings[] = {"PRAGMA journal_mode=MEMORY", "PRAGMA synchronous=OFF",
					       "PRAGMA cache_size=-262144", "PRAGMA threads=2"};
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		TRY(set(x->db, settings[i], f));
	TRY(db_begin(x->db, f));
	TRY(read_indices(x->db, texts, ret_n, f));
	TRY(run_all(x->db, texts + 1, *ret_n, f));
	while (x->size < x->wanted)
		TRY(append_some(x, f));
	TRY(run_all(x->db, texts, *ret_n, f));
	TRY(db_commit(x->db, f));
	return set(x->db, "PRAGMA journal_mode=WAL", f);
}

static enum err flush(const char *path, struct fault *f)
{
	_cleanup_(closep) int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		return fault_raise(f, ERR_IO, "flush", "ledger", "%s cannot be flushed", path);
	return OK;
}

static enum err fill_file(struct fill *x, const char *path, struct fault *f)
{
	char *texts[2 * MAX_INDICES] = {0};
	size_t n = 0;
	enum err e = fill_all(x, texts, &n, f);
	db_closep(&x->db);
	for (size_t i = 0; i < n; i++)
		free(texts[i]);
	TRY(e);
	return flush(path, f);
}

/* Opened as the signer does it before, which brings it up to date, and behind it, which looks at it. */
static enum err fill(struct fill *x, const char *state, struct fault *f)
{
	_cleanup_(freep) char *path = xasprintf("%s/ledger.db", state);
	_cleanup_(ledger_closep) struct ledger *l = NULL;
	TRY(ledger_open(state, false, &l, f));
	x->size = x->from = ledger_size(l);
	x->tree = l->tree;
	ledger_closep(&l);
	TRY(db_open(path, false, &x->db, f));
	if (x->size < x->wanted)
		TRY(fill_file(x, path, f));
	return ledger_open(state, false, &l, f);
}

int main(int argc, char **argv)
{
	struct fault f = {0};
	struct fill *x = xcalloc(1, sizeof(*x));
	x->certificates = argc == 4 && strcmp(argv[3], "certificates") == 0;
	secret_init();
	log_init("long_ledger", LOG_LEVEL_WARNING);
	if ((argc != 3 && !x->certificates) || !u64_parse(argv[2], strlen(argv[2]), 100000000, &x->wanted)) {
		fputs("usage: long_ledger STATE ENTRIES [certificates]\n", stderr);
		return 4;
	}
	enum err e = fill(x, argv[1], &f);
	if (e != OK)
		log_fault(LOG_LEVEL_ERROR, "long_ledger", &f);
	db_closep(&x->db);
	free(x);
	return e == OK ? 0 : 1;
}
