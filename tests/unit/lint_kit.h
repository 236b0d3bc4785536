/*
 * A certificate in parts: taken apart from a good one, changed, put together again, and shown to lint.
 */
#ifndef HUFU_TEST_LINT_KIT_H
#define HUFU_TEST_LINT_KIT_H

#include "tests/unit/ca_kit.h"

#include "ca/build_ext.h"
#include "ca/lint_private.h"
#include "ca/responder.h"

#define EXTS 16

/* A certificate in parts, and what lint is told about it. */
struct lab {
	bool no_version, unique_id, bad_signature, trailing_byte;
	uint64_t version;
	struct buf serial, inner, outer, issuer, validity, subject, spki;
	struct {
		char oid[64];
		bool critical, says_false;
		struct buf value;
	} exts[EXTS];
	size_t n_exts;
	struct kit_profile profile;
	bool without_profile, responder;
	struct name meant;
	const struct pubkey *key;
	struct pubkey own_key; /* for keys that are made here */
	struct kit_ca *ca;
	struct cert issuer_cert; /* shallow copy of the CA's, to be changed */
	const struct ca_key *signer;
	int64_t now, not_before, not_after;
};

static struct kit_ca issuer_of_all, root_of_all;

static void set(struct buf *b, struct slice s)
{
	buf_clear(b);
	buf_add_slice(b, s);
}

static void lab_done(struct lab *l)
{
	struct buf *bufs[] = {&l->serial, &l->inner, &l->outer, &l->issuer, &l->validity, &l->subject, &l->spki};
	for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
		buf_done(bufs[i]);
	for (size_t i = 0; i < EXTS; i++)
		buf_done(&l->exts[i].value);
	name_done(&l->meant);
	pubkey_done(&l->own_key);
}

static void lab_take_apart(struct lab *l, const struct cert *c)
{
	struct lint_view v;
	struct der list;
	assert_true(lint_look(&(struct lint_input){.cert = c}, &v));
	l->version = v.version;
	set(&l->serial, v.serial);
	set(&l->inner, v.inner_sigalg);
	set(&l->outer, v.outer_sigalg);
	set(&l->issuer, v.issuer);
	set(&l->validity, v.validity);
	set(&l->subject, v.subject);
	set(&l->spki, v.spki);
	for (list = der_of(v.extensions); !der_at_end(&list); l->n_exts++) {
		struct slice value;
		assert_true(lint_next_ext(&list, l->exts[l->n_exts].oid, &l->exts[l->n_exts].critical, &value));
		set(&l->exts[l->n_exts].value, value);
	}
	l->not_before = c->not_before;
	l->not_after = c->not_after;
}

/* A key of the subject's kit, under the issuer of all. */
static void lab_begin(struct lab *l, enum key_alg alg, struct serial *serial)
{
	uint64_t last = 0;
	*l = (struct lab){.ca = &issuer_of_all,
			  .issuer_cert = issuer_of_all.cert,
			  .signer = issuer_of_all.key,
			  .now = NOW,
			  .key = ca_key_public(kit_key(KIT_SUBJECT, alg))};
	serial_make(&last, serial);
}

static void lab_sign(struct lab *l, const struct buf *tbs)
{
	struct fault f = {0};
	_cleanup_buf_ struct buf der = {0};
	_cleanup_(cert_done) struct cert cert = {0};
	kit_sign(buf_slice(tbs), l->signer, &der);
	check_ok("parse", cert_parse(buf_slice(&der), &cert, &f), &f);
	lab_take_apart(l, &cert);
}

static void lab_leaf(struct lab *l, enum key_alg alg)
{
	struct template *t = NULL;
	struct fault f = {0};
	struct serial serial;
	_cleanup_buf_ struct buf tbs = {0};
	lab_begin(l, alg, &serial);
	l->meant = kit_subject();
	kit_profile(&l->profile);
	check_ok("template", template_new(&l->profile.profile, &l->ca->cert, &t, &f), &f);
	struct build b = {.serial = &serial,
			  .subject = &l->meant,
			  .key = l->key,
			  .not_before = NOW,
			  .not_after = NOW + 3 * 365 * DAY};
	check_ok("tbs", build_tbs(t, &b, &tbs, &f), &f);
	template_free(t);
	lab_sign(l, &tbs);
}

/* The intermediate below the root, without a profile. */
static void lab_ca(struct lab *l)
{
	*l = (struct lab){.ca = &root_of_all,
			  .issuer_cert = root_of_all.cert,
			  .signer = root_of_all.key,
			  .now = NOW,
			  .without_profile = true,
			  .meant = kit_name("Issuing CA"),
			  .key = &issuer_of_all.cert.key};
	lab_take_apart(l, &issuer_of_all.cert);
}

/* What a tally of kind responder leads to. */
static void lab_responder(struct lab *l, enum key_alg alg)
{
	const struct member m = {.role = ROLE_RESPONDER, .name = "ocsp-one"};
	struct fault f = {0};
	struct serial serial;
	_cleanup_buf_ struct buf tbs = {0};
	lab_begin(l, alg, &serial);
	l->responder = true;
	check_ok("subject", responder_subject(&l->ca->cert, &m, &l->meant, &f), &f);
	struct build b = {
		.serial = &serial, .subject = &l->meant, .key = l->key, .not_before = NOW, .not_after = NOW + 7 * DAY};
	check_ok("tbs", responder_tbs(&l->ca->cert, &b, &tbs, &f), &f);
	lab_sign(l, &tbs);
}

static void put_tbs(struct lab *l, struct buf *b)
{
	size_t tbs = der_begin(b, DER_SEQUENCE), at;
	if (!l->no_version) {
		at = der_begin(b, DER_CONTEXT_CONS(0));
		der_put_uint(b, l->version);
		der_end(b, at);
	}
	der_put(b, DER_INTEGER, buf_slice(&l->serial));
	const struct buf *rest[] = {&l->inner, &l->issuer, &l->validity, &l->subject, &l->spki};
	for (size_t i = 0; i < 5; i++)
		buf_add_slice(b, buf_slice(rest[i]));
	if (l->unique_id)
		der_put(b, DER_CONTEXT(2), slice_of("\0\1", 2));
	at = der_begin(b, DER_CONTEXT_CONS(3));
	size_t list = der_begin(b, DER_SEQUENCE);
	for (size_t i = 0; i < l->n_exts; i++) {
		size_t ext = der_begin(b, DER_SEQUENCE);
		oid_put(b, l->exts[i].oid);
		if (l->exts[i].critical || l->exts[i].says_false)
			der_put_bool(b, l->exts[i].critical);
		der_put(b, DER_OCTET_STRING, buf_slice(&l->exts[i].value));
		der_end(b, ext);
	}
	der_end(b, list);
	der_end(b, at);
	der_end(b, tbs);
}

static void put_certificate(struct lab *l, struct buf *ret)
{
	_cleanup_buf_ struct buf tbs = {0}, signature = {0};
	struct fault f = {0};
	put_tbs(l, &tbs);
	check_ok("sign", ca_key_sign(l->signer, buf_slice(&tbs), &signature, &f), &f);
	if (l->bad_signature)
		signature.data[signature.len - 1] ^= 1;
	size_t at = der_begin(ret, DER_SEQUENCE);
	buf_add_slice(ret, buf_slice(&tbs));
	buf_add_slice(ret, buf_slice(&l->outer));
	der_put_bits(ret, buf_slice(&signature), 0);
	der_end(ret, at);
	if (l->trailing_byte)
		buf_char(ret, '\0');
}

/* For bytes that cert_parse() refuses: what it would have said. */
static void read_loosely(struct lab *l, struct slice der, struct cert *ret)
{
	*ret = (struct cert){.der = der, .not_before = l->not_before, .not_after = l->not_after, .path_len = -1};
	struct fault f = {0};
	check_ok("key", pubkey_parse(buf_slice(&l->spki), &ret->key, &f), &f);
	ret->subject = buf_slice(&l->subject);
	for (size_t i = 0; i < l->n_exts; i++) {
		struct cert_ext *e = &ret->exts[ret->n_exts++];
		snprintf(e->oid, sizeof(e->oid), "%s", l->exts[i].oid);
		e->critical = l->exts[i].critical;
		e->value = buf_slice(&l->exts[i].value);
	}
}

static struct lint_input input_of(struct lab *l, const struct cert *c)
{
	return (struct lint_input){.cert = c,
				   .issuer = &l->issuer_cert,
				   .profile = l->responder	   ? responder_profile()
					      : l->without_profile ? NULL
								   : &l->profile.profile,
				   .subject = &l->meant,
				   .key = l->key,
				   .signer = ca_key_public(l->signer),
				   .now = l->now};
}

static const struct lint_rule *rule_named(const char *name)
{
	for (size_t i = 0; i < lint_n_rules; i++) {
		if (strcmp(lint_rules[i].name, name) == 0)
			return &lint_rules[i];
	}
	fail_msg("no rule %s", name);
	return NULL;
}

/* The named rule refuses and says why; lint_run() refuses by the first rule that does. */
static void check_found(struct lab *l, const char *name, const char *what)
{
	_cleanup_buf_ struct buf der = {0};
	_cleanup_(cert_done) struct cert c = {0};
	struct fault f = {0}, ignored = {0};
	char why[400] = "", first[48] = "";
	put_certificate(l, &der);
	if (cert_parse(buf_slice(&der), &c, &ignored) != OK)
		read_loosely(l, buf_slice(&der), &c);
	struct lint_input in = input_of(l, &c);
	if (rule_named(name)->holds(&in, why, sizeof(why)))
		fail_msg("rule %s holds over a certificate that breaks it: %s", name, what);
	assert_int_not_equal(why[0], '\0');
	for (size_t i = 0; i < lint_n_rules && !first[0]; i++) {
		if (!lint_rules[i].holds(&in, why, sizeof(why)))
			snprintf(first, sizeof(first), "lint_%s", lint_rules[i].name);
	}
	check_refused(name, lint_run(&in, &f), &f, ERR_RULE, first);
	assert_non_null(strstr(f.text, rule_named(first + 5)->source));
}

static void check_all_hold(struct lab *l)
{
	_cleanup_buf_ struct buf der = {0};
	_cleanup_(cert_done) struct cert c = {0};
	struct fault f = {0};
	put_certificate(l, &der);
	check_ok("parse", cert_parse(buf_slice(&der), &c, &f), &f);
	struct lint_input in = input_of(l, &c);
	for (size_t i = 0; i < lint_n_rules; i++) {
		char why[400] = "";
		if (!lint_rules[i].holds(&in, why, sizeof(why)))
			fail_msg("%s: %s", lint_rules[i].name, why);
	}
	check_ok("lint_run", lint_run(&in, &f), &f);
}

/* Tools of the breakers. */
static size_t ext_at(struct lab *l, const char *oid)
{
	for (size_t i = 0; i < l->n_exts; i++) {
		if (strcmp(l->exts[i].oid, oid) == 0)
			return i;
	}
	fail_msg("no extension %s", oid);
	return 0;
}
static void ext_set(struct lab *l, const char *oid, const void *p, size_t n)
{
	set(&l->exts[ext_at(l, oid)].value, slice_of(p, n));
}
#define EXT_SET(l, oid, bytes) ext_set(l, oid, bytes, sizeof(bytes) - 1)
static void ext_drop(struct lab *l, const char *oid)
{
	size_t i = ext_at(l, oid);
	buf_done(&l->exts[i].value);
	l->n_exts--;
	memmove(&l->exts[i], &l->exts[i + 1], (l->n_exts - i) * sizeof(l->exts[0]));
	memset(&l->exts[l->n_exts], 0, sizeof(l->exts[0]));
}
static void ext_add(struct lab *l, const char *oid, bool critical, struct slice value)
{
	assert_in_range(l->n_exts, 0, EXTS - 1);
	snprintf(l->exts[l->n_exts].oid, 64, "%s", oid);
	l->exts[l->n_exts].critical = critical;
	set(&l->exts[l->n_exts++].value, value);
}
#define EXT_ADD(l, oid, critical, bytes) ext_add(l, oid, critical, slice_of(bytes, sizeof(bytes) - 1))
/* Changes one octet of an extension, counted from its end. */
static void ext_flip(struct lab *l, const char *oid, size_t from_end)
{
	struct buf *b = &l->exts[ext_at(l, oid)].value;
	b->data[b->len - from_end] ^= 1;
}
static void times_set(struct lab *l, int64_t begin, int64_t end)
{
	buf_clear(&l->validity);
	size_t at = der_begin(&l->validity, DER_SEQUENCE);
	der_put_time(&l->validity, begin);
	der_put_time(&l->validity, end);
	der_end(&l->validity, at);
	l->not_before = begin;
	l->not_after = end;
}
/* One RDN of raw parts. A second value in the same RDN when also is not NULL. */
static void rdn_put(struct buf *b, const char *oid, int tag, const char *value, const char *also)
{
	size_t set_at = der_begin(b, DER_SET);
	for (int i = 0; i < (also ? 2 : 1); i++) {
		size_t seq = der_begin(b, DER_SEQUENCE);
		oid_put(b, oid);
		der_put(b, tag, slice_str(i ? also : value));
		der_end(b, seq);
	}
	der_end(b, set_at);
}
static void subject_raw(struct lab *l, const char *oid, int tag, const char *value, const char *also)
{
	buf_clear(&l->subject);
	size_t at = der_begin(&l->subject, DER_SEQUENCE);
	rdn_put(&l->subject, "2.5.4.6", DER_PRINTABLE, "CN", NULL);
	rdn_put(&l->subject, oid, tag, value, also);
	der_end(&l->subject, at);
}
static void key_set(struct lab *l, const struct pubkey *k)
{
	set(&l->spki, slice_of(k->spki, k->spki_len));
	l->key = k;
}

#endif
