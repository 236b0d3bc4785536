/*
 * The judgement, rule by rule: a request that is right, one thing changed in tally, facts or policy, and the rule that
 * must speak. Subjects and validity have files of their own, and the floors.
 */
#include "judge_kit.h"

static void c_made_ahead(struct scene *s)
{
	s->t.made = now + JUDGE_SKEW_SECONDS + 1;
}
static void c_made_in_skew(struct scene *s)
{
	s->t.made = now + JUDGE_SKEW_SECONDS;
}
static void c_dies_now(struct scene *s)
{
	s->t.dies = now;
}
static void c_dies_next(struct scene *s)
{
	s->t.dies = now + 1;
}
static void c_life_day(struct scene *s)
{
	s->t.dies = s->t.made + DAY;
}
static void c_life_day_more(struct scene *s)
{
	s->t.dies = s->t.made + DAY + 1;
}
static void c_life_month(struct scene *s)
{
	s->t.dies = s->t.made + 30 * DAY;
}
static void c_life_month_more(struct scene *s)
{
	s->t.dies = s->t.made + 30 * DAY + 1;
}
static void c_life_ages(struct scene *s)
{
	s->t.made = at("0000-01-01T00:00:00Z");
	s->t.dies = at("9999-12-31T23:59:59Z");
}
static void c_kind_beyond(struct scene *s)
{
	s->t.kind = TALLY_KIND_N;
}
static void c_project(struct scene *s)
{
	snprintf(s->t.project, TALLY_WORD, "jinhua2");
}
static void c_profile(struct scene *s)
{
	snprintf(s->t.profile, TALLY_WORD, "person");
}
static void c_way(struct scene *s)
{
	snprintf(s->t.way, TALLY_WORD, "by-officer");
}
static void c_way_of_other_kind(struct scene *s)
{
	snprintf(s->t.way, TALLY_WORD, "lost");
}
static void c_unknown(struct scene *s)
{
	s->x.has_predecessor = false;
}
static void c_revoked(struct scene *s)
{
	s->x.revoked = true;
}
static void c_ended(struct scene *s)
{
	s->x.ended = true;
}
static void c_succeeded(struct scene *s)
{
	s->x.succeeded = true;
}
static void c_held(struct scene *s)
{
	s->x.held = true;
}
static void c_not_held(struct scene *s)
{
	s->x.held = false;
}
static void c_weak(struct scene *s)
{
	s->x.weak = true;
}
static void c_weak_rekey(struct scene *s)
{
	s->x.weak = true;
	snprintf(s->t.way, TALLY_WORD, "new-key");
	key_set(s, K_NEW, true);
	s->t.files = FILES_NO;
}
static void c_key_none(struct scene *s)
{
	s->x.key = NULL;
}
static void c_key_swapped(struct scene *s)
{
	s->x.key = &keys[K_P384];
}
static void c_key_same_but_new(struct scene *s)
{
	key_set(s, K_NEW, false);
}
static void c_key_new_but_same(struct scene *s)
{
	c_rekey(s);
	key_set(s, K_OLD, true);
}
static void c_key_same_reissued(struct scene *s)
{
	key_set(s, K_OLD, false);
}
static void c_key_weak_rsa(struct scene *s)
{
	c_rekey(s);
	key_set(s, K_RSA_WEAK, true);
}
static void c_key_rsa(struct scene *s)
{
	c_rekey(s);
	key_set(s, K_RSA, true);
}
static void c_renewed_twice(struct scene *s)
{
	s->x.renewals = 2;
}
static void c_renewed_thrice(struct scene *s)
{
	s->x.renewals = 3;
}
static void c_renewed_thrice_rekey(struct scene *s)
{
	c_rekey(s);
	s->x.renewals = 3;
}
static void c_responder_weak(struct scene *s)
{
	key_set(s, K_RSA_WEAK, true);
}
static void c_material_absent(struct scene *s)
{
	s->t.n_materials--;
}
static void c_material_more(struct scene *s)
{
	snprintf(s->t.materials[s->t.n_materials++].name, TALLY_WORD, "selfie");
}
static void c_material_pages(struct scene *s)
{
	struct tally_material *m = &s->t.materials[s->t.n_materials++];

	*m = m[-1];
	m->sha256[0] ^= 1;
}
static void c_material_licence_only(struct scene *s)
{
	static const char *const papers[] = {"business-licence"};

	free(s->t.materials);
	materials_set(s, papers, 1);
}
static void c_material_none(struct scene *s)
{
	s->t.n_materials = 0;
}
static void c_material_unasked(struct scene *s)
{
	static const char *const papers[] = {"business-licence"};

	materials_set(s, papers, 1);
}
static void c_notice_none(struct scene *s)
{
	s->t.notice[0] = '\0';
}
static void c_notice_other(struct scene *s)
{
	snprintf(s->t.notice, TALLY_WORD, "risk-2025-01");
}
static void c_notice_text(struct scene *s)
{
	s->t.notice_sha256[31] ^= 1;
}
static void c_order_none(struct scene *s)
{
	s->t.order[0] = '\0';
}
static void c_files_unsaid(struct scene *s)
{
	s->t.files = FILES_UNSAID;
}
static void c_files_yes(struct scene *s)
{
	s->t.files = FILES_YES;
}
static void c_files_yes_new_key(struct scene *s)
{
	s->t.files = FILES_YES;
	key_set(s, K_NEW, true);
}
static void c_key_unseen(struct scene *s)
{
	s->t.key_seen = KEY_SEEN_UNSAID;
}
static void c_reason_none(struct scene *s)
{
	s->t.reason = -1;
}
static void c_damaged(struct scene *s)
{
	snprintf(s->t.way, TALLY_WORD, "damaged");
	s->t.reason = 4;
}

static const struct judge_case cases[] = {
	/* each kind as it should be */
	{"extend", TALLY_EXTEND, c_none, NULL},
	{"change", TALLY_CHANGE, c_none, NULL},
	{"enrol", TALLY_ENROL, c_none, NULL},
	{"reissue", TALLY_REISSUE, c_none, NULL},
	{"revoke", TALLY_REVOKE, c_none, NULL},
	{"hold", TALLY_HOLD, c_none, NULL},
	{"release", TALLY_RELEASE, c_none, NULL},
	{"withdraw", TALLY_WITHDRAW, c_none, NULL},
	{"responder", TALLY_RESPONDER, c_none, NULL},
	/* window */
	{"made ahead", TALLY_EXTEND, c_made_ahead, "tally_not_yet"},
	{"made within the skew", TALLY_EXTEND, c_made_in_skew, NULL},
	{"died", TALLY_EXTEND, c_dies_now, "tally_expired"},
	{"about to die", TALLY_EXTEND, c_dies_next, NULL},
	{"a day", TALLY_EXTEND, c_life_day, NULL},
	{"a day and a second", TALLY_EXTEND, c_life_day_more, "tally_life"},
	{"reviewed: 30 days", TALLY_CHANGE, c_life_month, NULL},
	{"reviewed: a second more", TALLY_CHANGE, c_life_month_more, "tally_life"},
	{"revoke: a second more", TALLY_REVOKE, c_life_month_more, "tally_life"},
	{"ten thousand years", TALLY_HOLD, c_life_ages, "tally_life"},
	/* project, profile, kind, way */
	{"kind beyond the list", TALLY_EXTEND, c_kind_beyond, "kind_unknown"},
	{"kind not offered", TALLY_HOLD, c_none, "kind_unknown",
	 "  hold:\n    ways:\n      desk:\n        title: {zh: 挂起, en: Hold}\n        officers: 0\n", ""},
	{"project", TALLY_EXTEND, c_project, "project_unknown"},
	{"project, hold", TALLY_HOLD, c_project, "project_unknown"},
	{"profile", TALLY_EXTEND, c_profile, "profile_unknown"},
	{"profile that the project lacks", TALLY_EXTEND, c_none, "profile_unknown", "profiles: [organisation]",
	 "profiles: [person]"},
	{"way of another kind", TALLY_EXTEND, c_way_of_other_kind, "way_unknown"},
	{"way", TALLY_CHANGE, c_way, "way_unknown"},
	/* predecessor */
	{"not in the ledger", TALLY_EXTEND, c_unknown, "predecessor_unknown"},
	{"not in the ledger, revoke", TALLY_REVOKE, c_unknown, "predecessor_unknown"},
	{"revoked", TALLY_EXTEND, c_revoked, "predecessor_revoked"},
	{"revoked, revoke again", TALLY_REVOKE, c_revoked, "predecessor_revoked"},
	{"ended", TALLY_CHANGE, c_ended, "predecessor_ended"},
	{"succeeded", TALLY_CHANGE, c_succeeded, "predecessor_succeeded"},
	{"succeeded, revoke", TALLY_REVOKE, c_succeeded, NULL},
	{"held", TALLY_EXTEND, c_held, "predecessor_held"},
	{"held, hold again", TALLY_HOLD, c_held, "predecessor_held"},
	{"held, reissue", TALLY_REISSUE, c_held, NULL},
	{"held, revoke", TALLY_REVOKE, c_held, NULL},
	{"release of none", TALLY_RELEASE, c_not_held, "predecessor_not_held"},
	{"weak, same key", TALLY_EXTEND, c_weak, "predecessor_weak"},
	{"weak, change with the same key", TALLY_CHANGE, c_weak, "predecessor_weak"},
	{"weak, new key", TALLY_EXTEND, c_weak_rekey, NULL},
	{"weak, revoke", TALLY_REVOKE, c_weak, NULL},
	{"expired, revoke", TALLY_REVOKE, c_expired, NULL},
	/* key */
	{"re-key", TALLY_EXTEND, c_rekey, NULL},
	{"re-key by change", TALLY_CHANGE, c_new_key, NULL},
	{"RSA 2048", TALLY_EXTEND, c_key_rsa, NULL},
	{"no key", TALLY_EXTEND, c_key_none, "key_hash"},
	{"swapped key", TALLY_EXTEND, c_key_swapped, "key_hash"},
	{"same that is another", TALLY_EXTEND, c_key_same_but_new, "key_same"},
	{"new that is the old", TALLY_EXTEND, c_key_new_but_same, "key_same"},
	{"new key by the way same-key", TALLY_EXTEND, c_new_key, "key_same"},
	{"reissue of the lost key", TALLY_REISSUE, c_key_same_reissued, "key_same"},
	{"reissue of the lost key, policy allows", TALLY_REISSUE, c_key_same_reissued, "key_same",
	 "officers: 3\n        new_key_allowed", "officers: 3\n        same_key_allowed"},
	{"algorithm", TALLY_EXTEND, c_none, "key_algorithm", "[p256, p384", "[p384"},
	{"RSA 1024", TALLY_EXTEND, c_key_weak_rsa, "key_strength"},
	{"RSA 2048, to the bit", TALLY_EXTEND, c_key_rsa, NULL, "rsa_max_bits: 4096", "rsa_max_bits: 2048"},
	{"RSA 2048 where 3072 is asked", TALLY_EXTEND, c_key_rsa, "key_strength", "rsa_min_bits: 2048",
	 "rsa_min_bits: 3072"},
	{"responder's weak key", TALLY_RESPONDER, c_responder_weak, "key_strength"},
	{"third renewal", TALLY_EXTEND, c_renewed_twice, NULL},
	{"fourth renewal", TALLY_EXTEND, c_renewed_thrice, "renewal_times"},
	{"fourth, new key", TALLY_EXTEND, c_renewed_thrice_rekey, NULL},
	{"never the same key", TALLY_EXTEND, c_none, "renewal_times", "renewal_times: 3", "renewal_times: 0"},
	/* papers */
	{"material absent", TALLY_CHANGE, c_material_absent, "materials_missing"},
	{"no material at all", TALLY_REISSUE, c_material_none, "materials_missing"},
	{"two pages of one material", TALLY_CHANGE, c_material_pages, NULL},
	{"material not asked for", TALLY_CHANGE, c_material_more, "material_unknown"},
	{"material where none is asked", TALLY_EXTEND, c_material_unasked, "material_unknown"},
	{"one of a choice", TALLY_CHANGE, c_material_licence_only, NULL,
	 "all_of: [registration-form, agent-id-card, business-licence, change-proof, risk-notice]",
	 "any_of: [{of: [business-licence, change-proof]}]"},
	{"none of a choice", TALLY_CHANGE, c_material_none, "materials_missing",
	 "all_of: [registration-form, agent-id-card, business-licence, change-proof, risk-notice]",
	 "any_of: [{of: [business-licence, change-proof]}]"},
	{"notice absent", TALLY_CHANGE, c_notice_none, "notice_missing"},
	{"notice of another version", TALLY_CHANGE, c_notice_other, "notice_missing"},
	{"notice with another text", TALLY_CHANGE, c_notice_text, "notice_missing"},
	{"notice that nobody asks, unknown", TALLY_EXTEND, c_notice_other, "notice_missing"},
	{"order absent", TALLY_EXTEND, c_order_none, "order_missing"},
	{"order where validity is kept", TALLY_CHANGE, c_order, "order_unwanted"},
	{"order for a reissue", TALLY_REISSUE, c_order, "order_unwanted"},
	{"free extension by policy", TALLY_EXTEND, c_order_none, NULL, "        order: always\n", ""},
	{"files unsaid", TALLY_CHANGE, c_files_unsaid, "files_unsaid"},
	{"files left, same key", TALLY_CHANGE, c_files_yes, NULL},
	{"files left, new key", TALLY_CHANGE, c_files_yes_new_key, "files_pending"},
	{"files left, reissue", TALLY_REISSUE, c_files_yes, "files_pending"},
	{"key unseen, enrol", TALLY_ENROL, c_key_unseen, "key_seen"},
	{"key unseen, reissue", TALLY_REISSUE, c_key_unseen, "key_seen"},
	{"reason of another way", TALLY_REISSUE, c_reason_other, "reason_way"},
	{"reissue without a reason", TALLY_REISSUE, c_reason_none, "reason_way"},
};

static void test_each_rule(void **state)
{
	(void)state;
	CASES_RUN(cases);
}

static const struct {
	const char *name;
	enum tally_kind kind;
	change *change;
	const char *find, *put;
	bool revoked;
	const char *reason;
	int64_t days;
} fates[] = {
	{"extend keeps", TALLY_EXTEND, c_none, NULL, NULL, false, NULL, 0},
	{"enrol follows none", TALLY_ENROL, c_none, NULL, NULL, false, NULL, 0},
	{"change", TALLY_CHANGE, c_none, NULL, NULL, true, "affiliationChanged", 0},
	{"change with grace", TALLY_CHANGE, c_none, "reason: affiliationChanged\n        grace_days: 0",
	 "reason: affiliationChanged\n        grace_days: 14", true, "affiliationChanged", 14},
	{"lost", TALLY_REISSUE, c_none, NULL, NULL, true, "keyCompromise", 0},
	{"lost is at once, whatever policy says", TALLY_REISSUE, c_none, "reason: keyCompromise\n        grace_days: 0",
	 "reason: keyCompromise\n        grace_days: 14", true, "keyCompromise", 0},
	{"lost is keyCompromise, whatever policy says", TALLY_REISSUE, c_none,
	 "fate: revoke\n        reason: keyCompromise\n        grace_days: 0", "fate: keep\n        grace_days: 14",
	 true, "keyCompromise", 0},
	{"damaged", TALLY_REISSUE, c_damaged, NULL, NULL, true, "superseded", 0},
	{"damaged with grace", TALLY_REISSUE, c_damaged, "reason: superseded\n        grace_days: 0",
	 "reason: superseded\n        grace_days: 14", true, "superseded", 14},
	{"damaged is revoked, whatever policy says", TALLY_REISSUE, c_damaged,
	 "fate: revoke\n        reason: superseded\n        grace_days: 0", "fate: keep", true, "superseded", 0},
	{"revoke: the tally's reason", TALLY_REVOKE, c_reason_other, NULL, NULL, true, "superseded", 0},
	{"hold", TALLY_HOLD, c_none, NULL, NULL, false, NULL, 0},
};

static void test_fate_of_the_predecessor(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(fates) / sizeof(fates[0]); i++) {
		struct scene s;
		struct verdict v = {0};
		struct fault f = {0};

		scene_make(&s, fates[i].kind, fates[i].find, fates[i].put);
		fates[i].change(&s);
		if (judge(s.p, &s.t, &s.x, &v, &f) != OK)
			fail_msg("%s: %s %s", fates[i].name, f.rule, f.text);
		if (v.revoke_predecessor != fates[i].revoked)
			fail_msg("%s: revoke_predecessor %d", fates[i].name, v.revoke_predecessor);
		if (fates[i].revoked) {
			assert_string_equal(crl_reason_word(v.reason), fates[i].reason);
			assert_int_equal(v.revoke_at, now + fates[i].days * DAY);
		}
		scene_done(&s);
	}
}

/* A bundle loaded with its note: a tally made under another is refused. */
static void test_policy_hash(void **state)
{
	(void)state;
	struct scene s;
	struct verdict v = {0};
	struct fault f = {0};

	scene_make(&s, TALLY_EXTEND, NULL, NULL);
	s.p->note.version = 2;
	memset(s.p->note.sha256, 0xab, 32);
	assert_int_equal(judge(s.p, &s.t, &s.x, &v, &f), ERR_RULE);
	assert_string_equal(f.rule, "policy_hash");
	memset(s.t.policy, 0xab, 32);
	assert_int_equal(judge(s.p, &s.t, &s.x, &v, &f), OK);
	scene_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_rule),
		cmocka_unit_test(test_fate_of_the_predecessor),
		cmocka_unit_test(test_policy_hash),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
