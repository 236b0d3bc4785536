/*
 * A tally in one sentence, for people: what shall happen to which certificate, and everything in it that an officer
 * must not overlook. English or Chinese. The sentence is a reading aid; what is signed is the text itself.
 */
#include "common/note/tally.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"

#include <string.h>

struct voice {
	struct buf *b;
	bool zh;
};

static void say(const struct voice *v, const char *en, const char *zh)
{
	buf_str(v->b, v->zh ? zh : en);
}

static void say_certificate(const struct voice *v, const struct cert_ref *r)
{
	say(v, "certificate ", "证书 ");
	buf_str(v->b, SERIAL(&r->serial));
}

static void say_kind(const struct voice *v, const struct tally *t)
{
	switch (t->kind) {
	case TALLY_EXTEND:
		say(v, "extend ", "延期");
		break;
	case TALLY_CHANGE:
		say(v, "change the subject of ", "变更主体信息：");
		break;
	case TALLY_ENROL:
		say(v, "issue a first certificate", "首次签发证书");
		break;
	case TALLY_REISSUE:
		say(v, "reissue ", "补办");
		break;
	case TALLY_REVOKE:
		say(v, "revoke ", "吊销");
		break;
	case TALLY_HOLD:
		say(v, "hold ", "挂起");
		break;
	case TALLY_RELEASE:
		say(v, "release ", "解除挂起");
		break;
	case TALLY_WITHDRAW:
		say(v, "withdraw tally ", "撤回申请 ");
		buf_str(v->b, TALLY_ID_TEXT(t->target));
		break;
	case TALLY_RESPONDER:
		say(v, "issue a certificate for an OCSP responder", "签发 OCSP 响应者证书");
		break;
	case TALLY_KIND_N:
		break;
	}
	if (t->has_predecessor && t->kind != TALLY_WITHDRAW)
		say_certificate(v, &t->predecessor);
}

static void say_validity(const struct voice *v, const struct tally *t)
{
	if (t->add_months == 0)
		say(v, ", validity kept", "，有效期不变");
	else if (t->kind == TALLY_ENROL)
		buf_fmt(v->b, v->zh ? "，有效期 %u 个月" : ", valid for %u months", t->add_months);
	else if (t->kind == TALLY_EXTEND)
		buf_fmt(v->b, v->zh ? " %u 个月" : " by %u months", t->add_months);
	else
		buf_fmt(v->b, v->zh ? "，同时延期 %u 个月" : ", extended by %u months", t->add_months);
	if (t->latest != 0)
		buf_fmt(v->b, v->zh ? "（最迟至 %s）" : " (ends %s +08:00 at the latest)", SHANGHAI(t->latest));
}

static void say_key(const struct voice *v, const struct tally *t)
{
	if (!t->key_is_new) {
		say(v, ", same key", "，密钥不变");
		return;
	}
	/* Nothing of the hash is said: an officer who has seen the key types it from elsewhere. */
	say(v, ", new key", "，新密钥");
	switch (t->key_seen) {
	case KEY_SEEN_UNSAID:
		break;
	case KEY_SEEN_TOKEN:
		say(v, " (made on a token)", "（由密码钥匙生成）");
		break;
	case KEY_SEEN_PAPER:
		say(v, " (seen on stamped paper)", "（已核对盖章纸质材料）");
		break;
	case KEY_SEEN_CALL:
		say(v, " (confirmed by a call)", "（已电话核实）");
		break;
	case KEY_SEEN_PERSON:
		say(v, " (seen in person)", "（已当面核实）");
		break;
	}
}

/* Same attributes go unsaid; of an enrolment all are new, and said. */
static void say_subject(const struct voice *v, const struct tally *t)
{
	if (!tally_subject_differs(t)) {
		say(v, ", same subject", "，主体不变");
		return;
	}
	for (size_t i = 0; i < t->n_subject; i++) {
		const struct subject_line *s = &t->subject[i], *next = i + 1 < t->n_subject ? s + 1 : NULL;

		if (s->mark == SUBJECT_SAME)
			continue;
		buf_fmt(v->b, v->zh ? "；%s：" : "; %s: ", v->zh ? s->type->zh : s->type->en);
		if (s->mark == SUBJECT_OLD && next != NULL && next->mark == SUBJECT_NEW && next->type == s->type) {
			buf_fmt(v->b, v->zh ? "“%s”改为“%s”" : "\"%s\" becomes \"%s\"", s->value, next->value);
			i++;
		} else if (s->mark == SUBJECT_OLD) {
			buf_fmt(v->b, v->zh ? "删除“%s”" : "\"%s\" is removed", s->value);
		} else {
			buf_fmt(v->b, v->zh ? "“%s”" : "\"%s\"", s->value);
		}
	}
}

static void say_files(const struct voice *v, enum tally_files files)
{
	switch (files) {
	case FILES_UNSAID:
		break;
	case FILES_NO:
		say(v, "; no encrypted files are left to open", "；没有尚未解密的文件");
		break;
	case FILES_YES:
		say(v, "; ENCRYPTED FILES ARE STILL TO BE OPENED", "；仍有尚未解密的文件");
		break;
	case FILES_WAIVED:
		say(v, "; files still encrypted were waived in writing", "；已书面放弃尚未解密的文件");
		break;
	}
}

void tally_explain(const struct tally *t, const char *lang, struct buf *ret)
{
	const struct voice v = {ret, strcmp(lang, "zh") == 0};

	say_kind(&v, t);
	if (t->has_hold)
		buf_fmt(ret, v.zh ? "（台账第 %llu 条）" : " from the hold of ledger entry %llu",
			(unsigned long long)t->hold);
	if (t->has_validity)
		say_validity(&v, t);
	if (t->has_key)
		say_key(&v, t);
	if (t->n_subject > 0)
		say_subject(&v, t);
	if (t->reason >= 0 && (t->kind == TALLY_REVOKE || t->kind == TALLY_REISSUE))
		buf_fmt(ret, v.zh ? "；原因：%s" : "; reason: %s", crl_reason_said((unsigned)t->reason, v.zh));
	say_files(&v, t->files);
	if (t->has_collides) {
		say(&v, "; THE IDENTIFIER LIVES ELSEWHERE, in ", "；该标识已用于其他");
		say_certificate(&v, &t->collides);
	}
}
