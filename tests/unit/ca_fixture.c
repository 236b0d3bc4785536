/*
 * The signer's core in-process: no socket, no second process, but the very handlers, ledger and checks that the program
 * has.
 */
#include "ca_fixture.h"

#include "ca/build.h"
#include "ca/log_signer.h"
#include "ca/operator.h"
#include "ca/publish.h"
#include "common/base/file.h"
#include "common/note/merkle.h"
#include "common/note/statement.h"
#include "common/pki/sign.h"
#include "common/policy/judge.h"

#include <dirent.h>
#include <openssl/rsa.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

static void must(const char *what, enum err e, const struct fault *f)
{
	if (e != OK)
		fail_msg("%s: %s, rule \"%s\" at %s: %s", what, err_word(e), f->rule, f->where, f->text);
}

/* --- keys --- */

static EVP_PKEY *ring[KEYS_N];

EVP_PKEY *fx_key(enum fx_key which)
{
	struct fault f = {0};
	bool rsa = which == KEY_OF_RSA || which == KEY_NEW_RSA;
	if (ring[which])
		return ring[which];
	if (which == KEY_OF_WEAK)
		ring[which] = EVP_RSA_gen(1024);
	else
		must("key", privkey_generate(rsa ? KEY_RSA : KEY_P256, rsa ? 2048 : 0, &ring[which], &f), &f);
	return ring[which];
}

void fx_keys_done(void)
{
	for (size_t i = 0; i < KEYS_N; i++) {
		EVP_PKEY_free(ring[i]);
		ring[i] = NULL;
	}
}

static enum key_alg alg_of(enum fx_key which)
{
	return which == KEY_OF_RSA || which == KEY_OF_WEAK || which == KEY_NEW_RSA ? KEY_RSA : KEY_P256;
}

struct person {
	unsigned bit;
	const char *name;
	enum role role;
	const char *projects;
};
static const struct person people[] = {
	{BY_ALICE, "alice", ROLE_OFFICER, "*"},	   {BY_BOB, "bob", ROLE_OFFICER, "*"},
	{BY_CAROL, "carol", ROLE_OFFICER, "*"},	   {BY_CUSTODIAN, "cust", ROLE_CUSTODIAN, "*"},
	{BY_DAVE, "dave", ROLE_OFFICER, "other"},  {BY_RA, "ra-one", ROLE_RA, "*"},
	{BY_RA_OTHER, "ra-two", ROLE_RA, "other"},
};
#define N_PEOPLE (sizeof(people) / sizeof(people[0]))
#define SEED_OUTSIDER 99

static void seeded(unsigned seed, uint8_t public_key[32], uint8_t secret[64])
{
	uint8_t bytes[32];
	memset(bytes, (int)seed, sizeof(bytes));
	crypto_sign_seed_keypair(public_key, secret, bytes);
}

void fx_line(struct buf *note, const char *name, unsigned seed)
{
	uint8_t public_key[32], secret[64];
	struct fault f = {0};
	seeded(seed, public_key, secret);
	must("line", note_sign_ed25519(note, name, secret, &f), &f);
}

void fx_people_lines(struct buf *note, unsigned who)
{
	for (size_t i = 0; i < N_PEOPLE; i++)
		if (who & people[i].bit)
			fx_line(note, people[i].name, people[i].bit & 0xff ? people[i].bit & 0xff : 200);
	if (who & BY_OUTSIDER)
		fx_line(note, "mallory", SEED_OUTSIDER);
}

/* --- the old authority --- */

static void self_signed(const char *name, const struct ca_key *key, int64_t now, int64_t years, struct buf *ret_der,
			struct cert *ret)
{
	_cleanup_(name_done) struct name n = {0};
	_cleanup_buf_ struct buf tbs = {0}, sig = {0};
	struct serial serial;
	struct fault f = {0};
	uint64_t last = 0;
	serial_make(&last, &serial);
	must("name", name_add(&n, attr_by_word("C", 1), "CN", 2, &f), &f);
	must("name", name_add(&n, attr_by_word("CN", 2), name, strlen(name), &f), &f);
	struct ca_build b = {.subject = &n,
			     .key = ca_key_public(key),
			     .not_before = now - 3650 * DAY,
			     .not_after = now + years * 365 * DAY,
			     .path_len = 0};
	must("build_ca_tbs", build_ca_tbs(&b, ca_key_public(key)->alg, &serial, &tbs, &f), &f);
	must("sign", ca_key_sign(key, buf_slice(&tbs), &sig, &f), &f);
	build_certificate(buf_slice(&tbs), ca_key_public(key)->alg, buf_slice(&sig), ret_der);
	must("cert_parse", cert_parse(buf_slice(ret_der), ret, &f), &f);
}

static struct profile_ext plain_exts[] = {
	{.type = EXT_AKI, .shards = 1},
	{.type = EXT_SKI, .shards = 1},
	{.type = EXT_KEY_USAGE,
	 .critical = true,
	 .bits = KU_BIT(KU_DIGITAL_SIGNATURE) | KU_BIT(KU_NON_REPUDIATION),
	 .shards = 1},
};
static const struct profile plain_profile = {
	.name = "old", .cap_days = 3653, .key_algs = (1u << KEY_ALG_N) - 1, .extensions = {.v = plain_exts, .n = 3}};

static void old_certificate(struct fx *x, struct fx_org *o)
{
	_cleanup_(name_done) struct name n = {0};
	_cleanup_(pubkey_done) struct pubkey key = {0};
	_cleanup_buf_ struct buf tbs = {0}, sig = {0};
	struct template *t = NULL;
	struct fault f = {0};
	must("name", name_add(&n, attr_by_word("C", 1), "CN", 2, &f), &f);
	must("name", name_add(&n, attr_by_word("O", 1), o->name, strlen(o->name), &f), &f);
	must("name", name_add(&n, attr_by_word("CN", 2), o->name, strlen(o->name), &f), &f);
	must("name", name_add(&n, attr_by_word("organizationIdentifier", 22), o->code, strlen(o->code), &f), &f);
	must("key", privkey_public(o->key, &key, &f), &f);
	must("template", template_new(&plain_profile, &x->old_cert, &t, &f), &f);
	struct build b = {.serial = &o->serial,
			  .subject = &n,
			  .key = &key,
			  .not_before = x->born - 1035 * DAY,
			  .not_after = x->born + 60 * DAY};
	must("build", build_tbs(t, &b, &tbs, &f), &f);
	template_free(t);
	must("sign", ca_key_sign(x->old_key, buf_slice(&tbs), &sig, &f), &f);
	build_certificate(buf_slice(&tbs), ca_key_public(x->old_key)->alg, buf_slice(&sig), &o->der);
	must("cert_parse", cert_parse(buf_slice(&o->der), &o->cert, &f), &f);
}

static void make_orgs(struct fx *x)
{
	static const struct {
		const char *name, *code, *serial;
		enum fx_key key;
	} rows[ORG_N] = {
		[ORG_P256] = {"擎洲测试投标人6", OLD_CODE, "74C2008800000AE9", KEY_OF_P256},
		[ORG_RSA] = {"金华某投标人", "91330100799655058B", "74C2008800000AEA", KEY_OF_RSA},
		[ORG_WEAK] = {"弱钥匙投标人", "9144030071526726XG", "74C2008800000AEB", KEY_OF_WEAK},
		[ORG_LATE] = {"迟到投标人", "35353551-7", "74C2008800000AEC", KEY_OF_LATE},
	};
	for (size_t i = 0; i < ORG_N; i++) {
		struct fx_org *o = &x->orgs[i];
		*o = (struct fx_org){.name = rows[i].name,
				     .code = rows[i].code,
				     .alg = alg_of(rows[i].key),
				     .key = fx_key(rows[i].key)};
		assert_true(serial_parse(rows[i].serial, strlen(rows[i].serial), &o->serial));
		old_certificate(x, o);
	}
}

/* --- notes of officers --- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->name, ((const struct member *)b)->name);
}

/* A responder's key is of any algorithm: the roster has the hash of its SPKI. */
static void responder_member(struct member *m)
{
	_cleanup_(pubkey_done) struct pubkey key = {0};
	struct fault f = {0};
	must("responder", privkey_public(fx_key(KEY_RESPONDER), &key, &f), &f);
	*m = (struct member){.role = ROLE_RESPONDER,
			     .name = "ocsp-one",
			     .projects = (char *)(uintptr_t) "*",
			     .kinds = 1u << TALLY_RESPONDER};
	memcpy(m->key, key.spki_sha256, 32);
}

void fx_roster_note(struct fx *x, uint64_t version, bool has_previous, const uint8_t previous[32], unsigned quorum,
		    unsigned who, struct buf *ret)
{
	struct member members[N_PEOPLE + 1] = {0};
	struct roster r = {.version = version,
			   .has_previous = has_previous,
			   .quorum = quorum,
			   .made = x->born,
			   .members = members};
	_cleanup_buf_ struct buf text = {0};
	uint8_t secret[64];
	memcpy(r.ca, x->signer ? x->signer->ca : x->old_cert.key.key_id, 20);
	if (has_previous)
		memcpy(r.previous, previous, 32);
	for (size_t i = 0; i < N_PEOPLE; i++) {
		struct member *m = &members[r.n_members];
		if (x->gone & people[i].bit)
			continue;
		*m = (struct member){
			.role = people[i].role, .projects = (char *)(uintptr_t)people[i].projects, .all_kinds = true};
		snprintf(m->name, sizeof(m->name), "%s", people[i].name);
		seeded(people[i].bit & 0xff ? people[i].bit & 0xff : 200, m->key, secret);
		r.n_members++;
	}
	responder_member(&members[r.n_members++]);
	qsort(members, r.n_members, sizeof(members[0]), by_name);
	roster_put(&r, &text);
	note_begin(buf_slice(&text), ret);
	fx_people_lines(ret, who);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct policy_source *)a)->path, ((const struct policy_source *)b)->path);
}

static void add_file(struct fx *x, const char *path, struct slice bytes)
{
	x->files = xrealloc(x->files, x->n_files + 1, sizeof(*x->files));
	struct policy_source *s = &x->files[x->n_files++];
	*s = (struct policy_source){0};
	snprintf(s->path, sizeof(s->path), "%s", path);
	buf_add_slice(&s->bytes, bytes);
	qsort(x->files, x->n_files, sizeof(*x->files), by_path);
}

struct buf *fx_file(struct fx *x, const char *path)
{
	for (size_t i = 0; i < x->n_files; i++)
		if (strcmp(x->files[i].path, path) == 0)
			return &x->files[i].bytes;
	fail_msg("the bundle has no %s", path);
	return NULL;
}

/* A second project with the same profile. */
static const char other_project[] =
	"name: other\ntitle: {zh: 另一项目, en: Other project}\naliases: []\nprofiles: [organisation]\nservices:\n"
	"  organisation-certificate:\n    title: {zh: 机构证书, en: Organisation certificate}\n    profile: "
	"organisation\n    price_fen: 1\n"
	"    period_months: 12\n    order_uses: 1\n    order_months: 36\nfirst_login_proof: key\ncontact:\n  name: "
	"{zh: 台, en: Desk}\n"
	"  hours: {zh: 九点, en: nine}\n  address: {zh: 某地, en: somewhere}\n  telephone: 0579-00000002\n  emergency: "
	"0579-00000003\n";

static void make_files(struct fx *x)
{
	struct fault f = {0};
	_cleanup_buf_ struct buf pem = {0};
	must("policies", policy_read_dir(POLICIES_DIR, &x->files, &x->n_files, &f), &f);
	pem_put(&pem, "CERTIFICATE", buf_slice(&x->old_der));
	add_file(x, "issuers/old.crt", buf_slice(&pem));
	add_file(x, "projects/other.yaml", slice_str(other_project));
}

static void policy_note_for(struct fx *x, const uint8_t ca[20], int64_t until, const uint8_t *previous,
			    uint64_t version, unsigned who, struct buf *ret)
{
	struct policy_note head = {
		.version = version, .has_previous = previous != NULL, .until = until, .made = x->born};
	_cleanup_buf_ struct buf text = {0};
	memcpy(head.ca, ca, 20);
	if (previous)
		memcpy(head.previous, previous, 32);
	policy_note_make(x->files, x->n_files, &head, &text);
	note_begin(buf_slice(&text), ret);
	fx_people_lines(ret, who);
}

void fx_policy_note(struct fx *x, int64_t until, const uint8_t previous[32], uint64_t version, unsigned who,
		    struct buf *ret)
{
	policy_note_for(x, x->signer->ca, until, previous, version, who, ret);
}

/* --- start --- */

static void make_config(struct fx *x)
{
	x->config = (struct ca_config){.state = xstrdup(x->dir),
				       .issuer = path_join(x->dir, "issuing.crt"),
				       .key = path_join(x->dir, "issuing.key"),
				       .workers = 8,
				       .crl_next_update_hours = 24,
				       .crl_every_minutes = 60,
				       .beat_seconds = 60,
				       .refusals_per_second = 50,
				       .refusals_burst = 100000};
}

static void genesis_notes(struct fx *x, const struct cert *issuer)
{
	_cleanup_buf_ struct buf policy_note = {0};
	_cleanup_(note_done) struct note note = {0};
	_cleanup_(roster_done) struct roster roster = {0};
	struct fault f = {0};
	uint64_t index;
	policy_note_for(x, issuer->key.key_id, 0, NULL, 1, BY_OFFICERS, &policy_note);
	must("roster", roster_record(x->ledger, issuer->key.key_id, NULL, buf_slice(&x->roster_note), &index, &f), &f);
	must("note", note_parse(buf_slice(&x->roster_note), 1, &note, &f), &f);
	must("roster", roster_parse(note.text, &roster, &f), &f);
	must("policy",
	     policy_record(x->ledger, issuer->key.key_id, issuer, &roster, NULL, buf_slice(&policy_note), x->files,
			   x->n_files, &index, &f),
	     &f);
}

/* The issuer's certificate as its file, and genesis. Gives the key. */
static struct ca_key *make_ca(struct fx *x)
{
	struct ca_key *key = NULL;
	_cleanup_buf_ struct buf der = {0}, pem = {0};
	_cleanup_(cert_done) struct cert cert = {0};
	struct fault f = {0};
	must("ca key", ca_key_create(x->ca_alg, x->ca_alg == KEY_RSA ? 2048 : 0, &key, &f), &f);
	self_signed("虎符测试 CA", key, x->born, 15, &der, &cert);
	pem_put(&pem, "CERTIFICATE", buf_slice(&der));
	must("issuer", file_write(x->config.issuer, buf_slice(&pem), 0644, &f), &f);
	/* fx_roster_note reads the CA's key id from the signer, which is not there yet: the old authority stands in. */
	struct cert old = x->old_cert;
	x->old_cert = cert;
	fx_roster_note(x, 1, false, NULL, 2, BY_OFFICERS, &x->roster_note);
	x->old_cert = old;
	must("ledger", ledger_open(x->dir, true, &x->ledger, &f), &f);
	must("log key", log_signer_make(&(struct ca_config){.state = x->dir}, cert.key.key_id, &f), &f);
	genesis_notes(x, &cert);
	return key;
}

struct fx *fx_new(enum key_alg ca_alg)
{
	return fx_new_at(ca_alg, NOW, NULL);
}

struct fx *fx_new_at(enum key_alg ca_alg, int64_t now, void (*edit)(struct fx *x))
{
	struct fx *x = xcalloc(1, sizeof(*x));
	struct fault f = {0};
	clock_set(now);
	log_init("test", LOG_LEVEL_ERROR);
	x->ca_alg = ca_alg;
	x->born = now;
	const char *folder = getenv("TMPDIR");
	snprintf(x->dir, sizeof(x->dir), "%s/hufu-fx-XXXXXX",
		 folder && strlen(folder) < sizeof(x->dir) - 16 ? folder : "/tmp");
	assert_non_null(mkdtemp(x->dir));
	make_config(x);
	must("old key", ca_key_create(KEY_P256, 0, &x->old_key, &f), &f);
	self_signed("ZJCA OCA2", x->old_key, now, 10, &x->old_der, &x->old_cert);
	make_orgs(x);
	make_files(x);
	if (edit)
		edit(x);
	struct ca_key *key = make_ca(x);
	must("signer", signer_new(&x->config, x->ledger, &x->signer, &f), &f);
	must("key", signer_take_key(x->signer, key, &f), &f);
	for (enum fx_which i = 0; i < ORG_LATE; i++) {
		_cleanup_buf_ struct buf problem = {0};
		uint32_t taken = 0;
		must("adopt", fx_adopt(x, i, BY_OFFICERS, NULL, &taken, &problem, &f), &f);
		assert_string_equal(buf_text(&problem), "");
		assert_int_equal(taken, 1);
	}
	return x;
}

static void remove_dir(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	while (d && (e = readdir(d))) {
		_cleanup_(freep) char *sub = path_join(path, e->d_name);
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlink(sub) != 0)
			remove_dir(sub);
	}
	if (d)
		closedir(d);
	rmdir(path);
}

void fx_free(struct fx *x)
{
	signer_freep(&x->signer);
	ledger_closep(&x->ledger);
	for (size_t i = 0; i < ORG_N; i++) {
		cert_done(&x->orgs[i].cert);
		buf_done(&x->orgs[i].der);
	}
	ca_key_freep(&x->old_key);
	cert_done(&x->old_cert);
	buf_done(&x->old_der);
	buf_done(&x->roster_note);
	policy_sources_done(x->files, x->n_files);
	ca_config_done(&x->config);
	remove_dir(x->dir);
	clock_set(0);
	free(x);
}

void fx_restart(struct fx *x, bool unlock)
{
	struct fault f = {0};
	struct ca_key *key = atomic_exchange(&x->signer->key, NULL);
	signer_freep(&x->signer);
	ledger_closep(&x->ledger);
	must("ledger", ledger_open(x->dir, false, &x->ledger, &f), &f);
	must("signer", signer_new(&x->config, x->ledger, &x->signer, &f), &f);
	if (unlock)
		must("key", signer_take_key(x->signer, key, &f), &f);
	else
		ca_key_freep(&key);
}

static void text_secret(const char *text, struct secret *ret)
{
	secret_alloc(ret, strlen(text));
	memcpy(ret->p, text, ret->n);
}

static void seal(const struct ca_key *key, const char *path, const char *passphrase)
{
	_cleanup_secret_ struct secret p = {0};
	struct fault f = {0};
	text_secret(passphrase, &p);
	must("seal", ca_key_seal(key, path, &p, &f), &f);
}

void fx_roll(struct fx *x, enum key_alg alg)
{
	_cleanup_buf_ struct buf der = {0}, pem = {0};
	_cleanup_(cert_done) struct cert cert = {0};
	_cleanup_(ca_key_freep) struct ca_key *key = NULL;
	struct fault f = {0};
	seal(atomic_load(&x->signer->key), x->config.key, FX_OLD);
	x->config.retired = xcalloc(1, sizeof(*x->config.retired));
	x->config.retired[x->config.n_retired++] =
		(struct ca_config_retired){.issuer = x->config.issuer, .key = x->config.key};
	x->config.issuer = path_join(x->dir, "issuing-2.crt");
	x->config.key = path_join(x->dir, "issuing-2.key");
	must("ca key", ca_key_create(alg, alg == KEY_RSA ? 2048 : 0, &key, &f), &f);
	self_signed("虎符测试 CA 2", key, x->born, 15, &der, &cert);
	pem_put(&pem, "CERTIFICATE", buf_slice(&der));
	must("issuer", file_write(x->config.issuer, buf_slice(&pem), 0644, &f), &f);
	seal(key, x->config.key, FX_NEW);
	fx_restart(x, false);
}

enum err fx_unlock(struct fx *x, const char *passphrase, struct fault *f)
{
	_cleanup_secret_ struct secret p = {0};
	text_secret(passphrase, &p);
	return signer_unlock(x->signer, &p, f);
}

void fx_clock(struct fx *x, int64_t to)
{
	struct fault f = {0};
	clock_set(to);
	must("clock", ledger_accept_clock(x->ledger, &f), &f);
}

/* --- asking the ledger --- */

enum err fx_publish(struct fx *x, const uint8_t issuer[20], uint32_t scope, struct buf *ret_der, struct ledger_crl *ret,
		    struct fault *f)
{
	struct wire_crl ask = {.shard = scope};
	size_t before = ret_der->len;
	uint64_t size;
	memcpy(ask.issuer, issuer, 20);
	TRY(publish_crl(x->signer, &ask, ret_der, ret, &size, f));
	assert_int_equal(size, ret_der->len - before);
	return OK;
}

uint64_t fx_count(struct fx *x, enum wire_type type)
{
	struct db *db = NULL;
	uint64_t n = 0;
	struct fault f = {0};
	must("reader", ledger_reader(x->ledger, &db, &f), &f);
	must("count", ledger_count(db, type, &n, &f), &f);
	ledger_reader_put(x->ledger, db);
	return n;
}

void fx_ledger_cert(struct fx *x, const struct cert_ref *ref, struct ledger_cert *ret)
{
	struct db *db = NULL;
	struct fault f = {0};
	must("reader", ledger_reader(x->ledger, &db, &f), &f);
	must("certificate", ledger_cert(db, ref, ret, &f), &f);
	ledger_reader_put(x->ledger, db);
}

void check_rule(const char *what, const struct fx_answer *a, const char *rule)
{
	if (a->kind == OK || strcmp(a->f.rule, rule) != 0 || a->f.where[0] == '\0' || a->f.text[0] == '\0')
		fail_msg("%s: found %s, rule \"%s\" at %s: %s; wanted rule \"%s\"", what,
			 a->kind == OK ? "ok" : err_word(a->kind), a->f.rule, a->f.where, a->f.text, rule);
}

void check_done(const char *what, const struct fx_answer *a)
{
	if (a->kind != OK)
		fail_msg("%s: found %s, rule \"%s\" at %s: %s; wanted done", what, err_word(a->kind), a->f.rule,
			 a->f.where, a->f.text);
}
