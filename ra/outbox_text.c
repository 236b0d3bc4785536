/*
 * What messages say, in Chinese and English.
 */
#include "ra/outbox.h"

#include <assert.h>
#include <string.h>

static const struct template
{
	const char *name, *zh, *en;
}
templates[] = {
	{"code", "验证码 {code}，用于{purpose_zh}，{minutes} 分钟内有效。请勿告诉他人，工作人员不会向您索要。",
	 "Code {code} for {purpose_en}, good for {minutes} minutes. Tell nobody; our staff will never ask for it."},
	{"bound",
	 "{organisation} 的账户已于 {time} 改由经办人 {agent}、手机 {mobile} 登录。如非本单位操作，请在 {days} "
	 "天内凭冻结码 "
	 "{freeze} 冻结{freeze_url}，或致电 {telephone}。",
	 "The account of {organisation} is used by agent {agent}, mobile {mobile}, since {time}. If this was not your "
	 "organisation, freeze it within {days} days by the code {freeze}{freeze_url}, or call {telephone}."},
	{"password", "{organisation} 的账户密码已于 {time} 重新设置。如非本人操作，请立即致电 {telephone}。",
	 "The password of the account of {organisation} was set anew at {time}. If this was not you, call {telephone} "
	 "at once."},
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

void outbox_text(const char *template, const char *lang, const struct letter_word *words, size_t n, struct buf *ret)
{
	const struct template *found = NULL;
	for (size_t i = 0; i < sizeof(templates) / sizeof(templates[0]); i++) {
		if (strcmp(templates[i].name, template) == 0)
			found = &templates[i];
	}
	assert(found);
	fill(strcmp(lang, "zh") == 0 ? found->zh : found->en, words, n, ret);
}
