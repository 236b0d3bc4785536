/*
 * What messages say, in Chinese and English. A template whose words hold a secret of the person's (a code, say) is closed:
 * officers see that it was sent, and never what it said.
 */
#include "ra/outbox.h"

#include <assert.h>
#include <string.h>

static const struct template
{
	const char *name;
	bool open;
	const char *zh_about, *en_about, *zh, *en;
}
templates[] = {
	{"code", false, "验证码", "Your code",
	 "验证码 {code}，用于{purpose_zh}，{minutes} 分钟内有效。请勿告诉他人，工作人员不会向您索要。",
	 "Code {code} for {purpose_en}, good for {minutes} minutes. Tell nobody; our staff will never ask for it."},
	{"bound", false, "账户经办人已变更", "Your account has another agent",
	 "{organisation} 的账户已于 {time} 改由经办人 {agent}、手机 {mobile} 登录。如非本单位操作，请在 {days} "
	 "天内凭冻结码 "
	 "{freeze} 冻结{freeze_url}，或致电 {telephone}。",
	 "The account of {organisation} is used by agent {agent}, mobile {mobile}, since {time}. If this was not your "
	 "organisation, freeze it within {days} days by the code {freeze}{freeze_url}, or call {telephone}."},
	{"start_pin", false, "UKey 初始 PIN", "Start PIN of your USB key",
	 "{organisation} 的新 UKey（序列号 {token}）已寄出，初始 PIN 为 {pin}，首次使用时请修改。收到 UKey "
	 "前请勿告诉他人。",
	 "The new USB key of {organisation} (serial {token}) is on its way. Its start PIN is {pin}: change it at first "
	 "use, and "
	 "tell nobody."},
	{"parcel_overdue", true, "UKey 包裹尚未签收", "Your USB key has no receipt yet",
	 "{organisation} 的 UKey 包裹（{carrier} {tracking}，申请 {number}）尚未签收。如未收到，请致电 {telephone}。",
	 "The parcel with the USB key of {organisation} ({carrier} {tracking}, request {number}) has no receipt yet. "
	 "If it has "
	 "not come, call {telephone}."},
	{"password", true, "账户密码已重新设置", "Your password was set anew",
	 "{organisation} 的账户密码已于 {time} 重新设置。如非本人操作，请立即致电 {telephone}。",
	 "The password of the account of {organisation} was set anew at {time}. If this was not you, call {telephone} "
	 "at once."},
	{"mail", true, "账户通知邮箱已变更", "Where your account's notices go",
	 "{organisation} 的账户已于 {time} 将通知邮箱设为 {mail}。如非本单位操作，请立即致电 {telephone}。",
	 "Notices of the account of {organisation} go to {mail} since {time}. If this was not your organisation, call "
	 "{telephone} at once."},
	{"expiry", true, "数字证书即将到期", "Your certificate ends soon",
	 "{organisation} 的数字证书 {name}（序列号 {serial}）将于 {end} 到期，剩余 {days} "
	 "天。请及时登录办理延期，咨询电话 "
	 "{telephone}。",
	 "The certificate {name} of {organisation} (serial number {serial}) ends at {end}; days left: {days}. Log in "
	 "and have it "
	 "extended; questions: {telephone}."},
};

static const char *value_of(const struct letter_word *words, size_t n, const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++) {
		if (strlen(words[i].name) == len && memcmp(words[i].name, name, len) == 0)
			return words[i].value;
	}
	return NULL;
}

static void fill(const char *text, const struct letter_word *words, size_t n, struct buf *ret)
{
	while (*text) {
		size_t plain = strcspn(text, "{");
		buf_add(ret, text, plain);
		text += plain;
		if (*text == '\0')
			return;
		size_t name = strcspn(text + 1, "}");
		const char *value = value_of(words, n, text + 1, name);
		assert(value && text[1 + name] == '}');
		buf_str(ret, value);
		text += name + 2;
	}
}

static const struct template *find(const char *name)
{
	for (size_t i = 0; i < sizeof(templates) / sizeof(templates[0]); i++) {
		if (strcmp(templates[i].name, name) == 0)
			return &templates[i];
	}
	return NULL;
}

void outbox_text(const char *template, const char *lang, const struct letter_word *words, size_t n, struct buf *ret)
{
	const struct template *found = find(template);
	assert(found);
	fill(strcmp(lang, "zh") == 0 ? found->zh : found->en, words, n, ret);
}

const char *outbox_subject(const char *template, const char *lang)
{
	const struct template *found = find(template);
	assert(found);
	return strcmp(lang, "zh") == 0 ? found->zh_about : found->en_about;
}

bool outbox_is_open(const char *template)
{
	const struct template *found = find(template);
	return found && found->open;
}
