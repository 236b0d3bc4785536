/*
 * The desk in-process: no process and no socket of its own, but the very handler that the socket has. Only the signer
 * is played, over a real socket, because the two rooms are never linked together.
 */
#include "ra_fixture.h"
#include "material_kit.h"

#include "ra/bell.h"
#include "ra/follow.h"
#include "ra/handover.h"
#include "ra/outbox.h"

#include "common/base/file.h"
#include "common/note/statement.h"
#include "common/pki/csr.h"

#include <dirent.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>

static void must(const char *what, enum err e, const struct fault *f)
{
	if (e != OK)
		fail_msg("%s: %s, rule \"%s\" at %s: %s", what, err_word(e), f->rule, f->where, f->text);
}

/* --- people and keys --- */

struct person {
	const char *name;
	enum role role;
	const char *projects;
};
static const struct person people[] = {{"alice", ROLE_OFFICER, "*"},
				       {"bob", ROLE_OFFICER, "*"},
				       {"carol", ROLE_OFFICER, "*"},
				       {"dave", ROLE_OFFICER, "other"},
				       {"ra-1", ROLE_RA, "*"}};
#define N_PEOPLE (sizeof(people) / sizeof(people[0]))

static void seeded(const char *name, uint8_t public_key[32], uint8_t secret[64])
{
	uint8_t seed[32];
	sha256(name, strlen(name), seed);
	crypto_sign_seed_keypair(public_key, secret, seed);
}

static void sign_as(struct buf *note, const char *name)
{
	uint8_t public_key[32], secret[64];
	struct fault f = {0};
	seeded(name, public_key, secret);
	must("sign", note_sign_ed25519(note, name, secret, &f), &f);
}

static void make_key(EVP_PKEY **ret, struct pubkey *public_key)
{
	struct fault f = {0};
	must("key", privkey_generate(KEY_P256, 0, ret, &f), &f);
	if (public_key)
		must("key", privkey_public(*ret, public_key, &f), &f);
}

static char *path_of(const struct fx *x, const char *name)
{
	return path_join(x->dir, name);
}

void fx_write(struct fx *x, const char *name, const char *text)
{
	_cleanup_(freep) char *path = path_of(x, name);
	struct fault f = {0};
	must(name, file_write(path, slice_str(text), 0600, &f), &f);
}

/* --- certificates --- */

static void add(struct name *n, const char *word, const char *value)
{
	struct fault f = {0};
	must(word, name_add(n, attr_by_word(word, strlen(word)), value, strlen(value), &f), &f);
}

/* RFC 5280 4.1.2, without extensions. */
static void put_tbs(const struct fake *s, const struct serial *serial, const char *issuer, int64_t from, int64_t to,
		    const struct name *subject, struct slice spki, struct buf *ret)
{
	_cleanup_(name_done) struct name by = {0};
	size_t tbs = der_begin(ret, DER_SEQUENCE), version = der_begin(ret, DER_CONTEXT_CONS(0)), validity;
	der_put_uint(ret, 2);
	der_end(ret, version);
	der_put_magnitude(ret, slice_of(serial->b, serial->n));
	sigalg_put(s->public_key.alg, ret);
	add(&by, "C", "CN");
	add(&by, "CN", issuer);
	name_put(&by, ret);
	validity = der_begin(ret, DER_SEQUENCE);
	der_put_time(ret, from);
	der_put_time(ret, to);
	der_end(ret, validity);
	name_put(subject, ret);
	buf_add_slice(ret, spki);
	der_end(ret, tbs);
}

static void put_certificate(const struct fake *s, struct slice tbs, struct slice signature, struct buf *ret)
{
	size_t begin = der_begin(ret, DER_SEQUENCE);
	buf_add_slice(ret, tbs);
	sigalg_put(s->public_key.alg, ret);
	der_put_bits(ret, signature, 0);
	der_end(ret, begin);
}

/* --- the signer that is played --- */

static void append(struct fake *s, const struct buf *entry)
{
	s->entries = xrealloc(s->entries, s->n_entries + 1, sizeof(*s->entries));
	s->entries[s->n_entries] = (struct buf){0};
	buf_add_slice(&s->entries[s->n_entries++], buf_slice(entry));
}

#define APPEND(s, lower, ...)                                                                                          \
	do {                                                                                                           \
		_cleanup_buf_ struct buf entry_ = {0};                                                                 \
		struct wire_##lower e_ = {.at = clock_now(), __VA_ARGS__};                                             \
		wire_##lower##_put(&e_, &entry_);                                                                      \
		append((s), &entry_);                                                                                  \
	} while (0)

void fx_append(struct fx *x, const struct buf *entry)
{
	pthread_mutex_lock(&x->signer.lock);
	append(&x->signer, entry);
	pthread_mutex_unlock(&x->signer.lock);
}

void fx_append_revoked(struct fx *x, const struct fx_org *org, bool ended, unsigned reason, int64_t when)
{
	_cleanup_buf_ struct buf entry = {0};
	struct wire_e_revoked e = {.at = clock_now(),
				   .serial = slice_of(org->serial.b, org->serial.n),
				   .when = when,
				   .reason = (uint8_t)reason,
				   .ended = ended,
				   .cause = UINT64_MAX};
	memcpy(e.issuer, org->issuer, 20);
	wire_e_revoked_put(&e, &entry);
	fx_append(x, &entry);
}

/* What was issued for a tally before: its entry; -1 when none. */
static int64_t issued_before(const struct fake *s, const uint8_t id[TALLY_ID])
{
	for (size_t i = 0; i < s->n_entries; i++) {
		struct wire_e_issued e;
		enum wire_type type;
		if (wire_type(buf_slice(&s->entries[i]), &type, NULL) != OK || type != WIRE_TYPE_E_ISSUED)
			continue;
		assert_int_equal(wire_e_issued_get(buf_slice(&s->entries[i]), &e, NULL), OK);
		if (memcmp(e.tally, id, TALLY_ID) == 0)
			return (int64_t)i;
	}
	return -1;
}

static void subject_spki(const struct fx *x, const struct tally *t, struct slice csr, struct csr *parsed,
			 struct slice *ret)
{
	struct fault f = {0};
	const struct fx_org *org = serial_eq(&t->predecessor.serial, &x->other.serial) ? &x->other : &x->org;
	*ret = slice_of(org->public_key.spki, org->public_key.spki_len);
	if (csr.n == 0)
		return;
	must("csr", csr_parse(csr, parsed, &f), &f);
	*ret = slice_of(parsed->key.spki, parsed->key.spki_len);
}

static void issue(struct fx *x, const struct tally *t, const struct wire_tally *m)
{
	struct fake *s = &x->signer;
	_cleanup_buf_ struct buf tbs = {0}, signature = {0};
	_cleanup_(csr_done) struct csr csr = {0};
	_cleanup_(name_done) struct name subject = {0};
	struct serial serial = {.b = {0x01, 0x32, (uint8_t)(0x10 + s->n_issued)}, .n = 3};
	struct slice spki;
	struct fault f = {0};
	must("subject", tally_subject_after(t, &subject, &f), &f);
	subject_spki(x, t, m->csr, &csr, &spki);
	put_tbs(s, &serial, "Hufu Issuing", clock_now(), t->latest ? t->latest : clock_now() + 7 * DAY, &subject, spki,
		&tbs);
	must("sign", privkey_sign(s->key, KEY_P256, buf_slice(&tbs), &signature, &f), &f);
	struct wire_e_intent i = {.at = clock_now(), .tbs = buf_slice(&tbs), .note = m->note};
	_cleanup_buf_ struct buf intent = {0}, issued = {0};
	memcpy(i.tally, t->id, TALLY_ID);
	memcpy(i.issuer, s->public_key.key_id, 20);
	wire_e_intent_put(&i, &intent);
	append(s, &intent);
	struct wire_e_issued e = {.at = clock_now(), .intent = s->n_entries - 1, .signature = buf_slice(&signature)};
	memcpy(e.tally, t->id, TALLY_ID);
	wire_e_issued_put(&e, &issued);
	append(s, &issued);
	s->n_issued++;
}

static void do_revoke(struct fake *s, const struct tally *t, struct slice note)
{
	_cleanup_buf_ struct buf entry = {0};
	struct wire_e_revoked e = {.at = clock_now(),
				   .serial = slice_of(t->predecessor.serial.b, t->predecessor.serial.n),
				   .when = clock_now(),
				   .reason = (uint8_t)t->reason,
				   .cause = UINT64_MAX,
				   .note = note};
	memcpy(e.issuer, t->predecessor.issuer_key_id, 20);
	memcpy(e.tally, t->id, TALLY_ID);
	wire_e_revoked_put(&e, &entry);
	append(s, &entry);
}

static void do_hold(struct fake *s, const struct tally *t, struct slice note)
{
	_cleanup_buf_ struct buf entry = {0};
	struct slice serial = slice_of(t->predecessor.serial.b, t->predecessor.serial.n);
	if (t->kind == TALLY_HOLD) {
		struct wire_e_held e = {.at = clock_now(), .serial = serial, .note = note};
		memcpy(e.issuer, t->predecessor.issuer_key_id, 20);
		memcpy(e.tally, t->id, TALLY_ID);
		wire_e_held_put(&e, &entry);
	} else {
		struct wire_e_released e = {.at = clock_now(), .serial = serial, .note = note};
		memcpy(e.issuer, t->predecessor.issuer_key_id, 20);
		memcpy(e.tally, t->id, TALLY_ID);
		wire_e_released_put(&e, &entry);
	}
	append(s, &entry);
}

static void do_withdraw(struct fake *s, const struct tally *t, struct slice note)
{
	_cleanup_buf_ struct buf entry = {0};
	struct wire_e_withdrawn e = {.at = clock_now(), .note = note};
	memcpy(e.tally, t->id, TALLY_ID);
	memcpy(e.target, t->target, TALLY_ID);
	wire_e_withdrawn_put(&e, &entry);
	append(s, &entry);
}

static void put_done(const struct fake *s, const struct tally *t, bool again, struct buf *reply)
{
	_cleanup_buf_ struct buf cert = {0};
	struct wire_done done = {.index = s->n_entries - 1, .again = again};
	memcpy(done.issuer, s->public_key.key_id, 20);
	int64_t at = issued_before(s, t->id);
	if (at >= 0) {
		struct wire_e_issued e;
		struct wire_e_intent i;
		assert_int_equal(wire_e_issued_get(buf_slice(&s->entries[at]), &e, NULL), OK);
		assert_int_equal(wire_e_intent_get(buf_slice(&s->entries[e.intent]), &i, NULL), OK);
		put_certificate(s, i.tbs, e.signature, &cert);
		done.index = (uint64_t)at;
		done.intent = e.intent;
	}
	done.cert = buf_slice(&cert);
	wire_done_put(&done, reply);
}

static void serve_tally(struct fx *x, struct slice request, struct buf *reply)
{
	struct fake *s = &x->signer;
	_cleanup_(note_done) struct note note = {0};
	_cleanup_(tally_done) struct tally t = {0};
	struct wire_tally m;
	struct fault f = {0};
	must("tally", wire_tally_get(request, &m, &f), &f);
	must("note", note_parse(m.note, 1, &note, &f), &f);
	must("tally", tally_parse(note.text, &t, &f), &f);
	tally_id_text(t.id, s->last_id);
	s->n_tallies++;
	bool fails = s->fail > 0;
	if (fails)
		s->fail--;
	bool again = issued_before(s, t.id) >= 0;
	if ((!fails || s->fail_after) && !again) {
		if (t.kind == TALLY_WITHDRAW)
			do_withdraw(s, &t, m.note);
		else if (t.kind == TALLY_REVOKE)
			do_revoke(s, &t, m.note);
		else if (t.kind == TALLY_HOLD || t.kind == TALLY_RELEASE)
			do_hold(s, &t, m.note);
		else
			issue(x, &t, &m);
	}
	if (fails)
		wire_put_fault(&s->fault, 0, reply);
	else
		put_done(s, &t, again, reply);
}

static enum err leaf_range(void *arg, unsigned level, uint64_t index, uint8_t ret[32], struct fault *f)
{
	const struct fake *s = arg;
	size_t n = (size_t)1 << level;
	merkle_hash *leaves = xcalloc(n, sizeof(*leaves));
	(void)f;
	for (size_t i = 0; i < n; i++)
		merkle_leaf(buf_slice(&s->entries[(index << level) + i]), leaves[i]);
	merkle_root(leaves, n, ret);
	free(leaves);
	return OK;
}

static void put_checkpoint(struct fake *s, struct buf *ret)
{
	struct merkle_edge edge;
	struct checkpoint c = {.size = s->n_entries};
	uint8_t key[32], secret[64];
	struct fault f = {0};
	must("edge", merkle_edge_load(&(struct merkle_source){leaf_range, s}, s->n_entries, &edge, &f), &f);
	merkle_edge_root(&edge, c.root);
	c.root[0] ^= s->bad_root;
	log_origin(s->public_key.key_id, c.origin);
	seeded(s->other_log_key ? "thief" : "log", key, secret);
	must("checkpoint", checkpoint_sign(&c, note_signer_of(secret), ret, &f), &f);
}

static void serve_follow(struct fake *s, struct slice request, struct buf *reply)
{
	_cleanup_buf_ struct buf checkpoint = {0};
	merkle_hash path[MERKLE_MAX_PATH];
	struct wire_follow m;
	struct fault f = {0};
	size_t n = 0;
	assert_int_equal(wire_follow_get(request, &m, NULL), OK);
	struct wire_entries e = {.from = m.from, .size = s->n_entries};
	for (size_t i = m.from; i < s->n_entries && e.entries.n < m.max; i++)
		wire_list_add(&e.entries, buf_slice(&s->entries[i]));
	if (m.from <= s->n_entries)
		must("proof",
		     merkle_prove_consistency(&(struct merkle_source){leaf_range, s}, m.from + e.entries.n,
					      s->n_entries, path, &n, &f),
		     &f);
	put_checkpoint(s, &checkpoint);
	e.checkpoint = buf_slice(&checkpoint);
	e.proof = slice_of(path, 32 * n);
	wire_entries_put(&e, reply);
	wire_entries_done(&e);
}

static void serve_health(const struct fake *s, struct buf *reply)
{
	struct wire_health_is h = {.locked = s->locked,
				   .size = s->n_entries,
				   .now = clock_now(),
				   .last_beat = clock_now(),
				   .roster_version = 1,
				   .policy_version = 1,
				   .issuer_not_after = NOW + 3000 * DAY,
				   .waits = s->waits,
				   .restored = s->restored};
	memcpy(h.ca, s->public_key.key_id, 20);
	memcpy(h.policy, s->policy, 32);
	memcpy(h.roster, s->roster, 32);
	wire_health_is_put(&h, reply);
}

/* What was shown last is kept. */
static void serve_seen(struct fake *s, struct slice request, struct buf *reply)
{
	struct wire_seen m;
	assert_int_equal(wire_seen_get(request, &m, NULL), OK);
	buf_clear(&s->seen);
	buf_add_slice(&s->seen, m.checkpoint);
	wire_ok_put(&(struct wire_ok){.index = s->n_entries}, reply);
}

static void serve(void *arg, const struct rpc_peer *peer, struct slice request, struct buf *reply)
{
	struct fx *x = arg;
	enum wire_type type;
	(void)peer;
	assert_int_equal(wire_type(request, &type, NULL), OK);
	pthread_mutex_lock(&x->signer.lock);
	if (type == WIRE_TYPE_TALLY)
		serve_tally(x, request, reply);
	else if (type == WIRE_TYPE_FOLLOW)
		serve_follow(&x->signer, request, reply);
	else if (type == WIRE_TYPE_SEEN)
		serve_seen(&x->signer, request, reply);
	else
		serve_health(&x->signer, reply);
	pthread_mutex_unlock(&x->signer.lock);
}

/* --- laying out --- */

static void write_roster(struct fx *x)
{
	struct fault f = {0};
	struct roster r = {.version = 1, .quorum = 2, .made = NOW - DAY};
	_cleanup_buf_ struct buf text = {0}, note = {0};
	r.members = xcalloc(N_PEOPLE, sizeof(*r.members));
	memcpy(r.ca, x->signer.public_key.key_id, 20);
	for (size_t i = 0; i < N_PEOPLE; i++) {
		struct member *m = &r.members[r.n_members++];
		uint8_t secret[64];
		m->role = people[i].role;
		snprintf(m->name, sizeof(m->name), "%s", people[i].name);
		seeded(people[i].name, m->key, secret);
		m->projects = xstrdup(people[i].projects);
		m->all_kinds = true;
	}
	roster_put(&r, &text);
	sha256(text.data, text.len, x->signer.roster);
	note_begin(buf_slice(&text), &note);
	sign_as(&note, "alice");
	sign_as(&note, "bob");
	_cleanup_(freep) char *path = path_of(x, "roster.note");
	must("roster", file_write(path, buf_slice(&note), 0600, &f), &f);
	roster_done(&r);
}

static void set_proof(struct buf *yaml, const char *word)
{
	static const char key[] = "\nfirst_login_proof: ";
	_cleanup_buf_ struct buf b = {0};
	const char *at = strstr(buf_text(yaml), key);
	assert_non_null(at);
	const char *rest = strchr(at + 1, '\n');
	buf_fmt(&b, "%.*s%s%s%s", (int)(at - buf_text(yaml)), buf_text(yaml), key, word, rest);
	buf_clear(yaml);
	buf_add_slice(yaml, buf_slice(&b));
}

/* Project hangzhou, out of jinhua's file. */
static void put_second(const struct buf *yaml, const char *contact, struct buf *ret)
{
	static const char name[] = "\nname: jinhua\n", telephone[] = "\n  telephone: ";
	const char *at = strstr(buf_text(yaml), name), *end = strstr(buf_text(yaml), telephone);
	assert_true(at && end && end > at);
	at += strlen(name);
	buf_fmt(ret, "name: hangzhou\n%.*s\n%s", (int)(end - at), at, contact);
}

static void add_second(struct policy_source **files, size_t *n, const char *contact)
{
	struct policy_source *v = xcalloc(*n + 1, sizeof(*v));
	size_t k = 0;
	for (size_t i = 0; i < *n; i++) {
		if (strcmp((*files)[i].path, "projects/jinhua.yaml") == 0) {
			snprintf(v[k].path, sizeof(v[k].path), "projects/hangzhou.yaml");
			put_second(&(*files)[i].bytes, contact, &v[k++].bytes);
		}
		v[k++] = (*files)[i];
	}
	assert_int_equal(k, *n + 1);
	free(*files);
	*files = v;
	*n = k;
}

static void write_policies(struct fx *x)
{
	struct policy_source *files = NULL;
	size_t n = 0;
	struct fault f = {0};
	struct policy_note head = {.version = 1, .made = NOW - DAY};
	_cleanup_buf_ struct buf text = {0}, note = {0};
	static const char *const folders[] = {"policies/profiles", "policies/projects", "policies/notices",
					      "policies/forms"};
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		_cleanup_(freep) char *dir = path_of(x, folders[i]);
		must("dir", dir_make(dir, 0700, &f), &f);
	}
	must("policies", policy_read_dir(POLICIES_DIR, &files, &n, &f), &f);
	if (x->second_project)
		add_second(&files, &n, x->second_project);
	for (size_t i = 0; i < n; i++) {
		if (x->first_login_proof && strcmp(files[i].path, "projects/jinhua.yaml") == 0)
			set_proof(&files[i].bytes, x->first_login_proof);
		_cleanup_(freep) char *name = xasprintf("policies/%s", files[i].path), *path = path_of(x, name);
		must(name, file_write(path, buf_slice(&files[i].bytes), 0600, &f), &f);
	}
	memcpy(head.ca, x->signer.public_key.key_id, 20);
	policy_note_make(files, n, &head, &text);
	policy_sources_done(files, n);
	sha256(text.data, text.len, x->signer.policy);
	note_begin(buf_slice(&text), &note);
	sign_as(&note, "alice");
	sign_as(&note, "bob");
	fx_write(x, "policies/policy.note", buf_text(&note));
}

static void write_key(struct fx *x)
{
	struct person_key k = {.name = "ra-1"};
	struct fault f = {0};
	_cleanup_(freep) char *path = path_of(x, "ra.key");
	secret_alloc(&k.secret, 64);
	seeded("ra-1", k.public_key, k.secret.p);
	must("key", person_key_save(&k, path, NULL, &f), &f);
	person_key_done(&k);
}

static void write_log_key(struct fx *x)
{
	_cleanup_buf_ struct buf vkey = {0};
	uint8_t key[32], secret[64];
	char origin[CHECKPOINT_ORIGIN_SIZE];
	seeded("log", key, secret);
	log_origin(x->signer.public_key.key_id, origin);
	note_vkey_put(origin, key, &vkey);
	fx_write(x, "log.vkey", buf_text(&vkey));
}

static void write_config(struct fx *x)
{
	_cleanup_buf_ struct buf b = {0}, calendar = {0};
	struct fault f = {0};
	must("calendar", file_read(POLICIES_DIR "/calendar.yaml", 65536, &calendar, &f), &f);
	fx_write(x, "calendar.yaml", buf_text(&calendar));
	buf_fmt(&b,
		"root: %s\nstate: state\nsocket: desk.sock\nsigner_socket: signer.sock\npolicies: policies\nroster: "
		"roster.note\ncalendar: calendar.yaml\nra_key: ra.key\nlog_key: log.vkey\nra_name: ra-1\nsenders: "
		"2\nlogin: {initial_password: "
		"\"" INITIAL "\", picture_code: %s}\n"
		"bank: {name: Hufu, bank: Example Bank, account: \"0000\"}\n"
		"provider: {url: 'https://pay.example.test/p?o={order}&fen={amount}&yuan={yuan}&back={return}', "
		"return_url: 'https://desk.example.test/orders/{order}', secret: provider.key}\ncallers:\n"
		"  - {uid: %d, roles: [subscriber]}\n  - {uid: %d, roles: [officer]}\n  - {uid: %d, roles: [admin]}\n"
		"  - {uid: %d, roles: [portal]}\n  - {uid: %d, roles: [subscriber]}\n  - {uid: %d, roles: [officer], "
		"officer: bob}\n  - {uid: %d, roles: [notifier]}\n  - {uid: %d, roles: [officer], projects: "
		"[hangzhou]}\n  - {uid: %d, roles: [gate]}\nportals:\n"
		"  - {name: portal, projects: [jinhua], token_sha256: "
		"c62a0f83384803565149f5dcad3372bb1e6846d6817f32d6dbe965356f2eedfa}\n%s",
		x->dir, x->picture_code ? x->picture_code : "never", UID_SUBSCRIBER, UID_OFFICER, UID_ADMIN, UID_PORTAL,
		UID_OTHER, UID_BOB, UID_NOTIFIER, UID_NARROW, UID_GATE, x->yaml ? x->yaml : "");
	fx_write(x, "provider.key", PROVIDER_SECRET "\n");
	fx_write(x, "ra.yaml", buf_text(&b));
}

/* nng 1.5.2 forgets memory of a connection that is closed before it stands; so it stands before a test goes on. */
static void meet_signer(struct fx *x)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct fault f = {0};
	if (!x->desk || !x->signer.server)
		return;
	wire_health_put(&(struct wire_health){0}, &request);
	enum err e = rpc_call(x->desk->signer, buf_slice(&request), &reply, &f);
	/* It went out on the connection to the signer of before, whose end the client had not heard of yet. */
	if (e == ERR_NET && strcmp(f.rule, "peer_closed") == 0)
		e = rpc_call(x->desk->signer, buf_slice(&request), &reply, &f);
	must("signer", e, &f);
}

static void open_desk(struct fx *x)
{
	struct ra_config config = {0};
	struct fault f = {0};
	_cleanup_(freep) char *path = path_of(x, "ra.yaml");
	must("config", ra_config_load(path, &config, &f), &f);
	must("desk", desk_open(&config, &x->desk, &f), &f);
	meet_signer(x);
}

void fx_start_signer(struct fx *x)
{
	struct fault f = {0};
	_cleanup_(freep) char *path = path_of(x, "signer.sock");
	must("signer",
	     rpc_server_start(&(struct rpc_server_config){.path = path,
							  .mode = 0600,
							  .max_request = WIRE_MAX_RA_REQUEST,
							  .workers = 4,
							  .handle = serve,
							  .arg = x},
			      &x->signer.server, &f),
	     &f);
	meet_signer(x);
}

/* --- the old authority's certificates, adopted --- */

static void adopt(struct fx *x, struct fx_org *org, const char *serial, const char *name, const char *code)
{
	struct fake *s = &x->signer;
	_cleanup_(name_done) struct name subject = {0};
	_cleanup_buf_ struct buf tbs = {0}, signature = {0}, cert = {0}, entry = {0};
	struct fault f = {0};
	make_key(&org->key, &org->public_key);
	memset(org->issuer, 0x2a, 20);
	assert_true(serial_parse(serial, strlen(serial), &org->serial));
	add(&subject, "C", "CN");
	add(&subject, "O", name);
	add(&subject, "CN", name);
	add(&subject, "organizationIdentifier", code);
	put_tbs(s, &org->serial, "ZJCA OCA2", NOW - 1000 * DAY, NOW + 60 * DAY, &subject,
		slice_of(org->public_key.spki, org->public_key.spki_len), &tbs);
	must("sign", privkey_sign(s->key, KEY_P256, buf_slice(&tbs), &signature, &f), &f);
	put_certificate(s, buf_slice(&tbs), buf_slice(&signature), &cert);
	struct wire_e_adopted e = {.at = clock_now(), .adoption = 0, .cert = buf_slice(&cert)};
	memcpy(e.issuer, org->issuer, 20);
	wire_e_adopted_put(&e, &entry);
	append(s, &entry);
}

static void put_adoption(struct fx *x)
{
	struct adoption a = {
		.project = "jinhua", .profile = "organisation", .count = 2, .made = NOW - DAY, .dies = NOW};
	_cleanup_buf_ struct buf text = {0}, note = {0};
	memset(a.issuer, 0x2a, 20);
	adoption_put(&a, &text);
	note_begin(buf_slice(&text), &note);
	sign_as(&note, "alice");
	APPEND(&x->signer, e_adoption, .note = buf_slice(&note));
}

static json_t *row(const char *code, const char *name, const char *service, const char *ends, const char *serial)
{
	return json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "line", 2, "account_identifier", code,
			 "organisation", name, "agent", "张三", "mobile", "1300000000", "project",
			 "金华市公共资源交易中心", "service_id", service, "service", "机构证书", "service_begins",
			 "2015-08-31 11:39:36", "service_ends", ends, "certificate_name", "擎洲测试投标人6", "serial",
			 serial, "issuer", "ZJCA OCA2");
}

static void import(struct fx *x)
{
	json_decref(fx_do(x, UID_ADMIN, "import.accounts",
			  json_pack("{s:[o,o]}", "rows",
				    row(ORG_CODE, "杭州田谷", "20353", "2016-08-31 11:39:36", ORG_SERIAL),
				    row(OTHER_CODE, "别家公司", "20354", "2028-08-31 11:39:36", OTHER_SERIAL))));
}

struct fx *fx_new(void)
{
	struct fx *x = xcalloc(1, sizeof(*x));
	/* Memory where there is some: a test flushes a lot and keeps nothing. */
	snprintf(x->dir, sizeof(x->dir), "%s/hufu-ra-XXXXXX", file_exists("/dev/shm") ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(x->dir));
	clock_set(NOW);
	pthread_mutex_init(&x->signer.lock, NULL);
	make_key(&x->signer.key, &x->signer.public_key);
	make_key(&x->new_key, NULL);
	write_roster(x);
	write_policies(x);
	write_key(x);
	write_log_key(x);
	write_config(x);
	put_adoption(x);
	adopt(x, &x->org, ORG_SERIAL, "擎洲测试投标人6", ORG_CODE);
	adopt(x, &x->other, OTHER_SERIAL, "别家公司", OTHER_CODE);
	fx_start_signer(x);
	open_desk(x);
	fx_follow(x);
	import(x);
	return x;
}

/* Removes the folder and what is in it. */
static void remove_tree(const char *path)
{
	DIR *dir = opendir(path);
	for (struct dirent *e; dir && (e = readdir(dir));) {
		_cleanup_(freep) char *name = path_join(path, e->d_name);
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlink(name) != 0)
			remove_tree(name);
	}
	if (dir)
		closedir(dir);
	rmdir(path);
}

static void org_done(struct fx_org *org)
{
	EVP_PKEY_free(org->key);
	pubkey_done(&org->public_key);
}

void fx_free(struct fx *x)
{
	desk_close(x->desk);
	if (x->signer.server)
		rpc_server_stop(x->signer.server);
	for (size_t i = 0; i < x->signer.n_entries; i++)
		buf_done(&x->signer.entries[i]);
	free(x->signer.entries);
	buf_done(&x->signer.seen);
	EVP_PKEY_free(x->signer.key);
	EVP_PKEY_free(x->new_key);
	pubkey_done(&x->signer.public_key);
	pthread_mutex_destroy(&x->signer.lock);
	org_done(&x->org);
	org_done(&x->other);
	free(x->session);
	free(x->other_session);
	remove_tree(x->dir);
	clock_set(0);
	free(x);
}

void fx_restart(struct fx *x)
{
	desk_close(x->desk);
	open_desk(x);
}

void fx_configure(struct fx *x, const char *yaml)
{
	x->yaml = yaml;
	write_config(x);
	fx_restart(x);
}

void fx_picture_code(struct fx *x, const char *word)
{
	x->picture_code = word;
	fx_configure(x, x->yaml);
}

void fx_first_login_proof(struct fx *x, const char *word)
{
	x->first_login_proof = word;
	write_policies(x);
	fx_restart(x);
}

#define OTHER_ID "(SELECT id FROM accounts WHERE identifier = '" OTHER_CODE "')"

void fx_second_project(struct fx *x, const char *contact)
{
	static const char *const rows[] = {"UPDATE services SET project = 'hangzhou' WHERE account = " OTHER_ID,
					   "UPDATE cert_bodies SET project = 'hangzhou' WHERE id IN (SELECT id FROM "
					   "certs WHERE account = " OTHER_ID ")"};
	x->second_project = contact;
	write_policies(x);
	fx_restart(x);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct db *db = NULL;
		struct fault f = {0};
		must("begin", store_begin(x->desk->store, &db, &f), &f);
		must(rows[i], store_end(x->desk->store, db, db_run(db, &f, rows[i], ""), &f), &f);
	}
}

/* --- calls --- */

const char *fx_text(json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	return text ? text : "";
}

int64_t fx_number(struct fx *x, const char *sql)
{
	struct fault f = {0};
	struct db *db = NULL;
	struct db_row *row = NULL;
	must("read", store_read(x->desk->store, &db, &f), &f);
	must(sql, db_one(db, &f, &row, sql, ""), &f);
	int64_t n = db_i64(row, 0);
	db_row_donep(&row);
	store_read_end(x->desk->store, db);
	return n;
}

static bool changes(const char *method)
{
	const struct desk_method *m = NULL;
	for (size_t i = 0; (m = desk_method_at(i)); i++) {
		if (strcmp(m->rpc.name, method) == 0)
			return m->rpc.changes;
	}
	return false;
}

json_t *fx_call(struct fx *x, enum fx_uid uid, const char *method, json_t *params)
{
	struct rpc_peer peer = {.uid = (uid_t)uid};
	_cleanup_buf_ struct buf reply = {0};
	if (!params)
		params = json_object();
	if (changes(method) && !json_object_get(params, "call_id"))
		json_object_set_new(params, "call_id", json_sprintf("call-%08u", ++x->n_calls));
	_cleanup_(json_freep) json_t *request =
		json_pack("{s:s,s:i,s:s,s:o}", "jsonrpc", "2.0", "id", 1, "method", method, "params", params);
	char *text = json_dumps(request, 0);
	assert_non_null(text);
	desk_handle(x->desk, &peer, slice_str(text), &reply);
	free(text);
	json_t *answer = json_loadb((const char *)reply.data, reply.len, 0, NULL);
	assert_non_null(answer);
	return answer;
}

json_t *fx_do(struct fx *x, enum fx_uid uid, const char *method, json_t *params)
{
	_cleanup_(json_freep) json_t *reply = fx_call(x, uid, method, params);
	json_t *error = json_object_get(reply, "error"), *result = json_object_get(reply, "result");
	if (!result)
		fail_msg("%s: %s (%s)", method, fx_text(error, "message"),
			 fx_text(json_object_get(error, "data"), "text"));
	return json_incref(result);
}

void fx_refused(struct fx *x, enum fx_uid uid, const char *method, json_t *params, const char *rule)
{
	_cleanup_(json_freep) json_t *reply = fx_call(x, uid, method, params);
	json_t *data = json_object_get(json_object_get(reply, "error"), "data");
	if (!data || strcmp(fx_text(data, "reason"), rule) != 0)
		fail_msg("%s: found %s \"%s\", wanted refusal by %s", method,
			 data ? fx_text(data, "reason") : "a result", fx_text(data, "text"), rule);
	assert_true(fx_text(data, "zh")[0] && fx_text(data, "en")[0]);
	assert_true(json_is_object(json_object_get(data, "contact")));
}

/* --- messages --- */

json_t *fx_message(struct fx *x, const char *to, const char *template)
{
	struct fault f = {0};
	size_t n = 0;
	json_t *newest = NULL;
	must("outbox", outbox_turn(x->desk, &n, &f), &f);
	DIR *dir = opendir(x->desk->spool);
	assert_non_null(dir);
	struct dirent *e;
	while ((e = readdir(dir))) {
		_cleanup_(freep) char *path = path_join(x->desk->spool, e->d_name);
		json_t *m = e->d_name[0] == '.' ? NULL : json_load_file(path, 0, NULL);
		if (m && strcmp(fx_text(m, "to"), to) == 0 && strcmp(fx_text(m, "template"), template) == 0) {
			unlink(path);
			if (!newest || strcmp(fx_text(m, "made"), fx_text(newest, "made")) > 0) {
				json_decref(newest);
				newest = json_incref(m);
			}
		}
		json_decref(m);
	}
	closedir(dir);
	return newest;
}

/* What stands behind a mark in the English text. */
static void behind(struct fx *x, const char *to, const char *template, const char *mark, size_t n, char *ret)
{
	_cleanup_(json_freep) json_t *m = fx_message(x, to, template);
	if (!m)
		fail_msg("no message %s to %s", template, to);
	const char *at = strstr(fx_text(m, "en"), mark);
	assert_non_null(at);
	snprintf(ret, n + 1, "%s", at + strlen(mark));
}

void fx_sms_code(struct fx *x, const char *mobile, char ret[7])
{
	behind(x, mobile, "code", "Code ", 6, ret);
}

void fx_freeze_code(struct fx *x, const char *mobile, char ret[20])
{
	behind(x, mobile, "bound", "by the code ", 19, ret);
}

/* --- the first log-in --- */

char *fx_enter(struct fx *x, enum fx_uid uid, const char *code)
{
	_cleanup_(json_freep) json_t *r =
		fx_do(x, uid, "account.login", json_pack("{s:s,s:s}", "identifier", code, "password", INITIAL));
	assert_true(json_is_true(json_object_get(r, "must_reset")));
	return xstrdup(fx_text(r, "session"));
}

json_t *fx_prove_params(struct fx *x, enum fx_uid uid, const char *session, const struct fx_org *org)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, uid, "account.proof", json_pack("{s:s}", "session", session));
	_cleanup_buf_ struct buf signature = {0}, note = {0};
	const char *text = fx_text(r, "text");
	char name[NOTE_MAX_NAME + 1];
	uint8_t key_id[4];
	struct fault f = {0};
	note_subscriber_name(org->issuer, SERIAL(&org->serial), name);
	must("sign", privkey_sign(org->key, KEY_P256, slice_str(text), &signature, &f), &f);
	note_key_id_spki(name, &org->public_key, key_id);
	note_begin(slice_str(text), &note);
	size_t head = note.len;
	must("line", note_add_line(&note, name, key_id, buf_slice(&signature), &f), &f);
	return json_pack("{s:s,s:s,s:s}", "session", session, "way", "key", "line", buf_text(&note) + head);
}

json_t *fx_reset_params(struct fx *x, enum fx_uid uid, const char *session, const char *mobile)
{
	char code[7];
	json_decref(fx_do(x, uid, "account.sms",
			  json_pack("{s:s,s:s,s:s}", "session", session, "purpose", "bind", "mobile", mobile)));
	fx_sms_code(x, mobile, code);
	return json_pack("{s:s,s:s,s:s,s:s}", "session", session, "mobile", mobile, "sms_code", code, "new_password",
			 PASSWORD);
}

char *fx_log_in_as(struct fx *x, enum fx_uid uid, const char *code, const char *mobile)
{
	_cleanup_(json_freep) json_t *grant = fx_do(
		x, UID_OFFICER, "account.grant", json_pack("{s:s,s:s}", "identifier", code, "reason", "papers seen"));
	char *session = fx_enter(x, uid, code);
	json_decref(fx_do(
		x, uid, "account.prove",
		json_pack("{s:s,s:s,s:s}", "session", session, "way", "officer", "code", fx_text(grant, "code"))));
	json_decref(fx_do(x, uid, "account.reset", fx_reset_params(x, uid, session, mobile)));
	return session;
}

static char *log_in(struct fx *x, enum fx_uid uid, const char *code, const struct fx_org *org, const char *mobile)
{
	char *session = fx_enter(x, uid, code);
	json_decref(fx_do(x, uid, "account.prove", fx_prove_params(x, uid, session, org)));
	json_decref(fx_do(x, uid, "account.reset", fx_reset_params(x, uid, session, mobile)));
	return session;
}

void fx_log_in(struct fx *x)
{
	x->session = log_in(x, UID_SUBSCRIBER, ORG_CODE, &x->org, ORG_MOBILE);
	x->other_session = log_in(x, UID_OTHER, OTHER_CODE, &x->other, OTHER_MOBILE);
}

void fx_follow(struct fx *x)
{
	size_t n = 1;
	while (n > 0) {
		struct fault f = {0};
		must("follow", follow_once(x->desk, 0, &n, &f), &f);
	}
}

void fx_hand_over(struct fx *x)
{
	int64_t ids[64];
	size_t n = 0;
	struct db *db = NULL;
	struct fault f = {0};
	/* An answer is applied at once where no follower is awaited. */
	bell_stop(x->desk->followed);
	must("read", store_read(x->desk->store, &db, &f), &f);
	must("due", store_handover_due(db, clock_now(), ids, 64, &n, &f), &f);
	store_read_end(x->desk->store, db);
	for (size_t i = 0; i < n; i++)
		must("hand over", handover_one(x->desk, ids[i], &f), &f);
}

/* --- scenes --- */

char *fx_paid_order(struct fx *x, const char *session, const char *service)
{
	enum fx_uid uid = session == x->session ? UID_SUBSCRIBER : UID_OTHER;
	_cleanup_(json_freep) json_t *made =
		fx_do(x, uid, "order.create",
		      json_pack("{s:s,s:s,s:s}", "session", session, "service_id", service, "kind", "renew"));
	const char *id = fx_text(made, "order");
	json_decref(fx_do(x, uid, "order.pay", json_pack("{s:s,s:s}", "session", session, "order", id)));
	_cleanup_(freep) char *reference = xasprintf("BANK-%s", id);
	json_decref(fx_do(x, UID_OFFICER, "order.confirm",
			  json_pack("{s:s,s:s}", "order", id, "bank_reference", reference)));
	return xstrdup(id);
}

json_t *fx_extend_params(struct fx *x, const char *order, int months)
{
	json_t *p = json_pack("{s:s,s:s,s:s,s:s,s:s,s:i}", "session", x->session, "kind", "extend", "way", "same-key",
			      "project", "jinhua", "serial", ORG_SERIAL, "months", months);
	if (order)
		json_object_set_new(p, "order", json_string(order));
	return p;
}

static char *prepared(struct fx *x, json_t *params)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "request.prepare", params);
	assert_string_equal(fx_text(r, "state"), "drafted");
	return xstrdup(fx_text(r, "request"));
}

char *fx_extend(struct fx *x, const char *order, int months)
{
	return prepared(x, fx_extend_params(x, order, months));
}

json_t *fx_change_params(struct fx *x)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:[{s:s,s:s},{s:s,s:s}]}", "session", x->session, "kind",
			 "change", "way", "name-or-code", "project", "jinhua", "serial", ORG_SERIAL, "files", "no",
			 "notice_accepted", 1, "subject", "attribute", "O", "value", NEW_NAME, "attribute",
			 "organizationIdentifier", "value", NEW_CODE);
}

char *fx_change(struct fx *x)
{
	static const char *const papers[] = {"agent-id-card", "business-licence", "change-proof", "registration-form",
					     "risk-notice"};
	char *id = prepared(x, fx_change_params(x));
	for (size_t i = 0; i < sizeof(papers) / sizeof(papers[0]); i++)
		fx_material(x, id, papers[i]);
	return id;
}

char *fx_revoke(struct fx *x)
{
	return prepared(x, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "session", x->session, "kind", "revoke", "way",
				     "by-subscriber", "project", "jinhua", "serial", ORG_SERIAL, "reason",
				     "cessationOfOperation"));
}

char *fx_csr(EVP_PKEY *key)
{
	_cleanup_buf_ struct buf csr = {0}, pem = {0};
	struct fault f = {0};
	must("csr", csr_make(key, slice_of("\x30\x00", 2), &csr, &f), &f);
	pem_put(&pem, "CERTIFICATE REQUEST", buf_slice(&csr));
	return xstrdup(buf_text(&pem));
}

static enum err add_service(struct db *db, const char *id, struct fault *f)
{
	struct account a = {0};
	TRY(store_account_by_name(db, ORG_CODE, &a, f));
	struct service s = {.account = a.id, .begins = NOW, .ends = NOW};
	snprintf(s.id, sizeof(s.id), "%s", id);
	snprintf(s.project, sizeof(s.project), "jinhua");
	snprintf(s.service, sizeof(s.service), "organisation-certificate");
	snprintf(s.title, sizeof(s.title), "机构证书");
	return store_service_add(db, &s, f);
}

void fx_service(struct fx *x, const char *id)
{
	struct db *db = NULL;
	struct fault f = {0};
	must("begin", store_begin(x->desk->store, &db, &f), &f);
	enum err e = add_service(db, id, &f);
	must("service", store_end(x->desk->store, db, e, &f), &f);
}

json_t *fx_reissue_params(struct fx *x, const char *way)
{
	_cleanup_(freep) char *csr = fx_csr(x->new_key);
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b}", "session", x->session, "kind", "reissue", "way", way,
			 "project", "jinhua", "serial", ORG_SERIAL, "csr", csr, "files", "no", "key_seen", "paper",
			 "notice_accepted", 1);
}

json_t *fx_enrol_params(struct fx *x, const char *order, const char *code)
{
	_cleanup_(freep) char *csr = fx_csr(x->new_key);
	json_t *p = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:[{s:s,s:s},{s:s,s:s},{s:s,s:s}]}", "session", x->session,
			      "kind", "enrol", "way", "new-certificate", "project", "jinhua", "csr", csr, "key_seen",
			      "call", "months", 12, "subject", "attribute", "C", "value", "CN", "attribute", "O",
			      "value", NEW_NAME, "attribute", "organizationIdentifier", "value", code);
	if (order)
		json_object_set_new(p, "order", json_string(order));
	return p;
}

void fx_material(struct fx *x, const char *request, const char *name)
{
	_cleanup_buf_ struct buf bytes = {0}, text = {0};
	_cleanup_(freep) char *line = xasprintf("%% %s", name);
	kit_pdf(line, &bytes);
	buf_base64(&text, bytes.data, bytes.len);
	json_decref(fx_do(x, UID_SUBSCRIBER, "material.put",
			  json_pack("{s:s,s:s,s:s,s:s}", "session", x->session, "request", request, "name", name,
				    "content", buf_text(&text))));
}

static char *tally_of(struct fx *x, const char *request)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_OFFICER, "review.show", json_pack("{s:s}", "request", request));
	return xstrdup(fx_text(r, "tally"));
}

char *fx_sub_line(struct fx *x, const char *request, EVP_PKEY *key)
{
	_cleanup_(freep) char *text = tally_of(x, request);
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(pubkey_done) struct pubkey public_key = {0};
	_cleanup_buf_ struct buf signature = {0}, note = {0};
	char name[NOTE_MAX_NAME + 1] = NOTE_NEW_KEY;
	uint8_t key_id[4];
	struct fault f = {0};
	must("tally", tally_parse(slice_str(text), &t, &f), &f);
	must("key", privkey_public(key, &public_key, &f), &f);
	if (key != x->new_key)
		note_subscriber_name(t.predecessor.issuer_key_id, SERIAL(&t.predecessor.serial), name);
	must("sign", privkey_sign(key, KEY_P256, slice_str(text), &signature, &f), &f);
	note_key_id_spki(name, &public_key, key_id);
	note_begin(slice_str(text), &note);
	size_t head = note.len;
	must("line", note_add_line(&note, name, key_id, buf_slice(&signature), &f), &f);
	return xstrndup((const char *)note.data + head, note.len - head);
}

char *fx_officer_line(struct fx *x, const char *request, const char *name)
{
	_cleanup_(freep) char *text = tally_of(x, request);
	_cleanup_buf_ struct buf note = {0};
	note_begin(slice_str(text), &note);
	size_t head = note.len;
	sign_as(&note, name);
	return xstrndup((const char *)note.data + head, note.len - head);
}

void fx_prove(struct fx *x, const char *request)
{
	_cleanup_(freep) char *line = fx_sub_line(x, request, x->org.key);
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.prove",
			  json_pack("{s:s,s:s,s:[s]}", "session", x->session, "request", request, "lines", line)));
}

void fx_submit(struct fx *x, const char *request)
{
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.submit",
			  json_pack("{s:s,s:s}", "session", x->session, "request", request)));
}

void fx_approve(struct fx *x, const char *request, const char *officer)
{
	_cleanup_(freep) char *line = fx_officer_line(x, request, officer);
	json_decref(fx_do(x, UID_OFFICER, "review.approve", json_pack("{s:s,s:s}", "request", request, "line", line)));
}

void fx_state(struct fx *x, const char *request, const char *wanted)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "request.show",
						json_pack("{s:s,s:s}", "session", x->session, "request", request));
	assert_string_equal(fx_text(r, "state"), wanted);
}
