/*
 * A code is worth what its tries are: each is counted before it is looked at, in a transaction that stays even when the
 * call is refused, and the newest code alone counts. Next: outbox.c.
 */
#include "ra/code.h"

#include "ra/mobile.h"
#include "ra/outbox.h"
#include "ra/store_code.h"

#include <arpa/inet.h>
#include <assert.h>
#include <sodium.h>
#include <string.h>

#define AHEAD_S 60 /* a clock that went back by more makes codes of the future, which count not */
#define ALPHABET "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

/* --- forms --- */

void code_hash(const struct desk *d, const char *what, const char *about, const char *code, uint8_t ret[32])
{
	crypto_generichash_state st;
	crypto_generichash_init(&st, d->code_key, 32, 32);
	crypto_generichash_update(&st, (const uint8_t *)what, strlen(what) + 1);
	crypto_generichash_update(&st, (const uint8_t *)about, strlen(about) + 1);
	crypto_generichash_update(&st, (const uint8_t *)code, strlen(code));
	crypto_generichash_final(&st, ret, 32);
	sodium_memzero(&st, sizeof(st));
}

void code_make(char ret[CODE_TEXT + 1])
{
	_Static_assert(sizeof(ALPHABET) - 1 == 32, "five bits a character");
	uint8_t noise[CODE_CHARS];
	char *at = ret;
	random_fill(noise, sizeof(noise));
	for (size_t i = 0; i < CODE_CHARS; i++) {
		if (i > 0 && i % 4 == 0)
			*at++ = '-';
		*at++ = ALPHABET[noise[i] & 31];
	}
	*at = '\0';
	sodium_memzero(noise, sizeof(noise));
}

void code_normalise(const char *typed, char ret[CODE_TEXT + 1])
{
	size_t used = 0, n = 0;
	for (; *typed && used < CODE_TEXT; typed++) {
		char ch = *typed;
		if (ch == '-' || ch == ' ')
			continue;
		if (n > 0 && n % 4 == 0)
			ret[used++] = '-';
		if (used < CODE_TEXT)
			ret[used++] = ch >= 'a' && ch <= 'z' ? (char)(ch - 'a' + 'A') : ch;
		n++;
	}
	ret[used] = '\0';
}

void code_origin(const struct ctx *c, char ret[ADDRESS_MAX + 1])
{
	char text[INET6_ADDRSTRLEN];
	uint8_t six[16];
	if (!c->address) {
		snprintf(ret, ADDRESS_MAX + 1, "uid:%lld", (long long)c->call->peer.uid);
	} else if (inet_pton(AF_INET6, c->address, six) == 1) {
		memset(six + 8, 0, 8);
		inet_ntop(AF_INET6, six, text, sizeof(text));
		snprintf(ret, ADDRESS_MAX + 1, "ip:%s/64", text);
	} else {
		snprintf(ret, ADDRESS_MAX + 1, "ip:%s", c->address);
	}
}

/* --- by SMS --- */

struct purpose {
	const char *word, *zh, *en;
};
static const struct purpose purposes[] = {{"bind", "绑定手机", "binding this number"},
					  {"recorded", "首次登录验证", "a first log-in"},
					  {"old", "变更经办人（原手机验证）", "a change of agent (old number)"},
					  {"new", "变更经办人（新手机验证）", "a change of agent (new number)"},
					  {"forgot", "重置密码", "a forgotten password"},
					  {"register", "注册账户", "registering an account"}};

static const struct purpose *purpose_of(const char *word)
{
	for (size_t i = 0; i < sizeof(purposes) / sizeof(purposes[0]); i++) {
		if (strcmp(purposes[i].word, word) == 0)
			return &purposes[i];
	}
	return NULL;
}

static void hash_of(const struct desk *d, const char *mobile, const char *purpose, int64_t account, const char *code,
		    uint8_t ret[32])
{
	char about[MOBILE_MAX + 64];
	snprintf(about, sizeof(about), "%s %s %lld", purpose, mobile, (long long)account);
	code_hash(d, "sms", about, code, ret);
}

static enum err post(struct ctx *c, const char *mobile, const struct purpose *p, int64_t account, const char *code,
		     struct fault *f)
{
	int64_t minutes = c->desk->config.sms.code_minutes;
	char text[24];
	assert(p);
	snprintf(text, sizeof(text), "%lld", (long long)minutes);
	const struct letter_word words[] = {
		{"code", code}, {"minutes", text}, {"purpose_zh", p->zh}, {"purpose_en", p->en}};
	return outbox_post(c,
			   &(struct letter){.channel = "sms",
					    .to = mobile,
					    .template = "code",
					    .words = words,
					    .n_words = sizeof(words) / sizeof(words[0]),
					    .lives_s = minutes * 60,
					    .account = account},
			   f);
}

static enum err may_send(const struct ctx *c, const struct sends *s, struct fault *f)
{
	const struct sms_rules *r = &c->desk->config.sms;
	if (s->number_day >= r->per_number_day)
		return fault_raise(f, ERR_RULE, "sms_limit_number", "params.mobile",
				   "found %lld codes for this number within a day, wanted at most %lld",
				   (long long)s->number_day, (long long)r->per_number_day);
	if (s->address_hour >= r->per_address_hour)
		return fault_raise(f, ERR_RULE, "sms_limit_address", "params.address",
				   "found %lld codes asked for from this address within an hour, wanted at most %lld",
				   (long long)s->address_hour, (long long)r->per_address_hour);
	return OK;
}

enum err sms_send(struct ctx *c, const char *mobile, const char *purpose, int64_t account, bool pretend,
		  struct sms_sent *ret, struct fault *f)
{
	const struct sms_rules *r = &c->desk->config.sms;
	char address[ADDRESS_MAX + 1], code[8];
	struct sends sends;
	code_origin(c, address);
	TRY(store_sends(c->db, mobile, address, c->now, &sends, f));
	int64_t wait = sends.number_last + r->resend_seconds - c->now;
	*ret = (struct sms_sent){.lives_s = r->code_minutes * 60, .wait_s = wait};
	if (sends.number_last != 0 && wait > 0 && wait <= r->resend_seconds)
		return OK;
	TRY(may_send(c, &sends, f));
	struct sms_code row = {.made = c->now, .dies = c->now + r->code_minutes * 60};
	snprintf(code, sizeof(code), "%06u", (unsigned)randombytes_uniform(1000000));
	hash_of(c->desk, mobile, purpose, account, code, row.hash);
	TRY(store_code_put(c->db, mobile, purpose, account, &row, f));
	TRY(store_send_add(c->db, mobile, address, c->now, f));
	if (!pretend)
		TRY(post(c, mobile, purpose_of(purpose), account, code, f));
	sodium_memzero(code, sizeof(code));
	ret->sent = true;
	ret->wait_s = r->resend_seconds;
	return OK;
}

/* By which name the call has it. */
static const char *place_of(const char *purpose)
{
	if (strcmp(purpose, "new") == 0)
		return "params.new_code";
	if (strcmp(purpose, "old") == 0)
		return "params.old_code";
	return strcmp(purpose, "recorded") == 0 ? "params.code" : "params.sms_code";
}

static enum err code_wrong(const char *place, struct fault *f)
{
	return fault_raise(f, ERR_DENIED, "sms_code_wrong", place,
			   "the code is wrong, used, or over: ask for a new one");
}

struct trial {
	const char *mobile, *purpose, *code;
	int64_t account, id;
	bool right;
};

static enum err try_in(struct ctx *c, json_t **ret, struct fault *f)
{
	struct trial *t = c->work;
	struct sms_code row;
	uint8_t hash[32];
	(void)ret;
	enum err e = store_code_get(c->db, t->mobile, t->purpose, t->account, &row, f);
	if (e == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	if (row.dies <= c->now || row.made > c->now + AHEAD_S || row.tries >= c->desk->config.sms.tries)
		return OK;
	hash_of(c->desk, t->mobile, t->purpose, t->account, t->code, hash);
	t->id = row.id;
	t->right = sodium_memcmp(hash, row.hash, 32) == 0;
	return store_code_tried(c->db, row.id, f);
}

enum err sms_try(struct ctx *c, const char *mobile, const char *purpose, int64_t account, const char *code,
		 int64_t *ret_id, struct fault *f)
{
	struct trial t = {.mobile = mobile, .purpose = purpose, .code = code, .account = account};
	void *before = c->work;
	c->work = &t;
	enum err e = desk_write(c, try_in, f);
	c->work = before;
	TRY(e);
	if (!t.right)
		return code_wrong(place_of(purpose), f);
	*ret_id = t.id;
	return OK;
}

enum err sms_use(struct ctx *c, int64_t id, struct fault *f)
{
	bool there = false;
	TRY(store_code_take(c->db, id, &there, f));
	return there ? OK : code_wrong("params.sms_code", f);
}

enum err sms_is_busy(struct ctx *c, const char *mobile, bool *ret, struct fault *f)
{
	char address[ADDRESS_MAX + 1];
	struct sends sends;
	int64_t most = c->desk->config.login.picture_sends;
	code_origin(c, address);
	TRY(store_sends(c->db, mobile, address, c->now, &sends, f));
	*ret = sends.number_hour >= most || 2 * sends.address_hour >= c->desk->config.sms.per_address_hour;
	return OK;
}
