/*
 * What foreign verifiers are shown: for each key that is given, a certificate that was issued by the real signer and
 * then revoked, and the good one that took its place.
 *
 *     issue_each TREE KEYS OUT NAME…          the passphrase of the CA key on descriptor 4
 *
 * TREE is what `hufu init` laid out. It starts hufu-ca there and plays everybody else, past the desk: for KEYS/NAME.key
 * and KEYS/NAME.csr (which another program made) it enrols an organisation, and then changes its name by a tally that
 * the same key proves, so that the first certificate is revoked. In OUT it leaves NAME-revoked.pem, NAME-good.pem,
 * NAME.csr (the request as Hufu writes it) and the signer's CRLs: full.crl, and those of the two certificates' shards as
 * NAME-revoked.crl and NAME-good.crl.
 */
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/pki/csr.h"
#include "common/pki/der.h"
#include "common/pki/identifier.h"
#include "common/pki/sign.h"
#include "common/policy/policy.h"
#include "tools/hufu/note_files.h"
#include "tools/hufu/process.h"
#include "tools/hufu/setup.h"

#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define SECRET_FD 4
#define TIMEOUT_MS 30000
#define DAY INT64_C(86400)
#define SHARDS 16 /* of the shipped profile */

struct scene {
	const char *tree, *out;
	struct daemons daemons;
	struct rpc_client *signer;
	struct person_key ra, officers[2];
	struct policy *policy;
	struct buf issuing_der;
	struct cert issuing;
};

static void scene_done(struct scene *s)
{
	rpc_client_closep(&s->signer);
	daemons_stop(&s->daemons);
	person_key_done(&s->ra);
	for (size_t i = 0; i < 2; i++)
		person_key_done(&s->officers[i]);
	policy_freep(&s->policy);
	cert_done(&s->issuing);
	buf_done(&s->issuing_der);
}

/* --- the scene --- */

static enum err load_people(struct scene *s, struct fault *f)
{
	_cleanup_(freep) char *ra = path_join(s->tree, "var/lib/hufu-ra/ra.key");
	TRY(person_key_load(ra, NULL, &s->ra, f));
	for (size_t i = 0; i < 2; i++) {
		_cleanup_(freep) char *path = setup_person_path(s->tree, setup_officers[i]);
		TRY(person_key_load(path, NULL, &s->officers[i], f));
	}
	return OK;
}

static enum err load_policy(struct scene *s, struct fault *f)
{
	_cleanup_(freep) char *dir = path_join(s->tree, "etc/hufu/policies"), *path = path_join(dir, "policy.note");
	_cleanup_buf_ struct buf note = {0};
	struct policy_source *files = NULL;
	size_t n = 0;
	TRY(file_read(path, NOTE_MAX_BYTES, &note, f));
	TRY(policy_read_dir(dir, &files, &n, f));
	enum err e = policy_load(buf_slice(&note), files, n, &s->policy, f);
	policy_sources_done(files, n);
	return e;
}

static enum err begin(struct scene *s, struct fault *f)
{
	_cleanup_(freep) char *crt = path_join(s->tree, "etc/hufu/issuing.crt"),
			      *socket = path_join(s->tree, "run/hufu/ca/ra.sock"),
			      *logs = path_join(s->tree, "var/log");
	_cleanup_secret_ struct secret passphrase = {0};
	TRY(secret_read_fd(SECRET_FD, 1024, &passphrase, f));
	TRY(load_people(s, f));
	TRY(load_policy(s, f));
	TRY(der_load(crt, "CERTIFICATE", &s->issuing_der, f));
	TRY(cert_parse(buf_slice(&s->issuing_der), &s->issuing, f));
	TRY(daemons_start_ca(&s->daemons, s->tree, NULL, &passphrase, logs, f));
	return rpc_client_open(socket, TIMEOUT_MS, WIRE_MAX_MESSAGE, &s->signer, f);
}

static enum err put_file(const struct scene *s, const char *name, const char *suffix, struct slice bytes,
			 struct fault *f)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s%s", s->out, name, suffix);
	return file_write_new(path, bytes, 0644, f);
}

static enum err put_pem(const struct scene *s, const char *name, const char *suffix, struct slice der, struct fault *f)
{
	_cleanup_buf_ struct buf pem = {0};
	pem_put(&pem, "CERTIFICATE", der);
	return put_file(s, name, suffix, buf_slice(&pem), f);
}

/* --- one organisation --- */

struct subject {
	const char *name; /* of its files */
	char code[19];	  /* 18 characters that pass their checks */
	EVP_PKEY *key;
	struct pubkey public;
	struct buf csr; /* the foreign one */
	struct buf first_der;
	struct cert first;
};
static void subject_done(struct subject *o)
{
	EVP_PKEY_free(o->key);
	pubkey_done(&o->public);
	buf_done(&o->csr);
	cert_done(&o->first);
	buf_done(&o->first_der);
}

/* The one code of that number: both of its check characters are found by trying. */
static void make_code(size_t number, char ret[19])
{
	static const char of_31[] = "0123456789ABCDEFGHJKLMNPQRTUWXY", of_11[] = "0123456789X";
	for (const char *inner = of_11; *inner; inner++)
		for (const char *whole = of_31; *whole; whole++) {
			snprintf(ret, 19, "91330100MAHUF%03u%c%c", (unsigned)number % 1000, *inner, *whole);
			if (uscc_check("code", ret, 18, NULL) == OK)
				return;
		}
}

static enum err subject_load(const char *keys, const char *name, size_t number, struct subject *o, struct fault *f)
{
	_cleanup_(freep) char *key = xasprintf("%s/%s.key", keys, name), *csr = xasprintf("%s/%s.csr", keys, name);
	_cleanup_buf_ struct buf pem = {0};
	o->name = name;
	make_code(number, o->code);
	TRY(file_read(key, 65536, &pem, f));
	TRY(privkey_from_pem(buf_slice(&pem), NULL, &o->key, f));
	TRY(privkey_public(o->key, &o->public, f));
	return der_load(csr, "CERTIFICATE REQUEST", &o->csr, f);
}

static enum err subject_name(const struct subject *o, const char *organisation, struct name *ret, struct fault *f)
{
	_cleanup_(freep) char *text = xasprintf("%s %s", organisation, o->name);
	const char *const values[][2] = {{"C", "CN"}, {"O", text}, {"CN", text}, {"organizationIdentifier", o->code}};
	for (size_t i = 0; i < 4; i++)
		TRY(name_add(ret, attr_by_word(values[i][0], strlen(values[i][0])), values[i][1], strlen(values[i][1]),
			     f));
	return OK;
}

/* --- tallies --- */

static void head(const struct scene *s, enum tally_kind kind, const char *way, struct tally *t)
{
	*t = (struct tally){.kind = kind, .reason = -1, .made = clock_now(), .dies = clock_now() + 3600};
	random_fill(t->id, sizeof(t->id));
	memcpy(t->ca, s->issuing.key.key_id, 20);
	snprintf(t->project, sizeof(t->project), "jinhua");
	snprintf(t->profile, sizeof(t->profile), "organisation");
	snprintf(t->way, sizeof(t->way), "%s", way);
	memcpy(t->policy, s->policy->note.sha256, 32);
	t->has_key = t->has_validity = true;
	t->latest = clock_now() + 3600 * DAY;
}

static void papers(const struct scene *s, struct tally *t)
{
	const struct policy_way *w = profile_way(policy_profile(s->policy, t->profile), t->kind, t->way);
	t->materials = xcalloc(w->materials.all_of.n, sizeof(*t->materials));
	/* Sorted by name, as the text must be. */
	for (size_t i = 0; i < w->materials.all_of.n; i++) {
		const char *least = NULL, *last = i > 0 ? t->materials[i - 1].name : "";
		for (size_t k = 0; k < w->materials.all_of.n; k++) {
			const char *m = w->materials.all_of.v[k];
			if (strcmp(m, last) > 0 && (!least || strcmp(m, least) < 0))
				least = m;
		}
		struct tally_material *m = &t->materials[t->n_materials++];
		snprintf(m->name, sizeof(m->name), "%s", least);
		memset(m->sha256, (int)i + 1, 32);
	}
	if (!w->notice)
		return;
	snprintf(t->notice, sizeof(t->notice), "%s", w->notice);
	memcpy(t->notice_sha256, policy_notice(s->policy, w->notice)->sha256, 32);
	t->files = FILES_NO;
}

static enum err key_line(const struct subject *o, const char *name, struct buf *note, struct fault *f)
{
	_cleanup_(note_done) struct note n = {0};
	_cleanup_buf_ struct buf sig = {0};
	uint8_t id[4];
	TRY(note_parse(buf_slice(note), 0, &n, f));
	TRY(privkey_sign(o->key, o->public.alg, n.text, &sig, f));
	note_key_id_spki(name, &o->public, id);
	return note_add_line(note, name, id, buf_slice(&sig), f);
}

/* Signed by the subject's line of that name, two officers and the RA, and sent. Appends the certificate. */
static enum err ask(const struct scene *s, const struct subject *o, const char *line, const struct tally *t,
		    struct slice csr, struct buf *ret, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0}, note = {0}, request = {0}, reply = {0};
	struct wire_done done = {0};
	tally_put(t, &text);
	note_begin(buf_slice(&text), &note);
	TRY(key_line(o, line, &note, f));
	for (size_t i = 0; i < 2; i++)
		TRY(note_sign_ed25519(&note, s->officers[i].name, s->officers[i].secret.p, f));
	TRY(note_sign_ed25519(&note, s->ra.name, s->ra.secret.p, f));
	wire_tally_put(&(struct wire_tally){.note = buf_slice(&note), .csr = csr}, &request);
	TRY(rpc_call(s->signer, buf_slice(&request), &reply, f));
	TRY(wire_expect(buf_slice(&reply), WIRE_TYPE_DONE, NULL, f));
	TRY(wire_done_get(buf_slice(&reply), &done, f));
	buf_add_slice(ret, done.cert);
	return OK;
}

static enum err enrol(const struct scene *s, struct subject *o, struct fault *f)
{
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(name_done) struct name none = {0}, subject = {0};
	head(s, TALLY_ENROL, "new-certificate", &t);
	papers(s, &t);
	TRY(subject_name(o, "杭州钥匙示例", &subject, f));
	TRY(tally_set_subject(&t, &none, &subject, f));
	t.key_is_new = true;
	memcpy(t.key_sha256, o->public.spki_sha256, 32);
	t.add_months = 12;
	snprintf(t.order, sizeof(t.order), "order-%s", o->name);
	t.key_seen = KEY_SEEN_PERSON;
	TRY(ask(s, o, NOTE_NEW_KEY, &t, buf_slice(&o->csr), &o->first_der, f));
	TRY(cert_parse(buf_slice(&o->first_der), &o->first, f));
	return put_pem(s, o->name, "-revoked.pem", buf_slice(&o->first_der), f);
}

static enum err change(const struct scene *s, const struct subject *o, struct buf *ret, struct fault *f)
{
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(name_done) struct name before = {0}, after = {0};
	char line[NOTE_MAX_NAME + 1];
	head(s, TALLY_CHANGE, "name-or-code", &t);
	papers(s, &t);
	TRY(subject_name(o, "杭州钥匙示例", &before, f));
	TRY(subject_name(o, "杭州钥匙新名", &after, f));
	TRY(tally_set_subject(&t, &before, &after, f));
	t.has_predecessor = true;
	memcpy(t.predecessor.issuer_key_id, s->issuing.key.key_id, 20);
	t.predecessor.serial = o->first.serial;
	memcpy(t.key_sha256, o->public.spki_sha256, 32);
	TRY(ask(s, o, note_subscriber_name(s->issuing.key.key_id, SERIAL(&o->first.serial), line), &t,
		(struct slice){0}, ret, f));
	return put_pem(s, o->name, "-good.pem", buf_slice(ret), f);
}

static enum err own_csr(const struct scene *s, const struct subject *o, struct fault *f)
{
	_cleanup_buf_ struct buf der = {0};
	TRY(csr_make(o->key, o->first.subject, &der, f));
	return put_file(s, o->name, ".csr", buf_slice(&der), f);
}

static enum err get_crl(const struct scene *s, uint32_t shard, const char *name, const char *suffix, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct wire_crl m = {.shard = shard};
	struct wire_crl_is is = {0};
	memcpy(m.issuer, s->issuing.key.key_id, 20);
	wire_crl_put(&m, &request);
	TRY(rpc_call(s->signer, buf_slice(&request), &reply, f));
	TRY(wire_expect(buf_slice(&reply), WIRE_TYPE_CRL_IS, NULL, f));
	TRY(wire_crl_is_get(buf_slice(&reply), &is, f));
	return put_file(s, name, suffix, is.der, f);
}

static unsigned shard_of(const struct serial *s)
{
	return (unsigned)(s->b[s->n - 2] << 8 | s->b[s->n - 1]) % SHARDS;
}

static enum err one_subject(const struct scene *s, const char *keys, const char *name, size_t number, struct fault *f)
{
	_cleanup_(subject_done) struct subject o = {0};
	_cleanup_(cert_done) struct cert good = {0};
	_cleanup_buf_ struct buf der = {0};
	TRY(subject_load(keys, name, number, &o, f));
	TRY(enrol(s, &o, f));
	TRY(change(s, &o, &der, f));
	TRY(own_csr(s, &o, f));
	TRY(cert_parse(buf_slice(&der), &good, f));
	TRY(get_crl(s, shard_of(&o.first.serial), name, "-revoked.crl", f));
	return get_crl(s, shard_of(&good.serial), name, "-good.crl", f);
}

static enum err run(struct scene *s, const char *keys, char **names, size_t n, struct fault *f)
{
	TRY(begin(s, f));
	for (size_t i = 0; i < n; i++) {
		enum err e = one_subject(s, keys, names[i], i + 1, f);
		if (e != OK) {
			fault_prefix(f, "%s", names[i]);
			return e;
		}
	}
	return get_crl(s, WIRE_FULL_CRL, "full", ".crl", f);
}

int main(int argc, char **argv)
{
	struct fault f = {0};
	if (argc < 5) {
		fprintf(stderr, "usage: %s TREE KEYS OUT NAME…\n", argv[0]);
		return EXIT_CONFIG;
	}
	_cleanup_(scene_done) struct scene s = {.tree = argv[1], .out = argv[3]};
	secret_init();
	if (run(&s, argv[2], argv + 4, (size_t)argc - 4, &f) == OK)
		return EXIT_DONE;
	fprintf(stderr, "issue_each: %s [%s]\n", f.text, f.rule);
	return EXIT_ERROR;
}
