/*
 * A picture code is asked for where guessing or sending costs: see `picture_code` in ra.yaml. The answer stays here, as a
 * keyed hash; a picture is used once, right or wrong, and dies after minutes. Whoever cannot see it calls the desk, and the
 * answer says so. Next: picture_draw.c.
 */
#include "ra/picture.h"

#include "ra/store_code.h"

#include <sodium.h>
#include <string.h>

#define PICTURES_MAX 20000

void picture_hash(const struct desk *d, const uint8_t id[], const char *code, uint8_t ret[32])
{
	crypto_generichash_state st;
	crypto_generichash_init(&st, d->code_key, 32, 32);
	crypto_generichash_update(&st, (const uint8_t *)"picture", 8);
	crypto_generichash_update(&st, id, PICTURE_ID);
	crypto_generichash_update(&st, (const uint8_t *)code, strlen(code));
	crypto_generichash_final(&st, ret, 32);
}

struct fresh {
	uint8_t id[PICTURE_ID], hash[32];
	int64_t dies;
};

static enum err keep_in(struct ctx *c, json_t **ret, struct fault *f)
{
	const struct fresh *p = c->work;
	(void)ret;
	TRY(store_pictures_trim(c->db, c->now, PICTURES_MAX, f));
	return store_picture_put(c->db, p->id, p->hash, c->now, p->dies, f);
}

static json_t *alternative(const struct ctx *c)
{
	const struct policy *policy = c->law->policy;
	const char *telephone = policy->n_projects > 0 ? policy->projects[0].contact_telephone : NULL;
	json_t *o = json_object();
	json_object_set_new(o, "zh",
			    json_sprintf("看不清或使用读屏软件的用户，请致电服务台 %s", telephone ? telephone : ""));
	json_object_set_new(
		o, "en",
		json_sprintf("if you cannot read pictures, call the service desk: %s", telephone ? telephone : ""));
	return o;
}

enum err picture_new(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_buf_ struct buf png = {0};
	struct fresh p = {.dies = c->now + c->desk->config.login.picture_minutes * 60};
	char text[PICTURE_CHARS + 1] = "", id[2 * PICTURE_ID + 1];
	for (size_t i = 0; i < PICTURE_CHARS; i++)
		text[i] = PICTURE_ALPHABET[randombytes_uniform(sizeof(PICTURE_ALPHABET) - 1)];
	random_fill(p.id, sizeof(p.id));
	picture_hash(c->desk, p.id, text, p.hash);
	TRY(picture_draw(text, &png, f));
	sodium_memzero(text, sizeof(text));
	c->work = &p;
	TRY(desk_write(c, keep_in, f));
	hex_lower(p.id, sizeof(p.id), id);
	*ret = json_object();
	json_object_set_new(*ret, "picture", json_string(id));
	json_object_set_new(*ret, "png", json_base64(buf_slice(&png)));
	json_object_set_new(*ret, "characters", json_integer(PICTURE_CHARS));
	json_object_set_new(*ret, "dies", json_time(p.dies));
	json_object_set_new(*ret, "alternative", alternative(c));
	return OK;
}

/* --- checking --- */

struct answer {
	uint8_t id[PICTURE_ID];
	char text[PICTURE_CHARS + 1];
	bool right;
};

static enum err take_in(struct ctx *c, json_t **ret, struct fault *f)
{
	struct answer *a = c->work;
	uint8_t hash[32], kept[32];
	bool there = false;
	(void)ret;
	TRY(store_picture_take(c->db, a->id, c->now, &there, kept, f));
	picture_hash(c->desk, a->id, a->text, hash);
	a->right = there && sodium_memcmp(hash, kept, 32) == 0;
	return OK;
}

static bool read_answer(const char *id, const char *code, struct answer *ret)
{
	size_t n = strlen(code);
	if (strlen(id) != 2 * PICTURE_ID || !hex_decode(id, 2 * PICTURE_ID, ret->id, PICTURE_ID) || n != PICTURE_CHARS)
		return false;
	for (size_t i = 0; i < n; i++)
		ret->text[i] = code[i] >= 'a' && code[i] <= 'z' ? (char)(code[i] - 'a' + 'A') : code[i];
	return true;
}

enum err picture_check(struct ctx *c, bool wanted, struct fault *f)
{
	const char *id = param_text(c, "picture"), *code = param_text(c, "picture_code");
	struct answer a = {0};
	void *before = c->work;
	if (!id && !code && !wanted)
		return OK;
	if (!id || !code)
		return fault_raise(f, ERR_DENIED, "picture_wanted", "params.picture_code",
				   "wanted a picture code: account.picture gives a picture");
	if (read_answer(id, code, &a)) {
		c->work = &a;
		enum err e = desk_write(c, take_in, f);
		c->work = before;
		TRY(e);
	}
	return a.right ? OK
		       : fault_raise(f, ERR_DENIED, "picture_wrong", "params.picture_code",
				     "the picture code is wrong, used, or over: ask for a new picture");
}
