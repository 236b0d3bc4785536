/*
 * A sentence an event, in both languages. Who did it comes first; what an officer wrote stands at the end, as written, and a paper, or what is to be
 * corrected, by its title.
 */
#include "ra/history.h"

#include "ra/title.h"

#include "common/base/cleanup.h"

#include <string.h>

static const struct {
	const char *event;
	struct bilingual text;
} sentences[] = {
	{"draft", {"填写了申请", "began the request"}},
	{"edit", {"修改了申请或上传了材料", "changed the request or added a material"}},
	{"prove", {"用密钥签名确认了申请", "signed the request with the key"}},
	{"submit", {"提交了申请", "handed the request in"}},
	{"approve", {"审核通过并签名", "approved it with a signature"}},
	{"decide", {"同意变更登记信息", "agreed to the change of the record"}},
	{"reject", {"审核未通过", "rejected it"}},
	{"correct", {"要求补正", "asked for corrections"}},
	{"replace", {"开始补正，原申请单作废", "began the correction; the form before is void"}},
	{"withdraw", {"撤回了申请", "took the request back"}},
	{"expire", {"超过期限，申请自动失效", "let it end: its time was over"}},
	{"send", {"将申请送交签发系统", "handed it to the signer"}},
	{"issue", {"办理完成", "did what was asked"}},
	{"refuse", {"签发系统拒绝了申请", "refused it"}},
	{"die", {"登记原申请单已作废", "recorded that the form is void"}},
	{"ask_unlock", {"申请解锁 USB Key", "asked to have the token unlocked"}},
	{"seal", {"同意解锁", "agreed to the unlock"}},
	{"release", {"取得解锁信息", "took the sealed PUK"}},
	{"unlock", {"重新设置了 PIN", "set the PIN anew"}},
	{"fail", {"解锁没有成功", "could not unlock the token"}},
	{"open", {"申请恢复证书", "asked for recovery"}},
	{"send_to_centre", {"已将恢复申请送交密钥中心", "sent the case to the key centre"}},
	{"deliver", {"登记密钥中心已交付", "recorded that the key centre delivered"}},
	{"no_copy", {"登记密钥中心没有该密钥的备份", "recorded that the key centre holds no copy"}},
	{"key", {"已在 UKey 上生成新密钥", "made the new key on a token"}},
	{"pack", {"已将 UKey 装入包裹", "packed the token"}},
	{"ship", {"已寄出包裹", "shipped the parcel"}},
	{"return", {"登记包裹已退回服务台", "recorded that the parcel came back"}},
	{"receive", {"签收了 UKey", "has the token and signed for it"}},
	{"lose", {"登记包裹遗失，原密钥作废", "recorded that the parcel is lost; its key is given up"}},
	{"again", {"更换 UKey，原密钥作废", "gave up the token and its key; another is to be made"}},
	{"renew", {"换发申请单，密钥不变，需重新签名审核", "made the form anew for the same key, to be signed again"}},
	{"lapse", {"申请单超过期限，密钥仍然有效", "let the form end: its time was over; the key stays"}},
	{"waive", {"登记单位书面放弃恢复证书", "recorded that the owner gave the recovery up in writing"}},
};

static struct bilingual who_of(const char *who)
{
	if (strncmp(who, "account:", 8) == 0)
		return (struct bilingual){"申请单位", "The organisation"};
	if (strcmp(who, "signer") == 0)
		return (struct bilingual){"签发系统", "The signer"};
	if (strcmp(who, "desk") == 0 || strcmp(who, "clock") == 0)
		return (struct bilingual){"系统", "The desk"};
	return (struct bilingual){"审核员", "An officer"};
}

/* "item: reason; item: reason", as an officer's correction is kept, with each item by its title. A reason may have such marks of its own: what is no item's
 * name stands as it was written. */
static void put_corrections(const char *detail, struct buf *zh, struct buf *en)
{
	for (const char *at = detail, *end; *at != '\0'; at = end) {
		char item[TALLY_WORD];
		size_t n = strcspn(at, ":; ");
		end = strstr(at, "; ");
		end = end ? end + 2 : at + strlen(at);
		if (n >= sizeof(item) || strncmp(at + n, ": ", 2) != 0) {
			buf_add(zh, at, (size_t)(end - at));
			buf_add(en, at, (size_t)(end - at));
			continue;
		}
		memcpy(item, at, n);
		item[n] = '\0';
		struct bilingual title = title_of(item);
		size_t rest = (size_t)(end - at) - n - 2;
		buf_fmt(zh, "%s：%.*s", title.zh, (int)rest, at + n + 2);
		buf_fmt(en, "%s: %.*s", title.en, (int)rest, at + n + 2);
	}
}

static void put_sentence(const struct history_item *item, json_t *o)
{
	_cleanup_buf_ struct buf zh = {0}, en = {0};
	struct bilingual who = who_of(item->who), what = {item->event, item->event};
	bool said = item->detail[0] != '\0', material = strcmp(item->event, "edit") == 0;
	struct bilingual detail = material ? title_of(item->detail) : (struct bilingual){item->detail, item->detail};
	if (said && strcmp(item->event, "correct") == 0) {
		put_corrections(item->detail, &zh, &en);
		detail = (struct bilingual){buf_text(&zh), buf_text(&en)};
	}
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
		if (strcmp(sentences[i].event, item->event) == 0)
			what = sentences[i].text;
	}
	json_object_set_new(o, "zh", json_sprintf("%s%s%s%s。", who.zh, what.zh, said ? "：" : "", detail.zh));
	json_object_set_new(o, "en", json_sprintf("%s %s%s%s.", who.en, what.en, said ? ": " : "", detail.en));
}

json_t *history_json(const struct history_item *item)
{
	json_t *o = json_object();
	json_object_set_new(o, "at", json_time(item->at));
	json_object_set_new(o, "event", json_string(item->event));
	json_object_set_new(o, "from", json_string(item->before));
	json_object_set_new(o, "to", json_string(item->after));
	json_object_set_new(o, "who", json_string(item->who));
	json_object_set_new(o, "detail", json_string(item->detail));
	put_sentence(item, o);
	return o;
}
