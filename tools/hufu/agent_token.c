/*
 * What a page may ask of a token, besides a signature: to be listed, to make a key, to take a certificate, to be tried, to get another PIN. Which
 * token it is, its serial number says, before the person is asked and before anything is written: the one that is plugged in counts, not the one that
 * the page thinks of.
 */
#include "tools/hufu/agent.h"

#include "common/base/clock.h"
#include "common/pki/csr.h"
#include "common/pki/fingerprint.h"
#include "tools/hufu/token_start.h"

#include <string.h>

#define SLOTS_MAX 16

static const char *text_of(json_t *params, const char *key)
{
	return json_string_value(json_object_get(params, key));
}

/* --- which token --- */

struct slots {
	char serial[SLOTS_MAX][80];
	size_t n;
};

static void add_slot(void *arg, const struct token_info *i)
{
	struct slots *s = arg;
	if (i->initialized && i->serial[0] && s->n < SLOTS_MAX)
		snprintf(s->serial[s->n++], sizeof s->serial[0], "%s", i->serial);
}

static enum err other_token(const struct slots *s, const char *expect, struct fault *f)
{
	_cleanup_buf_ struct buf found = {0};
	for (size_t i = 0; i < s->n; i++)
		buf_fmt(&found, "%s%s", i ? ", " : "", s->serial[i]);
	return fault_raise(f, ERR_RULE, "token_other", "expect",
			   "found token %s plugged in, wanted %s: nothing was done (插入的是另一个 USB Key)",
			   buf_text(&found), ESC(expect, strlen(expect)));
}

static enum err choose(const struct slots *s, const char *expect, const char **ret, struct fault *f)
{
	if (s->n == 0)
		return fault_raise(f, ERR_NOT_FOUND, "token_absent", "expect", "no token is plugged in");
	for (size_t i = 0; expect && i < s->n; i++)
		if (strcmp(s->serial[i], expect) == 0) {
			*ret = s->serial[i];
			return OK;
		}
	if (expect)
		return other_token(s, expect, f);
	if (s->n > 1)
		return fault_raise(f, ERR_CONFLICT, "token_ambiguous", "expect",
				   "%zu tokens are plugged in, wanted one: pull out the others", s->n);
	*ret = s->serial[0];
	return OK;
}

enum err agent_card(struct agent *a, json_t *params, enum token_use use, struct card *ret, struct fault *f)
{
	struct slots s = {0};
	const char *serial = NULL;
	TRY(token_each(a->module, add_slot, &s, f));
	TRY(choose(&s, text_of(params, "expect"), &serial, f));
	ret->serial = xstrdup(serial);
	ret->choice = (struct token_choice){.serial = ret->serial, .module = a->module};
	return card_find(a->cli, ret, use, f);
}

enum err agent_pulled(struct agent *a, json_t *params, struct fault *f)
{
	struct slots s = {0};
	struct fault why;
	const char *expect = text_of(params, "expect"), *found = NULL;
	if (strcmp(f->rule, "token_failed") != 0 || token_each(a->module, add_slot, &s, &why) != OK ||
	    (s.n > 0 && (!expect || choose(&s, expect, &found, &why) == OK)))
		return f->kind;
	return fault_raise(f, ERR_IO, "token_pulled", "token",
			   "the token was pulled out or reset; nothing was sent: plug it in and start again");
}

void agent_card_wants(const struct card *k, struct agent_question *q)
{
	q->pin = token_login_way(k->token) == TOKEN_LOGIN_PIN;
}

enum err agent_card_login(struct card *k, struct agent_answer *answer, struct fault *f)
{
	if (token_login_way(k->token) == TOKEN_LOGIN_NONE)
		return OK;
	k->pin = answer->pin;
	answer->pin = (struct secret){0};
	return token_login(k->token, k->pin.n ? &k->pin : NULL, f);
}

void agent_card_text(const char *origin, const struct card *k, struct buf *ret)
{
	const char *warning = token_pin_warning(k->token);
	buf_fmt(ret, "%s\nUSB Key \"%s\" (%s)\n", origin, token_name(k->token), k->serial);
	if (warning)
		buf_fmt(ret, "! %s\n", warning);
	if (token_login_way(k->token) == TOKEN_LOGIN_PAD)
		buf_str(ret, "请在 USB Key 的键盘上输入 PIN / enter the PIN on its own keypad\n");
	buf_char(ret, '\n');
}

/* Asks, and logs in. */
static enum err ask(const struct agent_call *at, struct card *k, struct agent_question *q, struct agent_answer *answer,
		    struct fault *f)
{
	agent_card_wants(k, q);
	TRY(agent_ask(at->agent, q, answer, f));
	return agent_card_login(k, answer, f);
}

/* --- the list --- */

static void add_info(void *arg, const struct token_info *i)
{
	const char *pin = i->pin_locked	     ? "locked"
			  : !i->pin_set	     ? "unset"
			  : i->pin_final_try ? "one_try"
			  : i->pin_low	     ? "low"
					     : "set";
	if (i->initialized)
		json_array_append_new(arg, json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:[]}", "token", i->serial, "label",
						     i->label, "model", i->model, "maker", i->maker, "pin", pin,
						     "start_pin", 0, "certificates"));
}

static void add_certificate(void *arg, const struct cert *c)
{
	_cleanup_buf_ struct buf pem = {0}, text = {0};
	_cleanup_(name_done) struct name subject = {0};
	char issuer[41] = "";
	if (name_parse(c->subject, &subject, NULL) != OK)
		return;
	name_text(&subject, &text);
	pem_put(&pem, "CERTIFICATE", c->der);
	if (c->aki.n == 20)
		hex_lower(c->aki.p, 20, issuer);
	const char *cn = name_get(&subject, "CN");
	json_array_append_new(arg,
			      json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "serial", SERIAL(&c->serial), "issuer", issuer,
					"name", cn ? cn : "", "subject", buf_text(&text), "not_before",
					UTC(c->not_before), "not_after", UTC(c->not_after), "pem", buf_text(&pem)));
}

/* What stands on it in the open. A token that can't be opened now (its PIN is locked) is listed without. */
static void add_content(struct agent *a, json_t *row)
{
	struct token_choice choice = {.serial = text_of(row, "token"), .module = a->module, .use = TOKEN_SIGN};
	_cleanup_(token_closep) struct token *t = NULL;
	bool start = false;
	struct fault why;
	if (token_open(&choice, &t, &why) != OK || token_start_is(t, &start, &why) != OK)
		return;
	json_object_set_new(row, "start_pin", json_boolean(start));
	(void)!token_each_certificate(t, add_certificate, json_object_get(row, "certificates"), &why);
}

enum err agent_list(void *arg, struct rpc_call *call, json_t **ret, struct fault *f)
{
	struct agent_call *at = arg;
	_cleanup_(json_freep) json_t *rows = json_array();
	size_t i;
	json_t *row;
	(void)call;
	TRY(token_each(at->agent->module, add_info, rows, f));
	json_array_foreach(rows, i, row) add_content(at->agent, row);
	*ret = json_pack("{s:O}", "tokens", rows);
	return OK;
}

/* --- a key --- */

static enum err request_for(struct card *k, const struct pubkey *key, struct buf *ret, struct fault *f)
{
	_cleanup_(name_done) struct name subject = {0};
	_cleanup_(csr_done) struct csr check = {0};
	_cleanup_buf_ struct buf der = {0};
	TRY(name_add(&subject, attr_by_word("CN", 2), "hufu", 4, f)); /* the tally says what counts */
	TRY(token_csr(k->token, key, &subject, &der, f));
	TRY(csr_parse(buf_slice(&der), &check, f));
	TRY(csr_verify(&check, f));
	pem_put(ret, "CERTIFICATE REQUEST", buf_slice(&der));
	return OK;
}

enum err agent_card_key(struct card *k, const char *algorithm, json_t **ret, struct fault *f)
{
	_cleanup_(pubkey_done) struct pubkey key = {0};
	_cleanup_buf_ struct buf pem = {0};
	char hex[65];
	bool rsa = strcmp(algorithm, "rsa") == 0;
	struct token_keygen g = {.alg = rsa ? KEY_RSA : KEY_P256, .bits = rsa ? 2048 : 0, .label = slice_str("hufu")};
	TRY(token_generate(k->token, &g, &key, f));
	TRY(request_for(k, &key, &pem, f));
	hex_lower(key.spki_sha256, 32, hex);
	*ret = json_pack("{s:s,s:s,s:s,s:s}", "token", k->serial, "key", hex, "characters",
			 FINGERPRINT(key.spki_sha256), "csr", buf_text(&pem));
	return OK;
}

enum err agent_keygen(void *arg, struct rpc_call *call, json_t **ret, struct fault *f)
{
	struct agent_call *at = arg;
	_cleanup_(card_done) struct card k = {0};
	_cleanup_(agent_answer_done) struct agent_answer answer = {0};
	_cleanup_buf_ struct buf text = {0};
	const char *algorithm = text_of(call->params, "algorithm");
	TRY(agent_card(at->agent, call->params, TOKEN_WRITE, &k, f));
	agent_card_text(at->origin, &k, &text);
	buf_fmt(&text, "在此 USB Key 上生成新密钥 (%s)\nmake a new key on it (%s)\n", algorithm, algorithm);
	struct agent_question q = {.what = "keygen", .text = buf_text(&text), .asks = "生成? / Make it?"};
	TRY(ask(at, &k, &q, &answer, f));
	TRY(token_start_refuse(k.token, f));
	TRY(agent_card_key(&k, algorithm, ret, f));
	_cleanup_(freep) char *said =
		xasprintf("新密钥的十位字符 / the new key's ten characters: %s\n", text_of(*ret, "characters"));
	agent_tell(at->agent, "characters", said);
	return OK;
}

/* --- a certificate --- */

static enum err install_text(const struct cert *c, struct buf *ret, struct fault *f)
{
	_cleanup_(name_done) struct name subject = {0};
	TRY(name_parse(c->subject, &subject, f));
	buf_fmt(ret, "安装证书 / install certificate %s\n", SERIAL(&c->serial));
	name_text(&subject, ret);
	buf_fmt(ret, "\n%s - %s\n", SHANGHAI(c->not_before), SHANGHAI(c->not_after));
	return OK;
}

static enum err install(struct card *k, const struct cert *c, struct agent_answer *answer, bool start, json_t **ret,
			struct fault *f)
{
	bool there = false;
	TRY(token_install(k->token, c->der, &there, f));
	TRY(token_try(k->token, &c->key, f));
	if (start)
		TRY(token_pin_replace(k->token, &k->pin, &answer->new_pin, f));
	*ret = json_pack("{s:s,s:s,s:b,s:b,s:b}", "token", k->serial, "certificate_serial", SERIAL(&c->serial), "there",
			 (int)there, "deciphers", (int)(c->key.alg == KEY_RSA), "pin_changed", (int)start);
	return OK;
}

enum err agent_install(void *arg, struct rpc_call *call, json_t **ret, struct fault *f)
{
	struct agent_call *at = arg;
	_cleanup_(cert_done) struct cert c = {0};
	_cleanup_(card_done) struct card k = {0};
	_cleanup_(agent_answer_done) struct agent_answer answer = {0};
	_cleanup_buf_ struct buf der = {0}, text = {0};
	struct agent_question q = {.what = "install", .asks = "安装? / Install it?"};
	TRY(pem_or_der(slice_str(text_of(call->params, "certificate")), "CERTIFICATE", &der, f));
	TRY(cert_parse(buf_slice(&der), &c, f));
	TRY(agent_card(at->agent, call->params, TOKEN_WRITE, &k, f));
	TRY(token_start_is(k.token, &q.new_pin, f));
	bool start = q.new_pin;
	agent_card_text(at->origin, &k, &text);
	TRY(install_text(&c, &text, f));
	if (start)
		buf_str(&text, "初始 PIN 须改为自己的 PIN / the start PIN is to be replaced by one of your own\n");
	q.text = buf_text(&text);
	TRY(ask(at, &k, &q, &answer, f));
	return install(&k, &c, &answer, start, ret, f);
}

/* --- a try --- */

static enum err try_all(struct card *k, json_t *rows, struct fault *f)
{
	struct pubkey keys[SLOTS_MAX] = {0};
	size_t n = 0;
	enum err e = token_public_keys(k->token, keys, SLOTS_MAX, &n, f);
	if (e == OK && n == 0)
		e = fault_raise(f, ERR_NOT_FOUND, "key_not_on_token", "expect", "token %s holds no key", k->serial);
	for (size_t i = 0; i < n; i++) {
		char hex[65];
		if (e == OK)
			e = token_try(k->token, &keys[i], f);
		hex_lower(keys[i].spki_sha256, 32, hex);
		json_array_append_new(rows,
				      json_pack("{s:s,s:s,s:b}", "key", hex, "algorithm", key_alg_word(keys[i].alg),
						"deciphers", (int)(keys[i].alg == KEY_RSA)));
		pubkey_done(&keys[i]);
	}
	return e;
}

enum err agent_test(void *arg, struct rpc_call *call, json_t **ret, struct fault *f)
{
	struct agent_call *at = arg;
	_cleanup_(card_done) struct card k = {0};
	_cleanup_(agent_answer_done) struct agent_answer answer = {0};
	_cleanup_(json_freep) json_t *rows = json_array();
	_cleanup_buf_ struct buf text = {0};
	TRY(agent_card(at->agent, call->params, TOKEN_SIGN, &k, f));
	agent_card_text(at->origin, &k, &text);
	buf_str(&text, "测试签名与解密 / do its keys sign, and decipher?\n");
	struct agent_question q = {.what = "test", .text = buf_text(&text), .asks = "测试? / Try them?"};
	TRY(ask(at, &k, &q, &answer, f));
	TRY(try_all(&k, rows, f));
	*ret = json_pack("{s:s,s:O}", "token", k.serial, "keys", rows);
	return OK;
}

/* --- the PIN --- */

enum err agent_pin(void *arg, struct rpc_call *call, json_t **ret, struct fault *f)
{
	struct agent_call *at = arg;
	_cleanup_(card_done) struct card k = {0};
	_cleanup_(agent_answer_done) struct agent_answer answer = {0};
	_cleanup_buf_ struct buf text = {0};
	TRY(agent_card(at->agent, call->params, TOKEN_WRITE, &k, f));
	agent_card_text(at->origin, &k, &text);
	buf_str(&text, "修改 PIN / change the PIN\n");
	struct agent_question q = {
		.what = "pin", .text = buf_text(&text), .asks = "修改? / Change it?", .new_pin = true};
	TRY(ask(at, &k, &q, &answer, f));
	if (k.pin.n == 0)
		return fault_raise(f, ERR_RULE, "pin_pad", "expect",
				   "token %s asks for PINs on its own keypad: change it with its maker's tool",
				   k.serial);
	TRY(token_pin_replace(k.token, &k.pin, &answer.new_pin, f));
	*ret = json_pack("{s:s,s:b}", "token", k.serial, "pin_changed", 1);
	return OK;
}
