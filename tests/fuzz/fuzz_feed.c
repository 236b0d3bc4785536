/*
 * What a gate hears of the ledger. The input is the records of two parts of the feed, which are signed right here, since
 * a signer that was taken over can do so too: what is taken is in the table, each record in the order of its entries, and
 * what is refused changes nothing. The bytes as they are, signed by nobody, are refused.
 */
#include "tests/fuzz/as_file.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/note/feed.h"
#include "common/rpc/wire.h"
#include "ra/gate/feed.h"

#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORDS_MAX 64
#define HALF 128u
#define ORIGIN "hufu/log/1f00000000000000000000000000000000000000"

static uint8_t secret[ED25519_SECRET];
static struct log_key key;
static char folder[40];

/* A state of a certificate that is not there is logged; here that is most of what comes. */
void __wrap_log_event(enum log_level level, const char *event, const char *fmt, ...);
void __wrap_log_event(enum log_level level, const char *event, const char *fmt, ...)
{
	(void)level;
	must(event[0] && fmt);
}

static void clear_folder(void)
{
	_cleanup_(freep) char *mark = xasprintf("%s/followed", folder);
	(void)unlink(mark);
	(void)rmdir(folder);
}

static void open_once(void)
{
	static const uint8_t seed[crypto_sign_SEEDBYTES] = {7};
	_cleanup_buf_ struct buf vkey = {0};
	uint8_t public[ED25519_KEY];
	if (key.origin[0])
		return;
	must(sodium_init() >= 0 && crypto_sign_seed_keypair(public, secret, seed) == 0);
	snprintf(folder, sizeof(folder), "%s/hufu-fuzz-XXXXXX", fuzz_folder());
	must(mkdtemp(folder));
	atexit(clear_folder);
	note_vkey_put(ORIGIN, public, &vkey);
	must(log_key_parse(buf_slice(&vkey), &key, NULL) == OK);
}

/* Length in one byte, and so many bytes, or what is left. */
static size_t read_records(struct slice *bytes, struct slice *v)
{
	size_t n = 0;
	while (n < RECORDS_MAX && bytes->n > 0) {
		size_t len = bytes->p[0] < bytes->n - 1 ? bytes->p[0] : bytes->n - 1;
		if (len == 0)
			break;
		v[n++] = slice_of(bytes->p + 1, len);
		*bytes = slice_of(bytes->p + 1 + len, bytes->n - 1 - len);
	}
	if (bytes->n > 0)
		*bytes = slice_of(bytes->p + 1, bytes->n - 1);
	return n;
}

/* A tree whose leaves are alike, so that its halves are: what it had before grows into it by that half once more. The checkpoint is of its end. */
static void make_part(uint64_t from, const struct slice *records, size_t n, struct buf *ret)
{
	static const merkle_hash leaves[2 * HALF];
	uint64_t to = from + HALF;
	merkle_hash half;
	_cleanup_buf_ struct buf part = {0}, checkpoint = {0};
	struct feed_part p = {.from = from, .to = to};
	struct checkpoint c = {.size = to};
	merkle_root(leaves, HALF, half);
	merkle_root(leaves, (size_t)to, p.root);
	memcpy(c.root, p.root, 32);
	snprintf(p.origin, sizeof(p.origin), "%s", ORIGIN);
	snprintf(c.origin, sizeof(c.origin), "%s", ORIGIN);
	feed_records_sha256(records, n, p.records);
	must(feed_part_sign(&p, note_signer_of(secret), &part, NULL) == OK);
	must(checkpoint_sign(&c, note_signer_of(secret), &checkpoint, NULL) == OK);
	struct wire_feed_is m = {.part = buf_slice(&part),
				 .records = {(struct slice *)records, n},
				 .proof = slice_of(half, from > 0 ? sizeof(half) : 0),
				 .checkpoint = buf_slice(&checkpoint)};
	wire_feed_is_put(&m, ret);
}

static void look_up(const struct gate_table *t)
{
	for (size_t i = 1; i <= table_count(t); i++) {
		const struct gate_row *r = table_row(t, (uint32_t)i), *same[TABLE_SAME_MAX];
		struct cert_ref ref = {.serial.n = r->n};
		uint32_t row;
		must(r->n >= 1 && r->n <= SERIAL_MAX && r->serial[0] != 0 && r->reason <= 10);
		must((r->successor == 0 || r->successor > i) && r->predecessor < i);
		memcpy(ref.serial.b, r->serial, r->n);
		memcpy(ref.issuer_key_id, table_issuer(t, r->issuer), 20);
		must(table_find(t, &ref, &row) == r && row == i);
		must(table_find_serial(t, &ref.serial, same) >= 1);
	}
}

static bool take(struct gate *g, struct slice answer)
{
	struct fault f = {0};
	bool more = false;
	struct gate_head before = table_head(g->table);
	size_t n = table_count(g->table);
	enum err e = feed_take(g, answer, &more, &f);
	struct gate_head after = table_head(g->table);
	must(!more && after.beat >= before.beat && after.at >= before.at);
	if (e == OK)
		return true;
	must(f.kind == e && f.rule[0] && f.text[0]);
	must(after.size == before.size && (table_count(g->table) == n || e == ERR_LIMIT));
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice left = slice_of(data, size), records[RECORDS_MAX];
	_cleanup_buf_ struct buf first = {0}, second = {0};
	struct gate g = {.config.state = folder, .lock = PTHREAD_MUTEX_INITIALIZER, .woken = PTHREAD_COND_INITIALIZER};
	open_once();
	g.log_key = key;
	g.table = table_new();
	must(!take(&g, left));
	size_t n = read_records(&left, records);
	make_part(0, records, n, &first);
	if (take(&g, buf_slice(&first))) {
		must(table_head(g.table).size == HALF && !g.forked && !g.unkept);
		n = read_records(&left, records);
		make_part(HALF, records, n, &second);
		must(take(&g, buf_slice(&second)) == (table_head(g.table).size == 2 * HALF));
	}
	look_up(g.table);
	table_free(g.table);
	buf_done(&g.checkpoint);
	return 0;
}
