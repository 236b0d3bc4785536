/*
 * What an officer looks at, a line each, in the order in which it is looked at: first what follows from the tally and the
 * papers, then the checks that the policy lists for the way. It proves nothing, and nobody ticks it off here. Next: review_show.c.
 */
#include "ra/review.h"

#include "ra/title.h"

/* A scan that came through the desk proves nothing of a key. */
static const struct bilingual seen_texts[] = {
	[KEY_SEEN_UNSAID] = {"", ""},
	[KEY_SEEN_TOKEN] = {"新密钥就在您面前的 UKey 里：由您的客户端比对",
			    "the new key is on the token before you: your client compares it"},
	[KEY_SEEN_PAPER] =
		{"新密钥的十个字符写在盖章的纸质材料上，由专人送达或邮寄给您",
		 "the ten characters of the new key stand on stamped paper that came to you by hand or post"},
	[KEY_SEEN_CALL] = {"新密钥的十个字符由对方在电话中读出，电话由您拨打对方公开的号码",
			   "the ten characters of the new key were read out in a call that you made, to a published "
			   "number"},
	[KEY_SEEN_PERSON] = {"新密钥的十个字符由您已核实身份的人当面出示",
			     "the ten characters of the new key were shown by a person whom you have identified"},
};

static void add(json_t *list, json_t *zh, json_t *en)
{
	json_t *o = json_object();
	json_object_set_new(o, "zh", zh);
	json_object_set_new(o, "en", en);
	json_array_append_new(list, o);
}

static void add_text(json_t *list, const char *zh, const char *en)
{
	json_array_append_new(list, json_bilingual(&(struct bilingual){zh, en}));
}

static void add_subject(json_t *list, const struct tally *t)
{
	for (size_t i = 0; i < t->n_subject; i++) {
		const struct subject_line *line = &t->subject[i];
		if (line->mark != SUBJECT_NEW)
			continue;
		add(list, json_sprintf("%s“%s”与材料上的写法一致", line->type->zh, line->value),
		    json_sprintf("%s: \"%s\" stands in the materials as written here", line->type->en, line->value));
	}
}

static void add_materials(json_t *list, const struct draw *d)
{
	for (size_t i = 0; i < d->n_materials; i++) {
		const struct bilingual title = title_of(d->materials[i].name);
		add(list, json_sprintf("%s：已盖章、清晰可读，且属于该单位", title.zh),
		    json_sprintf("%s: stamped, readable and of this organisation", title.en));
	}
}

static void add_key(json_t *list, const struct tally *t)
{
	if (t->key_seen != KEY_SEEN_UNSAID)
		json_array_append_new(list, json_bilingual(&seen_texts[t->key_seen]));
	else if (t->has_key && t->key_is_new)
		add_text(list, "新密钥属于该单位", "the new key is the organisation's");
}

static void add_kind(json_t *list, const struct tally *t)
{
	if (t->kind == TALLY_RELEASE)
		add(list, json_sprintf("证书被挂起的原因（账本记录 %llu）已经解决", (unsigned long long)t->hold),
		    json_sprintf("why the certificate was held (ledger entry %llu) is settled",
				 (unsigned long long)t->hold));
	if (t->kind == TALLY_HOLD)
		add_text(list, "该证书就是所报告的那一张", "the certificate is the one that was reported");
	if (t->notice[0] != '\0')
		add(list, json_sprintf("风险告知函 %s 已盖章", t->notice),
		    json_sprintf("risk notice %s is stamped", t->notice));
	if (t->kind == TALLY_REVOKE)
		add_text(list, "证书和吊销原因与所报告的一致",
			 "the certificate and the reason are the ones that were reported");
}

/* A change of the record and a recovery have no way of the policy, and so none of its checks. */
static void add_policy(json_t *list, const struct policy *p, const struct tally *t)
{
	const struct profile *profile = policy_profile(p, t->profile);
	const struct policy_way *way = profile ? profile_way(profile, t->kind, t->way) : NULL;
	size_t n = 0;
	const struct bilingual *checks = way ? way_checks(way, &n) : NULL;
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_bilingual(&checks[i]));
}

json_t *review_checklist(const struct policy *p, const struct draw *d)
{
	const struct tally *t = &d->tally;
	json_t *list = json_array();
	add_subject(list, t);
	add_materials(list, d);
	add_key(list, t);
	if (t->has_collides)
		add(list, json_sprintf("同一代码的证书 %s 可以与本证书同时有效", SERIAL(&t->collides.serial)),
		    json_sprintf("certificate %s of the same identifier may live beside this one",
				 SERIAL(&t->collides.serial)));
	if (t->files == FILES_WAIVED)
		add_text(list, "放弃加密文件的声明为书面并已盖章",
			 "the waiver of encrypted files is in writing and stamped");
	add_kind(list, t);
	add_policy(list, p, t);
	return list;
}
