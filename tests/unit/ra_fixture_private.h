/*
 * What its parts share: ra_fixture.c lays a desk out, ra_fixture_signer.c plays its signer, ra_fixture_calls.c makes calls
 * and reads messages, ra_fixture_scenes.c has what people do.
 */
#ifndef HUFU_TEST_RA_FIXTURE_PRIVATE_H
#define HUFU_TEST_RA_FIXTURE_PRIVATE_H

#include "ra_fixture.h"

static inline void must(const char *what, enum err e, const struct fault *f)
{
	if (e != OK)
		fail_msg("%s: %s, rule \"%s\" at %s: %s", what, err_word(e), f->rule, f->where, f->text);
}

/* Somebody's key comes from their name. */
void fx_seeded(const char *name, uint8_t public_key[32], uint8_t secret[64]);
void fx_sign_as(struct buf *note, const char *name);
/* P-256. public_key may be NULL. */
void fx_make_key(EVP_PKEY **ret, struct pubkey *public_key);
/* In the fixture's folder. Gives: free(). */
char *fx_path(const struct fx *x, const char *name);

/* The first entries of the ledger: the old authority's certificates of both organisations, adopted. */
void fx_adopt(struct fx *x);
/* nng 1.5.2 forgets memory of a connection that is closed before it stands; so it stands before a test goes on. */
void fx_meet_signer(struct fx *x);

#endif
