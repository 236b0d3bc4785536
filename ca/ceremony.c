/*
 * A ceremony from its file to its transcript: read, judge, who is here, the kind's steps one after the other, signatures,
 * and all outputs at once. One road for all three ways to walk it: a check goes it with throw-away keys and in silence, a
 * rehearsal with throw-away keys and every prompt, a run with the real ones. Steps are in ceremony_key.c, ceremony_crl.c
 * and ceremony_head.c; what survives a power cut in ceremony_stage.c.
 */
#include "ca/ceremony_private.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define MAX_PROGRAM_BYTES (256u * 1024u * 1024u)

#define OPEN_ISSUER                                                                                                    \
	{                                                                                                              \
		"open the issuer's key", ceremony_open_issuer, NULL                                                    \
	}
#define MAKE_CA                                                                                                        \
	{"make the new key", ceremony_make_key, NULL},                                                                 \
		{"build the certificate and lint it under a throw-away key", ceremony_build, NULL},                    \
		{"sign the certificate and lint it again", ceremony_sign_certificate, NULL},                           \
		{"sign the CRL", ceremony_make_crl, ceremony_has_crl},                                                 \
	{                                                                                                              \
		"seal the new key and open it again", ceremony_seal_key, NULL                                          \
	}
#define SIGN_HEAD                                                                                                      \
	{"show what changes", ceremony_show_head, NULL},                                                               \
	{                                                                                                              \
		"have the officers sign", ceremony_sign_head, NULL                                                     \
	}

static const struct ceremony_step root_steps[] = {MAKE_CA, {0}};
static const struct ceremony_step ca_steps[] = {OPEN_ISSUER, MAKE_CA, {0}};
static const struct ceremony_step responder_steps[] = {{"make the responder's key", ceremony_make_responder, NULL},
						       {0}};
static const struct ceremony_step log_steps[] = {{"make the log key", ceremony_make_log_key, NULL}, {0}};
static const struct ceremony_step crl_steps[] = {OPEN_ISSUER, {"sign the CRL", ceremony_make_crl, NULL}, {0}};
static const struct ceremony_step head_steps[] = {SIGN_HEAD, {0}};

const struct ceremony_step *ceremony_steps(int kind)
{
	static const struct ceremony_step *const steps[CEREMONY_KIND_N] = {
		[CEREMONY_ROOT] = root_steps,
		[CEREMONY_INTERMEDIATE] = ca_steps,
		[CEREMONY_RESPONDER] = responder_steps,
		[CEREMONY_LOG_KEY] = log_steps,
		[CEREMONY_CRL] = crl_steps,
		[CEREMONY_ROSTER] = head_steps,
		[CEREMONY_POLICY] = head_steps,
		[CEREMONY_SHARES] = head_steps,
		[CEREMONY_ROLLOVER] = ca_steps,
		[CEREMONY_REVOKE_CA] = crl_steps,
	};
	return steps[kind];
}

static void people_done(struct person_key *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		person_key_done(&v[i]);
	free(v);
}

static void ceremony_done(struct ceremony *c)
{
	ceremony_stage_drop(c);
	ceremony_stage_unlock(c);
	if (c->token_key)
		hsm_key_free(c->token_key);
	for (size_t i = 0; i < c->n_products; i++) {
		if (c->products[i].bytes.data)
			sodium_memzero(c->products[i].bytes.data, c->products[i].bytes.cap);
		buf_done(&c->products[i].bytes);
	}
	ca_key_freep(&c->key);
	ca_key_freep(&c->issuer_key);
	evp_pkey_freep(&c->plain_key);
	person_key_done(&c->log_key);
	secret_done(&c->passphrase);
	secret_done(&c->issuer_passphrase);
	person_key_done(&c->operator);
	people_done(c->witnesses, c->n_witnesses);
	people_done(c->officers, c->n_officers);
	cert_done(&c->cert);
	buf_done(&c->cert_der);
	buf_done(&c->tbs);
	buf_done(&c->text);
	free(c->entries);
	roster_done(&c->next_roster);
	ceremony_inputs_done(c);
	ceremony_file_done(&c->file);
	transcript_done(c->t);
	free(c->t);
	free(c->out);
}

/* --- what the other files use --- */

char *ceremony_out(const struct ceremony *c, const char *path)
{
	if (c->mode == CEREMONY_RUN)
		return path_join(c->out, path);
	return xasprintf("%s/%s", c->out, path[0] == '/' ? path + 1 : path);
}

char *ceremony_in(const struct ceremony *c, const char *path, bool *ret_rehearsed)
{
	char *real = path_join(c->o->dir, path);
	char *rehearsed = c->mode == CEREMONY_REHEARSE && !file_exists(real) ? ceremony_out(c, path) : NULL;
	*ret_rehearsed = rehearsed && file_exists(rehearsed);
	free(*ret_rehearsed ? real : rehearsed);
	return *ret_rehearsed ? rehearsed : real;
}

struct buf *ceremony_product(struct ceremony *c, const char *what, const char *path, unsigned mode)
{
	struct ceremony_product *p = &c->products[c->n_products++];
	assert(c->n_products <= CEREMONY_OUTPUTS);
	*p = (struct ceremony_product){.what = what, .path = path, .mode = mode};
	return &p->bytes;
}

void ceremony_say(const struct ceremony *c, const char *fmt, ...)
{
	va_list ap;
	if (!c->o->screen)
		return;
	va_start(ap, fmt);
	(void)vfprintf(c->o->screen, fmt, ap);
	va_end(ap);
	(void)fflush(c->o->screen);
}

static void add_line(struct ceremony *c, enum transcript_what what, const char *text)
{
	transcript_add(c->t, what, clock_now(), NULL, text);
	if (c->mode != CEREMONY_CHECK)
		ceremony_say(c, "      %s\n", c->t->lines[c->t->n_lines - 1].text);
}

void ceremony_did(struct ceremony *c, const char *fmt, ...)
{
	_cleanup_buf_ struct buf text = {0};
	va_list ap;
	va_start(ap, fmt);
	buf_vfmt(&text, fmt, ap);
	va_end(ap);
	add_line(c, TRANSCRIPT_STEP, buf_text(&text));
}

void ceremony_saw(struct ceremony *c, const char *token)
{
	add_line(c, TRANSCRIPT_TOKEN, token);
}

/* --- the transcript's head --- */

static enum err transcript_begin(struct ceremony *c, struct fault *f)
{
	_cleanup_buf_ struct buf program = {0};
	struct transcript *t = c->t;
	TRY(file_read("/proc/self/exe", MAX_PROGRAM_BYTES, &program, f));
	sha256(program.data, program.len, t->program);
	snprintf(t->ceremony, sizeof(t->ceremony), "%s", c->file.name);
	snprintf(t->kind, sizeof(t->kind), "%s", ceremony_kind_word(c->file.kind));
	t->rehearsal = c->mode != CEREMONY_RUN;
	t->version = xstrdup("hufu-ca " HUFU_VERSION);
	t->library = xstrdup(OpenSSL_version(OPENSSL_VERSION));
	memcpy(t->file, c->file.sha256, 32);
	return OK;
}

/* --- steps --- */

static void checklist(const struct ceremony *c, const struct ceremony_step *steps)
{
	_cleanup_buf_ struct buf hash = {0};
	size_t n = 1;
	if (c->mode == CEREMONY_CHECK)
		return;
	hash_aloud(c->file.sha256, "         ", &hash);
	ceremony_say(c, "%s %s, of kind %s\nSHA-256  %s\n\n",
		     c->mode == CEREMONY_RUN ? "Ceremony" : "REHEARSAL of ceremony", c->file.name,
		     ceremony_kind_word(c->file.kind), buf_text(&hash));
	for (; steps->title; steps++)
		if (!steps->wanted || steps->wanted(c))
			ceremony_say(c, "  [ ] %zu  %s\n", n++, steps->title);
	ceremony_say(c, "  [ ] %zu  sign the transcript and write the outputs\n\n", n);
}

static enum err run_steps(struct ceremony *c, const struct ceremony_step *steps, struct fault *f)
{
	size_t n = 1;
	for (; steps->title; steps++) {
		if (steps->wanted && !steps->wanted(c))
			continue;
		TRY(ceremony_ask(c, f, "Step %zu: %s", n++, steps->title));
		TRY(steps->run(c, f));
	}
	return ceremony_ask(c, f, "Step %zu: sign the transcript and write the outputs", n);
}

static size_t place_of(const struct ceremony *c, const struct ceremony_product *p)
{
	size_t i = 0;
	while (*ceremony_output(&c->file, i, NULL) != p->path)
		i++;
	return i;
}

/* In the order in which they are put in their places: a certificate is there only when its key is. */
static void add_outputs(struct ceremony *c)
{
	for (size_t i = 1; i < c->n_products; i++)
		for (size_t k = i; k > 0 && place_of(c, &c->products[k]) < place_of(c, &c->products[k - 1]); k--) {
			struct ceremony_product p = c->products[k];
			c->products[k] = c->products[k - 1];
			c->products[k - 1] = p;
		}
	for (size_t i = 0; i < c->n_products; i++) {
		const struct ceremony_product *p = &c->products[i];
		transcript_add_file(c->t->outputs, &c->t->n_outputs, p->what, p->path, buf_slice(&p->bytes));
	}
}

static void say_end(const struct ceremony *c)
{
	ceremony_say(c, "\n");
	for (size_t i = 0; i < c->t->n_outputs; i++) {
		const struct transcript_file *x = &c->t->outputs[i];
		_cleanup_buf_ struct buf hash = {0};
		hash_aloud(x->sha256, "    ", &hash);
		ceremony_say(c, "  [x] %s %s\n    %s\n", x->what, x->path, buf_text(&hash));
	}
	ceremony_say(c, "  [x] transcript %s\n", c->file.outputs.transcript);
	if (c->n_witnesses < c->t->n_witnesses)
		ceremony_say(c, "\nWitnesses who have not signed yet: hufu note sign --key FILE %s\n",
			     c->file.outputs.transcript);
	if (c->mode == CEREMONY_REHEARSE)
		ceremony_say(c, "\nThis was a rehearsal: its keys are thrown away, and nothing of it counts.\n");
}

static enum err walk(struct ceremony *c, struct fault *f)
{
	const struct ceremony_step *steps = ceremony_steps(c->file.kind);
	TRY(transcript_begin(c, f));
	TRY(ceremony_inputs(c, f));
	TRY(ceremony_rules(c, f));
	checklist(c, steps);
	TRY(ceremony_people(c, f));
	TRY(ceremony_stage_begin(c, f));
	enum err e = run_steps(c, steps, f);
	TRY(e == OK ? OK : ceremony_place(c, e, f));
	add_outputs(c);
	TRY(ceremony_sign_transcript(c, f));
	return ceremony_stage_commit(c, f);
}

static enum err begin(struct ceremony *c, const struct ceremony_options *o, enum ceremony_mode mode, bool *ret_finished,
		      struct fault *f)
{
	c->o = o;
	c->mode = mode;
	c->t = xcalloc(1, sizeof(*c->t));
	c->t->begun = clock_now(); /* before the first question: what was cut off may be one */
	c->out = xstrdup(mode == CEREMONY_RUN ? o->dir : "");
	TRY(ceremony_file_load(o->file, &c->file, f));
	return ceremony_stage_resume(c, ret_finished, f);
}

enum err ceremony_check(const struct ceremony_options *o, struct fault *f)
{
	_cleanup_(ceremony_done) struct ceremony c = {0};
	_cleanup_buf_ struct buf hash = {0};
	bool finished = false;
	TRY(begin(&c, o, CEREMONY_CHECK, &finished, f));
	TRY(walk(&c, f));
	hash_aloud(c.file.sha256, "         ", &hash);
	ceremony_say(&c, "SHA-256  %s\n", buf_text(&hash)); /* as everybody will compare it on the day */
	ceremony_report(&c, false);
	return OK;
}

static enum err rehearsal_folder(const char *into, char **ret, struct fault *f)
{
	char fresh[] = "/tmp/hufu-rehearsal-XXXXXX";
	if (into) {
		*ret = xstrdup(into);
		return dir_make(into, 0700, f);
	}
	if (!mkdtemp(fresh))
		return fault_raise(f, ERR_IO, "ceremony_folder", "rehearsal", "%s: %s", fresh, strerror(errno));
	*ret = xstrdup(fresh);
	return OK;
}

enum err ceremony_rehearse(const struct ceremony_options *o, char **ret_into, struct fault *f)
{
	_cleanup_(ceremony_done) struct ceremony c = {0};
	bool finished = false;
	TRY(begin(&c, o, CEREMONY_REHEARSE, &finished, f));
	free(TAKE(c.out));
	TRY(rehearsal_folder(o->into, &c.out, f));
	enum err e = walk(&c, f);
	if (e != OK) {
		rmdir(c.out); /* when nothing is in it */
		return e;
	}
	say_end(&c);
	ceremony_report(&c, false);
	*ret_into = xstrdup(c.out);
	return OK;
}

enum err ceremony_run(const struct ceremony_options *o, struct fault *f)
{
	_cleanup_(ceremony_done) struct ceremony c = {0};
	bool finished = false;
	TRY(begin(&c, o, CEREMONY_RUN, &finished, f));
	if (finished) {
		ceremony_report(&c, true);
		return OK;
	}
	TRY(walk(&c, f));
	say_end(&c);
	ceremony_report(&c, false);
	log_audit("ceremony", "name=%s kind=%s operator=%s", c.file.name, ceremony_kind_word(c.file.kind),
		  c.operator.name);
	return OK;
}

enum err ceremony_order(const struct ceremony_options *o, struct buf *ret, struct fault *f)
{
	_cleanup_(ceremony_done) struct ceremony c = {.o = o, .mode = CEREMONY_CHECK};
	struct ceremony_order order = {.made = clock_now()};
	c.t = xcalloc(1, sizeof(*c.t));
	TRY(ceremony_file_load(o->file, &c.file, f));
	if (!c.file.has_approval)
		return fault_raise(f, ERR_CONFIG, "ceremony_approval", "ceremony",
				   "the file has no approval, wanted approval: {note: FILE.note, roster: roster.note}");
	c.file.approval.note = NULL;
	TRY(ceremony_inputs(&c, f));
	memcpy(order.ca, c.approval_by.ca, sizeof(order.ca));
	snprintf(order.ceremony, sizeof(order.ceremony), "%s", c.file.name);
	snprintf(order.kind, sizeof(order.kind), "%s", ceremony_kind_word(c.file.kind));
	memcpy(order.file, c.file.sha256, 32);
	ceremony_order_put(&order, ret);
	return OK;
}
