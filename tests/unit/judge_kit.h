/*
 * Scenes for the tests of the judgement: for each kind a tally and facts that the shipped bundle accepts, to have one
 * thing changed.
 */
#ifndef HUFU_TEST_JUDGE_KIT_H
#define HUFU_TEST_JUDGE_KIT_H

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/pki/sign.h"
#include "common/policy/judge.h"

#include <openssl/rsa.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define DAY INT64_C(86400)
#define OLD_CODE "35353550-9" /* of the story: its check digit is wrong */
#define NEW_CODE "913301003535355023"

enum { K_OLD, K_NEW, K_P384, K_RSA, K_RSA_WEAK, K_N };
static struct pubkey keys[K_N];
static int64_t now;

static inline int64_t at(const char *text)
{
	int64_t t = 0;

	assert_true(time_parse_utc(text, strlen(text), &t));
	return t;
}

static inline void key_make(EVP_PKEY *key, struct pubkey *ret)
{
	struct fault f = {0};

	if (key == NULL || privkey_public(key, ret, &f) != OK)
		fail_msg("key: %s", f.text);
	EVP_PKEY_free(key);
}

static inline int setup(void **state)
{
	static const enum key_alg algs[] = {
		[K_OLD] = KEY_P256, [K_NEW] = KEY_P256, [K_P384] = KEY_P384, [K_RSA] = KEY_RSA};

	(void)state;
	now = at("2026-11-23T00:00:00Z");
	for (size_t i = 0; i < K_RSA_WEAK; i++) {
		EVP_PKEY *key = NULL;

		assert_int_equal(privkey_generate(algs[i], algs[i] == KEY_RSA ? 2048 : 0, &key, NULL), OK);
		key_make(key, &keys[i]);
	}
	key_make(EVP_RSA_gen(1024), &keys[K_RSA_WEAK]);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < K_N; i++)
		pubkey_done(&keys[i]);
	return 0;
}

static inline void add(struct name *n, const char *word, const char *value)
{
	assert_int_equal(name_add(n, attr_by_word(word, strlen(word)), value, strlen(value), NULL), OK);
}

static inline void subject_of(struct name *n, const char *organisation, const char *common_name, const char *code)
{
	add(n, "C", "CN");
	add(n, "O", organisation);
	add(n, "CN", common_name);
	if (code != NULL)
		add(n, "organizationIdentifier", code);
}

/* A request that is right, in a world where it is. */
struct scene {
	struct policy *p;
	struct tally t;
	struct facts x;
	struct name subject; /* of the predecessor */
};

static inline void policy_make(struct scene *s, const char *find, const char *put)
{
	struct policy_source *files = NULL;
	struct fault f = {0};
	size_t n = 0;

	assert_int_equal(policy_read_dir(POLICIES_DIR, &files, &n, &f), OK);
	for (size_t i = 0; find != NULL && i < n; i++) {
		const char *text = buf_text(&files[i].bytes), *found = strstr(text, find);
		_cleanup_buf_ struct buf b = {0};

		if (found == NULL)
			continue;
		buf_add(&b, text, (size_t)(found - text));
		buf_str(&b, put);
		buf_str(&b, found + strlen(find));
		buf_clear(&files[i].bytes);
		buf_str(&files[i].bytes, buf_text(&b));
		find = NULL;
	}
	assert_null(find);
	if (policy_load((struct slice){0}, files, n, &s->p, &f) != OK)
		fail_msg("%s", f.text);
	policy_sources_done(files, n);
}

static inline void subject_set(struct scene *s, const char *organisation, const char *common_name, const char *code)
{
	_cleanup_(name_done) struct name after = {0}, none = {0};

	subject_of(&after, organisation, common_name, code);
	assert_int_equal(tally_set_subject(&s->t, s->x.has_predecessor ? &s->subject : &none, &after, NULL), OK);
}

static inline void key_set(struct scene *s, int key, bool is_new)
{
	s->t.has_key = true;
	s->t.key_is_new = is_new;
	memcpy(s->t.key_sha256, keys[key].spki_sha256, 32);
	s->x.key = &keys[key];
}

static inline void materials_set(struct scene *s, const char *const *names, size_t n)
{
	s->t.materials = xcalloc(TALLY_MAX_MATERIALS, sizeof(*s->t.materials));
	s->t.n_materials = n;
	for (size_t i = 0; i < n; i++)
		snprintf(s->t.materials[i].name, TALLY_WORD, "%s", names[i]);
}

static inline void notice_set(struct scene *s)
{
	snprintf(s->t.notice, TALLY_WORD, "risk-2026-11");
	memcpy(s->t.notice_sha256, policy_notice(s->p, "risk-2026-11")->sha256, 32);
}

static inline void validity_set(struct scene *s, unsigned months)
{
	s->t.has_validity = true;
	s->t.add_months = months;
	s->t.latest = months > 0 ? at("2035-01-01T00:00:00Z") : s->x.not_after;
}

static inline void kind_set(struct scene *s, enum tally_kind kind)
{
	static const char *const change_papers[] = {"agent-id-card", "business-licence", "change-proof",
						    "registration-form", "risk-notice"};
	static const char *const enrol_papers[] = {"agent-id-card", "business-licence", "registration-form"};
	static const char *const reissue_papers[] = {"agent-id-card", "business-licence", "registration-form",
						     "risk-notice"};
	static const char *const ways[TALLY_KIND_N] = {[TALLY_EXTEND] = "same-key",
						       [TALLY_CHANGE] = "name-or-code",
						       [TALLY_ENROL] = "new-certificate",
						       [TALLY_REISSUE] = "lost",
						       [TALLY_REVOKE] = "by-subscriber",
						       [TALLY_HOLD] = "",
						       [TALLY_RELEASE] = "desk",
						       [TALLY_WITHDRAW] = "",
						       [TALLY_RESPONDER] = ""};

	snprintf(s->t.way, TALLY_WORD, "%s", ways[kind]);
	switch (kind) {
	case TALLY_EXTEND:
		subject_set(s, "擎洲测试投标人6", "擎洲测试投标人6", OLD_CODE);
		key_set(s, K_OLD, false);
		validity_set(s, 36);
		snprintf(s->t.order, TALLY_WORD, "o-1");
		break;
	case TALLY_CHANGE:
		subject_set(s, "杭州新名", "杭州新名", NEW_CODE);
		key_set(s, K_OLD, false);
		validity_set(s, 0);
		materials_set(s, change_papers, 5);
		notice_set(s);
		s->t.files = FILES_NO;
		break;
	case TALLY_ENROL:
		s->x.has_predecessor = s->t.has_predecessor = false;
		subject_set(s, "杭州新名", "杭州新名", NEW_CODE);
		key_set(s, K_NEW, true);
		validity_set(s, 12);
		materials_set(s, enrol_papers, 3);
		snprintf(s->t.order, TALLY_WORD, "o-1");
		s->t.key_seen = KEY_SEEN_PAPER;
		break;
	case TALLY_REISSUE:
		subject_set(s, "擎洲测试投标人6", "擎洲测试投标人6", OLD_CODE);
		key_set(s, K_NEW, true);
		validity_set(s, 0);
		materials_set(s, reissue_papers, 4);
		notice_set(s);
		s->t.files = FILES_WAIVED;
		s->t.key_seen = KEY_SEEN_CALL;
		s->t.reason = 1;
		break;
	case TALLY_REVOKE:
		s->t.reason = 4;
		break;
	case TALLY_RELEASE:
		s->x.held = true;
		break;
	case TALLY_RESPONDER:
		s->x.has_predecessor = s->t.has_predecessor = false;
		key_set(s, K_NEW, true);
		snprintf(s->t.profile, TALLY_WORD, "responder");
		break;
	case TALLY_HOLD:
	case TALLY_WITHDRAW:
	case TALLY_KIND_N:
		break;
	}
}

static inline void scene_make(struct scene *s, enum tally_kind kind, const char *find, const char *put)
{
	*s = (struct scene){0};
	policy_make(s, find, put);
	subject_of(&s->subject, "擎洲测试投标人6", "擎洲测试投标人6", OLD_CODE);
	s->x = (struct facts){.now = now,
			      .issuer_not_after = at("2040-01-01T00:00:00Z"),
			      .has_predecessor = true,
			      .subject = &s->subject,
			      .not_before = now - 1000 * DAY,
			      .not_after = now + 60 * DAY,
			      .adopted = true};
	memcpy(s->x.key_sha256, keys[K_OLD].spki_sha256, 32);
	s->t = (struct tally){
		.kind = kind, .has_predecessor = true, .reason = -1, .made = now - 60, .dies = now + DAY / 2};
	memset(s->t.policy, 0x77, 32);
	snprintf(s->t.project, TALLY_WORD, "jinhua");
	snprintf(s->t.profile, TALLY_WORD, "organisation");
	kind_set(s, kind);
}

static inline void scene_done(struct scene *s)
{
	policy_freep(&s->p);
	name_done(&s->subject);
	tally_done(&s->t);
}

/* What is changed in a scene. */
typedef void change(struct scene *s);
struct judge_case {
	const char *name;
	enum tally_kind kind;
	change *change;
	const char *rule;	/* NULL: accepted */
	const char *find, *put; /* edit of the bundle, or NULL */
};

static inline void case_run(const struct judge_case *c)
{
	struct scene s;
	struct verdict v = {0};
	struct fault f = {0};
	enum err e;

	scene_make(&s, c->kind, c->find, c->put);
	c->change(&s);
	e = judge(s.p, &s.t, &s.x, &v, &f);
	if (c->rule == NULL && e != OK)
		fail_msg("%s: found %s: %s", c->name, f.rule, f.text);
	if (c->rule != NULL && (e != ERR_RULE || strcmp(f.rule, c->rule) != 0))
		fail_msg("%s: found %s %s (%s), wanted %s", c->name, err_word(e), f.rule, f.text, c->rule);
	if (c->rule != NULL && (f.where[0] == '\0' || f.text[0] == '\0' || v.profile != NULL))
		fail_msg("%s: a refusal without a place or text, or with a verdict", c->name);
	scene_done(&s);
}

static inline void cases_run(const struct judge_case *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		case_run(&c[i]);
}
#define CASES_RUN(cases) cases_run(cases, sizeof(cases) / sizeof((cases)[0]))

/* Changes that several tables make. */
static inline void c_none(struct scene *s)
{
	(void)s;
}
static inline void c_expired(struct scene *s)
{
	s->x.not_after = now - DAY;
}
static inline void c_rekey(struct scene *s)
{
	snprintf(s->t.way, TALLY_WORD, "new-key");
	key_set(s, K_NEW, true);
	s->t.files = FILES_NO;
}
static inline void c_new_key(struct scene *s)
{
	key_set(s, K_NEW, true);
}
static inline void c_order(struct scene *s)
{
	snprintf(s->t.order, TALLY_WORD, "o-1");
}
static inline void c_reason_other(struct scene *s)
{
	s->t.reason = 4;
}

#endif
