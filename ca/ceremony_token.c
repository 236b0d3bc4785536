/*
 * Keys that are born in a token. A token is no file: what is made there is there at once, and no folder of the ceremony's
 * holds it back. So the key's id is chosen, and written down, before the key is made. A run that ends by itself deletes what
 * it made; one whose power went leaves its folder, and the next run knows by it which key is of no ceremony, and deletes that
 * and no other. A key of the same name that is not ours is never touched: the ceremony says which, and ends.
 */
#include "ca/ceremony_private.h"

#include "common/base/cleanup.h"
#include "common/token/hsm.h"
#include "common/token/token_uri.h"

#include <string.h>

/* The passphrase is the token's PIN. A check and a rehearsal touch no token. */
bool ceremony_in_token(const struct ceremony *c)
{
	return c->file.key.token && c->mode == CEREMONY_RUN;
}

static struct slice id_of(const struct ceremony *c)
{
	return slice_of(c->token_id, sizeof(c->token_id));
}

/* It was parsed when the file was read, so it is one. */
static void read_uri(const struct ceremony *c, struct token_uri *ret)
{
	if (token_uri_parse(c->file.key.token, TOKEN_URI_KEY, "key.token", ret, NULL) != OK)
		abort();
}

bool ceremony_token_id(const struct ceremony *c)
{
	struct token_uri u;
	if (!ceremony_in_token(c))
		return false;
	read_uri(c, &u);
	return u.id.n == 0;
}

char *ceremony_token_name(const struct ceremony *c)
{
	struct token_uri u;
	char id[2 * TOKEN_URI_VALUE + 1];
	read_uri(c, &u);
	if (u.id.n)
		hex_lower(u.id.text, u.id.n, id);
	else
		hex_lower(c->token_id, sizeof(c->token_id), id);
	return xasprintf("key \"%s\", id %s, of the token with serial %s", ESC(u.object.text, u.object.n), id,
			 ESC(u.serial.text, u.serial.n));
}

static const struct hsm_owner anybody = {
	.where = "key.token",
	.name = "the new key",
	.mismatch = "key_mismatch",
	.wanted = "the key that was made",
	.pin_again = "run the ceremony again with the right PIN",
};

enum err ceremony_clear_token(struct ceremony *c, struct fault *f)
{
	_cleanup_(freep) char *name = ceremony_token_name(c);
	bool was_there = false;
	TRY(hsm_key_delete(&anybody, c->file.key.token, id_of(c), &c->passphrase, &was_there, f));
	if (was_there)
		ceremony_did(c, "deleted again, since its ceremony did not come to its end: %s", name);
	c->token_made = c->token_left = false;
	return OK;
}

static enum err begin(struct ceremony *c, struct fault *f)
{
	TRY(ceremony_secret(c, c->o->passphrase, false, "PIN of the new key's token", &c->passphrase, f));
	if (c->token_left)
		TRY(ceremony_clear_token(c, f));
	return OK;
}

static struct hsm_keygen keygen_of(const struct ceremony *c)
{
	return (struct hsm_keygen){.alg = c->file.alg, .bits = (unsigned)c->file.key.bits, .id = id_of(c)};
}

enum err ceremony_make_ca_in_token(struct ceremony *c, struct fault *f)
{
	_cleanup_buf_ struct buf said = {0};
	struct hsm_keygen g = keygen_of(c);
	buf_str(&said, "made in ");
	TRY(begin(c, f));
	TRY(ca_key_create_in_token(c->file.key.token, &g, &c->passphrase, &c->key, f));
	c->token_made = true;
	TRY(ca_key_attest(c->key, &said, f));
	ceremony_saw(c, buf_text(&said));
	return OK;
}

enum err ceremony_make_in_token(struct ceremony *c, const struct hsm_owner *owner, struct fault *f)
{
	_cleanup_buf_ struct buf said = {0};
	struct hsm_keygen g = keygen_of(c);
	buf_str(&said, "made in ");
	TRY(begin(c, f));
	TRY(hsm_key_create(owner, c->file.key.token, &g, &c->passphrase, &c->token_key, f));
	c->token_made = true;
	TRY(hsm_key_attest(c->token_key, &said, f));
	ceremony_saw(c, buf_text(&said));
	return OK;
}

void ceremony_put_token(struct ceremony *c)
{
	struct buf *place = ceremony_product(c, "key", c->file.outputs.key, 0600);
	buf_fmt(place, "%s\n", c->file.key.token);
	ceremony_did(c, "the key is in its token, and signed there; %s says where", c->file.outputs.key);
}
