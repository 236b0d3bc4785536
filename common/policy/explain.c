/*
 * A profile in words, in English or Chinese: what a reviewer reads beside the YAML, and what the desk answers when
 * asked what a way needs. Each number stands beside the floor that it cannot go below.
 */
#include "common/base/cleanup.h"
#include "common/policy/judge.h"
#include "common/policy/profile.h"

#include <string.h>

struct voice {
	struct buf *b;
	bool zh;
};

static const char *pick(const struct voice *v, const char *en, const char *zh)
{
	return v->zh ? zh : en;
}

static const char *title(const struct voice *v, const struct bilingual *t)
{
	return v->zh ? t->zh : t->en;
}

static const char *separator(const struct voice *v)
{
	return pick(v, ", ", "、");
}

static void say_strs(const struct voice *v, const struct yaml_strs *s)
{
	for (size_t i = 0; i < s->n; i++)
		buf_fmt(v->b, "%s%s", i > 0 ? separator(v) : "", s->v[i]);
}

static void say_attr(const struct voice *v, const struct profile_attr *a)
{
	static const char *const checks[][2] = {
		[CHECK_NONE] = {"", ""},
		[CHECK_ORGANISATION_CODE] = {"; organisation code (GB 11714)", "；组织机构代码（GB 11714）"},
		[CHECK_UNIFIED_CODE] = {"; unified social credit code (GB 32100)", "；统一社会信用代码（GB 32100）"},
		[CHECK_ORGANISATION_OR_UNIFIED] =
			{"; organisation code or unified social credit code (GB 11714, GB 32100), when new",
			 "；组织机构代码或统一社会信用代码（GB 11714、GB 32100），仅校验新值"},
	};

	buf_fmt(v->b, v->zh ? "  %s：%s；%s；%s %lld-%lld%s" : "  %s: %s; %s; %s %lld-%lld%s", a->attribute,
		a->required ? pick(v, "required", "必填") : pick(v, "optional", "选填"),
		a->on_change == ATTR_MAY_CHANGE ? pick(v, "may change", "可变更") : pick(v, "always kept", "不可变更"),
		pick(v, "characters", "字符数"), (long long)a->min_chars, (long long)a->max_chars,
		checks[a->check][v->zh]);
	if (a->pattern != NULL)
		buf_fmt(v->b, "%s%s", pick(v, "; pattern ", "；格式 "), a->pattern);
	if (a->taken_from != NULL)
		buf_fmt(v->b, "%s%s", pick(v, "; the value of ", "；取值同 "), a->taken_from);
	buf_char(v->b, '\n');
}

static void say_keys(const struct voice *v, const struct profile *p)
{
	buf_str(v->b, pick(v, "Keys: ", "密钥："));
	say_strs(v, &p->key_algorithms);
	if ((p->key_algs >> KEY_RSA & 1) != 0)
		buf_fmt(v->b, v->zh ? "；RSA %lld 至 %lld 位" : "; RSA of %lld to %lld bits",
			(long long)p->rsa_min_bits, (long long)p->rsa_max_bits);
	buf_fmt(v->b, v->zh ? "；同一密钥最多续签 %lld 次\n" : "; the same key is certified again at most %lld times\n",
		(long long)p->renewal_times);
}

static void say_validity(const struct voice *v, const struct profile *p)
{
	buf_str(v->b, pick(v, "Validity: lengths of ", "有效期：可选 "));
	for (size_t i = 0; i < p->lengths_months.n; i++)
		buf_fmt(v->b, "%s%lld", i > 0 ? separator(v) : "", (long long)p->lengths_months.v[i]);
	buf_fmt(v->b,
		v->zh ? " 个月；到期前 %lld 天至到期后 %lld 天可延期；最长 %lld 天\n"
		      : " months; extension from %lld days before the end to %lld days after it; at most %lld days\n",
		(long long)p->window_before_days, (long long)p->window_after_days, (long long)p->cap_days);
}

static void say_usages(const struct voice *v, const struct profile_ext *e)
{
	const char *sep = "";

	for (size_t i = 0; key_usage_words[i] != NULL; i++) {
		if ((e->bits >> i & 1) == 0)
			continue;
		buf_fmt(v->b, "%s%s", sep, key_usage_words[i]);
		sep = separator(v);
	}
	if (e->by_algorithm)
		buf_str(v->b, pick(v, " (as far as the key's algorithm allows)", "（以密钥算法允许者为限）"));
}

static void say_crl(const struct voice *v, const struct profile_ext *e)
{
	buf_fmt(v->b, v->zh ? "；%lld 个分片" : "; %lld shards", (long long)e->shards);
	if (e->keep_expired)
		buf_str(v->b, pick(v, "; expired certificates stay on CRLs", "；过期证书保留在吊销列表中"));
	else
		buf_fmt(v->b, v->zh ? "；过期 %lld 天后从吊销列表移除" : "; on CRLs until %lld days after the end",
			(long long)e->expired_days);
}

static void say_ext(const struct voice *v, const struct profile_ext *e)
{
	const char *const texts[] = {e->ca_issuers, e->ocsp, e->url, e->oid, e->cps, e->code, e->from};
	const char *sep = " ";

	buf_fmt(v->b, "  %s%s:", ext_type_words[e->type], e->critical ? pick(v, " (critical)", "（关键）") : "");
	if (e->bits != 0 || e->purposes.n > 0)
		buf_char(v->b, ' ');
	say_usages(v, e);
	say_strs(v, &e->purposes);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i] == NULL)
			continue;
		buf_fmt(v->b, "%s%s", sep, texts[i]);
		sep = separator(v);
	}
	if (e->type == EXT_CRL_DP)
		say_crl(v, e);
	buf_char(v->b, '\n');
}

static const char *proof_text(const struct voice *v, unsigned proof)
{
	switch (proof) {
	case PROOF_CURRENT:
		return pick(v, "the current key", "当前密钥");
	case PROOF_NEW:
		return pick(v, "the new key", "新密钥");
	case PROOF_CURRENT | PROOF_NEW:
		return pick(v, "the current key and the new key", "当前密钥和新密钥");
	case 0:
		break;
	}
	return pick(v, "no key", "无");
}

/* A way for the same key or for a new one: the subscriber's half and the officers, each beside its floor. */
static void say_needs(const struct voice *v, const struct policy_way *w, enum tally_kind kind, bool same_key)
{
	const struct floor *floor = floor_of(kind);
	unsigned proof = same_key ? floor->proof_same : floor->proof_new;
	unsigned least = same_key ? floor->officers_same : floor->officers_new;
	unsigned halves = same_key ? PROOF_CURRENT : PROOF_CURRENT | PROOF_NEW;

	if (floor->either && (w->proof & PROOF_CURRENT) != 0)
		least = 0;
	else if (floor->either)
		proof = 0;
	buf_str(v->b, "    ");
	if (tally_kind_issues(kind))
		buf_str(v->b, same_key ? pick(v, "same key: ", "原密钥：") : pick(v, "new key: ", "新密钥："));
	buf_fmt(v->b, v->zh ? "签名：%s；审核员 %u 人（下限 %u 人）" : "signed by %s; officers: %u (floor %u)",
		proof_text(v, proof | ((unsigned)w->proof & halves)),
		w->officers > (int64_t)least ? (unsigned)w->officers : least, least);
	if (floor->ra_alone && w->officers == 0)
		buf_str(v->b, pick(v, "; the RA alone may", "；注册机构可自行办理"));
	if (floor->key_seen && !same_key)
		buf_str(v->b, pick(v, "; the officers have seen the key (token, paper, call, person)",
				   "；审核员须核实密钥（钥匙、纸质、电话或当面）"));
	buf_char(v->b, '\n');
}

static void say_materials(const struct voice *v, const struct policy_way *w)
{
	if (w->materials.all_of.n == 0 && w->materials.any_of.n == 0)
		return;
	buf_str(v->b, pick(v, "    materials: ", "    材料："));
	say_strs(v, &w->materials.all_of);
	for (size_t i = 0; i < w->materials.any_of.n; i++) {
		const struct yaml_strs *any = &anys_of(w)[i].of;

		buf_str(v->b, i > 0 || w->materials.all_of.n > 0 ? separator(v) : "");
		buf_str(v->b, pick(v, "one of ", "任选其一 "));
		for (size_t j = 0; j < any->n; j++)
			buf_fmt(v->b, "%s%s", j > 0 ? " | " : "", any->v[j]);
	}
	buf_char(v->b, '\n');
}

static void say_order(const struct voice *v, const struct policy_way *w)
{
	switch ((enum way_order)w->order) {
	case WAY_ORDER_NONE:
		break;
	case WAY_ORDER_EXTENDED:
		buf_str(v->b, pick(v, "    a paid order when validity is extended\n", "    延期时须有已支付订单\n"));
		break;
	case WAY_ORDER_ALWAYS:
		buf_str(v->b, pick(v, "    a paid order\n", "    须有已支付订单\n"));
		break;
	}
}

static void say_checks(const struct voice *v, const struct policy_way *w)
{
	for (size_t i = 0; i < w->checks.n; i++)
		buf_fmt(v->b, "%s%s\n", pick(v, "    the officers check: ", "    审核员核对："),
			title(v, &checks_of(w)[i]));
}

static void say_way(const struct voice *v, const struct policy_way *w, enum tally_kind kind)
{
	buf_fmt(v->b, "  %s / %s: %s\n", tally_kind_word(kind), w->way, title(v, &w->title));
	if (!tally_kind_issues(kind) || w->same_key_allowed)
		say_needs(v, w, kind, true);
	if (w->new_key_allowed)
		say_needs(v, w, kind, false);
	say_materials(v, w);
	say_checks(v, w);
	say_order(v, w);
	if (w->attributes.n > 0) {
		buf_str(v->b, pick(v, "    changes only ", "    仅可变更 "));
		say_strs(v, &w->attributes);
		buf_char(v->b, '\n');
	}
	if (w->notice != NULL)
		buf_fmt(v->b, "%s%s\n", pick(v, "    risk notice ", "    风险告知函 "), w->notice);
	if (w->asks_files)
		buf_str(v->b,
			pick(v, "    asks: encrypted files not yet opened?\n", "    询问：是否有尚未解密的文件\n"));
	if (w->extension_allowed)
		buf_str(v->b, pick(v, "    may carry an ordered extension\n", "    可同时办理已订购的延期\n"));
	if (w->extension_early)
		buf_str(v->b, pick(v, "    its extension may come before the window opens\n",
				   "    同时办理的延期可早于延期窗口\n"));
	if (w->fate == FATE_REVOKE)
		buf_fmt(v->b,
			v->zh ? "    原证书吊销：%s，宽限 %lld 天\n"
			      : "    the predecessor is revoked: %s, after %lld days\n",
			w->reason, (long long)w->grace_days);
}

static void say_kinds(const struct voice *v, const struct profile *p)
{
	buf_str(v->b, pick(v, "Kinds and ways:\n", "业务类型与办理方式：\n"));
	for (size_t i = 0; i < p->kinds.n; i++) {
		const struct policy_kind *k = &kinds_of(p)[i];
		enum tally_kind kind;

		for (size_t j = 0; tally_kind_from_word(k->kind, strlen(k->kind), &kind) && j < k->ways.n; j++)
			say_way(v, &ways_of(k)[j], kind);
	}
}

void policy_explain(const struct policy *p, const char *profile, const char *lang, struct buf *ret)
{
	const struct voice v = {ret, strcmp(lang, "zh") == 0};
	const struct profile *pr = policy_profile(p, profile);

	if (pr == NULL) {
		buf_fmt(ret, v.zh ? "没有证书模板 %s\n" : "there is no profile %s\n", ESC(profile, strlen(profile)));
		return;
	}
	buf_fmt(ret, "%s%s: %s\n", pick(&v, "Profile ", "证书模板 "), pr->name, title(&v, &pr->title));
	buf_str(ret, pick(&v, "Subject, in this order:\n", "主体项（按顺序）：\n"));
	for (size_t i = 0; i < pr->subject.n; i++)
		say_attr(&v, &attrs_of(pr)[i]);
	buf_fmt(ret,
		v.zh ? "标识项：%s（每个标识只有一条有效证书链）\n"
		     : "Identifier: %s (one live line of certificates for each)\n",
		pr->identifier);
	say_keys(&v, pr);
	say_validity(&v, pr);
	buf_str(ret, pick(&v, "Extensions:\n", "扩展项：\n"));
	for (size_t i = 0; i < pr->extensions.n; i++)
		say_ext(&v, &exts_of(pr)[i]);
	say_kinds(&v, pr);
}
